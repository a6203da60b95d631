/* The order: what a mediator asks to be paid once, signed with a key that the acquirer's authority
 * certified for the contract. */
#ifndef TP_ORDER_ORDER_H
#define TP_ORDER_ORDER_H

#include "order/token.h"
#include "wire/payment_charge.h"

#define ORDER_TYPE      "telepay-order"
#define ORDER_MEANS_MAX 8
#define ORDER_GRACE     30   /* seconds that clocks may be apart */
#define ORDER_PER_MAX   3600 /* seconds of a stream that one order pays for */
#define ORDER_VALID_MAX 600  /* seconds from issued to valid_until */

struct order_means {
    const char *name;    /* "emv", "purse" */
    const char *ceiling; /* minor units: at most so much by this means */
};

struct order {            /* begins as {0} */
    const char *id;       /* member `order`: 26 characters of base32 */
    const char *contract; /* DE 42 */
    const char *merchant, *item;
    const char *amount, *currency;
    const char *delivery; /* "network", "shipped", "included", "stream" */
    const char *per;      /* of a stream: the seconds that it pays for; NULL: it is none */
    const char *quote;    /* base64url of the quote's SHA-256 */
    const char *nonce;    /* base64url of 16 bytes */
    const char *issued, *valid_until;  /* RFC 3339, UTC */
    const char *return_to;             /* member `return`: a URL */
    const char *terminal, *stan;       /* DE 41, DE 11; these six NULL where it takes no card */
    const char *date, *time;           /* YYYYMMDD, HHMMSS: local, as DE 12 and 13 */
    const char *country, *mcc;         /* of the contract: 9F1A (ISO 3166), DE 18: digits */
    const char *acquirer;              /* its identification */
    const char *method, *url, *digest; /* of `resource`; digest NULL: no body */
    struct order_means means[ORDER_MEANS_MAX];
    size_t n_means;
    char mediator[PKI_NAME_MAX]; /* read alone: CN of the certificate */
    json_t *owner;               /* of the strings, when read: order_free */
};

/* The JWS (free()). TP_ERR_FORMAT with the member that no reader would take. */
TP_MUST_CHECK enum tp_err order_write(char **jws, const struct order *o,
                                      const struct order_key *key, struct tp_error *e);

/* Reads and verifies: form, signature, certificate (of this authority, for orders, for the contract
 * that the order names), and that it is valid at that time, ORDER_GRACE seconds more or less.
 * TP_ERR_FORMAT, TP_ERR_RANGE, TP_ERR_SECURITY; TP_ERR_TIMEOUT when only its time is over or is not
 * yet come. order_free after an error too. */
TP_MUST_CHECK enum tp_err order_read(struct order *out, const char *jws,
                                     const struct order_authority *authority, time_t at,
                                     struct tp_error *e);
void order_free(struct order *o);

/* Whether the plain members of a request say what the order says: amount, currency, recipient,
 * externalId, and description where there is one. TP_ERR_SECURITY with the member. */
TP_MUST_CHECK enum tp_err order_agrees(const struct order *o, const struct payment_charge *c,
                                       struct tp_error *e);

/* The JWS within a request's methodDetails (borrowed). TP_ERR_FORMAT when there is none. */
TP_MUST_CHECK enum tp_err order_of_charge(const char **jws, const struct payment_charge *c,
                                          struct tp_error *e);

#endif
