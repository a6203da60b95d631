/* The payer's journal: what is kept, delivered, reversed. */
#include "../tools/damage.h"
#include "unit.h"

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "payer/journal.h"
#include "payer/pay.h"

#define DAY 20261123

static char folder[64], path[128], key[160];
static struct tp_error e;
static int64_t row; /* of journal_find */

static void make_folder(void)
{
    strcpy(folder, "/tmp/test_journal.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/deep/journal.db", folder);
    snprintf(key, sizeof(key), "%s.key", path);
}

static void remove_folder(void)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    ck_assert_int_eq(system(command), 0);
}

static struct journal *open_it(void)
{
    struct journal *j;

    ck_assert_msg(journal_open(&j, path, &e) == TP_OK, "%s", e.text);
    return j;
}

static void sql(const char *text)
{
    damage(path, text);
}

static struct receipt a_receipt(unsigned stan, int64_t amount)
{
    struct receipt r = {.state = PAYMENT_SIGNED,
                        .date = DAY,
                        .time = 91500,
                        .amount = amount,
                        .currency = 978,
                        .stan = stan,
                        .atc = 7};

    strcpy(r.pan, "999014******0015");
    strcpy(r.merchant, "Librairie du Port");
    return r;
}

static int64_t add(struct journal *j, unsigned stan, int64_t amount, const char *message)
{
    const struct receipt r = a_receipt(stan, amount);
    int64_t id = 0;

    ck_assert_msg(journal_add(j, &r, span_str(message), 0, &id, &e) == TP_OK, "%s", e.text);
    return id;
}

START_TEST(numbers_go_on_and_are_durable)
    {
        struct journal *j = open_it();
        unsigned one, two, three;

        ck_ok(journal_next_stan(j, DAY, &one, &e));
        ck_ok(journal_next_stan(j, DAY, &two, &e));
        journal_close(&j);
        j = open_it();
        ck_ok(journal_next_stan(j, DAY, &three, &e));
        ck_assert_uint_ge(one, 1);
        ck_assert_uint_eq(two, one % 999999 + 1);
        ck_assert_uint_eq(three, two % 999999 + 1);
        journal_close(&j);
    }
END_TEST

START_TEST(numbers_turn_over_and_pass_those_of_the_day)
    {
        struct journal *j = open_it();
        unsigned stan;

        sql("INSERT OR REPLACE INTO stan VALUES (1, 999998)");
        add(j, 1, 100, "one");
        add(j, 2, 100, "two");
        ck_ok(journal_next_stan(j, DAY, &stan, &e));
        ck_assert_uint_eq(stan, 999999);
        ck_ok(journal_next_stan(j, DAY, &stan, &e));
        ck_assert_uint_eq(stan, 3);
        sql("UPDATE stan SET last = 999999");
        ck_ok(journal_next_stan(j, DAY + 1, &stan, &e)); /* the next day they are free again */
        ck_assert_uint_eq(stan, 1);
        journal_close(&j);
    }
END_TEST

START_TEST(a_number_is_kept_once_a_day)
    {
        struct journal *j = open_it();
        const struct receipt r = a_receipt(5, 100);
        int64_t id;

        add(j, 5, 100, "one");
        ck_assert_int_eq(journal_add(j, &r, span_str("two"), 0, &id, &e), TP_ERR_EXISTS);
        journal_close(&j);
    }
END_TEST

