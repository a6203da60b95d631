/* The server's connections: their messages in and out, the handshake, time limits, and their end.
 */
#include <errno.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>

#include "base/date.h"
#include "base/log.h"
#include "base/text.h"
#include "crypto/pki.h"
#include "wire/link_priv.h"

#define LENGTH_BYTES 2
#define LINGER_MS    1000
#define LINGERING    64 /* of a loop, at once */
#define TURN         16 /* messages of one peer before others have their turn */
#define HEAD_BYTES   8  /* by which another kind of header is known */

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
        if (evbuffer_add(p->pending, head, sizeof(head)) != 0 ||
            evbuffer_add(p->pending, message.p, message.n) != 0)
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
    p->fd = -1;
    p->bev = NULL;
    if (p->deadline != NULL)
        event_free(p->deadline);
    p->deadline = NULL;
    LIST_REMOVE(p, all);
    link_crowd_leave(&l->server->strangers, p);
    link_crowd_leave(&l->server->known, p);
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
    if (output_waiting(p) != 0 ||
        !(p->closing || (p->loop->stopping && (p->unanswered == 0 || !p->established))))
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

static void header_wrong(struct link_peer *p, const char *what, const char *looks_like)
{
    log_stranger("%s: %s; it looks like %s: wanted is a length of 2 bytes, high byte first, that "
                 "counts the message alone: closed",
                 p->address, what, looks_like);
    link_peer_drop(p);
}

/* The length of the message that has begun to come; 0: no header yet. False: no good one, and the
 * peer is gone. */
static bool read_header(size_t *length, struct link_peer *p)
{
    const struct link_limits *limits = &p->loop->server->limits;
    uint8_t head[HEAD_BYTES];
    const ev_ssize_t got = evbuffer_copyout(bufferevent_get_input(p->bev), head, sizeof(head));
    /* who has another kind of header has it from the first message on */
    const char *other =
        got >= LENGTH_BYTES && !p->spoken ? link_header_other(head, (size_t)got) : NULL;
    *length = got < LENGTH_BYTES ? 0 : (size_t)(head[0] << 8 | head[1]);
    if (got < LENGTH_BYTES)
        return true;
    if (other != NULL) {
        header_wrong(p, "not our header", other);
        return false;
    }
    if (*length == 0 || *length > limits->message) {
        log_stranger("%s: announces a message of %zu bytes, at most %zu are taken: closed",
                     p->address, *length, limits->message);
        link_peer_drop(p);
        return false;
    }
    return true;
}

/* What is left for the next turn is not forgotten. */
static void take_turns(struct link_peer *p)
{
    bool wake;

    pthread_mutex_lock(&p->loop->lock);
    wake = link_peer_queue(p);
    pthread_mutex_unlock(&p->loop->lock);
    if (wake)
        event_active(p->loop->wake, 0, 0);
}

/* Hands whole messages to the application, some a turn; false when the peer is gone or to go. */
static bool read_messages(struct link_peer *p)
{
    const struct link_server *s = p->loop->server;
    struct evbuffer *in = bufferevent_get_input(p->bev);
    unsigned taken = 0;

    while (taken < TURN && !p->closing && !p->loop->stopping &&
           p->unanswered < s->limits.unanswered) {
        size_t n;

        if (!read_header(&n, p))
            return false;
        if (n == 0 || evbuffer_get_length(in) < LENGTH_BYTES + n)
            break;
        const unsigned char *whole = evbuffer_pullup(in, (ev_ssize_t)(LENGTH_BYTES + n));

        if (whole == NULL) {
            link_peer_drop(p);
            return false;
        }
        p->unanswered++;
        p->spoken = true;
        s->events.message(s->events.ctx, p, p->user, span_of(whole + LENGTH_BYTES, n));
        evbuffer_drain(in, LENGTH_BYTES + n);
        taken++;
        if (close_is_asked(p))
            break;
    }
    if (taken == TURN)
        take_turns(p);
    if (taken > 0 || evbuffer_get_length(in) == 0)
        event_del(p->deadline);
    return true;
}

/* Reads what may be read, then decides whether to go on reading and how long the rest of a message
 * may take. */
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
    else if (evbuffer_get_length(bufferevent_get_input(p->bev)) > 0 &&
             !event_pending(p->deadline, EV_TIMEOUT, NULL))
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

static void unfinished(struct link_peer *p)
{
    struct evbuffer *in = bufferevent_get_input(p->bev);
    uint8_t head[HEAD_BYTES];
    const ev_ssize_t got = evbuffer_copyout(in, head, sizeof(head));
    const char *other =
        got > 0 ? link_header_unfinished(head, (size_t)got, evbuffer_get_length(in)) : NULL;

    if (other != NULL) {
        header_wrong(p, "a message does not come to its end", other);
        return;
    }
    log_stranger("%s: a message does not come to its end: closed", p->address);
    link_peer_drop(p);
}

static void on_deadline(evutil_socket_t fd, short what, void *ctx)
{
    struct link_peer *p = ctx;

    (void)fd;
    (void)what;
    if (p->established) {
        unfinished(p);
    } else {
        log_stranger("%s: the TLS handshake does not come to its end: closed", p->address);
        link_peer_drop(p);
    }
}

