/* The online way of the acquirer: terminals over TLS on one side, an issuer that
 * behaves as told (tests/tools/teller.c) on the other. After each test the issuer's reservations
 * and the acquirer's books must tell the same, and the audit must find nothing. */
#include "unit.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "acquirer/state.h"
#include "apdu/emvtags.h"
#include "apdu/tlv.h"
#include "teller.h"
#include "base/date.h"
#include "base/file.h"
#include "store/db.h"

#define PATIENCE_MS 15000

static struct office office;
static struct teller teller;
static struct link_client *client;
static struct signed_card card;
static struct made made;
static struct terms usual;
static uint16_t atc;
static uint32_t stan;

static void wait_open(void)
{
    const char *name = NULL;
    const int64_t until = time_monotonic_ms() + PATIENCE_MS;

    while (gateway_find(committer_gateway(acquirer_server_committer(office.server)), card.pan,
                        &name) != ROUTE_OPEN) {
        ck_assert_int_lt(time_monotonic_ms(), until);
        usleep(5000);
    }
    ck_assert_str_eq(name, "teller");
}

static void setup(void)
{
    char path[128];

    atc = 0;
    stan = 0;
    office_make(&office, NULL, 1);
    snprintf(path, sizeof(path), "%s/acquirer.conf", office.dir);
    MUST(file_replace(path, span_str("[issuers]\ntimeout = 1\n"), 0600, &office_error));
    MUST(signer_card(&card, &office.signer, 1));
    teller_make(&teller, &office);
    teller_open(&teller);
    office_start(&office, 2);
    wait_open();
    client = office_connect(&office, OFFICE_CONTRACT, OFFICE_TERMINAL);
}

static int64_t in_books(void)
{
    struct office_books b;

    office_books(&office, &b);
    return b.totals.debit_amount;
}

/* Every reservation is a payment that stands: at once or when the reversals have gone. Payments
 * that no issuer was asked for count apart. */
static void ck_settled(int64_t offline)
{
    const int64_t until = time_monotonic_ms() + PATIENCE_MS;

    while (teller_reserved(&teller) != in_books() - offline) {
        ck_assert_msg(time_monotonic_ms() < until, "reserved %ld, in the books %ld",
                      (long)teller_reserved(&teller), (long)(in_books() - offline));
        usleep(10000);
    }
}

static void teardown(void)
{
    link_close(&client);
    office_stop(&office);
    office_audit(&office);
    teller_shut(&teller);
    teller_clear(&teller);
    office_remove(&office);
}

static void make(void)
{
    const struct place where = {OFFICE_CONTRACT, OFFICE_TERMINAL, ++stan, OFFICE_MCC};

    ck_ok(made_payment(&made, &office.signer, &card, &usual, &usual, &where));
}

/* The card asks for its issuer. */
static void fresh(void)
{
    terms_usual(&usual, &card, ++atc);
    usual.cid = 0x80;
    make();
}

struct reply {
    struct office_answer a;
    struct iso8583 m; /* borrows from a */
};

static struct reply *ask_on(struct link_client *c, unsigned mti)
{
    static struct reply r;
    struct tp_error e = {TP_OK, ""};

    ck_assert_msg(office_exchange(&r.a, c, &made, mti, &e) == TP_OK, "%s", e.text);
    ck_ok(iso8583_unpack(&r.m, span_of(r.a.raw, r.a.n), &e));
    return &r;
}

static struct reply *ask_as(unsigned mti)
{
    return ask_on(client, mti);
}

static void ck_reply(const struct reply *r, const char *code, const char *reason)
{
    ck_assert_msg(strcmp(r->a.code, code) == 0 && strcmp(r->a.reason, reason) == 0,
                  "%s %s, not %s %s", r->a.code, r->a.reason, code, reason);
}

static void ck_data(const struct reply *r, const char *code)
{
    struct tlv t;

    ck_ok(tlv_find(r->m.field[55], TAG_ARC, &t));
    ck_assert(span_eq(t.value, span_str(code)));
    ck_ok(tlv_find(r->m.field[55], TAG_ISSUER_AUTH_DATA, &t));
    ck_assert(span_eq(t.value, SPAN_OF(teller_arpc)));
}

