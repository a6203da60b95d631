/* Terminal, card and issuer in one process: the card's cryptogram is worked out again from the
 * issuer's master keys, the ARPC and scripts that the issuer makes pass through the terminal, and
 * the card takes them or not. For each kind of card, both ways to the card (EXTERNAL AUTHENTICATE,
 * CDOL2), good and bad. What must come of it is from EMV 4.4 Book 2, 8.2 and 9; Book 3, 10.9-10.11;
 * the card declines on a wrong ARPC (simcard/profile.h), the terminal never does. */
#include "unit/unit.h"

#include <stdio.h>

#include "apdu/tlv.h"
#include "crypto/script.h"
#include "pair_scheme.h"
#include "paper.h"
#include "simcard/inproc.h"
#include "simcard/perso.h"

#define PAN  "9990140000000015"
#define DATE 20261123

static struct scheme *scheme;
static struct capk_store *store;

static void make_scheme(void)
{
    ck_ok(capk_store_new(&store));
    pair_scheme(&scheme, store, 0);
}

static void free_scheme(void)
{
    scheme_free(&scheme);
    capk_store_free(&store);
}

enum mood {
    SAYS_YES,
    SAYS_NO,
    SAYS_YES_WRONGLY /* a bit of the ARPC */,
    SAYS_YES_BARELY /* no 91 */
};

struct command { /* of a script, plain */
    uint8_t head[4];
    const char *data; /* hex */
    bool encipher;
};

struct issuer {
    enum emv_cvn cvn;
    unsigned method;
    enum mood mood;
    uint32_t template; /* 71, 72; 0: no script */
    struct command commands[2];
    size_t commands_n;
    bool wrong_mac;
    unsigned asked;
};

/* ICC master key of a card from the issuer's. */
static void derive(struct secret *out, const struct issuer *i, const struct secret *des,
                   const struct secret *aes)
{
    ck_ok(emv_master_key_derive(out, i->cvn, secret_span(i->cvn == EMV_CCD_AES ? aes : des), PAN,
                                0x01));
}

/* 8.1.2: over what the terminal says of the payment and what the card says of itself. */
static void check_arqc(const struct issuer *i, const struct transaction *tx, struct span session)
{
    static const uint32_t tags[] = {TAG_AMOUNT,  TAG_AMOUNT_OTHER, TAG_TERMINAL_COUNTRY,
                                    TAG_TVR,     TAG_TX_CURRENCY,  TAG_TX_DATE,
                                    TAG_TX_TYPE, TAG_UN,           TAG_AIP,
                                    TAG_ATC};
    const struct span iad = transaction_get(tx, TAG_IAD);
    uint8_t raw[128], ac[8];
    struct buf data = BUF_OF(raw);

    for (size_t k = 0; k < sizeof(tags) / sizeof(tags[0]); k++)
        ck_ok(buf_put(&data, transaction_get(tx, tags[k])));
    ck_ok(buf_put(&data, i->cvn == EMV_CVN_10 ? span_of(iad.p + 3, 4) : iad));
    ck_ok(emv_ac_make(ac, i->cvn, session, buf_span(&data)));
    ck_assert_msg(span_eq(SPAN_OF(ac), transaction_get(tx, TAG_AC)),
                  "the ARQC of %s is not what the issuer finds", emv_cvn_name(i->cvn));
}

static void put_arpc(const struct issuer *i, const struct transaction *tx, struct span session,
                     struct kernel_issuer_answer *out)
{
    const uint8_t csu[4] = {0x00, i->mood == SAYS_NO ? 0x00 : EMV_CSU_APPROVES, 0x00, 0x00};
    uint8_t *at = out->authentication.p;

    if (i->method == 1) {
        ck_ok(emv_arpc_1(at, i->cvn, session, transaction_get(tx, TAG_AC).p, out->arc));
        memcpy(at + 8, out->arc, 2);
        out->authentication.n = 10;
    } else {
        ck_ok(emv_arpc_2(at, i->cvn, session, transaction_get(tx, TAG_AC).p, csu,
                         (struct span){NULL, 0}));
        memcpy(at + 4, csu, 4);
        out->authentication.n = 8;
    }
    if (i->mood == SAYS_YES_WRONGLY)
        at[0] ^= 0x01;
}

