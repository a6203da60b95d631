/* Symmetric keys, application cryptograms and issuer authentication: EMV 4.4 Book 2, 8 and Annexes
 * A1, A2. All keys are 16 bytes.
 *
 * Four kinds of card, as issuers make them, and each function takes which one it is. What differs:
 *
 *  kind      block  ICC master key            session key of the AC      padding, MAC of the AC
 * ARPC             session keys of scripts CVN 10    3DES   option A                  none: the
 * master key       zeros, algorithm 3         method 1 (10 B)  Visa: XOR with the ATC CVN 18 3DES
 * option A                  common, from the ATC       80 00…, algorithm 3        method 2 Visa:
 * XOR with the ATC CCD 3DES  3DES   A, B over 16 PAN digits   common, from the ATC       80 00…,
 * algorithm 3        method 2         common, from the AC CCD AES   AES    option C common, from
 * the ATC       CMAC                       method 2         common, from the AC
 *
 * CVN 10 and 18 are Visa's (VIS, Appendix D); that CVN 18 keeps Visa's session keys for scripts is
 * what tests/vectors/application-cryptograms.json holds. */
#ifndef TP_CRYPTO_CRYPTOGRAM_H
#define TP_CRYPTO_CRYPTOGRAM_H

#include "crypto/cipher.h"

enum emv_cvn { EMV_CVN_10, EMV_CVN_18, EMV_CCD_3DES, EMV_CCD_AES, EMV_CVN_COUNT };

/* "10", "18", "ccd-3des", "ccd-aes": for options, files and people. emv_cvn_parse:
 * TP_ERR_NOT_FOUND. */
const char *emv_cvn_name(enum emv_cvn cvn);
TP_MUST_CHECK enum tp_err emv_cvn_parse(enum emv_cvn *out, const char *name);

enum emv_cipher emv_cvn_cipher(enum emv_cvn cvn);
size_t emv_cvn_block(enum emv_cvn cvn); /* 8 or 16 */

/* The block (triple DES: its left block; the right one is its complement) that diversifies an
 * issuer's key for a card: Book 2, A1.4.1 to A1.4.3. pan: digits; psn: one BCD byte, 00 when the
 * card has none. TP_ERR_FORMAT. */
TP_MUST_CHECK enum tp_err emv_diversifier(uint8_t out[EMV_BLOCK_MAX], enum emv_cvn cvn,
                                          const char *pan, uint8_t psn);

/* ICC master key from an issuer master key. Odd parity for triple DES. *icc_key is the caller's to
 * free; empty on an error. */
TP_MUST_CHECK enum tp_err emv_master_key_derive(struct secret *icc_key, enum emv_cvn cvn,
                                                struct span issuer_key, const char *pan,
                                                uint8_t psn);

/* The key of application cryptogram and ARPC: Book 2, A1.3.1 with R = ATC 00 00…; CVN 10: a copy of
 * the master key. */
TP_MUST_CHECK enum tp_err emv_session_key_ac(struct secret *session, enum emv_cvn cvn,
                                             struct span icc_key, const uint8_t atc[2]);

/* The key of script MACs, or (from the other master key) of script encipherment: CVN 10 and 18: the
 * master key XOR ATC (right half: its complement); CCD: Book 2, A1.3.1 with R = the AC of the first
 * GENERATE AC. */
TP_MUST_CHECK enum tp_err emv_session_key_sm(struct secret *session, enum emv_cvn cvn,
                                             struct span icc_key, const uint8_t atc[2],
                                             const uint8_t ac[8]);

/* The EMV common session key for any R of 8 bytes (AES: followed by zeros): Book 2, A1.3.1. */
TP_MUST_CHECK enum tp_err emv_session_key_common(struct secret *session, enum emv_cipher cipher,
                                                 struct span icc_key, const uint8_t r[8]);

/* ARQC, TC or AAC over data, which is padded here: Book 2, 8.1.2, A1.2. data: the values of 9F02
 * 9F03 9F1A 95 5F2A 9A 9C 9F37 82 9F36, then CVN 10: the CVR; else the whole value of 9F10 (8.1.1,
 * table 28; CCD: table CCD 3). */
TP_MUST_CHECK enum tp_err emv_ac_make(uint8_t ac[8], enum emv_cvn cvn, struct span session,
                                      struct span data);

/* Method 1: Book 2, 8.2.1; arc: 8A. With AES the block is filled up with zeros and the leftmost 8
 * bytes are the ARPC. 91 = ARPC, ARC. */
TP_MUST_CHECK enum tp_err emv_arpc_1(uint8_t arpc[8], enum emv_cvn cvn, struct span session,
                                     const uint8_t ac[8], const uint8_t arc[2]);

/* Method 2: Book 2, 8.2.2; proprietary: 0 to 8 bytes. 91 = ARPC, CSU, proprietary authentication
 * data. TP_ERR_RANGE. */
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
