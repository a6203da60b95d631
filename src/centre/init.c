/* telepay-centre init, acquirer add: what stands before the first remise. */
#include "centre/commands.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/cli.h"
#include "base/file.h"
#include "base/text.h"
#include "base/word.h"
#include "centre/store.h"
#include "crypto/pki.h"
#include "store/upgrade.h"

#define CERTIFICATE_DAYS 3650

enum tp_err centre_dir(char *out, const char *given, struct tp_error *e)
{
    static const struct file_home home = {"centre", "centre", CENTRE_DIR_DEFAULT, CENTRE_BOOKS,
                                          DB_WHERE_FILE};

    return file_home(out, &home, given, e);
}

/* ---- init ---- */

struct init_words {
    const char *dir, *name, *hosts, *store;
};

static error_t parse_init(int key, char *arg, struct argp_state *state)
{
    struct init_words *w = state->input;

    switch (key) {
    case 'n':
        w->name = arg;
        return 0;
    case 'h':
        w->hosts = arg;
        return 0;
    case 's':
        w->store = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (w->dir != NULL)
            argp_error(state, _("one DIR is enough"));
        w->dir = arg;
        return 0;
    case ARGP_KEY_END:
        if (w->dir == NULL)
            argp_error(state, _("say where: telepay-centre init DIR"));
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int centre_cmd_init(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"name", 'n', "NAME", 0, N_("its name in its authority's certificate"), 0},
        {"host", 'h', "NAMES", 0, N_("names and addresses it is reached by [localhost,127.0.0.1]"),
         0},
        {"store", 's', "URL", 0, N_("keep its books in PostgreSQL: postgresql://HOST/DATABASE"), 0},
        {NULL, 0, NULL, 0, NULL, 0}};
    static const struct argp argp = {
        options, parse_init, N_("DIR"), N_("Make a collection centre in DIR."), NULL, NULL, NULL};
    static const char *const made[] = {CENTRE_BOOKS, DB_WHERE_FILE, "seal.key", NULL};
    struct init_words w = {NULL, "telepay centre", "localhost,127.0.0.1", NULL};
    struct pki_subject server = {.common_name = "telepay-centre"};
    char name[PKI_NAME_MAX];
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    server.hosts = w.hosts;
    snprintf(name, sizeof(name), "%.50s authority", w.name);
    r = word_check(w.name, "--name", 50, &e);
    if (r == TP_OK && w.store != NULL) /* before anything is made */
        r = db_try_new(w.store, &e);
    if (r == TP_OK)
        r = file_make_dir(w.dir, 0700, &e);
    if (r == TP_OK)
        r = file_none_there(w.dir, made, "name another folder", &e);
    if (r == TP_OK)
        r = centre_store_make(w.dir, w.store, &e);
    if (r == TP_OK)
        r = pki_server_make(w.dir, name, &server, CERTIFICATE_DAYS, &e);
    if (r != TP_OK)
        return cli_report(&e);
    printf(_("The centre is in %s. Next: telepay-centre acquirer add --dir %s --id ID --out DIR, "
             "then telepay-centre serve --dir %s\n"),
           w.dir, w.dir, w.dir);
    return CLI_DONE;
}

int centre_cmd_upgrade(int argc, char **argv)
{
    static const struct db_upgrade_command upgrade = {&centre_schema, centre_dir, CENTRE_BOOKS};

    return db_upgrade_run(&upgrade, argc, argv);
}

/* ---- acquirer add ---- */

struct add_words {
    const char *dir, *id, *out, *url;
};

static error_t parse_add(int key, char *arg, struct argp_state *state)
{
    struct add_words *w = state->input;

    switch (key) {
    case 'd':
        w->dir = arg;
        return 0;
    case 'i':
        w->id = arg;
        return 0;
    case 'o':
        w->out = arg;
        return 0;
    case 'u':
        w->url = arg;
        return 0;
    case ARGP_KEY_END:
        if (w->id == NULL || w->out == NULL) {
            argp_error(state, _("--id and --out are needed"));
            return EINVAL;
        }
        if (w->id[0] == '\0' || strlen(w->id) >= CAAA_ID_MAX || strpbrk(w->id, "\n\r\"'") != NULL)
            argp_error(state, _("an id has 1 to %d characters"), CAAA_ID_MAX - 1);
        if (strncmp(w->url, "https://", 8) != 0)
            argp_error(state, _("--url begins with https://"));
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static enum tp_err write_conf(const struct add_words *w, struct tp_error *e)
{
    char path[PATH_MAX], text[1024];
    enum tp_err r = file_join(path, sizeof(path), w->out, "centre.conf", e);
    const int n = snprintf(
        text, sizeof(text),
        "[centre]\nurl = %s\nca = ca.pem\ncertificate = client.pem\nkey = client.key\nid = %s\n",
        w->url, w->id);

    if (r == TP_OK && (n < 0 || (size_t)n >= sizeof(text)))
        r = tp_fail(e, TP_ERR_RANGE, "the address %.40s… is too long", w->url);
    return r == TP_OK ? file_replace(path, span_str(text), 0644, e) : r;
}

static enum tp_err give_credentials(const char *dir, const struct add_words *w, struct tp_error *e)
{
    const struct pki_subject client = {.organisation = "acquirer", .common_name = w->id};
    enum tp_err r = file_make_dir(w->out, 0700, e);

    if (r == TP_OK)
        r = pki_client_make(dir, NULL, &client, CERTIFICATE_DAYS, w->out, "client", e);
    return r == TP_OK ? write_conf(w, e) : r;
}

int centre_cmd_acquirer_add(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"dir", 'd', "DIR", 0, N_("the centre's folder"), 0},
        {"id", 'i', "ID", 0, N_("the acquirer's id, as its remises will name it"), 0},
        {"out", 'o', "DIR", 0,
         N_("where its credentials go (the acquirer wants them in its centre/ folder)"), 0},
        {"url", 'u', "URL", 0, N_("where the centre is reached [https://127.0.0.1:8443]"), 0},
        {NULL, 0, NULL, 0, NULL, 0}};
    static const struct argp argp = {
        options, parse_add,
        NULL,    N_("Let an acquirer send its remises, and write its credentials."),
        NULL,    NULL,
        NULL};
    struct add_words w = {.url = CENTRE_URL_DEFAULT};
    char dir[PATH_MAX];
    struct centre_store *store = NULL;
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = word_check(w.id, "--id", CAAA_ID_MAX - 1, &e);
    if (r == TP_OK)
        r = word_check(w.url, "--url", 500, &e);
    if (r == TP_OK)
        r = centre_dir(dir, w.dir, &e);
    if (r == TP_OK)
        r = centre_store_open(&store, dir, &e);
    if (r == TP_OK)
        r = give_credentials(dir, &w, &e);
    if (r == TP_OK) /* last: an acquirer that is known has its credentials */
        r = centre_acquirer_add(store, w.id, &e);
    centre_store_close(&store);
    if (r != TP_OK)
        return cli_report(&e);
    printf(_("Acquirer %s may send; its credentials are in %s\n"), w.id, w.out);
    return CLI_DONE;
}
