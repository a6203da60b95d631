/* A scheme's folder. */
#include <jansson.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/date.h"
#include "base/file.h"
#include "base/hex.h"
#include "crypto/capk.h"
#include "crypto/cryptogram.h"
#include "simcard/scheme.h"

#define FILE_MAX 65536

/* ---- writing ---- */

/* SHA-1 over RID, index, modulus and exponent: the check sum of EMV 4.4 Book 2, 11.2.2, table 30.
 */
static enum tp_err authority_checksum(uint8_t sha1[20], const struct scheme *s)
{
    uint8_t raw[5 + 1 + EMV_RSA_MAX + 3];
    struct buf all = BUF_OF(raw);
    const struct emv_pubkey *key = emv_privkey_public(s->authority);

    if (buf_put(&all, SPAN_OF(s->rid)) != TP_OK || buf_u8(&all, s->index) != TP_OK ||
        buf_put(&all, emv_pubkey_modulus(key)) != TP_OK ||
        buf_put(&all, emv_pubkey_exponent(key)) != TP_OK)
        return TP_ERR_INTERNAL;
    return EVP_Q_digest(NULL, "SHA1", NULL, raw, all.n, sha1, NULL) == 1 ? TP_OK : TP_ERR_INTERNAL;
}

static json_t *hex_json(struct span s)
{
    char text[2 * EMV_RSA_MAX + 1];

    return json_string(hex_encode(text, s));
}

static enum tp_err save_json(json_t *json, const char *path, mode_t mode, struct tp_error *e)
{
    char *text = json != NULL ? json_dumps(json, JSON_INDENT(1)) : NULL;
    const enum tp_err r =
        text != NULL ? file_replace(path, span_str(text), mode, e)
                     : tp_fail(e, TP_ERR_NO_MEMORY, "cannot write %s: out of memory", path);

    free(text);
    json_decref(json);
    return r;
}

/* The authority's key by elliptic curves: Book 2, table 31. */
static json_t *ec_authority_json(const struct scheme *s)
{
    const struct ec_authority a = {.rid = {s->rid[0], s->rid[1], s->rid[2], s->rid[3], s->rid[4]},
                                   .index = s->ec.authority.index,
                                   .key = s->ec.authority.key.pub};
    const struct ec_suite *suite = a.key.suite;
    uint8_t y[EC_FIELD_MAX], checksum[EC_HASH_MAX];
    char expiry[DATE_TEXT_MAX];

    if (ec_pubkey_y(y, &a.key) != TP_OK || capk_checksum(checksum, &a) != TP_OK)
        return NULL;
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:s}", "rid", hex_json(SPAN_OF(a.rid)),
                     "index", hex_json(span_of(&a.index, 1)), "suite",
                     hex_json(span_of(&suite->signature, 1)), "x", hex_json(ec_pubkey_x(&a.key)),
                     "y", hex_json(span_of(y, suite->field_n)), "checksum",
                     hex_json(span_of(checksum, suite->hash_n)), "expiry",
                     date_format(expiry, s->authority_expiry), "environment", "test");
}

enum tp_err scheme_save_authority(const struct scheme *s, const char *path, struct tp_error *e)
{
    const struct emv_pubkey *key = emv_privkey_public(s->authority);
    uint8_t sha1[20];
    char expiry[DATE_TEXT_MAX];
    json_t *json;
    enum tp_err r = authority_checksum(sha1, s);

    if (r != TP_OK)
        return tp_fail(e, r, "cannot hash the authority's key");
    json = json_pack("{s:s, s:[{s:o, s:o, s:o, s:o, s:o, s:s, s:s}]}", "about",
                     "Certification authority of a telepay test scheme", "keys", "rid",
                     hex_json(SPAN_OF(s->rid)), "index", hex_json(span_of(&s->index, 1)), "modulus",
                     hex_json(emv_pubkey_modulus(key)), "exponent",
                     hex_json(emv_pubkey_exponent(key)), "sha1", hex_json(SPAN_OF(sha1)), "expiry",
                     date_format(expiry, s->authority_expiry), "environment", "test");
    if (json != NULL && s->ec.cert.n > 0 &&
        json_array_append_new(json_object_get(json, "keys"), ec_authority_json(s)) != 0) {
        json_decref(json);
        json = NULL;
    }
    return save_json(json, path, 0644, e);
}

