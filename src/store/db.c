#include "store/db.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "store/db_priv.h"

struct db_rows { /* a statement that is kept */
    struct db *db;
    const char *sql;
    void *statement;
    const struct db_column *columns; /* what the places below are of */
    uint8_t *places;                 /* of each column of the statement, which of the table's */
    size_t width;
    uint8_t *held; /* what the spans of db_one point to */
    size_t room;
    bool open, spans; /* spans: among its columns */
};

struct db {
    const struct db_driver *driver;
    void *conn;
    char *name;            /* as people may see it: no password */
    struct db_rows **kept; /* open addressing by the literal's address; at most half full */
    size_t n, room;        /* room is a power of two */
    bool begun, spoilt;    /* a transaction; an error of it */
};

/* ---- values ---- */

struct db_value db_integer(int64_t v)
{
    return (struct db_value){.kind = DB_INTEGER, .integer = v};
}

struct db_value db_integer_or_null(int64_t v, bool present)
{
    return (struct db_value){.kind = DB_INTEGER, .null = !present, .integer = v};
}

struct db_value db_text(const char *v)
{
    return (struct db_value){.kind = DB_TEXT,
                             .null = v == NULL,
                             .bytes = v != NULL ? span_str(v) : (struct span){NULL, 0}};
}

struct db_value db_blob(struct span v)
{
    return (struct db_value){.kind = DB_BLOB, .bytes = v};
}

struct db_value db_blob_or_null(struct span v, bool present)
{
    return (struct db_value){.kind = DB_BLOB, .null = !present, .bytes = v};
}

/* ---- the connection ---- */

bool db_is_url(const char *where)
{
    return strncmp(where, "postgresql://", 13) == 0 || strncmp(where, "postgres://", 11) == 0;
}

char *db_shown(const char *where)
{
    char *name = strdup(where), *authority, *at = NULL, *colon;

    if (name == NULL || !db_is_url(where))
        return name;
    authority = strstr(name, "://") + 3;
    for (char *p = authority; *p != '\0' && *p != '/'; p++) /* the last: a password may hold one */
        if (*p == '@')
            at = p;
    colon = strchr(authority, ':');
    if (at != NULL && colon != NULL && colon < at)
        memmove(colon, at, strlen(at) + 1);
    name[strcspn(name, "?")] = '\0'; /* its words may hold one, too */
    return name;
}

enum tp_err db_connect(struct db **out, const char *where, bool make, struct tp_error *e)
{
    struct db *d = calloc(1, sizeof(*d));
    enum tp_err r = TP_OK;

    *out = NULL;
    if (d == NULL || (d->name = db_shown(where)) == NULL) {
        free(d);
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory for a database");
    }
    d->driver = db_is_url(where) ? &db_postgres : &db_sqlite;
    r = d->driver->open(&d->conn, where, make, e);
    if (r != TP_OK)
        db_close(&d);
    *out = d;
    return r;
}

static void forget(struct db_rows *k)
{
    k->db->driver->finish(k->db->conn, k->statement);
    secret_wipe(k->held, k->room);
    free(k->held);
    free(k->places);
    free(k);
}

void db_forget_statements(struct db *d)
{
    for (size_t i = 0; i < d->room; i++)
        if (d->kept[i] != NULL)
            forget(d->kept[i]);
    free(d->kept);
    d->kept = NULL;
    d->n = d->room = 0;
}

void db_close(struct db **out)
{
    struct db *d = *out;

    if (d == NULL)
        return;
    db_rollback(d);
    db_forget_statements(d);
    if (d->conn != NULL)
        d->driver->close(d->conn);
    free(d->name);
    free(d);
    *out = NULL;
}

const char *db_name(const struct db *d)
{
    return d->name;
}

const struct db_driver *db_driver_of(const struct db *d)
{
    return d->driver;
}

void *db_conn(struct db *d)
{
    return d->conn;
}

/* ---- statements ---- */

static struct db_rows **slot_of(struct db_rows **kept, size_t room, const char *sql)
{
    size_t i = ((uintptr_t)sql >> 3) * 0x9E3779B1U & (room - 1);

    while (kept[i] != NULL && kept[i]->sql != sql) /* ends: at least half is empty */
        i = (i + 1) & (room - 1);
    return &kept[i];
}

static bool grow(struct db *d)
{
    const size_t room = d->room == 0 ? 64 : d->room * 2;
    struct db_rows **more = calloc(room, sizeof(struct db_rows *));

    if (more == NULL)
        return false;
    for (size_t i = 0; i < d->room; i++)
        if (d->kept[i] != NULL)
            *slot_of(more, room, d->kept[i]->sql) = d->kept[i];
    free(d->kept);
    d->kept = more;
    d->room = room;
    return true;
}

