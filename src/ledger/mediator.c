/* Mediators, the terminals that are theirs, and what they passed on. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ledger/ledger_priv.h"

#define NUMBERS 10000000U /* of seven digits behind the letter */

enum tp_err ledger_mediator_add(struct ledger *l, const char *name, struct tp_error *e)
{
    int64_t changes = 0;
    const enum tp_err r =
        db_exec(l->db, "INSERT INTO mediator (name, open, added) VALUES ($1, 1, $2)",
                DB_VALUES(db_text(name), db_integer(time(NULL))), &changes, e);

    return r == TP_ERR_EXISTS ? tp_fail(e, r, "there is a mediator %s already", name) : r;
}

static enum tp_err no_mediator(const char *name, struct tp_error *e)
{
    return tp_fail(e, TP_ERR_NOT_FOUND, "there is no mediator %s: see mediator list", name);
}

/* The first number behind the terminals of today that neither a terminal nor a serial has. */
static enum tp_err give_number(struct ledger *l, struct terminal *t, struct tp_error *e)
{
    int64_t next = 0, taken = 1;
    enum tp_err r = db_number(l->db, "SELECT count(*) + 1 FROM terminal WHERE mediator IS NOT NULL",
                              DB_NONE, &next, NULL, e);

    for (; r == TP_OK && taken != 0; next++) {
        if (next >= NUMBERS)
            return tp_fail(e, TP_ERR_RANGE, "mediators have %u terminals: no more fit",
                           NUMBERS - 1);
        snprintf(t->id, sizeof(t->id), "M%07u", (unsigned)next % NUMBERS);
        r = db_number(l->db, "SELECT count(*) FROM terminal WHERE id = $1 OR serial = $1",
                      DB_VALUES(db_text(t->id)), &taken, NULL, e);
    }
    memcpy(t->serial, t->id, sizeof(t->serial));
    return r;
}

static enum tp_err add_terminal(struct ledger *l, struct terminal *t, struct tp_error *e)
{
    int64_t mediator = 0;
    bool found = false;
    enum tp_err r = db_number(l->db, "SELECT mediator FROM mediator WHERE name = $1",
                              DB_VALUES(db_text(t->mediator)), &mediator, &found, e);

    if (r == TP_OK && !found)
        return no_mediator(t->mediator, e);
    if (r == TP_OK)
        r = give_number(l, t, e);
    return r == TP_OK ? ledger_terminal_add(l, t, e) : r;
}

enum tp_err ledger_mediator_terminal(struct ledger *l, struct terminal *t, const char *mediator,
                                     const char *contract, struct tp_error *e)
{
    bool own = false;
    enum tp_err r;

    *t = (struct terminal){.capabilities = {0x20, 0x98, 0xC8}, .open = true, .mediator_open = true};
    snprintf(t->contract, sizeof(t->contract), "%s", contract);
    snprintf(t->mediator, sizeof(t->mediator), "%s", mediator);
    r = ledger_begin(l, &own, e);
    return r == TP_OK ? ledger_end(l, own, add_terminal(l, t, e), e) : r;
}

enum tp_err ledger_mediator_each(struct ledger *l, ledger_mediator_visit *visit, void *ctx,
                                 struct tp_error *e)
{
    static const struct db_column columns[] = {DB_COLUMN(struct mediator, name),
                                               DB_COLUMN(struct mediator, open)};
    struct mediator m;
    struct db_rows *rows = NULL;
    bool found = true;
    enum tp_err r = db_query(l->db, &rows, "SELECT name, open FROM mediator ORDER BY name", DB_NONE,
                             DB_COLUMNS(columns), e);

    while (r == TP_OK) {
        r = db_next(rows, &m, &found, e);
        if (r != TP_OK || !found)
            break;
        r = visit(ctx, &m, e);
    }
    db_end(&rows);
    return r;
}

enum tp_err ledger_mediator_shut(struct ledger *l, const char *name, struct tp_error *e)
{
    int64_t changes = 0;
    const enum tp_err r = db_exec(l->db, "UPDATE mediator SET open = 0 WHERE name = $1",
                                  DB_VALUES(db_text(name)), &changes, e);

    return r == TP_OK && changes != 1 ? no_mediator(name, e) : r;
}

/* ---- what they passed on ---- */

enum tp_err ledger_mediated_keep(struct ledger *l, const struct tx_record *tx, int64_t terminal,
                                 int64_t rrn, struct tp_error *e)
{
    const struct mediated_record *m = &tx->mediated;
    const struct db_value challenge = {DB_TEXT, false, 0, m->challenge};
    const struct db_value device = {DB_TEXT, false, 0, m->device};

    if (m->order[0] == '\0')
        return TP_OK;
    return db_exec(l->db,
                   "INSERT INTO mediated (rrn, mediator, id, r, message, challenge, device)"
                   " VALUES ($1, (SELECT mediator FROM terminal WHERE terminal = $2), $3, $4, $5,"
                   " $6, $7)",
                   DB_VALUES(db_integer(rrn), db_integer(terminal), db_text(m->order),
                             db_blob(SPAN_OF(m->r)), db_blob(SPAN_OF(m->message)), challenge,
                             device),
                   NULL, e);
}

enum tp_err ledger_mediated_answered(struct ledger *l, const char *rrn, const char *acknowledgement,
                                     struct tp_error *e)
{
    int64_t number = 0;
    const enum tp_err r = ledger_rrn_parse(&number, rrn, e);

    return r == TP_OK ? db_exec(l->db,
                                "UPDATE mediated SET acknowledgement = $2 WHERE rrn = $1 AND"
                                " acknowledgement = ''",
                                DB_VALUES(db_integer(number), db_text(acknowledgement)), NULL, e)
                      : r;
}

enum tp_err ledger_mediated_get(struct ledger *l, const char *rrn, struct mediated_kept *out,
                                struct tp_error *e)
{
    static const struct db_column columns[] = {
        DB_COLUMN(struct mediated_kept, mediator),
        DB_COLUMN_AS("id", struct mediated_kept, what.order),
        DB_COLUMN_AS("r", struct mediated_kept, what.r),
        DB_COLUMN_AS("message", struct mediated_kept, what.message),
        DB_COLUMN_AS("challenge", struct mediated_kept, what.challenge),
        DB_COLUMN_AS("device", struct mediated_kept, what.device),
        DB_COLUMN_AS("acknowledgement", struct mediated_kept, what.acknowledgement),
        DB_COLUMN(struct mediated_kept, online),
    };
    int64_t number = 0;
    bool found = false;
    enum tp_err r = ledger_rrn_parse(&number, rrn, e);

    if (r == TP_OK)
        r = db_one(l->db,
                   "SELECT mediator.name AS mediator, mediated.id, mediated.r, mediated.message,"
                   " mediated.challenge, mediated.device, mediated.acknowledgement,"
                   " (coalesce(authorisation.arqc, 0) = 1) AS online FROM mediated"
                   " JOIN mediator ON mediator.mediator = mediated.mediator"
                   " LEFT JOIN authorisation ON authorisation.rrn = mediated.rrn"
                   " WHERE mediated.rrn = $1",
                   DB_VALUES(db_integer(number)), DB_COLUMNS(columns), out, &found, e);
    return r == TP_OK && !found
               ? tp_fail(e, TP_ERR_NOT_FOUND, "no mediator passed on payment %s", rrn)
               : r;
}
