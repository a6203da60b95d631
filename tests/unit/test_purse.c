/* The books of a purse: what is paid and what is refused, each with its word; counters in their
 * window; keys that follow keys; what comes in, goes back, and where it is. */
#include "purse_fixture.h"

#include <inttypes.h>
#include <stdio.h>

#include "order/acknowledgement.h"

static struct purse_fixture f;

static void start(void)
{
    fixture_start(&f);
}

static void end(void)
{
    fixture_end(&f);
}

static int64_t balance(const char *account)
{
    struct account a;

    ck_ok(book_account_get(f.book, account, &a, &f.e));
    return a.balance;
}

#define ck_pays(p, word) ck_assert_str_eq(fixture_pay(&f, (p), NOW), word)

START_TEST(verdicts_are_one_table)
    {
        for (int v = 0; v < PURSE_VERDICTS; v++) {
            const struct purse_verdict_row *row = purse_verdict_row((enum purse_verdict)v);

            ck_assert_int_eq(row->verdict, v);
            ck_assert_uint_eq(strlen(row->code), 2);
            ck_assert_uint_le(strlen(row->reason), 25);
            ck_assert(!row->final || row->status == 200 || row->status == 402);
        }
        ck_assert_int_eq(purse_verdict_row(PURSE_VERDICTS)->verdict, PURSE_FAULT);
    }
END_TEST

/* The list of doc/protocol.md, read from the document: the same answers, in the same order. */
START_TEST(verdicts_are_those_of_the_document)
    {
        const char *top = getenv("TESTS_SRCDIR");
        char path[512], line[1024], expected[64];
        bool within = false;
        int v = PURSE_MALFORMED;
        FILE *doc;

        snprintf(path, sizeof(path), "%s/../doc/protocol.md", top != NULL ? top : "tests");
        doc = fopen(path, "r");
        ck_assert_msg(doc != NULL, "%s cannot be read", path);
        while (fgets(line, sizeof(line), doc) != NULL) {
            const struct purse_verdict_row *row = purse_verdict_row((enum purse_verdict)v);

            if (line[0] == '#')
                within = strncmp(line, "### What a purse answers", 24) == 0;
            if (!within || line[0] != '|' || strpbrk(line, "0123456789") != line + 2)
                continue;
            snprintf(expected, sizeof(expected), "| %s | %s%s%s |", row->code,
                     row->reason[0] != '\0' ? "`" : "", row->reason,
                     row->reason[0] != '\0' ? "`" : "");
            if (row->reason[0] == '\0')
                snprintf(expected, sizeof(expected), "| %s | |", row->code);
            ck_assert_msg(strncmp(line, expected, strlen(expected)) == 0, "%s is not %s", line,
                          expected);
            v++;
        }
        fclose(doc);
        ck_assert_int_eq(v, PURSE_VERDICTS);
    }
END_TEST

START_TEST(balance_to_the_cent)
    {
        char account[PURSE_ACCOUNT];
        struct payment p = fixture_payment(1, 1, 1, 1001);

        fixture_account(&f, account, 1, 1000);
        ck_pays(&p, "51 BALANCE"); /* a cent short */
        p = fixture_payment(1, 2, 1, 1000);
        ck_pays(&p, "00 "); /* exactly enough */
        ck_assert_int_eq(balance(account), 0);
        p = fixture_payment(1, 3, 2, 1);
        ck_pays(&p, "51 BALANCE");
    }
END_TEST

/* The same bytes, whatever has changed; and a refusal stays one when there is money again. */
START_TEST(same_statement_same_answer)
    {
        char account[PURSE_ACCOUNT];
        struct payment paid = fixture_payment(1, 1, 1, 700),
                       short_of = fixture_payment(1, 2, 2, 700);
        struct payment_answer first, again;

        fixture_account(&f, account, 1, 1000);
        ck_ok(book_begin(f.book, &f.e));
        ck_ok(desk_pay(&f.desk, &paid, NOW, &first, &f.e));
        ck_ok(book_commit(f.book, &f.e));
        ck_pays(&short_of, "51 BALANCE");
        ck_ok(fixture_book(&f, account, BOOKING_FILLED, 5000, "MORE"));
        ck_pays(&short_of, "51 BALANCE");
        ck_ok(book_account_set(f.book, account, ACCOUNT_STOPPED, "lost", &f.e));
        ck_ok(book_contract_shut(f.book, CONTRACT, &f.e));
        ck_ok(book_mediator_shut(f.book, MEDIATOR, &f.e));
        paid.found = PURSE_ORDER_TIME;
        ck_ok(desk_pay(&f.desk, &paid, NOW + 1000000, &again, &f.e));
        ck_assert_str_eq(again.acknowledgement, first.acknowledgement);
        ck_assert_str_eq(again.number, first.number);
        ck_assert_str_eq(again.code, "00");
        ck_assert_int_eq(balance(account), 5300);
        payment_answer_free(&first);
        payment_answer_free(&again);
    }
END_TEST

