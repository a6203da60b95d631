#include "issuer_double.h"

#include <openssl/evp.h>
#include <stdio.h>

#define BLOCK_MAX 16

static bool aes(const struct double_issuer *d)
{
    return d->kind == DOUBLE_CCD_AES;
}

static bool ccd(const struct double_issuer *d)
{
    return d->kind >= DOUBLE_CCD_3DES;
}

static size_t block(const struct double_issuer *d)
{
    return aes(d) ? 16 : 8;
}

/* ---- the bare ciphers ---- */

static void one_block(const char *name, uint8_t *out, const uint8_t key[16], const uint8_t *in,
                      size_t n, int encrypt)
{
    uint8_t raw[2 * BLOCK_MAX];
    int got = 0;
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, name, NULL);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

    ck_assert_int_eq(EVP_CipherInit_ex2(ctx, cipher, key, NULL, encrypt, NULL), 1);
    ck_assert_int_eq(EVP_CIPHER_CTX_set_padding(ctx, 0), 1);
    ck_assert_int_eq(EVP_CipherUpdate(ctx, raw, &got, in, (int)n), 1);
    ck_assert_int_eq(got, (int)n);
    memcpy(out, raw, n);
    EVP_CIPHER_CTX_free(ctx);
    EVP_CIPHER_free(cipher);
}

static void encipher(const struct double_issuer *d, uint8_t *out, const uint8_t key[16],
                     const uint8_t *in)
{
    one_block(aes(d) ? "AES-128-ECB" : "DES-EDE-ECB", out, key, in, block(d), 1);
}

/* Single DES: both halves alike. */
static void des(uint8_t *out, const uint8_t half[8], const uint8_t *in, int encrypt)
{
    uint8_t twice[16];

    memcpy(twice, half, 8);
    memcpy(twice + 8, half, 8);
    one_block("DES-EDE-ECB", out, twice, in, 8, encrypt);
}

/* ---- MACs: Annex A1.2 ---- */

/* ISO/IEC 9797-1 algorithm 3; the data are padded already. */
static void retail_mac(uint8_t mac[8], const uint8_t key[16], const uint8_t *data, size_t n)
{
    uint8_t h[8] = {0};

    for (size_t at = 0; at < n; at += 8) {
        for (size_t i = 0; i < 8; i++)
            h[i] ^= data[at + i];
        des(h, key, h, 1);
    }
    des(h, key + 8, h, 0);
    des(mac, key, h, 1);
}

static void double_up(uint8_t k[16]) /* in GF(2^128): NIST SP 800-38B, 6.1 */
{
    const int carry = k[0] >> 7;

    for (size_t i = 0; i < 16; i++)
        k[i] = (uint8_t)(k[i] << 1 | (i < 15 ? k[i + 1] >> 7 : 0));
    k[15] ^= carry ? 0x87 : 0;
}

static void cmac(uint8_t full[16], const struct double_issuer *d, const uint8_t key[16],
                 const uint8_t *data, size_t n)
{
    uint8_t sub[16] = {0}, h[16] = {0}, last[16] = {0};
    const size_t blocks = n == 0 ? 1 : (n + 15) / 16, tail = n - (blocks - 1) * 16;

    encipher(d, sub, key, sub);
    double_up(sub);
    memcpy(last, data + (blocks - 1) * 16, tail);
    if (tail < 16) {
        last[tail] = 0x80;
        double_up(sub);
    }
    for (size_t b = 0; b < blocks; b++) {
        for (size_t i = 0; i < 16; i++)
            h[i] ^= b + 1 < blocks ? data[b * 16 + i] : (uint8_t)(last[i] ^ sub[i]);
        encipher(d, h, key, h);
    }
    memcpy(full, h, 16);
}

/* mark: the byte that begins the padding: 80, or 00 for Visa's CVN 10. */
static void mac_of(uint8_t mac[8], const struct double_issuer *d, const uint8_t key[16],
                   struct span data, uint8_t mark)
{
    uint8_t padded[512] = {0};
    size_t n = data.n;

    ck_assert_uint_lt(n + 8, sizeof(padded));
    memcpy(padded, data.p, n);
    if (aes(d)) {
        uint8_t full[16];

        cmac(full, d, key, padded, n);
        memcpy(mac, full, 8);
        return;
    }
    if (mark != 0)
        padded[n++] = mark;
    retail_mac(mac, key, padded, (n + 7) / 8 * 8);
}

/* ---- session keys: Annex A1.3.1; VIS for scripts of CVN 10 and 18 ---- */

