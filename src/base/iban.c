#include "base/iban.h"

#include <string.h>

#define CHARS_MIN 15
#define CAPITALS  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS    "0123456789"

bool iban_is_good(const char *text)
{
    const size_t n = strspn(text, CAPITALS DIGITS);
    unsigned rest = 0;

    if (text[n] != '\0' || n < CHARS_MIN || n >= IBAN_MAX || strspn(text, CAPITALS) != 2 ||
        strspn(text + 2, DIGITS) < 2)
        return false;
    for (size_t i = 0; i < n; i++) { /* country and check digits come last, A is 10 */
        const char c = text[(i + 4) % n];

        rest = c >= 'A' ? (rest * 100 + (unsigned)(c - 'A') + 10) % 97
                        : (rest * 10 + (unsigned)(c - '0')) % 97;
    }
    return rest == 1;
}

bool iban_read(char out[IBAN_MAX], const char *text)
{
    size_t n = 0;

    for (; *text != '\0' && n < IBAN_MAX - 1; text++)
        if (*text != ' ')
            out[n++] = *text;
    out[n] = '\0';
    if (text[strspn(text, " ")] == '\0' && iban_is_good(out))
        return true;
    out[0] = '\0';
    return false;
}