/* What the books say of the question about the payment that was made last. */
struct found {
    struct authorisation a;
    unsigned n;
};

static enum tp_err take_last(void *ctx, const struct authorisation *a, struct tp_error *e)
{
    struct found *f = ctx;

    (void)e;
    f->a = *a;
    f->n++;
    return TP_OK;
}

static struct found last_question(void)
{
    struct found f = {.n = 0};
    struct ledger *l = NULL;

    MUST(acquirer_open_ledger(&l, office.dir, &office_error));
    MUST(ledger_authorisation_each(l, NULL, -1, 0, take_last, &f, &office_error));
    ledger_close(&l);
    return f;
}

/* Reversed, or approved and kept when its issuer was faster than the end: ck_settled says whether
 * the books agree. */
static void ck_decided(void)
{
    const int64_t until = time_monotonic_ms() + PATIENCE_MS;
    struct found f = last_question();

    while (f.a.state != AUTHORISATION_REVERSED && f.a.state != AUTHORISATION_APPROVED) {
        ck_assert_msg(time_monotonic_ms() < until, "still %s", authorisation_state_name(f.a.state));
        usleep(10000);
        f = last_question();
    }
}

static void ck_state(enum authorisation_state wanted)
{
    const int64_t until = time_monotonic_ms() + PATIENCE_MS;
    struct found f = last_question();

    while (f.a.state != wanted) {
        ck_assert_msg(time_monotonic_ms() < until, "%s, not %s",
                      authorisation_state_name(f.a.state), authorisation_state_name(wanted));
        usleep(10000);
        f = last_question();
    }
}

START_TEST(approved_kept_and_answered_alike)
    {
        struct reply first;
        struct teller_record b;
        struct ledger *l = NULL;
        struct tx_record tx;

        fresh();
        first = *ask_as(MTI_FINANCIAL);
        ck_reply(&first, "00", "");
        ck_data(ask_as(MTI_FINANCIAL_REPEAT), "00");
        ck_assert_uint_eq(ask_as(MTI_FINANCIAL_REPEAT)->a.n, first.a.n);
        ck_assert_mem_eq(ask_as(MTI_FINANCIAL)->a.raw, first.a.raw,
                         first.a.n); /* with the same ARPC */
        ck_assert(
            teller_find(&teller, first.a.rrn, &b)); /* DE 37 is one and the same on both legs */
        ck_assert_uint_eq(b.asked, 1);
        ck_assert(span_eq(ask_as(MTI_FINANCIAL)->m.field[38], span_str(b.approval)));
        ck_state(AUTHORISATION_APPROVED);
        MUST(acquirer_open_ledger(&l, office.dir, &office_error));
        MUST(ledger_tx_get(l, first.a.rrn, &tx, &office_error));
        ck_assert(tx.emv.online);
        ck_assert_str_eq(tx.approval, b.approval);
        ledger_close(&l);
        ck_settled(0);
        ck_assert_int_eq(teller_reserved(&teller), 1250);
    }
END_TEST

START_TEST(refused_with_the_issuers_words)
    {
        fresh();
        teller_set(&teller, TELLER_REFUSES);
        ck_reply(ask_as(MTI_FINANCIAL), "51", "ISSUER");
        ck_data(ask_as(MTI_FINANCIAL_REPEAT), "51");
        ck_assert_uint_eq(teller_count(&teller), 1);
        ck_state(AUTHORISATION_REFUSED);
        usual.cid = 0x40; /* a TC of that counter is not to get round the refusal */
        usual.second = true;
        make();
        ck_reply(ask_as(MTI_FINANCIAL), "05", "ISSUER_REFUSED");
        teller_set(&teller, TELLER_APPROVES);
        fresh(); /* the next one goes on */
        ck_reply(ask_as(MTI_FINANCIAL), "00", "");
        ck_settled(0);
    }
END_TEST

