/* What a card paid for, into an account. */
#include <stdlib.h>
#include <string.h>

#include "purse/desk.h"
#include "purse/record.h"

static bool is_same(const struct filled *was, const struct booking *what)
{
    return strcmp(was->account, what->account) == 0 && was->amount == what->amount &&
           span_eq(was->evidence, what->evidence);
}

static enum purse_verdict judge(const struct account *a, const struct booking *what,
                                const struct purse_currency *limits)
{
    if (a->state == ACCOUNT_CLOSED)
        return PURSE_ACCOUNT_CLOSED;
    if (limits == NULL || a->currency != what->currency)
        return PURSE_CURRENCY;
    return what->amount > limits->balance - a->balance ? PURSE_FULL : PURSE_NEW;
}

static enum tp_err sign_and_book(struct desk *d, const struct booking *what, int64_t *number,
                                 time_t now, struct tp_error *e)
{
    struct booking booked = *what;
    char *record = NULL;
    enum tp_err r;

    booked.at = now;
    r = record_write(&record, &booked, d->key, e);
    if (r == TP_OK) {
        booked.record = span_str(record);
        r = book_fill(d->book, &booked, number, e);
    }
    free(record);
    return r;
}

enum tp_err desk_fill(struct desk *d, const struct booking *what, time_t now,
                      enum purse_verdict *verdict, int64_t *number, struct tp_error *e)
{
    struct filled was;
    struct account a;
    bool found = false;
    enum tp_err r = book_filled(d->book, &was, &found, what->reference, e);

    *verdict = PURSE_FAULT;
    if (r == TP_OK && found) {
        *number = was.booking;
        *verdict = is_same(&was, what) ? PURSE_REPEAT : PURSE_ORDER_USED;
        return TP_OK;
    }
    if (r == TP_OK)
        r = book_account_get(d->book, what->account, &a, e);
    if (r == TP_ERR_NOT_FOUND) {
        *verdict = PURSE_UNKNOWN;
        return TP_OK;
    }
    if (r != TP_OK)
        return r;
    *verdict = judge(&a, what, settings_currency(d->settings, what->currency));
    return *verdict == PURSE_NEW ? sign_and_book(d, what, number, now, e) : TP_OK;
}
