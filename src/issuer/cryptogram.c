/* telepay-issuer cryptogram */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cli.h"
#include "base/document.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/table.h"
#include "base/text.h"
#include "issuer/calc.h"
#include "issuer/commands.h"
#include "issuer/keys.h"

#define KEYS_MAX 4096

enum {
    KEY_CVN = 256,
    KEY_KEYS_FD,
    KEY_SCHEME,
    KEY_DIR,
    KEY_PAN,
    KEY_PSN,
    KEY_ATC,
    KEY_UN,
    KEY_AC,
    KEY_CHAIN,
    KEY_ARC,
    KEY_CSU,
    KEY_PROPRIETARY,
    KEY_DATA,
    KEY_DE55,
    KEY_HEAD,
    KEY_FILL,
    KEY_EXPIRY,
    KEY_SERVICE,
    KEY_CHECK,
    KEY_ENCIPHER,
    KEY_OPTION,
    KEY_SESSION,
    KEY_BRANCH,
    KEY_HEIGHT,
    KEY_PADDING,
    KEY_ENCIPHERMENT,
    KEY_BARE,
    KEY_MAC_SIZE,
    KEY_PIN_FORMAT
};

struct words {
    struct calc *calc;
    const char *what, *keys, *scheme, *dir;
    int keys_fd;
    bool json;
};

static void take_hex(struct calc_value *v, const char *option, const char *text,
                     struct argp_state *state)
{
    struct buf b = BUF_OF(v->p);

    if (hex_decode(&b, text) != TP_OK)
        argp_error(state, _("--%s takes hexadecimal digits, two a byte, at most %d bytes"), option,
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
    } values[] = {{KEY_ATC, "atc", &c->atc},    {KEY_UN, "un", &c->un},
                  {KEY_AC, "ac", &c->ac},       {KEY_CHAIN, "chain", &c->chain},
                  {KEY_ARC, "arc", &c->arc},    {KEY_CSU, "csu", &c->csu},
                  {KEY_DATA, "data", &c->data}, {KEY_PROPRIETARY, "proprietary", &c->proprietary},
                  {KEY_DE55, "de55", &c->de55}, {KEY_HEAD, "head", &c->head},
                  {KEY_FILL, "fill", &c->fill}};

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        if (values[i].key == key) {
            take_hex(values[i].v, values[i].name, arg, state);
            return true;
        }
    }
    return false;
}

/* The options that are one of some words: the place of it. */
static bool parse_choice(int key, const char *arg, struct argp_state *state)
{
    struct calc *c = ((struct words *)state->input)->calc;
    const struct {
        int key;
        const char *name;
        int *to;
        const char *words[6];
    } choices[] = {
        {KEY_OPTION, "option", &c->ways.option, {"a", "b", "c"}},
        {KEY_SESSION, "session", &c->ways.session, {"master", "common", "atc-un", "tree", "pboc"}},
        {KEY_PADDING, "padding", &c->ways.zero_padded, {"80", "zeros"}},
        {KEY_ENCIPHERMENT, "encipherment", &c->ways.encipherment, {"emv", "visa", "mastercard"}},
        {KEY_PIN_FORMAT, "pin-format", &c->pin_format, {"0", "1", "2", "3", "4"}}};

    for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
        char all[64] = "";

        if (choices[i].key != key)
            continue;
        for (int w = 0; choices[i].words[w] != NULL; w++) {
            if (strcmp(arg, choices[i].words[w]) == 0) {
                *choices[i].to = w;
                return true;
            }
            snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", w > 0 ? ", " : "",
                     choices[i].words[w]);
        }
        argp_error(state, _("--%s takes one of %s"), choices[i].name, all);
    }
    return false;
}

static int take_number(const char *option, const char *text, long min, long max,
                       struct argp_state *state)
{
    char *end = NULL;
    const long n = strtol(text, &end, 10);

    if (end == text || *end != '\0' || n < min || n > max)
        argp_error(state, _("--%s takes a number from %ld to %ld"), option, min, max);
    return (int)n;
}

static void take_pan(struct calc *c, const char *text, struct argp_state *state)
{
    const size_t n = strlen(text);

    if (n < 1 || n > PAN_MAX || strspn(text, "0123456789") != n)
        argp_error(state, _("--pan takes 1 to 19 digits"));
    snprintf(c->pan, sizeof(c->pan), "%s", text);
}

