/* Prints one chain made by emvmake.h as "name hex" lines, for check_emvmake.py, which knows none of
 * our code: keys, certificates, signatures and what went into them. Arguments: bits of the
 * authority's, issuer's and card's keys, and the exponent of all. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "crypto/capk.h"
#include "crypto/emvmake.h"

static void must(enum tp_err r, const char *what)
{
    if (r != TP_OK) {
        fprintf(stderr, "emv_sample: %s: %s\n", what, tp_err_text(r));
        exit(EXIT_FAILURE);
    }
}

static void show(const char *name, struct span s)
{
    char text[2 * 512 + 1];

    printf("%s %s\n", name, s.n <= 512 ? hex_encode(text, s) : "");
}

static void show_key(const char *name, const struct emv_pubkey *k)
{
    char label[40];

    snprintf(label, sizeof(label), "%s_modulus", name);
    show(label, emv_pubkey_modulus(k));
    snprintf(label, sizeof(label), "%s_exponent", name);
    show(label, emv_pubkey_exponent(k));
}

static void show_cert(const char *name, const struct emv_cert_made *m)
{
    char label[40];

    snprintf(label, sizeof(label), "%s_cert", name);
    show(label, span_of(m->cert, m->cert_n));
    snprintf(label, sizeof(label), "%s_remainder", name);
    show(label, span_of(m->remainder, m->remainder_n));
}

int main(int argc, char **argv)
{
    static const uint8_t serial[3] = {0x0A, 0x0B, 0x0C}, dac[2] = {0xDA, 0xC0},
                         un[4] = {0x12, 0x34, 0x57, 0x79}, rid[5] = {0xF0, 0, 0, 0, 0x14};
    static const uint8_t static_data[] = {0x5A, 0x08, 0x99, 0x90, 0x14, 0x00,
                                          0x00, 0x00, 0x00, 0x18, 0x19, 0x80};
    static const uint8_t dynamic[] = {8, 1, 2, 3, 4, 5, 6, 7, 8, 0x40, 9, 8, 7, 6, 5, 4, 3, 2};
    struct emv_privkey *ca = NULL, *issuer = NULL, *icc = NULL;
    struct emv_cert_made m;
    uint8_t out[EMV_RSA_MAX], sha1[20];

    if (argc != 5)
        return EXIT_FAILURE;
    const unsigned e = (unsigned)atoi(argv[4]);

    must(emv_privkey_generate(&ca, (unsigned)atoi(argv[1]), e), "authority key");
    must(emv_privkey_generate(&issuer, (unsigned)atoi(argv[2]), e), "issuer key");
    must(emv_privkey_generate(&icc, (unsigned)atoi(argv[3]), e), "card key");
    show_key("ca", emv_privkey_public(ca));
    show_key("issuer", emv_privkey_public(issuer));
    show_key("icc", emv_privkey_public(icc));
    must(capk_sha1(sha1, rid, 1, emv_privkey_public(ca)), "SHA-1");
    show("ca_sha1", SPAN_OF(sha1));
    must(emv_issuer_cert_make(&m, ca, emv_privkey_public(issuer), "999014", 20301231, serial),
         "issuer certificate");
    show_cert("issuer", &m);
    must(emv_icc_cert_make(&m, EMV_ICC_KEY, issuer, emv_privkey_public(icc), SPAN_OF(static_data),
                           "9990140000000018", 20291130, serial),
         "certificate");
    show_cert("icc", &m);
    must(emv_icc_cert_make(&m, EMV_ICC_PIN_KEY, issuer, emv_privkey_public(icc),
                           SPAN_OF(static_data), "9990140000000018", 20291130, serial),
         "PIN key");
    show_cert("pin", &m);
    must(emv_ssad_make(out, issuer, dac, SPAN_OF(static_data)), "SSAD");
    show("ssad", span_of(out, emv_pubkey_size(emv_privkey_public(issuer))));
    must(emv_sdad_make(out, icc, SPAN_OF(dynamic), SPAN_OF(un)), "SDAD");
    show("sdad", span_of(out, emv_pubkey_size(emv_privkey_public(icc))));
    emv_privkey_free(&ca);
    emv_privkey_free(&issuer);
    emv_privkey_free(&icc);
    return EXIT_SUCCESS;
}
