/* PostgreSQL as a driver of the store, over libpq's pipeline: what nobody asks the outcome of is
 * sent, and collected with the next question or the commit. Every wait has a deadline. */
#include <errno.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/secret.h"
#include "store/db_priv.h"

#define SILENT_MS   30000
#define MANY        500 /* rows of one FETCH */
#define MOST_VALUES 64
#define MOST_SENT   256 /* statements whose outcome is not collected yet */

enum oid { /* of the catalogue pg_type, the same in every database */
           OID_BOOL = 16,
           OID_BYTEA = 17,
           OID_NAME = 19,
           OID_INT8 = 20,
           OID_INT2 = 21,
           OID_INT4 = 23,
           OID_TEXT = 25,
           OID_UNKNOWN = 705,
           OID_BPCHAR = 1042,
           OID_VARCHAR = 1043,
};

struct pq {
    PGconn *handle; /* NULL: lost, made anew at the next beginning */
    char *url, *name;
    unsigned made;   /* how many connections there were: a statement is prepared in one of them */
    unsigned begun;  /* how many transactions */
    unsigned named;  /* how many statements */
    unsigned sent;   /* without their outcome */
    bool in, stored; /* a transaction; the table `store` has been seen */
};

struct pq_statement {
    char *sql;
    unsigned number, made, begun; /* begun: the transaction of the cursor; 0: held without one */
    bool cursor, last;            /* one is open; no FETCH after these rows */
    PGresult *rows;
    int row; /* of rows; -1: before the first */
    size_t n;
    Oid types[];
};

struct sent { /* values as libpq takes them */
    const char *p[MOST_VALUES];
    int length[MOST_VALUES], format[MOST_VALUES];
    uint8_t integer[MOST_VALUES][8];
};

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

static enum tp_err fail(const struct pq *c, const PGresult *r, struct tp_error *e)
{
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    const char *said = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);

    return failed(c, state != NULL ? state : "08000", said != NULL ? said : PQresultErrorMessage(r),
                  e);
}

static enum tp_err no_memory(const struct pq *c, struct tp_error *e)
{
    return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory for %s", c->name);
}

/* ---- waiting ---- */

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void lose(struct pq *c)
{
    PQfinish(c->handle);
    c->handle = NULL;
    c->sent = 0;
    c->in = false;
}

static enum tp_err gone(struct pq *c, struct tp_error *e)
{
    const enum tp_err r = failed(c, "08000", PQerrorMessage(c->handle), e);

    lose(c);
    return r;
}

static enum tp_err wait_for(struct pq *c, short events, int64_t deadline, struct tp_error *e)
{
    struct pollfd p = {.fd = PQsocket(c->handle), .events = events};
    const int64_t left = deadline - now_ms();
    const int got = poll(&p, 1, left > 0 ? (int)left : 0);

    if (got > 0 || (got < 0 && errno == EINTR && left > 0))
        return TP_OK;
    lose(c);
    return tp_fail(e, TP_ERR_IO,
                   "the server of %s does not answer for %d s: see whether it runs, then try again",
                   c->name, SILENT_MS / 1000);
}

/* The next result, or NULL at the end of a statement's. */
static enum tp_err result(struct pq *c, int64_t deadline, PGresult **out, struct tp_error *e)
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

/* What was sent, to its end. out: the last result; the first error is the one that counts. */
static enum tp_err collect(struct pq *c, PGresult **out, struct tp_error *e)
{
    const int64_t deadline = now_ms() + SILENT_MS;
    PGresult *last = NULL, *got;
    ExecStatusType status = PGRES_EMPTY_QUERY;
    enum tp_err r = TP_OK, waited = TP_OK;

    if (!PQpipelineSync(c->handle))
        return gone(c, e);
    while (status != PGRES_PIPELINE_SYNC) {
        waited = result(c, deadline, &got, r == TP_OK ? e : NULL);
        if (waited != TP_OK)
            break;
        status = got != NULL ? PQresultStatus(got) : PGRES_EMPTY_QUERY;
        if (status == PGRES_FATAL_ERROR && r == TP_OK)
            r = fail(c, got, e);
        if (got != NULL && status != PGRES_PIPELINE_SYNC) {
            PQclear(last);
            last = got;
        } else
            PQclear(got);
        if (PQstatus(c->handle) == CONNECTION_BAD) {
            waited = r == TP_OK ? gone(c, e) : TP_ERR_IO;
            break;
        }
    }
    if (waited != TP_OK && c->handle != NULL)
        lose(c);
    c->sent = 0;
    r = r != TP_OK ? r : waited;
    if (r == TP_OK && out != NULL)
        *out = last;
    else
        PQclear(last);
    return r;
}

