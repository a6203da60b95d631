#include "mediator/moves.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/log.h"
#include "base/secret.h"
#include "mediator/dispute.h"

void move_reset(struct move *m)
{
    m->finding = FOUND_FINE;
    m->moved = false;
    if (m->event != EVENT_ASKED)
        orderbook_attempt_free(&m->attempt);
    orderbook_attempt_free(&m->fresh);
}

void move_free(struct move *m)
{
    orderbook_attempt_free(&m->attempt);
    orderbook_attempt_free(&m->fresh);
    free(m->quote);
    free(m->sealed);
    free(m->device);
    free(m->said.acknowledgement);
    free(m->said.answer);
    *m = (struct move){.n = 0};
}

/* ---- steps that several moves share ---- */

static bool can_be_paid(const struct orderbook_order *o)
{
    return o->state == STATE_REQUESTED || o->state == STATE_CLAIMED;
}

static bool is_expired(const struct orderbook_order *o, int64_t now)
{
    return now > o->valid_until + GRACE_S;
}

/* To a state, within the order that is then kept. */
static enum tp_err go(struct move *m, struct orderbook *b, enum order_state state,
                      struct tp_error *e)
{
    m->order.state = state;
    m->order.since = m->now;
    m->moved = true;
    return orderbook_order_move(b, &m->order, e);
}

static enum tp_err load_attempt(struct move *m, struct orderbook *b, uint32_t n, struct tp_error *e)
{
    bool found = false;
    const enum tp_err r = orderbook_attempt_get(b, m->id, n, &m->attempt, &found, e);

    return r == TP_OK && !found
               ? tp_fail(e, TP_ERR_INTERNAL, "order %s has no attempt %u", m->id, n)
               : r;
}

static enum tp_err load_fresh(struct move *m, struct orderbook *b, struct tp_error *e)
{
    bool found = false;

    if (!can_be_paid(&m->order) || m->order.attempt == m->attempt.n ||
        is_expired(&m->order, m->now))
        return TP_OK;
    return orderbook_attempt_get(b, m->id, m->order.attempt, &m->fresh, &found, e);
}

/* The number of a card's payment is used up when the acquirer has decided: the next try has another
 * one, and so another order to sign, of the same id. None when its time is over, or when no number
 * is left: what the acquirer said is kept all the same. */
static enum tp_err renew(struct move *m, struct orderbook *b, const struct issuing *by,
                         struct tp_error *e)
{
    uint8_t hash[32];
    char *quote = NULL;
    enum tp_err r;

    if (m->now >= m->order.valid_until || m->order.attempt >= ATTEMPTS_MAX)
        return TP_OK;
    r = orderbook_quote_get(b, m->id, &quote, e);
    if (r == TP_OK && EVP_Digest(quote, strlen(quote), hash, NULL, EVP_sha256(), NULL) != 1)
        r = tp_fail(e, TP_ERR_INTERNAL, "SHA-256 fails");
    free(quote);
    memcpy(m->fresh.order, m->id, sizeof(m->fresh.order));
    if (r == TP_OK)
        r = orderbook_attempt_last(b, m->id, &m->fresh.n, e);
    if (r != TP_OK)
        return r;
    m->fresh.n++;
    r = challenge_make(&m->fresh, &m->order, hash, challenge_header(&m->attempt), by, e);
    if (r != TP_OK) {
        log_error("order %s cannot be paid again: %s", m->id, e->text);
        orderbook_attempt_free(&m->fresh);
        return TP_OK;
    }
    m->order.attempt = m->fresh.n;
    return orderbook_attempt_add(b, &m->fresh, e);
}

/* To be given back, under a number of its own; where none is left, under that of the payment: money
 * does not wait for tomorrow. */
static enum tp_err give_back(struct move *m, struct orderbook *b, const struct issuing *by,
                             const char *why, struct tp_error *e)
{
    struct reg_contract *c = registry_contract(by->registry, m->order.contract);
    const int day = date_of(m->now);
    enum tp_err r;

    snprintf(m->order.why, sizeof(m->order.why), "%s", why);
    if (c == NULL || contract_stan(c, day, &m->attempt.reversal_stan, NULL) != TP_OK)
        m->attempt.reversal_stan = m->attempt.stan;
    r = orderbook_attempt_reverse(b, &m->attempt, day, e);
    return r == TP_OK ? go(m, b, STATE_REVERSING, e) : r;
}

/* ---- the moves ---- */

