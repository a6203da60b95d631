/* What a server says beside challenges: receipts, problems, digests, the discovery document. */
#include "payment_vectors.h"

#include "base/base64.h"
#include "wire/jcs.h"
#include "wire/payment_digest.h"
#include "wire/payment_discovery.h"
#include "wire/payment_problem.h"
#include "wire/payment_receipt.h"

/* ---- receipts ---- */

/* The last two are events of a stream in the same form, and no receipts. */
START_TEST(every_vector_of_receipts_is_read_to_the_last_digit)
    {
        json_t *all = vectors_load("payment-scheme.json"), *vector;
        size_t vector_at;

        FOR_EACH_VECTOR(all, "receipts", 8)
        {
            const char *json = vector_text(vector, "receiptJson"),
                       *header = vector_text(vector, "header");
            json_t *want = json_loads(json, 0, NULL), *have;
            struct payment_receipt r;
            char *out;

            ck_ok(jcs_decode(&have, span_str(header), PAYMENT_RECEIPT_MAX, NULL));
            ck_assert(json_equal(have, want));
            ck_ok(jcs_encode_in_order(&out, want, NULL));
            ck_assert_str_eq(out, header);
            free(out);
            json_decref(have);
            if (json_object_get(want, "status") == NULL) {
                ck_assert_int_eq(payment_receipt_read(&r, span_str(header), NULL), TP_ERR_FORMAT);
            } else {
                ck_ok(payment_receipt_read(&r, span_str(header), NULL));
                ck_assert_str_eq(r.method, vector_text(want, "method"));
                ck_assert_str_eq(r.reference, vector_text(want, "reference"));
                ck_assert_str_eq(r.timestamp, vector_text(want, "timestamp"));
                ck_assert_pstr_eq(r.challenge_id, vector_text(want, "challengeId"));
                ck_assert(json_equal(r.more, want));
                payment_receipt_free(&r);
            }
            json_decref(want);
        }
        json_decref(all);
    }
END_TEST

START_TEST(receipts_are_written_as_the_vectors_have_them)
    {
        json_t *all = vectors_load("payment-scheme.json"),
               *more = json_pack("{s:s}", "acknowledgement", "a.b.c");
        const json_t *list = json_object_get(all, "receipts");
        struct payment_receipt r = {.method = "lightning",
                                    .timestamp = "2026-03-10T21:00:00Z",
                                    .reference = "bc230847abcdef1234567890",
                                    .challenge_id = "kM9xPqWvT2nJrHsY4aDfEb"};
        struct tp_error e = {0};
        struct payment_receipt back;
        char *out;

        ck_ok(payment_receipt_write(&out, &r, NULL));
        ck_assert_str_eq(out, vector_text(json_array_get(list, 0), "header"));
        free(out);
        r.reference = "bc230847";
        r.challenge_id = NULL;
        ck_ok(payment_receipt_write(&out, &r, NULL));
        ck_assert_str_eq(out, vector_text(json_array_get(list, 1), "header"));
        free(out);
        r.more = more;
        ck_ok(payment_receipt_write(&out, &r, NULL));
        ck_ok(payment_receipt_read(&back, span_str(out), NULL));
        ck_assert_str_eq(vector_text(back.more, "acknowledgement"), "a.b.c");
        payment_receipt_free(&back);
        free(out);
        json_object_set_new(more, "status", json_string("failed"));
        ck_assert_int_eq(payment_receipt_write(&out, &r, &e), TP_ERR_EXISTS);
        ck_assert_ptr_null(out);
        r.timestamp = "yesterday";
        ck_assert_int_eq(payment_receipt_write(&out, &r, &e), TP_ERR_FORMAT);
        json_decref(more);
        json_decref(all);
    }
END_TEST

