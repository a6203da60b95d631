/* The payer device's statement: that one device saw the challenge (R) and made the message that is
 * sealed. It stands where the card signs no R of its own. */
#ifndef TP_ORDER_DEVICE_H
#define TP_ORDER_DEVICE_H

#include "base/span.h"

#define DEVICE_STATEMENT_TYPE "telepay-device"

/* Whether the JWS (ES256, its own public key in the header) states these two: R, and the SHA-256 of
 * the packed message. TP_ERR_FORMAT for any other form, TP_ERR_RANGE when it is too large,
 * TP_ERR_SECURITY. */
TP_MUST_CHECK enum tp_err device_statement_verify(const char *jws, const uint8_t r[32],
                                                  const uint8_t message[32], struct tp_error *e);

#endif
