/* The books of a purse against an independent model: seeded random runs of all that can happen, the
 * payments in groups that are committed or rolled back; the model is plain arrays that are searched
 * and summed from scratch. PURSE_MODEL_SEED changes the first seed. */
#include "purse_fixture.h"

#include <inttypes.h>
#include <stdio.h>

#define ACCOUNTS 5
#define OTHERS   300
#define DRAWS    300
#define HOUR     3600
#define FREE_S   (172800 + HOUR) /* after it was made: what a provision holds is free */
#define PAYMENTS 900
#define BOOKINGS 400
#define REMISES  200
#define STEPS    360
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

struct other { /* a provision, or an emptying */
    bool provision, ok;
    unsigned account;
    int64_t counter, amount;
    time_t at;
    char word[32];
    bool ended, told;        /* of a provision; told: by its mediator */
    int64_t drawn, total[2]; /* … of each contract */
    bool paid_out;           /* of an emptying */
};

struct draw {
    unsigned account, contract;
    int64_t amount;
    size_t remise;
};

struct model {
    struct paid payment[PAYMENTS];
    size_t n;
    struct other other[OTHERS];
    size_t others;
    struct draw draw[DRAWS];
    size_t draws;
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
    for (size_t i = 0; i < m->draws; i++)
        if (m->draw[i].account == account)
            sum -= m->draw[i].amount;
    for (size_t i = 0; i < m->others; i++)
        if (m->other[i].account == account && !m->other[i].provision && m->other[i].ok)
            sum -= m->other[i].amount;
    return sum;
}

static int64_t reserved(const struct model *m, unsigned account)
{
    int64_t sum = 0;

    for (size_t i = 0; i < m->others; i++) {
        const struct other *o = &m->other[i];

        if (o->account == account && o->provision && o->ok && !o->ended)
            sum += o->amount - o->drawn;
    }
    return sum;
}

static int64_t available(const struct model *m, unsigned account)
{
    return balance(m, account) - reserved(m, account);
}

static int64_t spent(const struct model *m, unsigned account, time_t now)
{
    int64_t sum = 0;

    for (size_t i = 0; i < m->n; i++)
        if (m->payment[i].account == account && m->payment[i].ok &&
            m->payment[i].at / 86400 == now / 86400)
            sum += m->payment[i].amount;
    for (size_t i = 0; i < m->others; i++)
        if (m->other[i].account == account && m->other[i].provision && m->other[i].ok &&
            m->other[i].at / 86400 == now / 86400)
            sum += m->other[i].amount;
    return sum;
}

static int64_t top(const struct model *m, unsigned account)
{
    int64_t most = 0;

    for (size_t i = 0; i < m->n; i++)
        if (m->payment[i].account == account && m->payment[i].counter > most)
            most = m->payment[i].counter;
    for (size_t i = 0; i < m->others; i++)
        if (m->other[i].account == account && m->other[i].counter > most)
            most = m->other[i].counter;
    return most;
}

static bool is_counted(const struct model *m, unsigned account, int64_t counter)
{
    for (size_t i = 0; i < m->others; i++)
        if (m->other[i].account == account && m->other[i].counter == counter)
            return true;
    return false;
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
    for (size_t i = 0; i < m->others; i++)
        n += m->other[i].account == account && !m->other[i].ok &&
             m->other[i].at / 86400 == now / 86400;
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
    return available(m, p->account) < p->amount ? "51 BALANCE" : "00 ";
}

