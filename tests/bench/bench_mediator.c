/* An order by telepay-mediator serve, with an acquirer, a service and a payer's device each a
 * process of its own, over HTTPS connections that stay, in rounds:
 *
 * - demands (402) a second, each with a quote of the service and an order that is kept, durable,
 *   and signed, against those of mppx, which keeps nothing, in one process of Node over plain HTTP;
 * - paid a second, from the credential to 200 with what was bought, durable, against what mppx says
 *   yes to; the credentials are made before the clock runs;
 * - the same against the 0200s that terminals bring straight to the same acquirer, and with many
 *   orders stored against few;
 * - how long the answer to a credential takes, in fdatasyncs too, what processor time the mediator
 *   and its clients take of each, and what a payment is on the wire, of which TLS's own bytes are
 *   no part.
 *
 * ROUNDS (8), ORDERS (320 a round; of mppx 4 times as many), CONNECTIONS (16), BENCH_ORDERS (a
 * million, stored before the second half of the rounds) in the environment,
 * BENCH_DIR where the folder is, TELEPAY_NPM where mppx is (tests/npm). Without mppx or Node there
 * is no ratio. */
#include "bare_sync.h"
#include "bench.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "frontal.h"
#include "holds.h"
#include "order/sealed.h"
#include "wire/payment_charge.h"
#include "wire/payment_credential.h"

#define ARTICLE         "https://localhost:18843/s/journal/article-1"
#define TILL            "http://127.0.0.1:18900/article-1"
#define CONNECTIONS_MAX 64
#define TILL_TIMES      4   /* its turns are as long as the mediator's, or nearer to it */
#define ALONE           100 /* payments a round, on one connection */

struct exchange {     /* a request, and what came of it */
    char *credential; /* NULL: none is sent */
    char *challenge;  /* of the answer; NULL: none */
    double seconds;
};

struct wire { /* bytes */
    double sent, head, body;
};

struct costs { /* a request's, of each round */
    struct bench_rounds rate, cpu, all, clients;
};

struct shop {
    const char *url;
    pid_t pid;
    clockid_t clock[3]; /* its own, and those of who it asks */
    unsigned clocks;
    char *(*credential)(const struct payment_challenge *);
    CURL *easy[CONNECTIONS_MAX];
    struct exchange *exchange;
    unsigned n;
    struct costs demand, paid;
};

static struct bench {
    struct office office;
    struct frontal frontal; /* the order's terminal, and no mediator */
    struct acquirer_keys keys;
    pid_t acquirer, service;
    unsigned connections, cards;
    SSL_CTX *terminal[CONNECTIONS_MAX];
    struct bench_rounds straight, sync, added;            /* 0200s a second; ms */
    struct bench_rounds alone, alone_99, among, among_99; /* answers, in ms */
    struct wire demand, payment;
} bench;

static void run(const char *command)
{
    if (system(command) == 0)
        return;
    fprintf(stderr, "failed: %s\n", command);
    abort();
}

/* ---- programs ---- */

static const char set_up[] =
    "exec >set_up.log 2>&1; set -e\n"
    "telepay-acquirer mediator add --dir \"$OFFICE\" --name port --contract " OFFICE_CONTRACT
    " --out forport --port 18583\n"
    "telepay-mediator init med --listen 127.0.0.1:18843 --origin https://localhost:18843\n"
    "telepay-mediator acquirer add forport\n"
    "telepay-service init journal\n"
    "telepay-service mediator add --dir journal --id port --out jp --url https://127.0.0.1:18743\n"
    "telepay-mediator service add jp --name journal --contract " OFFICE_CONTRACT "\n";

static void until_said(const char *log, const char *words)
{
    char command[256];

    snprintf(
        command, sizeof(command),
        "for i in $(seq 600); do grep -q '%s' %s && exit; sleep 0.05; done; cat %s >&2; exit 1",
        words, log, log);
    run(command);
}

