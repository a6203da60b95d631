/* What schemes give a meaning of their own. */
#include <string.h>

#include "apdu/emvtags.h"
#include "base/bcd.h"
#include "base/hex.h"
#include "base/text.h"
#include "decode/decode_priv.h"

/* Beginnings of AIDs, longer ones before those that they begin with: EFTLab's list of AIDs and
 * openemv/emv-utils (src/emv_app.c) have them. */
static const struct {
    uint8_t n, aid[8];
    const char *name;
    enum decode_scheme scheme;
} aids[] = {
    {7, {0xA0, 0, 0, 0, 3, 0x10, 0x10}, N_("Visa credit or debit"), DECODE_VISA},
    {7, {0xA0, 0, 0, 0, 3, 0x20, 0x10}, "Visa Electron", DECODE_VISA},
    {7, {0xA0, 0, 0, 0, 3, 0x20, 0x20}, "V PAY", DECODE_VISA},
    {7, {0xA0, 0, 0, 0, 3, 0x80, 0x10}, "Plus", DECODE_VISA},
    {7, {0xA0, 0, 0, 0, 0x98, 0x08, 0x40}, N_("Visa US common debit"), DECODE_VISA},
    {5, {0xA0, 0, 0, 0, 3}, "Visa", DECODE_VISA},
    {7, {0xA0, 0, 0, 0, 4, 0x10, 0x10}, N_("Mastercard credit or debit"), DECODE_MASTERCARD},
    {7, {0xA0, 0, 0, 0, 4, 0x30, 0x60}, "Maestro", DECODE_MASTERCARD},
    {7, {0xA0, 0, 0, 0, 4, 0x60, 0x00}, "Cirrus", DECODE_MASTERCARD},
    {7, {0xA0, 0, 0, 0, 4, 0x22, 0x03}, N_("Mastercard US debit"), DECODE_MASTERCARD},
    {5, {0xA0, 0, 0, 0, 4}, "Mastercard", DECODE_MASTERCARD},
    {5, {0xA0, 0, 0, 0, 5}, "Maestro UK", DECODE_MASTERCARD},
    {5, {0xA0, 0, 0, 0, 0x25}, "American Express", DECODE_AMEX},
    {7, {0xA0, 0, 0, 0, 0x42, 0x10, 0x10}, "CB", DECODE_ANY},
    {7, {0xA0, 0, 0, 0, 0x42, 0x20, 0x10}, N_("CB debit"), DECODE_ANY},
    {5, {0xA0, 0, 0, 0, 0x42}, "CB (Cartes Bancaires)", DECODE_ANY},
    {5, {0xA0, 0, 0, 0, 0x65}, "JCB", DECODE_ANY},
    {5, {0xA0, 0, 0, 1, 0x21}, "Dankort", DECODE_ANY},
    {5, {0xA0, 0, 0, 1, 0x52}, "Discover", DECODE_ANY},
    {5, {0xA0, 0, 0, 2, 0x77}, "Interac", DECODE_ANY},
    {7, {0xA0, 0, 0, 3, 0x33, 0x01, 0x01}, "UnionPay", DECODE_ANY},
    {5, {0xA0, 0, 0, 3, 0x33}, "UnionPay", DECODE_ANY},
    {5, {0xA0, 0, 0, 3, 0x37}, "GIM-UEMOA", DECODE_ANY},
    {5, {0xA0, 0, 0, 3, 0x59}, "girocard", DECODE_ANY},
    {5, {0xA0, 0, 0, 3, 0x71}, "Verve", DECODE_ANY},
    {5, {0xA0, 0, 0, 3, 0x84}, N_("eftpos (Australia)"), DECODE_ANY},
    {5, {0xA0, 0, 0, 5, 0x24}, "RuPay", DECODE_ANY},
    {5, {0xA0, 0, 0, 6, 0x58}, "Mir", DECODE_ANY},
    {5, {0xA0, 0, 0, 7, 0x32}, "Meeza", DECODE_ANY},
    {5, {0xF0, 0, 0, 0, 0x14}, N_("telepay's test scheme"), DECODE_ANY},
};
#define AIDS (sizeof(aids) / sizeof(aids[0]))

