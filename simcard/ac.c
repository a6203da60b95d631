/* Cryptograms and signatures: GENERATE AC (EMV 4.4 Book 3, 6.5.5; Book 2, 6.6 and 8.1), INTERNAL AUTHENTICATE (Book 3, 6.5.9; Book 2, 6.5). */
#include "simcard/card_priv.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

#include "apdu/dol.h"
#include "crypto/cryptogram.h"
#include "crypto/emvmake.h"

#define AC_TYPE_MASK     0xC0
#define AC_AAC           0x00
#define AC_TC            0x40
#define AC_ARQC          0x80
#define AC_CDA           0x10 /* P1, b5 */
#define AIP_DDA          0x20 /* byte 1: Book 3, table 41 */
#define AIP_CDA          0x01
#define CVN              18
#define DYNAMIC_NUMBER   8
#define HASH_SIZE        20
#define CVR_LENGTH       3
#define CVM_PIN_PLAIN    0x01 /* codes of Book 3, table 43, without bit 7 */
#define CVM_PIN_SIGN     0x03
#define CVM_PIN_ENC      0x04
#define CVM_PIN_ENC_SIGN 0x05

/* ---- the log ---- */

/* 9F4F: CID, amount, currency, date, type, ATC, country; STATE_LOG_SIZE bytes. */
static const uint8_t log_format[] = {0x9F, 0x27, 1, 0x9F, 0x02, 6, 0x5F, 0x2A, 2, 0x9A, 3, 0x9C, 1, 0x9F, 0x36, 2, 0x9F, 0x1A, 2};

struct span card_log_format(void)
{
    return SPAN_OF(log_format);
}

/* What a cryptogram is asked over: a CDOL and the terminal's values for it. */
struct request {
    struct span dol, values;
};

/* The value of a tag in the request, or as many zeros. */
static enum tp_err put_asked(struct buf *out, const struct request *q, uint32_t tag, size_t n)
{
    struct span v;

    if (dol_extract(q->dol, q->values, tag, &v) == TP_OK && v.n == n)
        return buf_put(out, v);
    return buf_fill(out, 0, n);
}

/* One entry a transaction: the second cryptogram writes over that of the first. */
static void log_transaction(struct card *c, const struct request *q, uint8_t cid, bool second)
{
    if (second)
        c->state.logged--;
    struct buf entry = BUF_OF(c->state.log[c->state.logged % STATE_LOG_MAX]);

    if (buf_u8(&entry, cid) == TP_OK && put_asked(&entry, q, TAG_AMOUNT, 6) == TP_OK && put_asked(&entry, q, TAG_TX_CURRENCY, 2) == TP_OK &&
        put_asked(&entry, q, TAG_TX_DATE, 3) == TP_OK && put_asked(&entry, q, TAG_TX_TYPE, 1) == TP_OK && buf_be16(&entry, c->session.atc) == TP_OK &&
        put_asked(&entry, q, TAG_TERMINAL_COUNTRY, 2) == TP_OK)
        c->state.logged++;
}

/* ---- the card's own decision: Book 3, 9.3 and Annex on card action analysis ---- */

static bool limit_reached(const struct card *c)
{
    return c->profile->offline_limit != 0 && c->state.offline_count >= c->profile->offline_limit;
}

/* The order of cryptograms is TC, ARQC, AAC; a card never answers one before what was asked: Book 3, 9.3.1. */
static uint8_t decide_first(const struct card *c, uint8_t asked)
{
    if (card_blocked(c) || asked == AC_AAC)
        return AC_AAC;
    if (asked == AC_TC && limit_reached(c))
        return AC_ARQC;
    return asked;
}

enum online { ONLINE_DONE, ONLINE_UNABLE_APPROVE, ONLINE_UNABLE_DECLINE };

/* The authorisation response code: Book 4, A6. */
static enum online online_outcome(const struct request *q)
{
    struct span arc;

    if (dol_extract(q->dol, q->values, TAG_ARC, &arc) != TP_OK || arc.n != 2)
        return ONLINE_DONE;
    if (memcmp(arc.p, "Y3", 2) == 0)
        return ONLINE_UNABLE_APPROVE;
    return memcmp(arc.p, "Z3", 2) == 0 ? ONLINE_UNABLE_DECLINE : ONLINE_DONE;
}

static uint8_t decide_second(const struct card *c, uint8_t asked, enum online online)
{
    const uint16_t maximum = c->profile->offline_maximum;

    if (asked == AC_AAC || card_blocked(c) || online == ONLINE_UNABLE_DECLINE)
        return AC_AAC;
    if (online == ONLINE_UNABLE_APPROVE && maximum != 0 && c->state.offline_count >= maximum)
        return AC_AAC;
    return AC_TC;
}

