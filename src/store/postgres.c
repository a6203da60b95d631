/* PostgreSQL as a driver of the store, over libpq: prepared statements, values and rows in binary,
 * what nobody waits for sent in pipeline mode, rows of long lists through a cursor. Every wait has
 * an end. */
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/secret.h"
#include "store/driver.h"

#define WAIT_MS   30000 /* for a server that says nothing */
#define FETCH     "500"
#define SENT_MAX  4096 /* statements on their way whose outcome nobody has asked yet */
#define VALUE_MAX 64

enum { OID_BOOL = 16, OID_BYTEA = 17, OID_NAME = 19, OID_INT8 = 20, OID_INT2 = 21 };
enum { OID_INT4 = 23, OID_TEXT = 25, OID_VARCHAR = 1043 };

struct pg {
    PGconn *c;         /* NULL: lost */
    char *where;       /* the URL, to look for it again */
    char *name;        /* host and database, as people may see them */
    unsigned life;     /* of the connection: what an earlier one prepared is gone */
    unsigned prepared; /* names given */
    unsigned sent;     /* statements in the pipeline */
    unsigned turn;     /* counts the transactions: a cursor ends with its own */
    bool begun, has_store;
};

struct pg_statement {
    char *sql;
    Oid kind[VALUE_MAX];
    size_t n;
    unsigned number, life; /* its name, and of which life of the connection it is */
    PGresult *rows;
    int at;        /* the row of rows, -1 before the first */
    bool cursor;   /* more are to be fetched, from the cursor of its number … */
    unsigned turn; /* … of that transaction; 0: of none, it holds by itself */
    int64_t changes;
};

/* ---- errors ---- */

static enum tp_err constraint(const struct pg *p, const char *state, const char *said,
                              struct tp_error *e)
{
    if (strcmp(state, "23505") == 0)
        return tp_fail(e, TP_ERR_EXISTS, "%s holds that already (%s)", p->name, said);
    if (strcmp(state, "23503") == 0)
        return tp_fail(e, TP_ERR_NOT_FOUND, "%s does not hold what this belongs to (%s)", p->name,
                       said);
    return tp_fail(e, TP_ERR_RANGE, "%s does not take that value (%s)", p->name, said);
}

struct meaning {
    const char *state; /* SQLSTATE, or its class (PostgreSQL, Appendix A) */
    enum tp_err code;
    const char *words; /* behind the name */
};

static const struct meaning meanings[] = {
    {"25006", TP_ERR_IO,
     "is read-only: let this user write, or name the primary server; nothing of this was kept"},
    {"28", TP_ERR_IO, "does not let this user in: see its pg_hba.conf, or ~/.pgpass"},
    {"3D000", TP_ERR_NOT_FOUND, "is no database there: make it with createdb"},
    {"40", TP_ERR_AGAIN, "was being changed by another at the same moment: do it again"},
    {"42501", TP_ERR_IO, "must not be touched by this user: grant it the right"},
    {"53100", TP_ERR_IO, "is on a full disk: make room; nothing of this was kept"},
    {"53", TP_ERR_IO, "has no room for more (connections, memory): raise its limits"},
    {"54", TP_ERR_RANGE, "does not take that value"},
    {"55P03", TP_ERR_IO,
     "is in use by another program for more than 10 s: try again when it is done"},
    {"57", TP_ERR_IO, "is being shut down, or was: nothing of this was kept; try again"},
    {"58", TP_ERR_IO, "has a failing disk: nothing of this was kept"},
    {"08", TP_ERR_IO, "cannot be reached: nothing of this was kept"},
    {"XX", TP_ERR_IO, "is damaged: restore the last copy"},
    {"22", TP_ERR_RANGE, "does not take that value"},
};

static enum tp_err failed(const struct pg *p, const char *state, const char *said,
                          struct tp_error *e)
{
    const int n = (int)strcspn(said, "\n");

    if (strncmp(state, "23", 2) == 0)
        return constraint(p, state, said, e);
    if (strcmp(state, "P0001") == 0) /* the words of the schema */
        return tp_fail(e, TP_ERR_STATE, "%s: %.*s", p->name, n, said);
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
        if (strncmp(state, meanings[i].state, strlen(meanings[i].state)) == 0)
            return tp_fail(e, meanings[i].code, "%s %s (%.*s)", p->name, meanings[i].words, n,
                           said);
    return tp_fail(e, TP_ERR_INTERNAL, "%s: %s %.*s", p->name, state, n, said);
}

