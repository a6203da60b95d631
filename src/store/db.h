/* One contract for the databases of the house: SQLite in a file, PostgreSQL by its URL. Statements
 * are one text for both, with parameters $1 … $n; values go in with their types, rows come out
 * into the members of a struct by the columns' names. A connection is used by one thread.
 *
 * SQL that both engines take: INSERT … ON CONFLICT DO NOTHING, RETURNING, CASE, coalesce,
 * CAST(sum(x) AS BIGINT), IS DISTINCT FROM; a condition is a comparison (open = 1), never a number
 * alone; INSERT … SELECT has a WHERE before its ON CONFLICT; a bare parameter in a SELECT list is
 * CAST to its type.
 *
 * Errors of every call, each with a sentence that names the database and the remedy: TP_ERR_EXISTS
 * (uniqueness), TP_ERR_STATE (what must never be: the schema's own words; or a transaction that an
 * error has spoilt), TP_ERR_RANGE (a CHECK or NOT NULL, or a column that its member cannot hold),
 * TP_ERR_NOT_FOUND (a foreign key), TP_ERR_AGAIN (another transaction was in the way: the whole
 * transaction may be tried again), TP_ERR_IO (full disk, read-only, in use, damaged, gone, silent),
 * TP_ERR_NO_MEMORY, TP_ERR_INTERNAL (a statement that is none). */
#ifndef TP_STORE_DB_H
#define TP_STORE_DB_H

#include <stddef.h>

#include "base/span.h"

struct db;
struct db_schema; /* store/schema.h */

/* where: a path, or postgresql://… (libpq's own URL). DB_USE: what is there must be of this program
 * and this version: TP_ERR_NOT_FOUND, TP_ERR_STATE (older: says which command brings it up; newer;
 * another program's). DB_MAKE: made new: TP_ERR_EXISTS. DB_USE_OR_MAKE: made if nothing is there. A
 * file is made with mode 0600. */
enum db_open_mode { DB_USE, DB_MAKE, DB_USE_OR_MAKE };
TP_MUST_CHECK enum tp_err db_open(struct db **out, const char *where,
                                  const struct db_schema *schema, enum db_open_mode mode,
                                  struct tp_error *e);
void db_close(struct db **d);

/* Of the one program that serves these books: another, on whatever machine, that asks for the same
 * gets TP_ERR_IO until this is closed. */
TP_MUST_CHECK enum tp_err db_serve_alone(struct db *d, struct tp_error *e);

/* Whether new books can go there: TP_ERR_USAGE (no URL), TP_ERR_EXISTS (it is not empty), and what
 * db_open says. */
TP_MUST_CHECK enum tp_err db_try_new(const char *url, struct tp_error *e);

bool db_is_url(const char *where); /* whether it names a server, not a file */

/* Where the books of a folder are: the URL that stands in its store.conf ([store] url), else its
 * file of that name. db_where_set writes it there, mode 0600. */
#define DB_WHERE_MAX  4096
#define DB_WHERE_FILE "store.conf"
TP_MUST_CHECK enum tp_err db_where(char out[DB_WHERE_MAX], const char *dir, const char *file,
                                   struct tp_error *e);
/* Where new ones go: to the URL, or when it is NULL into the file of the folder. */
TP_MUST_CHECK enum tp_err db_where_new(char out[DB_WHERE_MAX], const char *dir, const char *file,
                                       const char *url, struct tp_error *e);
TP_MUST_CHECK enum tp_err db_where_set(const char *dir, const char *url, struct tp_error *e);

/* A file's content as of one moment, into another that is made; others may write meanwhile.
 * TP_ERR_USAGE: it is a server's, which has its own way (pg_dump). */
TP_MUST_CHECK enum tp_err db_can_copy(const struct db *d, struct tp_error *e);
TP_MUST_CHECK enum tp_err db_copy(struct db *d, const char *path, struct tp_error *e);

/* ---- values ---- */

enum db_kind { DB_NULL, DB_INTEGER, DB_TEXT, DB_BLOB };

struct db_value {
    enum db_kind kind;
    bool null; /* of that kind, but without a value */
    int64_t integer;
    struct span bytes; /* of DB_TEXT and DB_BLOB: borrowed until the statement has run */
};

struct db_values {
    const struct db_value *v;
    size_t n;
};

#define DB_VALUES(...)                                                                             \
    ((struct db_values){(const struct db_value[]){__VA_ARGS__},                                    \
                        sizeof((const struct db_value[]){__VA_ARGS__}) / sizeof(struct db_value)})
#define DB_NONE ((struct db_values){NULL, 0})

struct db_value db_integer(int64_t v);
struct db_value db_integer_or_null(int64_t v, bool present);
struct db_value db_text(const char *v); /* NULL is null */
struct db_value db_blob(struct span v); /* an empty one is an empty blob */
struct db_value db_blob_or_null(struct span v, bool present);

