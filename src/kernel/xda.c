/* Offline data authentication and enciphered PIN by elliptic curves: EMV 4.4 Book 2, 12 and 13;
 * Book 3, 10.3; Book 4, 6.3.2.2. */
#include "kernel/kernel_priv.h"

#include <string.h>
#include <time.h>

#include "crypto/eccert.h"

bool xda_selected(const struct transaction *tx)
{
    return (tx->aip[0] & AIP_XDA) != 0 && (tx->capabilities[2] & CAP3_XDA) != 0;
}

bool xda_failed(const struct transaction *tx)
{
    return tx->oda.method == KERNEL_METHOD_XDA && tx->oda.failed_at != NULL;
}

/* The nth authority key under the card's index (12.2); NULL: no more. An index names one key of a
 * RID, RSA's or a curve's (11.2.2), but a list may hold several of test schemes. */
static const struct capk *authority(const struct transaction *tx, size_t n)
{
    const struct span name = data_get(tx, TAG_DF_NAME), index = data_get(tx, TAG_CA_INDEX);

    return index.n == 1 && name.n >= 5
               ? capk_find_ec(tx->config->authorities, span_of(name.p, 5), index.p[0], n)
               : NULL;
}

bool xda_keys(const struct transaction *tx)
{
    return xda_selected(tx) || ((tx->capabilities[1] & CAP2_ODE) != 0 && authority(tx, 0) != NULL);
}

/* Now, in UTC: YYYYMMDD and HHMM. */
static void utc(const struct transaction *tx, int *date, int *hhmm)
{
    const struct transaction_request *q = tx->request;
    struct tm local = {.tm_year = q->date / 10000 - 1900,
                       .tm_mon = q->date / 100 % 100 - 1,
                       .tm_mday = q->date % 100,
                       .tm_hour = q->time / 10000,
                       .tm_min = q->time / 100 % 100 - q->zone,
                       .tm_sec = q->time % 100};
    const time_t t = timegm(&local);
    struct tm now;

    gmtime_r(&t, &now);
    *date = (now.tm_year + 1900) * 10000 + (now.tm_mon + 1) * 100 + now.tm_mday;
    *hhmm = now.tm_hour * 100 + now.tm_min;
}

static void keep_issuer(struct transaction *tx, const struct capk *key,
                        const struct emv_cert_info *info)
{
    tx->issuer_ec = info->ec;
    tx->oda.authority = key;
    tx->oda.authority_expired = key->expiry != 0 && key->expiry < tx->request->date;
    tx->oda.issuer_expiry = info->expiry;
    tx->oda.issuer_bits = ec_suite_bits(info->ec.suite);
    memcpy(tx->oda.issuer, info->identifier, sizeof(tx->oda.issuer));
}

/* tx->issuer_ec when the check is OK. Of several keys that fail, what the last one says is told. */
static enum tp_err issuer_key(struct transaction *tx, enum emv_check *check)
{
    const struct span cert = data_get(tx, TAG_ISSUER_CERT);
    const struct capk *key;
    struct emv_cert_info info;
    int date, time;

    *check = EMV_CHECK_OK;
    utc(tx, &date, &time);
    for (size_t i = 0; tx->issuer_ec.suite == NULL && (key = authority(tx, i)) != NULL; i++) {
        const struct ec_authority a = capk_ec(key);
        const enum tp_err r = ec_issuer_cert_check(check, &info, &a, cert, tx->pan, date);

        if (r != TP_OK)
            return tp_fail(tx->e, r, "the issuer certificate cannot be checked: %s",
                           tp_err_text(r));
        if (*check == EMV_CHECK_OK &&
            capk_revoked(tx->config->authorities, SPAN_OF(a.rid), a.index, info.serial))
            *check = EMV_CHECK_REVOKED;
        if (*check == EMV_CHECK_OK)
            keep_issuer(tx, key, &info);
    }
    return TP_OK;
}

/* A certificate of the card, under the issuer's key. */
static enum tp_err card_key(struct transaction *tx, enum emv_icc_key which,
                            struct emv_cert_info *info, enum emv_check *check)
{
    const struct kernel_recorded *recorded = tx->config->recorded;
    const uint32_t tag = which == EMV_ICC_KEY ? TAG_ICC_CERT : TAG_PIN_CERT;
    int date, time;
    enum tp_err r;

    memset(info, 0, sizeof(*info));
    *check = EMV_CHECK_HASH;
    if (tx->static_broken)
        return TP_OK;
    if (recorded != NULL) {
        info->ec = which == EMV_ICC_KEY ? recorded->icc_ec : recorded->pin_ec;
        *check = info->ec.suite != NULL            ? EMV_CHECK_OK
                 : recorded->check != EMV_CHECK_OK ? recorded->check
                                                   : EMV_CHECK_HASH;
        return TP_OK;
    }
    utc(tx, &date, &time);
    r = ec_icc_cert_check(check, info, which, &tx->issuer_ec, data_get(tx, tag),
                          span_of(tx->static_data, tx->static_n), date, time);
    return r == TP_OK
               ? r
               : tp_fail(tx->e, r, "the card's certificate cannot be checked: %s", tp_err_text(r));
}

