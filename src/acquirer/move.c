/* telepay-acquirer move: the books go into another store, all of them, and are held against their
 * evidence there before anybody uses them. */
#include <argp.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "acquirer/commands.h"
#include "collect/settle.h"
#include "acquirer/state.h"
#include "base/cli.h"
#include "base/file.h"
#include "base/text.h"
#include "ledger/audit.h"
#include "ledger/schema.h"
#include "store/move.h"

struct words {
    const char *dir, *to;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;

    switch (key) {
    case 'd':
        w->dir = arg;
        return 0;
    case 't':
        w->to = arg;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, _("\"%s\" is one word too many"), arg);
        return 0;
    case ARGP_KEY_END:
        if (w->to == NULL)
            argp_error(state, _("say where to: --to postgresql://HOST/DATABASE"));
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static enum tp_err no_finding(void *ctx, const struct audit_finding *f, struct tp_error *e)
{
    (void)ctx;
    (void)f;
    (void)e;
    return TP_OK;
}

static enum tp_err no_remise(void *ctx, const struct audit_remise *r, struct tp_error *e)
{
    (void)ctx;
    (void)r;
    (void)e;
    return TP_OK;
}

static enum tp_err audit(struct audit_sums *sums, const char *where, const char *dir,
                         struct tp_error *e)
{
    const struct audit_watch silent = {NULL, no_finding, no_remise};
    struct ledger *l = NULL;
    enum tp_err r = ledger_open(&l, where, e);

    if (r == TP_OK)
        r = acquirer_audit_books(l, dir, &silent, sums, e);
    ledger_close(&l);
    return r;
}

/* What was a file stays, under a name that nobody opens. */
static enum tp_err put_aside(const char *from, struct tp_error *e)
{
    char aside[DB_WHERE_MAX + 40];

    if (db_is_url(from))
        return TP_OK;
    snprintf(aside, sizeof(aside), "%s.moved-%lld", from, (long long)time(NULL));
    if (rename(from, aside) != 0)
        return tp_fail(e, TP_ERR_IO, "the books are moved, but %s cannot be put aside: %m", from);
    printf(_("The file of before is kept as %s.\n"), aside);
    return TP_OK;
}

struct moving {
    const char *dir, *to;
    struct audit_sums before;
};

/* The books are there: are they the same, everybody is sent to them. */
static enum tp_err moved(void *ctx, uint64_t rows, struct tp_error *e)
{
    const struct moving *m = ctx;
    struct audit_sums after = {0};
    enum tp_err r = audit(&after, m->to, m->dir, e);

    if (r == TP_OK && memcmp(&m->before, &after, sizeof(after)) != 0)
        r = tp_fail(e, TP_ERR_INTERNAL,
                    "the books are not the same there: they stay where they are, drop that one");
    if (r == TP_OK)
        r = db_where_set(m->dir, m->to, e);
    if (r == TP_OK)
        printf(_("%" PRIu64 " rows are moved: %" PRIu64 " transactions in %" PRIu64
                 " remises, %" PRIu64 " differences from their evidence, as before.\n"),
               rows, after.transactions, after.remises, after.findings);
    return r;
}

static enum tp_err move(const char *dir, const char *to, struct tp_error *e)
{
    struct moving m = {.dir = dir, .to = to};
    char from[DB_WHERE_MAX];
    enum tp_err r = db_where(from, dir, ACQUIRER_BOOKS, e);

    if (r == TP_OK && !db_is_url(to))
        r = tp_fail(e, TP_ERR_USAGE, "--to names a database: postgresql://HOST/DATABASE");
    if (r == TP_OK)
        r = audit(&m.before, from, dir, e);
    if (r == TP_OK)
        r = db_move(from, to, &ledger_schema, moved, &m, e);
    return r == TP_OK ? put_aside(from, e) : r;
}

int acquirer_move(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"dir", 'd', "DIR", 0, N_("the acquirer's folder"), 0},
        {"to", 't', "URL", 0, N_("an empty database: postgresql://HOST/DATABASE"), 0},
        {NULL, 0, NULL, 0, NULL, 0}};
    static const struct argp argp = {
        options, parse,
        NULL,    N_("Bring the books into another store, whole and audited, or not at all."),
        NULL,    NULL,
        NULL};
    struct words w = {NULL, NULL};
    char dir[PATH_MAX];
    struct tp_error e = {TP_OK, ""};
    int lock = -1, collecting = -1;
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = acquirer_dir(dir, w.dir, &e);
    if (r == TP_OK) /* nobody serves or collects from it meanwhile */
        r = file_lock_folder(&lock, dir, "telepay-acquirer", &e);
    if (r == TP_OK)
        r = collector_lock(&collecting, dir, &e);
    if (r == TP_OK)
        r = move(dir, w.to, &e);
    collector_unlock(&collecting);
    if (lock >= 0)
        close(lock);
    return r == TP_OK ? CLI_DONE : cli_report(&e);
}
