/* Questions to issuers: booked before they are asked, answered once, and reversed until the
 * issuer has said so. */
#include <time.h>

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
    return db_exec(
        l->db,
        "INSERT INTO authorisation (rrn, terminal, date, stan, time, issuer, arqc, kind, amount,"
        " psn, atc, digest, pan_lookup, pan_masked, pan_sealed, state, asked, card_expiry, aid,"
        " signed, answer) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,"
        " $15, 0, $16, $17, $18, $19, $20)",
        DB_VALUES(db_integer(rrn), db_integer(st->terminal), db_integer(tx->local_time / 1000000),
                  db_integer(tx->stan), db_integer(tx->local_time % 1000000), db_text(issuer),
                  db_integer(tx->emv.online ? 1 : 0), db_integer(tx->kind == TX_CREDIT ? 1 : 0),
                  db_integer(tx->amount), db_integer(tx->emv.psn), db_integer(tx->emv.atc),
                  db_blob(tx->digest), db_blob(tx->pan_lookup), db_text(tx->pan_masked),
                  db_blob(tx->pan_sealed), db_integer(now), db_integer(tx->emv.card_expiry),
                  db_blob(tx->emv.aid), db_integer(tx->vouched ? 0 : 1),
                  db_blob((struct span){NULL, 0})),
        NULL, e);
}

