/* telepay-mediator acquirer add, contract list, service add | list | close: whom it works with. */
#include <argp.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/file.h"
#include "base/text.h"
#include "base/word.h"
#include "mediator/commands.h"
#include "mediator/reach.h"
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

static enum tp_err copy_file(const char *from, const char *to, const char *name, struct tp_error *e)
{
    char path[PATH_MAX];
    const enum tp_err r = file_join(path, sizeof(path), from, name, e);

    return r == TP_OK ? file_copy(path, to, name, is_key(name) ? 0600 : 0644, e) : r;
}

/* Every file of it, keys for the owner's eyes alone; the one that a server looks at, to see that
 * they are new, comes last. */
static enum tp_err copy_folder(const char *from, const char *to, const char *last,
                               struct tp_error *e)
{
    struct dirent **files = NULL;
    const int n = scandir(from, &files, is_file, alphasort);
    enum tp_err r = n > 0 ? file_make_private_dir(to, e)
                          : tp_fail(e, TP_ERR_NOT_FOUND, "cannot read the folder %s: %s", from,
                                    n == 0 ? _("it is empty") : strerror(errno));

    for (int i = 0; i < n; i++) {
        if (r == TP_OK && strcmp(files[i]->d_name, last) != 0)
            r = copy_file(from, to, files[i]->d_name, e);
        free(files[i]);
    }
    free(files);
    return r == TP_OK ? copy_file(from, to, last, e) : r;
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
        N_("FOLDER"),
        N_("Work with an acquirer: takes over the folder that its telepay-acquirer mediator add "
           "made, or a purse's telepay-purse mediator add. A newer folder of the same acquirer "
           "brings further contracts and parameters."),
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
        r = copy_folder(w.from, to, ACQUIRER_CONF, &e);
    if (r != TP_OK)
        return cli_report(&e);
    printf(ngettext("acquirer %s may be paid through, under %zu contract\n",
                    "acquirer %s may be paid through, under %zu contracts\n", contracts),
           id, contracts);
    printf(_("next: telepay-mediator service add FOLDER --name NAME --contract ID --dir %s\n"),
           dir);
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
        options,     parse, NULL, N_("List the contracts that can be sold under."),
        table_words, NULL,  NULL};
    static const struct table_column columns[] = {{"contract", TABLE_TEXT},
                                                  {"acquirer", TABLE_TEXT},
                                                  {"terminal", TABLE_TEXT},
                                                  {"merchant", TABLE_WORDS},
                                                  {"ceiling", TABLE_RIGHT},
                                                  {"currency", TABLE_TEXT},
                                                  {"means", TABLE_TEXT | TABLE_LESSER}};
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

struct adding { /* a service: as it was before, and as it is to be */
    const struct words *w;
    struct orderbook_service row, wanted; /* row's name "": there was none */
    struct reg_service was, is;
};

static enum tp_err keep_row(void *ctx, const struct orderbook_service *s, struct tp_error *e)
{
    struct adding *a = ctx;

    (void)e;
    if (strcmp(s->name, a->w->name) == 0)
        a->row = *s;
    return TP_OK;
}

/* The contracts that it is to sell under: orders are signed under them. */
static enum tp_err check_contracts(struct adding *a, struct registry *registry, struct tp_error *e)
{
    const struct words *w = a->w;
    struct orderbook_service *s = &a->wanted;
    struct reg_contract *contract[BOOK_SOLD_UNDER];

    if (w->contracts > BOOK_SOLD_UNDER)
        return tp_fail(e, TP_ERR_USAGE, "a service sells under at most %d contracts",
                       BOOK_SOLD_UNDER);
    snprintf(s->name, sizeof(s->name), "%s", w->name);
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

static enum tp_err keep_service(struct orderbook *book, const struct adding *a, struct tp_error *e)
{
    enum tp_err r = orderbook_begin(book, e);

    if (r == TP_OK)
        r = a->row.name[0] == '\0' ? orderbook_service_add(book, &a->wanted, e)
                                   : orderbook_service_change(book, &a->wanted, e);
    if (r == TP_OK)
        return orderbook_commit(book, e);
    orderbook_rollback(book);
    return r;
}

/* A new one; one of before sells again, or goes on under other contracts or at its new address. */
static enum tp_err add_service(struct adding *a, const char *dir, struct orderbook *book,
                               struct tp_error *e)
{
    const struct registry_events none = {NULL, NULL};
    const struct words *w = a->w;
    struct registry *registry = NULL;
    char to[PATH_MAX];
    enum tp_err r = registry_open(&registry, dir, &none, e);

