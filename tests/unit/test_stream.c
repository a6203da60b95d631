/* Streams that are paid by duration: which order pays for which, and that of what is paid nothing
 * gets lost when its client comes again. Service, books and time are the test's. */
#include "unit.h"

#include <stdio.h>
#include <time.h>

#include "mediator/say.h"
#include "mediator/stream.h"

#define ORIGIN "https://kiosk.example"
#define ROOT   "rootrootrootrootrootrootro"
#define NEXT   "nextnextnextnextnextnextne"
#define PER    8
#define SAID   1024

static struct mediator m;
static int64_t clock_ms;
static struct http_question asked; /* the last that a service was */
static char said[SAID];            /* what came of it, one after the other */

static void note(const char *what, const char *of)
{
    const size_t n = strlen(said);

    snprintf(said + n, sizeof(said) - n, "%s%s%s;", what, of[0] != '\0' ? " " : "", of);
}

static void told(const char *wanted)
{
    ck_assert_str_eq(said, wanted);
    said[0] = '\0';
}

int64_t test_clock(void) __asm__("__wrap_time_monotonic_ms");
int64_t test_clock(void)
{
    return clock_ms;
}

bool test_ask(struct http_client *client, struct mediator *of, const struct orderbook_order *o,
              const struct orderbook_attempt *a, const char *quote,
              struct http_question *q) __asm__("__wrap_ask_stream");
bool test_ask(struct http_client *client, struct mediator *of, const struct orderbook_order *o,
              const struct orderbook_attempt *a, const char *quote, struct http_question *q)
{
    (void)client;
    (void)of;
    (void)a;
    (void)quote;
    note("asked", o->id);
    asked = *q;
    return true;
}

void test_take(struct mediator *of, struct job *j) __asm__("__wrap_keeper_take");
void test_take(struct mediator *of, struct job *j)
{
    (void)of;
    note(j->move.event == EVENT_DELIVERED ? "delivered" : "given back", j->move.id);
    free(j);
}

void test_later(struct mediator *of, const char *id, enum event event, uint32_t n, int64_t after_ms,
                unsigned tries) __asm__("__wrap_clock_set");
void test_later(struct mediator *of, const char *id, enum event event, uint32_t n, int64_t after_ms,
                unsigned tries)
{
    (void)of;
    (void)event;
    (void)n;
    (void)after_ms;
    (void)tries;
    note("waits", id);
}

void test_stream(struct visit *v, const struct orderbook_order *o,
                 const struct orderbook_attempt *a, const char *type,
                 struct http_flow *flow) __asm__("__wrap_say_stream");
void test_stream(struct visit *v, const struct orderbook_order *o,
                 const struct orderbook_attempt *a, const char *type, struct http_flow *flow)
{
    (void)v;
    (void)a;
    (void)type;
    (void)flow;
    note("answered", o->id);
}

void test_problem(struct visit *v, const struct say_problem *p) __asm__("__wrap_say_problem");
void test_problem(struct visit *v, const struct say_problem *p)
{
    (void)v;
    (void)p;
    note("refused", "");
}

void test_resume(struct http_call *c) __asm__("__wrap_http_resume");
void test_resume(struct http_call *c)
{
    (void)c;
}

void test_named(const struct http_call *c, const char *name) __asm__("__wrap_http_named");
void test_named(const struct http_call *c, const char *name)
{
    (void)c;
    note("has paid", name);
}

void test_undelivered(struct visit *v, bool final) __asm__("__wrap_visit_undelivered");
void test_undelivered(struct visit *v, bool final)
{
    (void)v;
    note(final ? "never" : "later", "");
}

static struct orderbook_order order(const char *id, const char *url, enum order_state state)
{
    struct orderbook_order o = {
        .delivery = DELIVERY_STREAM, .per = PER, .state = state, .since = time(NULL)};

    snprintf(o.id, sizeof(o.id), "%s", id);
    snprintf(o.url, sizeof(o.url), "%s", url);
    snprintf(o.method, sizeof(o.method), "POST");
    return o;
}

static struct orderbook_order root(enum order_state state)
{
    return order(ROOT, ORIGIN "/s/radio/port", state);
}

static struct visit visits[4]; /* one after the other */
static struct orderbook_attempt attempt;

static void comes(size_t i, const struct orderbook_order *o)
{
    visits[i] = (struct visit){.m = &m};
    stream_begin(&visits[i], o, &attempt, "{}");
}

/* The first byte comes, and the books have it. */
static void is_heard(size_t i)
{
    const struct orderbook_order o = root(STATE_DELIVERED);

    ck_assert(asked.piece(asked.ctx, "audio/basic", span_str("a")));
    ck_assert(stream_answer(&visits[i], &o, &attempt));
}

