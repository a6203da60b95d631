/* The plan of payment: its file, what it lets be paid, and unasked; the sums of a session; users.
 */
#include "unit.h"

#include <stdio.h>

#include "payer/session.h"
#include "payer/user.h"

#define NOW 1790000000

static char folder[64];
static struct tp_error e;

static void make_folder(void)
{
    strcpy(folder, "/tmp/test_plan.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    unsetenv("TELEPAY_USER");
}

static void remove_folder(void)
{
    char command[128];

    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    ck_assert_int_eq(system(command), 0);
}

static struct plan_limit limit(const char *text)
{
    struct plan_limit l = {0};

    if (text != NULL)
        ck_assert_msg(plan_limit_parse(&l, "limit", text, &e) == TP_OK, "%s", e.text);
    return l;
}

static void write_plan(const char *text)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/plan.ini", folder);
    FILE *f = fopen(path, "w");

    ck_assert_ptr_nonnull(f);
    ck_assert_int_ge(fputs(text, f), 0);
    ck_assert_int_eq(fclose(f), 0);
}

START_TEST(limits_are_amounts_with_their_currency)
    {
        struct plan_limit l;
        char text[PLAN_LIMIT_TEXT];

        l = limit("20.00 EUR");
        ck_assert_int_eq(l.amount, 2000);
        ck_assert_str_eq(plan_limit_shown(text, &l), "20.00 EUR");
        l = limit("300 JPY");
        ck_assert_int_eq(l.amount, 300);
        l = limit(NULL);
        ck_assert_str_eq(plan_limit_shown(text, &l), "");
        static const char *const wrong[] = {"",          "20.00",    "EUR",       "20.00 XYZ",
                                            "-1.00 EUR", "0.00 EUR", "1.234 EUR", "1 EUR EUR"};

        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
            ck_assert_int_eq(plan_limit_parse(&l, "--up-to", wrong[i], &e), TP_ERR_USAGE);
            ck_assert_msg(strstr(e.text, "--up-to") != NULL, "%s", e.text);
        }
    }
END_TEST

START_TEST(a_plan_is_kept_in_its_order)
    {
        struct plan p, back;
        struct plan_means *row;

        ck_ok(plan_load(&p, folder, &e)); /* none is kept: the device's means, without limits */
        ck_assert_uint_eq(p.n, 2);
        ck_assert_str_eq(p.means[0].name, "emv");
        ck_assert_str_eq(p.means[1].name, "purse");
        ck_assert_ptr_null(p.means[0].up_to.currency);
        ck_assert_ptr_null(p.means[0].unasked.currency);
        ck_assert_int_eq(plan_take(&row, &p, "shells", &e), TP_ERR_USAGE);
        ck_ok(plan_take(&row, &p, "emv", &e));
        row->up_to = limit("20.00 EUR");
        row->unasked = limit("0.50 EUR");
        row->summed = limit("5.00 EUR");
        p.means[1].up_to = limit("3 USD");
        plan_put_first(&p, "purse");
        ck_ok(plan_store(&p, folder, &e));
        ck_ok(plan_load(&back, folder, &e));
        ck_assert_uint_eq(back.n, 2);
        ck_assert_str_eq(back.means[0].name, "purse");
        ck_assert_int_eq(back.means[0].up_to.amount, 300);
        ck_assert_ptr_null(back.means[0].unasked.currency);
        ck_assert_int_eq(plan_find(&back, "emv")->up_to.amount, 2000);
        ck_assert_int_eq(plan_find(&back, "emv")->unasked.amount, 50);
        ck_assert_int_eq(plan_find(&back, "emv")->summed.amount, 500);
        plan_drop(&back, "purse");
        plan_drop(&back, "emv");
        plan_drop(&back, "emv");
        ck_ok(plan_store(&back, folder, &e)); /* by nothing */
        ck_ok(plan_load(&back, folder, &e));
        ck_assert_uint_eq(back.n, 0);
    }
END_TEST

static const char nine_means[] =
    "[a]\nmeans = yes\n[b]\nmeans = yes\n[c]\nmeans = yes\n[d]\nmeans = yes\n[e]\nmeans = yes\n"
    "[f]\nmeans = yes\n[g]\nmeans = yes\n[h]\nmeans = yes\n[i]\nmeans = yes\n";

START_TEST(a_plan_that_cannot_be_read_pays_nothing)
    {
        static const char *const wrong[] = {
            "[emv]\nmeans = no\n",
            "[emv]\nmeans = yes\nup_to = 20.00\n",
            "[emv]\nmeans = yes\nup_to =\n",
            "[emv]\nmeans = yes\nunasked = 1.00 EURO\n",
            "[emv]\nmeans = yes\nunasked_session = much\n",
            "[a-name-that-is-far-too-long]\nmeans = yes\n",
            "emv\n",
            nine_means,
        };
        struct plan p;

        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
            write_plan(wrong[i]);
            ck_assert_msg(plan_load(&p, folder, &e) != TP_OK, "%s", wrong[i]);
        }
    }