START_TEST(what_is_signed_waits_until_it_is_settled)
    {
        struct journal *j = open_it();
        const struct wire_answer yes = {.code = "00", .rrn = "632700000005"},
                                 no = {.code = "63", .rrn = "632700000006", .reason = "SDAD_HASH"};
        struct receipt other = a_receipt(6, 999);
        const int64_t one = add(j, 5, 1250, "first message"),
                      behind = add(j, 7, 100, "of the same card");
        int64_t two;
        bool waits;
        uint8_t room[MESSAGE_MAX];
        struct buf b = BUF_OF(room);
        struct receipt r;
        int64_t id;
        size_t n;

        snprintf(other.pan, sizeof(other.pan), "999014******0026");
        ck_ok(journal_add(j, &other, span_str("second message"), 0, &two, &e));
        journal_close(&j); /* as a crash between journal and sending would leave it */
        j = open_it();
        ck_ok(journal_count_pending(j, &n, &e));
        ck_assert_uint_eq(n, 3);
        ck_ok(journal_pending(j, 0, &id, &r, &b, &e));
        ck_assert_int_eq(id, one);
        ck_assert(span_eq(buf_span(&b), span_str("first message")));
        ck_assert_int_eq(r.amount, 1250);
        b.n = 0;
        ck_ok(journal_pending(j, id, &id, &r, &b, &e));
        ck_assert_int_eq(id, two);
        ck_assert_int_eq(journal_pending(j, id, &id, &r, &b, &e), TP_ERR_NOT_FOUND);
        ck_ok(journal_waits(j, two, &waits, &e));
        ck_assert(!waits);
        ck_ok(journal_waits(j, behind, &waits, &e));
        ck_assert(waits);
        ck_ok(journal_settle(j, one, &yes, &e));
        ck_ok(journal_waits(j, behind, &waits, &e));
        ck_assert(!waits);
        b.n = 0;
        ck_ok(journal_pending(j, 0, &id, &r, &b, &e));
        ck_assert_int_eq(id, behind);
        ck_ok(journal_settle(j, behind, &yes, &e));
        ck_ok(journal_settle(j, two, &no, &e));
        ck_ok(journal_settle(j, two, &yes, &e)); /* settled is settled */
        ck_ok(journal_count_pending(j, &n, &e));
        ck_assert_uint_eq(n, 0);
        ck_ok(journal_find(j, "632700000005", false, &row, &r, &e));
        ck_assert_int_eq(r.state, PAYMENT_ACKNOWLEDGED);
        ck_ok(journal_find(j, "632700000006", false, &row, &r, &e));
        ck_assert_int_eq(r.state, PAYMENT_REFUSED);
        ck_assert_str_eq(r.reason, "the card's signature or a certificate fails (63, SDAD_HASH)");
        ck_assert_int_eq(journal_find(j, "000000000000", false, &row, &r, &e), TP_ERR_NOT_FOUND);
        ck_assert_int_eq(journal_find(j, "", false, &row, &r, &e), TP_ERR_USAGE);
        journal_close(&j);
    }
END_TEST

/* One that was acknowledged as it was authorised has no message left to deliver. */
/* The log beside the file goes on from run to run, and is written into the file before it takes
 * long to read. */
START_TEST(the_log_stays_until_it_is_much)
    {
        char log[sizeof(path) + 8];
        struct journal *j;
        unsigned stan, ends = 0;
        size_t n = 0;
        struct stat st;

        snprintf(log, sizeof(log), "%s-wal", path);
        for (unsigned i = 0; i < 80; i++) {
            j = open_it();
            ck_ok(journal_next_stan(j, DAY, &stan, &e));
            add(j, stan, 1250, "a message");
            journal_close(&j);
            if (stat(log, &st) != 0)
                ends++;
            else
                ck_assert_int_lt(st.st_size, 270 * (4096 + 24)); /* 250 frames, and a run's own */
        }
        ck_assert_uint_ge(ends, 1);
        ck_assert_uint_le(ends, 4);
        j = open_it();
        ck_ok(journal_count_pending(j, &n, &e));
        ck_assert_uint_eq(n, 80);
        journal_close(&j);
    }
END_TEST

START_TEST(a_settled_payment_does_not_wait)
    {
        struct journal *j = open_it();
        struct receipt r = a_receipt(9, 1250);
        int64_t id;
        size_t n;

        r.state = PAYMENT_ACKNOWLEDGED;
        ck_ok(journal_add(j, &r, (struct span){NULL, 0}, 0, &id, &e));
        ck_ok(journal_count_pending(j, &n, &e));
        ck_assert_uint_eq(n, 0);
        journal_close(&j);
    }
