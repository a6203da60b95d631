/* What services say that somebody owes: each member missing, of another kind, too long; addresses
 * that lead elsewhere. */
#include "unit.h"

#include <stdio.h>

#include "mediator/bills.h"

#define NUMBER    "\"bill\":\"2026-11\""
#define PATH      "\"path\":\"/bills/2026-11\""
#define WORDS     "\"designation\":\"Electricity\""
#define PRICE     "\"amount\":\"4200\",\"currency\":\"EUR\""
#define OPEN      "\"paid\":false"
#define ONE       NUMBER "," PATH "," WORDS "," PRICE "," OPEN
#define LIST(one) "{\"bills\":[{" one "}]}"

static struct tp_error e;

static enum tp_err take(struct bills *b, const char *text)
{
    return bills_read(b, span_str(text), &e);
}

START_TEST(each_member_is_read)
    {
        struct bills b;

        ck_ok(take(&b, LIST(ONE ",\"until\":\"2026-12-31\"")));
        ck_assert_uint_eq(b.n, 1);
        ck_assert_str_eq(b.bill[0].number, "2026-11");
        ck_assert_str_eq(b.bill[0].path, "/bills/2026-11");
        ck_assert_str_eq(b.bill[0].designation, "Electricity");
        ck_assert_str_eq(b.bill[0].until, "2026-12-31");
        ck_assert_int_eq(b.bill[0].amount, 4200);
        ck_assert_str_eq(b.bill[0].currency->alpha, "EUR");
        ck_assert(!b.bill[0].paid);
        bills_free(&b);
        ck_ok(take(&b, "{\"bills\":[]}"));
        ck_assert_uint_eq(b.n, 0);
        bills_free(&b);
        ck_ok(take(&b, "{\"identify\":\"to show what you owe\"}"));
        ck_assert_str_eq(b.identify, "to show what you owe");
        bills_free(&b);
        bills_free(&b); /* twice is nothing */
    }
END_TEST

START_TEST(what_is_no_bill)
    {
        static const char *const rows[] = {
            "",
            "[]",
            "{}",
            "{\"bills\":{}}",
            "{\"bills\":[1]}",
            "{\"identify\":\"\"}",
            "{\"identify\":\"a\\u001bb\"}",
            LIST(PATH "," WORDS "," PRICE "," OPEN),
            LIST(NUMBER "," WORDS "," PRICE "," OPEN),
            LIST(NUMBER "," PATH "," PRICE "," OPEN),
            LIST(NUMBER "," PATH "," WORDS "," OPEN),
            LIST(NUMBER "," PATH "," WORDS "," PRICE),
            LIST(NUMBER "," PATH "," WORDS "," PRICE ",\"paid\":\"no\""),
            LIST(NUMBER "," PATH "," WORDS ",\"amount\":4200,\"currency\":\"EUR\"," OPEN),
            LIST(NUMBER "," PATH "," WORDS ",\"amount\":\"-1\",\"currency\":\"EUR\"," OPEN),
            LIST(NUMBER "," PATH "," WORDS ",\"amount\":\"1\",\"currency\":\"XQX\"," OPEN),
            LIST(NUMBER ",\"path\":\"bills/1\"," WORDS "," PRICE "," OPEN),
            LIST(NUMBER ",\"path\":\"//evil.example/\"," WORDS "," PRICE "," OPEN),
            LIST(NUMBER ",\"path\":\"/../x\"," WORDS "," PRICE "," OPEN),
            LIST(NUMBER ",\"path\":\"/a?b\"," WORDS "," PRICE "," OPEN),
            LIST(NUMBER ",\"path\":\"/a\\\"b\"," WORDS "," PRICE "," OPEN),
            LIST(NUMBER "," PATH ",\"designation\":\"a\\nb\"," PRICE "," OPEN),
            LIST(ONE ",\"until\":\"soon\""),
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            struct bills b;

            ck_assert_msg(take(&b, rows[i]) == TP_ERR_FORMAT, "%s", rows[i]);
            bills_free(&b);
        }
    }
END_TEST

/* doc/service.md: the characters that each may have. */
START_TEST(as_long_as_may_be)
    {
        static const struct {
            const char *before, *after;
            int most; /* of what stands between */
        } rows[] = {
            {"{\"bills\":[{\"bill\":\"", "\"," PATH "," WORDS "," PRICE "," OPEN "}]}", 64},
            {"{\"bills\":[{" NUMBER ",\"path\":\"/", "\"," WORDS "," PRICE "," OPEN "}]}", 255},
            {"{\"bills\":[{" NUMBER "," PATH ",\"designation\":\"", "\"," PRICE "," OPEN "}]}",
             200},
            {"{\"identify\":\"", "\"}", 200},
        };
        static const char x[] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                                "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                                "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                                "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
            for (int more = 0; more <= 1; more++) {
                char text[1024];
                struct bills b;

                snprintf(text, sizeof(text), "%s%.*s%s", rows[i].before, rows[i].most + more, x,
                         rows[i].after);
                ck_assert_msg(take(&b, text) == (more ? TP_ERR_FORMAT : TP_OK), "%s", text);
                bills_free(&b);
            }
    }
END_TEST

START_TEST(so_many_and_no_more)
    {
        char *text = NULL;
        size_t n = 0;
        struct bills b;

        for (unsigned most = BILLS_MAX; most <= BILLS_MAX + 1; most++) {
            FILE *to = open_memstream(&text, &n);

            ck_assert_ptr_nonnull(to);
            fputs("{\"bills\":[", to);
            for (unsigned i = 0; i < most; i++)
                fprintf(to, "%s{" ONE "}", i > 0 ? "," : "");
            fputs("]}", to);
            fclose(to);
            ck_assert_int_eq(take(&b, text), most == BILLS_MAX ? TP_OK : TP_ERR_RANGE);
            bills_free(&b);
            free(text);
        }
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("bills");
    TCase *t = tcase_create("bills");

    tcase_add_test(t, each_member_is_read);
    tcase_add_test(t, what_is_no_bill);
    tcase_add_test(t, as_long_as_may_be);
    tcase_add_test(t, so_many_and_no_more);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
