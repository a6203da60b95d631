/* GENERATE AC: the request and the answer (EMV 4.4 Book 3, 6.5.5; Book 2, 6.6, 8.1 and 12.5). What
 * is decided between them is crm.c. */
#include "simcard/card_priv.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

#include "apdu/dol.h"
#include "crypto/cryptogram.h"
#include "crypto/ecmake.h"

#define HASH_SIZE 20

/* ---- cryptogram ---- */

/* The data of Book 2, 8.1.1, table 28, in the order all our kinds of card take them. */
static enum tp_err put_signed_data(struct buf *data, const struct card *c,
                                   const struct card_request *q, struct span iad)
{
    static const struct {
        uint32_t tag;
        uint8_t n;
    } asked[] = {
        {TAG_AMOUNT, 6},      {TAG_AMOUNT_OTHER, 6}, {TAG_TERMINAL_COUNTRY, 2}, {TAG_TVR, 5},
        {TAG_TX_CURRENCY, 2}, {TAG_TX_DATE, 3},      {TAG_TX_TYPE, 1},          {TAG_UN, 4}};
    enum tp_err r = TP_OK;

    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]) && r == TP_OK; i++)
        r = card_request_put(data, q, asked[i].tag, asked[i].n);
    if (r == TP_OK)
        r = buf_put(data, span_of(card_aip(c), sizeof(c->profile->aip)));
    if (r == TP_OK)
        r = buf_be16(data, c->session.atc);
    return r == TP_OK ? buf_put(data, card_iad_signed(c, iad)) : r;
}

static enum tp_err make_ac(const struct card *c, uint8_t ac[8], const struct card_request *q,
                           struct span iad)
{
    const uint8_t atc[2] = {(uint8_t)(c->session.atc >> 8), (uint8_t)c->session.atc};
    struct secret session = {NULL, 0};
    uint8_t raw[29 + 2 + 2 + CARD_IAD_MAX];
    struct buf data = BUF_OF(raw);
    enum tp_err r = put_signed_data(&data, c, q, iad);

    if (r == TP_OK)
        r = emv_session_key_ac(&session, c->profile->cvn, secret_span(&c->profile->ac_key), atc);
    if (r == TP_OK)
        r = emv_ac_make(ac, c->profile->cvn, secret_span(&session), buf_span(&data));
    secret_free(&session);
    return r;
}

/* ---- answers ---- */

struct answer {
    struct fault_ac plan;
    uint8_t iad_raw[CARD_IAD_MAX];
    struct buf iad;
    uint16_t atc;
    const struct card_values *cdol2; /* NULL at the first GENERATE AC */
};

static enum tp_err put_common(struct buf *out, const struct answer *a) /* 9F27, 9F36 */
{
    const uint8_t atc[2] = {(uint8_t)(a->atc >> 8), (uint8_t)a->atc};
    const enum tp_err r = tlv_put(out, TAG_CID, span_of(&a->plan.cid, 1));

    return r == TP_OK ? tlv_put(out, TAG_ATC, SPAN_OF(atc)) : r;
}

/* Without signature: Book 3, tables 13 and 14. */
static enum tp_err put_plain(const struct card *c, struct buf *out, const struct answer *a)
{
    uint8_t raw[64];
    struct buf inner = BUF_OF(raw);
    enum tp_err r;

    if (c->profile->format == 1) {
        r = buf_u8(&inner, a->plan.cid);
        if (r == TP_OK)
            r = buf_be16(&inner, a->atc);
        if (r == TP_OK)
            r = buf_put(&inner, SPAN_OF(a->plan.ac));
        if (r == TP_OK)
            r = buf_put(&inner, buf_span(&a->iad));
        return r == TP_OK ? tlv_put(out, TAG_RESPONSE_1, buf_span(&inner)) : r;
    }
    r = put_common(&inner, a);
    if (r == TP_OK)
        r = tlv_put(&inner, TAG_AC, SPAN_OF(a->plan.ac));
    if (r == TP_OK)
        r = tlv_put(&inner, TAG_IAD, buf_span(&a->iad));
    return r == TP_OK ? tlv_put(out, TAG_RESPONSE_2, buf_span(&inner)) : r;
}

/* Transaction data hash code: Book 2, 6.6.1: PDOL, CDOL1 (and CDOL2) values, then the response
 * objects without 9F4B. */
