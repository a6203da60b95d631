/* The payment of an order by an account at a purse: without a card, the account's key signs. */
#include <stdlib.h>

#include "base/date.h"
#include "base/file.h"
#include "base/word.h"
#include "payer/credential.h"
#include "payer/home.h"
#include "payer/pay_order.h"
#include "payer/pay_priv.h"

#define DIGITS 24 /* of a number, with its end */

static enum tp_err purse_prepare(struct payment *p, struct tp_error *e)
{
    const struct pay_order *o = p->options->order;
    char path[PATH_MAX];
    const enum tp_err r = file_join(path, sizeof(path), o->user, HOME_JOURNAL, e);

    p->request.amount = o->demand->amount;
    p->currency = o->demand->currency;
    p->merchant = o->demand->order.merchant;
    return r == TP_OK ? journal_open(&p->journal, path, e) : r;
}

static void fill_receipt(struct payment *p)
{
    const struct demand *d = p->options->order->demand;
    struct receipt *r = &p->result->receipt;
    struct tm now;
    time_t t;

    date_now(&now, &t);
    *r = (struct receipt){.state = PAYMENT_SIGNED,
                          .date = date_of(t),
                          .time = now.tm_hour * 10000 + now.tm_min * 100 + now.tm_sec,
                          .amount = d->amount,
                          .currency = d->currency->numeric,
                          .atc = -1};
    word_cut(r->merchant, sizeof(r->merchant), d->order.merchant);
    snprintf(r->contract, sizeof(r->contract), "%s", d->order.contract);
    snprintf(r->purse, sizeof(r->purse), "%s", p->options->order->purse->acquirer);
}

/* The counter is taken for good before the key signs. */
static enum tp_err take_counter(char out[DIGITS], struct payment *p, struct tp_error *e)
{
    int64_t counter = 0;
    const enum tp_err r = purses_next(&counter, p->journal, p->options->order->purse->acquirer, e);

    snprintf(out, DIGITS, "%lld", (long long)counter);
    return r;
}

static enum tp_err sign_payment(char **jws, struct payment *p, const struct secret *key,
                                struct tp_error *e)
{
    const struct pay_order *o = p->options->order;
    const struct order *order = &o->demand->order;
    char r_text[BASE64URL_SIZE(PAYMENT_R)], counter[DIGITS];
    const struct purse_statement statement = {.account = o->purse->account,
                                              .r = base64url_encode(r_text, SPAN_OF(o->demand->r)),
                                              .order = order->id,
                                              .amount = order->amount,
                                              .currency = order->currency,
                                              .counter = counter};
    const enum tp_err r = take_counter(counter, p, e);

    return r == TP_OK ? purse_statement_write(jws, PURSE_PAYMENT, &statement, key->p, e) : r;
}

/* Of a session's vouchers the next: each says all that was bought of the merchant in it. */
static enum tp_err sign_voucher(char **jws, struct payment *p, const struct secret *key,
                                struct tp_error *e)
{
    const struct pay_order *o = p->options->order;
    const struct order *order = &o->demand->order;
    char r_text[BASE64URL_SIZE(PAYMENT_R)], sum[DIGITS], number[DIGITS];
    const struct purse_statement statement = {.account = o->purse->account,
                                              .session = o->session->session,
                                              .contract = order->contract,
                                              .sum = sum,
                                              .number = number,
                                              .currency = order->currency,
                                              .r = base64url_encode(r_text, SPAN_OF(o->demand->r)),
                                              .order = order->id};
    struct voucher_place place = {0};
    const enum tp_err r =
        voucher_next(&place, p->journal, o->session, order->contract, o->demand->amount, e);

    snprintf(sum, sizeof(sum), "%lld", (long long)place.sum);
    snprintf(number, sizeof(number), "%lld", (long long)place.number);
    return r == TP_OK ? purse_statement_write(jws, PURSE_VOUCHER, &statement, key->p, e) : r;
}

/* The session that is wanted, if one is, begins with this payment; kept before it leaves. */
static enum tp_err sign_provision(char **jws, struct payment *p, const struct secret *key,
                                  struct tp_error *e)
{
    const struct pay_order *o = p->options->order;
    const struct demand *d = o->demand;
    struct provision wanted;
    char amount[DIGITS], counter[DIGITS], until[TIME_TEXT_MAX], currency[4];
    const struct purse_statement statement = {
        .acquirer = o->purse->acquirer,
        .account = o->purse->account,
        .mediator = wanted.mediator,
        .session = wanted.session,
        .amount = amount,
        .currency = currency_small(currency, (unsigned)o->purse->currency),
        .until = until,
        .counter = counter};
    enum tp_err r = provisions_wanted(&wanted, p->journal, o->purse->acquirer, e);

    if (r != TP_OK)
        return r == TP_ERR_NOT_FOUND ? TP_OK : r;
    r = take_counter(counter, p, e);
    if (r != TP_OK)
        return r;
    wanted.until = time(NULL) + wanted.hours * 3600;
    snprintf(amount, sizeof(amount), "%lld", (long long)wanted.amount);
    snprintf(wanted.mediator, sizeof(wanted.mediator), "%s", d->order.mediator);
    snprintf(wanted.origin, sizeof(wanted.origin), "%s", d->origin);
    (void)time_format_utc(until, (time_t)wanted.until);
    r = purse_statement_write(jws, PURSE_PROVISION, &statement, key->p, e);
    if (r != TP_OK)
        return r;
    snprintf(wanted.statement, sizeof(wanted.statement), "%s", *jws);
    return provisions_sign(p->journal, &wanted, e);
}

/* What pays, and beside it what a session begins with: signed and kept. */
static enum tp_err sign_and_keep(struct payment *p, const struct secret *key, struct tp_error *e)
{
    const struct pay_order *o = p->options->order;
    struct credential_parts parts = {.demand = o->demand, .claim = o->claim};
    json_t *secret = NULL;
    char *payment = NULL, *provision = NULL;
    enum tp_err r = (o->session != NULL ? sign_voucher : sign_payment)(&payment, p, key, e);

    if (r == TP_OK && o->session == NULL)
        r = sign_provision(&provision, p, key, e);
    parts.payment = payment;
    parts.provision = provision;
    if (r == TP_OK)
        r = credential_make(&secret, &parts, e);
    if (r == TP_OK) {
        fill_receipt(p);
        r = pay_order_keep(p, secret, payment, false, e);
    }
    free(payment);
    free(provision);
    return r;
}

/* In one transaction: another telepay signs no voucher of the same number, and begins no session
 * with what this one does. The key is unlocked before it, since its code may be asked for. */
static enum tp_err purse_sign(struct payment *p, struct tp_error *e)
{
    const struct pay_order *o = p->options->order;
    struct secret key = {0};
    enum tp_err r = purses_unlock(&key, o->device, o->purse, e);

    if (r == TP_OK) {
        r = orders_begin(p->journal, e);
        if (r == TP_OK)
            r = sign_and_keep(p, &key, e);
        r = orders_end(p->journal, r, e);
    }
    secret_free(&key);
    if (r == TP_OK) {
        p->result->has_receipt = true;
        pay_go_on(p, PAY_KEPT);
    }
    return r;
}

const struct pay_way pay_by_purse = {
    .prepare = purse_prepare,
    .agree = pay_order_agree,
    .sign = purse_sign,
    .deliver = pay_order_deliver,
    .kept =
        "YOUR KEY HAS SIGNED: do not pay again. The purse has not acknowledged yet; the payment "
        "is kept, and the next `telepay get`, or `telepay order send`, sends it",
};
