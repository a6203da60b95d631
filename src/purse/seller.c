/* telepay-purse seller add | list | close, trust add | list | close: who sells credit to whoever
 * pays by card, and whose word is taken that a card paid. */
#include <stdio.h>
#include <stdlib.h>

#include "base/date.h"
#include "base/file.h"
#include "base/table.h"
#include "crypto/pki.h"
#include "order/certificate.h"
#include "purse/commands.h"
#include "purse/filling.h"
#include "purse/option.h"
#include "purse/settings.h"

#define CERTIFICATE_DAYS 1825

/* ---- both ---- */

static enum tp_err door_row(void *ctx, const struct book_door *d, struct tp_error *e)
{
    char added[TIME_TEXT_MAX], closed[TIME_TEXT_MAX];
    const char *const cells[] = {d->name, time_shown(added, d->added),
                                 d->closed != 0 ? time_shown(closed, d->closed) : NULL};

    return table_row(ctx, cells, e);
}

typedef enum tp_err each_door(struct book *b, book_door_visit *visit, void *ctx,
                              struct tp_error *e);

static int list(const struct argp *argp, const char *what, const char *head, each_door *each,
                int argc, char **argv)
{
    const struct table_column columns[] = {
        {head, TABLE_TEXT}, {"added", TABLE_TEXT}, {"closed", TABLE_TEXT}};
    struct words w = {.dir = NULL};
    struct book *b = NULL;
    struct table *table = NULL;
    char dir[PATH_MAX];
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(argp, argc, argv, &w);
    r = option_open(&b, dir, &w, &e);
    if (r == TP_OK)
        r = table_new(&table, what, columns, 3, w.json, &e);
    if (r == TP_OK)
        r = each(b, door_row, table, &e);
    r = table_end(&table, r, &e);
    book_close(&b);
    return cli_end(r, &e);
}

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
        {"name", 'n', "NAME", 0, "Name of the seller: the mediator's", 0},
        {"out", OPTION_KEY_OUT, "DIR", 0, "Folder to make for it: certificates, configuration", 0},
        {"url", OPTION_KEY_URL, "URL", 0,
         "Where it reaches this purse [https://" SETTINGS_LISTEN "]", 0},
        OPTION_DIR,
        {0}};
    static const struct argp argp = {options,
                                     option_parse,
                                     NULL,
                                     "Let a mediator sell credit for accounts to whoever pays by "
                                     "card: the purse is one of its services.",
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
        printf("seller %s may sell credit; its credentials are in %s\n"
               "next, as the mediator: telepay-mediator service add %s --name NAME --contract ID\n",
               w.name, w.out, w.out);
    return cli_end(r, &e);
}

int purse_cmd_seller_list(int argc, char **argv)
{
    static const struct argp argp = {list_options, option_parse, NULL, "List the sellers.",
                                     NULL,         NULL,         NULL};

    return list(&argp, "sellers", "seller", book_seller_each, argc, argv);
}

int purse_cmd_seller_close(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"name", 'n', "NAME", 0, "Name of the seller", 0}, OPTION_DIR, {0}};
    static const struct argp argp = {
        options, option_parse, NULL, "Let a seller sell no more, nor deliver.", NULL, NULL, NULL};
    struct words w = {.dir = NULL};
    struct book *b = NULL;
    char dir[PATH_MAX];
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = option_mediator(w.name, &e);
    if (r == TP_OK)
        r = option_open(&b, dir, &w, &e);
    if (r == TP_OK)
        r = book_seller_shut(b, w.name, &e);
    book_close(&b);
    if (r == TP_OK)
        printf("seller %s is closed\n", w.name);
    return cli_end(r, &e);
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

int purse_cmd_trust_add(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"contract", 'c', "ID", 0, "The purse's own contract, at an acquirer of cards", 0},
        {"authority", OPTION_KEY_AUTHORITY, "FILE", 0,
         "The certificate of that acquirer's authority (PEM)", 0},
        OPTION_DIR,
        {0}};
    static const struct argp argp = {options,
                                     option_parse,
                                     NULL,
                                     "Take an acquirer's word that a card paid under a contract "
                                     "of the purse's own: accounts are filled by it.",
                                     NULL,
                                     NULL,
                                     NULL};
    struct words w = {.dir = NULL};
    struct book *b = NULL;
    char dir[PATH_MAX];
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = option_contract(w.contracts == 1 ? w.contract[0] : NULL, "--contract", &e);
    if (r == TP_OK)
        r = option_need(w.authority, "--authority", &e);
    if (r == TP_OK)
        r = option_open(&b, dir, &w, &e);
    if (r == TP_OK)
        r = add_trust(b, &w, &e);
    book_close(&b);
    if (r == TP_OK)
        printf("what cards pay under contract %s fills accounts\n", w.contract[0]);
    return cli_end(r, &e);
}

int purse_cmd_trust_list(int argc, char **argv)
{
    static const struct argp argp = {
        list_options, option_parse, NULL, "List the contracts by which accounts are filled.",
        NULL,         NULL,         NULL};

    return list(&argp, "trust", "contract", book_trust_each, argc, argv);
}

int purse_cmd_trust_close(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"contract", 'c', "ID", 0, "The contract", 0}, OPTION_DIR, {0}};
    static const struct argp argp = {
        options, option_parse,
        NULL,    "Let what cards pay under a contract fill no account any more.",
        NULL,    NULL,
        NULL};
    struct words w = {.dir = NULL};
    struct book *b = NULL;
    char dir[PATH_MAX];
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = option_contract(w.contracts == 1 ? w.contract[0] : NULL, "--contract", &e);
    if (r == TP_OK)
        r = option_open(&b, dir, &w, &e);
    if (r == TP_OK)
        r = book_trust_shut(b, w.contract[0], &e);
    book_close(&b);
    if (r == TP_OK)
        printf("contract %s fills no account any more\n", w.contract[0]);
    return cli_end(r, &e);
}
