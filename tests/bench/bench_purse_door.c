/* A purse at its door, and behind a mediator, each program a process of its own, in rounds:
 *
 * - payments a second by telepay-purse serve, from the order and the statement, signed before the
 *   clock runs, to the acknowledgement, durable, against the 0200s that terminals bring to
 *   telepay-acquirer serve on as many connections, each with one under way;
 * - how long a page takes while a session is open (the 402, and the answer to its voucher) against
 *   the same page without payment, on one connection;
 * - how many bytes a voucher has;
 * - what memory the purse takes with SESSIONS open sessions in its books, against a few, and its
 *   payments then.
 *
 * ROUNDS (7), PAYMENTS (640 a round), PAGES (60 a round), CONNECTIONS (16), SESSIONS (a million; 2
 * GB) in the environment, BENCH_DIR where the folder is. */
#include "bench.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/date.h"
#include "holds.h"
#include "office.h"
#include "order/order.h"
#include "order/purse.h"
#include "wire/jcs.h"
#include "wire/payment_challenge.h"
#include "wire/payment_credential.h"

#define CONNECTIONS_MAX 64
#define CONTRACT        "000000000000125"
#define PURSE           "https://127.0.0.1:18744"
#define SHOP            "https://localhost:18843/s/journal"
#define SESSION         "sessionsessionsessionsessi"
#define NOTHING         "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" /* base64url of 32 bytes */

struct customer { /* an account of its own, a connection of its own, and a terminal */
    pthread_t thread;
    uint8_t secret[ED25519_KEY];
    char account[PURSE_ACCOUNT];
    int64_t counter;
    CURL *easy;
    char **body;
    SSL_CTX *terminal;
    struct link_client *client;
    struct made *payment;
    unsigned n, stan;
};

static struct bench {
    struct office office;
    struct order_key orders;
    struct customer customer[CONNECTIONS_MAX];
    pid_t acquirer, purse, service, mediator;
    unsigned connections, cards, ordered;
    char acquirer_id[32];
    int64_t spent; /* of the session */
    unsigned vouchers;
    size_t voucher, credential; /* bytes */
} bench;

#define MUST_BE(call) HOLDS((call) == TP_OK)

/* ---- programs ---- */

static void run(const char *command)
{
    if (system(command) == 0)
        return;
    fprintf(stderr, "failed: %s\n", command);
    (void)!system("cat *.log >&2");
    abort();
}

static const char set_up[] =
    "exec >set_up.log 2>&1; set -e\n"
    "telepay-purse init purse --iban FR7630006000011234567890189\n"
    "sed -i 's/^payment = .*/payment = 1000000.00/; s/^day = .*/day = 100000000.00/;"
    " s/^balance = .*/balance = 100000000.00/' purse/purse.conf\n"
    "telepay-purse contract add --dir purse --id " CONTRACT
    " --name Shop --currency EUR --iban DE89370400440532013000\n"
    "telepay-purse mediator add --dir purse --name port --contract " CONTRACT
    " --out forport --url " PURSE "\n"
    "telepay-mediator init med --listen 127.0.0.1:18843 --origin https://localhost:18843\n"
    "telepay-mediator acquirer add forport --dir med\n"
    "telepay-service init journal\n"
    "printf '\\n[open]\\ndesignation = Open\\nprice = free\\nfile = article-1.html\\n' >>"
    "journal/catalogue.ini\n"
    "telepay-service mediator add --dir journal --id port --out jp --url https://127.0.0.1:18743\n"
    "telepay-mediator service add jp --name journal --dir med --contract " CONTRACT "\n";

/* Its words are in the log; it is up when it has said that it listens. */
static pid_t launch(const char *log, const char *const words[])
{
    const int out = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    char command[256];
    const pid_t pid = fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a bench that aborts leaves nothing behind */
        dup2(out, STDOUT_FILENO);
        dup2(out, STDERR_FILENO);
        execvp(words[0], (char *const *)words);
        _exit(127);
    }
    close(out);
    snprintf(command, sizeof(command),
             "for i in $(seq 600); do grep -q listening %s && exit; sleep 0.05; done; exit 1", log);
    run(command);
    return pid;
}

