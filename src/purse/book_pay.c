/* Payments in the books; the row of numbers. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "purse/book_priv.h"

struct answered {
    struct span statement, acknowledgement;
    char code[3], reason[26];
    int64_t number;
};

void payment_number(char out[BOOK_NUMBER], int64_t number)
{
    snprintf(out, BOOK_NUMBER, "%012" PRId64,
             number >= 0 && number <= INT64_C(999999999999) ? number : 0);
}

enum tp_err book_answer_of(struct book *b, const char *sql, struct payment_answer *out, bool *found,
                           const struct payment *p, struct tp_error *e)
{
    static const struct db_column columns[] = {
        DB_COLUMN(struct answered, statement), DB_COLUMN(struct answered, acknowledgement),
        DB_COLUMN(struct answered, code),      DB_COLUMN(struct answered, reason),
        DB_COLUMN(struct answered, number),
    };
    struct answered a;
    enum tp_err r = db_one(b->db, sql, DB_VALUES(db_text(p->account), db_integer(p->counter)),
                           DB_COLUMNS(columns), &a, found, e);

    if (r != TP_OK || !*found || !span_eq(a.statement, span_str(p->statement))) {
        *found = false;
        return r;
    }
    memcpy(out->code, a.code, sizeof(a.code));
    memcpy(out->reason, a.reason, sizeof(a.reason));
    payment_number(out->number, a.number);
    if (a.acknowledgement.n == 0)
        return TP_OK;
    out->acknowledgement = span_text(a.acknowledgement);
    return out->acknowledgement != NULL ? TP_OK : tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
}

enum tp_err book_answered(struct book *b, struct payment_answer *out, bool *found,
                          const struct payment *p, struct tp_error *e)
{
    return book_answer_of(b,
                          "SELECT statement, acknowledgement, code, reason, payment AS number FROM"
                          " payment WHERE account = $1 AND counter = $2",
                          out, found, p, e);
}

enum tp_err book_standing(struct book *b, struct standing *out, const struct payment *p, time_t now,
                          struct tp_error *e)
{
    static const struct db_column columns[] = {
        DB_COLUMN(struct standing, key),
        DB_COLUMN(struct standing, currency),
        DB_COLUMN(struct standing, contract_currency),
        DB_COLUMN(struct standing, balance),
        DB_COLUMN(struct standing, counter),
        DB_COLUMN(struct standing, spent),
        DB_COLUMN(struct standing, refused),
        DB_COLUMN(struct standing, filled),
        DB_COLUMN(struct standing, state),
        DB_COLUMN(struct standing, counted),
        DB_COLUMN(struct standing, mediator),
        DB_COLUMN(struct standing, mediator_open),
        DB_COLUMN(struct standing, contract),
        DB_COLUMN(struct standing, contract_open),
        DB_COLUMN(struct standing, paid),
        DB_COLUMN(struct standing, remise),
    };

    *out = (struct standing){.known = false};
    return db_one(
        b->db,
        "SELECT a.key, a.currency, c.currency AS contract_currency, a.balance - a.reserved AS "
        "balance,"
        " a.counter,"
        " CASE WHEN a.day = $3 THEN a.spent ELSE 0 END AS spent,"
        " CASE WHEN a.day = $3 THEN a.refused ELSE 0 END AS refused,"
        " EXISTS (SELECT 1 FROM booking WHERE account = a.account AND kind <> 1) AS filled,"
        " a.state,"
        " EXISTS (SELECT 1 FROM payment WHERE account = a.account AND counter = $2) OR"
        " EXISTS (SELECT 1 FROM emptying WHERE account = a.account AND counter = $2) OR"
        " EXISTS (SELECT 1 FROM provision WHERE account = a.account AND counter = $2) AS counted,"
        " EXISTS (SELECT 1 FROM mediator WHERE mediator = $4) AS mediator,"
        " EXISTS (SELECT 1 FROM mediator WHERE mediator = $4 AND closed IS NULL) AS mediator_open,"
        " c.contract IS NOT NULL AS contract,"
        " c.contract IS NOT NULL AND c.closed IS NULL AS contract_open,"
        " EXISTS (SELECT 1 FROM payment WHERE mediator = $4 AND order_id = $6 AND code = '00') AS "
        "paid,"
        " (SELECT remise FROM remise WHERE contract = $5 AND closed IS NULL) AS remise"
        " FROM account a LEFT JOIN contract c ON c.contract = $5 WHERE a.account = $1",
        DB_VALUES(db_text(p->account), db_integer(p->counter), db_integer(date_of(now)),
                  db_text(p->mediator), db_text(p->contract), db_text(p->order)),
        DB_COLUMNS(columns), out, &out->known, e);
}

enum tp_err book_next(struct book *b, int64_t *number, struct tp_error *e)
{
    return db_number(
        b->db,
        "SELECT coalesce(max(n), 0) + 1 FROM (SELECT max(payment) AS n FROM payment"
        " UNION ALL SELECT max(booking) FROM booking UNION ALL SELECT max(reversal) FROM reversal"
        " UNION ALL SELECT max(emptying) FROM emptying UNION ALL SELECT max(provision) FROM"
        " provision UNION ALL SELECT max(voucher) FROM voucher) AS record",
        DB_NONE, number, NULL, e);
}

enum tp_err book_count(struct book *b, const struct payment *p, const struct standing *st,
                       enum counted as, time_t now, struct tp_error *e)
{
    const int64_t counter = p->counter > st->counter ? p->counter : st->counter;
    enum tp_err r = db_exec(
        b->db,
        "UPDATE account SET counter = $2, day = $3, spent = $4, refused = $5 WHERE account = $1",
        DB_VALUES(
            db_text(p->account), db_integer(counter), db_integer(date_of(now)),
            db_integer(st->spent + (as == COUNTED_PAID || as == COUNTED_RESERVED ? p->amount : 0)),
            db_integer(st->refused + (as == COUNTED_REFUSED ? 1 : 0))),
        NULL, e);

    if (r == TP_OK && (as == COUNTED_PAID || as == COUNTED_SENT))
        r = db_exec(b->db, "UPDATE account SET balance = balance - $2 WHERE account = $1",
                    DB_VALUES(db_text(p->account), db_integer(p->amount)), NULL, e);
    if (r == TP_OK && as == COUNTED_RESERVED)
        r = db_exec(b->db, "UPDATE account SET reserved = reserved + $2 WHERE account = $1",
                    DB_VALUES(db_text(p->account), db_integer(p->amount)), NULL, e);
    return r;
}

enum tp_err book_keep(struct book *b, const struct payment *p, const struct standing *st,
                      int64_t number, const struct payment_answer *answer, time_t now,
                      struct tp_error *e)
{
    const bool paid = strcmp(answer->code, "00") == 0;
    enum tp_err r = db_exec(
        b->db,
        "INSERT INTO payment (payment, account, counter, decided, mediator, order_id, contract,"
        " amount, currency, code, reason, remise, statement, challenge, acknowledgement)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
        DB_VALUES(db_integer(number), db_text(p->account), db_integer(p->counter), db_integer(now),
                  db_text(p->mediator), db_text(p->order), db_text(p->contract),
                  db_integer(p->amount), db_integer(p->currency), db_text(answer->code),
                  db_text(answer->reason), db_integer_or_null(st->remise, paid),
                  db_blob(span_str(p->statement)), db_blob(span_str(p->challenge)),
                  db_blob(span_str(answer->acknowledgement))),
        NULL, e);

    return r == TP_OK ? book_count(b, p, st, paid ? COUNTED_PAID : COUNTED_REFUSED, now, e) : r;
}

/* ---- reading ---- */

