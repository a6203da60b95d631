#include "payer/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/file.h"
#include "base/log.h"
#include "drivers/readers.h"
#include "order/members.h"
#include "payer/address.h"
#include "payer/caller.h"
#include "payer/home.h"
#include "payer/purses.h"
#include "payer/user.h"
#include "wire/guests.h"
#include "wire/html.h"

#define ADDRESS_MAX 512
#define ORDERS      "/orders/"
#define ORDER_CHARS 26
#define CONNECTIONS 16
#define MEMORY      16384 /* of a connection: a head */
#define REQUEST_S   10    /* from the connection to its answer */
#define PAGE_MAX    65536
#define ARGS_MAX    64
#define PURSE       "/purse"
#define SHOWN       "/purse/page"
#define WAITING     "waiting"

static const char *const languages[] = {"en", "fr"};

struct agent {
    struct agent_options o;
    char *page;
    struct conf *words[2];
    pid_t paying; /* or asking for a page; 0: nobody is */
    int link;     /* where the page's address comes from; -1: no page was asked for */
    struct guests *guests;
    struct MHD_Daemon *daemon;
};

/* ---- pages ---- */

struct telling {
    const struct conf *words;
    const char *lang, *what;
};

/* A heading of its own, and what to do then, not every word has. */
static const char *value_of(const void *ctx, const char *name)
{
    const struct telling *t = ctx;
    char own[HTML_NAME_MAX];
    const char *text;

    if (strcmp(name, "lang") == 0)
        return t->lang;
    if (strcmp(name, "refresh") == 0)
        return strcmp(t->what, WAITING) == 0 ? "<meta http-equiv=\"refresh\" content=\"1;url=" SHOWN
                                               "\">"
                                             : "";
    snprintf(own, sizeof(own), "%s_%s", name, t->what);
    text = conf_get(t->words, "words", own);
    return text != NULL ? text : conf_get(t->words, "words", name);
}

static void put_heads(struct MHD_Response *response)
{
    static const struct {
        const char *name, *value;
    } heads[] = {{"Cache-Control", "no-store"},
                 {"X-Frame-Options", "DENY"},
                 {"X-Content-Type-Options", "nosniff"},
                 {"Referrer-Policy", "no-referrer"},
                 {"Cross-Origin-Resource-Policy", "same-origin"},
                 {"Content-Security-Policy",
                  "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"}};

    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
        (void)MHD_add_response_header(response, heads[i].name, heads[i].value);
}

static enum MHD_Result send_page(const struct agent *a, struct MHD_Connection *c, unsigned status,
                                 const char *what)
{
    const size_t l = html_language(
        MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT_LANGUAGE), languages,
        2);
    const struct telling telling = {a->words[l], languages[l], what};
    struct tp_error e = {TP_OK, ""};
    struct MHD_Response *response;
    enum MHD_Result r = MHD_NO;
    char *page = NULL;

    if (html_fill(&page, a->page, value_of, &telling, &e) != TP_OK) {
        log_error("%s", e.text);
        return MHD_NO;
    }
    response = MHD_create_response_from_buffer(strlen(page), page, MHD_RESPMEM_MUST_FREE);
    if (response == NULL) {
        free(page);
        return MHD_NO;
    }
    put_heads(response);
    if (MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                "text/html; charset=utf-8") == MHD_YES)
        r = MHD_queue_response(c, status, response);
    MHD_destroy_response(response);
    return r;
}

static enum MHD_Result send_back(struct MHD_Connection *c, const char *order)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    enum MHD_Result r = MHD_NO;

    if (response == NULL)
        return MHD_NO;
    put_heads(response);
    if (MHD_add_response_header(response, MHD_HTTP_HEADER_LOCATION, order) == MHD_YES)
        r = MHD_queue_response(c, MHD_HTTP_SEE_OTHER, response);
    MHD_destroy_response(response);
    return r;
}

/* ---- who asks, and how ---- */

struct said {
    const char *name, *value;
    size_t times;
    bool is_text;
};

static enum MHD_Result on_said(void *ctx, enum MHD_ValueKind kind, const char *name, size_t name_n,
                               const char *value, size_t value_n)
{
    struct said *s = ctx;

    (void)kind;
    if (name_n != strlen(s->name) || strncasecmp(name, s->name, name_n) != 0)
        return MHD_YES;
    s->times++;
    s->value = value;
    s->is_text = value != NULL && strlen(value) == value_n;
    return MHD_YES;
}

