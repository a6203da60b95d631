/* What is given back: a mediator's demand for what was paid. */
#include <stdlib.h>
#include <string.h>

#include "base/money.h"
#include "purse/desk.h"

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
