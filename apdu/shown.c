#include "apdu/shown.h"

#include <string.h>

#include "apdu/apdu.h"
#include "apdu/emvtags.h"
#include "apdu/tlv.h"

#define FIRST 6 /* digits of a card number that may be seen: base/mask.h */
#define LAST  4

#define HIDDEN_MIN 4 /* bytes of a value by which it is known again */

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

/* Values that an issuer's DOL may ask for again; a few bytes would be found everywhere. */
static void learn_hidden(struct shown *s, struct span value)
{
    const size_t n = value.n < UINT8_MAX ? value.n : UINT8_MAX;

    if (n < HIDDEN_MIN || memcmp(value.p, value.p + 1, HIDDEN_MIN - 1) == 0) /* 0000…, spaces */
        return;
    for (size_t at = 0; at < s->hidden_n;
         at += 1U + s->hidden[at]) /* a card sends it at each reading */
        if (s->hidden[at] == n && memcmp(s->hidden + at + 1, value.p, n) == 0)
            return;
    if (sizeof(s->hidden) - s->hidden_n < n + 1) {
        s->full = true;
        return;
    }
    s->hidden[s->hidden_n++] = (uint8_t)n;
    memcpy(s->hidden + s->hidden_n, value.p, n);
    s->hidden_n += n;
}

static bool is_track2(uint32_t tag)
{
    return tag == TAG_TRACK2 || tag == TAG_TRACK2_STRIPE;
}

