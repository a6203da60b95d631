/* What the files of the ledger share. */
#ifndef TP_LEDGER_PRIV_H
#define TP_LEDGER_PRIV_H

#include "ledger/ledger.h"
#include "store/db.h"

struct ledger {
    struct db *db;
    bool grouped;                         /* between group_begin and its end, even when SQLite has rolled back by itself */
    int64_t last_rrn;                     /* within a group: the last number given; 0 when not yet looked up */
    uint8_t held[2 * EVIDENCE_MAX + 512]; /* the spans of the transaction that ledger_tx_get read last */
};

/* db_prepare with the error as a value. */
TP_MUST_CHECK enum tp_err ledger_prepare(struct ledger *l, sqlite3_stmt **s, const char *sql, struct tp_error *e);

/* Begins a write transaction unless a group is open (then *own is false), and ends it: commits when r is TP_OK, else rolls back; returns what holds. */
TP_MUST_CHECK enum tp_err ledger_begin(struct ledger *l, bool *own, struct tp_error *e);
TP_MUST_CHECK enum tp_err ledger_end(struct ledger *l, bool own, enum tp_err r, struct tp_error *e);

/* A column of text into a member; shortened if need be. */
void ledger_text(char *out, size_t cap, sqlite3_stmt *s, int column);

/* 12 digits to a number: TP_ERR_USAGE. */
TP_MUST_CHECK enum tp_err ledger_rrn_parse(int64_t *number, const char *rrn, struct tp_error *e);
void ledger_rrn_format(char rrn[RRN_MAX], int64_t number);

/* The transaction columns of a SELECT, in the order that ledger_tx_columns reads them, and the tables they come from. */
#define TX_COLUMNS                                                                                                                                   \
    "tx.rrn, contract.id, terminal.id, tx.stan, tx.date * 1000000 + tx.time, tx.kind, tx.amount, contract.currency, tx.pan_masked, tx.pan_sealed, "  \
    "tx.pan_lookup, tx.psn, tx.atc, tx.ac, tx.card_expiry, tx.digest, tx.de55, tx.stream, "                                                          \
    "CASE WHEN reversal.rrn IS NOT NULL THEN 4 WHEN suspense.rrn IS NOT NULL THEN 3 "                                                                \
    "ELSE CASE remise.state WHEN 0 THEN 0 WHEN 1 THEN 1 WHEN 2 THEN 1 WHEN 3 THEN 2 ELSE 3 END END AS tx_state, remise.number, tx.acknowledged "
#define TX_TABLES                                                                                                                                    \
    "FROM tx JOIN remise ON remise.remise = tx.remise JOIN contract ON contract.contract = remise.contract "                                         \
    "JOIN terminal ON terminal.terminal = tx.terminal "                                                                                              \
    "LEFT JOIN reversal ON reversal.rrn = tx.rrn LEFT JOIN suspense ON suspense.rrn = tx.rrn "
TP_MUST_CHECK enum tp_err ledger_tx_columns(struct tx_record *tx, sqlite3_stmt *s, struct tp_error *e);

/* Steps through a statement of TX_COLUMNS and calls visit with 1, 2, … */
TP_MUST_CHECK enum tp_err ledger_tx_walk(struct ledger *l, sqlite3_stmt *s, ledger_visit *visit, void *ctx, struct tp_error *e);

#endif
