#include "base/bcd.h"

#include <string.h>

enum tp_err bcd_put(struct buf *out, uint64_t value, unsigned digits)
{
    uint8_t raw[10] = {0};
    const size_t n = (digits + 1) / 2;

    if (n > sizeof(raw))
        return TP_ERR_RANGE;
    for (unsigned i = 0; i < digits; i++) {
        const uint8_t d = (uint8_t)(value % 10);

        raw[n - 1 - i / 2] |= (uint8_t)(i % 2 == 0 ? d : d << 4);
        value /= 10;
    }
    if (value != 0)
        return TP_ERR_RANGE;
    return buf_put(out, span_of(raw, n));
}

enum tp_err bcd_get(struct span s, uint64_t *out)
{
    uint64_t v = 0;

    if (s.n > 9)
        return TP_ERR_FORMAT;
    for (size_t i = 0; i < s.n; i++) {
        const uint8_t high = s.p[i] >> 4;
        const uint8_t low = s.p[i] & 0x0F;

        if (high > 9 || low > 9)
            return TP_ERR_FORMAT;
        v = v * 100 + high * 10U + low;
    }
    *out = v;
    return TP_OK;
}

enum tp_err bcd_get_cn(struct span s, char *out)
{
    bool padding = false;

    for (size_t i = 0; i < 2 * s.n; i++) {
        const uint8_t d = i % 2 == 0 ? s.p[i / 2] >> 4 : s.p[i / 2] & 0x0F;

        if (d == 0x0F) {
            padding = true;
            continue;
        }
        if (d > 9 || padding)
            return TP_ERR_FORMAT;
        *out++ = (char)('0' + d);
    }
    *out = '\0';
    return TP_OK;
}

enum tp_err bcd_put_cn(struct buf *out, const char *digits, size_t bytes)
{
    const size_t n = strlen(digits);

    if (n > 2 * bytes || out->cap - out->n < bytes)
        return TP_ERR_RANGE;
    if (strspn(digits, "0123456789") != n)
        return TP_ERR_FORMAT;
    for (size_t i = 0; i < bytes; i++) {
        const unsigned high = 2 * i < n ? (unsigned)(digits[2 * i] - '0') : 0x0F;
        const unsigned low = 2 * i + 1 < n ? (unsigned)(digits[2 * i + 1] - '0') : 0x0F;

        out->p[out->n++] = (uint8_t)(high << 4 | low);
    }
    return TP_OK;
}