/* ---- card verification results and issuer application data: simcard/card.h ---- */

static bool expects_pin(const struct card *c)
{
    const struct profile_bytes *list = &c->profile->cvm_list;

    for (size_t i = 8; i + 1 < list->n; i += 2) { /* after the amounts X and Y */
        const uint8_t code = list->p[i] & 0x3F;

        if (code == CVM_PIN_PLAIN || code == CVM_PIN_SIGN || code == CVM_PIN_ENC || code == CVM_PIN_ENC_SIGN)
            return true;
    }
    return false;
}

static uint8_t type_bits(uint8_t cid) /* 00 AAC, 01 TC, 10 ARQC */
{
    return cid >> 6;
}

static void make_iad(const struct card *c, uint8_t iad[CARD_IAD_SIZE], uint8_t cid, bool second, enum online online)
{
    const struct card_session *s = &c->session;
    uint8_t a, b = 0, d = 0;

    if (second)
        a = (uint8_t)(type_bits(cid) << 6 | type_bits(s->first_cid) << 4);
    else
        a = (uint8_t)(2 << 6 | type_bits(cid) << 4);
    a |= s->pin_asked ? 0x04 : 0;
    a |= s->pin_asked && !s->pin_right ? 0x02 : 0;
    a |= second && online != ONLINE_DONE ? 0x01 : 0;
    b |= !second && (c->state.flags & STATE_ONLINE_PENDING) != 0 ? 0x80 : 0;
    b |= c->state.pin_tries == 0 ? 0x40 : 0;
    b |= limit_reached(c) ? 0x20 : 0;
    b |= c->state.last_online_atc == 0 ? 0x10 : 0;
    b |= second && online == ONLINE_DONE ? 0x04 : 0;
    d |= s->dda_done ? 0x02 : 0;
    d |= expects_pin(c) && !s->pin_asked ? 0x01 : 0;
    const uint8_t made[CARD_IAD_SIZE] = {CARD_IAD_SIZE - 1, c->profile->dki, CVN, CVR_LENGTH, a, b, d};

    memcpy(iad, made, sizeof(made));
}

/* ---- cryptogram ---- */

static enum tp_err make_ac(const struct card *c, uint8_t ac[8], const struct request *q, struct span iad)
{
    static const struct {
        uint32_t tag;
        uint8_t n;
    } asked[] = {{TAG_AMOUNT, 6},      {TAG_AMOUNT_OTHER, 6}, {TAG_TERMINAL_COUNTRY, 2}, {TAG_TVR, 5},
                 {TAG_TX_CURRENCY, 2}, {TAG_TX_DATE, 3},      {TAG_TX_TYPE, 1},          {TAG_UN, 4}};
    const uint8_t atc[2] = {(uint8_t)(c->session.atc >> 8), (uint8_t)c->session.atc};
    struct secret session = {NULL, 0};
    uint8_t raw[64];
    struct buf data = BUF_OF(raw);
    enum tp_err r = TP_OK;

    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]) && r == TP_OK; i++)
        r = put_asked(&data, q, asked[i].tag, asked[i].n);
    if (r == TP_OK)
        r = buf_put(&data, SPAN_OF(c->profile->aip));
    if (r == TP_OK)
        r = buf_put(&data, SPAN_OF(atc));
    if (r == TP_OK)
        r = buf_put(&data, iad);
    if (r == TP_OK)
        r = emv_session_key_ac(&session, EMV_CVN_18, secret_span(&c->profile->ac_key), atc);
    if (r == TP_OK)
        r = emv_ac_make(ac, EMV_CVN_18, secret_span(&session), buf_span(&data));
    secret_free(&session);
    return r;
}

/* ---- answers ---- */

struct answer {
    struct fault_ac plan;
    uint8_t iad[CARD_IAD_SIZE];
    uint16_t atc;
    const struct card_values *cdol2; /* NULL at the first GENERATE AC */
};

static enum tp_err put_common(struct buf *out, const struct answer *a) /* 9F27, 9F36 */
{
    const uint8_t atc[2] = {(uint8_t)(a->atc >> 8), (uint8_t)a->atc};
    const enum tp_err r = tlv_put(out, TAG_CID, span_of(&a->plan.cid, 1));

    return r == TP_OK ? tlv_put(out, TAG_ATC, SPAN_OF(atc)) : r;
}

