/* A payment's card: waited for, asked to sign, and its last word. */
#include <string.h>

#include "apdu/emvbits.h"
#include "base/date.h"
#include "base/log.h"
#include "base/text.h"
#include "payer/card_reach.h"
#include "payer/pay_priv.h"

struct span pay_get(const void *tx, uint32_t tag)
{
    return transaction_get(tx, tag);
}

enum tp_err pay_prepare_card(struct payment *p, struct tp_error *e)
{
    enum tp_err r =
        card_narrow(&p->request, p->aid, p->terminal, p->options->person.application, e);

    if (r == TP_OK)
        r = journal_open(&p->journal, p->terminal->journal, e);
    if (r == TP_OK)
        r = memory_new(&p->memory, p->journal, p->terminal->exceptions, e);
    p->terminal->kernel.allow_live_card = p->options->allow_live_card;
    p->currency = p->terminal->currency;
    p->merchant = p->terminal->kernel.merchant_name;
    return r;
}

/* A reader with a keypad takes the PIN itself, unless it was said to ask here. It can send it in
 * plaintext only, so enciphered PIN is none of this terminal's capabilities then. */
static void choose_pinpad(struct payment *p)
{
    if (p->options->no_pinpad || p->options->person.pin_fd >= 0 ||
        !reader_features(p->reader).pin_verify)
        return;
    p->by_keypad = true;
    person_use_keypad(p->person);
    p->terminal->kernel.capabilities[1] &= (uint8_t) ~(CAP2_ENCIPHERED_PIN | CAP2_ODE);
}

enum tp_err pay_reach_card(struct payment *p, struct tp_error *e)
{
    const struct card_place place = {p->options->reader, p->options->wait_ms, p->person, p->what,
                                     "nothing was paid"};
    enum tp_err r = card_reach(&p->reader, &place, e);

    if (r != TP_OK)
        return r;
    choose_pinpad(p);
    if (p->options->trace != NULL)
        r = trace_open(&p->trace, p->options->trace, p->options->trace_unmasked, e);
    else if (p->options->keep_trace)
        r = trace_open_memory(&p->trace, &p->result->trace, &p->result->trace_n, e);
    if (p->trace != NULL)
        reader_set_trace(p->reader, trace_exchange, p->trace);
    trace_reader(p->trace, p->reader);
    if (r == TP_OK)
        pay_go_on(p, PAY_CARD);
    return r;
}

static enum tp_err fill_request(struct payment *p, struct tp_error *e)
{
    p->request.currency = p->terminal->currency->numeric;
    p->request.currency_exponent = p->terminal->currency->exponent;
    return p->way->identify(p, e);
}

/* *e says why there is no transaction. */
static enum tp_err run_kernel(struct payment *p, struct tp_error *e)
{
    const struct kernel_person asked = person_kernel(p->person),
                               person = trace_person(p->trace, &asked);
    const struct kernel_online way = {.ctx = p, .authorise = pay_authorise},
                               online = trace_online(p->trace, &way);
    const struct kernel_memory memory = memory_kernel(p->memory, p->request.date);
    const int64_t start = time_monotonic_ms();
    enum tp_err r;

    person_watches(p->person, &p->result->tx);
    trace_payment(p->trace, &p->terminal->kernel, &p->request);
    p->terminal->kernel.memory = trace_memory(p->trace, &memory);
    r = kernel_run(&p->result->tx, p->reader, &p->terminal->kernel, &p->request, &person, &online,
                   e);
    p->terminal->kernel.memory = NULL;
    person_status_end(p->person);
    p->result->card_ms = time_monotonic_ms() - start - p->result->acquirer_ms;
    p->result->counts = reader_counts(p->reader);
    reader_disconnect(p->reader);
    if (r == TP_ERR_CANCELLED)
        (void)tp_fail(e, r, "given up before the card was asked to sign: nothing was paid");
    if (person_ended(p->person, NULL) != TP_OK)
        r = person_ended(p->person, e);
    trace_outcome(p->trace, &p->terminal->kernel, p->result->tx, r != TP_OK ? e : NULL);
    return r;
}

void pay_fill_receipt(struct payment *p, const struct transaction *tx)
{
    struct receipt *r = &p->result->receipt;
    const struct candidate *c = transaction_application(tx);
    const struct kernel_authentication *a = transaction_authentication(tx);

    receipt_fill(r, p->terminal, &p->request, pay_get, tx);
    r->stan = p->stan;
    memcpy(r->undoes, p->undoes, sizeof(r->undoes));
    if (c != NULL)
        memcpy(r->label, c->label, sizeof(r->label));
    if (a != NULL && a->ok)
        snprintf(r->method, sizeof(r->method), "%s", kernel_method_name(a->method));
    p->result->has_receipt = true;
}

