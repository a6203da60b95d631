/* The mediator's books: what they list and count, what they forget, and what they refuse whoever
 * asks for it. */
#include "mediator_fixture.h"

#include <stdio.h>

#define VALID 500

static struct mediator_fixture f;
static int64_t now;

static void make(void)
{
    fixture_start(&f);
    now = time(NULL);
}

static void drop(void)
{
    fixture_end(&f);
}

/* One in that state, its first attempt submitted where that is so. */
static void put(char id[BOOK_ORDER_ID], int64_t made, enum order_state state, enum outcome outcome)
{
    struct move m;

    fixture_ask(&f, &m, made, VALID);
    memcpy(id, m.id, BOOK_ORDER_ID);
    ck_ok(fixture_apply(&f, &m));
    if (state > STATE_CLAIMED) {
        m.attempt.pays = strdup("sealed");
        m.attempt.sent = made;
        ck_ok(orderbook_attempt_submit(f.book, &m.attempt, &f.e));
        m.attempt.outcome = outcome;
        ck_ok(orderbook_attempt_answer(f.book, &m.attempt, &f.e));
    }
    m.order.state = state;
    ck_ok(orderbook_order_move(f.book, &m.order, &f.e));
    move_free(&m);
}

/* ---- lists and counts ---- */

struct list {
    size_t n;
    enum order_state state[16];
    int64_t made[16];
};

static enum tp_err on_order(void *ctx, const struct orderbook_order *o, struct tp_error *e)
{
    struct list *l = ctx;

    (void)e;
    ck_assert_uint_lt(l->n, 16);
    l->state[l->n] = o->state;
    l->made[l->n++] = o->made;
    return TP_OK;
}

static enum tp_err on_id(void *ctx, const char *id, struct tp_error *e)
{
    struct list *l = ctx;
    struct orderbook_order o;
    bool found = false;
    struct orderbook *other = NULL; /* this one is reading */
    enum tp_err r = orderbook_open(&other, f.dir, e);

    if (r == TP_OK)
        r = orderbook_order_get(other, id, &o, &found, e);
    orderbook_close(&other);
    ck_assert(found);
    return r == TP_OK ? on_order(l, &o, e) : r;
}

static enum tp_err on_count(void *ctx, const struct orderbook_count *c, struct tp_error *e)
{
    int64_t *amounts = ctx;

    (void)e;
    ck_assert_uint_eq(c->currency, 978);
    ck_assert_int_eq(c->amount, c->n * 150);
    ck_assert_int_eq(c->oldest, now + STATE_OWED - (int64_t)c->state);
    amounts[c->state] += c->amount;
    return TP_OK;
}

static void put_each(void)
{
    char id[BOOK_ORDER_ID];

    for (enum order_state s = STATE_REQUESTED; s <= STATE_OWED; s++)
        put(id, now + STATE_OWED - s, s, s >= STATE_APPROVED ? OUTCOME_YES : OUTCOME_NONE);
}

static enum tp_err count_freed(void *ctx, const struct orderbook_number *n, struct tp_error *e)
{
    (void)e;
    ck_assert_uint_gt(n->stan, 0);
    ++*(int *)ctx;
    return TP_OK;
}

START_TEST(they_are_listed_as_they_were_made)
    {
        struct list all = {0}, one = {0};

        put_each();
        ck_ok(orderbook_order_each(f.book, 0, on_order, &all, &f.e));
        ck_assert_uint_eq(all.n, STATE_OWED);
        for (size_t i = 0; i < all.n; i++)
            ck_assert_int_eq(all.state[i], STATE_OWED - (int)i);
        ck_ok(orderbook_order_each(f.book, STATE_DELIVERED, on_order, &one, &f.e));
        ck_assert_uint_eq(one.n, 1);
        ck_assert_int_eq(one.state[0], STATE_DELIVERED);
    }
END_TEST

START_TEST(those_to_go_on_with)
    {
        struct list open = {0};
        unsigned states = 0;

        put_each();
        ck_ok(orderbook_order_open_each(f.book, on_id, &open, &f.e));
        for (size_t i = 0; i < open.n; i++)
            states |= 1U << open.state[i];
        ck_assert_uint_eq(open.n, 5);
        ck_assert_uint_eq(states, 1U << STATE_SUBMITTING | 1U << STATE_UNKNOWN |
                                      1U << STATE_APPROVED | 1U << STATE_ACKNOWLEDGED |
                                      1U << STATE_REVERSING);
    }
END_TEST

START_TEST(they_are_counted)
    {
        int64_t amounts[STATE_OWED + 1] = {0};

        put_each();
        now += 60;
        put_each();
        now -= 60;
        ck_ok(orderbook_order_count(f.book, on_count, amounts, &f.e));
        for (enum order_state s = STATE_REQUESTED; s <= STATE_OWED; s++)
            ck_assert_int_eq(amounts[s], 300);
    }
