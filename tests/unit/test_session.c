/* Sessions of purses at the mediator: each voucher that does not pay, the one that does, and what
 * is presented of them all. */
#include "mediator_fixture.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/date.h"
#include "order/purse_token.h"

#define SESSION   "sessionsessionsessionsessi"
#define ACCOUNT   "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define PRICE     150 /* of fixture_order */
#define PROVISION 500

static struct mediator_fixture f;
static struct move m;
static int64_t now;

static void make(void)
{
    struct orderbook_session s = {.id = SESSION,
                                  .acquirer = PURSE,
                                  .account = ACCOUNT,
                                  .currency = 978,
                                  .amount = PROVISION,
                                  .state = SESSION_OPEN};

    now = time(NULL);
    fixture_make(&f);
    fixture_purse(&f);
    fixture_open(&f);
    memset(s.key, 'k', sizeof(s.key));
    s.until = now + 300;
    s.touched = now;
    ck_ok(orderbook_session_add(f.book, &s, "the purse's word", &f.e));
    s.amount = 999999; /* a second word of the same changes nothing */
    ck_ok(orderbook_session_add(f.book, &s, "another", &f.e));
}

static void drop(void)
{
    move_free(&m);
    fixture_end(&f);
}

/* An order that is paid by vouchers under that contract, as the first place. */
static void ask(const char *contract)
{
    uint8_t hash[32];

    move_free(&m);
    m = (struct move){.event = EVENT_ASKED, .now = now, .order = fixture_order(time(NULL), 600)};
    memcpy(m.id, m.order.id, sizeof(m.id));
    memcpy(m.attempt.order, m.id, sizeof(m.id));
    m.attempt.n = m.attempt.place = 1;
    m.attempt.means = MEANS_VOUCHER;
    snprintf(m.attempt.contract, sizeof(m.attempt.contract), "%s", contract);
    m.quote = strdup(QUOTE_TEXT);
    ck_assert_int_eq(EVP_Digest(QUOTE_TEXT, strlen(QUOTE_TEXT), hash, NULL, EVP_sha256(), NULL), 1);
    ck_ok(challenge_make(&m.attempt, &m.order, hash, NULL, &f.issuing, &f.e));
    ck_ok(fixture_apply(&f, &m));
}

static void draw(int64_t sum, int64_t number)
{
    char id[BOOK_ORDER_ID], challenge[48];

    memcpy(id, m.id, sizeof(id));
    memcpy(challenge, m.attempt.challenge_id, sizeof(challenge));
    move_free(&m);
    m = (struct move){.event = EVENT_PAY,
                      .now = now,
                      .reached = true,
                      .voucher = {.session = SESSION,
                                  .account = ACCOUNT,
                                  .contract = PURSE_CONTRACT,
                                  .currency = 978,
                                  .sum = sum,
                                  .number = number}};
    memset(m.voucher.key, 'k', sizeof(m.voucher.key));
    memset(m.credential, 'a' + (int)number, sizeof(m.credential));
    memcpy(m.id, id, sizeof(id));
    memcpy(m.challenge_id, challenge, sizeof(challenge));
    m.pays = strdup("a voucher's text");
}

static void pay(enum finding wanted)
{
    ck_assert_msg(fixture_apply(&f, &m) == TP_OK, "%s", f.e.text);
    ck_assert_int_eq(m.finding, wanted);
    ck_assert_int_eq(m.order.state, wanted == FOUND_FINE ? STATE_ACKNOWLEDGED : STATE_REQUESTED);
    ck_assert_int_eq(m.moved, wanted == FOUND_FINE);
}

static void buy(int64_t sum, int64_t number)
{
    ask(PURSE_CONTRACT);
    draw(sum, number);
    pay(FOUND_FINE);
}

static void then(enum event event)
{
    m.event = event;
    ck_ok(fixture_apply(&f, &m));
}

static struct orderbook_drawn drawn(int64_t *all)
{
    struct orderbook_drawn d;

