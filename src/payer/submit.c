#include "payer/submit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/date.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"
#include "base/word.h"
#include "order/proof.h"
#include "order/sealed.h"
#include "payer/credential.h"
#include "payer/provisions.h"
#include "payer/purse_door.h"
#include "payer/voucher_proof.h"
#include "wire/jcs.h"
#include "wire/payment_problem.h"
#include "wire/payment_receipt.h"

#define EXCHANGE_S 60 /* at most */
#define PAUSE_MS   1000
#define PAUSE_MAX  8000
#define JSON_TYPE  "Content-Type: application/json"
#define ACCEPT     "Accept: application/json"

void submit_answer_free(struct submit_answer *a)
{
    payment_offers_free(&a->again);
    *a = (struct submit_answer){0};
}

/* The order's own copy of a text, as long as it lives; NULL: no memory. */
static const char *own(struct kept_order *o, const char *text)
{
    json_t *string = json_string(text);

    return json_array_append_new(o->owner, string) == 0 ? json_string_value(string) : NULL;
}

/* ---- H ---- */

static const struct authority *authority_of(const struct submitter *s, const struct kept_order *o,
                                            struct tp_error *e)
{
    const struct authority *found = authority_find(s->authorities, o->authority);

    if (found == NULL)
        tp_fail(e, TP_ERR_SECURITY,
                "the authority %.16s…, by which the order %s was good, is trusted no more",
                o->authority, o->order);
    return found;
}

/* A purse names the very statement that it answers. */
static enum tp_err check_statement(const struct kept_order *o, const struct acknowledgement *a,
                                   struct tp_error *e)
{
    char hash[PURSE_HASH];
    const enum tp_err r =
        o->statement != NULL ? purse_statement_hash(hash, o->statement, e) : TP_OK;

    if (r == TP_OK && (o->statement == NULL ? a->payment != NULL
                                            : a->payment == NULL || strcmp(a->payment, hash) != 0))
        return tp_fail(e, TP_ERR_SECURITY, "the acknowledgement is of another payment");
    return r;
}

static enum tp_err prove_charge(struct submit_answer *a, const struct kept_order *o,
                                const struct payment_challenge *challenge, const char *jws,
                                bool positive, const struct order_authority *authority,
                                struct tp_error *e)
{
    struct order_proof proof = {0};
    enum tp_err r = order_proof_read(&proof, challenge, jws, authority, e);

    if (r == TP_OK)
        r = check_statement(o, &proof.acknowledgement, e);
    if (r == TP_OK && acknowledgement_is_positive(&proof.acknowledgement) != positive)
        r = tp_fail(e, TP_ERR_SECURITY, "the mediator and the acknowledgement do not agree");
    if (r == TP_OK) {
        wire_answer_set(&a->wire, proof.acknowledgement.code, proof.acknowledgement.reason);
        if (proof.acknowledgement.reference != NULL)
            snprintf(a->wire.rrn, sizeof(a->wire.rrn), "%s", proof.acknowledgement.reference);
    }
    order_proof_free(&proof);
    return r;
}

/* A voucher's: the mediator's own. */
static enum tp_err prove_voucher(struct submit_answer *a, const struct kept_order *o,
                                 const struct payment_challenge *challenge, const char *jws,
                                 bool positive, const struct order_authority *authority,
                                 struct tp_error *e)
{
    struct voucher_proof proof = {.said = {.acquirer = NULL}};
    enum tp_err r = voucher_proof_read(&proof, challenge, o->statement, jws, authority, e);

    if (r == TP_OK && (strcmp(proof.said.code, "00") == 0) != positive)
        r = tp_fail(e, TP_ERR_SECURITY, "the mediator and its acknowledgement do not agree");
    if (r == TP_OK) {
        wire_answer_set(&a->wire, proof.said.code, NULL);
        snprintf(a->reference, sizeof(a->reference), "%s", proof.said.reference);
    }
    voucher_proof_free(&proof);
    return r;
}

/* An acknowledgement, held to the challenge that was signed. */
static enum tp_err prove(const struct submitter *s, struct kept_order *o, const char *jws,
                         bool positive, struct submit_answer *a, struct tp_error *e)
{
    const struct authority *authority = authority_of(s, o, e);
    struct payment_challenge challenge;
    json_t *object = NULL;
    enum tp_err r =
        authority != NULL ? jcs_read(&object, span_str(o->challenge), e) : TP_ERR_SECURITY;

    if (r == TP_OK)
        r = payment_challenge_from_json(&challenge, object, e);
    if (r == TP_OK)
        r = (o->session != NULL ? prove_voucher : prove_charge)(a, o, &challenge, jws, positive,
                                                                authority->orders, e);
    if (r == TP_OK)
        o->acknowledgement = own(o, jws);
    json_decref(object);
    return r;
}

