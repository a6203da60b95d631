#include "crypto/ec.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <pthread.h>
#include <string.h>

static const struct ec_suite suites[] = {
    {0x10, 0x00, EC_SHA256, 32, 32, NID_X9_62_prime256v1},
    {0x11, 0x01, EC_SHA512, 66, 64, NID_secp521r1},
};

#define SUITES (sizeof(suites) / sizeof(suites[0]))

/* Made once for the whole program, and only read afterwards. */
static EC_GROUP *groups[SUITES];

static void make_groups(void)
{
    for (size_t i = 0; i < SUITES; i++)
        groups[i] = EC_GROUP_new_by_curve_name(suites[i].curve);
}

static const EC_GROUP *group_of(const struct ec_suite *s)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, make_groups);
    return groups[s - suites];
}

const struct ec_suite *ec_suite_signature(uint8_t indicator)
{
    for (size_t i = 0; i < SUITES; i++)
        if (suites[i].signature == indicator)
            return &suites[i];
    return NULL;
}

const struct ec_suite *ec_suite_ode(uint8_t indicator)
{
    for (size_t i = 0; i < SUITES; i++)
        if (suites[i].ode == indicator)
            return &suites[i];
    return NULL;
}

size_t ec_signature_size(const struct ec_suite *s)
{
    return s->hash_n + s->field_n;
}

size_t ec_suite_bits(const struct ec_suite *s)
{
    return s->curve == NID_secp521r1 ? 521 : 256;
}

size_t ec_hash_size(uint8_t indicator)
{
    return indicator == EC_SHA256 ? 32 : indicator == EC_SHA512 ? 64 : 0;
}

/* OpenSSL's queue of errors is per thread and grows; what it says is told by our own codes. */
static enum tp_err openssl_failed(void)
{
    ERR_clear_error();
    return TP_ERR_INTERNAL;
}

enum tp_err ec_hash(uint8_t out[EC_HASH_MAX], uint8_t indicator, const struct span *parts, size_t n)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    bool done =
        md != NULL &&
        EVP_DigestInit_ex(md, indicator == EC_SHA512 ? EVP_sha512() : EVP_sha256(), NULL) == 1;

    for (size_t i = 0; i < n; i++)
        done = done && EVP_DigestUpdate(md, parts[i].p, parts[i].n) == 1;
    done = done && EVP_DigestFinal_ex(md, out, NULL) == 1;
    EVP_MD_CTX_free(md);
    return done ? TP_OK : openssl_failed();
}

/* What one operation works with. Its numbers are of the context, which wipes them. */
struct work {
    const struct ec_suite *suite;
    const EC_GROUP *group;
    BN_CTX *bn;
    EC_POINT *point; /* the key's, and then what was computed */
    BIGNUM *a, *b, *x, *y;
};

static void work_end(struct work *w)
{
    EC_POINT_clear_free(w->point);
    if (w->bn != NULL)
        BN_CTX_end(w->bn);
    BN_CTX_free(w->bn);
}

static enum tp_err work_start(struct work *w, const struct ec_suite *suite)
{
    *w = (struct work){.suite = suite, .group = group_of(suite), .bn = BN_CTX_secure_new()};
    if (w->bn == NULL || w->group == NULL) {
        BN_CTX_free(w->bn);
        w->bn = NULL;
        return TP_ERR_NO_MEMORY;
    }
    BN_CTX_start(w->bn);
    w->point = EC_POINT_new(w->group);
    w->a = BN_CTX_get(w->bn);
    w->b = BN_CTX_get(w->bn);
    w->x = BN_CTX_get(w->bn);
    w->y = BN_CTX_get(w->bn);
    if (w->point != NULL && w->y != NULL)
        return TP_OK;
    work_end(w);
    return TP_ERR_NO_MEMORY;
}

static bool get_point(struct work *w)
{
    return EC_POINT_get_affine_coordinates(w->group, w->point, w->x, w->y, w->bn) == 1;
}

