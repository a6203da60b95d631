/* Names of countries (ISO 3166-1), languages (ISO 639-2) and currencies (ISO 4217) in the language
 * of who runs the program, as Debian's iso-codes has them; where it is not installed no country or
 * language is known, and currencies have their English names. */
#ifndef TP_DECODE_NAMES_H
#define TP_DECODE_NAMES_H

#include "base/err.h"

struct names;

/* TP_ERR_NO_MEMORY. Files that are not there are none. */
TP_MUST_CHECK enum tp_err names_new(struct names **out);
void names_free(struct names **n);

/* By two or three letters of either case, or three digits; NULL when there is none, or n is NULL.
 */
const char *names_country(const struct names *n, const char *code);
/* By two or three letters. */
const char *names_language(const struct names *n, const char *code);
const char *names_currency(const char *english);

#endif
