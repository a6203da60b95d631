#include "crypto/rsa.h"

#include <pthread.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/encoder.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/rsa_priv.h"

#define SHA1_JOIN 1024
#define RSA_MIN   64 /* bytes of the smallest modulus: 512 bits */

struct emv_pubkey {
    uint8_t modulus[EMV_RSA_MAX];
    size_t n;
    uint8_t exponent[3];
    size_t exponent_n;
    BIGNUM *number, *power, *in,
        *result;       /* the modulus, the exponent, and room for what is computed */
    BN_MONT_CTX *mont; /* made when it is first wanted */
    bool used;
    BN_CTX *bn;
    EVP_MD_CTX *md;
};

struct emv_privkey {
    EVP_PKEY *pkey;
    EVP_PKEY_CTX *ctx;
    struct emv_pubkey *pub;
};

/* OpenSSL's queue of errors is per thread and grows; what it says is told by our own codes. */
static enum tp_err openssl_failed(void)
{
    ERR_clear_error();
    return TP_ERR_INTERNAL;
}

static struct span strip_zeros(struct span s)
{
    while (s.n > 0 && s.p[0] == 0) {
        s.p++;
        s.n--;
    }
    return s;
}

static bool exponent_known(struct span e)
{
    static const uint8_t three[] = {3}, f4[] = {1, 0, 1};

    return span_eq(e, SPAN_OF(three)) || span_eq(e, SPAN_OF(f4));
}

static EVP_MD
    *sha1; /* fetched once for the whole program: a fetch costs as much as a short digest */

static void fetch_sha1(void)
{
    sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
}

/* The public operation is done on OpenSSL's numbers: a key of EVP takes longer to make than to use,
 * and most cards' keys are used once. What is secret stays with EVP (emv_privkey), which blinds it.
 */
static enum tp_err start(struct emv_pubkey *k)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, fetch_sha1);
    k->number = BN_bin2bn(k->modulus, (int)k->n, NULL);
    k->power = BN_bin2bn(k->exponent, (int)k->exponent_n, NULL);
    k->in = BN_new();
    k->result = BN_new();
    k->bn = BN_CTX_new();
    k->md = EVP_MD_CTX_new();
    if (k->number == NULL || k->power == NULL || k->in == NULL || k->result == NULL ||
        k->bn == NULL || k->md == NULL)
        return TP_ERR_NO_MEMORY;
    return EVP_DigestInit_ex2(k->md, sha1, NULL) == 1 ? TP_OK : openssl_failed();
}

enum tp_err emv_pubkey_new(struct emv_pubkey **out, struct span modulus, struct span exponent)
{
    struct emv_pubkey *k = NULL;
    enum tp_err r = TP_OK;

    *out = NULL;
    exponent = strip_zeros(exponent);
    /* EMV 4.4 Book 2, B2.1: the leftmost bit of the modulus is 1; an even one is no product of odd
     * primes */
    if (modulus.n < RSA_MIN || modulus.n > EMV_RSA_MAX || (modulus.p[0] & 0x80) == 0 ||
        (modulus.p[modulus.n - 1] & 1) == 0)
        return TP_ERR_RANGE;
    if (!exponent_known(exponent))
        return TP_ERR_RANGE;
    k = calloc(1, sizeof(*k));
    if (k == NULL)
        return TP_ERR_NO_MEMORY;
    memcpy(k->modulus, modulus.p, modulus.n);
    k->n = modulus.n;
    memcpy(k->exponent, exponent.p, exponent.n);
    k->exponent_n = exponent.n;
    r = start(k);
    if (r != TP_OK)
        emv_pubkey_free(&k);
    *out = k;
    return r;
}

void emv_pubkey_free(struct emv_pubkey **k)
{
    if (*k == NULL)
        return;
    EVP_MD_CTX_free((*k)->md);
    BN_CTX_free((*k)->bn);
    BN_MONT_CTX_free((*k)->mont);
    BN_free((*k)->result);
    BN_free((*k)->in);
    BN_free((*k)->power);
    BN_free((*k)->number);
    free(*k);
    *k = NULL;
}

size_t emv_pubkey_size(const struct emv_pubkey *k)
{
    return k->n;
}

struct span emv_pubkey_modulus(const struct emv_pubkey *k)
{
    return span_of(k->modulus, k->n);
}

struct span emv_pubkey_exponent(const struct emv_pubkey *k)
{
    return span_of(k->exponent, k->exponent_n);
}

