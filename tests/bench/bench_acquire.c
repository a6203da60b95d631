/* 0200s by telepay-acquirer serve from terminals over TLS, each of another card, in rounds:
 *
 * - how many are acknowledged a second, durable, against bare SQLite that inserts the very same
 *   rows with the same indexes in groups, on the same disk, after them;
 * - what processor time one takes of the server, all its threads, against a bare CDA check;
 * - how long an answer takes at half that rate, against fdatasync on the same disk;
 * - the same on PostgreSQL (of tests/system/with-postgres), durable, against COPY of the same rows;
 * - the same with BENCH_STORED payments in the books (a million; filled before the clock runs: ten
 *   million take some ten minutes and 5 GB) against FEW. BENCH_BOOKS: a folder whose books were
 *   filled before, taken instead; it is filled further.
 *
 * ROUNDS (7), PAYMENTS (6000 a round, and half as many at half the rate), CONNECTIONS (64), WINDOW
 * (4: messages under way on each connection), THREADS (2) in the environment, BENCH_DIR where the
 * folders are. */
#include "bench.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "acquirer/state.h"
#include "bare_books.h"
#include "bare_cda.h"
#include "bare_sync.h"
#include "office.h"
#include "store/db.h"

#define KEYS   32
#define MAKERS 2
#define SIZE   4096 /* of a packed 0200, at most */
#define TERMS  256  /* terminals: a STAN is one terminal's own */
#define FEW    10000
#define FILLER "00009999" /* the terminal of what is stored already */
#define CARDS  500000000  /* card numbers from here on: the filler's are below */
#define CHECKS 2000       /* bare CDA checks a round */

struct message {
    uint8_t bytes[SIZE];
    size_t n;
};

struct site { /* an acquirer and its server */
    struct office office;
    clockid_t clock; /* of all its threads */
    struct bench_rounds rate, cpu, terminals, answer;
};

struct load {
    struct message *message;
    double *latency; /* seconds, by message */
    unsigned payments, connections, window;
    unsigned first, n;   /* of the turn */
    double start, apart; /* apart > 0: a message each so many seconds, from start on */
    struct signer *signer;
};

static struct load load;

/* ---- the messages, made before the clock runs ---- */

static void terminal_of(char out[9], unsigned connection)
{
    snprintf(out, 9, "%08u", (connection + 1) % 100000000);
}

struct maker {
    struct signer signer; /* keys of its own: a key is one thread's at a time */
    unsigned first, count;
};

static void *make(void *ctx)
{
    struct maker *k = ctx;
    static __thread struct made made;

    for (unsigned i = k->first; i < k->count; i += MAKERS) {
        struct signed_card card;
        struct terms terms;
        char terminal[9];
        struct buf out = {load.message[i].bytes, 0, SIZE};
        struct tp_error e = {TP_OK, ""};

        terminal_of(terminal, i % load.connections);
        const struct place where = {OFFICE_CONTRACT, terminal, i / load.connections + 1,
                                    OFFICE_MCC};

        office_must(signer_card(&card, &k->signer, CARDS + i), &e, "signer_card", __FILE__,
                    __LINE__);
        terms_usual(&terms, &card, 2);
        office_must(made_payment(&made, &k->signer, &card, &terms, &terms, &where), &e,
                    "made_payment", __FILE__, __LINE__);
        office_must(iso8583_pack(&out, &made.message, &e), &e, "iso8583_pack", __FILE__, __LINE__);
        load.message[i].n = out.n;
    }
    return NULL;
}

static void make_messages(unsigned count)
{
    struct maker maker[MAKERS];
    pthread_t thread[MAKERS];

    for (unsigned i = 0; i < MAKERS; i++) {
        /* the scheme's keys are of the office; each maker signs with copies */
        MUST(signer_share(&maker[i].signer, load.signer, KEYS / MAKERS, &office_error));
        maker[i].first = i;
        maker[i].count = count;
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
    double *sent; /* by message of the turn */
    unsigned index, refused;
};

/* The k-th message of a connection in this turn. */
static unsigned message_of(const struct terminal_thread *t, unsigned k)
{
    return load.first + k * load.connections + t->index;
}

static void take_answer(struct terminal_thread *t)
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

    load.latency[i] = bench_seconds() - t->sent[i - load.first];
    t->refused += !span_eq(m.field[39], span_str("00"));
}

