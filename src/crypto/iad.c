#include "crypto/iad.h"

#include <stddef.h>
#include <string.h>

enum {
    VIS_HEAD = 6,
    VIS_CVN_10 = 0x0A,
    VIS_CVN_18 = 0x12,
    VIS_CVR = 3,
    CCD_SIZE = 32,
    CCD_HEAD = 0x0F,
    CCI_3DES = 0xA5,
    CCI_AES = 0xA6,
    CCD_CVR = 5
};

/* A bit of the CVR and the fact it stands for. */
struct bit {
    uint8_t byte, mask;
    size_t fact; /* offset of a bool in struct emv_iad */
};

#define FACT(name) offsetof(struct emv_iad, name)

static const struct bit vis_bits[] = {
    {0, 0x08, FACT(issuer_auth_failed)},
    {0, 0x04, FACT(pin_performed)},
    {0, 0x02, FACT(pin_failed)},
    {0, 0x01, FACT(unable_online)},
    {1, 0x80, FACT(last_online_not_completed)},
    {1, 0x40, FACT(pin_tries_exceeded)},
    {1, 0x20, FACT(offline_limit_exceeded)},
    {1, 0x10, FACT(new_card)},
    {1, 0x08, FACT(issuer_auth_failed)},
    {1, 0x04, FACT(issuer_auth_not_performed)},
    {1, 0x02, FACT(blocked_by_pin)},
    {1, 0x01, FACT(oda_failed)},
    {2, 0x08, FACT(script_failed)},
    {2, 0x04, FACT(oda_failed)},
    {2, 0x02, FACT(dda_performed)},
    {2, 0x01, FACT(pin_expected)},
};

/* Book 3, Annex C9.3, table CCD 10 */
static const struct bit ccd_bits[] = {
    {0, 0x08, FACT(cda_performed)},
    {0, 0x04, FACT(dda_performed)},
    {0, 0x02, FACT(issuer_auth_not_performed)},
    {0, 0x01, FACT(issuer_auth_failed)},
    {1, 0x08, FACT(pin_performed)},
    {1, 0x04, FACT(pin_failed)},
    {1, 0x02, FACT(pin_tries_exceeded)},
    {1, 0x01, FACT(last_online_not_completed)},
    {2, 0xF0, FACT(offline_limit_exceeded)},
    {3, 0x08, FACT(script_failed)},
    {3, 0x04, FACT(oda_failed)},
    {3, 0x02, FACT(go_online_set)},
    {3, 0x01, FACT(unable_online)},
};

static void read_bits(struct emv_iad *out, const uint8_t *cvr, const struct bit *bits, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((cvr[bits[i].byte] & bits[i].mask) != 0)
            *(bool *)(void *)((char *)out + bits[i].fact) = true;
}

/* Both kinds: bits 8-7 the second AC (10: not asked for), bits 6-5 the first. */
static enum tp_err read_types(struct emv_iad *out, uint8_t b)
{
    const unsigned second = b >> 6, first = b >> 4 & 3;

    if (second == 3 || first == 3)
        return TP_ERR_FORMAT;
    out->second = second == 2 ? EMV_AC_NONE : (enum emv_ac_type)second;
    out->first = (enum emv_ac_type)first;
    return TP_OK;
}

static enum tp_err parse_vis(struct emv_iad *out, struct span iad)
{
    const uint8_t *cvr = iad.p + 4;

    if (iad.n < 1 + VIS_HEAD || iad.p[3] != VIS_CVR ||
        (iad.p[2] != VIS_CVN_10 && iad.p[2] != VIS_CVN_18))
        return TP_ERR_FORMAT;
    out->cvn = iad.p[2] == VIS_CVN_10 ? EMV_CVN_10 : EMV_CVN_18;
    out->dki = iad.p[1];
    out->cvr = span_of(iad.p + 3, 1 + VIS_CVR);
    out->discretionary = span_of(iad.p + 1 + VIS_HEAD, iad.n - 1 - VIS_HEAD);
    out->scripts = cvr[2] >> 4;
    read_bits(out, cvr, vis_bits, sizeof(vis_bits) / sizeof(vis_bits[0]));
    return read_types(out, cvr[0]);
}

static enum tp_err parse_ccd(struct emv_iad *out, struct span iad)
{
    const uint8_t *cvr = iad.p + 3;

