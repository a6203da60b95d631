/* telepay pay: the command line of a payment. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "drivers/transcript.h"
#include "payer/card_words.h"
#include "payer/commands.h"
#include "payer/lesson.h"
#include "payer/order_words.h"
#include "payer/pay_told.h"
#include "payer/pay_url.h"
#include "payer/rerun.h"
#include "payer/ticket_words.h"

struct words {
    struct pay_options pay;
    struct checkout_options checkout;
    struct ticket_wish ticket;
    const char *order; /* the address of one: ORIGIN/orders/ID */
    const char *replay;
    const char *lesson; /* file of --explain; NULL: standard error */
    bool json, dry_run, explain;
};

enum { AMOUNT = 0x100, CURRENCY, CONFIG, ORDER, REPLAY, DRY_RUN, EXPLAIN, EVENTS };

static const struct argp_option options[] = {
    {"amount", AMOUNT, "AMOUNT", 0, N_("how much, as people write it: 12.50"), 0},
    {"currency", CURRENCY, "CODE", 0,
     N_("its currency, such as EUR; must be the contract's, and is if not given"), 0},
    {"config", CONFIG, "FILE", 0,
     N_("the terminal's configuration, made by telepay-acquirer terminal add"), 0},
    {"order", ORDER, "URL", 0, N_("pay the order of this address instead of an amount"), 0},
    {"replay", REPLAY, "FILE", 0,
     N_("run the payment of a trace again, without card, reader or acquirer; with --dry-run"), 0},
    {"dry-run", DRY_RUN, NULL, 0, N_("with --replay: send nothing, keep nothing"), 0},
    {"explain", EXPLAIN, "FILE", OPTION_ARG_OPTIONAL,
     N_("afterwards explain the payment step by step, on standard error or in FILE"), 0},
    {"json", 'j', NULL, 0, N_("print all about the payment as JSON instead of the receipt"), 0},
    {"events", EVENTS, NULL, 0,
     N_("print what happens as it goes, as JSON lines, instead of the receipt; the report of "
        "--json is then the last line"),
     0},
    {"verbose", 'v', NULL, 0, N_("say each step, and the messages to and from the acquirer"), 0},
    {0},
};

static void check_words(const struct words *w, struct argp_state *state)
{
    if (w->replay != NULL && w->ticket.device != NULL)
        argp_error(state, _("a payment that is run again has no ticket to print: no --print"));
    else if ((w->replay != NULL) != w->dry_run)
        argp_error(
            state,
            _("--replay and --dry-run go together: a payment that is run again is not paid again"));
    else if (w->replay != NULL && w->pay.person.events)
        argp_error(state, _("--events is of a payment that goes on: not with --replay"));
    else if (w->replay != NULL && w->explain)
        argp_error(state, _("with --replay no --explain: telepay explain %s does that"), w->replay);
    else if (w->replay != NULL &&
             (w->pay.amount != NULL || w->pay.config != NULL || w->pay.trace != NULL))
        argp_error(state, _("with --replay amount and terminal are those of the trace: no "
                            "--amount, --config or --trace"));
    else if (w->order != NULL && (w->replay != NULL || w->pay.amount != NULL ||
                                  w->pay.currency != NULL || w->pay.config != NULL))
        argp_error(state, _("with --order amount and terminal are those of the order: no --amount, "
                            "--currency, --config or --replay"));
    else if (w->replay == NULL && w->order == NULL &&
             (w->pay.amount == NULL || w->pay.config == NULL))
        argp_error(state, _("%s is missing"), w->pay.amount == NULL ? "--amount" : "--config");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &w->pay;
        state->child_inputs[1] = &w->checkout;
        state->child_inputs[2] = &w->ticket;
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
    case ORDER:
        w->order = arg;
        return 0;
    case REPLAY:
        w->replay = arg;
        return 0;
    case DRY_RUN:
        w->dry_run = true;
        return 0;
    case EXPLAIN:
        w->explain = true;
        w->lesson = arg;
        w->pay.keep_trace = true;
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
        argp_error(state, _("\"%s\" is not an option"), arg);
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
                     "authentication_result", w->authentication, "result", w->result);
}

static json_t *rerun_json(const struct rerun *r)
{
    return json_pack("{s:b, s:b, s:I, s:o, s:o}", "same", rerun_same(r), "masked", r->masked,
                     "differences", (json_int_t)r->differences, "then", word_json(&r->then), "now",
                     word_json(&r->now));
}

static void print_pair(const char *name, const char *then, const char *now)
{
    if (strcmp(then, now) == 0)
        printf(_("%s as then: %s\n"), name, now);
    else if (then[0] == '\0')
        printf(_("%s now, not recorded then: %s\n"), name, now);
    else
        printf(_("%s DIFFERS\n  then: %s\n  now:  %s\n"), name, then, now);
}

