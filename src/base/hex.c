#include "base/hex.h"

static int nibble(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

char *hex_encode(char *out, struct span s)
{
    static const char digits[] = "0123456789ABCDEF";
    char *w = out;

    for (size_t i = 0; i < s.n; i++) {
        *w++ = digits[s.p[i] >> 4];
        *w++ = digits[s.p[i] & 0x0F];
    }
    *w = '\0';
    return out;
}

enum tp_err hex_decode(struct buf *out, const char *text)
{
    const size_t start = out->n;
    enum tp_err r = TP_OK;

    while (*text != '\0') {
        if (*text == ' ' || *text == '\n' || *text == '\t') {
            text++;
            continue;
        }
        const int high = nibble(text[0]);
        const int low = high < 0 ? -1 : nibble(text[1]);

        if (low < 0)
            r = TP_ERR_FORMAT;
        else
            r = buf_u8(out, (uint8_t)(high << 4 | low));
        if (r != TP_OK) {
            out->n = start;
            return r;
        }
        text += 2;
    }
    return TP_OK;
}
