/* telepay-issuer acquirer add | list | close */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "crypto/pki.h"
#include "issuer/commands.h"
#include "issuer/option.h"
#include "wire/serve.h"

#define ACQUIRER_DAYS 1095

enum { KEY_OUT = OPTION_KEY_OWN, KEY_HOST, KEY_PORT };

struct words {
    const char *dir, *id, *out, *host, *port;
    bool json;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;

    switch (key) {
    case 'd':
        w->dir = arg;
        return 0;
    case 'j':
        w->json = true;
        return 0;
    case 'i':
        w->id = arg;
        return 0;
    case KEY_OUT:
        w->out = arg;
        return 0;
    case KEY_HOST:
        w->host = arg;
        return 0;
    case KEY_PORT:
        w->port = arg;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static enum tp_err check_id(const char *id, struct tp_error *e)
{
    const size_t n = id != NULL ? strlen(id) : 0;

    if (n == 0 || n >= ACQUIRER_ID_MAX || strspn(id, "0123456789") != n)
        return tp_fail(e, TP_ERR_USAGE,
                       "--id takes the acquirer's number of 1 to 11 digits (field 32)");
    return TP_OK;
}

struct making {
    const struct words *w;
    struct office office;
    struct issuer_settings settings;
    struct serve_reach at;
};

static enum tp_err write_configuration(const struct making *m, struct tp_error *e)
{
    char path[PATH_MAX], text[2048];
    enum tp_err r = file_join(path, sizeof(path), m->w->out, "issuer.conf", e);
    const int n =
        snprintf(text, sizeof(text),
                 "# What acquirer %s needs to ask the issuer %s: telepay-acquirer issuer add "
                 "--from this folder. File names are relative to this\n"
                 "# file. Keep acquirer.key secret: it is what the issuer knows this acquirer by.\n"
                 "\n"
                 "[issuer]\n"
                 "name = %s\n"
                 "host = %s\n"
                 "port = %u\n"
                 "acquirer = %s\n"
                 "iins = %s\n"
                 "ca = ca.pem\n"
                 "certificate = acquirer.pem\n"
                 "key = acquirer.key\n",
                 m->w->id, m->settings.name, m->settings.name, m->at.host, m->at.port, m->w->id,
                 m->settings.iins);

    if (r == TP_OK && (n < 0 || (size_t)n >= sizeof(text)))
        r = tp_fail(e, TP_ERR_RANGE, "the configuration gets too long");
    return r == TP_OK ? file_replace(path, span_str(text), 0644, e) : r;
}

static enum tp_err add(struct making *m, struct tp_error *e)
{
    static const char *const made[] = {"issuer.conf", NULL};
    const struct pki_subject subject = {NULL, m->w->id, NULL};
    struct acquirer there;
    enum tp_err r = issuer_settings_load(&m->settings, m->office.dir, e);

    if (r == TP_OK && book_acquirer_get(m->office.book, m->w->id, &there, e) == TP_OK)
        r = tp_fail(e, TP_ERR_EXISTS, "acquirer %s is there already", m->w->id);
    if (r == TP_OK)
        r = serve_reach(&m->at, "issuer", "acquirer", m->office.dir, m->settings.listen, m->w->host,
                        m->w->port, e);
    if (r == TP_OK)
        r = file_none_there(m->w->out, made, "name another folder with --out", e);
    if (r == TP_OK)
        r = file_make_private_dir(m->w->out, e);
    if (r == TP_OK)
        r = pki_client_make(m->office.dir, m->settings.tls.ca, &subject, ACQUIRER_DAYS, m->w->out,
                            "acquirer", e);
    if (r == TP_OK)
        r = write_configuration(m, e);
    return r == TP_OK ? book_acquirer_add(m->office.book, m->w->id, e) : r;
}

int issuer_acquirer_add(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"id", 'i', "ID", 0, N_("Number of the acquirer: 1 to 11 digits (field 32)"), 0},
        {"out", KEY_OUT, "DIR", 0,
         N_("Folder to make for the acquirer: certificate, key, configuration"), 0},
        {"host", KEY_HOST, "NAME", 0,
         N_("Where it reaches the issuer [what issuer.conf listens on]"), 0},
        {"port", KEY_PORT, "PORT", 0, N_("Its port [that of issuer.conf]"), 0},
        OPTION_DIR,
        {0}};
    static const struct argp argp = {
        options, parse,
        NULL,    N_("Let an acquirer ask, and make the folder with what it needs for that."),
        NULL,    NULL,
        NULL};
    struct words w = {0};
    struct making *m = calloc(1, sizeof(*m));
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = m != NULL ? check_id(w.id, &e) : tp_fail(&e, TP_ERR_NO_MEMORY, "out of memory");
    if (r == TP_OK && w.out == NULL)
        r = tp_fail(&e, TP_ERR_USAGE, "an acquirer needs --id and --out");
    if (r == TP_OK) {
        m->w = &w;
        r = office_open(&m->office, w.dir, &e);
    }
    if (r == TP_OK)
        r = add(m, &e);
    if (m != NULL)
        office_close(&m->office);
    free(m);
    if (r != TP_OK)
        return cli_report(&e);
    printf(_("acquirer %s has its folder in %s\nnext, as the acquirer: telepay-acquirer issuer add "
             "--from %s\n"),
           w.id, w.out, w.out);
    return CLI_DONE;
}

static enum tp_err list_row(void *ctx, const struct acquirer *a, struct tp_error *e)
{
    char when[TIME_TEXT_MAX];
    const char *const cells[] = {a->id, a->open ? "open" : "closed", time_shown(when, a->added)};

    return table_row(ctx, cells, e);
}

int issuer_acquirer_list(int argc, char **argv)
{
    static const struct argp_option options[] = {OPTION_DIR, OPTION_JSON, {0}};
    static const struct argp argp = {options,     parse, NULL, N_("List the acquirers."),
                                     table_words, NULL,  NULL};
    static const struct table_column columns[] = {
        {"acquirer", TABLE_TEXT}, {"state", TABLE_TEXT}, {"added", TABLE_TIME}};
    struct words w = {0};
    struct listing l = {.table = NULL};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = listing_start(&l, w.dir, "acquirers", columns, sizeof(columns) / sizeof(columns[0]),
                      w.json);
    if (r == TP_OK)
        r = book_acquirer_each(l.office.book, list_row, l.table, &l.e);
    return listing_end(&l, r);
}

int issuer_acquirer_close(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"id", 'i', "ID", 0, N_("Number of the acquirer"), 0}, OPTION_DIR, {0}};
    static const struct argp argp = {
        options, parse, NULL, N_("Answer an acquirer no more, as when its key is known to others."),
        NULL,    NULL,  NULL};
    struct words w = {0};
    struct office o = {.book = NULL};
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = check_id(w.id, &e);
    if (r == TP_OK)
        r = office_open(&o, w.dir, &e);
    if (r == TP_OK)
        r = book_acquirer_close(o.book, w.id, &e);
    office_close(&o);
    if (r != TP_OK)
        return cli_report(&e);
    printf(_("acquirer %s is closed\n"), w.id);
    return CLI_DONE;
}
