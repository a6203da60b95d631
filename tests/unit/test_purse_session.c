/* Sessions in the books of a purse: what a provision holds, what vouchers draw from it, and when it
 * is free again. */
#include "purse_fixture.h"

#include <inttypes.h>
#include <stdio.h>

#define DAY   86400
#define UNTIL (NOW + 3600)
#define FREED (UNTIL + INT64_C(2) * DAY) /* what is held is held until then */

static struct purse_fixture f;
static char one[PURSE_ACCOUNT], two[PURSE_ACCOUNT];

static void start(void)
{
    fixture_start(&f);
    fixture_account(&f, one, 1, 1000);
    fixture_account(&f, two, 2, 1000);
}

static void end(void)
{
    fixture_end(&f);
}

static void has(const char *account, int64_t balance, int64_t reserved)
{
    struct account a;
    struct purse_sums s;
    int64_t sum, held;

    ck_ok(book_account_get(f.book, account, &a, &f.e));
    ck_assert_int_eq(a.balance, balance);
    ck_assert_int_eq(a.reserved, reserved);
    ck_ok(book_account_sum(f.book, account, &sum, &held, &f.e)); /* as its records say */
    ck_assert_int_eq(sum, balance);
    ck_assert_int_eq(held, reserved);
    ck_ok(book_sums(f.book, EUR, &s, &f.e));
    ck_assert_int_eq(s.filled, s.balances + s.owed + s.paid_out + s.given_back);
}

/* ---- provisions ---- */

static struct provision provision(unsigned account, int64_t counter, char session, int64_t amount)
{
    struct provision v = {.by = fixture_payment(account, counter, 0, amount), .until = UNTIL};

    memset(v.session, session, sizeof(v.session) - 1);
    return v;
}

/* The code and the reason that the purse signed; "none" when it signed nothing. */
static const char *provides(const struct provision *v, time_t now)
{
    static char said[48];
    struct token t = {.payload = NULL};
    const char *reason;
    char *jws = NULL;

    ck_ok(book_begin(f.book, &f.e));
    ck_assert_msg(desk_provide(&f.desk, v, now, &jws, &f.e) == TP_OK, "%s", f.e.text);
    ck_ok(book_commit(f.book, &f.e));
    if (jws == NULL)
        return "none";
    ck_ok(token_read(&t, jws, "telepay-purse-provision-acknowledgement", &f.e));
    ck_assert_str_eq(json_string_value(json_object_get(t.payload, "session")), v->session);
    reason = json_string_value(json_object_get(t.payload, "reason"));
    snprintf(said, sizeof(said), "%s %s", json_string_value(json_object_get(t.payload, "code")),
             reason != NULL ? reason : "");
    token_free(&t);
    free(jws);
    return said;
}

#define ck_provides(v, word) ck_assert_str_eq(provides((v), NOW), word)
#define ck_pays(p, word)     ck_assert_str_eq(fixture_pay(&f, (p), NOW), word)

START_TEST(what_is_held_is_not_free)
    {
        struct provision v = provision(1, 1, 'a', 1001);
        struct payment p;

        ck_provides(&v, "51 BALANCE"); /* a cent short */
        v = provision(1, 2, 'a', 700);
        ck_provides(&v, "00 ");
        ck_provides(&v, "00 "); /* again */
        has(one, 1000, 700);
        p = fixture_payment(1, 3, 1, 301);
        ck_pays(&p, "51 BALANCE");
        ck_assert_int_eq(fixture_book(&f, one, BOOKING_GIVEN_BACK, 301, "BACK"), TP_ERR_STATE);
        p = fixture_payment(1, 4, 0, 301);
        ck_assert_str_eq(fixture_empty(&f, &p, NOW), "51 BALANCE");
        p = fixture_payment(1, 5, 1, 300);
        ck_pays(&p, "00 "); /* exactly what is free */
        has(one, 700, 700);
    }
END_TEST

/* Of two that come at once there is money for one. */
START_TEST(two_sessions_one_balance)
    {
        struct provision a = provision(1, 1, 'a', 600), b = provision(1, 2, 'b', 600);
        char *first = NULL, *second = NULL;

        ck_ok(book_begin(f.book, &f.e));
        ck_ok(desk_provide(&f.desk, &a, NOW, &first, &f.e));
        ck_ok(desk_provide(&f.desk, &b, NOW, &second, &f.e));
        ck_ok(book_commit(f.book, &f.e));
        free(first);
        free(second);
        has(one, 1000, 600);
        ck_provides(&a, "00 ");
        ck_provides(&b, "51 BALANCE");
        b = provision(1, 3, 'b', 400);
        ck_provides(&b, "00 ");
        has(one, 1000, 1000);
    }
END_TEST

