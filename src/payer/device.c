#include "payer/device.h"

#include <errno.h>
#include <jose/jws.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/secret.h"
#include "order/jose_quiet.h"
#include "order/sealed.h"
#include "wire/jcs.h"

#define FILE_NAME "device.jwk"
#define FILE_MAX  4096
#define VERSION   1

static enum tp_err read_key(json_t **out, const char *path, struct tp_error *e)
{
    uint8_t *text = NULL;
    size_t n = 0;
    enum tp_err r = file_check_private(path, e);

    if (r == TP_OK)
        r = file_read(path, FILE_MAX, &text, &n, e);
    if (r == TP_OK && (jcs_read(out, span_of(text, n), NULL) != TP_OK || !json_is_object(*out))) {
        json_decref(*out);
        *out = NULL;
        r = tp_fail(e, TP_ERR_FORMAT, "%s is no key of this device: put it aside", path);
    }
    if (text != NULL)
        secret_wipe(text, n);
    free(text);
    return r;
}

/* Under a name of its own first: of two that make it at once, one is kept, and whole. */
static enum tp_err make_key(const char *path, struct tp_error *e)
{
    char own[PATH_MAX], *text = NULL;
    json_t *key = NULL;
    enum tp_err r = sealed_answer_key(&key, e);

    if (r == TP_OK &&
        snprintf(own, sizeof(own), "%s.%ld", path, (long)getpid()) >= (int)sizeof(own))
        r = tp_fail(e, TP_ERR_RANGE, "the path %s is too long", path);
    if (r == TP_OK)
        r = jcs_write(&text, key, e);
    if (r == TP_OK)
        r = file_replace(own, span_str(text), 0600, e);
    if (r == TP_OK) {
        if (link(own, path) != 0 && errno != EEXIST)
            r = tp_fail(e, TP_ERR_IO, "cannot make %s: %s", path, strerror(errno));
        (void)unlink(own);
    }
    if (text != NULL)
        secret_wipe(text, strlen(text));
    free(text);
    json_decref(key);
    return r;
}

enum tp_err device_key(json_t **out, const char *home, struct tp_error *e)
{
    char path[PATH_MAX];
    enum tp_err r = file_join(path, sizeof(path), home, FILE_NAME, e);

    *out = NULL;
    if (r == TP_OK && access(path, F_OK) != 0)
        r = make_key(path, e);
    return r == TP_OK ? read_key(out, path, e) : r;
}

static bool sha256(uint8_t out[32], struct span of)
{
    return EVP_Q_digest(NULL, "SHA256", NULL, of.p, of.n, out, NULL) == 1;
}

static json_t *statement(struct span r, struct span transaction)
{
    uint8_t digest[32];
    char r_text[BASE64URL_SIZE(64)], digest_text[BASE64URL_SIZE(sizeof(digest))];

    if (r.n > 64 || !sha256(digest, transaction))
        return NULL;
    return json_pack("{s:i,s:s,s:s}", "version", VERSION, "r", base64url_encode(r_text, r),
                     "transaction", base64url_encode(digest_text, SPAN_OF(digest)));
}

static enum tp_err sign(char **jws, const json_t *key, const char *body, json_t *public,
                        struct tp_error *e)
{
    jose_cfg_t *cfg = jose_quiet();
    json_t *whole = json_pack("{s:s}", "payload", body),
           *sig = json_pack("{s:{s:s,s:s,s:O}}", "protected", "alg", "ES256", "typ", DEVICE_TYPE,
                            "jwk", public);
    enum tp_err r = TP_OK;

    if (cfg == NULL || whole == NULL || sig == NULL || !jose_jws_sig(cfg, whole, sig, key))
        r = tp_fail(e, TP_ERR_INTERNAL, "libjose cannot sign with the device's key");
    else if (asprintf(jws, "%s.%s.%s", json_string_value(json_object_get(whole, "protected")), body,
                      json_string_value(json_object_get(whole, "signature"))) < 0)
        r = tp_fail(e, TP_ERR_NO_MEMORY, "no memory to sign");
    if (r != TP_OK)
        *jws = NULL;
    if (cfg != NULL)
        jose_cfg_decref(cfg);
    json_decref(whole);
    json_decref(sig);
    return r;
}

enum tp_err device_sign(char **jws, const json_t *key, struct span r, struct span transaction,
                        struct tp_error *e)
{
    json_t *payload = statement(r, transaction), *public = NULL;
    char *body = NULL;
    enum tp_err rc = payload != NULL
                         ? sealed_public_key(&public, key, e)
                         : tp_fail(e, TP_ERR_NO_MEMORY, "no memory for the device's word");

    *jws = NULL;
    if (rc == TP_OK)
        rc = jcs_encode(&body, payload, e);
    if (rc == TP_OK)
        rc = sign(jws, key, body, public, e);
    json_decref(payload);
    json_decref(public);
    free(body);
    return rc;
}

enum tp_err device_claim(uint8_t out[16], const json_t *key, const char *order, struct tp_error *e)
{
    const char *d = json_string_value(json_object_get(key, "d"));
    uint8_t digest[32];
    char *text = NULL;
    enum tp_err r = TP_OK;

    if (d == NULL || asprintf(&text, "telepay-claim-1|%s|%s", d, order) < 0)
        return tp_fail(e, TP_ERR_INTERNAL, "the device's key cannot be used");
    if (!sha256(digest, span_str(text)))
        r = tp_fail(e, TP_ERR_INTERNAL, "OpenSSL cannot hash");
    memcpy(out, digest, 16);
    secret_wipe(text, strlen(text));
    free(text);
    return r;
}
