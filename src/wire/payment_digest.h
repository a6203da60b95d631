/* Digests of bodies (RFC 9530): "sha-256=:BASE64:". */
#ifndef TP_WIRE_PAYMENT_DIGEST_H
#define TP_WIRE_PAYMENT_DIGEST_H

#include "base/span.h"

#define PAYMENT_DIGEST_SIZE 56 /* of the text, with a zero */

char *payment_digest_write(char out[PAYMENT_DIGEST_SIZE], const uint8_t sha256[32]);

/* The SHA-256 among the digests of the text, which may stand without its colons and its padding,
 * as some write it. TP_ERR_FORMAT; TP_ERR_NOT_FOUND when there are only digests of other kinds. */
TP_MUST_CHECK enum tp_err payment_digest_read(uint8_t sha256[32], const char *text,
                                              struct tp_error *e);

#endif
