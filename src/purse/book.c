/* The books: made, opened; whose payments are taken. */
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "purse/book_priv.h"
#include "store/schema.h"

/* ---- opening ---- */

/* The purse's own number: one of 64 bits that nobody chose. */
static enum tp_err give_number(struct db *db, struct tp_error *e)
{
    uint8_t raw[(BOOK_ID - 1) / 2];
    char id[BOOK_ID];

    if (RAND_bytes(raw, sizeof(raw)) != 1)
        return tp_fail(e, TP_ERR_INTERNAL, "the system gives no random bytes");
    return db_exec(db, "INSERT INTO purse (one, acquirer) VALUES (1, $1)",
                   DB_VALUES(db_text(hex_encode(id, SPAN_OF(raw)))), NULL, e);
}

enum tp_err book_make(const char *dir, const char *url, struct tp_error *e)
{
    char where[DB_WHERE_MAX];
    struct db *db = NULL;
    enum tp_err r = db_where_new(where, dir, BOOK_FILE, url, e);

    if (r == TP_OK)
        r = db_open(&db, where, &purse_schema, DB_MAKE, e);
    if (r == TP_OK)
        r = give_number(db, e);
    db_close(&db);
    return r == TP_OK && url != NULL ? db_where_set(dir, url, e) : r;
}

enum tp_err book_open(struct book **out, const char *dir, struct tp_error *e)
{
    char where[DB_WHERE_MAX];
    struct book *b = calloc(1, sizeof(*b));
    enum tp_err r;

