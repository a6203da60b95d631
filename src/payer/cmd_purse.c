/* telepay purse: the user's accounts at purses. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/document.h"
#include "base/log.h"
#include "base/table.h"
#include "base/text.h"
#include "payer/address.h"
#include "payer/commands.h"
#include "payer/order_words.h"
#include "payer/purse_door.h"
#include "payer/purse_words.h"
#include "wire/jcs.h"

#define FIRST_NUMBER 1 /* of the keys that a user has at one purse */

/* ---- list ---- */

static const struct table_column columns[] = {{"purse", TABLE_TEXT},
                                              {"name", TABLE_WORDS},
                                              {"currency", TABLE_TEXT},
                                              {"account", TABLE_TEXT},
                                              {"url", TABLE_WORDS | TABLE_LESSER}};

static enum tp_err list_row(void *ctx, const struct purse_account *a, struct tp_error *e)
{
    const char *cells[] = {a->acquirer, a->name, currency_shown((unsigned)a->currency), a->account,
                           a->url};

    return table_row(ctx, cells, e);
}

int payer_purse(int argc, char **argv)
{
    static const struct argp_option options[] = {PURSE_WORD_JSON, {0}};
    static const struct argp argp = {options,
                                     purse_words_parse,
                                     NULL,
                                     N_("List your accounts at purses."),
                                     asking_list_words,
                                     NULL,
                                     NULL};
    struct purse_run run;
    struct tp_error e = {0};
    struct table *table = NULL;
    enum tp_err r = purse_run_begin(&run, &argp, false, argc, argv, &e);

    if (r == TP_OK)
        r = table_new(&table, "purses", columns, sizeof(columns) / sizeof(columns[0]),
                      run.words.json, &e);
    if (r == TP_OK)
        r = purses_list(run.checkout.journal, list_row, table, &e);
    r = table_end(&table, r, &e);
    return purse_run_end(&run, r, &e);
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
                   all[0] != '\0' ? all : _(" none"));
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
static enum tp_err register_account(struct purse_run *run, struct purse_account *a,
                                    const struct secret *secret, struct tp_error *e)
{
    char currency[4];
    const struct purse_statement opening = {
        .acquirer = a->acquirer, .currency = currency_small(currency, (unsigned)a->currency)};
    uint8_t key[ED25519_KEY];
    char *jws = NULL;
    json_t *answer = NULL;
    enum tp_err r = ed25519_public(key, secret->p, e);

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

static enum tp_err open_account(struct purse_account *a, struct purse_run *run, struct tp_error *e)
{
    const struct purse_words *w = &run->words;
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

static enum tp_err print_opened(const struct purse_run *run, const struct purse_account *a)
{
    if (run->checkout.authorities.n == 0)
        log_note("to pay by it, trust its authority: telepay authority add FILE");
    if (run->words.json)
        return document_print(json_pack("{s:s, s:s, s:s, s:s, s:s}", "purse", a->acquirer, "name",
                                        a->name, "currency", currency_shown((unsigned)a->currency),
                                        "account", a->account, "url", a->url),
                              false);
    printf(_("The account %s at the purse %s (%s) is open, in %s; your key makes its own, and "
             "whoever has your key and its code has what is in it.\n"),
           a->account, a->acquirer, a->name, currency_shown((unsigned)a->currency));
    return TP_OK;
}

int payer_purse_open(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"at", PURSE_AT_KEY, "URL", 0, N_("the purse's address: https://host:port"), 0},
        {"currency", PURSE_CUR_KEY, "CODE", 0,
         N_("the account's, such as EUR; where the purse has several"), 0},
        PURSE_WORD_JSON,
        {0}};
    static const struct argp argp = {
        options,
        purse_words_parse,
        NULL,
        N_("Open an account at a purse: its key is made of yours, which a code opens. The same "
           "again finds the account again, on another device that has your key, too."),
        purse_words_children,
        NULL,
        NULL};
    struct purse_run run;
    struct tp_error e = {0};
    struct purse_account account;
    enum tp_err r = purse_run_begin(&run, &argp, false, argc, argv, &e);

    if (r == TP_OK && run.words.at == NULL)
        r = tp_fail(&e, TP_ERR_USAGE, "say at which purse: --at https://host:port");
    if (r == TP_OK)
        r = open_account(&account, &run, &e);
    if (r == TP_OK)
        r = print_opened(&run, &account);
    return purse_run_end(&run, r, &e);
}

/* ---- balance ---- */

static const struct table_column balance_columns[] = {{"purse", TABLE_TEXT},
                                                      {"name", TABLE_WORDS},
                                                      {"balance", TABLE_RIGHT},
                                                      {"reserved", TABLE_RIGHT},
                                                      {"currency", TABLE_TEXT},
                                                      {"state", TABLE_TEXT},
                                                      {"reason", TABLE_WORDS | TABLE_LESSER}};

/* What the purse says is the highest counter, is: another device of the user may have paid. */
static enum tp_err ask_standing(struct purse_standing *out, struct purse_run *run,
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
    enum tp_err r = table_new(&table, "balances", balance_columns,
                              sizeof(balance_columns) / sizeof(balance_columns[0]), json, e);

    if (r == TP_OK)
        r = table_row(table, cells, e);
    return table_end(&table, r, e);
}

int payer_purse_balance(int argc, char **argv)
{
    static const struct argp_option options[] = {PURSE_WORD, PURSE_WORD_JSON, {0}};
    static const struct argp argp = {
        options,
        purse_words_parse,
        NULL,
        N_("Ask a purse what is in your account, with a question that your key signs."),
        asking_list_words,
        NULL,
        NULL};
    struct purse_run run;
    struct tp_error e = {0};
    struct purse_account account;
    struct purse_standing standing;
    enum tp_err r = purse_run_begin(&run, &argp, false, argc, argv, &e);

    if (r == TP_OK)
        r = purse_run_account(&account, &run, &e);
    if (r == TP_OK)
        r = ask_standing(&standing, &run, &account, &e);
    if (r == TP_OK)
        r = print_standing(&account, &standing, run.words.json, &e);
    return purse_run_end(&run, r, &e);
}
