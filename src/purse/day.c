/* telepay-purse close, remise list, payout: the day of the merchants, and what accounts send out.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/file.h"
#include "base/table.h"
#include "base/text.h"
#include "collect/post.h"
#include "purse/commands.h"
#include "purse/option.h"
#include "purse/settings.h"
#include "wire/pain.h"

/* ---- close ---- */

struct closing {
    struct book *book; /* a second connection: the first walks over the contracts */
    time_t now;
};

static enum tp_err close_one(void *ctx, const struct book_contract *c, struct tp_error *e)
{
    const struct closing *closing = ctx;
    struct purse_remise r;
    char amount[MONEY_TEXT_MAX], day[DATE_TEXT_MAX];
    const enum tp_err err = book_remise_close(closing->book, c->contract, closing->now, &r, e);

    if (err == TP_ERR_NOT_FOUND)
        printf(_("contract %s: nothing to close\n"), c->contract);
    if (err != TP_OK)
        return err == TP_ERR_NOT_FOUND ? TP_OK : err;
    printf(_("contract %s: remise %" PRId64 " closed, day %s, %" PRId64 " payments, "), c->contract,
           r.number, date_format(day, r.day), r.payments);
    if (r.reversals > 0)
        printf(_("%" PRId64 " given back, "), r.reversals);
    printf("%s %s\n", money_shown(amount, r.amount, r.currency), currency_shown(r.currency));
    return TP_OK;
}

int purse_cmd_close(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"id", 'i', "ID", 0, N_("Only this contract's [all]"), 0}, OPTION_DIR, {0}};
    static const struct argp argp = {
        options,
        option_parse,
        NULL,
        N_("Close the open remise of each contract: its totals are frozen and the next one opens. "
           "One without a payment stays open."),
        NULL,
        NULL,
        NULL};
    struct words w = {.dir = NULL};
    struct closing closing = {.now = time(NULL)};
    int64_t freed = 0;
    struct book_contract one;
    struct book *b = NULL;
    char dir[PATH_MAX];
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = w.id != NULL ? option_contract(w.id, "--id", &e) : TP_OK;
    if (r == TP_OK)
        r = option_open(&b, dir, &w, &e);
    if (r == TP_OK)
        r = book_open(&closing.book, dir, &e);
    if (r == TP_OK)
        r = book_release_over(closing.book, closing.now, &freed, &e);
    if (r == TP_OK && freed > 0)
        printf(_("%" PRId64 " provisions are over: what they held is free\n"), freed);
    if (r == TP_OK && w.id != NULL && (r = book_contract_get(b, w.id, &one, &e)) == TP_OK)
        r = close_one(&closing, &one, &e);
    else if (r == TP_OK)
        r = book_contract_each(b, close_one, &closing, &e);
    book_close(&closing.book);
    book_close(&b);
    return cli_end(r, &e);
}

/* ---- remise list ---- */

static enum tp_err remise_row(void *ctx, const struct purse_remise *r, struct tp_error *e)
{
    char number[24], day[DATE_TEXT_MAX] = "", payments[24], amount[MONEY_TEXT_MAX], payout[24],
                     reversals[24], refused[MONEY_TEXT_MAX];
    const char *const cells[] = {r->contract,
                                 number,
                                 day,
                                 payments,
                                 reversals,
                                 money_shown(amount, r->amount, r->currency),
                                 currency_shown(r->currency),
                                 r->payout != 0                  ? "paid out"
                                 : r->day != 0 && r->amount == 0 ? "nothing due"
                                                                 : remise_state_name(r->state),
                                 r->suspended != 0 ? money_shown(refused, r->suspended, r->currency)
                                                   : NULL,
                                 r->payout != 0 ? payout : NULL};

    snprintf(number, sizeof(number), "%" PRId64, r->number);
    snprintf(payments, sizeof(payments), "%" PRId64, r->payments);
    snprintf(reversals, sizeof(reversals), "%" PRId64, r->reversals);
    snprintf(payout, sizeof(payout), "%" PRId64, r->payout);
    if (r->day != 0)
        date_format(day, r->day);
    return table_row(ctx, cells, e);
}

