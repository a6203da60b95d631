#include "order/token.h"

#include <jose/jws.h>
#include <string.h>

#include "order/jose_quiet.h"
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

enum tp_err token_sign(char **out, const json_t *payload, const char *type,
                       const struct order_key *key, struct tp_error *e)
{
    char *body = NULL;
    json_t *jws = NULL, *sig = NULL;
    jose_cfg_t *cfg = jose_quiet();
    enum tp_err r = jcs_encode(&body, payload, e);

    *out = NULL;
    if (r != TP_OK)
        goto out;
    jws = json_pack("{s:s}", "payload", body);
    sig = json_pack("{s:{s:s,s:s,s:O}}", "protected", "alg", "ES256", "typ", type, "x5c", key->x5c);
    if (cfg == NULL || jws == NULL || sig == NULL) {
        r = tp_fail(e, TP_ERR_NO_MEMORY, "no memory to sign");
    } else if (!jose_jws_sig(cfg, jws, sig, key->jwk)) {
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

static enum tp_err read_header(json_t **x5c, struct span text, const char *type, struct tp_error *e)
{
    json_t *header = NULL;
    enum tp_err r = jcs_decode(&header, text, TOKEN_MAX, e);

    if (r == TP_OK &&
        (json_object_size(header) != HEADER_MEMBERS || !jcs_is(header, "alg", "ES256") ||
         !jcs_is(header, "typ", type) || !json_is_array(json_object_get(header, "x5c"))))
        r = tp_fail(e, TP_ERR_FORMAT, "its header is not alg ES256, typ %s, x5c and no more", type);
    if (r == TP_OK)
        *x5c = json_incref(json_object_get(header, "x5c"));
    json_decref(header);
    return r;
}

enum tp_err token_read(struct token *out, const char *text, const char *type, struct tp_error *e)
{
    const size_t max = max_of(type), n = strnlen(text, max + 1), head = strspn(text, ALPHABET);
    enum tp_err r;

    *out = (struct token){0};
    if (n > max)
        return tp_fail(e, TP_ERR_RANGE, "%s: more than %zu characters", type, max);
    const char *const body = text + head + (head < n);
    const size_t body_n = strspn(body, ALPHABET);
    const char *const signature = body + body_n + (body + body_n < text + n);

    if (text[head] != '.' || body[body_n] != '.' || strlen(signature) != SIGNATURE_CHARS ||
        strspn(signature, ALPHABET) != SIGNATURE_CHARS)
        return tp_fail(e, TP_ERR_FORMAT, "%s: no compact JWS of ES256", type);
    r = read_header(&out->x5c, span_of(text, head), type, e);
    if (r == TP_OK)
        r = jcs_decode(&out->payload, span_of(body, body_n), max, e);
    if (r != TP_OK) {
        (void)tp_error_prefix(e, "%s", type);
        return r;
    }
    out->jws = json_pack("{s:s%,s:s%,s:s}", "protected", text, head, "payload", body, body_n,
                         "signature", signature);
    return out->jws != NULL ? TP_OK : tp_fail(e, TP_ERR_NO_MEMORY, "no memory");
}

void token_free(struct token *t)
{
    json_decref(t->payload);
    json_decref(t->x5c);
    json_decref(t->jws);
    *t = (struct token){0};
}

enum tp_err token_verify(struct order_holder *out, const struct token *t,
                         const struct order_authority *authority, enum pki_role role, time_t at,
                         struct tp_error *e)
{
    jose_cfg_t *cfg = jose_quiet();
    enum tp_err r = order_holder_read(out, authority, t->x5c, role, at, e);

    if (r == TP_OK && cfg == NULL)
        r = tp_fail(e, TP_ERR_NO_MEMORY, "no memory");
    if (r == TP_OK && !jose_jws_ver(cfg, t->jws, NULL, out->jwk, true))
        r = tp_fail(e, TP_ERR_SECURITY, "the signature is wrong");
    if (cfg != NULL)
        jose_cfg_decref(cfg);
    return r;
}
