#include "base/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/document.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"
#include "config.h"

/* argp wants it in a global: set once, before any command runs. */
static char version[64];

/* Whether the command is one of two words, the first of which is the group. */
static bool is_of(const struct cli_command *c, const char *group)
{
    const size_t n = strlen(group);

    return strncmp(c->name, group, n) == 0 && c->name[n] == ' ';
}

static bool is_group(const struct cli_program *p, const char *word)
{
    const struct cli_command *c = p->commands;

    while (c->name != NULL && !is_of(c, word))
        c++;
    return c->name != NULL;
}

static bool is_heading(const struct cli_command *c)
{
    return c->run == NULL;
}

static int widest(const struct cli_program *p)
{
    size_t width = 0;

    for (const struct cli_command *c = p->commands; c->name != NULL; c++)
        if (strlen(c->name) > width)
            width = strlen(c->name);
    return (int)width;
}

/* Those of a group; NULL: all, under their headings. */
static void list_commands(FILE *to, const struct cli_program *p, const char *group)
{
    const char *title = is_heading(p->commands) && group == NULL ? "" : _("\nCommands:\n");

    if (group != NULL)
        fprintf(to, _("Usage: %s %s COMMAND [OPTION...]\n%s"), p->name, group, title);
    else
        fprintf(to, _("Usage: %s COMMAND [OPTION...]\n%s\n%s"), p->name, gettext(p->summary),
                title);
    for (const struct cli_command *c = p->commands; c->name != NULL; c++)
        if (group == NULL && is_heading(c))
            fprintf(to, _("\n%s:\n"), gettext(c->summary));
        else if (group == NULL || is_of(c, group))
            fprintf(to, "  %-*s  %s\n", widest(p), c->name, gettext(c->summary));
    fprintf(to, _("\nEach answers --help. See also: man %s\n"), p->name);
}

/* How many of the words name the command: 1, 2, or 0 for no. A group that is a command itself takes
 * no other word: what follows it was meant for one of the group. */
static int matches(const struct cli_program *p, const struct cli_command *c, int words, char **word)
{
    if (is_heading(c))
        return 0;
    if (words >= 1 && strcmp(word[0], c->name) == 0)
        return words == 1 || word[1][0] == '-' || !is_group(p, word[0]) ? 1 : 0;
    if (words >= 2 && is_of(c, word[0]))
        return strcmp(word[1], strchr(c->name, ' ') + 1) == 0 ? 2 : 0;
    return 0;
}

static bool asks_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-?") == 0;
}

/* What is printed is written, or it is said why not. A command that has done something keeps the
 * exit code of that; who leaves a pipe before the end has read enough. */
static int written(bool shows)
{
    const bool now = fflush(stdout) == 0;
    const char *why = now ? _("not everything was written") : strerror(errno);
    struct pollfd reader = {STDOUT_FILENO, 0, 0};

    if (now && !ferror(stdout))
        return CLI_DONE;
    if (poll(&reader, 1, 0) == 1 && (reader.revents & POLLERR) != 0)
        return CLI_DONE;
    log_error("standard output: %s", why);
    return shows ? CLI_DISK : CLI_DONE;
}

/* The words name no command: says which there are, of the group that they begin with or of all. */
static int refuse(const struct cli_program *p, int words, char **word)
{
    const char *group = words > 0 && is_group(p, word[0]) ? word[0] : NULL;

    if (group != NULL && words > 1 && asks_help(word[1])) {
        list_commands(stdout, p, group);
        return written(true);
    }
    if (group != NULL && words > 1 && word[1][0] != '-')
        log_error("\"%s %s\" is not a command", group, word[1]);
    else if (group != NULL)
        log_error("\"%s\" alone is not a command: one of these follows it", group);
    else if (words > 0)
        log_error("\"%s\" is not a command", word[0]);
    list_commands(stderr, p, group);
    return CLI_USAGE;
}

