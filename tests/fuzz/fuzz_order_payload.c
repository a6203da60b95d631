/* Any bytes as the payload of an order, an acknowledgement, a device's statement, what a purse and
 * a mediator sign for one another and what an account's key signs, signed as they should be:
 * refused, or what was understood can be written and is then read as the same. */
#include "fuzz.h"

#include <jose/jws.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/base64.h"
#include "order/acknowledgement.h"
#include "order/device.h"
#include "order/jose_quiet.h"
#include "order/order.h"
#include "order/purse_token.h"
#include "order/sealed.h"
#include "wire/jcs.h"

#define PAYLOAD_MAX 4096

static struct order_authority *authority;
static struct order_key order_key, acknowledgement_key;
static json_t *device_key, *device_public;
static time_t at;

static void certify(struct order_key *key, const char *dir, enum pki_role role)
{
    const struct pki_subject subject = {"000000000000123", "ACQ1", NULL};
    char cert[64], secret[64];

    snprintf(cert, sizeof(cert), "%s/cert.pem", dir);
    snprintf(secret, sizeof(secret), "%s/cert.key", dir);
    HOLDS(pki_certificate_make(dir, role, &subject, 3650, cert, secret, NULL) == TP_OK);
    HOLDS(order_key_load(key, cert, secret, NULL) == TP_OK);
    HOLDS(unlink(cert) == 0 && unlink(secret) == 0);
}

static void prepare(void)
{
    char dir[] = "/tmp/fuzz_order.XXXXXX", path[64];

    HOLDS(mkdtemp(dir) != NULL);
    HOLDS(pki_authority_make(dir, "authority", NULL) == TP_OK);
    snprintf(path, sizeof(path), "%s/ca.pem", dir);
    HOLDS(order_authority_load(&authority, path, NULL) == TP_OK);
    certify(&order_key, dir, PKI_ORDER);
    certify(&acknowledgement_key, dir, PKI_ACKNOWLEDGEMENT);
    HOLDS(unlink(path) == 0);
    snprintf(path, sizeof(path), "%s/ca.key", dir);
    HOLDS(unlink(path) == 0 && rmdir(dir) == 0);
    HOLDS(sealed_answer_key(&device_key, NULL) == TP_OK);
    HOLDS(sealed_public_key(&device_public, device_key, NULL) == TP_OK);
    at = time(NULL);
}

/* The statement of that type: the payload as it is. */
static char *sign(struct span payload, const char *type, const char *bearer, json_t *whose,
                  const json_t *key)
{
    jose_cfg_t *cfg = jose_quiet();
    char *text = malloc(BASE64URL_SIZE(payload.n)), *out = NULL;

    HOLDS(cfg != NULL && text != NULL);
    json_t *jws = json_pack("{s:s}", "payload", base64url_encode(text, payload));
    json_t *sig =
        json_pack("{s:{s:s,s:s,s:O}}", "protected", "alg", "ES256", "typ", type, bearer, whose);

    HOLDS(jose_jws_sig(cfg, jws, sig, key));
    HOLDS(asprintf(&out, "%s.%s.%s", json_string_value(json_object_get(jws, "protected")), text,
                   json_string_value(json_object_get(jws, "signature"))) > 0);
    json_decref(jws);
    json_decref(sig);
    jose_cfg_decref(cfg);
    free(text);
    return out;
}

static void order(struct span payload)
{
    char *jws = sign(payload, ORDER_TYPE, "x5c", order_key.x5c, order_key.jwk), *again = NULL;
    struct order o = {0}, same = {0};
    struct tp_error e = {0};
    const enum tp_err r = order_read(&o, jws, authority, at, &e);

    HOLDS(r == TP_OK || e.text[0] != '\0');
    if (r == TP_OK || r == TP_ERR_TIMEOUT) { /* its time is looked at last */
        HOLDS(order_write(&again, &o, &order_key, &e) == TP_OK);
        HOLDS(order_read(&same, again, authority, at, &e) == r);
        HOLDS(json_equal(o.owner, same.owner));
    }
    order_free(&o);
    order_free(&same);
    free(again);
    free(jws);
}

static void acknowledgement(struct span payload)
{
    char *jws = sign(payload, ACKNOWLEDGEMENT_TYPE, "x5c", acknowledgement_key.x5c,
                     acknowledgement_key.jwk),
         *again = NULL;
    struct acknowledgement a = {0}, same = {0};
    struct tp_error e = {0};
    const enum tp_err r = acknowledgement_read(&a, jws, authority, &e);

    HOLDS(r == TP_OK || e.text[0] != '\0');
    if (r == TP_OK) {
        HOLDS(acknowledgement_write(&again, &a, &acknowledgement_key, &e) == TP_OK);
        HOLDS(acknowledgement_read(&same, again, authority, &e) == TP_OK);
        HOLDS(json_equal(a.owner, same.owner));
    }
    acknowledgement_free(&a);
    acknowledgement_free(&same);
    free(again);
    free(jws);
}