END_TEST

START_TEST(messages_are_sealed_at_rest)
    {
        static const char secret[] = "9990140000000015 in a message";
        struct journal *j = open_it();
        struct stat st;
        char command[256];

        add(j, 5, 1250, secret);
        journal_close(&j);
        snprintf(command, sizeof(command), "grep -rqa 9990140000000015 '%s'", folder);
        ck_assert_int_ne(system(command), 0);
        ck_assert_int_eq(stat(key, &st), 0);
        ck_assert_int_eq(st.st_mode & 0777, 0600);
    }
END_TEST

START_TEST(altered_messages_and_lost_keys_are_noticed)
    {
        struct journal *j = open_it();
        uint8_t room[MESSAGE_MAX];
        struct buf b = BUF_OF(room);
        struct receipt r;
        int64_t id;

        add(j, 5, 1250, "a message");
        sql("UPDATE payment SET stan = 6"); /* the receipt is another's: its text says 5 */
        ck_ok(journal_pending(j, 0, &id, &r, &b, &e));
        sql("UPDATE payment SET receipt = replace(receipt, '\"stan\":5', '\"stan\":6')");
        b.n = 0;
        ck_assert_int_eq(journal_pending(j, 0, &id, &r, &b, &e), TP_ERR_SECURITY);
        sql("UPDATE payment SET receipt = replace(receipt, '\"stan\":6', '\"stan\":5'), message = "
            "zeroblob(40)");
        ck_assert_int_eq(journal_pending(j, 0, &id, &r, &b, &e), TP_ERR_SECURITY);
        sql("UPDATE payment SET receipt = '{'");
        ck_assert_int_eq(journal_pending(j, 0, &id, &r, &b, &e), TP_ERR_IO);
        journal_close(&j);
        ck_assert_int_eq(unlink(key), 0);
        ck_assert_int_eq(journal_open(&j, path, &e), TP_ERR_NOT_FOUND);
        ck_assert_ptr_null(j);
    }
END_TEST

/* What is taken back waits for its answer; refused, it stands. */
START_TEST(a_payment_is_taken_back)
    {
        struct journal *j = open_it();
        const struct wire_answer yes = {.code = "00", .rrn = "632700000005"},
                                 late = {.code = "12", .reason = "REMISE_CLOSED"};
        const int64_t id = add(j, 5, 1250, "the 0200");
        uint8_t room[MESSAGE_MAX];
        struct receipt r;
        int64_t next = 0;

        ck_assert_int_eq(journal_void(j, id, span_str("the 0400"), &e), TP_ERR_STATE);
        ck_ok(journal_settle(j, id, &yes, &e));
        for (int i = 0; i < 2; i++) {
            struct buf b = BUF_OF(room);

            ck_ok(journal_void(j, id, span_str("the 0400"), &e));
            ck_assert_int_eq(journal_void(j, id, span_str("the 0400"), &e), TP_ERR_STATE);
            ck_ok(journal_pending(j, 0, &next, &r, &b, &e));
            ck_assert_int_eq(next, id);
            ck_assert(span_eq(buf_span(&b), span_str("the 0400")));
            ck_assert_int_eq(r.state, PAYMENT_TO_REVERSE);
            ck_assert(r.voided);
            ck_ok(journal_settle(j, id, i == 0 ? &late : &yes, &e));
            ck_ok(journal_find(j, "5", false, &row, &r, &e));
            ck_assert_int_eq(r.state, i == 0 ? PAYMENT_ACKNOWLEDGED : PAYMENT_REVERSED);
            ck_assert_int_eq(r.voided, i == 1);
            ck_assert_str_eq(r.rrn, "632700000005");
            ck_assert((strstr(r.reason, "REMISE_CLOSED") != NULL) == (i == 0));
        }
        ck_assert_int_eq(journal_void(j, id, span_str("the 0400"), &e), TP_ERR_STATE);
        journal_close(&j);
    }
END_TEST