/* What is said under that name; NULL: nothing. False for what could be read in two ways. */
static bool get_said(const char **out, struct MHD_Connection *c, enum MHD_ValueKind kind,
                     const char *name)
{
    struct said s = {.name = name};

    (void)MHD_get_connection_values_n(c, kind, on_said, &s);
    *out = s.value;
    return s.times == 0 || (s.times == 1 && s.is_text);
}

static bool is_value(struct MHD_Connection *c, const char *head, const char *value)
{
    const char *said;

    return get_said(&said, c, MHD_HEADER_KIND, head) && (said == NULL || strcmp(said, value) == 0);
}

static bool is_silent(struct MHD_Connection *c, const char *head)
{
    const char *said;

    return get_said(&said, c, MHD_HEADER_KIND, head) && said == NULL;
}

/* The name by which it was called: another may lead here by a trick with the DNS. */
static bool is_own_host(const struct agent *a, struct MHD_Connection *c)
{
    static const char *const names[] = {"127.0.0.1", "localhost", "[::1]"};
    const char *host;
    char whole[64];

    if (!get_said(&host, c, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST) || host == NULL)
        return false;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(whole, sizeof(whole), "%s:%u", names[i], a->o.port);
        if (strcmp(host, whole) == 0)
            return true;
    }
    return false;
}

/* A link that a person followed: no frame, no script, no WebSocket, no page that is fetched before
 * anybody asks for it. Browsers that say nothing of it (Sec-Fetch-*, W3C Fetch Metadata) are taken,
 * as their scripts would say an Origin. */
static bool is_navigation(struct MHD_Connection *c)
{
    static const char *const silent[] = {MHD_HTTP_HEADER_ORIGIN, MHD_HTTP_HEADER_UPGRADE,
                                         "Sec-Purpose", "Purpose"};
    bool is =
        is_value(c, "Sec-Fetch-Mode", "navigate") && is_value(c, "Sec-Fetch-Dest", "document");

    for (size_t i = 0; i < sizeof(silent) / sizeof(silent[0]); i++)
        is = is && is_silent(c, silent[i]);
    return is;
}

static bool is_own_person(struct MHD_Connection *c)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);

    return info != NULL && caller_is_own(info->connect_fd);
}

/* As a log and a window show it. */
static bool is_plain(const char *url)
{
    while (*url > ' ' && *url <= '~')
        url++;
    return *url == '\0';
}

/* ORIGIN/orders/ID and nothing else: what is asked for there can do nothing elsewhere. */
static bool is_order(const char *url)
{
    char origin[ADDRESS_MAX];
    const char *rest;

    if (url == NULL || strlen(url) >= ADDRESS_MAX || !is_plain(url) ||
        address_may_pay(url, NULL) != TP_OK ||
        address_origin(origin, sizeof(origin), url, NULL) != TP_OK ||
        strncmp(url, origin, strlen(origin)) != 0)
        return false;
    rest = url + strlen(origin);
    return strncmp(rest, ORDERS, strlen(ORDERS)) == 0 &&
           strspn(rest + strlen(ORDERS), "abcdefghijklmnopqrstuvwxyz234567") == ORDER_CHARS &&
           rest[strlen(ORDERS) + ORDER_CHARS] == '\0';
}

static bool has_reader(void)
{
    struct reader_info *readers = NULL;
    size_t n = 0;
    const bool found = readers_list(&readers, &n, NULL) == TP_OK && n > 0;

    free(readers);
    return found;
}

static enum tp_err count_purse(void *ctx, const struct purse_account *account, struct tp_error *e)
{
    (void)account;
    (void)e;
    *(bool *)ctx = true;
    return TP_OK;
}

