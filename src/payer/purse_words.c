#include "payer/purse_words.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "payer/card_words.h"
#include "payer/dialog.h"
#include "payer/order_words.h"

#define HOURS_MAX 24 /* a provision lasts no longer */

const struct argp_child purse_words_children[] = {{&asking_words, 0, NULL, 0}, {0}};
const struct argp_child purse_words_card_children[] = {
    {&order_words, 0, NULL, 0}, {&card_words, 0, NULL, 0}, {0}};

static error_t take_argument(struct purse_words *w, const char *arg, struct argp_state *state)
{
    const size_t n = strlen(w->amount_room);

    if (!w->takes_amount || strchr(w->amount_room, ' ') != NULL ||
        n + strlen(arg) + 2 > sizeof(w->amount_room))
        argp_error(state, _("\"%s\" is one word too many"), arg);
    snprintf(w->amount_room + n, sizeof(w->amount_room) - n, "%s%s", n > 0 ? " " : "", arg);
    w->amount = w->amount_room;
    return 0;
}

error_t purse_words_parse(int key, char *arg, struct argp_state *state)
{
    struct purse_words *w = state->input;
    struct tp_error e = {TP_OK, ""};

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &w->checkout;
        if (w->by_card)
            state->child_inputs[1] = &w->pay;
        return 0;
    case PURSE_AT_KEY:
        w->at = arg;
        return 0;
    case PURSE_CUR_KEY:
        w->currency = arg;
        return 0;
    case PURSE_KEY:
        w->purse = arg;
        return 0;
    case PURSE_IBAN_KEY:
        w->iban = arg;
        return 0;
    case PURSE_NAME_KEY:
        w->name = arg;
        return 0;
    case PURSE_YES_KEY:
        w->yes = true;
        return 0;
    case PURSE_HOURS_KEY:
        if (cli_number(&w->hours, "--hours", arg, HOURS_MAX, &e) != TP_OK || w->hours == 0)
            argp_error(state, _("--hours takes a number from 1 to %d"), HOURS_MAX);
        return 0;
    case PURSE_WINDOW_KEY:
        w->window = arg != NULL ? arg : DIALOG_PROGRAM;
        return 0;
    case 'j':
        w->json = true;
        return 0;
    case ARGP_KEY_ARG:
        return take_argument(w, arg, state);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

enum tp_err purse_run_begin(struct purse_run *run, const struct argp *argp, bool takes_amount,
                            int argc, char **argv, struct tp_error *e)
{
    *run = (struct purse_run){.words = {.checkout = ORDER_WORDS_NONE,
                                        .pay = CARD_WORDS_NONE,
                                        .takes_amount = takes_amount,
                                        .by_card = argp->children == purse_words_card_children}};
    cli_parse(argp, argc, argv, &run->words);
    return checkout_begin(&run->checkout, &run->fetch, &run->words.checkout, false, e);
}

int purse_run_end(struct purse_run *run, enum tp_err r, struct tp_error *e)
{
    checkout_close(&run->checkout);
    fetch_free(&run->fetch);
    return cli_end(r, e);
}

enum tp_err purse_run_account(struct purse_account *out, struct purse_run *run, struct tp_error *e)
{
    return purses_find(out, run->checkout.journal, run->words.purse, e);
}

enum tp_err purse_run_amount(int64_t *out, const struct purse_run *run,
                             const struct purse_account *a, struct tp_error *e)
{
    struct plan_limit amount = {0};
    const enum tp_err r = plan_limit_parse(&amount, "the amount", run->words.amount, e);

    if (r == TP_OK && amount.currency->numeric != a->currency)
        return tp_fail(e, TP_ERR_USAGE, "your account at the purse %s is in %s", a->acquirer,
                       currency_shown((unsigned)a->currency));
    *out = amount.amount;
    return r;
}
