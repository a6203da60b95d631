/* The end of sessions: what vouchers come to is presented to their purse, contract by contract,
 * then it is told that the session is over; each again until it has answered. */
#include <inttypes.h>
#include <pthread.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/log.h"
#include "base/text.h"
#include "base/word.h"
#include "mediator/session.h"
#include "mediator/visit.h"
#include "order/purse_token.h"
#include "wire/jcs.h"

#define ANSWER_MAX (64U << 10)
#define TIMEOUT_MS 10000L

struct ending {                    /* a session that is being brought to its end */
    char id[BOOK_ORDER_ID];        /* first: by which it is found */
    char after[BOOK_CONTRACT_MAX]; /* whose vouchers were presented last */
    bool on_its_way;
    unsigned tries;
    int64_t due;
};

struct session_way {
    pthread_mutex_t lock;
    void *endings; /* a tree (tsearch); under lock */
};

struct demand { /* one try */
    struct mediator *m;
    const struct reg_acquirer *acquirer;
    char id[BOOK_ORDER_ID], contract[BOOK_CONTRACT_MAX]; /* contract "": the end itself */
    int64_t presented;
};

enum tp_err session_way_open(struct mediator *m, struct tp_error *e)
{
    struct session_way *w = calloc(1, sizeof(*w));

    if (w == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    pthread_mutex_init(&w->lock, NULL);
    m->session_way = w;
    return TP_OK;
}

void session_way_close(struct mediator *m)
{
    struct session_way *w = m->session_way;

    if (w == NULL)
        return;
    tdestroy(w->endings, free);
    pthread_mutex_destroy(&w->lock);
    free(w);
    m->session_way = NULL;
}

/* ---- one try at a time ---- */

static int by_id(const void *a, const void *b)
{
    return strcmp(a, b);
}

static struct ending *find(struct session_way *w, const char *id)
{
    struct ending **n = tfind(id, &w->endings, by_id);

    return n != NULL ? *n : NULL;
}

static struct ending *add(struct session_way *w, const char *id)
{
    struct ending *n = calloc(1, sizeof(*n));

    if (n == NULL)
        return NULL;
    snprintf(n->id, sizeof(n->id), "%s", id);
    if (tsearch(n, &w->endings, by_id) != NULL)
        return n;
    free(n);
    return NULL;
}

static bool is_due(const struct ending *n)
{
    return !n->on_its_way && time_monotonic_ms() >= n->due;
}

/* after: the contract whose vouchers were presented last, "" at first. */
static bool begin(struct session_way *w, const char *id, char after[BOOK_CONTRACT_MAX])
{
    struct ending *n;
    bool may = false;

    pthread_mutex_lock(&w->lock);
    n = find(w, id);
    if (n == NULL)
        n = add(w, id);
    if (n != NULL && is_due(n)) {
        may = n->on_its_way = true;
        memcpy(after, n->after, sizeof(n->after));
    }
    pthread_mutex_unlock(&w->lock);
    return may;
}

/* contract: whose turn it was. answered: the next step is at once. */
static void done(struct session_way *w, const char *id, const char contract[BOOK_CONTRACT_MAX],
                 bool answered)
{
    struct ending *n;

    pthread_mutex_lock(&w->lock);
    n = find(w, id);
    if (n != NULL) {
        memcpy(n->after, contract, sizeof(n->after));
        n->on_its_way = false;
        n->due = answered ? 0 : time_monotonic_ms() + clock_pause(n->tries);
        n->tries = answered ? 0 : n->tries + 1;
    }
    pthread_mutex_unlock(&w->lock);
}

/* It has ended. */
static void forget(struct session_way *w, const char *id)
{
    struct ending *n;

    pthread_mutex_lock(&w->lock);
    n = find(w, id);
    if (n != NULL)
        (void)tdelete(id, &w->endings, by_id);
    free(n);
    pthread_mutex_unlock(&w->lock);
}

/* ---- answers ---- */

static bool is_yes(const struct http_said *said, char why[BOOK_WHY_MAX])
{
    const char *code = NULL, *reason = NULL;
    json_t *body = NULL;
    bool yes = false;

    snprintf(why, BOOK_WHY_MAX, "%.150s", said->r != TP_OK ? said->e.text : "it cannot be read");
    if (said->r == TP_OK && jcs_read(&body, said->body, NULL) == TP_OK &&
        jcs_text(&code, body, "code", NULL) == TP_OK && code != NULL &&
        jcs_text(&reason, body, "reason", NULL) == TP_OK) {
        yes = said->status == 200 && strcmp(code, "00") == 0;
        snprintf(why, BOOK_WHY_MAX, "%.2s %.40s", code, reason != NULL ? reason : "");
        word_make_shown(why);
    }
    json_decref(body);
    return yes;
}

static void on_said(void *ctx, const struct http_said *said)
{
    struct demand *d = ctx;
    const bool end = d->contract[0] == '\0';
    char why[BOOK_WHY_MAX];
    struct job *j;

    if (said->r == TP_ERR_CANCELLED) { /* the next start goes on */
        free(d);
        return;
    }
    /* of what it refuses to end it knows nothing that could be freed */
    const bool yes = is_yes(said, why),
               over = yes || (end && said->r == TP_OK && said->status == 402);

    if (!yes)
        log_error("session %s: the purse %s does not take %s%s: %s", d->id, d->acquirer->id,
                  end ? _("its end") : _("what is presented under contract "), d->contract, why);
    j = over ? move_job(end ? EVENT_SESSION_ENDED : EVENT_PRESENTED, d->id) : NULL;
    if (j == NULL || !end) /* the end is on its way until that is kept */
        done(d->m->session_way, d->id, d->contract, j != NULL);
    if (j != NULL) {
        memcpy(j->move.contract, d->contract, sizeof(j->move.contract));
        j->move.presented = d->presented;
        keeper_take(d->m, j);
    }
    free(d);
}

/* ---- what is said ---- */

static enum tp_err write_demand(char **jws, const struct demand *d,
                                const struct orderbook_session *s, const char *voucher,
                                struct tp_error *e)
{
    const bool end = voucher == NULL;
    const struct reg_contract *c = end ? registry_contract_of(d->m->registry, d->acquirer)
                                       : registry_contract(d->m->registry, d->contract);
    char at[TIME_TEXT_MAX], sum[24], currency[4];
    const struct purse_token t = {.acquirer = s->acquirer,
                                  .session = s->id,
                                  .contract = end ? NULL : d->contract,
                                  .currency = end ? NULL : currency,
                                  .sum = end ? NULL : sum,
                                  .voucher = voucher,
                                  .at = time_format_utc(at, time(NULL))};

