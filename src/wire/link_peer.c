/* The server's connections: their messages in and out, the handshake, time limits, and their end. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>

#include "base/log.h"
#include "crypto/pki.h"
#include "wire/link_priv.h"

#define LENGTH_BYTES 2
#define LINGER_MS    1000

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

bool link_peer_queue(struct link_peer *p)
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
        wake = link_peer_queue(p);
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
    wake = !p->gone && link_peer_queue(p);
    pthread_mutex_unlock(&p->loop->lock);
    if (wake)
        event_active(p->loop->wake, 0, 0);
}

void link_peer_drop(struct link_peer *p)
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
    link_loop_finish(l);
}

static size_t output_waiting(const struct link_peer *p)
{
    return evbuffer_get_length(bufferevent_get_output(p->bev));
}

bool link_peer_may_go(struct link_peer *p)
{
    if (output_waiting(p) != 0 || !(p->closing || (p->loop->stopping && (p->unanswered == 0 || !p->established))))
        return false;
    link_peer_drop(p);
    return true;
}

static void deadline_set(struct link_peer *p, unsigned ms)
{
    const struct timeval tv = link_timeval(ms);

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
            link_peer_drop(p);
            return false;
        }
        if (evbuffer_get_length(in) < LENGTH_BYTES + n)
            break;
        const unsigned char *whole = evbuffer_pullup(in, (ev_ssize_t)(LENGTH_BYTES + n));

        if (whole == NULL) {
            link_peer_drop(p);
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
    (void)link_peer_may_go(ctx);
}

static void on_deadline(evutil_socket_t fd, short what, void *ctx)
{
    struct link_peer *p = ctx;

    (void)fd;
    (void)what;
    log_note("%s: %s: closed", p->address, p->established ? "a message does not come to its end" : "the TLS handshake does not come to its end");
    link_peer_drop(p);
}

/* ---- the end of a handshake ---- */

void link_refused_free(struct refused *g)
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
        link_refused_free(ctx);
}

/* A refused peer must be able to read our TLS alert: closing with its bytes unread would send a reset that overtakes it. So the sending half is shut
 * and the rest of what it sends is thrown away, for at most LINGER_MS between reads. */
static void peer_refuse(const struct link_peer *p)
{
    const struct timeval tv = link_timeval(LINGER_MS);
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
    link_peer_drop(p);
}

static void handshake_done(struct link_peer *p)
{
    const struct link_server *s = p->loop->server;
    const struct timeval idle = link_timeval(s->limits.idle_ms), writing = link_timeval(s->limits.write_ms);
    char organisation[PKI_NAME_MAX], common_name[PKI_NAME_MAX];
    enum tp_err r = pki_peer_name(bufferevent_openssl_get_ssl(p->bev), organisation, common_name);

    if (r == TP_OK && s->events.opened != NULL)
        r = s->events.opened(s->events.ctx, p, organisation, common_name, &p->user);
    if (r != TP_OK) {
        log_note("%s: refused: %s", p->address, tp_err_text(r));
        link_peer_drop(p);
        return;
    }
    p->established = true;
    event_del(p->deadline);
    bufferevent_set_timeouts(p->bev, &idle, &writing);
    if (p->loop->stopping)
        (void)link_peer_may_go(p);
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
    link_peer_drop(p);
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

/* ---- on the loop thread ---- */

void link_peer_work(struct link_peer *p)
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
            link_peer_drop(p);
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
        link_peer_drop(p);
    else if (!link_peer_may_go(p) && p->established && !p->closing)
        peer_read(p);
}
