#include "issuer/book.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "issuer/book_priv.h"
#include "issuer/schema.h"

const char *const account_status_name[ACCOUNT_STATUSES] = {"open", "blocked", "lost", "stolen"};

enum tp_err book_make(const char *path, struct tp_error *e)
{
    struct db *db = NULL;
    enum tp_err r;

    if (access(path, F_OK) == 0)
        return tp_fail(e, TP_ERR_EXISTS, "%s is there already: the books are never written over",
                       path);
    r = db_open(&db, path, true, issuer_schema, issuer_schema_versions, e);
    db_close(&db);
    return r;
}

enum tp_err book_open(struct book **out, const char *path, struct tp_error *e)
{
    struct book *b = calloc(1, sizeof(*b));
    enum tp_err r;

    *out = NULL;
    if (b == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "cannot open %s: out of memory", path);
    r = db_open(&b->db, path, false, issuer_schema, issuer_schema_versions, e);
    if (r == TP_OK)
        *out = b;
    else
        free(b);
    return r;
}

void book_close(struct book **b)
{
    if (*b == NULL)
        return;
    db_rollback((*b)->db);
    db_close(&(*b)->db);
    free(*b);
    *b = NULL;
}

enum tp_err book_begin(struct book *b, struct tp_error *e)
{
    return db_begin(b->db, e);
}

enum tp_err book_commit(struct book *b, struct tp_error *e)
{
    return db_commit(b->db, e);
}

enum tp_err book_touch(struct book *b, struct tp_error *e)
{
    return db_touch(b->db, e);
}

void book_rollback(struct book *b)
{
    db_rollback(b->db);
}

enum tp_err book_one(struct book *b, sqlite3_stmt *s, const char *what, struct tp_error *e)
{
    bool row = false;
    const enum tp_err r = db_step(b->db, s, &row, e);

    return r == TP_OK && !row ? tp_fail(e, TP_ERR_NOT_FOUND, "there is no such %s", what) : r;
}

size_t book_bytes(uint8_t *out, size_t cap, sqlite3_stmt *s, int column)
{
    const struct span v = db_column_span(s, column);
    const size_t n = v.n < cap ? v.n : cap;

    if (n > 0)
        memcpy(out, v.p, n);
    return n;
}

/* ---- acquirers ---- */

enum tp_err book_acquirer_add(struct book *b, const char *id, struct tp_error *e)
{
    sqlite3_stmt *s;
    enum tp_err r =
        db_prepare(b->db, &s, "INSERT INTO acquirer (id, open, added) VALUES (?1, 1, ?2)", e);

    if (r != TP_OK)
        return r;
    db_bind_text(s, 1, id);
    sqlite3_bind_int64(s, 2, time(NULL));
    r = db_run(b->db, s, e);
    return r == TP_ERR_EXISTS ? tp_fail(e, r, "acquirer %s is there already", id) : r;
}

static void read_acquirer(struct acquirer *out, sqlite3_stmt *s)
{
    out->key = sqlite3_column_int64(s, 0);
    db_column_copy(out->id, sizeof(out->id), s, 1);
    out->open = sqlite3_column_int(s, 2) != 0;
    out->added = (time_t)sqlite3_column_int64(s, 3);
}

enum tp_err book_acquirer_get(struct book *b, const char *id, struct acquirer *out,
                              struct tp_error *e)
{
    sqlite3_stmt *s;
    enum tp_err r =
        db_prepare(b->db, &s, "SELECT acquirer, id, open, added FROM acquirer WHERE id = ?1", e);

    memset(out, 0, sizeof(*out));
    if (r != TP_OK)
        return r;
    db_bind_text(s, 1, id);
    r = book_one(b, s, "acquirer", e);
    if (r == TP_OK)
        read_acquirer(out, s);
    sqlite3_reset(s);
    return r;
}

enum tp_err book_acquirer_close(struct book *b, const char *id, struct tp_error *e)
{
    sqlite3_stmt *s;
    enum tp_err r = db_prepare(b->db, &s, "UPDATE acquirer SET open = 0 WHERE id = ?1", e);

    if (r != TP_OK)
        return r;
    db_bind_text(s, 1, id);
    r = db_run(b->db, s, e);
    return r == TP_OK && sqlite3_changes(db_handle(b->db)) == 0
               ? tp_fail(e, TP_ERR_NOT_FOUND, "there is no acquirer %s", id)
               : r;
}

enum tp_err book_acquirer_each(struct book *b,
                               enum tp_err (*visit)(void *ctx, const struct acquirer *a,
                                                    struct tp_error *e),
                               void *ctx, struct tp_error *e)
{
    sqlite3_stmt *s;
    bool row = false;
    enum tp_err r =
        db_prepare(b->db, &s, "SELECT acquirer, id, open, added FROM acquirer ORDER BY id", e);

    while (r == TP_OK && (r = db_step(b->db, s, &row, e)) == TP_OK && row) {
        struct acquirer a;

        read_acquirer(&a, s);
        r = visit(ctx, &a, e);
    }
    if (s != NULL)
        sqlite3_reset(s);
    return r;
}

/* ---- accounts ---- */

#define ACCOUNT_COLUMNS                                                                            \
    "account, pan_lookup, psn, pan_masked, expiry, cvn, arpc, currency, balance, reserved, "       \
    "ceiling, day_ceiling, status, atc, added"

