/* Visits: what is answered to whom, and who waits. */
#include "mediator/visit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/log.h"
#include "mediator/say.h"
#include "mediator/stream.h"
#include "wire/throttle.h"

#define REUSE_S 60 /* an order that can be paid as long is asked for again */

struct visit *visit_new(struct mediator *m, struct http_call *call)
{
    struct visit *v = calloc(1, sizeof(*v));

    if (v != NULL) {
        v->m = m;
        v->call = call;
        v->problem = PAYMENT_REQUIRED;
    }
    return v;
}

void visit_end(struct visit *v)
{
    if (v->streaming)
        stream_forget(v);
    http_resume(v->call); /* it may be gone at once */
}

/* ---- waiting ---- */

static void wait_more(struct visit *v)
{
    pthread_mutex_lock(&v->m->lock);
    TAILQ_INSERT_TAIL(&v->m->waiting, v, next);
    pthread_mutex_unlock(&v->m->lock);
}

void visit_wait(struct visit *v, int seconds)
{
    v->until = time_monotonic_ms() + 1000 * (int64_t)seconds;
    wait_more(v);
}

/* Takes those who wait for that order out (id NULL: those whose time is over by now). */
static void take_waiting(struct mediator *m, const char *id, int64_t now, struct visits *out)
{
    struct visit *v, *next;

    TAILQ_INIT(out);
    pthread_mutex_lock(&m->lock);
    for (v = TAILQ_FIRST(&m->waiting); v != NULL; v = next) {
        next = TAILQ_NEXT(v, next);
        if (id != NULL ? strcmp(v->id, id) != 0 : v->until > now)
            continue;
        TAILQ_REMOVE(&m->waiting, v, next);
        TAILQ_INSERT_TAIL(out, v, next);
    }
    pthread_mutex_unlock(&m->lock);
}

void visit_unbooked(struct visit *v)
{
    say_simple(v, MHD_HTTP_SERVICE_UNAVAILABLE,
               "the mediator's books cannot be asked now; nothing was kept: ask the same again");
    visit_end(v);
}

void visits_end(struct mediator *m)
{
    struct visits all;
    struct visit *v;

    take_waiting(m, NULL, INT64_MAX, &all);
    while ((v = TAILQ_FIRST(&all)) != NULL) {
        TAILQ_REMOVE(&all, v, next);
        visit_unbooked(v);
    }
}

void visit_wait_card(struct visit *v)
{
    v->kind = VISIT_CARD;
    visit_wait(v, ANSWER_S);
}

void visits_told(struct mediator *m, const char *id, const uint8_t sealed[LETTER_HASH],
                 void (*say)(struct visit *v, const void *what), const void *what)
{
    struct visits those;
    struct visit *v;

    take_waiting(m, id, 0, &those);
    while ((v = TAILQ_FIRST(&those)) != NULL) {
        TAILQ_REMOVE(&those, v, next);
        if (v->kind != VISIT_CARD || memcmp(v->credential, sealed, LETTER_HASH) != 0) {
            wait_more(v);
            continue;
        }
        say(v, what);
        visit_end(v);
    }
}

static void say_unheard(struct visit *v)
{
    say_simple(v, MHD_HTTP_SERVICE_UNAVAILABLE,
               "the card's acquirer does not answer; nothing is kept: ask the same again");
    visit_end(v);
}

void visits_expire(struct mediator *m, int64_t now)
{
    struct visits over;
    struct visit *v;

    take_waiting(m, NULL, now, &over);
    while ((v = TAILQ_FIRST(&over)) != NULL) {
        struct job *j = move_job(EVENT_LOOK, v->id);

        TAILQ_REMOVE(&over, v, next);
        v->last = true;
        if (v->kind == VISIT_CARD) {
            say_unheard(v);
            free(j);
        } else if (j == NULL) {
            visit_unbooked(v);
        } else {
            j->visit = v;
            keeper_take(m, j);
        }
    }
}

