/* Shared by the files of link.h; what is of the server: link_server.c accepts, link_loop.c has its
 * threads, link_peer.c their connections. */
#ifndef TP_WIRE_LINK_PRIV_H
#define TP_WIRE_LINK_PRIV_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>
#include <sys/time.h>

#include "wire/link.h"

#define LINK_THREADS_MAX 64
#define LINK_KEY_MAX     192

/* A write to a closed connection must give EPIPE, not end the process. */
void link_ignore_sigpipe(void);

/* The TLS alert of an OpenSSL error, or -1: OpenSSL numbers them 1000 + the alert of RFC 8446, 6.
 */
int link_tls_alert(unsigned long openssl_error);
/* bad_certificate to unknown_ca, access_denied, certificate_required: the other side does not take
 * our certificate. */
bool link_alert_is_of_certificate(int alert);

/* ---- the server ---- */

/* Connections of one kind, the oldest first; each has a key: those without certificate their
 * network, the others the names in their certificate. Under its lock, which is taken before that of
 * a loop. */
struct crowd {
    pthread_mutex_t lock;
    TAILQ_HEAD(, link_peer) peers;
    unsigned n;
};

struct link_peer {
    atomic_uint references;
    struct loop *loop;
    char address[64];
    /* under loop->lock */
    struct evbuffer *pending; /* answers not yet handed to the bufferevent */
    unsigned answered;        /* how many they are */
    bool queued, gone, close_asked, sent_away;
    STAILQ_ENTRY(link_peer) work;
    /* the loop thread's own */
    evutil_socket_t fd; /* until it is the bufferevent's */
    struct bufferevent *bev;
    struct event *deadline; /* of the handshake, then of the message that has begun to come */
    bool established, closing, paused, spoken;
    unsigned unanswered;
    void *user;
    LIST_ENTRY(link_peer) all;
    atomic_bool talks; /* a message of its TLS handshake has come */
    /* NULL: in none. Changed under the lock of the crowd that it enters or leaves, looked at under
     * that of either */
    _Atomic(struct crowd *) crowd;
    /* under crowd->lock */
    char key[LINK_KEY_MAX];
    TAILQ_ENTRY(link_peer) by_age;
};

/* A connection whose handshake was refused, until it has taken our alert. */
struct refused {
    struct loop *loop;
    struct event *event;
    evutil_socket_t fd;
    int64_t until;
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
    struct peer_queue
        queue; /* peers with something to do for the loop thread, each with a reference */
    bool stop_asked;
    LIST_HEAD(, link_peer) peers;
    LIST_HEAD(, refused) refused;
    unsigned refused_n;
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
    unsigned port, threads, next, turn;
    atomic_uint connections;
    struct crowd strangers, known; /* before and after their certificate was seen */
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

/* Under loop->lock: gives the loop thread the peer to look after. True when the loop must be woken.
 */
bool link_peer_queue(struct link_peer *p);
/* What others asked for this peer. */
void link_peer_work(struct link_peer *p);
/* True when the peer is gone: everything owed to it has left, and it is to go. */
bool link_peer_may_go(struct link_peer *p);
/* Ends a connection; the peer stays while others hold references. */
void link_peer_drop(struct link_peer *p);
void link_refused_free(struct refused *r);

/* link_crowd.c; from any thread */
void link_crowd_init(struct crowd *c);
void link_crowd_clear(struct crowd *c);
/* Takes the peer in as the youngest. Were of_key of its key there, the oldest of them goes; else,
 * were of_all there, the oldest; first those from whom nothing has come. */
void link_crowd_enter(struct crowd *c, struct link_peer *p, const char *key, unsigned of_key,
                      unsigned of_all);
void link_crowd_leave(struct crowd *c, struct link_peer *p); /* if it is in it */
bool link_crowd_thin(struct crowd *c); /* the oldest goes; false: there is none */

/* link_header.c: the kind of header that the first n bytes look like when it is none of ours; NULL:
 * none known. */
const char *link_header_other(const uint8_t *head, size_t n);
/* Of a message that did not come to its end: came bytes are there. */
const char *link_header_unfinished(const uint8_t *head, size_t n, size_t came);

#endif
