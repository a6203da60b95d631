#include "order/device.h"

#include <string.h>

#include "base/base64.h"
#include "order/members.h"
#include "order/token.h"
#include "wire/jcs.h"

#define STATEMENT_MAX 2048 /* characters */

struct statement {
    const char *r, *transaction;
};

static const struct member members[] = {
    {"r", offsetof(struct statement, r), member_is_hash, false},
    {"transaction", offsetof(struct statement, transaction), member_is_hash, false},
};

static enum tp_err check_payload(struct span text, const uint8_t r[32], const uint8_t message[32],
                                 struct tp_error *e)
{
    char want_r[BASE64URL_SIZE(32)], want_message[BASE64URL_SIZE(32)];
    struct statement s = {NULL, NULL};
    json_t *payload = NULL;
    enum tp_err code = jcs_decode(&payload, text, STATEMENT_MAX, e);

    if (code == TP_OK)
        code = members_version(payload, e);
    if (code == TP_OK)
        code = members_read(&s, payload, members, 2, 1, e);
    if (code == TP_OK &&
        (strcmp(s.r, base64url_encode(want_r, span_of(r, 32))) != 0 ||
         strcmp(s.transaction, base64url_encode(want_message, span_of(message, 32))) != 0))
        code = tp_fail(e, TP_ERR_SECURITY, "it is about another challenge or message");
    json_decref(payload);
    return code;
}

enum tp_err device_statement_verify(const char *jws, const uint8_t r[32], const uint8_t message[32],
                                    struct tp_error *e)
{
    struct token_text text;
    json_t *key = NULL;
    enum tp_err code = token_split(&text, jws, STATEMENT_MAX, e);

    if (code == TP_OK)
        code = token_own_key(&key, &text, DEVICE_STATEMENT_TYPE, e);
    if (code == TP_OK)
        code = token_es256(&text, key, e);
    if (code == TP_OK)
        code = check_payload(text.body, r, message, e);
    json_decref(key);
    return code == TP_OK ? code : tp_error_prefix(e, "the device's statement");
}
