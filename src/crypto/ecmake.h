/* Making of what crypto/eccert.h checks: the certification authority's, the issuer's and the card's
 * side. EMV 4.4 Book 2, 11.2 and 12. All append; TP_ERR_RANGE when it does not fit. */
#ifndef TP_CRYPTO_ECMAKE_H
#define TP_CRYPTO_ECMAKE_H

#include "crypto/eccert.h"

struct ec_authority_key { /* an authority's key with what it is called */
    uint8_t rid[5], index;
    struct ec_privkey key;
};

/* Table 29: the key as it is delivered. */
TP_MUST_CHECK enum tp_err ec_authority_make(struct buf *out, const struct ec_authority_key *a);
TP_MUST_CHECK enum tp_err ec_issuer_cert_make(struct buf *out, const struct ec_authority_key *a,
                                              const struct ec_pubkey *issuer, const char *iin,
                                              int expiry, const uint8_t serial[3]);

#define EC_ICC_SERIAL 6
struct ec_icc_wanted { /* what a card's certificate is to say */
    enum emv_icc_key which;
    const struct ec_pubkey *key;
    struct span iccd;
    enum ec_hash hash; /* over iccd */
    int expiry;        /* YYYYMMDD: good to the last minute of that day, in UTC */
    const uint8_t *serial;
};
TP_MUST_CHECK enum tp_err ec_icc_cert_make(struct buf *out, const struct ec_privkey *issuer,
                                           const struct ec_icc_wanted *wanted);
/* Tables 37 and 38; parts as in ec_sdad_check. */
TP_MUST_CHECK enum tp_err ec_sdad_make(struct buf *out, const struct ec_privkey *icc,
                                       const struct span *parts, size_t n);

#endif
