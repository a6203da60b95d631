/* telepay-simcard: puts a card into a virtual reader of pcscd. */
#include <argp.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/cli.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"
#include "config.h"
#include "simcard/folders.h"
#include "simcard/recorded.h"
#include "simcard/turn.h"

#define FAULTS_MAX   16
#define PAUSE_MIN_MS 100
#define PAUSE_MAX_MS 2000
#define PAUSE_GONE_MS                                                                              \
    2000 /* out of the reader long enough to be seen: pcscd looks every 400 ms                     \
          */
#define PAUSE_MUTE_MS 3000

enum { OPT_VPCD = 256, OPT_FAULT, OPT_ONCE, OPT_REPLAY, OPT_CARDS };

struct wanted {
    const char *dir, *replay, *cards;
    char host[256], port[6];
    const char *faults[FAULTS_MAX];
    size_t faults_n;
    bool once, list;
};

static const struct argp_option options[] = {
    {"vpcd", OPT_VPCD, "HOST:PORT", 0, N_("where pcscd's virtual reader listens [127.0.0.1:35963]"),
     0},
    {"fault", OPT_FAULT, "NAME[=N]", 0,
     N_("misbehave; may be given several times; \"list\" shows all"), 0},
    {"replay", OPT_REPLAY, "FILE", 0,
     N_("instead of a card of DIR, play the one in a trace of telepay"), 0},
    {"cards", OPT_CARDS, "DIR", 0,
     N_("each card in DIR in turn: the next one when the one in the reader was used and is powered "
        "down, or on a line (Enter) on standard input"),
     0},
    {"once", OPT_ONCE, NULL, 0,
     N_("end when the connection ends, or when there is no reader, instead of trying again"), 0},
    {0},
};

