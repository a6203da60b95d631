#include "payer/person.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/log.h"
#include "base/text.h"
#include "payer/cardholder.h"
#include "payer/dialog.h"
#include "payer/report.h"

#define PIN_MIN     4 /* digits: ISO 9564-1 */
#define PIN_MAX     12
#define TRIES_SHOWN 15 /* 9F17 is small; 0xFF means unknown */
#define TRIES_TEXT  32

struct person {
    struct person_options options;
    sigset_t before;
    int signals;           /* signalfd of the signals held back */
    int tty;               /* -1: none */
    struct dialog *dialog; /* NULL: none */
    bool left;
    bool status_shown;
    bool keypad; /* the reader's own takes the PIN */
    bool signs;  /* the card is asked to, or has been */
    bool no_pin; /* what was typed last was none */
    bool chosen; /* by --application NUMBER, once */
    bool quiet;  /* the terminal was told not to echo; `echoing` is how it was */
    struct termios echoing;
    char what[96];                 /* is paid, and to whom; "": no payment */
    struct transaction *const *tx; /* the kernel's; NULL: none */
    struct tp_error ended;
};

static void hold_back(sigset_t *set)
{
    static const int held[] = {SIGINT,  SIGTERM, SIGHUP,  SIGQUIT, SIGTSTP,
                               SIGPIPE, SIGALRM, SIGUSR1, SIGUSR2};

    sigemptyset(set);
    for (size_t i = 0; i < sizeof(held) / sizeof(held[0]); i++)
        sigaddset(set, held[i]);
}

enum tp_err person_new(struct person **out, const struct person_options *options,
                       struct tp_error *e)
{
    struct person *p = calloc(1, sizeof(*p));
    sigset_t held;

    *out = NULL;
    if (p == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for the prompt");
    p->options = *options;
    hold_back(&held);
    pthread_sigmask(SIG_BLOCK, &held, &p->before);
    p->signals = signalfd(-1, &held, SFD_NONBLOCK | SFD_CLOEXEC);
    if (p->signals < 0) {
        pthread_sigmask(SIG_SETMASK, &p->before, NULL);
        free(p);
        return tp_fail(e, TP_ERR_INTERNAL, "signals cannot be held back: %s", strerror(errno));
    }
    p->tty = options->dialog == NULL ? open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY) : -1;
    if (options->dialog != NULL && dialog_open(&p->dialog, options->dialog, e) != TP_OK) {
        person_free(&p);
        return TP_ERR_USAGE;
    }
    *out = p;
    return TP_OK;
}

/* The signals that came while others were looked at. SIGTSTP is passed over, and so is SIGPIPE: who
 * reads no more says nothing about the payment. */
