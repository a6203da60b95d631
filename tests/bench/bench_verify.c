/* CDA verifications a second with the chain cached, as the acquirer does them from a message,
 * against the bare operations: EVP_PKEY_verify_recover with the same key and the SHA-1s of the same
 * bytes, contexts kept. On one core; RSA 1152. */
#include "bench.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/evidence_fixture.h"
#include "apdu/emvtags.h"
#include "apdu/tlv.h"

#define ROUNDS 30
#define TURN   4000 /* verifications in a round */

static void must(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "bench_verify: %s fails\n", what);
        exit(EXIT_FAILURE);
    }
}

struct bare {
    EVP_PKEY *pkey;
    EVP_PKEY_CTX *ctx;
    EVP_MD *sha1;
    EVP_MD_CTX *md;
    uint8_t sdad[EMV_RSA_MAX], signed_bytes[EMV_RSA_MAX], hashed[1024];
    size_t sdad_n, signed_n, hashed_n;
};

/* The same RSA key by OpenSSL alone. */
static void bare_key(struct bare *b, const struct emv_pubkey *key)
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

static void bare_free(struct bare *b)
{
    EVP_MD_CTX_free(b->md);
    EVP_MD_free(b->sha1);
    EVP_PKEY_CTX_free(b->ctx);
    EVP_PKEY_free(b->pkey);
}

/* As many bytes as the two hashes of Book 2, 6.6.2 run over: the signed block without header, hash
 * and trailer, and the UN; and the transaction data. */
static void bare_bytes(struct bare *b, const struct evidence *ev, size_t key_n)
{
    struct tlv sdad;

    must(tlv_find_deep(ev->response, TAG_SDAD, &sdad) == TP_OK, "finding the SDAD");
    memcpy(b->sdad, sdad.value.p, sdad.value.n);
    b->sdad_n = sdad.value.n;
    b->signed_n = key_n - 22 + 4;
    b->hashed_n = ev->pdol_values.n + ev->cdol1_values.n + ev->response.n - sdad.raw.n -
                  3; /* without the header of 77 */
}

static void sha1(struct bare *b, const uint8_t *p, size_t n)
{
    uint8_t out[20];

    must(EVP_DigestInit_ex2(b->md, NULL, NULL) == 1 && EVP_DigestUpdate(b->md, p, n) == 1 &&
             EVP_DigestFinal_ex(b->md, out, NULL) == 1,
         "SHA-1");
}

static double bare_turn(struct bare *b)
{
    const double start = bench_cpu_seconds();

    for (int i = 0; i < TURN; i++) {
        uint8_t out[EMV_RSA_MAX];
        size_t n = sizeof(out);

        must(EVP_PKEY_verify_recover(b->ctx, out, &n, b->sdad, b->sdad_n) == 1, "recovery");
        sha1(b, b->signed_bytes, b->signed_n);
        sha1(b, b->hashed, b->hashed_n);
    }
    return bench_cpu_seconds() - start;
}

static void verify(struct evidence_cache *cache, const struct fixture_payment *p)
{
    const struct evidence_claim claim = {FIXTURE_PAN, 1250,           978, 250, FIXTURE_DATE,
                                         0x00,        FIXTURE_EXPIRY, 1};
    struct evidence ev;
    struct evidence_result r;

    must(evidence_from_message(&ev, span_of(p->de55, p->de55_n), span_of(p->stream, p->stream_n),
                               span_str(FIXTURE_PAN)) == TP_OK,
         "parsing");
    must(evidence_check(&r, cache, &ev, &claim, FIXTURE_DATE) == TP_OK && r.ok, "the check");
}

static double our_turn(struct evidence_cache *cache, const struct fixture_payment *p)
{
    const double start = bench_cpu_seconds();

    for (int i = 0; i < TURN; i++)
        verify(cache, p);
    return bench_cpu_seconds() - start;
}

/* Each round begins with the other one of the two: a machine that warms up or slows down favours
 * neither. */
static void measure(struct bare *bare, struct evidence_cache *cache,
                    const struct fixture_payment *payment)
{
    struct bench_rounds rates = {0}, bases = {0}, ratios = {0};

    for (unsigned i = 0; i < ROUNDS; i++) {
        double ours = i % 2 == 0 ? our_turn(cache, payment) : 0;
        const double theirs = bare_turn(bare);

        if (i % 2 != 0)
            ours = our_turn(cache, payment);
        bench_round(&rates, TURN / ours);
        bench_round(&bases, TURN / theirs);
        bench_round(&ratios, theirs / ours);
    }
    bench_value("bare RSA recovery and SHA-1s", bench_share(&bases, 0.5), "1/s",
                "EVP_PKEY_verify_recover and two SHA-1s, contexts kept; one core");
    bench_against("CDA verifications, chain cached", &rates, "1/s", &ratios, 0.9,
                  "bare RSA recovery and SHA-1s");
}

int main(void)
{
    struct fixture_keys keys;
    struct fixture_plan plan;
    struct fixture_payment payment;
    struct evidence_cache *cache = NULL;
    struct evidence ev;
    struct bare bare = {0};

    fixture_keys_make(&keys);
    struct capk_store *store = fixture_authorities(&keys, NULL, "");

    fixture_plan_start(&plan);
    fixture_pay(&payment, &keys, &plan);
    must(evidence_cache_new(&cache, store, 16) == TP_OK, "the cache");
    must(evidence_from_message(&ev, span_of(payment.de55, payment.de55_n),
                               span_of(payment.stream, payment.stream_n),
                               span_of(NULL, 0)) == TP_OK,
         "parsing");
    bare_key(&bare, emv_privkey_public(keys.icc));
    bare_bytes(&bare, &ev, emv_pubkey_size(emv_privkey_public(keys.icc)));
    verify(cache, &payment); /* fills the cache */
    measure(&bare, cache, &payment);
    bare_free(&bare);
    evidence_cache_free(&cache);
    capk_store_free(&store);
    fixture_keys_free(&keys);
    return EXIT_SUCCESS;
}
