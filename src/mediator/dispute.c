#include "mediator/dispute.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/conf.h"
#include "base/date.h"
#include "base/file.h"
#include "base/log.h"
#include "base/secret.h"
#include "mediator/commands.h"
#include "mediator/quote.h"
#include "order/device.h"
#include "order/token.h"
#include "wire/jcs.h"

#define DAY_S 86400

/* ---- terms ---- */

static enum tp_err days(int64_t *out, const struct conf *conf, const char *key, int64_t most,
                        int64_t otherwise, struct tp_error *e)
{
    const char *text = conf_get(conf, "dispute", key);
    char *end = NULL;
    long n;

    *out = otherwise * DAY_S;
    if (text == NULL)
        return TP_OK;
    n = strtol(text, &end, 10);
    if (end == text || *end != '\0' || n < 1 || n > most)
        return tp_fail(e, TP_ERR_FORMAT, "mediator.conf, [dispute] %s: 1 to %d days, not \"%.20s\"",
                       key, (int)most, text);
    *out = n * (int64_t)DAY_S;
    return TP_OK;
}

enum tp_err dispute_terms_load(struct dispute_terms *out, const char *dir, struct tp_error *e)
{
    char path[PATH_MAX];
    struct conf *conf = NULL;
    enum tp_err r = file_join(path, sizeof(path), dir, MEDIATOR_CONF, e);

    if (r == TP_OK)
        r = conf_load(&conf, path, e);
    if (r == TP_OK)
        r = days(&out->open_s, conf, "open_days", 3650, 120, e);
    if (r == TP_OK)
        r = days(&out->answer_s, conf, "answer_days", 365, 7, e);
    if (r == TP_OK)
        r = days(&out->decide_s, conf, "decide_days", 365, 30, e);
    if (r == TP_OK)
        r = days(&out->evidence_s, conf, "evidence_days", 365, 14, e);
    conf_free(&conf);
    return r;
}

/* ---- letters ---- */

static enum tp_err keep(struct orderbook *b, const char *order, bool own, const char *act,
                        const char *jws, int64_t now, struct tp_error *e)
{
    struct dispute_letter l = {.own = own, .at = now, .jws = span_str(jws)};
    enum tp_err r = letter_hash(l.hash, jws, e);

    snprintf(l.act, sizeof(l.act), "%s", act);
    return r == TP_OK ? disputes_letter_add(b, order, &l, e) : r;
}

/* The mediator's, about the last letter of who pays. */
static enum tp_err answer(const struct dispute *d, const char *act, const char *words,
                          struct orderbook *b, const struct order_key *key, int64_t now,
                          struct tp_error *e)
{
    const bool settles = strcmp(act, ACT_SETTLED) == 0;
    char answers[BASE64URL_SIZE(LETTER_HASH)], at[TIME_TEXT_MAX], until[TIME_TEXT_MAX], amount[24],
        currency[4];
    struct letter l = {.order = d->order,
                       .contract = d->contract,
                       .answers = answers,
                       .act = act,
                       .words = words,
                       .amount = settles ? amount : NULL,
                       .currency = settles ? currency : NULL,
                       .until = d->due != 0 ? time_format_utc(until, d->due) : NULL,
                       .at = time_format_utc(at, now)};
    struct dispute_letter last;
    bool found = false;
    char *jws = NULL;
    enum tp_err r = disputes_letter_last(b, d->order, false, &last, NULL, &found, e);

    if (r != TP_OK || !found)
        return r != TP_OK ? r : tp_fail(e, TP_ERR_INTERNAL, "nobody opened the dispute");
    base64url_encode(answers, SPAN_OF(last.hash));
    snprintf(amount, sizeof(amount), "%" PRId64, d->amount);
    currency_small(currency, d->currency);
    r = letter_write(&jws, LETTER_ANSWER, &l, key, e);
    if (r == TP_OK)
        r = keep(b, d->order, true, act, jws, now, e);
    free(jws);
    return r;
}

/* ---- who pays ---- */

/* The key of the device's statement, where the card signed no payee. */
static bool is_signer(const struct orderbook_attempt *a, const uint8_t key[LETTER_HASH])
{
    struct token_text text;
    uint8_t print[LETTER_HASH];
    json_t *jwk = NULL;
    bool same = false;

    if (a->beside != NULL && token_split(&text, a->beside, TOKEN_MAX, NULL) == TP_OK &&
        token_own_key(&jwk, &text, DEVICE_STATEMENT_TYPE, NULL) == TP_OK)
        same = letter_thumbprint(print, jwk, NULL) == TP_OK &&
               secret_eq(SPAN_OF(print), span_of(key, LETTER_HASH));
    json_decref(jwk);
    return same;
}

