/* Any objects in DE 112 to 127: refused, or what was understood is put and read again the same. */
#include "fuzz.h"
#include "wire/mediation.h"

static uint8_t read_room[MEDIATION_MAX], put_room[MEDIATION_MAX], again_room[MEDIATION_MAX];

static void cut(struct iso8583 *m, struct span bytes)
{
    iso8583_start(m, MTI_FINANCIAL);
    for (unsigned f = MEDIATION_FIRST; bytes.n > 0; f++) {
        const size_t n = bytes.n < 999 ? bytes.n : 999;

        iso8583_set(m, f, span_of(bytes.p, n));
        bytes = span_of(bytes.p + n, bytes.n - n);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct iso8583 m;
    struct buf room = BUF_OF(read_room), put = BUF_OF(put_room), again = BUF_OF(again_room);
    struct mediation one, two;

    if (size == 0 || size - 1 > MEDIATION_MAX)
        return 0;
    cut(&m, span_of(data + 1, size - 1));
    if (mediation_read(&one, &room, &m, data[0] & 1) != TP_OK)
        return 0;
    iso8583_start(&m, MTI_FINANCIAL);
    HOLDS(mediation_put(&m, &put, &one) == TP_OK);
    HOLDS(mediation_read(&two, &again, &m, data[0] & 1) == TP_OK);
    HOLDS(span_eq(one.challenge, two.challenge) && span_eq(one.transaction, two.transaction));
    HOLDS(span_eq(one.device, two.device) && span_eq(one.acknowledgement, two.acknowledgement));
    HOLDS(span_eq(one.answer, two.answer) && one.completes == two.completes);
    return 0;
}
