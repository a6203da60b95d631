/* Bare SQLite as a base. */
#include "bare_books.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

#define SQLITE(call)                                                                               \
    do {                                                                                           \
        const int rc_ = (call);                                                                    \
        if (rc_ != SQLITE_OK && rc_ != SQLITE_DONE && rc_ != SQLITE_ROW) {                         \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #call, sqlite3_errstr(rc_));    \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#define COLUMNS_MAX 32

static void run_sql(sqlite3 *db, const char *sql)
{
    char *message = NULL;

    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK) {
        fprintf(stderr, "%s: %s\n", sql, message);
        abort();
    }
}

/* The table of payments and its indexes, without its triggers. */
static void copy_schema(sqlite3 *to, sqlite3 *from)
{
    sqlite3_stmt *s = NULL;

    SQLITE(sqlite3_prepare_v2(from,
                              "SELECT sql FROM sqlite_master WHERE tbl_name = 'tx' AND type IN "
                              "('table', 'index') AND sql IS NOT NULL"
                              " ORDER BY type DESC",
                              -1, &s, NULL));
    while (sqlite3_step(s) == SQLITE_ROW)
        run_sql(to, (const char *)sqlite3_column_text(s, 0));
    sqlite3_finalize(s);
}

static sqlite3_stmt *insert_payment(sqlite3 *db, int columns)
{
    char sql[256];
    sqlite3_stmt *s = NULL;
    int n = snprintf(sql, sizeof(sql), "INSERT INTO tx VALUES (?");

    for (int i = 1; i < columns; i++)
        n += snprintf(sql + n, sizeof(sql) - (size_t)n, ",?");
    snprintf(sql + n, sizeof(sql) - (size_t)n, ")");
    SQLITE(sqlite3_prepare_v2(db, sql, -1, &s, NULL));
    return s;
}

struct row {
    sqlite3_value *value[COLUMNS_MAX];
};

struct bare_books {
    sqlite3 *from, *to;
    sqlite3_stmt *read, *insert;
    int columns;
};

struct bare_books *bare_books_open(const char *dir)
{
    struct bare_books *b = calloc(1, sizeof(*b));
    char from_path[128], to_path[128];

    if (b == NULL)
        abort();
    snprintf(from_path, sizeof(from_path), "%s/ledger.db", dir);
    snprintf(to_path, sizeof(to_path), "%s/bare.db", dir);
    SQLITE(sqlite3_open_v2(from_path, &b->from, SQLITE_OPEN_READWRITE, NULL));
    SQLITE(sqlite3_open_v2(to_path, &b->to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL));
    run_sql(b->to, "PRAGMA journal_mode = WAL");
    run_sql(b->to, "PRAGMA synchronous = FULL");
    copy_schema(b->to, b->from);
    SQLITE(sqlite3_prepare_v2(b->from, "SELECT * FROM tx ORDER BY rrn DESC LIMIT ?", -1, &b->read,
                              NULL));
    b->columns = sqlite3_column_count(b->read);
    b->insert = insert_payment(b->to, b->columns);
    return b;
}

void bare_books_close(struct bare_books *b)
{
    sqlite3_finalize(b->read);
    sqlite3_finalize(b->insert);
    sqlite3_close(b->from);
    sqlite3_close(b->to);
    free(b);
}

/* The last n rows into memory, in the order in which they were kept. */
static void read_rows(struct row *rows, unsigned n, const struct bare_books *b)
{
    unsigned left = n;

    SQLITE(sqlite3_bind_int(b->read, 1, (int)n));
    while (left > 0 && sqlite3_step(b->read) == SQLITE_ROW) {
        left--;
        for (int c = 0; c < b->columns; c++)
            rows[left].value[c] = sqlite3_value_dup(sqlite3_column_value(b->read, c));
    }
    SQLITE(sqlite3_reset(b->read));
    if (left > 0) {
        fprintf(stderr, "%u payments were acknowledged, %u are in the books\n", n, n - left);
        abort();
    }
}

static void insert_row(sqlite3_stmt *s, sqlite3_value *const *value, int columns)
{
    for (int c = 0; c < columns; c++)
        SQLITE(sqlite3_bind_value(s, c + 1, value[c]));
    SQLITE(sqlite3_step(s));
    SQLITE(sqlite3_reset(s));
}

double bare_books_turn(const struct bare_books *b, unsigned n, unsigned group)
{
    struct row *rows = calloc(n, sizeof(*rows));
    double start, took;

    read_rows(rows, n, b);
    start = bench_seconds();
    for (unsigned i = 0; i < n; i++) {
        if (i % group == 0)
            run_sql(b->to, "BEGIN IMMEDIATE");
        insert_row(b->insert, rows[i].value, b->columns);
        if ((i + 1) % group == 0 || i + 1 == n)
            run_sql(b->to, "COMMIT");
    }
    took = bench_seconds() - start;
    for (unsigned i = 0; i < n; i++)
        for (int c = 0; c < COLUMNS_MAX; c++)
            sqlite3_value_free(rows[i].value[c]);
    free(rows);
    return took;
}