/* ---- rows ---- */

enum db_member { DB_SIGNED, DB_UNSIGNED, DB_BOOL, DB_CHARS, DB_BYTES, DB_SPAN };

struct db_column {
    const char *name;
    enum db_member member;
    size_t offset, size;
};

struct db_columns {
    const struct db_column *c;
    size_t n;
};

#define DB_MEMBER_OF(x)                                                                            \
    _Generic((x),                                                                                  \
        bool: DB_BOOL,                                                                             \
        signed char: DB_SIGNED,                                                                    \
        short: DB_SIGNED,                                                                          \
        int: DB_SIGNED,                                                                            \
        long: DB_SIGNED,                                                                           \
        unsigned char: DB_UNSIGNED,                                                                \
        unsigned short: DB_UNSIGNED,                                                               \
        unsigned int: DB_UNSIGNED,                                                                 \
        unsigned long: DB_UNSIGNED,                                                                \
        char *: DB_CHARS,                                                                          \
        unsigned char *: DB_BYTES,                                                                 \
        struct span: DB_SPAN)

/* The column of that name goes to the member: an integer or enum of any size (TP_ERR_RANGE when it
 * does not hold it), a bool, char[] (shortened if need be, never through a character of UTF-8),
 * uint8_t[] (exactly as many bytes), a struct span (borrowed). NULL is 0, "", zeros, empty. */
#define DB_COLUMN_AS(column, type, m)                                                              \
    {                                                                                              \
        (column), DB_MEMBER_OF(((type *)0)->m), offsetof(type, m), sizeof(((type *)0)->m)          \
    }
#define DB_COLUMN(type, m) DB_COLUMN_AS(#m, type, m)
#define DB_COLUMNS(table)  ((struct db_columns){(table), sizeof(table) / sizeof((table)[0])})

/* ---- statements: sql is a string literal, kept prepared and known by its address ---- */

/* Without rows. changes: how many rows it changed; NULL: not asked, and then it may be sent later,
 * with the transaction, whose commit tells its error. */
TP_MUST_CHECK enum tp_err db_exec(struct db *d, const char *sql, struct db_values v,
                                  int64_t *changes, struct tp_error *e);

/* The first row, if there is one. Each column of the statement goes to a member of *row and each
 * member is filled (TP_ERR_INTERNAL otherwise); without a row, *row stays as it was. Spans live
 * until the same statement is run again. */
TP_MUST_CHECK enum tp_err db_one(struct db *d, const char *sql, struct db_values v,
                                 struct db_columns columns, void *row, bool *found,
                                 struct tp_error *e);
/* The same for one number. found may be NULL when there always is one. */
TP_MUST_CHECK enum tp_err db_number(struct db *d, const char *sql, struct db_values v,
                                    int64_t *number, bool *found, struct tp_error *e);

/* Row by row, in constant memory; other statements may be run between, not the same one. Spans live
 * until the next row; what the values borrow must live until db_end. */
struct db_rows;
TP_MUST_CHECK enum tp_err db_query(struct db *d, struct db_rows **out, const char *sql,
                                   struct db_values v, struct db_columns columns,
                                   struct tp_error *e);
TP_MUST_CHECK enum tp_err db_next(struct db_rows *rows, void *row, bool *found, struct tp_error *e);
void db_end(struct db_rows **rows); /* NULL is fine */

/* ---- transactions ---- */

/* To write: one at a time over all connections. To read: a snapshot. After an error of a statement
 * within one nothing more can be done in it but to roll it back: the statements and the commit say
 * TP_ERR_STATE. A commit that fails rolls back. Rolling back cannot fail and is harmless when none
 * is open. */
TP_MUST_CHECK enum tp_err db_begin(struct db *d, struct tp_error *e);
TP_MUST_CHECK enum tp_err db_begin_read(struct db *d, struct tp_error *e);
TP_MUST_CHECK enum tp_err db_commit(struct db *d, struct tp_error *e);
void db_rollback(struct db *d);

/* Whether the commits that follow are durable when they return, as they are at first. One that is
 * not is kept in its place: it may be lost with the power, and no later one without it. Outside of
 * a transaction. */
TP_MUST_CHECK enum tp_err db_durable(struct db *d, bool durable, struct tp_error *e);

/* The connection is for a moment, and the next one comes soon: at its end a file's log stays beside
 * it, until it is worth writing into the file. */
void db_brief(struct db *d);

bool db_in_transaction(struct db *d);
/* Within one: writes what changes nothing, so that the commit fails as that of any change would. */
TP_MUST_CHECK enum tp_err db_touch(struct db *d, struct tp_error *e);

#endif
