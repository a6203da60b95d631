/* What is told of a payment, or a refund, that has ended: `pay` and `refund`. */
#ifndef TP_PAYER_PAY_TOLD_H
#define TP_PAYER_PAY_TOLD_H

#include <jansson.h>

#include "payer/pay.h"
#include "payer/ticket_words.h"

struct told {
    bool json;   /* a report instead of the receipt */
    bool events; /* JSON lines, of which the report is one */
    const struct ticket_wish *ticket;
    json_t *replay; /* into the report; taken. NULL: none */
};

/* The error, if there is one, on stderr; receipt, report or the last events on stdout. */
void pay_tell(const struct pay_result *result, const struct told *how);

/* After the last word: prints the tickets, and frees; the exit code. */
int pay_end(struct pay_result *result, const struct told *how);

#endif
