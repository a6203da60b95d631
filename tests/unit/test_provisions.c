/* Sessions in the payer's journal: which is wanted, which open, and the place of the next voucher,
 * whatever became of those before. */
#include "unit.h"

#include <stdio.h>
#include <time.h>

#include "payer/provisions.h"

#define BANK   "0123456789ABCDEF"
#define ORIGIN "https://m.example"
#define NOW    1790000000
#define ONE    "000000000000123"
#define TWO    "000000000000124"
#define HASH   "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"

static const uint8_t key[ED25519_KEY] = {1, 2, 3};
static char folder[64], path[128];
static struct tp_error e;
static struct journal *j;

static void open_it(void)
{
    strcpy(folder, "/tmp/test_provisions.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/journal.db", folder);
    ck_assert_msg(journal_open(&j, path, &e) == TP_OK, "%s", e.text);
}

static void close_it(void)
{
    char command[128];

    journal_close(&j);
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    ck_assert_int_eq(system(command), 0);
}

static struct provision want(int64_t amount)
{
    struct provision p = {.amount = amount, .currency = 978, .hours = 2, .made = NOW};

    strcpy(p.acquirer, BANK);
    ck_assert_msg(provisions_want(j, &p, &e) == TP_OK, "%s", e.text);
    return p;
}

static struct provision begin(int64_t amount)
{
    struct provision p = want(amount);

    strcpy(p.origin, ORIGIN);
    strcpy(p.mediator, "m");
    p.until = NOW + 7200;
    strcpy(p.statement, "e30.e30.AA");
    ck_ok(provisions_sign(j, &p, &e));
    ck_ok(provisions_set(j, p.session, PROVISION_OPEN, &e));
    return p;
}

/* What was bought of a contract by its voucher, and what became of that. */
static void buy(const struct provision *p, const char *contract, int64_t sum, int64_t number,
                enum kept_state state, bool taken)
{
    char sum_text[24], number_text[24], *jws = NULL;
    const struct purse_statement s = {.account = HASH,
                                      .session = p->session,
                                      .contract = contract,
                                      .sum = sum_text,
                                      .number = number_text,
                                      .currency = "eur",
                                      .r = HASH,
                                      .order = "abcdefghijklmnopqrstuvwxyz"};
    struct kept_order o = {.order = s.order,
                           .origin = ORIGIN,
                           .method = "GET",
                           .url = ORIGIN "/s/journal/1",
                           .item = "Article 1",
                           .authority = "aa",
                           .challenge = "{\"id\":\"one\"}",
                           .session = p->session,
                           .delivered = true,
                           .ticket = {.state = PAYMENT_SIGNED, .date = 20261123, .currency = 978},
                           .made = NOW,
                           .secret = json_pack("{s:s}", "credential", "a secret word")};

    snprintf(sum_text, sizeof(sum_text), "%lld", (long long)sum);
    snprintf(number_text, sizeof(number_text), "%lld", (long long)number);
    ck_assert_msg(purse_statement_write(&jws, PURSE_VOUCHER, &s, key, &e) == TP_OK, "%s", e.text);
    o.statement = jws;
    ck_ok(orders_add(j, &o, &e));
    o.state = state;
    o.acknowledgement = taken ? "a.b.c" : NULL;
    ck_ok(orders_update(j, &o, &e));
    json_decref(o.secret);
    free(jws);
}

START_TEST(a_session_is_wanted_once)
    {
        struct provision first = want(500), second = want(700), found;

        ck_assert_uint_eq(strlen(second.session), 26);
        ck_assert_uint_eq(strspn(second.session, "abcdefghijklmnopqrstuvwxyz234567"), 26);
        ck_assert_str_ne(first.session, second.session);
        ck_assert_ptr_nonnull(strchr("aeimquy4", second.session[25])); /* of 128 bits */
        ck_ok(provisions_wanted(&found, j, BANK, &e));
        ck_assert_str_eq(found.session, second.session);
        ck_assert_int_eq(found.amount, 700);
        ck_assert_int_eq(provisions_wanted(&found, j, "OTHER", &e), TP_ERR_NOT_FOUND);
    }
END_TEST