static size_t find_aid(struct span aid)
{
    size_t i = 0;

    while (i < AIDS && (aid.n < aids[i].n || memcmp(aid.p, aids[i].aid, aids[i].n) != 0))
        i++;
    return i;
}

const char *decode_aid_name(struct span aid)
{
    const size_t i = find_aid(aid);

    return i < AIDS ? aids[i].name : NULL;
}

static enum decode_scheme scheme_of(const struct decode *d)
{
    static const uint32_t tags[] = {TAG_DF_NAME, TAG_AID, TAG_TERMINAL_AID};

    if (d->scheme != DECODE_ANY)
        return d->scheme;
    for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
        const size_t found = find_aid(decode_find(d, tags[i]));

        if (found < AIDS)
            return aids[found].scheme;
    }
    return DECODE_ANY;
}

/* ---- 9F6E ---- */

static void say_country_of(struct says *s, struct span v)
{
    struct says one = {.d = s->d};

    decode_say(&one, TAG_TERMINAL_COUNTRY, v);
    if (json_array_size(one.lines) > 0)
        say(s, "country: %s", json_string_value(json_array_get(one.lines, 0)));
    s->failed = s->failed || one.failed;
    json_decref(one.lines);
}

static void say_device(struct says *s, struct span type)
{
    static const char *const devices[] = {
        N_("card"),
        N_("telephone, removable secure element of the network operator"),
        N_("key fob"),
        N_("watch"),
        N_("mobile tag"),
        N_("wristband"),
        N_("case or sleeve of a telephone"),
        N_("telephone, fixed secure element of the network operator"),
        N_("removable secure element not of the network operator"),
        N_("telephone, fixed secure element not of the network operator"),
        N_("tablet, removable secure element of the network operator"),
        N_("tablet, fixed secure element of the network operator"),
        N_("tablet, removable secure element not of the network operator"),
        N_("tablet, fixed secure element not of the network operator"),
        N_("telephone, application in its processor"),
        N_("tablet, application in its processor"),
        N_("telephone, application in a trusted environment"),
        N_("tablet, application in a trusted environment"),
        N_("watch, application in a trusted environment"),
        N_("watch, application in its processor"),
        N_("card"),
        N_("telephone"),
        N_("tablet or reading device"),
        N_("watch or wristband"),
        N_("sticker"),
        N_("computer"),
        N_("peripheral device"),
        N_("tag"),
        N_("jewellery"),
        N_("fashion accessory"),
        N_("garment"),
        N_("domestic appliance"),
        N_("vehicle"),
        N_("media or gaming device")};
    const unsigned n = type.p[0] >= '0' && type.p[0] <= '9' && type.p[1] >= '0' && type.p[1] <= '9'
                           ? (type.p[0] - '0') * 10U + type.p[1] - '0'
                           : 100;

    if (n < sizeof(devices) / sizeof(devices[0]))
        say(s, "device type %02u: %s", n, _(devices[n]));
    else
        say(s, "device type %02X%02X: not known here", type.p[0], type.p[1]);
}

/* Book C-2, A.1.171: country, unique identifier, device type unless its bit 8 is 1, the rest. */
static void say_third_party(struct says *s, struct span v)
{
    struct span country, unique, type;
    char hex[2 * 32 + 1];

    s->clause = "EMV Contactless Book C-2, A.1.171";
    if (span_take(&v, 2, &country) != TP_OK || span_take(&v, 2, &unique) != TP_OK)
        return;
    say_country_of(s, country);
    say(s,
        unique.p[0] == 0 && unique.p[1] == 3
            ? N_("unique identifier %s: Mastercard's product extension")
            : N_("unique identifier %s"),
        hex_encode(hex, unique));
    if ((unique.p[0] & 0x80) == 0 && span_take(&v, 2, &type) == TP_OK)
        say_device(s, type);
    if (v.n >= 2 && unique.p[0] == 0 && unique.p[1] == 3)
        say(s, "product: %s",
            v.p[0] == 0 && v.p[1] == 1   ? _("fleet card")
            : v.p[0] == 0 && v.p[1] == 2 ? _("transit")
                                         : _("not known here"));
    if (v.n > 0)
        say(s, "proprietary data: %s", hex_encode(hex, v));
}

