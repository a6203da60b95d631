#include "wire/link_line.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/thread.h>
#include <openssl/err.h>

#include "base/date.h"
#include "crypto/pki.h"
#include "wire/link_priv.h"

#define LENGTH_BYTES 2

enum line_state { LINE_DOWN, LINE_CONNECTING, LINE_UP };

struct link_line {
    char host[256], port[8];
    SSL_CTX *tls;
    struct link_line_limits limits;
    struct link_line_events events;
    struct event_base *base;
    struct event *ticker, *waker;
    struct bufferevent *bev;
    SSL *ssl; /* owned by bev */
    enum line_state state;
    int64_t until; /* of the attempt under way, or of the pause before the next */
    int pause_ms;
    pthread_t thread;
    bool started;
    int stopping;
    uint8_t message[1 << 16];
};

/* ---- up and down ---- */

static void hang_up(struct link_line *l)
{
    if (l->bev != NULL) {
        if (l->state == LINE_UP) { /* say goodbye; do not wait for the other's */
            SSL_set_shutdown(l->ssl, SSL_RECEIVED_SHUTDOWN);
            SSL_shutdown(l->ssl);
        }
        bufferevent_free(l->bev);
    }
    l->bev = NULL;
    l->ssl = NULL;
    l->state = LINE_DOWN;
}

static void go_down(struct link_line *l, const struct tp_error *e)
{
    hang_up(l);
    l->until = time_monotonic_ms() + l->pause_ms;
    l->pause_ms =
        2 * l->pause_ms < l->limits.last_pause_ms ? 2 * l->pause_ms : l->limits.last_pause_ms;
    l->events.down(l->events.ctx, e);
}

static void explain(struct tp_error *e, const struct link_line *l, short what,
                    unsigned long tls_error, int socket_error)
{
    const int alert = link_tls_alert(tls_error);
    const char *doing = l->state == LINE_UP ? "while it was used" : "as it was made";

    if (SSL_get_verify_result(l->ssl) != X509_V_OK)
        (void)tp_fail(e, TP_ERR_SECURITY, "%s:%s is not to be trusted: %s", l->host, l->port,
                      pki_tls_reason(l->ssl));
    else if (link_alert_is_of_certificate(alert))
        (void)tp_fail(e, TP_ERR_SECURITY, "%s:%s refuses our certificate: %s", l->host, l->port,
                      pki_tls_reason(l->ssl));
    else if ((what & BEV_EVENT_ERROR) && socket_error != 0)
        (void)tp_fail(e, TP_ERR_PEER, "%s:%s: the connection broke %s: %s", l->host, l->port, doing,
                      strerror(socket_error));
    else
        (void)tp_fail(e, TP_ERR_PEER, "%s:%s closed the connection %s", l->host, l->port, doing);
}

