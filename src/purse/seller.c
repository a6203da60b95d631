/* telepay-purse seller add | list | close, trust add | list | close: who sells credit to whoever
 * pays by card, and whose word is taken that a card paid. */
#include <stdio.h>
#include <stdlib.h>

#include "base/date.h"
#include "base/file.h"
#include "base/table.h"
#include "base/text.h"
#include "crypto/pki.h"
#include "order/certificate.h"
#include "purse/commands.h"
#include "purse/filling.h"
#include "purse/option.h"
#include "purse/settings.h"

#define CERTIFICATE_DAYS 1825

static const struct argp_option list_options[] = {OPTION_DIR, OPTION_JSON, {0}};

/* ---- sellers ---- */

static enum tp_err give_credentials(const char *dir, const struct words *w, struct tp_error *e)
{
    static const char *const made[] = {"service.conf", NULL};
    const struct pki_subject client = {.organisation = FILLING_ROLE, .common_name = w->name};
    enum tp_err r = file_none_there(w->out, made, "name another folder with --out", e);

    if (r == TP_OK)
        r = file_make_private_dir(w->out, e);
    if (r == TP_OK)
        r = pki_client_make(dir, NULL, &client, CERTIFICATE_DAYS, w->out, "client", e);
    return r == TP_OK ? pki_client_conf(w->out, "service", w->url, "client", e) : r;
}

int purse_cmd_seller_add(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"name", 'n', "NAME", 0, N_("Name of the seller: the mediator's"), 0},
        {"out", OPTION_KEY_OUT, "DIR", 0, N_("Folder to make for it: certificates, configuration"),
         0},
        {"url", OPTION_KEY_URL, "URL", 0,
         N_("Where it reaches this purse [https://127.0.0.1:8744]"), 0},
        OPTION_DIR,
        {0}};
    static const struct argp argp = {options,
                                     option_parse,
                                     NULL,
                                     N_("Let a mediator sell credit for accounts to whoever pays "
                                        "by card: the purse is one of its services."),
                                     NULL,
                                     NULL,
                                     NULL};
    struct words w = {.url = "https://" SETTINGS_LISTEN};
    struct book *b = NULL;
    char dir[PATH_MAX], url[256];
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = option_mediator(w.name, &e);
    if (r == TP_OK)
        r = option_need(w.out, "--out", &e);
    if (r == TP_OK)
        r = option_text(url, sizeof(url), "--url", w.url, &e);
    if (r == TP_OK)
        r = option_open(&b, dir, &w, &e);
    if (r == TP_OK)
        r = give_credentials(dir, &w, &e);
    if (r == TP_OK) /* last: a seller that is known has its credentials */
        r = book_seller_add(b, w.name, &e);
    book_close(&b);
    if (r == TP_OK)
        printf(
            _("seller %s may sell credit; its credentials are in %s\n"
              "next, as the mediator: telepay-mediator service add %s --name NAME --contract ID\n"),
            w.name, w.out, w.out);
    return cli_end(r, &e);
}

int purse_cmd_seller_list(int argc, char **argv)
{
    static const struct argp argp = {list_options, option_parse, NULL, N_("List the sellers."),
                                     table_words,  NULL,         NULL};

    return option_doors(&argp, "sellers", "seller", book_seller_each, argc, argv);
}

int purse_cmd_seller_close(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"name", 'n', "NAME", 0, N_("Name of the seller"), 0}, OPTION_DIR, {0}};
    static const struct argp argp = {
        options, option_parse, NULL, N_("Let a seller sell no more, nor deliver."),
        NULL,    NULL,         NULL};
    static const struct option_shutting how = {option_name, book_seller_shut, "seller",
                                               "is closed"};

    return option_shut(&argp, &how, argc, argv);
}

/* ---- trust ---- */

static enum tp_err add_trust(struct book *b, const struct words *w, struct tp_error *e)
{
    struct order_authority *authority = NULL;
    uint8_t *text = NULL;
    size_t n = 0;
    enum tp_err r = file_read(w->authority, BOOK_PEM - 1, &text, &n, e);

    if (r == TP_OK)
        r = order_authority_read(&authority, span_of(text, n), w->authority, e);
    if (r == TP_OK)
        r = book_trust_add(b, w->contract[0], (const char *)text, e); /* file_read ends it */
    order_authority_free(&authority);
    free(text);
    return r;
}

static enum tp_err trusted_contract(const char **out, const struct words *w, struct tp_error *e)
{
    *out = w->contracts == 1 ? w->contract[0] : NULL;
    return option_contract(*out, "--contract", e);
}

int purse_cmd_trust_add(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"contract", 'c', "ID", 0, N_("The purse's own contract, at an acquirer of cards"), 0},
        {"authority", OPTION_KEY_AUTHORITY, "FILE", 0,
         N_("The certificate of that acquirer's authority (PEM)"), 0},
        OPTION_DIR,
        {0}};
    static const struct argp argp = {options,
                                     option_parse,
                                     NULL,
                                     N_("Take an acquirer's word that a card paid under a contract "
                                        "of the purse's own: accounts are filled by it."),
                                     NULL,
                                     NULL,
                                     NULL};
    struct words w = {.dir = NULL};
    struct book *b = NULL;
    const char *contract;
    char dir[PATH_MAX];
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = trusted_contract(&contract, &w, &e);
    if (r == TP_OK)
        r = option_need(w.authority, "--authority", &e);
    if (r == TP_OK)
        r = option_open(&b, dir, &w, &e);
    if (r == TP_OK)
        r = add_trust(b, &w, &e);
    book_close(&b);
    if (r == TP_OK)
        printf(_("what cards pay under contract %s fills accounts\n"), contract);
    return cli_end(r, &e);
}

int purse_cmd_trust_list(int argc, char **argv)
{
    static const struct argp argp = {
        list_options, option_parse, NULL, N_("List the contracts by which accounts are filled."),
        table_words,  NULL,         NULL};

    return option_doors(&argp, "trust", "contract", book_trust_each, argc, argv);
}

int purse_cmd_trust_close(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"contract", 'c', "ID", 0, N_("The contract"), 0}, OPTION_DIR, {0}};
    static const struct argp argp = {
        options, option_parse,
        NULL,    N_("Let what cards pay under a contract fill no account any more."),
        NULL,    NULL,
        NULL};
    static const struct option_shutting how = {trusted_contract, book_trust_shut, "contract",
                                               "fills no account any more"};

    return option_shut(&argp, &how, argc, argv);
}
