#include "order/proof.h"

#include <string.h>

#include "base/base64.h"
#include "base/date.h"

static enum tp_err agree(const struct order_proof *p, struct tp_error *e)
{
    char r[BASE64URL_SIZE(PAYMENT_R)];
    const struct acknowledgement *a = &p->acknowledgement;
    const struct {
        const char *name, *said, *is;
    } pairs[] = {
        {"r", a->r, base64url_encode(r, SPAN_OF(p->r))},
        {"order", a->order, p->order.id},
        {"contract", a->contract, p->order.contract},
        {"amount", a->amount, p->order.amount},
        {"currency", a->currency, p->order.currency},
        {"acquirer", a->acquirer, p->order.acquirer},
    };

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        if (strcmp(pairs[i].said, pairs[i].is) != 0)
            return tp_fail(e, TP_ERR_SECURITY,
                           "the acknowledgement is of another payment: its %s differs",
                           pairs[i].name);
    return TP_OK;
}

enum tp_err order_proof_read(struct order_proof *out, const struct payment_challenge *challenge,
                             const char *acknowledgement, const struct order_authority *authority,
                             struct tp_error *e)
{
    struct payment_charge charge = {0};
    const char *jws = NULL;
    time_t at = 0;
    enum tp_err r;

    *out = (struct order_proof){0};
    r = payment_challenge_r(out->r, challenge, e);
    if (r == TP_OK && strcmp(challenge->intent, PAYMENT_CHARGE) != 0)
        r = tp_fail(e, TP_ERR_FORMAT, "the challenge asks for no charge");
    if (r == TP_OK)
        r = payment_charge_read(&charge, challenge->request, e);
    if (r == TP_OK)
        r = order_of_charge(&jws, &charge, e);
    if (r == TP_OK)
        r = acknowledgement_read(&out->acknowledgement, acknowledgement, authority, e);
    if (r == TP_OK)
        r = time_parse(&at, out->acknowledgement.at);
    if (r == TP_OK)
        r = order_read(&out->order, jws, authority, at, e);
    if (r == TP_OK)
        r = order_agrees(&out->order, &charge, e);
    if (r == TP_OK)
        r = agree(out, e);
    payment_charge_free(&charge);
    return r;
}

void order_proof_free(struct order_proof *p)
{
    order_free(&p->order);
    acknowledgement_free(&p->acknowledgement);
    *p = (struct order_proof){0};
}
