#include "payer/checkout.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "base/word.h"
#include "payer/home.h"

#define RECOVER_S 5 /* of patience, where something else is wanted */

/* Ctrl-C ends the program: what is kept stays kept. */
static bool pauses(void *ctx, int ms)
{
    const struct timespec time = {ms / 1000, ms % 1000 * 1000000L};

    (void)ctx;
    return nanosleep(&time, NULL) == 0;
}

char *checkout_said(char out[CHECKOUT_SAID], const struct checkout_options *o)
{
    const struct {
        const char *name, *value;
    } words[] = {{"--home", o->home}, {"--user", o->user}, {"--cacert", o->cacert}};
    size_t n = 0;

    out[0] = '\0';
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]) && n < CHECKOUT_SAID; i++)
        if (words[i].value != NULL)
            n += (size_t)snprintf(out + n, CHECKOUT_SAID - n, " %s %s", words[i].name,
                                  words[i].value);
    if (n >= CHECKOUT_SAID)
        out[0] = '\0';
    return out;
}

enum tp_err checkout_open(struct checkout *c, const struct checkout_options *options,
                          struct fetch *fetch, struct tp_error *e)
{
    char journal[PATH_MAX];
    enum tp_err r = home_open(c->home, options->home, e);

    c->options = options;
    if (r == TP_OK)
        r = user_name(c->name, c->home, options->user, e);
    if (r == TP_OK)
        r = user_folder(c->user, c->home, c->name, e);
    if (r == TP_OK)
        r = plan_load(&c->plan, c->user, e);
    if (r == TP_OK)
        r = authorities_load(&c->authorities, c->home, e);
    if (r == TP_OK)
        r = file_join(journal, sizeof(journal), c->user, HOME_JOURNAL, e);
    if (r == TP_OK)
        r = journal_open(&c->journal, journal, e);
    c->device =
        (struct device){.folder = c->user, .user = c->name, .code = {.fd = options->code_fd}};
    c->submitter = (struct submitter){.fetch = fetch,
                                      .authorities = &c->authorities,
                                      .patience_s = options->patience_s,
                                      .pause = pauses};
    return r;
}

enum tp_err checkout_begin(struct checkout *c, struct fetch **fetch,
                           const struct checkout_options *options, bool verbose, struct tp_error *e)
{
    const struct fetch_options how = {.cacert = options->cacert, .verbose = verbose};
    const enum tp_err r = fetch_new(fetch, &how, e);

    return r == TP_OK ? checkout_open(c, options, *fetch, e) : r;
}

void checkout_close(struct checkout *c)
{
    device_free(&c->device);
    authorities_free(&c->authorities);
    journal_close(&c->journal);
}

static void tell(void *ctx, const struct kept_order *o)
{
    const struct receipt *t = &o->ticket;
    char amount[MONEY_TEXT_MAX];

    (void)ctx;
    log_note("order %s of %s %s to %s: %s%s%s", o->order,
             money_shown(amount, t->amount, t->currency), currency_shown(t->currency), t->merchant,
             kept_state_name(o->state),
             t->reason[0] != '\0' ? ", "
             : t->rrn[0] != '\0'  ? _(", reference ")
                                  : "",
             t->reason[0] != '\0' ? t->reason : t->rrn);
}

void checkout_recover(const struct checkout_options *options, struct fetch *fetch)
{
    struct checkout c = {0};
    struct tp_error e = {0};
    char home[PATH_MAX], user[PATH_MAX], journal[PATH_MAX];
    enum tp_err r = home_path(home, options->home, &e);

    if (r != TP_OK || user_folder(user, home, options->user, NULL) != TP_OK ||
        file_join(journal, sizeof(journal), user, HOME_JOURNAL, NULL) != TP_OK ||
        access(journal, F_OK) != 0)
        return;
    r = checkout_open(&c, options, fetch, &e);
    if (c.submitter.patience_s > RECOVER_S)
        c.submitter.patience_s = RECOVER_S;
    if (r == TP_OK)
        r = submit_pending(&c.submitter, c.journal, tell, NULL, &e);
    if (r != TP_OK)
        log_note("of what was paid before: %s", e.text);
    checkout_close(&c);
}

enum tp_err checkout_owed(const struct checkout *c, const struct demand *d, struct kept_order *out,
                          bool *found, struct tp_error *e)
{
    const struct order *o = &d->order;
    char said[CHECKOUT_SAID];
    enum tp_err r = orders_owed(c->journal, o->method, o->url, o->digest, out, e);

    *found = r == TP_OK;
    if (r == TP_ERR_NOT_FOUND)
        return TP_OK;
    if (r == TP_OK && out->state != KEPT_ACKNOWLEDGED)
        r = tp_fail(e, TP_ERR_PEER,
                    "this is signed already, by the order %s, and what became of it is not known "
                    "yet: not paid again; `telepay order send%s` asks",
                    out->order, checkout_said(said, c->options));
    return r;
}

/* ---- by which means ---- */

/* Its purse, and that an account there is in its currency. */
static enum tp_err find_purse(struct checkout *c, const struct demand *d, struct tp_error *e)
{
    const char *at = json_string_value(json_object_get(d->charge.method_details, "purse"));
    char shown[PURSES_URL];
    const enum tp_err r = purses_find(&c->purse, c->journal, d->order.acquirer, e);

