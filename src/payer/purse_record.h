/* What a purse signs of money that came into an account or went out of it (doc/protocol.md, The
 * purse, Merchants), held to the authorities that the user trusts. */
#ifndef TP_PAYER_PURSE_RECORD_H
#define TP_PAYER_PURSE_RECORD_H

#include "payer/authority.h"
#include "payer/purses.h"

struct purse_record { /* begins as {0} */
    const char *account, *kind, *amount, *currency, *reference, *at;
    json_t *owner; /* of the strings: purse_record_free */
};

/* Reads it: signed by that account's purse, certified by an authority that is trusted, of that
 * account and currency. TP_ERR_SECURITY, TP_ERR_FORMAT, TP_ERR_RANGE. purse_record_free after an
 * error too. */
TP_MUST_CHECK enum tp_err purse_record_read(struct purse_record *out, const char *jws,
                                            const struct purse_account *account,
                                            const struct authorities *authorities,
                                            struct tp_error *e);
void purse_record_free(struct purse_record *r);

#endif