int purse_cmd_remise_list(int argc, char **argv)
{
    static const struct argp_option options[] = {OPTION_DIR, OPTION_JSON, {0}};
    static const struct argp argp = {options,     option_parse, NULL, N_("List the remises."),
                                     table_words, NULL,         NULL};
    static const struct table_column columns[] = {{"contract", TABLE_TEXT},
                                                  {"remise", TABLE_NUMBER},
                                                  {"day", TABLE_TEXT},
                                                  {"payment_count", TABLE_NUMBER | TABLE_LESSER},
                                                  {"reversals", TABLE_NUMBER | TABLE_LESSER},
                                                  {"amount", TABLE_RIGHT},
                                                  {"currency", TABLE_TEXT},
                                                  {"state", TABLE_TEXT},
                                                  {"refused_amount", TABLE_RIGHT},
                                                  {"payout", TABLE_NUMBER | TABLE_LESSER}};
    struct words w = {.dir = NULL};
    struct book *b = NULL;
    struct table *table = NULL;
    char dir[PATH_MAX];
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = option_open(&b, dir, &w, &e);
    if (r == TP_OK)
        r = table_new(&table, "remises", columns, sizeof(columns) / sizeof(columns[0]), w.json, &e);
    if (r == TP_OK)
        r = book_remise_each(b, remise_row, table, &e);
    r = table_end(&table, r, &e);
    book_close(&b);
    return cli_end(r, &e);
}

/* ---- payout ---- */

struct paying_out {
    struct book *book;
    const struct purse_settings *settings;
    const char *out;
    char acquirer[BOOK_ID];
    bool collected; /* only what the centre has taken */
    struct caaa_writer *writer;
};

static enum tp_err sink_write(void *ctx, struct span bytes)
{
    return fwrite(bytes.p, 1, bytes.n, ctx) == bytes.n ? TP_OK : TP_ERR_NO_MEMORY;
}

static enum tp_err write_line(void *ctx, const struct payout_line *line, struct tp_error *e)
{
    struct paying_out *p = ctx;
    char id[36], text[96];
    const struct pain_transfer transfer = {id, line->name, line->iban, text, line->amount};

    if (line->contract[0] != '\0') {
        snprintf(id, sizeof(id), "%s-%06" PRId64, line->contract, line->number);
        snprintf(text, sizeof(text), "telepay %s, remise %" PRId64, line->contract, line->number);
    } else {
        snprintf(id, sizeof(id), "%s-%012" PRId64, p->acquirer, line->number);
        snprintf(text, sizeof(text), "telepay purse, account %s", line->account);
    }
    return pain_transfer(p->writer, &transfer, e);
}

static enum tp_err write_document(struct paying_out *p, FILE *to, const struct payout *o,
                                  const struct purse_currency *c, struct tp_error *e)
{
    char id[36];
    const struct caaa_sink sink = {sink_write, to};
    const struct pain_head head = {.id = id,
                                   .made = o->made,
                                   .name = p->settings->name,
                                   .iban = c->iban,
                                   .bic = c->bic,
                                   .currency = c->currency,
                                   .count = (uint64_t)(o->remises + o->emptyings),
                                   .sum = o->amount};
    enum tp_err r;

    snprintf(id, sizeof(id), "%s-%06" PRId64, p->acquirer, o->payout);
    r = pain_start(&p->writer, &sink, &head, e);
    if (r == TP_OK)
        r = book_payout_each(p->book, o->payout, write_line, p, e);
    if (r == TP_OK)
        r = pain_end(p->writer, e);
    caaa_writer_free(&p->writer);
    return r;
}

static enum tp_err check_bank(const struct purse_currency *c, struct tp_error *e)
{
    return c != NULL && c->iban[0] != '\0'
               ? TP_OK
               : tp_fail(e, TP_ERR_USAGE,
                         "purse.conf: iban is needed in the section of each currency, to say "
                         "which account merchants are paid from");
}