END_TEST

static const struct decision {
    const char *up_to, *unasked, *summed; /* of the plan */
    const char *given;                    /* of the command line */
    const char *amount, *before;          /* of the order, and of the session; before NULL: none */
    bool allowed, unasked_then;
    const char *why; /* it is asked */
} decisions[] = {
    {NULL, NULL, NULL, NULL, "12.50 EUR", NULL, true, false, ""},
    {"20.00 EUR", NULL, NULL, NULL, "20.00 EUR", NULL, true, false, ""},
    {"20.00 EUR", NULL, NULL, NULL, "20.01 EUR", NULL, false, false, ""},
    {"20.00 EUR", NULL, NULL, NULL, "1.00 USD", NULL, false, false, ""}, /* none is worth another */
    {NULL, NULL, NULL, "5.00 EUR", "5.00 EUR", NULL, true, true, ""},
    {NULL, NULL, NULL, "5.00 EUR", "5.01 EUR", NULL, true, false,
     "asked, since --up-to says 5.00 EUR"},
    {NULL, NULL, NULL, "5.00 EUR", "5.00 USD", NULL, true, false,
     "asked, since --up-to says 5.00 EUR"},
    {NULL, "0.50 EUR", "5.00 EUR", NULL, "0.50 EUR", NULL, true, true, ""},
    {NULL, "0.50 EUR", "5.00 EUR", NULL, "0.51 EUR", NULL, true, false,
     "asked, since the plan pays 0.50 EUR unasked and no more"},
    {NULL, "0.50 EUR", "5.00 EUR", NULL, "0.50 USD", NULL, true, false,
     "asked, since the plan pays 0.50 EUR unasked and no more"},
    {NULL, "0.50 EUR", "5.00 EUR", NULL, "0.50 EUR", "4.50 EUR", true, true, ""},
    {NULL, "0.50 EUR", "5.00 EUR", NULL, "0.50 EUR", "4.51 EUR", true, false,
     "asked, since the plan pays 5.00 EUR unasked in a session, and 4.51 EUR of it went already"},
    {NULL, "0.50 EUR", NULL, NULL, "0.50 EUR", "900.00 EUR", true, true, ""},
    /* the command line lowers what the plan says, and raises nothing */
    {NULL, "0.50 EUR", "5.00 EUR", "9.00 EUR", "0.60 EUR", NULL, true, false,
     "asked, since the plan pays 0.50 EUR unasked and no more"},
    {NULL, "0.50 EUR", "5.00 EUR", "0.10 EUR", "0.20 EUR", NULL, true, false,
     "asked, since --up-to says 0.10 EUR"},
    {NULL, "0.50 EUR", "5.00 EUR", "0.10 EUR", "0.10 EUR", NULL, true, true, ""},
    {NULL, "0.50 EUR", "5.00 EUR", "0.10 EUR", "0.10 EUR", "5.00 EUR", true, false,
     "asked, since the plan pays 5.00 EUR unasked in a session, and 5.00 EUR of it went already"},
    {NULL, "0.50 EUR", "5.00 EUR", "9.00 USD", "0.10 EUR", NULL, true, false,
     "asked, since --up-to says 9.00 USD"},
    {"0.30 EUR", "0.50 EUR", "5.00 EUR", "9.00 EUR", "0.40 EUR", NULL, false, true, ""},
};

START_TEST(what_is_paid_and_what_unasked)
    {
        const struct decision *d = &decisions[_i];
        const struct plan_limit amount = limit(d->amount), given = limit(d->given);
        struct plan p = {.n = 1};
        char why[PLAN_WHY];
        enum tp_err r;

        p.means[0] =
            (struct plan_means){"emv", limit(d->up_to), limit(d->unasked), limit(d->summed)};
        r = plan_allows(&p, "emv", amount.amount, amount.currency, &e);
        ck_assert_int_eq(r, d->allowed ? TP_OK : TP_ERR_CANCELLED);
        ck_assert(d->allowed || strstr(e.text, "your plan pays by emv up to ") != NULL);
        ck_assert_int_eq(plan_unasked(&p.means[0], &given, amount.amount, amount.currency,
                                      limit(d->before).amount),
                         d->unasked_then);
        ck_assert_str_eq(plan_asks_why(why, &p.means[0], &given, amount.amount, amount.currency,
                                       limit(d->before).amount),
                         d->why);
        ck_assert_int_eq(plan_allows(&p, "purse", amount.amount, amount.currency, &e),
                         TP_ERR_CANCELLED);
        ck_assert_ptr_nonnull(strstr(e.text, "purse, which is not in your plan"));
        ck_assert(!plan_unasked(NULL, &given, amount.amount, amount.currency, 0));
    }