/* Its words are in the log; it is up when it has said `up`. */
static pid_t launch(const char *log, const char *up, const char *const words[])
{
    const int out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const pid_t pid = fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a bench that aborts leaves nothing behind */
        dup2(out, STDOUT_FILENO);
        dup2(out, STDERR_FILENO);
        execvp(words[0], (char *const *)words);
        _exit(127);
    }
    close(out);
    until_said(log, up);
    return pid;
}

static void end(pid_t pid)
{
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
}

static void take_clock(struct shop *s, pid_t pid)
{
    HOLDS(clock_getcpuclockid(pid, &s->clock[s->clocks++]) == 0);
}

static void terminal_of(char out[9], unsigned i)
{
    snprintf(out, 9, "%08u", (i + 1) % 100000000);
}

/* The first is there already. */
static void make_terminals(void)
{
    for (unsigned i = 0; i < bench.connections; i++) {
        char terminal[9];

        terminal_of(terminal, i);
        if (i > 0)
            office_terminal(&bench.office, OFFICE_CONTRACT, terminal);
        bench.terminal[i] = office_tls(&bench.office, OFFICE_CONTRACT, terminal);
    }
}

static pid_t launch_mediator(void)
{
    const char *const mediator[] = {"telepay-mediator", "serve", NULL};

    run("rm -f mediator.log");
    return launch("mediator.log", "is reached", mediator);
}

static void start_mediator(struct shop *s)
{
    const char *const acquirer[] =
        {"telepay-acquirer", "serve",           "--dir", bench.office.dir,
         "--listen",         "127.0.0.1:18583", NULL},
                      *const service[] = {"telepay-service", "serve",           "--dir", "journal",
                                          "--listen",        "127.0.0.1:18743", NULL};

    office_make(&bench.office, ".", 1);
    make_terminals();
    setenv("OFFICE", bench.office.dir, 1);
    run(set_up);
    MUST(acquirer_keys_load(&bench.keys, bench.office.dir, &office_error));
    MUST(sealed_public_key(&bench.frontal.sealing, bench.keys.sealing.jwk, &office_error));
    bench.acquirer = launch("acquirer.log", "listening", acquirer);
    bench.service = launch("service.log", "listening", service);
    s->pid = launch_mediator();
    take_clock(s, s->pid);
    take_clock(s, bench.service);
    take_clock(s, bench.acquirer);
}

/* Where there is mppx, and Node. */
static void start_till(struct shop *s)
{
    static const char place[] =
        "exec 2>/dev/null; node --version >/dev/null &&"
        " test -d \"${TELEPAY_NPM:-$TESTS_SRCDIR/npm}/node_modules/mppx\" &&"
        " ln -s \"${TELEPAY_NPM:-$TESTS_SRCDIR/npm}/node_modules\" . &&"
        " cp \"$TESTS_SRCDIR/bench/till.mjs\" .";
    const char *const node[] = {"node", "till.mjs", "18900", NULL};

    if (system(place) != 0)
        return;
    s->pid = launch("till.log", "listening", node);
    take_clock(s, s->pid);
}

/* ---- the payer's device ---- */

static char *written(const struct payment_challenge *challenge, json_t *payload)
{
    const struct payment_credential c = {.challenge = *challenge, .payload = payload};
    char *out = NULL;

    MUST(payment_credential_write(&out, &c, &office_error));
    json_decref(payload);
    return out;
}

/* Of the challenge's order, whatever it says; each is paid by a card of its own. */
static void take_order(struct deal *d, const struct payment_challenge *challenge)
{
    struct payment_charge charge = {0};
    const char *jws = NULL;
    struct order *o = &d->order;

    MUST(payment_challenge_r(d->r, challenge, &office_error));
    MUST(payment_charge_read(&charge, challenge->request, &office_error));
    MUST(order_of_charge(&jws, &charge, &office_error));
    MUST(order_read(o, jws, bench.keys.authority, time(NULL), &office_error));
    payment_charge_free(&charge);
    snprintf(d->amount, sizeof(d->amount), "%s", o->amount);
    snprintf(d->date, sizeof(d->date), "%s", o->date);
    snprintf(d->time, sizeof(d->time), "%s", o->time);
    snprintf(d->stan, sizeof(d->stan), "%s", o->stan);
    snprintf(bench.frontal.terminal, sizeof(bench.frontal.terminal), "%s", o->terminal);
    MUST(sealed_answer_key(&d->answer_key, &office_error));
}