static json_t *ec_issuer_json(const struct scheme_ec *ec)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "index", hex_json(span_of(&ec->authority.index, 1)),
                     "suite", hex_json(span_of(&ec->issuer.pub.suite->signature, 1)), "certificate",
                     hex_json(span_of(ec->cert.p, ec->cert.n)), "expired_certificate",
                     hex_json(span_of(ec->expired_cert.p, ec->expired_cert.n)));
}

static enum tp_err save_issuer(const struct scheme *s, const char *path, struct tp_error *e)
{
    char issuer[DATE_TEXT_MAX], authority[DATE_TEXT_MAX];
    json_t *json = json_pack(
        "{s:i, s:o, s:o, s:s, s:i, s:s, s:s, s:o, s:o, s:o, s:o}", "version", 1, "rid",
        hex_json(SPAN_OF(s->rid)), "index", hex_json(span_of(&s->index, 1)), "iin", s->iin,
        "country", (int)s->country, "expiry", date_format(issuer, s->issuer_expiry),
        "authority_expiry", date_format(authority, s->authority_expiry), "certificate",
        hex_json(span_of(s->issuer_cert.cert, s->issuer_cert.cert_n)), "remainder",
        hex_json(span_of(s->issuer_cert.remainder, s->issuer_cert.remainder_n)),
        "expired_certificate",
        hex_json(span_of(s->expired_issuer_cert.cert, s->expired_issuer_cert.cert_n)),
        "expired_remainder",
        hex_json(span_of(s->expired_issuer_cert.remainder, s->expired_issuer_cert.remainder_n)));

    if (json != NULL && s->ec.cert.n > 0 &&
        json_object_set_new(json, "ec", ec_issuer_json(&s->ec)) != 0) {
        json_decref(json);
        json = NULL;
    }
    return save_json(json, path, 0644, e);
}

static enum tp_err save_key(const struct emv_privkey *key, const char *path, struct tp_error *e)
{
    struct secret der = {NULL, 0};
    enum tp_err r = emv_privkey_export(&der, key);

    r = r == TP_OK ? file_replace(path, secret_span(&der), 0600, e)
                   : tp_fail(e, r, "cannot export the key for %s", path);
    secret_free(&der);
    return r;
}

static enum tp_err save_master_keys(const struct secret *ac, const struct secret *smi,
                                    const struct secret *smc, const char *path, struct tp_error *e)
{
    struct secret all;
    enum tp_err r = secret_alloc(&all, 3 * EMV_KEY_SIZE);

    if (r != TP_OK)
        return tp_fail(e, r, "out of memory");
    memcpy(all.p, ac->p, EMV_KEY_SIZE);
    memcpy(all.p + EMV_KEY_SIZE, smi->p, EMV_KEY_SIZE);
    memcpy(all.p + 2 * EMV_KEY_SIZE, smc->p, EMV_KEY_SIZE);
    r = file_replace(path, secret_span(&all), 0600, e);
    secret_free(&all);
    return r;
}

enum scheme_file {
    FILE_AUTHORITY,
    FILE_AUTHORITY_KEY,
    FILE_ISSUER,
    FILE_ISSUER_KEY,
    FILE_SECRET,
    FILE_AES_SECRET,
    FILE_EC_AUTHORITY_KEY,
    FILE_EC_ISSUER_KEY,
    FILES
};

static enum tp_err file_paths(char path[FILES][PATH_MAX], const char *dir, struct tp_error *e)
{
    static const char *const names[FILES] = {
        "authority.json", "authority.key",     "issuer.json",      "issuer.key",
        "issuer.secret",  "issuer-aes.secret", "authority-ec.key", "issuer-ec.key"};
    enum tp_err r = TP_OK;

    for (size_t i = 0; i < FILES && r == TP_OK; i++)
        r = file_join(path[i], PATH_MAX, dir, names[i], e);
    return r;
}

/* authority.json last: where it stands, the scheme is whole. */
enum tp_err scheme_save(const struct scheme *s, const char *dir, struct tp_error *e)
{
    char path[FILES][PATH_MAX];
    enum tp_err r = file_paths(path, dir, e);

