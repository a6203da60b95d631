/* telepay-acquirer submit, collect. */
#include "acquirer/commands.h"

#include <argp.h>
#include <curl/curl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>

#include "acquirer/state.h"
#include "base/cli.h"
#include "base/log.h"
#include "acquirer/run.h"

struct words {
    const char *dir, *contract;
    int remise, attempts, pause, timeout;
    bool json, now;
};

static int number_of(const struct argp_state *state, const char *text, int min, int max)
{
    char *end;
    const long v = strtol(text, &end, 10);

    if (*text == '\0' || *end != '\0' || v < min || v > max)
        argp_error(state, "\"%s\" is no number from %d to %d", text, min, max);
    return (int)v;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;

    switch (key) {
    case 'd':
        w->dir = arg;
        return 0;
    case 'c':
        w->contract = arg;
        return 0;
    case 'r':
        w->remise = number_of(state, arg, 1, 999999999);
        return 0;
    case 'n':
        w->now = true;
        return 0;
    case 'a':
        w->attempts = number_of(state, arg, 1, 1000);
        return 0;
    case 'p':
        w->pause = number_of(state, arg, 0, RUN_PAUSE_MAX);
        return 0;
    case 't':
        w->timeout = number_of(state, arg, 1, 86400);
        return 0;
    case 'j':
        w->json = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "\"%s\" is one word too many", arg);
        return 0;
    case ARGP_KEY_END:
        if (w->remise != 0 && w->contract == NULL)
            argp_error(state, "--remise needs --contract: each contract numbers its own");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

#define DIR_OPTION                                                                                 \
    {                                                                                              \
        "dir", 'd', "DIR", 0, "the acquirer's folder (./acq, else " ACQUIRER_DIR_DEFAULT ")", 90   \
    }
#define JSON_OPTION                                                                                \
    {                                                                                              \
        "json", 'j', NULL, 0, "print the tickets as JSON", 91                                      \
    }
#define CONTRACT_OPTION                                                                            \
    {                                                                                              \
        "contract", 'c', "CONTRACT", 0, "only this contract", 0                                    \
    }
#define ATTEMPTS_OPTION                                                                            \
    {                                                                                              \
        "attempts", 'a', "N", 0, "try each remise at most N times", 1                              \
    }
#define PAUSE_OPTION                                                                               \
    {                                                                                              \
        "pause", 'p', "SECONDS", 0,                                                                \
            "pause before the second try, doubled for each further one (5)", 1                     \
    }
#define TIMEOUT_OPTION                                                                             \
    {                                                                                              \
        "timeout", 't', "SECONDS", 0, "give a try up when the centre is silent for so long (60)",  \
            1                                                                                      \
    }
#define END_OPTION                                                                                 \
    {                                                                                              \
        NULL, 0, NULL, 0, NULL, 0                                                                  \
    }

/* Opens, locks, closes what is due (collect), settles. */
static int work(const struct words *w, bool closing)
{
    struct run run = {.attempts = w->attempts, .pause_s = w->pause, .json = w->json};
    struct tp_error e = {TP_OK, ""};
    char dir[PATH_MAX];
    int lock = -1, code = CLI_DONE;
    enum tp_err r = acquirer_dir(dir, w->dir, &e);

    signal(SIGPIPE, SIG_IGN);
    if (r == TP_OK && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        r = tp_fail(&e, TP_ERR_INTERNAL, "libcurl does not start");
    if (r == TP_OK)
        r = collector_lock(&lock, dir, &e);
    if (r == TP_OK)
        r = collector_open(&run.collector, dir, &e);
    if (r == TP_OK && w->timeout > 0)
        run.collector.stall_s = run.collector.answer_s = w->timeout;
    if (r == TP_OK && closing)
        r = run_close_due(&run, w->contract, w->now || w->contract != NULL, &e);
    if (r == TP_OK)
        r = run_gather(&run, w->contract, (uint32_t)w->remise, &e);
    if (r != TP_OK)
        code = cli_report(&e);
    else {
        if (run.n == 0 && !w->json)
            log_note(closing ? "no contract's hour has come, and nothing waits: --now closes "
                               "whatever the hour"
                             : "there is no remise to submit");
        code = run_settle(&run);
    }
    run_free(&run);
    collector_unlock(&lock);
    curl_global_cleanup();
    return code;
}

int acquirer_submit(int argc, char **argv)
{
    static const struct argp_option options[] = {
        CONTRACT_OPTION, {"remise", 'r', "N", 0, "only this remise of the contract", 0},
        ATTEMPTS_OPTION, PAUSE_OPTION,
        TIMEOUT_OPTION,  DIR_OPTION,
        JSON_OPTION,     END_OPTION};
    static const struct argp argp = {options,
                                     parse,
                                     NULL,
                                     "Submit the remises that are closed and not settled to the "
                                     "collection centre, and reconcile its answers.",
                                     NULL,
                                     NULL,
                                     NULL};
    struct words w = {.attempts = 1, .pause = RUN_PAUSE_S};

    cli_parse(&argp, argc, argv, &w);
    return work(&w, false);
}

int acquirer_collect(int argc, char **argv)
{
    static const struct argp_option options[] = {
        CONTRACT_OPTION, {"now", 'n', NULL, 0, "close every contract now, whatever its hour", 0},
        ATTEMPTS_OPTION, PAUSE_OPTION,
        TIMEOUT_OPTION,  DIR_OPTION,
        JSON_OPTION,     END_OPTION};
    static const struct argp argp = {options,
                                     parse,
                                     NULL,
                                     "The daily run: close the remises of the contracts whose hour "
                                     "has come, submit all that is not settled, and print a "
                                     "ticket for each.",
                                     NULL,
                                     NULL,
                                     NULL};
    struct words w = {.attempts = RUN_ATTEMPTS, .pause = RUN_PAUSE_S};

    cli_parse(&argp, argc, argv, &w);
    return work(&w, true);
}
