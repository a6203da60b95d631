/* kill -9 at random instants in the middle of group commits: what was acknowledged (reported over a
 * pipe after the commit) is in the books, counted once, and the books agree with themselves.
 * Seeded: LEDGER_KILL_SEED, LEDGER_KILLS (default 120). */
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "ledger_fixture.h"

#define START_MS  60000 /* for the writer's first acknowledgement */
#define GROUP_MAX 16

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13; /* xorshift64 */
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* One group: payments, now and then a reversal or a close; then the numbers of the kept ones go
 * into the pipe, whole lines of 13 bytes. */
static void work_group(struct ledger *l, uint32_t *stan, uint64_t *random, int pipe_fd)
{
    char said[GROUP_MAX][RRN_MAX];
    const size_t n = 1 + next_random(random) % GROUP_MAX;
    struct tp_error e;
    struct remise closed;
    enum ledger_verdict v;
    struct tx_room room;

    if (ledger_group_begin(l, &e) != TP_OK)
        _exit(2);
    for (size_t i = 0; i < n; i++) {
        const uint32_t s = (*stan)++;
        struct tx_record tx = fixture_tx(&room, s % 1000000, s, 1, 1 + s % 5000);

        tx.local_time = INT64_C(20260101000000) + (int64_t)(s / 1000000) * 1000000;
        if (ledger_acknowledge(l, &tx, &v, &e) != TP_OK || v != LEDGER_NEW)
            _exit(3);
        memcpy(said[i], tx.rrn, RRN_MAX);
    }
    if (next_random(random) % 4 == 0 && ledger_reverse(l, said[0], &e) != TP_OK)
        _exit(4);
    if (ledger_group_commit(l, &e) != TP_OK)
        _exit(5);
    for (size_t i = 0; i < n; i++)
        said[i][RRN_MAX - 1] = '\n';
    if (write(pipe_fd, said, n * RRN_MAX) !=
        (ssize_t)(n * RRN_MAX)) /* less than PIPE_BUF: whole or not at all */
        _exit(6);
    if (next_random(random) % 8 == 0 && ledger_remise_close(l, CONTRACT, &closed, &e) != TP_OK &&
        e.code != TP_ERR_NOT_FOUND)
        _exit(7);
}

static void child(const char *path, uint32_t stan, uint64_t random, int pipe_fd)
{
    struct ledger *l = NULL;
    struct tp_error e;

    if (ledger_open(&l, path, &e) != TP_OK)
        _exit(1);
    for (;;)
        work_group(l, &stan, &random, pipe_fd);
}

static int64_t ask(struct ledger *l, const char *sql)
{
    int64_t v = -1;

    ck_ok(db_number(ledger_db(l), sql, DB_NONE, &v, NULL, NULL));
    return v;
}

static void check_books(struct ledger *l, FILE *said, uint64_t *acknowledged)
{
    char line[32];
    struct tx_record tx;
    struct tp_error e;

    while (fgets(line, sizeof(line), said) != NULL) {
        line[RRN_MAX - 1] = '\0';
        ck_assert_msg(ledger_tx_get(l, line, &tx, &e) == TP_OK, "acknowledged %s is lost: %s", line,
                      e.text);
        (*acknowledged)++;
    }
    ck_assert_int_eq(ask(l, "SELECT count(*) FROM pragma_quick_check WHERE quick_check <> 'ok'"),
                     0);
    ck_assert_int_eq(ask(l, "SELECT count(*) FROM contract WHERE (SELECT count(*) FROM remise "
                            "WHERE contract = contract.contract AND state = 0) <> 1"),
                     0);
    ck_assert_int_eq(ask(l, "SELECT count(*) - max(number) FROM remise"), 0);
    /* the running and frozen totals of every remise against its own rows */
    ck_assert_int_eq(
        ask(l,
            "SELECT count(*) FROM remise r WHERE debits <> (SELECT count(*) FROM tx WHERE "
            "tx.remise = r.remise AND NOT EXISTS"
            " (SELECT 1 FROM reversal WHERE reversal.rrn = tx.rrn)) OR debit_amount + "
            "reversal_amount <>"
            " (SELECT coalesce(sum(amount), 0) FROM tx WHERE tx.remise = r.remise) OR reversals <>"
            " (SELECT count(*) FROM tx JOIN reversal ON reversal.rrn = tx.rrn WHERE tx.remise = "
            "r.remise)"),
        0);
}

/* At an instant of its beginning, or at one after its first acknowledgement, however slow the
 * machine is. */
static void kill_once(struct fixture *f, bool at_work, uint64_t *random, uint64_t *acknowledged,
                      uint32_t *stan)
{
    int ends[2], status;
    pid_t pid;

    ck_assert_int_eq(pipe(ends), 0);
    const uint64_t seed = next_random(random) | 1;

    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        unit_leave_check(ends[1]);
        child(f->path, *stan, seed, ends[1]);
    }
    ck_assert_int_gt(pid, 0);
    close(ends[1]);
    const struct timespec pause = {0, (long)(500000 + next_random(random) % 40000000)};

    if (at_work)
        ck_assert_int_eq(poll(&(struct pollfd){.fd = ends[0], .events = POLLIN}, 1, START_MS), 1);
    nanosleep(&pause, NULL);
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    ck_assert_msg(WIFSIGNALED(status), "the writer failed by itself with %d", WEXITSTATUS(status));
    FILE *said = fdopen(ends[0], "r");

    ck_assert_ptr_nonnull(said);
    ck_ok(ledger_open(&f->l, f->path, &f->e));
    check_books(f->l, said, acknowledged);
    *stan = (uint32_t)ask(
        f->l, "SELECT coalesce(max((date - 20260101) * 1000000 + stan), 0) + 1 FROM tx");
    ledger_close(&f->l);
    fclose(said);
}

START_TEST(nothing_acknowledged_is_lost)
    {
        const char *seed = getenv("LEDGER_KILL_SEED"), *kills = getenv("LEDGER_KILLS");
        uint64_t random = seed != NULL ? strtoull(seed, NULL, 10) | 1 : 20261123, acknowledged = 0;
        const int n = kills != NULL ? atoi(kills) : 120;
        uint32_t stan = 1;
        struct fixture f;

        fixture_start(&f);
        ledger_close(&f.l);
        for (int i = 0; i < n; i++)
            kill_once(&f, i % 2 != 0, &random, &acknowledged, &stan);
        ck_ok(ledger_open(&f.l, f.path, &f.e));
        printf("%d kills, %llu acknowledged payments all there, %lld in the books, %lld remises\n",
               n, (unsigned long long)acknowledged, (long long)ask(f.l, "SELECT count(*) FROM tx"),
               (long long)ask(f.l, "SELECT count(*) FROM remise"));
        ck_assert_uint_ge(acknowledged, (uint64_t)n / 2);
        ck_assert_int_ge(ask(f.l, "SELECT count(*) FROM tx"), (int64_t)acknowledged);
        fixture_end(&f);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("ledger_kill");
    TCase *t = tcase_create("ledger_kill");

    tcase_set_timeout(t, 300);
    tcase_add_test(t, nothing_acknowledged_is_lost);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