static void common_key(uint8_t out[16], const struct double_issuer *d, const uint8_t master[16],
                       struct span r)
{
    uint8_t f[16] = {0};

    memcpy(f, r.p, r.n);
    if (aes(d)) {
        encipher(d, out, master, f);
        return;
    }
    f[2] = 0xF0;
    encipher(d, out, master, f);
    f[2] = 0x0F;
    encipher(d, out + 8, master, f);
}

static void ac_key(uint8_t out[16], const struct double_issuer *d)
{
    if (d->kind == DOUBLE_CVN_10)
        memcpy(out, d->ac, 16);
    else
        common_key(out, d, d->ac, SPAN_OF(d->atc));
}

static void script_key(uint8_t out[16], const struct double_issuer *d, const uint8_t master[16])
{
    if (ccd(d)) {
        common_key(out, d, master, SPAN_OF(d->arqc));
        return;
    }
    memcpy(out, master, 16);
    for (size_t i = 0; i < 2; i++) {
        out[6 + i] ^= d->atc[i];
        out[14 + i] ^= (uint8_t)~d->atc[i];
    }
}

void double_start(struct double_issuer *d, struct span atc, struct span arqc)
{
    ck_assert_uint_eq(atc.n, sizeof(d->atc));
    ck_assert_uint_eq(arqc.n, sizeof(d->arqc));
    memcpy(d->atc, atc.p, atc.n);
    memcpy(d->arqc, arqc.p, arqc.n);
    memset(d->chain, 0, sizeof(d->chain));
    memcpy(d->chain, arqc.p, arqc.n);
}

/* ---- cryptograms: 8.1, 8.2 ---- */

void double_ac(uint8_t ac[8], const struct double_issuer *d, struct span data)
{
    uint8_t key[16];

    ac_key(key, d);
    mac_of(ac, d, key, data, d->kind == DOUBLE_CVN_10 ? 0x00 : 0x80);
}

void double_arpc_1(uint8_t arpc[8], const struct double_issuer *d, const char *arc)
{
    uint8_t key[16], x[BLOCK_MAX] = {0};

    ac_key(key, d);
    memcpy(x, d->arqc, 8);
    x[0] ^= (uint8_t)arc[0];
    x[1] ^= (uint8_t)arc[1];
    encipher(d, x, key, x);
    memcpy(arpc, x, 8);
}

void double_arpc_2(uint8_t arpc[4], const struct double_issuer *d, struct span csu_and_more)
{
    uint8_t key[16], mac[8], raw[32];
    struct buf data = BUF_OF(raw);

    ac_key(key, d);
    ck_ok(buf_put(&data, SPAN_OF(d->arqc)));
    ck_ok(buf_put(&data, csu_and_more));
    mac_of(mac, d, key, buf_span(&data), 0x80);
    memcpy(arpc, mac, 4);
}

void double_auth_1(char *hex, const struct double_issuer *d, const char *arc)
{
    uint8_t arpc[8];
    const uint8_t says[2] = {(uint8_t)arc[0], (uint8_t)arc[1]};

    double_arpc_1(arpc, d, arc);
    hex_encode(hex, SPAN_OF(arpc));
    hex_encode(hex + 16, SPAN_OF(says));
}

void double_auth_2(char *hex, const struct double_issuer *d, const char *csu_hex)
{
    uint8_t arpc[4], raw[16];
    struct buf csu = BUF_OF(raw);

    ck_ok(hex_decode(&csu, csu_hex));
    double_arpc_2(arpc, d, buf_span(&csu));
    hex_encode(hex, SPAN_OF(arpc));
    hex_encode(hex + 8, buf_span(&csu));
}

/* ---- scripts: 9 ---- */

static void put(struct buf *b, const void *p, size_t n)
{
    ck_ok(buf_put(b, span_of(p, n)));
}

/* Format 2 ECB over length, data, padding when needed; CCD CBC over data and padding. */
static void put_enciphered(struct buf *out, const struct double_issuer *d, struct span plain)
{
    uint8_t key[16], raw[256] = {0}, before[BLOCK_MAX] = {0};
    struct buf b = BUF_OF(raw);
    const size_t size = block(d);

    script_key(key, d, d->smc);
    if (!ccd(d))
        ck_ok(buf_u8(&b, (uint8_t)plain.n));
    put(&b, plain.p, plain.n);
    if (ccd(d) || b.n % size != 0)
        ck_ok(buf_u8(&b, 0x80));
    while (b.n % size != 0)
        ck_ok(buf_u8(&b, 0));
    for (size_t at = 0; at < b.n; at += size) {
        for (size_t i = 0; ccd(d) && i < size; i++)
            raw[at + i] ^= before[i];
        encipher(d, before, key, raw + at);
        put(out, before, size);
    }
}

