/* The day: remises, payouts, and whether all that came in is somewhere. */
#include <inttypes.h>

#include "base/date.h"
#include "purse/book_priv.h"

static const struct db_column remise_columns[] = {
    DB_COLUMN(struct purse_remise, remise),    DB_COLUMN(struct purse_remise, contract),
    DB_COLUMN(struct purse_remise, number),    DB_COLUMN(struct purse_remise, day),
    DB_COLUMN(struct purse_remise, payments),  DB_COLUMN(struct purse_remise, amount),
    DB_COLUMN(struct purse_remise, currency),  DB_COLUMN(struct purse_remise, payout),
    DB_COLUMN(struct purse_remise, reversals), DB_COLUMN(struct purse_remise, reversed),
    DB_COLUMN(struct purse_remise, state),     DB_COLUMN(struct purse_remise, suspended),
};
/* What the payments, vouchers and reversals of the remise r come to. */
#define COUNTED                                                                                    \
    "((SELECT count(*) FROM payment p WHERE p.remise = r.remise) +"                                \
    " (SELECT count(*) FROM voucher v WHERE v.remise = r.remise))"
#define REVERSALS                                                                                  \
    "(SELECT count(*) FROM reversal x JOIN payment p ON p.payment = x.payment WHERE p.remise ="    \
    " r.remise)"
#define REVERSED                                                                                   \
    "(SELECT CAST(coalesce(sum(p.amount), 0) AS BIGINT) FROM reversal x JOIN payment p ON"         \
    " p.payment = x.payment WHERE p.remise = r.remise)"
#define DUE                                                                                        \
    "((SELECT CAST(coalesce(sum(p.amount), 0) AS BIGINT) FROM payment p WHERE p.remise ="          \
    " r.remise) + (SELECT CAST(coalesce(sum(v.amount), 0) AS BIGINT) FROM voucher v WHERE"         \
    " v.remise = r.remise) - " REVERSED ")"

/* What the centre refused of it. */
#define SUSPENDED                                                                                  \
    "(SELECT CAST(coalesce(sum(s.amount), 0) AS BIGINT) FROM suspense s WHERE s.remise = "         \
    "r.remise)"

/* What is frozen and what has been counted since; audit holds the one against the other. */
#define REMISE_SELECT                                                                              \
    "SELECT r.remise, r.contract, r.number, r.day, coalesce(r.payments, " COUNTED ") AS payments," \
    " coalesce(r.amount, " DUE ") AS amount, coalesce(r.reversals, " REVERSALS ") AS reversals,"   \
    " coalesce(r.reversed, " REVERSED ") AS reversed,"                                             \
    " c.currency, r.payout, " BOOK_REMISE_STATE " AS state, " SUSPENDED " AS suspended"            \
    " FROM remise r JOIN contract c ON c.contract = r.contract"

/* ---- remises ---- */

static enum tp_err freeze(struct book *b, struct purse_remise *r, time_t now, struct tp_error *e)
{
    enum tp_err err;

    r->day = date_of(now);
    err = db_exec(b->db,
                  "UPDATE remise SET day = $2, closed = $3, payments = $4, amount = $5,"
                  " reversals = $6, reversed = $7 WHERE remise = $1",
                  DB_VALUES(db_integer(r->remise), db_integer(r->day), db_integer(now),
                            db_integer(r->payments), db_integer(r->amount),
                            db_integer(r->reversals), db_integer(r->reversed)),
                  NULL, e);
    return err == TP_OK
               ? db_exec(b->db, "INSERT INTO remise (contract, number) VALUES ($1, $2)",
                         DB_VALUES(db_text(r->contract), db_integer(r->number + 1)), NULL, e)
               : err;
}

enum tp_err book_remise_close(struct book *b, const char *contract, time_t now,
                              struct purse_remise *out, struct tp_error *e)
{
    bool found = false;
    enum tp_err r = db_begin(b->db, e);

    if (r != TP_OK)
        return r;
    r = db_one(b->db, REMISE_SELECT " WHERE r.contract = $1 AND r.closed IS NULL",
               DB_VALUES(db_text(contract)), DB_COLUMNS(remise_columns), out, &found, e);
    if (r == TP_OK && (!found || out->payments == out->reversals))
        r = tp_fail(e, TP_ERR_NOT_FOUND, "contract %s has nothing to close", contract);
    if (r == TP_OK)
        r = freeze(b, out, now, e);
    return book_end(b, r, e);
}

