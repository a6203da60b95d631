/* Signed JSON (JWS, RFC 7515) in the one form that the house takes: compact, ES256, a protected
 * header of alg, typ and x5c alone, a payload that is a JSON object without a member twice. */
#ifndef TP_ORDER_TOKEN_H
#define TP_ORDER_TOKEN_H

#include "order/certificate.h"

#define TOKEN_MAX 16384 /* characters */

/* What a payer device's kernel needs, signed by the acquirer: it holds lists of keys. */
#define TOKEN_PARAMETERS     "telepay-parameters"
#define TOKEN_PARAMETERS_MAX 131072

/* Signs the canonical text of the object (free()). type: what kind of statement it is ("typ"), so
 * that none passes for another. */
TP_MUST_CHECK enum tp_err token_sign(char **out, const json_t *payload, const char *type,
                                     const struct order_key *key, struct tp_error *e);

struct token { /* begins as {0} */
    json_t *payload;
    json_t *x5c;
    json_t *jws;
};

/* Takes it apart; nothing is verified. TP_ERR_FORMAT for any other form, TP_ERR_RANGE when it is
 * too large. token_free after an error too. */
TP_MUST_CHECK enum tp_err token_read(struct token *out, const char *text, const char *type,
                                     struct tp_error *e);
void token_free(struct token *t);

/* Whether a key of that role signed it, with a certificate that was good at that time; whose it is
 * comes out (order_holder_free). TP_ERR_SECURITY. */
TP_MUST_CHECK enum tp_err token_verify(struct order_holder *out, const struct token *t,
                                       const struct order_authority *authority, enum pki_role role,
                                       time_t at, struct tp_error *e);

#endif
