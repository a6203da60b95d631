/* A payment's way to the acquirer over the terminal's own link: what lies from before, the question
 * to the issuer, and what the card signed. */
#include <openssl/rand.h>

#include "base/date.h"
#include "base/log.h"
#include "base/text.h"
#include "crypto/payee.h"
#include "payer/pay_priv.h"

static enum tp_err link_prepare(struct payment *p, struct tp_error *e)
{
    const struct pay_options *o = p->options;
    enum tp_err r = terminal_load(&p->terminal, o->config, e);

    if (r == TP_OK)
        r = terminal_names_payee(p->terminal, e);
    if (r == TP_OK && o->refund)
        return pay_prepare_refund(p, e);
    if (r == TP_OK)
        r = pay_amount(&p->request.amount, p->terminal->currency, o->amount, o->currency, e);
    return r == TP_OK ? pay_prepare_card(p, e) : r;
}

/* Who typed the amount has agreed. */
static enum tp_err link_agree(struct payment *p, struct tp_error *e)
{
    (void)p;
    (void)e;
    return TP_OK;
}

/* What the card signs of whom it pays: fixed before its first cryptogram, as are number, day and
 * time. */
static enum tp_err name_payee(struct payment *p, struct tp_error *e)
{
    const struct terminal_config *k = &p->terminal->kernel;
    const struct payee payee = {.acquirer = p->terminal->acquirer,
                                .contract = k->merchant_id,
                                .terminal = k->terminal_id,
                                .counter = p->request.counter,
                                .date = p->request.date,
                                .time = p->request.time};
    const enum tp_err r = payee_at_counter(p->request.payee, &payee);

    return r == TP_OK ? r : tp_fail(e, r, "the payee cannot be named: %s", tp_err_text(r));
}

static enum tp_err link_identify(struct payment *p, struct tp_error *e)
{
    struct transaction_request *rq = &p->request;
    struct tm now;
    time_t t;
    enum tp_err r;

    date_now(&now, &t);
    rq->date = date_of(t);
    rq->time = now.tm_hour * 10000 + now.tm_min * 100 + now.tm_sec;
    rq->zone = (int)(now.tm_gmtoff / 60);
    if (RAND_bytes(rq->un, sizeof(rq->un)) != 1)
        return tp_fail(e, TP_ERR_INTERNAL, "the system gives no random numbers");
    r = journal_next_stan(p->journal, rq->date, &p->stan, e);
    rq->counter = p->stan;
    return r == TP_OK ? name_payee(p, e) : r;
}

static void tell_delivered(void *ctx, const struct receipt *r)
{
    (void)ctx;
    log_note("payment %06u of before: %s%s%s", r->stan, payment_state_name(r->state),
             r->reason[0] != '\0' ? ", " : _(", reference "),
             r->reason[0] != '\0' ? r->reason : r->rrn);
}

/* A payment before this one may have been cut off between its question and the card's last word. */
static enum tp_err recover(struct payment *p, struct tp_error *e)
{
    size_t n = 0;
    const enum tp_err r = journal_recover(p->journal, &n, e);

    if (n > 0)
        log_note(
            ngettext("%zu payment of before was cut off while its issuer was asked: to be reversed",
                     "%zu payments of before were cut off while their issuers were asked: to be "
                     "reversed",
                     n),
            n);
    return r;
}

/* Before a card is asked for anything: the way to the acquirer, over which what an earlier payment
 * left is delivered first. An acquirer who is not the right one, or who takes nothing from this
 * terminal, ends it here; one who cannot be reached does not, because a card can sign without (Book
 * 4, 6.3: terminal type 35 is online with offline). */
static enum tp_err link_reach(struct payment *p, struct tp_error *e)
{
    struct tp_error why = {0};
    enum tp_err r = deliverer_new(&p->deliverer, p->terminal, person_stays, p->person, e);

    if (r != TP_OK)
        return r;
    r = recover(p, e);
    if (r != TP_OK)
        return r;
    r = deliverer_greet(p->deliverer, &why);
    if (r != TP_OK && p->options->refund)
        return tp_fail(e, r, "%s; money is given back online only: nothing was given back",
                       why.text);
    if (r == TP_OK)
        r = deliver_pending(p->deliverer, p->journal, tell_delivered, NULL, &why);
    if (r == TP_ERR_SECURITY || r == TP_ERR_CANCELLED) {
        *e = why;
        return r;
    }
    if (r != TP_OK)
        log_note("%s; what the card signs will be delivered later", why.text);
    pay_go_on(p, PAY_WAIT_CARD);
    return TP_OK;
}

/* Among what is delivered of before, this very payment may be. */
static void take_delivered(void *ctx, const struct receipt *r)
{
    struct payment *p = ctx;

    if (p->stage != PAY_KEPT || r->stan != p->stan || r->date != p->request.date) {
        tell_delivered(NULL, r);
        return;
    }
    p->result->receipt = *r;
    pay_go_on(p, PAY_SETTLED);
}

/* What must be delivered before the payment id, is: the reversal of a question above all, without
 * which the card's TC of the same counter is refused for good. */
static enum tp_err deliver_first(struct payment *p, int64_t id, struct tp_error *e)
{
    bool waits = false;
    enum tp_err r = journal_waits(p->journal, id, &waits, e);

    if (r != TP_OK || !waits)
        return r;
    r = deliver_pending(p->deliverer, p->journal, take_delivered, p, e);
    if (r == TP_OK)
        r = journal_waits(p->journal, id, &waits, e);
    return r == TP_OK && waits
               ? tp_fail(e, TP_ERR_PEER,
                         "an earlier payment with this card must be delivered first")
               : r;
}

static enum tp_err link_connect(struct payment *p, struct tp_error *e)
{
    return deliverer_connect(p->deliverer, e);
}

