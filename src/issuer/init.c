/* telepay-issuer init: a folder with books, keys, certificates and configuration. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cli.h"
#include "base/file.h"
#include "base/text.h"
#include "base/word.h"
#include "crypto/pki.h"
#include "issuer/commands.h"
#include "issuer/keys.h"
#include "issuer/state.h"
#include "store/upgrade.h"

#define SERVER_DAYS  1825
#define SERVER_HOSTS "localhost,127.0.0.1"
#define FILE_MAX     65536
#define IINS_MAX     200

enum { KEY_SCHEME = 300, KEY_HOST, KEY_IIN, KEY_STORE };

struct words {
    const char *dir, *scheme, *name, *hosts, *listen, *iins, *store;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;

    switch (key) {
    case 'd':
        w->dir = arg;
        return 0;
    case KEY_SCHEME:
        w->scheme = arg;
        return 0;
    case 'n':
        w->name = arg;
        return 0;
    case KEY_HOST:
        w->hosts = arg;
        return 0;
    case 'l':
        w->listen = arg;
        return 0;
    case KEY_IIN:
        w->iins = arg;
        return 0;
    case KEY_STORE:
        w->store = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (w->dir != NULL)
            return ARGP_ERR_UNKNOWN;
        w->dir = arg;
        return 0;
    case ARGP_KEY_END:
        if (w->dir == NULL || w->scheme == NULL)
            argp_error(
                state,
                _("name the folder to make, and with --scheme the folder of the cards' scheme"));
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    {"dir", 'd', "DIR", 0, N_("The folder to make (the same as the word DIR)"), 0},
    {"scheme", KEY_SCHEME, "DIR", 0,
     N_("Folder of the scheme (telepay-perso init), from which the issuer's master keys are taken"),
     0},
    {"name", 'n', "NAME", 0, N_("The issuer's name: letters, digits, -, . and _ [telepay-issuer]"),
     0},
    {"iin", KEY_IIN, "DIGITS", 0,
     N_("Beginnings of its card numbers, with commas [that of the scheme]"), 0},
    {"host", KEY_HOST, "NAMES", 0,
     N_("Names and addresses by which acquirers reach this machine, with commas "
        "[localhost,127.0.0.1]"),
     0},
    {"store", KEY_STORE, "URL", 0,
     N_("Keep the books in PostgreSQL: postgresql://HOST/DATABASE [a file in DIR]"), 0},
    {"listen", 'l', "ADDRESS:PORT", 0, N_("Where serve listens, for issuer.conf [127.0.0.1:8683]"),
     0},
    {0},
};

/* "999014,9990" as "999014 9990"; every one of 1 to 11 digits. */
static enum tp_err take_iins(char *out, const char *text, struct tp_error *e)
{
    size_t digits = 0;
    const size_t n = strlen(text);

    for (size_t i = 0; i <= n && n < IINS_MAX; i++) {
        const char c = text[i];
        const bool end = c == ',' || c == ' ' || c == '\0';

        if (end ? digits == 0 || digits > 11 : c < '0' || c > '9')
            break;
        digits = end ? 0 : digits + 1;
        out[i] = c == ',' ? ' ' : c;
        if (c == '\0')
            return TP_OK;
    }
    return tp_fail(e, TP_ERR_USAGE,
                   "\"%.40s\" are no beginnings of card numbers: 1 to 11 digits each, with commas",
                   text);
}

static enum tp_err scheme_iin(char out[IINS_MAX], const char *scheme, struct tp_error *e)
{
    char path[PATH_MAX];
    uint8_t *text = NULL;
    size_t n = 0;
    json_t *json = NULL;
    enum tp_err r = file_join(path, sizeof(path), scheme, "issuer.json", e);

    if (r == TP_OK)
        r = file_read(path, FILE_MAX, &text, &n, e);
    if (r != TP_OK)
        return tp_error_prefix(e, "no scheme there, make one with: telepay-perso init DIR");
    json = json_loadb((const char *)text, n, 0, NULL);
    const char *iin = json_string_value(json_object_get(json, "iin"));

    r = iin != NULL ? take_iins(out, iin, e) : tp_fail(e, TP_ERR_FORMAT, "%s names no IIN", path);
    json_decref(json);
    free(text);
    return r;
}

static enum tp_err check_words(const struct words *w, struct tp_error *e)
{
    const size_t n = strlen(w->name);

