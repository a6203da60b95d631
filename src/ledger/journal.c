#include <inttypes.h>
#include <stdio.h>
#include <string.h>
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

/* ---- what the books say ---- */

static void read_standing(struct standing *st, sqlite3_stmt *s, struct span digest)
{
    st->terminal = sqlite3_column_int64(s, 0);
    st->currency = (uint16_t)sqlite3_column_int(s, 1);
    st->open = sqlite3_column_int(s, 2) != 0;
    st->remise = sqlite3_column_int64(s, 3);
    st->rrn = sqlite3_column_int64(s, 4);
    st->reversed = sqlite3_column_int(s, 6) != 0;
    st->opposition = sqlite3_column_type(s, 7) == SQLITE_NULL ? -1 : sqlite3_column_int(s, 7);
    st->paid = sqlite3_column_int(s, 8) != 0;
    st->asked = sqlite3_column_int64(s, 9);
    st->asked_state = (enum authorisation_state)sqlite3_column_int(s, 11);
    st->atc_asked = sqlite3_column_type(s, 12) == SQLITE_NULL ? -1 : sqlite3_column_int(s, 12);
    st->unanswered = st->asked != 0 && sqlite3_column_int(s, 13) != 0;
    st->same = st->rrn != 0 ? span_eq(db_column_span(s, 5), digest)
                            : st->asked != 0 && span_eq(db_column_span(s, 10), digest);
}

/* The rows of a table that are of the same counter of the same card: x'' and 0 are of books that
 * did not keep application or expiry yet. */
#define SAME_COUNTER                                                                               \
    "pan_lookup = ?5 AND psn = ?6 AND atc = ?7 AND card_expiry IN (?8, 0) AND aid IN (?9, x'')"

/* A question that another terminal asked stands in the way as one that is still asked: its TC is
 * that terminal's. */
enum tp_err ledger_standing(struct ledger *l, struct standing *st, const struct tx_record *tx,
                            struct tp_error *e)
{
    bool row = false;
    sqlite3_stmt *s = NULL;
    enum tp_err r = db_prepare(
        l->db, &s,
        "SELECT t.terminal, c.currency, c.open AND t.open,"
        " (SELECT remise FROM remise WHERE contract = c.contract AND state = 0), tx.rrn, tx.digest,"
        " EXISTS (SELECT 1 FROM reversal WHERE terminal = t.terminal AND date = ?3 AND stan = ?4),"
        " (SELECT stolen FROM opposition WHERE pan_lookup = ?5),"
        " EXISTS (SELECT 1 FROM tx AS o WHERE " SAME_COUNTER
        "  AND NOT EXISTS (SELECT 1 FROM reversal JOIN authorisation USING (rrn) WHERE rrn = o.rrn "
        "AND arqc = 1)),"
        " a.rrn, a.digest, a.state,"
        " (SELECT min(iif(o.terminal = t.terminal OR state = 2, state, 0)) FROM authorisation AS o "
        "WHERE " SAME_COUNTER
        /* what no card signed, and its issuer did not know as the card's (or did not read so far),
           is anybody's */
        "  AND NOT (signed = 0 AND state = 2 AND code IN ('12', '13', '14', '30', '63', '94'))), "
        "a.code = '91'"
        " FROM contract c JOIN terminal t ON t.contract = c.contract"
        " LEFT JOIN tx ON tx.terminal = t.terminal AND tx.date = ?3 AND tx.stan = ?4"
        " LEFT JOIN authorisation a ON a.rrn = (SELECT rrn FROM authorisation WHERE terminal = "
        "t.terminal AND date = ?3"
        "  AND stan = ?4 ORDER BY state = 4, asked DESC, rrn DESC LIMIT 1)"
        " WHERE c.id = ?1 AND t.id = ?2",
        e);