/* By the credential that paid, or by the key that signed what paid. */
static bool is_payer(const struct dispute_case *c, const struct orderbook_attempt *a,
                     const uint8_t key[LETTER_HASH])
{
    uint8_t hash[BOOK_CREDENTIAL];
    struct buf shown = BUF_OF(hash);

    if (c->letter.credential != NULL &&
        base64url_decode(&shown, span_str(c->letter.credential)) == TP_OK &&
        shown.n == sizeof(hash) && a->used && secret_eq(SPAN_OF(hash), SPAN_OF(a->credential)))
        return true;
    return is_signer(a, key);
}

static enum dispute_finding find_order(struct dispute_case *c, const struct orderbook_order *o)
{
    switch (o->state) {
    case STATE_ACKNOWLEDGED:
    case STATE_DELIVERED:
        return DISPUTE_FINE;
    case STATE_REVERSING:
    case STATE_REVERSED:
    case STATE_OWED:
        snprintf(c->why, sizeof(c->why), "%s", o->why);
        return DISPUTE_BACK;
    case STATE_REQUESTED:
    case STATE_CLAIMED:
    case STATE_SUBMITTING:
    case STATE_UNKNOWN:
    case STATE_APPROVED:
        break;
    }
    return DISPUTE_UNPAID;
}

static enum tp_err begin(struct dispute_case *c, const struct orderbook_order *o,
                         const struct reg_contract *contract, struct orderbook *b,
                         const struct dispute_terms *terms, int64_t now, struct tp_error *e)
{
    struct dispute *d = &c->dispute;
    bool found = false;
    enum tp_err r;

    memcpy(d->order, o->id, sizeof(d->order));
    snprintf(d->contract, sizeof(d->contract), "%s", contract->id);
    snprintf(d->reason, sizeof(d->reason), "%s", c->letter.reason);
    d->state = DISPUTE_OPEN;
    d->opened = now;
    d->due = now + terms->answer_s;
    r = disputes_add(b, d, e);
    if (r == TP_OK)
        r = keep(b, o->id, false, "dispute", c->jws, now, e);
    if (r == TP_OK)
        r = disputes_get(b, o->id, d, &found, e);
    if (r == TP_OK)
        r = answer(d, ACT_OPENED, NULL, b, &contract->key, now, e);
    c->disputed = r == TP_OK;
    return r;
}

/* The order's own attempt is the one that paid. */
static enum tp_err open_dispute(struct dispute_case *c, const struct orderbook_order *o,
                                struct orderbook *b, const struct issuing *by,
                                const struct dispute_terms *terms, int64_t now, struct tp_error *e)
{
    const struct reg_contract *contract = NULL;
    struct orderbook_attempt a = {.n = 0};
    bool found = false;
    enum tp_err r = letter_thumbprint(c->dispute.key, c->letter.key, e);

    if (r == TP_OK)
        r = orderbook_attempt_get(b, o->id, o->attempt, &a, &found, e);
    if (r == TP_OK) {
        contract = registry_contract(by->registry, a.contract);
        c->finding = find_order(c, o);
        if (c->finding == DISPUTE_FINE && (!found || !is_payer(c, &a, c->dispute.key)))
            c->finding = DISPUTE_NOT_PAYER;
        else if (c->finding == DISPUTE_FINE && now - a.sent > terms->open_s)
            c->finding = DISPUTE_LATE;
        else if (c->finding == DISPUTE_FINE && contract == NULL)
            c->finding = DISPUTE_NO_KEY;
    }
    orderbook_attempt_free(&a);
    if (r == TP_OK && c->finding == DISPUTE_FINE)
        r = begin(c, o, contract, b, terms, now, e);
    return r;
}

/* What was asked for, by the key that opened it; the same again is the same. */
static enum tp_err take_evidence(struct dispute_case *c, struct orderbook *b,
                                 const struct dispute_terms *terms, int64_t now, struct tp_error *e)
{
    struct dispute *d = &c->dispute;
    struct dispute_letter asked = {.n = 0}, mine = {.n = 0};
    uint8_t key[LETTER_HASH], hash[LETTER_HASH];
    char answers[BASE64URL_SIZE(LETTER_HASH)];
    bool found = false;
    enum tp_err r = letter_thumbprint(key, c->letter.key, e);

    if (r == TP_OK)
        r = letter_hash(hash, c->jws, e);
    if (r == TP_OK)
        r = disputes_letter_last(b, d->order, true, &asked, NULL, &found, e);
    if (r == TP_OK)
        r = disputes_letter_last(b, d->order, false, &mine, NULL, &found, e);
    if (r != TP_OK)
        return r;
    if (!secret_eq(SPAN_OF(key), SPAN_OF(d->key))) {
        c->finding = DISPUTE_NOT_PAYER;
        return TP_OK;
    }
    if (memcmp(mine.hash, hash, sizeof(hash)) == 0)
        return TP_OK;
    if (d->state != DISPUTE_ASKED ||
        strcmp(c->letter.answers, base64url_encode(answers, SPAN_OF(asked.hash))) != 0) {
        c->finding = DISPUTE_NOT_ASKED;
        return TP_OK;
    }
    d->state = DISPUTE_OPEN;
    d->since = now;
    d->due = now + terms->answer_s;
    r = keep(b, d->order, false, "evidence", c->jws, now, e);
    return r == TP_OK ? disputes_move(b, d, e) : r;
}

