/* Quotes of services: each member missing, of another kind, too long, and what goes with what. */
#include "unit.h"

#include <stdio.h>

#include "mediator/quote.h"

#define DESIGNATION "\"designation\":\"Article 1\""
#define AMOUNT      "\"amount\":\"150\""
#define CURRENCY    "\"currency\":\"eur\""
#define AVAILABLE   "\"available\":true"
#define UNTIL       "\"valid_until\":\"2026-11-29T03:00:00Z\""
#define NETWORK     "\"delivery\":\"network\""
#define STREAM      "\"delivery\":\"stream\""
#define INCLUDED    "\"delivery\":\"included\""
#define CONTENT     "\"content\":\"aGVsbG8=\""
#define REST        DESIGNATION "," AVAILABLE "," UNTIL ","
#define PRICE       AMOUNT "," CURRENCY ","
#define GOOD        "{" REST PRICE NETWORK "}"

#define SOLD(available, out) DESIGNATION ",\"available\":" #available ",\"sold_out\":" #out

static struct tp_error e;

static enum tp_err take(struct quote *q, const char *text)
{
    e.text[0] = '\0';
    return quote_read(q, span_str(text), currency_by_alpha("EUR"), &e);
}

/* ---- good ones ---- */

START_TEST(each_member_is_read)
    {
        struct quote q;

        ck_ok(take(&q, GOOD));
        ck_assert_str_eq(q.designation, "Article 1");
        ck_assert_ptr_null(q.merchant);
        ck_assert_int_eq(q.amount, 150);
        ck_assert(q.available);
        ck_assert_int_eq(q.valid_until, 1795921200);
        ck_assert_int_eq(q.delivery, DELIVERY_NETWORK);
        ck_assert_ptr_null(q.content);
        quote_free(&q);
        ck_assert_ptr_null(q.designation);
        quote_free(&q); /* twice is nothing */
    }
END_TEST

START_TEST(content_goes_with_it)
    {
        struct quote q;
        uint8_t *bytes = NULL;
        size_t n = 0;

        ck_ok(take(&q, "{" REST PRICE INCLUDED "," CONTENT ",\"content_type\":\"text/plain\"}"));
        ck_assert_int_eq(q.delivery, DELIVERY_INCLUDED);
        ck_assert_str_eq(q.type, "text/plain");
        ck_ok(quote_content(&bytes, &n, &q, &e));
        ck_assert_uint_eq(n, 5);
        ck_assert_mem_eq(bytes, "hello", 5);
        free(bytes);
        quote_free(&q);
    }
END_TEST

static const struct {
    const char *what, *text;
    int64_t amount;
} good[] = {
    {"free, without a currency", "{" REST "\"amount\":\"0\"," NETWORK "}", 0},
    {"free, in any currency", "{" REST "\"amount\":\"0\",\"currency\":\"usd\"," NETWORK "}", 0},
    {"large letters", "{" REST AMOUNT ",\"currency\":\"EUR\"," NETWORK "}", 150},
    {"one", "{" REST "\"amount\":\"1\"," CURRENCY "," NETWORK "}", 1},
    {"twelve digits", "{" REST "\"amount\":\"999999999999\"," CURRENCY "," NETWORK "}",
     INT64_C(999999999999)},
    {"shipped", "{" REST PRICE "\"delivery\":\"shipped\"}", 150},
    {"nothing in it", "{" REST PRICE INCLUDED ",\"content\":\"\"}", 150},
    {"no padding", "{" REST PRICE INCLUDED ",\"content\":\"aGVsbG8\"}", 150},
    {"members of its own", "{" REST PRICE NETWORK ",\"article\":{\"a\":[1]},\"mark\":null}", 150},
    {"a merchant", "{" REST PRICE NETWORK ",\"merchant\":\"Librairie du Port\"}", 150},
    {"accents", "{" AVAILABLE "," UNTIL "," PRICE NETWORK ",\"designation\":\"L’été\"}", 150},
    {"a time with an offset",
     "{" DESIGNATION "," AVAILABLE "," PRICE NETWORK
     ",\"valid_until\":\"2026-11-29T04:00:00.5+01:00\"}",
     150},
    {"a stream", "{" REST PRICE STREAM ",\"per\":3600}", 150},
    {"blanks", " { " REST PRICE NETWORK " }\n", 150},
};

