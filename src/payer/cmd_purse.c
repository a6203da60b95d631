/* telepay purse: the user's accounts at purses. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/table.h"
#include "payer/address.h"
#include "payer/commands.h"
#include "payer/order_words.h"
#include "payer/purse_door.h"
#include "payer/report.h"
#include "wire/jcs.h"

#define FIRST_NUMBER 1 /* of the keys that a user has at one purse */

struct words {
    struct checkout_options checkout;
    const char *at, *currency, *purse;
    bool json;
};

enum { AT = 0x100, CURRENCY, PURSE, JSON };

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &w->checkout;
        return 0;
    case AT:
        w->at = arg;
        return 0;
    case CURRENCY:
        w->currency = arg;
        return 0;
    case PURSE:
        w->purse = arg;
        return 0;
    case JSON:
        w->json = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

#define WORD_JSON                                                                                  \
    {                                                                                              \
        "json", JSON, NULL, 0, "print JSON", 0                                                     \
    }

#define WORD_PURSE                                                                                 \
    {                                                                                              \
        "purse", PURSE, "ID", 0, "at which purse, where you have accounts at several", 0           \
    }

static const struct argp_child children[] = {{&order_words, 0, NULL, 0}, {0}};

/* A command while it runs. */
struct run {
    struct words words;
    struct checkout checkout;
    struct fetch *fetch;
};

static enum tp_err begin(struct run *run, const struct argp *argp, int argc, char **argv,
                         struct tp_error *e)
{
    *run = (struct run){.words = {.checkout = ORDER_WORDS_NONE}};
    cli_parse(argp, argc, argv, &run->words);
    return checkout_begin(&run->checkout, &run->fetch, &run->words.checkout, false, e);
}

static int end(struct run *run, enum tp_err r, struct tp_error *e)
{
    checkout_close(&run->checkout);
    fetch_free(&run->fetch);
    return cli_end(r, e);
}

/* ---- list ---- */

static const struct table_column heads[] = {{"PURSE", TABLE_TEXT},
                                            {"NAME", TABLE_TEXT},
                                            {"CURRENCY", TABLE_TEXT},
                                            {"ACCOUNT", TABLE_TEXT},
                                            {"AT", TABLE_TEXT}};
static const struct table_column keys[] = {{"purse", TABLE_TEXT},
                                           {"name", TABLE_TEXT},
                                           {"currency", TABLE_TEXT},
                                           {"account", TABLE_TEXT},
                                           {"at", TABLE_TEXT}};

static enum tp_err list_row(void *ctx, const struct purse_account *a, struct tp_error *e)
{
    const char *cells[] = {a->acquirer, a->name, currency_shown((unsigned)a->currency), a->account,
                           a->url};

    return table_row(ctx, cells, e);
}

int payer_purse(int argc, char **argv)
{
    static const struct argp_option options[] = {WORD_JSON, {0}};
    static const struct argp argp = {options,  parse, NULL, "List your accounts at purses.",
                                     children, NULL,  NULL};
    struct run run;
    struct tp_error e = {0};
    struct table *table = NULL;
    enum tp_err r = begin(&run, &argp, argc, argv, &e);

    if (r == TP_OK)
        r = table_new(&table, "purses", run.words.json ? keys : heads,
                      sizeof(keys) / sizeof(keys[0]), run.words.json, &e);
    if (r == TP_OK)
        r = purses_list(run.checkout.journal, list_row, table, &e);
    r = table_end(&table, r, &e);
    return end(&run, r, &e);
}

/* ---- open ---- */

/* The one that was named, or the only one that there is. */
static enum tp_err choose_currency(int64_t *out, const struct purse_about *about, const char *named,
                                   struct tp_error *e)
{
    char all[PURSE_DOOR_CURRENCIES * 5 + 1] = "";
    size_t n = 0;