START_TEST(a_tc_over_the_floor_is_asked_about)
    {
        terms_usual(&usual, &card, ++atc);
        usual.amount = OFFICE_FLOOR + 1;
        make();
        ck_reply(ask_as(MTI_FINANCIAL), "00", "");
        ck_assert_uint_eq(teller_count(&teller), 1);
        ck_reply(ask_as(MTI_FINANCIAL_REPEAT), "00", "");
        terms_usual(&usual, &card, ++atc);
        usual.amount = OFFICE_FLOOR;
        make();
        ck_reply(ask_as(MTI_FINANCIAL), "00", "");
        ck_assert_uint_eq(teller_count(&teller), 1);
        ck_settled(OFFICE_FLOOR);
    }
END_TEST

static void put(struct link_client *c, unsigned mti)
{
    uint8_t room[8192];
    struct buf raw = BUF_OF(room);
    struct tp_error e;

    made.message.mti = mti;
    ck_ok(iso8583_pack(&raw, &made.message, &e));
    ck_ok(link_put(c, buf_span(&raw), &e));
}

static void wait_asked(size_t n)
{
    while (teller_count(&teller) < n)
        usleep(2000);
}

/* EMV 4.4 Book 3, 10.9: unable to go online, the card may still make a TC, with the counter of its
 * ARQC. It pays once. */
static void ck_tc_pays_once(void)
{
    usual.cid = 0x40;
    usual.second = true;
    make();
    ck_reply(ask_as(MTI_FINANCIAL), "00", "");
    ck_reply(ask_as(MTI_FINANCIAL_REPEAT), "00", "");
    make();
    ck_reply(ask_as(MTI_FINANCIAL), "63", "ATC_REPLAYED");
    usual.cid = 0x80;
    make();
    ck_reply(ask_as(MTI_FINANCIAL), "63", "ATC_REPLAYED");
}

START_TEST(silence_is_taken_back)
    {
        struct found f;
        struct teller_record b;

        fresh();
        teller_set(&teller, TELLER_MUTE);
        ck_reply(ask_as(MTI_FINANCIAL), "91", "ISSUER_TIMEOUT");
        ck_reply(ask_as(MTI_FINANCIAL_REPEAT), "91", "ISSUER_TIMEOUT"); /* not asked again */
        teller_set(&teller, TELLER_APPROVES);
        ck_state(AUTHORISATION_REVERSED);
        f = last_question();
        ck_assert(teller_find(&teller, f.a.tx.rrn, &b));
        ck_assert(b.reserved && b.released && b.releases == 1);
        ck_tc_pays_once();
        ck_settled(1250);
    }
END_TEST

/* The answer comes after its time, on a line that lives: others are answered meanwhile. */
START_TEST(a_late_answer_is_not_used)
    {
        struct link_client *other = office_connect(&office, OFFICE_CONTRACT, OFFICE_TERMINAL);
        struct signed_card one = card;
        uint8_t room[ECHO_ANSWER_MAX];
        struct buf raw = BUF_OF(room);
        struct iso8583 m;
        struct tp_error e;
        struct teller_record b;
        char rrn[13];

        fresh();
        teller.slow_ms = 1400;
        teller.deaf = 2; /* and the reversal has to be said three times */
        teller_set(&teller, TELLER_SLOW);
        put(client, MTI_FINANCIAL);
        wait_asked(1);
        snprintf(rrn, sizeof(rrn), "%s", last_question().a.tx.rrn);
        usleep(700000);
        teller_set(&teller, TELLER_APPROVES);
        MUST(signer_card(&card, &office.signer, 2));
        fresh();
        ck_reply(ask_on(other, MTI_FINANCIAL), "00", "");
        ck_ok(link_receive(client, &raw, 5000, &e));
        ck_ok(iso8583_unpack(&m, buf_span(&raw), &e));
        ck_assert(span_eq(m.field[39], span_str("91")) &&
                  span_eq(m.field[44], span_str("ISSUER_TIMEOUT")));
        ck_settled(0);
        ck_assert(teller_find(&teller, rrn, &b));
        ck_assert_uint_eq(b.asked, 1);
        ck_assert_uint_ge(b.told_back, 1);
        ck_assert_uint_eq(b.releases, 1);
        usleep(1000000); /* the late answer has come */
        ck_assert_int_eq(in_books(), 1250);
        ck_assert_int_eq(teller_reserved(&teller), 1250);
        card = one;
        link_close(&other);
    }
