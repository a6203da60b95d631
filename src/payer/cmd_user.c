/* telepay user: who pays from this device. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cli.h"
#include "base/file.h"
#include "base/table.h"
#include "payer/commands.h"
#include "payer/home.h"
#include "payer/orders.h"
#include "payer/user.h"

struct words {
    const char *home, *name;
    bool json, wants_name;
};

enum { HOME = 0x100, JSON };

static const struct argp_option options[] = {
    {"home", HOME, "DIR", 0, "the device's folder, instead of ~/.config/telepay", 0}, {0}};
static const struct argp_option list_options[] = {
    {"home", HOME, "DIR", 0, "the device's folder, instead of ~/.config/telepay", 0},
    {"json", JSON, NULL, 0, "print JSON", 0},
    {0}};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;

    switch (key) {
    case HOME:
        w->home = arg;
        return 0;
    case JSON:
        w->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (!w->wants_name || w->name != NULL)
            argp_error(state, "\"%s\" is one word too many", arg);
        w->name = arg;
        return 0;
    case ARGP_KEY_END:
        if (w->wants_name && w->name == NULL)
            argp_error(state, "say who: a name");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int end(enum tp_err r, struct tp_error *e)
{
    if (r == TP_OK)
        return CLI_DONE;
    e->code = r;
    return cli_report(e);
}

int payer_user_add(int argc, char **argv)
{
    static const struct argp argp = {
        options, parse, "NAME", "Add a user, with a plan, a journal and a key of their own.",
        NULL,    NULL,  NULL};
    struct words w = {.wants_name = true};
    struct tp_error e = {0};
    char home[PATH_MAX];
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = home_open(home, w.home, &e);
    if (r == TP_OK)
        r = user_add(home, w.name, &e);
    return end(r, &e);
}

/* ---- list ---- */

static const struct table_column heads[] = {{"USER", TABLE_TEXT}, {"FOLDER", TABLE_TEXT}};
static const struct table_column keys[] = {{"user", TABLE_TEXT}, {"folder", TABLE_TEXT}};

static enum tp_err list_one(struct table *table, const char *home, const char *name,
                            struct tp_error *e)
{
    char folder[PATH_MAX];
    const enum tp_err r = user_folder(folder, home, name, e);
    const char *cells[] = {name, folder};

    return r == TP_OK ? table_row(table, cells, e) : r;
}

static enum tp_err list(const char *home, bool json, struct tp_error *e)
{
    struct table *table = NULL;
    struct users all;
    enum tp_err r = users_list(&all, home, e);

    if (r != TP_OK)
        return r;
    r = table_new(&table, "users", json ? keys : heads, sizeof(keys) / sizeof(keys[0]), json, e);
    if (r == TP_OK)
        r = list_one(table, home, USER_DEFAULT, e);
    for (size_t i = 0; r == TP_OK && i < all.n; i++)
        r = list_one(table, home, all.name[i], e);
    return table_end(&table, r, e);
}

int payer_user(int argc, char **argv)
{
    static const struct argp argp = {list_options, parse, NULL, "List who pays from this device.",
                                     NULL,         NULL,  NULL};
    struct words w = {0};
    struct tp_error e = {0};
    char home[PATH_MAX];
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = home_open(home, w.home, &e);
    if (r == TP_OK)
        r = list(home, w.json, &e);
    return end(r, &e);
}

/* ---- remove ---- */

/* What is signed, and of which nobody knows what became, is lost with its journal. */
static enum tp_err check_settled(const char *home, const char *name, struct tp_error *e)
{
    char folder[PATH_MAX], path[PATH_MAX];
    struct journal *journal = NULL;
    struct kept_order pending = {0};
    enum tp_err r = user_folder(folder, home, name, e);

    if (r == TP_OK)
        r = file_join(path, sizeof(path), folder, HOME_JOURNAL, e);
    if (r != TP_OK || access(path, F_OK) != 0)
        return r;
    r = journal_open(&journal, path, e);
    if (r == TP_OK)
        r = orders_pending(journal, 0, &pending, e);
    if (r == TP_OK)
        r = tp_fail(e, TP_ERR_STATE,
                    "%s has paid the order %s, and what became of it is not known yet: telepay "
                    "order send --user %s asks; not removed",
                    name, pending.order, name);
    else if (r == TP_ERR_NOT_FOUND)
        r = TP_OK;
    kept_order_free(&pending);
    journal_close(&journal);
    return r;
}

int payer_user_remove(int argc, char **argv)
{
    static const struct argp argp = {
        options, parse,
        "NAME",  "Remove a user, with plan, journal and key: nobody can bring them back.",
        NULL,    NULL,
        NULL};
    struct words w = {.wants_name = true};
    struct tp_error e = {0};
    char home[PATH_MAX];
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = home_open(home, w.home, &e);
    if (r == TP_OK)
        r = check_settled(home, w.name, &e);
    if (r == TP_OK)
        r = user_remove(home, w.name, &e);
    return end(r, &e);
}
