/* telepay-service init, mediator add, list, close: who may ask. */
#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cli.h"
#include "base/date.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/table.h"
#include "base/text.h"
#include "base/word.h"
#include "crypto/pki.h"
#include "service/sales.h"
#include "service/commands.h"
#include "store/upgrade.h"

#define CERTIFICATE_DAYS 3650
#define PEM_MAX          65536

struct words { /* of every command here */
    const char *dir, *name, *hosts, *store, *id, *out, *certificate, *url;
    bool json, makes;
};

static error_t parse_words(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;
    const struct {
        int key;
        const char **word;
    } texts[] = {{'d', &w->dir}, {'n', &w->name}, {'h', &w->hosts},       {'s', &w->store},
                 {'i', &w->id},  {'o', &w->out},  {'c', &w->certificate}, {'u', &w->url}};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (key == texts[i].key) {
            *texts[i].word = arg;
            return 0;
        }
    }
    if (key == 'j') {
        w->json = true;
        return 0;
    }
    if (key == ARGP_KEY_ARG && w->makes && w->dir == NULL) {
        w->dir = arg;
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

enum tp_err service_dir(char *out, const char *given, struct tp_error *e)
{
    static const struct file_home home = {"service", "service", "/var/lib/telepay/service",
                                          SALES_FILE, DB_WHERE_FILE};

    return file_home(out, &home, given, e);
}

/* ---- init ---- */

static const char first_catalogue[] =
    "; What this service sells: a section for each article, named as in its address.\n"
    "; doc/service.md and telepay-service(1) have all the words; telepay-service check reads it.\n"
    "\n"
    "[article-1]\n"
    "designation = A first article\n"
    "price       = 1.50 EUR\n"
    "file        = article-1.html\n"
    "\n"
    "[about]\n"
    "designation = About this shop\n"
    "price       = free\n"
    "file        = about.txt\n";

static enum tp_err write_shop(const char *dir, struct tp_error *e)
{
    static const char article[] = "<!DOCTYPE html>\n<title>A first article</title>\n"
                                  "<p>This is the first article of the shop.</p>\n";
    static const char about[] = "A shop of telepay-service.\n";
    char path[PATH_MAX], shop[PATH_MAX];
    enum tp_err r = file_join(shop, sizeof(shop), dir, CATALOGUE_FOLDER, e);

    if (r == TP_OK)
        r = file_make_dir(shop, 0755, e);
    if (r == TP_OK)
        r = file_join(path, sizeof(path), shop, "article-1.html", e);
    if (r == TP_OK)
        r = file_replace(path, span_str(article), 0644, e);
    if (r == TP_OK)
        r = file_join(path, sizeof(path), shop, "about.txt", e);
    if (r == TP_OK)
        r = file_replace(path, span_str(about), 0644, e);
    if (r == TP_OK)
        r = file_join(path, sizeof(path), dir, CATALOGUE_FILE, e);
    return r == TP_OK ? file_replace(path, span_str(first_catalogue), 0644, e) : r;
}

static enum tp_err make_service(const struct words *w, struct tp_error *e)
{
    static const char *const made[] = {SALES_FILE, DB_WHERE_FILE,    CATALOGUE_FILE,
                                       "seal.key", CATALOGUE_FOLDER, NULL};
    const struct pki_subject server = {.common_name = "telepay-service", .hosts = w->hosts};
    char name[PKI_NAME_MAX], key[PATH_MAX];
    enum tp_err r = word_check(w->name, "--name", 50, e);

    if (r == TP_OK)
        r = word_check(w->hosts, "--host", 500, e);
    snprintf(name, sizeof(name), "%.50s authority", w->name);
    if (r == TP_OK && w->store != NULL) /* before anything is made */
        r = db_try_new(w->store, e);
    if (r == TP_OK)
        r = file_make_dir(w->dir, 0700, e);
    if (r == TP_OK)
        r = file_none_there(w->dir, made, "name another folder", e);
    if (r == TP_OK)
        r = sales_make(w->dir, w->store, e);
    if (r == TP_OK)
        r = file_join(key, sizeof(key), w->dir, "seal.key", e);
    if (r == TP_OK)
        r = seal_key_file_make(key, e);
    if (r == TP_OK)
        r = pki_server_make(w->dir, name, &server, CERTIFICATE_DAYS, e);
    return r == TP_OK ? write_shop(w->dir, e) : r;
}

int service_cmd_init(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"name", 'n', "NAME", 0, N_("its name in its authority's certificate"), 0},
        {"host", 'h', "NAMES", 0, N_("names and addresses it is reached by [localhost,127.0.0.1]"),
         0},
        {"store", 's', "URL", 0, N_("keep its books in PostgreSQL: postgresql://HOST/DATABASE"), 0},
        {NULL, 0, NULL, 0, NULL, 0}};
    static const struct argp argp = {
        options, parse_words, N_("DIR"), N_("Make a service in DIR, with a first article."),
        NULL,    NULL,        NULL};
    struct words w = {.name = "telepay service", .hosts = "localhost,127.0.0.1", .makes = true};
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = w.dir != NULL ? make_service(&w, &e)
                      : tp_fail(&e, TP_ERR_USAGE, "say where: telepay-service init DIR");
    if (r != TP_OK)
        return cli_report(&e);
    printf(_("made the service \"%s\" in %s: it sells what %s/catalogue.ini says\n"
             "next: telepay-service mediator add --dir %s --id ID --out DIR, then telepay-service "
             "serve --dir %s\n"),
           w.name, w.dir, w.dir, w.dir, w.dir);
    return CLI_DONE;
}

