/* telepay order: what was bought over HTTP, what proves it, what is still to be settled. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/document.h"
#include "base/file.h"
#include "base/log.h"
#include "base/money.h"
#include "base/table.h"
#include "base/text.h"
#include "order/proof.h"
#include "payer/commands.h"
#include "payer/home.h"
#include "payer/order_words.h"
#include "payer/ticket_words.h"
#include "payer/voucher_proof.h"
#include "wire/jcs.h"

struct words {
    struct checkout_options checkout;
    const char *order, *out;
    bool json, wants_order, verbose;
};

enum { OUT = 0x100 };

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &w->checkout;
        return 0;
    case 'j':
        w->json = true;
        return 0;
    case OUT:
        w->out = arg;
        return 0;
    case 'v':
        w->verbose = true;
        return 0;
    case ARGP_KEY_ARG:
        if (!w->wants_order || w->order != NULL)
            argp_error(state, _("\"%s\" is one word too many"), arg);
        w->order = arg;
        return 0;
    case ARGP_KEY_END:
        if (w->wants_order && w->order == NULL)
            argp_error(state, _("say which order: telepay order list shows them"));
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option json_option[] = {{"json", 'j', NULL, 0, N_("print JSON"), 0}, {0}};
static const struct argp_child children[] = {{&asking_words, 0, NULL, 0}, {0}};

/* Words, folder and journal: what each begins with. */
static enum tp_err begin(struct words *w, struct checkout *c, struct fetch **fetch,
                         const struct argp *argp, int argc, char **argv, struct tp_error *e)
{
    w->checkout = ORDER_WORDS_NONE;
    *c = (struct checkout){0};
    cli_parse(argp, argc, argv, w);
    return checkout_begin(c, fetch, &w->checkout, w->verbose, e);
}

static int end(struct checkout *c, struct fetch **fetch, enum tp_err r, struct tp_error *e)
{
    checkout_close(c);
    fetch_free(fetch);
    return cli_end(r, e);
}

/* ---- list, show ---- */

static const struct table_column columns[] = {{"made", TABLE_TIME | TABLE_LESSER},
                                              {"order", TABLE_TEXT},
                                              {"merchant", TABLE_WORDS},
                                              {"item", TABLE_WORDS | TABLE_LESSER},
                                              {"amount", TABLE_RIGHT},
                                              {"currency", TABLE_TEXT},
                                              {"state", TABLE_TEXT},
                                              {"delivered", TABLE_BOOL | TABLE_LESSER},
                                              {"reference", TABLE_TEXT | TABLE_LESSER},
                                              {"reason", TABLE_WORDS | TABLE_LESSER}};

#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

static bool list_row(void *ctx, const struct kept_order *o)
{
    const struct receipt *t = &o->ticket;
    char when[TIME_TEXT_MAX], amount[MONEY_TEXT_MAX];
    const char *cells[] = {time_shown(when, (time_t)o->made),
                           o->order,
                           t->merchant,
                           o->item,
                           money_shown(amount, t->amount, t->currency),
                           currency_shown(t->currency),
                           kept_state_name(o->state),
                           table_bool(o->delivered),
                           t->rrn,
                           t->reason};

    return table_row(ctx, cells, NULL) == TP_OK;
}

int payer_order(int argc, char **argv)
{
    static const struct argp argp = {
        json_option,
        parse,
        NULL,
        N_("List the orders that were paid from here, the newest first."),
        asking_list_words,
        NULL,
        NULL};
    struct words w = {0};
    struct tp_error e = {0};
    struct checkout c;
    struct fetch *fetch = NULL;
    struct table *table = NULL;
    enum tp_err r = begin(&w, &c, &fetch, &argp, argc, argv, &e);

    if (r == TP_OK)
        r = table_new(&table, "orders", columns, COLUMNS, w.json, &e);
    if (r == TP_OK)
        r = orders_list(c.journal, list_row, table, &e);
    r = table_end(&table, r, &e);
    return end(&c, &fetch, r, &e);
}

static json_t *show_json(const struct kept_order *o)
{
    return json_pack("{s:s, s:o, s:s, s:s, s:s, s:s, s:s, s:b, s:s?, s:s?, s:s?, s:o}", "order",
                     o->order, "made", document_time(o->made), "mediator", o->origin, "http_method",
                     o->method, "url", o->url, "item", o->item, "state", kept_state_name(o->state),
                     "delivered", o->delivered, "acknowledgement", o->acknowledgement,
                     "payment_receipt", o->receipt, "statement", o->statement, "payment",
                     receipt_shown(&o->ticket));
}

static void show(const struct kept_order *o)
{
    struct receipt ticket = o->ticket;

    ticket.copy = true;
    printf(_("Order         %s\nMediator      %s\nAddress       %s %s\nItem          %s\n"
             "State         %s%s\n\n"),
           o->order, o->origin, o->method, o->url, o->item, kept_state_name(o->state),
           o->state != KEPT_ACKNOWLEDGED ? ""
           : o->delivered                ? _(", delivered")
                                         : _(", not delivered yet"));
    ticket_show(&(struct ticket_wish){0}, NULL, &ticket);
}