START_TEST(what_is_no_receipt_is_refused)
    {
        static const char *const bad[] = {
            "{}",
            "{\"status\":\"failed\",\"method\":\"m\",\"timestamp\":\"2026-03-10T21:00:00Z\","
            "\"reference\":\"r\"}",
            "{\"status\":\"success\",\"timestamp\":\"2026-03-10T21:00:00Z\",\"reference\":\"r\"}",
            "{\"status\":\"success\",\"method\":\"m\",\"reference\":\"r\"}",
            "{\"status\":\"success\",\"method\":\"m\",\"timestamp\":\"2026-03-10\","
            "\"reference\":\"r\"}",
            "{\"status\":\"success\",\"method\":\"m\",\"timestamp\":\"2026-03-10T21:00:00Z\"}",
            "{\"status\":\"success\",\"method\":\"m\",\"timestamp\":\"2026-03-10T21:00:00Z\","
            "\"reference\":1}",
            "{\"status\":\"success\",\"status\":\"success\",\"method\":\"m\","
            "\"timestamp\":\"2026-03-10T21:00:00Z\",\"reference\":\"r\"}",
        };
        struct payment_receipt r;
        char text[512];

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
            struct tp_error e = {0};

            base64url_encode(text, span_str(bad[i]));
            ck_assert_int_eq(payment_receipt_read(&r, span_str(text), &e), TP_ERR_FORMAT);
            ck_assert_ptr_nonnull(strstr(e.text, "the receipt"));
            ck_assert_ptr_null(r.owner);
        }
        ck_assert_int_eq(payment_receipt_read(&r, span_str("!"), NULL), TP_ERR_FORMAT);

        const size_t n = PAYMENT_RECEIPT_MAX * 2;
        char *large = malloc(n);

        memset(large, 'A', n);
        ck_assert_int_eq(payment_receipt_read(&r, span_of(large, n), NULL), TP_ERR_RANGE);
        free(large);
    }
END_TEST

/* ---- problems ---- */

START_TEST(each_type_has_its_name_and_status)
    {
        static const struct {
            const char *type;
            unsigned status;
        } row[] = {{"payment-required", 402},      {"payment-insufficient", 402},
                   {"payment-expired", 402},       {"verification-failed", 402},
                   {"malformed-credential", 402},  {"invalid-challenge", 402},
                   {"invalid-payload", 402},       {"payment-action-required", 402},
                   {"method-unsupported", 400},    {"bad-request", 400},
                   {"internal-payment-error", 500}};

        for (unsigned i = 0; i < PAYMENT_OTHER; i++) {
            const struct payment_problem p = {.type = i, .detail = "do this", .challenge_id = "c"};
            char *body, type[128], status[64];
            struct payment_problem back;

            ck_ok(payment_problem_write(&body, &p, NULL));
            snprintf(type, sizeof(type), "{\"type\":\"https://paymentauth.org/problems/%s\",",
                     row[i].type);
            snprintf(status, sizeof(status), "\"status\":%u,\"detail\":\"do this\",",
                     row[i].status);
            ck_assert(strncmp(body, type, strlen(type)) == 0);
            ck_assert_ptr_nonnull(strstr(body, status));
            ck_assert_uint_eq(payment_problem_status(&p), row[i].status);
            ck_ok(payment_problem_read(&back, span_str(body), NULL));
            ck_assert_int_eq(back.type, p.type);
            ck_assert_uint_eq(back.status, row[i].status);
            ck_assert_str_eq(back.detail, "do this");
            ck_assert_str_eq(back.challenge_id, "c");
            payment_problem_free(&back);
            free(body);
        }
    }
END_TEST

START_TEST(other_problems_are_told_by_their_status)
    {
        json_t *more = json_pack("{s:s}", "code", "51");
        struct payment_problem p = {.type = PAYMENT_OTHER, .status = 503, .more = more};
        char *body;

        ck_ok(payment_problem_write(&body, &p, NULL));
        ck_assert_str_eq(body, "{\"type\":\"about:blank\",\"title\":\"Service Unavailable\","
                               "\"status\":503,\"code\":\"51\"}");
        free(body);
        p.status = 418; /* no phrase of ours */
        ck_ok(payment_problem_write(&body, &p, NULL));
        ck_assert_str_eq(body, "{\"type\":\"about:blank\",\"status\":418,\"code\":\"51\"}");
        free(body);
        json_object_set_new(more, "type", json_string("x"));
        ck_assert_int_eq(payment_problem_write(&body, &p, NULL), TP_ERR_EXISTS);
        ck_assert_ptr_null(body);
        json_decref(more);
    }
