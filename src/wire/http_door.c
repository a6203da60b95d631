#include "wire/http_door.h"

#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/secret.h"
#include "wire/http_priv.h"

#define PEM_MAX 65536
#define FILES   64 /* descriptors that are no connection's */
#define IDLE_S  60
#define HEAD_S                                                                                     \
    15 /* from the connection to the end of a request's head; also between two requests */
#define PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

struct http_door {
    struct http_door_options o;
    struct MHD_Daemon *daemon;
    int listener;
    unsigned char *key, *certificate, *authority; /* PEM */
    struct guests *guests;
    unsigned most; /* connections */
};

/* ---- calls ---- */

static struct guest *guest_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info != NULL ? info->socket_context : NULL;
}

/* The body of a call that is kept in memory. */
static void make_room(const struct http_door *d, struct http_call *c)
{
    int64_t size = 0;

    if (!http_announced(c, &size))
        http_answer_text(c, MHD_HTTP_LENGTH_REQUIRED,
                         "say the size of the body in Content-Length: it is not taken in pieces");
    else if ((uint64_t)size > d->o.body_max)
        http_answer_text(c, MHD_HTTP_CONTENT_TOO_LARGE, "a body has at most %zu bytes here",
                         d->o.body_max);
    else {
        c->body_cap = (size_t)size;
        c->body = c->body_cap > 0 ? malloc(c->body_cap) : NULL;
        if (c->body_cap > 0 && c->body == NULL)
            http_answer_busy(c, "no memory for the body now: ask again");
        else
            http_take(c, size);
    }
}

/* The first line is there: the call begins. NULL, no memory, ends the connection. */
static void *on_line(void *ctx, const char *target, struct MHD_Connection *connection)
{
    struct http_door *d = ctx;
    struct http_call *c = calloc(1, sizeof(*c));

    if (c == NULL)
        return NULL;
    *c = (struct http_call){.door = d,
                            .connection = connection,
                            .guests = d->guests,
                            .guest = guest_of(connection),
                            .target = strdup(target)};
    if (c->target == NULL) {
        free(c);
        return NULL;
    }
    return c;
}

static void begin(struct http_door *d, struct http_call *c, const char *path, const char *method)
{
    c->begun = true;
    c->path = path;
    c->method = method;
    if (d->o.ops.admit != NULL)
        d->o.ops.admit(d->o.ops.ctx, c);
    if (c->status == 0 && d->o.ops.piece == NULL)
        make_room(d, c);
}

static bool take_piece(const struct http_door *d, struct http_call *c, struct span piece)
{
    if (d->o.ops.piece != NULL) {
        d->o.ops.piece(d->o.ops.ctx, c, piece);
        return true;
    }
    if (piece.n > c->body_cap - c->body_n)
        return false;
    memcpy(c->body + c->body_n, piece.p, piece.n);
    c->body_n += piece.n;
    return true;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_n, void **state)
{
    struct http_door *d = ctx;
    struct http_call *c = *state;

    (void)version;
    if (c == NULL)
        return MHD_NO;
    if (!c->begun) {
        begin(d, c, url, method);
        if (c->status == 0)
            return MHD_YES;
    }
    if (c->status == 0 && *upload_n > 0) {
        const bool taken = take_piece(d, c, span_of(upload, *upload_n));

        *upload_n = 0;
        return taken ? MHD_YES : MHD_NO;
    }
    if (c->status == 0) {
        d->o.ops.whole(d->o.ops.ctx, c);
        if (c->later) /* this thread alone goes on with it, when it is resumed */
            return MHD_YES;
    }
    http_take(c, (int64_t)c->answer_size);
    return c->response != NULL ? MHD_queue_response(connection, c->status, c->response) : MHD_NO;
}

static void on_done(void *ctx, struct MHD_Connection *connection, void **state,
                    enum MHD_RequestTerminationCode why)
{
    struct http_door *d = ctx;
    struct http_call *c = *state;

