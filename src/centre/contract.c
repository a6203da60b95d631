/* telepay-centre contract list, contract assign: whose a contract number is. */
#include "centre/commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "base/text.h"
#include "base/word.h"
#include "centre/option.h"

struct words {
    const char *dir, *contract, *acquirer;
    bool json;
};

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
    case 'c':
        w->contract = arg;
        return 0;
    case 'a':
        w->acquirer = arg;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- contract list ---- */

static enum tp_err row(void *ctx, const struct centre_contract *c, struct tp_error *e)
{
    char remises[24], last[16], changed[TIME_TEXT_MAX] = "";
    const char *const cells[] = {
        c->id,   c->acquirer, table_bool(c->held),
        remises, last,        c->changed != 0 ? time_format(changed, c->changed) : NULL};

    snprintf(remises, sizeof(remises), "%" PRIu64, c->remises);
    snprintf(last, sizeof(last), "%" PRIu32, c->last);
    return table_row(ctx, cells, e);
}

int centre_cmd_contract_list(int argc, char **argv)
{
    static const struct argp_option options[] = {
        OPTION_DIR, OPTION_JSON, {NULL, 0, NULL, 0, NULL, 0}};
    static const struct argp argp = {
        options,     parse, NULL, N_("Whose each contract number is, and whose it was."),
        table_words, NULL,  NULL};
    static const struct table_column columns[] = {
        {"contract", TABLE_TEXT},       {"acquirer", TABLE_TEXT},      {"holds", TABLE_BOOL},
        {"remise_count", TABLE_NUMBER}, {"last_remise", TABLE_NUMBER}, {"changed", TABLE_TIME}};
    struct words w = {.json = false};
    struct listing list;
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = listing_start(&list, w.dir, "contracts", columns, sizeof(columns) / sizeof(columns[0]),
                      w.json);
    if (r == TP_OK)
        r = centre_contract_each(list.store, row, list.table, &list.e);
    return listing_end(&list, r);
}

/* ---- contract assign ---- */

static void say_assigned(const struct words *w, const char *before)
{
    if (before[0] == '\0')
        printf(_("contract %s is acquirer %s's\n"), w->contract, w->acquirer);
    else if (strcmp(before, w->acquirer) == 0)
        printf(_("contract %s was acquirer %s's already\n"), w->contract, w->acquirer);
    else
        printf(
            _("contract %s is acquirer %s's now; what %s sent for it stays as it was answered\n"),
            w->contract, w->acquirer, before);
}

int centre_cmd_contract_assign(int argc, char **argv)
{
    static const struct argp_option options[] = {
        OPTION_DIR,
        {"contract", 'c', "NUMBER", 0, N_("the contract number"), 0},
        {"acquirer", 'a', "ID", 0, N_("whose it is from now on"), 0},
        {NULL, 0, NULL, 0, NULL, 0}};
    static const struct argp argp = {options,
                                     parse,
                                     NULL,
                                     N_("Give a contract number to an acquirer: before its first "
                                        "remise, or when another sent for it by mistake."),
                                     NULL,
                                     NULL,
                                     NULL};
    struct words w = {.json = false};
    struct centre_store *store = NULL;
    char before[CAAA_ID_MAX] = "";
    struct tp_error e = {TP_OK, ""};
    enum tp_err r = TP_OK;

    cli_parse(&argp, argc, argv, &w);
    if (w.contract == NULL || w.acquirer == NULL)
        r = tp_fail(&e, TP_ERR_USAGE, "say which and whose: --contract NUMBER --acquirer ID");
    if (r == TP_OK)
        r = word_check(w.contract, "contract number", CAAA_ID_MAX - 1, &e);
    if (r == TP_OK)
        r = option_open(&store, w.dir, &e);
    if (r == TP_OK)
        r = centre_contract_assign(store, w.contract, w.acquirer, before, &e);
    centre_store_close(&store);
    if (r != TP_OK)
        return cli_report(&e);
    say_assigned(&w, before);
    return CLI_DONE;
}
