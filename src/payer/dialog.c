#include "payer/dialog.h"

#include <assuan.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TIMEOUT_S  "60"
#define LINE_ROOM  900 /* characters of a command (libassuan: 1000) */
#define TEXT_PARTS 3   /* characters that one may come to when it is written with % */

struct dialog {
    assuan_context_t ctx;
    char program[256];
};

static enum tp_err fault(const struct dialog *d, gpg_error_t code, struct tp_error *e)
{
    switch (gpg_err_code(code)) {
    case GPG_ERR_CANCELED:
    case GPG_ERR_FULLY_CANCELED:
    case GPG_ERR_NOT_CONFIRMED:
    case GPG_ERR_TIMEOUT:
        return tp_fail(e, TP_ERR_CANCELLED, "given up: nothing was paid");
    default:
        return tp_fail(e, TP_ERR_PEER, "%s fails: %s; nothing was paid", d->program,
                       gpg_strerror(code));
    }
}

static gpg_error_t tell(struct dialog *d, const char *line)
{
    return assuan_transact(d->ctx, line, NULL, NULL, NULL, NULL, NULL, NULL);
}

/* "SETDESC text": the characters that a line may not hold are written with %. */
static gpg_error_t say_text(struct dialog *d, const char *command, const char *text)
{
    char line[LINE_ROOM + TEXT_PARTS + 1];
    size_t n = (size_t)snprintf(line, sizeof(line), "%s ", command);

    for (; *text != '\0' && n < LINE_ROOM; text++) {
        if (*text == '%' || (unsigned char)*text < ' ')
            n += (size_t)snprintf(line + n, sizeof(line) - n, "%%%02X", (unsigned char)*text);
        else
            line[n++] = *text;
    }
    while (*text != '\0' && n > 0 && (line[n - 1] & 0x80) != 0) /* cut: no half character */
        n--;
    line[n] = '\0';
    return tell(d, line);
}

/* Where it may ask when there is no window: as gpg says it, else the terminal that we have. */
static void say_terminal(struct dialog *d)
{
    const char *tty = getenv("GPG_TTY"), *type = getenv("TERM");
    char line[300], own[200];

    if (tty == NULL && ttyname_r(STDERR_FILENO, own, sizeof(own)) == 0)
        tty = own;
    if (tty == NULL)
        return;
    snprintf(line, sizeof(line), "OPTION ttyname=%.200s", tty);
    (void)tell(d, line);
    snprintf(line, sizeof(line), "OPTION ttytype=%.60s", type != NULL ? type : "vt100");
    (void)tell(d, line);
}

/* The window hears the signals that a payment holds back: its own time-out is one. */
static void hear_signals(void *ctx, int reserved)
{
    sigset_t none;

    (void)ctx;
    (void)reserved;
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, NULL);
}

/* libassuan looks for no program: a name alone is that of one in $PATH, as in a shell. */
static void find_program(char out[PATH_MAX], const char *name)
{
    const char *folder = strchr(name, '/') == NULL ? getenv("PATH") : NULL;

    while (folder != NULL && *folder != '\0') {
        const size_t n = strcspn(folder, ":");
        const int length = snprintf(out, PATH_MAX, "%.*s/%s", (int)n, folder, name);

        if (n > 0 && length < PATH_MAX && access(out, X_OK) == 0)
            return;
        folder += n + (folder[n] == ':');
    }
    snprintf(out, PATH_MAX, "%s", name);
}

enum tp_err dialog_open(struct dialog **out, const char *program, struct tp_error *e)
{
    struct dialog *d = calloc(1, sizeof(*d));
    const char *argv[] = {program, NULL};
    char path[PATH_MAX];
    gpg_error_t code;

    *out = NULL;
    if (d == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory to ask");
    snprintf(d->program, sizeof(d->program), "%s", program);
    find_program(path, program);
    assuan_set_gpg_err_source(GPG_ERR_SOURCE_USER_1);
    code = assuan_new(&d->ctx);
    if (code == 0)
        code = assuan_pipe_connect(d->ctx, path, argv, NULL, hear_signals, NULL, 0);
    if (code != 0) {
        dialog_close(&d);
        return tp_fail(e, TP_ERR_USAGE,
                       "%s, which asks for the PIN, cannot be started (%s): install Debian's "
                       "pinentry-gtk2, pinentry-qt or pinentry-curses, or name another with "
                       "--pinentry; nothing was paid",
                       program, gpg_strerror(code));
    }
    assuan_begin_confidential(d->ctx);
    say_terminal(d);
    (void)tell(d, "SETTIMEOUT " TIMEOUT_S);
    (void)tell(d, "SETTITLE telepay");
    *out = d;
    return TP_OK;
}

void dialog_close(struct dialog **d)
{
    if (*d == NULL)
        return;
    if ((*d)->ctx != NULL)
        assuan_release((*d)->ctx);
    free(*d);
    *d = NULL;
}

static gpg_error_t take(void *ctx, const void *bytes, size_t n)
{
    struct secret *out = ctx;

    if (out->n != 0)
        return gpg_error(GPG_ERR_TOO_LARGE);
    return n == 0 || secret_copy(out, span_of(bytes, n)) == TP_OK ? 0 : gpg_error(GPG_ERR_ENOMEM);
}

enum tp_err dialog_secret(struct dialog *d, const char *text, const char *prompt, const char *error,
                          struct secret *out, struct tp_error *e)
{
    gpg_error_t code = say_text(d, "SETDESC", text);

    if (code == 0)
        code = say_text(d, "SETPROMPT", prompt);
    if (code == 0 && error != NULL)
        code = say_text(d, "SETERROR", error);
    if (code == 0)
        code = assuan_transact(d->ctx, "GETPIN", take, out, NULL, NULL, NULL, NULL);
    return code == 0 ? TP_OK : fault(d, code, e);
}

enum tp_err dialog_agrees(struct dialog *d, const char *text, bool *yes, struct tp_error *e)
{
    gpg_error_t code = say_text(d, "SETDESC", text);
    enum tp_err r = TP_OK;

    if (code == 0)
        code = tell(d, "CONFIRM");
    *yes = code == 0;
    if (code != 0)
        r = fault(d, code, e);
    return r == TP_ERR_CANCELLED ? TP_OK : r;
}
