/* Disputes in the mediator's books: who may open one and when, each step in each state, what a
 * settlement comes to, and books of before. */
#include "mediator_fixture.h"

#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/date.h"
#include "mediator/dispute.h"
#include "order/sealed.h"
#include "order/token.h"
#include "store/schema.h"

static const struct dispute_terms terms = {
    .open_s = 1000, .answer_s = 100, .decide_s = 300, .evidence_s = 200};

struct bench { /* an order that was paid with the credential C */
    struct mediator_fixture f;
    char id[BOOK_ORDER_ID];
    int64_t now;
    json_t *key, *other;
    char *jws; /* of the last letter of who pays */
};

static void apply(struct bench *b, struct move *m)
{
    m->now = b->now;
    memcpy(m->id, b->id, sizeof(b->id));
    ck_assert_msg(fixture_apply(&b->f, m) == TP_OK, "%s", b->f.e.text);
    ck_assert_int_eq(m->finding, FOUND_FINE);
}

/* device: whose statement goes along; NULL: the card signs the payee. */
static void pay(struct bench *b, const json_t *device)
{
    struct move m;

    fixture_ask(&b->f, &m, b->now, 600);
    memcpy(b->id, m.id, sizeof(b->id));
    apply(b, &m);
    m.event = EVENT_PAY;
    m.reached = true;
    m.pays = strdup("sealed");
    memset(m.credential, 'C', sizeof(m.credential));
    memcpy(m.challenge_id, m.attempt.challenge_id, sizeof(m.challenge_id));
    if (device != NULL) {
        json_t *empty = json_object();

        ck_ok(token_sign_own(&m.beside, empty, "telepay-device", device, NULL));
        json_decref(empty);
    }
    apply(b, &m);
    m.event = EVENT_ANSWER;
    m.n = 1;
    m.said.outcome = OUTCOME_YES;
    m.said.acknowledgement = strdup("acknowledgement");
    snprintf(m.said.code, sizeof(m.said.code), "00");
    apply(b, &m);
    ck_assert_int_eq(m.order.state, STATE_ACKNOWLEDGED);
    m.event = EVENT_DELIVERED;
    apply(b, &m);
    move_free(&m);
}

static void start(struct bench *b)
{
    *b = (struct bench){.now = time(NULL)};
    fixture_start(&b->f);
    ck_ok(sealed_answer_key(&b->key, NULL));
    ck_ok(sealed_answer_key(&b->other, NULL));
    pay(b, NULL);
}

static void end(struct bench *b)
{
    free(b->jws);
    json_decref(b->key);
    json_decref(b->other);
    fixture_end(&b->f);
}

static struct dispute_case take(struct bench *b, enum letter_kind kind, struct letter l,
                                const json_t *key)
{
    struct dispute_case c = {.kind = kind};
    char at[TIME_TEXT_MAX];
    enum tp_err r;

    free(b->jws);
    l.at = time_format_utc(at, b->now);
    if (l.order == NULL)
        l.order = b->id;
    ck_ok(letter_write_own(&b->jws, kind, &l, key, &b->f.e));
    c.jws = b->jws;
    ck_ok(letter_read_own(&c.letter, kind, b->jws, &b->f.e));
    ck_ok(orderbook_begin(b->f.book, &b->f.e));
    r = dispute_take(&c, b->id, b->f.book, &b->f.issuing, &terms, b->now, &b->f.e);
    ck_assert_msg(r == TP_OK, "%s", b->f.e.text);
    ck_ok(orderbook_commit(b->f.book, &b->f.e));
    letter_free(&c.letter);
    return c;
}

static const char *credential(char letter)
{
    static char text[BASE64URL_SIZE(BOOK_CREDENTIAL)];
    uint8_t bytes[BOOK_CREDENTIAL];

    memset(bytes, letter, sizeof(bytes));
    return base64url_encode(text, SPAN_OF(bytes));
}

static struct dispute_case open_it(struct bench *b, char shown, const json_t *key)
{
    const struct letter l = {.reason = "not-delivered",
                             .credential = shown != '\0' ? credential(shown) : NULL};

