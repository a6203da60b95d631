#include "payer/listen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/log.h"
#include "base/text.h"
#include "wire/jcs.h"

#define LEAD_MS 5000 /* before its unit begins it is bought, or half a unit before it */
#define STILL_MS                                                                                   \
    30000 /* of silence, or a whole unit where that is more, after which nothing is bought */
#define LOOK_S  15
#define WAIT_TO "?wait=10&seen=acknowledged"
#define MS      1000

enum tp_err listen_begin(struct listening *l, struct checkout *c, const struct pay_options *pay,
                         const struct demand *demand, const struct kept_order *root, bool verbose,
                         struct tp_error *e)
{
    const struct fetch_options how = {.cacert = c->options->cacert, .verbose = verbose};

    *l = (struct listening){.checkout = c, .pay = pay, .root = root};
    if (demand->order.per == NULL)
        return TP_OK;
    l->began = demand->order;
    l->per = MS * strtoll(demand->order.per, NULL, 10);
    l->units = 1;
    return fetch_new(&l->fetch, &how, e);
}

void listen_heard(struct listening *l)
{
    if (l->per == 0)
        return;
    l->last = time_monotonic_ms();
    if (l->since == 0)
        l->since = l->last;
}

static void stop(struct listening *l, const struct tp_error *e)
{
    l->over = true;
    snprintf(l->why, sizeof(l->why), "%.199s", e->text);
}

/* ---- what becomes of what is paid ---- */

static void keep(struct listening *l, struct kept_order *o)
{
    struct tp_error e = {TP_OK, ""};

    if (orders_update(l->checkout->journal, o, &e) != TP_OK)
        log_error("order %s: %s", o->order, e.text);
    kept_order_free(o);
    *o = (struct kept_order){0};
}

/* Its unit has begun, since the one after it is sold. */
static void begun(struct listening *l)
{
    if (l->ahead.id == 0)
        return;
    l->ahead.delivered = true;
    keep(l, &l->ahead);
}

/* ---- the next unit ---- */

/* The same again as what was agreed to, by a session, and no more than may be paid in all. */
static enum tp_err check_next(const struct listening *l, const struct demand *d, const char *url,
                              struct tp_error *e)
{
    const struct receipt *first = &l->root->ticket;
    const struct plan_limit *up_to = &l->checkout->options->up_to;
    const enum tp_err r = demand_is_for(d, "POST", url, NULL, e);

    if (r != TP_OK)
        return r;
    if (d->amount != first->amount || d->currency->numeric != first->currency ||
        d->order.per == NULL || strcmp(d->order.per, l->began.per) != 0 ||
        strcmp(d->order.merchant, l->began.merchant) != 0 ||
        strcmp(d->order.item, l->began.item) != 0)
        return tp_fail(e, TP_ERR_SECURITY,
                       "its next unit is not demanded as the one that began it");
    if (!demand_is_in_session(d))
        return tp_fail(e, TP_ERR_CANCELLED,
                       "no open session pays its next unit (telepay session start)");
    if (up_to->currency != NULL && up_to->currency->numeric == first->currency &&
        first->amount * (l->units + 1) > up_to->amount)
        return tp_fail(e, TP_ERR_CANCELLED, "--up-to allows no more");
    return TP_OK;
}

static enum tp_err read_next(struct listening *l, struct demand *d, const char *url,
                             struct tp_error *e)
{
    struct payment_offers offers = {0};
    enum tp_err r;

    if (fetch_status(l->fetch) != 402)
        return tp_fail(e, TP_ERR_PEER, "its next unit is not sold (%ld)", fetch_status(l->fetch));
    r = submit_offers(&offers, l->fetch, e);
    if (r == TP_OK)
        r = checkout_choose(l->checkout, d, &offers, NULL, e);
    if (r == TP_OK)
        r = check_next(l, d, url, e);
    payment_offers_free(&offers);
    return r;
}

