/* What an issuer is asked, and which answer belongs to it. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acquirer/gateway_priv.h"
#include "apdu/emvtags.h"
#include "apdu/tlv.h"
#include "base/date.h"
#include "base/log.h"
#include "base/secret.h"
#include "wire/profile.h"

#define DE55_MAX 255 /* of a 0100 */

/* ---- fates ---- */

static void tell_unanswered(struct desk *d, const char *rrn, enum ledger_verdict why)
{
    struct wire_answer a;

    answer_verdict(&a, why, NULL);
    log_note("issuer %s: %s: %s", d->issuer.name, rrn, a.reason);
    d->gateway->events.answered(d->gateway->events.ctx, rrn, ISSUER_UNANSWERED, &a);
}

void ask_give_up(struct desk *d, struct slot *s, enum ledger_verdict why)
{
    char rrn[RRN_MAX];

    memcpy(rrn, s->rrn, sizeof(rrn));
    slot_clear(d, s);
    tell_unanswered(d, rrn, why);
}

/* ---- questions ---- */

/* What an issuer is asked with: the terminal's DE 55 without what only the acquirer needs (9F4B,
 * DF..), so that it fits the 255 bytes that networks carry. */
static enum tp_err put_chip_data(struct buf *out, struct span de55)
{
    static const uint32_t needed[] = {TAG_AC,
                                      TAG_CID,
                                      TAG_IAD,
                                      TAG_UN,
                                      TAG_ATC,
                                      TAG_TVR,
                                      TAG_TX_DATE,
                                      TAG_TX_TYPE,
                                      TAG_AMOUNT,
                                      TAG_AMOUNT_OTHER,
                                      TAG_TX_CURRENCY,
                                      TAG_AIP,
                                      TAG_CVM_RESULTS,
                                      TAG_TERMINAL_COUNTRY,
                                      TAG_TERMINAL_CAPABILITIES,
                                      TAG_TERMINAL_TYPE,
                                      TAG_IFD_SERIAL,
                                      TAG_DF_NAME,
                                      TAG_TERMINAL_VERSION,
                                      TAG_TX_COUNTER,
                                      TAG_PAN_SEQUENCE,
                                      TAG_SCRIPT_RESULTS};
    struct tlv t;
    enum tp_err r = TP_OK;

    while (r == TP_OK && tlv_next(&de55, &t) == TP_OK)
        for (size_t i = 0; r == TP_OK && i < sizeof(needed) / sizeof(needed[0]); i++)
            if (needed[i] == t.tag)
                r = tlv_put(out, t.tag, t.value);
    return r;
}

enum tp_err gateway_question(struct buf *out, const struct iso8583 *payment, uint16_t mcc,
                             struct tp_error *e)
{
    struct iso8583 *m = malloc(sizeof(*m));
    uint8_t room[DE55_MAX];
    struct buf de55 = BUF_OF(room);
    enum tp_err r;

    if (m == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a question to the issuer");
    iso8583_start(m, MTI_AUTHORISATION);
    profile_forward(PROFILE_ISSUER, m, payment);
    if (!iso8583_has(m, 18))
        iso8583_set_number(m, 18, mcc);
    r = put_chip_data(&de55, payment->field[55]);
    iso8583_set(m, 55, buf_span(&de55));
    r = r == TP_OK ? iso8583_pack(out, m, e)
                   : tp_fail(e, r, "the chip data (DE 55) do not fit the question to the issuer");
    secret_wipe(m, sizeof(*m));
    free(m);
    return r;
}

/* The question with what this line adds. */
static enum tp_err complete(struct desk *d, struct buf *out, const struct posted *p)
{
    struct iso8583 *m = &d->message;
    struct tp_error e = {TP_OK, ""};
    enum tp_err r = iso8583_unpack(m, span_of(p->question, p->n), &e);