static enum tp_err failed_result(const struct pg *p, const PGresult *result, struct tp_error *e)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *said = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

    return failed(p, state != NULL ? state : "08006", said != NULL ? said : PQerrorMessage(p->c),
                  e);
}

static enum tp_err hang_up(struct pg *p, enum tp_err r)
{
    PQfinish(p->c);
    p->c = NULL;
    p->begun = false;
    p->sent = 0;
    return r;
}

static enum tp_err lost(struct pg *p, const char *why, struct tp_error *e)
{
    const enum tp_err r =
        tp_fail(e, TP_ERR_IO,
                "%s is gone (%.*s): nothing of this was kept; it is looked for again at the next",
                p->name, (int)strcspn(why, "\n"), why);

    return hang_up(p, r);
}

/* ---- waiting ---- */

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool is_readable(struct pg *p)
{
    struct pollfd f = {PQsocket(p->c), POLLIN, 0};

    return poll(&f, 1, 0) > 0;
}

static bool wait_for(struct pg *p, short events, int64_t until)
{
    struct pollfd f = {PQsocket(p->c), events, 0};
    int n;

    do {
        const int64_t left = until - now_ms();

        n = left > 0 ? poll(&f, 1, (int)left) : 0;
    } while (n < 0 && errno == EINTR);
    return n > 0;
}

/* The next result of what was sent; NULL at the end of a statement's. */
static enum tp_err receive(struct pg *p, PGresult **out, struct tp_error *e)
{
    const int64_t until = now_ms() + WAIT_MS;
    int more;

    while ((more = PQflush(p->c)) == 1 || PQisBusy(p->c) == 1) {
        if (!wait_for(p, (short)(POLLIN | (more == 1 ? POLLOUT : 0)), until))
            return lost(p, "it says nothing for 30 s", e);
        if (PQconsumeInput(p->c) == 0)
            return lost(p, PQerrorMessage(p->c), e);
    }
    if (more < 0)
        return lost(p, PQerrorMessage(p->c), e);
    *out = PQgetResult(p->c);
    return TP_OK;
}

static bool is_error(const PGresult *result)
{
    const ExecStatusType s = PQresultStatus(result);

    return s != PGRES_COMMAND_OK && s != PGRES_TUPLES_OK && s != PGRES_PIPELINE_SYNC;
}

/* All results up to the pipeline's mark. The first error is told; *last is the last statement's
 * result, to be cleared by the caller. */
static enum tp_err settle(struct pg *p, PGresult **last, struct tp_error *e)
{
    enum tp_err r = TP_OK;
    bool marked = false;

    *last = NULL;
    if (PQpipelineSync(p->c) != 1)
        return lost(p, PQerrorMessage(p->c), e);
    while (!marked) {
        PGresult *result = NULL;
        const enum tp_err got = receive(p, &result, e);

        if (got != TP_OK) {
            r = r != TP_OK ? r : got;
            break;
        }
        marked = result != NULL && PQresultStatus(result) == PGRES_PIPELINE_SYNC;
        if (result != NULL && is_error(result) && r == TP_OK)
            r = failed_result(p, result, e);
        if (result == NULL || marked || is_error(result))
            PQclear(result);
        else {
            PQclear(*last);
            *last = result;
        }
        if (!marked && PQstatus(p->c) != CONNECTION_OK) {
            r = r != TP_OK ? hang_up(p, r) : lost(p, PQerrorMessage(p->c), e);
            break;
        }
    }
    p->sent = 0;
    if (r != TP_OK) {
        PQclear(*last);
        *last = NULL;
    }
    return r;
}

/* A text without values, its outcome waited for, with all that was sent before. */
static enum tp_err run(struct pg *p, const char *sql, PGresult **out, struct tp_error *e)
{
    PGresult *result = NULL;
    enum tp_err r;

    if (PQsendQueryParams(p->c, sql, 0, NULL, NULL, NULL, NULL, 1) != 1)
        return lost(p, PQerrorMessage(p->c), e);
    r = settle(p, &result, e);
    if (out != NULL)
        *out = result;
    else
        PQclear(result);
    return r;
}

