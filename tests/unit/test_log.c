/* A daemon's log before a reader that does not read, and under lines that anybody can cause. */
#include "unit.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/date.h"
#include "base/log.h"

#define MANY 20000

struct child {
    pid_t pid;
    int err, done; /* its stderr; a byte when it has logged all */
};

static void many_notes(void)
{
    for (unsigned i = 0; i < MANY; i++)
        log_note("payment %06u acknowledged", i);
}

static void many_strangers(void)
{
    for (unsigned i = 0; i < MANY; i++)
        log_stranger("127.0.0.1:%u: TLS handshake refused", i);
    log_error("the last line");
}

static struct child start(void (*speak)(void))
{
    int err[2], done[2];
    struct child c;

    ck_assert(pipe(err) == 0 && pipe(done) == 0);
    c.pid = fork();
    ck_assert_int_ge(c.pid, 0);
    if (c.pid == 0) {
        dup2(err[1], STDERR_FILENO);
        close(err[0]);
        close(err[1]);
        close(done[0]);
        log_start("daemon", LOG_LEVEL_NOTE, 1);
        speak();
        if (write(done[1], "x", 1) != 1)
            _exit(1);
        exit(0);
    }
    close(err[1]);
    close(done[1]);
    c.err = err[0];
    c.done = done[0];
    return c;
}

static void all_said(const struct child *c)
{
    struct pollfd p = {.fd = c->done, .events = POLLIN};

    ck_assert_int_eq(poll(&p, 1, 20000), 1);
    ck_assert_int_ne(p.revents & POLLIN, 0);
}

struct heard {
    unsigned long lines, said, dropped, unsaid, last;
};

static struct heard hear(const struct child *c, const char *word)
{
    FILE *f = fdopen(c->err, "r");
    char line[2048];
    struct heard h = {0};

    ck_assert_ptr_nonnull(f);
    while (fgets(line, sizeof(line), f) != NULL) {
        const char *text = strstr(line, "daemon: ");

        ck_assert_ptr_nonnull(text);
        ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);
        text += strlen("daemon: ");
        h.lines++;
        h.said += strstr(text, word) != NULL;
        h.last += strcmp(text, "the last line\n") == 0;
        if (strstr(text, "were dropped") != NULL)
            h.dropped += strtoul(text, NULL, 10);
        if (strstr(text, "were not said") != NULL)
            h.unsaid += strtoul(text, NULL, 10);
    }
    fclose(f);
    close(c->done);
    return h;
}

START_TEST(a_reader_that_does_not_read_stops_nobody)
    {
        const struct child c = start(many_notes);
        struct heard h;
        int status = 0;

        all_said(&c); /* while nothing of stderr was read */
        h = hear(&c, "acknowledged");
        ck_assert_int_eq(waitpid(c.pid, &status, 0), c.pid);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        ck_assert_uint_gt(h.said, 1000);
        ck_assert_uint_gt(h.dropped, 0);
        ck_assert_uint_eq(h.said + h.dropped, MANY);
    }
END_TEST

START_TEST(the_end_waits_for_no_reader_either)
    {
        const struct child c = start(many_notes);
        const int64_t begun = time_monotonic_ms();
        int status = 0;

        ck_assert_int_eq(waitpid(c.pid, &status, 0), c.pid);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        ck_assert_int_lt(time_monotonic_ms() - begun, 15000);
        close(c.err);
        close(c.done);
    }
END_TEST

START_TEST(strangers_fill_no_log)
    {
        const struct child c = start(many_strangers);
        const struct heard h = hear(&c, "handshake");
        int status = 0;

        ck_assert_int_eq(waitpid(c.pid, &status, 0), c.pid);
        ck_assert_uint_ge(h.said, LOG_STRANGER_BURST);
        ck_assert_uint_lt(h.lines, 100);
        ck_assert_uint_eq(h.said + h.unsaid, MANY);
        ck_assert_uint_eq(h.last, 1); /* what is not a stranger's is said all the same */
        ck_assert_uint_eq(h.dropped, 0);
    }
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("log");
    TCase *t = tcase_create("daemon");

    tcase_set_timeout(t, 60);
    tcase_add_test(t, a_reader_that_does_not_read_stops_nobody);
    tcase_add_test(t, the_end_waits_for_no_reader_either);
    tcase_add_test(t, strangers_fill_no_log);
    suite_add_tcase(s, t);
    return s;
}

UNIT_MAIN(suite)