START_TEST(acknowledgement_says_which)
    {
        char account[PURSE_ACCOUNT];
        const struct payment p = fixture_payment(1, 1, 1, 700);
        struct payment_answer a;
        struct acknowledgement read;

        fixture_account(&f, account, 1, 1000);
        ck_ok(book_begin(f.book, &f.e));
        ck_ok(desk_pay(&f.desk, &p, time(NULL), &a, &f.e));
        ck_ok(book_commit(f.book, &f.e));
        ck_assert_msg(acknowledgement_read(&read, a.acknowledgement, f.authority, &f.e) == TP_OK,
                      "%s", f.e.text);
        ck_assert_str_eq(read.acquirer, f.acquirer);
        ck_assert_str_eq(read.amount, "700");
        ck_assert_str_eq(read.reference, "000000000002");
        ck_assert_str_eq(read.r, p.r);
        ck_assert_ptr_nonnull(read.payment);
        acknowledgement_free(&read);
        payment_answer_free(&a);
    }
END_TEST

START_TEST(counters_in_their_window)
    {
        static const struct {
            int64_t counter;
            const char *word;
        } rows[] = {
            {100, "00 "},
            {99, "00 "},
            {37, "00 "}, /* 63 behind */
            {36, "94 COUNTER_OLD"},
            {1, "94 COUNTER_OLD"},
            {99, "94 COUNTER_USED"},
            {100, "94 COUNTER_USED"},
            {101, "00 "},
            {37, "94 COUNTER_USED"}, /* known, though it is behind the window now */
            {38, "00 "},
            {37 + 64, "94 COUNTER_USED"},
            {999999999999, "00 "},
            {102, "94 COUNTER_OLD"},
            {999999999999 - 63, "00 "},
            {999999999999 - 64, "94 COUNTER_OLD"},
        };
        char account[PURSE_ACCOUNT];

        fixture_account(&f, account, 1, 10000);
        for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            const struct payment p = fixture_payment(1, rows[i].counter, i + 1, 10);

            ck_assert_msg(strcmp(fixture_pay(&f, &p, NOW), rows[i].word) == 0, "row %u", i);
        }
        ck_assert_int_eq(balance(account), 10000 - 7 * 10);
    }
END_TEST

START_TEST(a_refusal_uses_its_counter)
    {
        char account[PURSE_ACCOUNT];
        struct payment p = fixture_payment(1, 5, 1, 2000);

        fixture_account(&f, account, 1, 1000);
        ck_pays(&p, "51 BALANCE");
        p = fixture_payment(1, 5, 1, 1000);
        ck_pays(&p, "94 COUNTER_USED");
        p = fixture_payment(1, 6, 1, 1000);
        ck_pays(&p, "00 ");
    }
END_TEST

START_TEST(refusals)
    {
        char account[PURSE_ACCOUNT], other[PURSE_ACCOUNT];
        struct payment p = fixture_payment(3, 1, 1, 10);

        fixture_account(&f, account, 1, 50000);
        fixture_account(&f, other, 2, 50000);
        ck_pays(&p, "14 ACCOUNT");
        p = fixture_payment(1, 1, 1, 10);
        memset(p.key, 1, sizeof(p.key));
        ck_pays(&p, "63 KEY");
        p = fixture_payment(1, 1, 1, 10);
        p.found = PURSE_ORDER_DIFFERS; /* another amount was signed */
        ck_pays(&p, "63 ORDER_DIFFERS");
        p.found = PURSE_NEW;
        p.contract[0] = '9';
        ck_pays(&p, "63 ORDER_OTHER");
        p = fixture_payment(1, 1, 1, 10);
        p.mediator[0] = 'x';
        ck_pays(&p, "63 ORDER_OTHER");
        p = fixture_payment(1, 1, 1, LIMIT_PAYMENT + 1);
        ck_pays(&p, "61 LIMIT_PAYMENT");
        p = fixture_payment(1, 2, 1, 11);
        p.ceiling = 10;
        ck_pays(&p, "61 ORDER_CEILING");
        p = fixture_payment(1, 3, 1, 10);
        p.currency = 756;
        ck_pays(&p, "12 CURRENCY");
        p = fixture_payment(1, 4, 1, 10);
        ck_pays(&p, "00 ");
        p = fixture_payment(2, 1, 1, 10);
        ck_pays(&p, "94 ORDER_USED"); /* by another account */
        ck_ok(book_mediator_add(f.book, "other", &f.e));
        p = fixture_payment(2, 9, 1, 10);
        snprintf(p.mediator, sizeof(p.mediator), "other");
        ck_pays(&p, "00 "); /* another mediator may give the same number */
        ck_ok(book_account_set(f.book, account, ACCOUNT_STOPPED, "lost", &f.e));
        p = fixture_payment(1, 5, 2, 10);
        ck_pays(&p, "62 STOPPED");
        ck_ok(book_account_set(f.book, account, ACCOUNT_OPEN, "", &f.e));
        p = fixture_payment(1, 6, 2, 10);
        ck_pays(&p, "00 ");
        ck_ok(fixture_book(&f, account, BOOKING_GIVEN_BACK, 49980, "BACK"));
        ck_ok(book_account_set(f.book, account, ACCOUNT_CLOSED, "", &f.e));
        p = fixture_payment(1, 7, 3, 10);
        ck_pays(&p, "14 ACCOUNT_CLOSED");
        ck_ok(book_contract_shut(f.book, CONTRACT, &f.e));
        p = fixture_payment(2, 10, 3, 10);
        ck_pays(&p, "03 CONTRACT");
        ck_ok(book_mediator_shut(f.book, MEDIATOR, &f.e));
        p = fixture_payment(2, 11, 3, 10);
        ck_pays(&p, "58 MEDIATOR");
    }
