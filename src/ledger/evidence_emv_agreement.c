/* Evidence by EMV: what was signed against what the message says. */
#include <stdio.h>
#include <string.h>

#include "apdu/emvbits.h"
#include "apdu/emvtags.h"
#include "base/bcd.h"
#include "base/hex.h"
#include "base/money.h"
#include "base/secret.h"
#include "ledger/evidence_emv.h"

static void refuse_value(struct checking *c, uint32_t tag)
{
    static const struct {
        uint32_t tag;
        const char *reason;
    } names[] = {{TAG_AMOUNT, "SIGNED_AMOUNT"},
                 {TAG_AMOUNT_OTHER, "SIGNED_AMOUNT_OTHER"},
                 {TAG_TX_CURRENCY, "SIGNED_CURRENCY"},
                 {TAG_TX_DATE, "SIGNED_DATE"},
                 {TAG_TERMINAL_COUNTRY, "SIGNED_COUNTRY"},
                 {TAG_TX_TYPE, "SIGNED_TYPE"},
                 {TAG_UN, "SIGNED_UN"},
                 {TAG_AC, "SIGNED_AC"},
                 {TAG_CID, "SIGNED_CID"},
                 {TAG_ATC, "SIGNED_ATC"},
                 {TAG_TVR, "SIGNED_TVR"},
                 {TAG_CVM_RESULTS, "SIGNED_CVM"},
                 {TAG_IAD, "SIGNED_IAD"},
                 {TAG_AIP, "SIGNED_AIP"},
                 {TAG_DF_NAME, "SIGNED_AID"},
                 {TAG_PAN_SEQUENCE, "SIGNED_PSN"},
                 {TAG_PAN, "SIGNED_PAN"},
                 {TAG_EXPIRY, "SIGNED_EXPIRY"},
                 {TAG_SDAD, "SIGNED_SDAD"}};
    const struct emv_tag *known = emv_tag_find(tag);
    char reason[32];

    snprintf(reason, sizeof(reason), "SIGNED_%X", (unsigned)tag);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].tag == tag)
            snprintf(reason, sizeof(reason), "%s", names[i].reason);
    checking_refuse(c, EVIDENCE_SIGNED, reason, "%s (%X) is not the one the card signed",
                    known != NULL ? known->name : "the object", (unsigned)tag);
}

/* The one of the last GENERATE AC: a TVR may have gained bits between the first and the second. */
static const struct object *terminal_value(const struct checking *c, uint32_t tag)
{
    const struct object *o = objects_find(&c->cdol2, tag);

    return o != NULL ? o : objects_find(&c->cdol1, tag);
}

/* An object that the card gave itself, in its response or its records. Others that stand there are
 * ignored, as a terminal ignores them (Book 3, 7.5); the AID is the one selected. */
static const struct object *card_value(const struct checking *c, uint32_t tag)
{
    const struct emv_tag *known = emv_tag_find(tag);
    const struct object *o;

    if (tag == TAG_DF_NAME || (known != NULL && known->source != EMV_FROM_CARD))
        return NULL;
    o = objects_find(&c->response, tag);
    return o != NULL ? o : objects_find(&c->fixed, tag);
}

/* The card number that stands in DE 55, which need not have it: 5A, or 57 before its separator
 * (Book 3, Annex A). */
static bool is_own_number(const struct checking *c, const struct object *said)
{
    char hex[2 * 19 + 1];
    const size_t n = strlen(c->pan);
    bool same;

    if (said->value.n > 19)
        return false;
    hex_encode(hex, said->value);
    same = strncmp(hex, c->pan, n) == 0 &&
           (hex[n] == '\0' || hex[n] == (said->tag == TAG_PAN ? 'F' : 'D'));
    secret_wipe(hex, sizeof(hex));
    return same;
}

/* The TVR of a payment by XDA: two of its failures show only after the GENERATE AC that was given
 * it (Book 4, 6.3.2.2). */