    *out = NULL;
    if (b == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    r = db_where(where, dir, BOOK_FILE, e);
    if (r == TP_OK)
        r = db_open(&b->db, where, &purse_schema, DB_USE, e);
    if (r != TP_OK)
        book_close(&b);
    *out = b;
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

enum tp_err book_serve_alone(struct book *b, struct tp_error *e)
{
    return db_serve_alone(b->db, e);
}

struct text {
    char text[BOOK_ID];
};

enum tp_err book_acquirer(struct book *b, char out[BOOK_ID], struct tp_error *e)
{
    static const struct db_column columns[] = {DB_COLUMN_AS("acquirer", struct text, text)};
    struct text t = {""};
    bool found = false;
    const enum tp_err r =
        db_one(b->db, "SELECT acquirer FROM purse", DB_NONE, DB_COLUMNS(columns), &t, &found, e);

    memcpy(out, t.text, BOOK_ID);
    return r == TP_OK && !found
               ? tp_fail(e, TP_ERR_STATE, "the books were not made whole: make them anew")
               : r;
}

enum tp_err book_is_file(struct book *b, struct tp_error *e)
{
    return db_can_copy(b->db, e);
}

enum tp_err book_copy(struct book *b, const char *path, struct tp_error *e)
{
    return db_copy(b->db, path, e);
}

enum tp_err book_begin(struct book *b, struct tp_error *e)
{
    return db_begin(b->db, e);
}

enum tp_err book_commit(struct book *b, struct tp_error *e)
{
    return db_commit(b->db, e);
}

void book_rollback(struct book *b)
{
    db_rollback(b->db);
}

enum tp_err book_begin_read(struct book *b, struct tp_error *e)
{
    return db_begin_read(b->db, e);
}

enum tp_err book_end(struct book *b, enum tp_err r, struct tp_error *e)
{
    if (r == TP_OK)
        return db_commit(b->db, e);
    db_rollback(b->db);
    return r;
}

/* ---- contracts ---- */

enum tp_err book_contract_add(struct book *b, const struct book_contract *c, struct tp_error *e)
{
    enum tp_err r = db_begin(b->db, e);

    if (r != TP_OK)
        return r;
    r = db_exec(b->db,
                "INSERT INTO contract (contract, name, iban, currency, added)"
                " VALUES ($1, $2, $3, $4, $5)",
                DB_VALUES(db_text(c->contract), db_text(c->name), db_text(c->iban),
                          db_integer(c->currency), db_integer(time(NULL))),
                NULL, e);
    if (r == TP_OK)
        r = db_exec(b->db, "INSERT INTO remise (contract, number) VALUES ($1, 1)",
                    DB_VALUES(db_text(c->contract)), NULL, e);
    r = book_end(b, r, e);
    return r == TP_ERR_EXISTS
               ? tp_fail(e, r, "contract %s is there already: telepay-purse contract list",
                         c->contract)
               : r;
}

static const struct db_column contract_columns[] = {
    DB_COLUMN(struct book_contract, contract), DB_COLUMN(struct book_contract, name),
    DB_COLUMN(struct book_contract, iban),     DB_COLUMN(struct book_contract, currency),
    DB_COLUMN(struct book_contract, added),    DB_COLUMN(struct book_contract, closed),
};
#define CONTRACT_SELECT "SELECT contract, name, iban, currency, added, closed FROM contract"

enum tp_err book_contract_get(struct book *b, const char *contract, struct book_contract *out,
                              struct tp_error *e)
{
    bool found = false;
    const enum tp_err r =
        db_one(b->db, CONTRACT_SELECT " WHERE contract = $1", DB_VALUES(db_text(contract)),
               DB_COLUMNS(contract_columns), out, &found, e);

    return r == TP_OK && !found
               ? tp_fail(e, TP_ERR_NOT_FOUND,
                         "there is no contract %.40s: telepay-purse contract list", contract)
               : r;
}

enum tp_err book_contract_shut(struct book *b, const char *contract, struct tp_error *e)
{
    struct book_contract c;
    enum tp_err r = book_contract_get(b, contract, &c, e);

    if (r == TP_OK && c.closed != 0)
        r = tp_fail(e, TP_ERR_STATE, "contract %s is closed already", contract);
    return r == TP_OK ? db_exec(b->db, "UPDATE contract SET closed = $2 WHERE contract = $1",
                                DB_VALUES(db_text(contract), db_integer(time(NULL))), NULL, e)
                      : r;
}

enum tp_err book_contract_each(struct book *b, book_contract_visit *visit, void *ctx,
                               struct tp_error *e)
{
    struct book_contract c;
    struct db_rows *rows = NULL;
    bool found = true;
    enum tp_err r = db_query(b->db, &rows, CONTRACT_SELECT " ORDER BY contract", DB_NONE,
                             DB_COLUMNS(contract_columns), e);

    while (r == TP_OK && (r = db_next(rows, &c, &found, e)) == TP_OK && found)
        r = visit(ctx, &c, e);
    db_end(&rows);
    return r;
}

/* ---- mediators ---- */

enum tp_err book_mediator_add(struct book *b, const char *name, struct tp_error *e)
{
    const enum tp_err r = db_exec(b->db, "INSERT INTO mediator (mediator, added) VALUES ($1, $2)",
                                  DB_VALUES(db_text(name), db_integer(time(NULL))), NULL, e);

    return r == TP_ERR_EXISTS
               ? tp_fail(e, r, "there is a mediator %s already: telepay-purse mediator list", name)
               : r;
}

enum tp_err book_mediator_shut(struct book *b, const char *name, struct tp_error *e)
{
    int64_t n = 0;
    const enum tp_err r =
        db_exec(b->db, "UPDATE mediator SET closed = $2 WHERE mediator = $1 AND closed IS NULL",
                DB_VALUES(db_text(name), db_integer(time(NULL))), &n, e);

    return r == TP_OK && n == 0
               ? tp_fail(e, TP_ERR_NOT_FOUND,
                         "no mediator %.40s is open: telepay-purse mediator list", name)
               : r;
}

enum tp_err book_doors(struct book *b, const char *sql, book_door_visit *visit, void *ctx,
                       struct tp_error *e)
{
    static const struct db_column columns[] = {DB_COLUMN(struct book_door, name),
                                               DB_COLUMN(struct book_door, added),
                                               DB_COLUMN(struct book_door, closed)};
    struct book_door d;
    struct db_rows *rows = NULL;
    bool found = true;
    enum tp_err r = db_query(b->db, &rows, sql, DB_NONE, DB_COLUMNS(columns), e);

    while (r == TP_OK && (r = db_next(rows, &d, &found, e)) == TP_OK && found)
        r = visit(ctx, &d, e);
    db_end(&rows);
    return r;
}

enum tp_err book_mediator_each(struct book *b, book_door_visit *visit, void *ctx,
                               struct tp_error *e)
{
    return book_doors(b, "SELECT mediator AS name, added, closed FROM mediator ORDER BY mediator",
                      visit, ctx, e);
}