static enum tp_err send(struct pg *p, const char *sql, struct tp_error *e)
{
    if (PQsendQueryParams(p->c, sql, 0, NULL, NULL, NULL, NULL, 1) != 1)
        return lost(p, PQerrorMessage(p->c), e);
    p->sent++;
    return TP_OK;
}

/* ---- the connection ---- */

static char *name_from(const PGconn *c)
{
    const char *database = PQdb(c), *host = PQhost(c);
    char *name = NULL;

    if (asprintf(&name, "database %s at %s", database != NULL ? database : "?",
                 host != NULL && host[0] != '\0' ? host : "this machine") < 0)
        return NULL;
    return name;
}

static enum tp_err has_store(struct pg *p, struct tp_error *e)
{
    PGresult *result = NULL;
    const enum tp_err r = run(p,
                              "SELECT 1 FROM pg_tables WHERE tablename = 'store'"
                              " AND schemaname = current_schema()",
                              &result, e);

    p->has_store = r == TP_OK && PQntuples(result) > 0;
    PQclear(result);
    return r;
}

/* What is acknowledged must be on the disk. */
static enum tp_err is_durable(struct pg *p, struct tp_error *e)
{
    PGresult *result = NULL;
    enum tp_err r = run(p,
                        "SELECT CAST(current_setting('synchronous_commit') AS TEXT),"
                        " CAST(current_setting('fsync') AS TEXT)",
                        &result, e);

    if (r == TP_OK && strcmp(PQgetvalue(result, 0, 0), "off") == 0)
        r = tp_fail(e, TP_ERR_STATE,
                    "%s has synchronous_commit = off: what it says is kept may be lost; set it on",
                    p->name);
    if (r == TP_OK && strcmp(PQgetvalue(result, 0, 1), "off") == 0)
        log_note("%s has fsync = off: what it keeps is lost when its machine fails", p->name);
    PQclear(result);
    return r;
}

static void be_silent(void *ctx, const char *message)
{
    (void)ctx;
    (void)message;
}

static enum tp_err connect_on(struct pg *p, struct tp_error *e)
{
    const int64_t until = now_ms() + WAIT_MS;
    PostgresPollingStatusType step =
        PQstatus(p->c) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
    enum tp_err r;

    while (step != PGRES_POLLING_OK) {
        if (step == PGRES_POLLING_FAILED) {
            r = tp_fail(e, TP_ERR_IO, "%s cannot be reached: %.300s", p->name,
                        PQerrorMessage(p->c));
            if (strstr(PQerrorMessage(p->c), "FATAL:  database") != NULL)
                r = tp_fail(e, TP_ERR_NOT_FOUND, "%s: %.300s (createdb makes one)", p->name,
                            PQerrorMessage(p->c));
            return r;
        }
        if (!wait_for(p, step == PGRES_POLLING_WRITING ? POLLOUT : POLLIN, until))
            return tp_fail(e, TP_ERR_IO, "%s says nothing for 30 s", p->name);
        step = PQconnectPoll(p->c);
    }
    PQsetNoticeProcessor(p->c, be_silent, NULL);
    if (PQsetnonblocking(p->c, 1) != 0 || PQenterPipelineMode(p->c) != 1)
        return tp_fail(e, TP_ERR_INTERNAL, "%s: %s", p->name, PQerrorMessage(p->c));
    p->life++;
    p->sent = 0;
    r = send(p, "SET lock_timeout = '10s'", e); /* for another that writes */
    if (r == TP_OK)
        r = send(p, "SET client_encoding = 'UTF8'", e);
    if (r == TP_OK)
        r = send(p, "SET client_min_messages = error", e);
    if (r == TP_OK)
        r = is_durable(p, e);
    return r == TP_OK ? has_store(p, e) : r;
}

