/* The books: remises, from open to settled. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/date.h"
#include "ledger/ledger_priv.h"

const char *remise_state_name(enum remise_state s)
{
    static const char *const names[] = {"open", "closed", "submitted", "collected", "rejected"};

    return (unsigned)s < sizeof(names) / sizeof(names[0]) ? names[s] : "unknown";
}

/* ---- reading ---- */

#define REMISE_COLUMNS                                                                             \
    "SELECT remise.remise, contract.id, remise.number, remise.state, contract.currency, debits, "  \
    "debit_amount, credits, credit_amount, reversals,"                                             \
    " reversal_amount, opened, closed, submitted, settled, hash, attempts, outcome, day FROM "     \
    "remise JOIN contract USING (contract) "

static void read_remise(struct remise *r, sqlite3_stmt *s)
{
    const struct span hash = db_column_span(s, 15);

    *r = (struct remise){0};
    db_column_copy(r->contract, sizeof(r->contract), s, 1);
    r->number = (uint32_t)sqlite3_column_int64(s, 2);
    r->state = (enum remise_state)sqlite3_column_int(s, 3);
    r->currency = (uint16_t)sqlite3_column_int(s, 4);
    r->totals.debits = (uint32_t)sqlite3_column_int64(s, 5);
    r->totals.debit_amount = sqlite3_column_int64(s, 6);
    r->totals.credits = (uint32_t)sqlite3_column_int64(s, 7);
    r->totals.credit_amount = sqlite3_column_int64(s, 8);
    r->totals.reversals = (uint32_t)sqlite3_column_int64(s, 9);
    r->totals.reversal_amount = sqlite3_column_int64(s, 10);
    r->opened = sqlite3_column_int64(s, 11);
    r->closed = sqlite3_column_int64(s, 12);
    r->submitted = sqlite3_column_int64(s, 13);
    r->settled = sqlite3_column_int64(s, 14);
    if (hash.n == sizeof(r->content_hash))
        memcpy(r->content_hash, hash.p, hash.n);
    r->attempts = (uint32_t)sqlite3_column_int64(s, 16);
    db_column_copy(r->outcome, sizeof(r->outcome), s, 17);
    r->day = sqlite3_column_int(s, 18);
}

/* number 0: the open one. *id is its row. */
static enum tp_err find_remise(struct ledger *l, const char *contract, uint32_t number, int64_t *id,
                               struct remise *remise, struct tp_error *e)
{
    bool row = false;
    sqlite3_stmt *s = NULL;
    enum tp_err r =
        number == 0
            ? db_prepare(l->db, &s, REMISE_COLUMNS "WHERE contract.id = ?1 AND remise.state = 0", e)
            : db_prepare(l->db, &s, REMISE_COLUMNS "WHERE contract.id = ?1 AND remise.number = ?2",
                         e);

    if (r != TP_OK)
        return r;
    db_bind_text(s, 1, contract);
    if (number != 0)
        sqlite3_bind_int64(s, 2, number);
    r = db_step(l->db, s, &row, e);
    if (r == TP_OK && !row && number == 0)
        return tp_fail(e, TP_ERR_NOT_FOUND, "there is no contract %s: see contract list", contract);
    if (r == TP_OK && !row)
        return tp_fail(e, TP_ERR_NOT_FOUND, "contract %s has no remise %u: see remise list",
                       contract, number);
    if (r == TP_OK) {
        *id = sqlite3_column_int64(s, 0);
        read_remise(remise, s);
    }
    sqlite3_reset(s);
    return r;
}

enum tp_err ledger_remise_get(struct ledger *l, const char *contract, uint32_t number,
                              struct remise *r, struct tp_error *e)
{
    int64_t id;

    if (number == 0)
        return tp_fail(e, TP_ERR_NOT_FOUND, "remises are numbered from 1");
    return find_remise(l, contract, number, &id, r, e);
}

enum tp_err ledger_remise_running(struct ledger *l, const char *contract, struct remise *r,
                                  struct tp_error *e)
{
    int64_t id;

    return find_remise(l, contract, 0, &id, r, e);
}

