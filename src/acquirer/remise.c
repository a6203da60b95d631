/* telepay-acquirer close | remise list | remise show */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acquirer/commands.h"
#include "acquirer/option.h"
#include "base/document.h"
#include "base/hex.h"
#include "base/text.h"

struct words {
    const char *dir, *contract, *number;
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
    case 'r':
        w->number = arg;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

struct cells { /* the texts of a remise */
    char number[16], debits[16], debit[MONEY_TEXT_MAX], credits[16], credit[MONEY_TEXT_MAX],
        reversals[16], reversal[MONEY_TEXT_MAX], net[MONEY_TEXT_MAX], day[DATE_TEXT_MAX],
        attempts[16];
};

struct outcome { /* the texts of what the centre made of a remise; "" while it is not settled */
    struct remise_totals refused, paid;
    char refused_n[24], refused_debit[MONEY_TEXT_MAX], refused_credit[MONEY_TEXT_MAX],
        refused_net[MONEY_TEXT_MAX], paid_debit[MONEY_TEXT_MAX], paid_credit[MONEY_TEXT_MAX],
        paid_net[MONEY_TEXT_MAX];
};

static enum tp_err fill_outcome(struct outcome *o, struct ledger *l, const struct remise *r,
                                struct tp_error *e)
{
    enum tp_err err;

    *o = (struct outcome){.refused_n = ""};
    err = ledger_remise_refused(l, r, &o->refused, e);
    remise_paid(&o->paid, r, &o->refused);
    if (err != TP_OK || (r->state != REMISE_COLLECTED && r->state != REMISE_REJECTED))
        return err;
    snprintf(o->refused_n, sizeof(o->refused_n), "%" PRIu64,
             (uint64_t)o->refused.debits + o->refused.credits);
    money_shown(o->refused_debit, o->refused.debit_amount, r->currency);
    money_shown(o->refused_credit, o->refused.credit_amount, r->currency);
    money_shown(o->refused_net, o->refused.debit_amount - o->refused.credit_amount, r->currency);
    money_shown(o->paid_debit, o->paid.debit_amount, r->currency);
    money_shown(o->paid_credit, o->paid.credit_amount, r->currency);
    money_shown(o->paid_net, o->paid.debit_amount - o->paid.credit_amount, r->currency);
    return err;
}

static const char *null_if_empty(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

static void fill(struct cells *c, const struct remise *r)
{
    const struct remise_totals *t = &r->totals;

    snprintf(c->number, sizeof(c->number), "%" PRIu32, r->number);
    snprintf(c->debits, sizeof(c->debits), "%" PRIu32, t->debits);
    snprintf(c->credits, sizeof(c->credits), "%" PRIu32, t->credits);
    snprintf(c->reversals, sizeof(c->reversals), "%" PRIu32, t->reversals);
    snprintf(c->attempts, sizeof(c->attempts), "%" PRIu32, r->attempts);
    money_shown(c->debit, t->debit_amount, r->currency);
    money_shown(c->credit, t->credit_amount, r->currency);
    money_shown(c->reversal, t->reversal_amount, r->currency);
    money_shown(c->net, t->debit_amount - t->credit_amount, r->currency);
    c->day[0] = '\0';
    if (r->day != 0)
        date_format(c->day, r->day);
}

/* ---- remise list ---- */

struct rows {
    struct ledger *l; /* a second connection: the first walks over the remises */
    struct table *table;
};

static enum tp_err list_row(void *ctx, const struct remise *r, struct tp_error *e)
{
    struct rows *rows = ctx;
    struct outcome o;
    struct cells c;
    enum tp_err err = fill_outcome(&o, rows->l, r, e);
    const char *const cells[] = {r->contract,
                                 c.number,
                                 c.day,
                                 c.debits,
                                 c.debit,
                                 c.credits,
                                 c.credit,
                                 c.reversals,
                                 c.net,
                                 null_if_empty(o.refused_n),
                                 null_if_empty(o.refused_net),
                                 null_if_empty(o.paid_net),
                                 currency_shown(r->currency),
                                 remise_state_name(r->state)};

    fill(&c, r);
    return err == TP_OK ? table_row(rows->table, cells, e) : err;
}

int acquirer_remise_list(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"contract", 'c', "ID", 0, N_("Only this contract's"), 0}, OPTION_DIR, OPTION_JSON, {0}};
    static const struct argp argp = {
        options, parse, NULL, N_("List the remises with their totals."), table_words, NULL, NULL};
    static const struct table_column columns[] = {{"contract", TABLE_TEXT},
                                                  {"remise", TABLE_NUMBER},
                                                  {"day", TABLE_TEXT},
                                                  {"debits", TABLE_NUMBER},
                                                  {"debit_amount", TABLE_RIGHT | TABLE_LESSER},
                                                  {"credits", TABLE_NUMBER | TABLE_LESSER},
                                                  {"credit_amount", TABLE_RIGHT | TABLE_LESSER},
                                                  {"reversals", TABLE_NUMBER | TABLE_LESSER},
                                                  {"net", TABLE_RIGHT},
                                                  {"refused", TABLE_NUMBER | TABLE_LESSER},
                                                  {"refused_net", TABLE_RIGHT | TABLE_LESSER},
                                                  {"paid_net", TABLE_RIGHT | TABLE_LESSER},
                                                  {"currency", TABLE_TEXT},
                                                  {"state", TABLE_TEXT}};
    struct words w = {0};
    struct listing list = {0};
    struct rows rows = {0};
    char dir[PATH_MAX];
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = listing_start(&list, w.dir, "remises", columns, sizeof(columns) / sizeof(columns[0]),
                      w.json);
    if (r == TP_OK)
        r = option_open(&rows.l, dir, w.dir, &list.e);
    rows.table = list.table;
    if (r == TP_OK)
        r = listing_contract(&list, w.contract);
    if (r == TP_OK)
        r = ledger_remise_each(list.l, w.contract, -1, list_row, &rows, &list.e);
    ledger_close(&rows.l);
    return listing_end(&list, r);
}

