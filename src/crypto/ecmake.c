#include "crypto/ecmake.h"

#include "base/bcd.h"
#include "crypto/eccert_priv.h"

#define LAST_MINUTE 2359

/* The signature over what was appended since `from`. */
static enum tp_err put_signature(struct buf *out, size_t from, const struct ec_privkey *signer)
{
    const struct span body = span_of(out->p + from, out->n - from);
    uint8_t signature[EC_SIGNATURE_MAX];
    const enum tp_err r = ec_sign(signature, signer, &body, 1);

    return r == TP_OK ? buf_put(out, span_of(signature, ec_signature_size(signer->pub.suite))) : r;
}

static enum tp_err put_start(struct buf *out, uint8_t format)
{
    const enum tp_err r = buf_u8(out, format);

    return r == TP_OK ? buf_u8(out, EC_ENCODING) : r;
}

enum tp_err ec_authority_make(struct buf *out, const struct ec_authority_key *a)
{
    const size_t from = out->n;
    enum tp_err r = put_start(out, EC_FORMAT_AUTHORITY);

    if (r == TP_OK)
        r = buf_put(out, SPAN_OF(a->rid));
    if (r == TP_OK)
        r = buf_u8(out, a->index);
    if (r == TP_OK)
        r = buf_u8(out, a->key.pub.suite->signature);
    if (r == TP_OK)
        r = buf_put(out, ec_pubkey_x(&a->key.pub));
    return r == TP_OK ? put_signature(out, from, &a->key) : r;
}

enum tp_err ec_issuer_cert_make(struct buf *out, const struct ec_authority_key *a,
                                const struct ec_pubkey *issuer, const char *iin, int expiry,
                                const uint8_t serial[3])
{
    const size_t from = out->n;
    enum tp_err r = put_start(out, EC_FORMAT_ISSUER);

    if (r == TP_OK)
        r = bcd_put_cn(out, iin, EC_IDENTIFIER);
    if (r == TP_OK)
        r = buf_u8(out, issuer->suite->signature);
    if (r == TP_OK)
        r = bcd_put(out, (uint64_t)expiry, 8);
    if (r == TP_OK)
        r = buf_put(out, span_of(serial, 3));
    if (r == TP_OK)
        r = buf_put(out, SPAN_OF(a->rid));
    if (r == TP_OK)
        r = buf_u8(out, a->index);
    if (r == TP_OK)
        r = buf_put(out, ec_pubkey_x(issuer));
    return r == TP_OK ? put_signature(out, from, &a->key) : r;
}

static enum tp_err put_iccd_hash(struct buf *out, const struct ec_icc_wanted *wanted)
{
    uint8_t hash[EC_HASH_MAX];
    enum tp_err r = buf_u8(out, EC_ENCODING);

    if (r == TP_OK)
        r = buf_u8(out, (uint8_t)wanted->hash);
    if (r == TP_OK)
        r = ec_hash(hash, (uint8_t)wanted->hash, &wanted->iccd, 1);
    return r == TP_OK ? buf_put(out, span_of(hash, ec_hash_size((uint8_t)wanted->hash))) : r;
}

enum tp_err ec_icc_cert_make(struct buf *out, const struct ec_privkey *issuer,
                             const struct ec_icc_wanted *wanted)
{
    const struct ec_suite *suite = wanted->key->suite;
    const size_t from = out->n;
    enum tp_err r = put_start(out, EC_FORMAT_ICC);

    if (r == TP_OK)
        r = buf_u8(out, wanted->which == EMV_ICC_PIN_KEY ? suite->ode : suite->signature);
    if (r == TP_OK)
        r = bcd_put(out, (uint64_t)wanted->expiry, 8);
    if (r == TP_OK)
        r = bcd_put(out, LAST_MINUTE, 4);
    if (r == TP_OK)
        r = buf_put(out, span_of(wanted->serial, EC_ICC_SERIAL));
    if (r == TP_OK)
        r = put_iccd_hash(out, wanted);
    if (r == TP_OK)
        r = buf_put(out, ec_pubkey_x(wanted->key));
    return r == TP_OK ? put_signature(out, from, issuer) : r;
}

enum tp_err ec_sdad_make(struct buf *out, const struct ec_privkey *icc, const struct span *parts,
                         size_t n)
{
    static const uint8_t format = EC_FORMAT_SDAD;
    struct span all[EC_PARTS_MAX] = {{&format, 1}};
    uint8_t signature[EC_SIGNATURE_MAX];
    enum tp_err r = n < EC_PARTS_MAX ? buf_u8(out, format) : TP_ERR_RANGE;

    if (r != TP_OK)
        return r;
    for (size_t i = 0; i < n; i++)
        all[1 + i] = parts[i];
    r = ec_sign(signature, icc, all, 1 + n);
    return r == TP_OK ? buf_put(out, span_of(signature, ec_signature_size(icc->pub.suite))) : r;
}
