#include "wire/link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/listener.h>
#include <event2/thread.h>
#include <openssl/err.h>

#include "base/log.h"
#include "crypto/pki.h"
#include "wire/link_priv.h"

#define LENGTH_BYTES 2
#define THREADS_MAX  64
#define LINGER_MS    1000

struct link_peer {
    atomic_uint references;
    struct loop *loop;
    char address[64];
    /* under loop->lock */
    struct evbuffer *pending; /* answers not yet handed to the bufferevent */
    unsigned answered;        /* how many they are */
    bool queued, gone, close_asked;
    STAILQ_ENTRY(link_peer) work;
    /* the loop thread's own */
    evutil_socket_t fd; /* until it is the bufferevent's */
    struct bufferevent *bev;
    struct event *deadline; /* of the handshake, then of the message that has begun to come */
    bool established, closing, paused;
    unsigned unanswered;
    void *user;
    LIST_ENTRY(link_peer) all;
};

/* A connection whose handshake was refused, until it has taken our alert. */
struct refused {
    struct event *event;
    evutil_socket_t fd;
    LIST_ENTRY(refused) all;
};

STAILQ_HEAD(peer_queue, link_peer);

struct loop {
    struct link_server *server;
    unsigned index;
    struct event_base *base;
    struct event *wake;
    pthread_t thread;
    bool started;
    pthread_mutex_t lock;
    struct peer_queue queue; /* peers with something to do for the loop thread, each with a reference */
    bool stop_asked;
    LIST_HEAD(, link_peer) peers;
    LIST_HEAD(, refused) refused;
    struct event *drain;
    bool stopping;
};

struct link_server {
    SSL_CTX *tls;
    struct link_events events;
    struct link_limits limits;
    struct evconnlistener *listener;
    struct event *stop, *again;
    int stop_fd;
    unsigned port, threads, next;
    atomic_uint connections;
    struct loop loop[THREADS_MAX];
};