int service_cmd_upgrade(int argc, char **argv)
{
    static const struct db_upgrade_command upgrade = {&service_schema, service_dir, SALES_FILE};

    return db_upgrade_run(&upgrade, argc, argv);
}

/* ---- mediator add ---- */

/* A certificate of this service's own authority, and what else the mediator needs. */
static enum tp_err give_credentials(const char *dir, const struct words *w, char *certificate,
                                    struct tp_error *e)
{
    const struct pki_subject client = {.organisation = "mediator", .common_name = w->id};
    enum tp_err r = file_make_dir(w->out, 0700, e);

    if (r == TP_OK)
        r = pki_client_make(dir, NULL, &client, CERTIFICATE_DAYS, w->out, "client", e);
    if (r == TP_OK)
        r = pki_client_conf(w->out, "service", w->url, "client", e);
    return r == TP_OK ? file_join(certificate, PATH_MAX, w->out, "client.pem", e) : r;
}

/* What the door would not take (http_peer) is told here already. */
static enum tp_err check_client(X509 *c, const char *path, struct tp_error *e)
{
    char day[DATE_TEXT_MAX];
    struct tm until;

    if (X509_check_ca(c) == 1)
        return tp_fail(e, TP_ERR_USAGE,
                       "%s is an authority's certificate: name the mediator's own, which it shows",
                       path);
    if (X509_check_purpose(c, X509_PURPOSE_SSL_CLIENT, 0) != 1)
        return tp_fail(e, TP_ERR_USAGE, "%s is for no client: ask the mediator for its own", path);
    if (X509_cmp_current_time(X509_get0_notAfter(c)) > 0)
        return TP_OK;
    if (ASN1_TIME_to_tm(X509_get0_notAfter(c), &until) != 1)
        return tp_fail(e, TP_ERR_FORMAT, "%s says no time until which it holds", path);
    return tp_fail(e, TP_ERR_USAGE, "%s is over since %s: ask the mediator for its new one", path,
                   date_format(day, (until.tm_year + 1900) * 10000 + (until.tm_mon + 1) * 100 +
                                        until.tm_mday));
}

static enum tp_err print_of(uint8_t print[SALES_PRINT], const char *path, struct tp_error *e)
{
    uint8_t *text = NULL;
    size_t n = 0;
    unsigned size = SALES_PRINT;
    BIO *bio = NULL;
    X509 *certificate = NULL;
    enum tp_err r = file_read(path, PEM_MAX, &text, &n, e);

    if (r != TP_OK)
        return r;
    bio = BIO_new_mem_buf(text, (int)n);
    certificate = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    if (certificate == NULL || X509_digest(certificate, EVP_sha256(), print, &size) != 1)
        r = tp_fail(e, TP_ERR_FORMAT, "%s holds no certificate (PEM)", path);
    else
        r = check_client(certificate, path, e);
    X509_free(certificate);
    BIO_free(bio);
    free(text);
    return r;
}