static enum tp_err spoil(struct db *d, enum tp_err r)
{
    d->spoilt |= d->begun && r != TP_OK;
    return r;
}

static enum tp_err keep(struct db *d, struct db_rows **slot, const char *sql, struct db_values v,
                        struct tp_error *e)
{
    struct db_rows *k = calloc(1, sizeof(*k));
    enum tp_err r;

    if (k == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory for %s", d->name);
    k->db = d;
    k->sql = sql;
    r = d->driver->prepare(d->conn, &k->statement, sql, v, e);
    if (r != TP_OK) {
        free(k);
        return r;
    }
    *slot = k;
    d->n++;
    return TP_OK;
}

static enum tp_err prepare(struct db *d, struct db_rows **out, const char *sql, struct db_values v,
                           struct tp_error *e)
{
    struct db_rows **slot;

    if (2 * (d->n + 1) > d->room && !grow(d))
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory for %s", d->name);
    slot = slot_of(d->kept, d->room, sql);
    if (*slot == NULL) {
        const enum tp_err r = keep(d, slot, sql, v, e);

        if (r != TP_OK)
            return r;
    }
    *out = *slot;
    return TP_OK;
}

static enum tp_err stop(struct db_rows *k, struct tp_error *e)
{
    const bool open = k->open;

    k->open = false;
    return open ? k->db->driver->reset(k->db->conn, k->statement, e) : TP_OK;
}

/* The end of a statement that came to r: an earlier error is the one that counts. */
static enum tp_err stop_after(struct db_rows *k, enum tp_err r, struct tp_error *e)
{
    const enum tp_err stopped = stop(k, r == TP_OK ? e : NULL);

    return r == TP_OK ? stopped : r;
}

/* The engine has rolled back by itself, or its connection is gone. */
static enum tp_err lost(const struct db *d, struct tp_error *e)
{
    return tp_fail(e, TP_ERR_IO, "%s was lost within the transaction: nothing of it is kept",
                   d->name);
}

static enum tp_err start(struct db *d, struct db_rows **out, const char *sql, struct db_values v,
                         enum db_want want, struct tp_error *e)
{
    struct db_rows *k = NULL;
    enum tp_err r;

    *out = NULL;
    if (d->spoilt)
        return tp_fail(e, TP_ERR_STATE, "%s: this transaction has failed before", d->name);
    if (d->begun && !d->driver->in_transaction(d->conn))
        return spoil(d, lost(d, e));
    r = prepare(d, &k, sql, v, e);
    if (r == TP_OK && k->open)
        r = tp_fail(e, TP_ERR_INTERNAL, "%s: a statement within its own rows: %s", d->name, sql);
    if (r != TP_OK)
        return spoil(d, r);
    k->open = true;
    r = d->driver->start(d->conn, k->statement, v, want, e);
    if (r != TP_OK)
        r = stop_after(k, r, e);
    else
        *out = k;
    return spoil(d, r);
}

/* ---- rows ---- */

/* Of each column of the statement, its place in the table; each of the table's has one. */
static enum tp_err find_places(struct db_rows *k, struct db_columns columns, struct tp_error *e)
{
    const struct db_driver *driver = k->db->driver;
    const char *name;
    struct db_value v;
    size_t width = 0;

