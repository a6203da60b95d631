#include "crypto/pinblock.h"

#include <openssl/rand.h>
#include <string.h>

#include "base/mask.h"
#include "crypto/cipher.h"

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

/* ---- ISO 9564-1 ---- */

enum fill { FILL_F, FILL_A, FILL_LETTERS, FILL_ANY };

/* Control digit, length, the PIN, what fills 14 digits; then XOR twelve digits of the card number,
 * or 16 digits more. */
static const struct {
    enum fill fill;
    bool pan, field;
} formats[PIN_FORMATS] = {
    {FILL_F, true, false},       {FILL_ANY, false, false}, {FILL_F, false, false},
    {FILL_LETTERS, true, false}, {FILL_A, false, true},
};

#define PIN_ROOM 14 /* digits behind control and length */

static uint8_t get_digit(const uint8_t *block, size_t i)
{
    return i % 2 == 0 ? block[i / 2] >> 4 : block[i / 2] & 0x0F;
}

static void set_digit(uint8_t *block, size_t i, uint8_t digit)
{
    block[i / 2] =
        (uint8_t)(i % 2 == 0 ? digit << 4 | (block[i / 2] & 0x0F) : digit | (block[i / 2] & 0xF0));
}

static bool fills(enum fill fill, uint8_t digit)
{
    return fill == FILL_F         ? digit == 0x0F
           : fill == FILL_A       ? digit == 0x0A
           : fill == FILL_LETTERS ? digit >= 0x0A
                                  : true;
}

/* The twelve digits before the check digit, over the last six bytes. */
static enum tp_err cover_pan(uint8_t block[BLOCK], const char *pan)
{
    const size_t n = strlen(pan);

    if (n < 13 || n > PAN_MAX || strspn(pan, "0123456789") != n)
        return TP_ERR_FORMAT;
    for (size_t i = 0; i < 12; i++)
        set_digit(block, 4 + i, get_digit(block, 4 + i) ^ (uint8_t)(pan[n - 13 + i] - '0'));
    return TP_OK;
}

/* The next digit that fills: given, or drawn until it is one that may. */
static enum tp_err next_fill(uint8_t *digit, enum fill fill, struct span given, size_t i)
{
    if (fill == FILL_F || fill == FILL_A) {
        *digit = fill == FILL_F ? 0x0F : 0x0A;
        return TP_OK;
    }
    if (given.n > 0) {
        *digit = i < given.n ? given.p[i] : 0xFF;
        return *digit <= 0x0F && fills(fill, *digit) ? TP_OK : TP_ERR_FORMAT;
    }
    do {
        if (RAND_bytes(digit, 1) != 1)
            return TP_ERR_INTERNAL;
        *digit &= 0x0F;
    } while (!fills(fill, *digit));
    return TP_OK;
}

static enum tp_err put_digits(uint8_t *block, unsigned format, struct span digits, struct span fill)
{
    const size_t end = 2 + PIN_ROOM + (formats[format].field ? 2 * BLOCK : 0);
    size_t filled = 0;
    enum tp_err r = TP_OK;

    set_digit(block, 0, (uint8_t)format);
    set_digit(block, 1, (uint8_t)digits.n);
    for (size_t i = 0; i < digits.n; i++) {
        if (digits.p[i] < '0' || digits.p[i] > '9')
            return TP_ERR_FORMAT;
        set_digit(block, 2 + i, (uint8_t)(digits.p[i] - '0'));
    }
    for (size_t i = 2 + digits.n; i < end && r == TP_OK; i++) {
        const enum fill how = i < 2 + PIN_ROOM ? formats[format].fill : FILL_ANY;
        uint8_t digit = 0;

        r = next_fill(&digit, how, fill, filled);
        filled += how == FILL_ANY || how == FILL_LETTERS;
        set_digit(block, i, digit);
    }
    return r;
}

