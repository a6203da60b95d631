#include "payer/order_words.h"

#include <string.h>

#include "base/table.h"
#include "base/text.h"

#define PATIENCE_MAX 3600

enum { HOME = ORDER_WORDS_FIRST, CACERT, UP_TO, PATIENCE, USER, CODE_FD, MEANS };

static const struct argp_option asking[] = {
    {"home", HOME, "DIR", 0, N_("your folder, instead of ~/.config/telepay"), 0},
    {"user", USER, "NAME", 0, N_("who pays, of several users of the folder"), 0},
    {"code-fd", CODE_FD, "N", 0,
     N_("read the code of your key from file descriptor N, one line a try, instead of the "
        "terminal"),
     0},
    {"cacert", CACERT, "FILE", 0,
     N_("the authorities (PEM) whose certificates of servers are taken, instead of the system's"),
     0},
    {"patience", PATIENCE, "SECONDS", 0,
     N_("how long to send a signed payment again until there is an answer [60]"), 0},
    {0},
};

static error_t parse_asking(int key, char *arg, struct argp_state *state)
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
    case CODE_FD:
        if (cli_fd(&o->code_fd, "--code-fd", arg, &e) != TP_OK)
            argp_error(state, "%s", e.text);
        return 0;
    case USER:
        o->user = arg;
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

const struct argp asking_words = {asking, parse_asking, NULL, NULL, NULL, NULL, NULL};
const struct argp_child asking_list_words[] = {
    {&asking_words, 0, NULL, 0}, {&table_argp, 0, NULL, 0}, {0}};

static const struct argp_option paying[] = {
    {"means", MEANS, "MEANS", 0,
     N_("pay by this alone: emv, a card, or purse; else as your plan has it"), 0},
    {"up-to", UP_TO, "AMOUNT", 0, N_("pay what costs at most so much, as \"5.00 EUR\", unasked"),
     0},
    {0},
};

static error_t parse_paying(int key, char *arg, struct argp_state *state)
{
    struct checkout_options *o = state->input;
    struct tp_error e = {TP_OK, ""};

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = o;
        return 0;
    case UP_TO:
        if (plan_limit_parse(&o->up_to, "--up-to", arg, &e) != TP_OK)
            argp_error(state, "%s", e.text);
        return 0;
    case MEANS:
        if (strcmp(arg, DEMAND_CARD) != 0 && strcmp(arg, DEMAND_PURSE) != 0)
            argp_error(state, _("--means takes emv, a card, or purse, not \"%s\""), arg);
        o->means = arg;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&asking_words, 0, NULL, 0}, {0}};
const struct argp order_words = {paying, parse_paying, NULL, NULL, children, NULL, NULL};