static struct timeval timeval_of(unsigned ms)
{
    return (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
}

/* ---- peers ---- */

struct link_peer *link_peer_ref(struct link_peer *p)
{
    atomic_fetch_add_explicit(&p->references, 1, memory_order_relaxed);
    return p;
}

void link_peer_unref(struct link_peer *p)
{
    if (atomic_fetch_sub_explicit(&p->references, 1, memory_order_acq_rel) != 1)
        return;
    evbuffer_free(p->pending);
    free(p);
}

unsigned link_peer_thread(const struct link_peer *p)
{
    return p->loop->index;
}

const char *link_peer_address(const struct link_peer *p)
{
    return p->address;
}

/* Under loop->lock: gives the loop thread the peer to look after. True when the loop must be woken. */
static bool peer_queue(struct link_peer *p)
{
    const bool first = STAILQ_EMPTY(&p->loop->queue);

    if (p->queued)
        return false;
    p->queued = true;
    link_peer_ref(p); /* not as an argument of the macro, which would take it three times */
    STAILQ_INSERT_TAIL(&p->loop->queue, p, work);
    return first;
}

void link_send(struct link_peer *p, struct span message)
{
    const uint8_t head[LENGTH_BYTES] = {(uint8_t)(message.n >> 8), (uint8_t)message.n};
    bool wake = false;

    pthread_mutex_lock(&p->loop->lock);
    if (!p->gone && message.n > 0 && message.n <= 0xFFFF) {
        if (evbuffer_add(p->pending, head, sizeof(head)) != 0 || evbuffer_add(p->pending, message.p, message.n) != 0)
            p->close_asked = true; /* half a message must not leave with a whole one behind it */
        p->answered++;
        wake = peer_queue(p);
    }
    pthread_mutex_unlock(&p->loop->lock);
    if (wake)
        event_active(p->loop->wake, 0, 0);
}

void link_peer_close(struct link_peer *p)
{
    bool wake;

    pthread_mutex_lock(&p->loop->lock);
    p->close_asked = true;
    wake = !p->gone && peer_queue(p);
    pthread_mutex_unlock(&p->loop->lock);
    if (wake)
        event_active(p->loop->wake, 0, 0);
}

static void loop_finish_when_empty(struct loop *l)
{
    if (l->stopping && LIST_EMPTY(&l->peers))
        event_base_loopbreak(l->base);
}

/* Ends a connection; the peer stays while others hold references. */
static void peer_drop(struct link_peer *p)
{
    struct loop *l = p->loop;
    const struct link_events *on = &l->server->events;
    bool gone;

    pthread_mutex_lock(&l->lock);
    gone = p->gone;
    p->gone = true;
    pthread_mutex_unlock(&l->lock);
    if (gone)
        return;
    if (p->established) {
        SSL *ssl = bufferevent_openssl_get_ssl(p->bev);

        if (on->closed != NULL)
            on->closed(on->ctx, p->user);
        SSL_set_shutdown(ssl, SSL_RECEIVED_SHUTDOWN);
        SSL_shutdown(ssl);
        ERR_clear_error();
    }
    if (p->bev != NULL)
        bufferevent_free(p->bev);
    else if (p->fd >= 0)
        evutil_closesocket(p->fd);
    p->bev = NULL;
    if (p->deadline != NULL)
        event_free(p->deadline);
    p->deadline = NULL;
    LIST_REMOVE(p, all);
    atomic_fetch_sub(&l->server->connections, 1);
    link_peer_unref(p);
    loop_finish_when_empty(l);
}

static size_t output_waiting(const struct link_peer *p)
{
    return evbuffer_get_length(bufferevent_get_output(p->bev));
}

/* True when the peer is gone: everything owed to it has left, and it is to go. */
static bool peer_may_go(struct link_peer *p)
{
    if (output_waiting(p) != 0 || !(p->closing || (p->loop->stopping && (p->unanswered == 0 || !p->established))))
        return false;
    peer_drop(p);
    return true;
}

static void deadline_set(struct link_peer *p, unsigned ms)
{
    const struct timeval tv = timeval_of(ms);

    event_add(p->deadline, &tv);
}

static bool close_is_asked(struct link_peer *p)
{
    bool asked;

    pthread_mutex_lock(&p->loop->lock);
    asked = p->close_asked;
    pthread_mutex_unlock(&p->loop->lock);
    return asked;
}

/* Hands whole messages to the application; false when the peer is gone or to go. */
static bool read_messages(struct link_peer *p)
{
    const struct link_server *s = p->loop->server;
    struct evbuffer *in = bufferevent_get_input(p->bev);
    bool progress = false;

    while (!p->closing && !p->loop->stopping && p->unanswered < s->limits.unanswered) {
        uint8_t head[LENGTH_BYTES];
        size_t n;

        if (evbuffer_copyout(in, head, sizeof(head)) != (ev_ssize_t)sizeof(head))
            break;
        n = (size_t)(head[0] << 8 | head[1]);
        if (n == 0 || n > s->limits.message) {
            log_note("%s: announces a message of %zu bytes, at most %zu are taken: closed", p->address, n, s->limits.message);
            peer_drop(p);
            return false;
        }
        if (evbuffer_get_length(in) < LENGTH_BYTES + n)
            break;
        const unsigned char *whole = evbuffer_pullup(in, (ev_ssize_t)(LENGTH_BYTES + n));

        if (whole == NULL) {
            peer_drop(p);
            return false;
        }
        p->unanswered++;
        s->events.message(s->events.ctx, p, p->user, span_of(whole + LENGTH_BYTES, n));
        evbuffer_drain(in, LENGTH_BYTES + n);
        progress = true;
        if (close_is_asked(p))
            break;
    }
    if (progress || evbuffer_get_length(in) == 0)
        event_del(p->deadline);
    return true;
}

/* Reads what may be read, then decides whether to go on reading and how long the rest of a message may take. */
static void peer_read(struct link_peer *p)
{
    const struct link_limits *limits = &p->loop->server->limits;

    if (!read_messages(p))
        return;
    const bool full = p->unanswered >= limits->unanswered;

    if (full != p->paused) {
        p->paused = full;
        if (full)
            bufferevent_disable(p->bev, EV_READ);
        else
            bufferevent_enable(p->bev, EV_READ);
    }
    if (full)
        event_del(p->deadline);
    else if (evbuffer_get_length(bufferevent_get_input(p->bev)) > 0 && !event_pending(p->deadline, EV_TIMEOUT, NULL))
        deadline_set(p, limits->message_ms);
}

static void on_read(struct bufferevent *bev, void *ctx)
{
    struct link_peer *p = ctx;

    (void)bev;
    if (p->established && !p->closing)
        peer_read(p);
}

static void on_written(struct bufferevent *bev, void *ctx)
{
    (void)bev;
    (void)peer_may_go(ctx);
}

static void on_deadline(evutil_socket_t fd, short what, void *ctx)
{
    struct link_peer *p = ctx;

    (void)fd;
    (void)what;
    log_note("%s: %s: closed", p->address, p->established ? "a message does not come to its end" : "the TLS handshake does not come to its end");
    peer_drop(p);
}

/* ---- the end of a handshake ---- */

static void refused_free(struct refused *g)
{
    LIST_REMOVE(g, all);
    event_free(g->event);
    evutil_closesocket(g->fd);
    free(g);
}

static void on_refused_rest(evutil_socket_t fd, short what, void *ctx)
{
    uint8_t rest[4096];

    if (!(what & EV_READ) || recv(fd, rest, sizeof(rest), 0) <= 0)
        refused_free(ctx);
}

/* A refused peer must be able to read our TLS alert: closing with its bytes unread would send a reset that overtakes it. So the sending half is shut
 * and the rest of what it sends is thrown away, for at most LINGER_MS between reads. */
static void peer_refuse(const struct link_peer *p)
{
    const struct timeval tv = timeval_of(LINGER_MS);
    struct refused *g = calloc(1, sizeof(*g));

    if (g == NULL)
        return;
    g->fd = dup(bufferevent_getfd(p->bev));
    if (g->fd >= 0)
        g->event = event_new(p->loop->base, g->fd, EV_READ | EV_PERSIST, on_refused_rest, g);
    if (g->event != NULL && event_add(g->event, &tv) == 0) {
        shutdown(g->fd, SHUT_WR);
        LIST_INSERT_HEAD(&p->loop->refused, g, all);
        return;
    }
    if (g->event != NULL)
        event_free(g->event);
    if (g->fd >= 0)
        evutil_closesocket(g->fd);
    free(g);
}

static void handshake_failed(struct link_peer *p, short what)
{
    const SSL *ssl = bufferevent_openssl_get_ssl(p->bev);
    const unsigned long error = bufferevent_get_openssl_error(p->bev);
    const char *why = NULL;

    if (SSL_get_verify_result(ssl) != X509_V_OK)
        why = pki_tls_reason(ssl);
    else if (error != 0)
        why = ERR_reason_error_string(error);
    else if (what & BEV_EVENT_EOF)
        why = "the peer closed the connection";
    log_note("%s: TLS handshake refused: %s", p->address, why != NULL ? why : "the connection broke");
    peer_refuse(p);
    peer_drop(p);
}

static void handshake_done(struct link_peer *p)
{
    const struct link_server *s = p->loop->server;
    const struct timeval idle = timeval_of(s->limits.idle_ms), writing = timeval_of(s->limits.write_ms);
    char organisation[PKI_NAME_MAX], common_name[PKI_NAME_MAX];
    enum tp_err r = pki_peer_name(bufferevent_openssl_get_ssl(p->bev), organisation, common_name);

    if (r == TP_OK && s->events.opened != NULL)
        r = s->events.opened(s->events.ctx, p, organisation, common_name, &p->user);
    if (r != TP_OK) {
        log_note("%s: refused: %s", p->address, tp_err_text(r));
        peer_drop(p);
        return;
    }
    p->established = true;
    event_del(p->deadline);
    bufferevent_set_timeouts(p->bev, &idle, &writing);
    if (p->loop->stopping)
        (void)peer_may_go(p);
    else
        peer_read(p);
}

static void on_event(struct bufferevent *bev, short what, void *ctx)
{
    struct link_peer *p = ctx;

    (void)bev;
    if (what & BEV_EVENT_CONNECTED) {
        handshake_done(p);
        return;
    }
    if (!p->established) {
        handshake_failed(p, what);
        return;
    }
    if ((what & BEV_EVENT_TIMEOUT) && (what & BEV_EVENT_READING) && p->unanswered > 0) { /* idle because it waits for us */
        bufferevent_enable(p->bev, EV_READ);
        return;
    }
    if (what & BEV_EVENT_TIMEOUT)
        log_note("%s: %s: closed", p->address, what & BEV_EVENT_WRITING ? "does not read its answers" : "idle for too long");
    peer_drop(p);
}

static enum tp_err peer_open(struct link_peer *p)
{
    struct loop *l = p->loop;
    SSL *ssl = SSL_new(l->server->tls);

