/* The group committer: queue, thread, and what becomes of a transaction that fails. */
#include "store/group.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#define TRIES_AGAIN    5 /* of a group that another transaction was in the way of … */
#define FIRST_PAUSE_MS 4 /* … after this, then after twice as long each time */
#define AGAIN_S        1 /* until what the server gives back is tried again */

struct group {
    struct group_ops ops;
    pthread_t thread;
    bool started;
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct group_jobs queue; /* under lock, as all that follows */
    size_t waiting;          /* jobs in it */
    struct group_jobs again; /* given back */
    struct timespec due;     /* of the first of them */
    bool stop, ended;
};

/* ---- one transaction ---- */

static enum tp_err attempt(struct group *g, struct group_jobs *jobs, struct tp_error *e)
{
    struct group_job *j;
    enum tp_err r = g->ops.begin(g->ops.ctx, e);

    if (r != TP_OK)
        return r;
    STAILQ_FOREACH (j, jobs, next) {
        r = g->ops.apply(g->ops.ctx, j, e);
        if (r != TP_OK)
            break;
    }
    if (r == TP_OK)
        r = g->ops.commit(g->ops.ctx, e);
    if (r != TP_OK)
        g->ops.rollback(g->ops.ctx);
    return r;
}

/* TP_ERR_AGAIN that does not end is a database that cannot be written. */
static enum tp_err keep(struct group *g, struct group_jobs *jobs, struct tp_error *e)
{
    long pause = FIRST_PAUSE_MS * 1000000L;
    enum tp_err r = attempt(g, jobs, e);

    for (int i = 0; r == TP_ERR_AGAIN && i < TRIES_AGAIN; i++) {
        nanosleep(&(struct timespec){0, pause}, NULL);
        pause *= 2;
        r = attempt(g, jobs, e);
    }
    if (r == TP_ERR_AGAIN)
        r = e->code = TP_ERR_IO;
    return r;
}

/* The disk, or the database, and not the job. */
static bool is_theirs(enum tp_err r)
{
    return r == TP_ERR_IO || r == TP_ERR_UNKNOWN;
}

/* Those after a disk that fails are not tried: a database that is gone would keep each of them
 * waiting as long as the first. */
static void one_by_one(struct group *g, struct group_jobs *jobs)
{
    struct group_job *j;
    enum tp_err r = TP_OK;

    while (!is_theirs(r) && (j = STAILQ_FIRST(jobs)) != NULL) {
        struct group_jobs one = STAILQ_HEAD_INITIALIZER(one);
        struct tp_error e = {TP_OK, ""};

        STAILQ_REMOVE_HEAD(jobs, next);
        STAILQ_INSERT_TAIL(&one, j, next);
        r = keep(g, &one, &e);
        if (r == TP_OK) {
            g->ops.done(g->ops.ctx, &one);
            continue;
        }
        if (is_theirs(r))
            STAILQ_CONCAT(&one, jobs);
        g->ops.failed(g->ops.ctx, &one, &e);
    }
}

static void work(struct group *g, struct group_jobs *jobs)
{
    struct tp_error e = {TP_OK, ""};
    const enum tp_err r = keep(g, jobs, &e);

    if (r == TP_OK)
        g->ops.done(g->ops.ctx, jobs);
    else if (is_theirs(r) || STAILQ_NEXT(STAILQ_FIRST(jobs), next) == NULL)
        g->ops.failed(g->ops.ctx, jobs, &e);
    else
        one_by_one(g, jobs);
}

/* ---- the thread ---- */

static bool is_due(const struct group *g)
{
    struct timespec now;

    if (g->stop)
        return true;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec > g->due.tv_sec ||
           (now.tv_sec == g->due.tv_sec && now.tv_nsec >= g->due.tv_nsec);
}

/* At most n; how many they were. */
static size_t move(struct group_jobs *out, struct group_jobs *from, size_t n)
{
    size_t moved = 0;

    for (; moved < n && !STAILQ_EMPTY(from); moved++) {
        struct group_job *j = STAILQ_FIRST(from);

        STAILQ_REMOVE_HEAD(from, next);
        STAILQ_INSERT_TAIL(out, j, next);
    }
    return moved;
}

