/* What a purse does with vouchers that mediators present, each read, verified (the mediator's
 * signature and the account's) and drawn from its provision, durable in groups, in rounds: against
 * bare Ed25519 verification of the vouchers and bare inserts of the same texts in the same groups.
 * One thread; a door verifies in four.
 *
 * ROUNDS (7), VOUCHERS (1024 a round), GROUP (64) in the environment, BENCH_DIR where the folder
 * is.
 */
#include "bench.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/date.h"
#include "holds.h"
#include "order/key_files.h"
#include "purse/desk.h"
#include "store/db.h"
#include "store/schema.h"

#define CONTRACT "000000000000123"
#define MEDIATOR "med"
#define EUR      978
#define MOST     INT64_C(100000000000)

struct shop {
    char dir[256], acquirer[BOOK_ID], account[PURSE_ACCOUNT];
    uint8_t secret[ED25519_KEY], key[ED25519_KEY];
    struct purse_settings settings;
    struct order_key answers, orders;
    struct order_authority *authority;
    struct desk desk;
    struct db *bare;
    unsigned n, group;
    char **demand, **voucher;
};

static const struct db_schema bare_schema = {
    .program = "bench",
    .upgrade = "",
    .mark = "voucher",
    .tables = "CREATE TABLE voucher (voucher INTEGER PRIMARY KEY, demand BLOB NOT NULL) STRICT;",
    .version = 1,
};

/* ---- the purse ---- */

static void open_account(struct shop *s)
{
    struct booking filled = {.kind = BOOKING_FILLED,
                             .amount = MOST,
                             .reference = "FILLED",
                             .at = time(NULL),
                             .record = span_str("record")};
    enum purse_verdict v;
    struct account a;

    memset(s->secret, 7, sizeof(s->secret));
    HOLDS(ed25519_public(s->key, s->secret, NULL) == TP_OK);
    HOLDS(book_begin(s->desk.book, NULL) == TP_OK);
    HOLDS(book_account_open(s->desk.book, &v, &a, s->key, EUR, "opening", time(NULL), NULL) ==
          TP_OK);
    HOLDS(book_commit(s->desk.book, NULL) == TP_OK);
    memcpy(s->account, a.account, sizeof(s->account));
    memcpy(filled.account, a.account, sizeof(filled.account));
    HOLDS(book_book(s->desk.book, &filled, MOST, NULL) == TP_OK);
}

static void make(struct shop *s)
{
    const struct book_contract c = {.contract = CONTRACT,
                                    .name = "Librairie du Port",
                                    .iban = "DE89370400440532013000",
                                    .currency = EUR};
    char path[300], bare[300];
    const char *where = getenv("BENCH_DIR");

    snprintf(s->dir, sizeof(s->dir), "%s/bench_purse.XXXXXX", where != NULL ? where : "/var/tmp");
    HOLDS(mkdtemp(s->dir) != NULL);
    HOLDS(book_make(s->dir, NULL, NULL) == TP_OK);
    HOLDS(book_open(&s->desk.book, s->dir, NULL) == TP_OK);
    HOLDS(book_acquirer(s->desk.book, s->acquirer, NULL) == TP_OK);
    snprintf(path, sizeof(path), "%s/pki", s->dir);
    HOLDS(pki_authority_make(path, "bench", NULL) == TP_OK);
    HOLDS(key_files_make(s->dir, "acknowledgement", PKI_ACKNOWLEDGEMENT, s->acquirer, NULL) ==
          TP_OK);
    HOLDS(key_files_load(&s->answers, s->dir, "acknowledgement", NULL) == TP_OK);
    HOLDS(key_files_give(s->dir, s->dir, CONTRACT, MEDIATOR, NULL) == TP_OK);
    snprintf(path, sizeof(path), "%s/order-" CONTRACT ".pem", s->dir);
    snprintf(bare, sizeof(bare), "%s/order-" CONTRACT ".key", s->dir);
    HOLDS(order_key_load(&s->orders, path, bare, NULL) == TP_OK);
    snprintf(path, sizeof(path), "%s/pki/ca.pem", s->dir);
    HOLDS(order_authority_load(&s->authority, path, NULL) == TP_OK);
    s->settings = (struct purse_settings){
        .n = 1, .currency = {{currency_by_numeric(EUR), MOST, MOST, MOST, "", ""}}};
    s->desk.settings = &s->settings;
    s->desk.key = &s->answers;
    s->desk.acquirer = s->acquirer;
    HOLDS(book_mediator_add(s->desk.book, MEDIATOR, NULL) == TP_OK);
    HOLDS(book_contract_add(s->desk.book, &c, NULL) == TP_OK);
    snprintf(bare, sizeof(bare), "%s/bare.db", s->dir);
    HOLDS(db_open(&s->bare, bare, &bare_schema, DB_MAKE, NULL) == TP_OK);
    open_account(s);
}

static void drop(struct shop *s)
{
    char command[300];

    book_close(&s->desk.book);
    db_close(&s->bare);
    order_authority_free(&s->authority);
    order_key_free(&s->answers);
    order_key_free(&s->orders);
    snprintf(command, sizeof(command), "rm -rf %s", s->dir);
    HOLDS(system(command) == 0);
}

/* ---- a round: a session, and what is presented of it ---- */

static void session_of(char out[BOOK_ORDER], unsigned round)
{
    snprintf(out, BOOK_ORDER, "aaaaaaaaaaaaaaaaaaaaaaaa%c%c", (char)('a' + round / 26),
             (char)('a' + round % 26));
}

