/* The PC/SC driver against a real pcscd: cards come, go, fall silent; the service is killed and
 * comes back. Run by pcsc_driver.sh beside a pcscd of its own. The cards are processes that speak
 * vpcd's protocol (doc/design.md, pcscd and vpcd): 16-bit big-endian length, then a control byte or
 * an APDU.
 */
#include "../unit/unit.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/date.h"
#include "drivers/pcsc.h"

#define PORT      35963 /* the first of the two virtual readers; the second is on the next port */
#define ATR_T1    "3B 80 01 81"
#define ATR_T0    "3B 00"
#define SECONDS   1000
#define INS_LEAVE 0xDA /* the test card leaves the reader in the middle of this command */

static void pause_ms(long ms)
{
    const struct timespec t = {ms / 1000, ms % 1000 * 1000000L};

    nanosleep(&t, NULL);
}

static void answer(int fd, struct span s)
{
    uint8_t raw[300];
    struct buf b = BUF_OF(raw);

    if (buf_be16(&b, (uint16_t)s.n) != TP_OK || buf_put(&b, s) != TP_OK ||
        write(fd, b.p, b.n) != (ssize_t)b.n)
        _exit(1);
}

/* A card's life: READ RECORD gives its own P1 back; on T=0 a case 4 command leaves its answer for
 * GET RESPONSE. */
static void card_answer(int fd, const uint8_t *c, size_t n)
{
    const uint8_t record[] = {0x70, 0x01, c[2], 0x90, 0x00}, waiting[] = {0x61, 0x02},
                  response[] = {0x77, 0x00, 0x90, 0x00}, wrong[] = {0x67, 0x00};

    if (n < 5)
        answer(fd, SPAN_OF(wrong));
    else if (c[1] == INS_LEAVE)
        _exit(0);
    else if (c[1] == 0xA8 && n == 5 + (size_t)c[4])
        answer(fd, SPAN_OF(waiting));
    else if (c[1] == 0xA8 || c[1] == 0xC0)
        answer(fd, SPAN_OF(response));
    else
        answer(fd, SPAN_OF(record));
}

static void card_live(uint16_t port, const char *atr_hex)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    uint8_t head[2], body[300], atr_raw[33];
    struct buf atr = BUF_OF(atr_raw);

    if (hex_decode(&atr, atr_hex) != TP_OK ||
        connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0)
        _exit(1);
    while (recv(fd, head, 2, MSG_WAITALL) == 2) {
        const size_t n = (size_t)(head[0] << 8 | head[1]);

        if (n > sizeof(body) || recv(fd, body, n, MSG_WAITALL) != (ssize_t)n)
            break;
        if (n == 1 && body[0] == 4)
            answer(fd, buf_span(&atr));
        else if (n > 1)
            card_answer(fd, body, n);
    }
    _exit(0);
}

/* Runs a function in a process of its own after a while. */
static pid_t plug_after(long ms, uint16_t port, const char *atr)
{
    const pid_t pid = fork();

    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        pause_ms(ms);
        card_live(port, atr);
    }
    return pid;
}