/* ---- where an order stands, as an answer ---- */

/* What can be paid, as it is offered. */
static struct payables payables_of(const struct move *m)
{
    struct payables p = {.n = 0};
    bool own = m->payable;

    for (size_t i = 0; i < m->n_others; i++) {
        if (own && m->attempt.place < m->others[i].place) {
            p.a[p.n++] = &m->attempt;
            own = false;
        }
        p.a[p.n++] = &m->others[i];
    }
    if (own)
        p.a[p.n++] = &m->attempt;
    return p;
}

static void say_later(struct visit *v, const struct move *m, const char *detail, int consumed)
{
    const struct say_problem p = {.type = PAYMENT_OTHER,
                                  .status = MHD_HTTP_SERVICE_UNAVAILABLE,
                                  .detail = detail,
                                  .order = &m->order,
                                  .refused = consumed == 0 ? &m->attempt : NULL,
                                  .retry_after = 5,
                                  .consumed = consumed};

    say_problem(v, &p);
}

static void say_refused(struct visit *v, const struct move *m)
{
    const struct payables payable = payables_of(m);
    const struct say_problem p = {
        .type = PAYMENT_VERIFICATION_FAILED,
        .detail = m->attempt.means == MEANS_EMV
                      ? "the acquirer, or the card's issuer, refused the payment: code and reason "
                        "say why; nothing was paid"
                      : "the purse refused the payment: code and reason say why; nothing was paid",
        .order = &m->order,
        .payable = &payable,
        .refused = &m->attempt,
        .consumed = -1};

    say_problem(v, &p);
}

/* It paid, after another means had paid the order. */
static void say_surplus(struct visit *v, const struct move *m)
{
    const struct say_problem p = {
        .type = PAYMENT_OTHER,
        .status = MHD_HTTP_GONE,
        .detail = m->attempt.surplus == SURPLUS_OWED
                      ? "the order was paid by another means, and this was paid too: a credit of "
                        "it is due"
                      : "the order was paid by another means, and what this has paid is given back",
        .order = &m->order,
        .consumed = -1};

    say_problem(v, &p);
}

static void say_given_back(struct visit *v, const struct move *m)
{
    char detail[BOOK_WHY_MAX + 80];
    const struct say_problem p = {.type = PAYMENT_OTHER,
                                  .status = MHD_HTTP_GONE,
                                  .detail = detail,
                                  .order = &m->order,
                                  .consumed = -1};

    snprintf(detail, sizeof(detail), "%s: %s",
             m->order.state == STATE_OWED ? "it was paid, and a credit is due"
                                          : "what was paid is given back",
             m->order.why);
    say_problem(v, &p);
}

static void say_no_payment(struct visit *v, const struct move *m)
{
    const struct say_problem p = {.type = PAYMENT_OTHER,
                                  .status = MHD_HTTP_FORBIDDEN,
                                  .detail = "this credential has not paid this order",
                                  .order = &m->order,
                                  .consumed = -1};

    say_problem(v, &p);
}

/* What was delivered before is had again from its service, or from its quote. */
static bool fetch(struct visit *v, const struct move *m)
{
    struct content *c = shelf_get(v->m, m->order.id);
    char *quote;

    if (c == NULL && m->order.delivery == DELIVERY_INCLUDED) {
        c = keeper_included(v->m, &m->order);
        if (c == NULL)
            return false;
    }
    if (c != NULL) {
        say_content(v, &m->order, &m->attempt, c);
        content_drop(&c);
        visit_end(v);
        return true;
    }
    quote = keeper_quote(v->m, &m->order);
    if (quote != NULL)
        deliver_again(v->m, &m->order, &m->attempt, quote, v);
    free(quote);
    return quote != NULL;
}

