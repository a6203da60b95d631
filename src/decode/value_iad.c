/* What issuers put into 9F10, and what they answer in 91. */
#include <string.h>

#include "apdu/emvtags.h"
#include "base/hex.h"
#include "base/text.h"
#include "decode/decode_priv.h"

enum {
    CCD_SIZE = 32,
    CCD_HEAD = 0x0F, /* also its 17th byte */
    VIS_HEAD = 0x06,
    VIS_MOBILE_HEAD = 0x1F,
    VIS_CVR = 3,
    MCHIP_SIZE = 18,
    MCHIP_CVR = 6,
    CSU = 4,
    REST_HEX = 2 * 32 + 1
};

/* Byte 1 of all: bits 8-7 the second, 6-5 the first. */
static void say_types(struct says *s, uint8_t byte)
{
    static const char *const second[] = {N_("CVR: second GENERATE AC gave AAC"),
                                         N_("CVR: second GENERATE AC gave TC"),
                                         N_("CVR: second GENERATE AC not requested"),
                                         N_("CVR: second GENERATE AC reserved")},
                             *const first[] = {N_("CVR: first GENERATE AC gave AAC"),
                                               N_("CVR: first GENERATE AC gave TC"),
                                               N_("CVR: first GENERATE AC gave ARQC"),
                                               N_("CVR: first GENERATE AC gave reserved")};

    say(s, "%s", _(second[byte >> 6]));
    say(s, "%s", _(first[byte >> 4 & 3]));
}

static void say_cvr_bits(struct says *s, enum emv_bitmap map, struct span cvr)
{
    for (unsigned i = 0; i < 8 * cvr.n; i++) {
        const char *name = emv_bit_name(map, i / 8 + 1, 8 - i % 8);

        if ((cvr.p[i / 8] & 0x80 >> i % 8) != 0 && name != NULL)
            say(s, "CVR byte %u bit %u: %s", i / 8 + 1, 8 - i % 8, _(name));
    }
}

/* What is left over, if it is. */
static bool rest_hex(char hex[REST_HEX], struct span rest)
{
    return rest.n > 0 && rest.n <= 32 && *hex_encode(hex, rest) != '\0';
}

static void say_ccd(struct says *s, struct span v)
{
    const struct span cvr = span_of(v.p + 3, 5);
    const uint8_t version = v.p[1] & 0x0F;
    char hex[REST_HEX];

    s->clause = "EMV 4.4 Book 3, C9";
    say(s, "Common Core Definitions, format %X", v.p[1] >> 4);
    say(s, "cryptogram version %X (%s)", version,
        version == 5   ? _("triple DES")
        : version == 6 ? "AES"
                       : _("not of the Common Core Definitions"));
    say(s, "derivation key index %02X", v.p[2]);
    say_types(s, cvr.p[0]);
    say(s, "CVR: PIN tries left %u", cvr.p[1] >> 4);
    say(s, "CVR: script commands carried out %u", cvr.p[3] >> 4);
    say_cvr_bits(s, EMV_BITMAP_CVR_CCD, cvr);
    if (rest_hex(hex, span_of(v.p + 8, 8)))
        say(s, "counters: %s", hex);
    if (rest_hex(hex, span_of(v.p + 17, 15)))
        say(s, "issuer discretionary data: %s", hex);
}

static void say_vis(struct says *s, struct span v)
{
    const struct span cvr = span_of(v.p + 4, VIS_CVR);
    char hex[REST_HEX];

    s->clause = "VIS, Appendix C";
    say(s, "Visa's layout, format %u", v.p[2] >> 4);
    say(s, "derivation key index %02X", v.p[1]);
    say(s, "cryptogram version number %02X (CVN %u)", v.p[2], v.p[2]);
    say_types(s, cvr.p[0]);
    say(s, "CVR: script commands carried out %u", cvr.p[2] >> 4);
    say_cvr_bits(s, EMV_BITMAP_CVR_VIS, cvr);
    if (rest_hex(hex, span_of(v.p + 7, v.n - 7)))
        say(s, "issuer discretionary data: %s", hex);
}

/* Formats 2 and 4: CVN '22', '43' and others, of contactless cards and telephones. */
static void say_vis_mobile(struct says *s, struct span v)
{
    static const char *const verifiers[16] = {N_("no CDCVM"),
                                              N_("Visa mobile payment application"),
                                              "MG",
                                              N_("co-residing application of the secure element"),
                                              N_("trusted application"),
                                              N_("mobile application"),
                                              N_("terminal"),
                                              N_("in the cloud"),
                                              N_("operating system of the mobile device")};
    static const char *const kinds[16] = {N_("no CDCVM"),
                                          N_("passcode"),
                                          N_("finger biometric"),
                                          N_("mobile device pattern"),
                                          N_("facial biometric"),
                                          N_("iris biometric"),
                                          N_("voice biometric"),
                                          N_("palm biometric"),
                                          NULL,
                                          NULL,
                                          NULL,
                                          NULL,
                                          NULL,
                                          N_("signature"),
                                          N_("online PIN")};
    const struct span cvr = span_of(v.p + 3, 5);
    char hex[REST_HEX];

    s->clause = "VCPS, Appendix M";
    say(s, "Visa's layout, format %u", v.p[1] >> 4);
    say(s, "cryptogram version number %02X (CVN '%02X')", v.p[1], v.p[1]);
    say(s, "derivation key index %02X", v.p[2]);
    say(s, "CVR: cardholder verified by: %s",
        verifiers[cvr.p[0] >> 4] != NULL ? _(verifiers[cvr.p[0] >> 4]) : _("reserved"));
    say(s, "CVR: how: %s",
        kinds[cvr.p[0] & 0x0F] != NULL ? _(kinds[cvr.p[0] & 0x0F]) : _("reserved"));
    say_types(s, cvr.p[1]);
    say(s, "CVR: script commands carried out %u", cvr.p[3] >> 4);
    say_cvr_bits(s, EMV_BITMAP_CVR_VIS_MOBILE, cvr);
    if (rest_hex(hex, span_of(v.p + 8, v.n - 8)))
        say(s, "issuer discretionary data: %s", hex);
}