    for (size_t i = 0; i < about->n; i++) {
        const struct currency *c = about->currency[i];

        if (named == NULL ? about->n == 1 : currency_by_alpha(named) == c) {
            *out = c->numeric;
            return TP_OK;
        }
        n += (size_t)snprintf(all + n, sizeof(all) - n, " %s", c->alpha);
    }
    return tp_fail(e, TP_ERR_USAGE,
                   "say in which currency the account is to be, with --currency: the purse has%s",
                   all[0] != '\0' ? all : " none");
}

static enum tp_err check_new(struct journal *j, const struct purse_account *a, struct tp_error *e)
{
    struct purse_account there;
    const enum tp_err r = purses_find(&there, j, a->acquirer, e);

    if (r == TP_OK && there.currency != a->currency)
        return tp_fail(e, TP_ERR_EXISTS, "you have an account in %s at this purse, and no other",
                       currency_shown((unsigned)there.currency));
    return r == TP_ERR_NOT_FOUND ? TP_OK : r;
}

/* The purse's word that this account is there; the same when it was before. */
static enum tp_err register_account(struct run *run, struct purse_account *a,
                                    const struct secret *secret, struct tp_error *e)
{
    char currency[4];
    const struct purse_statement opening = {.acquirer = a->acquirer, .currency = currency};
    uint8_t key[ED25519_KEY];
    char *jws = NULL;
    json_t *answer = NULL;
    enum tp_err r = ed25519_public(key, secret->p, e);

    snprintf(currency, sizeof(currency), "%s", currency_shown((unsigned)a->currency));
    for (char *c = currency; *c != '\0'; c++)
        *c = (char)(*c - 'A' + 'a');
    if (r == TP_OK)
        r = ed25519_thumbprint(a->account, key, e);
    if (r == TP_OK)
        r = purse_statement_write(&jws, PURSE_OPENING, &opening, secret->p, e);
    if (r == TP_OK)
        r = purse_door_bring(&answer, run->fetch, a->url, "/accounts", jws, e);
    if (r == TP_OK && !jcs_is(answer, "account", a->account))
        r = tp_fail(e, TP_ERR_PEER, "%s has opened another account than was asked for", a->url);
    json_decref(answer);
    free(jws);
    return r;
}

static enum tp_err open_account(struct purse_account *a, struct run *run, struct tp_error *e)
{
    const struct words *w = &run->words;
    struct device *device = &run->checkout.device;
    struct purse_about about;
    struct purse_standing standing;
    struct secret secret = {0};
    enum tp_err r = address_may_pay(w->at, e);

    *a = (struct purse_account){.number = FIRST_NUMBER};
    if (r == TP_OK)
        r = address_origin(a->url, sizeof(a->url), w->at, e);
    if (r == TP_OK)
        r = purse_door_about(&about, run->fetch, a->url, e);
    if (r == TP_OK)
        r = choose_currency(&a->currency, &about, w->currency, e);
    if (r != TP_OK)
        return r;
    memcpy(a->acquirer, about.acquirer, sizeof(a->acquirer));
    memcpy(a->name, about.name, sizeof(a->name));
    r = check_new(run->checkout.journal, a, e);
    if (r == TP_OK)
        r = device_guard(device, e);
    if (r == TP_OK)
        r = purses_unlock(&secret, device, a, e);
    if (r == TP_OK)
        r = register_account(run, a, &secret, e);
    if (r == TP_OK)
        r = purse_door_standing(&standing, run->fetch, a, &secret, e);
    if (r == TP_OK)
        a->counter = standing.counter; /* another device may have paid by it */
    secret_free(&secret);
    return r == TP_OK ? purses_put(run->checkout.journal, a, e) : r;
}

static enum tp_err print_opened(const struct run *run, const struct purse_account *a)
{
    if (run->checkout.authorities.n == 0)
        log_note("to pay by it, trust its authority: telepay authority add FILE");
    if (run->words.json)
        return report_print(json_pack("{s:s, s:s, s:s, s:s, s:s}", "purse", a->acquirer, "name",
                                      a->name, "currency", currency_shown((unsigned)a->currency),
                                      "account", a->account, "at", a->url));
    printf(
        "The account %s at the purse %s (%s) is open, in %s; your key makes its own, and whoever "
        "has your key and its code has what is in it.\n",
        a->account, a->acquirer, a->name, currency_shown((unsigned)a->currency));
    return TP_OK;
}

