#include "bank.h"

#include <fcntl.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "apdu/emvtags.h"
#include "apdu/tlv.h"
#include "base/bcd.h"
#include "base/date.h"
#include "base/file.h"
#include "base/hex.h"
#include "crypto/pki.h"
#include "issuer/state.h"
#include "postgres.h"

/* Issuer master keys AC, SMI, SMC of tests/vectors/application-cryptograms.json. Those of AES are
 * the same bytes. */
static const char keys_hex[] = "0123456789ABCDEFFEDCBA9876543210FEDCBA98765432100123456789ABCDEF89A"
                               "BCDEF0123456776543210FEDCBA98";

#define EXPIRY 20301231

__thread struct tp_error bank_error;

void bank_must(enum tp_err r, const struct tp_error *e, const char *call, const char *file,
               int line)
{
    if (r == TP_OK)
        return;
    fprintf(stderr, "%s:%d: %s: %s (%s)\n", file, line, call, tp_err_text(r),
            e->code == r ? e->text : "");
    abort();
}

static void die(const char *what)
{
    perror(what);
    abort();
}

/* ---- the folder ---- */

static void run_issuer(const struct bank *b, const char *words)
{
    const char *top = getenv("TESTS_BUILDDIR");
    char command[1024];

    snprintf(command, sizeof(command), "'%s/telepay-issuer' %s --dir '%s/iss' >/dev/null",
             top != NULL ? top : ".", words, b->dir);
    if (system(command) != 0)
        die(command);
}

static void put_file(const struct bank *b, const char *name, struct span content)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", b->dir, name);
    BANK_MUST(file_replace(path, content, 0600, &bank_error));
}

static void make_folder(struct bank *b)
{
    memset(b, 0, sizeof(*b));
    snprintf(b->dir, sizeof(b->dir), "/tmp/bank.XXXXXX");
    if (mkdtemp(b->dir) == NULL)
        die(b->dir);
}

static void init(struct bank *b, const char *scheme_dir)
{
    char words[640];
    const bool server = postgres_wanted();

    if (server)
        postgres_database(b->books, sizeof(b->books));
    else
        snprintf(b->books, sizeof(b->books), "%s/iss/issuer.db", b->dir);
    snprintf(words, sizeof(words), "init --scheme '%s' --listen 127.0.0.1:18683%s%s%s", scheme_dir,
             server ? " --store '" : "", server ? b->books : "", server ? "'" : "");
    run_issuer(b, words);
    bank_acquirer(b, BANK_ACQUIRER);
}

void bank_make_of(struct bank *b, const char *scheme_dir)
{
    make_folder(b);
    init(b, scheme_dir);
}

void bank_make(struct bank *b)
{
    uint8_t keys[48];
    struct buf raw = BUF_OF(keys);

    make_folder(b);
    BANK_MUST(hex_decode(&raw, keys_hex));
    put_file(b, "issuer.secret", buf_span(&raw));
    put_file(b, "issuer-aes.secret", buf_span(&raw));
    put_file(b, "issuer.json", span_str("{\"iin\": \"999014\"}"));
    init(b, b->dir);
}

void bank_remove(struct bank *b)
{
    char command[96];

    snprintf(command, sizeof(command), "rm -rf '%s'", b->dir);
    if (system(command) != 0)
        fprintf(stderr, "%s stays\n", b->dir);
}

void bank_acquirer(struct bank *b, const char *id)
{
    char words[256];

    snprintf(words, sizeof(words), "acquirer add --id %s --out '%s/%s'", id, b->dir, id);
    run_issuer(b, words);
}

struct book *bank_book(const struct bank *b)
{
    struct book *book = NULL;
    char dir[96];

    snprintf(dir, sizeof(dir), "%s/iss", b->dir);
    BANK_MUST(issuer_open_book(&book, dir, &bank_error));
    return book;
}

/* ---- the server ---- */

static void *run(void *ctx)
{
    BANK_MUST(link_server_run(issuer_server_link(ctx), &bank_error));
    return NULL;
}

void bank_start(struct bank *b, unsigned threads)
{
    char dir[96];

    snprintf(dir, sizeof(dir), "%s/iss", b->dir);
    BANK_MUST(issuer_server_new(&b->server, dir, "127.0.0.1", "0", threads, &bank_error));
    snprintf(b->port, sizeof(b->port), "%u",
             link_server_port(issuer_server_link(b->server)) % 65536);
    if (pthread_create(&b->thread, NULL, run, b->server) != 0)
        die("a thread");
}

