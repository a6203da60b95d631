#include "mediator/asked.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "order/acknowledgement.h"
#include "order/purse.h"

static enum tp_err hash_payment(struct asked *out, const struct orderbook_attempt *a,
                                struct tp_error *e)
{
    enum tp_err r = TP_OK;

    if (a->means != MEANS_PURSE || a->pays == NULL)
        return TP_OK;
    r = purse_statement_hash(out->payment, a->pays, e);
    return r == TP_OK && a->beside != NULL ? purse_statement_hash(out->provision, a->beside, e) : r;
}

enum tp_err asked_fill(struct asked *out, const struct orderbook_order *o,
                       const struct orderbook_attempt *a, struct tp_error *e)
{
    struct payment_challenge c;
    uint8_t r[PAYMENT_R];
    json_t *owner = NULL;
    enum tp_err err = challenge_of(&c, &owner, a, e);

    *out = (struct asked){.n = a->n};
    if (err == TP_OK)
        err = payment_challenge_r(r, &c, e);
    json_decref(owner);
    if (err != TP_OK)
        return err;
    base64url_encode(out->r, SPAN_OF(r));
    memcpy(out->id, o->id, sizeof(out->id));
    memcpy(out->contract, a->contract, sizeof(out->contract));
    snprintf(out->amount, sizeof(out->amount), "%" PRId64, o->amount);
    currency_small(out->currency, o->currency);
    return hash_payment(out, a, e);
}

enum outcome asked_outcome(const char *code)
{
    static const char *const vain[] = {"19", "68", "90", "91", "96", "97", "98", "99"};

    if (strcmp(code, "00") == 0)
        return OUTCOME_YES;
    for (size_t i = 0; i < sizeof(vain) / sizeof(vain[0]); i++)
        if (strcmp(code, vain[i]) == 0)
            return OUTCOME_VAIN;
    return OUTCOME_NO;
}

static bool is_of(const struct acknowledgement *a, const struct asked *k, const char *acquirer)
{
    return strcmp(a->acquirer, acquirer) == 0 && strcmp(a->r, k->r) == 0 &&
           strcmp(a->order, k->id) == 0 && strcmp(a->contract, k->contract) == 0 &&
           strcmp(a->amount, k->amount) == 0 && strcmp(a->currency, k->currency) == 0 &&
           strcmp(a->payment != NULL ? a->payment : "", k->payment) == 0;
}

enum tp_err asked_check(const struct asked *k, const struct move *m,
                        const struct reg_acquirer *acquirer, struct tp_error *e)
{
    struct acknowledgement a = {NULL};
    const bool yes = m->said.outcome == OUTCOME_YES;
    enum tp_err r;

    if (yes && m->said.rrn[0] == '\0')
        return tp_fail(e, TP_ERR_FORMAT, "there is no reference");
    if (m->said.acknowledgement == NULL)
        return yes ? tp_fail(e, TP_ERR_FORMAT, "there is no acknowledgement") : TP_OK;
    r = acknowledgement_read(&a, m->said.acknowledgement, acquirer->authority, e);
    if (r == TP_OK && (!is_of(&a, k, acquirer->id) || acknowledgement_is_positive(&a) != yes))
        r = tp_fail(e, TP_ERR_SECURITY, "the acknowledgement is of something else");
    acknowledgement_free(&a);
    return r;
}
