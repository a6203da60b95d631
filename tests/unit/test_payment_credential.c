/* Credentials: the vectors, the body form, and by what one is known again. */
#include "payment_vectors.h"

#include "base/base64.h"
#include "wire/http_auth.h"
#include "wire/payment_credential.h"

#define CHALLENGE                                                                                  \
    "\"challenge\":{\"id\":\"i\",\"realm\":\"r\",\"method\":\"emv\",\"intent\":\"charge\","        \
    "\"request\":\"e30\"}"

START_TEST(every_vector_is_read_and_written)
    {
        json_t *all = vectors_load("payment-scheme.json"), *vector;
        size_t vector_at;

        FOR_EACH_VECTOR(all, "credentials", 11)
        {
            const char *header = vector_text(vector, "header"),
                       *json = vector_text(vector, "credentialJson");
            struct payment_credential c = {0}, body = {0};
            struct tp_error e = {0};
            char *out;

            if (vector_fails(vector)) {
                ck_assert_int_ne(payment_credential_read(&c, span_str(header), &e), TP_OK);
                ck_assert_str_ne(e.text, "");
                ck_assert_ptr_null(c.owner);
                continue;
            }
            ck_ok(payment_credential_read(&c, span_str(header), &e));
            ck_ok(payment_credential_write(&out, &c, &e));
            ck_assert_str_eq(out + strlen(PAYMENT_SCHEME), header + strlen(PAYMENT_SCHEME));
            free(out);
            ck_ok(payment_credential_write_json(&out, &c, &e));
            ck_assert_int_eq(payment_credential_read_json(&body, span_str(json), &e), TP_OK);
            ck_assert(json_equal(c.owner, body.owner));

            json_t *want = json_loads(json, 0, NULL), *have = json_loads(out, 0, NULL);

            ck_assert(json_equal(want, have));
            json_decref(want);
            json_decref(have);
            free(out);
            payment_credential_free(&body);
            payment_credential_free(&c);
        }
        json_decref(all);
    }
END_TEST

START_TEST(a_field_may_hold_other_schemes_and_one_payment)
    {
        static const struct {
            const char *field;
            enum tp_err code;
        } row[] = {
            {"Bearer abc", TP_ERR_NOT_FOUND},
            {"", TP_ERR_NOT_FOUND},
            {"Bearer abc, Payment %s", TP_OK},
            {"PAYMENT   %s, Digest a=\"b\"", TP_OK},
            {"Payment %s, Payment %s", TP_ERR_EXISTS},
            {"Payment %s,Bearer a,payment x", TP_ERR_EXISTS},
            {"Payment", TP_ERR_FORMAT},
            {"Payment id=x", TP_ERR_FORMAT},
            {"Payment %s x", TP_ERR_FORMAT},
            {"Payment %s==", TP_ERR_FORMAT}, /* its padding would be one */
        };
        char token[512], field[2048];
        const char *json = "{" CHALLENGE ",\"payload\":{}}";

        base64url_encode(token, span_str(json));
        for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
            struct payment_credential c;
            struct tp_error e = {0};
            char *w = field;

            for (const char *p = row[i].field; *p != '\0'; p++)
                if (p[0] == '%')
                    w = stpcpy(w, token), p++;
                else
                    *w++ = *p;
            *w = '\0';
            ck_assert_msg(payment_credential_read(&c, span_str(field), &e) == row[i].code, "%s: %s",
                          field, e.text);
            ck_assert_ptr_null(strstr(e.text, token));
            payment_credential_free(&c);
        }
    }
END_TEST

START_TEST(what_is_malformed_is_refused)
    {
        static const char *const bad[] = {
            "[]",
            "{\"payload\":{}}",
            "{" CHALLENGE "}",
            "{" CHALLENGE ",\"payload\":\"x\"}",
            "{" CHALLENGE ",\"payload\":{},\"source\":1}",
            "{" CHALLENGE ",\"payload\":{},\"payload\":{}}",
            "{" CHALLENGE ",\"payload\":{\"a\":1,\"a\":1}}",
            "{\"challenge\":[],\"payload\":{}}",
            "{\"challenge\":{\"id\":\"i\",\"realm\":\"r\",\"method\":\"emv\",\"intent\":\"charge\","
            "\"request\":\"e30\",\"header\":\"Cookie\"},\"payload\":{}}",
            "{\"challenge\":{\"id\":\"i\\u0000\",\"realm\":\"r\",\"method\":\"emv\","
            "\"intent\":\"charge\",\"request\":\"e30\"},\"payload\":{}}",
            "{" CHALLENGE ",\"payload\":{}} ,",
        };

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
            struct payment_credential c;
            struct tp_error e = {0};

            ck_assert_msg(payment_credential_read_json(&c, span_str(bad[i]), &e) == TP_ERR_FORMAT,
                          "%s", bad[i]);
            ck_assert_str_ne(e.text, "");
            ck_assert_ptr_null(c.owner);
        }
    }
