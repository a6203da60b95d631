#include "payer/credential.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/secret.h"
#include "order/sealed.h"
#include "payer/device.h"
#include "wire/payment_credential.h"

#define VERSION     1
#define CLAIM_BYTES 16

/* base64url as a JSON string; NULL: no memory. */
static json_t *encoded(struct span bytes)
{
    char *text = malloc(BASE64URL_SIZE(bytes.n));
    json_t *string = NULL;

    if (text != NULL) {
        string = json_string(base64url_encode(text, bytes));
        secret_wipe(text, strlen(text));
    }
    free(text);
    return string;
}

/* The JWE of the 0200, and of the key for the answer. */
static enum tp_err seal_message(char **out, const struct credential_parts *p, const json_t *key,
                                struct tp_error *e)
{
    json_t *public = NULL, *plain = NULL;
    enum tp_err r = sealed_public_key(&public, key, e);

    *out = NULL;
    if (r == TP_OK) {
        plain = json_pack("{s:i,s:o,s:O}", "version", VERSION, "message", encoded(p->message),
                          "answer_key", public);
        r = plain != NULL ? sealed_write(out, plain, SEALED_TRANSACTION, p->demand->sealing.jwk, e)
                          : tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a payment");
    }
    json_decref(public);
    json_decref(plain);
    return r;
}

static enum tp_err card_payload(json_t **out, const struct credential_parts *p, const json_t *key,
                                struct tp_error *e)
{
    char *sealed = NULL, *device = NULL;
    enum tp_err r = seal_message(&sealed, p, key, e);

    if (r == TP_OK && p->device != NULL)
        r = device_sign(&device, p->device, SPAN_OF(p->demand->r), p->message, e);
    if (r == TP_OK) {
        *out = json_pack("{s:s,s:s*}", "transaction", sealed, "device", device);
        if (*out == NULL)
            r = tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a payment");
    }
    free(sealed);
    free(device);
    return r;
}

static enum tp_err purse_payload(json_t **out, const struct credential_parts *p, struct tp_error *e)
{
    *out = json_pack("{s:s,s:s*}", demand_is_in_session(p->demand) ? "voucher" : "payment",
                     p->payment, "provision", p->provision);
    return *out != NULL ? TP_OK : tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a payment");
}

/* The credential's JSON; of a card its answer is to be sealed to the key. */
static enum tp_err make_text(char **out, const struct credential_parts *p, const json_t *key,
                             struct tp_error *e)
{
    struct payment_credential c = {.challenge = p->demand->challenge};
    enum tp_err r =
        p->payment != NULL ? purse_payload(&c.payload, p, e) : card_payload(&c.payload, p, key, e);

    if (r == TP_OK && p->claim != NULL &&
        json_object_set_new(c.payload, "claim", encoded(span_of(p->claim, CLAIM_BYTES))) != 0)
        r = tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a payment");
    if (r == TP_OK)
        r = payment_credential_write_json(out, &c, e);
    json_decref(c.payload);
    return r;
}

enum tp_err credential_make(json_t **out, const struct credential_parts *p, struct tp_error *e)
{
    const bool by_card = p->payment == NULL;
    json_t *key = NULL;
    char *text = NULL;
    enum tp_err r = by_card ? sealed_answer_key(&key, e) : TP_OK;

    *out = NULL;
    if (r == TP_OK)
        r = make_text(&text, p, key, e);
    if (r == TP_OK) {
        *out = json_pack("{s:s,s:O*,s:o*}", "credential", text, "answer_key", key, "message",
                         by_card ? encoded(p->message) : NULL);
        if (*out == NULL)
            r = tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a payment");
    }
    if (text != NULL)
        secret_wipe(text, strlen(text));
    free(text);
    json_decref(key);
    return r;
}

const char *credential_text(const json_t *secret)
{
    const char *text = json_string_value(json_object_get(secret, "credential"));

    return text != NULL ? text : "";
}

char *credential_provision(const json_t *secret)
{
    struct payment_credential c = {0};
    const char *text = NULL;
    char *provision;

    if (payment_credential_read_json(&c, span_str(credential_text(secret)), NULL) == TP_OK)
        text = json_string_value(json_object_get(c.payload, "provision"));
    provision = text != NULL ? strdup(text) : NULL;
    payment_credential_free(&c);
    return provision;
}

enum tp_err credential_message(struct buf *out, const json_t *secret, struct tp_error *e)
{
    const char *text = json_string_value(json_object_get(secret, "message"));

    return text != NULL && base64url_decode(out, span_str(text)) == TP_OK
               ? TP_OK
               : tp_fail(e, TP_ERR_FORMAT, "what was sent of an order cannot be read");
}

enum tp_err credential_field(char **out, const json_t *secret, struct tp_error *e)
{
    struct payment_credential c = {0};
    enum tp_err r = payment_credential_read_json(&c, span_str(credential_text(secret)), e);

    *out = NULL;
    if (r == TP_OK)
        r = payment_credential_write(out, &c, e);
    payment_credential_free(&c);
    return r;
}

enum tp_err credential_hash(char out[CREDENTIAL_HASH], const json_t *secret, struct tp_error *e)
{
    struct payment_credential c = {0};
    uint8_t hash[32];
    enum tp_err r = payment_credential_read_json(&c, span_str(credential_text(secret)), e);

    if (r == TP_OK)
        r = payment_credential_hash(hash, &c, e);
    if (r == TP_OK)
        base64url_encode(out, SPAN_OF(hash));
    payment_credential_free(&c);
    return r;
}
