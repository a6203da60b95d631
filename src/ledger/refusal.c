/* Refusals: kept so that a merchant's question can be answered, and not more of them than a disk
 * can bear. */
#include <string.h>
#include <time.h>

#include "base/date.h"
#include "ledger/ledger_priv.h"

#define REFUSALS_A_DAY 1000 /* of one terminal */

/* Counts it, and says which one of its terminal's day it is. */
static enum tp_err count_refusal(struct ledger *l, const struct refusal *x, int64_t *count,
                                 struct tp_error *e)
{
    bool row = false;
    sqlite3_stmt *s = NULL;
    enum tp_err r = db_prepare(
        l->db, &s,
        "INSERT INTO refusal_day (contract, terminal, day, count) VALUES (?1, ?2, ?3, 1)"
        " ON CONFLICT (contract, terminal, day) DO UPDATE SET count = count + 1 RETURNING count",
        e);

    if (r != TP_OK)
        return r;
    db_bind_text(s, 1, x->contract);
    db_bind_text(s, 2, x->terminal);
    sqlite3_bind_int(s, 3, date_of(x->at));
    r = db_step(l->db, s, &row, e);
    *count = row ? sqlite3_column_int64(s, 0) : 0;
    while (r == TP_OK && row) /* to its end, or the change does not stand */
        r = db_step(l->db, s, &row, e);
    sqlite3_reset(s);
    return r;
}

enum tp_err ledger_refusal_add(struct ledger *l, const struct refusal *x, struct tp_error *e)
{
    int64_t count = 0;
    sqlite3_stmt *s = NULL;
    enum tp_err r = count_refusal(l, x, &count, e);

    if (r != TP_OK || count > REFUSALS_A_DAY)
        return r;
    r = db_prepare(l->db, &s,
                   "INSERT INTO refusal (at, contract, terminal, stan, amount, currency, "
                   "pan_masked, code, reason)"
                   " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                   e);
    if (r != TP_OK)
        return r;
    sqlite3_bind_int64(s, 1, x->at);
    db_bind_text(s, 2, x->contract);
    db_bind_text(s, 3, x->terminal);
    sqlite3_bind_int64(s, 4, x->stan);
    sqlite3_bind_int64(s, 5, x->amount);
    sqlite3_bind_int(s, 6, x->currency);
    db_bind_text(s, 7, x->pan_masked);
    db_bind_text(s, 8, x->code);
    db_bind_text(s, 9, x->reason);
    return db_run(l->db, s, e);
}

static void read_refusal(struct refusal *x, sqlite3_stmt *s)
{
    memset(x, 0, sizeof(*x));
    x->at = sqlite3_column_int64(s, 0);
    db_column_copy(x->contract, sizeof(x->contract), s, 1);
    db_column_copy(x->terminal, sizeof(x->terminal), s, 2);
    x->stan = (uint32_t)sqlite3_column_int64(s, 3);
    x->amount = sqlite3_column_int64(s, 4);
    x->currency = (uint16_t)sqlite3_column_int(s, 5);
    db_column_copy(x->pan_masked, sizeof(x->pan_masked), s, 6);
    db_column_copy(x->code, sizeof(x->code), s, 7);
    db_column_copy(x->reason, sizeof(x->reason), s, 8);
}

enum tp_err ledger_refusal_each(struct ledger *l, const char *contract, ledger_refusal_visit *visit,
                                void *ctx, struct tp_error *e)
{
    struct refusal x;
    bool row = false;
    sqlite3_stmt *s = NULL;
    enum tp_err r = db_prepare(l->db, &s,
                               "SELECT at, contract, terminal, stan, amount, currency, pan_masked, "
                               "code, reason FROM refusal"
                               " WHERE ?1 IS NULL OR contract = ?1 ORDER BY refusal",
                               e);

    if (r == TP_OK)
        db_bind_text(s, 1, contract);
    while (r == TP_OK) {
        r = db_step(l->db, s, &row, e);
        if (r != TP_OK || !row)
            break;
        read_refusal(&x, s);
        r = visit(ctx, &x, e);
    }
    if (s != NULL)
        sqlite3_reset(s);
    return r;
}

enum tp_err ledger_refusal_beyond(struct ledger *l, const char *contract, int64_t *beyond,
                                  struct tp_error *e)
{
    bool row = false;
    sqlite3_stmt *s = NULL;
    enum tp_err r = db_prepare(l->db, &s,
                               "SELECT coalesce(sum(count - ?2), 0) FROM refusal_day WHERE count > "
                               "?2 AND (?1 IS NULL OR contract = ?1)",
                               e);

    if (r != TP_OK)
        return r;
    db_bind_text(s, 1, contract);
    sqlite3_bind_int(s, 2, REFUSALS_A_DAY);
    r = db_step(l->db, s, &row, e);
    *beyond = row ? sqlite3_column_int64(s, 0) : 0;
    sqlite3_reset(s);
    return r;
}