/* Who has an account at a purse pays without a reader. */
static bool has_purse(const struct agent *a)
{
    char home[PATH_MAX], user[PATH_MAX], path[PATH_MAX];
    struct journal *journal = NULL;
    bool any = false;

    if (home_path(home, a->o.home, NULL) == TP_OK &&
        user_folder(user, home, a->o.user, NULL) == TP_OK &&
        file_join(path, sizeof(path), user, HOME_JOURNAL, NULL) == TP_OK &&
        access(path, F_OK) == 0 && journal_open(&journal, path, NULL) == TP_OK &&
        purses_list(journal, count_purse, &any, NULL) != TP_OK)
        any = false;
    journal_close(&journal);
    return any;
}

/* ---- paying ---- */

static bool is_paying(struct agent *a)
{
    int status;

    if (a->paying != 0 && waitpid(a->paying, &status, WNOHANG) == a->paying)
        a->paying = 0;
    return a->paying != 0;
}

/* A process of its own, so that whatever becomes of it ends with it. name and value: what comes
 * behind its words, "" none; to: where it prints, -1 as we do. */
static bool run(struct agent *a, const char *const *words, const char *name, const char *value,
                int to)
{
    char *argv[ARGS_MAX + 4], program[] = "telepay";
    size_t n = 0;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t files;
    sigset_t none;
    int code;

    argv[n++] = program;
    for (size_t i = 0; words[i] != NULL && n < ARGS_MAX; i++)
        argv[n++] = (char *)(uintptr_t)words[i]; /* posix_spawn writes to none */
    if (value[0] != '\0') {
        argv[n++] = (char *)(uintptr_t)name;
        argv[n++] = (char *)(uintptr_t)value;
    }
    argv[n] = NULL;
    sigemptyset(&none);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    posix_spawn_file_actions_init(&files);
    if (to >= 0)
        posix_spawn_file_actions_adddup2(&files, to, STDOUT_FILENO);
    code = posix_spawn(&a->paying, "/proc/self/exe", &files, &attributes, argv, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    if (code != 0) {
        a->paying = 0;
        log_error("telepay %s cannot be started: %s", words[0], strerror(code));
    }
    return code == 0;
}

static enum MHD_Result on_pay(struct agent *a, struct MHD_Connection *c)
{
    const char *order;

    if (!get_said(&order, c, MHD_GET_ARGUMENT_KIND, "order") || !is_order(order))
        return send_page(a, c, MHD_HTTP_BAD_REQUEST, "address");
    if (is_paying(a))
        return send_page(a, c, MHD_HTTP_CONFLICT, "busy");
    if (!has_reader() && !has_purse(a))
        return send_page(a, c, MHD_HTTP_SERVICE_UNAVAILABLE, "reader");
    log_note("asked to pay %s", order);
    return run(a, a->o.pay, "--order", order, -1)
               ? send_back(c, order)
               : send_page(a, c, MHD_HTTP_INTERNAL_SERVER_ERROR, "start");
}

/* ---- an account's page ---- */

static void forget_link(struct agent *a)
{
    if (a->link >= 0)
        close(a->link);
    a->link = -1;
}

/* It asks its person; the browser meanwhile comes again and again. */
static enum MHD_Result on_purse(struct agent *a, struct MHD_Connection *c)
{
    const char *purse;
    int ends[2];
    bool runs;

    if (!get_said(&purse, c, MHD_GET_ARGUMENT_KIND, "purse") ||
        (purse != NULL && !member_is_acquirer(purse)))
        return send_page(a, c, MHD_HTTP_BAD_REQUEST, "no_purse");
    if (is_paying(a))
        return send_page(a, c, MHD_HTTP_CONFLICT, "busy");
    forget_link(a); /* of one that nobody came for */
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return send_page(a, c, MHD_HTTP_INTERNAL_SERVER_ERROR, "start");
    log_note("asked for the page of an account at a purse");
    runs = run(a, a->o.page, "--purse", purse != NULL ? purse : "", ends[1]);
    close(ends[1]);
    a->link = ends[0];
    return runs ? send_page(a, c, MHD_HTTP_OK, WAITING)
                : send_page(a, c, MHD_HTTP_INTERNAL_SERVER_ERROR, "start");
}

static enum MHD_Result on_shown(struct agent *a, struct MHD_Connection *c)
{
    char link[ADDRESS_MAX] = "";
    ssize_t n;

    if (a->link < 0)
        return send_page(a, c, MHD_HTTP_NOT_FOUND, "no_page");
    if (is_paying(a))
        return send_page(a, c, MHD_HTTP_OK, WAITING);
    n = read(a->link, link, sizeof(link) - 1); /* a line, or nothing: who wrote it is gone */
    forget_link(a);
    link[n > 0 ? n : 0] = '\0';
    link[strcspn(link, "\n")] = '\0';
    return is_plain(link) && address_may_pay(link, NULL) == TP_OK
               ? send_back(c, link)
               : send_page(a, c, MHD_HTTP_FORBIDDEN, "no_page");
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *path,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_n, void **state)
{
    struct agent *a = ctx;

    (void)version;
    (void)upload;
    (void)upload_n;
    (void)state;
    if (!is_own_host(a, c) || !is_own_person(c) || !is_navigation(c))
        return send_page(a, c, MHD_HTTP_FORBIDDEN, "caller");
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0)
        return send_page(a, c, MHD_HTTP_METHOD_NOT_ALLOWED, "caller");
    if (strcmp(path, "/pay") == 0)
        return on_pay(a, c);
    if (strcmp(path, PURSE) == 0)
        return on_purse(a, c);
    return strcmp(path, SHOWN) == 0 ? on_shown(a, c)
                                    : send_page(a, c, MHD_HTTP_NOT_FOUND, "address");
}

