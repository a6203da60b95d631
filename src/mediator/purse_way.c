/* The way to an acquirer that is a purse: HTTPS, asked again until it has answered. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/log.h"
#include "base/word.h"
#include "mediator/asked.h"
#include "mediator/mediator_priv.h"
#include "order/purse_token.h"
#include "wire/jcs.h"

#define ANSWER_MAX   (64U << 10)
#define TIMEOUT_MS   10000L
#define SILENT_MS    15000 /* without an answer: it is not known what became of it */
#define FIRST_MS     1000  /* before the same is asked again; doubled each time … */
#define LAST_MS      60000 /* … up to this */
#define TRIES_DOUBLE 6

struct open { /* what is not answered yet: on its way, or waiting for its next try */
    LIST_ENTRY(open) next;
    char id[BOOK_ORDER_ID];
    uint32_t n;
    bool reversal, on_its_way;
    int64_t due;
};
LIST_HEAD(opens, open);

struct purse_way {
    pthread_mutex_t lock;
    struct opens opens; /* under lock */
};

struct exchange { /* one try */
    struct mediator *m;
    const struct reg_acquirer *acquirer;
    struct asked of;
    bool reversal, surplus;
    unsigned tries;
};

enum tp_err purse_way_open(struct mediator *m, struct tp_error *e)
{
    struct purse_way *w = calloc(1, sizeof(*w));

    if (w == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    pthread_mutex_init(&w->lock, NULL);
    m->purse_way = w;
    return TP_OK;
}

void purse_way_close(struct mediator *m)
{
    struct purse_way *w = m->purse_way;
    struct open *o;

    if (w == NULL)
        return;
    while ((o = LIST_FIRST(&w->opens)) != NULL) {
        LIST_REMOVE(o, next);
        free(o);
    }
    pthread_mutex_destroy(&w->lock);
    free(w);
    m->purse_way = NULL;
}

/* ---- what is open ---- */

static struct open *find(struct purse_way *w, const char *id, uint32_t n, bool reversal)
{
    struct open *o;

    LIST_FOREACH (o, &w->opens, next)
        if (o->n == n && o->reversal == reversal && strcmp(o->id, id) == 0)
            return o;
    return NULL;
}

/* What is on its way, or waits for its next try, is not begun twice. first: it was not open. */
static bool begin(struct purse_way *w, const char *id, uint32_t n, bool reversal, bool *first)
{
    struct open *o;
    bool may = false;

    pthread_mutex_lock(&w->lock);
    o = find(w, id, n, reversal);
    *first = o == NULL;
    if (o == NULL && (o = calloc(1, sizeof(*o))) != NULL) {
        snprintf(o->id, sizeof(o->id), "%s", id);
        o->n = n;
        o->reversal = reversal;
        LIST_INSERT_HEAD(&w->opens, o, next);
    }
    if (o != NULL && !o->on_its_way && time_monotonic_ms() >= o->due)
        may = o->on_its_way = true;
    pthread_mutex_unlock(&w->lock);
    return may;
}

static void answered(const struct exchange *x)
{
    struct purse_way *w = x->m->purse_way;
    struct open *o;

    pthread_mutex_lock(&w->lock);
    o = find(w, x->of.id, x->of.n, x->reversal);
    if (o != NULL) {
        LIST_REMOVE(o, next);
        free(o);
    }
    pthread_mutex_unlock(&w->lock);
}

static void again(const struct exchange *x, const struct http_said *said)
{
    struct purse_way *w = x->m->purse_way;
    int64_t pause = said->retry_after > 0
                        ? 1000 * (int64_t)said->retry_after
                        : FIRST_MS << (x->tries < TRIES_DOUBLE ? x->tries : TRIES_DOUBLE);
    struct open *o;

    if (pause > LAST_MS)
        pause = LAST_MS;
    pthread_mutex_lock(&w->lock);
    o = find(w, x->of.id, x->of.n, x->reversal);
    if (o != NULL) {
        o->on_its_way = false;
        o->due = time_monotonic_ms() + pause;
    }
    pthread_mutex_unlock(&w->lock);
    clock_set(x->m, x->of.id, EVENT_GO_ON, x->of.n, pause + 1, x->tries + 1);
}

/* ---- answers ---- */

static void tell_why(const struct exchange *x, const struct http_said *said)
{
    if (said->r != TP_OK)
        log_error("purse %s cannot be asked about order %s yet: %s", x->acquirer->id, x->of.id,
                  said->e.text);
    else
        log_error("purse %s does not decide on order %s yet: it answers %ld", x->acquirer->id,
                  x->of.id, said->status);
}

static enum tp_err take(char *out, size_t cap, const json_t *object, const char *name,
                        struct tp_error *e)
{
    const char *text = NULL;
    const enum tp_err r = jcs_text(&text, object, name, e);

