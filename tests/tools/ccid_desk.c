/* ccid_desk OPTION… CARD_DIR COMMAND…: runs COMMAND at a desk whose only reader is a CCID reader on
 * a USB of paper with that card in it, and exits with COMMAND's code. Must run under
 * umockdev-wrapper. COMMAND may pull the reader out (SIGUSR1 to its parent) and plug it in again
 * (SIGUSR2). Options: --level=tpdu|short|extended, --t0, --slots=N (the card is in the last),
 * --keypad=DIGITS (also cancel, nothing, mismatch; other digits for the next entries after commas),
 * --display, --fault=card-out|unplugged|stall|short|sequence|time|for-ever with --at=N (the N-th
 * command to the card),
 * --vendor=VVVV:PPPP (its numbers, and its maker's own interface class), --out (the card lies
 * beside the reader), --beside (a second reader, of another product, without card), --forbidden (no
 * user but root may open the reader),
 * --counts=FILE (what passed over USB). */
#include <getopt.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/secret.h"
#include "simcard/inproc.h"
#include "usb_double.h"

#define ATR_T0 "3B 67 00 00 54 45 4C 45 50 41 59" /* of our cards on T=0: simcard/card.c */

struct wanted {
    struct double_config config;
    const char *keypad, *counts;
    enum double_fault fault;
    unsigned at;
    bool out, beside, forbidden;
};

static _Noreturn void give_up(const char *what, const char *why)
{
    fprintf(stderr, "ccid_desk: %s: %s\n", what, why);
    exit(125);
}

static int word(const char *arg, const char *const *words)
{
    for (int i = 0; words[i] != NULL; i++)
        if (strcmp(arg, words[i]) == 0)
            return i;
    give_up(arg, "not known");
}

static void parse(struct wanted *w, int argc, char **argv)
{
    static const struct option options[] = {
        {"level", 1, NULL, 'l'},  {"t0", 0, NULL, '0'},        {"slots", 1, NULL, 's'},
        {"vendor", 1, NULL, 'v'}, {"keypad", 1, NULL, 'k'},    {"display", 0, NULL, 'd'},
        {"fault", 1, NULL, 'f'},  {"at", 1, NULL, 'a'},        {"out", 0, NULL, 'o'},
        {"beside", 0, NULL, 'b'}, {"forbidden", 0, NULL, 'n'}, {"counts", 1, NULL, 'c'},
        {NULL, 0, NULL, 0}};
    static const char *const levels[] = {"character", "tpdu", "short", "extended",
                                         NULL}; /* in the order of enum double_level */
    static const char *const faults[] = {"card-out", "unplugged", "stall",    "short",
                                         "sequence", "time",      "for-ever", NULL};
    static const enum double_fault fault[] = {DOUBLE_CARD_OUT, DOUBLE_UNPLUGGED, DOUBLE_STALL_IN,
                                              DOUBLE_SHORT_IN, DOUBLE_STRAY_SEQ, DOUBLE_TIME,
                                              DOUBLE_FOR_EVER};
    int key;

    double_defaults(&w->config, DOUBLE_EXTENDED);
    while ((key = getopt_long(argc, argv, "+", options, NULL)) != -1)
        switch (key) {
        case 'l':
            w->config.level = (enum double_level)word(optarg, levels);
            break;
        case '0':
            w->config.t0 = true;
            w->config.atr = ATR_T0;
            break;
        case 's':
            w->config.slots = (uint8_t)strtoul(optarg, NULL, 10);
            break;
        case 'v':
            w->config.vendor_class = true;
            if (sscanf(optarg, "%4hx:%4hx", &w->config.vendor, &w->config.product) != 2)
                give_up(optarg, "not VVVV:PPPP");
            break;
        case 'k':
            w->config.keypad = true;
            w->keypad = optarg;
            break;
        case 'd':
            w->config.display = true;
            break;
        case 'f':
            w->fault = fault[word(optarg, faults)];
            break;
        case 'a':
            w->at = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'o':
            w->out = true;
            break;
        case 'b':
            w->beside = true;
            break;
        case 'n':
            w->forbidden = true;
            break;
        case 'c':
            w->counts = optarg;
            break;
        default:
            exit(125);
        }
    if (w->config.slots < 1 || w->config.slots > DOUBLE_SLOTS_MAX)
        give_up("--slots", "1 to 12");
    if (argc - optind < 2)
        give_up("usage", "ccid_desk OPTION... CARD_DIR COMMAND...");
}

