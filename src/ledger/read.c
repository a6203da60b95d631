/* Reading transactions. */
#include <stdio.h>
#include <string.h>

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

enum tp_err ledger_tx_columns(struct tx_record *tx, sqlite3_stmt *s, struct tp_error *e)
{
    const struct span ac = db_column_span(s, 13);

    ledger_rrn_format(tx->rrn, sqlite3_column_int64(s, 0));
    if (ac.n != sizeof(tx->emv.ac))
        return tp_fail(e, TP_ERR_IO,
                       "the books are damaged at transaction %s: restore the last copy", tx->rrn);
    memcpy(tx->emv.ac, ac.p, sizeof(tx->emv.ac));
    db_column_copy(tx->contract, sizeof(tx->contract), s, 1);
    db_column_copy(tx->terminal, sizeof(tx->terminal), s, 2);
    tx->stan = (uint32_t)sqlite3_column_int64(s, 3);
    tx->local_time = sqlite3_column_int64(s, 4);
    tx->kind = sqlite3_column_int(s, 5) == TX_CREDIT ? TX_CREDIT : TX_DEBIT;
    tx->amount = sqlite3_column_int64(s, 6);
    tx->currency = (uint16_t)sqlite3_column_int(s, 7);
    db_column_copy(tx->pan_masked, sizeof(tx->pan_masked), s, 8);
    tx->pan_sealed = db_column_span(s, 9);
    tx->pan_lookup = db_column_span(s, 10);
    tx->emv.psn = (uint8_t)sqlite3_column_int(s, 11);
    tx->emv.atc = (uint16_t)sqlite3_column_int(s, 12);
    tx->emv.card_expiry = sqlite3_column_int(s, 14);
    tx->digest = db_column_span(s, 15);
    tx->emv.de55 = db_column_span(s, 16);
    tx->emv.stream = db_column_span(s, 17);
    tx->state = (enum tx_state)sqlite3_column_int(s, 18);
    tx->remise = (uint32_t)sqlite3_column_int64(s, 19);
    tx->acknowledged = sqlite3_column_int64(s, 20);
    tx->emv.online = sqlite3_column_int(s, 21) != 0;
    db_column_copy(tx->approval, sizeof(tx->approval), s, 22);
    db_column_copy(tx->issuer, sizeof(tx->issuer), s, 23);
    return TP_OK;
}

enum tp_err ledger_tx_walk(struct ledger *l, sqlite3_stmt *s, ledger_visit *visit, void *ctx,
                           struct tp_error *e)
{
    struct tx_record tx;
    uint32_t sequence = 0;
    bool row = false;
    enum tp_err r;

    do {
        r = db_step(l->db, s, &row, e);
        if (r != TP_OK || !row)
            break;
        r = ledger_tx_columns(&tx, s, e);
        if (r == TP_OK)
            r = visit(ctx, ++sequence, &tx, e);
    } while (r == TP_OK);
    sqlite3_reset(s);
    return r;
}

/* Copies what a span points to into the room of the ledger, so that it outlives the statement. */
static enum tp_err hold(struct buf *room, struct span *s)
{
    const size_t at = room->n;
    const enum tp_err r = buf_put(room, *s);

    *s = span_of(room->p + at, r == TP_OK ? s->n : 0);
    return r;
}

enum tp_err ledger_tx_get(struct ledger *l, const char *rrn, struct tx_record *tx,
                          struct tp_error *e)
{
    struct span *const spans[] = {&tx->pan_sealed, &tx->pan_lookup, &tx->digest, &tx->emv.de55,
                                  &tx->emv.stream};
    struct buf room = BUF_OF(l->held);
    int64_t number = 0;
    bool row = false;
    sqlite3_stmt *s = NULL;
    enum tp_err r = ledger_rrn_parse(&number, rrn, e);

    if (r == TP_OK)
        r = db_prepare(l->db, &s, "SELECT " TX_COLUMNS TX_TABLES "WHERE tx.rrn = ?1", e);
    if (r != TP_OK)
        return r;
    sqlite3_bind_int64(s, 1, number);
    r = db_step(l->db, s, &row, e);
    if (r == TP_OK && !row)
        return tp_fail(e, TP_ERR_NOT_FOUND, "there is no transaction %s: see list", rrn);
    if (r == TP_OK)
        r = ledger_tx_columns(tx, s, e);
    for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]) && r == TP_OK; i++)
        if (hold(&room, spans[i]) != TP_OK)
            r = tp_fail(e, TP_ERR_IO,
                        "the books are damaged at transaction %s: restore the last copy", rrn);
    sqlite3_reset(s);
    return r;
}

enum tp_err ledger_tx_each(struct ledger *l, const struct tx_filter *filter, ledger_visit *visit,
                           void *ctx, struct tp_error *e)
{
    sqlite3_stmt *s = NULL;
    enum tp_err r =
        db_prepare(l->db, &s,
                   "SELECT " TX_COLUMNS TX_TABLES
                   "WHERE (?1 IS NULL OR contract.id = ?1) AND (?2 < 0 OR tx_state = ?2)"
                   " AND (?3 < 0 OR remise.number = ?3) ORDER BY tx.rrn",
                   e);

    if (r != TP_OK)
        return r;
    db_bind_text(s, 1, filter->contract);
    sqlite3_bind_int(s, 2, filter->state);
    sqlite3_bind_int64(s, 3, filter->remise);
    return ledger_tx_walk(l, s, visit, ctx, e);
}
