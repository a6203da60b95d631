/* What is due later. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/log.h"
#include "mediator/stans.h"
#include "mediator/visit.h"

#define TICK_MS      100
#define LOOK_MS      2000   /* between looks at the registry */
#define SESSION_MS   2000   /* between looks for sessions whose time has come */
#define FIRST_MS     1000   /* before the same is tried again; doubled each time … */
#define LAST_MS      600000 /* … up to this */
#define TRIES_DOUBLE 10
#define FORGET_MS    60000 /* between looks for orders that nobody paid */
#define FORGET_S     900   /* such an order is forgotten so long after its end */
#define FORGET_N     2000  /* at a time */

struct due {
    TAILQ_ENTRY(due) next;
    char id[BOOK_ORDER_ID];
    enum event event;
    uint32_t n;
    unsigned tries;
    int64_t at;
};
TAILQ_HEAD(dues, due);

struct settled { /* an order whose dispute is, and that is not given back yet */
    STAILQ_ENTRY(settled) next;
    char id[BOOK_ORDER_ID];
    unsigned tries;
    int64_t due;
};
STAILQ_HEAD(settleds, settled);

struct clock {
    struct mediator *m;
    struct orderbook *book; /* the thread's */
    pthread_t thread;
    bool started;
    atomic_bool stop;
    pthread_mutex_t lock;
    struct dues dues;        /* under lock, in no order */
    struct settleds settled; /* as the last look found them */
    int64_t look_at, forget_at, session_at;
};

int64_t clock_pause(unsigned tries)
{
    const int64_t pause = (int64_t)FIRST_MS << (tries < TRIES_DOUBLE ? tries : TRIES_DOUBLE);

    return pause < LAST_MS ? pause : LAST_MS;
}

void clock_set(struct mediator *m, const char *id, enum event event, uint32_t n, int64_t after_ms,
               unsigned tries)
{
    struct clock *c = m->clock;
    struct due *d = calloc(1, sizeof(*d));

    if (d == NULL) {
        log_error("no memory: order %s is gone on with at the next start", id);
        return;
    }
    memcpy(d->id, id, sizeof(d->id));
    d->event = event;
    d->n = n;
    d->tries = tries;
    d->at = time_monotonic_ms() + after_ms;
    pthread_mutex_lock(&c->lock);
    TAILQ_INSERT_TAIL(&c->dues, d, next);
    pthread_mutex_unlock(&c->lock);
}

static struct due *take_due(struct clock *c, int64_t now)
{
    struct due *d;

    pthread_mutex_lock(&c->lock);
    TAILQ_FOREACH (d, &c->dues, next)
        if (now >= d->at) {
            TAILQ_REMOVE(&c->dues, d, next);
            break;
        }
    pthread_mutex_unlock(&c->lock);
    return d;
}

static void do_due(struct clock *c, int64_t now)
{
    struct due *d;

    while ((d = take_due(c, now)) != NULL) {
        struct job *j = move_job(d->event, d->id);

        if (j != NULL) {
            j->drive = d->event == EVENT_LOOK || d->event == EVENT_GO_ON;
            j->move.n = d->n;
            j->tries = d->tries;
            keeper_take(c->m, j);
        }
        free(d);
    }
}

struct freed { /* numbers that are to be given back */
    size_t n;
    struct orderbook_number number[FORGET_N * BOOK_SOLD_UNDER];
};

static enum tp_err keep_freed(void *ctx, const struct orderbook_number *n, struct tp_error *e)
{
    struct freed *f = ctx;

    (void)e;
    if (f->n < sizeof(f->number) / sizeof(f->number[0]))
        f->number[f->n++] = *n;
    return TP_OK;
}

struct settled_look {
    struct clock *c;
    struct settleds found;
};

/* Out of those of the last look, or new. */
static struct settled *take_settled(struct clock *c, const char *id)
{
    struct settled *s;

    STAILQ_FOREACH (s, &c->settled, next)
        if (strcmp(s->id, id) == 0) {
            STAILQ_REMOVE(&c->settled, s, settled, next);
            return s;
        }
    s = calloc(1, sizeof(*s));
    if (s != NULL)
        snprintf(s->id, sizeof(s->id), "%s", id);
    return s;
}

static enum tp_err give_back(void *ctx, const char *id, struct tp_error *e)
{
    struct settled_look *l = ctx;
    struct settled *s = take_settled(l->c, id);
    const int64_t now = time_monotonic_ms();
    struct job *j;