END_TEST

START_TEST(limit_of_a_day)
    {
        char account[PURSE_ACCOUNT];
        struct payment p;

        fixture_account(&f, account, 1, 90000);
        for (unsigned i = 1; i <= 4; i++) {
            p = fixture_payment(1, i, i, 10000);
            ck_pays(&p, "00 ");
        }
        p = fixture_payment(1, 5, 5, 1);
        ck_pays(&p, "61 LIMIT_DAY");
        p = fixture_payment(1, 6, 5, 10000);
        ck_assert_str_eq(fixture_pay(&f, &p, NOW + 86400), "00 ");
    }
END_TEST

/* Who lets itself be refused fills the books of today no further. */
START_TEST(refusals_have_an_end)
    {
        struct standing st = {.known = true,
                              .refused = REFUSALS_A_DAY,
                              .mediator = true,
                              .mediator_open = true,
                              .contract = true,
                              .contract_open = true,
                              .currency = EUR,
                              .contract_currency = EUR,
                              .filled = true};
        const struct payment p = fixture_payment(1, 1, 1, 10);

        memcpy(st.key, p.key, sizeof(st.key));
        ck_assert_int_eq(purse_judge(&st, &p, &f.settings.currency[0]), PURSE_REFUSALS);
        st.refused--;
        ck_assert_int_eq(purse_judge(&st, &p, &f.settings.currency[0]), PURSE_BALANCE);
        st.filled = false; /* what costs nothing has an end sooner */
        ck_assert_int_eq(purse_judge(&st, &p, &f.settings.currency[0]), PURSE_REFUSALS);
        st.refused = REFUSALS_NEW - 1;
        ck_assert_int_eq(purse_judge(&st, &p, &f.settings.currency[0]), PURSE_BALANCE);
        st.refused = REFUSALS_A_DAY;
        st.balance = 10;
        ck_assert_int_eq(purse_judge(&st, &p, &f.settings.currency[0]), PURSE_NEW);
    }
END_TEST

static enum purse_verdict succeed(const char *account, unsigned by, unsigned next,
                                  const char *statement)
{
    uint8_t secret[ED25519_KEY], key[ED25519_KEY], follows[ED25519_KEY];
    enum purse_verdict v = PURSE_FAULT;

    fixture_secret(secret, by);
    ck_ok(ed25519_public(key, secret, NULL));
    fixture_secret(secret, next);
    ck_ok(ed25519_public(follows, secret, NULL));
    ck_ok(book_begin(f.book, &f.e));
    ck_assert_msg(book_account_succeed(f.book, &v, account, key, follows, statement, NOW, &f.e) ==
                      TP_OK,
                  "%s", f.e.text);
    ck_ok(book_commit(f.book, &f.e));
    return v;
}

static enum tp_err count_key(void *ctx, const uint8_t key[ED25519_KEY], struct span statement,
                             struct tp_error *e)
{
    (void)key;
    (void)e;
    ck_assert_uint_gt(statement.n, 0);
    ++*(unsigned *)ctx;
    return TP_OK;
}

START_TEST(keys_follow_keys)
    {
        char account[PURSE_ACCOUNT], other[PURSE_ACCOUNT];
        struct payment p = fixture_payment(1, 1, 1, 10);
        unsigned keys = 0;

        fixture_account(&f, account, 1, 1000);
        fixture_account(&f, other, 2, 1000);
        ck_assert_int_eq(succeed(other, 1, 9, "a"), PURSE_KEY); /* not its own account */
        ck_assert_int_eq(succeed("nobody", 1, 9, "a"), PURSE_UNKNOWN);
        ck_assert_int_eq(succeed(account, 1, 2, "a"), PURSE_KEY); /* another's */
        ck_assert_int_eq(succeed(account, 1, 9, "a"), PURSE_NEW);
        ck_assert_int_eq(succeed(account, 1, 9, "a"), PURSE_REPEAT);
        ck_assert_int_eq(succeed(account, 1, 10, "b"), PURSE_KEY); /* it is the key no more */
        ck_assert_int_eq(succeed(account, 9, 1, "c"), PURSE_KEY);  /* none comes back */
        ck_pays(&p, "63 KEY");
        p = fixture_payment(9, 1, 1, 10);
        memcpy(p.account, account, sizeof(p.account));
        ck_pays(&p, "00 ");
        ck_ok(book_account_set(f.book, account, ACCOUNT_STOPPED, "lost", &f.e));
        ck_assert_int_eq(succeed(account, 9, 11, "d"), PURSE_STOPPED);
        ck_ok(book_key_each(f.book, account, count_key, &keys, &f.e));
        ck_assert_uint_eq(keys, 2);
        for (unsigned i = 2; i <= BOOK_KEYS; i++) /* the first was the account's own */
            ck_assert_int_eq(succeed(other, i == 2 ? 2 : 1000 + i, 1001 + i, "next"), PURSE_NEW);
        ck_assert_int_eq(succeed(other, 1001 + BOOK_KEYS, 1002 + BOOK_KEYS, "next"), PURSE_KEY);
    }
