/* What the issuer was asked and said, and what was reversed. */
#include "issuer/book_priv.h"

#include <string.h>

#define AUTHORISATIONS                                                                             \
    "SELECT a.authorisation, a.acquirer, a.rrn, a.account, a.digest, a.pan_masked, a.kind,"        \
    " a.amount, a.currency, a.atc, a.code, a.reason, a.approval, a.reserved, a.day, a.at,"         \
    " a.answer, q.id AS acquirer_id, coalesce(a.ac, 3) AS ac,"                                     \
    " EXISTS (SELECT 1 FROM reversal r WHERE r.authorisation = a.authorisation) AS reversed"       \
    " FROM authorisation a JOIN acquirer q ON q.acquirer = a.acquirer "

struct row {
    struct authorisation a;
    struct span answer;
};

static const struct db_column columns[] = {
    DB_COLUMN_AS("authorisation", struct row, a.key),
    DB_COLUMN_AS("acquirer", struct row, a.acquirer),
    DB_COLUMN_AS("rrn", struct row, a.rrn),
    DB_COLUMN_AS("account", struct row, a.account),
    DB_COLUMN_AS("digest", struct row, a.digest),
    DB_COLUMN_AS("pan_masked", struct row, a.masked),
    DB_COLUMN_AS("kind", struct row, a.credit),
    DB_COLUMN_AS("amount", struct row, a.amount),
    DB_COLUMN_AS("currency", struct row, a.currency),
    DB_COLUMN_AS("atc", struct row, a.atc),
    DB_COLUMN_AS("code", struct row, a.answer.code),
    DB_COLUMN_AS("reason", struct row, a.answer.reason),
    DB_COLUMN_AS("approval", struct row, a.answer.approval),
    DB_COLUMN_AS("reserved", struct row, a.reserved),
    DB_COLUMN_AS("day", struct row, a.day),
    DB_COLUMN_AS("at", struct row, a.at),
    DB_COLUMN(struct row, answer),
    DB_COLUMN_AS("acquirer_id", struct row, a.acquirer_id),
    DB_COLUMN_AS("reversed", struct row, a.reversed),
    DB_COLUMN_AS("ac", struct row, a.ac),
};

static void take_answer(struct row *row)
{
    row->a.answer.data_n = book_bytes(row->a.answer.data, sizeof(row->a.answer.data), row->answer);
}

enum tp_err book_authorisation_find(struct book *b, int64_t acquirer, const char *rrn,
                                    struct authorisation *out, struct tp_error *e)
{
    struct row row = {.a = {.key = 0}};
    bool found = false;
    enum tp_err r =
        db_one(b->db, AUTHORISATIONS "WHERE a.acquirer = $1 AND a.rrn = $2",
               DB_VALUES(db_integer(acquirer), db_text(rrn)), DB_COLUMNS(columns), &row, &found, e);

    r = book_found(r, found, "authorisation", e);
    if (r != TP_OK)
        return r;
    take_answer(&row);
    *out = row.a;
    return TP_OK;
}

enum tp_err book_authorisation_next(struct book *b, int64_t *key, struct tp_error *e)
{
    return db_number(b->db, "SELECT coalesce(max(authorisation), 0) + 1 FROM authorisation",
                     DB_NONE, key, NULL, e);
}

enum tp_err book_authorisation_add(struct book *b, struct authorisation *a, struct tp_error *e)
{
    return db_number(
        b->db,
        "INSERT INTO authorisation (acquirer, rrn, account, digest, pan_masked, kind, amount,"
        " currency, atc, code, reason, approval, reserved, day, at, answer, ac)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"
        " RETURNING authorisation",
        DB_VALUES(db_integer(a->acquirer), db_text(a->rrn),
                  db_integer_or_null(a->account, a->account != 0), db_blob(SPAN_OF(a->digest)),
                  db_text(a->masked), db_integer(a->credit), db_integer(a->amount),
                  db_integer(a->currency), db_integer(a->atc), db_text(a->answer.code),
                  db_text(a->answer.reason), db_text(a->answer.approval), db_integer(a->reserved),
                  db_integer(a->day), db_integer(a->at),
                  db_blob(span_of(a->answer.data, a->answer.data_n)),
                  db_integer_or_null((int64_t)a->ac, a->ac != EMV_AC_NONE)),
        &a->key, NULL, e);
}

