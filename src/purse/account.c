/* telepay-purse account list | show | stop | open | close | fill | refund */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/date.h"
#include "base/table.h"
#include "base/text.h"
#include "order/key_files.h"
#include "purse/commands.h"
#include "purse/option.h"
#include "purse/record.h"
#include "purse/settings.h"

/* ---- list, show ---- */

static enum tp_err account_row(void *ctx, const struct account *a, struct tp_error *e)
{
    char balance[MONEY_TEXT_MAX], reserved[MONEY_TEXT_MAX], opened[TIME_TEXT_MAX], counter[24];
    const char *const cells[] = {a->account,
                                 money_shown(balance, a->balance, a->currency),
                                 money_shown(reserved, a->reserved, a->currency),
                                 currency_shown(a->currency),
                                 account_state_name(a->state),
                                 a->reason,
                                 counter,
                                 time_shown(opened, a->opened)};

    snprintf(counter, sizeof(counter), "%" PRId64, a->counter);
    return table_row(ctx, cells, e);
}

/* All accounts, or the one that was named. */
static int list(const struct argp *argp, bool one, int argc, char **argv)
{
    static const struct table_column columns[] = {{"account", TABLE_TEXT},
                                                  {"balance", TABLE_RIGHT},
                                                  {"reserved", TABLE_RIGHT | TABLE_LESSER},
                                                  {"currency", TABLE_TEXT},
                                                  {"state", TABLE_TEXT},
                                                  {"reason", TABLE_WORDS | TABLE_LESSER},
                                                  {"counter", TABLE_NUMBER | TABLE_LESSER},
                                                  {"opened", TABLE_TIME | TABLE_LESSER}};
    struct words w = {.dir = NULL};
    struct book *b = NULL;
    struct table *table = NULL;
    struct account a;
    char dir[PATH_MAX];
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(argp, argc, argv, &w);
    r = one ? option_account(w.account, &e) : TP_OK;
    if (r == TP_OK)
        r = option_open(&b, dir, &w, &e);
    if (r == TP_OK)
        r = table_new(&table, "accounts", columns, sizeof(columns) / sizeof(columns[0]), w.json,
                      &e);
    if (r == TP_OK && one)
        r = book_account_get(b, w.account, &a, &e);
    if (r == TP_OK)
        r = one ? account_row(table, &a, &e) : book_account_each(b, account_row, table, &e);
    r = table_end(&table, r, &e);
    book_close(&b);
    return cli_end(r, &e);
}

int purse_cmd_account_list(int argc, char **argv)
{
    static const struct argp_option options[] = {OPTION_DIR, OPTION_JSON, {0}};
    static const struct argp argp = {options,     option_parse, NULL, N_("List the accounts."),
                                     table_words, NULL,         NULL};

    return list(&argp, false, argc, argv);
}

int purse_cmd_account_show(int argc, char **argv)
{
    static const struct argp_option options[] = {OPTION_ACCOUNT, OPTION_DIR, OPTION_JSON, {0}};
    static const struct argp argp = {options,     option_parse, NULL, N_("Show one account."),
                                     table_words, NULL,         NULL};

    return list(&argp, true, argc, argv);
}

/* ---- stop, open, close ---- */

static int set(const struct argp *argp, enum account_state state, int argc, char **argv)
{
    struct words w = {.dir = NULL};
    struct book *b = NULL;
    char dir[PATH_MAX], reason[BOOK_REASON] = "";
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(argp, argc, argv, &w);
    r = option_account(w.account, &e);
    if (r == TP_OK && state == ACCOUNT_STOPPED)
        r = option_need(w.reason, "--reason", &e);
    if (r == TP_OK && w.reason != NULL)
        r = option_text(reason, sizeof(reason), "--reason", w.reason, &e);
    if (r == TP_OK)
        r = option_open(&b, dir, &w, &e);
    if (r == TP_OK)
        r = book_account_set(b, w.account, state, reason, &e);
    book_close(&b);
    if (r == TP_OK)
        printf(_("account %s is %s\n"), w.account, account_state_name(state));
    return cli_end(r, &e);
}

int purse_cmd_account_stop(int argc, char **argv)
{
    static const struct argp_option options[] = {
        OPTION_ACCOUNT,
        {"reason", OPTION_KEY_REASON, "TEXT", 0, N_("Why, as the books keep it"), 0},
        OPTION_DIR,
        {0}};
    static const struct argp argp = {
        options, option_parse, NULL, N_("Stop an account: it pays nothing, and its key stays."),
        NULL,    NULL,         NULL};

    return set(&argp, ACCOUNT_STOPPED, argc, argv);
}