END_TEST

START_TEST(a_key_is_one_account)
    {
        uint8_t secret[ED25519_KEY], key[ED25519_KEY];
        char account[PURSE_ACCOUNT];
        enum purse_verdict v = PURSE_FAULT;
        struct account a;

        fixture_account(&f, account, 1, 0);
        ck_assert_int_eq(succeed(account, 1, 2, "a"), PURSE_NEW);
        ck_ok(book_begin(f.book, &f.e));
        for (unsigned n = 1; n <= 2; n++) {
            fixture_secret(secret, n);
            ck_ok(ed25519_public(key, secret, NULL));
            ck_ok(book_account_open(f.book, &v, &a, key, EUR, "opening", NOW, &f.e));
            ck_assert_int_eq(v, PURSE_KEY);
        }
        fixture_secret(secret, 3);
        ck_ok(ed25519_public(key, secret, NULL));
        ck_ok(book_account_open(f.book, &v, &a, key, EUR, "opening", NOW, &f.e));
        ck_assert_int_eq(v, PURSE_NEW);
        ck_ok(book_account_open(f.book, &v, &a, key, EUR, "opening", NOW, &f.e));
        ck_assert_int_eq(v, PURSE_REPEAT);
        ck_ok(book_account_open(f.book, &v, &a, key, 756, "opening", NOW, &f.e));
        ck_assert_int_eq(v, PURSE_CURRENCY);
        ck_ok(book_commit(f.book, &f.e));
    }
END_TEST

START_TEST(transfers_are_booked_once)
    {
        char account[PURSE_ACCOUNT];

        fixture_account(&f, account, 1, 1000);
        ck_ok(fixture_book(&f, account, BOOKING_FILLED, LIMIT_BALANCE - 1000, "A"));
        ck_assert_int_eq(fixture_book(&f, account, BOOKING_FILLED, LIMIT_BALANCE - 1000, "A"),
                         TP_ERR_EXISTS);
        ck_assert_int_eq(fixture_book(&f, account, BOOKING_FILLED, 1, "B"), TP_ERR_STATE);
        ck_assert_int_eq(fixture_book(&f, account, BOOKING_GIVEN_BACK, LIMIT_BALANCE + 1, "A"),
                         TP_ERR_STATE);
        ck_ok(fixture_book(&f, account, BOOKING_GIVEN_BACK, 1, "A"));
        ck_assert_int_eq(fixture_book(&f, account, BOOKING_GIVEN_BACK, 1, "A"), TP_ERR_EXISTS);
        ck_assert_int_eq(balance(account), LIMIT_BALANCE - 1);
        ck_assert_int_eq(book_account_set(f.book, account, ACCOUNT_CLOSED, "", &f.e), TP_ERR_STATE);
        ck_assert_int_eq(fixture_book(&f, "nobody", BOOKING_FILLED, 1, "C"), TP_ERR_NOT_FOUND);
    }
END_TEST