static enum tp_err send(struct pq *c, const char *sql, struct tp_error *e)
{
    return PQsendQueryParams(c->handle, sql, 0, NULL, NULL, NULL, NULL, 1) ? TP_OK : gone(c, e);
}

static enum tp_err ask(struct pq *c, const char *sql, PGresult **out, struct tp_error *e)
{
    const enum tp_err r = send(c, sql, e);

    return r == TP_OK ? collect(c, out, e) : r;
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
    lose(c);
    return r;
}

static enum tp_err reach(struct pq *c, struct tp_error *e)
{
    static const char *const keywords[] = {"dbname", "client_encoding", "fallback_application_name",
                                           NULL};
    const char *const values[] = {c->url, "UTF8", "telepay", NULL};
    const int64_t deadline = now_ms() + SILENT_MS;
    PostgresPollingStatusType at = PGRES_POLLING_WRITING;
    enum tp_err r = TP_OK;

    c->handle = PQconnectStartParams(keywords, values, 1);
    if (c->handle == NULL)
        return no_memory(c, e);
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
        r = gone(c, e);
    return r;
}

/* A commit that is told must be on the disk. */
static enum tp_err connect_to(struct pq *c, struct tp_error *e)
{
    PGresult *safe = NULL;
    enum tp_err r = reach(c, e);

    if (r == TP_OK)
        r = send(c, "SET lock_timeout = '10s'", e);
    if (r == TP_OK)
        r = ask(c, "SELECT current_setting('synchronous_commit')", &safe, e);
    if (r == TP_OK && PQgetlength(safe, 0, 0) == 3 && memcmp(PQgetvalue(safe, 0, 0), "off", 3) == 0)
        r = tp_fail(e, TP_ERR_STATE,
                    "%s forgets what was committed when its power fails: set synchronous_commit = "
                    "on for this database, its user or its server",
                    c->name);
    PQclear(safe);
    if (r != TP_OK)
        lose(c);
    else
        c->made++;
    return r;
}

/* What an idle server has said unasked is taken in: that it goes, and the end of it. */
static void hear(struct pq *c)
{
    struct pollfd p = {.fd = PQsocket(c->handle), .events = POLLIN};

    while (PQstatus(c->handle) == CONNECTION_OK && poll(&p, 1, 0) > 0)
        if (!PQconsumeInput(c->handle))
            break;
}

static enum tp_err be_connected(struct pq *c, struct tp_error *e)
{
    if (c->handle != NULL && !c->in && c->sent == 0)
        hear(c);
    if (c->handle != NULL && PQstatus(c->handle) == CONNECTION_BAD)
        lose(c);
    if (c->handle != NULL)
        return TP_OK;
    const enum tp_err r = connect_to(c, e);

    return r == TP_ERR_NOT_FOUND ? tp_fail(e, TP_ERR_IO, "%s is not there any more", c->name) : r;
}

static void pq_close(void *conn)
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

static enum tp_err pq_open(void **conn, const char *where, bool make, struct tp_error *e)
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

/* ---- transactions ---- */

/* One at a time: by the row of `store`, or while there is none by a lock of its own. */
static enum tp_err take_turn(struct pq *c, struct tp_error *e)
{
    PGresult *got = NULL;
    enum tp_err r = TP_OK;

    if (!c->stored) {
        r = ask(c, "SELECT CAST(to_regclass('store') AS text)", &got, e);
        c->stored = r == TP_OK && !PQgetisnull(got, 0, 0);
        PQclear(got);
        got = NULL;
        if (r == TP_OK && !c->stored)
            return ask(c, "SELECT pg_advisory_xact_lock(1952803952)", NULL, e);
    }
    if (r == TP_OK)
        r = ask(c, "SELECT program FROM store FOR UPDATE", &got, e);
    if (r == TP_OK && PQntuples(got) != 1)
        r = tp_fail(e, TP_ERR_AGAIN, "%s was brought up at this moment: try again", c->name);
    PQclear(got);
    return r;
}

