#include "simcard/vpcd.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "simcard/fault.h"

#define SILENCE_MS 1500 /* pcscd looks at its readers every 400 ms */

enum { CONTROL_OFF = 0, CONTROL_ON = 1, CONTROL_RESET = 2, CONTROL_ATR = 4 };

/* ---- the card of simcard/card.h ---- */

static enum tp_err own_atr(void *ctx, struct buf *atr)
{
    return card_atr(ctx, atr);
}

static enum tp_err own_power_on(void *ctx, struct buf *atr)
{
    return card_power_on(ctx, atr);
}

static void own_power_off(void *ctx)
{
    card_power_off(ctx);
}

static enum tp_err own_transmit(void *ctx, struct span command, struct buf *response)
{
    return card_transmit(ctx, command, response);
}

static bool own_gone(void *ctx)
{
    return card_gone(ctx);
}

struct vpcd_card vpcd_card_of(struct card *card)
{
    return (struct vpcd_card){card, own_atr, own_power_on, own_power_off, own_transmit, own_gone};
}

/* ---- messages ---- */

void vpcd_start(struct vpcd *v, struct vpcd_card card)
{
    v->card = card;
    v->in_n = 0;
    v->controls = v->commands = 0;
}

static enum tp_err put_message(struct buf *out, struct span s)
{
    if (out->cap - out->n < 2 + s.n)
        return TP_ERR_RANGE;
    const enum tp_err r = buf_be16(out, (uint16_t)s.n);

    return r == TP_OK ? buf_put(out, s) : r;
}

/* vpcd asks for the ATR to see whether a card is there, powered or not: the answer is the same, and
 * disturbs no session. */
static enum tp_err send_atr(struct vpcd *v, struct buf *out)
{
    uint8_t raw[40];
    struct buf atr = BUF_OF(raw);
    const enum tp_err r = v->card.atr(v->card.ctx, &atr);

    return r == TP_OK ? put_message(out, buf_span(&atr)) : r;
}

static enum tp_err control(struct vpcd *v, uint8_t what, struct buf *out)
{
    uint8_t raw[40];
    struct buf atr = BUF_OF(raw);

    v->controls++;
    switch (what) {
    case CONTROL_OFF:
        v->card.power_off(v->card.ctx);
        return TP_OK;
    case CONTROL_ON:
    case CONTROL_RESET:
        return v->card.power_on(v->card.ctx, &atr);
    case CONTROL_ATR:
        return send_atr(v, out);
    default:
        return TP_OK; /* a control of a later vpcd that asks for no answer */
    }
}

static enum tp_err command(struct vpcd *v, struct span apdu, struct buf *out)
{
    uint8_t raw[FAULT_RESPONSE_MAX];
    struct buf answer = BUF_OF(raw);
    enum tp_err r = v->card.transmit(v->card.ctx, apdu, &answer);

    v->commands++;
    if (r == TP_ERR_STATE) { /* not powered: no card answers */
        static const uint8_t off[2] = {0x6F, 0x00};

        return put_message(out, SPAN_OF(off));
    }
    r = r == TP_OK ? put_message(out, buf_span(&answer)) : r;
    secret_wipe(raw, sizeof(raw));
    return r;
}

static enum tp_err handle_whole(struct vpcd *v, struct buf *out)
{
    size_t at = 0;
    enum tp_err r = TP_OK;

    while (r == TP_OK && v->in_n - at >= 2) {
        const size_t n = (size_t)v->in[at] << 8 | v->in[at + 1];
        const struct span message = {v->in + at + 2, n};

        if (v->in_n - at - 2 < n)
            break;
        at += 2 + n;
        r = n == 1 ? control(v, message.p[0], out) : command(v, message, out);
    }
    memmove(v->in, v->in + at, v->in_n - at);
    secret_wipe(v->in + v->in_n - at, at); /* a PIN may have passed */
    v->in_n -= at;
    return r;
}

enum tp_err vpcd_take(struct vpcd *v, struct span bytes, struct buf *out)
{
    enum tp_err r = TP_OK;

    while (r == TP_OK && bytes.n > 0) {
        const size_t room = sizeof(v->in) - v->in_n, n = bytes.n < room ? bytes.n : room;

        memcpy(v->in + v->in_n, bytes.p, n);
        v->in_n += n;
        bytes.p += n;
        bytes.n -= n;
        r = handle_whole(v, out);
    }
    return r;
}

