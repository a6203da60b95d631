/* The books worked out again from what was signed: every account's keys, payment and transfer, and
 * whether all that came in is somewhere. */
#ifndef TP_PURSE_AUDIT_H
#define TP_PURSE_AUDIT_H

#include "order/certificate.h"
#include "purse/book.h"

/* Says every fault (base/log.h) and counts them. */
TP_MUST_CHECK enum tp_err purse_audit(struct book *b, const struct order_authority *authority,
                                      size_t *faults, struct tp_error *e);

#endif
