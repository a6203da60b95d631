/* 0200s acknowledged per second, durable, by telepay-acquirer serve from terminals over TLS, each
 * of another card; against bare SQLite that inserts the very same rows with the same indexes in
 * groups, on the same disk, in the same run. And how long an answer takes. Prints one JSON object a
 * line.
 *
 * PAYMENTS (48000: some seconds of the acquirer and more than one of bare SQLite, which lives on
 * the page cache before), CONNECTIONS (16), WINDOW (16: messages under way on each connection) in
 * the environment. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "acquirer/state.h"
#include "office.h"

#define KEYS   32
#define MAKERS 2
#define SIZE   4096 /* of a packed 0200, at most */
#define TERMS  256  /* terminals: a STAN is one terminal's own */
#define SQLITE(call)                                                                               \
    do {                                                                                           \
        const int rc_ = (call);                                                                    \
        if (rc_ != SQLITE_OK && rc_ != SQLITE_DONE && rc_ != SQLITE_ROW) {                         \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #call, sqlite3_errstr(rc_));    \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

struct message {
    uint8_t bytes[SIZE];
    size_t n;
};

struct load {
    struct office office;
    struct message *message;
    double *latency; /* seconds, by message */
    unsigned payments, connections, window;
};

static struct load load;

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static unsigned from_environment(const char *name, unsigned otherwise)
{
    const char *text = getenv(name);

    return text != NULL && atoi(text) > 0 ? (unsigned)atoi(text) : otherwise;
}

/* ---- the messages, made before the clock runs ---- */

static void terminal_of(char out[9], unsigned connection)
{
    snprintf(out, 9, "%08u", (connection + 1) % 100000000);
}

struct maker {
    struct signer signer; /* keys of its own: a key is one thread's at a time */
    unsigned first;
};

static void *make(void *ctx)
{
    struct maker *k = ctx;
    static __thread struct made made;

    for (unsigned i = k->first; i < load.payments; i += MAKERS) {
        struct signed_card card;
        struct terms terms;
        char terminal[9];
        struct buf out = {load.message[i].bytes, 0, SIZE};
        struct tp_error e = {TP_OK, ""};

        terminal_of(terminal, i % load.connections);
        const struct place where = {OFFICE_CONTRACT, terminal, i / load.connections + 1,
                                    OFFICE_MCC};

        office_must(signer_card(&card, &k->signer, i), &e, "signer_card", __FILE__, __LINE__);
        terms_usual(&terms, &card, 1);
        office_must(made_payment(&made, &k->signer, &card, &terms, &terms, &where), &e,
                    "made_payment", __FILE__, __LINE__);
        office_must(iso8583_pack(&out, &made.message, &e), &e, "iso8583_pack", __FILE__, __LINE__);
        load.message[i].n = out.n;
    }
    return NULL;
}

static void make_messages(void)
{
    struct maker maker[MAKERS];
    pthread_t thread[MAKERS];

    for (unsigned i = 0; i < MAKERS; i++) {
        /* the scheme's keys are of the office; each maker signs with copies */
        MUST(signer_share(&maker[i].signer, &load.office.signer, KEYS / MAKERS, &office_error));
        maker[i].first = i;
        if (pthread_create(&thread[i], NULL, make, &maker[i]) != 0)
            abort();
    }
    for (unsigned i = 0; i < MAKERS; i++) {
        pthread_join(thread[i], NULL);
        signer_clear(&maker[i].signer);
    }
}

/* ---- the load ---- */

struct terminal_thread {
    pthread_t thread;
    struct link_client *client;
    unsigned index, refused;
};

static void take_answer(struct terminal_thread *t, const double *sent)
{
    uint8_t room[ECHO_ANSWER_MAX];
    struct buf in = BUF_OF(room);
    struct iso8583 m;
    struct tp_error e = {TP_OK, ""};
    uint64_t stan = 0;

    office_must(link_receive(t->client, &in, 60000, &e), &e, "link_receive", __FILE__, __LINE__);
    office_must(iso8583_unpack(&m, buf_span(&in), &e), &e, "iso8583_unpack", __FILE__, __LINE__);
    office_must(iso8583_number(&m, 11, &stan), &e, "DE 11", __FILE__, __LINE__);
    const unsigned i = (unsigned)(stan - 1) * load.connections + t->index;

    load.latency[i] = seconds() - sent[stan - 1];
    t->refused += !span_eq(m.field[39], span_str("00"));
}

static void *run_terminal(void *ctx)
{
    struct terminal_thread *t = ctx;
    const unsigned mine = (load.payments - t->index + load.connections - 1) / load.connections;
    double *sent = calloc(mine + 1, sizeof(*sent));
    unsigned out = 0, in = 0;
    struct tp_error e = {TP_OK, ""};

    while (in < mine) {
        while (out < mine && out - in < load.window) {
            const struct message *m = &load.message[out * load.connections + t->index];

            sent[out++] = seconds();
            office_must(link_put(t->client, span_of(m->bytes, m->n), &e), &e, "link_put", __FILE__,
                        __LINE__);
        }
        take_answer(t, sent);
        in++;
    }
    free(sent);
    return NULL;
}

static double run_load(void)
{
    struct terminal_thread *t = calloc(load.connections, sizeof(*t));
    unsigned refused = 0;
    double start, took;

    for (unsigned i = 0; i < load.connections; i++) {
        char terminal[9];

        terminal_of(terminal, i);
        t[i].index = i;
        t[i].client = office_connect(&load.office, OFFICE_CONTRACT, terminal);
    }
    start = seconds();
    for (unsigned i = 0; i < load.connections; i++)
        if (pthread_create(&t[i].thread, NULL, run_terminal, &t[i]) != 0)
            abort();
    for (unsigned i = 0; i < load.connections; i++)
        pthread_join(t[i].thread, NULL);
    took = seconds() - start;
    for (unsigned i = 0; i < load.connections; i++) {
        link_close(&t[i].client);
        refused += t[i].refused;
    }
    free(t);
    if (refused > 0) {
        fprintf(stderr, "%u payments were not acknowledged\n", refused);
        abort();
    }
    return took;
}

/* ---- bare SQLite ---- */

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

/* Rows into memory, in the order in which they were kept. */
static unsigned read_rows(struct row *rows, unsigned max, sqlite3 *from, int *columns)
{
    sqlite3_stmt *s = NULL;
    unsigned n = 0;

    SQLITE(sqlite3_prepare_v2(from, "SELECT * FROM tx ORDER BY rrn", -1, &s, NULL));
    *columns = sqlite3_column_count(s);
    for (; n < max && sqlite3_step(s) == SQLITE_ROW; n++)
        for (int c = 0; c < *columns; c++)
            rows[n].value[c] = sqlite3_value_dup(sqlite3_column_value(s, c));
    sqlite3_finalize(s);
    return n;
}

static void insert_row(sqlite3_stmt *s, sqlite3_value *const *value, int columns)
{
    for (int c = 0; c < columns; c++)
        SQLITE(sqlite3_bind_value(s, c + 1, value[c]));
    SQLITE(sqlite3_step(s));
    SQLITE(sqlite3_reset(s));
}

static double bare_sqlite(unsigned group)
{
    char from_path[128], to_path[128];
    sqlite3 *from = NULL, *to = NULL;
    struct row *rows = calloc(load.payments, sizeof(*rows));
    int columns = 0;
    unsigned n;
    double start, took;

    snprintf(from_path, sizeof(from_path), "%s/ledger.db", load.office.dir);
    snprintf(to_path, sizeof(to_path), "%s/bare.db", load.office.dir);
    SQLITE(sqlite3_open_v2(from_path, &from, SQLITE_OPEN_READWRITE, NULL));
    SQLITE(sqlite3_open_v2(to_path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL));
    run_sql(to, "PRAGMA journal_mode = WAL");
    run_sql(to, "PRAGMA synchronous = FULL");
    copy_schema(to, from);
    n = read_rows(rows, load.payments, from, &columns);
    if (n != load.payments) {
        fprintf(stderr, "%u payments were acknowledged, %u are in the books\n", load.payments, n);
        abort();
    }
    sqlite3_stmt *tx = insert_payment(to, columns);

    start = seconds();
    for (unsigned i = 0; i < n; i++) {
        if (i % group == 0)
            run_sql(to, "BEGIN IMMEDIATE");
        insert_row(tx, rows[i].value, columns);
        if ((i + 1) % group == 0 || i + 1 == n)
            run_sql(to, "COMMIT");
    }
    took = seconds() - start;
    sqlite3_finalize(tx);
    for (unsigned i = 0; i < n; i++)
        for (int c = 0; c < COLUMNS_MAX; c++)
            sqlite3_value_free(rows[i].value[c]);
    free(rows);
    sqlite3_close(from);
    sqlite3_close(to);
    return took;
}

/* ---- the report ---- */

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double percentile(double share)
{
    return load.latency[(size_t)((double)(load.payments - 1) * share)] * 1000;
}

int main(void)
{
    double served, bare;

    load.payments = from_environment("PAYMENTS", 48000);
    load.connections = from_environment("CONNECTIONS", 16);
    load.window = from_environment("WINDOW", 16);
    load.message = calloc(load.payments, sizeof(*load.message));
    load.latency = calloc(load.payments, sizeof(*load.latency));
    if (load.message == NULL || load.latency == NULL || load.connections > TERMS)
        abort();
    office_make(&load.office, getenv("BENCH_DIR"), 1);
    for (unsigned i = 1; i < load.connections; i++) {
        char terminal[9];

        terminal_of(terminal, i);
        office_terminal(&load.office, OFFICE_CONTRACT, terminal);
    }
    make_messages();
    office_spawn(&load.office, from_environment("THREADS", 2));
    served = run_load();
    office_kill(&load.office, SIGTERM);
    bare = bare_sqlite(load.connections * load.window);
    qsort(load.latency, load.payments, sizeof(*load.latency), by_size);
    printf("{\"bench\":\"acquire\",\"name\":\"0200 acknowledged, "
           "durable\",\"value\":%.0f,\"unit\":\"1/s\",\"base\":%.0f,"
           "\"base_name\":\"bare SQLite, same rows and indexes, groups of "
           "%u\",\"ratio\":%.3f,\"limit\":0.3}\n",
           load.payments / served, load.payments / bare, load.connections * load.window,
           bare / served);
    printf(
        "{\"bench\":\"acquire\",\"name\":\"answer time, median\",\"value\":%.2f,\"unit\":\"ms\"}\n",
        percentile(0.5));
    printf("{\"bench\":\"acquire\",\"name\":\"answer time, 99th "
           "percentile\",\"value\":%.2f,\"unit\":\"ms\"}\n",
           percentile(0.99));
    office_remove(&load.office);
    free(load.message);
    free(load.latency);
    return bare / served >= 0.3 ? 0 : 1;
}
