/* Any bytes as the payload of an order, an acknowledgement and a device's statement, signed as they
 * should be: refused, or what was understood can be written and is then read as the same. */
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
#include "order/sealed.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > PAYLOAD_MAX)
        return 0;
    if (authority == NULL)
        prepare();
    order(span_of(data, size));
    acknowledgement(span_of(data, size));
    device(span_of(data, size));
    return 0;
}
