/* The client's end of a link. */
#include "wire/link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>

#include "base/date.h"
#include "base/text.h"
#include "crypto/pki.h"
#include "wire/link_priv.h"

#define LENGTH_BYTES 2

struct link_client {
    char server[300]; /* "host:port", for sentences */
    struct event_base *base;
    struct bufferevent *bev;
    SSL *ssl; /* owned by bev */
    bool connected;
    bool timed_out;
    short event;      /* the BEV_EVENT_* that ended the connection */
    int socket_error; /* errno of that moment */
    unsigned long tls_error;
};

void link_ignore_sigpipe(void)
{
    struct sigaction now;
    const struct sigaction ignore = {.sa_handler = SIG_IGN};

    if (sigaction(SIGPIPE, NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO) == 0 &&
        now.sa_handler == SIG_DFL)
        sigaction(SIGPIPE, &ignore, NULL);
}

int link_tls_alert(unsigned long openssl_error)
{
    const int reason = ERR_GET_REASON(openssl_error);

    return openssl_error != 0 && reason > SSL_AD_REASON_OFFSET &&
                   reason < SSL_AD_REASON_OFFSET + 256
               ? reason - SSL_AD_REASON_OFFSET
               : -1;
}

bool link_alert_is_of_certificate(int alert)
{
    return (alert >= SSL_AD_BAD_CERTIFICATE && alert <= SSL_AD_CERTIFICATE_UNKNOWN) ||
           alert == SSL_AD_UNKNOWN_CA || alert == SSL_AD_ACCESS_DENIED ||
           alert == TLS13_AD_CERTIFICATE_REQUIRED;
}

/* ---- the way to an established connection ---- */

static enum tp_err wait_connected(int fd, int64_t deadline, int *error)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    socklen_t n = sizeof(*error);
    int ready;

    do {
        const int64_t left = deadline - time_monotonic_ms();

        ready = poll(&p, 1, left > 0 ? (int)left : 0);
    } while (ready < 0 && errno == EINTR);
    if (ready == 0)
        return TP_ERR_TIMEOUT;
    if (ready < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, error, &n) != 0)
        *error = errno;
    return *error == 0 ? TP_OK : TP_ERR_PEER;
}

static enum tp_err tcp_connect_one(int *out, const struct addrinfo *a, int64_t deadline, int *error)
{
    const int one = 1;
    const int fd =
        socket(a->ai_family, a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, a->ai_protocol);
    enum tp_err r = TP_OK;

    *error = 0;
    if (fd < 0) {
        *error = errno;
        return TP_ERR_PEER;
    }
    if (connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
        if (errno == EINPROGRESS) {
            r = wait_connected(fd, deadline, error);
        } else {
            *error = errno;
            r = TP_ERR_PEER;
        }
    }
    if (r != TP_OK) {
        close(fd);
        return r;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    *out = fd;
    return TP_OK;
}

static enum tp_err tcp_connect(int *out, const char *host, const char *port, int64_t deadline,
                               struct tp_error *e)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    int error = 0;
    enum tp_err r = TP_ERR_PEER;
    const int g = getaddrinfo(host, port, &hints, &list);

    if (g != 0)
        return tp_fail(e, TP_ERR_PEER, "no address for %s: %s", host, gai_strerror(g));
    for (const struct addrinfo *a = list; a != NULL && r != TP_OK && r != TP_ERR_TIMEOUT;
         a = a->ai_next)
        r = tcp_connect_one(out, a, deadline, &error);
    freeaddrinfo(list);
    if (r == TP_ERR_TIMEOUT)
        return tp_fail(e, r, "%s:%s does not answer", host, port);
    return r == TP_OK ? r
                      : tp_fail(e, r, "cannot connect to %s:%s: %s", host, port, strerror(error));
}

/* ---- events ---- */

static void on_event(struct bufferevent *bev, short what, void *ctx)
{
    struct link_client *c = ctx;

    if (what & BEV_EVENT_CONNECTED) {
        c->connected = true;
        return;
    }
    c->event = what;
    c->socket_error = EVUTIL_SOCKET_ERROR();
    c->tls_error = bufferevent_get_openssl_error(bev);
}

