#include "mediator/disputes.h"

#include <string.h>

static const char *const states[] = {
    [DISPUTE_OPEN] = "open",       [DISPUTE_ANSWERED] = "answered", [DISPUTE_ASKED] = "asked",
    [DISPUTE_SETTLED] = "settled", [DISPUTE_REFUSED] = "refused",
};
#define STATES (sizeof(states) / sizeof(states[0]))

const char *dispute_state_name(enum dispute_state s)
{
    return s > 0 && s < STATES ? states[s] : "?";
}

bool dispute_state_find(enum dispute_state *out, const char *name)
{
    for (unsigned s = DISPUTE_OPEN; s < STATES; s++)
        if (strcmp(states[s], name) == 0) {
            *out = (enum dispute_state)s;
            return true;
        }
    return false;
}

bool dispute_is_overdue(const struct dispute *d, int64_t now)
{
    return d->due != 0 && d->due < now;
}

/* ---- disputes ---- */

#define SELECT                                                                                     \
    "SELECT order_id, dispute.contract, reason, dispute.state, opened, dispute.since, due,"        \
    " signer, service, item, amount, currency, mediated_order.state AS paid FROM dispute"          \
    " JOIN mediated_order ON mediated_order.id = order_id"

static const struct db_column columns[] = {
    DB_COLUMN_AS("order_id", struct dispute, order),
    DB_COLUMN(struct dispute, contract),
    DB_COLUMN(struct dispute, reason),
    DB_COLUMN(struct dispute, state),
    DB_COLUMN(struct dispute, opened),
    DB_COLUMN(struct dispute, since),
    DB_COLUMN(struct dispute, due),
    DB_COLUMN_AS("signer", struct dispute, key),
    DB_COLUMN(struct dispute, service),
    DB_COLUMN(struct dispute, item),
    DB_COLUMN(struct dispute, amount),
    DB_COLUMN(struct dispute, currency),
    DB_COLUMN(struct dispute, paid),
};

enum tp_err disputes_get(struct orderbook *b, const char *order, struct dispute *out, bool *found,
                         struct tp_error *e)
{
    return db_one(orderbook_db(b), SELECT " WHERE order_id = $1", DB_VALUES(db_text(order)),
                  DB_COLUMNS(columns), out, found, e);
}

enum tp_err disputes_add(struct orderbook *b, const struct dispute *d, struct tp_error *e)
{
    return db_exec(orderbook_db(b),
                   "INSERT INTO dispute (order_id, contract, reason, state, opened, since, due,"
                   " signer) VALUES ($1, $2, $3, $4, $5, $5, $6, $7)",
                   DB_VALUES(db_text(d->order), db_text(d->contract), db_text(d->reason),
                             db_integer(d->state), db_integer(d->opened), db_integer(d->due),
                             db_blob(SPAN_OF(d->key))),
                   NULL, e);
}

enum tp_err disputes_move(struct orderbook *b, const struct dispute *d, struct tp_error *e)
{
    return db_exec(orderbook_db(b),
                   "UPDATE dispute SET state = $2, since = $3, due = $4 WHERE order_id = $1",
                   DB_VALUES(db_text(d->order), db_integer(d->state), db_integer(d->since),
                             db_integer(d->due)),
                   NULL, e);
}

enum tp_err disputes_each(struct orderbook *b, unsigned state, dispute_visit *visit, void *ctx,
                          struct tp_error *e)
{
    struct dispute d;
    struct db_rows *rows = NULL;
    bool found = true;
    enum tp_err r = db_query(orderbook_db(b), &rows,
                             SELECT " WHERE ($1 = 0 OR dispute.state = $1) ORDER BY opened,"
                                    " order_id",
                             DB_VALUES(db_integer(state)), DB_COLUMNS(columns), e);

    while (r == TP_OK && (r = db_next(rows, &d, &found, e)) == TP_OK && found)
        r = visit(ctx, &d, e);
    db_end(&rows);
    return r;
}