static void read_account(struct account *out, sqlite3_stmt *s)
{
    memset(out, 0, sizeof(*out));
    out->key = sqlite3_column_int64(s, 0);
    book_bytes(out->lookup, sizeof(out->lookup), s, 1);
    out->psn = (unsigned)sqlite3_column_int(s, 2);
    db_column_copy(out->masked, sizeof(out->masked), s, 3);
    out->expiry = sqlite3_column_int(s, 4);
    out->cvn = (enum emv_cvn)sqlite3_column_int(s, 5);
    out->arpc = (unsigned)sqlite3_column_int(s, 6);
    out->currency = (uint16_t)sqlite3_column_int(s, 7);
    out->balance = sqlite3_column_int64(s, 8);
    out->reserved = sqlite3_column_int64(s, 9);
    out->ceiling = sqlite3_column_int64(s, 10);
    out->day_ceiling = sqlite3_column_int64(s, 11);
    out->status = (enum account_status)sqlite3_column_int(s, 12);
    out->atc = (uint16_t)sqlite3_column_int(s, 13);
    out->added = (time_t)sqlite3_column_int64(s, 14);
}

enum tp_err book_account_add(struct book *b, struct account *a, struct span sealed,
                             struct tp_error *e)
{
    sqlite3_stmt *s;
    enum tp_err r =
        db_prepare(b->db, &s,
                   "INSERT INTO account (pan_lookup, psn, pan_masked, pan_sealed, expiry, cvn, "
                   "arpc, currency, balance, ceiling, day_ceiling, atc,"
                   " added) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
                   e);

    if (r != TP_OK)
        return r;
    a->added = time(NULL);
    db_bind_span(s, 1, SPAN_OF(a->lookup));
    sqlite3_bind_int64(s, 2, a->psn);
    db_bind_text(s, 3, a->masked);
    db_bind_span(s, 4, sealed);
    sqlite3_bind_int64(s, 5, a->expiry);
    sqlite3_bind_int64(s, 6, a->cvn);
    sqlite3_bind_int64(s, 7, a->arpc);
    sqlite3_bind_int64(s, 8, a->currency);
    sqlite3_bind_int64(s, 9, a->balance);
    sqlite3_bind_int64(s, 10, a->ceiling);
    sqlite3_bind_int64(s, 11, a->day_ceiling);
    sqlite3_bind_int64(s, 12, a->atc);
    sqlite3_bind_int64(s, 13, a->added);
    r = db_run(b->db, s, e);
    if (r == TP_OK)
        a->key = sqlite3_last_insert_rowid(db_handle(b->db));
    return r == TP_ERR_EXISTS
               ? tp_fail(e, r, "card %s with sequence number %02u has an account already",
                         a->masked, a->psn)
               : r;
}

enum tp_err book_account_find(struct book *b, const uint8_t lookup[SEAL_LOOKUP], unsigned psn,
                              struct account *out, struct tp_error *e)
{
    sqlite3_stmt *s;
    enum tp_err r = db_prepare(
        b->db, &s, "SELECT " ACCOUNT_COLUMNS " FROM account WHERE pan_lookup = ?1 AND psn = ?2", e);

    if (r != TP_OK)
        return r;
    db_bind_span(s, 1, span_of(lookup, SEAL_LOOKUP));
    sqlite3_bind_int64(s, 2, psn);
    r = book_one(b, s, "account", e);
    if (r == TP_OK)
        read_account(out, s);
    sqlite3_reset(s);
    return r;
}

enum tp_err book_account_set_status(struct book *b, int64_t account, enum account_status status,
                                    struct tp_error *e)
{
    sqlite3_stmt *s;
    const enum tp_err r =
        db_prepare(b->db, &s, "UPDATE account SET status = ?2 WHERE account = ?1", e);

    if (r != TP_OK)
        return r;
    sqlite3_bind_int64(s, 1, account);
    sqlite3_bind_int64(s, 2, status);
    return db_run(b->db, s, e);
}

enum tp_err book_account_set(struct book *b, const struct account *a, struct tp_error *e)
{
    sqlite3_stmt *s;
    enum tp_err r = db_prepare(b->db, &s,
                               "UPDATE account SET balance = ?2, ceiling = ?3, day_ceiling = ?4, "
                               "atc = ?5 WHERE account = ?1",
                               e);

    if (r != TP_OK)
        return r;
    sqlite3_bind_int64(s, 1, a->key);
    sqlite3_bind_int64(s, 2, a->balance);
    sqlite3_bind_int64(s, 3, a->ceiling);
    sqlite3_bind_int64(s, 4, a->day_ceiling);
    sqlite3_bind_int64(s, 5, a->atc);
    r = db_run(b->db, s, e);
    return r == TP_ERR_RANGE
               ? tp_fail(e, r, "the balance of %s would be less than what is reserved", a->masked)
               : r;
}

enum tp_err book_account_seen(struct book *b, int64_t account, uint16_t atc, struct tp_error *e)
{
    sqlite3_stmt *s;
    const enum tp_err r =
        db_prepare(b->db, &s, "UPDATE account SET atc = max(atc, ?2) WHERE account = ?1", e);

    if (r != TP_OK)
        return r;
    sqlite3_bind_int64(s, 1, account);
    sqlite3_bind_int64(s, 2, atc);
    return db_run(b->db, s, e);
}

enum tp_err book_account_each(struct book *b,
                              enum tp_err (*visit)(void *ctx, const struct account *a,
                                                   struct tp_error *e),
                              void *ctx, struct tp_error *e)
{
    sqlite3_stmt *s;
    bool row = false;
    enum tp_err r =
        db_prepare(b->db, &s, "SELECT " ACCOUNT_COLUMNS " FROM account ORDER BY account", e);

    while (r == TP_OK && (r = db_step(b->db, s, &row, e)) == TP_OK && row) {
        struct account a;

        read_account(&a, s);
        r = visit(ctx, &a, e);
    }
    if (s != NULL)
        sqlite3_reset(s);
    return r;
}