    if (r == TP_OK && text != NULL && strlen(text) >= cap)
        return tp_fail(e, TP_ERR_FORMAT, "its %s is too long", name);
    if (r == TP_OK && text != NULL) {
        snprintf(out, cap, "%s", text);
        word_make_shown(out); /* it comes into the log, and onto pages */
    }
    return r;
}

static bool is_of(const struct purse_token *t, const struct exchange *x)
{
    const struct reg_contract *c = registry_contract(x->m->registry, x->of.contract);

    return c != NULL && strcmp(t->acquirer, x->acquirer->id) == 0 &&
           strcmp(t->mediator, c->mediator) == 0 && strcmp(t->provision, x->of.provision) == 0;
}

static enum tp_err take_session(struct orderbook_session *s, const struct purse_token *t,
                                struct tp_error *e)
{
    const struct currency *c = currency_by_alpha(t->currency);
    struct buf key = BUF_OF(s->key);
    time_t until = 0;

    if (c == NULL || base64url_decode(&key, span_str(t->key)) != TP_OK || key.n != sizeof(s->key) ||
        time_parse(&until, t->until) != TP_OK)
        return tp_fail(e, TP_ERR_FORMAT, "its key, currency or time is none");
    snprintf(s->id, sizeof(s->id), "%s", t->session);
    snprintf(s->acquirer, sizeof(s->acquirer), "%s", t->acquirer);
    snprintf(s->account, sizeof(s->account), "%s", t->account);
    s->currency = c->numeric;
    s->amount = strtoll(t->amount, NULL, 10);
    s->until = until;
    s->state = SESSION_OPEN;
    s->touched = time(NULL);
    return TP_OK;
}

/* The purse's word of the provision that went along. One that does not hold opens no session, and
 * leaves the payment as it is. */
static enum tp_err read_provision(struct move *m, const struct exchange *x, const char *text,
                                  struct tp_error *e)
{
    struct purse_token t = {.owner = NULL};
    struct tp_error why = {TP_OK, ""};
    enum tp_err r =
        purse_token_read(&t, PURSE_PROVISION_ACKNOWLEDGEMENT, text, x->acquirer->authority, &why);