    return take(b, LETTER_DISPUTE, l, key);
}

static enum tp_err act(struct bench *b, const char *what, const char *words)
{
    struct dispute d;
    enum tp_err r;

    ck_ok(orderbook_begin(b->f.book, &b->f.e));
    r = dispute_act(&d, b->id, what, words, b->f.book, &b->f.issuing, &terms, b->now, &b->f.e);
    if (r == TP_OK)
        ck_ok(orderbook_commit(b->f.book, &b->f.e));
    else
        orderbook_rollback(b->f.book);
    return r;
}

static struct dispute stands(struct bench *b)
{
    struct dispute d;
    bool found = false;

    ck_ok(disputes_get(b->f.book, b->id, &d, &found, &b->f.e));
    ck_assert(found);
    return d;
}

/* ---- who opens it ---- */

START_TEST(by_who_paid_alone)
    {
        struct bench b;
        struct dispute_case c;

        start(&b);
        ck_assert_int_eq(open_it(&b, '\0', b.key).finding, DISPUTE_NOT_PAYER);
        ck_assert_int_eq(open_it(&b, 'D', b.key).finding, DISPUTE_NOT_PAYER);
        c = open_it(&b, 'C', b.key);
        ck_assert_int_eq(c.finding, DISPUTE_FINE);
        ck_assert_int_eq(c.dispute.state, DISPUTE_OPEN);
        ck_assert_int_eq(c.dispute.due, b.now + 100);
        ck_assert_int_eq(c.dispute.amount, 150);
        end(&b);
    }
END_TEST

START_TEST(by_the_key_that_signed)
    {
        struct bench b;

        start(&b);
        pay(&b, b.key);
        ck_assert_int_eq(open_it(&b, '\0', b.other).finding, DISPUTE_NOT_PAYER);
        ck_assert_int_eq(open_it(&b, '\0', b.key).finding, DISPUTE_FINE);
        end(&b);
    }
END_TEST

START_TEST(opened_twice_is_the_same_one)
    {
        struct bench b;
        struct dispute_letter last;
        bool found = false;

        start(&b);
        ck_assert_int_eq(open_it(&b, 'C', b.key).finding, DISPUTE_FINE);
        b.now += 50;
        ck_assert_int_eq(open_it(&b, 'C', b.key).finding, DISPUTE_FINE);
        ck_assert_int_eq(open_it(&b, 'D', b.other).finding, DISPUTE_FINE);
        ck_assert_int_eq(stands(&b).opened, b.now - 50);
        ck_ok(disputes_letter_last(b.f.book, b.id, true, &last, NULL, &found, &b.f.e));
        ck_assert_int_eq(last.n, 2); /* one that opens, one that says so */
        end(&b);
    }
END_TEST

START_TEST(of_another_order_or_too_late)
    {
        struct bench b;
        const struct letter other = {.reason = "not-mine", .order = "abcdefghijklmnopqrstuvwxyz"};

        start(&b);
        ck_assert_int_eq(take(&b, LETTER_DISPUTE, other, b.key).finding, DISPUTE_NOT_PAYER);
        b.now += 1001;
        ck_assert_int_eq(open_it(&b, 'C', b.key).finding, DISPUTE_LATE);
        b.now -= 1;
        ck_assert_int_eq(open_it(&b, 'C', b.key).finding, DISPUTE_FINE);
        snprintf(b.id, sizeof(b.id), "abcdefghijklmnopqrstuvwxyz");
        ck_assert_int_eq(open_it(&b, 'C', b.key).finding, DISPUTE_NO_ORDER);
        end(&b);
    }
END_TEST

