/* The page of an account: tickets that are good once, for a while, of one account each; the sheet
 * of an account, from the newest record to the first; its page in both languages. */
#include "purse_fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "purse/page.h"
#include "purse/tickets.h"

static struct purse_fixture f;
static struct tickets *tickets;
static struct pages *pages;

static void start(void)
{
    fixture_start(&f);
    ck_ok(tickets_new(&tickets, &f.e));
    ck_ok(purse_pages_open(&pages, &f.e));
}

static void end(void)
{
    pages_close(&pages);
    tickets_free(&tickets);
    fixture_end(&f);
}

/* ---- tickets ---- */

static struct ticket_holder holder(unsigned n)
{
    struct ticket_holder h = {.key = {(uint8_t)n}};

    snprintf(h.account, sizeof(h.account), "account %u", n);
    return h;
}

START_TEST(once_within_a_minute)
    {
        const struct ticket_holder one = holder(1), two = holder(2);
        struct ticket_holder who;
        char first[TICKET], second[TICKET], changed[TICKET];

        ck_ok(tickets_give(tickets, first, &one, NOW, &f.e));
        ck_ok(tickets_give(tickets, second, &two, NOW, &f.e));
        ck_assert_uint_eq(strlen(first), 22); /* 128 bits */
        ck_assert_str_ne(first, second);
        memcpy(changed, first, TICKET);
        changed[0] = changed[0] == 'A' ? 'B' : 'A';
        ck_assert(!tickets_take(tickets, &who, changed, NOW));
        ck_assert(!tickets_take(tickets, &who, "", NOW));
        first[21] = '\0';
        ck_assert(!tickets_take(tickets, &who, first, NOW));
        first[21] = changed[21];
        ck_assert(tickets_take(tickets, &who, first, NOW + TICKET_SECONDS - 1));
        ck_assert_str_eq(who.account, one.account);
        ck_assert_mem_eq(who.key, one.key, sizeof(who.key));
        ck_assert(!tickets_take(tickets, &who, first, NOW));
        ck_assert(!tickets_take(tickets, &who, second, NOW + TICKET_SECONDS));
        ck_assert(!tickets_take(tickets, &who, second, NOW)); /* too late is used */
    }
END_TEST

START_TEST(one_of_each_account)
    {
        const struct ticket_holder one = holder(1);
        struct ticket_holder who;
        char first[TICKET], second[TICKET];

        ck_ok(tickets_give(tickets, first, &one, NOW, &f.e));
        ck_ok(tickets_give(tickets, second, &one, NOW, &f.e));
        ck_assert(!tickets_take(tickets, &who, first, NOW));
        ck_assert(tickets_take(tickets, &who, second, NOW));
    }
END_TEST

/* However many ask, there are so many: the oldest goes. */
START_TEST(no_more_than_there_is_room_for)
    {
        struct ticket_holder who, many;
        char first[TICKET], second[TICKET], last[TICKET];

        who = holder(0);
        ck_ok(tickets_give(tickets, first, &who, NOW, &f.e));
        who = holder(1);
        ck_ok(tickets_give(tickets, second, &who, NOW, &f.e));
        for (unsigned i = 2; i <= TICKETS_MAX; i++) {
            many = holder(i);
            ck_ok(tickets_give(tickets, last, &many, NOW, &f.e));
        }
        ck_assert(!tickets_take(tickets, &who, first, NOW));
        ck_assert(tickets_take(tickets, &who, second, NOW));
        ck_assert(tickets_take(tickets, &who, last, NOW));
    }
END_TEST

/* ---- sheets ---- */

