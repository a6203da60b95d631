/* Reading transactions. */
#include "ledger/ledger_priv.h"

const char *tx_state_name(enum tx_state s)
{
    static const char *const names[] = {"acknowledged", "in remise", "collected", "rejected",
                                        "reversed"};

    return (unsigned)s < sizeof(names) / sizeof(names[0]) ? names[s] : "unknown";
}

const char *tx_kind_name(enum tx_kind k)
{
    return k == TX_CREDIT ? "credit" : "debit";
}

struct tx_row {
    int64_t number, undoes;
    struct tx_record tx;
};

#define TX_COLUMN(m)       DB_COLUMN_AS(#m, struct tx_row, tx.m)
#define MEDIATED_COLUMN(m) DB_COLUMN_AS("mediated_" #m, struct tx_row, tx.mediated.m)
#define EMV_COLUMN(m)      DB_COLUMN_AS(#m, struct tx_row, tx.emv.m)
static const struct db_column tx_columns[] = {
    DB_COLUMN(struct tx_row, number),
    DB_COLUMN(struct tx_row, undoes),
    TX_COLUMN(contract),
    TX_COLUMN(terminal),
    TX_COLUMN(stan),
    TX_COLUMN(local_time),
    TX_COLUMN(kind),
    TX_COLUMN(amount),
    TX_COLUMN(currency),
    TX_COLUMN(pan_masked),
    TX_COLUMN(pan_sealed),
    TX_COLUMN(pan_lookup),
    EMV_COLUMN(psn),
    EMV_COLUMN(atc),
    EMV_COLUMN(ac),
    EMV_COLUMN(card_expiry),
    TX_COLUMN(digest),
    EMV_COLUMN(de55),
    EMV_COLUMN(stream),
    TX_COLUMN(state),
    TX_COLUMN(remise),
    TX_COLUMN(acknowledged),
    EMV_COLUMN(online),
    TX_COLUMN(approval),
    TX_COLUMN(issuer),
    MEDIATED_COLUMN(order),
    MEDIATED_COLUMN(r),
    MEDIATED_COLUMN(message),
    MEDIATED_COLUMN(challenge),
    MEDIATED_COLUMN(device),
    MEDIATED_COLUMN(acknowledgement),
};

static void name(struct tx_row *row)
{
    ledger_rrn_format(row->tx.rrn, row->number);
    row->tx.undoes[0] = '\0';
    if (row->undoes != 0)
        ledger_rrn_format(row->tx.undoes, row->undoes);
}

enum tp_err ledger_tx_walk(struct ledger *l, const char *sql, struct db_values v,
                           ledger_visit *visit, void *ctx, struct tp_error *e)
{
    struct tx_row row = {.number = 0};
    uint32_t sequence = 0;
    struct db_rows *rows = NULL;
    bool found = true;
    enum tp_err r = db_query(l->db, &rows, sql, v, DB_COLUMNS(tx_columns), e);

    while (r == TP_OK) {
        r = db_next(rows, &row, &found, e);
        if (r != TP_OK || !found)
            break;
        name(&row);
        r = visit(ctx, ++sequence, &row.tx, e);
    }
    db_end(&rows);
    return r;
}

enum tp_err ledger_tx_get(struct ledger *l, const char *rrn, struct tx_record *tx,
                          struct tp_error *e)
{
    struct tx_row row = {.number = 0};
    int64_t number = 0;
    bool found = false;
    enum tp_err r = ledger_rrn_parse(&number, rrn, e);

    if (r != TP_OK)
        return r;
    r = db_one(l->db, TX_SELECT "WHERE tx.rrn = $1", DB_VALUES(db_integer(number)),
               DB_COLUMNS(tx_columns), &row, &found, e);
    if (r != TP_OK)
        return r;
    if (!found)
        return tp_fail(e, TP_ERR_NOT_FOUND, "there is no transaction %s: see list", rrn);
    name(&row);
    *tx = row.tx;
    return TP_OK;
}

enum tp_err ledger_tx_each(struct ledger *l, const struct tx_filter *filter, ledger_visit *visit,
                           void *ctx, struct tp_error *e)
{
    return ledger_tx_walk(
        l,
        TX_SELECT "WHERE ($1 IS NULL OR contract.id = $1)"
                  " AND ($2 < 0 OR " TX_STATE " = $2)"
                  " AND ($3 < 0 OR remise.number = $3) ORDER BY tx.rrn",
        DB_VALUES(db_text(filter->contract), db_integer(filter->state), db_integer(filter->remise)),
        visit, ctx, e);
}