static bool fits(const struct emv_pubkey *k, struct span in)
{
    return in.n == k->n && memcmp(in.p, k->modulus, k->n) < 0;
}

/* A cube is two multiplications, fewer than it takes to get ready for Montgomery's: those are for a
 * key that is used again. */
static bool cube_once(struct emv_pubkey *k)
{
    return BN_mod_sqr(k->result, k->in, k->number, k->bn) == 1 &&
           BN_mod_mul(k->result, k->result, k->in, k->number, k->bn) == 1;
}

/* Montgomery's product divides by R. Of the two factors of the last one only the square carries an
 * R, so that the cube needs no way back: three products, where BN_mod_exp_mont has two more and a
 * table of powers. */
static bool cube(struct emv_pubkey *k)
{
    return BN_to_montgomery(k->result, k->in, k->mont, k->bn) == 1 &&
           BN_mod_mul_montgomery(k->result, k->result, k->result, k->mont, k->bn) == 1 &&
           BN_mod_mul_montgomery(k->result, k->result, k->in, k->mont, k->bn) == 1;
}

static bool power(struct emv_pubkey *k)
{
    const bool three = k->exponent_n == 1, again = k->used;

    k->used = true;
    if (three && !again)
        return cube_once(k);
    if (k->mont == NULL &&
        ((k->mont = BN_MONT_CTX_new()) == NULL || BN_MONT_CTX_set(k->mont, k->number, k->bn) != 1))
        return false;
    return three ? cube(k)
                 : BN_mod_exp_mont(k->result, k->in, k->power, k->number, k->bn, k->mont) == 1;
}

enum tp_err emv_rsa_recover(struct emv_pubkey *k, struct span in, uint8_t *out)
{
    if (!fits(k, in))
        return TP_ERR_FORMAT;
    if (BN_bin2bn(in.p, (int)in.n, k->in) == NULL || !power(k))
        return openssl_failed();
    return BN_bn2binpad(k->result, out, (int)k->n) == (int)k->n ? TP_OK : openssl_failed();
}

/* Parts that fit are joined first: each update of OpenSSL costs more than the bytes do. */
enum tp_err emv_pubkey_sha1(struct emv_pubkey *k, uint8_t out[EMV_SHA1], const struct span *parts,
                            size_t n)
{
    uint8_t joined[SHA1_JOIN];
    size_t have = 0;

    if (EVP_DigestInit_ex2(k->md, NULL, NULL) != 1)
        return openssl_failed();
    for (size_t i = 0; i < n; i++) {
        if (parts[i].n > sizeof(joined) - have) {
            if (EVP_DigestUpdate(k->md, joined, have) != 1)
                return openssl_failed();
            have = 0;
        }
        if (parts[i].n > sizeof(joined)) {
            if (EVP_DigestUpdate(k->md, parts[i].p, parts[i].n) != 1)
                return openssl_failed();
        } else if (parts[i].n > 0) {
            memcpy(joined + have, parts[i].p, parts[i].n);
            have += parts[i].n;
        }
    }
    if (EVP_DigestUpdate(k->md, joined, have) != 1)
        return openssl_failed();
    return EVP_DigestFinal_ex(k->md, out, NULL) == 1 ? TP_OK : openssl_failed();
}

/* One number of an OpenSSL key as bytes, without leading zeros. */
static enum tp_err get_number(struct buf *out, const EVP_PKEY *pkey, const char *name)
{
    enum tp_err r = TP_ERR_RANGE;
    BIGNUM *v = NULL;

    if (EVP_PKEY_get_bn_param(pkey, name, &v) != 1)
        return openssl_failed();
    if (BN_num_bytes(v) <= (int)out->cap) {
        out->n = (size_t)BN_bn2bin(v, out->p);
        r = TP_OK;
    }
    BN_free(v);
    return r;
}

/* Takes pkey over, also when it fails. */
static enum tp_err privkey_of(struct emv_privkey **out, EVP_PKEY *pkey)
{
    uint8_t modulus[EMV_RSA_MAX], exponent[8];
    struct buf n = BUF_OF(modulus), e = BUF_OF(exponent);
    enum tp_err r = TP_ERR_NO_MEMORY;
    struct emv_privkey *k = calloc(1, sizeof(*k));

