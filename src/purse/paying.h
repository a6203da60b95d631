/* A payment as it comes: {"challenge":{…},"payment":JWS} and, where it opens a session,
 * "provision":JWS, read and verified as far as that needs no
 * books (doc/protocol.md, The purse). */
#ifndef TP_PURSE_PAYING_H
#define TP_PURSE_PAYING_H

#include "order/certificate.h"
#include "purse/book.h"

struct paying {             /* begins as {0} */
    struct payment payment; /* borrows from the texts */
    char *statement, *challenge;
    struct provision provision; /* by.statement NULL: none came */
    char *provision_text;
};

/* PURSE_NEW: for the books to decide, payment.found is what its order is; else PURSE_MALFORMED,
 * PURSE_SIGNATURE, PURSE_CHALLENGE, PURSE_FAULT, and why (*e). paying_free after any. */
enum purse_verdict paying_read(struct paying *out, struct span body,
                               const struct order_authority *authority, const char *acquirer,
                               time_t now, struct tp_error *e);
/* What a statement that has a counter says of account, key, counter, amount, currency. */
void paying_of_statement(struct payment *out, const struct purse_statement *s, const char *jws);
void paying_free(struct paying *p);

#endif
