/* The terminal and an issuer's answer, on paper cards: issuer_rows.h, and what a row cannot say. */
#include "unit/unit.h"

#include <stdio.h>

#include "issuer_rows.h"
#include "paper.h"

static struct paper_keys keys;

static void make_keys(void)
{
    paper_keys_make(&keys);
}

static void free_keys(void)
{
    paper_keys_free(&keys);
}

/* The commands behind the first GENERATE AC: those, and no other. */
static void check_sent(const struct paper *p, const char *clause, const char *sent)
{
    size_t i = 0, n;

    while (i < p->log_n && strncmp(p->log[i], "80AE", 4) != 0)
        i++;
    for (i++; *sent != '\0'; sent += n + (sent[n] == ' ' ? 1 : 0), i++) {
        n = strcspn(sent, " ");
        ck_assert_msg(i < p->log_n && strncmp(p->log[i], sent, n) == 0,
                      "%s: sent %s, the Books say %.*s", clause,
                      i < p->log_n ? p->log[i] : "nothing", (int)n, sent);
    }
    ck_assert_msg(i == p->log_n, "%s: a command more than foreseen: %s", clause, p->log[i]);
}

/* Each row on T=1 and on T=0, which are alike to a kernel. */
START_TEST(test_rows)
    {
        const struct issuer_row *row = &issuer_rows[_i / 2];
        static struct paper p;
        struct paper_terminal t;
        struct transaction *tx;
        struct tp_error e;
        enum tp_err r;

        paper_prepare(&p, &t, &keys, row->card, row->answers, row->terminal);
        p.t0 = _i % 2 != 0;
        r = paper_run(&tx, &p, &t, &e);
        ck_assert_msg(r == row->error, "%s: error %d", row->clause, r);
        ck_assert_msg(transaction_outcome(tx) == row->outcome,
                      "%s: outcome %d, the Books say %d (%s)", row->clause, transaction_outcome(tx),
                      row->outcome, transaction_reason(tx));
        paper_check_hex(tx, row->clause, TAG_TVR, row->tvr);
        paper_check_hex(tx, row->clause, TAG_TSI, row->tsi);
        paper_check_hex(tx, row->clause, TAG_SCRIPT_RESULTS, row->results);
        paper_check_hex(tx, row->clause, TAG_ARC, row->response);
        check_sent(&p, row->clause, row->sent);
        ck_assert_msg(transaction_reversal_needed(tx) == row->reversal, "%s: reversal",
                      row->clause);
        for (size_t i = 0; i < p.answers_n; i++)
            ck_assert_msg(p.answers[i].used, "%s: %s was never sent", row->clause,
                          p.answers[i].command);
        transaction_free(&tx);
    }
END_TEST

/* CDOL2 may ask for the authentication, the approval code and the TVR with what came
 * before: 10.9, 5.4. */
START_TEST(test_second_data)
    {
        static struct paper p;
        struct paper_terminal t;
        struct transaction *tx;
        struct tp_error e;

        paper_prepare(&p, &t, &keys, "aip=1C00 8D=8A02910A8906950591049F3704",
                      "0082=6300 8424=6985",
                      FLOOR "online=0000008000 arc=00 approval=A1B2C3 " IAD10 "scripts=710F" C1);
        ck_ok(paper_run(&tx, &p, &t, &e));
        check_sent(&p, "5.4", TO10 " " PIN_UNBLOCK " 80AE40");
        ck_hex(transaction_get(tx, TAG_EV_CDOL2_VALUES), "3030"
                                                         "11223344556677883030"
                                                         "413142324333"
                                                         "8000008060"
                                                         "11223344"
                                                         "DEADBEEF");
        ck_hex(transaction_get(tx, TAG_AUTHORISATION_CODE), "413142324333");
        ck_hex(transaction_get(tx, TAG_ISSUER_AUTH_DATA), "11223344556677883030");
        ck_assert_int_eq(transaction_outcome(tx), KERNEL_APPROVED);
        transaction_free(&tx);
    }
END_TEST

/* Scripts far over the 128 bytes that every terminal takes (Book 4, 6.3.9) are taken too, as long
 * as they fit. */