/* What is under way counts as given back; what came to nothing does not. */
START_TEST(what_was_refunded)
    {
        static const enum payment_state states[] = {
            PAYMENT_DECLINED, PAYMENT_REFUSED,    PAYMENT_REVERSED, PAYMENT_ACKNOWLEDGED,
            PAYMENT_ASKED,    PAYMENT_TO_REVERSE, PAYMENT_SIGNED,   PAYMENT_NOT_REVERSED};
        struct journal *j = open_it();
        int64_t id, amount;

        for (unsigned i = 0; i < 8; i++) {
            struct receipt r = a_receipt(10 + i, 1 << i);

            r.type = 0x20;
            r.state = states[i];
            strcpy(r.undoes, "632700000005");
            ck_ok(journal_add(j, &r, span_str("m"), 0, &id, &e));
        }
        ck_ok(journal_refunded(j, "632700000005", &amount, &e));
        ck_assert_int_eq(amount, 8 + 16 + 32 + 64 + 128);
        ck_ok(journal_refunded(j, "632700000006", &amount, &e));
        ck_assert_int_eq(amount, 0);
        journal_close(&j);
    }
END_TEST

static bool collect(void *ctx, const struct receipt *r)
{
    unsigned **next = ctx;

    *(*next)++ = r->stan;
    return true;
}

static bool collect_day(void *ctx, const struct journal_day *d)
{
    struct journal_day **next = ctx;

    *(*next)++ = *d;
    return true;
}

START_TEST(lists_and_days)
    {
        struct journal *j = open_it();
        const struct wire_answer yes = {.code = "00", .rrn = "632700000001"};
        struct receipt refund = a_receipt(4, 300);
        static const struct {
            struct journal_filter which;
            int n;
        } picks[] = {{{DAY, DAY, 0, -1}, 4},
                     {{DAY + 1, 0, 0, -1}, 0},
                     {{0, DAY - 1, 0, -1}, 0},
                     {{0, 0, 1250, -1}, 1},
                     {{0, 0, 0, PAYMENT_SIGNED}, 1},
                     {{0, 0, 0, PAYMENT_DECLINED}, 0},
                     {{DAY, 0, 300, PAYMENT_ACKNOWLEDGED}, 1}};
        unsigned stans[4], picked[4], *stan = stans;
        struct journal_day days[4], *day = days;
        int64_t id;

        ck_ok(journal_settle(j, add(j, 1, 1250, "a"), &yes, &e));
        ck_ok(journal_settle(j, add(j, 2, 50, "b"), &yes, &e));
        add(j, 3, 7, "c");
        refund.type = 0x20;
        ck_ok(journal_add(j, &refund, span_str("d"), 0, &id, &e));
        ck_ok(journal_settle(j, id, &yes, &e));
        ck_ok(journal_list(j, JOURNAL_ALL, collect, &stan, &e));
        ck_assert_int_eq(stan - stans, 4);
        ck_assert_uint_eq(stans[0], 4);
        ck_assert_uint_eq(stans[3], 1);
        for (size_t i = 0; i < sizeof(picks) / sizeof(picks[0]); i++) {
            stan = picked;
            ck_ok(journal_list(j, picks[i].which, collect, &stan, &e));
            ck_assert_msg(stan - picked == picks[i].n, "filter %zu: %td", i, stan - picked);
        }
        ck_ok(journal_days(j, collect_day, &day, &e));
        ck_assert_int_eq(day - days, 2);
        ck_assert_int_eq(days[0].state, PAYMENT_SIGNED);
        ck_assert_int_eq(days[0].debits, 7);
        ck_assert_int_eq(days[1].state, PAYMENT_ACKNOWLEDGED);
        ck_assert_int_eq(days[1].count, 3);
        ck_assert_int_eq(days[1].debits, 1300);
        ck_assert_int_eq(days[1].credits, 300);
        ck_assert_int_eq(days[1].date, DAY);
        ck_assert_uint_eq(days[1].currency, 978);
        journal_close(&j);
    }
END_TEST

