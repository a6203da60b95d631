/* Symmetric keys and application cryptograms: EMV 4.4 Book 2, 8 and Annex A1. 3DES, ISO/IEC 9797-1 algorithm 3. */
#ifndef TP_CRYPTO_CRYPTOGRAM_H
#define TP_CRYPTO_CRYPTOGRAM_H

#include "base/secret.h"
#include "base/span.h"

#define EMV_KEY_SIZE 16 /* two-key triple DES */

/* The kinds of card that issuers make: Visa's cryptogram version numbers 10 (0A) and 18 (12), the Common Core Definitions' common core identifiers A5
 * and A6 (Book 3, Annex C). */
enum emv_cvn { EMV_CVN_10, EMV_CVN_18, EMV_CCD_3DES, EMV_CCD_AES, EMV_CVN_COUNT };

/* ICC master key from an issuer master key, option A: Book 2 A1.4.1; pan digits, psn one BCD byte. Odd parity. */
TP_MUST_CHECK enum tp_err emv_master_key_derive(struct secret *icc_key, struct span issuer_key, const char *pan, uint8_t psn);

/* EMV common session key: Book 2 A1.3.1, for an AC: diversified by the ATC. */
TP_MUST_CHECK enum tp_err emv_session_key_derive(struct secret *session, struct span icc_key, const uint8_t atc[2]);

/* The same MAC over data that the caller padded (a multiple of 8, not empty): Visa's CVN 10 pads with zeros, padding method 1. TP_ERR_RANGE. */
TP_MUST_CHECK enum tp_err emv_mac_padded(uint8_t mac[8], struct span key, struct span data);

/* One block under two-key triple DES: key check values, ARPC method 1. */
TP_MUST_CHECK enum tp_err emv_des_encipher(uint8_t out[8], struct span key, const uint8_t in[8]);

/* ISO/IEC 9797-1 MAC algorithm 3 over data, padding method 2, 8 bytes: Book 2 A1.2.1. */
TP_MUST_CHECK enum tp_err emv_mac(uint8_t mac[8], struct span key, struct span data);

#endif