int payer_order_show(int argc, char **argv)
{
    static const struct argp argp = {
        json_option, parse, N_("ORDER"), N_("Show one order, and the receipt of its payment."),
        children,    NULL,  NULL};
    struct words w = {.wants_order = true};
    struct tp_error e = {0};
    struct checkout c;
    struct fetch *fetch = NULL;
    struct kept_order o = {0};
    enum tp_err r = begin(&w, &c, &fetch, &argp, argc, argv, &e);

    if (r == TP_OK)
        r = orders_find(c.journal, w.order, &o, &e);
    if (r == TP_OK && w.json)
        r = document_print(show_json(&o), false);
    else if (r == TP_OK)
        show(&o);
    kept_order_free(&o);
    return end(&c, &fetch, r, &e);
}

/* ---- prove ---- */

/* What another can hold to the authority's certificate: nothing in it is secret. */
static enum tp_err write_proof(const char *path, const json_t *challenge,
                               const struct kept_order *o, struct tp_error *e)
{
    json_t *document = json_pack("{s:O, s:s, s:s*}", "challenge", challenge, "acknowledgement",
                                 o->acknowledgement, "payment", o->statement);
    char *text = document != NULL ? json_dumps(document, JSON_INDENT(2)) : NULL;
    const enum tp_err r = text != NULL ? file_replace(path, span_str(text), 0644, e)
                                       : tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a proof");

    json_decref(document);
    free(text);
    return r;
}

/* What a purse acknowledged is what this account's key signed, and that is of this order. */
static enum tp_err check_statement(const struct order_proof *p, const struct kept_order *o,
                                   struct tp_error *e)
{
    struct purse_statement s = {0};
    char hash[PURSE_HASH];
    enum tp_err r = purse_statement_read(&s, PURSE_PAYMENT, o->statement, e);

    if (r == TP_OK)
        r = purse_statement_hash(hash, o->statement, e);
    if (r == TP_OK &&
        (p->acknowledgement.payment == NULL || strcmp(p->acknowledgement.payment, hash) != 0 ||
         strcmp(s.r, p->acknowledgement.r) != 0))
        r = tp_fail(e, TP_ERR_SECURITY,
                    "the acknowledgement is of another statement than was kept");
    purse_statement_free(&s);
    return r;
}

/* Who has said what of an order. */
struct said {
    const struct order *order;
    const char *by, *name; /* "acquirer", or of a voucher "mediator"; which */
    const char *outcome, *code, *reference, *at, *r;
};

static enum tp_err print_proof(const struct said *p, const struct authority *authority, bool json)
{
    const struct order *o = p->order;
    const struct currency *currency = currency_by_alpha(o->currency);
    const char *alpha = currency != NULL ? currency->alpha : o->currency;
    char amount[MONEY_TEXT_MAX];

    if (currency != NULL)
        money_format(amount, strtoll(o->amount, NULL, 10), currency);
    else
        snprintf(amount, sizeof(amount), "%s", o->amount);
    if (json)
        return document_print(
            json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s?, s:s, s:s, s:s, s:s}", "order",
                      o->id, "outcome", p->outcome, "code", p->code, "merchant", o->merchant,
                      "item", o->item, "amount", amount, "currency", alpha, "contract", o->contract,
                      "reference", p->reference, "at", p->at, p->by, p->name, "authority",
                      authority->fingerprint, "r", p->r),
            false);
    printf(_("Proved by the authority %s (%s):\n"
             "the %s %s said at %s that the order %s, of %s, \"%s\", of %s %s, is %s%s%s\n"),
           authority->fingerprint, authority->name, p->by, p->name, p->at, o->id, o->merchant,
           o->item, amount, alpha, p->outcome, p->reference != NULL ? _(", reference ") : "",
           p->reference != NULL ? p->reference : "");
    return TP_OK;
}

/* Of a charge. */
static enum tp_err prove_charge(const struct words *w, const struct kept_order *o,
                                const struct payment_challenge *challenge,
                                const struct authority *authority, struct tp_error *e)
{
    struct order_proof proof = {0};
    enum tp_err r = order_proof_read(&proof, challenge, o->acknowledgement, authority->orders, e);
    const struct acknowledgement *a = &proof.acknowledgement;
    const struct said said = {&proof.order, "acquirer",   a->acquirer, a->outcome,
                              a->code,      a->reference, a->at,       a->r};

    if (r == TP_OK && o->statement != NULL)
        r = check_statement(&proof, o, e);
    if (r == TP_OK)
        r = print_proof(&said, authority, w->json);
    order_proof_free(&proof);
    return r;
}

