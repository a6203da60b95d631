/* telepay-mediator acquirer add, contract list, service add | list | close: whom it works with. */
#include <argp.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "base/file.h"
#include "base/word.h"
#include "mediator/commands.h"
#include "mediator/registry.h"

#define KEY_ENDING ".key"

struct words { /* of every command here */
    const char *dir, *from, *name;
    const char *contract[BOOK_SOLD_UNDER + 1]; /* one more than may be: that is told */
    size_t contracts;
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
    case 'n':
        w->name = arg;
        return 0;
    case 'c':
        if (w->contracts <= BOOK_SOLD_UNDER)
            w->contract[w->contracts++] = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (w->from != NULL)
            return ARGP_ERR_UNKNOWN;
        w->from = arg;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- folders that others made for the mediator ---- */

static int is_file(const struct dirent *d)
{
    return d->d_name[0] != '.';
}

static bool is_key(const char *name)
{
    const size_t n = strlen(name), end = strlen(KEY_ENDING);

    return n > end && strcmp(name + n - end, KEY_ENDING) == 0;
}

/* A folder of another kind is the commonest mistake. */
static enum tp_err told_maker(enum tp_err r, const char *folder, const char *maker,
                              struct tp_error *e)
{
    return r == TP_OK
               ? r
               : tp_error_prefix(e, "%s, which is to be the folder that %s made", folder, maker);
}

/* Every file of it, keys for the owner's eyes alone. */
static enum tp_err copy_folder(const char *from, const char *to, struct tp_error *e)
{
    struct dirent **files = NULL;
    char path[PATH_MAX];
    const int n = scandir(from, &files, is_file, alphasort);
    enum tp_err r = n > 0 ? file_make_private_dir(to, e)
                          : tp_fail(e, TP_ERR_NOT_FOUND, "cannot read the folder %s: %s", from,
                                    n == 0 ? "it is empty" : strerror(errno));

    for (int i = 0; i < n; i++) {
        const char *name = files[i]->d_name;

        if (r == TP_OK)
            r = file_join(path, sizeof(path), from, name, e);
        if (r == TP_OK)
            r = file_copy(path, to, name, is_key(name) ? 0600 : 0644, e);
        free(files[i]);
    }
    free(files);
    return r;
}

static enum tp_err place_of(char out[PATH_MAX], const char *dir, const char *folder,
                            const char *name, struct tp_error *e)
{
    char under[NAME_MAX];

    snprintf(under, sizeof(under), "%s/%s", folder, name);
    return file_join(out, PATH_MAX, dir, under, e);
}

/* ---- acquirers and contracts ---- */

int mediator_cmd_acquirer_add(int argc, char **argv)
{
    static const struct argp_option options[] = {OPTION_DIR, {0}};
    static const struct argp argp = {
        options,
        parse,
        "FOLDER",
        "Work with an acquirer: takes over the folder that its telepay-acquirer mediator add made, "
        "or "
        "a purse's telepay-purse mediator add. "
        "A newer folder of the same acquirer brings further contracts and parameters.",
        NULL,
        NULL,
        NULL};
    struct words w = {.from = NULL};
    char dir[PATH_MAX], to[PATH_MAX], id[BOOK_ACQUIRER_MAX] = "";
    size_t contracts = 0;
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = w.from != NULL ? mediator_dir(dir, w.dir, &e)
                       : tp_fail(&e, TP_ERR_USAGE, "name the folder that the acquirer made");
    if (r == TP_OK)
        r = told_maker(registry_try_acquirer(w.from, id, &contracts, &e), w.from,
                       "telepay-acquirer mediator add", &e);
    if (r == TP_OK)
        r = place_of(to, dir, ACQUIRERS_FOLDER, id, &e);
    if (r == TP_OK)
        r = copy_folder(w.from, to, &e);
    if (r != TP_OK)
        return cli_report(&e);
    printf("acquirer %s may be paid through, under %zu contract%s\n"
           "next: telepay-mediator service add FOLDER --name NAME --contract ID --dir %s\n",
           id, contracts, contracts == 1 ? "" : "s", dir);
    return CLI_DONE;
}

static enum tp_err contract_row(void *ctx, const struct reg_contract *c, struct tp_error *e)
{
    char ceiling[MONEY_TEXT_MAX];
    const char *const cells[] = {
        c->id,
        c->acquirer->id,
        c->terminal,
        c->merchant,
        c->ceiling < MONEY_MAX ? money_format(ceiling, c->ceiling, c->currency) : "",
        c->currency->alpha,
        means_method(c->acquirer->means)};