START_TEST(one_is_open_at_its_mediator_and_in_its_time)
    {
        struct provision p = begin(500), found;

        ck_assert_int_eq(provisions_wanted(&found, j, BANK, &e), TP_ERR_NOT_FOUND);
        ck_ok(provisions_open(&found, j, BANK, ORIGIN, NOW, &e));
        ck_assert_str_eq(found.session, p.session);
        ck_assert_str_eq(found.statement, "e30.e30.AA");
        ck_assert_int_eq(provisions_open(&found, j, BANK, ORIGIN "1", NOW, &e), TP_ERR_NOT_FOUND);
        ck_assert_int_eq(provisions_open(&found, j, "OTHER", ORIGIN, NOW, &e), TP_ERR_NOT_FOUND);
        ck_ok(provisions_open(&found, j, BANK, ORIGIN, NOW + 7200 - PROVISION_GRACE - 1, &e));
        ck_assert_int_eq(provisions_open(&found, j, BANK, ORIGIN, NOW + 7200 - PROVISION_GRACE, &e),
                         TP_ERR_NOT_FOUND);
        for (int state = PROVISION_WANTED; state <= PROVISION_ENDED; state++) {
            ck_ok(provisions_set(j, p.session, (enum provision_state)state, &e));
            ck_assert_int_eq(provisions_open(&found, j, BANK, ORIGIN, NOW, &e),
                             state == PROVISION_OPEN ? TP_OK : TP_ERR_NOT_FOUND);
        }
    }
END_TEST

static void next_is(const struct provision *p, const char *contract, int64_t amount, int64_t sum,
                    int64_t number)
{
    struct voucher_place place;

    ck_assert_msg(voucher_next(&place, j, p, contract, amount, &e) == TP_OK, "%s", e.text);
    ck_assert_int_eq(place.sum, sum);
    ck_assert_int_eq(place.number, number);
}

START_TEST(a_voucher_says_all_that_was_bought)
    {
        const struct provision p = begin(500), other = begin(900);
        struct voucher_place place;
        int64_t spent;

        next_is(&p, ONE, 150, 150, 1);
        buy(&p, ONE, 150, 1, KEPT_ACKNOWLEDGED, true);
        next_is(&p, ONE, 100, 250, 2);
        next_is(&p, TWO, 100, 100, 1);
        buy(&p, TWO, 100, 1, KEPT_ACKNOWLEDGED, true);
        buy(&p, ONE, 200, 2, KEPT_LOST, false); /* never taken: its place is free again */
        next_is(&p, ONE, 60, 210, 2);
        buy(&p, ONE, 210, 2, KEPT_REVERSED, true); /* taken, and given back: sums go on from it */
        next_is(&p, ONE, 1, 211, 3);
        ck_ok(provisions_spent(&spent, j, &p, &e));
        ck_assert_int_eq(spent, 310);
        next_is(&p, TWO, 190, 290, 2); /* to the last cent, all contracts together */
        ck_assert_int_eq(voucher_next(&place, j, &p, TWO, 191, &e), TP_ERR_RANGE);
        next_is(&other, ONE, 1, 1, 1); /* of another session */
    }
END_TEST

START_TEST(nothing_is_signed_behind_what_nobody_knows)
    {
        const struct provision p = begin(500);
        struct voucher_place place;

        buy(&p, ONE, 150, 1, KEPT_SUBMITTING, false);
        ck_assert_int_eq(voucher_next(&place, j, &p, ONE, 1, &e), TP_ERR_STATE);
        ck_assert_ptr_nonnull(strstr(e.text, "telepay order send"));
        next_is(&p, TWO, 350, 350, 1); /* it counts, as if it were taken */
        ck_assert_int_eq(voucher_next(&place, j, &p, TWO, 351, &e), TP_ERR_RANGE);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("provisions");
    TCase *t = tcase_create("provisions");

    tcase_add_checked_fixture(t, open_it, close_it);
    tcase_add_test(t, a_session_is_wanted_once);
    tcase_add_test(t, one_is_open_at_its_mediator_and_in_its_time);
    tcase_add_test(t, a_voucher_says_all_that_was_bought);
    tcase_add_test(t, nothing_is_signed_behind_what_nobody_knows);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
