/* BER-TLV: what parses stays inside the input and, written again in the shortest form, parses to
 * the same objects. */
#include "fuzz.h"

#include <string.h>

#include "apdu/tlv.h"

static void rewrite(const struct tlv *t)
{
    const size_t size = tlv_size(t->tag, t->value.n);
    struct buf b = {malloc(size), 0, size};
    struct tlv again;
    struct span s;

    HOLDS(b.p != NULL);
    HOLDS(size <= t->raw.n);
    HOLDS(tlv_put(&b, t->tag, t->value) == TP_OK);
    HOLDS(b.n == size);
    s = buf_span(&b);
    HOLDS(tlv_next(&s, &again) == TP_OK);
    HOLDS(s.n == 0 && again.tag == t->tag && span_eq(again.value, t->value));
    b.n = 0;
    b.cap = size - 1;
    HOLDS(tlv_put(&b, t->tag, t->value) == TP_ERR_RANGE && b.n == 0);
    free(b.p);
}

static void walk(struct span in, unsigned depth)
{
    struct tlv t, found;

    while (tlv_next(&in, &t) == TP_OK) {
        HOLDS(t.value.p >= t.raw.p && t.value.p + t.value.n == t.raw.p + t.raw.n);
        HOLDS(t.raw.p + t.raw.n == in.p);
        rewrite(&t);
        HOLDS(tlv_find(t.raw, t.tag, &found) == TP_OK && found.raw.p == t.raw.p);
        if (tlv_constructed(t.tag) && depth < TLV_DEPTH_MAX)
            walk(t.value, depth + 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct span in = {data, size};
    struct span s = in;
    struct tlv t;
    uint32_t tag;

    walk(in, 1);
    if (tlv_check(in) == TP_OK) { /* then every search comes to an answer */
        HOLDS(tlv_find(in, 0x9F26, &t) != TP_ERR_FORMAT);
        HOLDS(tlv_find_deep(in, 0x5A, &t) != TP_ERR_FORMAT);
    }
    while (tlv_next_tag(&s, &tag) == TP_OK)
        HOLDS(tag > 0 && tag != 0xFF);
    return 0;
}
