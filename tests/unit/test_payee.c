/* What a card signs of its payee: against digests that Python's hashlib and `openssl dgst -sha256`
 * worked out of the text in doc/protocol.md. */
#include "unit.h"

#include "base/hex.h"
#include "crypto/payee.h"

START_TEST(at_a_counter)
    {
        const struct payee p = {
            "0123456789ABCDEF", "000000000000123", "00000001", 42, 20261123, 101500};
        struct payee long_number = p, morning = p, endless = p;
        char hex[2 * PAYEE_DIGEST + 1];
        uint8_t digest[PAYEE_DIGEST];

        ck_ok(payee_at_counter(digest, &p));
        ck_assert_str_eq(hex_encode(hex, SPAN_OF(digest)),
                         "E2CD88A382EE3567EE69F018ADF0C27626DAEA2E347DC98207AD8FB5D048864C");
        long_number.counter = 12000042; /* 9F41 has eight digits, DE 11 six */
        ck_ok(payee_at_counter(digest, &long_number));
        ck_assert_str_eq(hex_encode(hex, SPAN_OF(digest)),
                         "E2CD88A382EE3567EE69F018ADF0C27626DAEA2E347DC98207AD8FB5D048864C");
        morning.time = 905;
        ck_ok(payee_at_counter(digest, &morning));
        ck_assert_str_eq(hex_encode(hex, SPAN_OF(digest)),
                         "EE218F32B32A82594B329E95FFB4F83617CB8A58237768D70742EBF510F48622");
        endless.contract = "01234567890123456789012345678901234567890123456789012345678901234567890"
                           "1234567890123456789";
        ck_assert_int_eq(payee_at_counter(digest, &endless), TP_ERR_RANGE);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("payee");
    TCase *t = tcase_create("payee");

    tcase_add_test(t, at_a_counter);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
