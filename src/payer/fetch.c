#include "payer/fetch.h"

#include "config.h"

#include <curl/curl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/secret.h"
#include "base/text.h"
#include "base/word.h"
#include "payer/address.h"

#define CONNECT_MS    15000
#define HEAD_LINE_MAX 4096 /* of a head, shown */

struct fetch {
    struct fetch_options options;
    const struct fetch_request *request; /* NULL: no exchange is under way */
    bool started;                        /* libcurl */
    CURL *easy;
    CURLcode fault;
    bool decided, taken; /* whether the body is taken by whoever asked */
    bool refused;        /* by take */
    bool too_large;
    bool near_barred, met_near;
    struct buf kept;
    char reason[CURL_ERROR_SIZE];
};

/* ---- libcurl's questions ---- */

static size_t on_body(char *bytes, size_t size, size_t count, void *ctx)
{
    struct fetch *f = ctx;
    const struct span piece = span_of(bytes, size * count);

    if (!f->decided) {
        f->decided = true;
        f->taken = f->request->takes != NULL && f->request->takes(f->request->ctx, fetch_status(f));
    }
    if (f->taken)
        f->refused = !f->request->take(f->request->ctx, piece);
    f->too_large = buf_put(&f->kept, piece) != TP_OK && f->request->takes == NULL;
    return f->refused || f->too_large ? 0 : piece.n; /* 0 ends it with CURLE_WRITE_ERROR */
}

/* By the address that a name came to, so that no name leads where its number may not. */
static curl_socket_t on_open(void *ctx, curlsocktype purpose, struct curl_sockaddr *at)
{
    struct fetch *f = ctx;

    (void)purpose;
    f->met_near = f->near_barred && address_is_near(&at->addr);
    return f->met_near ? CURL_SOCKET_BAD
                       : socket(at->family, at->socktype | SOCK_CLOEXEC, at->protocol);
}

static bool is_secret(const char *line)
{
    static const char *const names[] = {"Authorization:", "Payment-Authorization:", "Cookie:",
                                        "Set-Cookie:", "Proxy-Authorization:"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strncasecmp(line, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

static int on_progress(void *ctx, curl_off_t all, curl_off_t now, curl_off_t up_all, curl_off_t up)
{
    const struct fetch *f = ctx;

    (void)all;
    (void)now;
    (void)up_all;
    (void)up;
    f->request->tick(f->request->ctx);
    return 0;
}

static void show_lines(char direction, const char *text, size_t n)
{
    char line[HEAD_LINE_MAX];

    while (n > 0) {
        const char *end = memchr(text, '\n', n);
        const size_t whole = end != NULL ? (size_t)(end - text) + 1 : n;

        snprintf(line, sizeof(line), "%.*s",
                 (int)(whole < HEAD_LINE_MAX ? whole : HEAD_LINE_MAX - 1), text);
        line[strcspn(line, "\r\n")] = '\0';
        if (is_secret(line))
            snprintf(strchr(line, ':') + 1, sizeof(" (not shown)"), " (not shown)");
        word_make_shown(line);
        fprintf(stderr, "%c %s\n", direction, line);
        secret_wipe(line, sizeof(line));
        text += whole;
        n -= whole;
    }
}

static int on_debug(CURL *easy, curl_infotype type, char *text, size_t n, void *ctx)
{
    (void)easy;
    (void)ctx;
    if (type == CURLINFO_HEADER_OUT || type == CURLINFO_HEADER_IN)
        show_lines(type == CURLINFO_HEADER_OUT ? '>' : '<', text, n);
    return 0;
}

/* ---- set-up ---- */

static bool set_up(struct fetch *f)
{
    CURL *c = f->easy;

    return curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_ERRORBUFFER, f->reason) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_WRITEDATA, f) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, on_open) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, f) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_DEBUGFUNCTION, on_debug) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_VERBOSE, f->options.verbose ? 1L : 0L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_USERAGENT, "telepay/" PACKAGE_VERSION) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)f->options.seconds) == CURLE_OK &&
           (f->options.cacert == NULL ||
            curl_easy_setopt(c, CURLOPT_CAINFO, f->options.cacert) == CURLE_OK);
}

enum tp_err fetch_new(struct fetch **out, const struct fetch_options *options, struct tp_error *e)
{
    struct fetch *f = calloc(1, sizeof(*f));

    *out = NULL;
    if (f == NULL || (f->kept.p = malloc(FETCH_KEPT_MAX)) == NULL ||
        !(f->started = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) ||
        (f->easy = curl_easy_init()) == NULL) {
        fetch_free(&f);
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a request");
    }
    f->kept.cap = FETCH_KEPT_MAX;
    f->options = *options;
    *out = f;
    return TP_OK;
}

void fetch_free(struct fetch **f)
{
    if (*f == NULL)
        return;
    curl_easy_cleanup((*f)->easy);
    if ((*f)->started)
        curl_global_cleanup();
    free((*f)->kept.p);
    free(*f);
    *f = NULL;
}

static bool add(struct curl_slist **list, const char *line)
{
    struct curl_slist *more = curl_slist_append(*list, line);

    if (more != NULL)
        *list = more;
    return more != NULL;
}

static bool has_field(const struct fetch_request *q, const char *name)
{
    for (const char *const *h = q->headers; h != NULL && *h != NULL; h++)
        if (strncasecmp(*h, name, strlen(name)) == 0 && (*h)[strlen(name)] == ':')
            return true;
    return false;
}