static void take_address(struct wanted *w, const char *arg, struct argp_state *state)
{
    const char *colon = strrchr(arg, ':');
    const size_t n = colon != NULL ? (size_t)(colon - arg) : 0;

    if (colon == NULL || n == 0 || n >= sizeof(w->host) || strlen(colon + 1) >= sizeof(w->port)) {
        argp_error(state, _("--vpcd takes HOST:PORT, not \"%s\""), arg);
        return;
    }
    memcpy(w->host, arg, n);
    w->host[n] = '\0';
    snprintf(w->port, sizeof(w->port), "%s", colon + 1);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct wanted *w = state->input;

    switch (key) {
    case OPT_VPCD:
        take_address(w, arg, state);
        return 0;
    case OPT_FAULT:
        if (strcmp(arg, "list") == 0)
            w->list = true;
        else if (w->faults_n == FAULTS_MAX)
            argp_error(state, _("at most %d faults at a time"), FAULTS_MAX);
        else
            w->faults[w->faults_n++] = arg;
        return 0;
    case OPT_ONCE:
        w->once = true;
        return 0;
    case OPT_REPLAY:
        w->replay = arg;
        return 0;
    case OPT_CARDS:
        w->cards = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (w->dir != NULL)
            argp_usage(state);
        w->dir = arg;
        return 0;
    case ARGP_KEY_END:
        if (w->replay != NULL && (w->dir != NULL || w->faults_n > 0))
            argp_error(state, _("--replay plays a recorded card: no DIR and no --fault with it"));
        else if (w->cards != NULL && (w->dir != NULL || w->replay != NULL))
            argp_error(state, _("--cards names a folder of cards: no DIR and no --replay with it"));
        else if (w->replay == NULL && w->cards == NULL && w->dir == NULL && !w->list)
            argp_error(state, _("name the card's folder (telepay-perso card makes one)"));
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int list_faults(void)
{
    const struct card_fault_text *f;
    size_t name = 0, does = 0;

    for (size_t i = 0; (f = card_fault_at(i)) != NULL; i++) {
        name = strlen(f->name) > name ? strlen(f->name) : name;
        does = strlen(f->does) > does ? strlen(f->does) : does;
    }
    printf("%-*s  %-*s  %s\n", (int)name, "NAME", (int)does, "THE CARD", "TERMINAL OR ACQUIRER");
    for (size_t i = 0; (f = card_fault_at(i)) != NULL; i++)
        printf("%-*s  %-*s  %s\n", (int)name, f->name, (int)does, f->does, f->must);
    return CLI_DONE;
}

static void say_inserted(void *ctx)
{
    const struct wanted *w = ctx;

    printf(_("telepay-simcard: %s is in the reader at %s:%s\n"),
           w->replay != NULL ? w->replay : w->dir, w->host, w->port);
    fflush(stdout);
}

static void say_silent(void *ctx)
{
    const struct wanted *w = ctx;

    log_note("the reader at %s:%s took the connection but does not speak: is another card in it? "
             "(a second reader listens on the next port)",
             w->host, w->port);
}

/* SIGTERM and SIGINT as a file descriptor that becomes readable. */
static int stop_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return -1;
    return signalfd(-1, &set, SFD_CLOEXEC);
}

/* true: stop was asked for during the pause. */
static bool pause_or_stop(int stop_fd, int ms)
{
    struct pollfd p = {.fd = stop_fd, .events = POLLIN};

    return poll(&p, 1, ms) != 0;
}

/* How long until the next try; -1: no more. */
static int after(enum vpcd_end end, const struct wanted *w, int *pause, bool *told,
                 const struct tp_error *e)
{
    switch (end) {
    case VPCD_STOPPED:
        return -1;
    case VPCD_CARD_MUTE:
        log_note("the card is mute");
        return w->once ? -1 : PAUSE_MUTE_MS;
    case VPCD_CARD_GONE:
        log_note("the card has left the reader");
        return w->once ? -1 : PAUSE_GONE_MS;
    case VPCD_CLOSED:
        log_note("the reader is gone; waiting for it to come back");
        *pause = PAUSE_MIN_MS;
        *told = true;
        return w->once ? -1 : *pause;
    case VPCD_UNREACHABLE:
        break;
    }
    if (!*told)
        log_note("%s; trying again until it is there", e->text);
    *told = true;
    *pause = 2 * *pause < PAUSE_MAX_MS ? 2 * *pause : PAUSE_MAX_MS;
    return *pause;
}

static int serve(struct vpcd_card card, struct wanted *w, int stop_fd)
{
    const struct vpcd_events events = {say_inserted, say_silent, w};
    int pause = PAUSE_MIN_MS;
    bool told = false;

    for (;;) {
        enum vpcd_end end;
        struct tp_error e = {TP_OK, ""};
        const enum tp_err r = vpcd_serve(&end, card, w->host, w->port, stop_fd, &events, &e);

        if (r != TP_OK && (w->once || r != TP_ERR_PEER))
            return cli_report(&e);
        if (r == TP_OK) {
            pause = PAUSE_MIN_MS;
            told = false;
        }
        const int wait = after(end, w, &pause, &told, &e);

        if (wait < 0 || pause_or_stop(stop_fd, wait))
            return CLI_DONE;
    }
}

static enum tp_err open_card(struct card **card, const struct wanted *w, struct tp_error *e)
{
    enum tp_err r = card_open(card, w->dir, CARD_DURABLE, e);

    for (size_t i = 0; r == TP_OK && i < w->faults_n; i++)
        r = card_add_fault(*card, w->faults[i], e);
    return r;
}

static int play(struct wanted *w, int stop_fd)
{
    struct card *card = NULL;
    struct tp_error e;
    const enum tp_err r = open_card(&card, w, &e);
    int code;

    code = r == TP_OK ? serve(vpcd_card_of(card), w, stop_fd) : cli_report(&e);
    card_close(&card);
    return code;
}

/* ---- cards in turn ---- */

/* Becomes readable when stop_fd does, or standard input where that can be waited for (not a file,
 * not /dev/null). */
static int watch_both(int stop_fd)
{
    struct epoll_event stop = {.events = EPOLLIN, .data.fd = stop_fd},
                       line = {.events = EPOLLIN, .data.fd = STDIN_FILENO};
    const int fd = epoll_create1(EPOLL_CLOEXEC);

    if (fd >= 0 && epoll_ctl(fd, EPOLL_CTL_ADD, stop_fd, &stop) != 0) {
        close(fd);
        return -1;
    }
    if (fd >= 0)
        (void)epoll_ctl(fd, EPOLL_CTL_ADD, STDIN_FILENO, &line);
    return fd;
}

/* A line was typed; at the end of standard input nobody will type more. */
static bool next_asked(int both_fd)
{
    char typed[256];

    if (read(STDIN_FILENO, typed, sizeof(typed)) > 0)
        return true;
    (void)epoll_ctl(both_fd, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
    return false;
}

/* One card until the next one's turn. -1: go on; else the program's exit code. */
static int play_turn(struct wanted *w, struct card *card, int stop_fd, int both_fd)
{
    const struct vpcd_events events = {say_inserted, say_silent, w};
    struct card_turn turn = {.card = card};
    int pause = PAUSE_MIN_MS;
    bool told = false;

    for (;;) {
        enum vpcd_end end;
        struct tp_error e = {TP_OK, ""};
        const enum tp_err r =
            vpcd_serve(&end, card_turn_vpcd(&turn), w->host, w->port, both_fd, &events, &e);
        int wait;

        if (r != TP_OK && (w->once || r != TP_ERR_PEER))
            return cli_report(&e);
        if (end == VPCD_STOPPED && !pause_or_stop(stop_fd, 0)) {
            if (next_asked(both_fd))
                return -1;
            continue;
        }
        if (end == VPCD_CARD_GONE || end == VPCD_CARD_MUTE)
            return -1;
        wait = after(end, w, &pause, &told, &e);
        if (wait < 0 || pause_or_stop(stop_fd, wait))
            return CLI_DONE;
    }
}

/* Round and round; with --once each card once. */
static int play_cards(struct wanted *w, int stop_fd)
{
    struct card_folders folders = {NULL, 0};
    const int both_fd = watch_both(stop_fd);
    struct tp_error e = {TP_ERR_INTERNAL, "cannot watch standard input"};
    int code = -1;

    if (both_fd < 0 || card_folders_list(&folders, w->cards, &e) != TP_OK)
        code = cli_report(&e);
    for (size_t i = 0; code < 0 && folders.path != NULL; i = (i + 1) % folders.n) {
        struct card *card = NULL;

        w->dir = folders.path[i];
        code = open_card(&card, w, &e) == TP_OK ? play_turn(w, card, stop_fd, both_fd)
                                                : cli_report(&e);
        card_close(&card);
        if (code < 0 && ((w->once && i + 1 == folders.n) || pause_or_stop(stop_fd, PAUSE_MIN_MS)))
            code = CLI_DONE;
    }
    card_folders_free(&folders);
    if (both_fd >= 0)
        close(both_fd);
    return code;
}

/* What a recorded card was asked, and which line of its trace answered; a PIN in it is not shown.
 */
static void say_played(void *ctx, enum recorded_how how, unsigned line, struct span command,
                       struct span answer)
{
    static const char *const words[] = {
        [RECORDED_EXACT] = "as recorded",
        [RECORDED_HEADER] = "the data differ",
        [RECORDED_INS] = "another cryptogram was asked for",
        [RECORDED_NONE] = "nothing of the kind is recorded",
    };
    const size_t shown = command.n < 5 ? command.n : 5;
    char hex[11], sw[5] = "", place[32] = "";

    (void)ctx;
    if (line > 0)
        snprintf(place, sizeof(place), "line %u, ", line);
    if (answer.n >= 2)
        hex_encode(sw, span_of(answer.p + answer.n - 2, 2));
    log_note("%s%s -> %s%s%s (%s%s)", hex_encode(hex, span_of(command.p, shown)),
             command.n > shown ? "..." : "", answer.n > 2 ? "..." : "", answer.n >= 2 ? sw : "",
             answer.n == 0 ? _("no answer") : "", place, words[how]);
}

static int replay(struct wanted *w, int stop_fd)
{
    struct recorded_card card = {.played = say_played};
    struct transcript *transcript = NULL;
    struct tp_error e;
    int code;

    if (transcript_load(&transcript, w->replay, &e) != TP_OK)
        return cli_report(&e);
    card.transcript = transcript;
    if (transcript_masked(transcript))
        log_note("the data in %s are masked: its certificates do not check", w->replay);
    code = serve(recorded_vpcd(&card), w, stop_fd);
    transcript_free(&transcript);
    return code;
}

static void start(int argc, char **argv, struct wanted *w)
{
    static const struct argp argp = {options,
                                     parse,
                                     N_("[DIR]"),
                                     N_("Puts the card in the folder DIR into pcscd's virtual "
                                        "reader (vpcd), until it is stopped."),
                                     NULL,
                                     NULL,
                                     NULL};

    text_start();
    argp_err_exit_status = CLI_USAGE;
    argp_program_version = "telepay-simcard " PACKAGE_VERSION;
    log_start("telepay-simcard", LOG_LEVEL_NOTE, 0);
    (void)secret_start();
    snprintf(w->host, sizeof(w->host), "127.0.0.1");
    snprintf(w->port, sizeof(w->port), "%d", VPCD_PORT);
    cli_parse(&argp, argc, argv, w);
}

int main(int argc, char **argv)
{
    struct wanted w = {.dir = NULL};
    int stop_fd, code;

    start(argc, argv, &w);
    if (w.list)
        return list_faults();
    stop_fd = stop_signals();
    if (stop_fd < 0) {
        log_error("cannot watch for signals: %s", strerror(errno));
        return CLI_INTERNAL;
    }
    if (w.cards != NULL)
        code = play_cards(&w, stop_fd);
    else
        code = w.replay != NULL ? replay(&w, stop_fd) : play(&w, stop_fd);
    close(stop_fd);
    return code;
}
