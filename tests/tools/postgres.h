/* A new database of the server of tests/system/with-postgres. */
#ifndef TP_TESTS_POSTGRES_H
#define TP_TESTS_POSTGRES_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define POSTGRES_NAME_MAX 40

static inline const char *postgres_dir(void)
{
    return getenv("WITH_POSTGRES_DIR");
}

static inline void postgres_url(char *url, size_t cap, const char *database)
{
    snprintf(url, cap, "postgresql:///%s?host=%s&user=postgres", database, postgres_dir());
}

static inline void postgres_sql(const char *database, const char *sql)
{
    char url[300], command[2048];

    postgres_url(url, sizeof(url), database);
    snprintf(command, sizeof(command), "psql -qX -v ON_ERROR_STOP=1 '%s' -c \"%s\" >/dev/null", url,
             sql);
    ck_assert_msg(system(command) == 0, "%s", command);
}

static inline void postgres_database(char name[POSTGRES_NAME_MAX], char *url, size_t cap)
{
    static unsigned made;
    char sql[80];

    snprintf(name, POSTGRES_NAME_MAX, "t%d_%u", (int)getpid(), ++made);
    snprintf(sql, sizeof(sql), "CREATE DATABASE %s", name);
    postgres_sql("postgres", sql);
    postgres_url(url, cap, name);
}

#endif
