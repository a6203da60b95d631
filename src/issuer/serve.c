/* telepay-issuer serve */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "issuer/commands.h"
#include "issuer/server.h"
#include "issuer/state.h"
#include "base/cli.h"
#include "base/log.h"

struct options {
    const char *dir;
    const char *listen;
    unsigned threads;
};

static struct issuer_server *running; /* for the signal handler alone */

static void on_signal(int number)
{
    (void)number;
    issuer_server_stop(running);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    char *end = NULL;

    switch (key) {
    case 'd':
        o->dir = arg;
        return 0;
    case 'l':
        o->listen = arg;
        return 0;
    case 't':
        o->threads = (unsigned)strtoul(arg, &end, 10);
        if (*end != '\0' || o->threads < 1 || o->threads > 64)
            argp_error(state, "--threads takes a number from 1 to 64, not \"%s\"", arg);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* "127.0.0.1:8583", "[::1]:8583", ":8583" (all addresses) or "8583". */
static enum tp_err split_listen(char *address, size_t cap, const char **port, const char *text, struct tp_error *e)
{
    const char *colon = strrchr(text, ':');
    size_t n = colon != NULL ? (size_t)(colon - text) : 0;

    *port = colon != NULL ? colon + 1 : text;
    if (n >= 2 && text[0] == '[' && text[n - 1] == ']') {
        text++;
        n -= 2;
    }
    if (n >= cap || atoi(*port) > 65535 || **port == '\0' || strspn(*port, "0123456789") != strlen(*port) || strlen(*port) > 5)
        return tp_fail(e, TP_ERR_USAGE, "\"%s\" is no ADDRESS:PORT to listen on", text);
    snprintf(address, cap, "%.*s", (int)n, n > 0 ? text : "");
    if (n == 0)
        snprintf(address, cap, "%s", colon != NULL ? "0.0.0.0" : ISSUER_ADDRESS);
    return TP_OK;
}

/* A second signal, while the last answers leave, ends the program at once. */
static void catch_signals(void (*handler)(int))
{
    const struct sigaction end = {.sa_handler = handler};

    sigaction(SIGTERM, &end, NULL);
    sigaction(SIGINT, &end, NULL);
}

int issuer_serve(int argc, char **argv)
{
    static const struct argp_option table[] = {
        {"dir", 'd', "DIR", 0, "The issuer's folder (default: ./iss, else " ISSUER_DIR_DEFAULT ")", 0},
        {"listen", 'l', "ADDRESS:PORT", 0, "Where acquirers connect (default: that of issuer.conf; port 0 picks a free one)", 0},
        {"threads", 't', "N", 0, "Threads for the connections (default: one for each processor)", 0},
        {0}};
    static const struct argp argp = {.options = table, .parser = parse, .doc = "Answer the authorisation requests of acquirers."};
    struct options o = {0};
    char dir[PATH_MAX], address[256];
    static struct issuer_settings settings; /* large */
    const char *port = NULL;
    struct issuer_server *s = NULL;
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &o);
    log_start("telepay-issuer", LOG_LEVEL_NOTE, 1);
    if (o.threads == 0) {
        const long n = sysconf(_SC_NPROCESSORS_ONLN);

        o.threads = n < 1 ? 1 : n > 64 ? 64 : (unsigned)n;
    }
    r = issuer_dir(dir, o.dir, &e);
    if (r == TP_OK)
        r = issuer_settings_load(&settings, dir, &e);
    if (r == TP_OK)
        r = split_listen(address, sizeof(address), &port, o.listen != NULL ? o.listen : settings.listen, &e);
    if (r == TP_OK)
        r = issuer_server_new(&s, dir, address, port, o.threads, &e);
    if (r == TP_OK) {
        running = s;
        catch_signals(on_signal);
        printf(strchr(address, ':') != NULL ? "telepay-issuer: listening on [%s]:%u\n" : "telepay-issuer: listening on %s:%u\n", address,
               issuer_server_port(s));
        fflush(stdout);
        r = issuer_server_run(s, &e);
        catch_signals(SIG_DFL);
    }
    issuer_server_free(&s);
    return r == TP_OK ? CLI_DONE : cli_report(&e);
}
