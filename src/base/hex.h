/* Hexadecimal text. */
#ifndef TP_BASE_HEX_H
#define TP_BASE_HEX_H

#include "base/span.h"

/* Writes upper-case hex and a final zero; out has room for 2 * s.n + 1. Returns out. */
char *hex_encode(char *out, struct span s);

/* Appends the bytes of hex text to *out. Spaces between bytes are passed over. TP_ERR_FORMAT for
 * anything else or an odd number of digits, TP_ERR_RANGE when out is too small; *out is unchanged
 * on an error. */
TP_MUST_CHECK enum tp_err hex_decode(struct buf *out, const char *text);

#endif
