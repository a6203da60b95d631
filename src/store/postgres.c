/* PostgreSQL as a driver of the store: transactions and statements over a connection
 * (postgres_link.c). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "store/db_priv.h"
#include "store/postgres_priv.h"

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

/* ---- transactions ---- */

/* One at a time: by the row of `store`, or while there is none by a lock of its own. */
static enum tp_err take_turn(struct pq *c, struct tp_error *e)
{
    PGresult *got = NULL;
    enum tp_err r = TP_OK;

    if (!c->stored) {
        r = pq_ask(c, "SELECT CAST(to_regclass('store') AS text)", &got, e);
        c->stored = r == TP_OK && !PQgetisnull(got, 0, 0);
        PQclear(got);
        got = NULL;
        if (r == TP_OK && !c->stored)
            return pq_ask(c, "SELECT pg_advisory_xact_lock(1952803952)", NULL, e);
    }
    if (r == TP_OK)
        r = pq_ask(c, "SELECT program FROM store FOR UPDATE", &got, e);
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
    (void)pq_collect(c, NULL, NULL);
    if (c->handle != NULL && pq_ask(c, "ROLLBACK", NULL, NULL) != TP_OK && c->handle != NULL)
        pq_lose(c);
    c->in = false;
}

static enum tp_err begin_once(struct pq *c, bool write, struct tp_error *e)
{
    enum tp_err r = pq_be_connected(c, e);

    if (r == TP_OK)
        r = pq_send(c,
                    write ? "BEGIN ISOLATION LEVEL READ COMMITTED"
                          : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
                    e);
    if (r == TP_OK)
        r = write ? take_turn(c, e) : pq_collect(c, NULL, e);
    if (r != TP_OK)
        pq_rollback(c);
    return r;
}

/* A server that was started anew is found out by the first words to it: nothing was done yet. */
static enum tp_err pq_begin(void *conn, bool write, struct tp_error *e)
{
    struct pq *c = conn;
    const bool old = c->handle != NULL;
    const int64_t from = time_monotonic_ms();
    enum tp_err r = begin_once(c, write, e);

    if (r != TP_OK && old && c->handle == NULL && time_monotonic_ms() - from < PQ_SILENT_MS)
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
    r = pq_ask(c, "COMMIT", &got, e);
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
        return pq_no_memory(c, e);
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
        return pq_no_memory(c, e);
    snprintf(sql, n, "DECLARE c%u NO SCROLL CURSOR %s HOLD FOR %s", s->number,
             c->in ? "WITHOUT" : "WITH", s->sql);
    snprintf(fetch, sizeof(fetch), "FETCH %d FROM c%u", MANY, s->number);
    ok = PQsendQueryParams(c->handle, sql, (int)s->n, s->types, v->p, v->length, v->format, 1);
    free(sql);
    if (!ok)
        return pq_gone(c, e);
    if (!c->in) { /* held once its own transaction has ended */
        const enum tp_err r = pq_collect(c, NULL, e);

        if (r != TP_OK)
            return r;
    }
    s->cursor = true;
    s->last = false;
    s->made = c->made;
    s->begun = c->in ? c->begun : 0;
    return pq_ask(c, fetch, &s->rows, e);
}

static enum tp_err run(struct pq *c, struct pq_statement *s, const struct sent *v,
                       enum db_want want, struct tp_error *e)
{
    char name[24];

    snprintf(name, sizeof(name), "s%u", s->number);
    if (s->made != c->made) {
        enum tp_err r;

        if (!PQsendPrepare(c->handle, name, s->sql, (int)s->n, s->types))
            return pq_gone(c, e);
        r = pq_collect(c, NULL, e);
        if (r != TP_OK)
            return r;
        s->made = c->made;
    }
    if (!PQsendQueryPrepared(c->handle, name, (int)s->n, v->p, v->length, v->format, 1))
        return pq_gone(c, e);
    s->last = true;
    if (want != DB_WANT_NOTHING || !c->in || ++c->sent >= MOST_SENT)
        return pq_collect(c, &s->rows, e);
    return PQflush(c->handle) >= 0 ? TP_OK : pq_gone(c, e);
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
        r = pq_be_connected(c, e);
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
        r = pq_ask(c, fetch, &s->rows, e);
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
        if (pq_send(c, sql, NULL) == TP_OK && !c->in)
            (void)pq_collect(c, NULL, NULL);
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
        (void)pq_ask(c, sql, NULL, NULL);
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
    const int64_t deadline = time_monotonic_ms() + PQ_SILENT_MS;
    PGresult *got = NULL;
    enum tp_err r = pq_be_connected(c, e), waited;

    if (r == TP_OK)
        r = pq_collect(c, NULL, e);
    if (r != TP_OK)
        return r;
    if (!PQexitPipelineMode(c->handle) || !PQsendQuery(c->handle, sql))
        return pq_gone(c, e);
    do {
        waited = pq_result(c, deadline, &got, r == TP_OK ? e : NULL);
        if (waited != TP_OK)
            return r == TP_OK ? waited : r;
        if (got != NULL && PQresultStatus(got) == PGRES_FATAL_ERROR && r == TP_OK)
            r = pq_fail(c, got, e);
        PQclear(got);
    } while (got != NULL);
    if (PQstatus(c->handle) == CONNECTION_BAD || !PQenterPipelineMode(c->handle)) {
        if (r == TP_OK)
            return pq_gone(c, e);
        pq_lose(c);
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
    enum tp_err r = pq_be_connected(c, e);

    if (r != TP_OK)
        return r;
    if (rule->sentence != NULL)
        words = PQescapeLiteral(c->handle, rule->sentence, strlen(rule->sentence));
    f = open_memstream(&sql, &n);
    if (f == NULL || (rule->sentence != NULL && words == NULL)) {
        r = pq_no_memory(c, e);
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
        r = pq_no_memory(c, e);
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
    r = pq_ask(c, sql, &got, e);
    counts = r == TP_OK && !PQgetisnull(got, 0, 0);
    PQclear(got);
    if (!counts)
        return r;
    snprintf(sql, sizeof(sql),
             "SELECT setval(pg_get_serial_sequence('%s', '%s'), (SELECT max(%s) FROM %s))", table,
             key, key, table);
    return pq_ask(c, sql, NULL, e);
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
    .alone = pq_alone,
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
    .durable = {"SET synchronous_commit = off", "SET synchronous_commit = on"},
    .words = words,
    .on_table = true,
};
