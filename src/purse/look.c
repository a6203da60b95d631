/* telepay-purse list, status, prove, audit: what is in the books, and whether it holds. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/file.h"
#include "base/log.h"
#include "base/table.h"
#include "base/text.h"
#include "purse/audit.h"
#include "purse/commands.h"
#include "purse/option.h"
#include "purse/proof.h"
#include "purse/settings.h"
#include "wire/jcs.h"

#define EVIDENCE_MAX (4U << 20)

/* ---- list ---- */

static enum tp_err payment_row(void *ctx, const struct kept *k, struct tp_error *e)
{
    char reference[24], amount[MONEY_TEXT_MAX], remise[24], at[TIME_TEXT_MAX],
        reversed[TIME_TEXT_MAX];
    const char *const cells[] = {reference,
                                 time_shown(at, k->at),
                                 k->account,
                                 k->order,
                                 k->contract,
                                 money_shown(amount, k->amount, k->currency),
                                 currency_shown(k->currency),
                                 k->code,
                                 k->reason,
                                 k->remise != 0 ? remise : NULL,
                                 k->reversal != 0 ? time_shown(reversed, k->reversed) : NULL};

    snprintf(reference, sizeof(reference), "%012" PRId64, k->payment);
    snprintf(remise, sizeof(remise), "%" PRId64, k->remise);
    return table_row(ctx, cells, e);
}

int purse_cmd_list(int argc, char **argv)
{
    static const struct argp_option options[] = {OPTION_ACCOUNT, OPTION_DIR, OPTION_JSON, {0}};
    static const struct argp argp = {
        options,     option_parse,
        NULL,        N_("List the payments that were decided, refused ones too."),
        table_words, NULL,
        NULL};
    static const struct table_column columns[] = {{"reference", TABLE_TEXT},
                                                  {"at", TABLE_TIME},
                                                  {"account", TABLE_TEXT | TABLE_LESSER},
                                                  {"order", TABLE_TEXT | TABLE_LESSER},
                                                  {"contract", TABLE_TEXT | TABLE_LESSER},
                                                  {"amount", TABLE_RIGHT},
                                                  {"currency", TABLE_TEXT},
                                                  {"code", TABLE_TEXT},
                                                  {"reason", TABLE_WORDS | TABLE_LESSER},
                                                  {"remise", TABLE_NUMBER | TABLE_LESSER},
                                                  {"reversed_at", TABLE_TIME}};
    struct words w = {.dir = NULL};
    struct book *b = NULL;
    struct table *table = NULL;
    struct account of;
    char dir[PATH_MAX];
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = w.account != NULL ? option_account(w.account, &e) : TP_OK;
    if (r == TP_OK)
        r = option_open(&b, dir, &w, &e);
    if (r == TP_OK)
        r = table_new(&table, "payments", columns, sizeof(columns) / sizeof(columns[0]), w.json,
                      &e);
    if (r == TP_OK)
        r = w.account != NULL ? book_account_get(b, w.account, &of, &e) : TP_OK;
    if (r == TP_OK)
        r = kept_each(b, w.account, payment_row, table, &e);
    r = table_end(&table, r, &e);
    book_close(&b);
    return cli_end(r, &e);
}

/* ---- status ---- */

static enum tp_err sums_row(struct table *table, const struct purse_sums *s,
                            const struct currency *c, struct tp_error *e)
{
    char accounts[24], payments[24], text[8][MONEY_TEXT_MAX];
    const char *const cells[] = {c->alpha,
                                 accounts,
                                 payments,
                                 money_format(text[0], s->filled, c),
                                 money_format(text[1], s->balances, c),
                                 money_format(text[2], s->reserved, c),
                                 money_format(text[3], s->owed, c),
                                 money_format(text[4], s->paid_out, c),
                                 money_format(text[5], s->given_back, c),
                                 money_format(text[6], s->collected, c),
                                 money_format(text[7], s->suspended, c)};

    snprintf(accounts, sizeof(accounts), "%" PRId64, s->accounts);
    snprintf(payments, sizeof(payments), "%" PRId64, s->payments);
    return table_row(table, cells, e);
}