/* Written from the books alone: again, the same bytes. */
static enum tp_err write_payout(struct paying_out *p, int64_t number, struct tp_error *e)
{
    char path[PATH_MAX], name[48], amount[MONEY_TEXT_MAX], *text = NULL;
    struct payout o = {.payout = 0};
    FILE *to = NULL;
    size_t n = 0;
    enum tp_err r = book_payout_get(p->book, number, &o, e);

    if (r == TP_OK)
        r = check_bank(settings_currency(p->settings, o.currency), e);
    snprintf(name, sizeof(name), "payout-%06" PRId64 ".xml", number);
    if (r == TP_OK)
        r = file_join(path, sizeof(path), p->out, name, e);
    if (r != TP_OK)
        return r;
    to = open_memstream(&text, &n);
    if (to == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    r = write_document(p, to, &o, settings_currency(p->settings, o.currency), e);
    if (fclose(to) != 0 && r == TP_OK)
        r = tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    if (r == TP_OK)
        r = file_replace(path, span_of(text, n), 0600, e);
    free(text);
    if (r == TP_OK)
        printf(_("payout %" PRId64 ": %" PRId64 " remises, %" PRId64 " emptyings, %s %s, in %s\n"),
               number, o.remises, o.emptyings, money_shown(amount, o.amount, o.currency),
               currency_shown(o.currency), path);
    return r;
}

static enum tp_err pay_out_all(struct paying_out *p, struct tp_error *e)
{
    enum tp_err r = TP_OK;

    for (size_t i = 0; r == TP_OK && i < p->settings->n; i++)
        r = check_bank(&p->settings->currency[i], e);
    for (size_t i = 0; r == TP_OK && i < p->settings->n; i++) {
        const struct currency *c = p->settings->currency[i].currency;
        int64_t number = 0;

        r = book_payout_make(p->book, c->numeric, p->collected, time(NULL), &number, e);
        if (r == TP_OK)
            r = write_payout(p, number, e);
        else if (r == TP_ERR_NOT_FOUND) {
            printf(_("%s: nothing to pay out\n"), c->alpha);
            r = TP_OK;
        }
    }
    return r;
}

/* Where there is a centre, merchants are paid what it has taken. */
static enum tp_err look_for_centre(bool *there, const char *dir, struct tp_error *e)
{
    struct centre_access access;
    const enum tp_err r = centre_access_load(&access, dir, e);

    *there = r == TP_OK;
    return r == TP_ERR_NOT_FOUND ? TP_OK : r;
}

int purse_cmd_payout(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"out", OPTION_KEY_OUT, "DIR", 0, N_("The folder that the files go to"), 0},
        {"number", OPTION_KEY_NUMBER, "NUMBER", 0, N_("Write the file of this payout again"), 0},
        OPTION_DIR,
        {0}};
    static const struct argp argp = {
        options,
        option_parse,
        NULL,
        N_("Pay all closed remises (where there is a collection centre: what that has taken of "
           "them), and what accounts send out: a file of credit transfers (ISO 20022 "
           "pain.001.001.12) for each currency."),
        NULL,
        NULL,
        NULL};
    struct words w = {.dir = NULL};
    struct purse_settings settings;
    struct paying_out p = {.settings = &settings};
    char dir[PATH_MAX];
    int64_t number = 0;
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    p.out = w.out;
    r = option_need(w.out, "--out", &e);
    if (r == TP_OK && w.number != NULL)
        r = cli_number(&number, "--number", w.number, INT32_MAX, &e);
    if (r == TP_OK)
        r = option_open(&p.book, dir, &w, &e);
    if (r == TP_OK)
        r = settings_load(&settings, dir, &e);
    if (r == TP_OK)
        r = book_acquirer(p.book, p.acquirer, &e);
    if (r == TP_OK)
        r = look_for_centre(&p.collected, dir, &e);
    if (r == TP_OK)
        r = file_make_dir(w.out, 0700, &e);
    if (r == TP_OK)
        r = w.number != NULL ? write_payout(&p, number, &e) : pay_out_all(&p, &e);
    book_close(&p.book);
    return cli_end(r, &e);
}
