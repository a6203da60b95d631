/* SQL put into a file of SQLite or a database of PostgreSQL behind the back of the store: damage on
 * purpose, what its rules must refuse, files of older versions. */
#ifndef TP_TESTS_DAMAGE_H
#define TP_TESTS_DAMAGE_H

#include <check.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "postgres.h"

/* SQLITE_OK, or SQLITE_CONSTRAINT: a rule of the tables has refused it. */
static inline int damage_by(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    int r;

    if (strncmp(path, "postgresql:", 11) == 0) {
        const char *state = postgres_state(path, sql);

        ck_assert_msg(state[0] == '\0' || strncmp(state, "23", 2) == 0 ||
                          strcmp(state, "P0001") == 0,
                      "%s: %s", sql, state);
        return state[0] == '\0' ? SQLITE_OK : SQLITE_CONSTRAINT;
    }
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    sqlite3_exec(db, "PRAGMA foreign_keys = ON", NULL, NULL, NULL);
    r = sqlite3_exec(db, sql, NULL, NULL, NULL);
    ck_assert_msg(r == SQLITE_OK || r == SQLITE_CONSTRAINT, "%s: %s", sql, sqlite3_errmsg(db));
    sqlite3_close(db);
    return r;
}

static inline void damage(const char *path, const char *sql)
{
    ck_assert_msg(damage_by(path, sql) == SQLITE_OK, "refused: %s", sql);
}

static inline void damage_refused(const char *path, const char *sql)
{
    ck_assert_msg(damage_by(path, sql) == SQLITE_CONSTRAINT, "not refused: %s", sql);
}

/* A file as an older version made it: tests/data/old/NAME.sql, then `rows`. */
static inline void old_file(const char *path, const char *name, const char *rows)
{
    char command[1024];

    snprintf(command, sizeof(command), "sqlite3 '%s' <'%s/data/old/%s.sql'", path,
             getenv("TESTS_SRCDIR"), name);
    ck_assert_int_eq(system(command), 0);
    damage(path, rows);
    ck_assert_int_eq(chmod(path, 0600), 0);
}

#endif