void bank_stop(struct bank *b)
{
    link_server_stop(issuer_server_link(b->server));
    pthread_join(b->thread, NULL);
    issuer_server_free(&b->server);
}

static void become_server(const struct bank *b, int out)
{
    const char *top = getenv("TESTS_BUILDDIR");
    char program[512], dir[96];
    const int null = open("/dev/null", O_WRONLY);

    snprintf(program, sizeof(program), "%s/telepay-issuer", top != NULL ? top : ".");
    snprintf(dir, sizeof(dir), "%s/iss", b->dir);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that aborts leaves nothing behind */
    dup2(out, STDOUT_FILENO);
    if (getenv("BANK_LOG") == NULL)
        dup2(null, STDERR_FILENO);
    execl(program, program, "serve", "--dir", dir, "--listen", "127.0.0.1:0", "--threads", "2",
          (char *)NULL);
    _exit(127);
}

void bank_spawn(struct bank *b)
{
    int ends[2];
    char line[128];
    FILE *f;
    const char *colon;

    if (pipe2(ends, O_CLOEXEC) != 0)
        die("a pipe");
    b->pid = fork();
    if (b->pid == 0)
        become_server(b, ends[1]);
    close(ends[1]);
    f = fdopen(ends[0], "r");
    if (f == NULL || fgets(line, sizeof(line), f) == NULL || (colon = strrchr(line, ':')) == NULL) {
        fprintf(stderr, "telepay-issuer serve does not start\n");
        abort();
    }
    snprintf(b->port, sizeof(b->port), "%d", atoi(colon + 1) % 65536);
    fclose(f);
}

void bank_kill(struct bank *b, int number)
{
    int status;

    kill(b->pid, number);
    waitpid(b->pid, &status, 0);
    b->pid = 0;
}

struct link_client *bank_connect(const struct bank *b, const char *acquirer)
{
    char path[3][128];
    static const char *const names[] = {"ca.pem", "acquirer.pem", "acquirer.key"};
    SSL_CTX *tls = NULL;
    struct link_client *c = NULL;

    for (size_t i = 0; i < 3; i++)
        snprintf(path[i], sizeof(path[i]), "%s/%s/%s", b->dir, acquirer, names[i]);
    BANK_MUST(pki_tls_context(&tls, PKI_CLIENT, path[0], path[1], path[2], &bank_error));
    if (link_connect(&c, "127.0.0.1", b->port, tls, 10000, &bank_error) != TP_OK)
        c = NULL;
    SSL_CTX_free(tls);
    return c;
}

/* ---- cards ---- */

static void derive(struct secret *out, const struct bank_card *c, unsigned which)
{
    uint8_t keys[48];
    struct buf raw = BUF_OF(keys);

    BANK_MUST(hex_decode(&raw, keys_hex));
    BANK_MUST(emv_master_key_derive(out, c->cvn, span_of(keys + (size_t)16 * which, 16), c->pan,
                                    (uint8_t)(c->psn / 10 << 4 | c->psn % 10)));
}

static void lookup(const struct bank *b, const char *pan, uint8_t out[SEAL_LOOKUP],
                   struct buf *sealed)
{
    struct seal *seal = NULL;
    char dir[96];

    snprintf(dir, sizeof(dir), "%s/iss", b->dir);
    BANK_MUST(seal_open_dir(&seal, dir, &bank_error));
    BANK_MUST(seal_lookup(seal, out, span_str(pan)));
    if (sealed != NULL)
        BANK_MUST(seal_close(seal, sealed, span_str(pan), span_str("account")));
    seal_free(&seal);
}

void bank_add(const struct bank *b, const char *pan, unsigned psn, enum emv_cvn cvn,
              unsigned method, int64_t balance)
{
    uint8_t room[64];
    struct buf sealed = BUF_OF(room);
    struct book *book = bank_book(b);
    struct account a = {.psn = psn,
                        .expiry = EXPIRY,
                        .cvn = cvn,
                        .arpc = method != 0         ? method
                                : cvn == EMV_CVN_10 ? 1
                                                    : 2,
                        .currency = 978,
                        .balance = balance,
                        .ceiling = BANK_CEILING,
                        .day_ceiling = BANK_DAY};

    mask_pan(a.masked, pan);
    lookup(b, pan, a.lookup, &sealed);
    BANK_MUST(book_account_add(book, &a, buf_span(&sealed), &bank_error));
    book_close(&book);
}

