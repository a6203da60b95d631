/* A payment proved from its evidence alone: who signed which order, and what the purse answered.
 * Needs no books. */
#ifndef TP_PURSE_PROOF_H
#define TP_PURSE_PROOF_H

#include "order/proof.h"
#include "order/purse_token.h"
#include "purse/book.h"

/* {"keys":[JWS…],"challenge":{…},"payment":JWS,"acknowledgement":JWS}, and "reversal":JWS when it
 * was given back: the statements that gave the account its keys, the first one first, and what is
 * kept of the payment (json_decref). */
TP_MUST_CHECK enum tp_err purse_evidence(json_t **out, struct book *b, const struct kept *k,
                                         struct tp_error *e);

struct purse_proof { /* begins as {0} */
    struct order_proof order;
    struct purse_statement statement;
    size_t key, keys;            /* signed by which of how many, from 1 */
    struct purse_token reversal; /* owner NULL: it was not given back */
};

/* TP_ERR_FORMAT: it cannot be read; TP_ERR_SECURITY with what does not hold. purse_proof_free after
 * an error too. */
TP_MUST_CHECK enum tp_err purse_proof_read(struct purse_proof *out, const json_t *evidence,
                                           const struct order_authority *authority,
                                           struct tp_error *e);
void purse_proof_free(struct purse_proof *p);

/* Whether the statements (a list of JWS) gave that account its keys at that purse, one after the
 * other; the last key comes out, and which of them `look` is (0: none; look NULL: not asked). */
TP_MUST_CHECK enum tp_err purse_keys_read(uint8_t last[ED25519_KEY], size_t *found,
                                          const json_t *statements, const char *acquirer,
                                          const char *account, const uint8_t *look,
                                          struct tp_error *e);

/* The list for purse_keys_read (json_decref). */
TP_MUST_CHECK enum tp_err purse_keys(json_t **out, struct book *b, const char *account,
                                     struct tp_error *e);

#endif
