/* What the kernel found out about a card and a payment, as JSON for --json. Card number, tracks and
 * the like are masked as in a trace. */
#ifndef TP_PAYER_REPORT_H
#define TP_PAYER_REPORT_H

#include <jansson.h>

#include "kernel/kernel.h"

/* {application, outcome, reason, authentication, verifications, tvr, tvr_bits, tsi, tsi_bits,
 * data}: a new object. TP_ERR_NO_MEMORY. */
TP_MUST_CHECK enum tp_err report_transaction(json_t **out, const struct transaction *tx);

/* One line: {"event": event, …more}; more is taken, NULL: none. What cannot be written is no reason
 * to end a payment. */
void report_event(const char *event, json_t *more);

#endif
