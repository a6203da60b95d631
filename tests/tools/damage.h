/* SQL put into a file behind the back of the store: damage on purpose, files of older versions. */
#ifndef TP_TESTS_DAMAGE_H
#define TP_TESTS_DAMAGE_H

#include <check.h>
#include <sqlite3.h>

static inline void damage(const char *path, const char *sql)
{
    sqlite3 *db = NULL;

    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(db));
    sqlite3_close(db);
}

#endif
