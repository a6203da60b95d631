/* The mediator's books: sessions of purses, and what vouchers draw from them. */
#include <stdlib.h>

#include "mediator/orderbook_priv.h"

enum tp_err orderbook_session_add(struct orderbook *b, const struct orderbook_session *s,
                                  const char *acknowledgement, struct tp_error *e)
{
    return db_exec(
        b->db,
        "INSERT INTO purse_session (id, acquirer, account, account_key, currency, amount,"
        " until, state, touched, acknowledgement) VALUES ($1, $2, $3, $4, $5, $6, $7, 1,"
        " $8, $9) ON CONFLICT DO NOTHING",
        DB_VALUES(db_text(s->id), db_text(s->acquirer), db_text(s->account),
                  db_blob(SPAN_OF(s->key)), db_integer(s->currency), db_integer(s->amount),
                  db_integer(s->until), db_integer(s->touched), db_text(acknowledgement)),
        NULL, e);
}

enum tp_err orderbook_session_get(struct orderbook *b, const char *id,
                                  struct orderbook_session *out, bool *found, struct tp_error *e)
{
    static const struct db_column columns[] = {
        DB_COLUMN(struct orderbook_session, id),
        DB_COLUMN(struct orderbook_session, acquirer),
        DB_COLUMN(struct orderbook_session, account),
        DB_COLUMN_AS("account_key", struct orderbook_session, key),
        DB_COLUMN(struct orderbook_session, currency),
        DB_COLUMN(struct orderbook_session, amount),
        DB_COLUMN(struct orderbook_session, until),
        DB_COLUMN(struct orderbook_session, state),
        DB_COLUMN(struct orderbook_session, touched)};

    return db_one(b->db,
                  "SELECT id, acquirer, account, account_key, currency, amount, until, state,"
                  " touched FROM purse_session WHERE id = $1",
                  DB_VALUES(db_text(id)), DB_COLUMNS(columns), out, found, e);
}

enum tp_err orderbook_session_move(struct orderbook *b, const struct orderbook_session *s,
                                   struct tp_error *e)
{
    return db_exec(b->db, "UPDATE purse_session SET state = $2, touched = $3 WHERE id = $1",
                   DB_VALUES(db_text(s->id), db_integer(s->state), db_integer(s->touched)), NULL,
                   e);
}

struct named {
    char id[BOOK_ORDER_ID];
};

enum tp_err orderbook_session_due(struct orderbook *b, int64_t silent, int64_t until,
                                  orderbook_id_visit *visit, void *ctx, struct tp_error *e)
{
    static const struct db_column columns[] = {DB_COLUMN(struct named, id)};
    struct named n;
    struct db_rows *rows = NULL;
    bool found = true;
    enum tp_err r =
        db_query(b->db, &rows,
                 "SELECT id FROM purse_session WHERE state = 2 OR (state = 1 AND"
                 " (touched < $1 OR until < $2)) ORDER BY id",
                 DB_VALUES(db_integer(silent), db_integer(until)), DB_COLUMNS(columns), e);

    while (r == TP_OK && (r = db_next(rows, &n, &found, e)) == TP_OK && found)
        r = visit(ctx, n.id, e);
    db_end(&rows);
    return r;
}

enum tp_err orderbook_session_busy(struct orderbook *b, const char *id, bool *busy,
                                   struct tp_error *e)
{
    int64_t n = 0;
    bool found = false;
    const enum tp_err r =
        db_number(b->db,
                  "SELECT count(*) AS n FROM attempt a JOIN mediated_order o ON o.id = a.order_id"
                  " AND o.attempt = a.n WHERE a.session = $1 AND o.state = 6",
                  DB_VALUES(db_text(id)), &n, &found, e);

    *busy = n > 0;
    return r;
}

/* ---- what was drawn ---- */

struct drawn_row {
    struct orderbook_drawn d;
    struct span voucher;
};