END_TEST

static struct reply *until_answered(const char *code)
{
    const int64_t until = time_monotonic_ms() + PATIENCE_MS;
    struct reply *r = ask_as(MTI_FINANCIAL_REPEAT);

    while (strcmp(r->a.code, code) != 0) {
        ck_assert_msg(time_monotonic_ms() < until, "%s %s, not %s", r->a.code, r->a.reason, code);
        usleep(20000);
        r = ask_as(MTI_FINANCIAL_REPEAT);
    }
    return r;
}

/* A TC that no signature covers waits for its issuer's word, and is not lost for one that was not
 * heard: the same 0200 is asked about again once the first question is reversed. */
START_TEST(a_signed_payment_is_asked_about_again)
    {
        char rrn[RRN_MAX];
        struct teller_record b;

        terms_usual(&usual, &card, ++atc);
        usual.no_cda = true;
        make();
        teller_set(&teller, TELLER_MUTE);
        ck_reply(ask_as(MTI_FINANCIAL), "91", "ISSUER_TIMEOUT");
        snprintf(rrn, sizeof(rrn), "%s", last_question().a.tx.rrn);
        teller_set(&teller, TELLER_APPROVES);
        const struct reply *r = until_answered("00");

        ck_assert(teller_find(&teller, rrn, &b));
        ck_assert(b.reserved && b.released);
        ck_assert_str_ne(r->a.rrn, rrn);
        snprintf(rrn, sizeof(rrn), "%s", r->a.rrn);
        ck_assert_str_eq(ask_as(MTI_FINANCIAL)->a.rrn, rrn); /* kept once */
        ck_assert_int_eq(in_books(), 1250);
        ck_settled(0);
    }
END_TEST

/* DE 55 of a 0100 holds what an issuer needs, in the 255 bytes that networks carry, whatever the
 * 0200 held. */
START_TEST(what_an_issuer_is_asked_with)
    {
        static struct iso8583 m;
        uint8_t room[2048], large[999];
        struct buf question = BUF_OF(room), de55 = BUF_OF(large);
        struct tp_error e = {TP_OK, ""};
        struct tlv t;

        fresh();
        ck_ok(buf_put(&de55, made.message.field[55]));
        ck_ok(tlv_put(&de55, TAG_SDAD, span_of(room, 144)));
        ck_ok(tlv_put(&de55, TAG_MERCHANT_CUSTOM, span_of(room, 32)));
        ck_ok(tlv_put(&de55, 0xDF7F, span_of(room, 100)));
        made.message.field[55] = buf_span(&de55);
        ck_ok(gateway_question(&question, &made.message, OFFICE_MCC, &e));
        ck_ok(iso8583_unpack(&m, buf_span(&question), &e));
        ck_assert_uint_le(m.field[55].n, 255);
        ck_ok(tlv_find(m.field[55], TAG_AC, &t));
        ck_ok(tlv_find(m.field[55], TAG_CVM_RESULTS, &t));
        ck_assert_int_eq(tlv_find(m.field[55], TAG_SDAD, &t), TP_ERR_NOT_FOUND);
        ck_assert_int_eq(tlv_find(m.field[55], 0xDF7F, &t), TP_ERR_NOT_FOUND);
    }
END_TEST

START_TEST(answers_of_no_use)
    {
        static const struct {
            enum teller_mood mood;
            const char *code, *reason;
        } rows[] = {
            {TELLER_GARBAGE, "91", "ISSUER_TIMEOUT"},  {TELLER_OTHER, "91", "ISSUER_TIMEOUT"},
            {TELLER_NO_CODE, "91", "ISSUER_NONSENSE"}, {TELLER_OWN_CODES, "91", "ISSUER_NONSENSE"},
            {TELLER_SICK, "91", "ISSUER_96"},          {TELLER_PARTLY, "05", "ISSUER_10"}};

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            wait_open();
            fresh();
            teller_set(&teller, rows[i].mood);
            ck_reply(ask_as(MTI_FINANCIAL), rows[i].code, rows[i].reason);
            ck_assert(!iso8583_has(&ask_as(MTI_FINANCIAL_REPEAT)->m, 37));
            teller_set(&teller, TELLER_APPROVES);
            ck_state(AUTHORISATION_REVERSED);
        }
        ck_assert_int_eq(in_books(), 0);
        ck_settled(0);
    }
