/* Challenges: the vectors of headers, lists and ids, R, and what no client may answer. */
#include "payment_vectors.h"

#include "wire/jcs.h"
#include "wire/payment_challenge.h"

static const char *const names[] = {"id",      "realm",  "method",      "intent", "request",
                                    "expires", "digest", "description", "opaque", "header"};

/* As a vector has it, without the checks of a reader. */
static struct payment_challenge of_vector(const json_t *params)
{
    const char *text[10];

    for (size_t i = 0; i < 10; i++)
        text[i] = vector_text(params, names[i]);
    return (struct payment_challenge){.id = text[0],
                                      .realm = text[1],
                                      .method = text[2],
                                      .intent = text[3],
                                      .request = text[4],
                                      .expires = text[5],
                                      .digest = text[6],
                                      .description = text[7],
                                      .opaque = text[8],
                                      .header = text[9]};
}

static void check_same(const struct payment_challenge *c, const json_t *params)
{
    json_t *object;

    ck_ok(payment_challenge_to_json(&object, c, NULL));
    ck_assert(json_equal(object, params));
    json_decref(object);
}

static const struct payment_challenge sample = {.id = "i",
                                                .realm = "r",
                                                .method = "emv",
                                                .intent = "charge",
                                                .request = "e30",
                                                .expires = "2026-11-29T00:00:00Z"};

START_TEST(every_vector_of_headers_is_written_and_read)
    {
        json_t *all = vectors_load("payment-scheme.json"), *vector;
        size_t vector_at;

        FOR_EACH_VECTOR(all, "challengeHeaders", 6)
        {
            const struct payment_challenge c = of_vector(json_object_get(vector, "params"));
            struct payment_offers offers = {0};
            char *field;

            ck_ok(payment_challenge_write(&field, &c, NULL));
            ck_assert_str_eq(field, vector_text(vector, "header"));
            ck_ok(payment_offers_add(&offers, span_str(field), NULL));
            ck_assert_uint_eq(offers.n, 1);
            check_same(&offers.offer[0], json_object_get(vector, "parsed"));
            payment_offers_free(&offers);
            free(field);
        }
        json_decref(all);
    }
END_TEST

START_TEST(every_vector_of_lists_is_read)
    {
        json_t *all = vectors_load("payment-scheme.json"), *vector;
        size_t vector_at;

        FOR_EACH_VECTOR(all, "challengeLists", 11)
        {
            const json_t *want = json_object_get(vector, "challenges");
            struct payment_offers offers = {0};

            ck_ok(payment_offers_add(&offers, span_str(vector_text(vector, "header")), NULL));
            ck_assert_uint_eq(offers.n, json_array_size(want));
            ck_assert_int_eq(offers.n == 0, vector_fails(vector));
            for (size_t i = 0; i < offers.n; i++)
                check_same(&offers.offer[i], json_array_get(want, i));
            payment_offers_free(&offers);
        }
        json_decref(all);
    }
END_TEST

/* Also those whose slots hold the separator: what they record is why nobody may use one. */
START_TEST(every_vector_of_ids_holds)
    {
        json_t *all = vectors_load("payment-scheme.json"), *vector;
        size_t vector_at;

        UNHEX(key, "6d70702d746573742d766563746f722d736563726574");
        ck_assert_str_eq(vector_text(all, "hmacSecretHex"),
                         "6d70702d746573742d766563746f722d736563726574");
        FOR_EACH_VECTOR(all, "challengeIds", 4)
        {
            const struct payment_challenge c = of_vector(json_object_get(vector, "params"));
            const bool ambiguous = strchr(c.realm, '|') != NULL || strchr(c.method, '|') != NULL;
            char id[PAYMENT_ID_SIZE];

            ck_ok(payment_challenge_id(id, key, &c));
            ck_assert_str_eq(id, c.id);
            ck_assert_int_eq(payment_challenge_is_bound(&c, key), !ambiguous);
        }
        json_decref(all);
    }
END_TEST

