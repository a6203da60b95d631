/* Bare PostgreSQL as a base: COPY in its binary form. */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bare_books.h"
#include "bench.h"

#define HEADER 19 /* signature, flags, no extension: of a binary COPY, before its first row */

struct bare_copy {
    PGconn *from, *to;
};

struct row {
    char *bytes;
    int n;
};

_Noreturn static void fell(PGconn *c, const char *what)
{
    fprintf(stderr, "%s: %s\n", what, PQerrorMessage(c));
    abort();
}

static void run_sql(PGconn *c, const char *sql, ExecStatusType wanted)
{
    PGresult *r = PQexec(c, sql);

    if (PQresultStatus(r) != wanted)
        fell(c, sql);
    PQclear(r);
}

static PGconn *connect_to(const char *url)
{
    PGconn *c = PQconnectdb(url);

    if (PQstatus(c) != CONNECTION_OK)
        fell(c, url);
    return c;
}

struct bare_copy *bare_copy_open(const char *url)
{
    struct bare_copy *b = calloc(1, sizeof(*b));

    if (b == NULL)
        abort();
    b->from = connect_to(url);
    b->to = connect_to(url);
    run_sql(b->to, "CREATE TABLE bare (LIKE tx INCLUDING ALL)", PGRES_COMMAND_OK);
    return b;
}

void bare_copy_close(struct bare_copy *b)
{
    PQfinish(b->from);
    PQfinish(b->to);
    free(b);
}

/* The end of one COPY, of either direction. */
static void end_copy(PGconn *c)
{
    PGresult *r;

    while ((r = PQgetResult(c)) != NULL) {
        if (PQresultStatus(r) != PGRES_COMMAND_OK)
            fell(c, "COPY");
        PQclear(r);
    }
}

/* The last n rows into memory, in the order in which they were kept. */
static void read_rows(struct row *rows, unsigned n, PGconn *c)
{
    char sql[200], *got;
    unsigned i = 0;
    int size;

    snprintf(sql, sizeof(sql),
             "COPY (SELECT * FROM (SELECT * FROM tx ORDER BY rrn DESC LIMIT %u) AS q ORDER BY rrn)"
             " TO STDOUT (FORMAT binary)",
             n);
    run_sql(c, sql, PGRES_COPY_OUT);
    while ((size = PQgetCopyData(c, &got, 0)) > 0) {
        const int skip = i == 0 ? HEADER : 0;

        if (i < n && size > skip) {
            rows[i].n = size - skip;
            rows[i].bytes = malloc((size_t)rows[i].n);
            if (rows[i].bytes == NULL)
                abort();
            memcpy(rows[i++].bytes, got + skip, (size_t)(size - skip));
        }
        PQfreemem(got);
    }
    end_copy(c);
    if (i < n) {
        fprintf(stderr, "%u payments were acknowledged, %u are in the books\n", n, i);
        abort();
    }
}

static void put(PGconn *c, const char *bytes, int n)
{
    if (PQputCopyData(c, bytes, n) != 1)
        fell(c, "COPY");
}

static void copy_group(PGconn *c, const struct row *rows, unsigned n)
{
    static const char header[HEADER] = "PGCOPY\n\377\r\n", trailer[2] = "\377\377";

    run_sql(c, "BEGIN", PGRES_COMMAND_OK);
    run_sql(c, "COPY bare FROM STDIN (FORMAT binary)", PGRES_COPY_IN);
    put(c, header, HEADER);
    for (unsigned i = 0; i < n; i++)
        put(c, rows[i].bytes, rows[i].n);
    put(c, trailer, 2);
    if (PQputCopyEnd(c, NULL) != 1)
        fell(c, "COPY");
    end_copy(c);
    run_sql(c, "COMMIT", PGRES_COMMAND_OK);
}

double bare_copy_turn(const struct bare_copy *b, unsigned n, unsigned group)
{
    struct row *rows = calloc(n, sizeof(*rows));
    double start, took;

    if (rows == NULL)
        abort();
    read_rows(rows, n, b->from);
    start = bench_seconds();
    for (unsigned i = 0; i < n; i += group)
        copy_group(b->to, rows + i, n - i < group ? n - i : group);
    took = bench_seconds() - start;
    for (unsigned i = 0; i < n; i++)
        free(rows[i].bytes);
    free(rows);
    return took;
}
