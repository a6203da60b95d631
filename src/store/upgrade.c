#include "store/upgrade.h"

#include <argp.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cli.h"

struct asked {
    const char *where;
    size_t to; /* the version of this program */
    bool yes, begun;
};

static bool ask(const struct asked *a)
{
    char line[16] = "";

    if (a->yes)
        return true;
    printf("Go on? [y/N] ");
    fflush(stdout);
    return fgets(line, sizeof(line), stdin) != NULL && (line[0] == 'y' || line[0] == 'Y');
}

static bool say(void *ctx, size_t from, size_t to, const char *does)
{
    struct asked *a = ctx;

    if (!a->begun)
        printf("%s is of version %zu, this program's is %zu. A copy is kept, then:\n", a->where,
               from, a->to);
    a->begun = true;
    printf("  version %zu %s\n", to, does);
    return to < a->to || ask(a);
}

enum tp_err db_upgrade_asking(const char *where, const struct db_schema *schema, bool yes,
                              struct tp_error *e)
{
    struct asked a = {where, schema->version, yes, false};
    char copy[512];
    enum tp_err r;

    if (!yes && !isatty(STDIN_FILENO))
        return tp_fail(e, TP_ERR_USAGE, "nobody is at a terminal to be asked: say --yes");
    r = db_upgrade(where, schema, copy, say, &a, e);
    if (r == TP_OK && !a.begun)
        printf("%s is of version %zu, as this program is: nothing to do.\n", where,
               schema->version);
    else if (r == TP_OK && copy[0] != '\0')
        printf("Done. What was before is kept in %s.\n", copy);
    else if (r == TP_OK)
        puts("Done.");
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
        argp_error(state, "\"%s\" is one word too many", arg);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int db_upgrade_run(const struct db_upgrade_command *c, int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"dir", 'd', "DIR", 0, "the folder of the books", 0},
        {"yes", 'y', NULL, 0, "do it without asking", 0},
        {NULL, 0, NULL, 0, NULL, 0}};
    static const struct argp argp = {
        options, parse, NULL, "Bring up books that an older version made, after a copy.",
        NULL,    NULL,  NULL};
    struct words w = {NULL, false};
    char dir[PATH_MAX], where[DB_WHERE_MAX];
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = c->dir(dir, w.dir, &e);
    if (r == TP_OK)
        r = db_where(where, dir, c->file, &e);
    if (r == TP_OK)
        r = db_upgrade_asking(where, c->schema, w.yes, &e);
    return r == TP_OK ? CLI_DONE : cli_report(&e);
}
