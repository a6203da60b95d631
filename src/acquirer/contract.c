/* telepay-acquirer contract add | list | close */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acquirer/commands.h"
#include "acquirer/option.h"
#include "base/mask.h"
#include "base/text.h"
#include "base/word.h"

#define FLOOR_UNITS   50 /* of the currency, when --floor is not given */
#define CEILING_UNITS 1000
#define NO_CVM_UNITS  20

struct words {
    const char *dir, *id, *name, *mcc, *currency, *country, *floor, *ceiling, *no_cvm, *credits,
        *hour, *siret, *town, *postcode;
    bool json, refund_alone;
};

enum {
    KEY_MCC = 256,
    KEY_CURRENCY,
    KEY_COUNTRY,
    KEY_FLOOR,
    KEY_CEILING,
    KEY_NO_CVM,
    KEY_CREDITS,
    KEY_REFUND_ALONE,
    KEY_HOUR,
    KEY_SIRET,
    KEY_TOWN,
    KEY_POSTCODE
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
    case 'n':
        w->name = arg;
        return 0;
    case KEY_MCC:
        w->mcc = arg;
        return 0;
    case KEY_CURRENCY:
        w->currency = arg;
        return 0;
    case KEY_COUNTRY:
        w->country = arg;
        return 0;
    case KEY_FLOOR:
        w->floor = arg;
        return 0;
    case KEY_CEILING:
        w->ceiling = arg;
        return 0;
    case KEY_NO_CVM:
        w->no_cvm = arg;
        return 0;
    case KEY_CREDITS:
        w->credits = arg;
        return 0;
    case KEY_REFUND_ALONE:
        w->refund_alone = true;
        return 0;
    case KEY_HOUR:
        w->hour = arg;
        return 0;
    case KEY_SIRET:
        w->siret = arg;
        return 0;
    case KEY_TOWN:
        w->town = arg;
        return 0;
    case KEY_POSTCODE:
        w->postcode = arg;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static enum tp_err read_currency(struct contract *c, const struct currency **currency,
                                 const char *text, struct tp_error *e)
{
    *currency = currency_by_alpha(text);
    if (*currency == NULL && strlen(text) == 3 && strspn(text, "0123456789") == 3)
        *currency = currency_by_numeric((unsigned)atoi(text));
    if (*currency == NULL)
        return tp_fail(e, TP_ERR_USAGE, "\"%.20s\" is no currency of ISO 4217: write it as EUR",
                       text);
    c->currency = (*currency)->numeric;
    return TP_OK;
}

static enum tp_err read_amount(int64_t *out, const char *what, const char *text, int64_t units,
                               const struct currency *c, struct tp_error *e)
{
    enum tp_err r;

    if (text != NULL &&
        strcmp(text, "0") == 0) { /* a floor of nothing: every payment asks the issuer */
        *out = 0;
        return TP_OK;
    }
    if (text != NULL) {
        r = money_parse(out, c, text, e);
        return r == TP_OK ? r : tp_error_prefix(e, "%s", what);
    }
    for (unsigned i = 0; i < c->exponent; i++)
        units *= 10;
    *out = units;
    return TP_OK;
}

/* It stands in the XML of every remise, or in a terminal's configuration. */
static enum tp_err read_word(char *out, size_t cap, const char *what, const char *text,
                             struct tp_error *e)
{
    if (strlen(text) == 0 || strlen(text) >= cap || strpbrk(text, "\r\n;#") != NULL)
        return tp_fail(e, TP_ERR_USAGE, "%s must be 1 to %zu bytes without line ends, ; and #",
                       what, cap - 1);
    memcpy(out, text, strlen(text) + 1);
    return word_check(text, what, cap - 1, e);
}

/* What tickets say of the point of sale. A SIRET is the nine digits of the enterprise and five of
 * the place, the last of which is a check digit over all (ISO/IEC 7812-1, Annex B, as INSEE has
 * it). */
static enum tp_err read_place(struct contract *c, const struct words *w, struct tp_error *e)
{
    enum tp_err r = TP_OK;

    if (w->siret != NULL && (strlen(w->siret) != 14 || !pan_valid(w->siret)))
        return tp_fail(e, TP_ERR_USAGE,
                       "--siret is the number of 14 digits that INSEE gave the point of sale: a "
                       "digit of \"%.20s\" is wrong",
                       w->siret);
    snprintf(c->siret, sizeof(c->siret), "%s", w->siret != NULL ? w->siret : "");
    if (w->town != NULL)
        r = read_word(c->town, sizeof(c->town), "--town", w->town, e);
    return r == TP_OK && w->postcode != NULL
               ? read_word(c->postcode, sizeof(c->postcode), "--postcode", w->postcode, e)
               : r;
}

static enum tp_err read_words(struct contract *c, const struct words *w, struct tp_error *e)
{
    const struct currency *currency = NULL;
    int64_t mcc = 0, country = 250;
    enum tp_err r;

