/* ISO 8583 over TLS: messages preceded by their length in 2 bytes big-endian (DESIGN 7), on libevent's bufferevents with OpenSSL. Mutual authentication by pki.h contexts. */
#ifndef TP_WIRE_LINK_H
#define TP_WIRE_LINK_H

#include <event2/event.h>
#include <openssl/ssl.h>

#include "base/span.h"

/* Client: blocking, one connection; what the payer and the tests use. */
struct link_client;

/* TP_ERR_PEER (refused, unknown host, TLS fails: with the reason), TP_ERR_SECURITY (the certificate is not of the authority), TP_ERR_TIMEOUT. host is
 * checked against the server's certificate. */
TP_MUST_CHECK enum tp_err link_connect(struct link_client **out, const char *host, const char *port, SSL_CTX *tls, int timeout_ms,
                                       struct tp_error *e);

/* Sends one message and waits for one. TP_ERR_TIMEOUT, TP_ERR_PEER (closed before an answer, an answer that is too long). Appends to *answer. */
TP_MUST_CHECK enum tp_err link_exchange(struct link_client *c, struct span message, struct buf *answer, int timeout_ms, struct tp_error *e);
void link_close(struct link_client **c);

/* Server: event loops in threads, each with its own connections. */
struct link_server;
struct link_peer; /* one connection */

struct link_events { /* called on the loop thread of the connection */
    void *ctx;
    /* After the handshake; TP_ERR_SECURITY closes the connection. *user is the connection's own. */
    enum tp_err (*opened)(void *ctx, struct link_peer *peer, const char *organisation, const char *common_name, void **user);
    /* One whole message, borrowed during the call. The answer may be sent now or later, from any thread, by link_send. */
    void (*message)(void *ctx, struct link_peer *peer, void *user, struct span message);
    void (*closed)(void *ctx, void *user);
};

/* Listens on address:port ("0" picks a free port: link_server_port tells). */
TP_MUST_CHECK enum tp_err link_server_new(struct link_server **out, const char *address, const char *port, SSL_CTX *tls, unsigned threads,
                                          const struct link_events *events, struct tp_error *e);
unsigned link_server_port(const struct link_server *s);
TP_MUST_CHECK enum tp_err link_server_run(struct link_server *s, struct tp_error *e); /* until link_server_stop, which is async-signal-safe */
void link_server_stop(struct link_server *s);
void link_server_free(struct link_server **s);

/* A reference that outlives the connection (a later send is then dropped), and its release; sending copies. All thread-safe. */
struct link_peer *link_peer_ref(struct link_peer *p);
void link_peer_unref(struct link_peer *p);
void link_send(struct link_peer *p, struct span message);

#endif
