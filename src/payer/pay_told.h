/* What is told of a payment, or a refund, that has ended: `pay` and `refund`. */
#ifndef TP_PAYER_PAY_TOLD_H
#define TP_PAYER_PAY_TOLD_H

#include <jansson.h>

#include "payer/pay.h"

/* The error, if there is one, on stderr; receipt or JSON on stdout. replay: taken, into the JSON;
 * NULL: none. */
void pay_tell(const struct pay_result *result, bool json, json_t *replay);

/* After the last word: frees; the exit code. */
int pay_end(struct pay_result *result);

#endif
