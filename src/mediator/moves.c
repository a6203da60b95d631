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
#include "mediator/session.h"

static void forget_others(struct move *m)
{
    while (m->n_others > 0)
        orderbook_attempt_free(&m->others[--m->n_others]);
    m->payable = false;
}

static void forget_attempts(struct move *m)
{
    orderbook_attempt_free(&m->attempt);
    forget_others(m);
}

void move_reset(struct move *m)
{
    m->finding = FOUND_FINE;
    m->moved = false;
    m->n_surplus = 0;
    if (m->event != EVENT_ASKED)
        forget_attempts(m);
}

void move_free(struct move *m)
{
    forget_attempts(m);
    free(m->quote);
    free(m->pays);
    free(m->beside);
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

/* What can be paid: the attempt that the move is about, and beside it. */
static enum tp_err load_others(struct move *m, struct orderbook *b, struct tp_error *e)
{
    size_t n = 0, kept = 0;
    enum tp_err r;

    forget_others(m);
    if (!can_be_paid(&m->order) || is_expired(&m->order, m->now))
        return TP_OK;
    r = orderbook_attempt_payable(b, m->order.id, m->others, &n, e);
    for (size_t i = 0; i < n; i++)
        if (m->others[i].n == m->attempt.n) {
            m->payable = true;
            orderbook_attempt_free(&m->others[i]);
        } else {
            m->others[kept++] = m->others[i];
        }
    m->n_others = kept;
    return r;
}

static enum tp_err hash_quote(uint8_t hash[32], struct orderbook *b, const char *id,
                              struct tp_error *e)
{
    char *quote = NULL;
    enum tp_err r = orderbook_quote_get(b, id, &quote, e);

    if (r == TP_OK && EVP_Digest(quote, strlen(quote), hash, NULL, EVP_sha256(), NULL) != 1)
        r = tp_fail(e, TP_ERR_INTERNAL, "SHA-256 fails");
    free(quote);
    return r;
}

/* A challenge is used up when the acquirer has decided: the next try by the same means has another
 * one, with another number of a card's payment, and so another order to sign, of the same id. None
 * when its time is over, or when no number is left: what the acquirer said is kept all the same. */
static enum tp_err renew(struct move *m, struct orderbook *b, const struct issuing *by,
                         struct tp_error *e)
{
    struct orderbook_attempt fresh = {.place = m->attempt.place};
    uint8_t hash[32];
    enum tp_err r = orderbook_attempt_last(b, m->id, &fresh.n, e);

    if (r != TP_OK || m->now >= m->order.valid_until || fresh.n >= ATTEMPTS_MAX)
        return r;
    r = hash_quote(hash, b, m->id, e);
    if (r != TP_OK)
        return r;
    fresh.n++;
    memcpy(fresh.order, m->id, sizeof(fresh.order));
    memcpy(fresh.contract, m->attempt.contract, sizeof(fresh.contract));
    r = challenge_make(&fresh, &m->order, hash, challenge_header(&m->attempt), by, e);
    if (r != TP_OK) {
        log_error("order %s cannot be paid again: %s", m->id, e->text);
        r = TP_OK;
    } else {
        m->order.attempt = fresh.n;
        r = orderbook_attempt_add(b, &fresh, e);
    }
    orderbook_attempt_free(&fresh);
    return r;
}

/* A card's payment is given back under a number of its own; where none is left, under that of the
 * payment: money does not wait for tomorrow. */
static enum tp_err number_reversal(struct orderbook_attempt *a, const struct move *m,
                                   struct orderbook *b, const struct issuing *by,
                                   struct tp_error *e)
{
    struct reg_contract *c = registry_contract(by->registry, a->contract);
    const int day = date_of(m->now);

    if (a->means != MEANS_EMV)
        return TP_OK;
    if (c == NULL || contract_stan(c, day, &a->reversal_stan, NULL) != TP_OK)
        a->reversal_stan = a->stan;
    return orderbook_attempt_reverse(b, a, day, e);
}

/* It is not presented; once its session ends it is, or was, and a credit is due. */
static enum tp_err give_back_voucher(struct move *m, struct orderbook *b, struct tp_error *e)
{
    struct orderbook_session s = {.state = SESSION_ENDED};
    bool found = false;
    enum tp_err r = orderbook_session_get(b, m->attempt.session, &s, &found, e);

    if (r == TP_OK && s.state != SESSION_OPEN) {
        snprintf(m->order.why + strlen(m->order.why), sizeof(m->order.why) - strlen(m->order.why),
                 "; its session is over");
        return go(m, b, STATE_OWED, e);
    }
    if (r == TP_OK)
        r = orderbook_drawn_give_back(b, m->attempt.session, m->attempt.contract, m->order.amount,
                                      e);
    return r == TP_OK ? go(m, b, STATE_REVERSED, e) : r;
}

static enum tp_err give_back(struct move *m, struct orderbook *b, const struct issuing *by,
                             const char *why, struct tp_error *e)
{
    enum tp_err r;

    snprintf(m->order.why, sizeof(m->order.why), "%s", why);
    if (m->attempt.means == MEANS_VOUCHER)
        return give_back_voucher(m, b, e);
    r = number_reversal(&m->attempt, m, b, by, e);
    return r == TP_OK ? go(m, b, STATE_REVERSING, e) : r;
}

/* It pays beside another attempt that paid: it is given back, and its order stays as it is. */
static enum tp_err give_back_surplus(struct orderbook_attempt *a, struct move *m,
                                     struct orderbook *b, const struct issuing *by,
                                     struct tp_error *e)
{
    enum tp_err r = number_reversal(a, m, b, by, e);

    a->surplus = SURPLUS_BACK;
    if (r == TP_OK)
        r = orderbook_attempt_surplus(b, a, e);
    if (r == TP_OK && m->n_surplus < BOOK_RIVALS_MAX)
        m->surplus[m->n_surplus++] = a->n;
    return r;
}

/* The order is paid: what was submitted to other acquirers, and may have paid there or may yet, is
 * given back. One acquirer takes one payment of an order by itself. */
static enum tp_err give_back_rivals(struct move *m, struct orderbook *b, const struct issuing *by,
                                    struct tp_error *e)
{
    uint32_t rival[BOOK_RIVALS_MAX];
    size_t n = 0;
    enum tp_err r = orderbook_attempt_rivals(b, &m->attempt, rival, &n, e);

    for (size_t i = 0; r == TP_OK && i < n; i++) {
        struct orderbook_attempt a = {.n = 0};
        bool found = false;

        r = orderbook_attempt_get(b, m->id, rival[i], &a, &found, e);
        if (r == TP_OK && found)
            r = give_back_surplus(&a, m, b, by, e);
        orderbook_attempt_free(&a);
    }
    return r;
}

/* ---- the moves ---- */

static enum tp_err asked(struct move *m, struct orderbook *b, struct tp_error *e)
{
    enum tp_err r = orderbook_order_add(b, &m->order, span_str(m->quote), e);

    m->moved = m->payable = true;
    if (r == TP_OK)
        r = orderbook_attempt_add(b, &m->attempt, e);
    for (size_t i = 0; r == TP_OK && i < m->n_others; i++)
        r = orderbook_attempt_add(b, &m->others[i], e);
    return r;
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
        m->attempt.pays = m->pays != NULL ? strdup(m->pays) : NULL;
        m->attempt.beside = m->beside != NULL ? strdup(m->beside) : NULL;
        m->attempt.sent = m->now;
        if (m->attempt.pays == NULL || (m->beside != NULL && m->attempt.beside == NULL))
            return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a transaction");
        r = orderbook_attempt_submit(b, &m->attempt, e);
    } else {
        m->attempt.outcome = OUTCOME_NONE;
        r = orderbook_attempt_answer(b, &m->attempt, e);
    }
    m->order.attempt = m->attempt.n;
    return r == TP_OK ? go(m, b, STATE_SUBMITTING, e) : r;
}

