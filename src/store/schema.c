#include "store/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "store/db_priv.h"

/* One row: whose it is, and of which version. A transaction to write begins with it. */
static const char store_table[] =
    "CREATE TABLE store (program TEXT NOT NULL, version INTEGER NOT NULL) STRICT;";

struct made { /* what is there */
    char program[40];
    int64_t version; /* 0: nothing */
};

static enum tp_err has_table(struct db *d, const char *name, bool *has, struct tp_error *e)
{
    int64_t n = 0;
    const enum tp_err r =
        db_number(d, db_driver_of(d)->has_table, DB_VALUES(db_text(name)), &n, NULL, e);

    *has = n > 0;
    return r;
}

/* Of before the table `store`: the version stood in the file's head, and the program nowhere. */
static enum tp_err read_old(struct db *d, struct made *m, const struct db_schema *schema,
                            struct tp_error *e)
{
    bool marked = false;
    enum tp_err r = TP_OK;

    if (db_driver_of(d)->version == NULL)
        return TP_OK;
    r = db_number(d, db_driver_of(d)->version, DB_NONE, &m->version, NULL, e);
    if (r == TP_OK && m->version > 0)
        r = has_table(d, schema->mark, &marked, e);
    snprintf(m->program, sizeof(m->program), "%s", marked ? schema->program : "another program");
    return r;
}

static enum tp_err read_made(struct db *d, struct made *m, const struct db_schema *schema,
                             struct tp_error *e)
{
    static const struct db_column columns[] = {DB_COLUMN(struct made, program),
                                               DB_COLUMN(struct made, version)};
    bool has = false;
    enum tp_err r = has_table(d, "store", &has, e);

    *m = (struct made){"", 0};
    if (r != TP_OK)
        return r;
    if (!has)
        return read_old(d, m, schema, e);
    r = db_one(d, "SELECT program, version FROM store", DB_NONE, DB_COLUMNS(columns), m, &has, e);
    if (r == TP_OK && !has)
        r = tp_fail(e, TP_ERR_STATE, "%s does not say whose it is: restore the last copy",
                    db_name(d));
    return r;
}

/* ---- making ---- */

/* The text with the engine's words. Free it. */
static char *in_words(const char *text, const struct db_word *words)
{
    size_t n = 0;
    char *out = NULL;
    FILE *f = open_memstream(&out, &n);

    if (f == NULL)
        return NULL;
    while (*text != '\0') {
        const struct db_word *w = words;

        while (w->text != NULL && strncmp(text, w->text, strlen(w->text)) != 0)
            w++;
        if (w->text == NULL)
            fputc(*text++, f);
        else {
            fputs(w->engine, f);
            text += strlen(w->text);
        }
    }
    if (fclose(f) != 0) {
        free(out);
        return NULL;
    }
    return out;
}

static enum tp_err run(struct db *d, const char *text, struct tp_error *e)
{
    char *sql = in_words(text, db_driver_of(d)->words);
    enum tp_err r = TP_OK;

    if (sql == NULL)
        r = tp_fail(e, TP_ERR_NO_MEMORY, "out of memory for %s", db_name(d));
    else
        r = db_driver_of(d)->script(db_conn(d), sql, e);
    free(sql);
    return r;
}

enum tp_err db_make_rules(struct db *d, const struct db_schema *schema, struct tp_error *e)
{
    enum tp_err r = TP_OK;

    for (size_t i = 0; i < schema->n_rules && r == TP_OK; i++)
        r = db_driver_of(d)->rule(db_conn(d), &schema->rules[i], e);
    return r;
}

static enum tp_err say_whose(struct db *d, const struct db_schema *schema, struct tp_error *e)
{
    return db_exec(d, "INSERT INTO store (program, version) VALUES ($1, $2)",
                   DB_VALUES(db_text(schema->program), db_integer((int64_t)schema->version)), NULL,
                   e);
}

enum tp_err db_make_tables(struct db *d, const struct db_schema *schema, struct tp_error *e)
{
    enum tp_err r = run(d, store_table, e);

    if (r == TP_OK)
        r = run(d, schema->tables, e);
    return r == TP_OK ? say_whose(d, schema, e) : r;
}

