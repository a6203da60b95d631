#include "payer/shown.h"

#include <stdio.h>
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

    if (whole == 0 || raw.n < whole)
        return;
    for (size_t i = 0; i + whole <= raw.n; i++)
        if (memcmp(raw.p + i, s->pan, whole) == 0)
            hide_pan(text + 2 * i, s->pan_digits <= 2 * (raw.n - i) ? s->pan_digits : 2 * whole);
}

static void hide_value(char *text, uint32_t tag, struct span value)
{
    const struct emv_tag *known = emv_tag_find(tag);
    const enum emv_shown how = known == NULL ? EMV_PLAIN : known->shown;

    if (how == EMV_SECRET)
        hide(text, 0, 2 * value.n);
    else if (how == EMV_PAN)
        hide_pan(text, count_digits(value));
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
    hide_value(out, tag, value);
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
        hide_value(value, t.tag, t.value);
        if (tlv_constructed(t.tag))
            hide_objects(value, s, t.value);
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

    if (rapdu_parse(&r, response) != TP_OK)
        sprintf(out, "[%zu bytes]", response.n);
    else if (!raw_is_plain && tlv_check(r.data) != TP_OK)
        sprintf(out, "[%zu bytes that are no TLV] %04X", r.data.n, r.sw);
    else {
        write_hex(out, response);
        if (!raw_is_plain)
            hide_objects(out, s, r.data);
        hide_learnt(out, s, response);
    }
    return out;
}