/* Whether y is above p/2, of which p - y is the lesser. */
static bool y_is_greater(const struct work *w, BIGNUM *half)
{
    return BN_rshift1(half, EC_GROUP_get0_field(w->group)) == 1 && BN_cmp(w->y, half) > 0;
}

/* B2.2.1 e, Point4x(): the point of the curve that has x, with the lesser y. TP_ERR_RANGE: none
 * has. */
static enum tp_err set_point(struct work *w, struct span x)
{
    if (BN_bin2bn(x.p, (int)x.n, w->x) == NULL)
        return openssl_failed();
    if (BN_cmp(w->x, EC_GROUP_get0_field(w->group)) >= 0 ||
        EC_POINT_set_compressed_coordinates(w->group, w->point, w->x, 0, w->bn) != 1) {
        ERR_clear_error();
        return TP_ERR_RANGE;
    }
    if (!get_point(w) || (y_is_greater(w, w->a) &&
                          (EC_POINT_invert(w->group, w->point, w->bn) != 1 || !get_point(w))))
        return openssl_failed();
    return TP_OK;
}

struct span ec_pubkey_x(const struct ec_pubkey *k)
{
    return span_of(k->x, k->suite->field_n);
}

enum tp_err ec_pubkey_make(struct ec_pubkey *out, const struct ec_suite *suite, struct span x)
{
    struct work w;
    enum tp_err r;

    *out = (struct ec_pubkey){0};
    if (x.n != suite->field_n)
        return TP_ERR_RANGE;
    r = work_start(&w, suite);
    if (r != TP_OK)
        return r;
    r = set_point(&w, x);
    if (r == TP_OK) {
        out->suite = suite;
        memcpy(out->x, x.p, x.n);
    }
    work_end(&w);
    return r;
}

enum tp_err ec_pubkey_y(uint8_t out[EC_FIELD_MAX], const struct ec_pubkey *k)
{
    struct work w;
    enum tp_err r = work_start(&w, k->suite);

    if (r != TP_OK)
        return r;
    r = set_point(&w, ec_pubkey_x(k));
    if (r == TP_OK && BN_bn2binpad(w.y, out, (int)k->suite->field_n) < 0)
        r = openssl_failed();
    work_end(&w);
    return r;
}

/* d and its public key, of the d that w->a holds; lesser: n - d where that has the lesser y. */
static enum tp_err finish_privkey(struct ec_privkey *out, struct work *w, bool lesser)
{
    const size_t n = w->suite->field_n;
    const BIGNUM *order = EC_GROUP_get0_order(w->group);
    enum tp_err r = secret_alloc(&out->d, n);

    if (r != TP_OK)
        return r;
    BN_set_flags(w->a, BN_FLG_CONSTTIME);
    if (EC_POINT_mul(w->group, w->point, w->a, NULL, NULL, w->bn) != 1 || !get_point(w) ||
        (lesser && y_is_greater(w, w->b) && BN_sub(w->a, order, w->a) != 1) ||
        BN_bn2binpad(w->a, out->d.p, (int)n) < 0 || BN_bn2binpad(w->x, out->pub.x, (int)n) < 0)
        return openssl_failed();
    out->pub.suite = w->suite;
    return TP_OK;
}

/* Book 2, B2.2.4: 1 < d < n - 1. */
static bool is_private(const struct work *w, const BIGNUM *d, BIGNUM *room)
{
    return BN_copy(room, EC_GROUP_get0_order(w->group)) != NULL && BN_sub_word(room, 1) == 1 &&
           BN_cmp(d, BN_value_one()) > 0 && BN_cmp(d, room) < 0;
}

enum tp_err ec_privkey_generate(struct ec_privkey *out, const struct ec_suite *suite)
{
    struct work w;
    enum tp_err r = work_start(&w, suite);

    *out = (struct ec_privkey){0};
    if (r != TP_OK)
        return r;
    do {
        if (BN_priv_rand_range_ex(w.a, EC_GROUP_get0_order(w.group), 0, w.bn) != 1)
            r = openssl_failed();
    } while (r == TP_OK && !is_private(&w, w.a, w.b));
    if (r == TP_OK)
        r = finish_privkey(out, &w, true);
    work_end(&w);
    if (r != TP_OK)
        ec_privkey_free(out);
    return r;
}