static void pg_close(void *conn)
{
    struct pg *p = conn;

    PQfinish(p->c);
    if (p->where != NULL)
        secret_wipe(p->where, strlen(p->where)); /* it may hold a password */
    free(p->where);
    free(p->name);
    free(p);
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

static enum tp_err pg_open(void **conn, const char *where, bool make, struct tp_error *e)
{
    struct pg *p = calloc(1, sizeof(*p));
    enum tp_err r = TP_ERR_NO_MEMORY;

    (void)make; /* the database is its operator's to make */
    if (is_url(where, e) != TP_OK) {
        r = TP_ERR_USAGE;
        goto out;
    }
    if (p == NULL || (p->where = strdup(where)) == NULL || (p->c = PQconnectStart(where)) == NULL ||
        (p->name = name_from(p->c)) == NULL) {
        tp_fail(e, r, "out of memory for a database");
        goto out;
    }
    r = connect_on(p, e);
    if (r != TP_OK)
        goto out;
    *conn = p;
    p = NULL;
out:
    if (p != NULL)
        pg_close(p);
    return r;
}

/* What the server has said unasked is taken in: that it goes, and the end of it. */
static bool is_up(struct pg *p)
{
    while (p->c != NULL && PQstatus(p->c) == CONNECTION_OK && is_readable(p))
        if (PQconsumeInput(p->c) == 0)
            return false;
    return p->c != NULL && PQstatus(p->c) == CONNECTION_OK;
}

/* One that was lost is looked for again, but not within a transaction. */
static enum tp_err alive(struct pg *p, struct tp_error *e)
{
    enum tp_err r;

    if (p->begun || p->sent > 0 ? p->c != NULL && PQstatus(p->c) == CONNECTION_OK : is_up(p))
        return TP_OK;
    PQfinish(p->c);
    p->c = PQconnectStart(p->where);
    if (p->c == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory for %s", p->name);
    r = connect_on(p, e);
    return r == TP_OK || p->c == NULL ? r : hang_up(p, r);
}

/* ---- transactions ---- */

static enum tp_err pg_begin(void *conn, bool write, struct tp_error *e)
{
    struct pg *p = conn;
    PGresult *result = NULL;
    enum tp_err r = alive(p, e);

    if (r == TP_OK && write && !p->has_store)
        r = has_store(p, e);
    if (r == TP_OK)
        r = send(p, write ? "BEGIN" : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", e);
    if (r == TP_OK && write && p->has_store) /* one writes at a time */
        r = send(p, "SELECT version FROM store FOR UPDATE", e);
    if (r == TP_OK)
        r = settle(p, &result, e);
    PQclear(result);
    p->begun = r == TP_OK;
    p->turn++;
    if (r != TP_OK && p->c != NULL)
        (void)run(p, "ROLLBACK", NULL, NULL);
    return r;
}

static enum tp_err pg_commit(void *conn, struct tp_error *e)
{
    struct pg *p = conn;
    PGresult *result = NULL;
    enum tp_err r;

    if (p->c == NULL)
        return tp_fail(e, TP_ERR_IO, "%s was lost within the transaction: nothing of it is kept",
                       p->name);
    r = run(p, "COMMIT", &result, e);
    if (r == TP_OK && strcmp(PQcmdStatus(result), "COMMIT") != 0)
        r = tp_fail(e, TP_ERR_STATE, "%s: this transaction has failed before", p->name);
    else if (r == TP_ERR_IO && p->c == NULL)
        r = tp_fail(e, TP_ERR_IO,
                    "%s went away at the commit: whether this was kept is known when it is back; "
                    "the same again is safe",
                    p->name);
    PQclear(result);
    if (r == TP_OK)
        p->begun = false;
    return r;
}

static void pg_rollback(void *conn)
{
    struct pg *p = conn;

    if (p->c != NULL)
        (void)run(p, "ROLLBACK", NULL, NULL); /* after the errors of what was on its way */
    if (p->c != NULL && PQtransactionStatus(p->c) != PQTRANS_IDLE)
        (void)run(p, "ROLLBACK", NULL, NULL);
    p->begun = false;
}

static bool pg_in_transaction(void *conn)
{
    const struct pg *p = conn;

    return p->begun;
}

/* ---- statements ---- */

static Oid oid_of(enum db_kind kind)
{
    switch (kind) {
    case DB_INTEGER:
        return OID_INT8;
    case DB_TEXT:
        return OID_TEXT;
    case DB_BLOB:
        return OID_BYTEA;
    default: /* as the column has it */
        return 0;
    }
}

static enum tp_err pg_prepare(void *conn, void **statement, const char *sql, struct db_values v,
                              struct tp_error *e)
{
    struct pg *p = conn;
    struct pg_statement *s = calloc(1, sizeof(*s));

    if (s == NULL || v.n > VALUE_MAX || (s->sql = strdup(sql)) == NULL) {
        free(s);
        return v.n > VALUE_MAX
                   ? tp_fail(e, TP_ERR_INTERNAL, "more than %d values: %s", VALUE_MAX, sql)
                   : tp_fail(e, TP_ERR_NO_MEMORY, "out of memory for %s", p->name);
    }
    s->n = v.n;
    for (size_t i = 0; i < v.n; i++)
        s->kind[i] = oid_of(v.v[i].kind);
    s->number = ++p->prepared;
    *statement = s;
    return TP_OK;
}

struct bound { /* values as libpq takes them */
    uint64_t integers[VALUE_MAX];
    const char *at[VALUE_MAX];
    int length[VALUE_MAX], binary[VALUE_MAX];
};

static void bind(struct bound *b, struct db_values v)
{
    for (size_t i = 0; i < v.n; i++) {
        const struct db_value *x = &v.v[i];

        b->binary[i] = 1;
        b->length[i] = 8;
        b->integers[i] = htobe64((uint64_t)x->integer);
        b->at[i] = (const char *)&b->integers[i];
        if (x->null || x->kind == DB_NULL)
            b->at[i] = NULL;
        else if (x->kind != DB_INTEGER) {
            b->at[i] = x->bytes.p != NULL ? (const char *)x->bytes.p : "";
            b->length[i] = (int)x->bytes.n;
        }
    }
}

/* Prepared by itself: with others on their way an error would leave open whether it is. */
static enum tp_err be_prepared(struct pg *p, struct pg_statement *s, struct tp_error *e)
{
    PGresult *result = NULL;
    char name[16];
    enum tp_err r;

    if (s->life == p->life)
        return TP_OK;
    snprintf(name, sizeof(name), "s%u", s->number);
    if (PQsendPrepare(p->c, name, s->sql, (int)s->n, s->kind) != 1)
        return lost(p, PQerrorMessage(p->c), e);
    r = settle(p, &result, e);
    PQclear(result);
    if (r == TP_OK)
        s->life = p->life;
    return r;
}

static enum tp_err send_prepared(struct pg *p, struct pg_statement *s, const struct bound *b,
                                 struct tp_error *e)
{
    char name[16];
    const enum tp_err r = be_prepared(p, s, e);

    if (r != TP_OK)
        return r;
    snprintf(name, sizeof(name), "s%u", s->number);
    return PQsendQueryPrepared(p->c, name, (int)s->n, b->at, b->length, b->binary, 1) == 1
               ? TP_OK
               : lost(p, PQerrorMessage(p->c), e);
}

/* The cursor of a long list, and its first rows. */
static enum tp_err send_cursor(struct pg *p, struct pg_statement *s, const struct bound *b,
                               struct tp_error *e)
{
    char *sql = NULL, fetch[48];
    PGresult *result = NULL;
    int sent;
    enum tp_err r = TP_OK;

    s->turn = p->begun ? p->turn : 0;
    snprintf(fetch, sizeof(fetch), "FETCH " FETCH " FROM c%u", s->number);
    if (asprintf(&sql, "DECLARE c%u NO SCROLL CURSOR %s FOR %s", s->number,
                 p->begun ? "" : "WITH HOLD", s->sql) < 0)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory for %s", p->name);
    sent = PQsendQueryParams(p->c, sql, (int)s->n, s->kind, b->at, b->length, b->binary, 1);
    free(sql);
    if (sent != 1)
        return lost(p, PQerrorMessage(p->c), e);
    if (!p->begun) /* it holds once its own transaction has ended */
        r = settle(p, &result, e);
    PQclear(result);
    s->cursor = r == TP_OK;
    return r == TP_OK ? send(p, fetch, e) : r;
}

static enum tp_err pg_start(void *conn, void *statement, struct db_values v, enum db_want want,
                            struct tp_error *e)
{
    struct pg_statement *s = statement;
    struct pg *p = conn;
    struct bound b;
    enum tp_err r = TP_OK;

    if (v.n != s->n)
        return tp_fail(e, TP_ERR_INTERNAL, "%s: %zu values, not %zu: %s", p->name, v.n, s->n,
                       s->sql);
    if (p->c == NULL && p->begun)
        return tp_fail(e, TP_ERR_IO, "%s was lost within the transaction", p->name);
    r = alive(p, e);
    if (r != TP_OK)
        return r;
    bind(&b, v);
    s->at = -1;
    s->changes = 0;
    r = want == DB_WANT_ALL ? send_cursor(p, s, &b, e) : send_prepared(p, s, &b, e);
    if (r != TP_OK)
        return r;
    if (want == DB_WANT_NOTHING && p->begun && ++p->sent < SENT_MAX) {
        (void)PQflush(p->c);
        return TP_OK;
    }
    r = settle(p, &s->rows, e);
    if (r == TP_OK && want == DB_WANT_CHANGES)
        s->changes = strtoll(PQcmdTuples(s->rows), NULL, 10);
    return r;
}

static enum tp_err fetch_more(struct pg *p, struct pg_statement *s, struct tp_error *e)
{
    char fetch[48];

    PQclear(s->rows);
    s->rows = NULL;
    s->at = 0;
    if (p->c == NULL)
        return tp_fail(e, TP_ERR_IO, "%s was lost within its rows", p->name);
    snprintf(fetch, sizeof(fetch), "FETCH " FETCH " FROM c%u", s->number);
    return run(p, fetch, &s->rows, e);
}

static enum tp_err pg_next(void *conn, void *statement, bool *row, struct tp_error *e)
{
    struct pg_statement *s = statement;
    enum tp_err r = TP_OK;

    s->at++;
    if (s->cursor && s->at > 0 && s->at >= PQntuples(s->rows))
        r = fetch_more(conn, s, e);
    *row = r == TP_OK && s->at < PQntuples(s->rows);
    return r;
}

static int64_t integer_of(const char *p, Oid type)
{
    uint64_t v8;
    uint32_t v4;
    uint16_t v2;

    switch (type) {
    case OID_INT8:
        memcpy(&v8, p, sizeof(v8));
        return (int64_t)be64toh(v8);
    case OID_INT4:
        memcpy(&v4, p, sizeof(v4));
        return (int32_t)be32toh(v4);
    case OID_INT2:
        memcpy(&v2, p, sizeof(v2));
        return (int16_t)be16toh(v2);
    default: /* OID_BOOL */
        return *p;
    }
}

static bool pg_column(void *statement, size_t i, const char **name, struct db_value *v)
{
    const struct pg_statement *s = statement;
    const int n = (int)i;

    if (s->rows == NULL || n >= PQnfields(s->rows))
        return false;
    *name = PQfname(s->rows, n);
    *v = (struct db_value){.kind = DB_NULL, .null = true};
    if (s->at < 0 || s->at >= PQntuples(s->rows) || PQgetisnull(s->rows, s->at, n) != 0)
        return true;
    const char *p = PQgetvalue(s->rows, s->at, n);
    const Oid type = PQftype(s->rows, n);

    v->null = false;
    switch (type) {
    case OID_BOOL:
    case OID_INT2:
    case OID_INT4:
    case OID_INT8:
        *v = db_integer(integer_of(p, type));
        return true;
    default: /* text; of another type, what no number takes: the statement must CAST */
        v->kind = type == OID_BYTEA ? DB_BLOB : DB_TEXT;
        v->bytes = span_of(p, (size_t)PQgetlength(s->rows, s->at, n));
        return true;
    }
}

static int64_t pg_changes(void *conn, void *statement)
{
    (void)conn;
    return ((struct pg_statement *)statement)->changes;
}

static void pg_reset(void *conn, void *statement)
{
    struct pg_statement *s = statement;
    struct pg *p = conn;
    char close[32];

    PQclear(s->rows);
    s->rows = NULL;
    if (s->cursor && p->c != NULL && (s->turn == 0 || (p->begun && s->turn == p->turn))) {
        snprintf(close, sizeof(close), "CLOSE c%u", s->number);
        (void)send(p, close, NULL);
    }
    s->cursor = false;
}

static void pg_finish(void *conn, void *statement)
{
    struct pg_statement *s = statement;
    struct pg *p = conn;
    char sql[32];

    if (p->c != NULL && s->life == p->life) {
        snprintf(sql, sizeof(sql), "DEALLOCATE s%u", s->number);
        (void)send(p, sql, NULL);
    }
    PQclear(s->rows);
    free(s->sql);
    free(s);
}

/* ---- tables and rules ---- */

/* Several statements go only without a pipeline. */
static enum tp_err pg_script(void *conn, const char *sql, struct tp_error *e)
{
    struct pg *p = conn;
    PGresult *result = NULL;
    enum tp_err r = alive(p, e);

    if (r == TP_OK)
        r = settle(p, &result, e);
    PQclear(result);
    if (r != TP_OK)
        return r;
    if (PQexitPipelineMode(p->c) != 1 || PQsendQuery(p->c, sql) != 1)
        return lost(p, PQerrorMessage(p->c), e);
    for (;;) {
        const enum tp_err got = receive(p, &result, e);

        if (got != TP_OK)
            return got;
        if (result == NULL)
            break;
        if (is_error(result) && PQresultStatus(result) != PGRES_EMPTY_QUERY && r == TP_OK)
            r = failed_result(p, result, e);
        PQclear(result);
    }
    if (PQstatus(p->c) != CONNECTION_OK)
        return hang_up(p, r != TP_OK ? r : tp_fail(e, TP_ERR_IO, "%s is gone", p->name));
    if (PQenterPipelineMode(p->c) != 1)
        return lost(p, PQerrorMessage(p->c), e);
    return r;
}

static enum tp_err pg_rule(void *conn, const struct db_rule *rule, struct tp_error *e)
{
    struct pg *p = conn;
    char *then = NULL, *sql = NULL;
    enum tp_err r = TP_ERR_NO_MEMORY;
    int n = rule->sentence != NULL
                ? asprintf(&then, "RAISE EXCEPTION USING MESSAGE = $s$%s$s$", rule->sentence)
                : asprintf(&then, "%s", rule->action);

    if (n >= 0)
        n = asprintf(&sql,
                     "CREATE OR REPLACE FUNCTION rule_%s() RETURNS trigger LANGUAGE plpgsql AS $f$"
                     " BEGIN IF %s THEN %s; END IF;"
                     " IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END $f$;"
                     "CREATE TRIGGER %s %s ON %s FOR EACH ROW EXECUTE FUNCTION rule_%s()",
                     rule->name, rule->condition != NULL ? rule->condition : "true", then,
                     rule->name, rule->event, rule->table, rule->name);
    r = n >= 0 ? pg_script(conn, sql, e)
               : tp_fail(e, TP_ERR_NO_MEMORY, "out of memory for %s", p->name);
    free(then);
    free(sql);
    return r;
}

static enum tp_err pg_filled(void *conn, const char *table, const char *key, struct tp_error *e)
{
    struct pg *p = conn;
    PGresult *result = NULL;
    char sql[256];
    bool counts;
    enum tp_err r;

    snprintf(sql, sizeof(sql), "SELECT pg_get_serial_sequence('%s', '%s')", table, key);
    r = run(p, sql, &result, e);
    counts = r == TP_OK && PQntuples(result) == 1 && PQgetisnull(result, 0, 0) == 0;
    PQclear(result);
    if (!counts)
        return r;
    snprintf(sql, sizeof(sql),
             "SELECT setval(pg_get_serial_sequence('%s', '%s'), (SELECT max(%s) FROM %s))", table,
             key, key, table);
    return run(p, sql, NULL, e);
}

static const struct db_word words[] = {
    {"INTEGER PRIMARY KEY", "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY"},
    {"INTEGER", "BIGINT"},
    {"BLOB", "BYTEA"},
    {" STRICT, WITHOUT ROWID", ""},
    {" STRICT", ""},
    {NULL, NULL},
};

const struct db_driver db_postgres = {
    .open = pg_open,
    .close = pg_close,
    .begin = pg_begin,
    .commit = pg_commit,
    .rollback = pg_rollback,
    .in_transaction = pg_in_transaction,
    .prepare = pg_prepare,
    .start = pg_start,
    .next = pg_next,
    .column = pg_column,
    .changes = pg_changes,
    .reset = pg_reset,
    .finish = pg_finish,
    .script = pg_script,
    .rule = pg_rule,
    .filled = pg_filled,
    .has_table = "SELECT count(*) FROM pg_tables WHERE tablename = $1"
                 " AND schemaname = current_schema()", /* those it may not touch, too */
    .triggers = "SELECT t.tgname AS name, c.relname AS tbl FROM pg_trigger t"
                " JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal",
    .words = words,
    .on_table = true,
};
