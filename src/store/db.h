/* SQLite for the rooms above: one connection, prepared statements kept, WAL with synchronous=FULL,
 * errors with a sentence. A connection is used by one thread. */
#ifndef TP_STORE_DB_H
#define TP_STORE_DB_H

#include <sqlite3.h>

#include "base/span.h"

struct db;

/* Opens (creating it, mode 0600, when `create`) and brings the schema up: schema[i] is run in one
 * transaction when user_version is i. TP_ERR_NOT_FOUND, TP_ERR_IO, TP_ERR_STATE (made by a newer
 * version). */
TP_MUST_CHECK enum tp_err db_open(struct db **out, const char *path, bool create,
                                  const char *const *schema, size_t versions, struct tp_error *e);
void db_close(struct db **d);

/* The kept statement for that SQL (a string literal: known by its address), reset and with bindings
 * cleared. Bind with sqlite3_bind_*, step with db_step. *out is NULL on an error. */
TP_MUST_CHECK enum tp_err db_prepare(struct db *d, sqlite3_stmt **out, const char *sql,
                                     struct tp_error *e);

/* One step: *row says whether there is a row. Errors, all with a sentence that names the database
 * and the remedy: TP_ERR_EXISTS (uniqueness), TP_ERR_STATE (a trigger refuses: its own words),
 * TP_ERR_RANGE (a CHECK or NOT NULL), TP_ERR_NOT_FOUND (a foreign key), TP_ERR_IO (full disk,
 * read-only, in use, damaged), TP_ERR_NO_MEMORY. After TP_ERR_IO within a transaction roll it back:
 * SQLite may have done so already. */
TP_MUST_CHECK enum tp_err db_step(struct db *d, sqlite3_stmt *s, bool *row, struct tp_error *e);
/* For statements without rows; the statement is reset behind it. */
TP_MUST_CHECK enum tp_err db_run(struct db *d, sqlite3_stmt *s, struct tp_error *e);

/* A write transaction (BEGIN IMMEDIATE); a snapshot for reading. A commit that fails rolls back.
 * rollback cannot fail and is harmless when none is open. */
TP_MUST_CHECK enum tp_err db_begin(struct db *d, struct tp_error *e);
TP_MUST_CHECK enum tp_err db_begin_read(struct db *d, struct tp_error *e);
TP_MUST_CHECK enum tp_err db_commit(struct db *d, struct tp_error *e);
/* Within a transaction: writes the schema's version again as it is, so that the commit fails as
 * that of any change would. */
TP_MUST_CHECK enum tp_err db_touch(struct db *d, struct tp_error *e);
void db_rollback(struct db *d);
bool db_in_transaction(struct db *d);

void db_bind_span(sqlite3_stmt *s, int index,
                  struct span v); /* blob, not copied: valid until reset */
void db_bind_text(sqlite3_stmt *s, int index, const char *v); /* not copied; NULL is NULL */
struct span db_column_span(sqlite3_stmt *s, int column);      /* valid until the next step */
const char *db_column_text(sqlite3_stmt *s,
                           int column); /* "" for NULL; valid until the next step */
/* The same into a member; shortened if need be, not through the middle of a character. */
void db_column_copy(char *out, size_t cap, sqlite3_stmt *s, int column);

struct sqlite3 *db_handle(struct db *d); /* for sqlite3_changes, backup, bench */

#endif
