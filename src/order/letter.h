/* What a payer device and a mediator write each other beside payments, signed: JWS (RFC 7515) in
 * the form of order/token.h (doc/protocol.md, Service messages). Who pays signs with the key of the
 * device, which nobody certifies, the mediator with the key of the contract that it is about. */
#ifndef TP_ORDER_LETTER_H
#define TP_ORDER_LETTER_H

#include "order/certificate.h"

#define LETTER_MAX   8192 /* characters */
#define LETTER_WORDS 1000 /* characters of `words` */
#define LETTER_HASH  32
#define LETTER_USER  44 /* of letter_user, with its end */

enum letter_kind {
    LETTER_DISPUTE,  /* order, credential?, reason, words?, at: who pays opens a dispute */
    LETTER_EVIDENCE, /* order, answers, words, at: who pays brings what was asked for */
    LETTER_IDENTITY, /* mediator, request, service, reason, at: whose key this is asks */
    LETTER_ANSWER,   /* order, contract, answers, act, words?, amount?, currency?, until?, at: the
                        mediator's */
    LETTER_CARD_REQUEST, /* mediator, request, service, reason, contract, acquirer, terminal,
                            country, mcc, currency, until, at: the mediator's, who asks for a card
                          */
    LETTER_CARD          /* answers, contract, user, at: the acquirer's, whose card it was */
};

/* What a mediator's answer says was done (act). */
#define ACT_OPENED   "opened"   /* the dispute is kept; answered until `until` */
#define ACT_ANSWERED "answered" /* the merchant's side, in words; decided until `until` */
#define ACT_ASKED    "evidence-asked"
#define ACT_SETTLED  "settled" /* amount and currency are given back */
#define ACT_REFUSED  "refused"

struct letter { /* begins as {0}; NULL: not of its kind, or absent */
    const char *order;
    const char *credential; /* base64url of the hash of the one that paid */
    const char *reason;     /* of a dispute letter_reasons; else as who asks put it */
    const char *words;
    const char *answers; /* base64url of letter_hash of the letter that this one answers */
    const char *contract, *act, *amount, *currency, *until;
    const char *mediator, *request, *service; /* https://host, its number, who wants to know */
    const char *acquirer, *terminal, *country, *mcc; /* who is to know the card; as an order's */
    const char *user;          /* base64url of what the acquirer calls the card */
    const char *at;            /* RFC 3339, UTC */
    char signer[PKI_NAME_MAX]; /* read alone, of whom a certificate names: CN */
    json_t *key;               /* read alone, of who pays: the public key that signed */
    json_t *owner;             /* of the strings, when read: letter_free */
};

/* Why an order may be disputed: "not-delivered" …; ended by NULL. */
extern const char *const letter_reasons[];

/* The JWS (free()): of who pays by the private key of the device, of the mediator by that of the
 * contract, of the acquirer by that of acknowledgements. TP_ERR_FORMAT with the member that no
 * reader would take. */
TP_MUST_CHECK enum tp_err letter_write_own(char **jws, enum letter_kind kind,
                                           const struct letter *l, const json_t *jwk,
                                           struct tp_error *e);
TP_MUST_CHECK enum tp_err letter_write(char **jws, enum letter_kind kind, const struct letter *l,
                                       const struct order_key *key, struct tp_error *e);

/* Reads and verifies that its own key signed it; whose that is the caller knows. TP_ERR_FORMAT,
 * TP_ERR_RANGE, TP_ERR_SECURITY; then *out is {0}. */
TP_MUST_CHECK enum tp_err letter_read_own(struct letter *out, enum letter_kind kind,
                                          const char *jws, struct tp_error *e);
/* A mediator's, the same: by a key for orders of the contract that it names, good when it was
 * signed; an acquirer's: by its key for acknowledgements. */
TP_MUST_CHECK enum tp_err letter_read(struct letter *out, enum letter_kind kind, const char *jws,
                                      const struct order_authority *authority, struct tp_error *e);
void letter_free(struct letter *l);

/* SHA-256 of what was signed, the signature left out: a second signature that is as good (ECDSA has
 * some) makes no other letter. TP_ERR_FORMAT when it is no JWS. */
TP_MUST_CHECK enum tp_err letter_hash(uint8_t out[LETTER_HASH], const char *jws,
                                      struct tp_error *e);
/* By what a device's key is known: its thumbprint (RFC 7638). */
TP_MUST_CHECK enum tp_err letter_thumbprint(uint8_t out[LETTER_HASH], const json_t *jwk,
                                            struct tp_error *e);
/* How a key is called at the mediator of that origin, and at no other: base64url of a digest. */
TP_MUST_CHECK enum tp_err letter_user(char out[LETTER_USER], const char *origin, const json_t *jwk,
                                      struct tp_error *e);
/* The same of a card, by what its acquirer calls it (LETTER_CARD's user). */
TP_MUST_CHECK enum tp_err letter_card_user(char out[LETTER_USER], const char *origin,
                                           const char *card, struct tp_error *e);

#endif