enum tp_err book_remise_each(struct book *b, purse_remise_visit *visit, void *ctx,
                             struct tp_error *e)
{
    struct purse_remise one;
    struct db_rows *rows = NULL;
    bool found = true;
    enum tp_err r = db_query(b->db, &rows, REMISE_SELECT " ORDER BY r.contract, r.number", DB_NONE,
                             DB_COLUMNS(remise_columns), e);

    while (r == TP_OK && (r = db_next(rows, &one, &found, e)) == TP_OK && found)
        r = visit(ctx, &one, e);
    db_end(&rows);
    return r;
}

/* ---- payouts ---- */

enum tp_err book_payout_make(struct book *b, uint16_t currency, bool collected, time_t now,
                             int64_t *payout, struct tp_error *e)
{
    int64_t n = 0, emptied = 0;
    enum tp_err r = db_begin(b->db, e);

    if (r != TP_OK)
        return r;
    r = db_number(b->db, "SELECT coalesce(max(payout), 0) + 1 FROM payout", DB_NONE, payout, NULL,
                  e);
    if (r == TP_OK)
        r = db_exec(b->db, "INSERT INTO payout (payout, currency, made) VALUES ($1, $2, $3)",
                    DB_VALUES(db_integer(*payout), db_integer(currency), db_integer(now)), NULL, e);
    if (r == TP_OK)
        r = db_exec(
            b->db,
            "UPDATE remise SET payout = $1 WHERE remise IN (SELECT r.remise FROM remise r JOIN"
            " contract c ON c.contract = r.contract WHERE c.currency = $2 AND r.closed IS NOT NULL"
            " AND r.payout IS NULL AND coalesce(r.state, $3) = 3 AND r.amount > " SUSPENDED ")",
            DB_VALUES(db_integer(*payout), db_integer(currency),
                      db_integer(collected ? REMISE_CLOSED : REMISE_COLLECTED)),
            &n, e);
    if (r == TP_OK)
        r = db_exec(b->db,
                    "UPDATE emptying SET payout = $1 WHERE code = '00' AND payout IS NULL"
                    " AND account IN (SELECT account FROM account WHERE currency = $2)",
                    DB_VALUES(db_integer(*payout), db_integer(currency)), &emptied, e);
    if (r == TP_OK && n == 0 && emptied == 0)
        r = tp_fail(e, TP_ERR_NOT_FOUND, "nothing waits to be paid out");
    return book_end(b, r, e);
}

enum tp_err book_payout_get(struct book *b, int64_t payout, struct payout *out, struct tp_error *e)
{
    static const struct db_column columns[] = {
        DB_COLUMN(struct payout, payout), DB_COLUMN(struct payout, currency),
        DB_COLUMN(struct payout, made),   DB_COLUMN(struct payout, remises),
        DB_COLUMN(struct payout, amount), DB_COLUMN(struct payout, emptyings),
    };
    bool found = false;
    const enum tp_err r = db_one(
        b->db,
        "SELECT o.payout, o.currency, o.made,"
        " (SELECT count(*) FROM remise WHERE payout = o.payout) AS remises,"
        " (SELECT count(*) FROM emptying WHERE payout = o.payout) AS emptyings,"
        " (SELECT CAST(coalesce(sum(r.amount - " SUSPENDED "), 0) AS BIGINT) FROM remise r WHERE"
        " r.payout = o.payout) +"
        " (SELECT CAST(coalesce(sum(amount), 0) AS BIGINT) FROM emptying WHERE payout = o.payout)"
        " AS amount FROM payout o WHERE o.payout = $1",
        DB_VALUES(db_integer(payout)), DB_COLUMNS(columns), out, &found, e);

    return r == TP_OK && !found
               ? tp_fail(e, TP_ERR_NOT_FOUND, "there is no payout %" PRId64, payout)
               : r;
}

enum tp_err book_payout_each(struct book *b, int64_t payout, payout_visit *visit, void *ctx,
                             struct tp_error *e)
{
    static const struct db_column columns[] = {
        DB_COLUMN(struct payout_line, contract), DB_COLUMN(struct payout_line, name),
        DB_COLUMN(struct payout_line, iban),     DB_COLUMN(struct payout_line, number),
        DB_COLUMN(struct payout_line, amount),   DB_COLUMN(struct payout_line, account),
    };
    struct payout_line line;
    struct db_rows *rows = NULL;
    bool found = true;
    enum tp_err r =
        db_query(b->db, &rows,
                 "SELECT c.contract, '' AS account, c.name, c.iban, r.number,"
                 " r.amount - " SUSPENDED
                 " AS amount FROM remise r JOIN contract c ON c.contract = r.contract WHERE"
                 " r.payout = $1"
                 " UNION ALL SELECT '', account, name, iban, emptying, amount FROM"
                 " emptying WHERE payout = $1 ORDER BY 1, 5",
                 DB_VALUES(db_integer(payout)), DB_COLUMNS(columns), e);

