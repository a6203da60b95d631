#include "crypto/ode.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "crypto/cipher.h"

#define MESSAGE_MAX 64
#define Z_MAX       80 /* P-521: 640 bits, five blocks; P-256: two */

/* KDK: the CMAC over Z, which is as many whole blocks as its curve needs (steps c to f). */
static enum tp_err make_kdk(struct secret *kdk, const struct secret *z)
{
    static const uint8_t zeros[EMV_KEY_SIZE] = {0};
    const size_t n = z->n <= 2 * EMV_BLOCK_MAX ? 2 * EMV_BLOCK_MAX : Z_MAX;
    struct secret padded = {NULL, 0};
    enum tp_err r = secret_alloc(&padded, n);

    if (r == TP_OK)
        r = secret_alloc(kdk, EMV_KEY_SIZE);
    if (r == TP_OK) {
        memset(padded.p, 0, n - z->n);
        memcpy(padded.p + n - z->n, z->p, z->n);
        r = emv_cmac(kdk->p, SPAN_OF(zeros), secret_span(&padded));
    }
    secret_free(&padded);
    return r;
}

/* Step g: K1 and K2 of the four that it has. */
static enum tp_err make_keys(struct ode *o, const struct secret *kdk, const uint8_t un[ODE_UN])
{
    uint8_t block[EMV_BLOCK_MAX] = {0, 0x01, 0x00, [11] = 0xA5, 0xA5, 0xA5, 0x02, 0x00};
    enum tp_err r = secret_alloc(&o->keys, 2 * EMV_KEY_SIZE);

    memcpy(block + 3, un, ODE_UN);
    for (uint8_t i = 0; r == TP_OK && i < 2; i++) {
        block[0] = (uint8_t)(i + 1);
        r = emv_block_encipher(o->keys.p + i * EMV_KEY_SIZE, EMV_AES, secret_span(kdk), block);
    }
    return r;
}

enum tp_err ode_agree(struct ode *o, const struct ec_privkey *own, const struct ec_pubkey *other,
                      const uint8_t un[ODE_UN])
{
    struct secret z = {NULL, 0}, kdk = {NULL, 0};
    enum tp_err r;

    *o = (struct ode){{NULL, 0}, 0};
    r = ec_agree(&z, own, other);
    if (r == TP_OK)
        r = make_kdk(&kdk, &z);
    if (r == TP_OK)
        r = make_keys(o, &kdk, un);
    secret_free(&kdk);
    secret_free(&z);
    if (r != TP_OK)
        ode_end(o);
    return r;
}

void ode_end(struct ode *o)
{
    secret_free(&o->keys);
    o->count = 0;
}

static void start_value(uint8_t sv[EMV_BLOCK_MAX], const struct ode *o)
{
    memset(sv, 0, EMV_BLOCK_MAX);
    sv[0] = (uint8_t)(o->count >> 8);
    sv[1] = (uint8_t)o->count;
}

/* The counter mode is the same in both directions. */
static enum tp_err apply_counter(uint8_t *out, const struct ode *o, struct span in)
{
    uint8_t sv[EMV_BLOCK_MAX];
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n = 0;

    start_value(sv, o);
    const bool done = ctx != NULL &&
                      EVP_EncryptInit_ex(ctx, EVP_aes_128_ctr(), NULL, o->keys.p, sv) == 1 &&
                      EVP_EncryptUpdate(ctx, out, &n, in.p, (int)in.n) == 1 && (size_t)n == in.n;

    EVP_CIPHER_CTX_free(ctx);
    return done ? TP_OK : TP_ERR_INTERNAL;
}

/* Over the length of no additional data, the start value and what is enciphered. */
static enum tp_err make_mac(uint8_t mac[ODE_MAC], const struct ode *o, struct span enciphered)
{
    uint8_t raw[8 + EMV_BLOCK_MAX + MESSAGE_MAX] = {0};
    struct buf all = {raw, 8 + EMV_BLOCK_MAX, sizeof(raw)};
    enum tp_err r;

    start_value(raw + 8, o);
    r = buf_put(&all, enciphered);
    return r == TP_OK
               ? emv_cipher_mac(mac, EMV_AES, span_of(o->keys.p + EMV_KEY_SIZE, EMV_KEY_SIZE),
                                buf_span(&all))
               : r;
}

enum tp_err ode_encipher(struct buf *out, struct ode *o, struct span message)
{
    uint8_t raw[MESSAGE_MAX], mac[ODE_MAC];
    enum tp_err r = TP_ERR_RANGE;

    if (o->count == UINT16_MAX || message.n > sizeof(raw) ||
        out->cap - out->n < message.n + sizeof(mac))
        return r;
    r = apply_counter(raw, o, message);
    if (r == TP_OK)
        r = make_mac(mac, o, span_of(raw, message.n));
    if (r == TP_OK)
        r = buf_put(out, span_of(raw, message.n));
    if (r == TP_OK)
        r = buf_put(out, SPAN_OF(mac));
    if (r == TP_OK)
        o->count++;
    return r;
}

enum tp_err ode_decipher(struct secret *message, struct ode *o, struct span c)
{
    uint8_t mac[ODE_MAC];
    struct span enciphered;
    enum tp_err r;

    *message = (struct secret){NULL, 0};
    if (o->count == UINT16_MAX || c.n <= ODE_MAC || c.n > MESSAGE_MAX + ODE_MAC)
        return TP_ERR_SECURITY;
    enciphered = span_of(c.p, c.n - ODE_MAC);
    r = make_mac(mac, o, enciphered);
    if (r == TP_OK && CRYPTO_memcmp(mac, c.p + enciphered.n, ODE_MAC) != 0)
        r = TP_ERR_SECURITY;
    if (r == TP_OK)
        r = secret_alloc(message, enciphered.n);
    if (r == TP_OK)
        r = apply_counter(message->p, o, enciphered);
    if (r == TP_OK)
        o->count++;
    else
        secret_free(message);
    return r;
}
