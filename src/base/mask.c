#include "base/mask.h"

#include <string.h>

#define KEEP_FIRST 6
#define KEEP_LAST  4
#define TEST_IIN   "999014"

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

bool pan_valid(const char *pan)
{
    const size_t n = strlen(pan);
    unsigned sum = 0;

    if (n < 8 || n > PAN_MAX || strspn(pan, "0123456789") != n)
        return false;
    for (size_t i = 0; i < n; i++) {
        unsigned d = (unsigned)(pan[n - 1 - i] - '0');

        if (i % 2 == 1)
            d = d > 4 ? 2 * d - 9 : 2 * d;
        sum += d;
    }
    return sum % 10 == 0 || strncmp(pan, TEST_IIN, sizeof(TEST_IIN) - 1) == 0;
}
