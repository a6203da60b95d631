/* Remises on their way to the collection centre, and what that refuses, in the books. */
#include <inttypes.h>
#include <stdlib.h>

#include "purse/book_priv.h"

/* ---- remises ---- */

struct row {
    int64_t key;
    struct remise r;
};

#define OF_IT(m)         DB_COLUMN_AS(#m, struct row, r.m)
#define OF_TOTALS(as, m) DB_COLUMN_AS(as, struct row, r.totals.m)
static const struct db_column columns[] = {
    DB_COLUMN(struct row, key),
    OF_IT(contract),
    OF_IT(number),
    OF_IT(state),
    OF_IT(currency),
    OF_TOTALS("debits", debits),
    OF_TOTALS("debit_amount", debit_amount),
    OF_TOTALS("reversals", reversals),
    OF_TOTALS("reversal_amount", reversal_amount),
    OF_IT(closed),
    OF_IT(submitted),
    OF_IT(settled),
    DB_COLUMN_AS("hash", struct row, r.content_hash),
    OF_IT(attempts),
    OF_IT(outcome),
    OF_IT(day),
};
#define SELECT                                                                                     \
    "SELECT r.remise AS key, r.contract, r.number, " BOOK_REMISE_STATE " AS state, c.currency,"    \
    " r.payments - r.reversals AS debits, r.amount AS debit_amount, r.reversals, r.reversed AS"    \
    " reversal_amount, r.closed, r.submitted, r.settled, r.hash, r.attempts, r.outcome, r.day"     \
    " FROM remise r JOIN contract c ON c.contract = r.contract "

static enum tp_err find(struct book *b, const char *contract, uint32_t number, struct row *row,
                        struct tp_error *e)
{
    bool found = false;
    enum tp_err r;

    *row = (struct row){.key = 0};
    r = db_one(b->db, SELECT "WHERE r.contract = $1 AND r.number = $2",
               DB_VALUES(db_text(contract), db_integer(number)), DB_COLUMNS(columns), row, &found,
               e);
    return r == TP_OK && !found ? tp_fail(e, TP_ERR_NOT_FOUND, "contract %s has no remise %" PRIu32,
                                          contract, number)
                                : r;
}

enum tp_err book_collect_get(struct book *b, const char *contract, uint32_t number,
                             struct remise *out, struct tp_error *e)
{
    struct row row;
    const enum tp_err r = find(b, contract, number, &row, e);

    *out = row.r;
    return r;
}

enum tp_err book_collect_each(struct book *b, const char *contract, remise_visit *visit, void *ctx,
                              struct tp_error *e)
{
    struct row row = {.key = 0};
    struct db_rows *rows = NULL;
    bool found = true;
    enum tp_err r = db_query(b->db, &rows,
                             SELECT "WHERE r.closed IS NOT NULL AND r.payout IS NULL AND"
                                    " coalesce(r.state, 2) = 2 AND r.payments > r.reversals AND"
                                    " (r.contract = $1 OR CAST($1 AS TEXT) IS NULL)"
                                    " ORDER BY r.contract, r.number",
                             DB_VALUES(db_text(contract)), DB_COLUMNS(columns), e);

    while (r == TP_OK && (r = db_next(rows, &row, &found, e)) == TP_OK && found)
        r = visit(ctx, &row.r, e);
    db_end(&rows);
    return r;
}

/* ---- what it holds ---- */