    if (r == TP_OK && !is_of(&t, x))
        r = tp_fail(&why, TP_ERR_SECURITY, "it is of something else");
    if (r == TP_OK && strcmp(t.outcome, "acknowledged") == 0) {
        r = take_session(&m->said.session, &t, &why);
        m->said.opens = r == TP_OK;
    }
    if (r != TP_OK)
        log_error("purse %s: its word of the provision beside order %s cannot be used: %s",
                  x->acquirer->id, x->of.id, why.text);
    else
        m->said.answer = strdup(text);
    purse_token_free(&t);
    return r == TP_OK && m->said.answer == NULL ? tp_fail(e, TP_ERR_NO_MEMORY, "no memory for it")
                                                : TP_OK;
}

static enum tp_err read_members(struct move *m, const struct exchange *x,
                                const struct http_said *said, struct tp_error *e)
{
    const char *acknowledgement = NULL, *provision = NULL;
    json_t *body = NULL;
    enum tp_err r = jcs_read(&body, said->body, e);

    if (r == TP_OK)
        r = take(m->said.code, sizeof(m->said.code), body, "code", e);
    if (r == TP_OK)
        r = take(m->said.reason, sizeof(m->said.reason), body, "reason", e);
    if (r == TP_OK)
        r = take(m->said.rrn, sizeof(m->said.rrn), body, "reference", e);
    if (r == TP_OK)
        r = jcs_text(&acknowledgement, body, "acknowledgement", e);
    if (r == TP_OK && x->of.provision[0] != '\0' && !x->reversal)
        r = jcs_text(&provision, body, "provision", e);
    if (r == TP_OK && provision != NULL)
        r = read_provision(m, x, provision, e);
    if (r == TP_OK && acknowledgement != NULL && !x->reversal) {
        m->said.acknowledgement = strdup(acknowledgement);
        if (m->said.acknowledgement == NULL)
            r = tp_fail(e, TP_ERR_NO_MEMORY, "no memory for it");
    }
    json_decref(body);
    if (r == TP_OK &&
        (strlen(m->said.code) != 2 || (strcmp(m->said.code, "00") == 0) != (said->status == 200)))
        r = tp_fail(e, TP_ERR_FORMAT, "its code is not that of its status %ld", said->status);
    m->said.outcome = asked_outcome(m->said.code);
    return r;
}

/* 400 is what can never be read: a refusal too. What is not decided now says so in a code: 91, and
 * nothing was kept of it; 96, and nobody knows. */
static bool is_said(const struct http_said *said)
{
    return said->r == TP_OK && (said->status == 200 || said->status == 402 || said->status == 400 ||
                                said->status == 503);
}

static enum tp_err read_answer(struct move *m, const struct exchange *x,
                               const struct http_said *said, struct tp_error *e)
{
    enum tp_err r = read_members(m, x, said, e);

    if (r == TP_OK && !x->reversal)
        r = asked_check(&x->of, m, x->acquirer, e);
    if (r != TP_OK)
        log_error("acquirer %s: its answer for order %s cannot be used: %s", x->acquirer->id,
                  x->of.id, e->text);
    return r;
}

/* What is to be given back is asked about until somebody knows. */
static bool is_answer(const struct exchange *x, const struct move *m, const struct http_said *said)
{
    if (said->status == 503 && strcmp(m->said.code, "91") != 0)
        return false;
    return m->said.outcome != OUTCOME_VAIN || (!x->surplus && !x->reversal);
}

static enum event event_of(const struct exchange *x, const struct move *m)
{
    if (!x->reversal)
        return EVENT_ANSWER;
    return m->said.outcome == OUTCOME_YES ? EVENT_REVERSED : EVENT_UNREVERSED;
}

static void on_said(void *ctx, const struct http_said *said)
{
    struct exchange *x = ctx;
    struct tp_error e = {TP_OK, ""};
    struct job *j;

    if (said->r == TP_ERR_CANCELLED) { /* the next start goes on */
        free(x);
        return;
    }
    j = is_said(said) ? move_job(EVENT_ANSWER, x->of.id) : NULL;
    if (j != NULL && read_answer(&j->move, x, said, &e) == TP_OK && is_answer(x, &j->move, said)) {
        log_trace("G  order %s: %s of the acquirer %s", x->of.id, j->move.said.code,
                  x->acquirer->id);
        j->move.event = event_of(x, &j->move);
        j->move.n = x->of.n;
        snprintf(j->move.why, sizeof(j->move.why), "the acquirer does not reverse it: %s %s",
                 j->move.said.code, j->move.said.reason);
        answered(x);
        keeper_take(x->m, j);
    } else {
        if (j == NULL || said->status == 503)
            tell_why(x, said);
        if (j != NULL)
            move_free(&j->move);
        free(j);
        again(x, said);
    }
    free(x);
}

/* ---- what is asked ---- */

static struct exchange *exchange_new(struct mediator *m, const struct orderbook_order *o,
                                     const struct orderbook_attempt *a, bool reversal,
                                     unsigned tries)
{
    struct exchange *x = calloc(1, sizeof(*x));
    struct tp_error e = {TP_ERR_NO_MEMORY, "no memory for it"};

    if (x == NULL || asked_fill(&x->of, o, a, &e) != TP_OK) {
        log_error("order %s cannot be brought to its acquirer now: %s", o->id, e.text);
        free(x);
        return NULL;
    }
    x->m = m;
    x->acquirer = registry_acquirer(m->registry, a->acquirer);
    x->reversal = reversal;
    x->surplus = a->surplus == SURPLUS_BACK;
    x->tries = tries;
    return x;
}

/* text NULL: it could not be written. */
static void send_it(struct exchange *x, const char *where, const char *type, const char *text)
{
    struct http_said none = {.type = "", .r = TP_ERR_NO_MEMORY};
    char url[sizeof(x->acquirer->url) + 16], head[64];
    const char *headers[] = {head, NULL};
    struct http_question q = {.url = url,
                              .tls = &x->acquirer->tls,
                              .headers = headers,
                              .body = span_str(text != NULL ? text : ""),
                              .answer_max = ANSWER_MAX,
                              .timeout_ms = TIMEOUT_MS,
                              .done = on_said,
                              .ctx = x};

    snprintf(url, sizeof(url), "%s%s", x->acquirer->url, where);
    snprintf(head, sizeof(head), "Content-Type: %s", type);
    log_trace("F  order %s: %s of the acquirer %s", x->of.id, where, x->acquirer->id);
    if (text != NULL && http_client_ask(x->m->client, &q) == TP_OK)
        return;
    (void)tp_fail(&none.e, none.r, "it cannot be asked now");
    on_said(x, &none);
}

/* NULL: it is on its way already, or cannot be asked now and is asked later. */
static struct exchange *start(struct mediator *m, const struct orderbook_order *o,
                              const struct orderbook_attempt *a, bool reversal, unsigned tries)
{
    bool first = false;
    struct exchange *x;

    if (!begin(m->purse_way, o->id, a->n, reversal, &first))
        return NULL;
    x = exchange_new(m, o, a, reversal, tries);
    if (x != NULL && x->acquirer == NULL)
        log_error("order %s waits for the acquirer %s, which is not known any more: "
                  "telepay-mediator acquirer add",
                  o->id, a->acquirer);
    if (x == NULL || x->acquirer == NULL) {
        const struct exchange gone = {.m = m, .of = {.n = a->n}, .reversal = reversal};
        struct exchange later = gone;
        const struct http_said said = {.retry_after = LAST_MS / 1000};

        memcpy(later.of.id, o->id, sizeof(later.of.id));
        again(&later, &said);
        free(x);
        return NULL;
    }
    if (first && o->state == STATE_SUBMITTING && !reversal)
        clock_set(m, o->id, EVENT_SILENT, a->n, SILENT_MS, 0);
    return x;
}

void purse_ask(struct mediator *m, const struct orderbook_order *o,
               const struct orderbook_attempt *a, unsigned tries)
{
    struct exchange *x = start(m, o, a, false, tries);
    char *text = NULL;

    if (x == NULL)
        return;
    if (asprintf(&text, "{\"challenge\":%s,\"payment\":\"%s\"%s%s%s}", a->challenge, a->pays,
                 a->beside != NULL ? ",\"provision\":\"" : "", a->beside != NULL ? a->beside : "",
                 a->beside != NULL ? "\"" : "") < 0)
        text = NULL;
    send_it(x, "/payments", "application/json", text);
    free(text);
}

static enum tp_err write_reversal(char **out, const struct exchange *x,
                                  const struct orderbook_order *o, struct tp_error *e)
{
    const struct reg_contract *c = registry_contract(x->m->registry, x->of.contract);
    char at[TIME_TEXT_MAX];
    const struct purse_token t = {
        .acquirer = x->acquirer->id,
        .contract = x->of.contract,
        .order = x->of.id,
        .amount = x->of.amount,
        .currency = x->of.currency,
        .payment = x->of.payment,
        .reason = x->surplus ? "the order was paid by another means" : o->why,
        .at = time_format_utc(at, time(NULL)),
    };

    return c != NULL ? purse_token_write(out, PURSE_REVERSAL, &t, &c->key, e)
                     : tp_fail(e, TP_ERR_NOT_FOUND, "the contract %s is not known any more",
                               x->of.contract);
}

void purse_reverse(struct mediator *m, const struct orderbook_order *o,
                   const struct orderbook_attempt *a, unsigned tries)
{
    struct tp_error e = {TP_OK, ""};
    struct exchange *x;
    char *jws = NULL;

    if (a->outcome != OUTCOME_YES) {
        purse_ask(m, o, a, tries);
        return;
    }
    x = start(m, o, a, true, tries);
    if (x == NULL)
        return;
    if (write_reversal(&jws, x, o, &e) != TP_OK)
        log_error("order %s cannot be given back now: %s", o->id, e.text);
    send_it(x, "/reversals", "application/jose", jws);
    free(jws);
}
