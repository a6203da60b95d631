/* What an account's key sends out, in the books; what its holder may see of them. */
#include <string.h>

#include "purse/book_priv.h"

enum tp_err book_emptied(struct book *b, struct payment_answer *out, bool *found,
                         const struct payment *p, struct tp_error *e)
{
    return book_answer_of(b,
                          "SELECT statement, record AS acknowledgement, code, reason, emptying AS"
                          " number FROM emptying WHERE account = $1 AND counter = $2",
                          out, found, p, e);
}

enum tp_err book_empty(struct book *b, const struct emptying *m, const struct standing *st,
                       int64_t number, const struct payment_answer *answer, time_t now,
                       struct tp_error *e)
{
    const bool sent = strcmp(answer->code, "00") == 0;
    const char *record = answer->acknowledgement != NULL ? answer->acknowledgement : "";
    const enum tp_err r = db_exec(
        b->db,
        "INSERT INTO emptying (emptying, account, counter, decided, amount, code, reason, iban,"
        " name, statement, record) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        DB_VALUES(db_integer(number), db_text(m->by.account), db_integer(m->by.counter),
                  db_integer(now), db_integer(m->by.amount), db_text(answer->code),
                  db_text(answer->reason), db_text(m->iban), db_text(m->name),
                  db_blob(span_str(m->by.statement)), db_blob(span_str(record))),
        NULL, e);

    return r == TP_OK ? book_count(b, &m->by, st, sent ? COUNTED_SENT : COUNTED_REFUSED, now, e)
                      : r;
}

enum tp_err book_emptyings(struct book *b, const char *account, int64_t *n, struct tp_error *e)
{
    return db_number(b->db,
                     "SELECT count(*) FROM emptying WHERE account = $1 AND code = '00' AND payout"
                     " IS NULL",
                     DB_VALUES(db_text(account)), n, NULL, e);
}

enum tp_err emptied_each(struct book *b, emptied_visit *visit, void *ctx, struct tp_error *e)
{
    static const struct db_column columns[] = {
        DB_COLUMN(struct emptied, emptying),
        DB_COLUMN(struct emptied, account),
        DB_COLUMN(struct emptied, counter),
        DB_COLUMN(struct emptied, amount),
        DB_COLUMN(struct emptied, currency),
        DB_COLUMN(struct emptied, code),
        DB_COLUMN(struct emptied, reason),
        DB_COLUMN(struct emptied, iban),
        DB_COLUMN(struct emptied, name),
        DB_COLUMN(struct emptied, payout),
        DB_COLUMN(struct emptied, statement),
        DB_COLUMN(struct emptied, record),
        DB_COLUMN_AS("decided", struct emptied, at),
    };
    struct emptied m;
    struct db_rows *rows = NULL;
    bool found = true;
    enum tp_err r = db_query(
        b->db, &rows,
        "SELECT m.emptying, m.account, m.counter, m.amount, a.currency, m.code, m.reason, m.iban,"
        " m.name, m.payout, m.statement, m.record, m.decided FROM emptying m JOIN account a ON"
        " a.account = m.account ORDER BY m.emptying",
        DB_NONE, DB_COLUMNS(columns), e);

    while (r == TP_OK && (r = db_next(rows, &m, &found, e)) == TP_OK && found)
        r = visit(ctx, &m, e);
    db_end(&rows);
    return r;
}

/* ---- all of an account ---- */

/* Their numbers come first, which take little to find and to sort; then as many records as are
 * wanted: one page takes no longer, and no more room, than another. */
#define NUMBERS                                                                                    \
    "SELECT payment AS number, account FROM payment"                                               \
    " UNION ALL SELECT booking, account FROM booking"                                              \
    " UNION ALL SELECT reversal, account FROM reversal JOIN payment USING (payment)"               \
    " UNION ALL SELECT emptying, account FROM emptying"                                            \
    " UNION ALL SELECT provision, account FROM provision"                                          \
    " UNION ALL SELECT voucher, account FROM voucher JOIN provision USING (provision)"
