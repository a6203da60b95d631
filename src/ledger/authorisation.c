/* Questions to issuers: booked before they are asked, answered once, and reversed until the
 * issuer has said so. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ledger/ledger_priv.h"

const char *authorisation_state_name(enum authorisation_state s)
{
    static const char *const names[] = {"asked", "approved", "refused", "to be reversed",
                                        "reversed"};

    return (unsigned)s < sizeof(names) / sizeof(names[0]) ? names[s] : "unknown";
}

/* ---- asking ---- */

static enum tp_err insert(struct ledger *l, const struct tx_record *tx, const struct standing *st,
                          const char *issuer, int64_t rrn, time_t now, struct tp_error *e)
{
    sqlite3_stmt *s = NULL;
    enum tp_err r = db_prepare(l->db, &s,
                               "INSERT INTO authorisation (rrn, terminal, date, stan, time, "
                               "issuer, arqc, kind, amount, psn, atc, digest, pan_lookup,"
                               " pan_masked, pan_sealed, state, asked, card_expiry, aid, signed)"
                               " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, "
                               "?14, ?15, 0, ?16, ?17, ?18, ?19)",
                               e);

    if (r != TP_OK)
        return r;
    sqlite3_bind_int64(s, 1, rrn);
    sqlite3_bind_int64(s, 2, st->terminal);
    sqlite3_bind_int64(s, 3, tx->local_time / 1000000);
    sqlite3_bind_int64(s, 4, tx->stan);
    sqlite3_bind_int64(s, 5, tx->local_time % 1000000);
    db_bind_text(s, 6, issuer);
    sqlite3_bind_int(s, 7, tx->emv.online ? 1 : 0);
    sqlite3_bind_int(s, 8, tx->kind == TX_CREDIT ? 1 : 0);
    sqlite3_bind_int64(s, 9, tx->amount);
    sqlite3_bind_int(s, 10, tx->emv.psn);
    sqlite3_bind_int(s, 11, tx->emv.atc);
    db_bind_span(s, 12, tx->digest);
    db_bind_span(s, 13, tx->pan_lookup);
    db_bind_text(s, 14, tx->pan_masked);
    db_bind_span(s, 15, tx->pan_sealed);
    sqlite3_bind_int64(s, 16, now);
    sqlite3_bind_int(s, 17, tx->emv.card_expiry);
    db_bind_span(s, 18, tx->emv.aid);
    sqlite3_bind_int(s, 19, tx->vouched ? 0 : 1);
    return db_run(l->db, s, e);
}

static enum tp_err book(struct ledger *l, struct tx_record *tx, const struct standing *st,
                        const char *issuer, time_t now, struct tp_error *e)
{
    int64_t rrn = 0;
    enum tp_err r;

    if (tx->currency != st->currency)
        return tp_fail(e, TP_ERR_RANGE, "contract %s is in currency %u, the transaction in %u",
                       tx->contract, st->currency, tx->currency);
    r = ledger_next_rrn(l, now, &rrn, e);
    if (r == TP_OK)
        r = insert(l, tx, st, issuer, rrn, now, e);
    if (r == TP_OK)
        ledger_rrn_format(tx->rrn, rrn);
    return r;
}

enum tp_err ledger_ask(struct ledger *l, struct tx_record *tx, const char *issuer,
                       enum ledger_verdict *verdict, time_t *asked, struct tp_error *e)
{
    struct standing st = {0};
    bool own = false;
    enum tp_err r = ledger_begin(l, &own, e);

    if (r != TP_OK)
        return r;
    *asked = time(NULL);
    r = ledger_standing(l, &st, tx, e);
    if (r == TP_OK) {
        *verdict = ledger_judge(&st, tx, true, tx->rrn);
        if (*verdict == LEDGER_NEW && tx->kind == TX_CREDIT)
            r = ledger_judge_credit(l, tx, verdict, e);
        if (r == TP_OK && *verdict == LEDGER_NEW)
            r = book(l, tx, &st, issuer, *asked, e);
    }
    return ledger_end(l, own, r, e);
}

