#include "collect/post.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/date.h"
#include "base/file.h"
#include "base/secret.h"

#define CONNECT_MS 15000
#define POLL_MS    500
#define URL_MAX    512
#define GATHER     262144

struct post {
    struct post_request request;
    CURLM *multi;
    CURL *easy;
    struct curl_slist *headers;
    struct spool *answer;
    uint64_t answer_max, answered, sent;
    struct span pending; /* what the next reads take */
    size_t gathered;
    uint8_t room[GATHER]; /* pieces are gathered, so that a turn of libcurl is worth it */
    bool paused, over;
    CURLcode result; /* when over */
    int64_t moved;   /* when the last byte moved, monotonic ms */
    char reason[CURL_ERROR_SIZE];
};

enum tp_err centre_access_load(struct centre_access *out, const char *dir, struct tp_error *e)
{
    char path[PATH_MAX];
    struct conf *c = NULL;
    const char *url, *id;
    enum tp_err r = file_join(path, sizeof(path), dir, "centre/centre.conf", e);

    if (r == TP_OK)
        r = conf_load(&c, path, e);
    if (r == TP_ERR_NOT_FOUND)
        (void)tp_fail(e, r,
                      "there is no %s: the centre makes it with telepay-centre acquirer add --id "
                      "ID --out %s/centre",
                      path, dir);
    if (r == TP_OK)
        r = conf_need(&url, c, "centre", "url", e);
    if (r == TP_OK)
        r = conf_need(&id, c, "centre", "id", e);
    if (r == TP_OK)
        r = pki_files_load(&out->tls, c, "centre", e);
    if (r == TP_OK && access(out->tls.key, F_OK) == 0) /* a missing one is told when it is used */
        r = file_check_private(out->tls.key, e);
    if (r == TP_OK && (strncmp(url, "https://", 8) != 0 || strlen(url) >= sizeof(out->url) ||
                       strlen(id) >= sizeof(out->id)))
        r = tp_fail(e, TP_ERR_USAGE,
                    "%s: url must begin with https://, and id has at most %d characters", path,
                    CAAA_ID_MAX - 1);
    if (r == TP_OK) {
        snprintf(out->url, sizeof(out->url), "%s", url);
        snprintf(out->id, sizeof(out->id), "%s", id);
    }
    conf_free(&c);
    return r;
}

/* ---- libcurl's questions ---- */

static size_t give(char *out, size_t size, size_t count, void *ctx)
{
    struct post *p = ctx;
    size_t n = size * count;

    if (p->pending.n == 0 && p->sent < p->request.size) {
        p->paused = true;
        return CURL_READFUNC_PAUSE;
    }
    if (n > p->pending.n)
        n = p->pending.n;
    memcpy(out, p->pending.p, n);
    p->pending = (struct span){p->pending.p + n, p->pending.n - n};
    p->sent += n;
    p->moved = time_monotonic_ms();
    return n;
}

static size_t take(char *bytes, size_t size, size_t count, void *ctx)
{
    struct post *p = ctx;
    const size_t n = size * count;

    p->moved = time_monotonic_ms();
    p->answered += n;
    if (p->answered > p->answer_max || spool_write(p->answer, span_of(bytes, n)) != TP_OK)
        return 0; /* the exchange ends with CURLE_WRITE_ERROR */
    return n;
}

/* ---- set-up ---- */

static bool add_header(struct post *p, const char *text)
{
    struct curl_slist *more = curl_slist_append(p->headers, text);

    if (more != NULL)
        p->headers = more;
    return more != NULL;
}

static bool set_address(struct post *p, const struct centre_access *a)
{
    char url[URL_MAX];
    char *contract = curl_easy_escape(p->easy, p->request.contract, 0);
    const size_t n = strlen(a->url);
    const int root = (int)(n > 0 && a->url[n - 1] == '/' ? n - 1 : n);
    const int w = contract != NULL ? snprintf(url, sizeof(url), "%.*s/remises/%s/%" PRIu32, root,
                                              a->url, contract, p->request.number)
                                   : -1;

    curl_free(contract);
    return w > 0 && (size_t)w < sizeof(url) &&
           curl_easy_setopt(p->easy, CURLOPT_URL, url) == CURLE_OK;
}

static bool set_headers(struct post *p)
{
    unsigned char hash[48];
    char text[96];

    EVP_EncodeBlock(hash, p->request.hash, SPOOL_HASH);
    snprintf(text, sizeof(text), "Content-Digest: sha-256=:%s:", (char *)hash); /* RFC 9530 */
    return add_header(p, "Content-Type: application/xml") && add_header(p, text) &&
           curl_easy_setopt(p->easy, CURLOPT_HTTPHEADER, p->headers) == CURLE_OK;
}

static bool set_up(struct post *p, const struct centre_access *a)
{
    CURL *c = p->easy;

    return set_address(p, a) && set_headers(p) &&
           curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_NOPROXY, "*") == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_CAINFO, a->tls.ca) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_SSLCERT, a->tls.certificate) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_SSLKEY, a->tls.key) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_UPLOAD, 1L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, (curl_off_t)p->request.size) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_UPLOAD_BUFFERSIZE, 262144L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_READFUNCTION, give) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_READDATA, p) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_WRITEDATA, p) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_ERRORBUFFER, p->reason) == CURLE_OK &&
           curl_multi_add_handle(p->multi, c) == CURLM_OK;
}

