/* What the centre's books hold of remises and their items. */
#include "centre/store_priv.h"

#include <inttypes.h>
#include <string.h>

struct row {
    int64_t remise;
    uint16_t numeric;
    struct centre_remise r;
};

#define COUNT(k)  r.totals.count[k]
#define AMOUNT(k) r.totals.amount[k]

static const struct db_column remise_columns[] = {
    DB_COLUMN(struct row, remise),
    DB_COLUMN_AS("acquirer", struct row, r.acquirer),
    DB_COLUMN_AS("contract", struct row, r.contract),
    DB_COLUMN_AS("number", struct row, r.number),
    DB_COLUMN_AS("hash", struct row, r.hash),
    DB_COLUMN_AS("bytes", struct row, r.bytes),
    DB_COLUMN_AS("currency", struct row, numeric),
    DB_COLUMN_AS("result", struct row, r.result),
    DB_COLUMN_AS("reason", struct row, r.verdict.reason),
    DB_COLUMN_AS("text", struct row, r.verdict.text),
    DB_COLUMN_AS("created", struct row, r.created),
    DB_COLUMN_AS("answered", struct row, r.answered),
    DB_COLUMN_AS("debits", struct row, COUNT(CAAA_DEBIT)),
    DB_COLUMN_AS("debit_amount", struct row, AMOUNT(CAAA_DEBIT)),
    DB_COLUMN_AS("credits", struct row, COUNT(CAAA_CREDIT)),
    DB_COLUMN_AS("credit_amount", struct row, AMOUNT(CAAA_CREDIT)),
    DB_COLUMN_AS("reversals", struct row, COUNT(CAAA_DEBIT_REVERSED)),
    DB_COLUMN_AS("reversal_amount", struct row, AMOUNT(CAAA_DEBIT_REVERSED)),
    DB_COLUMN_AS("refused", struct row, r.refused),
};

#define REMISES                                                                                    \
    "SELECT r.remise, a.id AS acquirer, c.id AS contract, r.number, r.hash, r.bytes, r.currency,"  \
    " r.result, r.reason, r.text, r.created, r.answered, r.debits, r.debit_amount, r.credits,"     \
    " r.credit_amount, r.reversals, r.reversal_amount, r.refused FROM remise r"                    \
    " JOIN contract c ON c.contract = r.contract JOIN acquirer a ON a.acquirer = c.acquirer "

static enum tp_err find_remise(struct centre_store *s, struct row *row, const char *acquirer,
                               const char *contract, uint32_t number, struct tp_error *e)
{
    bool found = false;
    enum tp_err r;

    memset(row, 0, sizeof(*row));
    r = db_one(s->db,
               REMISES "WHERE c.id = $1 AND r.number = $2"
                       " AND (a.id = $3 OR CAST($3 AS TEXT) IS NULL) ORDER BY c.held DESC LIMIT 1",
               DB_VALUES(db_text(contract), db_integer(number), db_text(acquirer)),
               DB_COLUMNS(remise_columns), row, &found, e);
    if (r == TP_OK && !found)
        return tp_fail(e, TP_ERR_NOT_FOUND,
                       "the centre has no remise %" PRIu32
                       " of contract %s: see telepay-centre list",
                       number, contract);
    row->r.currency = currency_by_numeric(row->numeric);
    return r;
}

enum tp_err centre_remise_get(struct centre_store *s, const char *acquirer, const char *contract,
                              uint32_t number, struct centre_remise *remise, struct tp_error *e)
{
    struct row row;
    const enum tp_err r = find_remise(s, &row, acquirer, contract, number, e);

    *remise = row.r;
    return r;
}

enum tp_err centre_remise_each(struct centre_store *s, centre_remise_visit *visit, void *ctx,
                               struct tp_error *e)
{
    struct row row;
    struct db_rows *rows = NULL;
    bool found = true;
    enum tp_err r = db_query(s->db, &rows, REMISES "ORDER BY c.id, c.held, c.contract, r.number",
                             DB_NONE, DB_COLUMNS(remise_columns), e);

    memset(&row, 0, sizeof(row));
    while (r == TP_OK && (r = db_next(rows, &row, &found, e)) == TP_OK && found) {
        row.r.currency = currency_by_numeric(row.numeric);
        r = visit(ctx, &row.r, e);
    }
    db_end(&rows);
    return r;
}

#define ITEMS                                                                                      \
    "SELECT i.sequence, i.terminal, i.rrn, i.pan_masked, i.refused, i.stan, i.local_time,"         \
    " i.amount, i.kind, a.account FROM item i LEFT JOIN by_account a ON a.remise = i.remise"       \
    " AND a.sequence = i.sequence WHERE i.remise = $1 "

enum tp_err centre_item_each(struct centre_store *s, const char *acquirer, const char *contract,
                             uint32_t number, bool refused_only, centre_item_visit *visit,
                             void *ctx, struct tp_error *e)
{
    static const struct db_column columns[] = {
        DB_COLUMN(struct centre_item, sequence),   DB_COLUMN(struct centre_item, terminal),
        DB_COLUMN(struct centre_item, rrn),        DB_COLUMN(struct centre_item, pan_masked),
        DB_COLUMN(struct centre_item, refused),    DB_COLUMN(struct centre_item, stan),
        DB_COLUMN(struct centre_item, local_time), DB_COLUMN(struct centre_item, amount),
        DB_COLUMN(struct centre_item, kind),       DB_COLUMN(struct centre_item, account),
    };
    struct centre_item item;
    struct row remise;
    struct db_rows *rows = NULL;
    bool found = true;
    enum tp_err r = find_remise(s, &remise, acquirer, contract, number, e);
    const struct db_value row = db_integer(remise.remise);

    if (r == TP_OK)
        r = refused_only ? db_query(s->db, &rows, ITEMS "AND i.refused <> '' ORDER BY i.sequence",
                                    (struct db_values){&row, 1}, DB_COLUMNS(columns), e)
                         : db_query(s->db, &rows, ITEMS "ORDER BY i.sequence",
                                    (struct db_values){&row, 1}, DB_COLUMNS(columns), e);
    while (r == TP_OK && (r = db_next(rows, &item, &found, e)) == TP_OK && found)
        r = visit(ctx, &item, e);
    db_end(&rows);
    return r;
}