/* ---- what came of it ---- */

/* To another state with what was said, when it is still being asked: sqlite3_changes says. */
static enum tp_err settle(struct ledger *l, int64_t rrn, enum authorisation_state state,
                          const struct issuer_said *said, struct tp_error *e)
{
    sqlite3_stmt *s = NULL;
    enum tp_err r = db_prepare(l->db, &s,
                               "UPDATE authorisation SET state = ?2, answered = ?3, code = ?4, "
                               "reason = ?5, approval = ?6, answer = ?7"
                               " WHERE rrn = ?1 AND state = 0",
                               e);

    if (r != TP_OK)
        return r;
    sqlite3_bind_int64(s, 1, rrn);
    sqlite3_bind_int(s, 2, state);
    sqlite3_bind_int64(s, 3, time(NULL));
    db_bind_text(s, 4, said->code);
    db_bind_text(s, 5, said->reason);
    db_bind_text(s, 6, said->approval);
    db_bind_span(s, 7, said->de55);
    return db_run(l->db, s, e);
}

static enum tp_err keep_approved(struct ledger *l, struct tx_record *tx, int64_t rrn,
                                 const struct issuer_said *said, enum ledger_verdict *verdict,
                                 struct tp_error *e)
{
    struct standing st = {0};
    enum tp_err r = ledger_standing(l, &st, tx, e);

    if (r != TP_OK)
        return r;
    *verdict = LEDGER_NEW;
    if (st.terminal == 0)
        *verdict = LEDGER_UNKNOWN;
    else if (st.asked != rrn || st.asked_state != AUTHORISATION_ASKED)
        *verdict = LEDGER_REVERSED;
    else if (st.paid)
        *verdict = LEDGER_ATC_OLD;
    else if (!st.open)
        *verdict = LEDGER_CLOSED;
    if (*verdict != LEDGER_NEW)
        return TP_OK;
    r = ledger_keep(l, tx, &st, rrn, e);
    return r == TP_OK ? settle(l, rrn, AUTHORISATION_APPROVED, said, e) : r;
}

enum tp_err ledger_ask_approved(struct ledger *l, struct tx_record *tx,
                                const struct issuer_said *said, enum ledger_verdict *verdict,
                                struct tp_error *e)
{
    int64_t rrn = 0;
    bool own = false;
    enum tp_err r = ledger_rrn_parse(&rrn, tx->rrn, e);

    if (r == TP_OK)
        r = ledger_begin(l, &own, e);
    if (r != TP_OK)
        return r;
    r = keep_approved(l, tx, rrn, said, verdict, e);
    return ledger_end(l, own, r, e);
}

static enum tp_err settle_one(struct ledger *l, const char *rrn, enum authorisation_state state,
                              const struct issuer_said *said, struct tp_error *e)
{
    int64_t number = 0;
    const enum tp_err r = ledger_rrn_parse(&number, rrn, e);

    return r == TP_OK ? settle(l, number, state, said, e) : r;
}

enum tp_err ledger_ask_refused(struct ledger *l, const char *rrn, const struct issuer_said *said,
                               struct tp_error *e)
{
    return settle_one(l, rrn, AUTHORISATION_REFUSED, said, e);
}

enum tp_err ledger_ask_reverse(struct ledger *l, const char *rrn, const struct issuer_said *said,
                               struct tp_error *e)
{
    return settle_one(l, rrn, AUTHORISATION_TO_REVERSE, said, e);
}

enum tp_err ledger_ask_recover(struct ledger *l, const struct issuer_said *said, struct tp_error *e)
{
    sqlite3_stmt *s = NULL;
    enum tp_err r = db_prepare(
        l->db, &s, "UPDATE authorisation SET state = 3, code = ?1, reason = ?2 WHERE state = 0", e);

