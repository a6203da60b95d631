/* Cardholder verification: EMV 4.4 Book 3, 10.5 and Annex C3; Book 4, 6.3.4. */
#include "kernel/kernel_priv.h"

struct list { /* 8E */
    uint32_t x, y;
    struct span rules;
};

static bool supported(const struct transaction *tx, uint8_t code)
{
    const uint8_t caps = tx->capabilities[1];

    switch (code & CVM_CODE) {
    case CVM_FAIL:
        return true;
    case CVM_PLAINTEXT_PIN:
        return (caps & CAP2_PLAINTEXT_PIN) != 0;
    case CVM_ENCIPHERED_PIN:
        return (caps & (xda_keys(tx) ? CAP2_ODE : CAP2_ENCIPHERED_PIN)) != 0;
    case CVM_NONE_REQUIRED:
        return (caps & CAP2_NO_CVM) != 0;
    default: /* signature, online PIN, biometric: there is nobody to compare, nobody to send to,
                nothing to measure; such a terminal must not claim them */
        return false;
    }
}

static bool recognised(uint8_t code)
{
    code &= CVM_CODE;
    return code <= CVM_VOICE_ONLINE || code == CVM_SIGNATURE || code == CVM_NONE_REQUIRED;
}

/* Conditions 06 to 09: only when the amount is in the card's own currency. */
static bool amount_condition(const struct transaction *tx, const struct list *list,
                             uint8_t condition)
{
    const struct span own = data_get(tx, TAG_APP_CURRENCY);
    const int64_t amount = tx->request->amount;

    if (own.n != 2 || !span_eq(own, data_get(tx, TAG_TX_CURRENCY)))
        return false;
    switch (condition) {
    case CVM_IF_UNDER_X:
        return amount < (int64_t)list->x;
    case CVM_IF_OVER_X:
        return amount > (int64_t)list->x;
    case CVM_IF_UNDER_Y:
        return amount < (int64_t)list->y;
    default:
        return amount > (int64_t)list->y;
    }
}

/* Book 3, table 44. A condition that is not known does not hold. */
static bool condition_holds(const struct transaction *tx, const struct list *list, uint8_t code,
                            uint8_t condition)
{
    const bool cash = tx->request->type == TYPE_CASH, cashback = tx->request->type == TYPE_CASHBACK;

    switch (condition) {
    case CVM_ALWAYS:
        return true;
    case CVM_IF_UNATTENDED_CASH:
        return cash && terminal_unattended(tx->config);
    case CVM_IF_NO_CASH:
        return !cash && !cashback;
    case CVM_IF_SUPPORTED:
        return recognised(code) && supported(tx, code);
    case CVM_IF_MANUAL_CASH:
        return cash && !terminal_unattended(tx->config);
    case CVM_IF_CASHBACK:
        return cashback;
    case CVM_IF_UNDER_X:
    case CVM_IF_OVER_X:
    case CVM_IF_UNDER_Y:
    case CVM_IF_OVER_Y:
        return amount_condition(tx, list, condition);
    default:
        return false;
    }
}

/* A PIN that the list asks for and a terminal without any offline PIN, or any online PIN, cannot
 * take: 10.5.1, 10.5.2. A part of the body that none of the terminals here
 * measures: 10.5.6, 10.5.7. */
static void note_unsupported(struct transaction *tx, uint8_t code)
{
    const uint8_t caps = tx->capabilities[1];
    const bool offline = (caps & (CAP2_PLAINTEXT_PIN | CAP2_ENCIPHERED_PIN | CAP2_ODE)) != 0,
               online = (caps & CAP2_ONLINE_PIN) != 0;

    code &= CVM_CODE;
    if (code == CVM_ONLINE_PIN
            ? !online
            : code >= CVM_PLAINTEXT_PIN && code <= CVM_ENCIPHERED_PIN_SIGNATURE && !offline)
        tvr_set(tx, TVR_PIN_NO_PAD);
    if (code >= CVM_FACIAL_OFFLINE && code <= CVM_VOICE_ONLINE)
        tvr_set(tx, TVR_BIOMETRIC_TYPE);
}