static void pq_rollback(void *conn)
{
    struct pq *c = conn;

    if (c->handle == NULL)
        return;
    (void)collect(c, NULL, NULL);
    if (c->handle != NULL && ask(c, "ROLLBACK", NULL, NULL) != TP_OK && c->handle != NULL)
        lose(c);
    c->in = false;
}

static enum tp_err begin_once(struct pq *c, bool write, struct tp_error *e)
{
    enum tp_err r = be_connected(c, e);

    if (r == TP_OK)
        r = send(c,
                 write ? "BEGIN ISOLATION LEVEL READ COMMITTED"
                       : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
                 e);
    if (r == TP_OK)
        r = write ? take_turn(c, e) : collect(c, NULL, e);
    if (r != TP_OK)
        pq_rollback(c);
    return r;
}

/* A server that was started anew is found out by the first words to it: nothing was done yet. */
static enum tp_err pq_begin(void *conn, bool write, struct tp_error *e)
{
    struct pq *c = conn;
    const bool old = c->handle != NULL;
    const int64_t from = now_ms();
    enum tp_err r = begin_once(c, write, e);

    if (r != TP_OK && old && c->handle == NULL && now_ms() - from < SILENT_MS)
        r = begin_once(c, write, e);
    c->in = r == TP_OK;
    c->begun += r == TP_OK;
    return r;
}

static enum tp_err pq_commit(void *conn, struct tp_error *e)
{
    struct pq *c = conn;
    PGresult *got = NULL;
    enum tp_err r;

    if (c->handle == NULL)
        return tp_fail(e, TP_ERR_IO,
                       "the server of %s went away within the transaction: nothing of it is kept",
                       c->name);
    r = ask(c, "COMMIT", &got, e);
    if (r == TP_OK && strcmp(PQcmdStatus(got), "COMMIT") != 0)
        r = tp_fail(e, TP_ERR_STATE, "%s: this transaction has failed before", c->name);
    PQclear(got);
    if (r != TP_OK && c->handle == NULL)
        r = tp_fail(e, TP_ERR_UNKNOWN,
                    "the server of %s went away at the commit: look whether it was kept before "
                    "trying again",
                    c->name);
    else if (r != TP_OK)
        pq_rollback(c);
    c->in = false;
    return r;
}

static bool pq_in_transaction(void *conn)
{
    return ((struct pq *)conn)->in;
}

/* ---- statements ---- */

static Oid type_of(enum db_kind kind)
{
    switch (kind) {
    case DB_INTEGER:
        return OID_INT8;
    case DB_TEXT:
        return OID_TEXT;
    case DB_BLOB:
        return OID_BYTEA;
    default:
        return 0; /* the server infers it */
    }
}

static enum tp_err pq_prepare(void *conn, void **statement, const char *sql, struct db_values v,
                              struct tp_error *e)
{
    struct pq *c = conn;
    struct pq_statement *s = calloc(1, sizeof(*s) + v.n * sizeof(s->types[0]));

    if (s == NULL || (s->sql = strdup(sql)) == NULL) {
        free(s);
        return no_memory(c, e);
    }
    s->n = v.n;
    s->number = ++c->named;
    for (size_t i = 0; i < v.n; i++)
        s->types[i] = type_of(v.v[i].kind);
    *statement = s;
    return TP_OK;
}

static enum tp_err to_send(struct pq *c, const struct pq_statement *s, struct db_values v,
                           struct sent *to, struct tp_error *e)
{
    if (v.n != s->n || v.n > MOST_VALUES)
        return tp_fail(e, TP_ERR_INTERNAL, "%s: %zu values, not %zu: %s", c->name, v.n, s->n,
                       s->sql);
    for (size_t i = 0; i < v.n; i++) {
        const struct db_value *x = &v.v[i];

        to->format[i] = 1;
        to->length[i] = 0;
        to->p[i] = NULL;
        if (x->null || x->kind == DB_NULL)
            continue;
        if ((s->types[i] != 0 && type_of(x->kind) != s->types[i]) || x->bytes.n > INT32_MAX)
            return tp_fail(e, TP_ERR_INTERNAL, "%s: value %zu is not of its kind: %s", c->name,
                           i + 1, s->sql);
        if (x->kind == DB_INTEGER) {
            for (int b = 0; b < 8; b++)
                to->integer[i][b] = (uint8_t)((uint64_t)x->integer >> (56 - 8 * b));
            to->p[i] = (const char *)to->integer[i];
            to->length[i] = 8;
        } else {
            to->p[i] = x->bytes.p != NULL ? (const char *)x->bytes.p : "";
            to->length[i] = (int)x->bytes.n;
        }
    }
    return TP_OK;
}

