/* Cardholder verification, judged from what was signed: the method that the terminal says it
 * carried out (9F34) against the card's list (8E), the registered terminal's capabilities (9F33),
 * the TVR and, where its form is known, the card's own word (CVR). EMV 4.4 Book 3, 10.5 and Annex
 * C3, C5; Book 4, Annexes A2 and A4. */
#include "acquirer/check.h"

#include <string.h>

#include "apdu/emvbits.h"
#include "apdu/emvtags.h"
#include "apdu/tlv.h"
#include "crypto/iad.h"

struct verification { /* one payment under judgement */
    const struct payment *p;
    uint8_t tvr[5], cvm[3], capabilities[3];
    bool has_tvr, has_cvm; /* signed */
    struct emv_iad iad;
    bool has_iad;
    struct span list; /* 8E of the signed records; empty: none there */
};

/* An object of DE 55 of exactly n bytes; false: there is none such. */
static bool said(uint8_t *out, const struct payment *p, uint32_t tag, size_t n)
{
    struct tlv t;

    if (tlv_find(p->tx.emv.de55, tag, &t) != TP_OK || t.value.n != n)
        return false;
    memcpy(out, t.value.p, n);
    return true;
}

static bool is_offline_pin(uint8_t code)
{
    return code == CVM_PLAINTEXT_PIN || code == CVM_PLAINTEXT_PIN_SIGNATURE ||
           code == CVM_ENCIPHERED_PIN || code == CVM_ENCIPHERED_PIN_SIGNATURE;
}

/* ---- the terminal ---- */

/* 9F33 as signed, else as DE 55 has it, is the registered terminal's: it claims no method more, and
 * leaves none out that makes verification weaker. Two may be missing: "no CVM", and enciphered PIN,
 * which no reader's keypad makes (payer/pay.c). Elliptic curves (XDA, ODE) are no method of their
 * own here: a terminal registered before there were any may have learnt them. */
static enum ledger_verdict capabilities(const struct verification *v)
{
    const uint8_t *own = v->p->party->capabilities, *now = v->capabilities;
    const uint8_t missing = own[1] & (uint8_t)~now[1], more = now[1] & (uint8_t)~own[1];

    return now[0] != own[0] || (more & (uint8_t)~CAP2_ODE) != 0 ||
                   (missing & (uint8_t) ~(CAP2_ENCIPHERED_PIN | CAP2_ODE | CAP2_NO_CVM)) != 0 ||
                   ((now[2] ^ own[2]) & (CAP3_SDA | CAP3_DDA | CAP3_CDA)) != 0
               ? LEDGER_CAPABILITIES
               : LEDGER_NEW;
}

static bool supported(const struct verification *v, uint8_t code)
{
    static const struct {
        uint8_t code, needs;
    } methods[] = {{CVM_FAIL, 0},
                   {CVM_PLAINTEXT_PIN, CAP2_PLAINTEXT_PIN},
                   {CVM_ONLINE_PIN, CAP2_ONLINE_PIN},
                   {CVM_PLAINTEXT_PIN_SIGNATURE, CAP2_PLAINTEXT_PIN | CAP2_SIGNATURE},
                   {CVM_ENCIPHERED_PIN, CAP2_ENCIPHERED_PIN},
                   {CVM_ENCIPHERED_PIN_SIGNATURE, CAP2_ENCIPHERED_PIN | CAP2_SIGNATURE},
                   {CVM_SIGNATURE, CAP2_SIGNATURE},
                   {CVM_NONE_REQUIRED, CAP2_NO_CVM}};

    const uint8_t caps = v->capabilities[1];
    /* ODE is enciphered PIN too */
    const uint8_t can = (uint8_t)(caps | ((caps & CAP2_ODE) != 0 ? CAP2_ENCIPHERED_PIN : 0));

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        if (methods[i].code == code)
            return (can & methods[i].needs) == methods[i].needs;
    return false; /* biometric, and what is reserved */
}

/* ---- the TVR ---- */

/* What a TC must not say (table C5), worst first: as issuers refuse it (issuer/authorise.c, bits).
 */
