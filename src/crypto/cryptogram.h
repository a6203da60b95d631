/* Symmetric keys, application cryptograms and issuer authentication: EMV 4.4 Book 2, 8 and Annexes
 * A1, A2; and what Visa, Mastercard, Interac and UnionPay make of them.
 *
 * How a kind of card makes them is a row, struct emv_kind; the rows stand in cryptogram.c. Four of
 * them are the kinds that issuers and cards here have (enum emv_cvn); all are for whoever works
 * cryptograms out. Which public vectors hold which row: tests/vectors/calculator.json. */
#ifndef TP_CRYPTO_CRYPTOGRAM_H
#define TP_CRYPTO_CRYPTOGRAM_H

#include "crypto/cipher.h"

enum emv_option { EMV_OPTION_A, EMV_OPTION_B, EMV_OPTION_C }; /* Book 2, A1.4.1 to A1.4.3 */

/* How a session key comes from the card's key. */
enum emv_session {
    EMV_SK_UNKNOWN, /* not public */
    EMV_SK_MASTER,  /* it is the card's key */
    EMV_SK_ATC,     /* Book 2, A1.3.1, R = ATC, zeros */
    EMV_SK_ATC_UN,  /* A1.3.1, R = ATC, 00 00, unpredictable number: M/Chip, Interac */
    EMV_SK_AC,      /* A1.3.1, R = the AC of the first GENERATE AC: scripts */
    EMV_SK_XOR,     /* the card's key XOR ATC, its right half XOR the complement: Visa, scripts */
    EMV_SK_TREE,    /* by ATC down a tree: EMV 4.0 Book 2, A1.3 ("EMV2000") */
    EMV_SK_COMPLEMENT, /* zeros and ATC enciphered, zeros and its complement: PBOC */
    EMV_SK_COUNT
};

/* How script data are padded and enciphered. */
enum emv_encipherment {
    EMV_ENCIPHER_EMV,       /* 80 00... always, CBC: CCD */
    EMV_ENCIPHER_VISA,      /* length byte, 80 00... to a whole block when one is wanted, ECB */
    EMV_ENCIPHER_MASTERCARD /* 80 00... only where the last block is not whole, CBC */
};

struct emv_kind {
    const char *name; /* "18": for options, files and people */
    enum emv_cipher cipher;
    enum emv_option option;
    enum emv_session ac, script;
    bool zero_padded;    /* the data of the AC: zeros only where needed; else 80 00... */
    bool arpc_by_master; /* the card's key makes the ARPC, not the session's */
    bool format_1;       /* of secure messaging: objects, a chain of MACs; else format 2 */
    bool bare;           /* a MAC of format 2 is over the command alone, without ATC and AC */
    bool visa_pin;       /* PIN CHANGE carries Visa's PIN block; else format 2 of ISO 9564-1 */
    enum emv_encipherment encipherment;
    uint8_t branch, height; /* of EMV_SK_TREE, which has as many leaves as branch to the height */
};

enum emv_cvn { EMV_CVN_10, EMV_CVN_18, EMV_CCD_3DES, EMV_CCD_AES, EMV_CVN_COUNT };

const struct emv_kind *emv_kind_of(enum emv_cvn cvn);

/* NULL: no such kind. emv_kind_at: all of them, NULL behind the last. */
const struct emv_kind *emv_kind_find(const char *name);
const struct emv_kind *emv_kind_at(size_t i);

/* Those of enum emv_cvn alone. emv_cvn_parse: TP_ERR_NOT_FOUND. */
const char *emv_cvn_name(enum emv_cvn cvn);
TP_MUST_CHECK enum tp_err emv_cvn_parse(enum emv_cvn *out, const char *name);

enum emv_cipher emv_cvn_cipher(enum emv_cvn cvn);
size_t emv_cvn_block(enum emv_cvn cvn); /* 8 or 16 */

/* The block (its complement makes the right half of a longer key) that diversifies an issuer's key
 * for a card: Book 2, A1.4.1 to A1.4.3. pan: digits; psn: one BCD byte, 00 when the card has none.
 * TP_ERR_FORMAT. */
TP_MUST_CHECK enum tp_err emv_diversifier(uint8_t out[EMV_BLOCK_MAX], enum emv_option option,
                                          const char *pan, uint8_t psn);

/* ICC master key from an issuer master key, as long as that one. Odd parity for triple DES.
 * *icc_key is the caller's to free; empty on an error. TP_ERR_RANGE for the key's size. */
TP_MUST_CHECK enum tp_err emv_kind_master_key(struct secret *icc_key, const struct emv_kind *k,
                                              struct span issuer_key, const char *pan, uint8_t psn);
TP_MUST_CHECK enum tp_err emv_master_key_derive(struct secret *icc_key, enum emv_cvn cvn,
                                                struct span issuer_key, const char *pan,
                                                uint8_t psn);