/* In each state of the payment. */
START_TEST(of_what_is_paid)
    {
        static const struct {
            enum order_state state;
            enum dispute_finding finding;
        } rows[] = {{STATE_REQUESTED, DISPUTE_UNPAID},  {STATE_CLAIMED, DISPUTE_UNPAID},
                    {STATE_SUBMITTING, DISPUTE_UNPAID}, {STATE_UNKNOWN, DISPUTE_UNPAID},
                    {STATE_APPROVED, DISPUTE_UNPAID},   {STATE_ACKNOWLEDGED, DISPUTE_FINE},
                    {STATE_DELIVERED, DISPUTE_FINE},    {STATE_REVERSING, DISPUTE_BACK},
                    {STATE_REVERSED, DISPUTE_BACK},     {STATE_OWED, DISPUTE_BACK}};

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            struct bench b;
            struct orderbook_order o;
            struct dispute_case c;
            bool found = false;

            start(&b);
            ck_ok(orderbook_order_get(b.f.book, b.id, &o, &found, &b.f.e));
            o.state = rows[i].state;
            snprintf(o.why, sizeof(o.why), "none is left");
            ck_ok(orderbook_order_move(b.f.book, &o, &b.f.e));
            c = open_it(&b, 'C', b.key);
            ck_assert_int_eq(c.finding, rows[i].finding);
            if (c.finding == DISPUTE_BACK) /* in the order's own words */
                ck_assert_str_eq(c.why, "none is left");
            end(&b);
        }
    }
END_TEST

/* ---- how it goes ---- */

START_TEST(each_step_in_each_state)
    {
        static const char *const acts[] = {ACT_ANSWERED, ACT_ASKED, ACT_SETTLED, ACT_REFUSED};
        static const struct {
            const char *way; /* an act that leads there; "": none */
            enum dispute_state state;
            const char *may; /* the beginnings of what may follow */
            int64_t due;
        } rows[] = {{"", DISPUTE_OPEN, "aesr", 100},
                    {ACT_ANSWERED, DISPUTE_ANSWERED, "esr", 300},
                    {ACT_ASKED, DISPUTE_ASKED, "sr", 200},
                    {ACT_SETTLED, DISPUTE_SETTLED, "", 0},
                    {ACT_REFUSED, DISPUTE_REFUSED, "", 0}};

        for (size_t i = 0; i < 4 * sizeof(rows) / sizeof(rows[0]); i++) {
            const char *next = acts[i % 4];
            struct bench b;

            start(&b);
            ck_assert_int_eq(act(&b, next, "words"), TP_ERR_NOT_FOUND);
            ck_assert_int_eq(open_it(&b, 'C', b.key).finding, DISPUTE_FINE);
            if (rows[i / 4].way[0] != '\0')
                ck_ok(act(&b, rows[i / 4].way, "words"));
            ck_assert_int_eq(stands(&b).state, rows[i / 4].state);
            ck_assert_int_eq(stands(&b).due, rows[i / 4].due != 0 ? b.now + rows[i / 4].due : 0);
            ck_assert_int_eq(act(&b, next, "words"),
                             strchr(rows[i / 4].may, next[0]) != NULL ? TP_OK : TP_ERR_STATE);
            end(&b);
        }
    }
END_TEST

START_TEST(evidence_is_what_was_asked_for)
    {
        struct bench b;
        struct dispute_letter asked;
        char answers[BASE64URL_SIZE(LETTER_HASH)];
        struct letter l = {.words = "a picture", .answers = answers};
        bool found = false;

        start(&b);
        base64url_encode(answers, SPAN_OF(((struct dispute_letter){.n = 0}).hash));
        ck_assert_int_eq(take(&b, LETTER_EVIDENCE, l, b.key).finding, DISPUTE_NONE);
        ck_assert_int_eq(open_it(&b, 'C', b.key).finding, DISPUTE_FINE);
        ck_assert_int_eq(act(&b, ACT_ASKED, NULL), TP_ERR_USAGE);
        ck_ok(act(&b, ACT_ASKED, "a picture, please"));
        ck_assert_int_eq(take(&b, LETTER_EVIDENCE, l, b.key).finding, DISPUTE_NOT_ASKED);
        ck_ok(disputes_letter_last(b.f.book, b.id, true, &asked, NULL, &found, &b.f.e));
        base64url_encode(answers, SPAN_OF(asked.hash));
        ck_assert_int_eq(take(&b, LETTER_EVIDENCE, l, b.other).finding, DISPUTE_NOT_PAYER);
        b.now += 10;
        ck_assert_int_eq(take(&b, LETTER_EVIDENCE, l, b.key).finding, DISPUTE_FINE);
        ck_assert_int_eq(stands(&b).state, DISPUTE_OPEN);
        ck_assert_int_eq(stands(&b).due, b.now + 100);
        ck_assert_int_eq(take(&b, LETTER_EVIDENCE, l, b.key).finding, DISPUTE_FINE); /* again */
        b.now += 1;
        ck_assert_int_eq(take(&b, LETTER_EVIDENCE, l, b.key).finding, DISPUTE_NOT_ASKED);
        end(&b);
    }
