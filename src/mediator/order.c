/* telepay-mediator order list | show | prove, status: what became of the orders. */
#include <argp.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/date.h"
#include "base/document.h"
#include "base/log.h"
#include "base/money.h"
#include "base/text.h"
#include "mediator/challenge.h"
#include "mediator/commands.h"
#include "mediator/dispute.h"
#include "order/proof.h"
#include "order/purse_token.h"

struct words { /* of every command here */
    const char *dir, *state, *id;
    bool json, metrics;
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
    case 'm':
        w->metrics = true;
        return 0;
    case 's':
        w->state = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (w->id != NULL)
            return ARGP_ERR_UNKNOWN;
        w->id = arg;
        return 0;
    case ARGP_KEY_END:
        if (w->json && w->metrics)
            argp_error(state, _("--json and --metrics are two forms: say one"));
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

enum tp_err roll_start(struct roll *list, const char *dir, const char *name,
                       const struct table_column *columns, size_t n, bool json)
{
    enum tp_err r = mediator_dir(list->dir, dir, &list->e);

    if (r == TP_OK)
        r = orderbook_open(&list->book, list->dir, &list->e);
    return r == TP_OK ? table_new(&list->table, name, columns, n, json, &list->e) : r;
}

int roll_end(struct roll *list, enum tp_err r)
{
    r = table_end(&list->table, r, &list->e);
    orderbook_close(&list->book);
    return r == TP_OK ? CLI_DONE : cli_report(&list->e);
}

/* ---- list ---- */

static enum tp_err order_row(void *ctx, const struct orderbook_order *o, struct tp_error *e)
{
    char made[TIME_TEXT_MAX], amount[MONEY_TEXT_MAX];
    const char *const cells[] = {o->id,
                                 time_format(made, o->made),
                                 o->service,
                                 o->item,
                                 money_shown(amount, o->amount, o->currency),
                                 currency_shown(o->currency),
                                 order_state_name(o->state),
                                 means_name(o->means),
                                 o->why};

    return table_row(ctx, cells, e);
}

int mediator_cmd_order_list(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"state", 's', "STATE", 0,
         N_("Only those that stand there: requested, claimed, submitting, unknown, approved, "
            "acknowledged, delivered, reversing, reversed, owed"),
         0},
        OPTION_DIR,
        OPTION_JSON,
        {0}};
    static const struct argp argp = {
        options, parse, NULL, N_("List the orders, as they were made."), table_words, NULL, NULL};
    static const struct table_column columns[] = {{"order", TABLE_TEXT},
                                                  {"made", TABLE_TIME | TABLE_LESSER},
                                                  {"service", TABLE_WORDS},
                                                  {"item", TABLE_WORDS | TABLE_LESSER},
                                                  {"amount", TABLE_RIGHT},
                                                  {"currency", TABLE_TEXT},
                                                  {"state", TABLE_TEXT},
                                                  {"means", TABLE_TEXT | TABLE_LESSER},
                                                  {"reason", TABLE_WORDS | TABLE_LESSER}};
    struct words w = {.id = NULL};
    struct roll list = {.book = NULL};
    enum order_state state = 0;
    enum tp_err r = TP_OK;

    cli_parse(&argp, argc, argv, &w);
    if (w.state != NULL && !order_state_find(&state, w.state))
        r = tp_fail(&list.e, TP_ERR_USAGE, "\"%.40s\" is no state: see --help", w.state);
    if (r == TP_OK)
        r = roll_start(&list, w.dir, "orders", columns, sizeof(columns) / sizeof(columns[0]),
                       w.json);
    if (r == TP_OK)
        r = orderbook_order_each(list.book, state, order_row, list.table, &list.e);
    return roll_end(&list, r);
}

/* ---- show ---- */

static json_t *attempt_json(const struct orderbook_attempt *a)
{
    static const char *const outcomes[] = {"none", "acknowledged", "refused", "undecided"};
    static const char *const surplus[] = {NULL, "to be given back", "given back", "owed"};
    const bool card = a->means == MEANS_EMV;
    char stan[12];

    snprintf(stan, sizeof(stan), "%06" PRIu32, a->stan);
    return json_pack(
        "{s:i,s:s,s:s,s:s,s:s?,s:s?,s:o,s:o,s:s,s:s?,s:s?,s:s?,s:s?,s:s?}", "attempt", (int)a->n,
        "means", means_method(a->means), "contract", a->contract, "acquirer", a->acquirer,
        "terminal", card ? a->terminal : NULL, "stan", card ? stan : NULL, "local_time",
        card ? document_local_time(a->local_time) : json_null(), "submitted",
        document_time(a->sent), "outcome", outcomes[a->outcome], "code",
        a->code[0] != '\0' ? a->code : NULL, "reason", a->reason[0] != '\0' ? a->reason : NULL,
        "reference", a->rrn[0] != '\0' ? a->rrn : NULL, "acknowledgement", a->acknowledgement,
        "surplus", surplus[a->surplus]);
}

