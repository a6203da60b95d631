/* telepay-service serve, check, list: words of the merchant. */
#include <argp.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cli.h"
#include "base/date.h"
#include "base/log.h"
#include "base/table.h"
#include "base/text.h"
#include "service/sales.h"
#include "service/commands.h"
#include "service/serve.h"
#include "wire/http_door.h"

struct words { /* of every command here */
    const char *dir, *listen;
    bool json;
};

static error_t parse_words(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;

    switch (key) {
    case 'd':
        w->dir = arg;
        return 0;
    case 'l':
        w->listen = arg;
        return 0;
    case 'j':
        w->json = true;
        return 0;
    case 'v':
        log_start("telepay-service", LOG_LEVEL_TRACE, 1);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- serve ---- */

int service_cmd_serve(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"dir", 'd', "DIR", 0, N_("the service's folder"), 0},
        {"listen", 'l', "ADDRESS:PORT", 0,
         N_("where to listen [127.0.0.1:8743]; port 0: any free one"), 0},
        {"verbose", 'v', NULL, 0, N_("say more on stderr"), 0},
        {NULL, 0, NULL, 0, NULL, 0}};
    static const struct argp argp = {
        options, parse_words, NULL, N_("Quote and deliver over HTTPS, until SIGTERM."),
        NULL,    NULL,        NULL};
    struct words w = {.listen = SERVICE_LISTEN_DEFAULT};
    char dir[PATH_MAX], listen[256];
    struct service_place place = {.dir = dir};
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    log_start("telepay-service", LOG_LEVEL_NOTE, 1);
    cli_parse(&argp, argc, argv, &w);
    snprintf(listen, sizeof(listen), "%s", w.listen);
    r = service_dir(dir, w.dir, &e);
    if (r == TP_OK)
        r = http_door_address(listen, &place.address, &place.port, &e);
    if (r == TP_OK)
        r = service_serve(&place, &e);
    return r == TP_OK ? CLI_DONE : cli_report(&e);
}

/* ---- check ---- */

struct checking {
    const char *dir;
    struct sales *sales;
    struct table *table;
    size_t faults;
};

/* Why the article cannot be sold as it stands; "" when it can. */
static enum tp_err fault_of(const struct checking *c, const struct article *a, char *fault,
                            size_t cap, struct tp_error *e)
{
    struct tp_error bad = {TP_OK, ""};
    uint64_t size = 0;
    int fd = -1;

    fault[0] = '\0';
    if (a->file[0] == '\0')
        return TP_OK;
    if (catalogue_open_file(&fd, &size, c->dir, a->file, &bad) != TP_OK)
        snprintf(fault, cap, "%s", bad.text);
    else if (a->delivery == DELIVERY_INCLUDED && size > CATALOGUE_INCLUDED)
        snprintf(fault, cap, "a file that goes with its quote has at most %d bytes",
                 CATALOGUE_INCLUDED);
    if (fd >= 0 && close(fd) != 0)
        return tp_fail(e, TP_ERR_IO, "cannot read %s", a->file);
    return TP_OK;
}

/* The price of what is free: a word, and no amount in JSON. */
static const char *free_of_charge(const struct table *t)
{
    return table_is_json(t) ? NULL : "free";
}

static enum tp_err check_row(struct checking *c, const struct article *a, struct tp_error *e)
{
    char amount[MONEY_TEXT_MAX] = "", left[24] = "", fault[sizeof(e->text)];
    const char *cells[] = {a->path,
                           a->currency != NULL ? amount : free_of_charge(c->table),
                           a->currency != NULL ? a->currency->alpha : "",
                           delivery_text(a->delivery),
                           a->stock >= 0 ? left : NULL,
                           table_bool(article_on_sale(a, time(NULL))),
                           a->designation};
    int64_t sold = 0;
    enum tp_err r = fault_of(c, a, fault, sizeof(fault), e);

    if (r == TP_OK && a->stock >= 0)
        r = sales_sold(c->sales, a->path, &sold, e);
    if (r != TP_OK)
        return r;
    if (a->stock >= 0)
        snprintf(left, sizeof(left), "%" PRId64, sold < a->stock ? a->stock - sold : 0);
    if (a->currency != NULL)
        money_format(amount, a->amount, a->currency);
    if (fault[0] != '\0' || (a->stock >= 0 && sold >= a->stock))
        cells[5] = table_bool(false);
    if (fault[0] != '\0') {
        c->faults++;
        log_error("article %s: %s", a->path, fault);
    }
    return table_row(c->table, cells, e);
}

static enum tp_err check_catalogue(struct checking *c, bool json, struct tp_error *e)
{
    static const struct table_column columns[] = {
        {"article", TABLE_TEXT},     {"price", TABLE_RIGHT}, {"currency", TABLE_TEXT},
        {"delivery", TABLE_WORDS},   {"left", TABLE_NUMBER}, {"on_sale", TABLE_BOOL},
        {"designation", TABLE_WORDS}};
    struct catalogue *catalogue = NULL;
    enum tp_err r = catalogue_load(&catalogue, c->dir, e);