/* Amounts as typed, for a contract in euros. */
START_TEST(amounts_a_contract_takes)
    {
        static const char *const bad[] = {
            "0",   "0.00", "-1",  "-12.50", "12.505", "1234567890123", "10000000000.00", "",
            "abc", "1e3",  "12.", "1 2",    "+5"};
        const struct currency *eur = currency_by_alpha("EUR");
        int64_t minor;

        ck_ok(pay_amount(&minor, eur, "12.50", "EUR", &e));
        ck_assert_int_eq(minor, 1250);
        ck_ok(pay_amount(&minor, eur, "12,5", NULL, &e));
        ck_assert_int_eq(minor, 1250);
        ck_ok(
            pay_amount(&minor, eur, "9999999999.99", "eur", &e)); /* twelve digits: n 12 of 9F02 */
        ck_assert_int_eq(minor, 999999999999);
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
            ck_assert_msg(pay_amount(&minor, eur, bad[i], "EUR", &e) == TP_ERR_USAGE, "\"%s\"",
                          bad[i]);
        ck_assert_int_eq(pay_amount(&minor, eur, "1", "XXQ", &e), TP_ERR_USAGE);
        ck_assert_ptr_nonnull(strstr(e.text, "XXQ"));
        ck_assert_int_eq(pay_amount(&minor, eur, "1", "USD", &e), TP_ERR_USAGE);
        ck_assert_ptr_nonnull(strstr(e.text, "USD"));
        ck_assert_int_eq(pay_amount(&minor, eur, NULL, "EUR", &e), TP_ERR_USAGE);
    }
END_TEST

/* ---- questions to issuers ---- */

static int64_t ask(struct journal *j, unsigned stan, const char *reversal)
{
    const struct receipt r = a_receipt(stan, 6000);
    int64_t id = 0;

    ck_assert_msg(journal_ask(j, &r, span_str(reversal), &id, &e) == TP_OK, "%s", e.text);
    return id;
}

static void ck_pending(struct journal *j, const char *wanted)
{
    uint8_t room[MESSAGE_MAX];
    struct buf b = BUF_OF(room);
    struct receipt r;
    int64_t id;
    const enum tp_err got = journal_pending(j, 0, &id, &r, &b, &e);

    if (wanted == NULL)
        ck_assert_int_eq(got, TP_ERR_NOT_FOUND);
    else
        ck_assert(got == TP_OK && span_eq(buf_span(&b), span_str(wanted)));
}

START_TEST(a_question_waits_for_nothing_until_it_is_to_be_reversed)
    {
        struct journal *j = open_it();
        const int64_t id = ask(j, 5, "the 0400");
        const struct wire_answer yes = {.code = "00", .rrn = "632700000005"};
        struct receipt r;

        ck_pending(j, NULL); /* nobody takes back what is still being asked */
        ck_ok(journal_reverse(j, id, "632700000005", "no TC", &e));
        ck_pending(j, "the 0400");
        ck_ok(journal_settle(j, id, &yes, &e));
        ck_pending(j, NULL);
        ck_ok(journal_find(j, "632700000005", false, &row, &r, &e));
        ck_assert_int_eq(r.state, PAYMENT_REVERSED);
        ck_assert_str_eq(r.reason, "no TC");
        journal_close(&j);
    }
END_TEST

START_TEST(a_question_that_is_concluded_is_never_reversed)
    {
        struct journal *j = open_it();
        const int64_t id = ask(j, 5, "the 0400");
        struct receipt r = a_receipt(5, 6000);

        r.state = PAYMENT_ACKNOWLEDGED;
        strcpy(r.approval, "A12345");
        strcpy(r.rrn, "632700000005");
        ck_ok(journal_conclude(j, id, &r, &e));
        ck_ok(journal_reverse(j, id, "", "late", &e));
        ck_pending(j, NULL);
        memset(&r, 0, sizeof(r));
        ck_ok(journal_find(j, "632700000005", false, &row, &r, &e));
        ck_assert_int_eq(r.state, PAYMENT_ACKNOWLEDGED);
        ck_assert_str_eq(r.approval, "A12345");
        journal_close(&j);
    }
