/* How sessions of purses are brought to their end: what the mediator says to the purse, and in
 * which order; the purse is the test's, and so is the time. */
#include "mediator_fixture.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "mediator/mediator_priv.h"
#include "order/purse_token.h"

#define SESSION "sessionsessionsessionsessi"
#define SAID    32 /* that the purse was told, at most */

static struct mediator_fixture f;
static struct mediator m;
static int64_t clock_ms;
static char said[SAID * 24]; /* one after the other: "CONTRACT SUM;", "end;" */
static const char *refused;  /* the contract whose vouchers the purse does not take; NULL: none */
static bool away;            /* the purse is */
static int jobs;             /* that the keeper got of the clock and of the purse's answers */

struct job *real_job(enum event event, const char *id) __asm__("__real_move_job");
struct job *test_job(enum event event, const char *id) __asm__("__wrap_move_job");
struct job *test_job(enum event event, const char *id)
{
    jobs++;
    return real_job(event, id);
}

int64_t test_clock(void) __asm__("__wrap_time_monotonic_ms");
int64_t test_clock(void)
{
    return clock_ms;
}

enum tp_err test_ask(struct http_client *c,
                     const struct http_question *q) __asm__("__wrap_http_client_ask");
enum tp_err test_ask(struct http_client *c, const struct http_question *q)
{
    const bool end = strstr(q->url, "/sessions/end") != NULL;
    struct purse_token t = {.owner = NULL};
    struct http_said answer = {.type = "", .status = 200, .body = span_str("{\"code\":\"00\"}")};
    const size_t n = strlen(said);

    (void)c;
    ck_assert_msg(purse_token_read(&t, end ? PURSE_END : PURSE_PRESENTATION,
                                   (const char *)q->body.p, f.authority, &f.e) == TP_OK,
                  "%s", f.e.text);
    ck_assert_str_eq(t.session, SESSION);
    snprintf(said + n, sizeof(said) - n, end ? "end;" : "%s %s;", t.contract, t.sum);
    if (away)
        answer = (struct http_said){.type = "", .r = TP_ERR_PEER};
    else if (!end && refused != NULL && strcmp(t.contract, refused) == 0)
        answer = (struct http_said){
            .type = "", .status = 402, .body = span_str("{\"code\":\"03\",\"reason\":\"\"}")};
    purse_token_free(&t);
    q->done(q->ctx, &answer);
    return TP_OK;
}

static void drawn(const char *contract, int64_t total)
{
    struct orderbook_drawn d = {.session = SESSION, .total = total, .number = 1};
    char voucher[] = "head.voucher.0000000000000000000000000000000000000000000"
                     "0000000000000000000000000000000000000000000"; /* a signature's length */

    snprintf(d.contract, sizeof(d.contract), "%s", contract);
    d.voucher = voucher;
    ck_ok(orderbook_drawn_put(f.book, &d, &f.e));
}

static void make(void)
{
    struct orderbook_session s = {.id = SESSION,
                                  .acquirer = PURSE,
                                  .account = "AAAA",
                                  .currency = 978,
                                  .amount = 500,
                                  .until = time(NULL) + 7200,
                                  .state = SESSION_OPEN,
                                  .touched = time(NULL)};

    fixture_make(&f);
    fixture_purse(&f);
    fixture_open(&f);
    clock_ms = 1000;
    said[0] = '\0';
    refused = NULL;
    away = false;
    jobs = 0;
    ck_ok(orderbook_session_add(f.book, &s, "the purse's word", &f.e));
    m = (struct mediator){.dir = f.dir, .registry = f.registry};
    atomic_init(&m.serving, true);
    ck_ok(session_way_open(&m, &f.e));
    drawn(PURSE_CONTRACT, 150);
}

static void drop(void)
{
    session_way_close(&m);
    fixture_end(&f);
}

/* The keeper's thread works off what was begun, and all that follows from it. */
static void look(void)
{
    ck_assert_msg(keeper_open(&m, &f.e) == TP_OK, "%s", f.e.text);
    session_look(&m, f.book);
    keeper_stop(&m);
    keeper_close(&m);
}

static void begin_to_end(void)
{
    struct orderbook_session s;
    bool found = false;

    ck_ok(orderbook_session_get(f.book, SESSION, &s, &found, &f.e));
    ck_assert(found);
    s.state = SESSION_ENDING;
    ck_ok(orderbook_session_move(f.book, &s, &f.e));
}

static enum session_state state(void)
{
    struct orderbook_session s;
    bool found = false;

    ck_ok(orderbook_session_get(f.book, SESSION, &s, &found, &f.e));
    return s.state;
}

static void told(const char *wanted)
{
    ck_assert_str_eq(said, wanted);
    said[0] = '\0';
}

START_TEST(its_vouchers_and_then_its_end)
    {
        drawn(CONTRACT, 40);
        look();
        told(""); /* its time has not come */
        begin_to_end();
        look();
        told(CONTRACT " 40;" PURSE_CONTRACT " 150;end;");
        ck_assert_int_eq(state(), SESSION_ENDED);
    }
