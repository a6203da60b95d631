/* The books of a purse against an independent model: seeded random runs of all that can happen, the
 * payments in groups that are committed or rolled back; the model is plain arrays that are searched
 * and summed from scratch. PURSE_MODEL_SEED changes the first seed. */
#include "purse_fixture.h"

#include <stdio.h>

#define ACCOUNTS 5
#define PAYMENTS 900
#define BOOKINGS 400
#define REMISES  200
#define STEPS    160
#define RUNS     6
#define GROUP    10

struct paid {
    unsigned account, order, contract;
    int64_t counter, amount;
    time_t at;
    bool ok, back; /* given back */
    size_t remise; /* of its contract, from 0 */
    char word[32];
};

struct model {
    struct paid payment[PAYMENTS];
    size_t n;
    int64_t filled[ACCOUNTS], given[ACCOUNTS];
    enum account_state state[ACCOUNTS];
    bool shut[2];
    size_t remise[2]; /* the open one of each contract */
    bool paid_out[2][REMISES];
};

struct run {
    struct purse_fixture f;
    struct model m, saved;
    char account[ACCOUNTS][PURSE_ACCOUNT];
    uint64_t random;
    unsigned order, reference;
    time_t now;
};

static const char *const contracts[] = {CONTRACT, OTHER_CONTRACT};

static uint32_t pick(struct run *r, uint32_t n)
{
    r->random ^= r->random << 13; /* xorshift64 */
    r->random ^= r->random >> 7;
    r->random ^= r->random << 17;
    return (uint32_t)(r->random >> 20) % n;
}

/* ---- the model ---- */

static int64_t balance(const struct model *m, unsigned account)
{
    int64_t sum = m->filled[account] - m->given[account];

    for (size_t i = 0; i < m->n; i++)
        if (m->payment[i].account == account && m->payment[i].ok && !m->payment[i].back)
            sum -= m->payment[i].amount;
    return sum;
}

static int64_t spent(const struct model *m, unsigned account, time_t now)
{
    int64_t sum = 0;

    for (size_t i = 0; i < m->n; i++)
        if (m->payment[i].account == account && m->payment[i].ok &&
            m->payment[i].at / 86400 == now / 86400)
            sum += m->payment[i].amount;
    return sum;
}

static int64_t top(const struct model *m, unsigned account)
{
    int64_t most = 0;

    for (size_t i = 0; i < m->n; i++)
        if (m->payment[i].account == account && m->payment[i].counter > most)
            most = m->payment[i].counter;
    return most;
}

static const struct paid *by_counter(const struct model *m, unsigned account, int64_t counter)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->payment[i].account == account && m->payment[i].counter == counter)
            return &m->payment[i];
    return NULL;
}

static bool is_paid(const struct model *m, unsigned order)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->payment[i].order == order && m->payment[i].ok)
            return true;
    return false;
}

static bool may_be_refused(const struct model *m, unsigned account, time_t now)
{
    unsigned n = 0;

    for (size_t i = 0; i < m->n; i++)
        n += m->payment[i].account == account && !m->payment[i].ok &&
             m->payment[i].at / 86400 == now / 86400;
    return n < (m->filled[account] > 0 ? 1000 : 10);
}

static const char *decided(const struct model *m, const struct paid *p)
{
    if (m->shut[p->contract])
        return "03 CONTRACT";
    if (is_paid(m, p->order))
        return "94 ORDER_USED";
    if (m->state[p->account] == ACCOUNT_STOPPED)
        return "62 STOPPED";
    if (p->amount > LIMIT_PAYMENT)
        return "61 LIMIT_PAYMENT";
    if (spent(m, p->account, p->at) + p->amount > LIMIT_DAY)
        return "61 LIMIT_DAY";
    return balance(m, p->account) < p->amount ? "51 BALANCE" : "00 ";
}

static const char *expected(const struct model *m, const struct paid *p)
{
    const struct paid *before = by_counter(m, p->account, p->counter);
    const char *word = decided(m, p);

    if (before != NULL)
        return before->order == p->order && before->amount == p->amount ? before->word
                                                                        : "94 COUNTER_USED";
    if (p->counter + 64 <= top(m, p->account))
        return "94 COUNTER_OLD";
    return word[0] == '0' && word[1] == '0'       ? word
           : may_be_refused(m, p->account, p->at) ? word
                                                  : "91 REFUSALS";
}

static void remember(struct model *m, const struct paid *p, const char *word)
{
    struct paid *new = &m->payment[m->n];

    if (by_counter(m, p->account, p->counter) != NULL || strncmp(word, "94 C", 4) == 0 ||
        strncmp(word, "91", 2) == 0)
        return;
    *new = *p;
    new->ok = word[0] == '0' && word[1] == '0';
    new->remise = m->remise[p->contract];
    snprintf(new->word, sizeof(new->word), "%s", word);
    m->n++;
}