static bool is_tvr_of_xda(struct span said, struct span covered)
{
    uint8_t before[5];

    if (said.n != sizeof(before) || !tvr_has(said.p, TVR_XDA_SELECTED))
        return false;
    memcpy(before, said.p, sizeof(before));
    before[TVR_XDA_SIGNATURE_FAILED >> 8] &= (uint8_t)~TVR_XDA_SIGNATURE_FAILED;
    before[TVR_ECC_KEY_RECOVERY_FAILED >> 8] &= (uint8_t)~TVR_ECC_KEY_RECOVERY_FAILED;
    return dol_value_fits(TAG_TVR, SPAN_OF(before), covered);
}

/* Whether an object of DE 55 is the one that the card signed, or that nothing signed covers. */
static bool is_as_signed(const struct checking *c, const struct object *said)
{
    const struct emv_tag *known = emv_tag_find(said->tag);
    const struct object *o = terminal_value(c, said->tag);

    if (known != NULL && known->max > 0 &&
        (said->value.n < known->min || said->value.n > known->max))
        return false;
    if ((said->tag == TAG_PAN || said->tag == TAG_TRACK2) && !is_own_number(c, said))
        return false;
    if (said->tag == TAG_AC)
        return span_eq(said->value, SPAN_OF(c->result->ac));
    if (said->tag == TAG_UN)
        return span_eq(said->value, c->ev->un);
    if (said->tag == TAG_AIP)
        return c->aip.n == 0 || span_eq(said->value, c->aip);
    if (said->tag == TAG_DF_NAME &&
        o == NULL) /* a CDOL may ask for the AID as the terminal knows it */
        o = terminal_value(c, TAG_TERMINAL_AID);
    if (said->tag == TAG_DF_NAME && o == NULL)
        o = objects_find(&c->fixed, TAG_TERMINAL_AID); /* XDA: Book 3, 10.3 */
    if (o != NULL)
        return dol_value_fits(said->tag, said->value, o->value) ||
               (said->tag == TAG_TVR && is_tvr_of_xda(said->value, o->value));
    o = card_value(c, said->tag);
    return o == NULL || span_eq(said->value, o->value);
}

static void compare_de55(struct checking *c)
{
    for (size_t i = 0; i < c->de55.n && !checking_refused(c); i++)
        if (!is_as_signed(c, &c->de55.at[i]))
            refuse_value(c, c->de55.at[i].tag);
}

/* A number of a list's value, whatever length it was asked for with: zeros fill it at the left
 * (5.4). */
static bool number_of(struct span value, uint64_t *out)
{
    while (value.n > 1 && value.p[0] == 0) {
        value.p++;
        value.n--;
    }
    return value.n > 0 && bcd_get(value, out) == TP_OK;
}

/* A number that the terminal gave at each GENERATE AC. */
static void compare_number(struct checking *c, uint32_t tag, int64_t said)
{
    const struct objects *const lists[] = {&c->cdol1, &c->cdol2};
    bool found = false;

    if (said < 0 || checking_refused(c))
        return;
    for (size_t i = 0; i < 2; i++) {
        const struct object *o = objects_find(lists[i], tag);
        uint64_t value;

        if (o == NULL)
            continue;
        found = true;
        if (!number_of(o->value, &value) ||
            value != (uint64_t)said) { /* cut digits are signed by nobody */
            refuse_value(c, tag);
            return;
        }
    }
    if (!found)
        refuse_value(c, tag);
}

