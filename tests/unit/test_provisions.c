/* Sessions in the payer's journal: which is wanted, which open, and the place of the next voucher,
 * whatever became of those before. */
#include "unit.h"

#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

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

/* Keeps a voucher, within the transaction that its numbers were found in. */
static enum tp_err sign(struct kept_order *o, struct journal *at, const struct provision *p,
                        const char *contract, int64_t sum, int64_t number)
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
    enum tp_err r;

    *o = (struct kept_order){.order = s.order,
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
    r = purse_statement_write(&jws, PURSE_VOUCHER, &s, key, &e);
    o->statement = jws;
    if (r == TP_OK)
        r = orders_add(at, o, &e);
    json_decref(o->secret);
    free(jws);
    return r;
}

/* What was bought of a contract by its voucher, and what became of that. */
static void buy(const struct provision *p, const char *contract, int64_t sum, int64_t number,
                enum kept_state state, bool taken)
{
    struct kept_order o;

    ck_ok(orders_begin(j, &e));
    ck_assert_msg(sign(&o, j, p, contract, sum, number) == TP_OK, "%s", e.text);
    ck_ok(orders_end(j, TP_OK, &e));
    o.state = state;
    o.acknowledgement = taken ? "a.b.c" : NULL;
    ck_ok(orders_update(j, &o, &e));
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

/* doc/protocol.md, The voucher: 410 is said of what was taken. The numbers go on from the
 * mediator's. */
START_TEST(what_was_given_back_counts_without_its_acknowledgement_too)
    {
        const struct provision p = begin(500);
        int64_t spent;

        buy(&p, ONE, 150, 1, KEPT_REVERSED, false);
        next_is(&p, ONE, 100, 250, 2);
        ck_ok(provisions_spent(&spent, j, &p, &e));
        ck_assert_int_eq(spent, 150);
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

/* ---- several at once ---- */

#define PAYERS 8

/* Another telepay: begins when `start` is closed, and ends with what it came to. */
static void pay_beside(const struct provision *p, int start, const char *contract, int64_t amount)
{
    struct journal *mine = NULL;
    struct voucher_place place;
    struct kept_order o;
    char none;
    enum tp_err r;

    unit_leave_check(start);
    r = journal_open(&mine, path, &e);
    if (r == TP_OK && read(start, &none, 1) != 0)
        r = TP_ERR_IO;
    if (r == TP_OK)
        r = orders_begin(mine, &e);
    if (r == TP_OK)
        r = voucher_next(&place, mine, p, contract, amount, &e);
    if (r == TP_OK)
        r = sign(&o, mine, p, contract, place.sum, place.number);
    if (mine != NULL)
        r = orders_end(mine, r, &e);
    journal_close(&mine);
    _exit((int)r);
}

/* Each buys for 100 and its number more, of one contract or each of its own: how many came to a
 * voucher, and that all others came to that error. */
static int pay_at_once(const struct provision *p, bool one_contract, enum tp_err otherwise)
{
    pid_t payers[PAYERS];
    int start[2], signed_n = 0;

    journal_close(&j); /* SQLite goes through no fork */
    ck_assert_int_eq(pipe(start), 0);
    for (int i = 0; i < PAYERS; i++) {
        char contract[16];

        snprintf(contract, sizeof(contract), "%015d", one_contract ? 123 : 123 + i);
        payers[i] = fork();
        ck_assert_int_ge(payers[i], 0);
        if (payers[i] == 0) {
            close(start[1]);
            pay_beside(p, start[0], contract, 100 + i);
        }
    }
    close(start[0]);
    close(start[1]);
    for (int i = 0; i < PAYERS; i++) {
        int status = -1;

        ck_assert_int_eq(waitpid(payers[i], &status, 0), payers[i]);
        ck_assert(WIFEXITED(status));
        signed_n += WEXITSTATUS(status) == TP_OK;
        if (WEXITSTATUS(status) != TP_OK)
            ck_assert_int_eq(WEXITSTATUS(status), otherwise);
    }
    ck_ok(journal_open(&j, path, &e));
    return signed_n;
}

static bool add_sum(void *ctx, const struct kept_order *o)
{
    struct purse_statement s = {0};

    ck_ok(purse_statement_read(&s, PURSE_VOUCHER, o->statement, &e));
    *(int64_t *)ctx += strtoll(s.sum, NULL, 10);
    purse_statement_free(&s);
    return true;
}

START_TEST(no_number_of_a_voucher_is_signed_twice)
    {
        const struct provision p = begin(5000);

        ck_assert_int_eq(pay_at_once(&p, true, TP_ERR_STATE), 1);
    }
END_TEST

START_TEST(no_more_is_signed_than_is_reserved)
    {
        const struct provision p = begin(450); /* 4 of 100 to 107 */
        int64_t sum = 0;

        ck_assert_int_eq(pay_at_once(&p, false, TP_ERR_RANGE), 4);
        ck_ok(orders_of_session(j, p.session, add_sum, &sum, &e));
        ck_assert_int_ge(sum, 406);
        ck_assert_int_le(sum, 450);
    }
END_TEST

START_TEST(what_is_not_kept_is_not_signed_either)
    {
        struct provision p = want(500), found;

        ck_ok(orders_begin(j, &e));
        p.until = NOW + 7200;
        ck_ok(provisions_sign(j, &p, &e));
        ck_assert_int_eq(orders_end(j, TP_ERR_IO, &e), TP_ERR_IO); /* the order was not kept */
        ck_ok(provisions_wanted(&found, j, BANK, &e));
        ck_assert_int_eq(found.until, 0);
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
    tcase_add_test(t, what_was_given_back_counts_without_its_acknowledgement_too);
    tcase_add_test(t, nothing_is_signed_behind_what_nobody_knows);
    tcase_add_test(t, no_number_of_a_voucher_is_signed_twice);
    tcase_add_test(t, no_more_is_signed_than_is_reserved);
    tcase_add_test(t, what_is_not_kept_is_not_signed_either);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
