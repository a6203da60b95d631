#include "crypto/payee.h"

#include <inttypes.h>
#include <stdio.h>

#include <openssl/evp.h>

enum tp_err payee_at_counter(uint8_t out[PAYEE_DIGEST], const struct payee *p)
{
    char text[128];
    const int n = snprintf(text, sizeof(text), "telepay-counter-1|%s|%s|%s|%06" PRIu32 "|%06d|%06d",
                           p->acquirer, p->contract, p->terminal, p->counter % 1000000,
                           p->date % 1000000, p->time);

    if (n < 0 || (size_t)n >= sizeof(text))
        return TP_ERR_RANGE;
    return EVP_Digest(text, (size_t)n, out, NULL, EVP_sha256(), NULL) == 1 ? TP_OK
                                                                           : TP_ERR_INTERNAL;
}
