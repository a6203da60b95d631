/* The acquirer's server as its terminals see it, over TLS, in process: answers, repeats, reversal,
 * reconciliation, bad messages, books that cannot be written. */
#include "unit.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "acquirer/state.h"
#include "office.h"
#include "store/db.h"
#include "wire/profile.h"

static struct office office;
static struct link_client *client;
static struct signed_card card;
static struct made made;
static struct terms usual;
static uint16_t atc;
static uint32_t stan;

static void setup(void)
{
    office_make(&office, NULL, 1);
    MUST(signer_card(&card, &office.signer, 1));
    office_start(&office, 2);
    client = office_connect(&office, OFFICE_CONTRACT, OFFICE_TERMINAL);
}

static void teardown(void)
{
    link_close(&client);
    office_stop(&office);
    office_remove(&office);
}

static void make(void)
{
    const struct place where = {OFFICE_CONTRACT, OFFICE_TERMINAL, ++stan, OFFICE_MCC};

    ck_ok(made_payment(&made, &office.signer, &card, &usual, &usual, &where));
}

static void fresh(void)
{
    terms_usual(&usual, &card, ++atc);
    make();
}

static struct office_answer ask_as(unsigned mti)
{
    struct office_answer a;
    struct tp_error e = {TP_OK, ""};

    ck_assert_msg(office_exchange(&a, client, &made, mti, &e) == TP_OK, "%s", e.text);
    return a;
}

static struct office_answer pay(void)
{
    fresh();
    return ask_as(MTI_FINANCIAL);
}

#define ck_answer(call, wanted_code, wanted_reason)                                                \
    do {                                                                                           \
        const struct office_answer got_answer_ = (call);                                           \
        ck_assert_str_eq(got_answer_.code, (wanted_code));                                         \
        ck_assert_str_eq(got_answer_.reason, (wanted_reason));                                     \
    } while (0)

static void ck_books(unsigned transactions, unsigned debits, int64_t amount, unsigned reversals)
{
    struct office_books b;

    office_books(&office, &b);
    ck_assert_uint_eq(b.transactions, transactions);
    ck_assert_uint_eq(b.totals.debits, debits);
    ck_assert_int_eq(b.totals.debit_amount, amount);
    ck_assert_uint_eq(b.totals.reversals, reversals);
}

START_TEST(acknowledged_and_kept)
    {
        const struct office_answer a = pay();
        struct iso8583 m;
        struct tp_error e;
        char day[8];
        const time_t now = time(NULL);
        struct tm local;
        static const unsigned repeated[] = {3, 4, 7, 11, 12, 13, 41, 42, 49};

        ck_assert_uint_eq(a.mti, MTI_FINANCIAL_RESPONSE);
        ck_answer(a, "00", "");
        strftime(day, sizeof(day), "%Y%j", localtime_r(&now, &local));
        ck_assert_int_eq(strncmp(a.rrn, day + 3, 4), 0); /* YDDD */
        ck_assert_uint_eq(strlen(a.rrn), 12);
        ck_ok(iso8583_unpack(&m, span_of(a.raw, a.n), &e));
        for (size_t i = 0; i < sizeof(repeated) / sizeof(repeated[0]); i++)
            ck_assert(span_eq(m.field[repeated[i]], made.message.field[repeated[i]]));
        ck_assert(!iso8583_has(&m, 44));
        ck_books(1, 1, 1250, 0);
    }
END_TEST

START_TEST(repeats_are_answered_alike)
    {
        const struct office_answer first = pay();
        struct office_answer again = ask_as(MTI_FINANCIAL);

        ck_assert_uint_eq(again.n, first.n);
        ck_assert_mem_eq(again.raw, first.raw, first.n);
        again = ask_as(MTI_FINANCIAL_REPEAT);
        ck_assert_mem_eq(again.raw, first.raw, first.n);
        ck_books(1, 1, 1250, 0);
        iso8583_set_number(&made.message, 4, 1251); /* another amount under the same identity */
        again = ask_as(MTI_FINANCIAL);
        ck_answer(again, "94", "IDENTITY");
        stan++;
        iso8583_set_number(&made.message, 11, stan); /* the same signature under another identity */
        iso8583_set_number(&made.message, 4, 1250);
        again = ask_as(MTI_FINANCIAL);
        ck_answer(again, "63", "ATC_REPLAYED");
        ck_books(1, 1, 1250, 0);
    }
