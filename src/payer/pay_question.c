/* The question to the card's issuer: asked through the acquirer while the card waits, and
 * afterwards concluded or reversed. */
#include <string.h>

#include "apdu/emvbits.h"
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

void pay_say_signed(struct payment *p, const struct transaction *tx)
{
    const struct span cid = transaction_get(tx, TAG_CID);

    person_event(p->person, "signed",
                 json_pack("{s:s}", "cryptogram",
                           cid.n == 1 && (cid.p[0] & AC_TYPE) == AC_ARQC ? "ARQC" : "TC"));
}

void pay_say_answered(struct payment *p, const struct wire_answer *a)
{
    person_event(p->person, "answered",
                 json_pack("{s:s, s:s}", "answer", a->code, "reason", a->reason));
}

/* A cryptogram that asks for the issuer: the acquirer is asked, and asks the issuer. */
enum tp_err pay_authorise(void *ctx, const struct transaction *tx, struct kernel_issuer_answer *out)
{
    struct payment *p = ctx;
    uint8_t room[MESSAGE_MAX];
    struct buf message = BUF_OF(room);
    const int64_t start = time_monotonic_ms();
    struct tp_error why = {0};
    enum tp_err r = p->way->connect(p, &why);

    if (r == TP_OK)
        r = message_build(&message, p->terminal, &p->request, p->undoes, p->stan, time(NULL),
                          pay_get, tx, &why);
    if (r == TP_OK)
        r = p->way->keep_question(p, tx, buf_span(&message), &why);
    if (r == TP_OK) {
        pay_go_on(p, PAY_ASKED);
        pay_say_signed(p, tx);
        person_event(p->person, "sending", json_pack("{s:b}", "question", 1));
        r = p->way->ask(p, &message, &why);
    }
    secret_wipe(room, sizeof(room));
    p->result->acquirer_ms += time_monotonic_ms() - start;
    if (r != TP_OK) {
        p->online = (struct wire_answer){.code = ""};
        log_note("the card asks for its issuer, who is not reached: %s", why.text);
        return TP_OK;
    }
    pay_say_answered(p, &p->online);
    pay_go_on(p, stage_of(&p->online));
    read_answer(out, &p->online);
    return TP_OK;
}

/* Without an answer nobody knows what the acquirer did: that is reversed, as is a yes of which
 * the card made no TC (Book 4, 6.3.8; ISO 8583 0400). */
enum tp_err pay_settle_question(struct payment *p, struct tp_error *e)
{
    enum tp_err r;

    if (p->stage == PAY_APPROVED && pay_card_approved(p))
        return p->way->conclude(p, PAY_SETTLED, e);
    if (p->stage == PAY_UNREACHED)
        return p->way->conclude(p, PAY_ALONE, e);
    if (p->stage == PAY_REFUSED)
        return p->way->conclude(p, PAY_DENIED, e);
    r = p->way->give_back(p, e);
    if (r == TP_OK)
        pay_go_on(p, PAY_TO_REVERSE);
    return r;
}

enum tp_err pay_reverse(struct payment *p, struct tp_error *e)
{
    struct tp_error why = {0};
    const bool reversed = p->way->reverse(p, &why);

    (void)e;
    if (!reversed)
        log_note("the reversal of %06u is kept, and not delivered yet: %s", p->stan, why.text);
    pay_go_on(p, reversed ? PAY_REVERSED : PAY_REVERSAL_KEPT);
    return TP_OK;
}
