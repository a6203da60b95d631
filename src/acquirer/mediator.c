/* telepay-acquirer mediator add | list | close */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acquirer/commands.h"
#include "acquirer/keys.h"
#include "acquirer/option.h"
#include "acquirer/parameters.h"
#include "base/file.h"
#include "base/text.h"
#include "crypto/pki.h"
#include "order/key_files.h"
#include "order/members.h"
#include "wire/serve.h"

#define MEDIATOR_DAYS 1095
#define MEDIATOR_CONF "mediator.conf"
#define PARAMETERS    "parameters.jws"
#define CONTRACTS_MAX 64
#define NAME_CHARS    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-"

struct words {
    const char *dir, *name, *out, *host, *port;
    const char *contract[CONTRACTS_MAX];
    size_t contracts;
    bool json;
};

enum { KEY_OUT = 256, KEY_HOST, KEY_PORT };

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
    case 'n':
        w->name = arg;
        return 0;
    case 'c':
        if (w->contracts == CONTRACTS_MAX)
            argp_error(state, _("at most %d --contract"), CONTRACTS_MAX);
        w->contract[w->contracts++] = arg;
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

struct making { /* what mediator add works with */
    const struct words *w;
    const char *dir;
    struct ledger *l;
    struct serve_reach at;
    char acquirer[ACQUIRER_ID_MAX];
    FILE *conf;
};

static void put_head(const struct making *m)
{
    fprintf(m->conf,
            "# telepay-mediator: what mediator %s is to acquirer %s, made by telepay-acquirer "
            "mediator add.\n"
            "# File names are relative to this file. Keep the keys secret: with them anybody sells "
            "in these merchants' names.\n"
            "\n"
            "[acquirer]\n"
            "id = %s\n"
            "host = %s\n"
            "port = %u\n"
            "ca = ca.pem\n"
            "certificate = mediator.pem\n"
            "key = mediator.key\n"
            "# what payer devices seal to, and what they need to know of the acquirer\n"
            "sealing = sealing.pem\n"
            "parameters = " PARAMETERS "\n",
            m->w->name, m->acquirer, m->acquirer, m->at.host, m->at.port);
}

static void put_contract(const struct making *m, const struct contract *c, const struct terminal *t)
{
    fprintf(m->conf,
            "\n"
            "[contract %s]\n"
            "terminal = %s\n"
            "merchant = %s\n"
            "currency = %s\n"
            "country = %03u\n"
            "mcc = %04u\n"
            "# at most so many minor units an order\n"
            "ceiling = %lld\n"
            "certificate = order-%s.pem\n"
            "key = order-%s.key\n",
            c->id, t->id, c->name, currency_shown(c->currency), c->country, c->mcc,
            (long long)c->ceiling, c->id, c->id);
}

/* The key that signs orders for the contract, and its terminal. */
static enum tp_err add_contract(const struct making *m, const char *id, struct tp_error *e)
{
    struct contract c;
    struct terminal t;
    enum tp_err r = ledger_contract_get(m->l, id, &c, e);

    if (r == TP_OK && !c.open)
        r = tp_fail(e, TP_ERR_STATE, "contract %s is closed", id);
    if (r == TP_OK && !member_is_contract(id))
        r = tp_fail(e, TP_ERR_USAGE,
                    "contract %s: an order names a contract of 15 letters and digits alone", id);
    if (r == TP_OK)
        r = ledger_mediator_terminal(m->l, &t, m->w->name, id, e);
    if (r == TP_OK)
        r = key_files_give(m->dir, m->w->out, id, m->w->name, e);
    if (r == TP_OK)
        put_contract(m, &c, &t);
    return r;
}

static enum tp_err make_folder(const struct making *m, struct tp_error *e)
{
    static const char *const made[] = {MEDIATOR_CONF, NULL};
    const struct pki_subject subject = {MEDIATOR_ORGANISATION, m->w->name, NULL};
    char path[PATH_MAX];
    enum tp_err r = file_none_there(m->w->out, made, "name another folder with --out", e);