END_TEST

/* The connection breaks when the payment is kept and its answer on the way: the terminal asks
 * again, and it counts once. */
START_TEST(answer_lost_after_the_commit)
    {
        uint8_t room[8192];
        struct buf raw = BUF_OF(room);
        struct tp_error e;
        struct office_books b;

        for (unsigned i = 1; i <= 20; i++) {
            fresh();
            raw.n = 0;
            ck_ok(iso8583_pack(&raw, &made.message, &e));
            ck_ok(link_put(client, buf_span(&raw), &e));
            do { /* until it is in the books, the answer unread */
                usleep(1000);
                office_books(&office, &b);
            } while (b.transactions < i);
            link_close(&client);
            client = office_connect(&office, OFFICE_CONTRACT, OFFICE_TERMINAL);
            const struct office_answer a = ask_as(MTI_FINANCIAL_REPEAT);

            ck_answer(a, "00", "");
            ck_assert_uint_eq(strlen(a.rrn), 12);
        }
        ck_books(20, 20, 20 * 1250, 0);
    }
END_TEST

/* An acquirer without issuers: what needs one is answered 91, and may be sent again. */
START_TEST(no_issuer_for_the_card)
    {
        terms_usual(&usual, &card, ++atc);
        usual.cid = 0x80;
        make();
        ck_answer(ask_as(MTI_FINANCIAL), "91", "ARQC");
        usual.cid = 0x40;
        usual.amount = OFFICE_FLOOR + 1;
        make();
        ck_answer(ask_as(MTI_FINANCIAL), "91", "FLOOR");
        ck_answer(ask_as(MTI_FINANCIAL_REPEAT), "91", "FLOOR");
        ck_books(0, 0, 0, 0);
    }
END_TEST

/* ---- reversal ---- */

static struct office_answer reverse_as(unsigned mti, unsigned original_mti, uint32_t original_stan)
{
    struct iso8583 m;
    struct office_answer a;
    struct tp_error e = {TP_OK, ""};
    static const unsigned same[] = {2, 3, 4, 7, 12, 13, 41, 42, 49};
    char original[43];

    iso8583_start(&m, mti);
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
        m.field[same[i]] = made.message.field[same[i]];
    iso8583_set_number(&m, 11, ++stan);
    snprintf(original, sizeof(original), "%04u%06u%.10s%022u", original_mti, original_stan,
             (const char *)made.message.field[7].p, 0U);
    iso8583_set_text(&m, 90, original);
    ck_assert_msg(office_send(&a, client, &m, &e) == TP_OK, "%s", e.text);
    return a;
}

START_TEST(reversed_once)
    {
        const struct office_answer first = pay();
        const uint32_t original = stan;
        struct office_answer a = reverse_as(MTI_REVERSAL, 200, original);

        ck_assert_uint_eq(a.mti, MTI_REVERSAL_RESPONSE);
        ck_answer(a, "00", "");
        ck_assert_str_eq(a.rrn, first.rrn);
        a = reverse_as(MTI_REVERSAL_REPEAT, 200, original);
        ck_answer(a, "00", "");
        ck_assert_str_eq(a.rrn, first.rrn);
        ck_books(1, 0, 0, 1);
        a = ask_as(MTI_FINANCIAL_REPEAT);
        ck_answer(a, "12", "REVERSED");
        a = reverse_as(MTI_REVERSAL, 800, original);
        ck_answer(a, "30", "DE90_MTI");
    }
END_TEST

START_TEST(reversal_before_its_payment)
    {
        struct office_answer a;

        fresh();
        a = reverse_as(MTI_REVERSAL, 200, stan);
        ck_answer(a, "00", "");
        ck_assert_str_eq(a.rrn, "");
        a = ask_as(MTI_FINANCIAL);
        ck_answer(a, "12", "REVERSED");
        ck_books(0, 0, 0, 0);
    }