END_TEST

/* RFC 9457, 3.1: a member of another kind is passed over. */
START_TEST(problems_of_others_are_read_mildly)
    {
        static const char *const mild[] = {
            "{}",
            "{\"type\":7,\"title\":[],\"status\":\"x\",\"detail\":null}",
            "{\"type\":\"https://paymentauth.org/problems/new\",\"status\":99}",
            "{\"type\":\"https://example.com/payment-required\",\"status\":600}",
        };
        struct payment_problem p;

        for (size_t i = 0; i < sizeof(mild) / sizeof(mild[0]); i++) {
            ck_ok(payment_problem_read(&p, span_str(mild[i]), NULL));
            ck_assert_int_eq(p.type, PAYMENT_OTHER);
            ck_assert_uint_eq(p.status, 0);
            ck_assert_ptr_null(p.title);
            ck_assert_ptr_null(p.detail);
            payment_problem_free(&p);
        }
        ck_assert_int_eq(payment_problem_read(&p, span_str("<html>"), NULL), TP_ERR_FORMAT);
        ck_assert_int_eq(payment_problem_read(&p, span_str("[1]"), NULL), TP_ERR_FORMAT);
        ck_assert_ptr_null(p.owner);

        char *large = calloc(1, PAYMENT_PROBLEM_MAX + 1);

        ck_assert_int_eq(payment_problem_read(&p, span_of(large, PAYMENT_PROBLEM_MAX + 1), NULL),
                         TP_ERR_RANGE);
        free(large);
    }
END_TEST

/* ---- digests ---- */

/* RFC 9530, Appendix D: {"hello": "world"} and a line feed. */
START_TEST(digests_are_read_with_and_without_colons)
    {
        static const char *const same[] = {
            "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:",
            "sha-256=RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=",
            "sha-256=RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg",
            "sha-256=RK_0qy18MlBSVnWgjwz6lZEWjP_lF5HF9bvEF8FabDg",
            "SHA-256=RK_0qy18MlBSVnWgjwz6lZEWjP_lF5HF9bvEF8FabDg",
            ("sha-512=:YMAam51Jz/jOATT6/zvHrLVgOYTGFy1d6GJiOHTohq4=:, "
             "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"),
        };
        char text[PAYMENT_DIGEST_SIZE];
        uint8_t hash[32];

        UNHEX(want, "44aff4ab2d7c3250525675a08f0cfa9591168cffe51791c5f5bbc417c15a6c38");
        ck_assert_str_eq(payment_digest_write(text, want.p), same[0]);
        for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
            memset(hash, 0, sizeof(hash));
            ck_ok(payment_digest_read(hash, same[i], NULL));
            ck_assert_mem_eq(hash, want.p, 32);
        }
    }
END_TEST

START_TEST(what_is_no_digest_is_refused)
    {
        struct tp_error e = {0};
        uint8_t hash[32];

        ck_assert_int_eq(payment_digest_read(hash, "", &e), TP_ERR_NOT_FOUND);
        ck_assert_int_eq(payment_digest_read(hash, "sha-512=:YMAa:", &e), TP_ERR_NOT_FOUND);
        ck_assert_int_eq(payment_digest_read(hash, "sha-256=", &e), TP_ERR_NOT_FOUND);
        ck_assert_int_eq(payment_digest_read(hash, "sha-256=:", &e), TP_ERR_FORMAT);
        ck_assert_int_eq(payment_digest_read(hash, "sha-256=::", &e), TP_ERR_FORMAT);
        ck_assert_int_eq(payment_digest_read(hash, "sha-256=:X48E9q:", &e), TP_ERR_FORMAT);
        ck_assert_int_eq(
            payment_digest_read(hash, "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=", &e),
            TP_ERR_FORMAT);
        ck_assert_ptr_nonnull(strstr(e.text, "sha-256=:BASE64:"));
    }
END_TEST

/* ---- discovery ---- */