START_TEST(refused_provisions)
    {
        struct provision v = provision(1, 1, 'a', 100);
        struct payment p = fixture_payment(1, 7, 1, 10);

        ck_pays(&p, "00 ");
        memset(v.by.key, 1, sizeof(v.by.key));
        ck_provides(&v, "none"); /* another key: nothing is signed */
        v = provision(3, 1, 'a', 100);
        ck_provides(&v, "none"); /* no account */
        v = provision(1, 7, 'a', 100);
        ck_provides(&v, "none"); /* the counter paid */
        v = provision(1, 8, 'a', 100);
        v.until = NOW;
        ck_provides(&v, "12 UNTIL");
        v = provision(1, 9, 'a', 100);
        v.until = NOW + DAY + 61;
        ck_provides(&v, "12 UNTIL");
        v = provision(1, 10, 'a', 100);
        v.until = NOW + DAY + 60;
        ck_provides(&v, "00 ");
        p = fixture_payment(1, 10, 2, 10);
        ck_pays(&p, "94 COUNTER_USED"); /* by the provision */
        p = fixture_payment(1, 10, 0, 10);
        ck_assert_str_eq(fixture_empty(&f, &p, NOW), "94 COUNTER_USED");
        v = provision(2, 1, 'a', 100);
        ck_provides(&v, "94 SESSION_USED"); /* by another account */
        v = provision(1, 11, 'c', 100);
        v.by.currency = 756;
        ck_provides(&v, "12 CURRENCY");
        ck_ok(book_account_set(f.book, one, ACCOUNT_STOPPED, "lost", &f.e));
        v = provision(1, 12, 'c', 100);
        ck_provides(&v, "62 STOPPED");
        ck_ok(book_account_set(f.book, one, ACCOUNT_OPEN, "", &f.e));
        ck_provides(&v, "62 STOPPED"); /* what was refused stays refused */
        ck_ok(book_mediator_shut(f.book, MEDIATOR, &f.e));
        v = provision(1, 13, 'c', 100);
        ck_provides(&v, "58 MEDIATOR");
        has(one, 990, 100);
    }
END_TEST

START_TEST(held_is_spent_today)
    {
        char three[PURSE_ACCOUNT];
        struct provision v;
        struct payment p = fixture_payment(3, 3, 1, 1);

        fixture_account(&f, three, 3, 90000);
        v = provision(3, 1, 'a', LIMIT_DAY + 1);
        ck_provides(&v, "61 LIMIT_DAY");
        v = provision(3, 2, 'a', LIMIT_DAY);
        ck_provides(&v, "00 ");
        ck_pays(&p, "61 LIMIT_DAY");
    }
END_TEST

/* ---- vouchers ---- */

struct voucher {
    unsigned account;
    char session;
    const char *contract, *mediator, *currency;
    int64_t signed_for, claimed;
};

static struct voucher voucher(char session, int64_t sum)
{
    return (struct voucher){1, session, CONTRACT, MEDIATOR, "eur", sum, sum};
}

static const char *draws(const struct voucher *v, time_t now)
{
    static char said[48];
    char sum[24], claimed[24], session[BOOK_ORDER] = "";
    uint8_t secret[ED25519_KEY];
    char account[PURSE_ACCOUNT];
    struct purse_statement s = {.sum = sum, .contract = v->contract, .currency = v->currency};
    struct purse_token t = {.sum = claimed, .contract = v->contract, .currency = v->currency};
    struct payment_answer a;

    memset(session, v->session, sizeof(session) - 1);
    snprintf(sum, sizeof(sum), "%" PRId64, v->signed_for);
    snprintf(claimed, sizeof(claimed), "%" PRId64, v->claimed);
    snprintf(t.signer, sizeof(t.signer), "%s", v->mediator);
    fixture_secret(secret, v->account);
    ck_ok(ed25519_public(s.key, secret, NULL));
    ck_ok(ed25519_thumbprint(account, s.key, NULL));
    s.account = account;
    s.session = t.session = session;
    ck_ok(book_begin(f.book, &f.e));
    ck_assert_msg(desk_present(&f.desk, &t, &s, "demand", now, &a, &f.e) == TP_OK, "%s", f.e.text);
    ck_ok(book_commit(f.book, &f.e));
    snprintf(said, sizeof(said), "%s %s", a.code, a.reason);
    ck_assert_int_eq(a.number[0] != '\0', strcmp(a.code, "00") == 0);
    payment_answer_free(&a);
    return said;
}