static enum tp_err asked(struct move *m, struct orderbook *b, const struct issuing *by,
                         struct tp_error *e)
{
    (void)by;
    m->moved = true;
    return orderbook_order_add(b, &m->order, &m->attempt, span_str(m->quote), e);
}

static enum tp_err look(struct move *m, struct orderbook *b, const struct issuing *by,
                        struct tp_error *e)
{
    (void)by;
    return load_attempt(m, b, m->order.attempt, e);
}

static enum tp_err find(struct move *m, struct orderbook *b, const struct issuing *by,
                        struct tp_error *e)
{
    bool found = false;
    enum tp_err r = orderbook_order_find(b, m->wanted, m->now - REPEAT_S, &m->order, &found, e);

    if (r != TP_OK || !found) {
        m->finding = FOUND_NONE;
        return r;
    }
    memcpy(m->id, m->order.id, sizeof(m->id));
    return look(m, b, by, e);
}

/* A short word that two people, or a person at two screens, compare. */
static enum tp_err draw_code(struct orderbook_order *o, struct tp_error *e)
{
    static const char letters[] = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    uint8_t bytes[6];

    if (RAND_bytes(bytes, sizeof(bytes)) != 1)
        return tp_fail(e, TP_ERR_INTERNAL, "the system gives no random numbers");
    snprintf(o->code, sizeof(o->code), "%c%c%c-%c%c%c", letters[bytes[0] % 32],
             letters[bytes[1] % 32], letters[bytes[2] % 32], letters[bytes[3] % 32],
             letters[bytes[4] % 32], letters[bytes[5] % 32]);
    return TP_OK;
}

static bool same_claim(const struct move *m)
{
    return m->has_claim && secret_eq(SPAN_OF(m->order.claim), SPAN_OF(m->claim));
}

static enum tp_err claim(struct move *m, struct orderbook *b, const struct issuing *by,
                         struct tp_error *e)
{
    enum tp_err r = look(m, b, by, e);

    if (r != TP_OK)
        return r;
    if (m->order.claimed || m->order.state != STATE_REQUESTED) {
        m->finding = m->order.claimed && same_claim(m) ? FOUND_FINE : FOUND_TAKEN;
        return TP_OK;
    }
    if (is_expired(&m->order, m->now)) {
        m->finding = FOUND_EXPIRED;
        return TP_OK;
    }
    r = draw_code(&m->order, e);
    memcpy(m->order.claim, m->claim, sizeof(m->order.claim));
    m->order.claimed = true;
    m->order.state = STATE_CLAIMED;
    m->order.since = m->now;
    m->moved = true;
    return r == TP_OK ? orderbook_order_claim(b, &m->order, e) : r;
}

/* By whom it was claimed alone, and only as long as nobody ever submitted anything: what came to
 * nothing may still turn out to be paid. */
static enum tp_err release(struct move *m, struct orderbook *b, const struct issuing *by,
                           struct tp_error *e)
{
    enum tp_err r = look(m, b, by, e);

    if (r != TP_OK)
        return r;
    if (m->order.claimed && !same_claim(m)) {
        m->finding = FOUND_TAKEN;
        return TP_OK;
    }
    if (!can_be_paid(&m->order) || m->order.attempt > 1 || m->attempt.used) {
        m->finding = FOUND_OVER;
        return TP_OK;
    }
    if (!m->order.claimed)
        return TP_OK;
    memset(m->order.claim, 0, sizeof(m->order.claim));
    m->order.code[0] = '\0';
    m->order.claimed = false;
    m->order.state = STATE_REQUESTED;
    m->order.since = m->now;
    m->moved = true;
    return orderbook_order_claim(b, &m->order, e);
}

/* A credential for a challenge that has had none, or the same again after nothing was decided: from
 * now on that is open again. */
static enum tp_err submit(struct move *m, struct orderbook *b, struct tp_error *e)
{
    enum tp_err r = TP_OK;

    if (!m->attempt.used) {
        memcpy(m->attempt.credential, m->credential, sizeof(m->attempt.credential));
        m->attempt.used = true;
        m->attempt.sealed = m->sealed != NULL ? strdup(m->sealed) : NULL;
        m->attempt.device = m->device != NULL ? strdup(m->device) : NULL;
        m->attempt.sent = m->now;
        if (m->attempt.sealed == NULL || (m->device != NULL && m->attempt.device == NULL))
            return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a transaction");
        r = orderbook_attempt_submit(b, &m->attempt, e);
    } else {
        m->attempt.outcome = OUTCOME_NONE;
        r = orderbook_attempt_answer(b, &m->attempt, e);
    }
    m->order.attempt = m->attempt.n;
    return r == TP_OK ? go(m, b, STATE_SUBMITTING, e) : r;
}

