#include "payer/emptyings.h"

#include "payer/journal_priv.h"

static const struct db_column columns[] = {
    DB_COLUMN(struct emptying, id),     DB_COLUMN(struct emptying, acquirer),
    DB_COLUMN(struct emptying, amount), DB_COLUMN(struct emptying, iban),
    DB_COLUMN(struct emptying, name),   DB_COLUMN(struct emptying, reference),
    DB_COLUMN(struct emptying, made),   DB_COLUMN(struct emptying, statement)};

#define SELECT                                                                                     \
    "SELECT id, acquirer, amount, iban, name, reference, made, statement FROM emptying"            \
    " WHERE acquirer = $1 AND state = $2 ORDER BY id"

enum tp_err emptyings_add(struct journal *j, struct emptying *m, struct tp_error *e)
{
    return db_number(j->db,
                     "INSERT INTO emptying (acquirer, amount, iban, name, state, reference, made,"
                     " statement) VALUES ($1, $2, $3, $4, $5, '', $6, $7) RETURNING id",
                     DB_VALUES(db_text(m->acquirer), db_integer(m->amount), db_text(m->iban),
                               db_text(m->name), db_integer(EMPTYING_SIGNED), db_integer(m->made),
                               db_text(m->statement)),
                     &m->id, NULL, e);
}

enum tp_err emptyings_pending(struct emptying *out, struct journal *j, const char *acquirer,
                              struct tp_error *e)
{
    bool found = false;
    const enum tp_err r =
        db_one(j->db, SELECT " LIMIT 1", DB_VALUES(db_text(acquirer), db_integer(EMPTYING_SIGNED)),
               DB_COLUMNS(columns), out, &found, e);

    return r != TP_OK || found ? r : TP_ERR_NOT_FOUND;
}

enum tp_err emptyings_list(struct journal *j, const char *acquirer, emptyings_each *each, void *ctx,
                           struct tp_error *e)
{
    struct db_rows *rows = NULL;
    struct emptying m;
    bool found = true, goes_on = true;
    enum tp_err r =
        db_query(j->db, &rows, SELECT, DB_VALUES(db_text(acquirer), db_integer(EMPTYING_DONE)),
                 DB_COLUMNS(columns), e);

    while (r == TP_OK && goes_on && (r = db_next(rows, &m, &found, e)) == TP_OK && found)
        goes_on = each(ctx, &m);
    db_end(&rows);
    return r;
}

enum tp_err emptyings_settle(struct journal *j, const struct emptying *m, enum emptying_state state,
                             struct tp_error *e)
{
    return db_exec(j->db, "UPDATE emptying SET state = $1, reference = $2 WHERE id = $3",
                   DB_VALUES(db_integer((int64_t)state), db_text(m->reference), db_integer(m->id)),
                   NULL, e);
}