    if (r == TP_OK)
        r = file_make_private_dir(m->w->out, e);
    if (r == TP_OK)
        r = pki_client_make(m->dir, NULL, &subject, MEDIATOR_DAYS, m->w->out, "mediator", e);
    if (r == TP_OK)
        r = acquirer_keys_make(m->dir, m->acquirer, e);
    if (r == TP_OK)
        r = file_join(path, sizeof(path), m->dir, "pki/sealing.pem", e);
    if (r == TP_OK)
        r = file_copy(path, m->w->out, "sealing.pem", 0644, e);
    put_head(m);
    for (size_t i = 0; r == TP_OK && i < m->w->contracts; i++)
        r = add_contract(m, m->w->contract[i], e);
    if (r == TP_OK)
        r = file_join(path, sizeof(path), m->w->out, PARAMETERS, e);
    return r == TP_OK ? parameters_write(path, m->l, m->dir, e) : r;
}

/* The configuration comes last: a folder that has it is whole. */
static enum tp_err make_all(struct making *m, struct tp_error *e)
{
    char path[PATH_MAX], *text = NULL;
    size_t n = 0;
    enum tp_err r;

    m->conf = open_memstream(&text, &n);
    if (m->conf == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    r = make_folder(m, e);
    if (fclose(m->conf) != 0 && r == TP_OK)
        r = tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    if (r == TP_OK)
        r = file_join(path, sizeof(path), m->w->out, MEDIATOR_CONF, e);
    if (r == TP_OK)
        r = file_replace(path, span_of(text, n), 0644, e);
    free(text);
    return r;
}

/* The books keep the mediator only when its folder is whole. */
static enum tp_err book_and_make(struct making *m, struct tp_error *e)
{
    enum tp_err r = ledger_group_begin(m->l, e);

    if (r == TP_OK)
        r = ledger_mediator_add(m->l, m->w->name, e);
    if (r == TP_OK)
        r = make_all(m, e);
    if (r == TP_OK)
        return ledger_group_commit(m->l, e);
    ledger_group_rollback(m->l);
    return r;
}

static enum tp_err check_words(const struct words *w, struct tp_error *e)
{
    const size_t n = w->name != NULL ? strspn(w->name, NAME_CHARS) : 0;

    if (w->name == NULL || w->out == NULL || w->contracts == 0)
        return tp_fail(e, TP_ERR_USAGE, "a mediator needs --name, --contract and --out");
    if (n == 0 || w->name[n] != '\0' || n >= MEDIATOR_NAME_MAX)
        return tp_fail(e, TP_ERR_USAGE,
                       "--name must be 1 to %d letters, digits and -, not \"%.40s\"",
                       MEDIATOR_NAME_MAX - 1, w->name);
    for (size_t i = 0; i < w->contracts; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(w->contract[i], w->contract[j]) == 0)
                return tp_fail(e, TP_ERR_USAGE, "contract %s is named twice", w->contract[i]);
    return TP_OK;
}

static enum tp_err add(struct making *m, struct tp_error *e)
{
    char listen[160];
    enum tp_err r = acquirer_listen(listen, sizeof(listen), m->dir, e);