/* Once, by who asked to be paid, exactly what was paid, before the close. */
START_TEST(what_was_paid_is_given_back)
    {
        char account[PURSE_ACCOUNT], room[2][PURSE_HASH];
        const struct payment paid = fixture_payment(1, 1, 1, 700),
                             other = fixture_payment(1, 2, 2, 300),
                             refused = fixture_payment(1, 3, 3, 1);
        struct purse_token t = fixture_reversal(&paid, room);
        struct purse_remise r;
        struct purse_sums s;
        int64_t payout;

        fixture_account(&f, account, 1, 1000);
        ck_assert_str_eq(fixture_reverse(&f, &t, NOW), "12 UNKNOWN");
        ck_pays(&paid, "00 ");
        ck_pays(&other, "00 ");
        ck_pays(&refused, "51 BALANCE");
        snprintf(t.signer, sizeof(t.signer), "others");
        ck_assert_str_eq(fixture_reverse(&f, &t, NOW), "12 UNKNOWN");
        t = fixture_reversal(&paid, room);
        t.amount = "699";
        ck_assert_str_eq(fixture_reverse(&f, &t, NOW), "12 UNKNOWN");
        t = fixture_reversal(&paid, room);
        t.contract = OTHER_CONTRACT;
        ck_assert_str_eq(fixture_reverse(&f, &t, NOW), "12 UNKNOWN");
        t = fixture_reversal(&paid, room);
        t.payment = other.r; /* of another statement */
        ck_assert_str_eq(fixture_reverse(&f, &t, NOW), "12 UNKNOWN");
        t = fixture_reversal(&refused, room);
        ck_assert_str_eq(fixture_reverse(&f, &t, NOW), "12 UNKNOWN");
        t = fixture_reversal(&paid, room);
        ck_assert_str_eq(fixture_reverse(&f, &t, NOW), "00 ");
        ck_assert_int_eq(balance(account), 700);
        ck_ok(book_mediator_shut(f.book, MEDIATOR, &f.e));
        ck_assert_str_eq(fixture_reverse(&f, &t, NOW), "00 "); /* again */
        ck_assert_int_eq(balance(account), 700);
        t = fixture_reversal(&other, room);
        ck_assert_str_eq(fixture_reverse(&f, &t, NOW), "58 MEDIATOR");
        ck_ok(book_remise_close(f.book, CONTRACT, NOW, &r, &f.e));
        ck_assert_int_eq(r.payments, 2);
        ck_assert_int_eq(r.reversals, 1);
        ck_assert_int_eq(r.reversed, 700);
        ck_assert_int_eq(r.amount, 300);
        ck_ok(book_sums(f.book, EUR, &s, &f.e));
        ck_assert_int_eq(s.owed, 300);
        ck_assert_int_eq(s.balances, 700);
        ck_ok(book_payout_make(f.book, EUR, NOW, &payout, &f.e));
    }
END_TEST

START_TEST(too_late_to_give_back)
    {
        char account[PURSE_ACCOUNT], room[2][PURSE_HASH];
        struct payment paid = fixture_payment(1, 1, 1, 700);
        struct purse_token t = fixture_reversal(&paid, room);
        struct purse_remise r;
        int64_t payout;

        fixture_account(&f, account, 1, 1000);
        ck_pays(&paid, "00 ");
        ck_ok(book_remise_close(f.book, CONTRACT, NOW, &r, &f.e));
        ck_assert_str_eq(fixture_reverse(&f, &t, NOW), "12 REMISE_CLOSED");
        ck_ok(book_payout_make(f.book, EUR, NOW, &payout, &f.e));
        paid = fixture_payment(1, 2, 2, 300);
        ck_pays(&paid, "00 ");
        t = fixture_reversal(&paid, room);
        ck_ok(book_account_set(f.book, account, ACCOUNT_CLOSED, "", &f.e));
        ck_assert_str_eq(fixture_reverse(&f, &t, NOW), "14 ACCOUNT_CLOSED");
        ck_ok(book_remise_close(f.book, CONTRACT, NOW, &r, &f.e));
    }
END_TEST

/* Nothing is due when all of a remise was given back: no transfer is made of it. */
START_TEST(nothing_due)
    {
        char account[PURSE_ACCOUNT], room[2][PURSE_HASH];
        const struct payment paid = fixture_payment(1, 1, 1, 700);
        const struct purse_token t = fixture_reversal(&paid, room);
        struct purse_remise r;
        int64_t payout;

        fixture_account(&f, account, 1, 1000);
        ck_pays(&paid, "00 ");
        ck_assert_str_eq(fixture_reverse(&f, &t, NOW), "00 ");
        ck_ok(book_remise_close(f.book, CONTRACT, NOW, &r, &f.e));
        ck_assert_int_eq(r.amount, 0);
        ck_assert_int_eq(book_payout_make(f.book, EUR, NOW, &payout, &f.e), TP_ERR_NOT_FOUND);
    }
END_TEST

struct seen {
    char kinds[16], codes[32];
    int64_t last;
    unsigned n;
};

static enum tp_err see(void *ctx, const struct history *h, struct tp_error *e)
{
    struct seen *s = ctx;

    (void)e;
    ck_assert_int_gt(h->number, s->last);
    s->last = h->number;
    s->kinds[s->n++] = (char)('0' + h->kind);
    snprintf(s->codes + strlen(s->codes), sizeof(s->codes) - strlen(s->codes), "%s", h->code);
    ck_assert_uint_gt(h->signed_by.n + h->word.n, 0);
    return TP_OK;
}

static enum tp_err count_emptied(void *ctx, const struct emptied *m, struct tp_error *e)
{
    (void)e;
    ck_assert_str_eq(m->name, "Ana");
    ck_assert_int_eq(m->currency, EUR);
    ck_assert_int_eq(m->payout != 0, strcmp(m->code, "00") == 0);
    ++*(unsigned *)ctx;
    return TP_OK;
}

static enum tp_err look_at_line(void *ctx, const struct payout_line *line, struct tp_error *e)
{
    (void)e;
    ck_assert_str_eq(line->name, line->contract[0] == '\0' ? "Ana" : "Librairie du Port");
    ck_assert_uint_eq(strlen(line->account), line->contract[0] == '\0' ? 43 : 0);
    *(int64_t *)ctx += line->amount;
    return TP_OK;
}

