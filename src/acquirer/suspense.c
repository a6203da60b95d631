/* telepay-acquirer suspense list | settle */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acquirer/commands.h"
#include "acquirer/option.h"
#include "base/text.h"
#include "base/word.h"

struct words {
    const char *dir, *rrn, *note;
    bool json, all, settle;
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
    case 'a':
        w->all = true;
        return 0;
    case 'n':
        w->note = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (!w->settle || w->rrn != NULL)
            return ARGP_ERR_UNKNOWN;
        w->rrn = arg;
        return 0;
    case ARGP_KEY_END:
        if (w->settle && (w->rrn == NULL || w->note == NULL))
            argp_error(state, _("name the transaction by its reference number (rrn), and say with "
                                "--note how it was settled"));
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static enum tp_err list_row(void *ctx, const struct suspense_item *i, struct tp_error *e)
{
    char remise[16], amount[MONEY_TEXT_MAX], since[TIME_TEXT_MAX], settled[TIME_TEXT_MAX];
    const char *const cells[] = {i->rrn,
                                 i->contract,
                                 remise,
                                 tx_kind_name(i->kind),
                                 amount,
                                 currency_shown(i->currency),
                                 i->pan_masked,
                                 i->reason,
                                 since,
                                 i->settled != 0 ? settled : NULL,
                                 i->settled != 0 ? i->note : NULL};

    snprintf(remise, sizeof(remise), "%" PRIu32, i->remise);
    money_shown(amount, i->amount, i->currency);
    time_shown(since, i->since);
    time_shown(settled, i->settled);
    return table_row(ctx, cells, e);
}

int acquirer_suspense_list(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"all", 'a', NULL, 0, N_("Also those that are settled"), 0}, OPTION_DIR, OPTION_JSON, {0}};
    static const struct argp argp = {
        options,
        parse,
        NULL,
        N_("List the items that the collection centre refused and that are still to be settled."),
        table_words,
        NULL,
        NULL};
    static const struct table_column columns[] = {{"rrn", TABLE_TEXT},
                                                  {"contract", TABLE_TEXT},
                                                  {"remise", TABLE_NUMBER | TABLE_LESSER},
                                                  {"kind", TABLE_TEXT | TABLE_LESSER},
                                                  {"amount", TABLE_RIGHT},
                                                  {"currency", TABLE_TEXT},
                                                  {"pan_masked", TABLE_TEXT | TABLE_LESSER},
                                                  {"reason", TABLE_WORDS},
                                                  {"since", TABLE_TIME | TABLE_LESSER},
                                                  {"settled", TABLE_TIME},
                                                  {"note", TABLE_WORDS | TABLE_LESSER}};
    struct words w = {0};
    struct listing list = {0};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = listing_start(&list, w.dir, "suspense", columns, sizeof(columns) / sizeof(columns[0]),
                      w.json);
    if (r == TP_OK)
        r = ledger_suspense_each(list.l, w.all, list_row, list.table, &list.e);
    return listing_end(&list, r);
}

int acquirer_suspense_settle(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"note", 'n', "TEXT", 0, N_("How it was settled, for the books; no card number"), 0},
        OPTION_DIR,
        {0}};
    static const struct argp argp = {options,
                                     parse,
                                     N_("RRN"),
                                     N_("Settle a refused item: the note is kept with it for good. "
                                        "It never goes into another remise by itself."),
                                     NULL,
                                     NULL,
                                     NULL};
    struct words w = {.settle = true};
    struct ledger *l = NULL;
    struct tp_error e = {TP_OK, ""};
    char dir[PATH_MAX];
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = option_open(&l, dir, w.dir, &e);
    if (r == TP_OK)
        r = word_check(w.note, "--note", 199, &e);
    if (r == TP_OK)
        r = ledger_suspense_settle(l, w.rrn, w.note, &e);
    ledger_close(&l);
    if (r != TP_OK)
        return cli_report(&e);
    printf(_("transaction %s is settled\n"), w.rrn);
    return CLI_DONE;
}
