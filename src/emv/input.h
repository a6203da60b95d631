/* Bytes that people give: hex with any spacing, base64, or as they are. */
#ifndef TP_EMV_INPUT_H
#define TP_EMV_INPUT_H

#include "base/span.h"

#define INPUT_MAX (1 << 20)

/* Of words of a command line, joined; of a file, or (path "-", or no words) standard input. *out is
 * the caller's to free(). What is no text is taken as the bytes themselves, from a file alone.
 * TP_ERR_FORMAT naming the character and its place, TP_ERR_RANGE over INPUT_MAX, TP_ERR_NOT_FOUND,
 * TP_ERR_IO, TP_ERR_NO_MEMORY. */
TP_MUST_CHECK enum tp_err input_words(struct buf *out, char *const *words, size_t n,
                                      struct tp_error *e);
TP_MUST_CHECK enum tp_err input_file(struct buf *out, const char *path, struct tp_error *e);

/* The same of text that is there already. */
TP_MUST_CHECK enum tp_err input_text(struct buf *out, struct span text, struct tp_error *e);

#endif
