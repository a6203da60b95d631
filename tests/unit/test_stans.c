/* Numbers of a terminal: each once a day. */
#include "unit.h"

#include <pthread.h>

#include "mediator/stans.h"

#define DAY   20261129
#define STANS 999999U
#define SHARE 300000 /* of each of two threads */

static struct stans *s;
static uint8_t seen[STANS + 1];

static void make(void)
{
    struct tp_error e;

    ck_ok(stans_new(&s, &e));
    memset(seen, 0, sizeof(seen));
}

static void drop(void)
{
    stans_free(&s);
    ck_assert_ptr_null(s);
}

static uint32_t next(int day)
{
    uint32_t stan = 0;

    if (!stans_next(s, day, &stan)) /* no ck_assert, which tells of itself each time */
        ck_abort_msg("no number is left of %d", day);
    return stan;
}

static void next_is(int day, uint32_t wanted)
{
    const uint32_t stan = next(day);

    if (stan != wanted)
        ck_abort_msg("%u comes, not %u", stan, wanted);
}

/* One that nobody had yet. */
static uint32_t fresh(int day)
{
    const uint32_t stan = next(day);

    if (stan == 0 || stan > STANS || seen[stan] != 0)
        ck_abort_msg("%u comes twice, or is none", stan);
    seen[stan] = 1;
    return stan;
}

START_TEST(each_comes_once_and_then_none)
    {
        uint32_t stan = 0;

        ck_assert_uint_eq(fresh(DAY), 1);
        for (uint32_t n = 1; n < STANS; n++)
            (void)fresh(DAY);
        ck_assert(!stans_next(s, DAY, &stan));
        ck_assert(!stans_next(s, DAY, &stan));
    }
END_TEST

START_TEST(marked_ones_do_not_come)
    {
        stans_mark(s, DAY, 3);
        stans_mark(s, DAY, 500);
        stans_mark(s, DAY, 500); /* twice is once */
        ck_assert_uint_eq(next(DAY), 501);
        for (uint32_t stan = 502; stan <= STANS; stan++)
            next_is(DAY, stan);
        ck_assert_uint_eq(next(DAY), 1); /* over the wrap */
        ck_assert_uint_eq(next(DAY), 2);
        ck_assert_uint_eq(next(DAY), 4);
        for (uint32_t stan = 5; stan <= 499; stan++)
            next_is(DAY, stan);
        uint32_t none = 0;

        ck_assert(!stans_next(s, DAY, &none));
    }
END_TEST

START_TEST(the_last_one_marked_wraps)
    {
        stans_mark(s, DAY, STANS);
        ck_assert_uint_eq(next(DAY), 1);
    }
END_TEST

START_TEST(what_is_none_marks_nothing)
    {
        stans_mark(s, DAY, 0);
        stans_mark(s, DAY, STANS + 1);
        stans_mark(s, DAY, UINT32_MAX);
        for (uint32_t stan = 1; stan <= STANS; stan++)
            next_is(DAY, stan);
        uint32_t none = 0;

        ck_assert(!stans_next(s, DAY, &none));
    }
END_TEST

START_TEST(another_day_has_all_again)
    {
        uint32_t stan = 0;

        for (uint32_t n = 0; n < STANS; n++)
            (void)fresh(DAY);
        ck_assert(!stans_next(s, DAY, &stan));
        memset(seen, 0, sizeof(seen));
        for (uint32_t n = 0; n < STANS; n++)
            (void)fresh(DAY + 1);
        ck_assert(!stans_next(s, DAY + 1, &stan));
    }
END_TEST

/* One thread read the clock before midnight, the other after it. */
START_TEST(none_comes_twice_while_days_alternate)
    {
        static uint8_t of[2][STANS + 1];

        memset(of, 0, sizeof(of));
        for (uint32_t n = 0; n < 2000; n++) {
            const int late = n % 3 == 0;
            const uint32_t stan = next(DAY + late);

            ck_assert_uint_eq(of[late][stan], 0);
            of[late][stan] = 1;
        }
    }
END_TEST

static void *take_some(void *ctx)
{
    uint32_t *out = ctx;

    for (size_t i = 0; i < SHARE; i++)
        if (!stans_next(s, DAY, &out[i]))
            out[i] = 0;
    return NULL;
}

START_TEST(two_threads_share_none)
    {
        static uint32_t got[2][SHARE];
        pthread_t thread[2];

        stans_mark(s, DAY, 700000); /* so that they wrap meanwhile */
        for (size_t t = 0; t < 2; t++)
            ck_assert_int_eq(pthread_create(&thread[t], NULL, take_some, got[t]), 0);
        for (size_t t = 0; t < 2; t++)
            ck_assert_int_eq(pthread_join(thread[t], NULL), 0);
        seen[700000] = 1;
        for (size_t t = 0; t < 2; t++)
            for (size_t i = 0; i < SHARE; i++) {
                if (got[t][i] == 0 || seen[got[t][i]] != 0)
                    ck_abort_msg("%u comes twice, or is none", got[t][i]);
                seen[got[t][i]] = 1;
            }
    }
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("stans");
    TCase *t = tcase_create("stans");

    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, make, drop);
    tcase_add_test(t, each_comes_once_and_then_none);
    tcase_add_test(t, marked_ones_do_not_come);
    tcase_add_test(t, the_last_one_marked_wraps);
    tcase_add_test(t, what_is_none_marks_nothing);
    tcase_add_test(t, another_day_has_all_again);
    tcase_add_test(t, none_comes_twice_while_days_alternate);
    tcase_add_test(t, two_threads_share_none);
    suite_add_tcase(suite, t);
    return suite;
}

UNIT_MAIN(suite)