END_TEST

/* ---- what it comes to ---- */

static enum tp_err named(void *ctx, const char *id, struct tp_error *e)
{
    (void)e;
    snprintf(ctx, BOOK_ORDER_ID, "%s", id);
    return TP_OK;
}

START_TEST(settled_is_given_back_once)
    {
        struct bench b;
        struct move m = {.event = EVENT_SETTLED};
        char due[BOOK_ORDER_ID] = "";

        start(&b);
        ck_assert_int_eq(open_it(&b, 'C', b.key).finding, DISPUTE_FINE);
        apply(&b, &m);
        ck_assert_int_eq(m.order.state, STATE_DELIVERED); /* nobody signed anything */
        ck_ok(disputes_due_each(b.f.book, named, due, &b.f.e));
        ck_assert_str_eq(due, "");
        ck_ok(act(&b, ACT_SETTLED, NULL));
        ck_ok(disputes_due_each(b.f.book, named, due, &b.f.e));
        ck_assert_str_eq(due, b.id);
        apply(&b, &m);
        ck_assert(m.moved);
        ck_assert_int_eq(m.order.state, STATE_REVERSING);
        ck_assert_str_eq(m.order.why, DISPUTE_SETTLES " (not-delivered)");
        apply(&b, &m);
        ck_assert(!m.moved);
        m.event = EVENT_REVERSED;
        apply(&b, &m);
        m.event = EVENT_SETTLED;
        apply(&b, &m);
        ck_assert_int_eq(m.order.state, STATE_REVERSED);
        move_free(&m);
        end(&b);
    }
END_TEST

/* A row that nobody signed: the books do not take it, and what were in them moves nothing. */
START_TEST(nothing_without_the_signature)
    {
        struct bench b;
        struct move m = {.event = EVENT_SETTLED};
        struct dispute d;
        struct dispute_letter forged = {.own = true, .act = ACT_SETTLED};

        start(&b);
        ck_assert_int_eq(open_it(&b, 'C', b.key).finding, DISPUTE_FINE);
        d = stands(&b);
        d.state = DISPUTE_SETTLED;
        ck_assert_int_eq(disputes_move(b.f.book, &d, &b.f.e), TP_ERR_STATE);
        forged.jws = span_str(b.jws);
        memset(forged.hash, 1, sizeof(forged.hash));
        ck_ok(disputes_letter_add(b.f.book, b.id, &forged, &b.f.e));
        ck_ok(disputes_move(b.f.book, &d, &b.f.e));
        apply(&b, &m);
        ck_assert_int_eq(m.order.state, STATE_DELIVERED);
        d.state = DISPUTE_OPEN;
        ck_assert_int_eq(disputes_move(b.f.book, &d, &b.f.e), TP_ERR_STATE);
        move_free(&m);
        end(&b);
    }
END_TEST

