/* Remises: numbered without a gap, open, closed, sent, and what the centre says of them. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/date.h"
#include "ledger/ledger_priv.h"

/* ---- reading ---- */

struct remise_row {
    int64_t key;
    struct remise r;
};

#define REMISE_SELECT                                                                              \
    "SELECT remise.remise AS key, contract.id AS contract, remise.number, remise.state,"           \
    " contract.currency, debits, debit_amount, credits, credit_amount, reversals,"                 \
    " reversal_amount, opened, closed, submitted, settled, hash, attempts, outcome, day"           \
    " FROM remise JOIN contract ON contract.contract = remise.contract "

#define OF_IT(m)     DB_COLUMN_AS(#m, struct remise_row, r.m)
#define OF_TOTALS(m) DB_COLUMN_AS(#m, struct remise_row, r.totals.m)
static const struct db_column columns[] = {
    DB_COLUMN(struct remise_row, key),
    OF_IT(contract),
    OF_IT(number),
    OF_IT(state),
    OF_IT(currency),
    OF_TOTALS(debits),
    OF_TOTALS(debit_amount),
    OF_TOTALS(credits),
    OF_TOTALS(credit_amount),
    OF_TOTALS(reversals),
    OF_TOTALS(reversal_amount),
    OF_IT(opened),
    OF_IT(closed),
    OF_IT(submitted),
    OF_IT(settled),
    DB_COLUMN_AS("hash", struct remise_row, r.content_hash),
    OF_IT(attempts),
    OF_IT(outcome),
    OF_IT(day),
};

/* number 0: the open one. *id is its row. */
static enum tp_err find_remise(struct ledger *l, const char *contract, uint32_t number, int64_t *id,
                               struct remise *remise, struct tp_error *e)
{
    struct remise_row row = {.key = 0};
    bool found = false;
    enum tp_err r = ledger_write_totals(l, e);

    if (r != TP_OK)
        return r;
    if (number == 0)
        r = db_one(l->db, REMISE_SELECT "WHERE contract.id = $1 AND remise.state = 0",
                   DB_VALUES(db_text(contract)), DB_COLUMNS(columns), &row, &found, e);
    else
        r = db_one(l->db, REMISE_SELECT "WHERE contract.id = $1 AND remise.number = $2",
                   DB_VALUES(db_text(contract), db_integer(number)), DB_COLUMNS(columns), &row,
                   &found, e);
    if (r == TP_OK && !found && number == 0)
        return tp_fail(e, TP_ERR_NOT_FOUND, "there is no contract %s: see contract list", contract);
    if (r == TP_OK && !found)
        return tp_fail(e, TP_ERR_NOT_FOUND, "contract %s has no remise %u: see remise list",
                       contract, number);
    if (r == TP_OK) {
        *id = row.key;
        *remise = row.r;
    }
    return r;
}

enum tp_err ledger_remise_get(struct ledger *l, const char *contract, uint32_t number,
                              struct remise *r, struct tp_error *e)
{
    int64_t id;

    if (number == 0)
        return tp_fail(e, TP_ERR_NOT_FOUND, "remises are numbered from 1");
    return find_remise(l, contract, number, &id, r, e);
}

enum tp_err ledger_remise_running(struct ledger *l, const char *contract, struct remise *r,
                                  struct tp_error *e)
{
    int64_t id;

    return find_remise(l, contract, 0, &id, r, e);
}

static const char day_sql[] =
    "SELECT CAST(coalesce(sum(q.d), 0) AS BIGINT) AS debits,"
    " CAST(coalesce(sum(q.c), 0) AS BIGINT) AS credits,"
    " CAST(coalesce(sum(q.r), 0) AS BIGINT) AS reversals,"
    " CAST(coalesce(sum(q.d * q.amount), 0) AS BIGINT) AS debit_amount,"
    " CAST(coalesce(sum(q.c * q.amount), 0) AS BIGINT) AS credit_amount,"
    " CAST(coalesce(sum(q.r * q.amount), 0) AS BIGINT) AS reversal_amount"
    " FROM (SELECT x.amount, CASE WHEN v.rrn IS NULL AND x.kind = 0 THEN 1 ELSE 0 END AS d,"
    "  CASE WHEN v.rrn IS NULL AND x.kind = 1 THEN 1 ELSE 0 END AS c,"
    "  CASE WHEN v.rrn IS NULL THEN 0 ELSE 1 END AS r"
    "  FROM tx x LEFT JOIN reversal v ON v.rrn = x.rrn WHERE x.date = $3 AND x.terminal ="
    "  (SELECT t.terminal FROM terminal t JOIN contract c ON c.contract = t.contract"
    "   WHERE c.id = $1 AND t.id = $2)) AS q";