enum tp_err ledger_remise_each(struct ledger *l, const char *contract, int state,
                               ledger_remise_visit *visit, void *ctx, struct tp_error *e)
{
    struct remise remise;
    bool row = false;
    sqlite3_stmt *s = NULL;
    enum tp_err r =
        db_prepare(l->db, &s,
                   REMISE_COLUMNS "WHERE (?1 IS NULL OR contract.id = ?1) AND (?2 < 0 OR "
                                  "remise.state = ?2) ORDER BY contract.id, remise.number",
                   e);

    if (r == TP_OK) {
        db_bind_text(s, 1, contract);
        sqlite3_bind_int(s, 2, state);
    }
    while (r == TP_OK) {
        r = db_step(l->db, s, &row, e);
        if (r != TP_OK || !row)
            break;
        read_remise(&remise, s);
        r = visit(ctx, &remise, e);
    }
    if (s != NULL)
        sqlite3_reset(s);
    return r;
}

/* The order is that of the reference numbers, from the index of the remise: no sort, whatever its
 * size. */
#define ITEMS                                                                                      \
    "WHERE tx.remise = (SELECT remise FROM remise JOIN contract USING (contract) WHERE "           \
    "contract.id = ?1 AND number = ?2)"                                                            \
    " AND reversal.rrn IS NULL ORDER BY tx.rrn"

enum tp_err ledger_remise_items(struct ledger *l, const char *contract, uint32_t number,
                                ledger_visit *visit, void *ctx, struct tp_error *e)
{
    struct remise remise;
    sqlite3_stmt *s = NULL;
    enum tp_err r = ledger_remise_get(l, contract, number, &remise, e);

    if (r == TP_OK && remise.state == REMISE_OPEN)
        r = tp_fail(e, TP_ERR_STATE, "remise %u of contract %s is still open: close it first",
                    number, contract);
    if (r == TP_OK)
        r = db_prepare(l->db, &s, "SELECT " TX_COLUMNS TX_TABLES ITEMS, e);
    if (r != TP_OK)
        return r;
    db_bind_text(s, 1, contract);
    sqlite3_bind_int64(s, 2, number);
    return ledger_tx_walk(l, s, visit, ctx, e);
}

/* ---- the way of a remise ---- */

static enum tp_err freeze(struct ledger *l, int64_t id, time_t now, struct tp_error *e)
{
    sqlite3_stmt *s = NULL;
    enum tp_err r = db_prepare(
        l->db, &s,
        "UPDATE remise SET state = 1, closed = ?2, day = ?3 WHERE remise = ?1 AND state = 0", e);

    if (r != TP_OK)
        return r;
    sqlite3_bind_int64(s, 1, id);
    sqlite3_bind_int64(s, 2, now);
    sqlite3_bind_int(s, 3, date_of(now));
    r = db_run(l->db, s, e);
    if (r == TP_OK && sqlite3_changes(db_handle(l->db)) != 1)
        return tp_fail(e, TP_ERR_INTERNAL,
                       "the open remise was closed within a database transaction");
    return r;
}

static enum tp_err open_next(struct ledger *l, int64_t id, time_t now, struct tp_error *e)
{
    sqlite3_stmt *s = NULL;
    enum tp_err r = db_prepare(l->db, &s,
                               "INSERT INTO remise (contract, number, state, opened) SELECT "
                               "contract, number + 1, 0, ?2 FROM remise WHERE remise = ?1",
                               e);

    if (r != TP_OK)
        return r;
    sqlite3_bind_int64(s, 1, id);
    sqlite3_bind_int64(s, 2, now);
    return db_run(l->db, s, e);
}

enum tp_err ledger_remise_close(struct ledger *l, const char *contract, struct remise *closed,
                                struct tp_error *e)
{
    const time_t now = time(NULL);
    bool own = false;
    int64_t id = 0;
    enum tp_err r = ledger_begin(l, &own, e);

