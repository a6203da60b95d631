/* telepay-issuer list */
#include <stdio.h>

#include "base/text.h"
#include "issuer/commands.h"
#include "issuer/option.h"

struct words {
    const char *dir, *date;
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
    case 'D':
        w->date = arg;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static enum tp_err row(void *ctx, const struct authorisation *a, struct tp_error *e)
{
    char when[TIME_TEXT_MAX], amount[MONEY_TEXT_MAX], reserved[MONEY_TEXT_MAX], atc[8];

    snprintf(atc, sizeof(atc), "%u", a->atc);
    const char *const cells[] = {time_shown(when, a->at),
                                 a->acquirer_id,
                                 a->rrn,
                                 a->masked,
                                 a->credit ? "credit" : "debit",
                                 money_shown(amount, a->amount, a->currency),
                                 currency_shown(a->currency),
                                 atc,
                                 a->answer.code,
                                 a->answer.approval,
                                 a->answer.reason,
                                 money_shown(reserved, a->reversed ? 0 : a->reserved, a->currency),
                                 table_bool(a->reversed)};

    return table_row(ctx, cells, e);
}

int issuer_list(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"date", 'D', "DATE", 0, N_("Only this day's, as 2026-11-24"), 0},
        OPTION_DIR,
        OPTION_JSON,
        {0}};
    static const struct argp argp = {options,     parse, NULL, N_("List the authorisations."),
                                     table_words, NULL,  NULL};
    static const struct table_column columns[] = {{"at", TABLE_TIME},
                                                  {"acquirer", TABLE_TEXT | TABLE_LESSER},
                                                  {"rrn", TABLE_TEXT},
                                                  {"pan_masked", TABLE_TEXT | TABLE_LESSER},
                                                  {"kind", TABLE_TEXT | TABLE_LESSER},
                                                  {"amount", TABLE_RIGHT},
                                                  {"currency", TABLE_TEXT},
                                                  {"atc", TABLE_NUMBER | TABLE_LESSER},
                                                  {"answer", TABLE_TEXT},
                                                  {"approval", TABLE_TEXT | TABLE_LESSER},
                                                  {"reason", TABLE_WORDS | TABLE_LESSER},
                                                  {"reserved", TABLE_RIGHT | TABLE_LESSER},
                                                  {"reversed", TABLE_BOOL}};
    struct words w = {0};
    struct listing l = {.table = NULL};
    int day = 0;
    enum tp_err r = TP_OK;

    cli_parse(&argp, argc, argv, &w);
    if (w.date != NULL && date_parse(&day, w.date) != TP_OK)
        r = tp_fail(&l.e, TP_ERR_USAGE, "\"%s\" is no date: write it as 2026-11-24", w.date);
    if (r == TP_OK)
        r = listing_start(&l, w.dir, "authorisations", columns,
                          sizeof(columns) / sizeof(columns[0]), w.json);
    if (r == TP_OK)
        r = book_authorisation_each(l.office.book, day, row, l.table, &l.e);
    return listing_end(&l, r);
}
