/* A client's standing line to a server of link.h, for a program that must not wait: one loop thread
 * keeps the connection up, reconnecting after growing pauses, and calls back. What is sent while
 * the line is down is refused; asking again is the caller's. */
#ifndef TP_WIRE_LINK_LINE_H
#define TP_WIRE_LINK_LINE_H

#include <openssl/types.h>

#include "base/span.h"

struct link_line;

struct link_line_events { /* all called on the line's own thread */
    void *ctx;
    void (*up)(void *ctx); /* TLS is established; whether the server takes our certificate, its
                              first answer tells (TLS 1.3) */
    void (*down)(void *ctx, const struct tp_error *e); /* it was up, or an attempt failed: why */
    void (*message)(void *ctx,
                    struct span message); /* one whole message, borrowed during the call */
    void (*tick)(void *ctx);              /* every tick_ms, and soon after link_line_wake */
};

struct link_line_limits {
    int connect_ms;     /* for TCP and TLS together */
    int first_pause_ms; /* before the second attempt; doubled each time … */
    int last_pause_ms;  /* … up to this; an answered message begins anew */
    int tick_ms;
};

/* Starts the thread. tls is shared, as pki_tls_context makes it; host is checked against the
 * server's certificate. TP_ERR_NO_MEMORY, TP_ERR_INTERNAL. */
TP_MUST_CHECK enum tp_err link_line_new(struct link_line **out, const char *host, const char *port,
                                        SSL_CTX *tls, const struct link_line_limits *limits,
                                        const struct link_line_events *events, struct tp_error *e);
void link_line_free(struct link_line **l); /* ends the thread; no call back comes any more */

/* From the line's own thread. send copies; TP_ERR_PEER when the line is down, which a caller who
 * sends again on each `up` need not look at. drop ends the connection, as when it is found dead:
 * the next is tried at once. */
enum tp_err link_line_send(struct link_line *l, struct span message);
void link_line_drop(struct link_line *l, const char *why);

/* From any thread. */
void link_line_wake(struct link_line *l);

#endif
