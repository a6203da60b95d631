/* Secure messaging of issuer script commands: EMV 4.4 Book 2, 9; the layouts of the kinds of card
 * in simcard/card.h. */
#include "simcard/card_priv.h"

#include <string.h>

#include "crypto/script.h"

#define CLA_FORMAT    0x0C /* b4-3: secure messaging: ISO/IEC 7816-4, 5.4.1 */
#define CLA_FORMAT_1  0x0C
#define CLA_FORMAT_2  0x04
#define HEAD          5 /* CLA INS P1 P2 Lc */
#define TAG_SM_PLAIN  0x81
#define TAG_SM_CIPHER 0x87
#define TAG_SM_MAC    0x8E
#define PADDED        0x01 /* padding indicator of object 87 */

/* A command taken apart. */
struct wrapped {
    struct span data;        /* plain or enciphered */
    struct span signed_data; /* what the MAC runs over, after the header */
    struct span mac;
    bool enciphered;
};

bool card_ccd(const struct card *c)
{
    return c->profile->cvn == EMV_CCD_3DES || c->profile->cvn == EMV_CCD_AES;
}

/* Format 2: the data, then the MAC: Book 2, 9.2.1.2. */
static uint16_t split_2(struct wrapped *w, struct span field, size_t plain_n, bool enciphered)
{
    if (field.n < plain_n + EMV_SCRIPT_MAC_MIN || field.n > plain_n + EMV_SCRIPT_MAC)
        return SW_SM_OBJECTS_MISSING;
    w->data = w->signed_data = span_of(field.p, plain_n);
    w->mac = span_of(field.p + plain_n, field.n - plain_n);
    w->enciphered = enciphered;
    return SW_OK;
}

/* Format 1: an object 81 or 87, or none, then 8E: Book 2, 9.2.1.1. */
static uint16_t split_1(struct wrapped *w, struct span field, bool enciphered)
{
    struct span in = field;
    struct tlv t;

    if (tlv_next(&in, &t) != TP_OK)
        return SW_SM_OBJECTS_MISSING;
    if (t.tag == TAG_SM_PLAIN || t.tag == TAG_SM_CIPHER) {
        w->data = t.value;
        w->enciphered = t.tag == TAG_SM_CIPHER;
        if (w->enciphered != enciphered ||
            (enciphered && (t.value.n == 0 || t.value.p[0] != PADDED)))
            return SW_SM_OBJECTS_WRONG;
        if (enciphered)
            w->data = span_of(t.value.p + 1, t.value.n - 1);
        if (tlv_next(&in, &t) != TP_OK)
            return SW_SM_OBJECTS_MISSING;
    }
    if (t.tag != TAG_SM_MAC)
        return SW_SM_OBJECTS_MISSING;
    w->signed_data = span_of(field.p, (size_t)(t.raw.p - field.p));
    w->mac = t.value;
    return in.n == 0 && t.value.n >= EMV_SCRIPT_MAC_MIN && t.value.n <= EMV_SCRIPT_MAC
               ? SW_OK
               : SW_SM_OBJECTS_WRONG;
}

static uint16_t split(const struct card *c, struct wrapped *w, const struct capdu *in,
                      size_t plain_n, bool enciphered)
{
    if ((in->cla & CLA_FORMAT) != (card_ccd(c) ? CLA_FORMAT_1 : CLA_FORMAT_2))
        return SW_SM_OBJECTS_MISSING;
    return card_ccd(c) ? split_1(w, in->data, enciphered)
                       : split_2(w, in->data, plain_n, enciphered);
}

/* Whether the MAC is right; the chaining value then moves on (Book 2, 9.2.3.1). */
static enum tp_err check_mac(struct card *c, const struct wrapped *w, const struct capdu *in,
                             const struct emv_script_keys *keys, bool *right)
{
    const uint8_t head[HEAD] = {in->cla, in->ins, in->p1, in->p2, (uint8_t)in->data.n};
    struct emv_script where = {.kind = emv_kind_of(c->profile->cvn),
                               .atc = {(uint8_t)(c->session.atc >> 8), (uint8_t)c->session.atc}};
    uint8_t full[EMV_BLOCK_MAX];
    enum tp_err r;

    memcpy(where.chain, c->session.chain, sizeof(where.chain));
    r = emv_script_mac(full, &where, secret_span(&keys->mac), head, w->signed_data);
    *right = r == TP_OK && secret_eq(span_of(full, w->mac.n), w->mac);
    if (*right && card_ccd(c))
        memcpy(c->session.chain, full, emv_cvn_block(c->profile->cvn));
    return r;
}

uint16_t card_unwrap(struct card *c, struct buf *plain, const struct capdu *in, size_t plain_n,
                     bool enciphered)
{
    const uint8_t atc[2] = {(uint8_t)(c->session.atc >> 8), (uint8_t)c->session.atc};
    const struct card_profile *p = c->profile;
    struct emv_script_keys keys = {{NULL, 0}, {NULL, 0}};
    struct wrapped w = {{NULL, 0}, {NULL, 0}, {NULL, 0}, false};
    bool right = false;
    uint16_t sw = split(c, &w, in, plain_n, enciphered);

    if (sw != SW_OK)
        return sw;
    if (emv_script_keys_derive(&keys, p->cvn, secret_span(&p->smi_key), secret_span(&p->smc_key),
                               atc, c->session.first_ac) != TP_OK ||
        check_mac(c, &w, in, &keys, &right) != TP_OK)
        sw = SW_UNKNOWN;
    else if (!right)
        sw = SW_SM_OBJECTS_WRONG;
    else if (!w.enciphered)
        sw = buf_put(plain, w.data) == TP_OK ? SW_OK : SW_UNKNOWN;
    else if (emv_script_decipher(plain, emv_kind_of(p->cvn), secret_span(&keys.cipher), w.data) !=
             TP_OK)
        sw = SW_SM_OBJECTS_WRONG;
    emv_script_keys_free(&keys);
    return sw;
}
