/* The server of tests/system/with-postgres: new databases, statements behind the back of the store.
 */
#ifndef TP_TESTS_POSTGRES_H
#define TP_TESTS_POSTGRES_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
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

/* TELEPAY_TEST_STORE=postgresql: the books of a test are in a database, not in a file. */
static inline bool postgres_wanted(void)
{
    const char *store = getenv("TELEPAY_TEST_STORE");

    return store != NULL && strcmp(store, "postgresql") == 0;
}

/* The SQLSTATE of its error, "" if there was none. */
static inline const char *postgres_state(const char *url, const char *sql)
{
    static char line[64];
    char said[64] = "", command[512];
    FILE *f;
    int status;

    setenv("POSTGRES_SQL", sql, 1);
    snprintf(command, sizeof(command),
             "psql -qX -v ON_ERROR_STOP=1 -v VERBOSITY=sqlstate '%s' -c \"$POSTGRES_SQL\" 2>&1 "
             ">/dev/null",
             url);
    f = popen(command, "r");
    if (f == NULL) {
        perror("psql");
        abort();
    }
    while (fgets(line, sizeof(line), f) != NULL)
        if (strncmp(line, "ERROR:  ", 8) == 0)
            snprintf(said, sizeof(said), "%.5s", line + 8);
    status = pclose(f);
    if (status != 0 && said[0] == '\0') {
        fprintf(stderr, "%s: %s: exit %d\n", command, sql, status);
        abort();
    }
    snprintf(line, sizeof(line), "%s", said);
    return line;
}

static inline void postgres_sql(const char *database, const char *sql)
{
    char url[300];
    const char *state;

    postgres_url(url, sizeof(url), database);
    state = postgres_state(url, sql);
    if (state[0] != '\0') {
        fprintf(stderr, "%s: %s\n", sql, state);
        abort();
    }
}

/* By the time too: where much runs, the number of a process soon is that of another. */
static inline void postgres_named(char name[POSTGRES_NAME_MAX], char *url, size_t cap)
{
    struct timespec now;
    char sql[80];

    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(name, POSTGRES_NAME_MAX, "t%d_%llx", (int)getpid(),
             (unsigned long long)now.tv_sec * 1000000000 + (unsigned long long)now.tv_nsec);
    snprintf(sql, sizeof(sql), "CREATE DATABASE %s", name);
    postgres_sql("postgres", sql);
    postgres_url(url, cap, name);
}

static inline void postgres_database(char *url, size_t cap)
{
    char name[POSTGRES_NAME_MAX];

    postgres_named(name, url, cap);
}

#endif
