#include "crypto/eccert.h"

#include <string.h>

#include "base/bcd.h"
#include "crypto/eccert_priv.h"

/* The last step but one of each procedure: the signature over all before it. */
static enum tp_err check_signature(enum emv_check *outcome, const struct ec_pubkey *signer,
                                   struct span whole)
{
    const size_t n = ec_signature_size(signer->suite);
    const struct span body = span_of(whole.p, whole.n - n);
    bool good;
    const enum tp_err r = ec_verify(&good, signer, span_of(body.p + body.n, n), &body, 1);

    *outcome = good ? EMV_CHECK_OK : EMV_CHECK_SIGNATURE;
    return r;
}

/* The point of x, which a certificate holds: B2.2.1 e. */
static enum tp_err take_key(enum emv_check *outcome, struct ec_pubkey *out,
                            const struct ec_suite *suite, const uint8_t *x)
{
    const enum tp_err r = ec_pubkey_make(out, suite, span_of(x, suite->field_n));

    if (r == TP_ERR_RANGE)
        *outcome = EMV_CHECK_KEY;
    return r == TP_ERR_RANGE ? TP_OK : r;
}

enum tp_err ec_authority_check(enum emv_check *outcome, struct ec_authority *out,
                               struct span self_signed)
{
    const uint8_t *p = self_signed.p;
    const struct ec_suite *suite;
    enum tp_err r;

    *out = (struct ec_authority){0};
    *outcome = EMV_CHECK_LENGTH;
    if (self_signed.n < EC_AUTHORITY_FIXED)
        return TP_OK;
    *outcome = EMV_CHECK_FORMAT;
    if (p[0] != EC_FORMAT_AUTHORITY || p[1] != EC_ENCODING)
        return TP_OK;
    memcpy(out->rid, p + 2, sizeof(out->rid));
    out->index = p[7];
    suite = ec_suite_signature(p[8]);
    *outcome = EMV_CHECK_ALGORITHM;
    if (suite == NULL)
        return TP_OK;
    *outcome = EMV_CHECK_LENGTH;
    if (self_signed.n != EC_AUTHORITY_FIXED + suite->field_n + ec_signature_size(suite))
        return TP_OK;
    *outcome = EMV_CHECK_OK;
    r = take_key(outcome, &out->key, suite, p + EC_AUTHORITY_FIXED);
    return r == TP_OK && *outcome == EMV_CHECK_OK ? check_signature(outcome, &out->key, self_signed)
                                                  : r;
}

static int number_of(const uint8_t *bcd, size_t n)
{
    uint64_t value = 0;

    return bcd_get(span_of(bcd, n), &value) == TP_OK ? (int)value : -1;
}

/* 12.3, steps 1 to 6, 8 and 9. */
static enum emv_check issuer_fields(struct emv_cert_info *info, const struct ec_suite **suite,
                                    const struct ec_authority *authority, struct span cert,
                                    const char *pan, int date)
{
    const uint8_t *p = cert.p;

    if (cert.n < EC_ISSUER_FIXED)
        return EMV_CHECK_LENGTH;
    if (p[0] != EC_FORMAT_ISSUER || p[1] != EC_ENCODING)
        return EMV_CHECK_FORMAT;
    if (bcd_get_cn(span_of(p + 2, EC_IDENTIFIER), info->identifier) != TP_OK ||
        !emv_issuer_covers(info->identifier, pan))
        return EMV_CHECK_IDENTIFIER;
    info->expiry = number_of(p + 8, 4);
    if (info->expiry < 0 || info->expiry < date)
        return EMV_CHECK_EXPIRED;
    memcpy(info->serial, p + 12, sizeof(info->serial));
    if (memcmp(p + 15, authority->rid, sizeof(authority->rid)) != 0 || p[20] != authority->index)
        return EMV_CHECK_AUTHORITY;
    *suite = ec_suite_signature(p[7]);
    if (*suite == NULL)
        return EMV_CHECK_ALGORITHM;
    return cert.n == EC_ISSUER_FIXED + (*suite)->field_n + ec_signature_size(authority->key.suite)
               ? EMV_CHECK_OK
               : EMV_CHECK_LENGTH;
}

