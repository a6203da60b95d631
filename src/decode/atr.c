/* An answer to reset, byte by byte, with what EMV asks of one: EMV Level 1 Contact Interface
 * Specification 1.0, 8.3 (up to 4.3: Book 1), as openemv/emv-utils (src/emv.c) has its rules. */
#include "drivers/atr.h"

#include <stdio.h>

#include "base/hex.h"
#include "base/text.h"
#include "decode/decode_priv.h"

enum { INVERSE = 0x3F, HISTORICAL_TLV = 0x80, HISTORICAL_STATUS = 0x00, T15 = 15 };

struct walk {          /* where one is in the interface bytes */
    unsigned group;    /* i of TAi */
    unsigned protocol; /* of the TD before */
    unsigned first;    /* of TD1 */
    uint8_t extra;     /* TC1 */
    bool tb3;
};

/* ---- one byte ---- */

/* TA2: the card is in specific mode. */
static void specific(struct listing *l, json_t *o, const struct walk *w, uint8_t v)
{
    listing_means(l, o,
                  (v & 0x10) != 0 ? N_("specific mode, T=%u, parameters not those of TA1")
                                  : N_("specific mode, T=%u"),
                  v & 0x0F);
    if ((v & 0x10) != 0)
        listing_means(l, o, "EMV: a terminal refuses the card, 8.3.3.5: implicit parameters");
    if ((v & 0x0F) != w->first)
        listing_means(l, o,
                      "EMV: a terminal refuses the card, 8.3.3.5: another protocol than the first "
                      "that is offered");
}

static void ta(struct listing *l, json_t *o, struct walk *w, uint8_t v)
{
    static const char *const clocks[] = {N_("not stopped"), N_("stopped low"), N_("stopped high"),
                                         N_("stopped either way")};

    if (w->group == 1) {
        if (atr_f(v) == 0 || atr_d(v) == 0)
            listing_means(l, o, "reserved values of F or D");
        else
            listing_means(l, o, "F %u, D %u: %u clock cycles a bit", atr_f(v), atr_d(v),
                          atr_f(v) / atr_d(v));
    } else if (w->group == 2)
        specific(l, o, w, v);
    else if (w->protocol == 1) {
        listing_means(l, o,
                      ngettext("information field of the card (IFSC): %u byte",
                               "information field of the card (IFSC): %u bytes", v),
                      v);
        if (v < 0x10 || v == 0xFF)
            listing_means(l, o, "EMV: a terminal refuses the card, 8.3.3.9: 10 to FE is allowed");
    } else if (w->protocol == T15) {
        listing_means(l, o, "clock %s; class%s%s%s", _(clocks[v >> 6]),
                      (v & 1) != 0 ? " A (5 V)" : "", (v & 2) != 0 ? " B (3 V)" : "",
                      (v & 4) != 0 ? " C (1.8 V)" : "");
        if ((v & 0x3F) == 0 || (v & 0x38) != 0)
            listing_means(
                l, o, "EMV: a terminal refuses the card, ISO/IEC 7816-3, 8.3: reserved classes");
    }
}

static void tb(struct listing *l, json_t *o, struct walk *w, uint8_t v)
{
    const unsigned bwi = v >> 4, cwi = v & 0x0F;

    if (w->group <= 2) {
        listing_means(
            l, o, v == 0 ? N_("VPP is not connected") : N_("programming voltage, no longer used"));
        if (v != 0)
            listing_means(l, o, "EMV: a terminal refuses the card, 8.3.3.%u: 00 alone is allowed",
                          w->group == 1 ? 2 : 6);
    } else if (w->protocol == 1) {
        w->tb3 = true;
        listing_means(l, o, "block waiting integer %u, character waiting integer %u", bwi, cwi);
        if (bwi > 4 || cwi > 5)
            listing_means(l, o,
                          "EMV: a terminal refuses the card, 8.3.3.10: BWI 0 to 4 and CWI 0 to 5 "
                          "are allowed");
        if (w->extra != 0 && w->extra != 0xFF && (1U << cwi) < w->extra + 1U)
            listing_means(
                l, o,
                "EMV: a terminal refuses the card, 8.3.3.10: 2 to the power of CWI is under N + 1");
    }
}

