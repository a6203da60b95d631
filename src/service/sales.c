#include "service/sales.h"

#include <stdlib.h>
#include <string.h>

#include "store/schema.h"

/* Amounts in the currency's minor unit, times in seconds since 1970 UTC. */
static const char tables[] = "CREATE TABLE served_mediator ("
                             "  print BLOB PRIMARY KEY CHECK (length(print) = 32),"
                             "  name TEXT NOT NULL,"
                             "  added INTEGER NOT NULL,"
                             "  closed INTEGER"
                             ") STRICT, WITHOUT ROWID;"
                             "CREATE TABLE sold ("
                             "  article TEXT PRIMARY KEY,"
                             "  n INTEGER NOT NULL CHECK (n > 0)"
                             ") STRICT, WITHOUT ROWID;"
                             "CREATE TABLE sale ("
                             "  sale INTEGER PRIMARY KEY,"
                             "  mediator TEXT NOT NULL,"
                             "  order_id TEXT NOT NULL,"
                             "  sold_at INTEGER NOT NULL,"
                             "  article TEXT NOT NULL,"
                             "  designation TEXT NOT NULL,"
                             "  amount INTEGER NOT NULL CHECK (amount >= 0),"
                             "  currency INTEGER NOT NULL,"
                             "  delivery INTEGER NOT NULL,"
                             "  file TEXT NOT NULL,"
                             "  type TEXT NOT NULL,"
                             "  note TEXT NOT NULL,"
                             "  quote BLOB NOT NULL CHECK (length(quote) = 32),"
                             "  acknowledgement BLOB NOT NULL,"
                             "  UNIQUE (mediator, order_id)"
                             ") STRICT;";

static const struct db_rule rules[] = {
    {"sale_stands", "BEFORE UPDATE", "sale", NULL, "what was sold stands as it was sold", NULL},
    {"sale_stays", "BEFORE DELETE", "sale", NULL, "what was sold is kept", NULL},
};

const struct db_schema service_schema = {
    .program = "telepay-service",
    .upgrade = "telepay-service upgrade",
    .mark = "served_mediator",
    .tables = tables,
    .rules = rules,
    .n_rules = sizeof(rules) / sizeof(rules[0]),
    .version = 1,
};

struct sales {
    struct db *db;
};

/* ---- opening ---- */

enum tp_err sales_make(const char *dir, const char *url, struct tp_error *e)
{
    char where[DB_WHERE_MAX];
    struct db *db = NULL;
    enum tp_err r = db_where_new(where, dir, SALES_FILE, url, e);

    if (r == TP_OK)
        r = db_open(&db, where, &service_schema, DB_MAKE, e);
    db_close(&db);
    return r == TP_OK && url != NULL ? db_where_set(dir, url, e) : r;
}

enum tp_err sales_open(struct sales **out, const char *dir, struct tp_error *e)
{
    char where[DB_WHERE_MAX];
    struct sales *s = calloc(1, sizeof(*s));
    enum tp_err r;

    *out = NULL;
    if (s == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    r = db_where(where, dir, SALES_FILE, e);
    if (r == TP_OK)
        r = db_open(&s->db, where, &service_schema, DB_USE, e);
    if (r != TP_OK)
        sales_close(&s);
    *out = s;
    return r;
}

void sales_close(struct sales **s)
{
    if (*s == NULL)
        return;
    db_close(&(*s)->db);
    free(*s);
    *s = NULL;
}

/* ---- mediators ---- */

enum tp_err sales_mediator_add(struct sales *s, const char *name, const uint8_t print[SALES_PRINT],
                               struct tp_error *e)
{
    const enum tp_err r = db_exec(
        s->db, "INSERT INTO served_mediator (print, name, added) VALUES ($1, $2, $3)",
        DB_VALUES(db_blob(span_of(print, SALES_PRINT)), db_text(name), db_integer(time(NULL))),
        NULL, e);

    return r == TP_ERR_EXISTS
               ? tp_fail(e, r,
                         "this certificate is a mediator's already: telepay-service mediator "
                         "list says whose")
               : r;
}

enum tp_err sales_mediator_close(struct sales *s, const char *name, struct tp_error *e)
{
    int64_t n = 0;
    const enum tp_err r =
        db_exec(s->db, "UPDATE served_mediator SET closed = $2 WHERE name = $1 AND closed IS NULL",
                DB_VALUES(db_text(name), db_integer(time(NULL))), &n, e);

    return r == TP_OK && n == 0
               ? tp_fail(e, TP_ERR_NOT_FOUND,
                         "no mediator %s is served: telepay-service mediator list says which are",
                         name)
               : r;
}

struct named {
    char name[SALES_NAME_MAX];
};

enum tp_err sales_mediator_of(struct sales *s, const uint8_t print[SALES_PRINT],
                              char name[SALES_NAME_MAX], bool *found, struct tp_error *e)
{
    static const struct db_column columns[] = {DB_COLUMN(struct named, name)};
    struct named n = {""};
    const enum tp_err r =
        db_one(s->db, "SELECT name FROM served_mediator WHERE print = $1 AND closed IS NULL",
               DB_VALUES(db_blob(span_of(print, SALES_PRINT))), DB_COLUMNS(columns), &n, found, e);

    memcpy(name, n.name, sizeof(n.name));
    return r;
}

enum tp_err sales_mediator_each(struct sales *s, sales_mediator_visit *visit, void *ctx,
                                struct tp_error *e)
{
    static const struct db_column columns[] = {
        DB_COLUMN(struct sales_mediator, name),
        DB_COLUMN(struct sales_mediator, print),
        DB_COLUMN(struct sales_mediator, added),
        DB_COLUMN(struct sales_mediator, closed),
    };
    struct sales_mediator m;
    struct db_rows *rows = NULL;
    bool found = true;
    enum tp_err r = db_query(
        s->db, &rows, "SELECT name, print, added, closed FROM served_mediator ORDER BY name, added",
        DB_NONE, DB_COLUMNS(columns), e);

