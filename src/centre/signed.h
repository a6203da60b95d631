/* What an account's key signed of an item, held against it: a payment of an order by its challenge,
 * or a session's voucher (doc/protocol.md, The purse). Whose the key is its purse knows; that it
 * signed this, for this contract, and how often that counts, anybody can tell. */
#ifndef TP_CENTRE_SIGNED_H
#define TP_CENTRE_SIGNED_H

#include "order/purse.h"
#include "wire/caaa.h"

#define SIGNED_WORD 27 /* of a payment its counter, of a voucher its session */

struct signed_item {          /* begins as {0} */
    uint8_t key[ED25519_KEY]; /* that signed it */
    bool found;               /* it did */
    char word[SIGNED_WORD];   /* with the key: what of it counts once */
    int64_t most;             /* of a voucher: so much in all, under its contract; 0: a payment */
};

/* *fault: the word for which the item is refused, NULL for none. An error is the centre's own. */
TP_MUST_CHECK enum tp_err signed_check(struct signed_item *out, const char **fault,
                                       const struct caaa_item *item, const char *contract,
                                       const struct currency *currency, struct tp_error *e);

#endif