END_TEST

/* ---- session ---- */

static struct journal *open_journal(void)
{
    struct journal *j;
    char path[128];

    snprintf(path, sizeof(path), "%s/journal.db", folder);
    ck_assert_msg(journal_open(&j, path, &e) == TP_OK, "%s", e.text);
    return j;
}

static void pay(struct journal *j, time_t at, const char *means, int64_t amount, unsigned currency,
                enum kept_state state)
{
    char challenge[64];
    struct kept_order o = {.order = "abcdefghijklmnopqrstuvwxyz",
                           .origin = "https://m.example",
                           .method = "GET",
                           .url = "https://m.example/s/a",
                           .item = "Article",
                           .authority = "aa",
                           .challenge = challenge,
                           .ticket = {.state = PAYMENT_SIGNED,
                                      .date = 20261123,
                                      .amount = amount,
                                      .currency = (uint16_t)currency,
                                      .atc = 1},
                           .made = at,
                           .secret = json_pack("{s:s}", "credential", "a")};

    snprintf(challenge, sizeof(challenge), "{\"id\":\"a\",\"method\":\"%s\"}", means);
    ck_ok(orders_begin(j, &e));
    ck_assert_msg(orders_add(j, &o, &e) == TP_OK, "%s", e.text);
    ck_ok(orders_end(j, TP_OK, &e));
    o.state = state;
    ck_ok(orders_update(j, &o, &e));
    json_decref(o.secret);
}

START_TEST(a_session_is_summed_by_means_and_currency)
    {
        struct journal *j = open_journal();
        struct session s;
        struct plan p;

        write_plan("[emv]\nmeans = yes\nunasked = 0.50 EUR\nunasked_session = 5.00 EUR\n");
        ck_ok(plan_load(&p, folder, &e));
        ck_ok(session_read(&s, j, folder, &p, NOW, &e));
        ck_assert(s.n == 0 && s.began == 0);
        pay(j, NOW - 30000, "emv", 9900, 978, KEPT_ACKNOWLEDGED); /* before hours of silence */
        pay(j, NOW - 9000, "emv", 1250, 978, KEPT_ACKNOWLEDGED);
        pay(j, NOW - 8000, "emv", 50, 978, KEPT_ACKNOWLEDGED);
        pay(j, NOW - 7000, "emv", 40, 978, KEPT_SUBMITTING);
        pay(j, NOW - 6000, "emv", 30, 978, KEPT_REFUSED); /* nothing was consumed */
        pay(j, NOW - 6000, "emv", 30, 978, KEPT_REVERSED);
        pay(j, NOW - 6000, "emv", 30, 978, KEPT_REVERSING);
        pay(j, NOW - 6000, "emv", 30, 978, KEPT_LOST);
        pay(j, NOW - 5000, "purse", 20, 978, KEPT_ACKNOWLEDGED);
        pay(j, NOW - 4000, "emv", 20, 840, KEPT_COMPLETING);
        ck_ok(session_read(&s, j, folder, &p, NOW, &e));
        ck_assert_int_eq(s.began, NOW - 9000);
        ck_assert_uint_eq(s.n, 3); /* the newest first */
        ck_assert_int_eq(s.sums[0].currency, 840);
        ck_assert_int_eq(s.sums[0].under_way, 20);
        ck_assert_str_eq(s.sums[1].means, "purse");
        ck_assert_int_eq(s.sums[1].paid, 20);
        ck_assert_int_eq(s.sums[2].orders, 3);
        ck_assert_int_eq(s.sums[2].paid, 1300);
        ck_assert_int_eq(s.sums[2].under_way, 40);
        ck_assert_int_eq(session_small(&s, "emv", 978), 90);
        ck_assert_int_eq(session_small(&s, "emv", 840), 0); /* another currency than the plan's */
        ck_assert_int_eq(session_small(&s, "purse", 978), 0);
        ck_assert_int_eq(session_small(&s, "purse", 392), 0);
        journal_close(&j);
    }
END_TEST