static bool look_at_signals(struct person *p)
{
    struct signalfd_siginfo info;

    while (read(p->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
        if (info.ssi_signo != SIGTSTP && info.ssi_signo != SIGPIPE)
            p->left = true;
    return p->left;
}

/* Only the terminal's own foreground may change it: another would be stopped for it, or change it
 * for a program that is none of its business. */
static bool hush(struct person *p)
{
    struct termios quiet;

    if (p->tty < 0 || tcgetpgrp(p->tty) != getpgrp() ||
        (!p->quiet && tcgetattr(p->tty, &p->echoing) != 0))
        return false;
    quiet = p->echoing;
    quiet.c_lflag = (quiet.c_lflag & ~(tcflag_t)(ECHO | ECHONL)) | ICANON | ISIG;
    p->quiet = tcsetattr(p->tty, TCSAFLUSH, &quiet) == 0 || p->quiet;
    return p->quiet;
}

void person_pays(struct person *p, const char *what)
{
    snprintf(p->what, sizeof(p->what), "%s", what);
    (void)hush(p); /* where it cannot be done now, it is when the PIN is asked for */
}

void person_free(struct person **p)
{
    if (*p == NULL)
        return;
    person_status_end(*p);
    if ((*p)->quiet)
        tcsetattr((*p)->tty, TCSAFLUSH, &(*p)->echoing);
    if ((*p)->tty >= 0)
        close((*p)->tty);
    dialog_close(&(*p)->dialog);
    (void)look_at_signals(*p);
    pthread_sigmask(SIG_SETMASK, &(*p)->before, NULL);
    close((*p)->signals);
    free(*p);
    *p = NULL;
}

void person_is_done(void)
{
    sigset_t held;

    hold_back(&held);
    for (int n = 1; n < NSIG; n++)
        if (sigismember(&held, n) == 1)
            signal(n, SIG_IGN);
}

bool person_reads(void *person)
{
    struct person *p = person;

    return !look_at_signals(p) || p->signs;
}

bool person_stays(void *person, int ms)
{
    struct person *p = person;
    struct pollfd wait = {.fd = p->signals, .events = POLLIN};

    if (!look_at_signals(p) && ms > 0 && poll(&wait, 1, ms) > 0)
        look_at_signals(p);
    return !p->left;
}

enum tp_err person_ended(const struct person *p, struct tp_error *e)
{
    if (p->ended.code != TP_OK && e != NULL)
        *e = p->ended;
    return p->ended.code;
}

void person_status(struct person *p, const char *format, ...)
{
    char text[160];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (p->options.verbose)
        log_note("%s", text);
    else if (isatty(STDERR_FILENO)) {
        fprintf(stderr, "\r\033[K%s", text);
        fflush(stderr);
        p->status_shown = true;
    }
}

void person_status_end(struct person *p)
{
    if (!p->status_shown)
        return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    p->status_shown = false;
}

void person_event(struct person *p, const char *event, json_t *more)
{
    if (p->options.events)
        report_event(event, more);
    else
        json_decref(more);
}

void person_watches(struct person *p, struct transaction *const *tx)
{
    p->tx = tx;
}

/* tries_left is null where the card does not say it. */
static void say_pin(struct person *p, unsigned tries_left, bool wrong_before)
{
    json_t *left = tries_left <= TRIES_SHOWN ? json_integer(tries_left) : json_null();

    person_event(p, "pin",
                 json_pack("{s:b, s:b, s:o}", "wrong_before", wrong_before, "keypad", p->keypad,
                           "tries_left", left));
}

static void say_application(struct person *p)
{
    const struct candidate *c = p->tx != NULL ? transaction_application(*p->tx) : NULL;
    char aid[33];

    if (c != NULL)
        person_event(p, "application",
                     json_pack("{s:s, s:s}", "aid", hex_encode(aid, span_of(c->aid, c->aid_n)),
                               "label", c->label));
}

static enum tp_err leave(struct person *p)
{
    return tp_fail(&p->ended, TP_ERR_CANCELLED,
                   "given up before the card was asked to sign: nothing was paid");
}

/* One byte from fd; *n 0 at its end. TP_ERR_CANCELLED when the person leaves. */
static enum tp_err read_byte(struct person *p, int fd, uint8_t *byte, ssize_t *n)
{
    struct pollfd wait[2] = {{.fd = fd, .events = POLLIN}, {.fd = p->signals, .events = POLLIN}};

    for (;;) {
        if (poll(wait, 2, -1) < 0 && errno != EINTR)
            return tp_fail(&p->ended, TP_ERR_IO, "the PIN cannot be read: %s", strerror(errno));
        if (look_at_signals(p))
            return leave(p);
        if ((wait[0].revents & POLLNVAL) != 0)
            return tp_fail(&p->ended, TP_ERR_USAGE,
                           "there is no file descriptor %d to read the PIN from: see --pin-fd", fd);
        if (wait[0].revents == 0)
            continue;
        *n = read(fd, byte, 1);
        if (*n >= 0)
            return TP_OK;
        if (errno != EINTR && errno != EAGAIN)
            return tp_fail(&p->ended, TP_ERR_IO, "the PIN cannot be read: %s", strerror(errno));
    }
}

/* A line without its end into *pin; longer than any PIN it is cut, and so still no PIN. *ended: the
 * input ended without a byte. */
static enum tp_err read_line(struct person *p, int fd, struct secret *pin, bool *ended)
{
    struct secret room = {0};
    enum tp_err r = secret_alloc(&room, PIN_MAX + 2);
    size_t n = 0;
    ssize_t got = 1;

    while (r == TP_OK) {
        r = read_byte(p, fd, &room.p[PIN_MAX + 1], &got);
        if (r != TP_OK || got == 0 || room.p[PIN_MAX + 1] == '\n')
            break;
        if (n <= PIN_MAX && room.p[PIN_MAX + 1] != '\r')
            room.p[n++] = room.p[PIN_MAX + 1];
    }
    *ended = got == 0 && n == 0;
    if (r == TP_OK && n > 0)
        r = secret_copy(pin, span_of(room.p, n));
    secret_free(&room);
    return r;
}

static bool is_pin(struct span line)
{
    bool digits = true;

    for (size_t i = 0; i < line.n; i++)
        digits = digits && line.p[i] >= '0' && line.p[i] <= '9';
    return digits && line.n >= PIN_MIN && line.n <= PIN_MAX;
}

static enum tp_err pin_from_fd(struct person *p, unsigned tries_left, bool wrong_before,
                               struct secret *pin)
{
    bool ended;
    const enum tp_err r = read_line(p, p->options.pin_fd, pin, &ended);

    if (r != TP_OK)
        return r;
    if (!ended && !is_pin(secret_span(pin))) /* a script would not know that it is asked again */
        return tp_fail(&p->ended, TP_ERR_USAGE, "a PIN has %d to %d digits; nothing was paid",
                       PIN_MIN, PIN_MAX);
    if (!ended)
        return TP_OK;
    if (wrong_before && tries_left <= TRIES_SHOWN)
        return tp_fail(&p->ended, TP_ERR_CANCELLED,
                       ngettext("the PIN is wrong: %u try is left; nothing was paid",
                                "the PIN is wrong: %u tries are left; nothing was paid",
                                tries_left),
                       tries_left);
    if (wrong_before)
        return tp_fail(&p->ended, TP_ERR_CANCELLED, "the PIN is wrong; nothing was paid");
    return tp_fail(&p->ended, TP_ERR_USAGE, "file descriptor %d gave no PIN: see --pin-fd",
                   p->options.pin_fd);
}

/* In the language of the card that is in the reader. */
static const struct cardholder_words *words_of(const struct person *p)
{
    return cardholder_words(p->tx != NULL ? transaction_get(*p->tx, TAG_LANGUAGE)
                                          : span_of(NULL, 0));
}

/* " (2 tries left)", or nothing where the card does not say it. */
static const char *tries_text(char out[TRIES_TEXT], const struct cardholder_words *w,
                              unsigned tries_left)
{
    out[0] = '\0';
    if (tries_left == 1)
        snprintf(out, TRIES_TEXT, " (%s)", w->last);
    else if (tries_left <= TRIES_SHOWN)
        snprintf(out, TRIES_TEXT, " (%u %s)", tries_left, w->left);
    return out;
}

/* In a window; an empty line goes on without PIN, as on a terminal. */
static enum tp_err pin_from_dialog(struct person *p, unsigned tries_left, bool wrong_before,
                                   struct secret *pin)
{
    const struct cardholder_words *w = words_of(p);
    const char *error = p->no_pin ? w->length : wrong_before ? w->wrong : NULL;
    char prompt[128], tries[TRIES_TEXT];
    enum tp_err r;

    snprintf(prompt, sizeof(prompt), "%s%s%s", w->pin, tries_text(tries, w, tries_left), w->ask);
    person_status_end(p);
    r = dialog_secret(p->dialog, p->what, prompt, error, pin, &p->ended);
    p->no_pin = r == TP_OK && pin->n > 0 && !is_pin(secret_span(pin));
    if (r == TP_OK && look_at_signals(p))
        r = leave(p);
    return r == TP_OK && pin->n == 0 ? TP_ERR_CANCELLED : r;
}

static void prompt(struct person *p, unsigned tries_left, bool wrong_before)
{
    const struct cardholder_words *w = words_of(p);
    const char *before = p->no_pin ? w->length : wrong_before ? w->wrong : "";
    char tries[TRIES_TEXT];

    person_status_end(p);
    if (dprintf(p->tty, "%s%s%s%s%s%s%s", p->what, p->what[0] != '\0' ? ". " : "", before,
                before[0] != '\0' ? " " : "", w->pin, tries_text(tries, w, tries_left), w->ask) < 0)
        log_note("the prompt cannot be shown: %s", strerror(errno));
}

/* Without echo, which person_free restores: signals are held back until then. */
static enum tp_err pin_from_tty(struct person *p, unsigned tries_left, bool wrong_before,
                                struct secret *pin)
{
    bool ended;
    enum tp_err r;

    if (!hush(p)) /* again: a shell may have set it anew meanwhile, and what was typed ahead is not
                     meant for this */
        return TP_ERR_NOT_FOUND;
    prompt(p, tries_left, wrong_before);
    r = read_line(p, p->tty, pin, &ended);
    if (write(p->tty, "\n", 1) < 0)
        return TP_ERR_NOT_FOUND;
    p->no_pin = r == TP_OK && pin->n > 0 && !is_pin(secret_span(pin));
    if (r == TP_OK && pin->n == 0) /* Enter alone: the person goes on without PIN */
        return TP_ERR_CANCELLED;
    return r;
}

static enum tp_err ask_pin(void *ctx, unsigned tries_left, bool wrong_before, struct secret *pin)
{
    struct person *p = ctx;
    enum tp_err r;

    say_pin(p, tries_left, wrong_before);
    if (p->options.pin_fd >= 0)
        r = pin_from_fd(p, tries_left, wrong_before, pin);
    else if (p->dialog != NULL)
        r = pin_from_dialog(p, tries_left, wrong_before, pin);
    else if (p->tty >= 0)
        r = pin_from_tty(p, tries_left, wrong_before, pin);
    else /* not "no PIN pad", with which the card would go on and decline: nobody meant that */
        r = tp_fail(
            &p->ended, TP_ERR_USAGE,
            "there is no terminal to ask the PIN on: give it with --pin-fd; nothing was paid");
    if (r == TP_OK)
        person_event(p, "pin entered", NULL);
    /* To the kernel TP_ERR_CANCELLED means "goes on without PIN"; one who leaves, leaves the
     * payment. */
    return r == TP_ERR_CANCELLED && p->ended.code != TP_OK ? TP_ERR_STATE : r;
}

enum tp_err person_agrees(struct person *p, const char *text, bool *yes, struct tp_error *e)
{
    struct secret line = {0}; /* a line like another, read in the same way */
    bool ended = false;
    enum tp_err r;

    *yes = false;
    if (p->dialog != NULL)
        return dialog_agrees(p->dialog, text, yes, e);
    if (p->tty < 0)
        return tp_fail(e, TP_ERR_USAGE, "there is no terminal to ask on");
    person_status_end(p);
    (void)hush(p);
    if (dprintf(p->tty, _("%s (y/N): "), text) < 0)
        return tp_fail(e, TP_ERR_IO, "the question cannot be shown");
    r = read_line(p, p->tty, &line, &ended);
    *yes = r == TP_OK && line.n == 1 && text_says_yes((const char[]){(char)line.p[0], '\0'});
    (void)dprintf(p->tty, "%s\n", *yes ? _("yes") : _("no")); /* which the terminal did not echo */
    secret_free(&line);
    return r == TP_OK ? r : person_ended(p, e);
}

static void tell_keypad(struct person *p, unsigned tries_left, bool wrong_before)
{
    const struct cardholder_words *w = words_of(p);
    char tries[TRIES_TEXT];

    person_status_end(p);
    log_note("%s%s%s%s%s", p->what, p->what[0] != '\0' ? w->ask : "", wrong_before ? w->and_so : "",
             w->keypad, tries_text(tries, w, tries_left));
}

/* The cancel key of the reader leaves the payment, as Ctrl-C does: whoever wants to pay without PIN
 * (Book 4, 6.3.4.3) uses --no-pinpad and Enter. */
static enum tp_err keypad(void *ctx, unsigned tries_left, enum kernel_keypad what)
{
    struct person *p = ctx;

    if (look_at_signals(p))
        (void)leave(p);
    else if (what == KERNEL_KEYPAD_CANCELLED)
        (void)tp_fail(&p->ended, TP_ERR_CANCELLED, "cancelled on the reader: nothing was paid");
    else if (what == KERNEL_KEYPAD_TIMEOUT)
        (void)tp_fail(&p->ended, TP_ERR_CANCELLED,
                      "no PIN was entered on the reader in time: nothing was paid");
    else if (what == KERNEL_KEYPAD_REFUSED)
        (void)tp_fail(&p->ended, TP_ERR_NO_READER,
                      "the reader's keypad does not take the PIN of this card: --no-pinpad asks "
                      "for it here; nothing was paid");
    if (p->ended.code != TP_OK)
        return TP_ERR_STATE;
    if (what == KERNEL_KEYPAD_ENTER || what == KERNEL_KEYPAD_WRONG) {
        say_pin(p, tries_left, what == KERNEL_KEYPAD_WRONG);
        tell_keypad(p, tries_left, what == KERNEL_KEYPAD_WRONG);
    } else if (what == KERNEL_KEYPAD_SENT) {
        person_event(p, "pin entered", NULL);
    } else if (what == KERNEL_KEYPAD_LENGTH)
        log_note("that was no PIN: it has %d to %d digits", PIN_MIN, PIN_MAX);
    else if (what == KERNEL_KEYPAD_MISMATCH)
        log_note("the PIN was not the same both times");
    return TP_OK;
}

void person_use_keypad(struct person *p)
{
    p->keypad = true;
}

/* --application: a number in the list. Of an AID or a name the kernel has listed no other (pay.c),
 * and of those the card's order decides. */
static int choose_named(struct person *p, size_t n)
{
    const char *wanted = p->options.application;
    const bool again = p->chosen;
    char *end;
    const unsigned long number = strtoul(wanted, &end, 10);

    if (*end != '\0' || strlen(wanted) > 2)
        return 0;
    p->chosen = true;
    if (number >= 1 && number <= n && !again)
        return (int)number - 1;
    if (again) /* that one was refused, and no other is taken for it: Book 1, 12.4 */
        (void)tp_fail(&p->ended, TP_ERR_CARD,
                      "the card does not let application number %s be used; nothing was paid",
                      wanted);
    else
        (void)tp_fail(
            &p->ended, TP_ERR_USAGE,
            "the card has no application number %s that the terminal accepts: see `telepay card`",
            wanted);
    return -1;
}

static int ask_choice(struct person *p, const struct candidate *list, size_t n)
{
    struct secret line = {0}; /* a line like another, read in the same way */
    char text[160], aid[33];
    bool ended = false;
    int choice = -1;

    person_status_end(p);
    if (p->what[0] != '\0' && dprintf(p->tty, "%s\n", p->what) < 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        const int w = snprintf(text, sizeof(text), "%2zu  %-16s  %s\n", i + 1, list[i].label,
                               hex_encode(aid, span_of(list[i].aid, list[i].aid_n)));

        if (write(p->tty, text, (size_t)w) < 0)
            return -1;
    }
    const int w = snprintf(text, sizeof(text), _("Application (1 to %zu, Enter for 1): "), n);

    if (write(p->tty, text, (size_t)w) < 0 || read_line(p, p->tty, &line, &ended) != TP_OK || ended)
        goto out;
    if (line.n == 0)
        choice = 0;
    else if (line.n <= 2 && line.p[0] >= '0' && line.p[0] <= '9') {
        choice = line.p[0] - '0';
        if (line.n == 2)
            choice = line.p[1] >= '0' && line.p[1] <= '9' ? 10 * choice + line.p[1] - '0' : 0;
        choice = choice >= 1 && choice <= (int)n ? choice - 1 : -1;
    }
    if (choice >= 0) /* which the terminal did not echo */
        (void)dprintf(p->tty, "%d\n", choice + 1);
out:
    secret_free(&line);
    if (choice < 0 && p->ended.code == TP_OK)
        (void)tp_fail(&p->ended, TP_ERR_CANCELLED, "no application was chosen: nothing was paid");
    return choice;
}

static int choose(void *ctx, const struct candidate *list, size_t n)
{
    struct person *p = ctx;

    if (p->options.application != NULL)
        return choose_named(p, n);
    return ask_choice(p, list, n);
}

static void step(void *ctx, enum kernel_step step)
{
    static const char *const words[] = {
        [KERNEL_SELECT] = N_("reading the card"),
        [KERNEL_READ] = N_("reading the card"),
        [KERNEL_AUTHENTICATE] = N_("checking the card's certificates"),
        [KERNEL_PIN] = N_("verifying the cardholder"),
        [KERNEL_SIGN] = N_("the card signs"),
        [KERNEL_ONLINE] = N_("asking the acquirer"),
        [KERNEL_COMPLETE] = N_("checking the card's signature"),
    }; /* the others are over before one could read them */

    struct person *p = ctx;

    if (step == KERNEL_AUTHENTICATE)
        say_application(p);
    if (step == KERNEL_SIGN && !p->signs)
        person_event(p, "signing", NULL);
    p->signs = p->signs || step == KERNEL_SIGN;
    if (words[step] != NULL)
        person_status(p, "%s", gettext(words[step]));
}

struct kernel_person person_kernel(struct person *p)
{
    const char *wanted = p->options.application;
    const bool asks =
        p->tty >= 0 && p->options.pin_fd < 0; /* else a script: the card's own order decides */
    const bool number = wanted != NULL && strlen(wanted) <= 2;

    return (struct kernel_person){.ctx = p,
                                  .choose = wanted != NULL || asks ? choose : NULL,
                                  .choose_one = number,
                                  .pin = ask_pin,
                                  .tries_untold = p->options.pin_fd >= 0,
                                  .step = step,
                                  .keypad = p->keypad ? keypad : NULL};
}
