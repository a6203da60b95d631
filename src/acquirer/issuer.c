/* telepay-acquirer issuer add | list | remove; authorisations */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "acquirer/commands.h"
#include "acquirer/issuers.h"
#include "acquirer/option.h"
#include "base/file.h"
#include "base/text.h"

struct words {
    const char *dir, *from, *name, *issuer, *state;
    bool json, names;
};

enum { KEY_FROM = 256, KEY_STATE };

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;

    switch (key) {
    case 'd':
        w->dir = arg;
        return 0;
    case 'j':
        w->json = true;
        return 0;
    case KEY_FROM:
        w->from = arg;
        return 0;
    case 'i':
        w->issuer = arg;
        return 0;
    case KEY_STATE:
        w->state = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (!w->names || w->name != NULL)
            return ARGP_ERR_UNKNOWN;
        w->name = arg;
        return 0;
    case ARGP_KEY_END:
        if (w->names && w->name == NULL)
            argp_error(state, _("name the issuer, as in issuer list"));
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- add ---- */

static enum tp_err write_conf(const struct issuer *i, const char *dir, struct tp_error *e)
{
    char path[PATH_MAX], iins[ISSUER_IINS_MAX * ISSUER_IIN_MAX] = "", text[2048];
    size_t used = 0;
    enum tp_err r = file_join(path, sizeof(path), dir, "issuer.conf", e);

    for (size_t k = 0; k < i->iins; k++)
        used +=
            (size_t)snprintf(iins + used, sizeof(iins) - used, "%s%s", k > 0 ? " " : "", i->iin[k]);
    const int n = snprintf(text, sizeof(text),
                           "# The issuer %s, as telepay-acquirer issuer add took it. File names "
                           "are relative to this file.\n"
                           "\n"
                           "[issuer]\n"
                           "name = %s\n"
                           "host = %s\n"
                           "port = %s\n"
                           "# what the issuer knows this acquirer by (DE 32)\n"
                           "acquirer = %s\n"
                           "# beginnings of the card numbers that are asked there\n"
                           "iins = %s\n"
                           "ca = ca.pem\n"
                           "certificate = acquirer.pem\n"
                           "key = acquirer.key\n",
                           i->name, i->name, i->host, i->port, i->acquirer, iins);

    if (r == TP_OK && (n < 0 || (size_t)n >= sizeof(text)))
        r = tp_fail(e, TP_ERR_RANGE, "the issuer's configuration is too long");
    return r == TP_OK ? file_replace(path, span_of(text, (size_t)n), 0644, e) : r;
}

/* Another issuer for the same cards would leave it to chance who is asked. */
static enum tp_err apart(void *ctx, const struct issuer *other, struct tp_error *e)
{
    const struct issuer *mine = ctx;

    if (strcmp(mine->name, other->name) == 0)
        return tp_fail(e, TP_ERR_EXISTS, "there is an issuer %s already: remove it first",
                       other->name);
    for (size_t i = 0; i < mine->iins; i++)
        for (size_t k = 0; k < other->iins; k++)
            if (strcmp(mine->iin[i], other->iin[k]) == 0)
                return tp_fail(e, TP_ERR_EXISTS,
                               "card numbers that begin with %s are asked at issuer %s already",
                               other->iin[k], other->name);
    return TP_OK;
}

/* Made under a name that nobody reads, then renamed: an issuer is there whole or not at all. */
static enum tp_err install(const struct issuer *i, const char *dir, struct tp_error *e)
{
    char folder[PATH_MAX], made[PATH_MAX], wanted[PATH_MAX], hidden[ISSUER_NAME_MAX + 8];
    enum tp_err r = file_check_private(i->tls.key, e); /* others may have it already */

    if (r == TP_OK)
        r = file_join(folder, sizeof(folder), dir, "issuers", e);
    snprintf(hidden, sizeof(hidden), ".new-%s", i->name);
    if (r == TP_OK)
        r = file_join(made, sizeof(made), folder, hidden, e);
    if (r == TP_OK)
        r = file_join(wanted, sizeof(wanted), folder, i->name, e);
    if (r == TP_OK)
        r = file_make_dir(made, 0700, e);
    if (r == TP_OK)
        r = file_copy(i->tls.ca, made, "ca.pem", 0644, e);
    if (r == TP_OK)
        r = file_copy(i->tls.certificate, made, "acquirer.pem", 0644, e);
    if (r == TP_OK)
        r = file_copy(i->tls.key, made, "acquirer.key", 0600, e);
    if (r == TP_OK)
        r = write_conf(i, made, e);
    if (r == TP_OK && rename(made, wanted) != 0)
        r = tp_fail(e, TP_ERR_IO, "cannot rename %s to %s: %s", made, wanted, strerror(errno));
    return r;
}

int acquirer_issuer_add(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"from", KEY_FROM, "DIR", 0,
         N_("What the issuer gave: telepay-issuer acquirer add --out DIR"), 0},
        OPTION_DIR,
        {0}};
    static const struct argp argp = {
        options,
        parse,
        NULL,
        N_("Add an issuer that is asked about its cards. serve takes it in when it starts."),
        NULL,
        NULL,
        NULL};
    static struct issuer i;
    struct words w = {0};
    struct tp_error e = {TP_OK, ""};
    char dir[PATH_MAX];
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = w.from != NULL
            ? acquirer_dir(dir, w.dir, &e)
            : tp_fail(&e, TP_ERR_USAGE, "name with --from the folder that the issuer gave");
    if (r == TP_OK)
        r = issuer_load(&i, w.from, &e);
    if (r == TP_OK)
        r = issuers_each(dir, apart, &i, &e);
    if (r == TP_OK)
        r = install(&i, dir, &e);
    if (r != TP_OK)
        return cli_report(&e);
    printf(ngettext("issuer %s is asked at %s:%s about the cards of %zu IIN\nnext: start "
                    "telepay-acquirer serve again\n",
                    "issuer %s is asked at %s:%s about the cards of %zu IINs\nnext: start "
                    "telepay-acquirer serve again\n",
                    i.iins),
           i.name, i.host, i.port, i.iins);
    return CLI_DONE;
}

