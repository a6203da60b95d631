#include "issuer/book_priv.h"

#include <string.h>

#define COLUMNS                                                                                    \
    "authorisation, acquirer, rrn, account, digest, pan_masked, kind, amount, currency, atc, "     \
    "code, reason, approval, reserved, day, at, answer, "                                          \
    "(SELECT id FROM acquirer WHERE acquirer.acquirer = authorisation.acquirer), "                 \
    "EXISTS (SELECT 1 FROM reversal WHERE reversal.authorisation = authorisation.authorisation), " \
    "coalesce(ac, 3)"

static void read_row(struct authorisation *out, sqlite3_stmt *s)
{
    memset(out, 0, sizeof(*out));
    out->key = sqlite3_column_int64(s, 0);
    out->acquirer = sqlite3_column_int64(s, 1);
    db_column_copy(out->rrn, sizeof(out->rrn), s, 2);
    out->account = sqlite3_column_int64(s, 3);
    book_bytes(out->digest, sizeof(out->digest), s, 4);
    db_column_copy(out->masked, sizeof(out->masked), s, 5);
    out->credit = sqlite3_column_int(s, 6) != 0;
    out->amount = sqlite3_column_int64(s, 7);
    out->currency = (uint16_t)sqlite3_column_int(s, 8);
    out->atc = (uint16_t)sqlite3_column_int(s, 9);
    db_column_copy(out->answer.code, sizeof(out->answer.code), s, 10);
    db_column_copy(out->answer.reason, sizeof(out->answer.reason), s, 11);
    db_column_copy(out->answer.approval, sizeof(out->answer.approval), s, 12);
    out->reserved = sqlite3_column_int64(s, 13);
    out->day = sqlite3_column_int(s, 14);
    out->at = (time_t)sqlite3_column_int64(s, 15);
    out->answer.data_n = book_bytes(out->answer.data, sizeof(out->answer.data), s, 16);
    db_column_copy(out->acquirer_id, sizeof(out->acquirer_id), s, 17);
    out->reversed = sqlite3_column_int(s, 18) != 0;
    out->ac = (enum emv_ac_type)sqlite3_column_int(s, 19);
}

enum tp_err book_authorisation_find(struct book *b, int64_t acquirer, const char *rrn,
                                    struct authorisation *out, struct tp_error *e)
{
    sqlite3_stmt *s;
    enum tp_err r = db_prepare(
        b->db, &s, "SELECT " COLUMNS " FROM authorisation WHERE acquirer = ?1 AND rrn = ?2", e);

    if (r != TP_OK)
        return r;
    sqlite3_bind_int64(s, 1, acquirer);
    db_bind_text(s, 2, rrn);
    r = book_one(b, s, "authorisation", e);
    if (r == TP_OK)
        read_row(out, s);
    sqlite3_reset(s);
    return r;
}

enum tp_err book_authorisation_next(struct book *b, int64_t *key, struct tp_error *e)
{
    sqlite3_stmt *s;
    enum tp_err r =
        db_prepare(b->db, &s, "SELECT coalesce(max(authorisation), 0) + 1 FROM authorisation", e);

    if (r == TP_OK)
        r = book_one(b, s, "number", e);
    if (r == TP_OK)
        *key = sqlite3_column_int64(s, 0);
    if (s != NULL)
        sqlite3_reset(s);
    return r;
}

enum tp_err book_authorisation_add(struct book *b, struct authorisation *a, struct tp_error *e)
{
    sqlite3_stmt *s;
    enum tp_err r = db_prepare(b->db, &s,
                               "INSERT INTO authorisation (acquirer, rrn, account, digest, "
                               "pan_masked, kind, amount, currency, atc, code, reason, approval,"
                               " reserved, day, at, answer, ac) VALUES (?1, ?2, ?3, ?4, ?5, ?6, "
                               "?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
                               e);

    if (r != TP_OK)
        return r;
    sqlite3_bind_int64(s, 1, a->acquirer);
    db_bind_text(s, 2, a->rrn);
    if (a->account != 0)
        sqlite3_bind_int64(s, 3, a->account);
    db_bind_span(s, 4, SPAN_OF(a->digest));
    db_bind_text(s, 5, a->masked);
    sqlite3_bind_int64(s, 6, a->credit);
    sqlite3_bind_int64(s, 7, a->amount);
    sqlite3_bind_int64(s, 8, a->currency);
    sqlite3_bind_int64(s, 9, a->atc);
    db_bind_text(s, 10, a->answer.code);
    db_bind_text(s, 11, a->answer.reason);
    db_bind_text(s, 12, a->answer.approval);
    sqlite3_bind_int64(s, 13, a->reserved);
    sqlite3_bind_int64(s, 14, a->day);
    sqlite3_bind_int64(s, 15, a->at);
    sqlite3_bind_blob(s, 16, a->answer.data, (int)a->answer.data_n, SQLITE_STATIC);
    if (a->ac != EMV_AC_NONE)
        sqlite3_bind_int64(s, 17, a->ac);
    r = db_run(b->db, s, e);
    if (r == TP_OK)
        a->key = sqlite3_last_insert_rowid(db_handle(b->db));
    return r;
}