START_TEST(the_document_holds_what_the_draft_asks_for)
    {
        static const char *const categories[] = {"media", NULL};
        const struct payment_service service = {
            .title = "Journal", .version = "1", .categories = categories, .homepage = "https://h/"};
        const struct payment_priced offers[] = {
            {.method = "emv", .intent = "charge", .amount = "250", .currency = "eur"},
            {.method = "purse", .intent = "charge", .description = "by length"}};
        const struct payment_operation paid = {"/s/journal/{page}", "get", "A page", offers, 2},
                                       free_one = {"/", "get", NULL, NULL, 0};
        struct tp_error e = {0};
        json_t *document;
        char *text;

        ck_ok(payment_discovery_new(&document, &service, &e));
        ck_ok(payment_discovery_add(document, &paid, &e));
        ck_ok(payment_discovery_add(document, &free_one, &e));
        ck_ok(jcs_write(&text, document, &e));
        ck_assert_str_eq(
            text,
            "{\"info\":{\"title\":\"Journal\",\"version\":\"1\"},\"openapi\":\"3.1.0\",\"paths\":{"
            "\"/\":{\"get\":{\"responses\":{\"200\":{\"description\":\"Successful response\"}}}},"
            "\"/s/journal/{page}\":{\"get\":{\"parameters\":[{\"in\":\"path\",\"name\":\"page\","
            "\"required\":true,\"schema\":{\"type\":\"string\"}}],\"responses\":{\"200\":{"
            "\"description\":\"Successful response\"},\"402\":{\"description\":\"Payment Required\""
            "}},\"summary\":\"A page\",\"x-payment-info\":{\"offers\":[{\"amount\":\"250\","
            "\"currency\":\"eur\",\"intent\":\"charge\",\"method\":\"emv\"},{\"amount\":null,"
            "\"description\":\"by length\",\"intent\":\"charge\",\"method\":\"purse\"}]}}}},"
            "\"x-service-info\":{\"categories\":[\"media\"],\"docs\":{\"homepage\":\"https://h/\"}}"
            "}");
        free(text);
        ck_assert_int_eq(payment_discovery_add(document, &paid, &e), TP_ERR_EXISTS);
        json_decref(document);
    }
END_TEST

START_TEST(what_is_no_operation_is_refused_and_leaves_no_trace)
    {
        static const struct payment_priced money = {.method = "m", .intent = "i", .amount = "1.5"};
        static const struct payment_operation bad[] = {
            {"s", "get", NULL, NULL, 0},      {"/s", "fetch", NULL, NULL, 0},
            {"/{", "get", NULL, NULL, 0},     {"/{}", "get", NULL, NULL, 0},
            {"/{a/b}", "get", NULL, NULL, 0}, {"/a}", "get", NULL, NULL, 0},
            {"/a", "get", "\xE9", NULL, 0},   {"/\xE9", "get", NULL, NULL, 0},
            {"/a", "get", NULL, &money, 1},
        };
        const struct payment_service service = {.title = "t", .version = "1"},
                                     no_text = {.title = "\xE9", .version = "1"};
        json_t *document;

        ck_ok(payment_discovery_new(&document, &service, NULL));
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
            ck_assert_int_eq(payment_discovery_add(document, &bad[i], NULL), TP_ERR_FORMAT);
        ck_assert_uint_eq(json_object_size(json_object_get(document, "paths")), 0);
        json_decref(document);
        ck_assert_int_eq(payment_discovery_new(&document, &no_text, NULL), TP_ERR_FORMAT);
        ck_assert_ptr_null(document);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("payment_answer");
    TCase *t = tcase_create("payment_answer");

    tcase_add_test(t, every_vector_of_receipts_is_read_to_the_last_digit);
    tcase_add_test(t, receipts_are_written_as_the_vectors_have_them);
    tcase_add_test(t, what_is_no_receipt_is_refused);
    tcase_add_test(t, each_type_has_its_name_and_status);
    tcase_add_test(t, other_problems_are_told_by_their_status);
    tcase_add_test(t, problems_of_others_are_read_mildly);
    tcase_add_test(t, digests_are_read_with_and_without_colons);
    tcase_add_test(t, what_is_no_digest_is_refused);
    tcase_add_test(t, the_document_holds_what_the_draft_asks_for);
    tcase_add_test(t, what_is_no_operation_is_refused_and_leaves_no_trace);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