enum tp_err ec_issuer_cert_check(enum emv_check *outcome, struct emv_cert_info *info,
                                 const struct ec_authority *authority, struct span cert,
                                 const char *pan, int date)
{
    const struct ec_suite *suite = NULL;
    enum tp_err r;

    memset(info, 0, sizeof(*info));
    *outcome = cert.n == 0 ? EMV_CHECK_DATA_MISSING
                           : issuer_fields(info, &suite, authority, cert, pan, date);
    if (*outcome != EMV_CHECK_OK)
        return TP_OK;
    r = check_signature(outcome, &authority->key, cert);
    return r == TP_OK && *outcome == EMV_CHECK_OK
               ? take_key(outcome, &info->ec, suite, cert.p + EC_ISSUER_FIXED)
               : r;
}

/* 12.4, steps 1 to 7. */
static enum emv_check icc_fields(struct emv_cert_info *info, const struct ec_suite **suite,
                                 enum emv_icc_key which, const struct ec_pubkey *issuer,
                                 struct span cert, int date, int time)
{
    const uint8_t *p = cert.p;

    if (cert.n < EC_ICC_FIXED)
        return EMV_CHECK_LENGTH;
    if (p[0] != EC_FORMAT_ICC || p[1] != EC_ENCODING)
        return EMV_CHECK_FORMAT;
    info->expiry = number_of(p + 3, 4);
    info->expiry_time = number_of(p + 7, 2);
    if (info->expiry < 0 || info->expiry_time < 0 ||
        (date != 0 && (info->expiry < date || (info->expiry == date && info->expiry_time <= time))))
        return EMV_CHECK_EXPIRED;
    *suite = which == EMV_ICC_PIN_KEY ? ec_suite_ode(p[2]) : ec_suite_signature(p[2]);
    if (*suite == NULL || p[15] != EC_ENCODING || ec_hash_size(p[16]) == 0)
        return EMV_CHECK_ALGORITHM;
    return cert.n == EC_ICC_FIXED + ec_hash_size(p[16]) + (*suite)->field_n +
                         ec_signature_size(issuer->suite)
               ? EMV_CHECK_OK
               : EMV_CHECK_LENGTH;
}

enum tp_err ec_icc_cert_check(enum emv_check *outcome, struct emv_cert_info *info,
                              enum emv_icc_key which, const struct ec_pubkey *issuer,
                              struct span cert, struct span iccd, int date, int time)
{
    const struct ec_suite *suite = NULL;
    uint8_t hash[EC_HASH_MAX];
    size_t hash_n;
    enum tp_err r;

    memset(info, 0, sizeof(*info));
    *outcome = cert.n == 0 ? EMV_CHECK_DATA_MISSING
                           : icc_fields(info, &suite, which, issuer, cert, date, time);
    if (*outcome != EMV_CHECK_OK)
        return TP_OK;
    hash_n = ec_hash_size(cert.p[16]);
    r = ec_hash(hash, cert.p[16], &iccd, 1);
    if (r != TP_OK)
        return r;
    if (memcmp(hash, cert.p + EC_ICC_FIXED, hash_n) != 0) {
        *outcome = EMV_CHECK_HASH;
        return TP_OK;
    }
    r = check_signature(outcome, issuer, cert);
    return r == TP_OK && *outcome == EMV_CHECK_OK
               ? take_key(outcome, &info->ec, suite, cert.p + EC_ICC_FIXED + hash_n)
               : r;
}

enum tp_err ec_sdad_check(enum emv_check *outcome, const struct ec_pubkey *icc, struct span sdad,
                          const struct span *parts, size_t n)
{
    static const uint8_t format = EC_FORMAT_SDAD;
    struct span all[EC_PARTS_MAX] = {{&format, 1}};
    bool good;
    enum tp_err r;

    *outcome = sdad.n == 0                                   ? EMV_CHECK_DATA_MISSING
               : sdad.n != 1 + ec_signature_size(icc->suite) ? EMV_CHECK_LENGTH
               : sdad.p[0] != EC_FORMAT_SDAD                 ? EMV_CHECK_FORMAT
                                                             : EMV_CHECK_OK;
    if (*outcome != EMV_CHECK_OK)
        return TP_OK;
    if (n >= EC_PARTS_MAX)
        return TP_ERR_RANGE;
    for (size_t i = 0; i < n; i++)
        all[1 + i] = parts[i];
    r = ec_verify(&good, icc, span_of(sdad.p + 1, sdad.n - 1), all, 1 + n);
    *outcome = good ? EMV_CHECK_OK : EMV_CHECK_SIGNATURE;
    return r;
}