static const struct db_column kept_columns[] = {
    DB_COLUMN(struct kept, payment),
    DB_COLUMN(struct kept, account),
    DB_COLUMN(struct kept, counter),
    DB_COLUMN(struct kept, amount),
    DB_COLUMN(struct kept, currency),
    DB_COLUMN(struct kept, mediator),
    DB_COLUMN_AS("order_id", struct kept, order),
    DB_COLUMN(struct kept, contract),
    DB_COLUMN(struct kept, code),
    DB_COLUMN(struct kept, reason),
    DB_COLUMN(struct kept, remise),
    DB_COLUMN_AS("decided", struct kept, at),
    DB_COLUMN(struct kept, statement),
    DB_COLUMN(struct kept, challenge),
    DB_COLUMN(struct kept, acknowledgement),
    DB_COLUMN(struct kept, reversal),
    DB_COLUMN(struct kept, reversed),
    DB_COLUMN(struct kept, demand),
};
#define KEPT_SELECT                                                                                \
    "SELECT p.payment, p.account, p.counter, p.amount, p.currency, p.mediator, p.order_id, "       \
    "p.contract, "                                                                                 \
    "p.code,"                                                                                      \
    " p.reason, r.number AS remise, p.decided, p.statement, p.challenge, p.acknowledgement,"       \
    " x.reversal, x.reversed, x.demand"                                                            \
    " FROM payment p LEFT JOIN remise r ON r.remise = p.remise LEFT JOIN reversal x ON x.payment " \
    "= p.payment"

static enum tp_err walk(struct book *b, const char *sql, struct db_values v, kept_visit *visit,
                        void *ctx, size_t *n, struct tp_error *e)
{
    struct kept k;
    struct db_rows *rows = NULL;
    bool found = true;
    enum tp_err r = db_query(b->db, &rows, sql, v, DB_COLUMNS(kept_columns), e);

    for (*n = 0; r == TP_OK && (r = db_next(rows, &k, &found, e)) == TP_OK && found; (*n)++)
        r = visit(ctx, &k, e);
    db_end(&rows);
    return r;
}

enum tp_err kept_each(struct book *b, const char *account, kept_visit *visit, void *ctx,
                      struct tp_error *e)
{
    size_t n;

    return account == NULL ? walk(b, KEPT_SELECT " ORDER BY p.payment", DB_NONE, visit, ctx, &n, e)
                           : walk(b, KEPT_SELECT " WHERE p.account = $1 ORDER BY p.payment",
                                  DB_VALUES(db_text(account)), visit, ctx, &n, e);
}

enum tp_err kept_get(struct book *b, int64_t payment, kept_visit *visit, void *ctx,
                     struct tp_error *e)
{
    size_t n;
    const enum tp_err r = walk(b, KEPT_SELECT " WHERE p.payment = $1",
                               DB_VALUES(db_integer(payment)), visit, ctx, &n, e);

    return r == TP_OK && n == 0
               ? tp_fail(e, TP_ERR_NOT_FOUND,
                         "there is no payment %012" PRId64 ": telepay-purse list", payment)
               : r;
}
