/* telepay-acquirer init: a folder with books, keys, certificates and configuration. */
#include <stdio.h>
#include <string.h>

#include "acquirer/commands.h"
#include "acquirer/keys.h"
#include "acquirer/state.h"
#include "base/cli.h"
#include "base/file.h"
#include "base/text.h"
#include "base/word.h"
#include "crypto/pki.h"
#include "ledger/schema.h"
#include "store/upgrade.h"

#define AUTHORITIES_MAX   64
#define SERVER_DAYS       1825
#define SERVER_HOSTS      "localhost,127.0.0.1"
#define CONFIGURATION_MAX 4096

enum { KEY_HOST = 256, KEY_STORE };

struct words {
    const char *dir, *name, *hosts, *listen, *store;
    const char *authority[AUTHORITIES_MAX];
    size_t authorities;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;

    switch (key) {
    case 'd':
        w->dir = arg;
        return 0;
    case 'a':
        if (w->authorities == AUTHORITIES_MAX)
            argp_error(state, _("at most %d --authority files"), AUTHORITIES_MAX);
        w->authority[w->authorities++] = arg;
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
    case KEY_STORE:
        w->store = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (w->dir != NULL)
            return ARGP_ERR_UNKNOWN;
        w->dir = arg;
        return 0;
    case ARGP_KEY_END:
        if (w->dir == NULL)
            argp_error(state, _("name the folder to make"));
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    {"dir", 'd', "DIR", 0, N_("The folder to make (the same as the word DIR)"), 0},
    {"authority", 'a', "FILE", 0,
     N_("Authority keys of a card scheme (authority.json of telepay-perso init); may be repeated"),
     0},
    {"name", 'n', "NAME", 0, N_("The acquirer's name, as in its certificates [telepay acquirer]"),
     0},
    {"host", KEY_HOST, "NAMES", 0,
     N_("Names and addresses by which terminals reach this machine, with commas "
        "[localhost,127.0.0.1]"),
     0},
    {"store", KEY_STORE, "URL", 0,
     N_("Keep the books in PostgreSQL: postgresql://HOST/DATABASE [a file in DIR]"), 0},
    {"listen", 'l', "ADDRESS:PORT", 0,
     N_("Where serve listens, for acquirer.conf [127.0.0.1:8583]"), 0},
    {0},
};

static const struct argp argp = {options,
                                 parse,
                                 N_("DIR"),
                                 N_("Make an acquirer's folder: books, keys, certificates, "
                                    "configuration. Nothing is written over."),
                                 NULL,
                                 NULL,
                                 NULL};

/* A word that goes into acquirer.conf must be one line without a comment sign. */
static enum tp_err plain_word(const char *what, const char *word, struct tp_error *e)
{
    if (*word == '\0' || strlen(word) > PKI_NAME_MAX * 4 || strpbrk(word, "\r\n;#") != NULL)
        return tp_fail(e, TP_ERR_USAGE, "%s must be 1 to %d characters without line ends, ; and #",
                       what, PKI_NAME_MAX * 4);
    return word_check(word, what, PKI_NAME_MAX * 4, e);
}

static enum tp_err write_configuration(const char *dir, const struct words *w, struct tp_error *e)
{
    char path[PATH_MAX], text[CONFIGURATION_MAX];
    enum tp_err r = file_join(path, sizeof(path), dir, "acquirer.conf", e);
    const int n = snprintf(text, sizeof(text),
                           "# telepay-acquirer: configuration. File names are relative to this "
                           "file. Lines beginning with # are comments.\n"
                           "\n"
                           "[acquirer]\n"
                           "name = %s\n"
                           "\n"
                           "[serve]\n"
                           "# Address and port on which terminals are served; 0.0.0.0 or [::] "
                           "listens on all addresses. serve --listen overrides it.\n"
                           "listen = %s\n"
                           "\n"
                           "[tls]\n"
                           "# The authority that gives terminals their certificates, and this "
                           "server's own certificate. To serve under another host\n"
                           "# name, the certificate must name it: init --host.\n"
                           "ca = pki/ca.pem\n"
                           "certificate = pki/server.pem\n"
                           "key = pki/server.key\n"
                           "\n"
                           "# Authority keys of card schemes that are trusted: every file "
                           "authorities/NAME.json beside this one (telepay-acquirer\n"
                           "# authority add), and no others.\n"
                           "# The collection centre's credentials: centre/centre.conf, made by "
                           "telepay-centre acquirer add.\n",
                           w->name, w->listen);