/* Why a credential of which nothing was kept yet cannot pay now; FOUND_FINE: it can. */
static enum finding stands_against(const struct move *m)
{
    if (m->order.claimed && !same_claim(m))
        return FOUND_TAKEN;
    if (is_expired(&m->order, m->now) && !m->attempt.used)
        return FOUND_EXPIRED;
    if (!m->attempt.used && (m->foreign || !m->payable))
        return FOUND_INVALID;
    return m->reached ? FOUND_FINE : FOUND_UNREACHED;
}

/* Nobody is asked: the order is paid at once. */
static enum tp_err pay_by_voucher(struct move *m, struct orderbook *b, const struct issuing *by,
                                  struct tp_error *e)
{
    enum tp_err r = session_draw(m, b, by, e);

    if (r != TP_OK || m->finding != FOUND_FINE)
        return r;
    m->order.attempt = m->attempt.n;
    r = give_back_rivals(m, b, by, e);
    return r == TP_OK ? go(m, b, STATE_ACKNOWLEDGED, e) : r;
}

/* What was paid, or may be, outranks all: the same credential gets what it got. */
static enum tp_err pay(struct move *m, struct orderbook *b, const struct issuing *by,
                       struct tp_error *e)
{
    bool found = false;
    enum tp_err r = orderbook_attempt_find(b, m->challenge_id, &m->attempt, &found, e);

