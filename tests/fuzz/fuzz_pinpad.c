/* What a reader says of its keypad, in all three forms: a PIN_VERIFY structure built on it keeps
 * the bounds of EMV and of the reader. The first byte chooses. */
#include "fuzz.h"

#include "drivers/pinpad.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct reader_pin ask = {.min = 4, .max = 12, .timeout_s = 60, .language = 0x0409};
    struct pinpad_properties p = {0};
    struct pinpad_features f;
    uint8_t raw[PINPAD_VERIFY_SIZE];
    struct buf out = BUF_OF(raw);
    enum reader_pin_end end;
    enum tp_err r;
    uint16_t sw;

    if (size == 0)
        return 0;
    const struct span in = span_of(data + 1, size - 1);

    switch (data[0] % 4) {
    case 0:
        r = pinpad_features_parse(&f, in);
        HOLDS(r == TP_OK || r == TP_ERR_FORMAT);
        HOLDS(pinpad_can_verify(&f) ==
              (f.verify_direct != 0 || (f.verify_start != 0 && f.verify_finish != 0)));
        return 0;
    case 1:
        r = pinpad_outcome(&end, &sw, in);
        HOLDS((r == TP_OK) == (in.n == 2));
        HOLDS(r != TP_OK || (end == READER_PIN_SENT) == (sw != 0) || sw == 0);
        return 0;
    case 2:
        r = pinpad_tlv_properties_parse(&p, in);
        break;
    default:
        r = pinpad_pin_properties_parse(&p, in);
        break;
    }
    HOLDS(r == TP_OK || r == TP_ERR_FORMAT);
    r = pinpad_verify_build(&out, &ask, &p);
    HOLDS(r == TP_OK ? out.n == PINPAD_VERIFY_SIZE : r == TP_ERR_RANGE && out.n == 0);
    if (r == TP_OK) {
        HOLDS(raw[5] >= raw[6] && raw[5] <= 12 && raw[6] >= 4 && raw[7] != 0 && raw[8] <= 1);
        HOLDS(p.pin_max == 0 || raw[5] <= p.pin_max);
        HOLDS(raw[15] == PINPAD_VERIFY_SIZE - 19 && raw[19] == 0x00 && raw[20] == 0x20);
    }
    return 0;
}