static void on_deadline(evutil_socket_t fd, short what, void *ctx)
{
    struct link_client *c = ctx;

    (void)fd;
    (void)what;
    c->timed_out = true;
}

/* Why the connection ended, after on_event. */
static enum tp_err explain(const struct link_client *c, const char *doing, struct tp_error *e)
{
    const int alert = link_tls_alert(c->tls_error);

    if (SSL_get_verify_result(c->ssl) != X509_V_OK)
        return tp_fail(e, TP_ERR_SECURITY, "%s is not to be trusted: %s", c->server,
                       pki_tls_reason(c->ssl));
    if (link_alert_is_of_certificate(alert))
        return tp_fail(e, TP_ERR_SECURITY, "%s refuses our certificate: %s", c->server,
                       pki_tls_reason(c->ssl));
    if (c->tls_error != 0 && !(c->event & BEV_EVENT_EOF)) {
        const char *why = ERR_reason_error_string(c->tls_error);

        return tp_fail(e, TP_ERR_PEER, "%s: TLS fails %s: %s", c->server, doing,
                       why != NULL ? why : _("unknown reason"));
    }
    if ((c->event & BEV_EVENT_ERROR) && c->socket_error != 0)
        return tp_fail(e, TP_ERR_PEER, "%s: the connection broke %s: %s", c->server, doing,
                       strerror(c->socket_error));
    return tp_fail(e, TP_ERR_PEER, "%s closed the connection %s", c->server, doing);
}

/* Runs the loop until done() or an end. */
static enum tp_err run_until(struct link_client *c, bool (*done)(struct link_client *),
                             int64_t timeout_ms, const char *doing, struct tp_error *e)
{
    const struct timeval tv = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
    struct event *deadline = evtimer_new(c->base, on_deadline, c);
    enum tp_err r = TP_OK;

    if (deadline == NULL || evtimer_add(deadline, &tv) != 0)
        r = tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a connection");
    while (r == TP_OK && !done(c)) {
        if (c->event != 0)
            r = explain(c, doing, e);
        else if (c->timed_out)
            r = tp_fail(e, TP_ERR_TIMEOUT, "%s: no answer in %lld ms %s", c->server,
                        (long long)timeout_ms, doing);
        else if (event_base_loop(c->base, EVLOOP_ONCE) < 0)
            r = tp_fail(e, TP_ERR_INTERNAL, "the event loop fails");
    }
    if (deadline != NULL)
        event_free(deadline);
    return r;
}

static bool is_connected(struct link_client *c)
{
    return c->connected;
}