    if (r != TP_OK)
        return r;
    if (!found || strcmp(m->attempt.order, m->id) != 0) {
        m->finding = FOUND_INVALID;
        orderbook_attempt_free(&m->attempt);
        return look(m, b, by, e);
    }
    if (m->attempt.used && !secret_eq(SPAN_OF(m->attempt.credential), SPAN_OF(m->credential))) {
        m->finding = m->attempt.outcome == OUTCOME_NO ? FOUND_INVALID : FOUND_OTHER;
        return TP_OK;
    }
    if (m->attempt.used && m->attempt.outcome != OUTCOME_VAIN)
        return TP_OK; /* the answer of before, or it is still waited for */
    if (!can_be_paid(&m->order)) {
        m->finding = FOUND_OTHER;
        return TP_OK;
    }
    r = load_others(m, b, e);
    m->finding = stands_against(m);
    if (r != TP_OK || m->finding != FOUND_FINE)
        return r;
    return m->attempt.means == MEANS_VOUCHER ? pay_by_voucher(m, b, by, e) : submit(m, b, e);
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

/* Of an attempt that is not the one under way: a yes is money to be given back, and after a no
 * nothing is. */
static enum tp_err answer_beside(struct move *m, struct orderbook *b, const struct issuing *by,
                                 struct tp_error *e)
{
    if (m->attempt.n == m->order.attempt)
        return TP_OK;
    if (m->said.outcome == OUTCOME_YES && m->attempt.surplus == SURPLUS_NONE)
        return give_back_surplus(&m->attempt, m, b, by, e);
    if (m->said.outcome != OUTCOME_NO || m->attempt.surplus != SURPLUS_BACK)
        return TP_OK;
    m->attempt.surplus = SURPLUS_NONE;
    return orderbook_attempt_surplus(b, &m->attempt, e);
}

static enum tp_err copy(char **to, const char *from, struct tp_error *e)
{
    free(*to);
    *to = from != NULL ? strdup(from) : NULL;
    return from != NULL && *to == NULL ? tp_fail(e, TP_ERR_NO_MEMORY, "no memory for an answer")
                                       : TP_OK;
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
    r = copy(&m->attempt.acknowledgement, m->said.acknowledgement, e);
    if (r == TP_OK)
        r = copy(&m->attempt.answer, m->said.answer, e);
    if (r == TP_OK)
        r = orderbook_attempt_answer(b, &m->attempt, e);
    if (r == TP_OK && m->said.opens)
        r = orderbook_session_add(b, &m->said.session, m->said.answer, e);
    if (r != TP_OK)
        return r;
    if (!is_awaited(m))
        return answer_beside(m, b, by, e);
    if (m->said.outcome == OUTCOME_YES) {
        m->order.attempt = m->attempt.n;
        r = give_back_rivals(m, b, by, e);
        return r == TP_OK ? go(m, b, m->said.completion ? STATE_APPROVED : STATE_ACKNOWLEDGED, e)
                          : r;
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
    if (!m->completed && m->attempt.means != MEANS_EMV) {
        m->finding = FOUND_OVER; /* a purse has no last word */
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

static enum tp_err go_on(struct move *m, struct orderbook *b, const struct issuing *by,
                         struct tp_error *e)
{
    (void)by;
    return load_attempt(m, b, m->n, e);
}

static enum tp_err reversed_surplus(struct move *m, struct orderbook *b, struct tp_error *e)
{
    const enum tp_err r = load_attempt(m, b, m->n, e);

    if (r != TP_OK || m->attempt.surplus != SURPLUS_BACK)
        return r;
    m->attempt.surplus = m->event == EVENT_REVERSED ? SURPLUS_GIVEN : SURPLUS_OWED;
    if (m->attempt.surplus == SURPLUS_OWED)
        log_error("order %s was paid twice, and a credit is due to who paid attempt %u: %s", m->id,
                  m->n, m->why);
    return orderbook_attempt_surplus(b, &m->attempt, e);
}

static enum tp_err reversed(struct move *m, struct orderbook *b, const struct issuing *by,
                            struct tp_error *e)
{
    enum tp_err r;

    if (m->n != 0 && m->n != m->order.attempt)
        return reversed_surplus(m, b, e);
    r = look(m, b, by, e);
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
        [EVENT_LOOK] = look,
        [EVENT_FIND] = find,
        [EVENT_CLAIM] = claim,
        [EVENT_RELEASE] = release,
        [EVENT_PAY] = pay,
        [EVENT_ANSWER] = answer,
        [EVENT_SILENT] = silent,
        [EVENT_COMPLETE] = complete,
        [EVENT_LATE] = late,
        [EVENT_DELIVERED] = delivered,
        [EVENT_UNDELIVERABLE] = undeliverable,
        [EVENT_REVERSED] = reversed,
        [EVENT_UNREVERSED] = reversed,
        [EVENT_GO_ON] = go_on,
        [EVENT_SETTLED] = settle,
    };
    bool found = false;
    enum tp_err r;

    if (m->event >= EVENT_SESSION_END)
        return session_apply(m, b, e);
    if (m->event == EVENT_ASKED)
        return asked(m, b, e);
    if (m->event == EVENT_FIND) {
        found = true;
        r = TP_OK;
    } else {
        r = orderbook_order_get(b, m->id, &m->order, &found, e);
    }
    if (r == TP_OK && !found)
        m->finding = FOUND_NONE;
    if (r == TP_OK && found)
        r = moves[m->event](m, b, by, e);
    return r == TP_OK && m->finding != FOUND_NONE ? load_others(m, b, e) : r;
}
