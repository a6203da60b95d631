/* telepay-emv apdu. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apdu/sw.h"
#include "base/cli.h"
#include "base/document.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"
#include "decode/decode.h"
#include "drivers/readers.h"
#include "emv/commands.h"
#include "emv/input.h"
#include "payer/trace.h"

#define COMMANDS_MAX 4096 /* words of a command line */

struct words {
    const char *reader, *file, *trace;
    int wait_ms;
    bool raw, unmasked, json;
    char *command[COMMANDS_MAX];
    size_t n;
};

enum { KEY_READER = 0x100, KEY_WAIT, KEY_FILE, KEY_RAW, KEY_TRACE, KEY_UNMASKED };

static const struct argp_option options[] = {
    {"reader", KEY_READER, "NAME|NUMBER", 0,
     N_("The reader whose name contains NAME, or its NUMBER in the list; else the first with a "
        "card"),
     0},
    {"wait", KEY_WAIT, "SECONDS", 0, N_("How long to wait for a card [0]"), 0},
    {"file", KEY_FILE, "FILE", 0, N_("Read the commands from FILE (- or nothing: standard input)"),
     0},
    {"raw", KEY_RAW, NULL, 0, N_("Show 61xx and 6Cxx as they come, and do not follow them"), 0},
    {"trace", KEY_TRACE, "FILE", 0, N_("Write what passes to FILE, sensitive data masked"), 0},
    {"unmasked", KEY_UNMASKED, NULL, 0,
     N_("Mask only the PIN, in the trace too, if the card is of the test scheme"), 0},
    {"json", 'j', NULL, 0, N_("JSON"), 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;
    struct tp_error e;
    int64_t seconds;

    switch (key) {
    case KEY_READER:
        w->reader = arg;
        return 0;
    case KEY_WAIT:
        if (cli_number(&seconds, "--wait", arg, 86400, &e) != TP_OK)
            argp_error(state, "%s", e.text);
        w->wait_ms = (int)seconds * 1000;
        return 0;
    case KEY_FILE:
        w->file = arg;
        return 0;
    case KEY_RAW:
        w->raw = true;
        return 0;
    case KEY_TRACE:
        w->trace = arg;
        return 0;
    case KEY_UNMASKED:
        w->unmasked = true;
        return 0;
    case 'j':
        w->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (w->n == COMMANDS_MAX)
            argp_error(state, _("too many commands: put them into a file"));
        w->command[w->n++] = arg;
        return 0;
    case ARGP_KEY_END:
        if (w->file != NULL && w->n > 0)
            argp_error(state,
                       _("commands come from --file or from the command line, not from both"));
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- one session with a card ---- */

struct session {
    const struct words *words;
    struct reader *reader;
    struct decode *d; /* remembers what the answers held, which lie in `answers` */
    json_t *all;      /* --json */
    uint8_t **answers;
    size_t answers_n;
    bool refused; /* the last status word */
};

static void forget(struct session *s)
{
    s->d->objects = 0;
    for (size_t i = 0; i < s->answers_n; i++)
        free(s->answers[i]);
    free(s->answers);
    s->answers = NULL;
    s->answers_n = 0;
}

/* Bytes that live as long as what is remembered of the card. */
static struct span keep(struct session *s, struct span in)
{
    uint8_t **more = realloc(s->answers, (s->answers_n + 1) * sizeof(*more));
    uint8_t *copy = malloc(in.n + 1);

    if (more != NULL)
        s->answers = more;
    if (more == NULL || copy == NULL) {
        free(copy);
        return span_of(NULL, 0);
    }
    if (in.n > 0)
        memcpy(copy, in.p, in.n);
    s->answers[s->answers_n++] = copy;
    return span_of(copy, in.n);
}

static enum tp_err show(struct session *s, struct span command, struct span answer,
                        struct tp_error *e)
{
    struct tp_error broken = {TP_OK, ""}; /* what the card says is shown as far as it goes */
    json_t *objects = NULL;
    enum tp_err r;

    if (s->words->unmasked)
        (void)shown_selection(&s->d->shown.all, command, answer);
    r = decode_exchange(&objects, s->d, command, answer, &broken);
    if (objects == NULL)
        return tp_fail(e, r, "%s", broken.text);
    if (s->words->json)
        r = json_array_extend(s->all, objects) == 0 ? TP_OK : TP_ERR_NO_MEMORY;
    else {
        decode_print(stdout, objects);
        fflush(stdout); /* before the next is sent */
    }
    json_decref(objects);
    return r == TP_OK ? TP_OK : tp_fail(e, r, "cannot print what the card answered");
}

/* The answer with its status word, its pieces joined unless they are wanted raw. */
static enum tp_err exchange(struct session *s, struct span command, struct buf *answer,
                            struct tp_error *e)
{
    struct capdu c;
    uint16_t sw = 0;
    enum tp_err r;

    if (s->words->raw)
        return reader_exchange(s->reader, command, answer, e);
    if (capdu_parse(&c, command) != TP_OK)
        return tp_fail(e, TP_ERR_FORMAT,
                       "a command of these %zu bytes has lengths that do not agree (--raw sends it "
                       "all the same)",
                       command.n);
    r = reader_transmit(s->reader, &c, answer, &sw, e);
    return r == TP_OK ? buf_be16(answer, sw) : r;
}

static enum tp_err send_bytes(struct session *s, struct span command, struct tp_error *e)
{
    uint8_t *room = malloc(APDU_RESPONSE_MAX);
    struct buf answer = {room, 0, room != NULL ? APDU_RESPONSE_MAX : 0};
    struct span kept;
    enum tp_err r = room == NULL ? tp_fail(e, TP_ERR_NO_MEMORY, "out of memory")
                                 : exchange(s, command, &answer, e);

    if (r == TP_OK) {
        const uint16_t sw = (uint16_t)(room[answer.n - 2] << 8 | room[answer.n - 1]);

        s->refused = sw != SW_OK && (sw & SW_FAMILY) != SW_MORE_DATA;
        kept = keep(s, buf_span(&answer));
        r = kept.p == NULL ? tp_fail(e, TP_ERR_NO_MEMORY, "out of memory")
                           : show(s, command, kept, e);
    }
    free(room);
    return r;
}

/* "name: value" of a trace. */
static bool is_fact(const char *line)
{
    const size_t n = strspn(line, "abcdefghijklmnopqrstuvwxyz-");

    return n > 0 && line[n] == ':' && isspace((unsigned char)line[n + 1]);
}

/* A line of a script: a command, "reset", or a line of a trace, of which the commands are sent. */
static enum tp_err send_line(struct session *s, const char *line, struct tp_error *e)
{
    struct buf command = {NULL, 0, 0};
    struct span kept;
    enum tp_err r;

    while (isspace((unsigned char)*line))
        line++;
    if (*line == '\0' || *line == '#' || *line == '<' || is_fact(line))
        return TP_OK;
    if (*line == '>' && strchr(line, '*') != NULL)
        return tp_fail(e, TP_ERR_FORMAT,
                       "this command is masked: a trace has it whole with --trace-unmasked");
    if (strncmp(line, "reset", 5) == 0 && line[5 + strspn(line + 5, " \t\r\n")] == '\0') {
        forget(s);
        return reader_reset(s->reader, e);
    }
    r = input_text(&command, span_str(line + (*line == '>')), e);
    if (r == TP_OK && command.n < 4)
        r = tp_fail(e, TP_ERR_FORMAT, "a command has 4 bytes at least: CLA INS P1 P2");
    if (r == TP_OK) {
        if (command.p[1] == INS_SELECT) /* what follows are another application's objects */
            forget(s);
        kept = keep(s, buf_span(&command)); /* a command's data are remembered too */
        r = kept.p == NULL ? tp_fail(e, TP_ERR_NO_MEMORY, "out of memory") : send_bytes(s, kept, e);
    }
    if (command.p != NULL)
        secret_wipe(command.p, command.n);
    free(command.p);
    return r;
}

static enum tp_err send_script(struct session *s, const char *path, struct tp_error *e)
{
    const bool file = path != NULL && strcmp(path, "-") != 0;
    FILE *from = file ? fopen(path, "re") : stdin;
    char *line = NULL;
    size_t room = 0;
    enum tp_err r = TP_OK;

    if (from == NULL)
        return tp_fail(e, TP_ERR_USAGE, "cannot read %s: %s", path, strerror(errno));
    for (unsigned n = 1; r == TP_OK && getline(&line, &room, from) >= 0; n++) {
        r = send_line(s, line, e);
        if (r == TP_ERR_FORMAT)
            (void)tp_error_prefix(e, "line %u", n);
    }
    if (line != NULL)
        secret_wipe(line, room);
    free(line);
    if (file)
        fclose(from);
    return r;
}

static enum tp_err send_all(struct session *s, struct tp_error *e)
{
    const struct words *w = s->words;
    enum tp_err r = TP_OK;

    if (w->n == 0)
        return send_script(s, w->file, e);
    for (size_t i = 0; r == TP_OK && i < w->n; i++)
        r = send_line(s, w->command[i], e);
    return r;
}

static enum tp_err print_json(struct session *s, const char *atr)
{
    json_t *all = json_pack("{s:s, s:s, s:O}", "reader", reader_name(s->reader), "atr", atr,
                            "objects", s->all);

    return document_print(all, false);
}

static enum tp_err talk(struct session *s, struct trace *trace, struct tp_error *e)
{
    char atr[2 * READER_ATR_MAX + 1];
    enum tp_err printed = TP_OK;
    enum tp_err r = readers_wait_card(s->reader, s->words->wait_ms, NULL, NULL, e);

    if (trace != NULL)
        reader_set_trace(s->reader, trace_exchange, trace);
    if (r == TP_OK)
        r = reader_connect(s->reader, e);
    if (r != TP_OK)
        return readers_usable(r);
    trace_reader(trace, s->reader);
    hex_encode(atr, reader_atr(s->reader));
    if (s->words->json)
        text_english();
    else
        printf(_("Reader %s, ATR %s\n"), reader_name(s->reader), atr);
    r = send_all(s, e);
    if (s->words->json)
        printed = print_json(s, atr);
    return r == TP_OK ? printed : r;
}

static enum tp_err run(const struct words *w, bool *refused, struct tp_error *e)
{
    struct session s = {.words = w, .d = calloc(1, sizeof(*s.d)), .all = json_array()};
    struct trace *trace = NULL;
    struct names *names = NULL;
    struct tp_error trace_error;
    enum tp_err r = s.d == NULL || s.all == NULL || names_new(&names) != TP_OK
                        ? tp_fail(e, TP_ERR_NO_MEMORY, "out of memory")
                        : TP_OK;

    if (r == TP_OK && w->trace != NULL)
        r = trace_open(&trace, w->trace, w->unmasked, e);
    if (r == TP_OK)
        r = readers_usable(readers_open(&s.reader, w->reader, e));
    if (r == TP_OK) {
        s.d->names = names;
        s.d->shown.personal = true;
        r = talk(&s, trace, e);
    }
    if (s.d != NULL)
        forget(&s);
    *refused = s.refused;
    reader_close(&s.reader);
    if (trace_close(&trace, &trace_error) != TP_OK)
        log_error("%s", trace_error.text);
    names_free(&names);
    json_decref(s.all);
    if (s.d != NULL)
        secret_wipe(s.d, sizeof(*s.d));
    free(s.d);
    return r;
}

int emv_apdu(int argc, char **argv)
{
    static const struct argp argp = {
        options,
        parse,
        N_("[COMMAND…]"),
        N_("Send commands to the card in the reader, and say what it answers.\vEach COMMAND is an "
           "APDU in hex, or \"reset\"; without any, lines of standard input: # begins a remark, "
           "and of a trace the commands are sent. A PIN does not belong on a command line, where "
           "others see it."),
        NULL,
        NULL,
        NULL};
    static struct words w; /* large */
    struct tp_error e = {TP_OK, ""};
    bool refused = false;
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = run(&w, &refused, &e);
    if (r != TP_OK)
        return cli_end(r, &e);
    return refused ? CLI_DECLINED : CLI_DONE;
}