static enum tp_err tls_prepare(struct link_client *c, const char *host, SSL_CTX *tls,
                               struct tp_error *e)
{
    c->ssl = SSL_new(tls);
    if (c->ssl == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a TLS connection");
    if (pki_tls_expect_host(c->ssl, host) != TP_OK)
        return tp_fail(e, TP_ERR_USAGE, "%s is no host name", host);
    return TP_OK;
}

enum tp_err link_connect(struct link_client **out, const char *host, const char *port, SSL_CTX *tls,
                         int timeout_ms, struct tp_error *e)
{
    const int64_t deadline = time_monotonic_ms() + timeout_ms;
    struct link_client *c = calloc(1, sizeof(*c));
    int fd = -1;
    enum tp_err r;

    *out = NULL;
    if (c == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a connection");
    link_ignore_sigpipe();
    snprintf(c->server, sizeof(c->server), "%s:%s", host, port);
    r = tcp_connect(&fd, host, port, deadline, e);
    if (r == TP_OK)
        r = tls_prepare(c, host, tls, e);
    if (r == TP_OK) {
        c->base = event_base_new();
        if (c->base != NULL)
            c->bev =
                bufferevent_openssl_socket_new(c->base, fd, c->ssl, BUFFEREVENT_SSL_CONNECTING,
                                               BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
        if (c->base != NULL && c->bev == NULL)
            c->ssl = NULL; /* freed by the bufferevent that was not to be */
        if (c->bev == NULL)
            r = tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a connection");
        else
            fd = -1; /* the bufferevent's now, with the SSL */
    }
    if (r == TP_OK) {
        bufferevent_openssl_set_allow_dirty_shutdown(c->bev, 1);
        bufferevent_setcb(c->bev, NULL, NULL, on_event, c);
        bufferevent_enable(c->bev, EV_READ | EV_WRITE);
        r = run_until(c, is_connected,
                      deadline - time_monotonic_ms() > 0 ? deadline - time_monotonic_ms() : 0,
                      "during the TLS handshake", e);
    }
    if (fd >= 0)
        close(fd);
    if (r == TP_OK)
        *out = c;
    else
        link_close(&c);
    return r;
}

/* ---- messages ---- */

static size_t waiting_length(struct link_client *c)
{
    uint8_t head[LENGTH_BYTES];
    struct evbuffer *in = bufferevent_get_input(c->bev);

    if (evbuffer_copyout(in, head, sizeof(head)) != (ev_ssize_t)sizeof(head))
        return SIZE_MAX;
    return (size_t)(head[0] << 8 | head[1]);
}

static bool has_answer(struct link_client *c)
{
    const size_t n = waiting_length(c);

    return n != SIZE_MAX && evbuffer_get_length(bufferevent_get_input(c->bev)) >= LENGTH_BYTES + n;
}

enum tp_err link_put(struct link_client *c, struct span message, struct tp_error *e)
{
    const uint8_t head[LENGTH_BYTES] = {(uint8_t)(message.n >> 8), (uint8_t)message.n};
    struct evbuffer *out = bufferevent_get_output(c->bev);

    if (message.n == 0 || message.n > 0xFFFF)
        return tp_fail(e, TP_ERR_RANGE, "a message of %zu bytes cannot be sent", message.n);
    if (c->event != 0)
        return explain(c, "before the message was sent", e);
    if (c->timed_out)
        return tp_fail(e, TP_ERR_PEER, "%s: the connection is given up after a time-out",
                       c->server);
    /* in one piece: libevent makes a TLS record of each piece of a buffer */
    if (evbuffer_expand(out, sizeof(head) + message.n) != 0 ||
        evbuffer_add(out, head, sizeof(head)) != 0 || evbuffer_add(out, message.p, message.n) != 0)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a message");
    return event_base_loop(c->base, EVLOOP_NONBLOCK) < 0
               ? tp_fail(e, TP_ERR_INTERNAL, "the event loop fails")
               : TP_OK;
}

enum tp_err link_receive(struct link_client *c, struct buf *answer, int timeout_ms,
                         struct tp_error *e)
{
    struct evbuffer *in = bufferevent_get_input(c->bev);
    size_t n;
    enum tp_err r = run_until(c, has_answer, timeout_ms, "before an answer", e);

    if (r != TP_OK)
        return r;
    n = waiting_length(c);
    if (answer->cap - answer->n < n)
        return tp_fail(e, TP_ERR_PEER,
                       "%s answered with %zu bytes, more than the %zu there is room for", c->server,
                       n, answer->cap - answer->n);
    evbuffer_drain(in, LENGTH_BYTES);
    evbuffer_remove(in, answer->p + answer->n, n);
    answer->n += n;
    return TP_OK;
}

enum tp_err link_exchange(struct link_client *c, struct span message, struct buf *answer,
                          int timeout_ms, struct tp_error *e)
{
    const enum tp_err r = link_put(c, message, e);

    return r == TP_OK ? link_receive(c, answer, timeout_ms, e) : r;
}

void link_close(struct link_client **c)
{
    if (*c == NULL)
        return;
    if ((*c)->bev != NULL) {
        if ((*c)->connected && (*c)->event == 0) { /* say goodbye; do not wait for the other's */
            SSL_set_shutdown((*c)->ssl, SSL_RECEIVED_SHUTDOWN);
            SSL_shutdown((*c)->ssl);
        }
        bufferevent_free((*c)->bev);
    } else {
        SSL_free((*c)->ssl);
    }
    if ((*c)->base != NULL)
        event_base_free((*c)->base);
    free(*c);
    *c = NULL;
}
