#include "wire/guests.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>

#include "base/date.h"
#include "base/log.h"

#define LOOK_MS 500

struct guest {
    int fd;
    int64_t until;             /* monotonic, ms; 0: none */
    char name[GUEST_NAME_MAX]; /* "": not known yet */
    bool ended;
    TAILQ_ENTRY(guest) link;
};

struct guests {
    pthread_mutex_t lock;
    pthread_cond_t stop;
    pthread_t watch;
    bool stopping;
    unsigned n, most;
    TAILQ_HEAD(, guest) all; /* in the order they came */
};

/* libmicrohttpd, which owns the descriptor, sees the end of the stream. */
static void end(struct guest *one)
{
    one->ended = true;
    (void)shutdown(one->fd, SHUT_RDWR);
}

static unsigned end_late(struct guests *g, int64_t now)
{
    struct guest *one;
    unsigned n = 0;

    TAILQ_FOREACH (one, &g->all, link) {
        if (!one->ended && one->until != 0 && one->until <= now) {
            end(one);
            n++;
        }
    }
    return n;
}

static void *watch(void *ctx)
{
    struct guests *g = ctx;
    struct timespec until;

    pthread_mutex_lock(&g->lock);
    while (!g->stopping) {
        const unsigned n = end_late(g, time_monotonic_ms());

        if (n > 0)
            log_trace("%u connections were too slow", n);
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += LOOK_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        (void)pthread_cond_timedwait(&g->stop, &g->lock, &until);
    }
    pthread_mutex_unlock(&g->lock);
    return NULL;
}

enum tp_err guests_new(struct guests **out, unsigned most, struct tp_error *e)
{
    struct guests *g = calloc(1, sizeof(*g));
    pthread_condattr_t clock;

    *out = NULL;
    if (g == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    g->most = most;
    TAILQ_INIT(&g->all);
    pthread_mutex_init(&g->lock, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&g->stop, &clock);
    pthread_condattr_destroy(&clock);
    if (pthread_create(&g->watch, NULL, watch, g) != 0) {
        free(g);
        return tp_fail(e, TP_ERR_NO_MEMORY, "cannot start a thread");
    }
    *out = g;
    return TP_OK;
}

void guests_free(struct guests **out)
{
    struct guests *g = *out;

    if (g == NULL)
        return;
    pthread_mutex_lock(&g->lock);
    g->stopping = true;
    pthread_cond_signal(&g->stop);
    pthread_mutex_unlock(&g->lock);
    pthread_join(g->watch, NULL);
    pthread_cond_destroy(&g->stop);
    pthread_mutex_destroy(&g->lock);
    free(g);
    *out = NULL;
}

static void make_room(struct guests *g)
{
    struct guest *one;

    TAILQ_FOREACH (one, &g->all, link) {
        if (one->name[0] == '\0' && !one->ended) {
            end(one);
            return;
        }
    }
}

struct guest *guests_arrive(struct guests *g, int fd, unsigned seconds)
{
    struct guest *one = calloc(1, sizeof(*one));

    if (one == NULL)
        return NULL;
    one->fd = fd;
    one->until = time_monotonic_ms() + (int64_t)seconds * 1000;
    pthread_mutex_lock(&g->lock);
    if (g->n >= g->most - g->most / 4)
        make_room(g);
    TAILQ_INSERT_TAIL(&g->all, one, link);
    g->n++;
    pthread_mutex_unlock(&g->lock);
    return one;
}

void guests_leave(struct guests *g, struct guest *one)
{
    if (one == NULL)
        return;
    pthread_mutex_lock(&g->lock);
    TAILQ_REMOVE(&g->all, one, link);
    g->n--;
    pthread_mutex_unlock(&g->lock);
    free(one);
}

void guests_deadline(struct guests *g, struct guest *one, uint64_t seconds)
{
    if (one == NULL)
        return;
    pthread_mutex_lock(&g->lock);
    one->until = seconds > 0 ? time_monotonic_ms() + (int64_t)seconds * 1000 : 0;
    pthread_mutex_unlock(&g->lock);
}

static void bound_name(struct guests *g, const char *name)
{
    struct guest *one, *oldest = NULL;
    unsigned n = 0;

    TAILQ_FOREACH (one, &g->all, link) {
        if (one->ended || strcmp(one->name, name) != 0)
            continue;
        if (n++ == 0)
            oldest = one;
    }
    if (n > g->most / 4)
        end(oldest);
}

void guests_named(struct guests *g, struct guest *one, const char *name)
{
    if (one == NULL || strcmp(one->name, name) == 0)
        return;
    pthread_mutex_lock(&g->lock);
    snprintf(one->name, sizeof(one->name), "%s", name);
    bound_name(g, name);
    pthread_mutex_unlock(&g->lock);
}