static void tc(struct listing *l, json_t *o, struct walk *w, uint8_t v)
{
    if (w->group == 1) {
        w->extra = v;
        if (v == 0xFF)
            listing_means(l, o, "extra guard time: the least of the protocol");
        else
            listing_means(l, o,
                          ngettext("extra guard time: %u bit", "extra guard time: %u bits", v), v);
        if (v != 0 && v != 0xFF)
            listing_means(l, o, "EMV: a terminal refuses the card, 8.3.3.3: 00 or FF is allowed");
    } else if (w->group == 2) {
        listing_means(l, o, "waiting time integer of T=0: %u", v);
        if (v != 0x0A || w->first != 0)
            listing_means(l, o,
                          "EMV: a terminal refuses the card, 8.3.3.7: 0A alone is allowed, of T=0");
    } else if (w->protocol == 1) {
        listing_means(l, o,
                      (v & 1) != 0 ? N_("blocks end with a CRC") : N_("blocks end with an LRC"));
        if (v != 0)
            listing_means(l, o, "EMV: a terminal refuses the card, 8.3.3.11: 00 alone is allowed");
    }
}

/* Y is told here and in T0 alike: which bytes follow. */
static void follows(struct listing *l, json_t *o, unsigned group, uint8_t y)
{
    char text[32] = "";
    size_t n = 0;

    for (unsigned i = 0; i < 4; i++)
        if ((y >> i & 1) != 0)
            n += (size_t)snprintf(text + n, sizeof(text) - n, " T%c%u", "ABCD"[i], group);
    if (n > 0)
        listing_means(l, o, "followed by:%s", text);
    else
        listing_means(l, o, "followed by: no more interface bytes");
}

static void td(struct listing *l, json_t *o, struct walk *w, uint8_t v)
{
    w->protocol = v & 0x0F;
    if (w->protocol == T15)
        listing_means(l, o, "T=15: for all protocols");
    else
        listing_means(l, o, "protocol T=%u", w->protocol);
    if (w->group == 1) {
        w->first = w->protocol;
        if (w->protocol > 1)
            listing_means(l, o, "EMV: a terminal refuses the card, 8.3.3.4: T=0 or T=1 is allowed");
    } else if (w->group == 2 && w->protocol != (w->first == 1 ? 1 : T15))
        listing_means(l, o,
                      "EMV: a terminal refuses the card, 8.3.3.8: behind T=0, T=15 is allowed, and "
                      "behind T=1, T=1");
    follows(l, o, w->group + 1, v >> 4);
}

/* ---- all of them ---- */

static json_t *byte(struct listing *l, struct span *in, const char *name, unsigned group,
                    uint8_t *v)
{
    char tag[16], value[3];
    json_t *o;

    if (span_u8(in, v) != TP_OK)
        return NULL;
    if (group > 0)
        snprintf(tag, sizeof(tag), "%s%u", name, group);
    else
        snprintf(tag, sizeof(tag), "%s", name);
    snprintf(value, sizeof(value), "%02X", *v);
    o = listing_add(l, tag, NULL);
    listing_set(l, o, "value", json_string(value));
    return o;
}

/* The interface bytes; false: cut off, which atr_parse says. */
static bool interface_bytes(struct listing *l, struct span *in, struct walk *w, uint8_t y)
{
    typedef void taker(struct listing * l, json_t * o, struct walk * w, uint8_t v);
    static taker *const takers[] = {ta, tb, tc, td};
    static const char *const names[] = {"TA", "TB", "TC", "TD"};

    for (bool more = true; more; w->group++) {
        const uint8_t present = y;

        for (unsigned i = 0; i < 4; i++) {
            uint8_t v;
            json_t *o;

            if ((present >> i & 1) == 0)
                continue;
            o = byte(l, in, names[i], w->group, &v);
            if (o == NULL)
                return false;
            takers[i](l, o, w, v);
            if (i == 3)
                y = v >> 4;
        }
        more = (present & 8) != 0;
    }
    return true;
}

