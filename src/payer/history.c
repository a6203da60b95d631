#include "payer/history.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/date.h"
#include "base/word.h"
#include "order/proof.h"
#include "order/purse_token.h"
#include "payer/emptyings.h"
#include "payer/orders.h"
#include "payer/purse_door.h"
#include "payer/purse_record.h"
#include "wire/jcs.h"

#define PAGES_MAX 100000 /* of a purse that never ends */
#define PATH_ROOM 48

struct walk { /* while it lasts */
    const struct history_source *source;
    struct history *out;
    json_t *seen;   /* an object: the hashes of the statements that were told */
    json_t *counts; /* … the counters that they have */
    json_t *drawn;  /* by vouchers: of each session and contract so far */
    int64_t last;   /* number */
    char what[260];
    char fault[200];
};

/* ---- one record ---- */

static int64_t number_of(const char *digits)
{
    return digits != NULL ? strtoll(digits, NULL, 10) : 0;
}

/* A statement of this account, by its key, of so much; its counter comes out, once. */
static enum tp_err take_statement(struct purse_statement *out, struct history_record *r,
                                  struct walk *w, enum purse_kind kind, const char *jws,
                                  struct tp_error *e)
{
    const struct purse_account *a = w->source->account;
    uint8_t key[ED25519_KEY];
    char hash[PURSE_HASH];
    enum tp_err rc = jws != NULL ? purse_statement_read(out, kind, jws, e)
                                 : tp_fail(e, TP_ERR_FORMAT, "there is no statement of yours");

    if (rc == TP_OK)
        rc = ed25519_public(key, w->source->key->p, e);
    if (rc == TP_OK)
        rc = purse_statement_hash(hash, jws, e);
    if (rc != TP_OK)
        return rc;
    if (memcmp(key, out->key, sizeof(key)) != 0 || strcmp(out->account, a->account) != 0)
        return tp_fail(e, TP_ERR_SECURITY, "your key has not signed it");
    r->counter = number_of(out->counter);
    if (json_object_get(w->seen, hash) != NULL ||
        (out->counter != NULL && json_object_get(w->counts, out->counter) != NULL))
        return tp_fail(e, TP_ERR_SECURITY, "it is told twice");
    return json_object_set_new(w->seen, hash, json_true()) == 0 &&
                   (out->counter == NULL ||
                    json_object_set_new(w->counts, out->counter, json_true()) == 0)
               ? TP_OK
               : tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a history");
}

static bool is_paid(const struct history_record *r)
{
    return strcmp(r->code, "00") == 0;
}

/* By whichever authority it is good. */
static enum tp_err prove(struct order_proof *out, const struct walk *w,
                         const struct payment_challenge *challenge, const char *jws,
                         struct tp_error *e)
{
    const struct authorities *all = w->source->authorities;
    enum tp_err r = tp_fail(e, TP_ERR_SECURITY, "no authority that you trust stands for it");

    for (size_t i = 0; i < all->n; i++) {
        order_proof_free(out);
        r = order_proof_read(out, challenge, jws, all->list[i].orders, e);
        if (r == TP_OK)
            break;
    }
    return r;
}

static enum tp_err check_payment(struct history_record *r, struct walk *w, const json_t *record,
                                 int64_t amount, struct tp_error *e)
{
    const char *statement = json_string_value(json_object_get(record, "statement")),
               *signed_by = json_string_value(json_object_get(record, "acknowledgement"));
    struct purse_statement s = {0};
    struct payment_challenge challenge;
    struct order_proof proof = {0};
    char hash[PURSE_HASH];
    enum tp_err rc = take_statement(&s, r, w, PURSE_PAYMENT, statement, e);

    if (rc == TP_OK)
        rc = payment_challenge_from_json(&challenge, json_object_get(record, "challenge"), e);
    if (rc == TP_OK)
        rc = signed_by != NULL ? prove(&proof, w, &challenge, signed_by, e)
                               : tp_fail(e, TP_ERR_FORMAT, "there is no acknowledgement");
    if (rc == TP_OK)
        rc = purse_statement_hash(hash, statement, e);
    if (rc == TP_OK &&
        (proof.acknowledgement.payment == NULL ||
         strcmp(proof.acknowledgement.payment, hash) != 0 ||
         strcmp(proof.acknowledgement.r, s.r) != 0 || number_of(s.amount) != amount ||
         strcmp(proof.acknowledgement.code, r->code) != 0))
        rc = tp_fail(e, TP_ERR_SECURITY, "what you signed and what was acknowledged differ");
    if (rc == TP_OK)
        snprintf(w->what, sizeof(w->what), "%s: %s", proof.order.merchant, proof.order.item);
    r->effect = is_paid(r) ? -amount : 0;
    order_proof_free(&proof);
    purse_statement_free(&s);
    return rc;
}

