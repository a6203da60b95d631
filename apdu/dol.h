/* Data object lists: EMV 4.4 Book 3, 5.4. Pure. */
#ifndef TP_APDU_DOL_H
#define TP_APDU_DOL_H

#include "apdu/tlv.h"

struct dol_entry {
    uint32_t tag;
    uint8_t length;
};

#define DOL_ENTRIES_MAX 64 /* a DOL is at most 252 bytes; longer lists are refused */

/* The next entry. TP_ERR_NOT_FOUND at the end, TP_ERR_FORMAT. */
TP_MUST_CHECK enum tp_err dol_next(struct span *in, struct dol_entry *out);

/* Number of bytes of the values a DOL asks for. TP_ERR_FORMAT. */
TP_MUST_CHECK enum tp_err dol_length(struct span dol, size_t *out);

/* Appends one value as a terminal puts it for an entry: Book 3, 5.4, steps 2 b to d. TP_ERR_RANGE.
 */
TP_MUST_CHECK enum tp_err dol_put_value(struct buf *out, const struct dol_entry *entry,
                                        struct span value);

/* The value a terminal has for a tag; an empty span when it has none. */
typedef struct span dol_lookup(void *ctx, uint32_t tag);

/* Appends the values in order, each cut or padded to the length asked (Book 3, 5.4: numeric from
 * the left, compressed numeric with F at the right, others with zeros at the right; unknown, absent
 * or constructed tags as zeros). Formats come from emv_tag_find. TP_ERR_FORMAT, TP_ERR_RANGE. */
TP_MUST_CHECK enum tp_err dol_build(struct buf *out, struct span dol, dol_lookup *lookup,
                                    void *ctx);

/* The other way: where the value of `tag` stands in values built from dol. TP_ERR_NOT_FOUND, or
 * TP_ERR_FORMAT when the lengths do not add up to values.n. */
TP_MUST_CHECK enum tp_err dol_extract(struct span dol, struct span values, uint32_t tag,
                                      struct span *out);

#endif
