/* Evidence by EMV: every object that the check needs is there and parses. */
#include <stdio.h>
#include <string.h>

#include "apdu/dol.h"
#include "apdu/emvbits.h"
#include "apdu/emvtags.h"
#include "base/bcd.h"
#include "base/date.h"
#include "ledger/evidence_emv.h"

/* An object that is not as it should be. The reason is as given, or before and after the tag:
 * "DOUBLED_", 9F02, "". */
static void refuse_tag(struct checking *c, uint32_t tag, const char *before, const char *after,
                       const char *why)
{
    const struct emv_tag *known = emv_tag_find(tag);
    char reason[64];

    if (after == NULL)
        snprintf(reason, sizeof(reason), "%s", before);
    else
        snprintf(reason, sizeof(reason), "%s%X%s", before, (unsigned)tag, after);
    checking_refuse(c, EVIDENCE_PRESENT, reason, "%X (%s) %s", (unsigned)tag,
                    known != NULL ? known->name : "no EMV data object", why);
}

void checking_fault(struct checking *c)
{
    switch (c->ev->fault) {
    case EVIDENCE_BAD_STREAM:
        checking_refuse(c, EVIDENCE_PRESENT, "EVIDENCE_FORMAT", "fields 61 to 63 are not TLV");
        break;
    case EVIDENCE_DOUBLED:
        refuse_tag(c, c->ev->fault_tag, "DOUBLED_", "", "is there twice");
        break;
    case EVIDENCE_FOREIGN:
        refuse_tag(c, c->ev->fault_tag, "FOREIGN_", "", "does not belong in fields 61 to 63");
        break;
    case EVIDENCE_SOUND:
        break;
    }
}

/* Without a signature in the response, or with one that the terminal says is none, what the card's
 * certificates can still say: DDA, else SDA, else nothing. A terminal that says itself that they
 * failed has the issuer judge (the cryptogram covers the TVR): nothing is checked then. */
static void choose_method(struct checking *c)
{
    const struct span tvr = objects_value(&c->de55, TAG_TVR);

    c->result->oda_failed =
        tvr.n == 5 && (tvr_has(tvr.p, TVR_SDA_FAILED | TVR_DDA_FAILED) || tvr_xda_failed(tvr.p));
    if (c->result->oda_failed)
        c->result->method = EVIDENCE_NO_ODA;
    else if (c->ev->dda_sdad.n > 0)
        c->result->method = EVIDENCE_DDA;
    else
        c->result->method = c->ev->ssad.n > 0 ? EVIDENCE_SDA : EVIDENCE_NO_ODA;
}

/* What the response says without a signature: the issuer's check of the cryptogram is what vouches
 * for it. */
static void take_unsigned(struct checking *c)
{
    const struct span ac = objects_value(&c->response, TAG_AC);

    c->result->cid = objects_value(&c->response, TAG_CID).p[0];
    memcpy(c->result->ac, ac.p, sizeof(c->result->ac));
    memcpy(c->result->atc, objects_value(&c->response, TAG_ATC).p, sizeof(c->result->atc));
}

/* The GENERATE AC response: CID, ATC, and the SDAD (EMV 4.4 Book 2, table 20) or the cryptogram. */
static void check_response(struct checking *c)
{
    if (c->ev->response.n == 0) {
        checking_refuse(c, EVIDENCE_PRESENT, "RESPONSE_MISSING",
                        "DF05 (the card's response) is missing");
        return;
    }
    if (response_read(&c->response, c->ev->response) != TP_OK) {
        checking_refuse(c, EVIDENCE_PRESENT, "RESPONSE_FORMAT",
                        "DF05 is no response to GENERATE AC, or holds an object twice");
        return;
    }
    c->sdad = objects_value(&c->response, TAG_SDAD);
    c->xda = evidence_is_xda(c->ev);
    choose_method(c);
    if (c->xda && !c->result->oda_failed)
        c->result->method = EVIDENCE_XDA;
    else if (!c->xda && objects_find(&c->response, TAG_SDAD) != NULL)
        c->result->method = EVIDENCE_CDA;
    c->result->oda_failed &= c->result->method == EVIDENCE_NO_ODA;
    if (c->sdad.n == 0 && objects_value(&c->response, TAG_AC).n != 8)
        checking_refuse(
            c, EVIDENCE_PRESENT, "SDAD_MISSING",
            "the card did not sign (9F4B is missing from its response), and gave no cryptogram");
    else if (objects_value(&c->response, TAG_CID).n != 1)
        refuse_tag(c, TAG_CID, "CID_MISSING", NULL, "is missing from the card's response");
    else if (objects_value(&c->response, TAG_ATC).n != 2)
        refuse_tag(c, TAG_ATC, "ATC_MISSING", NULL, "is missing from the card's response");
    else if (c->result->method != EVIDENCE_CDA && objects_value(&c->response, TAG_AC).n != 8)
        refuse_tag(c, TAG_AC, "AC_MISSING", NULL, "is missing from the card's response");
    else if (c->result->method != EVIDENCE_CDA)
        take_unsigned(c);
}