    if (r == TP_OK && access(path[FILE_AUTHORITY], F_OK) == 0)
        return tp_fail(
            e, TP_ERR_EXISTS,
            "%s holds a scheme already: cards of it would become worthless; name another folder",
            dir);
    if (r == TP_OK)
        r = file_make_dir(dir, 0700, e);
    if (r == TP_OK)
        r = save_key(s->authority, path[FILE_AUTHORITY_KEY], e);
    if (r == TP_OK)
        r = save_key(s->issuer, path[FILE_ISSUER_KEY], e);
    if (r == TP_OK)
        r = save_master_keys(&s->ac_key, &s->smi_key, &s->smc_key, path[FILE_SECRET], e);
    if (r == TP_OK && s->ac_aes_key.n > 0)
        r = save_master_keys(&s->ac_aes_key, &s->smi_aes_key, &s->smc_aes_key,
                             path[FILE_AES_SECRET], e);
    if (r == TP_OK && s->ec.cert.n > 0)
        r = file_replace(path[FILE_EC_AUTHORITY_KEY], secret_span(&s->ec.authority.key.d), 0600, e);
    if (r == TP_OK && s->ec.cert.n > 0)
        r = file_replace(path[FILE_EC_ISSUER_KEY], secret_span(&s->ec.issuer.d), 0600, e);
    if (r == TP_OK)
        r = save_issuer(s, path[FILE_ISSUER], e);
    return r == TP_OK ? scheme_save_authority(s, path[FILE_AUTHORITY], e) : r;
}

/* ---- reading ---- */

static enum tp_err load_secret(struct secret *out, const char *path, struct tp_error *e)
{
    uint8_t *data = NULL;
    size_t n = 0;
    enum tp_err r = file_check_private(path, e);

    if (r == TP_OK)
        r = file_read(path, FILE_MAX, &data, &n, e);
    if (r != TP_OK)
        return r;
    r = secret_copy(out, span_of(data, n));
    secret_wipe(data, n);
    free(data);
    return r == TP_OK ? r : tp_fail(e, r, "out of memory");
}

static enum tp_err load_key(struct emv_privkey **out, const char *path, struct tp_error *e)
{
    struct secret der = {NULL, 0};
    enum tp_err r = load_secret(&der, path, e);

    if (r == TP_OK && emv_privkey_import(out, secret_span(&der)) != TP_OK)
        r = tp_fail(e, TP_ERR_FORMAT, "%s is no RSA key", path);
    secret_free(&der);
    return r;
}

static enum tp_err load_master_keys(struct secret *ac, struct secret *smi, struct secret *smc,
                                    const char *path, struct tp_error *e)
{
    struct secret all = {NULL, 0};
    enum tp_err r = load_secret(&all, path, e);

    if (r == TP_OK && all.n != 3 * EMV_KEY_SIZE)
        r = tp_fail(e, TP_ERR_FORMAT, "%s has the wrong size", path);
    if (r == TP_OK)
        r = secret_copy(ac, span_of(all.p, EMV_KEY_SIZE));
    if (r == TP_OK)
        r = secret_copy(smi, span_of(all.p + EMV_KEY_SIZE, EMV_KEY_SIZE));
    if (r == TP_OK)
        r = secret_copy(smc, span_of(all.p + 2 * EMV_KEY_SIZE, EMV_KEY_SIZE));
    secret_free(&all);
    return r;
}

static const char *text_of(const json_t *json, const char *name)
{
    const char *t = json_string_value(json_object_get(json, name));

    return t != NULL ? t : "?"; /* which no field is right with */
}

static enum tp_err get_hex(uint8_t *out, size_t cap, size_t *n, const json_t *json,
                           const char *name)
{
    struct buf b = {out, 0, cap};
    const enum tp_err r = hex_decode(&b, text_of(json, name));

    if (n != NULL)
        *n = b.n;
    else if (r == TP_OK && b.n != cap)
        return TP_ERR_FORMAT;
    return r;
}

static enum tp_err get_cert(struct emv_cert_made *c, const json_t *json, const char *cert,
                            const char *remainder)
{
    const enum tp_err r = get_hex(c->cert, sizeof(c->cert), &c->cert_n, json, cert);

    return r == TP_OK
               ? get_hex(c->remainder, sizeof(c->remainder), &c->remainder_n, json, remainder)
               : r;
}

/* A scheme without elliptic curves has none of it. */
static enum tp_err get_ec(struct scheme *s, const json_t *json)
{
    struct scheme_ec *ec = &s->ec;

    if (json == NULL)
        return TP_OK;
    if (get_hex(&ec->authority.index, 1, NULL, json, "index") != TP_OK ||
        get_hex(&s->ec_suite, 1, NULL, json, "suite") != TP_OK ||
        ec_suite_signature(s->ec_suite) == NULL ||
        get_hex(ec->cert.p, sizeof(ec->cert.p), &ec->cert.n, json, "certificate") != TP_OK)
        return TP_ERR_FORMAT;
    return get_hex(ec->expired_cert.p, sizeof(ec->expired_cert.p), &ec->expired_cert.n, json,
                   "expired_certificate");
}

