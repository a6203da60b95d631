/* Power loss: a child runs transactions and PIN trials on a card and is killed at a random instant, a hundred and fifty times over. Whatever it told before
 * it died holds for the card that opens next: no ATC comes twice, and PIN tries come back only by the right PIN. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "simcard/state.h"
#include "../unit/card_rig.h"

#define ROUNDS     150
#define MAX_MS     20
#define START_MS   30000 /* for the card to open, on a busy machine */
#define SEED       20261123U
#define TOLD_READY 'R'
#define TOLD_ATC   'A' /* with the ATC shown by the card */
#define TOLD_TRIES 'W' /* with the tries left after a wrong PIN */
#define ABOUT_PIN  'P' /* the right PIN goes to the card next */

struct told {
    char what;
    uint8_t tries;
    uint16_t atc;
};

static void tell(int fd, char what, uint16_t atc, uint8_t tries)
{
    const struct told t = {what, tries, atc};

    if (write(fd, &t, sizeof(t)) != (ssize_t)sizeof(t)) /* a pipe takes so few bytes whole or not at all */
        _exit(2);
}

static unsigned send_hex(struct card *c, const char *hex, uint8_t answer[300], size_t *n)
{
    uint8_t raw[300];
    struct buf command = BUF_OF(raw), out = {answer, 0, 300};

    if (hex_decode(&command, hex) != TP_OK || card_transmit(c, buf_span(&command), &out) != TP_OK || out.n < 2)
        _exit(3);
    *n = out.n - 2;
    return (unsigned)(answer[out.n - 2] << 8 | answer[out.n - 1]);
}

/* Until it is killed. */
static void live(const char *dir, int fd)
{
    uint8_t answer[300], atr_raw[33];
    struct buf atr = BUF_OF(atr_raw);
    struct card *c;
    struct tp_error e;
    size_t n;

    if (card_open(&c, dir, CARD_DURABLE, &e) != TP_OK || card_power_on(c, &atr) != TP_OK)
        _exit(4);
    tell(fd, TOLD_READY, 0, 0);
    for (unsigned round = 0;; round++) {
        if (send_hex(c, RIG_SELECT, answer, &n) != 0x9000 || send_hex(c, RIG_GPO, answer, &n) != 0x9000)
            _exit(5);
        if (round % 3 == 1) {
            const unsigned sw = send_hex(c, "0020008008244321FFFFFFFFFF", answer, &n);

            if ((sw & 0xFFF0) != 0x63C0)
                _exit(6);
            tell(fd, TOLD_TRIES, 0, (uint8_t)(sw & 0x0F));
        }
        if (round % 3 == 0) {
            tell(fd, ABOUT_PIN, 0, 0);
            if (send_hex(c, "0020008008241234FFFFFFFFFF", answer, &n) != 0x9000)
                _exit(7);
        }
        if (send_hex(c, "80AE400059" RIG_CDOL1 "00", answer, &n) != 0x9000)
            _exit(8);
        tell(fd, TOLD_ATC, (uint16_t)(answer[9] << 8 | answer[10]), 0); /* 77 L 9F27 01 CID 9F36 02 ATC … */
    }
}

struct seen {
    unsigned atc;   /* the last one told */
    unsigned tries; /* at most so many are left */
    unsigned long transactions;
};

static void take(struct seen *s, const struct told *t)
{
    switch (t->what) {
    case TOLD_ATC:
        ck_assert_msg(t->atc > s->atc, "ATC %u after %u", t->atc, s->atc);
        s->atc = t->atc;
        s->transactions++;
        break;
    case TOLD_READY:
        break;
    case TOLD_TRIES:
        ck_assert_msg(t->tries < s->tries, "%u tries left after a wrong PIN, %u before", t->tries, s->tries);
        s->tries = t->tries;
        break;
    default:
        ck_assert_int_eq(t->what, ABOUT_PIN);
        s->tries = 15;
        break;
    }
}

static void drain(struct seen *s, int fd)
{
    struct told t;

    while (read(fd, &t, sizeof(t)) == (ssize_t)sizeof(t))
        take(s, &t);
}

static void one_life(struct seen *s, const char *dir, unsigned *seed)
{
    const unsigned us = (unsigned)rand_r(seed) % (MAX_MS * 1000);
    const struct timespec life = {0, (long)us * 1000};
    struct card_state state;
    struct tp_error e;
    int ends[2], status;

    ck_assert_int_eq(pipe(ends), 0);
    const pid_t child = fork();

    ck_assert_int_ge(child, 0);
    if (child == 0) {
        close(ends[0]);
        live(dir, ends[1]);
    }
    close(ends[1]);
    ck_assert_int_eq(poll(&(struct pollfd){.fd = ends[0], .events = POLLIN}, 1, START_MS), 1);
    nanosleep(&life, NULL);
    kill(child, SIGKILL);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFSIGNALED(status), "the card ended by itself with %d", WEXITSTATUS(status));
    drain(s, ends[0]);
    close(ends[0]);
    ck_assert_msg(state_peek(&state, dir, &e) == TP_OK, "%s", e.text);
    ck_assert_uint_ge(state.atc, s->atc);
    ck_assert_uint_le(state.pin_tries, s->tries < 15 ? s->tries : 15);
    s->atc = state.atc; /* what is on the disk is used up too */
}

START_TEST(killed_at_random_instants)
    {
        char dir[64] = "/tmp/telepay-power-XXXXXX", command[128];
        struct seen s = {0, 15, 0};
        unsigned seed = SEED;
        struct perso_params p;
        struct card_profile *card;
        struct tp_error e;

        ck_assert_ptr_nonnull(mkdtemp(dir));
        rig_params(&p);
        p.pin_tries = 15;
        ck_ok(perso_make(&card, rig_scheme(), &p, &e));
        ck_ok(perso_save(card, dir, &e));
        profile_free(&card);
        for (int i = 0; i < ROUNDS; i++)
            one_life(&s, dir, &seed);
        ck_assert_msg(s.transactions > ROUNDS / 5, "only %lu transactions: the child was killed too early to prove anything", s.transactions);
        printf("%d kills, %lu transactions told, ATC %u\n", ROUNDS, s.transactions, s.atc);
        snprintf(command, sizeof(command), "rm -rf '%s'", dir);
        ck_assert_int_eq(system(command), 0);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("card_power");
    TCase *t = tcase_create("card_power");

    tcase_set_timeout(t, 300);
    tcase_add_test(t, killed_at_random_instants);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
