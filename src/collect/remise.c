#include "collect/remise.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

const char *remise_state_name(enum remise_state s)
{
    static const char *const names[] = {"open", "closed", "submitted", "collected", "rejected"};

    return (unsigned)s < sizeof(names) / sizeof(names[0]) ? names[s] : "unknown";
}

void remise_paid(struct remise_totals *paid, const struct remise *r,
                 const struct remise_totals *refused)
{
    *paid = (struct remise_totals){.debits = 0};
    if (r->state != REMISE_COLLECTED)
        return;
    paid->debits = r->totals.debits - refused->debits;
    paid->debit_amount = r->totals.debit_amount - refused->debit_amount;
    paid->credits = r->totals.credits - refused->credits;
    paid->credit_amount = r->totals.credit_amount - refused->credit_amount;
}

/* ---- refused items ---- */

static int by_sequence(const void *a, const void *b)
{
    const uint32_t x = ((const struct remise_refusal *)a)->sequence,
                   y = ((const struct remise_refusal *)b)->sequence;

    return x < y ? -1 : x > y ? 1 : 0;
}

enum tp_err remise_refusals_sort(struct remise_refusal **out, const struct remise_refusal *refused,
                                 size_t n, struct tp_error *e)
{
    struct remise_refusal *sorted;

    *out = NULL;
    if (n == 0)
        return TP_OK;
    sorted = calloc(n, sizeof(*sorted));
    if (sorted == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory for %zu refused items", n);
    memcpy(sorted, refused, n * sizeof(*sorted));
    qsort(sorted, n, sizeof(*sorted), by_sequence);
    for (size_t i = 0; i < n; i++)
        if (sorted[i].sequence == (i == 0 ? 0 : sorted[i - 1].sequence)) {
            (void)tp_fail(e, TP_ERR_RANGE, "the centre refuses item %u, %s", sorted[i].sequence,
                          i == 0 ? _("and items are numbered from 1") : _("and names it twice"));
            free(sorted);
            return TP_ERR_RANGE;
        }
    *out = sorted;
    return TP_OK;
}

/* ---- its way ---- */

static enum tp_err not_in_state(const struct remise *r, const char *wanted, struct tp_error *e)
{
    return tp_fail(e, TP_ERR_STATE, "remise %u of contract %s is %s: %s", r->number, r->contract,
                   remise_state_name(r->state), wanted);
}

enum tp_err remise_may_submit(const struct remise *r, const uint8_t hash[32], struct tp_error *e)
{
    if (r->state != REMISE_CLOSED && r->state != REMISE_SUBMITTED)
        return not_in_state(r, "only a closed one that is not settled is submitted", e);
    if (r->attempts > 0 && memcmp(r->content_hash, hash, sizeof(r->content_hash)) != 0)
        return tp_fail(e, TP_ERR_EXISTS,
                       "remise %u of contract %s would not be sent with the bytes of its first "
                       "attempt: run audit",
                       r->number, r->contract);
    return TP_OK;
}

enum tp_err remise_may_settle(const struct remise *r, enum remise_state as, bool *again,
                              struct tp_error *e)
{
    *again = r->state == as;
    return *again || r->state == REMISE_SUBMITTED
               ? TP_OK
               : not_in_state(r, "only a submitted one is settled", e);
}