static void provide(struct shop *s, unsigned round)
{
    struct provision v = {.by = {.counter = (int64_t)round + 1,
                                 .amount = s->n,
                                 .currency = EUR,
                                 .mediator = MEDIATOR,
                                 .statement = "provision"},
                          .until = time(NULL) + 3600};
    char *jws = NULL;

    memcpy(v.by.account, s->account, sizeof(v.by.account));
    memcpy(v.by.key, s->key, sizeof(v.by.key));
    session_of(v.session, round);
    HOLDS(book_begin(s->desk.book, NULL) == TP_OK);
    HOLDS(desk_provide(&s->desk, &v, time(NULL), &jws, NULL) == TP_OK && jws != NULL);
    HOLDS(book_commit(s->desk.book, NULL) == TP_OK);
    free(jws);
}

static void sign(struct shop *s, unsigned round)
{
    char session[BOOK_ORDER], sum[16], at[TIME_TEXT_MAX];
    const char *const hash = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";

    session_of(session, round);
    time_format_utc(at, time(NULL));
    for (unsigned i = 0; i < s->n; i++) {
        const struct purse_statement v = {.account = s->account,
                                          .session = session,
                                          .contract = CONTRACT,
                                          .sum = sum,
                                          .number = sum,
                                          .currency = "eur",
                                          .r = hash,
                                          .order = session};
        struct purse_token t = {.acquirer = s->acquirer,
                                .session = session,
                                .contract = CONTRACT,
                                .currency = "eur",
                                .sum = sum,
                                .at = at};

        snprintf(sum, sizeof(sum), "%u", i + 1);
        HOLDS(purse_statement_write(&s->voucher[i], PURSE_VOUCHER, &v, s->secret, NULL) == TP_OK);
        t.voucher = s->voucher[i];
        HOLDS(purse_token_write(&s->demand[i], PURSE_PRESENTATION, &t, &s->orders, NULL) == TP_OK);
    }
}

static void present(struct shop *s, const char *demand)
{
    struct purse_token t = {.owner = NULL};
    struct purse_statement v = {.owner = NULL};
    struct payment_answer a;

    HOLDS(purse_token_read(&t, PURSE_PRESENTATION, demand, s->authority, NULL) == TP_OK);
    HOLDS(purse_statement_read(&v, PURSE_VOUCHER, t.voucher, NULL) == TP_OK);
    HOLDS(desk_present(&s->desk, &t, &v, demand, time(NULL), &a, NULL) == TP_OK);
    HOLDS(strcmp(a.code, "00") == 0);
    payment_answer_free(&a);
    purse_statement_free(&v);
    purse_token_free(&t);
}

static double ours(struct shop *s)
{
    const double start = bench_seconds();

    for (unsigned i = 0; i < s->n; i++) {
        if (i % s->group == 0)
            HOLDS(book_begin(s->desk.book, NULL) == TP_OK);
        present(s, s->demand[i]);
        if (i % s->group == s->group - 1 || i == s->n - 1)
            HOLDS(book_commit(s->desk.book, NULL) == TP_OK);
    }
    return s->n / (bench_seconds() - start);
}

/* The signature alone, over the text that was signed; and the row alone. */
static void verify_bare(const struct shop *s, const char *jws)
{
    const char *const dot = strrchr(jws, '.');
    uint8_t signature[ED25519_SIGNATURE];
    struct buf b = BUF_OF(signature);

    HOLDS(base64url_decode(&b, span_str(dot + 1)) == TP_OK);
    HOLDS(ed25519_verify(signature, span_of(jws, (size_t)(dot - jws)), s->key, NULL) == TP_OK);
}

static double bare(struct shop *s)
{
    const double start = bench_seconds();

    for (unsigned i = 0; i < s->n; i++) {
        if (i % s->group == 0)
            HOLDS(db_begin(s->bare, NULL) == TP_OK);
        verify_bare(s, s->voucher[i]);
        HOLDS(db_exec(s->bare, "INSERT INTO voucher (demand) VALUES ($1)",
                      DB_VALUES(db_blob(span_str(s->demand[i]))), NULL, NULL) == TP_OK);
        if (i % s->group == s->group - 1 || i == s->n - 1)
            HOLDS(db_commit(s->bare, NULL) == TP_OK);
    }
    return s->n / (bench_seconds() - start);
}

/* The signatures alone. */
static double bare_signatures(const struct shop *s)
{
    const double start = bench_seconds();

    for (unsigned i = 0; i < s->n; i++)
        verify_bare(s, s->voucher[i]);
    return s->n / (bench_seconds() - start);
}

int main(void)
{
    static struct shop s;
    const unsigned rounds = bench_setting("ROUNDS", 7);
    struct bench_rounds rate = {.n = 0}, ratio = {.n = 0}, alone = {.n = 0};

    s.n = bench_setting("VOUCHERS", 1024);
    s.group = bench_setting("GROUP", 64);
    s.demand = calloc(s.n, sizeof(*s.demand));
    s.voucher = calloc(s.n, sizeof(*s.voucher));
    HOLDS(s.demand != NULL && s.voucher != NULL);
    make(&s);
    for (unsigned round = 0; round < rounds; round++) {
        provide(&s, round);
        sign(&s, round);
        const double base = bare(&s), drawn = ours(&s);

        bench_round(&rate, drawn);
        bench_round(&ratio, drawn / base);
        bench_round(&alone, drawn / bare_signatures(&s));
        for (unsigned i = 0; i < s.n; i++) {
            free(s.demand[i]);
            free(s.voucher[i]);
        }
    }
    bench_against("purse: vouchers presented, verified and drawn, durable", &rate, "1/s", &ratio,
                  0.2, "bare Ed25519 verification and bare inserts of the same texts");
    bench_against("same", &rate, "1/s", &alone, 0, "bare Ed25519 verification alone");
    drop(&s);
    free(s.demand);
    free(s.voucher);
    return EXIT_SUCCESS;
}