/* Each is a transfer that the purse's bank wants to be paid for. */
START_TEST(few_wait_to_go_out)
    {
        char account[PURSE_ACCOUNT];
        struct payment p;
        int64_t payout;

        fixture_account(&f, account, 1, 1000);
        for (int64_t i = 1; i <= EMPTYINGS_MAX; i++) {
            p = fixture_payment(1, i, 0, 1);
            ck_assert_str_eq(fixture_empty(&f, &p, NOW), "00 ");
        }
        p = fixture_payment(1, 9, 0, 1);
        ck_assert_str_eq(fixture_empty(&f, &p, NOW), "61 LIMIT_EMPTYINGS");
        ck_ok(book_payout_make(f.book, EUR, NOW, &payout, &f.e));
        ck_assert_str_eq(fixture_empty(&f, &p, NOW), "00 "); /* the same, later */
        ck_assert_int_eq(balance(account), 1000 - EMPTYINGS_MAX - 1);
    }
END_TEST

/* What the key sends out leaves the balance at once, and goes with the next payout. */
START_TEST(what_goes_out)
    {
        char account[PURSE_ACCOUNT], other[PURSE_ACCOUNT], room[2][PURSE_HASH];
        const struct payment paid = fixture_payment(1, 1, 1, 300);
        const struct purse_token t = fixture_reversal(&paid, room);
        struct payment p = fixture_payment(1, 2, 0, 701);
        struct seen seen = {.n = 0};
        struct purse_sums s;
        struct payout o;
        int64_t payout, sum = 0;
        unsigned n = 0;

        fixture_account(&f, account, 1, 1000);
        fixture_account(&f, other, 2, 1000);
        ck_pays(&paid, "00 ");
        ck_assert_str_eq(fixture_empty(&f, &p, NOW), "51 BALANCE");
        p = fixture_payment(1, 1, 0, 1);
        ck_assert_str_eq(fixture_empty(&f, &p, NOW), "94 COUNTER_USED");
        p = fixture_payment(1, 3, 0, 700);
        ck_assert_str_eq(fixture_empty(&f, &p, NOW), "00 ");
        ck_assert_str_eq(fixture_empty(&f, &p, NOW), "00 ");
        ck_assert_int_eq(balance(account), 0);
        p = fixture_payment(1, 3, 9, 1);
        ck_pays(&p, "94 COUNTER_USED");
        ck_assert_str_eq(fixture_reverse(&f, &t, NOW), "00 ");
        ck_ok(book_sums(f.book, EUR, &s, &f.e));
        ck_assert_int_eq(s.owed, 700);
        ck_ok(book_payout_make(f.book, EUR, NOW, &payout, &f.e));
        ck_ok(book_payout_get(f.book, payout, &o, &f.e));
        ck_assert_int_eq(o.emptyings, 1);
        ck_assert_int_eq(o.amount, 700);
        ck_ok(book_payout_each(f.book, payout, look_at_line, &sum, &f.e));
        ck_assert_int_eq(sum, 700);
        ck_ok(book_sums(f.book, EUR, &s, &f.e));
        ck_assert_int_eq(s.owed, 0);
        ck_assert_int_eq(s.paid_out, 700);
        ck_assert_int_eq(s.given_back, 0);
        ck_assert_int_eq(s.filled, s.balances + s.owed + s.paid_out + s.given_back);
        ck_ok(emptied_each(f.book, count_emptied, &n, &f.e));
        ck_assert_uint_eq(n, 2);
        ck_ok(book_history(f.book, account, 0, 100, see, &seen, &f.e));
        ck_assert_str_eq(seen.kinds, "03554"); /* filled, payment, two emptyings, reversal */
        ck_assert_str_eq(seen.codes, "0000510000");
        seen = (struct seen){.last = 3};
        ck_ok(book_history(f.book, account, 3, 2, see, &seen, &f.e));
        ck_assert_str_eq(seen.kinds, "55");
    }
END_TEST

static enum purse_verdict fills(const char *account, const char *order, int64_t amount,
                                const char *evidence, int64_t *number)
{
    struct booking what = {
        .kind = BOOKING_CARD, .amount = amount, .currency = EUR, .evidence = span_str(evidence)};
    enum purse_verdict v = PURSE_FAULT;

    snprintf(what.account, sizeof(what.account), "%s", account);
    snprintf(what.reference, sizeof(what.reference), "%s", order);
    ck_ok(book_begin(f.book, &f.e));
    ck_assert_msg(desk_fill(&f.desk, &what, NOW, &v, number, &f.e) == TP_OK, "%s", f.e.text);
    ck_ok(book_commit(f.book, &f.e));
    return v;
}

static enum tp_err look_at_card(void *ctx, const struct booking *what, struct tp_error *e)
{
    (void)e;
    ck_assert_int_eq(what->kind, BOOKING_CARD);
    ck_assert(span_eq(what->evidence, span_str("word")));
    ck_assert_uint_gt(what->record.n, 0);
    ++*(unsigned *)ctx;
    return TP_OK;
}