static const char *expected(const struct model *m, const struct paid *p)
{
    const struct paid *before = by_counter(m, p->account, p->counter);
    const char *word = decided(m, p);

    if (before != NULL)
        return before->order == p->order && before->amount == p->amount ? before->word
                                                                        : "94 COUNTER_USED";
    if (is_counted(m, p->account, p->counter))
        return "94 COUNTER_USED";
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

/* ---- what an account sends out and provides ---- */

static struct other choose_other(struct run *r, bool provision)
{
    struct other o = {.provision = provision, .account = pick(r, ACCOUNTS), .at = r->now};

    o.counter = top(&r->m, o.account) + 2 - (int64_t)pick(r, pick(r, 8) == 0 ? 80 : 4);
    o.counter = o.counter < 1 ? 1 : o.counter;
    o.amount = 1 + pick(r, pick(r, 10) == 0 ? 45000 : 5000);
    return o;
}

static int waiting(const struct model *m, unsigned account)
{
    int n = 0;

    for (size_t i = 0; i < m->others; i++) {
        const struct other *o = &m->other[i];

        n += o->account == account && !o->provision && o->ok && !o->paid_out;
    }
    return n;
}

static const char *expected_of(const struct model *m, const struct other *o)
{
    const char *word;

    if (is_counted(m, o->account, o->counter) || by_counter(m, o->account, o->counter) != NULL)
        return "94 COUNTER_USED";
    if (o->counter + 64 <= top(m, o->account))
        return "94 COUNTER_OLD";
    if (m->state[o->account] == ACCOUNT_STOPPED)
        word = "62 STOPPED";
    else if (!o->provision && waiting(m, o->account) >= EMPTYINGS_MAX)
        return "61 LIMIT_EMPTYINGS";
    else if (o->provision && spent(m, o->account, o->at) + o->amount > LIMIT_DAY)
        word = "61 LIMIT_DAY";
    else
        word = o->amount > available(m, o->account) ? "51 BALANCE" : "00 ";
    return word[0] == '0' || may_be_refused(m, o->account, o->at) ? word : "91 REFUSALS";
}

static void session_of(char out[BOOK_ORDER], size_t n)
{
    snprintf(out, BOOK_ORDER, "%s", "aaaaaaaaaaaaaaaaaaaaaaaaaa");
    for (size_t i = BOOK_ORDER - 2; n > 0; i--, n /= 26)
        out[i] = (char)('a' + n % 26);
}

static const char *provides(struct run *r, const struct payment *p, size_t n, time_t until)
{
    static char said[48];
    struct provision v = {.by = *p, .until = until};
    struct token t = {.payload = NULL};
    const char *reason;
    char *jws = NULL;

    session_of(v.session, n);
    ck_ok(book_begin(r->f.book, &r->f.e));
    ck_assert_msg(desk_provide(&r->f.desk, &v, r->now, &jws, &r->f.e) == TP_OK, "%s", r->f.e.text);
    ck_ok(book_commit(r->f.book, &r->f.e));
    if (jws == NULL)
        return NULL;
    ck_ok(token_read(&t, jws, "telepay-purse-provision-acknowledgement", &r->f.e));
    reason = json_string_value(json_object_get(t.payload, "reason"));
    snprintf(said, sizeof(said), "%s %s", json_string_value(json_object_get(t.payload, "code")),
             reason != NULL ? reason : "");
    token_free(&t);
    free(jws);
    return said;
}

static void other(struct run *r, bool provision)
{
    const struct other o = choose_other(r, provision);
    const struct payment p = fixture_payment(o.account, o.counter, 0, o.amount);
    const char *word = expected_of(&r->m, &o);
    const bool kept = strncmp(word, "94", 2) != 0 && strncmp(word, "91", 2) != 0 &&
                      strcmp(word, "61 LIMIT_EMPTYINGS") != 0;
    const char *said;

    if (r->m.others == OTHERS)
        return;
    said =
        provision ? provides(r, &p, r->m.others, r->now + HOUR) : fixture_empty(&r->f, &p, r->now);
    if (provision && !kept)
        ck_assert_ptr_null(said);
    else
        ck_assert_str_eq(said, word);
    if (!kept)
        return;
    r->m.other[r->m.others] = o;
    r->m.other[r->m.others].ok = word[0] == '0';
    r->m.others++;
}

/* A session is presented, for more, as much or less than before; or it is said to be over. */
static const char *expected_draw(const struct run *r, const struct other *o, unsigned contract,
                                 int64_t sum)
{
    const int64_t more = sum - o->total[contract];

    if (more == 0)
        return "00 ";
    if (more < 0)
        return "94 SUM";
    if (o->told)
        return "12 SESSION_ENDED";
    return more > o->amount - o->drawn || (o->ended && more > available(&r->m, o->account))
               ? "61 PROVISION"
               : "00 ";
}

static void draw(struct run *r, struct other *o, size_t n)
{
    const unsigned contract = pick(r, 2);
    const int64_t sum = o->total[contract] + (int64_t)pick(r, 900) - (pick(r, 6) == 0 ? 500 : 0);
    const char *word = expected_draw(r, o, contract, sum);
    char text[24], session[BOOK_ORDER], said[48];
    const struct payment p = fixture_payment(o->account, 1, 0, 1);
    const struct purse_statement v = {.account = p.account,
                                      .session = session,
                                      .contract = contracts[contract],
                                      .currency = "eur",
                                      .sum = text};
    struct purse_statement by = v;
    struct purse_token t = {
        .session = session, .contract = contracts[contract], .currency = "eur", .sum = text};
    struct payment_answer a;

    if (sum < 1 || r->m.draws == DRAWS)
        return;
    memcpy(by.key, p.key, sizeof(by.key));
    snprintf(t.signer, sizeof(t.signer), MEDIATOR);
    snprintf(text, sizeof(text), "%" PRId64, sum);
    session_of(session, n);
    ck_ok(book_begin(r->f.book, &r->f.e));
    ck_assert_msg(desk_present(&r->f.desk, &t, &by, "demand", r->now, &a, &r->f.e) == TP_OK, "%s",
                  r->f.e.text);
    ck_ok(book_commit(r->f.book, &r->f.e));
    snprintf(said, sizeof(said), "%s %s", a.code, a.reason);
    ck_assert_str_eq(said, word);
    payment_answer_free(&a);
    if (word[0] != '0' || sum == o->total[contract])
        return;
    r->m.draw[r->m.draws++] =
        (struct draw){o->account, contract, sum - o->total[contract], r->m.remise[contract]};
    o->drawn += sum - o->total[contract];
    o->total[contract] = sum;
}

static void finish(struct run *r, struct other *o, size_t n)
{
    char session[BOOK_ORDER];
    struct purse_token t = {.session = session};
    struct payment_answer a;

    session_of(session, n);
    snprintf(t.signer, sizeof(t.signer), MEDIATOR);
    ck_ok(book_begin(r->f.book, &r->f.e));
    ck_ok(desk_end(&r->f.desk, &t, "demand", r->now, &a, &r->f.e));
    ck_ok(book_commit(r->f.book, &r->f.e));
    ck_assert_str_eq(a.code, "00");
    payment_answer_free(&a);
    o->ended = o->told = true;
}

static void present(struct run *r)
{
    const size_t from = r->m.others > 0 ? pick(r, (uint32_t)r->m.others) : 0;

    for (size_t i = 0; i < r->m.others; i++) {
        const size_t n = (from + i) % r->m.others;
        struct other *o = &r->m.other[n];

        if (!o->provision || !o->ok)
            continue;
        if (pick(r, 8) == 0)
            finish(r, o, n);
        else
            draw(r, o, n);
        return;
    }
}

static void release(struct run *r)
{
    int64_t n = 0, freed = 0;

    for (size_t i = 0; i < r->m.others; i++) {
        struct other *o = &r->m.other[i];

        if (o->provision && o->ok && !o->ended && o->at + FREE_S <= r->now) {
            o->ended = true;
            freed++;
        }
    }
    ck_ok(book_begin(r->f.book, &r->f.e));
    ck_ok(book_release(r->f.book, r->now, &n, &r->f.e));
    ck_ok(book_commit(r->f.book, &r->f.e));
    ck_assert_int_eq(n, freed);
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
    const int64_t amount = 1 + pick(r, 30000);
    const bool may = back ? amount <= available(&r->m, account)
                          : balance(&r->m, account) + amount <= LIMIT_BALANCE;
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
    for (size_t i = 0; i < r->m.draws; i++)
        if (r->m.draw[i].contract == c && r->m.draw[i].remise == r->m.remise[c]) {
            sum += r->m.draw[i].amount;
            n++;
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
    for (size_t i = 0; i < m->draws; i++)
        if (m->draw[i].contract == contract && m->draw[i].remise == remise)
            sum += m->draw[i].amount;
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
    for (size_t i = 0; i < r->m.others; i++) {
        struct other *o = &r->m.other[i];

        any = any || (!o->provision && o->ok && !o->paid_out);
        o->paid_out = !o->provision && o->ok;
    }
    ck_assert_int_eq(book_payout_make(r->f.book, EUR, r->now, &payout, &r->f.e),
                     any ? TP_OK : TP_ERR_NOT_FOUND);
}

static void step(struct run *r)
{
    const uint32_t what = pick(r, 100);

    if (what < 30)
        group(r);
    else if (what < 35)
        give_back(r);
    else if (what < 46)
        other(r, true);
    else if (what < 51)
        other(r, false);
    else if (what < 62)
        present(r);
    else if (what < 64)
        release(r);
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
        ck_assert_int_eq(a.reserved, reserved(&r->m, i));
        wanted.reserved += reserved(&r->m, i);
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
    for (size_t i = 0; i < r->m.draws; i++) {
        const struct draw *d = &r->m.draw[i];

        *(r->m.paid_out[d->contract][d->remise] ? &wanted.paid_out : &wanted.owed) += d->amount;
    }
    for (size_t i = 0; i < r->m.others; i++) {
        const struct other *o = &r->m.other[i];

        if (!o->provision && o->ok)
            *(o->paid_out ? &wanted.paid_out : &wanted.owed) += o->amount;
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
        ck_assert_uint_gt(r->m.others, 10);
        ck_assert_uint_gt(r->m.draws, 0);
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
