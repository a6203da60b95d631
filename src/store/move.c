#include "store/move.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/db_priv.h"

#define TABLE_MAX 40
#define WIDTH_MAX 64
#define SQL_MAX   4096

struct table { /* one that is being copied; the statements are the drivers' own */
    struct db *from, *to;
    char name[TABLE_MAX];
    void *read, *write;
    struct db_value row[WIDTH_MAX];
    const char *names[WIDTH_MAX];
    char key[TABLE_MAX]; /* its first column; the names are the rows' */
    size_t width;
};

/* The name behind the next CREATE TABLE of the text, or false. */
static bool next_table(const char **text, char name[TABLE_MAX])
{
    static const char create[] = "CREATE TABLE ";
    const char *p = strstr(*text, create);

    if (p == NULL)
        return false;
    p += sizeof(create) - 1;
    *text = p;
    snprintf(name, TABLE_MAX, "%.*s", (int)strcspn(p, " ("), p);
    return true;
}

static void read_row(struct table *t)
{
    const struct db_driver *driver = db_driver_of(t->from);

    t->width = 0;
    while (t->width < WIDTH_MAX &&
           driver->column(t->read, t->width, &t->names[t->width], &t->row[t->width]))
        t->width++;
}

static enum tp_err prepare_write(struct table *t, struct tp_error *e)
{
    char sql[SQL_MAX];
    struct db_value any[WIDTH_MAX] = {{DB_NULL, true, 0, {NULL, 0}}};
    int n = snprintf(sql, sizeof(sql), "INSERT INTO %s (", t->name);

    snprintf(t->key, sizeof(t->key), "%s", t->names[0]);
    for (size_t i = 0; i < t->width; i++)
        n += snprintf(sql + n, sizeof(sql) - (size_t)n, "%s%s", i > 0 ? ", " : "", t->names[i]);
    n += snprintf(sql + n, sizeof(sql) - (size_t)n, ") VALUES (");
    for (size_t i = 0; i < t->width; i++)
        n += snprintf(sql + n, sizeof(sql) - (size_t)n, "%s$%zu", i > 0 ? ", " : "", i + 1);
    snprintf(sql + n, sizeof(sql) - (size_t)n, ")");
    return db_driver_of(t->to)->prepare(db_conn(t->to), &t->write, sql,
                                        (struct db_values){any, t->width}, e);
}

static enum tp_err write_row(struct table *t, struct tp_error *e)
{
    const struct db_driver *driver = db_driver_of(t->to);
    bool row = false;
    enum tp_err r = TP_OK;

    read_row(t);
    if (t->write == NULL)
        r = prepare_write(t, e);
    if (r == TP_OK)
        r = driver->start(db_conn(t->to), t->write, (struct db_values){t->row, t->width},
                          DB_WANT_NOTHING, e);
    if (r == TP_OK)
        r = driver->next(db_conn(t->to), t->write, &row, e);
    if (t->write != NULL)
        (void)driver->reset(db_conn(t->to), t->write, NULL);
    return r;
}

static enum tp_err copy_table(struct table *t, uint64_t *rows, struct tp_error *e)
{
    const struct db_driver *driver = db_driver_of(t->from);
    char sql[TABLE_MAX + 32];
    bool row = true;
    enum tp_err r;

    snprintf(sql, sizeof(sql), "SELECT * FROM %s", t->name);
    r = driver->prepare(db_conn(t->from), &t->read, sql, DB_NONE, e);
    if (r == TP_OK)
        r = driver->start(db_conn(t->from), t->read, DB_NONE, DB_WANT_ALL, e);
    while (r == TP_OK && (r = driver->next(db_conn(t->from), t->read, &row, e)) == TP_OK && row) {
        r = write_row(t, e);
        (*rows)++;
    }
    if (r == TP_OK && t->write != NULL && db_driver_of(t->to)->filled != NULL)
        r = db_driver_of(t->to)->filled(db_conn(t->to), t->name, t->key, e);
    if (t->read != NULL) {
        (void)driver->reset(db_conn(t->from), t->read, NULL);
        driver->finish(db_conn(t->from), t->read);
    }
    if (t->write != NULL)
        db_driver_of(t->to)->finish(db_conn(t->to), t->write);
    return r;
}

static enum tp_err copy_all(struct db *from, struct db *to, const struct db_schema *schema,
                            uint64_t *rows, struct tp_error *e)
{
    const char *text = schema->tables;
    struct table t = {.from = from, .to = to};
    enum tp_err r = db_make_tables(to, schema, e);

    while (r == TP_OK && next_table(&text, t.name)) {
        t.read = t.write = NULL;
        r = copy_table(&t, rows, e);
    }
    return r == TP_OK ? db_make_rules(to, schema, e) : r;
}

enum tp_err db_move(const char *from, const char *to, const struct db_schema *schema,
                    db_moved *moved, void *ctx, struct tp_error *e)
{
    uint64_t rows = 0;
    struct db *source = NULL, *target = NULL;
    enum tp_err r = db_open(&source, from, schema, DB_USE, e);

    if (r == TP_OK)
        r = db_connect(&target, to, true, e);
    if (r == TP_OK) /* before the source is held: it may be the same one */
        r = db_must_be_empty(target, e);
    if (r == TP_OK)
        r = db_begin(source, e); /* nobody writes what would not come along */
    if (r == TP_OK)
        r = db_begin(target, e);
    if (r == TP_OK)
        r = db_must_be_empty(target, e);
    if (r == TP_OK)
        r = copy_all(source, target, schema, &rows, e);
    if (r == TP_OK)
        r = db_commit(target, e);
    db_close(&target);
    if (r == TP_OK) /* the source is held until everybody is sent to the other one */
        r = moved(ctx, rows, e);
    db_close(&source);
    return r;
}