enum tp_err post_new(struct post **out, const struct centre_access *access,
                     const struct post_request *request, struct spool *answer, uint64_t answer_max,
                     struct tp_error *e)
{
    struct post *p = calloc(1, sizeof(*p));

    *out = NULL;
    if (p == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    p->request = *request;
    p->answer = answer;
    p->answer_max = answer_max;
    p->multi = curl_multi_init();
    p->easy = curl_easy_init();
    p->moved = time_monotonic_ms();
    if (p->multi == NULL || p->easy == NULL || !set_up(p, access)) {
        post_free(&p);
        return tp_fail(e, TP_ERR_INTERNAL, "cannot prepare the exchange with %s", access->url);
    }
    *out = p;
    return TP_OK;
}

void post_free(struct post **p)
{
    if (*p == NULL)
        return;
    if ((*p)->multi != NULL && (*p)->easy != NULL)
        curl_multi_remove_handle((*p)->multi, (*p)->easy);
    curl_easy_cleanup((*p)->easy);
    curl_multi_cleanup((*p)->multi);
    curl_slist_free_all((*p)->headers);
    secret_wipe((*p)->room, sizeof((*p)->room));
    free(*p);
    *p = NULL;
}

/* ---- the exchange ---- */

static void note_end(struct post *p)
{
    CURLMsg *m;
    int left;

    while ((m = curl_multi_info_read(p->multi, &left)) != NULL)
        if (m->msg == CURLMSG_DONE) {
            p->over = true;
            p->result = m->data.result;
        }
}

/* One turn: whatever can move moves; waits for more at most POLL_MS. */
static void turn(struct post *p)
{
    const int64_t limit =
        1000 * (int64_t)(p->sent < p->request.size ? p->request.stall_s : p->request.answer_s);
    int running = 0;

    if (curl_multi_perform(p->multi, &running) != CURLM_OK) {
        p->over = true;
        p->result = CURLE_FAILED_INIT;
        return;
    }
    note_end(p);
    if (p->over || (p->paused && p->pending.n == 0 && p->sent < p->request.size))
        return;
    if (time_monotonic_ms() - p->moved > limit) {
        p->over = true;
        p->result = CURLE_OPERATION_TIMEDOUT;
        return;
    }
    (void)curl_multi_poll(p->multi, NULL, 0, POLL_MS, NULL);
}

static enum tp_err flush(struct post *p)
{
    p->pending = span_of(p->room, p->gathered);
    p->gathered = 0;
    p->moved = time_monotonic_ms();
    if (p->paused) {
        p->paused = false;
        (void)curl_easy_pause(p->easy, CURLPAUSE_CONT);
    }
    while (p->pending.n > 0 && !p->over)
        turn(p);
    return p->pending.n > 0 ? TP_ERR_CANCELLED : TP_OK;
}

enum tp_err post_sink_write(void *post, struct span bytes)
{
    struct post *p = post;
    enum tp_err r = TP_OK;

    while (bytes.n > 0 && r == TP_OK) {
        const size_t room = GATHER - p->gathered, n = bytes.n < room ? bytes.n : room;

        memcpy(p->room + p->gathered, bytes.p, n);
        p->gathered += n;
        bytes = (struct span){bytes.p + n, bytes.n - n};
        if (p->gathered == GATHER)
            r = flush(p);
    }
    return r;
}

static enum tp_err say_why(const struct post *p, struct tp_error *e)
{
    const char *why = p->reason[0] != '\0' ? p->reason : curl_easy_strerror(p->result);

    switch (p->result) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
        return tp_fail(e, TP_ERR_SECURITY,
                       "the centre and this acquirer do not trust each other: %s", why);
    case CURLE_OPERATION_TIMEDOUT:
        return tp_fail(e, TP_ERR_TIMEOUT,
                       "the centre does not answer in time (%" PRIu64 " of %" PRIu64 " bytes sent)",
                       p->sent, p->request.size);
    case CURLE_WRITE_ERROR:
        return tp_fail(e, TP_ERR_PEER,
                       "the centre's answer is longer than any can be, or cannot be kept");
    default:
        return tp_fail(e, TP_ERR_PEER, "the centre cannot be reached, or hung up: %s", why);
    }
}

enum tp_err post_finish(struct post *p, long *status, struct tp_error *e)
{
    if (p->gathered > 0 && !p->over)
        (void)flush(p); /* when it is cut short, how is seen below */
    while (!p->over && p->sent == p->request.size)
        turn(p);
    if (!p->over)
        return tp_fail(e, TP_ERR_INTERNAL, "the document ended before its %" PRIu64 " bytes",
                       p->request.size);
    *status = 0;
    (void)curl_easy_getinfo(p->easy, CURLINFO_RESPONSE_CODE, status);
    if (p->result == CURLE_OK ||
        (*status >= 400 &&
         p->result != CURLE_WRITE_ERROR)) /* refused before all was sent: the status says it */
        return TP_OK;
    return say_why(p, e);
}
