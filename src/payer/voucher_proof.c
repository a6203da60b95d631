#include "payer/voucher_proof.h"

#include <string.h>

#include "base/base64.h"
#include "base/date.h"

struct pair {
    const char *name, *said, *is;
};

static enum tp_err agree(const struct pair *pairs, size_t n, struct tp_error *e)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(pairs[i].said, pairs[i].is) != 0)
            return tp_fail(e, TP_ERR_SECURITY,
                           "the acknowledgement is of another payment: its %s differs",
                           pairs[i].name);
    return TP_OK;
}

static enum tp_err check(const struct voucher_proof *p, const char *r_text, const char *voucher,
                         struct tp_error *e)
{
    const struct purse_token *t = &p->said;
    const struct order *o = &p->order;
    struct purse_statement s = {0};
    char hash[PURSE_HASH];
    enum tp_err r = purse_statement_read(&s, PURSE_VOUCHER, voucher, e);

    if (r == TP_OK)
        r = purse_statement_hash(hash, voucher, e);
    if (r == TP_OK) {
        const struct pair pairs[] = {
            {"r", t->r, r_text},
            {"order", t->order, o->id},
            {"order", s.order, o->id},
            {"r", s.r, r_text},
            {"amount", t->amount, o->amount},
            {"currency", t->currency, o->currency},
            {"contract", t->contract, o->contract},
            {"contract", s.contract, o->contract},
            {"currency", s.currency, o->currency},
            {"session", t->session, s.session},
            {"sum", t->sum, s.sum},
            {"number", t->number, s.number},
            {"voucher", t->voucher_hash, hash},
            {"mediator", t->signer, o->mediator},
        };

        r = agree(pairs, sizeof(pairs) / sizeof(pairs[0]), e);
    }
    purse_statement_free(&s);
    return r;
}

enum tp_err voucher_proof_read(struct voucher_proof *out, const struct payment_challenge *challenge,
                               const char *voucher, const char *acknowledgement,
                               const struct order_authority *authority, struct tp_error *e)
{
    struct payment_charge charge = {0};
    uint8_t raw[PAYMENT_R];
    char r_text[BASE64URL_SIZE(PAYMENT_R)];
    const char *jws = NULL;
    time_t at = 0;
    enum tp_err r = payment_challenge_r(raw, challenge, e);

    *out = (struct voucher_proof){.said = {.acquirer = NULL}};
    if (r == TP_OK)
        r = payment_charge_read(&charge, challenge->request, e);
    if (r == TP_OK)
        r = order_of_charge(&jws, &charge, e);
    if (r == TP_OK)
        r = purse_token_read(&out->said, PURSE_VOUCHER_ACKNOWLEDGEMENT, acknowledgement, authority,
                             e);
    if (r == TP_OK)
        r = time_parse(&at, out->said.at);
    if (r == TP_OK)
        r = order_read(&out->order, jws, authority, at, e);
    if (r == TP_OK)
        r = order_agrees(&out->order, &charge, e);
    if (r == TP_OK)
        r = check(out, base64url_encode(r_text, SPAN_OF(raw)), voucher, e);
    payment_charge_free(&charge);
    return r;
}

void voucher_proof_free(struct voucher_proof *p)
{
    order_free(&p->order);
    purse_token_free(&p->said);
    *p = (struct voucher_proof){.said = {.acquirer = NULL}};
}