    if (k->columns == columns.c)
        return TP_OK;
    k->columns = NULL;
    free(k->places);
    k->places = calloc(columns.n, 1);
    if (k->places == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory for %s", k->db->name);
    for (; driver->column(k->statement, width, &name, &v); width++) {
        size_t i = 0;

        while (i < columns.n && strcmp(columns.c[i].name, name) != 0)
            i++;
        if (i == columns.n || width >= columns.n)
            return tp_fail(e, TP_ERR_INTERNAL, "no place for column %s of: %s", name, k->sql);
        k->places[width] = (uint8_t)i;
    }
    if (width != columns.n)
        return tp_fail(e, TP_ERR_INTERNAL, "%zu columns, %zu places: %s", width, columns.n, k->sql);
    k->columns = columns.c;
    k->width = width;
    k->spans = false;
    for (size_t i = 0; i < width; i++)
        k->spans |= columns.c[i].member == DB_SPAN;
    return TP_OK;
}

static bool put_integer(uint8_t *to, const struct db_column *c, int64_t v)
{
    const bool is_signed = c->member == DB_SIGNED;
    const unsigned bits = 8 * (unsigned)c->size;

    if (bits < 64 && is_signed &&
        (v >= INT64_C(1) << (bits - 1) || v < -(INT64_C(1) << (bits - 1))))
        return false;
    if (!is_signed && (v < 0 || (bits < 64 && v >= INT64_C(1) << bits)))
        return false;
    switch (c->size) {
    case 1:
        *to = (uint8_t)v;
        return true;
    case 2:
        *(uint16_t *)(void *)to = (uint16_t)v;
        return true;
    case 4:
        *(uint32_t *)(void *)to = (uint32_t)v;
        return true;
    default:
        *(uint64_t *)(void *)to = (uint64_t)v;
        return true;
    }
}

static void put_chars(char *to, size_t cap, struct span from)
{
    size_t n = from.n;

    while (n > 0 && (n >= cap || (n < from.n && (from.p[n] & 0xC0) == 0x80)))
        n--;
    if (n > 0)
        memcpy(to, from.p, n);
    to[n] = '\0';
}

static bool put(uint8_t *to, const struct db_column *c, const struct db_value *v)
{
    const bool null = v->null || v->kind == DB_NULL;

    switch (c->member) {
    case DB_SIGNED:
    case DB_UNSIGNED:
        return (null || v->kind == DB_INTEGER) && put_integer(to, c, null ? 0 : v->integer);
    case DB_BOOL:
        *(bool *)to = !null && v->integer != 0;
        return null || v->kind == DB_INTEGER;
    case DB_CHARS:
        put_chars((char *)to, c->size, null ? (struct span){NULL, 0} : v->bytes);
        return null || v->kind == DB_TEXT;
    case DB_BYTES:
        if (null)
            memset(to, 0, c->size);
        else if (v->kind == DB_BLOB && v->bytes.n == c->size)
            memcpy(to, v->bytes.p, c->size);
        else
            return false;
        return true;
    default: /* DB_SPAN */
        *(struct span *)(void *)to = null ? (struct span){NULL, 0} : v->bytes;
        return null || v->kind != DB_INTEGER;
    }
}

static enum tp_err fill(struct db_rows *k, void *row, struct tp_error *e)
{
    for (size_t i = 0; i < k->width; i++) {
        const struct db_column *c = &k->columns[k->places[i]];
        struct db_value v;

        (void)k->db->driver->column(k->statement, i, NULL, &v);
        if (!put((uint8_t *)row + c->offset, c, &v))
            return tp_fail(e, TP_ERR_RANGE, "%s holds a %s that cannot be (%" PRId64 ", %zu bytes)",
                           k->db->name, c->name, v.integer, v.bytes.n);
    }
    return TP_OK;
}

/* What the spans of a row point to outlives the statement: moved to where it is held. */
static enum tp_err hold(struct db_rows *k, void *row, struct tp_error *e)
{
    size_t n = 0;

    if (!k->spans)
        return TP_OK;

    for (size_t i = 0; i < k->width; i++)
        if (k->columns[i].member == DB_SPAN)
            n += ((struct span *)(void *)((uint8_t *)row + k->columns[i].offset))->n;
    if (n > k->room) {
        secret_wipe(k->held, k->room);
        free(k->held);
        k->held = malloc(n);
        k->room = k->held != NULL ? n : 0;
        if (k->held == NULL)
            return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory for %s", k->db->name);
    }
    n = 0;
    for (size_t i = 0; i < k->width; i++) {
        struct span *s = (struct span *)(void *)((uint8_t *)row + k->columns[i].offset);

        if (k->columns[i].member != DB_SPAN || s->n == 0)
            continue;
        memcpy(k->held + n, s->p, s->n);
        s->p = k->held + n;
        n += s->n;
    }
    return TP_OK;
}

enum tp_err db_exec(struct db *d, const char *sql, struct db_values v, int64_t *changes,
                    struct tp_error *e)
{
    struct db_rows *k;
    bool row = false;
    enum tp_err r = start(d, &k, sql, v, changes != NULL ? DB_WANT_CHANGES : DB_WANT_NOTHING, e);