static void put_script(const struct issuer *i, const struct transaction *tx,
                       struct kernel_issuer_answer *out)
{
    struct emv_script s =
        emv_script_start(i->cvn, transaction_get(tx, TAG_ATC).p, transaction_get(tx, TAG_AC).p);
    struct emv_script_keys keys;
    struct secret smi = {NULL, 0}, smc = {NULL, 0};
    uint8_t raw[256], plain_raw[64];
    struct buf body = BUF_OF(raw), whole = {out->scripts.p, 0, sizeof(out->scripts.p)};

    derive(&smi, i, &scheme->smi_key, &scheme->smi_aes_key);
    derive(&smc, i, &scheme->smc_key, &scheme->smc_aes_key);
    ck_ok(emv_script_keys_derive(&keys, i->cvn, secret_span(&smi), secret_span(&smc), s.atc,
                                 s.chain));
    ck_ok(tlv_put(&body, TAG_SCRIPT_ID, span_of("\x00\x00\x00\x2A", 4)));
    for (size_t k = 0; k < i->commands_n; k++) {
        uint8_t apdu_raw[EMV_SCRIPT_APDU_MAX];
        struct buf apdu = BUF_OF(apdu_raw), plain = BUF_OF(plain_raw);

        ck_ok(hex_decode(&plain, i->commands[k].data));
        ck_ok(emv_script_close(&apdu, &s, &keys, i->commands[k].head, buf_span(&plain),
                               i->commands[k].encipher));
        if (i->wrong_mac)
            apdu.p[apdu.n - 1] ^= 0x01;
        ck_ok(tlv_put(&body, TAG_SCRIPT_COMMAND, buf_span(&apdu)));
    }
    ck_ok(tlv_put(&whole, i->template, buf_span(&body)));
    out->scripts.n = whole.n;
    emv_script_keys_free(&keys);
    secret_free(&smi);
    secret_free(&smc);
}

static enum tp_err authorise(void *ctx, const struct transaction *tx,
                             struct kernel_issuer_answer *out)
{
    struct issuer *i = ctx;
    struct secret key = {NULL, 0}, session = {NULL, 0};

    i->asked++;
    derive(&key, i, &scheme->ac_key, &scheme->ac_aes_key);
    ck_ok(emv_session_key_ac(&session, i->cvn, secret_span(&key), transaction_get(tx, TAG_ATC).p));
    check_arqc(i, tx, secret_span(&session));
    out->reached = true;
    memcpy(out->arc, i->mood == SAYS_NO ? "05" : "00", 2);
    if (i->mood != SAYS_NO)
        memcpy(out->approval, "A00042", 7);
    if (i->mood != SAYS_YES_BARELY)
        put_arpc(i, tx, secret_span(&session), out);
    if (i->template != 0)
        put_script(i, tx, out);
    secret_free(&key);
    secret_free(&session);
    return TP_OK;
}

struct bench {
    struct card *card;
    struct inproc_card inproc;
    struct reader *reader;
    struct paper_terminal t;
};

static enum tp_err give_pin(void *ctx, unsigned tries_left, bool wrong_before, struct secret *pin)
{
    struct paper_terminal *t = ctx;

    (void)tries_left;
    (void)wrong_before;
    ck_assert_uint_lt(t->asked, t->pins_n);
    return secret_copy(pin, span_str(t->pins[t->asked++]));
}

/* The Common Core has no EXTERNAL AUTHENTICATE: Book 3, 6.5.4 of the CCD. */
static bool common_core(int cvn)
{
    return cvn == EMV_CCD_3DES || cvn == EMV_CCD_AES;
}

static void bench_open(struct bench *b, const struct issuer *i, enum perso_issuer how,
                       const char *cvm)
{
    struct perso_params p;
    struct card_profile *profile;
    struct tp_error e;

    memset(b, 0, sizeof(*b));
    perso_defaults(&p);
    p.pan = PAN;
    p.psn = 1;
    p.pin = span_str("1234");
    p.expiry = 20301231;
    p.effective = 20200101;
    p.bits = 1024;
    p.method = PERSO_CDA;
    p.cvm = cvm;
    p.cvn = i->cvn;
    p.issuer = common_core(i->cvn) ? PERSO_ISSUER_CDOL2 : how;
    ck_assert_msg(perso_make(&profile, scheme, &p, &e) == TP_OK, "%s", e.text);
    ck_ok(card_new(&b->card, &profile));
    b->inproc = card_inproc(b->card);
    ck_ok(inproc_open(&b->reader, &b->inproc));
}

