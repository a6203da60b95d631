/* ISO 8583 over TLS: messages preceded by their length in 2 bytes big-endian, on
 * libevent's bufferevents with OpenSSL. Mutual authentication by pki.h contexts. Both sides set
 * SIGPIPE to be ignored when nobody has set it otherwise. */
#ifndef TP_WIRE_LINK_H
#define TP_WIRE_LINK_H

#include <event2/event.h>
#include <openssl/types.h>

#include "base/span.h"

#define LINK_MESSAGE_MAX 16384 /* bytes of a message that a server takes */

/* Client: blocking, one connection; what the payer and the tests use. */
struct link_client;

/* TP_ERR_PEER (refused, unknown host, TLS fails: with the reason), TP_ERR_SECURITY (the certificate
 * is not of the authority, not for that host, or expired; the server refuses ours), TP_ERR_TIMEOUT.
 * host is checked against the server's certificate. */
TP_MUST_CHECK enum tp_err link_connect(struct link_client **out, const char *host, const char *port,
                                       SSL_CTX *tls, int timeout_ms, struct tp_error *e);

/* Sends one message and waits for one. TP_ERR_TIMEOUT, TP_ERR_PEER (closed before an answer, an
 * answer that is too long), TP_ERR_SECURITY (with TLS 1.3 the server's refusal of our certificate
 * arrives only here). Appends to *answer. After an error the connection is of no more use. */
TP_MUST_CHECK enum tp_err link_exchange(struct link_client *c, struct span message,
                                        struct buf *answer, int timeout_ms, struct tp_error *e);
/* The halves of an exchange, for a caller that keeps several messages under way: put sends what
 * goes without waiting and queues the rest, receive sends that and waits for the next answer. */
TP_MUST_CHECK enum tp_err link_put(struct link_client *c, struct span message, struct tp_error *e);
TP_MUST_CHECK enum tp_err link_receive(struct link_client *c, struct buf *answer, int timeout_ms,
                                       struct tp_error *e);
void link_close(struct link_client **c);

/* Server: event loops in threads, each with its own connections. */
struct link_server;
struct link_peer; /* one connection */

struct link_events { /* called on the loop thread of the connection */
    void *ctx;
    /* After the handshake; TP_ERR_SECURITY closes the connection. *user is the connection's own. */
    enum tp_err (*opened)(void *ctx, struct link_peer *peer, const char *organisation,
                          const char *common_name, void **user);
    /* One whole message, borrowed during the call. The answer may be sent now or later, from any
     * thread, by link_send. */
    void (*message)(void *ctx, struct link_peer *peer, void *user, struct span message);
    void (*closed)(void *ctx, void *user);
};

struct link_limits {      /* per connection, but for the first four */
    unsigned connections; /* open at once on the server; more are closed as they come */
    unsigned
        strangers; /* of them before the end of their handshake; with one more the oldest goes */
    unsigned of_network; /* of the strangers from one address (IPv6: one /64), likewise */
    unsigned of_name;    /* of the others under one certificate's names, likewise */
    unsigned unanswered; /* messages under way; a peer that sends more is not read until answers
                            have left */
    size_t message;      /* bytes of a message */
    size_t output; /* bytes of answers that wait for a peer that does not read; more, and it is cut
                      off */
    unsigned handshake_ms; /* for the whole handshake */
    unsigned message_ms;   /* from a message's first byte to its last */
    unsigned idle_ms;      /* between messages */
    unsigned write_ms;     /* without the peer taking a byte of what waits for it */
    unsigned drain_ms;     /* for the last answers after link_server_stop */
};

/* Listens on address:port ("0" picks a free port: link_server_port tells). */
TP_MUST_CHECK enum tp_err link_server_new(struct link_server **out, const char *address,
                                          const char *port, SSL_CTX *tls, unsigned threads,
                                          const struct link_events *events, struct tp_error *e);
/* The limits in force, to be changed before link_server_run. */
struct link_limits *link_server_limits(struct link_server *s);
unsigned link_server_port(const struct link_server *s);
/* The loop thread (0 to threads - 1) that serves a peer: for what a caller keeps per thread. */
unsigned link_peer_thread(const struct link_peer *p);
TP_MUST_CHECK enum tp_err link_server_run(
    struct link_server *s,
    struct tp_error *e); /* until link_server_stop, which is async-signal-safe */
void link_server_stop(struct link_server *s); /* no new connections or messages; what is under way
                                                 is answered, then all is closed */
void link_server_free(struct link_server **s);

/* A reference that outlives the connection (a later send is then dropped), and its release; sending
 * copies. All thread-safe. */
struct link_peer *link_peer_ref(struct link_peer *p);
void link_peer_unref(struct link_peer *p);
void link_send(struct link_peer *p, struct span message);
/* Closes after the answers that wait have left. */
void link_peer_close(struct link_peer *p);
/* "127.0.0.1:40122", for logs; lives as long as the reference. */
const char *link_peer_address(const struct link_peer *p);

#endif