enum tp_err db_must_be_empty(struct db *d, struct tp_error *e)
{
    int64_t n = 0;
    const enum tp_err r = db_number(d, db_driver_of(d)->tables, DB_NONE, &n, NULL, e);

    return r == TP_OK && n > 0
               ? tp_fail(e, TP_ERR_EXISTS,
                         "%s holds something already, and is never written over: name an empty one",
                         db_name(d))
               : r;
}

enum tp_err db_try_new(const char *url, struct tp_error *e)
{
    struct db *d = NULL;
    enum tp_err r = db_connect(&d, url, false, e);

    if (r == TP_OK)
        r = db_must_be_empty(d, e);
    db_close(&d);
    return r;
}

/* Two that make it at once: the second finds it made. */
static enum tp_err make_once(struct db *d, const struct db_schema *schema, enum db_open_mode mode,
                             struct made *m, struct tp_error *e)
{
    enum tp_err r = db_driver_of(d)->begin(db_conn(d), true, e);

    if (r != TP_OK)
        return r;
    r = read_made(d, m, schema, e);
    if (r == TP_OK && (m->version == 0 || mode == DB_MAKE))
        r = db_must_be_empty(d, e);
    if (r == TP_OK && m->version == 0) {
        r = db_make_tables(d, schema, e);
        if (r == TP_OK)
            r = db_make_rules(d, schema, e);
        snprintf(m->program, sizeof(m->program), "%s", schema->program);
        m->version = (int64_t)schema->version;
    }
    if (r == TP_OK)
        r = db_driver_of(d)->commit(db_conn(d), e);
    if (r != TP_OK && db_driver_of(d)->in_transaction(db_conn(d)))
        db_driver_of(d)->rollback(db_conn(d));
    db_forget_statements(d);
    return r;
}

/* ---- opening ---- */

static enum tp_err whose(const struct db *d, const struct made *m, const struct db_schema *schema,
                         struct tp_error *e)
{
    if (m->version == 0)
        return tp_fail(e, TP_ERR_NOT_FOUND, "%s holds nothing of %s yet: run its init", db_name(d),
                       schema->program);
    if (strcmp(m->program, schema->program) != 0)
        return tp_fail(e, TP_ERR_STATE, "%s is of %s, not of %s: name another one", db_name(d),
                       m->program, schema->program);
    if (m->version > (int64_t)schema->version)
        return tp_fail(e, TP_ERR_STATE,
                       "%s was made by a newer telepay (version %lld, this one knows %zu): use "
                       "that one",
                       db_name(d), (long long)m->version, schema->version);
    return TP_OK;
}

enum tp_err db_open(struct db **out, const char *where, const struct db_schema *schema,
                    enum db_open_mode mode, struct tp_error *e)
{
    struct db *d = NULL;
    struct made m = {"", 0};
    enum tp_err r = db_connect(&d, where, mode != DB_USE, e);

    *out = NULL;
    if (r == TP_OK)
        r = read_made(d, &m, schema, e);
    if (r == TP_OK && (mode == DB_MAKE || (mode == DB_USE_OR_MAKE && m.version == 0)))
        r = make_once(d, schema, mode, &m, e);
    if (r == TP_OK)
        r = whose(d, &m, schema, e);
    if (r == TP_OK && m.version < (int64_t)schema->version)
        r = tp_fail(e, TP_ERR_STATE,
                    "%s was made by an older telepay (version %lld, this one has %zu): run %s%s",
                    db_name(d), (long long)m.version, schema->version, schema->upgrade,
                    db_driver_of(d)->copy != NULL ? _(", which keeps a copy")
                                                  : _(", after a copy of it (pg_dump)"));
    if (r == TP_OK) {
        *out = d;
        d = NULL;
    }
    db_close(&d);
    return r;
}

/* ---- what older versions made ---- */

struct trigger {
    char name[64], tbl[64];
};

static enum tp_err drop_triggers(struct db *d, struct tp_error *e)
{
    static const struct db_column columns[] = {DB_COLUMN(struct trigger, name),
                                               DB_COLUMN(struct trigger, tbl)};
    const bool on = db_driver_of(d)->on_table;
    char sql[256];
    bool found = true;
    enum tp_err r = TP_OK;

