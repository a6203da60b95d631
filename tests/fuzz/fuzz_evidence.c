/* The evidence of a payment, in two forms. Bytes that begin with '{' are an evidence file; what it
 * holds is checked and written again. Others are DE 55 (after two bytes of its length) and the
 * stream of DE 61-63. Nothing here can be right but a payment of a real card of the public keys,
 * so: a result is made, named and fits DE 44. The bytes also go through the recovery of
 * certificates and signatures, under a key of exponent 3 and a modulus of FF…. */
#include "fuzz.h"

#include <string.h>

#include "base/file.h"
#include "base/hex.h"
#include "crypto/ode.h"
#include "ec_authority.h"
#include "ledger/evidence.h"

static void check(const struct evidence *ev)
{
    static const struct evidence_claim claim = {"9990140000000015", 1250, 978,      250,
                                                20261123,           0,    20301231, 1},
                                       none = EVIDENCE_CLAIM_NONE;
    static struct capk_store *store;
    static struct evidence_cache *cache;
    struct evidence_result r;
    char path[4096];

    if (store == NULL) {
        HOLDS(file_data_path(path, sizeof(path), "capk.json", NULL) == TP_OK);
        HOLDS(capk_store_new(&store) == TP_OK && capk_store_load(store, path, NULL) == TP_OK);
        HOLDS(take_ec(store) == TP_OK);
        HOLDS(evidence_cache_new(&cache, store, 4) == TP_OK);
    }
    for (int i = 0; i < 2; i++) {
        HOLDS(evidence_check(&r, cache, ev, i == 0 ? &claim : &none, 20140601) == TP_OK);
        HOLDS(r.ok == (r.reason[0] == '\0'));
        HOLDS(strlen(r.reason) <= 25 && strlen(r.text) < sizeof(r.text) &&
              r.failed_at < EVIDENCE_STEPS);
        HOLDS(i == 1 || !r.ok); /* no real card signed that claim */
    }
}

static void file_form(const char *text, size_t n)
{
    json_t *o = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL), *again = NULL;
    uint8_t room[EVIDENCE_ARENA];
    struct buf arena = BUF_OF(room);
    struct tp_error e = {TP_OK, ""};
    struct evidence ev;

    if (o == NULL)
        return;
    if (evidence_from_json(&ev, &arena, o, &e) == TP_OK) {
        check(&ev);
        HOLDS(evidence_to_json(&again, &ev) == TP_OK);
        json_decref(again);
    } else {
        HOLDS(e.text[0] != '\0');
    }
    json_decref(o);
}

static void message_form(struct span in)
{
    struct evidence ev;
    struct span de55;
    uint16_t n;

    if (span_be16(&in, &n) != TP_OK || span_take(&in, n % 1000, &de55) != TP_OK)
        return;
    HOLDS(evidence_from_message(&ev, de55, in, span_str("9990140000000015")) == TP_OK);
    check(&ev);
}

/* All of it as a certificate, a key or a signature by elliptic curves, and as what ODE deciphers.
 */
static void curves(struct span in)
{
    static struct ec_authority authority;
    static struct ec_privkey card;
    struct ec_authority other;
    struct emv_cert_info info;
    struct secret message;
    enum emv_check outcome;
    struct ode ode;

    if (authority.key.suite == NULL) {
        uint8_t raw[EC_CERT_MAX];
        struct buf b = BUF_OF(raw);

        HOLDS(hex_decode(&b, EC_AUTHORITY) == TP_OK);
        HOLDS(ec_authority_check(&outcome, &authority, buf_span(&b)) == TP_OK);
        HOLDS(outcome == EMV_CHECK_OK);
        HOLDS(ec_privkey_make(&card, authority.key.suite,
                              SPAN_OF(((const uint8_t[32]){[31] = 7}))) == TP_OK);
        HOLDS(ode_agree(&ode, &card, &authority.key, raw) == TP_OK);
        ode_end(&ode);
    }
    HOLDS(ec_authority_check(&outcome, &other, in) == TP_OK);
    HOLDS((outcome == EMV_CHECK_OK) == (other.key.suite != NULL && outcome != EMV_CHECK_SIGNATURE));
    HOLDS(ec_issuer_cert_check(&outcome, &info, &authority, in, "9990140000000018", 20140601) ==
          TP_OK);
    HOLDS((outcome == EMV_CHECK_OK) == (info.ec.suite != NULL));
    for (int which = EMV_ICC_KEY; which <= EMV_ICC_PIN_KEY; which++) {
        HOLDS(ec_icc_cert_check(&outcome, &info, (enum emv_icc_key)which, &authority.key, in, in,
                                20140601, 0) == TP_OK);
        HOLDS(outcome != EMV_CHECK_OK); /* nobody has the key that would make one */
    }
    HOLDS(ec_sdad_check(&outcome, &authority.key, in, &in, 1) == TP_OK);
    HOLDS(outcome != EMV_CHECK_OK);
    HOLDS(ode_agree(&ode, &card, &authority.key, (const uint8_t[ODE_UN]){0}) == TP_OK);
    HOLDS(ode_decipher(&message, &ode, in) == TP_ERR_SECURITY);
    ode_end(&ode);
}

/* The first 128 bytes as certificate or signature, the others as all that stands outside it. */
static void recovery(struct span in)
{
    static struct emv_pubkey *key;
    static const uint8_t three[] = {3}, un[4] = {1, 2, 3, 4};
    uint8_t modulus[128];
    struct emv_cert_info info;
    struct emv_dynamic dynamic;
    enum emv_check outcome;
    uint8_t dac[2];

    if (key == NULL) {
        memset(modulus, 0xFF, sizeof(modulus));
        HOLDS(emv_pubkey_new(&key, SPAN_OF(modulus), SPAN_OF(three)) == TP_OK);
    }
    if (in.n < 128)
        return;
    const struct span cert = {in.p, 128}, rest = {in.p + 128, in.n - 128};

    HOLDS(emv_issuer_cert_check(&outcome, &info, key, cert, rest, SPAN_OF(three),
                                "9990140000000015", 20261123) == TP_OK);
    HOLDS((outcome == EMV_CHECK_OK) == (info.key != NULL));
    emv_pubkey_free(&info.key);
    HOLDS(emv_icc_cert_check(&outcome, &info, EMV_ICC_KEY, key, cert, rest, SPAN_OF(three), rest,
                             "9990140000000015", 20261123) == TP_OK);
    emv_pubkey_free(&info.key);
    HOLDS(emv_ssad_check(&outcome, dac, key, cert, rest) == TP_OK);
    HOLDS(emv_dda_check(&outcome, &dynamic, key, cert, SPAN_OF(un)) == TP_OK);
    HOLDS(emv_cda_check(&outcome, &dynamic, key, cert, SPAN_OF(un), 0x40, &rest, 1) == TP_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0 && data[0] == '{')
        file_form((const char *)data, size);
    else
        message_form(span_of(data, size));
    curves(span_of(data, size));
    recovery(span_of(data, size));
    return 0;
}