static void say_where(struct visit *v, const struct move *m)
{
    const bool refused = m->order.attempt > 1 && m->order.state <= STATE_CLAIMED;
    const struct payables payable = payables_of(m);

    if (!v->html || !say_page(v, MHD_HTTP_OK, &m->order, &payable, refused))
        say_json(v, MHD_HTTP_OK, say_order(&m->order, &payable));
}

/* The first of its units is its delivery; the others are delivered within it. */
static bool respond_stream(struct visit *v, const struct move *m)
{
    char root[BOOK_ORDER_ID], *quote = NULL;

    if (stream_answer(v, &m->order, &m->attempt)) {
        visit_end(v);
        return true;
    }
    if (v->kind == VISIT_PAYMENT || stream_is_next(v->m, &m->order, root)) {
        say_paid(v, &m->order, &m->attempt);
        visit_end(v);
        return true;
    }
    if (m->order.state == STATE_DELIVERED && !v->streaming && visit_is_too_much(v)) {
        visit_end(v); /* who comes again and again has its service asked each time */
        return true;
    }
    if (!v->last && !v->streaming)
        quote = keeper_quote(v->m, &m->order);
    if (quote == NULL)
        return false;
    v->streaming = true;
    stream_begin(v, &m->order, &m->attempt, quote);
    free(quote);
    return true;
}

/* Of an attempt that was acknowledged. False: it has to wait. */
static bool respond_paid(struct visit *v, const struct move *m, struct content *c)
{
    if (m->order.delivery == DELIVERY_STREAM &&
        (m->order.state == STATE_ACKNOWLEDGED || m->order.state == STATE_DELIVERED))
        return respond_stream(v, m);
    switch (m->order.state) {
    case STATE_REVERSING:
    case STATE_REVERSED:
    case STATE_OWED:
        say_given_back(v, m);
        break;
    case STATE_DELIVERED:
        if (v->kind == VISIT_PAYMENT)
            say_paid(v, &m->order, &m->attempt);
        else if (c != NULL)
            say_content(v, &m->order, &m->attempt, c);
        else
            return fetch(v, m);
        break;
    case STATE_REQUESTED:
    case STATE_CLAIMED:
    case STATE_SUBMITTING:
    case STATE_UNKNOWN:
    case STATE_APPROVED:
    case STATE_ACKNOWLEDGED:
        if (v->kind != VISIT_PAYMENT)
            return false;
        say_paid(v, &m->order, &m->attempt);
        break;
    }
    visit_end(v);
    return true;
}

static bool respond_payer(struct visit *v, const struct move *m, struct content *c)
{
    if (m->attempt.n != v->n)
        return false;
    switch (m->attempt.outcome) {
    case OUTCOME_YES:
        if (m->attempt.n == m->order.attempt)
            return respond_paid(v, m, c);
        say_surplus(v, m);
        break;
    case OUTCOME_NO:
        say_refused(v, m);
        break;
    case OUTCOME_VAIN:
        if (m->order.state > STATE_CLAIMED)
            return false; /* it is asked once more */
        say_later(v, m, "nobody could decide, and nothing was paid: ask the same again", 0);
        break;
    case OUTCOME_NONE:
        if (m->order.state == STATE_SUBMITTING)
            return false;
        if (m->order.state >= STATE_REVERSING && m->order.attempt == m->attempt.n) {
            say_given_back(v, m);
            break;
        }
        say_later(v, m,
                  "the acquirer has not answered yet, so it is not known whether it is paid: never "
                  "pay again, ask the same again",
                  1);
        break;
    }
    visit_end(v);
    return true;
}

/* By the credential that paid, or as the browser that was asked to. */
static bool is_payer(const struct visit *v, const struct move *m)
{
    return (m->attempt.used && secret_eq(SPAN_OF(m->attempt.credential), SPAN_OF(v->credential))) ||
           (m->order.has_session && v->asked.has_session &&
            secret_eq(SPAN_OF(m->order.session), SPAN_OF(v->asked.session)));
}