END_TEST

/* What an asking process leaves behind is reversed by the next; not while it lives. */
START_TEST(lost_questions_are_found_when_their_process_is_gone)
    {
        struct journal *asking = open_it(), *next = open_it();
        size_t n;

        (void)ask(asking, 5, "the 0400");
        ck_ok(journal_recover(next, &n, &e));
        ck_assert_uint_eq(n, 0);
        ck_pending(next, NULL);
        journal_close(&asking); /* as its death would, which drops its lock */
        ck_ok(journal_recover(next, &n, &e));
        ck_assert_uint_eq(n, 1);
        ck_pending(next, "the 0400");
        journal_close(&next);
    }
END_TEST

/* The TC that the card made in place of its ARQC comes behind the ARQC's reversal: before it, its
 * counter would be taken for a replay. */
START_TEST(a_payment_behind_its_reversal)
    {
        struct journal *j = open_it();
        const struct receipt r = a_receipt(6, 6000);
        const struct wire_answer yes = {.code = "00", .rrn = "632700000005"};
        const int64_t asked = ask(j, 5, "the 0400");
        uint8_t room[MESSAGE_MAX];
        struct buf b = BUF_OF(room);
        struct receipt read;
        int64_t id = 0;

        ck_ok(journal_reverse(j, asked, "", "no answer", &e));
        ck_ok(journal_add(j, &r, span_str("the 0200"), asked, &id, &e));
        ck_assert_int_eq(journal_pending(j, asked, &id, &read, &b, &e),
                         TP_ERR_NOT_FOUND); /* the reversal passed over */
        ck_ok(journal_settle(j, asked, &yes, &e));
        ck_pending(j, "the 0200");
        journal_close(&j);
    }
END_TEST

START_TEST(a_reversal_that_comes_too_late)
    {
        struct journal *j = open_it();
        const int64_t id = ask(j, 5, "the 0400");
        const struct wire_answer no = {.code = "12", .reason = "REMISE_CLOSED"};
        struct receipt r;

        ck_ok(journal_reverse(j, id, "632700000005", "no TC", &e));
        ck_ok(journal_settle(j, id, &no, &e));
        ck_pending(j, NULL);
        ck_ok(journal_find(j, "632700000005", false, &row, &r, &e));
        ck_assert_int_eq(r.state, PAYMENT_NOT_REVERSED);
        ck_assert_ptr_nonnull(strstr(r.reason, "REMISE_CLOSED"));
        journal_close(&j);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("journal");
    TCase *c = tcase_create("journal");

    tcase_add_checked_fixture(c, make_folder, remove_folder);
    tcase_add_test(c, numbers_go_on_and_are_durable);
    tcase_add_test(c, numbers_turn_over_and_pass_those_of_the_day);
    tcase_add_test(c, a_number_is_kept_once_a_day);
    tcase_add_test(c, what_is_signed_waits_until_it_is_settled);
    tcase_add_test(c, the_log_stays_until_it_is_much);
    tcase_add_test(c, a_settled_payment_does_not_wait);
    tcase_add_test(c, messages_are_sealed_at_rest);
    tcase_add_test(c, altered_messages_and_lost_keys_are_noticed);
    tcase_add_test(c, a_payment_is_taken_back);
    tcase_add_test(c, what_was_refunded);
    tcase_add_test(c, lists_and_days);
    tcase_add_test(c, amounts_a_contract_takes);
    tcase_add_test(c, a_question_waits_for_nothing_until_it_is_to_be_reversed);
    tcase_add_test(c, a_question_that_is_concluded_is_never_reversed);
    tcase_add_test(c, lost_questions_are_found_when_their_process_is_gone);
    tcase_add_test(c, a_payment_behind_its_reversal);
    tcase_add_test(c, a_reversal_that_comes_too_late);
    suite_add_tcase(s, c);
    return s;
}

UNIT_MAIN(suite)
