/* The question to the card's issuer: asked through the acquirer while the card waits, and
 * afterwards concluded or reversed. */
#include <string.h>

#include "apdu/tlv.h"
#include "base/date.h"
#include "base/log.h"
#include "base/secret.h"
#include "payer/pay_priv.h"

/* An answer that decides nothing leaves the question where it was. */
static enum pay_stage stage_of(const struct wire_answer *a)
{
    if (wire_answer_is_yes(a))
        return PAY_APPROVED;
    if (strcmp(a->code, "91") == 0)
        return PAY_UNREACHED;
    return answer_is_final(a) ? PAY_REFUSED : PAY_ASKED;
}

/* What the issuer says to the card, as the kernel takes it. Scripts that are longer than a terminal
 * must take (EMV 4.4 Book 3, 10.10: 128 bytes) and than this one does are left out: the card then
 * shows the issuer that they did not come. */
static void read_answer(struct kernel_issuer_answer *out, const struct wire_answer *a)
{
    struct span rest = span_of(a->data, a->data_n);
    struct tlv t;

    out->reached = answer_is_final(a);
    memcpy(out->arc, a->code, 2);
    memcpy(out->approval, a->approval, sizeof(out->approval));
    while (tlv_next(&rest, &t) == TP_OK) {
        if (t.tag == TAG_ISSUER_AUTH_DATA && t.value.n >= 8 &&
            t.value.n <= sizeof(out->authentication.p)) {
            memcpy(out->authentication.p, t.value.p, t.value.n);
            out->authentication.n = t.value.n;
        } else if ((t.tag == TAG_SCRIPT_71 || t.tag == TAG_SCRIPT_72) &&
                   t.raw.n <= sizeof(out->scripts.p) - out->scripts.n) {
            memcpy(out->scripts.p + out->scripts.n, t.raw.p, t.raw.n);
            out->scripts.n += t.raw.n;
        } else if (t.tag != TAG_ARC) {
            log_note("the issuer's answer holds %02X of %zu bytes: left out", t.tag, t.value.n);
        }
    }
}

/* The question is in the journal, with what takes it back, before it leaves. */
static enum tp_err keep_question(struct payment *p, const struct transaction *tx,
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
static enum tp_err ask_acquirer(struct payment *p, struct buf *message, struct tp_error *e)
{
    enum tp_err r = deliver_once(p->deliverer, buf_span(message), &p->online, e);

    if (r != TP_ERR_PEER)
        return r;
    message_make_repeat(message);
    return deliver_once(p->deliverer, buf_span(message), &p->online, e);
}

/* A cryptogram that asks for the issuer: the acquirer is asked, and asks the issuer. */
enum tp_err pay_authorise(void *ctx, const struct transaction *tx, struct kernel_issuer_answer *out)
{
    struct payment *p = ctx;
    uint8_t room[MESSAGE_MAX];
    struct buf message = BUF_OF(room);
    const int64_t start = time_monotonic_ms();
    struct tp_error why = {0};
    enum tp_err r = deliverer_connect(p->deliverer, &why);

    if (r == TP_OK)
        r = message_build(&message, p->terminal, &p->request, p->stan, time(NULL), pay_get, tx,
                          &why);
    if (r == TP_OK)
        r = keep_question(p, tx, buf_span(&message), &why);
    if (r == TP_OK) {
        pay_go_on(p, PAY_ASKED);
        r = pay_deliver_first(p, p->asked, &why);
        if (r == TP_OK)
            r = ask_acquirer(p, &message, &why);
    }
    secret_wipe(room, sizeof(room));
    p->result->acquirer_ms += time_monotonic_ms() - start;
    if (r != TP_OK) {
        p->online = (struct wire_answer){.code = ""};
        log_note("the card asks for its issuer, who is not reached: %s", why.text);
        return TP_OK;
    }
    pay_go_on(p, stage_of(&p->online));
    read_answer(out, &p->online);
    return TP_OK;
}

/* What became of the question to the issuer, now that the card has had its last word or has left:
 * the journal knows. What it cannot be told stays there as asked, and the next run reverses it. */
static enum tp_err conclude(struct payment *p, enum pay_stage next, struct tp_error *e)
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

/* Without an answer nobody knows what the acquirer did: that is reversed, as is a yes of which
 * the card made no TC (Book 4, 6.3.8; ISO 8583 0400). */
enum tp_err pay_settle_question(struct payment *p, struct tp_error *e)
{
    const bool yes = p->stage == PAY_APPROVED;
    enum tp_err r;

    if (yes && pay_card_approved(p))
        return conclude(p, PAY_SETTLED, e);
    if (p->stage == PAY_UNREACHED)
        return conclude(p, PAY_ALONE, e);
    if (p->stage == PAY_REFUSED)
        return conclude(p, PAY_DENIED, e);
    r = journal_reverse(p->journal, p->asked, p->online.rrn,
                        yes ? "approved, but the card then gave no TC"
                            : "the question to the issuer was not answered",
                        e);
    if (r == TP_OK)
        pay_go_on(p, PAY_TO_REVERSE);
    return r;
}

/* At once, if it can be. */
enum tp_err pay_reverse(struct payment *p, struct tp_error *e)
{
    struct buf reversal = {p->reversal, p->reversal_n, sizeof(p->reversal)};
    struct tp_error why = {0};
    struct wire_answer a;
    const enum tp_err r = deliver_try(p->deliverer, p->journal, p->asked, &reversal, &a, &why);

    (void)e;
    p->after = p->asked;
    if (r != TP_OK)
        log_note("the reversal of %06u is kept, and not delivered yet: %s", p->stan, why.text);
    pay_go_on(p, r == TP_OK ? PAY_REVERSED : PAY_REVERSAL_KEPT);
    return TP_OK;
}
