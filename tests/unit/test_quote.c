/* Quotes of a service: made in one form, known again whoever writes them anew, and nothing of them
 * can be changed. */
#include "unit.h"

#include <stdio.h>

#include "base/base64.h"
#include "base/date.h"
#include "service/quote.h"
#include "wire/jcs.h"

static char dir[32], key[48];
static struct seal *seal;
static struct article article;
static struct quote_terms terms;

static void set_up(void)
{
    strcpy(dir, "/tmp/test_quote.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(key, sizeof(key), "%s/seal.key", dir);
    ck_ok(seal_key_file_make(key, NULL));
    ck_ok(seal_open_dir(&seal, dir, NULL));
    article = (struct article){.path = "/journal/1",
                               .designation = "Le num\xc3\xa9ro 1",
                               .merchant = "Librairie",
                               .file = "1.txt",
                               .type = "text/plain",
                               .amount = 150,
                               .currency = currency_by_alpha("EUR"),
                               .stock = -1,
                               .valid_minutes = 10};
    terms = (struct quote_terms){.mediator = "one", .available = true, .now = 1767225600};
}

static void tear_down(void)
{
    seal_free(&seal);
    ck_assert_int_eq(unlink(key), 0);
    ck_assert_int_eq(rmdir(dir), 0);
}

/* The quote as JSON, and as it was written (free()). */
static json_t *made(char **text)
{
    struct tp_error e = {TP_OK, ""};
    json_t *document = NULL;

    ck_assert_msg(quote_make(text, seal, &article, &terms, &e) == TP_OK, "%s", e.text);
    ck_ok(jcs_read(&document, span_str(*text), &e));
    return document;
}

START_TEST(a_quote_says_what_the_article_is)
    {
        char *text = NULL;
        json_t *document = made(&text);
        const char *mark = json_string_value(json_object_get(document, "mark"));
        char wanted[400];

        ck_assert_ptr_nonnull(mark);
        snprintf(
            wanted, sizeof(wanted),
            "{\"amount\":\"150\",\"article\":\"/journal/1\",\"available\":true,"
            "\"currency\":\"eur\",\"delivery\":\"network\",\"designation\":\"Le num\xc3\xa9ro 1\","
            "\"mark\":\"%s\",\"merchant\":\"Librairie\",\"valid_until\":\"2026-01-01T00:10:00Z\"}",
            mark);
        ck_assert_str_eq(text, wanted);
        json_decref(document);
        free(text);
    }
END_TEST

START_TEST(what_goes_with_it_is_in_it)
    {
        char *text = NULL;
        json_t *document;

        article.delivery = DELIVERY_INCLUDED;
        article.currency = NULL;
        article.amount = 0;
        terms.content = span_of("\0\xff?", 3);
        document = made(&text);
        ck_assert_str_eq(json_string_value(json_object_get(document, "content")), "AP8/");
        ck_assert_str_eq(json_string_value(json_object_get(document, "content_type")),
                         "text/plain");
        ck_assert_str_eq(json_string_value(json_object_get(document, "amount")), "0");
        ck_assert_ptr_null(json_object_get(document, "currency"));
        json_decref(document);
        free(text);
    }
END_TEST

START_TEST(what_is_sold_out_says_so)
    {
        char *text = NULL;
        json_t *document;

        terms.available = false;
        terms.sold_out = true;
        document = made(&text);
        ck_assert(json_is_false(json_object_get(document, "available")));
        ck_assert(json_is_true(json_object_get(document, "sold_out")));
        json_decref(document);
        free(text);
    }
END_TEST

/* Not after the article's last day, wherever the clock is. */
START_TEST(a_quote_ends_with_its_articles_last_day)
    {
        struct tm midnight = {.tm_year = 126, .tm_mday = 2, .tm_isdst = -1};
        const time_t end = mktime(&midnight);
        char *text = NULL, wanted[TIME_TEXT_MAX];
        json_t *document;

        article.until = 20260101;
        terms.now = end - 60;
        document = made(&text);
        ck_assert_str_eq(json_string_value(json_object_get(document, "valid_until")),
                         time_format_utc(wanted, end - 1));
        json_decref(document);
        free(text);
    }
END_TEST

START_TEST(its_own_is_known_again)
    {
        struct tp_error e = {TP_OK, ""};
        struct quote q;
        char *text = NULL;
        json_t *document = made(&text), *again;
        const char *name;
        json_t *value;
        uint8_t digest[QUOTE_DIGEST];

        again = json_object(); /* with its members in another order */
        ck_assert_int_eq(json_object_set(again, "mark", json_object_get(document, "mark")), 0);
        json_object_foreach(document, name, value)
            ck_assert_int_eq(json_object_set(again, name, value), 0);
        ck_assert_msg(quote_open(&q, seal, again, "one", &e) == TP_OK, "%s", e.text);
        ck_assert_str_eq(q.article, "/journal/1");
        ck_assert_str_eq(q.designation, "Le num\xc3\xa9ro 1");
        ck_assert_int_eq(q.amount, 150);
        ck_assert_ptr_eq(q.currency, article.currency);
        ck_assert(q.available && q.delivery == DELIVERY_NETWORK);
        ck_ok(jcs_hash(digest, document, &e)); /* that of the text as it was given */
        ck_assert_mem_eq(q.digest, digest, sizeof(digest));
        json_decref(again);
        json_decref(document);
        free(text);
    }
END_TEST

static void refused(const json_t *document, const char *mediator, const char *what)
{
    struct tp_error e = {TP_OK, ""};
    struct quote q;

    ck_assert_msg(quote_open(&q, seal, document, mediator, &e) == TP_ERR_SECURITY, "%s", what);
    ck_assert_msg(strstr(e.text, "give it back as it was") != NULL, "%s: %s", what, e.text);
}

START_TEST(nothing_of_it_can_be_changed)
    {
        char *text = NULL;
        json_t *document = made(&text), *other;
        const char *name;
        json_t *value;

        json_object_foreach(document, name, value)
        {
            other = json_copy(document);
            ck_assert_int_eq(json_object_set_new(other, name, json_string("1")), 0);
            refused(other, "one", name);
            ck_assert_int_eq(json_object_del(other, name), 0);
            refused(other, "one", name);
            json_decref(other);
        }
        refused(document, "two", "another mediator's");
        ck_assert_int_eq(json_object_set_new(document, "more", json_null()), 0);
        refused(document, "one", "a member more");
        other = json_object();
        refused(other, "one", "nothing");
        ck_assert_int_eq(json_object_set_new(other, "mark", json_true()), 0);
        refused(other, "one", "a mark that is no text");
        json_decref(other);
        json_decref(document);
        free(text);
    }
END_TEST

START_TEST(what_is_no_object_is_no_quote)
    {
        struct tp_error e = {TP_OK, ""};
        struct quote q;
        json_t *list = json_array();

        ck_assert_int_eq(quote_open(&q, seal, list, "one", &e), TP_ERR_FORMAT);
        ck_assert_int_eq(quote_open(&q, seal, NULL, "one", &e), TP_ERR_FORMAT);
        json_decref(list);
    }
END_TEST

/* One that another service made. */
START_TEST(another_key_is_another_service)
    {
        char *text = NULL;
        json_t *document = made(&text);

        seal_free(&seal);
        ck_assert_int_eq(unlink(key), 0);
        ck_ok(seal_key_file_make(key, NULL));
        ck_ok(seal_open_dir(&seal, dir, NULL));
        refused(document, "one", "another service's");
        json_decref(document);
        free(text);
    }
END_TEST

static Suite *quote_suite(void)
{
    Suite *s = suite_create("quote");
    TCase *t = tcase_create("quote");

    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, a_quote_says_what_the_article_is);
    tcase_add_test(t, what_goes_with_it_is_in_it);
    tcase_add_test(t, what_is_sold_out_says_so);
    tcase_add_test(t, a_quote_ends_with_its_articles_last_day);
    tcase_add_test(t, its_own_is_known_again);
    tcase_add_test(t, nothing_of_it_can_be_changed);
    tcase_add_test(t, what_is_no_object_is_no_quote);
    tcase_add_test(t, another_key_is_another_service);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(quote_suite)
