/* The layouts of EMV certificates and signatures, for those that check and those that make them:
 * EMV 4.4 Book 2, tables 6, 7, 14, 17, 22. */
#ifndef TP_CRYPTO_EMVCERT_PRIV_H
#define TP_CRYPTO_EMVCERT_PRIV_H

#include "crypto/emvcert.h"

enum {
    SIGNED_HEADER = 0x6A,
    SIGNED_TRAILER = 0xBC,
    SIGNED_PADDING = 0xBB,
    SIGNED_TAIL = 21, /* hash and trailer */
    FORMAT_ISSUER_CERT = 2,
    FORMAT_SSAD = 3,
    FORMAT_ICC_CERT = 4,
    FORMAT_SDAD = 5,
    ALGORITHM_SHA1 = 1, /* Book 2, B3.1 */
    ALGORITHM_RSA = 1,  /* Book 2, B2.1 */
    CERT_IDENTIFIER_MAX = 10,
    CERT_PARTS_MAX = 3, /* outside a certificate: remainder, exponent, static data */
    SSAD_OVERHEAD = 26, /* all but the padding */
    SDAD_OVERHEAD = 25  /* all but the ICC dynamic data and the padding */
};

/* 6A, format, identifier, MMYY, serial 3, hash algorithm, key algorithm, key length, exponent
 * length, key or its leftmost bytes and BB, hash 20, BC */
struct cert_layout {
    uint8_t format;
    uint8_t identifier; /* bytes: 4 of issuer identifier, 10 of PAN */
    uint8_t overhead;   /* all but the key */
    bool issuer;
};

extern const struct cert_layout cert_issuer, cert_icc;

#endif