static enum tp_err pay_next(struct listening *l, struct demand *d, struct tp_error *e)
{
    struct pay_order order = {.demand = d, .content = true};
    struct pay_result result;
    enum tp_err r = checkout_allows(l->checkout, d, e);

    if (r != TP_OK)
        return r;
    checkout_pay(l->checkout, &order, l->pay, &result);
    r = result.error.code;
    *e = result.error;
    if (r == TP_OK && result.exit != CLI_DONE)
        r = tp_fail(e, TP_ERR_CANCELLED, "%s", result.receipt.reason);
    if (r == TP_OK) {
        begun(l);
        l->units++;
        r = orders_find(l->checkout->journal, order.kept.order, &l->ahead, e);
    }
    pay_result_free(&result);
    pay_order_free(&order);
    return r;
}

/* The checkout's own fetch is busy with the stream. */
static void buy_next(struct listening *l)
{
    char url[DEMAND_ORIGIN + 64];
    const struct fetch_request request = {.url = url, .method = "POST", .seconds = LOOK_S};
    struct fetch *busy = l->checkout->submitter.fetch;
    struct demand d = {0};
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    snprintf(url, sizeof(url), "%s/orders/%s/next", l->root->origin, l->root->order);
    l->checkout->submitter.fetch = l->fetch;
    r = fetch_send(l->fetch, &request, &e);
    if (r == TP_OK)
        r = read_next(l, &d, url, &e);
    if (r == TP_OK)
        r = pay_next(l, &d, &e);
    l->checkout->submitter.fetch = busy;
    demand_free(&d);
    if (r != TP_OK)
        stop(l, &e);
}

void listen_tick(struct listening *l)
{
    const int64_t lead = l->per / 2 < LEAD_MS ? l->per / 2 : LEAD_MS,
                  still = l->per > STILL_MS ? l->per : STILL_MS, now = time_monotonic_ms();
    struct tp_error e;

    if (l->since == 0 || l->over || now < l->since + l->per * l->units - lead)
        return;
    if (now - l->last <= still) {
        buy_next(l);
    } else {
        (void)tp_fail(&e, TP_ERR_TIMEOUT, "nothing of it comes any more, and nothing more is paid");
        stop(l, &e);
    }
}

/* ---- its end ---- */

/* The mediator says what became of what was bought last: it is delivered, or given back. */
static void settle_ahead(struct listening *l)
{
    char url[DEMAND_ORIGIN + 96];
    const struct fetch_request request = {.url = url, .seconds = LOOK_S};
    const struct submit_answer back = {.outcome = SUBMIT_REVERSED};
    const char *state = NULL;
    json_t *said = NULL;

    if (l->ahead.id == 0)
        return;
    snprintf(url, sizeof(url), "%s/orders/%s" WAIT_TO, l->ahead.origin, l->ahead.order);
    if (fetch_send(l->fetch, &request, NULL) == TP_OK && fetch_status(l->fetch) == 200 &&
        jcs_read(&said, fetch_body(l->fetch), NULL) == TP_OK &&
        jcs_text(&state, said, "state", NULL) == TP_OK && state != NULL) {
        if (strcmp(state, "reversed") == 0) {
            submit_settle(&l->ahead, &back);
            l->units--;
        }
        l->ahead.delivered = strcmp(state, "delivered") == 0;
    }
    json_decref(said);
    keep(l, &l->ahead);
}

void listen_end(struct listening *l, bool silent)
{
    char amount[MONEY_TEXT_MAX];

    if (l->root != NULL && l->since > 0) {
        const struct receipt *t = &l->root->ticket;

        settle_ahead(l);
        if (!silent)
            log_note(ngettext("%u unit of %s s: %s %s to %s%s%s",
                              "%u units of %s s: %s %s to %s%s%s", l->units),
                     l->units, l->began.per, money_shown(amount, t->amount * l->units, t->currency),
                     currency_shown(t->currency), t->merchant, l->why[0] != '\0' ? "; " : "",
                     l->why);
    }
    fetch_free(&l->fetch);
    kept_order_free(&l->ahead);
}
