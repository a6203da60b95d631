/* The payment of an order by an account at a purse: without a card, the account's key signs. */
#include <stdlib.h>

#include "base/date.h"
#include "base/file.h"
#include "base/word.h"
#include "payer/credential.h"
#include "payer/home.h"
#include "payer/pay_order.h"
#include "payer/pay_priv.h"

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
static enum tp_err make_statement(char **jws, struct payment *p, const struct secret *key,
                                  struct tp_error *e)
{
    const struct pay_order *o = p->options->order;
    const struct order *order = &o->demand->order;
    char r_text[BASE64URL_SIZE(PAYMENT_R)], counter_text[24];
    struct purse_statement statement = {.account = o->purse->account,
                                        .r = base64url_encode(r_text, SPAN_OF(o->demand->r)),
                                        .order = order->id,
                                        .amount = order->amount,
                                        .currency = order->currency,
                                        .counter = counter_text};
    int64_t counter = 0;
    const enum tp_err r = purses_next(&counter, p->journal, o->purse->acquirer, e);

    if (r != TP_OK)
        return r;
    snprintf(counter_text, sizeof(counter_text), "%lld", (long long)counter);
    return purse_statement_write(jws, PURSE_PAYMENT, &statement, key->p, e);
}

static enum tp_err purse_sign(struct payment *p, struct tp_error *e)
{
    const struct pay_order *o = p->options->order;
    struct credential_parts parts = {.demand = o->demand, .claim = o->claim};
    struct secret key = {0};
    json_t *secret = NULL;
    char *jws = NULL;
    enum tp_err r = purses_unlock(&key, o->device, o->purse, e);

    if (r == TP_OK)
        r = make_statement(&jws, p, &key, e);
    secret_free(&key);
    parts.payment = jws;
    if (r == TP_OK)
        r = credential_make(&secret, &parts, e);
    if (r == TP_OK) {
        fill_receipt(p);
        r = pay_order_keep(p, secret, jws, false, e);
    }
    if (r == TP_OK) {
        p->result->has_receipt = true;
        pay_go_on(p, PAY_KEPT);
    }
    free(jws);
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
