#include "centre/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <inttypes.h>
#include <limits.h>
#include <microhttpd.h>
#include <netdb.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "centre/guests.h"
#include "centre/intake.h"

#define PEM_MAX      65536
#define POOL_THREADS 4
#define WORKERS      4
#define EACH_WORKERS 2 /* that one acquirer may keep busy */
#define CONNECTIONS  512
#define EACH_ADDRESS 64 /* connections of one address */
#define FILES        64 /* descriptors that are no connection and no document */
#define IDLE_S       60
#define HEAD_S                                                                                     \
    15 /* from the connection to the end of a request's head; also between two requests */
#define BODY_S    30 /* for a document or an answer, and one more for each BODY_RATE bytes of it */
#define BODY_RATE 32768
#define DOCUMENT_MAX                                                                               \
    (INT64_C(2) << 30) /* bytes of one, and of all that one acquirer sends at a time: a million    \
                          payments are 1 to 2 GB */
#define SPOOL_MAX  (INT64_C(8) << 30)  /* bytes of all that are on their way */
#define DISK_LEFT  (INT64_C(64) << 20) /* that a document must leave on the disk */
#define MEMORY     262144              /* per connection: also the piece in which an upload comes */
#define PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"
#define ROOT       "/remises/"
#define DIGEST_MAX 80

/* A request from its first line to its answer. Its connection is suspended while the worker has it.
 */
struct request {
    struct intake_claim claim;
    struct MHD_Connection *connection;
    struct spool *document;
    enum tp_err spooled; /* the first failure of writing it */
    char digest[DIGEST_MAX];
    unsigned status; /* 0: not yet answered */
    struct MHD_Response *response;
    uint64_t answer_size;
    /* under the service's lock */
    int64_t promised;          /* bytes that it may spool; 0: it is not among those on their way */
    int64_t spooled_n;         /* those that came: the disk has them already */
    TAILQ_ENTRY(request) link; /* under way */
    TAILQ_ENTRY(request) waiting; /* for a worker */
};

struct worker {
    struct service *service;
    struct centre centre;
    pthread_t thread;
    bool runs;
    const struct request *at; /* what it works on, under the service's lock */
};

struct service {
    const struct centre_service *given;
    struct worker worker[WORKERS];
    pthread_mutex_t books; /* the workers' */
    struct caaa_schemas *schemas;
    struct centre_store *doorkeeper; /* the door's own look at the books */
    pthread_mutex_t door;
    struct MHD_Daemon *daemon;
    int listener, lock_fd;
    unsigned char *key, *certificate, *authority; /* PEM */
    char spool_dir[PATH_MAX];
    pthread_mutex_t lock;
    pthread_cond_t work;
    TAILQ_HEAD(, request) waiting, under_way;
    atomic_bool stopping;
    struct guests *guests;
};

/* ---- answers ---- */