enum tp_err disputes_due_each(struct orderbook *b, orderbook_id_visit *visit, void *ctx,
                              struct tp_error *e)
{
    static const struct db_column id[] = {DB_COLUMN_AS("order_id", struct dispute, order)};
    struct dispute d;
    struct db_rows *rows = NULL;
    bool found = true;
    enum tp_err r =
        db_query(orderbook_db(b), &rows,
                 "SELECT order_id FROM dispute JOIN mediated_order ON mediated_order.id = order_id"
                 " WHERE dispute.state = 4 AND mediated_order.state IN (6, 7)",
                 DB_NONE, DB_COLUMNS(id), e);

    _Static_assert(DISPUTE_SETTLED == 4 && STATE_ACKNOWLEDGED == 6 && STATE_DELIVERED == 7,
                   "as the statement says");
    while (r == TP_OK && (r = db_next(rows, &d, &found, e)) == TP_OK && found)
        r = visit(ctx, d.order, e);
    db_end(&rows);
    return r;
}

enum tp_err disputes_count(struct orderbook *b, int64_t now, struct dispute_count *out,
                           struct tp_error *e)
{
    static const struct db_column counts[] = {DB_COLUMN(struct dispute_count, waiting),
                                              DB_COLUMN(struct dispute_count, overdue)};
    bool found = false;

    _Static_assert(DISPUTE_ASKED == 3, "as the statement says");
    return db_one(orderbook_db(b),
                  "SELECT count(*) AS waiting, coalesce(CAST(sum(CASE WHEN due < $1 THEN 1 ELSE 0"
                  " END) AS BIGINT), 0) AS overdue FROM dispute WHERE state <= 3",
                  DB_VALUES(db_integer(now)), DB_COLUMNS(counts), out, &found, e);
}

/* ---- letters ---- */

#define LETTER_SELECT "SELECT n, own, act, hash, at, jws FROM letter WHERE order_id = $1"

static const struct db_column letter_columns[] = {
    DB_COLUMN(struct dispute_letter, n),   DB_COLUMN(struct dispute_letter, own),
    DB_COLUMN(struct dispute_letter, act), DB_COLUMN(struct dispute_letter, hash),
    DB_COLUMN(struct dispute_letter, at),  DB_COLUMN(struct dispute_letter, jws),
};

enum tp_err disputes_letter_add(struct orderbook *b, const char *order, struct dispute_letter *l,
                                struct tp_error *e)
{
    return db_number(orderbook_db(b),
                     "INSERT INTO letter (order_id, n, own, act, hash, at, jws)"
                     " SELECT $1, coalesce(max(n), 0) + 1, $2, $3, $4, $5, $6 FROM letter"
                     " WHERE order_id = $1 RETURNING n",
                     DB_VALUES(db_text(order), db_integer(l->own), db_text(l->act),
                               db_blob(SPAN_OF(l->hash)), db_integer(l->at),
                               db_text((const char *)l->jws.p)),
                     &l->n, NULL, e);
}

enum tp_err disputes_letter_each(struct orderbook *b, const char *order,
                                 dispute_letter_visit *visit, void *ctx, struct tp_error *e)
{
    struct dispute_letter l;
    struct db_rows *rows = NULL;
    bool found = true;
    enum tp_err r = db_query(orderbook_db(b), &rows, LETTER_SELECT " ORDER BY n",
                             DB_VALUES(db_text(order)), DB_COLUMNS(letter_columns), e);

    while (r == TP_OK && (r = db_next(rows, &l, &found, e)) == TP_OK && found)
        r = visit(ctx, &l, e);
    db_end(&rows);
    return r;
}

enum tp_err disputes_letter_last(struct orderbook *b, const char *order, bool own,
                                 struct dispute_letter *out, char **jws, bool *found,
                                 struct tp_error *e)
{
    enum tp_err r = db_one(orderbook_db(b), LETTER_SELECT " AND own = $2 ORDER BY n DESC LIMIT 1",
                           DB_VALUES(db_text(order), db_integer(own)), DB_COLUMNS(letter_columns),
                           out, found, e);

    if (jws == NULL)
        return r;
    *jws = NULL;
    if (r == TP_OK && *found && (*jws = span_text(out->jws)) == NULL)
        r = tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a letter");
    return r;
}
