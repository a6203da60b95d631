/* telepay session: what was consumed since it began. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cli.h"
#include "base/date.h"
#include "base/document.h"
#include "base/file.h"
#include "base/text.h"
#include "payer/commands.h"
#include "payer/home.h"
#include "payer/provisions.h"
#include "payer/session.h"
#include "payer/user.h"

#define PROVISIONS_MAX 16 /* that are shown */
#define SERVICES_MAX   32 /* of each */

struct words {
    const char *home, *user;
    bool json;
};

enum { HOME = 0x100, USER };

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;

    switch (key) {
    case HOME:
        w->home = arg;
        return 0;
    case USER:
        w->user = arg;
        return 0;
    case 'j':
        w->json = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

#define WORDS_WHOSE                                                                                \
    {"home", HOME, "DIR", 0, N_("your folder, instead of ~/.config/telepay"), 0},                  \
    {                                                                                              \
        "user", USER, "NAME", 0, N_("whose session, of several users of the folder"), 0            \
    }

/* ---- what is reserved at mediators ---- */

struct service_sum { /* of one session, by merchant */
    char merchant[41];
    int64_t orders, paid;
};

struct shown_provision {
    struct provision p;
    int64_t spent;
    struct service_sum services[SERVICES_MAX];
    size_t n;
};

struct shown_provisions { /* that are wanted, or go on */
    struct journal *journal;
    struct shown_provision list[PROVISIONS_MAX];
    size_t n;
};

static bool add_service(void *ctx, const struct kept_order *o)
{
    struct shown_provision *s = ctx;
    size_t i = 0;

    if (o->state != KEPT_ACKNOWLEDGED)
        return true;
    while (i < s->n && strcmp(s->services[i].merchant, o->ticket.merchant) != 0)
        i++;
    if (i == SERVICES_MAX)
        return true;
    if (i == s->n)
        snprintf(s->services[s->n++].merchant, sizeof(s->services[i].merchant), "%s",
                 o->ticket.merchant);
    s->services[i].orders++;
    s->services[i].paid += o->ticket.amount;
    return true;
}

static enum tp_err add_provision(void *ctx, const struct provision *p, struct tp_error *e)
{
    struct shown_provisions *all = ctx;
    struct shown_provision *s = &all->list[all->n];
    const bool goes_on =
        p->state == PROVISION_WANTED ||
        ((p->state == PROVISION_SIGNED || p->state == PROVISION_OPEN) && p->until > time(NULL));
    enum tp_err r;

    if (!goes_on || all->n == PROVISIONS_MAX)
        return TP_OK;
    *s = (struct shown_provision){.p = *p};
    all->n++;
    r = provisions_spent(&s->spent, all->journal, p, e);
    return r == TP_OK ? orders_of_session(all->journal, p->session, add_service, s, e) : r;
}

static void print_provisions(const struct shown_provisions *all)
{
    for (size_t i = 0; i < all->n; i++) {
        const struct shown_provision *s = &all->list[i];
        const unsigned currency = (unsigned)s->p.currency;
        char amount[MONEY_TEXT_MAX], spent[MONEY_TEXT_MAX], when[TIME_TEXT_MAX];

        printf(_("Reserved %s %s from the purse %s, %s%s%s%s%s: %s spent\n"),
               money_shown(amount, s->p.amount, currency), currency_shown(currency), s->p.acquirer,
               provision_state_name((enum provision_state)s->p.state),
               s->p.origin[0] != '\0' ? ", at " : "", s->p.origin,
               s->p.until != 0 ? _(" until ") : "", time_shown(when, (time_t)s->p.until),
               money_shown(spent, s->spent, currency));
        for (size_t k = 0; k < s->n; k++)
            printf(ngettext("  %12s %s  %s, %lld order\n", "  %12s %s  %s, %lld orders\n",
                            (unsigned long)s->services[k].orders),
                   money_shown(amount, s->services[k].paid, currency), currency_shown(currency),
                   s->services[k].merchant, (long long)s->services[k].orders);
    }
}

static json_t *services_json(const struct shown_provision *s)
{
    json_t *list = json_array();

    for (size_t k = 0; k < s->n; k++) {
        char paid[MONEY_TEXT_MAX];

        json_array_append_new(
            list, json_pack("{s:s, s:I, s:s, s:s}", "merchant", s->services[k].merchant,
                            "order_count", (json_int_t)s->services[k].orders, "paid_amount",
                            money_shown(paid, s->services[k].paid, (unsigned)s->p.currency),
                            "currency", currency_shown((unsigned)s->p.currency)));
    }
    return list;
}

static json_t *provisions_json(const struct shown_provisions *all)
{
    json_t *list = json_array();

    for (size_t i = 0; i < all->n; i++) {
        const struct shown_provision *s = &all->list[i];
        const unsigned currency = (unsigned)s->p.currency;
        char amount[MONEY_TEXT_MAX], spent[MONEY_TEXT_MAX];

        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o}", "session",
                            s->p.session, "purse", s->p.acquirer, "mediator", s->p.origin, "state",
                            provision_state_name((enum provision_state)s->p.state), "currency",
                            currency_shown(currency), "provision",
                            money_shown(amount, s->p.amount, currency), "spent",
                            money_shown(spent, s->spent, currency), "valid_until",
                            document_time(s->p.until), "services", services_json(s)));
    }
    return list;
}

static enum tp_err find_folder(char out[PATH_MAX], const struct words *w, struct tp_error *e)
{
    char home[PATH_MAX];
    const enum tp_err r = home_open(home, w->home, e);

