#include "mediator/stream.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/log.h"
#include "mediator/say.h"
#include "wire/http_flow.h"

#define OF_SERVICE 160    /* streams of one service at a time; what is more waits */
#define ROOM       262144 /* bytes between the service and the client */
#define PIECE_MAX  16384  /* of libcurl */
#define FIRST_MS   30000  /* for the first byte, and for its client to be answered with it */
#define COMES_S    600    /* within which somebody comes for what is paid */
#define LOOK_MS    60000

struct stream {
    TAILQ_ENTRY(stream) next;
    struct mediator *m;
    char order[BOOK_ORDER_ID]; /* that began it */
    int64_t per;               /* ms */
    struct visit *visit;       /* to be answered with it; NULL: it is, or nobody comes any more */
    struct http_flow *flow;    /* NULL: no byte yet */
    char type[256];
    bool asked;                /* its service has still to say something */
    bool over;                 /* nothing of it is sent any more */
    int64_t since;             /* it was asked for, then its first byte came; monotonic ms */
    int64_t until;             /* it is paid for; 0: it has not begun */
    char ahead[BOOK_ORDER_ID]; /* paid for the unit after; "": none */
    char begun[BOOK_ORDER_ID]; /* the last of those whose unit began */
};

struct streams {
    struct http_client *client;
    pthread_mutex_t lock;
    TAILQ_HEAD(, stream) all; /* under lock, with all that is in them */
};

enum tp_err streams_open(struct mediator *m, struct tp_error *e)
{
    m->streams = calloc(1, sizeof(*m->streams));
    if (m->streams == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    pthread_mutex_init(&m->streams->lock, NULL);
    TAILQ_INIT(&m->streams->all);
    return http_client_new(&m->streams->client, OF_SERVICE, e);
}

void streams_stop(struct mediator *m)
{
    if (m->streams != NULL)
        http_client_stop(m->streams->client);
}

static void stream_free(struct stream *s)
{
    http_flow_drop(&s->flow);
    free(s);
}

void streams_close(struct mediator *m)
{
    struct stream *s;

    if (m->streams == NULL)
        return;
    while ((s = TAILQ_FIRST(&m->streams->all)) != NULL) {
        TAILQ_REMOVE(&m->streams->all, s, next);
        stream_free(s);
    }
    http_client_free(&m->streams->client);
    pthread_mutex_destroy(&m->streams->lock);
    free(m->streams);
    m->streams = NULL;
}

bool stream_is_next(const struct mediator *m, const struct orderbook_order *o,
                    char root[BOOK_ORDER_ID])
{
    static const char orders[] = "/orders/";
    const size_t n = strlen(m->origin), id = n + strlen(orders), end = id + BOOK_ORDER_ID - 1;

    if (o->delivery != DELIVERY_STREAM || strcmp(o->method, "POST") != 0 ||
        strlen(o->url) != end + strlen(STREAM_NEXT) || strncmp(o->url, m->origin, n) != 0 ||
        strncmp(o->url + n, orders, strlen(orders)) != 0 || strcmp(o->url + end, STREAM_NEXT) != 0)
        return false;
    snprintf(root, BOOK_ORDER_ID, "%s", o->url + id);
    return true;
}

/* ---- under the lock ---- */

static struct stream *find(struct streams *all, const char *order)
{
    struct stream *s;

    TAILQ_FOREACH (s, &all->all, next)
        if (strcmp(s->order, order) == 0 && !s->over)
            return s;
    return NULL;
}

static bool is_idle(const struct stream *s)
{
    return !s->asked && s->visit == NULL;
}

/* What is over, and what nobody came back for. */
static void sweep(struct streams *all, int64_t now)
{
    struct stream *s, *next;

    for (s = TAILQ_FIRST(&all->all); s != NULL; s = next) {
        next = TAILQ_NEXT(s, next);
        if (!is_idle(s) || (!s->over && s->until > now))
            continue;
        TAILQ_REMOVE(&all->all, s, next);
        stream_free(s);
    }
}

/* Whoever read it before does so no more. What was paid goes on to the new one. */
static void take_over(struct stream *s, struct stream *before)
{
    s->until = before->until;
    memcpy(s->ahead, before->ahead, sizeof(s->ahead));
    memcpy(s->begun, before->begun, sizeof(s->begun));
    before->ahead[0] = '\0';
    before->over = true;
    if (before->flow != NULL)
        http_flow_end(before->flow);
}

/* A further unit begins. */
static void begin_ahead(struct stream *s)
{
    struct job *j = move_job(EVENT_DELIVERED, s->ahead);

    if (j == NULL) {
        clock_set(s->m, s->ahead, EVENT_LOOK, 0, LOOK_MS, 0);
    } else {
        s->until += s->per;
        memcpy(s->begun, s->ahead, sizeof(s->begun));
        keeper_take(s->m, j);
    }
    s->ahead[0] = '\0';
}

static void give_ahead_back(struct stream *s)
{
    if (s->ahead[0] != '\0')
        undeliverable(s->m, s->ahead, "the stream had ended when this unit was to begin");
    s->ahead[0] = '\0';
}

/* ---- what its service says, on the client's thread ---- */

/* Durable before it is delivered: the visit is answered by what the books say then. NULL: not now.
 */
static struct job *first_piece(struct stream *s, const char *type)
{
    struct job *j = s->visit != NULL ? move_job(EVENT_DELIVERED, s->order) : NULL;

