/* Refusals: kept so that a merchant's question can be answered, and not more of them than a disk
 * can bear. */
#include <time.h>

#include "base/date.h"
#include "ledger/ledger_priv.h"

#define REFUSALS_A_DAY 1000 /* of one terminal */

enum tp_err ledger_refusal_add(struct ledger *l, const struct refusal *x, struct tp_error *e)
{
    int64_t count = 0; /* which one of its terminal's day it is */
    enum tp_err r = db_number(
        l->db,
        "INSERT INTO refusal_day (contract, terminal, day, count) VALUES ($1, $2, $3, 1)"
        " ON CONFLICT (contract, terminal, day) DO UPDATE SET count = refusal_day.count + 1"
        " RETURNING count",
        DB_VALUES(db_text(x->contract), db_text(x->terminal), db_integer(date_of(x->at))), &count,
        NULL, e);

    if (r != TP_OK || count > REFUSALS_A_DAY)
        return r;
    return db_exec(l->db,
                   "INSERT INTO refusal (at, contract, terminal, stan, amount, currency,"
                   " pan_masked, code, reason) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                   DB_VALUES(db_integer(x->at), db_text(x->contract), db_text(x->terminal),
                             db_integer(x->stan), db_integer(x->amount), db_integer(x->currency),
                             db_text(x->pan_masked), db_text(x->code), db_text(x->reason)),
                   NULL, e);
}

enum tp_err ledger_refusal_each(struct ledger *l, const char *contract, ledger_refusal_visit *visit,
                                void *ctx, struct tp_error *e)
{
    static const struct db_column columns[] = {
        DB_COLUMN(struct refusal, at),         DB_COLUMN(struct refusal, contract),
        DB_COLUMN(struct refusal, terminal),   DB_COLUMN(struct refusal, stan),
        DB_COLUMN(struct refusal, amount),     DB_COLUMN(struct refusal, currency),
        DB_COLUMN(struct refusal, pan_masked), DB_COLUMN(struct refusal, code),
        DB_COLUMN(struct refusal, reason),
    };
    struct refusal x;
    struct db_rows *rows = NULL;
    bool found = true;
    enum tp_err r = db_query(l->db, &rows,
                             "SELECT at, contract, terminal, stan, amount, currency, pan_masked,"
                             " code, reason FROM refusal WHERE $1 IS NULL OR contract = $1"
                             " ORDER BY refusal",
                             DB_VALUES(db_text(contract)), DB_COLUMNS(columns), e);

    while (r == TP_OK) {
        r = db_next(rows, &x, &found, e);
        if (r != TP_OK || !found)
            break;
        r = visit(ctx, &x, e);
    }
    db_end(&rows);
    return r;
}

enum tp_err ledger_refusal_beyond(struct ledger *l, const char *contract, int64_t *beyond,
                                  struct tp_error *e)
{
    *beyond = 0;
    return db_number(l->db,
                     "SELECT CAST(coalesce(sum(count - $2), 0) AS BIGINT) FROM refusal_day"
                     " WHERE count > $2 AND ($1 IS NULL OR contract = $1)",
                     DB_VALUES(db_text(contract), db_integer(REFUSALS_A_DAY)), beyond, NULL, e);
}