    if (w->id == NULL || w->name == NULL || w->mcc == NULL || w->currency == NULL)
        return tp_fail(e, TP_ERR_USAGE, "a contract needs --id, --name, --mcc and --currency");
    r = option_id(c->id, sizeof(c->id), "--id", w->id, e);
    if (r == TP_OK)
        r = read_word(c->name, sizeof(c->name), "--name", w->name, e);
    if (r == TP_OK)
        r = read_place(c, w, e);
    if (r == TP_OK && strlen(w->mcc) != 4)
        r = tp_fail(e, TP_ERR_USAGE,
                    "--mcc is the merchant category code of four digits (ISO 18245), not \"%.20s\"",
                    w->mcc);
    if (r == TP_OK)
        r = cli_number(&mcc, "--mcc", w->mcc, 9999, e);
    if (r == TP_OK && w->country != NULL)
        r = cli_number(&country, "--country", w->country, 999, e);
    if (r == TP_OK && country == 0)
        r = tp_fail(e, TP_ERR_USAGE, "--country is the number of ISO 3166, as 250 for France");
    if (r == TP_OK)
        r = read_currency(c, &currency, w->currency, e);
    if (r == TP_OK)
        r = read_amount(&c->floor, "--floor", w->floor, FLOOR_UNITS, currency, e);
    if (r == TP_OK)
        r = read_amount(&c->ceiling, "--ceiling", w->ceiling, CEILING_UNITS, currency, e);
    if (r == TP_OK)
        r = read_amount(&c->no_cvm, "--no-cvm", w->no_cvm, NO_CVM_UNITS, currency, e);
    if (r == TP_OK && c->ceiling < 1)
        r = tp_fail(e, TP_ERR_USAGE, "--ceiling must be more than nothing");
    if (r == TP_OK)
        r = read_amount(&c->credit_day, "--credits", w->credits, 0, currency, e);
    if (r == TP_OK && w->refund_alone && c->credit_day == 0)
        r = tp_fail(e, TP_ERR_USAGE,
                    "--refund-without-payment needs --credits: without it none are taken");
    c->close_hour = CONTRACT_ANY_HOUR;
    if (r == TP_OK && w->hour != NULL)
        r = option_hour(&c->close_hour, w->hour, e);
    if (r != TP_OK)
        return r;
    c->mcc = (uint16_t)mcc;
    c->country = (uint16_t)country;
    c->refund_alone = w->refund_alone;
    c->open = true;
    return TP_OK;
}

int acquirer_contract_add(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"id", 'i', "ID", 0, N_("Number of the contract: the 15 characters of DE 42"), 0},
        {"name", 'n', "NAME", 0, N_("The merchant's name"), 0},
        {"mcc", KEY_MCC, "MCC", 0, N_("Merchant category code of four digits"), 0},
        {"currency", KEY_CURRENCY, "CODE", 0, N_("Its one currency, as EUR"), 0},
        {"country", KEY_COUNTRY, "NUMBER", 0, N_("Country of the terminals, ISO 3166 number [250]"),
         0},
        {"floor", KEY_FLOOR, "AMOUNT", 0,
         N_("Up to this a card-approved payment needs no issuer [50]"), 0},
        {"ceiling", KEY_CEILING, "AMOUNT", 0, N_("More than this is refused [1000]"), 0},
        {"no-cvm", KEY_NO_CVM, "AMOUNT", 0,
         N_("Up to this a card-approved payment needs no verified cardholder [20]"), 0},
        {"credits", KEY_CREDITS, "AMOUNT", 0,
         N_("Credits of together at most this a day are taken [none]"), 0},
        {"refund-without-payment", KEY_REFUND_ALONE, NULL, 0,
         N_("Also take credits that name no payment [no]"), 0},
        {"close-hour", KEY_HOUR, "HH:MM", 0,
         N_("Local hour from which the daily run closes its remise [any run does]"), 0},
        {"siret", KEY_SIRET, "NUMBER", 0, N_("SIRET of the point of sale, for its tickets"), 0},
        {"town", KEY_TOWN, "NAME", 0, N_("Its town, for its tickets"), 0},
        {"postcode", KEY_POSTCODE, "CODE", 0, N_("Its postcode, for its tickets"), 0},
        OPTION_DIR,
        {0},
    };
    static const struct argp argp = {
        options, parse, NULL, N_("Add a merchant's contract; its first remise is open at once."),
        NULL,    NULL,  NULL};
    struct words w = {0};
    struct contract c = {0};
    struct ledger *l = NULL;
    struct tp_error e = {TP_OK, ""};
    char dir[PATH_MAX];
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = read_words(&c, &w, &e);
    if (r == TP_OK)
        r = option_open(&l, dir, w.dir, &e);
    if (r == TP_OK)
        r = ledger_contract_add(l, &c, &e);
    ledger_close(&l);
    if (r != TP_OK)
        return cli_report(&e);
    printf(_("contract %s (%s) is open\nnext: telepay-acquirer terminal add --contract %s --id "
             "00000001 --out terminal/\n"),
           c.id, c.name, c.id);
    return CLI_DONE;
}