static enum tp_err check_types(const struct pq *c, const struct pq_statement *s, struct tp_error *e)
{
    for (int i = 0; i < PQnfields(s->rows); i++)
        switch ((int)PQftype(s->rows, i)) {
        case OID_BOOL:
        case OID_BYTEA:
        case OID_NAME:
        case OID_INT8:
        case OID_INT2:
        case OID_INT4:
        case OID_TEXT:
        case OID_UNKNOWN:
        case OID_BPCHAR:
        case OID_VARCHAR:
            break;
        default:
            return tp_fail(e, TP_ERR_INTERNAL,
                           "%s: column %s is no integer, text or blob (numeric?): CAST it: %s",
                           c->name, PQfname(s->rows, i), s->sql);
        }
    return TP_OK;
}

/* Rows come 500 at a time from a cursor: within a transaction it is the transaction's, else the
 * server keeps its rows until it is closed. */
static enum tp_err open_cursor(struct pq *c, struct pq_statement *s, const struct sent *v,
                               struct tp_error *e)
{
    const size_t n = strlen(s->sql) + 80;
    char *sql = malloc(n), fetch[64];
    int ok;

    if (sql == NULL)
        return no_memory(c, e);
    snprintf(sql, n, "DECLARE c%u NO SCROLL CURSOR %s HOLD FOR %s", s->number,
             c->in ? "WITHOUT" : "WITH", s->sql);
    snprintf(fetch, sizeof(fetch), "FETCH %d FROM c%u", MANY, s->number);
    ok = PQsendQueryParams(c->handle, sql, (int)s->n, s->types, v->p, v->length, v->format, 1);
    free(sql);
    if (!ok)
        return gone(c, e);
    if (!c->in) { /* held once its own transaction has ended */
        const enum tp_err r = collect(c, NULL, e);

        if (r != TP_OK)
            return r;
    }
    s->cursor = true;
    s->last = false;
    s->made = c->made;
    s->begun = c->in ? c->begun : 0;
    return ask(c, fetch, &s->rows, e);
}

static enum tp_err run(struct pq *c, struct pq_statement *s, const struct sent *v,
                       enum db_want want, struct tp_error *e)
{
    char name[24];

    snprintf(name, sizeof(name), "s%u", s->number);
    if (s->made != c->made) {
        enum tp_err r;

        if (!PQsendPrepare(c->handle, name, s->sql, (int)s->n, s->types))
            return gone(c, e);
        r = collect(c, NULL, e);
        if (r != TP_OK)
            return r;
        s->made = c->made;
    }
    if (!PQsendQueryPrepared(c->handle, name, (int)s->n, v->p, v->length, v->format, 1))
        return gone(c, e);
    s->last = true;
    if (want != DB_WANT_NOTHING || !c->in || ++c->sent >= MOST_SENT)
        return collect(c, &s->rows, e);
    return PQflush(c->handle) >= 0 ? TP_OK : gone(c, e);
}

static enum tp_err pq_start(void *conn, void *statement, struct db_values v, enum db_want want,
                            struct tp_error *e)
{
    struct pq_statement *s = statement;
    struct pq *c = conn;
    struct sent values;
    enum tp_err r = to_send(c, s, v, &values, e);

    if (r == TP_OK && c->in && c->handle == NULL)
        r = tp_fail(e, TP_ERR_IO, "the server of %s went away within the transaction", c->name);
    if (r == TP_OK)
        r = be_connected(c, e);
    if (r != TP_OK)
        return r;
    s->row = -1;
    if (want == DB_WANT_ALL &&
        (strncmp(s->sql, "SELECT", 6) == 0 || strncmp(s->sql, "WITH", 4) == 0))
        r = open_cursor(c, s, &values, e);
    else
        r = run(c, s, &values, want, e);
    return r == TP_OK && s->rows != NULL ? check_types(c, s, e) : r;
}

static bool cursor_lives(const struct pq *c, const struct pq_statement *s)
{
    return s->cursor && c->handle != NULL && s->made == c->made &&
           (s->begun == 0 || (c->in && s->begun == c->begun));
}