/* What comes late because the answer before it did is counted from when it was due. */
static void send_message(struct terminal_thread *t, unsigned k)
{
    const unsigned i = message_of(t, k), at = i - load.first;
    const double due = load.start + at * load.apart, wait = due - bench_seconds();
    struct tp_error e = {TP_OK, ""};

    if (load.apart > 0 && wait > 0)
        usleep((useconds_t)(wait * 1e6));
    t->sent[at] = load.apart > 0 && wait < 0 ? due : bench_seconds();
    office_must(link_put(t->client, span_of(load.message[i].bytes, load.message[i].n), &e), &e,
                "link_put", __FILE__, __LINE__);
}

static void *run_terminal(void *ctx)
{
    struct terminal_thread *t = ctx;
    const unsigned mine = load.n / load.connections, window = load.apart > 0 ? 1 : load.window;
    unsigned out = 0, in = 0;

    while (in < mine) {
        while (out < mine && out - in < window)
            send_message(t, out++);
        take_answer(t);
        in++;
    }
    return NULL;
}

struct spent { /* seconds; processor time of the server, and of this program, from when all are
                  connected */
    double wall, server, terminals;
};

static struct spent spent_until_now(const struct site *s)
{
    return (struct spent){bench_seconds(), bench_clock(s->clock),
                          bench_clock(CLOCK_PROCESS_CPUTIME_ID)};
}

/* `n` messages from `first` on, of each connection in turn. */
static struct spent run_turn(struct site *s, unsigned first, unsigned n, double apart)
{
    struct terminal_thread *t = calloc(load.connections, sizeof(*t));
    double *sent = calloc(n, sizeof(*sent));
    struct spent before, after;
    unsigned refused = 0;

    for (unsigned i = 0; i < load.connections; i++) {
        char terminal[9];

        terminal_of(terminal, i);
        t[i].index = i;
        t[i].sent = sent;
        t[i].client = office_connect(&s->office, OFFICE_CONTRACT, terminal);
    }
    load.first = first;
    load.n = n;
    load.apart = apart;
    before = spent_until_now(s);
    load.start = before.wall;
    for (unsigned i = 0; i < load.connections; i++)
        if (pthread_create(&t[i].thread, NULL, run_terminal, &t[i]) != 0)
            abort();
    for (unsigned i = 0; i < load.connections; i++)
        pthread_join(t[i].thread, NULL);
    after = spent_until_now(s);
    for (unsigned i = 0; i < load.connections; i++) {
        link_close(&t[i].client);
        refused += t[i].refused;
    }
    free(t);
    free(sent);
    if (refused > 0) {
        fprintf(stderr, "%u payments were not acknowledged\n", refused);
        abort();
    }
    return (struct spent){after.wall - before.wall, after.server - before.server,
                          after.terminals - before.terminals};
}

/* ---- the other bases ---- */

/* Of a key and a response like those of the cards. */
static struct bare_cda *bare_check(const struct signer *s)
{
    const struct emv_pubkey *key = emv_privkey_public(s->key[0]);
    uint8_t sdad[EMV_RSA_MAX];

    memset(sdad, 0x6A, sizeof(sdad));
    return bare_cda_new(key, span_of(sdad, emv_pubkey_size(key)), 100);
}

/* ---- sites ---- */

static void take_books(const struct office *o, const char *from)
{
    char command[512];

    snprintf(command, sizeof(command),
             "cp %s/seal.key %s/ && cp %s/ledger.db %s/ && rm -f %s/ledger.db-*", from, o->dir,
             from, o->dir, o->dir);
    if (system(command) != 0)
        abort();
}

static void fill_books(struct office *o, unsigned stored)
{
    char command[512];

    office_terminal(o, OFFICE_CONTRACT, FILLER);
    snprintf(command, sizeof(command),
             "%s/tests/tools/ledger_fill %s " OFFICE_CONTRACT " " FILLER " %u 1 10 >/dev/null",
             getenv("TESTS_BUILDDIR"), o->dir, stored);
    if (system(command) != 0)
        abort();
}

