/* Sessions in the books: what provisions hold, what vouchers draw from them, and their end. */
#include <string.h>

#include "purse/book_priv.h"

/* ---- provisions ---- */

enum tp_err book_provided(struct book *b, char **acknowledgement, bool *found,
                          const struct payment *p, struct tp_error *e)
{
    struct payment_answer was = {.acknowledgement = NULL};
    const enum tp_err r = book_answer_of(
        b,
        "SELECT statement, acknowledgement, code, reason, provision AS number FROM provision"
        " WHERE account = $1 AND counter = $2",
        &was, found, p, e);

    *acknowledgement = was.acknowledgement;
    return r;
}

enum tp_err book_provide(struct book *b, const struct provision *v, const struct standing *st,
                         int64_t number, const struct payment_answer *answer, time_t now,
                         struct tp_error *e)
{
    const bool reserved = strcmp(answer->code, "00") == 0;
    const struct payment *p = &v->by;
    const enum tp_err r = db_exec(
        b->db,
        "INSERT INTO provision (provision, account, counter, decided, key, mediator, session,"
        " amount, currency, good_until, code, reason, drawn, statement, acknowledgement)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, $13, $14)",
        DB_VALUES(db_integer(number), db_text(p->account), db_integer(p->counter), db_integer(now),
                  db_blob(SPAN_OF(p->key)), db_text(p->mediator), db_text(v->session),
                  db_integer(p->amount), db_integer(p->currency), db_integer(v->until),
                  db_text(answer->code), db_text(answer->reason), db_blob(span_str(p->statement)),
                  db_blob(span_str(answer->provision))),
        NULL, e);

    return r == TP_OK ? book_count(b, p, st, reserved ? COUNTED_RESERVED : COUNTED_REFUSED, now, e)
                      : r;
}

/* ---- sessions ---- */

enum tp_err book_session(struct book *b, struct session *out, bool *found, const char *session,
                         const char *contract, struct tp_error *e)
{
    static const struct db_column columns[] = {
        DB_COLUMN(struct session, provision), DB_COLUMN(struct session, account),
        DB_COLUMN(struct session, key),       DB_COLUMN(struct session, mediator),
        DB_COLUMN(struct session, amount),    DB_COLUMN(struct session, drawn),
        DB_COLUMN(struct session, currency),  DB_COLUMN(struct session, ended),
        DB_COLUMN(struct session, told),      DB_COLUMN(struct session, mediator_open),
        DB_COLUMN(struct session, open),      DB_COLUMN(struct session, balance),
        DB_COLUMN(struct session, remise),    DB_COLUMN(struct session, total),
        DB_COLUMN(struct session, voucher),
    };

    return db_one(
        b->db,
        "SELECT o.provision, o.account, o.key, o.mediator, o.amount, o.drawn, o.currency, o.ended,"
        " o.demand IS NOT NULL AS told, a.state <> 2 AS open, a.balance - a.reserved AS balance,"
        " EXISTS (SELECT 1 FROM mediator m WHERE m.mediator = o.mediator AND m.closed IS NULL) AS"
        " mediator_open,"
        " (SELECT r.remise FROM remise r JOIN contract c ON c.contract = r.contract WHERE"
        " r.contract = $2 AND r.closed IS NULL AND c.currency = o.currency) AS remise,"
        " (SELECT max(total) FROM voucher WHERE provision = o.provision AND contract = $2) AS"
        " total,"
        " (SELECT max(voucher) FROM voucher WHERE provision = o.provision AND contract = $2) AS"
        " voucher"
        " FROM provision o JOIN account a ON a.account = o.account"
        " WHERE o.session = $1 AND o.code = '00'",
        DB_VALUES(db_text(session), db_text(contract)), DB_COLUMNS(columns), out, found, e);
}

enum tp_err book_present(struct book *b, const struct session *s, const struct presented *v,
                         time_t now, struct tp_error *e)
{
    const int64_t reserved = s->ended != 0 ? 0 : v->amount;
    enum tp_err r = db_exec(
        b->db,
        "INSERT INTO voucher (voucher, provision, contract, remise, presented, total, amount,"
        " demand) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        DB_VALUES(db_integer(v->voucher), db_integer(s->provision), db_text(v->contract),
                  db_integer(s->remise), db_integer(now), db_integer(v->total),
                  db_integer(v->amount), db_blob(v->demand)),
        NULL, e);

    if (r == TP_OK)
        r = db_exec(b->db, "UPDATE provision SET drawn = drawn + $2 WHERE provision = $1",
                    DB_VALUES(db_integer(s->provision), db_integer(v->amount)), NULL, e);
    return r == TP_OK ? db_exec(b->db,
                                "UPDATE account SET balance = balance - $2, reserved = reserved -"
                                " $3 WHERE account = $1",
                                DB_VALUES(db_text(s->account), db_integer(v->amount),
                                          db_integer(reserved)),
                                NULL, e)
                      : r;
}

