/* A payment's way to the acquirer: what lies from before, and what the card signed. */
#include "base/date.h"
#include "base/log.h"
#include "payer/pay_priv.h"

static void tell_delivered(void *ctx, const struct receipt *r)
{
    (void)ctx;
    log_note("payment %06u of before: %s%s%s", r->stan, payment_state_name(r->state),
             r->reason[0] != '\0' ? ", " : ", reference ",
             r->reason[0] != '\0' ? r->reason : r->rrn);
}

/* A payment before this one may have been cut off between its question and the card's last word. */
static enum tp_err recover(struct payment *p, struct tp_error *e)
{
    size_t n = 0;
    const enum tp_err r = journal_recover(p->journal, &n, e);

    if (n > 0)
        log_note("%zu %s cut off while its issuer was asked: to be reversed", n,
                 n == 1 ? "payment of before was" : "payments of before were");
    return r;
}

/* Before a card is asked for anything: the way to the acquirer, over which what an earlier payment
 * left is delivered first. An acquirer who is not the right one, or who takes nothing from this
 * terminal, ends it here; one who cannot be reached does not, because a card can sign without (Book
 * 4, 6.3: terminal type 35 is online with offline). */
enum tp_err pay_reach_acquirer(struct payment *p, struct tp_error *e)
{
    struct tp_error why = {0};
    enum tp_err r = deliverer_new(&p->deliverer, p->terminal, person_stays, p->person, e);

    if (r != TP_OK)
        return r;
    r = recover(p, e);
    if (r != TP_OK)
        return r;
    r = deliverer_greet(p->deliverer, &why);
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
enum tp_err pay_deliver_first(struct payment *p, int64_t id, struct tp_error *e)
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

/* Keeps what the card signed. The cryptogram that asked had its number, answered or not: the one
 * that pays takes its own. */
enum tp_err pay_keep_signed(struct payment *p, struct tp_error *e)
{
    struct receipt *receipt = &p->result->receipt;
    struct buf message = BUF_OF(p->message);
    enum tp_err r =
        p->asked != 0 ? journal_next_stan(p->journal, p->request.date, &p->stan, e) : TP_OK;

    receipt->stan = p->stan;
    receipt->state = PAYMENT_SIGNED;
    if (r == TP_OK)
        r = message_build(&message, p->terminal, &p->request, p->stan, time(NULL), pay_get,
                          p->result->tx, e);
    p->message_n = message.n;
    if (r == TP_OK)
        r = journal_add(p->journal, receipt, buf_span(&message), p->after, &p->kept, e);
    if (r == TP_OK)
        pay_go_on(p, PAY_KEPT);
    return r;
}

/* Brings it to the acquirer. What goes first may take it along: a fault of others is then none of
 * this payment. */
enum tp_err pay_deliver_kept(struct payment *p, struct tp_error *e)
{
    struct buf message = {p->message, p->message_n, sizeof(p->message)};
    const int64_t start = time_monotonic_ms();
    struct tp_error why = {TP_OK, ""};
    struct wire_answer a;
    enum tp_err r = pay_deliver_first(p, p->kept, &why);

    if (r == TP_OK && p->stage == PAY_KEPT) {
        r = deliver(p->deliverer, p->journal, p->kept, &message, false, &a, &why);
        if (r == TP_OK) {
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

enum cli_exit pay_exit_of_refusal(const struct receipt *r)
{
    return strcmp(r->answer, "63") == 0 ? CLI_SECURITY : CLI_DECLINED;
}

enum tp_err pay_settled(struct payment *p, struct tp_error *e)
{
    const struct receipt *r = &p->result->receipt;

    (void)e;
    p->result->exit = r->state == PAYMENT_ACKNOWLEDGED ? CLI_DONE : pay_exit_of_refusal(r);
    pay_go_on(p, PAY_END);
    return TP_OK;
}