    if (r != TP_OK)
        return r;
    db_bind_text(s, 1, said->code);
    db_bind_text(s, 2, said->reason);
    return db_run(l->db, s, e);
}

/* What the terminal was told stays as it was; one that is still asked has been told nothing, and
 * will be: 12 REVERSED. */
enum tp_err ledger_reversal_due(struct ledger *l, int64_t terminal, int64_t date, int64_t stan,
                                struct tp_error *e)
{
    sqlite3_stmt *s = NULL;
    enum tp_err r =
        db_prepare(l->db, &s,
                   "UPDATE authorisation SET state = 3, code = iif(code = '', '12', code), reason "
                   "= iif(code = '', 'REVERSED', reason)"
                   " WHERE terminal = ?1 AND date = ?2 AND stan = ?3 AND state IN (0, 1)",
                   e);

    if (r != TP_OK)
        return r;
    sqlite3_bind_int64(s, 1, terminal);
    sqlite3_bind_int64(s, 2, date);
    sqlite3_bind_int64(s, 3, stan);
    return db_run(l->db, s, e);
}

enum tp_err ledger_reversal_done(struct ledger *l, const char *rrn, struct tp_error *e)
{
    int64_t number = 0;
    sqlite3_stmt *s = NULL;
    enum tp_err r = ledger_rrn_parse(&number, rrn, e);

    if (r == TP_OK)
        r = db_prepare(
            l->db, &s,
            "UPDATE authorisation SET state = 4, released = ?2 WHERE rrn = ?1 AND state = 3", e);
    if (r != TP_OK)
        return r;
    sqlite3_bind_int64(s, 1, number);
    sqlite3_bind_int64(s, 2, time(NULL));
    return db_run(l->db, s, e);
}

/* ---- reading ---- */

enum tp_err ledger_said(struct ledger *l, const char *rrn, struct issuer_said *said,
                        struct tp_error *e)
{
    int64_t number = 0;
    bool row = false;
    sqlite3_stmt *s = NULL;
    struct buf room = BUF_OF(l->said);
    enum tp_err r = ledger_rrn_parse(&number, rrn, e);

    if (r == TP_OK)
        r = db_prepare(l->db, &s,
                       "SELECT code, reason, approval, answer FROM authorisation WHERE rrn = ?1",
                       e);
    if (r != TP_OK)
        return r;
    sqlite3_bind_int64(s, 1, number);
    r = db_step(l->db, s, &row, e);
    if (r == TP_OK && !row)
        return tp_fail(e, TP_ERR_NOT_FOUND, "no issuer was asked about %s", rrn);
    if (r == TP_OK) {
        db_column_copy(said->code, sizeof(said->code), s, 0);
        db_column_copy(said->reason, sizeof(said->reason), s, 1);
        db_column_copy(said->approval, sizeof(said->approval), s, 2);
        r = buf_put(&room, db_column_span(s, 3));
        said->de55 = buf_span(&room);
    }
    sqlite3_reset(s);
    return r;
}

#define COLUMNS                                                                                    \
    "SELECT a.rrn, contract.id, terminal.id, a.stan, a.date * 1000000 + a.time, a.kind, "          \
    "a.amount, contract.currency, a.pan_masked, a.pan_sealed,"                                     \
    " a.psn, a.atc, a.arqc, a.issuer, a.state, a.code, a.reason, a.approval, a.asked, "            \
    "a.answered, a.released FROM authorisation a"                                                  \
    " JOIN terminal ON terminal.terminal = a.terminal JOIN contract ON contract.contract = "       \
    "terminal.contract "