static void take_psn(struct calc *c, const char *text, struct argp_state *state)
{
    if (strlen(text) > 2 || *text == '\0' || strspn(text, "0123456789") != strlen(text))
        argp_error(state, _("--psn takes a number from 0 to 99"));
    const int n = atoi(text);

    c->psn = (uint8_t)(n / 10 << 4 | n % 10);
    c->psn_given = true;
}

static void take_cvn(struct calc *c, const char *text, struct argp_state *state)
{
    char all[128] = "";
    const struct emv_kind *k = NULL;

    for (size_t i = 0; (k = emv_kind_at(i)) != NULL; i++)
        snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", i > 0 ? ", " : "", k->name);
    if (emv_kind_find(text) == NULL)
        argp_error(state, _("--cvn takes one of %s, not \"%s\""), all, text);
    c->cvn = text;
}

/* The options of the kind of card and of where it differs. */
static bool parse_kind(int key, char *arg, struct argp_state *state)
{
    struct calc *c = ((struct words *)state->input)->calc;

    switch (key) {
    case KEY_CVN:
        take_cvn(c, arg, state);
        return true;
    case KEY_BRANCH:
        c->ways.branch = take_number("branch", arg, 2, 255, state);
        return true;
    case KEY_HEIGHT:
        c->ways.height = take_number("height", arg, 1, 16, state);
        return true;
    case KEY_BARE:
        c->ways.bare = 1;
        return true;
    case KEY_MAC_SIZE:
        c->mac_size =
            (size_t)take_number("mac-size", arg, EMV_SCRIPT_MAC_MIN, EMV_SCRIPT_MAC, state);
        return true;
    default:
        return parse_choice(key, arg, state);
    }
}