static enum tp_err pq_next(void *conn, void *statement, bool *row, struct tp_error *e)
{
    struct pq_statement *s = statement;
    struct pq *c = conn;
    char fetch[64];
    enum tp_err r = TP_OK;

    *row = false;
    if (s->rows == NULL)
        return TP_OK;
    if (++s->row >= PQntuples(s->rows) && !s->last && PQntuples(s->rows) == MANY) {
        if (!cursor_lives(c, s))
            return tp_fail(e, TP_ERR_IO, "%s: the rows ended with their transaction or connection",
                           c->name);
        snprintf(fetch, sizeof(fetch), "FETCH %d FROM c%u", MANY, s->number);
        PQclear(s->rows);
        s->rows = NULL;
        r = ask(c, fetch, &s->rows, e);
        s->row = 0;
    }
    *row = r == TP_OK && s->row < PQntuples(s->rows);
    return r;
}

static enum tp_err pq_reset(void *conn, void *statement, struct tp_error *e)
{
    struct pq_statement *s = statement;
    struct pq *c = conn;
    char sql[32];

    PQclear(s->rows);
    s->rows = NULL;
    if (cursor_lives(c, s) && PQtransactionStatus(c->handle) != PQTRANS_INERROR) {
        snprintf(sql, sizeof(sql), "CLOSE c%u", s->number);
        if (send(c, sql, NULL) == TP_OK && !c->in)
            (void)collect(c, NULL, NULL);
    }
    if (s->cursor)
        s->made = 0; /* it was declared, not prepared */
    s->cursor = false;
    (void)e;
    return TP_OK;
}

static void pq_finish(void *conn, void *statement)
{
    struct pq_statement *s = statement;
    struct pq *c = conn;
    char sql[32];

    (void)pq_reset(c, s, NULL);
    if (c->handle != NULL && s->made == c->made && PQtransactionStatus(c->handle) == PQTRANS_IDLE) {
        snprintf(sql, sizeof(sql), "DEALLOCATE s%u", s->number);
        (void)ask(c, sql, NULL, NULL);
    }
    free(s->sql);
    free(s);
}

/* ---- values ---- */

static int64_t integer_of(const char *p, int n)
{
    uint64_t v = n > 0 && ((uint8_t)p[0] & 0x80) != 0 ? UINT64_MAX : 0;

    for (int i = 0; i < n; i++)
        v = v << 8 | (uint8_t)p[i];
    return (int64_t)v;
}

static bool pq_column(void *statement, size_t i, const char **name, struct db_value *v)
{
    struct pq_statement *s = statement;
    const int n = (int)i;
    const char *p;

    if (n >= PQnfields(s->rows))
        return false;
    if (name != NULL)
        *name = PQfname(s->rows, n);
    *v = (struct db_value){.kind = DB_NULL, .null = true};
    if (s->row < 0 || s->row >= PQntuples(s->rows) || PQgetisnull(s->rows, s->row, n))
        return true;
    p = PQgetvalue(s->rows, s->row, n);
    v->null = false;
    v->bytes = (struct span){(const uint8_t *)p, (size_t)PQgetlength(s->rows, s->row, n)};
    switch ((int)PQftype(s->rows, n)) {
    case OID_BOOL:
    case OID_INT2:
    case OID_INT4:
    case OID_INT8:
        *v = db_integer(integer_of(p, (int)v->bytes.n));
        break;
    case OID_BYTEA:
        v->kind = DB_BLOB;
        break;
    default:
        v->kind = DB_TEXT;
        break;
    }
    return true;
}

static int64_t pq_changes(void *conn, void *statement)
{
    struct pq_statement *s = statement;

    (void)conn;
    return s->rows != NULL ? strtoll(PQcmdTuples(s->rows), NULL, 10) : 0;
}

/* ---- schemas ---- */

/* Several statements at once are no pipeline's. */
static enum tp_err pq_script(void *conn, const char *sql, struct tp_error *e)
{
    struct pq *c = conn;
    const int64_t deadline = now_ms() + SILENT_MS;
    PGresult *got = NULL;
    enum tp_err r = be_connected(c, e), waited;

