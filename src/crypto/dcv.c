#include "crypto/dcv.h"

#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/mask.h"
#include "crypto/cipher.h"

#define BLOCK 8

enum tp_err cvc3_iv(uint8_t iv[2], struct span icc_key, struct span track)
{
    uint8_t mac[BLOCK];
    const enum tp_err r = emv_mac(mac, icc_key, track);

    if (r == TP_OK)
        memcpy(iv, mac + BLOCK - 2, 2);
    return r;
}

enum tp_err cvc3_make(char out[CVC3_DIGITS + 1], struct span icc_key, const uint8_t iv[2],
                      const uint8_t un[4], const uint8_t atc[2])
{
    const uint8_t in[BLOCK] = {iv[0], iv[1], un[0], un[1], un[2], un[3], atc[0], atc[1]};
    uint8_t block[BLOCK];
    const enum tp_err r = emv_des_encipher(block, icc_key, in);

    if (r == TP_OK)
        snprintf(out, CVC3_DIGITS + 1, "%05u", (unsigned)block[6] << 8 | block[7]);
    return r;
}

/* The CVV of two blocks: the first under the left half of the key, the second laid over it, under
 * both; then three decimal digits, letters as 0 to 5 only where there are too few. */
static enum tp_err cvv(char out[DCVV_DIGITS + 1], struct span key, const uint8_t data[2 * BLOCK])
{
    uint8_t mac[BLOCK];
    char hex[2 * BLOCK + 1];
    size_t n = 0;
    const enum tp_err r = emv_mac_padded(mac, key, span_of(data, (size_t)2 * BLOCK));

    if (r != TP_OK)
        return r;
    hex_encode(hex, SPAN_OF(mac));
    for (unsigned letters = 0; letters < 2; letters++)
        for (const char *c = hex; *c != '\0' && n < DCVV_DIGITS; c++)
            if ((*c > '9') == (letters == 1))
                out[n++] = (char)(letters == 1 ? *c - 'A' + '0' : *c);
    out[n] = '\0';
    return TP_OK;
}

enum tp_err dcvv_make(char out[DCVV_DIGITS + 1], struct span icc_key, const char *pan,
                      const char *expiry, const char *service, const uint8_t atc[2])
{
    char digits[4 * BLOCK + 1];
    uint8_t room[2 * BLOCK];
    struct buf data = BUF_OF(room);
    const size_t n = strlen(pan);

    if (n < 12 || n > PAN_MAX || strlen(expiry) != 4 || strlen(service) != 3 ||
        strspn(pan, "0123456789") != n || strspn(expiry, "0123456789") != 4 ||
        strspn(service, "0123456789") != 3)
        return TP_ERR_FORMAT;
    memset(digits, '0', sizeof(digits) - 1);
    digits[sizeof(digits) - 1] = '\0';
    snprintf(digits, sizeof(digits), "%02X%02X%s%s%s", atc[0], atc[1], pan + 4, expiry, service);
    digits[strlen(digits)] = '0'; /* the rest is zeros already */
    return hex_decode(&data, digits) == TP_OK ? cvv(out, icc_key, room) : TP_ERR_FORMAT;
}