void shown_learn(struct shown *s, uint32_t tag, struct span value)
{
    const enum emv_shown shown = emv_tag_shown(tag);
    size_t digits;

    if (shown != EMV_PAN && !is_track2(tag)) {
        if (shown == EMV_SECRET || (shown == EMV_PERSONAL && !s->personal))
            learn_hidden(s, value);
        return;
    }
    digits = count_digits(value);
    if (digits < 8 || digits > 2 * sizeof(s->pan)) /* shorter ones would be found everywhere */
        return;
    memcpy(s->pan, value.p, (digits + 1) / 2);
    s->pan_digits = digits;
    if (is_track2(tag) &&
        (digits + 1) / 2 < value.n) /* expiry, service code and what the issuer adds */
        learn_hidden(s, span_of(value.p + (digits + 1) / 2, value.n - (digits + 1) / 2));
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

/* As many digits as make whole bytes: a DOL may have cut the last one off. */
static bool pan_at(const struct shown *s, struct span raw, size_t at)
{
    const struct span pan = span_of(s->pan, sizeof(s->pan));
    const size_t whole = s->pan_digits & ~(size_t)1;

    for (size_t i = 0; i < whole; i++)
        if (at + i >= 2 * raw.n || nibble(raw, at + i) != nibble(pan, i))
            return false;
    return true;
}

static bool pan_text_at(const struct shown *s, struct span raw, size_t at)
{
    const struct span pan = span_of(s->pan, sizeof(s->pan));

    if (at + s->pan_digits > raw.n)
        return false;
    for (size_t i = 0; i < s->pan_digits; i++)
        if (raw.p[at + i] != '0' + nibble(pan, i))
            return false;
    return true;
}

/* The card's number among other data, in digits of half a byte or of ASCII: in a DOL's values, in a
 * log record, in an object of another name. */
static void hide_learnt(char *text, const struct shown *s, struct span raw)
{
    if (s->all || s->pan_digits == 0)
        return;
    for (size_t i = 0; i < 2 * raw.n; i++)
        if (pan_at(s, raw, i))
            hide_pan(text + i, s->pan_digits <= 2 * raw.n - i ? s->pan_digits : s->pan_digits - 1);
    for (size_t i = 0; i < raw.n; i++)
        if (pan_text_at(s, raw, i))
            hide(text + 2 * i, s->pan_digits > FIRST + LAST ? 2 * FIRST : 0,
                 2 * (s->pan_digits - (s->pan_digits > FIRST + LAST ? LAST : 0)));
}

static size_t common(struct span a, struct span b)
{
    size_t n = 0;

    while (n < a.n && n < b.n && a.p[n] == b.p[n])
        n++;
    return n;
}

/* In values made by a DOL: what was hidden where it was read, whole or cut at its end (Book
 * 3, 5.4). */
static void hide_again(char *text, const struct shown *s, struct span raw)
{
    if (s->all)
        return;
    if (s->full)
        hide(text, 0, 2 * raw.n);
    for (size_t at = 0; at < s->hidden_n; at += 1U + s->hidden[at]) {
        const struct span value = span_of(s->hidden + at + 1, s->hidden[at]);

        for (size_t i = 0; i < raw.n; i++) {
            const size_t n = common(span_of(raw.p + i, raw.n - i), value);

            if (n >= HIDDEN_MIN)
                hide(text + 2 * i, 0, 2 * n);
        }
    }
}

/* Card number, D, and what nobody may keep (Book 3, Annex A; ISO/IEC 7813): the parts stay to be
 * told apart, with the padding. */
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
    switch (emv_tag_shown(tag)) {
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
    if (is_track2(tag))
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

/* Templates that the dictionary knows are looked into; what others hold is hidden, whatever it is.
 */
static bool looked_into(uint32_t tag)
{
    return tlv_constructed(tag) && emv_tag_shown(tag) == EMV_PLAIN;
}

static bool well_formed(struct span in, unsigned depth)
{
    struct tlv t;
    enum tp_err r;

    while ((r = tlv_next(&in, &t)) == TP_OK)
        if (looked_into(t.tag) && (depth == TLV_DEPTH_MAX || !well_formed(t.value, depth + 1)))
            return false;
    return r == TP_ERR_NOT_FOUND;
}

/* Only for what is well formed: depth is bounded. text is the hex of `in`. */
static void hide_objects(char *text, struct shown *s, struct span in)
{
    const uint8_t *start = in.p;
    struct tlv t;

    while (tlv_next(&in, &t) == TP_OK) {
        char *value = text + 2 * (t.value.p - start);

        if (looked_into(t.tag)) {
            hide_objects(value, s, t.value);
            continue;
        }
        shown_learn(s, t.tag, t.value);
        hide_value(value, s, t.tag, t.value);
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

/* For what is no TLV, so that a bug in a card's data stays to be seen: objects that the dictionary
 * knows are treated as if it were, down to the one that runs over the end; all from the first
 * unknown one on is hidden. text is the hex of `in`. */
static void hide_broken(char *text, struct shown *s, struct span in, unsigned depth)
{
    const uint8_t *start = in.p;

    while (in.n > 0) {
        const size_t before = 2 * (size_t)(in.p - start), end = before + 2 * in.n;
        struct span value;
        uint32_t tag;
        size_t n, at;

        if (!take_header(&in, &tag, &n) || emv_tag_find(tag) == NULL ||
            (depth == TLV_DEPTH_MAX && tlv_constructed(tag))) {
            hide(text, before, end);
            return;
        }
        at = 2 * (size_t)(in.p - start);
        value = span_of(in.p, n < in.n ? n : in.n);
        in = span_of(in.p + value.n, in.n - value.n);
        if (looked_into(tag))
            hide_broken(text + at, s, value, depth + 1);
        else if (value.n == n) {
            shown_learn(s, tag, value);
            hide_value(text + at, s, tag, value);
        } else if (emv_tag_shown(tag) != EMV_PLAIN)
            hide(text, at, end);
    }
}

/* An answer whose first object the dictionary does not know may be no TLV at all: then not even its
 * tag. */
static void hide_data(char *text, struct shown *s, struct span data)
{
    struct span rest = data;
    uint32_t tag;

    if (tlv_next_tag(&rest, &tag) == TP_OK && emv_tag_find(tag) != NULL && well_formed(data, 1))
        hide_objects(text, s, data);
    else
        hide_broken(text, s, data, 1);
}

char *shown_value(char *out, struct shown *s, uint32_t tag, struct span value)
{
    const bool values = tag == TAG_EV_PDOL_VALUES || tag == TAG_EV_CDOL1_VALUES ||
                        tag == TAG_EV_CDOL2_VALUES || tag == TAG_EV_DDOL_VALUES;

    write_hex(out, value);
    if (s->all)
        return out;
    if (looked_into(tag) || tag == TAG_EV_RESPONSE)
        hide_data(out, s, value);
    else
        hide_value(out, s, tag, value);
    if (values)
        hide_again(out, s, value);
    hide_learnt(out, s, value);
    return out;
}

bool shown_command_plain(const struct shown *s, uint8_t ins)
{
    static const uint8_t plain[] = {INS_SELECT,
                                    INS_GET_PROCESSING_OPTIONS,
                                    INS_INTERNAL_AUTHENTICATE,
                                    INS_GENERATE_AC,
                                    INS_EXTERNAL_AUTHENTICATE,
                                    INS_APPLICATION_BLOCK,
                                    INS_APPLICATION_UNBLOCK,
                                    INS_CARD_BLOCK};

    if (s->all)
        return ins != INS_VERIFY && ins != INS_PIN_CHANGE_UNBLOCK;
    return memchr(plain, ins, sizeof(plain)) != NULL;
}

char *shown_command(char *out, struct shown *s, struct span command)
{
    struct capdu c;
    char *data;

    write_hex(out, command);
    if (capdu_parse(&c, command) != TP_OK) {
        hide(out, 0, 2 * command.n);
        return out;
    }
    data = out + (c.data.n > 0 ? 2 * (c.data.p - command.p) : 0);
    if (!shown_command_plain(s, c.ins))
        hide(data, 0, 2 * c.data.n);
    else if (c.ins != INS_SELECT)
        hide_again(data, s, c.data);
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
    else
        hide_data(out, s, r.data);
    hide_learnt(out, s, response);
    return out;
}

bool shown_selection(bool *test, struct span command, struct span response)
{
    static const uint8_t rid[] = {0xF0, 0x00, 0x00, 0x00, 0x14};
    struct capdu c;
    struct rapdu r;
    struct tlv fci, name;

    if (rapdu_parse(&r, response) != TP_OK || tlv_find(r.data, TAG_FCI, &fci) != TP_OK ||
        tlv_find(fci.value, TAG_DF_NAME, &name) != TP_OK)
        return false;
    if (name.value.n > 0 &&
        name.value.p[0] ==
            '1') /* 1PAY.SYS.DDF01: a directory, which says nothing of whose the card is */
        return false;
    if (capdu_parse(&c, command) != TP_OK || (c.ins != INS_SELECT && c.ins != INS_GET_RESPONSE))
        return false;
    *test = name.value.n >= sizeof(rid) && memcmp(name.value.p, rid, sizeof(rid)) == 0;
    return true;
}