START_TEST(overdue_is_counted)
    {
        struct bench b;
        struct dispute_count n;

        start(&b);
        ck_assert_int_eq(open_it(&b, 'C', b.key).finding, DISPUTE_FINE);
        ck_ok(disputes_count(b.f.book, b.now + 100, &n, &b.f.e));
        ck_assert(n.waiting == 1 && n.overdue == 0);
        ck_ok(disputes_count(b.f.book, b.now + 101, &n, &b.f.e));
        ck_assert(n.waiting == 1 && n.overdue == 1);
        ck_assert(dispute_is_overdue(&(struct dispute){.due = 5}, 6));
        ck_ok(act(&b, ACT_REFUSED, "no"));
        ck_ok(disputes_count(b.f.book, b.now + 10000, &n, &b.f.e));
        ck_assert(n.waiting == 0 && n.overdue == 0);
        end(&b);
    }
END_TEST

START_TEST(terms_are_days)
    {
        static const struct {
            const char *text;
            int64_t answer; /* 0: refused */
        } rows[] = {{"[serve]\nlisten = x\n", 7},          {"[dispute]\nanswer_days = 3\n", 3},
                    {"[dispute]\nanswer_days = 0\n", 0},   {"[dispute]\nanswer_days = soon\n", 0},
                    {"[dispute]\nanswer_days = 366\n", 0}, {"[dispute]\nanswer_days = 3.5\n", 0},
                    {"[dispute]\nevidence_days = -1\n", 0}};
        struct mediator_fixture f;

        fixture_make(&f);
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            struct dispute_terms t;

            fixture_write(&f, "mediator.conf", rows[i].text);
            ck_assert_int_eq(dispute_terms_load(&t, f.dir, &f.e),
                             rows[i].answer != 0 ? TP_OK : TP_ERR_FORMAT);
            if (rows[i].answer != 0)
                ck_assert_int_eq(t.answer_s, rows[i].answer * 86400);
        }
        fixture_end(&f);
    }
END_TEST

/* ---- books of before ---- */

static int shell(const struct bench *b, const char *command)
{
    char line[400];

    snprintf(line, sizeof(line), "cd '%s' && %s", b->f.dir, command);
    return system(line);
}

#define SCHEMA "sqlite3 mediator.db .schema | sort"

START_TEST(books_of_before_are_brought_up)
    {
        struct bench b;
        char copy[512], path[128];

        start(&b);
        if (access(fixture_path(&b.f, "mediator.db"), F_OK) != 0) { /* in PostgreSQL */
            end(&b);
            return;
        }
        fixture_close(&b.f);
        ck_assert_int_eq(shell(&b, SCHEMA " >new"), 0);
        ck_assert_int_eq(shell(&b, "sqlite3 mediator.db 'DROP TABLE letter; DROP TABLE dispute; "
                                   "DROP TABLE identity_request;"
                                   " UPDATE store SET version = 2;'"),
                         0);
        snprintf(path, sizeof(path), "%s/mediator.db", b.f.dir);
        ck_assert_int_eq(orderbook_open(&b.f.book, b.f.dir, &b.f.e), TP_ERR_STATE);
        ck_assert_ptr_nonnull(strstr(b.f.e.text, "telepay-mediator upgrade"));
        ck_ok(db_upgrade(path, &mediator_schema, copy, NULL, NULL, &b.f.e));
        ck_assert_int_eq(shell(&b, SCHEMA " >old; cmp old new"), 0);
        fixture_open(&b.f);
        ck_assert_int_eq(open_it(&b, 'C', b.key).finding, DISPUTE_FINE);
        end(&b);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("dispute");
    TCase *t = tcase_create("dispute");

    tcase_set_timeout(t, 60);
    tcase_add_test(t, by_who_paid_alone);
    tcase_add_test(t, by_the_key_that_signed);
    tcase_add_test(t, opened_twice_is_the_same_one);
    tcase_add_test(t, of_another_order_or_too_late);
    tcase_add_test(t, of_what_is_paid);
    tcase_add_test(t, each_step_in_each_state);
    tcase_add_test(t, evidence_is_what_was_asked_for);
    tcase_add_test(t, settled_is_given_back_once);
    tcase_add_test(t, nothing_without_the_signature);
    tcase_add_test(t, overdue_is_counted);
    tcase_add_test(t, terms_are_days);
    tcase_add_test(t, books_of_before_are_brought_up);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
