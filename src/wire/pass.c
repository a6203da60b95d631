#include "wire/pass.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/secret.h"

#define MAC 32

/* NAME.UNTIL, and the MAC over it and what it is good for. */
static bool mac_of(char out[BASE64URL_SIZE(MAC)], struct span key, const char *good_for,
                   const char *text)
{
    char all[PASS_TEXT + PASS_FOR + 32];
    uint8_t mac[MAC];
    unsigned n = 0;

    snprintf(all, sizeof(all), "telepay-session-1|%s|%s", good_for, text);
    if (HMAC(EVP_sha256(), key.p, (int)key.n, (const uint8_t *)all, strlen(all), mac, &n) == NULL ||
        n != sizeof(mac))
        return false;
    base64url_encode(out, SPAN_OF(mac));
    return true;
}

enum tp_err pass_write(char out[PASS_TEXT], struct span key, const char *good_for, const char *name,
                       int64_t until, struct tp_error *e)
{
    char text[PASS_NAME + 24], mac[BASE64URL_SIZE(MAC)];

    snprintf(text, sizeof(text), "%s.%" PRId64, name, until);
    if (!mac_of(mac, key, good_for, text))
        return tp_fail(e, TP_ERR_INTERNAL, "HMAC fails");
    snprintf(out, PASS_TEXT, "%s.%s", text, mac);
    return TP_OK;
}

bool pass_read(char name[PASS_NAME], struct span key, const char *good_for, const char *pass,
               int64_t now)
{
    const char *dot = strchr(pass, '.'), *last = strrchr(pass, '.');
    char text[PASS_NAME + 24], mac[BASE64URL_SIZE(MAC)];

    if (dot == NULL || last == dot || dot - pass != PASS_NAME - 1 ||
        (size_t)(last - pass) >= sizeof(text) || strlen(last + 1) != sizeof(mac) - 1)
        return false;
    snprintf(text, sizeof(text), "%.*s", (int)(last - pass), pass);
    if (!mac_of(mac, key, good_for, text) || !secret_eq(span_str(mac), span_str(last + 1)) ||
        strtoll(dot + 1, NULL, 10) <= now)
        return false;
    snprintf(name, PASS_NAME, "%.*s", PASS_NAME - 1, pass);
    return true;
}