    if (r == TP_OK && (n < 0 || (size_t)n >= sizeof(text)))
        r = tp_fail(e, TP_ERR_RANGE, "the name is too long");
    return r == TP_OK ? file_replace(path, span_str(text), 0644, e) : r;
}

static enum tp_err make_folders(const char *dir, struct tp_error *e)
{
    char path[PATH_MAX];
    enum tp_err r = file_make_private_dir(dir, e);

    if (r == TP_OK)
        r = file_join(path, sizeof(path), dir, "authorities", e);
    return r == TP_OK ? file_make_dir(path, 0700, e) : r;
}

/* The keys that are in the name of the acquirer's number, which the books give. A folder without
 * them gets them with its first mediator. */
static enum tp_err make_keys(const char *dir, const char *where, struct tp_error *e)
{
    char acquirer[ACQUIRER_ID_MAX];
    struct ledger *l = NULL;
    enum tp_err r = ledger_open(&l, where, e);

    if (r == TP_OK)
        r = ledger_acquirer_id(l, acquirer, e);
    ledger_close(&l);
    return r == TP_OK ? acquirer_keys_make(dir, acquirer, e) : r;
}

/* The books come last: a folder that has them is whole, and one that an error left half made can be
 * seen as such. */
static enum tp_err make_all(const struct words *w, struct tp_error *e)
{
    const struct pki_subject server = {NULL, "telepay-acquirer", w->hosts};
    char path[PATH_MAX], where[DB_WHERE_MAX];
    enum tp_err r = make_folders(w->dir, e);

    for (size_t i = 0; i < w->authorities && r == TP_OK; i++)
        r = acquirer_copy_authority(w->dir, w->authority[i], e);
    if (r == TP_OK)
        r = pki_server_make(w->dir, w->name, &server, SERVER_DAYS, e);
    if (r == TP_OK)
        r = file_join(path, sizeof(path), w->dir, "seal.key", e);
    if (r == TP_OK)
        r = seal_key_file_make(path, e);
    if (r == TP_OK)
        r = write_configuration(w->dir, w, e);
    if (r == TP_OK)
        r = db_where_new(where, w->dir, ACQUIRER_BOOKS, w->store, e);
    if (r == TP_OK)
        r = ledger_make(where, e);
    if (r == TP_OK)
        r = make_keys(w->dir, where, e);
    return r == TP_OK && w->store != NULL ? db_where_set(w->dir, w->store, e) : r;
}

int acquirer_init(int argc, char **argv)
{
    static const char *const made[] = {ACQUIRER_BOOKS, DB_WHERE_FILE,   "seal.key", "pki/ca.pem",
                                       "pki/ca.key",   "acquirer.conf", NULL};
    struct words w = {.name = "telepay acquirer",
                      .hosts = SERVER_HOSTS,
                      .listen = ACQUIRER_ADDRESS ":" ACQUIRER_PORT};
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = plain_word("the name", w.name, &e);
    if (r == TP_OK)
        r = plain_word("--listen", w.listen, &e);
    if (r == TP_OK)
        r = file_none_there(w.dir, made,
                            "name another folder, or remove this one if it holds nothing of worth",
                            &e);
    if (r == TP_OK && w.store != NULL) /* before anything is made */
        r = db_try_new(w.store, &e);
    if (r == TP_OK)
        r = make_all(&w, &e);
    if (r != TP_OK)
        return cli_report(&e);
    printf(_("made the acquirer \"%s\" in %s\n"), w.name, w.dir);
    if (w.authorities == 0)
        printf(_("it trusts no authority key of a card scheme yet, and would refuse every payment\n"
                 "next: telepay-acquirer authority add --scheme NAME, or --file FILE\n"));
    printf(_("next: telepay-acquirer contract add --id ID --name NAME --mcc MCC --currency EUR\n"));
    return CLI_DONE;
}

int acquirer_upgrade(int argc, char **argv)
{
    static const struct db_upgrade_command upgrade = {&ledger_schema, acquirer_dir, ACQUIRER_BOOKS};

    return db_upgrade_run(&upgrade, argc, argv);
}