END_TEST

START_TEST(unknown_members_are_passed_over)
    {
        const char *json = "{\"colour\":1," CHALLENGE ",\"payload\":{\"x\":1},\"source\":\"s\"}";
        struct payment_credential c;
        char *out;

        ck_ok(payment_credential_read_json(&c, span_str(json), NULL));
        ck_assert_str_eq(c.challenge.request, "e30");
        ck_assert_str_eq(c.source, "s");
        ck_ok(payment_credential_write_json(&out, &c, NULL));
        ck_assert_str_eq(out, "{" CHALLENGE ",\"source\":\"s\",\"payload\":{\"x\":1}}");
        free(out);
        payment_credential_free(&c);
        ck_assert_ptr_null(c.payload);
        ck_assert_int_eq(payment_credential_write_json(&out, &c, NULL), TP_ERR_FORMAT);
        ck_assert_int_eq(payment_credential_write(&out, &c, NULL), TP_ERR_FORMAT);
    }
END_TEST

START_TEST(sizes_have_bounds)
    {
        const size_t n = PAYMENT_CREDENTIAL_MAX + 1;
        struct payment_credential c;
        char *large = malloc(n);

        memset(large, ' ', n);
        ck_assert_int_eq(payment_credential_read_json(&c, span_of(large, n), NULL), TP_ERR_RANGE);
        ck_assert_int_eq(payment_credential_read_json(&c, span_of(large, n - 1), NULL),
                         TP_ERR_FORMAT);
        ck_assert_int_eq(payment_credential_read(&c, span_of(large, HTTP_AUTH_FIELD_MAX + 1), NULL),
                         TP_ERR_RANGE);
        free(large);
    }
END_TEST

static void hash_of(uint8_t out[32], const char *json)
{
    struct payment_credential c;

    ck_ok(payment_credential_read_json(&c, span_str(json), NULL));
    ck_ok(payment_credential_hash(out, &c, NULL));
    payment_credential_free(&c);
}

START_TEST(a_credential_is_known_again_however_it_is_spelled)
    {
        static const char *const same[] = {
            "{\"payload\":{\"b\":\"\\u0041\",\"a\":1.0},\n" CHALLENGE "}",
            "{\"x\":[]," CHALLENGE ",\"payload\":{\"a\":1,\"b\":\"A\"}}",
            "{\"challenge\":{\"request\":\"e30\",\"description\":\"other\",\"id\":\"i\","
            "\"realm\":\"r\",\"method\":\"emv\",\"intent\":\"charge\",\"y\":1},"
            "\"payload\":{\"a\":1,\"b\":\"A\"}}",
        };
        static const char *const other[] = {
            "{" CHALLENGE ",\"payload\":{\"a\":1,\"b\":\"B\"}}",
            "{" CHALLENGE ",\"payload\":{\"a\":1,\"b\":\"A\"},\"source\":\"s\"}",
            ("{\"challenge\":{\"request\":\"e30\",\"id\":\"j\",\"realm\":\"r\",\"method\":\"emv\","
             "\"intent\":\"charge\"},\"payload\":{\"a\":1,\"b\":\"A\"}}"),
        };
        uint8_t first[32], hash[32];

        hash_of(first, "{" CHALLENGE ",\"payload\":{\"a\":1,\"b\":\"A\"}}");
        for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
            hash_of(hash, same[i]);
            ck_assert_mem_eq(first, hash, 32);
        }
        for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
            hash_of(hash, other[i]);
            ck_assert_mem_ne(first, hash, 32);
        }
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("payment_credential");
    TCase *t = tcase_create("payment_credential");

    tcase_add_test(t, every_vector_is_read_and_written);
    tcase_add_test(t, a_field_may_hold_other_schemes_and_one_payment);
    tcase_add_test(t, what_is_malformed_is_refused);
    tcase_add_test(t, unknown_members_are_passed_over);
    tcase_add_test(t, sizes_have_bounds);
    tcase_add_test(t, a_credential_is_known_again_however_it_is_spelled);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
