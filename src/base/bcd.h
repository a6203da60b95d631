/* Binary-coded decimal: formats n and cn of EMV 4.4 Book 3, 4.3 and the n fields of ISO 8583. */
#ifndef TP_BASE_BCD_H
#define TP_BASE_BCD_H

#include "base/span.h"

/* Appends value as `digits` decimal digits, padded left with zeros (an odd count gets a leading
 * zero nibble). TP_ERR_RANGE when the value has more digits or out is full. */
TP_MUST_CHECK enum tp_err bcd_put(struct buf *out, uint64_t value, unsigned digits);

/* Reads up to 9 bytes (18 digits) as a number. TP_ERR_FORMAT for a nibble above 9 or more than 9
 * bytes. */
TP_MUST_CHECK enum tp_err bcd_get(struct span s, uint64_t *out);

/* Compressed numeric (PAN, 5A): digits as text into out (room for 2 * s.n + 1), stopping at the F
 * padding. TP_ERR_FORMAT for other nibbles above 9, or digits after padding. */
TP_MUST_CHECK enum tp_err bcd_get_cn(struct span s, char *out);

/* Appends decimal text as compressed numeric in `bytes` bytes, padded right with F. TP_ERR_FORMAT
 * for a character that is not a digit, TP_ERR_RANGE when it does not fit. */
TP_MUST_CHECK enum tp_err bcd_put_cn(struct buf *out, const char *digits, size_t bytes);

#endif
