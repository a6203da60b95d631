/* The small parts of the collection: the enciphered spool, the rules of refusal, the hour of a contract. */
#include "unit.h"

#include <stdio.h>
#include <unistd.h>

#include "collect/refuse.h"
#include "collect/run.h"
#include "collect/spool.h"

static char dir[] = "/tmp/test_collect.XXXXXX";

static void setup(void)
{
    strcpy(dir, "/tmp/test_collect.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void teardown(void)
{
    rmdir(dir); /* it is empty: a spool leaves no name */
    ck_assert_int_ne(access(dir, F_OK), 0);
}

/* FIPS 180-2, B.3: SHA-256 of a million times "a". */
START_TEST(a_spool_gives_back_what_it_took)
    {
        uint8_t piece[1000], got[70000], hash[SPOOL_HASH];
        struct spool *s;
        struct tp_error e;
        size_t n, all;

        memset(piece, 'a', sizeof(piece));
        ck_ok(spool_new(&s, dir, &e));
        for (unsigned i = 0; i < 1000; i++)
            ck_ok(spool_write(s, SPAN_OF(piece)));
        ck_ok(spool_finish(s, hash));
        ck_hex(SPAN_OF(hash), "CDC76E5C9914FB9281A1C7E284D73E67F1809A48A497200E046D39CCC7112CD0");
        ck_assert_uint_eq(spool_size(s), 1000000);
        for (unsigned turn = 0; turn < 2; turn++) {
            ck_ok(spool_rewind(s));
            for (all = 0;; all += n) {
                ck_ok(spool_read(s, got, turn == 0 ? 777 : sizeof(got), &n));
                if (n == 0)
                    break;
                ck_assert(got[0] == 'a' && memcmp(got, got + 1, n - 1) == 0);
            }
            ck_assert_uint_eq(all, 1000000);
        }
        spool_free(&s);
        ck_assert_ptr_null(s);
    }
END_TEST

START_TEST(a_spool_needs_its_folder)
    {
        struct spool *s;
        struct tp_error e;

        ck_assert_int_eq(spool_new(&s, "/nonexistent/folder", &e), TP_ERR_IO);
        ck_assert_ptr_null(s);
        ck_assert_ptr_nonnull(strstr(e.text, "/nonexistent/folder"));
    }
END_TEST

static enum tp_err rules(struct refuse **r, const char *text, struct tp_error *e)
{
    char path[64];
    FILE *f;
    enum tp_err err;

    snprintf(path, sizeof(path), "%s/rules", dir);
    f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
    err = refuse_load(r, path, e);
    unlink(path);
    return err;
}

START_TEST(refusals_by_order)
    {
        static const char *const bad[] = {
            "A 1 2\n", "A 1 2 X Y\n", "A 0 2 X\n", "A 1x 2 X\n", "A 1 -2 X\n", "word X\n", "A 1 2 REASON_THAT_IS_LONGER_THAN_35_CHARACTERS_\n"};
        struct caaa_item item = {.sequence = 3, .pan = "9990140000000018"};
        struct refuse *r = NULL;
        struct tp_error e;

        ck_ok(rules(&r, "# all\n\nC1 7 3 OPPOSITION # the one\nC2 * 9 CEILING\n476173******0010 STOLEN\n", &e));
        ck_assert_str_eq(refuse_item(r, "C1", 7, &item), "OPPOSITION");
        ck_assert_ptr_null(refuse_item(r, "C1", 8, &item));
        ck_assert_ptr_null(refuse_item(r, "C2", 7, &item));
        item.sequence = 9;
        ck_assert_ptr_null(refuse_item(r, "C1", 7, &item));
        ck_assert_str_eq(refuse_item(r, "C2", 123, &item), "CEILING");
        strcpy(item.pan, "4761739001010010");
        ck_assert_str_eq(refuse_item(r, "C9", 1, &item), "STOLEN");
        ck_assert_ptr_null(refuse_item(NULL, "C9", 1, &item));
        refuse_free(&r);
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
            ck_assert_msg(rules(&r, bad[i], &e) == TP_ERR_FORMAT, "%s is taken", bad[i]);
            ck_assert_ptr_nonnull(strstr(e.text, "line 1"));
        }
        ck_assert_int_eq(refuse_load(&r, "/nonexistent", &e), TP_ERR_NOT_FOUND);
    }
END_TEST

/* Times by date -u -d @…: 1795426200 is Monday 2026-11-23 09:30 UTC. */
START_TEST(the_hour_of_a_contract)
    {
        const time_t now = 1795426200, hour = 3600, day = 86400;

        setenv("TZ", "UTC", 1);
        tzset();
        ck_assert(!run_hour_came(now - 60, 2230, now));        /* paid today, tonight's hour is to come */
        ck_assert(run_hour_came(now - 12 * hour, 2230, now));  /* paid yesterday 21:30 */
        ck_assert(!run_hour_came(now - 10 * hour, 2230, now)); /* paid yesterday 23:30, after the hour */
        ck_assert(run_hour_came(now - 60, 930, now));          /* it strikes */
        ck_assert(!run_hour_came(now, 930, now));              /* what comes with the stroke is the next day's */
        ck_assert(!run_hour_came(now - 60, 931, now));
        ck_assert(run_hour_came(now - 3 * day, 931, now));
        setenv("TZ", "Europe/Paris", 1);
        tzset();
        ck_assert(run_hour_came(now - 60, 1030, now)); /* 10:30 in Paris */
        ck_assert(!run_hour_came(now - 60, 1031, now));
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("collect");
    TCase *t = tcase_create("collect");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_spool_gives_back_what_it_took);
    tcase_add_test(t, a_spool_needs_its_folder);
    tcase_add_test(t, refusals_by_order);
    tcase_add_test(t, the_hour_of_a_contract);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