END_TEST

static void put_of(uint8_t browser, const char *url, int64_t made, char id[BOOK_ORDER_ID])
{
    struct move m;

    fixture_ask(&f, &m, made, VALID);
    m.order.has_session = browser != 0;
    memset(m.order.session, browser, sizeof(m.order.session));
    snprintf(m.order.url, sizeof(m.order.url), "%s", url);
    memcpy(id, m.id, BOOK_ORDER_ID);
    ck_ok(fixture_apply(&f, &m));
    move_free(&m);
}

/* Asked for again by the same browser: the id that is found, "" for none. */
static const char *found_for(uint8_t browser, const char *url, const char *digest, int64_t since)
{
    static struct orderbook_order found;
    struct orderbook_order wanted = fixture_order(now, VALID);
    bool there = false;

    wanted.has_session = true;
    memset(wanted.session, browser, sizeof(wanted.session));
    snprintf(wanted.url, sizeof(wanted.url), "%s", url);
    snprintf(wanted.digest, sizeof(wanted.digest), "%s", digest);
    ck_ok(orderbook_order_find(f.book, &wanted, since, &found, &there, &f.e));
    return there ? found.id : "";
}

START_TEST(the_newest_of_a_browser_is_found)
    {
        char old[BOOK_ORDER_ID], newest[BOOK_ORDER_ID], other[BOOK_ORDER_ID], none[BOOK_ORDER_ID];

        put_of(1, "https://shop.example/a", now, old);
        put_of(1, "https://shop.example/a", now + 2, newest);
        put_of(2, "https://shop.example/a", now + 3, other);
        put_of(0, "https://shop.example/a", now + 4, none); /* of no browser */
        ck_assert_str_eq(found_for(1, "https://shop.example/a", "", now), newest);
        ck_assert_str_eq(found_for(2, "https://shop.example/a", "", now), other);
        ck_assert_str_eq(found_for(1, "https://shop.example/a", "", now + 3), "");
        ck_assert_str_eq(found_for(1, "https://shop.example/b", "", now), "");
        ck_assert_str_eq(found_for(1, "https://shop.example/a", "sha-256=:AAAA:", now), "");
        ck_assert_str_eq(found_for(0, "https://shop.example/a", "", now), "");
    }
END_TEST

START_TEST(states_have_names)
    {
        for (enum order_state s = STATE_REQUESTED; s <= STATE_OWED; s++) {
            enum order_state back = 0;

            ck_assert(order_state_find(&back, order_state_name(s)));
            ck_assert_int_eq(back, s);
        }
        enum order_state none;

        ck_assert(!order_state_find(&none, "paid"));
        ck_assert(!order_state_find(&none, ""));
        ck_assert_str_eq(order_state_name(0), "?");
        ck_assert_str_eq(order_state_name(STATE_OWED + 1), "?");
    }
END_TEST

/* ---- forgetting ---- */

static bool is_there(const char *id)
{
    struct orderbook_order o;
    bool found = false;

    ck_ok(orderbook_order_get(f.book, id, &o, &found, &f.e));
    return found;
}

START_TEST(what_nobody_paid_is_forgotten_a_few_at_a_time)
    {
        char id[5][BOOK_ORDER_ID], asked_in_vain[BOOK_ORDER_ID], late[BOOK_ORDER_ID];
        struct orderbook_order o;
        int numbers = 0;
        bool found = false;
        size_t left = 0, forgotten = 9;

        for (size_t i = 0; i < 5; i++)
            put(id[i], now, i % 2 == 0 ? STATE_REQUESTED : STATE_CLAIMED, OUTCOME_NONE);
        put(late, now + 1, STATE_REQUESTED, OUTCOME_NONE);
        put(asked_in_vain, now, STATE_SUBMITTING, OUTCOME_VAIN);
        ck_ok(orderbook_order_get(f.book, asked_in_vain, &o, &found, &f.e));
        o.state = STATE_REQUESTED;
        ck_ok(orderbook_order_move(f.book, &o, &f.e));

        ck_ok(orderbook_order_forget(f.book, &forgotten, now + VALID, 100, count_freed, &numbers,
                                     &f.e));
        ck_assert_uint_eq(forgotten, 0); /* none is over before that */
        ck_assert(is_there(id[0]));
        ck_ok(orderbook_order_forget(f.book, &forgotten, now + VALID + 1, 3, count_freed, &numbers,
                                     &f.e));
        ck_assert_uint_eq(forgotten, 3);
        ck_assert_int_eq(numbers, 3);
        for (size_t i = 0; i < 5; i++)
            left += is_there(id[i]);
        ck_assert_uint_eq(left, 2);
        ck_ok(orderbook_order_forget(f.book, &forgotten, now + VALID + 1, 100, count_freed,
                                     &numbers, &f.e));
        ck_assert_uint_eq(forgotten, 2);
        for (size_t i = 0; i < 5; i++)
            ck_assert(!is_there(id[i]));
        ck_assert(is_there(late));
        ck_assert(is_there(asked_in_vain));
    }
