/* Accounts and their keys; what comes in and goes back. */
#include <string.h>

#include "base/text.h"
#include "purse/book_priv.h"

const char *account_state_name(enum account_state s)
{
    static const char *const names[] = {"open", "stopped", "closed"};

    return (unsigned)s < sizeof(names) / sizeof(names[0]) ? names[s] : "unknown";
}

static const struct db_column account_columns[] = {
    DB_COLUMN(struct account, account),  DB_COLUMN(struct account, key),
    DB_COLUMN(struct account, currency), DB_COLUMN(struct account, balance),
    DB_COLUMN(struct account, reserved), DB_COLUMN(struct account, counter),
    DB_COLUMN(struct account, state),    DB_COLUMN(struct account, reason),
    DB_COLUMN(struct account, opened),
};
#define ACCOUNT_SELECT                                                                             \
    "SELECT account, key, currency, balance, reserved, counter, state, reason, opened FROM "       \
    "account"

static enum tp_err find(struct book *b, const char *account, struct account *out, bool *found,
                        struct tp_error *e)
{
    return db_one(b->db, ACCOUNT_SELECT " WHERE account = $1", DB_VALUES(db_text(account)),
                  DB_COLUMNS(account_columns), out, found, e);
}

/* ---- keys ---- */

/* Whether the key is, or was, that of an account, or the account has had as many as it may. */
static enum tp_err is_taken(struct book *b, const char *account, const uint8_t key[ED25519_KEY],
                            bool *taken, struct tp_error *e)
{
    int64_t n = 0, had = 0;
    enum tp_err r = db_number(b->db, "SELECT count(*) FROM account_key WHERE key = $1",
                              DB_VALUES(db_blob(span_of(key, ED25519_KEY))), &n, NULL, e);

    if (r == TP_OK)
        r = db_number(b->db, "SELECT count(*) FROM account_key WHERE account = $1",
                      DB_VALUES(db_text(account)), &had, NULL, e);
    *taken = n > 0 || had >= BOOK_KEYS;
    return r;
}

static enum tp_err keep_key(struct book *b, const char *account, const uint8_t key[ED25519_KEY],
                            const char *statement, time_t now, struct tp_error *e)
{
    int64_t n = 0;
    const enum tp_err r =
        db_number(b->db, "SELECT count(*) + 1 FROM account_key WHERE account = $1",
                  DB_VALUES(db_text(account)), &n, NULL, e);

    return r == TP_OK ? db_exec(b->db,
                                "INSERT INTO account_key (account, number, key, statement, since)"
                                " VALUES ($1, $2, $3, $4, $5)",
                                DB_VALUES(db_text(account), db_integer(n),
                                          db_blob(span_of(key, ED25519_KEY)),
                                          db_blob(span_str(statement)), db_integer(now)),
                                NULL, e)
                      : r;
}

enum tp_err book_account_open(struct book *b, enum purse_verdict *verdict, struct account *out,
                              const uint8_t key[ED25519_KEY], uint16_t currency,
                              const char *statement, time_t now, struct tp_error *e)
{
    char number[PURSE_ACCOUNT];
    bool found = false, taken = false;
    enum tp_err r = ed25519_thumbprint(number, key, e);

    *out = (struct account){.currency = currency, .opened = now};
    if (r == TP_OK)
        r = find(b, number, out, &found, e);
    if (r == TP_OK && !found)
        r = is_taken(b, number, key, &taken, e);
    *verdict = !found && !taken                          ? PURSE_NEW
               : !found                                  ? PURSE_KEY
               : out->currency != currency               ? PURSE_CURRENCY
               : memcmp(out->key, key, ED25519_KEY) != 0 ? PURSE_KEY
                                                         : PURSE_REPEAT;
    if (r != TP_OK || *verdict != PURSE_NEW)
        return r;
    memcpy(out->account, number, sizeof(number));
    memcpy(out->key, key, ED25519_KEY);
    r = db_exec(
        b->db,
        "INSERT INTO account (account, key, currency, balance, counter, day, spent, refused,"
        " state, reason, opened) VALUES ($1, $2, $3, 0, 0, 0, 0, 0, 0, '', $4)",
        DB_VALUES(db_text(number), db_blob(span_of(key, ED25519_KEY)), db_integer(currency),
                  db_integer(now)),
        NULL, e);
    return r == TP_OK ? keep_key(b, number, key, statement, now, e) : r;
}

