/* telepay session start | end: what of a purse is reserved for small payments at a mediator. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/date.h"
#include "base/log.h"
#include "base/text.h"
#include "payer/commands.h"
#include "payer/credential.h"
#include "payer/provisions.h"
#include "payer/purse_words.h"

#define HOURS      2
#define EXCHANGE_S 60

/* ---- start ---- */

int payer_session_start(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"hours", PURSE_HOURS_KEY, "N", 0, N_("how long it may last: 1 to 24 [2]"), 0},
        PURSE_WORD,
        {0}};
    static const struct argp argp = {
        options,
        purse_words_parse,
        N_("AMOUNT CURRENCY"),
        N_("Begin a session: the next payment from your purse reserves so much at its mediator, "
           "whose pages are paid within it without asking."),
        purse_words_children,
        NULL,
        NULL};
    struct purse_run run;
    struct tp_error e = {0};
    struct purse_account account;
    struct provision p = {.made = time(NULL), .hours = HOURS};
    char shown[MONEY_TEXT_MAX];
    enum tp_err r = purse_run_begin(&run, &argp, true, argc, argv, &e);

    if (r == TP_OK && run.words.amount == NULL)
        r = tp_fail(&e, TP_ERR_USAGE, "say how much: telepay session start 5.00 EUR");
    if (r == TP_OK)
        r = purse_run_account(&account, &run, &e);
    if (r == TP_OK)
        r = purse_run_amount(&p.amount, &run, &account, &e);
    if (r == TP_OK) {
        snprintf(p.acquirer, sizeof(p.acquirer), "%s", account.acquirer);
        p.currency = account.currency;
        if (run.words.hours > 0)
            p.hours = run.words.hours;
        r = provisions_want(run.checkout.journal, &p, &e);
    }
    if (r == TP_OK)
        printf(ngettext("The next payment from your purse at %s reserves %s %s at its mediator, "
                        "for %lld hour; telepay session end frees it.\n",
                        "The next payment from your purse at %s reserves %s %s at its mediator, "
                        "for %lld hours; telepay session end frees it.\n",
                        (unsigned long)p.hours),
               account.name, money_shown(shown, p.amount, (unsigned)p.currency),
               currency_shown((unsigned)p.currency), (long long)p.hours);
    return purse_run_end(&run, r, &e);
}

/* ---- end ---- */

struct ending {
    struct purse_run *run;
    size_t n;      /* that ended */
    enum tp_err r; /* why the first did not that did not; TP_OK: all did */
    struct tp_error why;
};

/* Whether what it was signed beside is signed, and nobody knows what became of it: that begins the
 * session still. */
static enum tp_err begins_still(bool *out, struct journal *j, const struct provision *p,
                                struct tp_error *e)
{
    struct kept_order o = {0};
    int64_t at = 0;
    enum tp_err r;

    *out = false;
    while (!*out && (r = orders_pending(j, at, &o, e)) == TP_OK) {
        char *provision = credential_provision(o.secret);

        *out = provision != NULL && strcmp(provision, p->statement) == 0;
        at = o.id;
        free(provision);
        kept_order_free(&o);
    }
    return *out || r == TP_ERR_NOT_FOUND ? TP_OK : r;
}

static enum tp_err tell_mediator(struct purse_run *run, const struct provision *p, const char *jws,
                                 struct tp_error *e)
{
    static const char *const headers[] = {"Content-Type: application/jose", NULL};
    char url[DEMAND_ORIGIN + 64];
    const struct fetch_request request = {.url = url,
                                          .headers = headers,
                                          .has_body = true,
                                          .body = span_str(jws),
                                          .seconds = EXCHANGE_S};
    bool begins = false;
    enum tp_err r;

    snprintf(url, sizeof(url), "%s/sessions/%s/end", p->origin, p->session);
    r = fetch_send(run->fetch, &request, e);
    if (r == TP_OK && fetch_status(run->fetch) == 404)
        r = begins_still(&begins, run->checkout.journal, p, e);
    if (r == TP_OK && begins)
        r = tp_fail(e, TP_ERR_STATE,
                    "the payment that begins the session is signed, and what became of it is not "
                    "known yet: telepay order send, and then again");
    if (r == TP_OK && fetch_status(run->fetch) != 200 && fetch_status(run->fetch) != 404)
        r = tp_fail(e, TP_ERR_PEER,
                    "%s answers %ld: what is not spent is free at the latest two days after the "
                    "session's time",
                    url, fetch_status(run->fetch));
    return r;
}

static enum tp_err end_open(struct purse_run *run, const struct provision *p, struct tp_error *e)
{
    struct purse_account account;
    struct purse_statement statement = {.account = account.account, .session = p->session};
    struct secret key = {0};
    char *jws = NULL;
    enum tp_err r = purses_find(&account, run->checkout.journal, p->acquirer, e);

    if (r == TP_OK)
        r = purses_unlock(&key, &run->checkout.device, &account, e);
    if (r == TP_OK)
        r = purse_statement_write(&jws, PURSE_SESSION_END, &statement, key.p, e);
    secret_free(&key);
    if (r == TP_OK)
        r = tell_mediator(run, p, jws, e);
    free(jws);
    return r;
}

/* One that does not end keeps no other from it. */
static enum tp_err end_one(void *ctx, const struct provision *p, struct tp_error *e)
{
    struct ending *x = ctx;
    const bool wanted = p->state == PROVISION_WANTED,
               open = p->state == PROVISION_OPEN || p->state == PROVISION_SIGNED;
    struct tp_error why = {0};
    enum tp_err r = TP_OK;

    (void)e;
    if (!wanted && !(open && p->until > time(NULL)))
        return TP_OK;
    if (open)
        r = end_open(x->run, p, &why);
    if (r == TP_OK)
        r = provisions_set(x->run->checkout.journal, p->session, PROVISION_ENDED, &why);
    x->n += r == TP_OK;
    if (r != TP_OK && x->r == TP_OK)
        x->why = why;
    else if (r != TP_OK)
        log_note("%s", why.text);
    if (x->r == TP_OK)
        x->r = r;
    return TP_OK;
}

int payer_session_end(int argc, char **argv)
{
    static const struct argp_option options[] = {{0}};
    static const struct argp argp = {options,
                                     purse_words_parse,
                                     NULL,
                                     N_("End the sessions at mediators that are open: the purse is "
                                        "told what was spent, and the rest is free."),
                                     purse_words_children,
                                     NULL,
                                     NULL};
    struct purse_run run;
    struct tp_error e = {0};
    struct ending ending = {.run = &run};
    enum tp_err r = purse_run_begin(&run, &argp, false, argc, argv, &e);

    if (r == TP_OK)
        r = provisions_list(run.checkout.journal, end_one, &ending, &e);
    if (r == TP_OK)
        printf(ngettext("%zu session has ended.\n", "%zu sessions have ended.\n", ending.n),
               ending.n);
    if (r == TP_OK && ending.r != TP_OK)
        r = tp_fail(&e, ending.r, "%s", ending.why.text);
    return purse_run_end(&run, r, &e);
}
