/* src/base: spans, hex, base64, BCD, money, dates, secrets, files, words. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/bcd.h"
#include "base/date.h"
#include "base/file.h"
#include "base/iban.h"
#include "base/mask.h"
#include "base/money.h"
#include "base/table.h"
#include "base/word.h"

START_TEST(spans_stop_at_their_end)
    {
        const uint8_t raw[] = {1, 2, 3};
        struct span s = SPAN_OF(raw), out;
        uint16_t v;

        ck_assert_int_eq(span_take(&s, 4, &out), TP_ERR_FORMAT);
        ck_assert_uint_eq(s.n, 3);
        ck_ok(span_be16(&s, &v));
        ck_assert_uint_eq(v, 0x0102);
        ck_assert_int_eq(span_be16(&s, &v), TP_ERR_FORMAT);
        ck_assert_uint_eq(s.n, 1);
    }
END_TEST

START_TEST(bufs_never_run_over)
    {
        uint8_t raw[3];
        struct buf b = BUF_OF(raw);

        ck_ok(buf_be16(&b, 0xABCD));
        ck_assert_int_eq(buf_be16(&b, 1), TP_ERR_RANGE);
        ck_assert_uint_eq(b.n, 2);
        ck_ok(buf_u8(&b, 0xEF));
        ck_hex(buf_span(&b), "ABCDEF");
    }
END_TEST

START_TEST(hex_refuses_what_is_no_hex)
    {
        uint8_t raw[4];
        struct buf b = BUF_OF(raw);

        ck_assert_int_eq(hex_decode(&b, "ABC"), TP_ERR_FORMAT);
        ck_assert_int_eq(hex_decode(&b, "AG"), TP_ERR_FORMAT);
        ck_assert_int_eq(hex_decode(&b, "0102030405"), TP_ERR_RANGE);
        ck_assert_uint_eq(b.n, 0);
        ck_ok(hex_decode(&b, "9f 26"));
        ck_hex(buf_span(&b), "9F26");
    }
END_TEST

/* RFC 4648, 10. */
START_TEST(base64_is_that_of_the_rfc)
    {
        static const char *const row[][2] = {{"", ""},
                                             {"f", "Zg=="},
                                             {"fo", "Zm8="},
                                             {"foo", "Zm9v"},
                                             {"foob", "Zm9vYg=="},
                                             {"fooba", "Zm9vYmE="},
                                             {"foobar", "Zm9vYmFy"}};

        for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
            char text[BASE64_SIZE(6)];
            uint8_t room[6];
            struct buf out = BUF_OF(room);

            ck_assert_str_eq(base64_encode(text, span_str(row[i][0])), row[i][1]);
            ck_ok(base64_decode(&out, span_str(row[i][1])));
            ck_assert(span_eq(buf_span(&out), span_str(row[i][0])));
            out.n = 0;
            ck_ok(base64_decode(&out, span_of(row[i][1], strcspn(row[i][1], "="))));
            ck_assert(span_eq(buf_span(&out), span_str(row[i][0])));
        }

        uint8_t small[5];
        struct buf out = BUF_OF(small);

        ck_assert_int_eq(base64_decode(&out, span_str("Zm9vYmFy")), TP_ERR_RANGE);
        ck_assert_uint_eq(out.n, 0);
        ck_assert_int_eq(base64_decode(&out, span_str("-_-_")), TP_ERR_FORMAT);
        ck_assert_int_eq(base64_decode(&out, span_str("=")), TP_ERR_FORMAT);
        ck_assert_int_eq(base64_decode(&out, span_str("====")), TP_ERR_FORMAT);
    }
END_TEST