static const char *ends(char session, const char *mediator, time_t now)
{
    static char said[48];
    char id[BOOK_ORDER] = "";
    struct purse_token t = {.session = id};
    struct payment_answer a;

    memset(id, session, sizeof(id) - 1);
    snprintf(t.signer, sizeof(t.signer), "%s", mediator);
    ck_ok(book_begin(f.book, &f.e));
    ck_assert_msg(desk_end(&f.desk, &t, "demand", now, &a, &f.e) == TP_OK, "%s", f.e.text);
    ck_ok(book_commit(f.book, &f.e));
    snprintf(said, sizeof(said), "%s %s", a.code, a.reason);
    payment_answer_free(&a);
    return said;
}

#define ck_draws(v, word) ck_assert_str_eq(draws((v), NOW), word)

static void opened(char session, int64_t amount)
{
    static int64_t counter;
    const struct provision v = provision(1, ++counter, session, amount);

    ck_provides(&v, "00 ");
}

START_TEST(vouchers_draw_what_they_add)
    {
        struct voucher v = voucher('a', 100);
        struct purse_remise r;

        opened('a', 500);
        ck_draws(&v, "00 ");
        has(one, 900, 400);
        ck_draws(&v, "00 "); /* equal: a repeat */
        has(one, 900, 400);
        v = voucher('a', 250);
        ck_draws(&v, "00 ");
        has(one, 750, 250);
        v = voucher('a', 249);
        ck_draws(&v, "94 SUM"); /* lower than was presented */
        v.contract = OTHER_CONTRACT;
        ck_draws(&v, "00 "); /* each contract has its sum */
        has(one, 501, 1);
        v = voucher('a', 252);
        ck_draws(&v, "61 PROVISION"); /* a cent more than all of it */
        v = voucher('a', 251);
        ck_draws(&v, "00 ");
        has(one, 500, 0);
        v = voucher('a', 252);
        ck_draws(&v, "61 PROVISION"); /* though there is money in the account */
        ck_ok(book_remise_close(f.book, CONTRACT, NOW, &r, &f.e));
        ck_assert_int_eq(r.payments, 3);
        ck_assert_int_eq(r.amount, 251);
        ck_ok(book_remise_close(f.book, OTHER_CONTRACT, NOW, &r, &f.e));
        ck_assert_int_eq(r.amount, 249);
    }
END_TEST

START_TEST(foreign_vouchers)
    {
        static const struct book_contract francs = {
            .contract = "000000000000125", .name = "Otter", .iban = "FR76", .currency = 756};
        struct voucher v = voucher('a', 100);

        ck_draws(&v, "14 SESSION"); /* of no provision */
        opened('a', 500);
        v.account = 2;
        ck_draws(&v, "63 VOUCHER"); /* another key */
        v = voucher('a', 100);
        v.mediator = "others";
        ck_draws(&v, "14 SESSION");
        v = voucher('a', 100);
        v.claimed = 101;
        ck_draws(&v, "63 VOUCHER"); /* more than was signed for */
        v = voucher('a', 100);
        v.currency = "chf";
        ck_draws(&v, "63 VOUCHER");
        v = voucher('a', 100);
        v.contract = "999999999999999";
        ck_draws(&v, "63 VOUCHER");
        ck_ok(book_contract_add(f.book, &francs, &f.e));
        v.contract = francs.contract; /* of another currency: a cent is no centime */
        ck_draws(&v, "63 VOUCHER");
        v = voucher('a', 100);
        v.claimed = 60; /* some of it was given back */
        ck_draws(&v, "00 ");
        has(one, 940, 440);
        ck_ok(book_mediator_shut(f.book, MEDIATOR, &f.e));
        ck_draws(&v, "00 "); /* again */
        v = voucher('a', 100);
        ck_draws(&v, "58 MEDIATOR");
    }
END_TEST

/* What was reserved while the account was open is drawn when it is stopped. */
START_TEST(stopped_accounts_keep_their_word)
    {
        const struct voucher v = voucher('a', 100);

        opened('a', 500);
        ck_ok(book_account_set(f.book, one, ACCOUNT_STOPPED, "lost", &f.e));
        ck_draws(&v, "00 ");
        has(one, 900, 400);
        ck_assert_str_eq(ends('a', MEDIATOR, NOW), "00 ");
        has(one, 900, 0);
    }
END_TEST

START_TEST(an_end_frees_the_rest)
    {
        struct voucher v = voucher('a', 100);
        struct payment p = fixture_payment(1, 40, 1, 900);

        ck_assert_str_eq(ends('a', MEDIATOR, NOW), "14 SESSION");
        opened('a', 500);
        ck_draws(&v, "00 ");
        ck_assert_str_eq(ends('a', "others", NOW), "14 SESSION");
        ck_assert_str_eq(ends('a', MEDIATOR, NOW), "00 ");
        has(one, 900, 0);
        ck_assert_str_eq(ends('a', MEDIATOR, NOW), "00 ");
        has(one, 900, 0);
        ck_draws(&v, "00 "); /* what was presented before */
        v = voucher('a', 200);
        ck_draws(&v, "12 SESSION_ENDED");
        ck_pays(&p, "00 ");
        has(one, 0, 0);
    }
