/* A test scheme: a certification authority, one issuer under it, and the issuer's master keys.
 * `telepay-perso init DIR`.
 *
 * The folder, files with a key 0600. Their names and form stay; a later telepay only adds files and
 * members: authority.json      the authority's public key, in the form of data/capk.json
 *   authority.key       its private key, PKCS#8 DER
 *   issuer.json         {"version": 1, "rid": hex, "index": hex, "iin": digits, "country": number,
 * "expiry": "YYYY-MM-DD", "authority_expiry": the same, "certificate", "remainder",
 * "expired_certificate", "expired_remainder": hex} issuer.key          the issuer's private key,
 * PKCS#8 DER issuer.secret       48 bytes: issuer master keys of two-key triple DES, 16 bytes each
 * with odd parity: AC (cryptograms), SMI (MAC of scripts), SMC (encipherment in scripts); for CVN
 * 10, CVN 18 and the Common Core Definitions with 3DES issuer-aes.secret   48 bytes: the same three
 * as AES-128 keys, for the Common Core Definitions with AES; a scheme made before telepay 0.2 has
 * none A scheme with elliptic curves has authority.json with its key too (table 31), issuer.json a
 * member "ec": {"index", "suite", "certificate", "expired_certificate": hex}, and
 * authority-ec.key, issuer-ec.key: the secret scalars, as many bytes as a coordinate has.
 * authority.json is written last: where it stands, the scheme is whole. */
#ifndef TP_SIMCARD_SCHEME_H
#define TP_SIMCARD_SCHEME_H

#include "crypto/ecmake.h"
#include "crypto/emvmake.h"

#define SCHEME_RID  "F000000014"
#define SCHEME_AID  "F0000000141010"
#define SCHEME_IIN  "999014"
#define SCHEME_NAME "TELEPAY TEST"
#define TEST_NUMBERS                                                                               \
    "999" /* no issuer's: a number with 9 goes on with a country (ISO/IEC 7812-1), and 999 is none \
             of ISO 3166-1 */

struct scheme_params { /* scheme_defaults fills it */
    unsigned authority_bits, issuer_bits, exponent;
    const char *iin;       /* 6 or 8 digits */
    bool live_identifiers; /* iin may be a real issuer's */
    uint8_t index;         /* of the authority's key; that of its elliptic curve has the next one */
    unsigned country;
    unsigned suite; /* algorithm suite of elliptic curves, 10 or 11 in hexadecimal; 0: none */
};

struct scheme_ec { /* the same two by elliptic curves */
    struct ec_authority_key authority;
    struct ec_privkey issuer;
    struct {
        uint8_t p[EC_CERT_MAX];
        size_t n;
    } cert, expired_cert;
};

struct scheme {
    uint8_t rid[5];
    uint8_t index;
    char iin[9];
    unsigned country;
    int authority_expiry, issuer_expiry; /* YYYYMMDD */
    struct emv_privkey *authority, *issuer;
    struct emv_cert_made issuer_cert, expired_issuer_cert;
    struct secret ac_key, smi_key, smc_key; /* triple DES */
    struct secret ac_aes_key, smi_aes_key,
        smc_aes_key;     /* empty in a scheme of before telepay 0.2 */
    struct scheme_ec ec; /* without certificate: none */
    uint8_t ec_suite;    /* of both its keys */
};

void scheme_defaults(struct scheme_params *p);

/* In memory, for tests and load programs. */
TP_MUST_CHECK enum tp_err scheme_new(struct scheme **out, const struct scheme_params *p,
                                     struct tp_error *e);
void scheme_free(struct scheme **s);

/* TP_ERR_EXISTS rather than over a scheme that is there. */
TP_MUST_CHECK enum tp_err scheme_save(const struct scheme *s, const char *dir, struct tp_error *e);
TP_MUST_CHECK enum tp_err scheme_load(struct scheme **out, const char *dir, struct tp_error *e);

/* Writes the public key of the authority in the form of data/capk.json. */
TP_MUST_CHECK enum tp_err scheme_save_authority(const struct scheme *s, const char *path,
                                                struct tp_error *e);

#endif