static enum tp_err book(struct ledger *l, struct tx_record *tx, const struct standing *st,
                        const char *issuer, time_t now, struct tp_error *e)
{
    int64_t rrn = 0;
    enum tp_err r = ledger_can_hold(st, tx, e);

    if (r != TP_OK)
        return r;
    r = ledger_next_rrn(l, now, &rrn, e);
    if (r == TP_OK)
        r = insert(l, tx, st, issuer, rrn, now, e);
    if (r == TP_OK)
        r = ledger_mediated_keep(l, tx, st->terminal, rrn, e);
    if (r == TP_OK)
        r = ledger_refund_keep(l, tx, rrn, e);
    if (r == TP_ERR_RANGE ||
        r == TP_ERR_NOT_FOUND) /* these would say that the group is as it was */
        r = tp_fail(e, TP_ERR_INTERNAL, "the question of terminal %s cannot be booked",
                    tx->terminal);
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

/* To another state with what was said, when it is still being asked. */
static enum tp_err settle(struct ledger *l, int64_t rrn, enum authorisation_state state,
                          const struct wire_answer *said, struct tp_error *e)
{
    return db_exec(l->db,
                   "UPDATE authorisation SET state = $2, answered = $3, code = $4, reason = $5,"
                   " approval = $6, answer = $7 WHERE rrn = $1 AND state = 0",
                   DB_VALUES(db_integer(rrn), db_integer(state), db_integer(time(NULL)),
                             db_text(said->code), db_text(said->reason), db_text(said->approval),
                             db_blob(span_of(said->data, said->data_n))),
                   NULL, e);
}

static enum tp_err keep_approved(struct ledger *l, struct tx_record *tx, int64_t rrn,
                                 const struct wire_answer *said, enum ledger_verdict *verdict,
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
    else if (!st.mediator_open)
        *verdict = LEDGER_MEDIATOR_CLOSED;
    else if (st.order_used)
        *verdict = LEDGER_ORDER_USED;
    if (*verdict != LEDGER_NEW)
        return TP_OK;
    r = ledger_keep(l, tx, &st, rrn, e);
    return r == TP_OK ? settle(l, rrn, AUTHORISATION_APPROVED, said, e) : r;
}

enum tp_err ledger_ask_approved(struct ledger *l, struct tx_record *tx,
                                const struct wire_answer *said, enum ledger_verdict *verdict,
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
                              const struct wire_answer *said, struct tp_error *e)
{
    int64_t number = 0;
    const enum tp_err r = ledger_rrn_parse(&number, rrn, e);

    return r == TP_OK ? settle(l, number, state, said, e) : r;
}

enum tp_err ledger_ask_refused(struct ledger *l, const char *rrn, const struct wire_answer *said,
                               struct tp_error *e)
{
    return settle_one(l, rrn, AUTHORISATION_REFUSED, said, e);
}

enum tp_err ledger_ask_reverse(struct ledger *l, const char *rrn, const struct wire_answer *said,
                               struct tp_error *e)
{
    return settle_one(l, rrn, AUTHORISATION_TO_REVERSE, said, e);
}

enum tp_err ledger_ask_recover(struct ledger *l, const struct wire_answer *said, struct tp_error *e)
{
    int64_t changes = 0;

    return db_exec(l->db,
                   "UPDATE authorisation SET state = 3, code = $1, reason = $2 WHERE state = 0",
                   DB_VALUES(db_text(said->code), db_text(said->reason)), &changes, e);
}

/* What the terminal was told stays as it was; one that is still asked has been told nothing, and
 * will be: 12 REVERSED. */
enum tp_err ledger_reversal_due(struct ledger *l, int64_t terminal, int64_t date, int64_t stan,
                                struct tp_error *e)
{
    return db_exec(l->db,
                   "UPDATE authorisation SET state = 3, code = CASE code WHEN '' THEN '12' ELSE "
                   "code END, reason = CASE code WHEN '' THEN 'REVERSED' ELSE reason END"
                   " WHERE terminal = $1 AND date = $2 AND stan = $3 AND state IN (0, 1)",
                   DB_VALUES(db_integer(terminal), db_integer(date), db_integer(stan)), NULL, e);
}

enum tp_err ledger_reversal_done(struct ledger *l, const char *rrn, struct tp_error *e)
{
    int64_t number = 0;
    enum tp_err r = ledger_rrn_parse(&number, rrn, e);

    if (r == TP_OK)
        r = db_exec(l->db,
                    "UPDATE authorisation SET state = 4, released = $2 WHERE rrn = $1 AND state = "
                    "3",
                    DB_VALUES(db_integer(number), db_integer(time(NULL))), NULL, e);
    return r;
}

/* ---- reading ---- */

static enum tp_err never_asked(const char *rrn, struct tp_error *e)
{
    return tp_fail(e, TP_ERR_NOT_FOUND, "no issuer was asked about %s", rrn);
}

struct said_row {
    struct wire_answer said;
    struct span answer;
};

enum tp_err ledger_said(struct ledger *l, const char *rrn, struct wire_answer *said,
                        struct tp_error *e)
{
    static const struct db_column columns[] = {
        DB_COLUMN_AS("code", struct said_row, said.code),
        DB_COLUMN_AS("reason", struct said_row, said.reason),
        DB_COLUMN_AS("approval", struct said_row, said.approval),
        DB_COLUMN(struct said_row, answer),
    };
    struct said_row row = {.said = {.code = ""}};
    int64_t number = 0;
    bool found = false;
    enum tp_err r = ledger_rrn_parse(&number, rrn, e);

    if (r == TP_OK)
        r = db_one(l->db, "SELECT code, reason, approval, answer FROM authorisation WHERE rrn = $1",
                   DB_VALUES(db_integer(number)), DB_COLUMNS(columns), &row, &found, e);
    if (r != TP_OK || !found)
        return r == TP_OK ? never_asked(rrn, e) : r;
    struct buf room = BUF_OF(row.said.data);

    r = buf_put(&room, row.answer);
    row.said.data_n = room.n;
    *said = row.said;
    return r;
}

struct authorisation_row {
    int64_t number;
    struct authorisation a;
};

#define SELECT                                                                                     \
    "SELECT a.rrn AS number, contract.id AS contract, terminal.id AS terminal, a.stan,"            \
    " a.date * 1000000 + a.time AS local_time, a.kind, a.amount, contract.currency,"               \
    " a.pan_masked, a.pan_sealed, a.psn, a.atc, a.arqc AS online, a.issuer, a.state, a.code,"      \
    " a.reason, a.approval, a.asked, a.answered FROM authorisation a"                              \
    " JOIN terminal ON terminal.terminal = a.terminal JOIN contract ON contract.contract = "       \
    "terminal.contract "

#define OF_TX(m)   DB_COLUMN_AS(#m, struct authorisation_row, a.tx.m)
#define OF_EMV(m)  DB_COLUMN_AS(#m, struct authorisation_row, a.tx.emv.m)
#define OF_IT(m)   DB_COLUMN_AS(#m, struct authorisation_row, a.m)
#define OF_SAID(m) DB_COLUMN_AS(#m, struct authorisation_row, a.said.m)
static const struct db_column columns[] = {
    DB_COLUMN(struct authorisation_row, number),
    OF_TX(contract),
    OF_TX(terminal),
    OF_TX(stan),
    OF_TX(local_time),
    OF_TX(kind),
    OF_TX(amount),
    OF_TX(currency),
    OF_TX(pan_masked),
    OF_TX(pan_sealed),
    OF_EMV(psn),
    OF_EMV(atc),
    OF_EMV(online),
    OF_IT(issuer),
    OF_IT(state),
    OF_SAID(code),
    OF_SAID(reason),
    OF_SAID(approval),
    OF_IT(asked),
    OF_IT(answered),
};

/* What waits for one issuer is found by its own index, however long the books are. */
static enum tp_err query(struct ledger *l, struct db_rows **rows, const char *issuer, int state,
                         int64_t most, struct tp_error *e)
{
    if (issuer != NULL && state == AUTHORISATION_TO_REVERSE)
        return db_query(l->db, rows,
                        SELECT "WHERE a.issuer = $1 AND a.state = 3 ORDER BY a.rrn LIMIT $2",
                        DB_VALUES(db_text(issuer), db_integer(most)), DB_COLUMNS(columns), e);
    return db_query(l->db, rows,
                    SELECT "WHERE ($1 IS NULL OR a.issuer = $1) AND ($2 < 0 OR a.state = $2)"
                           " ORDER BY a.rrn LIMIT $3",
                    DB_VALUES(db_text(issuer), db_integer(state), db_integer(most)),
                    DB_COLUMNS(columns), e);
}

enum tp_err ledger_authorisation_each(struct ledger *l, const char *issuer, int state,
                                      unsigned most, ledger_authorisation_visit *visit, void *ctx,
                                      struct tp_error *e)
{
    struct authorisation_row row = {.number = 0};
    struct db_rows *rows = NULL;
    bool found = true;
    enum tp_err r = query(l, &rows, issuer, state, most == 0 ? INT64_MAX : (int64_t)most, e);

    while (r == TP_OK) {
        r = db_next(rows, &row, &found, e);
        if (r != TP_OK || !found)
            break;
        ledger_rrn_format(row.a.tx.rrn, row.number);
        r = visit(ctx, &row.a, e);
    }
    db_end(&rows);
    return r;
}

enum tp_err ledger_authorisation_get(struct ledger *l, const char *rrn, struct authorisation *a,
                                     struct tp_error *e)
{
    struct authorisation_row row = {.number = 0};
    int64_t number = 0;
    bool found = false;
    enum tp_err r = ledger_rrn_parse(&number, rrn, e);

    if (r != TP_OK)
        return r;
    r = db_one(l->db, SELECT "WHERE a.rrn = $1", DB_VALUES(db_integer(number)), DB_COLUMNS(columns),
               &row, &found, e);
    if (r != TP_OK)
        return r;
    if (!found)
        return never_asked(rrn, e);
    *a = row.a;
    ledger_rrn_format(a->tx.rrn, row.number);
    a->tx.pan_sealed = (struct span){NULL, 0};
    return TP_OK;
}