START_TEST(every_vector_of_the_other_source_has_its_id)
    {
        json_t *all = vectors_load("payment-scheme-challenge-id.json"), *vector;
        size_t vector_at;

        FOR_EACH_VECTOR(all, "scenarios", 9)
        {
            char *request, id[PAYMENT_ID_SIZE];

            ck_ok(jcs_encode(&request, json_object_get(vector, "request"), NULL));

            const struct payment_challenge c = {.realm = vector_text(vector, "realm"),
                                                .method = vector_text(vector, "method"),
                                                .intent = vector_text(vector, "intent"),
                                                .request = request,
                                                .expires = vector_text(vector, "expires"),
                                                .digest = vector_text(vector, "digest"),
                                                .opaque = vector_text(vector, "opaque"),
                                                .header = vector_text(vector, "header")};

            ck_ok(payment_challenge_id(id, span_str(vector_text(vector, "secretKey")), &c));
            ck_assert_msg(strcmp(id, vector_text(vector, "expected")) == 0, "%s: %s",
                          vector_text(vector, "name"), id);
            free(request);
        }
        json_decref(all);
    }
END_TEST

START_TEST(an_id_is_bound_to_every_parameter_but_the_description)
    {
        const struct span key = span_str("key");
        char id[PAYMENT_ID_SIZE];
        struct payment_challenge c = sample;

        ck_ok(payment_challenge_id(id, key, &c));
        c.id = id;
        ck_assert(payment_challenge_is_bound(&c, key));
        ck_assert(!payment_challenge_is_bound(&c, span_str("keY")));
        c.description = "other | words";
        ck_assert(payment_challenge_is_bound(&c, key));

        const char **bound[] = {&c.id,      &c.realm,  &c.method, &c.intent, &c.request,
                                &c.expires, &c.digest, &c.opaque, &c.header};

        for (size_t i = 0; i < sizeof(bound) / sizeof(bound[0]); i++) {
            const char *kept = *bound[i];

            *bound[i] = "x";
            ck_assert(!payment_challenge_is_bound(&c, key));
            *bound[i] = kept;
        }
        c.expires = NULL;
        ck_assert(!payment_challenge_is_bound(&c, key));
    }
END_TEST

/* Computed with coreutils: printf '%s' 'telepay-1|i|r|emv|charge|e30|2026-11-29T00:00:00Z||' |
 * sha256sum */
START_TEST(r_is_the_hash_of_the_wire_strings)
    {
        struct payment_challenge c = sample;
        struct tp_error e = {0};
        uint8_t r[PAYMENT_R];

        ck_ok(payment_challenge_r(r, &c, NULL));
        ck_hex(SPAN_OF(r), "E45E176F3E3BDC5D9EE6D31A77B9EE8FDE9A98AE7A905A19B3929F1DDCAB03A1");
        c.expires = NULL;
        c.digest = "sha-256=:x:";
        c.opaque = "o";
        c.description = "a|b";
        c.header = PAYMENT_HEADER;
        ck_ok(payment_challenge_r(r, &c, NULL));
        ck_hex(SPAN_OF(r), "FD20610398CCDC7F1FC11CA1A3B1953A53B0BD4BE374B322A713453F8E4D89F2");
        c.opaque = "o|";
        ck_assert_int_eq(payment_challenge_r(r, &c, &e), TP_ERR_FORMAT);
        ck_assert_str_ne(e.text, "");
    }
END_TEST

START_TEST(offers_that_no_client_may_answer_are_passed_over)
    {
        static const char *const bad[] = {
            "Payment",
            "Payment abc",
            "Payment id=\"\", realm=r, method=emv, intent=charge, request=e30",
            "Payment id=i, method=emv, intent=charge, request=e30",
            "Payment id=i, realm=r, method=EMV, intent=charge, request=e30",
            "Payment id=i, realm=r, method=e1, intent=charge, request=e30",
            "Payment id=i, realm=r, method=emv, intent=\"a b\", request=e30",
            "Payment id=i, realm=r, method=emv, intent=a_b, request=e30",
            "Payment id=i, realm=r, method=emv, intent=charge, request=\"\"",
            "Payment id=i, realm=r, method=emv, intent=charge, request=\"e30=\"",
            "Payment id=i, realm=r, method=emv, intent=charge, request=e30, header=Cookie",
            "Payment id=i, realm=r, method=emv, intent=charge, request=e30, expires=soon",
            "Payment id=i, realm=\"\xE9\", method=emv, intent=charge, request=e30", /* Latin-1 */
        };
        struct payment_offers offers = {0};

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
            ck_ok(payment_offers_add(&offers, span_str(bad[i]), NULL));
            ck_assert_msg(offers.n == 0, "%s", bad[i]);
        }
        ck_ok(payment_offers_add(&offers,
                                 span_str("Payment id=i, realm=r, method=emv, intent=charge-2, "
                                          "request=e30, description=\"\xE9\", colour=red, "
                                          "header=\"Payment-Authorization\""),
                                 NULL));
        ck_assert_uint_eq(offers.n, 1);
        ck_assert_ptr_null(offers.offer[0].description); /* it could not be echoed */
        ck_assert_str_eq(offers.offer[0].header, PAYMENT_HEADER);
        payment_offers_free(&offers);
    }
