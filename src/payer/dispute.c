#include "payer/dispute.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/date.h"
#include "base/text.h"
#include "order/token.h"
#include "payer/letters.h"
#include "payer/problem.h"
#include "wire/jcs.h"
#include "wire/payment_charge.h"

#define EXCHANGE_S 60

void dispute_free(struct dispute *d)
{
    json_decref(d->letters);
    *d = (struct dispute){.due = 0};
}

/* ---- how it stands ---- */

static const struct {
    const char *act, *state;
} states[] = {
    {"dispute", "open"},        {"evidence", "open"}, {ACT_OPENED, "open"},
    {ACT_ANSWERED, "answered"}, {ACT_ASKED, "asked"}, {ACT_SETTLED, "settled"},
    {ACT_REFUSED, "refused"},
};

static void move_to(struct dispute *d, const struct kept_letter *l, const char *until)
{
    time_t t = 0;

    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
        if (strcmp(states[i].act, l->act) == 0)
            snprintf(d->state, sizeof(d->state), "%s", states[i].state);
    if (l->state == LETTER_TO_SEND)
        snprintf(d->state, sizeof(d->state), "to be sent");
    d->due = until != NULL && time_parse(&t, until) == TP_OK ? t : 0;
}

/* The payload of what was verified when it was kept (json_decref). */
static enum tp_err open_letter(json_t **payload, const char *jws, struct tp_error *e)
{
    struct token_text text;

    if (jws == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a letter");
    if (token_split(&text, jws, LETTER_MAX, NULL) != TP_OK)
        return tp_fail(e, TP_ERR_IO, "a letter in the journal is damaged");
    return jcs_decode(payload, text.body, LETTER_MAX, e);
}

static void take_state(struct dispute *d, const struct kept_letter *l, const char *reason,
                       const char *until)
{
    if (l->state != LETTER_NOT_TAKEN)
        move_to(d, l, until);
    else if (d->state[0] == '\0')
        snprintf(d->state, sizeof(d->state), "not taken");
    if (reason != NULL && (l->state != LETTER_NOT_TAKEN || d->reason[0] == '\0')) {
        snprintf(d->reason, sizeof(d->reason), "%s", reason);
        d->opened = l->at;
    }
}

static enum tp_err add_letter(void *ctx, const struct kept_letter *l, struct tp_error *e)
{
    struct dispute *d = ctx;
    const char *reason = NULL, *until = NULL, *words = NULL;
    char at[TIME_TEXT_MAX], *jws = span_text(l->jws);
    json_t *payload = NULL, *one = NULL;
    enum tp_err r = open_letter(&payload, jws, e);

    if (r == TP_OK)
        r = jcs_text(&reason, payload, "reason", e);
    if (r == TP_OK)
        r = jcs_text(&until, payload, "until", e);
    if (r == TP_OK)
        r = jcs_text(&words, payload, "words", e);
    if (r == TP_OK) {
        take_state(d, l, reason, until);
        one = json_pack("{s:s,s:s,s:s,s:s?,s:s?,s:b,s:s}", "by", l->own ? "payer" : "merchant",
                        "act", l->act, "at", time_format_utc(at, l->at), "words", words, "due",
                        until, "taken", l->state == LETTER_TAKEN, "letter", jws);
        if (json_array_append_new(d->letters, one) != 0)
            r = tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a letter");
    }
    json_decref(payload);
    free(jws);
    return r;
}

enum tp_err dispute_read(struct dispute *out, const struct checkout *c, const char *order,
                         struct tp_error *e)
{
    enum tp_err r;

    *out = (struct dispute){.letters = json_array()};
    snprintf(out->order, sizeof(out->order), "%s", order);
    r = letters_each(c->journal, order, add_letter, out, e);
    return r == TP_OK && out->state[0] == '\0'
               ? tp_fail(e, TP_ERR_NOT_FOUND, "the order %s is not disputed from here", order)
               : r;
}

/* ---- what the mediator says ---- */

struct hearing {
    struct checkout *c;
    const struct kept_order *order;
    const struct authority *authority;
    char contract[16];
};

/* To whom it was paid: as the challenge that was signed has it. */
static enum tp_err start(struct hearing *h, struct checkout *c, const struct kept_order *o,
                         struct tp_error *e)
{
    struct payment_challenge challenge;
    struct payment_charge charge = {.amount = NULL};
    json_t *object = NULL;
    enum tp_err r;

