#include "payer/checkout.h"

#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "payer/home.h"

#define RECOVER_S 5 /* of patience, where something else is wanted */

/* Ctrl-C ends the program: what is kept stays kept. */
static bool pauses(void *ctx, int ms)
{
    const struct timespec time = {ms / 1000, ms % 1000 * 1000000L};

    (void)ctx;
    return nanosleep(&time, NULL) == 0;
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
             : t->rrn[0] != '\0'  ? ", reference "
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
    enum tp_err r = orders_owed(c->journal, o->method, o->url, o->digest, out, e);

    *found = r == TP_OK;
    if (r == TP_ERR_NOT_FOUND)
        return TP_OK;
    if (r == TP_OK && out->state != KEPT_ACKNOWLEDGED)
        r = tp_fail(e, TP_ERR_PEER,
                    "this is signed already, by the order %s, and what became of it is not known "
                    "yet: not paid again; `telepay order send` asks",
                    out->order);
    return r;
}

enum tp_err checkout_allows(const struct checkout *c, const struct demand *d, struct tp_error *e)
{
    return plan_allows(&c->plan, DEMAND_METHOD, d->amount, d->currency, e);
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
    mine.order = order;
    pay_run(result, &mine);
}
