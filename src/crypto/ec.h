/* Elliptic curves as EMV uses them: the curves and algorithm suites of EMV 4.4 Book 2, B2.2 to
 * B2.4, and the signature EC-SDSA of A2.2 (ISO/IEC 14888-3, optimised). A public key is its x
 * alone: of the two points that have it, the one with the lesser y (B2.2.1 e, B2.2.4). Secret
 * scalars go through OpenSSL's constant-time operations. */
#ifndef TP_CRYPTO_EC_H
#define TP_CRYPTO_EC_H

#include "base/secret.h"
#include "base/span.h"

#define EC_FIELD_MAX     66
#define EC_HASH_MAX      64
#define EC_SIGNATURE_MAX (EC_HASH_MAX + EC_FIELD_MAX)
#define EC_PARTS_MAX     72 /* of a message */

enum ec_hash { EC_SHA256 = 2, EC_SHA512 = 3 }; /* the indicators of table 47 */

/* A curve with its two algorithm suites: tables 48 and 49. */
struct ec_suite {
    uint8_t signature, ode; /* the indicators: 10 and 00, or 11 and 01 */
    enum ec_hash hash;      /* of the signature */
    size_t field_n;         /* bytes of a coordinate, and of s */
    size_t hash_n;          /* and of r */
    int curve;              /* OpenSSL's number */
};

/* NULL: an indicator that is not known here. */
const struct ec_suite *ec_suite_signature(uint8_t indicator);
const struct ec_suite *ec_suite_ode(uint8_t indicator);
size_t ec_signature_size(const struct ec_suite *s);
size_t ec_suite_bits(const struct ec_suite *s); /* of the curve: 256 or 521 */

/* Bytes of a hash; 0: an indicator that is not known here. */
size_t ec_hash_size(uint8_t indicator);
TP_MUST_CHECK enum tp_err ec_hash(uint8_t out[EC_HASH_MAX], uint8_t indicator,
                                  const struct span *parts, size_t n);

struct ec_pubkey { /* a plain value; suite NULL: none */
    const struct ec_suite *suite;
    uint8_t x[EC_FIELD_MAX]; /* the first field_n bytes */
};

struct span ec_pubkey_x(const struct ec_pubkey *k);
/* TP_ERR_RANGE when x has another length, or no point of the curve has it. */
TP_MUST_CHECK enum tp_err ec_pubkey_make(struct ec_pubkey *out, const struct ec_suite *suite,
                                         struct span x);
/* The y that belongs to it, field_n bytes. */
TP_MUST_CHECK enum tp_err ec_pubkey_y(uint8_t out[EC_FIELD_MAX], const struct ec_pubkey *k);

struct ec_privkey {
    struct secret d; /* field_n bytes */
    struct ec_pubkey pub;
};

/* The pair obeys B2.2.4: the y of its public key is below (p+1)/2, so that x alone names it. */
TP_MUST_CHECK enum tp_err ec_privkey_generate(struct ec_privkey *out, const struct ec_suite *suite);
/* From d as it is. TP_ERR_RANGE when it is no private key of the curve. */
TP_MUST_CHECK enum tp_err ec_privkey_make(struct ec_privkey *out, const struct ec_suite *suite,
                                          struct span d);
void ec_privkey_free(struct ec_privkey *k);

/* x of d times the other's point, field_n bytes: what both ends of a key agreement have in common.
 */
TP_MUST_CHECK enum tp_err ec_agree(struct secret *z, const struct ec_privkey *own,
                                   const struct ec_pubkey *other);

/* r and s: ec_signature_size bytes. */
TP_MUST_CHECK enum tp_err ec_sign(uint8_t out[EC_SIGNATURE_MAX], const struct ec_privkey *key,
                                  const struct span *parts, size_t n);
/* The same with k given, as published signatures are worked out again. TP_ERR_RANGE: k is not of 1
 * to the curve's order. */
TP_MUST_CHECK enum tp_err ec_sign_with(uint8_t out[EC_SIGNATURE_MAX], const struct ec_privkey *key,
                                       struct span k, const struct span *parts, size_t n);
/* *good: whether it is the key's signature over the parts, one behind the other. */
TP_MUST_CHECK enum tp_err ec_verify(bool *good, const struct ec_pubkey *key, struct span signature,
                                    const struct span *parts, size_t n);

#endif