    if (r != TP_OK)
        return r;
    db_bind_text(s, 1, tx->contract);
    db_bind_text(s, 2, tx->terminal);
    sqlite3_bind_int64(s, 3, tx->local_time / 1000000);
    sqlite3_bind_int64(s, 4, tx->stan);
    db_bind_span(s, 5, tx->pan_lookup);
    sqlite3_bind_int(s, 6, tx->emv.psn);
    sqlite3_bind_int(s, 7, tx->emv.atc);
    sqlite3_bind_int(s, 8, tx->emv.card_expiry);
    db_bind_span(s, 9, tx->emv.aid);
    r = db_step(l->db, s, &row, e);
    st->terminal = 0;
    if (r == TP_OK && row)
        read_standing(st, s, tx->digest);
    sqlite3_reset(s);
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

/* ---- keeping ---- */

/* The next number of the day. It goes on behind the largest that the books hold for that day, so
 * that it is never given twice, however the clock jumps and though YDDD comes again after ten
 * years. */
enum tp_err ledger_next_rrn(struct ledger *l, time_t now, int64_t *rrn, struct tp_error *e)
{
    struct tm local;
    bool row = false;
    sqlite3_stmt *s = NULL;
    enum tp_err r = TP_OK;

    localtime_r(&now, &local);
    const int64_t first = (local.tm_year % 10 * 1000 + local.tm_yday + 1) * RRN_DAY;

    if (l->last_rrn < first || l->last_rrn >= first + RRN_DAY) {
        r = db_prepare(l->db, &s,
                       "SELECT max((SELECT coalesce(max(rrn), ?1) FROM tx WHERE rrn BETWEEN ?1 AND "
                       "?1 + 99999999),"
                       " (SELECT coalesce(max(rrn), ?1) FROM authorisation WHERE rrn BETWEEN ?1 "
                       "AND ?1 + 99999999))",
                       e);
        if (r != TP_OK)
            return r;
        sqlite3_bind_int64(s, 1, first);
        r = db_step(l->db, s, &row, e);
        if (r != TP_OK)
            return r;
        l->last_rrn = sqlite3_column_int64(s, 0);
        sqlite3_reset(s);
    }
    if (l->last_rrn + 1 >= first + RRN_DAY)
        return tp_fail(e, TP_ERR_STATE,
                       "the day has no reference numbers left: 99999999 transactions are the most");
    *rrn = ++l->last_rrn;
    return TP_OK;
}

static enum tp_err insert_tx(struct ledger *l, const struct tx_record *tx,
                             const struct standing *st, int64_t rrn, time_t now, struct tp_error *e)
{
    sqlite3_stmt *s = NULL;
    enum tp_err r = db_prepare(l->db, &s,
                               "INSERT INTO tx (rrn, remise, terminal, date, stan, time, kind, "
                               "amount, psn, atc, card_expiry, acknowledged, ac,"
                               " digest, pan_lookup, pan_masked, pan_sealed, de55, stream, aid)"
                               " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, "
                               "?14, ?15, ?16, ?17, ?18, ?19, ?20)",
                               e);

    if (r != TP_OK)
        return r;
    sqlite3_bind_int64(s, 1, rrn);
    sqlite3_bind_int64(s, 2, st->remise);
    sqlite3_bind_int64(s, 3, st->terminal);
    sqlite3_bind_int64(s, 4, tx->local_time / 1000000);
    sqlite3_bind_int64(s, 5, tx->stan);
    sqlite3_bind_int64(s, 6, tx->local_time % 1000000);
    sqlite3_bind_int(s, 7, tx->kind == TX_CREDIT ? 1 : 0);
    sqlite3_bind_int64(s, 8, tx->amount);
    sqlite3_bind_int(s, 9, tx->emv.psn);
    sqlite3_bind_int(s, 10, tx->emv.atc);
    sqlite3_bind_int(s, 11, tx->emv.card_expiry);
    sqlite3_bind_int64(s, 12, now);
    db_bind_span(s, 13, SPAN_OF(tx->emv.ac));
    db_bind_span(s, 14, tx->digest);
    db_bind_span(s, 15, tx->pan_lookup);
    db_bind_text(s, 16, tx->pan_masked);
    db_bind_span(s, 17, tx->pan_sealed);
    db_bind_span(s, 18, tx->emv.de55);
    db_bind_span(s, 19, tx->emv.stream);
    db_bind_span(s, 20, tx->emv.aid);
    return db_run(l->db, s, e);
}

/* Moves the running totals of an open remise: into debits or credits, or (sign -1) out of them into
 * the reversals. */
static enum tp_err move_totals(struct ledger *l, int64_t remise, enum tx_kind kind, int64_t amount,
                               int sign, struct tp_error *e)
{
    const int debit = kind == TX_DEBIT ? sign : 0, credit = kind == TX_CREDIT ? sign : 0,
              reversal = sign < 0 ? 1 : 0;
    sqlite3_stmt *s = NULL;
    enum tp_err r =
        db_prepare(l->db, &s,
                   "UPDATE remise SET debits = debits + ?2, debit_amount = debit_amount + ?2 * ?5,"
                   " credits = credits + ?3, credit_amount = credit_amount + ?3 * ?5,"
                   " reversals = reversals + ?4, reversal_amount = reversal_amount + ?4 * ?5 WHERE "
                   "remise = ?1 AND state = 0",
                   e);

    if (r != TP_OK)
        return r;
    sqlite3_bind_int64(s, 1, remise);
    sqlite3_bind_int(s, 2, debit);
    sqlite3_bind_int(s, 3, credit);
    sqlite3_bind_int(s, 4, reversal);
    sqlite3_bind_int64(s, 5, amount);
    r = db_run(l->db, s, e);
    if (r == TP_OK && sqlite3_changes(db_handle(l->db)) != 1)
        return tp_fail(e, TP_ERR_INTERNAL,
                       "the open remise was closed within a database transaction");
    return r;
}

/* A card whose counter falls back by this much within the days that a payment may come late has
 * been copied, or set back: its issuer is to know. */
#define ATC_GAP 256

/* Told, not refused: the counter may be an honest one that comes late. */
static enum tp_err watch_counter(struct ledger *l, const struct tx_record *tx, struct tp_error *e)
{
    bool row = false;
    sqlite3_stmt *s = NULL;
    enum tp_err r = db_prepare(l->db, &s,
                               "SELECT atc FROM tx WHERE pan_lookup = ?1 AND psn = ?2 AND atc > ?3 "
                               "AND card_expiry = ?4 AND aid = ?5"
                               " ORDER BY atc DESC LIMIT 1",
                               e);