enum tp_err ec_privkey_make(struct ec_privkey *out, const struct ec_suite *suite, struct span d)
{
    struct work w;
    enum tp_err r = work_start(&w, suite);

    *out = (struct ec_privkey){0};
    if (r != TP_OK)
        return r;
    if (BN_bin2bn(d.p, (int)d.n, w.a) == NULL)
        r = openssl_failed();
    else if (d.n != suite->field_n || !is_private(&w, w.a, w.b))
        r = TP_ERR_RANGE;
    else
        r = finish_privkey(out, &w, false);
    work_end(&w);
    if (r != TP_OK)
        ec_privkey_free(out);
    return r;
}

void ec_privkey_free(struct ec_privkey *k)
{
    secret_free(&k->d);
    k->pub = (struct ec_pubkey){0};
}

enum tp_err ec_agree(struct secret *z, const struct ec_privkey *own, const struct ec_pubkey *other)
{
    struct work w;
    enum tp_err r = own->pub.suite == other->suite ? work_start(&w, other->suite) : TP_ERR_RANGE;

    *z = (struct secret){NULL, 0};
    if (r != TP_OK)
        return r;
    r = set_point(&w, ec_pubkey_x(other));
    if (r == TP_OK)
        r = secret_alloc(z, w.suite->field_n);
    if (r == TP_OK) {
        BN_set_flags(w.a, BN_FLG_CONSTTIME);
        if (BN_bin2bn(own->d.p, (int)own->d.n, w.a) == NULL ||
            EC_POINT_mul(w.group, w.point, NULL, w.point, w.a, w.bn) != 1 || !get_point(&w) ||
            BN_bn2binpad(w.x, z->p, (int)z->n) < 0)
            r = openssl_failed();
    }
    work_end(&w);
    if (r != TP_OK)
        secret_free(z);
    return r;
}

/* r of a signature: the hash over the x of a point, which w->x holds, and the message. */
static enum tp_err hash_point(uint8_t out[EC_HASH_MAX], const struct work *w,
                              const struct span *parts, size_t n)
{
    uint8_t x[EC_FIELD_MAX];
    struct span all[1 + EC_PARTS_MAX];

    if (n > EC_PARTS_MAX)
        return TP_ERR_RANGE;
    if (BN_bn2binpad(w->x, x, (int)w->suite->field_n) < 0)
        return openssl_failed();
    all[0] = span_of(x, w->suite->field_n);
    for (size_t i = 0; i < n; i++)
        all[1 + i] = parts[i];
    return ec_hash(out, (uint8_t)w->suite->hash, all, 1 + n);
}

/* s = k + r d mod n. Montgomery's product, for its time does not hang on the numbers; k is in w->a,
 * r in w->b, which then holds s. */
static bool make_s(struct work *w, const struct secret *d)
{
    const BIGNUM *order = EC_GROUP_get0_order(w->group);
    BN_MONT_CTX *mont = BN_MONT_CTX_new();
    BIGNUM *secret = BN_CTX_get(w->bn);
    bool done = mont != NULL && secret != NULL && BN_MONT_CTX_set(mont, order, w->bn) == 1;

    if (done)
        BN_set_flags(secret, BN_FLG_CONSTTIME);
    done = done && BN_bin2bn(d->p, (int)d->n, secret) != NULL &&
           BN_nnmod(w->b, w->b, order, w->bn) == 1 &&
           BN_to_montgomery(w->b, w->b, mont, w->bn) == 1 &&
           BN_mod_mul_montgomery(w->b, w->b, secret, mont, w->bn) == 1 &&
           BN_mod_add_quick(w->b, w->b, w->a, order) == 1;
    BN_MONT_CTX_free(mont);
    return done;
}