enum tp_err book_session_end(struct book *b, const struct session *s, const char *demand,
                             time_t now, struct tp_error *e)
{
    const int64_t left = s->ended != 0 ? 0 : s->amount - s->drawn;
    const enum tp_err r =
        db_exec(b->db, "UPDATE provision SET ended = $2, demand = $3 WHERE provision = $1",
                DB_VALUES(db_integer(s->provision), db_integer(s->ended != 0 ? s->ended : now),
                          db_blob(span_str(demand))),
                NULL, e);

    return r == TP_OK
               ? db_exec(b->db, "UPDATE account SET reserved = reserved - $2 WHERE account = $1",
                         DB_VALUES(db_text(s->account), db_integer(left)), NULL, e)
               : r;
}

enum tp_err book_release(struct book *b, time_t now, int64_t *n, struct tp_error *e)
{
    const int64_t until = (int64_t)now - BOOK_RELEASE_S;
    enum tp_err r = db_exec(
        b->db,
        "UPDATE account SET reserved = reserved - (SELECT CAST(sum(o.amount - o.drawn) AS BIGINT)"
        " FROM provision o WHERE o.account = account.account AND o.code = '00' AND o.ended IS NULL"
        " AND o.good_until <= $1)"
        " WHERE account IN (SELECT account FROM provision WHERE code = '00' AND ended IS NULL AND"
        " good_until <= $1)",
        DB_VALUES(db_integer(until)), NULL, e);

    return r == TP_OK ? db_exec(b->db,
                                "UPDATE provision SET ended = $2 WHERE code = '00' AND ended IS"
                                " NULL AND good_until <= $1",
                                DB_VALUES(db_integer(until), db_integer(now)), n, e)
                      : r;
}

/* ---- reading ---- */

enum tp_err provision_each(struct book *b, provision_visit *visit, void *ctx, struct tp_error *e)
{
    static const struct db_column columns[] = {
        DB_COLUMN(struct provision_kept, provision),
        DB_COLUMN(struct provision_kept, account),
        DB_COLUMN(struct provision_kept, counter),
        DB_COLUMN(struct provision_kept, amount),
        DB_COLUMN(struct provision_kept, drawn),
        DB_COLUMN(struct provision_kept, vouchers),
        DB_COLUMN(struct provision_kept, currency),
        DB_COLUMN(struct provision_kept, key),
        DB_COLUMN(struct provision_kept, mediator),
        DB_COLUMN(struct provision_kept, session),
        DB_COLUMN(struct provision_kept, code),
        DB_COLUMN(struct provision_kept, reason),
        DB_COLUMN(struct provision_kept, ended),
        DB_COLUMN(struct provision_kept, demand),
        DB_COLUMN(struct provision_kept, statement),
        DB_COLUMN(struct provision_kept, acknowledgement),
        DB_COLUMN_AS("good_until", struct provision_kept, until),
    };
    struct provision_kept k;
    struct db_rows *rows = NULL;
    bool found = true;
    enum tp_err r =
        db_query(b->db, &rows,
                 "SELECT o.provision, o.account, o.counter, o.amount, o.drawn, o.currency, o.key,"
                 " o.mediator, o.session, o.code, o.reason, o.ended, o.demand, o.statement,"
                 " o.acknowledgement, o.good_until,"
                 " (SELECT CAST(coalesce(sum(amount), 0) AS BIGINT) FROM voucher WHERE provision ="
                 " o.provision) AS vouchers FROM provision o ORDER BY o.provision",
                 DB_NONE, DB_COLUMNS(columns), e);

    while (r == TP_OK && (r = db_next(rows, &k, &found, e)) == TP_OK && found)
        r = visit(ctx, &k, e);
    db_end(&rows);
    return r;
}

enum tp_err voucher_each(struct book *b, voucher_visit *visit, void *ctx, struct tp_error *e)
{
    static const struct db_column columns[] = {
        DB_COLUMN(struct voucher_kept, voucher),  DB_COLUMN(struct voucher_kept, total),
        DB_COLUMN(struct voucher_kept, amount),   DB_COLUMN(struct voucher_kept, before),
        DB_COLUMN(struct voucher_kept, currency), DB_COLUMN(struct voucher_kept, key),
        DB_COLUMN(struct voucher_kept, account),  DB_COLUMN(struct voucher_kept, session),
        DB_COLUMN(struct voucher_kept, contract), DB_COLUMN(struct voucher_kept, mediator),
        DB_COLUMN(struct voucher_kept, demand),
    };
    struct voucher_kept k;
    struct db_rows *rows = NULL;
    bool found = true;
    enum tp_err r = db_query(
        b->db, &rows,
        "SELECT v.voucher, v.total, v.amount, v.contract, v.demand, o.account, o.session,"
        " o.mediator, o.currency, o.key,"
        " (SELECT CAST(coalesce(sum(w.amount), 0) AS BIGINT) FROM voucher w WHERE w.provision ="
        " v.provision AND w.contract = v.contract AND w.voucher < v.voucher) AS before"
        " FROM voucher v JOIN provision o ON o.provision = v.provision ORDER BY v.voucher",
        DB_NONE, DB_COLUMNS(columns), e);

    while (r == TP_OK && (r = db_next(rows, &k, &found, e)) == TP_OK && found)
        r = visit(ctx, &k, e);
    db_end(&rows);
    return r;
}