/* False: that is no answer yet. */
static bool respond(struct visit *v, const struct move *m, struct content *c)
{
    switch (v->kind) {
    case VISIT_PAY:
    case VISIT_PAYMENT:
        return respond_payer(v, m, c);
    case VISIT_DELIVERY:
        if (!is_payer(v, m)) {
            say_no_payment(v, m);
            visit_end(v);
            return true;
        }
        v->n = m->attempt.n;
        return respond_payer(v, m, c);
    case VISIT_LOOK:
        if (m->order.state == v->seen)
            return false;
        say_where(v, m);
        visit_end(v);
        return true;
    case VISIT_NONE:
    case VISIT_BILLS:
    case VISIT_DEMAND:
    case VISIT_CLAIM:
    case VISIT_RELEASE:
    case VISIT_COMPLETION:
    case VISIT_NEXT:
    case VISIT_SESSION:
    case VISIT_CARD:
        break;
    }
    return false;
}

void visits_wake(struct mediator *m, struct job *j)
{
    struct visits those;
    struct visit *v;

    take_waiting(m, j->move.order.id, 0, &those);
    while ((v = TAILQ_FIRST(&those)) != NULL) {
        TAILQ_REMOVE(&those, v, next);
        if (!respond(v, &j->move, j->content))
            wait_more(v);
    }
}

/* ---- demands ---- */

bool visit_is_too_much(struct visit *v)
{
    const unsigned wait = throttle_take(v->m->throttle, http_from(v->call), time_monotonic_ms());
    const struct say_problem p = {
        .type = PAYMENT_OTHER,
        .status = MHD_HTTP_TOO_MANY_REQUESTS,
        .detail = "your network demands too much at once; nothing was paid with this: ask the same "
                  "again after a pause",
        .retry_after = wait,
        .consumed = -1};

    if (wait > 0)
        say_problem(v, &p);
    return wait > 0;
}

void visit_demand(struct visit *v)
{
    if (visit_is_too_much(v))
        visit_end(v);
    else if (v->kind == VISIT_BILLS)
        ask_bills(v->m, v);
    else
        ask_quote(v->m, v);
}

/* ---- what the books found ---- */

static void say_plainly(struct visit *v, const struct move *m, unsigned status, const char *detail)
{
    const struct say_problem p = {.type = PAYMENT_OTHER,
                                  .status = status,
                                  .detail = detail,
                                  .order = m->finding == FOUND_NONE ? NULL : &m->order,
                                  .consumed = -1};

    say_problem(v, &p);
}

/* A 402 has a challenge: that of the order if it can be paid, else a new one of the same demand. */
static void ask_for_money(struct visit *v, const struct move *m, enum payment_problem_type type,
                          const char *detail)
{
    const struct payables payable = payables_of(m);
    const struct say_problem p = {
        .type = type, .detail = detail, .order = &m->order, .payable = &payable, .consumed = -1};

    if (v->kind == VISIT_PAY && (m->finding == FOUND_NONE || payable.n == 0)) {
        v->kind = VISIT_DEMAND;
        v->problem = type;
        v->detail = detail;
        challenge_order_id(v->asked.id);
        visit_demand(v);
        return;
    }
    if (m->finding == FOUND_NONE)
        say_plainly(v, m, MHD_HTTP_NOT_FOUND, "there is no such order");
    else if (payable.n == 0) /* to one who pays, 410 says that it is given back */
        say_plainly(v, m, v->kind == VISIT_PAYMENT ? MHD_HTTP_CONFLICT : MHD_HTTP_GONE, detail);
    else
        say_problem(v, &p);
    visit_end(v);
}

