#include "base/span.h"

#include <stdlib.h>
#include <string.h>

struct span span_of(const void *p, size_t n)
{
    return (struct span){p, n};
}

struct span span_str(const char *text)
{
    return (struct span){(const uint8_t *)text, strlen(text)};
}

/* Not strndup, which may look at the byte behind. */
char *span_text(struct span s)
{
    char *text = malloc(s.n + 1);

    if (text == NULL)
        return NULL;
    if (s.n > 0)
        memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    return text;
}

bool span_eq(struct span a, struct span b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

enum tp_err span_take(struct span *s, size_t n, struct span *out)
{
    if (s->n < n)
        return TP_ERR_FORMAT;
    *out = (struct span){s->p, n};
    if (n > 0) /* an empty span may have no address to add to */
        s->p += n;
    s->n -= n;
    return TP_OK;
}

enum tp_err span_u8(struct span *s, uint8_t *out)
{
    struct span b;

    if (span_take(s, 1, &b) != TP_OK)
        return TP_ERR_FORMAT;
    *out = b.p[0];
    return TP_OK;
}

enum tp_err span_be16(struct span *s, uint16_t *out)
{
    struct span b;

    if (span_take(s, 2, &b) != TP_OK)
        return TP_ERR_FORMAT;
    *out = (uint16_t)(b.p[0] << 8 | b.p[1]);
    return TP_OK;
}

enum tp_err span_be32(struct span *s, uint32_t *out)
{
    struct span b;

    if (span_take(s, 4, &b) != TP_OK)
        return TP_ERR_FORMAT;
    *out = (uint32_t)b.p[0] << 24 | (uint32_t)b.p[1] << 16 | (uint32_t)b.p[2] << 8 | b.p[3];
    return TP_OK;
}

enum tp_err buf_put(struct buf *b, struct span s)
{
    if (b->cap - b->n < s.n)
        return TP_ERR_RANGE;
    if (s.n > 0)
        memcpy(b->p + b->n, s.p, s.n);
    b->n += s.n;
    return TP_OK;
}

enum tp_err buf_fill(struct buf *b, uint8_t byte, size_t n)
{
    if (b->cap - b->n < n)
        return TP_ERR_RANGE;
    if (n > 0)
        memset(b->p + b->n, byte, n);
    b->n += n;
    return TP_OK;
}

enum tp_err buf_u8(struct buf *b, uint8_t v)
{
    return buf_put(b, (struct span){&v, 1});
}

enum tp_err buf_be16(struct buf *b, uint16_t v)
{
    const uint8_t raw[2] = {(uint8_t)(v >> 8), (uint8_t)v};

    return buf_put(b, SPAN_OF(raw));
}

enum tp_err buf_be32(struct buf *b, uint32_t v)
{
    const uint8_t raw[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};

    return buf_put(b, SPAN_OF(raw));
}

struct span buf_span(const struct buf *b)
{
    return (struct span){b->p, b->n};
}
