/* The payer device's own key: it signs a payment whose card has not signed whom it pays. Made at
 * its first use, in the user's folder (0600). */
#ifndef TP_PAYER_DEVICE_H
#define TP_PAYER_DEVICE_H

#include <jansson.h>

#include "base/span.h"

#define DEVICE_TYPE "telepay-device" /* typ of what it signs */

/* The private key, a JWK of P-256 (json_decref). TP_ERR_SECURITY when others may read its file. */
TP_MUST_CHECK enum tp_err device_key(json_t **out, const char *home, struct tp_error *e);

/* The JWS (free()): that one device signed R and what is sealed. transaction: the packed 0200. */
TP_MUST_CHECK enum tp_err device_sign(char **jws, const json_t *key, struct span r,
                                      struct span transaction, struct tp_error *e);

/* 16 bytes by which this device takes the order for itself: the same at each time, and known to it
 * alone. */
TP_MUST_CHECK enum tp_err device_claim(uint8_t out[16], const json_t *key, const char *order,
                                       struct tp_error *e);

#endif