void bank_card(struct bank_card *c, const struct bank *b, enum emv_cvn cvn, unsigned n,
               unsigned method, int64_t balance)
{
    memset(c, 0, sizeof(*c));
    snprintf(c->pan, sizeof(c->pan), cvn == EMV_CCD_3DES ? "99901400%u%09u" : "999014%02u%08u",
             (unsigned)cvn % 10, n % 100000000);
    c->psn = 1;
    c->cvn = cvn;
    derive(&c->ac, c, 0);
    derive(&c->smi, c, 1);
    derive(&c->smc, c, 2);
    bank_add(b, c->pan, c->psn, cvn, method, balance);
}

void bank_card_free(struct bank_card *c)
{
    secret_free(&c->ac);
    secret_free(&c->smi);
    secret_free(&c->smc);
}

void bank_account(const struct bank *b, const struct bank_card *c, struct account *out)
{
    struct book *book = bank_book(b);
    uint8_t where[SEAL_LOOKUP];

    lookup(b, c->pan, where, NULL);
    BANK_MUST(book_account_find(book, where, c->psn, out, &bank_error));
    book_close(&book);
}

uint32_t bank_queue(const struct bank *b, const struct bank_card *c, const char *what,
                    const uint8_t head[4], const char *data, bool encipher, uint8_t template)
{
    struct book *book = bank_book(b);
    struct account a;
    struct script s = {.encipher = encipher, .template = template};
    struct seal *seal = NULL;
    struct buf sealed = BUF_OF(s.sealed);
    char dir[96];

    bank_account(b, c, &a);
    s.account = a.key;
    snprintf(s.what, sizeof(s.what), "%s", what);
    memcpy(s.head, head, 4);
    snprintf(dir, sizeof(dir), "%s/iss", b->dir);
    BANK_MUST(seal_open_dir(&seal, dir, &bank_error));
    if (data != NULL)
        BANK_MUST(seal_close(seal, &sealed, span_str(data), span_str("script")));
    s.sealed_n = sealed.n;
    BANK_MUST(book_script_queue(book, &s, &bank_error));
    seal_free(&seal);
    book_close(&book);
    return s.id;
}

struct wanted {
    uint32_t id;
    struct script *found;
};

static enum tp_err find(void *ctx, const struct script *s, struct tp_error *e)
{
    struct wanted *w = ctx;

    (void)e;
    if (s->id == w->id)
        *w->found = *s;
    return TP_OK;
}

void bank_script(const struct bank *b, uint32_t id, struct script *out)
{
    struct wanted w = {id, out};
    struct book *book = bank_book(b);

    memset(out, 0, sizeof(*out));
    BANK_MUST(book_script_each(book, find, &w, &bank_error));
    book_close(&book);
}

/* ---- requests ---- */

static unsigned next_rrn;

void bank_usual(struct bank_terms *t, struct bank_card *c)
{
    memset(t, 0, sizeof(*t));
    snprintf(t->acquirer, sizeof(t->acquirer), BANK_ACQUIRER);
    snprintf(t->rrn, sizeof(t->rrn), "6%011u", __atomic_add_fetch(&next_rrn, 1, __ATOMIC_RELAXED));
    memcpy(t->pan, c->pan, sizeof(t->pan));
    t->psn = c->psn;
    t->expiry = EXPIRY / 100 % 10000;
    t->mmdd = (unsigned)(date_of(time(NULL)) % 10000);
    t->amount = 1250;
    t->currency = 978;
    t->cid = 0x80;
    t->cvm[0] = 0x1F; /* no CVM, done */
    t->cvm[2] = 2;
    t->tvr[0] = 0x80; /* offline data authentication was not performed */
    t->atc = ++c->atc;
    t->iad_cvn = c->cvn;
    t->dki = 1;
    t->cvr[0] = 0xA0; /* second AC not asked for, first one an ARQC */
}

static void put_number(struct buf *out, uint32_t tag, uint64_t value, unsigned digits)
{
    uint8_t room[8];
    struct buf b = BUF_OF(room);

    BANK_MUST(bcd_put(&b, value, digits));
    BANK_MUST(tlv_put(out, tag, buf_span(&b)));
}

/* 9F10: Visa's with DKI and CVR of 3 bytes, the Common Core Definitions' with counters and
 * discretionary data of zeros. */