/* ---- the connection ---- */

static void no_delay(int fd)
{
    const int one = 1;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

/* vpcd writes length and payload apart; a delayed ACK between them costs 44 ms. The option does not
 * stick: before each receive. */
static void quick_ack(int fd)
{
    const int one = 1;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &one, sizeof(one));
}

static int dial(const char *host, const char *port, struct tp_error *e)
{
    const struct addrinfo want = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    int fd = -1, why = 0;
    const int r = getaddrinfo(host, port, &want, &list);

    if (r != 0) {
        (void)tp_fail(e, TP_ERR_USAGE, "cannot find the host \"%s\": %s", host, gai_strerror(r));
        return -1;
    }
    for (const struct addrinfo *a = list; a != NULL && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
        if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) == 0)
            break;
        why = errno;
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    freeaddrinfo(list);
    if (fd < 0)
        (void)tp_fail(e, TP_ERR_PEER,
                      "no virtual reader at %s port %s: %s; is pcscd running, with vpcd?", host,
                      port, strerror(why));
    return fd;
}

static enum tp_err send_all(int fd, struct span s)
{
    while (s.n > 0) {
        const ssize_t n = send(fd, s.p, s.n, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return TP_ERR_PEER;
        s.p += n;
        s.n -= (size_t)n;
    }
    return TP_OK;
}

/* Waits for bytes or for stop. 1: bytes, 0: silence for the time, -1: stop. */
static int wait_bytes(int fd, int stop_fd, int timeout_ms)
{
    struct pollfd fds[2] = {{.fd = fd, .events = POLLIN}, {.fd = stop_fd, .events = POLLIN}};
    int r;

    quick_ack(fd);
    do
        r = poll(fds, 2, timeout_ms);
    while (r < 0 && errno == EINTR && fds[1].revents == 0);
    if (fds[1].revents != 0 || r < 0)
        return -1;
    return r == 0 ? 0 : 1;
}

/* One receive and what follows from it. false: the connection is over, *end says why. */
static bool serve_once(enum vpcd_end *end, struct vpcd *v, int fd)
{
    uint8_t bytes[4096], raw[VPCD_ANSWERS_MAX];
    struct buf answers = BUF_OF(raw);
    const ssize_t n = recv(fd, bytes, sizeof(bytes), 0);
    enum tp_err r;

    if (n < 0 && errno == EINTR)
        return true;
    if (n <= 0) {
        *end = VPCD_CLOSED;
        return false;
    }
    r = vpcd_take(v, span_of(bytes, (size_t)n), &answers);
    secret_wipe(bytes, (size_t)n);
    if (send_all(fd, buf_span(&answers)) != TP_OK || (r != TP_OK && r != TP_ERR_CARD)) {
        *end = VPCD_CLOSED;
        return false;
    }
    if (r == TP_ERR_CARD)
        *end = v->card.gone(v->card.ctx) ? VPCD_CARD_GONE : VPCD_CARD_MUTE;
    return r == TP_OK;
}

static void serve_loop(enum vpcd_end *end, struct vpcd *v, int fd, int stop_fd,
                       const struct vpcd_events *events)
{
    bool told = false, heard = false;

    for (;;) {
        const int got = wait_bytes(fd, stop_fd, heard || told ? -1 : SILENCE_MS);

        if (got < 0) {
            *end = VPCD_STOPPED;
            return;
        }
        if (got == 0) {
            told = true;
            events->silent(events->ctx);
            continue;
        }
        if (!serve_once(end, v, fd))
            return;
        if (!heard)
            events->inserted(events->ctx);
        heard = true;
    }
}

enum tp_err vpcd_serve(enum vpcd_end *end, struct vpcd_card card, const char *host,
                       const char *port, int stop_fd, const struct vpcd_events *events,
                       struct tp_error *e)
{
    struct vpcd *v = malloc(sizeof(*v));
    int fd;

    *end = VPCD_UNREACHABLE;
    if (v == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    vpcd_start(v, card);
    e->code = TP_OK;
    fd = dial(host, port, e);
    if (fd >= 0) {
        no_delay(fd);
        serve_loop(end, v, fd, stop_fd, events);
        close(fd);
        card.power_off(card.ctx);
    }
    secret_wipe(v, sizeof(*v));
    free(v);
    return fd >= 0 ? TP_OK : e->code;
}