    if (n == 0 || n > 32 ||
        strspn(w->name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._") != n)
        return tp_fail(e, TP_ERR_USAGE, "--name takes 1 to 32 letters, digits, -, . or _");
    if (*w->listen == '\0' || strlen(w->listen) > 128 || strpbrk(w->listen, "\r\n;# ") != NULL ||
        strchr(w->listen, ':') == NULL)
        return tp_fail(e, TP_ERR_USAGE, "--listen takes ADDRESS:PORT");
    const enum tp_err r = word_check(w->listen, "--listen", 128, e);

    return r == TP_OK ? word_check(w->hosts, "--host", 1000, e) : r;
}

static enum tp_err write_configuration(const struct words *w, const char *iins, struct tp_error *e)
{
    char path[PATH_MAX], text[4096];
    enum tp_err r = file_join(path, sizeof(path), w->dir, "issuer.conf", e);
    const int n = snprintf(
        text, sizeof(text),
        "# telepay-issuer: configuration. File names are relative to this file. Lines beginning "
        "with # are comments.\n"
        "\n"
        "[issuer]\n"
        "name = %s\n"
        "# Beginnings of the card numbers that acquirers send here.\n"
        "iins = %s\n"
        "\n"
        "[serve]\n"
        "# Address and port on which acquirers are served; 0.0.0.0 or [::] listens on all "
        "addresses. serve --listen overrides it.\n"
        "listen = %s\n"
        "\n"
        "[risk]\n"
        "# A card's counter (ATC) may be ahead of the last one seen by this many transactions.\n"
        "atc-jump = %d\n"
        "\n"
        "[tls]\n"
        "ca = pki/ca.pem\n"
        "certificate = pki/server.pem\n"
        "key = pki/server.key\n",
        w->name, iins, w->listen, ISSUER_ATC_JUMP);

    if (r == TP_OK && (n < 0 || (size_t)n >= sizeof(text)))
        r = tp_fail(e, TP_ERR_RANGE, "the configuration gets too long");
    return r == TP_OK ? file_replace(path, span_str(text), 0644, e) : r;
}

/* The books come last: a folder that has them is whole. */
static enum tp_err make_all(const struct words *w, const char *iins, struct tp_error *e)
{
    char path[PATH_MAX], where[DB_WHERE_MAX];
    const struct pki_subject server = {NULL, "telepay-issuer", w->hosts};
    enum tp_err r = file_make_private_dir(w->dir, e);

    if (r == TP_OK)
        r = issuer_keys_take(w->dir, w->scheme, e);
    if (r == TP_OK)
        r = pki_server_make(w->dir, w->name, &server, SERVER_DAYS, e);
    if (r == TP_OK)
        r = file_join(path, sizeof(path), w->dir, "seal.key", e);
    if (r == TP_OK)
        r = seal_key_file_make(path, e);
    if (r == TP_OK)
        r = write_configuration(w, iins, e);
    if (r == TP_OK)
        r = db_where_new(where, w->dir, ISSUER_BOOKS, w->store, e);
    if (r == TP_OK)
        r = book_make(where, e);
    return r == TP_OK && w->store != NULL ? db_where_set(w->dir, w->store, e) : r;
}

int issuer_init(int argc, char **argv)
{
    static const struct argp argp = {options,
                                     parse,
                                     N_("DIR"),
                                     N_("Make an issuer's folder: books, keys, certificates, "
                                        "configuration. Nothing is written over."),
                                     NULL,
                                     NULL,
                                     NULL};
    static const char *const made[] = {ISSUER_BOOKS, "seal.key",    "issuer.keys", "pki/ca.pem",
                                       "pki/ca.key", "issuer.conf", "store.conf",  NULL};
    struct words w = {
        .name = "telepay-issuer", .hosts = SERVER_HOSTS, .listen = ISSUER_ADDRESS ":" ISSUER_PORT};
    struct tp_error e = {TP_OK, ""};
    char iins[IINS_MAX] = "";
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = check_words(&w, &e);
    if (r == TP_OK)
        r = w.iins != NULL ? take_iins(iins, w.iins, &e) : scheme_iin(iins, w.scheme, &e);
    if (r == TP_OK)
        r = file_none_there(w.dir, made,
                            "name another folder, or remove this one if it holds nothing of worth",
                            &e);
    if (r == TP_OK && w.store != NULL) /* before anything is made */
        r = db_try_new(w.store, &e);
    if (r == TP_OK)
        r = make_all(&w, iins, &e);
    if (r != TP_OK)
        return cli_report(&e);
    printf(_("made the issuer \"%s\" of %s in %s\n"
             "next: telepay-issuer account add --balance 1000 --currency EUR --expiry 2030-12\n"),
           w.name, iins, w.dir);
    return CLI_DONE;
}

int issuer_upgrade(int argc, char **argv)
{
    static const struct db_upgrade_command upgrade = {&issuer_schema, issuer_dir, ISSUER_BOOKS};

    return db_upgrade_run(&upgrade, argc, argv);
}