START_TEST(from_the_newest_to_the_first)
    {
        static struct sheet s;
        char account[PURSE_ACCOUNT], other[PURSE_ACCOUNT], reference[16];
        int64_t before = INT64_MAX, last = INT64_MAX;
        size_t n = 0, sheets = 0;

        fixture_account(&f, account, 1, 100000);
        fixture_account(&f, other, 2, 500);
        for (int i = 0; i < 2 * SHEET_RECORDS; i++) { /* with the first filling one too many */
            snprintf(reference, sizeof(reference), "R%d", i);
            ck_ok(fixture_book(&f, account, BOOKING_GIVEN_BACK, 1, reference));
        }
        do {
            ck_ok(sheet_read(&s, f.book, account, before, &f.e));
            for (size_t i = 0; i < s.n; i++) {
                ck_assert_int_lt(s.record[i].number, last);
                last = s.record[i].number;
                ck_assert_int_eq(s.record[i].effect, n + i < 2 * SHEET_RECORDS ? -1 : 1);
            }
            n += s.n;
            before = last;
            sheets++;
        } while (s.more);
        ck_assert_uint_eq(n, 2 * SHEET_RECORDS + 1);
        ck_assert_uint_eq(sheets, 3);
        ck_assert_int_eq(s.account.balance, 100000 - 2 * SHEET_RECORDS);
        ck_ok(sheet_read(&s, f.book, account, 1, &f.e));
        ck_assert_uint_eq(s.n, 0);
        ck_assert(!s.more);
        ck_assert_int_eq(sheet_read(&s, f.book, "nobody", 1, &f.e), TP_ERR_NOT_FOUND);
    }
END_TEST

/* What moved the balance, and how. */
START_TEST(each_kind)
    {
        static struct sheet s;
        char account[PURSE_ACCOUNT], room[2][PURSE_HASH];
        const struct payment paid = fixture_payment(1, 1, 1, 300);
        const struct purse_token t = fixture_reversal(&paid, room);
        struct payment p;

        fixture_account(&f, account, 1, 1000);
        ck_assert_str_eq(fixture_pay(&f, &paid, NOW), "00 ");
        ck_assert_str_eq(fixture_reverse(&f, &t, NOW), "00 ");
        p = fixture_payment(1, 2, 0, 1001);
        ck_assert_str_eq(fixture_empty(&f, &p, NOW), "51 BALANCE");
        ck_ok(sheet_read(&s, f.book, account, INT64_MAX, &f.e));
        ck_assert_uint_eq(s.n, 4);
        ck_assert_int_eq(s.record[0].kind, HISTORY_EMPTYING);
        ck_assert_int_eq(s.record[0].effect, 0); /* it was refused */
        ck_assert_str_eq(s.record[0].reason, "BALANCE");
        ck_assert_int_eq(s.record[1].kind, HISTORY_REVERSAL);
        ck_assert_int_eq(s.record[1].effect, 1);
        ck_assert_int_eq(s.record[2].kind, HISTORY_PAYMENT);
        ck_assert_int_eq(s.record[2].effect, -1);
        ck_assert_int_eq(s.record[3].kind, HISTORY_FILLED);
    }
END_TEST

/* {"reference":"T<1>é"} and others, as RFC 4648 has them; of no form: nothing is said of it. */
START_TEST(what_was_signed)
    {
        static const struct {
            const char *jws, *what;
        } rows[] = {
            {"e30.eyJyZWZlcmVuY2UiOiJUPDE-w6kifQ."
             "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
             "A",
             "T<1>\u00e9"},
            {"e30.eyJyZWZlcmVuY2UiOiIbWzMxbSJ9."
             "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
             "A",
             ""}, /* a control character: no JSON */
            {"e30.eyJyZWZlcmVuY2UiOjF9."
             "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
             "A",
             ""},
            {"", ""},
            {"..", ""},
        };
        char what[SHEET_WHAT];

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            const struct history h = {.kind = HISTORY_FILLED, .word = span_str(rows[i].jws)};

            ck_assert_str_eq(sheet_what(what, &h), rows[i].what);
        }
    }
END_TEST

/* ---- pages ---- */

static void reads(const char *page, const char *text)
{
    ck_assert_msg(page != NULL && strstr(page, text) != NULL, "no \"%s\" in %s", text,
                  page != NULL ? page : "no page");
}

