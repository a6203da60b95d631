/* telepay-issuer cryptogram */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cli.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/table.h"
#include "issuer/calc.h"
#include "issuer/commands.h"

#define KEYS_MAX 4096

enum {
    KEY_CVN = 256,
    KEY_KEYS_FD,
    KEY_PAN,
    KEY_PSN,
    KEY_ATC,
    KEY_AC,
    KEY_CHAIN,
    KEY_ARC,
    KEY_CSU,
    KEY_PROPRIETARY,
    KEY_DATA,
    KEY_TAGS,
    KEY_HEAD,
    KEY_CHECK,
    KEY_ENCIPHER
};

struct words {
    struct calc *calc;
    const char *what, *keys;
    int keys_fd;
    bool json;
};

static void take_hex(struct calc_value *v, const char *option, const char *text,
                     struct argp_state *state)
{
    struct buf b = BUF_OF(v->p);

    if (hex_decode(&b, text) != TP_OK)
        argp_error(state, "--%s takes hexadecimal digits, two a byte, at most %d bytes", option,
                   CALC_VALUE_MAX);
    v->n = b.n;
    v->given = true;
}

/* The options that are bytes. */
static bool parse_value(int key, char *arg, struct argp_state *state)
{
    struct calc *c = ((struct words *)state->input)->calc;
    const struct {
        int key;
        const char *name;
        struct calc_value *v;
    } values[] = {
        {KEY_ATC, "atc", &c->atc},       {KEY_AC, "ac", &c->ac},
        {KEY_CHAIN, "chain", &c->chain}, {KEY_ARC, "arc", &c->arc},
        {KEY_CSU, "csu", &c->csu},       {KEY_PROPRIETARY, "proprietary", &c->proprietary},
        {KEY_DATA, "data", &c->data},    {KEY_TAGS, "tags", &c->tags},
        {KEY_HEAD, "head", &c->head},    {KEY_CHECK, "check", &c->check}};

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        if (values[i].key == key) {
            take_hex(values[i].v, values[i].name, arg, state);
            return true;
        }
    }
    return false;
}

static void take_pan(struct calc *c, const char *text, struct argp_state *state)
{
    const size_t n = strlen(text);

    if (n < 8 || n > PAN_MAX || strspn(text, "0123456789") != n)
        argp_error(state, "--pan takes 8 to 19 digits");
    snprintf(c->pan, sizeof(c->pan), "%s", text);
}

