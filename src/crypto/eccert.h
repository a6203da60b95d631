/* Certificates and signatures by elliptic curves, checked: EMV 4.4 Book 2, 12 (XDA). As in
 * crypto/emvcert.h a check that fails is an outcome that names the step. */
#ifndef TP_CRYPTO_ECCERT_H
#define TP_CRYPTO_ECCERT_H

#include "crypto/emvcert.h"

#define EC_CERT_MAX (17 + EC_HASH_MAX + EC_FIELD_MAX + EC_SIGNATURE_MAX)

struct ec_authority { /* an authority's key as its scheme delivers it */
    uint8_t rid[5], index;
    struct ec_pubkey key;
};

/* A self-signed authority key: table 29. */
TP_MUST_CHECK enum tp_err ec_authority_check(enum emv_check *outcome, struct ec_authority *out,
                                             struct span self_signed);

/* Issuer certificate, tag 90 (12.3, table 35), under the authority key of that RID and index. pan:
 * digits that the identifier must lead; date: YYYYMMDD of the transaction in UTC. What is on a
 * revocation list is for the caller to say. */
TP_MUST_CHECK enum tp_err ec_issuer_cert_check(enum emv_check *outcome, struct emv_cert_info *info,
                                               const struct ec_authority *authority,
                                               struct span cert, const char *pan, int date);

/* Card certificate (12.4, table 36): 9F46, or 9F2D of a key for ODE. iccd: the issuer certified
 * card data. date, time: YYYYMMDD and HHMM in UTC, before which it must end; date 0: not compared.
 */
TP_MUST_CHECK enum tp_err ec_icc_cert_check(enum emv_check *outcome, struct emv_cert_info *info,
                                            enum emv_icc_key which, const struct ec_pubkey *issuer,
                                            struct span cert, struct span iccd, int date, int time);

/* SDAD of GENERATE AC (12.5, tables 37 and 38). parts: PDOL and CDOL1 values at the first, CDOL2
 * values at the second, then the response's objects without 9F4B as received. */
TP_MUST_CHECK enum tp_err ec_sdad_check(enum emv_check *outcome, const struct ec_pubkey *icc,
                                        struct span sdad, const struct span *parts, size_t n);

#endif