START_TEST(test_long_scripts)
    {
        static struct paper p;
        struct paper_terminal t;
        struct transaction *tx;
        struct tp_error e;
        struct buf b;

        paper_prepare(&p, &t, &keys, ONLINE, "", FLOOR "arc=00");
        b = (struct buf){t.issuer.scripts.p, 0, sizeof(t.issuer.scripts.p)};
        for (unsigned i = 0; i < 2; i++) { /* 72, 254 bytes: one command of 245 bytes of data */
            ck_ok(hex_decode(&b, "7281FE8681FB04DA9F58F6"));
            ck_ok(buf_fill(&b, 0x55, i == 0 ? 246 : 240));
        }
        t.issuer.scripts.n = b.n;
        ck_assert_uint_gt(b.n, 500);
        ck_ok(paper_run(&tx, &p, &t, &e));
        ck_assert_int_eq(transaction_outcome(tx), KERNEL_APPROVED);
        ck_assert_uint_eq(paper_sent(&p, "04DA9F58F65555"),
                          1); /* the second ends too early, and is not begun */
        paper_check_hex(tx, "Book 4 6.3.9", TAG_SCRIPT_RESULTS, "11000000000000000000");
        transaction_free(&tx);
    }
END_TEST

/* As many scripts as an answer has room for: empty ones are done at once (10.10), each has its
 * result. */
START_TEST(test_many_scripts)
    {
        static const char *const kinds[] = {"7100", "7200"};

        for (size_t k = 0; k < 2; k++) {
            static struct paper p;
            struct paper_terminal t;
            struct transaction *tx;
            struct tp_error e;
            struct span results;
            struct buf b;

            paper_prepare(&p, &t, &keys, ONLINE, "", FLOOR "arc=00");
            b = (struct buf){t.issuer.scripts.p, 0, sizeof(t.issuer.scripts.p)};
            while (b.n < KERNEL_SCRIPTS_MAX)
                ck_ok(hex_decode(&b, kinds[k]));
            t.issuer.scripts.n = b.n;
            ck_ok(paper_run(&tx, &p, &t, &e));
            ck_assert_msg(transaction_outcome(tx) == KERNEL_APPROVED, "%s", transaction_reason(tx));
            results = transaction_get(tx, TAG_SCRIPT_RESULTS);
            ck_assert_uint_eq(results.n, KERNEL_SCRIPTS_MAX / 2 * 5);
            for (size_t i = 0; i < results.n; i += 5)
                ck_hex(span_of(results.p + i, 5), "2000000000");
            transaction_free(&tx);
        }
    }
END_TEST

/* An answer that says it is longer than there is room is a fault of who asked the issuer. */
START_TEST(test_answer_that_lies)
    {
        static struct paper p;
        struct paper_terminal t;
        struct transaction *tx;
        struct tp_error e;

        for (unsigned i = 0; i < 3; i++) {
            paper_prepare(&p, &t, &keys, ONLINE, "", FLOOR "arc=00");
            if (i == 0)
                t.issuer.scripts.n = sizeof(t.issuer.scripts.p) + 1;
            else if (i == 1)
                t.issuer.authentication.n = sizeof(t.issuer.authentication.p) + 1;
            else
                memset(t.issuer.approval, 'A', sizeof(t.issuer.approval));
            ck_assert_int_eq(paper_run(&tx, &p, &t, &e), TP_ERR_INTERNAL);
            ck_assert_int_eq(transaction_outcome(tx), KERNEL_TERMINATED);
            transaction_free(&tx);
        }
    }
END_TEST

START_TEST(test_reasons)
    {
        static const struct {
            const char *card, *terminal, *reason;
        } all[] = {
            {ONLINE, FLOOR "arc=01", "declined by the terminal: the issuer wants to be called"},
            {ONLINE "ac2=01", FLOOR "arc=00", "declined by the card: service not allowed"},
            {ONLINE "ac2=02", FLOOR "arc=00", "declined by the card: PIN try limit exceeded"},
            {ONLINE "ac2=0B", FLOOR "arc=00",
             "declined by the card: issuer authentication failed"}, /* bit 4: advice wanted */
            {ONLINE "ac2=00", FLOOR "arc=00", "declined by the card"},
        };
        static struct paper p;

        for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
            struct paper_terminal t;
            struct transaction *tx;
            struct tp_error e;

            paper_prepare(&p, &t, &keys, all[i].card, "", all[i].terminal);
            ck_ok(paper_run(&tx, &p, &t, &e));
            ck_assert_str_eq(transaction_reason(tx), all[i].reason);
            transaction_free(&tx);
        }
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("kernel issuer");
    TCase *c = tcase_create("paper");

    tcase_add_unchecked_fixture(c, make_keys, free_keys);
    tcase_set_timeout(c, 60);
    tcase_add_loop_test(c, test_rows, 0, 2 * (int)(sizeof(issuer_rows) / sizeof(issuer_rows[0])));
    tcase_add_test(c, test_second_data);
    tcase_add_test(c, test_long_scripts);
    tcase_add_test(c, test_many_scripts);
    tcase_add_test(c, test_answer_that_lies);
    tcase_add_test(c, test_reasons);
    suite_add_tcase(s, c);
    return s;
}

UNIT_MAIN(suite)