static json_t *order_json(const struct orderbook_order *o)
{
    return json_pack(
        "{s:s,s:s,s:o,s:s,s:s,s:s,s:s,s:s,s:s,s:o,s:s,s:s,s:o,s:o,s:s}", "order", o->id, "state",
        order_state_name(o->state), "since", document_time(o->since), "service", o->service,
        "reason", o->why, "http_method", o->method, "url", o->url, "item", o->item, "merchant",
        o->merchant, "amount", document_amount(o->amount, o->currency), "currency",
        currency_shown(o->currency), "delivery", delivery_name(o->delivery), "made",
        document_time(o->made), "valid_until", document_time(o->valid_until), "code", o->code);
}

/* The contract that the order is paid under, or was last made for. */
static void tell_whose(json_t *said, const struct orderbook_attempt *a)
{
    (void)json_object_set_new(said, "contract", json_string(a->contract));
    (void)json_object_set_new(said, "acquirer", json_string(a->acquirer));
}

static enum tp_err show(struct orderbook *b, const struct orderbook_order *o, struct tp_error *e)
{
    json_t *said = order_json(o), *attempts = json_array();
    uint32_t last = 0;
    enum tp_err r = orderbook_attempt_last(b, o->id, &last, e);

    for (uint32_t n = 1; r == TP_OK && n <= last; n++) {
        struct orderbook_attempt a = {.n = 0};
        bool found = false;

        r = orderbook_attempt_get(b, o->id, n, &a, &found, e);
        if (r == TP_OK && found && json_array_append_new(attempts, attempt_json(&a)) != 0)
            r = tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
        if (n == o->attempt)
            tell_whose(said, &a);
        orderbook_attempt_free(&a);
    }
    if (r == TP_OK && (json_object_set(said, "attempts", attempts) != 0 ||
                       document_print(json_incref(said), false) != TP_OK))
        r = tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    json_decref(attempts);
    json_decref(said);
    return r;
}

static enum tp_err find(struct orderbook *b, const char *id, struct orderbook_order *o,
                        struct tp_error *e)
{
    bool found = false;
    const enum tp_err r = orderbook_order_get(b, id, o, &found, e);

    return r == TP_OK && !found
               ? tp_fail(
                     e, TP_ERR_NOT_FOUND,
                     "there is no order \"%.40s\": telepay-mediator order list says which there "
                     "are",
                     id)
               : r;
}

/* Books, and the order that the words name. */
static enum tp_err open_order(struct orderbook **b, struct orderbook_order *o, char *dir,
                              const struct words *w, struct tp_error *e)
{
    enum tp_err r =
        w->id != NULL ? mediator_dir(dir, w->dir, e) : tp_fail(e, TP_ERR_USAGE, "name the order");

    if (r == TP_OK)
        r = orderbook_open(b, dir, e);
    return r == TP_OK ? find(*b, w->id, o, e) : r;
}

/* What a payment that was acknowledged has come to since, where it is no sale: for people. */
static void tell_state(const struct orderbook_order *o)
{
    const bool settled = strncmp(o->why, DISPUTE_SETTLES, strlen(DISPUTE_SETTLES)) == 0;
    const char *how = settled ? "disputed" : "not delivered";
    char amount[MONEY_TEXT_MAX];

    if (o->state == STATE_REVERSING)
        log_note("it was paid and %s: the acquirer is asked to give it back, until it answers "
                 "(while telepay-mediator serve runs)",
                 how);
    if (o->state == STATE_REVERSED)
        log_note("it was %s: what was paid is given back", how);
    if (o->state == STATE_OWED)
        log_note("it was paid, %s and not given back: the merchant owes the payer a credit of %s "
                 "%s, which no program gives by itself",
                 how, money_shown(amount, o->amount, o->currency), currency_shown(o->currency));
}

int mediator_cmd_order_show(int argc, char **argv)
{
    static const struct argp_option options[] = {OPTION_DIR, {0}};
    static const struct argp argp = {
        options, parse, N_("ORDER"), N_("Show one order, and all its attempts, as JSON."),
        NULL,    NULL,  NULL};
    struct words w = {.id = NULL};
    char dir[PATH_MAX];
    struct orderbook *b = NULL;
    struct orderbook_order o = {.amount = 0};
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    document_asked();
    r = open_order(&b, &o, dir, &w, &e);
    if (r == TP_OK)
        r = show(b, &o, &e);
    if (r == TP_OK)
        tell_state(&o);
    orderbook_close(&b);
    return r == TP_OK ? CLI_DONE : cli_report(&e);
}