enum tp_err ledger_day(struct ledger *l, const char *contract, const char *terminal, int date,
                       struct remise_totals *totals, struct tp_error *e)
{
    static const struct db_column sums[] = {DB_COLUMN(struct remise_totals, debits),
                                            DB_COLUMN(struct remise_totals, credits),
                                            DB_COLUMN(struct remise_totals, reversals),
                                            DB_COLUMN(struct remise_totals, debit_amount),
                                            DB_COLUMN(struct remise_totals, credit_amount),
                                            DB_COLUMN(struct remise_totals, reversal_amount)};
    bool found = false;

    *totals = (struct remise_totals){0};
    return db_one(l->db, day_sql, DB_VALUES(db_text(contract), db_text(terminal), db_integer(date)),
                  DB_COLUMNS(sums), totals, &found, e);
}

enum tp_err ledger_remise_each(struct ledger *l, const char *contract, int state,
                               remise_visit *visit, void *ctx, struct tp_error *e)
{
    struct remise_row row = {.key = 0};
    struct db_rows *rows = NULL;
    bool found = true;
    enum tp_err r = ledger_write_totals(l, e);

    if (r == TP_OK)
        r = db_query(l->db, &rows,
                     REMISE_SELECT "WHERE ($1 IS NULL OR contract.id = $1) AND ($2 < 0 OR "
                                   "remise.state = $2) ORDER BY contract.id, remise.number",
                     DB_VALUES(db_text(contract), db_integer(state)), DB_COLUMNS(columns), e);
    while (r == TP_OK) {
        r = db_next(rows, &row, &found, e);
        if (r != TP_OK || !found)
            break;
        r = visit(ctx, &row.r, e);
    }
    db_end(&rows);
    return r;
}

/* The order is that of the reference numbers, from the index of the remise: no sort, whatever its
 * size. */
enum tp_err ledger_remise_items(struct ledger *l, const char *contract, uint32_t number,
                                ledger_visit *visit, void *ctx, struct tp_error *e)
{
    struct remise remise = {.number = 0};
    int64_t id = 0;
    enum tp_err r = number == 0 ? tp_fail(e, TP_ERR_NOT_FOUND, "remises are numbered from 1")
                                : find_remise(l, contract, number, &id, &remise, e);

    if (r == TP_OK && remise.state == REMISE_OPEN)
        r = tp_fail(e, TP_ERR_STATE, "remise %u of contract %s is still open: close it first",
                    number, contract);
    if (r != TP_OK)
        return r;
    return ledger_tx_walk(l,
                          TX_SELECT "WHERE tx.remise = $1 AND reversal.rrn IS NULL ORDER BY tx.rrn",
                          DB_VALUES(db_integer(id)), visit, ctx, e);
}

/* ---- the way of a remise ---- */

static enum tp_err freeze(struct ledger *l, int64_t id, time_t now, struct tp_error *e)
{
    int64_t changes = 0;
    const enum tp_err r =
        db_exec(l->db,
                "UPDATE remise SET state = 1, closed = $2, day = $3 WHERE remise = $1 AND state = "
                "0",
                DB_VALUES(db_integer(id), db_integer(now), db_integer(date_of(now))), &changes, e);

    if (r == TP_OK && changes != 1)
        return tp_fail(e, TP_ERR_INTERNAL,
                       "the open remise was closed within a database transaction");
    return r;
}

static enum tp_err open_next(struct ledger *l, int64_t id, time_t now, struct tp_error *e)
{
    return db_exec(l->db,
                   "INSERT INTO remise (contract, number, state, opened) SELECT contract, number + "
                   "1, 0, CAST($2 AS BIGINT) FROM remise WHERE remise = $1",
                   DB_VALUES(db_integer(id), db_integer(now)), NULL, e);
}

enum tp_err ledger_remise_close(struct ledger *l, const char *contract, struct remise *closed,
                                struct tp_error *e)
{
    const time_t now = time(NULL);
    bool own = false;
    int64_t id = 0;
    enum tp_err r = ledger_begin(l, &own, e);

    if (r != TP_OK)
        return r;
    r = find_remise(l, contract, 0, &id, closed, e);
    if (r == TP_OK && closed->totals.debits == 0 && closed->totals.credits == 0)
        r = tp_fail(e, TP_ERR_NOT_FOUND,
                    "remise %u of contract %s has nothing to collect: it stays open",
                    closed->number, contract);
    if (r == TP_OK)
        r = freeze(l, id, now, e);
    if (r == TP_OK)
        r = open_next(l, id, now, e);
    if (r == TP_OK)
        r = find_remise(l, contract, closed->number, &id, closed, e);
    return ledger_end(l, own, r, e);
}

