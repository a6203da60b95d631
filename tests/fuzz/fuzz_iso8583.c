/* Any bytes: the codec refuses them with a sentence, or packs what it understood to the very same
 * bytes. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "wire/iso8583.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct iso8583 m;
    static uint8_t room[ISO8583_MAX];
    struct buf out = BUF_OF(room);
    struct tp_error e = {TP_OK, ""};
    char line[300];

    if (size > ISO8583_MAX)
        return 0;
    if (iso8583_unpack(&m, span_of(data, size), &e) != TP_OK) {
        if (e.text[0] == '\0')
            abort();
        return 0;
    }
    if (iso8583_pack(&out, &m, &e) != TP_OK || !span_eq(buf_span(&out), span_of(data, size)))
        abort();
    if (strlen(iso8583_trace(line, sizeof(line), &m)) >= sizeof(line))
        abort();
    return 0;
}
