#include "collect/command.h"

#include <curl/curl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>

#include "base/cli.h"
#include "base/log.h"
#include "base/text.h"

static int number_of(const struct argp_state *state, const char *text, int min, int max)
{
    char *end;
    const long v = strtol(text, &end, 10);

    if (*text == '\0' || *end != '\0' || v < min || v > max)
        argp_error(state, _("\"%s\" is no number from %d to %d"), text, min, max);
    return (int)v;
}

error_t collect_parse(int key, char *arg, struct argp_state *state)
{
    struct collect_words *w = state->input;

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
        argp_error(state, _("\"%s\" is one word too many"), arg);
        return 0;
    case ARGP_KEY_END:
        if (w->remise != 0 && w->contract == NULL)
            argp_error(state, _("--remise needs --contract: each contract numbers its own"));
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* Opens, locks, closes what is due, settles. */
int collect_command(const struct collect_words *w, const struct collect_program *program)
{
    struct run run = {.attempts = w->attempts, .pause_s = w->pause, .json = w->json};
    struct tp_error e = {TP_OK, ""};
    char dir[PATH_MAX];
    int lock = -1, code = CLI_DONE;
    enum tp_err r = program->dir(dir, w->dir, &e);

    signal(SIGPIPE, SIG_IGN);
    if (r == TP_OK && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        r = tp_fail(&e, TP_ERR_INTERNAL, "libcurl does not start");
    if (r == TP_OK)
        r = collector_lock(&lock, dir, &e);
    if (r == TP_OK)
        r = program->open(&run.collector, dir, &e);
    if (r == TP_OK && w->timeout > 0)
        run.collector.stall_s = run.collector.answer_s = w->timeout;
    if (r == TP_OK && program->close_due != NULL)
        r = program->close_due(&run.collector, w->contract, w->now || w->contract != NULL, &e);
    if (r == TP_OK)
        r = run_gather(&run, w->contract, (uint32_t)w->remise, &e);
    if (r != TP_OK)
        code = cli_report(&e);
    else {
        if (run.n == 0 && !w->json)
            log_note("%s", program->nothing);
        code = run_settle(&run);
    }
    run_free(&run);
    collector_unlock(&lock);
    curl_global_cleanup();
    return code;
}