static enum tp_err check_booking(struct history_record *r, struct walk *w, const json_t *record,
                                 int64_t amount, struct tp_error *e)
{
    const char *jws = json_string_value(json_object_get(record, "record"));
    struct purse_record said = {0};
    enum tp_err rc =
        jws != NULL ? purse_record_read(&said, jws, w->source->account, w->source->authorities, e)
                    : tp_fail(e, TP_ERR_FORMAT, "the purse has not signed it");

    if (rc == TP_OK && (strcmp(said.kind, r->kind) != 0 || number_of(said.amount) != amount))
        rc = tp_fail(e, TP_ERR_SECURITY, "the purse has signed something else");
    if (rc == TP_OK)
        snprintf(w->what, sizeof(w->what), "%s", said.reference);
    r->effect = strcmp(r->kind, "given back") == 0 ? -amount : amount;
    purse_record_free(&said);
    return rc;
}

/* A statement of so much, and no more than that. */
static enum tp_err take_amount(struct purse_statement *out, struct history_record *r,
                               struct walk *w, enum purse_kind kind, const json_t *record,
                               int64_t amount, struct tp_error *e)
{
    const enum tp_err rc =
        take_statement(out, r, w, kind, json_string_value(json_object_get(record, "statement")), e);

    return rc != TP_OK || number_of(out->amount) == amount
               ? rc
               : tp_fail(e, TP_ERR_SECURITY, "you signed another amount");
}

static enum tp_err check_emptying(struct history_record *r, struct walk *w, const json_t *record,
                                  int64_t amount, struct tp_error *e)
{
    struct purse_statement s = {0};
    const enum tp_err rc = take_amount(&s, r, w, PURSE_EMPTYING, record, amount, e);

    if (rc == TP_OK)
        snprintf(w->what, sizeof(w->what), "%s (%s)", s.iban, s.name);
    r->effect = is_paid(r) ? -amount : 0;
    purse_statement_free(&s);
    return rc;
}

/* What a mediator demands, by whichever authority it is good. */
static enum tp_err read_demand(struct purse_token *out, const struct walk *w,
                               enum purse_token_kind kind, const char *jws, struct tp_error *e)
{
    const struct authorities *all = w->source->authorities;
    enum tp_err r = tp_fail(e, TP_ERR_SECURITY, "no mediator has signed it");

    for (size_t i = 0; jws != NULL && i < all->n; i++) {
        purse_token_free(out);
        r = purse_token_read(out, kind, jws, all->list[i].orders, e);
        if (r == TP_OK)
            break;
    }
    return r;
}

static enum tp_err check_reversal(struct history_record *r, struct walk *w, const json_t *record,
                                  int64_t amount, struct tp_error *e)
{
    struct purse_token t = {0};
    enum tp_err rc =
        read_demand(&t, w, PURSE_REVERSAL, json_string_value(json_object_get(record, "demand")), e);

    if (rc == TP_OK &&
        (number_of(t.amount) != amount || json_object_get(w->seen, t.payment) == NULL))
        rc = tp_fail(e, TP_ERR_SECURITY, "it gives back what was not paid before");
    if (rc == TP_OK)
        snprintf(w->what, sizeof(w->what), "%s", t.reason);
    r->effect = amount;
    purse_token_free(&t);
    return rc;
}

/* What is reserved is still there. */
static enum tp_err check_provision(struct history_record *r, struct walk *w, const json_t *record,
                                   int64_t amount, struct tp_error *e)
{
    struct purse_statement s = {0};
    const enum tp_err rc = take_amount(&s, r, w, PURSE_PROVISION, record, amount, e);

    if (rc == TP_OK)
        snprintf(w->what, sizeof(w->what), "%s", s.mediator);
    purse_statement_free(&s);
    return rc;
}