/* ---- what happens ---- */

static struct paid choose(struct run *r)
{
    struct paid p = {.account = pick(r, ACCOUNTS), .contract = pick(r, 2), .at = r->now};

    if (r->m.n > 0 && pick(r, 6) == 0) { /* one of before again, or something that looks like it */
        p = r->m.payment[pick(r, (uint32_t)r->m.n)];
        p.at = r->now;
        p.counter += pick(r, 3) == 0;
        return p;
    }
    p.counter = top(&r->m, p.account) + 3 - (int64_t)pick(r, pick(r, 8) == 0 ? 90 : 8);
    p.counter = p.counter < 1 ? 1 : p.counter;
    p.order = pick(r, 12) == 0 && r->order > 1 ? r->order - 1 : r->order++;
    p.amount = 1 + pick(r, pick(r, 10) == 0 ? 20000 : 4000);
    return p;
}

static void pay(struct run *r)
{
    const struct paid chosen = choose(r);
    struct payment p = fixture_payment(chosen.account, chosen.counter, chosen.order, chosen.amount);
    struct payment_answer a;
    char word[32], said[32];

    snprintf(p.contract, sizeof(p.contract), "%s", contracts[chosen.contract]);
    snprintf(word, sizeof(word), "%s", expected(&r->m, &chosen));
    ck_assert_msg(desk_pay(&r->f.desk, &p, r->now, &a, &r->f.e) == TP_OK, "%s", r->f.e.text);
    snprintf(said, sizeof(said), "%s %s", a.code, a.reason);
    ck_assert_str_eq(said, word);
    payment_answer_free(&a);
    remember(&r->m, &chosen, word);
}

/* Some payment of before is to be given back, or one that never was. */
static void give_back(struct run *r)
{
    struct paid *p = r->m.n > 0 ? &r->m.payment[pick(r, (uint32_t)r->m.n)] : NULL;
    struct payment of;
    struct purse_token t;
    char room[2][PURSE_HASH];
    const char *word;

    if (p == NULL)
        return;
    of = fixture_payment(p->account, p->counter, p->order, p->amount);
    snprintf(of.contract, sizeof(of.contract), "%s", contracts[p->contract]);
    t = fixture_reversal(&of, room);
    word = !p->ok                                  ? "12 UNKNOWN"
           : p->back                               ? "00 "
           : p->remise != r->m.remise[p->contract] ? "12 REMISE_CLOSED"
                                                   : "00 ";
    ck_assert_str_eq(fixture_reverse(&r->f, &t, r->now), word);
    p->back = p->back || strcmp(word, "00 ") == 0;
}

static void group(struct run *r)
{
    const bool back = pick(r, 5) == 0;

    r->saved = r->m;
    ck_ok(book_begin(r->f.book, &r->f.e));
    for (uint32_t n = 1 + pick(r, GROUP); n > 0 && r->m.n < PAYMENTS; n--)
        pay(r);
    if (back) {
        book_rollback(r->f.book);
        r->m = r->saved;
    } else {
        ck_ok(book_commit(r->f.book, &r->f.e));
    }
}

static void book(struct run *r)
{
    const unsigned account = pick(r, ACCOUNTS);
    const bool back = pick(r, 4) == 0;
    const int64_t amount = 1 + pick(r, 30000), there = balance(&r->m, account);
    const bool may = back ? amount <= there : there + amount <= LIMIT_BALANCE;
    char reference[BOOK_REFERENCE];

    snprintf(reference, sizeof(reference), "R%u", r->reference++);
    ck_assert_int_eq(fixture_book(&r->f, r->account[account],
                                  back ? BOOKING_GIVEN_BACK : BOOKING_FILLED, amount, reference),
                     may ? TP_OK : TP_ERR_STATE);
    if (may)
        *(back ? &r->m.given[account] : &r->m.filled[account]) += amount;
}

static void turn(struct run *r) /* an account is stopped, or opened again; a contract is shut */
{
    const unsigned account = pick(r, ACCOUNTS);
    const enum account_state next =
        r->m.state[account] == ACCOUNT_OPEN ? ACCOUNT_STOPPED : ACCOUNT_OPEN;

    ck_ok(book_account_set(r->f.book, r->account[account], next, "because", &r->f.e));
    r->m.state[account] = next;
    if (!r->m.shut[1] && pick(r, 12) == 0) {
        ck_ok(book_contract_shut(r->f.book, contracts[1], &r->f.e));
        r->m.shut[1] = true;
    }
}

