/* telepay plan: by which means its user pays, up to how much, and what without being asked. */
#include <stdio.h>
#include <string.h>

#include "base/cli.h"
#include "base/document.h"
#include "base/table.h"
#include "base/text.h"
#include "payer/commands.h"
#include "payer/home.h"
#include "payer/plan.h"
#include "payer/user.h"

#define SUM_TIMES 10 /* as much as one order may cost is, of a session, where it is not said */

struct words {
    const char *home, *user, *means;
    const char *up_to, *unasked, *summed; /* NULL: as it is */
    bool json, first, never, sets;
};

enum { HOME = 0x100, USER, MEANS, UP_TO, UNASKED, SUMMED, FIRST, NEVER };

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
    case MEANS:
        w->means = arg;
        return 0;
    case UP_TO:
        w->up_to = arg;
        return 0;
    case UNASKED:
        w->unasked = arg;
        return 0;
    case SUMMED:
        w->summed = arg;
        return 0;
    case FIRST:
        w->first = true;
        return 0;
    case NEVER:
        w->never = true;
        return 0;
    case 'j':
        w->json = true;
        return 0;
    case ARGP_KEY_END:
        if (w->sets && w->means == NULL)
            argp_error(state, _("say of which means: --means emv, --means purse"));
        if (w->never && (w->first || w->up_to != NULL || w->unasked != NULL || w->summed != NULL))
            argp_error(state, _("--never stands alone with --means"));
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

#define WORDS_WHOSE                                                                                \
    {"home", HOME, "DIR", 0, N_("your folder, instead of ~/.config/telepay"), 0},                  \
        {"user", USER, "NAME", 0, N_("whose plan, of several users of the folder"), 0},            \
    {                                                                                              \
        "json", 'j', NULL, 0, N_("print JSON"), 0                                                  \
    }

static const struct table_column heads[] = {{"means", TABLE_TEXT},
                                            {"up_to", TABLE_RIGHT},
                                            {"unasked", TABLE_RIGHT},
                                            {"unasked_session", TABLE_RIGHT}};

/* A limit that is not set says what that comes to. */
static const char *limit_cell(char out[PLAN_LIMIT_TEXT], const struct plan_limit *limit,
                              const char *unset)
{
    return limit->currency != NULL ? plan_limit_shown(out, limit) : unset;
}

static json_t *limit_json(const struct plan_limit *limit)
{
    return limit->currency == NULL
               ? json_null()
               : json_pack("{s:o, s:s}", "amount",
                           document_amount(limit->amount, limit->currency->numeric), "currency",
                           limit->currency->alpha);
}

static enum tp_err print_json(const struct plan *p, struct tp_error *e)
{
    json_t *list = json_array();
    enum tp_err r;

    for (size_t i = 0; i < p->n; i++) {
        const struct plan_means *m = &p->means[i];

        json_array_append_new(list,
                              json_pack("{s:s, s:o, s:o, s:o}", "means", m->name, "up_to",
                                        limit_json(&m->up_to), "unasked", limit_json(&m->unasked),
                                        "unasked_session", limit_json(&m->summed)));
    }
    r = table_choose(list, heads, sizeof(heads) / sizeof(heads[0]), e);
    if (r == TP_OK)
        return document_print(json_pack("{s:o}", "plan", list), false);
    json_decref(list);
    return r;
}

static enum tp_err print(const struct plan *p, bool json, struct tp_error *e)
{
    struct table *table = NULL;
    enum tp_err r;

    if (json)
        return print_json(p, e);
    if (p->n == 0) {
        printf(_("There is no means in this plan, so no order is paid; telepay plan set --means "
                 "emv takes the card in.\n"));
        return TP_OK;
    }
    r = table_new(&table, "plan", heads, sizeof(heads) / sizeof(heads[0]), false, e);

    for (size_t i = 0; r == TP_OK && i < p->n; i++) {
        const struct plan_means *m = &p->means[i];
        char up_to[PLAN_LIMIT_TEXT], unasked[PLAN_LIMIT_TEXT], summed[PLAN_LIMIT_TEXT];
        const char *in_session = m->unasked.currency != NULL ? "no limit" : "nothing";
        const char *cells[] = {m->name, limit_cell(up_to, &m->up_to, "no limit"),
                               limit_cell(unasked, &m->unasked, "nothing"),
                               limit_cell(summed, &m->summed, in_session)};

        r = table_row(table, cells, e);
    }
    return table_end(&table, r, e);
}

