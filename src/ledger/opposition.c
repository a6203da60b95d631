/* The books: cards that were reported lost or stolen. */
#include <time.h>

#include "ledger/ledger_priv.h"

enum tp_err ledger_opposition_add(struct ledger *l, struct span pan_lookup, const char *pan_masked,
                                  bool stolen, struct tp_error *e)
{
    sqlite3_stmt *s = NULL;
    enum tp_err r = db_prepare(
        l->db, &s,
        "INSERT INTO opposition (pan_lookup, pan_masked, stolen, since) VALUES (?1, ?2, ?3, ?4)"
        " ON CONFLICT (pan_lookup) DO UPDATE SET stolen = excluded.stolen",
        e);

    if (r != TP_OK)
        return r;
    db_bind_span(s, 1, pan_lookup);
    db_bind_text(s, 2, pan_masked);
    sqlite3_bind_int(s, 3, stolen ? 1 : 0);
    sqlite3_bind_int64(s, 4, time(NULL));
    return db_run(l->db, s, e);
}

enum tp_err ledger_opposition_remove(struct ledger *l, struct span pan_lookup, struct tp_error *e)
{
    sqlite3_stmt *s = NULL;
    enum tp_err r = db_prepare(l->db, &s, "DELETE FROM opposition WHERE pan_lookup = ?1", e);

    if (r != TP_OK)
        return r;
    db_bind_span(s, 1, pan_lookup);
    r = db_run(l->db, s, e);
    if (r == TP_OK && sqlite3_changes(db_handle(l->db)) != 1)
        return tp_fail(e, TP_ERR_NOT_FOUND, "that card is not on the opposition list");
    return r;
}

enum tp_err ledger_opposition_each(struct ledger *l, ledger_opposition_visit *visit, void *ctx,
                                   struct tp_error *e)
{
    struct opposition o;
    bool row = false;
    sqlite3_stmt *s = NULL;
    enum tp_err r = db_prepare(
        l->db, &s, "SELECT pan_masked, stolen, since FROM opposition ORDER BY since, pan_masked",
        e);

    while (r == TP_OK) {
        r = db_step(l->db, s, &row, e);
        if (r != TP_OK || !row)
            break;
        db_column_copy(o.pan_masked, sizeof(o.pan_masked), s, 0);
        o.stolen = sqlite3_column_int(s, 1) != 0;
        o.since = sqlite3_column_int64(s, 2);
        r = visit(ctx, &o, e);
    }
    if (s != NULL)
        sqlite3_reset(s);
    return r;
}
