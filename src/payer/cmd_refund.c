/* telepay refund: gives money back to the card that paid. */
#include "base/log.h"
#include "base/text.h"
#include "payer/card_words.h"
#include "payer/commands.h"
#include "payer/pay_told.h"

struct words {
    struct pay_options pay;
    struct ticket_wish ticket;
    bool json;
};

enum { AMOUNT = 0x100, CURRENCY, CONFIG, EVENTS };

static const struct argp_option options[] = {
    {"amount", AMOUNT, "AMOUNT", 0,
     N_("how much, as people write it: 12.50; else all that is left of PAYMENT"), 0},
    {"currency", CURRENCY, "CODE", 0,
     N_("its currency, such as EUR; must be the contract's, and is if not given"), 0},
    {"config", CONFIG, "FILE", 0,
     N_("the terminal's configuration, made by telepay-acquirer terminal add"), 0},
    {"json", 'j', NULL, 0, N_("print all about the refund as JSON instead of the receipt"), 0},
    {"events", EVENTS, NULL, 0,
     N_("print what happens as it goes, as JSON lines, instead of the receipt; the report of "
        "--json is then the last line"),
     0},
    {"verbose", 'v', NULL, 0, N_("say each step, and the messages to and from the acquirer"), 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &w->pay;
        state->child_inputs[1] = &w->ticket;
        return 0;
    case AMOUNT:
        w->pay.amount = arg;
        return 0;
    case CURRENCY:
        w->pay.currency = arg;
        return 0;
    case CONFIG:
        w->pay.config = arg;
        return 0;
    case 'j':
        w->json = true;
        return 0;
    case EVENTS:
        w->pay.person.events = true;
        return 0;
    case 'v':
        w->pay.person.verbose = true;
        return 0;
    case ARGP_KEY_ARG:
        if (w->pay.undoes != NULL)
            argp_error(state, _("\"%s\" is one word too many"), arg);
        w->pay.undoes = arg;
        return 0;
    case ARGP_KEY_END:
        if (w->pay.config == NULL)
            argp_error(state, _("--config is missing"));
        if (w->pay.undoes == NULL && w->pay.amount == NULL)
            argp_error(state, _("say which payment, by its reference (RRN) or number, which stand "
                                "in telepay journal list, or \"last\"; or, where the contract "
                                "takes a refund of none, --amount"));
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int payer_refund(int argc, char **argv)
{
    static const struct argp_child children[] = {
        {&card_words, 0, NULL, 0}, {&ticket_words, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        options,
        parse,
        N_("[PAYMENT]"),
        N_("Give back what was paid, or a part of it, to the card that paid, and print the "
           "receipt. PAYMENT is the reference (RRN) or number of the payment, or \"last\"."),
        children,
        NULL,
        NULL};
    struct words w = {.pay = CARD_WORDS_NONE};
    struct pay_result result;

    w.pay.refund = true;
    cli_parse(&argp, argc, argv, &w);
    if (w.pay.person.verbose)
        log_start("telepay", LOG_LEVEL_TRACE, 0);
    pay_run(&result, &w.pay);
    const struct told how = {.json = w.json, .events = w.pay.person.events, .ticket = &w.ticket};

    pay_tell(&result, &how);
    return pay_end(&result, &how);
}
