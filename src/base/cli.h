/* What every program does alike: subcommands, --help, --version, exit codes, the last word on an error. */
#ifndef TP_BASE_CLI_H
#define TP_BASE_CLI_H

#include <argp.h>

#include "base/err.h"

enum cli_exit { /* DESIGN 4; mirrored in every man page */
                CLI_DONE = 0,
                CLI_DECLINED = 1,
                CLI_USAGE = 2,
                CLI_NO_CARD = 3,
                CLI_PEER = 4,
                CLI_SECURITY = 5,
                CLI_INTERNAL = 70
};

struct cli_command {
    const char *name;                  /* "contract add": a command of one or two words */
    const char *summary;               /* one line for the program's --help */
    int (*run)(int argc, char **argv); /* argv[0] is "telepay pay"; returns an exit code */
};

struct cli_program {
    const char *name;
    const char *summary;
    const struct cli_command *commands; /* ended by a name of NULL */
};

/* Starts secrets, logging and locale, picks the subcommand from the table and runs it; answers --help and --version, and a
 * wrong or missing subcommand with the list and CLI_USAGE. */
int cli_main(const struct cli_program *program, int argc, char **argv);

/* Parses a subcommand's words with argp; on wrong words argp prints what is wrong and exits with CLI_USAGE. */
void cli_parse(const struct argp *argp, int argc, char **argv, void *input);

/* The exit code of an error, and the same after printing "telepay: sentence" on stderr. */
int cli_exit_of(enum tp_err code);
int cli_report(const struct tp_error *e);

#endif