static enum tp_err hash_transaction(const struct card *c, uint8_t hash[HASH_SIZE],
                                    const struct answer *a)
{
    uint8_t raw[3 * CARD_VALUES_MAX + 64];
    struct buf all = BUF_OF(raw);
    enum tp_err r = buf_put(&all, span_of(c->session.pdol.p, c->session.pdol.n));

    if (r == TP_OK)
        r = buf_put(&all, span_of(c->session.cdol1.p, c->session.cdol1.n));
    if (r == TP_OK && a->cdol2 != NULL)
        r = buf_put(&all, span_of(a->cdol2->p, a->cdol2->n));
    if (r == TP_OK)
        r = put_common(&all, a);
    if (r == TP_OK)
        r = tlv_put(&all, TAG_IAD, buf_span(&a->iad));
    if (r != TP_OK)
        return r;
    raw[all.n - 1] ^= a->plan.response_flip;
    return EVP_Q_digest(NULL, "SHA1", NULL, raw, all.n, hash, NULL) == 1 ? TP_OK : TP_ERR_INTERNAL;
}

/* With signature: Book 2, table 19 (ICC dynamic data) and table 20 (response, always format 2). */
static enum tp_err put_signed(const struct card *c, struct buf *out, const struct answer *a)
{
    uint8_t dynamic[1 + CARD_DYNAMIC_NUMBER + 1 + 8 + HASH_SIZE] = {CARD_DYNAMIC_NUMBER};
    uint8_t *const after = dynamic + 1 + CARD_DYNAMIC_NUMBER;
    uint8_t sdad[EMV_RSA_MAX], raw[APDU_SHORT_RESPONSE_MAX];
    struct buf inner = BUF_OF(raw);
    size_t sdad_n;
    enum tp_err r;

    if (RAND_bytes(dynamic + 1, CARD_DYNAMIC_NUMBER) != 1)
        return TP_ERR_INTERNAL;
    fault_dynamic_number(&c->faults, dynamic);
    after[0] = a->plan.cid_signed;
    memcpy(after + 1, a->plan.ac, 8);
    r = hash_transaction(c, after + 9, a);
    if (r == TP_OK)
        r = card_sdad_make(c, sdad, &sdad_n, SPAN_OF(dynamic), SPAN_OF(a->plan.un));
    if (r == TP_OK)
        r = put_common(&inner, a);
    if (r == TP_OK)
        r = tlv_put(&inner, TAG_SDAD, span_of(sdad, sdad_n));
    if (r == TP_OK)
        r = tlv_put(&inner, TAG_IAD, buf_span(&a->iad));
    return r == TP_OK ? tlv_put(out, TAG_RESPONSE_2, buf_span(&inner)) : r;
}

/* The response by elliptic curves without its signature: 9F26 in clear (Book 2, table 39). */
static enum tp_err put_xda_objects(struct buf *out, const struct answer *a)
{
    enum tp_err r = put_common(out, a);

    if (r == TP_OK)
        r = tlv_put(out, TAG_AC, SPAN_OF(a->plan.ac));
    return r == TP_OK ? tlv_put(out, TAG_IAD, buf_span(&a->iad)) : r;
}

/* Over PDOL and CDOL1 values at the first, CDOL2 values at the second, and the response: Book 2,
 * table 37. */
static enum tp_err put_xda(const struct card *c, struct buf *out, const struct answer *a)
{
    struct answer as_signed = *a;
    uint8_t raw_signed[64], raw_sdad[1 + EC_SIGNATURE_MAX], raw[APDU_SHORT_RESPONSE_MAX];
    struct buf objects = BUF_OF(raw_signed), sdad = BUF_OF(raw_sdad), inner = BUF_OF(raw);
    struct span parts[3] = {span_of(c->session.pdol.p, c->session.pdol.n),
                            span_of(c->session.cdol1.p, c->session.cdol1.n)};
    enum tp_err r;

    if (a->cdol2 != NULL) {
        parts[0] = span_of(a->cdol2->p, a->cdol2->n);
        parts[1] = span_of(NULL, 0);
    }
    as_signed.plan.cid = a->plan.cid_signed;
    as_signed.iad = (struct buf){as_signed.iad_raw, a->iad.n, sizeof(as_signed.iad_raw)};
    r = put_xda_objects(&objects, &as_signed);
    if (r != TP_OK)
        return r;
    raw_signed[objects.n - 1] ^= a->plan.response_flip;
    parts[2] = buf_span(&objects);
    r = ec_sdad_make(&sdad, &c->profile->xda.key, parts, 3);
    fault_xda(&c->faults, raw_sdad, sdad.n);
    if (r == TP_OK)
        r = put_xda_objects(&inner, a);
    if (r == TP_OK)
        r = tlv_put(&inner, TAG_SDAD, buf_span(&sdad));
    return r == TP_OK ? tlv_put(out, TAG_RESPONSE_2, buf_span(&inner)) : r;
}

