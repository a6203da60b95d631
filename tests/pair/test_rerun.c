/* Traces of payments, run again. Every row of kernel_rows.h is paid with a trace, masked and
 * unmasked; run again it must come to what the Books say in that row, with the same commands. And
 * every fault of the card of simcard/, and that card played from its trace to another terminal. */
#include "unit/unit.h"

#include <stdio.h>
#include <unistd.h>

#include "kernel_rows.h"
#include "pair_scheme.h"
#include "paper.h"
#include "base/file.h"
#include "crypto/cryptogram.h"
#include "payer/rerun.h"
#include "payer/trace.h"
#include "simcard/inproc.h"
#include "simcard/perso.h"
#include "simcard/recorded.h"

#define PAN  "9990140000000015"
#define NAME "4455504F4E542F4D41524945" /* of both cards' 5F20 */

static struct paper_keys keys;
static char path[32];

static void start(void)
{
    paper_keys_make(&keys);
    snprintf(path, sizeof(path), "/tmp/rerun-XXXXXX");
    const int fd = mkstemp(path);

    ck_assert_int_ge(fd, 0);
    close(fd);
}

static void stop(void)
{
    unlink(path);
    paper_keys_free(&keys);
}

/* A whole payment with its trace in the file, as pay.c does it. way NULL: what t has. */
static enum tp_err pay_online(struct transaction **tx, struct reader *reader,
                              struct paper_terminal *t, const struct kernel_online *way,
                              bool unmasked, struct tp_error *e)
{
    struct kernel_person asked, person;
    struct kernel_online paper, online;
    struct trace *trace = NULL;
    enum tp_err r;

    ck_assert_msg(trace_open(&trace, path, unmasked, e) == TP_OK, "%s", e->text);
    reader_set_trace(reader, trace_exchange, trace);
    paper_sides(t, &asked, &paper);
    person = trace_person(trace, &asked);
    online = trace_online(trace, way != NULL ? way : &paper);
    r = reader_connect(reader, e);
    trace_reader(trace, reader);
    trace_payment(trace, &t->config, &t->request);
    t->config.memory = trace_memory(trace, &t->memory);
    *tx = NULL;
    if (r == TP_OK)
        r = kernel_run(tx, reader, &t->config, &t->request, &person, &online, e);
    trace_outcome(trace, &t->config, *tx, r != TP_OK ? e : NULL);
    reader_set_trace(reader, NULL, NULL);
    ck_ok(trace_close(&trace, e));
    reader_disconnect(reader);
    return r;
}

static enum tp_err pay(struct transaction **tx, struct reader *reader, struct paper_terminal *t,
                       bool unmasked, struct tp_error *e)
{
    return pay_online(tx, reader, t, NULL, unmasked, e);
}

static char *read_trace(void)
{
    uint8_t *text;
    size_t n;
    struct tp_error e;

    ck_assert_msg(file_read(path, 1 << 20, &text, &n, &e) == TP_OK, "%s", e.text);
    return (char *)text;
}

/* The number, the name, a PIN of the tests in a block of VERIFY: whole numbers only, as they stand
 * in 5A, 57 and 5F20. */
static void check_secrets(const char *what, bool unmasked)
{
    char *text = read_trace();

    ck_assert_msg(strstr(text, "241234FF") == NULL && strstr(text, "249999FF") == NULL,
                  "%s: a PIN is in the trace", what);
    ck_assert_msg(strstr(text, unmasked ? "NOT MASKED" : "# Masked") != NULL,
                  "%s: the trace does not say what it is", what);
    if (!unmasked) {
        ck_assert_msg(strstr(text, PAN) == NULL, "%s: the card number is in the trace", what);
        ck_assert_msg(strstr(text, NAME) == NULL, "%s: the name is in the trace", what);
    }
    free(text);
}