static size_t make_iad(uint8_t iad[32], const struct bank_terms *t)
{
    static const uint8_t kind[] = {
        [EMV_CVN_10] = 0x0A, [EMV_CVN_18] = 0x12, [EMV_CCD_3DES] = 0xA5, [EMV_CCD_AES] = 0xA6};

    memset(iad, 0, 32);
    if (t->iad_cvn == EMV_CVN_10 || t->iad_cvn == EMV_CVN_18) {
        const uint8_t head[] = {6, t->dki, kind[t->iad_cvn], 3};

        memcpy(iad, head, 4);
        memcpy(iad + 4, t->cvr, 3);
        return 7;
    }
    iad[0] = iad[16] = 0x0F;
    iad[1] = kind[t->iad_cvn];
    iad[2] = t->dki;
    memcpy(iad + 3, t->cvr, 5);
    return 32;
}

static void sign(uint8_t ac[8], const struct bank_card *c, const struct bank_terms *t,
                 struct span de55, struct span iad)
{
    static const uint32_t order[] = {0x9F02, 0x9F03, 0x9F1A, 0x95, 0x5F2A,
                                     0x9A,   0x9C,   0x9F37, 0x82, 0x9F36};
    const uint8_t atc[2] = {(uint8_t)(t->atc >> 8), (uint8_t)t->atc};
    uint8_t room[128];
    struct buf data = BUF_OF(room);
    struct secret session;
    struct tlv v;

    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        BANK_MUST(tlv_find(de55, order[i], &v));
        BANK_MUST(buf_put(&data, v.value));
    }
    BANK_MUST(buf_put(&data, c->cvn == EMV_CVN_10 ? span_of(iad.p + 3, 4) : iad));
    BANK_MUST(emv_session_key_ac(&session, c->cvn, secret_span(&c->ac), atc));
    BANK_MUST(emv_ac_make(ac, c->cvn, secret_span(&session), buf_span(&data)));
    secret_free(&session);
    ac[0] ^= t->ac_flip;
}

static struct span make_de55(struct bank_request *out, const struct bank_card *c,
                             const struct bank_terms *t)
{
    struct buf b = BUF_OF(out->de55);
    const uint8_t atc[2] = {(uint8_t)(t->atc >> 8), (uint8_t)t->atc},
                  un[4] = {0x12, 0x34, (uint8_t)(t->atc >> 8), (uint8_t)t->atc}, aip[2] = {0x18, 0};
    const unsigned kind = t->processing / 10000;
    const uint8_t type = (uint8_t)((kind / 10 << 4 | kind % 10) ^ t->type_flip);
    uint8_t iad[32];
    const size_t iad_n = make_iad(iad, t);

    put_number(&b, TAG_AMOUNT, (uint64_t)(t->signed_amount != 0 ? t->signed_amount : t->amount),
               12);
    put_number(&b, TAG_AMOUNT_OTHER, 0, 12);
    put_number(&b, TAG_TERMINAL_COUNTRY, 250, 4);
    BANK_MUST(tlv_put(&b, TAG_TVR, SPAN_OF(t->tvr)));
    put_number(&b, TAG_TX_CURRENCY, t->currency, 4);
    const int today = date_of(time(NULL)); /* a day that is still to come is one of last year's */

    put_number(&b, TAG_TX_DATE,
               (uint64_t)((today / 10000 - (t->mmdd > (unsigned)today % 10000)) % 100) * 10000 +
                   t->mmdd,
               6);
    BANK_MUST(tlv_put(&b, TAG_TX_TYPE, span_of(&type, 1)));
    BANK_MUST(tlv_put(&b, TAG_UN, SPAN_OF(un)));
    BANK_MUST(tlv_put(&b, TAG_AIP, SPAN_OF(aip)));
    BANK_MUST(tlv_put(&b, TAG_ATC, SPAN_OF(atc)));
    BANK_MUST(tlv_put(&b, TAG_IAD, span_of(iad, iad_n)));
    BANK_MUST(tlv_put(&b, TAG_CID, span_of(&t->cid, 1)));
    BANK_MUST(tlv_put(&b, TAG_CVM_RESULTS, SPAN_OF(t->cvm)));
    put_number(&b, TAG_PAN_SEQUENCE, t->psn, 2);
    if (t->results_n > 0)
        BANK_MUST(tlv_put(&b, TAG_SCRIPT_RESULTS, span_of(t->results, t->results_n)));
    sign(out->ac, c, t, buf_span(&b), span_of(iad, iad_n));
    BANK_MUST(tlv_put(&b, TAG_AC, SPAN_OF(out->ac)));
    return buf_span(&b);
}