/* ---- the end of a handshake ---- */

void link_refused_free(struct refused *g)
{
    LIST_REMOVE(g, all);
    g->loop->refused_n--;
    event_free(g->event);
    evutil_closesocket(g->fd);
    free(g);
}

static void on_refused_rest(evutil_socket_t fd, short what, void *ctx)
{
    const struct refused *g = ctx;
    uint8_t rest[4096];

    if (!(what & EV_READ) || time_monotonic_ms() >= g->until ||
        recv(fd, rest, sizeof(rest), 0) <= 0)
        link_refused_free(ctx);
}

/* A refused peer must be able to read our TLS alert: closing with its bytes unread would send a
 * reset that overtakes it. So the sending half is shut and the rest of what it sends is thrown
 * away, for at most LINGER_MS. */
static void peer_refuse(const struct link_peer *p)
{
    const struct timeval tv = link_timeval(LINGER_MS);
    struct refused *g = p->loop->refused_n < LINGERING ? calloc(1, sizeof(*g)) : NULL;

    if (g == NULL)
        return;
    g->loop = p->loop;
    g->until = time_monotonic_ms() + LINGER_MS;
    g->fd = dup(bufferevent_getfd(p->bev));
    if (g->fd >= 0)
        g->event = event_new(p->loop->base, g->fd, EV_READ | EV_PERSIST, on_refused_rest, g);
    if (g->event != NULL && event_add(g->event, &tv) == 0) {
        shutdown(g->fd, SHUT_WR);
        LIST_INSERT_HEAD(&p->loop->refused, g, all);
        p->loop->refused_n++;
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
    log_stranger("%s: TLS handshake refused: %s", p->address,
                 why != NULL ? why : _("the connection broke"));
    peer_refuse(p);
    link_peer_drop(p);
}

static void handshake_done(struct link_peer *p)
{
    const struct link_server *s = p->loop->server;
    const struct timeval idle = link_timeval(s->limits.idle_ms),
                         writing = link_timeval(s->limits.write_ms);
    char organisation[PKI_NAME_MAX], common_name[PKI_NAME_MAX], name[LINK_KEY_MAX];
    enum tp_err r = pki_peer_name(bufferevent_openssl_get_ssl(p->bev), organisation, common_name);

    if (r == TP_OK && s->events.opened != NULL)
        r = s->events.opened(s->events.ctx, p, organisation, common_name, &p->user);
    if (r != TP_OK) {
        log_stranger("%s: refused: %s", p->address, tp_err_text(r));
        link_peer_drop(p);
        return;
    }
    p->established = true;
    SSL_set_msg_callback(bufferevent_openssl_get_ssl(p->bev), NULL);
    snprintf(name, sizeof(name), "%.90s/%.90s", organisation, common_name);
    link_crowd_leave(&p->loop->server->strangers, p);
    link_crowd_enter(&p->loop->server->known, p, name, s->limits.of_name, s->limits.connections);
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
    if ((what & BEV_EVENT_TIMEOUT) && (what & BEV_EVENT_READING) &&
        p->unanswered > 0) { /* idle because it waits for us */
        bufferevent_enable(p->bev, EV_READ);
        return;
    }
    if (!(what & BEV_EVENT_TIMEOUT) && !p->spoken &&
        evbuffer_get_length(bufferevent_get_input(p->bev)) > 0) {
        unfinished(
            p); /* it gave up before us: it waited for an answer to what it thinks is a message */
        return;
    }
    if (what & BEV_EVENT_TIMEOUT)
        log_note("%s: %s: closed", p->address,
                 what & BEV_EVENT_WRITING ? _("does not read its answers")
                                          : _("idle for too long"));
    link_peer_drop(p);
}

static void on_tls_message(int sent, int version, int type, const void *p, size_t n, SSL *ssl,
                           void *ctx)
{
    struct link_peer *peer = ctx;

    (void)version;
    (void)p;
    (void)n;
    (void)ssl;
    if (!sent && type == SSL3_RT_HANDSHAKE)
        atomic_store(&peer->talks, true);
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
    SSL_set_msg_callback(ssl, on_tls_message);
    SSL_set_msg_callback_arg(ssl, p);
    p->bev = bufferevent_openssl_socket_new(l->base, p->fd, ssl, BUFFEREVENT_SSL_ACCEPTING,
                                            BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
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
    bool failed = false, gone, sent_away;

    pthread_mutex_lock(&l->lock);
    p->queued = false;
    gone = p->gone;
    sent_away = p->sent_away;
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
        if (sent_away || peer_open(p) != TP_OK)
            link_peer_drop(p);
        return;
    }
    if (sent_away) {
        log_stranger("%s: too many connections like this one: the oldest is closed", p->address);
        link_peer_drop(p);
        return;
    }
    if (p->closing)
        bufferevent_disable(p->bev, EV_READ);
    p->unanswered -= answered < p->unanswered ? answered : p->unanswered;
    if (output_waiting(p) > l->server->limits.output) {
        log_note("%s: lets more than %zu bytes of answers wait: closed", p->address,
                 l->server->limits.output);
        failed = true;
    }
    if (failed)
        link_peer_drop(p);
    else if (!link_peer_may_go(p) && p->established && !p->closing)
        peer_read(p);
}
