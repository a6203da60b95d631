#include "crypto/pinblock.h"

#define BLOCK   8
#define CONTROL 2 /* format 2: the block never leaves for a network */

enum tp_err pin_block_make(struct secret *block, struct span digits)
{
    enum tp_err r = TP_OK;

    *block = (struct secret){NULL, 0};
    if (digits.n < PIN_MIN || digits.n > PIN_MAX)
        return TP_ERR_FORMAT;
    r = secret_alloc(block, BLOCK);
    if (r != TP_OK)
        return r;
    block->p[0] = (uint8_t)(CONTROL << 4 | digits.n);
    for (size_t i = 1; i < BLOCK; i++)
        block->p[i] = 0xFF;
    for (size_t i = 0; i < digits.n; i++) {
        uint8_t *at = &block->p[1 + i / 2];

        if (digits.p[i] < '0' || digits.p[i] > '9') {
            secret_free(block);
            return TP_ERR_FORMAT;
        }
        const unsigned digit = (unsigned)digits.p[i] - '0';

        *at = (uint8_t)(i % 2 == 0 ? digit << 4 | 0x0FU : (*at & 0xF0U) | digit);
    }
    return TP_OK;
}

enum tp_err pin_block_parse(struct secret *digits, struct span block)
{
    uint8_t bad = 0; /* gathered, so that the time does not tell which digit was wrong */
    size_t n = 0;
    enum tp_err r = TP_OK;

    *digits = (struct secret){NULL, 0};
    if (block.n != BLOCK || block.p[0] >> 4 != CONTROL)
        return TP_ERR_FORMAT;
    n = block.p[0] & 0x0F;
    if (n < PIN_MIN || n > PIN_MAX)
        return TP_ERR_FORMAT;
    r = secret_alloc(digits, n);
    if (r != TP_OK)
        return r;
    for (size_t i = 0; i < 2 * (BLOCK - 1); i++) {
        const uint8_t nibble = i % 2 == 0 ? block.p[1 + i / 2] >> 4 : block.p[1 + i / 2] & 0x0F;

        if (i < n) {
            bad |= nibble > 9;
            digits->p[i] = (uint8_t)('0' + nibble);
        } else {
            bad |= nibble != 0x0F;
        }
    }
    if (bad != 0) {
        secret_free(digits);
        return TP_ERR_FORMAT;
    }
    return TP_OK;
}