enum tp_err book_counter_free(struct book *b, int64_t account, uint16_t atc, int64_t acquirer,
                              bool *is_free, struct tp_error *e)
{
    sqlite3_stmt *s;
    enum tp_err r = db_prepare(
        b->db, &s,
        "SELECT count(*) = coalesce(sum(ac IN (1, 2) AND acquirer = ?3 AND"
        " EXISTS (SELECT 1 FROM reversal WHERE reversal.authorisation = a.authorisation)), 0)"
        " FROM authorisation AS a WHERE account = ?1 AND atc = ?2 AND (ac IS NOT NULL OR code = "
        "'00')",
        e);

    *is_free = false;
    if (r != TP_OK)
        return r;
    sqlite3_bind_int64(s, 1, account);
    sqlite3_bind_int64(s, 2, atc);
    sqlite3_bind_int64(s, 3, acquirer);
    r = book_one(b, s, "counter", e);
    if (r == TP_OK)
        *is_free = sqlite3_column_int(s, 0) != 0;
    sqlite3_reset(s);
    return r;
}

/* A sum over what an account did on a day: ?1 is the account, ?2 the day. */
static enum tp_err sum_on(struct book *b, const char *sql, int64_t account, int day, int64_t *sum,
                          struct tp_error *e)
{
    sqlite3_stmt *s;
    enum tp_err r = db_prepare(b->db, &s, sql, e);

    if (r != TP_OK)
        return r;
    sqlite3_bind_int64(s, 1, account);
    sqlite3_bind_int64(s, 2, day);
    r = book_one(b, s, "sum", e);
    if (r == TP_OK)
        *sum = sqlite3_column_int64(s, 0);
    sqlite3_reset(s);
    return r;
}

#define NOT_REVERSED                                                                               \
    " AND NOT EXISTS (SELECT 1 FROM reversal WHERE reversal.authorisation = a.authorisation)"

enum tp_err book_credited_on(struct book *b, int64_t account, int day, int64_t *sum,
                             struct tp_error *e)
{
    return sum_on(b,
                  "SELECT coalesce(sum(amount), 0) FROM authorisation AS a"
                  " WHERE account = ?1 AND day = ?2 AND kind = 1 AND code = '00'" NOT_REVERSED,
                  account, day, sum, e);
}

enum tp_err book_reserved_on(struct book *b, int64_t account, int day, int64_t *sum,
                             struct tp_error *e)
{
    return sum_on(b,
                  "SELECT coalesce(sum(reserved), 0) FROM authorisation AS a"
                  " WHERE account = ?1 AND day = ?2 AND reserved > 0" NOT_REVERSED,
                  account, day, sum, e);
}

enum tp_err book_authorisation_each(struct book *b, int day,
                                    enum tp_err (*visit)(void *ctx, const struct authorisation *a,
                                                         struct tp_error *e),
                                    void *ctx, struct tp_error *e)
{
    sqlite3_stmt *s;
    bool row = false;
    enum tp_err r = db_prepare(
        b->db, &s,
        "SELECT " COLUMNS " FROM authorisation WHERE ?1 = 0 OR day = ?1 ORDER BY authorisation", e);

    if (r != TP_OK)
        return r;
    sqlite3_bind_int64(s, 1, day);
    while (r == TP_OK && (r = db_step(b->db, s, &row, e)) == TP_OK && row) {
        struct authorisation a;

        read_row(&a, s);
        r = visit(ctx, &a, e);
    }
    sqlite3_reset(s);
    return r;
}

/* ---- reversals ---- */

enum tp_err book_reversal_find(struct book *b, int64_t acquirer, const char *rrn, bool *there,
                               struct tp_error *e)
{
    sqlite3_stmt *s;
    enum tp_err r =
        db_prepare(b->db, &s, "SELECT 1 FROM reversal WHERE acquirer = ?1 AND rrn = ?2", e);

    *there = false;
    if (r != TP_OK)
        return r;
    sqlite3_bind_int64(s, 1, acquirer);
    db_bind_text(s, 2, rrn);
    r = db_step(b->db, s, there, e);
    sqlite3_reset(s);
    return r;
}

enum tp_err book_reversal_add(struct book *b, int64_t acquirer, const char *rrn,
                              int64_t authorisation, struct tp_error *e)
{
    sqlite3_stmt *s;
    const enum tp_err r = db_prepare(
        b->db, &s,
        "INSERT INTO reversal (acquirer, rrn, authorisation, at) VALUES (?1, ?2, ?3, ?4)", e);

    if (r != TP_OK)
        return r;
    sqlite3_bind_int64(s, 1, acquirer);
    db_bind_text(s, 2, rrn);
    if (authorisation != 0)
        sqlite3_bind_int64(s, 3, authorisation);
    sqlite3_bind_int64(s, 4, time(NULL));
    return db_run(b->db, s, e);
}