/* It is of these two, or refused. */
static void device(struct span payload)
{
    static const uint8_t nothing[32];
    char *jws = sign(payload, DEVICE_STATEMENT_TYPE, "jwk", device_public, device_key);
    struct tp_error e = {0};
    const enum tp_err r = device_statement_verify(jws, nothing, nothing, &e);

    HOLDS(r == TP_OK || e.text[0] != '\0');
    free(jws);
}

static void purse_token(struct span payload, enum purse_token_kind kind, const char *type)
{
    const struct order_key *const key =
        kind == PURSE_PROVISION_ACKNOWLEDGEMENT ? &acknowledgement_key : &order_key;
    char *jws = sign(payload, type, "x5c", key->x5c, key->jwk), *again = NULL;
    struct purse_token t = {0}, same = {0};
    struct tp_error e = {0};
    const enum tp_err r = purse_token_read(&t, kind, jws, authority, &e);

    HOLDS(r == TP_OK || e.text[0] != '\0');
    if (r == TP_OK) {
        HOLDS(purse_token_write(&again, kind, &t, key, &e) == TP_OK);
        HOLDS(purse_token_read(&same, kind, again, authority, &e) == TP_OK);
        HOLDS(json_equal(t.owner, same.owner));
    }
    purse_token_free(&t);
    purse_token_free(&same);
    free(again);
    free(jws);
}

/* Signed here, since libjose knows no Ed25519. */
static void statement(struct span payload, enum purse_kind kind, const char *type)
{
    static const uint8_t secret[ED25519_KEY] = {1};
    uint8_t key[ED25519_KEY], signature[ED25519_SIGNATURE];
    char *jws = NULL, *again = NULL, *signed_text = NULL, *text = malloc(BASE64URL_SIZE(payload.n)),
         encoded[BASE64URL_SIZE(ED25519_SIGNATURE)], *head = NULL;
    struct purse_statement s = {0};
    struct tp_error e = {0};

    HOLDS(text != NULL && ed25519_public(key, secret, NULL) == TP_OK);
    json_t *jwk = ed25519_to_jwk(key);
    json_t *header = json_pack("{s:s,s:s,s:O}", "alg", "EdDSA", "typ", type, "jwk", jwk);

    HOLDS(jcs_encode(&head, header, NULL) == TP_OK);
    HOLDS(asprintf(&signed_text, "%s.%s", head, base64url_encode(text, payload)) > 0);
    HOLDS(ed25519_sign(signature, span_str(signed_text), secret, NULL) == TP_OK);
    HOLDS(asprintf(&jws, "%s.%s", signed_text, base64url_encode(encoded, SPAN_OF(signature))) > 0);
    const enum tp_err r = purse_statement_read(&s, kind, jws, &e);

    HOLDS(r == TP_OK || e.text[0] != '\0');
    HOLDS(r != TP_OK || (purse_statement_write(&again, kind, &s, secret, &e) == TP_OK));
    purse_statement_free(&s);
    json_decref(jwk);
    json_decref(header);
    free(head);
    free(signed_text);
    free(text);
    free(again);
    free(jws);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const tokens[] = {
        [PURSE_REVERSAL] = "telepay-purse-reversal",
        [PURSE_PRESENTATION] = "telepay-purse-presentation",
        [PURSE_END] = "telepay-purse-end",
        [PURSE_VOUCHER_ACKNOWLEDGEMENT] = "telepay-voucher-acknowledgement",
        [PURSE_PROVISION_ACKNOWLEDGEMENT] = "telepay-purse-provision-acknowledgement",
    };
    static const char *const statements[] = {
        [PURSE_OPENING] = "telepay-purse-opening",
        [PURSE_SUCCESSION] = "telepay-purse-succession",
        [PURSE_PAYMENT] = "telepay-purse-payment",
        [PURSE_QUESTION] = "telepay-purse-question",
        [PURSE_EMPTYING] = "telepay-purse-emptying",
        [PURSE_PROVISION] = "telepay-purse-provision",
        [PURSE_VOUCHER] = "telepay-purse-voucher",
        [PURSE_SESSION_END] = "telepay-purse-session-end",
    };

    if (size > PAYLOAD_MAX)
        return 0;
    if (authority == NULL)
        prepare();
    order(span_of(data, size));
    acknowledgement(span_of(data, size));
    device(span_of(data, size));
    for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++)
        purse_token(span_of(data, size), (enum purse_token_kind)i, tokens[i]);
    for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++)
        statement(span_of(data, size), (enum purse_kind)i, statements[i]);
    return 0;
}