static char *by_card(const struct payment_challenge *challenge)
{
    static struct deal d;
    static uint8_t room[LINK_MESSAGE_MAX];
    struct buf packed = BUF_OF(room);
    struct signed_card card;
    char *out;

    take_order(&d, challenge);
    MUST(signer_card(&card, &bench.office.signer, ++bench.cards));
    deal_terms(&d, &card, 2, false);
    deal_card(&d, &bench.frontal, &bench.office.signer, &card);
    deal_seal(&d, bench.frontal.sealing, deal_packed(&packed, &d));
    deal_device(&d, d.r, buf_span(&packed));
    out = written(challenge, json_pack("{s:s,s:s}", "transaction", d.sealed, "device", d.device));
    order_free(&d.order);
    deal_clear(&d);
    return out;
}

static char *by_word(const struct payment_challenge *challenge)
{
    return written(challenge, json_pack("{s:s}", "transaction", "paid"));
}

static void make_credentials(const struct shop *s, struct exchange *x, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        struct payment_offers offers = {0};

        MUST(payment_offers_add(&offers, span_str(x[i].challenge), &office_error));
        HOLDS(offers.n == 1);
        x[i].credential = s->credential(&offers.offer[0]);
        payment_offers_free(&offers);
    }
}

static void clear(struct exchange *x, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        free(x[i].credential);
        free(x[i].challenge);
    }
    memset(x, 0, n * sizeof(*x));
}

/* ---- the load ---- */

struct turn {
    struct exchange *exchange;
    unsigned n;
    atomic_uint next;
    pthread_barrier_t connected;
};

struct caller {
    pthread_t thread;
    struct turn *turn;
    CURL *easy;
};

static size_t pass_over(const void *bytes, size_t size, size_t n, const void *ctx)
{
    (void)bytes;
    (void)ctx;
    return size * n;
}

static CURL *new_connection(const struct shop *s)
{
    CURL *easy = curl_easy_init();

    HOLDS(easy != NULL && curl_easy_setopt(easy, CURLOPT_URL, s->url) == CURLE_OK &&
          curl_easy_setopt(easy, CURLOPT_CAINFO, "med/pki/ca.pem") == CURLE_OK &&
          curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
          curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, pass_over) == CURLE_OK);
    return easy;
}

