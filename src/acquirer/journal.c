/* telepay-acquirer list | show | reverse */
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
    const char *dir, *contract, *state, *remise, *rrn;
    bool json;
};

enum { KEY_STATE = 256 };

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
    case KEY_STATE:
        w->state = arg;
        return 0;
    case 'r':
        w->remise = arg;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* The same with one word, the reference number. */
static error_t parse_rrn(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;

    if (key == ARGP_KEY_ARG && w->rrn == NULL) {
        w->rrn = arg;
        return 0;
    }
    if (key == ARGP_KEY_END && w->rrn == NULL)
        argp_error(state, _("name the transaction by its reference number (rrn), as in the list"));
    return parse(key, arg, state);
}

/* ---- list ---- */

static enum tp_err read_state(int *out, const char *text, struct tp_error *e)
{
    *out = -1;
    if (text == NULL)
        return TP_OK;
    for (int s = TX_ACKNOWLEDGED; s <= TX_REVERSED; s++)
        if (strcmp(text, tx_state_name((enum tx_state)s)) == 0 ||
            (s == TX_IN_REMISE && strcmp(text, "in-remise") == 0))
            *out = s;
    return *out >= 0 ? TP_OK
                     : tp_fail(e, TP_ERR_USAGE,
                               "\"%.40s\" is no state: acknowledged, in-remise, collected, "
                               "rejected or reversed",
                               text);
}

static enum tp_err list_row(void *ctx, uint32_t sequence, const struct tx_record *tx,
                            struct tp_error *e)
{
    char when[32], amount[MONEY_TEXT_MAX], remise[16];
    const int64_t t = tx->local_time;
    const char *const cells[] = {tx->rrn,
                                 when,
                                 tx->contract,
                                 tx->terminal,
                                 tx_kind_name(tx->kind),
                                 amount,
                                 currency_shown(tx->currency),
                                 tx->pan_masked,
                                 tx->remise != 0 ? remise : NULL,
                                 tx_state_name(tx->state)};

    (void)sequence;
    snprintf(when, sizeof(when), "%04d-%02d-%02d %02d:%02d:%02d", (int)(t / 10000000000 % 10000),
             (int)(t / 100000000 % 100), (int)(t / 1000000 % 100), (int)(t / 10000 % 100),
             (int)(t / 100 % 100), (int)(t % 100));
    snprintf(remise, sizeof(remise), "%" PRIu32, tx->remise);
    money_shown(amount, tx->amount, tx->currency);
    return table_row(ctx, cells, e);
}

struct search {
    int64_t number;
    bool found;
};

static enum tp_err is_it(void *ctx, const struct remise *remise, struct tp_error *e)
{
    struct search *s = ctx;

    (void)e;
    s->found |= remise->number == s->number;
    return TP_OK;
}

/* Contracts number their remises each on their own. */
static enum tp_err find_remise(struct ledger *l, const struct tx_filter *f, struct tp_error *e)
{
    struct search s = {.number = f->remise};
    enum tp_err r = ledger_remise_each(l, f->contract, -1, is_it, &s, e);

    return r == TP_OK && !s.found
               ? tp_fail(e, TP_ERR_NOT_FOUND, "there is no remise %" PRId64 ": see remise list",
                         f->remise)
               : r;
}

int acquirer_list(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"contract", 'c', "ID", 0, N_("Only this contract's"), 0},
        {"state", KEY_STATE, "STATE", 0,
         N_("Only those acknowledged, in-remise, collected, rejected or reversed"), 0},
        {"remise", 'r', "NUMBER", 0, N_("Only those of the remise of this number"), 0},
        OPTION_DIR,
        OPTION_JSON,
        {0},
    };
    static const struct argp argp = {
        options,     parse, NULL, N_("List the transactions that were acknowledged."),
        table_words, NULL,  NULL};
    static const struct table_column columns[] = {{"rrn", TABLE_TEXT},
                                                  {"local_time", TABLE_TIME},
                                                  {"contract", TABLE_TEXT | TABLE_LESSER},
                                                  {"terminal", TABLE_TEXT | TABLE_LESSER},
                                                  {"kind", TABLE_TEXT},
                                                  {"amount", TABLE_RIGHT},
                                                  {"currency", TABLE_TEXT},
                                                  {"pan_masked", TABLE_TEXT | TABLE_LESSER},
                                                  {"remise", TABLE_NUMBER | TABLE_LESSER},
                                                  {"state", TABLE_TEXT}};
    struct words w = {0};
    struct listing list = {0};
    struct tx_filter filter = {NULL, -1, -1};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    filter.contract = w.contract;
    r = read_state(&filter.state, w.state, &list.e);
    if (r == TP_OK && w.remise != NULL)
        r = cli_number(&filter.remise, "--remise", w.remise, UINT32_MAX, &list.e);
    if (r == TP_OK)
        r = listing_start(&list, w.dir, "transactions", columns,
                          sizeof(columns) / sizeof(columns[0]), w.json);
    if (r == TP_OK)
        r = listing_contract(&list, w.contract);
    if (r == TP_OK && w.remise != NULL)
        r = find_remise(list.l, &filter, &list.e);
    if (r == TP_OK)
        r = ledger_tx_each(list.l, &filter, list_row, list.table, &list.e);
    return listing_end(&list, r);
}