enum tp_err book_collect_items(struct book *b, const struct remise *remise,
                               collect_item_visit *visit, void *ctx, struct tp_error *e)
{
    static const struct db_column item_columns[] = {
        DB_COLUMN(struct collect_item, number),    DB_COLUMN(struct collect_item, amount),
        DB_COLUMN(struct collect_item, account),   DB_COLUMN(struct collect_item, at),
        DB_COLUMN(struct collect_item, voucher),   DB_COLUMN(struct collect_item, statement),
        DB_COLUMN(struct collect_item, challenge),
    };
    struct collect_item item;
    struct db_rows *rows = NULL;
    struct row row;
    bool found = true;
    enum tp_err r = find(b, remise->contract, remise->number, &row, e);

    if (r == TP_OK)
        r = db_query(b->db, &rows,
                     "SELECT p.payment AS number, p.amount, p.account, p.decided AS at,"
                     " p.payment IS NULL AS voucher, p.statement, p.challenge FROM payment p LEFT "
                     "JOIN reversal x ON"
                     " x.payment = p.payment WHERE p.remise = $1 AND x.payment IS NULL"
                     " UNION ALL SELECT v.voucher, v.amount, o.account, v.presented, v.voucher IS "
                     "NOT NULL, v.demand,"
                     " NULL FROM voucher v JOIN provision o ON o.provision = v.provision WHERE"
                     " v.remise = $1 ORDER BY 1",
                     DB_VALUES(db_integer(row.key)), DB_COLUMNS(item_columns), e);
    while (r == TP_OK && (r = db_next(rows, &item, &found, e)) == TP_OK && found)
        r = visit(ctx, &item, e);
    db_end(&rows);
    return r;
}

/* ---- its way ---- */

enum tp_err book_collect_submitted(struct book *b, const struct remise *remise,
                                   const uint8_t hash[32], time_t now, struct tp_error *e)
{
    struct row row;
    int64_t sent = 0;
    enum tp_err r = db_begin(b->db, e);

    if (r != TP_OK)
        return r;
    r = find(b, remise->contract, remise->number, &row, e);
    if (r == TP_OK)
        r = remise_may_submit(&row.r, hash, e);
    if (r == TP_OK)
        r = db_exec(b->db,
                    "UPDATE remise SET state = 2, hash = $2, attempts = attempts + 1, submitted ="
                    " coalesce(submitted, $3) WHERE remise = $1 AND payout IS NULL",
                    DB_VALUES(db_integer(row.key), db_blob(span_of(hash, 32)), db_integer(now)),
                    &sent, e);
    if (r == TP_OK && sent != 1)
        r = tp_fail(e, TP_ERR_STATE, "it was paid out meanwhile without the centre: not sent");
    return book_end(b, r, e);
}

struct refusing { /* the items beside the sorted refusals */
    struct db *db;
    int64_t remise;
    const struct remise_refusal *refused; /* NULL: all of them are, for that reason */
    size_t n, done;
    uint32_t sequence;
    const char *reason;
    time_t now;
};

static enum tp_err suspend(void *ctx, const struct collect_item *item, struct tp_error *e)
{
    struct refusing *f = ctx;
    const char *reason = f->reason;

    f->sequence++;
    if (f->refused != NULL) {
        if (f->done == f->n || f->refused[f->done].sequence != f->sequence)
            return TP_OK;
        reason = f->refused[f->done++].reason;
    }
    return db_exec(f->db,
                   "INSERT INTO suspense (record, remise, amount, reason, since) VALUES ($1, $2,"
                   " $3, $4, $5)",
                   DB_VALUES(db_integer(item->number), db_integer(f->remise),
                             db_integer(item->amount), db_text(reason), db_integer(f->now)),
                   NULL, e);
}

/* Within a transaction. */
static enum tp_err settle(struct book *b, const struct row *row, enum remise_state state,
                          struct refusing *f, const char *outcome, struct tp_error *e)
{
    enum tp_err r = TP_OK;

    if (state == REMISE_REJECTED || f->n > 0)
        r = book_collect_items(b, &row->r, suspend, f, e);
    if (r == TP_OK && f->done != f->n)
        r = tp_fail(e, TP_ERR_RANGE,
                    "the centre refuses item %" PRIu32 ", which the remise does not have",
                    f->refused[f->done].sequence);
    return r == TP_OK
               ? db_exec(b->db,
                         "UPDATE remise SET state = $2, outcome = $3, settled = $4 WHERE remise ="
                         " $1",
                         DB_VALUES(db_integer(row->key), db_integer(state), db_text(outcome),
                                   db_integer(f->now)),
                         NULL, e)
               : r;
}

