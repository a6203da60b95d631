#include "crypto/emvmake.h"

#include <string.h>

#include "base/bcd.h"
#include "crypto/emvcert_priv.h"
#include "crypto/rsa_priv.h"

/* Fills a block of the signer's size between the fields (which begin with the format byte) and the
 * hash, and signs it. */
static enum tp_err sign_block(uint8_t *out, struct emv_privkey *signer, struct span fields,
                              const struct span *outside, size_t parts)
{
    struct emv_pubkey *key = emv_privkey_public(signer);
    const size_t size = emv_pubkey_size(key);
    struct span hashed[1 + CERT_PARTS_MAX];
    uint8_t block[EMV_RSA_MAX];

    if (fields.n + 1 + SIGNED_TAIL > size || parts > CERT_PARTS_MAX)
        return TP_ERR_RANGE;
    block[0] = SIGNED_HEADER;
    memset(block + 1, SIGNED_PADDING, size - 1);
    memcpy(block + 1, fields.p, fields.n);
    hashed[0] = span_of(block + 1, size - 1 - SIGNED_TAIL);
    for (size_t i = 0; i < parts; i++)
        hashed[1 + i] = outside[i];
    if (emv_pubkey_sha1(key, block + size - SIGNED_TAIL, hashed, 1 + parts) != TP_OK)
        return TP_ERR_INTERNAL;
    block[size - 1] = SIGNED_TRAILER;
    return emv_rsa_sign(signer, span_of(block, size), out);
}

/* Format byte to exponent length. */
static enum tp_err put_fields(struct buf *b, const struct cert_layout *layout,
                              struct emv_pubkey *key, const char *identifier, int expiry,
                              const uint8_t serial[3])
{
    const uint8_t algorithms[2] = {ALGORITHM_SHA1, ALGORITHM_RSA};
    const uint64_t mmyy = (uint64_t)(expiry / 100 % 100 * 100 + expiry / 10000 % 100);
    enum tp_err r = buf_u8(b, layout->format);

    if (r == TP_OK)
        r = bcd_put_cn(b, identifier, layout->identifier);
    if (r == TP_OK)
        r = bcd_put(b, mmyy, 4);
    if (r == TP_OK)
        r = buf_put(b, span_of(serial, 3));
    if (r == TP_OK)
        r = buf_put(b, SPAN_OF(algorithms));
    if (r == TP_OK)
        r = buf_u8(b, (uint8_t)emv_pubkey_size(key));
    if (r == TP_OK)
        r = buf_u8(b, (uint8_t)emv_pubkey_exponent(key).n);
    return r;
}

static enum tp_err make_cert(struct emv_cert_made *out, const struct cert_layout *layout,
                             struct emv_privkey *signer, struct emv_pubkey *key,
                             struct span static_data, const char *identifier, int expiry,
                             const uint8_t serial[3])
{
    const size_t size = emv_pubkey_size(emv_privkey_public(signer)), room = size - layout->overhead;
    const struct span modulus = emv_pubkey_modulus(key);
    const size_t inside = modulus.n < room ? modulus.n : room;
    struct span outside[CERT_PARTS_MAX];
    uint8_t fields[EMV_RSA_MAX];
    struct buf b = BUF_OF(fields);
    enum tp_err r = put_fields(&b, layout, key, identifier, expiry, serial);

    if (r == TP_OK)
        r = buf_put(&b, span_of(modulus.p, inside));
    if (r != TP_OK)
        return r;
    out->cert_n = size;
    out->remainder_n = modulus.n - inside;
    memcpy(out->remainder, modulus.p + inside, out->remainder_n);
    outside[0] = span_of(out->remainder, out->remainder_n);
    outside[1] = emv_pubkey_exponent(key);
    outside[2] = static_data;
    return sign_block(out->cert, signer, buf_span(&b), outside, CERT_PARTS_MAX);
}

enum tp_err emv_issuer_cert_make(struct emv_cert_made *out, struct emv_privkey *authority,
                                 struct emv_pubkey *issuer, const char *iin, int expiry,
                                 const uint8_t serial[3])
{
    return make_cert(out, &cert_issuer, authority, issuer, span_of(NULL, 0), iin, expiry, serial);
}

enum tp_err emv_icc_cert_make(struct emv_cert_made *out, enum emv_icc_key which,
                              struct emv_privkey *issuer, struct emv_pubkey *icc,
                              struct span static_data, const char *pan, int expiry,
                              const uint8_t serial[3])
{
    return make_cert(out, &cert_icc, issuer, icc,
                     which == EMV_ICC_KEY ? static_data : span_of(NULL, 0), pan, expiry, serial);
}

enum tp_err emv_ssad_make(uint8_t *out, struct emv_privkey *issuer, const uint8_t dac[2],
                          struct span static_data)
{
    const uint8_t fields[] = {FORMAT_SSAD, ALGORITHM_SHA1, dac[0], dac[1]};

    return sign_block(out, issuer, SPAN_OF(fields), &static_data, 1);
}

enum tp_err emv_sdad_make(uint8_t *out, struct emv_privkey *icc, struct span icc_dynamic_data,
                          struct span terminal_data)
{
    uint8_t fields[EMV_RSA_MAX] = {FORMAT_SDAD, ALGORITHM_SHA1};
    struct buf b = BUF_OF(fields);

    b.n = 2;
    if (icc_dynamic_data.n > 255 || buf_u8(&b, (uint8_t)icc_dynamic_data.n) != TP_OK ||
        buf_put(&b, icc_dynamic_data) != TP_OK)
        return TP_ERR_RANGE;
    return sign_block(out, icc, buf_span(&b), &terminal_data, 1);
}