/* Without signature: Book 3, tables 12 and 13. */
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
            r = buf_put(&inner, SPAN_OF(a->iad));
        return r == TP_OK ? tlv_put(out, TAG_RESPONSE_1, buf_span(&inner)) : r;
    }
    r = put_common(&inner, a);
    if (r == TP_OK)
        r = tlv_put(&inner, TAG_AC, SPAN_OF(a->plan.ac));
    if (r == TP_OK)
        r = tlv_put(&inner, TAG_IAD, SPAN_OF(a->iad));
    return r == TP_OK ? tlv_put(out, TAG_RESPONSE_2, buf_span(&inner)) : r;
}

/* Transaction data hash code: Book 2, 6.6.1: PDOL, CDOL1 (and CDOL2) values, then the response objects without 9F4B. */
static enum tp_err hash_transaction(const struct card *c, uint8_t hash[HASH_SIZE], const struct answer *a)
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
        r = tlv_put(&all, TAG_IAD, SPAN_OF(a->iad));
    if (r != TP_OK)
        return r;
    raw[all.n - 1] ^= a->plan.response_flip;
    return EVP_Q_digest(NULL, "SHA1", NULL, raw, all.n, hash, NULL) == 1 ? TP_OK : TP_ERR_INTERNAL;
}

static enum tp_err make_sdad(const struct card *c, uint8_t sdad[EMV_RSA_MAX], size_t *n, struct span dynamic, struct span terminal)
{
    const enum tp_err r = emv_sdad_make(sdad, c->profile->key, dynamic, terminal);

    *n = emv_pubkey_size(emv_privkey_public(c->profile->key));
    if (r == TP_OK)
        fault_sdad(&c->faults, c->profile->key, sdad, *n);
    return r;
}

/* With signature: Book 2, table 19 (ICC dynamic data) and Book 3, table 14 (response, always format 2). */
static enum tp_err put_signed(const struct card *c, struct buf *out, const struct answer *a)
{
    uint8_t dynamic[1 + DYNAMIC_NUMBER + 1 + 8 + HASH_SIZE] = {DYNAMIC_NUMBER};
    uint8_t *const after = dynamic + 1 + DYNAMIC_NUMBER;
    uint8_t sdad[EMV_RSA_MAX], raw[APDU_SHORT_RESPONSE_MAX];
    struct buf inner = BUF_OF(raw);
    size_t sdad_n;
    enum tp_err r;

    if (RAND_bytes(dynamic + 1, DYNAMIC_NUMBER) != 1)
        return TP_ERR_INTERNAL;
    fault_dynamic_number(&c->faults, dynamic);
    after[0] = a->plan.cid_signed;
    memcpy(after + 1, a->plan.ac, 8);
    r = hash_transaction(c, after + 9, a);
    if (r == TP_OK)
        r = make_sdad(c, sdad, &sdad_n, SPAN_OF(dynamic), SPAN_OF(a->plan.un));
    if (r == TP_OK)
        r = put_common(&inner, a);
    if (r == TP_OK)
        r = tlv_put(&inner, TAG_SDAD, span_of(sdad, sdad_n));
    if (r == TP_OK)
        r = tlv_put(&inner, TAG_IAD, SPAN_OF(a->iad));
    return r == TP_OK ? tlv_put(out, TAG_RESPONSE_2, buf_span(&inner)) : r;
}

/* ---- GENERATE AC ---- */

static void settle(struct card *c, uint8_t cid, bool second, enum online online)
{
    const bool online_done = second && online == ONLINE_DONE;

    c->state.flags &= (uint8_t)~STATE_ONLINE_PENDING;
    if (cid == AC_ARQC)
        c->state.flags |= STATE_ONLINE_PENDING;
    if (online_done && cid == AC_TC) {
        c->state.last_online_atc = c->state.atc;
        c->state.offline_count = 0;
    } else if (cid == AC_TC && c->state.offline_count < UINT16_MAX) {
        c->state.offline_count++;
    }
    if (!second)
        c->session.first_cid = cid;
    c->session.phase = cid == AC_ARQC ? PHASE_ONLINE : PHASE_COMPLETED;
}

static enum tp_err plan_answer(const struct card *c, struct answer *a, const struct request *q, uint8_t cid)
{
    struct buf un = BUF_OF(a->plan.un);
    enum tp_err r = make_ac(c, a->plan.ac, q, SPAN_OF(a->iad));

    if (r == TP_OK)
        r = put_asked(&un, q, TAG_UN, sizeof(a->plan.un));
    if (r != TP_OK)
        return r;
    a->plan.cid = a->plan.cid_signed = cid;
    fault_generate_ac(&c->faults, &a->plan);
    return TP_OK;
}

