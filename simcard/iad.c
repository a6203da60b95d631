/* Card verification results and issuer application data (9F10): the layouts of simcard/card.h. */
#include "simcard/card_priv.h"

#include "base/bcd.h"
#include "crypto/cryptogram.h"

#define VIS_LENGTH 6
#define VIS_CVR    3
#define CCD_PART   15

#define COUNT_RISKS  (CARD_RISK_COUNT_LIMIT | CARD_RISK_COUNT_MAXIMUM)
#define AMOUNT_RISKS (CARD_RISK_AMOUNT_LIMIT | CARD_RISK_AMOUNT_MAXIMUM)

/* A fact and the bit that tells it. */
struct told {
    bool fact;
    uint8_t bit;
};

static uint8_t gather(const struct told *t, size_t n)
{
    uint8_t byte = 0;

    for (size_t i = 0; i < n; i++)
        byte |= t[i].fact ? t[i].bit : 0;
    return byte;
}

#define GATHER(list) gather(list, sizeof(list) / sizeof((list)[0]))

static bool expects_pin(const struct card *c)
{
    const struct profile_bytes *list = &c->profile->cvm_list;

    for (size_t i = 8; i + 1 < list->n; i += 2) { /* after the amounts X and Y */
        const uint8_t code = list->p[i] & CVM_CODE;

        if (code == CVM_PLAINTEXT_PIN || code == CVM_PLAINTEXT_PIN_SIGNATURE ||
            code == CVM_ENCIPHERED_PIN || code == CVM_ENCIPHERED_PIN_SIGNATURE)
            return true;
    }
    return false;
}

static uint8_t type_bits(uint8_t cid) /* 00 AAC, 01 TC, 10 ARQC */
{
    return cid >> 6;
}

/* Bits 8 to 5 of the first byte, alike in both layouts: second AC (10: not requested), first AC. */
static uint8_t ac_types(const struct card *c, const struct card_decision *d)
{
    if (d->second)
        return (uint8_t)(type_bits(d->cid) << 6 | type_bits(c->session.first_cid) << 4);
    return (uint8_t)(2 << 6 | type_bits(d->cid) << 4);
}

static bool unable(const struct card_decision *d)
{
    return d->online == ONLINE_UNABLE_APPROVE || d->online == ONLINE_UNABLE_DECLINE;
}

static enum tp_err put_vis_cvr(struct buf *out, const struct card *c, const struct card_decision *d)
{
    const struct card_session *s = &c->session;
    const uint16_t before = s->history, now = c->state.flags;
    const struct told byte1[] = {{s->issuer == ISSUER_FAILED, 0x08},
                                 {s->pin_asked, 0x04},
                                 {s->pin_asked && !s->pin_right, 0x02},
                                 {unable(d), 0x01}};
    const struct told byte2[] = {{(before & STATE_ONLINE_PENDING) != 0, 0x80},
                                 {c->state.pin_tries == 0, 0x40},
                                 {(d->risks & (COUNT_RISKS | AMOUNT_RISKS)) != 0, 0x20},
                                 {(d->risks & CARD_RISK_NEW_CARD) != 0, 0x10},
                                 {(before & STATE_ISSUER_FAILED) != 0, 0x08},
                                 {d->online == ONLINE_DONE && s->issuer == ISSUER_NOT_SEEN, 0x04},
                                 {(now & STATE_TRIES_BLOCKED) != 0, 0x02},
                                 {(before & STATE_SDA_FAILED) != 0, 0x01}};
    const struct told byte3[] = {{(now & STATE_SCRIPT_FAILED) != 0, 0x08},
                                 {(before & STATE_DDA_FAILED) != 0, 0x04},
                                 {s->dda_done || s->cda_done, 0x02},
                                 {expects_pin(c) && !s->pin_asked, 0x01}};
    const uint8_t cvr[1 + VIS_CVR] = {VIS_CVR, (uint8_t)(ac_types(c, d) | GATHER(byte1)),
                                      GATHER(byte2),
                                      (uint8_t)(c->state.scripts << 4 | GATHER(byte3))};

    return buf_put(out, SPAN_OF(cvr));
}

/* What is told until an issuer is authenticated, and in the very answer to it no longer:
 * CCD, 9.2.3.2. */
static bool still(const struct card *c, uint16_t flag)
{
    return (c->session.history & flag) != 0 && c->session.issuer != ISSUER_GOOD;
}