    while (r == TP_OK && (r = db_next(rows, &line, &found, e)) == TP_OK && found)
        r = visit(ctx, &line, e);
    db_end(&rows);
    return r;
}

/* ---- the sums ---- */

/* What the remises of a currency come to that are paid out, or are not: "IS NULL", "IS NOT NULL".
 */
#define DUE_OF(payout)                                                                             \
    "((SELECT CAST(coalesce(sum(p.amount), 0) AS BIGINT) FROM payment p JOIN remise r ON"          \
    "  r.remise = p.remise WHERE p.currency = $1 AND r.payout " payout ")"                         \
    " + (SELECT CAST(coalesce(sum(v.amount), 0) AS BIGINT) FROM voucher v JOIN remise r ON"        \
    "  r.remise = v.remise JOIN contract c ON c.contract = r.contract WHERE c.currency = $1 AND"   \
    "  r.payout " payout ")"                                                                       \
    " - (SELECT CAST(coalesce(sum(p.amount), 0) AS BIGINT) FROM reversal x JOIN payment p ON"      \
    "  p.payment = x.payment JOIN remise r ON r.remise = p.remise WHERE p.currency = $1 AND"       \
    "  r.payout " payout "))"
#define EMPTIED(payout)                                                                            \
    "(SELECT CAST(coalesce(sum(m.amount), 0) AS BIGINT) FROM emptying m JOIN account a ON"         \
    " a.account = m.account WHERE a.currency = $1 AND m.code = '00' AND m.payout " payout ")"
#define BOOKED(kinds)                                                                              \
    "(SELECT CAST(coalesce(sum(amount), 0) AS BIGINT) FROM booking JOIN account USING (account)"   \
    " WHERE currency = $1 AND kind " kinds ")"

/* What was refused of remises that are so. */
#define REFUSED_OF(so)                                                                             \
    "(SELECT CAST(coalesce(sum(s.amount), 0) AS BIGINT) FROM suspense s JOIN remise r ON r.remise" \
    " = s.remise JOIN contract c ON c.contract = r.contract WHERE c.currency = $1 AND " so ")"

#define FILLED BOOKED("<> 1") " AS filled"
#define OWED                                                                                       \
    DUE_OF("IS NULL") " + " REFUSED_OF("r.payout IS NOT NULL") " + " EMPTIED("IS NULL") " AS owed"
#define PAID_OUT                                                                                   \
    DUE_OF("IS NOT NULL")                                                                          \
    " - " REFUSED_OF("r.payout IS NOT NULL") " + " EMPTIED("IS NOT NULL") " AS paid_out"
#define SUSPENSE REFUSED_OF("r.state IS NOT NULL") " AS suspended"
#define COLLECTED                                                                                  \
    "(SELECT CAST(coalesce(sum(r.amount), 0) AS BIGINT) FROM remise r JOIN contract c ON"          \
    " c.contract = r.contract WHERE c.currency = $1 AND r.state = 3) - " REFUSED_OF(               \
        "r.state = 3") " AS collected"
#define GIVEN_BACK BOOKED("= 1") " AS given_back"

enum tp_err book_sums(struct book *b, uint16_t currency, struct purse_sums *out, struct tp_error *e)
{
    static const struct db_column columns[] = {
        DB_COLUMN(struct purse_sums, accounts),   DB_COLUMN(struct purse_sums, payments),
        DB_COLUMN(struct purse_sums, filled),     DB_COLUMN(struct purse_sums, balances),
        DB_COLUMN(struct purse_sums, owed),       DB_COLUMN(struct purse_sums, paid_out),
        DB_COLUMN(struct purse_sums, given_back), DB_COLUMN(struct purse_sums, reserved),
        DB_COLUMN(struct purse_sums, collected),  DB_COLUMN(struct purse_sums, suspended),
    };
    bool found = false;