    if (r != TP_OK)
        return r;
    r = d->driver->next(d->conn, k->statement, &row, e);
    if (r == TP_OK && changes != NULL)
        *changes = d->driver->changes(d->conn, k->statement);
    return spoil(d, stop_after(k, r, e));
}

enum tp_err db_one(struct db *d, const char *sql, struct db_values v, struct db_columns columns,
                   void *row, bool *found, struct tp_error *e)
{
    struct db_rows *k;
    enum tp_err r = start(d, &k, sql, v, DB_WANT_ONE, e);

    *found = false;
    if (r != TP_OK)
        return r;
    r = d->driver->next(d->conn, k->statement, found, e);
    if (r == TP_OK && *found) {
        r = find_places(k, columns, e);
        if (r == TP_OK)
            r = fill(k, row, e);
        if (r == TP_OK)
            r = hold(k, row, e);
    }
    r = stop_after(k, r, e);
    *found = *found && r == TP_OK;
    return spoil(d, r);
}

enum tp_err db_number(struct db *d, const char *sql, struct db_values v, int64_t *number,
                      bool *found, struct tp_error *e)
{
    struct db_rows *k;
    bool row = false;
    enum tp_err r = start(d, &k, sql, v, DB_WANT_ONE, e);

    if (found != NULL)
        *found = false;
    if (r != TP_OK)
        return r;
    r = d->driver->next(d->conn, k->statement, &row, e);
    if (r == TP_OK && row) {
        struct db_value value = {0};

        if (!d->driver->column(k->statement, 0, NULL, &value) ||
            (value.kind != DB_INTEGER && !value.null))
            r = tp_fail(e, TP_ERR_INTERNAL, "%s: that is no number: %s", d->name, sql);
        else
            *number = value.null ? 0 : value.integer;
    } else if (r == TP_OK && found == NULL)
        r = tp_fail(e, TP_ERR_INTERNAL, "%s: no row came from: %s", d->name, sql);
    r = stop_after(k, r, e);
    if (found != NULL)
        *found = row && r == TP_OK;
    return spoil(d, r);
}

enum tp_err db_query(struct db *d, struct db_rows **out, const char *sql, struct db_values v,
                     struct db_columns columns, struct tp_error *e)
{
    enum tp_err r = start(d, out, sql, v, DB_WANT_ALL, e);

    if (r == TP_OK)
        r = find_places(*out, columns, e);
    if (r != TP_OK)
        db_end(out);
    return spoil(d, r);
}

enum tp_err db_next(struct db_rows *rows, void *row, bool *found, struct tp_error *e)
{
    enum tp_err r;

    *found = false;
    if (!rows->open)
        return tp_fail(e, TP_ERR_STATE, "%s: these rows have ended", rows->db->name);
    r = rows->db->driver->next(rows->db->conn, rows->statement, found, e);
    if (r == TP_OK && *found)
        r = fill(rows, row, e);
    *found = *found && r == TP_OK;
    return spoil(rows->db, r);
}

void db_end(struct db_rows **rows)
{
    if (*rows != NULL)
        (void)stop(*rows, NULL);
    *rows = NULL;
}

/* ---- transactions ---- */

static enum tp_err begin(struct db *d, bool write, struct tp_error *e)
{
    enum tp_err r;

    if (d->begun)
        return tp_fail(e, TP_ERR_INTERNAL, "%s: a transaction within a transaction", d->name);
    r = d->driver->begin(d->conn, write, e);
    d->begun = r == TP_OK;
    d->spoilt = false;
    return r;
}

enum tp_err db_serve_alone(struct db *d, struct tp_error *e)
{
    return d->driver->alone != NULL ? d->driver->alone(d->conn, e) : TP_OK;
}

enum tp_err db_begin(struct db *d, struct tp_error *e)
{
    return begin(d, true, e);
}

enum tp_err db_begin_read(struct db *d, struct tp_error *e)
{
    return begin(d, false, e);
}

enum tp_err db_durable(struct db *d, bool durable, struct tp_error *e)
{
    return d->driver->script(d->conn, d->driver->durable[durable], e);
}

void db_brief(struct db *d)
{
    if (d->driver->brief != NULL)
        d->driver->brief(d->conn);
}

enum tp_err db_commit(struct db *d, struct tp_error *e)
{
    enum tp_err r;

    if (d->spoilt)
        r = tp_fail(e, TP_ERR_STATE, "%s: this transaction has failed before", d->name);
    else if (!d->driver->in_transaction(d->conn))
        r = lost(d, e);
    else
        r = d->driver->commit(d->conn, e);
    if (r != TP_OK)
        db_rollback(d);
    d->begun = false;
    return r;
}

void db_rollback(struct db *d)
{
    if (!d->begun)
        return;
    for (size_t i = 0; i < d->room; i++) /* one that stands in its rows would see what never was */
        if (d->kept[i] != NULL)
            (void)stop(d->kept[i], NULL);
    if (d->driver->in_transaction(d->conn))
        d->driver->rollback(d->conn);
    d->begun = d->spoilt = false;
}

bool db_in_transaction(struct db *d)
{
    return d->begun;
}

enum tp_err db_touch(struct db *d, struct tp_error *e)
{
    return db_exec(d, "UPDATE store SET version = version", DB_NONE, NULL, e);
}
