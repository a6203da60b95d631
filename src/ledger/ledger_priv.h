/* What the files of the ledger share. */
#ifndef TP_LEDGER_PRIV_H
#define TP_LEDGER_PRIV_H

#include "ledger/ledger.h"
#include "store/db.h"

/* What a group has moved of one remise's running totals and not yet written. */
struct moved {
    int64_t remise, debits, debit_amount, credits, credit_amount, reversals, reversal_amount;
};

#define MOVED_MAX 32 /* remises in one group; more are written on the way */

struct ledger {
    struct db *db;
    bool is_file;     /* SQLite's, whose pages and references audit looks at too */
    int64_t last_rrn; /* within a group: the last number given; 0 when not yet looked up */
    struct moved moved[MOVED_MAX];
    size_t n_moved;
};

/* Begins a write transaction unless a group is open (then *own is false), and ends it: commits when
 * r is TP_OK, else rolls back; returns what holds. */
TP_MUST_CHECK enum tp_err ledger_begin(struct ledger *l, bool *own, struct tp_error *e);
TP_MUST_CHECK enum tp_err ledger_end(struct ledger *l, bool own, enum tp_err r, struct tp_error *e);

/* Upper-case hex of random bytes, at most 16 digits and a zero. */
TP_MUST_CHECK enum tp_err ledger_random(char *out, size_t digits, struct tp_error *e);

/* 12 digits to a number: TP_ERR_USAGE. */
TP_MUST_CHECK enum tp_err ledger_rrn_parse(int64_t *number, const char *rrn, struct tp_error *e);
void ledger_rrn_format(char rrn[RRN_MAX], int64_t number);

/* The running totals go with the group: into debits or credits, or (sign -1) out of them into the
 * reversals. What is moved is written once a remise, before it is read and before the commit. */
TP_MUST_CHECK enum tp_err ledger_move_totals(struct ledger *l, int64_t remise, enum tx_kind kind,
                                             int64_t amount, int sign, struct tp_error *e);
TP_MUST_CHECK enum tp_err ledger_write_totals(struct ledger *l, struct tp_error *e);

/* A SELECT of transactions, as ledger_tx_walk reads it. */
#define TX_SELECT                                                                                  \
    "SELECT tx.rrn AS number, contract.id AS contract, terminal.id AS terminal, tx.stan,"          \
    " tx.date * 1000000 + tx.time AS local_time, tx.kind, tx.amount, contract.currency,"           \
    " tx.pan_masked, tx.pan_sealed, tx.pan_lookup, tx.psn, tx.atc, tx.ac, tx.card_expiry,"         \
    " tx.digest, tx.de55, tx.stream, " TX_STATE " AS state, remise.number AS remise,"              \
    " tx.acknowledged, coalesce(authorisation.arqc, 0) AS online, authorisation.approval,"         \
    " authorisation.issuer, mediated.id AS mediated_order, mediated.r AS mediated_r,"              \
    " mediated.message AS mediated_message, mediated.challenge AS mediated_challenge,"             \
    " mediated.device AS mediated_device, mediated.acknowledgement AS mediated_acknowledgement,"   \
    " coalesce(refund.payment, 0) AS undoes"                                                       \
    " FROM tx JOIN remise ON remise.remise = tx.remise"                                            \
    " JOIN contract ON contract.contract = remise.contract"                                        \
    " JOIN terminal ON terminal.terminal = tx.terminal"                                            \
    " LEFT JOIN reversal ON reversal.rrn = tx.rrn LEFT JOIN suspense ON suspense.rrn = tx.rrn"     \
    " LEFT JOIN authorisation ON authorisation.rrn = tx.rrn"                                       \
    " LEFT JOIN mediated ON mediated.rrn = tx.rrn LEFT JOIN refund ON refund.rrn = tx.rrn "
#define TX_STATE                                                                                   \
    "CASE WHEN reversal.rrn IS NOT NULL THEN 4 WHEN suspense.rrn IS NOT NULL THEN 3"               \
    " ELSE CASE remise.state WHEN 0 THEN 0 WHEN 1 THEN 1 WHEN 2 THEN 1 WHEN 3 THEN 2 ELSE 3 END "  \
    "END"