/* Compact TLV: a byte of tag and length, ISO/IEC 7816-4, 12.1.1. */
static void historical_bytes(struct listing *l, struct span v)
{
    static const char *const names[16] = {
        [1] = N_("country code"),           [2] = N_("issuer identification number"),
        [3] = N_("card service data"),      [4] = N_("initial access data"),
        [5] = N_("card issuer's data"),     [6] = N_("pre-issuing data"),
        [7] = N_("card capabilities"),      [8] = N_("status indicator"),
        [15] = N_("application identifier")};
    struct span value;
    char hex[2 * 15 + 1];
    uint8_t category, head;
    json_t *o;

    if (v.n == 0)
        return;
    o = listing_add(l, "T", "historical bytes");
    listing_set(l, o, "length", json_integer((json_int_t)v.n));
    listing_set(l, o, "value", json_string(hex_encode(hex, v)));
    if (span_u8(&v, &category) != TP_OK ||
        (category != HISTORICAL_TLV && category != HISTORICAL_STATUS))
        return;
    if (category == HISTORICAL_STATUS && v.n >= 3) {
        listing_means(l, o, "status at the end: life cycle %02X, status word %02X%02X",
                      v.p[v.n - 3], v.p[v.n - 2], v.p[v.n - 1]);
        v.n -= 3;
    }
    while (span_u8(&v, &head) == TP_OK && span_take(&v, head & 0x0F, &value) == TP_OK)
        listing_means(l, o, "%s: %.30s",
                      names[head >> 4] != NULL ? _(names[head >> 4]) : _("reserved tag"),
                      hex_encode(hex, value));
}

static void judge(struct listing *l, struct span in, const struct walk *w)
{
    struct atr parsed;
    struct tp_error why = {TP_OK, ""};
    json_t *o;

    if (atr_parse(&parsed, in, &why) != TP_OK) {
        listing_fault(l, span_of(in.p, 0), "this is no ATR: %s", why.text);
        return;
    }
    o = listing_add(l, "ATR", NULL);
    listing_means(l, o,
                  (parsed.protocols & 3) == 3   ? N_("T=0 and T=1")
                  : (parsed.protocols & 1) != 0 ? "T=0"
                  : (parsed.protocols & 2) != 0 ? "T=1"
                                                : N_("neither T=0 nor T=1"));
    if (w->first == 1 && !w->tb3)
        listing_means(l, o, "EMV: a terminal refuses the card, 8.3.3.10: T=1 without a TB3");
    if (parsed.specific ? !parsed.implicit && (parsed.ta1 < 0x11 || parsed.ta1 > 0x13)
                        : parsed.ta1 != 0x11 && (parsed.ta1 < 0x10 || (parsed.ta1 & 0x0F) < 3))
        listing_means(l, o, "EMV: a terminal refuses the card, 8.3.3.1: a TA1 of %02X", parsed.ta1);
}

enum tp_err decode_atr(json_t **out, struct decode *d, struct span in, struct tp_error *e)
{
    struct listing l = {.d = d, .list = json_array(), .start = in.p};
    struct walk w = {.group = 1};
    struct span rest = in, historical;
    uint8_t ts, t0, tck;
    json_t *o = byte(&l, &rest, "TS", 0, &ts);

    if (o != NULL)
        listing_means(&l, o,
                      ts == INVERSE ? N_("inverse convention")
                      : ts == 0x3B  ? N_("direct convention")
                                    : N_("neither 3B nor 3F"));
    o = byte(&l, &rest, "T0", 0, &t0);
    if (o != NULL) {
        follows(&l, o, 1, t0 >> 4);
        listing_means(&l, o, ngettext("%u historical byte", "%u historical bytes", t0 & 0x0F),
                      t0 & 0x0F);
        if (interface_bytes(&l, &rest, &w, t0 >> 4) &&
            span_take(&rest, t0 & 0x0F, &historical) == TP_OK) {
            historical_bytes(&l, historical);
            if (rest.n > 0)
                (void)byte(&l, &rest, "TCK", 0, &tck);
        }
    }
    judge(&l, in, &w);
    return listing_take(&l, out, e);
}
