/* A connection to PostgreSQL, over libpq's pipeline: what nobody asks the outcome of is sent, and
 * collected with the next question or the commit. Every wait has a deadline. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/secret.h"
#include "store/db_priv.h"
#include "store/postgres_priv.h"

/* ---- errors ---- */

struct meaning {
    const char *state; /* SQLSTATE, or its class */
    enum tp_err err;
    const char *before, *remedy; /* around the name */
    bool said;                   /* the server's words stand behind it */
};

static const struct meaning meanings[] = {
    {"23505", TP_ERR_EXISTS, "", " holds that already", true},
    {"23503", TP_ERR_NOT_FOUND, "", " does not hold what this belongs to", true},
    {"23", TP_ERR_RANGE, "", " does not take that value", true},
    {"22", TP_ERR_RANGE, "", " does not take that value", true},
    {"40", TP_ERR_AGAIN, "another transaction was in the way in ", ": try this one again", false},
    {"25P02", TP_ERR_STATE, "", ": this transaction has failed before", false},
    {"25006", TP_ERR_IO, "", " is read-only: ask its operator why; nothing of this was kept",
     false},
    {"53100", TP_ERR_IO, "the disk that holds ", " is full: make room; nothing of this was kept",
     false},
    {"53200", TP_ERR_IO, "the server of ", " is out of memory: nothing of this was kept", false},
    {"53300", TP_ERR_IO, "", " has too many connections: end some or raise max_connections", false},
    {"55P03", TP_ERR_IO, "",
     " is in use by another program for more than 10 s: try again when it is done", false},
    {"57014", TP_ERR_IO, "a statement was cancelled in ", ": try again", true},
    {"57P", TP_ERR_IO, "the server of ", " shuts down or starts: try again when it runs", true},
    {"42501", TP_ERR_IO, "", " does not permit that to this user: GRANT it", true},
    {"28", TP_ERR_IO, "",
     " does not permit this user: put its password in ~/.pgpass, or allow it in pg_hba.conf", true},
    {"3D000", TP_ERR_NOT_FOUND, "there is no database ", ": make it with createdb", true},
    {"58", TP_ERR_IO, "the disk fails under ", ": nothing of this was kept", true},
    {"XX", TP_ERR_IO, "", " is damaged: keep it and restore the last copy", true},
    {"08", TP_ERR_IO, "the server of ", " is gone: try again when it runs", true},
};

static enum tp_err failed(const struct pq *c, const char *state, const char *said,
                          struct tp_error *e)
{
    const int n = (int)strcspn(said, "\n");

    if (strcmp(state, "P0001") == 0) /* the words of the schema */
        return tp_fail(e, TP_ERR_STATE, "%s: %.*s", c->name, n, said);
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        const struct meaning *m = &meanings[i];

        if (strncmp(state, m->state, strlen(m->state)) != 0)
            continue;
        if (m->said)
            return tp_fail(e, m->err, "%s%s%s (%.*s)", m->before, c->name, m->remedy, n, said);
        return tp_fail(e, m->err, "%s%s%s", m->before, c->name, m->remedy);
    }
    return tp_fail(e, TP_ERR_INTERNAL, "%s: %.*s", c->name, n, said);
}

enum tp_err pq_fail(const struct pq *c, const PGresult *r, struct tp_error *e)
{
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    const char *said = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);

    return failed(c, state != NULL ? state : "08000", said != NULL ? said : PQresultErrorMessage(r),
                  e);
}

enum tp_err pq_no_memory(const struct pq *c, struct tp_error *e)
{
    return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory for %s", c->name);
}

/* ---- waiting ---- */

void pq_lose(struct pq *c)
{
    PQfinish(c->handle);
    c->handle = NULL;
    c->sent = 0;
    c->in = false;
}

enum tp_err pq_gone(struct pq *c, struct tp_error *e)
{
    const enum tp_err r = failed(c, "08000", PQerrorMessage(c->handle), e);

    pq_lose(c);
    return r;
}

static enum tp_err wait_for(struct pq *c, short events, int64_t deadline, struct tp_error *e)
{
    struct pollfd p = {.fd = PQsocket(c->handle), .events = events};
    const int64_t left = deadline - time_monotonic_ms();
    const int got = poll(&p, 1, left > 0 ? (int)left : 0);

    if (got > 0 || (got < 0 && errno == EINTR && left > 0))
        return TP_OK;
    pq_lose(c);
    return tp_fail(e, TP_ERR_IO,
                   "the server of %s does not answer for %d s: see whether it runs, then try again",
                   c->name, PQ_SILENT_MS / 1000);
}