static void note(struct transaction *tx, uint8_t code, uint8_t condition,
                 enum kernel_cvm_result result)
{
    if (tx->cvms_n < CVM_RULES_MAX)
        tx->cvms[tx->cvms_n++] = (struct kernel_cvm){code, condition, result};
}

static void set_results(struct transaction *tx, uint8_t code, uint8_t condition, uint8_t result)
{
    tx->cvm_results[0] = code;
    tx->cvm_results[1] = condition;
    tx->cvm_results[2] = result;
}

/* A rule whose condition holds. *ok: the cardholder is verified. */
static enum tp_err perform(struct transaction *tx, uint8_t code, uint8_t condition, bool *ok)
{
    enum tp_err r = TP_OK;

    *ok = false;
    if (!recognised(code) || !supported(tx, code)) {
        if (!recognised(code))
            tvr_set(tx, TVR_CVM_UNKNOWN);
        note_unsupported(tx, code);
        note(tx, code, condition, recognised(code) ? KERNEL_CVM_UNSUPPORTED : KERNEL_CVM_UNKNOWN);
        return TP_OK;
    }
    if ((code & CVM_CODE) == CVM_PLAINTEXT_PIN || (code & CVM_CODE) == CVM_ENCIPHERED_PIN)
        r = pin_verify(tx, (code & CVM_CODE) == CVM_ENCIPHERED_PIN, ok);
    else
        *ok = (code & CVM_CODE) == CVM_NONE_REQUIRED;
    if (r != TP_OK)
        return r;
    note(tx, code, condition, *ok ? KERNEL_CVM_OK : KERNEL_CVM_FAILED);
    set_results(tx, code, condition, *ok ? CVM_RESULT_SUCCESSFUL : CVM_RESULT_FAILED);
    return TP_OK;
}

static enum tp_err walk(struct transaction *tx, const struct list *list, bool *ok)
{
    struct span rules = list->rules, rule;

    *ok = false;
    while (span_take(&rules, 2, &rule) == TP_OK) {
        const uint8_t code = rule.p[0], condition = rule.p[1];
        enum tp_err r;

        if (!condition_holds(tx, list, code, condition)) {
            note(tx, code, condition, KERNEL_CVM_CONDITION);
            continue;
        }
        r = perform(tx, code, condition, ok);
        if (r != TP_OK || *ok)
            return r;
        if ((code & CVM_CODE) == CVM_FAIL || (code & CVM_APPLY_NEXT) == 0)
            return TP_OK;
    }
    return TP_OK;
}

enum tp_err step_verify(struct transaction *tx)
{
    struct list list = {0};
    bool ok;
    enum tp_err r;

    if ((tx->aip[0] & AIP_CVM) == 0)
        return TP_OK;
    list.rules = data_get(tx, TAG_CVM_LIST);
    if (list.rules.n == 0 ||
        list.rules.n == 8) { /* no list, or one without rules, which is the same: 10.5 */
        tvr_set(tx, TVR_ICC_DATA_MISSING);
        return TP_OK;
    }
    if (list.rules.n % 2 != 0 || span_be32(&list.rules, &list.x) != TP_OK ||
        span_be32(&list.rules, &list.y) != TP_OK)
        return tx_end(tx, KERNEL_TERMINATED, "the card's CVM list is malformed");
    r = walk(tx, &list, &ok);
    if (r != TP_OK)
        return r;
    tsi_set(tx, TSI_CVM);
    if (ok)
        return TP_OK;
    tvr_set(tx, TVR_CVM_FAILED);
    tx->cvm_results[2] =
        CVM_RESULT_FAILED; /* also when none was performed: 3F 00 01, Book 4, table 2 */
    return TP_OK;
}