static enum tp_err list_row(void *ctx, const struct contract *c, struct tp_error *e)
{
    char mcc[8], country[8], floor[MONEY_TEXT_MAX], ceiling[MONEY_TEXT_MAX], no_cvm[MONEY_TEXT_MAX],
        credits[MONEY_TEXT_MAX], hour[8];
    const char *const refunds = c->credit_day == 0 ? "none" : c->refund_alone ? "any" : "payments";
    const char *const cells[] = {c->id,
                                 c->name,
                                 mcc,
                                 currency_shown(c->currency),
                                 country,
                                 floor,
                                 ceiling,
                                 no_cvm,
                                 credits,
                                 refunds,
                                 hour,
                                 c->siret,
                                 c->postcode,
                                 c->town,
                                 c->open ? "open" : "closed"};

    snprintf(mcc, sizeof(mcc), "%04u", c->mcc % 10000U);
    snprintf(country, sizeof(country), "%03u", c->country % 1000U);
    if (c->close_hour == CONTRACT_ANY_HOUR)
        snprintf(hour, sizeof(hour), "any");
    else
        snprintf(hour, sizeof(hour), "%02u:%02u", (unsigned)c->close_hour / 100 % 24,
                 (unsigned)c->close_hour % 100 % 60);
    money_shown(floor, c->floor, c->currency);
    money_shown(ceiling, c->ceiling, c->currency);
    money_shown(no_cvm, c->no_cvm, c->currency);
    money_shown(credits, c->credit_day, c->currency);
    return table_row(ctx, cells, e);
}

static const struct argp_option list_options[] = {OPTION_DIR, OPTION_JSON, {0}};

int acquirer_contract_list(int argc, char **argv)
{
    static const struct argp argp = {list_options, parse, NULL, N_("List the contracts."),
                                     table_words,  NULL,  NULL};
    static const struct table_column columns[] = {{"contract", TABLE_TEXT},
                                                  {"name", TABLE_WORDS},
                                                  {"mcc", TABLE_TEXT | TABLE_LESSER},
                                                  {"currency", TABLE_TEXT},
                                                  {"country", TABLE_TEXT | TABLE_LESSER},
                                                  {"floor", TABLE_RIGHT | TABLE_LESSER},
                                                  {"ceiling", TABLE_RIGHT},
                                                  {"no_cvm", TABLE_RIGHT | TABLE_LESSER},
                                                  {"credit_ceiling", TABLE_RIGHT | TABLE_LESSER},
                                                  {"refunds", TABLE_TEXT | TABLE_LESSER},
                                                  {"close_hour", TABLE_TEXT | TABLE_LESSER},
                                                  {"siret", TABLE_TEXT | TABLE_LESSER},
                                                  {"postcode", TABLE_TEXT | TABLE_LESSER},
                                                  {"town", TABLE_WORDS | TABLE_LESSER},
                                                  {"state", TABLE_TEXT}};
    struct words w = {0};
    struct listing list = {0};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = listing_start(&list, w.dir, "contracts", columns, sizeof(columns) / sizeof(columns[0]),
                      w.json);
    if (r == TP_OK)
        r = ledger_contract_each(list.l, list_row, list.table, &list.e);
    return listing_end(&list, r);
}

int acquirer_contract_close(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"id", 'i', "ID", 0, N_("Number of the contract"), 0}, OPTION_DIR, {0}};
    static const struct argp argp = {options,
                                     parse,
                                     NULL,
                                     N_("Close a contract: it takes no payment any more (03); what "
                                        "it has is collected as before."),
                                     NULL,
                                     NULL,
                                     NULL};
    struct words w = {0};
    struct ledger *l = NULL;
    struct tp_error e = {TP_OK, ""};
    char dir[PATH_MAX];
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = w.id != NULL ? option_open(&l, dir, w.dir, &e)
                     : tp_fail(&e, TP_ERR_USAGE, "name the contract with --id");
    if (r == TP_OK)
        r = ledger_contract_shut(l, w.id, &e);
    ledger_close(&l);
    if (r != TP_OK)
        return cli_report(&e);
    printf(_("contract %s is closed\n"), w.id);
    return CLI_DONE;
}