struct desk {
    struct usb_double *usb;
    struct ccid_double *reader;
};

static void plug(struct desk *d)
{
    usb_double_plug(d->usb, 1, d->reader, "ACME", "PinReader 9");
}

/* COMMAND, its parent being this, pulls the reader out with SIGUSR1 and plugs it in again with
 * SIGUSR2. */
static void on_signal(struct desk *d, int signal)
{
    if (signal == SIGUSR1) {
        usb_double_unplug(d->usb, 1);
        d->reader->powered = false;
        d->reader->queued = 0;
    } else if (signal == SIGUSR2) {
        plug(d);
    }
}

static int run(struct desk *d, char **command, const sigset_t *heard)
{
    const pid_t pid = fork();
    int status = 0, signal;

    if (pid == 0) {
        sigprocmask(SIG_UNBLOCK, heard, NULL);
        execvp(command[0], command);
        _exit(126);
    }
    if (pid < 0)
        give_up(command[0], "cannot be run");
    while (waitpid(pid, &status, WNOHANG) == 0)
        if (sigwait(heard, &signal) == 0)
            on_signal(d, signal);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void note(const char *file, const struct ccid_double *d)
{
    FILE *f = fopen(file, "w");

    if (f == NULL ||
        fprintf(f, "%lu messages, %lu bytes out, %lu bytes in\n", d->messages, d->bytes_out,
                d->bytes_in) < 0 ||
        fclose(f) != 0)
        give_up(file, "cannot be written");
}

/* Another reader, which pcscd's list of the tests does not have, and no card in it. */
static void put_beside(struct usb_double *usb, const struct inproc_card *app)
{
    static struct ccid_double other;
    struct double_config c;

    double_defaults(&c, DOUBLE_SHORT);
    c.product++;
    double_start(&other, &c, app);
    double_insert(&other, false);
    usb_double_plug(usb, 2, &other, "Other", "Reader");
}

int main(int argc, char **argv)
{
    static struct ccid_double reader;
    struct wanted w = {.at = 1};
    struct desk desk = {NULL, &reader};
    sigset_t heard;
    struct card *card = NULL;
    struct inproc_card app;
    struct tp_error e;
    int code;

    /* umockdev's thread, which has played the card, may end while this one does: libcrypto stays
     * whole */
    OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
    parse(&w, argc, argv);
    sigemptyset(&heard);
    sigaddset(&heard, SIGCHLD);
    sigaddset(&heard, SIGUSR1);
    sigaddset(&heard, SIGUSR2);
    sigprocmask(SIG_BLOCK, &heard, NULL); /* before umockdev's thread begins */
    secret_start();
    if (card_open(&card, argv[optind], CARD_DURABLE, &e) != TP_OK)
        give_up(argv[optind], e.text);
    app = card_inproc(card);
    double_start(&reader, &w.config, &app);
    reader.typed = w.keypad;
    reader.fault = w.fault;
    reader.fault_at = w.at;
    double_insert(&reader, !w.out);
    desk.usb = usb_double_new();
    plug(&desk);
    if (w.beside)
        put_beside(desk.usb, &app);
    if (w.forbidden)
        usb_double_forbid(desk.usb, 1);
    code = run(&desk, argv + optind + 1, &heard);
    if (w.counts != NULL)
        note(w.counts, &reader);
    usb_double_free(&desk.usb);
    card_close(&card);
    return code;
}
