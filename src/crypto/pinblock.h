/* PIN blocks: ISO 9564-1 format 2, as the VERIFY command takes it (EMV 4.4 Book 3, table 24). */
#ifndef TP_CRYPTO_PINBLOCK_H
#define TP_CRYPTO_PINBLOCK_H

#include "base/secret.h"

#define PIN_MIN 4
#define PIN_MAX 12

/* 8 bytes "2N PP PP FF…" into locked memory from 4 to 12 ASCII digits. TP_ERR_FORMAT otherwise. */
TP_MUST_CHECK enum tp_err pin_block_make(struct secret *block, struct span digits);

/* The digits of a block. TP_ERR_FORMAT. */
TP_MUST_CHECK enum tp_err pin_block_parse(struct secret *digits, struct span block);

#endif
