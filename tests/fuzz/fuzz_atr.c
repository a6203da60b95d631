/* An answer to reset as a card may send it: what is accepted keeps the bounds of ISO/IEC 7816-3,
 * and a changed byte of one with a check byte is noticed. */
#include "fuzz.h"

#include <string.h>

#include "drivers/atr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t changed[ATR_MAX];
    struct tp_error e;
    struct atr a, b;

    if (atr_parse(&a, span_of(data, size), &e) != TP_OK) {
        HOLDS(e.code == TP_ERR_FORMAT && e.text[0] != '\0');
        return 0;
    }
    HOLDS(size >= 2 && size <= ATR_MAX && a.protocols != 0 && a.first < 15);
    HOLDS(a.ifsc >= 1 && a.ifsc <= 254 && a.bwi <= 9 && a.cwi <= 15 && a.wi > 0 &&
          a.historical.n <= 15);
    HOLDS(a.historical.n == 0 ||
          (a.historical.p >= data && a.historical.p + a.historical.n <= data + size));
    HOLDS(atr_bwt_ms(&a, 1) > 0);
    if (a.protocols == 1)
        return 0;
    memcpy(changed, data, size);
    changed[size - 1] ^= 1;
    HOLDS(atr_parse(&b, span_of(changed, size), NULL) == TP_ERR_FORMAT);
    return 0;
}
