#include "payer/letters.h"

#include <stdlib.h>
#include <string.h>

#include "payer/journal_priv.h"

#define SELECT "SELECT id, order_id, own, act, hash, at, state, jws FROM letter "

static const struct db_column columns[] = {
    DB_COLUMN(struct kept_letter, id),    DB_COLUMN_AS("order_id", struct kept_letter, order),
    DB_COLUMN(struct kept_letter, own),   DB_COLUMN(struct kept_letter, act),
    DB_COLUMN(struct kept_letter, hash),  DB_COLUMN(struct kept_letter, at),
    DB_COLUMN(struct kept_letter, state), DB_COLUMN(struct kept_letter, jws),
};

enum tp_err letters_add(struct journal *j, const struct kept_letter *l, struct tp_error *e)
{
    return db_exec(j->db,
                   "INSERT INTO letter (order_id, own, act, hash, at, state, jws)"
                   " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
                   DB_VALUES(db_text(l->order), db_integer(l->own), db_text(l->act),
                             db_blob(SPAN_OF(l->hash)), db_integer(l->at),
                             db_integer((int64_t)l->state), db_text((const char *)l->jws.p)),
                   NULL, e);
}

enum tp_err letters_move(struct journal *j, const uint8_t hash[LETTER_HASH],
                         enum letter_state state, struct tp_error *e)
{
    return db_exec(j->db, "UPDATE letter SET state = $2 WHERE hash = $1",
                   DB_VALUES(db_blob(span_of(hash, LETTER_HASH)), db_integer((int64_t)state)), NULL,
                   e);
}

enum tp_err letters_each(struct journal *j, const char *order, letter_visit *visit, void *ctx,
                         struct tp_error *e)
{
    struct kept_letter l;
    struct db_rows *rows = NULL;
    bool found = true;
    enum tp_err r = db_query(j->db, &rows, SELECT "WHERE order_id = $1 ORDER BY id",
                             DB_VALUES(db_text(order)), DB_COLUMNS(columns), e);

    while (r == TP_OK && (r = db_next(rows, &l, &found, e)) == TP_OK && found)
        r = visit(ctx, &l, e);
    db_end(&rows);
    return r;
}

enum tp_err letters_to_send(struct journal *j, const char *order, char **jws, struct tp_error *e)
{
    struct kept_letter l;
    bool found = false;
    enum tp_err r = db_one(j->db, SELECT "WHERE order_id = $1 AND state = 0 ORDER BY id LIMIT 1",
                           DB_VALUES(db_text(order)), DB_COLUMNS(columns), &l, &found, e);

    _Static_assert(LETTER_TO_SEND == 0, "as the statement says");
    *jws = NULL;
    if (r == TP_OK && found && (*jws = span_text(l.jws)) == NULL)
        r = tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a letter");
    return r;
}

enum tp_err letters_orders(struct journal *j, letter_order_visit *visit, void *ctx,
                           struct tp_error *e)
{
    static const struct db_column order[] = {DB_COLUMN_AS("order_id", struct kept_letter, order)};
    struct kept_letter l;
    struct db_rows *rows = NULL;
    bool found = true;
    enum tp_err r = db_query(j->db, &rows,
                             "SELECT order_id FROM letter WHERE act <>"
                             " 'identity' GROUP BY order_id ORDER BY max(id) DESC",
                             DB_NONE, DB_COLUMNS(order), e);

    while (r == TP_OK && (r = db_next(rows, &l, &found, e)) == TP_OK && found)
        r = visit(ctx, l.order, e);
    db_end(&rows);
    return r;
}

struct shown {
    char credential[44];
};

enum tp_err letters_credential(char out[44], struct journal *j, const struct kept_order *o,
                               struct tp_error *e)
{
    static const struct db_column column[] = {DB_COLUMN(struct shown, credential)};
    struct shown s = {""};
    bool found = false;
    const enum tp_err r = db_one(j->db, "SELECT credential FROM paid_by WHERE id = $1",
                                 DB_VALUES(db_integer(o->id)), DB_COLUMNS(column), &s, &found, e);

    memcpy(out, s.credential, sizeof(s.credential));
    return r;
}
