/* What issuers put into 9F10, and what they answer in 91. */
#include <string.h>

#include "apdu/emvtags.h"
#include "base/hex.h"
#include "decode/decode_priv.h"

enum {
    CCD_SIZE = 32,
    CCD_HEAD = 0x0F, /* also its 17th byte */
    VIS_HEAD = 0x06,
    VIS_MOBILE_HEAD = 0x1F,
    VIS_CVR = 3,
    MCHIP_SIZE = 18,
    MCHIP_CVR = 6,
    CSU = 4
};

/* Byte 1 of all: bits 8-7 the second, 6-5 the first. */
static void say_types(struct says *s, uint8_t byte)
{
    static const char *const names[] = {"AAC", "TC", "not requested", "reserved"};

    say(s, "CVR: second GENERATE AC %s%s", byte >> 6 < 2 ? "gave " : "", names[byte >> 6]);
    say(s, "CVR: first GENERATE AC gave %s", (byte >> 4 & 3) == 2 ? "ARQC" : names[byte >> 4 & 3]);
}

static void say_cvr_bits(struct says *s, enum emv_bitmap map, struct span cvr)
{
    for (unsigned i = 0; i < 8 * cvr.n; i++) {
        const char *name = emv_bit_name(map, i / 8 + 1, 8 - i % 8);

        if ((cvr.p[i / 8] & 0x80 >> i % 8) != 0 && name != NULL)
            say(s, "CVR byte %u bit %u: %s", i / 8 + 1, 8 - i % 8, name);
    }
}

static void say_rest(struct says *s, const char *what, struct span rest)
{
    char hex[2 * 32 + 1];

    if (rest.n > 0 && rest.n <= 32)
        say(s, "%s: %s", what, hex_encode(hex, rest));
}

static void say_ccd(struct says *s, struct span v)
{
    const struct span cvr = span_of(v.p + 3, 5);
    const uint8_t version = v.p[1] & 0x0F;

    s->clause = "EMV 4.4 Book 3, C9";
    say(s, "Common Core Definitions, format %X", v.p[1] >> 4);
    say(s, "cryptogram version %X (%s)", version,
        version == 5   ? "triple DES"
        : version == 6 ? "AES"
                       : "not of the Common Core Definitions");
    say(s, "derivation key index %02X", v.p[2]);
    say_types(s, cvr.p[0]);
    say(s, "CVR: PIN tries left %u", cvr.p[1] >> 4);
    say(s, "CVR: script commands carried out %u", cvr.p[3] >> 4);
    say_cvr_bits(s, EMV_BITMAP_CVR_CCD, cvr);
    say_rest(s, "counters", span_of(v.p + 8, 8));
    say_rest(s, "issuer discretionary data", span_of(v.p + 17, 15));
}

static void say_vis(struct says *s, struct span v)
{
    const struct span cvr = span_of(v.p + 4, VIS_CVR);

    s->clause = "VIS, Appendix C";
    say(s, "Visa's layout, format %u", v.p[2] >> 4);
    say(s, "derivation key index %02X", v.p[1]);
    say(s, "cryptogram version number %02X (CVN %u)", v.p[2], v.p[2]);
    say_types(s, cvr.p[0]);
    say(s, "CVR: script commands carried out %u", cvr.p[2] >> 4);
    say_cvr_bits(s, EMV_BITMAP_CVR_VIS, cvr);
    say_rest(s, "issuer discretionary data", span_of(v.p + 7, v.n - 7));
}