static void end(pid_t pid)
{
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
}

static void start_purse(void)
{
    const char *const words[] = {"telepay-purse", "serve",           "--dir", "purse",
                                 "--listen",      "127.0.0.1:18744", NULL};

    bench.purse = launch("purse.log", words);
}

static long memory_kb(pid_t pid)
{
    char path[64], line[256];
    long kb = 0;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    f = fopen(path, "re");
    HOLDS(f != NULL);
    while (fgets(line, sizeof(line), f) != NULL)
        if (sscanf(line, "VmHWM: %ld", &kb) == 1)
            break;
    fclose(f);
    return kb;
}

/* ---- requests ---- */

struct answer {
    char text[8192];
    size_t n;
};

static size_t take(const char *bytes, size_t size, size_t n, void *ctx)
{
    struct answer *a = ctx;

    for (size_t i = 0; i < size * n; i++)
        if (a->n < sizeof(a->text) - 1)
            a->text[a->n++] = bytes[i];
    a->text[a->n] = '\0';
    return size * n;
}

static CURL *new_connection(const char *ca)
{
    CURL *easy = curl_easy_init();

    HOLDS(easy != NULL && curl_easy_setopt(easy, CURLOPT_CAINFO, ca) == CURLE_OK &&
          curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
          curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take) == CURLE_OK);
    return easy;
}

/* The status; what came is in *a. field NULL: none, body NULL: a GET. */
static long call(CURL *easy, const char *url, const char *field, const char *body, struct answer *a)
{
    struct curl_slist *fields = field != NULL ? curl_slist_append(NULL, field) : NULL;
    long status = 0;

    a->n = 0;
    a->text[0] = '\0';
    HOLDS(curl_easy_setopt(easy, CURLOPT_URL, url) == CURLE_OK &&
          curl_easy_setopt(easy, CURLOPT_HTTPHEADER, fields) == CURLE_OK &&
          curl_easy_setopt(easy, CURLOPT_WRITEDATA, a) == CURLE_OK &&
          curl_easy_setopt(easy, CURLOPT_POST, body != NULL ? 1L : 0L) == CURLE_OK);
    if (body != NULL)
        HOLDS(curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body) == CURLE_OK &&
              curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)strlen(body)) == CURLE_OK);
    else
        HOLDS(curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L) == CURLE_OK);
    HOLDS(curl_easy_perform(easy) == CURLE_OK);
    (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(fields);
    return status;
}

static void must(long status, long wanted, const struct answer *a)
{
    if (status == wanted)
        return;
    fprintf(stderr, "status %ld, not %ld: %s\n", status, wanted, a->text);
    run("tail -n 5 *.log >&2");
    abort();
}

/* ---- accounts ---- */

static void learn_acquirer(CURL *easy)
{
    struct answer a;
    json_t *about;

    must(call(easy, PURSE "/purse", NULL, NULL, &a), 200, &a);
    about = json_loads(a.text, 0, NULL);
    snprintf(bench.acquirer_id, sizeof(bench.acquirer_id), "%s",
             json_string_value(json_object_get(about, "acquirer")));
    json_decref(about);
}

static void open_account(struct customer *c, unsigned i)
{
    const struct purse_statement opening = {.acquirer = bench.acquirer_id, .currency = "eur"};
    char command[256], *jws = NULL;
    uint8_t key[ED25519_KEY];
    struct answer a;

    memset(c->secret, (int)i + 1, sizeof(c->secret));
    MUST_BE(ed25519_public(key, c->secret, NULL));
    MUST_BE(ed25519_thumbprint(c->account, key, NULL));
    MUST_BE(purse_statement_write(&jws, PURSE_OPENING, &opening, c->secret, NULL));
    must(call(c->easy, PURSE "/accounts", NULL, jws, &a), 200, &a);
    free(jws);
    snprintf(command, sizeof(command),
             "telepay-purse account fill --dir purse --account %s --amount 10000000.00 --reference "
             "T%u >>set_up.log 2>&1",
             c->account, i);
    run(command);
}