/* The options of where keys are. */
static bool parse_keys(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;

    switch (key) {
    case 'k':
        w->keys = arg;
        return true;
    case KEY_KEYS_FD:
        w->keys_fd = take_number("keys-fd", arg, 0, INT_MAX, state);
        return true;
    case KEY_SCHEME:
        w->scheme = arg;
        return true;
    case KEY_DIR:
        w->dir = arg;
        return true;
    default:
        return false;
    }
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;

    if (parse_value(key, arg, state) || parse_kind(key, arg, state) || parse_keys(key, arg, state))
        return 0;
    switch (key) {
    case KEY_PAN:
        take_pan(w->calc, arg, state);
        return 0;
    case KEY_PSN:
        take_psn(w->calc, arg, state);
        return 0;
    case KEY_EXPIRY:
        w->calc->expiry = arg;
        return 0;
    case KEY_SERVICE:
        w->calc->service = arg;
        return 0;
    case KEY_CHECK:
        if (strspn(arg, "0123456789ABCDEFabcdef ") != strlen(arg))
            argp_error(state,
                       _("--check takes hexadecimal digits, or the digits of a PIN or value"));
        w->calc->check = arg;
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
            argp_error(state, _("say what to work out: master, session, ac, arpc1, arpc2, mac, "
                                "command, encipher, decipher, pin-block, pin, cvc3, dcvv"));
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    {NULL, 0, NULL, 0, N_("Keys:"), 1},
    {"keys", 'k', "FILE", 0,
     N_("Keys and PINs, lines such as \"imk-ac = HEX\" (- or nothing: standard input)"), 0},
    {"keys-fd", KEY_KEYS_FD, "N", 0, N_("Read them from this descriptor"), 0},
    {"scheme", KEY_SCHEME, "DIR", 0, N_("The issuer's keys are those of this scheme's folder"), 0},
    {"dir", KEY_DIR, "DIR", 0, N_("The issuer's keys are those of this issuer's folder"), 0},
    {NULL, 0, NULL, 0, N_("The card and what is known of the transaction:"), 2},
    {"cvn", KEY_CVN, "KIND", 0,
     N_("Kind of card: 10, 18, 22 (Visa's cryptogram version numbers), 16, 17, 20, 21 "
        "(Mastercard's), 133 (Interac's), pboc, ccd-3des, ccd-aes [that of 9F10 in --de55, else "
        "18]"),
     0},
    {"pan", KEY_PAN, "DIGITS", 0, N_("Card number"), 0},
    {"psn", KEY_PSN, "N", 0, N_("PAN sequence number [0]"), 0},
    {"de55", KEY_DE55, "HEX", 0,
     N_("Field 55 of a message, TLVs: what a cryptogram covers, 9F10, 9F36, 9F37, 9F26, 5A, 5F34"),
     0},
    {"atc", KEY_ATC, "HEX", 0, N_("Application transaction counter (9F36), 2 bytes"), 0},
    {"un", KEY_UN, "HEX", 0, N_("Unpredictable number (9F37), 4 bytes"), 0},
    {"ac", KEY_AC, "HEX", 0, N_("Application cryptogram of the first GENERATE AC, 8 bytes"), 0},
    {"arc", KEY_ARC, "HEX", 0, N_("Authorisation response code (8A), 2 bytes: 3030 is 00"), 0},
    {"csu", KEY_CSU, "HEX", 0, N_("Card status update, 4 bytes"), 0},
    {"proprietary", KEY_PROPRIETARY, "HEX", 0, N_("Proprietary authentication data, 0 to 8 bytes"),
     0},
    {"data", KEY_DATA, "HEX", 0,
     N_("What the cryptogram covers; a command's data; a PIN block; of cvc3 the IVCVC3 or static "
        "track data"),
     0},
    {"expiry", KEY_EXPIRY, "YYMM", 0, N_("The card's expiry, of dcvv"), 0},
    {"service", KEY_SERVICE, "DIGITS", 0, N_("Service code, of dcvv"), 0},
    {NULL, 0, NULL, 0, N_("Scripts and PIN blocks:"), 3},
    {"head", KEY_HEAD, "HEX", 0, N_("CLA INS P1 P2 of a command (mac: as sent, with Lc)"), 0},
    {"encipher", KEY_ENCIPHER, NULL, 0, N_("The command's data are enciphered"), 0},
    {"chain", KEY_CHAIN, "HEX", 0,
     N_("Chaining value of a CCD card's script command, 8 or 16 bytes [of the first command: the "
        "AC]"),
     0},
    {"mac-size", KEY_MAC_SIZE, "N", 0, N_("Bytes of a MAC, 4 to 8 [8; a CCD command: 4]"), 0},
    {"pin-format", KEY_PIN_FORMAT, "N", 0,
     N_("PIN block of ISO 9564-1, format 0 to 4 [as PIN CHANGE of the card has it]"), 0},
    {"fill", KEY_FILL, "HEX", 0, N_("What fills up formats 1, 3 and 4 [by chance]"), 0},
    {NULL, 0, NULL, 0, N_("Where the card differs from its kind:"), 4},
    {"option", KEY_OPTION, "WORD", 0, N_("Card keys by option a, b or c of Book 2, A1.4"), 0},
    {"session", KEY_SESSION, "WORD", 0,
     N_("Session keys: master (none; of scripts Visa's), common, atc-un, tree (EMV2000), pboc"), 0},
    {"branch", KEY_BRANCH, "N", 0, N_("Branch factor of that tree [4]"), 0},
    {"height", KEY_HEIGHT, "N", 0, N_("Height of that tree [8]"), 0},
    {"padding", KEY_PADDING, "WORD", 0, N_("Data of a cryptogram are padded with 80 or zeros"), 0},
    {"encipherment", KEY_ENCIPHERMENT, "WORD", 0,
     N_("Script data are padded and enciphered as emv (CCD), visa or mastercard has it"), 0},
    {"bare", KEY_BARE, NULL, 0, N_("Script MACs cover neither ATC nor AC"), 0},
    {NULL, 0, NULL, 0, N_("Outcome:"), 5},
    {"check", KEY_CHECK, "HEX", 0, N_("Say whether the outcome is this value: exit code 0, else 1"),
     0},
    {"json", 'j', NULL, 0, N_("Print JSON"), 0},
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

/* Of a folder, besides those that were read. */
static enum tp_err take_folder(const struct words *w, struct tp_error *e)
{
    struct issuer_keys *k = NULL;
    enum tp_err r = w->scheme != NULL ? issuer_keys_of_scheme(&k, w->scheme, e)
                                      : issuer_keys_load(&k, w->dir, e);

    if (r == TP_OK)
        r = calc_take_keys(w->calc, k, e);
    issuer_keys_free(&k);
    return r;
}

/* Standard input is read when nothing else says where keys are. */
static enum tp_err take_all(const struct words *w, struct tp_error *e)
{
    const bool folder = w->scheme != NULL || w->dir != NULL;
    enum tp_err r = TP_OK;

    if (w->scheme != NULL && w->dir != NULL)
        return tp_fail(e, TP_ERR_USAGE, "give --scheme or --dir, not both");
    if (!folder || w->keys != NULL || w->keys_fd >= 0)
        r = take_keys(w, e);
    return r == TP_OK && folder ? take_folder(w, e) : r;
}

/* ---- the outcome ---- */

/* The value as people see it: digits as they are, else hexadecimal. out has room for both. */
static const char *shown(char out[2 * CALC_VALUE_MAX + 1], const struct calc_row *row)
{
    if (!row->digits)
        return hex_encode(out, span_of(row->value, row->n));
    memcpy(out, row->value, row->n);
    out[row->n] = '\0';
    return out;
}

static enum tp_err print_table(const struct calc *c)
{
    static const struct table_column columns[] = {
        {"step", TABLE_TEXT}, {"clause", TABLE_TEXT}, {"value", TABLE_TEXT}};
    char hex[2 * CALC_VALUE_MAX + 1];
    struct table *t = NULL;
    enum tp_err r = table_new(&t, "steps", columns, 3, false, NULL);

    for (size_t i = 0; i < c->rows && r == TP_OK; i++) {
        const char *const cells[] = {c->row[i].step, c->row[i].clause, shown(hex, &c->row[i])};

        r = table_row(t, cells, NULL);
    }
    r = table_end(&t, r, NULL);
    secret_wipe(hex, sizeof(hex));
    if (r == TP_OK && c->check != NULL)
        puts(calc_right(c) ? "right" : "wrong");
    return r;
}

static enum tp_err print_json(const struct calc *c)
{
    char hex[2 * CALC_VALUE_MAX + 1];
    json_t *steps = json_array(), *all;
    enum tp_err r;

    for (size_t i = 0; i < c->rows; i++)
        json_array_append_new(steps, json_pack("{s:s, s:s, s:s}", "step", c->row[i].step, "clause",
                                               c->row[i].clause, "value", shown(hex, &c->row[i])));
    all = json_pack("{s:s, s:o, s:s}", "cvn", c->kind.name, "steps", steps, "result", hex);
    json_object_set_new(all, "right", c->check != NULL ? json_boolean(calc_right(c)) : json_null());
    r = document_print(all, false);
    secret_wipe(hex, sizeof(hex));
    return r;
}

int issuer_cryptogram(int argc, char **argv)
{
    static const struct argp argp = {
        options,
        parse,
        N_("WHAT"),
        N_("Work out and check keys, cryptograms, script commands, PIN blocks and dynamic card "
           "verification values, showing each step.\vWHAT is master, session, ac, arpc1, arpc2, "
           "mac, command, encipher, decipher, pin-block, pin, cvc3 or dcvv. Keys are never "
           "arguments: they are read, lines NAME = VALUE with imk-ac, imk-smi, imk-smc, imk-cvc3, "
           "imk-dcvv (the issuer's), mk-ac, ... (the card's), sk-ac, ... (the session's), pin-key, "
           "pin-block, pin, current-pin; or are those of a folder."),
        NULL,
        NULL,
        NULL};
    static struct calc calc; /* large */
    struct words w = {.calc = &calc, .keys_fd = -1};
    struct tp_error e = {TP_OK, ""};
    enum calc_what what = CALC_AC;
    enum tp_err r;
    bool right;

    calc_init(&calc);
    cli_parse(&argp, argc, argv, &w);
    r = calc_what_parse(&what, w.what) == TP_OK
            ? TP_OK
            : tp_fail(&e, TP_ERR_USAGE, "\"%s\" is nothing to work out: see --help", w.what);
    if (r == TP_OK)
        r = calc_start(&calc, &e);
    if (r == TP_OK)
        r = take_all(&w, &e);
    if (r == TP_OK)
        r = calc_run(&calc, what, &e);
    if (r == TP_OK && (w.json ? print_json(&calc) : print_table(&calc)) != TP_OK)
        r = tp_fail(&e, TP_ERR_IO, "cannot print the steps");
    right = calc.check == NULL || (r == TP_OK && calc_right(&calc));
    calc_clear(&calc);
    if (r != TP_OK)
        return cli_report(&e);
    return right ? CLI_DONE : CLI_DECLINED;
}