static void compare_card(struct checking *c)
{
    const struct evidence_claim *said = c->claim;
    const struct span psn = objects_value(&c->fixed, TAG_PAN_SEQUENCE);
    char pan[2 * PAN_CN + 1] = "";
    uint64_t number = 0;

    if (c->ev->pan.n > PAN_CN ||
        (c->ev->pan.n > 0 && (bcd_get_cn(c->ev->pan, pan) != TP_OK || strcmp(pan, c->pan) != 0)))
        refuse_value(c, TAG_PAN);
    else if (c->ev->pan_digits.n > 0 && !span_eq(c->ev->pan_digits, span_str(c->pan)))
        refuse_value(c, TAG_PAN);
    else if (said->pan != NULL && strcmp(said->pan, c->pan) != 0)
        refuse_value(c, TAG_PAN);
    else if (said->expiry >= 0 && c->result->card_expiry != 0 &&
             said->expiry / 100 != c->result->card_expiry / 100)
        refuse_value(c, TAG_EXPIRY); /* DE 14 has no day */
    else if (said->psn >= 0 && (psn.n > 0 || checking_signed(c)) &&
             ((psn.n > 0 && bcd_get(psn, &number) != TP_OK) || number != (uint64_t)said->psn))
        refuse_value(c, TAG_PAN_SEQUENCE); /* absent is 00 (Book 2, A1.4) */
}

/* The UN of the signature must be the one in the CDOL values, where they hold it: both GENERATE ACs
 * are of one transaction. */
static void compare_un(struct checking *c)
{
    const struct objects *const lists[] = {&c->cdol1, &c->cdol2};

    for (size_t i = 0; i < 2 && !checking_refused(c); i++) {
        const struct object *o = objects_find(lists[i], TAG_UN);

        if (o != NULL && !dol_value_fits(TAG_UN, c->ev->un, o->value))
            refuse_value(c, TAG_UN);
    }
}

/* What the terminal gave at the first GENERATE AC of amount, currency, type and date; at the second
 * where that alone is signed. */
static void take_values(struct checking *c)
{
    const struct objects *list = c->cdol1.n > 0 ? &c->cdol1 : &c->cdol2;
    struct evidence_result *r = c->result;
    uint64_t amount = 0, currency = 0, type = 0, date = 0;

    r->has_values = number_of(objects_value(list, TAG_AMOUNT), &amount) &&
                    number_of(objects_value(list, TAG_TX_CURRENCY), &currency) &&
                    number_of(objects_value(list, TAG_TX_TYPE), &type) &&
                    number_of(objects_value(list, TAG_TX_DATE), &date) &&
                    amount <= (uint64_t)MONEY_MAX;
    if (!r->has_values)
        return;
    r->amount = (int64_t)amount;
    r->currency = (unsigned)(currency % 1000);
    r->type = (unsigned)(type / 10 % 10 << 4 | type % 10); /* two BCD digits: the byte */
    r->date =
        20000000 +
        (int)(date % 1000000); /* YYMMDD; EMV 4.4 Book 4, 6.7.3 puts 00-49 into this century */
}

enum tp_err evidence_emv_agreement(struct checking *c)
{
    const struct object *tvr = terminal_value(c, TAG_TVR),
                        *cvm = terminal_value(c, TAG_CVM_RESULTS);
    struct evidence_result *r = c->result;

    compare_card(c);
    compare_number(c, TAG_AMOUNT, c->claim->amount);
    compare_number(c, TAG_TX_CURRENCY, c->claim->currency);
    compare_number(c, TAG_TERMINAL_COUNTRY, c->claim->country);
    compare_number(c, TAG_TX_DATE, c->claim->date < 0 ? -1 : c->claim->date % 1000000);
    /* 9C and the first digits of DE 3 are two BCD digits; the claim holds the byte itself */
    compare_number(c, TAG_TX_TYPE,
                   c->claim->type < 0 ? -1 : (c->claim->type >> 4) * 10 + (c->claim->type & 0x0F));
    if (!checking_refused(c))
        compare_un(c);
    if (!checking_refused(c))
        compare_de55(c);
    take_values(c);
    r->has_tvr = tvr != NULL && tvr->value.n >= sizeof(r->tvr); /* zeros fill it at the right */
    if (r->has_tvr)
        memcpy(r->tvr, tvr->value.p, sizeof(r->tvr));
    r->has_cvm_results = cvm != NULL && cvm->value.n >= sizeof(r->cvm_results);
    if (r->has_cvm_results)
        memcpy(r->cvm_results, cvm->value.p, sizeof(r->cvm_results));
    return TP_OK;
}
