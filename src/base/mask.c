#include "base/mask.h"

#include <string.h>

#define KEEP_FIRST 6
#define KEEP_LAST  4

char *mask_pan(char out[PAN_TEXT_MAX], const char *pan)
{
    size_t n = strlen(pan);
    const bool room = n > KEEP_FIRST + KEEP_LAST;

    if (n > PAN_MAX)
        n = PAN_MAX;
    for (size_t i = 0; i < n; i++)
        out[i] = room && (i < KEEP_FIRST || i >= n - KEEP_LAST) ? pan[i] : '*';
    out[n] = '\0';
    return out;
}

char pan_check_digit(const char *digits, size_t n)
{
    unsigned sum = 0;

    for (size_t i = 0; i < n; i++) { /* every second digit from the right counts twice, the check
                                        digit's neighbour first */
        const unsigned d = (unsigned)(digits[n - 1 - i] - '0'), twice = d > 4 ? 2 * d - 9 : 2 * d;

        sum += i % 2 == 0 ? twice : d;
    }
    return (char)('0' + (10 - sum % 10) % 10);
}

bool pan_valid(const char *pan)
{
    const size_t n = strlen(pan);

    return n >= 8 && n <= PAN_MAX && strspn(pan, "0123456789") == n &&
           pan[n - 1] == pan_check_digit(pan, n - 1);
}
