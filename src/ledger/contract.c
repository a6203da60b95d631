/* Contracts and their terminals, and the acquirer's own number. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ledger/ledger_priv.h"

/* ---- contracts ---- */

static enum tp_err insert_contract(struct ledger *l, const struct contract *c, int64_t *id,
                                   struct tp_error *e)
{
    const enum tp_err r = db_number(
        l->db,
        "INSERT INTO contract (id, name, mcc, currency, country, floor, ceiling, close_hour, open,"
        " added, credit_day, no_cvm, refund_alone, siret, town, postcode) VALUES ($1, $2, $3, $4,"
        " $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) RETURNING contract",
        DB_VALUES(db_text(c->id), db_text(c->name), db_integer(c->mcc), db_integer(c->currency),
                  db_integer(c->country), db_integer(c->floor), db_integer(c->ceiling),
                  db_integer(c->close_hour), db_integer(c->open ? 1 : 0), db_integer(time(NULL)),
                  db_integer(c->credit_day), db_integer(c->no_cvm),
                  db_integer(c->refund_alone ? 1 : 0), db_text(c->siret), db_text(c->town),
                  db_text(c->postcode)),
        id, NULL, e);

    return r == TP_ERR_EXISTS ? tp_fail(e, r, "there is a contract %s already", c->id) : r;
}

enum tp_err ledger_contract_add(struct ledger *l, const struct contract *c, struct tp_error *e)
{
    int64_t id = 0;
    bool own = false;
    enum tp_err r = ledger_begin(l, &own, e);

    if (r != TP_OK)
        return r;
    r = insert_contract(l, c, &id, e);
    if (r == TP_OK)
        r = db_exec(l->db,
                    "INSERT INTO remise (contract, number, state, opened) VALUES ($1, 1, 0, $2)",
                    DB_VALUES(db_integer(id), db_integer(time(NULL))), NULL, e);
    return ledger_end(l, own, r, e);
}

#define CONTRACT_SELECT                                                                            \
    "SELECT id, name, mcc, currency, country, floor, ceiling, close_hour, open, credit_day, "      \
    "no_cvm, refund_alone, siret, town, postcode FROM contract "

static const struct db_column contract_columns[] = {
    DB_COLUMN(struct contract, id),       DB_COLUMN(struct contract, name),
    DB_COLUMN(struct contract, mcc),      DB_COLUMN(struct contract, currency),
    DB_COLUMN(struct contract, country),  DB_COLUMN(struct contract, floor),
    DB_COLUMN(struct contract, ceiling),  DB_COLUMN(struct contract, close_hour),
    DB_COLUMN(struct contract, open),     DB_COLUMN(struct contract, credit_day),
    DB_COLUMN(struct contract, no_cvm),   DB_COLUMN(struct contract, refund_alone),
    DB_COLUMN(struct contract, siret),    DB_COLUMN(struct contract, town),
    DB_COLUMN(struct contract, postcode),
};

static enum tp_err no_contract(const char *id, struct tp_error *e)
{
    return tp_fail(e, TP_ERR_NOT_FOUND, "there is no contract %s: see contract list", id);
}

enum tp_err ledger_contract_get(struct ledger *l, const char *id, struct contract *c,
                                struct tp_error *e)
{
    bool found = false;
    const enum tp_err r = db_one(l->db, CONTRACT_SELECT "WHERE id = $1", DB_VALUES(db_text(id)),
                                 DB_COLUMNS(contract_columns), c, &found, e);

    return r == TP_OK && !found ? no_contract(id, e) : r;
}

enum tp_err ledger_contract_each(struct ledger *l, ledger_contract_visit *visit, void *ctx,
                                 struct tp_error *e)
{
    struct contract c;
    struct db_rows *rows = NULL;
    bool found = true;
    enum tp_err r = db_query(l->db, &rows, CONTRACT_SELECT "ORDER BY id", DB_NONE,
                             DB_COLUMNS(contract_columns), e);

    while (r == TP_OK) {
        r = db_next(rows, &c, &found, e);
        if (r != TP_OK || !found)
            break;
        r = visit(ctx, &c, e);
    }
    db_end(&rows);
    return r;
}

