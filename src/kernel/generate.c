/* GENERATE APPLICATION CRYPTOGRAM: EMV 4.4 Book 3, 6.5.5, 9.2 and 9.3; with CDA: Book 2, 6.6; with
 * XDA: 12.5. */
#include "kernel/kernel_priv.h"

#include <openssl/evp.h>
#include <string.h>

#define IAD_MAX 32

struct answer { /* borrowed from the response */
    struct span whole, cid, atc, ac, iad, sdad;
    struct span hashed[2]; /* the objects of template 77 before and behind 9F4B, as received */
};

/* A DOL that asks for 98 gets the hash over the TDOL's values: Book 3, 9.2.2. */
static enum tp_err put_tc_hash(struct transaction *tx, struct span dol)
{
    uint8_t raw[255], digest[20];
    struct buf values = BUF_OF(raw);
    struct dol_entry entry;
    const struct span tdol = data_get(tx, TAG_TDOL);
    bool asked = false;
    enum tp_err r;

    while (dol_next(&dol, &entry) == TP_OK)
        asked = asked || entry.tag == TAG_TC_HASH;
    if (!asked)
        return TP_OK;
    /* The terminal has no default TDOL: an empty one is taken then, and not told as one that was
     * used (9.2.2). */
    r = data_dol(tx, &values, tdol, 0, "TDOL");
    if (r != TP_OK)
        return r;
    if (EVP_Digest(values.p, values.n, digest, NULL, EVP_sha1(), NULL) != 1)
        return tp_fail(tx->e, TP_ERR_INTERNAL, "SHA-1 is not to be had");
    return data_put(tx, TAG_TC_HASH, FROM_TERMINAL, SPAN_OF(digest));
}

/* Format 1: CID, ATC, AC and the rest IAD (6.5.5.4). */
static enum tp_err parse_1(struct answer *a, struct span value)
{
    if (span_take(&value, 1, &a->cid) != TP_OK || span_take(&value, 2, &a->atc) != TP_OK ||
        span_take(&value, 8, &a->ac) != TP_OK)
        return TP_ERR_FORMAT;
    a->iad = value;
    return TP_OK;
}

static enum tp_err parse_2(struct answer *a, struct span value)
{
    struct tlv object;
    const uint8_t *start = value.p;
    const uint8_t *end = value.p + value.n;
    enum tp_err r;

    a->hashed[0] = value;
    while ((r = tlv_next(&value, &object)) == TP_OK) {
        struct span *at = object.tag == TAG_CID    ? &a->cid
                          : object.tag == TAG_ATC  ? &a->atc
                          : object.tag == TAG_AC   ? &a->ac
                          : object.tag == TAG_IAD  ? &a->iad
                          : object.tag == TAG_SDAD ? &a->sdad
                                                   : NULL;

        if (at != NULL && at->p != NULL)
            return TP_ERR_FORMAT; /* twice */
        if (at != NULL)
            *at = object.value;
        if (object.tag == TAG_SDAD) {
            a->hashed[0] = span_of(start, (size_t)(object.raw.p - start));
            a->hashed[1] =
                span_of(object.raw.p + object.raw.n, (size_t)(end - (object.raw.p + object.raw.n)));
        }
    }
    return r == TP_ERR_NOT_FOUND ? TP_OK : TP_ERR_FORMAT;
}

static enum tp_err parse(struct answer *a, struct span data)
{
    struct tlv whole;
    enum tp_err r;

    *a = (struct answer){.whole = data};
    if (tlv_next(&data, &whole) != TP_OK || data.n > 0)
        return TP_ERR_FORMAT;
    if (whole.tag == TAG_RESPONSE_1)
        r = parse_1(a, whole.value);
    else if (whole.tag == TAG_RESPONSE_2)
        r = parse_2(a, whole.value);
    else
        r = TP_ERR_FORMAT;
    if (r != TP_OK)
        return r;
    if (a->cid.n != 1 || a->atc.n != 2 || a->iad.n > IAD_MAX || (a->sdad.n == 0 && a->ac.n != 8))
        return TP_ERR_FORMAT;
    return TP_OK;
}

/* A card may answer less than was asked, never more: Book 3, 9.3 (TC > ARQC > AAC; at the second
 * time no ARQC). */
static bool allowed(enum ac_type want, enum ac_type got, bool second)
{
    switch (got) {
    case AC_AAC:
        return true;
    case AC_ARQC:
        return !second && want != AC_AAC;
    case AC_TC:
        return want == AC_TC;
    }
    return false;
}

/* Book 2, 6.6.2. The cryptogram itself is inside the signature. *got: the kind that the clear CID
 * says, corrected. */
static enum tp_err check_cda(struct transaction *tx, const struct answer *a, bool second,
                             enum ac_type *got, bool *failed)
{
    const struct span parts[] = {
        data_get(tx, TAG_EV_PDOL_VALUES), data_get(tx, TAG_EV_CDOL1_VALUES),
        second ? data_get(tx, TAG_EV_CDOL2_VALUES) : (struct span){NULL, 0}, a->hashed[0],
        a->hashed[1]};
    struct emv_dynamic dynamic;
    enum emv_check check = EMV_CHECK_DATA_MISSING;
    enum tp_err r = TP_OK;