static enum tp_err open_plan(char folder[PATH_MAX], struct plan *p, const struct words *w,
                             struct tp_error *e)
{
    char home[PATH_MAX];
    enum tp_err r = home_open(home, w->home, e);

    if (r == TP_OK)
        r = user_folder(folder, home, w->user, e);
    return r == TP_OK ? plan_load(p, folder, e) : r;
}

int payer_plan(int argc, char **argv)
{
    static const struct argp_option options[] = {WORDS_WHOSE, {0}};
    static const struct argp argp = {
        options,     parse,
        NULL,        N_("Show by which means you pay, up to how much, and what unasked."),
        table_words, NULL,
        NULL};
    struct words w = {0};
    struct tp_error e = {0};
    struct plan plan;
    char folder[PATH_MAX];
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = open_plan(folder, &plan, &w, &e);
    if (r == TP_OK)
        r = print(&plan, w.json, &e);
    return cli_end(r, &e);
}

/* ---- set ---- */

static enum tp_err take(struct plan_limit *out, const char *what, const char *text,
                        struct tp_error *e)
{
    if (text == NULL)
        return TP_OK;
    if (strcmp(text, "none") == 0) {
        *out = (struct plan_limit){0};
        return TP_OK;
    }
    return plan_limit_parse(out, what, text, e);
}

static enum tp_err set_row(struct plan_means *m, const struct words *w, struct tp_error *e)
{
    enum tp_err r = take(&m->up_to, "--up-to", w->up_to, e);

    if (r == TP_OK)
        r = take(&m->unasked, "--unasked", w->unasked, e);
    if (r == TP_OK && w->unasked != NULL) {
        m->summed = m->unasked;
        m->summed.amount =
            m->unasked.amount <= MONEY_MAX / SUM_TIMES ? m->unasked.amount * SUM_TIMES : MONEY_MAX;
    }
    if (r == TP_OK)
        r = take(&m->summed, "--unasked-session", w->summed, e);
    if (r == TP_OK && m->summed.currency != m->unasked.currency)
        r = tp_fail(e, TP_ERR_USAGE,
                    m->unasked.currency == NULL
                        ? N_("--unasked-session goes with --unasked")
                        : N_("what is paid unasked has a limit of a session, in the same currency: "
                             "--unasked-session"));
    return r;
}

static enum tp_err set(struct plan *p, const struct words *w, struct tp_error *e)
{
    struct plan_means *row = NULL;
    enum tp_err r;

    if (w->never) {
        plan_drop(p, w->means);
        return TP_OK;
    }
    r = plan_take(&row, p, w->means, e);
    if (r == TP_OK)
        r = set_row(row, w, e);
    if (r == TP_OK && w->first)
        plan_put_first(p, w->means);
    return r;
}

int payer_plan_set(int argc, char **argv)
{
    static const struct argp_option options[] = {
        WORDS_WHOSE,
        {"means", MEANS, "MEANS", 0, N_("which: emv is a card, purse your account at a purse"), 0},
        {"up-to", UP_TO, "AMOUNT", 0, N_("pay at most so much by it, as \"20.00 EUR\", or none"),
         0},
        {"unasked", UNASKED, "AMOUNT", 0, N_("pay so much without asking, or none"), 0},
        {"unasked-session", SUMMED, "AMOUNT", 0,
         N_("and so much of that in a session: ten times as much, where it is not said"), 0},
        {"first", FIRST, NULL, 0, N_("take it before the others"), 0},
        {"never", NEVER, NULL, 0, N_("do not pay by it"), 0},
        {0}};
    static const struct argp argp = {
        options, parse, NULL, N_("Set what your plan says of a means."), NULL, NULL, NULL};
    struct words w = {.sets = true};
    struct tp_error e = {0};
    struct plan plan;
    char folder[PATH_MAX];
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = open_plan(folder, &plan, &w, &e);
    if (r == TP_OK)
        r = set(&plan, &w, &e);
    if (r == TP_OK)
        r = plan_store(&plan, folder, &e);
    if (r == TP_OK)
        r = print(&plan, w.json, &e);
    return cli_end(r, &e);
}
