#include "order/sealed.h"

#include <jose/jwe.h>
#include <jose/jwk.h>
#include <string.h>

#include "base/base64.h"
#include "base/secret.h"
#include "order/jose_quiet.h"
#include "wire/jcs.h"

#define ALPHABET       "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
#define COORDINATE     32 /* bytes of x and of y */
#define IV_CHARS       16 /* 12 bytes */
#define TAG_CHARS      22 /* 16 bytes */
#define KEY_MEMBERS    4
#define HEADER_MEMBERS 4
#define PARTS          5

static bool is_coordinate(const json_t *v)
{
    uint8_t bytes[COORDINATE];
    struct buf b = BUF_OF(bytes);

    return json_string_length(v) == BASE64URL_SIZE(COORDINATE) - 1 &&
           base64url_decode(&b, span_of(json_string_value(v), json_string_length(v))) == TP_OK &&
           b.n == COORDINATE;
}

static bool is_public_key(const json_t *key)
{
    return json_object_size(key) == KEY_MEMBERS && jcs_is(key, "kty", "EC") &&
           jcs_is(key, "crv", "P-256") && is_coordinate(json_object_get(key, "x")) &&
           is_coordinate(json_object_get(key, "y"));
}

enum tp_err sealed_answer_key(json_t **out, struct tp_error *e)
{
    jose_cfg_t *cfg = jose_quiet();
    json_t *key = json_pack("{s:s,s:s}", "kty", "EC", "crv", "P-256");
    enum tp_err r = TP_OK;

    *out = NULL;
    if (cfg == NULL || key == NULL || !jose_jwk_gen(cfg, key)) {
        json_decref(key);
        r = tp_fail(e, TP_ERR_INTERNAL, "libjose cannot make a key");
    } else {
        *out = key;
    }
    if (cfg != NULL)
        jose_cfg_decref(cfg);
    return r;
}

enum tp_err sealed_public_key(json_t **out, const json_t *key, struct tp_error *e)
{
    *out = json_pack("{s:s,s:s,s:O*,s:O*}", "kty", "EC", "crv", "P-256", "x",
                     json_object_get(key, "x"), "y", json_object_get(key, "y"));
    if (is_public_key(*out))
        return TP_OK;
    json_decref(*out);
    *out = NULL;
    return tp_fail(e, TP_ERR_FORMAT, "that is no key of P-256");
}

static enum tp_err join(char **out, const json_t *jwe, struct tp_error *e)
{
    const char *const protected = json_string_value(json_object_get(jwe, "protected"));
    const char *const iv = json_string_value(json_object_get(jwe, "iv"));
    const char *const ciphertext = json_string_value(json_object_get(jwe, "ciphertext"));
    const char *const tag = json_string_value(json_object_get(jwe, "tag"));

    if (protected == NULL || iv == NULL || ciphertext == NULL || tag == NULL)
        return tp_fail(e, TP_ERR_INTERNAL, "libjose sealed in another form");
    if (asprintf(out, "%s..%s.%s.%s", protected, iv, ciphertext, tag) < 0) {
        *out = NULL;
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory to seal");
    }
    if (strlen(*out) <= SEALED_MAX)
        return TP_OK;
    free(*out);
    *out = NULL;
    return tp_fail(e, TP_ERR_RANGE, "what is to be sealed is too large");
}

/* Agrees on a key; libjose leaves its half (epk) in the header that nothing protects and that no
 * compact form has, so it is put where the others are before that is sealed in. */
static json_t *agree(jose_cfg_t *cfg, json_t *jwe, const json_t *public_key)
{
    json_t *cek = json_object(), *protected = json_object_get(jwe, "protected");
    bool ok = cek != NULL && jose_jwe_enc_jwk(cfg, jwe, NULL, public_key, cek);
    const json_t *header = json_object_get(jwe, "header");

    ok = ok && json_object_size(header) == 1 &&
         json_object_set(protected, "epk", json_object_get(header, "epk")) == 0 &&
         json_object_del(jwe, "header") == 0;
    if (!ok) {
        json_decref(cek);
        cek = NULL;
    }
    return cek;
}

