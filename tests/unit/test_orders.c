/* Orders in the payer's journal: kept, sealed, found again, settled; and a journal of before. */
#include "../tools/damage.h"
#include "unit.h"

#include <stdio.h>

#include "payer/orders.h"
#include "store/schema.h"

#define ORDER "abcdefghijklmnopqrstuvwxyz"
#define URL   "https://m.example/s/journal/1"

static char folder[64], path[128];
static struct tp_error e;

static void make_folder(void)
{
    strcpy(folder, "/tmp/test_orders.XXXXXX");
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

static struct kept_order an_order(const char *order, const char *challenge)
{
    struct kept_order o = {.order = order,
                           .origin = "https://m.example",
                           .method = "GET",
                           .url = URL,
                           .item = "Article 1",
                           .authority = "aa",
                           .challenge = challenge,
                           .asks = true,
                           .ticket = {.state = PAYMENT_SIGNED,
                                      .date = 20261123,
                                      .atc = 7,
                                      .amount = 150,
                                      .currency = 978},
                           .made = 1790000000,
                           .secret = json_pack("{s:s}", "credential", "a secret word")};

    strcpy(o.ticket.pan, "999014******0015");
    return o;
}

static void keep(struct journal *j, struct kept_order *o)
{
    enum tp_err r = orders_begin(j, &e);

    if (r == TP_OK)
        r = orders_add(j, o, &e);
    ck_assert_msg(orders_end(j, r, &e) == TP_OK, "%s", e.text);
}

START_TEST(what_is_kept_comes_back)
    {
        struct journal *j = open_it();
        struct kept_order o = an_order(ORDER, "{\"id\":\"one\"}"), back = {0};

        keep(j, &o);
        journal_close(&j); /* as a crash would leave it */
        j = open_it();
        ck_ok(orders_pending(j, 0, &back, &e));
        ck_assert_str_eq(back.order, ORDER);
        ck_assert_str_eq(back.origin, "https://m.example");
        ck_assert_str_eq(back.url, URL);
        ck_assert_str_eq(back.challenge, "{\"id\":\"one\"}");
        ck_assert_ptr_null(back.digest);
        ck_assert_ptr_null(back.acknowledgement);
        ck_assert(back.asks && !back.delivered);
        ck_assert_int_eq(back.state, KEPT_SUBMITTING);
        ck_assert_int_eq(back.ticket.amount, 150);
        ck_assert_int_eq(back.made, 1790000000);
        ck_assert_str_eq(json_string_value(json_object_get(back.secret, "credential")),
                         "a secret word");
        kept_order_free(&back);
        ck_assert_int_eq(orders_pending(j, 1, &back, &e), TP_ERR_NOT_FOUND);
        json_decref(o.secret);
        journal_close(&j);
    }
END_TEST

static bool file_holds(const char *text)
{
    char command[512];

    snprintf(command, sizeof(command), "grep -aq '%s' '%s' '%s-wal'", text, path, path);
    return system(command) == 0;
}

START_TEST(the_secret_is_sealed_to_its_order_and_goes)
    {
        struct journal *j = open_it();
        struct kept_order o = an_order(ORDER, "{\"id\":\"one\"}"), back = {0};

        keep(j, &o);
        ck_assert(!file_holds("secret word"));
        o.state = KEPT_ACKNOWLEDGED; /* it is needed for the delivery */
        o.acknowledgement = "a.b.c";
        ck_ok(orders_update(j, &o, &e));
        ck_ok(orders_find(j, ORDER, &back, &e));
        ck_assert_ptr_nonnull(back.secret);
        ck_assert_str_eq(back.acknowledgement, "a.b.c");
        kept_order_free(&back);
        damage(path, "UPDATE orders SET challenge = '{\"id\":\"two\"}'");
        ck_assert_int_eq(orders_find(j, ORDER, &back, &e), TP_ERR_SECURITY);
        damage(path, "UPDATE orders SET challenge = '{\"id\":\"one\"}'");
        o.delivered = true;
        ck_ok(orders_update(j, &o, &e));
        ck_ok(orders_find(j, ORDER, &back, &e));
        ck_assert_ptr_null(back.secret);
        kept_order_free(&back);
        json_decref(o.secret);
        journal_close(&j);
    }
END_TEST

START_TEST(what_is_owed_is_known_by_its_resource)
    {
        struct journal *j = open_it();
        struct kept_order o = an_order(ORDER, "{\"id\":\"one\"}"), back = {0};

        keep(j, &o);
        ck_ok(orders_owed(j, "GET", URL, NULL, &back, &e)); /* nobody knows what became of it */
        ck_assert_int_eq(back.state, KEPT_SUBMITTING);
        kept_order_free(&back);
        ck_assert_int_eq(orders_owed(j, "POST", URL, NULL, &back, &e), TP_ERR_NOT_FOUND);
        ck_assert_int_eq(orders_owed(j, "GET", URL "0", NULL, &back, &e), TP_ERR_NOT_FOUND);
        ck_assert_int_eq(orders_owed(j, "GET", URL, "sha-256=:a:", &back, &e), TP_ERR_NOT_FOUND);
        o.state = KEPT_ACKNOWLEDGED;
        ck_ok(orders_update(j, &o, &e));
        ck_ok(orders_owed(j, "GET", URL, NULL, &back, &e));
        kept_order_free(&back);
        o.delivered = true;
        ck_ok(orders_update(j, &o, &e));
        ck_assert_int_eq(orders_owed(j, "GET", URL, NULL, &back, &e), TP_ERR_NOT_FOUND);
        for (int state = KEPT_REFUSED; state <= KEPT_LOST; state++) { /* is bought anew */
            o.delivered = false;
            o.state = (enum kept_state)state;
            ck_ok(orders_update(j, &o, &e));
            ck_assert_int_eq(orders_owed(j, "GET", URL, NULL, &back, &e), TP_ERR_NOT_FOUND);
            ck_assert_int_eq(orders_pending(j, 0, &back, &e), TP_ERR_NOT_FOUND);
        }
        json_decref(o.secret);
        journal_close(&j);
    }
END_TEST

static bool count(void *ctx, const struct kept_order *o)
{
    ck_assert_ptr_null(o->secret);
    ++*(int *)ctx;
    return true;
}

START_TEST(an_order_may_be_signed_again_after_a_refusal)
    {
        struct journal *j = open_it();
        struct kept_order one = an_order(ORDER, "{\"id\":\"one\"}"),
                          two = an_order(ORDER, "{\"id\":\"two\"}"), back = {0};
        int n = 0;

        keep(j, &one);
        one.state = KEPT_REFUSED;
        ck_ok(orders_update(j, &one, &e));
        keep(j, &two);
        ck_ok(orders_find(j, ORDER, &back, &e));
        ck_assert_str_eq(back.challenge, "{\"id\":\"two\"}"); /* the newest */
        kept_order_free(&back);
        ck_ok(orders_list(j, count, &n, &e));
        ck_assert_int_eq(n, 2);
        ck_assert_int_eq(orders_find(j, "zzzzzzzzzzzzzzzzzzzzzzzzzz", &back, &e), TP_ERR_NOT_FOUND);
        json_decref(one.secret);
        json_decref(two.secret);
        journal_close(&j);
    }
END_TEST

START_TEST(no_other_process_sends_what_is_under_way)
    {
        struct journal *asks = open_it(), *other = open_it();
        struct kept_order o = an_order(ORDER, "{\"id\":\"one\"}");
        bool got = false;

        ck_ok(orders_hold(other, &got, &e));
        ck_assert(got);
        orders_let_go(other);
        keep(asks, &o);
        ck_ok(orders_hold(other, &got, &e));
        ck_assert(!got);
        journal_close(&asks);
        ck_ok(orders_hold(other, &got, &e));
        ck_assert(got);
        json_decref(o.secret);
        journal_close(&other);
    }
END_TEST

/* As version 3 made it: the tables of a new one without orders. */
static void make_version_3(void)
{
    struct journal *j = open_it();
    const struct receipt r = {.state = PAYMENT_SIGNED,
                              .date = 20261123,
                              .atc = 7,
                              .amount = 1250,
                              .currency = 978,
                              .stan = 5};
    int64_t id;

    ck_ok(journal_add(j, &r, span_str("message"), 0, &id, &e));
    journal_close(&j);
    damage(
        path,
        "DROP TABLE orders; DROP TABLE purse; DROP TABLE emptying; DROP TABLE known_at; DROP TABLE "
        "paid_by; DROP TABLE letter; DROP TABLE provision; UPDATE store SET version = 3;");
}

START_TEST(a_journal_of_before_is_brought_up)
    {
        struct journal *j = NULL;
        struct kept_order o = an_order(ORDER, "{\"id\":\"one\"}");
        char copy[512], command[640];
        uint8_t room[MESSAGE_MAX];
        struct buf message = BUF_OF(room);
        struct receipt r;
        int64_t id;

        keep(j = open_it(), &o);
        journal_close(&j);
        snprintf(command, sizeof(command), "sqlite3 '%s' .schema | sort >'%s/new'; rm -f '%s'*",
                 path, folder, path);
        ck_assert_int_eq(system(command), 0);
        make_version_3();
        ck_assert_int_eq(journal_open(&j, path, &e), TP_ERR_STATE);
        ck_assert_ptr_nonnull(strstr(e.text, "telepay journal upgrade"));
        ck_ok(db_upgrade(path, &journal_schema, copy, NULL, NULL, &e));
        snprintf(command, sizeof(command),
                 "sqlite3 '%s' .schema | sort >'%s/old'; cmp '%s/old' '%s/new'", path, folder,
                 folder, folder);
        ck_assert_int_eq(system(command), 0);
        j = open_it();
        ck_ok(journal_pending(j, 0, &id, &r, &message, &e)); /* what waited waits still */
        ck_assert_int_eq(r.amount, 1250);
        keep(j, &o);
        json_decref(o.secret);
        journal_close(&j);
    }
END_TEST

/* Version 4 had orders that cards pay, and no purses. */
START_TEST(an_order_of_before_is_kept_without_a_statement)
    {
        struct journal *j = open_it();
        struct kept_order o = an_order(ORDER, "{\"id\":\"one\"}"), back = {0};
        char copy[512];

        keep(j, &o);
        journal_close(&j);
        damage(path,
               "DROP TABLE known_at; DROP TABLE paid_by; DROP TABLE letter; DROP TABLE purse;"
               "DROP TABLE emptying; DROP TABLE provision; DROP INDEX orders_session;"
               "ALTER TABLE orders DROP COLUMN statement; ALTER TABLE orders DROP COLUMN session;"
               "UPDATE store SET version = 4;");
        ck_ok(db_upgrade(path, &journal_schema, copy, NULL, NULL, &e));
        j = open_it();
        ck_ok(orders_pending(j, 0, &back, &e));
        ck_assert_str_eq(back.order, ORDER);
        ck_assert_ptr_null(back.statement);
        kept_order_free(&back);
        json_decref(o.secret);
        journal_close(&j);
    }
END_TEST

/* What the key of an account signed stays when what is secret goes. */
START_TEST(a_statement_is_kept_for_good)
    {
        struct journal *j = open_it();
        struct kept_order o = an_order(ORDER, "{\"id\":\"one\"}"), back = {0};

        o.statement = "e30.e30.AA";
        keep(j, &o);
        o.state = KEPT_REFUSED;
        ck_ok(orders_update(j, &o, &e));
        ck_ok(orders_find(j, ORDER, &back, &e));
        ck_assert_ptr_null(back.secret);
        ck_assert_str_eq(back.statement, "e30.e30.AA");
        kept_order_free(&back);
        json_decref(o.secret);
        journal_close(&j);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("orders");
    TCase *t = tcase_create("orders");

    tcase_add_checked_fixture(t, make_folder, remove_folder);
    tcase_add_test(t, what_is_kept_comes_back);
    tcase_add_test(t, the_secret_is_sealed_to_its_order_and_goes);
    tcase_add_test(t, what_is_owed_is_known_by_its_resource);
    tcase_add_test(t, an_order_may_be_signed_again_after_a_refusal);
    tcase_add_test(t, no_other_process_sends_what_is_under_way);
    tcase_add_test(t, a_journal_of_before_is_brought_up);
    tcase_add_test(t, an_order_of_before_is_kept_without_a_statement);
    tcase_add_test(t, a_statement_is_kept_for_good);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