/* With what was drawn before it comes to what is claimed, which was signed for. */
static enum tp_err add_drawn(struct walk *w, const struct purse_token *t,
                             const struct purse_statement *s, int64_t amount, struct tp_error *e)
{
    char of[64];
    int64_t all;

    snprintf(of, sizeof(of), "%s %s", t->session, t->contract);
    all = json_integer_value(json_object_get(w->drawn, of)) + amount;
    if (strcmp(t->session, s->session) != 0 || strcmp(t->contract, s->contract) != 0 ||
        number_of(t->sum) > number_of(s->sum) || all != number_of(t->sum))
        return tp_fail(e, TP_ERR_SECURITY, "it draws something else than you signed");
    return json_object_set_new(w->drawn, of, json_integer(all)) == 0
               ? TP_OK
               : tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a history");
}

/* The voucher was signed here, of at least so much as was drawn. */
static enum tp_err check_voucher(struct history_record *r, struct walk *w, const json_t *record,
                                 int64_t amount, struct tp_error *e)
{
    struct purse_token t = {0};
    struct purse_statement s = {0};
    enum tp_err rc = read_demand(&t, w, PURSE_PRESENTATION,
                                 json_string_value(json_object_get(record, "demand")), e);

    if (rc == TP_OK)
        rc = take_statement(&s, r, w, PURSE_VOUCHER, t.voucher, e);
    if (rc == TP_OK)
        rc = add_drawn(w, &t, &s, amount, e);
    if (rc == TP_OK)
        snprintf(w->what, sizeof(w->what), "%s", t.contract);
    r->effect = -amount;
    purse_token_free(&t);
    purse_statement_free(&s);
    return rc;
}

static const struct {
    const char *kind;
    enum tp_err (*check)(struct history_record *r, struct walk *w, const json_t *record,
                         int64_t amount, struct tp_error *e);
} kinds[] = {
    {"payment", check_payment},     {"filled", check_booking},    {"filled by card", check_booking},
    {"given back", check_booking},  {"reversal", check_reversal}, {"emptying", check_emptying},
    {"provision", check_provision}, {"voucher", check_voucher},
};

/* Strings of it are the record's, and the walk's. */
static enum tp_err read_record(struct history_record *r, struct walk *w, const json_t *record,
                               struct tp_error *e)
{
    const json_t *number = json_object_get(record, "number"),
                 *amount = json_object_get(record, "amount");
    const char *kind = json_string_value(json_object_get(record, "kind")),
               *at = json_string_value(json_object_get(record, "at")),
               *code = json_string_value(json_object_get(record, "code")),
               *reason = json_string_value(json_object_get(record, "reason"));

    if (!json_is_integer(number) || !json_is_integer(amount) || kind == NULL || at == NULL ||
        code == NULL || json_integer_value(amount) < 0 || json_integer_value(amount) > MONEY_MAX)
        return tp_fail(e, TP_ERR_PEER, "the purse tells a record that is none");
    if (json_integer_value(number) <= w->last)
        return tp_fail(e, TP_ERR_PEER, "the purse tells its records in no order");
    *r = (struct history_record){.number = json_integer_value(number),
                                 .kind = kind,
                                 .at = at,
                                 .what = w->what,
                                 .code = code,
                                 .reason = reason != NULL ? reason : ""};
    w->last = r->number;
    w->what[0] = '\0';
    return TP_OK;
}

static void check_record(struct history_record *r, struct walk *w, const json_t *record)
{
    const int64_t amount = json_integer_value(json_object_get(record, "amount"));
    struct tp_error why = {0};
    enum tp_err rc =
        tp_fail(&why, TP_ERR_FORMAT, "it is of a kind that this telepay does not know");

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(kinds[i].kind, r->kind) == 0)
            rc = kinds[i].check(r, w, record, amount, &why);
    word_make_shown(w->what);
    w->out->records++;
    w->out->sum += r->effect;
    if (rc == TP_OK)
        return;
    w->out->faults++;
    snprintf(w->fault, sizeof(w->fault), "%.199s", why.text);
    r->fault = w->fault;
}

/* ---- all of them ---- */

static enum tp_err fetch_page(json_t **out, const struct walk *w, struct tp_error *e)
{
    const struct history_source *s = w->source;
    char at[TIME_TEXT_MAX], path[PATH_ROOM], *jws = NULL;
    const struct purse_statement question = {.acquirer = s->account->acquirer,
                                             .account = s->account->account,
                                             .at = time_format_utc(at, time(NULL))};
    enum tp_err r = purse_statement_write(&jws, PURSE_QUESTION, &question, s->key->p, e);

    *out = NULL;
    snprintf(path, sizeof(path), "/history?after=%" PRId64, w->last);
    if (r == TP_OK)
        r = purse_door_bring(out, s->fetch, s->account->url, path, jws, e);
    free(jws);
    return r;
}