/* ---- GENERATE AC ---- */

static enum tp_err plan_answer(struct card *c, struct answer *a, const struct card_request *q,
                               const struct card_decision *d)
{
    struct buf un = BUF_OF(a->plan.un);
    enum tp_err r;

    a->iad = BUF_OF(a->iad_raw);
    r = card_iad_put(&a->iad, c, d);
    if (r == TP_OK)
        r = make_ac(c, a->plan.ac, q, buf_span(&a->iad));
    if (r == TP_OK)
        r = card_request_put(&un, q, TAG_UN, sizeof(a->plan.un));
    if (r != TP_OK)
        return r;
    if (!d->second) { /* what the issuer answers and orders hangs on this one: Book 2, 8.2 and 9.2.3
                       */
        memcpy(c->session.first_ac, a->plan.ac, sizeof(c->session.first_ac));
        memset(c->session.chain, 0, sizeof(c->session.chain));
        memcpy(c->session.chain, a->plan.ac, sizeof(c->session.first_ac));
    }
    a->plan.cid = a->plan.cid_signed = d->cid;
    fault_generate_ac(&c->faults, &a->plan);
    return TP_OK;
}

/* P1 and order: Book 3, table 12; 10.8 and 10.11: a TC or AAC ends it, an ARQC is followed by one
 * more request, for a TC or an AAC. */
static uint16_t check_order(const struct card *c, const struct capdu *in)
{
    const uint8_t aip = card_aip(c)[0];
    const uint8_t signature = (aip & AIP_XDA) != 0 ? AC_XDA : (aip & AIP_CDA) != 0 ? AC_CDA : 0;

    if ((in->p1 & AC_TYPE) == AC_TYPE || (in->p1 & (uint8_t) ~(AC_TYPE | signature)) != 0 ||
        in->p2 != 0)
        return SW_WRONG_P1P2;
    if (c->session.phase == PHASE_STARTED)
        return SW_OK;
    return c->session.phase == PHASE_ONLINE && (in->p1 & AC_TYPE) != AC_ARQC ? SW_OK
                                                                             : SW_CONDITIONS;
}

static uint16_t take_values(struct card_values *values, const struct card_request *q)
{
    size_t want;

    if (dol_length(q->dol, &want) != TP_OK || want > sizeof(values->p))
        return SW_UNKNOWN;
    if (q->values.n != want)
        return SW_WRONG_LENGTH;
    if (want > 0)
        memcpy(values->p, q->values.p, want);
    values->n = want;
    return SW_OK;
}

uint16_t card_generate_ac(struct card *c, const struct capdu *in, struct buf *out)
{
    const bool second = c->session.phase == PHASE_ONLINE;
    const struct profile_bytes *dol = second ? &c->profile->cdol2 : &c->profile->cdol1;
    const struct card_request q = {c, span_of(dol->p, dol->n), in->data, second};
    struct card_values values = {.n = 0};
    struct card_decision d = {.asked = in->p1 & AC_TYPE};
    struct answer a = {.atc = c->session.atc, .cdol2 = second ? &values : NULL};
    uint16_t sw = check_order(c, in);

    if (sw == SW_OK)
        sw = take_values(&values, &q);
    if (sw != SW_OK)
        return sw;
    if (!second)
        c->session.cdol1 = values;
    if (second && card_issuer_check_second(c, &q) != TP_OK)
        return SW_UNKNOWN;
    if (second)
        card_issuer_obey(c);
    card_decide(c, &d, &q);
    d.cid = fault_cid(&c->faults, d.cid);
    /* an AAC is not signed (Book 2, 6.6.1), but by XDA (12.5.1) */
    d.is_signed = (in->p1 & AC_XDA) != 0 || ((in->p1 & AC_CDA) != 0 && d.cid != AC_AAC);
    c->session.cda_done |= d.is_signed;
    if (plan_answer(c, &a, &q, &d) != TP_OK)
        return SW_UNKNOWN;
    card_settle(c, &d, &q);
    card_log(c, &q, d.cid);
    if (card_state_write(c, STATE_SYNC) != TP_OK) /* counters, log and what the issuer ordered are
                                                     durable before anybody has the cryptogram */
        return SW_MEMORY_FAILURE;
    if (d.is_signed)
        return (c->session.xda ? put_xda(c, out, &a) : put_signed(c, out, &a)) == TP_OK
                   ? SW_OK
                   : SW_UNKNOWN;
    return put_plain(c, out, &a) == TP_OK ? SW_OK : SW_UNKNOWN;
}