/* The question is in the journal, with what takes it back, before it leaves. */
static enum tp_err link_keep_question(struct payment *p, const struct transaction *tx,
                                      struct span message, struct tp_error *e)
{
    struct buf reversal = BUF_OF(p->reversal);
    unsigned stan = 0;
    enum tp_err r = journal_next_stan(p->journal, p->request.date, &stan, e);

    if (r == TP_OK)
        r = message_reversal(&reversal, message, stan, time(NULL), e);
    p->reversal_n = reversal.n;
    if (r != TP_OK)
        return r;
    pay_fill_receipt(p, tx);
    p->result->has_receipt = false; /* not yet one to show */
    return journal_ask(p->journal, &p->result->receipt, buf_span(&reversal), &p->asked, e);
}

/* Once; and once more on a new connection when the first broke, since the acquirer answers a repeat
 * as the first. Time that ran out is not spent again. */
static enum tp_err link_ask(struct payment *p, struct buf *message, struct tp_error *e)
{
    enum tp_err r = deliver_first(p, p->asked, e);

    if (r != TP_OK)
        return r;
    r = deliver_once(p->deliverer, buf_span(message), &p->online, e);
    if (r != TP_ERR_PEER)
        return r;
    message_make_repeat(message);
    return deliver_once(p->deliverer, buf_span(message), &p->online, e);
}

/* What became of the question to the issuer, now that the card has had its last word or has left:
 * the journal knows. What it cannot be told stays there as asked, and the next run reverses it. */
static enum tp_err link_conclude(struct payment *p, enum pay_stage next, struct tp_error *e)
{
    struct receipt concluded = p->result->receipt;
    enum tp_err r;

    receipt_settle(&concluded, &p->online);
    r = journal_conclude(p->journal, p->asked, &concluded, e);
    if (r != TP_OK)
        return r;
    if (next == PAY_SETTLED)
        p->result->receipt = concluded;
    pay_go_on(p, next);
    return TP_OK;
}

static enum tp_err link_give_back(struct payment *p, struct tp_error *e)
{
    return journal_reverse(p->journal, p->asked, p->online.rrn,
                           p->stage == PAY_APPROVED ? "approved, but the card then gave no TC"
                                                    : "the question to the issuer was not answered",
                           e);
}

static bool link_reverse(struct payment *p, struct tp_error *e)
{
    struct buf reversal = {p->reversal, p->reversal_n, sizeof(p->reversal)};
    struct wire_answer a;

    p->after = p->asked;
    return deliver_try(p->deliverer, p->journal, p->asked, &reversal, &a, e) == TP_OK;
}

/* Keeps what the card signed. The cryptogram that asked had its number, answered or not: the one
 * that pays takes its own. */
static enum tp_err link_keep_signed(struct payment *p, struct tp_error *e)
{
    struct receipt *receipt = &p->result->receipt;
    struct buf message = BUF_OF(p->message);
    enum tp_err r =
        p->asked != 0 ? journal_next_stan(p->journal, p->request.date, &p->stan, e) : TP_OK;

    receipt->stan = p->stan;
    receipt->state = PAYMENT_SIGNED;
    if (r == TP_OK)
        r = message_build(&message, p->terminal, &p->request, p->undoes, p->stan, time(NULL),
                          pay_get, p->result->tx, e);
    p->message_n = message.n;
    if (r == TP_OK)
        pay_say_signed(p, p->result->tx);
    if (r == TP_OK)
        r = journal_add(p->journal, receipt, buf_span(&message), p->after, &p->kept, e);
    if (r == TP_OK)
        pay_go_on(p, PAY_KEPT);
    return r;
}

/* Brings it to the acquirer. What goes first may take it along: a fault of others is then none of
 * this payment. */
static enum tp_err link_deliver(struct payment *p, struct tp_error *e)
{
    struct buf message = {p->message, p->message_n, sizeof(p->message)};
    const int64_t start = time_monotonic_ms();
    struct tp_error why = {TP_OK, ""};
    struct wire_answer a;
    enum tp_err r = deliver_first(p, p->kept, &why);

    if (r == TP_OK && p->stage == PAY_KEPT) {
        person_event(p->person, "sending", json_pack("{s:b}", "question", 0));
        r = deliver(p->deliverer, p->journal, p->kept, &message, false, &a, &why);
        if (r == TP_OK) {
            pay_say_answered(p, &a);
            receipt_settle(&p->result->receipt, &a);
            pay_go_on(p, PAY_SETTLED);
        }
    }
    p->result->acquirer_ms += time_monotonic_ms() - start;
    if (r != TP_OK && p->stage == PAY_SETTLED) { /* told, but not as this payment's */
        log_note("of an earlier payment: %s", why.text);
        return TP_OK;
    }
    return r == TP_OK ? TP_OK : tp_fail(e, r, "%s", why.text);
}

const struct pay_way pay_by_link = {
    .prepare = link_prepare,
    .agree = link_agree,
    .reach = link_reach,
    .identify = link_identify,
    .connect = link_connect,
    .keep_question = link_keep_question,
    .ask = link_ask,
    .conclude = link_conclude,
    .give_back = link_give_back,
    .reverse = link_reverse,
    .keep_signed = link_keep_signed,
    .deliver = link_deliver,
    .takes_offline = true,
    .kept =
        N_("THE CARD HAS SIGNED: do not pay again. The acquirer has not acknowledged yet; the "
           "payment is kept, and the next `telepay pay`, or `telepay journal send`, delivers it"),
    .reversal_kept = N_(
        "nothing is paid. What was asked is to be reversed, and the acquirer does not know yet: "
        "the reversal is kept, and the next `telepay pay`, or `telepay journal send`, delivers it"),
};