static void say_mchip(struct says *s, struct span v)
{
    const struct span cvr = span_of(v.p + 2, MCHIP_CVR);
    const bool counted = (v.p[1] & 1) != 0;
    char hex[REST_HEX];

    s->clause = "M/Chip Requirements, Appendix B";
    say(s, "%s", v.n == MCHIP_SIZE ? "M/Chip 4" : "M/Chip Advance");
    say(s, "derivation key index %02X", v.p[0]);
    say(s,
        counted
            ? N_("cryptogram version number %02X: %s session key, counters among the signed data")
            : N_("cryptogram version number %02X: %s session key, counters not among the signed "
                 "data"),
        v.p[1],
        (v.p[1] & 6) == 0   ? _("Mastercard's")
        : (v.p[1] & 6) == 4 ? _("EMV's common")
                            : _("reserved"));
    say_types(s, cvr.p[0]);
    say(s, "CVR: script counter %u", cvr.p[2] >> 4);
    say(s, "CVR: PIN tries left %u", cvr.p[2] & 0x0F);
    say_cvr_bits(s, EMV_BITMAP_CVR_MCHIP, cvr);
    if (rest_hex(hex, span_of(v.p + 8, 2)))
        say(s, "DAC or ICC dynamic number: %s", hex);
    if (rest_hex(hex, span_of(v.p + 10, v.n - 10)))
        say(s, "counters: %s", hex);
}

void say_iad(struct says *s, struct span v)
{
    if (v.n == CCD_SIZE && v.p[0] == CCD_HEAD && v.p[16] == CCD_HEAD)
        say_ccd(s, v);
    else if (v.n == CCD_SIZE && v.p[0] == VIS_MOBILE_HEAD)
        say_vis_mobile(s, v);
    else if (v.n >= 7 && v.p[0] == VIS_HEAD && v.p[3] == VIS_CVR)
        say_vis(s, v);
    else if ((v.n == MCHIP_SIZE || v.n == 20 || v.n == 26 || v.n == 28) && v.p[1] >> 4 == 1)
        say_mchip(s, v);
    else
        say(s, "the issuer's own layout");
}

/* ---- 91 ---- */

static void say_csu(struct says *s, struct span csu)
{
    static const char *const counters[] = {
        N_("do not update offline counters"), N_("set offline counters to upper offline limits"),
        N_("reset offline counters to zero"), N_("add transaction to offline counter")};

    if ((csu.p[0] & 0x0F) != 0 || (csu.p[1] & 0x10) != 0)
        say(s, "CSU: PIN try counter %u", csu.p[0] & 0x0F);
    for (unsigned i = 0; i < 16; i++) {
        const char *name = emv_bit_name(EMV_BITMAP_CSU, i / 8 + 1, 8 - i % 8);

        if (name != NULL && (csu.p[i / 8] & 0x80 >> i % 8) != 0)
            say(s, "CSU byte %u bit %u: %s", i / 8 + 1, 8 - i % 8, _(name));
    }
    say(s, "CSU: %s", _(counters[csu.p[1] & 3]));
}

/* Ten bytes are a cryptogram of 8 and what it approves (Book 2, 8.2.1); other lengths one of 4 and
 * the card status update (8.2.2). */
void say_issuer_authentication(struct says *s, struct span v)
{
    char hex[REST_HEX];

    if (v.n < 8 || v.n > 16)
        return;
    if (v.n != 10) {
        say(s, "ARPC (method 2): %s", hex_encode(hex, span_of(v.p, 4)));
        say_csu(s, span_of(v.p + 4, CSU));
        if (rest_hex(hex, span_of(v.p + 8, v.n - 8)))
            say(s, "proprietary authentication data: %s", hex);
        return;
    }
    say(s, "ARPC (method 1): %s", hex_encode(hex, span_of(v.p, 8)));
    if (v.p[8] >= '0' && v.p[8] <= 'Z' && v.p[9] >= '0' && v.p[9] <= 'Z')
        say(s, "authorisation response code %.2s", (const char *)v.p + 8);
    else
        say(s, "ARPC response code of M/Chip: %s", hex_encode(hex, span_of(v.p + 8, 2)));
}
