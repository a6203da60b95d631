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

/* The same with a key that nobody certifies (a private JWK of P-256): in place of x5c its header
 * has jwk, the public key. */
TP_MUST_CHECK enum tp_err token_sign_own(char **out, const json_t *payload, const char *type,
                                         const json_t *jwk, struct tp_error *e);

struct token_text { /* its three parts, borrowed from the text */
    struct span head, body;
    const char *signature; /* 86 characters, with their end */
};

struct token { /* begins as {0} */
    json_t *payload;
    json_t *x5c;
    struct token_text text; /* of what was read, which must live as long */
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

/* ---- of what every signed text of the house is made ---- */

/* TP_ERR_RANGE: more than max characters; TP_ERR_FORMAT. */
TP_MUST_CHECK enum tp_err token_split(struct token_text *out, const char *text, size_t max,
                                      struct tp_error *e);
/* The header has alg, typ and that member alone, which comes out (json_decref). TP_ERR_FORMAT. */
TP_MUST_CHECK enum tp_err token_header(json_t **value, const struct token_text *text,
                                       const char *alg, const char *type, const char *member,
                                       struct tp_error *e);
/* The key that such a header of alg, typ and jwk alone brings (json_decref): EC, P-256 and no more.
 * TP_ERR_FORMAT. */
TP_MUST_CHECK enum tp_err token_own_key(json_t **key, const struct token_text *text,
                                        const char *type, struct tp_error *e);
/* Whether that key (EC, P-256) signed it. TP_ERR_SECURITY. */
TP_MUST_CHECK enum tp_err token_es256(const struct token_text *text, const json_t *jwk,
                                      struct tp_error *e);

#endif