    if (iad.n != CCD_SIZE || iad.p[16] != CCD_HEAD || (iad.p[1] != CCI_3DES && iad.p[1] != CCI_AES))
        return TP_ERR_FORMAT;
    out->cvn = iad.p[1] == CCI_3DES ? EMV_CCD_3DES : EMV_CCD_AES;
    out->dki = iad.p[2];
    out->cvr = span_of(cvr, CCD_CVR);
    out->counters = span_of(cvr + CCD_CVR, 8);
    out->discretionary = span_of(iad.p + 17, 15);
    out->scripts = cvr[3] >> 4;
    out->pin_tries = cvr[1] >> 4;
    read_bits(out, cvr, ccd_bits, sizeof(ccd_bits) / sizeof(ccd_bits[0]));
    return read_types(out, cvr[0]);
}

enum tp_err emv_iad_parse(struct emv_iad *out, struct span iad)
{
    memset(out, 0, sizeof(*out));
    out->pin_tries = -1;
    if (iad.n == 0 || iad.n > EMV_IAD_MAX)
        return TP_ERR_FORMAT;
    return iad.p[0] == CCD_HEAD   ? parse_ccd(out, iad)
           : iad.p[0] == VIS_HEAD ? parse_vis(out, iad)
                                  : TP_ERR_FORMAT;
}

struct span emv_iad_signed(const struct emv_iad *i, struct span iad)
{
    return i->cvn == EMV_CVN_10 ? i->cvr : iad;
}

/* ---- every kind ---- */

#define ALL            0
#define MCHIP_CVR      6
#define MCHIP_COUNTERS 10 /* behind DKI, CVN, CVR, DAC */

/* A form of 9F10: where its number stands, and what of it the AC covers. */
static const struct form {
    const char *kind;
    uint8_t head; /* its first byte, the length of what follows; 0: anything, Mastercard's DKI */
    uint8_t at, number; /* the cryptogram version number or common core identifier */
    uint8_t from, n;    /* of the bytes that the AC covers; n = ALL: all */
    bool counters;      /* Mastercard's are covered too */
    uint8_t min;        /* bytes */
} forms[] = {
    {"10", VIS_HEAD, 2, VIS_CVN_10, 3, 1 + VIS_CVR, false, 1 + VIS_HEAD},
    {"18", VIS_HEAD, 2, VIS_CVN_18, 0, ALL, false, 1 + VIS_HEAD},
    {"22", 0x1F, 1, 0x22, 0, ALL, false, CCD_SIZE},
    {"ccd-3des", CCD_HEAD, 1, CCI_3DES, 0, ALL, false, CCD_SIZE},
    {"ccd-aes", CCD_HEAD, 1, CCI_AES, 0, ALL, false, CCD_SIZE},
    {"133", 0x15, 2, 0x85, 0, ALL, false, 22},
    {"pboc", 0x07, 2, 0x01, 3, 1 + VIS_CVR, false, 8},
    {"16", 0, 1, 0x10, 2, MCHIP_CVR, false, 0},
    {"17", 0, 1, 0x11, 2, MCHIP_CVR, true, 0},
    {"20", 0, 1, 0x14, 2, MCHIP_CVR, false, 0},
    {"21", 0, 1, 0x15, 2, MCHIP_CVR, true, 0},
};

/* Bytes of counters that Mastercard's has, by its size; 0: it is none of these. */
static size_t counters_of(size_t n)
{
    return n == 18 || n == 20 ? 8 : n == 26 || n == 28 ? 16 : 0;
}

static bool is_form(const struct form *f, struct span iad)
{
    const bool sized =
        f->head != 0 ? iad.p[0] == f->head && iad.n >= f->min : counters_of(iad.n) > 0;

    return sized && iad.p[f->at] == f->number;
}

enum tp_err emv_iad_covered(const struct emv_kind **kind, struct buf *out, struct span iad)
{
    enum tp_err r;

    if (iad.n < 2 || iad.n > EMV_IAD_MAX)
        return TP_ERR_FORMAT;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        const struct form *f = &forms[i];

        if (!is_form(f, iad))
            continue;
        *kind = emv_kind_find(f->kind);
        r = buf_put(out, f->n == ALL ? iad : span_of(iad.p + f->from, f->n));
        return r == TP_OK && f->counters
                   ? buf_put(out, span_of(iad.p + MCHIP_COUNTERS, counters_of(iad.n)))
                   : r;
    }
    return TP_ERR_FORMAT;
}
