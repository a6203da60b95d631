/* Accept-Payment, the field in which a client says by which methods and intents it pays
 * (draft-httpauth-payment-02, "Client Payment Preferences"). */
#ifndef TP_WIRE_PAYMENT_ACCEPT_H
#define TP_WIRE_PAYMENT_ACCEPT_H

#include "base/span.h"

#define PAYMENT_ACCEPT "Accept-Payment"

/* How much that method with that intent is liked, in thousandths; 0: not taken. Of the ranges that
 * it is in, the one that names most of it counts, then the one with the greatest weight.
 * TP_ERR_FORMAT when the field is no list of such ranges. */
TP_MUST_CHECK enum tp_err payment_accept(unsigned *weight, struct span field, const char *method,
                                         const char *intent, struct tp_error *e);

#endif
