#include "purse/option.h"

#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "base/file.h"
#include "base/log.h"
#include "base/table.h"
#include "base/word.h"
#include "order/members.h"
#include "store/db.h"

#define NAME_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-"

error_t option_parse(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;
    const struct {
        int key;
        const char **word;
    } texts[] = {
        {'d', &w->dir},
        {'n', &w->name},
        {'l', &w->listen},
        {'C', &w->currency},
        {'i', &w->id},
        {'a', &w->account},
        {'m', &w->amount},
        {'r', &w->reference},
        {OPTION_KEY_HOST, &w->hosts},
        {OPTION_KEY_STORE, &w->store},
        {OPTION_KEY_IBAN, &w->iban},
        {OPTION_KEY_BIC, &w->bic},
        {OPTION_KEY_OUT, &w->out},
        {OPTION_KEY_URL, &w->url},
        {OPTION_KEY_REASON, &w->reason},
        {OPTION_KEY_NUMBER, &w->number},
        {OPTION_KEY_FILE, &w->file},
        {OPTION_KEY_AUTHORITY, &w->authority},
        {OPTION_KEY_NOTE, &w->note},
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (key == texts[i].key) {
            *texts[i].word = arg;
            return 0;
        }
    }
    if (key == 'c' && w->contracts < OPTION_CONTRACTS) {
        w->contract[w->contracts++] = arg;
        return 0;
    }
    if (key == 'j') {
        w->json = true;
        return 0;
    }
    if (key == OPTION_KEY_ALL) {
        w->all = true;
        return 0;
    }
    if (key == 'v') {
        log_start("telepay-purse", LOG_LEVEL_TRACE, 1);
        return 0;
    }
    if (key == ARGP_KEY_ARG && w->makes && w->dir == NULL) {
        w->dir = arg;
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

enum tp_err option_dir(char *out, const char *given, struct tp_error *e)
{
    static const struct file_home home = {"purse", "purse", "/var/lib/telepay/purse", BOOK_FILE,
                                          DB_WHERE_FILE};

    return file_home(out, &home, given, e);
}

enum tp_err option_open(struct book **b, char dir[PATH_MAX], const struct words *w,
                        struct tp_error *e)
{
    const enum tp_err r = option_dir(dir, w->dir, e);

    *b = NULL;
    return r == TP_OK ? book_open(b, dir, e) : r;
}

enum tp_err option_need(const char *word, const char *option, struct tp_error *e)
{
    return word != NULL ? TP_OK : tp_fail(e, TP_ERR_USAGE, "%s is needed", option);
}

enum tp_err option_account(const char *word, struct tp_error *e)
{
    return word != NULL && member_is_hash(word)
               ? TP_OK
               : tp_fail(e, TP_ERR_USAGE,
                         "--account takes the 43 characters of an account's number: "
                         "telepay-purse account list");
}

enum tp_err option_contract(const char *word, const char *option, struct tp_error *e)
{
    return word != NULL && member_is_contract(word)
               ? TP_OK
               : tp_fail(e, TP_ERR_USAGE, "%s is needed, with 15 letters or digits", option);
}

enum tp_err option_mediator(const char *word, struct tp_error *e)
{
    const size_t n = word != NULL ? strspn(word, NAME_CHARS) : 0;

    return n > 0 && n < BOOK_MEDIATOR && word[n] == '\0'
               ? TP_OK
               : tp_fail(e, TP_ERR_USAGE, "--name is needed, with 1 to %d letters, digits and -",
                         BOOK_MEDIATOR - 1);
}

enum tp_err option_text(char *out, size_t cap, const char *option, const char *text,
                        struct tp_error *e)
{
    const enum tp_err r = word_check(text, option, cap - 1, e);

    if (r != TP_OK)
        return r;
    return snprintf(out, cap, "%s", text) < (int)cap
               ? TP_OK
               : tp_fail(e, TP_ERR_USAGE, "%s has more than %zu bytes", option, cap - 1);
}

enum tp_err option_name(const char **out, const struct words *w, struct tp_error *e)
{
    *out = w->name;
    return option_mediator(w->name, e);
}

/* ---- commands of one shape ---- */

int option_shut(const struct argp *argp, const struct option_shutting *how, int argc, char **argv)
{
    struct words w = {.dir = NULL};
    struct book *b = NULL;
    const char *name = NULL;
    char dir[PATH_MAX];
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(argp, argc, argv, &w);
    r = how->name(&name, &w, &e);
    if (r == TP_OK)
        r = option_open(&b, dir, &w, &e);
    if (r == TP_OK)
        r = how->shut(b, name, &e);
    book_close(&b);
    if (r == TP_OK)
        printf("%s %s %s\n", how->what, name, how->now);
    return cli_end(r, &e);
}

static enum tp_err door_row(void *ctx, const struct book_door *d, struct tp_error *e)
{
    char added[TIME_TEXT_MAX], closed[TIME_TEXT_MAX];
    const char *const cells[] = {d->name, time_shown(added, d->added),
                                 time_shown(closed, d->closed)};

    return table_row(ctx, cells, e);
}

int option_doors(const struct argp *argp, const char *what, const char *head,
                 option_each_door *each, int argc, char **argv)
{
    const struct table_column columns[] = {
        {head, TABLE_TEXT}, {"added", TABLE_TIME}, {"closed", TABLE_TIME}};
    struct words w = {.dir = NULL};
    struct book *b = NULL;
    struct table *table = NULL;
    char dir[PATH_MAX];
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(argp, argc, argv, &w);
    r = option_open(&b, dir, &w, &e);
    if (r == TP_OK)
        r = table_new(&table, what, columns, sizeof(columns) / sizeof(columns[0]), w.json, &e);
    if (r == TP_OK)
        r = each(b, door_row, table, &e);
    r = table_end(&table, r, &e);
    book_close(&b);
    return cli_end(r, &e);
}