enum tp_err sealed_write(char **out, const json_t *payload, const char *type,
                         const json_t *public_key, struct tp_error *e)
{
    char *text = NULL;
    jose_cfg_t *cfg = jose_quiet();
    json_t *jwe = NULL, *cek = NULL;
    enum tp_err r = TP_OK;

    *out = NULL;
    if (!is_public_key(public_key))
        r = tp_fail(e, TP_ERR_FORMAT, "%s: the key to seal to is no public key of P-256", type);
    if (r == TP_OK)
        r = jcs_write(&text, payload, e);
    if (r != TP_OK)
        goto out;
    jwe = json_pack("{s:{s:s,s:s,s:s}}", "protected", "alg", "ECDH-ES", "enc", "A256GCM", "typ",
                    type);
    if (cfg == NULL || jwe == NULL)
        r = tp_fail(e, TP_ERR_NO_MEMORY, "no memory to seal");
    else if ((cek = agree(cfg, jwe, public_key)) == NULL ||
             !jose_jwe_enc_cek(cfg, jwe, cek, text, strlen(text)))
        r = tp_fail(e, TP_ERR_FORMAT, "%s: libjose cannot seal to this key", type);
    else
        r = join(out, jwe, e);
out:
    if (text != NULL)
        secret_wipe(text, strlen(text));
    free(text);
    if (cfg != NULL)
        jose_cfg_decref(cfg);
    json_decref(jwe);
    json_decref(cek);
    return r;
}

static enum tp_err check_header(struct span text, const char *type, struct tp_error *e)
{
    json_t *header = NULL;
    enum tp_err r = jcs_decode(&header, text, SEALED_MAX, e);

    if (r == TP_OK &&
        (json_object_size(header) != HEADER_MEMBERS || !jcs_is(header, "alg", "ECDH-ES") ||
         !jcs_is(header, "enc", "A256GCM") || !jcs_is(header, "typ", type) ||
         !is_public_key(json_object_get(header, "epk"))))
        r = tp_fail(e, TP_ERR_FORMAT,
                    "its header is not alg ECDH-ES, enc A256GCM, typ %s, epk and no more", type);
    json_decref(header);
    return r;
}

/* The five parts between dots; false when there are more or fewer, or other characters. */
static bool split(struct span part[PARTS], const char *text)
{
    for (size_t i = 0; i < PARTS; i++) {
        const size_t n = strspn(text, ALPHABET);

        part[i] = span_of(text, n);
        if (text[n] != (i < PARTS - 1 ? '.' : '\0'))
            return false;
        text += n + 1;
    }
    return part[1].n == 0 && part[2].n == IV_CHARS && part[4].n == TAG_CHARS;
}

static enum tp_err open_parts(json_t **out, const struct span part[PARTS], const json_t *key,
                              struct tp_error *e)
{
    jose_cfg_t *cfg = jose_quiet();
    json_t *jwe =
        json_pack("{s:s%,s:s%,s:s%,s:s%}", "protected", part[0].p, part[0].n, "iv", part[2].p,
                  part[2].n, "ciphertext", part[3].p, part[3].n, "tag", part[4].p, part[4].n);
    size_t n = 0;
    char *text = NULL;
    enum tp_err r = TP_OK;

    if (cfg == NULL || jwe == NULL) {
        r = tp_fail(e, TP_ERR_NO_MEMORY, "no memory to open it");
        goto out;
    }
    text = jose_jwe_dec(cfg, jwe, NULL, key, &n);
    if (text == NULL) {
        r = tp_fail(e, TP_ERR_SECURITY, "it is not sealed to this key, or was changed");
        goto out;
    }
    r = jcs_read(out, span_of(text, n), e);
    if (r == TP_OK && !json_is_object(*out)) {
        json_decref(*out);
        *out = NULL;
        r = tp_fail(e, TP_ERR_FORMAT, "what is sealed is no JSON object");
    }
out:
    if (text != NULL)
        secret_wipe(text, n);
    free(text);
    if (cfg != NULL)
        jose_cfg_decref(cfg);
    json_decref(jwe);
    return r;
}

enum tp_err sealed_read(json_t **out, const char *text, const char *type, const json_t *key,
                        struct tp_error *e)
{
    struct span part[PARTS];
    enum tp_err r;

    *out = NULL;
    if (strnlen(text, SEALED_MAX + 1) > SEALED_MAX)
        return tp_fail(e, TP_ERR_RANGE, "%s: more than %d characters", type, SEALED_MAX);
    if (!split(part, text))
        return tp_fail(e, TP_ERR_FORMAT, "%s: no compact JWE of ECDH-ES and A256GCM", type);
    r = check_header(part[0], type, e);
    if (r == TP_OK)
        r = open_parts(out, part, key, e);
    if (r != TP_OK)
        (void)tp_error_prefix(e, "%s", type);
    return r;
}
