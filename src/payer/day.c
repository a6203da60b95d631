#include "payer/day.h"

#include <inttypes.h>
#include <stdlib.h>

#include "wire/iso8583.h"

static bool add(void *ctx, const struct journal_day *sum)
{
    struct day *d = ctx;

    if (sum->date != d->date)
        return sum->date > d->date; /* the newest day comes first */
    if (sum->state == PAYMENT_SIGNED || sum->state == PAYMENT_ASKED ||
        sum->state == PAYMENT_TO_REVERSE)
        d->waiting += sum->count;
    if (!payment_counts(sum->state))
        return true;
    d->here.credits += (uint64_t)sum->refunds;
    d->here.debits += (uint64_t)(sum->count - sum->refunds);
    d->here.credit_amount += sum->credits;
    d->here.debit_amount += sum->debits;
    return true;
}

enum tp_err day_sum(struct day *d, struct journal *j, struct tp_error *e)
{
    d->here = (struct day_totals){0};
    d->waiting = 0;
    return journal_days(j, add, d, e);
}

/* DE 97: D when the debits are the larger side (or equal), C when the credits are. */
static void net_text(char out[24], const struct day_totals *t)
{
    const int64_t net = t->debit_amount - t->credit_amount;

    snprintf(out, 24, "%c%016" PRId64, net < 0 ? 'C' : 'D', net < 0 ? -net : net);
}

static enum tp_err pack(struct buf *out, struct iso8583 *m, const struct day *d,
                        const struct terminal_config *k, unsigned stan, time_t now,
                        struct tp_error *e)
{
    char net[24];

    net_text(net, &d->here);
    iso8583_start(m, MTI_RECONCILIATION);
    iso8583_set_instant(m, now);
    iso8583_set_number(m, 11, stan);
    iso8583_set_number(m, 13, (uint64_t)d->date % 10000);
    iso8583_set_text(m, 41, k->terminal_id);
    iso8583_set_text(m, 42, k->merchant_id);
    iso8583_set_number(m, 74, d->here.credits);
    iso8583_set_number(m, 76, d->here.debits);
    iso8583_set_number(m, 86, (uint64_t)d->here.credit_amount);
    iso8583_set_number(m, 88, (uint64_t)d->here.debit_amount);
    iso8583_set_text(m, 97, net);
    return iso8583_pack(out, m, e);
}

static enum tp_err take(struct day *d, const struct iso8583 *m, struct tp_error *e)
{
    uint64_t says = 0, credit_amount = 0, debit_amount = 0;

    if (iso8583_number(m, 66, &says) != TP_OK ||
        iso8583_number(m, 74, &d->there.credits) != TP_OK ||
        iso8583_number(m, 76, &d->there.debits) != TP_OK ||
        iso8583_number(m, 86, &credit_amount) != TP_OK ||
        iso8583_number(m, 88, &debit_amount) != TP_OK)
        return tp_fail(e, TP_ERR_PEER, "the acquirer's answer has no totals");
    d->there.credit_amount = (int64_t)credit_amount;
    d->there.debit_amount = (int64_t)debit_amount;
    d->balanced = says == 1 && d->there.credits == d->here.credits &&
                  d->there.debits == d->here.debits &&
                  d->there.credit_amount == d->here.credit_amount &&
                  d->there.debit_amount == d->here.debit_amount;
    return TP_OK;
}

enum tp_err day_ask(struct day *d, struct deliverer *link, const struct terminal *t, unsigned stan,
                    time_t now, struct tp_error *e)
{
    struct iso8583 *m = calloc(1, sizeof(*m));
    uint8_t room[256];
    struct buf message = BUF_OF(room);
    enum tp_err r;

    if (m == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory to ask the acquirer");
    r = pack(&message, m, d, &t->kernel, stan, now, e);
    if (r == TP_OK)
        r = deliver_question(link, buf_span(&message), m, e);
    if (r == TP_OK)
        r = take(d, m, e);
    free(m);
    return r;
}
