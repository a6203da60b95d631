/* What the holder of a purse's account signs, with the key that is the account: JWS (RFC 7515),
 * compact, EdDSA, a protected header of alg, typ and jwk alone (doc/protocol.md, The purse). */
#ifndef TP_ORDER_PURSE_H
#define TP_ORDER_PURSE_H

#include "order/ed25519.h"

#define PURSE_STATEMENT_MAX 2048         /* characters */
#define PURSE_ACCOUNT       ED25519_TEXT /* the number of an account, with its end */
#define PURSE_HASH          BASE64URL_SIZE(32)

enum purse_kind {
    PURSE_OPENING,    /* acquirer, currency: this key is an account there */
    PURSE_SUCCESSION, /* acquirer, account, next: from now on that key is */
    PURSE_PAYMENT,    /* account, r, order, amount, currency, counter */
    PURSE_QUESTION,   /* acquirer, account, at: what is in it? */
    PURSE_EMPTYING,   /* acquirer, account, amount, currency, counter, iban, name: pay that there */
    PURSE_PROVISION,  /* acquirer, account, mediator, session, amount, currency, until, counter */
    PURSE_VOUCHER,    /* account, session, contract, sum, number, currency, r, order */
    PURSE_SESSION_END /* account, session */
};

struct purse_statement { /* begins as {0}; NULL: not of its kind */
    const char *acquirer, *account;
    const char *next;              /* base64url of a public key */
    const char *r;                 /* base64url of R (wire/payment_challenge.h) */
    const char *order;             /* its id */
    const char *amount, *currency; /* as an order has them */
    const char *counter;           /* 1 to 999999999999: each counts once */
    const char *at, *until;        /* RFC 3339, UTC */
    const char *iban, *name;       /* where to, and whose it is: 1 to 70 characters */
    const char *mediator;          /* its name, as in the certificates of its keys */
    const char *session;           /* as an order's id */
    const char *contract;          /* DE 42 */
    const char *sum, *number;      /* of a session under that contract, this order included */
    uint8_t key[ED25519_KEY];      /* read alone: who signed it */
    json_t *owner;                 /* of the strings, when read: purse_statement_free */
};

/* The JWS (free()). TP_ERR_FORMAT with the member that no reader would take. */
TP_MUST_CHECK enum tp_err purse_statement_write(char **jws, enum purse_kind kind,
                                                const struct purse_statement *s,
                                                const uint8_t secret[ED25519_KEY],
                                                struct tp_error *e);

/* Reads it and verifies that its own key signed it; whose that is the caller knows. TP_ERR_FORMAT,
 * TP_ERR_RANGE, TP_ERR_SECURITY. purse_statement_free after an error too. */
TP_MUST_CHECK enum tp_err purse_statement_read(struct purse_statement *out, enum purse_kind kind,
                                               const char *jws, struct tp_error *e);
void purse_statement_free(struct purse_statement *s);

/* base64url of the SHA-256 of the text: by this what answers a statement names it. */
TP_MUST_CHECK enum tp_err purse_statement_hash(char out[PURSE_HASH], const char *jws,
                                               struct tp_error *e);

#endif
