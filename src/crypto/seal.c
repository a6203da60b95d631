#include "crypto/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

#define NONCE    12
#define TAG      16
#define KEY      32
#define MAGIC    "telepay seal 1\n" /* then both keys */
#define MAGIC_N  (sizeof(MAGIC) - 1)
#define FILE_LEN (MAGIC_N + 2 * KEY)
#define NONCES   64 /* drawn at a time: a draw costs more than the sealing */

struct seal {
    EVP_CIPHER_CTX *encipher, *decipher; /* keyed: a call gives them its nonce only */
    EVP_MAC_CTX *mac;                    /* keyed too */
    uint8_t nonces[NONCES][NONCE];
    unsigned nonces_left;
};

enum tp_err seal_key_file_make(const char *path, struct tp_error *e)
{
    struct secret content;
    struct stat st;
    enum tp_err r = TP_OK;

    if (lstat(path, &st) == 0 || errno != ENOENT)
        return tp_fail(e, TP_ERR_EXISTS,
                       "%s is there already: the card numbers sealed with it would be lost", path);
    if (secret_alloc(&content, FILE_LEN) != TP_OK)
        return tp_fail(e, TP_ERR_NO_MEMORY, "cannot make the key file %s: out of memory", path);
    memcpy(content.p, MAGIC, MAGIC_N);
    if (RAND_priv_bytes(content.p + MAGIC_N, 2 * KEY) != 1)
        r = tp_fail(e, TP_ERR_INTERNAL, "cannot make the key file %s: no random numbers", path);
    else
        r = file_replace(path, secret_span(&content), 0600, e);
    secret_free(&content);
    return r;
}

static EVP_MAC_CTX *start_hmac(const uint8_t key[KEY])
{
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                 OSSL_PARAM_construct_end()};
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *ctx = hmac != NULL ? EVP_MAC_CTX_new(hmac) : NULL;

    EVP_MAC_free(hmac);
    if (ctx != NULL && EVP_MAC_init(ctx, key, KEY, params) != 1) {
        EVP_MAC_CTX_free(ctx);
        ctx = NULL;
    }
    return ctx;
}

static enum tp_err start(struct seal *s, const uint8_t *keys)
{
    EVP_CIPHER *gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    enum tp_err r = TP_ERR_INTERNAL;

    s->encipher = EVP_CIPHER_CTX_new();
    s->decipher = EVP_CIPHER_CTX_new();
    s->mac = start_hmac(keys + KEY);
    if (gcm == NULL || s->encipher == NULL || s->decipher == NULL || s->mac == NULL)
        goto out;
    if (EVP_EncryptInit_ex2(s->encipher, gcm, keys, NULL, NULL) != 1 ||
        EVP_DecryptInit_ex2(s->decipher, gcm, keys, NULL, NULL) != 1)
        goto out;
    r = TP_OK;
out:
    EVP_CIPHER_free(gcm);
    ERR_clear_error();
    return r;
}

/* The whole file into locked memory, of which it must fill all but the last byte. */
static enum tp_err read_key_file(struct secret *content, const char *path, struct tp_error *e)
{
    size_t have = 0;
    ssize_t got = 1;
    int fd;
    enum tp_err r = file_check_private(path, e);

    if (r != TP_OK)
        return r;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return tp_fail(e, TP_ERR_IO, "cannot read the key file %s: %s", path, strerror(errno));
    if (secret_alloc(content, FILE_LEN + 1) != TP_OK) {
        r = tp_fail(e, TP_ERR_NO_MEMORY, "cannot read the key file %s: out of memory", path);
        goto out;
    }
    while (got > 0 && have <= FILE_LEN) {
        got = read(fd, content->p + have, FILE_LEN + 1 - have);
        if (got > 0)
            have += (size_t)got;
        else if (got < 0 && errno == EINTR)
            got = 1;
    }
    if (got < 0)
        r = tp_fail(e, TP_ERR_IO, "cannot read the key file %s: %s", path, strerror(errno));
    else if (have != FILE_LEN || memcmp(content->p, MAGIC, MAGIC_N) != 0)
        r = tp_fail(e, TP_ERR_FORMAT, "%s is no key file of telepay", path);
out:
    close(fd);
    return r;
}

enum tp_err seal_open_file(struct seal **out, const char *path, struct tp_error *e)
{
    struct secret content = {NULL, 0};
    struct seal *s = NULL;
    enum tp_err r = read_key_file(&content, path, e);

    *out = NULL;
    if (r != TP_OK)
        goto out;
    s = calloc(1, sizeof(*s));
    r = s == NULL ? TP_ERR_NO_MEMORY : start(s, content.p + MAGIC_N);
    if (r != TP_OK) {
        r = tp_fail(e, r, "cannot use the key file %s: %s", path, tp_err_text(r));
        seal_free(&s);
    }
    *out = s;
out:
    secret_free(&content);
    return r;
}

