/* A message as a reader may send it, on the bulk endpoint. */
#include "fuzz.h"

#include "drivers/ccid_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ccid_reply r;
    struct tp_error e;

    if (ccid_message_parse(&r, span_of(data, size)) != TP_OK)
        return 0;
    HOLDS(r.icc <= CCID_ICC_ABSENT && r.command <= CCID_TIME_EXTENSION);
    HOLDS(r.data.p == data + CCID_HEADER && r.data.n <= size - CCID_HEADER);
    HOLDS(ccid_message_fail(&e, &r) != TP_OK && e.text[0] != '\0');
    return 0;
}
