/* What of a card number people may see: the first six digits and the last four (PCI DSS 3.4.1). */
#ifndef TP_BASE_MASK_H
#define TP_BASE_MASK_H

#include "base/span.h"

#define PAN_MAX      19
#define PAN_TEXT_MAX (PAN_MAX + 1)

/* "999014******0015" into out; a number too short to keep six and four is all asterisks. Returns
 * out. */
char *mask_pan(char out[PAN_TEXT_MAX], const char *pan);

/* The check digit behind n digits (ISO/IEC 7812-1, Annex B: Luhn). */
char pan_check_digit(const char *digits, size_t n);

/* ISO/IEC 7812-1 Annex B: 8 to 19 digits whose last is the check digit (Luhn) of those before it.
 */
bool pan_valid(const char *pan);

#endif
