/* Shared by the files of link.h; what is of the server: link_server.c accepts, link_loop.c has its threads, link_peer.c their connections. */
#ifndef TP_WIRE_LINK_PRIV_H
#define TP_WIRE_LINK_PRIV_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>
#include <sys/time.h>

#include "wire/link.h"

#define LINK_THREADS_MAX 64

/* A write to a closed connection must give EPIPE, not end the process. */
void link_ignore_sigpipe(void);

/* The TLS alert of an OpenSSL error, or -1: OpenSSL numbers them 1000 + the alert of RFC 8446, 6. */
int link_tls_alert(unsigned long openssl_error);
/* bad_certificate to unknown_ca, access_denied, certificate_required: the other side does not take our certificate. */
bool link_alert_is_of_certificate(int alert);

/* ---- the server ---- */

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
    struct loop loop[LINK_THREADS_MAX];
};

static inline struct timeval link_timeval(unsigned ms)
{
    return (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
}

/* link_loop.c */
TP_MUST_CHECK enum tp_err link_loop_init(struct loop *l, struct link_server *s, unsigned index);
void *link_loop_run(void *loop);       /* until it is stopped */
void link_loop_finish(struct loop *l); /* one that stops ends with its last connection */
void link_loop_clear(struct loop *l);

/* link_peer.c; all but the first on the loop's thread */

/* Under loop->lock: gives the loop thread the peer to look after. True when the loop must be woken. */
bool link_peer_queue(struct link_peer *p);
/* What others asked for this peer. */
void link_peer_work(struct link_peer *p);
/* True when the peer is gone: everything owed to it has left, and it is to go. */
bool link_peer_may_go(struct link_peer *p);
/* Ends a connection; the peer stays while others hold references. */
void link_peer_drop(struct link_peer *p);
void link_refused_free(struct refused *r);

#endif