void checking_needed(struct checking *c)
{
    const struct evidence *ev = c->ev;
    const struct {
        unsigned of;
        struct span value;
        size_t min, max;
        uint32_t tag;
        const char *reason;
    } needed[] = {
        {OF_ALL, ev->aid, RID, 16, TAG_DF_NAME, "AID_MISSING"},
        {OF_ODA, ev->ca_index, 1, 1, TAG_CA_INDEX, "CA_INDEX_MISSING"},
        {OF_ODA, ev->issuer_cert, 1, EMV_RSA_MAX, TAG_ISSUER_CERT, "ISSUER_CERT_MISSING"},
        {OF_RSA, ev->issuer_exponent, 1, 3, TAG_ISSUER_EXPONENT, "ISSUER_EXPONENT_MISSING"},
        {OF_ICC, ev->icc_cert, 1, EMV_RSA_MAX, TAG_ICC_CERT, "ICC_CERT_MISSING"},
        {OF_ICC_RSA, ev->icc_exponent, 1, 3, TAG_ICC_EXPONENT, "ICC_EXPONENT_MISSING"},
        {OF_ODA, ev->static_data, 1, SIZE_MAX, TAG_EV_STATIC, "STATIC_DATA_MISSING"},
        {c->presence ? 0 : OF_ALL, ev->cdol1_values, 1, SIZE_MAX, TAG_EV_CDOL1_VALUES,
         "CDOL1_VALUES_MISSING"},
        {c->presence ? OF_ICC : OF_ALL, ev->un, 4, 4, TAG_UN, "UN_MISSING"}};

    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
        if ((needed[i].of & OF(c->result->method)) != 0 &&
            (needed[i].value.n < needed[i].min || needed[i].value.n > needed[i].max)) {
            refuse_tag(c, needed[i].tag, needed[i].reason, NULL, "is missing or of a wrong length");
            return;
        }
}

static void read_de55(struct checking *c)
{
    uint32_t tag = 0;
    const enum tp_err r = objects_read(&c->de55, c->ev->de55, &tag);

    if (r == TP_ERR_EXISTS)
        refuse_tag(c, tag, "DOUBLED_", "", "is there twice");
    else if (r != TP_OK)
        checking_refuse(c, EVIDENCE_PRESENT, "DE55_FORMAT", "field 55 is not TLV");
}

/* As in doc/protocol.md; 9F10 and 5F34 where the card has them. */
static void check_de55(struct checking *c)
{
    static const uint32_t needed[] = {TAG_AC,
                                      TAG_CID,
                                      TAG_UN,
                                      TAG_ATC,
                                      TAG_TVR,
                                      TAG_TX_DATE,
                                      TAG_TX_TYPE,
                                      TAG_AMOUNT,
                                      TAG_AMOUNT_OTHER,
                                      TAG_TX_CURRENCY,
                                      TAG_AIP,
                                      TAG_TERMINAL_COUNTRY,
                                      TAG_TERMINAL_CAPABILITIES,
                                      TAG_CVM_RESULTS,
                                      TAG_TERMINAL_TYPE,
                                      TAG_IFD_SERIAL,
                                      TAG_DF_NAME,
                                      TAG_TERMINAL_VERSION,
                                      TAG_TX_COUNTER};
    static const uint32_t of_card[] = {TAG_IAD, TAG_PAN_SEQUENCE};

    if (c->ev->de55.n == 0)
        return;
    for (size_t i = 0; !checking_refused(c) && i < sizeof(needed) / sizeof(needed[0]); i++)
        if (objects_find(&c->de55, needed[i]) == NULL)
            refuse_tag(c, needed[i], "DE55_", "_MISSING", "is missing from field 55");
    for (size_t i = 0; !checking_refused(c) && i < sizeof(of_card) / sizeof(of_card[0]); i++)
        if (objects_find(&c->de55, of_card[i]) == NULL &&
            (objects_find(&c->fixed, of_card[i]) != NULL ||
             objects_find(&c->response, of_card[i]) != NULL))
            refuse_tag(c, of_card[i], "DE55_", "_MISSING", "is missing from field 55");
}

/* The list that was used: of the signed records; where those hold none (Book 3, 10.3: what is
 * authenticated is the issuer's choice), the one that came with the values. */
static struct span list_used(const struct checking *c, uint32_t tag, struct span given)
{
    const struct span own = objects_value(&c->fixed, tag);

    return own.n > 0 ? own : given;
}

/* Whether a list's values say what is paid, once and whole. */
static bool says_what_is_paid(struct span dol)
{
    struct objects values;
    uint8_t zeros[UINT8_MAX] = {0};
    size_t n = 0;

    objects_start(&values);
    return dol_length(dol, &n) == TP_OK && n <= sizeof(zeros) &&
           dol_values_read(&values, dol, span_of(zeros, n)) == TP_OK &&
           dol_unsound(dol, &values, true) == NULL;
}