/* "Issuer authentication not performed": in a first cryptogram as the last second one said. */
static bool not_performed(const struct card *c, const struct card_decision *d)
{
    return d->second ? c->session.issuer == ISSUER_NOT_SEEN
                     : (c->session.history & STATE_ISSUER_MISSING) != 0;
}

/* "Go online on next transaction was set", by the last CSU that was right. */
static bool go_online_set(const struct card *c)
{
    return c->session.issuer == ISSUER_GOOD ? card_issuer_wants_online(c)
                                            : (c->session.history & STATE_GO_ONLINE) != 0;
}

/* Book 3, Annex C9.3; when each bit is set: 9.2.3.2 of the CCD. */
static enum tp_err put_ccd_cvr(struct buf *out, const struct card *c, const struct card_decision *d)
{
    const struct card_session *s = &c->session;
    const uint16_t before = s->history;
    const struct told byte1[] = {
        {s->cda_done, 0x08},
        {s->dda_done, 0x04},
        {not_performed(c, d), 0x02},
        {s->issuer == ISSUER_FAILED || still(c, STATE_ISSUER_FAILED), 0x01}};
    const struct told byte2[] = {{s->pin_asked, 0x08},
                                 {s->pin_asked && !s->pin_right, 0x04},
                                 {c->state.pin_tries == 0, 0x02},
                                 {still(c, STATE_ONLINE_PENDING), 0x01}};
    const struct told byte3[] = {{(d->risks & CARD_RISK_COUNT_LIMIT) != 0, 0x80},
                                 {(d->risks & CARD_RISK_COUNT_MAXIMUM) != 0, 0x40},
                                 {(d->risks & CARD_RISK_AMOUNT_LIMIT) != 0, 0x20},
                                 {(d->risks & CARD_RISK_AMOUNT_MAXIMUM) != 0, 0x10},
                                 {(d->risks & CARD_RISK_NEW_CARD) != 0, 0x08},
                                 {expects_pin(c) && !s->pin_asked, 0x01}};
    const struct told byte4[] = {{s->script_failed || still(c, STATE_SCRIPT_FAILED), 0x08},
                                 {(before & (STATE_SDA_FAILED | STATE_DDA_FAILED)) != 0, 0x04},
                                 {go_online_set(c), 0x02},
                                 {unable(d), 0x01}};
    const uint8_t cvr[5] = {(uint8_t)(ac_types(c, d) | GATHER(byte1)),
                            (uint8_t)(c->state.pin_tries << 4 | GATHER(byte2)), GATHER(byte3),
                            (uint8_t)(c->state.scripts << 4 | GATHER(byte4)), 0x00};

    return buf_put(out, SPAN_OF(cvr));
}

static enum tp_err put_vis(struct buf *out, const struct card *c, const struct card_decision *d)
{
    const uint8_t head[] = {VIS_LENGTH, c->profile->dki,
                            c->profile->cvn == EMV_CVN_10 ? 0x0A : 0x12};
    const enum tp_err r = buf_put(out, SPAN_OF(head));

    return r == TP_OK ? put_vis_cvr(out, c, d) : r;
}

/* Book 3, Annex C9.2: two parts of fifteen bytes, the issuer's own part empty. */
static enum tp_err put_ccd(struct buf *out, const struct card *c, const struct card_decision *d)
{
    const uint8_t head[] = {CCD_PART, c->profile->cvn == EMV_CCD_3DES ? 0xA5 : 0xA6,
                            c->profile->dki};
    enum tp_err r = buf_put(out, SPAN_OF(head));

    if (r == TP_OK)
        r = put_ccd_cvr(out, c, d);
    if (r == TP_OK) /* counters: Annex C9.2 leaves their content to the payment system */
        r = buf_be16(out, c->state.offline_count);
    if (r == TP_OK)
        r = bcd_put(out, c->state.offline_amount, 12);
    if (r == TP_OK)
        r = buf_u8(out, CCD_PART);
    return r == TP_OK ? buf_fill(out, 0, CCD_PART) : r;
}

size_t card_iad_length(enum emv_cvn cvn)
{
    return cvn == EMV_CVN_10 || cvn == EMV_CVN_18 ? 1 + VIS_LENGTH : CARD_IAD_MAX;
}

enum tp_err card_iad_put(struct buf *out, const struct card *c, const struct card_decision *d)
{
    return card_ccd(c) ? put_ccd(out, c, d) : put_vis(out, c, d);
}

struct span card_iad_signed(const struct card *c, struct span iad)
{
    return c->profile->cvn == EMV_CVN_10 ? span_of(iad.p + iad.n - 1 - VIS_CVR, 1 + VIS_CVR) : iad;
}