/* ---- list ---- */

struct waiting {
    unsigned n;
};

static enum tp_err count(void *ctx, const struct authorisation *a, struct tp_error *e)
{
    struct waiting *w = ctx;

    (void)a;
    (void)e;
    w->n++;
    return TP_OK;
}

static enum tp_err list_row(void *ctx, const struct issuer *i, struct tp_error *e)
{
    struct listing *list = ctx;
    struct waiting to_reverse = {0};
    char address[280], iins[ISSUER_IINS_MAX * ISSUER_IIN_MAX] = "", waits[16];
    const char *const cells[] = {i->name, address, i->acquirer, iins, waits};
    size_t used = 0;
    const enum tp_err r = ledger_authorisation_each(list->l, i->name, AUTHORISATION_TO_REVERSE, 0,
                                                    count, &to_reverse, e);

    if (r != TP_OK)
        return r;
    for (size_t k = 0; k < i->iins; k++)
        used +=
            (size_t)snprintf(iins + used, sizeof(iins) - used, "%s%s", k > 0 ? " " : "", i->iin[k]);
    snprintf(address, sizeof(address), "%s:%s", i->host, i->port);
    snprintf(waits, sizeof(waits), "%u", to_reverse.n);
    return table_row(list->table, cells, e);
}

int acquirer_issuer_list(int argc, char **argv)
{
    static const struct argp_option options[] = {OPTION_DIR, OPTION_JSON, {0}};
    static const struct argp argp = {
        options,     parse,
        NULL,        N_("List the issuers, and how many reversals each has not acknowledged yet."),
        table_words, NULL,
        NULL};
    static const struct table_column columns[] = {{"issuer", TABLE_TEXT},
                                                  {"address", TABLE_WORDS},
                                                  {"acquirer", TABLE_TEXT},
                                                  {"iins", TABLE_WORDS | TABLE_LESSER},
                                                  {"to_reverse", TABLE_NUMBER}};
    struct words w = {0};
    struct listing list = {0};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = listing_start(&list, w.dir, "issuers", columns, sizeof(columns) / sizeof(columns[0]),
                      w.json);
    if (r == TP_OK)
        r = issuers_each(list.dir, list_row, &list, &list.e);
    return listing_end(&list, r);
}