    p->deadline = evtimer_new(l->base, on_deadline, p);
    if (ssl == NULL || p->deadline == NULL) {
        SSL_free(ssl);
        return TP_ERR_NO_MEMORY;
    }
    p->bev = bufferevent_openssl_socket_new(l->base, p->fd, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
    if (p->bev == NULL)
        return TP_ERR_NO_MEMORY;
    p->fd = -1;
    bufferevent_openssl_set_allow_dirty_shutdown(p->bev, 1);
    bufferevent_setcb(p->bev, on_read, on_written, on_event, p);
    bufferevent_setwatermark(p->bev, EV_READ, 0, 2 * (LENGTH_BYTES + 0xFFFF));
    deadline_set(p, l->server->limits.handshake_ms);
    return bufferevent_enable(p->bev, EV_READ | EV_WRITE) == 0 ? TP_OK : TP_ERR_INTERNAL;
}

/* ---- loops ---- */

/* What others asked for this peer. */
static void peer_work(struct link_peer *p)
{
    struct loop *l = p->loop;
    unsigned answered;
    bool failed = false, gone;

    pthread_mutex_lock(&l->lock);
    p->queued = false;
    gone = p->gone;
    answered = p->answered;
    p->answered = 0;
    if (p->bev != NULL)
        failed = evbuffer_add_buffer(bufferevent_get_output(p->bev), p->pending) != 0;
    p->closing |= p->close_asked;
    pthread_mutex_unlock(&l->lock);
    if (gone)
        return;
    if (p->bev == NULL) {
        LIST_INSERT_HEAD(&l->peers, p, all);
        if (peer_open(p) != TP_OK)
            peer_drop(p);
        return;
    }
    if (p->closing)
        bufferevent_disable(p->bev, EV_READ);
    p->unanswered -= answered < p->unanswered ? answered : p->unanswered;
    if (output_waiting(p) > l->server->limits.output) {
        log_note("%s: lets more than %zu bytes of answers wait: closed", p->address, l->server->limits.output);
        failed = true;
    }
    if (failed)
        peer_drop(p);
    else if (!peer_may_go(p) && p->established && !p->closing)
        peer_read(p);
}

static void on_drain(evutil_socket_t fd, short what, void *ctx)
{
    struct loop *l = ctx;

    (void)fd;
    (void)what;
    while (!LIST_EMPTY(&l->peers))
        peer_drop(LIST_FIRST(&l->peers));
    loop_finish_when_empty(l);
}

static void loop_stop(struct loop *l)
{
    const struct timeval tv = timeval_of(l->server->limits.drain_ms);
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
            peer_drop(p);
        else
            (void)peer_may_go(p);
    }
    loop_finish_when_empty(l);
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
        peer_work(p);
        link_peer_unref(p);
    }
    if (stop)
        loop_stop(l);
}

