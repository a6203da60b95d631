/* A class descriptor as a device may send it: what is accepted makes sense. */
#include "fuzz.h"

#include "drivers/ccid_descriptor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ccid_descriptor d;

    if (ccid_descriptor_parse(&d, span_of(data, size)) != TP_OK)
        return 0;
    HOLDS(size == CCID_DESCRIPTOR_SIZE && d.slots >= 1 && d.slots <= 256 &&
          d.level <= CCID_EXTENDED_APDU);
    HOLDS(ccid_level_text(d.level) != NULL);
    if (ccid_descriptor_refusal(&d, 3) == NULL)
        HOLDS(d.level != CCID_CHARACTER && (d.protocols & 3) != 0 &&
              ccid_descriptor_refusal(&d, 1) != NULL);
    return 0;
}