    ck_ok(orderbook_drawn_get(f.book, SESSION, PURSE_CONTRACT, &d, all, &f.e));
    free(d.voucher);
    d.voucher = NULL;
    return d;
}

/* ---- those that do not pay ---- */

static void other_session(void)
{
    snprintf(m.voucher.session, sizeof(m.voucher.session), "aaaaaaaaaaaaaaaaaaaaaaaaaa");
}

static void other_key(void)
{
    m.voucher.key[31]++;
}

static void other_account(void)
{
    m.voucher.account[0]++;
}

static void other_contract(void)
{
    snprintf(m.voucher.contract, sizeof(m.voucher.contract), "%s", CONTRACT);
}

static void other_currency(void)
{
    m.voucher.currency = 840;
}

static const struct {
    int64_t sum, number;
    void (*change)(void);
    enum finding wanted;
} bad[] = {
    {150, 1, NULL, FOUND_BEHIND}, /* the one of before */
    {300, 1, NULL, FOUND_BEHIND}, /* its number */
    {300, 0, NULL, FOUND_BEHIND}, /* a lower one */
    {450, 3, NULL, FOUND_BEHIND}, /* one is left out */
    {299, 2, NULL, FOUND_BEHIND}, /* less than it costs */
    {301, 2, NULL, FOUND_BEHIND}, /* more than it costs */
    {150, 2, NULL, FOUND_BEHIND}, /* the sum of before */
    {0, 2, NULL, FOUND_BEHIND},   /* a lower one */
    {300, 2, other_session, FOUND_SESSION},
    {300, 2, other_key, FOUND_SESSION},
    {300, 2, other_account, FOUND_SESSION},
    {300, 2, other_contract, FOUND_SESSION},
    {300, 2, other_currency, FOUND_SESSION},
};

START_TEST(a_voucher_that_does_not_pay)
    {
        int64_t all = 0;

        buy(150, 1);
        ask(PURSE_CONTRACT);
        draw(bad[_i].sum, bad[_i].number);
        if (bad[_i].change != NULL)
            bad[_i].change();
        pay(bad[_i].wanted);
        if (bad[_i].wanted == FOUND_BEHIND) {
            ck_assert_int_eq(m.known_sum, 150);
            ck_assert_int_eq(m.known_number, 1);
        }
        ck_assert(m.payable); /* nothing was used up */
        ck_assert_int_eq(drawn(&all).total, 150);
        ck_assert_int_eq(all, 150);
        draw(300, 2);
        pay(FOUND_FINE);
    }
END_TEST

START_TEST(more_than_the_provision_has_left)
    {
        int64_t all = 0;

        buy(150, 1);
        buy(300, 2);
        buy(450, 3);
        ask(PURSE_CONTRACT);
        draw(600, 4);
        pay(FOUND_EXCEEDED);
        ck_assert_int_eq(drawn(&all).number, 3);
        ck_assert_int_eq(all, 450);
    }
END_TEST

static void set_state(enum session_state state)
{
    struct orderbook_session s;
    bool found = false;

    ck_ok(orderbook_session_get(f.book, SESSION, &s, &found, &f.e));
    ck_assert(found);
    ck_assert_int_eq(s.amount, PROVISION);
    s.state = state;
    ck_ok(orderbook_session_move(f.book, &s, &f.e));
}

START_TEST(a_session_that_is_over)
    {
        for (enum session_state s = SESSION_ENDING; s <= SESSION_ENDED; s++) {
            set_state(s);
            ask(PURSE_CONTRACT);
            draw(150, 1);
            pay(FOUND_SESSION);
        }
        set_state(SESSION_OPEN);
        now += 301; /* the order could still be paid */
        ask(PURSE_CONTRACT);
        draw(150, 1);
        pay(FOUND_SESSION);
    }
END_TEST

/* ---- the one that does ---- */