/* The acquirer's word to the payer alone: what a terminal would have got. */
static enum tp_err open_answer(const struct kept_order *o, const char *jwe, struct submit_answer *a,
                               struct tp_error *e)
{
    const json_t *key = json_object_get(o->secret, "answer_key");
    uint8_t raw[ISO8583_MAX], sent[MESSAGE_MAX];
    struct buf answer = BUF_OF(raw), message = BUF_OF(sent);
    json_t *opened = NULL;
    const char *text = NULL;
    struct wire_answer wire;
    enum tp_err r = sealed_read(&opened, jwe, SEALED_ANSWER, key, e);

    if (r == TP_OK)
        r = jcs_text(&text, opened, "message", e);
    if (r == TP_OK && (text == NULL || base64url_decode(&answer, span_str(text)) != TP_OK))
        r = tp_fail(e, TP_ERR_FORMAT, "the acquirer's answer holds no message");
    if (r == TP_OK)
        r = credential_message(&message, o->secret, e);
    if (r == TP_OK)
        r = answer_parse(&wire, buf_span(&answer), buf_span(&message), e);
    if (r == TP_OK && a->wire.code[0] != '\0' && strcmp(a->wire.code, wire.code) != 0)
        r = tp_fail(e, TP_ERR_SECURITY, "the acquirer's answer and its acknowledgement differ");
    if (r == TP_OK)
        a->wire = wire;
    json_decref(opened);
    secret_wipe(sent, sizeof(sent));
    return r;
}

static void take_receipt(const struct submitter *s, struct kept_order *o)
{
    const char *field = fetch_field(s->fetch, "Payment-Receipt", 0);
    struct payment_receipt receipt = {0};

    if (field != NULL && payment_receipt_read(&receipt, span_str(field), NULL) == TP_OK)
        o->receipt = own(o, field);
    payment_receipt_free(&receipt);
}

static enum tp_err take_words(const struct submitter *s, struct kept_order *o, const json_t *body,
                              bool positive, struct submit_answer *a, struct tp_error *e)
{
    const char *acknowledgement = NULL, *answer = NULL;
    enum tp_err r = jcs_text(&acknowledgement, body, "acknowledgement", e);

    if (r == TP_OK)
        r = jcs_text(&answer, body, "answer", e);
    if (r == TP_OK && acknowledgement == NULL)
        r = tp_fail(e, TP_ERR_SECURITY, "the mediator shows no acknowledgement of the acquirer");
    if (r == TP_OK)
        r = prove(s, o, acknowledgement, positive, a, e);
    if (r == TP_OK && answer != NULL)
        r = open_answer(o, answer, a, e);
    return r;
}

static void take_provision(struct kept_order *o, const json_t *body, struct submit_answer *a)
{
    const char *jws = json_string_value(json_object_get(body, "provision"));

    a->provision = jws != NULL && o->statement != NULL ? own(o, jws) : NULL;
}

static bool is_state(const json_t *body, const char *state)
{
    const char *said = json_string_value(json_object_get(body, "state"));

    return said != NULL && strcmp(said, state) == 0;
}

static enum tp_err answered(const struct submitter *s, struct kept_order *o,
                            struct submit_answer *a, struct tp_error *e)
{
    json_t *body = NULL;
    enum tp_err r = jcs_read(&body, fetch_body(s->fetch), e);

    if (r != TP_OK)
        goto out;
    if (is_state(body, "reversed") || is_state(body, "reversing")) {
        a->outcome = SUBMIT_REVERSED;
    } else if ((r = take_words(s, o, body, true, a, e)) == TP_OK) {
        a->outcome =
            json_is_true(json_object_get(body, "completion")) ? SUBMIT_APPROVED : SUBMIT_PAID;
        take_receipt(s, o);
        take_provision(o, body, a);
    }
out:
    json_decref(body);
    if (r != TP_OK)
        (void)tp_error_prefix(e, "the mediator's answer cannot be believed");
    return r;
}

enum tp_err submit_offers(struct payment_offers *out, struct fetch *f, struct tp_error *e)
{
    const char *field;
    enum tp_err r = TP_OK;

    for (size_t i = 0; r == TP_OK && (field = fetch_field(f, "WWW-Authenticate", i)) != NULL; i++)
        r = payment_offers_add(out, span_str(field), e);
    return r;
}

