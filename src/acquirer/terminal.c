/* telepay-acquirer terminal add | list | close */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "acquirer/commands.h"
#include "acquirer/option.h"
#include "acquirer/parameters.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/text.h"
#include "crypto/pki.h"
#include "wire/serve.h"

#define TERMINAL_DAYS 1095
#define TERMINAL_CONF "telepay.conf"

struct words {
    const char *dir, *contract, *id, *out, *host, *port, *capabilities;
    bool json;
};

enum { KEY_OUT = 256, KEY_HOST, KEY_PORT, KEY_CAPABILITIES };

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
    case 'c':
        w->contract = arg;
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
    case KEY_CAPABILITIES:
        w->capabilities = arg;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

struct making { /* what terminal add works with */
    const struct words *w;
    const char *dir;
    struct contract contract;
    struct terminal terminal;
    struct serve_reach at;
    char acquirer[ACQUIRER_ID_MAX];
};

static void put_place(FILE *to, const struct contract *c)
{
    const struct {
        const char *key, *value;
    } place[] = {{"siret", c->siret}, {"town", c->town}, {"postcode", c->postcode}};

    for (size_t i = 0; i < sizeof(place) / sizeof(place[0]); i++)
        if (place[i].value[0] != '\0')
            fprintf(to, "%s = %s\n", place[i].key, place[i].value);
}

static void put_tail(FILE *to, const char *authorities)
{
    fprintf(to,
            "\n"
            "[ticket]\n"
            "# en and fr: the shop's language first, then what a customer's card may ask for\n"
            "languages = en\n"
            "# columns of the paper, 24 to 48\n"
            "width = 44\n"
            "# an ESC/POS printer, as /dev/usb/lp0: every payment's tickets are printed there\n"
            "# printer = /dev/usb/lp0\n"
            "\n"
            "[authorities]\n"
            "# the keys that the acquirer trusted when this was made, and no others (parted by "
            "spaces)\n"
            "files =%s\n"
            "\n"
            "[journal]\n"
            "file = journal.db\n"
            "\n",
            authorities);
}

static void put_head(FILE *to, const struct making *m)
{
    fprintf(to,
            "# telepay: configuration of terminal %s of contract %s, made by telepay-acquirer "
            "terminal add.\n"
            "# File names are relative to this file. Keep terminal.key secret: it is what the "
            "acquirer knows this terminal by.\n"
            "\n"
            "[acquirer]\n"
            "# its number: with contract and terminal, it is whom the card signs that it pays\n"
            "id = %s\n"
            "host = %s\n"
            "port = %u\n"
            "ca = ca.pem\n"
            "certificate = terminal.pem\n"
            "key = terminal.key\n"
            "\n"
            "[terminal]\n"
            "id = %s\n"
            "contract = %s\n"
            "name = %s\n"
            "mcc = %04u\n"
            "currency = %s\n"
            "country = %u\n"
            "# 9F35, 9F33, 9F40 (EMV 4.4 Book 4, annex A); serial: 9F1E. The acquirer knows 9F33 "
            "and 9F1E: it refuses others (58, 63)\n"
            "type = 35\n"
            "capabilities = %02X%02X%02X\n"
            "additional = 6000F0A001\n"
            "serial = %s\n",
            m->terminal.id, m->terminal.contract, m->acquirer, m->at.host, m->at.port,
            m->terminal.id, m->terminal.contract, m->contract.name, m->contract.mcc,
            currency_shown(m->contract.currency), m->contract.country, m->terminal.capabilities[0],
            m->terminal.capabilities[1], m->terminal.capabilities[2], m->terminal.serial);
}

static enum tp_err write_configuration(const struct making *m, const char *authorities,
                                       struct tp_error *e)
{
    char path[PATH_MAX], *text = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&text, &n);
    enum tp_err r = TP_OK;

    if (to == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    put_head(to, m);
    put_place(to, &m->contract);
    put_tail(to, authorities);
    r = parameters_applications(to, m->contract.floor, e);
    if (fclose(to) != 0 && r == TP_OK)
        r = tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    if (r == TP_OK)
        r = file_join(path, sizeof(path), m->w->out, TERMINAL_CONF, e);
    if (r == TP_OK)
        r = file_replace(path, span_of(text, n), 0644, e);
    free(text);
    return r;
}

/* authorities/01.json becomes authority.json, NAME.json authority-NAME.json; names is their list
 * for telepay.conf. */
static enum tp_err copy_authorities(const struct making *m, char *names, size_t cap,
                                    struct tp_error *e)
{
    char folder[PATH_MAX], path[PATH_MAX], to[NAME_MAX + 16];
    struct dirent **files = NULL;
    size_t used = 0;
    int n = 0;
    enum tp_err r = file_join(folder, sizeof(folder), m->dir, "authorities", e);

