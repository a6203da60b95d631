/* The issuer's book: issuer scripts that wait, were sent, were carried out. */
#include "issuer/book_priv.h"

#include <string.h>

const char *const script_state_name[SCRIPT_STATES] = {"queued", "delivered", "done", "failed",
                                                      "not done"};

#define SELECT_SCRIPTS                                                                             \
    "SELECT script, script.account, pan_masked, what, head, data, encipher, template, state, "     \
    "queued, delivered, settled, deliveries"                                                       \
    " FROM script JOIN account USING (account) "

enum tp_err book_script_queue(struct book *b, struct script *q, struct tp_error *e)
{
    sqlite3_stmt *s;
    enum tp_err r = db_prepare(b->db, &s,
                               "INSERT INTO script (account, what, head, data, encipher, template, "
                               "queued) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                               e);

    if (r != TP_OK)
        return r;
    sqlite3_bind_int64(s, 1, q->account);
    db_bind_text(s, 2, q->what);
    db_bind_span(s, 3, SPAN_OF(q->head));
    if (q->sealed_n > 0)
        db_bind_span(s, 4, span_of(q->sealed, q->sealed_n));
    sqlite3_bind_int64(s, 5, q->encipher);
    sqlite3_bind_int64(s, 6, q->template);
    sqlite3_bind_int64(s, 7, time(NULL));
    r = db_run(b->db, s, e);
    if (r == TP_OK)
        q->id = (uint32_t)sqlite3_last_insert_rowid(db_handle(b->db));
    return r;
}

static void read_row(struct script *out, sqlite3_stmt *s)
{
    memset(out, 0, sizeof(*out));
    out->id = (uint32_t)sqlite3_column_int64(s, 0);
    out->account = sqlite3_column_int64(s, 1);
    db_column_copy(out->masked, sizeof(out->masked), s, 2);
    db_column_copy(out->what, sizeof(out->what), s, 3);
    book_bytes(out->head, sizeof(out->head), s, 4);
    out->sealed_n = book_bytes(out->sealed, sizeof(out->sealed), s, 5);
    out->encipher = sqlite3_column_int(s, 6) != 0;
    out->template = (uint8_t)sqlite3_column_int(s, 7);
    out->state = (enum script_state)sqlite3_column_int(s, 8);
    out->queued = (time_t)sqlite3_column_int64(s, 9);
    out->delivered = (time_t)sqlite3_column_int64(s, 10);
    out->settled = (time_t)sqlite3_column_int64(s, 11);
    out->deliveries = (unsigned)sqlite3_column_int64(s, 12);
}

static enum tp_err each(struct book *b, sqlite3_stmt *s, script_visit *visit, void *ctx,
                        struct tp_error *e)
{
    bool row = false;
    enum tp_err r = TP_OK;

    while (r == TP_OK && (r = db_step(b->db, s, &row, e)) == TP_OK && row) {
        struct script one;

        read_row(&one, s);
        r = visit(ctx, &one, e);
    }
    sqlite3_reset(s);
    return r;
}

enum tp_err book_script_of(struct book *b, int64_t account, enum script_state state,
                           script_visit *visit, void *ctx, struct tp_error *e)
{
    sqlite3_stmt *s;
    const enum tp_err r = db_prepare(
        b->db, &s,
        SELECT_SCRIPTS
        "WHERE script.account = ?1 AND state <= 1 AND state = ?2 ORDER BY template, script",
        e);

    if (r != TP_OK)
        return r;
    sqlite3_bind_int64(s, 1, account);
    sqlite3_bind_int64(s, 2, state);
    return each(b, s, visit, ctx, e);
}

enum tp_err book_script_each(struct book *b, script_visit *visit, void *ctx, struct tp_error *e)
{
    sqlite3_stmt *s;
    const enum tp_err r = db_prepare(b->db, &s, SELECT_SCRIPTS "ORDER BY script", e);

    return r == TP_OK ? each(b, s, visit, ctx, e) : r;
}

enum tp_err book_script_delivered(struct book *b, uint32_t id, int64_t authorisation,
                                  struct tp_error *e)
{
    sqlite3_stmt *s;
    const enum tp_err r = db_prepare(b->db, &s,
                                     "UPDATE script SET state = 1, deliveries = deliveries + 1, "
                                     "authorisation = ?2, delivered = ?3 WHERE script = ?1",
                                     e);

    if (r != TP_OK)
        return r;
    sqlite3_bind_int64(s, 1, id);
    sqlite3_bind_int64(s, 2, authorisation);
    sqlite3_bind_int64(s, 3, time(NULL));
    return db_run(b->db, s, e);
}

enum tp_err book_script_settle(struct book *b, uint32_t id, enum script_state state,
                               struct tp_error *e)
{
    sqlite3_stmt *s;
    const enum tp_err r = db_prepare(
        b->db, &s, "UPDATE script SET state = ?2, settled = ?3, data = NULL WHERE script = ?1", e);

    if (r != TP_OK)
        return r;
    sqlite3_bind_int64(s, 1, id);
    sqlite3_bind_int64(s, 2, state);
    sqlite3_bind_int64(s, 3, time(NULL));
    return db_run(b->db, s, e);
}

enum tp_err book_script_again(struct book *b, uint32_t id, struct tp_error *e)
{
    sqlite3_stmt *s;
    const enum tp_err r = db_prepare(b->db, &s, "UPDATE script SET state = 0 WHERE script = ?1", e);

    if (r != TP_OK)
        return r;
    sqlite3_bind_int64(s, 1, id);
    return db_run(b->db, s, e);
}