/* What a purse signs no refusal of it still has a word for. */
static void take_word(const struct kept_order *o, const struct payment_problem *problem,
                      struct submit_answer *a)
{
    const char *word = json_string_value(json_object_get(problem->more, "reason"));
    const char *text = o->statement != NULL ? purse_door_reason(word) : "";

    if (text[0] != '\0')
        snprintf(a->why, sizeof(a->why), "%s", text);
}

/* 402, 409: what a problem says. */
static enum tp_err refused(const struct submitter *s, struct kept_order *o, long status,
                           struct submit_answer *a, struct tp_error *e)
{
    struct payment_problem problem = {0};
    enum tp_err r = TP_OK;

    snprintf(a->why, sizeof(a->why), "the mediator did not take it (%ld)", status);
    a->outcome = SUBMIT_NOT_TAKEN;
    if (payment_problem_read(&problem, fetch_body(s->fetch), NULL) == TP_OK) {
        if (problem.detail != NULL)
            snprintf(a->why, sizeof(a->why), "%s", problem.detail);
        word_make_shown(a->why);
        take_word(o, &problem, a);
        if (json_object_get(problem.more, "acknowledgement") != NULL) {
            r = take_words(s, o, problem.more, false, a, e);
            a->outcome = SUBMIT_REFUSED;
        }
    }
    if (r == TP_OK && status == 402 && submit_offers(&a->again, s->fetch, NULL) != TP_OK)
        fetch_say(s->fetch,
                  "   a challenge cannot be read: it and those behind it are passed over");
    payment_problem_free(&problem);
    return r;
}

/* ---- E ---- */

struct attempt {
    int pause_ms;    /* until the next one */
    bool unconsumed; /* the mediator says that nothing of it was used */
};

static void take_pause(const struct submitter *s, struct attempt *t)
{
    const char *field = fetch_field(s->fetch, "Retry-After", 0);
    const long seconds = field != NULL ? strtol(field, NULL, 10) : 0;

    if (seconds > 0)
        t->pause_ms = seconds > s->patience_s ? 1000 * s->patience_s : (int)seconds * 1000;
    else
        t->pause_ms = t->pause_ms == 0              ? PAUSE_MS
                      : t->pause_ms < PAUSE_MAX / 2 ? 2 * t->pause_ms
                                                    : PAUSE_MAX;
}

/* TP_ERR_AGAIN: nothing is decided. */
static enum tp_err not_yet(const struct submitter *s, long status, struct attempt *t,
                           struct tp_error *e)
{
    json_t *body = NULL;

    take_pause(s, t);
    t->unconsumed = status == 503 && jcs_read(&body, fetch_body(s->fetch), NULL) == TP_OK &&
                    json_is_false(json_object_get(body, "consumed"));
    json_decref(body);
    return tp_fail(e, TP_ERR_AGAIN, "the mediator answers %ld: %s", status,
                   t->unconsumed ? _("it does not reach the acquirer")
                                 : _("the outcome is not known yet"));
}

static enum tp_err post(const struct submitter *s, const struct kept_order *o, const char *what,
                        struct span body, struct attempt *t, struct tp_error *e)
{
    static const char *const headers[] = {JSON_TYPE, ACCEPT, NULL};
    char url[DEMAND_ORIGIN + 64];
    struct fetch_request request = {
        .url = url,
        .headers = headers,
        .has_body = true,
        .body = body,
        .seconds = s->patience_s < EXCHANGE_S ? s->patience_s + 1 : EXCHANGE_S,
    };
    enum tp_err r;

    snprintf(url, sizeof(url), "%s/orders/%s/%s", o->origin, o->order, what);
    r = fetch_send(s->fetch, &request, e);
    if (r == TP_ERR_PEER || r == TP_ERR_TIMEOUT) {
        t->unconsumed = false;
        take_pause(s, t);
        return TP_ERR_AGAIN;
    }
    return r;
}

static enum tp_err send_once(const struct submitter *s, struct kept_order *o, struct attempt *t,
                             struct submit_answer *a, struct tp_error *e)
{
    enum tp_err r = post(s, o, "payment", span_str(credential_text(o->secret)), t, e);
    const long status = r == TP_OK ? fetch_status(s->fetch) : 0;

    if (r != TP_OK)
        return r;
    fetch_say(s->fetch, "H  %ld", status);
    if (status == 200)
        return answered(s, o, a, e);
    if (status == 402 || status == 409)
        return refused(s, o, status, a, e);
    if (status == 410) {
        a->outcome = SUBMIT_REVERSED;
        return TP_OK;
    }
    if (status >= 500)
        return not_yet(s, status, t, e);
    return tp_fail(e, TP_ERR_PEER, "the mediator answers %ld, which says nothing of the payment",
                   status);
}

