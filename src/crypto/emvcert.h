/* Recovery and checking of EMV certificates and signatures: EMV 4.4 Book 2, 5 (static), 6 (dynamic,
 * combined), 7 (PIN key). A check that fails is an outcome that names the failed step; errors (enum
 * tp_err) are left for what is not the data's fault. */
#ifndef TP_CRYPTO_EMVCERT_H
#define TP_CRYPTO_EMVCERT_H

#include "crypto/ec.h"
#include "crypto/rsa.h"

enum emv_check { /* in the order of the steps of Book 2, 5.3, 5.4, 6.4, 6.5.2, 6.6.2 */
                 EMV_CHECK_OK = 0,
                 EMV_CHECK_DATA_MISSING, /* a data object the step needs is absent */
                 EMV_CHECK_LENGTH,       /* length differs from the key's modulus */
                 EMV_CHECK_TRAILER,      /* BC */
                 EMV_CHECK_HEADER,       /* 6A */
                 EMV_CHECK_FORMAT,       /* 01 … 05 */
                 EMV_CHECK_HASH,         /* recomputed hash differs */
                 EMV_CHECK_IDENTIFIER, /* issuer identifier does not match the PAN, or the recovered
                                          PAN is another */
                 EMV_CHECK_EXPIRED,   /* the certificate's last day is before the transaction's date
                                       */
                 EMV_CHECK_REVOKED,   /* RID, index and serial are on the revocation list */
                 EMV_CHECK_ALGORITHM, /* hash or key algorithm indicator not 01 */
                 EMV_CHECK_KEY,       /* the recovered key is unusable: size, exponent */
                 EMV_CHECK_DYNAMIC_DATA, /* ICC dynamic data too short or its own lengths disagree
                                          */
                 EMV_CHECK_CID,          /* CID in the signature differs from 9F27 */
                 EMV_CHECK_DATA_HASH,    /* transaction data hash code differs */
                 EMV_CHECK_NO_KEY, /* the terminal has no authority key of that RID and index: Book
                                      2, 5.2 */
                 EMV_CHECK_NO_UN,  /* no DDOL, or none that asks for the unpredictable number: Book
                                      2, 6.5.1 */
                 /* of elliptic curves alone: Book 2, 12.3 to 12.5 */
                 EMV_CHECK_AUTHORITY, /* the certificate names another authority key */
                 EMV_CHECK_SIGNATURE, /* EC-SDSA does not verify */
                 EMV_CHECK_COUNT
};
const char *emv_check_name(enum emv_check c); /* "HASH": the second half of the names of DE 44 */
const char *emv_check_text(enum emv_check c); /* a sentence's end: "its hash does not match" */

struct emv_cert_info {   /* what an issuer or ICC certificate says */
    char identifier[20]; /* IIN digits (issuer), PAN digits (ICC) */
    int expiry;          /* last day, YYYYMMDD */
    uint8_t serial[3];
    struct emv_pubkey *key; /* NULL unless EMV_CHECK_OK; the caller's to free */
    int expiry_time;        /* HHMM in UTC, of a card's certificate by crypto/eccert.h */
    struct ec_pubkey ec;    /* the key of certificates by crypto/eccert.h */
};

/* Issuer certificate (tag 90), remainder (92, may be empty), exponent (9F32), under the authority
 * key; format 02, Book 2 5.3 and 6.3. pan: digits the identifier must lead; date: YYYYMMDD of the
 * transaction. */
TP_MUST_CHECK enum tp_err emv_issuer_cert_check(enum emv_check *outcome, struct emv_cert_info *info,
                                                struct emv_pubkey *authority, struct span cert,
                                                struct span remainder, struct span exponent,
                                                const char *pan, int date);

/* Whether an issuer identifier is one for that card number: its leftmost 3 to 8 digits (Book
 * 2, 6.3, step 8), with elliptic curves 3 to 10 (12.3, step 4). */
bool emv_issuer_covers(const char *identifier, const char *pan);

enum emv_icc_key {
    EMV_ICC_KEY,
    EMV_ICC_PIN_KEY
}; /* 9F46-48 with static data, or 9F2D-2F without; Book 2 6.4, 7.1 */

/* static_data: the static data to be authenticated of Book 2 6.4 step 5 (records, then the AIP when
 * 9F4A asks for it); empty for the PIN key. */
TP_MUST_CHECK enum tp_err emv_icc_cert_check(enum emv_check *outcome, struct emv_cert_info *info,
                                             enum emv_icc_key which, struct emv_pubkey *issuer,
                                             struct span cert, struct span remainder,
                                             struct span exponent, struct span static_data,
                                             const char *pan, int date);

/* Signed Static Application Data (93), format 03, Book 2 5.4. dac receives the Data Authentication
 * Code (9F45). */
TP_MUST_CHECK enum tp_err emv_ssad_check(enum emv_check *outcome, uint8_t dac[2],
                                         struct emv_pubkey *issuer, struct span ssad,
                                         struct span static_data);

struct emv_dynamic { /* what an SDAD was found to hold; spans point into `recovered` */
    uint8_t recovered[EMV_RSA_MAX];
    struct span icc_dynamic_number; /* 9F4C; empty when DDA data of another shape hold none */
    uint8_t cid;                    /* CDA only */
    struct span ac;                 /* CDA only, 8 bytes */
    struct span data_hash;          /* CDA only: transaction data hash code, 20 bytes */
};

/* SDAD of INTERNAL AUTHENTICATE, format 05, Book 2 6.5.2. ddol_values: the terminal dynamic data
 * sent. */
TP_MUST_CHECK enum tp_err emv_dda_check(enum emv_check *outcome, struct emv_dynamic *out,
                                        struct emv_pubkey *icc, struct span sdad,
                                        struct span ddol_values);

/* SDAD of GENERATE AC, Book 2 6.6.2. un: the 4 bytes of 9F37; cid: 9F27 as the card gave it;
 * hashed: the concatenation that the transaction data hash code runs over, in order, at most
 * EMV_CDA_PARTS parts: PDOL values, CDOL1 values, (CDOL2 values,) response objects without 9F4B as
 * received. */
#define EMV_CDA_PARTS 64
TP_MUST_CHECK enum tp_err emv_cda_check(enum emv_check *outcome, struct emv_dynamic *out,
                                        struct emv_pubkey *icc, struct span sdad, struct span un,
                                        uint8_t cid, const struct span *hashed, size_t parts);

#endif