static const struct argp_option set_options[] = {OPTION_ACCOUNT, OPTION_DIR, {0}};

int purse_cmd_account_open(int argc, char **argv)
{
    static const struct argp argp = {
        set_options, option_parse, NULL, N_("Open an account again that was stopped."),
        NULL,        NULL,         NULL};

    return set(&argp, ACCOUNT_OPEN, argc, argv);
}

int purse_cmd_account_close(int argc, char **argv)
{
    static const struct argp argp = {
        set_options, option_parse, NULL, N_("Close an account that is empty, for ever."),
        NULL,        NULL,         NULL};

    return set(&argp, ACCOUNT_CLOSED, argc, argv);
}

/* ---- fill, refund ---- */

static enum tp_err read_booking(struct booking *what, struct book *b, const struct words *w,
                                struct tp_error *e)
{
    struct account a;
    enum tp_err r = book_account_get(b, w->account, &a, e);

    if (r == TP_OK)
        r = money_parse(&what->amount, currency_by_numeric(a.currency), w->amount, e);
    if (r == TP_OK)
        r = option_text(what->reference, sizeof(what->reference), "--reference", w->reference, e);
    if (r != TP_OK)
        return r;
    snprintf(what->account, sizeof(what->account), "%s", w->account);
    what->currency = a.currency;
    what->at = time(NULL);
    return TP_OK;
}

static enum tp_err book_it(struct booking *what, struct book *b, const char *dir,
                           struct tp_error *e)
{
    struct purse_settings settings;
    const struct purse_currency *limits;
    struct order_key key = {.jwk = NULL};
    char *record = NULL;
    enum tp_err r = settings_load(&settings, dir, e);

    if (r == TP_OK)
        r = key_files_load(&key, dir, "acknowledgement", e);
    if (r == TP_OK)
        r = record_write(&record, what, &key, e);
    if (r == TP_OK) {
        limits = settings_currency(&settings, what->currency);
        what->record = span_str(record);
        r = book_book(b, what, limits != NULL ? limits->balance : 0, e);
    }
    order_key_free(&key);
    free(record);
    return r;
}

static int move(const struct argp *argp, enum booking_kind kind, int argc, char **argv)
{
    struct words w = {.dir = NULL};
    struct booking what = {.kind = kind};
    struct book *b = NULL;
    char dir[PATH_MAX], amount[MONEY_TEXT_MAX];
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(argp, argc, argv, &w);
    r = option_account(w.account, &e);
    if (r == TP_OK && (w.amount == NULL || w.reference == NULL))
        r = tp_fail(&e, TP_ERR_USAGE, "--amount and --reference are needed");
    if (r == TP_OK)
        r = option_open(&b, dir, &w, &e);
    if (r == TP_OK)
        r = read_booking(&what, b, &w, &e);
    if (r == TP_OK)
        r = book_it(&what, b, dir, &e);
    book_close(&b);
    if (r == TP_OK)
        printf(_("%s %s %s account %s\n"), money_shown(amount, what.amount, what.currency),
               currency_shown(what.currency),
               kind == BOOKING_FILLED ? _("came into") : _("went back from"), what.account);
    return cli_end(r, &e);
}

static const struct argp_option move_options[] = {
    OPTION_ACCOUNT,
    {"amount", 'm', "AMOUNT", 0, N_("How much, as 12.50"), 0},
    {"reference", 'r', "TEXT", 0, N_("The transfer's reference: booked once"), 0},
    OPTION_DIR,
    {0}};

int purse_cmd_account_fill(int argc, char **argv)
{
    static const struct argp argp = {
        move_options, option_parse, NULL, N_("Book a transfer that came in for an account."),
        NULL,         NULL,         NULL};

    return move(&argp, BOOKING_FILLED, argc, argv);
}

int purse_cmd_account_refund(int argc, char **argv)
{
    static const struct argp argp = {
        move_options,
        option_parse,
        NULL,
        N_("Book a transfer by which credit was given back to who holds the account's key."),
        NULL,
        NULL,
        NULL};

    return move(&argp, BOOKING_GIVEN_BACK, argc, argv);
}