/* The same succession again: its key is the account's now, by this very statement. */
static enum tp_err is_done(struct book *b, const struct account *a, const uint8_t next[ED25519_KEY],
                           const char *statement, bool *done, struct tp_error *e)
{
    int64_t n = 0;
    enum tp_err r = TP_OK;

    if (memcmp(a->key, next, ED25519_KEY) == 0)
        r = db_number(b->db,
                      "SELECT count(*) FROM account_key WHERE account = $1 AND key = $2 AND"
                      " statement = $3",
                      DB_VALUES(db_text(a->account), db_blob(span_of(next, ED25519_KEY)),
                                db_blob(span_str(statement))),
                      &n, NULL, e);
    *done = n > 0;
    return r;
}

enum tp_err book_account_succeed(struct book *b, enum purse_verdict *verdict, const char *account,
                                 const uint8_t key[ED25519_KEY], const uint8_t next[ED25519_KEY],
                                 const char *statement, time_t now, struct tp_error *e)
{
    struct account a;
    bool found = false, done = false, taken = false;
    enum tp_err r = find(b, account, &a, &found, e);

    if (r == TP_OK && found)
        r = is_done(b, &a, next, statement, &done, e);
    if (r == TP_OK && found && !done)
        r = is_taken(b, account, next, &taken, e);
    *verdict = !found                                          ? PURSE_UNKNOWN
               : done                                          ? PURSE_REPEAT
               : memcmp(a.key, key, ED25519_KEY) != 0 || taken ? PURSE_KEY
               : a.state == ACCOUNT_STOPPED                    ? PURSE_STOPPED
               : a.state == ACCOUNT_CLOSED                     ? PURSE_ACCOUNT_CLOSED
                                                               : PURSE_NEW;
    if (r != TP_OK || *verdict != PURSE_NEW)
        return r;
    r = db_exec(b->db, "UPDATE account SET key = $2 WHERE account = $1",
                DB_VALUES(db_text(account), db_blob(span_of(next, ED25519_KEY))), NULL, e);
    return r == TP_OK ? keep_key(b, account, next, statement, now, e) : r;
}

struct key_row {
    uint8_t key[ED25519_KEY];
    struct span statement;
};

enum tp_err book_key_each(struct book *b, const char *account, book_key_visit *visit, void *ctx,
                          struct tp_error *e)
{
    static const struct db_column columns[] = {DB_COLUMN(struct key_row, key),
                                               DB_COLUMN(struct key_row, statement)};
    struct key_row row;
    struct db_rows *rows = NULL;
    bool found = true;
    enum tp_err r = db_query(
        b->db, &rows, "SELECT key, statement FROM account_key WHERE account = $1 ORDER BY number",
        DB_VALUES(db_text(account)), DB_COLUMNS(columns), e);

    while (r == TP_OK && (r = db_next(rows, &row, &found, e)) == TP_OK && found)
        r = visit(ctx, row.key, row.statement, e);
    db_end(&rows);
    return r;
}

/* ---- accounts ---- */

enum tp_err book_account_get(struct book *b, const char *account, struct account *out,
                             struct tp_error *e)
{
    bool found = false;
    const enum tp_err r = find(b, account, out, &found, e);

    return r == TP_OK && !found
               ? tp_fail(e, TP_ERR_NOT_FOUND,
                         "there is no account %.50s: telepay-purse account list", account)
               : r;
}

enum tp_err book_account_each(struct book *b, book_account_visit *visit, void *ctx,
                              struct tp_error *e)
{
    struct account a;
    struct db_rows *rows = NULL;
    bool found = true;
    enum tp_err r = db_query(b->db, &rows, ACCOUNT_SELECT " ORDER BY opened, account", DB_NONE,
                             DB_COLUMNS(account_columns), e);

    while (r == TP_OK && (r = db_next(rows, &a, &found, e)) == TP_OK && found)
        r = visit(ctx, &a, e);
    db_end(&rows);
    return r;
}

static enum tp_err may_become(const struct account *a, enum account_state state, struct tp_error *e)
{
    if (a->state == ACCOUNT_CLOSED || a->state == state)
        return tp_fail(e, TP_ERR_STATE, "account %s is %s", a->account,
                       account_state_name(a->state));
    if (state == ACCOUNT_CLOSED && a->balance != 0)
        return tp_fail(e, TP_ERR_STATE,
                       "account %s is not empty: telepay-purse account refund gives it back",
                       a->account);
    return TP_OK;
}