static void *loop_run(void *ctx)
{
    struct loop *l = ctx;

    event_base_loop(l->base, EVLOOP_NO_EXIT_ON_EMPTY);
    return NULL;
}

static enum tp_err loop_init(struct loop *l, struct link_server *s, unsigned index)
{
    l->server = s;
    l->index = index;
    STAILQ_INIT(&l->queue);
    LIST_INIT(&l->peers);
    LIST_INIT(&l->refused);
    if (pthread_mutex_init(&l->lock, NULL) != 0)
        return TP_ERR_NO_MEMORY;
    l->base = event_base_new();
    if (l->base == NULL)
        return TP_ERR_NO_MEMORY;
    l->wake = event_new(l->base, -1, EV_PERSIST, on_wake, l);
    l->drain = evtimer_new(l->base, on_drain, l);
    return l->wake != NULL && l->drain != NULL ? TP_OK : TP_ERR_NO_MEMORY;
}

static void loop_clear(struct loop *l)
{
    if (l->base == NULL)
        return;
    /* NOLINTBEGIN(clang-analyzer-unix.Malloc): each takes itself out of its list */
    while (!LIST_EMPTY(&l->peers))
        peer_drop(LIST_FIRST(&l->peers));
    while (!LIST_EMPTY(&l->refused))
        refused_free(LIST_FIRST(&l->refused));
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
    event_base_loop(l->base, EVLOOP_NONBLOCK); /* libevent frees a buffer with callbacks under way only once they had their turn */
    event_base_free(l->base);
    pthread_mutex_destroy(&l->lock);
}