/* ---- remise show ---- */

/* Its number is a word too. */
static error_t parse_show(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;

    if (key == ARGP_KEY_ARG && w->number == NULL) {
        w->number = arg;
        return 0;
    }
    return parse(key, arg, state);
}

static void set_text(json_t *object, const char *key, const char *value)
{
    json_object_set_new(object, key, value[0] != '\0' ? json_string(value) : json_null());
}

static json_t *remise_json(const struct remise *r)
{
    json_t *object = json_object();
    struct cells c;
    char hash[65];

    fill(&c, r);
    set_text(object, "contract", r->contract);
    json_object_set_new(object, "remise", json_integer(r->number));
    set_text(object, "state", remise_state_name(r->state));
    set_text(object, "day", c.day);
    set_text(object, "currency", currency_shown(r->currency));
    json_object_set_new(object, "debits", json_integer(r->totals.debits));
    set_text(object, "debit_amount", c.debit);
    json_object_set_new(object, "credits", json_integer(r->totals.credits));
    set_text(object, "credit_amount", c.credit);
    json_object_set_new(object, "reversals", json_integer(r->totals.reversals));
    set_text(object, "reversal_amount", c.reversal);
    set_text(object, "net", c.net);
    json_object_set_new(object, "opened", document_time(r->opened));
    json_object_set_new(object, "closed", document_time(r->closed));
    json_object_set_new(object, "submitted", document_time(r->submitted));
    json_object_set_new(object, "settled", document_time(r->settled));
    json_object_set_new(object, "attempt_count", json_integer(r->attempts));
    set_text(object, "content_hash",
             r->attempts > 0 ? hex_encode(hash, SPAN_OF(r->content_hash)) : "");
    set_text(object, "outcome", r->outcome);
    return object;
}

/* Beside the totals of what was sent; null while the centre has not answered. */
static void add_outcome(json_t *object, const struct outcome *o)
{
    const bool settled = o->refused_n[0] != '\0';

    json_object_set_new(object, "refused_debits",
                        settled ? json_integer(o->refused.debits) : json_null());
    set_text(object, "refused_debit_amount", o->refused_debit);
    json_object_set_new(object, "refused_credits",
                        settled ? json_integer(o->refused.credits) : json_null());
    set_text(object, "refused_credit_amount", o->refused_credit);
    set_text(object, "refused_net", o->refused_net);
    json_object_set_new(object, "paid_debits",
                        settled ? json_integer(o->paid.debits) : json_null());
    set_text(object, "paid_debit_amount", o->paid_debit);
    json_object_set_new(object, "paid_credits",
                        settled ? json_integer(o->paid.credits) : json_null());
    set_text(object, "paid_credit_amount", o->paid_credit);
    set_text(object, "paid_net", o->paid_net);
}

static void print_outcome(const char *what, const struct remise_totals *t, const char *debit,
                          const char *credit, const char *net, const char *currency)
{
    printf(_("%-12s debits %" PRIu32 ", %s, credits %" PRIu32 ", %s, net %s %s\n"), what, t->debits,
           debit, t->credits, credit, net, currency);
}

static int show_text(const struct remise *r, const struct outcome *o)
{
    struct cells c;
    char when[TIME_TEXT_MAX], hash[65];
    const char *currency = currency_shown(r->currency);

    fill(&c, r);
    printf(_("contract     %s\nnumber       %s\nstate        %s\n"), r->contract, c.number,
           remise_state_name(r->state));
    if (r->day != 0)
        printf(_("day          %s\n"), c.day);
    printf(_("debits       %s, %s %s\ncredits      %s, %s %s\n"), c.debits, c.debit, currency,
           c.credits, c.credit, currency);
    printf(_("reversals    %s, %s %s\nnet          %s %s\n"), c.reversals, c.reversal, currency,
           c.net, currency);
    printf(_("opened       %s\n"), time_shown(when, r->opened));
    if (r->closed != 0)
        printf(_("closed       %s\n"), time_shown(when, r->closed));
    if (r->attempts > 0)
        printf(_("submitted    %s, %s time(s)\ncontent      %s\n"), time_shown(when, r->submitted),
               c.attempts, hex_encode(hash, SPAN_OF(r->content_hash)));
    if (r->settled != 0)
        printf(_("settled      %s\noutcome      %s\n"), time_shown(when, r->settled), r->outcome);
    if (o->refused_n[0] != '\0') {
        print_outcome("refused", &o->refused, o->refused_debit, o->refused_credit, o->refused_net,
                      currency);
        print_outcome("paid", &o->paid, o->paid_debit, o->paid_credit, o->paid_net, currency);
    }
    return CLI_DONE;
}