enum tp_err pq_result(struct pq *c, int64_t deadline, PGresult **out, struct tp_error *e)
{
    int unsent = PQflush(c->handle);
    enum tp_err r = TP_OK;

    *out = NULL;
    while (r == TP_OK && (unsent > 0 || PQisBusy(c->handle))) {
        r = wait_for(c, (short)(unsent > 0 ? POLLIN | POLLOUT : POLLIN), deadline, e);
        if (r == TP_OK && !PQconsumeInput(c->handle))
            break; /* its last words may be there to be read */
        if (r == TP_OK)
            unsent = PQflush(c->handle);
        if (unsent < 0)
            break;
    }
    if (r == TP_OK)
        *out = PQgetResult(c->handle);
    return r;
}

enum tp_err pq_collect(struct pq *c, PGresult **out, struct tp_error *e)
{
    const int64_t deadline = time_monotonic_ms() + PQ_SILENT_MS;
    PGresult *last = NULL, *got;
    ExecStatusType status = PGRES_EMPTY_QUERY;
    enum tp_err r = TP_OK, waited = TP_OK;

    if (!PQpipelineSync(c->handle))
        return pq_gone(c, e);
    while (status != PGRES_PIPELINE_SYNC) {
        waited = pq_result(c, deadline, &got, r == TP_OK ? e : NULL);
        if (waited != TP_OK)
            break;
        status = got != NULL ? PQresultStatus(got) : PGRES_EMPTY_QUERY;
        if (status == PGRES_FATAL_ERROR && r == TP_OK)
            r = pq_fail(c, got, e);
        if (got != NULL && status != PGRES_PIPELINE_SYNC) {
            PQclear(last);
            last = got;
        } else
            PQclear(got);
        if (PQstatus(c->handle) == CONNECTION_BAD) {
            waited = r == TP_OK ? pq_gone(c, e) : TP_ERR_IO;
            break;
        }
    }
    if (waited != TP_OK && c->handle != NULL)
        pq_lose(c);
    c->sent = 0;
    r = r != TP_OK ? r : waited;
    if (r == TP_OK && out != NULL)
        *out = last;
    else
        PQclear(last);
    return r;
}

enum tp_err pq_send(struct pq *c, const char *sql, struct tp_error *e)
{
    return PQsendQueryParams(c->handle, sql, 0, NULL, NULL, NULL, NULL, 1) ? TP_OK : pq_gone(c, e);
}

enum tp_err pq_ask(struct pq *c, const char *sql, PGresult **out, struct tp_error *e)
{
    const enum tp_err r = pq_send(c, sql, e);

    return r == TP_OK ? pq_collect(c, out, e) : r;
}

/* ---- the connection ---- */

static void say_nothing(void *ctx, const char *text)
{
    (void)ctx, (void)text;
}

/* Why there is no connection: libpq tells no SQLSTATE then. */
static enum tp_err not_connected(struct pq *c, struct tp_error *e)
{
    static const struct {
        const char *words, *state;
    } known[] = {{"does not exist", "3D000"},
                 {"too many clients", "53300"},
                 {"too many connections", "53300"},
                 {"remaining connection slots", "53300"},
                 {"password", "28000"},
                 {"pg_hba.conf", "28000"},
                 {"not permitted to log in", "28000"},
                 {"permission denied for database", "28000"},
                 {"starting up", "57P03"},
                 {"shutting down", "57P03"}};
    const char *said = PQerrorMessage(c->handle), *state = "08000";
    enum tp_err r;

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strstr(said, known[i].words) != NULL) {
            state = known[i].state;
            break;
        }
    if (strcmp(state, "3D000") == 0 && strstr(said, "role \"") != NULL)
        state = "28000";
    r = failed(c, state, said, e);
    pq_lose(c);
    return r;
}

static enum tp_err reach(struct pq *c, struct tp_error *e)
{
    static const char *const keywords[] = {"dbname", "client_encoding", "fallback_application_name",
                                           NULL};
    const char *const values[] = {c->url, "UTF8", "telepay", NULL};
    const int64_t deadline = time_monotonic_ms() + PQ_SILENT_MS;
    PostgresPollingStatusType at = PGRES_POLLING_WRITING;
    enum tp_err r = TP_OK;

