#include "crypto/emvcert.h"

#include <string.h>

#include "base/bcd.h"
#include "base/date.h"
#include "base/text.h"
#include "crypto/emvcert_priv.h"
#include "crypto/rsa_priv.h"

const struct cert_layout cert_issuer = {FORMAT_ISSUER_CERT, 4, 36, true};
const struct cert_layout cert_icc = {FORMAT_ICC_CERT, 10, 42, false};

const char *emv_check_name(enum emv_check c)
{
    static const char *const names[EMV_CHECK_COUNT] = {
        [EMV_CHECK_OK] = "OK",
        [EMV_CHECK_DATA_MISSING] = "DATA_MISSING",
        [EMV_CHECK_LENGTH] = "LENGTH",
        [EMV_CHECK_TRAILER] = "TRAILER",
        [EMV_CHECK_HEADER] = "HEADER",
        [EMV_CHECK_FORMAT] = "FORMAT",
        [EMV_CHECK_HASH] = "HASH",
        [EMV_CHECK_IDENTIFIER] = "IDENTIFIER",
        [EMV_CHECK_EXPIRED] = "EXPIRED",
        [EMV_CHECK_REVOKED] = "REVOKED",
        [EMV_CHECK_ALGORITHM] = "ALGORITHM",
        [EMV_CHECK_KEY] = "KEY",
        [EMV_CHECK_DYNAMIC_DATA] = "DYNAMIC_DATA",
        [EMV_CHECK_CID] = "CID",
        [EMV_CHECK_DATA_HASH] = "DATA_HASH",
        [EMV_CHECK_NO_KEY] = "NO_KEY",
        [EMV_CHECK_NO_UN] = "NO_UN",
        [EMV_CHECK_AUTHORITY] = "AUTHORITY",
        [EMV_CHECK_SIGNATURE] = "SIGNATURE",
    };

    return (unsigned)c < EMV_CHECK_COUNT ? names[c] : "UNKNOWN";
}

const char *emv_check_text(enum emv_check c)
{
    static const char *const texts[EMV_CHECK_COUNT] = {
        [EMV_CHECK_OK] = N_("it is right"),
        [EMV_CHECK_DATA_MISSING] = N_("a data object that it needs is missing"),
        [EMV_CHECK_LENGTH] = N_("its length is not that of the signing key"),
        [EMV_CHECK_TRAILER] =
            N_("it was not signed with the key that should have signed it (trailer is not BC)"),
        [EMV_CHECK_HEADER] = N_("its header is not 6A"),
        [EMV_CHECK_FORMAT] = N_("its format byte is that of something else"),
        [EMV_CHECK_HASH] = N_("its hash does not match"),
        [EMV_CHECK_IDENTIFIER] = N_("it belongs to another card number"),
        [EMV_CHECK_EXPIRED] = N_("it has expired"),
        [EMV_CHECK_REVOKED] = N_("it has been revoked"),
        [EMV_CHECK_ALGORITHM] = N_("it names an algorithm that is not known here"),
        [EMV_CHECK_KEY] = N_("the key it holds is unusable"),
        [EMV_CHECK_DYNAMIC_DATA] = N_("the dynamic data it holds do not parse"),
        [EMV_CHECK_CID] = N_("it was made for another kind of cryptogram"),
        [EMV_CHECK_DATA_HASH] = N_("the transaction data are not those the card signed"),
        [EMV_CHECK_NO_KEY] = N_("the terminal has none of that index"),
        [EMV_CHECK_NO_UN] =
            N_("it does not ask for the unpredictable number (9F37), or there is none"),
        [EMV_CHECK_AUTHORITY] = N_("it names another authority key than the card does"),
        [EMV_CHECK_SIGNATURE] = N_("it was not signed with the key that should have signed it"),
    };

    return (unsigned)c < EMV_CHECK_COUNT ? texts[c] : N_("unknown outcome");
}

/* Opens a certificate or signature: length, trailer, header and format, the first four steps of
 * every procedure of Book 2, 5 and 6. */