    s->flow = j != NULL ? http_flow_new(ROOM) : NULL;
    if (s->flow == NULL) {
        free(j);
        return NULL;
    }
    snprintf(s->type, sizeof(s->type), "%s", type[0] != '\0' ? type : "application/octet-stream");
    s->since = time_monotonic_ms();
    j->visit = s->visit;
    log_trace("J  order %s: a stream of %s", s->order, s->type);
    return j;
}

static bool on_piece(void *ctx, const char *type, struct span piece)
{
    struct stream *s = ctx;
    struct mediator *m = s->m;
    struct job *j = NULL;
    bool taken;

    pthread_mutex_lock(&m->streams->lock);
    if (s->flow == NULL && !s->over)
        j = first_piece(s, type);
    taken = !s->over && s->flow != NULL && http_flow_room(s->flow) >= piece.n;
    if (taken)
        (void)http_flow_put(s->flow, piece);
    pthread_mutex_unlock(&m->streams->lock);
    if (j != NULL)
        keeper_take(m, j);
    return taken;
}

/* By the clock: it goes on as long as it is paid for, and somebody reads. */
static enum http_pace pace(struct stream *s, int64_t now)
{
    if (s->over)
        return HTTP_END;
    if (s->until == 0 || s->visit != NULL)
        return now - s->since > FIRST_MS ? HTTP_END : HTTP_GO_ON;
    if (http_flow_is_left(s->flow))
        return HTTP_END;
    while (s->until <= now && s->ahead[0] != '\0')
        begin_ahead(s);
    if (s->until <= now)
        return HTTP_END;
    return http_flow_room(s->flow) >= PIECE_MAX ? HTTP_GO_ON : HTTP_HOLD;
}

static enum http_pace on_pace(void *ctx)
{
    struct stream *s = ctx;
    enum http_pace p;

