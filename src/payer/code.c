#include "payer/code.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#include "payer/dialog.h"
#include "payer/keystore.h"

#define LOOK_MS 100 /* between looks at whether the person leaves */

static const int leaving[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

/* The signals that end a program are held back while the terminal does not echo, and do their work
 * afterwards. */
static bool left(void)
{
    sigset_t pending;
    bool any = false;

    sigpending(&pending);
    for (size_t i = 0; i < sizeof(leaving) / sizeof(leaving[0]); i++)
        any = any || sigismember(&pending, leaving[i]) == 1;
    return any;
}

/* A line; longer than any code it is cut, and so still none. */
static enum tp_err read_line(struct secret *out, int fd, struct tp_error *e)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    struct secret room = {0};
    enum tp_err r = secret_alloc(&room, KEYSTORE_CODE_MAX + 2);
    uint8_t *const byte = r == TP_OK ? &room.p[KEYSTORE_CODE_MAX + 1] : NULL;
    size_t n = 0;
    ssize_t got = 1;

    while (r == TP_OK && got > 0) {
        if (left()) {
            r = tp_fail(e, TP_ERR_CANCELLED, "given up");
        } else if (poll(&wait, 1, LOOK_MS) > 0) {
            got = read(fd, byte, 1);
            if (got < 0 && (errno == EINTR || errno == EAGAIN))
                got = 1;
            else if (got < 0)
                r = tp_fail(e, TP_ERR_USAGE, "the code cannot be read: see --code-fd");
            else if (got == 0 || *byte == '\n')
                break;
            else if (n <= KEYSTORE_CODE_MAX && *byte != '\r')
                room.p[n++] = *byte;
        }
    }
    if (r == TP_OK && n > 0)
        r = secret_copy(out, span_of(room.p, n));
    secret_free(&room);
    return r;
}

static enum tp_err ask_terminal(struct secret *out, const char *text, const char *error,
                                struct tp_error *e)
{
    struct termios before, quiet;
    sigset_t held, mask;
    const int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    enum tp_err r;

    if (tty < 0)
        return tp_fail(e, TP_ERR_USAGE,
                       "there is no terminal to ask the code on: give it with --code-fd");
    if (tcgetattr(tty, &before) != 0) {
        close(tty);
        return tp_fail(e, TP_ERR_USAGE, "the terminal cannot be told not to echo");
    }
    sigemptyset(&held);
    for (size_t i = 0; i < sizeof(leaving) / sizeof(leaving[0]); i++)
        sigaddset(&held, leaving[i]);
    pthread_sigmask(SIG_BLOCK, &held, &mask);
    quiet = before;
    quiet.c_lflag = (quiet.c_lflag & ~(tcflag_t)(ECHO | ECHONL)) | ICANON | ISIG;
    tcsetattr(tty, TCSAFLUSH, &quiet);
    (void)dprintf(tty, "\r%s%s%s: ", error != NULL ? error : "", error != NULL ? " " : "", text);
    r = read_line(out, tty, e);
    (void)dprintf(tty, "\n");
    tcsetattr(tty, TCSAFLUSH, &before);
    close(tty);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    return r;
}

static enum tp_err ask_dialog(struct secret *out, const char *program, const char *text,
                              const char *error, struct tp_error *e)
{
    struct dialog *dialog = NULL;
    enum tp_err r = dialog_open(&dialog, program, e);

    if (r == TP_OK)
        r = dialog_secret(dialog, text, "Code:", error, out, e);
    dialog_close(&dialog);
    return r;
}

enum tp_err code_ask(struct secret *out, const struct code_source *from, const char *text,
                     const char *error, struct tp_error *e)
{
    enum tp_err r;

    if (from->fd >= 0)
        r = read_line(out, from->fd, e);
    else if (from->dialog != NULL)
        r = ask_dialog(out, from->dialog, text, error, e);
    else
        r = ask_terminal(out, text, error, e);
    if (r == TP_OK && out->n == 0)
        return error != NULL && from->fd >= 0 ? tp_fail(e, TP_ERR_SECURITY, "%s", error)
                                              : tp_fail(e, TP_ERR_CANCELLED, "no code was given");
    if (r == TP_OK && (out->n < KEYSTORE_CODE_MIN || out->n > KEYSTORE_CODE_MAX)) {
        secret_free(out);
        r = tp_fail(e, TP_ERR_USAGE, "a code has %d to %d characters", KEYSTORE_CODE_MIN,
                    KEYSTORE_CODE_MAX);
    }
    return r;
}

enum tp_err code_ask_new(struct secret *out, const struct code_source *from, const char *user,
                         struct tp_error *e)
{
    char text[128];
    struct secret again = {0};
    enum tp_err r;

    snprintf(text, sizeof(text), "New code of the key of %s (%d to %d characters)", user,
             KEYSTORE_CODE_MIN, KEYSTORE_CODE_MAX);
    r = code_ask(out, from, text, NULL, e);
    if (r != TP_OK || from->fd >= 0)
        return r;
    r = code_ask(&again, from, "The same again", NULL, e);
    if (r == TP_OK && !secret_eq(secret_span(out), secret_span(&again)))
        r = tp_fail(e, TP_ERR_USAGE, "the codes are not the same: nothing was changed");
    secret_free(&again);
    return r;
}
