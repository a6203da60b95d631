#include "apdu/dol.h"

#include "apdu/emvtags.h"

#define DOL_BYTES_MAX 252 /* of any data object of the card: Book 3, 7.5 and Annex A */

enum tp_err dol_next(struct span *in, struct dol_entry *out)
{
    struct span s = *in;
    struct dol_entry found;
    enum tp_err r = tlv_next_tag(&s, &found.tag);

    if (r != TP_OK)
        return r;
    if (span_u8(&s, &found.length) != TP_OK)
        return TP_ERR_FORMAT;
    *out = found;
    *in = s;
    return TP_OK;
}

enum tp_err dol_length(struct span dol, size_t *out)
{
    struct dol_entry entry;
    size_t total = 0;
    enum tp_err r;

    if (dol.n > DOL_BYTES_MAX)
        return TP_ERR_FORMAT;
    for (unsigned i = 0; (r = dol_next(&dol, &entry)) == TP_OK; i++) {
        if (i >= DOL_ENTRIES_MAX)
            return TP_ERR_FORMAT;
        total += entry.length;
    }
    if (r != TP_ERR_NOT_FOUND)
        return r;
    *out = total;
    return TP_OK;
}

/* Book 3, 5.4, step 2. out has room. */
static enum tp_err put_value(struct buf *out, const struct dol_entry *entry, struct span value)
{
    const struct emv_tag *known = emv_tag_find(entry->tag);
    const enum emv_format format = known == NULL ? EMV_B : known->format;
    const size_t missing = entry->length > value.n ? entry->length - value.n : 0;
    enum tp_err r;

    if (value.n == 0 || tlv_constructed(entry->tag))
        return buf_fill(out, 0, entry->length);
    if (value.n > entry->length) {
        if (format == EMV_N) /* the least significant digits stay */
            value.p += value.n - entry->length;
        value.n = entry->length;
    }
    if (format == EMV_N) {
        r = buf_fill(out, 0, missing);
        return r == TP_OK ? buf_put(out, value) : r;
    }
    r = buf_put(out, value);
    return r == TP_OK ? buf_fill(out, format == EMV_CN ? 0xFF : 0x00, missing) : r;
}

enum tp_err dol_build(struct buf *out, struct span dol, dol_lookup *lookup, void *ctx)
{
    struct dol_entry entry;
    size_t total;
    enum tp_err r = dol_length(dol, &total);

    if (r != TP_OK)
        return r;
    if (out->cap - out->n < total)
        return TP_ERR_RANGE;
    while ((r = dol_next(&dol, &entry)) == TP_OK) {
        r = put_value(out, &entry, lookup(ctx, entry.tag));
        if (r != TP_OK)
            return r;
    }
    return r == TP_ERR_NOT_FOUND ? TP_OK : r;
}

enum tp_err dol_extract(struct span dol, struct span values, uint32_t tag, struct span *out)
{
    struct dol_entry entry;
    struct span value;
    size_t total;
    enum tp_err r = dol_length(dol, &total);

    if (r != TP_OK)
        return r;
    if (total != values.n)
        return TP_ERR_FORMAT;
    while ((r = dol_next(&dol, &entry)) == TP_OK) {
        if (span_take(&values, entry.length, &value) != TP_OK)
            return TP_ERR_FORMAT;
        if (entry.tag == tag) {
            *out = value;
            return TP_OK;
        }
    }
    return r;
}
