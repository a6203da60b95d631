/* Ed25519 (RFC 8032), which libjose does not know, and its keys as JWK has them (RFC 8037). */
#ifndef TP_ORDER_ED25519_H
#define TP_ORDER_ED25519_H

#include <jansson.h>

#include "base/base64.h"

#define ED25519_KEY       32 /* public, and secret */
#define ED25519_SIGNATURE 64
#define ED25519_TEXT      BASE64URL_SIZE(ED25519_KEY)

/* TP_ERR_INTERNAL: OpenSSL fails. */
TP_MUST_CHECK enum tp_err ed25519_public(uint8_t out[ED25519_KEY],
                                         const uint8_t secret[ED25519_KEY], struct tp_error *e);
TP_MUST_CHECK enum tp_err ed25519_sign(uint8_t out[ED25519_SIGNATURE], struct span text,
                                       const uint8_t secret[ED25519_KEY], struct tp_error *e);
/* TP_ERR_SECURITY: the signature is another's, or of another text, or a second one made of it (its
 * S is not below the group's order: 5.1.7). */
TP_MUST_CHECK enum tp_err ed25519_verify(const uint8_t signature[ED25519_SIGNATURE],
                                         struct span text, const uint8_t key[ED25519_KEY],
                                         struct tp_error *e);

/* {"crv":"Ed25519","kty":"OKP","x":…} and no more. NULL: no memory. TP_ERR_FORMAT. */
json_t *ed25519_to_jwk(const uint8_t key[ED25519_KEY]);
TP_MUST_CHECK enum tp_err ed25519_from_jwk(uint8_t key[ED25519_KEY], const json_t *jwk,
                                           struct tp_error *e);

/* The key's thumbprint (RFC 7638) in base64url: 43 characters by which it is known. */
TP_MUST_CHECK enum tp_err ed25519_thumbprint(char out[ED25519_TEXT], const uint8_t key[ED25519_KEY],
                                             struct tp_error *e);

#endif
