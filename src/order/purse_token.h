/* What passes between a mediator and a purse beside payments, as JWS with x5c (order/token.h): what
 * the mediator demands by the keys that sign its orders, and what the purse says of a provision by
 * its acknowledgement key (doc/protocol.md, The purse). */
#ifndef TP_ORDER_PURSE_TOKEN_H
#define TP_ORDER_PURSE_TOKEN_H

#include "order/purse.h"
#include "order/token.h"

enum purse_token_kind {
    PURSE_REVERSAL,     /* acquirer, contract, order, amount, currency, payment, reason, at */
    PURSE_PRESENTATION, /* acquirer, session, contract, currency, sum, voucher, at */
    PURSE_END,          /* acquirer, session, at */
    /* r, order, contract, amount, currency, session, sum, number, voucher_hash, mediator, outcome,
     * code, reference, at: what a mediator that took a voucher says of the order */
    PURSE_VOUCHER_ACKNOWLEDGEMENT,
    /* acquirer, account, key, mediator, session, amount, currency, until, outcome, code, reason,
     * provision, at: by the purse */
    PURSE_PROVISION_ACKNOWLEDGEMENT
};

struct purse_token { /* begins as {0}; NULL: not of its kind */
    const char *acquirer, *contract, *account, *mediator;
    const char *order, *session; /* 26 characters of base32 */
    const char *amount, *currency, *sum, *number;
    const char *r;              /* base64url of R */
    const char *payment;        /* purse_statement_hash of the payment that is given back */
    const char *provision;      /* … of the provision that is answered */
    const char *voucher;        /* the statement's text */
    const char *voucher_hash;   /* member `voucher` of an acknowledgement */
    const char *key;            /* base64url of the account's public key */
    const char *outcome, *code; /* as an acknowledgement has them */
    const char *reason;         /* of a reversal: a person's words, 1 to 200; else DE 44 or NULL */
    const char *reference;      /* SESSION-NUMBER */
    const char *until, *at;     /* RFC 3339, UTC */
    char signer[PKI_NAME_MAX];  /* read alone: CN of the certificate */
    char signed_for[PKI_NAME_MAX]; /* … its O: the contract of an order's key */
    json_t *owner;                 /* of the strings, when read: purse_token_free */
};

/* The JWS (free()). TP_ERR_FORMAT with the member that no reader would take. */
TP_MUST_CHECK enum tp_err purse_token_write(char **jws, enum purse_token_kind kind,
                                            const struct purse_token *t,
                                            const struct order_key *key, struct tp_error *e);

/* Reads and verifies: form, signature, certificate (of this authority, for the role of that kind,
 * good at `at`), and that its contract, mediator or acquirer is the certificate's. TP_ERR_FORMAT,
 * TP_ERR_RANGE, TP_ERR_SECURITY. purse_token_free after an error too. */
TP_MUST_CHECK enum tp_err purse_token_read(struct purse_token *out, enum purse_token_kind kind,
                                           const char *jws, const struct order_authority *authority,
                                           struct tp_error *e);
void purse_token_free(struct purse_token *t);

#endif
