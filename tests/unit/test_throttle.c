/* How many demands a network may make. */
#include "wire/throttle.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "unit.h"

static struct throttle *t;
static struct tp_error e;

static unsigned take(const char *from, int64_t now)
{
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};

    if (inet_pton(AF_INET, from, &four.sin_addr) == 1)
        return throttle_take(t, (const struct sockaddr *)&four, now);
    ck_assert_int_eq(inet_pton(AF_INET6, from, &six.sin6_addr), 1);
    return throttle_take(t, (const struct sockaddr *)&six, now);
}

static unsigned let_in(const char *from, int64_t now, unsigned asked)
{
    unsigned n = 0;

    for (unsigned i = 0; i < asked; i++)
        n += take(from, now) == 0;
    return n;
}

START_TEST(a_hundred_at_once_then_ten_a_second)
    {
        ck_ok(throttle_new(&t, &e));
        ck_assert_uint_eq(let_in("192.0.2.1", 1000, 1000), 100);
        ck_assert_uint_eq(take("192.0.2.1", 1000), 1);
        ck_assert_uint_eq(take("192.0.2.1", 1099), 1);
        ck_assert_uint_eq(let_in("192.0.2.1", 1100, 5), 1);
        ck_assert_uint_eq(let_in("192.0.2.1", 2100, 50), 10);
        ck_assert_uint_eq(let_in("192.0.2.1", 600000, 1000), 100); /* and no more is saved */
        throttle_free(&t);
        ck_assert_ptr_null(t);
    }
END_TEST

START_TEST(a_network_is_what_one_subscriber_has)
    {
        ck_ok(throttle_new(&t, &e));
        ck_assert_uint_eq(let_in("192.0.2.1", 1000, 101), 100);
        ck_assert_uint_eq(let_in("::ffff:192.0.2.1", 1000, 1), 0);
        ck_assert_uint_eq(let_in("2001:db8::1", 1000, 101), 100);
        ck_assert_uint_eq(let_in("2001:db8::ffff:1", 1000, 1), 0);
        throttle_free(&t);
    }
END_TEST

START_TEST(the_machine_itself_is_not_counted)
    {
        ck_ok(throttle_new(&t, &e));
        ck_assert_uint_eq(let_in("127.0.0.1", 1000, 1000), 1000);
        ck_assert_uint_eq(let_in("::1", 1000, 1000), 1000);
        ck_assert_uint_eq(let_in("::ffff:127.0.0.1", 1000, 1000), 1000);
        ck_assert_uint_eq(let_in("127.0.0.2", 1000, 1000), 100);
        ck_assert_uint_eq(throttle_take(t, NULL, 1000), 0);
        throttle_free(&t);
        throttle_free(&t);
    }
END_TEST

/* A flood from everywhere leaves most of the others alone. */
START_TEST(others_are_let_be)
    {
        char from[32];
        unsigned n = 0;

        ck_ok(throttle_new(&t, &e));
        for (unsigned i = 0; i < 100; i++) {
            snprintf(from, sizeof(from), "198.51.100.%u", i);
            (void)let_in(from, 1000, 200);
        }
        for (unsigned i = 0; i < 100; i++) {
            snprintf(from, sizeof(from), "203.0.113.%u", i);
            n += let_in(from, 1000, 1);
        }
        ck_assert_uint_ge(n, 90);
        throttle_free(&t);
    }
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("throttle");
    TCase *c = tcase_create("throttle");

    tcase_add_test(c, a_hundred_at_once_then_ten_a_second);
    tcase_add_test(c, a_network_is_what_one_subscriber_has);
    tcase_add_test(c, the_machine_itself_is_not_counted);
    tcase_add_test(c, others_are_let_be);
    suite_add_tcase(suite, c);
    return suite;
}

UNIT_MAIN(suite)