START_TEST(good_ones)
    {
        struct quote q;

        ck_assert_msg(take(&q, good[_i].text) == TP_OK, "%s: %s", good[_i].what, e.text);
        ck_assert_int_eq(q.amount, good[_i].amount);
        quote_free(&q);
    }
END_TEST

START_TEST(not_available_is_no_fault)
    {
        struct quote q;

        ck_ok(take(&q, "{" DESIGNATION ",\"available\":false," UNTIL "," PRICE NETWORK "}"));
        ck_assert(!q.available && !q.sold_out);
        quote_free(&q);
    }
END_TEST

START_TEST(what_is_final_is_said)
    {
        ck_assert(quote_is_final("{\"amount\":\"150\",\"final\":true}"));
        ck_assert(!quote_is_final("{\"amount\":\"150\",\"final\":false}"));
        ck_assert(!quote_is_final("{\"amount\":\"150\"}"));
        ck_assert(!quote_is_final("{\"final\":true"));
    }
END_TEST

START_TEST(sold_out_is_a_reason)
    {
        struct quote q;

        ck_ok(take(&q, "{" SOLD(false, true) "," UNTIL "," PRICE NETWORK "}"));
        ck_assert(!q.available && q.sold_out);
        quote_free(&q);
        ck_ok(take(&q, "{" SOLD(true, false) "," UNTIL "," PRICE NETWORK "}"));
        ck_assert(q.available && !q.sold_out);
        quote_free(&q);
    }
END_TEST

/* ---- bad ones ---- */

