/* The server's loop threads: what wakes them, and how they come to their end. */
#include <pthread.h>

#include <event2/bufferevent.h>

#include "wire/link_priv.h"

#define DISPATCH_MAX 16

void link_loop_finish(struct loop *l)
{
    if (l->stopping && LIST_EMPTY(&l->peers))
        event_base_loopbreak(l->base);
}

static void on_drain(evutil_socket_t fd, short what, void *ctx)
{
    struct loop *l = ctx;

    (void)fd;
    (void)what;
    while (!LIST_EMPTY(&l->peers))
        link_peer_drop(LIST_FIRST(&l->peers));
    link_loop_finish(l);
}

static void loop_stop(struct loop *l)
{
    const struct timeval tv = link_timeval(l->server->limits.drain_ms);
    struct link_peer *p, *next;

    l->stopping = true;
    event_add(l->drain, &tv);
    for (p = LIST_FIRST(&l->peers); p != NULL; p = next) {
        next = LIST_NEXT(p, all);
        if (p->bev != NULL && p->established) {
            bufferevent_disable(p->bev, EV_READ);
            event_del(p->deadline);
        }
        if (p->bev == NULL || !p->established)
            link_peer_drop(p);
        else
            (void)link_peer_may_go(p);
    }
    link_loop_finish(l);
}

static void on_wake(evutil_socket_t fd, short what, void *ctx)
{
    struct loop *l = ctx;
    struct peer_queue now = STAILQ_HEAD_INITIALIZER(now);
    struct link_peer *p;
    bool stop;

    (void)fd;
    (void)what;
    pthread_mutex_lock(&l->lock);
    STAILQ_CONCAT(&now, &l->queue);
    stop = l->stop_asked && !l->stopping;
    pthread_mutex_unlock(&l->lock);
    while ((p = STAILQ_FIRST(&now)) != NULL) {
        STAILQ_REMOVE_HEAD(&now, work);
        link_peer_work(p);
        link_peer_unref(p);
    }
    if (stop)
        loop_stop(l);
}

void *link_loop_run(void *ctx)
{
    struct loop *l = ctx;

    event_base_loop(l->base, EVLOOP_NO_EXIT_ON_EMPTY);
    return NULL;
}

enum tp_err link_loop_init(struct loop *l, struct link_server *s, unsigned index)
{
    struct event_config *config = event_config_new();

    l->server = s;
    l->index = index;
    STAILQ_INIT(&l->queue);
    LIST_INIT(&l->peers);
    LIST_INIT(&l->refused);
    pthread_mutex_init(&l->lock, NULL);
    /* The loop looks for what others send after so many callbacks, however much one peer has given
     * it to do. */
    if (config != NULL &&
        event_config_set_max_dispatch_interval(config, NULL, DISPATCH_MAX, 0) == 0)
        l->base = event_base_new_with_config(config);
    if (config != NULL)
        event_config_free(config);
    if (l->base == NULL)
        return TP_ERR_NO_MEMORY;
    l->wake = event_new(l->base, -1, EV_PERSIST, on_wake, l);
    l->drain = evtimer_new(l->base, on_drain, l);
    return l->wake != NULL && l->drain != NULL ? TP_OK : TP_ERR_NO_MEMORY;
}

void link_loop_clear(struct loop *l)
{
    if (l->base == NULL)
        return;
    /* NOLINTBEGIN(clang-analyzer-unix.Malloc): each takes itself out of its list */
    while (!LIST_EMPTY(&l->peers))
        link_peer_drop(LIST_FIRST(&l->peers));
    while (!LIST_EMPTY(&l->refused))
        link_refused_free(LIST_FIRST(&l->refused));
    /* NOLINTEND(clang-analyzer-unix.Malloc) */
    while (!STAILQ_EMPTY(&l->queue)) {
        struct link_peer *p = STAILQ_FIRST(&l->queue);

        STAILQ_REMOVE_HEAD(&l->queue, work);
        if (p->fd >= 0)
            evutil_closesocket(p->fd);
        link_peer_unref(p);
    }
    event_base_loop(l->base, EVLOOP_NONBLOCK); /* bufferevents end in a callback of their own */
    if (l->wake != NULL)
        event_free(l->wake);
    if (l->drain != NULL)
        event_free(l->drain);
    event_base_loop(l->base, EVLOOP_NONBLOCK); /* libevent frees a buffer with callbacks under way
                                                  only once they had their turn */
    event_base_free(l->base);
    pthread_mutex_destroy(&l->lock);
}
