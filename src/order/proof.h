/* What can be proved of a payment without asking anybody: that this challenge bears this order, and
 * that the acquirer acknowledged the one by the other. */
#ifndef TP_ORDER_PROOF_H
#define TP_ORDER_PROOF_H

#include "order/acknowledgement.h"
#include "order/order.h"
#include "wire/payment_challenge.h"

struct order_proof { /* begins as {0} */
    struct order order;
    struct acknowledgement acknowledgement;
    uint8_t r[PAYMENT_R]; /* what the card or the device has to have signed */
};

/* From the challenge's wire strings to R, to the order within its request, to the acknowledgement.
 * The order must have been valid when the acquirer signed. A refusal can be proved too: see
 * acknowledgement_is_positive. TP_ERR_FORMAT, TP_ERR_RANGE, TP_ERR_SECURITY, TP_ERR_TIMEOUT.
 * order_proof_free after an error too. */
TP_MUST_CHECK enum tp_err order_proof_read(struct order_proof *out,
                                           const struct payment_challenge *challenge,
                                           const char *acknowledgement,
                                           const struct order_authority *authority,
                                           struct tp_error *e);
void order_proof_free(struct order_proof *p);

#endif
