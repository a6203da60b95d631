/* CDA verifications a second with the chain cached, as the acquirer does them from a message,
 * against the bare operations: EVP_PKEY_verify_recover with the same key and the SHA-1s of the same
 * bytes, contexts kept. On one core; RSA 1152. */
#include "bench.h"

#include <stdbool.h>
#include <stdlib.h>

#include "../unit/evidence_fixture.h"
#include "apdu/emvtags.h"
#include "apdu/tlv.h"
#include "bare_cda.h"

#define ROUNDS 30
#define TURN   4000 /* verifications in a round */

static void must(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "bench_verify: %s fails\n", what);
        exit(EXIT_FAILURE);
    }
}

/* The bytes that the second hash of Book 2, 6.6.2 runs over. */
static struct bare_cda *bare_of(const struct evidence *ev, const struct emv_pubkey *key)
{
    struct tlv sdad;

    must(tlv_find_deep(ev->response, TAG_SDAD, &sdad) == TP_OK, "finding the SDAD");
    return bare_cda_new(key, sdad.value,
                        ev->pdol_values.n + ev->cdol1_values.n + ev->response.n - sdad.raw.n -
                            3); /* without the header of 77 */
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
static void measure(struct bare_cda *bare, struct evidence_cache *cache,
                    const struct fixture_payment *payment)
{
    struct bench_rounds rates = {0}, bases = {0}, ratios = {0};

    for (unsigned i = 0; i < ROUNDS; i++) {
        double ours = i % 2 == 0 ? our_turn(cache, payment) : 0;
        const double theirs = bare_cda_turn(bare, TURN);

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
    struct bare_cda *bare;

    fixture_keys_make(&keys);
    struct capk_store *store = fixture_authorities(&keys, NULL, "");

    fixture_plan_start(&plan);
    fixture_pay(&payment, &keys, &plan);
    must(evidence_cache_new(&cache, store, 16) == TP_OK, "the cache");
    must(evidence_from_message(&ev, span_of(payment.de55, payment.de55_n),
                               span_of(payment.stream, payment.stream_n),
                               span_of(NULL, 0)) == TP_OK,
         "parsing");
    bare = bare_of(&ev, emv_privkey_public(keys.icc));
    verify(cache, &payment); /* fills the cache */
    measure(bare, cache, &payment);
    bare_cda_free(&bare);
    evidence_cache_free(&cache);
    capk_store_free(&store);
    fixture_keys_free(&keys);
    return EXIT_SUCCESS;
}