/* Formats 2 and 4: CVN '22', '43' and others, of contactless cards and telephones. */
static void say_vis_mobile(struct says *s, struct span v)
{
    static const char *const verifiers[16] = {"no CDCVM",
                                              "Visa mobile payment application",
                                              "MG",
                                              "co-residing application of the secure element",
                                              "trusted application",
                                              "mobile application",
                                              "terminal",
                                              "in the cloud",
                                              "operating system of the mobile device"};
    static const char *const kinds[16] = {"no CDCVM",
                                          "passcode",
                                          "finger biometric",
                                          "mobile device pattern",
                                          "facial biometric",
                                          "iris biometric",
                                          "voice biometric",
                                          "palm biometric",
                                          NULL,
                                          NULL,
                                          NULL,
                                          NULL,
                                          NULL,
                                          "signature",
                                          "online PIN"};
    const struct span cvr = span_of(v.p + 3, 5);

    s->clause = "VCPS, Appendix M";
    say(s, "Visa's layout, format %u", v.p[1] >> 4);
    say(s, "cryptogram version number %02X (CVN '%02X')", v.p[1], v.p[1]);
    say(s, "derivation key index %02X", v.p[2]);
    say(s, "CVR: cardholder verified by: %s",
        verifiers[cvr.p[0] >> 4] != NULL ? verifiers[cvr.p[0] >> 4] : "reserved");
    say(s, "CVR: how: %s", kinds[cvr.p[0] & 0x0F] != NULL ? kinds[cvr.p[0] & 0x0F] : "reserved");
    say_types(s, cvr.p[1]);
    say(s, "CVR: script commands carried out %u", cvr.p[3] >> 4);
    say_cvr_bits(s, EMV_BITMAP_CVR_VIS_MOBILE, cvr);
    say_rest(s, "issuer discretionary data", span_of(v.p + 8, v.n - 8));
}

static void say_mchip(struct says *s, struct span v)
{
    const struct span cvr = span_of(v.p + 2, MCHIP_CVR);

    s->clause = "M/Chip Requirements, Appendix B";
    say(s, v.n == MCHIP_SIZE ? "M/Chip 4" : "M/Chip Advance");
    say(s, "derivation key index %02X", v.p[0]);
    say(s, "cryptogram version number %02X: %s session key, counters %s", v.p[1],
        (v.p[1] & 6) == 0   ? "Mastercard's"
        : (v.p[1] & 6) == 4 ? "EMV's common"
                            : "reserved",
        (v.p[1] & 1) != 0 ? "among the signed data" : "not among the signed data");
    say_types(s, cvr.p[0]);
    say(s, "CVR: script counter %u", cvr.p[2] >> 4);
    say(s, "CVR: PIN tries left %u", cvr.p[2] & 0x0F);
    say_cvr_bits(s, EMV_BITMAP_CVR_MCHIP, cvr);
    say_rest(s, "DAC or ICC dynamic number", span_of(v.p + 8, 2));
    say_rest(s, "counters", span_of(v.p + 10, v.n - 10));
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
        "do not update offline counters", "set offline counters to upper offline limits",
        "reset offline counters to zero", "add transaction to offline counter"};

    if ((csu.p[0] & 0x0F) != 0 || (csu.p[1] & 0x10) != 0)
        say(s, "CSU: PIN try counter %u", csu.p[0] & 0x0F);
    for (unsigned i = 0; i < 16; i++) {
        const char *name = emv_bit_name(EMV_BITMAP_CSU, i / 8 + 1, 8 - i % 8);

        if (name != NULL && (csu.p[i / 8] & 0x80 >> i % 8) != 0)
            say(s, "CSU byte %u bit %u: %s", i / 8 + 1, 8 - i % 8, name);
    }
    say(s, "CSU: %s", counters[csu.p[1] & 3]);
}

/* Ten bytes are a cryptogram of 8 and what it approves (Book 2, 8.2.1); other lengths one of 4 and
 * the card status update (8.2.2). */
void say_issuer_authentication(struct says *s, struct span v)
{
    char hex[2 * 16 + 1];

    if (v.n < 8 || v.n > 16)
        return;
    if (v.n != 10) {
        say(s, "ARPC (method 2): %s", hex_encode(hex, span_of(v.p, 4)));
        say_csu(s, span_of(v.p + 4, CSU));
        say_rest(s, "proprietary authentication data", span_of(v.p + 8, v.n - 8));
        return;
    }
    say(s, "ARPC (method 1): %s", hex_encode(hex, span_of(v.p, 8)));
    if (v.p[8] >= '0' && v.p[8] <= 'Z' && v.p[9] >= '0' && v.p[9] <= 'Z')
        say(s, "authorisation response code %.2s", (const char *)v.p + 8);
    else
        say(s, "ARPC response code of M/Chip: %s", hex_encode(hex, span_of(v.p + 8, 2)));
}
