/* Data object lists: the first byte says how long the DOL is, what follows it are values. Building
 * gives as many bytes as the list says, and a value taken out of them is the one that went in. */
#include "fuzz.h"

#include "apdu/dol.h"

static struct span look_up(void *ctx, uint32_t tag)
{
    const struct span *s = ctx;
    const size_t n = tag % 12;

    return (struct span){s->p, n < s->n ? n : s->n};
}

static void extract_all(struct span dol, struct span built)
{
    struct span rest = dol, value;
    struct dol_entry entry;

    while (dol_next(&rest, &entry) == TP_OK) {
        HOLDS(dol_extract(dol, built, entry.tag, &value) == TP_OK);
        HOLDS(value.p >= built.p && value.p + value.n <= built.p + built.n);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t room[DOL_ENTRIES_MAX * 255];
    struct buf b = BUF_OF(room);
    struct span in = {data, size}, dol, value, values;
    uint8_t n;
    size_t total;

    if (span_u8(&in, &n) != TP_OK || span_take(&in, n, &dol) != TP_OK)
        return 0;
    values = in;
    if (dol_length(dol, &total) != TP_OK) {
        HOLDS(dol_build(&b, dol, look_up, &values) == TP_ERR_FORMAT && b.n == 0);
        return 0;
    }
    HOLDS(dol_build(&b, dol, look_up, &values) == TP_OK);
    HOLDS(b.n == total);
    extract_all(dol, buf_span(&b));
    if (total != values.n)
        HOLDS(dol_extract(dol, values, 0x9F37, &value) == TP_ERR_FORMAT);
    else
        extract_all(dol, values);
    return 0;
}