/* ---- show ---- */

struct line { /* a name and a value of a record */
    const char *name;
    char value[96];
};

static size_t record_lines(struct line *lines, const struct tx_record *tx)
{
    const int64_t t = tx->local_time;
    char hex[65], time_text[TIME_TEXT_MAX], date[DATE_TEXT_MAX];
    size_t n = 0;

#define LINE(name_, ...)                                                                           \
    lines[n].name = (name_);                                                                       \
    snprintf(lines[n++].value, sizeof(lines[0].value), __VA_ARGS__)
    LINE("rrn", "%s", tx->rrn);
    LINE("state", "%s", tx_state_name(tx->state));
    LINE("kind", "%s", tx_kind_name(tx->kind));
    char amount[MONEY_TEXT_MAX];
    LINE("amount", "%s", money_shown(amount, tx->amount, tx->currency));
    LINE("currency", "%s", currency_shown(tx->currency));
    LINE("pan_masked", "%s", tx->pan_masked);
    LINE("card_sequence", "%02u", tx->emv.psn);
    LINE("card_expiry", "%s", date_format(date, tx->emv.card_expiry));
    LINE("contract", "%s", tx->contract);
    LINE("terminal", "%s", tx->terminal);
    LINE("stan", "%06" PRIu32, tx->stan);
    LINE("local_time", "%04d-%02d-%02dT%02d:%02d:%02d", (int)(t / 10000000000 % 10000),
         (int)(t / 100000000 % 100), (int)(t / 1000000 % 100), (int)(t / 10000 % 100),
         (int)(t / 100 % 100), (int)(t % 100));
    LINE("acknowledged", "%s", time_shown(time_text, tx->acknowledged));
    LINE("remise", "%" PRIu32, tx->remise);
    LINE("approval", "%s", tx->approval);
    LINE("refund_of", "%s", tx->undoes);
    LINE("atc", "%u", tx->emv.atc);
    LINE("approved_by", "%s",
         tx->approval[0] == '\0' ? "the card"
         : tx->emv.online        ? "the issuer"
                                 : "card and issuer");
    LINE("ac", "%s", hex_encode(hex, SPAN_OF(tx->emv.ac)));
    LINE("digest", "%s",
         hex_encode(hex, span_of(tx->digest.p, tx->digest.n <= 32 ? tx->digest.n : 32)));
    LINE("evidence_bytes", "%zu", tx->emv.de55.n + tx->emv.stream.n);
#undef LINE
    return n;
}

static int show(const struct tx_record *tx, bool json)
{
    struct line lines[24];
    const size_t n = record_lines(lines, tx);
    json_t *object = NULL;

    if (!json) {
        for (size_t i = 0; i < n; i++)
            if (lines[i].value[0] != '\0')
                printf("%-15s %s\n", lines[i].name, lines[i].value);
        return CLI_DONE;
    }
    object = json_object();
    for (size_t i = 0; i < n; i++)
        json_object_set_new(object, lines[i].name, json_string(lines[i].value));
    json_object_set_new(object, "remise", tx->remise != 0 ? json_integer(tx->remise) : json_null());
    json_object_set_new(object, "acknowledged", document_time(tx->acknowledged));
    json_object_set_new(object, "atc", json_integer(tx->emv.atc));
    json_object_set_new(object, "evidence_bytes",
                        json_integer((json_int_t)(tx->emv.de55.n + tx->emv.stream.n)));
    return option_print_json(object);
}

int acquirer_show(int argc, char **argv)
{
    static const struct argp_option options[] = {OPTION_DIR, OPTION_JSON, {0}};
    static const struct argp argp = {
        options, parse_rrn, N_("RRN"), N_("Show one transaction. prove checks it again."),
        NULL,    NULL,      NULL};
    struct words w = {0};
    struct ledger *l = NULL;
    struct tx_record tx = {0};
    struct tp_error e = {TP_OK, ""};
    char dir[PATH_MAX];
    int done = CLI_DONE;
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = option_open(&l, dir, w.dir, &e);
    if (r == TP_OK)
        r = ledger_tx_get(l, w.rrn, &tx, &e);
    done = r == TP_OK ? show(&tx, w.json) : cli_report(&e);
    ledger_close(&l);
    return done;
}

/* ---- reverse ---- */

int acquirer_reverse(int argc, char **argv)
{
    static const struct argp_option options[] = {OPTION_DIR, {0}};
    static const struct argp argp = {options,
                                     parse_rrn,
                                     N_("RRN"),
                                     N_("Reverse a transaction of an open remise. After the close "
                                        "only a credit undoes a debit."),
                                     NULL,
                                     NULL,
                                     NULL};
    struct words w = {0};
    struct ledger *l = NULL;
    struct tp_error e = {TP_OK, ""};
    char dir[PATH_MAX];
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = option_open(&l, dir, w.dir, &e);
    if (r == TP_OK)
        r = ledger_reverse(l, w.rrn, &e);
    ledger_close(&l);
    if (r != TP_OK)
        return cli_report(&e);
    printf(_("transaction %s is reversed\n"), w.rrn);
    return CLI_DONE;
}
