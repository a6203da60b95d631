/* Offline data authentication: EMV 4.4 Book 3, 10.3; Book 2, 5 (SDA), 6.5 (DDA), 6.6 (CDA); Book
 * 4, 6.3.2. XDA: xda.c. */
#include "kernel/kernel_priv.h"

#include <string.h>

/* Notes the failure in TVR and for people. TSI says "performed" also of a failed one (10.3). */
void oda_failed(struct transaction *tx, const char *at, enum emv_check check)
{
    static const unsigned bit[] = {[KERNEL_METHOD_SDA] = TVR_SDA_FAILED,
                                   [KERNEL_METHOD_DDA] = TVR_DDA_FAILED,
                                   [KERNEL_METHOD_CDA] = TVR_CDA_FAILED};

    if (tx->oda.method == KERNEL_METHOD_NONE)
        return;
    tx->oda.ok = false;
    tx->oda.failed_at = at;
    tx->oda.check = check;
    tvr_set(tx, bit[tx->oda.method]);
    tsi_set(tx, TSI_ODA);
    if (check == EMV_CHECK_DATA_MISSING)
        tvr_set(tx, TVR_ICC_DATA_MISSING);
}

bool oda_wants_cda(const struct transaction *tx)
{
    return tx->oda.method == KERNEL_METHOD_CDA && tx->oda.failed_at == NULL;
}

static enum kernel_method choose(const struct transaction *tx)
{
    const uint8_t card = tx->aip[0], terminal = tx->capabilities[2];

    if (xda_selected(tx))
        return KERNEL_METHOD_XDA;
    if ((card & AIP_CDA) != 0 && (terminal & CAP3_CDA) != 0)
        return KERNEL_METHOD_CDA;
    if ((card & AIP_DDA) != 0 && (terminal & CAP3_DDA) != 0)
        return KERNEL_METHOD_DDA;
    if ((card & AIP_SDA) != 0 && (terminal & CAP3_SDA) != 0)
        return KERNEL_METHOD_SDA;
    return KERNEL_METHOD_NONE;
}

static enum tp_err sda(struct transaction *tx)
{
    const struct span ssad = data_get(tx, TAG_SSAD);
    const char *at = NULL;
    enum emv_check check = EMV_CHECK_OK;
    uint8_t dac[2];
    enum tp_err r;

    if (ssad.n == 0) {
        oda_failed(tx, "signed static data", EMV_CHECK_DATA_MISSING);
        return TP_OK;
    }
    r = oda_issuer_key(tx, &at, &check);
    if (r != TP_OK)
        return r;
    if (at == NULL && tx->static_broken) {
        at = "signed static data";
        check = EMV_CHECK_HASH;
    }
    if (at == NULL && tx->config->recorded != NULL) {
        memcpy(dac, tx->config->recorded->dac, sizeof(dac));
        check = tx->config->recorded->check;
        at = check == EMV_CHECK_OK ? NULL : "signed static data";
    } else if (at == NULL) {
        r = emv_ssad_check(&check, dac, tx->issuer_key, ssad,
                           span_of(tx->static_data, tx->static_n));
        if (r != TP_OK)
            return tp_fail(tx->e, r, "the signed static data cannot be checked: %s",
                           tp_err_text(r));
        at = check == EMV_CHECK_OK ? NULL : "signed static data";
    }
    if (at != NULL) {
        oda_failed(tx, at, check);
        return TP_OK;
    }
    tsi_set(tx, TSI_ODA);
    tx->oda.ok = true;
    return data_put(tx, TAG_DATA_AUTH_CODE, FROM_CARD, SPAN_OF(dac));
}

/* The card's DDOL, else the terminal's; it must ask for the unpredictable number (Book 2, 6.5.1).
 * Empty when there is none such. */
static struct span ddol(const struct transaction *tx)
{
    const struct span own = data_get(tx, TAG_DDOL);
    const struct span list =
        own.n > 0 || tx->selected.app == NULL ? own : tx->selected.app->default_ddol;
    struct span rest = list;
    struct dol_entry entry;
    size_t n;

    if (dol_length(list, &n) == TP_OK && n <= 255)
        while (dol_next(&rest, &entry) == TP_OK)
            if (entry.tag == TAG_UN)
                return list;
    return (struct span){NULL, 0};
}

/* INTERNAL AUTHENTICATE's answer, format 1 or 2 (Book 3, 6.5.9.4). TP_ERR_FORMAT. */
static enum tp_err signature(struct span data, struct span *sdad)
{
    struct tlv whole, found;

