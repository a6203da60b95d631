/* Visits: what is answered to whom, and who waits. */
#include "mediator/visit.h"

#include <openssl/evp.h>
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

static void end(struct visit *v)
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

static void wait_for(struct visit *v, int seconds)
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
    end(v);
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
    wait_for(v, ANSWER_S);
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
        end(v);
    }
}

static void say_unheard(struct visit *v)
{
    say_simple(v, MHD_HTTP_SERVICE_UNAVAILABLE,
               "the card's acquirer does not answer; nothing is kept: ask the same again");
    end(v);
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
        end(v);
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
        end(v);
        return true;
    }
    if (v->kind == VISIT_PAYMENT || stream_is_next(v->m, &m->order, root)) {
        say_paid(v, &m->order, &m->attempt);
        end(v);
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
    end(v);
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
    end(v);
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
            end(v);
            return true;
        }
        v->n = m->attempt.n;
        return respond_payer(v, m, c);
    case VISIT_LOOK:
        if (m->order.state == v->seen)
            return false;
        say_where(v, m);
        end(v);
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
        end(v);
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
    end(v);
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
        end(v);
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
    end(v);
}

static void found_payer(struct visit *v, const struct job *j);
static void found_next(struct visit *v, const struct move *m);

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
        end(v);
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
    end(v);
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
    end(v);
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
        end(v);
        return;
    }
    wait_for(v, v->kind == VISIT_PAYMENT ? ANSWER_S : DELIVER_S);
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
        found_next(v, m);
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
    end(v);
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
    end(v);
}

/* ---- what the service said ---- */

static void say_service(struct visit *v, unsigned status, const char *detail)
{
    say_simple(v, status, detail);
    end(v);
}

bool visit_answered(struct visit *v, const struct http_said *said)
{
    if (said->r == TP_OK && said->status == 200)
        return true;
    if (said->r == TP_OK && (said->status == 400 || said->status == 404 || said->status == 405)) {
        say_service(v, (unsigned)said->status, "the service does not sell that");
        return false;
    }
    if (said->r != TP_OK)
        log_error("service %s at %s: %s", v->service->name, v->service->url, said->e.text);
    else
        log_error("service %s at %s answers %ld", v->service->name, v->service->url, said->status);
    say_service(v, MHD_HTTP_SERVICE_UNAVAILABLE,
                "the service cannot be asked now, and nothing is to be paid: ask again later");
    return false;
}

void visit_given(struct visit *v, const struct http_said *said)
{
    struct content *c;

    if (!visit_answered(v, said))
        return;
    c = content_new(said->type[0] != '\0' ? said->type : "application/octet-stream", said->body);
    say_free(v, c);
    content_drop(&c);
    end(v);
}

void visit_undelivered(struct visit *v, bool final)
{
    if (final)
        wait_for(v, DELIVER_S);
    else
        say_service(v, MHD_HTTP_SERVICE_UNAVAILABLE,
                    "it is paid, and the service does not deliver it now: ask the same again");
}

void visit_delivered(struct visit *v, const struct orderbook_order *o,
                     const struct orderbook_attempt *a, struct content *c)
{
    const struct say_problem p = {
        .type = PAYMENT_OTHER,
        .status = MHD_HTTP_SERVICE_UNAVAILABLE,
        .detail = "it is paid and was delivered; the service cannot deliver it again now: ask the "
                  "same again later",
        .order = o,
        .retry_after = 5,
        .consumed = 1};

    if (c != NULL)
        say_content(v, o, a, c);
    else
        say_problem(v, &p);
    end(v);
}