/* Of vouchers: the session, or what it has left, does not pay it; another means still may. */
static bool found_voucher(struct visit *v, const struct move *m)
{
    const struct say_problem behind = {
        .type = PAYMENT_OTHER,
        .status = MHD_HTTP_CONFLICT,
        .detail = "this is not the session's next voucher here: sum and number are those of the "
                  "last one",
        .order = &m->order,
        .known = m,
        .consumed = -1};

    if (m->finding == FOUND_BEHIND) {
        say_problem(v, &behind);
        visit_end(v);
    } else if (m->finding == FOUND_SESSION) {
        ask_for_money(v, m, PAYMENT_VERIFICATION_FAILED,
                      "no session of this account takes the voucher: it is over, or is none; "
                      "nothing was paid");
    } else if (m->finding == FOUND_EXCEEDED) {
        ask_for_money(v, m, PAYMENT_INSUFFICIENT,
                      "it is more than the session's provision has left; nothing was paid");
    } else {
        return false;
    }
    return true;
}

static void found_wrong(struct visit *v, const struct move *m)
{
    if (found_voucher(v, m))
        return;
    switch (m->finding) {
    case FOUND_INVALID:
        if (v->kind == VISIT_COMPLETION)
            break;
        ask_for_money(v, m, PAYMENT_INVALID_CHALLENGE,
                      "the challenge is not one that can be paid now: nothing was paid with it");
        return;
    case FOUND_NONE:
        ask_for_money(v, m, PAYMENT_INVALID_CHALLENGE, "there is no such order any more");
        return;
    case FOUND_EXPIRED:
        ask_for_money(v, m, PAYMENT_EXPIRED, "its time is over, and nothing was paid: ask again");
        return;
    case FOUND_OTHER:
        say_plainly(v, m, MHD_HTTP_CONFLICT,
                    "another credential is paying this order, or has paid it");
        break;
    case FOUND_TAKEN:
        say_plainly(v, m, MHD_HTTP_CONFLICT, "another payer device has taken this order");
        break;
    case FOUND_OVER:
        say_plainly(v, m, MHD_HTTP_CONFLICT, "it is too late for that: the order says why");
        break;
    case FOUND_UNREACHED:
        say_later(v, m, "the acquirer is not reached now, and nothing was kept: ask the same again",
                  0);
        break;
    case FOUND_SESSION:
    case FOUND_BEHIND:
    case FOUND_EXCEEDED:
    case FOUND_FINE:
        break;
    }
    if (m->finding == FOUND_INVALID)
        say_no_payment(v, m);
    visit_end(v);
}

static void found_payer(struct visit *v, const struct job *j);

/* In the field that they have free, who asks can answer the challenge of before. One that a device
 * has taken is answered by that device. */
static bool is_answerable(const struct visit *v, const struct move *m)
{
    return v->header == NULL || m->order.claimed || challenge_header(&m->attempt) != NULL;
}

/* A stream was heard to the end of what was paid. */
static bool has_passed(const struct visit *v, const struct move *m)
{
    return m->order.delivery == DELIVERY_STREAM && m->order.state == STATE_DELIVERED &&
           m->now >= m->order.since + m->order.per && !stream_goes_on(v->m, m->order.id);
}

/* The same browser asked for the same before: what it can still pay is asked for again, what it has
 * paid it gets. */
static void found_before(struct visit *v, const struct job *j)
{
    const struct move *m = &j->move;
    const struct payables payable = payables_of(m);
    const struct say_problem p = {.type = PAYMENT_REQUIRED,
                                  .detail = v->detail,
                                  .order = &m->order,
                                  .payable = &payable,
                                  .consumed = -1};
    const bool again =
        m->finding == FOUND_NONE || m->order.state > STATE_DELIVERED || has_passed(v, m) ||
        (m->order.state <= STATE_CLAIMED &&
         (payable.n == 0 || !is_answerable(v, m) || m->order.valid_until - m->now < REUSE_S));

    if (again) {
        visit_demand(v);
    } else if (payable.n > 0) {
        say_problem(v, &p);
        visit_end(v);
    } else {
        v->kind = VISIT_PAY;
        v->n = m->attempt.n;
        snprintf(v->id, sizeof(v->id), "%s", m->order.id);
        v->last = v->html && m->order.state < STATE_DELIVERED && /* a page follows it by itself */
                  m->order.delivery != DELIVERY_STREAM;
        found_payer(v, j);
    }
}