/* What was given back goes first: it came before. */
static void take(struct group *g, struct group_jobs *out)
{
    size_t n = 0;

    if (!STAILQ_EMPTY(&g->again) && is_due(g))
        n = move(out, &g->again, GROUP_MAX);
    g->waiting -= move(out, &g->queue, GROUP_MAX - n);
}

/* The next group; none: it is to end. */
static void next_group(struct group *g, struct group_jobs *out)
{
    pthread_mutex_lock(&g->lock);
    take(g, out);
    while (STAILQ_EMPTY(out) && !g->stop) {
        if (STAILQ_EMPTY(&g->again))
            pthread_cond_wait(&g->more, &g->lock);
        else
            (void)pthread_cond_timedwait(&g->more, &g->lock, &g->due);
        take(g, out);
    }
    g->ended = STAILQ_EMPTY(out);
    pthread_mutex_unlock(&g->lock);
}

static void *run(void *ctx)
{
    struct group *g = ctx;

    for (;;) {
        struct group_jobs jobs = STAILQ_HEAD_INITIALIZER(jobs);

        next_group(g, &jobs);
        if (STAILQ_EMPTY(&jobs))
            return NULL;
        work(g, &jobs);
    }
}

/* ---- the queue ---- */

static enum tp_err put(struct group *g, struct group_job *j, size_t max)
{
    enum tp_err r = TP_OK;

    pthread_mutex_lock(&g->lock);
    if (g->ended) {
        r = TP_ERR_CANCELLED;
    } else if (g->waiting >= max) {
        r = TP_ERR_AGAIN;
    } else {
        STAILQ_INSERT_TAIL(&g->queue, j, next);
        g->waiting++;
        pthread_cond_signal(&g->more);
    }
    pthread_mutex_unlock(&g->lock);
    return r;
}

enum tp_err group_offer(struct group *g, struct group_job *j)
{
    return put(g, j, GROUP_QUEUE_MAX);
}

enum tp_err group_post(struct group *g, struct group_job *j)
{
    return put(g, j, SIZE_MAX);
}

enum tp_err group_again(struct group *g, struct group_job *j)
{
    enum tp_err r = TP_OK;

    pthread_mutex_lock(&g->lock);
    if (g->stop || g->ended) {
        r = TP_ERR_CANCELLED;
    } else {
        if (STAILQ_EMPTY(&g->again)) {
            clock_gettime(CLOCK_MONOTONIC, &g->due);
            g->due.tv_sec += AGAIN_S;
        }
        STAILQ_INSERT_TAIL(&g->again, j, next);
    }
    pthread_mutex_unlock(&g->lock);
    return r;
}

/* ---- begin and end ---- */

enum tp_err group_new(struct group **out, const struct group_ops *ops, struct tp_error *e)
{
    struct group *g = calloc(1, sizeof(*g));
    pthread_condattr_t clock;

    *out = g;
    if (g == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for the books");
    g->ops = *ops;
    STAILQ_INIT(&g->queue);
    STAILQ_INIT(&g->again);
    pthread_mutex_init(&g->lock, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&g->more, &clock);
    pthread_condattr_destroy(&clock);
    return TP_OK;
}

enum tp_err group_start(struct group *g, struct tp_error *e)
{
    g->started = pthread_create(&g->thread, NULL, run, g) == 0;
    return g->started ? TP_OK : tp_fail(e, TP_ERR_INTERNAL, "cannot start a thread");
}

void group_stop(struct group *g)
{
    pthread_mutex_lock(&g->lock);
    g->stop = true;
    g->ended |= !g->started;
    pthread_cond_signal(&g->more);
    pthread_mutex_unlock(&g->lock);
    if (g->started)
        pthread_join(g->thread, NULL);
    g->started = false;
}

void group_free(struct group **out)
{
    const struct tp_error never = {TP_ERR_CANCELLED, "the books are closed"};
    struct group *g = *out;

    if (g == NULL)
        return;
    group_stop(g);
    if (!STAILQ_EMPTY(&g->queue))
        g->ops.failed(g->ops.ctx, &g->queue, &never);
    pthread_cond_destroy(&g->more);
    pthread_mutex_destroy(&g->lock);
    free(g);
    *out = NULL;
}
