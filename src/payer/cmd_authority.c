/* telepay authority: whose orders are trusted. */
#include <stdio.h>
#include <string.h>

#include "base/cli.h"
#include "base/date.h"
#include "base/log.h"
#include "base/table.h"
#include "base/text.h"
#include "payer/authority.h"
#include "payer/commands.h"
#include "payer/home.h"

struct words {
    const char *home;
    const char *argument; /* a file, or a fingerprint */
    const char *wanted;   /* what it is; NULL: there is none */
    bool json;
};

enum { HOME = 0x100 };

static const struct argp_option options[] = {
    {"home", HOME, "DIR", 0, N_("your folder, instead of ~/.config/telepay"), 0},
    {"json", 'j', NULL, 0, N_("print JSON"), 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;

    switch (key) {
    case HOME:
        w->home = arg;
        return 0;
    case 'j':
        w->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (w->wanted == NULL || w->argument != NULL)
            argp_error(state, _("\"%s\" is one word too many"), arg);
        w->argument = arg;
        return 0;
    case ARGP_KEY_END:
        if (w->wanted != NULL && w->argument == NULL)
            argp_error(state, _("say which: %s"), w->wanted);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct table_column columns[] = {
    {"fingerprint", TABLE_TEXT}, {"name", TABLE_WORDS}, {"until", TABLE_TEXT | TABLE_LESSER}};

static enum tp_err print(const struct authority *list, size_t n, bool json, struct tp_error *e)
{
    struct table *table = NULL;
    char day[DATE_TEXT_MAX];
    enum tp_err r =
        table_new(&table, "authorities", columns, sizeof(columns) / sizeof(columns[0]), json, e);

    for (size_t i = 0; r == TP_OK && i < n; i++) {
        const char *cells[] = {list[i].fingerprint, list[i].name, date_format(day, list[i].until)};

        r = table_row(table, cells, e);
    }
    return table_end(&table, r, e);
}

int payer_authority_add(int argc, char **argv)
{
    static const struct argp argp = {
        options,
        parse,
        N_("FILE"),
        N_("Trust the orders that an acquirer's authority (PEM) stands for. Its fingerprint is "
           "shown: hold it against what the acquirer says."),
        NULL,
        NULL,
        NULL};
    struct words w = {.wanted = "the file of its certificate"};
    struct tp_error e = {0};
    struct authority added;
    char home[PATH_MAX];
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = home_open(home, w.home, &e);
    if (r == TP_OK)
        r = authority_add(&added, home, w.argument, &e);
    if (r == TP_OK)
        r = print(&added, 1, w.json, &e);
    if (r == TP_OK) /* a mediator's ca.pem looks the same */
        log_note("trusted from now on to say who may sign orders, and that they are paid: so this "
                 "must be an acquirer's authority. Servers are not known by it: their authority "
                 "goes with --cacert");
    return cli_end(r, &e);
}

int payer_authority_list(int argc, char **argv)
{
    static const struct argp argp = {
        options,     parse, NULL, N_("List the authorities whose orders are trusted."),
        table_words, NULL,  NULL};
    struct words w = {0};
    struct tp_error e = {0};
    struct authorities all = {0};
    char home[PATH_MAX];
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = home_open(home, w.home, &e);
    if (r == TP_OK)
        r = authorities_load(&all, home, &e);
    if (r == TP_OK)
        r = print(all.list, all.n, w.json, &e);
    authorities_free(&all);
    return cli_end(r, &e);
}

int payer_authority_remove(int argc, char **argv)
{
    static const struct argp argp = {
        options,
        parse,
        N_("FINGERPRINT"),
        N_("Trust an authority no more: of that fingerprint, or the only one that begins so."),
        NULL,
        NULL,
        NULL};
    struct words w = {.wanted = "its fingerprint stands in telepay authority list"};
    struct tp_error e = {0};
    char home[PATH_MAX];
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = home_open(home, w.home, &e);
    if (r == TP_OK)
        r = authority_remove(home, w.argument, &e);
    return cli_end(r, &e);
}