static void read_columns(struct authorisation *a, sqlite3_stmt *s)
{
    struct tx_record *tx = &a->tx;

    memset(a, 0, sizeof(*a));
    ledger_rrn_format(tx->rrn, sqlite3_column_int64(s, 0));
    db_column_copy(tx->contract, sizeof(tx->contract), s, 1);
    db_column_copy(tx->terminal, sizeof(tx->terminal), s, 2);
    tx->stan = (uint32_t)sqlite3_column_int64(s, 3);
    tx->local_time = sqlite3_column_int64(s, 4);
    tx->kind = sqlite3_column_int(s, 5) == TX_CREDIT ? TX_CREDIT : TX_DEBIT;
    tx->amount = sqlite3_column_int64(s, 6);
    tx->currency = (uint16_t)sqlite3_column_int(s, 7);
    db_column_copy(tx->pan_masked, sizeof(tx->pan_masked), s, 8);
    tx->pan_sealed = db_column_span(s, 9);
    tx->emv.psn = (uint8_t)sqlite3_column_int(s, 10);
    tx->emv.atc = (uint16_t)sqlite3_column_int(s, 11);
    tx->emv.online = sqlite3_column_int(s, 12) != 0;
    db_column_copy(a->issuer, sizeof(a->issuer), s, 13);
    a->state = (enum authorisation_state)sqlite3_column_int(s, 14);
    db_column_copy(a->said.code, sizeof(a->said.code), s, 15);
    db_column_copy(a->said.reason, sizeof(a->said.reason), s, 16);
    db_column_copy(a->said.approval, sizeof(a->said.approval), s, 17);
    a->asked = sqlite3_column_int64(s, 18);
    a->answered = sqlite3_column_int64(s, 19);
    a->released = sqlite3_column_int64(s, 20);
}

/* What waits for one issuer is found by its own index, however long the books are. */
static enum tp_err prepare_each(struct ledger *l, sqlite3_stmt **s, const char *issuer, int state,
                                struct tp_error *e)
{
    if (issuer != NULL && state == AUTHORISATION_TO_REVERSE)
        return db_prepare(
            l->db, s,
            COLUMNS "WHERE a.issuer = ?1 AND a.state = 3 AND ?2 = 3 ORDER BY a.rrn LIMIT ?3", e);
    return db_prepare(
        l->db, s,
        COLUMNS
        "WHERE (?1 IS NULL OR a.issuer = ?1) AND (?2 < 0 OR a.state = ?2) ORDER BY a.rrn LIMIT ?3",
        e);
}

enum tp_err ledger_authorisation_each(struct ledger *l, const char *issuer, int state,
                                      unsigned most, ledger_authorisation_visit *visit, void *ctx,
                                      struct tp_error *e)
{
    struct authorisation a;
    bool row = false;
    sqlite3_stmt *s = NULL;
    enum tp_err r = prepare_each(l, &s, issuer, state, e);

    if (r == TP_OK) {
        db_bind_text(s, 1, issuer);
        sqlite3_bind_int(s, 2, state);
        sqlite3_bind_int64(s, 3, most == 0 ? -1 : (int64_t)most);
    }
    while (r == TP_OK) {
        r = db_step(l->db, s, &row, e);
        if (r != TP_OK || !row)
            break;
        read_columns(&a, s);
        r = visit(ctx, &a, e);
    }
    if (s != NULL)
        sqlite3_reset(s);
    return r;
}

enum tp_err ledger_authorisation_get(struct ledger *l, const char *rrn, struct authorisation *a,
                                     struct tp_error *e)
{
    int64_t number = 0;
    bool row = false;
    sqlite3_stmt *s = NULL;
    enum tp_err r = ledger_rrn_parse(&number, rrn, e);

    if (r == TP_OK)
        r = db_prepare(l->db, &s, COLUMNS "WHERE a.rrn = ?1", e);
    if (r != TP_OK)
        return r;
    sqlite3_bind_int64(s, 1, number);
    r = db_step(l->db, s, &row, e);
    if (r == TP_OK && !row)
        return tp_fail(e, TP_ERR_NOT_FOUND, "no issuer was asked about %s", rrn);
    if (r == TP_OK) {
        read_columns(a, s);
        a->tx.pan_sealed = (struct span){NULL, 0};
    }
    sqlite3_reset(s);
    return r;
}