static void bench_close(struct bench *b)
{
    reader_close(&b->reader);
    card_close(&b->card);
}

static struct transaction *pay(struct bench *b, struct issuer *i, const char *words)
{
    const struct kernel_person person = {.ctx = &b->t, .pin = give_pin};
    const struct kernel_online online = {i, authorise};
    struct paper_keys keys = {.store = store};
    struct transaction *tx;
    struct tp_error e;

    paper_terminal(&b->t, &keys);
    b->t.request.date = DATE;
    paper_terminal_words(&b->t, words);
    i->asked = 0;
    ck_ok(reader_connect(b->reader, &e));
    ck_assert_msg(kernel_run(&tx, b->reader, &b->t.config, &b->t.request, &person, &online, &e) ==
                      TP_OK,
                  "%s", e.text);
    reader_disconnect(b->reader);
    return tx;
}

static void check(const struct transaction *tx, const char *what, uint32_t tag, const char *want)
{
    char text[64];

    hex_encode(text, transaction_get(tx, tag));
    ck_assert_msg(strcmp(text, want) == 0, "%s: %X is %s, should be %s (%s)", what, (unsigned)tag,
                  text, want, transaction_reason(tx));
}

START_TEST(test_authentication)
    {
        static const struct {
            enum mood mood;
            enum kernel_outcome outcome;
            bool reversal;
            const char *tvr[2], *tsi[2]; /* with EXTERNAL AUTHENTICATE, by CDOL2 */
        } all[] = {
            {SAYS_YES, KERNEL_APPROVED, false, {"0000008000", "0000008000"}, {"F800", "E800"}},
            {SAYS_NO, KERNEL_DECLINED, false, {"0000008000", "0000008000"}, {"F800", "E800"}},
            {SAYS_YES_WRONGLY,
             KERNEL_DECLINED,
             true,
             {"0000008040", "0000008000"},
             {"F800", "E800"}},
            {SAYS_YES_BARELY,
             KERNEL_APPROVED,
             false,
             {"0000008000", "0000008000"},
             {"E800", "E800"}},
        };

        for (size_t k = 0; k < sizeof(all) / sizeof(all[0]); k++)
            for (unsigned way = common_core(_i) ? 1 : 0; way < 2; way++) {
                struct issuer i = {.cvn = (enum emv_cvn)_i,
                                   .method = _i == EMV_CVN_10 ? 1 : 2,
                                   .mood = all[k].mood};
                struct bench b;
                struct transaction *tx;
                char what[64];

                snprintf(what, sizeof(what), "%s, mood %zu, way %u", emv_cvn_name(i.cvn), k, way);
                bench_open(&b, &i, way == 0 ? PERSO_ISSUER_EXTERNAL : PERSO_ISSUER_CDOL2, "none");
                tx = pay(&b, &i, "floor=1000");
                ck_assert_uint_eq(i.asked, 1);
                ck_assert_msg(transaction_outcome(tx) == all[k].outcome, "%s: %s", what,
                              transaction_reason(tx));
                check(tx, what, TAG_TVR, all[k].tvr[way]);
                check(tx, what, TAG_TSI, all[k].tsi[way]);
                ck_assert_msg(transaction_reversal_needed(tx) == all[k].reversal, "%s", what);
                transaction_free(&tx);
                bench_close(&b);
            }
    }
END_TEST