/* ---- payments by purse ---- */

static char *statement_of(const struct customer *c, int64_t counter, const char *order,
                          const char *amount, const struct payment_challenge *challenge)
{
    char number[24], r[BASE64URL_SIZE(PAYMENT_R)], *jws = NULL;
    uint8_t hash[PAYMENT_R];
    const struct purse_statement s = {.account = c->account,
                                      .r = r,
                                      .order = order,
                                      .amount = amount,
                                      .currency = "eur",
                                      .counter = number};

    snprintf(number, sizeof(number), "%lld", (long long)counter);
    MUST_BE(payment_challenge_r(hash, challenge, NULL));
    base64url_encode(r, SPAN_OF(hash));
    MUST_BE(purse_statement_write(&jws, PURSE_PAYMENT, &s, c->secret, NULL));
    return jws;
}

static void order_id(char out[27], unsigned n)
{
    snprintf(out, 27, "%s", "aaaaaaaaaaaaaaaaaaaaaaaaaa");
    for (size_t i = 25; n > 0; i--, n /= 26)
        out[i] = (char)('a' + n % 26);
}

static char *order_jws(const char *id)
{
    char issued[TIME_TEXT_MAX], until[TIME_TEXT_MAX], *jws = NULL;
    const struct order o = {.id = id,
                            .contract = CONTRACT,
                            .merchant = "Shop",
                            .item = "Article",
                            .amount = "1",
                            .currency = "eur",
                            .delivery = "network",
                            .quote = NOTHING,
                            .nonce = "AAAAAAAAAAAAAAAAAAAAAA",
                            .issued = issued,
                            .valid_until = until,
                            .return_to = "https://localhost:18843/o",
                            .acquirer = bench.acquirer_id,
                            .method = "GET",
                            .url = SHOP "/1",
                            .means = {{"purse", "50000"}},
                            .n_means = 1};

    time_format_utc(issued, time(NULL));
    time_format_utc(until, time(NULL) + 300);
    MUST_BE(order_write(&jws, &o, &bench.orders, NULL));
    return jws;
}

static char *make_body(struct customer *c)
{
    char id[27], *jws, *request = NULL, *statement, *text = NULL;
    struct payment_charge charge = {
        .amount = "1", .currency = "eur", .recipient = CONTRACT, .external_id = id};
    struct payment_challenge challenge = {
        .id = "1", .realm = "localhost", .method = "purse", .intent = "charge"};
    json_t *object = NULL, *body;

    order_id(id, ++bench.ordered);
    jws = order_jws(id);
    charge.method_details = json_pack("{s:s}", "order", jws);
    MUST_BE(payment_charge_write(&request, &charge, NULL));
    challenge.request = request;
    statement = statement_of(c, ++c->counter, id, "1", &challenge);
    MUST_BE(payment_challenge_to_json(&object, &challenge, NULL));
    body = json_pack("{s:o,s:s}", "challenge", object, "payment", statement);
    text = json_dumps(body, JSON_COMPACT);
    HOLDS(text != NULL);
    json_decref(body);
    json_decref(charge.method_details);
    free(statement);
    free(request);
    free(jws);
    return text;
}

static void *pay_by_purse(void *ctx)
{
    struct customer *c = ctx;
    struct answer a;

    for (unsigned i = 0; i < c->n; i++)
        must(call(c->easy, PURSE "/payments", NULL, c->body[i], &a), 200, &a);
    return NULL;
}