/* Its cards are those of `of`, where there is one. */
static void site_start(struct site *s, const struct office *of, unsigned stored, const char *books)
{
    memset(s, 0, sizeof(*s));
    office_make(&s->office, getenv("BENCH_DIR"), 1);
    if (of != NULL) {
        char command[256];

        snprintf(command, sizeof(command), "cp %s/authorities/01.json %s/authorities/", of->dir,
                 s->office.dir);
        if (system(command) != 0)
            abort();
    }
    for (unsigned i = 1; books == NULL && i < load.connections; i++) {
        char terminal[9];

        terminal_of(terminal, i);
        office_terminal(&s->office, OFFICE_CONTRACT, terminal);
    }
    if (books != NULL)
        take_books(&s->office, books);
    else
        fill_books(&s->office, stored);
    office_spawn(&s->office, bench_setting("THREADS", 2));
    if (clock_getcpuclockid(s->office.pid, &s->clock) != 0)
        abort();
}

static void site_end(struct site *s)
{
    office_kill(&s->office, SIGTERM);
    office_remove(&s->office);
}

static double latency_share(unsigned first, unsigned n, double share)
{
    qsort(load.latency + first, n, sizeof(*load.latency), bench_by_size);
    return load.latency[first + (unsigned)((double)(n - 1) * share + 0.5)];
}

/* As fast as it goes; seconds. */
static double serve_all(struct site *s, unsigned first, unsigned n)
{
    const struct spent spent = run_turn(s, first, n, 0);

    bench_round(&s->rate, n / spent.wall);
    bench_round(&s->cpu, spent.server / n);
    bench_round(&s->terminals, spent.terminals / n);
    return spent.wall;
}

/* The 99th percentile of the answers' times at half of `rate`. */
static double serve_half(struct site *s, unsigned first, unsigned n, double rate)
{
    (void)run_turn(s, first, n, 2 / rate);
    bench_round(&s->answer, latency_share(first, n, 0.99));
    return s->answer.value[s->answer.n - 1];
}

/* ---- the report ---- */

struct ratios {
    struct bench_rounds rate, cpu, answer, many_rate, many_answer, base, sync, check, copy,
        postgres;
};

struct sites {
    struct site few, many, postgres;
};

/* Of a round: so many at half the rate, on each connection as many. */
static unsigned half_of(unsigned payments)
{
    return payments / 2 / load.connections * load.connections;
}

/* Of PostgreSQL, where a round is all as fast as it goes. */
static void measure_postgres(struct ratios *x, struct site *s, unsigned first,
                             const struct bare_copy *copy)
{
    const double took = serve_all(s, first, load.payments),
                 bare = bare_copy_turn(copy, load.payments, load.connections * load.window);

    bench_round(&x->copy, load.payments / bare);
    bench_round(&x->postgres, bare / took);
}

static void measure_sqlite(struct ratios *x, struct sites *s, unsigned first,
                           const struct bare_books *books, struct bare_cda *check)
{
    const unsigned half = half_of(load.payments);
    const double took = serve_all(&s->few, first, load.payments),
                 bare = bare_books_turn(books, load.payments, load.connections * load.window),
                 one = bare_cda_turn(check, CHECKS) / CHECKS;
    const double rate = load.payments / took, sync = bare_sync_turn(s->few.office.dir, 0.99),
                 answer = serve_half(&s->few, first + load.payments, half, rate),
                 took_many = serve_all(&s->many, first, load.payments),
                 answer_many = serve_half(&s->many, first + load.payments, half, rate);

    bench_round(&x->base, load.payments / bare);
    bench_round(&x->check, 1 / one);
    bench_round(&x->sync, sync * 1000);
    bench_round(&x->rate, bare / took);
    bench_round(&x->cpu, s->few.cpu.value[s->few.cpu.n - 1] / one);
    bench_round(&x->answer, answer / sync);
    bench_round(&x->many_rate, took_many / took);
    bench_round(&x->many_answer, answer_many / answer);
}

