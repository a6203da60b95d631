/* Credits: a contract gives back what its cards have paid, and no more, within a sum a day. */
#include <time.h>

#include "ledger/ledger_priv.h"

/* What a contract has of a card (c.contract, p.pan_lookup) and may give back: what it paid, less
 * what it got back and what an issuer is being asked to give. What is reversed counts neither way,
 * and a payment that the centre refused was none. */
#define LEFT                                                                                       \
    "((SELECT coalesce(sum(iif(x.kind = 0, x.amount, -x.amount)), 0) FROM tx x JOIN terminal t "   \
    "USING (terminal) LEFT JOIN reversal v ON v.rrn = "                                            \
    "x.rrn"                                                                                        \
    "  WHERE x.pan_lookup = p.pan_lookup AND t.contract = c.contract AND v.rrn IS NULL"            \
    "  AND (x.kind = 1 OR NOT EXISTS (SELECT 1 FROM suspense WHERE suspense.rrn = x.rrn)))"        \
    " - (SELECT coalesce(sum(a.amount), 0) FROM authorisation a JOIN terminal t USING (terminal)"  \
    "  WHERE a.state = 0 AND a.kind = 1 AND a.pan_lookup = p.pan_lookup AND t.contract = "         \
    "c.contract))"

/* What is given: what is kept and not reversed, and what an issuer is being asked about. */
static const char sums[] =
    "SELECT c.credit_day,"
    " (SELECT coalesce(sum(x.amount), 0) FROM tx x JOIN terminal t USING (terminal) LEFT JOIN "
    "reversal v ON v.rrn = x.rrn"
    "  WHERE t.contract = c.contract AND x.acknowledged >= ?2 AND x.kind = 1 AND v.rrn IS NULL)"
    " + (SELECT coalesce(sum(a.amount), 0) FROM authorisation a JOIN terminal t USING (terminal)"
    "  WHERE a.state = 0 AND a.kind = 1 AND a.asked >= ?2 AND t.contract = c.contract)," LEFT
    " FROM contract c, (SELECT ?3 AS pan_lookup) p WHERE c.id = ?1";

/* A debit that a later credit, given or being asked about, has given back already. */
static const char credited_since[] =
    "SELECT p.kind = 0 AND p.amount > " LEFT
    " AND (EXISTS (SELECT 1 FROM tx x JOIN terminal t USING (terminal) LEFT JOIN reversal v ON "
    "v.rrn = x.rrn"
    "   WHERE x.pan_lookup = p.pan_lookup AND t.contract = c.contract AND x.kind = 1 AND v.rrn IS "
    "NULL"
    "   AND (x.acknowledged, x.rrn) > (p.acknowledged, p.rrn))"
    "  OR EXISTS (SELECT 1 FROM authorisation a JOIN terminal t USING (terminal) WHERE a.state = 0 "
    "AND a.kind = 1"
    "   AND a.pan_lookup = p.pan_lookup AND t.contract = c.contract AND a.asked >= p.acknowledged))"
    " FROM tx p JOIN terminal c USING (terminal) WHERE p.rrn = ?1";

time_t ledger_midnight(void)
{
    const time_t now = time(NULL);
    struct tm local;

    localtime_r(&now, &local);
    local.tm_hour = local.tm_min = local.tm_sec = 0;
    local.tm_isdst = -1;
    return mktime(&local);
}

enum tp_err ledger_judge_credit(struct ledger *l, const struct tx_record *tx,
                                enum ledger_verdict *verdict, struct tp_error *e)
{
    bool row = false;
    sqlite3_stmt *s = NULL;
    enum tp_err r = db_prepare(l->db, &s, sums, e);

    if (r != TP_OK)
        return r;
    db_bind_text(s, 1, tx->contract);
    sqlite3_bind_int64(
        s, 2,
        ledger_midnight()); /* not the day the message says: thirty of them would be thirty sums */
    db_bind_span(s, 3, tx->pan_lookup);
    r = db_step(l->db, s, &row, e);
    if (row && sqlite3_column_int64(s, 0) == 0)
        *verdict = LEDGER_CREDIT_NONE;
    else if (row && tx->amount > sqlite3_column_int64(s, 0) - sqlite3_column_int64(s, 1))
        *verdict = LEDGER_CREDIT_DAY;
    else if (row && tx->amount > sqlite3_column_int64(s, 2))
        *verdict = LEDGER_CREDIT_UNPAID;
    sqlite3_reset(s);
    return r;
}

enum tp_err ledger_is_credited(struct ledger *l, int64_t rrn, bool *credited, struct tp_error *e)
{
    bool row = false;
    sqlite3_stmt *s = NULL;
    enum tp_err r = db_prepare(l->db, &s, credited_since, e);

    *credited = false;
    if (r != TP_OK)
        return r;
    sqlite3_bind_int64(s, 1, rrn);
    r = db_step(l->db, s, &row, e);
    *credited = row && sqlite3_column_int(s, 0) != 0;
    sqlite3_reset(s);
    return r;
}
