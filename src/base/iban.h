/* Numbers of bank accounts (ISO 13616). */
#ifndef TP_BASE_IBAN_H
#define TP_BASE_IBAN_H

#include <stdbool.h>

#define IBAN_MAX 35 /* with its end */

/* Without blanks, capitals, its two check digits right (ISO 7064, MOD 97-10). */
bool iban_is_good(const char *text);

/* One that people write, in groups between blanks, comes out without them: "" when it is none. */
bool iban_read(char out[IBAN_MAX], const char *text);

#endif