/* A PIN blocked by three wrong tries, unblocked by a script, right again. */
START_TEST(test_pin_unblocked)
    {
        struct issuer i = {.cvn = (enum emv_cvn)_i,
                           .method = _i == EMV_CVN_10 ? 1 : 2,
                           .template = TAG_SCRIPT_72,
                           .commands = {{{0x80, INS_PIN_CHANGE_UNBLOCK, 0x00, 0x00}, "", false}},
                           .commands_n = 1,
                           .mood = SAYS_NO};
        struct bench b;
        struct transaction *tx;

        bench_open(&b, &i, PERSO_ISSUER_EXTERNAL, "pin");
        tx = pay(&b, &i, "pins=9999,9998,9997");
        ck_assert_int_eq(transaction_outcome(tx), KERNEL_DECLINED);
        check(tx, "blocked and unblocked", TAG_TVR, "0000A00000");
        check(tx, "blocked and unblocked", TAG_SCRIPT_RESULTS, "200000002A");
        check(tx, "blocked and unblocked", TAG_TSI, common_core(_i) ? "EC00" : "FC00");
        transaction_free(&tx);

        i.template = 0;
        i.mood = SAYS_YES;
        tx = pay(&b, &i, "pins=1234 floor=1000");
        ck_assert_msg(transaction_outcome(tx) == KERNEL_APPROVED, "%s", transaction_reason(tx));
        check(tx, "PIN right again", TAG_CVM_RESULTS, "010302");
        check(tx, "PIN right again", TAG_AUTHORISATION_CODE, "413030303432");
        transaction_free(&tx);
        bench_close(&b);
    }
END_TEST

/* A MAC that is not the issuer's: the card refuses, the script ends at that command, the payment
 * goes on. */
START_TEST(test_wrong_mac)
    {
        struct issuer i = {.cvn = (enum emv_cvn)_i,
                           .method = _i == EMV_CVN_10 ? 1 : 2,
                           .commands = {{{0x80, INS_APPLICATION_BLOCK, 0x00, 0x00}, "", false},
                                        {{0x80, INS_APPLICATION_UNBLOCK, 0x00, 0x00}, "", false}},
                           .commands_n = 2,
                           .wrong_mac = true};

        for (unsigned k = 0; k < 2; k++) {
            struct bench b;
            struct transaction *tx;

            i.template = k == 0 ? TAG_SCRIPT_71 : TAG_SCRIPT_72;
            bench_open(&b, &i, PERSO_ISSUER_EXTERNAL, "none");
            tx = pay(&b, &i, "floor=1000");
            ck_assert_int_eq(transaction_outcome(tx), KERNEL_APPROVED);
            check(tx, "wrong MAC", TAG_TVR, k == 0 ? "0000008020" : "0000008010");
            check(tx, "wrong MAC", TAG_SCRIPT_RESULTS, "110000002A");
            transaction_free(&tx);
            bench_close(&b);
        }
    }
END_TEST

/* APPLICATION BLOCK before the second GENERATE AC: the issuer's yes comes to nothing, and at the
 * next payment the terminal does not see the application. */
START_TEST(test_application_blocked)
    {
        struct issuer i = {.cvn = (enum emv_cvn)_i,
                           .method = _i == EMV_CVN_10 ? 1 : 2,
                           .template = TAG_SCRIPT_71,
                           .commands = {{{0x80, INS_APPLICATION_BLOCK, 0x00, 0x00}, "", false}},
                           .commands_n = 1};
        struct bench b;
        struct transaction *tx;

        bench_open(&b, &i, PERSO_ISSUER_EXTERNAL, "none");
        tx = pay(&b, &i, "floor=1000");
        ck_assert_int_eq(transaction_outcome(tx),
                         KERNEL_DECLINED); /* Book 3, 6.5.1: every further AC of it is an AAC */
        ck_assert(transaction_reversal_needed(tx));
        check(tx, "application blocked", TAG_SCRIPT_RESULTS, "200000002A");
        transaction_free(&tx);
        tx = pay(&b, &i, "floor=1000");
        ck_assert_int_eq(transaction_outcome(tx), KERNEL_NOT_ACCEPTED);
        ck_assert_uint_eq(i.asked, 0);
        transaction_free(&tx);
        bench_close(&b);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("issuer");
    TCase *c = tcase_create("kernel, card and issuer");

    tcase_add_unchecked_fixture(c, make_scheme, free_scheme);
    tcase_set_timeout(c, 120);
    tcase_add_loop_test(c, test_authentication, 0, EMV_CVN_COUNT);
    tcase_add_loop_test(c, test_pin_unblocked, 0, EMV_CVN_COUNT);
    tcase_add_loop_test(c, test_wrong_mac, 0, EMV_CVN_COUNT);
    tcase_add_loop_test(c, test_application_blocked, 0, EMV_CVN_COUNT);
    suite_add_tcase(s, c);
    return s;
}

UNIT_MAIN(suite)
