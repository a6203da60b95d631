#include "bare_cda.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <stdbool.h>
#include <string.h>

#include "bench.h"

struct bare_cda {
    EVP_PKEY *pkey;
    EVP_PKEY_CTX *ctx;
    EVP_MD *sha1;
    EVP_MD_CTX *md;
    uint8_t sdad[EMV_RSA_MAX], signed_bytes[EMV_RSA_MAX], hashed[1024];
    size_t sdad_n, signed_n, hashed_n;
};

static void must(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "bare CDA: %s fails\n", what);
        exit(EXIT_FAILURE);
    }
}

/* The same RSA key by OpenSSL alone. */
static void make_key(struct bare_cda *b, const struct emv_pubkey *key)
{
    const struct span n = emv_pubkey_modulus(key), e = emv_pubkey_exponent(key);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    BIGNUM *bn = BN_bin2bn(n.p, (int)n.n, NULL), *be = BN_bin2bn(e.p, (int)e.n, NULL);
    EVP_PKEY_CTX *make = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);

    must(OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, bn) == 1 &&
             OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, be) == 1,
         "a key");
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);

    must(EVP_PKEY_fromdata_init(make) == 1 &&
             EVP_PKEY_fromdata(make, &b->pkey, EVP_PKEY_PUBLIC_KEY, params) == 1,
         "a key");
    b->ctx = EVP_PKEY_CTX_new_from_pkey(NULL, b->pkey, NULL);
    must(EVP_PKEY_verify_recover_init(b->ctx) == 1 &&
             EVP_PKEY_CTX_set_rsa_padding(b->ctx, RSA_NO_PADDING) == 1,
         "a context");
    b->sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
    b->md = EVP_MD_CTX_new();
    must(b->sha1 != NULL && b->md != NULL && EVP_DigestInit_ex2(b->md, b->sha1, NULL) == 1,
         "a digest");
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    EVP_PKEY_CTX_free(make);
    BN_free(bn);
    BN_free(be);
}

/* As many bytes as the two hashes of Book 2, 6.6.2 run over: the signed block without header, hash
 * and trailer, and the UN; and the transaction data. */
struct bare_cda *bare_cda_new(const struct emv_pubkey *key, struct span sdad, size_t hashed_n)
{
    struct bare_cda *b = calloc(1, sizeof(*b));

    must(b != NULL && sdad.n <= sizeof(b->sdad) && hashed_n <= sizeof(b->hashed), "room");
    make_key(b, key);
    memcpy(b->sdad, sdad.p, sdad.n);
    b->sdad_n = sdad.n;
    b->signed_n = emv_pubkey_size(key) - 22 + 4;
    b->hashed_n = hashed_n;
    return b;
}

void bare_cda_free(struct bare_cda **b)
{
    EVP_MD_CTX_free((*b)->md);
    EVP_MD_free((*b)->sha1);
    EVP_PKEY_CTX_free((*b)->ctx);
    EVP_PKEY_free((*b)->pkey);
    free(*b);
    *b = NULL;
}

static void sha1(struct bare_cda *b, const uint8_t *p, size_t n)
{
    uint8_t out[20];

    must(EVP_DigestInit_ex2(b->md, NULL, NULL) == 1 && EVP_DigestUpdate(b->md, p, n) == 1 &&
             EVP_DigestFinal_ex(b->md, out, NULL) == 1,
         "SHA-1");
}

double bare_cda_turn(struct bare_cda *b, unsigned n)
{
    const double start = bench_cpu_seconds();

    for (unsigned i = 0; i < n; i++) {
        uint8_t out[EMV_RSA_MAX];
        size_t room = sizeof(out);

        must(EVP_PKEY_verify_recover(b->ctx, out, &room, b->sdad, b->sdad_n) == 1, "recovery");
        sha1(b, b->signed_bytes, b->signed_n);
        sha1(b, b->hashed, b->hashed_n);
    }
    return bench_cpu_seconds() - start;
}
