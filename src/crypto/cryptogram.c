#include "crypto/cryptogram.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

#define BLOCK      8
#define MAC_STREAM 256 /* bytes enciphered at a time */

/* Single DES stands in OpenSSL's legacy provider; triple DES with both halves alike is the same function and in the default one. */
#define CIPHER_BLOCK "DES-EDE-ECB"
#define CIPHER_CHAIN "DES-EDE-CBC"

static EVP_CIPHER_CTX *start(const char *cipher_name, const uint8_t key[EMV_KEY_SIZE])
{
    static const uint8_t iv[BLOCK] = {0};
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, cipher_name, NULL);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    const bool has_iv = cipher != NULL && EVP_CIPHER_get_iv_length(cipher) > 0;

    if (cipher == NULL || ctx == NULL || EVP_EncryptInit_ex2(ctx, cipher, key, has_iv ? iv : NULL, NULL) != 1 ||
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

    return EVP_EncryptUpdate(ctx, out, &written, in, (int)n) == 1 && written == (int)n ? TP_OK : TP_ERR_INTERNAL;
}

enum tp_err emv_des_encipher(uint8_t out[BLOCK], struct span key, const uint8_t in[BLOCK])
{
    EVP_CIPHER_CTX *ctx = NULL;
    enum tp_err r = TP_ERR_INTERNAL;

    if (key.n != EMV_KEY_SIZE)
        return TP_ERR_RANGE;
    ctx = start(CIPHER_BLOCK, key.p);
    if (ctx != NULL)
        r = run(ctx, out, in, BLOCK);
    EVP_CIPHER_CTX_free(ctx);
    return r;
}

/* Each byte gets an odd number of ones; the last bit is the parity. */
static void set_odd_parity(struct secret *key)
{
    for (size_t i = 0; i < key->n; i++)
        if (__builtin_parity(key->p[i]) == 0)
            key->p[i] ^= 1;
}

/* A key of two enciphered blocks. */
static enum tp_err derive(struct secret *out, struct span key, const uint8_t left[BLOCK], const uint8_t right[BLOCK])
{
    enum tp_err r = TP_ERR_RANGE;

    *out = (struct secret){NULL, 0};
    if (key.n != EMV_KEY_SIZE)
        return r;
    r = secret_alloc(out, EMV_KEY_SIZE);
    if (r == TP_OK)
        r = emv_des_encipher(out->p, key, left);
    if (r == TP_OK)
        r = emv_des_encipher(out->p + BLOCK, key, right);
    if (r != TP_OK)
        secret_free(out);
    else
        set_odd_parity(out);
    return r;
}

enum tp_err emv_master_key_derive(struct secret *icc_key, struct span issuer_key, const char *pan, uint8_t psn)
{
    uint8_t left[BLOCK] = {0}, right[BLOCK];
    const size_t digits = strlen(pan);

    *icc_key = (struct secret){NULL, 0};
    if (psn >> 4 > 9 || (psn & 0x0F) > 9)
        return TP_ERR_FORMAT;
    left[BLOCK - 1] = psn;
    /* from the right: two digits of PSN, then those of the PAN that have room */
    for (size_t i = 0; i < digits; i++) {
        const char c = pan[digits - 1 - i];

        if (c < '0' || c > '9')
            return TP_ERR_FORMAT;
        if (i < 2 * (BLOCK - 1))
            left[BLOCK - 2 - i / 2] |= (uint8_t)((c - '0') << (i % 2 == 0 ? 0 : 4));
    }
    for (size_t i = 0; i < BLOCK; i++)
        right[i] = left[i] ^ 0xFF;
    return derive(icc_key, issuer_key, left, right);
}

enum tp_err emv_session_key_derive(struct secret *session, struct span icc_key, const uint8_t atc[2])
{
    const uint8_t left[BLOCK] = {atc[0], atc[1], 0xF0}, right[BLOCK] = {atc[0], atc[1], 0x0F};

    return derive(session, icc_key, left, right);
}

/* The chaining of all but the last block, under the left half of the key alone; chain is zeros at first. */
static enum tp_err chain_blocks(uint8_t chain[BLOCK], const uint8_t *left_key, struct span data)
{
    uint8_t twice[EMV_KEY_SIZE], out[MAC_STREAM];
    EVP_CIPHER_CTX *ctx = NULL;
    enum tp_err r = TP_ERR_INTERNAL;

    memcpy(twice, left_key, BLOCK);
    memcpy(twice + BLOCK, left_key, BLOCK);
    ctx = start(CIPHER_CHAIN, twice);
    if (ctx == NULL)
        goto out;
    for (size_t at = 0; at < data.n;) {
        const size_t n = data.n - at < MAC_STREAM ? data.n - at : MAC_STREAM;

        if (run(ctx, out, data.p + at, n) != TP_OK)
            goto out;
        memcpy(chain, out + n - BLOCK, BLOCK);
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
static enum tp_err mac(uint8_t out[BLOCK], struct span key, struct span head, const uint8_t last[BLOCK])
{
    uint8_t chain[BLOCK] = {0};
    enum tp_err r = TP_ERR_RANGE;

    if (key.n != EMV_KEY_SIZE)
        return r;
    r = chain_blocks(chain, key.p, head);
    if (r != TP_OK)
        return r;
    for (size_t i = 0; i < BLOCK; i++)
        chain[i] ^= last[i];
    r = emv_des_encipher(out, key, chain); /* E(left), D(right), E(left): the output transformation of algorithm 3 */
    secret_wipe(chain, sizeof(chain));
    return r;
}

enum tp_err emv_mac_padded(uint8_t out[BLOCK], struct span key, struct span data)
{
    if (data.n == 0 || data.n % BLOCK != 0)
        return TP_ERR_RANGE;
    return mac(out, key, span_of(data.p, data.n - BLOCK), data.p + data.n - BLOCK);
}

enum tp_err emv_mac(uint8_t out[BLOCK], struct span key, struct span data)
{
    const size_t whole = data.n - data.n % BLOCK;
    uint8_t last[BLOCK] = {0};

    if (data.n > whole)
        memcpy(last, data.p + whole, data.n - whole);
    last[data.n - whole] = 0x80;
    return mac(out, key, span_of(data.p, whole), last);
}
