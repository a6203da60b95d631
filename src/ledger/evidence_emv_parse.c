/* Evidence by EMV as it comes: DE 55, and the objects of DE 61 to 63. */
#include <string.h>

#include "apdu/emvbits.h"
#include "apdu/emvtags.h"
#include "ledger/evidence_priv.h"

const uint32_t evidence_tags[] = {TAG_DF_NAME,
                                  TAG_PAN,
                                  TAG_CA_INDEX,
                                  TAG_ISSUER_CERT,
                                  TAG_ISSUER_REMAINDER,
                                  TAG_ISSUER_EXPONENT,
                                  TAG_ICC_CERT,
                                  TAG_ICC_EXPONENT,
                                  TAG_ICC_REMAINDER,
                                  TAG_UN,
                                  TAG_EV_STATIC,
                                  TAG_EV_PDOL_VALUES,
                                  TAG_EV_CDOL1_VALUES,
                                  TAG_EV_CDOL2_VALUES,
                                  TAG_EV_RESPONSE,
                                  TAG_SSAD,
                                  TAG_EV_CDOL1,
                                  TAG_EV_CDOL2,
                                  TAG_EV_DDOL_VALUES,
                                  TAG_EV_DDA_SDAD,
                                  0};

struct span *evidence_field(struct evidence *ev, uint32_t tag)
{
    switch (tag) {
    case TAG_DF_NAME:
        return &ev->aid;
    case TAG_PAN:
        return &ev->pan;
    case TAG_CA_INDEX:
        return &ev->ca_index;
    case TAG_ISSUER_CERT:
        return &ev->issuer_cert;
    case TAG_ISSUER_REMAINDER:
        return &ev->issuer_remainder;
    case TAG_ISSUER_EXPONENT:
        return &ev->issuer_exponent;
    case TAG_ICC_CERT:
        return &ev->icc_cert;
    case TAG_ICC_REMAINDER:
        return &ev->icc_remainder;
    case TAG_ICC_EXPONENT:
        return &ev->icc_exponent;
    case TAG_UN:
        return &ev->un;
    case TAG_EV_STATIC:
        return &ev->static_data;
    case TAG_EV_PDOL_VALUES:
        return &ev->pdol_values;
    case TAG_EV_CDOL1_VALUES:
        return &ev->cdol1_values;
    case TAG_EV_CDOL2_VALUES:
        return &ev->cdol2_values;
    case TAG_EV_RESPONSE:
        return &ev->response;
    case TAG_SSAD:
        return &ev->ssad;
    case TAG_EV_CDOL1:
        return &ev->cdol1;
    case TAG_EV_CDOL2:
        return &ev->cdol2;
    case TAG_EV_DDOL_VALUES:
        return &ev->ddol_values;
    case TAG_EV_DDA_SDAD:
        return &ev->dda_sdad;
    default:
        return NULL;
    }
}

static void note(struct evidence *ev, enum evidence_fault fault, uint32_t tag)
{
    if (ev->fault == EVIDENCE_SOUND) {
        ev->fault = fault;
        ev->fault_tag = tag;
    }
}

enum tp_err evidence_emv_parse(struct evidence *ev, struct span de55, struct span stream,
                               struct span pan)
{
    struct tlv t;
    enum tp_err r;

    memset(ev, 0, sizeof(*ev));
    ev->de55 = de55;
    ev->pan_digits = pan;
    while ((r = objects_next(&stream, &t)) == TP_OK) {
        struct span *field = t.tag == TAG_DF_NAME || t.tag == TAG_PAN || t.tag == TAG_UN
                                 ? NULL
                                 : evidence_field(ev, t.tag);

        if (field == NULL)
            note(ev, EVIDENCE_FOREIGN, t.tag);
        else if (field->p != NULL)
            note(ev, EVIDENCE_DOUBLED, t.tag);
        else
            *field = t.value;
    }
    if (r != TP_ERR_NOT_FOUND)
        note(ev, EVIDENCE_BAD_STREAM, 0);
    while (objects_next(&de55, &t) == TP_OK) /* the check reads all of it */
        if (t.tag == TAG_DF_NAME || t.tag == TAG_UN)
            *evidence_field(ev, t.tag) = t.value;
    return TP_OK;
}

bool evidence_is_xda(const struct evidence *ev)
{
    struct objects list;
    struct span sdad;
    struct tlv tvr;

    if (tlv_find(ev->de55, TAG_TVR, &tvr) == TP_OK && tvr.value.n == 5 &&
        tvr_has(tvr.value.p, TVR_XDA_SELECTED))
        return true;
    objects_start(&list);
    if (response_read(&list, ev->response) != TP_OK)
        return false;
    sdad = objects_value(&list, TAG_SDAD);
    return objects_value(&list, TAG_AC).n > 0 && sdad.n > 0 &&
           (sdad.n == 1 + ec_signature_size(ec_suite_signature(0x10)) ||
            sdad.n == 1 + ec_signature_size(ec_suite_signature(0x11)));
}

struct span evidence_signed_record(const struct evidence *ev, uint32_t tag)
{
    struct objects list;
    struct span aip;
    uint32_t at = 0;

    objects_start(&list);
    if (static_data_read(&list, &aip, ev->static_data, evidence_is_xda(ev), &at) != TP_OK)
        return span_of(NULL, 0);
    return tag == TAG_AIP ? aip : objects_value(&list, tag);
}