static void check_same(const char *what, const struct pay_result *result, const struct rerun *rerun)
{
    ck_assert_msg(
        rerun_same(rerun), "%s: then %s (%s) %s, %s; now %s (%s) %s, %s; %u differences; %s", what,
        rerun->then.outcome, rerun->then.reason, rerun->then.result, rerun->then.authentication,
        rerun->now.outcome, rerun->now.reason, rerun->now.result, rerun->now.authentication,
        rerun->differences, result->error.text);
}

static void run_row(const struct row *row, bool unmasked)
{
    static struct paper p;
    struct paper_terminal t;
    struct inproc_card card;
    struct reader *reader = NULL;
    struct transaction *tx;
    struct pay_result result;
    struct rerun rerun;
    struct tp_error e;

    paper_card(&p, &keys);
    paper_terminal(&t, &keys);
    paper_card_words(&p, row->card);
    paper_answers(&p, row->answers);
    paper_terminal_words(&t, row->terminal);
    if (t.no_person || t.no_online) /* telepay has both */
        return;
    ck_ok(paper_open(&reader, &card, &p));
    reader_disconnect(reader); /* pay connects it, to see the ATR */
    ck_assert_msg(pay(&tx, reader, &t, unmasked, &e) == TP_OK, "%s: %s", row->clause, e.text);
    transaction_free(&tx);
    reader_close(&reader);
    check_secrets(row->clause, unmasked);
    rerun_payment(&result, &rerun, path);
    check_same(row->clause, &result, &rerun);
    ck_assert_int_eq(transaction_outcome(result.tx), row->outcome);
    if (row->tvr != NULL) {
        paper_check_hex(result.tx, row->clause, TAG_TVR, row->tvr);
        paper_check_hex(result.tx, row->clause, TAG_TSI, row->tsi);
        paper_check_hex(result.tx, row->clause, TAG_CVM_RESULTS, row->cvm);
    }
    ck_assert_int_eq(result.exit == CLI_DONE, row->outcome == KERNEL_APPROVED);
    ck_assert(!unmasked || !rerun.masked);
    pay_result_free(&result);
}

START_TEST(test_rows)
    {
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
            run_row(&rows[i], _i == 1);
    }
END_TEST

/* ---- the card of simcard/ ---- */

static struct scheme *scheme;
static struct secret card_key; /* one for all cards: making it is what takes time */

static void make_scheme(void)
{
    struct emv_privkey *key;

    start();
    pair_scheme(&scheme, keys.store, 0);
    ck_ok(emv_privkey_generate(&key, 1024, 3));
    ck_ok(emv_privkey_export(&card_key, key));
    emv_privkey_free(&key);
}

static void free_scheme(void)
{
    secret_free(&card_key);
    scheme_free(&scheme);
    stop();
}

static struct card *make_card(enum perso_method method, const char *cvm, bool t0)
{
    struct perso_params p;
    struct card_profile *profile;
    struct card *card;
    struct tp_error e;

    perso_defaults(&p);
    p.pan = PAN;
    p.name = "DUPONT/MARIE";
    p.pin = span_str("1234");
    p.expiry = 20301231;
    p.effective = 20200101;
    p.bits = 1024;
    p.method = method;
    p.cvm = cvm;
    p.t0 = t0;
    if (method != PERSO_SDA)
        ck_ok(emv_privkey_import(&p.key, secret_span(&card_key)));
    ck_assert_msg(perso_make(&profile, scheme, &p, &e) == TP_OK, "%s", e.text);
    ck_ok(card_new(&card, &profile));
    return card;
}

static void terminal(struct paper_terminal *t, const char *words)
{
    paper_terminal(t, &keys);
    paper_terminal_words(t, words);
}

/* Pays with it once, and again from the trace. *tx is the first one's; the result is the second
 * one's. */
static enum tp_err pay_twice(struct card *card, const char *words, bool unmasked,
                             struct pay_result *result, struct rerun *rerun)
{
    struct inproc_card inproc = card_inproc(card);
    struct paper_terminal t;
    struct reader *reader = NULL;
    struct transaction *tx;
    struct tp_error e;
    enum tp_err r;