    if (r != TP_OK)
        return r;
    db_bind_span(s, 1, tx->pan_lookup);
    sqlite3_bind_int(s, 2, tx->emv.psn);
    sqlite3_bind_int(s, 3, tx->emv.atc + ATC_GAP);
    sqlite3_bind_int(s, 4, tx->emv.card_expiry);
    db_bind_span(s, 5, tx->emv.aid);
    r = db_step(l->db, s, &row, e);
    if (row)
        log_error("alarm: card %s, counter %u after %d: set back", tx->pan_masked, tx->emv.atc,
                  sqlite3_column_int(s, 0));
    sqlite3_reset(s);
    return r;
}

enum tp_err ledger_keep(struct ledger *l, struct tx_record *tx, const struct standing *st,
                        int64_t rrn, struct tp_error *e)
{
    enum tp_err r = TP_OK;

    if (!st->open)
        return tp_fail(e, TP_ERR_INTERNAL, "contract %s or its terminal %s is closed", tx->contract,
                       tx->terminal);
    if (tx->currency != st->currency)
        return tp_fail(e, TP_ERR_RANGE, "contract %s is in currency %u, the transaction in %u",
                       tx->contract, st->currency, tx->currency);
    if (st->remise == 0)
        return tp_fail(e, TP_ERR_INTERNAL, "contract %s has no open remise: run audit",
                       tx->contract);
    const time_t now = time(NULL);

    if (rrn == 0)
        r = ledger_next_rrn(l, now, &rrn, e);
    if (r == TP_OK)
        r = insert_tx(
            l, tx, st, rrn, now,
            e); /* first: what the books cannot hold fails here and leaves nothing behind */
    if (r != TP_OK)
        return r;
    r = move_totals(l, st->remise, tx->kind, tx->amount, 1, e);
    if (r == TP_OK)
        r = watch_counter(l, tx, e);
    if (r == TP_ERR_RANGE) /* the row is in the group: this would say that nothing is */
        r = tp_fail(e, TP_ERR_INTERNAL, "the totals of contract %s hold no more: close its remise",
                    tx->contract);
    if (r == TP_OK)
        ledger_rrn_format(tx->rrn, rrn);
    return r;
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

enum tp_err ledger_group_begin(struct ledger *l, struct tp_error *e)
{
    bool own = false;
    enum tp_err r;

    if (l->grouped)
        return tp_fail(e, TP_ERR_STATE, "a group is open already");
    r = ledger_begin(l, &own, e);
    l->grouped = r == TP_OK;
    return r;
}

enum tp_err ledger_group_commit(struct ledger *l, struct tp_error *e)
{
    l->grouped = false;
    return db_in_transaction(l->db)
               ? db_commit(l->db, e)
               : tp_fail(e, TP_ERR_IO, "the disk failed within the group: nothing of it is kept");
}

enum tp_err ledger_group_touch(struct ledger *l, struct tp_error *e)
{
    return db_touch(l->db, e);
}

void ledger_group_rollback(struct ledger *l)
{
    l->grouped = false;
    db_rollback(l->db);
}

/* ---- reversals ---- */

struct original {
    int64_t rrn, remise, terminal, date, stan, amount;
    enum tx_kind kind;
    enum remise_state state;
    uint32_t number;
    bool reversed;
};

#define ORIGINAL_COLUMNS                                                                           \
    "SELECT tx.rrn, tx.remise, tx.terminal, tx.date, tx.stan, tx.amount, tx.kind, remise.state, "  \
    "remise.number,"                                                                               \
    " EXISTS (SELECT 1 FROM reversal WHERE rrn = tx.rrn) FROM tx JOIN remise USING (remise) "

/* o->rrn stays 0 when there is none. */
static enum tp_err read_original(struct ledger *l, struct original *o, sqlite3_stmt *s,
                                 struct tp_error *e)
{
    bool row = false;
    const enum tp_err r = db_step(l->db, s, &row, e);

    *o = (struct original){0};
    if (row) {
        o->rrn = sqlite3_column_int64(s, 0);
        o->remise = sqlite3_column_int64(s, 1);
        o->terminal = sqlite3_column_int64(s, 2);
        o->date = sqlite3_column_int64(s, 3);
        o->stan = sqlite3_column_int64(s, 4);
        o->amount = sqlite3_column_int64(s, 5);
        o->kind = (enum tx_kind)sqlite3_column_int(s, 6);
        o->state = (enum remise_state)sqlite3_column_int(s, 7);
        o->number = (uint32_t)sqlite3_column_int64(s, 8);
        o->reversed = sqlite3_column_int(s, 9) != 0;
    }
    sqlite3_reset(s);
    return r;
}

/* rrn 0: remembered for a transaction that is not known. Passed over when there is one already
 * (sqlite3_changes says). */
static enum tp_err insert_reversal(struct ledger *l, const struct original *o, struct tp_error *e)
{
    sqlite3_stmt *s = NULL;
    enum tp_err r =
        db_prepare(l->db, &s,
                   "INSERT INTO reversal (terminal, date, stan, rrn, at) VALUES (?1, ?2, ?3, "
                   "nullif(?4, 0), ?5) ON CONFLICT (terminal, date, stan) DO NOTHING",
                   e);

    if (r != TP_OK)
        return r;
    sqlite3_bind_int64(s, 1, o->terminal);
    sqlite3_bind_int64(s, 2, o->date);
    sqlite3_bind_int64(s, 3, o->stan);
    sqlite3_bind_int64(s, 4, o->rrn);
    sqlite3_bind_int64(s, 5, time(NULL));
    return db_run(l->db, s, e);
}

/* What a credit gave back is not reversed as well: nothing is done. */
static enum tp_err reverse_found(struct ledger *l, const struct original *o,
                                 enum ledger_verdict *verdict, struct tp_error *e)
{
    bool credited = false;
    enum tp_err r;

    *verdict = LEDGER_REVERSAL_TOO_LATE;
    if (o->state != REMISE_OPEN)
        return TP_OK;
    r = ledger_is_credited(l, o->rrn, &credited, e);
    *verdict = credited ? LEDGER_REVERSAL_CREDITED : LEDGER_REVERSAL_DONE;
    if (r != TP_OK || credited)
        return r;
    r = insert_reversal(l, o, e);
    if (r == TP_OK)
        r = move_totals(l, o->remise, o->kind, o->amount, -1, e);
    return r == TP_OK ? ledger_reversal_due(l, o->terminal, o->date, o->stan, e) : r;
}

enum tp_err ledger_reverse(struct ledger *l, const char *rrn, struct tp_error *e)
{
    struct original o = {0};
    enum ledger_verdict verdict = LEDGER_REVERSAL_REPEATED;
    int64_t number = 0;
    bool own = false;
    sqlite3_stmt *s = NULL;
    enum tp_err r = ledger_rrn_parse(&number, rrn, e);

    if (r == TP_OK)
        r = ledger_begin(l, &own, e);
    if (r != TP_OK)
        return r;
    r = db_prepare(l->db, &s, ORIGINAL_COLUMNS "WHERE tx.rrn = ?1", e);
    if (r == TP_OK) {
        sqlite3_bind_int64(s, 1, number);
        r = read_original(l, &o, s, e);
    }
    if (r == TP_OK && o.rrn == 0)
        r = tp_fail(e, TP_ERR_NOT_FOUND, "there is no transaction %s: see list", rrn);
    if (r == TP_OK && !o.reversed)
        r = reverse_found(l, &o, &verdict, e);
    if (r == TP_OK && verdict == LEDGER_REVERSAL_TOO_LATE)
        r = tp_fail(e, TP_ERR_STATE,
                    "transaction %s is in remise %u, which is closed: only a credit undoes it now",
                    rrn, o.number);
    if (r == TP_OK && verdict == LEDGER_REVERSAL_CREDITED)
        r = tp_fail(e, TP_ERR_STATE,
                    "transaction %s was given back by a credit: reverse that one first", rrn);
    return ledger_end(l, own, r, e);
}

/* The terminal's row (0: there is none) and, when it is kept, the transaction of that identity. */
static enum tp_err find_original(struct ledger *l, struct original *o, const char *contract,
                                 const char *terminal, uint32_t stan, int date, struct tp_error *e)
{
    bool row = false;
    int64_t id = 0;
    sqlite3_stmt *s = NULL;
    enum tp_err r = db_prepare(l->db, &s,
                               "SELECT t.terminal FROM contract c JOIN terminal t USING (contract) "
                               "WHERE c.id = ?1 AND t.id = ?2",
                               e);

    if (r != TP_OK)
        return r;
    db_bind_text(s, 1, contract);
    db_bind_text(s, 2, terminal);
    r = db_step(l->db, s, &row, e);
    id = row ? sqlite3_column_int64(s, 0) : 0;
    sqlite3_reset(s);
    if (r != TP_OK || id == 0)
        return r;
    r = db_prepare(l->db, &s,
                   ORIGINAL_COLUMNS "WHERE tx.terminal = ?1 AND tx.date = ?2 AND tx.stan = ?3", e);
    if (r != TP_OK)
        return r;
    sqlite3_bind_int64(s, 1, id);
    sqlite3_bind_int(s, 2, date);
    sqlite3_bind_int64(s, 3, stan);
    r = read_original(l, o, s, e);
    if (o->rrn == 0)
        *o = (struct original){.terminal = id, .date = date, .stan = stan};
    return r;
}

/* What was asked and never kept has its amount there. */
static enum tp_err asked_amount(struct ledger *l, const struct original *o, int64_t *amount,
                                struct tp_error *e)
{
    bool row = false;
    sqlite3_stmt *s = NULL;
    enum tp_err r = db_prepare(
        l->db, &s,
        "SELECT amount FROM authorisation WHERE terminal = ?1 AND date = ?2 AND stan = ?3", e);

    *amount = o->amount;
    if (r != TP_OK || o->rrn != 0)
        return r;
    sqlite3_bind_int64(s, 1, o->terminal);
    sqlite3_bind_int64(s, 2, o->date);
    sqlite3_bind_int64(s, 3, o->stan);
    r = db_step(l->db, s, &row, e);
    if (row)
        *amount = sqlite3_column_int64(s, 0);
    sqlite3_reset(s);
    return r;
}

/* A reversal is of the whole amount. */
static enum tp_err compare_amount(struct ledger *l, const struct original *o, int64_t said,
                                  enum ledger_verdict *verdict, struct tp_error *e)
{
    int64_t amount = 0;
    const enum tp_err r = said != 0 ? asked_amount(l, o, &amount, e) : TP_OK;

    if (r == TP_OK && amount != 0 && amount != said)
        *verdict = LEDGER_AMOUNT;
    return r;
}

#define UNKNOWN_A_DAY                                                                              \
    5000 /* reversals of one terminal that are remembered for payments nobody knows */

/* What was asked of an issuer is known, and what is remembered already takes no more room. */
static enum tp_err has_room(struct ledger *l, const struct original *o, bool *room,
                            struct tp_error *e)
{
    bool row = false;
    sqlite3_stmt *s = NULL;
    enum tp_err r = db_prepare(
        l->db, &s,
        "SELECT EXISTS (SELECT 1 FROM authorisation WHERE terminal = ?1 AND date = ?2 AND stan = "
        "?3)"
        " OR EXISTS (SELECT 1 FROM reversal WHERE terminal = ?1 AND date = ?2 AND stan = ?3)"
        " OR (SELECT count(*) FROM (SELECT 1 FROM reversal WHERE terminal = ?1 AND rrn IS NULL AND "
        "at >= ?4 LIMIT ?5)) < ?5",
        e);

    if (r != TP_OK)
        return r;
    sqlite3_bind_int64(s, 1, o->terminal);
    sqlite3_bind_int64(s, 2, o->date);
    sqlite3_bind_int64(s, 3, o->stan);
    sqlite3_bind_int64(s, 4, ledger_midnight());
    sqlite3_bind_int(s, 5, UNKNOWN_A_DAY);
    r = db_step(l->db, s, &row, e);
    *room = row && sqlite3_column_int(s, 0) != 0;
    sqlite3_reset(s);
    return r;
}

static enum tp_err reverse_or_remember(struct ledger *l, const struct original *o,
                                       enum ledger_verdict *verdict, struct tp_error *e)
{
    bool room = false;
    enum tp_err r;

    if (o->reversed) {
        *verdict = LEDGER_REVERSAL_REPEATED;
        return TP_OK;
    }
    if (o->rrn != 0)
        return reverse_found(l, o, verdict, e);
    r = has_room(l, o, &room, e);
    if (r == TP_OK && !room)
        *verdict = LEDGER_REVERSAL_TOO_MANY;
    if (r != TP_OK || !room)
        return r;
    r = insert_reversal(l, o, e);
    *verdict = r == TP_OK && sqlite3_changes(db_handle(l->db)) == 0 ? LEDGER_REVERSAL_REPEATED
                                                                    : LEDGER_REVERSAL_REMEMBERED;
    return r == TP_OK ? ledger_reversal_due(l, o->terminal, o->date, o->stan, e) : r;
}

enum tp_err ledger_reverse_original(struct ledger *l, const char *contract, const char *terminal,
                                    uint32_t stan, int date, int64_t amount,
                                    enum ledger_verdict *verdict, char rrn[RRN_MAX],
                                    struct tp_error *e)
{
    struct original o = {0};
    bool own = false;
    enum tp_err r = ledger_begin(l, &own, e);

    if (r != TP_OK)
        return r;
    r = find_original(l, &o, contract, terminal, stan, date, e);
    *verdict = o.terminal == 0 ? LEDGER_UNKNOWN : LEDGER_NEW;
    if (r == TP_OK && *verdict == LEDGER_NEW)
        r = compare_amount(l, &o, amount, verdict, e);
    if (r == TP_OK && *verdict == LEDGER_NEW)
        r = reverse_or_remember(l, &o, verdict, e);
    rrn[0] = '\0';
    if (r == TP_OK && o.rrn != 0)
        ledger_rrn_format(rrn, o.rrn);
    return ledger_end(l, own, r, e);
}
