#include "payer/device.h"

#include <errno.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"
#include "order/sealed.h"
#include "order/token.h"
#include "payer/keystore.h"
#include "wire/jcs.h"

#define FILE_NAME    "device.jwk"
#define TRIES_NAME   "device.tries" /* how many codes were wrong since one was right */
#define TRIES_DIGITS 16
#define TRIES        3 /* at a time */
#define VERSION      1

static enum tp_err take_key(json_t **out, struct span text, const char *path, struct tp_error *e)
{
    if (jcs_read(out, text, NULL) == TP_OK && json_is_object(*out))
        return TP_OK;
    json_decref(*out);
    *out = NULL;
    return tp_fail(e, TP_ERR_FORMAT, "%s is no key of this device: put it aside", path);
}

/* ---- codes ---- */

/* How many were wrong; one more, durably, before the next is tried; none. */
static unsigned wrong_codes(const struct device *d)
{
    char path[PATH_MAX];
    uint8_t *text = NULL;
    size_t n = 0;
    unsigned wrong = 0;

    if (file_join(path, sizeof(path), d->folder, TRIES_NAME, NULL) == TP_OK &&
        file_read(path, TRIES_DIGITS, &text, &n, NULL) == TP_OK)
        wrong = (unsigned)strtoul((const char *)text, NULL, 10);
    free(text);
    return wrong;
}

static enum tp_err count_code(const struct device *d, unsigned wrong, struct tp_error *e)
{
    char path[PATH_MAX], text[TRIES_DIGITS];
    const enum tp_err r = file_join(path, sizeof(path), d->folder, TRIES_NAME, e);

    snprintf(text, sizeof(text), "%u", wrong);
    return r == TP_OK ? file_replace(path, span_str(text), 0600, e) : r;
}

static void forget_codes(const struct device *d)
{
    char path[PATH_MAX];

    if (file_join(path, sizeof(path), d->folder, TRIES_NAME, NULL) == TP_OK)
        (void)unlink(path);
}

/* *wrong is how many were, this one too. */
static enum tp_err try_code(struct secret *key, unsigned *wrong, const struct device *d,
                            struct span file, struct span code, const char *path,
                            struct tp_error *e)
{
    const unsigned pause = keystore_pause(*wrong = wrong_codes(d));
    enum tp_err r;

    if (pause > 0) {
        log_note("%u codes were wrong: %u seconds before the next is tried", *wrong, pause);
        (void)sleep(pause);
    }
    r = count_code(d, ++*wrong, e);
    if (r == TP_OK)
        r = keystore_open(key, file, d->user, code, path, e);
    if (r == TP_OK)
        forget_codes(d);
    return r;
}

static enum tp_err open_key(struct secret *key, const struct device *d, struct span file,
                            const char *path, struct tp_error *e)
{
    char text[96], error[160] = "";
    struct secret code = {0};
    struct tp_error fault = {0};
    unsigned wrong = 0;
    enum tp_err r = TP_ERR_SECURITY;

    snprintf(text, sizeof(text), "Code of the key of %s", d->user);
    for (unsigned i = 0; i < TRIES; i++) {
        r = code_ask(&code, &d->code, text, error[0] != '\0' ? error : NULL, e);
        if (r != TP_OK)
            return r;
        r = try_code(key, &wrong, d, file, secret_span(&code), path, &fault);
        secret_free(&code);
        if (r != TP_ERR_SECURITY)
            break;
        snprintf(error, sizeof(error),
                 _("the code is wrong, or the key was altered (wrong tries: %u)"), wrong);
    }
    if (r == TP_ERR_SECURITY)
        return tp_fail(e, r, "%s: %s", path, error);
    if (r != TP_OK && e != NULL)
        *e = fault;
    return r;
}

/* ---- the file ---- */

static enum tp_err read_file(const char *path, uint8_t **text, size_t *n, struct tp_error *e)
{
    const enum tp_err r = file_check_private(path, e);

    return r == TP_OK ? file_read(path, KEYSTORE_MAX, text, n, e) : r;
}

static enum tp_err read_key(json_t **out, const struct device *d, const char *path,
                            struct tp_error *e)
{
    struct secret opened = {0};
    uint8_t *text = NULL;
    size_t n = 0;
    enum tp_err r = read_file(path, &text, &n, e);
    const bool enciphered = r == TP_OK && keystore_is(span_of(text, n));

    if (enciphered)
        r = open_key(&opened, d, span_of(text, n), path, e);
    if (r == TP_OK)
        r = take_key(out, enciphered ? secret_span(&opened) : span_of(text, n), path, e);
    if (text != NULL)
        secret_wipe(text, n);
    free(text);
    secret_free(&opened);
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

static enum tp_err path_of(char out[PATH_MAX], const char *folder, struct tp_error *e)
{
    return file_join(out, PATH_MAX, folder, FILE_NAME, e);
}

void device_free(struct device *d)
{
    json_decref(d->key);
    d->key = NULL;
}

enum tp_err device_key(json_t **out, struct device *d, struct tp_error *e)
{
    char path[PATH_MAX];
    enum tp_err r = path_of(path, d->folder, e);

