/* Keeping a payment: under the next number of the day, in the open remise of its contract, with its
 * totals. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/log.h"
#include "ledger/ledger_priv.h"

/* The most a group's day can number (RRN: YDDD and 8 digits). */
#define RRN_DAY INT64_C(100000000)

struct span ledger_seal_context(uint8_t out[LEDGER_CONTEXT_MAX], const struct tx_record *tx)
{
    const int n = snprintf((char *)out, LEDGER_CONTEXT_MAX, "%s/%s/%06" PRIu32 "/%014" PRId64,
                           tx->contract, tx->terminal, tx->stan, tx->local_time);

    return span_of(out, n > 0 && n < LEDGER_CONTEXT_MAX ? (size_t)n : 0);
}

/* The next number of the day. It goes on behind the largest that the books hold for that day, so
 * that it is never given twice, however the clock jumps and though YDDD comes again after ten
 * years. */
enum tp_err ledger_next_rrn(struct ledger *l, time_t now, int64_t *rrn, struct tp_error *e)
{
    struct tm local;
    enum tp_err r = TP_OK;

    localtime_r(&now, &local);
    const int64_t first = (local.tm_year % 10 * 1000 + local.tm_yday + 1) * RRN_DAY;

    if (l->last_rrn < first || l->last_rrn >= first + RRN_DAY)
        r = db_number(l->db,
                      "SELECT coalesce(max(q.rrn), $1) FROM"
                      " (SELECT max(rrn) AS rrn FROM tx WHERE rrn BETWEEN $1 AND $2 UNION ALL"
                      "  SELECT max(rrn) AS rrn FROM authorisation WHERE rrn BETWEEN $1 AND $2)"
                      " AS q",
                      DB_VALUES(db_integer(first), db_integer(first + RRN_DAY - 1)), &l->last_rrn,
                      NULL, e);
    if (r != TP_OK)
        return r;
    if (l->last_rrn + 1 >= first + RRN_DAY)
        return tp_fail(e, TP_ERR_STATE,
                       "the day has no reference numbers left: 99999999 transactions are the most");
    *rrn = ++l->last_rrn;
    return TP_OK;
}

/* ---- running totals ---- */

static struct moved *moved_of(struct ledger *l, int64_t remise)
{
    for (size_t i = 0; i < l->n_moved; i++)
        if (l->moved[i].remise == remise)
            return &l->moved[i];
    return NULL;
}

enum tp_err ledger_move_totals(struct ledger *l, int64_t remise, enum tx_kind kind, int64_t amount,
                               int sign, struct tp_error *e)
{
    struct moved *m = moved_of(l, remise);
    enum tp_err r = TP_OK;

    if (m == NULL && l->n_moved == MOVED_MAX)
        r = ledger_write_totals(l, e);
    if (r != TP_OK)
        return r;
    if (m == NULL) {
        m = &l->moved[l->n_moved++];
        *m = (struct moved){.remise = remise};
    }
    if (kind == TX_CREDIT) {
        m->credits += sign;
        m->credit_amount += sign * amount;
    } else {
        m->debits += sign;
        m->debit_amount += sign * amount;
    }
    if (sign < 0) {
        m->reversals++;
        m->reversal_amount += amount;
    }
    return TP_OK;
}

/* One that was closed meanwhile is frozen: the schema refuses. */
enum tp_err ledger_write_totals(struct ledger *l, struct tp_error *e)
{
    enum tp_err r = TP_OK;

    for (size_t i = 0; i < l->n_moved && r == TP_OK; i++) {
        const struct moved *m = &l->moved[i];

        r = db_exec(l->db,
                    "UPDATE remise SET debits = debits + $2, debit_amount = debit_amount + $3,"
                    " credits = credits + $4, credit_amount = credit_amount + $5,"
                    " reversals = reversals + $6, reversal_amount = reversal_amount + $7"
                    " WHERE remise = $1",
                    DB_VALUES(db_integer(m->remise), db_integer(m->debits),
                              db_integer(m->debit_amount), db_integer(m->credits),
                              db_integer(m->credit_amount), db_integer(m->reversals),
                              db_integer(m->reversal_amount)),
                    NULL, e);
    }
    l->n_moved = 0;
    return r;
}

/* Whether the totals hold it too. */
static bool has_room(struct ledger *l, const struct standing *st, const struct tx_record *tx)
{
    const struct moved *m = moved_of(l, st->remise);
    int64_t sum = tx->kind == TX_CREDIT ? st->credit_amount : st->debit_amount;

    if (m != NULL && __builtin_add_overflow(
                         sum, tx->kind == TX_CREDIT ? m->credit_amount : m->debit_amount, &sum))
        return false;
    return !__builtin_add_overflow(sum, tx->amount, &sum);
}

/* ---- keeping ---- */

static bool between(int64_t v, int64_t least, int64_t most)
{
    return v >= least && v <= most;
}

enum tp_err ledger_can_hold(const struct standing *st, const struct tx_record *tx,
                            struct tp_error *e)
{
    const char *what = NULL;