/* ---- prove ---- */

/* A voucher, acknowledged by the mediator that took it. */
static enum tp_err prove_voucher(const struct orderbook_attempt *a,
                                 const struct reg_acquirer *acquirer, struct tp_error *e)
{
    struct purse_token t = {.owner = NULL};
    struct purse_statement s = {.owner = NULL};
    struct payment_challenge challenge;
    uint8_t r[PAYMENT_R];
    char hash[PURSE_HASH], r64[BASE64URL_SIZE(PAYMENT_R)];
    json_t *owner = NULL;
    enum tp_err err = challenge_of(&challenge, &owner, a, e);

    if (err == TP_OK)
        err = payment_challenge_r(r, &challenge, e);
    if (err == TP_OK)
        err = purse_token_read(&t, PURSE_VOUCHER_ACKNOWLEDGEMENT, a->acknowledgement,
                               acquirer->authority, e);
    if (err == TP_OK)
        err = purse_statement_read(&s, PURSE_VOUCHER, a->pays, e);
    if (err == TP_OK)
        err = purse_statement_hash(hash, a->pays, e);
    if (err == TP_OK && (strcmp(t.voucher_hash, hash) != 0 || strcmp(t.r, s.r) != 0 ||
                         strcmp(s.r, base64url_encode(r64, SPAN_OF(r))) != 0))
        err = tp_fail(e, TP_ERR_SECURITY, "voucher, challenge and acknowledgement do not agree");
    if (err == TP_OK)
        printf(_("order %s was paid by voucher %s of session %s: account %s signed it, %s in all "
                 "under contract %s, at %s\n"),
               t.order, s.number, s.session, s.account, s.sum, s.contract, t.at);
    purse_statement_free(&s);
    purse_token_free(&t);
    json_decref(owner);
    return err;
}

/* Which statement of which account the purse answered. */
static enum tp_err prove_statement(const struct orderbook_attempt *a,
                                   const struct order_proof *proof, struct tp_error *e)
{
    struct purse_statement s = {.owner = NULL};
    char hash[PURSE_HASH], r[BASE64URL_SIZE(PAYMENT_R)];
    enum tp_err err = purse_statement_read(&s, PURSE_PAYMENT, a->pays, e);

    if (err == TP_OK)
        err = purse_statement_hash(hash, a->pays, e);
    if (err == TP_OK && (proof->acknowledgement.payment == NULL ||
                         strcmp(proof->acknowledgement.payment, hash) != 0 ||
                         strcmp(s.r, base64url_encode(r, SPAN_OF(proof->r))) != 0))
        err = tp_fail(e, TP_ERR_SECURITY, "the purse answered another statement than was sent");
    if (err == TP_OK)
        printf(_("paid by purse: account %s signed it, counter %s\n"), s.account, s.counter);
    purse_statement_free(&s);
    return err;
}

static enum tp_err prove_attempt(const struct orderbook_attempt *a,
                                 const struct reg_acquirer *acquirer, struct tp_error *e)
{
    struct order_proof proof = {.r = {0}};
    struct payment_challenge challenge;
    char amount[MONEY_TEXT_MAX];
    json_t *owner = NULL;
    const struct currency *currency;
    enum tp_err r = challenge_of(&challenge, &owner, a, e);

    if (r == TP_OK)
        r = order_proof_read(&proof, &challenge, a->acknowledgement, acquirer->authority, e);
    if (r == TP_OK) {
        currency = currency_by_alpha(proof.order.currency);
        printf(
            _("order %s: %s %s, \"%s\" of %s, was %s by acquirer %s, reference %s, at %s\n"),
            proof.order.id,
            currency != NULL ? money_format(amount, strtoll(proof.order.amount, NULL, 10), currency)
                             : proof.order.amount,
            currency != NULL ? currency->alpha : proof.order.currency, proof.order.item,
            proof.order.merchant, proof.acknowledgement.outcome, proof.acknowledgement.acquirer,
            proof.acknowledgement.reference != NULL ? proof.acknowledgement.reference : _("none"),
            proof.acknowledgement.at);
        if (a->means == MEANS_PURSE)
            r = prove_statement(a, &proof, e);
    }
    order_proof_free(&proof);
    json_decref(owner);
    return r;
}