static enum tp_err open_signed(enum emv_check *outcome, uint8_t *recovered, struct emv_pubkey *key,
                               struct span in, uint8_t format)
{
    const size_t n = emv_pubkey_size(key);
    enum tp_err r = TP_OK;

    *outcome = EMV_CHECK_OK;
    if (in.n == 0)
        *outcome = EMV_CHECK_DATA_MISSING;
    else if (in.n != n)
        *outcome = EMV_CHECK_LENGTH;
    if (*outcome != EMV_CHECK_OK)
        return TP_OK;
    r = emv_rsa_recover(key, in, recovered);
    if (r ==
        TP_ERR_FORMAT) { /* not below the modulus: no signature of this key, so no trailer either */
        *outcome = EMV_CHECK_TRAILER;
        return TP_OK;
    }
    if (recovered[n - 1] != SIGNED_TRAILER)
        *outcome = EMV_CHECK_TRAILER;
    else if (recovered[0] != SIGNED_HEADER)
        *outcome = EMV_CHECK_HEADER;
    else if (recovered[1] != format)
        *outcome = EMV_CHECK_FORMAT;
    return r;
}

/* The hash of what lies between header and hash, and of what follows outside the signature. */
static enum tp_err check_hash(enum emv_check *outcome, struct emv_pubkey *key,
                              const uint8_t *recovered, const struct span *outside, size_t n)
{
    const size_t size = emv_pubkey_size(key);
    struct span parts[1 + CERT_PARTS_MAX];
    uint8_t hash[EMV_SHA1];
    enum tp_err r = TP_ERR_RANGE;

    if (n > CERT_PARTS_MAX)
        return r;
    parts[0] = span_of(recovered + 1, size - 1 - SIGNED_TAIL);
    for (size_t i = 0; i < n; i++)
        parts[1 + i] = outside[i];
    r = emv_pubkey_sha1(key, hash, parts, 1 + n);
    if (r == TP_OK && memcmp(hash, recovered + size - SIGNED_TAIL, EMV_SHA1) != 0)
        *outcome = EMV_CHECK_HASH;
    return r;
}

/* Identifier digits padded right with F as text. */
static bool identifier_text(char *out, struct span cn)
{
    return bcd_get_cn(cn, out) == TP_OK;
}

bool emv_issuer_covers(const char *identifier, const char *pan)
{
    const size_t n = strlen(identifier);

    return n >= 3 && n <= 10 && strncmp(identifier, pan, n) == 0;
}

/* The fixed part of a certificate: identifier, expiry, serial, algorithms, lengths. */
static enum emv_check check_fields(struct emv_cert_info *info, const struct cert_layout *layout,
                                   const uint8_t *recovered, const char *pan, int date)
{
    const uint8_t *after = recovered + 2 + layout->identifier;
    char identifier[2 * CERT_IDENTIFIER_MAX + 1];

    if (!identifier_text(identifier, span_of(recovered + 2, layout->identifier)))
        return EMV_CHECK_IDENTIFIER;
    if (strlen(identifier) >= sizeof(info->identifier)) /* 20 digits: no PAN has them */
        return EMV_CHECK_IDENTIFIER;
    memcpy(info->identifier, identifier, strlen(identifier) + 1);
    if (layout->issuer ? !emv_issuer_covers(identifier, pan) : strcmp(identifier, pan) != 0)
        return EMV_CHECK_IDENTIFIER;
    memcpy(info->serial, after + 2, sizeof(info->serial));
    if (date_from_mmyy(&info->expiry, span_of(after, 2)) != TP_OK || info->expiry < date)
        return EMV_CHECK_EXPIRED;
    return after[6] == ALGORITHM_RSA ? EMV_CHECK_OK : EMV_CHECK_ALGORITHM;
}

/* The part of the key that does not fit the certificate, and was not given: Book 3, table 35 (92,
 * 9F48). */
static bool lacks_remainder(const struct cert_layout *layout, const uint8_t *recovered, size_t size,
                            struct span remainder)
{
    return remainder.n == 0 && recovered[2 + layout->identifier + 7] > size - layout->overhead;
}