    if (r == TP_OK)
        r = table_new(&c->table, "articles", columns, sizeof(columns) / sizeof(columns[0]), json,
                      e);
    for (size_t i = 0; r == TP_OK && i < catalogue_size(catalogue); i++)
        r = check_row(c, catalogue_at(catalogue, i), e);
    r = table_end(&c->table, r, e);
    catalogue_free(&catalogue);
    return r == TP_OK && c->faults > 0
               ? tp_fail(e, TP_ERR_USAGE,
                         ngettext("%zu article cannot be sold as it stands",
                                  "%zu articles cannot be sold as they stand", c->faults),
                         c->faults)
               : r;
}

static const struct argp_option list_options[] = {
    {"dir", 'd', "DIR", 0, N_("the service's folder"), 0},
    {"json", 'j', NULL, 0, N_("print JSON"), 0},
    {NULL, 0, NULL, 0, NULL, 0}};

int service_cmd_check(int argc, char **argv)
{
    static const struct argp argp = {
        list_options, parse_words, NULL, N_("What the catalogue sells, and whether it can."),
        table_words,  NULL,        NULL};
    struct words w = {.json = false};
    char dir[PATH_MAX];
    struct checking c = {.dir = dir};
    struct catalogue *bills = NULL;
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = service_dir(dir, w.dir, &e);
    if (r == TP_OK && w.dir == NULL) /* several lie near each other */
        log_note("this is %s/catalogue.ini: --dir names another service's folder", dir);
    if (r == TP_OK)
        r = sales_open(&c.sales, dir, &e);
    if (r == TP_OK)
        r = check_catalogue(&c, w.json, &e);
    if (r == TP_OK) /* what is owed is read, too: that it can be is all there is to say */
        r = catalogue_load_bills(&bills, dir, &e);
    catalogue_free(&bills);
    sales_close(&c.sales);
    return r == TP_OK ? CLI_DONE : cli_report(&e);
}

/* ---- list ---- */

static enum tp_err sale_row(void *ctx, const struct sale *s, struct tp_error *e)
{
    char at[TIME_TEXT_MAX], amount[MONEY_TEXT_MAX] = "";
    const char *cells[] = {time_format(at, s->at),
                           s->mediator,
                           s->order,
                           s->article,
                           s->currency != 0 ? amount : free_of_charge(ctx),
                           s->currency != 0 ? currency_shown(s->currency) : "",
                           delivery_text(s->delivery),
                           s->designation};

    if (s->currency != 0)
        money_shown(amount, s->amount, s->currency);
    return table_row(ctx, cells, e);
}

int service_cmd_list(int argc, char **argv)
{
    static const struct argp argp = {list_options, parse_words, NULL, N_("What was sold."),
                                     table_words,  NULL,        NULL};
    static const struct table_column columns[] = {{"at", TABLE_TIME},
                                                  {"mediator", TABLE_TEXT | TABLE_LESSER},
                                                  {"order", TABLE_TEXT},
                                                  {"article", TABLE_TEXT},
                                                  {"price", TABLE_RIGHT},
                                                  {"currency", TABLE_TEXT},
                                                  {"delivery", TABLE_WORDS | TABLE_LESSER},
                                                  {"designation", TABLE_WORDS | TABLE_LESSER}};
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
        r = table_new(&table, "sales", columns, sizeof(columns) / sizeof(columns[0]), w.json, &e);
    if (r == TP_OK)
        r = sales_each(sales, sale_row, table, &e);
    r = table_end(&table, r, &e);
    sales_close(&sales);
    return r == TP_OK ? CLI_DONE : cli_report(&e);
}

/* ---- accounts ---- */

static enum tp_err account_row(void *ctx, const struct sales_account *a, struct tp_error *e)
{
    char credit[MONEY_TEXT_MAX], orders[24];
    const char *cells[] = {a->account, money_shown(credit, a->credit, a->currency),
                           currency_shown(a->currency), orders};

    snprintf(orders, sizeof(orders), "%" PRId64, a->orders);
    return table_row(ctx, cells, e);
}

static enum tp_err each_account(const char *dir, struct sales *sales, struct table *table,
                                struct tp_error *e)
{
    struct catalogue *c = NULL;
    enum tp_err r = catalogue_load(&c, dir, e);

    for (size_t i = 0; r == TP_OK && i < catalogue_size(c); i++) {
        const struct article *a = catalogue_at(c, i);
        char before[ARTICLE_PATH_MAX + 1];

        snprintf(before, sizeof(before), "%s/", a->path);
        if (a->parameter[0] != '\0')
            r = sales_account_each(sales, before, account_row, table, e);
    }
    catalogue_free(&c);
    return r;
}

int service_cmd_account_list(int argc, char **argv)
{
    static const struct argp argp = {
        list_options, parse_words,
        NULL,         N_("The accounts that were reloaded, by article and number."),
        table_words,  NULL,
        NULL};
    static const struct table_column columns[] = {{"account", TABLE_TEXT},
                                                  {"credit", TABLE_RIGHT},
                                                  {"currency", TABLE_TEXT},
                                                  {"order_count", TABLE_NUMBER}};
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
        r = table_new(&table, "accounts", columns, sizeof(columns) / sizeof(columns[0]), w.json,
                      &e);
    if (r == TP_OK)
        r = each_account(dir, sales, table, &e);
    r = table_end(&table, r, &e);
    sales_close(&sales);
    return r == TP_OK ? CLI_DONE : cli_report(&e);
}