    if (r == TP_OK && c->purse.currency != d->currency->numeric)
        return tp_fail(e, TP_ERR_CANCELLED, "your account at the purse %s is in %s, not in %s",
                       c->purse.acquirer, currency_shown((unsigned)c->purse.currency),
                       d->currency->alpha);
    if (r != TP_ERR_NOT_FOUND)
        return r;
    return tp_fail(e, TP_ERR_CANCELLED,
                   "it is to be paid by the purse %s, where you have no account: telepay purse "
                   "open --at %s",
                   d->order.acquirer, word_shown(shown, sizeof(shown), at != NULL ? at : "URL"));
}

/* One of this mediator's that is open, and holds so much. */
static enum tp_err find_session(struct checkout *c, const struct demand *d, struct tp_error *e)
{
    struct voucher_place place;
    enum tp_err r =
        provisions_open(&c->session, c->journal, d->order.acquirer, d->origin, time(NULL), e);

    if (r == TP_OK)
        r = voucher_next(&place, c->journal, &c->session, d->order.contract, d->amount, e);
    return r != TP_ERR_NOT_FOUND
               ? r
               : tp_fail(e, TP_ERR_CANCELLED, "no session is open at %s: telepay session start",
                         d->origin);
}

enum tp_err checkout_allows(struct checkout *c, const struct demand *d, struct tp_error *e)
{
    enum tp_err r = plan_allows(&c->plan, demand_means(d), d->amount, d->currency, e);

    if (r == TP_OK && demand_is_by_purse(d))
        r = find_purse(c, d, e);
    return r == TP_OK && demand_is_in_session(d) ? find_session(c, d, e) : r;
}

struct choice { /* while one is looked for */
    struct checkout *checkout;
    struct demand *out;
    enum tp_err r; /* why none is good; TP_ERR_NOT_FOUND: there is none */
    struct tp_error *e;
    bool good; /* out holds one that the plan does not pay */
};

/* Whether it is the one. */
static bool try_offer(struct choice *x, const struct payment_challenge *offer)
{
    struct demand d = {0};
    struct tp_error why = {0};
    const enum tp_err r = demand_read(&d, offer, &x->checkout->authorities, time(NULL), &why);

    if (r != TP_OK && x->r == TP_ERR_NOT_FOUND && !x->good)
        x->r = tp_fail(x->e, r, "%s", why.text);
    if (r == TP_OK) {
        const bool taken = checkout_allows(x->checkout, &d, NULL) == TP_OK;

        if (taken || (!x->good && !demand_is_in_session(&d))) {
            demand_free(x->out);
            *x->out = d;
            d = (struct demand){0};
            x->good = true;
            if (taken)
                return true;
        }
    }
    demand_free(&d);
    return false;
}

static bool may_use(const struct choice *x, const char *means, const char *without)
{
    const char *only = x->checkout->options->means;

    return (only == NULL || strcmp(only, means) == 0) &&
           (without == NULL || strcmp(without, means) != 0);
}

static bool try_means(struct choice *x, const struct payment_offers *offers, const char *means,
                      bool in_session)
{
    for (size_t i = 0; i < offers->n; i++)
        if (demand_is_payable(&offers->offer[i], means) &&
            (strcmp(offers->offer[i].intent, DEMAND_SESSION) == 0) == in_session &&
            try_offer(x, &offers->offer[i]))
            return true;
    return false;
}

enum tp_err checkout_choose(struct checkout *c, struct demand *out,
                            const struct payment_offers *offers, const char *without,
                            struct tp_error *e)
{
    static const char *const all[] = {DEMAND_CARD, DEMAND_PURSE};
    struct choice x = {.checkout = c, .out = out, .r = TP_ERR_NOT_FOUND, .e = e};

    *out = (struct demand){0};
    if (may_use(&x, DEMAND_PURSE, without) && try_means(&x, offers, DEMAND_PURSE, true))
        return TP_OK; /* who began a session wants to pay by it */
    for (size_t i = 0; i < c->plan.n; i++)
        if (may_use(&x, c->plan.means[i].name, without) &&
            try_means(&x, offers, c->plan.means[i].name, false))
            return TP_OK;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) /* what the plan does not pay by */
        if (!x.good && plan_find(&c->plan, all[i]) == NULL && may_use(&x, all[i], without) &&
            try_means(&x, offers, all[i], false))
            return TP_OK;
    if (x.good)
        return TP_OK;
    return x.r != TP_ERR_NOT_FOUND ? x.r
                                   : tp_fail(e, x.r, "this device pays by none of what is offered");
}

/* What is kept wants the same words again. */
static void tell_again(struct tp_error *e, const struct checkout *c, const struct kept_order *kept)
{
    const size_t n = strlen(e->text);
    char said[CHECKOUT_SAID];

    if (e->code != TP_OK && kept->id != 0 && kept->state <= KEPT_REVERSING &&
        checkout_said(said, c->options)[0] != '\0')
        snprintf(e->text + n, sizeof(e->text) - n, "; here: telepay order send%s", said);
}

void checkout_pay(struct checkout *c, struct pay_order *order, const struct pay_options *options,
                  struct pay_result *result)
{
    struct pay_options mine = *options;

    c->device.code.dialog = options->person.dialog;
    order->home = c->home;
    order->submitter = c->submitter;
    order->user = c->user;
    order->device = &c->device;
    order->plan = &c->plan;
    order->up_to = c->options->up_to;
    order->way = demand_is_by_purse(order->demand) ? &pay_by_purse : &pay_by_order;
    order->purse = demand_is_by_purse(order->demand) ? &c->purse : NULL;
    order->session = demand_is_in_session(order->demand) ? &c->session : NULL;
    mine.order = order;
    pay_run(result, &mine);
    tell_again(&result->error, c, &order->kept);
}
