/* ISO 8583:1987 messages, binary packing as doc/protocol.md fixes it, from one table of fields.
 * Pure: bytes in, bytes out.
 *
 * A message holds its fields as they mean, not as they are packed: `n` and `x+n` fields as text of
 * digits ("000000001250", "C00001250"), an and ans as text, b as bytes. */
#ifndef TP_WIRE_ISO8583_H
#define TP_WIRE_ISO8583_H

#include <time.h>

#include "base/span.h"

#define ISO8583_FIELDS 129   /* index by field number, 2 to 128; 1 is the second bitmap */
#define ISO8583_MAX    65535 /* bytes of a message: what its 2-byte length can say */

enum iso8583_mti {
    MTI_AUTHORISATION = 100,
    MTI_AUTHORISATION_RESPONSE = 110,
    MTI_FINANCIAL = 200,
    MTI_FINANCIAL_REPEAT = 201,
    MTI_FINANCIAL_RESPONSE = 210,
    MTI_REVERSAL = 400,
    MTI_REVERSAL_REPEAT = 401,
    MTI_REVERSAL_RESPONSE = 410,
    MTI_RECONCILIATION = 500,
    MTI_RECONCILIATION_RESPONSE = 510,
    MTI_ADMINISTRATIVE = 600,
    MTI_ADMINISTRATIVE_RESPONSE = 610,
    MTI_NETWORK = 800,
    MTI_NETWORK_RESPONSE = 810
};

enum iso8583_format {
    ISO_N,
    ISO_AN,
    ISO_ANS,
    ISO_B,
    ISO_XN,
    ISO_Z /* track 2: digits and '=', packed as BCD with D */
};

struct iso8583_field { /* a row of the table */
    const char *name;
    enum iso8583_format format;
    uint8_t length_digits; /* 0 fixed, 2 LL, 3 LLL */
    uint16_t max;          /* digits, characters or bytes; the length of a fixed one */
    uint8_t shown;         /* 0 plain, 1 as a PAN, 2 its size only: for traces */
};
const struct iso8583_field *iso8583_field(unsigned number); /* NULL: not in the profile */

struct iso8583 {  /* fields borrow: from the bytes parsed, or from what the caller set, and from
                     `text`, where unpacked digits are kept */
    unsigned mti; /* 200 */
    struct span field[ISO8583_FIELDS]; /* p NULL: absent */
    struct buf text;
    uint8_t text_room[4096];
    enum tp_err fault; /* the first that a setter met, and where: no later one does anything */
    unsigned fault_field;
};

void iso8583_start(struct iso8583 *m, unsigned mti);
bool iso8583_has(const struct iso8583 *m, unsigned number);

/* Set a field to a value that outlives the message, or (set_text, set_number) to a copy kept
 * inside. Checked against the table; what does not fit is kept in the message, whose packing then
 * fails. set_text fills a fixed field up as jPOS does: n with zeros at the left, an and ans with
 * spaces at the right; so does set_number. */
void iso8583_set(struct iso8583 *m, unsigned number, struct span value);
void iso8583_set_text(struct iso8583 *m, unsigned number, const char *text);
void iso8583_set_number(struct iso8583 *m, unsigned number, uint64_t value);
void iso8583_set_instant(struct iso8583 *m, time_t t); /* DE 7: MMDDhhmmss, UTC */

/* What a setter met first: TP_ERR_NOT_FOUND (no such field), TP_ERR_FORMAT (a character the field
 * does not take), TP_ERR_RANGE (too long, or too short for a fixed field), with a sentence that
 * names the field. */
TP_MUST_CHECK enum tp_err iso8583_fault(const struct iso8583 *m, struct tp_error *e);

/* As text with a final zero into out of cap bytes, spaces at the right of a fixed an or ans field
 * taken off; as a number (n fields of at most 18 digits). TP_ERR_NOT_FOUND when absent,
 * TP_ERR_RANGE when it does not fit, TP_ERR_FORMAT for a field of another kind. */
TP_MUST_CHECK enum tp_err iso8583_text(const struct iso8583 *m, unsigned number, char *out,
                                       size_t cap);
/* Whether track 2 (DE 35), should it be there, is of the card of DE 2 and good as long as DE 14
 * says. */
bool iso8583_track2_agrees(const struct iso8583 *m);
TP_MUST_CHECK enum tp_err iso8583_number(const struct iso8583 *m, unsigned number, uint64_t *out);

/* Appends to out; the fault of a setter is the error (iso8583_fault). */
TP_MUST_CHECK enum tp_err iso8583_pack(struct buf *out, const struct iso8583 *m,
                                       struct tp_error *e);

/* Unpacks; raw must outlive m. An error (TP_ERR_FORMAT) names field, offset and what was wanted.
 * Only the one packing that iso8583_pack gives is taken: padding nibbles must be zero, a second
 * bitmap must hold a field, nothing may follow the last field. On an error m holds the MTI and the
 * fields before the one at fault (mti 0: not even that). */
TP_MUST_CHECK enum tp_err iso8583_unpack(struct iso8583 *m, struct span raw, struct tp_error *e);

/* One line for people: "0200 2=999014******0015 3=000000 ... 55=[231 bytes]". Card numbers are
 * masked; PIN, tracks and binary fields show only their size. Cut to cap with a final zero. Returns
 * out. */
char *iso8583_trace(char *out, size_t cap, const struct iso8583 *m);

/* DE 61, 62, 63: one TLV stream in pieces of at most 999 bytes. join copies into out; split sets
 * the fields to parts of stream. */
#define ISO8583_EVIDENCE_MAX (3 * 999)
TP_MUST_CHECK enum tp_err iso8583_evidence_join(struct buf *out, const struct iso8583 *m);
void iso8583_evidence_split(struct iso8583 *m, struct span stream);

#endif
