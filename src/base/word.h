/* Names and notes that people type, and that then stand in books, configuration files, XML
 * documents, certificates and on terminals. */
#ifndef TP_BASE_WORD_H
#define TP_BASE_WORD_H

#include <stddef.h>

#include "base/err.h"

/* Takes 1 to max characters of UTF-8 (Unicode 15, table 3-7) that XML 1.0 has (2.2) and that are no
 * control characters, beginning and ending with none of the blanks that a reader cuts off.
 * TP_ERR_USAGE, with `what` and what is wrong. */
TP_MUST_CHECK enum tp_err word_check(const char *text, const char *what, size_t max,
                                     struct tp_error *e);

/* What another says, as it may be shown: each character that word_check does not take becomes a
 * '?', and so does each byte that is part of no character. */
void word_make_shown(char *text);

/* The same of a copy, cut as word_cut does. Returns out. */
char *word_shown(char *out, size_t cap, const char *text);

/* As many whole characters of it as there is room for, with the final zero. Returns out. */
char *word_cut(char *out, size_t cap, const char *text);

#endif
