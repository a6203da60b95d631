/* telepay-acquirer refusals */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acquirer/commands.h"
#include "acquirer/option.h"
#include "base/log.h"
#include "base/text.h"

struct words {
    const char *dir, *contract;
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
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static enum tp_err list_row(void *ctx, const struct refusal *x, struct tp_error *e)
{
    char at[TIME_TEXT_MAX], stan[8], amount[MONEY_TEXT_MAX];
    const char *const cells[] = {
        at,      x->contract, x->terminal, stan, amount, currency_shown(x->currency), x->pan_masked,
        x->code, x->reason};

    time_shown(at, x->at);
    snprintf(stan, sizeof(stan), "%06" PRIu32, x->stan % 1000000);
    money_shown(amount, x->amount, x->currency);
    return table_row(ctx, cells, e);
}

int acquirer_refusals(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"contract", 'c', "ID", 0, N_("Only this contract's"), 0}, OPTION_DIR, OPTION_JSON, {0}};
    static const struct argp argp = {options,
                                     parse,
                                     NULL,
                                     N_("List the payments that were refused, with the reason, "
                                        "oldest first: of one terminal a thousand a day are kept."),
                                     table_words,
                                     NULL,
                                     NULL};
    static const struct table_column columns[] = {{"at", TABLE_TIME},
                                                  {"contract", TABLE_TEXT | TABLE_LESSER},
                                                  {"terminal", TABLE_TEXT | TABLE_LESSER},
                                                  {"stan", TABLE_TEXT},
                                                  {"amount", TABLE_RIGHT},
                                                  {"currency", TABLE_TEXT},
                                                  {"pan_masked", TABLE_TEXT | TABLE_LESSER},
                                                  {"answer", TABLE_TEXT},
                                                  {"reason", TABLE_WORDS}};
    struct words w = {0};
    struct listing list = {0};
    int64_t beyond = 0;
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = listing_start(&list, w.dir, "refusals", columns, sizeof(columns) / sizeof(columns[0]),
                      w.json);
    if (r == TP_OK)
        r = ledger_refusal_each(list.l, w.contract, list_row, list.table, &list.e);
    if (r == TP_OK)
        r = ledger_refusal_beyond(list.l, w.contract, &beyond, &list.e);
    if (r == TP_OK && beyond > 0)
        log_note("%" PRId64 " more were counted and not kept", beyond);
    return listing_end(&list, r);
}