START_TEST(bcd_both_ways)
    {
        uint8_t raw[16];
        char text[33];
        struct buf b = BUF_OF(raw);
        uint64_t v;

        ck_ok(bcd_put(&b, 1250, 12));
        ck_hex(buf_span(&b), "000000001250");
        ck_ok(bcd_get(buf_span(&b), &v));
        ck_assert_uint_eq(v, 1250);
        b.n = 0;
        ck_ok(bcd_put(&b, 51, 3)); /* doc/protocol.md, Packing: DE 22 051 → 00 51 */
        ck_hex(buf_span(&b), "0051");
        ck_assert_int_eq(bcd_put(&b, 1000, 3), TP_ERR_RANGE);
        b.n = 0;
        ck_ok(bcd_put_cn(&b, "9990140000000015123", 10));
        ck_hex(buf_span(&b), "9990140000000015123F");
        ck_ok(bcd_get_cn(buf_span(&b), text));
        ck_assert_str_eq(text, "9990140000000015123");
        UNHEX(bad, "12F3");
        ck_assert_int_eq(bcd_get_cn(bad, text), TP_ERR_FORMAT);
        ck_assert_int_eq(bcd_get(bad, &v), TP_ERR_FORMAT);
    }
END_TEST

START_TEST(money_as_people_write_it)
    {
        static const struct {
            const char *currency, *text;
            int64_t minor;
        } good[] = {{"EUR", "12.50", 1250}, {"EUR", "12,5", 1250},
                    {"eur", "12", 1200},    {"JPY", "1200", 1200},
                    {"TND", "1.005", 1005}, {"EUR", "9999999999.99", MONEY_MAX}};
        static const char *const bad[] = {
            "0",  "0.00", "-1",    "+1",  "1.234", "10000000000.00", "99999999999999999999", "",
            ".5", "5.",   "1.2.3", "1e3", " 1"};
        struct tp_error e;
        int64_t v;
        char text[MONEY_TEXT_MAX];

        for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
            ck_ok(money_parse(&v, currency_by_alpha(good[i].currency), good[i].text, &e));
            ck_assert_int_eq(v, good[i].minor);
        }
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
            ck_assert_int_eq(money_parse(&v, currency_by_alpha("EUR"), bad[i], &e), TP_ERR_USAGE);
        ck_assert_int_eq(money_parse(&v, currency_by_alpha("JPY"), "1.5", &e), TP_ERR_USAGE);
        ck_assert_ptr_null(currency_by_alpha("XYZ"));
        ck_assert_str_eq(money_format(text, 1250, currency_by_numeric(978)), "12.50");
        ck_assert_str_eq(money_format(text, -5, currency_by_numeric(788)), "-0.005");
        ck_assert_str_eq(money_format(text, 1200, currency_by_numeric(392)), "1200");
    }
END_TEST

START_TEST(ibans_have_check_digits)
    {
        static const char *const good[] = {"GB82WEST12345698765432", "DE89370400440532013000",
                                           "FR1420041010050500013M02606", "NO9386011117947"};
        static const char *const bad[] = {"",
                                          "GB82",
                                          "GB82WEST12345698765433",
                                          "gb82west12345698765432",
                                          "GB82 WEST 1234 5698 7654 32",
                                          "82GBWEST12345698765432",
                                          "GB82WEST1234569876543212345698765432"};

        for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
            ck_assert_msg(iban_is_good(good[i]), "%s", good[i]);
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
            ck_assert_msg(!iban_is_good(bad[i]), "%s", bad[i]);
    }
END_TEST

/* ISO 13616-1, 4: on paper in groups of four. */
START_TEST(ibans_are_written_in_groups)
    {
        static const struct {
            const char *text, *iban;
        } rows[] = {{"GB82 WEST 1234 5698 7654 32", "GB82WEST12345698765432"},
                    {" DE89 3704 0044 0532 0130 00 ", "DE89370400440532013000"},
                    {"NO9386011117947", "NO9386011117947"},
                    {"GB82 WEST 1234 5698 7654 33", ""},
                    {"GB82\tWEST12345698765432", ""},
                    {"GB82-WEST-1234-5698-7654-32", ""},
                    {"GB82 WEST 1234 5698 7654 3212 3456 9876 5432", ""},
                    {"  ", ""}};

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            char out[IBAN_MAX] = "before";

            ck_assert_int_eq(iban_read(out, rows[i].text), rows[i].iban[0] != '\0');
            ck_assert_str_eq(out, rows[i].iban);
        }
    }
