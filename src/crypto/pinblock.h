/* PIN blocks: ISO 9564-1 format 2, as the VERIFY command takes it (EMV 4.4 Book 3, table 25) and
 * PIN CHANGE of the Common Core Definitions carries it; and Visa's, which PIN CHANGE of CVN 10 and
 * 18 carries. */
#ifndef TP_CRYPTO_PINBLOCK_H
#define TP_CRYPTO_PINBLOCK_H

#include "base/secret.h"

#define PIN_MIN 4
#define PIN_MAX 12

/* 8 bytes "2N PP PP FF…" into locked memory from 4 to 12 ASCII digits. TP_ERR_FORMAT otherwise. */
TP_MUST_CHECK enum tp_err pin_block_make(struct secret *block, struct span digits);

/* The digits of a block. TP_ERR_FORMAT. */
TP_MUST_CHECK enum tp_err pin_block_parse(struct secret *digits, struct span block);

/* Visa's (VIS, Appendix C: PIN data generation): 0N PP PP FF… XOR 00000000 and the 4 rightmost
 * bytes of the left half of the card's master key for cryptograms (icc_key, 16 bytes), XOR, for P2
 * = 01, the digits of the current PIN followed by zeros. current: empty for P2 = 02. TP_ERR_FORMAT;
 * TP_ERR_RANGE for the key. */
TP_MUST_CHECK enum tp_err pin_block_visa_make(struct secret *block, struct span icc_key,
                                              struct span digits, struct span current);
TP_MUST_CHECK enum tp_err pin_block_visa_parse(struct secret *digits, struct span icc_key,
                                               struct span block, struct span current);

/* The formats of ISO 9564-1, in the clear: 0, 1, 2, 3 are blocks of 8 bytes, 4 is the PIN field of
 * 16. pan: of it 0 and 3 take the twelve digits before the check digit; else not looked at. fill:
 * digits of 0 to 15, one a byte, for what 1 (any), 3 (10 to 15) and 4 (16 of them) fill up with by
 * chance; empty: drawn. TP_ERR_FORMAT; TP_ERR_RANGE for another format. */
#define PIN_FORMATS 5
TP_MUST_CHECK enum tp_err pin_block_iso_make(struct secret *block, unsigned format,
                                             struct span digits, const char *pan, struct span fill);
TP_MUST_CHECK enum tp_err pin_block_iso_parse(struct secret *digits, unsigned format,
                                              struct span block, const char *pan);

/* The PAN field of format 4 (9.4.2.3): 1 to 19 digits; and what both fields make under an AES key
 * (9.4.2.4), and back. TP_ERR_FORMAT; TP_ERR_RANGE for the key. */
#define PIN_FIELD 16
TP_MUST_CHECK enum tp_err pin_pan_field(uint8_t out[PIN_FIELD], const char *pan);
TP_MUST_CHECK enum tp_err pin_field_encipher(uint8_t out[PIN_FIELD], struct span key,
                                             struct span field, const char *pan);
TP_MUST_CHECK enum tp_err pin_field_decipher(struct secret *field, struct span key,
                                             struct span enciphered, const char *pan);

#endif