    iso8583_set_instant(m, p->asked);
    iso8583_set_number(m, 11, question_stan(p->rrn));
    iso8583_set_text(m, 32, d->issuer.acquirer);
    iso8583_set_text(m, 37, p->rrn);
    if (r == TP_OK)
        r = iso8583_pack(out, m, &e);
    if (r != TP_OK)
        log_error("issuer %s: a question cannot be packed: %s", d->issuer.name, e.text);
    secret_wipe(m, sizeof(*m));
    return r;
}

/* It waits for its answer from now on, whether it could leave or not: what a broken line kept back
 * goes out on the next one. */
static void ask(struct desk *d, const struct posted *p)
{
    uint8_t room[QUESTION_MAX];
    struct buf out = BUF_OF(room);
    struct slot *s = slot_free(d);
    uint8_t *raw = NULL;

    if (s == NULL || slot_by_stan(d, SLOT_ASK, question_stan(p->rrn)) != NULL ||
        complete(d, &out, p) != TP_OK || (raw = malloc(out.n)) == NULL) {
        atomic_fetch_sub(&d->asks, 1);
        tell_unanswered(d, p->rrn, LEDGER_ISSUER_BUSY);
    } else {
        memcpy(raw, room, out.n);
        *s = (struct slot){.kind = SLOT_ASK,
                           .stan = question_stan(p->rrn),
                           .until = time_monotonic_ms() + d->gateway->timeout_ms,
                           .raw = raw,
                           .n = out.n};
        memcpy(s->rrn, p->rrn, sizeof(s->rrn));
        link_line_send(d->line, span_of(raw, s->n));
    }
    secret_wipe(room, out.n);
}

void posted_free(struct posted *p)
{
    secret_wipe(p->question, p->n);
    free(p);
}

void ask_posted(struct desk *d)
{
    struct posted_queue taken = STAILQ_HEAD_INITIALIZER(taken);
    struct posted *p;

    pthread_mutex_lock(&d->lock);
    STAILQ_CONCAT(&taken, &d->posted);
    pthread_mutex_unlock(&d->lock);
    while ((p = STAILQ_FIRST(&taken)) != NULL) {
        STAILQ_REMOVE_HEAD(&taken, next);
        ask(d, p);
        posted_free(p);
    }
}

/* ---- answers ---- */

/* An answer repeats what it answers: one that does not is none of it. */
static bool answers(struct desk *d, const struct slot *s)
{
    const bool same = iso8583_unpack(&d->message, span_of(s->raw, s->n), NULL) == TP_OK &&
                      profile_differs(PROFILE_ISSUER, &d->answer, &d->message) == 0;

    secret_wipe(&d->message, sizeof(d->message));
    return same;
}

static enum issuer_fate nonsense(struct wire_answer *a)
{
    answer_verdict(a, LEDGER_ISSUER_NONSENSE, NULL);
    return ISSUER_UNANSWERED;
}

/* What the terminal and the card would take for an approval (EMV 4.4 Book 4, 6.3.8 leaves the codes
 * to the scheme) is none here but 00: 08 wants the person identified, 10 approves another amount,
 * 11 is a courtesy. And what says that the issuer could not judge is no refusal. */
static enum issuer_fate judge(struct wire_answer *a, const struct iso8583 *m)
{
    static const struct {
        const char *code;
        enum ledger_verdict verdict;
    } unusable[] = {{"08", LEDGER_ISSUER_08},
                    {"10", LEDGER_ISSUER_10},
                    {"11", LEDGER_ISSUER_11},
                    {"91", LEDGER_ISSUER_91},
                    {"96", LEDGER_ISSUER_96}};
    bool yes;

    if (wire_answer_read(a, m, NULL) != TP_OK ||
        strspn(a->code, "0123456789ABCDEFGHIJKLMNOPQRSTUVWX") != 2)
        return nonsense(a);
    for (size_t i = 0; i < sizeof(unusable) / sizeof(unusable[0]); i++) {
        if (strcmp(a->code, unusable[i].code) == 0) {
            answer_verdict(a, unusable[i].verdict, NULL);
            return ISSUER_UNANSWERED;
        }
    }
    yes = wire_answer_is_yes(a);
    if (yes && a->approval[0] == '\0')
        return nonsense(a);
    a->rrn[0] = '\0'; /* it is the payment's when that is kept */
    if (!yes)
        a->approval[0] = '\0';
    snprintf(a->reason, sizeof(a->reason), "%s", yes ? "" : "ISSUER");
    return yes ? ISSUER_APPROVED : ISSUER_REFUSED;
}

void ask_answered(struct desk *d, uint32_t stan)
{
    struct slot *s = slot_by_stan(d, SLOT_ASK, stan);
    struct wire_answer a;
    char rrn[RRN_MAX];
    enum issuer_fate fate;

    if (s == NULL || !answers(d, s)) {
        log_note("issuer %s: an answer (0110, DE 11 %06" PRIu32
                 ") that is late, or of nothing that was asked: not used",
                 d->issuer.name, stan);
        return;
    }
    fate = judge(&a, &d->answer);
    memcpy(rrn, s->rrn, sizeof(rrn));
    slot_clear(d, s);
    d->gateway->events.answered(d->gateway->events.ctx, rrn, fate, &a);
}