/* The public key: its leftmost bytes in the certificate, the others in the remainder. */
static enum tp_err join_key(enum emv_check *outcome, struct emv_pubkey **key,
                            const struct cert_layout *layout, const uint8_t *recovered, size_t size,
                            struct span remainder, struct span exponent)
{
    const uint8_t *lengths = recovered + 2 + layout->identifier + 7;
    const size_t room = size - layout->overhead, inside = lengths[0] < room ? lengths[0] : room;
    uint8_t modulus[EMV_RSA_MAX];
    struct buf whole = BUF_OF(modulus);
    enum tp_err r = TP_OK;

    *outcome = lacks_remainder(layout, recovered, size, remainder) ? EMV_CHECK_DATA_MISSING
                                                                   : EMV_CHECK_KEY;
    if (lengths[1] != exponent.n || lengths[0] != inside + remainder.n)
        return TP_OK;
    if (buf_put(&whole, span_of(lengths + 2, inside)) != TP_OK ||
        buf_put(&whole, remainder) != TP_OK)
        return TP_OK;
    r = emv_pubkey_new(key, buf_span(&whole), exponent);
    if (r == TP_ERR_RANGE)
        return TP_OK;
    if (r == TP_OK)
        *outcome = EMV_CHECK_OK;
    return r;
}

static enum tp_err check_cert(enum emv_check *outcome, struct emv_cert_info *info,
                              const struct cert_layout *layout, struct emv_pubkey *signer,
                              struct span cert, const struct span outside[CERT_PARTS_MAX],
                              const char *pan, int date)
{
    const size_t size = emv_pubkey_size(signer);
    uint8_t recovered[EMV_RSA_MAX];
    enum tp_err r = TP_OK;

    memset(info, 0, sizeof(*info));
    *outcome = EMV_CHECK_DATA_MISSING;
    if (outside[1].n == 0) /* the exponent */
        return TP_OK;
    r = open_signed(outcome, recovered, signer, cert, layout->format);
    if (r != TP_OK || *outcome != EMV_CHECK_OK)
        return r;
    if (recovered[2 + layout->identifier + 5] != ALGORITHM_SHA1) {
        *outcome = EMV_CHECK_ALGORITHM;
        return TP_OK;
    }
    r = check_hash(outcome, signer, recovered, outside, CERT_PARTS_MAX);
    if (r == TP_OK && *outcome == EMV_CHECK_HASH &&
        lacks_remainder(layout, recovered, size, outside[0]))
        *outcome = EMV_CHECK_DATA_MISSING; /* which is why the hash differs */
    if (r != TP_OK || *outcome != EMV_CHECK_OK)
        return r;
    *outcome = check_fields(info, layout, recovered, pan, date);
    if (*outcome != EMV_CHECK_OK)
        return TP_OK;
    return join_key(outcome, &info->key, layout, recovered, size, outside[0], outside[1]);
}

enum tp_err emv_issuer_cert_check(enum emv_check *outcome, struct emv_cert_info *info,
                                  struct emv_pubkey *authority, struct span cert,
                                  struct span remainder, struct span exponent, const char *pan,
                                  int date)
{
    const struct span outside[CERT_PARTS_MAX] = {remainder, exponent, {NULL, 0}};

    return check_cert(outcome, info, &cert_issuer, authority, cert, outside, pan, date);
}

enum tp_err emv_icc_cert_check(enum emv_check *outcome, struct emv_cert_info *info,
                               enum emv_icc_key which, struct emv_pubkey *issuer, struct span cert,
                               struct span remainder, struct span exponent, struct span static_data,
                               const char *pan, int date)
{
    /* Book 2, 7.1: the PIN encipherment key's certificate does not cover the static data */
    const struct span outside[CERT_PARTS_MAX] = {
        remainder, exponent, which == EMV_ICC_KEY ? static_data : span_of(NULL, 0)};

    return check_cert(outcome, info, &cert_icc, issuer, cert, outside, pan, date);
}

enum tp_err emv_ssad_check(enum emv_check *outcome, uint8_t dac[2], struct emv_pubkey *issuer,
                           struct span ssad, struct span static_data)
{
    uint8_t recovered[EMV_RSA_MAX];
    enum tp_err r = open_signed(outcome, recovered, issuer, ssad, FORMAT_SSAD);

