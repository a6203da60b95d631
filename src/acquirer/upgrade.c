/* telepay-acquirer upgrade: brings up books that an older version made. */
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

#include "acquirer/commands.h"
#include "acquirer/option.h"
#include "acquirer/state.h"
#include "base/cli.h"
#include "base/file.h"
#include "ledger/schema.h"

enum { KEY_YES = 256 };

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
    case KEY_YES:
        w->yes = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* Says each step, and asks behind the last of them. */
static bool say_step(void *ctx, size_t from, size_t to, const char *does)
{
    const struct words *w = ctx;
    char line[16];

    printf("version %zu to %zu: %s\n", from, to, does);
    if (to < ledger_schema.version || w->yes)
        return true;
    fflush(stdout);
    if (isatty(STDIN_FILENO) == 0)
        return false;
    fputs("bring the books up, after a copy of them? [y/N] ", stderr);
    return fgets(line, sizeof(line), stdin) != NULL &&
           (strcasecmp(line, "y\n") == 0 || strcasecmp(line, "yes\n") == 0);
}

/* Nobody may serve from books that change under him. */
static enum tp_err run(struct words *w, struct tp_error *e)
{
    char dir[PATH_MAX], books[PATH_MAX], copy[512] = "";
    int lock = -1;
    enum tp_err r = acquirer_dir(dir, w->dir, e);

    if (r == TP_OK)
        r = file_join(books, sizeof(books), dir, "ledger.db", e);
    if (r == TP_OK)
        r = file_lock_folder(&lock, dir, "telepay-acquirer", e);
    if (r == TP_OK)
        r = db_upgrade(books, &ledger_schema, copy, say_step, w, e);
    if (r == TP_ERR_CANCELLED && isatty(STDIN_FILENO) == 0)
        r = tp_fail(e, TP_ERR_USAGE,
                    "%s stays as it is: say --yes to have it brought up without being asked",
                    books);
    if (r == TP_OK && copy[0] == '\0')
        printf("%s is of today's version (%zu): there is nothing to do\n", books,
               ledger_schema.version);
    else if (r == TP_OK)
        printf("%s is now of version %zu; as it was: %s\n", books, ledger_schema.version, copy);
    if (lock >= 0)
        close(lock);
    return r;
}

int acquirer_upgrade(int argc, char **argv)
{
    static const struct argp_option options[] = {
        OPTION_DIR, {"yes", KEY_YES, NULL, 0, "Do it without asking", 0}, {0}};
    static const struct argp argp = {options,
                                     parse,
                                     NULL,
                                     "Bring up books that an older version made: says what each "
                                     "step does, asks, keeps a copy beside them.",
                                     NULL,
                                     NULL,
                                     NULL};
    struct words w = {0};
    struct tp_error e = {TP_OK, ""};

    cli_parse(&argp, argc, argv, &w);
    return run(&w, &e) == TP_OK ? CLI_DONE : cli_report(&e);
}