/* What session keys come from: how is k->ac, k->script or another. What it does not need may be
 * NULL. TP_ERR_NOT_FOUND: EMV_SK_UNKNOWN. */
struct emv_diversity {
    const uint8_t *atc; /* 2 bytes */
    const uint8_t *un;  /* 4 */
    const uint8_t *ac;  /* 8 */
};
TP_MUST_CHECK enum tp_err emv_kind_session_key(struct secret *session, const struct emv_kind *k,
                                               enum emv_session how, struct span icc_key,
                                               const struct emv_diversity *from);

/* The R of EMV_SK_ATC, EMV_SK_ATC_UN and EMV_SK_AC. */
void emv_session_r(uint8_t r[8], enum emv_session how, const struct emv_diversity *from);

/* The key of application cryptogram and ARPC of the four: R = ATC 00 00...; CVN 10: a copy of the
 * master key. */
TP_MUST_CHECK enum tp_err emv_session_key_ac(struct secret *session, enum emv_cvn cvn,
                                             struct span icc_key, const uint8_t atc[2]);

/* The key of script MACs, or (from the other master key) of script encipherment: CVN 10 and 18:
 * EMV_SK_XOR; CCD: EMV_SK_AC. */
TP_MUST_CHECK enum tp_err emv_session_key_sm(struct secret *session, enum emv_cvn cvn,
                                             struct span icc_key, const uint8_t atc[2],
                                             const uint8_t ac[8]);

/* The EMV common session key for any R of 8 bytes (AES: followed by zeros): Book 2, A1.3.1. */
TP_MUST_CHECK enum tp_err emv_session_key_common(struct secret *session, enum emv_cipher cipher,
                                                 struct span icc_key, const uint8_t r[8]);

/* ARQC, TC or AAC over data, which is padded here: Book 2, 8.1.2, A1.2. data: the values of 9F02
 * 9F03 9F1A 95 5F2A 9A 9C 9F37 82 9F36, then what of 9F10 the kind covers (8.1.1, table 28; CCD:
 * table CCD 3; emv_iad_covered). */
TP_MUST_CHECK enum tp_err emv_kind_ac(uint8_t ac[8], const struct emv_kind *k, struct span session,
                                      struct span data);
TP_MUST_CHECK enum tp_err emv_ac_make(uint8_t ac[8], enum emv_cvn cvn, struct span session,
                                      struct span data);

/* Method 1: Book 2, 8.2.1; arc: 8A. With AES the block is filled up with zeros and the leftmost 8
 * bytes are the ARPC. 91 = ARPC, ARC. */
TP_MUST_CHECK enum tp_err emv_cipher_arpc_1(uint8_t arpc[8], enum emv_cipher c, struct span key,
                                            const uint8_t ac[8], const uint8_t arc[2]);
TP_MUST_CHECK enum tp_err emv_arpc_1(uint8_t arpc[8], enum emv_cvn cvn, struct span session,
                                     const uint8_t ac[8], const uint8_t arc[2]);

/* Method 2: Book 2, 8.2.2; proprietary: 0 to 8 bytes. 91 = ARPC, CSU, proprietary authentication
 * data. TP_ERR_RANGE. */
TP_MUST_CHECK enum tp_err emv_cipher_arpc_2(uint8_t arpc[4], enum emv_cipher c, struct span key,
                                            const uint8_t ac[8], const uint8_t csu[4],
                                            struct span proprietary);
TP_MUST_CHECK enum tp_err emv_arpc_2(uint8_t arpc[4], enum emv_cvn cvn, struct span session,
                                     const uint8_t ac[8], const uint8_t csu[4],
                                     struct span proprietary);

/* Card status update, method 2: Book 3, Annex C10 (table CCD 11). */
#define EMV_CSU_PROPRIETARY       0x80 /* byte 1: proprietary authentication data included */
#define EMV_CSU_PIN_TRIES         0x0F /* byte 1: PIN try counter, when byte 2 says to update it */
#define EMV_CSU_APPROVES          0x80 /* byte 2: issuer approves online transaction */
#define EMV_CSU_CARD_BLOCK        0x40
#define EMV_CSU_APPLICATION_BLOCK 0x20
#define EMV_CSU_UPDATE_PIN_TRIES  0x10
#define EMV_CSU_GO_ONLINE         0x08 /* set go online on next transaction */
#define EMV_CSU_PROXY             0x04 /* CSU created by proxy for the issuer */
#define EMV_CSU_COUNTERS          0x03
#define EMV_CSU_COUNTERS_KEEP     0x00
#define EMV_CSU_COUNTERS_TO_UPPER 0x01
#define EMV_CSU_COUNTERS_TO_ZERO  0x02
#define EMV_CSU_COUNTERS_ADD      0x03 /* add transaction to offline counters */

#endif
