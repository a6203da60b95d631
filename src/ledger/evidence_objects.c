/* Flat lists of data objects: TLV, values of a DOL, a response, the static data. */
#include "ledger/evidence_priv.h"

#include <string.h>

#include "apdu/dol.h"
#include "apdu/emvtags.h"

void objects_start(struct objects *o)
{
    o->n = 0;
    memset(o->slot, 0, sizeof(o->slot));
}

static inline enum tp_err add(struct objects *o, const struct tlv *t, uint32_t *tag)
{
    const size_t i = objects_slot(o, t->tag);

    *tag = t->tag;
    if (o->slot[i] != 0)
        return TP_ERR_EXISTS;
    if (o->n >= OBJECTS_MAX)
        return TP_ERR_FORMAT;
    o->at[o->n++] = (struct object){t->tag, (uint32_t)(t->raw.n - t->value.n), t->value};
    o->slot[i] = (uint8_t)o->n;
    return TP_OK;
}

/* Bytes of a tag of one or two bytes at the front of in; 0 for anything else (filler, a longer tag,
 * nothing). */
static inline size_t short_tag(const struct span *in, uint32_t *tag)
{
    const uint8_t *p = in->p;

    if (in->n < 2 || p[0] == 0x00 || p[0] == 0xFF)
        return 0;
    *tag = p[0];
    if ((p[0] & 0x1F) != 0x1F)
        return 1;
    *tag = *tag << 8 | p[1];
    return p[1] < 0x80 ? 2 : 0;
}

/* tlv_next for what nearly every object is: a tag of one or two bytes and a length of one, or 81
 * and one; all else is left to tlv_next. Half of the time of a check beside the signature went into
 * reading these. */
enum tp_err objects_next(struct span *in, struct tlv *out)
{
    uint32_t tag = 0;
    size_t head = short_tag(in, &tag);
    struct span value;

    if (in->n == 0)
        return TP_ERR_NOT_FOUND;
    if (head == 0 || in->n < head + 2)
        return tlv_next(in, out);
    if (in->p[head] == 0x81)
        head++;
    else if (in->p[head] >= 0x80)
        return tlv_next(in, out);
    value = (struct span){in->p + head + 1, in->p[head]};
    if (in->n - head - 1 < value.n)
        return tlv_next(in, out);
    *out = (struct tlv){tag, value, {in->p, head + 1 + value.n}};
    in->p += out->raw.n;
    in->n -= out->raw.n;
    return TP_OK;
}

/* dol_next in the same way. */
static inline enum tp_err next_entry(struct span *dol, struct dol_entry *out)
{
    uint32_t tag = 0;
    const size_t n = short_tag(dol, &tag);

    if (dol->n == 0)
        return TP_ERR_NOT_FOUND;
    if (n == 0 || dol->n < n + 1)
        return dol_next(dol, out);
    *out = (struct dol_entry){tag, dol->p[n]};
    dol->p += n + 1;
    dol->n -= n + 1;
    return TP_OK;
}

enum tp_err objects_read(struct objects *o, struct span in, uint32_t *tag)
{
    struct tlv t;
    enum tp_err r;

    while ((r = objects_next(&in, &t)) == TP_OK) {
        r = add(o, &t, tag);
        if (r != TP_OK)
            return r;
    }
    return r == TP_ERR_NOT_FOUND ? TP_OK : r;
}

struct span objects_value(const struct objects *o, uint32_t tag)
{
    const struct object *found = objects_find(o, tag);

    return found != NULL ? found->value : (struct span){NULL, 0};
}

static enum tp_err read_format_1(struct objects *o, struct span value)
{
    static const struct {
        uint32_t tag;
        size_t n;
    } parts[] = {{TAG_CID, 1}, {TAG_ATC, 2}, {TAG_AC, 8}};
    struct tlv t;
    uint32_t tag;
    enum tp_err r = TP_OK;

    for (size_t i = 0; r == TP_OK && i < sizeof(parts) / sizeof(parts[0]); i++) {
        r = span_take(&value, parts[i].n, &t.value) == TP_OK ? TP_OK : TP_ERR_FORMAT;
        t.raw = t.value;
        t.tag = parts[i].tag;
        if (r == TP_OK)
            r = add(o, &t, &tag);
    }
    t = (struct tlv){TAG_IAD, value, value};
    return r == TP_OK && value.n > 0 ? add(o, &t, &tag) : r;
}

enum tp_err response_read(struct objects *o, struct span response)
{
    struct span in = response;
    struct tlv template;
    uint32_t tag;

    if (tlv_next(&in, &template) != TP_OK || in.n != 0 || template.raw.p != response.p)
        return TP_ERR_FORMAT;
    if (template.tag == TAG_RESPONSE_1)
        return read_format_1(o, template.value);
    return template.tag == TAG_RESPONSE_2 ? objects_read(o, template.value, &tag) : TP_OK;
}

/* Takes the AIP from the end once 9F4A was read. Book 2, 5.1.1: 9F4A may hold the tag of the AIP
 * and nothing else. */
static enum tp_err take_aip(const struct objects *o, struct span *aip, struct span *rest)
{
    const struct object *list = objects_find(o, TAG_SDA_TAG_LIST);

    if (list == NULL || list->value.n == 0 || aip->n > 0)
        return TP_OK;
    if (list->value.n != 1 || list->value.p[0] != TAG_AIP || rest->n < 2)
        return TP_ERR_FORMAT;
    rest->n -= 2;
    *aip = span_of(rest->p + rest->n, 2);
    return TP_OK;
}

enum tp_err static_data_read(struct objects *o, struct span *aip, struct span static_data,
                             bool iccd, uint32_t *tag)
{
    struct span in = static_data;
    struct tlv t;
    enum tp_err r;

    *aip = span_of(NULL, 0);
    while ((r = objects_next(&in, &t)) == TP_OK) {
        /* Records of SFI 11 to 30 come in their template (Book 3, 10.3). What is in it is the
         * scheme's or the issuer's and not the terminal's to read: it is signed, and no more. */
        if (t.tag != TAG_RECORD)
            r = add(o, &t, tag);
        if (r == TP_OK && !iccd)
            r = take_aip(o, aip, &in);
        if (r != TP_OK)
            return r;
    }
    if (iccd)
        *aip = objects_value(o, TAG_AIP);
    return r == TP_ERR_NOT_FOUND ? TP_OK : r;
}

enum tp_err dol_values_read(struct objects *o, struct span dol, struct span values)
{
    struct dol_entry entry;
    struct tlv t;
    uint32_t tag;
    enum tp_err r;

    while ((r = next_entry(&dol, &entry)) == TP_OK) {
        t.tag = entry.tag;
        if (values.n < entry.length)
            return TP_ERR_FORMAT;
        t.value = (struct span){values.p, entry.length};
        values.p += entry.length;
        values.n -= entry.length;
        t.raw = t.value;
        r = add(o, &t, &tag);
        if (r != TP_OK && r != TP_ERR_EXISTS) /* a list that asks twice: the first one counts, the
                                                 hash covers both */
            return r;
    }
    return r == TP_ERR_NOT_FOUND && values.n == 0 ? TP_OK : TP_ERR_FORMAT;
}