static void found_demanded(struct visit *v, const struct move *m)
{
    const struct payables payable = payables_of(m);
    const struct say_problem p = {.type = (enum payment_problem_type)v->problem,
                                  .detail = v->detail,
                                  .order = &m->order,
                                  .payable = &payable,
                                  .consumed = -1};

    say_problem(v, &p);
    visit_end(v);
}

static void found_looked(struct visit *v, const struct move *m)
{
    const bool news = v->seen != 0 && v->seen != m->order.state;

    if (!news && !v->last && v->until > 0) { /* ?wait: from what it has seen, or from now on */
        v->seen = m->order.state;
        wait_more(v);
        return;
    }
    say_where(v, m);
    visit_end(v);
}

static void found_payer(struct visit *v, const struct job *j)
{
    const struct move *m = &j->move;

    if (v->problem != PAYMENT_REQUIRED) { /* its credential was none */
        ask_for_money(v, m, (enum payment_problem_type)v->problem, v->detail);
        return;
    }
    if (v->kind != VISIT_DELIVERY && v->n == 0)
        v->n = m->attempt.n;
    if (respond(v, m, j->content))
        return;
    if (v->last) {
        say_later(v, m, "it is not decided yet, or on its way: never pay again, ask the same again",
                  1);
        visit_end(v);
        return;
    }
    visit_wait(v, v->kind == VISIT_PAYMENT ? ANSWER_S : DELIVER_S);
}

void visit_found(struct visit *v, struct job *j)
{
    const struct move *m = &j->move;
    const struct payables payable = payables_of(m);

    if (m->event == EVENT_FIND) {
        found_before(v, j);
        return;
    }
    if (m->finding != FOUND_FINE) {
        found_wrong(v, m);
        return;
    }
    switch (v->kind) {
    case VISIT_DEMAND:
        found_demanded(v, m);
        return;
    case VISIT_PAY:
    case VISIT_PAYMENT:
    case VISIT_DELIVERY:
        found_payer(v, j);
        return;
    case VISIT_LOOK:
        found_looked(v, m);
        return;
    case VISIT_NEXT:
        visit_next(v, m);
        return;
    case VISIT_CLAIM:
    case VISIT_RELEASE:
    case VISIT_BILLS:
    case VISIT_SESSION:
    case VISIT_CARD:
    case VISIT_NONE:
        say_json(v, MHD_HTTP_OK, say_order(&m->order, &payable));
        break;
    case VISIT_COMPLETION:
        if (m->completed)
            say_paid(v, &m->order, &m->attempt);
        else
            say_json(v, MHD_HTTP_OK, say_order(&m->order, NULL));
        break;
    }
    visit_end(v);
}

void visit_session(struct visit *v, const struct job *j)
{
    static const char *const states[] = {
        [SESSION_OPEN] = "open", [SESSION_ENDING] = "ending", [SESSION_ENDED] = "ended"};
    const struct orderbook_session *s = &j->move.session;
    const bool wrong = j->move.finding == FOUND_INVALID, busy = j->move.finding == FOUND_OVER;
    const struct say_problem p = {
        .type = PAYMENT_OTHER,
        .status = busy    ? MHD_HTTP_CONFLICT
                  : wrong ? MHD_HTTP_FORBIDDEN
                          : MHD_HTTP_NOT_FOUND,
        .detail = busy    ? "an order of it is paid and not delivered yet: ask again"
                  : wrong ? "the statement is not by the key that opened the session"
                          : "there is no such session",
        .retry_after = busy ? 5 : 0,
        .consumed = -1};

    if (j->move.finding == FOUND_FINE)
        say_json(v, MHD_HTTP_OK,
                 json_pack("{s:s,s:s}", "session", s->id, "state", states[s->state]));
    else
        say_problem(v, &p);
    visit_end(v);
}