    if (tx->currency != st->currency)
        return tp_fail(e, TP_ERR_RANGE, "contract %s is in currency %u, the transaction in %u",
                       tx->contract, st->currency, tx->currency);
    if (!between(tx->amount, 1, MONEY_MAX))
        what = "an amount";
    else if (tx->stan > 999999)
        what = "a trace number";
    else if (!between(tx->local_time / 1000000, 20000101, 99991231) ||
             !between(tx->local_time % 1000000, 0, 235959))
        what = "a local time";
    else if (tx->digest.n != 32 || tx->pan_lookup.n != 32)
        what = "a digest";
    else if (tx->emv.de55.n > EVIDENCE_MAX || tx->emv.stream.n > EVIDENCE_MAX)
        what = "evidence";
    return what == NULL ? TP_OK
                        : tp_fail(e, TP_ERR_RANGE,
                                  "the transaction %06" PRIu32
                                  " of terminal %s has %s that the books cannot hold",
                                  tx->stan, tx->terminal, what);
}

static enum tp_err insert_tx(struct ledger *l, const struct tx_record *tx,
                             const struct standing *st, int64_t rrn, time_t now, struct tp_error *e)
{
    return db_exec(
        l->db,
        "INSERT INTO tx (rrn, remise, terminal, date, stan, time, kind, amount, psn, atc,"
        " card_expiry, acknowledged, ac, digest, pan_lookup, pan_masked, pan_sealed, de55, stream,"
        " aid) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,"
        " $18, $19, $20)",
        DB_VALUES(db_integer(rrn), db_integer(st->remise), db_integer(st->terminal),
                  db_integer(tx->local_time / 1000000), db_integer(tx->stan),
                  db_integer(tx->local_time % 1000000), db_integer(tx->kind == TX_CREDIT ? 1 : 0),
                  db_integer(tx->amount), db_integer(tx->emv.psn), db_integer(tx->emv.atc),
                  db_integer(tx->emv.card_expiry), db_integer(now), db_blob(SPAN_OF(tx->emv.ac)),
                  db_blob(tx->digest), db_blob(tx->pan_lookup), db_text(tx->pan_masked),
                  db_blob(tx->pan_sealed), db_blob(tx->emv.de55), db_blob(tx->emv.stream),
                  db_blob(tx->emv.aid)),
        NULL, e);
}

static enum tp_err may_keep(struct ledger *l, const struct tx_record *tx, const struct standing *st,
                            struct tp_error *e)
{
    if (!st->open)
        return tp_fail(e, TP_ERR_INTERNAL, "contract %s or its terminal %s is closed", tx->contract,
                       tx->terminal);
    if (st->remise == 0)
        return tp_fail(e, TP_ERR_INTERNAL, "contract %s has no open remise: run audit",
                       tx->contract);
    if (!has_room(l, st, tx))
        return tp_fail(e, TP_ERR_RANGE, "the totals of contract %s hold no more: close its remise",
                       tx->contract);
    return ledger_can_hold(st, tx, e);
}

enum tp_err ledger_keep(struct ledger *l, struct tx_record *tx, const struct standing *st,
                        int64_t rrn, struct tp_error *e)
{
    const time_t now = time(NULL);
    const bool asked = rrn != 0; /* what a mediator passed on, or a credit gives back, is
                                     kept with the question */
    enum tp_err r = may_keep(l, tx, st, e);

    if (r == TP_OK && !asked)
        r = ledger_next_rrn(l, now, &rrn, e);
    if (r != TP_OK)
        return r;
    r = insert_tx(l, tx, st, rrn, now, e);
    if (r == TP_OK && !asked)
        r = ledger_mediated_keep(l, tx, st->terminal, rrn, e);
    if (r == TP_OK && !asked)
        r = ledger_refund_keep(l, tx, rrn, e);
    if (r == TP_OK)
        r = ledger_move_totals(l, st->remise, tx->kind, tx->amount, 1, e);
    if (r == TP_ERR_RANGE ||
        r == TP_ERR_NOT_FOUND) /* these would say that the group is as it was */
        r = tp_fail(e, TP_ERR_INTERNAL, "payment %06" PRIu32 " of terminal %s cannot be kept",
                    tx->stan, tx->terminal);
    if (r != TP_OK)
        return r;
    ledger_rrn_format(tx->rrn, rrn);
    tx->acknowledged = now;
    if (st->atc_ahead != 0) /* told, not refused: it may be an honest one that comes late */
        log_error("alarm: card %s, counter %u after %d: set back", tx->pan_masked, tx->emv.atc,
                  st->atc_ahead);
    return TP_OK;
}

enum tp_err ledger_acknowledge(struct ledger *l, struct tx_record *tx, enum ledger_verdict *verdict,
                               struct tp_error *e)
{
    struct standing st = {0};
    bool own = false;
    enum tp_err r;

    if (tx->vouched)
        return tp_fail(e, TP_ERR_INTERNAL,
                       "a payment that no signature covers was to be kept without its issuer");
    r = ledger_begin(l, &own, e);
    if (r != TP_OK)
        return r;
    r = ledger_standing(l, &st, tx, e);
    if (r == TP_OK) {
        *verdict = ledger_judge(&st, tx, true, tx->rrn);
        if (*verdict == LEDGER_NEW && tx->kind == TX_CREDIT)
            r = ledger_judge_credit(l, tx, verdict, e);
        if (r == TP_OK && *verdict == LEDGER_NEW)
            r = ledger_keep(l, tx, &st, 0, e);
    }
    return ledger_end(l, own, r, e);
}
