/* The calculator: PIN blocks, and dynamic card verification values. */
#include "base/text.h"
#include "issuer/calc_priv.h"

#include <string.h>

#include "crypto/dcv.h"
#include "crypto/pinblock.h"

static const char *const formats[PIN_FORMATS] = {"ISO 9564-1, format 0", "ISO 9564-1, format 1",
                                                 "ISO 9564-1, format 2", "ISO 9564-1, format 3",
                                                 "ISO 9564-1, format 4"};

/* ---- PIN blocks ---- */

static enum tp_err visa_block(struct calc *c, struct tp_error *e)
{
    struct secret block = {NULL, 0};
    enum tp_err r = calc_master(c, CALC_USE_AC, e);

    if (r != TP_OK)
        return r;
    r = pin_block_visa_make(&block, secret_span(&c->key[CALC_CARD_KEY][CALC_USE_AC]),
                            secret_span(&c->pin), secret_span(&c->current_pin));
    r = r == TP_OK ? calc_put(c, "PIN block", "VIS, C: PIN XOR master key AC, bytes 5 to 8",
                              secret_span(&block))
                   : tp_fail(e, TP_ERR_USAGE, "a PIN has 4 to 12 digits");
    secret_free(&block);
    return r;
}

static bool bound_to_pan(int format)
{
    return format == 0 || format == 3 || format == 4;
}

static enum tp_err need_pan(const struct calc *c, struct tp_error *e)
{
    const size_t min = c->pin_format == 4 ? 1 : 13, n = strlen(c->pan);

    return !bound_to_pan(c->pin_format) || n >= min
               ? TP_OK
               : tp_fail(e, TP_ERR_USAGE,
                         "give --pan of %zu digits or more, to which that format binds the PIN",
                         min);
}

/* Format 4 of a PIN's field: with the card number's it is enciphered under the PIN key. */
static enum tp_err put_enciphered(struct calc *c, struct span field, struct tp_error *e)
{
    uint8_t pan_field[PIN_FIELD], block[PIN_FIELD];
    enum tp_err r = pin_pan_field(pan_field, c->pan);

    if (r == TP_OK)
        r = calc_put(c, "PAN field", formats[4], SPAN_OF(pan_field));
    if (r != TP_OK || c->pin_key.p == NULL)
        return r != TP_OK
                   ? r
                   : tp_fail(e, TP_ERR_USAGE,
                             "give pin-key among the keys, an AES key: format 4 has no block "
                             "that is not enciphered");
    r = pin_field_encipher(block, secret_span(&c->pin_key), field, c->pan);
    return r == TP_OK ? calc_put(c, "PIN block", "ISO 9564-1, format 4: enciphered", SPAN_OF(block))
                      : r;
}

static enum tp_err iso_block(struct calc *c, unsigned format, struct tp_error *e)
{
    struct secret block = {NULL, 0};
    uint8_t fill[2 * CALC_VALUE_MAX];
    enum tp_err r = need_pan(c, e);

    for (size_t i = 0; i < 2 * c->fill.n; i++)
        fill[i] = i % 2 == 0 ? c->fill.p[i / 2] >> 4 : c->fill.p[i / 2] & 0x0F;
    if (r != TP_OK)
        return r;
    r = pin_block_iso_make(&block, format, secret_span(&c->pin), c->pan,
                           span_of(fill, 2 * c->fill.n));
    r = r == TP_OK ? calc_put(c, format == 4 ? "PIN field" : "PIN block", formats[format],
                              secret_span(&block))
                   : tp_fail(e, TP_ERR_USAGE,
                             "a PIN has 4 to 12 digits; --fill is what stands behind them: enough "
                             "digits, of format 3 A to F");
    if (r == TP_OK && format == 4)
        r = put_enciphered(c, secret_span(&block), e);
    secret_free(&block);
    return r;
}

enum tp_err calc_pin_block(struct calc *c, struct tp_error *e)
{
    if (c->pin.p == NULL)
        return tp_fail(e, TP_ERR_USAGE, "give pin among the keys");
    return c->pin_format < 0 && c->kind.visa_pin
               ? visa_block(c, e)
               : iso_block(c, c->pin_format < 0 ? 2 : (unsigned)c->pin_format, e);
}