    if (r == TP_OK)
        r = check_contracts(a, registry, e);
    registry_close(&registry);
    if (r == TP_OK)
        r = orderbook_service_each(book, keep_row, a, e);
    if (r == TP_OK)
        r = told_maker(registry_try_service(&a->is, w->from, e), w->from,
                       "telepay-service mediator add", e);
    if (r == TP_OK)
        r = place_of(to, dir, SERVICES_FOLDER, w->name, e);
    if (r == TP_OK && registry_try_service(&a->was, to, NULL) != TP_OK)
        a->was.url[0] = '\0'; /* none, or one that cannot be read: it is mended by this */
    if (r == TP_OK)
        r = copy_folder(w->from, to, SERVICE_CONF, e);
    return r == TP_OK ? keep_service(book, a, e) : r;
}

#define CONTRACTS_TEXT (BOOK_SOLD_UNDER * (BOOK_CONTRACT_MAX + 2))
static const char *contracts_shown(char out[CONTRACTS_TEXT], const struct orderbook_service *s,
                                   const char *between)
{
    size_t n = 0;

    for (size_t i = 0; i < s->contracts; i++)
        n += (size_t)snprintf(out + n, CONTRACTS_TEXT - n, "%s%s", i > 0 ? between : "",
                              s->contract[i]);
    return out;
}

static void tell_added(const struct adding *a)
{
    const bool moved = a->was.url[0] != '\0' && strcmp(a->was.url, a->is.url) != 0;
    char contracts[CONTRACTS_TEXT], before[CONTRACTS_TEXT];

    printf(_("service %s sells%s under contract %s: ORIGIN/s/%s/…\n"), a->w->name,
           a->row.closed != 0 ? _(" again") : "", contracts_shown(contracts, &a->wanted, ", "),
           a->w->name);
    if (a->row.name[0] == '\0')
        return;
    if (strcmp(contracts_shown(before, &a->row, ", "), contracts) != 0)
        printf(_("before: under %s; orders that were made under it stay so\n"), before);
    printf(_("it is asked at %s from now on, by the files of %s%s%s%s; what is paid and not "
             "delivered, too\n"),
           a->is.url, a->w->from, moved ? _(" (before: at ") : _(", which replace those of before"),
           moved ? a->was.url : "", moved ? ")" : "");
}

int mediator_cmd_service_add(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"name", 'n', "NAME", 0, N_("Its name in addresses: ORIGIN/s/NAME/…"), 0},
        {"contract", 'c', "ID", 0,
         N_("A contract that it sells under; one of each of several acquirers may be named, in the "
            "order in which payers are to see them"),
         0},
        OPTION_DIR,
        {0}};
    static const struct argp argp = {
        options,
        parse,
        N_("FOLDER"),
        N_("Let a service sell: takes over the folder that its telepay-service mediator add made "
           "(service.conf with url, ca, certificate and key). With the name of one that there is: "
           "opens it again when it is closed, and replaces its contracts, URL and files."),
        NULL,
        NULL,
        NULL};
    struct words w = {.from = NULL};
    struct adding adding = {.w = &w};
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
        r = add_service(&adding, dir, book, &e);
    orderbook_close(&book);
    if (r != TP_OK)
        return cli_report(&e);
    tell_added(&adding);
    return CLI_DONE;
}

struct services { /* all, and what each said */
    const char *dir;
    struct listed {
        struct orderbook_service row;
        struct reached reached;
    } * list;
    size_t n;
};

static enum tp_err take_row(void *ctx, const struct orderbook_service *s, struct tp_error *e)
{
    struct services *all = ctx;
    struct listed *more = reallocarray(all->list, all->n + 1, sizeof(*more));

    if (more == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for the list");
    all->list = more;
    more[all->n++] = (struct listed){.row = *s};
    return TP_OK;
}

/* All at once: those that are down take no longer than one. */
static enum tp_err ask_services(struct services *all, struct tp_error *e)
{
    struct reach *reach = NULL;
    char folder[PATH_MAX];
    enum tp_err r = reach_new(&reach, e);

    for (size_t i = 0; r == TP_OK && i < all->n; i++) {
        struct listed *s = &all->list[i];

        r = place_of(folder, all->dir, SERVICES_FOLDER, s->row.name, e);
        if (r == TP_OK)
            reach_ask(reach, &s->reached, folder);
    }
    reach_end(&reach);
    return r;
}

static enum tp_err print_services(const struct services *all, struct table *t, struct tp_error *e)
{
    char added[TIME_TEXT_MAX], closed[TIME_TEXT_MAX], contracts[CONTRACTS_TEXT];
    enum tp_err r = TP_OK;

    for (size_t i = 0; r == TP_OK && i < all->n; i++) {
        const struct orderbook_service *s = &all->list[i].row;
        const struct reached *it = &all->list[i].reached;
        const char *const cells[] = {s->name,
                                     contracts_shown(contracts, s, " "),
                                     it->service.url,
                                     table_bool(it->yes),
                                     time_shown(added, s->added),
                                     time_shown(closed, s->closed),
                                     it->why[0] != '\0' ? it->why : NULL};

        r = table_row(t, cells, e);
    }
    return r;
}

int mediator_cmd_service_list(int argc, char **argv)
{
    static const struct argp_option options[] = {OPTION_DIR, OPTION_JSON, {0}};
    static const struct argp argp = {
        options,
        parse,
        NULL,
        N_("List the services, those of before too: where each is, and whether it is reached now."),
        table_words,
        NULL,
        NULL};
    static const struct table_column columns[] = {{"service", TABLE_TEXT},
                                                  {"contract", TABLE_TEXT},
                                                  {"url", TABLE_WORDS},
                                                  {"reached", TABLE_BOOL},
                                                  {"added", TABLE_TIME | TABLE_LESSER},
                                                  {"closed", TABLE_TIME | TABLE_LESSER},
                                                  {"reason", TABLE_WORDS | TABLE_LESSER}};
    struct services all = {.n = 0};
    struct words w = {.from = NULL};
    struct roll list = {.book = NULL};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = roll_start(&list, w.dir, "services", columns, sizeof(columns) / sizeof(columns[0]), w.json);
    if (r == TP_OK)
        r = orderbook_service_each(list.book, take_row, &all, &list.e);
    all.dir = list.dir;
    if (r == TP_OK)
        r = ask_services(&all, &list.e);
    if (r == TP_OK)
        r = print_services(&all, list.table, &list.e);
    free(all.list);
    return roll_end(&list, r);
}

int mediator_cmd_service_close(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"name", 'n', "NAME", 0, N_("Its name in addresses"), 0}, OPTION_DIR, {0}};
    static const struct argp argp = {
        options, parse, NULL, N_("Let a service sell no more. What was paid is still delivered."),
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
    printf(_("service %s sells no more\n"), w.name);
    return CLI_DONE;
}