    if (s == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    STAILQ_INSERT_TAIL(&l->found, s, next);
    if (now < s->due)
        return TP_OK;
    j = move_job(EVENT_SETTLED, id);
    if (j == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    s->due = now + clock_pause(s->tries++);
    keeper_take(l->c->m, j);
    return TP_OK;
}

static void forget_settled(struct clock *c)
{
    struct settled *s;

    while ((s = STAILQ_FIRST(&c->settled)) != NULL) {
        STAILQ_REMOVE_HEAD(&c->settled, next);
        free(s);
    }
}

/* What telepay-mediator dispute settle signed, while this served or not. */
static void look_at_disputes(struct clock *c)
{
    struct settled_look l = {c, STAILQ_HEAD_INITIALIZER(l.found)};
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    if (!atomic_load(&c->m->serving))
        return;
    r = disputes_due_each(c->book, give_back, &l, &e);
    if (r != TP_OK)
        log_error("disputes are not looked at: %s", e.text);
    else
        forget_settled(c); /* carried out */
    STAILQ_CONCAT(&c->settled, &l.found);
}

/* Orders for which nobody paid are forgotten, so that a flood of demands neither fills the disk nor
 * uses up the numbers of a day; so is what somebody was asked to say who they are by. True: there
 * may be more. */
static bool forget(struct clock *c)
{
    struct tp_error e = {TP_OK, ""};
    struct freed *f = calloc(1, sizeof(*f));
    enum tp_err r = f != NULL ? orderbook_begin(c->book, &e) : TP_ERR_NO_MEMORY;
    size_t n = 0;

    if (r == TP_OK)
        r = orderbook_order_forget(c->book, &n, time(NULL) - FORGET_S, FORGET_N, keep_freed, f, &e);
    if (r == TP_OK)
        r = identity_forget(c->book, time(NULL) - FORGET_S, &e);
    if (r == TP_OK)
        r = orderbook_commit(c->book, &e);
    else
        orderbook_rollback(c->book);
    if (r != TP_OK)
        log_note("orders that nobody paid are not forgotten yet: %s", e.text);
    for (size_t i = 0; r == TP_OK && i < f->n; i++) {
        struct reg_contract *contract = registry_contract(c->m->registry, f->number[i].contract);

        if (contract != NULL)
            stans_release(contract->stans, f->number[i].day, f->number[i].stan);
    }
    free(f);
    return r == TP_OK && n == FORGET_N;
}

static void *run(void *ctx)
{
    struct clock *c = ctx;
    struct tp_error e = {TP_OK, ""};
    const struct timespec tick = {.tv_nsec = TICK_MS * 1000000L};

    while (!atomic_load(&c->stop)) {
        const int64_t now = time_monotonic_ms();

        do_due(c, now);
        visits_expire(c->m, now);
        if (now >= c->look_at) {
            c->look_at = now + LOOK_MS;
            if (registry_look(c->m->registry, &e) != TP_OK)
                log_error("services and acquirers are not looked at: %s", e.text);
            look_at_disputes(c);
        }
        if (now >= c->session_at) {
            c->session_at = now + SESSION_MS;
            session_look(c->m, c->book);
        }
        if (now >= c->forget_at) {
            c->forget_at = forget(c) ? now : now + FORGET_MS;
        }
        nanosleep(&tick, NULL);
    }
    return NULL;
}

enum tp_err clock_open(struct mediator *m, struct tp_error *e)
{
    struct clock *c = calloc(1, sizeof(*c));
    enum tp_err r;

    if (c == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    m->clock = c;
    c->m = m;
    TAILQ_INIT(&c->dues);
    STAILQ_INIT(&c->settled);
    pthread_mutex_init(&c->lock, NULL);
    atomic_init(&c->stop, false);
    c->forget_at = time_monotonic_ms() + FORGET_MS;
    c->session_at = time_monotonic_ms() + SESSION_MS; /* the keeper is there by then */
    r = orderbook_open(&c->book, m->dir, e);
    if (r == TP_OK && pthread_create(&c->thread, NULL, run, c) != 0)
        r = tp_fail(e, TP_ERR_NO_MEMORY, "the clock cannot be started");
    c->started = r == TP_OK;
    return r;
}

void clock_close(struct mediator *m)
{
    struct clock *c = m->clock;
    struct due *d;

    if (c == NULL)
        return;
    atomic_store(&c->stop, true);
    if (c->started)
        pthread_join(c->thread, NULL);
    while ((d = TAILQ_FIRST(&c->dues)) != NULL) {
        TAILQ_REMOVE(&c->dues, d, next);
        free(d);
    }
    forget_settled(c);
    orderbook_close(&c->book);
    pthread_mutex_destroy(&c->lock);
    free(c);
    m->clock = NULL;
}
