#include "centre/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "centre/intake.h"
#include "wire/http_door.h"

#define POOL_THREADS 4
#define WORKERS      4
#define EACH_WORKERS 2 /* that one acquirer may keep busy */
#define CONNECTIONS  512
#define EACH_ADDRESS 64 /* connections of one address */
#define DOCUMENT_MAX                                                                               \
    (INT64_C(2) << 30) /* bytes of one, and of all that one acquirer sends at a time: a million    \
                          payments are 1 to 2 GB */
#define SPOOL_MAX  (INT64_C(8) << 30)  /* bytes of all that are on their way */
#define DISK_LEFT  (INT64_C(64) << 20) /* that a document must leave on the disk */
#define MEMORY     262144              /* per connection: also the piece in which an upload comes */
#define ROOT       "/remises/"
#define DIGEST_MAX 80

/* A request from its first line to its answer. Its connection is suspended while the worker has it.
 */
struct request {
    struct intake_claim claim;
    struct http_call *call;
    struct spool *document;
    enum tp_err spooled; /* the first failure of writing it */
    char digest[DIGEST_MAX];
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
    struct http_door *front;
    int lock_fd;
    char spool_dir[PATH_MAX];
    pthread_mutex_t lock;
    pthread_cond_t work;
    TAILQ_HEAD(, request) waiting, under_way;
    atomic_bool stopping;
};

/* ---- answers ---- */

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
        struct MHD_Response *response =
            MHD_create_response_from_fd64((uint64_t)size, fd); /* closes it */

        if (response != NULL)
            (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                          "application/xml");
        http_answer(q->call, MHD_HTTP_OK, response, (uint64_t)size);
        return;
    }
    if (fd >= 0)
        close(fd);
    log_error("cannot answer remise %" PRIu32 " of contract %s: %s", q->claim.number,
              q->claim.contract, e.text);
    http_answer_text(q->call, MHD_HTTP_INTERNAL_SERVER_ERROR,
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
        http_answer_text(q->call, MHD_HTTP_INSUFFICIENT_STORAGE,
                         "the centre cannot keep the document now: send it again later");
        log_error("cannot spool remise %" PRIu32 " of contract %s: %s", q->claim.number,
                  q->claim.contract, tp_err_text(r));
        return;
    }
    digest_text(digest, hash);
    if (q->digest[0] != '\0' && strcmp(digest, q->digest) != 0) {
        http_answer_text(
            q->call, MHD_HTTP_BAD_REQUEST,
            "the document is not the one that Content-Digest announces: send it again");
        return;
    }
    r = intake(&w->centre, &q->claim, q->document, hash, &outcome, &e);
    if (r != TP_OK) {
        log_error("cannot take remise %" PRIu32 " of contract %s: %s", q->claim.number,
                  q->claim.contract, e.text);
        http_answer_text(
            q->call, MHD_HTTP_SERVICE_UNAVAILABLE,
            "the centre cannot take the remise now, nothing of it was kept: send it again later");
    } else if (outcome == INTAKE_ANSWERED)
        answer_document(w, q);
    else {
        log_error("refused: remise %" PRIu32 " of contract %s from %s: %s", q->claim.number,
                  q->claim.contract, q->claim.acquirer, e.text);
        http_answer_text(q->call,
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
            http_answer_text(q->call, MHD_HTTP_SERVICE_UNAVAILABLE,
                             "the centre is going down: send it again later");
        else
            work_on(w, q);
        spool_free(&q->document);
        pthread_mutex_lock(&s->lock);
        w->at = NULL; /* the request is the door's again, and may be gone at once */
        pthread_cond_broadcast(&s->work);
        pthread_mutex_unlock(&s->lock);
        http_resume(q->call);
    }
}

/* False when the service ends: the worker may be gone, and a suspended connection would stay so. */
static bool hand_over(struct service *s, struct request *q)
{
    bool taken = false;

    pthread_mutex_lock(&s->lock);
    if (!atomic_load(&s->stopping)) {
        http_later(q->call);
        TAILQ_INSERT_TAIL(&s->waiting, q, waiting);
        pthread_cond_signal(&s->work);
        taken = true;
    }
    pthread_mutex_unlock(&s->lock);
    return taken;
}

/* ---- the door: who is it, what does it want ---- */

/* The acquirer's id from its certificate, which must be of our authority and for a client. */
static bool identify(const struct http_call *call, char id[CAAA_ID_MAX])
{
    struct http_peer peer;

    if (!http_peer(call, &peer) || !peer.of_authority ||
        strcmp(peer.organisation, "acquirer") != 0 || peer.name[0] == '\0' ||
        strlen(peer.name) >= CAAA_ID_MAX)
        return false;
    memcpy(id, peer.name, strlen(peer.name) + 1);
    return true;
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

    if (!http_announced(q->call, &size) ||
        http_header(q->call, MHD_HTTP_HEADER_CONTENT_LENGTH) == NULL)
        http_answer_text(
            q->call, MHD_HTTP_LENGTH_REQUIRED,
            "say the size of the document in Content-Length: it is not taken in pieces");
    else if (size == 0)
        http_answer_text(q->call, MHD_HTTP_BAD_REQUEST, "there is no document");
    else if (size > DOCUMENT_MAX)
        http_answer_text(q->call, MHD_HTTP_CONTENT_TOO_LARGE,
                         "a remise has at most %" PRId64 " bytes: close it earlier", DOCUMENT_MAX);
    else if (!promise(s, q, size))
        http_answer_text(q->call, MHD_HTTP_INSUFFICIENT_STORAGE,
                         "the centre has no room for the document now: send it again later");
    else if (spool_new(&q->document, s->spool_dir, &e) != TP_OK) {
        log_error("%s", e.text);
        http_answer_text(q->call, MHD_HTTP_INSUFFICIENT_STORAGE,
                         "the centre cannot keep the document now: send it again later");
    } else
        http_take(q->call, size);
}

