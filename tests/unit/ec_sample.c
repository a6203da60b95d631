/* Prints a chain made by ecmake.h and an enciphered PIN as "name hex" lines, for check_xda.py,
 * which knows none of our code. Arguments: the suites of the authority, the issuer and the card (10
 * or 11). */
#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"
#include "crypto/ecmake.h"
#include "crypto/ode.h"

static void must(enum tp_err r, const char *what)
{
    if (r != TP_OK) {
        fprintf(stderr, "ec_sample: %s: %s\n", what, tp_err_text(r));
        exit(EXIT_FAILURE);
    }
}

static void show(const char *name, struct buf *b)
{
    char text[2 * 512 + 1];

    printf("%s %s\n", name, hex_encode(text, buf_span(b)));
    b->n = 0;
}

static void show_key(const char *name, const struct ec_privkey *k)
{
    char x[2 * EC_FIELD_MAX + 1], d[2 * EC_FIELD_MAX + 1];

    printf("%s_x %s\n%s_d %s\n", name, hex_encode(x, ec_pubkey_x(&k->pub)), name,
           hex_encode(d, secret_span(&k->d)));
}

static void show_icc(const char *name, enum emv_icc_key which, const struct ec_pubkey *key,
                     enum ec_hash hash, const struct ec_privkey *issuer)
{
    static const uint8_t serial[EC_ICC_SERIAL] = {1, 2, 3, 4, 5, 6};
    const struct ec_icc_wanted wanted = {which, key, span_str("iccd"), hash, 20291130, serial};
    uint8_t raw[EC_CERT_MAX];
    struct buf b = BUF_OF(raw);

    must(ec_icc_cert_make(&b, issuer, &wanted), name);
    show(name, &b);
}

static const struct ec_suite *suite(const char *text)
{
    const struct ec_suite *s = ec_suite_signature((uint8_t)strtoul(text, NULL, 16));

    if (s == NULL)
        exit(EXIT_FAILURE);
    return s;
}

int main(int argc, char **argv)
{
    static const uint8_t serial[3] = {0x0A, 0x0B, 0x0C}, un[ODE_UN] = {1, 2, 3, 4, 5, 6, 7, 8};
    const struct span signed_parts[] = {span_str("pdol"), span_str("cdol"), span_str("answer")};
    struct ec_authority_key ca = {{0xF0, 0, 0, 0, 0x14}, 2, {{NULL, 0}, {0}}};
    struct ec_privkey issuer, icc, ephemeral;
    struct ode ode;
    uint8_t raw[EC_CERT_MAX];
    struct buf b = BUF_OF(raw);

    if (argc != 4)
        return EXIT_FAILURE;
    must(ec_privkey_generate(&ca.key, suite(argv[1])), "authority key");
    must(ec_privkey_generate(&issuer, suite(argv[2])), "issuer key");
    must(ec_privkey_generate(&icc, suite(argv[3])), "card key");
    must(ec_privkey_generate(&ephemeral, icc.pub.suite), "ephemeral key");
    show_key("ca", &ca.key);
    show_key("issuer", &issuer);
    show_key("icc", &icc);
    show_key("ephemeral", &ephemeral);
    must(ec_authority_make(&b, &ca), "authority key");
    show("authority", &b);
    must(ec_issuer_cert_make(&b, &ca, &issuer.pub, "999014", 20301231, serial), "90");
    show("90", &b);
    show_icc("9F46", EMV_ICC_KEY, &icc.pub, EC_SHA256, &issuer);
    show_icc("9F46_sha512", EMV_ICC_KEY, &icc.pub, EC_SHA512, &issuer);
    show_icc("9F2D", EMV_ICC_PIN_KEY, &icc.pub, EC_SHA256, &issuer);
    must(ec_sdad_make(&b, &icc, signed_parts, 3), "SDAD");
    show("9F4B", &b);
    must(ode_agree(&ode, &ephemeral, &icc.pub, un), "agreement");
    must(ode_encipher(&b, &ode, span_str("first")), "first message");
    show("first", &b);
    must(ode_encipher(&b, &ode, span_str("seventeen bytes..")), "second message");
    show("second", &b);
    ode_end(&ode);
    ec_privkey_free(&ca.key);
    ec_privkey_free(&issuer);
    ec_privkey_free(&icc);
    ec_privkey_free(&ephemeral);
    return EXIT_SUCCESS;
}