    if (r != TP_OK || *outcome != EMV_CHECK_OK)
        return r;
    if (recovered[2] != ALGORITHM_SHA1) {
        *outcome = EMV_CHECK_ALGORITHM;
        return TP_OK;
    }
    r = check_hash(outcome, issuer, recovered, &static_data, 1);
    if (r == TP_OK && *outcome == EMV_CHECK_OK)
        memcpy(dac, recovered + 3, 2);
    return r;
}

/* What DDA and CDA have in common: an SDAD whose hash is right, its ICC dynamic data and the ICC
 * dynamic number that leads them. */
static enum tp_err open_sdad(enum emv_check *outcome, struct emv_dynamic *out, struct span *rest,
                             struct emv_pubkey *icc, struct span sdad, struct span terminal_data)
{
    const size_t size = emv_pubkey_size(icc);
    struct span dynamic;
    uint8_t number_n = 0;
    enum tp_err r = open_signed(outcome, out->recovered, icc, sdad, FORMAT_SDAD);

    out->icc_dynamic_number = out->ac = out->data_hash = span_of(NULL, 0);
    out->cid = 0;
    if (r != TP_OK || *outcome != EMV_CHECK_OK)
        return r;
    if (out->recovered[2] != ALGORITHM_SHA1) {
        *outcome = EMV_CHECK_ALGORITHM;
        return TP_OK;
    }
    r = check_hash(outcome, icc, out->recovered, &terminal_data, 1);
    if (r != TP_OK || *outcome != EMV_CHECK_OK)
        return r;
    *outcome = EMV_CHECK_DYNAMIC_DATA;
    dynamic = span_of(out->recovered + 4, size - SDAD_OVERHEAD);
    if (out->recovered[3] > dynamic.n)
        return TP_OK;
    dynamic.n = out->recovered[3];
    /* Book 2, 6.5.1 and table 19: the ICC dynamic number has 2 to 8 bytes and its length before it
     */
    if (span_u8(&dynamic, &number_n) != TP_OK || number_n < 2 || number_n > 8)
        return TP_OK;
    if (span_take(&dynamic, number_n, &out->icc_dynamic_number) != TP_OK)
        return TP_OK;
    *outcome = EMV_CHECK_OK;
    *rest = dynamic;
    return TP_OK;
}

enum tp_err emv_dda_check(enum emv_check *outcome, struct emv_dynamic *out, struct emv_pubkey *icc,
                          struct span sdad, struct span ddol_values)
{
    struct span rest;
    const enum tp_err r = open_sdad(outcome, out, &rest, icc, sdad, ddol_values);

    if (r == TP_OK &&
        *outcome ==
            EMV_CHECK_DYNAMIC_DATA) /* 6.5.2 has no step that reads them: there is no number then */
        *outcome = EMV_CHECK_OK;
    return r;
}

enum tp_err emv_cda_check(enum emv_check *outcome, struct emv_dynamic *out, struct emv_pubkey *icc,
                          struct span sdad, struct span un, uint8_t cid, const struct span *hashed,
                          size_t parts)
{
    struct span rest;
    uint8_t hash[EMV_SHA1];
    enum tp_err r = open_sdad(outcome, out, &rest, icc, sdad, un);

    if (r != TP_OK || *outcome != EMV_CHECK_OK)
        return r;
    if (span_u8(&rest, &out->cid) != TP_OK || span_take(&rest, 8, &out->ac) != TP_OK ||
        span_take(&rest, EMV_SHA1, &out->data_hash) != TP_OK) {
        *outcome = EMV_CHECK_DYNAMIC_DATA;
        return TP_OK;
    }
    if (out->cid != cid) {
        *outcome = EMV_CHECK_CID;
        return TP_OK;
    }
    r = emv_pubkey_sha1(icc, hash, hashed, parts);
    if (r == TP_OK && memcmp(hash, out->data_hash.p, EMV_SHA1) != 0)
        *outcome = EMV_CHECK_DATA_HASH;
    return r;
}
