#include "wire/http_client.h"

#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/log.h"

#define CONNECT_MS 10000L
#define POLL_MS    1000
#define HOSTS      4L /* so many of them may have all that one may */

struct exchange {
    TAILQ_ENTRY(exchange) next;
    struct http_question q;
    CURL *easy;
    struct curl_slist *headers;
    uint8_t *body, *answer;
    size_t answer_n, answer_cap;
    bool too_long;
    bool held; /* its pieces are not taken now */
    char reason[CURL_ERROR_SIZE];
};
TAILQ_HEAD(exchanges, exchange);

struct http_client {
    CURLM *multi;
    pthread_t thread;
    bool started, stop; /* stop under lock */
    pthread_mutex_t lock;
    struct exchanges asked;     /* under lock: not yet taken by the thread */
    struct exchanges under_way; /* the thread's */
};

/* ---- one exchange ---- */

static void exchange_free(struct exchange *x)
{
    if (x == NULL)
        return;
    curl_easy_cleanup(x->easy);
    curl_slist_free_all(x->headers);
    free(x->body);
    free(x->answer);
    free(x);
}

static long status_of(const struct exchange *x)
{
    long status = 0;

    (void)curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

static const char *type_of(const struct exchange *x)
{
    const char *type = NULL;

    return curl_easy_getinfo(x->easy, CURLINFO_CONTENT_TYPE, &type) == CURLE_OK && type != NULL
               ? type
               : "";
}

static size_t take_piece(struct exchange *x, struct span piece)
{
    x->held = !x->q.piece(x->q.ctx, type_of(x), piece);
    return x->held ? CURL_WRITEFUNC_PAUSE : piece.n;
}

static size_t take(char *bytes, size_t size, size_t count, void *ctx)
{
    struct exchange *x = ctx;
    const size_t n = size * count;

    if (x->q.piece != NULL && status_of(x) == 200)
        return take_piece(x, span_of(bytes, n));
    if (n > x->q.answer_max - x->answer_n) {
        x->too_long = true;
        return 0; /* the exchange ends with CURLE_WRITE_ERROR */
    }
    if (n > x->answer_cap - x->answer_n) {
        const size_t wanted = 2 * (x->answer_n + n),
                     cap = wanted < x->q.answer_max ? wanted : x->q.answer_max;
        uint8_t *more = realloc(x->answer, cap);

        if (more == NULL)
            return 0;
        x->answer = more;
        x->answer_cap = cap;
    }
    memcpy(x->answer + x->answer_n, bytes, n);
    x->answer_n += n;
    return n;
}

static bool add_header(struct exchange *x, const char *text)
{
    struct curl_slist *more = curl_slist_append(x->headers, text);

    if (more != NULL)
        x->headers = more;
    return more != NULL;
}

static bool set_headers(struct exchange *x)
{
    bool ok = add_header(x, "Expect:"); /* the body goes at once */

    for (size_t i = 0; ok && x->q.headers != NULL && x->q.headers[i] != NULL; i++)
        ok = add_header(x, x->q.headers[i]);
    return ok && curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, x->headers) == CURLE_OK;
}

static bool set_own(struct exchange *x)
{
    return x->q.tls->certificate[0] == '\0' ||
           (curl_easy_setopt(x->easy, CURLOPT_SSLCERT, x->q.tls->certificate) == CURLE_OK &&
            curl_easy_setopt(x->easy, CURLOPT_SSLKEY, x->q.tls->key) == CURLE_OK);
}

static bool set_body(struct exchange *x)
{
    return x->body == NULL ||
           (curl_easy_setopt(x->easy, CURLOPT_POSTFIELDS, (const char *)x->body) == CURLE_OK &&
            curl_easy_setopt(x->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)x->q.body.n) ==
                CURLE_OK);
}

static bool set_up(struct exchange *x)
{
    CURL *c = x->easy;

    return c != NULL && set_headers(x) && curl_easy_setopt(c, CURLOPT_URL, x->q.url) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_NOPROXY, "*") == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_CAINFO, x->q.tls->ca) == CURLE_OK && set_own(x) &&
           set_body(x) && curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, x->q.timeout_ms) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_WRITEDATA, x) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_ERRORBUFFER, x->reason) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_PRIVATE, x) == CURLE_OK;
}

