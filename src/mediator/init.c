/* telepay-mediator init, upgrade, serve: its folder, and what listens there. */
#include <argp.h>
#include <limits.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#include "base/conf.h"
#include "base/file.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"
#include "base/word.h"
#include "crypto/pki.h"
#include "mediator/commands.h"
#include "mediator/registry.h"
#include "mediator/serve.h"
#include "store/upgrade.h"
#include "wire/http_door.h"

#define CERTIFICATE_DAYS 3650
#define KEY_SIZE         32

struct words { /* of every command here */
    const char *dir, *name, *hosts, *store, *listen, *origin;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;
    const struct {
        int key;
        const char **word;
    } texts[] = {{'d', &w->dir},   {'n', &w->name},   {'h', &w->hosts},
                 {'s', &w->store}, {'l', &w->listen}, {'o', &w->origin}};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (key == texts[i].key) {
            *texts[i].word = arg;
            return 0;
        }
    }
    if (key == 'v') {
        log_start("telepay-mediator", LOG_LEVEL_TRACE, 1);
        return 0;
    }
    if (key == ARGP_KEY_ARG && w->dir == NULL) {
        w->dir = arg;
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

enum tp_err mediator_dir(char *out, const char *given, struct tp_error *e)
{
    static const struct file_home home = {"mediator", "med", MEDIATOR_DIR_DEFAULT, BOOK_FILE,
                                          DB_WHERE_FILE};

    return file_home(out, &home, given, e);
}

/* ---- init ---- */

static enum tp_err write_conf(const struct words *w, struct tp_error *e)
{
    char path[PATH_MAX], text[1400];
    enum tp_err r = file_join(path, sizeof(path), w->dir, MEDIATOR_CONF, e);
    const int n = snprintf(text, sizeof(text),
                           "# telepay-mediator: where it listens, and how it is reached.\n"
                           "\n"
                           "[serve]\n"
                           "listen = %s\n"
                           "# what stands before /s/… in the addresses that it signs; another one "
                           "makes other orders\n"
                           "origin = %s\n",
                           w->listen, w->origin);

    if (r == TP_OK && (n < 0 || (size_t)n >= sizeof(text)))
        r = tp_fail(e, TP_ERR_RANGE, "--listen or --origin is too long");
    return r == TP_OK ? file_replace(path, span_str(text), 0644, e) : r;
}

static enum tp_err make_key(const char *dir, struct tp_error *e)
{
    char path[PATH_MAX];
    uint8_t key[KEY_SIZE];
    enum tp_err r = file_join(path, sizeof(path), dir, MEDIATOR_KEY, e);

    if (r == TP_OK && RAND_bytes(key, sizeof(key)) != 1)
        r = tp_fail(e, TP_ERR_INTERNAL, "the system gives no random numbers");
    if (r == TP_OK)
        r = file_replace(path, SPAN_OF(key), 0600, e);
    secret_wipe(key, sizeof(key));
    return r;
}

/* https://HOST[:PORT], nothing behind it: it is compared as it stands. */
static enum tp_err check_origin(const char *origin, struct tp_error *e)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789.-:[]";

    if (strncmp(origin, "https://", 8) == 0 && strlen(origin) > 8 && strlen(origin) < 200 &&
        strspn(origin + 8, letters) == strlen(origin + 8))
        return TP_OK;
    return tp_fail(e, TP_ERR_USAGE,
                   "--origin is https:// and a host in small letters, with :PORT where it is not "
                   "443 and nothing behind it, not \"%.100s\"",
                   origin);
}

static enum tp_err make_folders(const char *dir, struct tp_error *e)
{
    static const char *const names[] = {ACQUIRERS_FOLDER, SERVICES_FOLDER};
    char path[PATH_MAX];
    enum tp_err r = TP_OK;

    for (size_t i = 0; r == TP_OK && i < 2; i++) {
        r = file_join(path, sizeof(path), dir, names[i], e);
        if (r == TP_OK)
            r = file_make_dir(path, 0700, e);
    }
    return r;
}

static enum tp_err make_mediator(const struct words *w, struct tp_error *e)
{
    static const char *const made[] = {BOOK_FILE, DB_WHERE_FILE, MEDIATOR_KEY, MEDIATOR_CONF, NULL};
    const struct pki_subject server = {.common_name = "telepay-mediator", .hosts = w->hosts};
    char name[PKI_NAME_MAX];
    enum tp_err r = word_check(w->name, "--name", 50, e);