/* Every word of every page is there in every language, with whatever may be shown. */
START_TEST(in_both_languages)
    {
        static const char *const faults[] = {NULL, "amount", "most", "seller"};
        static struct sheet s = {.account = {.currency = EUR, .balance = 123456, .reserved = 500},
                                 .sessions = 1,
                                 .session = {{.mediator = "port", .amount = 500, .drawn = 150}},
                                 .n = HISTORY_VOUCHER + 1,
                                 .more = true};
        struct page_account a = {.sheet = &s, .settings = &f.settings, .typed = "\"<1>"};
        char *page;

        f.settings.currency[0].balance = 200000;
        f.settings.sellers = 2;
        f.settings.seller[0] = (struct purse_seller){"port", "https://one.example:8843/s/purse"};
        f.settings.seller[1] = (struct purse_seller){"gone", "https://two.example/s/purse"};
        a.sells = 1;
        for (int i = 0; i <= HISTORY_VOUCHER; i++)
            s.record[i] = (struct sheet_record){.number = 100 - i,
                                                .amount = 100 + i,
                                                .kind = (enum history_kind)i,
                                                .effect = i % 3 - 1,
                                                .code = "00",
                                                .what = "<what>"};
        memcpy(s.record[3].code, "51", 3);
        snprintf(s.record[3].reason, sizeof(s.record[3].reason), "BALANCE");
        for (int i = 0; i < 4; i++)
            for (enum page_language l = PAGE_ENGLISH; l < PAGE_LANGUAGES; l++) {
                a.fault = faults[i];
                page = page_account(pages, l, &a);
                reads(page, l == PAGE_FRENCH ? "1229,56 EUR" : "1229.56 EUR"); /* what is free */
                reads(page, l == PAGE_FRENCH ? "765,44 EUR" : "765.44 EUR"); /* 2000.00 - 1234.56 */
                reads(page, l == PAGE_FRENCH ? "<html lang=\"fr\">" : "<html lang=\"en\">");
                reads(page, "(51, BALANCE)");
                reads(page, "&lt;what&gt;");
                reads(page, "value=\"&quot;&lt;1&gt;\"");
                reads(page, "one.example:8843");
                reads(page, "/account?before=93");
                reads(page, "\u22121"); /* a minus, not a hyphen */
                ck_assert(strstr(page, "two.example") == NULL);
                ck_assert((strstr(page, "role=\"alert\"") != NULL) == (faults[i] != NULL));
                for (int k = 0; k <= HISTORY_VOUCHER; k++) /* no kind without its word */
                    ck_assert(strstr(page, "<p class=\"until\">given_back") == NULL);
                free(page);
                for (int used = 0; used < 2; used++) {
                    page = page_enter(pages, l, "0123456789ABCDEF", used == 1);
                    reads(page, "http://127.0.0.1:27502/purse?purse=0123456789ABCDEF");
                    free(page);
                }
                page = page_filled(pages, l, "https://purse.example", 2000, EUR);
                reads(page, "href=\"https://purse.example/account\"");
                free(page);
                page = page_problem(pages, l, 429, NULL);
                reads(page, "<h1>");
                free(page);
            }
    }
END_TEST

START_TEST(room_to_be_filled)
    {
        struct account a = {.currency = EUR, .balance = LIMIT_BALANCE - 1};

        ck_assert_int_eq(page_room(&a, &f.settings), 1);
        a.balance = LIMIT_BALANCE;
        ck_assert_int_eq(page_room(&a, &f.settings), 0);
        a.balance = LIMIT_BALANCE + 1; /* the limit was more once */
        ck_assert_int_eq(page_room(&a, &f.settings), 0);
        a.balance = 0;
        a.state = ACCOUNT_STOPPED;
        ck_assert_int_eq(page_room(&a, &f.settings), 0);
        a = (struct account){.currency = 840};
        ck_assert_int_eq(page_room(&a, &f.settings), 0);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("purse_page");
    TCase *t = tcase_create("purse_page");

    tcase_add_checked_fixture(t, start, end);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, once_within_a_minute);
    tcase_add_test(t, one_of_each_account);
    tcase_add_test(t, no_more_than_there_is_room_for);
    tcase_add_test(t, from_the_newest_to_the_first);
    tcase_add_test(t, each_kind);
    tcase_add_test(t, what_was_signed);
    tcase_add_test(t, in_both_languages);
    tcase_add_test(t, room_to_be_filled);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
