#include "issuer/book.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "issuer/book_priv.h"

const char *const account_status_name[ACCOUNT_STATUSES] = {"open", "blocked", "lost", "stolen"};

enum tp_err book_make(const char *where, struct tp_error *e)
{
    struct db *db = NULL;
    const enum tp_err r = db_open(&db, where, &issuer_schema, DB_MAKE, e);

    db_close(&db);
    return r;
}

enum tp_err book_open(struct book **out, const char *where, struct tp_error *e)
{
    struct book *b = calloc(1, sizeof(*b));
    enum tp_err r;

    *out = NULL;
    if (b == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory for the books");
    r = db_open(&b->db, where, &issuer_schema, DB_USE, e);
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

enum tp_err book_found(enum tp_err r, bool found, const char *what, struct tp_error *e)
{
    return r == TP_OK && !found ? tp_fail(e, TP_ERR_NOT_FOUND, "there is no such %s", what) : r;
}

size_t book_bytes(uint8_t *out, size_t cap, struct span v)
{
    const size_t n = v.n < cap ? v.n : cap;

    if (n > 0)
        memcpy(out, v.p, n);
    return n;
}

/* ---- acquirers ---- */

static const struct db_column acquirer_columns[] = {
    DB_COLUMN_AS("acquirer", struct acquirer, key),
    DB_COLUMN(struct acquirer, id),
    DB_COLUMN(struct acquirer, open),
    DB_COLUMN(struct acquirer, added),
};

enum tp_err book_acquirer_add(struct book *b, const char *id, struct tp_error *e)
{
    const enum tp_err r =
        db_exec(b->db, "INSERT INTO acquirer (id, open, added) VALUES ($1, 1, $2)",
                DB_VALUES(db_text(id), db_integer(time(NULL))), NULL, e);

    return r == TP_ERR_EXISTS ? tp_fail(e, r, "acquirer %s is there already", id) : r;
}

enum tp_err book_acquirer_get(struct book *b, const char *id, struct acquirer *out,
                              struct tp_error *e)
{
    bool found = false;

    memset(out, 0, sizeof(*out));
    const enum tp_err r =
        db_one(b->db, "SELECT acquirer, id, open, added FROM acquirer WHERE id = $1",
               DB_VALUES(db_text(id)), DB_COLUMNS(acquirer_columns), out, &found, e);

    return book_found(r, found, "acquirer", e);
}

enum tp_err book_acquirer_close(struct book *b, const char *id, struct tp_error *e)
{
    int64_t changed = 0;
    const enum tp_err r = db_exec(b->db, "UPDATE acquirer SET open = 0 WHERE id = $1",
                                  DB_VALUES(db_text(id)), &changed, e);

    return r == TP_OK && changed == 0 ? tp_fail(e, TP_ERR_NOT_FOUND, "there is no acquirer %s", id)
                                      : r;
}

enum tp_err book_acquirer_each(struct book *b,
                               enum tp_err (*visit)(void *ctx, const struct acquirer *a,
                                                    struct tp_error *e),
                               void *ctx, struct tp_error *e)
{
    struct db_rows *rows = NULL;
    struct acquirer a = {.key = 0};
    bool found = true;
    enum tp_err r =
        db_query(b->db, &rows, "SELECT acquirer, id, open, added FROM acquirer ORDER BY id",
                 DB_NONE, DB_COLUMNS(acquirer_columns), e);

    while (r == TP_OK && (r = db_next(rows, &a, &found, e)) == TP_OK && found)
        r = visit(ctx, &a, e);
    db_end(&rows);
    return r;
}

/* ---- accounts ---- */

#define ACCOUNTS                                                                                   \
    "SELECT account, pan_lookup, psn, pan_masked, expiry, cvn, arpc, currency, balance, reserved," \
    " ceiling, day_ceiling, status, atc, added FROM account "

static const struct db_column account_columns[] = {
    DB_COLUMN_AS("account", struct account, key),
    DB_COLUMN_AS("pan_lookup", struct account, lookup),
    DB_COLUMN(struct account, psn),
    DB_COLUMN_AS("pan_masked", struct account, masked),
    DB_COLUMN(struct account, expiry),
    DB_COLUMN(struct account, cvn),
    DB_COLUMN(struct account, arpc),
    DB_COLUMN(struct account, currency),
    DB_COLUMN(struct account, balance),
    DB_COLUMN(struct account, reserved),
    DB_COLUMN(struct account, ceiling),
    DB_COLUMN(struct account, day_ceiling),
    DB_COLUMN(struct account, status),
    DB_COLUMN(struct account, atc),
    DB_COLUMN(struct account, added),
};

enum tp_err book_account_add(struct book *b, struct account *a, struct span sealed,
                             struct tp_error *e)
{
    enum tp_err r;

    a->added = time(NULL);
    r = db_number(
        b->db,
        "INSERT INTO account (pan_lookup, psn, pan_masked, pan_sealed, expiry, cvn, arpc, currency,"
        " balance, ceiling, day_ceiling, atc, added)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING account",
        DB_VALUES(db_blob(SPAN_OF(a->lookup)), db_integer(a->psn), db_text(a->masked),
                  db_blob(sealed), db_integer(a->expiry), db_integer((int64_t)a->cvn),
                  db_integer(a->arpc), db_integer(a->currency), db_integer(a->balance),
                  db_integer(a->ceiling), db_integer(a->day_ceiling), db_integer(a->atc),
                  db_integer(a->added)),
        &a->key, NULL, e);
    return r == TP_ERR_EXISTS
               ? tp_fail(e, r, "card %s with sequence number %02u has an account already",
                         a->masked, a->psn)
               : r;
}

enum tp_err book_account_find(struct book *b, const uint8_t lookup[SEAL_LOOKUP], unsigned psn,
                              struct account *out, struct tp_error *e)
{
    bool found = false;

    memset(out, 0, sizeof(*out));
    const enum tp_err r = db_one(b->db, ACCOUNTS "WHERE pan_lookup = $1 AND psn = $2",
                                 DB_VALUES(db_blob(span_of(lookup, SEAL_LOOKUP)), db_integer(psn)),
                                 DB_COLUMNS(account_columns), out, &found, e);

    return book_found(r, found, "account", e);
}

enum tp_err book_account_set_status(struct book *b, int64_t account, enum account_status status,
                                    struct tp_error *e)
{
    return db_exec(b->db, "UPDATE account SET status = $2 WHERE account = $1",
                   DB_VALUES(db_integer(account), db_integer((int64_t)status)), NULL, e);
}

enum tp_err book_account_set(struct book *b, const struct account *a, struct tp_error *e)
{
    int64_t changed = 0;
    const enum tp_err r =
        db_exec(b->db,
                "UPDATE account SET balance = $2, ceiling = $3, day_ceiling = $4, atc = $5"
                " WHERE account = $1",
                DB_VALUES(db_integer(a->key), db_integer(a->balance), db_integer(a->ceiling),
                          db_integer(a->day_ceiling), db_integer(a->atc)),
                &changed, e);

    return r == TP_ERR_RANGE
               ? tp_fail(e, r, "the balance of %s would be less than what is reserved", a->masked)
               : r;
}

enum tp_err book_account_seen(struct book *b, int64_t account, uint16_t atc, struct tp_error *e)
{
    return db_exec(b->db, "UPDATE account SET atc = $2 WHERE account = $1 AND atc < $2",
                   DB_VALUES(db_integer(account), db_integer(atc)), NULL, e);
}

enum tp_err book_account_each(struct book *b,
                              enum tp_err (*visit)(void *ctx, const struct account *a,
                                                   struct tp_error *e),
                              void *ctx, struct tp_error *e)
{
    struct db_rows *rows = NULL;
    struct account a = {.key = 0};
    bool found = true;
    enum tp_err r = db_query(b->db, &rows, ACCOUNTS "ORDER BY account", DB_NONE,
                             DB_COLUMNS(account_columns), e);

    while (r == TP_OK && (r = db_next(rows, &a, &found, e)) == TP_OK && found)
        r = visit(ctx, &a, e);
    db_end(&rows);
    return r;
}