static struct exchange *exchange_new(const struct http_question *q)
{
    struct exchange *x = calloc(1, sizeof(*x));

    if (x == NULL)
        return NULL;
    x->q = *q;
    x->body = q->body.p != NULL ? (uint8_t *)span_text(q->body) : NULL;
    x->easy = curl_easy_init();
    if (x->easy != NULL) /* files change under their names; where none is kept, all is well */
        (void)curl_easy_setopt(x->easy, CURLOPT_CA_CACHE_TIMEOUT, 0L);
    if ((x->body == NULL && q->body.p != NULL) || !set_up(x)) {
        exchange_free(x);
        return NULL;
    }
    x->q.url = NULL; /* libcurl has copies of these */
    x->q.headers = NULL;
    return x;
}

/* ---- what came of it ---- */

static enum tp_err say_why(const struct exchange *x, CURLcode result, struct tp_error *e)
{
    const char *why = x->reason[0] != '\0' ? x->reason : curl_easy_strerror(result);

    switch (result) {
    case CURLE_OK:
        return TP_OK;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
        return tp_fail(e, TP_ERR_SECURITY, "the two sides do not trust each other: %s", why);
    case CURLE_OPERATION_TIMEDOUT:
        return tp_fail(e, TP_ERR_TIMEOUT, "no answer within %ld ms", x->q.timeout_ms);
    case CURLE_WRITE_ERROR:
        return x->too_long ? tp_fail(e, TP_ERR_RANGE, "the answer is longer than %zu bytes",
                                     x->q.answer_max)
                           : tp_fail(e, TP_ERR_NO_MEMORY, "no memory for the answer");
    default:
        return tp_fail(e, TP_ERR_PEER, "it cannot be reached, or hung up: %s", why);
    }
}

static void finish(struct exchange *x, CURLcode result)
{
    struct http_said said = {
        .type = type_of(x), .status = status_of(x), .body = span_of(x->answer, x->answer_n)};
    curl_off_t wait = 0;

    said.r = say_why(x, result, &said.e);
    if (curl_easy_getinfo(x->easy, CURLINFO_RETRY_AFTER, &wait) == CURLE_OK)
        said.retry_after = (long)wait;
    x->q.done(x->q.ctx, &said);
}

static void cancel(struct exchange *x)
{
    struct http_said said = {.type = ""};

    said.r = tp_fail(&said.e, TP_ERR_CANCELLED, "it is not wanted any more");
    x->q.done(x->q.ctx, &said);
    exchange_free(x);
}

/* ---- the thread ---- */

static bool take_asked(struct http_client *c)
{
    struct exchanges asked = TAILQ_HEAD_INITIALIZER(asked);
    struct exchange *x;
    bool stop;

    pthread_mutex_lock(&c->lock);
    TAILQ_CONCAT(&asked, &c->asked, next);
    stop = c->stop;
    pthread_mutex_unlock(&c->lock);
    while ((x = TAILQ_FIRST(&asked)) != NULL) {
        TAILQ_REMOVE(&asked, x, next);
        TAILQ_INSERT_TAIL(&c->under_way, x, next);
        if (curl_multi_add_handle(c->multi, x->easy) != CURLM_OK) {
            TAILQ_REMOVE(&c->under_way, x, next);
            finish(x, CURLE_OUT_OF_MEMORY);
            exchange_free(x);
        }
    }
    return !stop;
}

static void end_those_done(struct http_client *c)
{
    CURLMsg *m;
    int left;

    while ((m = curl_multi_info_read(c->multi, &left)) != NULL) {
        struct exchange *x = NULL;
        const CURLcode result = m->data.result;

        if (m->msg != CURLMSG_DONE)
            continue;
        (void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &x);
        curl_multi_remove_handle(c->multi, m->easy_handle);
        TAILQ_REMOVE(&c->under_way, x, next);
        finish(x, result);
        exchange_free(x);
    }
}