static enum tp_err walk_page(bool *more, struct walk *w, history_each *each, void *ctx,
                             struct tp_error *e)
{
    struct history_record record;
    json_t *page = NULL;
    enum tp_err r = fetch_page(&page, w, e);
    const json_t *list = json_object_get(page, "records");

    *more = json_array_size(list) > 0;
    for (size_t i = 0; r == TP_OK && i < json_array_size(list); i++) {
        r = read_record(&record, w, json_array_get(list, i), e);
        if (r == TP_OK) {
            check_record(&record, w, json_array_get(list, i));
            r = each(ctx, &record, e);
        }
    }
    json_decref(page);
    return r;
}

/* What this device knows was decided must be there. */
static bool is_seen(const struct walk *w, const char *statement)
{
    char hash[PURSE_HASH];

    return purse_statement_hash(hash, statement, NULL) == TP_OK &&
           json_object_get(w->seen, hash) != NULL;
}

static bool check_order(void *ctx, const struct kept_order *o)
{
    const struct walk *w = ctx;
    const bool is_ours = o->statement != NULL && o->acknowledgement != NULL &&
                         o->session == NULL && /* its last voucher alone comes to the purse */
                         strcmp(o->ticket.purse, w->source->account->acquirer) == 0;

    if (!is_ours || is_seen(w, o->statement))
        return true;
    snprintf(w->out->fault, sizeof(w->out->fault),
             "your payment of the order %s, reference %s, is missing", o->order, o->ticket.rrn);
    return false;
}

static bool check_sent(void *ctx, const struct emptying *m)
{
    const struct walk *w = ctx;

    if (is_seen(w, m->statement))
        return true;
    snprintf(w->out->fault, sizeof(w->out->fault),
             "reference %s of what went to a bank account is missing", m->reference);
    return false;
}

/* What came to nothing on its way has a counter and no record; or it was kept from us. */
static void find_missing(struct walk *w)
{
    int64_t highest = 0;
    const char *text;
    json_t *value;
    size_t n = 0;

    json_object_foreach(w->counts, text, value) highest =
        number_of(text) > highest ? number_of(text) : highest;
    for (int64_t i = 1; i < highest && n + 24 < sizeof(w->out->missing); i++) {
        char counter[24];

        snprintf(counter, sizeof(counter), "%" PRId64, i);
        if (json_object_get(w->counts, counter) == NULL)
            n += (size_t)snprintf(w->out->missing + n, sizeof(w->out->missing) - n, "%s%s",
                                  n > 0 ? ", " : "", counter);
    }
}

/* What it says is in the account, before and after: it may be paid from meanwhile. */
static enum tp_err check_sum(struct walk *w, const struct purse_standing *before,
                             struct tp_error *e)
{
    const struct history_source *s = w->source;
    struct purse_standing after;
    const enum tp_err r = purse_door_standing(&after, s->fetch, s->account, s->key, e);
    char sum[MONEY_TEXT_MAX], said[MONEY_TEXT_MAX];
    const unsigned currency = (unsigned)s->account->currency;

    if (r != TP_OK || w->out->sum == before->balance + before->reserved ||
        w->out->sum == after.balance + after.reserved)
        return r;
    if (w->out->fault[0] == '\0')
        snprintf(w->out->fault, sizeof(w->out->fault),
                 "the records come to %s %s, and the purse says that %s are there",
                 money_shown(sum, w->out->sum, currency), currency_shown(currency),
                 money_shown(said, after.balance + after.reserved, currency));
    return TP_OK;
}

enum tp_err history_walk(struct history *out, const struct history_source *source,
                         history_each *each, void *ctx, struct tp_error *e)
{
    struct walk w = {.source = source,
                     .out = out,
                     .seen = json_object(),
                     .counts = json_object(),
                     .drawn = json_object()};
    struct purse_standing before;
    bool more = true;
    enum tp_err r = purse_door_standing(&before, source->fetch, source->account, source->key, e);

    *out = (struct history){0};
    for (int i = 0; r == TP_OK && more && i < PAGES_MAX; i++)
        r = walk_page(&more, &w, each, ctx, e);
    if (r == TP_OK)
        r = orders_list(source->journal, check_order, &w, e);
    if (r == TP_OK)
        r = emptyings_list(source->journal, source->account->acquirer, check_sent, &w, e);
    if (r == TP_OK)
        r = check_sum(&w, &before, e);
    find_missing(&w);
    json_decref(w.seen);
    json_decref(w.counts);
    json_decref(w.drawn);
    return r;
}
