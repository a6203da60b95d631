/* The challenge of the "Payment" HTTP authentication scheme (draft-httpauth-payment-02), its
 * binding, and the hash R that a card signs. */
#ifndef TP_WIRE_PAYMENT_CHALLENGE_H
#define TP_WIRE_PAYMENT_CHALLENGE_H

#include <jansson.h>

#include "base/span.h"

#define PAYMENT_SCHEME     "Payment"
#define PAYMENT_HEADER     "Payment-Authorization" /* the one value of `header` */
#define PAYMENT_OFFERS_MAX 16
#define PAYMENT_ID_SIZE    44 /* base64url of 32 bytes, with a zero */
#define PAYMENT_R          32

/* The parameters as they stand on the wire. NULL: the parameter is absent. Whose strings they are
 * is said where one is given. */
struct payment_challenge {
    const char *id, *realm, *method, *intent, *request; /* never absent */
    const char *expires;                                /* RFC 3339 */
    const char *digest;      /* of the request's body: wire/payment_digest.h */
    const char *opaque;      /* the server's own, base64url of JSON; others' is not looked into */
    const char *header;      /* PAYMENT_HEADER: the field that takes the credential */
    const char *description; /* for people, bound by nothing */
};

/* What a 402 offers, from one or more WWW-Authenticate fields. Begins as {0}. */
struct payment_offers {
    struct payment_challenge offer[PAYMENT_OFFERS_MAX]; /* in the server's order */
    size_t n;
    json_t *owner; /* of the strings */
};

/* Adds the offers of one field. Other schemes, unknown parameters, and offers that are incomplete
 * or that no client may answer (no id, another `header`, a method or intent that is none, a request
 * that is no base64url) are passed over; more than PAYMENT_OFFERS_MAX are too.
 * TP_ERR_FORMAT when the field cannot be read, TP_ERR_RANGE when it is too long. */
TP_MUST_CHECK enum tp_err payment_offers_add(struct payment_offers *offers, struct span field,
                                             struct tp_error *e);
void payment_offers_free(struct payment_offers *offers);

/* The field's value (free()): "Payment id=…". TP_ERR_FORMAT for what such an offer would be passed
 * over for, a bound parameter that holds '|', or a control character. Clients in browsers and Node
 * take ASCII alone: a description in other letters is better left out. */
TP_MUST_CHECK enum tp_err payment_challenge_write(char **out, const struct payment_challenge *c,
                                                  struct tp_error *e);

/* HMAC-SHA-256 over realm|method|intent|request|expires|digest|opaque; where there is a header,
 * |header before |opaque, as the scheme's programs have it (the draft's text would put it last).
 * c->id is not looked at. out has room for PAYMENT_ID_SIZE. */
TP_MUST_CHECK enum tp_err payment_challenge_id(char out[PAYMENT_ID_SIZE], struct span key,
                                               const struct payment_challenge *c);

/* Whether the id was made with the key for these very parameters (in constant time); never where
 * one holds a '|', since two challenges would share it. */
bool payment_challenge_is_bound(const struct payment_challenge *c, struct span key);

/* R: SHA-256 over telepay-1|id|realm|method|intent|request|expires|digest|opaque, an empty string
 * for what is absent. TP_ERR_FORMAT when one holds a '|'. */
TP_MUST_CHECK enum tp_err payment_challenge_r(uint8_t out[PAYMENT_R],
                                              const struct payment_challenge *c,
                                              struct tp_error *e);

/* As a JSON object of the parameters that are there, and back; then the strings are the object's.
 * TP_ERR_FORMAT, with the member, for what payment_offers_add passes over. */
TP_MUST_CHECK enum tp_err payment_challenge_to_json(json_t **out, const struct payment_challenge *c,
                                                    struct tp_error *e);
TP_MUST_CHECK enum tp_err payment_challenge_from_json(struct payment_challenge *out,
                                                      const json_t *object, struct tp_error *e);

#endif