/* Those whose answer is taken as it comes. True: there are some. */
static bool keep_pace(struct http_client *c)
{
    struct exchange *x, *next;
    bool some = false;

    for (x = TAILQ_FIRST(&c->under_way); x != NULL; x = next) {
        enum http_pace pace;

        next = TAILQ_NEXT(x, next);
        if (x->q.pace == NULL)
            continue;
        pace = x->q.pace(x->q.ctx);
        if (pace == HTTP_END) {
            TAILQ_REMOVE(&c->under_way, x, next);
            curl_multi_remove_handle(c->multi, x->easy);
            cancel(x);
            continue;
        }
        some = true;
        if (pace == HTTP_GO_ON && x->held) {
            x->held = false; /* before the piece comes again, from within */
            (void)curl_easy_pause(x->easy, CURLPAUSE_CONT);
        }
    }
    return some;
}

static void *run(void *ctx)
{
    struct http_client *c = ctx;
    struct exchange *x;
    int running;

    while (take_asked(c)) {
        const int ms = keep_pace(c) ? 1000 / HTTP_PACES : POLL_MS;

        if (curl_multi_perform(c->multi, &running) != CURLM_OK)
            log_error("libcurl cannot go on with what is under way");
        end_those_done(c);
        (void)curl_multi_poll(c->multi, NULL, 0, ms, NULL);
    }
    while ((x = TAILQ_FIRST(&c->under_way)) != NULL) {
        TAILQ_REMOVE(&c->under_way, x, next);
        curl_multi_remove_handle(c->multi, x->easy);
        cancel(x);
    }
    return NULL;
}

/* ---- from outside ---- */

enum tp_err http_client_new(struct http_client **out, long of_host, struct tp_error *e)
{
    struct http_client *c = calloc(1, sizeof(*c));
    sigset_t all, before;

    *out = NULL;
    if (c == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    TAILQ_INIT(&c->asked);
    TAILQ_INIT(&c->under_way);
    pthread_mutex_init(&c->lock, NULL);
    c->multi = curl_multi_init();
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    c->started =
        c->multi != NULL &&
        curl_multi_setopt(c->multi, CURLMOPT_MAX_HOST_CONNECTIONS, of_host) == CURLM_OK &&
        curl_multi_setopt(c->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, HOSTS * of_host) == CURLM_OK &&
        pthread_create(&c->thread, NULL, run, c) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!c->started) {
        http_client_free(&c);
        return tp_fail(e, TP_ERR_NO_MEMORY, "the client of the services cannot be started");
    }
    *out = c;
    return TP_OK;
}

void http_client_stop(struct http_client *c)
{
    struct exchange *x;

    if (c == NULL)
        return;
    pthread_mutex_lock(&c->lock);
    c->stop = true;
    pthread_mutex_unlock(&c->lock);
    if (c->started) {
        curl_multi_wakeup(c->multi);
        pthread_join(c->thread, NULL);
    }
    c->started = false;
    while ((x = TAILQ_FIRST(&c->asked)) != NULL) {
        TAILQ_REMOVE(&c->asked, x, next);
        cancel(x);
    }
}

void http_client_free(struct http_client **out)
{
    struct http_client *c = *out;

    if (c == NULL)
        return;
    http_client_stop(c);
    curl_multi_cleanup(c->multi);
    pthread_mutex_destroy(&c->lock);
    free(c);
    *out = NULL;
}

enum tp_err http_client_ask(struct http_client *c, const struct http_question *q)
{
    struct exchange *x = exchange_new(q);
    bool stopped;

    if (x == NULL)
        return TP_ERR_NO_MEMORY;
    pthread_mutex_lock(&c->lock);
    stopped = c->stop;
    if (!stopped)
        TAILQ_INSERT_TAIL(&c->asked, x, next);
    pthread_mutex_unlock(&c->lock);
    if (stopped)
        cancel(x);
    else
        curl_multi_wakeup(c->multi);
    return TP_OK;
}
