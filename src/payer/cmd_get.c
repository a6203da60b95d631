/* telepay get: its command line, whose letters are curl's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cli.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "payer/card_words.h"
#include "payer/commands.h"
#include "payer/get.h"
#include "payer/order_words.h"

#define BODY_MAX    (16U << 20)
#define SECONDS_MAX 86400
#define FORM_TYPE   "Content-Type: application/x-www-form-urlencoded"

enum { IDENTIFY = 0x400 };

struct words {
    struct get_options get;
    struct buf body;
    bool typed; /* a Content-Type was given */
};

static const struct argp_option options[] = {
    {"output", 'o', "FILE", 0, N_("write the answer to FILE instead of standard output"), 0},
    {"remote-name", 'O', NULL, 0, N_("write it to a file that is called as the address ends"), 0},
    {"header", 'H', "LINE", 0, N_("send this field, \"Name: value\", too"), 0},
    {"data", 'd', "DATA", 0,
     N_("send DATA by POST; of several, joined by &; @FILE: what FILE holds without its line ends"),
     0},
    {"request", 'X', "METHOD", 0, N_("ask with this method"), 0},
    {"location", 'L', NULL, 0,
     N_("go where a redirect leads; no credential goes to another origin"), 0},
    {"fail", 'f', NULL, 0,
     N_("an answer of 400 or more is a fault (exit code 22) and is not written"), 0},
    {"silent", 's', NULL, 0, N_("tell neither what was paid nor why an exchange failed"), 0},
    {"max-time", 'm', "SECONDS", 0, N_("how long an exchange may last"), 0},
    {"identify", IDENTIFY, "card", OPTION_ARG_OPTIONAL,
     N_("say who you are, to a service that wants to know, unasked; card: by the card in the "
        "reader, which signs that, in place of your key"),
     0},
    {"verbose", 'v', NULL, 0, N_("tell the exchanges by their letters, and the heads of each"), 0},
    {0},
};

static void add_header(struct words *w, const char *line, struct argp_state *state)
{
    const char *colon = strchr(line, ':');

    if (colon == NULL || colon == line || strpbrk(line, "\r\n") != NULL)
        argp_error(state, _("-H takes a field, \"Name: value\", not \"%s\""), line);
    if (w->get.headers_n == GET_HEADERS_MAX - 1) /* one is left for the type of a body */
        argp_error(state, _("-H is there more than %d times"), GET_HEADERS_MAX - 1);
    w->typed = w->typed || strncasecmp(line, "Content-Type:", strlen("Content-Type:")) == 0;
    w->get.headers[w->get.headers_n++] = line;
}

/* As curl does, a file's line ends and zeros are left out. */
static size_t squeeze(uint8_t *p, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++)
        if (p[i] != '\n' && p[i] != '\r' && p[i] != '\0')
            p[kept++] = p[i];
    return kept;
}

static void add_body(struct words *w, const char *data, struct argp_state *state)
{
    const char *path = strcmp(data, "@-") == 0 ? "/dev/stdin" : data + 1;
    struct span more = span_str(data);
    struct tp_error e = {0};
    uint8_t *read = NULL, *grown;

    if (data[0] == '@') {
        if (file_read(path, BODY_MAX, &read, &more.n, &e) != TP_OK)
            argp_error(state, "-d: %s", e.text);
        more.n = read != NULL ? squeeze(read, more.n) : 0;
        more.p = read;
    }
    grown = realloc(w->body.p, w->body.n + more.n + 1);
    if (grown == NULL || w->body.n + more.n > BODY_MAX)
        argp_error(state, _("-d: more than %u bytes"), BODY_MAX);
    w->body.p = grown;
    w->body.cap = w->body.n + more.n + 1;
    if ((w->get.has_body && buf_u8(&w->body, '&') != TP_OK) || buf_put(&w->body, more) != TP_OK)
        argp_error(state, _("-d: no memory"));
    free(read);
    w->get.has_body = true;
}

static void check_words(struct words *w, struct argp_state *state)
{
    if (w->get.url == NULL)
        argp_error(state, _("say what to get: https://…"));
    if (w->get.output != NULL && w->get.remote_name)
        argp_error(state, _("-o and -O name two files for one answer"));
    if (w->get.has_body && !w->typed)
        w->get.headers[w->get.headers_n++] = FORM_TYPE;
    w->get.body = buf_span(&w->body);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;
    struct tp_error e = {TP_OK, ""};
    int64_t seconds = 0;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &w->get.checkout;
        state->child_inputs[1] = &w->get.pay;
        return 0;
    case 'o':
        w->get.output = strcmp(arg, "-") == 0 ? NULL : arg;
        return 0;
    case 'O':
        w->get.remote_name = true;
        return 0;
    case 'H':
        add_header(w, arg, state);
        return 0;
    case 'd':
        add_body(w, arg, state);
        return 0;
    case 'X':
        w->get.method = arg;
        return 0;
    case 'L':
        w->get.location = true;
        return 0;
    case 'f':
        w->get.fail = true;
        return 0;
    case 's':
        w->get.silent = true;
        return 0;
    case IDENTIFY:
        if (arg != NULL && strcmp(arg, "card") != 0)
            argp_error(state, _("--identify takes nothing, or card, not \"%s\""), arg);
        w->get.identify = true;
        w->get.by_card = arg != NULL;
        return 0;
    case 'm':
        if (cli_number(&seconds, "--max-time", arg, SECONDS_MAX, &e) != TP_OK)
            argp_error(state, "%s", e.text);
        w->get.fetch.seconds = (int)seconds;
        return 0;
    case 'v':
        w->get.fetch.verbose = true;
        return 0;
    case ARGP_KEY_ARG:
        if (w->get.url != NULL)
            argp_error(state, _("\"%s\" is one word too many"), arg);
        w->get.url = arg;
        return 0;
    case ARGP_KEY_END:
        check_words(w, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int payer_get(int argc, char **argv)
{
    static const struct argp_child children[] = {
        {&order_words, 0, NULL, 0}, {&card_words, 0, NULL, 0}, {0}};
    static const struct argp argp = {options,
                                     parse,
                                     N_("URL"),
                                     N_("Get what an address leads to, as curl does, and pay for "
                                        "it with the card in the reader where it is to be paid."),
                                     children,
                                     NULL,
                                     NULL};
    struct words w = {.get = {.checkout = ORDER_WORDS_NONE, .pay = CARD_WORDS_NONE}};
    struct get_result result;

    cli_parse(&argp, argc, argv, &w);
    w.get.fetch.cacert = w.get.checkout.cacert;
    w.get.pay.person.verbose = w.get.fetch.verbose;
    get_run(&result, &w.get);
    if (result.error.code != TP_OK && (!w.get.silent || result.of_payment))
        log_error("%s", result.error.text[0] != '\0' ? result.error.text
                                                     : tp_err_text(result.error.code));
    free(w.body.p);
    return result.exit;
}