static int run(const struct cli_program *p, const struct cli_command *c, int argc, char **argv)
{
    char name[80];
    int code;

    snprintf(name, sizeof(name), "%s %s", p->name, c->name);
    argv[0] = name;
    code = c->run(argc, argv);
    if (code == CLI_DONE)
        code = written(c->shows);
    /* What OpenSSL keeps for this thread points into its locked heap. Where a library started it
     * before main (libjose does), its own end comes after those who look for what was lost. */
    OPENSSL_thread_stop();
    return code;
}

int cli_main(const struct cli_program *p, int argc, char **argv)
{
    text_start();
    argp_err_exit_status = CLI_USAGE;
    snprintf(version, sizeof(version), "%s %s", p->name, PACKAGE_VERSION);
    argp_program_version = version;
    log_start(p->name, LOG_LEVEL_NOTE, 0);
    (void)secret_start(); /* without locked memory secrets still work, and are still wiped */
    if (argc >= 2 && strcmp(argv[1], "--version") == 0) {
        puts(version);
        return written(true);
    }
    if (argc >= 2 && asks_help(argv[1])) {
        list_commands(stdout, p, NULL);
        return written(true);
    }
    for (const struct cli_command *c = p->commands; c->name != NULL; c++) {
        const int words = matches(p, c, argc - 1, argv + 1);

        if (words > 0)
            return run(p, c, argc - words, argv + words);
    }
    return refuse(p, argc - 1, argv + 1);
}

static const struct argp *parsed; /* by the one command that runs */

static bool is_json(int key)
{
    const struct argp_option *o = parsed->options;

    while (o != NULL && (o->name != NULL || o->key != 0 || o->doc != NULL || o->group != 0)) {
        if (o->name != NULL && o->key == key && strcmp(o->name, "json") == 0)
            return true;
        o++;
    }
    return false;
}

/* Who asks for JSON hears of errors in JSON: known here, for all commands. */
static error_t parse_key(int key, char *arg, struct argp_state *state)
{
    if (is_json(key))
        document_asked();
    return parsed->parser(key, arg, state);
}

void cli_parse(const struct argp *argp, int argc, char **argv, void *input)
{
    struct argp heard = *argp;

    parsed = argp;
    heard.parser = parse_key;

    const error_t r = argp_parse(&heard, argc, argv, 0, NULL, input);

    if (r != 0) { /* only out of memory and the like: argp itself exits on wrong words */
        log_error("%s", strerror(r));
        exit(CLI_INTERNAL);
    }
}

enum tp_err cli_number(int64_t *out, const char *what, const char *text, int64_t max,
                       struct tp_error *e)
{
    const size_t n = strlen(text);

    if (n == 0 || n > 15 || strspn(text, "0123456789") != n || strtoll(text, NULL, 10) > max)
        return tp_fail(e, TP_ERR_USAGE, "%s must be a number from 0 to %" PRId64 ", not \"%.40s\"",
                       what, max, text);
    *out = strtoll(text, NULL, 10);
    return TP_OK;
}

enum tp_err cli_fd(int *out, const char *option, const char *text, struct tp_error *e)
{
    int64_t fd = 0;
    enum tp_err r = cli_number(&fd, option, text, 65535, e);
    int flags, mode;

    if (r != TP_OK)
        return r;
    flags = fcntl((int)fd, F_GETFD);
    mode = fcntl((int)fd, F_GETFL);
    if (flags < 0 || mode < 0 || (flags & FD_CLOEXEC) != 0)
        return tp_fail(e, TP_ERR_USAGE,
                       "%s: there is no file descriptor %" PRId64
                       ": open it for this program, as in %" PRId64 "<FILE",
                       option, fd, fd);
    if ((mode & O_ACCMODE) == O_WRONLY)
        return tp_fail(e, TP_ERR_USAGE, "%s: file descriptor %" PRId64 " cannot be read", option,
                       fd);
    *out = (int)fd;
    return TP_OK;
}

static enum tp_err read_line(char *line, size_t cap, size_t *n, int fd, struct tp_error *e)
{
    *n = 0;
    while (*n < cap) {
        const ssize_t got = read(fd, line + *n, 1);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return tp_fail(e, TP_ERR_IO, "cannot read from descriptor %d: %s", fd, strerror(errno));
        if (got == 0 || line[*n] == '\n')
            return TP_OK;
        (*n)++;
    }
    return TP_OK; /* too long, as the caller sees */
}