int payer_purse_open(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"at", AT, "URL", 0, "the purse's address: https://host:port", 0},
        {"currency", CURRENCY, "CODE", 0, "the account's, such as EUR; where the purse has several",
         0},
        WORD_JSON,
        {0}};
    static const struct argp argp = {
        options,
        parse,
        NULL,
        "Open an account at a purse: its key is made of yours, which a code opens. The same again "
        "finds the account again, on another device that has your key, too.",
        children,
        NULL,
        NULL};
    struct run run;
    struct tp_error e = {0};
    struct purse_account account;
    enum tp_err r = begin(&run, &argp, argc, argv, &e);

    if (r == TP_OK && run.words.at == NULL)
        r = tp_fail(&e, TP_ERR_USAGE, "say at which purse: --at https://host:port");
    if (r == TP_OK)
        r = open_account(&account, &run, &e);
    if (r == TP_OK)
        r = print_opened(&run, &account);
    return end(&run, r, &e);
}

/* ---- balance ---- */

static const struct table_column balance_heads[] = {
    {"PURSE", TABLE_TEXT},     {"NAME", TABLE_TEXT},     {"BALANCE", TABLE_RIGHT},
    {"RESERVED", TABLE_RIGHT}, {"CURRENCY", TABLE_TEXT}, {"STATE", TABLE_TEXT},
    {"REASON", TABLE_TEXT}};
static const struct table_column balance_keys[] = {
    {"purse", TABLE_TEXT},     {"name", TABLE_TEXT},     {"balance", TABLE_RIGHT},
    {"reserved", TABLE_RIGHT}, {"currency", TABLE_TEXT}, {"state", TABLE_TEXT},
    {"reason", TABLE_TEXT}};

/* What the purse says is the highest counter, is: another device of the user may have paid. */
static enum tp_err ask_standing(struct purse_standing *out, struct run *run,
                                struct purse_account *a, struct tp_error *e)
{
    struct secret secret = {0};
    enum tp_err r = purses_unlock(&secret, &run->checkout.device, a, e);

    if (r == TP_OK)
        r = purse_door_standing(out, run->fetch, a, &secret, e);
    secret_free(&secret);
    if (r != TP_OK)
        return r;
    a->counter = out->counter;
    return purses_put(run->checkout.journal, a, e);
}

static enum tp_err print_standing(const struct purse_account *a, const struct purse_standing *s,
                                  bool json, struct tp_error *e)
{
    const unsigned currency = (unsigned)a->currency;
    char balance[MONEY_TEXT_MAX], reserved[MONEY_TEXT_MAX];
    const char *cells[] = {a->acquirer,
                           a->name,
                           money_shown(balance, s->balance, currency),
                           money_shown(reserved, s->reserved, currency),
                           currency_shown(currency),
                           s->state,
                           s->reason};
    struct table *table = NULL;
    enum tp_err r = table_new(&table, "balances", json ? balance_keys : balance_heads,
                              sizeof(balance_keys) / sizeof(balance_keys[0]), json, e);

    if (r == TP_OK)
        r = table_row(table, cells, e);
    return table_end(&table, r, e);
}

int payer_purse_balance(int argc, char **argv)
{
    static const struct argp_option options[] = {WORD_PURSE, WORD_JSON, {0}};
    static const struct argp argp = {options,
                                     parse,
                                     NULL,
                                     "Ask a purse what is in your account, with a question that "
                                     "your key signs.",
                                     children,
                                     NULL,
                                     NULL};
    struct run run;
    struct tp_error e = {0};
    struct purse_account account;
    struct purse_standing standing;
    enum tp_err r = begin(&run, &argp, argc, argv, &e);

    if (r == TP_OK)
        r = purses_find(&account, run.checkout.journal, run.words.purse, &e);
    if (r == TP_OK)
        r = ask_standing(&standing, &run, &account, &e);
    if (r == TP_OK)
        r = print_standing(&account, &standing, run.words.json, &e);
    return end(&run, r, &e);
}