    tsi_set(tx, TSI_ODA);
    if (a->sdad.n > 0)
        r = emv_cda_check(&check, &dynamic, tx->icc_key, a->sdad, data_get(tx, TAG_UN), a->cid.p[0],
                          parts, sizeof(parts) / sizeof(parts[0]));
    if (r != TP_OK)
        return tp_fail(tx->e, r, "the card's signature cannot be checked: %s", tp_err_text(r));
    if (check == EMV_CHECK_DATA_HASH && tx->config->recorded != NULL &&
        tx->config->recorded->answer_hidden)
        check = tx->config->recorded->signature;
    *failed = check != EMV_CHECK_OK;
    if (check == EMV_CHECK_CID) /* the signed one says what the cryptogram is: Book 4, 6.3.2.1 */
        *got = (dynamic.cid & AC_TYPE) == AC_TYPE ? AC_AAC : (enum ac_type)(dynamic.cid & AC_TYPE);
    if (*failed) {
        oda_failed(tx, "signature",
                   a->sdad.n > 0
                       ? check
                       : EMV_CHECK_LENGTH); /* no signature at all is not "ICC data missing" */
        return TP_OK;
    }
    tx->oda.ok = true;
    r = data_put(tx, TAG_ICC_DYNAMIC_NUMBER, FROM_CARD, dynamic.icc_dynamic_number);
    return r == TP_OK ? data_put(tx, TAG_AC, FROM_CARD, dynamic.ac) : r;
}

/* The last GENERATE AC's answer replaces that of an earlier one; what it has not is then empty. */
static enum tp_err keep(struct transaction *tx, const struct answer *a)
{
    const struct {
        uint32_t tag;
        struct span value;
    } all[] = {{TAG_CID, a->cid},
               {TAG_ATC, a->atc},
               {TAG_IAD, a->iad},
               {TAG_SDAD, a->sdad},
               {TAG_AC, a->ac}};
    enum tp_err r = data_put(tx, TAG_EV_RESPONSE, FROM_KERNEL, a->whole);

    for (size_t i = 0; r == TP_OK && i < sizeof(all) / sizeof(all[0]); i++)
        if (all[i].value.n > 0 || data_object(tx, all[i].tag) != NULL)
            r = data_put(tx, all[i].tag, FROM_CARD, all[i].value);
    return r;
}

/* signature: AC_CDA, AC_XDA or 0. */
static enum tp_err send(struct transaction *tx, enum ac_type want, bool second, uint8_t signature,
                        struct answer *a)
{
    const struct span dol = data_get(tx, second ? TAG_CDOL2 : TAG_CDOL1);
    const char *name = second ? "CDOL2" : "CDOL1";
    struct capdu c = {
        .cla = 0x80, .ins = INS_GENERATE_AC, .p1 = (uint8_t)(want | signature), .le = 256};
    uint8_t raw[255];
    struct buf values = BUF_OF(raw);
    struct span data;
    uint16_t sw;
    enum tp_err r = put_tc_hash(tx, dol);

    if (r == TP_OK)
        r = data_dol(tx, &values, dol, second ? TAG_EV_CDOL2_VALUES : TAG_EV_CDOL1_VALUES, name);
    if (r != TP_OK)
        return r;
    c.data = buf_span(&values);
    r = command_send(tx, &c, &data, &sw);
    if (r != TP_OK)
        return r;
    if (sw != SW_OK)
        return tx_end_sw(tx, sw, "GENERATE AC");
    if (parse(a, data) != TP_OK)
        return tx_end(tx, KERNEL_TERMINATED, "the card's answer to GENERATE AC is malformed");
    return TP_OK;
}

enum tp_err generate_ac(struct transaction *tx, enum ac_type want, bool second, enum ac_type *got,
                        bool *failed)
{
    const bool cda = want != AC_AAC && oda_wants_cda(tx), xda = xda_selected(tx);
    struct answer a;
    bool lies;
    /* with XDA a signature is always asked for, failed or not: Book 2, 12.5.1 */
    enum tp_err r = send(tx, want, second, xda ? AC_XDA : cda ? AC_CDA : 0, &a);

    *failed = false;
    if (r != TP_OK)
        return r;
    tsi_set(tx, TSI_CARD_RISK);                  /* Book 3, 10.8 */
    *got = (enum ac_type)(a.cid.p[0] & AC_TYPE); /* NOLINT(clang-analyzer-core.NullDereference):
                                                send has filled a if it goes on */
    lies = !allowed(want, *got, second);
    if (lies && !second)
        return tx_end(tx, KERNEL_TERMINATED,
                      "the card answered another cryptogram than it may (CID %02X)", a.cid.p[0]);
    if ((!cda || *got == AC_AAC) && a.ac.n != 8) /* only CDA's signature may hold the cryptogram */
        return tx_end(tx, KERNEL_TERMINATED, "the card's answer to GENERATE AC is malformed");
    r = keep(tx, &a);
    if (lies) /* the second time all is said, and it counts as an AAC, which nobody signs: 9.3 */
        *got = AC_AAC;
    if (r == TP_OK && cda && *got != AC_AAC)
        r = check_cda(tx, &a, second, got, failed);
    if (r == TP_OK && xda) {
        const bool before = xda_failed(tx);

        r = xda_check_signature(tx, second, *got, a.sdad, a.hashed);
        *failed = *got != AC_AAC && xda_failed(tx) && !(second && before);
    }
    return r;
}