    *h = (struct hearing){c, o, authority_find(&c->authorities, o->authority), ""};
    if (h->authority == NULL)
        return tp_fail(e, TP_ERR_SECURITY, "its authority, %s, is trusted no more", o->authority);
    r = jcs_read(&object, span_str(o->challenge), e);
    if (r == TP_OK)
        r = payment_challenge_from_json(&challenge, object, e);
    if (r == TP_OK)
        r = payment_charge_read(&charge, challenge.request, e);
    if (r == TP_OK && charge.recipient != NULL)
        snprintf(h->contract, sizeof(h->contract), "%s", charge.recipient);
    payment_charge_free(&charge);
    json_decref(object);
    return r;
}

struct sought {
    uint8_t hash[LETTER_HASH];
    char text[BASE64URL_SIZE(LETTER_HASH)]; /* the same, as `answers` has it */
    bool found, answered;                   /* it is there; what it answers is, and is of here */
    const char *answers;
};

static enum tp_err seek(void *ctx, const struct kept_letter *l, struct tp_error *e)
{
    struct sought *s = ctx;
    char text[BASE64URL_SIZE(LETTER_HASH)];

    (void)e;
    if (memcmp(l->hash, s->hash, LETTER_HASH) == 0)
        s->found = true;
    if (l->own && s->answers != NULL &&
        strcmp(s->answers, base64url_encode(text, SPAN_OF(l->hash))) == 0)
        s->answered = true;
    return TP_OK;
}

static enum tp_err keep(const struct hearing *h, const char *jws, bool own, const char *act,
                        const char *at, const uint8_t hash[LETTER_HASH], struct tp_error *e)
{
    struct kept_letter l = {.own = own, .state = LETTER_TAKEN, .jws = span_str(jws)};
    time_t t = 0;
    enum tp_err r = time_parse(&t, at);

    if (r != TP_OK)
        return tp_fail(e, r, "a letter is of no time");
    l.at = t;
    snprintf(l.order, sizeof(l.order), "%s", h->order->order);
    snprintf(l.act, sizeof(l.act), "%s", act);
    memcpy(l.hash, hash, LETTER_HASH);
    return letters_add(h->c->journal, &l, e);
}

/* Signed for the contract that was paid, and about a letter of here. */
static enum tp_err take_answer(const struct hearing *h, const char *jws, struct sought *s,
                               struct tp_error *e)
{
    struct letter l = {.order = NULL};
    enum tp_err r = letter_read(&l, LETTER_ANSWER, jws, h->authority->orders, e);

    if (r == TP_OK &&
        (strcmp(l.order, h->order->order) != 0 || strcmp(l.contract, h->contract) != 0))
        r = tp_fail(e, TP_ERR_SECURITY, "it is about another order, or of another contract");
    if (r == TP_OK) {
        s->answers = l.answers;
        r = letters_each(h->c->journal, h->order->order, seek, s, e);
    }
    if (r == TP_OK && !s->answered)
        r = tp_fail(e, TP_ERR_SECURITY, "it answers nothing that was written here");
    if (r == TP_OK)
        r = keep(h, jws, false, l.act, l.at, s->hash, e);
    letter_free(&l);
    return r;
}

/* Of who pays: it is of here, or of another device of theirs. */
static enum tp_err take_own(const struct hearing *h, const char *jws, const char *act,
                            const struct sought *s, struct tp_error *e)
{
    const bool opens = strcmp(act, "dispute") == 0;
    struct letter l = {.order = NULL};
    enum tp_err r = letters_move(h->c->journal, s->hash, LETTER_TAKEN, e);

    if (r == TP_OK)
        r = letter_read_own(&l, opens ? LETTER_DISPUTE : LETTER_EVIDENCE, jws, e);
    if (r == TP_OK && strcmp(l.order, h->order->order) != 0)
        r = tp_fail(e, TP_ERR_SECURITY, "it is about another order");
    if (r == TP_OK)
        r = keep(h, jws, true, opens ? "dispute" : "evidence", l.at, s->hash, e);
    letter_free(&l);
    return r;
}

static enum tp_err take_letter(const struct hearing *h, const json_t *one, struct tp_error *e)
{
    const char *jws = NULL, *by = NULL, *act = NULL;
    struct sought s = {.found = false};
    enum tp_err r = jcs_text(&jws, one, "letter", e);

    if (r == TP_OK)
        r = jcs_text(&by, one, "by", e);
    if (r == TP_OK)
        r = jcs_text(&act, one, "act", e);
    if (r == TP_OK && (jws == NULL || by == NULL || act == NULL))
        r = tp_fail(e, TP_ERR_FORMAT, "a letter is missing");
    if (r == TP_OK)
        r = letter_hash(s.hash, jws, e);
    if (r != TP_OK)
        return r;
    return strcmp(by, "payer") == 0 ? take_own(h, jws, act, &s, e) : take_answer(h, jws, &s, e);
}

/* What was settled and is given back is paid no more: the journal says so too. */
static enum tp_err note_back(const struct hearing *h, const char *payment, struct tp_error *e)
{
    const struct submit_answer back = {.outcome = SUBMIT_REVERSED};
    struct kept_order o = {0};
    enum tp_err r;

