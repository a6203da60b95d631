/* telepay purse fill: credit in an account, bought as anything else is that a mediator sells. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "payer/commands.h"
#include "payer/get.h"
#include "payer/purse_words.h"
#include "wire/jcs.h"

/* The page of the purse, where it sells at a mediator, for this account and amount. */
static enum tp_err page_of(char **out, const struct purse_run *run, const struct purse_account *a,
                           int64_t amount, struct tp_error *e)
{
    const char *at = run->words.at;
    size_t n = at != NULL ? strlen(at) : 0;

    *out = NULL;
    if (at == NULL)
        return tp_fail(e, TP_ERR_USAGE,
                       "say where the purse sells its credit: --at https://MEDIATOR/s/SERVICE");
    while (n > 0 && at[n - 1] == '/')
        n--;
    if (asprintf(out, "%.*s/fill/%s/%lld", (int)n, at, a->account, (long long)amount) >= 0)
        return TP_OK;
    *out = NULL;
    return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for an address");
}

/* What was bought is what was asked for. */
static enum tp_err check_booked(struct span content, const struct purse_account *a, int64_t amount,
                                struct tp_error *e)
{
    char amount_text[24];
    json_t *body = NULL;
    enum tp_err r = jcs_read(&body, content, NULL);

    snprintf(amount_text, sizeof(amount_text), "%lld", (long long)amount);
    if (r != TP_OK || !jcs_is(body, "account", a->account) || !jcs_is(body, "amount", amount_text))
        r = tp_fail(e, TP_ERR_PEER,
                    "what came for the payment does not say that it was booked: telepay purse "
                    "balance asks the purse");
    json_decref(body);
    return r;
}

static int fill(struct purse_run *run, const struct purse_account *a, int64_t amount,
                struct tp_error *e)
{
    char *url = NULL, *content = NULL, shown[MONEY_TEXT_MAX];
    size_t n = 0;
    struct get_options options = {.checkout = run->words.checkout, .pay = run->words.pay};
    struct get_result result = {.exit = CLI_DONE};
    enum tp_err r = page_of(&url, run, a, amount, e);

    options.url = url;
    options.fail = true;
    options.fetch.cacert = run->words.checkout.cacert;
    options.to = r == TP_OK ? open_memstream(&content, &n) : NULL;
    if (r == TP_OK && options.to == NULL)
        r = tp_fail(e, TP_ERR_NO_MEMORY, "no memory for what is bought");
    if (r == TP_OK)
        get_run(&result, &options);
    if (options.to != NULL)
        (void)fclose(options.to);
    if (r == TP_OK && result.error.code != TP_OK) {
        *e = result.error;
        r = result.error.code;
    }
    if (r == TP_OK)
        r = check_booked(span_of(content, n), a, amount, e);
    if (r == TP_OK)
        printf(_("%s %s are in your account at the purse %s (%s).\n"),
               money_shown(shown, amount, (unsigned)a->currency),
               currency_shown((unsigned)a->currency), a->acquirer, a->name);
    free(url);
    free(content);
    return r == TP_OK || result.exit == CLI_DONE ? cli_end(r, e) : (cli_report(e), result.exit);
}

int payer_purse_fill(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"at", PURSE_AT_KEY, "URL", 0,
         N_("where the purse sells its credit: a service at a mediator, https://HOST/s/NAME"), 0},
        PURSE_WORD,
        {0}};
    static const struct argp argp = {options,
                                     purse_words_parse,
                                     N_("AMOUNT CURRENCY"),
                                     N_("Buy credit for your account at a purse, with the card in "
                                        "the reader: as telepay get does."),
                                     purse_words_card_children,
                                     NULL,
                                     NULL};
    struct purse_run run;
    struct tp_error e = {0};
    struct purse_account account;
    int64_t amount = 0;
    enum tp_err r = purse_run_begin(&run, &argp, true, argc, argv, &e);
    int code;

    if (r == TP_OK && run.words.amount == NULL)
        r = tp_fail(&e, TP_ERR_USAGE, "say how much: telepay purse fill 20.00 EUR --at URL");
    if (r == TP_OK)
        r = purse_run_account(&account, &run, &e);
    if (r == TP_OK)
        r = purse_run_amount(&amount, &run, &account, &e);
    checkout_close(&run.checkout); /* which get opens for itself */
    if (r != TP_OK)
        return purse_run_end(&run, r, &e);
    code = fill(&run, &account, amount, &e);
    fetch_free(&run.fetch);
    return code;
}
