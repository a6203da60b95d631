#include "base/base64.h"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

struct alphabet {
    char characters[65];
    bool padded; /* as written; what is read may be either */
};

static const struct alphabet standard = {LETTERS "+/", true}, url = {LETTERS "-_", false};

static char *encode(char *out, struct span s, const struct alphabet *a)
{
    char *w = out;

    for (size_t i = 0; i < s.n; i += 3) {
        const size_t have = s.n - i < 3 ? s.n - i : 3;
        uint32_t bits = (uint32_t)s.p[i] << 16;

        if (have > 1)
            bits |= (uint32_t)s.p[i + 1] << 8;
        if (have > 2)
            bits |= s.p[i + 2];
        for (size_t j = 0; j < 4; j++)
            if (j <= have)
                *w++ = a->characters[bits >> (18 - 6 * j) & 0x3F];
            else if (a->padded)
                *w++ = '=';
    }
    *w = '\0';
    return out;
}

/* 0 to 63; more for a character that is none of the alphabet's. */
static uint32_t value(uint8_t c, const struct alphabet *a)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26U;
    if (c >= '0' && c <= '9')
        return c - '0' + 52U;
    for (uint32_t v = 62; v < 64; v++)
        if (c == (uint8_t)a->characters[v])
            return v;
    return 64;
}

static enum tp_err decode_group(struct buf *out, struct span group, const struct alphabet *a)
{
    uint8_t bytes[3];
    uint32_t bits = 0;

    for (size_t j = 0; j < 4; j++) {
        const uint32_t v = j < group.n ? value(group.p[j], a) : 0;

        if (v > 63)
            return TP_ERR_FORMAT;
        bits = bits << 6 | v;
    }
    for (size_t j = 0; j < 3; j++)
        bytes[j] = (uint8_t)(bits >> (16 - 8 * j));
    for (size_t j = group.n - 1; j < 3; j++)
        if (bytes[j] != 0)
            return TP_ERR_FORMAT; /* bits that no byte takes */
    return buf_put(out, span_of(bytes, group.n - 1));
}

static enum tp_err decode(struct buf *out, struct span text, const struct alphabet *a)
{
    const size_t start = out->n;
    const bool whole = text.n % 4 == 0;
    struct span group;
    size_t padding = 0;
    enum tp_err r = TP_OK;

    while (text.n > 0 && padding < 2 && text.p[text.n - 1] == '=') {
        text.n--;
        padding++;
    }
    if (text.n % 4 == 1 || (padding > 0 && !whole))
        return TP_ERR_FORMAT;
    while (r == TP_OK && text.n > 0) {
        r = span_take(&text, text.n < 4 ? text.n : 4, &group);
        if (r == TP_OK)
            r = decode_group(out, group, a);
    }
    if (r != TP_OK)
        out->n = start;
    return r;
}

char *base64_encode(char *out, struct span s)
{
    return encode(out, s, &standard);
}

char *base64url_encode(char *out, struct span s)
{
    return encode(out, s, &url);
}

enum tp_err base64_decode(struct buf *out, struct span text)
{
    return decode(out, text, &standard);
}

enum tp_err base64url_decode(struct buf *out, struct span text)
{
    return decode(out, text, &url);
}