static const struct {
    const char *word, *text; /* a word of the sentence that says what is wrong */
} bad[] = {
    /* missing */
    {"designation", "{" AVAILABLE "," UNTIL "," PRICE NETWORK "}"},
    {"available", "{" DESIGNATION "," UNTIL "," PRICE NETWORK "}"},
    {"valid_until", "{" DESIGNATION "," AVAILABLE "," PRICE NETWORK "}"},
    {"amount", "{" REST CURRENCY "," NETWORK "}"},
    {"EUR", "{" REST AMOUNT "," NETWORK "}"},
    {"delivery", "{" REST PRICE "\"x\":1}"},
    {"content", "{" REST PRICE INCLUDED "}"},
    {"per", "{" REST PRICE STREAM "}"},
    {"per", "{" REST PRICE STREAM ",\"per\":0}"},
    {"per", "{" REST PRICE STREAM ",\"per\":3601}"},
    {"per", "{" REST PRICE STREAM ",\"per\":\"10\"}"},
    {"per", "{" REST PRICE STREAM ",\"per\":1.5}"},
    {"per", "{" REST PRICE NETWORK ",\"per\":10}"},
    {"amount", "{" REST "\"amount\":\"0\"," STREAM ",\"per\":10}"}, /* it is sold */
    /* of another kind */
    {"designation", "{" AVAILABLE "," UNTIL "," PRICE NETWORK ",\"designation\":1}"},
    {"designation", "{" AVAILABLE "," UNTIL "," PRICE NETWORK ",\"designation\":null}"},
    {"available", "{" DESIGNATION "," UNTIL "," PRICE NETWORK ",\"available\":1}"},
    {"available", "{" DESIGNATION "," UNTIL "," PRICE NETWORK ",\"available\":\"true\"}"},
    {"sold_out", "{" SOLD(false, 1) "," UNTIL "," PRICE NETWORK "}"},
    {"sold_out", "{" SOLD(false, null) "," UNTIL "," PRICE NETWORK "}"},
    {"final", "{" SOLD(false, false) ",\"final\":1," UNTIL "," PRICE NETWORK "}"},
    {"valid_until", "{" DESIGNATION "," AVAILABLE "," PRICE NETWORK ",\"valid_until\":1795921200}"},
    {"amount", "{" REST "\"amount\":150," CURRENCY "," NETWORK "}"},
    {"currency", "{" REST AMOUNT ",\"currency\":978," NETWORK "}"},
    {"delivery", "{" REST PRICE "\"delivery\":1}"},
    {"content", "{" REST PRICE INCLUDED ",\"content\":[]}"},
    {"content_type", "{" REST PRICE INCLUDED "," CONTENT ",\"content_type\":{}}"},
    {"merchant", "{" REST PRICE NETWORK ",\"merchant\":false}"},
    /* values that are none */
    {"sold_out", "{" SOLD(true, true) "," UNTIL "," PRICE NETWORK "}"},
    {"amount", "{" REST "\"amount\":\"\"," CURRENCY "," NETWORK "}"},
    {"amount", "{" REST "\"amount\":\"-1\"," CURRENCY "," NETWORK "}"},
    {"amount", "{" REST "\"amount\":\"+1\"," CURRENCY "," NETWORK "}"},
    {"amount", "{" REST "\"amount\":\" 1\"," CURRENCY "," NETWORK "}"},
    {"amount", "{" REST "\"amount\":\"1.50\"," CURRENCY "," NETWORK "}"},
    {"amount", "{" REST "\"amount\":\"0150\"," CURRENCY "," NETWORK "}"},
    {"amount", "{" REST "\"amount\":\"00\"," CURRENCY "," NETWORK "}"},
    {"amount", "{" REST "\"amount\":\"1e3\"," CURRENCY "," NETWORK "}"},
    {"amount", "{" REST "\"amount\":\"1000000000000\"," CURRENCY "," NETWORK "}"},
    {"amount", "{" REST "\"amount\":\"99999999999999999999\"," CURRENCY "," NETWORK "}"},
    {"EUR", "{" REST AMOUNT ",\"currency\":\"usd\"," NETWORK "}"},
    {"EUR", "{" REST AMOUNT ",\"currency\":\"\"," NETWORK "}"},
    {"EUR", "{" REST AMOUNT ",\"currency\":\"euro\"," NETWORK "}"},
    {"EUR", "{" REST AMOUNT ",\"currency\":\"\\u001b[2Jeu\"," NETWORK "}"},
    {"delivery", "{" REST PRICE "\"delivery\":\"Network\"}"},
    {"delivery", "{" REST PRICE "\"delivery\":\"\"}"},
    {"valid_until", "{" DESIGNATION "," AVAILABLE "," PRICE NETWORK ",\"valid_until\":\"\"}"},
    {"valid_until",
     "{" DESIGNATION "," AVAILABLE "," PRICE NETWORK ",\"valid_until\":\"2026-11-29\"}"},
    {"valid_until",
     "{" DESIGNATION "," AVAILABLE "," PRICE NETWORK ",\"valid_until\":\"2026-02-30T00:00:00Z\"}"},
    {"designation", "{" AVAILABLE "," UNTIL "," PRICE NETWORK ",\"designation\":\"\"}"},
    {"designation", "{" AVAILABLE "," UNTIL "," PRICE NETWORK ",\"designation\":\" a\"}"},
    {"designation", "{" AVAILABLE "," UNTIL "," PRICE NETWORK ",\"designation\":\"a\\nb\"}"},
    {"designation", "{" AVAILABLE "," UNTIL "," PRICE NETWORK ",\"designation\":\"a\\u007f\"}"},
    {"designation", "{" AVAILABLE "," UNTIL "," PRICE NETWORK ",\"designation\":\"a\\u0085\"}"},
    {"", "{" AVAILABLE "," UNTIL "," PRICE NETWORK ",\"designation\":\"a\\u0000b\"}"},
    {"merchant", "{" REST PRICE NETWORK ",\"merchant\":\"\"}"},
    {"merchant", "{" REST PRICE NETWORK ",\"merchant\":\"a\\tb\"}"},
    {"content_type", "{" REST PRICE INCLUDED "," CONTENT ",\"content_type\":\"\"}"},
    {"content_type", "{" REST PRICE INCLUDED "," CONTENT ",\"content_type\":\"a\\r\\nSet-C: d\"}"},
    {"content_type", "{" REST PRICE INCLUDED "," CONTENT ",\"content_type\":\"text/é\"}"},
    /* what does not go together */
    {"content", "{" REST PRICE NETWORK "," CONTENT "}"},
    {"content", "{" REST PRICE "\"delivery\":\"shipped\"," CONTENT "}"},
    {"content", "{" REST PRICE INCLUDED ",\"content\":\"aGVsbG8!\"}"},
    {"content", "{" REST PRICE INCLUDED ",\"content\":\"a\"}"},
    {"content", "{" REST PRICE INCLUDED ",\"content\":\"aGVs bG8=\"}"},
    {"content", "{" REST PRICE INCLUDED ",\"content\":\"aGVsbG9=\"}"}, /* bits that say nothing */
    /* no quote at all */
    {"", ""},
    {"", "null garbage"},
    {"object", "null"},
    {"object", "[]"},
    {"object", "\"quote\""},
    {"", "{" REST PRICE NETWORK},
    {"", GOOD "x"},
    {"", GOOD GOOD},
    {"", "{" REST PRICE NETWORK ",}"},
    {"", "<html>" GOOD},
    {"", "{" REST PRICE NETWORK ",\"designation\":\"\xff\"}"},
    /* a member twice */
    {"", "{" REST PRICE NETWORK "," AMOUNT "}"},
    {"", "{" REST PRICE NETWORK ",\"amount\":\"1\"}"},
    {"", "{" REST PRICE NETWORK ",\"\\u0061mount\":\"1\"}"},
};