/* P1 and order: Book 3, table 11; 10.8 and 10.11: a TC or AAC ends it, an ARQC is followed by one more request, for a TC or an AAC. */
static uint16_t check_order(const struct card *c, const struct capdu *in)
{
    const bool can_cda = (c->profile->aip[0] & AIP_CDA) != 0;

    if ((in->p1 & AC_TYPE_MASK) == AC_TYPE_MASK || (in->p1 & (uint8_t) ~(AC_TYPE_MASK | (can_cda ? AC_CDA : 0))) != 0 || in->p2 != 0)
        return SW_WRONG_P1P2;
    if (c->session.phase == PHASE_STARTED)
        return SW_OK;
    return c->session.phase == PHASE_ONLINE && (in->p1 & AC_TYPE_MASK) != AC_ARQC ? SW_OK : SW_CONDITIONS;
}

uint16_t card_generate_ac(struct card *c, const struct capdu *in, struct buf *out)
{
    const bool second = c->session.phase == PHASE_ONLINE;
    const struct profile_bytes *dol = second ? &c->profile->cdol2 : &c->profile->cdol1;
    const struct request q = {span_of(dol->p, dol->n), in->data};
    const uint8_t asked = in->p1 & AC_TYPE_MASK;
    struct card_values values = {.n = in->data.n};
    struct answer a = {.atc = c->session.atc, .cdol2 = second ? &values : NULL};
    enum online online;
    size_t want;
    uint8_t cid;
    uint16_t sw = check_order(c, in);

    if (sw != SW_OK)
        return sw;
    if (dol_length(q.dol, &want) != TP_OK || want > sizeof(values.p))
        return SW_UNKNOWN;
    if (in->data.n != want)
        return SW_WRONG_LENGTH;
    if (want > 0)
        memcpy(values.p, in->data.p, want);
    if (!second)
        c->session.cdol1 = values;
    online = second ? online_outcome(&q) : ONLINE_DONE;
    cid = fault_cid(&c->faults, second ? decide_second(c, asked, online) : decide_first(c, asked));
    make_iad(c, a.iad, cid, second, online);
    if (plan_answer(c, &a, &q, cid) != TP_OK)
        return SW_UNKNOWN;
    settle(c, cid, second, online);
    log_transaction(c, &q, cid, second);
    if (card_state_write(c, STATE_SOON) != TP_OK)
        return SW_MEMORY_FAILURE;
    /* An AAC is not signed: Book 2, 6.6.1. */
    if ((in->p1 & AC_CDA) != 0 && cid != AC_AAC)
        return put_signed(c, out, &a) == TP_OK ? SW_OK : SW_UNKNOWN;
    return put_plain(c, out, &a) == TP_OK ? SW_OK : SW_UNKNOWN;
}

/* ---- INTERNAL AUTHENTICATE ---- */

uint16_t card_internal_authenticate(struct card *c, const struct capdu *in, struct buf *out)
{
    uint8_t dynamic[1 + DYNAMIC_NUMBER] = {DYNAMIC_NUMBER}, sdad[EMV_RSA_MAX];
    size_t n, want;
    struct span signature;

    if ((c->profile->aip[0] & AIP_DDA) == 0)
        return SW_INS_NOT_SUPPORTED;
    if (in->p1 != 0 || in->p2 != 0)
        return SW_WRONG_P1P2;
    if (c->session.phase != PHASE_STARTED)
        return SW_CONDITIONS;
    if (dol_length(span_of(c->profile->ddol.p, c->profile->ddol.n), &want) != TP_OK)
        return SW_UNKNOWN;
    if (c->profile->ddol.n == 0) /* the terminal's default DDOL holds at least the unpredictable number: Book 3, 5.4 */
        want = in->data.n;
    if (in->data.n != want || want == 0)
        return SW_WRONG_LENGTH;
    fault_dynamic_number(&c->faults, dynamic);
    if (RAND_bytes(dynamic + 1, DYNAMIC_NUMBER) != 1 || make_sdad(c, sdad, &n, SPAN_OF(dynamic), in->data) != TP_OK)
        return SW_UNKNOWN;
    c->session.dda_done = true;
    signature = span_of(sdad, n);
    if (c->profile->format == 1)
        return tlv_put(out, TAG_RESPONSE_1, signature) == TP_OK ? SW_OK : SW_UNKNOWN;
    if (tlv_put_header(out, TAG_RESPONSE_2, tlv_size(TAG_SDAD, n)) != TP_OK)
        return SW_UNKNOWN;
    return tlv_put(out, TAG_SDAD, signature) == TP_OK ? SW_OK : SW_UNKNOWN;
}