/* ---- remove ---- */

/* One that still has something to reverse is the only way to reverse it. */
static enum tp_err nothing_waits(struct ledger *l, const char *name, struct tp_error *e)
{
    struct waiting to_reverse = {0}, asked = {0};
    enum tp_err r =
        ledger_authorisation_each(l, name, AUTHORISATION_TO_REVERSE, 0, count, &to_reverse, e);

    if (r == TP_OK)
        r = ledger_authorisation_each(l, name, AUTHORISATION_ASKED, 0, count, &asked, e);
    if (r == TP_OK && to_reverse.n + asked.n > 0)
        r = tp_fail(e, TP_ERR_STATE,
                    "issuer %s has %u questions that are not settled: see authorisations --issuer "
                    "%s, and let serve run",
                    name, to_reverse.n + asked.n, name);
    return r;
}

static enum tp_err find(char folder[PATH_MAX], const char *dir, const char *name,
                        struct tp_error *e)
{
    char word[ISSUER_NAME_MAX + 16];
    enum tp_err r;

    if (strchr(name, '/') != NULL || strlen(name) >= ISSUER_NAME_MAX || name[0] == '.')
        return tp_fail(e, TP_ERR_NOT_FOUND, "there is no issuer \"%.40s\": see issuer list", name);
    snprintf(word, sizeof(word), "issuers/%s", name);
    r = file_join(folder, PATH_MAX, dir, word, e);
    return r == TP_OK && access(folder, F_OK) != 0
               ? tp_fail(e, TP_ERR_NOT_FOUND, "there is no issuer %s: see issuer list", name)
               : r;
}

static enum tp_err take_away(const char *dir, const char *name, struct tp_error *e)
{
    static const char *const files[] = {"issuer.conf", "acquirer.key", "acquirer.pem",
                                        "ca.pem"}; /* the first makes it an issuer */
    char folder[PATH_MAX], path[PATH_MAX];
    enum tp_err r = find(folder, dir, name, e);

    for (size_t i = 0; r == TP_OK && i < sizeof(files) / sizeof(files[0]); i++) {
        r = file_join(path, sizeof(path), folder, files[i], e);
        if (r == TP_OK && unlink(path) != 0 && errno != ENOENT)
            r = tp_fail(e, TP_ERR_IO, "cannot remove %s: %s", path, strerror(errno));
    }
    if (r == TP_OK && rmdir(folder) != 0)
        r = tp_fail(e, TP_ERR_IO, "cannot remove %s: %s", folder, strerror(errno));
    return r;
}

int acquirer_issuer_remove(int argc, char **argv)
{
    static const struct argp_option options[] = {OPTION_DIR, {0}};
    static const struct argp argp = {
        options,
        parse,
        N_("NAME"),
        N_("Ask an issuer no more. One that has not acknowledged every reversal stays."),
        NULL,
        NULL,
        NULL};
    struct words w = {.names = true};
    struct ledger *l = NULL;
    struct tp_error e = {TP_OK, ""};
    char dir[PATH_MAX];
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = option_open(&l, dir, w.dir, &e);
    if (r == TP_OK)
        r = nothing_waits(l, w.name, &e);
    if (r == TP_OK)
        r = take_away(dir, w.name, &e);
    ledger_close(&l);
    if (r != TP_OK)
        return cli_report(&e);
    printf(_("issuer %s is asked no more\nnext: start telepay-acquirer serve again\n"), w.name);
    return CLI_DONE;
}

