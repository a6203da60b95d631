/* JSON as it is signed and hashed: read strictly (RFC 8259, and RFC 7493: no name twice), written
 * in its one canonical form (RFC 8785). */
#ifndef TP_WIRE_JCS_H
#define TP_WIRE_JCS_H

#include <jansson.h>

#include "base/span.h"

#define JCS_DEPTH_MAX 32 /* arrays and objects in each other */

/* Reads one JSON value and nothing after it. TP_ERR_FORMAT with a sentence: no JSON, no UTF-8, a
 * lone surrogate, a member twice, a number no double has, nested deeper than above. *out is the
 * caller's (json_decref), NULL on an error. Integers beyond 64 bits make all numbers of the text
 * reals. Who takes text from outside bounds its size before. */
TP_MUST_CHECK enum tp_err jcs_read(json_t **out, struct span text, struct tp_error *e);

/* The canonical text (free()), in UTF-8 with a final zero. Numbers are written as the doubles that
 * ECMAScript has: an integer beyond 2^53 loses digits. TP_ERR_RANGE when nested too deeply. */
TP_MUST_CHECK enum tp_err jcs_write(char **out, const json_t *value, struct tp_error *e);

/* SHA-256 of the canonical text. */
TP_MUST_CHECK enum tp_err jcs_hash(uint8_t out[32], const json_t *value, struct tp_error *e);

/* The canonical text in base64url (free()), and the text with its members in the order in which
 * they were set, for what nobody hashes. */
TP_MUST_CHECK enum tp_err jcs_encode(char **out, const json_t *value, struct tp_error *e);
TP_MUST_CHECK enum tp_err jcs_encode_in_order(char **out, const json_t *object, struct tp_error *e);

/* Reads an object within base64url; max bounds its bytes (TP_ERR_RANGE). */
TP_MUST_CHECK enum tp_err jcs_decode(json_t **out, struct span text, size_t max,
                                     struct tp_error *e);

/* A member that is a string without a zero in it, borrowed from the object; NULL when there is
 * none. TP_ERR_FORMAT, with the name, when it is something else. */
TP_MUST_CHECK enum tp_err jcs_text(const char **out, const json_t *object, const char *name,
                                   struct tp_error *e);

/* Whether a member is this text, and nothing behind a zero in it. */
bool jcs_is(const json_t *object, const char *name, const char *text);

/* Sets a member; nothing where the text is NULL. TP_ERR_FORMAT when it is no UTF-8. */
TP_MUST_CHECK enum tp_err jcs_set_text(json_t *object, const char *name, const char *text,
                                       struct tp_error *e);

/* Adds what another object has. TP_ERR_EXISTS, with the name, for a member that is there. more NULL
 * or no object: nothing. */
TP_MUST_CHECK enum tp_err jcs_add(json_t *object, json_t *more, struct tp_error *e);

#endif