START_TEST(the_mediator_s_word)
    {
        struct purse_token t = {.owner = NULL};
        char hash[PURSE_HASH];

        buy(150, 1);
        ck_assert_int_eq(m.attempt.outcome, OUTCOME_YES);
        ck_assert_str_eq(m.attempt.session, SESSION);
        ck_assert_str_eq(m.attempt.rrn, SESSION "-1");
        ck_assert_msg(purse_token_read(&t, PURSE_VOUCHER_ACKNOWLEDGEMENT, m.attempt.acknowledgement,
                                       f.authority, &f.e) == TP_OK,
                      "%s", f.e.text);
        ck_ok(purse_statement_hash(hash, "a voucher's text", &f.e));
        ck_assert_str_eq(t.voucher_hash, hash);
        ck_assert_str_eq(t.order, m.id);
        ck_assert_str_eq(t.contract, PURSE_CONTRACT);
        ck_assert_str_eq(t.amount, "150");
        ck_assert_str_eq(t.currency, "eur");
        ck_assert_str_eq(t.session, SESSION);
        ck_assert_str_eq(t.sum, "150");
        ck_assert_str_eq(t.number, "1");
        ck_assert_str_eq(t.mediator, "med");
        ck_assert_str_eq(t.reference, SESSION "-1");
        ck_assert_str_eq(t.code, "00");
        purse_token_free(&t);
    }
END_TEST

START_TEST(the_same_voucher_again)
    {
        int64_t all = 0;

        buy(150, 1);
        then(EVENT_PAY);
        ck_assert_int_eq(m.finding, FOUND_FINE);
        ck_assert(!m.moved);
        ck_assert_int_eq(drawn(&all).number, 1);
        m.credential[0]++;
        then(EVENT_PAY);
        ck_assert_int_eq(m.finding, FOUND_OTHER);
        ck_assert_int_eq(drawn(&all).number, 1);
    }
END_TEST

/* ---- the end ---- */

static void end_session(enum finding wanted, bool by_holder, uint8_t key)
{
    move_free(&m);
    m = (struct move){.event = EVENT_SESSION_END, .now = now, .by_holder = by_holder};
    snprintf(m.id, sizeof(m.id), SESSION);
    memset(m.voucher.key, key, sizeof(m.voucher.key));
    ck_ok(fixture_apply(&f, &m));
    ck_assert_int_eq(m.finding, wanted);
}

START_TEST(not_before_all_is_delivered)
    {
        struct orderbook_drawn d;
        bool found = false;

        buy(150, 1);
        end_session(FOUND_OVER, true, 'k');
        ck_assert_int_eq(m.session.state, SESSION_OPEN);
        end_session(FOUND_INVALID, true, 'l');
        buy(300, 2); /* which takes vouchers still */
        then(EVENT_DELIVERED);
        end_session(FOUND_OVER, false, 0); /* nor when its time has come */
        ck_ok(orderbook_drawn_next(f.book, SESSION, "", &d, &found, &f.e));
        ck_assert(found);
        ck_assert_int_eq(d.total, 300);
        ck_assert_str_eq(d.voucher, "a voucher's text");
        free(d.voucher);
    }
END_TEST

/* A service that never says whether it delivered keeps no session for ever. */
START_TEST(its_time_is_over)
    {
        buy(150, 1);
        now += 299;
        end_session(FOUND_OVER, false, 0);
        now++;
        end_session(FOUND_FINE, false, 0);
        ck_assert_int_eq(m.session.state, SESSION_ENDING);
    }
END_TEST

