/* The books: contracts and their terminals. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ledger/ledger_priv.h"

static enum tp_err insert_contract(struct ledger *l, const struct contract *c, struct tp_error *e)
{
    sqlite3_stmt *s = NULL;
    enum tp_err r = db_prepare(
        l->db, &s,
        "INSERT INTO contract (id, name, mcc, currency, country, floor, ceiling, close_hour, open, "
        "added,"
        " credit_day, no_cvm) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        e);

    if (r != TP_OK)
        return r;
    db_bind_text(s, 1, c->id);
    db_bind_text(s, 2, c->name);
    sqlite3_bind_int(s, 3, c->mcc);
    sqlite3_bind_int(s, 4, c->currency);
    sqlite3_bind_int(s, 5, c->country);
    sqlite3_bind_int64(s, 6, c->floor);
    sqlite3_bind_int64(s, 7, c->ceiling);
    sqlite3_bind_int(s, 8, c->close_hour);
    sqlite3_bind_int(s, 9, c->open ? 1 : 0);
    sqlite3_bind_int64(s, 10, time(NULL));
    sqlite3_bind_int64(s, 11, c->credit_day);
    sqlite3_bind_int64(s, 12, c->no_cvm);
    r = db_run(l->db, s, e);
    if (r == TP_ERR_EXISTS)
        return tp_fail(e, TP_ERR_EXISTS, "there is a contract %s already", c->id);
    return r;
}

static enum tp_err insert_first_remise(struct ledger *l, int64_t contract, struct tp_error *e)
{
    sqlite3_stmt *s = NULL;
    enum tp_err r = db_prepare(
        l->db, &s, "INSERT INTO remise (contract, number, state, opened) VALUES (?1, 1, 0, ?2)", e);

    if (r != TP_OK)
        return r;
    sqlite3_bind_int64(s, 1, contract);
    sqlite3_bind_int64(s, 2, time(NULL));
    return db_run(l->db, s, e);
}

enum tp_err ledger_contract_add(struct ledger *l, const struct contract *c, struct tp_error *e)
{
    bool own = false;
    enum tp_err r = ledger_begin(l, &own, e);

    if (r != TP_OK)
        return r;
    r = insert_contract(l, c, e);
    if (r == TP_OK)
        r = insert_first_remise(l, sqlite3_last_insert_rowid(db_handle(l->db)), e);
    return ledger_end(l, own, r, e);
}

#define CONTRACT_COLUMNS                                                                           \
    "SELECT id, name, mcc, currency, country, floor, ceiling, close_hour, open, credit_day, "      \
    "no_cvm FROM contract "

static void read_contract(struct contract *c, sqlite3_stmt *s)
{
    db_column_copy(c->id, sizeof(c->id), s, 0);
    db_column_copy(c->name, sizeof(c->name), s, 1);
    c->mcc = (uint16_t)sqlite3_column_int(s, 2);
    c->currency = (uint16_t)sqlite3_column_int(s, 3);
    c->country = (uint16_t)sqlite3_column_int(s, 4);
    c->floor = sqlite3_column_int64(s, 5);
    c->ceiling = sqlite3_column_int64(s, 6);
    c->close_hour = sqlite3_column_int(s, 7);
    c->open = sqlite3_column_int(s, 8) != 0;
    c->credit_day = sqlite3_column_int64(s, 9);
    c->no_cvm = sqlite3_column_int64(s, 10);
}

enum tp_err ledger_contract_get(struct ledger *l, const char *id, struct contract *c,
                                struct tp_error *e)
{
    bool row = false;
    sqlite3_stmt *s = NULL;
    enum tp_err r = db_prepare(l->db, &s, CONTRACT_COLUMNS "WHERE id = ?1", e);

    if (r != TP_OK)
        return r;
    db_bind_text(s, 1, id);
    r = db_step(l->db, s, &row, e);
    if (r == TP_OK && !row)
        return tp_fail(e, TP_ERR_NOT_FOUND, "there is no contract %s: see contract list", id);
    if (r == TP_OK)
        read_contract(c, s);
    sqlite3_reset(s);
    return r;
}

enum tp_err ledger_contract_each(struct ledger *l, ledger_contract_visit *visit, void *ctx,
                                 struct tp_error *e)
{
    struct contract c;
    bool row = false;
    sqlite3_stmt *s = NULL;
    enum tp_err r = db_prepare(l->db, &s, CONTRACT_COLUMNS "ORDER BY id", e);

    while (r == TP_OK) {
        r = db_step(l->db, s, &row, e);
        if (r != TP_OK || !row)
            break;
        read_contract(&c, s);
        r = visit(ctx, &c, e);
    }
    if (s != NULL)
        sqlite3_reset(s);
    return r;
}

enum tp_err ledger_contract_shut(struct ledger *l, const char *id, struct tp_error *e)
{
    sqlite3_stmt *s = NULL;
    enum tp_err r = db_prepare(l->db, &s, "UPDATE contract SET open = 0 WHERE id = ?1", e);

    if (r != TP_OK)
        return r;
    db_bind_text(s, 1, id);
    r = db_run(l->db, s, e);
    if (r == TP_OK && sqlite3_changes(db_handle(l->db)) != 1)
        return tp_fail(e, TP_ERR_NOT_FOUND, "there is no contract %s: see contract list", id);
    return r;
}

enum tp_err ledger_acquirer_id(struct ledger *l, char out[ACQUIRER_ID_MAX], struct tp_error *e)
{
    bool row = false;
    sqlite3_stmt *s = NULL;
    enum tp_err r = db_prepare(l->db, &s, "SELECT id FROM acquirer", e);

    out[0] = '\0';
    if (r == TP_OK)
        r = db_step(l->db, s, &row, e);
    if (row)
        db_column_copy(out, ACQUIRER_ID_MAX, s, 0);
    else if (r == TP_OK)
        r = tp_fail(e, TP_ERR_IO, "the books have no acquirer's number: restore the last copy");
    if (s != NULL)
        sqlite3_reset(s);
    return r;
}

enum tp_err ledger_raised_on(struct ledger *l, int *day, struct tp_error *e)
{
    bool row = false;
    sqlite3_stmt *s = NULL;
    enum tp_err r = db_prepare(l->db, &s, "SELECT raised FROM acquirer", e);

    *day = 0;
    if (r == TP_OK)
        r = db_step(l->db, s, &row, e);
    if (row)
        *day = sqlite3_column_int(s, 0);
    if (s != NULL)
        sqlite3_reset(s);
    return r;
}

static enum tp_err insert_terminal(struct ledger *l, const struct terminal *t, struct tp_error *e)
{
    sqlite3_stmt *s = NULL;
    enum tp_err r = db_prepare(l->db, &s,
                               "INSERT INTO terminal (contract, id, open, added, serial, "
                               "capabilities) SELECT contract, ?2, ?3, ?4,"
                               " iif(?5 <> '', ?5, (SELECT iif(EXISTS (SELECT 1 FROM terminal "
                               "WHERE serial = own), hex(randomblob(4)), own)"
                               " FROM (SELECT printf('T%07d', coalesce(max(terminal), 0) + 1) AS "
                               "own FROM terminal))), ?6 FROM contract WHERE id = ?1",
                               e);

    if (r != TP_OK)
        return r;
    db_bind_text(s, 1, t->contract);
    db_bind_text(s, 2, t->id);
    sqlite3_bind_int(s, 3, t->open ? 1 : 0);
    sqlite3_bind_int64(s, 4, time(NULL));
    db_bind_text(s, 5, t->serial);
    sqlite3_bind_int(s, 6, t->capabilities[0] << 16 | t->capabilities[1] << 8 | t->capabilities[2]);
    r = db_run(l->db, s, e);
    if (r == TP_ERR_EXISTS)
        return tp_fail(e, TP_ERR_EXISTS,
                       "contract %s has a terminal %s already, or another terminal its serial",
                       t->contract, t->id);
    if (r == TP_OK && sqlite3_changes(db_handle(l->db)) != 1)
        return tp_fail(e, TP_ERR_NOT_FOUND, "there is no contract %s: see contract list",
                       t->contract);
    return r;
}

enum tp_err ledger_terminal_add(struct ledger *l, struct terminal *t, struct tp_error *e)
{
    const enum tp_err r = insert_terminal(l, t, e);

    return r == TP_OK ? ledger_terminal_get(l, t->contract, t->id, t, e) : r;
}

#define TERMINAL_COLUMNS                                                                           \
    "SELECT contract.id, terminal.id, terminal.open, terminal.serial, capabilities FROM"           \
    " terminal JOIN contract USING (contract) "

static void read_terminal(struct terminal *t, sqlite3_stmt *s)
{
    db_column_copy(t->contract, sizeof(t->contract), s, 0);
    db_column_copy(t->id, sizeof(t->id), s, 1);
    t->open = sqlite3_column_int(s, 2) != 0;
    const unsigned capabilities = (unsigned)sqlite3_column_int(s, 4);

    db_column_copy(t->serial, sizeof(t->serial), s, 3);
    for (size_t i = 0; i < sizeof(t->capabilities); i++)
        t->capabilities[i] = (uint8_t)(capabilities >> (16 - 8 * i));
}

enum tp_err ledger_terminal_get(struct ledger *l, const char *contract, const char *id,
                                struct terminal *t, struct tp_error *e)
{
    bool row = false;
    sqlite3_stmt *s = NULL;
    enum tp_err r =
        db_prepare(l->db, &s, TERMINAL_COLUMNS "WHERE contract.id = ?1 AND terminal.id = ?2", e);

    if (r != TP_OK)
        return r;
    db_bind_text(s, 1, contract);
    db_bind_text(s, 2, id);
    r = db_step(l->db, s, &row, e);
    if (r == TP_OK && !row)
        return tp_fail(e, TP_ERR_NOT_FOUND, "contract %s has no terminal %s: see terminal list",
                       contract, id);
    if (r == TP_OK)
        read_terminal(t, s);
    sqlite3_reset(s);
    return r;
}

enum tp_err ledger_terminal_each(struct ledger *l, const char *contract,
                                 ledger_terminal_visit *visit, void *ctx, struct tp_error *e)
{
    struct terminal t;
    bool row = false;
    sqlite3_stmt *s = NULL;
    enum tp_err r = db_prepare(
        l->db, &s,
        TERMINAL_COLUMNS "WHERE ?1 IS NULL OR contract.id = ?1 ORDER BY contract.id, terminal.id",
        e);

    if (r == TP_OK)
        db_bind_text(s, 1, contract);
    while (r == TP_OK) {
        r = db_step(l->db, s, &row, e);
        if (r != TP_OK || !row)
            break;
        read_terminal(&t, s);
        r = visit(ctx, &t, e);
    }
    if (s != NULL)
        sqlite3_reset(s);
    return r;
}

enum tp_err ledger_terminal_shut(struct ledger *l, const char *contract, const char *id,
                                 struct tp_error *e)
{
    sqlite3_stmt *s = NULL;
    enum tp_err r = db_prepare(l->db, &s,
                               "UPDATE terminal SET open = 0 WHERE id = ?2 AND contract = (SELECT "
                               "contract FROM contract WHERE id = ?1)",
                               e);

    if (r != TP_OK)
        return r;
    db_bind_text(s, 1, contract);
    db_bind_text(s, 2, id);
    r = db_run(l->db, s, e);
    if (r == TP_OK && sqlite3_changes(db_handle(l->db)) != 1)
        return tp_fail(e, TP_ERR_NOT_FOUND, "contract %s has no terminal %s: see terminal list",
                       contract, id);
    return r;
}