/* What can be refused before the document comes. */
static void admit(struct service *s, struct request *q)
{
    const char *digest = http_header(q->call, "Content-Digest");
    enum tp_err r = TP_ERR_NOT_FOUND;

    if (identify(q->call, q->claim.acquirer))
        r = known(s, q->claim.acquirer);
    if (r != TP_OK && r != TP_ERR_NOT_FOUND) {
        http_answer_text(q->call, MHD_HTTP_SERVICE_UNAVAILABLE,
                         "the centre's books cannot be asked now");
        return;
    }
    if (r != TP_OK) {
        log_stranger("refused at the door: no certificate of an acquirer of this centre");
        http_answer_text(
            q->call, MHD_HTTP_FORBIDDEN,
            "show the certificate that this centre gave you (telepay-centre acquirer add)");
        return;
    }
    http_named(q->call, q->claim.acquirer);
    if (!parse_address(http_path(q->call), &q->claim))
        http_answer_text(q->call, MHD_HTTP_NOT_FOUND, "remises go to " ROOT "CONTRACT/NUMBER");
    else if (strcmp(http_method(q->call), MHD_HTTP_METHOD_PUT) != 0)
        http_answer_text(q->call, MHD_HTTP_METHOD_NOT_ALLOWED, "remises are sent with PUT");
    else if (digest != NULL && strlen(digest) >= sizeof(q->digest))
        http_answer_text(q->call, MHD_HTTP_BAD_REQUEST,
                         "Content-Digest is not understood: sha-256=:BASE64: is");
    else {
        snprintf(q->digest, sizeof(q->digest), "%s", digest != NULL ? digest : "");
        admit_document(s, q);
    }
}

static void on_admit(void *ctx, struct http_call *call)
{
    struct request *q = calloc(1, sizeof(*q));

    if (q == NULL) {
        http_answer(call, MHD_HTTP_SERVICE_UNAVAILABLE, NULL, 0);
        return;
    }
    q->call = call;
    http_own_set(call, q);
    admit(ctx, q);
}

static void on_piece(void *ctx, struct http_call *call, struct span piece)
{
    struct service *s = ctx;
    struct request *q = http_own(call);

    if (q->spooled != TP_OK)
        return;
    q->spooled = spool_write(q->document, piece);
    if (q->spooled == TP_OK) {
        pthread_mutex_lock(&s->lock);
        q->spooled_n += (int64_t)piece.n;
        pthread_mutex_unlock(&s->lock);
    }
}

static void on_whole(void *ctx, struct http_call *call)
{
    if (!hand_over(ctx, http_own(call)))
        http_answer_text(call, MHD_HTTP_SERVICE_UNAVAILABLE,
                         "the centre is going down: send it again later");
}

static void on_done(void *ctx, struct http_call *call)
{
    struct service *s = ctx;
    struct request *q = http_own(call);

    if (q == NULL)
        return;
    pthread_mutex_lock(&s->lock);
    if (q->promised > 0)
        TAILQ_REMOVE(&s->under_way, q, link);
    pthread_mutex_unlock(&s->lock);
    spool_free(&q->document);
    free(q);
}

/* ---- up and down ---- */

static enum tp_err open_books(struct service *s, struct tp_error *e)
{
    enum tp_err r = file_lock_folder(&s->lock_fd, s->given->dir, "telepay-centre", e);

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

static enum tp_err start(struct service *s, struct tp_error *e)
{
    const struct http_door_options options = {
        .program = "telepay-centre",
        .dir = s->given->dir,
        .address = s->given->address,
        .port = s->given->port,
        .asks_certificate = true,
        .connections = CONNECTIONS,
        .of_address = EACH_ADDRESS,
        .threads = POOL_THREADS,
        .files = 2, /* its document's */
        .memory = MEMORY,
        .ops = {s, on_admit, on_piece, on_whole, on_done},
    };
    enum tp_err r = http_door_new(&s->front, &options, e);

    for (size_t i = 0; i < WORKERS && r == TP_OK; i++) {
        s->worker[i].runs =
            pthread_create(&s->worker[i].thread, NULL, worker_main, &s->worker[i]) == 0;
        if (!s->worker[i].runs)
            r = tp_fail(e, TP_ERR_NO_MEMORY, "cannot start a thread");
    }
    return r;
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
    http_door_free(&s->front);
}

enum tp_err centre_serve(const struct centre_service *service, struct tp_error *e)
{
    struct service s = {.given = service,
                        .lock_fd = -1,
                        .door = PTHREAD_MUTEX_INITIALIZER,
                        .lock = PTHREAD_MUTEX_INITIALIZER,
                        .books = PTHREAD_MUTEX_INITIALIZER};
    enum tp_err r;

    TAILQ_INIT(&s.waiting);
    TAILQ_INIT(&s.under_way);
    pthread_cond_init(&s.work, NULL);
    r = open_books(&s, e);
    if (r == TP_OK)
        r = start(&s, e);
    if (r == TP_OK)
        r = http_door_run(s.front, e);
    stop(&s);
    pthread_cond_destroy(&s.work);
    for (size_t i = 0; i < WORKERS; i++)
        centre_store_close(&s.worker[i].centre.store);
    centre_store_close(&s.doorkeeper);
    caaa_schemas_free(&s.schemas);
    if (s.lock_fd >= 0)
        close(s.lock_fd);
    return r;
}
