#include "wire/payment_credential.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "wire/http_auth.h"
#include "wire/jcs.h"

/* Takes the object over. */
static enum tp_err from_json(struct payment_credential *out, json_t *object, struct tp_error *e)
{
    struct payment_credential c = {.owner = object};
    const json_t *challenge = json_object_get(object, "challenge");
    enum tp_err r;

    if (!json_is_object(challenge)) {
        r = tp_fail(e, TP_ERR_FORMAT, "the credential has no challenge");
        goto out;
    }
    r = payment_challenge_from_json(&c.challenge, challenge, e);
    if (r == TP_OK)
        r = jcs_text(&c.source, object, "source", e);
    if (r != TP_OK) {
        (void)tp_error_prefix(e, "the credential");
        goto out;
    }
    c.payload = json_object_get(object, "payload");
    if (!json_is_object(c.payload))
        r = tp_fail(e, TP_ERR_FORMAT, "the credential has no payload");
out:
    if (r == TP_OK)
        *out = c;
    else
        payment_credential_free(&c);
    return r;
}

/* The one element of the list that is of the scheme. */
static enum tp_err find(struct span *token, struct span field, struct tp_error *e)
{
    struct http_auth element;
    enum tp_err r;
    bool found = false;

    for (;;) {
        r = http_auth_next(&element, &field, e);
        if (r == TP_ERR_NOT_FOUND)
            break;
        if (r != TP_OK) {
            (void)tp_error_prefix(e, "the credential's field");
            return r;
        }
        if (!http_auth_is(&element, PAYMENT_SCHEME))
            continue;
        if (found)
            return tp_fail(e, TP_ERR_EXISTS, "two credentials: send one");
        found = true;
        *token = element.token68;
    }
    if (!found)
        return tp_fail(e, TP_ERR_NOT_FOUND, "no credential of the scheme Payment");
    return token->n > 0 ? TP_OK : tp_fail(e, TP_ERR_FORMAT, "the credential is no base64url");
}

enum tp_err payment_credential_read(struct payment_credential *out, struct span field,
                                    struct tp_error *e)
{
    struct span token = {NULL, 0};
    json_t *object = NULL;
    enum tp_err r;

    *out = (struct payment_credential){0};
    if (field.n > HTTP_AUTH_FIELD_MAX)
        return tp_fail(e, TP_ERR_RANGE, "the credential's field has more than %d bytes",
                       HTTP_AUTH_FIELD_MAX);
    r = find(&token, field, e);
    if (r != TP_OK)
        return r;
    r = jcs_decode(&object, token, PAYMENT_CREDENTIAL_MAX, e);
    if (r != TP_OK) {
        (void)tp_error_prefix(e, "the credential");
        return r;
    }
    return from_json(out, object, e);
}

enum tp_err payment_credential_read_json(struct payment_credential *out, struct span text,
                                         struct tp_error *e)
{
    json_t *object = NULL;
    enum tp_err r;

    *out = (struct payment_credential){0};
    if (text.n > PAYMENT_CREDENTIAL_MAX)
        return tp_fail(e, TP_ERR_RANGE, "the credential has more than %d bytes",
                       PAYMENT_CREDENTIAL_MAX);
    r = jcs_read(&object, text, e);
    if (r != TP_OK) {
        (void)tp_error_prefix(e, "the credential");
        return r;
    }
    return from_json(out, object, e);
}

void payment_credential_free(struct payment_credential *c)
{
    json_decref(c->owner);
    *c = (struct payment_credential){0};
}

static enum tp_err to_json(json_t **out, const struct payment_credential *c, struct tp_error *e)
{
    json_t *challenge = NULL, *object = NULL;
    enum tp_err r = TP_OK;

    *out = NULL;
    if (!json_is_object(c->payload))
        return tp_fail(e, TP_ERR_FORMAT, "the credential has no payload");
    r = payment_challenge_to_json(&challenge, &c->challenge, e);
    if (r != TP_OK)
        return r;
    object = json_object();
    if (object == NULL || json_object_set(object, "challenge", challenge) != 0)
        r = tp_fail(e, TP_ERR_NO_MEMORY, "no memory for JSON");
    if (r == TP_OK)
        r = jcs_set_text(object, "source", c->source, e);
    if (r == TP_OK && json_object_set(object, "payload", c->payload) != 0)
        r = tp_fail(e, TP_ERR_NO_MEMORY, "no memory for JSON");
    json_decref(challenge);
    if (r == TP_OK)
        *out = object;
    else
        json_decref(object);
    return r;
}

enum tp_err payment_credential_write_json(char **out, const struct payment_credential *c,
                                          struct tp_error *e)
{
    json_t *object;
    const enum tp_err r = to_json(&object, c, e);

    *out = NULL;
    if (r != TP_OK)
        return r;
    *out = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    return *out != NULL ? TP_OK : tp_fail(e, TP_ERR_NO_MEMORY, "no memory for JSON");
}

enum tp_err payment_credential_write(char **out, const struct payment_credential *c,
                                     struct tp_error *e)
{
    char *token = NULL;
    json_t *object;
    enum tp_err r = to_json(&object, c, e);

    *out = NULL;
    if (r != TP_OK)
        return r;
    r = jcs_encode_in_order(&token, object, e);
    json_decref(object);
    if (r != TP_OK)
        return r;
    if (asprintf(out, PAYMENT_SCHEME " %s", token) < 0) {
        *out = NULL;
        r = tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a credential");
    }
    OPENSSL_cleanse(token, strlen(token));
    free(token);
    return r;
}

enum tp_err payment_credential_hash(uint8_t out[32], const struct payment_credential *c,
                                    struct tp_error *e)
{
    struct payment_credential bound = *c;
    json_t *object;
    enum tp_err r;

    bound.challenge.description = NULL;
    r = to_json(&object, &bound, e);
    if (r != TP_OK)
        return r;
    r = jcs_hash(out, object, e);
    json_decref(object);
    return r;
}