    *out = NULL;
    if (k == NULL) {
        EVP_PKEY_free(pkey);
        return TP_ERR_NO_MEMORY;
    }
    k->pkey = pkey;
    r = get_number(&n, pkey, OSSL_PKEY_PARAM_RSA_N);
    if (r == TP_OK)
        r = get_number(&e, pkey, OSSL_PKEY_PARAM_RSA_E);
    if (r == TP_OK)
        r = emv_pubkey_new(&k->pub, buf_span(&n), buf_span(&e));
    if (r != TP_OK)
        goto out;
    k->ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    if (k->ctx == NULL || EVP_PKEY_sign_init(k->ctx) != 1 ||
        EVP_PKEY_CTX_set_rsa_padding(k->ctx, RSA_NO_PADDING) != 1)
        r = openssl_failed();
out:
    if (r != TP_OK)
        emv_privkey_free(&k);
    *out = k;
    return r;
}

enum tp_err emv_privkey_generate(struct emv_privkey **out, unsigned bits, unsigned exponent)
{
    size_t size = bits;
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_size_t(OSSL_PKEY_PARAM_RSA_BITS, &size),
                                 OSSL_PARAM_construct_uint(OSSL_PKEY_PARAM_RSA_E, &exponent),
                                 OSSL_PARAM_construct_end()};
    EVP_PKEY_CTX *ctx = NULL;
    EVP_PKEY *pkey = NULL;
    enum tp_err r = TP_OK;

    *out = NULL;
    if (bits < RSA_MIN * 8 || bits > EMV_RSA_MAX * 8 || bits % 8 != 0 ||
        (exponent != 3 && exponent != 65537))
        return TP_ERR_RANGE;
    ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    if (ctx == NULL || EVP_PKEY_keygen_init(ctx) != 1 ||
        EVP_PKEY_CTX_set_params(ctx, params) != 1 || EVP_PKEY_generate(ctx, &pkey) != 1)
        r = openssl_failed();
    else
        r = privkey_of(out, pkey);
    EVP_PKEY_CTX_free(ctx);
    return r;
}

void emv_privkey_free(struct emv_privkey **k)
{
    if (*k == NULL)
        return;
    EVP_PKEY_CTX_free((*k)->ctx);
    EVP_PKEY_free((*k)->pkey);
    emv_pubkey_free(&(*k)->pub);
    free(*k);
    *k = NULL;
}

struct emv_pubkey *emv_privkey_public(struct emv_privkey *k)
{
    return k->pub;
}

enum tp_err emv_rsa_sign(struct emv_privkey *k, struct span in, uint8_t *out)
{
    size_t n = k->pub->n;

    if (!fits(k->pub, in))
        return TP_ERR_FORMAT;
    return EVP_PKEY_sign(k->ctx, out, &n, in.p, in.n) == 1 && n == k->pub->n ? TP_OK
                                                                             : openssl_failed();
}

enum tp_err emv_privkey_export(struct secret *der, const struct emv_privkey *k)
{
    OSSL_ENCODER_CTX *ctx = OSSL_ENCODER_CTX_new_for_pkey(k->pkey, OSSL_KEYMGMT_SELECT_ALL, "DER",
                                                          "PrivateKeyInfo", NULL);
    BIO *bio = BIO_new(BIO_s_secmem());
    enum tp_err r = TP_ERR_INTERNAL;
    char *data = NULL;
    long n = 0;

    *der = (struct secret){NULL, 0};
    if (ctx != NULL && bio != NULL && OSSL_ENCODER_to_bio(ctx, bio) == 1)
        n = BIO_get_mem_data(bio, &data);
    if (n > 0)
        r = secret_copy(der, span_of(data, (size_t)n));
    BIO_free(bio);
    OSSL_ENCODER_CTX_free(ctx);
    if (r != TP_OK)
        ERR_clear_error();
    return r;
}

enum tp_err emv_privkey_import(struct emv_privkey **out, struct span der)
{
    EVP_PKEY *pkey = NULL;
    OSSL_DECODER_CTX *ctx = OSSL_DECODER_CTX_new_for_pkey(&pkey, "DER", "PrivateKeyInfo", "RSA",
                                                          OSSL_KEYMGMT_SELECT_ALL, NULL, NULL);
    const unsigned char *p = der.p;
    size_t left = der.n;
    enum tp_err r = TP_ERR_FORMAT;

    *out = NULL;
    if (ctx != NULL && OSSL_DECODER_from_data(ctx, &p, &left) == 1 && left == 0)
        r = privkey_of(out, pkey);
    else
        EVP_PKEY_free(pkey);
    OSSL_DECODER_CTX_free(ctx);
    ERR_clear_error();
    return r;
}