enum tp_err ledger_contract_shut(struct ledger *l, const char *id, struct tp_error *e)
{
    int64_t changes = 0;
    const enum tp_err r = db_exec(l->db, "UPDATE contract SET open = 0 WHERE id = $1",
                                  DB_VALUES(db_text(id)), &changes, e);

    return r == TP_OK && changes != 1 ? no_contract(id, e) : r;
}

/* ---- the acquirer ---- */

struct acquirer {
    char id[ACQUIRER_ID_MAX];
    int raised;
};

static enum tp_err read_acquirer(struct ledger *l, struct acquirer *a, struct tp_error *e)
{
    static const struct db_column columns[] = {DB_COLUMN(struct acquirer, id),
                                               DB_COLUMN(struct acquirer, raised)};
    bool found = false;
    const enum tp_err r = db_one(l->db, "SELECT id, raised FROM acquirer", DB_NONE,
                                 DB_COLUMNS(columns), a, &found, e);

    return r == TP_OK && !found
               ? tp_fail(e, TP_ERR_IO, "the books have no acquirer's number: restore the last copy")
               : r;
}

enum tp_err ledger_acquirer_id(struct ledger *l, char out[ACQUIRER_ID_MAX], struct tp_error *e)
{
    struct acquirer a = {.id = ""};
    const enum tp_err r = read_acquirer(l, &a, e);

    memcpy(out, a.id, sizeof(a.id));
    return r;
}

enum tp_err ledger_raised_on(struct ledger *l, int *day, struct tp_error *e)
{
    struct acquirer a = {.id = ""};
    const enum tp_err r = read_acquirer(l, &a, e);

    *day = a.raised;
    return r;
}

/* ---- terminals ---- */

/* One that no other terminal has: of its place in the books, if nobody took that. */
static enum tp_err give_serial(struct ledger *l, struct terminal *t, struct tp_error *e)
{
    int64_t next = 0, taken = 0;
    char serial[24];
    enum tp_err r = db_number(l->db, "SELECT coalesce(max(terminal), 0) + 1 FROM terminal", DB_NONE,
                              &next, NULL, e);

    if (r != TP_OK)
        return r;
    snprintf(serial, sizeof(serial), "T%07" PRId64, next % 10000000);
    r = db_number(l->db, "SELECT count(*) FROM terminal WHERE serial = $1",
                  DB_VALUES(db_text(serial)), &taken, NULL, e);
    if (r == TP_OK && taken != 0)
        return ledger_random(t->serial, sizeof(t->serial) - 1, e);
    memcpy(t->serial, serial, sizeof(t->serial));
    return r;
}

static enum tp_err insert_terminal(struct ledger *l, struct terminal *t, struct tp_error *e)
{
    int64_t contract = 0;
    bool found = false;
    enum tp_err r = db_number(l->db, "SELECT contract FROM contract WHERE id = $1",
                              DB_VALUES(db_text(t->contract)), &contract, &found, e);

    if (r == TP_OK && !found)
        return no_contract(t->contract, e);
    if (r == TP_OK && t->serial[0] == '\0')
        r = give_serial(l, t, e);
    if (r == TP_OK)
        r = db_exec(l->db,
                    "INSERT INTO terminal (contract, id, open, added, serial, capabilities,"
                    " mediator) VALUES ($1, $2, $3, $4, $5, $6, (SELECT mediator FROM mediator"
                    " WHERE name = $7))",
                    DB_VALUES(db_integer(contract), db_text(t->id), db_integer(t->open ? 1 : 0),
                              db_integer(time(NULL)), db_text(t->serial),
                              db_integer(t->capabilities[0] << 16 | t->capabilities[1] << 8 |
                                         t->capabilities[2]),
                              db_text(t->mediator)),
                    &contract, e);
    return r == TP_ERR_EXISTS
               ? tp_fail(e, r,
                         "contract %s has a terminal %s already, or another terminal its serial",
                         t->contract, t->id)
               : r;
}