static void answer_text(struct request *q, unsigned status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void answer_text(struct request *q, unsigned status, const char *format, ...)
{
    char text[600];
    va_list ap;
    int n;

    va_start(ap, format);
    n = vsnprintf(text, sizeof(text) - 1, format, ap);
    va_end(ap);
    if (n < 0 || (size_t)n > sizeof(text) - 2)
        n = (int)sizeof(text) - 2;
    text[n] = '\n';
    q->status = status;
    q->response = MHD_create_response_from_buffer((size_t)n + 1, text, MHD_RESPMEM_MUST_COPY);
    if (q->response != NULL)
        (void)MHD_add_response_header(q->response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                      "text/plain; charset=utf-8");
}

static enum tp_err sink_file(void *file, struct span bytes)
{
    return fwrite(bytes.p, 1, bytes.n, file) == bytes.n ? TP_OK : TP_ERR_IO;
}

/* The caaa.012 goes through a file without a name: there may be many refusals. It holds no card
 * number. */
static void answer_document(struct worker *w, struct request *q)
{
    const struct service *s = w->service;
    char path[PATH_MAX];
    struct tp_error e = {TP_OK, ""};
    FILE *f = NULL;
    enum tp_err r = file_join(path, sizeof(path), s->spool_dir, "answer.XXXXXX", &e);
    const int fd = r == TP_OK ? mkostemp(path, O_CLOEXEC) : -1;

    if (fd >= 0)
        (void)unlink(path);
    f = fd >= 0 ? fdopen(dup(fd), "w") : NULL;
    if (f != NULL) {
        const struct caaa_sink sink = {sink_file, f};

        r = intake_answer(&w->centre, &q->claim, &sink, &e);
        if (fclose(f) != 0 && r == TP_OK)
            r = tp_fail(&e, TP_ERR_IO, "%s", strerror(errno));
    } else if (r == TP_OK)
        r = tp_fail(&e, TP_ERR_IO, "cannot make a file in %s: %s", s->spool_dir, strerror(errno));
    const off_t size = fd >= 0 ? lseek(fd, 0, SEEK_END) : 0;

    if (r == TP_OK && size > 0) {
        q->status = MHD_HTTP_OK;
        q->answer_size = (uint64_t)size;
        q->response = MHD_create_response_from_fd64((uint64_t)size, fd); /* closes it */
        (void)MHD_add_response_header(q->response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/xml");
        return;
    }
    if (fd >= 0)
        close(fd);
    log_error("cannot answer remise %" PRIu32 " of contract %s: %s", q->claim.number,
              q->claim.contract, e.text);
    answer_text(q, MHD_HTTP_INTERNAL_SERVER_ERROR,
                "the remise is kept, the answer could not be made: ask again");
}

/* ---- the workers: each one remise after the other ---- */

/* RFC 9530: sha-256=:BASE64: */
static void digest_text(char out[DIGEST_MAX], const uint8_t hash[SPOOL_HASH])
{
    unsigned char text[48];

    EVP_EncodeBlock(text, hash, SPOOL_HASH);
    snprintf(out, DIGEST_MAX, "sha-256=:%s:", (char *)text);
}

static void work_on(struct worker *w, struct request *q)
{
    uint8_t hash[SPOOL_HASH];
    char digest[DIGEST_MAX];
    enum intake_outcome outcome = INTAKE_INVALID;
    struct tp_error e = {TP_OK, ""};
    enum tp_err r = q->spooled;

    if (r == TP_OK)
        r = spool_finish(q->document, hash);
    if (r != TP_OK) {
        answer_text(q, MHD_HTTP_INSUFFICIENT_STORAGE,
                    "the centre cannot keep the document now: send it again later");
        log_error("cannot spool remise %" PRIu32 " of contract %s: %s", q->claim.number,
                  q->claim.contract, tp_err_text(r));
        return;
    }
    digest_text(digest, hash);
    if (q->digest[0] != '\0' && strcmp(digest, q->digest) != 0) {
        answer_text(q, MHD_HTTP_BAD_REQUEST,
                    "the document is not the one that Content-Digest announces: send it again");
        return;
    }
    r = intake(&w->centre, &q->claim, q->document, hash, &outcome, &e);
    if (r != TP_OK) {
        log_error("cannot take remise %" PRIu32 " of contract %s: %s", q->claim.number,
                  q->claim.contract, e.text);
        answer_text(
            q, MHD_HTTP_SERVICE_UNAVAILABLE,
            "the centre cannot take the remise now, nothing of it was kept: send it again later");
    } else if (outcome == INTAKE_ANSWERED)
        answer_document(w, q);
    else {
        log_error("refused: remise %" PRIu32 " of contract %s from %s: %s", q->claim.number,
                  q->claim.contract, q->claim.acquirer, e.text);
        answer_text(q,
                    outcome == INTAKE_INVALID   ? MHD_HTTP_BAD_REQUEST
                    : outcome == INTAKE_FOREIGN ? MHD_HTTP_FORBIDDEN
                                                : MHD_HTTP_CONFLICT,
                    "%s", e.text);
    }
}

static unsigned workers_of(const struct service *s, const char *acquirer)
{
    unsigned n = 0;

    for (size_t i = 0; i < WORKERS; i++)
        n += s->worker[i].at != NULL && strcmp(s->worker[i].at->claim.acquirer, acquirer) == 0;
    return n;
}

/* The first that waits whose acquirer leaves workers for others. When the service ends, any. */
static struct request *take_next(struct service *s)
{
    struct request *q;

    TAILQ_FOREACH (q, &s->waiting, waiting) {
        if (atomic_load(&s->stopping) || workers_of(s, q->claim.acquirer) < EACH_WORKERS) {
            TAILQ_REMOVE(&s->waiting, q, waiting);
            return q;
        }
    }
    return NULL;
}

static void *worker_main(void *ctx)
{
    struct worker *w = ctx;
    struct service *s = w->service;

    for (;;) {
        struct request *q;

        pthread_mutex_lock(&s->lock);
        while ((q = take_next(s)) == NULL && !atomic_load(&s->stopping))
            pthread_cond_wait(&s->work, &s->lock);
        w->at = q;
        pthread_mutex_unlock(&s->lock);
        if (q == NULL)
            return NULL;
        if (atomic_load(&s->stopping))
            answer_text(q, MHD_HTTP_SERVICE_UNAVAILABLE,
                        "the centre is going down: send it again later");
        else
            work_on(w, q);
        spool_free(&q->document);
        pthread_mutex_lock(&s->lock);
        w->at = NULL; /* the request is the door's again, and may be gone at once */
        pthread_cond_broadcast(&s->work);
        pthread_mutex_unlock(&s->lock);
        MHD_resume_connection(q->connection);
    }
}

static struct guest *guest_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info != NULL ? info->socket_context : NULL;
}

/* False when the service ends: the worker may be gone, and a suspended connection would stay so. */
static bool hand_over(struct service *s, struct request *q)
{
    bool taken = false;

    pthread_mutex_lock(&s->lock);
    if (!atomic_load(&s->stopping)) {
        MHD_suspend_connection(q->connection);
        guests_deadline(s->guests, guest_of(q->connection), 0); /* it waits for us now */
        TAILQ_INSERT_TAIL(&s->waiting, q, waiting);
        pthread_cond_signal(&s->work);
        taken = true;
    }
    pthread_mutex_unlock(&s->lock);
    return taken;
}

/* ---- the door: who is it, what does it want ---- */

static bool name_part(gnutls_x509_crt_t crt, const char *oid, char *out, size_t cap)
{
    size_t n = cap;

    return gnutls_x509_crt_get_dn_by_oid(crt, oid, 0, 0, out, &n) == 0;
}

/* The acquirer's id from its certificate, which must be of our authority and for a client. */
static bool identify(struct MHD_Connection *connection, char id[CAAA_ID_MAX])
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    gnutls_typed_vdata_st purpose = {GNUTLS_DT_KEY_PURPOSE_OID,
                                     (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_CLIENT, 0};
    const gnutls_datum_t *chain;
    gnutls_x509_crt_t crt = NULL;
    unsigned status = 0, n = 0;
    char organisation[CAAA_ID_MAX];
    bool good = false;

    if (info == NULL ||
        gnutls_certificate_verify_peers(info->tls_session, &purpose, 1, &status) != 0 ||
        status != 0)
        return false;
    chain = gnutls_certificate_get_peers(info->tls_session, &n);
    if (chain == NULL || n == 0 || gnutls_x509_crt_init(&crt) != 0)
        return false;
    good = gnutls_x509_crt_import(crt, &chain[0], GNUTLS_X509_FMT_DER) == 0 &&
           name_part(crt, GNUTLS_OID_X520_ORGANIZATION_NAME, organisation, sizeof(organisation)) &&
           strcmp(organisation, "acquirer") == 0 &&
           name_part(crt, GNUTLS_OID_X520_COMMON_NAME, id, CAAA_ID_MAX);
    gnutls_x509_crt_deinit(crt);
    return good;
}

/* "/remises/000000000000123/7" */
static bool parse_address(const char *url, struct intake_claim *claim)
{
    const char *contract = url + sizeof(ROOT) - 1, *slash;
    char *end;
    unsigned long v;

    if (strncmp(url, ROOT, sizeof(ROOT) - 1) != 0)
        return false;
    slash = strchr(contract, '/');
    if (slash == NULL || slash == contract ||
        (size_t)(slash - contract) >= sizeof(claim->contract) || slash[1] < '1' || slash[1] > '9')
        return false;
    memcpy(claim->contract, contract, (size_t)(slash - contract));
    claim->contract[slash - contract] = '\0';
    errno = 0;
    v = strtoul(slash + 1, &end, 10);
    claim->number = (uint32_t)v;
    return errno == 0 && *end == '\0' && v <= 999999999;
}

/* TP_ERR_NOT_FOUND, or why the books do not say. */
static enum tp_err known(struct service *s, const char *acquirer)
{
    struct tp_error e;
    bool is = false;
    enum tp_err r;

    pthread_mutex_lock(&s->door);
    r = centre_acquirer_known(s->doorkeeper, acquirer, &is, &e);
    pthread_mutex_unlock(&s->door);
    if (r != TP_OK)
        log_error("%s", e.text);
    return r == TP_OK && !is ? TP_ERR_NOT_FOUND : r;
}

/* RFC 9110, 8.6. A document whose size nobody knows is not begun. */
static bool announced_size(struct request *q, int64_t *size)
{
    const char *text =
        MHD_lookup_connection_value(q->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    char *end;

    if (MHD_lookup_connection_value(q->connection, MHD_HEADER_KIND,
                                    MHD_HTTP_HEADER_TRANSFER_ENCODING) != NULL ||
        text == NULL || *text < '0' || *text > '9')
        return false;
    errno = 0;
    *size = strtoll(text, &end, 10);
    return *end == '\0' &&
           (errno == 0 || errno == ERANGE); /* what is too large for a number is too large anyhow */
}

/* Beside what is on it. */
static bool disk_holds(const struct service *s, int64_t bytes)
{
    struct statvfs fs;

    return statvfs(s->spool_dir, &fs) == 0 &&
           (uint64_t)(bytes + DISK_LEFT) / fs.f_frsize < fs.f_bavail;
}

/* Room for so many bytes of this acquirer, which are its own until it has its answer. */
static bool promise(struct service *s, struct request *q, int64_t size)
{
    int64_t all = 0, own = 0, to_come = size;
    struct request *other;
    bool room;

    pthread_mutex_lock(&s->lock);
    TAILQ_FOREACH (other, &s->under_way, link) {
        all += other->promised;
        to_come += other->promised - other->spooled_n;
        own += strcmp(other->claim.acquirer, q->claim.acquirer) == 0 ? other->promised : 0;
    }
    room = all + size <= SPOOL_MAX && own + size <= DOCUMENT_MAX && disk_holds(s, to_come);
    if (room) {
        q->promised = size;
        TAILQ_INSERT_TAIL(&s->under_way, q, link);
    }
    pthread_mutex_unlock(&s->lock);
    return room;
}

static void admit_document(struct service *s, struct request *q)
{
    struct tp_error e = {TP_OK, ""};
    int64_t size = 0;

    if (!announced_size(q, &size))
        answer_text(q, MHD_HTTP_LENGTH_REQUIRED,
                    "say the size of the document in Content-Length: it is not taken in pieces");
    else if (size == 0)
        answer_text(q, MHD_HTTP_BAD_REQUEST, "there is no document");
    else if (size > DOCUMENT_MAX)
        answer_text(q, MHD_HTTP_CONTENT_TOO_LARGE,
                    "a remise has at most %" PRId64 " bytes: close it earlier", DOCUMENT_MAX);
    else if (!promise(s, q, size))
        answer_text(q, MHD_HTTP_INSUFFICIENT_STORAGE,
                    "the centre has no room for the document now: send it again later");
    else if (spool_new(&q->document, s->spool_dir, &e) != TP_OK) {
        log_error("%s", e.text);
        answer_text(q, MHD_HTTP_INSUFFICIENT_STORAGE,
                    "the centre cannot keep the document now: send it again later");
    } else
        guests_deadline(s->guests, guest_of(q->connection), BODY_S + (uint64_t)size / BODY_RATE);
}

/* What can be refused before the document comes. */
static void admit(struct service *s, struct request *q, const char *url, const char *method)
{
    const char *digest =
        MHD_lookup_connection_value(q->connection, MHD_HEADER_KIND, "Content-Digest");

    enum tp_err r = TP_ERR_NOT_FOUND;

    if (identify(q->connection, q->claim.acquirer))
        r = known(s, q->claim.acquirer);
    if (r != TP_OK && r != TP_ERR_NOT_FOUND) {
        answer_text(q, MHD_HTTP_SERVICE_UNAVAILABLE, "the centre's books cannot be asked now");
        return;
    }
    if (r != TP_OK) {
        log_stranger("refused at the door: no certificate of an acquirer of this centre");
        answer_text(q, MHD_HTTP_FORBIDDEN,
                    "show the certificate that this centre gave you (telepay-centre acquirer add)");
        return;
    }
    guests_named(s->guests, guest_of(q->connection), q->claim.acquirer);
    if (!parse_address(url, &q->claim))
        answer_text(q, MHD_HTTP_NOT_FOUND, "remises go to " ROOT "CONTRACT/NUMBER");
    else if (strcmp(method, MHD_HTTP_METHOD_PUT) != 0)
        answer_text(q, MHD_HTTP_METHOD_NOT_ALLOWED, "remises are sent with PUT");
    else if (digest != NULL && strlen(digest) >= sizeof(q->digest))
        answer_text(q, MHD_HTTP_BAD_REQUEST,
                    "Content-Digest is not understood: sha-256=:BASE64: is");
    else {
        snprintf(q->digest, sizeof(q->digest), "%s", digest != NULL ? digest : "");
        admit_document(s, q);
    }
}

static void take_piece(struct service *s, struct request *q, struct span piece)
{
    if (q->spooled != TP_OK)
        return;
    q->spooled = spool_write(q->document, piece);
    if (q->spooled == TP_OK) {
        pthread_mutex_lock(&s->lock);
        q->spooled_n += (int64_t)piece.n;
        pthread_mutex_unlock(&s->lock);
    }
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_n, void **state)
{
    struct service *s = ctx;
    struct request *q = *state;

    (void)version;
    if (q == NULL) {
        q = calloc(1, sizeof(*q));
        if (q == NULL)
            return MHD_NO;
        *state = q;
        q->connection = connection;
        admit(s, q, url, method);
        if (q->status == 0)
            return MHD_YES;
    }
    if (q->status == 0 && *upload_n > 0) {
        take_piece(s, q, span_of(upload, *upload_n));
        *upload_n = 0;
        return MHD_YES;
    }
    if (q->status == 0) {
        if (hand_over(s, q))
            return MHD_YES;
        answer_text(q, MHD_HTTP_SERVICE_UNAVAILABLE,
                    "the centre is going down: send it again later");
    }
    guests_deadline(s->guests, guest_of(connection), BODY_S + q->answer_size / BODY_RATE);
    return q->response != NULL ? MHD_queue_response(connection, q->status, q->response) : MHD_NO;
}

static void on_done(void *ctx, struct MHD_Connection *connection, void **state,
                    enum MHD_RequestTerminationCode why)
{
    struct service *s = ctx;
    struct request *q = *state;

    (void)why;
    guests_deadline(s->guests, guest_of(connection), HEAD_S);
    if (q == NULL)
        return;
    pthread_mutex_lock(&s->lock);
    if (q->promised > 0)
        TAILQ_REMOVE(&s->under_way, q, link);
    pthread_mutex_unlock(&s->lock);
    if (q->response != NULL)
        MHD_destroy_response(q->response);
    spool_free(&q->document);
    free(q);
    *state = NULL;
}

static void on_connection(void *ctx, struct MHD_Connection *connection, void **guest,
                          enum MHD_ConnectionNotificationCode what)
{
    struct service *s = ctx;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

    if (what == MHD_CONNECTION_NOTIFY_STARTED && info != NULL)
        *guest = guests_arrive(s->guests, info->connect_fd, HEAD_S);
    else if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        guests_leave(s->guests, *guest);
        *guest = NULL;
    }
}

static void on_log(void *ctx, const char *format, va_list ap) __attribute__((format(printf, 2, 0)));
static void on_log(void *ctx, const char *format, va_list ap)
{
    char text[300];

    (void)ctx;
    vsnprintf(text, sizeof(text), format, ap);
    text[strcspn(text, "\n")] = '\0';
    log_trace("%s", text);
}

/* ---- up and down ---- */

static enum tp_err read_pem(const char *dir, const char *name, bool is_secret, unsigned char **out,
                            struct tp_error *e)
{
    char path[PATH_MAX];
    uint8_t *p = NULL;
    size_t n;
    enum tp_err r = file_join(path, sizeof(path), dir, name, e);

    if (r == TP_OK && is_secret)
        r = file_check_private(path, e);
    if (r == TP_OK)
        r = file_read(path, PEM_MAX, &p, &n, e);
    *out = p; /* ends with a zero */
    return r;
}

static enum tp_err listen_on(int *fd, const char *address, const char *port, struct tp_error *e)
{
    const struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
                                   .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    const int one = 1, bad = getaddrinfo(address, port, &hints, &found);
    enum tp_err r = TP_OK;

    if (bad != 0)
        return tp_fail(e, TP_ERR_USAGE, "cannot listen on %s:%s: %s", address, port,
                       gai_strerror(bad));
    *fd = socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC, found->ai_protocol);
    if (*fd < 0 || setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
        bind(*fd, found->ai_addr, found->ai_addrlen) != 0 || listen(*fd, 128) != 0)
        r = tp_fail(
            e, TP_ERR_USAGE,
            "cannot listen on %s:%s: %s: end what listens there, or name another with --listen",
            address, port, strerror(errno));
    freeaddrinfo(found);
    return r;
}

