#include "payer/card_words.h"

#include <stdlib.h>

#include "base/text.h"
#include "payer/dialog.h"

#define WAIT_SECONDS_MAX 86400

enum {
    PIN_FD = CARD_WORDS_FIRST,
    PINENTRY,
    NO_PINPAD,
    READER,
    APPLICATION,
    LIVE,
    WAIT,
    TRACE,
    UNMASKED
};

static const struct argp_option options[] = {
    {"pin-fd", PIN_FD, "N", 0,
     N_("read the PIN from file descriptor N, one line a try, instead of the terminal"), 0},
    {"pinentry", PINENTRY, "PROGRAM", OPTION_ARG_OPTIONAL,
     N_("ask in a window, by the program pinentry or another like it, instead of the terminal"), 0},
    {"no-pinpad", NO_PINPAD, NULL, 0,
     N_("ask for the PIN here even if the reader has a keypad of its own"), 0},
    {"reader", READER, "NAME|NUMBER", 0,
     N_("the reader whose name contains NAME, or its NUMBER in the list; else the first with a "
        "card"),
     0},
    {"application", APPLICATION, "AID|NAME|NUMBER", 0,
     N_("the card's application to pay with; else it is asked, or the card's first"), 0},
    {"allow-live-card", LIVE, NULL, 0,
     N_("let a card of a live scheme sign; else such a card is only read"), 0},
    {"wait", WAIT, "SECONDS", 0, N_("how long to wait for a card [60]"), 0},
    {"trace", TRACE, "FILE", 0,
     N_("write what passes between terminal and card to FILE, sensitive data masked"), 0},
    {"trace-unmasked", UNMASKED, NULL, 0,
     N_("with --trace: mask only the PIN, if the card is of the test scheme"), 0},
    {0},
};

static long whole_number(struct argp_state *state, const char *option, const char *text, long max)
{
    char *end;
    const long v = strtol(text, &end, 10);

    if (*text == '\0' || *end != '\0' || v < 0 || v > max)
        argp_error(state, _("%s takes a number from 0 to %ld, not \"%s\""), option, max, text);
    return v;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct pay_options *o = state->input;
    struct tp_error e = {TP_OK, ""};

    switch (key) {
    case PIN_FD:
        if (cli_fd(&o->person.pin_fd, "--pin-fd", arg, &e) !=
            TP_OK) /* now, before anything of ours is open */
            argp_error(state, "%s", e.text);
        return 0;
    case PINENTRY:
        o->person.dialog = arg != NULL ? arg : DIALOG_PROGRAM;
        return 0;
    case NO_PINPAD:
        o->no_pinpad = true;
        return 0;
    case READER:
        o->reader = arg;
        return 0;
    case APPLICATION:
        o->person.application = arg;
        return 0;
    case LIVE:
        o->allow_live_card = true;
        return 0;
    case WAIT:
        o->wait_ms = 1000 * (int)whole_number(state, "--wait", arg, WAIT_SECONDS_MAX);
        return 0;
    case TRACE:
        o->trace = arg;
        return 0;
    case UNMASKED:
        o->trace_unmasked = true;
        return 0;
    case ARGP_KEY_END:
        if (o->trace_unmasked && (o->trace == NULL || o->allow_live_card))
            argp_error(state, _("--trace-unmasked %s"),
                       o->trace == NULL
                           ? "goes with --trace"
                           : "is for cards of the test scheme: not with --allow-live-card");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp card_words = {options, parse, NULL, NULL, NULL, NULL, NULL};