/* What is not delivered is given back at once, and not presented. */
START_TEST(what_is_presented)
    {
        struct orderbook_drawn d;
        bool found = false;
        int64_t all = 0;

        buy(150, 1);
        then(EVENT_DELIVERED);
        buy(300, 2);
        then(EVENT_UNDELIVERABLE);
        ck_assert_int_eq(m.order.state, STATE_REVERSED);
        ck_assert_int_eq(drawn(&all).given_back, 150);
        then(EVENT_UNDELIVERABLE); /* once */
        ck_assert_int_eq(drawn(&all).given_back, 150);
        end_session(FOUND_FINE, true, 'k');
        ck_assert_int_eq(m.session.state, SESSION_ENDING);
        ck_assert(m.moved);
        end_session(FOUND_FINE, true, 'k');
        ck_assert(!m.moved);
        ck_ok(orderbook_drawn_next(f.book, SESSION, "", &d, &found, &f.e));
        ck_assert(found);
        ck_assert_int_eq(d.total - d.given_back, 150);
        free(d.voucher);
        move_free(&m);
        m = (struct move){.event = EVENT_PRESENTED, .now = now, .presented = 150};
        snprintf(m.id, sizeof(m.id), SESSION);
        snprintf(m.contract, sizeof(m.contract), PURSE_CONTRACT);
        ck_ok(fixture_apply(&f, &m));
        ck_assert_int_eq(m.session.state, SESSION_ENDING);
        ck_ok(orderbook_drawn_next(f.book, SESSION, "", &d, &found, &f.e));
        ck_assert(!found);
        then(EVENT_SESSION_ENDED);
        ck_assert_int_eq(m.session.state, SESSION_ENDED);
    }
END_TEST

/* What was presented is not taken back by saying so: a dispute may be settled months later. */
START_TEST(given_back_after_the_end)
    {
        int64_t all = 0;

        for (enum session_state s = SESSION_ENDING; s <= SESSION_ENDED; s++) {
            set_state(SESSION_OPEN);
            buy(s == SESSION_ENDING ? 150 : 300, s == SESSION_ENDING ? 1 : 2);
            set_state(s);
            snprintf(m.why, sizeof(m.why), "the dispute was settled");
            then(EVENT_UNDELIVERABLE);
            ck_assert_int_eq(m.order.state, STATE_OWED);
            ck_assert_str_eq(m.order.why, "the dispute was settled; its session is over");
            ck_assert_int_eq(drawn(&all).given_back, 0);
        }
    }
END_TEST

static enum tp_err count(void *ctx, const char *id, struct tp_error *e)
{
    (void)e;
    ck_assert_str_eq(id, SESSION);
    ++*(int *)ctx;
    return TP_OK;
}

static int due(int64_t silent, int64_t until)
{
    int n = 0;

    ck_ok(orderbook_session_due(f.book, silent, until, count, &n, &f.e));
    return n;
}

START_TEST(when_its_time_has_come)
    {
        ck_assert_int_eq(due(now, now + 300), 0);
        ck_assert_int_eq(due(now + 1, 0), 1);   /* nothing came */
        ck_assert_int_eq(due(0, now + 301), 1); /* it is nearly over */
        now += 5;
        buy(150, 1);
        ck_assert_int_eq(due(now, 0), 0); /* a voucher came */
        set_state(SESSION_ENDING);
        ck_assert_int_eq(due(0, 0), 1); /* until it has ended */
        set_state(SESSION_ENDED);
        ck_assert_int_eq(due(now + 9999, now + 9999), 0);
    }
END_TEST

START_TEST(no_such_session)
    {
        static const enum event events[] = {EVENT_SESSION_END, EVENT_PRESENTED,
                                            EVENT_SESSION_ENDED};

        for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
            m = (struct move){.event = events[i], .now = now};
            snprintf(m.id, sizeof(m.id), "aaaaaaaaaaaaaaaaaaaaaaaaaa");
            ck_ok(fixture_apply(&f, &m));
            ck_assert_int_eq(m.finding, FOUND_NONE);
        }
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("session");
    TCase *t = tcase_create("session");

    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, make, drop);
    tcase_add_loop_test(t, a_voucher_that_does_not_pay, 0, sizeof(bad) / sizeof(bad[0]));
    tcase_add_test(t, more_than_the_provision_has_left);
    tcase_add_test(t, a_session_that_is_over);
    tcase_add_test(t, the_mediator_s_word);
    tcase_add_test(t, the_same_voucher_again);
    tcase_add_test(t, not_before_all_is_delivered);
    tcase_add_test(t, its_time_is_over);
    tcase_add_test(t, what_is_presented);
    tcase_add_test(t, given_back_after_the_end);
    tcase_add_test(t, when_its_time_has_come);
    tcase_add_test(t, no_such_session);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
