#include "store/upgrade.h"

#include <argp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cli.h"
#include "base/file.h"
#include "base/text.h"
#include "store/db_priv.h"

struct asked {
    size_t to; /* the version of this program */
    bool yes, begun;
};

static bool say(void *ctx, size_t from, size_t to, const char *does)
{
    struct asked *a = ctx;

    a->begun = true;
    printf(_("version %zu to %zu: %s\n"), from, to, does);
    return to < a->to || a->yes || cli_agrees(_("bring it up, after a copy?"));
}

enum tp_err db_upgrade_asking(const char *where, const struct db_schema *schema, bool yes,
                              struct tp_error *e)
{
    struct asked a = {schema->version, yes, false};
    char copy[512], *name = db_shown(where);
    enum tp_err r;

    if (name == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory for a database");
    r = db_upgrade(where, schema, copy, say, &a, e);

    if (r == TP_ERR_CANCELLED && isatty(STDIN_FILENO) == 0)
        r = tp_fail(e, TP_ERR_USAGE,
                    "%s stays as it is: say --yes to have it brought up without being asked", name);
    if (r == TP_OK && !a.begun)
        printf(_("%s is of today's version (%zu): there is nothing to do\n"), name,
               schema->version);
    else if (r == TP_OK && copy[0] != '\0')
        printf(_("%s is now of version %zu; as it was: %s\n"), name, schema->version, copy);
    else if (r == TP_OK)
        printf(_("%s is now of version %zu\n"), name, schema->version);
    free(name);
    return r;
}

struct words {
    const char *dir;
    bool yes;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;

    switch (key) {
    case 'd':
        w->dir = arg;
        return 0;
    case 'y':
        w->yes = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, _("\"%s\" is one word too many"), arg);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int db_upgrade_run(const struct db_upgrade_command *c, int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"dir", 'd', "DIR", 0, N_("the folder of the books"), 0},
        {"yes", 'y', NULL, 0, N_("do it without asking"), 0},
        {NULL, 0, NULL, 0, NULL, 0}};
    static const struct argp argp = {options,
                                     parse,
                                     NULL,
                                     N_("Bring up books that an older version made: says what each "
                                        "step does, asks, keeps a copy."),
                                     NULL,
                                     NULL,
                                     NULL};
    struct words w = {NULL, false};
    char dir[PATH_MAX], where[DB_WHERE_MAX];
    struct tp_error e = {TP_OK, ""};
    int lock = -1;
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = c->dir(dir, w.dir, &e);
    if (r == TP_OK) /* nobody serves from what changes under him */
        r = file_lock_folder(&lock, dir, c->schema->program, &e);
    if (r == TP_OK)
        r = db_where(where, dir, c->file, &e);
    if (r == TP_OK)
        r = db_upgrade_asking(where, c->schema, w.yes, &e);
    if (lock >= 0)
        close(lock);
    return r == TP_OK ? CLI_DONE : cli_report(&e);
}