enum tp_err book_collect_settled(struct book *b, const struct remise *remise,
                                 enum remise_state state, const struct remise_refusal *refused,
                                 size_t n, const char *outcome, time_t now, struct tp_error *e)
{
    struct remise_refusal *sorted = NULL;
    struct row row;
    bool again = false;
    enum tp_err r = remise_refusals_sort(&sorted, refused, n, e);

    if (r != TP_OK)
        return r;
    r = db_begin(b->db, e);
    if (r == TP_OK) {
        r = find(b, remise->contract, remise->number, &row, e);
        if (r == TP_OK)
            r = remise_may_settle(&row.r, state, &again, e);
        struct refusing f = {b->db, row.key, sorted, n, 0, 0, outcome, now};

        if (r == TP_OK && !again)
            r = settle(b, &row, state, &f, outcome, e);
        r = book_end(b, r, e);
    }
    free(sorted);
    return r;
}

enum tp_err book_collect_refused(struct book *b, const struct remise *remise,
                                 struct remise_totals *refused, struct tp_error *e)
{
    static const struct db_column totals[] = {DB_COLUMN(struct remise_totals, debits),
                                              DB_COLUMN(struct remise_totals, debit_amount)};
    bool found = false;

    *refused = (struct remise_totals){.debits = 0};
    return db_one(b->db,
                  "SELECT count(*) AS debits, CAST(coalesce(sum(s.amount), 0) AS BIGINT) AS"
                  " debit_amount FROM suspense s JOIN remise r ON r.remise = s.remise WHERE"
                  " r.contract = $1 AND r.number = $2",
                  DB_VALUES(db_text(remise->contract), db_integer(remise->number)),
                  DB_COLUMNS(totals), refused, &found, e);
}

/* ---- suspense ---- */

enum tp_err book_suspense_each(struct book *b, bool settled_too, purse_suspense_visit *visit,
                               void *ctx, struct tp_error *e)
{
    static const struct db_column suspense_columns[] = {
        DB_COLUMN(struct purse_suspense, record),   DB_COLUMN(struct purse_suspense, number),
        DB_COLUMN(struct purse_suspense, amount),   DB_COLUMN(struct purse_suspense, contract),
        DB_COLUMN(struct purse_suspense, reason),   DB_COLUMN(struct purse_suspense, note),
        DB_COLUMN(struct purse_suspense, currency), DB_COLUMN(struct purse_suspense, since),
        DB_COLUMN(struct purse_suspense, settled),
    };
    struct purse_suspense one;
    struct db_rows *rows = NULL;
    bool found = true;
    enum tp_err r =
        db_query(b->db, &rows,
                 "SELECT s.record, r.number, s.amount, r.contract, s.reason, s.note,"
                 " c.currency, s.since, s.settled FROM suspense s JOIN remise r ON"
                 " r.remise = s.remise JOIN contract c ON c.contract = r.contract"
                 " WHERE s.settled IS NULL OR $1 = 1 ORDER BY s.record",
                 DB_VALUES(db_integer(settled_too ? 1 : 0)), DB_COLUMNS(suspense_columns), e);

    while (r == TP_OK && (r = db_next(rows, &one, &found, e)) == TP_OK && found)
        r = visit(ctx, &one, e);
    db_end(&rows);
    return r;
}

enum tp_err book_suspense_settle(struct book *b, int64_t record, const char *note, time_t now,
                                 struct tp_error *e)
{
    int64_t changes = 0;
    const enum tp_err r = db_exec(
        b->db, "UPDATE suspense SET settled = $2, note = $3 WHERE record = $1 AND settled IS NULL",
        DB_VALUES(db_integer(record), db_integer(now), db_text(note)), &changes, e);

    return r == TP_OK && changes != 1
               ? tp_fail(e, TP_ERR_NOT_FOUND,
                         "%012" PRId64 " is not in suspense: telepay-purse suspense list --all",
                         record)
               : r;
}
