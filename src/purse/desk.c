#include "purse/desk.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "order/acknowledgement.h"

/* ---- judging ---- */

enum purse_verdict purse_judge_signer(const struct standing *st, const struct payment *p)
{
    if (!st->known)
        return PURSE_UNKNOWN;
    if (memcmp(st->key, p->key, sizeof(st->key)) != 0)
        return PURSE_KEY;
    if (st->counted)
        return PURSE_COUNTER_USED;
    return p->counter <= st->counter - COUNTER_WINDOW ? PURSE_COUNTER_OLD : PURSE_NEW;
}

static enum purse_verdict judge_order(const struct standing *st, const struct payment *p)
{
    if (p->found != PURSE_NEW)
        return p->found;
    if (!st->mediator || !st->contract)
        return PURSE_ORDER_OTHER;
    if (!st->mediator_open)
        return PURSE_MEDIATOR_CLOSED;
    if (!st->contract_open)
        return PURSE_CONTRACT_CLOSED;
    return st->paid ? PURSE_ORDER_USED : PURSE_NEW;
}

static enum purse_verdict judge_amount(const struct standing *st, const struct payment *p,
                                       const struct purse_currency *limits)
{
    if (st->state == ACCOUNT_STOPPED)
        return PURSE_STOPPED;
    if (st->state == ACCOUNT_CLOSED)
        return PURSE_ACCOUNT_CLOSED;
    if (limits == NULL || p->currency != st->currency || p->currency != st->contract_currency)
        return PURSE_CURRENCY;
    if (p->amount > p->ceiling)
        return PURSE_ORDER_CEILING;
    if (p->amount > limits->payment)
        return PURSE_LIMIT_PAYMENT;
    if (p->amount > limits->day - st->spent)
        return PURSE_LIMIT_DAY;
    return p->amount > st->balance ? PURSE_BALANCE : PURSE_NEW;
}

enum purse_verdict purse_judge_refusals(const struct standing *st, enum purse_verdict v)
{
    return v != PURSE_NEW && purse_verdict_row(v)->final &&
                   st->refused >= (st->filled ? REFUSALS_A_DAY : REFUSALS_NEW)
               ? PURSE_REFUSALS
               : v;
}

enum purse_verdict purse_judge(const struct standing *st, const struct payment *p,
                               const struct purse_currency *limits)
{
    enum purse_verdict v = purse_judge_signer(st, p);

    if (v == PURSE_NEW)
        v = judge_order(st, p);
    if (v == PURSE_NEW)
        v = judge_amount(st, p, limits);
    return purse_judge_refusals(st, v);
}

/* ---- answering ---- */

struct payment_answer payment_refused(enum purse_verdict verdict)
{
    const struct purse_verdict_row *row = purse_verdict_row(verdict);
    struct payment_answer a = {.acknowledgement = NULL};

    snprintf(a.code, sizeof(a.code), "%s", row->code);
    snprintf(a.reason, sizeof(a.reason), "%s", row->reason);
    return a;
}

void payment_answer_free(struct payment_answer *a)
{
    free(a->acknowledgement);
    free(a->provision);
    *a = (struct payment_answer){.acknowledgement = NULL};
}

static enum tp_err sign(struct payment_answer *a, const struct desk *d, const struct payment *p,
                        time_t now, struct tp_error *e)
{
    char payment[PURSE_HASH], amount[24], currency[4], when[TIME_TEXT_MAX];
    const struct acknowledgement said = {
        .r = p->r,
        .order = p->order,
        .contract = p->contract,
        .amount = amount,
        .currency = currency,
        .reference = a->number,
        .code = a->code,
        .reason = a->reason[0] != '\0' ? a->reason : NULL,
        .outcome = strcmp(a->code, "00") == 0 ? "acknowledged" : "refused",
        .at = time_format_utc(when, now),
        .payment = payment,
    };
    const enum tp_err r = purse_statement_hash(payment, p->statement, e);

    if (r != TP_OK)
        return r;
    snprintf(amount, sizeof(amount), "%" PRId64, p->amount);
    currency_small(currency, p->currency);
    return acknowledgement_write(&a->acknowledgement, &said, d->key, e);
}

static enum tp_err decide(struct desk *d, const struct payment *p, time_t now,
                          struct payment_answer *out, struct tp_error *e)
{
    struct standing st;
    int64_t number = 0;
    enum purse_verdict v;
    enum tp_err r = book_standing(d->book, &st, p, now, e);

    if (r != TP_OK)
        return r;
    v = purse_judge(&st, p, settings_currency(d->settings, p->currency));
    *out = payment_refused(v);
    if (!purse_verdict_row(v)->final)
        return TP_OK;
    r = book_next(d->book, &number, e);
    payment_number(out->number, number);
    if (r == TP_OK)
        r = sign(out, d, p, now, e);
    return r == TP_OK ? book_keep(d->book, p, &st, number, out, now, e) : r;
}

enum tp_err desk_pay(struct desk *d, const struct payment *p, time_t now,
                     struct payment_answer *out, struct tp_error *e)
{
    bool found = false;
    enum tp_err r;

    *out = (struct payment_answer){.acknowledgement = NULL};
    r = book_answered(d->book, out, &found, p, e);
    return r == TP_OK && !found ? decide(d, p, now, out, e) : r;
}