END_TEST

START_TEST(no_reversal_after_the_close)
    {
        struct ledger *l = NULL;
        struct remise closed;
        struct office_answer a = pay();

        ck_answer(a, "00", "");
        const uint32_t original = stan;

        MUST(acquirer_open_ledger(&l, office.dir, &office_error));
        MUST(ledger_remise_close(l, OFFICE_CONTRACT, &closed, &office_error));
        ledger_close(&l);
        a = reverse_as(MTI_REVERSAL, 200, original);
        ck_answer(a, "12", "REMISE_CLOSED");
        a = ask_as(MTI_FINANCIAL_REPEAT); /* a repeat across the close is still the same payment */
        ck_answer(a, "00", "");
    }
END_TEST

/* ---- reconciliation ---- */

/* mmdd 0: of the open remise; else of the terminal's day. */
static void ck_reconciles_of(unsigned mmdd, unsigned credits, unsigned debits,
                             unsigned credit_amount, unsigned debit_amount, const char *net,
                             unsigned wanted, const char *ours)
{
    struct iso8583 m, answer;
    struct office_answer a;
    struct tp_error e = {TP_OK, ""};
    uint64_t settled = 0;

    iso8583_start(&m, MTI_RECONCILIATION);
    iso8583_set_text(&m, 7, "1123091500");
    iso8583_set_number(&m, 11, ++stan);
    if (mmdd != 0)
        iso8583_set_number(&m, 13, mmdd);
    iso8583_set_text(&m, 41, OFFICE_TERMINAL);
    iso8583_set_text(&m, 42, OFFICE_CONTRACT);
    iso8583_set_number(&m, 74, credits);
    iso8583_set_number(&m, 76, debits);
    iso8583_set_number(&m, 86, credit_amount);
    iso8583_set_number(&m, 88, debit_amount);
    iso8583_set_text(&m, 97, net);
    ck_assert_msg(office_send(&a, client, &m, &e) == TP_OK, "%s", e.text);
    ck_assert_uint_eq(a.mti, MTI_RECONCILIATION_RESPONSE);
    ck_answer(a, "00", "");
    ck_ok(iso8583_unpack(&answer, span_of(a.raw, a.n), &e));
    ck_ok(iso8583_number(&answer, 66, &settled));
    ck_assert_uint_eq(settled, wanted);
    ck_assert(span_eq(answer.field[97], span_str(ours)));
}

static void ck_reconciles(unsigned credits, unsigned debits, unsigned credit_amount,
                          unsigned debit_amount, const char *net, unsigned wanted, const char *ours)
{
    ck_reconciles_of(0, credits, debits, credit_amount, debit_amount, net, wanted, ours);
}

START_TEST(totals)
    {
        ck_reconciles(0, 0, 0, 0, "D0000000000000000", 1, "D0000000000000000");
        ck_answer(pay(), "00", "");
        ck_answer(pay(), "00", "");
        terms_usual(&usual, &card, ++atc);
        usual.type = 0x20;
        usual.amount = 4000;
        make();
        const struct office_answer credit = ask_as(MTI_FINANCIAL);

        ck_answer(credit, "91", "CREDIT"); /* whose issuer is to be asked, and there is none */
        ck_reconciles(0, 2, 0, 2500, "D0000000000002500", 1, "D0000000000002500");
        ck_reconciles(0, 2, 0, 2501, "D0000000000002500", 2, "D0000000000002500");
        ck_reconciles(0, 2, 0, 2500, "C0000000000002500", 2, "D0000000000002500");
        ck_reconciles(1, 2, 0, 2500, "D0000000000002500", 2, "D0000000000002500");
    }
END_TEST

