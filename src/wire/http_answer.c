/* A call as its daemon reads and answers it. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "wire/http_priv.h"

#define BODY_S    30 /* for a body or an answer, and one more for each BODY_RATE bytes of it */
#define BODY_RATE 32768
#define RETRY_S   "5"

const char *http_method(const struct http_call *c)
{
    return c->method;
}

const struct sockaddr *http_from(const struct http_call *c)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

    return info != NULL ? info->client_addr : NULL;
}

const char *http_path(const struct http_call *c)
{
    return c->path;
}

const char *http_target(const struct http_call *c)
{
    return c->target;
}

const char *http_header(const struct http_call *c, const char *name)
{
    return MHD_lookup_connection_value(c->connection, MHD_HEADER_KIND, name);
}

const char *http_cookie(const struct http_call *c, const char *name)
{
    return MHD_lookup_connection_value(c->connection, MHD_COOKIE_KIND, name);
}

struct counting {
    const char *name;
    size_t n;
};

static enum MHD_Result count(void *ctx, enum MHD_ValueKind kind, const char *key, const char *value)
{
    struct counting *c = ctx;

    (void)kind;
    (void)value;
    c->n += strcasecmp(key, c->name) == 0;
    return MHD_YES;
}

size_t http_header_count(const struct http_call *c, const char *name)
{
    struct counting counting = {name, 0};

    (void)MHD_get_connection_values(c->connection, MHD_HEADER_KIND, count, &counting);
    return counting.n;
}

const char *http_argument(const struct http_call *c, const char *name)
{
    return MHD_lookup_connection_value(c->connection, MHD_GET_ARGUMENT_KIND, name);
}

struct span http_body(const struct http_call *c)
{
    return span_of(c->body, c->body_n);
}

void *http_own(const struct http_call *c)
{
    return c->own;
}

void http_own_set(struct http_call *c, void *own)
{
    c->own = own;
}

bool http_announced(const struct http_call *c, int64_t *size)
{
    const char *text = http_header(c, MHD_HTTP_HEADER_CONTENT_LENGTH);
    char *end;

    *size = 0;
    if (http_header(c, MHD_HTTP_HEADER_TRANSFER_ENCODING) != NULL)
        return false;
    if (text == NULL)
        return true;
    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    *size = strtoll(text, &end, 10);
    return *end == '\0' && (errno == 0 || errno == ERANGE);
}

void http_take(struct http_call *c, int64_t size)
{
    guests_deadline(c->guests, c->guest, BODY_S + (uint64_t)size / BODY_RATE);
}

void http_named(const struct http_call *c, const char *name)
{
    guests_named(c->guests, c->guest, name);
}

void http_answer(struct http_call *c, unsigned status, struct MHD_Response *response, uint64_t size)
{
    c->status = status;
    c->response = response;
    c->answer_size = size;
}

void http_answer_text(struct http_call *c, unsigned status, const char *format, ...)
{
    struct MHD_Response *response;
    char text[600];
    va_list ap;
    int n;

    va_start(ap, format);
    n = vsnprintf(text, sizeof(text) - 1, format, ap);
    va_end(ap);
    if (n < 0 || (size_t)n > sizeof(text) - 2)
        n = (int)sizeof(text) - 2;
    text[n] = '\n';
    response = MHD_create_response_from_buffer((size_t)n + 1, text, MHD_RESPMEM_MUST_COPY);
    if (response != NULL)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                      "text/plain; charset=utf-8");
    http_answer(c, status, response, (uint64_t)n + 1);
}

void http_answer_header(struct http_call *c, const char *name, const char *value)
{
    if (c->response != NULL)
        (void)MHD_add_response_header(c->response, name, value);
}

void http_answer_busy(struct http_call *c, const char *why)
{
    http_answer_text(c, MHD_HTTP_SERVICE_UNAVAILABLE, "%s", why);
    http_answer_header(c, MHD_HTTP_HEADER_RETRY_AFTER, RETRY_S);
}

void http_later(struct http_call *c)
{
    c->later = true;
    MHD_suspend_connection(c->connection);
    guests_deadline(c->guests, c->guest, 0); /* it waits for us now */
}

void http_resume(struct http_call *c)
{
    MHD_resume_connection(c->connection);
}
