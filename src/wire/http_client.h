/* A daemon's client for other daemons' HTTPS: asks from any thread without waiting, answers by a
 * call back. One thread, over libcurl's multi interface; connections are kept. Redirects are not
 * followed, and no proxy of the environment is used. */
#ifndef TP_WIRE_HTTP_CLIENT_H
#define TP_WIRE_HTTP_CLIENT_H

#include "base/span.h"
#include "crypto/pki.h"

#define HTTP_PACES 20

struct http_client;

struct http_said {
    enum tp_err r;     /* TP_OK: there is an answer, whole. TP_ERR_PEER (not reached, hung up),
                          TP_ERR_TIMEOUT, TP_ERR_SECURITY (TLS), TP_ERR_RANGE (longer than may be) */
    struct tp_error e; /* why */
    long status;
    const char *type; /* Content-Type; "": none */
    long retry_after; /* seconds; 0: none */
    struct span body;
};

/* What becomes of an answer that is taken as it comes. */
enum http_pace {
    HTTP_GO_ON, /* what comes is taken */
    HTTP_HOLD,  /* not now */
    HTTP_END    /* no more of it is wanted: done is called with TP_ERR_CANCELLED */
};

struct http_question {
    const char *url;
    const struct pki_files *tls; /* certificate "": none is shown */
    const char *const *headers;  /* "Name: value", ended by NULL */
    struct span body;            /* is posted; p NULL: it is got */
    size_t answer_max;
    long timeout_ms; /* for all of it, the waiting for a connection too; 0: as long as it takes */
    /* An answer of status 200 that is not kept but taken piece by piece: false, there is no room
     * now, and the piece comes again when pace says so, which is asked HTTP_PACES times a second.
     * On the client's thread. NULL, both: it is kept. */
    bool (*piece)(void *ctx, const char *type, struct span piece);
    enum http_pace (*pace)(void *ctx);
    void (*done)(void *ctx, const struct http_said *said); /* on the client's thread, once */
    void *ctx;
};

/* of_host: connections to one host at a time; what is more waits for one. */
TP_MUST_CHECK enum tp_err http_client_new(struct http_client **out, long of_host,
                                          struct tp_error *e);
/* What is under way, and what is asked from then on, is called back with TP_ERR_CANCELLED. NULL is
 * fine; so it is to free it. */
void http_client_stop(struct http_client *c);
void http_client_free(struct http_client **c);

/* Copies what it needs, but for `tls`, which outlives the client. TP_ERR_NO_MEMORY: done is not
 * called. */
TP_MUST_CHECK enum tp_err http_client_ask(struct http_client *c, const struct http_question *q);

#endif
