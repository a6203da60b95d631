/* What the serve commands of daemons on link.h have in common: their options, where they listen,
 * and the signals that end them. */
#ifndef TP_WIRE_SERVE_H
#define TP_WIRE_SERVE_H

#include <argp.h>

#include "wire/link.h"

#define SERVE_THREADS_MAX 64

struct serve_options {
    const char *dir, *listen; /* NULL: not said */
    unsigned threads;         /* 0: not said */
};

/* An argp parser for the options 'd' (--dir), 'l' (--listen) and 't' (--threads), whose input is a
 * struct serve_options. */
error_t serve_parse(int key, char *arg, struct argp_state *state);

/* --threads, or one for each processor. */
unsigned serve_threads(const struct serve_options *o);

/* "127.0.0.1:8583", "[::1]:8583", ":8583" (all addresses) or "8583" (on `usual`). *port points into
 * text. TP_ERR_USAGE. */
TP_MUST_CHECK enum tp_err serve_address(char *address, size_t cap, const char **port,
                                        const char *text, const char *usual, struct tp_error *e);

/* The address by which peers reach the daemon: host_word and port_word (--host, --port; NULL: not
 * said), else what it listens on as conf says; a wildcard is no address to call. who and peer are
 * for messages: "acquirer", "terminal". TP_ERR_USAGE. */
struct serve_reach {
    char host[160];
    unsigned port;
};
TP_MUST_CHECK enum tp_err serve_reach(struct serve_reach *out, const char *who, const char *peer,
                                      const char *dir, const char *listen, const char *host_word,
                                      const char *port_word, struct tp_error *e);

/* Says "PROGRAM: listening on ADDRESS:PORT" and runs the server until SIGTERM or SIGINT; a second
 * one, while the last answers leave, ends the program at once. SIGHUP is ignored: a daemon has
 * nothing to read again, and its log is stderr. As many connections are taken as the limit of
 * descriptors allows; when that is less than the server's, the log says so. One server in a
 * process. */
TP_MUST_CHECK enum tp_err serve_run(const char *program, const char *address,
                                    struct link_server *server, struct tp_error *e);

#endif
