/* What every program does alike: subcommands, --help, --version, exit codes, the last word on an
 * error. */
#ifndef TP_BASE_CLI_H
#define TP_BASE_CLI_H

#include <argp.h>

#include "base/span.h"

enum cli_exit { /* doc/design.md, Exit codes; mirrored in every man page */
                CLI_DONE = 0,
                CLI_DECLINED = 1,
                CLI_USAGE = 2,
                CLI_NO_CARD = 3,
                CLI_PEER = 4,
                CLI_SECURITY = 5,
                CLI_INTERNAL = 70,
                CLI_DISK = 74 /* sysexits' EX_IOERR */
};

struct cli_command {
    const char *name;                  /* "contract add": a command of one or two words */
    const char *summary;               /* one line for the program's --help */
    int (*run)(int argc, char **argv); /* argv[0] is "telepay pay"; returns an exit code. NULL:
                                          the summary is a heading of those that follow */
    bool shows; /* and does nothing else: it has failed when standard output does not take it */
};

struct cli_program {
    const char *name;
    const char *summary;
    const struct cli_command *commands; /* ended by a name of NULL */
};

/* Starts secrets, logging and locale, picks the subcommand from the table and runs it; answers
 * --help and --version, and a wrong or missing subcommand with the list and CLI_USAGE; the first
 * word alone of commands of two ("contract") with the list of those that begin with it. */
int cli_main(const struct cli_program *program, int argc, char **argv);

/* Parses a subcommand's words with argp; on wrong words argp prints what is wrong and exits with
 * CLI_USAGE. */
void cli_parse(const struct argp *argp, int argc, char **argv, void *input);

/* A number of digits only, from 0 to max. TP_ERR_USAGE naming what. */
TP_MUST_CHECK enum tp_err cli_number(int64_t *out, const char *what, const char *text, int64_t max,
                                     struct tp_error *e);

/* A descriptor that the caller of the program gave it, open for reading, from the text of an
 * option's argument. One that the program opened itself is none: those are all closed at exec.
 * TP_ERR_USAGE naming the option. */
TP_MUST_CHECK enum tp_err cli_fd(int *out, const char *option, const char *text,
                                 struct tp_error *e);

/* Takes a line of min to max digits, spaces passed over; out has max + 1 bytes, which the caller
 * wipes. False: it is none. */
bool cli_take_digits(char *out, size_t min, size_t max, const char *text, size_t n);

/* Whether a person at the terminal says yes to the question; no where standard input is none. */
bool cli_agrees(const char *question);

/* Digits as cli_take_digits takes them, from a descriptor, given as a number's text or NULL
 * (standard input); asked for with `prompt` on a terminal, without echo when hidden. TP_ERR_USAGE
 * naming what. */
TP_MUST_CHECK enum tp_err cli_digits(char *out, size_t min, size_t max, const char *what,
                                     const char *fd, const char *prompt, bool hidden,
                                     struct tp_error *e);

/* The exit code of an error, and the same after printing "telepay: sentence" on stderr, and where
 * JSON was asked for the error as JSON on stdout. */
int cli_exit_of(enum tp_err code);
int cli_report(const struct tp_error *e);

/* What a command came to: CLI_DONE, or its error reported. */
int cli_end(enum tp_err r, struct tp_error *e);

#endif
