#include "apdu/tlv.h"

#define TAG_MAX 0xFFFFFFFFU

bool tlv_constructed(uint32_t tag)
{
    uint32_t first = tag;

    while (first > 0xFF)
        first >>= 8;
    return (first & 0x20) != 0;
}

/* 00 and, from before Book 3 knew better, FF may stand between objects (Book 3, B1). */
static void skip_filler(struct span *in)
{
    while (in->n > 0 && (in->p[0] == 0x00 || in->p[0] == 0xFF)) {
        in->p++;
        in->n--;
    }
}

/* Book 3, B2.1: more bytes follow when bits 5-1 of the first are all set, and as long as bit 8 is
 * set in the next ones. */
static enum tp_err take_tag(struct span *in, uint32_t *out)
{
    struct span s = *in;
    uint32_t tag;
    uint8_t b;

    if (span_u8(&s, &b) != TP_OK)
        return TP_ERR_FORMAT;
    tag = b;
    if ((b & 0x1F) == 0x1F)
        do {
            if (tag > TAG_MAX >> 8 || span_u8(&s, &b) != TP_OK)
                return TP_ERR_FORMAT;
            tag = tag << 8 | b;
        } while ((b & 0x80) != 0);
    *out = tag;
    *in = s;
    return TP_OK;
}

/* Book 3, B2.2: one byte up to 127, else a byte that says how many follow; the indefinite form 80
 * does not exist in EMV. */
static enum tp_err take_length(struct span *in, size_t *out)
{
    struct span s = *in, digits;
    uint8_t first;
    size_t length = 0;

    if (span_u8(&s, &first) != TP_OK)
        return TP_ERR_FORMAT;
    if (first < 0x80) {
        *out = first;
        *in = s;
        return TP_OK;
    }
    if (first == 0x80 || first > 0x84 || span_take(&s, first & 0x7F, &digits) != TP_OK)
        return TP_ERR_FORMAT;
    for (size_t i = 0; i < digits.n; i++)
        length = length << 8 | digits.p[i];
    *out = length;
    *in = s;
    return TP_OK;
}

enum tp_err tlv_next_tag(struct span *in, uint32_t *tag)
{
    struct span s = *in;

    skip_filler(&s);
    if (s.n == 0)
        return TP_ERR_NOT_FOUND;
    if (take_tag(&s, tag) != TP_OK)
        return TP_ERR_FORMAT;
    *in = s;
    return TP_OK;
}

enum tp_err tlv_next(struct span *in, struct tlv *out)
{
    struct span s = *in;
    struct tlv found;
    size_t length;

    skip_filler(&s);
    if (s.n == 0)
        return TP_ERR_NOT_FOUND;
    found.raw = s;
    if (take_tag(&s, &found.tag) != TP_OK || take_length(&s, &length) != TP_OK ||
        span_take(&s, length, &found.value) != TP_OK)
        return TP_ERR_FORMAT;
    found.raw.n -= s.n;
    *out = found;
    *in = s;
    return TP_OK;
}

enum tp_err tlv_find(struct span in, uint32_t tag, struct tlv *out)
{
    struct tlv t;
    enum tp_err r;

    while ((r = tlv_next(&in, &t)) == TP_OK)
        if (t.tag == tag) {
            *out = t;
            return TP_OK;
        }
    return r;
}

static enum tp_err find_within(struct span in, uint32_t tag, struct tlv *out, unsigned levels)
{
    struct tlv t;
    enum tp_err r;

    while ((r = tlv_next(&in, &t)) == TP_OK) {
        if (t.tag == tag) {
            *out = t;
            return TP_OK;
        }
        if (!tlv_constructed(t.tag) || t.value.n == 0)
            continue;
        if (levels <= 1)
            return TP_ERR_FORMAT;
        r = find_within(t.value, tag, out, levels - 1);
        if (r != TP_ERR_NOT_FOUND)
            return r;
    }
    return r;
}

enum tp_err tlv_find_deep(struct span in, uint32_t tag, struct tlv *out)
{
    return find_within(in, tag, out, TLV_DEPTH_MAX);
}

static enum tp_err check_within(struct span in, unsigned levels)
{
    struct tlv t;
    enum tp_err r;

    while ((r = tlv_next(&in, &t)) == TP_OK)
        if (tlv_constructed(t.tag) && t.value.n > 0)
            if (levels <= 1 || check_within(t.value, levels - 1) != TP_OK)
                return TP_ERR_FORMAT;
    return r == TP_ERR_NOT_FOUND ? TP_OK : r;
}

enum tp_err tlv_check(struct span in)
{
    return check_within(in, TLV_DEPTH_MAX);
}

enum tp_err tlv_check_level(struct span in)
{
    struct tlv t;
    enum tp_err r;

    while ((r = tlv_next(&in, &t)) == TP_OK)
        continue;
    return r == TP_ERR_NOT_FOUND ? TP_OK : r;
}

static size_t tag_size(uint32_t tag)
{
    return tag > 0xFFFFFF ? 4 : tag > 0xFFFF ? 3 : tag > 0xFF ? 2 : 1;
}

static size_t length_size(size_t n)
{
    return n < 0x80 ? 1 : n <= 0xFF ? 2 : n <= 0xFFFF ? 3 : n <= 0xFFFFFF ? 4 : 5;
}

size_t tlv_size(uint32_t tag, size_t n)
{
    return tag_size(tag) + length_size(n) + n;
}

/* Whether reading the bytes of the number gives the same number: it is one whole tag and no filler.
 */
static bool tag_valid(uint32_t tag)
{
    uint8_t raw[4];
    struct span s = {raw, tag_size(tag)};
    uint32_t read;

    for (size_t i = 0; i < s.n; i++)
        raw[i] = (uint8_t)(tag >> 8 * (s.n - 1 - i));
    return raw[0] != 0x00 && raw[0] != 0xFF && take_tag(&s, &read) == TP_OK && s.n == 0;
}

static void put_number(struct buf *out, size_t value, size_t bytes)
{
    for (size_t i = bytes; i > 0; i--)
        out->p[out->n++] = (uint8_t)(value >> 8 * (i - 1));
}

enum tp_err tlv_put_header(struct buf *out, uint32_t tag, size_t n)
{
    const size_t length = length_size(n);

    if (!tag_valid(tag) || n > UINT32_MAX || out->cap - out->n < tag_size(tag) + length)
        return TP_ERR_RANGE;
    put_number(out, tag, tag_size(tag));
    if (length > 1)
        put_number(out, 0x80 + length - 1, 1);
    put_number(out, n, length > 1 ? length - 1 : 1);
    return TP_OK;
}

enum tp_err tlv_put(struct buf *out, uint32_t tag, struct span value)
{
    const size_t before = out->n;
    enum tp_err r = tlv_put_header(out, tag, value.n);

    if (r == TP_OK)
        r = buf_put(out, value);
    if (r != TP_OK)
        out->n = before;
    return r;
}
