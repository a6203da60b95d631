/* BER-TLV as EMV uses it: EMV 4.4 Book 3, Annex B. Tags of up to four bytes (EMV
 * itself has two; what issuers add may have more), definite lengths of up to four bytes. Pure. */
#ifndef TP_APDU_TLV_H
#define TP_APDU_TLV_H

#include "base/span.h"

struct tlv {
    uint32_t tag;      /* as written: 0x9F26 */
    struct span value; /* borrowed from what was read */
    struct span raw;   /* tag, length and value as they came */
};

bool tlv_constructed(uint32_t tag);

/* Takes the next object from *in. 00 and FF bytes between objects are passed over (Book 3, B1;
 * never FF as a tag). TP_ERR_NOT_FOUND at the end, TP_ERR_FORMAT for a tag over four bytes, an
 * indefinite length, or one that runs past the end. */
TP_MUST_CHECK enum tp_err tlv_next(struct span *in, struct tlv *out);

/* Like tlv_next for a lone tag, as in a DOL. */
TP_MUST_CHECK enum tp_err tlv_next_tag(struct span *in, uint32_t *tag);

/* The first object with that tag at this level of *in. TP_ERR_NOT_FOUND, TP_ERR_FORMAT. */
TP_MUST_CHECK enum tp_err tlv_find(struct span in, uint32_t tag, struct tlv *out);

/* The same at any depth, outer objects first come first. At most TLV_DEPTH_MAX levels:
 * TP_ERR_FORMAT beyond. */
#define TLV_DEPTH_MAX 8
TP_MUST_CHECK enum tp_err tlv_find_deep(struct span in, uint32_t tag, struct tlv *out);

/* TP_OK when the whole of in is objects, constructed ones too, down to TLV_DEPTH_MAX. */
TP_MUST_CHECK enum tp_err tlv_check(struct span in);

/* TP_OK when the whole of in is objects; what stands in the templates among them is not looked at.
 * So for data of a card: a template that nobody asked for may hold anything. */
TP_MUST_CHECK enum tp_err tlv_check_level(struct span in);

/* Append an object, or a header whose n bytes of value follow. Lengths in the shortest form.
 * TP_ERR_RANGE. */
TP_MUST_CHECK enum tp_err tlv_put(struct buf *out, uint32_t tag, struct span value);
TP_MUST_CHECK enum tp_err tlv_put_header(struct buf *out, uint32_t tag, size_t n);
size_t tlv_size(uint32_t tag, size_t n); /* of the whole object */

#endif
