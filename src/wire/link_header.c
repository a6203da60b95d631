/* Other kinds of length header that ISO 8583 hosts use, told by their first bytes, so that the log
 * can say what a peer sends and what is wanted. */
#include "wire/link_priv.h"

#define TPDU_ID 0x60 /* ISO 8583 over an NII network: 60, then two addresses of two bytes */

static bool digits(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] < '0' || p[i] > '9')
            return false;
    return true;
}

static size_t bcd2(const uint8_t *p)
{
    size_t v = 0;

    for (size_t i = 0; i < 2; i++) {
        if (p[i] >> 4 > 9 || (p[i] & 0x0F) > 9)
            return 0;
        v = v * 100 + (size_t)(p[i] >> 4) * 10 + (p[i] & 0x0F);
    }
    return v;
}

const char *link_header_other(const uint8_t *head, size_t n)
{
    if (n >= 4 && digits(head, 4))
        return "a length of four ASCII digits";
    if (n >= 2 && head[0] == 0 && head[1] == 0)
        return "a length of four bytes";
    if (n >= 7 && head[2] == TPDU_ID)
        return "a TPDU (60 and four bytes of address) behind the length";
    if (n >= 5 && head[0] == TPDU_ID)
        return "a TPDU (60 and four bytes of address) without a length";
    return NULL;
}

const char *link_header_unfinished(const uint8_t *head, size_t n, size_t came)
{
    const char *other = link_header_other(head, n);

    if (other != NULL || n < 2)
        return other;
    if (came == ((size_t)head[0] << 8 | head[1]))
        return "a length that counts its own two bytes";
    if (came == ((size_t)head[1] << 8 | head[0]) + 2)
        return "a length with its low byte first";
    if (came == bcd2(head) + 2)
        return "a length in BCD";
    return NULL;
}
