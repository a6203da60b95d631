#include "payer/pay.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"
#include "drivers/readers.h"
#include "payer/pay_order.h"
#include "payer/pay_priv.h"

enum tp_err pay_amount(int64_t *minor, const struct currency *contract, const char *amount,
                       const char *currency, struct tp_error *e)
{
    const struct currency *c = currency == NULL ? contract : currency_by_alpha(currency);

    if (c == NULL)
        return tp_fail(e, TP_ERR_USAGE,
                       "\"%s\" is not a currency of ISO 4217: write three letters, such as EUR",
                       currency);
    if (c != contract)
        return tp_fail(e, TP_ERR_USAGE, "the contract is in %s: it cannot take %s", contract->alpha,
                       c->alpha);
    if (amount == NULL)
        return tp_fail(e, TP_ERR_USAGE, "say how much: --amount 12.50");
    return money_parse(minor, c, amount, e);
}

static enum tp_err prepare(struct payment *p, struct tp_error *e)
{
    char amount[MONEY_TEXT_MAX];
    enum tp_err r = p->way->prepare(p, e);

    if (r == TP_OK)
        r = person_new(&p->person, &p->options->person, e);
    if (r != TP_OK)
        return r;
    snprintf(p->what, sizeof(p->what), "%s %s %s %s",
             money_format(amount, p->request.amount, p->currency), p->currency->alpha,
             p->options->refund ? _("back from") : _("to"), p->merchant);
    person_pays(p->person, p->what);
    person_event(p->person, "begun",
                 json_pack("{s:s, s:s, s:s, s:s}", "kind",
                           p->options->refund ? "refund" : "purchase", "amount", amount, "currency",
                           p->currency->alpha, "merchant", p->merchant));
    r = p->way->agree(p, e);
    if (r == TP_OK)
        pay_go_on(p, p->way->sign != NULL ? PAY_SIGN : PAY_GREET);
    return r;
}

static enum tp_err sign(struct payment *p, struct tp_error *e)
{
    return p->way->sign(p, e);
}

static enum tp_err reach(struct payment *p, struct tp_error *e)
{
    return p->way->reach(p, e);
}

static enum tp_err keep_signed(struct payment *p, struct tp_error *e)
{
    return p->way->keep_signed(p, e);
}

static enum tp_err deliver_kept(struct payment *p, struct tp_error *e)
{
    return p->way->deliver(p, e);
}

enum cli_exit pay_exit_of_refusal(const struct receipt *r)
{
    return strcmp(r->answer, "63") == 0 ? CLI_SECURITY : CLI_DECLINED;
}

static enum tp_err settled(struct payment *p, struct tp_error *e)
{
    const struct receipt *r = &p->result->receipt;

    (void)e;
    p->result->exit = r->state == PAYMENT_ACKNOWLEDGED ? CLI_DONE : pay_exit_of_refusal(r);
    pay_go_on(p, PAY_END);
    return TP_OK;
}

#define TO(stage) (1U << (stage))