    if (r != TP_OK)
        return r;
    r = find_remise(l, contract, 0, &id, closed, e);
    if (r == TP_OK && closed->totals.debits == 0 && closed->totals.credits == 0)
        r = tp_fail(e, TP_ERR_NOT_FOUND,
                    "remise %u of contract %s has nothing to collect: it stays open",
                    closed->number, contract);
    if (r == TP_OK)
        r = freeze(l, id, now, e);
    if (r == TP_OK)
        r = open_next(l, id, now, e);
    if (r == TP_OK)
        r = find_remise(l, contract, closed->number, &id, closed, e);
    return ledger_end(l, own, r, e);
}

static enum tp_err not_in_state(const struct remise *remise, const char *wanted, struct tp_error *e)
{
    return tp_fail(e, TP_ERR_STATE, "remise %u of contract %s is %s: %s", remise->number,
                   remise->contract, remise_state_name(remise->state), wanted);
}

static enum tp_err mark_submitted(struct ledger *l, int64_t id, const uint8_t hash[32],
                                  struct tp_error *e)
{
    sqlite3_stmt *s = NULL;
    enum tp_err r = db_prepare(l->db, &s,
                               "UPDATE remise SET state = 2, hash = ?2, attempts = attempts + 1,"
                               " submitted = CASE submitted WHEN 0 THEN ?3 ELSE submitted END "
                               "WHERE remise = ?1 AND state IN (1, 2)",
                               e);

    if (r != TP_OK)
        return r;
    sqlite3_bind_int64(s, 1, id);
    db_bind_span(s, 2, span_of(hash, 32));
    sqlite3_bind_int64(s, 3, time(NULL));
    return db_run(l->db, s, e);
}

enum tp_err ledger_remise_submitted(struct ledger *l, const char *contract, uint32_t number,
                                    const uint8_t hash[32], struct tp_error *e)
{
    struct remise remise;
    bool own = false;
    int64_t id = 0;
    enum tp_err r = ledger_begin(l, &own, e);

    if (r != TP_OK)
        return r;
    r = number == 0 ? tp_fail(e, TP_ERR_NOT_FOUND, "remises are numbered from 1")
                    : find_remise(l, contract, number, &id, &remise, e);
    if (r == TP_OK && remise.state != REMISE_CLOSED && remise.state != REMISE_SUBMITTED)
        r = not_in_state(&remise, "only a closed one that is not settled is submitted", e);
    if (r == TP_OK && remise.attempts > 0 &&
        memcmp(remise.content_hash, hash, sizeof(remise.content_hash)) != 0)
        r = tp_fail(e, TP_ERR_EXISTS,
                    "remise %u of contract %s would not be sent with the bytes of its first "
                    "attempt: run audit",
                    number, contract);
    if (r == TP_OK)
        r = mark_submitted(l, id, hash, e);
    return ledger_end(l, own, r, e);
}

static enum tp_err settle(struct ledger *l, int64_t id, enum remise_state state,
                          const char *outcome, struct tp_error *e)
{
    sqlite3_stmt *s = NULL;
    enum tp_err r = db_prepare(
        l->db, &s,
        "UPDATE remise SET state = ?2, outcome = ?3, settled = ?4 WHERE remise = ?1 AND state = 2",
        e);

    if (r != TP_OK)
        return r;
    sqlite3_bind_int64(s, 1, id);
    sqlite3_bind_int(s, 2, state == REMISE_COLLECTED ? 3 : 4);
    db_bind_text(s, 3, outcome);
    sqlite3_bind_int64(s, 4, time(NULL));
    r = db_run(l->db, s, e);
    if (r == TP_OK && sqlite3_changes(db_handle(l->db)) != 1)
        return tp_fail(e, TP_ERR_INTERNAL, "the remise changed within a database transaction");
    return r;
}

/* ---- refused items ---- */

static int by_sequence(const void *a, const void *b)
{
    const uint32_t x = ((const struct remise_refusal *)a)->sequence,
                   y = ((const struct remise_refusal *)b)->sequence;

    return x < y ? -1 : x > y ? 1 : 0;
}

static enum tp_err suspend(struct ledger *l, int64_t rrn, const char *reason, struct tp_error *e)
{
    sqlite3_stmt *s = NULL;
    enum tp_err r =
        db_prepare(l->db, &s, "INSERT INTO suspense (rrn, reason, since) VALUES (?1, ?2, ?3)", e);