    while (r == TP_OK && (r = db_next(rows, &m, &found, e)) == TP_OK && found)
        r = visit(ctx, &m, e);
    db_end(&rows);
    return r;
}

/* ---- what was sold ---- */

#define SALE_COLUMNS                                                                               \
    "SELECT mediator, order_id, sold_at, article, designation, amount, currency, delivery, file,"  \
    " type, note, quote, acknowledgement FROM sale"

static const struct db_column sale_columns[] = {
    DB_COLUMN(struct sale, mediator),
    DB_COLUMN_AS("order_id", struct sale, order),
    DB_COLUMN_AS("sold_at", struct sale, at),
    DB_COLUMN(struct sale, article),
    DB_COLUMN(struct sale, designation),
    DB_COLUMN(struct sale, amount),
    DB_COLUMN(struct sale, currency),
    DB_COLUMN(struct sale, delivery),
    DB_COLUMN(struct sale, file),
    DB_COLUMN(struct sale, type),
    DB_COLUMN(struct sale, note),
    DB_COLUMN(struct sale, quote),
    DB_COLUMN(struct sale, acknowledgement),
};

enum tp_err sales_sold(struct sales *s, const char *article, int64_t *n, struct tp_error *e)
{
    bool found = false;

    *n = 0;
    return db_number(s->db, "SELECT n FROM sold WHERE article = $1", DB_VALUES(db_text(article)), n,
                     &found, e);
}

enum tp_err sales_find(struct sales *s, const char *mediator, const char *order, struct sale *out,
                       bool *found, struct tp_error *e)
{
    return db_one(s->db, SALE_COLUMNS " WHERE mediator = $1 AND order_id = $2",
                  DB_VALUES(db_text(mediator), db_text(order)), DB_COLUMNS(sale_columns), out,
                  found, e);
}

enum tp_err sales_begin(struct sales *s, struct tp_error *e)
{
    return db_begin(s->db, e);
}

enum tp_err sales_sell(struct sales *s, const struct sale *sale, struct tp_error *e)
{
    enum tp_err r = db_exec(
        s->db,
        "INSERT INTO sale (mediator, order_id, sold_at, article, designation, amount, currency,"
        " delivery, file, type, note, quote, acknowledgement)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        DB_VALUES(db_text(sale->mediator), db_text(sale->order), db_integer(sale->at),
                  db_text(sale->article), db_text(sale->designation), db_integer(sale->amount),
                  db_integer(sale->currency), db_integer(sale->delivery), db_text(sale->file),
                  db_text(sale->type), db_text(sale->note), db_blob(SPAN_OF(sale->quote)),
                  db_blob(sale->acknowledgement)),
        NULL, e);

    return r != TP_OK ? r
                      : db_exec(s->db,
                                "INSERT INTO sold (article, n) VALUES ($1, 1)"
                                " ON CONFLICT (article) DO UPDATE SET n = sold.n + 1",
                                DB_VALUES(db_text(sale->article)), NULL, e);
}

enum tp_err sales_commit(struct sales *s, struct tp_error *e)
{
    return db_commit(s->db, e);
}

void sales_rollback(struct sales *s)
{
    db_rollback(s->db);
}

enum tp_err sales_each(struct sales *s, sales_visit *visit, void *ctx, struct tp_error *e)
{
    struct sale sale;
    struct db_rows *rows = NULL;
    bool found = true;
    enum tp_err r =
        db_query(s->db, &rows, SALE_COLUMNS " ORDER BY sale", DB_NONE, DB_COLUMNS(sale_columns), e);

    while (r == TP_OK && (r = db_next(rows, &sale, &found, e)) == TP_OK && found)
        r = visit(ctx, &sale, e);
    db_end(&rows);
    return r;
}

enum tp_err sales_account_each(struct sales *s, const char *article, sales_account_visit *visit,
                               void *ctx, struct tp_error *e)
{
    static const struct db_column columns[] = {
        DB_COLUMN(struct sales_account, account), DB_COLUMN(struct sales_account, currency),
        DB_COLUMN(struct sales_account, credit), DB_COLUMN(struct sales_account, orders)};
    struct sales_account a;
    struct db_rows *rows = NULL;
    bool found = true;
    const int64_t n = (int64_t)strlen(article);
    enum tp_err r =
        db_query(s->db, &rows,
                 "SELECT article AS account, currency, CAST(sum(amount) AS BIGINT) AS"
                 " credit, count(*) AS orders FROM sale WHERE substr(article, 1, $2) = $1"
                 " GROUP BY article, currency ORDER BY article, currency",
                 DB_VALUES(db_text(article), db_integer(n)), DB_COLUMNS(columns), e);

    while (r == TP_OK && (r = db_next(rows, &a, &found, e)) == TP_OK && found)
        r = visit(ctx, &a, e);
    db_end(&rows);
    return r;
}
