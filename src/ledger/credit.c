/* Credits: a contract gives back what its cards have paid, and no more, within a sum a day: of a
 * payment that is named no more than is left of it. */
#include <time.h>

#include "base/date.h"
#include "ledger/ledger_priv.h"

/* What a contract has of a card and may give back: what it paid, less what it got back and what an
 * issuer is being asked to give. What is reversed counts neither way, and a payment that the centre
 * refused was none. */
#define LEFT(pan_lookup)                                                                           \
    "((SELECT CAST(coalesce(sum(CASE x.kind WHEN 0 THEN x.amount ELSE -x.amount END), 0) AS "      \
    "BIGINT) FROM tx x JOIN terminal t USING (terminal) LEFT JOIN reversal v ON v.rrn = x.rrn"     \
    "  WHERE x.pan_lookup = " pan_lookup " AND t.contract = c.contract AND v.rrn IS NULL"          \
    "  AND (x.kind = 1 OR NOT EXISTS (SELECT 1 FROM suspense WHERE suspense.rrn = x.rrn)))"        \
    " - (SELECT CAST(coalesce(sum(a.amount), 0) AS BIGINT) FROM authorisation a JOIN terminal t "  \
    "USING (terminal) WHERE a.state = 0 AND a.kind = 1 AND a.pan_lookup = " pan_lookup             \
    "  AND t.contract = c.contract))"

struct sums { /* of a contract, and of one card at it */
    int64_t most, given, available;
    bool refund_alone;
};

/* What is given: what is kept and not reversed, and what an issuer is being asked about. */
static const char sums_sql[] =
    "SELECT c.credit_day AS most, (c.refund_alone = 1) AS refund_alone,"
    " (SELECT CAST(coalesce(sum(x.amount), 0) AS BIGINT) FROM tx x JOIN terminal t USING "
    "(terminal) LEFT JOIN reversal v ON v.rrn = x.rrn"
    "  WHERE t.contract = c.contract AND x.acknowledged >= $2 AND x.kind = 1 AND v.rrn IS NULL)"
    " + (SELECT CAST(coalesce(sum(a.amount), 0) AS BIGINT) FROM authorisation a JOIN terminal t "
    "USING (terminal) WHERE a.state = 0 AND a.kind = 1 AND a.asked >= $2 AND t.contract = "
    "c.contract) AS given," LEFT("$3") " AS available FROM contract c WHERE c.id = $1";

struct undone { /* the payment that a credit names */
    int64_t amount, given;
    enum tx_kind kind;
    bool same_card, reversed, rejected;
};

/* Of a remise that the centre refused whole all is in suspense. */
static const char undone_sql[] =
    "SELECT p.amount, p.kind, (p.pan_lookup = $3) AS same_card," REFUNDED(
        "p.rrn") " AS given,"
                 " EXISTS (SELECT 1 FROM reversal WHERE rrn = p.rrn) AS reversed,"
                 " EXISTS (SELECT 1 FROM suspense WHERE rrn = p.rrn) AS rejected"
                 " FROM tx p JOIN terminal t USING (terminal) JOIN contract c ON c.contract = "
                 "t.contract"
                 " WHERE p.rrn = $2 AND c.id = $1";

/* A debit that a later credit, given or being asked about, has credited already: it names it, or
 * the card has not paid as much beside it. */
static const char credited_sql[] =
    "SELECT (p.kind = 0 AND (" REFUNDED("p.rrn") " > 0 OR p.amount > " LEFT(
        "p.pan_lookup") " AND (EXISTS (SELECT 1 FROM tx x JOIN terminal t USING (terminal) LEFT "
                        "JOIN "
                        "reversal v ON "
                        "v.rrn = x.rrn"
                        "   WHERE x.pan_lookup = p.pan_lookup AND t.contract = c.contract AND "
                        "x.kind = "
                        "1 AND v.rrn IS "
                        "NULL"
                        "   AND (x.acknowledged, x.rrn) > (p.acknowledged, p.rrn))"
                        "  OR EXISTS (SELECT 1 FROM authorisation a JOIN terminal t USING "
                        "(terminal) "
                        "WHERE a.state = 0 "
                        "AND a.kind = 1"
                        "   AND a.pan_lookup = p.pan_lookup AND t.contract = c.contract AND "
                        "a.asked >= "
                        "p.acknowledged)))) AS credited"
                        " FROM tx p JOIN terminal c USING (terminal) WHERE p.rrn = $1";

