/* Base64 (RFC 4648): the URL-safe alphabet of section 5 without padding, as JOSE and the "Payment"
 * scheme write it, and the one of section 4 with padding, as digests of RFC 9530 are. Each text
 * stands for one value and no value has two texts but for the padding: bits that a last character
 * cannot carry must be zero, and nothing else may stand between the characters. */
#ifndef TP_BASE_BASE64_H
#define TP_BASE_BASE64_H

#include "base/span.h"

#define BASE64_SIZE(n)    (((n) + 2) / 3 * 4 + 1) /* of n bytes as text, with its final zero */
#define BASE64URL_SIZE(n) (((n)*4 + 2) / 3 + 1)   /* the same without padding */
#define BASE64_ROOM(n)    ((n) / 4 * 3 + (n) % 4) /* bytes that n characters may hold, or more */

/* Write the text and a final zero; out has room for the size above. Return out. */
char *base64_encode(char *out, struct span s);
char *base64url_encode(char *out, struct span s);

/* Append the bytes. Padding may be there, whole, or be left out. TP_ERR_FORMAT for any other
 * character or length, TP_ERR_RANGE when out is too small; *out is unchanged on an error. */
TP_MUST_CHECK enum tp_err base64_decode(struct buf *out, struct span text);
TP_MUST_CHECK enum tp_err base64url_decode(struct buf *out, struct span text);

#endif