    if (r != TP_OK)
        return r;
    sqlite3_bind_int64(s, 1, rrn);
    db_bind_text(s, 2, reason);
    sqlite3_bind_int64(s, 3, time(NULL));
    return db_run(l->db, s, e);
}

/* One pass over the numbers of the remise beside the sorted refusals. */
static enum tp_err suspend_sorted(struct ledger *l, int64_t id,
                                  const struct remise_refusal *refused, size_t n,
                                  struct tp_error *e)
{
    size_t done = 0;
    bool row = false;
    sqlite3_stmt *s = NULL;
    enum tp_err r = db_prepare(l->db, &s,
                               "SELECT tx.rrn FROM tx LEFT JOIN reversal ON reversal.rrn = tx.rrn "
                               "WHERE tx.remise = ?1 AND reversal.rrn IS NULL ORDER BY tx.rrn",
                               e);

    if (r == TP_OK)
        sqlite3_bind_int64(s, 1, id);
    for (uint32_t sequence = 1; r == TP_OK && done < n; sequence++) {
        r = db_step(l->db, s, &row, e);
        if (r == TP_OK && (!row || refused[done].sequence < sequence))
            r = tp_fail(e, TP_ERR_RANGE,
                        "the centre refuses item %u, which the remise does not have or which it "
                        "names twice",
                        refused[done].sequence);
        if (r == TP_OK && refused[done].sequence == sequence)
            r = suspend(l, sqlite3_column_int64(s, 0), refused[done++].reason, e);
    }
    if (s != NULL)
        sqlite3_reset(s);
    return r;
}

static enum tp_err suspend_refused(struct ledger *l, int64_t id,
                                   const struct remise_refusal *refused, size_t n,
                                   struct tp_error *e)
{
    struct remise_refusal *sorted;
    enum tp_err r;

    if (n == 0)
        return TP_OK;
    sorted = calloc(n, sizeof(*sorted));
    if (sorted == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory for %zu refused items", n);
    memcpy(sorted, refused, n * sizeof(*sorted));
    qsort(sorted, n, sizeof(*sorted), by_sequence);
    r = suspend_sorted(l, id, sorted, n, e);
    free(sorted);
    return r;
}

static enum tp_err suspend_all(struct ledger *l, int64_t id, const char *reason, struct tp_error *e)
{
    sqlite3_stmt *s = NULL;
    enum tp_err r = db_prepare(
        l->db, &s,
        "INSERT INTO suspense (rrn, reason, since) SELECT tx.rrn, substr(?2, 1, 79), ?3 FROM tx"
        " LEFT JOIN reversal ON reversal.rrn = tx.rrn WHERE tx.remise = ?1 AND reversal.rrn IS "
        "NULL",
        e);

    if (r != TP_OK)
        return r;
    sqlite3_bind_int64(s, 1, id);
    db_bind_text(s, 2, reason);
    sqlite3_bind_int64(s, 3, time(NULL));
    return db_run(l->db, s, e);
}

static enum tp_err count_suspended(struct ledger *l, int64_t id, size_t *n, struct tp_error *e)
{
    bool row = false;
    sqlite3_stmt *s = NULL;
    enum tp_err r = db_prepare(
        l->db, &s, "SELECT count(*) FROM tx JOIN suspense USING (rrn) WHERE tx.remise = ?1", e);

    if (r != TP_OK)
        return r;
    sqlite3_bind_int64(s, 1, id);
    r = db_step(l->db, s, &row, e);
    *n = row ? (size_t)sqlite3_column_int64(s, 0) : 0;
    sqlite3_reset(s);
    return r;
}

/* The row of a submitted remise; *again when it is settled so already. */
static enum tp_err find_to_settle(struct ledger *l, const char *contract, uint32_t number,
                                  enum remise_state as, int64_t *id, bool *again,
                                  struct tp_error *e)
{
    struct remise remise;
    enum tp_err r = number == 0 ? tp_fail(e, TP_ERR_NOT_FOUND, "remises are numbered from 1")
                                : find_remise(l, contract, number, id, &remise, e);