    if (c == NULL)
        return tp_fail(e, TP_ERR_NOT_FOUND, "its contract is not known any more");
    snprintf(sum, sizeof(sum), "%" PRId64, d->presented);
    currency_small(currency, s->currency);
    return purse_token_write(jws, end ? PURSE_END : PURSE_PRESENTATION, &t, &c->key, e);
}

static void send_it(struct demand *d, const struct orderbook_session *s, const char *voucher)
{
    static const char *const headers[] = {"Content-Type: application/jose", NULL};
    struct http_said none = {.type = "", .r = TP_ERR_NO_MEMORY};
    char url[sizeof(d->acquirer->url) + 16], *jws = NULL;
    struct http_question q = {.url = url,
                              .tls = &d->acquirer->tls,
                              .headers = headers,
                              .answer_max = ANSWER_MAX,
                              .timeout_ms = TIMEOUT_MS,
                              .done = on_said,
                              .ctx = d};
    enum tp_err r = write_demand(&jws, d, s, voucher, &none.e);

    snprintf(url, sizeof(url), "%s%s", d->acquirer->url,
             voucher != NULL ? "/vouchers" : "/sessions/end");
    q.body = span_str(jws != NULL ? jws : "");
    if (r == TP_OK && http_client_ask(d->m->client, &q) != TP_OK)
        r = tp_fail(&none.e, TP_ERR_NO_MEMORY, "it cannot be asked now");
    if (r != TP_OK)
        on_said(d, &none);
    free(jws);
}

static struct demand *demand_new(struct mediator *m, const struct orderbook_session *s,
                                 struct tp_error *e)
{
    struct demand *d = calloc(1, sizeof(*d));

    if (d == NULL) {
        (void)tp_fail(e, TP_ERR_NO_MEMORY, "no memory for it");
        return NULL;
    }
    d->m = m;
    memcpy(d->id, s->id, sizeof(d->id));
    d->acquirer = registry_acquirer(m->registry, s->acquirer);
    if (d->acquirer != NULL)
        return d;
    (void)tp_fail(e, TP_ERR_NOT_FOUND,
                  "the purse %s is not known any more: telepay-mediator acquirer add", s->acquirer);
    free(d);
    return NULL;
}

/* Its end is told when nothing is left to be presented, and not when nobody knows whether it is. */
void session_go_on(struct mediator *m, const struct orderbook_session *s)
{
    struct orderbook_drawn drawn = {.voucher = NULL};
    struct tp_error e = {TP_OK, ""};
    struct demand *d;
    char after[BOOK_CONTRACT_MAX];
    bool found = false;

    if (s->state == SESSION_ENDED)
        forget(m->session_way, s->id);
    if (s->state != SESSION_ENDING || atomic_load(&m->ending) ||
        !begin(m->session_way, s->id, after))
        return;
    d = demand_new(m, s, &e);
    if (d == NULL || keeper_drawn(m, s->id, after, &drawn, &found, &e) != TP_OK) {
        log_error("session %s is not brought to its end yet: %s", s->id, e.text);
        done(m->session_way, s->id, after, false);
        free(d);
        return;
    }
    if (found) {
        memcpy(d->contract, drawn.contract, sizeof(d->contract));
        d->presented = drawn.total - drawn.given_back;
    }
    send_it(d, s, drawn.voucher);
    free(drawn.voucher);
}

/* Whether something can be done for it now: what waits for its next try, or its answer, is left. */
static bool may_begin(struct session_way *w, const char *id)
{
    const struct ending *n;
    bool may;

    pthread_mutex_lock(&w->lock);
    n = find(w, id);
    may = n == NULL || is_due(n);
    pthread_mutex_unlock(&w->lock);
    return may;
}

static enum tp_err end_it(void *ctx, const char *id, struct tp_error *e)
{
    struct mediator *m = ctx;
    struct job *j;

    if (!may_begin(m->session_way, id))
        return TP_OK;
    j = move_job(EVENT_SESSION_END, id);
    if (j == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a session");
    keeper_take(m, j);
    return TP_OK;
}

void session_look(struct mediator *m, struct orderbook *b)
{
    const time_t now = time(NULL);
    struct tp_error e = {TP_OK, ""};

    if (!atomic_load(&m->serving))
        return;
    if (orderbook_session_due(b, now - SESSION_SILENT_S, now + SESSION_EARLY_S, end_it, m, &e) !=
        TP_OK)
        log_error("sessions are not looked at: %s", e.text);
}
