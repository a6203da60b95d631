/* telepay-purse collect, suspense list, suspense settle: the remises go to the collection centre,
 * as those of card payments do, each payment with what the account's key signed. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/file.h"
#include "base/table.h"
#include "base/text.h"
#include "base/word.h"
#include "collect/command.h"
#include "order/purse_token.h"
#include "purse/commands.h"
#include "purse/option.h"

#define STAN_MAX 1000000 /* DE 11 has six digits */

struct collecting { /* what the books of a collection are here */
    struct book *book;
    struct order_authority *authority; /* whose mediators presented vouchers */
};

/* ---- its items ---- */

struct walk {
    const struct collecting *c;
    remise_item_visit *visit;
    void *ctx;
    uint32_t sequence;
};

static int64_t civil_time(time_t at) /* YYYYMMDDHHMMSS, UTC */
{
    struct tm t;

    gmtime_r(&at, &t);
    return ((int64_t)(t.tm_year + 1900) * 10000 + (t.tm_mon + 1) * 100 + t.tm_mday) * 1000000 +
           t.tm_hour * 10000 + t.tm_min * 100 + t.tm_sec;
}

static enum tp_err visit_voucher(const struct walk *w, struct caaa_item *item,
                                 const struct collect_item *i, struct tp_error *e)
{
    struct purse_token t = {.owner = NULL};
    char *jws = span_text(i->statement);
    enum tp_err r = jws != NULL ? purse_token_read(&t, PURSE_PRESENTATION, jws, w->c->authority, e)
                                : tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");

    item->voucher = true;
    if (r == TP_OK) {
        item->statement = span_str(t.voucher);
        r = w->visit(w->ctx, item, e);
    } else
        (void)tp_error_prefix(e, "voucher %s", item->rrn);
    purse_token_free(&t);
    free(jws);
    return r;
}

static enum tp_err visit_item(void *ctx, const struct collect_item *i, struct tp_error *e)
{
    struct walk *w = ctx;
    struct caaa_item item = {.sequence = ++w->sequence,
                             .kind = CAAA_DEBIT,
                             .stan = (uint32_t)(i->number % STAN_MAX),
                             .local_time = civil_time(i->at),
                             .amount = i->amount,
                             .statement = i->statement,
                             .challenge = i->challenge};

    payment_number(item.rrn, i->number);
    snprintf(item.account, sizeof(item.account), "%.*s", (int)sizeof(item.account) - 1, i->account);
    return i->voucher ? visit_voucher(w, &item, i, e) : w->visit(w->ctx, &item, e);
}

static enum tp_err items(void *of, const struct remise *r, remise_item_visit *visit, void *ctx,
                         struct tp_error *e)
{
    struct walk w = {of, visit, ctx, 0};

    return book_collect_items(w.c->book, r, visit_item, &w, e);
}

/* ---- its books ---- */

static enum tp_err get(void *of, const char *contract, uint32_t number, struct remise *out,
                       struct tp_error *e)
{
    const struct collecting *c = of;

    return book_collect_get(c->book, contract, number, out, e);
}

static enum tp_err each(void *of, const char *contract, remise_visit *visit, void *ctx,
                        struct tp_error *e)
{
    const struct collecting *c = of;
    struct book_contract found;
    const enum tp_err r =
        contract != NULL ? book_contract_get(c->book, contract, &found, e) : TP_OK;

    return r == TP_OK ? book_collect_each(c->book, contract, visit, ctx, e) : r;
}

static enum tp_err describe(void *of, const struct remise *r, struct caaa_remise *out,
                            struct tp_error *e)
{
    const struct collecting *c = of;
    struct book_contract contract;
    const enum tp_err err = book_contract_get(c->book, r->contract, &contract, e);

    if (err != TP_OK)
        return err;
    out->by_account = true;
    snprintf(out->name, sizeof(out->name), "%s", contract.name);
    return TP_OK;
}