/* Of a day, whatever remise it is in; of another day, nothing. */
START_TEST(totals_of_a_day)
    {
        struct ledger *l = NULL;
        struct remise closed;

        ck_answer(pay(), "00", "");
        const unsigned mmdd = (unsigned)usual.date % 10000;

        MUST(acquirer_open_ledger(&l, office.dir, &office_error));
        MUST(ledger_remise_close(l, OFFICE_CONTRACT, &closed, &office_error));
        ledger_close(&l);
        ck_answer(pay(), "00", "");
        const struct office_answer reversed = pay();

        ck_answer(reversed, "00", "");
        ck_answer(reverse_as(MTI_REVERSAL, 200, stan), "00", "");
        ck_reconciles(0, 1, 0, 1250, "D0000000000001250", 1, "D0000000000001250");
        ck_reconciles_of(mmdd, 0, 2, 0, 2500, "D0000000000002500", 1, "D0000000000002500");
        ck_reconciles_of(mmdd, 0, 1, 0, 1250, "D0000000000001250", 2, "D0000000000002500");
        ck_reconciles_of(mmdd == 101 ? 102 : 101, 0, 0, 0, 0, "D0000000000000000", 1,
                         "D0000000000000000");
    }
END_TEST

/* ---- network, and what is no good message ---- */

static struct office_answer network(const char *code, const char *terminal)
{
    struct iso8583 m;
    struct office_answer a;
    struct tp_error e = {TP_OK, ""};

    iso8583_start(&m, MTI_NETWORK);
    iso8583_set_text(&m, 7, "1123091500");
    iso8583_set_number(&m, 11, ++stan);
    iso8583_set_text(&m, 41, terminal);
    iso8583_set_text(&m, 42, OFFICE_CONTRACT);
    if (code != NULL)
        iso8583_set_text(&m, 70, code);
    ck_assert_msg(office_send(&a, client, &m, &e) == TP_OK, "%s", e.text);
    ck_assert_uint_eq(a.mti, MTI_NETWORK_RESPONSE);
    return a;
}

/* Each request without each field that it needs, one at a time, by the table that test_profile
 * holds against doc/protocol.md. */
static void ck_needs(const struct iso8583 *whole)
{
    static struct iso8583 m;
    char reason[PROFILE_REASON_MAX];
    struct tp_error e = {TP_OK, ""};
    unsigned n = 0;

    for (unsigned f = 0; (f = profile_next(PROFILE_TERMINAL, whole->mti, PROFILE_NEEDED, f)) != 0;
         n++) {
        struct office_answer a;

        m = *whole;
        ck_assert_msg(iso8583_has(&m, f), "%04u: the test's own message has no field %u", m.mti, f);
        m.field[f] = span_of(NULL, 0);
        if (f == 11) { /* nobody could tell what is answered */
            ck_assert_int_eq(office_send(&a, client, &m, &e), TP_ERR_PEER);
            link_close(&client);
            client = office_connect(&office, OFFICE_CONTRACT, OFFICE_TERMINAL);
            continue;
        }
        ck_assert_msg(office_send(&a, client, &m, &e) == TP_OK, "%04u without %u: %s", m.mti, f,
                      e.text);
        snprintf(reason, sizeof(reason), "DE%u_MISSING", f % 1000);
        ck_answer(a, "30", reason);
    }
    ck_assert_uint_gt(n, 0);
}

START_TEST(needed_fields)
    {
        static struct iso8583 m;
        static const struct {
            unsigned field;
            const char *text;
        } others[] = {{7, "1123091500"},
                      {11, "000777"},
                      {13, "1123"},
                      {41, OFFICE_TERMINAL},
                      {42, OFFICE_CONTRACT},
                      {70, "301"},
                      {74, "0"},
                      {76, "0"},
                      {86, "0"},
                      {88, "0"},
                      {90, "020000077611230915000000000000000000000000"},
                      {97, "D0000000000000000"}};
        static const unsigned types[] = {MTI_REVERSAL, MTI_REVERSAL_REPEAT, MTI_RECONCILIATION,
                                         MTI_NETWORK};

        fresh();
        ck_needs(&made.message);
        made.message.mti = MTI_FINANCIAL_REPEAT;
        ck_needs(&made.message);
        for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
            iso8583_start(&m, types[i]);
            for (size_t k = 0; k < sizeof(others) / sizeof(others[0]); k++)
                iso8583_set_text(&m, others[k].field, others[k].text);
            ck_needs(&m);
        }
    }
END_TEST

