#include "service/kiosk.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <time.h>
#include <unistd.h>

#include "base/date.h"
#include "base/log.h"
#include "wire/http_flow.h"

#define ROOM    65536
#define TICK_MS 50
#define LEAD_MS 1000 /* that a listener has in hand */

struct played {
    TAILQ_ENTRY(played) next;
    struct http_flow *flow;
    int fd;
    int64_t rate, sent, since; /* since: monotonic ms */
};
TAILQ_HEAD(playing, played);

struct kiosk {
    pthread_t thread;
    bool started, stop; /* stop under lock */
    pthread_mutex_t lock;
    struct playing fresh;   /* under lock: not yet taken by the thread */
    struct playing playing; /* the thread's */
};

static void played_free(struct played *p)
{
    http_flow_drop(&p->flow);
    close(p->fd);
    free(p);
}

/* False: it is at its end, cannot be read, or nobody takes it any more. */
static bool go_on(struct played *p, int64_t now)
{
    static uint8_t bytes[ROOM]; /* the thread's */
    size_t n = http_flow_room(p->flow);
    const int64_t due =
        p->rate > 0 ? p->rate * (now - p->since + LEAD_MS) / 1000 - p->sent : (int64_t)n;
    ssize_t got;

    if (http_flow_is_left(p->flow))
        return false;
    if (due < (int64_t)n)
        n = due > 0 ? (size_t)due : 0;
    if (n == 0)
        return true;
    got = read(p->fd, bytes, n);
    if (got <= 0)
        return false;
    p->sent += (int64_t)http_flow_put(p->flow, span_of(bytes, (size_t)got));
    return true;
}

static bool take_fresh(struct kiosk *k)
{
    bool stop;

    pthread_mutex_lock(&k->lock);
    TAILQ_CONCAT(&k->playing, &k->fresh, next);
    stop = k->stop;
    pthread_mutex_unlock(&k->lock);
    return !stop;
}

static void *run(void *ctx)
{
    const struct timespec tick = {.tv_nsec = TICK_MS * 1000000L};
    struct kiosk *k = ctx;

    while (take_fresh(k)) {
        const int64_t now = time_monotonic_ms();
        struct played *p, *next;

        for (p = TAILQ_FIRST(&k->playing); p != NULL; p = next) {
            next = TAILQ_NEXT(p, next);
            if (go_on(p, now))
                continue;
            TAILQ_REMOVE(&k->playing, p, next);
            played_free(p);
        }
        nanosleep(&tick, NULL);
    }
    return NULL;
}

enum tp_err kiosk_open(struct kiosk **out, struct tp_error *e)
{
    struct kiosk *k = calloc(1, sizeof(*k));

    *out = k;
    if (k == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    pthread_mutex_init(&k->lock, NULL);
    TAILQ_INIT(&k->fresh);
    TAILQ_INIT(&k->playing);
    k->started = pthread_create(&k->thread, NULL, run, k) == 0;
    return k->started ? TP_OK
                      : tp_fail(e, TP_ERR_NO_MEMORY, "what is sold by duration cannot be sent");
}

void kiosk_close(struct kiosk **out)
{
    struct kiosk *k = *out;
    struct played *p;

    if (k == NULL)
        return;
    pthread_mutex_lock(&k->lock);
    k->stop = true;
    pthread_mutex_unlock(&k->lock);
    if (k->started)
        pthread_join(k->thread, NULL);
    (void)take_fresh(k);
    while ((p = TAILQ_FIRST(&k->playing)) != NULL) {
        TAILQ_REMOVE(&k->playing, p, next);
        played_free(p);
    }
    pthread_mutex_destroy(&k->lock);
    free(k);
    *out = NULL;
}

void kiosk_play(struct kiosk *k, struct http_call *call, const char *type, int fd, int64_t rate)
{
    struct played *p = calloc(1, sizeof(*p));

    if (p == NULL || (p->flow = http_flow_new(ROOM)) == NULL) {
        free(p);
        close(fd);
        http_answer_busy(call, "no memory for a stream now: ask again");
        return;
    }
    p->fd = fd;
    p->rate = rate;
    p->since = time_monotonic_ms();
    http_flow_answer(call, MHD_HTTP_OK, p->flow);
    http_answer_header(call, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    pthread_mutex_lock(&k->lock);
    TAILQ_INSERT_TAIL(&k->fresh, p, next);
    pthread_mutex_unlock(&k->lock);
}