int service_cmd_mediator_add(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"dir", 'd', "DIR", 0, N_("the service's folder"), 0},
        {"id", 'i', "ID", 0, N_("the mediator's name in the books"), 0},
        {"certificate", 'c', "FILE", 0, N_("the certificate that it shows (PEM)"), 0},
        {"out", 'o', "DIR", 0, N_("or: make one for it, and put all that it needs there"), 0},
        {"url", 'u', "URL", 0, N_("where this service is reached [https://127.0.0.1:8743]"), 0},
        {NULL, 0, NULL, 0, NULL, 0}};
    static const struct argp argp = {
        options, parse_words, NULL, N_("Let a mediator ask, by its certificate."),
        NULL,    NULL,        NULL};
    struct words w = {.url = "https://" SERVICE_LISTEN_DEFAULT};
    char dir[PATH_MAX], certificate[PATH_MAX];
    uint8_t print[SALES_PRINT];
    struct sales *sales = NULL;
    struct tp_error e = {TP_OK, ""};
    enum tp_err r = TP_OK;

    cli_parse(&argp, argc, argv, &w);
    if (w.id == NULL || (w.out == NULL) == (w.certificate == NULL))
        r = tp_fail(&e, TP_ERR_USAGE, "--id is needed, and either --certificate or --out");
    if (r == TP_OK)
        r = word_check(w.id, "--id", SALES_NAME_MAX / 4, &e);
    if (r == TP_OK)
        r = word_check(w.url, "--url", 500, &e);
    if (r == TP_OK)
        r = service_dir(dir, w.dir, &e);
    if (r == TP_OK)
        r = sales_open(&sales, dir, &e);
    if (r == TP_OK && w.out != NULL)
        r = give_credentials(dir, &w, certificate, &e);
    if (r == TP_OK)
        r = print_of(print, w.out != NULL ? certificate : w.certificate, &e);
    if (r == TP_OK) /* last: a mediator that is known has its credentials */
        r = sales_mediator_add(sales, w.id, print, &e);
    sales_close(&sales);
    if (r != TP_OK)
        return cli_report(&e);
    printf(w.out != NULL ? "mediator %s may ask; its credentials are in %s\n"
                         : "mediator %s may ask, with the certificate %s\n",
           w.id, w.out != NULL ? w.out : w.certificate);
    if (w.out != NULL)
        printf(
            _("next, as the mediator: telepay-mediator service add %s --name NAME --contract ID\n"),
            w.out);
    return CLI_DONE;
}

/* ---- mediator list, close ---- */

static enum tp_err mediator_row(void *ctx, const struct sales_mediator *m, struct tp_error *e)
{
    char added[TIME_TEXT_MAX], closed[TIME_TEXT_MAX], print[2 * SALES_PRINT + 1];
    const char *cells[] = {m->name, time_shown(added, m->added), time_shown(closed, m->closed),
                           hex_encode(print, SPAN_OF(m->print))};

    return table_row(ctx, cells, e);
}

int service_cmd_mediator_list(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"dir", 'd', "DIR", 0, N_("the service's folder"), 0},
        {"json", 'j', NULL, 0, N_("print JSON"), 0},
        {NULL, 0, NULL, 0, NULL, 0}};
    static const struct argp argp = {
        options,     parse_words, NULL, N_("The mediators that may ask, and that might."),
        table_words, NULL,        NULL};
    static const struct table_column columns[] = {
        {"mediator", TABLE_TEXT},
        {"added", TABLE_TIME},
        {"closed", TABLE_TIME},
        {"certificate_sha256", TABLE_TEXT | TABLE_LESSER}};
    struct words w = {.json = false};
    char dir[PATH_MAX];
    struct sales *sales = NULL;
    struct table *table = NULL;
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = service_dir(dir, w.dir, &e);
    if (r == TP_OK)
        r = sales_open(&sales, dir, &e);
    if (r == TP_OK)
        r = table_new(&table, "mediators", columns, sizeof(columns) / sizeof(columns[0]), w.json,
                      &e);
    if (r == TP_OK)
        r = sales_mediator_each(sales, mediator_row, table, &e);
    r = table_end(&table, r, &e);
    sales_close(&sales);
    return r == TP_OK ? CLI_DONE : cli_report(&e);
}

int service_cmd_mediator_close(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"dir", 'd', "DIR", 0, N_("the service's folder"), 0},
        {"id", 'i', "ID", 0, N_("the mediator's name in the books"), 0},
        {NULL, 0, NULL, 0, NULL, 0}};
    static const struct argp argp = {
        options, parse_words, NULL, N_("Let a mediator ask no more, with any certificate."),
        NULL,    NULL,        NULL};
    struct words w = {.id = NULL};
    char dir[PATH_MAX];
    struct sales *sales = NULL;
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = w.id != NULL ? service_dir(dir, w.dir, &e) : tp_fail(&e, TP_ERR_USAGE, "--id is needed");
    if (r == TP_OK)
        r = word_check(w.id, "--id", SALES_NAME_MAX / 4, &e);
    if (r == TP_OK)
        r = sales_open(&sales, dir, &e);
    if (r == TP_OK)
        r = sales_mediator_close(sales, w.id, &e);
    sales_close(&sales);
    if (r != TP_OK)
        return cli_report(&e);
    printf(_("mediator %s may ask no more\n"), w.id);
    return CLI_DONE;
}