    return db_one(
        b->db,
        "SELECT (SELECT count(*) FROM account WHERE currency = $1) AS accounts,"
        " (SELECT count(*) FROM payment WHERE currency = $1 AND code = '00') AS payments,"
        " (SELECT CAST(coalesce(sum(balance), 0) AS BIGINT) FROM account WHERE currency = $1)"
        "  AS balances,"
        " (SELECT CAST(coalesce(sum(reserved), 0) AS BIGINT) FROM account WHERE currency = $1)"
        "  AS reserved, " FILLED ", " OWED ", " PAID_OUT ", " GIVEN_BACK ", " COLLECTED
        ", " SUSPENSE,
        DB_VALUES(db_integer(currency)), DB_COLUMNS(columns), out, &found, e);
}

enum tp_err book_checks(struct book *b, int64_t *n, struct tp_error *e)
{
    return db_number(b->db,
                     "SELECT 2 * (SELECT count(*) FROM account) + (SELECT count(*) FROM payment) +"
                     " (SELECT count(*) FROM booking) + (SELECT count(*) FROM emptying) +"
                     " (SELECT count(*) FROM provision) + (SELECT count(*) FROM voucher)",
                     DB_NONE, n, NULL, e);
}

struct two {
    int64_t sum, reserved;
};

enum tp_err book_account_sum(struct book *b, const char *account, int64_t *sum, int64_t *reserved,
                             struct tp_error *e)
{
    static const struct db_column columns[] = {DB_COLUMN(struct two, sum),
                                               DB_COLUMN(struct two, reserved)};
    struct two two = {0, 0};
    bool found = false;
    const enum tp_err r = db_one(
        b->db,
        "SELECT (SELECT CAST(coalesce(sum(CASE WHEN kind = 1 THEN -amount ELSE amount END), 0) AS"
        " BIGINT) FROM booking WHERE account = $1) -"
        " (SELECT CAST(coalesce(sum(amount), 0) AS BIGINT) FROM payment WHERE account = $1 AND"
        " code = '00') +"
        " (SELECT CAST(coalesce(sum(p.amount), 0) AS BIGINT) FROM reversal x JOIN payment p ON"
        " p.payment = x.payment WHERE p.account = $1) -"
        " (SELECT CAST(coalesce(sum(amount), 0) AS BIGINT) FROM emptying WHERE account = $1 AND"
        " code = '00') -"
        " (SELECT CAST(coalesce(sum(v.amount), 0) AS BIGINT) FROM voucher v JOIN provision o ON"
        " o.provision = v.provision WHERE o.account = $1) AS sum,"
        " (SELECT CAST(coalesce(sum(amount - drawn), 0) AS BIGINT) FROM provision WHERE account ="
        " $1 AND code = '00' AND ended IS NULL) AS reserved",
        DB_VALUES(db_text(account)), DB_COLUMNS(columns), &two, &found, e);

    *sum = two.sum;
    *reserved = two.reserved;
    return r;
}

enum tp_err book_odd_remises(struct book *b, int64_t *n, struct tp_error *e)
{
    return db_number(
        b->db,
        "SELECT (SELECT count(*) FROM remise r WHERE r.closed IS NOT NULL AND"
        "  (r.payments <> " COUNTED " OR r.amount <> " DUE " OR r.reversals <> " REVERSALS
        "   OR r.reversed <> " REVERSED "))"
        " + (SELECT count(*) FROM (SELECT contract FROM remise GROUP BY contract HAVING"
        "  count(*) <> max(number)) AS gap)"
        " + (SELECT count(*) FROM remise r WHERE"
        "  EXISTS (SELECT 1 FROM payment p WHERE p.remise = r.remise AND p.contract <> r.contract)"
        "  OR EXISTS (SELECT 1 FROM voucher v WHERE v.remise = r.remise AND v.contract <>"
        "  r.contract))"
        " + (SELECT count(*) FROM remise r WHERE (r.state = 4 AND " SUSPENDED " <> r.amount) OR"
        "  (coalesce(r.state, 0) < 3 AND " SUSPENDED " <> 0))"
        " + (SELECT count(*) FROM suspense s WHERE NOT EXISTS (SELECT 1 FROM payment p LEFT JOIN"
        "  reversal x ON x.payment = p.payment WHERE p.payment = s.record AND p.remise = s.remise"
        "  AND p.amount = s.amount AND x.reversal IS NULL) AND NOT EXISTS (SELECT 1 FROM voucher v"
        "  WHERE v.voucher = s.record AND v.remise = s.remise AND v.amount = s.amount))",
        DB_NONE, n, NULL, e);
}