/* The field of format 4 that is in the block. */
static enum tp_err open_block(struct secret *field, struct calc *c, struct tp_error *e)
{
    enum tp_err r = c->pin_key.p != NULL
                        ? pin_field_decipher(field, secret_span(&c->pin_key),
                                             secret_span(&c->pin_block), c->pan)
                        : tp_fail(e, TP_ERR_USAGE, "give pin-key among the keys, an AES key");

    return r == TP_OK ? calc_put(c, "PIN field", formats[4], secret_span(field)) : r;
}

enum tp_err calc_pin(struct calc *c, struct tp_error *e)
{
    const unsigned format = c->pin_format < 0 ? 2 : (unsigned)c->pin_format;
    struct secret digits = {NULL, 0}, field = {NULL, 0};
    enum tp_err r = c->pin_block.p != NULL
                        ? need_pan(c, e)
                        : tp_fail(e, TP_ERR_USAGE, "give pin-block among the keys");

    if (r == TP_OK && format == 4)
        r = open_block(&field, c, e);
    if (r == TP_OK)
        r = pin_block_iso_parse(&digits, format, secret_span(format == 4 ? &field : &c->pin_block),
                                c->pan);
    if (r == TP_ERR_FORMAT)
        r = tp_fail(e, TP_ERR_USAGE, "pin-block is no block of format %u%s", format,
                    bound_to_pan((int)format) ? _(" and of that card") : "");
    if (r == TP_OK)
        r = calc_put_digits(c, "PIN", formats[format], secret_span(&digits));
    secret_free(&field);
    secret_free(&digits);
    return r;
}

/* ---- dynamic card verification values ---- */

/* The data are two bytes, the IVCVC3 of the card, or static track data, from which it comes. */
enum tp_err calc_cvc3(struct calc *c, struct tp_error *e)
{
    char digits[CVC3_DIGITS + 1];
    uint8_t iv[2];
    enum tp_err r = calc_need(&c->atc, 2, 2, "--atc", calc_from_atc, e);

    if (r == TP_OK)
        r = calc_need(&c->un, 4, 4, "--un", calc_from_un, e);
    if (r == TP_OK)
        r = calc_need(&c->data, 2, CALC_VALUE_MAX, "--data",
                      "the card's IVCVC3 (DC or DD), or its static track data", e);
    if (r == TP_OK)
        r = calc_master(c, CALC_USE_CVC3, e);
    if (r != TP_OK)
        return r;
    const struct span key = secret_span(&c->key[CALC_CARD_KEY][CALC_USE_CVC3]);

    memcpy(iv, c->data.p, 2);
    if (c->data.n > 2)
        r = cvc3_iv(iv, key, calc_given(&c->data));
    if (r == TP_OK)
        r = calc_put(c, "IVCVC3", "Mastercard: last 2 bytes of the MAC of the track", SPAN_OF(iv));
    if (r == TP_OK)
        r = cvc3_make(digits, key, iv, c->un.p, c->atc.p);
    return r == TP_OK ? calc_put_digits(c, "CVC3", "Mastercard: IVCVC3, UN, ATC enciphered",
                                        span_str(digits))
                      : r;
}

enum tp_err calc_dcvv(struct calc *c, struct tp_error *e)
{
    char digits[DCVV_DIGITS + 1];
    enum tp_err r = calc_need(&c->atc, 2, 2, "--atc", calc_from_atc, e);

    if (r == TP_OK && (c->expiry == NULL || c->service == NULL))
        r = tp_fail(e, TP_ERR_USAGE,
                    "give --expiry (YYMM) and --service (three digits), as on the track");
    if (r == TP_OK)
        r = calc_master(c, CALC_USE_DCVV, e);
    if (r == TP_OK && strlen(c->pan) < 12)
        r = tp_fail(e, TP_ERR_USAGE, "give --pan of 12 digits or more, which the dCVV covers");
    if (r == TP_OK)
        r = dcvv_make(digits, secret_span(&c->key[CALC_CARD_KEY][CALC_USE_DCVV]), c->pan, c->expiry,
                      c->service, c->atc.p);
    return r == TP_OK ? calc_put_digits(c, "dCVV", "Visa: CVV, the ATC for the first four digits",
                                        span_str(digits))
           : r == TP_ERR_FORMAT
               ? tp_fail(e, TP_ERR_USAGE, "--expiry takes YYMM, --service three digits")
               : r;
}