/* One that says nothing, or a byte now and then, takes no room for long. */
static void on_connection(void *ctx, struct MHD_Connection *c, void **guest,
                          enum MHD_ConnectionNotificationCode what)
{
    const struct agent *a = ctx;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);

    if (what == MHD_CONNECTION_NOTIFY_CLOSED)
        guests_leave(a->guests, *guest);
    else if (info != NULL)
        *guest = guests_arrive(a->guests, info->connect_fd, REQUEST_S);
}

/* ---- up and down ---- */

static enum tp_err read_data(struct agent *a, struct tp_error *e)
{
    char path[PATH_MAX], name[64];
    uint8_t *text = NULL;
    size_t n;
    enum tp_err r = file_data_path(path, sizeof(path), "agent/page.html", e);

    if (r == TP_OK)
        r = file_read(path, PAGE_MAX, &text, &n, e);
    a->page = (char *)text;
    for (size_t i = 0; r == TP_OK && i < 2; i++) {
        snprintf(name, sizeof(name), "agent/words.%s.ini", languages[i]);
        r = file_data_path(path, sizeof(path), name, e);
        if (r == TP_OK)
            r = conf_load(&a->words[i], path, e);
    }
    return r;
}

/* One thread asks and answers, so that no two payments begin at once. */
static struct MHD_Daemon *listen_on(struct agent *a, const struct sockaddr *at)
{
    return MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, 0, NULL, NULL,
                            on_request, a, MHD_OPTION_SOCK_ADDR, at, MHD_OPTION_CONNECTION_LIMIT,
                            CONNECTIONS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY,
                            MHD_OPTION_NOTIFY_CONNECTION, on_connection, a, MHD_OPTION_END);
}

static enum tp_err start(struct agent *a, struct tp_error *e)
{
    const struct sockaddr_in at = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)a->o.port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    a->daemon = listen_on(a, (const struct sockaddr *)&at);
    return a->daemon != NULL
               ? TP_OK
               : tp_fail(e, TP_ERR_USAGE,
                         "cannot listen on 127.0.0.1:%u (%s): is an agent running already? A "
                         "program that is none would be an impostor: ss -tlnp says which it is",
                         a->o.port, strerror(errno));
}

enum tp_err agent_run(const struct agent_options *o, struct tp_error *e)
{
    struct agent a = {.o = *o, .link = -1};
    sigset_t ends;
    int which;
    enum tp_err r = read_data(&a, e);

    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    if (r == TP_OK)
        r = guests_new(&a.guests, CONNECTIONS, e);
    if (r == TP_OK)
        r = start(&a, e);
    if (r == TP_OK) {
        log_note("listening on 127.0.0.1:%u", o->port);
        sigwait(&ends, &which);
    }
    if (a.daemon != NULL)
        MHD_stop_daemon(a.daemon);
    forget_link(&a);
    guests_free(&a.guests);
    for (size_t i = 0; i < 2; i++)
        conf_free(&a.words[i]);
    free(a.page);
    return r;
}