/* ---- the server ---- */

static void address_text(char *out, size_t cap, const struct sockaddr *sa, socklen_t n)
{
    char host[NI_MAXHOST], port[NI_MAXSERV];

    if (getnameinfo(sa, n, host, sizeof(host), port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        snprintf(out, cap, "unknown peer");
    else
        snprintf(out, cap, "%.45s:%.6s", host, port);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *sa, int n, void *ctx)
{
    struct link_server *s = ctx;
    struct loop *l = &s->loop[s->next++ % s->threads];
    struct link_peer *p = NULL;
    const int one = 1;
    bool wake;

    (void)listener;
    if (atomic_load(&s->connections) >= s->limits.connections) {
        log_note("more than %u connections: a new one is closed", s->limits.connections);
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
    pthread_mutex_lock(&l->lock);
    wake = peer_queue(p);
    pthread_mutex_unlock(&l->lock);
    if (wake)
        event_active(l->wake, 0, 0);
}

#define ACCEPT_PAUSE_MS 200

static void on_accept_error(struct evconnlistener *listener, void *ctx)
{
    struct link_server *s = ctx;
    const struct timeval tv = timeval_of(ACCEPT_PAUSE_MS);

    log_error("cannot accept a connection: %s", strerror(EVUTIL_SOCKET_ERROR()));
    evconnlistener_disable(listener); /* without a pause this would run hot until a descriptor is free again */
    event_add(s->again, &tv);
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

static enum tp_err server_listen(struct link_server *s, const char *address, const char *port, struct tp_error *e)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct sockaddr_storage bound;
    socklen_t n = sizeof(bound);
    struct addrinfo *list = NULL;
    char text[64];
    const int g = getaddrinfo(address, port, &hints, &list);

    if (g != 0)
        return tp_fail(e, TP_ERR_USAGE, "%s:%s is no address to listen on: %s", address, port, gai_strerror(g));
    s->listener = evconnlistener_new_bind(s->loop[0].base, on_accept, s, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE, 1024,
                                          list->ai_addr, (int)list->ai_addrlen);
    freeaddrinfo(list);
    if (s->listener == NULL)
        return tp_fail(e, TP_ERR_USAGE, "cannot listen on %s:%s: %s: end what listens there, or name another with --listen", address, port,
                       strerror(errno));
    evconnlistener_set_error_cb(s->listener, on_accept_error);
    if (getsockname(evconnlistener_get_fd(s->listener), (struct sockaddr *)&bound, &n) != 0)
        return tp_fail(e, TP_ERR_IO, "cannot tell the port of %s: %s", address, strerror(errno));
    address_text(text, sizeof(text), (struct sockaddr *)&bound, n);
    s->port = (unsigned)atoi(strrchr(text, ':') + 1);
    return TP_OK;
}

enum tp_err link_server_new(struct link_server **out, const char *address, const char *port, SSL_CTX *tls, unsigned threads,
                            const struct link_events *events, struct tp_error *e)
{
    struct link_server *s = calloc(1, sizeof(*s));
    enum tp_err r = TP_OK;

    *out = NULL;
    if (s == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a server");
    s->stop_fd = -1;
    s->events = *events;
    s->limits = (struct link_limits){.connections = 4096,
                                     .unanswered = 256,
                                     .message = 16384,
                                     .output = 256 * 1024,
                                     .handshake_ms = 10000,
                                     .message_ms = 10000,
                                     .idle_ms = 600000,
                                     .write_ms = 20000,
                                     .drain_ms = 5000};
    s->threads = threads < 1 ? 1 : threads > THREADS_MAX ? THREADS_MAX : threads;
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
        r = loop_init(&s->loop[i], s, i);
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
        s->loop[i].started = pthread_create(&s->loop[i].thread, NULL, loop_run, &s->loop[i]) == 0;
        if (!s->loop[i].started) {
            r = tp_fail(e, TP_ERR_INTERNAL, "cannot start a thread");
            link_server_stop(s);
        }
    }
    loop_run(&s->loop[0]);
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
        loop_clear(&s->loop[i]);
    if (s->stop_fd >= 0)
        close(s->stop_fd);
    SSL_CTX_free(s->tls);
    free(s);
    *out = NULL;
}