/* A2.2.2, steps b to f; k is in w->a. */
static enum tp_err sign(uint8_t out[EC_SIGNATURE_MAX], struct work *w, const struct ec_privkey *key,
                        const struct span *parts, size_t n)
{
    enum tp_err r;

    BN_set_flags(w->a, BN_FLG_CONSTTIME);
    if (EC_POINT_mul(w->group, w->point, w->a, NULL, NULL, w->bn) != 1 || !get_point(w))
        return openssl_failed();
    r = hash_point(out, w, parts, n);
    if (r != TP_OK)
        return r;
    if (BN_bin2bn(out, (int)w->suite->hash_n, w->b) == NULL || !make_s(w, &key->d) ||
        BN_bn2binpad(w->b, out + w->suite->hash_n, (int)w->suite->field_n) < 0)
        return openssl_failed();
    return TP_OK;
}

enum tp_err ec_sign(uint8_t out[EC_SIGNATURE_MAX], const struct ec_privkey *key,
                    const struct span *parts, size_t n)
{
    struct work w;
    enum tp_err r = work_start(&w, key->pub.suite);

    if (r != TP_OK)
        return r;
    do {
        if (BN_priv_rand_range_ex(w.a, EC_GROUP_get0_order(w.group), 0, w.bn) != 1)
            r = openssl_failed();
    } while (r == TP_OK && BN_is_zero(w.a));
    if (r == TP_OK)
        r = sign(out, &w, key, parts, n);
    work_end(&w);
    return r;
}

enum tp_err ec_sign_with(uint8_t out[EC_SIGNATURE_MAX], const struct ec_privkey *key, struct span k,
                         const struct span *parts, size_t n)
{
    struct work w;
    enum tp_err r = work_start(&w, key->pub.suite);

    if (r != TP_OK)
        return r;
    if (BN_bin2bn(k.p, (int)k.n, w.a) == NULL)
        r = openssl_failed();
    else if (BN_is_zero(w.a) || BN_cmp(w.a, EC_GROUP_get0_order(w.group)) >= 0)
        r = TP_ERR_RANGE;
    else
        r = sign(out, &w, key, parts, n);
    work_end(&w);
    return r;
}

/* A2.2.3, steps c to i. The point of the key is in w->point. */
static enum tp_err verify(bool *good, struct work *w, struct span signature,
                          const struct span *parts, size_t n)
{
    const BIGNUM *order = EC_GROUP_get0_order(w->group);
    const size_t hash_n = w->suite->hash_n;
    uint8_t hash[EC_HASH_MAX];
    enum tp_err r;

    if (BN_bin2bn(signature.p, (int)hash_n, w->b) == NULL ||
        BN_bin2bn(signature.p + hash_n, (int)w->suite->field_n, w->a) == NULL ||
        BN_nnmod(w->b, w->b, order, w->bn) != 1)
        return openssl_failed();
    if (BN_is_zero(w->a) || BN_cmp(w->a, order) >= 0 || BN_is_zero(w->b))
        return TP_OK;
    if (BN_sub(w->b, order, w->b) != 1 ||
        EC_POINT_mul(w->group, w->point, w->a, w->point, w->b, w->bn) != 1)
        return openssl_failed();
    if (EC_POINT_is_at_infinity(w->group, w->point) == 1)
        return TP_OK;
    if (!get_point(w))
        return openssl_failed();
    r = hash_point(hash, w, parts, n);
    *good = r == TP_OK && CRYPTO_memcmp(hash, signature.p, hash_n) == 0;
    return r;
}

enum tp_err ec_verify(bool *good, const struct ec_pubkey *key, struct span signature,
                      const struct span *parts, size_t n)
{
    struct work w;
    enum tp_err r;

    *good = false;
    if (signature.n != ec_signature_size(key->suite))
        return TP_OK;
    r = work_start(&w, key->suite);
    if (r != TP_OK)
        return r;
    r = set_point(&w, ec_pubkey_x(key));
    if (r == TP_OK)
        r = verify(good, &w, signature, parts, n);
    work_end(&w);
    return r;
}
