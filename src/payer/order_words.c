#include "payer/order_words.h"

#include <stdio.h>
#include <string.h>

#define PATIENCE_MAX 3600

enum { HOME = ORDER_WORDS_FIRST, CACERT, UP_TO, PATIENCE };

static const struct argp_option options[] = {
    {"home", HOME, "DIR", 0, "your folder, instead of ~/.config/telepay", 0},
    {"cacert", CACERT, "FILE", 0,
     "the authorities (PEM) whose certificates of servers are taken, instead of the system's", 0},
    {"up-to", UP_TO, "AMOUNT", 0, "pay what costs at most so much, as \"5.00 EUR\", unasked", 0},
    {"patience", PATIENCE, "SECONDS", 0,
     "how long to send a signed payment again until there is an answer (60)", 0},
    {0},
};

/* "5.00 EUR" */
static void take_up_to(struct checkout_options *o, const char *text, struct argp_state *state)
{
    const char *space = strchr(text, ' ');
    struct tp_error e = {TP_OK, ""};
    char amount[32];

    o->up_to_currency = space != NULL ? currency_by_alpha(space + 1) : NULL;
    if (o->up_to_currency == NULL || (size_t)(space - text) >= sizeof(amount))
        argp_error(state, "--up-to takes an amount and its currency, as \"5.00 EUR\"");
    snprintf(amount, sizeof(amount), "%.*s", (int)(space - text), text);
    if (money_parse(&o->up_to, o->up_to_currency, amount, &e) != TP_OK)
        argp_error(state, "--up-to: %s", e.text);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct checkout_options *o = state->input;
    struct tp_error e = {TP_OK, ""};
    int64_t seconds = 0;

    switch (key) {
    case HOME:
        o->home = arg;
        return 0;
    case CACERT:
        o->cacert = arg;
        return 0;
    case UP_TO:
        take_up_to(o, arg, state);
        return 0;
    case PATIENCE:
        if (cli_number(&seconds, "--patience", arg, PATIENCE_MAX, &e) != TP_OK)
            argp_error(state, "%s", e.text);
        o->patience_s = (int)seconds;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp order_words = {options, parse, NULL, NULL, NULL, NULL, NULL};