    return r == TP_OK ? user_folder(out, home, w->user, e) : r;
}

/* Nothing was ever paid where there is no journal: none is made for that. */
static enum tp_err read_session(struct session *out, struct shown_provisions *reserved,
                                const struct words *w, struct tp_error *e)
{
    char folder[PATH_MAX], path[PATH_MAX];
    struct journal *journal = NULL;
    struct plan plan;
    enum tp_err r = find_folder(folder, w, e);

    *out = (struct session){0};
    if (r == TP_OK)
        r = plan_load(&plan, folder, e);
    if (r == TP_OK)
        r = file_join(path, sizeof(path), folder, HOME_JOURNAL, e);
    if (r == TP_OK && access(path, F_OK) == 0)
        r = journal_open(&journal, path, e);
    if (r == TP_OK && journal != NULL)
        r = session_read(out, journal, folder, &plan, time(NULL), e);
    reserved->journal = journal;
    if (r == TP_OK && journal != NULL)
        r = provisions_list(journal, add_provision, reserved, e);
    journal_close(&journal);
    return r;
}

/* ---- show ---- */

/* The sums of each currency, over all means. */
static void add_up(struct session *out, const struct session *s)
{
    *out = (struct session){.began = s->began};
    for (size_t i = 0; i < s->n; i++) {
        const struct session_sum *one = &s->sums[i];
        size_t at = 0;

        while (at < out->n && out->sums[at].currency != one->currency)
            at++;
        if (at == out->n)
            out->sums[out->n++] = (struct session_sum){.currency = one->currency};
        out->sums[at].orders += one->orders;
        out->sums[at].paid += one->paid;
        out->sums[at].under_way += one->under_way;
    }
}

static json_t *sums_json(const struct session *s)
{
    json_t *list = json_array();

    for (size_t i = 0; i < s->n; i++) {
        const struct session_sum *one = &s->sums[i];
        char paid[MONEY_TEXT_MAX], under_way[MONEY_TEXT_MAX];

        if (json_array_append_new(
                list,
                json_pack("{s:s, s:s, s:I, s:s, s:s}", "means", one->means, "currency",
                          currency_shown(one->currency), "order_count", (json_int_t)one->orders,
                          "paid_amount", money_shown(paid, one->paid, one->currency), "under_way",
                          money_shown(under_way, one->under_way, one->currency))) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static void print_sums(const struct session *s, const char *all)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct session_sum *one = &s->sums[i];
        char paid[MONEY_TEXT_MAX], under_way[MONEY_TEXT_MAX];

        printf(ngettext("%-8s %12s %s  %lld order", "%-8s %12s %s  %lld orders",
                        (unsigned long)one->orders),
               one->means[0] != '\0' ? one->means : all,
               money_shown(paid, one->paid, one->currency), currency_shown(one->currency),
               (long long)one->orders);
        if (one->under_way != 0)
            printf(_(", and %s of which it is not known yet what became"),
                   money_shown(under_way, one->under_way, one->currency));
        printf("\n");
    }
}

static enum tp_err print(const struct session *s, const struct shown_provisions *reserved,
                         bool json)
{
    struct session all;
    char when[TIME_TEXT_MAX];

    add_up(&all, s);
    if (json)
        return document_print(json_pack("{s:o, s:o, s:o, s:o}", "began", document_time(s->began),
                                        "overall", sums_json(&all), "by_means", sums_json(s),
                                        "reservations", provisions_json(reserved)),
                              false);
    print_provisions(reserved);
    if (s->began == 0) {
        printf(_("No session is under way: the next payment begins one.\n"));
        return TP_OK;
    }
    printf(_("Since %s\n"), time_shown(when, s->began));
    if (s->n == 0)
        printf(_("nothing was paid.\n"));
    print_sums(s, "");
    print_sums(&all, "overall");
    return TP_OK;
}

int payer_session(int argc, char **argv)
{
    static const struct argp_option options[] = {
        WORDS_WHOSE, {"json", 'j', NULL, 0, N_("print JSON"), 0}, {0}};
    static const struct argp argp = {
        options,
        parse,
        NULL,
        N_("Show what was consumed in the session under way, by means and overall. It began with "
           "the first payment after four hours of silence, or with session begin. And what of "
           "purses is reserved at mediators, until when, and what was spent of it at whose "
           "service."),
        NULL,
        NULL,
        NULL};
    struct words w = {0};
    struct tp_error e = {0};
    static struct shown_provisions reserved;
    struct session session;
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = read_session(&session, &reserved, &w, &e);
    if (r == TP_OK)
        r = print(&session, &reserved, w.json);
    return cli_end(r, &e);
}

int payer_session_begin(int argc, char **argv)
{
    static const struct argp_option options[] = {WORDS_WHOSE, {0}};
    static const struct argp argp = {
        options, parse, NULL, N_("Begin a session now: sums begin at nothing."), NULL, NULL, NULL};
    struct words w = {0};
    struct tp_error e = {0};
    char folder[PATH_MAX], when[TIME_TEXT_MAX];
    const time_t now = time(NULL);
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = find_folder(folder, &w, &e);
    if (r == TP_OK)
        r = session_begin(folder, now, &e);
    if (r == TP_OK)
        printf(_("A session began at %s, with nothing paid; telepay session shows its sums.\n"),
               time_shown(when, now));
    return cli_end(r, &e);
}
