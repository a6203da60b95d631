/* Power loss: a child runs transactions, PIN trials and issuer scripts on a card and is killed at a
 * random instant, a hundred and fifty times over. Whatever it told before it died holds for the
 * card that opens next: no ATC comes twice, PIN tries come back only by the right PIN or the
 * issuer, and what the issuer changed (PIN, limit, record) is there, whole, as the last command
 * that was answered left it, or as one left it that was under way. */
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
#include "../unit/issuer_double.h"

#define ROUNDS 150
#define MAX_MS 40
#define LONG_MS                                                                                    \
    200 /* every fourth life: on a slow machine no transaction would come to its end otherwise */
#define START_MS   30000 /* for the card to open, on a busy machine */
#define SEED       20261123U
#define TOLD_READY 'R'
#define TOLD_ATC   'A' /* with the ATC shown by the card */
#define TOLD_TRIES 'W' /* with the tries left after a wrong PIN */
#define ABOUT_PIN  'P' /* the right PIN goes to the card next */
#define ABOUT_SET                                                                                  \
    'S'              /* the issuer changes PIN, limit and record to a value next, in this order    \
                      */
#define TOLD_SET 'D' /* and that was done, one after the other */

struct told {
    char what;
    uint8_t tries;
    uint16_t atc;
};

static void tell(int fd, char what, uint16_t atc, uint8_t tries)
{
    const struct told t = {what, tries, atc};

    if (write(fd, &t, sizeof(t)) !=
        (ssize_t)sizeof(t)) /* a pipe takes so few bytes whole or not at all */
        _exit(2);
}

static unsigned send_hex(struct card *c, const char *hex, uint8_t answer[300], size_t *n)
{
    uint8_t raw[300];
    struct buf command = BUF_OF(raw), out = {answer, 0, 300};

    if (hex_decode(&command, hex) != TP_OK || card_transmit(c, buf_span(&command), &out) != TP_OK ||
        out.n < 2)
        _exit(3);
    *n = out.n - 2;
    return (unsigned)(answer[out.n - 2] << 8 | answer[out.n - 1]);
}

/* ---- the issuer: the value 0 to 99 goes into the PIN (12vv), the limit 9F58 (vv) and a record (vv
 * all over) ---- */

static const struct double_issuer issuer_keys = {
    .kind = DOUBLE_CVN_18, .ac = {1, 2, 3, 4}, .smi = {5, 6, 7, 8}, .smc = {9, 10, 11, 12}};

#define RECORD_BODY 100

static void record_of(uint8_t out[2 + 3 + RECORD_BODY], uint8_t value)
{
    static const uint8_t head[] = {0x70, 3 + RECORD_BODY, 0x9F, 0x20, RECORD_BODY};

    memcpy(out, head, sizeof(head));
    memset(out + sizeof(head), value, RECORD_BODY);
}

static void do_script(struct card *c, struct double_issuer *d, const char *head, const char *plain,
                      bool encipher)
{
    char hex[DOUBLE_HEX];
    uint8_t answer[300];
    size_t n;

    double_script(hex, d, head, plain, encipher, 8);
    if (send_hex(c, hex, answer, &n) != 0x9000)
        _exit(9);
}

/* After an ARQC, whose answer is given. */
static void change_all(struct card *c, const uint8_t *ac_answer, uint8_t value, int fd)
{
    struct double_issuer d = issuer_keys;
    uint8_t record[2 + 3 + RECORD_BODY];
    char pin[5], block[17], text[2 * sizeof(record) + 1];
    struct tlv atc, ac;

    if (tlv_find_deep(span_of(ac_answer, 2U + ac_answer[1]), 0x9F36, &atc) != TP_OK ||
        tlv_find_deep(span_of(ac_answer, 2U + ac_answer[1]), 0x9F26, &ac) != TP_OK)
        _exit(10);
    double_start(&d, atc.value, ac.value);
    tell(fd, ABOUT_SET, value, 0);
    snprintf(pin, sizeof(pin), "12%02u", value);
    double_pin(block, &d, pin, NULL);
    do_script(c, &d, "84240002", block, true);
    tell(fd, TOLD_SET, value, 1);
    snprintf(text, sizeof(text), "%02X", value);
    do_script(c, &d, "04DA9F58", text, false);
    tell(fd, TOLD_SET, value, 2);
    record_of(record, value);
    do_script(c, &d, "04DC010C", hex_encode(text, SPAN_OF(record)), false);
    tell(fd, TOLD_SET, value, 3);
}

/* Until it is killed. */
static void live(const char *dir, int fd, uint8_t value, unsigned first)
{
    uint8_t answer[300], atr_raw[33];
    struct buf atr = BUF_OF(atr_raw);
    struct card *c;
    struct tp_error e;
    size_t n;

    if (card_open(&c, dir, CARD_DURABLE, &e) != TP_OK || card_power_on(c, &atr) != TP_OK)
        _exit(4);
    tell(fd, TOLD_READY, 0, 0);
    for (unsigned round = first;; round++) {
        if (send_hex(c, RIG_SELECT, answer, &n) != 0x9000 ||
            send_hex(c, RIG_GPO, answer, &n) != 0x9000)
            _exit(5);
        if (round % 3 == 1) {
            const unsigned sw = send_hex(c, "0020008008244321FFFFFFFFFF", answer, &n);

            if ((sw & 0xFFF0) != 0x63C0) /* 4321 is none of ours */
                _exit(6);
            tell(fd, TOLD_TRIES, 0, (uint8_t)(sw & 0x0F));
        }
        if (round % 3 == 0) {
            char verify[32];

            tell(fd, ABOUT_PIN, 0, 0);
            snprintf(verify, sizeof(verify), "00200080082412%02uFFFFFFFFFF", value);
            if (send_hex(c, verify, answer, &n) != 0x9000)
                _exit(7);
        }
        if (send_hex(c, round % 3 == 2 ? "80AE800059" RIG_CDOL1 "00" : "80AE400059" RIG_CDOL1 "00",
                     answer, &n) != 0x9000)
            _exit(8);
        tell(fd, TOLD_ATC, (uint16_t)(answer[9] << 8 | answer[10]),
             0); /* 77 L 9F27 01 CID 9F36 02 ATC … */
        if (round % 3 == 2) {
            value = (uint8_t)((value + 1) % 100);
            change_all(c, answer, value, fd);
        }
    }
}