enum tp_err seal_open_dir(struct seal **out, const char *dir, struct tp_error *e)
{
    char path[PATH_MAX];
    const enum tp_err r = file_join(path, sizeof(path), dir, "seal.key", e);

    *out = NULL;
    return r == TP_OK ? seal_open_file(out, path, e) : r;
}

void seal_free(struct seal **s)
{
    if (*s == NULL)
        return;
    EVP_CIPHER_CTX_free((*s)->encipher);
    EVP_CIPHER_CTX_free((*s)->decipher);
    EVP_MAC_CTX_free((*s)->mac);
    free(*s);
    *s = NULL;
}

/* Each is used once. */
static const uint8_t *next_nonce(struct seal *s)
{
    if (s->nonces_left == 0) {
        if (RAND_bytes(s->nonces[0], sizeof(s->nonces)) != 1)
            return NULL;
        s->nonces_left = NONCES;
    }
    return s->nonces[--s->nonces_left];
}

/* Random nonces: under one key good for 2^32 values (NIST SP 800-38D, 8.3), four thousand million
 * payments. */
enum tp_err seal_close(struct seal *s, struct buf *out, struct span plain, struct span context)
{
    uint8_t *body = out->p + out->n + NONCE;
    const uint8_t *nonce;
    int n = 0, last = 0;

    if (plain.n > INT32_MAX || context.n > INT32_MAX || out->cap - out->n < plain.n + SEAL_OVERHEAD)
        return TP_ERR_RANGE;
    nonce = next_nonce(s);
    if (nonce == NULL || EVP_EncryptInit_ex2(s->encipher, NULL, NULL, nonce, NULL) != 1)
        return TP_ERR_INTERNAL;
    memcpy(out->p + out->n, nonce, NONCE);
    if (context.n > 0 && EVP_EncryptUpdate(s->encipher, NULL, &n, context.p, (int)context.n) != 1)
        return TP_ERR_INTERNAL;
    n = 0;
    if (plain.n > 0 && EVP_EncryptUpdate(s->encipher, body, &n, plain.p, (int)plain.n) != 1)
        return TP_ERR_INTERNAL;
    if (EVP_EncryptFinal_ex(s->encipher, body + n, &last) != 1 || (size_t)(n + last) != plain.n)
        return TP_ERR_INTERNAL;
    if (EVP_CIPHER_CTX_ctrl(s->encipher, EVP_CTRL_AEAD_GET_TAG, TAG, body + plain.n) != 1)
        return TP_ERR_INTERNAL;
    out->n += plain.n + SEAL_OVERHEAD;
    return TP_OK;
}

enum tp_err seal_open(struct seal *s, struct buf *out, struct span sealed, struct span context)
{
    uint8_t *to = out->p + out->n, tag[TAG];
    const size_t plain_n = sealed.n >= SEAL_OVERHEAD ? sealed.n - SEAL_OVERHEAD : 0;
    int n = 0, last = 0;
    bool ok = false;

    if (sealed.n < SEAL_OVERHEAD)
        return TP_ERR_SECURITY;
    if (sealed.n > INT32_MAX || context.n > INT32_MAX || out->cap - out->n < plain_n)
        return TP_ERR_RANGE;
    memcpy(tag, sealed.p + NONCE + plain_n, TAG);
    if (EVP_DecryptInit_ex2(s->decipher, NULL, NULL, sealed.p, NULL) != 1 ||
        EVP_CIPHER_CTX_ctrl(s->decipher, EVP_CTRL_AEAD_SET_TAG, TAG, tag) != 1)
        return TP_ERR_INTERNAL;
    if (context.n > 0 && EVP_DecryptUpdate(s->decipher, NULL, &n, context.p, (int)context.n) != 1)
        return TP_ERR_INTERNAL;
    n = 0;
    if (plain_n > 0 && EVP_DecryptUpdate(s->decipher, to, &n, sealed.p + NONCE, (int)plain_n) != 1)
        return TP_ERR_INTERNAL;
    ok = EVP_DecryptFinal_ex(s->decipher, to + n, &last) == 1;
    if (!ok) {
        secret_wipe(to, plain_n); /* nothing unauthenticated leaves */
        ERR_clear_error();
        return TP_ERR_SECURITY;
    }
    out->n += plain_n;
    return TP_OK;
}

enum tp_err seal_lookup(struct seal *s, uint8_t out[SEAL_LOOKUP], struct span plain)
{
    size_t n = 0;

    /* without a key, init starts anew under the one it has (EVP_MAC(3)) */
    if (EVP_MAC_init(s->mac, NULL, 0, NULL) != 1 || EVP_MAC_update(s->mac, plain.p, plain.n) != 1)
        return TP_ERR_INTERNAL;
    return EVP_MAC_final(s->mac, out, &n, SEAL_LOOKUP) == 1 && n == SEAL_LOOKUP ? TP_OK
                                                                                : TP_ERR_INTERNAL;
}