static enum tp_err count_door(void *ctx, const struct book_door *d, struct tp_error *e)
{
    (void)e;
    ck_assert_int_ne(d->added, 0);
    ++*(unsigned *)ctx;
    return TP_OK;
}

/* What a card paid fills once an order, as long as the account may hold it. */
START_TEST(a_card_fills_once)
    {
        char account[PURSE_ACCOUNT];
        int64_t number = 0, first = 0;
        unsigned n = 0;
        struct purse_sums s;

        fixture_account(&f, account, 1, 0);
        ck_assert_int_eq(fills(account, "a", 2000, "word", &first), PURSE_NEW);
        ck_assert_int_eq(fills(account, "a", 2000, "word", &number), PURSE_REPEAT);
        ck_assert_int_eq(number, first);
        ck_assert_int_eq(fills(account, "a", 2001, "word", &number), PURSE_ORDER_USED);
        ck_assert_int_eq(fills(account, "a", 2000, "another", &number), PURSE_ORDER_USED);
        ck_assert_int_eq(fills("nobody", "b", 1, "word", &number), PURSE_UNKNOWN);
        ck_assert_int_eq(fills(account, "b", LIMIT_BALANCE - 2000 + 1, "word", &number),
                         PURSE_FULL);
        ck_assert_int_eq(fills(account, "b", LIMIT_BALANCE - 2000, "word", &number), PURSE_NEW);
        ck_assert_int_eq(balance(account), LIMIT_BALANCE);
        ck_ok(book_sums(f.book, EUR, &s, &f.e));
        ck_assert_int_eq(s.filled, LIMIT_BALANCE);
        ck_ok(booking_each(f.book, look_at_card, &n, &f.e));
        ck_assert_uint_eq(n, 2);
        ck_ok(fixture_book(&f, account, BOOKING_GIVEN_BACK, LIMIT_BALANCE, "BACK"));
        ck_ok(book_account_set(f.book, account, ACCOUNT_CLOSED, "", &f.e));
        ck_assert_int_eq(fills(account, "c", 1, "word", &number), PURSE_ACCOUNT_CLOSED);
    }
END_TEST

START_TEST(sellers_and_trust)
    {
        char pem[BOOK_PEM];
        bool open = true;
        unsigned n = 0;

        ck_ok(book_seller_is_open(f.book, "port", &open, &f.e));
        ck_assert(!open);
        ck_ok(book_seller_add(f.book, "port", &f.e));
        ck_assert_int_eq(book_seller_add(f.book, "port", &f.e), TP_ERR_EXISTS);
        ck_ok(book_seller_is_open(f.book, "port", &open, &f.e));
        ck_assert(open);
        ck_ok(book_seller_shut(f.book, "port", &f.e));
        ck_assert_int_eq(book_seller_shut(f.book, "port", &f.e), TP_ERR_NOT_FOUND);
        ck_ok(book_seller_is_open(f.book, "port", &open, &f.e));
        ck_assert(!open);
        ck_assert_int_eq(book_trust_get(f.book, CONTRACT, pem, &open, &f.e), TP_ERR_NOT_FOUND);
        ck_ok(book_trust_add(f.book, CONTRACT, "PEM", &f.e));
        ck_assert_int_eq(book_trust_add(f.book, CONTRACT, "PEM", &f.e), TP_ERR_EXISTS);
        ck_ok(book_trust_get(f.book, CONTRACT, pem, &open, &f.e));
        ck_assert_str_eq(pem, "PEM");
        ck_assert(open);
        ck_ok(book_trust_shut(f.book, CONTRACT, &f.e));
        ck_assert_int_eq(book_trust_shut(f.book, CONTRACT, &f.e), TP_ERR_NOT_FOUND);
        ck_ok(book_trust_get(f.book, CONTRACT, pem, &open, &f.e)); /* for the audit */
        ck_assert(!open);
        ck_ok(book_seller_each(f.book, count_door, &n, &f.e));
        ck_ok(book_trust_each(f.book, count_door, &n, &f.e));
        ck_assert_uint_eq(n, 2);
    }
END_TEST

static enum tp_err add_line(void *ctx, const struct payout_line *line, struct tp_error *e)
{
    (void)e;
    *(int64_t *)ctx += line->amount;
    return TP_OK;
}

static enum tp_err count_kept(void *ctx, const struct kept *k, struct tp_error *e)
{
    (void)e;
    ck_assert_str_eq(k->code, "00");
    ck_assert_int_gt(k->remise, 0);
    ck_assert_uint_gt(k->acknowledgement.n, 0);
    ++*(unsigned *)ctx;
    return TP_OK;
}

static enum tp_err count_booking(void *ctx, const struct booking *what, struct tp_error *e)
{
    (void)e;
    ck_assert_int_eq(what->currency, EUR);
    ++*(unsigned *)ctx;
    return TP_OK;
}