static enum tp_err submitted(void *of, const struct remise *r, const uint8_t hash[32],
                             struct tp_error *e)
{
    const struct collecting *c = of;

    return book_collect_submitted(c->book, r, hash, time(NULL), e);
}

static enum tp_err collected(void *of, const struct remise *r, const struct remise_refusal *refused,
                             size_t n, const char *outcome, struct tp_error *e)
{
    const struct collecting *c = of;

    return book_collect_settled(c->book, r, REMISE_COLLECTED, refused, n, outcome, time(NULL), e);
}

static enum tp_err rejected(void *of, const struct remise *r, const char *outcome,
                            struct tp_error *e)
{
    const struct collecting *c = of;

    return book_collect_settled(c->book, r, REMISE_REJECTED, NULL, 0, outcome, time(NULL), e);
}

static enum tp_err refused(void *of, const struct remise *r, struct remise_totals *refused,
                           struct tp_error *e)
{
    const struct collecting *c = of;

    return book_collect_refused(c->book, r, refused, e);
}

static void close_books(void *of)
{
    struct collecting *c = of;

    book_close(&c->book);
    order_authority_free(&c->authority);
    free(c);
}

static enum tp_err open_books(struct collector *out, const char *dir, struct tp_error *e)
{
    static const struct remise_books books = {get,       each,     describe, items,      submitted,
                                              collected, rejected, refused,  close_books};
    char ca[PATH_MAX];
    struct collecting *c = calloc(1, sizeof(*c));
    enum tp_err r =
        c != NULL ? book_open(&c->book, dir, e) : tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");

    *out = (struct collector){.books = &books, .of = c};
    if (r == TP_OK)
        r = file_join(ca, sizeof(ca), dir, "pki/ca.pem", e);
    if (r == TP_OK)
        r = order_authority_load(&c->authority, ca, e);
    if (r != TP_OK) {
        collector_close(out);
        return r;
    }
    return collector_open(out, dir, e);
}

/* ---- collect ---- */

struct closing {
    struct book *book; /* a second connection: the first walks over the contracts */
    time_t now;
};

static enum tp_err close_one(void *ctx, const struct book_contract *c, struct tp_error *e)
{
    const struct closing *closing = ctx;
    struct purse_remise r;
    const enum tp_err err = book_remise_close(closing->book, c->contract, closing->now, &r, e);

    return err == TP_ERR_NOT_FOUND ? TP_OK : err; /* an empty day closes nothing */
}

static enum tp_err close_due(struct collector *collector, const char *contract, bool now,
                             struct tp_error *e)
{
    const struct collecting *c = collector->of;
    struct closing closing = {.now = time(NULL)};
    int64_t freed = 0;
    struct book_contract one;
    enum tp_err r = book_open(&closing.book, collector->dir, e);

    (void)now; /* a purse's contracts have no hour */
    if (r == TP_OK)
        r = book_release_over(closing.book, closing.now, &freed, e);
    if (r == TP_OK && contract != NULL &&
        (r = book_contract_get(c->book, contract, &one, e)) == TP_OK)
        r = close_one(&closing, &one, e);
    else if (r == TP_OK)
        r = book_contract_each(c->book, close_one, &closing, e);
    book_close(&closing.book);
    return r;
}

int purse_cmd_collect(int argc, char **argv)
{
    static const struct argp_option options[] = {COLLECT_CONTRACT,
                                                 COLLECT_ATTEMPTS,
                                                 COLLECT_PAUSE,
                                                 COLLECT_TIMEOUT,
                                                 OPTION_DIR,
                                                 COLLECT_JSON,
                                                 {0}};
    static const struct argp argp = {
        options,
        collect_parse,
        NULL,
        N_("The daily run where there is a collection centre: close the remise of each contract, "
           "submit all that is not settled, and print a ticket for each."),
        NULL,
        NULL,
        NULL};
    static const struct collect_program program = {option_dir, open_books, close_due,
                                                   "nothing was paid, and nothing waits"};
    struct collect_words w = {.attempts = RUN_ATTEMPTS, .pause = RUN_PAUSE_S};

    cli_parse(&argp, argc, argv, &w);
    return collect_command(&w, &program);
}