static const struct stage {
    enum tp_err (*act)(struct payment *p, struct tp_error *e); /* ends in going on, or in a fault */
    unsigned next;                                             /* where it may go on to */
    const char *told;        /* to the person, as long as it lasts; NULL: nothing, or by itself */
    enum payment_state left; /* what the payment is when a fault ends it here */
    const char *fault;       /* goes before the words of that; NULL: nothing is signed that pays */
} stages[] = {
    [PAY_PREPARE] = {prepare, TO(PAY_SIGN) | TO(PAY_GREET), NULL, PAYMENT_DECLINED, NULL},
    [PAY_SIGN] = {sign, TO(PAY_KEPT), NULL, PAYMENT_DECLINED, NULL},
    [PAY_GREET] = {reach, TO(PAY_WAIT_CARD), N_("connecting to the acquirer"), PAYMENT_DECLINED,
                   NULL},
    [PAY_WAIT_CARD] = {pay_reach_card, TO(PAY_CARD), NULL, PAYMENT_DECLINED, NULL},
    [PAY_CARD] = {pay_run_card, TO(PAY_ASKED) | TO(PAY_ALONE), NULL, PAYMENT_DECLINED, NULL},
    [PAY_ASKED] = {pay_settle_question,
                   TO(PAY_ASKED) | TO(PAY_UNREACHED) | TO(PAY_REFUSED) | TO(PAY_APPROVED) |
                       TO(PAY_TO_REVERSE),
                   NULL, PAYMENT_DECLINED, NULL},
    [PAY_UNREACHED] = {pay_settle_question, TO(PAY_ALONE), NULL, PAYMENT_DECLINED, NULL},
    [PAY_REFUSED] = {pay_settle_question, TO(PAY_DENIED), NULL, PAYMENT_DECLINED, NULL},
    [PAY_APPROVED] = {pay_settle_question, TO(PAY_SETTLED) | TO(PAY_KEPT) | TO(PAY_TO_REVERSE),
                      NULL, PAYMENT_DECLINED, NULL},
    [PAY_ALONE] = {pay_last_word, TO(PAY_SIGNED) | TO(PAY_END), NULL, PAYMENT_DECLINED, NULL},
    [PAY_DENIED] = {pay_last_word, TO(PAY_SIGNED) | TO(PAY_END), NULL, PAYMENT_DECLINED, NULL},
    [PAY_TO_REVERSE] = {pay_reverse, TO(PAY_REVERSED) | TO(PAY_REVERSAL_KEPT), NULL,
                        PAYMENT_DECLINED, NULL},
    [PAY_REVERSED] = {pay_last_word, TO(PAY_SIGNED) | TO(PAY_END), NULL, PAYMENT_DECLINED, NULL},
    [PAY_REVERSAL_KEPT] = {pay_last_word, TO(PAY_SIGNED) | TO(PAY_END), NULL, PAYMENT_DECLINED,
                           NULL},
    [PAY_SIGNED] = {keep_signed, TO(PAY_KEPT), NULL, PAYMENT_DECLINED,
                    N_("the card has signed, but the payment could not be kept and was not sent, "
                       "so nothing is paid")},
    [PAY_KEPT] = {deliver_kept, TO(PAY_SETTLED), N_("delivering to the acquirer"), PAYMENT_SIGNED,
                  NULL /* the way's own */},
    [PAY_SETTLED] = {settled, TO(PAY_END), NULL, PAYMENT_DECLINED, NULL},
    [PAY_END] = {NULL, 0, NULL, PAYMENT_DECLINED, NULL},
};

void pay_go_on(struct payment *p, enum pay_stage next)
{
    assert((stages[p->stage].next & TO(next)) != 0);
    p->stage = next;
}

static enum tp_err run(struct payment *p, struct tp_error *e)
{
    enum tp_err r = TP_OK;

    while (r == TP_OK && p->stage != PAY_END) {
        const struct stage *now = &stages[p->stage];

        if (now->told != NULL)
            person_status(p->person, "%s", gettext(now->told));
        r = now->act(p, e);
        if (now->told != NULL)
            person_status_end(p->person);
    }
    if (p->card.code != TP_OK) { /* the first fault, whatever came of the question */
        r = p->card.code;
        *e = p->card;
    }
    if (r != TP_OK) {
        p->result->receipt.state = stages[p->stage].left;
        if (p->stage == PAY_KEPT)
            tp_error_prefix(e, "%s", gettext(p->way->kept));
        if (stages[p->stage].fault != NULL)
            tp_error_prefix(e, "%s", gettext(stages[p->stage].fault));
    }
    return r;
}

void pay_run(struct pay_result *result, const struct pay_options *options)
{
    struct payment p = {.options = options,
                        .way = options->order != NULL ? options->order->way : &pay_by_link,
                        .result = result,
                        .stage = PAY_PREPARE};
    struct tp_error trace_error = {0};
    enum tp_err r;

    memset(result, 0, sizeof(*result));
    r = run(&p, &result->error);
    if (r != TP_OK) {
        result->error.code = r;
        result->exit = (enum cli_exit)cli_exit_of(r);
    }
    reader_close(&p.reader);
    if (trace_close(&p.trace, &trace_error) != TP_OK)
        log_error("%s", trace_error.text);
    result->person = p.person;
    deliverer_free(&p.deliverer);
    memory_free(&p.memory);
    journal_close(&p.journal);
    secret_wipe(p.reversal, sizeof(p.reversal));
    secret_wipe(p.message, sizeof(p.message));
    result->terminal = p.terminal;
}

void pay_result_free(struct pay_result *result)
{
    person_free(&result->person);
    transaction_free(&result->tx);
    terminal_free(&result->terminal);
    free(result->trace);
}
