#include "centre/signed.h"

#include <stdlib.h>
#include <string.h>

#include "wire/jcs.h"
#include "wire/payment_challenge.h"
#include "wire/payment_charge.h"

/* What cannot be read, or does not hold, is the item's fault; the rest is ours. */
static enum tp_err as_fault(enum tp_err r, const char *word, const char **fault)
{
    if (r != TP_ERR_FORMAT && r != TP_ERR_RANGE && r != TP_ERR_SECURITY)
        return r;
    *fault = word;
    return TP_OK;
}

static int64_t number_of(const char *text)
{
    return strtoll(text, NULL, 10);
}

static enum tp_err compare_r(const struct payment_challenge *c, const struct purse_statement *s,
                             struct tp_error *e)
{
    uint8_t r[PAYMENT_R];
    char text[BASE64URL_SIZE(PAYMENT_R)];
    const enum tp_err code = payment_challenge_r(r, c, e);

    if (code != TP_OK)
        return code;
    return strcmp(base64url_encode(text, SPAN_OF(r)), s->r) == 0 ? TP_OK : TP_ERR_SECURITY;
}

/* The statement names the challenge by R, and the challenge's request says who is paid. */
static enum tp_err check_challenge(const char **fault, struct span challenge,
                                   const struct purse_statement *s, const char *contract,
                                   struct tp_error *e)
{
    struct payment_challenge c;
    struct payment_charge charge = {.amount = NULL};
    json_t *object = NULL;
    enum tp_err r = jcs_read(&object, challenge, e);

    if (r == TP_OK)
        r = payment_challenge_from_json(&c, object, e);
    if (r == TP_OK)
        r = compare_r(&c, s, e);
    if (r == TP_OK)
        r = payment_charge_read(&charge, c.request, e);
    r = as_fault(r, "SIGNED_CHALLENGE", fault);
    if (r == TP_OK && *fault == NULL &&
        (charge.recipient == NULL || strcmp(charge.recipient, contract) != 0))
        *fault = "SIGNED_CONTRACT";
    payment_charge_free(&charge);
    json_decref(object);
    return r;
}

/* What both say of themselves. */
static const char *compare(const struct caaa_item *item, const struct purse_statement *s,
                           const struct currency *currency)
{
    if (item->kind != CAAA_DEBIT)
        return "SIGNED_TYPE"; /* nobody signs that he is paid */
    if (strncmp(s->account, item->account, sizeof(item->account) - 1) != 0)
        return "SIGNED_ACCOUNT";
    if (currency_by_alpha(s->currency) != currency)
        return "SIGNED_CURRENCY";
    if (item->voucher ? item->amount > number_of(s->sum) : item->amount != number_of(s->amount))
        return "SIGNED_AMOUNT";
    return NULL;
}

static enum tp_err check(struct signed_item *out, const char **fault, const struct caaa_item *item,
                         const struct purse_statement *s, const char *contract,
                         const struct currency *currency, struct tp_error *e)
{
    memcpy(out->key, s->key, sizeof(out->key));
    out->found = true;
    out->most = item->voucher ? number_of(s->sum) : 0;
    snprintf(out->word, sizeof(out->word), "%s", item->voucher ? s->session : s->counter);
    *fault = compare(item, s, currency);
    if (*fault == NULL && item->voucher && strcmp(s->contract, contract) != 0)
        *fault = "SIGNED_CONTRACT";
    return *fault == NULL && !item->voucher
               ? check_challenge(fault, item->challenge, s, contract, e)
               : TP_OK;
}

enum tp_err signed_check(struct signed_item *out, const char **fault, const struct caaa_item *item,
                         const char *contract, const struct currency *currency, struct tp_error *e)
{
    struct purse_statement s = {.owner = NULL};
    char *text = span_text(item->statement);
    enum tp_err r =
        text != NULL
            ? purse_statement_read(&s, item->voucher ? PURSE_VOUCHER : PURSE_PAYMENT, text, e)
            : tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");

    *out = (struct signed_item){.found = false};
    *fault = NULL;
    if (r == TP_OK)
        r = check(out, fault, item, &s, contract, currency, e);
    else
        r = as_fault(r, "SIGNATURE", fault);
    purse_statement_free(&s);
    free(text);
    return r;
}