enum tp_err book_account_set(struct book *b, const char *account, enum account_state state,
                             const char *reason, struct tp_error *e)
{
    struct account a;
    enum tp_err r = db_begin(b->db, e);

    if (r != TP_OK)
        return r;
    r = book_account_get(b, account, &a, e);
    if (r == TP_OK)
        r = may_become(&a, state, e);
    if (r == TP_OK)
        r = db_exec(b->db, "UPDATE account SET state = $2, reason = $3 WHERE account = $1",
                    DB_VALUES(db_text(account), db_integer(state), db_text(reason)), NULL, e);
    return book_end(b, r, e);
}

/* ---- what comes in and goes back ---- */

static enum tp_err may_book(const struct account *a, const struct booking *what, int64_t most,
                            struct tp_error *e)
{
    if (a->state == ACCOUNT_CLOSED)
        return tp_fail(e, TP_ERR_STATE, "account %s is closed", a->account);
    if (what->kind == BOOKING_FILLED && what->amount > most - a->balance)
        return tp_fail(e, TP_ERR_STATE,
                       "account %s would hold more than an account may: send the transfer back",
                       a->account);
    if (what->kind == BOOKING_GIVEN_BACK && what->amount > a->balance - a->reserved)
        return tp_fail(e, TP_ERR_STATE, "account %s holds less than that%s", a->account,
                       a->reserved > 0 ? _(", but for what is reserved") : "");
    return TP_OK;
}

enum tp_err book_fill(struct book *b, const struct booking *what, int64_t *number,
                      struct tp_error *e)
{
    const int64_t moved = what->kind == BOOKING_GIVEN_BACK ? -what->amount : what->amount;
    enum tp_err r = book_next(b, number, e);

    if (r == TP_OK)
        r = db_exec(
            b->db,
            "INSERT INTO booking (booking, account, kind, amount, reference, booked, record,"
            " evidence) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            DB_VALUES(db_integer(*number), db_text(what->account), db_integer(what->kind),
                      db_integer(what->amount), db_text(what->reference), db_integer(what->at),
                      db_blob(what->record), db_blob_or_null(what->evidence, what->evidence.n > 0)),
            NULL, e);

    return r == TP_OK
               ? db_exec(b->db, "UPDATE account SET balance = balance + $2 WHERE account = $1",
                         DB_VALUES(db_text(what->account), db_integer(moved)), NULL, e)
               : r;
}

enum tp_err book_book(struct book *b, const struct booking *what, int64_t most, struct tp_error *e)
{
    struct account a;
    bool found = false;
    int64_t known = 0;
    enum tp_err r = db_begin(b->db, e);

    if (r != TP_OK)
        return r;
    r = db_number(b->db, "SELECT booking FROM booking WHERE kind = $1 AND reference = $2",
                  DB_VALUES(db_integer(what->kind), db_text(what->reference)), &known, &found, e);
    if (r == TP_OK && found)
        r = tp_fail(e, TP_ERR_EXISTS, "the transfer %s is booked already: nothing was changed",
                    what->reference);
    if (r == TP_OK)
        r = book_account_get(b, what->account, &a, e);
    if (r == TP_OK)
        r = may_book(&a, what, most, e);
    if (r == TP_OK)
        r = book_fill(b, what, &known, e);
    return book_end(b, r, e);
}

enum tp_err booking_each(struct book *b, booking_visit *visit, void *ctx, struct tp_error *e)
{
    static const struct db_column columns[] = {
        DB_COLUMN(struct booking, account),   DB_COLUMN(struct booking, kind),
        DB_COLUMN(struct booking, amount),    DB_COLUMN(struct booking, currency),
        DB_COLUMN(struct booking, reference), DB_COLUMN_AS("booked", struct booking, at),
        DB_COLUMN(struct booking, record),    DB_COLUMN(struct booking, evidence),
    };
    struct booking one;
    struct db_rows *rows = NULL;
    bool found = true;
    enum tp_err r = db_query(b->db, &rows,
                             "SELECT account, kind, amount, currency, reference, booked, record,"
                             " evidence"
                             " FROM booking JOIN account USING (account) ORDER BY booking",
                             DB_NONE, DB_COLUMNS(columns), e);

    while (r == TP_OK && (r = db_next(rows, &one, &found, e)) == TP_OK && found)
        r = visit(ctx, &one, e);
    db_end(&rows);
    return r;
}
