#include "payer/keystore.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#define MAGIC      "telepay key "
#define VERSION    "1\n"
#define MAGIC_N    (sizeof(MAGIC) - 1)
#define COST_AT    (MAGIC_N + sizeof(VERSION) - 1)
#define SALT       16
#define NONCE      12
#define TAG        16
#define SALT_AT    (COST_AT + 3)
#define NONCE_AT   (SALT_AT + SALT)
#define ID_AT      (NONCE_AT + NONCE) /* its length, then it */
#define KEY        32
#define MEMORY_MAX (UINT64_C(1) << 30)
#define FREE_TRIES 5
#define PAUSE_MAX  60

enum tp_err keystore_scrypt(uint8_t *out, size_t n, struct span code, struct span salt,
                            struct keystore_cost cost, struct tp_error *e)
{
    uint64_t n_ = UINT64_C(1) << (cost.log_n & 63), memory_max = MEMORY_MAX + (1U << 20);
    uint32_t r_ = cost.r, p_ = cost.p;
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PASSWORD, (void *)(uintptr_t)code.p,
                                          code.n),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)salt.p, salt.n),
        OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n_),
        OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &r_),
        OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &p_),
        OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &memory_max),
        OSSL_PARAM_construct_end()};
    EVP_KDF *kdf;
    EVP_KDF_CTX *ctx;
    enum tp_err r = TP_OK;

    if (cost.log_n < 1 || cost.log_n > 30 || r_ == 0 || p_ == 0 ||
        128 * r_ * (n_ + p_) > MEMORY_MAX)
        return tp_fail(e, TP_ERR_RANGE, "its cost is more than this device takes");
    kdf = EVP_KDF_fetch(NULL, "SCRYPT", NULL);
    ctx = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;
    if (ctx == NULL || EVP_KDF_derive(ctx, out, n, params) != 1)
        r = tp_fail(e, TP_ERR_NO_MEMORY, "scrypt cannot be worked out: is there memory for it?");
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    ERR_clear_error();
    return r;
}

/* ---- form ---- */

struct parts {
    struct span head, salt, nonce, id, body; /* head: all before body */
    struct keystore_cost cost;
};

bool keystore_is(struct span file)
{
    return file.n >= MAGIC_N && memcmp(file.p, MAGIC, MAGIC_N) == 0;
}

static enum tp_err split(struct parts *out, struct span file, const char *path, struct tp_error *e)
{
    size_t id_n = 0;

    if (!keystore_is(file))
        return tp_fail(e, TP_ERR_FORMAT, "%s is no enciphered key of telepay", path);
    if (file.n >= COST_AT && memcmp(file.p + MAGIC_N, VERSION, sizeof(VERSION) - 1) != 0)
        return tp_fail(e, TP_ERR_FORMAT,
                       "the key %s is of a newer version, or damaged: this telepay reads version 1",
                       path);
    if (file.n > ID_AT)
        id_n = file.p[ID_AT];
    if (file.n <= ID_AT + 1 + id_n + TAG || file.n > KEYSTORE_MAX)
        return tp_fail(e, TP_ERR_FORMAT, "the key %s is cut off: bring back a whole one", path);
    if (id_n == 0 || id_n >= KEYSTORE_ID || memchr(file.p + ID_AT + 1, 0, id_n) != NULL)
        return tp_fail(e, TP_ERR_FORMAT, "the key %s is damaged: it is nobody's", path);
    *out = (struct parts){.head = span_of(file.p, ID_AT + 1 + id_n),
                          .salt = span_of(file.p + SALT_AT, SALT),
                          .nonce = span_of(file.p + NONCE_AT, NONCE),
                          .id = span_of(file.p + ID_AT + 1, id_n),
                          .body = span_of(file.p + ID_AT + 1 + id_n, file.n - ID_AT - 1 - id_n),
                          .cost = {file.p[COST_AT], file.p[COST_AT + 1], file.p[COST_AT + 2]}};
    return TP_OK;
}

enum tp_err keystore_whose(char id[KEYSTORE_ID], struct span file, const char *path,
                           struct tp_error *e)
{
    struct parts parts = {0};
    const enum tp_err r = split(&parts, file, path, e);

    if (r != TP_OK)
        return r;
    snprintf(id, KEYSTORE_ID, "%.*s", (int)parts.id.n, (const char *)parts.id.p);
    return TP_OK;
}

/* ---- in, out ---- */

