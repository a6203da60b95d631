/* What is given back: what was paid, on a mediator's demand; what is in an account, to who holds
 * its key. */
#include <stdlib.h>
#include <string.h>

#include "base/money.h"
#include "purse/desk.h"
#include "purse/record.h"

static bool is_of(const struct paid_order *p, const struct purse_token *t, const char *hash)
{
    const struct currency *c = currency_by_alpha(t->currency);

    return strcmp(p->contract, t->contract) == 0 && c != NULL && c->numeric == p->currency &&
           strtoll(t->amount, NULL, 10) == p->amount && strcmp(t->payment, hash) == 0;
}

static enum purse_verdict judge(const struct paid_order *p)
{
    if (p->reversal != 0)
        return PURSE_REPEAT;
    if (!p->mediator_open)
        return PURSE_MEDIATOR_CLOSED;
    if (!p->remise_open)
        return PURSE_REMISE_CLOSED;
    return p->state == ACCOUNT_CLOSED ? PURSE_ACCOUNT_CLOSED : PURSE_NEW;
}

enum tp_err desk_reverse(struct desk *d, const struct purse_token *t, const char *demand,
                         time_t now, struct payment_answer *out, struct tp_error *e)
{
    char hash[PURSE_HASH] = "", *statement;
    struct paid_order p = {.payment = 0};
    bool found = false;
    enum purse_verdict v = PURSE_UNPAID;
    enum tp_err r = book_paid(d->book, &p, &found, t->signer, t->order, e);

    if (r == TP_OK && found) {
        statement = span_text(p.statement);
        r = statement != NULL ? purse_statement_hash(hash, statement, e)
                              : tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
        free(statement);
    }
    if (r == TP_OK && found && is_of(&p, t, hash))
        v = judge(&p);
    if (r == TP_OK && v == PURSE_NEW)
        r = book_next(d->book, &p.reversal, e);
    if (r == TP_OK && v == PURSE_NEW)
        r = book_reverse(d->book, &p, p.reversal, demand, now, e);
    *out = payment_refused(v);
    if (v == PURSE_NEW || v == PURSE_REPEAT)
        payment_number(out->number, p.reversal);
    return r;
}

/* ---- emptying ---- */

static enum purse_verdict judge_emptying(const struct standing *st, const struct payment *p,
                                         int64_t waiting)
{
    enum purse_verdict v = purse_judge_signer(st, p);

    if (v == PURSE_NEW && st->state == ACCOUNT_STOPPED)
        v = PURSE_STOPPED;
    else if (v == PURSE_NEW && st->state == ACCOUNT_CLOSED)
        v = PURSE_ACCOUNT_CLOSED;
    else if (v == PURSE_NEW && p->currency != st->currency)
        v = PURSE_CURRENCY;
    else if (v == PURSE_NEW && waiting >= EMPTYINGS_MAX)
        v = PURSE_EMPTYINGS;
    else if (v == PURSE_NEW && p->amount > st->balance)
        v = PURSE_BALANCE;
    return purse_judge_refusals(st, v);
}

static enum tp_err sign_emptying(struct payment_answer *out, const struct desk *d,
                                 const struct payment *p, time_t now, struct tp_error *e)
{
    struct booking said = {
        .kind = BOOKING_EMPTIED, .amount = p->amount, .currency = p->currency, .at = now};

    memcpy(said.account, p->account, sizeof(said.account));
    memcpy(said.reference, out->number, sizeof(out->number));
    return record_write(&out->acknowledgement, &said, d->key, e);
}

enum tp_err desk_empty(struct desk *d, const struct emptying *m, time_t now,
                       struct payment_answer *out, struct tp_error *e)
{
    struct standing st;
    bool found = false;
    int64_t number = 0, waiting = 0;
    enum purse_verdict v;
    enum tp_err r;

    *out = (struct payment_answer){.acknowledgement = NULL};
    r = book_emptied(d->book, out, &found, &m->by, e);
    if (r != TP_OK || found)
        return r;
    r = book_standing(d->book, &st, &m->by, now, e);
    if (r == TP_OK)
        r = book_emptyings(d->book, m->by.account, &waiting, e);
    if (r != TP_OK)
        return r;
    v = judge_emptying(&st, &m->by, waiting);
    *out = payment_refused(v);
    if (!purse_verdict_row(v)->final)
        return TP_OK;
    r = book_next(d->book, &number, e);
    payment_number(out->number, number);
    if (r == TP_OK && v == PURSE_NEW)
        r = sign_emptying(out, d, &m->by, now, e);
    return r == TP_OK ? book_empty(d->book, m, &st, number, out, now, e) : r;
}
