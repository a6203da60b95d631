/* What the books say of a payment that comes: one row, and a judgement of it. */
#include "ledger/ledger_priv.h"

/* The rows of a table that are of the same counter of the same card: no application and no expiry
 * are of books that did not keep them yet. */
#define SAME_COUNTER                                                                               \
    "o.pan_lookup = $5 AND o.psn = $6 AND o.atc = $7 AND o.card_expiry IN ($8, 0) "                \
    "AND (o.aid = $9 OR length(o.aid) = 0)"

/* A question that another terminal asked stands in the way as one that is still asked: its TC is
 * that terminal's. What no card signed, and its issuer did not know as the card's (or did not read
 * so far), is anybody's. */
static const char standing_sql[] =
    "SELECT t.terminal, c.currency, (c.open = 1 AND t.open = 1) AS open, r.remise, r.debit_amount,"
    " r.credit_amount, tx.rrn, coalesce(tx.digest, a.digest) AS digest,"
    " EXISTS (SELECT 1 FROM reversal WHERE terminal = t.terminal AND date = $3 AND stan = $4)"
    "  AS reversed,"
    " coalesce((SELECT stolen FROM opposition WHERE pan_lookup = $5), -1) AS opposition,"
    " EXISTS (SELECT 1 FROM tx AS o WHERE " SAME_COUNTER
    "  AND NOT EXISTS (SELECT 1 FROM reversal JOIN authorisation USING (rrn) WHERE rrn = o.rrn "
    "AND arqc = 1)) AS paid,"
    " a.rrn AS asked, a.state AS asked_state,"
    " coalesce((SELECT min(CASE WHEN o.terminal = t.terminal OR o.state = 2 THEN o.state ELSE 0 "
    "END) FROM authorisation AS o WHERE " SAME_COUNTER
    "  AND NOT (o.signed = 0 AND o.state = 2 AND o.code IN ('12', '13', '14', '30', '63', '94'))),"
    "  -1) AS atc_asked,"
    " (SELECT o.atc FROM tx AS o WHERE o.pan_lookup = $5 AND o.psn = $6 AND o.atc > $10"
    "  AND o.card_expiry = $8 AND o.aid = $9 ORDER BY o.atc DESC LIMIT 1) AS atc_ahead,"
    " (a.code = '91') AS unanswered, (coalesce(m.open, 1) = 1) AS mediator_open,"
    " EXISTS (SELECT 1 FROM mediated AS o LEFT JOIN authorisation AS q ON q.rrn = o.rrn"
    "  WHERE o.mediator = t.mediator AND o.id = $11 AND o.rrn IS DISTINCT FROM a.rrn"
    "  AND (q.state = 0 OR EXISTS (SELECT 1 FROM tx WHERE rrn = o.rrn))) AS order_used"
    " FROM contract c JOIN terminal t ON t.contract = c.contract"
    " LEFT JOIN mediator m ON m.mediator = t.mediator"
    " LEFT JOIN remise r ON r.contract = c.contract AND r.state = 0"
    " LEFT JOIN tx ON tx.terminal = t.terminal AND tx.date = $3 AND tx.stan = $4"
    " LEFT JOIN authorisation a ON a.rrn = (SELECT rrn FROM authorisation WHERE terminal = "
    "t.terminal AND date = $3"
    "  AND stan = $4 ORDER BY (state = 4), asked DESC, rrn DESC LIMIT 1)"
    " WHERE c.id = $1 AND t.id = $2";

/* A card whose counter falls back by this much within the days that a payment may come late has
 * been copied, or set back: its issuer is to know. */
#define ATC_GAP 256