static void *pay_by_card(void *ctx)
{
    struct customer *c = ctx;
    struct office_answer a;
    struct tp_error e;

    for (unsigned i = 0; i < c->n; i++)
        HOLDS(office_exchange(&a, c->client, &c->payment[i], 0, &e) == TP_OK &&
              strcmp(a.code, "00") == 0);
    return NULL;
}

static double all_at_once(void *(*pay)(void *))
{
    double took = bench_seconds();
    unsigned n = 0;

    for (unsigned i = 0; i < bench.connections; i++)
        HOLDS(pthread_create(&bench.customer[i].thread, NULL, pay, &bench.customer[i]) == 0);
    for (unsigned i = 0; i < bench.connections; i++) {
        pthread_join(bench.customer[i].thread, NULL);
        n += bench.customer[i].n;
    }
    took = bench_seconds() - took;
    return n / took;
}

/* Processor time that a program took, all its threads, in microseconds. */
static double work_of(pid_t pid)
{
    clockid_t clock;

    HOLDS(clock_getcpuclockid(pid, &clock) == 0);
    return bench_clock(clock) * 1e6;
}

/* The rate; bodies are made, and the connections there, before the clock runs. */
static double by_purse(unsigned each, double *work)
{
    struct answer a;
    double rate;

    for (unsigned i = 0; i < bench.connections; i++) {
        struct customer *c = &bench.customer[i];

        c->n = each;
        c->body = calloc(each, sizeof(*c->body));
        HOLDS(c->body != NULL);
        for (unsigned k = 0; k < each; k++)
            c->body[k] = make_body(c);
        must(call(c->easy, PURSE "/purse", NULL, NULL, &a), 200, &a);
    }
    *work = work_of(bench.purse);
    rate = all_at_once(pay_by_purse);
    *work = (work_of(bench.purse) - *work) / (each * bench.connections);
    for (unsigned i = 0; i < bench.connections; i++) {
        for (unsigned k = 0; k < each; k++)
            free(bench.customer[i].body[k]);
        free(bench.customer[i].body);
    }
    return rate;
}

/* ---- payments by card ---- */

static void terminal_of(char out[9], unsigned i)
{
    snprintf(out, 9, "%08u", (i + 1) % 100000000);
}

static void make_cards(struct customer *c, unsigned index, unsigned each)
{
    char terminal[9];

    terminal_of(terminal, index);
    c->n = each;
    c->payment = calloc(each, sizeof(*c->payment));
    HOLDS(c->payment != NULL);
    for (unsigned k = 0; k < each; k++) {
        const struct place where = {OFFICE_CONTRACT, terminal, ++c->stan, OFFICE_MCC};
        struct signed_card card;
        struct terms terms;

        MUST(signer_card(&card, &bench.office.signer, ++bench.cards));
        terms_usual(&terms, &card, 2);
        MUST(made_payment(&c->payment[k], &bench.office.signer, &card, &terms, &terms, &where));
    }
    MUST(link_connect(&c->client, "127.0.0.1", "18583", c->terminal, 5000, &office_error));
}

static double by_card(unsigned each, double *work)
{
    double rate;

    for (unsigned i = 0; i < bench.connections; i++)
        make_cards(&bench.customer[i], i, each);
    *work = work_of(bench.acquirer);
    rate = all_at_once(pay_by_card);
    *work = (work_of(bench.acquirer) - *work) / (each * bench.connections);
    for (unsigned i = 0; i < bench.connections; i++) {
        link_close(&bench.customer[i].client);
        free(bench.customer[i].payment);
    }
    return rate;
}

/* ---- a session at the mediator ---- */

