#include "order/token.h"

#include <jose/jws.h>
#include <string.h>

#include "order/jose_quiet.h"
#include "order/sealed.h"
#include "wire/jcs.h"

#define ALPHABET        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
#define SIGNATURE_CHARS 86 /* 64 bytes */
#define HEADER_MEMBERS  3

static size_t max_of(const char *type)
{
    return strcmp(type, TOKEN_PARAMETERS) == 0 ? TOKEN_PARAMETERS_MAX : TOKEN_MAX;
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text != NULL ? text : "";
}

/* With one member of the header that says whose the signature is. */
static enum tp_err sign(char **out, const json_t *payload, const char *type, const char *member,
                        const json_t *whose, const json_t *jwk, struct tp_error *e)
{
    char *body = NULL;
    json_t *jws = NULL, *sig = NULL;
    jose_cfg_t *cfg = jose_quiet();
    enum tp_err r = jcs_encode(&body, payload, e);

    *out = NULL;
    if (r != TP_OK)
        goto out;
    jws = json_pack("{s:s}", "payload", body);
    sig = json_pack("{s:{s:s,s:s,s:O}}", "protected", "alg", "ES256", "typ", type, member, whose);
    if (cfg == NULL || jws == NULL || sig == NULL) {
        r = tp_fail(e, TP_ERR_NO_MEMORY, "no memory to sign");
    } else if (!jose_jws_sig(cfg, jws, sig, jwk)) {
        r = tp_fail(e, TP_ERR_INTERNAL, "libjose cannot sign");
    } else if (asprintf(out, "%s.%s.%s", text_of(jws, "protected"), body,
                        text_of(jws, "signature")) < 0) {
        *out = NULL;
        r = tp_fail(e, TP_ERR_NO_MEMORY, "no memory to sign");
    } else if (strlen(*out) > max_of(type)) {
        free(*out);
        *out = NULL;
        r = tp_fail(e, TP_ERR_RANGE, "what is to be signed is too large");
    }
out:
    if (cfg != NULL)
        jose_cfg_decref(cfg);
    json_decref(jws);
    json_decref(sig);
    free(body);
    return r;
}

enum tp_err token_sign(char **out, const json_t *payload, const char *type,
                       const struct order_key *key, struct tp_error *e)
{
    return sign(out, payload, type, "x5c", key->x5c, key->jwk, e);
}

enum tp_err token_sign_own(char **out, const json_t *payload, const char *type, const json_t *jwk,
                           struct tp_error *e)
{
    json_t *public = NULL;
    enum tp_err r = sealed_public_key(&public, jwk, e);

    *out = NULL;
    if (r == TP_OK)
        r = sign(out, payload, type, "jwk", public, jwk, e);
    json_decref(public);
    return r;
}

enum tp_err token_split(struct token_text *out, const char *text, size_t max, struct tp_error *e)
{
    const size_t n = strnlen(text, max + 1), head = strspn(text, ALPHABET);

    if (n > max)
        return tp_fail(e, TP_ERR_RANGE, "more than %zu characters", max);
    const char *const body = text + head + (head < n);
    const size_t body_n = strspn(body, ALPHABET);
    const char *const signature = body + body_n + (body + body_n < text + n);

    if (text[head] != '.' || body[body_n] != '.' || strlen(signature) != SIGNATURE_CHARS ||
        strspn(signature, ALPHABET) != SIGNATURE_CHARS)
        return tp_fail(e, TP_ERR_FORMAT, "no compact JWS with a signature of 64 bytes");
    *out = (struct token_text){span_of(text, head), span_of(body, body_n), signature};
    return TP_OK;
}

enum tp_err token_header(json_t **value, const struct token_text *text, const char *alg,
                         const char *type, const char *member, struct tp_error *e)
{
    json_t *header = NULL, *there;
    enum tp_err r = jcs_decode(&header, text->head, TOKEN_MAX, e);

    *value = NULL;
    if (r != TP_OK)
        return r;
    there = json_object_get(header, member);
    if (json_object_size(header) != HEADER_MEMBERS || !jcs_is(header, "alg", alg) ||
        !jcs_is(header, "typ", type) || there == NULL)
        r = tp_fail(e, TP_ERR_FORMAT, "its header is not alg %s, typ %s, %s and no more", alg, type,
                    member);
    else
        *value = json_incref(there);
    json_decref(header);
    return r;
}

enum tp_err token_es256(const struct token_text *text, const json_t *jwk, struct tp_error *e)
{
    jose_cfg_t *cfg = jose_quiet();
    json_t *jws = json_pack("{s:s%,s:s%,s:s}", "protected", text->head.p, text->head.n, "payload",
                            text->body.p, text->body.n, "signature", text->signature);
    enum tp_err r = TP_OK;

    if (cfg == NULL || jws == NULL)
        r = tp_fail(e, TP_ERR_NO_MEMORY, "no memory");
    else if (!jose_jws_ver(cfg, jws, NULL, jwk, true))
        r = tp_fail(e, TP_ERR_SECURITY, "the signature is wrong");
    if (cfg != NULL)
        jose_cfg_decref(cfg);
    json_decref(jws);
    return r;
}

enum tp_err token_own_key(json_t **key, const struct token_text *text, const char *type,
                          struct tp_error *e)
{
    json_t *jwk = NULL;
    enum tp_err r = token_header(&jwk, text, "ES256", type, "jwk", e);

    *key = NULL;
    if (r == TP_OK)
        r = sealed_public_key(key, jwk, e);
    if (r == TP_OK && !json_equal(*key, jwk)) {
        json_decref(*key);
        *key = NULL;
        r = tp_fail(e, TP_ERR_FORMAT, "its jwk is no public key of P-256 and no more");
    }
    json_decref(jwk);
    return r;
}

enum tp_err token_read(struct token *out, const char *text, const char *type, struct tp_error *e)
{
    enum tp_err r;

    *out = (struct token){0};
    r = token_split(&out->text, text, max_of(type), e);
    if (r == TP_OK)
        r = token_header(&out->x5c, &out->text, "ES256", type, "x5c", e);
    if (r == TP_OK && !json_is_array(out->x5c))
        r = tp_fail(e, TP_ERR_FORMAT, "its x5c is no list");
    if (r == TP_OK)
        r = jcs_decode(&out->payload, out->text.body, max_of(type), e);
    if (r != TP_OK)
        (void)tp_error_prefix(e, "%s", type);
    return r;
}

void token_free(struct token *t)
{
    json_decref(t->payload);
    json_decref(t->x5c);
    *t = (struct token){0};
}

enum tp_err token_verify(struct order_holder *out, const struct token *t,
                         const struct order_authority *authority, enum pki_role role, time_t at,
                         struct tp_error *e)
{
    const enum tp_err r = order_holder_read(out, authority, t->x5c, role, at, e);

    return r == TP_OK ? token_es256(&t->text, out->jwk, e) : r;
}
