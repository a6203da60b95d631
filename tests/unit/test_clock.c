/* What the clock has the keeper do, and how often: the keeper is the test's, and so is the time. */
#include "mediator_fixture.h"

#include <sched.h>
#include <string.h>

#include "mediator/disputes.h"
#include "mediator/mediator_priv.h"

#define LOOK_MS 2000 /* between looks */

static struct mediator_fixture f;
static struct mediator m;
static _Atomic int64_t clock_ms;
static atomic_int ticks, settled;

int64_t test_now(void) __asm__("__wrap_time_monotonic_ms");
int64_t test_now(void)
{
    return clock_ms;
}

void test_take(struct mediator *to, struct job *j) __asm__("__wrap_keeper_take");
void test_take(struct mediator *to, struct job *j)
{
    (void)to;
    settled += j->move.event == EVENT_SETTLED;
    move_free(&j->move);
    free(j);
}

void test_tick(struct mediator *of, int64_t now) __asm__("__wrap_visits_expire");
void test_tick(struct mediator *of, int64_t now)
{
    (void)of;
    (void)now;
    ticks++;
}

/* An order that is delivered, and a dispute about it that is settled. */
static void settle(void)
{
    struct dispute d = {.contract = CONTRACT, .reason = "not-received", .state = DISPUTE_OPEN};
    struct dispute_letter l = {.own = true, .act = "settled", .jws = span_str("a letter")};
    struct move move;

    fixture_ask(&f, &move, time(NULL), 600);
    ck_ok(fixture_apply(&f, &move));
    move.order.state = STATE_DELIVERED;
    ck_ok(orderbook_order_move(f.book, &move.order, &f.e));
    memcpy(d.order, move.id, sizeof(d.order));
    move_free(&move);
    ck_ok(disputes_add(f.book, &d, &f.e));
    ck_ok(disputes_letter_add(f.book, d.order, &l, &f.e));
    d.state = DISPUTE_SETTLED;
    ck_ok(disputes_move(f.book, &d, &f.e));
}

/* Until all is done that there is to do by now: the second tick begins after the first has ended.
 */
static void wait_for_it(void)
{
    const int before = ticks;

    while (ticks < before + 3)
        sched_yield();
}

/* Tried again at the first look after 1, 2, 4 and 8 seconds more. */
START_TEST(what_is_settled_and_not_carried_out)
    {
        static const int tried[] = {1, 2, 3, 3, 4, 4, 4, 4, 5};

        fixture_start(&f);
        settle();
        clock_ms = 1000;
        m = (struct mediator){.dir = f.dir, .registry = f.registry};
        atomic_init(&m.serving, true);
        ck_ok(clock_open(&m, &f.e));
        for (size_t i = 0; i < sizeof(tried) / sizeof(tried[0]); i++) {
            wait_for_it();
            ck_assert_int_eq(settled, tried[i]);
            clock_ms += LOOK_MS;
        }
        clock_close(&m);
        fixture_end(&f);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("clock");
    TCase *t = tcase_create("clock");

    tcase_set_timeout(t, 60);
    tcase_add_test(t, what_is_settled_and_not_carried_out);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