END_TEST

/* The issuer has reserved, and the connection breaks before its answer: the same question on the
 * next one gets it. */
START_TEST(cut_after_the_reservation)
    {
        struct teller_record b;

        fresh();
        teller_set(&teller, TELLER_CUT);
        const struct reply r = *ask_as(MTI_FINANCIAL);

        ck_reply(&r, "00", "");
        ck_assert(teller_find(&teller, r.a.rrn, &b));
        ck_assert_uint_eq(b.asked, 2);
        ck_settled(0);
        ck_assert_int_eq(teller_reserved(&teller), 1250);
    }
END_TEST

/* ---- reversal ---- */

static struct office_answer reverse_for(uint32_t original_stan, int64_t amount)
{
    struct iso8583 m;
    struct office_answer a;
    struct tp_error e = {TP_OK, ""};
    static const unsigned same[] = {2, 3, 7, 12, 13, 41, 42, 49};
    char original[43];
    struct link_client *c = office_connect(&office, OFFICE_CONTRACT, OFFICE_TERMINAL);

    iso8583_start(&m, MTI_REVERSAL);
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
        m.field[same[i]] = made.message.field[same[i]];
    iso8583_set_number(&m, 4, (uint64_t)amount);
    iso8583_set_number(&m, 11, 900000 + ++stan);
    snprintf(original, sizeof(original), "0200%06u%.10s%022u", original_stan,
             (const char *)made.message.field[7].p, 0U);
    iso8583_set_text(&m, 90, original);
    ck_assert_msg(office_send(&a, c, &m, &e) == TP_OK, "%s", e.text);
    link_close(&c);
    return a;
}

START_TEST(a_terminals_reversal_reaches_the_issuer)
    {
        struct office_answer a;
        struct teller_record b;

        fresh();
        const uint32_t original = stan;
        const struct reply r = *ask_as(MTI_FINANCIAL);

        ck_reply(&r, "00", "");
        a = reverse_for(original, 1251); /* a reversal is of the whole amount */
        ck_assert_str_eq(a.code, "13");
        ck_assert_str_eq(a.reason, "AMOUNT");
        ck_assert_int_eq(teller_reserved(&teller), 1250);
        a = reverse_for(original, 1250);
        ck_assert_str_eq(a.code, "00");
        ck_assert_str_eq(a.rrn, r.a.rrn);
        a = reverse_for(original, 1250);
        ck_assert_str_eq(a.code, "00");
        ck_state(AUTHORISATION_REVERSED);
        ck_assert(teller_find(&teller, r.a.rrn, &b));
        ck_assert_uint_eq(b.releases, 1);
        ck_reply(ask_as(MTI_FINANCIAL_REPEAT), "12", "REVERSED");
        ck_tc_pays_once();
        ck_settled(1250);
    }
END_TEST

START_TEST(the_operators_reversal_reaches_the_issuer)
    {
        struct ledger *l = NULL;

        fresh();
        const struct reply r = *ask_as(MTI_FINANCIAL);

        ck_reply(&r, "00", "");
        MUST(acquirer_open_ledger(&l, office.dir, &office_error));
        MUST(ledger_reverse(l, r.a.rrn, &office_error));
        ledger_close(&l);
        ck_state(AUTHORISATION_REVERSED);
        ck_assert_int_eq(teller_reserved(&teller), 0);
        ck_settled(0);
    }
END_TEST

