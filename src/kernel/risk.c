/* Terminal risk management: EMV 4.4 Book 3, 10.6. */
#include "kernel/kernel_priv.h"

#include <openssl/rand.h>

/* Below the threshold the target itself; from there to the floor limit it grows evenly to the
 * maximum (10.6.2). */
unsigned risk_target_percent(const struct terminal_application *app, int64_t amount)
{
    const int64_t threshold = app->threshold, floor = app->floor_limit;
    const int64_t target = app->random_target, most = app->random_target_max;

    if (amount >= floor)
        return 0; /* goes online anyhow */
    if (amount < threshold || most <= target)
        return (unsigned)target;
    return (unsigned)(target + (most - target) * (amount - threshold) / (floor - threshold));
}

/* A number from 1 to 99, each as likely: bytes of 198 and more are thrown away. */
static enum tp_err random_percent(struct transaction *tx, unsigned *out)
{
    for (unsigned i = 0; i < 100; i++) {
        uint8_t b;

        if (RAND_bytes(&b, 1) != 1)
            break;
        if (b < 198) {
            *out = b % 99U + 1;
            return TP_OK;
        }
    }
    return tp_fail(tx->e, TP_ERR_INTERNAL, "the source of random numbers fails");
}

static enum tp_err random_selection(struct transaction *tx)
{
    const unsigned percent = risk_target_percent(tx->selected.app, tx->request->amount);
    unsigned drawn = 0;
    enum tp_err r;

    if (percent == 0 || terminal_offline_only(tx->config))
        return TP_OK;
    r = random_percent(tx, &drawn);
    if (r == TP_OK && drawn <= percent)
        tvr_set(tx, TVR_RANDOM);
    return r;
}

static enum tp_err counter(struct transaction *tx, uint32_t tag, bool *has, unsigned *value)
{
    struct span got;
    enum tp_err r = command_get_data(tx, tag, 2, &got);

    *has = r == TP_OK && got.n == 2;
    if (!*has)
        return r;
    *value = (unsigned)(got.p[0] << 8 | got.p[1]);
    return data_put(tx, tag, FROM_CARD, got);
}

/* The upper limit is looked at only over the lower one. known: the counters make sense. */
static void judge_velocity(struct transaction *tx, bool known, unsigned since, uint8_t lower,
                           uint8_t upper)
{
    if (!known || since > lower) {
        tvr_set(tx, TVR_LOWER_LIMIT);
        if (!known || since > upper)
            tvr_set(tx, TVR_UPPER_LIMIT);
    }
}

/* 10.6.3: only for a card that has both limits. Without usable counters both count as exceeded. */
static enum tp_err velocity(struct transaction *tx)
{
    const struct span lower = data_get(tx, TAG_LOWER_OFFLINE),
                      upper = data_get(tx, TAG_UPPER_OFFLINE);
    bool has_atc = false, has_last = false;
    unsigned atc = 0, last = 0;
    enum tp_err r;

    if (lower.n != 1 || upper.n != 1)
        return TP_OK;
    r = counter(tx, TAG_ATC, &has_atc, &atc);
    if (r == TP_OK)
        r = counter(tx, TAG_LAST_ONLINE_ATC, &has_last, &last);
    if (r != TP_OK)
        return r;
    if (!has_atc || !has_last)
        tvr_set(tx, TVR_ICC_DATA_MISSING); /* table 35 */
    judge_velocity(tx, has_atc && has_last && atc > last, atc - last, lower.p[0], upper.p[0]);
    if (has_last && last == 0)
        tvr_set(tx, TVR_NEW_CARD);
    return TP_OK;
}

static int pan_sequence(const struct transaction *tx)
{
    const struct span psn = data_get(tx, TAG_PAN_SEQUENCE);

    return psn.n == 1 ? (psn.p[0] >> 4) * 10 + (psn.p[0] & 0x0F) : -1;
}

/* Book 4, 6.3.5: hot cards that the terminal knows of. */
static enum tp_err exception_file(struct transaction *tx)
{
    const struct kernel_memory *m = tx->config->memory;
    bool hit = false;
    enum tp_err r;

    if (m == NULL || m->on_exception_file == NULL)
        return TP_OK;
    r = m->on_exception_file(m->ctx, tx->pan, pan_sequence(tx), &hit);
    if (r != TP_OK)
        return tp_fail(tx->e, r, "the list of cards not to be taken cannot be read: %s",
                       tp_err_text(r));
    if (hit)
        tvr_set(tx, TVR_EXCEPTION_FILE);
    return TP_OK;
}

/* 10.6.1: a sale that is split into several with one card is still one for the floor limit. */
static enum tp_err floor_limit(struct transaction *tx)
{
    const struct kernel_memory *m = tx->config->memory;
    const int64_t limit = tx->selected.app->floor_limit;
    int64_t before = 0;
    enum tp_err r = TP_OK;

    if (m != NULL && m->spent != NULL && tx->request->amount < limit)
        r = m->spent(m->ctx, tx->pan, pan_sequence(tx), tx->request->currency, &before);
    if (r != TP_OK)
        return tp_fail(tx->e, r, "the log of payments cannot be read: %s", tp_err_text(r));
    if (tx->request->amount >= limit || before >= limit - tx->request->amount)
        tvr_set(tx, TVR_FLOOR_LIMIT);
    tx->split = tx->request->amount < limit;
    return TP_OK;
}

/* Always, whatever bit 4 of the AIP's first byte says (10.6): a card does not excuse itself from a
 * floor limit. */
enum tp_err step_risk(struct transaction *tx)
{
    enum tp_err r = exception_file(tx);

    if (r == TP_OK)
        r = floor_limit(tx);
    if (r == TP_OK)
        r = random_selection(tx);
    if (r == TP_OK)
        r = velocity(tx);
    if (tx->request->type == TYPE_REFUND) /* Book 4, 6.5.3; doc/design.md, Terminal */
        tvr_set(tx, TVR_FORCED_ONLINE);
    if (r == TP_OK)
        tsi_set(tx, TSI_TERMINAL_RISK);
    return r;
}