END_TEST

START_TEST(several_fields_add_up_to_a_bound)
    {
        const char *field = "Payment id=i, realm=r, method=emv, intent=charge, request=e30, "
                            "Payment id=j, realm=r, method=emv, intent=charge, request=e30";
        struct payment_offers offers = {0};
        struct tp_error e = {0};
        char *large = malloc(65537);

        for (int i = 0; i < 20; i++)
            ck_ok(payment_offers_add(&offers, span_str(field), NULL));
        ck_assert_uint_eq(offers.n, PAYMENT_OFFERS_MAX);
        ck_assert_str_eq(offers.offer[0].id, "i");
        ck_assert_str_eq(offers.offer[PAYMENT_OFFERS_MAX - 1].id, "j");
        ck_assert_int_eq(payment_offers_add(&offers, span_str("Payment id=\"x"), &e),
                         TP_ERR_FORMAT);
        ck_assert_ptr_nonnull(strstr(e.text, "WWW-Authenticate"));
        memset(large, ',', 65537);
        ck_ok(payment_offers_add(&offers, span_of(large, 65536), &e));
        ck_assert_int_eq(payment_offers_add(&offers, span_of(large, 65537), &e), TP_ERR_RANGE);
        free(large);
        payment_offers_free(&offers);
        ck_assert_uint_eq(offers.n, 0);
    }
END_TEST

START_TEST(what_may_not_be_offered_is_not_written)
    {
        struct payment_challenge c = sample;
        struct tp_error e = {0};
        char *field;

        c.realm = "a|b";
        ck_assert_int_eq(payment_challenge_write(&field, &c, &e), TP_ERR_FORMAT);
        ck_assert_ptr_null(field);
        c.realm = "a\r\nSet-Cookie: b";
        ck_assert_int_eq(payment_challenge_write(&field, &c, &e), TP_ERR_FORMAT);
        ck_assert_str_eq(e.text, "the challenge's realm holds a control character");
        c.realm = NULL;
        ck_assert_int_eq(payment_challenge_write(&field, &c, &e), TP_ERR_FORMAT);
        ck_assert_str_eq(e.text, "the challenge has no realm");
        c.realm = "r";
        c.header = "Cookie";
        ck_assert_int_eq(payment_challenge_write(&field, &c, &e), TP_ERR_FORMAT);
        c.header = PAYMENT_HEADER;
        ck_ok(payment_challenge_write(&field, &c, &e));
        ck_assert_str_eq(field, "Payment id=\"i\", realm=\"r\", method=\"emv\", intent=\"charge\", "
                                "request=\"e30\", expires=\"2026-11-29T00:00:00Z\", "
                                "header=\"Payment-Authorization\"");
        free(field);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("payment_challenge");
    TCase *t = tcase_create("payment_challenge");

    tcase_add_test(t, every_vector_of_headers_is_written_and_read);
    tcase_add_test(t, every_vector_of_lists_is_read);
    tcase_add_test(t, every_vector_of_ids_holds);
    tcase_add_test(t, every_vector_of_the_other_source_has_its_id);
    tcase_add_test(t, an_id_is_bound_to_every_parameter_but_the_description);
    tcase_add_test(t, r_is_the_hash_of_the_wire_strings);
    tcase_add_test(t, offers_that_no_client_may_answer_are_passed_over);
    tcase_add_test(t, several_fields_add_up_to_a_bound);
    tcase_add_test(t, what_may_not_be_offered_is_not_written);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
