/* The request of a charge. */
#include "unit.h"

#include "base/base64.h"
#include "wire/payment_charge.h"

START_TEST(a_charge_is_written_canonically_and_read_again)
    {
        json_t *details = json_pack("{s:s}", "order", "x");
        const struct payment_charge c = {.amount = "250",
                                         .currency = "eur",
                                         .recipient = "100000000000001",
                                         .description = "Q&A <1>",
                                         .external_id = "ORDER",
                                         .method_details = details};
        const char *canonical =
            "{\"amount\":\"250\",\"currency\":\"eur\",\"description\":\"Q&A <1>\","
            "\"externalId\":\"ORDER\",\"methodDetails\":{\"order\":\"x\"},"
            "\"recipient\":\"100000000000001\"}";
        struct payment_charge back;
        char *request, text[512];
        int64_t minor;

        ck_ok(payment_charge_write(&request, &c, NULL));
        ck_assert_str_eq(request, base64url_encode(text, span_str(canonical)));
        ck_ok(payment_charge_read(&back, request, NULL));
        ck_assert_str_eq(back.amount, c.amount);
        ck_assert_str_eq(back.currency, c.currency);
        ck_assert_str_eq(back.recipient, c.recipient);
        ck_assert_str_eq(back.description, c.description);
        ck_assert_str_eq(back.external_id, c.external_id);
        ck_assert(json_equal(back.method_details, details));
        ck_ok(payment_charge_amount(&minor, &back, NULL));
        ck_assert_int_eq(minor, 250);
        payment_charge_free(&back);
        ck_assert_ptr_null(back.amount);
        free(request);
        json_decref(details);
    }
END_TEST

START_TEST(what_is_no_charge_is_refused_by_member)
    {
        static const struct {
            const char *json, *says;
        } bad[] = {
            {"{}", "amount"},
            {"{\"amount\":250,\"currency\":\"eur\"}", "amount is no text"},
            {"{\"amount\":\"2.50\",\"currency\":\"eur\"}", "amount"},
            {"{\"amount\":\"-1\",\"currency\":\"eur\"}", "amount"},
            {"{\"amount\":\"01\",\"currency\":\"eur\"}", "amount"},
            {"{\"amount\":\"\",\"currency\":\"eur\"}", "amount"},
            {"{\"amount\":\"1\"}", "currency"},
            {"{\"amount\":\"1\",\"amount\":\"2\",\"currency\":\"eur\"}", "twice"},
            {"{\"amount\":\"1\",\"currency\":\"eur\",\"recipient\":{}}", "recipient"},
            {"{\"amount\":\"1\",\"currency\":\"eur\",\"methodDetails\":[]}", "methodDetails"},
            {"{\"amount\":\"1\\u0000\",\"currency\":\"eur\"}", "amount"},
            {"[]", "no object"},
            {"{", "no JSON"},
        };

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
            struct payment_charge c;
            struct tp_error e = {0};
            char request[512];

            base64url_encode(request, span_str(bad[i].json));
            ck_assert_int_eq(payment_charge_read(&c, request, &e), TP_ERR_FORMAT);
            ck_assert_msg(strstr(e.text, bad[i].says) != NULL, "%s: %s", bad[i].json, e.text);
            ck_assert_ptr_null(c.owner);
        }
    }
END_TEST

START_TEST(sizes_and_amounts_have_bounds)
    {
        struct payment_charge c = {.amount = "0", .currency = "eur"};
        char *large = calloc(1, 2 * PAYMENT_REQUEST_MAX), *request;
        struct payment_charge back;
        int64_t minor;

        ck_ok(payment_charge_amount(&minor, &c, NULL));
        ck_assert_int_eq(minor, 0);
        c.amount = "999999999999";
        ck_ok(payment_charge_amount(&minor, &c, NULL));
        c.amount = "1000000000000";
        ck_assert_int_eq(payment_charge_amount(&minor, &c, NULL), TP_ERR_RANGE);
        c.amount = "99999999999999999999999999999999999";
        ck_assert_int_eq(payment_charge_amount(&minor, &c, NULL), TP_ERR_RANGE);
        memset(large, 'A', 2 * PAYMENT_REQUEST_MAX - 1);
        ck_assert_int_eq(payment_charge_read(&back, large, NULL), TP_ERR_RANGE);
        c.description = "\xE9";
        ck_assert_int_eq(payment_charge_write(&request, &c, NULL), TP_ERR_FORMAT);
        ck_assert_ptr_null(request);
        c.amount = "x";
        ck_assert_int_eq(payment_charge_write(&request, &c, NULL), TP_ERR_FORMAT);
        free(large);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("payment_charge");
    TCase *t = tcase_create("payment_charge");

    tcase_add_test(t, a_charge_is_written_canonically_and_read_again);
    tcase_add_test(t, what_is_no_charge_is_refused_by_member);
    tcase_add_test(t, sizes_and_amounts_have_bounds);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