/* 402 without a credential, 200 with one: anything else is no measure. */
static void call(CURL *easy, struct exchange *x)
{
    struct curl_slist *fields = NULL;
    struct curl_header *challenge;
    char *field = NULL;
    long status = 0;

    if (x->credential != NULL) {
        HOLDS(asprintf(&field, "Authorization: %s", x->credential) > 0);
        fields = curl_slist_append(NULL, field);
    }
    HOLDS(curl_easy_setopt(easy, CURLOPT_HTTPHEADER, fields) == CURLE_OK);
    const double start = bench_seconds();
    const CURLcode r = curl_easy_perform(easy);

    x->seconds = bench_seconds() - start;
    (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    if (r != CURLE_OK || status != (x->credential != NULL ? 200 : 402)) {
        fprintf(stderr, "%s, status %ld\n", curl_easy_strerror(r), status);
        run("cat mediator.log >&2");
        abort();
    }
    if (x->credential == NULL) {
        HOLDS(curl_easy_header(easy, "WWW-Authenticate", 0, CURLH_HEADER, -1, &challenge) ==
              CURLHE_OK);
        x->challenge = strdup(challenge->value);
    }
    curl_slist_free_all(fields);
    free(field);
}

static void *run_caller(void *ctx)
{
    struct caller *c = ctx;
    struct exchange first = {0};
    unsigned i;

    call(c->easy, &first); /* the connection is there when the clock runs */
    free(first.challenge);
    pthread_barrier_wait(&c->turn->connected);
    while ((i = atomic_fetch_add(&c->turn->next, 1)) < c->turn->n)
        call(c->easy, &c->turn->exchange[i]);
    return NULL;
}

struct spent { /* seconds; processor time of the shop's own process, with who it asks, and ours */
    double wall, cpu, all, clients;
};

static struct spent spent_until_now(const struct shop *s)
{
    struct spent now = {bench_seconds(), bench_clock(s->clock[0]), 0,
                        bench_clock(CLOCK_PROCESS_CPUTIME_ID)};

    for (unsigned i = 0; i < s->clocks; i++)
        now.all += bench_clock(s->clock[i]);
    return now;
}

/* All on so many connections. */
static struct spent run_turn(struct shop *s, struct exchange *x, unsigned n, unsigned connections)
{
    struct caller caller[CONNECTIONS_MAX];
    struct turn turn = {.exchange = x, .n = n};
    struct spent before, after;

    HOLDS(pthread_barrier_init(&turn.connected, NULL, connections + 1) == 0);
    for (unsigned i = 0; i < connections; i++) {
        caller[i].turn = &turn;
        caller[i].easy = s->easy[i];
        HOLDS(pthread_create(&caller[i].thread, NULL, run_caller, &caller[i]) == 0);
    }
    pthread_barrier_wait(&turn.connected);
    before = spent_until_now(s);
    for (unsigned i = 0; i < connections; i++)
        pthread_join(caller[i].thread, NULL);
    after = spent_until_now(s);
    pthread_barrier_destroy(&turn.connected);
    return (struct spent){after.wall - before.wall, after.cpu - before.cpu, after.all - before.all,
                          after.clients - before.clients};
}

/* ---- straight to the acquirer ---- */

struct straight {
    pthread_t thread;
    struct link_client *client;
    struct made *payment;
    struct bench_rounds answer; /* ms */
    unsigned n, stan;
};

static void *run_terminal(void *ctx)
{
    struct straight *t = ctx;
    struct office_answer a;
    struct tp_error e;

    t->answer.n = 0;
    for (unsigned i = 0; i < t->n; i++) {
        const double start = bench_seconds();

        HOLDS(office_exchange(&a, t->client, &t->payment[i], 0, &e) == TP_OK &&
              strcmp(a.code, "00") == 0);
        bench_round(&t->answer, (bench_seconds() - start) * 1000);
    }
    return NULL;
}

/* Signed before the clock runs, each by a card of its own. */
static void make_payments(struct straight *t, unsigned index, unsigned n)
{
    char terminal[9];

    terminal_of(terminal, index);
    t->n = n;
    t->payment = calloc(n, sizeof(*t->payment));
    HOLDS(t->payment != NULL);
    for (unsigned i = 0; i < n; i++) {
        const struct place where = {OFFICE_CONTRACT, terminal, ++t->stan, OFFICE_MCC};
        struct signed_card card;
        struct terms terms;

        MUST(signer_card(&card, &bench.office.signer, ++bench.cards));
        terms_usual(&terms, &card, 2);
        MUST(made_payment(&t->payment[i], &bench.office.signer, &card, &terms, &terms, &where));
    }
    MUST(
        link_connect(&t->client, "127.0.0.1", "18583", bench.terminal[index], 5000, &office_error));
}

static struct straight terminals[CONNECTIONS_MAX];

/* 0200s on so many connections, in all at most n. Their rate. */
static double pay_straight(unsigned n, unsigned connections)
{
    const unsigned each = n / connections;
    struct straight *const t = terminals;
    double took;

    for (unsigned i = 0; i < connections; i++)
        make_payments(&t[i], i, each);
    took = bench_seconds();
    for (unsigned i = 0; i < connections; i++)
        HOLDS(pthread_create(&t[i].thread, NULL, run_terminal, &t[i]) == 0);
    for (unsigned i = 0; i < connections; i++)
        pthread_join(t[i].thread, NULL);
    took = bench_seconds() - took;
    for (unsigned i = 0; i < connections; i++) {
        link_close(&t[i].client);
        free(t[i].payment);
    }
    return each * connections / took;
}

/* ---- rounds ---- */

struct ratios {
    struct bench_rounds demands, paid, straight, added;
    struct bench_rounds few_demands, few_paid, many_demands, many_paid; /* a straight 0200's */
};

/* The rate. */
static double take_turn(struct shop *s, struct costs *c)
{
    const struct spent spent = run_turn(s, s->exchange, s->n, bench.connections);

    bench_round(&c->rate, s->n / spent.wall);
    bench_round(&c->cpu, spent.cpu / s->n * 1e6);
    bench_round(&c->all, spent.all / s->n * 1e6);
    bench_round(&c->clients, spent.clients / s->n * 1e6);
    return s->n / spent.wall;
}

/* In order of their times. */
static int by_seconds(const void *a, const void *b)
{
    return bench_by_size(&((const struct exchange *)a)->seconds,
                         &((const struct exchange *)b)->seconds);
}

static void take_times(struct exchange *x, unsigned n, struct bench_rounds *half,
                       struct bench_rounds *most)
{
    qsort(x, n, sizeof(*x), by_seconds);
    bench_round(half, x[n / 2].seconds * 1000);
    bench_round(most, x[(n - 1) * 99 / 100].seconds * 1000);
}

static void compare(struct ratios *x, struct shop *mediator, struct shop *till, bool many)
{
    const bool both = till->pid != 0;
    const double demands = take_turn(mediator, &mediator->demand);

    if (both)
        bench_round(&x->demands, demands / take_turn(till, &till->demand));
    make_credentials(mediator, mediator->exchange, mediator->n);
    if (both)
        make_credentials(till, till->exchange, till->n);
    const double paid = take_turn(mediator, &mediator->paid),
                 straight = pay_straight(mediator->n, bench.connections);

    if (both)
        bench_round(&x->paid, paid / take_turn(till, &till->paid));
    bench_round(&bench.straight, straight);
    bench_round(&x->straight, paid / straight);
    bench_round(many ? &x->many_demands : &x->few_demands, straight / demands);
    bench_round(many ? &x->many_paid : &x->few_paid, straight / paid);
    take_times(mediator->exchange, mediator->n, &bench.among, &bench.among_99);
    clear(mediator->exchange, mediator->n);
    if (both)
        clear(till->exchange, till->n);
}

/* What the mediator adds to the acquirer's own answer, in fdatasyncs. */
static void pay_alone(struct ratios *x, struct shop *s)
{
    static struct exchange alone[ALONE];
    const double sync = bare_sync_turn(".", 0.99) * 1000;

    (void)run_turn(s, alone, ALONE, 1);
    make_credentials(s, alone, ALONE);
    (void)run_turn(s, alone, ALONE, 1);
    take_times(alone, ALONE, &bench.alone, &bench.alone_99);
    clear(alone, ALONE);
    (void)pay_straight(ALONE, 1);
    const double added =
        bench.alone_99.value[bench.alone_99.n - 1] - bench_share(&terminals[0].answer, 0.99);

    bench_round(&bench.sync, sync);
    bench_round(&bench.added, added);
    bench_round(&x->added, added / sync);
}

/* Orders that were delivered long ago, each like the last that was, but for its texts. */
static void fill_orders(struct shop *s)
{
    char count[16];

    snprintf(count, sizeof(count), "%u", bench_setting("BENCH_ORDERS", 1000000));
    setenv("COUNT", count, 1);
    end(s->pid);
    run("python3 \"$TESTS_SRCDIR/tools/fill_orders.py\" med/mediator.db \"$COUNT\"");
    s->pid = launch_mediator();
    HOLDS(clock_getcpuclockid(s->pid, &s->clock[0]) == 0);
}

/* Within TLS. */
static int weigh(CURL *easy, curl_infotype kind, const char *bytes, size_t n, struct wire *w)
{
    (void)easy;
    (void)bytes;
    if (kind == CURLINFO_HEADER_OUT || kind == CURLINFO_DATA_OUT)
        w->sent += (double)n;
    if (kind == CURLINFO_HEADER_IN)
        w->head += (double)n;
    if (kind == CURLINFO_DATA_IN)
        w->body += (double)n;
    return 0;
}

static void weigh_call(struct shop *s, struct exchange *x, struct wire *w)
{
    HOLDS(curl_easy_setopt(s->easy[0], CURLOPT_DEBUGFUNCTION, weigh) == CURLE_OK &&
          curl_easy_setopt(s->easy[0], CURLOPT_DEBUGDATA, w) == CURLE_OK &&
          curl_easy_setopt(s->easy[0], CURLOPT_VERBOSE, 1L) == CURLE_OK);
    call(s->easy[0], x);
    HOLDS(curl_easy_setopt(s->easy[0], CURLOPT_VERBOSE, 0L) == CURLE_OK);
}

static void weigh_payment(struct shop *s)
{
    struct exchange x = {0};

    weigh_call(s, &x, &bench.demand);
    make_credentials(s, &x, 1);
    weigh_call(s, &x, &bench.payment);
    clear(&x, 1);
}

/* ---- the report ---- */

static void told_rate(const char *name, const struct bench_rounds *rates,
                      const struct bench_rounds *ratios, double limit)
{
    if (ratios->n > 0)
        bench_against(name, rates, "1/s", ratios, limit, "mppx, which keeps nothing, plain HTTP");
    else
        bench_value(name, bench_share(rates, 0.5), "1/s", "no mppx or no Node: no ratio");
}

static void told(const char *name, const struct bench_rounds *rounds, const char *unit)
{
    bench_value(name, bench_share(rounds, 0.5), unit, "");
}

/* The time of one with many stored against few, either in 0200s straight to the acquirer. */
static void told_many(const char *name, const struct bench_rounds *few,
                      const struct bench_rounds *many)
{
    struct bench_rounds ratios = *many;

    for (unsigned i = 0; i < ratios.n; i++)
        ratios.value[i] /= bench_share(few, 0.5);
    bench_against(name, many, "max 0200s", &ratios, 1.1, "time with few stored");
}

static void report(const struct ratios *x, const struct shop *mediator, const struct shop *till)
{
    if (till->pid != 0) {
        told("mppx: demands", &till->demand.rate, "1/s");
        told("mppx: paid", &till->paid.rate, "1/s");
        told("mppx: processor time for a demand", &till->demand.cpu, "us");
        told("mppx: processor time for a paid one", &till->paid.cpu, "us");
    }
    told_rate("demands (402), each an order kept, durable", &mediator->demand.rate, &x->demands,
              10);
    told_rate("paid, from the credential to what was bought, durable", &mediator->paid.rate,
              &x->paid, 5);
    told("processor time of the mediator for a demand", &mediator->demand.cpu, "us");
    told("same, with service and acquirer", &mediator->demand.all, "us");
    told("processor time of the clients for a demand", &mediator->demand.clients, "us");
    told("processor time of the mediator for a paid one", &mediator->paid.cpu, "us");
    told("same, with service and acquirer", &mediator->paid.all, "us");
    told("processor time of the clients for a paid one", &mediator->paid.clients, "us");
    bench_against("paid, durable, against 0200s straight to the acquirer", &bench.straight, "1/s",
                  &x->straight, 0.5, "these");
    told_many("demands, many orders stored", &x->few_demands, &x->many_demands);
    told_many("paid, many orders stored", &x->few_paid, &x->many_paid);
    told("fdatasync of a page, 99th percentile", &bench.sync, "ms");
    bench_against("what the mediator adds to the answer, 99th percentile", &bench.added, "max ms",
                  &x->added, 2, "fdatasync, 99th percentile");
    told("answer to a credential, alone, median", &bench.alone, "ms");
    told("answer to a credential, alone, 99th percentile", &bench.alone_99, "ms");
    told("answer to a credential, all connections, median", &bench.among, "ms");
    told("answer to a credential, all connections, 99th percentile", &bench.among_99, "ms");
    bench_value("A, the request: head", bench.demand.sent, "bytes", "within TLS, as all below");
    bench_value("402: head", bench.demand.head, "bytes", "the challenge, with the signed order");
    bench_value("402: body", bench.demand.body, "bytes", "");
    bench_value("E, the credential: head", bench.payment.sent, "bytes", "");
    bench_value("answer: head", bench.payment.head, "bytes", "with the receipt");
    bench_value("answer: body", bench.payment.body, "bytes", "what was bought");
}

static void start_shop(struct shop *s)
{
    s->exchange = calloc(s->n, sizeof(*s->exchange));
    HOLDS(s->exchange != NULL);
    for (unsigned i = 0; i < bench.connections; i++)
        s->easy[i] = new_connection(s);
}

static void end_shop(struct shop *s)
{
    for (unsigned i = 0; i < bench.connections; i++)
        curl_easy_cleanup(s->easy[i]);
    free(s->exchange);
    if (s->pid != 0)
        end(s->pid);
}

/* A folder of its own, as the current one; and the programs that were built. */
static void enter(char *dir, size_t size)
{
    const char *base = getenv("BENCH_DIR"), *built = getenv("TESTS_BUILDDIR");
    char path[4096];

    HOLDS(built != NULL && getenv("TESTS_SRCDIR") != NULL);
    snprintf(path, sizeof(path), "%s:%s", built, getenv("PATH"));
    setenv("PATH", path, 1);
    snprintf(dir, size, "%s/mediator.XXXXXX", base != NULL ? base : "/tmp");
    HOLDS(mkdtemp(dir) != NULL && chdir(dir) == 0);
}

/* What was measured was paid: each card once, as the acquirer's books prove. */
static void leave(const char *dir)
{
    struct office_books books;

    end(bench.service);
    end(bench.acquirer);
    office_books(&bench.office, &books);
    HOLDS(books.transactions == bench.cards);
    office_audit(&bench.office);
    json_decref(bench.frontal.sealing);
    for (unsigned i = 0; i < bench.connections; i++)
        SSL_CTX_free(bench.terminal[i]);
    acquirer_keys_free(&bench.keys);
    office_remove(&bench.office);
    setenv("LEFT", dir, 1);
    run("cd / && rm -rf \"$LEFT\"");
}

int main(void)
{
    const unsigned rounds = bench_setting("ROUNDS", 8), orders = bench_setting("ORDERS", 320);
    struct shop mediator = {.url = ARTICLE, .credential = by_card, .n = orders},
                till = {.url = TILL, .credential = by_word, .n = orders * TILL_TIMES};
    struct ratios x = {0};
    char dir[256];

    bench.connections = bench_setting("CONNECTIONS", 16);
    HOLDS(bench.connections <= CONNECTIONS_MAX && curl_global_init(CURL_GLOBAL_DEFAULT) == 0);
    enter(dir, sizeof(dir));
    start_mediator(&mediator);
    start_till(&till);
    start_shop(&mediator);
    start_shop(&till);
    for (unsigned i = 0; i < rounds; i++) {
        if (i == rounds / 2)
            fill_orders(&mediator);
        compare(&x, &mediator, &till, i >= rounds / 2);
        pay_alone(&x, &mediator);
    }
    weigh_payment(&mediator);
    report(&x, &mediator, &till);
    end_shop(&till);
    end_shop(&mediator);
    leave(dir);
    return EXIT_SUCCESS;
}