    c->handle = PQconnectStartParams(keywords, values, 1);
    if (c->handle == NULL)
        return pq_no_memory(c, e);
    if (PQstatus(c->handle) == CONNECTION_BAD)
        return not_connected(c, e);
    PQsetNoticeProcessor(c->handle, say_nothing, NULL);
    while (r == TP_OK && at != PGRES_POLLING_OK) {
        r = wait_for(c, at == PGRES_POLLING_WRITING ? POLLOUT : POLLIN, deadline, e);
        if (r == TP_OK)
            at = PQconnectPoll(c->handle);
        if (r == TP_OK && at == PGRES_POLLING_FAILED)
            r = not_connected(c, e);
    }
    if (r == TP_OK && (PQsetnonblocking(c->handle, 1) != 0 || !PQenterPipelineMode(c->handle)))
        r = pq_gone(c, e);
    return r;
}

/* A lock of the session: it goes with the connection, and one whose program was killed is given up
 * by the server a moment later. */
static enum tp_err take_alone(struct pq *c, struct tp_error *e)
{
    const enum tp_err r = pq_ask(c, "SELECT pg_advisory_lock(1952803953)", NULL, e);

    return r == TP_OK || c->handle == NULL
               ? r
               : tp_fail(e, TP_ERR_IO,
                         "another program serves the books of %s already, from another folder or "
                         "machine: end that one, or name another database in store.conf",
                         c->name);
}

/* A commit that is told must be on the disk. */
static enum tp_err connect_to(struct pq *c, struct tp_error *e)
{
    PGresult *safe = NULL;
    enum tp_err r = reach(c, e);

    if (r == TP_OK)
        r = pq_send(c, "SET lock_timeout = '10s'", e);
    if (r == TP_OK)
        r = pq_ask(c, "SELECT current_setting('synchronous_commit')", &safe, e);
    if (r == TP_OK && PQgetlength(safe, 0, 0) == 3 && memcmp(PQgetvalue(safe, 0, 0), "off", 3) == 0)
        r = tp_fail(e, TP_ERR_STATE,
                    "%s forgets what was committed when its power fails: set synchronous_commit = "
                    "on for this database, its user or its server",
                    c->name);
    PQclear(safe);
    if (r == TP_OK && c->alone)
        r = take_alone(c, e);
    if (r != TP_OK)
        pq_lose(c);
    else
        c->made++;
    return r;
}

enum tp_err pq_alone(void *conn, struct tp_error *e)
{
    struct pq *c = conn;

    c->alone = true;
    return take_alone(c, e);
}

/* What an idle server has said unasked is taken in: that it goes, and the end of it. */
static void hear(struct pq *c)
{
    struct pollfd p = {.fd = PQsocket(c->handle), .events = POLLIN};

    while (PQstatus(c->handle) == CONNECTION_OK && poll(&p, 1, 0) > 0)
        if (!PQconsumeInput(c->handle))
            break;
}

enum tp_err pq_be_connected(struct pq *c, struct tp_error *e)
{
    if (c->handle != NULL && !c->in && c->sent == 0)
        hear(c);
    if (c->handle != NULL && PQstatus(c->handle) == CONNECTION_BAD)
        pq_lose(c);
    if (c->handle != NULL)
        return TP_OK;
    const enum tp_err r = connect_to(c, e);

    return r == TP_ERR_NOT_FOUND ? tp_fail(e, TP_ERR_IO, "%s is not there any more", c->name) : r;
}

void pq_close(void *conn)
{
    struct pq *c = conn;

    PQfinish(c->handle);
    if (c->url != NULL)
        secret_wipe(c->url, strlen(c->url));
    free(c->url);
    free(c->name);
    free(c);
}

/* libpq's own words are not told: they hold parts of the URL, the password among them. */
static enum tp_err is_url(const char *where, struct tp_error *e)
{
    PQconninfoOption *options = PQconninfoParse(where, NULL);

    if (options == NULL)
        return tp_fail(e, TP_ERR_USAGE,
                       "this is no URL of a database: write postgresql://USER@HOST/DATABASE");
    PQconninfoFree(options);
    return TP_OK;
}

enum tp_err pq_open(void **conn, const char *where, bool make, struct tp_error *e)
{
    struct pq *c = calloc(1, sizeof(*c));
    enum tp_err r;

    (void)make;
    if (c == NULL || (c->url = strdup(where)) == NULL || (c->name = db_shown(where)) == NULL)
        r = tp_fail(e, TP_ERR_NO_MEMORY, "out of memory for a database");
    else if ((r = is_url(where, e)) == TP_OK)
        r = connect_to(c, e);
    if (r == TP_OK)
        *conn = c;
    else if (c != NULL)
        pq_close(c);
    return r;
}