/* One challenge more of a move, if its contract takes the order. */
static enum tp_err add_challenge(struct move *m, struct visit *v, size_t contract, enum means means,
                                 const uint8_t quote[32], struct tp_error *e)
{
    const bool first = m->attempt.n == 0;
    struct orderbook_attempt *a = first ? &m->attempt : &m->others[m->n_others];
    enum tp_err r;

    *a = (struct orderbook_attempt){.n = first ? 1 : (uint32_t)m->n_others + 2,
                                    .place = (uint32_t)contract + 1,
                                    .means = means};
    if (means == MEANS_VOUCHER) /* behind all charges */
        a->place += (uint32_t)v->service->contracts;
    memcpy(a->order, m->order.id, sizeof(a->order));
    memcpy(a->contract, v->service->contract[contract]->id, sizeof(a->contract));
    r = challenge_make(a, &m->order, quote, v->header, &v->m->issuing, e);
    if (r != TP_OK)
        orderbook_attempt_free(a);
    else if (!first)
        m->n_others++;
    return r;
}

/* A challenge under each contract that takes the order: what one does not take, because it costs
 * too much or no number is left, another may. Of a purse also one for those who have a session
 * there. TP_ERR_RANGE: none does. */
static enum tp_err make_challenges(struct move *m, struct visit *v, const uint8_t quote[32],
                                   struct tp_error *e)
{
    const struct reg_service *s = v->service;
    enum tp_err r, first = TP_OK;

    for (size_t i = 0; i < s->contracts; i++) {
        r = add_challenge(m, v, i, 0, quote, first == TP_OK ? e : NULL);
        first = first == TP_OK ? r : first;
    }
    for (size_t i = 0; i < s->contracts; i++)
        if (s->contract[i]->acquirer->means == MEANS_PURSE)
            (void)add_challenge(m, v, i, MEANS_VOUCHER, quote, NULL);
    return m->attempt.n != 0 ? TP_OK : first;
}

/* The order and its challenges, into a move. */
static enum tp_err make_order(struct job *j, struct visit *v, const struct quote *q,
                              struct span text, struct tp_error *e)
{
    const struct reg_contract *c = v->service->contract[0];
    struct orderbook_order *o = &j->move.order;
    uint8_t hash[32];

    *o = v->asked;
    o->made = o->since = time(NULL);
    o->valid_until = o->made + CHALLENGE_VALID_S;
    if (o->valid_until > q->valid_until)
        o->valid_until = q->valid_until;
    o->state = STATE_REQUESTED;
    o->amount = q->amount;
    o->currency = c->currency->numeric;
    o->delivery = q->delivery;
    o->attempt = 1;
    snprintf(o->item, sizeof(o->item), "%s", q->designation);
    snprintf(o->merchant, sizeof(o->merchant), "%s",
             q->merchant != NULL ? q->merchant : c->merchant);
    if (q->per > 0) { /* each unit names itself, on receipts too */
        o->per = q->per;
        snprintf(o->item, sizeof(o->item), "%s, %u s", q->designation, q->per);
    }
    if (o->valid_until <= o->made)
        return tp_fail(e, TP_ERR_FORMAT, "its quote is over already");
    j->move.quote = span_text(text);
    if (j->move.quote == NULL || EVP_Digest(text.p, text.n, hash, NULL, EVP_sha256(), NULL) != 1)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for an order");
    return make_challenges(&j->move, v, hash, e);
}

static void ask_to_pay(struct visit *v, const struct quote *q, struct span text)
{
    struct job *j = move_job(EVENT_ASKED, v->asked.id);
    struct tp_error e = {TP_ERR_NO_MEMORY, "no memory for an order"};
    const enum tp_err r = j != NULL ? make_order(j, v, q, text, &e) : TP_ERR_NO_MEMORY;

    if (r != TP_OK) {
        log_error("service %s at %s: an order cannot be made: %s", v->service->name,
                  v->service->url, e.text);
        if (j != NULL)
            move_free(&j->move);
        free(j);
        say_service(v, r == TP_ERR_RANGE ? MHD_HTTP_INTERNAL_SERVER_ERROR : MHD_HTTP_BAD_GATEWAY,
                    "this cannot be paid here: the mediator's log says why");
        return;
    }
    snprintf(v->id, sizeof(v->id), "%s", v->asked.id);
    j->visit = v;
    keeper_take(v->m, j);
}