enum tp_err ledger_standing(struct ledger *l, struct standing *st, const struct tx_record *tx,
                            struct tp_error *e)
{
    static const struct db_column columns[] = {
        DB_COLUMN(struct standing, terminal),     DB_COLUMN(struct standing, currency),
        DB_COLUMN(struct standing, open),         DB_COLUMN(struct standing, remise),
        DB_COLUMN(struct standing, debit_amount), DB_COLUMN(struct standing, credit_amount),
        DB_COLUMN(struct standing, rrn),          DB_COLUMN(struct standing, digest),
        DB_COLUMN(struct standing, reversed),     DB_COLUMN(struct standing, opposition),
        DB_COLUMN(struct standing, paid),         DB_COLUMN(struct standing, asked),
        DB_COLUMN(struct standing, asked_state),  DB_COLUMN(struct standing, atc_asked),
        DB_COLUMN(struct standing, atc_ahead),    DB_COLUMN(struct standing, unanswered),
        DB_COLUMN(struct standing, order_used),   DB_COLUMN(struct standing, mediator_open),
    };
    const char *const order = tx->mediated.order[0] != '\0' ? tx->mediated.order : NULL;
    bool found = false;
    const enum tp_err r =
        db_one(l->db, standing_sql,
               DB_VALUES(db_text(tx->contract), db_text(tx->terminal),
                         db_integer(tx->local_time / 1000000), db_integer(tx->stan),
                         db_blob(tx->pan_lookup), db_integer(tx->emv.psn), db_integer(tx->emv.atc),
                         db_integer(tx->emv.card_expiry), db_blob(tx->emv.aid),
                         db_integer(tx->emv.atc + ATC_GAP), db_text(order)),
               DB_COLUMNS(columns), st, &found, e);

    if (!found)
        st->terminal = 0;
    st->same = r == TP_OK && (st->rrn != 0 || st->asked != 0) && span_eq(st->digest, tx->digest);
    return r;
}

/* A TC is a signed payment: one whose issuer did not answer is asked about again when it comes
 * again, once that is reversed. An ARQC was answered, and its card has ended the transaction. */
static bool asks_again(const struct standing *st, const struct tx_record *tx)
{
    return !tx->emv.online && st->unanswered && st->asked_state == AUTHORISATION_REVERSED;
}

static enum ledger_verdict judge_identity(const struct standing *st, const struct tx_record *tx,
                                          char rrn[RRN_MAX])
{
    if (st->rrn != 0) {
        ledger_rrn_format(rrn, st->rrn);
        if (!st->same)
            return LEDGER_DIFFERENT;
        return st->reversed ? LEDGER_REVERSED : LEDGER_REPEAT;
    }
    if (st->reversed)
        return LEDGER_REVERSED;
    if (st->asked != 0) {
        ledger_rrn_format(rrn, st->asked);
        if (!st->same)
            return LEDGER_DIFFERENT;
        if (!asks_again(st, tx))
            return st->asked_state == AUTHORISATION_ASKED ? LEDGER_ASKED : LEDGER_ANSWERED;
        rrn[0] = '\0';
    }
    if (!st->open)
        return LEDGER_CLOSED;
    if (!st->mediator_open)
        return LEDGER_MEDIATOR_CLOSED;
    if (st->order_used)
        return LEDGER_ORDER_USED;
    if (st->opposition >= 0)
        return st->opposition == 1 ? LEDGER_OPPOSITION_STOLEN : LEDGER_OPPOSITION_LOST;
    return LEDGER_NEW;
}

/* A counter counts once, whatever came of later ones meanwhile: a payment that was signed while the
 * line was down is as good as any. But the TC that a terminal has the card make when the answer to
 * its ARQC is lost (Book 3, 10.9: unable to go online) bears the ARQC's counter: it is taken when
 * that ARQC's payment is reversed, or never came to be, and not when the issuer refused it. */
static enum ledger_verdict judge_atc(const struct standing *st, const struct tx_record *tx)
{
    if (st->paid)
        return LEDGER_ATC_OLD;
    if (st->atc_asked == AUTHORISATION_REFUSED)
        return LEDGER_ISSUER_REFUSED;
    return st->atc_asked >= 0 && (tx->emv.online || st->atc_asked < AUTHORISATION_REFUSED)
               ? LEDGER_ATC_OLD
               : LEDGER_NEW;
}

enum ledger_verdict ledger_judge(const struct standing *st, const struct tx_record *tx,
                                 bool is_signed, char rrn[RRN_MAX])
{
    enum ledger_verdict verdict;

    rrn[0] = '\0';
    if (st->terminal == 0)
        return LEDGER_UNKNOWN;
    verdict = judge_identity(st, tx, rrn);
    return verdict == LEDGER_NEW && is_signed ? judge_atc(st, tx) : verdict;
}

enum tp_err ledger_look(struct ledger *l, const struct tx_record *tx, bool is_signed,
                        enum ledger_verdict *verdict, char rrn[RRN_MAX], struct tp_error *e)
{
    struct standing st = {0};
    const enum tp_err r = ledger_standing(l, &st, tx, e);

    if (r == TP_OK)
        *verdict = ledger_judge(&st, tx, is_signed, rrn);
    return r;
}
