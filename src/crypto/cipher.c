#include "crypto/cipher.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdio.h>
#include <string.h>

#define DES_BLOCK  8
#define MAC_STREAM 256 /* bytes enciphered at a time */

/* Single DES stands in OpenSSL's legacy provider; triple DES with both halves alike is the same
 * function and in the default one. */
static const struct {
    size_t block;
    size_t keys;            /* sizes of key, from 16 bytes in steps of 8 */
    const char *name[3][2]; /* by size of key and mode */
} ciphers[] = {[EMV_TDES] = {DES_BLOCK, 1, {{"DES-EDE-ECB", "DES-EDE-CBC"}}},
               [EMV_AES] = {16,
                            3,
                            {{"AES-128-ECB", "AES-128-CBC"},
                             {"AES-192-ECB", "AES-192-CBC"},
                             {"AES-256-ECB", "AES-256-CBC"}}}};

size_t emv_cipher_block(enum emv_cipher c)
{
    return ciphers[c].block;
}

bool emv_cipher_key(enum emv_cipher c, size_t n)
{
    return n >= EMV_KEY_SIZE && n % 8 == 0 && (n - EMV_KEY_SIZE) / 8 < ciphers[c].keys;
}

/* key is of a size that emv_cipher_key takes. */
static EVP_CIPHER_CTX *start(enum emv_cipher c, enum emv_mode mode, struct span key, int encipher)
{
    static const uint8_t iv[EMV_BLOCK_MAX] = {0};
    EVP_CIPHER *cipher =
        EVP_CIPHER_fetch(NULL, ciphers[c].name[(key.n - EMV_KEY_SIZE) / 8][mode], NULL);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

    if (cipher == NULL || ctx == NULL ||
        EVP_CipherInit_ex2(ctx, cipher, key.p, mode == EMV_CBC ? iv : NULL, encipher, NULL) != 1 ||
        EVP_CIPHER_CTX_set_padding(ctx, 0) != 1) {
        EVP_CIPHER_CTX_free(ctx);
        ctx = NULL;
        ERR_clear_error();
    }
    EVP_CIPHER_free(cipher);
    return ctx;
}

static enum tp_err run(EVP_CIPHER_CTX *ctx, uint8_t *out, const uint8_t *in, size_t n)
{
    int written = 0;

    return EVP_CipherUpdate(ctx, out, &written, in, (int)n) == 1 && written == (int)n
               ? TP_OK
               : TP_ERR_INTERNAL;
}

static enum tp_err whole(uint8_t *out, enum emv_cipher c, enum emv_mode mode, struct span key,
                         struct span in, int encipher)
{
    EVP_CIPHER_CTX *ctx = NULL;
    enum tp_err r = TP_ERR_INTERNAL;

    if (!emv_cipher_key(c, key.n) || in.n == 0 || in.n % ciphers[c].block != 0 || in.n > INT32_MAX)
        return TP_ERR_RANGE;
    ctx = start(c, mode, key, encipher);
    if (ctx != NULL)
        r = run(ctx, out, in.p, in.n);
    EVP_CIPHER_CTX_free(ctx);
    return r;
}

enum tp_err emv_encipher(uint8_t *out, enum emv_cipher c, enum emv_mode mode, struct span key,
                         struct span in)
{
    return whole(out, c, mode, key, in, 1);
}

enum tp_err emv_decipher(uint8_t *out, enum emv_cipher c, enum emv_mode mode, struct span key,
                         struct span in)
{
    return whole(out, c, mode, key, in, 0);
}

enum tp_err emv_block_encipher(uint8_t *out, enum emv_cipher c, struct span key, const uint8_t *in)
{
    return whole(out, c, EMV_ECB, key, span_of(in, ciphers[c].block), 1);
}

enum tp_err emv_des_encipher(uint8_t out[DES_BLOCK], struct span key, const uint8_t in[DES_BLOCK])
{
    return emv_block_encipher(out, EMV_TDES, key, in);
}

/* ---- ISO/IEC 9797-1, algorithm 3 ---- */

/* The chaining of all but the last block, under the left half of the key alone; chain is zeros at
 * first. */
static enum tp_err chain_blocks(uint8_t chain[DES_BLOCK], const uint8_t *left_key, struct span data)
{
    uint8_t twice[EMV_KEY_SIZE], out[MAC_STREAM];
    EVP_CIPHER_CTX *ctx = NULL;
    enum tp_err r = TP_ERR_INTERNAL;

