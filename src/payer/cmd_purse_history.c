/* telepay purse history: what became of an account, from what was signed. */
#include <inttypes.h>
#include <stdio.h>

#include "base/date.h"
#include "base/log.h"
#include "base/table.h"
#include "base/text.h"
#include "base/word.h"
#include "payer/commands.h"
#include "payer/history.h"
#include "payer/order_words.h"
#include "payer/purse_words.h"

static const struct table_column columns[] = {{"number", TABLE_NUMBER},
                                              {"at", TABLE_TIME},
                                              {"kind", TABLE_WORDS},
                                              {"amount", TABLE_RIGHT},
                                              {"currency", TABLE_TEXT},
                                              {"what", TABLE_WORDS},
                                              {"code", TABLE_TEXT | TABLE_LESSER},
                                              {"reason", TABLE_WORDS | TABLE_LESSER},
                                              {"verified", TABLE_BOOL}};

struct printing {
    struct table *table;
    const struct purse_account *account;
};

static enum tp_err print_record(void *ctx, const struct history_record *r, struct tp_error *e)
{
    const struct printing *p = ctx;
    const unsigned currency = (unsigned)p->account->currency;
    char number[24], when[TIME_TEXT_MAX], kind[32], amount[MONEY_TEXT_MAX], code[16], reason[64];
    time_t at = 0;
    const char *cells[] = {number,
                           when,
                           word_shown(kind, sizeof(kind), r->kind),
                           money_shown(amount, r->effect, currency),
                           currency_shown(currency),
                           r->what,
                           word_shown(code, sizeof(code), r->code),
                           word_shown(reason, sizeof(reason), r->reason),
                           table_bool(r->fault == NULL)};

    if (time_parse(&at, r->at) != TP_OK)
        at = 0;
    (void)time_shown(when, at);
    snprintf(number, sizeof(number), "%" PRId64, r->number);
    if (r->fault != NULL)
        log_error("record %" PRId64 " does not hold: %s", r->number, r->fault);
    return table_row(p->table, cells, e);
}

static enum tp_err walk(struct history *out, struct purse_run *run,
                        const struct purse_account *account, struct tp_error *e)
{
    struct printing printing = {.account = account};
    struct secret key = {0};
    const struct history_source source = {.fetch = run->fetch,
                                          .account = account,
                                          .key = &key,
                                          .authorities = &run->checkout.authorities,
                                          .journal = run->checkout.journal};
    const bool json = run->words.json;
    enum tp_err r = purses_unlock(&key, &run->checkout.device, account, e);

    if (r == TP_OK)
        r = table_new(&printing.table, "records", columns, sizeof(columns) / sizeof(columns[0]),
                      json, e);
    if (r == TP_OK)
        r = history_walk(out, &source, print_record, &printing, e);
    secret_free(&key);
    if (r == TP_OK && out->missing[0] != '\0')
        log_note("there is no record of the counters %s: what was signed with them never came to "
                 "the purse, or it does not tell",
                 out->missing);
    return table_end(&printing.table, r, e);
}

/* What does not hold is told, and the exit code is that of a failed signature. */
static enum tp_err judge(const struct history *h, struct tp_error *e)
{
    if (h->fault[0] != '\0')
        return tp_fail(e, TP_ERR_SECURITY, "what the purse tells does not hold: %s", h->fault);
    return h->faults == 0
               ? TP_OK
               : tp_fail(e, TP_ERR_SECURITY, "%zu of %zu records are not what was signed",
                         h->faults, h->records);
}

int payer_purse_history(int argc, char **argv)
{
    static const struct argp_option options[] = {PURSE_WORD, PURSE_WORD_JSON, {0}};
    static const struct argp argp = {
        options,
        purse_words_parse,
        NULL,
        N_("Show all that became of your account at a purse, each record verified from what was "
           "signed. Exit 5 when one is not, when a payment of this device is missing, or when they "
           "do not come to what the purse says is there."),
        asking_list_words,
        NULL,
        NULL};
    struct purse_run run;
    struct tp_error e = {0};
    struct purse_account account;
    struct history history = {0};
    enum tp_err r = purse_run_begin(&run, &argp, false, argc, argv, &e);

    if (r == TP_OK)
        r = purse_run_account(&account, &run, &e);
    if (r == TP_OK)
        r = walk(&history, &run, &account, &e);
    if (r == TP_OK)
        r = judge(&history, &e);
    return purse_run_end(&run, r, &e);
}