/* An offline payment that is reversed leaves no issuer to be told, and its counter stays used. */
START_TEST(an_offline_payment_frees_no_counter)
    {
        terms_usual(&usual, &card, ++atc);
        make();
        ck_reply(ask_as(MTI_FINANCIAL), "00", "");
        ck_assert_str_eq(reverse_for(stan, 1250).code, "00");
        make();
        ck_reply(ask_as(MTI_FINANCIAL), "63", "ATC_REPLAYED");
        ck_assert_uint_eq(teller_count(&teller), 0);
    }
END_TEST

START_TEST(a_repeat_waits_with_its_first)
    {
        struct link_client *other = office_connect(&office, OFFICE_CONTRACT, OFFICE_TERMINAL);
        uint8_t room[ECHO_ANSWER_MAX];
        struct buf first = BUF_OF(room);
        struct tp_error e;
        struct teller_record b;

        fresh();
        teller.slow_ms = 400;
        teller_set(&teller, TELLER_SLOW);
        put(client, MTI_FINANCIAL);
        wait_asked(1);
        const struct reply r = *ask_on(other, MTI_FINANCIAL_REPEAT);

        ck_reply(&r, "00", "");
        ck_ok(link_receive(client, &first, 5000, &e));
        ck_assert_uint_eq(first.n, r.a.n);
        ck_assert_mem_eq(first.p, r.a.raw, first.n);
        ck_assert(teller_find(&teller, r.a.rrn, &b));
        ck_assert_uint_eq(b.asked, 1);
        ck_settled(0);
        link_close(&other);
    }
END_TEST

START_TEST(reversed_while_it_is_asked)
    {
        uint8_t room[ECHO_ANSWER_MAX];
        struct buf raw = BUF_OF(room);
        struct iso8583 m;
        struct tp_error e;
        struct teller_record b;

        fresh();
        teller.slow_ms = 600;
        teller_set(&teller, TELLER_SLOW);
        put(client, MTI_FINANCIAL);
        wait_asked(1);
        ck_assert_str_eq(reverse_for(stan, 1250).code, "00");
        ck_ok(link_receive(client, &raw, 5000, &e));
        ck_ok(iso8583_unpack(&m, buf_span(&raw), &e));
        ck_assert(span_eq(m.field[39], span_str("12")) &&
                  span_eq(m.field[44], span_str("REVERSED")));
        ck_state(AUTHORISATION_REVERSED);
        ck_assert(teller_find(&teller, last_question().a.tx.rrn, &b));
        ck_assert_uint_eq(b.releases, 1);
        ck_settled(0);
        ck_assert_int_eq(in_books(), 0);
    }
END_TEST

/* ---- the line ---- */

START_TEST(no_issuer_within_reach)
    {
        const char *name;

        teller_shut(&teller);
        while (gateway_find(committer_gateway(acquirer_server_committer(office.server)), card.pan,
                            &name) == ROUTE_OPEN)
            usleep(2000);
        fresh();
        ck_reply(ask_as(MTI_FINANCIAL), "91", "ISSUER_DOWN");
        ck_assert_uint_eq(
            last_question().n,
            0); /* nothing was asked: nothing is to be reversed, and it may be asked again */
        ck_assert_int_eq(gateway_find(committer_gateway(acquirer_server_committer(office.server)),
                                      "5555550000000000", &name),
                         ROUTE_NONE);
        teller_open(&teller);
        wait_open();
        ck_reply(ask_as(MTI_FINANCIAL_REPEAT), "00", "");
        ck_settled(0);
    }
END_TEST

static void ck_refused_next(void)
{
    uint8_t room[ECHO_ANSWER_MAX];
    struct buf raw = BUF_OF(room);
    struct iso8583 m;
    struct tp_error e;

    ck_ok(link_receive(client, &raw, PATIENCE_MS, &e));
    ck_ok(iso8583_unpack(&m, buf_span(&raw), &e));
    ck_assert_msg(span_eq(m.field[39], span_str("51")), "%.2s, not 51",
                  (const char *)m.field[39].p);
}

/* The first waits for the books, which another program holds, as the issuer leaves and its repeat
 * comes: the repeat must not be told 91, on which a terminal may have its card pay offline, when
 * the first is still asked and refused. */