/* Of a voucher in a session. */
static enum tp_err prove_voucher(const struct words *w, const struct kept_order *o,
                                 const struct payment_challenge *challenge,
                                 const struct authority *authority, struct tp_error *e)
{
    struct voucher_proof proof = {.said = {.acquirer = NULL}};
    enum tp_err r = voucher_proof_read(&proof, challenge, o->statement, o->acknowledgement,
                                       authority->orders, e);
    const struct purse_token *t = &proof.said;
    const struct said said = {&proof.order, "mediator",   t->mediator, t->outcome,
                              t->code,      t->reference, t->at,       t->r};

    if (r == TP_OK)
        r = print_proof(&said, authority, w->json);
    voucher_proof_free(&proof);
    return r;
}

static enum tp_err prove(const struct words *w, const struct checkout *c,
                         const struct kept_order *o, struct tp_error *e)
{
    const struct authority *authority = authority_find(&c->authorities, o->authority);
    struct payment_challenge challenge;
    json_t *object = NULL;
    enum tp_err r;

    if (o->acknowledgement == NULL)
        return tp_fail(e, TP_ERR_NOT_FOUND, "the acquirer has acknowledged nothing of the order %s",
                       o->order);
    if (authority == NULL)
        return tp_fail(e, TP_ERR_SECURITY, "its authority, %s, is trusted no more", o->authority);
    r = jcs_read(&object, span_str(o->challenge), e);
    if (r == TP_OK)
        r = payment_challenge_from_json(&challenge, object, e);
    if (r == TP_OK)
        r = (o->session != NULL ? prove_voucher : prove_charge)(w, o, &challenge, authority, e);
    if (r == TP_OK && w->out != NULL)
        r = write_proof(w->out, object, o, e);
    if (r == TP_OK && w->out != NULL && o->session == NULL)
        log_note("the proof is in %s; others check it, with the certificate of that authority, by "
                 "telepay-acquirer verify %s --authority FILE",
                 w->out, w->out);
    if (r == TP_OK && o->state == KEPT_REVERSED)
        log_note("this journal says what came of it after that: %s (telepay order show %s)",
                 kept_state_name(o->state), o->order);
    json_decref(object);
    return r;
}

int payer_order_prove(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"json", 'j', NULL, 0, N_("print JSON"), 0},
        {"out", OUT, "FILE", 0, N_("write the proof to FILE, for others to verify"), 0},
        {0}};
    static const struct argp argp = {
        options,
        parse,
        N_("ORDER"),
        N_("Verify what the acquirer signed of an order's payment, without asking anybody."),
        children,
        NULL,
        NULL};
    struct words w = {.wants_order = true};
    struct tp_error e = {0};
    struct checkout c;
    struct fetch *fetch = NULL;
    struct kept_order o = {0};
    enum tp_err r = begin(&w, &c, &fetch, &argp, argc, argv, &e);

    if (r == TP_OK)
        r = orders_find(c.journal, w.order, &o, &e);
    if (r == TP_OK)
        r = prove(&w, &c, &o, &e);
    kept_order_free(&o);
    return end(&c, &fetch, r, &e);
}

/* ---- send ---- */

struct sending {
    struct table *table;
    size_t n, refused;
};

static void tell(void *ctx, const struct kept_order *o)
{
    struct sending *s = ctx;

    s->n++;
    s->refused += o->state != KEPT_ACKNOWLEDGED;
    (void)list_row(s->table, o);
}

int payer_order_send(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"json", 'j', NULL, 0, N_("print JSON"), 0},
        {"verbose", 'v', NULL, 0, N_("tell the exchanges by their letters, and the heads of each"),
         0},
        {0}};
    static const struct argp argp = {
        options,
        parse,
        NULL,
        N_("Send again what is signed and of which nobody knows what became, and list what is "
           "settled now. Exit 1 when a payment of it came to nothing."),
        asking_list_words,
        NULL,
        NULL};
    struct words w = {0};
    struct tp_error e = {0}, printing = {0};
    struct checkout c;
    struct fetch *fetch = NULL;
    struct sending s = {0};
    enum tp_err r = begin(&w, &c, &fetch, &argp, argc, argv, &e), printed = TP_OK;

    if (r == TP_OK)
        r = table_new(&s.table, "orders", columns, COLUMNS, w.json, &e);
    if (r == TP_OK)
        r = submit_pending(&c.submitter, c.journal, tell, &s, &e);
    if (s.table != NULL && (s.n > 0 || w.json))
        printed = table_end(&s.table, w.json && s.n == 0 ? r : TP_OK, &printing);
    else if (r == TP_OK)
        log_note("everything is settled");
    table_free(&s.table);
    if (r == TP_OK && printed != TP_OK) {
        r = printed;
        e = printing;
    }
    const int done = end(&c, &fetch, r, &e);

    return done == CLI_DONE && s.refused > 0 ? CLI_DECLINED : done;
}