static void on_event(struct bufferevent *bev, short what, void *ctx)
{
    struct link_line *l = ctx;
    const int socket_error = EVUTIL_SOCKET_ERROR();
    const int one = 1;
    struct tp_error e = {TP_OK, ""};

    if (what & BEV_EVENT_CONNECTED) {
        setsockopt(bufferevent_getfd(bev), IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        l->state = LINE_UP;
        l->events.up(l->events.ctx);
        return;
    }
    explain(&e, l, what, bufferevent_get_openssl_error(bev), socket_error);
    go_down(l, &e);
}

static void on_read(struct bufferevent *bev, void *ctx)
{
    struct link_line *l = ctx;
    uint8_t head[LENGTH_BYTES];

    while (l->bev == bev) { /* a call back may hang up */
        struct evbuffer *in = bufferevent_get_input(bev);
        size_t n;

        if (evbuffer_copyout(in, head, sizeof(head)) != (ev_ssize_t)sizeof(head))
            return;
        n = (size_t)(head[0] << 8 | head[1]);
        if (evbuffer_get_length(in) < LENGTH_BYTES + n)
            return;
        evbuffer_drain(in, LENGTH_BYTES);
        evbuffer_remove(in, l->message, n);
        l->pause_ms = l->limits.first_pause_ms;
        l->events.message(l->events.ctx, span_of(l->message, n));
    }
}

static void connect_now(struct link_line *l)
{
    struct tp_error e = {TP_OK, ""};

    l->state = LINE_CONNECTING;
    l->until = time_monotonic_ms() + l->limits.connect_ms;
    l->ssl = SSL_new(l->tls);
    if (l->ssl == NULL || pki_tls_expect_host(l->ssl, l->host) != TP_OK) {
        SSL_free(l->ssl);
        (void)tp_fail(&e, TP_ERR_USAGE, "%s is no host name", l->host);
        go_down(l, &e);
        return;
    }
    l->bev = bufferevent_openssl_socket_new(l->base, -1, l->ssl, BUFFEREVENT_SSL_CONNECTING,
                                            BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
    if (l->bev == NULL) {
        (void)tp_fail(&e, TP_ERR_NO_MEMORY, "no memory for a connection to %s:%s", l->host,
                      l->port);
        go_down(l, &e);
        return;
    }
    bufferevent_openssl_set_allow_dirty_shutdown(l->bev, 1);
    bufferevent_setcb(l->bev, on_read, NULL, on_event, l);
    bufferevent_enable(l->bev, EV_READ | EV_WRITE);
    if (bufferevent_socket_connect_hostname(l->bev, NULL, AF_UNSPEC, l->host, atoi(l->port)) != 0 &&
        l->state == LINE_CONNECTING) {
        (void)tp_fail(&e, TP_ERR_PEER, "cannot connect to %s:%s", l->host, l->port);
        go_down(l, &e);
    }
}

/* ---- the thread ---- */

static void tend(struct link_line *l)
{
    const int64_t now = time_monotonic_ms();
    struct tp_error e = {TP_OK, ""};

    if (l->state == LINE_CONNECTING && now >= l->until) {
        (void)tp_fail(&e, TP_ERR_TIMEOUT, "%s:%s does not answer", l->host, l->port);
        go_down(l, &e);
    }
    if (l->state == LINE_DOWN && now >= l->until)
        connect_now(l);
    l->events.tick(l->events.ctx);
}

/* The ticker is due, or somebody woke us. */
static void on_due(evutil_socket_t fd, short what, void *ctx)
{
    struct link_line *l = ctx;

    (void)fd;
    (void)what;
    if (__atomic_load_n(&l->stopping, __ATOMIC_ACQUIRE))
        event_base_loopbreak(l->base);
    else
        tend(l);
}

static void *run(void *ctx)
{
    struct link_line *l = ctx;

    connect_now(l);
    event_base_dispatch(l->base);
    hang_up(l);
    do /* what waits in libevent has its turn, so that nothing leaks */
        event_base_loop(l->base, EVLOOP_NONBLOCK);
    while (event_base_got_break(l->base));
    return NULL;
}

enum tp_err link_line_new(struct link_line **out, const char *host, const char *port, SSL_CTX *tls,
                          const struct link_line_limits *limits,
                          const struct link_line_events *events, struct tp_error *e)
{
    const struct timeval tick = {.tv_sec = limits->tick_ms / 1000,
                                 .tv_usec = limits->tick_ms % 1000 * 1000};
    struct link_line *l = calloc(1, sizeof(*l));
    enum tp_err r = TP_ERR_NO_MEMORY;

    *out = NULL;
    if (l == NULL)
        return tp_fail(e, r, "no memory for a connection");
    link_ignore_sigpipe();
    evthread_use_pthreads();
    snprintf(l->host, sizeof(l->host), "%s", host);
    snprintf(l->port, sizeof(l->port), "%s", port);
    SSL_CTX_up_ref(tls);
    l->tls = tls;
    l->limits = *limits;
    l->events = *events;
    l->pause_ms = limits->first_pause_ms;
    l->base = event_base_new();
    if (l->base != NULL) {
        l->ticker = event_new(l->base, -1, EV_PERSIST, on_due, l);
        l->waker = event_new(l->base, -1, EV_PERSIST, on_due, l);
    }
    if (l->ticker == NULL || l->waker == NULL || event_add(l->ticker, &tick) != 0 ||
        event_add(l->waker, NULL) != 0) {
        tp_fail(e, r, "no memory for a connection");
        goto out;
    }
    *out = l; /* before the first call back */
    l->started = pthread_create(&l->thread, NULL, run, l) == 0;
    if (l->started)
        return TP_OK;
    *out = NULL;
    r = tp_fail(e, TP_ERR_INTERNAL, "cannot start a thread");
out:
    link_line_free(&l);
    return r;
}

void link_line_free(struct link_line **out)
{
    struct link_line *l = *out;

    if (l == NULL)
        return;
    if (l->started) {
        __atomic_store_n(&l->stopping, 1, __ATOMIC_RELEASE);
        event_active(l->waker, EV_TIMEOUT, 0);
        pthread_join(l->thread, NULL);
    }
    if (l->ticker != NULL)
        event_free(l->ticker);
    if (l->waker != NULL)
        event_free(l->waker);
    if (l->base != NULL)
        event_base_free(l->base);
    SSL_CTX_free(l->tls);
    free(l);
    *out = NULL;
}

enum tp_err link_line_send(struct link_line *l, struct span message)
{
    const uint8_t head[LENGTH_BYTES] = {(uint8_t)(message.n >> 8), (uint8_t)message.n};

    if (l->state != LINE_UP)
        return TP_ERR_PEER;
    if (message.n == 0 || message.n > 0xFFFF)
        return TP_ERR_RANGE;
    return bufferevent_write(l->bev, head, sizeof(head)) == 0 &&
                   bufferevent_write(l->bev, message.p, message.n) == 0
               ? TP_OK
               : TP_ERR_NO_MEMORY;
}

void link_line_drop(struct link_line *l, const char *why)
{
    struct tp_error e = {TP_OK, ""};

    if (l->state == LINE_DOWN)
        return;
    (void)tp_fail(&e, TP_ERR_PEER, "%s:%s: %s", l->host, l->port, why);
    go_down(l, &e);
    l->until = 0;
}

void link_line_wake(struct link_line *l)
{
    event_active(l->waker, EV_TIMEOUT, 0);
}
