/* Oppositions: cards that are to be refused, lost or stolen. */
#include <time.h>

#include "ledger/ledger_priv.h"

enum tp_err ledger_opposition_add(struct ledger *l, struct span pan_lookup, const char *pan_masked,
                                  bool stolen, struct tp_error *e)
{
    int64_t changes = 0;

    return db_exec(l->db,
                   "INSERT INTO opposition (pan_lookup, pan_masked, stolen, since)"
                   " VALUES ($1, $2, $3, $4)"
                   " ON CONFLICT (pan_lookup) DO UPDATE SET stolen = excluded.stolen",
                   DB_VALUES(db_blob(pan_lookup), db_text(pan_masked), db_integer(stolen ? 1 : 0),
                             db_integer(time(NULL))),
                   &changes, e);
}

enum tp_err ledger_opposition_remove(struct ledger *l, struct span pan_lookup, struct tp_error *e)
{
    int64_t changes = 0;
    const enum tp_err r = db_exec(l->db, "DELETE FROM opposition WHERE pan_lookup = $1",
                                  DB_VALUES(db_blob(pan_lookup)), &changes, e);

    return r == TP_OK && changes != 1
               ? tp_fail(e, TP_ERR_NOT_FOUND, "that card is not on the opposition list")
               : r;
}

enum tp_err ledger_opposition_of(struct ledger *l, enum ledger_verdict *verdict,
                                 struct span pan_lookup, struct tp_error *e)
{
    static const struct db_column columns[] = {DB_COLUMN(struct opposition, stolen)};
    struct opposition o = {.stolen = false};
    bool found = false;
    const enum tp_err r =
        db_one(l->db, "SELECT stolen FROM opposition WHERE pan_lookup = $1",
               DB_VALUES(db_blob(pan_lookup)), DB_COLUMNS(columns), &o, &found, e);

    *verdict = !found ? LEDGER_NEW : o.stolen ? LEDGER_OPPOSITION_STOLEN : LEDGER_OPPOSITION_LOST;
    return r;
}

enum tp_err ledger_opposition_each(struct ledger *l, ledger_opposition_visit *visit, void *ctx,
                                   struct tp_error *e)
{
    static const struct db_column columns[] = {DB_COLUMN(struct opposition, pan_masked),
                                               DB_COLUMN(struct opposition, stolen),
                                               DB_COLUMN(struct opposition, since)};
    struct opposition o;
    struct db_rows *rows = NULL;
    bool found = true;
    enum tp_err r = db_query(
        l->db, &rows, "SELECT pan_masked, stolen, since FROM opposition ORDER BY since, pan_masked",
        DB_NONE, DB_COLUMNS(columns), e);

    while (r == TP_OK) {
        r = db_next(rows, &o, &found, e);
        if (r != TP_OK || !found)
            break;
        r = visit(ctx, &o, e);
    }
    db_end(&rows);
    return r;
}
