#include "wire/payment_digest.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/base64.h"

#define SHA_256 "sha-256="

char *payment_digest_write(char out[PAYMENT_DIGEST_SIZE], const uint8_t sha256[32])
{
    char text[BASE64_SIZE(32)];

    snprintf(out, PAYMENT_DIGEST_SIZE, SHA_256 ":%s:", base64_encode(text, span_of(sha256, 32)));
    return out;
}

/* One member of the dictionary: false when its digest is none of 32 bytes. */
static bool value(uint8_t sha256[32], struct span text)
{
    uint8_t room[32];
    struct buf bytes = BUF_OF(room);
    const bool colons = text.n >= 2 && text.p[0] == ':' && text.p[text.n - 1] == ':';

    if (colons)
        text = span_of(text.p + 1, text.n - 2);
    if (base64_decode(&bytes, text) != TP_OK && base64url_decode(&bytes, text) != TP_OK)
        return false;
    if (bytes.n != 32)
        return false;
    memcpy(sha256, room, 32);
    return true;
}

enum tp_err payment_digest_read(uint8_t sha256[32], const char *text, struct tp_error *e)
{
    enum tp_err r = tp_fail(e, TP_ERR_NOT_FOUND, "no digest of the kind sha-256");

    while (*text != '\0') {
        const size_t n = strcspn(text, ", \t");

        if (n > strlen(SHA_256) && strncasecmp(text, SHA_256, strlen(SHA_256)) == 0)
            return value(sha256, span_of(text + strlen(SHA_256), n - strlen(SHA_256)))
                       ? TP_OK
                       : tp_fail(e, TP_ERR_FORMAT, "the digest is not sha-256=:BASE64:");
        text += n;
        text += strspn(text, ", \t");
    }
    return r;
}