static enum tp_err prove(struct orderbook *b, const struct orderbook_order *o, const char *dir,
                         struct tp_error *e)
{
    const struct registry_events none = {NULL, NULL};
    struct registry *registry = NULL;
    struct orderbook_attempt a = {.n = 0};
    const struct reg_acquirer *acquirer = NULL;
    bool found = false;
    enum tp_err r = orderbook_attempt_get(b, o->id, o->attempt, &a, &found, e);

    if (r == TP_OK && (!found || a.acknowledgement == NULL))
        r = tp_fail(e, TP_ERR_STATE, "order %s is %s: the acquirer has acknowledged nothing", o->id,
                    order_state_name(o->state));
    if (r == TP_OK)
        r = registry_open(&registry, dir, &none, e);
    if (r == TP_OK)
        acquirer = registry_acquirer(registry, a.acquirer);
    if (r == TP_OK && acquirer == NULL)
        r = tp_fail(e, TP_ERR_NOT_FOUND, "the acquirer %s is not known any more", a.acquirer);
    if (r == TP_OK)
        r = a.means == MEANS_VOUCHER ? prove_voucher(&a, acquirer, e)
                                     : prove_attempt(&a, acquirer, e);
    registry_close(&registry);
    orderbook_attempt_free(&a);
    return r;
}

int mediator_cmd_order_prove(int argc, char **argv)
{
    static const struct argp_option options[] = {OPTION_DIR, {0}};
    static const struct argp argp = {
        options,
        parse,
        N_("ORDER"),
        N_("Verify again, by the acquirer's authority alone, what it acknowledged: the order's "
           "signature, its challenge, the acknowledgement's."),
        NULL,
        NULL,
        NULL};
    struct words w = {.id = NULL};
    char dir[PATH_MAX];
    struct orderbook *b = NULL;
    struct orderbook_order o = {.amount = 0};
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = open_order(&b, &o, dir, &w, &e);
    if (r == TP_OK)
        r = prove(b, &o, dir, &e);
    if (r == TP_OK)
        tell_state(&o);
    orderbook_close(&b);
    return r == TP_OK ? CLI_DONE : cli_report(&e);
}

/* ---- status ---- */

static enum tp_err count_row(void *ctx, const struct orderbook_count *c, struct tp_error *e)
{
    char n[24], amount[MONEY_TEXT_MAX];
    const char *const cells[] = {order_state_name(c->state), n,
                                 money_shown(amount, c->amount, c->currency),
                                 currency_shown(c->currency), means_name(c->means)};

    snprintf(n, sizeof(n), "%" PRId64, c->n);
    return table_row(ctx, cells, e);
}

/* What waits for a person: beside the table. */
static enum tp_err tell_disputes(struct orderbook *b, struct tp_error *e)
{
    struct dispute_count c = {0};
    const enum tp_err r = disputes_count(b, time(NULL), &c, e);

    if (r == TP_OK && c.waiting > 0)
        log_note("disputes under way: %" PRId64 ", overdue: %" PRId64
                 " (telepay-mediator dispute list)",
                 c.waiting, c.overdue);
    return r;
}

static int print_metrics(const char *given)
{
    char dir[PATH_MAX];
    struct orderbook *b = NULL;
    struct tp_error e = {TP_OK, ""};
    enum tp_err r = mediator_dir(dir, given, &e);

    if (r == TP_OK)
        r = orderbook_open(&b, dir, &e);
    if (r == TP_OK)
        r = metrics_print(b, dir, &e);
    orderbook_close(&b);
    return cli_end(r, &e);
}

int mediator_cmd_status(int argc, char **argv)
{
    static const struct argp_option options[] = {
        OPTION_DIR,
        OPTION_JSON,
        {"metrics", 'm', NULL, 0, N_("Print OpenMetrics text for collectors of metrics"), 91},
        {0}};
    static const struct argp argp = {
        options,     parse, NULL, N_("How many orders stand where, and for how much."),
        table_words, NULL,  NULL};
    static const struct table_column columns[] = {{"state", TABLE_TEXT},
                                                  {"order_count", TABLE_NUMBER},
                                                  {"amount", TABLE_RIGHT},
                                                  {"currency", TABLE_TEXT},
                                                  {"means", TABLE_TEXT}};
    struct words w = {.id = NULL};
    struct roll list = {.book = NULL};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    if (w.metrics)
        return print_metrics(w.dir);
    r = roll_start(&list, w.dir, "states", columns, sizeof(columns) / sizeof(columns[0]), w.json);
    if (r == TP_OK)
        r = orderbook_order_count(list.book, count_row, list.table, &list.e);
    if (r == TP_OK)
        r = tell_disputes(list.book, &list.e);
    return roll_end(&list, r);
}