    terminal(&t, words);
    ck_ok(inproc_open(&reader, &inproc));
    r = pay(&tx, reader, &t, unmasked, &e);
    transaction_free(&tx);
    reader_close(&reader);
    rerun_payment(result, rerun, path);
    return r;
}

/* Each fault with each method, over both protocols, masked: the run again comes to the same. */
static void run_fault(const char *spec, enum perso_method method, bool t0)
{
    struct card *card = make_card(method, "pin,none", t0);
    struct pay_result result;
    struct rerun rerun;
    struct tp_error e;

    ck_assert_msg(card_add_fault(card, spec, &e) == TP_OK, "%s", e.text);
    (void)pay_twice(card, "pins=1234,1234,1234,1234", false, &result, &rerun);
    check_secrets(spec, false);
    check_same(spec, &result, &rerun);
    pay_result_free(&result);
    card_close(&card);
}

START_TEST(test_faults)
    {
        const struct card_fault_text *f;

        for (size_t i = 0; (f = card_fault_at(i)) != NULL; i++) {
            char spec[80];
            const int n = (int)strcspn(f->name, "[");

            snprintf(spec, sizeof(spec), "%.*s%s", n, f->name,
                     strncmp(f->name, "slow", 4) == 0 ? "=1" : "");
            run_fault(spec, PERSO_CDA, false);
            run_fault(spec, PERSO_DDA, false);
            run_fault(spec, PERSO_SDA, false);
            run_fault(spec, PERSO_CDA, true);
        }
    }
END_TEST

/* Torn out at each command: the run again ends there too, and says so. */
START_TEST(test_torn_out)
    {
        for (unsigned at = 1; at <= 12; at++) {
            struct card *card = make_card(PERSO_CDA, "pin,none", false);
            struct pay_result result;
            struct rerun rerun;
            struct tp_error e;
            char fault[32];

            snprintf(fault, sizeof(fault), "torn-out=%u", at);
            ck_ok(card_add_fault(card, fault, &e));
            ck_assert_int_eq(pay_twice(card, "pins=1234", false, &result, &rerun), TP_ERR_CARD);
            check_same(fault, &result, &rerun);
            ck_assert_str_eq(rerun.now.outcome, "error");
            ck_assert_int_eq(result.exit, CLI_NO_CARD);
            ck_assert_msg(strstr(result.error.text, "as recorded in line") != NULL, "%s",
                          result.error.text);
            pay_result_free(&result);
            card_close(&card);
        }
    }
END_TEST

/* An enciphered PIN is another each time, and told of in no trace: the run again enciphers one of
 * its own, and the card's answer is that of then. */
START_TEST(test_enciphered_pin)
    {
        struct card *card = make_card(PERSO_CDA, "0403,none", false);
        struct pay_result result;
        struct rerun rerun;
        char *text;

        ck_ok(pay_twice(card, "pins=9999,1234", _i == 1, &result, &rerun));
        check_same("enciphered PIN", &result, &rerun);
        ck_assert_int_eq(transaction_outcome(result.tx), KERNEL_APPROVED);
        ck_assert_int_eq(rerun.masked, _i == 0);
        text = read_trace();
        ck_assert_ptr_nonnull(strstr(text, "\n> 0020008880****************"));
        ck_assert_ptr_nonnull(strstr(text, "pin: entered\n"));
        free(text);
        pay_result_free(&result);
        card_close(&card);
    }
END_TEST

/* What the acquirer answered comes back as it was, but for a new PIN in a script. */
START_TEST(test_issuers_answer)
    {
        struct card *card = make_card(PERSO_CDA, "none", false);
        struct pay_result result;
        struct rerun rerun;
        char *text;

        ck_ok(pay_twice(card, "floor=1000 arc=05", false, &result, &rerun));
        check_same("the issuer refuses", &result, &rerun);
        ck_assert_int_eq(transaction_outcome(result.tx), KERNEL_DECLINED);
        text = read_trace();
        ck_assert_ptr_nonnull(strstr(text, "\nonline: arc=3035 approval= 91= scripts=\n"));
        free(text);
        pay_result_free(&result);
        card_close(&card);
    }