    *out = NULL;
    if (r == TP_OK && d->key == NULL && access(path, F_OK) != 0)
        r = make_key(path, e);
    if (r == TP_OK && d->key == NULL)
        r = read_key(&d->key, d, path, e);
    if (r == TP_OK)
        *out = d->key;
    return r;
}

enum tp_err device_set_code(struct device *d, struct span code, struct tp_error *e)
{
    char path[PATH_MAX], *text = NULL;
    uint8_t room[KEYSTORE_MAX];
    struct buf file = BUF_OF(room);
    json_t *key = NULL;
    enum tp_err r = path_of(path, d->folder, e);

    if (r == TP_OK && d->key == NULL && access(path, F_OK) != 0)
        r = sealed_answer_key(&d->key, e); /* never there without its code */
    if (r == TP_OK)
        r = device_key(&key, d, e);
    if (r == TP_OK)
        r = jcs_write(&text, key, e);
    if (r == TP_OK)
        r = keystore_close(&file, span_str(text), d->user, code, KEYSTORE_COST, e);
    if (r == TP_OK)
        r = file_replace(path, buf_span(&file), 0600, e);
    if (text != NULL)
        secret_wipe(text, strlen(text));
    free(text);
    return r;
}

enum tp_err device_kept(enum device_kept *out, const char *folder, struct tp_error *e)
{
    char path[PATH_MAX];
    uint8_t *text = NULL;
    size_t n = 0;
    enum tp_err r = path_of(path, folder, e);

    *out = DEVICE_NONE;
    if (r != TP_OK || (access(path, F_OK) != 0 && errno == ENOENT))
        return r;
    r = read_file(path, &text, &n, e);
    if (r == TP_OK)
        *out = keystore_is(span_of(text, n)) ? DEVICE_ENCIPHERED : DEVICE_PLAIN;
    if (text != NULL)
        secret_wipe(text, n);
    free(text);
    return r;
}

enum tp_err device_guard(struct device *d, struct tp_error *e)
{
    enum device_kept kept;
    struct secret code = {0};
    enum tp_err r = device_kept(&kept, d->folder, e);

    if (r != TP_OK || kept == DEVICE_ENCIPHERED)
        return r;
    log_note("the key of %s has no code yet, and is given one: what holds it may pay", d->user);
    r = code_ask_new(&code, &d->code, d->user, e);
    if (r == TP_OK)
        r = device_set_code(d, secret_span(&code), e);
    secret_free(&code);
    return r;
}

/* ---- a second device ---- */

enum tp_err device_export(const char *folder, const char *path, struct tp_error *e)
{
    char own[PATH_MAX], id[KEYSTORE_ID];
    enum device_kept kept;
    uint8_t *text = NULL;
    size_t n = 0;
    enum tp_err r = device_kept(&kept, folder, e);

    if (r == TP_OK && kept != DEVICE_ENCIPHERED)
        return tp_fail(e, TP_ERR_STATE,
                       "the key has no code, and would go out as it is: telepay user passwd first");
    if (r == TP_OK)
        r = path_of(own, folder, e);
    if (r == TP_OK)
        r = read_file(own, &text, &n, e);
    if (r == TP_OK)
        r = keystore_whose(id, span_of(text, n), own, e);
    if (r == TP_OK)
        r = file_replace(path, span_of(text, n), 0600, e);
    free(text);
    return r;
}

enum tp_err device_import(struct device *d, const char *path, struct tp_error *e)
{
    char own[PATH_MAX];
    struct secret key = {0};
    uint8_t *text = NULL;
    size_t n = 0;
    enum tp_err r = path_of(own, d->folder, e);

    if (r == TP_OK && access(own, F_OK) == 0)
        r = tp_fail(e, TP_ERR_EXISTS, "%s has a key already: %s", d->user, own);
    if (r == TP_OK)
        r = file_read(path, KEYSTORE_MAX, &text, &n, e);
    if (r == TP_OK)
        r = open_key(&key, d, span_of(text, n), path, e);
    if (r == TP_OK)
        r = take_key(&d->key, secret_span(&key), path, e);
    if (r == TP_OK)
        r = file_replace(own, span_of(text, n), 0600, e);
    secret_free(&key);
    free(text);
    return r;
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

enum tp_err device_sign(char **jws, const json_t *key, struct span r, struct span transaction,
                        struct tp_error *e)
{
    json_t *payload = statement(r, transaction);
    const enum tp_err rc = payload != NULL
                               ? token_sign_own(jws, payload, DEVICE_TYPE, key, e)
                               : tp_fail(e, TP_ERR_NO_MEMORY, "no memory for the device's word");

    if (rc != TP_OK)
        *jws = NULL;
    json_decref(payload);
    return rc;
}

enum tp_err device_claim(uint8_t out[16], const json_t *key, struct span own, const char *order,
                         struct tp_error *e)
{
    const char *d = json_string_value(json_object_get(key, "d"));
    uint8_t digest[32];
    char shown[BASE64URL_SIZE(64)], *text = NULL;
    enum tp_err r = TP_OK;

    if (own.n > 64 || d == NULL ||
        asprintf(&text, "telepay-claim-2|%s|%s|%s", d, base64url_encode(shown, own), order) < 0)
        return tp_fail(e, TP_ERR_INTERNAL, "the device's key cannot be used");
    if (!sha256(digest, span_str(text)))
        r = tp_fail(e, TP_ERR_INTERNAL, "OpenSSL cannot hash");
    memcpy(out, digest, 16);
    secret_wipe(text, strlen(text));
    free(text);
    return r;
}