    snprintf(name, sizeof(name), "%.50s authority", w->name);
    if (r == TP_OK)
        r = check_origin(w->origin, e);
    if (r == TP_OK && w->store != NULL) /* before anything is made */
        r = db_try_new(w->store, e);
    if (r == TP_OK)
        r = file_make_private_dir(w->dir, e);
    if (r == TP_OK)
        r = file_none_there(w->dir, made, "name another folder", e);
    if (r == TP_OK)
        r = orderbook_make(w->dir, w->store, e);
    if (r == TP_OK)
        r = make_key(w->dir, e);
    if (r == TP_OK)
        r = make_folders(w->dir, e);
    if (r == TP_OK)
        r = write_conf(w, e);
    return r == TP_OK ? pki_server_make(w->dir, name, &server, CERTIFICATE_DAYS, e) : r;
}

int mediator_cmd_init(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"name", 'n', "NAME", 0, N_("Its name in its authority's certificate [telepay mediator]"),
         0},
        {"host", 'h', "NAMES", 0,
         N_("Names and addresses in its server's certificate [localhost,127.0.0.1]"), 0},
        {"listen", 'l', "ADDRESS:PORT", 0, N_("Where to listen [127.0.0.1:8843]"), 0},
        {"origin", 'o', "URL", 0, N_("How browsers reach it [https://localhost:8843]"), 0},
        {"store", 's', "URL", 0, N_("Keep its books in PostgreSQL: postgresql://HOST/DATABASE"), 0},
        {0}};
    static const struct argp argp = {options, parse, N_("DIR"), N_("Make a mediator's folder."),
                                     NULL,    NULL,  NULL};
    struct words w = {.name = "telepay mediator",
                      .hosts = "localhost,127.0.0.1",
                      .listen = MEDIATOR_LISTEN_DEFAULT,
                      .origin = "https://localhost:8843"};
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = w.dir != NULL ? make_mediator(&w, &e)
                      : tp_fail(&e, TP_ERR_USAGE, "say where: telepay-mediator init DIR");
    if (r != TP_OK)
        return cli_report(&e);
    printf(_("made the mediator \"%s\" in %s, reached as %s\n"
             "next: telepay-acquirer mediator add --name NAME --contract ID --out FOLDER at an "
             "acquirer, telepay-mediator acquirer add FOLDER --dir %s here\n"),
           w.name, w.dir, w.origin, w.dir);
    return CLI_DONE;
}

int mediator_cmd_upgrade(int argc, char **argv)
{
    static const struct db_upgrade_command upgrade = {&mediator_schema, mediator_dir, BOOK_FILE};

    return db_upgrade_run(&upgrade, argc, argv);
}

/* ---- serve ---- */

static enum tp_err serve(const struct words *w, struct tp_error *e)
{
    char dir[PATH_MAX], path[PATH_MAX], listen[256];
    struct mediator_place place = {.dir = dir};
    struct conf *conf = NULL;
    const char *where = w->listen;
    enum tp_err r = mediator_dir(dir, w->dir, e);

    if (r == TP_OK)
        r = file_join(path, sizeof(path), dir, MEDIATOR_CONF, e);
    if (r == TP_OK)
        r = conf_load(&conf, path, e);
    if (r == TP_OK)
        r = conf_need(&place.origin, conf, "serve", "origin", e);
    if (r == TP_OK)
        r = check_origin(place.origin, e);
    if (r == TP_OK && where == NULL)
        r = conf_need(&where, conf, "serve", "listen", e);
    if (r == TP_OK) {
        snprintf(listen, sizeof(listen), "%s", where);
        r = http_door_address(listen, &place.address, &place.port, e);
    }
    if (r == TP_OK)
        r = mediator_serve(&place, e);
    conf_free(&conf);
    return r;
}

int mediator_cmd_serve(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"listen", 'l', "ADDRESS:PORT", 0,
         N_("Where to listen [what mediator.conf says; port 0: any free one]"), 0},
        {"verbose", 'v', NULL, 0, N_("Say more on stderr"), 0},
        OPTION_DIR,
        {0}};
    static const struct argp argp = {
        options, parse, NULL, N_("Take demands, have them paid, and deliver, until SIGTERM."),
        NULL,    NULL,  NULL};
    struct words w = {.listen = NULL};
    struct tp_error e = {TP_OK, ""};

    log_start("telepay-mediator", LOG_LEVEL_NOTE, 1);
    cli_parse(&argp, argc, argv, &w);
    return serve(&w, &e) == TP_OK ? CLI_DONE : cli_report(&e);
}
