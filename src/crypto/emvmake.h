/* Making of what emvcert.h checks: the certification authority's, the issuer's and the card's side.
 * EMV 4.4 Book 2, 5, 6, 7. */
#ifndef TP_CRYPTO_EMVMAKE_H
#define TP_CRYPTO_EMVMAKE_H

#include "crypto/emvcert.h"

struct emv_cert_made { /* sizes as given; the exponent is the public key's own */
    uint8_t cert[EMV_RSA_MAX];
    size_t cert_n;
    uint8_t remainder[EMV_RSA_MAX];
    size_t remainder_n; /* 0: all of the modulus is in the certificate */
};

TP_MUST_CHECK enum tp_err emv_issuer_cert_make(struct emv_cert_made *out,
                                               struct emv_privkey *authority,
                                               struct emv_pubkey *issuer, const char *iin,
                                               int expiry, const uint8_t serial[3]);
TP_MUST_CHECK enum tp_err emv_icc_cert_make(struct emv_cert_made *out, enum emv_icc_key which,
                                            struct emv_privkey *issuer, struct emv_pubkey *icc,
                                            struct span static_data, const char *pan, int expiry,
                                            const uint8_t serial[3]);
/* out has room for the issuer's modulus size */
TP_MUST_CHECK enum tp_err emv_ssad_make(uint8_t *out, struct emv_privkey *issuer,
                                        const uint8_t dac[2], struct span static_data);

/* SDAD over ICC dynamic data as given (for DDA: length byte and ICC dynamic number; for CDA also
 * CID, AC and transaction data hash code) and the terminal's dynamic data; out has room for the
 * card key's modulus size. TP_ERR_RANGE when the data do not fit the key. */
TP_MUST_CHECK enum tp_err emv_sdad_make(uint8_t *out, struct emv_privkey *icc,
                                        struct span icc_dynamic_data, struct span terminal_data);

#endif