    names[0] = '\0';
    if (r == TP_OK)
        r = acquirer_authority_files(&files, &n, folder, e);
    for (int i = 0; i < n; i++) {
        const char *name = files[i]->d_name;

        if (r == TP_OK)
            r = file_join(path, sizeof(path), folder, name, e);
        if (strcmp(name, "01.json") == 0)
            snprintf(to, sizeof(to), "authority.json");
        else
            snprintf(to, sizeof(to), "authority-%s", name);
        if (r == TP_OK && (strpbrk(name, " \t;") != NULL || used + strlen(to) + 2 > cap))
            r = tp_fail(e, TP_ERR_RANGE, "%s: a terminal's list of files cannot hold its name",
                        path);
        if (r == TP_OK)
            r = file_copy(path, m->w->out, to, 0644, e);
        if (r == TP_OK)
            used += (size_t)snprintf(names + used, cap - used, " %s", to);
        free(files[i]);
    }
    free(files);
    return r;
}

static enum tp_err make_folder(const struct making *m, struct tp_error *e)
{
    static const char *const made[] = {TERMINAL_CONF, NULL};
    const struct pki_subject subject = {m->terminal.contract, m->terminal.id, NULL};
    char authorities[2048];
    enum tp_err r = file_none_there(m->w->out, made, "name another folder with --out", e);

    if (r == TP_OK)
        r = file_make_private_dir(m->w->out, e);
    if (r == TP_OK)
        r = pki_client_make(m->dir, NULL, &subject, TERMINAL_DAYS, m->w->out, "terminal", e);
    if (r == TP_OK)
        r = copy_authorities(m, authorities, sizeof(authorities), e);
    return r == TP_OK ? write_configuration(m, authorities, e) : r;
}

static enum tp_err read_capabilities(struct terminal *t, const char *text, struct tp_error *e)
{
    struct buf b = BUF_OF(t->capabilities);

    if (text == NULL)
        text = TERMINAL_CAPABILITIES;
    if (hex_decode(&b, text) == TP_OK && b.n == sizeof(t->capabilities))
        return TP_OK;
    return tp_fail(e, TP_ERR_USAGE,
                   "--capabilities is 9F33, three bytes in hex, as 2099CC, not \"%.20s\"", text);
}

/* The books give the serial that the folder needs, and keep the terminal only when the folder is
 * whole. */
static enum tp_err book_and_make(struct making *m, struct ledger *l, struct tp_error *e)
{
    enum tp_err r = ledger_group_begin(l, e);

    m->terminal.open = true;
    m->terminal.serial[0] = '\0';
    if (r == TP_OK)
        r = ledger_terminal_add(l, &m->terminal, e);
    if (r == TP_OK)
        r = make_folder(m, e);
    if (r == TP_OK)
        return ledger_group_commit(l, e);
    ledger_group_rollback(l);
    return r;
}

static enum tp_err add(struct making *m, struct ledger *l, struct tp_error *e)
{
    const struct words *w = m->w;
    char listen[160];
    enum tp_err r;

    r = option_id(m->terminal.contract, sizeof(m->terminal.contract), "--contract", w->contract, e);
    if (r == TP_OK)
        r = option_id(m->terminal.id, sizeof(m->terminal.id), "--id", w->id, e);
    if (r == TP_OK)
        r = ledger_contract_get(l, w->contract, &m->contract, e);
    if (r == TP_OK && ledger_terminal_get(l, w->contract, w->id, &m->terminal, e) == TP_OK)
        r = tp_fail(e, TP_ERR_EXISTS,
                    "contract %s has a terminal %s already: give the new one another --id",
                    w->contract, w->id);
    if (r == TP_OK)
        r = read_capabilities(&m->terminal, w->capabilities, e);
    if (r == TP_OK && !m->contract.open)
        r = tp_fail(e, TP_ERR_STATE, "contract %s is closed", w->contract);
    if (r == TP_OK)
        r = acquirer_listen(listen, sizeof(listen), m->dir, e);
    if (r == TP_OK)
        r = serve_reach(&m->at, "acquirer", "terminal", m->dir, listen, w->host, w->port, e);
    if (r == TP_OK)
        r = ledger_acquirer_id(l, m->acquirer, e);
    return r == TP_OK ? book_and_make(m, l, e) : r;
}