enum tp_err dispute_look(struct dispute_case *c, const char *order, struct orderbook *b,
                         struct tp_error *e)
{
    struct orderbook_order o;
    bool known = false;
    enum tp_err r = disputes_get(b, order, &c->dispute, &c->disputed, e);

    if (r == TP_OK && !c->disputed)
        r = orderbook_order_get(b, order, &o, &known, e);
    c->finding = c->disputed ? DISPUTE_FINE : known ? DISPUTE_NONE : DISPUTE_NO_ORDER;
    return r;
}

enum tp_err dispute_take(struct dispute_case *c, const char *order, struct orderbook *b,
                         const struct issuing *by, const struct dispute_terms *terms, int64_t now,
                         struct tp_error *e)
{
    struct orderbook_order o = {.amount = 0};
    bool found = false;
    enum tp_err r;

    c->dispute = (struct dispute){.opened = 0};
    if (strcmp(c->letter.order, order) != 0) { /* it is about another one */
        c->finding = DISPUTE_NOT_PAYER;
        return TP_OK;
    }
    r = dispute_look(c, order, b, e);
    if (r != TP_OK || c->kind == LETTER_EVIDENCE)
        return r == TP_OK && c->disputed ? take_evidence(c, b, terms, now, e) : r;
    if (c->disputed) /* opened twice is the same one */
        return TP_OK;
    r = orderbook_order_get(b, order, &o, &found, e);
    return r == TP_OK && found ? open_dispute(c, &o, b, by, terms, now, e) : r;
}

/* ---- the merchant ---- */

static const struct step {
    const char *act;
    enum dispute_state to;
    bool needs_words;
    bool from_answered, from_asked; /* from DISPUTE_OPEN each may go */
} steps[] = {
    {ACT_ANSWERED, DISPUTE_ANSWERED, true, false, false},
    {ACT_ASKED, DISPUTE_ASKED, true, true, false},
    {ACT_SETTLED, DISPUTE_SETTLED, false, true, true},
    {ACT_REFUSED, DISPUTE_REFUSED, true, true, true},
};

static const struct step *step_of(const char *act)
{
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
        if (strcmp(steps[i].act, act) == 0)
            return &steps[i];
    return NULL;
}

static enum tp_err check_step(const struct dispute *d, const struct step *s, const char *words,
                              struct tp_error *e)
{
    if (s == NULL || (s->needs_words && words == NULL))
        return tp_fail(e, TP_ERR_USAGE, "say it in words: --words");
    if (d->state == DISPUTE_OPEN || (d->state == DISPUTE_ANSWERED && s->from_answered) ||
        (d->state == DISPUTE_ASKED && s->from_asked))
        return TP_OK;
    return tp_fail(e, TP_ERR_STATE, "the dispute about order %s is %s: that cannot be done now",
                   d->order, dispute_state_name(d->state));
}

/* What is on an account is not given back by who sold it: the service has to take it from there. */
static enum tp_err check_final(const char *order, const struct step *s, struct orderbook *b,
                               struct tp_error *e)
{
    char *quote = NULL;
    enum tp_err r = s->to == DISPUTE_SETTLED ? orderbook_quote_get(b, order, &quote, e) : TP_OK;

    if (quote != NULL && quote_is_final(quote))
        r = tp_fail(e, TP_ERR_STATE,
                    "what order %s bought is credit on an account, and stays there: it is not "
                    "given back here; answer or refuse, and say who takes it back (of a purse: "
                    "telepay purse empty)",
                    order);
    free(quote);
    return r;
}

static int64_t due_after(enum dispute_state to, const struct dispute_terms *terms, int64_t now)
{
    if (to == DISPUTE_ANSWERED)
        return now + terms->decide_s;
    return to == DISPUTE_ASKED ? now + terms->evidence_s : 0;
}

