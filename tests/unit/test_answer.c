/* What an answer says, into a message and out of it, and what an answer repeats of its request. */
#include "unit.h"

#include "wire/answer.h"
#include "wire/echo.h"

static struct iso8583 m, again;
static uint8_t room[ISO8583_MAX];

/* As it travels: packed and unpacked. */
static void travel(void)
{
    struct buf out = BUF_OF(room);

    ck_ok(iso8583_pack(&out, &m, NULL));
    ck_ok(iso8583_unpack(&again, buf_span(&out), NULL));
}

START_TEST(what_is_put_is_read)
    {
        struct wire_answer a, b;
        struct tp_error e;

        wire_answer_set(&a, "00", NULL);
        memcpy(a.rrn, "632700000042", sizeof(a.rrn));
        memcpy(a.approval, "A12345", sizeof(a.approval));
        memcpy(a.data,
               "\x8A\x02"
               "00",
               4);
        a.data_n = 4;
        iso8583_start(&m, MTI_FINANCIAL_RESPONSE);
        wire_answer_put(&m, &a);
        travel();
        ck_ok(wire_answer_read(&b, &again, &e));
        ck_assert(wire_answer_is_yes(&b));
        ck_assert_str_eq(b.rrn, a.rrn);
        ck_assert_str_eq(b.approval, a.approval);
        ck_assert_str_eq(b.reason, "");
        ck_hex(span_of(b.data, b.data_n), "8A023030");
    }
END_TEST

/* What there is nothing of stands in no field. */
START_TEST(a_refusal_is_code_and_reason)
    {
        struct wire_answer a, b;

        memset(&a, 'X', sizeof(a));
        wire_answer_set(&a, "63", "ATC_REPLAYED");
        iso8583_start(&m, MTI_FINANCIAL_RESPONSE);
        wire_answer_put(&m, &a);
        travel();
        ck_assert(!iso8583_has(&again, 37) && !iso8583_has(&again, 38) && !iso8583_has(&again, 55));
        ck_ok(wire_answer_read(&b, &again, NULL));
        ck_assert(!wire_answer_is_yes(&b));
        ck_assert_str_eq(b.code, "63");
        ck_assert_str_eq(b.reason, "ATC_REPLAYED");
        ck_assert_uint_eq(b.data_n, 0);
    }
END_TEST

START_TEST(what_cannot_be_read_is_none)
    {
        struct wire_answer a;
        struct tp_error e;

        iso8583_start(&m, MTI_FINANCIAL_RESPONSE);
        ck_assert_int_eq(wire_answer_read(&a, &m, &e), TP_ERR_PEER);
        ck_assert_ptr_nonnull(strstr(e.text, "39"));
        iso8583_set_text(&m, 39, "0");
        ck_assert_int_eq(wire_answer_read(&a, &m, &e), TP_ERR_PEER);
        iso8583_set_text(&m, 39, "00");
        ck_ok(wire_answer_read(&a, &m, &e));
        iso8583_set(&m, 55, span_of("\x8A\x03", 2)); /* three bytes announced, none there */
        ck_assert_int_eq(wire_answer_read(&a, &m, &e), TP_ERR_PEER);
        ck_assert_ptr_nonnull(strstr(e.text, "55"));
    }
END_TEST

/* The copy outlives the request; what the request had not is not made up. */
START_TEST(answers_repeat_their_request)
    {
        struct echo echo;

        iso8583_start(&m, MTI_FINANCIAL_REPEAT);
        iso8583_set_text(&m, 2, "9990140000000015");
        iso8583_set_number(&m, 4, 1250);
        iso8583_set_number(&m, 11, 42);
        iso8583_set_text(&m, 42, "000000000000123");
        echo_take(&echo, &m, PROFILE_TERMINAL);
        memset(&m, 0, sizeof(m));
        echo_start(&again, &echo);
        ck_ok(iso8583_fault(&again, NULL));
        ck_assert_uint_eq(again.mti, MTI_FINANCIAL_RESPONSE);
        ck_assert(span_eq(again.field[4], span_str("000000001250")));
        ck_assert(span_eq(again.field[11], span_str("000042")));
        ck_assert(span_eq(again.field[42], span_str("000000000000123")));
        ck_assert(!iso8583_has(&again, 2) && !iso8583_has(&again, 3) && !iso8583_has(&again, 41));
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("answer");
    TCase *t = tcase_create("answer");

    tcase_add_test(t, what_is_put_is_read);
    tcase_add_test(t, a_refusal_is_code_and_reason);
    tcase_add_test(t, what_cannot_be_read_is_none);
    tcase_add_test(t, answers_repeat_their_request);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