/* For each currency; false when what came in is not all somewhere. */
static enum tp_err print_sums(struct book *b, const struct purse_settings *settings, bool json,
                              bool *equal, struct tp_error *e)
{
    static const struct table_column columns[] = {{"currency", TABLE_TEXT},
                                                  {"account_count", TABLE_NUMBER | TABLE_LESSER},
                                                  {"payment_count", TABLE_NUMBER | TABLE_LESSER},
                                                  {"filled", TABLE_RIGHT},
                                                  {"held", TABLE_RIGHT},
                                                  {"reserved", TABLE_RIGHT | TABLE_LESSER},
                                                  {"owed", TABLE_RIGHT},
                                                  {"paid_out", TABLE_RIGHT},
                                                  {"given_back", TABLE_RIGHT},
                                                  {"collected", TABLE_RIGHT | TABLE_LESSER},
                                                  {"refused_amount", TABLE_RIGHT | TABLE_LESSER}};
    struct table *table = NULL;
    struct purse_sums s;
    enum tp_err r =
        table_new(&table, "sums", columns, sizeof(columns) / sizeof(columns[0]), json, e);

    *equal = true;
    for (size_t i = 0; r == TP_OK && i < settings->n; i++) {
        r = book_sums(b, settings->currency[i].currency->numeric, &s, e);
        if (r == TP_OK)
            r = sums_row(table, &s, settings->currency[i].currency, e);
        *equal = *equal && s.filled == s.balances + s.owed + s.paid_out + s.given_back;
    }
    return table_end(&table, r, e);
}

int purse_cmd_status(int argc, char **argv)
{
    static const struct argp_option options[] = {OPTION_DIR, OPTION_JSON, {0}};
    static const struct argp argp = {
        options,
        option_parse,
        NULL,
        N_("For each currency: what came in, what accounts hold, what merchants are owed and were "
           "paid, what was given back; and what the collection centre has taken and refused."),
        table_words,
        NULL,
        NULL};
    struct words w = {.dir = NULL};
    struct purse_settings settings;
    struct book *b = NULL;
    char dir[PATH_MAX];
    bool equal = true;
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = option_open(&b, dir, &w, &e);
    if (r == TP_OK)
        r = settings_load(&settings, dir, &e);
    if (r == TP_OK)
        r = print_sums(b, &settings, w.json, &equal, &e);
    book_close(&b);
    if (r == TP_OK && !equal)
        r = tp_fail(&e, TP_ERR_SECURITY, "what came in is not all there: telepay-purse audit");
    return cli_end(r, &e);
}

/* ---- audit ---- */

static enum tp_err load_authority(struct order_authority **out, const char *dir, struct tp_error *e)
{
    char ca[PATH_MAX];
    const enum tp_err r = file_join(ca, sizeof(ca), dir, "pki/ca.pem", e);

    return r == TP_OK ? order_authority_load(out, ca, e) : r;
}

int purse_cmd_audit(int argc, char **argv)
{
    static const struct argp_option options[] = {OPTION_DIR, OPTION_JSON, {0}};
    static const struct argp argp = {options,
                                     option_parse,
                                     NULL,
                                     N_("Work the books out again from what was signed, and say "
                                        "what does not hold. Exit 5 when something does not."),
                                     NULL,
                                     NULL,
                                     NULL};
    struct words w = {.dir = NULL};
    struct purse_settings settings;
    struct order_authority *authority = NULL;
    struct book *b = NULL;
    char dir[PATH_MAX];
    size_t faults = 0;
    bool equal = true;
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = option_open(&b, dir, &w, &e);
    if (r == TP_OK)
        r = settings_load(&settings, dir, &e);
    if (r == TP_OK)
        r = load_authority(&authority, dir, &e);
    if (r == TP_OK)
        r = book_begin_read(b, &e); /* nothing changes while it is looked at, until book_close */
    if (r == TP_OK)
        r = purse_audit(b, authority, &faults, &e);
    if (r == TP_OK)
        r = print_sums(b, &settings, w.json, &equal, &e);
    book_close(&b);
    order_authority_free(&authority);
    if (r == TP_OK && !equal)
        r = tp_fail(&e, TP_ERR_SECURITY, "the sums are not equal: money was made or lost");
    else if (r == TP_OK && faults > 0)
        r = tp_fail(
            &e, TP_ERR_SECURITY,
            ngettext("%zu record does not hold (above)", "%zu records do not hold (above)", faults),
            faults);
    return cli_end(r, &e);
}

/* ---- prove ---- */

struct proving {
    struct book *book;
    json_t *evidence;
};

static enum tp_err take_evidence(void *ctx, const struct kept *k, struct tp_error *e)
{
    struct proving *p = ctx;

    return purse_evidence(&p->evidence, p->book, k, e);
}