static void take_psn(struct calc *c, const char *text, struct argp_state *state)
{
    if (strlen(text) > 2 || *text == '\0' || strspn(text, "0123456789") != strlen(text))
        argp_error(state, "--psn takes a number from 0 to 99");
    const int n = atoi(text);

    c->psn = (uint8_t)(n / 10 << 4 | n % 10);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;
    char *end = NULL;

    if (parse_value(key, arg, state))
        return 0;
    switch (key) {
    case KEY_CVN:
        if (emv_cvn_parse(&w->calc->cvn, arg) != TP_OK)
            argp_error(state, "--cvn takes 10, 18, ccd-3des or ccd-aes, not \"%s\"", arg);
        return 0;
    case 'k':
        w->keys = arg;
        return 0;
    case KEY_KEYS_FD:
        w->keys_fd = (int)strtol(arg, &end, 10);
        if (*end != '\0' || w->keys_fd < 0)
            argp_error(state, "--keys-fd takes a descriptor's number");
        return 0;
    case KEY_PAN:
        take_pan(w->calc, arg, state);
        return 0;
    case KEY_PSN:
        take_psn(w->calc, arg, state);
        return 0;
    case KEY_ENCIPHER:
        w->calc->encipher = true;
        return 0;
    case 'j':
        w->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (w->what != NULL)
            return ARGP_ERR_UNKNOWN;
        w->what = arg;
        return 0;
    case ARGP_KEY_END:
        if (w->what == NULL)
            argp_error(state, "say what to work out: master, session, ac, arpc1, arpc2, mac, "
                              "command, encipher, decipher, pin-block");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    {"cvn", KEY_CVN, "KIND", 0,
     "Kind of card: 10, 18 (Visa's cryptogram version numbers), ccd-3des, ccd-aes [18]", 0},
    {"keys", 'k', "FILE", 0,
     "Keys and PINs, lines such as \"imk-ac = HEX\" (- or nothing: standard input)", 0},
    {"keys-fd", KEY_KEYS_FD, "N", 0, "Read them from this descriptor", 0},
    {"pan", KEY_PAN, "DIGITS", 0, "Card number", 0},
    {"psn", KEY_PSN, "N", 0, "PAN sequence number [0]", 0},
    {"atc", KEY_ATC, "HEX", 0, "Application transaction counter (9F36), 2 bytes", 0},
    {"ac", KEY_AC, "HEX", 0, "Application cryptogram of the first GENERATE AC, 8 bytes", 0},
    {"chain", KEY_CHAIN, "HEX", 0,
     "Chaining value of a CCD card's script command, 8 or 16 bytes [of the first command: the AC]",
     0},
    {"arc", KEY_ARC, "HEX", 0, "Authorisation response code (8A), 2 bytes: 3030 is 00", 0},
    {"csu", KEY_CSU, "HEX", 0, "Card status update, 4 bytes", 0},
    {"proprietary", KEY_PROPRIETARY, "HEX", 0, "Proprietary authentication data, 0 to 8 bytes", 0},
    {"data", KEY_DATA, "HEX", 0, "What the cryptogram covers, or a command's data", 0},
    {"tags", KEY_TAGS, "HEX", 0, "The same for a cryptogram, as TLVs: field 55 of a message", 0},
    {"head", KEY_HEAD, "HEX", 0, "CLA INS P1 P2 of a command (mac: as sent, with Lc)", 0},
    {"encipher", KEY_ENCIPHER, NULL, 0, "The command's data are enciphered", 0},
    {"check", KEY_CHECK, "HEX", 0, "Say whether the outcome is this value: exit code 0, else 1", 0},
    {"json", 'j', NULL, 0, "Print JSON", 0},
    {0},
};

/* ---- the keys ---- */

static enum tp_err read_all(struct secret *room, size_t *n, int fd, const char *name,
                            struct tp_error *e)
{
    while (*n < room->n) {
        const ssize_t got = read(fd, room->p + *n, room->n - *n);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return tp_fail(e, TP_ERR_IO, "cannot read the keys from %s: %s", name, strerror(errno));
        if (got == 0)
            return TP_OK;
        *n += (size_t)got;
    }
    return tp_fail(e, TP_ERR_USAGE, "%s is too long for a file of keys", name);
}

static enum tp_err take_keys(const struct words *w, struct tp_error *e)
{
    const bool file = w->keys != NULL && strcmp(w->keys, "-") != 0;
    const char *name = file ? w->keys : w->keys_fd >= 0 ? "that descriptor" : "standard input";
    const int fd = file              ? open(w->keys, O_RDONLY | O_CLOEXEC)
                   : w->keys_fd >= 0 ? w->keys_fd
                                     : STDIN_FILENO;
    struct secret room = {NULL, 0};
    size_t n = 0;
    enum tp_err r;

    if (fd < 0)
        return tp_fail(e, TP_ERR_USAGE, "cannot read the keys from %s: %s", name, strerror(errno));
    if (fd == STDIN_FILENO && isatty(fd))
        log_note("type the keys, lines such as imk-ac = HEX, and then Ctrl-D:");
    r = secret_alloc(&room, KEYS_MAX) == TP_OK ? TP_OK
                                               : tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    if (r == TP_OK)
        r = read_all(&room, &n, fd, name, e);
    if (r == TP_OK)
        r = calc_read_keys(w->calc, span_of(room.p, n), e);
    secret_free(&room);
    if (file)
        close(fd);
    return r;
}

/* ---- the outcome ---- */

static enum tp_err print_table(const struct calc *c)
{
    static const struct table_column columns[] = {
        {"step", TABLE_TEXT}, {"clause", TABLE_TEXT}, {"value", TABLE_TEXT}};
    char hex[2 * CALC_VALUE_MAX + 1];
    struct table *t = NULL;
    enum tp_err r = table_new(&t, "steps", columns, 3, false, NULL);

    for (size_t i = 0; i < c->rows && r == TP_OK; i++) {
        const char *const cells[] = {c->row[i].step, c->row[i].clause,
                                     hex_encode(hex, span_of(c->row[i].value, c->row[i].n))};

        r = table_row(t, cells, NULL);
    }
    r = table_end(&t, r, NULL);
    secret_wipe(hex, sizeof(hex));
    if (r == TP_OK && c->check.given)
        puts(calc_right(c) ? "right" : "wrong");
    return r;
}

static enum tp_err print_json(const struct calc *c)
{
    char hex[2 * CALC_VALUE_MAX + 1];
    json_t *steps = json_array(), *all;
    enum tp_err r = TP_OK;

    for (size_t i = 0; i < c->rows; i++)
        json_array_append_new(
            steps, json_pack("{s:s, s:s, s:s}", "step", c->row[i].step, "clause", c->row[i].clause,
                             "value", hex_encode(hex, span_of(c->row[i].value, c->row[i].n))));
    all = json_pack("{s:s, s:o, s:s}", "cvn", emv_cvn_name(c->cvn), "steps", steps, "result", hex);
    if (all != NULL && c->check.given)
        json_object_set_new(all, "right", json_boolean(calc_right(c)));
    if (all == NULL || json_dumpf(all, stdout, JSON_INDENT(2)) != 0)
        r = TP_ERR_NO_MEMORY;
    putchar('\n');
    json_decref(all);
    secret_wipe(hex, sizeof(hex));
    return r;
}

int issuer_cryptogram(int argc, char **argv)
{
    static const struct argp argp = {
        options,
        parse,
        "WHAT",
        "Work out and check keys, cryptograms, script commands and PIN blocks, showing each step.\v"
        "WHAT is master, session, ac, arpc1, arpc2, mac, command, encipher, decipher or pin-block. "
        "Keys are never arguments: they are read, "
        "lines NAME = VALUE with imk-ac, imk-smi, imk-smc (the issuer's), mk-ac, … (the card's), "
        "sk-ac, … (the session's), pin, current-pin.",
        NULL,
        NULL,
        NULL};
    static struct calc calc; /* large */
    struct words w = {.calc = &calc, .keys_fd = -1};
    struct tp_error e = {TP_OK, ""};
    enum calc_what what = CALC_AC;
    enum tp_err r;
    bool right;

    calc.cvn = EMV_CVN_18;
    cli_parse(&argp, argc, argv, &w);
    r = calc_what_parse(&what, w.what) == TP_OK
            ? TP_OK
            : tp_fail(&e, TP_ERR_USAGE, "\"%s\" is nothing to work out: see --help", w.what);
    if (r == TP_OK)
        r = take_keys(&w, &e);
    if (r == TP_OK)
        r = calc_run(&calc, what, &e);
    if (r == TP_OK && (w.json ? print_json(&calc) : print_table(&calc)) != TP_OK)
        r = tp_fail(&e, TP_ERR_IO, "cannot print the steps");
    right = !calc.check.given || calc_right(&calc);
    calc_clear(&calc);
    if (r != TP_OK)
        return cli_report(&e);
    return right ? CLI_DONE : CLI_DECLINED;
}