struct standing { /* one row that answers every question of a 0200 */
    int64_t terminal, remise;
    int64_t debit_amount, credit_amount; /* of the remise, without what this group moved */
    int64_t rrn;                         /* of the transaction with the same identity; 0: none */
    int64_t asked; /* of the question to the issuer with the same identity; 0: none */
    enum authorisation_state asked_state; /* of it */
    struct span digest;                   /* of the one or the other; borrowed */
    int opposition;                       /* -1 none, else `stolen` */
    int atc_asked; /* the state of the question about this counter of the card that stands most in
                      the way; -1: there was none */
    int atc_ahead; /* a counter of the card so far ahead of this one that it was set back; 0: none
                    */
    uint16_t currency;
    bool same, reversed, open;
    bool mediator_open; /* or it is no mediator's */
    bool order_used;    /* the order has a payment, or a question that is still asked, under another
                           identity */
    bool unanswered;    /* the question was answered with 91 for its issuer */
    bool paid; /* this counter of the card has paid: a reversed ARQC apart, whose TC may still come
                */
};
TP_MUST_CHECK enum tp_err ledger_standing(struct ledger *l, struct standing *st,
                                          const struct tx_record *tx, struct tp_error *e);
/* By identity, reversal, contract and opposition; when the card's signature is good, also by the
 * counter. */
enum ledger_verdict ledger_judge(const struct standing *st, const struct tx_record *tx,
                                 bool is_signed, char rrn[RRN_MAX]);

/* What was given back of a payment, or is being asked about. */
#define REFUNDED(payment)                                                                          \
    "(SELECT CAST(coalesce(sum(coalesce(x.amount, a.amount)), 0) AS BIGINT) FROM refund f LEFT "   \
    "JOIN tx x ON x.rrn = f.rrn LEFT JOIN authorisation a ON a.rrn = f.rrn AND a.state = 0 LEFT "  \
    "JOIN reversal v ON v.rrn = f.rrn WHERE f.payment = " payment " AND v.rrn IS NULL)"

/* Keeps which payment a credit gives back, if it names one, under that number. Within a group. */
TP_MUST_CHECK enum tp_err ledger_refund_keep(struct ledger *l, const struct tx_record *tx,
                                             int64_t rrn, struct tp_error *e);

/* What the books say of a credit (ledger/credit.c): LEDGER_NEW, or why not. Within a group. */
TP_MUST_CHECK enum tp_err ledger_judge_credit(struct ledger *l, const struct tx_record *tx,
                                              enum ledger_verdict *verdict, struct tp_error *e);
/* Whether a later credit, given or being asked about, rests on this debit: with it reversed the
 * contract would have given more than it got. */
TP_MUST_CHECK enum tp_err ledger_is_credited(struct ledger *l, int64_t rrn, bool *credited,
                                             struct tp_error *e);

TP_MUST_CHECK enum tp_err ledger_next_rrn(struct ledger *l, time_t now, int64_t *rrn,
                                          struct tp_error *e);
/* TP_ERR_RANGE: a field that the books cannot hold, or another currency than the contract's. Asked
 * before anything is written, since an error of a statement spoils its group. */
TP_MUST_CHECK enum tp_err ledger_can_hold(const struct standing *st, const struct tx_record *tx,
                                          struct tp_error *e);
/* Keeps a transaction under rrn (0: the next) in the open remise. Errors as ledger_acknowledge. */
TP_MUST_CHECK enum tp_err ledger_keep(struct ledger *l, struct tx_record *tx,
                                      const struct standing *st, int64_t rrn, struct tp_error *e);

/* Keeps what a mediator passed on, if one did, under that number. Within a group. */
TP_MUST_CHECK enum tp_err ledger_mediated_keep(struct ledger *l, const struct tx_record *tx,
                                               int64_t terminal, int64_t rrn, struct tp_error *e);

/* The question that was asked for a payment is to be reversed at its issuer: by the payment's
 * identity, if there was one. */
TP_MUST_CHECK enum tp_err ledger_reversal_due(struct ledger *l, int64_t terminal, int64_t date,
                                              int64_t stan, struct tp_error *e);

/* Walks through a statement of TX_SELECT and calls visit with 1, 2, … */
TP_MUST_CHECK enum tp_err ledger_tx_walk(struct ledger *l, const char *sql, struct db_values v,
                                         ledger_visit *visit, void *ctx, struct tp_error *e);

#endif
