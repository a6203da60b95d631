/* Reversals: an annulation by the operator, and what a 0400 says, be its payment here or still on
 * its way. */
#include <inttypes.h>
#include <time.h>

#include "base/date.h"
#include "ledger/ledger_priv.h"

struct original {
    int64_t rrn, remise, terminal, date, stan, amount;
    enum tx_kind kind;
    enum remise_state state;
    uint32_t number;
    bool reversed;
};

#define ORIGINAL_SELECT                                                                            \
    "SELECT tx.rrn, tx.remise, tx.terminal, tx.date, tx.stan, tx.amount, tx.kind, remise.state,"   \
    " remise.number, EXISTS (SELECT 1 FROM reversal WHERE reversal.rrn = tx.rrn) AS reversed"      \
    " FROM tx JOIN remise ON remise.remise = tx.remise "

static const struct db_column original_columns[] = {
    DB_COLUMN(struct original, rrn),      DB_COLUMN(struct original, remise),
    DB_COLUMN(struct original, terminal), DB_COLUMN(struct original, date),
    DB_COLUMN(struct original, stan),     DB_COLUMN(struct original, amount),
    DB_COLUMN(struct original, kind),     DB_COLUMN(struct original, state),
    DB_COLUMN(struct original, number),   DB_COLUMN(struct original, reversed),
};

/* rrn 0: remembered for a transaction that is not known. *again: it was there already. */
static enum tp_err insert_reversal(struct ledger *l, const struct original *o, bool *again,
                                   struct tp_error *e)
{
    int64_t changes = 0;
    const enum tp_err r =
        db_exec(l->db,
                "INSERT INTO reversal (terminal, date, stan, rrn, at) VALUES ($1, $2, $3, $4, $5)"
                " ON CONFLICT (terminal, date, stan) DO NOTHING",
                DB_VALUES(db_integer(o->terminal), db_integer(o->date), db_integer(o->stan),
                          db_integer_or_null(o->rrn, o->rrn != 0), db_integer(time(NULL))),
                again != NULL ? &changes : NULL, e);

    if (again != NULL)
        *again = changes == 0;
    return r;
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
    r = insert_reversal(l, o, NULL, e);
    if (r == TP_OK)
        r = ledger_move_totals(l, o->remise, o->kind, o->amount, -1, e);
    return r == TP_OK ? ledger_reversal_due(l, o->terminal, o->date, o->stan, e) : r;
}

enum tp_err ledger_reverse(struct ledger *l, const char *rrn, struct tp_error *e)
{
    struct original o = {0};
    enum ledger_verdict verdict = LEDGER_REVERSAL_REPEATED;
    int64_t number = 0;
    bool own = false, found = false;
    enum tp_err r = ledger_rrn_parse(&number, rrn, e);

    if (r == TP_OK)
        r = ledger_begin(l, &own, e);
    if (r != TP_OK)
        return r;
    r = db_one(l->db, ORIGINAL_SELECT "WHERE tx.rrn = $1", DB_VALUES(db_integer(number)),
               DB_COLUMNS(original_columns), &o, &found, e);
    if (r == TP_OK && !found)
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

/* The terminal's row (0: there is none) and, when it is kept, the transaction of that identity:
 * o->rrn is 0 when there is none. */
static enum tp_err find_original(struct ledger *l, struct original *o, const char *contract,
                                 const char *terminal, uint32_t stan, int date, struct tp_error *e)
{
    int64_t id = 0;
    bool found = false;
    enum tp_err r = db_number(
        l->db,
        "SELECT t.terminal FROM contract c JOIN terminal t USING (contract) WHERE c.id = $1"
        " AND t.id = $2",
        DB_VALUES(db_text(contract), db_text(terminal)), &id, &found, e);

    if (r != TP_OK || !found)
        return r;
    *o = (struct original){.terminal = id, .date = date, .stan = stan};
    r = db_one(l->db, ORIGINAL_SELECT "WHERE tx.terminal = $1 AND tx.date = $2 AND tx.stan = $3",
               DB_VALUES(db_integer(id), db_integer(date), db_integer(stan)),
               DB_COLUMNS(original_columns), o, &found, e);
    return r;
}

/* What was asked and never kept has its amount there. */
static enum tp_err asked_amount(struct ledger *l, const struct original *o, int64_t *amount,
                                struct tp_error *e)
{
    bool found;

    *amount = o->amount;
    return o->rrn != 0
               ? TP_OK
               : db_number(
                     l->db,
                     "SELECT amount FROM authorisation WHERE terminal = $1 AND date = $2"
                     " AND stan = $3",
                     DB_VALUES(db_integer(o->terminal), db_integer(o->date), db_integer(o->stan)),
                     amount, &found, e);
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
    int64_t has = 0;
    const enum tp_err r = db_number(
        l->db,
        "SELECT (EXISTS (SELECT 1 FROM authorisation WHERE terminal = $1 AND date = $2 AND stan = "
        "$3)"
        " OR EXISTS (SELECT 1 FROM reversal WHERE terminal = $1 AND date = $2 AND stan = $3)"
        " OR (SELECT count(*) FROM (SELECT 1 FROM reversal WHERE terminal = $1 AND rrn IS NULL AND "
        "at >= $4 LIMIT $5) AS q) < $5) AS room",
        DB_VALUES(db_integer(o->terminal), db_integer(o->date), db_integer(o->stan),
                  db_integer(date_midnight(time(NULL))), db_integer(UNKNOWN_A_DAY)),
        &has, NULL, e);

    *room = has != 0;
    return r;
}

static enum tp_err reverse_or_remember(struct ledger *l, const struct original *o,
                                       enum ledger_verdict *verdict, struct tp_error *e)
{
    bool room = false, again = false;
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
    r = insert_reversal(l, o, &again, e);
    *verdict = again ? LEDGER_REVERSAL_REPEATED : LEDGER_REVERSAL_REMEMBERED;
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