/* What the run came to, against what was recorded. */
static void print_rerun(const struct rerun *r)
{
    if (r->now.outcome[0] == '\0') /* it was not run */
        return;
    printf(_("\nREPLAY: nothing is paid, nothing is sent.\n"));
    print_pair("Outcome", r->then.outcome, r->now.outcome);
    print_pair("Reason", r->then.reason, r->now.reason);
    print_pair("Result", r->then.result, r->now.result);
    print_pair("Authentication", r->then.authentication, r->now.authentication);
    if (r->masked)
        printf(_("The card's data are masked: whether its certificates are good cannot be judged "
                 "again. What they came to then is used.\n"));
    if (r->differences > 0)
        printf(ngettext("%u command is not as then, and what the card signed then covers what it "
                        "was sent then: see above.\n",
                        "%u commands are not as then, and what the card signed then covers what it "
                        "was sent then: see above.\n",
                        r->differences),
               r->differences);
    else
        printf(_("All commands to the card are as then.\n"));
}

static void run(struct words *w, struct pay_result *result, struct rerun *rerun)
{
    const struct pay_url_options url = {
        .url = w->order, .verbose = w->pay.person.verbose, .checkout = w->checkout, .pay = w->pay};
    struct pay_url u;

    if (w->replay != NULL) {
        rerun_payment(result, rerun, w->replay);
    } else if (w->order != NULL) {
        pay_url_run(&u, result, &url);
        pay_url_free(&u);
    } else {
        pay_run(result, &w->pay);
    }
}

/* The trace of the payment; *text is the caller's to free. */
static enum tp_err take_trace(uint8_t **text, size_t *n, const struct words *w,
                              struct pay_result *result, struct tp_error *e)
{
    if (w->pay.trace != NULL)
        return file_read(w->pay.trace, TRANSCRIPT_MAX, text, n, e);
    *text = (uint8_t *)result->trace;
    *n = result->trace_n;
    result->trace = NULL;
    return *text != NULL ? TP_OK
                         : tp_fail(e, TP_ERR_NOT_FOUND,
                                   "no card was asked: there is nothing to "
                                   "explain");
}

/* Whatever becomes of it, the payment is what it is: what goes wrong here is only told. */
static void explain(const struct words *w, struct pay_result *result)
{
    FILE *to = w->lesson != NULL ? fopen(w->lesson, "we") : stderr;
    struct tp_error e = {TP_OK, ""};
    uint8_t *text = NULL;
    size_t n = 0;
    json_t *lesson = NULL;
    enum tp_err r =
        to != NULL ? take_trace(&text, &n, w, result, &e)
                   : tp_fail(&e, TP_ERR_USAGE, "cannot write %s: %s", w->lesson, strerror(errno));

    if (r == TP_OK)
        r = lesson_make(&lesson, span_of(text, n),
                        w->pay.trace != NULL ? w->pay.trace : "the trace", &e);
    if (r == TP_OK)
        lesson_print(to, lesson);
    if (r == TP_OK && ferror(to))
        r = tp_fail(&e, TP_ERR_IO, "the lesson cannot be written");
    if (w->lesson != NULL && to != NULL && fclose(to) != 0 && r == TP_OK)
        r = tp_fail(&e, TP_ERR_IO, "%s is not whole: %s", w->lesson, strerror(errno));
    if (r != TP_OK)
        log_note("not explained: %s", e.text);
    json_decref(lesson);
    free(text);
}

int payer_pay(int argc, char **argv)
{
    static const struct argp_child children[] = {
        {&card_words, 0, NULL, 0}, {&order_words, 0, NULL, 0}, {&ticket_words, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        options,  parse, NULL, N_("Pay with the card in the reader, and print the receipt."),
        children, NULL,  NULL};
    struct words w = {.pay = CARD_WORDS_NONE, .checkout = ORDER_WORDS_NONE};
    struct pay_result result;
    struct rerun rerun = {.masked = false};

    cli_parse(&argp, argc, argv, &w);
    if (w.pay.person.verbose)
        log_start("telepay", LOG_LEVEL_TRACE, 0);
    run(&w, &result, &rerun);
    const struct told how = {.json = w.json,
                             .events = w.pay.person.events,
                             .ticket = &w.ticket,
                             .replay = w.json && w.replay != NULL ? rerun_json(&rerun) : NULL};

    pay_tell(&result, &how);
    if (!w.json && w.replay != NULL)
        print_rerun(&rerun);
    if (w.explain)
        explain(&w, &result);
    return pay_end(&result, &how);
}
