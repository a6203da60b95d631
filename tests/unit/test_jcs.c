/* Canonical JSON and base64url: the scheme's vectors, RFC 8785, and what is refused. */
#include "payment_vectors.h"

#include <float.h>

#include "base/base64.h"
#include "wire/jcs.h"

static char *canonical(const char *text)
{
    json_t *value;
    char *out = NULL;
    struct tp_error e = {0};

    if (jcs_read(&value, span_str(text), &e) == TP_OK)
        ck_ok(jcs_write(&out, value, &e));
    else
        ck_assert_str_ne(e.text, "");
    json_decref(value);
    return out;
}

START_TEST(every_vector_of_canonicalization_holds)
    {
        json_t *all = vectors_load("payment-scheme.json"), *vector;
        size_t vector_at;

        FOR_EACH_VECTOR(all, "canonicalization", 22)
        {
            char *out = canonical(vector_text(vector, "input"));

            if (vector_fails(vector))
                ck_assert_ptr_null(out);
            else
                ck_assert_str_eq(out, vector_text(vector, "canonical"));
            free(out);
        }
        json_decref(all);
    }
END_TEST

START_TEST(every_vector_of_base64url_holds)
    {
        json_t *all = vectors_load("payment-scheme.json"), *vector;
        size_t vector_at;

        FOR_EACH_VECTOR(all, "base64url", 17)
        {
            const char *encoded = vector_text(vector, "encoded"),
                       *hex = vector_text(vector, "decodedHex");
            uint8_t room[64], want_room[64];
            struct buf out = BUF_OF(room), want = BUF_OF(want_room);
            char text[BASE64URL_SIZE(64)];

            if (vector_fails(vector)) {
                ck_assert_int_eq(base64url_decode(&out, span_str(encoded)), TP_ERR_FORMAT);
                ck_assert_uint_eq(out.n, 0);
                continue;
            }
            ck_ok(hex_decode(&want, hex != NULL ? hex : ""));
            ck_ok(base64url_decode(&out, span_str(encoded)));
            ck_assert(span_eq(buf_span(&out), buf_span(&want)));
            base64url_encode(text, buf_span(&want));
            ck_assert_int_eq(strcmp(text, encoded) == 0,
                             json_is_true(json_object_get(vector, "canonical")));
        }
        json_decref(all);
    }
END_TEST

/* RFC 8785, Appendix B, and the powers of two where the closest decimal is another's. */
START_TEST(numbers_are_those_of_ecmascript)
    {
        static const struct {
            uint64_t bits;
            const char *text;
        } row[] = {
            {0x0000000000000000, "0"},
            {0x8000000000000000, "0"},
            {0x0000000000000001, "5e-324"},
            {0x8000000000000001, "-5e-324"},
            {0x7fefffffffffffff, "1.7976931348623157e+308"},
            {0xffefffffffffffff, "-1.7976931348623157e+308"},
            {0x4340000000000000, "9007199254740992"},
            {0xc340000000000000, "-9007199254740992"},
            {0x4430000000000000, "295147905179352830000"},
            {0x44b52d02c7e14af5, "9.999999999999997e+22"},
            {0x44b52d02c7e14af6, "1e+23"},
            {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
            {0x444b1ae4d6e2ef4e, "999999999999999700000"},
            {0x444b1ae4d6e2ef4f, "999999999999999900000"},
            {0x444b1ae4d6e2ef50, "1e+21"},
            {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
            {0x3eb0c6f7a0b5ed8d, "0.000001"},
            {0x41b3de4355555553, "333333333.3333332"},
            {0x41b3de4355555554, "333333333.33333325"},
            {0x41b3de4355555555, "333333333.3333333"},
            {0x41b3de4355555556, "333333333.3333334"},
            {0x41b3de4355555557, "333333333.33333343"},
            {0xbecbf647612f3696, "-0.0000033333333333333333"},
            {0x43143ff3c1cb0959, "1424953923781206.2"},
            {0x3a70000000000000, "3.2311742677852644e-27"},
            {0x0060000000000000, "7.120236347223045e-307"},
        };

        for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
            double d;
            char *out;

            memcpy(&d, &row[i].bits, sizeof(d));

            json_t *value = json_real(d);

            ck_ok(jcs_write(&out, value, NULL));
            ck_assert_str_eq(out, row[i].text);
            free(out);
            json_decref(value);
        }
    }
END_TEST

START_TEST(what_is_no_json_is_refused_with_a_sentence_that_does_not_show_it)
    {
        static const char *const bad[] = {
            "",
            "{\"secret\":1,\"secret\":2}",
            "{\"secret\":\"\\ud800\"}",        /* a lone surrogate */
            "{\"secret\":\"\\udc00\\ud800\"}", /* two in the wrong order */
            "{\"secret\":\"\xED\xA0\x80\"}",   /* one as UTF-8 */
            "{\"secret\":\"\xC0\xAF\"}",       /* an overlong '/' */
            "{\"secret\":1e400}",
            "{\"secret\":NaN}",
            "{\"secret\":1} secret",
            "{\"secret\":\"\t\"}",
            "{\"\\u0000\":1}",
        };

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
            struct tp_error e = {0};
            json_t *value;

            ck_assert_int_eq(jcs_read(&value, span_str(bad[i]), &e), TP_ERR_FORMAT);
            ck_assert_ptr_null(value);
            ck_assert_str_ne(e.text, "");
            ck_assert_ptr_null(strstr(e.text, "secret"));
        }
    }
