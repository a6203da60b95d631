/* telepay bill: what one owes, and paying it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cli.h"
#include "base/log.h"
#include "base/money.h"
#include "base/table.h"
#include "base/text.h"
#include "base/word.h"
#include "payer/bill.h"
#include "payer/card_words.h"
#include "payer/commands.h"
#include "payer/get.h"
#include "payer/order_words.h"
#include "wire/jcs.h"

struct words {
    struct get_options get; /* with the words of card and orders */
    const char *at, *number;
    bool json, pays;
};

enum { AT = 0x100, IDENTIFY };

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct words *w = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &w->get.checkout;
        state->child_inputs[1] = w->pays ? &w->get.pay : NULL;
        return 0;
    case 'j':
        w->json = true;
        return 0;
    case AT:
        w->at = arg;
        return 0;
    case IDENTIFY:
        w->get.identify = true;
        return 0;
    case ARGP_KEY_ARG:
        if (!w->pays || w->number != NULL)
            argp_error(state, _("\"%s\" is one word too many"), arg);
        w->number = arg;
        return 0;
    case ARGP_KEY_END:
        if (w->at == NULL || (w->pays && w->number == NULL))
            argp_error(state, _("say whose bills: --at https://MEDIATOR/bills/SERVICE%s"),
                       w->pays ? ", and the number of the one to pay" : "");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

#define WORDS_WHOSE                                                                                \
    {"at", AT, "URL", 0, N_("the biller: https://MEDIATOR/bills/SERVICE; needed"), 0},             \
    {                                                                                              \
        "identify", IDENTIFY, NULL, 0, N_("say who you are unasked"), 0                            \
    }

static enum tp_err fetch_bills(struct bills *out, struct words *w, struct tp_error *e)
{
    const struct identity_options options = {
        .checkout = &w->get.checkout, .person = &w->get.pay.person, .agreed = w->get.identify};
    struct fetch *f = NULL;
    enum tp_err r;

    w->get.fetch.cacert = w->get.checkout.cacert;
    r = fetch_new(&f, &w->get.fetch, e);
    if (r == TP_OK)
        r = bills_fetch(out, f, w->at, &options, e);
    fetch_free(&f);
    return r;
}

/* ---- list ---- */

static const struct table_column columns[] = {{"bill", TABLE_TEXT},    {"designation", TABLE_WORDS},
                                              {"amount", TABLE_RIGHT}, {"currency", TABLE_TEXT},
                                              {"until", TABLE_TEXT},   {"paid", TABLE_BOOL}};

/* Another's words, as they may be shown (free()). */
static char *shown(const json_t *one, const char *name)
{
    const char *text = json_string_value(json_object_get(one, name));
    char *copy = strdup(text != NULL ? text : "");

    if (copy != NULL)
        word_make_shown(copy);
    return copy;
}

static enum tp_err row(struct table *t, const json_t *one, struct tp_error *e)
{
    char *number = shown(one, "bill"), *what = shown(one, "designation"),
         *until = shown(one, "until"), *minor = shown(one, "amount"),
         *alpha = shown(one, "currency");
    const struct currency *currency = alpha != NULL ? currency_by_alpha(alpha) : NULL;
    char amount[MONEY_TEXT_MAX] = "";
    const char *const cells[] = {
        number, what, amount, alpha, until, table_bool(json_is_true(json_object_get(one, "paid")))};

    if (currency != NULL && minor != NULL)
        money_format(amount, strtoll(minor, NULL, 10), currency);
    const enum tp_err r = table_row(t, cells, e);

    free(number);
    free(what);
    free(until);
    free(minor);
    free(alpha);
    return r;
}

int payer_bill(int argc, char **argv)
{
    static const struct argp_option options[] = {
        WORDS_WHOSE, {"json", 'j', NULL, 0, N_("print JSON"), 0}, {0}};
    static const struct argp argp = {
        options,           parse, NULL, N_("List what you owe to a biller, and what you paid."),
        asking_list_words, NULL,  NULL};
    struct words w = {.get = {.checkout = ORDER_WORDS_NONE, .pay = CARD_WORDS_NONE}};
    struct bills bills = {NULL};
    struct table *table = NULL;
    struct tp_error e = {TP_OK, ""};
    const json_t *one;
    size_t i;
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = fetch_bills(&bills, &w, &e);
    if (r == TP_OK)
        r = table_new(&table, "bills", columns, sizeof(columns) / sizeof(columns[0]), w.json, &e);
    json_array_foreach(bills.list, i, one) if (r == TP_OK) r = row(table, one, &e);
    r = table_end(&table, r, &e);
    bills_free(&bills);
    return cli_end(r, &e);
}

/* ---- pay ---- */

/* What came for it: words to people, where it is the word of a service that sends nothing
 * (doc/service.md); else as it is. */
static bool print_delivered(const struct words *w, struct span content)
{
    json_t *said = NULL;
    char *article = NULL, *shipped = NULL;

    if (!w->json && jcs_read(&said, content, NULL) == TP_OK &&
        json_object_get(said, "shipped") != NULL) {
        article = shown(said, "article");
        shipped = shown(said, "shipped");
    }
    if (article != NULL && shipped != NULL)
        printf("%s: %s\n", article, shipped);
    else
        (void)!fwrite(content.p, 1, content.n, stdout);
    free(article);
    free(shipped);
    json_decref(said);
    return fflush(stdout) == 0 && !ferror(stdout);
}

static enum tp_err pay(struct get_result *result, struct words *w, struct tp_error *e)
{
    char *content = NULL;
    size_t n = 0;

    w->get.to = open_memstream(&content, &n);
    if (w->get.to == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for what is delivered");
    get_run(result, &w->get);
    const bool done = fclose(w->get.to) == 0 && print_delivered(w, span_of(content, n));

    free(content);
    return done ? TP_OK
                : tp_fail(e, TP_ERR_IO,
                          "what the biller delivered cannot be written: telepay order list says "
                          "whether the bill is paid");
}

int payer_bill_pay(int argc, char **argv)
{
    static const struct argp_option options[] = {
        WORDS_WHOSE, {"json", 'j', NULL, 0, N_("print what is delivered as it comes"), 0}, {0}};
    static const struct argp_child children[] = {
        {&order_words, 0, NULL, 0}, {&card_words, 0, NULL, 0}, {0}};
    static const struct argp argp = {options,
                                     parse,
                                     N_("NUMBER"),
                                     N_("Pay a bill: an order as any other, whose receipt names "
                                        "it. One that is paid is not paid again."),
                                     children,
                                     NULL,
                                     NULL};
    struct words w = {.get = {.checkout = ORDER_WORDS_NONE, .pay = CARD_WORDS_NONE, .fail = true},
                      .pays = true};
    struct bills bills = {NULL};
    struct get_result result = {.exit = CLI_DONE};
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    cli_parse(&argp, argc, argv, &w);
    r = fetch_bills(&bills, &w, &e);
    if (r == TP_OK)
        r = bills_find(&w.get.url, &bills, w.number, w.at, &e);
    if (r == TP_OK)
        r = pay(&result, &w, &e);
    bills_free(&bills);
    if (r != TP_OK)
        return cli_report(&e);
    if (result.error.code != TP_OK)
        log_error("%s", result.error.text);
    return result.exit;
}
