/* The card's certificates, up to the authority's key: EMV 4.4 Book 2, 5.1-5.3 and 6.1-6.4. */
#include "kernel/kernel_priv.h"

#include <string.h>

#define KEYS_PER_INDEX_MAX 8 /* a public list may hold several keys under one index */

/* The nth authority key under the card's index. A date in the list ends none: a key is in force
 * until its scheme has terminals take it out (Book 2, 11.2.3); one that is past is told. */
static const struct capk *authority(const struct transaction *tx, size_t n)
{
    const struct span name = data_get(tx, TAG_DF_NAME), index = data_get(tx, TAG_CA_INDEX);

    return capk_find(tx->config->authorities, span_of(name.p, 5), index.p[0], n);
}

static void keep_issuer(struct transaction *tx, const struct capk *key, struct emv_cert_info *info)
{
    tx->issuer_key = info->key;
    tx->oda.authority = key;
    tx->oda.authority_expired = key->expiry != 0 && key->expiry < tx->request->date;
    tx->oda.issuer_expiry = info->expiry;
    tx->oda.issuer_bits = emv_pubkey_size(info->key) * 8;
    memcpy(tx->oda.issuer, info->identifier, sizeof(tx->oda.issuer));
}

/* Of several failures the one that came furthest is told. */
static enum tp_err try_authorities(struct transaction *tx, enum emv_check *check)
{
    const struct span cert = data_get(tx, TAG_ISSUER_CERT),
                      rest = data_get(tx, TAG_ISSUER_REMAINDER),
                      exponent = data_get(tx, TAG_ISSUER_EXPONENT);
    enum emv_check outcome = EMV_CHECK_OK, furthest = EMV_CHECK_OK;
    const struct capk *key;

    for (size_t i = 0; i < KEYS_PER_INDEX_MAX && (key = authority(tx, i)) != NULL; i++) {
        struct emv_cert_info info = {0};
        const enum tp_err r = emv_issuer_cert_check(&outcome, &info, key->key, cert, rest, exponent,
                                                    tx->pan, tx->request->date);

        if (r != TP_OK)
            return tp_fail(tx->e, r, "the issuer certificate cannot be checked: %s",
                           tp_err_text(r));
        if (outcome == EMV_CHECK_OK &&
            capk_revoked(tx->config->authorities, span_of(key->rid, 5), key->index, info.serial))
            outcome = EMV_CHECK_REVOKED; /* Book 2, 5.3, step 10 */
        if (outcome == EMV_CHECK_OK) {
            keep_issuer(tx, key, &info);
            *check = EMV_CHECK_OK;
            return TP_OK;
        }
        emv_pubkey_free(&info.key);
        furthest = outcome > furthest ? outcome : furthest;
    }
    *check = furthest;
    return TP_OK;
}

/* *failed_at NULL when tx->issuer_key is there. */
enum tp_err oda_issuer_key(struct transaction *tx, const char **failed_at, enum emv_check *check)
{
    static const uint32_t needed[] = {TAG_CA_INDEX, TAG_ISSUER_CERT, TAG_ISSUER_EXPONENT};
    enum tp_err r;

    *failed_at = NULL;
    *check = EMV_CHECK_OK;
    if (tx->issuer_key != NULL)
        return TP_OK;
    *failed_at = "issuer certificate";
    *check = EMV_CHECK_DATA_MISSING;
    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
        if (data_get(tx, needed[i]).n == 0)
            return TP_OK;
    *check = EMV_CHECK_NO_KEY;
    if (data_get(tx, TAG_CA_INDEX).n != 1 || authority(tx, 0) == NULL) {
        *failed_at = "authority key"; /* Book 2, 5.2: the terminal has none under that index */
        return TP_OK;
    }
    r = try_authorities(tx, check);
    if (*check == EMV_CHECK_OK)
        *failed_at = NULL;
    return r;
}

enum tp_err oda_copy_key(struct transaction *tx, struct emv_pubkey **out,
                         const struct emv_pubkey *key)
{
    const enum tp_err r =
        key == NULL ? TP_OK
                    : emv_pubkey_new(out, emv_pubkey_modulus(key), emv_pubkey_exponent(key));

    return r == TP_OK ? TP_OK : tp_fail(tx->e, r, "the recorded key of the card cannot be used");
}

/* The card certificate of a transcript: what it came to then. */
static enum tp_err recorded_icc_key(struct transaction *tx, const char **failed_at,
                                    enum emv_check *check)
{
    const struct kernel_recorded *recorded = tx->config->recorded;
    const enum tp_err r = oda_copy_key(tx, &tx->icc_key, recorded->icc_key);

    if (r != TP_OK)
        return r;
    *check = tx->icc_key != NULL ? EMV_CHECK_OK : recorded->check;
    if (tx->icc_key == NULL && *check == EMV_CHECK_OK)
        *check = EMV_CHECK_HASH;
    if (tx->icc_key != NULL) {
        *failed_at = NULL;
        tx->oda.icc_bits = emv_pubkey_size(tx->icc_key) * 8;
    }
    return TP_OK;
}

/* The ICC's own key with the static data under its signature. *failed_at NULL when tx->icc_key is
 * there. */
enum tp_err oda_icc_key(struct transaction *tx, const char **failed_at, enum emv_check *check)
{
    const struct span cert = data_get(tx, TAG_ICC_CERT), rest = data_get(tx, TAG_ICC_REMAINDER),
                      exponent = data_get(tx, TAG_ICC_EXPONENT);
    struct emv_cert_info info = {0};
    enum tp_err r;

    *failed_at = NULL;
    *check = EMV_CHECK_OK;
    if (tx->icc_key != NULL)
        return TP_OK;
    if (cert.n == 0 || exponent.n == 0) {
        *failed_at = "card certificate";
        *check = EMV_CHECK_DATA_MISSING;
        return TP_OK;
    }
    r = oda_issuer_key(tx, failed_at, check);
    if (r != TP_OK || *failed_at != NULL)
        return r;
    *failed_at = "card certificate";
    *check = EMV_CHECK_HASH;
    if (tx->static_broken)
        return TP_OK;
    if (tx->config->recorded != NULL)
        return recorded_icc_key(tx, failed_at, check);
    r = emv_icc_cert_check(check, &info, EMV_ICC_KEY, tx->issuer_key, cert, rest, exponent,
                           span_of(tx->static_data, tx->static_n), tx->pan, tx->request->date);
    if (r != TP_OK)
        return tp_fail(tx->e, r, "the card's certificate cannot be checked: %s", tp_err_text(r));
    if (*check != EMV_CHECK_OK) {
        emv_pubkey_free(&info.key);
        return TP_OK;
    }
    *failed_at = NULL;
    tx->icc_key = info.key;
    tx->oda.icc_expiry = info.expiry;
    tx->oda.icc_bits = emv_pubkey_size(info.key) * 8;
    return TP_OK;
}