static void note_failed(struct transaction *tx, const char *at, enum emv_check check)
{
    tx->oda.ok = false;
    tx->oda.failed_at = at;
    tx->oda.check = check;
}

/* 12.3 and 12.4. What fails is noted, and shows in the TVR later. */
static enum tp_err recover_keys(struct transaction *tx)
{
    struct emv_cert_info info;
    enum emv_check check;
    enum tp_err r = issuer_key(tx, &check);

    if (r != TP_OK)
        return r;
    if (check != EMV_CHECK_OK) {
        note_failed(tx, "issuer certificate", check);
        return TP_OK;
    }
    r = card_key(tx, EMV_ICC_KEY, &info, &check);
    if (r != TP_OK)
        return r;
    if (check != EMV_CHECK_OK) {
        note_failed(tx, "card certificate", check);
        return TP_OK;
    }
    tx->icc_ec = info.ec;
    tx->oda.icc_expiry = info.expiry;
    tx->oda.icc_bits = ec_suite_bits(info.ec.suite);
    return TP_OK;
}

enum tp_err xda_authenticate(struct transaction *tx)
{
    enum tp_err r;

    tvr_set(tx, TVR_XDA_SELECTED);
    if (authority(tx, 0) == NULL) {
        note_failed(tx, "authority key", EMV_CHECK_NO_KEY);
        tvr_set(tx, TVR_CA_ECC_KEY_MISSING);
        tsi_set(tx, TSI_ODA);
        return TP_OK;
    }
    r = recover_keys(tx);
    /* the certificates are all that can be checked without a signature */
    tx->oda.ok = r == TP_OK && tx->reading && !xda_failed(tx);
    return r;
}

/* 12.5.3. */
static enum tp_err check(struct transaction *tx, enum emv_check *outcome, bool second,
                         struct span sdad, const struct span hashed[2])
{
    const struct span first_parts[] = {data_get(tx, TAG_EV_PDOL_VALUES),
                                       data_get(tx, TAG_EV_CDOL1_VALUES), hashed[0], hashed[1]},
                      second_parts[] = {data_get(tx, TAG_EV_CDOL2_VALUES), hashed[0], hashed[1]};
    const enum tp_err r = second ? ec_sdad_check(outcome, &tx->icc_ec, sdad, second_parts, 3)
                                 : ec_sdad_check(outcome, &tx->icc_ec, sdad, first_parts, 4);

    if (r != TP_OK)
        return tp_fail(tx->e, r, "the card's signature cannot be checked: %s", tp_err_text(r));
    if (*outcome == EMV_CHECK_SIGNATURE && tx->config->recorded != NULL &&
        tx->config->recorded->answer_hidden)
        *outcome = tx->config->recorded->signature;
    return TP_OK;
}

enum tp_err xda_check_signature(struct transaction *tx, bool second, enum ac_type got,
                                struct span sdad, const struct span hashed[2])
{
    enum emv_check outcome;
    enum tp_err r;

    tsi_set(tx, TSI_ODA);
    if (xda_failed(tx)) {
        if (tx->oda.check != EMV_CHECK_NO_KEY && !tvr_has(tx->tvr, TVR_XDA_SIGNATURE_FAILED))
            tvr_set(tx, TVR_ECC_KEY_RECOVERY_FAILED);
        return TP_OK;
    }
    if (got == AC_AAC) /* whose signature nobody verifies */
        return TP_OK;
    r = check(tx, &outcome, second, sdad, hashed);
    if (r != TP_OK)
        return r;
    tx->oda.ok = outcome == EMV_CHECK_OK;
    if (tx->oda.ok)
        return TP_OK;
    note_failed(tx, "signature", outcome);
    tvr_set(tx, TVR_XDA_SIGNATURE_FAILED);
    return TP_OK;
}

enum tp_err xda_pin_key(struct transaction *tx)
{
    struct emv_cert_info info;
    enum emv_check outcome;
    enum tp_err r;

    if (authority(tx, 0) == NULL || tx->pin_ec.suite != NULL)
        return TP_OK;
    r = issuer_key(tx, &outcome);
    if (r != TP_OK || outcome != EMV_CHECK_OK)
        return r;
    r = card_key(tx, EMV_ICC_PIN_KEY, &info, &outcome);
    if (r == TP_OK && outcome == EMV_CHECK_OK)
        tx->pin_ec = info.ec;
    return r;
}