    (void)why;
    guests_deadline(d->guests, guest_of(connection), HEAD_S);
    if (c == NULL)
        return;
    if (c->begun && d->o.ops.done != NULL)
        d->o.ops.done(d->o.ops.ctx, c);
    if (c->response != NULL)
        MHD_destroy_response(c->response);
    free(c->body);
    free(c->target);
    free(c);
    *state = NULL;
}

static void on_connection(void *ctx, struct MHD_Connection *connection, void **guest,
                          enum MHD_ConnectionNotificationCode what)
{
    struct http_door *d = ctx;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

    if (what == MHD_CONNECTION_NOTIFY_STARTED && info != NULL)
        *guest = guests_arrive(d->guests, info->connect_fd, HEAD_S);
    else if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        guests_leave(d->guests, *guest);
        *guest = NULL;
    }
}

static void on_log(void *ctx, const char *format, va_list ap) __attribute__((format(printf, 2, 0)));
static void on_log(void *ctx, const char *format, va_list ap)
{
    char text[300];

    (void)ctx;
    vsnprintf(text, sizeof(text), format, ap);
    text[strcspn(text, "\n")] = '\0';
    log_trace("%s", text);
}

/* ---- up and down ---- */

static enum tp_err read_pem(const char *dir, const char *name, bool is_secret, unsigned char **out,
                            struct tp_error *e)
{
    char path[PATH_MAX];
    uint8_t *p = NULL;
    size_t n;
    enum tp_err r = file_join(path, sizeof(path), dir, name, e);

    if (r == TP_OK && is_secret)
        r = file_check_private(path, e);
    if (r == TP_OK)
        r = file_read(path, PEM_MAX, &p, &n, e);
    *out = p; /* ends with a zero */
    return r;
}

static enum tp_err read_keys(struct http_door *d, struct tp_error *e)
{
    char pki[PATH_MAX];
    enum tp_err r = file_join(pki, sizeof(pki), d->o.dir, "pki", e);

    if (r == TP_OK && d->o.asks_certificate)
        r = read_pem(pki, "ca.pem", false, &d->authority, e);
    if (r == TP_OK)
        r = read_pem(pki, "server.pem", false, &d->certificate, e);
    return r == TP_OK ? read_pem(pki, "server.key", true, &d->key, e) : r;
}

enum tp_err http_door_address(char *text, const char **address, const char **port,
                              struct tp_error *e)
{
    char *colon = strrchr(text, ':');

    if (colon == NULL || colon == text || colon[1] == '\0')
        return tp_fail(e, TP_ERR_USAGE, "--listen wants ADDRESS:PORT, not \"%s\"", text);
    *colon = '\0';
    *port = colon + 1;
    *address = text;
    if (text[0] == '[' && colon[-1] == ']') {
        colon[-1] = '\0';
        *address = text + 1;
    }
    return TP_OK;
}

static enum tp_err listen_on(int *fd, const char *address, const char *port, struct tp_error *e)
{
    const struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
                                   .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    const int one = 1, bad = getaddrinfo(address, port, &hints, &found);
    enum tp_err r = TP_OK;

    if (bad != 0)
        return tp_fail(e, TP_ERR_USAGE, "cannot listen on %s:%s: %s", address, port,
                       gai_strerror(bad));
    *fd = socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC, found->ai_protocol);
    if (*fd < 0 || setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
        bind(*fd, found->ai_addr, found->ai_addrlen) != 0 || listen(*fd, 128) != 0)
        r = tp_fail(
            e, TP_ERR_USAGE,
            "cannot listen on %s:%s: %s: end what listens there, or name another with --listen",
            address, port, strerror(errno));
    freeaddrinfo(found);
    return r;
}

static void say_ready(const struct http_door *d)
{
    struct sockaddr_storage at;
    socklen_t n = sizeof(at);
    char host[64] = "", port[16] = "";

    if (getsockname(d->listener, (struct sockaddr *)&at, &n) == 0)
        (void)getnameinfo((struct sockaddr *)&at, n, host, sizeof(host), port, sizeof(port),
                          NI_NUMERICHOST | NI_NUMERICSERV);
    printf(strchr(host, ':') != NULL ? "%s: listening on [%s]:%s\n" : "%s: listening on %s:%s\n",
           d->o.program, host, port);
    fflush(stdout);
}