START_TEST(network_management)
    {
        ck_answer(network("001", OFFICE_TERMINAL), "00", "");
        ck_answer(network("301", OFFICE_TERMINAL), "00", "");
        ck_answer(network("002", OFFICE_TERMINAL), "00", "");
        ck_answer(network("161", OFFICE_TERMINAL), "12", "DE70");
        ck_answer(network(NULL, OFFICE_TERMINAL), "30", "DE70_MISSING");
        ck_answer(network("301", "00000002"), "58", "CERTIFICATE");
    }
END_TEST

static void ck_closes(const char *hex)
{
    uint8_t raw[256], room[256];
    struct buf message = BUF_OF(raw), answer = BUF_OF(room);
    struct tp_error e;

    ck_ok(hex_decode(&message, hex));
    ck_assert_int_eq(link_exchange(client, buf_span(&message), &answer, 5000, &e), TP_ERR_PEER);
    link_close(&client);
    client = office_connect(&office, OFFICE_CONTRACT, OFFICE_TERMINAL);
}

START_TEST(malformed)
    {
        uint8_t raw[8192], room[512];
        struct buf message = BUF_OF(raw), answer = BUF_OF(room);
        struct iso8583 m;
        struct tp_error e;

        fresh();
        ck_ok(iso8583_pack(&message, &made.message, &e));
        for (size_t cut = 1; cut < 200;
             cut += 7) { /* type and STAN are there: answered, and the connection lives on */
            answer.n = 0;
            ck_ok(link_exchange(client, span_of(raw, message.n - cut), &answer, 5000, &e));
            ck_ok(iso8583_unpack(&m, buf_span(&answer), &e));
            ck_assert_uint_eq(m.mti, MTI_FINANCIAL_RESPONSE);
            ck_assert(span_eq(m.field[39], span_str("30")));
            ck_assert(span_eq(m.field[11], made.message.field[11]));
        }
        ck_closes("00");
        ck_closes("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFF");
        ck_closes("0200FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00");
        ck_closes("02100000000002000000"
                  "3030"); /* an answer is nothing to ask an acquirer */
        answer.n = 0;
        UNHEX(authorisation, "01000020000000000000000042");

        ck_ok(link_exchange(client, authorisation, &answer, 5000, &e));
        ck_ok(iso8583_unpack(&m, buf_span(&answer), &e));
        ck_assert_uint_eq(m.mti, MTI_AUTHORISATION_RESPONSE);
        ck_assert(span_eq(m.field[39], span_str("12")));
        ck_answer(ask_as(MTI_FINANCIAL), "00", "");
    }
END_TEST

/* Seeded noise, cut and flipped messages: each is answered or the connection closed, and the server
 * goes on. */
START_TEST(random_messages)
    {
        uint8_t raw[8192], noise[8192], room[2048];
        struct buf message = BUF_OF(raw), answer = BUF_OF(room);
        struct tp_error e;

        srandom(8583);
        fresh();
        ck_ok(iso8583_pack(&message, &made.message, &e));
        for (unsigned round = 0; round < 400; round++) {
            size_t n = message.n;

            memcpy(noise, raw, n);
            if (round % 4 == 0)
                for (size_t i = n = 1 + (size_t)random() % 300; i-- > 0;)
                    noise[i] = (uint8_t)random();
            else
                for (unsigned k = 0; k <= round % 5; k++)
                    noise[(size_t)random() % n] ^= (uint8_t)(1 + random() % 255);
            answer.n = 0;
            if (link_exchange(client, span_of(noise, n), &answer, 5000, &e) != TP_OK) {
                ck_assert_int_eq(e.code, TP_ERR_PEER);
                link_close(&client);
                client = office_connect(&office, OFFICE_CONTRACT, OFFICE_TERMINAL);
                continue;
            }
            struct iso8583 m;

            ck_ok(iso8583_unpack(&m, buf_span(&answer), &e));
            ck_assert(
                !span_eq(m.field[39], span_str("00")) || m.mti != MTI_FINANCIAL_RESPONSE ||
                iso8583_has(&m, 37)); /* a change of DE 7, 22 or 25 alone leaves a good payment */
        }
        stan++;
        ck_answer(pay(), "00", "");
    }
END_TEST