/* XDA at the second GENERATE AC: what CDOL2 asked for is signed, and no more; what CDOL1 asked for
 * counts where that leaves out what is paid, on the issuer's word. */
static void keep_signed_values(struct checking *c)
{
    const struct span cdol2 = objects_value(&c->fixed, TAG_CDOL2);

    c->result->cdol1_signed = cdol2.n > 0 && says_what_is_paid(cdol2);
    if (c->result->cdol1_signed)
        objects_start(&c->cdol1);
}

/* The values the terminal gave, under the tags of the CDOLs. */
static void read_values(struct checking *c)
{
    const struct span cdol1 = list_used(c, TAG_CDOL1, c->ev->cdol1);
    const struct span cdol2 = list_used(c, TAG_CDOL2, c->ev->cdol2);
    const bool second = c->ev->cdol2_values.n > 0;
    const char *unsound = NULL;

    c->result->cdol1_signed =
        c->result->method != EVIDENCE_NO_ODA && objects_find(&c->fixed, TAG_CDOL1) != NULL;
    if (cdol1.n == 0 || dol_values_read(&c->cdol1, cdol1, c->ev->cdol1_values) != TP_OK)
        checking_refuse(c, EVIDENCE_PRESENT, "SIGNED_CDOL1",
                        "DF03 is not what the card's CDOL1 (8C) asks for");
    else if (second &&
             (cdol2.n == 0 || dol_values_read(&c->cdol2, cdol2, c->ev->cdol2_values) != TP_OK))
        checking_refuse(c, EVIDENCE_PRESENT, "SIGNED_CDOL2",
                        "DF04 is not what the card's CDOL2 (8D) asks for");
    if (checking_refused(c) || !checking_signed(c)) /* without CDA nothing signed the values either:
                                             the cryptogram counts, and its issuer's word */
        return;
    if (checking_second_alone(c)) {
        keep_signed_values(c);
        return;
    }
    if (objects_find(&c->fixed, TAG_CDOL1) == NULL &&
        (unsound = dol_unsound(cdol1, &c->cdol1, true)) != NULL)
        checking_refuse(c, EVIDENCE_PRESENT, "CDOL1_UNSOUND",
                        "no signed record holds CDOL1, and DF06 %s", unsound);
    else if (second && objects_find(&c->fixed, TAG_CDOL2) == NULL &&
             (unsound = dol_unsound(cdol2, &c->cdol2, false)) != NULL)
        checking_refuse(c, EVIDENCE_PRESENT, "CDOL2_UNSOUND",
                        "no signed record holds CDOL2, and DF07 %s", unsound);
}

/* Card number and expiry: signed with CDA, and of a presence; without it, where no record that is
 * authenticated holds them, what the message says. */
static void read_card(struct checking *c)
{
    const bool cda = checking_signed(c) || c->presence;
    const struct span pan = objects_value(&c->fixed, TAG_PAN), said = c->ev->pan_digits;
    const struct span expiry = objects_value(&c->fixed, TAG_EXPIRY);

    if (pan.n > 0 || cda || said.n == 0 || said.n >= sizeof(c->pan)) {
        const struct span cn = pan.n > 0 || cda ? pan : c->ev->pan;

        if (cn.n == 0 || cn.n > PAN_CN || bcd_get_cn(cn, c->pan) != TP_OK)
            checking_refuse(c, EVIDENCE_PRESENT, "SIGNED_PAN",
                            "5A is not among the signed records");
    } else {
        memcpy(c->pan, said.p, said.n);
        c->pan[said.n] = '\0';
    }
    if (!checking_refused(c) && (cda || expiry.n > 0) &&
        date_from_yymmdd(&c->result->card_expiry, expiry) != TP_OK)
        checking_refuse(c, EVIDENCE_PRESENT, "SIGNED_EXPIRY",
                        "5F24 is not among the signed records");
}

void checking_records(struct checking *c)
{
    uint32_t tag = 0;

    if (static_data_read(&c->fixed, &c->aip, c->ev->static_data, c->xda, &tag) == TP_OK)
        read_card(c);
    else
        checking_refuse(c, EVIDENCE_PRESENT, "STATIC_DATA_FORMAT",
                        "DF01 does not parse, or holds an object twice");
}

enum tp_err evidence_emv_present(struct checking *c)
{
    read_de55(c);
    if (!checking_refused(c))
        checking_fault(c);
    if (!checking_refused(c))
        check_response(c);
    if (!checking_refused(c))
        checking_needed(c);
    if (!checking_refused(c))
        checking_records(c);
    if (!checking_refused(c))
        read_values(c);
    if (!checking_refused(c))
        check_de55(c);
    return TP_OK;
}