enum tp_err pin_block_iso_make(struct secret *block, unsigned format, struct span digits,
                               const char *pan, struct span fill)
{
    enum tp_err r;

    *block = (struct secret){NULL, 0};
    if (format >= PIN_FORMATS)
        return TP_ERR_RANGE;
    if (digits.n < PIN_MIN || digits.n > PIN_MAX)
        return TP_ERR_FORMAT;
    r = secret_alloc(block, formats[format].field ? PIN_FIELD : BLOCK);
    if (r == TP_OK)
        r = put_digits(block->p, format, digits, fill);
    if (r == TP_OK && formats[format].pan)
        r = cover_pan(block->p, pan);
    if (r != TP_OK)
        secret_free(block);
    return r;
}

static enum tp_err take_digits(struct secret *digits, unsigned format, const uint8_t *block)
{
    const size_t n = get_digit(block, 1);
    bool bad = false;
    enum tp_err r;

    if (get_digit(block, 0) != format || n < PIN_MIN || n > PIN_MAX)
        return TP_ERR_FORMAT;
    r = secret_alloc(digits, n);
    if (r != TP_OK)
        return r;
    for (size_t i = 0; i < PIN_ROOM; i++) {
        const uint8_t digit = get_digit(block, 2 + i);

        if (i < n)
            digits->p[i] = (uint8_t)('0' + digit);
        bad |= i < n ? digit > 9 : !fills(formats[format].fill, digit);
    }
    if (bad)
        secret_free(digits);
    return bad ? TP_ERR_FORMAT : TP_OK;
}

enum tp_err pin_block_iso_parse(struct secret *digits, unsigned format, struct span block,
                                const char *pan)
{
    uint8_t bare[PIN_FIELD];
    enum tp_err r = TP_OK;

    *digits = (struct secret){NULL, 0};
    if (format >= PIN_FORMATS)
        return TP_ERR_RANGE;
    if (block.n != (formats[format].field ? PIN_FIELD : BLOCK))
        return TP_ERR_FORMAT;
    memcpy(bare, block.p, block.n);
    if (formats[format].pan)
        r = cover_pan(bare, pan);
    if (r == TP_OK)
        r = take_digits(digits, format, bare);
    secret_wipe(bare, sizeof(bare));
    return r;
}

enum tp_err pin_pan_field(uint8_t out[PIN_FIELD], const char *pan)
{
    const size_t n = strlen(pan), zeros = n < 12 ? 12 - n : 0; /* before a short number */

    memset(out, 0, PIN_FIELD);
    if (n < 1 || n > PAN_MAX || strspn(pan, "0123456789") != n)
        return TP_ERR_FORMAT;
    set_digit(out, 0, (uint8_t)(n + zeros - 12));
    for (size_t i = 0; i < n; i++)
        set_digit(out, 1 + zeros + i, (uint8_t)(pan[i] - '0'));
    return TP_OK;
}

enum tp_err pin_field_encipher(uint8_t out[PIN_FIELD], struct span key, struct span field,
                               const char *pan)
{
    uint8_t pan_field[PIN_FIELD];
    enum tp_err r = field.n == PIN_FIELD ? pin_pan_field(pan_field, pan) : TP_ERR_FORMAT;

    if (r == TP_OK)
        r = emv_block_encipher(out, EMV_AES, key, field.p);
    for (size_t i = 0; i < PIN_FIELD && r == TP_OK; i++)
        out[i] ^= pan_field[i];
    return r == TP_OK ? emv_block_encipher(out, EMV_AES, key, out) : r;
}

enum tp_err pin_field_decipher(struct secret *field, struct span key, struct span enciphered,
                               const char *pan)
{
    uint8_t pan_field[PIN_FIELD];
    enum tp_err r = enciphered.n == PIN_FIELD ? pin_pan_field(pan_field, pan) : TP_ERR_FORMAT;

    *field = (struct secret){NULL, 0};
    if (r == TP_OK)
        r = secret_alloc(field, PIN_FIELD);
    if (r == TP_OK)
        r = emv_decipher(field->p, EMV_AES, EMV_ECB, key, enciphered);
    for (size_t i = 0; i < PIN_FIELD && r == TP_OK; i++)
        field->p[i] ^= pan_field[i];
    if (r == TP_OK)
        r = emv_decipher(field->p, EMV_AES, EMV_ECB, key, secret_span(field));
    if (r != TP_OK)
        secret_free(field);
    return r;
}
