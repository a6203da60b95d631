/* Bytes: borrowed (span) and being written (buf). Nothing here allocates, but for span_text.
 *
 * A span does not own what it points to; the header that hands one out says how long it lives.
 * Readers check, then consume: on an error the span is left as it was.
 * A buf has a fixed capacity and is owned by the caller; a write that does not fit changes nothing.
 */
#ifndef TP_BASE_SPAN_H
#define TP_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct span {
    const uint8_t *p;
    size_t n;
};

struct buf {
    uint8_t *p;
    size_t n;   /* bytes written so far */
    size_t cap; /* bytes there is room for */
};

/* An array as a span; a caller's array as an empty buf. Not for pointers. */
#define SPAN_OF(array) ((struct span){(array), sizeof(array)})
#define BUF_OF(array)  ((struct buf){(array), 0, sizeof(array)})

struct span span_of(const void *p, size_t n);
struct span span_str(const char *text);     /* without the final zero */
char *span_text(struct span s);             /* a copy with a final zero (free()); NULL: no memory */
bool span_eq(struct span a, struct span b); /* not constant-time: see base/secret.h for secrets */

/* Take n bytes (or one big-endian number) from the front of *s. TP_ERR_FORMAT when fewer are left.
 */
TP_MUST_CHECK enum tp_err span_take(struct span *s, size_t n, struct span *out);
TP_MUST_CHECK enum tp_err span_u8(struct span *s, uint8_t *out);
TP_MUST_CHECK enum tp_err span_be16(struct span *s, uint16_t *out);
TP_MUST_CHECK enum tp_err span_be32(struct span *s, uint32_t *out);

/* Append. TP_ERR_RANGE when it does not fit. */
TP_MUST_CHECK enum tp_err buf_put(struct buf *b, struct span s);
TP_MUST_CHECK enum tp_err buf_fill(struct buf *b, uint8_t byte, size_t n);
TP_MUST_CHECK enum tp_err buf_u8(struct buf *b, uint8_t v);
TP_MUST_CHECK enum tp_err buf_be16(struct buf *b, uint16_t v);
TP_MUST_CHECK enum tp_err buf_be32(struct buf *b, uint32_t v);
struct span buf_span(const struct buf *b);

#endif