/* The offer of that intent among the answer's challenges (borrowed from *offers). */
static const struct payment_challenge *offered(CURL *easy, struct payment_offers *offers,
                                               const char *intent)
{
    struct curl_header *field;

    for (size_t i = 0;
         curl_easy_header(easy, "WWW-Authenticate", i, CURLH_HEADER, -1, &field) == CURLHE_OK; i++)
        MUST_BE(payment_offers_add(offers, span_str(field->value), NULL));
    for (size_t i = 0; i < offers->n; i++)
        if (strcmp(offers->offer[i].method, "purse") == 0 &&
            strcmp(offers->offer[i].intent, intent) == 0)
            return &offers->offer[i];
    fprintf(stderr, "no %s of a purse is offered\n", intent);
    abort();
}

static char *authorization(const struct payment_challenge *challenge, json_t *payload)
{
    const struct payment_credential c = {.challenge = *challenge, .payload = payload};
    char *credential = NULL, *field = NULL;

    MUST_BE(payment_credential_write(&credential, &c, NULL));
    HOLDS(asprintf(&field, "Authorization: %s", credential) > 0);
    bench.credential = strlen(credential);
    json_decref(payload);
    free(credential);
    return field;
}

static char *provision_of(struct customer *c)
{
    char until[TIME_TEXT_MAX], counter[24], *jws = NULL;
    const struct purse_statement s = {.acquirer = bench.acquirer_id,
                                      .account = c->account,
                                      .mediator = "port",
                                      .session = SESSION,
                                      .amount = "100000000",
                                      .currency = "eur",
                                      .until = until,
                                      .counter = counter};

    time_format_utc(until, time(NULL) + 7200);
    snprintf(counter, sizeof(counter), "%lld", (long long)++c->counter);
    MUST_BE(purse_statement_write(&jws, PURSE_PROVISION, &s, c->secret, NULL));
    return jws;
}

static void open_session(struct customer *c, CURL *easy)
{
    struct payment_offers offers = {.n = 0};
    struct payment_charge charge = {.amount = NULL};
    const struct payment_challenge *challenge;
    char *field, *payment, *provision;
    struct answer a;

    must(call(easy, SHOP "/article-1", NULL, NULL, &a), 402, &a);
    challenge = offered(easy, &offers, "charge");
    MUST_BE(payment_charge_read(&charge, challenge->request, NULL));
    payment = statement_of(c, ++c->counter, charge.external_id, charge.amount, challenge);
    provision = provision_of(c);
    field = authorization(challenge, json_pack("{s:s,s:s,s:s}", "payment", payment, "claim",
                                               "AAAAAAAAAAAAAAAAAAAAAA", "provision", provision));
    must(call(easy, SHOP "/article-1", field, NULL, &a), 200, &a);
    free(field);
    free(payment);
    free(provision);
    payment_charge_free(&charge);
    payment_offers_free(&offers);
}

static char *voucher_of(const struct customer *c, const struct payment_challenge *challenge)
{
    char sum[24], number[24], r[BASE64URL_SIZE(PAYMENT_R)], *jws = NULL;
    uint8_t hash[PAYMENT_R];
    struct payment_charge charge = {.amount = NULL};
    struct purse_statement s = {.account = c->account,
                                .session = SESSION,
                                .contract = CONTRACT,
                                .sum = sum,
                                .number = number,
                                .currency = "eur",
                                .r = r};

    MUST_BE(payment_charge_read(&charge, challenge->request, NULL));
    bench.spent += strtoll(charge.amount, NULL, 10);
    s.order = charge.external_id;
    snprintf(sum, sizeof(sum), "%lld", (long long)bench.spent);
    snprintf(number, sizeof(number), "%u", ++bench.vouchers);
    MUST_BE(payment_challenge_r(hash, challenge, NULL));
    base64url_encode(r, SPAN_OF(hash));
    MUST_BE(purse_statement_write(&jws, PURSE_VOUCHER, &s, c->secret, NULL));
    payment_charge_free(&charge);
    bench.voucher = strlen(jws);
    return jws;
}