/* What was paid, or may be, outranks all: the same credential gets what it got. */
static enum tp_err pay(struct move *m, struct orderbook *b, const struct issuing *by,
                       struct tp_error *e)
{
    bool found = false;
    enum tp_err r = orderbook_attempt_find(b, m->challenge_id, &m->attempt, &found, e);

    (void)by;
    if (r != TP_OK)
        return r;
    if (!found || strcmp(m->attempt.order, m->id) != 0) {
        m->finding = FOUND_INVALID;
        orderbook_attempt_free(&m->attempt);
        return look(m, b, by, e);
    }
    if (m->attempt.used && !secret_eq(SPAN_OF(m->attempt.credential), SPAN_OF(m->credential))) {
        m->finding = m->attempt.outcome == OUTCOME_NO ? FOUND_INVALID : FOUND_OTHER;
        return load_fresh(m, b, e);
    }
    if (m->attempt.used && m->attempt.outcome != OUTCOME_VAIN)
        return load_fresh(m, b, e); /* the answer of before, or it is still waited for */
    if (!can_be_paid(&m->order)) {
        m->finding = FOUND_OTHER;
        return TP_OK;
    }
    if (m->order.claimed && !same_claim(m))
        m->finding = FOUND_TAKEN;
    else if (is_expired(&m->order, m->now) && !m->attempt.used)
        m->finding = FOUND_EXPIRED;
    else if (!m->attempt.used && (m->foreign || m->attempt.n != m->order.attempt))
        m->finding = FOUND_INVALID;
    else if (!m->reached)
        m->finding = FOUND_UNREACHED;
    return m->finding == FOUND_FINE ? submit(m, b, e) : load_fresh(m, b, e);
}

/* Whether the answer moves the order: that of the attempt which is under way does; and a yes does
 * that comes after all, as long as the order is not paid by another attempt. */
static bool is_awaited(const struct move *m)
{
    const enum order_state state = m->order.state;

    if (state == STATE_SUBMITTING || state == STATE_UNKNOWN)
        return m->order.attempt == m->attempt.n || m->said.outcome == OUTCOME_YES;
    return can_be_paid(&m->order) && m->said.outcome == OUTCOME_YES;
}

/* What was decided stays decided, and nothing is decided of what never left. */
static enum tp_err answer(struct move *m, struct orderbook *b, const struct issuing *by,
                          struct tp_error *e)
{
    enum tp_err r = load_attempt(m, b, m->n, e);

    if (r != TP_OK || !m->attempt.used || m->attempt.outcome == OUTCOME_YES ||
        m->attempt.outcome == OUTCOME_NO)
        return r;
    m->attempt.outcome = m->said.outcome;
    memcpy(m->attempt.code, m->said.code, sizeof(m->attempt.code));
    memcpy(m->attempt.reason, m->said.reason, sizeof(m->attempt.reason));
    memcpy(m->attempt.rrn, m->said.rrn, sizeof(m->attempt.rrn));
    free(m->attempt.acknowledgement);
    free(m->attempt.answer);
    m->attempt.acknowledgement =
        m->said.acknowledgement != NULL ? strdup(m->said.acknowledgement) : NULL;
    m->attempt.answer = m->said.answer != NULL ? strdup(m->said.answer) : NULL;
    r = orderbook_attempt_answer(b, &m->attempt, e);
    if (r != TP_OK || !is_awaited(m))
        return r;
    if (m->said.outcome == OUTCOME_YES) {
        m->order.attempt = m->attempt.n;
        return go(m, b, m->said.completion ? STATE_APPROVED : STATE_ACKNOWLEDGED, e);
    }
    r = renew(m, b, by, e);
    return r == TP_OK ? go(m, b, m->order.claimed ? STATE_CLAIMED : STATE_REQUESTED, e) : r;
}

static enum tp_err silent(struct move *m, struct orderbook *b, const struct issuing *by,
                          struct tp_error *e)
{
    enum tp_err r = load_attempt(m, b, m->n, e);

    (void)by;
    if (r == TP_OK && m->order.state == STATE_SUBMITTING && m->order.attempt == m->n)
        r = go(m, b, STATE_UNKNOWN, e);
    return r;
}