END_TEST

/* Books that cannot be read do not say that nothing is left. */
START_TEST(the_books_cannot_be_read)
    {
        bool found = true;
        struct orderbook_drawn d;

        begin_to_end();
        ck_ok(db_exec(orderbook_db(f.book), "ALTER TABLE session_contract RENAME TO away", DB_NONE,
                      NULL, &f.e));
        ck_assert_int_ne(orderbook_drawn_next(f.book, SESSION, "", &d, &found, &f.e), TP_OK);
        ck_assert(!found);
        look();
        told("");
        ck_assert_int_eq(state(), SESSION_ENDING);
        ck_ok(db_exec(orderbook_db(f.book), "ALTER TABLE away RENAME TO session_contract", DB_NONE,
                      NULL, &f.e));
        clock_ms += 1000;
        look();
        told(PURSE_CONTRACT " 150;end;");
        ck_assert_int_eq(state(), SESSION_ENDED);
    }
END_TEST

/* What the purse does not take under one contract keeps nothing else back, but for the end. */
START_TEST(one_contract_is_refused)
    {
        drawn(CONTRACT, 40);
        drawn(OTHER_CONTRACT, 60);
        begin_to_end();
        refused = CONTRACT;
        look();
        told(CONTRACT " 40;");
        clock_ms += 1000;
        look();
        told(OTHER_CONTRACT " 60;" PURSE_CONTRACT " 150;" CONTRACT " 40;");
        clock_ms += 1000;
        look();
        told(CONTRACT " 40;");
        ck_assert_int_eq(state(), SESSION_ENDING);
        refused = NULL;
        clock_ms += 2000;
        look();
        told(CONTRACT " 40;end;");
        ck_assert_int_eq(state(), SESSION_ENDED);
    }
END_TEST

/* What waits for its next try costs the keeper nothing. */
START_TEST(a_purse_that_is_away)
    {
        static const int64_t pause[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600};

        begin_to_end();
        away = true;
        look();
        for (size_t i = 0; i < sizeof(pause) / sizeof(pause[0]); i++) {
            told(PURSE_CONTRACT " 150;");
            ck_assert_int_eq(jobs, (int)i + 1);
            clock_ms += pause[i] * 1000 - 1;
            look();
            told("");
            ck_assert_int_eq(jobs, (int)i + 1);
            clock_ms++;
            look();
        }
        told(PURSE_CONTRACT " 150;");
        away = false;
        clock_ms += 600000;
        look();
        told(PURSE_CONTRACT " 150;end;");
        ck_assert_int_eq(state(), SESSION_ENDED);
    }
END_TEST

/* ---- whatever the purse does ---- */

static uint64_t draw;

static unsigned pick(unsigned n)
{
    draw ^= draw << 13; /* xorshift64 */
    draw ^= draw >> 7;
    draw ^= draw << 17;
    return (unsigned)(draw >> 20) % n;
}

/* What the purse was told last of that contract. */
static int64_t presented(const char *contract)
{
    struct orderbook_drawn d;
    int64_t all = 0;

    ck_ok(orderbook_drawn_get(f.book, SESSION, contract, &d, &all, &f.e));
    free(d.voucher);
    return d.presented;
}

/* It is away, or refuses what comes under any contract, in any order: all that was drawn and not
 * given back is presented before its end, and its end is told once. */
START_TEST(nothing_drawn_is_lost)
    {
        static const char *const contracts[] = {CONTRACT, OTHER_CONTRACT, PURSE_CONTRACT};
        int64_t owed[3];
        unsigned looks = 0;

        draw = 0x9E3779B97F4A7C15U * ((unsigned)_i + 1);
        for (size_t i = 0; i < 3; i++) {
            const int64_t total = 150 + pick(150),
                          back = pick(2) == 0 ? pick((unsigned)total + 1) : 0;

            drawn(contracts[i], total);
            ck_ok(orderbook_drawn_give_back(f.book, SESSION, contracts[i], back, &f.e));
            owed[i] = total - back;
        }
        begin_to_end();
        while (state() != SESSION_ENDED) {
            ck_assert_uint_lt(++looks, 60);
            ck_assert_ptr_null(strstr(said, "end;"));
            said[0] = '\0';
            away = looks < 10 && pick(3) == 0;
            refused = looks < 10 && pick(2) == 0 ? contracts[pick(3)] : NULL;
            clock_ms += pick(2) == 0 ? 600000 : 1000;
            look();
        }
        ck_assert_str_eq(said + strlen(said) - 4, "end;");
        for (size_t i = 0; i < 3; i++)
            ck_assert_int_eq(presented(contracts[i]), owed[i]);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("session_way");
    TCase *t = tcase_create("session_way");

    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, make, drop);
    tcase_add_test(t, its_vouchers_and_then_its_end);
    tcase_add_test(t, the_books_cannot_be_read);
    tcase_add_test(t, one_contract_is_refused);
    tcase_add_test(t, a_purse_that_is_away);
    tcase_add_loop_test(t, nothing_drawn_is_lost, 0, 10);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