    while (r == TP_OK && found) {
        struct trigger t;

        r = db_one(d, db_driver_of(d)->triggers, DB_NONE, DB_COLUMNS(columns), &t, &found, e);
        if (r != TP_OK || !found)
            break;
        snprintf(sql, sizeof(sql), "DROP TRIGGER %s%s%s", t.name, on ? " ON " : "",
                 on ? t.tbl : "");
        r = db_driver_of(d)->script(db_conn(d), sql, e);
    }
    return r;
}

/* The steps may drop and make triggers of their time; today's are made anew behind them. */
static enum tp_err bring_up(struct db *d, const struct db_schema *schema, size_t from,
                            struct tp_error *e)
{
    bool has = false;
    enum tp_err r = TP_OK;

    for (size_t i = from; i < schema->version && r == TP_OK; i++) {
        if (schema->unruled == i + 1)
            r = drop_triggers(d, e);
        if (r == TP_OK)
            r = run(d, schema->migrations[i - 1].sql, e);
    }
    if (r == TP_OK)
        r = drop_triggers(d, e);
    if (r == TP_OK)
        r = db_make_rules(d, schema, e);
    if (r == TP_OK)
        r = has_table(d, "store", &has, e);
    if (r == TP_OK && !has)
        r = run(d, store_table, e);
    else if (r == TP_OK)
        r = run(d, "DELETE FROM store;", e);
    return r == TP_OK ? say_whose(d, schema, e) : r;
}

enum tp_err db_can_copy(const struct db *d, struct tp_error *e)
{
    return db_driver_of(d)->copy != NULL
               ? TP_OK
               : tp_fail(e, TP_ERR_USAGE, "%s is a server's: copy it with pg_dump", db_name(d));
}

enum tp_err db_copy(struct db *d, const char *path, struct tp_error *e)
{
    const enum tp_err r = db_can_copy(d, e);

    return r == TP_OK ? db_driver_of(d)->copy(db_conn(d), path, e) : r;
}

static enum tp_err keep_copy(struct db *d, const char *where, size_t version, char copy[512],
                             struct tp_error *e)
{
    int n;

    copy[0] = '\0';
    if (db_driver_of(d)->copy == NULL)
        return TP_OK;
    n = snprintf(copy, 512, "%s.version-%zu-%lld", where, version, (long long)time(NULL));
    if (n < 0 || n >= 512)
        return tp_fail(e, TP_ERR_RANGE, "the path %.200s… is too long", where);
    return db_copy(d, copy, e);
}

enum tp_err db_upgrade(const char *where, const struct db_schema *schema, char copy[512],
                       db_upgrade_say *say, void *ctx, struct tp_error *e)
{
    const struct db_driver *driver;
    struct db *d = NULL;
    struct made before = {"", 0}, m = {"", 0};
    enum tp_err r = db_connect(&d, where, false, e);

    copy[0] = '\0';
    if (r == TP_OK)
        r = read_made(d, &before, schema, e);
    if (r == TP_OK)
        r = whose(d, &before, schema, e);
    if (r != TP_OK || before.version == (int64_t)schema->version)
        goto out;
    for (size_t i = (size_t)before.version; i < schema->version && say != NULL; i++)
        if (!say(ctx, i, i + 1, schema->migrations[i - 1].does)) {
            r = tp_fail(e, TP_ERR_CANCELLED, "%s stays as it is", db_name(d));
            goto out;
        }
    driver = db_driver_of(d);
    r = keep_copy(d, where, (size_t)before.version, copy, e);
    if (r == TP_OK)
        r = driver->begin(db_conn(d), true, e);
    if (r == TP_OK) /* another may have done it meanwhile */
        r = read_made(d, &m, schema, e);
    if (r == TP_OK && m.version != before.version)
        r = tp_fail(e, TP_ERR_STATE, "%s is being brought up by another at this moment",
                    db_name(d));
    if (r == TP_OK)
        r = bring_up(d, schema, (size_t)m.version, e);
    if (r == TP_OK)
        r = driver->commit(db_conn(d), e);
    if (r != TP_OK && driver->in_transaction(db_conn(d)))
        driver->rollback(db_conn(d));
out:
    db_close(&d);
    return r;
}
