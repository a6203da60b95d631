/* A new database of the server of tests/system/with-postgres. */
#ifndef TP_TESTS_POSTGRES_H
#define TP_TESTS_POSTGRES_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void postgres_sql(const char *database, const char *sql)
{
    char command[2048];

    snprintf(command, sizeof(command),
             "psql -qX -v ON_ERROR_STOP=1 'postgresql:///%s?host=%s&user=postgres' -c \"%s\" "
             ">/dev/null",
             database, getenv("WITH_POSTGRES_DIR"), sql);
    ck_assert_msg(system(command) == 0, "%s", command);
}

static inline void postgres_database(char *url, size_t cap)
{
    static unsigned made;
    char name[40], sql[80];

    snprintf(name, sizeof(name), "t%d_%u", (int)getpid(), ++made);
    snprintf(sql, sizeof(sql), "CREATE DATABASE %s", name);
    postgres_sql("postgres", sql);
    snprintf(url, cap, "postgresql:///%s?host=%s&user=postgres", name, getenv("WITH_POSTGRES_DIR"));
}

#endif