/* The next unit of a stream, at the price at which it began. */
static void found_next(struct visit *v, const struct move *m)
{
    const struct currency *currency = currency_by_numeric(m->order.currency);
    struct quote q = {.amount = 0};
    char *text = NULL;

    if (visit_is_too_much(v)) {
        end(v);
        return;
    }
    v->service = registry_service(v->m->registry, m->order.service);
    if (v->service != NULL && stream_goes_on(v->m, m->order.id))
        text = keeper_quote(v->m, &m->order);
    if (text == NULL || currency == NULL ||
        quote_read(&q, span_str(text), currency, NULL) != TP_OK || q.per == 0) {
        say_plainly(v, m, MHD_HTTP_CONFLICT,
                    "there is no such stream under way: nothing more of it is to be paid");
        end(v);
    } else {
        q.valid_until = time(NULL) + CHALLENGE_VALID_S;
        snprintf(v->asked.service, sizeof(v->asked.service), "%s", m->order.service);
        snprintf(v->asked.path, sizeof(v->asked.path), "%s", m->order.path);
        snprintf(v->asked.query, sizeof(v->asked.query), "%s", m->order.query);
        v->kind = VISIT_DEMAND;
        ask_to_pay(v, &q, span_str(text));
    }
    quote_free(&q);
    free(text);
}

static void give_included(struct visit *v, const struct quote *q)
{
    struct tp_error e = {TP_OK, ""};
    struct content *c;
    uint8_t *bytes = NULL;
    size_t n = 0;

    if (quote_content(&bytes, &n, q, &e) != TP_OK) {
        log_error("service %s at %s: %s", v->service->name, v->service->url, e.text);
        say_service(v, MHD_HTTP_BAD_GATEWAY, "the service's quote cannot be used");
        return;
    }
    c = content_new(q->type != NULL ? q->type : "application/octet-stream", span_of(bytes, n));
    say_free(v, c);
    content_drop(&c);
    free(bytes);
    end(v);
}

/* Not 404: it is there, and may be sold again; and not 410, which says that money is given back. */
static void say_sold_out(struct visit *v, bool paid)
{
    const struct say_problem p = {.type = PAYMENT_OTHER,
                                  .status = MHD_HTTP_CONFLICT,
                                  .detail = paid ? "it is paid already, and nothing is to be paid"
                                                 : "it is sold out, and nothing is to be paid",
                                  .told = paid ? "paid" : "sold_out",
                                  .consumed = -1};

    say_problem(v, &p);
    end(v);
}

static const char *how_quoted(const struct quote *q)
{
    if (q->identify != NULL)
        return "who asks?";
    if (q->sold_out)
        return "sold out";
    return q->available ? delivery_name(q->delivery) : "not sold now";
}

void visit_quoted(struct visit *v, const struct http_said *said)
{
    struct quote q = {.amount = 0};
    struct tp_error e = {TP_OK, ""};

    if (!visit_answered(v, said))
        return;
    if (quote_read(&q, said->body, v->service->contract[0]->currency, &e) != TP_OK) {
        log_error("service %s at %s: %s", v->service->name, v->service->url, e.text);
        say_service(v, MHD_HTTP_BAD_GATEWAY, "the service's quote cannot be used");
        quote_free(&q);
        return;
    }
    log_trace("C  order %s: \"%s\", %lld, %s", v->asked.id,
              q.designation != NULL ? q.designation : "", (long long)q.amount, how_quoted(&q));
    if (q.identify != NULL) {
        visit_identify(v, q.identify, q.by_card);
    } else if (q.sold_out || q.paid) {
        say_sold_out(v, q.paid);
    } else if (!q.available) {
        say_service(v, MHD_HTTP_NOT_FOUND, "it is not sold now");
    } else if (q.amount > 0) {
        ask_to_pay(v, &q, said->body);
    } else if (q.delivery == DELIVERY_INCLUDED) {
        give_included(v, &q);
    } else {
        char *text = span_text(said->body);

        v->asked.delivery = q.delivery;
        ask_free(v->m, v, text != NULL ? text : "");
        free(text);
    }
    quote_free(&q);
}
