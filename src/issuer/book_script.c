/* Issuer scripts on their way to their cards. */
#include "issuer/book_priv.h"

#include <string.h>

const char *const script_state_name[SCRIPT_STATES] = {"queued", "delivered", "done", "failed",
                                                      "not done"};

#define SCRIPTS                                                                                    \
    "SELECT s.script, s.account, a.pan_masked, s.what, s.head, s.data, s.encipher, s.template,"    \
    " s.state, s.queued, s.delivered, s.settled, s.deliveries"                                     \
    " FROM script s JOIN account a ON a.account = s.account "

struct row {
    struct script s;
    struct span data;
};

static const struct db_column columns[] = {
    DB_COLUMN_AS("script", struct row, s.id),
    DB_COLUMN_AS("account", struct row, s.account),
    DB_COLUMN_AS("pan_masked", struct row, s.masked),
    DB_COLUMN_AS("what", struct row, s.what),
    DB_COLUMN_AS("head", struct row, s.head),
    DB_COLUMN(struct row, data),
    DB_COLUMN_AS("encipher", struct row, s.encipher),
    DB_COLUMN_AS("template", struct row, s.template),
    DB_COLUMN_AS("state", struct row, s.state),
    DB_COLUMN_AS("queued", struct row, s.queued),
    DB_COLUMN_AS("delivered", struct row, s.delivered),
    DB_COLUMN_AS("settled", struct row, s.settled),
    DB_COLUMN_AS("deliveries", struct row, s.deliveries),
};

enum tp_err book_script_queue(struct book *b, struct script *q, struct tp_error *e)
{
    int64_t id = 0;
    const enum tp_err r = db_number(
        b->db,
        "INSERT INTO script (account, what, head, data, encipher, template, queued)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING script",
        DB_VALUES(db_integer(q->account), db_text(q->what), db_blob(SPAN_OF(q->head)),
                  db_blob_or_null(span_of(q->sealed, q->sealed_n), q->sealed_n > 0),
                  db_integer(q->encipher), db_integer(q->template), db_integer(time(NULL))),
        &id, NULL, e);

    if (r == TP_OK)
        q->id = (uint32_t)id;
    return r;
}

static enum tp_err each(struct db_rows *rows, script_visit *visit, void *ctx, struct tp_error *e)
{
    struct row row = {.s = {.id = 0}};
    bool found = true;
    enum tp_err r = TP_OK;

    while (r == TP_OK && (r = db_next(rows, &row, &found, e)) == TP_OK && found) {
        row.s.sealed_n = book_bytes(row.s.sealed, sizeof(row.s.sealed), row.data);
        r = visit(ctx, &row.s, e);
    }
    db_end(&rows);
    return r;
}

enum tp_err book_script_of(struct book *b, int64_t account, enum script_state state,
                           script_visit *visit, void *ctx, struct tp_error *e)
{
    const struct db_value values[] = {db_integer(account), db_integer((int64_t)state)};
    struct db_rows *rows = NULL;
    const enum tp_err r = db_query(b->db, &rows,
                                   SCRIPTS "WHERE s.account = $1 AND s.state <= 1 AND s.state = $2"
                                           " ORDER BY s.template, s.script",
                                   (struct db_values){values, 2}, DB_COLUMNS(columns), e);

    return r == TP_OK ? each(rows, visit, ctx, e) : r;
}

enum tp_err book_script_each(struct book *b, script_visit *visit, void *ctx, struct tp_error *e)
{
    struct db_rows *rows = NULL;
    const enum tp_err r =
        db_query(b->db, &rows, SCRIPTS "ORDER BY s.script", DB_NONE, DB_COLUMNS(columns), e);

    return r == TP_OK ? each(rows, visit, ctx, e) : r;
}

enum tp_err book_script_delivered(struct book *b, uint32_t id, int64_t authorisation,
                                  struct tp_error *e)
{
    return db_exec(b->db,
                   "UPDATE script SET state = 1, deliveries = deliveries + 1, authorisation = $2,"
                   " delivered = $3 WHERE script = $1",
                   DB_VALUES(db_integer(id), db_integer(authorisation), db_integer(time(NULL))),
                   NULL, e);
}

enum tp_err book_script_settle(struct book *b, uint32_t id, enum script_state state,
                               struct tp_error *e)
{
    return db_exec(
        b->db, "UPDATE script SET state = $2, settled = $3, data = NULL WHERE script = $1",
        DB_VALUES(db_integer(id), db_integer((int64_t)state), db_integer(time(NULL))), NULL, e);
}

enum tp_err book_script_again(struct book *b, uint32_t id, struct tp_error *e)
{
    return db_exec(b->db, "UPDATE script SET state = 0 WHERE script = $1",
                   DB_VALUES(db_integer(id)), NULL, e);
}