END_TEST

/* ---- what the books refuse ---- */

START_TEST(what_was_given_back_stays_so)
    {
        char id[BOOK_ORDER_ID];
        struct orderbook_order o;
        bool found = false;

        put(id, now, STATE_REVERSED, OUTCOME_YES);
        ck_ok(orderbook_order_get(f.book, id, &o, &found, &f.e));
        for (enum order_state s = STATE_REQUESTED; s <= STATE_OWED; s++) {
            o.state = s;
            ck_assert_msg((orderbook_order_move(f.book, &o, &f.e) == TP_OK) ==
                              (s == STATE_REVERSED),
                          "%s", order_state_name(s));
        }
        ck_assert_ptr_nonnull(strstr(f.e.text, "given back"));
    }
END_TEST

START_TEST(what_was_acknowledged_stays_so)
    {
        char id[BOOK_ORDER_ID];
        struct orderbook_attempt a = {.n = 0};
        bool found = false;

        put(id, now, STATE_ACKNOWLEDGED, OUTCOME_YES);
        ck_ok(orderbook_attempt_get(f.book, id, 1, &a, &found, &f.e));
        a.outcome = OUTCOME_NO;
        ck_assert_int_ne(orderbook_attempt_answer(f.book, &a, &f.e), TP_OK);
        ck_assert_ptr_nonnull(strstr(f.e.text, "acknowledged"));
        a.outcome = OUTCOME_NONE;
        ck_assert_int_ne(orderbook_attempt_answer(f.book, &a, &f.e), TP_OK);
        orderbook_attempt_free(&a);
        ck_ok(orderbook_attempt_get(f.book, id, 1, &a, &found, &f.e));
        ck_assert_int_eq(a.outcome, OUTCOME_YES);
        orderbook_attempt_free(&a);
    }
END_TEST

/* Nor is one put in the place of another. */
START_TEST(an_attempt_has_its_number)
    {
        struct move one, other;

        fixture_ask(&f, &one, now, 600);
        ck_ok(fixture_apply(&f, &one));
        fixture_ask(&f, &other, now, 600);
        memcpy(other.attempt.order, one.id, sizeof(one.id));
        ck_assert_int_eq(orderbook_attempt_add(f.book, &other.attempt, &f.e), TP_ERR_EXISTS);
        move_free(&one);
        move_free(&other);
    }
END_TEST

START_TEST(a_number_is_given_once_a_day)
    {
        struct move one, other;

        fixture_ask(&f, &one, now, 600);
        fixture_ask(&f, &other, now, 600);
        other.attempt.stan = one.attempt.stan;
        other.attempt.local_time = one.attempt.local_time;
        ck_ok(fixture_apply(&f, &one));
        ck_assert_int_eq(fixture_apply(&f, &other), TP_ERR_EXISTS);
        ck_assert(!is_there(other.id)); /* nor half of it */
        move_free(&one);
        move_free(&other);
    }
END_TEST

START_TEST(an_order_is_of_a_service_and_costs_something)
    {
        struct move m;

        fixture_ask(&f, &m, now, 600);
        snprintf(m.order.service, sizeof(m.order.service), "nobody");
        ck_assert_int_ne(fixture_apply(&f, &m), TP_OK);
        move_free(&m);
        fixture_ask(&f, &m, now, 600);
        m.order.amount = 0;
        ck_assert_int_ne(fixture_apply(&f, &m), TP_OK);
        move_free(&m);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("orderbook");
    TCase *t = tcase_create("orderbook");

    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, make, drop);
    tcase_add_test(t, they_are_listed_as_they_were_made);
    tcase_add_test(t, those_to_go_on_with);
    tcase_add_test(t, they_are_counted);
    tcase_add_test(t, the_newest_of_a_browser_is_found);
    tcase_add_test(t, states_have_names);
    tcase_add_test(t, what_nobody_paid_is_forgotten_a_few_at_a_time);
    tcase_add_test(t, what_was_given_back_stays_so);
    tcase_add_test(t, what_was_acknowledged_stays_so);
    tcase_add_test(t, an_attempt_has_its_number);
    tcase_add_test(t, a_number_is_given_once_a_day);
    tcase_add_test(t, an_order_is_of_a_service_and_costs_something);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