static void put_field(struct buf *out, const struct double_issuer *d, struct span plain,
                      bool encipher_it)
{
    uint8_t raw[256];
    struct buf b = BUF_OF(raw);

    if (encipher_it)
        put_enciphered(&b, d, plain);
    else
        put(&b, plain.p, plain.n);
    if (!ccd(d)) {
        put(out, raw, b.n);
        return;
    }
    if (b.n == 0)
        return;
    const size_t n = b.n + (encipher_it ? 1 : 0);

    ck_ok(buf_u8(out, encipher_it ? 0x87 : 0x81));
    if (n > 127)
        ck_ok(buf_u8(out, 0x81));
    ck_ok(buf_u8(out, (uint8_t)n));
    if (encipher_it)
        ck_ok(buf_u8(out, 0x01));
    put(out, raw, b.n);
}

/* 80, then zeros up to whole blocks: 9.2.3, D2.3.1. */
static void pad(struct buf *b, const struct double_issuer *d)
{
    ck_ok(buf_u8(b, 0x80));
    while (b->n % block(d) != 0)
        ck_ok(buf_u8(b, 0));
}

/* The full output of the MAC algorithm. CCD: header and object are padded each, and nothing more.
 */
static void script_mac(uint8_t full[BLOCK_MAX], const struct double_issuer *d,
                       const uint8_t head[5], struct span field)
{
    uint8_t key[16], raw[400];
    struct buf b = BUF_OF(raw);

    script_key(key, d, d->smi);
    if (!ccd(d)) {
        put(&b, head, 5);
        put(&b, d->atc, 2);
        put(&b, d->arqc, 8);
        put(&b, field.p, field.n);
        mac_of(full, d, key, buf_span(&b), 0x80);
        return;
    }
    put(&b, d->chain, block(d));
    put(&b, head, 4);
    pad(&b, d);
    put(&b, field.p, field.n);
    if (field.n > 0)
        pad(&b, d);
    if (aes(d))
        cmac(full, d, key, raw, b.n);
    else
        retail_mac(full, key, raw, b.n);
}

void double_script(char hex[DOUBLE_HEX], struct double_issuer *d, const char *head,
                   const char *plain_hex, bool encipher_it, size_t mac_n)
{
    uint8_t plain_raw[256], field_raw[256], head_raw[5], mac[BLOCK_MAX], all[300];
    struct buf plain = BUF_OF(plain_raw), field = BUF_OF(field_raw), h = BUF_OF(head_raw),
               out = BUF_OF(all);

    ck_ok(hex_decode(&plain, plain_hex));
    ck_ok(hex_decode(&h, head));
    put_field(&field, d, buf_span(&plain), encipher_it);
    ck_ok(buf_u8(&h, (uint8_t)(field.n + mac_n + (ccd(d) ? 2 : 0))));
    script_mac(mac, d, head_raw, buf_span(&field));
    put(&out, head_raw, 5);
    put(&out, field_raw, field.n);
    if (ccd(d)) {
        ck_ok(buf_u8(&out, 0x8E));
        ck_ok(buf_u8(&out, (uint8_t)mac_n));
        memcpy(d->chain, mac, block(d));
    }
    put(&out, mac, mac_n);
    hex_encode(hex, buf_span(&out));
}

void double_pin(char hex[17], const struct double_issuer *d, const char *pin, const char *current)
{
    char text[17];
    uint8_t raw[8], now[8] = {0};
    struct buf b = BUF_OF(raw);

    snprintf(text, sizeof(text), "%X%X%s%.*s", ccd(d) ? 2 : 0, (unsigned)strlen(pin), pin,
             (int)(14 - strlen(pin)), "FFFFFFFFFFFFFF");
    ck_ok(hex_decode(&b, text));
    if (!ccd(d))
        for (size_t i = 0; i < 4; i++)
            raw[4 + i] ^= d->ac[4 + i];
    for (size_t i = 0; !ccd(d) && current != NULL && i < strlen(current); i++)
        now[i / 2] |= (uint8_t)((current[i] - '0') << (i % 2 == 0 ? 4 : 0));
    for (size_t i = 0; i < 8; i++)
        raw[i] ^= now[i];
    hex_encode(hex, SPAN_OF(raw));
}