/* Whether there is time for another attempt, which is waited for. */
static bool waits(const struct submitter *s, const struct attempt *t, int64_t until)
{
    return time_monotonic_ms() + t->pause_ms < until && s->pause(s->ctx, t->pause_ms);
}

/* What nobody knows is told as what the last attempt met. */
static enum tp_err tell_last(enum tp_err r, const struct tp_error *last, struct tp_error *e)
{
    if (r == TP_OK)
        return r;
    return tp_fail(e, r == TP_ERR_AGAIN ? TP_ERR_PEER : r, "%s", last->text);
}

enum tp_err submit_send(const struct submitter *s, struct kept_order *o, struct submit_answer *a,
                        struct tp_error *e)
{
    const int64_t until = time_monotonic_ms() + 1000 * (int64_t)s->patience_s;
    struct attempt t = {0};
    struct tp_error last = {0};
    enum tp_err r;

    *a = (struct submit_answer){0};
    do {
        fetch_say(s->fetch, "E  the transaction of the order %s", o->order);
        r = send_once(s, o, &t, a, &last);
        if (r == TP_ERR_AGAIN)
            fetch_say(s->fetch, "H  %s", last.text);
        if (t.unconsumed && o->asks) /* the card waits, and takes a no for a no */
            break;
    } while (r == TP_ERR_AGAIN && waits(s, &t, until));
    if (r != TP_ERR_AGAIN || !t.unconsumed)
        return tell_last(r, &last, e);
    a->outcome = SUBMIT_UNREACHED;
    return TP_OK;
}

/* ---- completion ---- */

static enum tp_err complete_once(const struct submitter *s, struct kept_order *o, const char *text,
                                 struct attempt *t, struct submit_answer *a, struct tp_error *e)
{
    json_t *body = NULL;
    enum tp_err r = post(s, o, "completion", span_str(text), t, e);
    const long status = r == TP_OK ? fetch_status(s->fetch) : 0;

    if (r != TP_OK)
        return r;
    fetch_say(s->fetch, "H  %ld", status);
    if (status >= 500)
        return not_yet(s, status, t, e);
    a->outcome = SUBMIT_REVERSED; /* 409, 410: the word came too late */
    if (status != 200)
        return status == 409 || status == 410
                   ? TP_OK
                   : tp_fail(e, TP_ERR_PEER, "the mediator answers %ld to the card's last word",
                             status);
    r = jcs_read(&body, fetch_body(s->fetch), e);
    if (r == TP_OK && !is_state(body, "reversed") && !is_state(body, "reversing"))
        a->outcome = SUBMIT_PAID;
    take_receipt(s, o);
    json_decref(body);
    return r;
}

enum tp_err submit_complete(const struct submitter *s, struct kept_order *o, bool completed,
                            struct submit_answer *a, struct tp_error *e)
{
    const int64_t until = time_monotonic_ms() + 1000 * (int64_t)s->patience_s;
    struct attempt t = {0};
    struct tp_error last = {0};
    char hash[CREDENTIAL_HASH], text[CREDENTIAL_HASH + 64];
    enum tp_err r = credential_hash(hash, o->secret, e);

    if (r != TP_OK)
        return r;
    snprintf(text, sizeof(text), "{\"completed\":%s,\"credential\":\"%s\"}",
             completed ? "true" : "false", hash);
    do {
        fetch_say(s->fetch, "E  the card %s", completed ? _("completed") : _("did not complete"));
        r = complete_once(s, o, text, &t, a, &last);
    } while (r == TP_ERR_AGAIN && waits(s, &t, until));
    if (r == TP_OK && !completed && a->outcome == SUBMIT_PAID)
        return tp_fail(e, TP_ERR_PEER, "the mediator does not say that it gives it back");
    return tell_last(r, &last, e);
}

/* ---- what becomes of it ---- */

static void tell_refusal(struct receipt *t, const struct wire_answer *wire)
{
    const char *text = purse_door_reason(wire->reason);

    t->by_issuer = false;
    if (text[0] != '\0')
        snprintf(t->reason, sizeof(t->reason), "%s (%s, %s)", text, wire->code, wire->reason);
}

