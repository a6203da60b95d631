#include "wire/serve.h"

#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cli.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "base/word.h"

#define HEAP_KEPT (1024 * 1024)
#define FILES                                                                                      \
    (64 + 16 * SERVE_THREADS_MAX) /* descriptors for all but connections: books, lines to issuers, \
                                     loops */

static struct link_server *running; /* for the signal handler alone */

static void on_signal(int number)
{
    (void)number;
    link_server_stop(running);
}

error_t serve_parse(int key, char *arg, struct argp_state *state)
{
    struct serve_options *o = state->input;
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
        if (*end != '\0' || o->threads < 1 || o->threads > SERVE_THREADS_MAX)
            argp_error(state, _("--threads takes a number from 1 to %d, not \"%s\""),
                       SERVE_THREADS_MAX, arg);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

unsigned serve_threads(const struct serve_options *o)
{
    const long n = sysconf(_SC_NPROCESSORS_ONLN);

    if (o->threads > 0)
        return o->threads;
    return n < 1 ? 1 : n > SERVE_THREADS_MAX ? SERVE_THREADS_MAX : (unsigned)n;
}

enum tp_err serve_address(char *address, size_t cap, const char **port, const char *text,
                          const char *usual, struct tp_error *e)
{
    const char *colon = strrchr(text, ':');
    size_t n = colon != NULL ? (size_t)(colon - text) : 0;

    *port = colon != NULL ? colon + 1 : text;
    if (n >= 2 && text[0] == '[' && text[n - 1] == ']') {
        text++;
        n -= 2;
    }
    if (n >= cap || atoi(*port) > 65535 || **port == '\0' ||
        strspn(*port, "0123456789") != strlen(*port) || strlen(*port) > 5)
        return tp_fail(e, TP_ERR_USAGE, "\"%s\" is no ADDRESS:PORT to listen on", text);
    snprintf(address, cap, "%.*s", (int)n, n > 0 ? text : "");
    if (n == 0)
        snprintf(address, cap, "%s", colon != NULL ? "0.0.0.0" : usual);
    return TP_OK;
}

enum tp_err serve_reach(struct serve_reach *out, const char *who, const char *peer, const char *dir,
                        const char *listen, const char *host_word, const char *port_word,
                        struct tp_error *e)
{
    const char *colon = strrchr(listen, ':');
    int64_t port = 0;
    enum tp_err r;

    if (colon == NULL)
        return tp_fail(e, TP_ERR_USAGE,
                       "%s/%s.conf: \"listen\" in section [serve] must be ADDRESS:PORT", dir, who);
    if (host_word != NULL)
        snprintf(out->host, sizeof(out->host), "%s", host_word);
    else
        snprintf(out->host, sizeof(out->host), "%.*s", (int)(colon - listen), listen);
    if (out->host[0] == '\0' || strcmp(out->host, "0.0.0.0") == 0 ||
        strcmp(out->host, "[::]") == 0 || strcmp(out->host, "::") == 0)
        return tp_fail(
            e, TP_ERR_USAGE,
            "the %s listens on all addresses: say with --host by which one the %s reaches it", who,
            peer);
    r = word_check(out->host, "--host", sizeof(out->host), e);
    if (r != TP_OK)
        return r;
    r = cli_number(&port, "the port", port_word != NULL ? port_word : colon + 1, 65535, e);
    if (r == TP_OK && port == 0)
        r = tp_fail(e, TP_ERR_USAGE,
                    "the %s listens on whatever port is free: say with --port which one it is",
                    who);
    out->port = (unsigned)port;
    return r;
}

static void catch_signals(void (*handler)(int))
{
    const struct sigaction end = {.sa_handler = handler};

    sigaction(SIGTERM, &end, NULL);
    sigaction(SIGINT, &end, NULL);
}

/* What the limit of descriptors leaves of the server's own limits. */
static void fit_descriptors(struct link_limits *limits)
{
    const unsigned files = file_descriptors(), kept = files / 4 < FILES ? files / 4 : FILES,
                   room = files - kept;

    if (room >= limits->connections)
        return;
    log_error("%u descriptors are allowed, room for %u connections in place of %u: raise the limit "
              "(ulimit -Hn, LimitNOFILE= of the unit)",
              files, room, limits->connections);
    limits->connections = room;
    limits->strangers = limits->strangers < room / 4 ? limits->strangers : room / 4;
    limits->of_network = limits->of_network < room / 8 ? limits->of_network : room / 8;
}

enum tp_err serve_run(const char *program, const char *address, struct link_server *server,
                      struct tp_error *e)
{
    enum tp_err r;

    /* libevent's pieces of 32 KiB come and go at the top of the heap: given back to the system and
     * asked for again with nearly every message otherwise. */
    mallopt(M_TRIM_THRESHOLD, HEAP_KEPT);
    mallopt(M_TOP_PAD, HEAP_KEPT);
    fit_descriptors(link_server_limits(server));
    running = server;
    catch_signals(on_signal);
    signal(SIGHUP, SIG_IGN);
    printf(strchr(address, ':') != NULL ? "%s: listening on [%s]:%u\n" : "%s: listening on %s:%u\n",
           program, address, link_server_port(server));
    fflush(stdout);
    r = link_server_run(server, e);
    catch_signals(SIG_DFL);
    return r;
}
