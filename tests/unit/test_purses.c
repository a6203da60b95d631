/* Accounts at purses, as the payer keeps them: their keys, held to what Python's cryptography makes
 * of the same (HKDF, Ed25519, RFC 7638), their rows, their counters. */
#include "unit.h"

#include <stdio.h>
#include <unistd.h>

#include "base/hex.h"
#include "payer/purses.h"

#define BANK "0123456789ABCDEF"

static char folder[64], path[128];
static struct tp_error e;

static void make_folder(void)
{
    strcpy(folder, "/tmp/test_purses.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/journal.db", folder);
}

static void remove_folder(void)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    ck_assert_int_eq(system(command), 0);
}

static struct journal *open_it(void)
{
    struct journal *j;

    ck_assert_msg(journal_open(&j, path, &e) == TP_OK, "%s", e.text);
    return j;
}

static struct purse_account account_at(const char *acquirer)
{
    struct purse_account a = {.currency = 978, .number = 1};

    snprintf(a.acquirer, sizeof(a.acquirer), "%s", acquirer);
    strcpy(a.url, "https://purse.example");
    strcpy(a.name, "Bourse");
    strcpy(a.account, "w99C0E4JRMlUT0ux_TdYU3rvS2U3DM7eoWJQBdmnghw");
    return a;
}

START_TEST(an_account_has_a_key_of_its_own)
    {
        static const struct {
            const char *acquirer, *secret, *account;
            int64_t number;
        } rows[] = {
            {BANK, "FFD7D89385B89D5A94241EFC08517EE556F05B5D6C89EC8B1FA8F31BFCE0C4CB",
             "w99C0E4JRMlUT0ux_TdYU3rvS2U3DM7eoWJQBdmnghw", 1},
            {BANK, "78E89417089A925D8694105D8E70247F5F46A0DFDA6619D3759A691D1B210D3E",
             "ahmEYOqIVI0WzhJNZLwpernHj3ybjYIGKCDkMghe684", 2},
            {"BANK1", "BBDD7F3C313B77F090293C13513835B3CB9493ED603014D8A8DCB8A4068A11A9",
             "wsdMT_3Wqo0hffeA6D31g97sA22nNcO9J_a5qfyt2GU", 1},
        };
        json_t *key = json_pack("{s:s}", "d", "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA");

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            struct secret secret = {0};
            char hex[2 * ED25519_KEY + 1], account[ED25519_TEXT];
            uint8_t public[ED25519_KEY];

            ck_ok(purses_key(&secret, key, rows[i].acquirer, rows[i].number, &e));
            hex_encode(hex, secret_span(&secret));
            ck_assert_str_eq(hex, rows[i].secret);
            ck_ok(ed25519_public(public, secret.p, &e));
            ck_ok(ed25519_thumbprint(account, public, &e));
            ck_assert_str_eq(account, rows[i].account);
            secret_free(&secret);
        }
        json_decref(key);
    }
END_TEST

START_TEST(of_no_key_none_is_made)
    {
        static const char *const bad[] = {"{}", "{\"d\":1}", "{\"d\":\"\"}", "{\"d\":\"AQID\"}",
                                          "{\"d\":\"====\"}"};

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
            json_t *key = json_loads(bad[i], 0, NULL);
            struct secret secret = {0};

            ck_assert_int_eq(purses_key(&secret, key, BANK, 1, &e), TP_ERR_FORMAT);
            ck_assert_ptr_null(secret.p);
            json_decref(key);
        }
    }
END_TEST

START_TEST(an_account_is_found_again)
    {
        struct journal *j = open_it();
        struct purse_account a = account_at(BANK), b = account_at("BANK1"), back;

        ck_assert_int_eq(purses_find(&back, j, NULL, &e), TP_ERR_NOT_FOUND);
        ck_assert_ptr_nonnull(strstr(e.text, "telepay purse open"));
        ck_ok(purses_put(j, &a, &e));
        journal_close(&j);
        j = open_it();
        ck_ok(purses_find(&back, j, NULL, &e)); /* the only one */
        ck_assert_str_eq(back.acquirer, BANK);
        ck_assert_str_eq(back.url, a.url);
        ck_assert_str_eq(back.name, a.name);
        ck_assert_str_eq(back.account, a.account);
        ck_assert_int_eq(back.currency, 978);
        ck_assert_int_eq(back.number, 1);
        ck_ok(purses_put(j, &b, &e));
        ck_assert_int_eq(purses_find(&back, j, NULL, &e), TP_ERR_USAGE);
        ck_ok(purses_find(&back, j, "BANK1", &e));
        ck_assert_int_eq(purses_find(&back, j, "BANK2", &e), TP_ERR_NOT_FOUND);
        journal_close(&j);
    }
END_TEST

START_TEST(no_counter_is_taken_twice)
    {
        struct journal *j = open_it(), *other = open_it();
        struct purse_account a = account_at(BANK), back;
        int64_t counter;

        ck_ok(purses_put(j, &a, &e));
        for (int64_t i = 1; i <= 6; i++) {
            ck_ok(purses_next(&counter, i % 2 == 0 ? j : other, BANK, &e));
            ck_assert_int_eq(counter, i);
        }
        journal_close(&j); /* as a crash would leave it */
        j = open_it();
        ck_ok(purses_put(j, &a, &e)); /* opened again: it never goes back */
        ck_ok(purses_next(&counter, j, BANK, &e));
        ck_assert_int_eq(counter, 7);
        a.counter = 99; /* as the purse says: another device pays, too */
        ck_ok(purses_put(j, &a, &e));
        ck_ok(purses_next(&counter, j, BANK, &e));
        ck_assert_int_eq(counter, 100);
        ck_ok(purses_find(&back, j, BANK, &e));
        ck_assert_int_eq(back.counter, 100);
        ck_assert_int_eq(purses_next(&counter, j, "BANK1", &e), TP_ERR_NOT_FOUND);
        journal_close(&j);
        journal_close(&other);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("purses");
    TCase *t = tcase_create("purses");

    tcase_add_checked_fixture(t, make_folder, remove_folder);
    tcase_add_test(t, an_account_has_a_key_of_its_own);
    tcase_add_test(t, of_no_key_none_is_made);
    tcase_add_test(t, an_account_is_found_again);
    tcase_add_test(t, no_counter_is_taken_twice);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
