/* When the next unit of a stream is bought: ahead of it, once, and not where nothing is heard. What
 * is asked of the mediator, and the time, are the test's. */
#include "unit.h"

#include "payer/listen.h"

static int64_t clock_ms;
static unsigned asked; /* how often a next unit was demanded */

int64_t test_clock(void) __asm__("__wrap_time_monotonic_ms");
int64_t test_clock(void)
{
    return clock_ms;
}

/* It is not sold: that ends the buying. */
enum tp_err test_send(struct fetch *f, const struct fetch_request *request,
                      struct tp_error *e) __asm__("__wrap_fetch_send");
enum tp_err test_send(struct fetch *f, const struct fetch_request *request, struct tp_error *e)
{
    (void)f;
    ck_assert_str_eq(request->method, "POST");
    ck_assert_str_eq(request->url, "https://kiosk.example/orders/ROOT/next");
    asked++;
    return tp_fail(e, TP_ERR_PEER, "not sold");
}

static const struct checkout_options options = {.home = NULL};
static struct checkout checkout = {.options = &options};
static const struct kept_order root = {.origin = "https://kiosk.example", .order = "ROOT"};
static struct listening l;

/* So many units of `per` seconds are paid, and the first byte has come. */
static void begin(const char *per, unsigned units)
{
    const struct demand demand = {.order = {.per = per}};
    struct tp_error e;

    ck_ok(listen_begin(&l, &checkout, NULL, &demand, &root, false, &e));
    l.units = units;
    clock_ms = 1000;
    asked = 0;
    listen_heard(&l);
}

static void after(int64_t ms)
{
    clock_ms = 1000 + ms;
}

static void end(void)
{
    fetch_free(&l.fetch);
}

START_TEST(it_is_bought_ahead)
    {
        begin("60", 1);
        after(54999);
        listen_tick(&l);
        ck_assert_uint_eq(asked, 0);
        after(55000);
        listen_tick(&l);
        listen_tick(&l);
        ck_assert_uint_eq(asked, 1);
        ck_assert_str_eq(l.why, "not sold");
        end();
    }
END_TEST

/* A pause of the sender, or of the network. */
START_TEST(a_pause_is_no_end)
    {
        begin("3", 10);
        after(28500);
        listen_tick(&l);
        ck_assert_uint_eq(asked, 1);
        end();
        begin("3600", 2);
        after(3600000);
        listen_heard(&l);
        after(7195000);
        listen_tick(&l);
        ck_assert_uint_eq(asked, 1);
        end();
    }
END_TEST

START_TEST(what_is_not_heard_is_not_bought)
    {
        begin("3", 11);
        after(31500);
        listen_tick(&l);
        end();
        ck_assert_uint_eq(asked, 0);
        ck_assert(l.over);
        begin("3600", 2);
        after(7195000);
        listen_tick(&l);
        end();
        ck_assert_uint_eq(asked, 0);
        ck_assert_str_eq(l.why, "nothing of it comes any more, and nothing more is paid");
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("listen");
    TCase *t = tcase_create("listen");

    tcase_add_test(t, it_is_bought_ahead);
    tcase_add_test(t, a_pause_is_no_end);
    tcase_add_test(t, what_is_not_heard_is_not_bought);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