#define RECORDS                                                                                    \
    "SELECT payment AS number, 3 AS kind, decided AS at, amount, code, reason,"                    \
    " statement AS signed_by, challenge, acknowledgement AS word FROM payment"                     \
    " WHERE payment IN (SELECT number FROM page)"                                                  \
    " UNION ALL SELECT booking, kind, booked, amount, '00', '', NULL, NULL, record FROM booking"   \
    " WHERE booking IN (SELECT number FROM page)"                                                  \
    " UNION ALL SELECT x.reversal, 4, x.reversed, p.amount, '00', '', x.demand, NULL, NULL FROM"   \
    " reversal x JOIN payment p ON p.payment = x.payment"                                          \
    " WHERE x.reversal IN (SELECT number FROM page)"                                               \
    " UNION ALL SELECT emptying, 5, decided, amount, code, reason, statement, NULL, record FROM"   \
    " emptying WHERE emptying IN (SELECT number FROM page)"                                        \
    " UNION ALL SELECT provision, 6, decided, amount, code, reason, statement, NULL,"              \
    " acknowledgement FROM provision WHERE provision IN (SELECT number FROM page)"                 \
    " UNION ALL SELECT voucher, 7, presented, amount, '00', '', demand, NULL, NULL FROM voucher"   \
    " WHERE voucher IN (SELECT number FROM page)"
#define HISTORY(side, order)                                                                       \
    "WITH page AS (SELECT number FROM (" NUMBERS ") AS a WHERE account = $1 AND number " side      \
    " $2 ORDER BY 1" order " LIMIT $3) " RECORDS " ORDER BY 1" order

static enum tp_err history(struct book *b, const char *sql, const char *account, int64_t from,
                           int64_t most, history_visit *visit, void *ctx, struct tp_error *e)
{
    static const struct db_column columns[] = {
        DB_COLUMN(struct history, number),    DB_COLUMN(struct history, kind),
        DB_COLUMN(struct history, at),        DB_COLUMN(struct history, amount),
        DB_COLUMN(struct history, code),      DB_COLUMN(struct history, reason),
        DB_COLUMN(struct history, signed_by), DB_COLUMN(struct history, challenge),
        DB_COLUMN(struct history, word),
    };
    struct history h;
    struct db_rows *rows = NULL;
    bool found = true;
    enum tp_err r =
        db_query(b->db, &rows, sql, DB_VALUES(db_text(account), db_integer(from), db_integer(most)),
                 DB_COLUMNS(columns), e);

    while (r == TP_OK && (r = db_next(rows, &h, &found, e)) == TP_OK && found)
        r = visit(ctx, &h, e);
    db_end(&rows);
    return r;
}

enum tp_err book_history(struct book *b, const char *account, int64_t after, int64_t most,
                         history_visit *visit, void *ctx, struct tp_error *e)
{
    return history(b, HISTORY(">", ""), account, after, most, visit, ctx, e);
}

enum tp_err book_history_back(struct book *b, const char *account, int64_t before, int64_t most,
                              history_visit *visit, void *ctx, struct tp_error *e)
{
    return history(b, HISTORY("<", " DESC"), account, before, most, visit, ctx, e);
}

enum tp_err book_reserved(struct book *b, const char *account, int64_t most, reserved_visit *visit,
                          void *ctx, struct tp_error *e)
{
    static const struct db_column columns[] = {
        DB_COLUMN(struct reserved, mediator), DB_COLUMN(struct reserved, amount),
        DB_COLUMN(struct reserved, drawn), DB_COLUMN_AS("good_until", struct reserved, until)};
    struct reserved one;
    struct db_rows *rows = NULL;
    bool found = true;
    enum tp_err r = db_query(b->db, &rows,
                             "SELECT mediator, amount, drawn, good_until FROM provision WHERE"
                             " account = $1 AND code = '00' AND ended IS NULL ORDER BY provision"
                             " DESC LIMIT $2",
                             DB_VALUES(db_text(account), db_integer(most)), DB_COLUMNS(columns), e);

    while (r == TP_OK && (r = db_next(rows, &one, &found, e)) == TP_OK && found)
        r = visit(ctx, &one, e);
    db_end(&rows);
    return r;
}