static void start(struct iso8583 *m, const struct bank_terms *t, unsigned mti)
{
    const uint64_t stan = strtoull(t->rrn, NULL, 10) % 1000000;

    iso8583_start(m, mti);
    iso8583_set_text(m, 2, t->pan);
    iso8583_set_number(m, 3, t->processing);
    iso8583_set_number(m, 4, (uint64_t)t->amount);
    iso8583_set_text(m, 7, "1124211500");
    iso8583_set_number(m, 11, stan);
    iso8583_set_text(m, 12, "221500");
    iso8583_set_number(m, 13, t->mmdd);
    iso8583_set_text(m, 32, t->acquirer);
    iso8583_set_text(m, 37, t->rrn);
    iso8583_set_text(m, 41, "00000001");
    iso8583_set_text(m, 42, "000000000000123");
    iso8583_set_number(m, 49, t->currency);
}

void bank_message(struct bank_request *out, const struct bank_terms *t, struct span de55)
{
    struct iso8583 *m = &out->message;

    start(m, t, MTI_AUTHORISATION);
    iso8583_set_number(m, 14, t->expiry);
    iso8583_set_number(m, 18, 5942);
    iso8583_set_text(m, 22, "051");
    iso8583_set_number(m, 23, t->psn);
    iso8583_set_text(m, 25, "00");
    iso8583_set(m, 55, de55);
}

void bank_authorisation(struct bank_request *out, const struct bank_card *c,
                        const struct bank_terms *t)
{
    bank_message(out, t, make_de55(out, c, t));
}

void bank_reversal(struct bank_request *out, const struct bank_terms *t, unsigned mti)
{
    char original[64];

    start(&out->message, t, mti);
    snprintf(original, sizeof(original), "0100%06llu1124211500%022u",
             strtoull(t->rrn, NULL, 10) % 1000000, 0U);
    iso8583_set_text(&out->message, 90, original);
}

enum tp_err bank_exchange(struct bank_answer *a, struct link_client *c, const struct iso8583 *m,
                          struct tp_error *e)
{
    uint8_t room[4096];
    struct buf out = BUF_OF(room), in = BUF_OF(a->raw);
    enum tp_err r = iso8583_pack(&out, m, e);

    memset(a, 0, sizeof(*a));
    if (r == TP_OK)
        r = link_exchange(c, buf_span(&out), &in, 10000, e);
    if (r != TP_OK)
        return r;
    a->n = in.n;
    BANK_MUST(iso8583_unpack(&a->message, buf_span(&in), &bank_error));
    a->mti = a->message.mti;
    if (iso8583_has(&a->message, 39))
        BANK_MUST(iso8583_text(&a->message, 39, a->code, sizeof(a->code)));
    if (iso8583_has(&a->message, 38))
        BANK_MUST(iso8583_text(&a->message, 38, a->approval, sizeof(a->approval)));
    if (iso8583_has(&a->message, 55) && a->message.field[55].n <= sizeof(a->de55)) {
        a->de55_n = a->message.field[55].n;
        memcpy(a->de55, a->message.field[55].p, a->de55_n);
    }
    return TP_OK;
}

bool bank_proves(const struct bank_answer *a, const struct bank_card *c,
                 const struct bank_request *q, uint16_t atc, unsigned method)
{
    const uint8_t counter[2] = {(uint8_t)(atc >> 8), (uint8_t)atc};
    uint8_t arpc[8];
    struct secret session;
    struct tlv t;
    bool right = false;

    if (tlv_find(span_of(a->de55, a->de55_n), TAG_ISSUER_AUTH_DATA, &t) != TP_OK)
        return false;
    BANK_MUST(emv_session_key_ac(&session, c->cvn, secret_span(&c->ac), counter));
    if (method == 1 && t.value.n == 10) {
        BANK_MUST(emv_arpc_1(arpc, c->cvn, secret_span(&session), q->ac, t.value.p + 8));
        right = memcmp(arpc, t.value.p, 8) == 0 && memcmp(t.value.p + 8, a->code, 2) == 0;
    } else if (method == 2 && t.value.n == 8) {
        BANK_MUST(emv_arpc_2(arpc, c->cvn, secret_span(&session), q->ac, t.value.p + 4,
                             span_of(NULL, 0)));
        right = memcmp(arpc, t.value.p, 4) == 0 &&
                ((t.value.p[5] & EMV_CSU_APPROVES) != 0) == (strcmp(a->code, "00") == 0);
    }
    secret_free(&session);
    return right;
}