static unsigned fit_descriptors(const struct http_door_options *o)
{
    const unsigned files = file_descriptors();
    const unsigned kept = files / 4 < FILES ? files / 4 : FILES, room = (files - kept) / o->files;

    if (room >= o->connections)
        return o->connections;
    log_error("%u descriptors are allowed, room for %u connections in place of %u: raise the limit "
              "(ulimit -Hn, LimitNOFILE= of the unit)",
              files, room, o->connections);
    return room;
}

static void the_ends(sigset_t *ends)
{
    sigemptyset(ends);
    sigaddset(ends, SIGTERM);
    sigaddset(ends, SIGINT);
}

enum tp_err http_door_new(struct http_door **out, const struct http_door_options *o,
                          struct tp_error *e)
{
    struct http_door *d = calloc(1, sizeof(*d));
    sigset_t ends;
    enum tp_err r;

    *out = NULL;
    if (d == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    d->o = *o;
    d->listener = -1;
    the_ends(&ends);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN); /* nothing is read again, and the log is stderr */
    r = read_keys(d, e);
    if (r == TP_OK)
        r = listen_on(&d->listener, o->address, o->port, e);
    d->most = r == TP_OK ? fit_descriptors(o) : 0;
    if (r == TP_OK)
        r = guests_new(&d->guests, d->most, e);
    if (r != TP_OK)
        http_door_free(&d);
    *out = d;
    return r;
}

static enum tp_err start(struct http_door *d, struct tp_error *e)
{
    const unsigned each = (unsigned)((uint64_t)d->o.of_address * d->most / d->o.connections);
    const struct MHD_OptionItem trust[] = {{MHD_OPTION_HTTPS_MEM_TRUST, 0, d->authority},
                                           {MHD_OPTION_END, 0, NULL}};

    d->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL | MHD_USE_TLS | MHD_ALLOW_SUSPEND_RESUME |
            MHD_USE_ERROR_LOG,
        0, NULL, NULL, on_request, d, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
        MHD_OPTION_LISTEN_SOCKET, d->listener, MHD_OPTION_THREAD_POOL_SIZE, d->o.threads,
        MHD_OPTION_CONNECTION_LIMIT, d->most, MHD_OPTION_PER_IP_CONNECTION_LIMIT, each,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, d, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, d->o.memory, MHD_OPTION_HTTPS_MEM_KEY, d->key,
        MHD_OPTION_HTTPS_MEM_CERT, d->certificate, MHD_OPTION_HTTPS_PRIORITIES, PRIORITIES,
        MHD_OPTION_NOTIFY_COMPLETED, on_done, d, MHD_OPTION_URI_LOG_CALLBACK, on_line, d,
        MHD_OPTION_ARRAY, d->authority != NULL ? trust : trust + 1, MHD_OPTION_END);
    return d->daemon != NULL
               ? TP_OK
               : tp_fail(e, TP_ERR_INTERNAL,
                         "cannot start the HTTPS service: are the keys in pki/ whole?");
}

enum tp_err http_door_run(struct http_door *d, struct tp_error *e)
{
    const enum tp_err r = start(d, e);
    sigset_t ends;
    int which;

    if (r != TP_OK)
        return r;
    say_ready(d);
    the_ends(&ends);
    sigwait(&ends, &which);
    log_note("going down");
    return TP_OK;
}

void http_door_free(struct http_door **out)
{
    struct http_door *d = *out;

    if (d == NULL)
        return;
    if (d->daemon != NULL)
        MHD_stop_daemon(d->daemon); /* closes the listener */
    else if (d->listener >= 0)
        close(d->listener);
    guests_free(&d->guests);
    if (d->key != NULL)
        secret_wipe(d->key, strlen((const char *)d->key));
    free(d->key);
    free(d->certificate);
    free(d->authority);
    free(d);
    *out = NULL;
}