static enum tp_err mark_submitted(struct ledger *l, int64_t id, const uint8_t hash[32],
                                  struct tp_error *e)
{
    return db_exec(l->db,
                   "UPDATE remise SET state = 2, hash = $2, attempts = attempts + 1,"
                   " submitted = CASE submitted WHEN 0 THEN $3 ELSE submitted END"
                   " WHERE remise = $1 AND state IN (1, 2)",
                   DB_VALUES(db_integer(id), db_blob(span_of(hash, 32)), db_integer(time(NULL))),
                   NULL, e);
}

enum tp_err ledger_remise_submitted(struct ledger *l, const char *contract, uint32_t number,
                                    const uint8_t hash[32], struct tp_error *e)
{
    struct remise remise = {.number = 0};
    bool own = false;
    int64_t id = 0;
    enum tp_err r = ledger_begin(l, &own, e);

    if (r != TP_OK)
        return r;
    r = number == 0 ? tp_fail(e, TP_ERR_NOT_FOUND, "remises are numbered from 1")
                    : find_remise(l, contract, number, &id, &remise, e);
    if (r == TP_OK)
        r = remise_may_submit(&remise, hash, e);
    if (r == TP_OK)
        r = mark_submitted(l, id, hash, e);
    return ledger_end(l, own, r, e);
}

static enum tp_err settle(struct ledger *l, int64_t id, enum remise_state state,
                          const char *outcome, struct tp_error *e)
{
    int64_t changes = 0;
    const enum tp_err r = db_exec(
        l->db,
        "UPDATE remise SET state = $2, outcome = $3, settled = $4 WHERE remise = $1 AND "
        "state = 2",
        DB_VALUES(db_integer(id), db_integer(state), db_text(outcome), db_integer(time(NULL))),
        &changes, e);

    if (r == TP_OK && changes != 1)
        return tp_fail(e, TP_ERR_INTERNAL, "the remise changed within a database transaction");
    return r;
}

/* ---- refused items ---- */

static enum tp_err suspend(struct ledger *l, int64_t rrn, const char *reason, struct tp_error *e)
{
    return db_exec(l->db, "INSERT INTO suspense (rrn, reason, since) VALUES ($1, $2, $3)",
                   DB_VALUES(db_integer(rrn), db_text(reason), db_integer(time(NULL))), NULL, e);
}

struct item {
    int64_t rrn;
};

/* One pass over the numbers of the remise beside the sorted refusals. */
static enum tp_err suspend_sorted(struct ledger *l, int64_t id,
                                  const struct remise_refusal *refused, size_t n,
                                  struct tp_error *e)
{
    static const struct db_column item_columns[] = {DB_COLUMN(struct item, rrn)};
    struct item item = {0};
    struct db_rows *rows = NULL;
    size_t done = 0;
    bool found = false;
    enum tp_err r = db_query(l->db, &rows,
                             "SELECT tx.rrn FROM tx LEFT JOIN reversal ON reversal.rrn = tx.rrn"
                             " WHERE tx.remise = $1 AND reversal.rrn IS NULL ORDER BY tx.rrn",
                             DB_VALUES(db_integer(id)), DB_COLUMNS(item_columns), e);

    for (uint32_t sequence = 1; r == TP_OK && done < n; sequence++) {
        r = db_next(rows, &item, &found, e);
        if (r == TP_OK && !found)
            r = tp_fail(e, TP_ERR_RANGE,
                        "the centre refuses item %u, which the remise does not have",
                        refused[done].sequence);
        if (r == TP_OK && refused[done].sequence == sequence)
            r = suspend(l, item.rrn, refused[done++].reason, e);
    }
    db_end(&rows);
    return r;
}

static enum tp_err suspend_refused(struct ledger *l, int64_t id,
                                   const struct remise_refusal *refused, size_t n,
                                   struct tp_error *e)
{
    struct remise_refusal *sorted;
    enum tp_err r = remise_refusals_sort(&sorted, refused, n, e);

    if (r == TP_OK && n > 0)
        r = suspend_sorted(l, id, sorted, n, e);
    free(sorted);
    return r;
}

static enum tp_err suspend_all(struct ledger *l, int64_t id, const char *reason, struct tp_error *e)
{
    return db_exec(l->db,
                   "INSERT INTO suspense (rrn, reason, since)"
                   " SELECT tx.rrn, substr($2, 1, 79), CAST($3 AS BIGINT) FROM tx"
                   " LEFT JOIN reversal ON reversal.rrn = tx.rrn WHERE tx.remise = $1 AND "
                   "reversal.rrn IS NULL",
                   DB_VALUES(db_integer(id), db_text(reason), db_integer(time(NULL))), NULL, e);
}