static void say_ready(const struct service *s)
{
    struct sockaddr_storage at;
    socklen_t n = sizeof(at);
    char host[64] = "", port[16] = "";

    if (getsockname(s->listener, (struct sockaddr *)&at, &n) == 0)
        (void)getnameinfo((struct sockaddr *)&at, n, host, sizeof(host), port, sizeof(port),
                          NI_NUMERICHOST | NI_NUMERICSERV);
    printf(strchr(host, ':') != NULL ? "telepay-centre: listening on [%s]:%s\n"
                                     : "telepay-centre: listening on %s:%s\n",
           host, port);
    fflush(stdout);
}

static enum tp_err open_books(struct service *s, struct tp_error *e)
{
    char pki[PATH_MAX];
    enum tp_err r = file_lock_folder(&s->lock_fd, s->given->dir, "telepay-centre", e);

    if (r == TP_OK)
        r = file_join(pki, sizeof(pki), s->given->dir, "pki", e);
    if (r == TP_OK)
        r = read_pem(pki, "ca.pem", false, &s->authority, e);
    if (r == TP_OK)
        r = read_pem(pki, "server.pem", false, &s->certificate, e);
    if (r == TP_OK)
        r = read_pem(pki, "server.key", true, &s->key, e);
    if (r == TP_OK)
        r = file_join(s->spool_dir, sizeof(s->spool_dir), s->given->dir, "spool", e);
    if (r == TP_OK)
        r = file_make_dir(s->spool_dir, 0700, e);
    if (r == TP_OK)
        r = centre_store_open(&s->doorkeeper, s->given->dir, e);
    if (r == TP_OK)
        r = caaa_schemas_new(&s->schemas, e);
    for (size_t i = 0; i < WORKERS && r == TP_OK; i++) {
        struct centre *c = &s->worker[i].centre;

        *c = (struct centre){NULL, &s->books, s->schemas, s->given->refuse, &s->stopping};
        s->worker[i].service = s;
        r = centre_store_open(&c->store, s->given->dir, e);
    }
    return r;
}