/* ---- what changes while the server runs ---- */

START_TEST(added_and_closed_while_it_runs)
    {
        struct ledger *l = NULL;
        struct office_answer a, again;
        struct tp_error e;
        const struct place where = {OFFICE_CONTRACT, "00000044", 1, OFFICE_MCC},
                           later = {OFFICE_CONTRACT, "00000044", 2, OFFICE_MCC};
        struct link_client *other;

        office_terminal(&office, OFFICE_CONTRACT, "00000044");
        other = office_connect(&office, OFFICE_CONTRACT, "00000044");
        terms_usual(&usual, &card, ++atc);
        ck_ok(made_payment(&made, &office.signer, &card, &usual, &usual, &where));
        ck_ok(office_exchange(&a, other, &made, MTI_FINANCIAL, &e));
        ck_answer(a, "00", "");
        MUST(acquirer_open_ledger(&l, office.dir, &office_error));
        MUST(ledger_terminal_shut(l, OFFICE_CONTRACT, "00000044", &office_error));
        ledger_close(&l);
        ck_ok(office_exchange(&again, other, &made, MTI_FINANCIAL_REPEAT,
                              &e)); /* acknowledged before: answered alike */
        ck_answer(again, "00", "");
        ck_assert_str_eq(again.rrn, a.rrn);
        terms_usual(&usual, &card, ++atc);
        ck_ok(made_payment(&made, &office.signer, &card, &usual, &usual, &later));
        ck_ok(office_exchange(&a, other, &made, MTI_FINANCIAL, &e));
        ck_answer(a, "03", "CONTRACT");
        link_close(&other);
    }
END_TEST

/* ---- books that cannot be written ---- */

static void books_say(const char *sql)
{
    struct ledger *l = committer_books(acquirer_server_committer(office.server));

    ck_ok(db_exec(ledger_db(l), sql, DB_NONE, NULL, NULL));
}

/* Pays until the books take no more; then nothing is kept, and all is well when they are mended. */
static void ck_recovers(const char *breaks, const char *mends)
{
    unsigned kept = 1;

    ck_answer(pay(), "00", "");
    books_say(breaks);
    while (strcmp(pay().code, "00") == 0) /* a full file still has room in its pages */
        ck_assert_uint_lt(++kept, 200);
    ck_answer(ask_as(MTI_FINANCIAL_REPEAT), "96", "");
    ck_books(kept, kept, kept * INT64_C(1250), 0);
    books_say(mends);
    ck_answer(ask_as(MTI_FINANCIAL_REPEAT), "00", "");
    ck_answer(pay(), "00", "");
    ck_books(kept + 2, kept + 2, (kept + 2) * INT64_C(1250), 0);
}

START_TEST(read_only_books)
    {
        ck_recovers("PRAGMA query_only = 1", "PRAGMA query_only = 0");
        books_say("PRAGMA query_only = 1");
        ck_answer(network("301", OFFICE_TERMINAL), "96",
                  ""); /* an echo says what a payment would hear */
        books_say("PRAGMA query_only = 0");
        ck_answer(network("301", OFFICE_TERMINAL), "00", "");
    }
END_TEST

START_TEST(full_books)
    {
        ck_recovers("PRAGMA max_page_count = 1", "PRAGMA max_page_count = 1073741823");
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("server");
    TCase *t = tcase_create("server");

    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, acknowledged_and_kept);
    tcase_add_test(t, repeats_are_answered_alike);
    tcase_add_test(t, answer_lost_after_the_commit);
    tcase_add_test(t, no_issuer_for_the_card);
    tcase_add_test(t, reversed_once);
    tcase_add_test(t, reversal_before_its_payment);
    tcase_add_test(t, no_reversal_after_the_close);
    tcase_add_test(t, totals);
    tcase_add_test(t, totals_of_a_day);
    tcase_add_test(t, network_management);
    tcase_add_test(t, needed_fields);
    tcase_add_test(t, malformed);
    tcase_add_test(t, random_messages);
    tcase_add_test(t, added_and_closed_while_it_runs);
    tcase_add_test(t, read_only_books);
    tcase_add_test(t, full_books);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