static void close_day(struct run *r)
{
    const unsigned c = pick(r, 2);
    int64_t sum = 0, n = 0, back = 0;
    struct purse_remise closed;

    for (size_t i = 0; i < r->m.n; i++) {
        const struct paid *p = &r->m.payment[i];

        if (p->ok && p->contract == c && p->remise == r->m.remise[c]) {
            sum += p->back ? 0 : p->amount;
            back += p->back;
            n++;
        }
    }
    if (n == 0) {
        ck_assert_int_eq(book_remise_close(r->f.book, contracts[c], r->now, &closed, &r->f.e),
                         TP_ERR_NOT_FOUND);
        return;
    }
    ck_ok(book_remise_close(r->f.book, contracts[c], r->now, &closed, &r->f.e));
    ck_assert_int_eq(closed.number, (int64_t)r->m.remise[c] + 1);
    ck_assert_int_eq(closed.payments, n);
    ck_assert_int_eq(closed.amount, sum);
    ck_assert_int_eq(closed.reversals, back);
    r->m.remise[c]++;
}

static int64_t due(const struct model *m, unsigned contract, size_t remise)
{
    int64_t sum = 0;

    for (size_t i = 0; i < m->n; i++) {
        const struct paid *p = &m->payment[i];

        if (p->ok && !p->back && p->contract == contract && p->remise == remise)
            sum += p->amount;
    }
    return sum;
}

static void pay_out(struct run *r)
{
    bool any = false;
    int64_t payout;

    for (unsigned c = 0; c < 2; c++)
        for (size_t i = 0; i < r->m.remise[c]; i++)
            if (due(&r->m, c, i) > 0) {
                any = any || !r->m.paid_out[c][i];
                r->m.paid_out[c][i] = true;
            }
    ck_assert_int_eq(book_payout_make(r->f.book, EUR, r->now, &payout, &r->f.e),
                     any ? TP_OK : TP_ERR_NOT_FOUND);
}

static void step(struct run *r)
{
    const uint32_t what = pick(r, 100);

    if (what < 45)
        group(r);
    else if (what < 55)
        give_back(r);
    else if (what < 75)
        book(r);
    else if (what < 83)
        turn(r);
    else if (what < 91)
        close_day(r);
    else if (what < 95)
        pay_out(r);
    else
        r->now += 86400;
}

/* ---- looking ---- */

static void look(struct run *r)
{
    struct purse_sums wanted = {.accounts = ACCOUNTS}, s;
    struct account a;

    for (unsigned i = 0; i < ACCOUNTS; i++) {
        ck_ok(book_account_get(r->f.book, r->account[i], &a, &r->f.e));
        ck_assert_int_eq(a.balance, balance(&r->m, i));
        ck_assert_int_eq(a.counter, top(&r->m, i));
        wanted.filled += r->m.filled[i];
        wanted.given_back += r->m.given[i];
        wanted.balances += balance(&r->m, i);
    }
    for (size_t i = 0; i < r->m.n; i++) {
        const struct paid *p = &r->m.payment[i];

        wanted.payments += p->ok;
        if (p->ok && !p->back)
            *(r->m.paid_out[p->contract][p->remise] ? &wanted.paid_out : &wanted.owed) += p->amount;
    }
    ck_ok(book_sums(r->f.book, EUR, &s, &r->f.e));
    ck_assert_mem_eq(&s, &wanted, sizeof(s));
    ck_assert_int_eq(s.filled, s.balances + s.owed + s.paid_out + s.given_back);
}

START_TEST(books_and_model_agree)
    {
        struct run *r = calloc(1, sizeof(*r));
        const char *seed = getenv("PURSE_MODEL_SEED");

        ck_assert_ptr_nonnull(r);
        setenv("TZ", "UTC", 1);
        r->random = (seed != NULL ? strtoull(seed, NULL, 10) : UINT64_C(2750275)) * UINT64_C(1000) +
                    (unsigned)_i + UINT64_C(1);
        r->order = 1;
        r->now = NOW;
        fixture_start(&r->f);
        for (unsigned i = 0; i < ACCOUNTS; i++)
            fixture_account(&r->f, r->account[i], i, 0);
        for (int n = 0; n < STEPS; n++) {
            step(r);
            look(r);
        }
        ck_assert_uint_gt(r->m.n, 50); /* the run did something */
        ck_assert_uint_gt(r->m.remise[0] + r->m.remise[1], 2);
        fixture_end(&r->f);
        free(r);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("purse_model");
    TCase *t = tcase_create("purse_model");

    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, books_and_model_agree, 0, RUNS);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