/* A connection may need two descriptors: its own and its document's. */
static unsigned fit_descriptors(void)
{
    const unsigned files = file_descriptors();
    const unsigned kept = files / 4 < FILES ? files / 4 : FILES, room = (files - kept) / 2;

    if (room >= CONNECTIONS)
        return CONNECTIONS;
    log_error("%u descriptors are allowed, room for %u connections in place of %u: raise the limit "
              "(ulimit -Hn, LimitNOFILE= of the unit)",
              files, room, CONNECTIONS);
    return room;
}

static enum tp_err start(struct service *s, struct tp_error *e)
{
    const unsigned most = fit_descriptors(),
                   each = most / 8 < EACH_ADDRESS ? most / 8 : EACH_ADDRESS;
    enum tp_err r = listen_on(&s->listener, s->given->address, s->given->port, e);

    if (r != TP_OK)
        return r;
    r = guests_new(&s->guests, most, e);
    for (size_t i = 0; i < WORKERS && r == TP_OK; i++) {
        s->worker[i].runs =
            pthread_create(&s->worker[i].thread, NULL, worker_main, &s->worker[i]) == 0;
        if (!s->worker[i].runs)
            r = tp_fail(e, TP_ERR_NO_MEMORY, "cannot start a thread");
    }
    if (r != TP_OK)
        return r;
    s->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL | MHD_USE_TLS | MHD_ALLOW_SUSPEND_RESUME |
            MHD_USE_ERROR_LOG,
        0, NULL, NULL, on_request, s, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
        MHD_OPTION_LISTEN_SOCKET, s->listener, MHD_OPTION_THREAD_POOL_SIZE, POOL_THREADS,
        MHD_OPTION_CONNECTION_LIMIT, most, MHD_OPTION_PER_IP_CONNECTION_LIMIT, each,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY, MHD_OPTION_HTTPS_MEM_KEY, s->key,
        MHD_OPTION_HTTPS_MEM_CERT, s->certificate, MHD_OPTION_HTTPS_MEM_TRUST, s->authority,
        MHD_OPTION_HTTPS_PRIORITIES, PRIORITIES, MHD_OPTION_NOTIFY_COMPLETED, on_done, s,
        MHD_OPTION_END);
    return s->daemon != NULL
               ? TP_OK
               : tp_fail(e, TP_ERR_INTERNAL,
                         "cannot start the HTTPS service: are the keys in pki/ whole?");
}

