/* What can be proved of an order that a voucher paid, without asking anybody: that this challenge
 * bears this order, that the account's key signed the voucher for it, and that the mediator took
 * it. */
#ifndef TP_PAYER_VOUCHER_PROOF_H
#define TP_PAYER_VOUCHER_PROOF_H

#include "order/order.h"
#include "order/purse_token.h"
#include "wire/payment_challenge.h"

struct voucher_proof { /* begins as {0} */
    struct order order;
    struct purse_token said; /* by the mediator */
};

/* TP_ERR_FORMAT, TP_ERR_RANGE, TP_ERR_SECURITY, TP_ERR_TIMEOUT. voucher_proof_free after an error
 * too. */
TP_MUST_CHECK enum tp_err voucher_proof_read(struct voucher_proof *out,
                                             const struct payment_challenge *challenge,
                                             const char *voucher, const char *acknowledgement,
                                             const struct order_authority *authority,
                                             struct tp_error *e);
void voucher_proof_free(struct voucher_proof *p);

#endif