END_TEST

static int64_t release(time_t now)
{
    int64_t n = 0;

    ck_ok(book_begin(f.book, &f.e));
    ck_ok(book_release(f.book, now, &n, &f.e));
    ck_ok(book_commit(f.book, &f.e));
    return n;
}

/* Long after its time a provision holds nothing; what comes then is paid from what is there. */
START_TEST(time_frees_too)
    {
        struct voucher v = voucher('a', 100);
        struct payment p;

        opened('a', 500);
        opened('b', 300);
        ck_draws(&v, "00 ");
        ck_assert_int_eq(release(FREED - 1), 0);
        has(one, 900, 700);
        ck_assert_int_eq(release(FREED), 2);
        has(one, 900, 0);
        ck_assert_int_eq(release(FREED + DAY), 0);
        v = voucher('a', 200);
        ck_draws(&v, "00 "); /* late, and there is money */
        has(one, 800, 0);
        p = fixture_payment(1, 40, 1, 750);
        ck_pays(&p, "00 ");
        v = voucher('b', 51);
        ck_draws(&v, "61 PROVISION"); /* late, and it is gone */
        v = voucher('b', 50);
        ck_draws(&v, "00 ");
        has(one, 0, 0);
        ck_assert_str_eq(ends('b', MEDIATOR, FREED + 1), "00 ");
        has(one, 0, 0);
    }
END_TEST

/* A clock that jumps ahead and back frees what was held: nothing is lost and nothing made. */
START_TEST(a_clock_that_jumps)
    {
        struct voucher v = voucher('a', 400);
        struct provision late = provision(1, 40, 'b', 100);

        opened('a', 500);
        ck_assert_int_eq(release(NOW + INT64_C(400) * DAY), 1);
        has(one, 1000, 0);
        ck_draws(&v, "00 "); /* the clock is right again */
        has(one, 600, 0);
        late.until = NOW + 3600;
        ck_assert_str_eq(provides(&late, NOW - DAY), "12 UNTIL"); /* it went back */
        ck_assert_int_eq(release(0), 0);
        has(one, 600, 0);
    }
END_TEST

static enum tp_err count_provision(void *ctx, const struct provision_kept *k, struct tp_error *e)
{
    (void)e;
    ck_assert_int_eq(k->drawn, k->vouchers);
    ck_assert_int_eq(k->until, UNTIL);
    ck_assert_str_eq(k->mediator, MEDIATOR);
    ck_assert_uint_gt(k->acknowledgement.n, 0);
    ++*(unsigned *)ctx;
    return TP_OK;
}

static enum tp_err count_voucher(void *ctx, const struct voucher_kept *k, struct tp_error *e)
{
    (void)e;
    ck_assert_int_eq(k->total - k->before, k->amount);
    ck_assert_str_eq(k->account, one);
    ++*(unsigned *)ctx;
    return TP_OK;
}

static enum tp_err see(void *ctx, const struct history *h, struct tp_error *e)
{
    char *kinds = ctx;

    (void)e;
    kinds[strlen(kinds)] = (char)('0' + h->kind);
    return TP_OK;
}

START_TEST(all_is_kept)
    {
        struct voucher v = voucher('a', 100);
        const struct provision refused = provision(1, 50, 'b', 2000);
        char kinds[16] = "";
        unsigned provisions = 0, vouchers = 0;

        opened('a', 500);
        ck_provides(&refused, "51 BALANCE");
        ck_draws(&v, "00 ");
        v = voucher('a', 150);
        ck_draws(&v, "00 ");
        ck_ok(provision_each(f.book, count_provision, &provisions, &f.e));
        ck_ok(voucher_each(f.book, count_voucher, &vouchers, &f.e));
        ck_assert_uint_eq(provisions, 2);
        ck_assert_uint_eq(vouchers, 2);
        ck_ok(book_history(f.book, one, 0, 100, see, kinds, &f.e));
        ck_assert_str_eq(kinds, "06677");
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("purse_session");
    TCase *t = tcase_create("purse_session");

    tcase_add_checked_fixture(t, start, end);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, what_is_held_is_not_free);
    tcase_add_test(t, two_sessions_one_balance);
    tcase_add_test(t, refused_provisions);
    tcase_add_test(t, held_is_spent_today);
    tcase_add_test(t, vouchers_draw_what_they_add);
    tcase_add_test(t, foreign_vouchers);
    tcase_add_test(t, stopped_accounts_keep_their_word);
    tcase_add_test(t, an_end_frees_the_rest);
    tcase_add_test(t, time_frees_too);
    tcase_add_test(t, a_clock_that_jumps);
    tcase_add_test(t, all_is_kept);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