static enum tp_err complete(struct move *m, struct orderbook *b, const struct issuing *by,
                            struct tp_error *e)
{
    const enum order_state state = m->order.state;
    enum tp_err r = look(m, b, by, e);

    if (r != TP_OK)
        return r;
    if (!m->attempt.used || !secret_eq(SPAN_OF(m->attempt.credential), SPAN_OF(m->credential))) {
        m->finding = FOUND_INVALID;
        return TP_OK;
    }
    if (state == STATE_APPROVED && m->completed)
        return go(m, b, STATE_ACKNOWLEDGED, e);
    if (!m->completed &&
        (state == STATE_APPROVED || state == STATE_SUBMITTING || state == STATE_UNKNOWN))
        return give_back(m, b, by, "the card did not complete the payment", e);
    if (m->completed ? state != STATE_ACKNOWLEDGED && state != STATE_DELIVERED
                     : state != STATE_REVERSING && state != STATE_REVERSED)
        m->finding = FOUND_OVER;
    return TP_OK;
}

static enum tp_err late(struct move *m, struct orderbook *b, const struct issuing *by,
                        struct tp_error *e)
{
    enum tp_err r = look(m, b, by, e);

    if (r == TP_OK && m->order.state == STATE_APPROVED && m->now - m->order.since >= COMPLETION_S)
        r = give_back(m, b, by, "the payer device did not say in time that the card completed", e);
    return r;
}

static enum tp_err delivered(struct move *m, struct orderbook *b, const struct issuing *by,
                             struct tp_error *e)
{
    enum tp_err r = look(m, b, by, e);

    if (r == TP_OK && m->order.state == STATE_ACKNOWLEDGED)
        r = go(m, b, STATE_DELIVERED, e);
    return r;
}

static enum tp_err undeliverable(struct move *m, struct orderbook *b, const struct issuing *by,
                                 struct tp_error *e)
{
    enum tp_err r = look(m, b, by, e);

    if (r == TP_OK && m->order.state == STATE_ACKNOWLEDGED)
        r = give_back(m, b, by, m->why, e);
    return r;
}

static enum tp_err reversed(struct move *m, struct orderbook *b, const struct issuing *by,
                            struct tp_error *e)
{
    enum tp_err r = look(m, b, by, e);

    if (r != TP_OK || m->order.state != STATE_REVERSING)
        return r;
    if (m->event == EVENT_REVERSED)
        return go(m, b, STATE_REVERSED, e);
    snprintf(m->order.why + strlen(m->order.why), sizeof(m->order.why) - strlen(m->order.why),
             "; %s", m->why);
    return go(m, b, STATE_OWED, e);
}

/* By the merchant's signature alone; what is given back already is not given back again. */
static enum tp_err settle(struct move *m, struct orderbook *b, const struct issuing *by,
                          struct tp_error *e)
{
    char why[BOOK_WHY_MAX];
    bool settled = false;
    enum tp_err r = look(m, b, by, e);

    if (r == TP_OK && (m->order.state == STATE_ACKNOWLEDGED || m->order.state == STATE_DELIVERED))
        r = dispute_is_settled(&settled, why, &m->order, b, by, e);
    return r == TP_OK && settled ? give_back(m, b, by, why, e) : r;
}

enum tp_err move_apply(struct move *m, struct orderbook *b, const struct issuing *by,
                       struct tp_error *e)
{
    static enum tp_err (*const moves[])(struct move * m, struct orderbook * b,
                                        const struct issuing *by, struct tp_error *e) = {
        [EVENT_ASKED] = asked,         [EVENT_LOOK] = look,
        [EVENT_FIND] = find,           [EVENT_CLAIM] = claim,
        [EVENT_RELEASE] = release,     [EVENT_PAY] = pay,
        [EVENT_ANSWER] = answer,       [EVENT_SILENT] = silent,
        [EVENT_COMPLETE] = complete,   [EVENT_LATE] = late,
        [EVENT_DELIVERED] = delivered, [EVENT_UNDELIVERABLE] = undeliverable,
        [EVENT_REVERSED] = reversed,   [EVENT_UNREVERSED] = reversed,
        [EVENT_SETTLED] = settle,
    };
    bool found = false;
    enum tp_err r;

    if (m->event == EVENT_ASKED || m->event == EVENT_FIND)
        return moves[m->event](m, b, by, e);
    r = orderbook_order_get(b, m->id, &m->order, &found, e);
    if (r == TP_OK && !found)
        m->finding = FOUND_NONE;
    return r == TP_OK && found ? moves[m->event](m, b, by, e) : r;
}