    memcpy(twice, left_key, DES_BLOCK);
    memcpy(twice + DES_BLOCK, left_key, DES_BLOCK);
    ctx = start(EMV_TDES, EMV_CBC, SPAN_OF(twice), 1);
    if (ctx == NULL)
        goto out;
    for (size_t at = 0; at < data.n;) {
        const size_t n = data.n - at < MAC_STREAM ? data.n - at : MAC_STREAM;

        if (run(ctx, out, data.p + at, n) != TP_OK)
            goto out;
        memcpy(chain, out + n - DES_BLOCK, DES_BLOCK);
        at += n;
    }
    r = TP_OK;
out:
    EVP_CIPHER_CTX_free(ctx);
    secret_wipe(twice, sizeof(twice));
    secret_wipe(out, sizeof(out));
    return r;
}

/* head is whole blocks; last is the block after them. */
static enum tp_err mac(uint8_t out[DES_BLOCK], struct span key, struct span head,
                       const uint8_t last[DES_BLOCK])
{
    uint8_t chain[DES_BLOCK] = {0};
    enum tp_err r = TP_ERR_RANGE;

    if (key.n != EMV_KEY_SIZE)
        return r;
    r = chain_blocks(chain, key.p, head);
    if (r != TP_OK)
        return r;
    for (size_t i = 0; i < DES_BLOCK; i++)
        chain[i] ^= last[i];
    r = emv_des_encipher(
        out, key, chain); /* E(left), D(right), E(left): the output transformation of algorithm 3 */
    secret_wipe(chain, sizeof(chain));
    return r;
}

enum tp_err emv_mac_padded(uint8_t out[DES_BLOCK], struct span key, struct span data)
{
    if (data.n == 0 || data.n % DES_BLOCK != 0)
        return TP_ERR_RANGE;
    return mac(out, key, span_of(data.p, data.n - DES_BLOCK), data.p + data.n - DES_BLOCK);
}

enum tp_err emv_mac(uint8_t out[DES_BLOCK], struct span key, struct span data)
{
    const size_t whole_blocks = data.n - data.n % DES_BLOCK;
    uint8_t last[DES_BLOCK] = {0};

    if (data.n > whole_blocks)
        memcpy(last, data.p + whole_blocks, data.n - whole_blocks);
    last[data.n - whole_blocks] = 0x80;
    return mac(out, key, span_of(data.p, whole_blocks), last);
}

/* ---- CMAC ---- */

enum tp_err emv_cmac(uint8_t out[EMV_BLOCK_MAX], struct span key, struct span data)
{
    char cipher[] = "AES-128-CBC"; /* or as long a name */
    EVP_MAC *algorithm = NULL;
    EVP_MAC_CTX *ctx = NULL;
    size_t n = 0;
    bool ok = false;

    if (!emv_cipher_key(EMV_AES, key.n))
        return TP_ERR_RANGE;
    snprintf(cipher, sizeof(cipher), "%s",
             ciphers[EMV_AES].name[(key.n - EMV_KEY_SIZE) / 8][EMV_CBC]);
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, cipher, 0),
                                 OSSL_PARAM_construct_end()};

    algorithm = EVP_MAC_fetch(NULL, "CMAC", NULL);
    ctx = algorithm != NULL ? EVP_MAC_CTX_new(algorithm) : NULL;
    ok = ctx != NULL && EVP_MAC_init(ctx, key.p, key.n, params) == 1 &&
         (data.n == 0 || EVP_MAC_update(ctx, data.p, data.n) == 1) &&
         EVP_MAC_final(ctx, out, &n, EMV_BLOCK_MAX) == 1 && n == EMV_BLOCK_MAX;
    EVP_MAC_CTX_free(ctx);
    EVP_MAC_free(algorithm);
    if (!ok)
        ERR_clear_error();
    return ok ? TP_OK : TP_ERR_INTERNAL;
}

enum tp_err emv_cipher_mac(uint8_t out[8], enum emv_cipher c, struct span key, struct span data)
{
    uint8_t all[EMV_BLOCK_MAX];
    enum tp_err r;

    if (c == EMV_TDES)
        return emv_mac(out, key, data);
    r = emv_cmac(all, key, data);
    if (r == TP_OK)
        memcpy(out, all, 8);
    secret_wipe(all, sizeof(all));
    return r;
}
