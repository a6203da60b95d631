#include "store/group.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"

#define TRIES_MAX      6 /* of a transaction that another one was in the way of */
#define FIRST_PAUSE_MS 5 /* between them; each is twice the one before: 155 ms in all */

struct group {
    const struct group_ops *ops;
    void *ctx;
    pthread_t thread;
    bool started;
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct group_jobs queue; /* under lock */
    size_t n;                /* under lock: of the queue */
    bool stop;               /* under lock */
};

/* ---- a group ---- */

/* All of a list in one transaction, once. */
static enum tp_err keep_once(struct group *g, struct group_jobs *list, struct tp_error *e)
{
    struct group_job *j;
    enum tp_err r = g->ops->begin(g->ctx, e);

    STAILQ_FOREACH (j, list, next) {
        if (r != TP_OK)
            break;
        r = g->ops->apply(g->ctx, j, e);
    }
    if (r == TP_OK)
        r = g->ops->commit(g->ctx, e);
    if (r != TP_OK)
        g->ops->rollback(g->ctx);
    return r;
}

static void pause_ms(unsigned ms)
{
    const struct timespec t = {0, (long)ms * 1000000};

    (void)nanosleep(&t, NULL);
}

static enum tp_err keep(struct group *g, struct group_jobs *list, struct tp_error *e)
{
    enum tp_err r = keep_once(g, list, e);

    for (unsigned i = 1; r == TP_ERR_AGAIN && i < TRIES_MAX; i++) {
        pause_ms(FIRST_PAUSE_MS << (i - 1));
        r = keep_once(g, list, e);
    }
    return r;
}

static void fail_all(struct group *g, struct group_jobs *list, const struct tp_error *e)
{
    struct group_job *j;

    log_error("%s", e->text);
    while ((j = STAILQ_FIRST(list)) != NULL) {
        STAILQ_REMOVE_HEAD(list, next);
        g->ops->failed(g->ctx, j, e);
    }
}

/* Whether what stood in the way of one job stands in the way of all. */
static bool is_of_all(enum tp_err r)
{
    return r == TP_ERR_IO || r == TP_ERR_AGAIN;
}

static void work_one_by_one(struct group *g, struct group_jobs *list)
{
    struct group_job *j;

    while ((j = STAILQ_FIRST(list)) != NULL) {
        struct group_jobs one = STAILQ_HEAD_INITIALIZER(one);
        struct tp_error e = {TP_OK, ""};
        enum tp_err r;

        STAILQ_REMOVE_HEAD(list, next);
        STAILQ_INSERT_TAIL(&one, j, next);
        r = keep(g, &one, &e);
        if (r == TP_OK) {
            g->ops->done(g->ctx, &one);
            continue;
        }
        if (is_of_all(r))
            STAILQ_CONCAT(&one, list);
        fail_all(g, &one, &e);
    }
}

/* A group that the disk fails is lost as a whole; the next one tries anew, so all is well again
 * when the disk is. Any other fault may be that of one job: the group is then tried again one by
 * one, so that it takes no others with it. */
static void work(struct group *g, struct group_jobs *list, size_t n)
{
    struct tp_error e = {TP_OK, ""};
    const enum tp_err r = keep(g, list, &e);

    if (r == TP_OK)
        g->ops->done(g->ctx, list);
    else if (is_of_all(r) || n <= 1)
        fail_all(g, list, &e);
    else
        work_one_by_one(g, list);
}

/* ---- the thread ---- */

static size_t take_group(struct group *g, struct group_jobs *out)
{
    size_t n = 0;

    while (n < GROUP_MAX && !STAILQ_EMPTY(&g->queue)) {
        struct group_job *j = STAILQ_FIRST(&g->queue);

        STAILQ_REMOVE_HEAD(&g->queue, next);
        STAILQ_INSERT_TAIL(out, j, next);
        n++;
    }
    g->n -= n;
    return n;
}

static struct timespec from_now(unsigned ms)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += (long)(ms % 1000) * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}

/* Until there is a job, or `begin` has work of its own. */
static void wait_for_work(struct group *g, unsigned due)
{
    const struct timespec until = from_now(due);
    int late = 0;

    while (STAILQ_EMPTY(&g->queue) && !g->stop && late == 0)
        late = due == 0 ? pthread_cond_wait(&g->more, &g->lock)
                        : pthread_cond_timedwait(&g->more, &g->lock, &until);
}

static void *run(void *ctx)
{
    struct group *g = ctx;
    bool stop = false;

    while (!stop) {
        struct group_jobs list = STAILQ_HEAD_INITIALIZER(list);
        const unsigned due = g->ops->due != NULL ? g->ops->due(g->ctx) : 0;
        size_t n;

        pthread_mutex_lock(&g->lock);
        wait_for_work(g, due);
        n = take_group(g, &list);
        stop = n == 0 && g->stop;
        pthread_mutex_unlock(&g->lock);
        if (n > 0 || due > 0)
            work(g, &list, n);
    }
    return NULL;
}

/* ---- begin, end, jobs ---- */

enum tp_err group_new(struct group **out, const struct group_ops *ops, void *ctx,
                      struct tp_error *e)
{
    struct group *g = calloc(1, sizeof(*g));

    *out = NULL;
    if (g == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for the books");
    g->ops = ops;
    g->ctx = ctx;
    STAILQ_INIT(&g->queue);
    pthread_mutex_init(&g->lock, NULL);
    pthread_cond_init(&g->more, NULL);
    g->started = pthread_create(&g->thread, NULL, run, g) == 0;
    if (!g->started) {
        group_free(&g);
        return tp_fail(e, TP_ERR_INTERNAL, "cannot start a thread");
    }
    *out = g;
    return TP_OK;
}

static enum tp_err put(struct group *g, struct group_job *j, size_t max)
{
    enum tp_err r = TP_OK;

    pthread_mutex_lock(&g->lock);
    if (g->stop) {
        r = TP_ERR_STATE;
    } else if (g->n >= max) {
        r = TP_ERR_AGAIN;
    } else {
        STAILQ_INSERT_TAIL(&g->queue, j, next);
        g->n++;
        pthread_cond_signal(&g->more);
    }
    pthread_mutex_unlock(&g->lock);
    return r;
}

enum tp_err group_put(struct group *g, struct group_job *j)
{
    return put(g, j, GROUP_QUEUE_MAX);
}

enum tp_err group_put_always(struct group *g, struct group_job *j)
{
    return put(g, j, SIZE_MAX);
}

void group_stop(struct group *g)
{
    pthread_mutex_lock(&g->lock);
    g->stop = true;
    pthread_cond_signal(&g->more);
    pthread_mutex_unlock(&g->lock);
    if (g->started)
        pthread_join(g->thread, NULL);
    g->started = false;
}

void group_free(struct group **out)
{
    struct group *g = *out;

    if (g == NULL)
        return;
    group_stop(g);
    pthread_cond_destroy(&g->more);
    pthread_mutex_destroy(&g->lock);
    free(g);
    *out = NULL;
}