    return table_row(ctx, cells, e);
}

int mediator_cmd_contract_list(int argc, char **argv)
{
    static const struct argp_option options[] = {OPTION_DIR, OPTION_JSON, {0}};
    static const struct argp argp = {
        options, parse, NULL, "List the contracts that can be sold under.", NULL, NULL, NULL};
    static const struct table_column columns[] = {
        {"contract", TABLE_TEXT}, {"acquirer", TABLE_TEXT}, {"terminal", TABLE_TEXT},
        {"merchant", TABLE_TEXT}, {"ceiling", TABLE_RIGHT}, {"currency", TABLE_TEXT},
        {"means", TABLE_TEXT}};
    const struct registry_events none = {NULL, NULL};
    struct words w = {.from = NULL};
    struct roll list = {.book = NULL};
    struct registry *registry = NULL;
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = roll_start(&list, w.dir, "contracts", columns, sizeof(columns) / sizeof(columns[0]),
                   w.json);
    if (r == TP_OK)
        r = registry_open(&registry, list.dir, &none, &list.e);
    if (r == TP_OK)
        r = registry_contract_each(registry, contract_row, list.table, &list.e);
    registry_close(&registry);
    return roll_end(&list, r);
}

/* ---- services ---- */

/* A name stands in addresses. */
static enum tp_err check_name(const char *name, struct tp_error *e)
{
    if (name[0] != '\0' && strlen(name) < BOOK_NAME_MAX &&
        strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(name))
        return TP_OK;
    return tp_fail(e, TP_ERR_USAGE,
                   "--name has 1 to %d of a-z, 0-9 and -, as it stands in addresses",
                   BOOK_NAME_MAX - 1);
}

/* The contracts that it is to sell under. */
static enum tp_err check_contracts(const struct words *w, struct registry *registry,
                                   struct orderbook_service *s, struct tp_error *e)
{
    struct reg_contract *contract[BOOK_SOLD_UNDER];

    if (w->contracts > BOOK_SOLD_UNDER)
        return tp_fail(e, TP_ERR_USAGE, "a service sells under at most %d contracts",
                       BOOK_SOLD_UNDER);
    for (size_t i = 0; i < w->contracts; i++) {
        contract[i] = registry_contract(registry, w->contract[i]);
        if (contract[i] == NULL)
            return tp_fail(e, TP_ERR_NOT_FOUND,
                           "no acquirer has put a contract \"%.40s\" under this mediator: "
                           "telepay-mediator contract list says which there are",
                           w->contract[i]);
        memcpy(s->contract[i], contract[i]->id, sizeof(s->contract[i]));
    }
    s->contracts = w->contracts;
    return registry_check_contracts(contract, w->contracts, e);
}

static enum tp_err keep_service(struct orderbook *book, const struct orderbook_service *s,
                                struct tp_error *e)
{
    enum tp_err r = orderbook_begin(book, e);

    if (r == TP_OK)
        r = orderbook_service_add(book, s, e);
    if (r == TP_OK)
        return orderbook_commit(book, e);
    orderbook_rollback(book);
    return r;
}

static enum tp_err add_service(const struct words *w, const char *dir, struct orderbook *book,
                               struct tp_error *e)
{
    const struct registry_events none = {NULL, NULL};
    struct orderbook_service s = {.contracts = 0};
    struct registry *registry = NULL;
    char to[PATH_MAX];
    enum tp_err r = registry_open(&registry, dir, &none, e);