    if (strcmp(payment, "reversed") != 0 || h->order->state != KEPT_ACKNOWLEDGED)
        return TP_OK;
    r = orders_find(h->c->journal, h->order->order, &o, e);
    if (r == TP_OK) {
        submit_settle(&o, &back);
        r = orders_update(h->c->journal, &o, e);
    }
    kept_order_free(&o);
    return r;
}

/* payment NULL: nobody wants to know. */
static enum tp_err take_dispute(const struct hearing *h, struct span body, char payment[16],
                                struct tp_error *e)
{
    json_t *said = NULL, *one;
    const char *stands = NULL;
    size_t i;
    enum tp_err r = jcs_read(&said, body, e);

    if (r == TP_OK)
        r = jcs_text(&stands, said, "payment", e);
    if (r == TP_OK && stands != NULL && payment != NULL)
        snprintf(payment, 16, "%s", stands);
    json_array_foreach(json_object_get(said, "letters"), i, one) if (r == TP_OK) r =
        take_letter(h, one, e);
    if (r == TP_OK && stands != NULL)
        r = note_back(h, stands, e);
    json_decref(said);
    return r == TP_OK ? r : tp_error_prefix(e, "the mediator's answer cannot be believed");
}

/* ---- exchanges ---- */

static enum tp_err refused(const struct fetch *f, struct tp_error *e)
{
    char why[PROBLEM_WORDS];

    (void)problem_words(why, f);
    return tp_fail(e, TP_ERR_STATE, "the mediator does not take it (%ld): %s", fetch_status(f),
                   why[0] != '\0' ? why : _("it does not say why"));
}

/* 408, 429: it was not looked at. */
static bool is_no(long status)
{
    return status >= 400 && status < 500 && status != 408 && status != 429;
}

static enum tp_err exchange(const struct hearing *h, struct span body, char payment[16],
                            struct tp_error *e)
{
    static const char *const headers[] = {"Content-Type: application/json",
                                          "Accept: application/json", NULL};
    struct fetch *f = h->c->submitter.fetch;
    char url[DEMAND_ORIGIN + 64];
    const struct fetch_request request = {.url = url,
                                          .headers = headers,
                                          .has_body = body.n > 0,
                                          .body = body,
                                          .seconds = EXCHANGE_S};
    enum tp_err r;

    snprintf(url, sizeof(url), "%s/orders/%s/dispute", h->order->origin, h->order->order);
    r = fetch_send(f, &request, e);
    if (r != TP_OK)
        return r;
    if (fetch_status(f) == 200)
        return take_dispute(h, fetch_body(f), payment, e);
    return is_no(fetch_status(f))
               ? refused(f, e)
               : tp_fail(e, TP_ERR_PEER, "the mediator answers %ld", fetch_status(f));
}

/* What the mediator has taken is among its letters; one that it knows another of is not. */
static enum tp_err pass_over(const struct hearing *h, const uint8_t hash[LETTER_HASH],
                             struct tp_error *e)
{
    char *jws = NULL;
    enum tp_err r = letters_to_send(h->c->journal, h->order->order, &jws, e);

    if (r == TP_OK && jws != NULL)
        r = letters_move(h->c->journal, hash, LETTER_NOT_TAKEN, e);
    free(jws);
    return r;
}

/* It is in the journal: whatever becomes of this process, the same is sent again. */
static enum tp_err send(const struct hearing *h, const char *jws, struct tp_error *e)
{
    uint8_t hash[LETTER_HASH];
    char *body = NULL;
    enum tp_err r = letter_hash(hash, jws, e);