    if (tlv_next(&data, &whole) != TP_OK || data.n > 0)
        return TP_ERR_FORMAT;
    *sdad = whole.value;
    if (whole.tag == TAG_RESPONSE_1)
        return TP_OK;
    if (whole.tag != TAG_RESPONSE_2 || tlv_find(whole.value, TAG_SDAD, &found) != TP_OK)
        return TP_ERR_FORMAT;
    *sdad = found.value;
    return TP_OK;
}

static enum tp_err dda_sign(struct transaction *tx, struct span list)
{
    uint8_t raw[255];
    struct buf values = BUF_OF(raw);
    struct capdu c = {.ins = INS_INTERNAL_AUTHENTICATE, .le = 256};
    struct emv_dynamic dynamic;
    struct span data, sdad;
    enum emv_check check;
    uint16_t sw;
    enum tp_err r = data_dol(tx, &values, list, TAG_EV_DDOL_VALUES, "DDOL");

    if (r != TP_OK)
        return r;
    c.data = buf_span(&values);
    r = command_send(tx, &c, &data, &sw);
    if (r != TP_OK)
        return r;
    if (sw != SW_OK)
        return tx_end_sw(tx, sw, "INTERNAL AUTHENTICATE");
    if (signature(data, &sdad) != TP_OK)
        return tx_end(tx, KERNEL_TERMINATED,
                      "the card's answer to INTERNAL AUTHENTICATE is malformed");
    r = data_put(tx, TAG_EV_DDA_SDAD, FROM_KERNEL, sdad);
    if (r != TP_OK)
        return r;
    r = emv_dda_check(&check, &dynamic, tx->icc_key, sdad, buf_span(&values));
    if (r != TP_OK)
        return tp_fail(tx->e, r, "the card's signature cannot be checked: %s", tp_err_text(r));
    if (check != EMV_CHECK_OK) {
        oda_failed(tx, "signature", check);
        return TP_OK;
    }
    tsi_set(tx, TSI_ODA);
    tx->oda.ok = true;
    if (dynamic.icc_dynamic_number.n == 0)
        return TP_OK;
    return data_put(tx, TAG_ICC_DYNAMIC_NUMBER, FROM_CARD, dynamic.icc_dynamic_number);
}

/* DDA and CDA begin alike; the rest of CDA comes with GENERATE AC, and only then does TSI say
 * "performed". */
static enum tp_err dynamic(struct transaction *tx)
{
    const char *at;
    enum emv_check check;
    struct span list;
    enum tp_err r = oda_icc_key(tx, &at, &check);

    if (r != TP_OK)
        return r;
    if (at != NULL) {
        oda_failed(tx, at, check);
        return TP_OK;
    }
    if (tx->reading) { /* the certificates are all that can be checked without a signature */
        tx->oda.ok = true;
        return TP_OK;
    }
    if (tx->oda.method == KERNEL_METHOD_CDA)
        return TP_OK;
    list = ddol(tx);
    if (list.n > 0)
        return dda_sign(tx, list);
    oda_failed(tx, "DDOL", EMV_CHECK_NO_UN);
    return TP_OK;
}

enum tp_err step_authenticate(struct transaction *tx)
{
    tx->oda.method = choose(tx);
    switch (tx->oda.method) {
    case KERNEL_METHOD_NONE:
        tvr_set(tx, TVR_ODA_NOT_PERFORMED);
        return TP_OK;
    case KERNEL_METHOD_SDA:
        tvr_set(tx, TVR_SDA_SELECTED);
        return sda(tx);
    case KERNEL_METHOD_XDA:
        return xda_authenticate(tx);
    case KERNEL_METHOD_DDA:
    case KERNEL_METHOD_CDA:
        break;
    }
    return dynamic(tx);
}

enum tp_err step_prove(struct transaction *tx)
{
    enum tp_err r;

    if ((tx->aip[0] & AIP_DDA) == 0)
        return tx_end(tx, KERNEL_NOT_ACCEPTED,
                      "this card signs nothing of its own that would prove it (it has no DDA)");
    tx->oda.method = KERNEL_METHOD_DDA;
    r = dynamic(tx);
    if (r != TP_OK)
        return r;
    return tx->oda.ok ? tx_end(tx, KERNEL_PROVED, "proved")
                      : tx_end(tx, KERNEL_TERMINATED, "the card's %s is not good: %s",
                               tx->oda.failed_at, emv_check_text(tx->oda.check));
}
