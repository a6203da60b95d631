#include "payer/shown.h"

#include <string.h>

#include "apdu/apdu.h"
#include "apdu/emvtags.h"
#include "apdu/tlv.h"

#define FIRST 6 /* digits of a card number that may be seen: base/mask.h */
#define LAST  4

static unsigned nibble(struct span s, size_t i)
{
    return i % 2 == 0 ? s.p[i / 2] >> 4 : s.p[i / 2] & 0x0F;
}

/* Digits up to the padding F or the separator D of track 2. */
static size_t count_digits(struct span s)
{
    size_t n = 0;

    while (n < 2 * s.n && nibble(s, n) <= 9)
        n++;
    return n;
}

void shown_learn(struct shown *s, uint32_t tag, struct span value)
{
    const size_t digits = tag == TAG_PAN || tag == TAG_TRACK2 ? count_digits(value) : 0;

    if (digits < 8 || digits > 2 * sizeof(s->pan)) /* shorter ones would be found everywhere */
        return;
    memcpy(s->pan, value.p, (digits + 1) / 2);
    s->pan_digits = digits;
}

/* text holds the hex of bytes: puts asterisks over the nibbles from first to end. */
static void hide(char *text, size_t first, size_t end)
{
    if (first < end)
        memset(text + first, '*', end - first);
}

static void hide_pan(char *text, size_t digits)
{
    if (digits < FIRST + LAST + 1)
        hide(text, 0, digits);
    else
        hide(text, FIRST, digits - LAST);
}

/* The card's number among other data: in a DOL's values, in a log record, in a private tag. */
static void hide_learnt(char *text, const struct shown *s, struct span raw)
{
    const size_t whole = s->pan_digits / 2;

    if (s->all || whole == 0 || raw.n < whole)
        return;
    for (size_t i = 0; i + whole <= raw.n; i++)
        if (memcmp(raw.p + i, s->pan, whole) == 0)
            hide_pan(text + 2 * i, s->pan_digits <= 2 * (raw.n - i) ? s->pan_digits : 2 * whole);
}

/* Card number, D, and what nobody may keep (Book 3, Annex A; ISO/IEC 7813): the parts stay to be told apart, with the padding. */
static void hide_track2(char *text, struct span value)
{
    const size_t digits = count_digits(value);
    size_t end = 2 * value.n;

    if (digits == end || nibble(value, digits) != 0xD) {
        hide(text, 0, end);
        return;
    }
    hide_pan(text, digits);
    if (nibble(value, end - 1) == 0xF)
        end--;
    hide(text, digits + 1, end);
}

static void hide_value(char *text, const struct shown *s, uint32_t tag, struct span value)
{
    const struct emv_tag *known = emv_tag_find(tag);

    if (s->all)
        return;
    switch (known == NULL ? EMV_PLAIN : known->shown) {
    case EMV_PLAIN:
        return;
    case EMV_PAN:
        hide_pan(text, count_digits(value));
        return;
    case EMV_PERSONAL:
        if (!s->personal)
            hide(text, 0, 2 * value.n);
        return;
    case EMV_SECRET:
        break;
    }
    if (tag == TAG_TRACK2)
        hide_track2(text, value);
    else
        hide(text, 0, 2 * value.n);
}

static void write_hex(char *out, struct span s)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < 2 * s.n; i++)
        out[i] = digits[nibble(s, i)];
    out[2 * s.n] = '\0';
}

char *shown_value(char *out, const struct shown *s, uint32_t tag, struct span value)
{
    write_hex(out, value);
    hide_value(out, s, tag, value);
    hide_learnt(out, s, value);
    return out;
}

/* Only for what tlv_check took: depth is bounded. text is the hex of `in`. */
static void hide_objects(char *text, struct shown *s, struct span in)
{
    const uint8_t *start = in.p;
    struct tlv t;

    while (tlv_next(&in, &t) == TP_OK) {
        char *value = text + 2 * (t.value.p - start);

        shown_learn(s, t.tag, t.value);
        hide_value(value, s, t.tag, t.value);
        if (tlv_constructed(t.tag))
            hide_objects(value, s, t.value);
    }
}

/* One object's header; false when its length does not parse. *n may run over the end. */
static bool take_header(struct span *in, uint32_t *tag, size_t *n)
{
    uint8_t first, byte;

    if (tlv_next_tag(in, tag) != TP_OK || span_u8(in, &first) != TP_OK)
        return false;
    *n = first;
    if (first >= 0x80)
        *n = 0;
    for (unsigned i = first >= 0x80 ? first & 0x7F : 0; i > 0; i--) {
        if (first > 0x84 || span_u8(in, &byte) != TP_OK)
            return false;
        *n = *n << 8 | byte;
    }
    return true;
}

/* For what is no TLV, so that a bug in a card's data stays to be seen: objects that the dictionary knows are treated as if it were, down to the one that runs
 * over the end; all from the first unknown one on is hidden. text is the hex of `in`. */
static void hide_broken(char *text, struct shown *s, struct span in, unsigned depth)
{
    const uint8_t *start = in.p;

    while (in.n > 0) {
        const size_t before = 2 * (size_t)(in.p - start), end = before + 2 * in.n;
        const struct emv_tag *known;
        struct span value;
        uint32_t tag;
        size_t n, at;

        if (!take_header(&in, &tag, &n) || (known = emv_tag_find(tag)) == NULL || (depth == TLV_DEPTH_MAX && tlv_constructed(tag))) {
            hide(text, before, end);
            return;
        }
        at = 2 * (size_t)(in.p - start);
        value = span_of(in.p, n < in.n ? n : in.n);
        in = span_of(in.p + value.n, in.n - value.n);
        if (tlv_constructed(tag))
            hide_broken(text + at, s, value, depth + 1);
        else if (value.n == n) {
            shown_learn(s, tag, value);
            hide_value(text + at, s, tag, value);
        } else if (known->shown != EMV_PLAIN)
            hide(text, at, end);
    }
}

/* Commands whose data are, or may be, a PIN or a new one. */
static bool carries_pin(uint8_t ins)
{
    return ins == INS_VERIFY || ins == INS_PIN_CHANGE_UNBLOCK;
}

char *shown_command(char *out, struct shown *s, struct span command)
{
    struct capdu c;

    write_hex(out, command);
    if (capdu_parse(&c, command) != TP_OK) {
        hide(out, 0, 2 * command.n);
        return out;
    }
    if (c.data.n > 0 && carries_pin(c.ins))
        hide(out, 2 * (size_t)(c.data.p - command.p), 2 * (size_t)(c.data.p - command.p + (ptrdiff_t)c.data.n));
    hide_learnt(out, s, command);
    return out;
}

char *shown_response(char *out, struct shown *s, struct span response, bool raw_is_plain)
{
    struct rapdu r;

    write_hex(out, response);
    if (raw_is_plain || s->all)
        return out;
    if (rapdu_parse(&r, response) != TP_OK)
        hide(out, 0, 2 * response.n);
    else if (tlv_check(r.data) == TP_OK)
        hide_objects(out, s, r.data);
    else
        hide_broken(out, s, r.data, 1);
    hide_learnt(out, s, response);
    return out;
}
