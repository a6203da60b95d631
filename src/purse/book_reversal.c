/* What is given back to an account, in the books. */
#include "purse/book_priv.h"

enum tp_err book_paid(struct book *b, struct paid_order *out, bool *found, const char *mediator,
                      const char *order, struct tp_error *e)
{
    static const struct db_column columns[] = {
        DB_COLUMN(struct paid_order, payment),  DB_COLUMN(struct paid_order, account),
        DB_COLUMN(struct paid_order, contract), DB_COLUMN(struct paid_order, amount),
        DB_COLUMN(struct paid_order, currency), DB_COLUMN(struct paid_order, statement),
        DB_COLUMN(struct paid_order, state),    DB_COLUMN(struct paid_order, remise_open),
        DB_COLUMN(struct paid_order, reversal), DB_COLUMN(struct paid_order, mediator_open),
    };

    return db_one(
        b->db,
        "SELECT p.payment, p.account, p.contract, p.amount, p.currency, p.statement, a.state,"
        " r.closed IS NULL AS remise_open, x.reversal,"
        " EXISTS (SELECT 1 FROM mediator WHERE mediator = $1 AND closed IS NULL) AS mediator_open"
        " FROM payment p JOIN account a ON a.account = p.account JOIN remise r ON r.remise ="
        " p.remise LEFT JOIN reversal x ON x.payment = p.payment"
        " WHERE p.mediator = $1 AND p.order_id = $2 AND p.code = '00'",
        DB_VALUES(db_text(mediator), db_text(order)), DB_COLUMNS(columns), out, found, e);
}

enum tp_err book_reverse(struct book *b, const struct paid_order *p, int64_t number,
                         const char *demand, time_t now, struct tp_error *e)
{
    const enum tp_err r = db_exec(
        b->db, "INSERT INTO reversal (reversal, payment, reversed, demand) VALUES ($1, $2, $3, $4)",
        DB_VALUES(db_integer(number), db_integer(p->payment), db_integer(now),
                  db_blob(span_str(demand))),
        NULL, e);

    return r == TP_OK
               ? db_exec(b->db, "UPDATE account SET balance = balance + $2 WHERE account = $1",
                         DB_VALUES(db_text(p->account), db_integer(p->amount)), NULL, e)
               : r;
}