END_TEST

static enum tp_err answer_with_scripts(void *ctx, const struct transaction *tx,
                                       struct kernel_issuer_answer *out)
{
    struct buf scripts = BUF_OF(out->scripts.p);

    (void)ctx;
    (void)tx;
    out->reached = true;
    memcpy(out->arc, "00", 2);
    memcpy(out->approval, "ABC123", 7);
    ck_ok(hex_decode(&scripts, "72139F180401020304"
                               "860A8424000205AABBCCDDEE"
                               "71078605 8418000000"));
    out->scripts.n = scripts.n;
    out->authentication.n = 8;
    memset(out->authentication.p, 0x5A, 8);
    return TP_OK;
}

START_TEST(test_scripts)
    {
        const struct kernel_online way = {NULL, answer_with_scripts};
        struct kernel_online online;
        struct kernel_issuer_answer answer = {0};
        struct trace *trace;
        struct transcript *t;
        struct tp_error e;
        bool failed;

        ck_ok(trace_open(&trace, path, false, &e));
        online = trace_online(trace, &way);
        ck_ok(online.authorise(online.ctx, NULL, &answer));
        ck_hex(span_of(answer.scripts.p, answer.scripts.n),
               "72139F180401020304860A8424000205AABBCCDDEE710786058418000000"); /* the card gets it
                                                                                   whole */
        ck_ok(trace_close(&trace, &e));
        ck_assert_msg(transcript_load(&t, path, &e) == TP_OK, "%s", e.text);
        memset(&answer, 0, sizeof(answer));
        ck_ok(rerun_online(&answer, &failed, t, 0, &e));
        ck_assert(answer.reached && !failed);
        ck_assert_mem_eq(answer.arc, "00", 2);
        ck_assert_str_eq(answer.approval, "ABC123");
        ck_hex(span_of(answer.authentication.p, answer.authentication.n), "5A5A5A5A5A5A5A5A");
        ck_hex(span_of(answer.scripts.p, answer.scripts.n),
               "72139F180401020304860A84240002050000000000710786058418000000");
        ck_ok(rerun_online(&answer, &failed, t, 1, &e));
        ck_assert(failed);
        transcript_free(&t);
    }
END_TEST

/* An issuer who is one: ARPC method 2 of the card's CVN 18 (Book 2, 8.2.2), and a script behind the
 * second GENERATE AC that the card refuses, for it has no MAC. */
static enum tp_err true_issuer(void *ctx, const struct transaction *tx,
                               struct kernel_issuer_answer *out)
{
    static const uint8_t csu[4] = {0x00, EMV_CSU_APPROVES, 0x00, 0x00};
    struct buf scripts = BUF_OF(out->scripts.p);
    struct secret key = {NULL, 0}, session = {NULL, 0};

    (void)ctx;
    ck_ok(emv_master_key_derive(&key, EMV_CVN_18, secret_span(&scheme->ac_key), PAN,
                                transaction_get(tx, TAG_PAN_SEQUENCE).p[0]));
    ck_ok(emv_session_key_ac(&session, EMV_CVN_18, secret_span(&key),
                             transaction_get(tx, TAG_ATC).p));
    ck_ok(emv_arpc_2(out->authentication.p, EMV_CVN_18, secret_span(&session),
                     transaction_get(tx, TAG_AC).p, csu, (struct span){NULL, 0}));
    memcpy(out->authentication.p + 4, csu, sizeof(csu));
    out->authentication.n = 8;
    ck_ok(hex_decode(&scripts, "72139F180401020304"
                               "860A8424000205AABBCCDDEE"));
    out->scripts.n = scripts.n;
    out->reached = true;
    memcpy(out->arc, "00", 2);
    secret_free(&key);
    secret_free(&session);
    return TP_OK;
}

