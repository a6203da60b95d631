#include "crypto/pinblock.h"

#include <string.h>

#define BLOCK   8
#define CONTROL 2 /* format 2: the block never leaves for a network */
#define VISA    0 /* the same place in Visa's block */
#define KEY     16

static enum tp_err make(struct secret *block, struct span digits, unsigned control)
{
    enum tp_err r = TP_OK;

    *block = (struct secret){NULL, 0};
    if (digits.n < PIN_MIN || digits.n > PIN_MAX)
        return TP_ERR_FORMAT;
    r = secret_alloc(block, BLOCK);
    if (r != TP_OK)
        return r;
    block->p[0] = (uint8_t)(control << 4 | digits.n);
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

static enum tp_err parse(struct secret *digits, struct span block, unsigned control)
{
    uint8_t bad = 0; /* gathered, so that the time does not tell which digit was wrong */
    size_t n = 0;
    enum tp_err r = TP_OK;

    *digits = (struct secret){NULL, 0};
    if (block.n != BLOCK || block.p[0] >> 4 != control)
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

enum tp_err pin_block_make(struct secret *block, struct span digits)
{
    return make(block, digits, CONTROL);
}

enum tp_err pin_block_parse(struct secret *digits, struct span block)
{
    return parse(digits, block, CONTROL);
}

/* What Visa lays over its block: undone by doing it again. */
static enum tp_err cover(uint8_t block[BLOCK], struct span icc_key, struct span current)
{
    if (icc_key.n != KEY)
        return TP_ERR_RANGE;
    if (current.n != 0 && (current.n < PIN_MIN || current.n > PIN_MAX))
        return TP_ERR_FORMAT;
    for (size_t i = 0; i < current.n; i++) {
        const unsigned digit = (unsigned)current.p[i] - '0';

        if (digit > 9)
            return TP_ERR_FORMAT;
        block[i / 2] ^= (uint8_t)(i % 2 == 0 ? digit << 4 : digit);
    }
    for (size_t i = BLOCK / 2; i < BLOCK; i++)
        block[i] ^= icc_key.p[i];
    return TP_OK;
}

enum tp_err pin_block_visa_make(struct secret *block, struct span icc_key, struct span digits,
                                struct span current)
{
    enum tp_err r = make(block, digits, VISA);

    if (r == TP_OK)
        r = cover(block->p, icc_key, current);
    if (r != TP_OK)
        secret_free(block);
    return r;
}

enum tp_err pin_block_visa_parse(struct secret *digits, struct span icc_key, struct span block,
                                 struct span current)
{
    uint8_t bare[BLOCK];
    enum tp_err r = block.n == BLOCK ? TP_OK : TP_ERR_FORMAT;

    *digits = (struct secret){NULL, 0};
    if (r != TP_OK)
        return r;
    memcpy(bare, block.p, BLOCK);
    r = cover(bare, icc_key, current);
    if (r == TP_OK)
        r = parse(digits, SPAN_OF(bare), VISA);
    secret_wipe(bare, sizeof(bare));
    return r;
}