static enum ledger_verdict verification_results(const struct verification *v)
{
    static const struct {
        unsigned bits;
        enum ledger_verdict verdict;
    } refusals[] = {
        {TVR_PIN_TRIES_EXCEEDED, LEDGER_PIN_TRIES},
        {TVR_EXCEPTION_FILE, LEDGER_TVR_EXCEPTION_FILE},
        {TVR_SDA_FAILED | TVR_DDA_FAILED | TVR_CDA_FAILED, LEDGER_TVR_ODA_FAILED},
        {TVR_EXPIRED, LEDGER_TVR_EXPIRED},
        {TVR_NOT_YET_EFFECTIVE, LEDGER_TVR_NOT_YET},
        {TVR_SERVICE_NOT_ALLOWED, LEDGER_TVR_SERVICE},
        {TVR_CVM_FAILED, LEDGER_TVR_CVM_FAILED},
        {TVR_PIN_NO_PAD, LEDGER_TVR_NO_KEYPAD},
    };
    enum ledger_verdict verdict =
        v->has_iad && v->iad.pin_tries_exceeded ? LEDGER_PIN_TRIES : LEDGER_NEW;

    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
        if (tvr_has(v->tvr, refusals[i].bits))
            verdict = ledger_verdict_first(verdict, refusals[i].verdict);
    return verdict;
}

/* ---- the list ---- */

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Conditions 06 to 09 are of the application's currency (9F42, signed beside the list). */
static bool amount_condition(const struct verification *v, uint8_t condition)
{
    const struct span own = evidence_signed_record(&v->p->evidence, TAG_APP_CURRENCY);
    const int64_t amount = v->p->tx.amount,
                  limit = be32(v->list.p + (condition < CVM_IF_UNDER_Y ? 0 : 4));

    if (own.n != 2 ||
        (own.p[0] >> 4) * 1000 + (own.p[0] & 15) * 100 + (own.p[1] >> 4) * 10 + (own.p[1] & 15) !=
            v->p->tx.currency)
        return false;
    return condition % 2 == 0 ? amount < limit : amount > limit;
}

/* Table 44. There is no cash and no cashback here (DE 3): 01, 04 and 05 never hold. */
static bool condition_holds(const struct verification *v, uint8_t code, uint8_t condition)
{
    switch (condition) {
    case CVM_ALWAYS:
    case CVM_IF_NO_CASH:
        return true;
    case CVM_IF_SUPPORTED:
        return supported(v, code);
    case CVM_IF_UNDER_X:
    case CVM_IF_OVER_X:
    case CVM_IF_UNDER_Y:
    case CVM_IF_OVER_Y:
        return amount_condition(v, condition);
    default:
        return false;
    }
}

/* A rule before the one that was used: it must have been tried, failed, and let the next be
 * applied. An offline PIN that fails leaves its trace in the TVR. */
static bool passed_over(const struct verification *v, const uint8_t *rule)
{
    const uint8_t code = rule[0] & CVM_CODE;

    if (!condition_holds(v, code, rule[1]))
        return true;
    if ((rule[0] & CVM_APPLY_NEXT) == 0 || code == CVM_FAIL)
        return false;
    return !supported(v, code) || !is_offline_pin(code) ||
           tvr_has(v->tvr, TVR_PIN_TRIES_EXCEEDED | TVR_PIN_NO_PAD | TVR_PIN_NOT_ENTERED);
}

/* 9F34 names a rule of the list whose condition holds, reached by the rules before it. */
static enum ledger_verdict rule_of_list(const struct verification *v)
{
    const uint8_t code = v->cvm[0] & CVM_CODE, condition = v->cvm[1];
    enum ledger_verdict verdict = LEDGER_CVM_NOT_IN_LIST;
    bool reached = true;

    for (size_t i = 8; i + 1 < v->list.n; i += 2) {
        const uint8_t *rule = v->list.p + i;
        const bool named = (rule[0] & CVM_CODE) == code && rule[1] == condition,
                   holds = condition_holds(v, code, condition);

        if (named && holds && reached)
            return LEDGER_NEW;
        if (named)
            verdict = holds ? LEDGER_CVM_PASSED_OVER : LEDGER_CVM_CONDITION;
        reached = reached && passed_over(v, rule);
    }
    return verdict;
}

/* ---- what was carried out ---- */

static bool lists_rules(const struct verification *v)
{
    const struct span aip = evidence_signed_record(&v->p->evidence, TAG_AIP);

    return v->list.n >= 10 && (aip.n != 2 || (aip.p[0] & AIP_CVM) != 0);
}

static enum ledger_verdict method(const struct verification *v)
{
    const uint8_t code = v->cvm[0] & CVM_CODE;

