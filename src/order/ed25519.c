#include "order/ed25519.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

#include "wire/jcs.h"

#define JWK_MEMBERS 3

static EVP_PKEY *secret_key(const uint8_t secret[ED25519_KEY])
{
    return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, ED25519_KEY);
}

enum tp_err ed25519_public(uint8_t out[ED25519_KEY], const uint8_t secret[ED25519_KEY],
                           struct tp_error *e)
{
    EVP_PKEY *key = secret_key(secret);
    size_t n = ED25519_KEY;
    const bool ok = key != NULL && EVP_PKEY_get_raw_public_key(key, out, &n) == 1;

    EVP_PKEY_free(key);
    ERR_clear_error();
    return ok ? TP_OK : tp_fail(e, TP_ERR_INTERNAL, "OpenSSL makes no key of Ed25519");
}

enum tp_err ed25519_sign(uint8_t out[ED25519_SIGNATURE], struct span text,
                         const uint8_t secret[ED25519_KEY], struct tp_error *e)
{
    EVP_PKEY *key = secret_key(secret);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t n = ED25519_SIGNATURE;
    const bool ok = key != NULL && ctx != NULL &&
                    EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
                    EVP_DigestSign(ctx, out, &n, text.p, text.n) == 1;

    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return ok ? TP_OK : tp_fail(e, TP_ERR_INTERNAL, "OpenSSL cannot sign by Ed25519");
}

enum tp_err ed25519_verify(const uint8_t signature[ED25519_SIGNATURE], struct span text,
                           const uint8_t key[ED25519_KEY], struct tp_error *e)
{
    EVP_PKEY *public = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, ED25519_KEY);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const bool ok = public != NULL && ctx != NULL &&
                    EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, public) == 1 &&
                    EVP_DigestVerify(ctx, signature, ED25519_SIGNATURE, text.p, text.n) == 1;

    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(public);
    ERR_clear_error();
    return ok ? TP_OK : tp_fail(e, TP_ERR_SECURITY, "the signature is wrong");
}

json_t *ed25519_to_jwk(const uint8_t key[ED25519_KEY])
{
    char x[ED25519_TEXT];

    return json_pack("{s:s,s:s,s:s}", "kty", "OKP", "crv", "Ed25519", "x",
                     base64url_encode(x, span_of(key, ED25519_KEY)));
}

enum tp_err ed25519_from_jwk(uint8_t key[ED25519_KEY], const json_t *jwk, struct tp_error *e)
{
    struct buf b = {key, 0, ED25519_KEY};
    const char *kty = json_string_value(json_object_get(jwk, "kty"));
    const char *crv = json_string_value(json_object_get(jwk, "crv"));
    const char *x = json_string_value(json_object_get(jwk, "x"));

    if (json_object_size(jwk) != JWK_MEMBERS || kty == NULL || strcmp(kty, "OKP") != 0 ||
        crv == NULL || strcmp(crv, "Ed25519") != 0 || x == NULL || strlen(x) != ED25519_TEXT - 1 ||
        base64url_decode(&b, span_str(x)) != TP_OK)
        return tp_fail(e, TP_ERR_FORMAT, "its jwk is no public key of Ed25519 and no more");
    return TP_OK;
}

enum tp_err ed25519_thumbprint(char out[ED25519_TEXT], const uint8_t key[ED25519_KEY],
                               struct tp_error *e)
{
    uint8_t hash[32];
    json_t *jwk = ed25519_to_jwk(key);
    const enum tp_err r =
        jwk != NULL ? jcs_hash(hash, jwk, e) : tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a key");

    json_decref(jwk);
    if (r == TP_OK)
        base64url_encode(out, SPAN_OF(hash));
    return r;
}
