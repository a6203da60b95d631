/* The door of an HTTPS daemon, over libmicrohttpd: listens, has the time of every connection
 * watched (guests.h), takes bodies in, and hands calls (http_call.h) to its daemon. One in a
 * process. */
#ifndef TP_WIRE_HTTP_DOOR_H
#define TP_WIRE_HTTP_DOOR_H

#include "wire/http_call.h"

struct http_door;

/* What the daemon does with a call, on a thread of the door: it waits for nothing long. One that is
 * answered in admit has no body taken and is not whole. */
struct http_ops {
    void *ctx;
    void (*admit)(void *ctx, struct http_call *c); /* the head is there: NULL: all may come */
    /* A piece of the body of a call that admit let in with http_take. NULL: kept in memory, at most
     * body_max bytes, and announced ones only: the door answers 411 and 413 itself. */
    void (*piece)(void *ctx, struct http_call *c, struct span piece);
    void (*whole)(void *ctx, struct http_call *c); /* answers, or says http_later */
    void (*done)(void *ctx, struct http_call *c);  /* answered, or gone before. NULL: nothing */
};

struct http_door_options {
    const char *program; /* named to people */
    const char *dir;     /* the daemon's folder: pki/server.pem, pki/server.key, pki/ca.pem */
    const char *address, *port; /* "127.0.0.1", "8443"; "0": any free one */
    bool asks_certificate;      /* of who calls; http_peer tells who shows a good one */
    unsigned connections;       /* as many as descriptors allow, which is told when it is less */
    unsigned of_address;        /* of these from one address; fewer where all are fewer */
    unsigned threads;
    unsigned files;  /* descriptors that a connection may need, its own among them */
    size_t memory;   /* of a connection: its head, and the pieces in which a body comes */
    size_t body_max; /* that are kept in memory, when there is no piece */
    struct http_ops ops;
};

/* Listens; nothing is taken yet. SIGTERM and SIGINT are blocked from then on, so the caller has
 * started no thread. TP_ERR_USAGE (the address), TP_ERR_SECURITY (a key that others read). */
TP_MUST_CHECK enum tp_err http_door_new(struct http_door **out, const struct http_door_options *o,
                                        struct tp_error *e);
/* Takes calls, prints "PROGRAM: listening on ADDRESS:PORT" and returns TP_OK when SIGTERM or SIGINT
 * comes. */
TP_MUST_CHECK enum tp_err http_door_run(struct http_door *d, struct tp_error *e);
void http_door_free(struct http_door **d); /* ends what is under way; NULL is fine */

/* "ADDRESS:PORT" or "[ADDRESS]:PORT", cut in place. TP_ERR_USAGE. */
TP_MUST_CHECK enum tp_err http_door_address(char *text, const char **address, const char **port,
                                            struct tp_error *e);

#endif
