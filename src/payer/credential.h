/* E: what pays an order, made of what the card signed, which is sealed to the acquirer, so that
 * whoever carries it sees no card number; or of what the key of an account at a purse signed. */
#ifndef TP_PAYER_CREDENTIAL_H
#define TP_PAYER_CREDENTIAL_H

#include "payer/demand.h"

struct credential_parts {
    const struct demand *demand;
    const char *payment;   /* the statement that pays by purse; NULL: a card pays, by … */
    const char *provision; /* beside that: of a session that begins; NULL: none does */
    struct span message;   /* … the packed 0200 that a terminal would have sent */
    const json_t *device;  /* the device's key signs too; NULL: the card has signed the payee */
    const uint8_t *claim;  /* 16 bytes: with which the order was claimed; NULL: it was not */
};

/* A new object: credential (its JSON, as a text); of a card also answer_key (a new JWK, to which
 * the answer will be sealed), message (base64url). All of it is secret (json_decref). */
TP_MUST_CHECK enum tp_err credential_make(json_t **out, const struct credential_parts *parts,
                                          struct tp_error *e);

/* Of such an object: the value of the field Authorization (free(), and wipe before), and its hash
 * in base64url into out. TP_ERR_FORMAT. */
#define CREDENTIAL_HASH 44
TP_MUST_CHECK enum tp_err credential_field(char **out, const json_t *secret, struct tp_error *e);
TP_MUST_CHECK enum tp_err credential_hash(char out[CREDENTIAL_HASH], const json_t *secret,
                                          struct tp_error *e);

/* The provision in such an object (free()); NULL: there is none. */
char *credential_provision(const json_t *secret);

/* The credential's JSON and the message of such an object; "" and 0 bytes when there are none. */
const char *credential_text(const json_t *secret);
TP_MUST_CHECK enum tp_err credential_message(struct buf *out, const json_t *secret,
                                             struct tp_error *e);

#endif