END_TEST

START_TEST(dates_compare_as_numbers)
    {
        uint8_t raw[3];
        char text[DATE_TEXT_MAX];
        int d;

        ck_ok(date_parse(&d, "2028-02"));
        ck_assert_int_eq(d, 20280229);
        ck_assert_int_eq(date_parse(&d, "2027-02-29"), TP_ERR_FORMAT);
        ck_assert_int_eq(date_parse(&d, "2027-13"), TP_ERR_FORMAT);
        UNHEX(mmyy, "1230");
        ck_ok(date_from_mmyy(&d, mmyy));
        ck_assert_str_eq(date_format(text, d), "2030-12-31");
        date_to_yymmdd(raw, d);
        ck_hex(SPAN_OF(raw), "301231");
        UNHEX(old, "991231"); /* EMV 4.4 Book 4, 6.7.3 */
        ck_ok(date_from_yymmdd(&d, old));
        ck_assert_int_eq(d, 19991231);
    }
END_TEST

START_TEST(times_are_those_of_rfc_3339)
    {
        static const struct {
            const char *text;
            time_t t;
        } row[] = {
            {"1970-01-01T00:00:00Z", 0},
            {"1985-04-12T23:20:50.52Z", 482196050}, /* these four are the RFC's: 5.8 */
            {"1996-12-19T16:39:57-08:00", 851042397},
            {"1990-12-31T23:59:60Z", 662688000},
            {"1937-01-01T12:00:27.87+00:20", -1041337173},
            {"2024-02-29t12:00:00z", 1709208000},
            {"9999-12-31T23:59:59Z", INT64_C(253402300799)},
        };
        static const char *const bad[] = {
            "",
            "2026-11-28",
            "2026-11-28T08:15:00",
            "2026-11-28 08:15:00Z",
            "2026-02-29T08:15:00Z",
            "2026-13-01T08:15:00Z",
            "2026-11-28T24:00:00Z",
            "2026-11-28T08:60:00Z",
            "2026-11-28T08:15:61Z",
            "2026-11-28T08:15:00.Z",
            "2026-11-28T08:15:00+0100",
            "2026-11-28T08:15:00+24:00",
            "2026-11-28T08:15:00Zx",
            "2026-11-28T08:15:00+01:00Z",
            "+026-11-28T08:15:00Z",
        };
        char text[TIME_TEXT_MAX];
        time_t t;

        for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
            ck_ok(time_parse(&t, row[i].text));
            ck_assert_int_eq(t, row[i].t);
        }
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
            ck_assert_msg(time_parse(&t, bad[i]) == TP_ERR_FORMAT, "%s", bad[i]);
        ck_assert_str_eq(time_format_utc(text, 851042397), "1996-12-20T00:39:57Z");
        ck_assert_str_eq(time_format_utc(text, INT64_C(253402300799)), "9999-12-31T23:59:59Z");
    }
END_TEST

START_TEST(pans_are_masked)
    {
        char out[PAN_TEXT_MAX];

        ck_assert_str_eq(mask_pan(out, "9990140000000015"), "999014******0015");
        ck_assert_str_eq(mask_pan(out, "1234567890"), "**********");
        ck_assert(pan_valid("4761739001010010"));
        ck_assert(!pan_valid("4761739001010011"));
        ck_assert(pan_valid("9990140000000015")); /* by hand 9+9+9+0+2+4+2 = 35 */
        ck_assert(!pan_valid("9990140000000018"));
        ck_assert_int_eq(pan_check_digit("7992739871", 10),
                         '3'); /* the number most explanations of Luhn work out */
        ck_assert(!pan_valid("47617390010100100000"));
    }
END_TEST

/* What libsmartcols 2.38 prints as a JSON boolean: "true" for every word that does not begin with
 * 0, N or n. */