struct seen {
    unsigned atc;   /* the last one told */
    unsigned tries; /* at most so many are left */
    unsigned long transactions, changes;
    uint8_t value[3]; /* of PIN, limit and record, as last told */
    bool setting;     /* a change of all three is under way, to: */
    uint8_t next;
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
    case ABOUT_SET:
        s->setting = true;
        s->next = (uint8_t)t->atc;
        s->tries = 15; /* a new PIN has all of them */
        break;
    case TOLD_SET:
        s->value[t->tries - 1] = (uint8_t)t->atc;
        s->setting = t->tries < 3;
        s->changes++;
        break;
    case TOLD_TRIES:
        ck_assert_msg(t->tries < s->tries, "%u tries left after a wrong PIN, %u before", t->tries,
                      s->tries);
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

/* What one of the three holds; a change under way may have come that far, in its order. */
static uint8_t held(const struct card_state *state, int which)
{
    struct span in = {state->changed, state->changed_n}, record = {NULL, 0};
    uint8_t whole[2 + 3 + RECORD_BODY], sfi, number;

    if (which == 0)
        return (state->flags & STATE_PIN_CHANGED) != 0
                   ? (uint8_t)((state->pin_block[2] >> 4) * 10 + (state->pin_block[2] & 0x0F))
                   : 34;
    if (which == 1)
        return (state->flags & STATE_LIMITS_SET) != 0 ? (uint8_t)state->limits.count_limit : 34;
    if (in.n == 0)
        return 34;
    ck_ok(state_changed_next(&in, &sfi, &number, &record));
    record_of(whole, record.p[record.n - 1]);
    ck_assert(span_eq(record, SPAN_OF(whole))); /* one value all through */
    return record.p[record.n - 1];
}

static void check_changes(struct seen *s, const struct card_state *state)
{
    bool later_ones_new =
        true; /* from the last to the first: none is new before those ahead of it */

    for (int i = 2; i >= 0; i--) {
        const uint8_t has = held(state, i);

        if (has != s->value[i]) {
            ck_assert_msg(s->setting && has == s->next, "%u where %u was told, %u under way", has,
                          s->value[i], s->next);
            later_ones_new = false;
        } else if (!later_ones_new) {
            ck_assert_msg(has == s->next, "a later change is there, an earlier one is not");
        }
        s->value[i] = has;
    }
    s->setting = false;
}

static void one_life(struct seen *s, const char *dir, unsigned first, unsigned *seed)
{
    const unsigned most = first % 4 == 0 ? LONG_MS : MAX_MS,
                   us = (unsigned)rand_r(seed) % (most * 1000);
    const struct timespec life = {0, (long)us * 1000};
    struct card_state state;
    struct tp_error e;
    int ends[2], status;

    ck_assert_int_eq(pipe(ends), 0);
    const pid_t child = fork();

    if (child == 0) {
        unit_leave_check(ends[1]);
        live(dir, ends[1], s->value[0], first);
    }
    ck_assert_int_gt(child, 0);
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
    check_changes(s, &state);
    s->atc = state.atc; /* what is on the disk is used up too */
}

START_TEST(killed_at_random_instants)
    {
        char dir[64] = "/tmp/telepay-power-XXXXXX", command[128];
        struct seen s = {.tries = 15, .value = {34, 34, 34}};
        unsigned seed = SEED;
        struct perso_params p;
        struct card_profile *card;
        struct tp_error e;

        ck_assert_ptr_nonnull(mkdtemp(dir));
        rig_params(&p);
        p.pin_tries = 15;
        p.method = PERSO_DDA; /* the cryptogram stands beside the signature, for the issuer */
        ck_ok(perso_make(&card, rig_scheme(), &p, &e));
        card->ask_online = 0; /* what is asked for is what comes */
        memcpy(card->ac_key.p, issuer_keys.ac, 16);
        memcpy(card->smi_key.p, issuer_keys.smi, 16);
        memcpy(card->smc_key.p, issuer_keys.smc, 16);
        ck_ok(perso_save(card, dir, &e));
        profile_free(&card);
        for (int i = 0; i < ROUNDS; i++)
            one_life(&s, dir, (unsigned)i,
                     &seed); /* each begins with another kind of transaction */
        ck_assert_msg(s.transactions > ROUNDS / 5,
                      "only %lu transactions: the child was killed too early to prove anything",
                      s.transactions);
        ck_assert_msg(s.changes > ROUNDS / 5, "only %lu changes by the issuer", s.changes);
        printf("%d kills, %lu transactions and %lu changes told, ATC %u\n", ROUNDS, s.transactions,
               s.changes, s.atc);
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
