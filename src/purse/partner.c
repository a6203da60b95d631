/* telepay-purse contract add | list | close, mediator add | list | close: merchants, and who signs
 * orders for them. */
#include <stdio.h>
#include <stdlib.h>

#include "base/date.h"
#include "base/file.h"
#include "base/table.h"
#include "base/text.h"
#include "order/key_files.h"
#include "purse/commands.h"
#include "purse/option.h"
#include "purse/settings.h"

#define MEDIATOR_CONF "mediator.conf"

static const struct argp_option list_options[] = {OPTION_DIR, OPTION_JSON, {0}};

/* ---- contracts ---- */

static enum tp_err read_contract(struct book_contract *c, const struct words *w, struct tp_error *e)
{
    const struct currency *currency = w->currency != NULL ? currency_by_alpha(w->currency) : NULL;
    enum tp_err r;

    if (w->id == NULL || w->name == NULL || w->currency == NULL || w->iban == NULL)
        return tp_fail(e, TP_ERR_USAGE, "a contract needs --id, --name, --currency and --iban");
    r = option_contract(w->id, "--id", e);
    if (r != TP_OK)
        return r;
    if (currency == NULL)
        r = tp_fail(e, TP_ERR_USAGE, "\"%.20s\" is no currency of ISO 4217: write it as EUR",
                    w->currency);
    else if (!iban_read(c->iban, w->iban))
        r = tp_fail(e, TP_ERR_USAGE,
                    "--iban: its check digits are wrong, or it is not known as one");
    if (r == TP_OK)
        r = option_text(c->name, sizeof(c->name), "--name", w->name, e);
    if (r != TP_OK)
        return r;
    snprintf(c->contract, sizeof(c->contract), "%s", w->id);
    c->currency = currency->numeric;
    return TP_OK;
}

int purse_cmd_contract_add(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"id", 'i', "ID", 0, N_("Number of the contract: 15 letters or digits"), 0},
        {"name", 'n', "NAME", 0, N_("The merchant's name"), 0},
        {"currency", 'C', "CODE", 0, N_("Its one currency, as EUR"), 0},
        {"iban", OPTION_KEY_IBAN, "IBAN", 0, N_("The bank account that it is paid to"), 0},
        OPTION_DIR,
        {0}};
    static const struct argp argp = {
        options, option_parse,
        NULL,    N_("Add a merchant's contract; its first remise is open at once."),
        NULL,    NULL,
        NULL};
    struct words w = {.dir = NULL};
    struct book_contract c = {.closed = 0};
    struct book *b = NULL;
    char dir[PATH_MAX];
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = read_contract(&c, &w, &e);
    if (r == TP_OK)
        r = option_open(&b, dir, &w, &e);
    if (r == TP_OK)
        r = book_contract_add(b, &c, &e);
    book_close(&b);
    if (r != TP_OK)
        return cli_report(&e);
    printf(_("contract %s (%s) is open\n"
             "next: telepay-purse mediator add --name NAME --contract %s --out DIR\n"),
           c.contract, c.name, c.contract);
    return CLI_DONE;
}

static enum tp_err contract_row(void *ctx, const struct book_contract *c, struct tp_error *e)
{
    char added[TIME_TEXT_MAX], closed[TIME_TEXT_MAX];
    const char *const cells[] = {c->contract,
                                 c->name,
                                 currency_shown(c->currency),
                                 c->iban,
                                 time_shown(added, c->added),
                                 time_shown(closed, c->closed)};

    return table_row(ctx, cells, e);
}

int purse_cmd_contract_list(int argc, char **argv)
{
    static const struct argp argp = {list_options, option_parse, NULL, N_("List the contracts."),
                                     table_words,  NULL,         NULL};
    static const struct table_column columns[] = {{"contract", TABLE_TEXT},
                                                  {"name", TABLE_WORDS},
                                                  {"currency", TABLE_TEXT},
                                                  {"iban", TABLE_TEXT | TABLE_LESSER},
                                                  {"added", TABLE_TIME | TABLE_LESSER},
                                                  {"closed", TABLE_TIME}};
    struct words w = {.dir = NULL};
    struct book *b = NULL;
    struct table *table = NULL;
    char dir[PATH_MAX];
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = option_open(&b, dir, &w, &e);
    if (r == TP_OK)
        r = table_new(&table, "contracts", columns, sizeof(columns) / sizeof(columns[0]), w.json,
                      &e);
    if (r == TP_OK)
        r = book_contract_each(b, contract_row, table, &e);
    r = table_end(&table, r, &e);
    book_close(&b);
    return cli_end(r, &e);
}

static enum tp_err contract_id(const char **out, const struct words *w, struct tp_error *e)
{
    *out = w->id;
    return option_contract(w->id, "--id", e);
}

int purse_cmd_contract_close(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"id", 'i', "ID", 0, N_("Number of the contract"), 0}, OPTION_DIR, {0}};
    static const struct argp argp = {
        options,
        option_parse,
        NULL,
        N_("Close a contract: it takes no payment any more; what it has is paid out as before."),
        NULL,
        NULL,
        NULL};
    static const struct option_shutting how = {contract_id, book_contract_shut, "contract",
                                               "is closed"};

    return option_shut(&argp, &how, argc, argv);
}

/* ---- mediator add ---- */

struct making {
    const struct words *w;
    const char *dir;
    struct book *book;
    char acquirer[BOOK_ID];
    FILE *conf;
};