END_TEST

START_TEST(integers_beyond_64_bits_are_doubles)
    {
        char *out = canonical("[12345678901234567890,1]");

        ck_assert_str_eq(out, "[12345678901234567000,1]");
        free(out);
    }
END_TEST

START_TEST(depth_has_a_bound_in_both_directions)
    {
        char text[2 * JCS_DEPTH_MAX + 3] = "";
        json_t *value, *deep = json_array();
        char *out;

        memset(text, '[', JCS_DEPTH_MAX);
        memset(text + JCS_DEPTH_MAX, ']', JCS_DEPTH_MAX);
        out = canonical(text);
        ck_assert_str_eq(out, text);
        free(out);
        memset(text, '[', JCS_DEPTH_MAX + 1);
        memset(text + JCS_DEPTH_MAX + 1, ']', JCS_DEPTH_MAX + 1);
        ck_assert_int_eq(jcs_read(&value, span_str(text), NULL), TP_ERR_FORMAT);
        ck_ok(jcs_read(&value, span_str("\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[\""),
                       NULL));
        json_decref(value);
        for (int i = 0; i < JCS_DEPTH_MAX; i++) {
            json_t *outer = json_array();

            json_array_append_new(outer, deep);
            deep = outer;
        }
        ck_assert_int_eq(jcs_write(&out, deep, NULL), TP_ERR_RANGE);
        ck_assert_ptr_null(out);
        json_decref(deep);
    }
END_TEST

START_TEST(objects_go_through_base64url)
    {
        struct tp_error e = {0};
        json_t *value, *back;
        const char *text;
        char *out;

        ck_ok(jcs_read(&value, span_str("{\"b\":1,\"a\":\"x\",\"z\":\"a\\u0000b\"}"), &e));
        ck_ok(jcs_encode(&out, value, &e));
        ck_assert_str_eq(out, "eyJhIjoieCIsImIiOjEsInoiOiJhXHUwMDAwYiJ9");
        ck_ok(jcs_decode(&back, span_str(out), 64, &e));
        ck_assert(json_equal(value, back));
        ck_assert_int_eq(jcs_text(&text, back, "z", &e), TP_ERR_FORMAT); /* it would end early */
        ck_assert_int_eq(jcs_text(&text, back, "b", &e), TP_ERR_FORMAT);
        ck_assert_str_eq(e.text, "b is no text");
        ck_ok(jcs_text(&text, back, "a", &e));
        ck_assert_str_eq(text, "x");
        ck_ok(jcs_text(&text, back, "none", &e));
        ck_assert_ptr_null(text);
        json_decref(back);
        ck_assert_int_eq(jcs_decode(&back, span_str(out), 29, &e), TP_ERR_RANGE);
        free(out);
        ck_ok(jcs_encode_in_order(&out, value, &e));
        ck_assert_str_eq(out, "eyJiIjoxLCJhIjoieCIsInoiOiJhXHUwMDAwYiJ9");
        free(out);
        json_decref(value);
        ck_assert_int_eq(jcs_decode(&back, span_str("W10"), 64, &e), TP_ERR_FORMAT); /* [] */
        ck_assert_ptr_null(back);
    }
END_TEST

START_TEST(the_hash_is_that_of_the_canonical_text)
    {
        json_t *value;
        uint8_t hash[32];

        ck_ok(jcs_read(&value, span_str(" { } "), NULL));
        ck_ok(jcs_hash(hash, value, NULL));
        ck_hex(SPAN_OF(hash), "44136FA355B3678A1146AD16F7E8649E94FB4FC21FE77E8310C060F61CAAFF8A");
        json_decref(value);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("jcs");
    TCase *t = tcase_create("jcs");

    tcase_add_test(t, every_vector_of_canonicalization_holds);
    tcase_add_test(t, every_vector_of_base64url_holds);
    tcase_add_test(t, numbers_are_those_of_ecmascript);
    tcase_add_test(t, what_is_no_json_is_refused_with_a_sentence_that_does_not_show_it);
    tcase_add_test(t, integers_beyond_64_bits_are_doubles);
    tcase_add_test(t, depth_has_a_bound_in_both_directions);
    tcase_add_test(t, objects_go_through_base64url);
    tcase_add_test(t, the_hash_is_that_of_the_canonical_text);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