int acquirer_remise_show(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"contract", 'c', "ID", 0, N_("Number of the contract"), 0},
        {"remise", 'r', "NUMBER", 0, N_("Number of the remise [the open one]"), 0},
        OPTION_DIR,
        OPTION_JSON,
        {0}};
    static const struct argp argp = {options,
                                     parse_show,
                                     N_("[NUMBER]"),
                                     N_("Show one remise: the open one, where no number is said."),
                                     NULL,
                                     NULL,
                                     NULL};
    struct words w = {0};
    struct ledger *l = NULL;
    struct remise remise = {0};
    struct outcome outcome;
    json_t *object;
    struct tp_error e = {TP_OK, ""};
    char dir[PATH_MAX];
    int64_t number = 0;
    enum tp_err r = TP_OK;

    cli_parse(&argp, argc, argv, &w);
    if (w.contract == NULL)
        r = tp_fail(
            &e, TP_ERR_USAGE,
            "each contract numbers its own: telepay-acquirer remise show --contract ID%s%.20s",
            w.number != NULL ? " " : "", w.number != NULL ? w.number : "");
    if (r == TP_OK && w.number != NULL)
        r = cli_number(&number, "the number of a remise", w.number, UINT32_MAX, &e);
    if (r == TP_OK)
        r = option_open(&l, dir, w.dir, &e);
    if (r == TP_OK)
        r = w.number == NULL ? ledger_remise_running(l, w.contract, &remise, &e)
                             : ledger_remise_get(l, w.contract, (uint32_t)number, &remise, &e);
    if (r == TP_OK)
        r = fill_outcome(&outcome, l, &remise, &e);
    ledger_close(&l);
    if (r != TP_OK)
        return cli_report(&e);
    if (!w.json)
        return show_text(&remise, &outcome);
    object = remise_json(&remise);
    add_outcome(object, &outcome);
    return option_print_json(object);
}

/* ---- close ---- */

struct closing {
    struct ledger *l; /* a second connection: the first walks over the contracts */
    json_t *closed;
    bool json;
    unsigned n;
};

static enum tp_err close_one(void *ctx, const struct contract *c, struct tp_error *e)
{
    struct closing *closing = ctx;
    struct remise remise;
    struct cells cells;
    const enum tp_err r = ledger_remise_close(closing->l, c->id, &remise, e);

    if (r == TP_ERR_NOT_FOUND) {
        if (!closing->json)
            printf(_("contract %s: nothing to collect\n"), c->id);
        return TP_OK;
    }
    if (r != TP_OK)
        return r;
    closing->n++;
    fill(&cells, &remise);
    if (closing->json)
        json_array_append_new(closing->closed, remise_json(&remise));
    else
        printf(_("contract %s: remise %s closed, day %s, %s debits %s, %s credits %s, net %s %s\n"),
               c->id, cells.number, cells.day, cells.debits, cells.debit, cells.credits,
               cells.credit, cells.net, currency_shown(remise.currency));
    return TP_OK;
}

int acquirer_close(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"contract", 'c', "ID", 0, N_("Only this contract's [all]"), 0},
        OPTION_DIR,
        OPTION_JSON,
        {0}};
    static const struct argp argp = {
        options,
        parse,
        NULL,
        N_("Close the open remise of each contract: the business day is fixed, its totals are "
           "frozen and the next remise opens. One with nothing to collect stays open."),
        NULL,
        NULL,
        NULL};
    struct words w = {0};
    struct closing closing = {0};
    struct ledger *l = NULL;
    struct contract one;
    struct tp_error e = {TP_OK, ""};
    char dir[PATH_MAX];
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    closing.json = w.json;
    closing.closed = json_array();
    r = option_open(&l, dir, w.dir, &e);
    if (r == TP_OK)
        r = acquirer_open_ledger(&closing.l, dir, &e);
    if (r == TP_OK && w.contract != NULL &&
        (r = ledger_contract_get(l, w.contract, &one, &e)) == TP_OK)
        r = close_one(&closing, &one, &e);
    else if (r == TP_OK)
        r = ledger_contract_each(l, close_one, &closing, &e);
    ledger_close(&closing.l);
    ledger_close(&l);
    if (r != TP_OK) {
        json_decref(closing.closed);
        return cli_report(&e);
    }
    if (w.json)
        return option_print_json(closing.closed);
    json_decref(closing.closed);
    return CLI_DONE;
}