int acquirer_terminal_add(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"contract", 'c', "ID", 0, N_("Number of its contract"), 0},
        {"id", 'i', "ID", 0, N_("Number of the terminal: the 8 characters of DE 41"), 0},
        {"out", KEY_OUT, "DIR", 0,
         N_("Folder to make for the terminal: certificate, key, configuration"), 0},
        {"host", KEY_HOST, "NAME", 0,
         N_("Where it reaches the acquirer [what acquirer.conf listens on]"), 0},
        {"port", KEY_PORT, "PORT", 0, N_("Its port [that of acquirer.conf]"), 0},
        {"capabilities", KEY_CAPABILITIES, "HEX", 0,
         N_("Terminal capabilities (9F33) that it is registered with [2099CC]"), 0},
        OPTION_DIR,
        {0},
    };
    static const struct argp argp = {
        options, parse,
        NULL,    N_("Add a terminal to a contract, and make the folder that telepay runs it from."),
        NULL,    NULL,
        NULL};
    struct words w = {0};
    struct making m = {.w = &w};
    struct ledger *l = NULL;
    struct tp_error e = {TP_OK, ""};
    char dir[PATH_MAX], made[PATH_MAX] = "";
    enum tp_err r = TP_OK;

    cli_parse(&argp, argc, argv, &w);
    if (w.contract == NULL || w.id == NULL || w.out == NULL)
        r = tp_fail(&e, TP_ERR_USAGE, "a terminal needs --contract, --id and --out");
    if (r == TP_OK)
        r = option_open(&l, dir, w.dir, &e);
    m.dir = dir;
    if (r == TP_OK)
        r = add(&m, l, &e);
    if (r == TP_OK)
        r = file_join(made, sizeof(made), w.out, TERMINAL_CONF, &e);
    ledger_close(&l);
    if (r != TP_OK)
        return cli_report(&e);
    printf(_("terminal %s of contract %s is in %s\nnext: telepay pay --amount 12.50 --currency %s "
             "--config %s\n"),
           w.id, w.contract, w.out, currency_shown(m.contract.currency), made);
    return CLI_DONE;
}

struct terminals {
    struct table *table;
    char acquirer[ACQUIRER_ID_MAX];
};

static enum tp_err list_row(void *ctx, const struct terminal *t, struct tp_error *e)
{
    const struct terminals *list = ctx;
    char capabilities[7];
    const char *const cells[] = {t->contract, t->id,          capabilities,
                                 t->serial,   list->acquirer, t->open ? "open" : "closed"};

    hex_encode(capabilities, SPAN_OF(t->capabilities));
    return table_row(list->table, cells, e);
}

int acquirer_terminal_list(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"contract", 'c', "ID", 0, N_("Only this contract's"), 0}, OPTION_DIR, OPTION_JSON, {0}};
    static const struct argp argp = {options,     parse, NULL, N_("List the terminals."),
                                     table_words, NULL,  NULL};
    static const struct table_column columns[] = {{"contract", TABLE_TEXT},
                                                  {"terminal", TABLE_TEXT},
                                                  {"capabilities", TABLE_TEXT},
                                                  {"serial", TABLE_WORDS | TABLE_LESSER},
                                                  {"acquirer", TABLE_TEXT | TABLE_LESSER},
                                                  {"state", TABLE_TEXT}};
    struct terminals terminals = {0};
    struct words w = {0};
    struct listing list = {0};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = listing_start(&list, w.dir, "terminals", columns, sizeof(columns) / sizeof(columns[0]),
                      w.json);
    terminals.table = list.table;
    if (r == TP_OK)
        r = ledger_acquirer_id(list.l, terminals.acquirer, &list.e);
    if (r == TP_OK)
        r = listing_contract(&list, w.contract);
    if (r == TP_OK)
        r = ledger_terminal_each(list.l, w.contract, list_row, &terminals, &list.e);
    return listing_end(&list, r);
}

int acquirer_terminal_close(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"contract", 'c', "ID", 0, N_("Number of its contract"), 0},
        {"id", 'i', "ID", 0, N_("Number of the terminal"), 0},
        OPTION_DIR,
        {0}};
    static const struct argp argp = {options,
                                     parse,
                                     NULL,
                                     N_("Close a terminal, as when it is lost or its key is known "
                                        "to others: nothing is taken from it any more."),
                                     NULL,
                                     NULL,
                                     NULL};
    struct words w = {0};
    struct ledger *l = NULL;
    struct tp_error e = {TP_OK, ""};
    char dir[PATH_MAX];
    enum tp_err r = TP_OK;

    cli_parse(&argp, argc, argv, &w);
    if (w.contract == NULL || w.id == NULL)
        r = tp_fail(&e, TP_ERR_USAGE, "name the terminal with --contract and --id");
    if (r == TP_OK)
        r = option_open(&l, dir, w.dir, &e);
    if (r == TP_OK)
        r = ledger_terminal_shut(l, w.contract, w.id, &e);
    ledger_close(&l);
    if (r != TP_OK)
        return cli_report(&e);
    printf(_("terminal %s of contract %s is closed\n"), w.id, w.contract);
    return CLI_DONE;
}
