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

#include "acquirer/state.h"
#include "ledger/schema.h"
#include "office.h"

#define KEYS   32
#define MAKERS 2
#define SIZE   4096 /* of a packed 0200, at most */
#define TERMS  256  /* terminals: a STAN is one terminal's own */
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

static void must(enum tp_err r, const struct tp_error *e)
{
    if (r == TP_OK)
        return;
    fprintf(stderr, "%s\n", e->text);
    abort();
}

static void say(struct db *db, const char *sql)
{
    struct tp_error e;

    must(db_exec(db, sql, DB_NONE, NULL, &e), &e);
}

#define DEFINITIONS_MAX 8

struct definition {
    char sql[2400];
};

/* The table of payments and its indexes, without its rules. */
static void copy_schema(struct db *to, struct db *from)
{
    static const struct db_column columns[] = {DB_COLUMN(struct definition, sql)};
    static struct definition d[DEFINITIONS_MAX];
    struct db_rows *rows = NULL;
    struct tp_error e;
    bool found = true;

    must(db_query(from, &rows,
                  "SELECT sql FROM sqlite_schema WHERE tbl_name = 'tx' AND type IN ('table', "
                  "'index') AND sql IS NOT NULL ORDER BY type DESC",
                  DB_NONE, DB_COLUMNS(columns), &e),
         &e);
    for (size_t n = 0; found && n < DEFINITIONS_MAX; n++) {
        must(db_next(rows, &d[n], &found, &e), &e);
        if (found)
            say(to, d[n].sql);
    }
    db_end(&rows);
}

struct row {
    int64_t rrn, remise, terminal, date, stan, time, kind, amount, psn, atc, card_expiry,
        acknowledged;
    char pan_masked[20];
    struct span ac, digest, pan_lookup, pan_sealed, de55, stream, aid;
};

static void keep_span(struct span *s)
{
    uint8_t *p = malloc(s->n + 1);

    if (p == NULL)
        abort();
    if (s->n > 0)
        memcpy(p, s->p, s->n);
    *s = span_of(p, s->n);
}

static void each_span(struct row *row, void (*visit)(struct span *s))
{
    struct span *const spans[] = {&row->ac,   &row->digest, &row->pan_lookup, &row->pan_sealed,
                                  &row->de55, &row->stream, &row->aid};

    for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++)
        visit(spans[i]);
}

static void free_span(struct span *s)
{
    free((void *)(uintptr_t)s->p);
}

/* Rows into memory, in the order in which they were kept. */
static unsigned read_rows(struct row *all, unsigned max, struct db *from)
{
    static const struct db_column columns[] = {
        DB_COLUMN(struct row, rrn),         DB_COLUMN(struct row, remise),
        DB_COLUMN(struct row, terminal),    DB_COLUMN(struct row, date),
        DB_COLUMN(struct row, stan),        DB_COLUMN(struct row, time),
        DB_COLUMN(struct row, kind),        DB_COLUMN(struct row, amount),
        DB_COLUMN(struct row, psn),         DB_COLUMN(struct row, atc),
        DB_COLUMN(struct row, card_expiry), DB_COLUMN(struct row, acknowledged),
        DB_COLUMN(struct row, pan_masked),  DB_COLUMN(struct row, ac),
        DB_COLUMN(struct row, digest),      DB_COLUMN(struct row, pan_lookup),
        DB_COLUMN(struct row, pan_sealed),  DB_COLUMN(struct row, de55),
        DB_COLUMN(struct row, stream),      DB_COLUMN(struct row, aid)};
    struct db_rows *rows = NULL;
    struct tp_error e;
    unsigned n = 0;
    bool found = true;

    must(db_query(from, &rows, "SELECT * FROM tx ORDER BY rrn", DB_NONE, DB_COLUMNS(columns), &e),
         &e);
    while (n < max) {
        must(db_next(rows, &all[n], &found, &e), &e);
        if (!found)
            break;
        each_span(&all[n++], keep_span);
    }
    db_end(&rows);
    return n;
}

static void insert_row(struct db *to, const struct row *r)
{
    struct tp_error e;

    must(db_exec(to,
                 "INSERT INTO tx (rrn, remise, terminal, date, stan, time, kind, amount, psn, atc,"
                 " card_expiry, acknowledged, ac, digest, pan_lookup, pan_masked, pan_sealed, de55,"
                 " stream, aid) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,"
                 " $14, $15, $16, $17, $18, $19, $20)",
                 DB_VALUES(db_integer(r->rrn), db_integer(r->remise), db_integer(r->terminal),
                           db_integer(r->date), db_integer(r->stan), db_integer(r->time),
                           db_integer(r->kind), db_integer(r->amount), db_integer(r->psn),
                           db_integer(r->atc), db_integer(r->card_expiry),
                           db_integer(r->acknowledged), db_blob(r->ac), db_blob(r->digest),
                           db_blob(r->pan_lookup), db_text(r->pan_masked), db_blob(r->pan_sealed),
                           db_blob(r->de55), db_blob(r->stream), db_blob(r->aid)),
                 NULL, &e),
         &e);
}

/* The books, and an empty database beside them. */
static void open_both(struct db **from, struct db **to)
{
    static const struct db_schema nothing = {.program = "bench",
                                             .upgrade = "bench",
                                             .mark = "bare",
                                             .tables = "CREATE TABLE bare (one INTEGER) STRICT;",
                                             .version = 1};
    char path[128];
    struct tp_error e;

    snprintf(path, sizeof(path), "%s/ledger.db", load.office.dir);
    must(db_open(from, path, &ledger_schema, DB_USE, &e), &e);
    snprintf(path, sizeof(path), "%s/bare.db", load.office.dir);
    must(db_open(to, path, &nothing, DB_MAKE, &e), &e);
    say(*to, "PRAGMA foreign_keys = OFF");
    copy_schema(*to, *from);
}

static double bare_sqlite(unsigned group)
{
    struct db *from = NULL, *to = NULL;
    struct row *rows = calloc(load.payments, sizeof(*rows));
    struct tp_error e;
    unsigned n;
    double start, took;

    open_both(&from, &to);
    n = read_rows(rows, load.payments, from);
    if (n != load.payments) {
        fprintf(stderr, "%u payments were acknowledged, %u are in the books\n", load.payments, n);
        abort();
    }
    start = seconds();
    for (unsigned i = 0; i < n; i++) {
        if (i % group == 0)
            must(db_begin(to, &e), &e);
        insert_row(to, &rows[i]);
        if ((i + 1) % group == 0 || i + 1 == n)
            must(db_commit(to, &e), &e);
    }
    took = seconds() - start;
    for (unsigned i = 0; i < n; i++)
        each_span(&rows[i], free_span);
    free(rows);
    db_close(&from);
    db_close(&to);
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