START_TEST(test_online)
    {
        struct card *card = make_card(PERSO_CDA, "0403,none", false);
        struct inproc_card inproc = card_inproc(card);
        struct kernel_online online = {NULL, true_issuer};
        struct paper_terminal t;
        struct reader *reader = NULL;
        struct transaction *tx;
        struct pay_result result;
        struct rerun rerun;
        struct tp_error e;
        char *text;

        terminal(&t, "floor=1000 pins=1234");
        ck_ok(inproc_open(&reader, &inproc));
        ck_ok(pay_online(&tx, reader, &t, &online, false, &e));
        ck_assert_int_eq(transaction_outcome(tx), KERNEL_APPROVED);
        paper_check_hex(
            tx, "online", TAG_SCRIPT_RESULTS,
            "1101020304"); /* Book 4, Annex A5: 1 failed, 1 the first command; its identifier */
        transaction_free(&tx);
        reader_close(&reader);
        rerun_payment(&result, &rerun, path);
        check_same("online", &result, &rerun);
        ck_assert_int_eq(transaction_outcome(result.tx), KERNEL_APPROVED);
        paper_check_hex(result.tx, "online", TAG_ARC, "3030");
        paper_check_hex(result.tx, "online", TAG_SCRIPT_RESULTS, "1101020304");
        text = read_trace();
        ck_assert_ptr_null(strstr(text, "AABBCCDDEE")); /* the new PIN */
        ck_assert_ptr_nonnull(strstr(text, "\n> 8424000205**********\n"));
        free(text);
        pay_result_free(&result);
        card_close(&card);
    }
END_TEST

/* The recorded card in another terminal. With the same numbers it is as before; with another
 * unpredictable number its signature is an old one: CDA has failed (TVR byte 1, bit 3), and the
 * terminal declines (Book 3, 10.3; Book 4, 6.3.2.1). */
START_TEST(test_recorded_card)
    {
        struct card *card = make_card(PERSO_CDA, "none", _i == 1);
        struct transcript *transcript;
        struct recorded_card recorded = {0};
        struct vpcd_card played;
        struct inproc_card inproc;
        struct paper_terminal t;
        struct kernel_person person;
        struct kernel_online online;
        struct reader *reader = NULL;
        struct transaction *tx;
        struct pay_result result;
        struct rerun rerun;
        struct tp_error e;

        ck_ok(pay_twice(card, "", true, &result, &rerun));
        ck_assert_int_eq(transaction_outcome(result.tx), KERNEL_APPROVED);
        pay_result_free(&result);
        card_close(&card);
        ck_ok(transcript_load(&transcript, path, &e));
        recorded.transcript = transcript;
        played = recorded_vpcd(&recorded);
        inproc =
            (struct inproc_card){played.ctx, played.power_on, played.transmit, played.power_off};
        ck_ok(inproc_open(&reader, &inproc));
        for (unsigned other = 0; other < 2; other++) {
            terminal(&t, "");
            t.request.un[0] ^= (uint8_t)other;
            paper_sides(&t, &person, &online);
            ck_ok(reader_connect(reader, &e));
            ck_assert_msg(kernel_run(&tx, reader, &t.config, &t.request, &person, &online, &e) ==
                              TP_OK,
                          "%s", e.text);
            paper_check_hex(tx, "played", TAG_TVR, other ? "0400000000" : "0000000000");
            ck_assert_int_eq(transaction_outcome(tx), other ? KERNEL_DECLINED : KERNEL_APPROVED);
            transaction_free(&tx);
            reader_disconnect(reader);
        }
        reader_close(&reader);
        transcript_free(&transcript);
    }
END_TEST

/* ---- what is wrong with a trace ---- */

