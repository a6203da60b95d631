/* A call: one HTTP request from its first line to its answer, as a daemon with a door (http_door.h)
 * sees it. It is the door's; what is borrowed from it lives until it is done. */
#ifndef TP_WIRE_HTTP_CALL_H
#define TP_WIRE_HTTP_CALL_H

#include <microhttpd.h>

#include "base/span.h"

struct http_call;

const char *http_method(const struct http_call *c);
const char *http_path(const struct http_call *c);   /* unescaped, without the query */
const char *http_target(const struct http_call *c); /* path and query as they came */
const char *http_header(const struct http_call *c, const char *name);   /* NULL: none */
const char *http_argument(const struct http_call *c, const char *name); /* of the query */
const char *http_cookie(const struct http_call *c, const char *name);   /* NULL: none */
size_t http_header_count(const struct http_call *c, const char *name);
struct span http_body(const struct http_call *c); /* what the door kept of it, once it is whole */

/* What a daemon knows of the call; NULL at first. Its memory is the daemon's, who frees it when the
 * call is done. */
void *http_own(const struct http_call *c);
void http_own_set(struct http_call *c, void *own);

/* What the head announces (RFC 9110, 8.6), INT64_MAX where it is too large for a number. False: a
 * body whose size nobody knows, which comes in pieces; no body is one of 0 bytes. */
bool http_announced(const struct http_call *c, int64_t *size);
/* From admit: its body may come, and has the time that so many bytes take. */
void http_take(struct http_call *c, int64_t size);

/* ---- who calls ---- */

const struct sockaddr *http_from(const struct http_call *c); /* NULL: not known */

#define HTTP_NAME_MAX   64
#define HTTP_PRINT_SIZE 32

/* The certificate that was shown, whose key the caller has, is one for clients and in force now. */
struct http_peer {
    bool of_authority;                                     /* of the door's own, pki/ca.pem */
    char organisation[HTTP_NAME_MAX], name[HTTP_NAME_MAX]; /* O, CN; "": none */
    uint8_t print[HTTP_PRINT_SIZE];                        /* SHA-256 of it */
};
/* False: it shows none, or not such a one. */
bool http_peer(const struct http_call *c, struct http_peer *out);
/* The daemon knows it by this name: a quarter of the connections may have it (guests.h). */
void http_named(const struct http_call *c, const char *name);

/* ---- the answer, once ---- */

/* The response, of so many bytes, is the call's from now on; NULL (no memory) ends the connection.
 */
void http_answer(struct http_call *c, unsigned status, struct MHD_Response *response,
                 uint64_t size);
/* A sentence, as text/plain with a line's end. */
void http_answer_text(struct http_call *c, unsigned status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* 503, with the seconds after which asking again may help. */
void http_answer_busy(struct http_call *c, const char *why);
/* A header more, of an answer that is made and not yet under way. */
void http_answer_header(struct http_call *c, const char *name, const char *value);

/* From whole: the answer comes later, from any thread: http_answer, and then http_resume, after
 * which the call may be gone at once. A daemon resumes all that wait before its door is freed. */
void http_later(struct http_call *c);
void http_resume(struct http_call *c);

#endif
