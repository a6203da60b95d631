/* telepay-acquirer submit, collect. */
#include "acquirer/collecting.h"
#include "acquirer/commands.h"
#include "acquirer/state.h"
#include "base/cli.h"
#include "base/text.h"
#include "collect/command.h"

#define DIR_OPTION                                                                                 \
    {                                                                                              \
        "dir", 'd', "DIR", 0, "the acquirer's folder [./acq, else " ACQUIRER_DIR_DEFAULT "]", 90   \
    }

int acquirer_submit(int argc, char **argv)
{
    static const struct argp_option options[] = {
        COLLECT_CONTRACT, {"remise", 'r', "NUMBER", 0, N_("only this remise of the contract"), 0},
        COLLECT_ATTEMPTS, COLLECT_PAUSE,
        COLLECT_TIMEOUT,  DIR_OPTION,
        COLLECT_JSON,     {0}};
    static const struct argp argp = {options,
                                     collect_parse,
                                     NULL,
                                     N_("Submit the remises that are closed and not settled to the "
                                        "collection centre, and reconcile its answers."),
                                     NULL,
                                     NULL,
                                     NULL};
    static const struct collect_program program = {acquirer_dir, collecting_open, NULL,
                                                   "there is no remise to submit"};
    struct collect_words w = {.attempts = 1, .pause = RUN_PAUSE_S};

    cli_parse(&argp, argc, argv, &w);
    return collect_command(&w, &program);
}

int acquirer_collect(int argc, char **argv)
{
    static const struct argp_option options[] = {
        COLLECT_CONTRACT,
        {"now", 'n', NULL, 0, N_("close every contract now, whatever its hour"), 0},
        COLLECT_ATTEMPTS,
        COLLECT_PAUSE,
        COLLECT_TIMEOUT,
        DIR_OPTION,
        COLLECT_JSON,
        {0}};
    static const struct argp argp = {
        options,
        collect_parse,
        NULL,
        N_("The daily run: close the remises of the contracts whose hour has come, submit all that "
           "is not settled, and print a ticket for each."),
        NULL,
        NULL,
        NULL};
    static const struct collect_program program = {
        acquirer_dir, collecting_open, collecting_close_due,
        "no contract's hour has come, and nothing waits: --now closes whatever the hour"};
    struct collect_words w = {.attempts = RUN_ATTEMPTS, .pause = RUN_PAUSE_S};

    cli_parse(&argp, argc, argv, &w);
    return collect_command(&w, &program);
}