    pthread_mutex_lock(&s->m->streams->lock);
    p = pace(s, time_monotonic_ms());
    pthread_mutex_unlock(&s->m->streams->lock);
    return p;
}

/* Nothing came of it, and its visit is told: later, or that it is given back, unless it had begun
 * before. */
static void nothing(struct visit *v, const char *order, bool begun, const struct http_said *said)
{
    char why[BOOK_WHY_MAX] = "the service says that it delivers, and sends nothing";
    const bool final = !begun && said->r == TP_OK && (said->status == 200 || is_final(said, why));
    struct mediator *m = v->m;

    log_error("the stream of order %s is not delivered: its service answers %ld %s", order,
              said->status, said->e.text);
    visit_undelivered(v, final);
    if (final)
        undeliverable(m, order, why);
}

static void on_end(void *ctx, const struct http_said *said)
{
    struct stream *s = ctx;
    struct streams *all = s->m->streams;
    struct visit *v = NULL;
    char order[BOOK_ORDER_ID];
    bool begun;

    pthread_mutex_lock(&all->lock);
    memcpy(order, s->order, sizeof(order));
    begun = s->until != 0;
    s->asked = false; /* from here on it may be swept */
    give_ahead_back(s);
    if (s->flow != NULL) {
        http_flow_end(s->flow);
    } else {
        v = s->visit;
        s->visit = NULL;
        s->over = !begun; /* else what is left of it can be asked for again */
    }
    pthread_mutex_unlock(&all->lock);
    log_trace("   order %s: its stream has ended: %s", order, said->e.text);
    if (v != NULL)
        nothing(v, order, begun, said);
}

/* ---- what its payer does ---- */

static void say_over(struct visit *v, const struct orderbook_order *o, const char *detail)
{
    const struct say_problem p = {.type = PAYMENT_OTHER,
                                  .status = MHD_HTTP_CONFLICT,
                                  .detail = detail,
                                  .order = o,
                                  .consumed = -1};

    say_problem(v, &p);
    http_resume(v->call);
}

static struct stream *stream_new(struct visit *v, const struct orderbook_order *o)
{
    struct stream *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return NULL;
    s->m = v->m;
    memcpy(s->order, o->id, sizeof(s->order));
    s->per = 1000 * (int64_t)o->per;
    s->visit = v;
    s->since = time_monotonic_ms();
    if (o->state == STATE_DELIVERED) /* what is left, should nobody here know better */
        s->until = s->since + 1000 * (o->since + o->per - time(NULL));
    return s;
}

/* Under the lock. False: it is being answered to another one, or what was paid has passed. */
static bool enter(struct stream *s, const struct orderbook_order *o, const char **why)
{
    struct stream *before;

    sweep(s->m->streams, s->since);
    before = find(s->m->streams, o->id);
    *why = "it is on its way to another one who asked";
    if (before != NULL && before->visit != NULL)
        return false;
    if (before != NULL)
        take_over(s, before);
    *why = "what was paid for has passed: it was delivered, and to hear on pay anew";
    if (o->state == STATE_DELIVERED && s->until <= s->since && s->ahead[0] == '\0')
        return false;
    s->asked = true;
    TAILQ_INSERT_TAIL(&s->m->streams->all, s, next);
    return true;
}

void stream_begin(struct visit *v, const struct orderbook_order *o,
                  const struct orderbook_attempt *a, const char *quote)
{
    struct stream *s = stream_new(v, o);
    struct http_question q = {
        .piece = on_piece, .pace = on_pace, .answer_max = 4096, .done = on_end, .ctx = s};
    const char *why = "no memory";
    bool entered = false;

    if (s != NULL) {
        pthread_mutex_lock(&v->m->streams->lock);
        entered = enter(s, o, &why);
        pthread_mutex_unlock(&v->m->streams->lock);
    }
    if (!entered) {
        free(s);
        say_over(v, o, why);
        return;
    }
    if (!ask_stream(v->m->streams->client, v->m, o, a, quote, &q)) {
        struct http_said none = {.type = "", .r = TP_ERR_NO_MEMORY};

        on_end(s, &none);
    }
}

bool stream_answer(struct visit *v, const struct orderbook_order *o,
                   const struct orderbook_attempt *a)
{
    struct streams *all = v->m->streams;
    struct stream *s;

    pthread_mutex_lock(&all->lock);
    TAILQ_FOREACH (s, &all->all, next)
        if (s->visit == v)
            break;
    if (s != NULL) {
        s->visit = NULL;
        if (s->until == 0)
            s->until = time_monotonic_ms() + s->per;
        http_named(v->call, o->id); /* where room is short, who has paid does not go first */
        say_stream(v, o, a, s->type, s->flow);
    }
    pthread_mutex_unlock(&all->lock);
    return s != NULL;
}

void stream_forget(struct visit *v)
{
    struct streams *all = v->m->streams;
    struct stream *s;

    pthread_mutex_lock(&all->lock);
    TAILQ_FOREACH (s, &all->all, next)
        if (s->visit == v) {
            s->visit = NULL;
            s->over = true;
        }
    pthread_mutex_unlock(&all->lock);
}

/* ---- further units ---- */

static bool is_heard(struct stream *s, int64_t now)
{
    return s != NULL && s->asked && s->visit == NULL && s->until > now &&
           !http_flow_is_left(s->flow);
}

bool stream_goes_on(struct mediator *m, const char *root)
{
    bool on;

    pthread_mutex_lock(&m->streams->lock);
    on = is_heard(find(m->streams, root), time_monotonic_ms());
    pthread_mutex_unlock(&m->streams->lock);
    return on;
}

/* One unit ahead, and no more. False: it will not begin. */
static bool take_ahead(struct mediator *m, const char *root, const char *order)
{
    struct stream *s;
    bool taken;

    pthread_mutex_lock(&m->streams->lock);
    s = find(m->streams, root);
    taken = s != NULL && (strcmp(s->begun, order) == 0 || strcmp(s->ahead, order) == 0);
    if (!taken && is_heard(s, time_monotonic_ms()) && s->ahead[0] == '\0') {
        snprintf(s->ahead, sizeof(s->ahead), "%s", order);
        taken = true;
    }
    pthread_mutex_unlock(&m->streams->lock);
    return taken;
}

void stream_due(struct mediator *m, const struct orderbook_order *o, unsigned tries)
{
    char root[BOOK_ORDER_ID];

    if (stream_is_next(m, o, root)) {
        if (!take_ahead(m, root, o->id))
            undeliverable(m, o->id, "the stream is over, or its next unit is paid already");
    } else if (time(NULL) - o->since >= COMES_S) {
        undeliverable(m, o->id, "nobody came for the stream within ten minutes");
    } else {
        clock_set(m, o->id, EVENT_LOOK, 0, LOOK_MS, tries);
    }
}
