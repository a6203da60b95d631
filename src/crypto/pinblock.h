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

#endif
