/* Suspense: what the centre refused, until an operator has settled it. */
#include <string.h>
#include <time.h>

#include "ledger/ledger_priv.h"

struct suspense_row {
    int64_t number;
    struct suspense_item i;
};

enum tp_err ledger_suspense_each(struct ledger *l, bool settled_too, ledger_suspense_visit *visit,
                                 void *ctx, struct tp_error *e)
{
    static const struct db_column columns[] = {
        DB_COLUMN(struct suspense_row, number),
        DB_COLUMN_AS("contract", struct suspense_row, i.contract),
        DB_COLUMN_AS("remise", struct suspense_row, i.remise),
        DB_COLUMN_AS("kind", struct suspense_row, i.kind),
        DB_COLUMN_AS("amount", struct suspense_row, i.amount),
        DB_COLUMN_AS("currency", struct suspense_row, i.currency),
        DB_COLUMN_AS("pan_masked", struct suspense_row, i.pan_masked),
        DB_COLUMN_AS("reason", struct suspense_row, i.reason),
        DB_COLUMN_AS("since", struct suspense_row, i.since),
        DB_COLUMN_AS("settled", struct suspense_row, i.settled),
        DB_COLUMN_AS("note", struct suspense_row, i.note),
    };
    struct suspense_row row;
    struct db_rows *rows = NULL;
    bool found = true;
    enum tp_err r = db_query(
        l->db, &rows,
        "SELECT tx.rrn AS number, contract.id AS contract, remise.number AS remise, tx.kind,"
        " tx.amount, contract.currency, tx.pan_masked, suspense.reason, suspense.since,"
        " suspense.settled, suspense.note FROM suspense JOIN tx ON tx.rrn = suspense.rrn"
        " JOIN remise ON remise.remise = tx.remise"
        " JOIN contract ON contract.contract = remise.contract"
        " WHERE suspense.settled = 0 OR $1 = 1 ORDER BY tx.rrn",
        DB_VALUES(db_integer(settled_too ? 1 : 0)), DB_COLUMNS(columns), e);

    while (r == TP_OK) {
        r = db_next(rows, &row, &found, e);
        if (r != TP_OK || !found)
            break;
        ledger_rrn_format(row.i.rrn, row.number);
        r = visit(ctx, &row.i, e);
    }
    db_end(&rows);
    return r;
}

/* Nothing was updated: it is not there, or it is settled. */
static enum tp_err why_not(struct ledger *l, int64_t number, const char *rrn, struct tp_error *e)
{
    int64_t n = 0;
    const enum tp_err r = db_number(l->db, "SELECT count(*) FROM suspense WHERE rrn = $1",
                                    DB_VALUES(db_integer(number)), &n, NULL, e);

    if (r != TP_OK)
        return r;
    return n != 0 ? tp_fail(e, TP_ERR_STATE,
                            "transaction %s was settled before: see suspense list --all", rrn)
                  : tp_fail(e, TP_ERR_NOT_FOUND,
                            "transaction %s is not in suspense: see suspense list", rrn);
}

enum tp_err ledger_suspense_settle(struct ledger *l, const char *rrn, const char *note,
                                   struct tp_error *e)
{
    int64_t number = 0, changes = 0;
    enum tp_err r = ledger_rrn_parse(&number, rrn, e);

    if (r != TP_OK)
        return r;
    if (*note == '\0' || strlen(note) >= sizeof(((struct suspense_item *)NULL)->note))
        return tp_fail(e, TP_ERR_USAGE,
                       "a note of 1 to 199 bytes must say how transaction %s was settled", rrn);
    r = db_exec(l->db, "UPDATE suspense SET settled = $2, note = $3 WHERE rrn = $1 AND settled = 0",
                DB_VALUES(db_integer(number), db_integer(time(NULL)), db_text(note)), &changes, e);
    return r == TP_OK && changes != 1 ? why_not(l, number, rrn, e) : r;
}