/* The key that signs orders for the contract. */
static enum tp_err add_contract(const struct making *m, const char *id, struct tp_error *e)
{
    struct book_contract c;
    enum tp_err r = book_contract_get(m->book, id, &c, e);

    if (r == TP_OK && c.closed != 0)
        r = tp_fail(e, TP_ERR_STATE, "contract %s is closed", id);
    if (r == TP_OK)
        r = key_files_give(m->dir, m->w->out, id, m->w->name, e);
    if (r == TP_OK)
        fprintf(m->conf,
                "\n"
                "[contract %s]\n"
                "merchant = %s\n"
                "currency = %s\n"
                "certificate = order-%s.pem\n"
                "key = order-%s.key\n",
                c.contract, c.name, currency_shown(c.currency), c.contract, c.contract);
    return r;
}

static enum tp_err fill_folder(const struct making *m, struct tp_error *e)
{
    static const char *const made[] = {MEDIATOR_CONF, NULL};
    char ca[PATH_MAX];
    enum tp_err r = file_none_there(m->w->out, made, "name another folder with --out", e);

    if (r == TP_OK)
        r = file_make_private_dir(m->w->out, e);
    if (r == TP_OK)
        r = file_join(ca, sizeof(ca), m->dir, "pki/ca.pem", e);
    if (r == TP_OK)
        r = file_copy(ca, m->w->out, "ca.pem", 0644, e);
    fprintf(m->conf,
            "# What mediator %s is to the purse %s, made by telepay-purse mediator add.\n"
            "# File names are relative to this file. Keep the keys secret: with them anybody sells "
            "in these merchants' names.\n"
            "\n"
            "[acquirer]\n"
            "id = %s\n"
            "means = purse\n"
            "url = %s\n"
            "ca = ca.pem\n",
            m->w->name, m->acquirer, m->acquirer, m->w->url);
    for (size_t i = 0; r == TP_OK && i < m->w->contracts; i++)
        r = add_contract(m, m->w->contract[i], e);
    return r;
}

/* The configuration comes last: a folder that has it is whole. The books know the mediator when its
 * folder is. */
static enum tp_err make_mediator(struct making *m, struct tp_error *e)
{
    char path[PATH_MAX], *text = NULL;
    size_t n = 0;
    enum tp_err r = book_acquirer(m->book, m->acquirer, e);

    if (r != TP_OK)
        return r;
    m->conf = open_memstream(&text, &n);
    if (m->conf == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    r = fill_folder(m, e);
    if (fclose(m->conf) != 0 && r == TP_OK)
        r = tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    if (r == TP_OK)
        r = book_mediator_add(m->book, m->w->name, e);
    if (r == TP_OK)
        r = file_join(path, sizeof(path), m->w->out, MEDIATOR_CONF, e);
    if (r == TP_OK)
        r = file_replace(path, span_of(text, n), 0644, e);
    free(text);
    return r;
}

static enum tp_err check_mediator(const struct words *w, struct tp_error *e)
{
    char url[256];
    enum tp_err r = option_mediator(w->name, e);

    if (r == TP_OK && (w->out == NULL || w->contracts == 0))
        r = tp_fail(e, TP_ERR_USAGE, "a mediator needs --name, --contract and --out");
    for (size_t i = 0; r == TP_OK && i < w->contracts; i++)
        r = option_contract(w->contract[i], "--contract", e);
    return r == TP_OK ? option_text(url, sizeof(url), "--url", w->url, e) : r;
}

int purse_cmd_mediator_add(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"name", 'n', "NAME", 0, N_("Name of the mediator"), 0},
        {"contract", 'c', "ID", 0, N_("A contract that it takes orders for; may be repeated"), 0},
        {"out", OPTION_KEY_OUT, "DIR", 0,
         N_("Folder to make for the mediator: certificates, keys, configuration"), 0},
        {"url", OPTION_KEY_URL, "URL", 0,
         N_("Where it reaches this purse [https://127.0.0.1:8744]"), 0},
        OPTION_DIR,
        {0}};
    static const struct argp argp = {
        options, option_parse,
        NULL,    N_("Add a mediator, with a key for each contract that it signs orders for."),
        NULL,    NULL,
        NULL};
    struct words w = {.url = "https://" SETTINGS_LISTEN};
    struct making m = {.w = &w};
    char dir[PATH_MAX];
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    m.dir = dir;
    r = check_mediator(&w, &e);
    if (r == TP_OK)
        r = option_open(&m.book, dir, &w, &e);
    if (r == TP_OK)
        r = make_mediator(&m, &e);
    book_close(&m.book);
    if (r == TP_OK)
        printf(_("mediator %s is in %s\n"), w.name, w.out);
    return cli_end(r, &e);
}

/* ---- mediator list, close ---- */

int purse_cmd_mediator_list(int argc, char **argv)
{
    static const struct argp argp = {list_options, option_parse, NULL, N_("List the mediators."),
                                     table_words,  NULL,         NULL};

    return option_doors(&argp, "mediators", "mediator", book_mediator_each, argc, argv);
}

int purse_cmd_mediator_close(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"name", 'n', "NAME", 0, N_("Name of the mediator"), 0}, OPTION_DIR, {0}};
    static const struct argp argp = {options,
                                     option_parse,
                                     NULL,
                                     N_("Close a mediator, as when its keys are known to others: "
                                        "no order of it is paid any more."),
                                     NULL,
                                     NULL,
                                     NULL};
    static const struct option_shutting how = {option_name, book_mediator_shut, "mediator",
                                               "is closed"};

    return option_shut(&argp, &how, argc, argv);
}