enum tp_err dispute_act(struct dispute *out, const char *order, const char *act, const char *words,
                        struct orderbook *b, const struct issuing *by,
                        const struct dispute_terms *terms, int64_t now, struct tp_error *e)
{
    const struct step *s = step_of(act);
    const struct reg_contract *contract = NULL;
    bool found = false;
    enum tp_err r = disputes_get(b, order, out, &found, e);

    if (r == TP_OK && !found)
        r = tp_fail(e, TP_ERR_NOT_FOUND,
                    "the order \"%.40s\" is not disputed: telepay-mediator dispute list says which "
                    "are",
                    order);
    if (r == TP_OK)
        r = check_step(out, s, words, e);
    if (r == TP_OK)
        r = check_final(order, s, b, e);
    if (r == TP_OK)
        contract = registry_contract(by->registry, out->contract);
    if (r == TP_OK && contract == NULL)
        r = tp_fail(e, TP_ERR_NOT_FOUND,
                    "the contract %s, whose key has to sign, is not under this mediator any more",
                    out->contract);
    if (r != TP_OK)
        return r;
    out->state = s->to;
    out->since = now;
    out->due = due_after(s->to, terms, now);
    r = answer(out, act, words, b, &contract->key, now, e);
    return r == TP_OK ? disputes_move(b, out, e) : r;
}

enum tp_err dispute_is_settled(bool *settled, char why[BOOK_WHY_MAX],
                               const struct orderbook_order *o, struct orderbook *b,
                               const struct issuing *by, struct tp_error *e)
{
    const struct reg_contract *contract;
    struct dispute d;
    struct dispute_letter last;
    struct letter l = {.order = NULL};
    struct tp_error fault = {TP_OK, ""};
    char *jws = NULL, amount[24];
    bool found = false;
    enum tp_err r = disputes_get(b, o->id, &d, &found, e);

    *settled = false;
    if (r != TP_OK || !found || d.state != DISPUTE_SETTLED)
        return r;
    contract = registry_contract(by->registry, d.contract);
    if (contract == NULL) {
        log_error("the settlement of order %s waits for the contract %s, which is not known any "
                  "more: telepay-mediator acquirer add",
                  o->id, d.contract);
        return TP_OK;
    }
    r = disputes_letter_last(b, o->id, true, &last, &jws, &found, e);
    if (r != TP_OK || !found)
        return r;
    snprintf(amount, sizeof(amount), "%" PRId64, o->amount);
    snprintf(why, BOOK_WHY_MAX, DISPUTE_SETTLES " (%s)", d.reason);
    if (letter_read(&l, LETTER_ANSWER, jws, contract->acquirer->authority, &fault) != TP_OK)
        log_error("the settlement of order %s is not carried out: %s", o->id, fault.text);
    *settled = l.act != NULL && strcmp(l.order, o->id) == 0 &&
               strcmp(l.contract, d.contract) == 0 && strcmp(l.act, ACT_SETTLED) == 0 &&
               l.amount != NULL && strcmp(l.amount, amount) == 0;
    letter_free(&l);
    free(jws);
    return r;
}

/* ---- shown ---- */

static enum tp_err list_letter(void *ctx, const struct dispute_letter *l, struct tp_error *e)
{
    json_t *list = ctx;
    char at[TIME_TEXT_MAX], *jws = span_text(l->jws);
    struct token_text text;
    json_t *payload = NULL, *one;
    enum tp_err r = TP_OK;

    if (jws != NULL && token_split(&text, jws, TOKEN_MAX, NULL) == TP_OK)
        r = jcs_decode(&payload, text.body, TOKEN_MAX, e);
    one =
        json_pack("{s:s,s:s,s:s,s:O*,s:O*,s:s}", "by", l->own ? "merchant" : "payer", "act", l->act,
                  "at", time_format_utc(at, l->at), "words", json_object_get(payload, "words"),
                  "until", json_object_get(payload, "until"), "letter", jws);
    if (r == TP_OK && json_array_append_new(list, one) != 0)
        r = tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    json_decref(payload);
    free(jws);
    return r;
}

enum tp_err dispute_json(json_t **out, const struct dispute *d, struct orderbook *b, int64_t now,
                         struct tp_error *e)
{
    char opened[TIME_TEXT_MAX], since[TIME_TEXT_MAX], due[TIME_TEXT_MAX], amount[24];
    json_t *list = json_array();
    enum tp_err r = disputes_letter_each(b, d->order, list_letter, list, e);

    snprintf(amount, sizeof(amount), "%" PRId64, d->amount);
    *out = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s*,s:b,s:o}", "order", d->order,
                     "state", dispute_state_name(d->state), "reason", d->reason, "item", d->item,
                     "amount", amount, "currency", currency_shown(d->currency), "payment",
                     order_state_name(d->paid), "opened", time_format_utc(opened, d->opened),
                     "since", time_format_utc(since, d->since), "due",
                     d->due != 0 ? time_format_utc(due, d->due) : NULL, "overdue",
                     dispute_is_overdue(d, now), "letters", list);
    if (r == TP_OK && *out == NULL)
        r = tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    if (r != TP_OK) {
        json_decref(*out);
        *out = NULL;
    }
    return r;
}
