/* CVM lists from words: EMV 4.4 Book 3, 10.5 and annex C3. */
#include "simcard/perso.h"

#include <string.h>

#include "apdu/emvbits.h"
#include "base/hex.h"

static const struct cvm_word {
    const char *word;
    uint8_t code, condition; /* condition 00: always; 03: if the terminal supports it */
} words[] = {
    {"pin", CVM_PLAINTEXT_PIN, CVM_IF_SUPPORTED}, /* a failure ends the list */
    {"pin-or-next", CVM_APPLY_NEXT | CVM_PLAINTEXT_PIN, CVM_IF_SUPPORTED},
    {"enciphered-pin", CVM_ENCIPHERED_PIN, CVM_IF_SUPPORTED},
    {"enciphered-pin-or-next", CVM_APPLY_NEXT | CVM_ENCIPHERED_PIN, CVM_IF_SUPPORTED},
    {"online-pin", CVM_ONLINE_PIN, CVM_IF_SUPPORTED},
    {"online-pin-or-next", CVM_APPLY_NEXT | CVM_ONLINE_PIN, CVM_IF_SUPPORTED},
    {"signature", CVM_SIGNATURE, CVM_IF_SUPPORTED},
    {"none", CVM_NONE_REQUIRED, CVM_IF_SUPPORTED},
    {"none-always", CVM_NONE_REQUIRED, CVM_ALWAYS},
    {"none-under-x", CVM_NONE_REQUIRED, CVM_IF_UNDER_X},
    {"none-under-y", CVM_NONE_REQUIRED, CVM_IF_UNDER_Y},
    {"fail", CVM_FAIL, CVM_ALWAYS},
};

static const char *known_words(void)
{
    return "pin, pin-or-next, enciphered-pin, enciphered-pin-or-next, online-pin, "
           "online-pin-or-next, signature, none, none-always, none-under-x, "
           "none-under-y, fail, or a code and condition as four hex digits";
}

static enum tp_err put_rule(struct buf *out, const char *word, size_t n)
{
    char hex[5] = {0};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        const uint8_t rule[2] = {words[i].code, words[i].condition};

        if (strlen(words[i].word) == n && strncmp(words[i].word, word, n) == 0)
            return buf_put(out, SPAN_OF(rule));
    }
    if (n != 4)
        return TP_ERR_FORMAT;
    memcpy(hex, word, 4);
    return hex_decode(out, hex);
}

enum tp_err perso_cvm_list(struct buf *out, uint32_t x, uint32_t y, const char *text,
                           struct tp_error *e)
{
    if (buf_be32(out, x) != TP_OK || buf_be32(out, y) != TP_OK) /* binary: Book 3, 10.5 */
        return tp_fail(e, TP_ERR_RANGE, "no room for the CVM list");
    while (*text != '\0') {
        const size_t n = strcspn(text, ",");

        if (put_rule(out, text, n) != TP_OK)
            return tp_fail(e, TP_ERR_USAGE, "\"%.*s\" is no cardholder verification rule: use %s",
                           (int)n, text, known_words());
        text += n;
        text += *text == ',' ? 1 : 0;
    }
    return TP_OK;
}
