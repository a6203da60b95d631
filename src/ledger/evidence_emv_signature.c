/* Evidence by EMV: the card's signature (CDA, XDA, DDA), or its issuer's over the static data
 * (SDA). */
#include <string.h>

#include "apdu/emvtags.h"
#include "ledger/evidence_emv.h"

static struct span raw_of(const struct object *o)
{
    return (struct span){o->value.p - o->head, o->value.n + o->head};
}

static enum tp_err check_cda(struct checking *c)
{
    const uint8_t cid = objects_value(&c->response, TAG_CID).p[0];
    struct span hashed[OBJECTS_MAX + 3];
    struct emv_dynamic dynamic;
    enum emv_check outcome;
    size_t n = 0;
    enum tp_err r;

    /* Book 2, 6.6.1 */
    hashed[n++] = c->ev->pdol_values;
    hashed[n++] = c->ev->cdol1_values;
    hashed[n++] = c->ev->cdol2_values;
    for (size_t i = 0; i < c->response.n; i++)
        if (c->response.at[i].tag != TAG_SDAD)
            hashed[n++] = raw_of(&c->response.at[i]);
    r = emv_cda_check(&outcome, &dynamic, c->verified->icc.key, c->sdad, c->ev->un, cid, hashed, n);
    if (r != TP_OK)
        return r;
    if (outcome != EMV_CHECK_OK) {
        checking_refuse_check(c, EVIDENCE_SDAD, outcome);
        return TP_OK;
    }
    c->result->cid = dynamic.cid;
    memcpy(c->result->ac, dynamic.ac.p, sizeof(c->result->ac));
    memcpy(c->result->atc, objects_value(&c->response, TAG_ATC).p, sizeof(c->result->atc));
    return r;
}

/* Book 2, 12.5.3; cryptogram and counter, which it covers, are taken already. */
static enum tp_err check_xda(struct checking *c)
{
    const bool second = checking_second_alone(c);
    struct span hashed[OBJECTS_MAX + 2];
    enum emv_check outcome;
    size_t n = 0;
    enum tp_err r;

    hashed[n++] = second ? c->ev->cdol2_values : c->ev->pdol_values;
    if (!second)
        hashed[n++] = c->ev->cdol1_values;
    for (size_t i = 0; i < c->response.n; i++)
        if (c->response.at[i].tag != TAG_SDAD)
            hashed[n++] = raw_of(&c->response.at[i]);
    r = ec_sdad_check(&outcome, &c->verified->icc.ec, c->sdad, hashed, n);
    if (r == TP_OK && outcome != EMV_CHECK_OK)
        checking_refuse_check(c, EVIDENCE_SDAD, outcome);
    return r;
}

/* The static data alone: that the issuer made this card's records. */
static enum tp_err check_sda(struct checking *c)
{
    enum emv_check outcome;
    uint8_t dac[2];
    const enum tp_err r =
        emv_ssad_check(&outcome, dac, c->issuer->issuer.key, c->ev->ssad, c->ev->static_data);

    if (r == TP_OK && outcome != EMV_CHECK_OK)
        checking_refuse_check(c, EVIDENCE_SDAD, outcome);
    return r;
}

/* That the card itself was there, and signed this transaction's unpredictable number. */
static enum tp_err check_dda(struct checking *c)
{
    const struct span values = c->ev->ddol_values;
    struct emv_dynamic dynamic;
    enum emv_check outcome;
    const enum tp_err r =
        emv_dda_check(&outcome, &dynamic, c->verified->icc.key, c->ev->dda_sdad, values);

    if (r == TP_OK && outcome != EMV_CHECK_OK)
        checking_refuse_check(c, EVIDENCE_SDAD, outcome);
    else if (r == TP_OK &&
             (values.n == 0 || memmem(values.p, values.n, c->ev->un.p, c->ev->un.n) == NULL))
        checking_refuse(c, EVIDENCE_SDAD, "DDA_UN",
                        "it does not cover the unpredictable number of the payment");
    return r;
}

enum tp_err evidence_emv_signature(struct checking *c)
{
    switch (c->result->method) {
    case EVIDENCE_SDA:
        return check_sda(c);
    case EVIDENCE_DDA:
        return check_dda(c);
    case EVIDENCE_XDA:
        return check_xda(c);
    default:
        return check_cda(c);
    }
}
