/* The books: items that the centre refused, until the operator settles them. */
#include <string.h>
#include <time.h>

#include "ledger/ledger_priv.h"

static void read_item(struct suspense_item *item, sqlite3_stmt *s)
{
    ledger_rrn_format(item->rrn, sqlite3_column_int64(s, 0));
    db_column_copy(item->contract, sizeof(item->contract), s, 1);
    item->remise = (uint32_t)sqlite3_column_int64(s, 2);
    item->kind = sqlite3_column_int(s, 3) == TX_CREDIT ? TX_CREDIT : TX_DEBIT;
    item->amount = sqlite3_column_int64(s, 4);
    item->currency = (uint16_t)sqlite3_column_int(s, 5);
    db_column_copy(item->pan_masked, sizeof(item->pan_masked), s, 6);
    db_column_copy(item->reason, sizeof(item->reason), s, 7);
    item->since = sqlite3_column_int64(s, 8);
    item->settled = sqlite3_column_int64(s, 9);
    db_column_copy(item->note, sizeof(item->note), s, 10);
}

enum tp_err ledger_suspense_each(struct ledger *l, bool settled_too, ledger_suspense_visit *visit,
                                 void *ctx, struct tp_error *e)
{
    struct suspense_item item;
    bool row = false;
    sqlite3_stmt *s = NULL;
    enum tp_err r = db_prepare(
        l->db, &s,
        "SELECT tx.rrn, contract.id, remise.number, tx.kind, tx.amount, contract.currency, "
        "tx.pan_masked, suspense.reason,"
        " suspense.since, suspense.settled, suspense.note FROM suspense JOIN tx USING (rrn) JOIN "
        "remise USING (remise)"
        " JOIN contract USING (contract) WHERE suspense.settled = 0 OR ?1 ORDER BY tx.rrn",
        e);

    if (r == TP_OK)
        sqlite3_bind_int(s, 1, settled_too ? 1 : 0);
    while (r == TP_OK) {
        r = db_step(l->db, s, &row, e);
        if (r != TP_OK || !row)
            break;
        read_item(&item, s);
        r = visit(ctx, &item, e);
    }
    if (s != NULL)
        sqlite3_reset(s);
    return r;
}

/* Nothing was updated: it is not there, or it is settled. */
static enum tp_err why_not(struct ledger *l, int64_t number, const char *rrn, struct tp_error *e)
{
    bool row = false;
    sqlite3_stmt *s = NULL;
    enum tp_err r = db_prepare(l->db, &s, "SELECT 1 FROM suspense WHERE rrn = ?1", e);

    if (r != TP_OK)
        return r;
    sqlite3_bind_int64(s, 1, number);
    r = db_step(l->db, s, &row, e);
    sqlite3_reset(s);
    if (r != TP_OK)
        return r;
    return row ? tp_fail(e, TP_ERR_STATE,
                         "transaction %s was settled before: see suspense list --all", rrn)
               : tp_fail(e, TP_ERR_NOT_FOUND,
                         "transaction %s is not in suspense: see suspense list", rrn);
}

enum tp_err ledger_suspense_settle(struct ledger *l, const char *rrn, const char *note,
                                   struct tp_error *e)
{
    int64_t number = 0;
    sqlite3_stmt *s = NULL;
    enum tp_err r = ledger_rrn_parse(&number, rrn, e);

    if (r != TP_OK)
        return r;
    if (*note == '\0' || strlen(note) >= sizeof(((struct suspense_item *)NULL)->note))
        return tp_fail(e, TP_ERR_USAGE,
                       "a note of 1 to 199 bytes must say how transaction %s was settled", rrn);
    r = db_prepare(l->db, &s,
                   "UPDATE suspense SET settled = ?2, note = ?3 WHERE rrn = ?1 AND settled = 0", e);
    if (r != TP_OK)
        return r;
    sqlite3_bind_int64(s, 1, number);
    sqlite3_bind_int64(s, 2, time(NULL));
    db_bind_text(s, 3, note);
    r = db_run(l->db, s, e);
    if (r == TP_OK && sqlite3_changes(db_handle(l->db)) != 1)
        return why_not(l, number, rrn, e);
    return r;
}