static enum tp_err evidence_of_books(json_t **out, struct order_authority **authority,
                                     const struct words *w, struct tp_error *e)
{
    struct proving p = {NULL, NULL};
    char dir[PATH_MAX];
    int64_t number = 0;
    enum tp_err r = cli_number(&number, "--reference", w->reference, MONEY_MAX, e);

    if (r == TP_OK)
        r = option_open(&p.book, dir, w, e);
    if (r == TP_OK)
        r = load_authority(authority, dir, e);
    if (r == TP_OK)
        r = kept_get(p.book, number, take_evidence, &p, e);
    book_close(&p.book);
    *out = p.evidence;
    return r;
}

static enum tp_err evidence_of_file(json_t **out, struct order_authority **authority,
                                    const struct words *w, struct tp_error *e)
{
    uint8_t *text = NULL;
    size_t n = 0;
    enum tp_err r = option_need(w->authority, "--authority", e);

    if (r == TP_OK)
        r = order_authority_load(authority, w->authority, e);
    if (r == TP_OK)
        r = file_read(w->file, EVIDENCE_MAX, &text, &n, e);
    if (r == TP_OK)
        r = jcs_read(out, span_of(text, n), e);
    free(text);
    return r;
}

static enum tp_err write_evidence(const json_t *evidence, const char *path, struct tp_error *e)
{
    char *text = json_dumps(evidence, JSON_INDENT(2));
    const enum tp_err r = text != NULL ? file_replace(path, span_str(text), 0600, e)
                                       : tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");

    free(text);
    return r;
}

static void say(const struct purse_proof *p)
{
    const struct order *o = &p->order.order;
    const struct acknowledgement *a = &p->order.acknowledgement;
    const struct purse_token *back = &p->reversal;
    const struct currency *c = currency_by_alpha(a->currency);
    char amount[MONEY_TEXT_MAX] = "";

    if (c != NULL)
        money_format(amount, strtoll(a->amount, NULL, 10), c);
    printf(_("order         %s: %s, of %s (contract %s), asked by mediator %s\n"
             "amount        %s %s\n"
             "signed by     account %s, key %zu of %zu, counter %s\n"
             "purse         %s, %s, code %s%s%s, reference %s, at %s\n"
             "proved: the account's key signed this payment of this order%s\n"),
           o->id, o->item, o->merchant, o->contract, o->mediator, amount, c != NULL ? c->alpha : "",
           p->statement.account, p->key, p->keys, p->statement.counter, a->acquirer, a->outcome,
           a->code, a->reason != NULL ? " " : "", a->reason != NULL ? a->reason : "",
           a->reference != NULL ? a->reference : _("none"), a->at,
           back->owner != NULL ? _("; it was given back") : "");
    if (back->owner != NULL)
        printf(_("given back    demanded by mediator %s at %s: %s\n"), back->signer, back->at,
               back->reason);
}

int purse_cmd_prove(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"reference", 'r', "NUMBER", 0, N_("The payment, as in the list"), 0},
        {"out", OPTION_KEY_OUT, "FILE", 0, N_("Also write its evidence to a file"), 0},
        {"file", OPTION_KEY_FILE, "FILE", 0,
         N_("Or: the evidence of such a file, without any books"), 0},
        {"authority", OPTION_KEY_AUTHORITY, "FILE", 0,
         N_("… and the certificate of the purse's authority (PEM)"), 0},
        OPTION_DIR,
        {0}};
    static const struct argp argp = {options,
                                     option_parse,
                                     NULL,
                                     N_("Prove from the evidence alone who signed which order, and "
                                        "what the purse answered. Exit 5 when it does not hold."),
                                     NULL,
                                     NULL,
                                     NULL};
    struct words w = {.dir = NULL};
    struct order_authority *authority = NULL;
    struct purse_proof proof = {.key = 0};
    json_t *evidence = NULL;
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    if ((w.file == NULL) == (w.reference == NULL))
        r = tp_fail(&e, TP_ERR_USAGE, "say --reference, or --file and --authority");
    else
        r = w.file != NULL ? evidence_of_file(&evidence, &authority, &w, &e)
                           : evidence_of_books(&evidence, &authority, &w, &e);
    if (r == TP_OK && w.out != NULL)
        r = write_evidence(evidence, w.out, &e);
    if (r == TP_OK)
        r = purse_proof_read(&proof, evidence, authority, &e);
    if (r == TP_OK)
        say(&proof);
    purse_proof_free(&proof);
    json_decref(evidence);
    order_authority_free(&authority);
    return cli_end(r, &e);
}
