/* What the kernel found out about a card and a payment, as JSON for --json. Card number, tracks and
 * the like are masked as in a trace. */
#ifndef TP_PAYER_REPORT_H
#define TP_PAYER_REPORT_H

#include <jansson.h>

#include "kernel/kernel.h"

/* {application, outcome, reason, authentication, verification, tvr, tsi, data}: a new object.
 * TP_ERR_NO_MEMORY. */
TP_MUST_CHECK enum tp_err report_transaction(json_t **out, const struct transaction *tx);

/* Prints a document on stdout, takes it. */
TP_MUST_CHECK enum tp_err report_print(json_t *document);

/* The same as one line, for programs that read line by line. */
TP_MUST_CHECK enum tp_err report_line(json_t *document);

/* One line: {"event": event, …more}; more is taken, NULL: none. What cannot be written is no reason
 * to end a payment. */
void report_event(const char *event, json_t *more);

#endif
