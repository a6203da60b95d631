/* A remise: what is collected for a contract in a day, as the books of an acquirer or a purse have
 * it on its way to the centre. */
#ifndef TP_COLLECT_REMISE_H
#define TP_COLLECT_REMISE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/err.h"

#define CONTRACT_ID_MAX 16 /* DE 42: 15 and a zero */

enum remise_state {
    REMISE_OPEN,
    REMISE_CLOSED,
    REMISE_SUBMITTED,
    REMISE_COLLECTED,
    REMISE_REJECTED
};
const char *remise_state_name(enum remise_state s); /* "open", "closed", … */

struct remise_totals {                   /* per currency there is one contract, so one line */
    uint32_t debits, credits, reversals; /* counts; reversals are not in the others */
    int64_t debit_amount, credit_amount, reversal_amount;
};

struct remise {
    char contract[CONTRACT_ID_MAX];
    uint32_t number; /* from 1, without a gap per contract */
    enum remise_state state;
    uint16_t currency;
    struct remise_totals totals; /* frozen at close; running while open */
    time_t opened, closed, submitted, settled;
    uint8_t content_hash[32]; /* SHA-256 of the document as first sent; zeros before */
    uint32_t attempts;
    char outcome[120]; /* the centre's word */
    int day;           /* business day YYYYMMDD, fixed by the close; 0 while open */
};
typedef enum tp_err remise_visit(void *ctx, const struct remise *r, struct tp_error *e);

struct remise_refusal { /* of one item, by the centre */
    uint32_t sequence;
    char reason[80];
};

/* What the centre takes of it: nothing before it is collected. */
void remise_paid(struct remise_totals *paid, const struct remise *r,
                 const struct remise_totals *refused);

/* In the order of their sequence, each once (free()); TP_ERR_RANGE when one is named twice. NULL of
 * none. */
TP_MUST_CHECK enum tp_err remise_refusals_sort(struct remise_refusal **out,
                                               const struct remise_refusal *refused, size_t n,
                                               struct tp_error *e);

/* Whether it may be sent (again) with that content: TP_ERR_STATE when it is open or settled,
 * TP_ERR_EXISTS when the first attempt had other bytes. */
TP_MUST_CHECK enum tp_err remise_may_submit(const struct remise *r, const uint8_t hash[32],
                                            struct tp_error *e);
/* Whether it may become settled so; *again when it is so already. TP_ERR_STATE. */
TP_MUST_CHECK enum tp_err remise_may_settle(const struct remise *r, enum remise_state as,
                                            bool *again, struct tp_error *e);

#endif