    if (r == TP_OK)
        r = serve_reach(&m->at, "acquirer", "mediator", m->dir, listen, m->w->host, m->w->port, e);
    if (r == TP_OK)
        r = ledger_acquirer_id(m->l, m->acquirer, e);
    return r == TP_OK ? book_and_make(m, e) : r;
}

int acquirer_mediator_add(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"name", 'n', "NAME", 0, N_("Name of the mediator"), 0},
        {"contract", 'c', "ID", 0, N_("A contract that it takes orders for; may be repeated"), 0},
        {"out", KEY_OUT, "DIR", 0,
         N_("Folder to make for the mediator: certificates, keys, configuration"), 0},
        {"host", KEY_HOST, "NAME", 0,
         N_("Where it reaches the acquirer [what acquirer.conf listens on]"), 0},
        {"port", KEY_PORT, "PORT", 0, N_("Its port [that of acquirer.conf]"), 0},
        OPTION_DIR,
        {0},
    };
    static const struct argp argp = {
        options,
        parse,
        NULL,
        N_("Add a mediator, with a terminal under each contract that it takes orders for, and make "
           "the folder that telepay-mediator is given."),
        NULL,
        NULL,
        NULL};
    struct words w = {0};
    struct making m = {.w = &w};
    struct tp_error e = {TP_OK, ""};
    char dir[PATH_MAX];
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = check_words(&w, &e);
    if (r == TP_OK)
        r = option_open(&m.l, dir, w.dir, &e);
    m.dir = dir;
    if (r == TP_OK)
        r = add(&m, &e);
    ledger_close(&m.l);
    if (r != TP_OK)
        return cli_report(&e);
    printf(_("mediator %s is in %s\nnext: telepay-mediator acquirer add %s\n"), w.name, w.out,
           w.out);
    return CLI_DONE;
}

/* ---- list ---- */

struct mediators {
    struct table *table;
    struct ledger *l;
    const char *name;
    bool open;
};

/* A line a contract. */
static enum tp_err list_terminal(void *ctx, const struct terminal *t, struct tp_error *e)
{
    const struct mediators *list = ctx;
    const char *const cells[] = {list->name, t->contract, t->id,
                                 list->open && t->open ? "open" : "closed"};

    return strcmp(t->mediator, list->name) == 0 ? table_row(list->table, cells, e) : TP_OK;
}

static enum tp_err list_mediator(void *ctx, const struct mediator *m, struct tp_error *e)
{
    struct mediators *list = ctx;

    list->name = m->name;
    list->open = m->open;
    return ledger_terminal_each(list->l, NULL, list_terminal, list, e);
}

int acquirer_mediator_list(int argc, char **argv)
{
    static const struct argp_option options[] = {OPTION_DIR, OPTION_JSON, {0}};
    static const struct argp argp = {
        options,     parse, NULL, N_("List the mediators, with their contracts."),
        table_words, NULL,  NULL};
    static const struct table_column columns[] = {{"mediator", TABLE_TEXT},
                                                  {"contract", TABLE_TEXT},
                                                  {"terminal", TABLE_TEXT},
                                                  {"state", TABLE_TEXT}};
    struct mediators mediators = {NULL};
    struct words w = {0};
    struct listing list = {0};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = listing_start(&list, w.dir, "mediators", columns, sizeof(columns) / sizeof(columns[0]),
                      w.json);
    mediators.table = list.table;
    mediators.l = list.l;
    if (r == TP_OK)
        r = ledger_mediator_each(list.l, list_mediator, &mediators, &list.e);
    return listing_end(&list, r);
}

int acquirer_mediator_close(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"name", 'n', "NAME", 0, N_("Name of the mediator"), 0}, OPTION_DIR, {0}};
    static const struct argp argp = {options,
                                     parse,
                                     NULL,
                                     N_("Close a mediator, as when its keys are known to others: "
                                        "nothing is taken from it any more."),
                                     NULL,
                                     NULL,
                                     NULL};
    struct words w = {0};
    struct ledger *l = NULL;
    struct tp_error e = {TP_OK, ""};
    char dir[PATH_MAX];
    enum tp_err r = TP_OK;

    cli_parse(&argp, argc, argv, &w);
    if (w.name == NULL)
        r = tp_fail(&e, TP_ERR_USAGE, "name the mediator with --name");
    if (r == TP_OK)
        r = option_open(&l, dir, w.dir, &e);
    if (r == TP_OK)
        r = ledger_mediator_shut(l, w.name, &e);
    ledger_close(&l);
    if (r != TP_OK)
        return cli_report(&e);
    printf(_("mediator %s is closed\n"), w.name);
    return CLI_DONE;
}