START_TEST(a_repeat_finds_no_issuer_but_its_first_did)
    {
        struct ledger *other = NULL;
        const char *name;

        fresh();
        MUST(acquirer_open_ledger(&other, office.dir, &office_error));
        MUST(ledger_group_begin(other, &office_error));
        put(client, MTI_FINANCIAL);
        usleep(200000);
        teller_shut(&teller);
        while (gateway_find(committer_gateway(acquirer_server_committer(office.server)), card.pan,
                            &name) == ROUTE_OPEN)
            usleep(2000);
        put(client, MTI_FINANCIAL_REPEAT);
        usleep(200000);
        teller_set(&teller, TELLER_REFUSES);
        teller_open(&teller);
        wait_open();
        ledger_group_rollback(other);
        ledger_close(&other);
        ck_refused_next();
        ck_refused_next();
        ck_settled(0);
    }
END_TEST

/* What is to be reversed outlives the issuer's absence and our own restart. */
START_TEST(reversals_are_kept_across_restarts)
    {
        struct teller_record b;

        fresh();
        teller.deaf = 1000;
        teller_set(&teller, TELLER_MUTE);
        ck_reply(ask_as(MTI_FINANCIAL), "91", "ISSUER_TIMEOUT");
        wait_open();
        fresh();
        put(client, MTI_FINANCIAL); /* still under way when the acquirer ends */
        wait_asked(2);
        link_close(&client);
        office_stop(&office);
        teller_shut(&teller);
        office_start(&office, 1);
        teller.deaf = 0;
        teller_set(&teller, TELLER_APPROVES);
        teller_open(&teller);
        wait_open();
        ck_state(AUTHORISATION_REVERSED);
        ck_settled(0);
        ck_assert(teller_find(&teller, last_question().a.tx.rrn, &b));
        ck_assert(b.reserved && b.releases == 1);
        client = office_connect(&office, OFFICE_CONTRACT, OFFICE_TERMINAL);
        ck_reply(ask_as(MTI_FINANCIAL_REPEAT), "91", "ISSUER_LOST");
    }
END_TEST

static void *let_go_of(void *books)
{
    usleep(300000);
    ledger_group_rollback(books);
    return NULL;
}

/* The end comes while the books are held by another program: the question in the queue is still
 * booked and asked, or found at the next start. */
START_TEST(ended_with_a_question_in_the_queue)
    {
        struct ledger *other = NULL;
        pthread_t holder;

        fresh();
        MUST(acquirer_open_ledger(&other, office.dir, &office_error));
        MUST(ledger_group_begin(other, &office_error));
        put(client, MTI_FINANCIAL);
        usleep(200000);
        ck_assert_int_eq(pthread_create(&holder, NULL, let_go_of, other), 0);
        link_close(&client);
        office_stop(&office);
        pthread_join(holder, NULL);
        ledger_close(&other);
        office_start(&office, 1);
        wait_open();
        ck_decided();
        ck_settled(0);
        client = office_connect(&office, OFFICE_CONTRACT, OFFICE_TERMINAL);
    }
END_TEST

/* One acquirer a folder: a second would take the first one's questions for unanswered. */
START_TEST(only_one_serves_a_folder)
    {
        struct acquirer_server *second = NULL;
        struct tp_error e;

        ck_assert_int_eq(acquirer_server_new(&second, office.dir, "127.0.0.1", "0", 1, &e),
                         TP_ERR_STATE);
        ck_assert_ptr_nonnull(strstr(e.text, "serves"));
    }
END_TEST

/* The books cannot be written as the approval comes: it is not used, and reversed when they can.
 */