    if (r == TP_OK && asprintf(&body, "{\"letter\":\"%s\"}", jws) < 0)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a letter");
    if (r == TP_OK)
        r = exchange(h, span_str(body), NULL, e);
    if (r == TP_OK)
        r = pass_over(h, hash, e);
    if (r == TP_ERR_STATE && letters_move(h->c->journal, hash, LETTER_NOT_TAKEN, NULL) != TP_OK)
        (void)tp_error_prefix(e, "the journal cannot be written");
    if (r == TP_ERR_PEER || r == TP_ERR_TIMEOUT)
        (void)tp_error_prefix(e,
                              "what you wrote is signed and kept: say the same again to send it");
    free(body);
    return r;
}

static enum tp_err write(const struct hearing *h, enum letter_kind kind, struct letter *l,
                         char **jws, struct tp_error *e)
{
    struct kept_letter kept = {.own = true, .at = time(NULL), .state = LETTER_TO_SEND};
    char at[TIME_TEXT_MAX];
    json_t *key = NULL;
    enum tp_err r = device_key(&key, &h->c->device, e);

    l->order = h->order->order;
    l->at = time_format_utc(at, kept.at);
    if (r == TP_OK)
        r = letter_write_own(jws, kind, l, key, e);
    if (r == TP_OK)
        r = letter_hash(kept.hash, *jws, e);
    snprintf(kept.order, sizeof(kept.order), "%s", h->order->order);
    snprintf(kept.act, sizeof(kept.act), "%s", kind == LETTER_DISPUTE ? "dispute" : "evidence");
    if (r == TP_OK) {
        kept.jws = span_str(*jws);
        r = letters_add(h->c->journal, &kept, e);
    }
    return r;
}

static enum tp_err check_paid(const struct kept_order *o, struct tp_error *e)
{
    if (o->state == KEPT_ACKNOWLEDGED || (o->state == KEPT_REVERSED && o->acknowledgement != NULL))
        return TP_OK; /* that it was given back is the mediator's word alone, who says so again */
    return tp_fail(e, TP_ERR_STATE, "the order %s is not paid: there is nothing to dispute",
                   o->order);
}

/* Whether the mediator has what opens it. */
static bool is_open(const struct checkout *c, const char *order)
{
    struct dispute d;
    const bool open = dispute_read(&d, c, order, NULL) == TP_OK &&
                      strcmp(d.state, "to be sent") != 0 && strcmp(d.state, "not taken") != 0;

    dispute_free(&d);
    return open;
}

enum tp_err dispute_open(struct checkout *c, const char *order, const char *reason,
                         const char *words, struct tp_error *e)
{
    char credential[44] = "", payment[16], *jws = NULL;
    struct kept_order o = {0};
    struct hearing h;
    enum tp_err r;

    if (is_open(c, order)) /* it is the same one */
        return dispute_ask(payment, c, order, e);
    r = orders_find(c->journal, order, &o, e);

    if (r == TP_OK)
        r = check_paid(&o, e);
    if (r == TP_OK)
        r = start(&h, c, &o, e);
    if (r == TP_OK)
        r = letters_to_send(c->journal, order, &jws, e);
    if (r == TP_OK && jws == NULL)
        r = letters_credential(credential, c->journal, &o, e);
    if (r == TP_OK && jws == NULL) {
        struct letter l = {.reason = reason,
                           .words = words,
                           .credential = credential[0] != '\0' ? credential : NULL};

        r = write(&h, LETTER_DISPUTE, &l, &jws, e);
    }
    if (r == TP_OK)
        r = send(&h, jws, e);
    free(jws);
    kept_order_free(&o);
    return r;
}

/* The last that the mediator wrote. */
static enum tp_err find_asked(void *ctx, const struct kept_letter *l, struct tp_error *e)
{
    struct sought *s = ctx;

    (void)e;
    if (!l->own) {
        s->found = strcmp(l->act, ACT_ASKED) == 0;
        base64url_encode(s->text, SPAN_OF(l->hash));
    } else if (l->state == LETTER_TAKEN) {
        s->found = false;
    }
    return TP_OK;
}

enum tp_err dispute_bring(struct checkout *c, const char *order, const char *words,
                          struct tp_error *e)
{
    struct kept_order o = {0};
    struct hearing h;
    struct sought s = {.found = false};
    char *jws = NULL;
    enum tp_err r = orders_find(c->journal, order, &o, e);

    if (r == TP_OK)
        r = start(&h, c, &o, e);
    if (r == TP_OK)
        r = letters_each(c->journal, order, find_asked, &s, e);
    if (r == TP_OK && !s.found)
        r = tp_fail(e, TP_ERR_STATE,
                    "no evidence is asked for about the order %s: telepay dispute show asks how it "
                    "stands",
                    order);
    if (r == TP_OK)
        r = letters_to_send(c->journal, order, &jws, e);
    if (r == TP_OK && jws == NULL) {
        struct letter l = {.answers = s.text, .words = words};

        r = write(&h, LETTER_EVIDENCE, &l, &jws, e);
    }
    if (r == TP_OK)
        r = send(&h, jws, e);
    free(jws);
    kept_order_free(&o);
    return r;
}

enum tp_err dispute_ask(char payment[16], struct checkout *c, const char *order, struct tp_error *e)
{
    struct kept_order o = {0};
    struct hearing h;
    enum tp_err r = orders_find(c->journal, order, &o, e);

    payment[0] = '\0';
    if (r == TP_OK)
        r = start(&h, c, &o, e);
    if (r == TP_OK)
        r = exchange(&h, (struct span){NULL, 0}, payment, e);
    kept_order_free(&o);
    return r;
}