static void begin(void)
{
    const struct orderbook_order o = root(STATE_ACKNOWLEDGED);

    comes(0, &o);
    is_heard(0);
    told("asked " ROOT ";delivered " ROOT ";has paid " ROOT ";answered " ROOT ";");
}

static void pay_ahead(const char *url)
{
    const struct orderbook_order o = order(NEXT, url, STATE_ACKNOWLEDGED);

    stream_due(&m, &o, 0);
}

static void make(void)
{
    struct tp_error e = {TP_OK, ""};

    m = (struct mediator){.origin = ORIGIN};
    clock_ms = 1000000;
    said[0] = '\0';
    ck_ok(streams_open(&m, &e));
}

static void drop(void)
{
    streams_stop(&m);
    streams_close(&m);
}

START_TEST(it_goes_on_as_long_as_it_is_paid_for)
    {
        begin();
        pay_ahead(ORIGIN "/orders/" ROOT "/next");
        clock_ms += 1000 * PER - 1;
        ck_assert_int_eq(asked.pace(asked.ctx), HTTP_GO_ON);
        told("");
        clock_ms += 1;
        ck_assert_int_eq(asked.pace(asked.ctx), HTTP_GO_ON);
        told("delivered " NEXT ";");
        clock_ms += 1000 * PER;
        ck_assert_int_eq(asked.pace(asked.ctx), HTTP_END);
        told("");
    }
END_TEST

/* What a service sells under an address that looks like that of a next unit is its own: the cheap
 * one would pay for the dear one. */
START_TEST(a_unit_of_another_service_pays_for_nothing_here)
    {
        static const char *const urls[] = {
            ORIGIN "/s/cheap/orders/" ROOT "/next", ORIGIN "/s/cheap?of=/orders/" ROOT "/next",
            "https://elsewhere.example/orders/" ROOT "/next", ORIGIN "/orders/" ROOT "/next?",
            "/orders/" ROOT "/next"};

        begin();
        for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
            pay_ahead(urls[i]);
            told("waits " NEXT ";"); /* for who comes to hear it */
        }
        clock_ms += 1000 * PER;
        ck_assert_int_eq(asked.pace(asked.ctx), HTTP_END);
        told("");
    }
END_TEST

/* Between the end of one unit and the look of the clock at it. */
START_TEST(who_comes_again_as_a_unit_ends_hears_the_next)
    {
        const struct orderbook_order o = root(STATE_DELIVERED);

        begin();
        pay_ahead(ORIGIN "/orders/" ROOT "/next");
        clock_ms += 1000 * PER;
        comes(1, &o);
        told("asked " ROOT ";");
        is_heard(1);
        told("delivered " ROOT ";has paid " ROOT ";answered " ROOT ";");
        ck_assert_int_eq(asked.pace(asked.ctx), HTTP_GO_ON);
        told("delivered " NEXT ";");
    }
END_TEST

/* The service cannot go on just now: what is left of what was paid is still there. */
START_TEST(who_comes_in_vain_comes_again)
    {
        struct orderbook_order o = root(STATE_DELIVERED);
        const struct http_said busy = {.type = "", .status = 503},
                               gone = {.type = "", .status = 410};

        begin();
        pay_ahead(ORIGIN "/orders/" ROOT "/next");
        clock_ms += 1000 * PER;
        ck_assert_int_eq(asked.pace(asked.ctx), HTTP_GO_ON);
        told("delivered " NEXT ";");
        o.since -= PER; /* the books know when the first unit began */
        comes(1, &o);
        asked.done(asked.ctx, &busy);
        told("asked " ROOT ";later;");
        comes(2, &o);
        asked.done(asked.ctx, &gone);
        told("asked " ROOT ";later;"); /* nothing of what was heard is given back */
        comes(2, &o);
        told("asked " ROOT ";");
        is_heard(2);
        told("delivered " ROOT ";has paid " ROOT ";answered " ROOT ";");
        clock_ms += 1000 * PER - 1;
        ck_assert_int_eq(asked.pace(asked.ctx), HTTP_GO_ON);
        clock_ms += 1;
        ck_assert_int_eq(asked.pace(asked.ctx), HTTP_END);
        comes(3, &o);
        told("refused;");
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("stream");
    TCase *t = tcase_create("stream");

    tcase_add_checked_fixture(t, make, drop);
    tcase_add_test(t, it_goes_on_as_long_as_it_is_paid_for);
    tcase_add_test(t, a_unit_of_another_service_pays_for_nothing_here);
    tcase_add_test(t, who_comes_again_as_a_unit_ends_hears_the_next);
    tcase_add_test(t, who_comes_in_vain_comes_again);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