    if (code == CVM_FAIL || (is_offline_pin(code) && v->cvm[2] != CVM_RESULT_SUCCESSFUL))
        return LEDGER_CVM_PIN;
    if (v->cvm[0] != CVM_NONE_PERFORMED && !supported(v, code))
        return LEDGER_CVM_UNSUPPORTED;
    if (code == CVM_ONLINE_PIN) /* it would be the issuer's to verify, and a TC never met it */
        return LEDGER_CVM_UNSUPPORTED;
    if (code == CVM_NONE_REQUIRED && v->cvm[2] != CVM_RESULT_SUCCESSFUL)
        return LEDGER_CVM_RESULT;
    return lists_rules(v) ? rule_of_list(v) : LEDGER_NEW;
}

/* What is paid without a verified cardholder is no more than the contract takes so. */
static enum ledger_verdict unverified(const struct verification *v)
{
    const struct payment *p = v->p;
    const bool none =
        (v->cvm[0] & CVM_CODE) == CVM_NONE_REQUIRED || v->cvm[0] == CVM_NONE_PERFORMED;

    return none && p->tx.kind == TX_DEBIT && p->tx.amount > p->party->terms.no_cvm
               ? LEDGER_CVM_REQUIRED
               : LEDGER_NEW;
}

/* The card's own word on the PIN, where its issuer application data can be read: those of our own
 * scheme, of each kind of card (crypto/iad.h). It tells a PIN that the card verified from one that
 * something between card and terminal only said was right. */
static bool read_iad(struct emv_iad *out, const struct evidence *ev)
{
    static const uint8_t own_rid[] = {0xF0, 0x00, 0x00, 0x00, 0x14};
    struct tlv iad;

    *out = (struct emv_iad){.pin_tries = -1};
    if (ev->aid.n < sizeof(own_rid) || memcmp(ev->aid.p, own_rid, sizeof(own_rid)) != 0)
        return false;
    return tlv_find(ev->de55, TAG_IAD, &iad) == TP_OK && emv_iad_parse(out, iad.value) == TP_OK;
}

/* False: there is not enough to judge on. */
static bool start(struct verification *v)
{
    const struct payment *p = v->p;
    const struct evidence_result *r = &p->result;

    v->has_tvr = r->has_tvr;
    v->has_cvm = r->has_cvm_results;
    v->has_iad = read_iad(&v->iad, &p->evidence);
    v->list = evidence_signed_record(&p->evidence, TAG_CVM_LIST);
    memcpy(v->tvr, r->tvr, sizeof(v->tvr));
    memcpy(v->cvm, r->cvm_results, sizeof(v->cvm));
    return (v->has_tvr || said(v->tvr, p, TAG_TVR, sizeof(v->tvr))) &&
           (v->has_cvm || said(v->cvm, p, TAG_CVM_RESULTS, sizeof(v->cvm))) &&
           said(v->capabilities, p, TAG_TERMINAL_CAPABILITIES, sizeof(v->capabilities));
}

/* A PIN that the terminal says was verified, and the card's own word that it was not. */
static enum ledger_verdict card_word(const struct verification *v)
{
    const bool pin = is_offline_pin(v->cvm[0] & CVM_CODE),
               claimed = pin && (!v->has_cvm || v->cvm[2] == CVM_RESULT_SUCCESSFUL);

    return claimed && v->has_iad && (!v->iad.pin_performed || v->iad.pin_failed) ? LEDGER_CVR_PIN
                                                                                 : LEDGER_NEW;
}

/* A card whose CDOL1 asks for neither TVR nor CVM results leaves nothing to judge on: refused. When
 * the card asks for its issuer (ARQC), what failed is the issuer's to judge, who may also send the
 * command that unblocks a PIN; a PIN that only the terminal saw is not, nor what the terminal is.
 */
enum ledger_verdict check_cardholder(const struct payment *p)
{
    struct verification v = {.p = p};
    enum ledger_verdict verdict;

    if (!start(&v))
        return LEDGER_CVM_UNREADABLE;
    verdict = ledger_verdict_first(capabilities(&v), card_word(&v));
    if (verdict != LEDGER_NEW || (p->result.cid & AC_TYPE) == AC_ARQC)
        return verdict;
    verdict = verification_results(&v);
    if (!v.has_tvr && !v.has_cvm)
        return ledger_verdict_first(verdict, LEDGER_CVM_NOT_SIGNED);
    verdict = ledger_verdict_first(verdict, method(&v));
    return ledger_verdict_first(verdict, unverified(&v));
}
