/* The layouts of certificates and signatures by elliptic curves, for those that check and those
 * that make them: EMV 4.4 Book 2, tables 29, 35, 36, 38. */
#ifndef TP_CRYPTO_ECCERT_PRIV_H
#define TP_CRYPTO_ECCERT_PRIV_H

enum {
    EC_FORMAT_ISSUER = 0x12,
    EC_FORMAT_ICC = 0x14,
    EC_FORMAT_SDAD = 0x15,
    EC_FORMAT_AUTHORITY = 0x20,
    EC_ENCODING = 0x00,
    EC_IDENTIFIER = 5,      /* bytes of an issuer identifier */
    EC_AUTHORITY_FIXED = 9, /* bytes but for x and signature */
    EC_ISSUER_FIXED = 21,   /* the same */
    EC_ICC_FIXED = 17       /* but for hash, x and signature */
};

#endif