static const struct db_column drawn_columns[] = {
    DB_COLUMN_AS("session", struct drawn_row, d.session),
    DB_COLUMN_AS("contract", struct drawn_row, d.contract),
    DB_COLUMN_AS("total", struct drawn_row, d.total),
    DB_COLUMN_AS("number", struct drawn_row, d.number),
    DB_COLUMN_AS("given_back", struct drawn_row, d.given_back),
    DB_COLUMN_AS("presented", struct drawn_row, d.presented),
    DB_COLUMN(struct drawn_row, voucher)};

#define DRAWN_SELECT                                                                               \
    "SELECT session, contract, total, number, given_back, presented, voucher FROM "                \
    "session_contract"

static enum tp_err take_row(struct orderbook_drawn *out, const struct drawn_row *row, bool found,
                            struct tp_error *e)
{
    *out = row->d;
    out->voucher = found ? span_text(row->voucher) : NULL;
    return found && out->voucher == NULL ? tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a voucher")
                                         : TP_OK;
}

enum tp_err orderbook_drawn_get(struct orderbook *b, const char *session, const char *contract,
                                struct orderbook_drawn *out, int64_t *all, struct tp_error *e)
{
    struct drawn_row row = {.d = {.total = 0}};
    bool found = false, any = false;
    enum tp_err r = db_one(b->db, DRAWN_SELECT " WHERE session = $1 AND contract = $2",
                           DB_VALUES(db_text(session), db_text(contract)),
                           DB_COLUMNS(drawn_columns), &row, &found, e);

    *out = (struct orderbook_drawn){.total = 0};
    if (r == TP_OK)
        r = take_row(out, &row, found, e);
    if (r == TP_OK)
        r = db_number(b->db,
                      "SELECT CAST(coalesce(sum(total), 0) AS BIGINT) AS n FROM session_contract"
                      " WHERE session = $1",
                      DB_VALUES(db_text(session)), all, &any, e);
    return r;
}

enum tp_err orderbook_drawn_next(struct orderbook *b, const char *session, const char *after,
                                 struct orderbook_drawn *out, bool *found, struct tp_error *e)
{
    struct drawn_row row = {.d = {.total = 0}};
    enum tp_err r = db_one(
        b->db,
        DRAWN_SELECT " WHERE session = $1 AND presented < total - given_back"
                     " ORDER BY CASE WHEN contract > $2 THEN 0 ELSE 1 END, contract LIMIT 1",
        DB_VALUES(db_text(session), db_text(after)), DB_COLUMNS(drawn_columns), &row, found, e);

    *out = (struct orderbook_drawn){.total = 0};
    if (r == TP_OK)
        r = take_row(out, &row, *found, e);
    *found = r == TP_OK && *found;
    return r;
}

enum tp_err orderbook_drawn_put(struct orderbook *b, const struct orderbook_drawn *d,
                                struct tp_error *e)
{
    return db_exec(b->db,
                   "INSERT INTO session_contract (session, contract, total, number, given_back,"
                   " presented, voucher) VALUES ($1, $2, $3, $4, 0, 0, $5) ON CONFLICT (session,"
                   " contract) DO UPDATE SET total = $3, number = $4, voucher = $5",
                   DB_VALUES(db_text(d->session), db_text(d->contract), db_integer(d->total),
                             db_integer(d->number), db_text(d->voucher)),
                   NULL, e);
}

enum tp_err orderbook_drawn_give_back(struct orderbook *b, const char *session,
                                      const char *contract, int64_t amount, struct tp_error *e)
{
    return db_exec(b->db,
                   "UPDATE session_contract SET given_back = given_back + $3 WHERE session = $1 AND"
                   " contract = $2",
                   DB_VALUES(db_text(session), db_text(contract), db_integer(amount)), NULL, e);
}

enum tp_err orderbook_drawn_presented(struct orderbook *b, const char *session,
                                      const char *contract, int64_t presented, struct tp_error *e)
{
    return db_exec(
        b->db, "UPDATE session_contract SET presented = $3 WHERE session = $1 AND contract = $2",
        DB_VALUES(db_text(session), db_text(contract), db_integer(presented)), NULL, e);
}