static void say_form_factor(struct says *s, struct span v)
{
    static const char *const forms[] = {N_("card"), N_("mini-card"), N_("not a card"),
                                        N_("mobile telephone"), N_("wrist-worn device")};
    const unsigned form = v.p[0] & 0x1F;

    s->clause = "EMV Contactless Book C-3, A.2";
    say(s, "version %u", v.p[0] >> 5);
    say(s, "form factor: %s",
        form < sizeof(forms) / sizeof(forms[0]) ? _(forms[form]) : _("not known here"));
    say_bits(s, EMV_BITMAP_FORM_FACTOR, span_of((const uint8_t[]){0, v.p[1]}, 2));
    say(s, "technology: %s",
        (v.p[3] & 0x0F) == 0 ? _("contactless, ISO/IEC 14443") : _("not contactless, or reserved"));
}

static void say_amex(struct says *s, struct span v)
{
    static const char *const kernels[8] = {NULL, N_("2.2 to 2.3"), N_("2.4 to 2.6"),
                                           N_("2.7 or later")};
    const uint8_t version = v.p[3] & 7, bits[4] = {v.p[0], v.p[1], v.p[2], v.p[3] & 0xF8};

    s->clause = "EMV Contactless Book C-4, 4.3.4";
    say_bits(s, EMV_BITMAP_AMEX_READER, SPAN_OF(bits));
    if (version != 0)
        say(s, "C-4 kernel version %s",
            kernels[version] != NULL ? _(kernels[version]) : _("reserved"));
}

/* Four bytes are the card's own, or the reader's of American Express, which alone sets bits that
 * the other has as its version; longer ones are Mastercard's. */
void say_9f6e(struct says *s, struct span v)
{
    const enum decode_scheme scheme = scheme_of(s->d);

    if (v.n > 4 && (scheme == DECODE_ANY || scheme == DECODE_MASTERCARD))
        say_third_party(s, v);
    else if (v.n == 4 && (scheme == DECODE_AMEX || (scheme == DECODE_ANY && v.p[0] >> 5 != 1)))
        say_amex(s, v);
    else if (v.n == 4 && scheme != DECODE_MASTERCARD)
        say_form_factor(s, v);
}

/* Book 3 leaves it to whoever uses it; Mastercard does. */
void say_risk_data(struct says *s, struct span v)
{
    const enum decode_scheme scheme = scheme_of(s->d);

    s->clause = "EMV Contactless Book C-2, A.1.161";
    if (v.n == 8 && (scheme == DECODE_ANY || scheme == DECODE_MASTERCARD))
        say_bits(s, EMV_BITMAP_RISK_DATA, v);
}

/* Registered identifiers, each with the length of what follows: Book 1, 12.5. */
void say_registered(struct says *s, struct span v)
{
    static const char *const products[] = {N_("reserved"), N_("debit"), N_("credit"),
                                           N_("commercial"), N_("pre-paid")};
    struct span id, data;
    uint8_t n;
    char hex[2 * 255 + 1];

    while (span_take(&v, 2, &id) == TP_OK) {
        if (span_u8(&v, &n) != TP_OK || span_take(&v, n, &data) != TP_OK) {
            say(s, "cut off in %02X%02X", id.p[0], id.p[1]);
            return;
        }
        say(s, "%02X%02X (%s): %s", id.p[0], id.p[1],
            id.p[0] == 0 && id.p[1] == 1   ? "European Cards Stakeholders Group"
            : id.p[0] == 0 && id.p[1] == 3 ? "ep2"
                                           : _("not known here"),
            hex_encode(hex, data));
        if (id.p[0] == 0 && (id.p[1] == 1 || id.p[1] == 3) && n >= 1 && data.p[0] < 5)
            say(s, "%s", _(products[data.p[0]]));
    }
}