/* What a person can do about a PIN that may be why it did not go well: one that was wrong too
 * often; a card that takes it enciphered only, which no keypad does. */
static void hint_pin(const struct payment *p)
{
    const struct kernel_cvm *rule;

    if (transaction_pin_tries(p->result->tx) == 0)
        log_note("the PIN was wrong too often, and the card takes none any more: its issuer can "
                 "unblock it");
    for (size_t i = 0; p->by_keypad && (rule = transaction_cvm_at(p->result->tx, i)) != NULL; i++)
        if ((rule->code & CVM_CODE) == CVM_ENCIPHERED_PIN && /* not of this terminal, or only asked
                                                                for "if the terminal supports it" */
            (rule->result == KERNEL_CVM_UNSUPPORTED || rule->result == KERNEL_CVM_CONDITION)) {
            log_note("this card can take its PIN enciphered, which the reader's keypad cannot do: "
                     "--no-pinpad asks for it here");
            return;
        }
}

/* The card's part, with whoever it asks. */
enum tp_err pay_run_card(struct payment *p, struct tp_error *e)
{
    enum tp_err r = fill_request(p, e);

    if (r != TP_OK)
        return r;
    r = run_kernel(p, &p->card);
    p->card.code = r;
    if (r == TP_OK)
        pay_fill_receipt(p, p->result->tx);
    if (p->stage == PAY_CARD)
        pay_go_on(p, PAY_ALONE);
    return TP_OK;
}

bool pay_card_approved(const struct payment *p)
{
    return p->card.code == TP_OK && transaction_outcome(p->result->tx) == KERNEL_APPROVED;
}

/* The acquirer, the card or the terminal said no: who said it first gives the reason. A failed
 * signature is a matter of security. */
static void declined(struct payment *p)
{
    const struct kernel_authentication *a = transaction_authentication(p->result->tx);
    struct receipt *r = &p->result->receipt;

    r->state = PAYMENT_DECLINED;
    snprintf(r->reason, sizeof(r->reason), "%s", transaction_reason(p->result->tx));
    p->result->exit = a != NULL && a->failed_at != NULL ? CLI_SECURITY : CLI_DECLINED;
    if (p->stage == PAY_DENIED) {
        receipt_settle(r, &p->online);
        p->result->exit = pay_exit_of_refusal(r);
    }
    if (p->stage == PAY_REVERSED)
        snprintf(r->reason + strlen(r->reason), sizeof(r->reason) - strlen(r->reason),
                 "; what was asked is reversed");
    if (p->stage == PAY_REVERSAL_KEPT)
        (void)tp_fail(&p->result->error, TP_ERR_STATE, "%s", gettext(p->way->reversal_kept));
    hint_pin(p);
}

/* At a counter what was declined is in the journal, too: with a question it is there already. */
static void keep_declined(struct payment *p)
{
    struct tp_error e = {TP_OK, ""};
    int64_t id = 0;

    if (p->way == &pay_by_link && p->asked == 0 &&
        journal_add(p->journal, &p->result->receipt, (struct span){NULL, 0}, 0, &id, &e) != TP_OK)
        log_error("that it was declined is not in the journal: %s", e.text);
}

/* The card signs alone after nobody answered it, which does not pay here. */
static void unheard(struct payment *p)
{
    struct receipt *r = &p->result->receipt;

    r->state = PAYMENT_DECLINED;
    snprintf(r->reason, sizeof(r->reason),
             "nobody answered the card, and what it then signs alone does not pay an order");
    p->result->exit = CLI_PEER;
    (void)tp_fail(&p->result->error, TP_ERR_PEER, "%s",
                  p->stage == PAY_REVERSAL_KEPT ? gettext(p->way->reversal_kept) : r->reason);
}

/* The card has had its last word, or has left. */
enum tp_err pay_last_word(struct payment *p, struct tp_error *e)
{
    const bool approved = pay_card_approved(p),
               pays = approved && (p->asked == 0 || p->way->takes_offline);

    (void)e;
    if (p->card.code == TP_OK && !approved) {
        declined(p);
        keep_declined(p);
    }
    if (approved && !pays)
        unheard(p);
    pay_go_on(p, pays ? PAY_SIGNED : PAY_END);
    return TP_OK;
}