START_TEST(bad_ones)
    {
        struct quote q;
        const enum tp_err r = take(&q, bad[_i].text);

        ck_assert_msg(r == TP_ERR_FORMAT, "%d for %s: %s", (int)r, bad[_i].text, e.text);
        ck_assert_msg(e.text[0] != '\0' && strstr(e.text, bad[_i].word) != NULL, "%s: %s",
                      bad[_i].text, e.text);
        ck_assert_ptr_null(strchr(e.text, '\x1b'));
        quote_free(&q);
    }
END_TEST

/* ---- lengths ---- */

static enum tp_err read_long(const char *name, const char *letter, size_t n)
{
    char *text = malloc(1024 + n * strlen(letter)), *at = text;
    struct quote q;
    enum tp_err r;

    at += sprintf(at, "{" AVAILABLE "," UNTIL "," PRICE INCLUDED "," CONTENT);
    if (strcmp(name, "designation") != 0)
        at += sprintf(at, "," DESIGNATION);
    at += sprintf(at, ",\"%s\":\"", name);
    for (size_t i = 0; i < n; i++)
        at += sprintf(at, "%s", letter);
    sprintf(at, "\"}");
    r = take(&q, text);
    quote_free(&q);
    free(text);
    return r;
}

START_TEST(as_long_as_an_order_takes)
    {
        static const struct {
            const char *name, *letter;
            size_t max;
        } of[] = {{"designation", "a", 200},
                  {"designation", "\xf0\x9f\x90\x8c", 200},
                  {"merchant", "a", 100},
                  {"merchant", "é", 100},
                  {"content_type", "a", 255}};

        for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
            ck_ok(read_long(of[i].name, of[i].letter, 1));
            ck_ok(read_long(of[i].name, of[i].letter, of[i].max));
            ck_assert_int_eq(read_long(of[i].name, of[i].letter, of[i].max + 1), TP_ERR_FORMAT);
            ck_assert_ptr_nonnull(strstr(e.text, of[i].name));
            ck_assert_int_eq(read_long(of[i].name, of[i].letter, 100000), TP_ERR_FORMAT);
        }
    }
END_TEST

/* Each beginning of a good one is none. */
START_TEST(cut_off)
    {
        for (size_t n = 0; n < strlen(GOOD); n++) {
            struct quote q;

            ck_assert_int_eq(quote_read(&q, span_of(GOOD, n), currency_by_alpha("EUR"), &e),
                             TP_ERR_FORMAT);
            quote_free(&q);
        }
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("quote");
    TCase *t = tcase_create("quote");

    tcase_add_test(t, each_member_is_read);
    tcase_add_test(t, content_goes_with_it);
    tcase_add_loop_test(t, good_ones, 0, sizeof(good) / sizeof(good[0]));
    tcase_add_test(t, not_available_is_no_fault);
    tcase_add_test(t, sold_out_is_a_reason);
    tcase_add_test(t, what_is_final_is_said);
    tcase_add_loop_test(t, bad_ones, 0, sizeof(bad) / sizeof(bad[0]));
    tcase_add_test(t, as_long_as_an_order_takes);
    tcase_add_test(t, cut_off);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