START_TEST(a_column_of_booleans_takes_booleans_alone)
    {
        static const struct table_column columns[] = {{"name", TABLE_TEXT}, {"open", TABLE_BOOL}};
        static const char *const words[] = {"true", "false", "1", "", NULL};
        char path[] = "/tmp/test_table.XXXXXX", got[200] = "";
        const int fd = mkstemp(path), out = dup(STDOUT_FILENO);
        struct table *t;
        struct tp_error e;

        ck_assert(fd >= 0 && out >= 0);
        ck_ok(table_new(&t, "doors", columns, 2, true, &e));
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
            ck_assert_int_eq(table_row(t, (const char *[]){"door", words[i]}, &e), TP_ERR_INTERNAL);
        table_free(&t);
        ck_ok(table_new(&t, "doors", columns, 2, true, &e));
        ck_ok(table_row(t, (const char *[]){"front", table_bool(true)}, &e));
        ck_ok(table_row(t, (const char *[]){"back", table_bool(false)}, &e));
        fflush(stdout);
        ck_assert_int_ge(dup2(fd, STDOUT_FILENO), 0);
        const enum tp_err r = table_end(&t, TP_OK, &e);

        fflush(stdout);
        ck_assert_int_ge(dup2(out, STDOUT_FILENO), 0);
        ck_ok(r);
        ck_assert_int_gt(pread(fd, got, sizeof(got) - 1, 0), 0);
        ck_assert_ptr_nonnull(strstr(got, "\"open\": true"));
        ck_assert_ptr_nonnull(strstr(got, "\"open\": false"));
        close(fd);
        close(out);
        unlink(path);
    }
END_TEST

/* Sequences of Unicode 15, table 3-7, and of XML 1.0, 2.2. */
START_TEST(words_are_text_for_people)
    {
        static const char *const good[] = {"a",
                                           "Librairie du Port",
                                           "\xC3\xA9t\xC3\xA9",
                                           "\xE2\x82\xAC",
                                           "\xF0\x9F\x92\xB3",
                                           "\xEF\xBF\xBD",
                                           "\xD8\xA7\xD9\x84", /* letters from right to left */
                                           "a\xE2\x80\xA7z",   /* U+2027, U+202F: beside those */
                                           "a\xE2\x80\xAFz",
                                           "A & B <C> \"D\""};
        static const char *const bad[] = {"",
                                          " a",
                                          "a ",
                                          "a\x01",
                                          "a\tb",
                                          "a\nb",
                                          "\x1B[2J",
                                          "a\x7F",
                                          "\xC2\x85",
                                          "\xC0\xAF",
                                          "\xC3",
                                          "\x80",
                                          "\xED\xA0\x80",
                                          "\xE0\x80\x80",
                                          "\xEF\xBF\xBE",
                                          "\xEF\xBF\xBF",
                                          "\xF4\x90\x80\x80",
                                          "caf\xE9",
                                          "\xF5\x80\x80\x80",
                                          "a\x1B[31m",
                                          "a\xC2\x9Bz",     /* CSI as one character */
                                          "a\xD8\x9Cz",     /* U+061C */
                                          "a\xE2\x80\x8Ez", /* U+200E, 200F */
                                          "a\xE2\x80\x8Fz",
                                          "a\xE2\x80\xA8z", /* U+2028 to 202E */
                                          "a\xE2\x80\xA9z",
                                          "a\xE2\x80\xAAz",
                                          "a\xE2\x80\xABz",
                                          "a\xE2\x80\xACz",
                                          "a\xE2\x80\xADz",
                                          "a\xE2\x80\xAEz",
                                          "a\xE2\x81\xA6z", /* U+2066 to 2069 */
                                          "a\xE2\x81\xA7z",
                                          "a\xE2\x81\xA8z",
                                          "a\xE2\x81\xA9z",
                                          ("\xEF\xBB\xBF"
                                           "a")};
        struct tp_error e;

        for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
            ck_assert_msg(word_check(good[i], "it", 40, &e) == TP_OK, "%s", e.text);
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
            ck_assert_msg(word_check(bad[i], "it", 40, &e) == TP_ERR_USAGE, "%zu is taken", i);
        ck_ok(word_check("\xC3\xA9\xC3\xA9", "it", 2, &e)); /* characters, not bytes */
        ck_assert_int_eq(word_check("abc", "it", 2, &e), TP_ERR_USAGE);
    }