static void stop(struct service *s)
{
    pthread_mutex_lock(&s->lock);
    atomic_store(&s->stopping, true);
    pthread_cond_broadcast(&s->work);
    pthread_mutex_unlock(&s->lock);
    for (size_t i = 0; i < WORKERS; i++)
        if (s->worker[i].runs)
            pthread_join(s->worker[i].thread,
                         NULL); /* every suspended connection is resumed before they end */
    if (s->daemon != NULL)
        MHD_stop_daemon(s->daemon); /* closes the listener */
    else if (s->listener >= 0)
        close(s->listener);
}

enum tp_err centre_serve(const struct centre_service *service, struct tp_error *e)
{
    struct service s = {.given = service,
                        .listener = -1,
                        .lock_fd = -1,
                        .door = PTHREAD_MUTEX_INITIALIZER,
                        .lock = PTHREAD_MUTEX_INITIALIZER,
                        .books = PTHREAD_MUTEX_INITIALIZER};
    sigset_t ends;
    enum tp_err r;
    int which;

    TAILQ_INIT(&s.waiting);
    TAILQ_INIT(&s.under_way);
    pthread_cond_init(&s.work, NULL);
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN); /* nothing is read again, and the log is stderr */
    r = open_books(&s, e);
    if (r == TP_OK)
        r = start(&s, e);
    if (r == TP_OK) {
        say_ready(&s);
        sigwait(&ends, &which);
        log_note("going down");
    }
    stop(&s);
    pthread_cond_destroy(&s.work);
    guests_free(&s.guests);
    for (size_t i = 0; i < WORKERS; i++)
        centre_store_close(&s.worker[i].centre.store);
    centre_store_close(&s.doorkeeper);
    caaa_schemas_free(&s.schemas);
    free(s.key);
    free(s.certificate);
    free(s.authority);
    if (s.lock_fd >= 0)
        close(s.lock_fd);
    return r;
}