/* ---- authorisations ---- */

static enum tp_err authorisation_row(void *ctx, const struct authorisation *a, struct tp_error *e)
{
    char asked[TIME_TEXT_MAX], stan[16], amount[MONEY_TEXT_MAX];
    const char *const cells[] = {a->tx.rrn,
                                 time_shown(asked, a->asked),
                                 a->issuer,
                                 a->tx.contract,
                                 a->tx.terminal,
                                 stan,
                                 money_shown(amount, a->tx.amount, a->tx.currency),
                                 currency_shown(a->tx.currency),
                                 a->tx.pan_masked,
                                 authorisation_state_name(a->state),
                                 a->said.code,
                                 a->said.reason,
                                 a->said.approval};

    snprintf(stan, sizeof(stan), "%06" PRIu32, a->tx.stan);
    return table_row(ctx, cells, e);
}

static enum tp_err read_state(int *out, const char *text, struct tp_error *e)
{
    *out = -1;
    if (text == NULL)
        return TP_OK;
    for (int s = AUTHORISATION_ASKED; s <= AUTHORISATION_REVERSED; s++)
        if (strcmp(text, authorisation_state_name((enum authorisation_state)s)) == 0 ||
            (s == AUTHORISATION_TO_REVERSE && strcmp(text, "to-reverse") == 0))
            *out = s;
    return *out >= 0
               ? TP_OK
               : tp_fail(e, TP_ERR_USAGE,
                         "\"%.40s\" is no state: asked, approved, refused, to-reverse or reversed",
                         text);
}

/* One that was removed is still there with what it was asked. */
static enum tp_err was_asked(const struct listing *list, const char *name, struct tp_error *e)
{
    struct waiting any = {0};
    char folder[PATH_MAX];
    enum tp_err r = ledger_authorisation_each(list->l, name, -1, 0, count, &any, e);

    return r == TP_OK && any.n == 0 ? find(folder, list->dir, name, e) : r;
}

int acquirer_authorisations(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"issuer", 'i', "NAME", 0, N_("Only what this issuer was asked"), 0},
        {"state", KEY_STATE, "STATE", 0,
         N_("Only those asked, approved, refused, to-reverse or reversed"), 0},
        OPTION_DIR,
        OPTION_JSON,
        {0},
    };
    static const struct argp argp = {
        options,     parse, NULL, N_("List what issuers were asked, and what came of it."),
        table_words, NULL,  NULL};
    static const struct table_column columns[] = {{"rrn", TABLE_TEXT},
                                                  {"asked", TABLE_TIME},
                                                  {"issuer", TABLE_WORDS},
                                                  {"contract", TABLE_TEXT | TABLE_LESSER},
                                                  {"terminal", TABLE_TEXT | TABLE_LESSER},
                                                  {"stan", TABLE_TEXT | TABLE_LESSER},
                                                  {"amount", TABLE_RIGHT},
                                                  {"currency", TABLE_TEXT},
                                                  {"pan_masked", TABLE_TEXT | TABLE_LESSER},
                                                  {"state", TABLE_TEXT},
                                                  {"answer", TABLE_TEXT | TABLE_LESSER},
                                                  {"reason", TABLE_WORDS | TABLE_LESSER},
                                                  {"approval", TABLE_TEXT | TABLE_LESSER}};
    struct words w = {0};
    struct listing list = {0};
    int state = -1;
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = read_state(&state, w.state, &list.e);
    if (r == TP_OK)
        r = listing_start(&list, w.dir, "authorisations", columns,
                          sizeof(columns) / sizeof(columns[0]), w.json);
    if (r == TP_OK && w.issuer != NULL)
        r = was_asked(&list, w.issuer, &list.e);
    if (r == TP_OK)
        r = ledger_authorisation_each(list.l, w.issuer, state, 0, authorisation_row, list.table,
                                      &list.e);
    return listing_end(&list, r);
}