END_TEST

START_TEST(words_of_others_are_shown)
    {
        static const char *const pairs[][2] = {
            {"", ""},
            {"caf\xC3\xA9", "caf\xC3\xA9"},
            {"a\x1B[31mred", "a?[31mred"},
            {"a\xE2\x80\xAEz\xE2\x80\xA8", "a?z?"},
            {"\xC2\x9B\x7F\n", "???"},
            {"caf\xE9 \xE2\x80", "caf? ??"}, /* cut in the middle, too */
        };
        char text[40];

        for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
            snprintf(text, sizeof(text), "%s", pairs[i][0]);
            word_make_shown(text);
            ck_assert_str_eq(text, pairs[i][1]);
        }
        for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) { /* an error's, too */
            struct tp_error e = {TP_OK, ""};

            ck_assert_int_eq(tp_fail(&e, TP_ERR_IO, "%s", pairs[i][0]), TP_ERR_IO);
            ck_assert_str_eq(e.text, pairs[i][1]);
        }
    }
END_TEST

START_TEST(what_is_no_file_stays)
    {
        char dir[] = "/tmp/telepay-base-XXXXXX", pipe[64];
        struct tp_error e;
        struct stat st;
        uint8_t *content = NULL;
        size_t n = 0;

        ck_assert_ptr_nonnull(mkdtemp(dir));
        snprintf(pipe, sizeof(pipe), "%s/pipe", dir);
        ck_assert_int_eq(mkfifo(pipe, 0600), 0);
        ck_assert_int_eq(file_replace(pipe, span_str("new"), 0600, &e), TP_ERR_USAGE);
        ck_assert_ptr_nonnull(strstr(e.text, pipe));
        ck_assert_int_eq(stat(pipe, &st), 0);
        ck_assert(S_ISFIFO(st.st_mode));
        ck_assert_int_eq(file_replace(dir, span_str("new"), 0600, &e), TP_ERR_USAGE);
        unlink(pipe); /* as /dev/stdout is one to a file */
        ck_assert_int_eq(symlink("/etc/hostname", pipe), 0);
        ck_assert_int_eq(file_replace(pipe, span_str("new"), 0600, &e), TP_ERR_USAGE);
        ck_assert_int_eq(lstat(pipe, &st), 0);
        ck_assert(S_ISLNK(st.st_mode));
        /* a name that is wrong is no fault of the disk */
        ck_assert_int_eq(file_read(dir, 64, &content, &n, &e), TP_ERR_USAGE);
        ck_assert_ptr_null(content);
        unlink(pipe);
        rmdir(dir);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("base");
    TCase *t = tcase_create("base");

    tcase_add_test(t, spans_stop_at_their_end);
    tcase_add_test(t, bufs_never_run_over);
    tcase_add_test(t, hex_refuses_what_is_no_hex);
    tcase_add_test(t, base64_is_that_of_the_rfc);
    tcase_add_test(t, bcd_both_ways);
    tcase_add_test(t, money_as_people_write_it);
    tcase_add_test(t, dates_compare_as_numbers);
    tcase_add_test(t, times_are_those_of_rfc_3339);
    tcase_add_test(t, pans_are_masked);
    tcase_add_test(t, a_column_of_booleans_takes_booleans_alone);
    tcase_add_test(t, ibans_have_check_digits);
    tcase_add_test(t, ibans_are_written_in_groups);
    tcase_add_test(t, words_are_text_for_people);
    tcase_add_test(t, words_of_others_are_shown);
    tcase_add_test(t, what_is_no_file_stays);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