static enum tp_err count_remise(void *ctx, const struct purse_remise *r, struct tp_error *e)
{
    (void)e;
    *(int64_t *)ctx += r->amount;
    return TP_OK;
}

/* What the audit asks, on either engine. */
static void look_again(const char *account)
{
    int64_t sum = 0, reserved = 1, odd = 1, amount = 0;
    unsigned kept = 0, booked = 0;

    ck_ok(book_account_sum(f.book, account, &sum, &reserved, &f.e));
    ck_assert_int_eq(sum, balance(account));
    ck_assert_int_eq(reserved, 0);
    ck_ok(book_odd_remises(f.book, &odd, &f.e));
    ck_assert_int_eq(odd, 0);
    ck_ok(book_begin_read(f.book, &f.e));
    ck_ok(kept_each(f.book, NULL, count_kept, &kept, &f.e));
    ck_ok(kept_each(f.book, account, count_kept, &kept, &f.e));
    ck_ok(kept_get(f.book, 2, count_kept, &kept, &f.e));
    ck_assert_int_eq(kept_get(f.book, 99, count_kept, &kept, &f.e), TP_ERR_NOT_FOUND);
    ck_ok(booking_each(f.book, count_booking, &booked, &f.e));
    ck_ok(book_remise_each(f.book, count_remise, &amount, &f.e));
    book_rollback(f.book);
    ck_assert_uint_eq(kept, 4 + 4 + 1);
    ck_assert_uint_eq(booked, 1);
    ck_assert_int_eq(amount, 10000 - sum);
}

START_TEST(the_day)
    {
        char account[PURSE_ACCOUNT];
        struct purse_remise r;
        struct purse_sums s;
        struct payout o;
        struct payment p;
        int64_t payout = 0, sum = 0;

        fixture_account(&f, account, 1, 10000);
        ck_assert_int_eq(book_remise_close(f.book, CONTRACT, NOW, &r, &f.e), TP_ERR_NOT_FOUND);
        for (unsigned i = 1; i <= 3; i++) {
            p = fixture_payment(1, i, i, 100 * i);
            if (i == 3)
                memcpy(p.contract, OTHER_CONTRACT, sizeof(p.contract));
            ck_pays(&p, "00 ");
        }
        ck_ok(book_remise_close(f.book, CONTRACT, NOW, &r, &f.e));
        ck_assert_int_eq(r.number, 1);
        ck_assert_int_eq(r.payments, 2);
        ck_assert_int_eq(r.amount, 300);
        p = fixture_payment(1, 4, 4, 1000); /* belongs to the next */
        ck_pays(&p, "00 ");
        ck_ok(book_payout_make(f.book, EUR, NOW, &payout, &f.e));
        ck_ok(book_payout_get(f.book, payout, &o, &f.e));
        ck_assert_int_eq(o.remises, 1);
        ck_assert_int_eq(o.amount, 300);
        ck_ok(book_payout_each(f.book, payout, add_line, &sum, &f.e));
        ck_assert_int_eq(sum, 300);
        ck_assert_int_eq(book_payout_make(f.book, EUR, NOW, &payout, &f.e), TP_ERR_NOT_FOUND);
        ck_ok(book_remise_close(f.book, CONTRACT, NOW, &r, &f.e));
        ck_assert_int_eq(r.number, 2);
        ck_ok(book_payout_make(f.book, EUR, NOW, &payout, &f.e));
        ck_assert_int_eq(payout, 2); /* a vain one left no gap */
        ck_ok(book_sums(f.book, EUR, &s, &f.e));
        ck_assert_int_eq(s.filled, 10000);
        ck_assert_int_eq(s.balances, 8400);
        ck_assert_int_eq(s.owed, 300);
        ck_assert_int_eq(s.paid_out, 1300);
        ck_assert_int_eq(s.payments, 4);
        look_again(account);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("purse");
    TCase *t = tcase_create("purse");

    tcase_add_checked_fixture(t, start, end);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, verdicts_are_one_table);
    tcase_add_test(t, verdicts_are_those_of_the_document);
    tcase_add_test(t, balance_to_the_cent);
    tcase_add_test(t, same_statement_same_answer);
    tcase_add_test(t, acknowledgement_says_which);
    tcase_add_test(t, counters_in_their_window);
    tcase_add_test(t, a_refusal_uses_its_counter);
    tcase_add_test(t, refusals);
    tcase_add_test(t, limit_of_a_day);
    tcase_add_test(t, refusals_have_an_end);
    tcase_add_test(t, keys_follow_keys);
    tcase_add_test(t, a_key_is_one_account);
    tcase_add_test(t, transfers_are_booked_once);
    tcase_add_test(t, what_was_paid_is_given_back);
    tcase_add_test(t, too_late_to_give_back);
    tcase_add_test(t, nothing_due);
    tcase_add_test(t, what_goes_out);
    tcase_add_test(t, few_wait_to_go_out);
    tcase_add_test(t, a_card_fills_once);
    tcase_add_test(t, sellers_and_trust);
    tcase_add_test(t, the_day);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