bool cli_take_digits(char *out, size_t min, size_t max, const char *text, size_t n)
{
    size_t digits = 0;

    for (size_t i = 0; i < n; i++) {
        if (text[i] == ' ' || text[i] == '\r')
            continue;
        if (digits == max || text[i] < '0' || text[i] > '9')
            return false;
        out[digits++] = text[i];
    }
    out[digits] = '\0';
    return digits >= min;
}

bool cli_agrees(const char *question)
{
    char line[16] = "";

    fflush(stdout);
    if (isatty(STDIN_FILENO) == 0)
        return false;
    fprintf(stderr, _("%s [y/N] "), question);
    if (fgets(line, sizeof(line), stdin) == NULL)
        return false;
    line[strcspn(line, "\n")] = '\0';
    return text_says_yes(line);
}

enum tp_err cli_digits(char *out, size_t min, size_t max, const char *what, const char *fd_text,
                       const char *prompt, bool hidden, struct tp_error *e)
{
    char line[64];
    size_t n = 0;
    int fd = STDIN_FILENO;
    struct termios before, silent;
    bool muted = false;
    enum tp_err r = fd_text != NULL ? cli_fd(&fd, "the descriptor", fd_text, e) : TP_OK;

    if (r != TP_OK)
        return r;
    if (isatty(fd)) {
        log_note("%s", prompt);
        if (hidden && tcgetattr(fd, &before) == 0) {
            silent = before;
            silent.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
            muted = tcsetattr(fd, TCSAFLUSH, &silent) == 0;
        }
    }
    r = read_line(line, sizeof(line), &n, fd, e);
    if (muted)
        (void)tcsetattr(fd, TCSAFLUSH, &before);
    if (r == TP_OK && (n == sizeof(line) || !cli_take_digits(out, min, max, line, n)))
        r = tp_fail(e, TP_ERR_USAGE, "that is no %s: %zu to %zu digits", what, min, max);
    secret_wipe(line, sizeof(line));
    return r;
}

int cli_exit_of(enum tp_err code)
{
    static const unsigned char exits[TP_ERR_COUNT] = {
        [TP_OK] = CLI_DONE,
        [TP_ERR_USAGE] = CLI_USAGE,
        [TP_ERR_FORMAT] = CLI_USAGE,
        [TP_ERR_RANGE] = CLI_USAGE,
        [TP_ERR_NOT_FOUND] = CLI_USAGE,
        [TP_ERR_EXISTS] = CLI_USAGE,
        [TP_ERR_STATE] = CLI_USAGE,
        [TP_ERR_CANCELLED] = CLI_DECLINED,
        [TP_ERR_NO_READER] = CLI_NO_CARD,
        [TP_ERR_NO_CARD] = CLI_NO_CARD,
        [TP_ERR_CARD] = CLI_NO_CARD,
        [TP_ERR_PEER] = CLI_PEER,
        [TP_ERR_TIMEOUT] = CLI_PEER,
        [TP_ERR_SECURITY] = CLI_SECURITY,
        [TP_ERR_IO] = CLI_DISK,
        [TP_ERR_UNKNOWN] = CLI_DISK,
        [TP_ERR_AGAIN] = CLI_DISK,
        [TP_ERR_NO_MEMORY] = CLI_INTERNAL,
        [TP_ERR_INTERNAL] = CLI_INTERNAL,
    };

    return (unsigned)code < TP_ERR_COUNT ? exits[code] : CLI_INTERNAL;
}

int cli_report(const struct tp_error *e)
{
    log_error("%s", e->text[0] != '\0' ? e->text : tp_err_text(e->code));
    document_error(e);
    return cli_exit_of(e->code);
}

int cli_end(enum tp_err r, struct tp_error *e)
{
    if (r == TP_OK)
        return CLI_DONE;
    e->code = r;
    return cli_report(e);
}