    snprintf(s.name, sizeof(s.name), "%s", w->name);
    if (r == TP_OK)
        r = check_contracts(w, registry, &s, e);
    if (r == TP_OK && registry_service_ever(registry, w->name) != NULL)
        r = tp_fail(e, TP_ERR_EXISTS,
                    "there is a service %s already: give the new one another "
                    "--name",
                    w->name);
    registry_close(&registry);
    if (r == TP_OK)
        r = told_maker(registry_try_service(w->from, e), w->from, "telepay-service mediator add",
                       e);
    if (r == TP_OK)
        r = place_of(to, dir, SERVICES_FOLDER, w->name, e);
    if (r == TP_OK)
        r = copy_folder(w->from, to, e);
    return r == TP_OK ? keep_service(book, &s, e) : r;
}

int mediator_cmd_service_add(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"name", 'n', "NAME", 0, "Its name in addresses: ORIGIN/s/NAME/…", 0},
        {"contract", 'c', "ID", 0,
         "A contract that it sells under; one of each of several acquirers may be named, in the "
         "order "
         "in which payers are to see them",
         0},
        OPTION_DIR,
        {0}};
    static const struct argp argp = {
        options,
        parse,
        "FOLDER",
        "Let a service sell: takes over the folder that its telepay-service mediator add made "
        "(service.conf with url, ca, certificate and key).",
        NULL,
        NULL,
        NULL};
    struct words w = {.from = NULL};
    char dir[PATH_MAX];
    struct orderbook *book = NULL;
    struct tp_error e = {TP_OK, ""};
    enum tp_err r = TP_OK;

    cli_parse(&argp, argc, argv, &w);
    if (w.from == NULL || w.name == NULL || w.contracts == 0)
        r = tp_fail(&e, TP_ERR_USAGE, "a service needs its FOLDER, --name and --contract");
    if (r == TP_OK)
        r = check_name(w.name, &e);
    if (r == TP_OK)
        r = mediator_dir(dir, w.dir, &e);
    if (r == TP_OK)
        r = orderbook_open(&book, dir, &e);
    if (r == TP_OK)
        r = add_service(&w, dir, book, &e);
    orderbook_close(&book);
    if (r != TP_OK)
        return cli_report(&e);
    printf("service %s sells under contract", w.name);
    for (size_t i = 0; i < w.contracts; i++)
        printf("%s %s", i > 0 ? "," : "", w.contract[i]);
    printf(": ORIGIN/s/%s/…\n", w.name);
    return CLI_DONE;
}

static enum tp_err service_row(void *ctx, const struct orderbook_service *s, struct tp_error *e)
{
    char added[TIME_TEXT_MAX], closed[TIME_TEXT_MAX],
        contracts[BOOK_SOLD_UNDER * (BOOK_CONTRACT_MAX + 1)];
    size_t n = 0;

    for (size_t i = 0; i < s->contracts; i++)
        n += (size_t)snprintf(contracts + n, sizeof(contracts) - n, "%s%s", i > 0 ? " " : "",
                              s->contract[i]);

    const char *const cells[] = {s->name, contracts, time_shown(added, s->added),
                                 time_shown(closed, s->closed)};

    return table_row(ctx, cells, e);
}

int mediator_cmd_service_list(int argc, char **argv)
{
    static const struct argp_option options[] = {OPTION_DIR, OPTION_JSON, {0}};
    static const struct argp argp = {
        options, parse, NULL, "List the services, those of before too.", NULL, NULL, NULL};
    static const struct table_column columns[] = {{"service", TABLE_TEXT},
                                                  {"contract", TABLE_TEXT},
                                                  {"added", TABLE_TEXT},
                                                  {"closed", TABLE_TEXT}};
    struct words w = {.from = NULL};
    struct roll list = {.book = NULL};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = roll_start(&list, w.dir, "services", columns, sizeof(columns) / sizeof(columns[0]), w.json);
    if (r == TP_OK)
        r = orderbook_service_each(list.book, service_row, list.table, &list.e);
    return roll_end(&list, r);
}

int mediator_cmd_service_close(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"name", 'n', "NAME", 0, "Its name in addresses", 0}, OPTION_DIR, {0}};
    static const struct argp argp = {
        options, parse, NULL, "Let a service sell no more. What was paid is still delivered.",
        NULL,    NULL,  NULL};
    struct words w = {.from = NULL};
    char dir[PATH_MAX];
    struct orderbook *book = NULL;
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = w.name != NULL ? mediator_dir(dir, w.dir, &e)
                       : tp_fail(&e, TP_ERR_USAGE, "name the service with --name");
    if (r == TP_OK)
        r = check_name(w.name, &e);
    if (r == TP_OK)
        r = orderbook_open(&book, dir, &e);
    if (r == TP_OK)
        r = orderbook_service_close(book, w.name, &e);
    orderbook_close(&book);
    if (r != TP_OK)
        return cli_report(&e);
    printf("service %s sells no more\n", w.name);
    return CLI_DONE;
}
