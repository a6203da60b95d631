/* telepay agent: the command's words. */
#include <stdio.h>

#include "base/cli.h"
#include "base/log.h"
#include "base/text.h"
#include "payer/agent.h"
#include "payer/commands.h"
#include "payer/dialog.h"

#define WORDS_MAX 16
#define PORT_MAX  65535
#define WORD_MAX  4200

enum { PORT = 256, PINENTRY, HOME, USER, CACERT, MEANS, READER, APPLICATION, LIVE };

static const struct argp_option options[] = {
    {"port", PORT, "PORT", 0, N_("the port of this machine to listen on [27502, where pages lead]"),
     0},
    {"pinentry", PINENTRY, "PROGRAM", 0, N_("the program that asks [pinentry]"), 0},
    {"home", HOME, "DIR", 0, N_("your folder, instead of ~/.config/telepay"), 0},
    {"user", USER, "NAME", 0, N_("who pays, of several users of the folder"), 0},
    {"cacert", CACERT, "FILE", 0,
     N_("the authorities (PEM) whose certificates of servers are taken, instead of the system's"),
     0},
    {"means", MEANS, "MEANS", 0, N_("pay by this alone, as in telepay pay: emv, a card, or purse"),
     0},
    {"reader", READER, "NAME|NUMBER", 0, N_("the reader, as in telepay pay"), 0},
    {"application", APPLICATION, "AID|NAME|NUMBER", 0, N_("the card's application to pay with"), 0},
    {"allow-live-card", LIVE, NULL, 0, N_("let a card of a live scheme sign"), 0},
    {"verbose", 'v', NULL, 0, N_("say each step of each payment"), 0},
    {0},
};

struct words {
    unsigned port;
    const char *pinentry, *home, *user;
    char word[WORDS_MAX][WORD_MAX]; /* that each payment is run with */
    size_t n;
    bool both[WORDS_MAX]; /* … and what finds a page */
};

static void add(struct words *w, int key, const char *name, const char *value,
                struct argp_state *state)
{
    const int n = w->n < WORDS_MAX ? snprintf(w->word[w->n], WORD_MAX, "--%s%s%s", name,
                                              value != NULL ? "=" : "", value != NULL ? value : "")
                                   : -1;

    if (n < 0 || n >= WORD_MAX)
        argp_error(state, _("--%s: too much of it"), name);
    w->both[w->n++] = key == HOME || key == USER || key == CACERT || key == PINENTRY;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;
    struct tp_error e = {TP_OK, ""};
    int64_t port = 0;

    switch (key) {
    case PORT:
        if (cli_number(&port, "--port", arg, PORT_MAX, &e) != TP_OK)
            argp_error(state, "%s", e.text);
        w->port = (unsigned)port;
        return 0;
    case PINENTRY:
        w->pinentry = arg;
        return 0;
    case HOME:
    case USER:
        *(key == HOME ? &w->home : &w->user) = arg;
        /* fall through */
    case CACERT:
    case MEANS:
    case READER:
    case APPLICATION:
    case LIVE:
        for (size_t i = 0; options[i].name != NULL; i++)
            if (options[i].key == key)
                add(w, key, options[i].name, arg, state);
        return 0;
    case 'v':
        add(w, key, "verbose", NULL, state);
        return 0;
    case ARGP_KEY_END:
        add(w, PINENTRY, "pinentry", w->pinentry, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int payer_agent(int argc, char **argv)
{
    static const struct argp argp = {
        options,
        parse,
        NULL,
        N_("Let pages in the browser ask for payments: each is shown to you in a window, and paid "
           "with the card in the reader, or from your purse, only when you say so there. At /purse "
           "it shows the page of your account at a purse in the browser, when you say so."),
        NULL,
        NULL,
        NULL};
    static struct words w = {.port = AGENT_PORT, .pinentry = DIALOG_PROGRAM};
    const char *pay[WORDS_MAX + 2] = {"pay"}, *page[WORDS_MAX + 3] = {"purse", "page"};
    struct agent_options o = {.pay = pay, .page = page};
    size_t n = 2;
    struct tp_error e = {TP_OK, ""};

    log_start("telepay agent", LOG_LEVEL_NOTE, 1);
    cli_parse(&argp, argc, argv, &w);
    for (size_t i = 0; i < w.n; i++) {
        pay[i + 1] = w.word[i];
        if (w.both[i])
            page[n++] = w.word[i];
    }
    o.port = w.port;
    o.home = w.home;
    o.user = w.user;
    return agent_run(&o, &e) == TP_OK ? CLI_DONE : cli_report(&e);
}
