#include "order/device.h"

#include <jose/jws.h>
#include <string.h>

#include "base/base64.h"
#include "order/jose_quiet.h"
#include "order/members.h"
#include "order/sealed.h"
#include "wire/jcs.h"

#define STATEMENT_MAX   2048 /* characters */
#define ALPHABET        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
#define SIGNATURE_CHARS 86 /* 64 bytes */
#define HEADER_MEMBERS  3
#define VERSION         1

struct statement {
    const char *r, *transaction;
};

static const struct member members[] = {
    {"r", offsetof(struct statement, r), member_is_hash, false},
    {"transaction", offsetof(struct statement, transaction), member_is_hash, false},
};

/* The public key: what a header of alg, typ and jwk alone brings. */
static enum tp_err read_header(json_t **key, struct span text, struct tp_error *e)
{
    json_t *header = NULL;
    const json_t *jwk;
    enum tp_err r = jcs_decode(&header, text, STATEMENT_MAX, e);

    if (r != TP_OK)
        return r;
    jwk = json_object_get(header, "jwk");
    if (json_object_size(header) != HEADER_MEMBERS || !jcs_is(header, "alg", "ES256") ||
        !jcs_is(header, "typ", DEVICE_STATEMENT_TYPE) || jwk == NULL)
        r = tp_fail(e, TP_ERR_FORMAT,
                    "its header is not alg ES256, typ " DEVICE_STATEMENT_TYPE ", jwk and no more");
    if (r == TP_OK)
        r = sealed_public_key(key, jwk, e);
    if (r == TP_OK && !json_equal(*key, jwk))
        r = tp_fail(e, TP_ERR_FORMAT, "its jwk is no public key of P-256 and no more");
    json_decref(header);
    return r;
}

static enum tp_err check_signature(const char *head, size_t head_n, const char *body, size_t body_n,
                                   const char *signature, const json_t *key, struct tp_error *e)
{
    jose_cfg_t *cfg = jose_quiet();
    json_t *jws = json_pack("{s:s%,s:s%,s:s}", "protected", head, head_n, "payload", body, body_n,
                            "signature", signature);
    enum tp_err r = TP_OK;

    if (cfg == NULL || jws == NULL)
        r = tp_fail(e, TP_ERR_NO_MEMORY, "no memory");
    else if (!jose_jws_ver(cfg, jws, NULL, key, true))
        r = tp_fail(e, TP_ERR_SECURITY, "the signature is wrong");
    if (cfg != NULL)
        jose_cfg_decref(cfg);
    json_decref(jws);
    return r;
}

static enum tp_err check_payload(struct span text, const uint8_t r[32], const uint8_t message[32],
                                 struct tp_error *e)
{
    char want_r[BASE64URL_SIZE(32)], want_message[BASE64URL_SIZE(32)];
    struct statement s = {NULL, NULL};
    json_t *payload = NULL;
    enum tp_err code = jcs_decode(&payload, text, STATEMENT_MAX, e);

    if (code == TP_OK) {
        const json_t *version = json_object_get(payload, "version");

        code = json_is_integer(version) && json_integer_value(version) == VERSION
                   ? members_read(&s, payload, members, 2, 1, e)
                   : tp_fail(e, TP_ERR_FORMAT, "it is not of version %d", VERSION);
    }
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
    const size_t n = strnlen(jws, STATEMENT_MAX + 1), head = strspn(jws, ALPHABET);
    json_t *key = NULL;
    enum tp_err code;

    if (n > STATEMENT_MAX)
        return tp_fail(e, TP_ERR_RANGE, "the device's statement: more than %d characters",
                       STATEMENT_MAX);
    const char *const body = jws + head + (head < n);
    const size_t body_n = strspn(body, ALPHABET);
    const char *const signature = body + body_n + (body + body_n < jws + n);

    if (jws[head] != '.' || body[body_n] != '.' || strspn(signature, ALPHABET) != SIGNATURE_CHARS ||
        signature[SIGNATURE_CHARS] != '\0')
        code = tp_fail(e, TP_ERR_FORMAT, "no compact JWS of ES256");
    else
        code = read_header(&key, span_of(jws, head), e);
    if (code == TP_OK)
        code = check_signature(jws, head, body, body_n, signature, key, e);
    if (code == TP_OK)
        code = check_payload(span_of(body, body_n), r, message, e);
    json_decref(key);
    return code == TP_OK ? code : tp_error_prefix(e, "the device's statement");
}