/* Seconds of one page that a voucher pays: what a device does, too. */
static double page_within(const struct customer *c, CURL *easy)
{
    const double start = bench_seconds();
    struct payment_offers offers = {.n = 0};
    char *field, *voucher;
    struct answer a;

    must(call(easy, SHOP "/article-1", NULL, NULL, &a), 402, &a);
    const struct payment_challenge *const challenge = offered(easy, &offers, "session");

    voucher = voucher_of(c, challenge);
    field = authorization(challenge, json_pack("{s:s}", "voucher", voucher));
    must(call(easy, SHOP "/article-1", field, NULL, &a), 200, &a);
    const double took = bench_seconds() - start;

    free(field);
    free(voucher);
    payment_offers_free(&offers);
    return took;
}

static double page_without(CURL *easy)
{
    const double start = bench_seconds();
    struct answer a;

    must(call(easy, SHOP "/open", NULL, NULL, &a), 200, &a);
    return bench_seconds() - start;
}

/* ---- many open sessions ---- */

/* Rows as the purse writes them, statements and answers of their usual size. */
static void fill_sessions(unsigned sessions)
{
    char command[2048];

    snprintf(command, sizeof(command),
             "sqlite3 purse/purse.db \"PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; BEGIN;"
             " WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %u)"
             " INSERT INTO provision (provision, account, counter, decided, key, mediator, session,"
             " amount, currency, good_until, code, reason, drawn, statement, acknowledgement)"
             " SELECT 100000000 + i, '%s', 100000000 + i, 0, zeroblob(32), 'port',"
             " printf('%%026d', i), 1, 978, 9999999999, '00', '', 0, zeroblob(640),"
             " zeroblob(1280) FROM n;"
             " UPDATE account SET reserved = reserved + %u WHERE account = '%s'; COMMIT;\""
             " >>set_up.log 2>&1",
             sessions, bench.customer[0].account, sessions, bench.customer[0].account);
    run(command);
}

/* ---- rounds ---- */

static void start(void)
{
    const char *const acquirer[] =
        {"telepay-acquirer", "serve",           "--dir", bench.office.dir,
         "--listen",         "127.0.0.1:18583", NULL},
                      *const service[] = {"telepay-service", "serve",           "--dir", "journal",
                                          "--listen",        "127.0.0.1:18743", NULL},
                      *const mediator[] = {"telepay-mediator", "serve", "--dir", "med", NULL};
    char terminal[9];

    office_make(&bench.office, ".", 1);
    run(set_up);
    MUST_BE(order_key_load(&bench.orders, "forport/order-" CONTRACT ".pem",
                           "forport/order-" CONTRACT ".key", NULL));
    for (unsigned i = 0; i < bench.connections; i++) {
        terminal_of(terminal, i);
        if (strcmp(terminal, OFFICE_TERMINAL) != 0)
            office_terminal(&bench.office, OFFICE_CONTRACT, terminal);
        bench.customer[i].terminal = office_tls(&bench.office, OFFICE_CONTRACT, terminal);
        bench.customer[i].easy = new_connection("purse/pki/ca.pem");
    }
    bench.acquirer = launch("acquirer.log", acquirer);
    start_purse();
    bench.service = launch("service.log", service);
    bench.mediator = launch("mediator.log", mediator);
    learn_acquirer(bench.customer[0].easy);
    for (unsigned i = 0; i < bench.connections; i++)
        open_account(&bench.customer[i], i);
}

static void leave(const char *dir)
{
    end(bench.mediator);
    end(bench.service);
    end(bench.purse);
    end(bench.acquirer);
    for (unsigned i = 0; i < bench.connections; i++) {
        curl_easy_cleanup(bench.customer[i].easy);
        SSL_CTX_free(bench.customer[i].terminal);
    }
    order_key_free(&bench.orders);
    office_remove(&bench.office);
    setenv("LEFT", dir, 1);
    run("cd / && rm -rf \"$LEFT\"");
}