static void unplug(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static struct reader *opened(const char *wanted)
{
    struct reader *r = NULL;
    struct tp_error e = {0, ""};

    ck_assert_msg(pcsc_open(&r, wanted, false, &e) == TP_OK, "%s", e.text);
    return r;
}

static enum tp_err ask(struct reader *r, uint8_t ins, uint8_t p1, struct tp_error *e)
{
    const struct capdu c = {.ins = ins, .p1 = p1, .p2 = 0x0C, .le = 256};
    uint8_t raw[256];
    struct buf response = BUF_OF(raw);
    uint16_t sw = 0;
    const enum tp_err rc = reader_transmit(r, &c, &response, &sw, e);

    if (rc == TP_OK) {
        ck_assert_uint_eq(sw, 0x9000);
        ck_assert_uint_eq(response.n, 3);
        ck_assert_uint_eq(raw[2], p1);
    }
    return rc;
}

static void ck_says(const struct tp_error *e, const char *words)
{
    ck_assert_msg(strstr(e->text, words) != NULL, "\"%s\" is not in \"%s\"", words, e->text);
}

/* Before each test: the service has seen that the last test's cards are gone. */
static void wait_empty(void)
{
    bool present = true;

    for (int i = 0; i < 100 && present; i++) {
        struct reader_info *list = NULL;
        size_t n = 0;

        present = pcsc_list(&list, &n, NULL) != TP_OK;
        for (size_t k = 0; k < n; k++)
            present = present || list[k].card_present;
        free(list);
        pause_ms(present ? 50 : 0);
    }
    ck_assert(!present);
}

START_TEST(without_a_card)
    {
        struct reader_info *list = NULL;
        struct tp_error e;
        size_t n = 0;
        struct reader *r = opened(NULL), *other = opened("No such reader");
        const int64_t since = time_monotonic_ms();

        ck_ok(pcsc_list(&list, &n, &e));
        ck_assert_uint_eq(n, 2);
        ck_assert_ptr_nonnull(strstr(list[0].name, "Virtual PCD"));
        ck_assert(!list[0].card_present && !list[0].in_use && list[0].atr_n == 0);
        free(list);
        ck_assert_int_eq(reader_wait_card(r, 0, &e), TP_ERR_NO_CARD);
        ck_assert_int_eq(reader_wait_card(r, 700, &e), TP_ERR_NO_CARD);
        ck_assert_int_ge(time_monotonic_ms() - since, 700);
        ck_says(&e, "insert it or name another reader with --reader");
        ck_assert_int_eq(reader_connect(r, &e), TP_ERR_NO_CARD);
        ck_assert_int_eq(reader_wait_card(other, 100, &e), TP_ERR_NO_READER);
        ck_says(&e, "No such reader");
        reader_close(&r);
        reader_close(&other);
    }
END_TEST

START_TEST(a_card_that_comes_while_waiting)
    {
        struct reader *r = opened("00 01");
        struct reader_info *list = NULL;
        struct tp_error e = {0, ""};
        size_t n = 0;
        const pid_t first = plug_after(0, PORT, ATR_T1), card = plug_after(900, PORT + 1, ATR_T1);

        ck_assert_msg(reader_wait_card(r, -1, &e) == TP_OK, "%s",
                      e.text); /* not the card in the other reader */
        ck_assert_ptr_nonnull(strstr(reader_name(r), "00 01"));
        ck_assert_msg(reader_connect(r, &e) == TP_OK, "%s", e.text);
        ck_hex(reader_atr(r), "3B800181");
        for (uint8_t i = 0; i < 20; i++)
            ck_ok(ask(r, 0xB2, i, &e));
        ck_assert_msg(reader_reset(r, &e) == TP_OK, "%s", e.text);
        ck_ok(ask(r, 0xB2, 77, &e));
        ck_assert(!reader_features(r).pin_verify && !reader_features(r).display);
        ck_ok(pcsc_list(&list, &n, &e));
        ck_assert(n == 2 && list[1].card_present && list[1].in_use && !list[0].in_use);
        ck_assert_uint_eq(list[1].atr_n, 4);
        free(list);
        reader_disconnect(r);
        ck_ok(reader_connect(r, &e)); /* powered off and on again */
        ck_ok(ask(r, 0xB2, 78, &e));
        reader_close(&r);
        unplug(first);
        unplug(card);
    }
END_TEST

START_TEST(a_card_on_t0)
    {
        const uint8_t data[] = {0x83, 0x00};
        const struct capdu gpo = {.cla = 0x80, .ins = 0xA8, .data = SPAN_OF(data), .le = 256};
        struct reader *r = opened(NULL);
        const pid_t card = plug_after(0, PORT, ATR_T0);
        uint8_t raw[256];
        struct buf response = BUF_OF(raw);
        struct tp_error e = {0, ""};
        uint16_t sw = 0;

        ck_ok(reader_wait_card(r, 5 * SECONDS, &e));
        ck_assert_msg(reader_connect(r, &e) == TP_OK, "%s", e.text);
        ck_ok(reader_transmit(r, &gpo, &response, &sw, &e));
        ck_hex(buf_span(&response), "7700");
        ck_assert_uint_eq(reader_counts(r).exchanges, 2); /* without Le, then GET RESPONSE */
        reader_close(&r);
        unplug(card);
    }
END_TEST

START_TEST(a_card_held_by_another_program)
    {
        struct reader *r = opened(NULL);
        const pid_t card = plug_after(0, PORT, ATR_T1);
        struct tp_error e = {0, ""};
        int ready[2], status = 0;
        char byte;
        pid_t holder;

        ck_assert_int_eq(pipe(ready), 0);
        ck_ok(reader_wait_card(r, 5 * SECONDS, &e));
        holder = fork();
        if (holder == 0) {
            struct reader *own = opened(NULL);

            _exit(reader_connect(own, &e) == TP_OK && write(ready[1], "", 1) == 1 && pause() == 0);
        }
        ck_assert_int_eq(read(ready[0], &byte, 1), 1);
        ck_assert_int_eq(reader_connect(r, &e), TP_ERR_STATE);
        ck_says(&e, "held by another program");
        kill(holder, SIGKILL);
        waitpid(holder, &status, 0);
        ck_assert_msg(reader_connect(r, &e) == TP_OK, "%s",
                      e.text); /* the service frees it soon after its holder is gone */
        reader_close(&r);
        unplug(card);
    }
END_TEST

START_TEST(a_card_torn_out)
    {
        struct reader *r = opened(NULL);
        pid_t card = plug_after(0, PORT, ATR_T1);
        struct tp_error e = {0, ""};

        ck_ok(reader_wait_card(r, 5 * SECONDS, &e));
        ck_ok(reader_connect(r, &e));
        ck_assert_int_eq(ask(r, INS_LEAVE, 0, &e), TP_ERR_CARD); /* in the middle of a command */
        ck_says(&e, "taken out");
        ck_assert_int_eq(ask(r, 0xB2, 1, &e), TP_ERR_CARD);
        unplug(card);
        reader_disconnect(r);
        card = plug_after(600, PORT, ATR_T1);
        ck_ok(reader_wait_card(r, 5 * SECONDS, &e));
        ck_ok(reader_connect(r, &e));
        ck_ok(ask(r, 0xB2, 2, &e));
        unplug(card); /* between two commands */
        pause_ms(900);
        ck_assert_int_eq(ask(r, 0xB2, 3, &e), TP_ERR_CARD);
        ck_says(&e, "taken out");
        reader_close(&r);
    }
END_TEST

static void kill_service(void)
{
    FILE *f = fopen("/run/pcscd/pcscd.pid", "r");
    int pid = 0;

    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(fscanf(f, "%d", &pid), 1);
    fclose(f);
    ck_assert_int_gt(pid, 1);
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    for (int i = 0; i < 100 && kill(pid, 0) == 0; i++)
        pause_ms(20);
}

static void start_service(void)
{
    const char *dir = getenv("WITH_PCSCD_DIR");
    char conf[200];
    pid_t pid;

    ck_assert_ptr_nonnull(dir);
    snprintf(conf, sizeof(conf), "%s/conf", dir);
    unlink("/run/pcscd/pcscd.pid"); /* else pcscd may take a killed one that nobody has waited for
                                       as running */
    unlink("/run/pcscd/pcscd.comm");
    pid = fork();
    if (pid == 0 && fork() != 0) /* no child of ours, or it would stay as a zombie when killed */
        _exit(0);
    if (pid == 0) {
        execlp("pcscd", "pcscd", "-f", "-c", conf, (char *)NULL);
        _exit(127);
    }
    waitpid(pid, NULL, 0);
}

START_TEST(the_service_is_killed_and_comes_back)
    {
        struct reader *r = opened(NULL), *late = NULL;
        pid_t card = plug_after(0, PORT, ATR_T1), helper;
        struct reader_info *list = NULL;
        struct tp_error e = {0, ""};
        size_t n = 0;

        ck_ok(reader_wait_card(r, 5 * SECONDS, &e));
        ck_ok(reader_connect(r, &e));
        kill_service();
        ck_assert_int_eq(ask(r, 0xB2, 1, &e), TP_ERR_NO_READER);
        ck_says(&e, "pcscd");
        ck_assert_int_eq(pcsc_open(&late, NULL, false, &e), TP_ERR_NO_READER);
        ck_says(&e, "not running");
        ck_assert_int_eq(pcsc_list(&list, &n, &e), TP_ERR_NO_READER);
        ck_says(&e, "not running");
        ck_assert_int_eq(reader_wait_card(r, 0, &e), TP_ERR_NO_READER);
        reader_disconnect(r);
        unplug(card);
        start_service();
        pause_ms(700);
        card = plug_after(500, PORT, ATR_T1);
        ck_assert_msg(reader_wait_card(r, 5 * SECONDS, &e) == TP_OK, "%s", e.text);
        ck_assert_msg(reader_connect(r, &e) == TP_OK, "%s", e.text);
        ck_ok(ask(r, 0xB2, 2, &e));
        reader_disconnect(r);
        unplug(card);
        pause_ms(900);
        helper = fork(); /* killed and started again while we wait */
        if (helper == 0) {
            pause_ms(500);
            kill_service();
            pause_ms(500);
            start_service();
            pause_ms(700);
            card_live(PORT, ATR_T1);
        }
        ck_assert_msg(reader_wait_card(r, 20 * SECONDS, &e) == TP_OK, "%s", e.text);
        ck_assert_msg(reader_connect(r, &e) == TP_OK, "%s", e.text);
        ck_ok(ask(r, 0xB2, 3, &e));
        reader_close(&r);
        unplug(helper);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("pcsc");
    TCase *t = tcase_create("pcsc");

    tcase_add_checked_fixture(t, wait_empty, NULL);
    tcase_set_timeout(t, 40);
    tcase_add_test(t, without_a_card);
    tcase_add_test(t, a_card_that_comes_while_waiting);
    tcase_add_test(t, a_card_on_t0);
    tcase_add_test(t, a_card_held_by_another_program);
    tcase_add_test(t, a_card_torn_out);
    tcase_add_test(t, the_service_is_killed_and_comes_back);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
