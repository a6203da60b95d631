/* The acknowledgement: what the acquirer answered to a payment of an order, signed. Payer and
 * merchant keep it. */
#ifndef TP_ORDER_ACKNOWLEDGEMENT_H
#define TP_ORDER_ACKNOWLEDGEMENT_H

#include "order/token.h"

#define ACKNOWLEDGEMENT_TYPE "telepay-acknowledgement"

struct acknowledgement {  /* begins as {0} */
    const char *r;        /* base64url of R (wire/payment_challenge.h) */
    const char *order;    /* its id */
    const char *contract; /* DE 42 */
    const char *amount, *currency;
    const char *reference; /* DE 37; NULL: none was given */
    const char *code;      /* DE 39 */
    const char *reason;    /* DE 44; NULL: none */
    const char *outcome;   /* "acknowledged" or "refused" */
    const char *at;        /* RFC 3339, UTC */
    const char *payment; /* of a purse: base64url of the SHA-256 of the statement; NULL: by card */
    char acquirer[PKI_NAME_MAX]; /* read alone: CN of the certificate */
    json_t *owner;               /* of the strings, when read: acknowledgement_free */
};

/* The JWS (free()). TP_ERR_FORMAT with the member that no reader would take. */
TP_MUST_CHECK enum tp_err acknowledgement_write(char **jws, const struct acknowledgement *a,
                                                const struct order_key *key, struct tp_error *e);

/* Reads and verifies: form, signature, certificate (of this authority, for acknowledgements, good
 * when it was signed). TP_ERR_FORMAT, TP_ERR_RANGE, TP_ERR_SECURITY. acknowledgement_free after an
 * error too. */
TP_MUST_CHECK enum tp_err acknowledgement_read(struct acknowledgement *out, const char *jws,
                                               const struct order_authority *authority,
                                               struct tp_error *e);
void acknowledgement_free(struct acknowledgement *a);

bool acknowledgement_is_positive(const struct acknowledgement *a);

#endif