/* A folder of its own, as the current one; and the programs that were built. */
static void enter(char *dir, size_t size)
{
    const char *base = getenv("BENCH_DIR"), *built = getenv("TESTS_BUILDDIR");
    char path[4096];

    HOLDS(built != NULL);
    snprintf(path, sizeof(path), "%s:%s", built, getenv("PATH"));
    setenv("PATH", path, 1);
    snprintf(dir, size, "%s/purse_door.XXXXXX", base != NULL ? base : "/var/tmp");
    HOLDS(mkdtemp(dir) != NULL && chdir(dir) == 0);
}

static void measure_payments(unsigned rounds, unsigned each)
{
    struct bench_rounds rate = {.n = 0}, ratio = {.n = 0}, time = {.n = 0}, times = {.n = 0};

    for (unsigned i = 0; i < rounds; i++) {
        double of_card, of_purse;
        const double cards = by_card(each, &of_card), purse = by_purse(each, &of_purse);

        bench_round(&rate, purse);
        bench_round(&ratio, purse / cards);
        bench_round(&time, of_purse);
        bench_round(&times, of_card / of_purse);
    }
    bench_against("purse: payments at its door, durable (goal 1.5)", &rate, "1/s", &ratio, 0.2,
                  "0200s of telepay-acquirer on as many connections");
    bench_against("purse: processor time for one", &time, "us", &times, 0.2,
                  "turned round: that of telepay-acquirer for a 0200");
}

static void measure_pages(unsigned rounds, unsigned pages)
{
    CURL *easy = new_connection("med/pki/ca.pem");
    struct bench_rounds time = {.n = 0}, ratio = {.n = 0};
    char note[128];

    open_session(&bench.customer[0], easy);
    for (unsigned i = 0; i < rounds; i++) {
        struct bench_rounds with = {.n = 0}, without = {.n = 0};

        for (unsigned k = 0; k < pages; k++) { /* by turns */
            bench_round(&without, page_without(easy) * 1000);
            bench_round(&with, page_within(&bench.customer[0], easy) * 1000);
        }
        bench_round(&time, bench_share(&with, 0.5));
        bench_round(&ratio, bench_share(&with, 0.5) / bench_share(&without, 0.5));
    }
    snprintf(note, sizeof(note), "%.3g of a page without payment (%.3g to %.3g)",
             bench_share(&ratio, 0.5), bench_share(&ratio, 0), bench_share(&ratio, 1));
    bench_value("session: a page that a voucher pays, demand and answer", bench_share(&time, 0.5),
                "ms", note);
    bench_value("session: a voucher", (double)bench.voucher, "bytes", "the statement's text");
    bench_value("session: the credential of a voucher", (double)bench.credential, "bytes",
                "with the challenge that it answers, in base64url");
    curl_easy_cleanup(easy);
}

static void measure_sessions(unsigned sessions, unsigned each)
{
    const long few = memory_kb(bench.purse);
    char note[128];
    double rate, work;

    end(bench.purse);
    fill_sessions(sessions);
    start_purse();
    rate = by_purse(each, &work);
    snprintf(note, sizeof(note), "of %u open sessions, at most while it was paid; %ld MB of one",
             sessions, few / 1024);
    bench_value("purse: memory", (double)memory_kb(bench.purse) / 1024, "MB", note);
    bench_value("purse: payments with these sessions open", rate, "1/s", "a round");
}

int main(void)
{
    const unsigned rounds = bench_setting("ROUNDS", 7), payments = bench_setting("PAYMENTS", 640),
                   pages = bench_setting("PAGES", 60);
    char dir[256];

    bench.connections = bench_setting("CONNECTIONS", 16);
    HOLDS(bench.connections <= CONNECTIONS_MAX && curl_global_init(CURL_GLOBAL_DEFAULT) == 0);
    enter(dir, sizeof(dir));
    start();
    measure_payments(rounds, payments / bench.connections);
    measure_pages(rounds, pages);
    measure_sessions(bench_setting("SESSIONS", 1000000), payments / bench.connections);
    leave(dir);
    return EXIT_SUCCESS;
}
