#include "issuer/request.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "apdu/emvbits.h"
#include "apdu/emvtags.h"
#include "apdu/tlv.h"
#include "wire/profile.h"

#define PAN_MIN 8

/* ---- the message ---- */

static enum tp_err digest(struct request *out, const struct iso8583 *m)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx != NULL && EVP_DigestInit_ex2(ctx, EVP_sha256(), NULL) == 1;
    unsigned f = 0;

    while (ok && (f = profile_next(PROFILE_ISSUER, m->mti, PROFILE_IDENTITY, f)) != 0) {
        const struct span v = m->field[f];
        const uint8_t head[3] = {(uint8_t)f, (uint8_t)(v.n >> 8), (uint8_t)v.n};

        ok = EVP_DigestUpdate(ctx, head, sizeof(head)) == 1 &&
             (v.n == 0 || EVP_DigestUpdate(ctx, v.p, v.n) == 1);
    }
    ok = ok && EVP_DigestFinal_ex(ctx, out->digest, NULL) == 1;
    EVP_MD_CTX_free(ctx);
    return ok ? TP_OK : TP_ERR_INTERNAL;
}

/* A number in a field that must be there, of at most max. */
static bool number(uint64_t *out, const struct iso8583 *m, unsigned field, uint64_t max)
{
    return iso8583_number(m, field, out) == TP_OK && *out <= max;
}

static const char *read_identity(struct request *out, const struct iso8583 *m)
{
    if (iso8583_text(m, 32, out->acquirer, sizeof(out->acquirer)) != TP_OK ||
        out->acquirer[0] == '\0')
        return "DE32";
    if (iso8583_text(m, 37, out->rrn, sizeof(out->rrn)) != TP_OK || out->rrn[0] == '\0')
        return "DE37";
    if (iso8583_text(m, 2, out->pan, sizeof(out->pan)) != TP_OK || strlen(out->pan) < PAN_MIN)
        return "DE2";
    mask_pan(out->masked, out->pan);
    return NULL;
}

static const char *read_values(struct request *out, const struct iso8583 *m)
{
    uint64_t v = 0;

    if (!number(&v, m, 3, 999999))
        return "DE3";
    out->processing = (unsigned)v;
    if (!number(&v, m, 4, (uint64_t)MONEY_MAX))
        return "DE4";
    out->amount = (int64_t)v;
    if (!number(&v, m, 49, 999))
        return "DE49";
    out->currency = (uint16_t)v;
    if (!number(&v, m, 13, 1231))
        return "DE13";
    out->local_date = (unsigned)v;
    return NULL;
}

static const char *read_card(struct request *out, const struct iso8583 *m)
{
    uint64_t v = 0;

    if (!number(&v, m, 14, 9912) || v % 100 < 1 || v % 100 > 12)
        return "DE14";
    out->expiry = (unsigned)v;
    if (!iso8583_track2_agrees(m))
        return "DE35";
    if (iso8583_has(m, 23)) {
        if (!number(&v, m, 23, 99))
            return "DE23";
        out->psn = (unsigned)v;
    }
    if (!iso8583_has(m, 55) || m->field[55].n > sizeof(out->de55) ||
        tlv_check(m->field[55]) != TP_OK)
        return "DE55";
    memcpy(out->de55, m->field[55].p, m->field[55].n);
    out->de55_n = m->field[55].n;
    return NULL;
}

enum tp_err request_read(struct request *out, const char **bad, const struct iso8583 *m)
{
    memset(out, 0, sizeof(*out));
    out->mti = m->mti;
    *bad = read_identity(out, m);
    if (*bad == NULL)
        *bad = read_values(out, m);
    if (*bad == NULL && m->mti == MTI_AUTHORISATION)
        *bad = read_card(out, m);
    if (*bad != NULL || m->mti != MTI_AUTHORISATION)
        return TP_OK;
    return digest(out, m);
}

void request_wipe(struct request *q)
{
    secret_wipe(q, sizeof(*q));
}

/* ---- the card's part ---- */

const char *chip_read(struct chip *out, const struct request *q)
{
    static const struct {
        uint16_t tag;
        uint8_t min, max;
        bool optional;
        size_t place;
        const char *name;
    } wanted[] = {
        {TAG_AMOUNT, 6, 6, false, offsetof(struct chip, amount), "9F02"},
        {TAG_AMOUNT_OTHER, 6, 6, false, offsetof(struct chip, other), "9F03"},
        {TAG_TERMINAL_COUNTRY, 2, 2, false, offsetof(struct chip, country), "9F1A"},
        {TAG_TVR, 5, 5, false, offsetof(struct chip, tvr), "95"},
        {TAG_TX_CURRENCY, 2, 2, false, offsetof(struct chip, currency), "5F2A"},
        {TAG_TX_DATE, 3, 3, false, offsetof(struct chip, date), "9A"},
        {TAG_TX_TYPE, 1, 1, false, offsetof(struct chip, type), "9C"},
        {TAG_UN, 4, 4, false, offsetof(struct chip, un), "9F37"},
        {TAG_AIP, 2, 2, false, offsetof(struct chip, aip), "82"},
        {TAG_ATC, 2, 2, false, offsetof(struct chip, atc), "9F36"},
        {TAG_IAD, 7, 32, false, offsetof(struct chip, iad), "9F10"},
        {TAG_AC, 8, 8, false, offsetof(struct chip, ac), "9F26"},
        {TAG_CID, 1, 1, false, offsetof(struct chip, cid), "9F27"},
        {TAG_CVM_RESULTS, 3, 3, false, offsetof(struct chip, cvm), "9F34"},
        {TAG_PAN_SEQUENCE, 1, 1, true, offsetof(struct chip, psn), "5F34"},
        {TAG_SCRIPT_RESULTS, 5, 250, true, offsetof(struct chip, results), "9F5B"},
    };
    struct tlv t;

    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        const bool there = tlv_find(span_of(q->de55, q->de55_n), wanted[i].tag, &t) == TP_OK;

        if (!there && wanted[i].optional)
            continue;
        if (!there || t.value.n < wanted[i].min || t.value.n > wanted[i].max)
            return wanted[i].name;
        *(struct span *)(void *)((char *)out + wanted[i].place) = t.value;
    }
    return NULL;
}

/* The TVR as the card had it: two failures of XDA show in it only after GENERATE AC (Book 4,
 * 6.3.2.2). */
static void tvr_at_cryptogram(uint8_t out[5], struct span said)
{
    memset(out, 0, 5);
    memcpy(out, said.p, said.n < 5 ? said.n : 5);
    if (!tvr_has(out, TVR_XDA_SELECTED))
        return;
    out[TVR_XDA_SIGNATURE_FAILED >> 8] &= (uint8_t)~TVR_XDA_SIGNATURE_FAILED;
    out[TVR_ECC_KEY_RECOVERY_FAILED >> 8] &= (uint8_t)~TVR_ECC_KEY_RECOVERY_FAILED;
}

enum tp_err chip_signed(struct buf *out, const struct chip *c)
{
    uint8_t tvr[5];
    const struct span order[] = {c->amount, c->other, c->country, SPAN_OF(tvr), c->currency,
                                 c->date,   c->type,  c->un,      c->aip,       c->atc};
    enum tp_err r = TP_OK;

    tvr_at_cryptogram(tvr, c->tvr);
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]) && r == TP_OK; i++)
        r = buf_put(out, order[i]);
    return r;
}
