#include "order/members.h"

#include <string.h>

#include "base/base64.h"
#include "base/date.h"
#include "base/money.h"
#include "base/word.h"
#include "wire/jcs.h"
#include "wire/payment_charge.h"

#define VERSION        1
#define ACQUIRER_CHARS 16
#define MEDIATOR_BYTES 32
#define CODE_CHARS     2
#define REASON_CHARS   25
#define ALNUM          "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS         "0123456789"
#define TERMINAL_CHARS 8
#define COUNTRY_DIGITS 3
#define MCC_DIGITS     4
#define ORDER_CHARS    26
#define CONTRACT_CHARS 15
#define HASH_CHARS     43
#define AMOUNT_DIGITS  12
#define UTC_CHARS      20 /* 2026-11-23T08:15:00Z */

static const char **place(void *out, const struct member *m)
{
    return (const char **)(void *)((char *)out + m->offset);
}

enum tp_err members_read(void *out, const json_t *object, const struct member *table, size_t n,
                         size_t others, struct tp_error *e)
{
    size_t there = others;

    if (!json_is_object(object))
        return tp_fail(e, TP_ERR_FORMAT, "an object is missing");
    for (size_t i = 0; i < n; i++) {
        const char **text = place(out, &table[i]);
        const enum tp_err r = jcs_text(text, object, table[i].name, e);

        if (r != TP_OK)
            return r;
        if (*text == NULL ? !table[i].optional : !table[i].good(*text))
            return tp_fail(e, TP_ERR_FORMAT, "member %s is missing or wrong", table[i].name);
        there += *text != NULL;
    }
    return json_object_size(object) == there
               ? TP_OK
               : tp_fail(e, TP_ERR_FORMAT, "there is a member that nobody knows");
}

enum tp_err members_write(json_t *object, const void *in, const struct member *table, size_t n,
                          struct tp_error *e)
{
    for (size_t i = 0; i < n; i++) {
        const char *text;

        memcpy(&text, (const char *)in + table[i].offset, sizeof(text));
        if (text == NULL ? !table[i].optional : !table[i].good(text))
            return tp_fail(e, TP_ERR_FORMAT, "member %s is missing or wrong", table[i].name);
        const enum tp_err r = jcs_set_text(object, table[i].name, text, e);

        if (r != TP_OK)
            return r;
    }
    return TP_OK;
}

bool member_is_amount(const char *text)
{
    return payment_is_amount(text) && text[0] != '0' && strlen(text) <= AMOUNT_DIGITS;
}

bool member_is_currency(const char *text)
{
    return strlen(text) == 3 && strspn(text, "abcdefghijklmnopqrstuvwxyz") == 3 &&
           currency_by_alpha(text) != NULL;
}

bool member_is_order(const char *text)
{
    return strlen(text) == ORDER_CHARS &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz234567") == ORDER_CHARS;
}

bool member_is_contract(const char *text)
{
    return strlen(text) == CONTRACT_CHARS && strspn(text, ALNUM) == CONTRACT_CHARS;
}

bool member_is_terminal(const char *text)
{
    return strlen(text) == TERMINAL_CHARS && strspn(text, ALNUM) == TERMINAL_CHARS;
}

bool member_is_country(const char *text)
{
    return strlen(text) == COUNTRY_DIGITS && strspn(text, DIGITS) == COUNTRY_DIGITS;
}

bool member_is_mcc(const char *text)
{
    return strlen(text) == MCC_DIGITS && strspn(text, DIGITS) == MCC_DIGITS;
}

bool member_is_hash(const char *text)
{
    uint8_t bytes[32];
    struct buf b = BUF_OF(bytes);

    return strlen(text) == HASH_CHARS && base64url_decode(&b, span_str(text)) == TP_OK;
}

bool member_is_time(const char *text)
{
    time_t t;

    return strlen(text) == UTC_CHARS && text[UTC_CHARS - 1] == 'Z' && time_parse(&t, text) == TP_OK;
}

bool member_is_acquirer(const char *text)
{
    const size_t n = strspn(text, ALNUM);

    return text[n] == '\0' && n >= 1 && n <= ACQUIRER_CHARS;
}

bool member_is_mediator(const char *text)
{
    return strlen(text) <= MEDIATOR_BYTES &&
           word_check(text, "mediator", MEDIATOR_BYTES, NULL) == TP_OK;
}

bool member_is_code(const char *text)
{
    return strlen(text) == CODE_CHARS && strspn(text, ALNUM) == CODE_CHARS;
}

bool member_is_reason(const char *text)
{
    return word_check(text, "reason", REASON_CHARS, NULL) == TP_OK;
}

bool member_is_outcome(const char *text)
{
    return strcmp(text, "acknowledged") == 0 || strcmp(text, "refused") == 0;
}

enum tp_err members_outcome(const char *outcome, const char *code, struct tp_error *e)
{
    return (strcmp(outcome, "acknowledged") == 0) == (strcmp(code, "00") == 0)
               ? TP_OK
               : tp_fail(e, TP_ERR_FORMAT, "outcome and code do not go together");
}

enum tp_err members_version(const json_t *object, struct tp_error *e)
{
    const json_t *version = json_object_get(object, "version");

    return json_is_integer(version) && json_integer_value(version) == VERSION
               ? TP_OK
               : tp_fail(e, TP_ERR_FORMAT, "it is not of version %d", VERSION);
}

enum tp_err members_set_version(json_t *object, struct tp_error *e)
{
    return json_object_set_new(object, "version", json_integer(VERSION)) == 0
               ? TP_OK
               : tp_fail(e, TP_ERR_NO_MEMORY, "no memory to sign");
}
