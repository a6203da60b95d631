/* A day of this terminal against the acquirer's books (0500): doc/protocol.md, Reconciliation. */
#ifndef TP_PAYER_DAY_H
#define TP_PAYER_DAY_H

#include "payer/deliver.h"

struct day_totals {
    uint64_t debits, credits;
    int64_t debit_amount, credit_amount; /* minor units */
};

struct day {
    int date; /* YYYYMMDD, local */
    struct day_totals here, there;
    int64_t waiting; /* payments of that day of which the acquirer has not yet said what became */
    bool balanced;   /* as the acquirer says, and as they are */
};

/* What the journal has of the day: what is acknowledged, and not reversed. */
TP_MUST_CHECK enum tp_err day_sum(struct day *d, struct journal *j, struct tp_error *e);

/* Asks the acquirer. TP_ERR_PEER, TP_ERR_TIMEOUT, TP_ERR_SECURITY, TP_ERR_CANCELLED. */
TP_MUST_CHECK enum tp_err day_ask(struct day *d, struct deliverer *link, const struct terminal *t,
                                  unsigned stan, time_t now, struct tp_error *e);

#endif