START_TEST(test_bad_traces)
    {
        static const struct {
            const char *replace, *by, *told;
        } rows_[] = {
            {"\noutcome:", "\n# ", "it ends without \"outcome\": cut short"},
            {"\n9F02: ", "\n9F0A: ", "it ends without \"9F02\""},
            {"\n9F02: 00", "\n9F02: 0A", "\"9F02\" must be decimal digits"},
            {"\n9F37: ", "\n9F37: 00", "\"9F37\" must be 4 bytes in hex"},
            {"\n9A: ", "\n9A: 99", "\"9A\" must be 3 bytes in hex"},
            {" tac_online=", " tac_onlin=",
             "\"application\" must be followed by tac_online= and 5 to 5 bytes in hex"},
            {" floor=", " floor=x", "\"application\" must be followed by floor= and a number"},
            {"\nauthority: F0", "\nauthority: X0", "\"authority\" must be 5 to 5 bytes in hex"},
            {"\nicc-key: modulus=", "\nicc-key: modulus=00", "\"icc-key\" must be"},
            {"\n9F33: ", "\n9F33: 0", "\"9F33\" must be 3 bytes in hex"},
            {"\natr: ", "\natr: 3", "\"atr\" takes at most 33 bytes in hex"},
        };
        struct card *card = make_card(PERSO_CDA, "none", false);
        struct pay_result result;
        struct rerun rerun;
        char *text, *changed, *at;
        struct tp_error e;

        ck_ok(pay_twice(card, "", false, &result, &rerun));
        pay_result_free(&result);
        card_close(&card);
        text = read_trace();
        for (size_t i = 0; i < sizeof(rows_) / sizeof(rows_[0]); i++) {
            at = strstr(text, rows_[i].replace);
            ck_assert_msg(at != NULL, "%s", rows_[i].replace);
            ck_assert_int_gt(asprintf(&changed, "%.*s%s%s", (int)(at - text), text, rows_[i].by,
                                      at + strlen(rows_[i].replace)),
                             0);
            ck_ok(file_replace(path, span_str(changed), 0600, &e));
            free(changed);
            rerun_payment(&result, &rerun, path);
            ck_assert_int_eq(result.exit, CLI_USAGE);
            ck_assert_msg(strstr(result.error.text, rows_[i].told) != NULL &&
                              strstr(result.error.text, ", line ") != NULL,
                          "%s: %s", rows_[i].by, result.error.text);
            ck_assert_ptr_null(result.tx);
            pay_result_free(&result);
        }
        for (size_t n = 0; n + 2 < strlen(text);
             n += n + 60 < strlen(text) ? 97 : 1) { /* cut anywhere */
            ck_ok(file_replace(path, span_of(text, n), 0600, &e));
            rerun_payment(&result, &rerun, path);
            ck_assert_msg(result.exit == CLI_USAGE && strstr(result.error.text, ", line ") != NULL,
                          "cut at %zu: %s", n, result.error.text);
            pay_result_free(&result);
        }
        free(text);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("rerun");
    TCase *paper = tcase_create("paper"), *cards = tcase_create("cards");

    tcase_add_unchecked_fixture(paper, start, stop);
    tcase_set_timeout(paper, 120);
    tcase_add_loop_test(paper, test_rows, 0, 2);
    suite_add_tcase(s, paper);
    tcase_add_unchecked_fixture(cards, make_scheme, free_scheme);
    tcase_set_timeout(cards, 120);
    tcase_add_test(cards, test_faults);
    tcase_add_test(cards, test_torn_out);
    tcase_add_loop_test(cards, test_enciphered_pin, 0, 2);
    tcase_add_test(cards, test_issuers_answer);
    tcase_add_test(cards, test_scripts);
    tcase_add_test(cards, test_online);
    tcase_add_loop_test(cards, test_recorded_card, 0, 2);
    tcase_add_test(cards, test_bad_traces);
    suite_add_tcase(s, cards);
    return s;
}

UNIT_MAIN(suite)