enum tp_err ledger_terminal_add(struct ledger *l, struct terminal *t, struct tp_error *e)
{
    const bool given = t->serial[0] != '\0';
    bool own = false;
    enum tp_err r = ledger_begin(l, &own, e);

    if (r != TP_OK)
        return r;
    r = ledger_end(l, own, insert_terminal(l, t, e), e);
    if (r != TP_OK && !given)
        t->serial[0] = '\0';
    return r;
}

struct terminal_row {
    struct terminal t;
    uint32_t capabilities;
};

#define TERMINAL_SELECT                                                                            \
    "SELECT contract.id AS contract, terminal.id, terminal.open, terminal.serial, capabilities,"   \
    " mediator.name AS mediator, (coalesce(mediator.open, 1) = 1) AS mediator_open"                \
    " FROM terminal JOIN contract ON contract.contract = terminal.contract"                        \
    " LEFT JOIN mediator ON mediator.mediator = terminal.mediator "

static const struct db_column terminal_columns[] = {
    DB_COLUMN_AS("contract", struct terminal_row, t.contract),
    DB_COLUMN_AS("id", struct terminal_row, t.id),
    DB_COLUMN_AS("open", struct terminal_row, t.open),
    DB_COLUMN_AS("serial", struct terminal_row, t.serial),
    DB_COLUMN_AS("mediator", struct terminal_row, t.mediator),
    DB_COLUMN_AS("mediator_open", struct terminal_row, t.mediator_open),
    DB_COLUMN(struct terminal_row, capabilities),
};

static void take_terminal(struct terminal *t, const struct terminal_row *row)
{
    *t = row->t;
    for (size_t i = 0; i < sizeof(t->capabilities); i++)
        t->capabilities[i] = (uint8_t)(row->capabilities >> (16 - 8 * i));
}

static enum tp_err no_terminal(const char *contract, const char *id, struct tp_error *e)
{
    return tp_fail(e, TP_ERR_NOT_FOUND, "contract %s has no terminal %s: see terminal list",
                   contract, id);
}

enum tp_err ledger_terminal_get(struct ledger *l, const char *contract, const char *id,
                                struct terminal *t, struct tp_error *e)
{
    struct terminal_row row = {.capabilities = 0};
    bool found = false;
    const enum tp_err r = db_one(
        l->db, TERMINAL_SELECT "WHERE contract.id = $1 AND terminal.id = $2",
        DB_VALUES(db_text(contract), db_text(id)), DB_COLUMNS(terminal_columns), &row, &found, e);

    if (found)
        take_terminal(t, &row);
    return r == TP_OK && !found ? no_terminal(contract, id, e) : r;
}

enum tp_err ledger_terminal_each(struct ledger *l, const char *contract,
                                 ledger_terminal_visit *visit, void *ctx, struct tp_error *e)
{
    struct terminal_row row = {.capabilities = 0};
    struct terminal t;
    struct db_rows *rows = NULL;
    bool found = true;
    enum tp_err r = db_query(l->db, &rows,
                             TERMINAL_SELECT "WHERE $1 IS NULL OR contract.id = $1"
                                             " ORDER BY contract.id, terminal.id",
                             DB_VALUES(db_text(contract)), DB_COLUMNS(terminal_columns), e);

    while (r == TP_OK) {
        r = db_next(rows, &row, &found, e);
        if (r != TP_OK || !found)
            break;
        take_terminal(&t, &row);
        r = visit(ctx, &t, e);
    }
    db_end(&rows);
    return r;
}

enum tp_err ledger_terminal_shut(struct ledger *l, const char *contract, const char *id,
                                 struct tp_error *e)
{
    int64_t changes = 0;
    const enum tp_err r = db_exec(l->db,
                                  "UPDATE terminal SET open = 0 WHERE id = $2 AND contract ="
                                  " (SELECT contract FROM contract WHERE id = $1)",
                                  DB_VALUES(db_text(contract), db_text(id)), &changes, e);

    return r == TP_OK && changes != 1 ? no_terminal(contract, id, e) : r;
}