/* AES-256-GCM over the body, in place of nothing: out has its length. */
static bool encipher(uint8_t *out, uint8_t tag[TAG], const uint8_t *key, const struct parts *parts)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n = 0;
    const bool done = ctx != NULL &&
                      EVP_EncryptInit_ex2(ctx, EVP_aes_256_gcm(), key, parts->nonce.p, NULL) == 1 &&
                      EVP_EncryptUpdate(ctx, NULL, &n, parts->head.p, (int)parts->head.n) == 1 &&
                      EVP_EncryptUpdate(ctx, out, &n, parts->body.p, (int)parts->body.n) == 1 &&
                      EVP_EncryptFinal_ex(ctx, out + n, &n) == 1 &&
                      EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG, tag) == 1;

    EVP_CIPHER_CTX_free(ctx);
    return done;
}

static bool decipher(uint8_t *out, const uint8_t *key, const struct parts *parts)
{
    const size_t body_n = parts->body.n - TAG;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n = 0;
    const bool done = ctx != NULL &&
                      EVP_DecryptInit_ex2(ctx, EVP_aes_256_gcm(), key, parts->nonce.p, NULL) == 1 &&
                      EVP_DecryptUpdate(ctx, NULL, &n, parts->head.p, (int)parts->head.n) == 1 &&
                      EVP_DecryptUpdate(ctx, out, &n, parts->body.p, (int)body_n) == 1 &&
                      EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG,
                                          (void *)(uintptr_t)(parts->body.p + body_n)) == 1 &&
                      EVP_DecryptFinal_ex(ctx, out + n, &n) == 1;
    EVP_CIPHER_CTX_free(ctx);
    ERR_clear_error();
    return done;
}

enum tp_err keystore_close(struct buf *out, struct span key, const char *id, struct span code,
                           struct keystore_cost cost, struct tp_error *e)
{
    const struct span name = span_str(id);
    const size_t head_n = ID_AT + 1 + name.n;
    struct secret own = {0};
    struct parts parts;
    uint8_t *head = out->p + out->n;
    enum tp_err r;

    if (name.n == 0 || name.n >= KEYSTORE_ID || head_n + key.n + TAG > KEYSTORE_MAX ||
        out->cap - out->n < head_n + key.n + TAG)
        return tp_fail(e, TP_ERR_RANGE, "the key or the name of its user is too long");
    memcpy(head, MAGIC VERSION, COST_AT);
    head[COST_AT] = cost.log_n;
    head[COST_AT + 1] = cost.r;
    head[COST_AT + 2] = cost.p;
    head[ID_AT] = (uint8_t)name.n;
    memcpy(head + ID_AT + 1, name.p, name.n);
    if (RAND_bytes(head + SALT_AT, SALT + NONCE) != 1)
        return tp_fail(e, TP_ERR_INTERNAL, "there are no random numbers");
    parts = (struct parts){
        .head = span_of(head, head_n), .nonce = span_of(head + NONCE_AT, NONCE), .body = key};
    r = secret_alloc(&own, KEY);
    if (r == TP_OK)
        r = keystore_scrypt(own.p, KEY, code, span_of(head + SALT_AT, SALT), cost, e);
    if (r == TP_OK && !encipher(head + head_n, head + head_n + key.n, own.p, &parts))
        r = tp_fail(e, TP_ERR_INTERNAL, "OpenSSL cannot encipher a key");
    if (r == TP_OK)
        out->n += head_n + key.n + TAG;
    secret_free(&own);
    return r;
}

enum tp_err keystore_open(struct secret *key, struct span file, const char *id, struct span code,
                          const char *path, struct tp_error *e)
{
    struct secret own = {0};
    struct parts parts = {0};
    enum tp_err r = split(&parts, file, path, e);

    if (r == TP_OK && !span_eq(parts.id, span_str(id)))
        r = tp_fail(e, TP_ERR_FORMAT, "the key %s is of the user %.*s, not of %s", path,
                    (int)parts.id.n, (const char *)parts.id.p, id);
    if (r == TP_OK)
        r = secret_alloc(&own, KEY);
    if (r == TP_OK && keystore_scrypt(own.p, KEY, code, parts.salt, parts.cost, e) != TP_OK)
        r = tp_error_prefix(e, "the key %s", path);
    if (r == TP_OK)
        r = secret_alloc(key, parts.body.n - TAG);
    if (r == TP_OK && !decipher(key->p, own.p, &parts)) {
        secret_free(key);
        r = tp_fail(e, TP_ERR_SECURITY, "the code is wrong, or the key %s was altered", path);
    }
    secret_free(&own);
    return r;
}

unsigned keystore_pause(unsigned wrong)
{
    if (wrong < FREE_TRIES)
        return 0;
    return wrong - FREE_TRIES < 6 ? 1U << (wrong - FREE_TRIES) : PAUSE_MAX;
}