void submit_settle(struct kept_order *o, const struct submit_answer *a)
{
    static const enum kept_state states[] = {
        [SUBMIT_PAID] = KEPT_ACKNOWLEDGED, [SUBMIT_APPROVED] = KEPT_COMPLETING,
        [SUBMIT_REFUSED] = KEPT_REFUSED,   [SUBMIT_REVERSED] = KEPT_REVERSED,
        [SUBMIT_NOT_TAKEN] = KEPT_LOST,    [SUBMIT_UNREACHED] = KEPT_LOST,
    };
    struct receipt *t = &o->ticket;

    o->state = states[a->outcome];
    if (a->wire.code[0] != '\0') {
        t->state = PAYMENT_SIGNED;
        receipt_settle(t, &a->wire);
        if (t->state == PAYMENT_REFUSED && o->statement != NULL)
            tell_refusal(t, &a->wire);
        if (a->reference[0] != '\0')
            snprintf(t->rrn, sizeof(t->rrn), "%s", a->reference);
    }
    if (o->state == KEPT_LOST) {
        t->state = PAYMENT_DECLINED;
        snprintf(t->reason, sizeof(t->reason), "%s",
                 a->why[0] != '\0' ? a->why : "the acquirer was not reached");
    }
    if (o->state == KEPT_REVERSED) {
        t->state = PAYMENT_REVERSED;
        snprintf(t->reason, sizeof(t->reason), "it was given back");
    }
    if (o->state == KEPT_ACKNOWLEDGED)
        t->state = PAYMENT_ACKNOWLEDGED;
}

static void want_again(struct journal *j, const struct kept_order *o)
{
    struct tp_error e = {0};
    char *provision = o->statement != NULL ? credential_provision(o->secret) : NULL;

    if (provision != NULL && provisions_again(j, provision, &e) != TP_OK)
        log_note("%s", e.text);
    free(provision);
}

void submit_begin(const struct submitter *s, struct journal *j, const struct kept_order *o,
                  const struct submit_answer *a)
{
    struct tp_error e = {0};
    const struct authority *authority = a->provision != NULL ? authority_of(s, o, &e) : NULL;

    if (o->state == KEPT_REFUSED || o->state == KEPT_LOST)
        want_again(j, o);
    if (a->provision == NULL)
        return;
    if (authority == NULL || provisions_answered(j, a->provision, authority->orders, &e) != TP_OK)
        log_note("what the purse says of the session is not believed: %s", e.text);
}

/* Only what a card has had its last word on can still pay: where it asked for its issuer, and is
 * gone, the approval is given back. */
static enum tp_err bring_up(const struct submitter *s, struct journal *j, struct kept_order *o,
                            struct tp_error *e)
{
    struct submit_answer a = {0};
    enum tp_err r = TP_OK;

    if (o->state == KEPT_SUBMITTING) {
        r = submit_send(s, o, &a, e);
        if (r == TP_OK && a.outcome == SUBMIT_UNREACHED && !o->asks)
            r = tp_fail(e, TP_ERR_PEER, "the mediator does not reach the acquirer");
        if (r == TP_OK) {
            submit_settle(o, &a);
            if (a.outcome == SUBMIT_APPROVED)
                o->state = o->asks ? KEPT_REVERSING : KEPT_COMPLETING;
            submit_begin(s, j, o, &a);
            r = orders_update(j, o, e);
        }
    }
    if (r == TP_OK && (o->state == KEPT_COMPLETING || o->state == KEPT_REVERSING)) {
        r = submit_complete(s, o, o->state == KEPT_COMPLETING, &a, e);
        if (r == TP_OK) {
            submit_settle(o, &a);
            r = orders_update(j, o, e);
        }
    }
    submit_answer_free(&a);
    return r;
}

/* Nothing is told where nothing waits. */
static void tell_held(struct journal *j)
{
    struct kept_order o = {0};

    if (orders_pending(j, 0, &o, NULL) == TP_OK)
        log_note("another telepay is paying: what is not settled yet is left to it");
    kept_order_free(&o);
}

enum tp_err submit_pending(const struct submitter *s, struct journal *j, submit_each *each,
                           void *ctx, struct tp_error *e)
{
    struct kept_order o = {0};
    struct tp_error why = {0};
    bool got = false;
    enum tp_err r = orders_hold(j, &got, e), first = TP_OK;
    int64_t at = 0;

    if (r == TP_OK && !got)
        tell_held(j);
    if (r != TP_OK || !got)
        return r;
    while ((r = orders_pending(j, at, &o, e)) == TP_OK) {
        at = o.id;
        r = bring_up(s, j, &o, &why);
        if (r == TP_OK)
            each(ctx, &o);
        else if (first == TP_OK)
            first = tp_fail(e, r, "order %s: %s", o.order, why.text);
        kept_order_free(&o);
    }
    orders_let_go(j);
    return r == TP_ERR_NOT_FOUND || first != TP_OK ? first : r;
}