START_TEST(a_session_begins_after_silence_or_when_its_user_says)
    {
        struct journal *j = open_journal();
        struct session s;
        struct plan p = {0};

        pay(j, NOW, "emv", 100, 978, KEPT_ACKNOWLEDGED);
        ck_ok(session_read(&s, j, folder, &p, NOW + SESSION_SILENCE_S - 1, &e));
        ck_assert_uint_eq(s.n, 1);
        ck_ok(session_read(&s, j, folder, &p, NOW + SESSION_SILENCE_S, &e));
        ck_assert(s.n == 0 && s.began == 0);
        ck_ok(session_begin(folder, NOW + 100, &e));
        ck_ok(session_read(&s, j, folder, &p, NOW + 200, &e));
        ck_assert_uint_eq(s.n, 0);
        ck_assert_int_eq(s.began, NOW + 100);
        pay(j, NOW + 300, "emv", 200, 978, KEPT_ACKNOWLEDGED);
        ck_ok(session_read(&s, j, folder, &p, NOW + 400, &e));
        ck_assert_int_eq(s.sums[0].paid, 200);
        ck_assert_int_eq(s.began, NOW + 100);
        ck_ok(session_read(&s, j, folder, &p, NOW + 300 + SESSION_SILENCE_S, &e));
        ck_assert(s.n == 0 && s.began == 0);
        journal_close(&j);
    }
END_TEST

START_TEST(a_beginning_that_is_none_is_told)
    {
        struct journal *j = open_journal();
        struct session s;
        struct plan p = {0};
        char path[128];

        snprintf(path, sizeof(path), "%s/session", folder);
        FILE *f = fopen(path, "w");

        ck_assert_ptr_nonnull(f);
        fputs("yesterday", f);
        fclose(f);
        ck_assert_int_eq(session_read(&s, j, folder, &p, NOW, &e), TP_ERR_FORMAT);
        ck_assert_ptr_nonnull(strstr(e.text, "telepay session begin"));
        journal_close(&j);
    }
END_TEST

/* ---- users ---- */

START_TEST(users_have_folders_of_their_own)
    {
        struct users all;
        char path[PATH_MAX], name[USER_NAME];

        ck_ok(user_folder(path, folder, NULL, &e));
        ck_assert_str_eq(path, folder);
        ck_ok(user_add(folder, "paul", &e));
        ck_ok(user_add(folder, "marie", &e));
        ck_assert_int_eq(user_add(folder, "marie", &e), TP_ERR_EXISTS);
        ck_ok(users_list(&all, folder, &e));
        ck_assert_uint_eq(all.n, 2);
        ck_assert_str_eq(all.name[0], "marie");
        ck_assert_int_eq(user_folder(path, folder, NULL, &e), TP_ERR_USAGE);
        ck_assert_ptr_nonnull(strstr(e.text, "default, marie, paul"));
        ck_ok(user_folder(path, folder, "marie", &e));
        ck_assert_ptr_nonnull(strstr(path, "/users/marie"));
        setenv("TELEPAY_USER", "paul", 1);
        ck_ok(user_name(name, folder, NULL, &e));
        ck_assert_str_eq(name, "paul");
        ck_ok(user_name(name, folder, "marie", &e));
        ck_assert_str_eq(name, "marie");
        ck_ok(user_folder(path, folder, USER_DEFAULT, &e));
        ck_assert_str_eq(path, folder);
        ck_assert_int_eq(user_name(name, folder, "nobody", &e), TP_ERR_USAGE);
        ck_ok(user_remove(folder, "marie", &e));
        ck_assert_int_eq(user_remove(folder, "marie", &e), TP_ERR_USAGE);
        ck_ok(users_list(&all, folder, &e));
        ck_assert_uint_eq(all.n, 1);
    }
END_TEST

START_TEST(a_name_leads_nowhere_else)
    {
        static const char *const wrong[] = {
            "",   ".", "..",  "../a",    "a/b", ".a",
            "-a", "A", "a b", "default", "a\n", "a-name-of-more-than-32-characters"};
        char name[USER_NAME];

        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
            ck_assert_int_eq(user_add(folder, wrong[i], &e), TP_ERR_USAGE);
            ck_assert_int_eq(user_remove(folder, wrong[i], &e), TP_ERR_USAGE);
            if (wrong[i][0] != '\0' && strcmp(wrong[i], USER_DEFAULT) != 0)
                ck_assert_int_eq(user_name(name, folder, wrong[i], &e), TP_ERR_USAGE);
        }
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("plan");
    TCase *t = tcase_create("plan");

    tcase_add_checked_fixture(t, make_folder, remove_folder);
    tcase_add_test(t, limits_are_amounts_with_their_currency);
    tcase_add_test(t, a_plan_is_kept_in_its_order);
    tcase_add_test(t, a_plan_that_cannot_be_read_pays_nothing);
    tcase_add_loop_test(t, what_is_paid_and_what_unasked, 0,
                        sizeof(decisions) / sizeof(decisions[0]));
    tcase_add_test(t, a_session_is_summed_by_means_and_currency);
    tcase_add_test(t, a_session_begins_after_silence_or_when_its_user_says);
    tcase_add_test(t, a_beginning_that_is_none_is_told);
    tcase_add_test(t, users_have_folders_of_their_own);
    tcase_add_test(t, a_name_leads_nowhere_else);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