START_TEST(approved_and_not_bookable)
    {
        struct ledger *l = committer_books(acquirer_server_committer(office.server));
        uint8_t room[ECHO_ANSWER_MAX];
        struct buf raw = BUF_OF(room);
        struct iso8583 m;
        struct tp_error e;

        fresh();
        teller.slow_ms = 300;
        teller_set(&teller, TELLER_SLOW);
        put(client, MTI_FINANCIAL);
        wait_asked(1);
        usleep(50000);
        ck_ok(db_exec(ledger_db(l), "PRAGMA query_only = 1", DB_NONE, NULL, &e));
        ck_ok(link_receive(client, &raw, 5000, &e));
        ck_ok(iso8583_unpack(&m, buf_span(&raw), &e));
        ck_assert(span_eq(m.field[39], span_str("96")));
        ck_assert_int_eq(teller_reserved(&teller), 1250);
        ck_ok(db_exec(ledger_db(l), "PRAGMA query_only = 0", DB_NONE, NULL, &e));
        ck_state(AUTHORISATION_REVERSED);
        ck_settled(0);
        ck_reply(ask_as(MTI_FINANCIAL_REPEAT), "91", "ISSUER_LOST");
    }
END_TEST

/* Many at once over one line, each with its own answer. */
START_TEST(many_under_way)
    {
        enum { MANY = 60 };
        static struct made all[MANY];
        struct signed_card cards[MANY];
        struct tp_error e;
        unsigned yes = 0;

        teller.slow_ms = 300;
        teller_set(&teller, TELLER_SLOW);
        for (unsigned i = 0; i < MANY; i++) {
            const struct place where = {OFFICE_CONTRACT, OFFICE_TERMINAL, ++stan, OFFICE_MCC};
            uint8_t room[8192];
            struct buf raw = BUF_OF(room);

            MUST(signer_card(&cards[i], &office.signer, 100 + i));
            terms_usual(&usual, &cards[i], 1);
            usual.cid = 0x80;
            usual.amount = 100 + i;
            ck_ok(made_payment(&all[i], &office.signer, &cards[i], &usual, &usual, &where));
            ck_ok(iso8583_pack(&raw, &all[i].message, &e));
            ck_ok(link_put(client, buf_span(&raw), &e));
        }
        for (unsigned i = 0; i < MANY; i++) {
            uint8_t room[ECHO_ANSWER_MAX];
            struct buf raw = BUF_OF(room);
            struct iso8583 m;
            struct teller_record b;
            char rrn[13];
            uint64_t amount;

            ck_ok(link_receive(client, &raw, 5000, &e));
            ck_ok(iso8583_unpack(&m, buf_span(&raw), &e));
            yes += span_eq(m.field[39], span_str("00"));
            ck_ok(iso8583_text(&m, 37, rrn, sizeof(rrn)));
            ck_ok(iso8583_number(&m, 4, &amount));
            ck_assert(teller_find(&teller, rrn, &b));
            ck_assert_int_eq(b.amount, (int64_t)amount);
            ck_assert(span_eq(m.field[38], span_str(b.approval)));
        }
        ck_assert_uint_eq(yes, MANY);
        ck_settled(0);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("online");
    TCase *t = tcase_create("online");

    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, approved_kept_and_answered_alike);
    tcase_add_test(t, refused_with_the_issuers_words);
    tcase_add_test(t, a_tc_over_the_floor_is_asked_about);
    tcase_add_test(t, silence_is_taken_back);
    tcase_add_test(t, a_late_answer_is_not_used);
    tcase_add_test(t, a_signed_payment_is_asked_about_again);
    tcase_add_test(t, what_an_issuer_is_asked_with);
    tcase_add_test(t, answers_of_no_use);
    tcase_add_test(t, cut_after_the_reservation);
    tcase_add_test(t, a_terminals_reversal_reaches_the_issuer);
    tcase_add_test(t, the_operators_reversal_reaches_the_issuer);
    tcase_add_test(t, an_offline_payment_frees_no_counter);
    tcase_add_test(t, a_repeat_waits_with_its_first);
    tcase_add_test(t, reversed_while_it_is_asked);
    tcase_add_test(t, no_issuer_within_reach);
    tcase_add_test(t, a_repeat_finds_no_issuer_but_its_first_did);
    tcase_add_test(t, reversals_are_kept_across_restarts);
    tcase_add_test(t, ended_with_a_question_in_the_queue);
    tcase_add_test(t, only_one_serves_a_folder);
    tcase_add_test(t, approved_and_not_bookable);
    tcase_add_test(t, many_under_way);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
