/* telepay pay: the command line of a payment. */
#include <inttypes.h>
#include <stdlib.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "payer/commands.h"
#include "payer/pay.h"
#include "payer/report.h"
#include "payer/rerun.h"

#define WAIT_SECONDS     60
#define WAIT_SECONDS_MAX 86400

struct words {
    struct pay_options pay;
    const char *replay;
    bool json, dry_run;
};

enum {
    AMOUNT = 0x100,
    CURRENCY,
    CONFIG,
    PIN_FD,
    NO_PINPAD,
    READER,
    APPLICATION,
    LIVE,
    WAIT,
    TRACE,
    UNMASKED,
    REPLAY,
    DRY_RUN,
    JSON
};

static const struct argp_option options[] = {
    {"amount", AMOUNT, "AMOUNT", 0, "how much, as people write it: 12.50", 0},
    {"currency", CURRENCY, "CODE", 0,
     "its currency, such as EUR; must be the contract's, and is if not given", 0},
    {"config", CONFIG, "FILE", 0,
     "the terminal's configuration, made by telepay-acquirer terminal add", 0},
    {"pin-fd", PIN_FD, "N", 0,
     "read the PIN from file descriptor N, one line a try, instead of the terminal", 0},
    {"no-pinpad", NO_PINPAD, NULL, 0,
     "ask for the PIN here even if the reader has a keypad of its own", 0},
    {"reader", READER, "NAME|NUMBER", 0,
     "the reader whose name contains NAME, or its NUMBER in the list; else the first with a card",
     0},
    {"application", APPLICATION, "AID|NAME|NUMBER", 0,
     "the card's application to pay with; else it is asked, or the card's first", 0},
    {"allow-live-card", LIVE, NULL, 0,
     "let a card of a live scheme sign; else such a card is only read", 0},
    {"wait", WAIT, "SECONDS", 0, "how long to wait for a card (60)", 0},
    {"trace", TRACE, "FILE", 0,
     "write what passes between terminal and card to FILE, sensitive data masked", 0},
    {"trace-unmasked", UNMASKED, NULL, 0,
     "with --trace: mask only the PIN, if the card is of the test scheme", 0},
    {"replay", REPLAY, "FILE", 0,
     "run the payment of a trace again, without card, reader or acquirer; with --dry-run", 0},
    {"dry-run", DRY_RUN, NULL, 0, "with --replay: send nothing, keep nothing", 0},
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

static void check_words(const struct words *w, struct argp_state *state)
{
    if ((w->replay != NULL) != w->dry_run)
        argp_error(
            state,
            "--replay and --dry-run go together: a payment that is run again is not paid again");
    else if (w->replay != NULL &&
             (w->pay.amount != NULL || w->pay.config != NULL || w->pay.trace != NULL))
        argp_error(state, "with --replay amount and terminal are those of the trace: no --amount, "
                          "--config or --trace");
    else if (w->replay == NULL && (w->pay.amount == NULL || w->pay.config == NULL))
        argp_error(state, "%s is missing", w->pay.amount == NULL ? "--amount" : "--config");
    else if (w->pay.trace_unmasked && (w->pay.trace == NULL || w->pay.allow_live_card))
        argp_error(state, "--trace-unmasked %s",
                   w->pay.trace == NULL
                       ? "goes with --trace"
                       : "is for cards of the test scheme: not with --allow-live-card");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;
    struct tp_error e = {TP_OK, ""};

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
        if (cli_fd(&w->pay.person.pin_fd, "--pin-fd", arg, &e) !=
            TP_OK) /* now, before anything of ours is open */
            argp_error(state, "%s", e.text);
        return 0;
    case NO_PINPAD:
        w->pay.no_pinpad = true;
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
    case UNMASKED:
        w->pay.trace_unmasked = true;
        return 0;
    case REPLAY:
        w->replay = arg;
        return 0;
    case DRY_RUN:
        w->dry_run = true;
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
        check_words(w, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static json_t *word_json(const struct rerun_word *w)
{
    return json_pack("{s:s, s:s, s:s, s:s}", "outcome", w->outcome, "reason", w->reason,
                     "authentication", w->authentication, "result", w->result);
}

/* rerun NULL: a payment. */
static enum tp_err print_json(const struct pay_result *result, const struct rerun *rerun)
{
    const struct receipt *r = &result->receipt;
    json_t *receipt = NULL, *kernel = NULL, *replay = NULL;

    if (result->has_receipt && receipt_to_json(&receipt, r) != TP_OK)
        return TP_ERR_NO_MEMORY;
    if (result->tx != NULL && report_transaction(&kernel, result->tx) != TP_OK) {
        json_decref(receipt);
        return TP_ERR_NO_MEMORY;
    }
    if (rerun != NULL)
        replay = json_pack("{s:b, s:b, s:I, s:o, s:o}", "same", rerun_same(rerun), "masked",
                           rerun->masked, "differences", (json_int_t)rerun->differences, "then",
                           word_json(&rerun->then), "now", word_json(&rerun->now));
    return report_print(json_pack(
        "{s:i, s:s, s:s?, s:o?, s:o?, s:{s:I, s:I, s:I, s:I, s:I}, s:o*}", "exit",
        (int)result->exit, "outcome", result->has_receipt ? payment_state_name(r->state) : "error",
        "error", result->error.code != TP_OK ? result->error.text : NULL, "payment", receipt,
        "card", kernel, "cost", "apdus", (json_int_t)result->counts.exchanges, "bytes_to_card",
        (json_int_t)result->counts.bytes_out, "bytes_from_card",
        (json_int_t)result->counts.bytes_in, "card_ms", (json_int_t)result->card_ms, "acquirer_ms",
        (json_int_t)result->acquirer_ms, "replay", replay));
}

static void print_pair(const char *name, const char *then, const char *now)
{
    if (strcmp(then, now) == 0)
        printf("%s as then: %s\n", name, now);
    else if (then[0] == '\0')
        printf("%s now, not recorded then: %s\n", name, now);
    else
        printf("%s DIFFERS\n  then: %s\n  now:  %s\n", name, then, now);
}

/* What the run came to, against what was recorded. */
static void print_rerun(const struct rerun *r)
{
    if (r->now.outcome[0] == '\0') /* it was not run */
        return;
    printf("\nREPLAY: nothing is paid, nothing is sent.\n");
    print_pair("Outcome", r->then.outcome, r->now.outcome);
    print_pair("Reason", r->then.reason, r->now.reason);
    print_pair("Result", r->then.result, r->now.result);
    print_pair("Authentication", r->then.authentication, r->now.authentication);
    if (r->masked)
        printf("The card's data are masked: whether its certificates are good cannot be judged "
               "again. What they came to then is used.\n");
    if (r->differences > 0)
        printf("%u %s not as then, and what the card signed then covers what it was sent then: see "
               "above.\n",
               r->differences, r->differences == 1 ? "command is" : "commands are");
    else
        printf("All commands to the card are as then.\n");
}

int payer_pay(int argc, char **argv)
{
    static const struct argp argp = {
        options, parse, NULL, "Pay with the card in the reader, and print the receipt.",
        NULL,    NULL,  NULL};
    struct words w = {.pay = {.wait_ms = 1000 * WAIT_SECONDS, .person = {.pin_fd = -1}}};
    struct pay_result result;
    struct rerun rerun;
    int code;

    cli_parse(&argp, argc, argv, &w);
    if (w.pay.person.verbose)
        log_start("telepay", LOG_LEVEL_TRACE, 0);
    if (w.replay != NULL)
        rerun_payment(&result, &rerun, w.replay);
    else
        pay_run(&result, &w.pay);
    code = result.exit;
    if (result.error.code != TP_OK)
        log_error("%s", result.error.text[0] != '\0' ? result.error.text
                                                     : tp_err_text(result.error.code));
    if (w.json && print_json(&result, w.replay != NULL ? &rerun : NULL) != TP_OK)
        log_error("the report cannot be written: `telepay journal list` shows what was paid");
    if (!w.json && result.has_receipt)
        receipt_print(stdout, &result.receipt);
    if (!w.json && w.replay != NULL)
        print_rerun(&rerun);
    if (fflush(stdout) != 0)
        log_error("the receipt cannot be written (%s): `telepay journal list` shows what was paid",
                  strerror(errno));
    pay_result_free(&result);
    return code;
}
