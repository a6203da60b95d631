/* The server's end of a link: listens, accepts, hands connections to the loops. */
#include "wire/link.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/listener.h>
#include <event2/thread.h>

#include "base/log.h"
#include "wire/link_priv.h"
#include "wire/network.h"

#define ACCEPT_PAUSE_MS 200
#define ACCEPT_TURN     16 /* connections taken before the loop looks after those it has */
#define ACCEPT_TURN_MS  1
#define OVERSHOOT       64 /* connections over the limit while those sent away for them close */

static void address_text(char *out, size_t cap, const struct sockaddr *sa, socklen_t n)
{
    char host[NI_MAXHOST], port[NI_MAXSERV];

    if (getnameinfo(sa, n, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        snprintf(out, cap, "unknown peer");
    else
        snprintf(out, cap, "%.45s:%.6s", host, port);
}

/* One that has shown its certificate is not closed for one that has not. */
static bool room_for_one(struct link_server *s)
{
    const unsigned n = atomic_load(&s->connections);

    return n < s->limits.connections ||
           (n < s->limits.connections + OVERSHOOT && link_crowd_thin(&s->strangers));
}

static void accept_pause(struct link_server *s, struct evconnlistener *listener, unsigned ms)
{
    const struct timeval tv = link_timeval(ms);

    evconnlistener_disable(listener);
    event_add(s->again, &tv);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *sa,
                      int n, void *ctx)
{
    struct link_server *s = ctx;
    struct loop *l = &s->loop[s->next++ % s->threads];
    struct link_peer *p = NULL;
    char network[NETWORK_MAX];
    const int one = 1;
    bool wake;

    if (++s->turn % ACCEPT_TURN ==
        0) /* libevent takes all that wait otherwise, and a flood never ends */
        accept_pause(s, listener, ACCEPT_TURN_MS);
    if (!room_for_one(s)) {
        log_stranger("more than %u connections: a new one is closed", s->limits.connections);
    } else {
        p = calloc(1, sizeof(*p));
        if (p != NULL)
            p->pending = evbuffer_new();
    }
    if (p == NULL || p->pending == NULL) {
        free(p);
        evutil_closesocket(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    address_text(p->address, sizeof(p->address), sa, (socklen_t)n);
    p->references = 1;
    p->loop = l;
    p->fd = fd;
    atomic_fetch_add(&s->connections, 1);
    network_of(network, sa);
    link_crowd_enter(&s->strangers, p, network, s->limits.of_network, s->limits.strangers);
    pthread_mutex_lock(&l->lock);
    wake = link_peer_queue(p);
    pthread_mutex_unlock(&l->lock);
    if (wake)
        event_active(l->wake, 0, 0);
}

static void on_accept_error(struct evconnlistener *listener, void *ctx)
{
    struct link_server *s = ctx;

    log_stranger("cannot accept a connection: %s", strerror(EVUTIL_SOCKET_ERROR()));
    (void)link_crowd_thin(&s->strangers); /* it has a descriptor that another can use better */
    accept_pause(
        s, listener,
        ACCEPT_PAUSE_MS); /* without it this would run hot until a descriptor is free again */
}

static void on_again(evutil_socket_t fd, short what, void *ctx)
{
    struct link_server *s = ctx;

    (void)fd;
    (void)what;
    if (s->listener != NULL)
        evconnlistener_enable(s->listener);
}

static void on_stop(evutil_socket_t fd, short what, void *ctx)
{
    struct link_server *s = ctx;

    (void)fd;
    (void)what;
    event_del(s->stop);
    if (s->listener != NULL)
        evconnlistener_free(s->listener);
    s->listener = NULL;
    for (unsigned i = 0; i < s->threads; i++) {
        pthread_mutex_lock(&s->loop[i].lock);
        s->loop[i].stop_asked = true;
        pthread_mutex_unlock(&s->loop[i].lock);
        event_active(s->loop[i].wake, 0, 0);
    }
}

static enum tp_err server_listen(struct link_server *s, const char *address, const char *port,
                                 struct tp_error *e)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct sockaddr_storage bound;
    socklen_t n = sizeof(bound);
    struct addrinfo *list = NULL;
    char text[64];
    const int g = getaddrinfo(address, port, &hints, &list);

    if (g != 0)
        return tp_fail(e, TP_ERR_USAGE, "%s:%s is no address to listen on: %s", address, port,
                       gai_strerror(g));
    s->listener =
        evconnlistener_new_bind(s->loop[0].base, on_accept, s,
                                LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE,
                                1024, list->ai_addr, (int)list->ai_addrlen);
    freeaddrinfo(list);
    if (s->listener == NULL)
        return tp_fail(
            e, TP_ERR_USAGE,
            "cannot listen on %s:%s: %s: end what listens there, or name another with --listen",
            address, port, strerror(errno));
    evconnlistener_set_error_cb(s->listener, on_accept_error);
    if (getsockname(evconnlistener_get_fd(s->listener), (struct sockaddr *)&bound, &n) != 0)
        return tp_fail(e, TP_ERR_IO, "cannot tell the port of %s: %s", address, strerror(errno));
    address_text(text, sizeof(text), (struct sockaddr *)&bound, n);
    s->port = (unsigned)atoi(strrchr(text, ':') + 1);
    return TP_OK;
}

enum tp_err link_server_new(struct link_server **out, const char *address, const char *port,
                            SSL_CTX *tls, unsigned threads, const struct link_events *events,
                            struct tp_error *e)
{
    struct link_server *s = calloc(1, sizeof(*s));
    enum tp_err r = TP_OK;

    *out = NULL;
    if (s == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a server");
    s->stop_fd = -1;
    link_crowd_init(&s->strangers);
    link_crowd_init(&s->known);
    s->events = *events;
    s->limits = (struct link_limits){.connections = 4096,
                                     .strangers = 1024,
                                     .of_network = 256,
                                     .of_name = 64,
                                     .unanswered = 256,
                                     .message = LINK_MESSAGE_MAX,
                                     .output = 256 * 1024,
                                     .handshake_ms = 10000,
                                     .message_ms = 10000,
                                     .idle_ms = 600000,
                                     .write_ms = 20000,
                                     .drain_ms = 5000};
    s->threads = threads < 1 ? 1 : threads > LINK_THREADS_MAX ? LINK_THREADS_MAX : threads;
    link_ignore_sigpipe();
    /* No resumption: a terminal shows its certificate on every connection. */
    SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(tls, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(tls, 0);
    if (SSL_CTX_up_ref(tls) == 1)
        s->tls = tls;
    if (evthread_use_pthreads() != 0)
        r = TP_ERR_INTERNAL;
    for (unsigned i = 0; r == TP_OK && i < s->threads; i++)
        r = link_loop_init(&s->loop[i], s, i);
    s->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (r == TP_OK && s->stop_fd >= 0) {
        s->stop = event_new(s->loop[0].base, s->stop_fd, EV_READ | EV_PERSIST, on_stop, s);
        s->again = evtimer_new(s->loop[0].base, on_again, s);
    }
    if (s->stop == NULL || s->again == NULL || event_add(s->stop, NULL) != 0)
        r = tp_fail(e, r == TP_OK ? TP_ERR_NO_MEMORY : r, "cannot make an event loop");
    if (r == TP_OK)
        r = server_listen(s, address, port, e);
    if (r == TP_OK)
        *out = s;
    else
        link_server_free(&s);
    return r;
}

struct link_limits *link_server_limits(struct link_server *s)
{
    return &s->limits;
}

unsigned link_server_port(const struct link_server *s)
{
    return s->port;
}

enum tp_err link_server_run(struct link_server *s, struct tp_error *e)
{
    enum tp_err r = TP_OK;

    for (unsigned i = 1; i < s->threads; i++) {
        s->loop[i].started =
            pthread_create(&s->loop[i].thread, NULL, link_loop_run, &s->loop[i]) == 0;
        if (!s->loop[i].started) {
            r = tp_fail(e, TP_ERR_INTERNAL, "cannot start a thread");
            link_server_stop(s);
        }
    }
    link_loop_run(&s->loop[0]);
    for (unsigned i = 1; i < s->threads; i++)
        if (s->loop[i].started)
            pthread_join(s->loop[i].thread, NULL);
    return r;
}

void link_server_stop(struct link_server *s)
{
    const uint64_t one = 1;

    if (write(s->stop_fd, &one, sizeof(one)) < 0)
        return; /* full: it has been asked for already */
}

void link_server_free(struct link_server **out)
{
    struct link_server *s = *out;

    if (s == NULL)
        return;
    if (s->listener != NULL)
        evconnlistener_free(s->listener);
    if (s->stop != NULL)
        event_free(s->stop);
    if (s->again != NULL)
        event_free(s->again);
    for (unsigned i = 0; i < s->threads; i++)
        link_loop_clear(&s->loop[i]);
    if (s->stop_fd >= 0)
        close(s->stop_fd);
    SSL_CTX_free(s->tls);
    link_crowd_clear(&s->strangers);
    link_crowd_clear(&s->known);
    free(s);
    *out = NULL;
}