enum tp_err ledger_refund_keep(struct ledger *l, const struct tx_record *tx, int64_t rrn,
                               struct tp_error *e)
{
    int64_t payment = 0;
    const enum tp_err r = tx->undoes[0] != '\0' ? ledger_rrn_parse(&payment, tx->undoes, e) : TP_OK;

    return payment == 0 ? r
                        : db_exec(l->db, "INSERT INTO refund (rrn, payment) VALUES ($1, $2)",
                                  DB_VALUES(db_integer(rrn), db_integer(payment)), NULL, e);
}

static enum ledger_verdict judge_undone(const struct undone *u, const struct tx_record *tx)
{
    if (u->kind != TX_DEBIT)
        return LEDGER_REFUND_OF_REFUND;
    if (u->reversed)
        return LEDGER_REFUND_REVERSED;
    if (u->rejected)
        return LEDGER_REFUND_REJECTED;
    if (!u->same_card)
        return LEDGER_REFUND_CARD;
    return tx->amount > u->amount - u->given ? LEDGER_REFUND_AMOUNT : LEDGER_NEW;
}

static enum tp_err judge_named(struct ledger *l, const struct tx_record *tx,
                               enum ledger_verdict *verdict, struct tp_error *e)
{
    static const struct db_column columns[] = {
        DB_COLUMN(struct undone, amount),   DB_COLUMN(struct undone, given),
        DB_COLUMN(struct undone, kind),     DB_COLUMN(struct undone, same_card),
        DB_COLUMN(struct undone, reversed), DB_COLUMN(struct undone, rejected)};
    struct undone u = {0};
    int64_t payment = 0;
    bool found = false;
    enum tp_err r = ledger_rrn_parse(&payment, tx->undoes, e);

    if (r == TP_OK)
        r = db_one(l->db, undone_sql,
                   DB_VALUES(db_text(tx->contract), db_integer(payment), db_blob(tx->pan_lookup)),
                   DB_COLUMNS(columns), &u, &found, e);
    if (r == TP_OK)
        *verdict = found ? judge_undone(&u, tx) : LEDGER_REFUND_UNKNOWN;
    return r;
}

enum tp_err ledger_judge_credit(struct ledger *l, const struct tx_record *tx,
                                enum ledger_verdict *verdict, struct tp_error *e)
{
    static const struct db_column columns[] = {
        DB_COLUMN(struct sums, most), DB_COLUMN(struct sums, given),
        DB_COLUMN(struct sums, available), DB_COLUMN(struct sums, refund_alone)};
    struct sums s = {0};
    bool found = false;
    /* not the day the message says: thirty of them would be thirty sums */
    enum tp_err r = db_one(l->db, sums_sql,
                           DB_VALUES(db_text(tx->contract), db_integer(date_midnight(time(NULL))),
                                     db_blob(tx->pan_lookup)),
                           DB_COLUMNS(columns), &s, &found, e);

    if (!found)
        return r;
    if (s.most == 0)
        *verdict = LEDGER_CREDIT_NONE;
    else if (tx->undoes[0] == '\0' && !s.refund_alone)
        *verdict = LEDGER_REFUND_ALONE;
    else if (tx->undoes[0] != '\0')
        r = judge_named(l, tx, verdict, e);
    if (*verdict != LEDGER_NEW)
        return r;
    if (tx->amount > s.most - s.given)
        *verdict = LEDGER_CREDIT_DAY;
    else if (tx->amount > s.available)
        *verdict = LEDGER_CREDIT_UNPAID;
    return r;
}

enum tp_err ledger_is_credited(struct ledger *l, int64_t rrn, bool *credited, struct tp_error *e)
{
    int64_t is = 0;
    bool found;
    const enum tp_err r =
        db_number(l->db, credited_sql, DB_VALUES(db_integer(rrn)), &is, &found, e);

    *credited = is != 0;
    return r;
}