static bool set_request(struct fetch *f, const struct fetch_request *q, struct curl_slist **fields)
{
    CURL *c = f->easy;

    for (const char *const *h = q->headers; h != NULL && *h != NULL; h++)
        if (!add(fields, *h))
            return false;
    if ((q->credential != NULL && !add(fields, q->credential)) ||
        (!has_field(q, "Expect") && !add(fields, "Expect:"))) /* none: nobody waits for a 100 */
        return false;
    curl_easy_reset(c);
    return set_up(f) && curl_easy_setopt(c, CURLOPT_URL, q->url) == CURLE_OK &&
           (q->tick == NULL ||
            (curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
             curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress) == CURLE_OK &&
             curl_easy_setopt(c, CURLOPT_XFERINFODATA, f) == CURLE_OK)) &&
           (q->seconds == 0 ||
            curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)q->seconds) == CURLE_OK) &&
           curl_easy_setopt(c, CURLOPT_HTTPHEADER, *fields) == CURLE_OK &&
           (!q->has_body ||
            (curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body.n) == CURLE_OK &&
             curl_easy_setopt(c, CURLOPT_POSTFIELDS,
                              q->body.n > 0 ? (const char *)q->body.p : "") == CURLE_OK)) &&
           (q->method == NULL || strcmp(q->method, "HEAD") != 0 ||
            curl_easy_setopt(c, CURLOPT_NOBODY, 1L) == CURLE_OK) &&
           (q->method == NULL || curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, q->method) == CURLE_OK);
}

/* ---- the exchange ---- */

static enum tp_err explain(const struct fetch *f, const char *url, struct tp_error *e)
{
    char why[CURL_ERROR_SIZE];
    enum tp_err code = TP_ERR_PEER;

    if (f->refused)
        return tp_fail(e, TP_ERR_IO, "the answer cannot be written");
    if (f->met_near)
        return tp_fail(e, TP_ERR_SECURITY,
                       "%.200s is of a private network, where nothing was asked", url);
    if (f->too_large)
        return tp_fail(e, TP_ERR_RANGE, "the answer of %.200s has more than %d bytes", url,
                       FETCH_KEPT_MAX);
    if (f->fault == CURLE_URL_MALFORMAT || f->fault == CURLE_UNSUPPORTED_PROTOCOL)
        return tp_fail(e, TP_ERR_USAGE,
                       "\"%.200s\" is no address that begins with https:// or "
                       "http://",
                       url);
    if (f->fault == CURLE_OPERATION_TIMEDOUT)
        code = TP_ERR_TIMEOUT;
    if (f->fault == CURLE_PEER_FAILED_VERIFICATION || f->fault == CURLE_SSL_CACERT_BADFILE)
        code = TP_ERR_SECURITY;
    snprintf(why, sizeof(why), "%s",
             f->reason[0] != '\0' ? f->reason : curl_easy_strerror(f->fault));
    word_make_shown(why);
    return tp_fail(e, code, "%.160s: %s%s", url, why,
                   f->fault == CURLE_PEER_FAILED_VERIFICATION
                       ? _("; --cacert names another authority of servers to trust")
                       : "");
}

enum tp_err fetch_send(struct fetch *f, const struct fetch_request *request, struct tp_error *e)
{
    struct curl_slist *fields = NULL;
    enum tp_err r = TP_OK;

    f->request = request;
    f->decided = f->taken = f->refused = f->too_large = f->met_near = false;
    f->kept.n = 0;
    f->reason[0] = '\0';
    f->fault = CURLE_OK;
    if (!set_request(f, request, &fields)) {
        r = tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a request to %.200s", request->url);
    } else {
        f->fault = curl_easy_perform(f->easy);
        if (f->fault != CURLE_OK)
            r = explain(f, request->url, e);
    }
    for (struct curl_slist *i = fields; i != NULL; i = i->next)
        secret_wipe(i->data, strlen(i->data)); /* a credential may be among them */
    curl_slist_free_all(fields);
    f->request = NULL;
    return r;
}

void fetch_bar_near(struct fetch *f, bool barred)
{
    f->near_barred = barred;
}

/* ---- of the last answer ---- */

bool fetch_met_near(const struct fetch *f)
{
    return f->met_near;
}

long fetch_status(const struct fetch *f)
{
    long status = 0;

    return curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK ? status : 0;
}

const char *fetch_field(struct fetch *f, const char *name, size_t i)
{
    struct curl_header *h;

    return curl_easy_header(f->easy, name, i, CURLH_HEADER, -1, &h) == CURLHE_OK ? h->value : NULL;
}

const char *fetch_redirect(const struct fetch *f)
{
    char *url = NULL;

    return curl_easy_getinfo(f->easy, CURLINFO_REDIRECT_URL, &url) == CURLE_OK ? url : NULL;
}

struct span fetch_body(const struct fetch *f)
{
    return buf_span(&f->kept);
}

int fetch_fault(const struct fetch *f)
{
    return (int)f->fault;
}

void fetch_say(const struct fetch *f, const char *format, ...)
{
    char line[HEAD_LINE_MAX];
    va_list more;

    if (!f->options.verbose)
        return;
    va_start(more, format);
    vsnprintf(line, sizeof(line), gettext(format), more);
    va_end(more);
    word_make_shown(line);
    fprintf(stderr, "* %s\n", line);
}