    if (r == TP_OK)
        r = collect(c, NULL, e);
    if (r != TP_OK)
        return r;
    if (!PQexitPipelineMode(c->handle) || !PQsendQuery(c->handle, sql))
        return gone(c, e);
    do {
        waited = result(c, deadline, &got, r == TP_OK ? e : NULL);
        if (waited != TP_OK)
            return r == TP_OK ? waited : r;
        if (got != NULL && PQresultStatus(got) == PGRES_FATAL_ERROR && r == TP_OK)
            r = fail(c, got, e);
        PQclear(got);
    } while (got != NULL);
    if (PQstatus(c->handle) == CONNECTION_BAD || !PQenterPipelineMode(c->handle)) {
        if (r == TP_OK)
            return gone(c, e);
        lose(c);
    }
    return r;
}

static enum tp_err pq_rule(void *conn, const struct db_rule *rule, struct tp_error *e)
{
    struct pq *c = conn;
    const bool deleted = strstr(rule->event, "DELETE") != NULL;
    char *words = NULL, *sql = NULL;
    size_t n = 0;
    FILE *f = NULL;
    enum tp_err r = be_connected(c, e);

    if (r != TP_OK)
        return r;
    if (rule->sentence != NULL)
        words = PQescapeLiteral(c->handle, rule->sentence, strlen(rule->sentence));
    f = open_memstream(&sql, &n);
    if (f == NULL || (rule->sentence != NULL && words == NULL)) {
        r = no_memory(c, e);
        goto out;
    }
    fprintf(f,
            "CREATE OR REPLACE FUNCTION %s() RETURNS trigger LANGUAGE plpgsql AS $telepay$ BEGIN "
            "IF %s THEN ",
            rule->name, rule->condition != NULL ? rule->condition : "1 = 1");
    if (words != NULL)
        fprintf(f, "RAISE EXCEPTION USING MESSAGE = %s", words);
    else
        fputs(rule->action, f);
    fprintf(f,
            "; END IF; RETURN %s; END $telepay$; CREATE TRIGGER %s %s ON %s FOR EACH ROW EXECUTE "
            "FUNCTION %s();",
            deleted ? "OLD" : "NEW", rule->name, rule->event, rule->table, rule->name);
    if (fclose(f) != 0)
        r = no_memory(c, e);
    f = NULL;
    if (r == TP_OK)
        r = pq_script(c, sql, e);
out:
    if (f != NULL)
        fclose(f);
    PQfreemem(words);
    free(sql);
    return r;
}

static enum tp_err pq_filled(void *conn, const char *table, const char *key, struct tp_error *e)
{
    struct pq *c = conn;
    PGresult *got = NULL;
    char sql[256];
    bool counts;
    enum tp_err r;

    snprintf(sql, sizeof(sql), "SELECT pg_get_serial_sequence('%s', '%s')", table, key);
    r = ask(c, sql, &got, e);
    counts = r == TP_OK && !PQgetisnull(got, 0, 0);
    PQclear(got);
    if (!counts)
        return r;
    snprintf(sql, sizeof(sql),
             "SELECT setval(pg_get_serial_sequence('%s', '%s'), (SELECT max(%s) FROM %s))", table,
             key, key, table);
    return ask(c, sql, NULL, e);
}

static const struct db_word words[] = {
    {"INTEGER PRIMARY KEY AUTOINCREMENT", "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY"},
    {"STRICT, WITHOUT ROWID", ""},
    {"WITHOUT ROWID, STRICT", ""},
    {"INTEGER PRIMARY KEY", "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY"},
    {"WITHOUT ROWID", ""},
    {"INTEGER", "BIGINT"},
    {"STRICT", ""},
    {"BLOB", "BYTEA"},
    {NULL, NULL},
};

const struct db_driver db_postgres = {
    .open = pq_open,
    .close = pq_close,
    .begin = pq_begin,
    .commit = pq_commit,
    .rollback = pq_rollback,
    .in_transaction = pq_in_transaction,
    .prepare = pq_prepare,
    .start = pq_start,
    .next = pq_next,
    .column = pq_column,
    .changes = pq_changes,
    .reset = pq_reset,
    .finish = pq_finish,
    .script = pq_script,
    .rule = pq_rule,
    .filled = pq_filled,
    .has_table = "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()"
                 " AND tablename = $1",
    .tables = "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()",
    .triggers = "SELECT CAST(tgname AS text) AS name, CAST(relname AS text) AS tbl FROM pg_trigger"
                " JOIN pg_class ON pg_class.oid = tgrelid JOIN pg_namespace ON pg_namespace.oid ="
                " relnamespace WHERE NOT tgisinternal AND nspname = current_schema()",
    .words = words,
    .on_table = true,
};