static enum tp_err count_suspended(struct ledger *l, int64_t id, size_t *n, struct tp_error *e)
{
    int64_t count = 0;
    const enum tp_err r =
        db_number(l->db, "SELECT count(*) FROM tx JOIN suspense USING (rrn) WHERE tx.remise = $1",
                  DB_VALUES(db_integer(id)), &count, NULL, e);

    *n = (size_t)count;
    return r;
}

/* The row of a submitted remise; *again when it is settled so already. */
static enum tp_err find_to_settle(struct ledger *l, const char *contract, uint32_t number,
                                  enum remise_state as, int64_t *id, bool *again,
                                  struct tp_error *e)
{
    struct remise remise = {.number = 0};
    enum tp_err r = number == 0 ? tp_fail(e, TP_ERR_NOT_FOUND, "remises are numbered from 1")
                                : find_remise(l, contract, number, id, &remise, e);

    return r == TP_OK ? remise_may_settle(&remise, as, again, e) : r;
}

enum tp_err ledger_remise_collected(struct ledger *l, const char *contract, uint32_t number,
                                    const struct remise_refusal *refused, size_t n,
                                    const char *outcome, struct tp_error *e)
{
    bool own = false, again = false;
    int64_t id = 0;
    size_t suspended = 0;
    enum tp_err r = ledger_begin(l, &own, e);

    if (r != TP_OK)
        return r;
    r = find_to_settle(l, contract, number, REMISE_COLLECTED, &id, &again, e);
    if (r == TP_OK && !again)
        r = suspend_refused(l, id, refused, n, e);
    if (r == TP_OK && !again)
        r = settle(l, id, REMISE_COLLECTED, outcome, e);
    if (r == TP_OK && again)
        r = count_suspended(l, id, &suspended, e);
    if (r == TP_OK && again && suspended != n)
        r = tp_fail(
            e, TP_ERR_EXISTS,
            "remise %u of contract %s is collected with %zu refused items, not %zu: ask the centre",
            number, contract, suspended, n);
    return ledger_end(l, own, r, e);
}

enum tp_err ledger_remise_rejected(struct ledger *l, const char *contract, uint32_t number,
                                   const char *outcome, struct tp_error *e)
{
    bool own = false, again = false;
    int64_t id = 0;
    enum tp_err r = ledger_begin(l, &own, e);

    if (r != TP_OK)
        return r;
    r = find_to_settle(l, contract, number, REMISE_REJECTED, &id, &again, e);
    if (r == TP_OK && !again)
        r = suspend_all(l, id, outcome, e);
    if (r == TP_OK && !again)
        r = settle(l, id, REMISE_REJECTED, outcome, e);
    return ledger_end(l, own, r, e);
}

/* ---- what is not paid ---- */

/* From the suspense items, which are few; a remise may have a million transactions. */
enum tp_err ledger_remise_refused(struct ledger *l, const struct remise *r,
                                  struct remise_totals *refused, struct tp_error *e)
{
    static const struct db_column refused_columns[] = {
        DB_COLUMN(struct remise_totals, debits), DB_COLUMN(struct remise_totals, debit_amount),
        DB_COLUMN(struct remise_totals, credits), DB_COLUMN(struct remise_totals, credit_amount)};
    bool found = false;

    *refused = (struct remise_totals){.debits = 0};
    if (r->state == REMISE_REJECTED) {
        *refused = r->totals;
        refused->reversals = 0;
        refused->reversal_amount = 0;
    }
    if (r->state != REMISE_COLLECTED)
        return TP_OK;
    return db_one(l->db,
                  "SELECT count(*) FILTER (WHERE kind = 0) AS debits,"
                  " CAST(coalesce(sum(amount) FILTER (WHERE kind = 0), 0) AS BIGINT) AS "
                  "debit_amount, count(*) FILTER (WHERE kind <> 0) AS credits,"
                  " CAST(coalesce(sum(amount) FILTER (WHERE kind <> 0), 0) AS BIGINT) AS "
                  "credit_amount FROM suspense CROSS JOIN tx WHERE tx.rrn = suspense.rrn"
                  " AND tx.remise = (SELECT remise.remise FROM remise JOIN contract ON "
                  "contract.contract = remise.contract WHERE contract.id = $1 AND number = $2)",
                  DB_VALUES(db_text(r->contract), db_integer(r->number)),
                  DB_COLUMNS(refused_columns), refused, &found, e);
}
