/* Values that are lists of objects without being TLV: DOLs, what they ask for, templates of format
 * 1, and the commands of issuers. */
#include <stdio.h>

#include "apdu/dol.h"
#include "apdu/emvtags.h"
#include "base/text.h"
#include "decode/decode_priv.h"

void decode_learn_values(struct decode *d, struct span dol, struct span values)
{
    struct dol_entry entry;
    struct span value;

    while (dol_next(&dol, &entry) == TP_OK && span_take(&values, entry.length, &value) == TP_OK)
        decode_learn_one(d, entry.tag, value);
}

static void asked(struct listing *l, uint32_t tag, const uint8_t *length)
{
    char text[9];
    json_t *o;

    snprintf(text, sizeof(text), "%02X", tag);
    o = listing_add(l, text, decode_name(tag));
    if (length != NULL)
        listing_set(l, o, "length", json_integer(*length));
}

void listing_dol(struct listing *l, struct span dol, struct span values)
{
    const bool valued = values.p != NULL;
    struct dol_entry entry;
    struct span value;
    enum tp_err r;

    l->values = valued;
    while ((r = dol_next(&dol, &entry)) == TP_OK) {
        if (!valued)
            asked(l, entry.tag, &entry.length);
        else if (span_take(&values, entry.length, &value) == TP_OK)
            listing_add_value(l, entry.tag, value);
        else {
            listing_fault(l, values,
                          ngettext("the list asks for %u byte of %02X, but %zu are left",
                                   "the list asks for %u bytes of %02X, but %zu are left",
                                   entry.length),
                          entry.length, entry.tag, values.n);
            return;
        }
    }
    if (r != TP_ERR_NOT_FOUND)
        listing_fault(l, dol, "the list is cut off");
    else if (valued && values.n > 0)
        listing_fault(l, values,
                      ngettext("%zu byte follows what the list asks for",
                               "%zu bytes follow what the list asks for", values.n),
                      values.n);
}

void listing_tags(struct listing *l, struct span in)
{
    uint32_t tag;

    while (in.n > 0 && tlv_next_tag(&in, &tag) == TP_OK)
        asked(l, tag, NULL);
    if (in.n > 0)
        listing_fault(l, in, "a tag is cut off, or has over four bytes");
}

/* Format 1 has no tags (Book 3, 6.5.5.4 and 6.5.8.4): CID, ATC, AC and IAD, or AIP and AFL. That it
 * is an AFL shows in its entries. */
static bool is_afl(struct span v)
{
    struct span one;

    if (v.n == 0 || v.n % 4 != 0)
        return false;
    while (span_take(&v, 4, &one) == TP_OK)
        if ((one.p[0] & 7) != 0 || one.p[0] == 0 || one.p[1] == 0 || one.p[2] < one.p[1] ||
            one.p[3] > one.p[2] - one.p[1] + 1)
            return false;
    return true;
}

static void format_1(struct listing *l, struct span v)
{
    static const struct {
        uint32_t tag;
        size_t n;
    } parts[] = {{TAG_CID, 1}, {TAG_ATC, 2}, {TAG_AC, 8}};
    struct span one;

    if (v.n >= 2 && is_afl(span_of(v.p + 2, v.n - 2))) {
        listing_add_value(l, TAG_AIP, span_of(v.p, 2));
        listing_add_value(l, TAG_AFL, span_of(v.p + 2, v.n - 2));
        return;
    }
    if (v.n < 11)
        return;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (span_take(&v, parts[i].n, &one) == TP_OK)
            listing_add_value(l, parts[i].tag, one);
    if (v.n > 0)
        listing_add_value(l, TAG_IAD, v);
}

/* The list whose values an object has, if the card's data have it. */
static uint32_t list_of(uint32_t tag)
{
    switch (tag) {
    case 0x83:
    case TAG_EV_PDOL_VALUES:
        return TAG_PDOL;
    case TAG_EV_CDOL1_VALUES:
        return TAG_CDOL1;
    case TAG_EV_CDOL2_VALUES:
        return TAG_CDOL2;
    case TAG_EV_DDOL_VALUES:
        return TAG_DDOL;
    default:
        return 0;
    }
}

static void parts(struct listing *l, uint32_t tag, struct span v, bool of_values)
{
    const struct emv_tag *known = emv_tag_find(tag);
    const struct span list = of_values ? span_of(NULL, 0) : decode_find(l->d, list_of(tag));

    if (tag == TAG_SDA_TAG_LIST)
        listing_tags(l, v);
    else if (known != NULL && known->format == EMV_DOL)
        listing_dol(l, v, span_of(NULL, 0));
    else if (list_of(tag) != 0 && list.n > 0)
        listing_dol(l, list, v);
    else if (tag == TAG_RESPONSE_1)
        format_1(l, v);
    else if (tag == TAG_SCRIPT_COMMAND)
        listing_exchange(l, v, span_of(NULL, 0));
    else if (tag == TAG_EV_RESPONSE)
        listing_tlv(l, v);
}

void listing_parts(struct listing *l, json_t *o, uint32_t tag, struct span v)
{
    struct listing inside = listing_inside(l);

    if (inside.depth < DECODE_DEPTH_MAX)
        parts(&inside, tag, v, l->values);
    if (json_array_size(inside.list) > 0 || inside.failed)
        listing_close(l, o, &inside);
    else
        json_decref(inside.list);
}
