#include "mediator/session.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/secret.h"
#include "mediator/asked.h"
#include "order/purse_token.h"

/* ---- vouchers ---- */

static bool is_of(const struct move *m, const struct orderbook_session *s)
{
    return s->state == SESSION_OPEN && m->now <= s->until &&
           strcmp(s->acquirer, m->attempt.acquirer) == 0 && s->currency == m->order.currency &&
           s->currency == m->voucher.currency && /* else its purse takes it for none */
           strcmp(s->account, m->voucher.account) == 0 &&
           secret_eq(SPAN_OF(s->key), SPAN_OF(m->voucher.key)) &&
           strcmp(m->voucher.contract, m->attempt.contract) == 0;
}

static enum finding judge(struct move *m, const struct orderbook_session *s,
                          const struct orderbook_drawn *d, int64_t all)
{
    const struct voucher *v = &m->voucher;

    m->known_sum = d->total;
    m->known_number = d->number;
    if (v->number != d->number + 1 || v->sum != d->total + m->order.amount)
        return FOUND_BEHIND;
    return m->order.amount > s->amount - all ? FOUND_EXCEEDED : FOUND_FINE;
}

/* What the service, the payer and the receipt get: the mediator's word, by the contract's key. */
static enum tp_err acknowledge(struct move *m, const struct issuing *by, struct tp_error *e)
{
    const struct reg_contract *c = registry_contract(by->registry, m->attempt.contract);
    struct orderbook_attempt *a = &m->attempt;
    char at[TIME_TEXT_MAX], sum[24], number[24], hash[PURSE_HASH];
    struct asked k;
    struct purse_token t = {.session = a->session, .outcome = "acknowledged", .code = "00"};
    enum tp_err r = c != NULL ? asked_fill(&k, &m->order, a, e)
                              : tp_fail(e, TP_ERR_NOT_FOUND,
                                        "the contract %s is not known any more", a->contract);

    if (r == TP_OK)
        r = purse_statement_hash(hash, a->pays, e);
    if (r != TP_OK)
        return r;
    snprintf(sum, sizeof(sum), "%" PRId64, m->voucher.sum);
    snprintf(number, sizeof(number), "%" PRId64, m->voucher.number);
    snprintf(a->rrn, sizeof(a->rrn), "%s-%s", a->session, number);
    t.r = k.r;
    t.order = m->order.id;
    t.contract = a->contract;
    t.amount = k.amount;
    t.currency = k.currency;
    t.sum = sum;
    t.number = number;
    t.voucher_hash = hash;
    t.mediator = c->mediator;
    t.reference = a->rrn;
    t.at = time_format_utc(at, m->now);
    return purse_token_write(&a->acknowledgement, PURSE_VOUCHER_ACKNOWLEDGEMENT, &t, &c->key, e);
}

static enum tp_err keep(struct move *m, struct orderbook *b, struct orderbook_session *s,
                        struct tp_error *e)
{
    struct orderbook_drawn d = {
        .total = m->voucher.sum, .number = m->voucher.number, .voucher = m->attempt.pays};
    enum tp_err r;

    memcpy(d.session, m->attempt.session, sizeof(d.session));
    memcpy(d.contract, m->attempt.contract, sizeof(d.contract));
    s->touched = m->now;
    r = orderbook_drawn_put(b, &d, e);
    if (r == TP_OK)
        r = orderbook_session_move(b, s, e);
    if (r == TP_OK)
        r = orderbook_attempt_submit(b, &m->attempt, e);
    return r == TP_OK ? orderbook_attempt_answer(b, &m->attempt, e) : r;
}

static enum tp_err take(struct move *m, struct tp_error *e)
{
    struct orderbook_attempt *a = &m->attempt;

    memcpy(a->credential, m->credential, sizeof(a->credential));
    memcpy(a->session, m->voucher.session, sizeof(a->session));
    a->used = true;
    a->sent = m->now;
    a->outcome = OUTCOME_YES;
    snprintf(a->code, sizeof(a->code), "00");
    a->pays = m->pays != NULL ? strdup(m->pays) : NULL;
    return a->pays != NULL ? TP_OK : tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a voucher");
}

enum tp_err session_draw(struct move *m, struct orderbook *b, const struct issuing *by,
                         struct tp_error *e)
{
    struct orderbook_session s;
    struct orderbook_drawn d = {.voucher = NULL};
    int64_t all = 0;
    bool found = false;
    enum tp_err r = orderbook_session_get(b, m->voucher.session, &s, &found, e);

    if (r == TP_OK && (!found || !is_of(m, &s)))
        m->finding = FOUND_SESSION;
    if (r != TP_OK || m->finding != FOUND_FINE)
        return r;
    r = orderbook_drawn_get(b, m->voucher.session, m->voucher.contract, &d, &all, e);
    if (r == TP_OK)
        m->finding = judge(m, &s, &d, all);
    free(d.voucher);
    if (r != TP_OK || m->finding != FOUND_FINE)
        return r;
    r = take(m, e);
    if (r == TP_OK)
        r = acknowledge(m, by, e);
    return r == TP_OK ? keep(m, b, &s, e) : r;
}

/* ---- its end ---- */

/* Nothing is presented while something is paid and may still be given back, as long as the session
 * has time. */
static enum tp_err end(struct move *m, struct orderbook *b, struct tp_error *e)
{
    struct orderbook_session *s = &m->session;
    bool busy = false;
    enum tp_err r = TP_OK;

    if (m->by_holder && !secret_eq(SPAN_OF(s->key), SPAN_OF(m->voucher.key))) {
        m->finding = FOUND_INVALID;
        return TP_OK;
    }
    if (s->state != SESSION_OPEN)
        return TP_OK;
    if (m->now < s->until)
        r = orderbook_session_busy(b, s->id, &busy, e);
    if (r == TP_OK && busy)
        m->finding = FOUND_OVER;
    if (r != TP_OK || busy)
        return r;
    s->state = SESSION_ENDING;
    m->moved = true;
    return orderbook_session_move(b, s, e);
}

enum tp_err session_apply(struct move *m, struct orderbook *b, struct tp_error *e)
{
    bool found = false;
    enum tp_err r = orderbook_session_get(b, m->id, &m->session, &found, e);

    if (r == TP_OK && !found)
        m->finding = FOUND_NONE;
    if (r != TP_OK || !found)
        return r;
    if (m->event == EVENT_SESSION_END)
        return end(m, b, e);
    if (m->event == EVENT_PRESENTED)
        return orderbook_drawn_presented(b, m->id, m->contract, m->presented, e);
    m->session.state = SESSION_ENDED;
    m->moved = true;
    return orderbook_session_move(b, &m->session, e);
}