static void measure(struct ratios *x, struct sites *s, unsigned rounds)
{
    const unsigned round = load.payments + half_of(load.payments);
    struct bare_books *books = bare_books_open(s->few.office.dir);
    struct bare_cda *check = bare_check(&s->few.office.signer);
    char url[DB_WHERE_MAX];

    MUST(db_where(url, s->postgres.office.dir, ACQUIRER_BOOKS, &office_error));
    struct bare_copy *copy = bare_copy_open(url);

    for (unsigned i = 0; i < rounds; i++) {
        measure_sqlite(x, s, i * round, books, check);
        measure_postgres(x, &s->postgres, i * round, copy);
    }
    bare_copy_close(copy);
    bare_cda_free(&check);
    bare_books_close(books);
}

static void scale(struct bench_rounds *r, double by)
{
    for (unsigned i = 0; i < r->n; i++)
        r->value[i] *= by;
}

static void report(const struct ratios *x, struct sites *s)
{
    scale(&s->few.cpu, 1e6);
    scale(&s->few.terminals, 1e6);
    scale(&s->few.answer, 1e3);
    scale(&s->many.answer, 1e3);
    bench_value("bare SQLite, same rows and indexes, groups", bench_share(&x->base, 0.5), "1/s",
                "");
    bench_value("bare CDA checks, one core", bench_share(&x->check, 0.5), "1/s", "");
    bench_value("fdatasync of a page, 99th percentile", bench_share(&x->sync, 0.5), "ms", "");
    bench_against("0200 acknowledged, durable", &s->few.rate, "1/s", &x->rate, 0.6, "bare SQLite");
    /* 60 us where a core does 360,000 bare checks a second */
    bench_against("processor time of the server for a 0200", &s->few.cpu, "max us", &x->cpu, 21.6,
                  "a bare CDA check");
    bench_value("processor time of the terminals for a 0200", bench_share(&s->few.terminals, 0.5),
                "us", "on the same processors: TLS and reading the answer");
    bench_against("answer at half load, 99th percentile", &s->few.answer, "max ms", &x->answer, 3,
                  "fdatasync, 99th percentile");
    bench_value("COPY into PostgreSQL, same rows and indexes, groups", bench_share(&x->copy, 0.5),
                "1/s", "");
    bench_against("0200 acknowledged, durable, on PostgreSQL", &s->postgres.rate, "1/s",
                  &x->postgres, 0.5, "COPY");
    bench_against("0200 acknowledged, many stored", &s->many.rate, "max 1/s", &x->many_rate, 1.1,
                  "time with few stored");
    bench_against("answer, many stored, 99th percentile", &s->many.answer, "max ms",
                  &x->many_answer, 1.1, "with few stored");
}

/* How many messages all rounds take. */
static unsigned make_room(unsigned rounds)
{
    load.connections = bench_setting("CONNECTIONS", 64);
    load.window = bench_setting("WINDOW", 4);
    load.payments = bench_setting("PAYMENTS", 6000) / load.connections * load.connections;
    const unsigned all = (load.payments + half_of(load.payments)) * rounds;

    load.message = calloc(all, sizeof(*load.message));
    load.latency = calloc(all, sizeof(*load.latency));
    if (load.message == NULL || load.latency == NULL || load.connections > TERMS)
        abort();
    return all;
}

/* All have the same cards. */
static void start(struct sites *s)
{
    site_start(&s->few, NULL, FEW, NULL);
    site_start(&s->many, &s->few.office, bench_setting("BENCH_STORED", 1000000),
               getenv("BENCH_BOOKS"));
    setenv("TELEPAY_TEST_STORE", "postgresql", 1); /* where office_make puts the books */
    site_start(&s->postgres, &s->few.office, FEW, NULL);
    unsetenv("TELEPAY_TEST_STORE");
    load.signer = &s->few.office.signer;
}

int main(void)
{
    const unsigned rounds = bench_setting("ROUNDS", 7);
    struct ratios x = {0};
    static struct sites s;

    const unsigned all = make_room(rounds);

    start(&s);
    make_messages(all);
    measure(&x, &s, rounds);
    report(&x, &s);
    site_end(&s.postgres);
    site_end(&s.many);
    site_end(&s.few);
    free(load.message);
    free(load.latency);
    return EXIT_SUCCESS;
}