/* ---- suspense ---- */

static enum tp_err suspense_row(void *ctx, const struct purse_suspense *s, struct tp_error *e)
{
    char reference[BOOK_NUMBER], remise[24], amount[MONEY_TEXT_MAX], since[TIME_TEXT_MAX],
        settled[TIME_TEXT_MAX];
    const char *const cells[] = {reference,
                                 s->contract,
                                 remise,
                                 money_shown(amount, s->amount, s->currency),
                                 currency_shown(s->currency),
                                 s->reason,
                                 time_shown(since, s->since),
                                 s->settled != 0 ? time_shown(settled, s->settled) : NULL,
                                 s->settled != 0 ? s->note : NULL};

    payment_number(reference, s->record);
    snprintf(remise, sizeof(remise), "%" PRId64, s->number);
    return table_row(ctx, cells, e);
}

int purse_cmd_suspense_list(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"all", OPTION_KEY_ALL, NULL, 0, N_("Also those that are settled"), 0},
        OPTION_DIR,
        OPTION_JSON,
        {0}};
    static const struct argp argp = {
        options,     option_parse,
        NULL,        N_("List what the collection centre refused and is still to be settled."),
        table_words, NULL,
        NULL};
    static const struct table_column columns[] = {{"reference", TABLE_TEXT},
                                                  {"contract", TABLE_TEXT},
                                                  {"remise", TABLE_NUMBER | TABLE_LESSER},
                                                  {"amount", TABLE_RIGHT},
                                                  {"currency", TABLE_TEXT},
                                                  {"reason", TABLE_WORDS},
                                                  {"since", TABLE_TIME | TABLE_LESSER},
                                                  {"settled", TABLE_TIME},
                                                  {"note", TABLE_WORDS | TABLE_LESSER}};
    struct words w = {.dir = NULL};
    struct book *b = NULL;
    struct table *table = NULL;
    char dir[PATH_MAX];
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = option_open(&b, dir, &w, &e);
    if (r == TP_OK)
        r = table_new(&table, "suspense", columns, sizeof(columns) / sizeof(columns[0]), w.json,
                      &e);
    if (r == TP_OK)
        r = book_suspense_each(b, w.all, suspense_row, table, &e);
    r = table_end(&table, r, &e);
    book_close(&b);
    return cli_end(r, &e);
}

int purse_cmd_suspense_settle(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"reference", 'r', "NUMBER", 0, N_("Which, as in the list"), 0},
        {"note", OPTION_KEY_NOTE, "TEXT", 0, N_("How it was settled, for the books"), 0},
        OPTION_DIR,
        {0}};
    static const struct argp argp = {options,
                                     option_parse,
                                     NULL,
                                     N_("Settle what was refused: the note is kept with it for "
                                        "good. It is never paid out by itself."),
                                     NULL,
                                     NULL,
                                     NULL};
    struct words w = {.dir = NULL};
    struct book *b = NULL;
    char dir[PATH_MAX];
    int64_t record = 0;
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = option_need(w.reference, "--reference", &e);
    if (r == TP_OK)
        r = cli_number(&record, "--reference", w.reference, MONEY_MAX, &e);
    if (r == TP_OK)
        r = option_need(w.note, "--note", &e);
    if (r == TP_OK)
        r = word_check(w.note, "--note", sizeof(((struct purse_suspense *)NULL)->note) - 1, &e);
    if (r == TP_OK)
        r = option_open(&b, dir, &w, &e);
    if (r == TP_OK)
        r = book_suspense_settle(b, record, w.note, time(NULL), &e);
    book_close(&b);
    if (r == TP_OK)
        printf(_("%012" PRId64 " is settled\n"), record);
    return cli_end(r, &e);
}
