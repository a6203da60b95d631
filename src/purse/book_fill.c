/* Who sells credit for a card, whose word is taken that a card paid, and what that filled. */
#include <stdio.h>
#include <string.h>

#include "purse/book_priv.h"

/* ---- sellers ---- */

enum tp_err book_seller_add(struct book *b, const char *name, struct tp_error *e)
{
    const enum tp_err r = db_exec(b->db, "INSERT INTO seller (seller, added) VALUES ($1, $2)",
                                  DB_VALUES(db_text(name), db_integer(time(NULL))), NULL, e);

    return r == TP_ERR_EXISTS
               ? tp_fail(e, r, "there is a seller %s already: telepay-purse seller list", name)
               : r;
}

enum tp_err book_seller_shut(struct book *b, const char *name, struct tp_error *e)
{
    int64_t n = 0;
    const enum tp_err r =
        db_exec(b->db, "UPDATE seller SET closed = $2 WHERE seller = $1 AND closed IS NULL",
                DB_VALUES(db_text(name), db_integer(time(NULL))), &n, e);

    return r == TP_OK && n == 0
               ? tp_fail(e, TP_ERR_NOT_FOUND, "no seller %.40s is open: telepay-purse seller list",
                         name)
               : r;
}

enum tp_err book_seller_is_open(struct book *b, const char *name, bool *open, struct tp_error *e)
{
    int64_t n = 0;
    const enum tp_err r =
        db_number(b->db, "SELECT count(*) FROM seller WHERE seller = $1 AND closed IS NULL",
                  DB_VALUES(db_text(name)), &n, NULL, e);

    *open = n > 0;
    return r;
}

enum tp_err book_seller_each(struct book *b, book_door_visit *visit, void *ctx, struct tp_error *e)
{
    return book_doors(b, "SELECT seller AS name, added, closed FROM seller ORDER BY seller", visit,
                      ctx, e);
}

/* ---- trust ---- */

enum tp_err book_trust_add(struct book *b, const char *contract, const char *authority,
                           struct tp_error *e)
{
    const enum tp_err r =
        db_exec(b->db, "INSERT INTO trust (contract, authority, added) VALUES ($1, $2, $3)",
                DB_VALUES(db_text(contract), db_text(authority), db_integer(time(NULL))), NULL, e);

    return r == TP_ERR_EXISTS
               ? tp_fail(e, r, "contract %s is trusted already: telepay-purse trust list", contract)
               : r;
}

enum tp_err book_trust_shut(struct book *b, const char *contract, struct tp_error *e)
{
    int64_t n = 0;
    const enum tp_err r =
        db_exec(b->db, "UPDATE trust SET closed = $2 WHERE contract = $1 AND closed IS NULL",
                DB_VALUES(db_text(contract), db_integer(time(NULL))), &n, e);

    return r == TP_OK && n == 0
               ? tp_fail(e, TP_ERR_NOT_FOUND,
                         "no contract %.40s is trusted: telepay-purse trust list", contract)
               : r;
}

enum tp_err book_trust_each(struct book *b, book_door_visit *visit, void *ctx, struct tp_error *e)
{
    return book_doors(b, "SELECT contract AS name, added, closed FROM trust ORDER BY contract",
                      visit, ctx, e);
}

struct trusted {
    char authority[BOOK_PEM];
    time_t closed;
};

enum tp_err book_trust_get(struct book *b, const char *contract, char authority[BOOK_PEM],
                           bool *open, struct tp_error *e)
{
    static const struct db_column columns[] = {DB_COLUMN(struct trusted, authority),
                                               DB_COLUMN(struct trusted, closed)};
    struct trusted t = {"", 0};
    bool found = false;
    const enum tp_err r = db_one(b->db, "SELECT authority, closed FROM trust WHERE contract = $1",
                                 DB_VALUES(db_text(contract)), DB_COLUMNS(columns), &t, &found, e);

    memcpy(authority, t.authority, BOOK_PEM);
    *open = found && t.closed == 0;
    return r == TP_OK && !found
               ? tp_fail(e, TP_ERR_NOT_FOUND, "contract %.40s is not trusted to fill accounts",
                         contract)
               : r;
}

/* ---- what was filled ---- */

enum tp_err book_filled(struct book *b, struct filled *out, bool *found, const char *order,
                        struct tp_error *e)
{
    static const struct db_column columns[] = {
        DB_COLUMN(struct filled, booking), DB_COLUMN(struct filled, account),
        DB_COLUMN(struct filled, amount), DB_COLUMN(struct filled, evidence)};

    return db_one(b->db,
                  "SELECT booking, account, amount, evidence FROM booking WHERE kind = $1 AND"
                  " reference = $2",
                  DB_VALUES(db_integer(BOOKING_CARD), db_text(order)), DB_COLUMNS(columns), out,
                  found, e);
}
