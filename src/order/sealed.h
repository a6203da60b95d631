/* Sealed JSON (JWE, RFC 7516) in the one form that the house takes: compact, ECDH-ES on P-256 and
 * A256GCM, a protected header of alg, enc, epk and typ alone. */
#ifndef TP_ORDER_SEALED_H
#define TP_ORDER_SEALED_H

#include <jansson.h>

#include "base/span.h"

#define SEALED_TRANSACTION "telepay-transaction"   /* typ: payer to acquirer */
#define SEALED_ANSWER      "telepay-answer"        /* typ: acquirer to payer */
#define SEALED_CARD        "telepay-card-evidence" /* typ: payer to acquirer, of no payment */
#define SEALED_MAX         32768                   /* characters */

/* A key of this payment alone, to which the answer is sealed (json_decref); and what is sent of it.
 */
TP_MUST_CHECK enum tp_err sealed_answer_key(json_t **out, struct tp_error *e);
TP_MUST_CHECK enum tp_err sealed_public_key(json_t **out, const json_t *key, struct tp_error *e);

/* Seals the canonical text of the object (free()) to a public key: EC, P-256, nothing else in it.
 * TP_ERR_FORMAT when it is none. */
TP_MUST_CHECK enum tp_err sealed_write(char **out, const json_t *payload, const char *type,
                                       const json_t *public_key, struct tp_error *e);

/* Opens it (json_decref). TP_ERR_FORMAT for any other form, TP_ERR_RANGE when it is too large,
 * TP_ERR_SECURITY when it is not for this key or was changed. */
TP_MUST_CHECK enum tp_err sealed_read(json_t **out, const char *text, const char *type,
                                      const json_t *key, struct tp_error *e);

#endif
