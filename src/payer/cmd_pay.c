#include <inttypes.h>
#include <stdlib.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "payer/commands.h"
#include "payer/pay.h"
#include "payer/report.h"

#define WAIT_SECONDS     60
#define WAIT_SECONDS_MAX 86400

struct words {
    struct pay_options pay;
    bool json;
};

enum { AMOUNT = 0x100, CURRENCY, CONFIG, PIN_FD, READER, APPLICATION, LIVE, WAIT, TRACE, JSON };

static const struct argp_option options[] = {
    {"amount", AMOUNT, "AMOUNT", 0, "how much, as people write it: 12.50", 0},
    {"currency", CURRENCY, "CODE", 0, "its currency, such as EUR; must be the contract's, and is if not given", 0},
    {"config", CONFIG, "FILE", 0, "the terminal's configuration, made by telepay-acquirer terminal add", 0},
    {"pin-fd", PIN_FD, "N", 0, "read the PIN from file descriptor N, one line a try, instead of the terminal", 0},
    {"reader", READER, "NAME", 0, "the reader whose name contains NAME; else the first with a card", 0},
    {"application", APPLICATION, "AID|NAME|NUMBER", 0, "the card's application to pay with; else it is asked, or the card's first", 0},
    {"allow-live-card", LIVE, NULL, 0, "let a card of a live scheme sign; else such a card is only read", 0},
    {"wait", WAIT, "SECONDS", 0, "how long to wait for a card (60)", 0},
    {"trace", TRACE, "FILE", 0, "write what passes between terminal and card to FILE, sensitive data masked", 0},
    {"json", JSON, NULL, 0, "print all about the payment as JSON instead of the receipt", 0},
    {"verbose", 'v', NULL, 0, "say each step, and the messages to and from the acquirer", 0},
    {0},
};

static long whole_number(struct argp_state *state, const char *option, const char *text, long max)
{
    char *end;
    const long v = strtol(text, &end, 10);

    if (*text == '\0' || *end != '\0' || v < 0 || v > max)
        argp_error(state, "%s takes a number from 0 to %ld, not \"%s\"", option, max, text);
    return v;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;

    switch (key) {
    case AMOUNT:
        w->pay.amount = arg;
        return 0;
    case CURRENCY:
        w->pay.currency = arg;
        return 0;
    case CONFIG:
        w->pay.config = arg;
        return 0;
    case PIN_FD:
        w->pay.person.pin_fd = (int)whole_number(state, "--pin-fd", arg, 1023);
        return 0;
    case READER:
        w->pay.reader = arg;
        return 0;
    case APPLICATION:
        w->pay.person.application = arg;
        return 0;
    case LIVE:
        w->pay.allow_live_card = true;
        return 0;
    case WAIT:
        w->pay.wait_ms = 1000 * (int)whole_number(state, "--wait", arg, WAIT_SECONDS_MAX);
        return 0;
    case TRACE:
        w->pay.trace = arg;
        return 0;
    case JSON:
        w->json = true;
        return 0;
    case 'v':
        w->pay.person.verbose = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "\"%s\" is not an option", arg);
        return 0;
    case ARGP_KEY_END:
        if (w->pay.amount == NULL || w->pay.config == NULL)
            argp_error(state, "%s is missing", w->pay.amount == NULL ? "--amount" : "--config");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static enum tp_err print_json(const struct pay_result *result)
{
    const struct receipt *r = &result->receipt;
    json_t *receipt = NULL, *kernel = NULL;

    if (result->has_receipt && receipt_to_json(&receipt, r) != TP_OK)
        return TP_ERR_NO_MEMORY;
    if (result->tx != NULL && report_transaction(&kernel, result->tx) != TP_OK) {
        json_decref(receipt);
        return TP_ERR_NO_MEMORY;
    }
    return report_print(json_pack("{s:i, s:s, s:s?, s:o?, s:o?, s:{s:I, s:I, s:I, s:I, s:I}}", "exit", (int)result->exit, "outcome",
                                  result->has_receipt ? payment_state_name(r->state) : "error", "error",
                                  result->error.code != TP_OK ? result->error.text : NULL, "payment", receipt, "card", kernel, "cost", "apdus",
                                  (json_int_t)result->counts.exchanges, "bytes_to_card", (json_int_t)result->counts.bytes_out, "bytes_from_card",
                                  (json_int_t)result->counts.bytes_in, "card_ms", (json_int_t)result->card_ms, "acquirer_ms",
                                  (json_int_t)result->acquirer_ms));
}

int payer_pay(int argc, char **argv)
{
    static const struct argp argp = {options, parse, NULL, "Pay with the card in the reader, and print the receipt.", NULL, NULL, NULL};
    struct words w = {.pay = {.wait_ms = 1000 * WAIT_SECONDS, .person = {.pin_fd = -1}}};
    struct pay_result result;
    int code;

    cli_parse(&argp, argc, argv, &w);
    if (w.pay.person.verbose)
        log_start("telepay", LOG_LEVEL_TRACE, 0);
    pay_run(&result, &w.pay);
    code = result.exit;
    if (result.error.code != TP_OK)
        log_error("%s", result.error.text[0] != '\0' ? result.error.text : tp_err_text(result.error.code));
    if (w.json && print_json(&result) != TP_OK)
        log_error("the report cannot be written: `telepay journal list` shows what was paid");
    if (!w.json && result.has_receipt)
        receipt_print(stdout, &result.receipt);
    if (fflush(stdout) != 0)
        log_error("the receipt cannot be written (%s): `telepay journal list` shows what was paid", strerror(errno));
    pay_result_free(&result);
    return code;
}