    if (r != TP_OK)
        return r;
    *again = remise.state == as;
    return *again || remise.state == REMISE_SUBMITTED
               ? TP_OK
               : not_in_state(&remise, "only a submitted one is settled", e);
}

enum tp_err ledger_remise_collected(struct ledger *l, const char *contract, uint32_t number,
                                    const struct remise_refusal *refused, size_t n,
                                    const char *outcome, struct tp_error *e)
{
    bool own = false, again = false;
    int64_t id = 0;
    size_t suspended = 0;
    enum tp_err r = ledger_begin(l, &own, e);

    if (r != TP_OK)
        return r;
    r = find_to_settle(l, contract, number, REMISE_COLLECTED, &id, &again, e);
    if (r == TP_OK && !again)
        r = suspend_refused(l, id, refused, n, e);
    if (r == TP_OK && !again)
        r = settle(l, id, REMISE_COLLECTED, outcome, e);
    if (r == TP_OK && again)
        r = count_suspended(l, id, &suspended, e);
    if (r == TP_OK && again && suspended != n)
        r = tp_fail(
            e, TP_ERR_EXISTS,
            "remise %u of contract %s is collected with %zu refused items, not %zu: ask the centre",
            number, contract, suspended, n);
    return ledger_end(l, own, r, e);
}

enum tp_err ledger_remise_rejected(struct ledger *l, const char *contract, uint32_t number,
                                   const char *outcome, struct tp_error *e)
{
    bool own = false, again = false;
    int64_t id = 0;
    enum tp_err r = ledger_begin(l, &own, e);

    if (r != TP_OK)
        return r;
    r = find_to_settle(l, contract, number, REMISE_REJECTED, &id, &again, e);
    if (r == TP_OK && !again)
        r = suspend_all(l, id, outcome, e);
    if (r == TP_OK && !again)
        r = settle(l, id, REMISE_REJECTED, outcome, e);
    return ledger_end(l, own, r, e);
}

/* ---- what is not paid ---- */

/* From the suspense items, which are few; a remise may have a million transactions. */
enum tp_err ledger_remise_refused(struct ledger *l, const struct remise *r,
                                  struct remise_totals *refused, struct tp_error *e)
{
    bool row = false;
    sqlite3_stmt *s = NULL;
    enum tp_err err = TP_OK;

    *refused = (struct remise_totals){.debits = 0};
    if (r->state == REMISE_REJECTED) {
        *refused = r->totals;
        refused->reversals = 0;
        refused->reversal_amount = 0;
    }
    if (r->state != REMISE_COLLECTED)
        return TP_OK;
    err = db_prepare(l->db, &s,
                     "SELECT count(*) FILTER (WHERE kind = 0), coalesce(sum(amount) FILTER (WHERE "
                     "kind = 0), 0), count(*) FILTER (WHERE kind <> 0),"
                     " coalesce(sum(amount) FILTER (WHERE kind <> 0), 0) FROM suspense CROSS JOIN "
                     "tx ON tx.rrn = suspense.rrn WHERE tx.remise ="
                     " (SELECT remise FROM remise JOIN contract USING (contract) WHERE contract.id "
                     "= ?1 AND number = ?2)",
                     e);
    if (err != TP_OK)
        return err;
    db_bind_text(s, 1, r->contract);
    sqlite3_bind_int64(s, 2, r->number);
    err = db_step(l->db, s, &row, e);
    if (err == TP_OK && row) {
        refused->debits = (uint32_t)sqlite3_column_int64(s, 0);
        refused->debit_amount = sqlite3_column_int64(s, 1);
        refused->credits = (uint32_t)sqlite3_column_int64(s, 2);
        refused->credit_amount = sqlite3_column_int64(s, 3);
    }
    sqlite3_reset(s);
    return err;
}

void remise_paid(struct remise_totals *paid, const struct remise *r,
                 const struct remise_totals *refused)
{
    *paid = (struct remise_totals){.debits = 0};
    if (r->state != REMISE_COLLECTED)
        return;
    paid->debits = r->totals.debits - refused->debits;
    paid->debit_amount = r->totals.debit_amount - refused->debit_amount;
    paid->credits = r->totals.credits - refused->credits;
    paid->credit_amount = r->totals.credit_amount - refused->credit_amount;
}