static enum tp_err get_issuer(struct scheme *s, const json_t *json)
{
    const char *iin = text_of(json, "iin");

    if (strlen(iin) >= sizeof(s->iin) || strlen(iin) < 6)
        return TP_ERR_FORMAT;
    memcpy(s->iin, iin, strlen(iin) + 1);
    s->country = (unsigned)json_integer_value(json_object_get(json, "country"));
    if (json_integer_value(json_object_get(json, "version")) != 1 ||
        get_hex(s->rid, sizeof(s->rid), NULL, json, "rid") != TP_OK ||
        get_hex(&s->index, 1, NULL, json, "index") != TP_OK ||
        date_parse(&s->issuer_expiry, text_of(json, "expiry")) != TP_OK ||
        date_parse(&s->authority_expiry, text_of(json, "authority_expiry")) != TP_OK ||
        get_cert(&s->issuer_cert, json, "certificate", "remainder") != TP_OK ||
        get_ec(s, json_object_get(json, "ec")) != TP_OK)
        return TP_ERR_FORMAT;
    return get_cert(&s->expired_issuer_cert, json, "expired_certificate", "expired_remainder");
}

static enum tp_err load_issuer(struct scheme *s, const char *path, struct tp_error *e)
{
    uint8_t *text = NULL;
    size_t n = 0;
    json_error_t why;
    json_t *json;
    enum tp_err r = file_read(path, FILE_MAX, &text, &n, e);

    if (r != TP_OK)
        return tp_error_prefix(e, "no scheme there, make one with: telepay-perso init DIR");
    json = json_loadb((const char *)text, n, 0, &why);
    if (json == NULL)
        r = tp_fail(e, TP_ERR_FORMAT, "%s, line %d: %s", path, why.line, why.text);
    else if (get_issuer(s, json) != TP_OK)
        r = tp_fail(e, TP_ERR_FORMAT, "%s does not describe an issuer", path);
    json_decref(json);
    free(text);
    return r;
}

static enum tp_err load_ec_key(struct ec_privkey *out, const struct ec_suite *suite,
                               const char *path, struct tp_error *e)
{
    struct secret d = {NULL, 0};
    enum tp_err r = load_secret(&d, path, e);

    if (r == TP_OK && ec_privkey_make(out, suite, secret_span(&d)) != TP_OK)
        r = tp_fail(e, TP_ERR_FORMAT, "%s is no key of its scheme's elliptic curve", path);
    secret_free(&d);
    return r;
}

static enum tp_err load_ec(struct scheme *s, char path[FILES][PATH_MAX], struct tp_error *e)
{
    enum tp_err r = load_ec_key(&s->ec.authority.key, ec_suite_signature(s->ec_suite),
                                path[FILE_EC_AUTHORITY_KEY], e);

    memcpy(s->ec.authority.rid, s->rid, sizeof(s->rid));
    return r == TP_OK ? load_ec_key(&s->ec.issuer, ec_suite_signature(s->ec_suite),
                                    path[FILE_EC_ISSUER_KEY], e)
                      : r;
}

enum tp_err scheme_load(struct scheme **out, const char *dir, struct tp_error *e)
{
    char path[FILES][PATH_MAX];
    struct scheme *s = calloc(1, sizeof(*s));
    enum tp_err r =
        s != NULL ? file_paths(path, dir, e) : tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");

    *out = NULL;
    if (r == TP_OK)
        r = load_issuer(s, path[FILE_ISSUER], e);
    if (r == TP_OK)
        r = load_key(&s->authority, path[FILE_AUTHORITY_KEY], e);
    if (r == TP_OK)
        r = load_key(&s->issuer, path[FILE_ISSUER_KEY], e);
    if (r == TP_OK)
        r = load_master_keys(&s->ac_key, &s->smi_key, &s->smc_key, path[FILE_SECRET], e);
    if (r == TP_OK && access(path[FILE_AES_SECRET], F_OK) == 0)
        r = load_master_keys(&s->ac_aes_key, &s->smi_aes_key, &s->smc_aes_key,
                             path[FILE_AES_SECRET], e);
    if (r == TP_OK && s->ec.cert.n > 0)
        r = load_ec(s, path, e);
    if (r == TP_OK)
        *out = s;
    else
        scheme_free(&s);
    return r;
}