enum tp_err book_counter_free(struct book *b, int64_t account, uint16_t atc, int64_t acquirer,
                              bool *is_free, struct tp_error *e)
{
    int64_t in_the_way = 1;
    const enum tp_err r = db_number(
        b->db,
        "SELECT count(*) FROM authorisation a WHERE a.account = $1 AND a.atc = $2"
        " AND (a.ac IS NOT NULL OR a.code = '00') AND NOT (a.ac IS NOT NULL AND a.ac IN (1, 2)"
        " AND a.acquirer = $3"
        " AND EXISTS (SELECT 1 FROM reversal r WHERE r.authorisation = a.authorisation))",
        DB_VALUES(db_integer(account), db_integer(atc), db_integer(acquirer)), &in_the_way, NULL,
        e);

    *is_free = r == TP_OK && in_the_way == 0;
    return r;
}

#define NOT_REVERSED                                                                               \
    " AND NOT EXISTS (SELECT 1 FROM reversal r WHERE r.authorisation = a.authorisation)"

enum tp_err book_credited_on(struct book *b, int64_t account, int day, int64_t *sum,
                             struct tp_error *e)
{
    return db_number(
        b->db,
        "SELECT CAST(coalesce(sum(a.amount), 0) AS BIGINT) FROM authorisation a"
        " WHERE a.account = $1 AND a.day = $2 AND a.kind = 1 AND a.code = '00'" NOT_REVERSED,
        DB_VALUES(db_integer(account), db_integer(day)), sum, NULL, e);
}

enum tp_err book_reserved_on(struct book *b, int64_t account, int day, int64_t *sum,
                             struct tp_error *e)
{
    return db_number(b->db,
                     "SELECT CAST(coalesce(sum(a.reserved), 0) AS BIGINT) FROM authorisation a"
                     " WHERE a.account = $1 AND a.day = $2 AND a.reserved > 0" NOT_REVERSED,
                     DB_VALUES(db_integer(account), db_integer(day)), sum, NULL, e);
}

enum tp_err book_authorisation_each(struct book *b, int day,
                                    enum tp_err (*visit)(void *ctx, const struct authorisation *a,
                                                         struct tp_error *e),
                                    void *ctx, struct tp_error *e)
{
    const struct db_value of = db_integer(day);
    struct db_rows *rows = NULL;
    struct row row = {.a = {.key = 0}};
    bool found = true;
    enum tp_err r =
        db_query(b->db, &rows, AUTHORISATIONS "WHERE $1 = 0 OR a.day = $1 ORDER BY a.authorisation",
                 (struct db_values){&of, 1}, DB_COLUMNS(columns), e);

    while (r == TP_OK && (r = db_next(rows, &row, &found, e)) == TP_OK && found) {
        take_answer(&row);
        r = visit(ctx, &row.a, e);
    }
    db_end(&rows);
    return r;
}

/* ---- reversals ---- */

enum tp_err book_reversal_find(struct book *b, int64_t acquirer, const char *rrn, bool *there,
                               struct tp_error *e)
{
    int64_t at = 0;

    return db_number(b->db, "SELECT at FROM reversal WHERE acquirer = $1 AND rrn = $2",
                     DB_VALUES(db_integer(acquirer), db_text(rrn)), &at, there, e);
}

enum tp_err book_reversal_add(struct book *b, int64_t acquirer, const char *rrn,
                              int64_t authorisation, struct tp_error *e)
{
    return db_exec(
        b->db, "INSERT INTO reversal (acquirer, rrn, authorisation, at) VALUES ($1, $2, $3, $4)",
        DB_VALUES(db_integer(acquirer), db_text(rrn),
                  db_integer_or_null(authorisation, authorisation != 0), db_integer(time(NULL))),
        NULL, e);
}
