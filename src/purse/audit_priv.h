/* What the files of the audit share. */
#ifndef TP_PURSE_AUDIT_PRIV_H
#define TP_PURSE_AUDIT_PRIV_H

#include "base/progress.h"
#include "order/certificate.h"
#include "purse/book.h"

struct audit {
    struct book *book;
    const struct order_authority *authority;
    char acquirer[BOOK_ID];
    size_t faults;
    struct progress progress;
    uint64_t checked;
};

/* What is wrong with the books is counted; what keeps from looking ends it. */
TP_MUST_CHECK enum tp_err audit_count(struct audit *a, enum tp_err r, const char *what,
                                      const char *which, const struct tp_error *found,
                                      struct tp_error *e);
/* Whether the key was ever the account's. TP_ERR_SECURITY. */
TP_MUST_CHECK enum tp_err audit_signer(const struct audit *a, const char *account,
                                       const uint8_t key[ED25519_KEY], struct tp_error *e);

/* Provisions, vouchers. */
TP_MUST_CHECK enum tp_err audit_sessions(struct audit *a, struct tp_error *e);

#endif
