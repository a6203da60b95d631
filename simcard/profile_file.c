/* A card's folder: card.json, card.key, card.secret. */
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "apdu/emvbits.h"
#include "apdu/emvtags.h"
#include "base/file.h"
#include "base/hex.h"
#include "simcard/profile.h"

#define JSON_MAX   65536
#define SECRET_KEY 16
#define SECRET_PIN 8
#define AMOUNT_MAX 999999999999 /* of twelve digits, as 9F02 has */

#define KEY_FILE     "card.key"
#define PIN_KEY_FILE "card.pin-key"
#define XDA_KEY_FILE "card.xda-key"
#define ODE_KEY_FILE "card.ode-key"

/* ---- writing ---- */

static json_t *hex_json(struct span s)
{
    char text[2 * 256 + 1];

    return s.n <= 256 ? json_string(hex_encode(text, s)) : NULL;
}

static json_t *apps_json(const struct card_profile *p)
{
    json_t *list = json_array();

    for (size_t i = 0; i < p->apps_n; i++) {
        const struct profile_app *a = &p->apps[i];

        json_array_append_new(list, json_pack("{s:o, s:s, s:s, s:i, s:b}", "aid",
                                              hex_json(span_of(a->aid, a->aid_n)), "label",
                                              a->label, "preferred", a->preferred, "priority",
                                              a->priority, "blocked", a->blocked));
    }
    return list;
}

static json_t *records_json(const struct card_profile *p)
{
    json_t *list = json_array();

    for (size_t i = 0; i < p->records_n; i++) {
        const struct profile_record *r = &p->records[i];

        json_array_append_new(list, json_pack("{s:i, s:i, s:o}", "sfi", r->sfi, "record", r->number,
                                              "data", hex_json(span_of(r->data, r->n))));
    }
    return list;
}

static json_t *bytes_json(const struct profile_bytes *b)
{
    return hex_json(span_of(b->p, b->n));
}

static json_t *risks_json(uint32_t mask)
{
    json_t *list = json_array();
    const char *name;

    for (size_t i = 0; (name = card_risk_name(i)) != NULL; i++)
        if ((mask >> i & 1) != 0)
            json_array_append_new(list, json_string(name));
    return list;
}

/* How the card decides and how its issuer speaks to it. */
static json_t *issuer_json(const struct card_profile *p)
{
    return json_pack("{s:s, s:i, s:b, s:b, s:I, s:I, s:o, s:o, s:o}", "cryptogram",
                     emv_cvn_name(p->cvn), "arpc", p->arpc, "mandatory", p->issuer_mandatory,
                     "block_on_tries", p->block_on_tries, "amount_limit",
                     (json_int_t)p->amount_limit, "amount_maximum", (json_int_t)p->amount_maximum,
                     "ask_online", risks_json(p->ask_online), "decline", risks_json(p->decline),
                     "decline_unable", risks_json(p->decline_unable));
}

static json_t *xda_json(const struct profile_xda *x)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "suite",
                     hex_json(span_of(&x->key.pub.suite->signature, 1)), "aip",
                     hex_json(SPAN_OF(x->aip)), "afl", bytes_json(&x->afl),
                     "expired_issuer_certificate", bytes_json(&x->expired_issuer_cert),
                     "expired_icc_certificate", bytes_json(&x->expired_icc_cert));
}

static json_t *profile_json(const struct card_profile *p)
{
    json_t *json = json_pack(
        "{s:i, s:o, s:b, s:b, s:b, s:i, s:i, s:i, s:i, s:i, s:s, s:o, s:o, s:o, s:o, "
        "s:o, s:o, s:o, s:o}",
        "version", 1, "applications", apps_json(p), "pse", p->pse, "t0", p->t0, "blocked",
        p->blocked, "format", p->format, "dki", p->dki, "pin_tries", p->pin_tries, "offline_limit",
        p->offline_limit, "offline_maximum", p->offline_maximum, "language", p->language, "aip",
        hex_json(SPAN_OF(p->aip)), "afl", bytes_json(&p->afl), "pdol", bytes_json(&p->pdol),
        "records", records_json(p), "expired_issuer_certificate",
        bytes_json(&p->expired_issuer_cert), "expired_icc_certificate",
        bytes_json(&p->expired_icc_cert), "other_pan_icc_certificate",
        bytes_json(&p->other_pan_icc_cert), "issuer", issuer_json(p));

    if (json != NULL && profile_has_xda(p) &&
        json_object_set_new(json, "xda", xda_json(&p->xda)) != 0) {
        json_decref(json);
        json = NULL;
    }
    return json;
}

static enum tp_err save_json(const struct card_profile *p, const char *dir, struct tp_error *e)
{
    char path[PATH_MAX];
    json_t *json = profile_json(p);
    char *text = json != NULL ? json_dumps(json, JSON_INDENT(1)) : NULL;
    enum tp_err r = file_join(path, sizeof(path), dir, "card.json", e);

    if (text == NULL)
        r = tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    if (r == TP_OK)
        r = file_replace(path, span_str(text), 0600, e);
    free(text);
    json_decref(json);
    return r;
}

static enum tp_err save_key(const struct emv_privkey *key, const char *dir, const char *name,
                            struct tp_error *e)
{
    char path[PATH_MAX];
    struct secret der = {NULL, 0};
    enum tp_err r;

    if (key == NULL)
        return TP_OK;
    r = file_join(path, sizeof(path), dir, name, e);
    if (r == TP_OK)
        r = emv_privkey_export(&der, key);
    if (r == TP_OK)
        r = file_replace(path, secret_span(&der), 0600, e);
    secret_free(&der);
    return r;
}

static enum tp_err save_ec_key(const struct ec_privkey *key, const char *dir, const char *name,
                               struct tp_error *e)
{
    char path[PATH_MAX];
    enum tp_err r = TP_OK;

    if (key->d.n == 0)
        return TP_OK;
    r = file_join(path, sizeof(path), dir, name, e);
    return r == TP_OK ? file_replace(path, secret_span(&key->d), 0600, e) : r;
}

static enum tp_err save_secrets(const struct card_profile *p, const char *dir, struct tp_error *e)
{
    char path[PATH_MAX];
    struct secret all;
    enum tp_err r = file_join(path, sizeof(path), dir, "card.secret", e);

    if (r == TP_OK)
        r = secret_alloc(&all, 3 * SECRET_KEY + SECRET_PIN);
    if (r != TP_OK)
        return r;
    memcpy(all.p, p->ac_key.p, SECRET_KEY);
    memcpy(all.p + SECRET_KEY, p->smi_key.p, SECRET_KEY);
    memcpy(all.p + 2 * SECRET_KEY, p->smc_key.p, SECRET_KEY);
    memcpy(all.p + 3 * SECRET_KEY, p->pin_block.p, SECRET_PIN);
    r = file_replace(path, secret_span(&all), 0600, e);
    secret_free(&all);
    return r;
}

enum tp_err profile_save(const struct card_profile *p, const char *dir, struct tp_error *e)
{
    enum tp_err r = file_make_dir(dir, 0700, e);

    if (r == TP_OK)
        r = save_secrets(p, dir, e);
    if (r == TP_OK)
        r = save_key(p->key, dir, KEY_FILE, e);
    if (r == TP_OK)
        r = save_key(p->pin_key, dir, PIN_KEY_FILE, e);
    if (r == TP_OK)
        r = save_ec_key(&p->xda.key, dir, XDA_KEY_FILE, e);
    if (r == TP_OK)
        r = save_ec_key(&p->xda.ode_key, dir, ODE_KEY_FILE, e);
    if (r == TP_OK)
        r = save_json(p, dir, e);
    return r;
}

/* ---- reading ---- */

static enum tp_err get_hex(struct buf *out, const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text != NULL ? hex_decode(out, text) : TP_ERR_FORMAT;
}

static enum tp_err get_bytes(struct profile_bytes *out, const json_t *object, const char *name)
{
    struct buf b = BUF_OF(out->p);
    const enum tp_err r = get_hex(&b, object, name);

    out->n = b.n;
    return r;
}

/* What a folder of an earlier telepay does not say stays empty. */
static enum tp_err get_later_bytes(struct profile_bytes *out, const json_t *object,
                                   const char *name)
{
    return json_object_get(object, name) == NULL ? TP_OK : get_bytes(out, object, name);
}

static enum tp_err get_text(char *out, size_t cap, const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    if (text == NULL || strlen(text) >= cap)
        return TP_ERR_FORMAT;
    memcpy(out, text, strlen(text) + 1);
    return TP_OK;
}

static enum tp_err get_number(unsigned *out, const json_t *object, const char *name, unsigned min,
                              unsigned max)
{
    const json_t *v = json_object_get(object, name);
    const json_int_t n = json_integer_value(v);

    if (!json_is_integer(v) || n < (json_int_t)min || n > (json_int_t)max)
        return TP_ERR_FORMAT;
    *out = (unsigned)n;
    return TP_OK;
}

static enum tp_err get_apps(struct card_profile *p, const json_t *list)
{
    if (json_array_size(list) == 0 || json_array_size(list) > PROFILE_APPS_MAX)
        return TP_ERR_FORMAT;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        struct profile_app *a = &p->apps[i];
        struct buf aid = BUF_OF(a->aid);
        unsigned priority;

        if (get_hex(&aid, one, "aid") != TP_OK || aid.n < 5 ||
            get_text(a->label, sizeof(a->label), one, "label") != TP_OK ||
            get_text(a->preferred, sizeof(a->preferred), one, "preferred") != TP_OK ||
            get_number(&priority, one, "priority", 0, 255) != TP_OK)
            return TP_ERR_FORMAT;
        a->aid_n = aid.n;
        a->priority = (uint8_t)priority;
        a->blocked = json_is_true(
            json_object_get(one, "blocked")); /* absent in a folder of before telepay 0.2 */
    }
    p->apps_n = json_array_size(list);
    return TP_OK;
}

static enum tp_err get_records(struct card_profile *p, const json_t *list)
{
    if (json_array_size(list) > PROFILE_RECORDS_MAX)
        return TP_ERR_FORMAT;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        struct profile_record *r = &p->records[i];
        struct buf data = BUF_OF(r->data);
        unsigned sfi, number;

        if (get_number(&sfi, one, "sfi", 1, 30) != TP_OK ||
            get_number(&number, one, "record", 1, 255) != TP_OK ||
            get_hex(&data, one, "data") != TP_OK)
            return TP_ERR_FORMAT;
        r->sfi = (uint8_t)sfi;
        r->number = (uint8_t)number;
        r->n = data.n;
    }
    p->records_n = json_array_size(list);
    return TP_OK;
}

static enum tp_err get_amount(uint64_t *out, const json_t *object, const char *name)
{
    const json_t *v = json_object_get(object, name);
    const json_int_t n = json_integer_value(v);

    if (!json_is_integer(v) || n < 0 || n > AMOUNT_MAX)
        return TP_ERR_FORMAT;
    *out = (uint64_t)n;
    return TP_OK;
}

static enum tp_err get_risks(uint32_t *mask, const json_t *object, const char *name)
{
    const json_t *list = json_object_get(object, name);

    if (!json_is_array(list))
        return TP_ERR_FORMAT;
    *mask = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *word = json_string_value(json_array_get(list, i));
        uint32_t one;

        if (word == NULL || card_risk_parse(&one, word) != TP_OK)
            return TP_ERR_FORMAT;
        *mask |= one;
    }
    return TP_OK;
}

static enum tp_err get_cvn(enum emv_cvn *out, const json_t *object)
{
    const char *word = json_string_value(json_object_get(object, "cryptogram"));

    return word != NULL ? emv_cvn_parse(out, word) : TP_ERR_FORMAT;
}

static enum tp_err get_issuer(struct card_profile *p, const json_t *json)
{
    unsigned arpc;

    if (json == NULL) /* of an earlier telepay: as profile_new left it */
        return TP_OK;
    if (get_cvn(&p->cvn, json) != TP_OK || get_number(&arpc, json, "arpc", 1, 2) != TP_OK ||
        get_amount(&p->amount_limit, json, "amount_limit") != TP_OK ||
        get_amount(&p->amount_maximum, json, "amount_maximum") != TP_OK ||
        get_risks(&p->ask_online, json, "ask_online") != TP_OK ||
        get_risks(&p->decline, json, "decline") != TP_OK ||
        get_risks(&p->decline_unable, json, "decline_unable") != TP_OK)
        return TP_ERR_FORMAT;
    p->arpc = (uint8_t)arpc;
    p->issuer_mandatory = json_is_true(json_object_get(json, "mandatory"));
    p->block_on_tries = json_is_true(json_object_get(json, "block_on_tries"));
    return TP_OK;
}

/* Absent: a card without elliptic curves. The suite waits in the keys' public halves. */
static enum tp_err get_xda(struct profile_xda *x, const json_t *json)
{
    uint8_t number[1];
    struct buf suite = BUF_OF(number), aip = BUF_OF(x->aip);

    if (json == NULL)
        return TP_OK;
    if (get_hex(&suite, json, "suite") != TP_OK || suite.n != 1 ||
        get_hex(&aip, json, "aip") != TP_OK || aip.n != sizeof(x->aip) ||
        get_bytes(&x->afl, json, "afl") != TP_OK ||
        get_bytes(&x->expired_issuer_cert, json, "expired_issuer_certificate") != TP_OK ||
        get_bytes(&x->expired_icc_cert, json, "expired_icc_certificate") != TP_OK)
        return TP_ERR_FORMAT;
    x->key.pub.suite = x->ode_key.pub.suite = ec_suite_signature(number[0]);
    return x->key.pub.suite != NULL ? TP_OK : TP_ERR_FORMAT;
}

static enum tp_err get_profile(struct card_profile *p, const json_t *json)
{
    struct buf aip = BUF_OF(p->aip);
    unsigned version, format, dki, tries, limit, maximum;

    if (get_number(&version, json, "version", 1, 1) != TP_OK ||
        get_apps(p, json_object_get(json, "applications")) != TP_OK ||
        get_records(p, json_object_get(json, "records")) != TP_OK ||
        get_number(&format, json, "format", 1, 2) != TP_OK ||
        get_number(&dki, json, "dki", 0, 255) != TP_OK ||
        get_number(&tries, json, "pin_tries", 1, 15) != TP_OK ||
        get_number(&limit, json, "offline_limit", 0, UINT16_MAX) != TP_OK ||
        get_number(&maximum, json, "offline_maximum", 0, UINT16_MAX) != TP_OK ||
        get_text(p->language, sizeof(p->language), json, "language") != TP_OK ||
        get_hex(&aip, json, "aip") != TP_OK || aip.n != sizeof(p->aip) ||
        get_bytes(&p->afl, json, "afl") != TP_OK || get_bytes(&p->pdol, json, "pdol") != TP_OK ||
        get_bytes(&p->expired_issuer_cert, json, "expired_issuer_certificate") != TP_OK ||
        get_bytes(&p->expired_icc_cert, json, "expired_icc_certificate") != TP_OK ||
        get_later_bytes(&p->other_pan_icc_cert, json, "other_pan_icc_certificate") != TP_OK ||
        get_xda(&p->xda, json_object_get(json, "xda")) != TP_OK ||
        get_issuer(p, json_object_get(json, "issuer")) != TP_OK)
        return TP_ERR_FORMAT;
    p->pse = json_is_true(json_object_get(json, "pse"));
    p->t0 = json_is_true(json_object_get(json, "t0"));
    p->blocked = json_is_true(json_object_get(json, "blocked"));
    p->format = (uint8_t)format;
    p->dki = (uint8_t)dki;
    p->pin_tries = (uint8_t)tries;
    p->offline_limit = (uint16_t)limit;
    p->offline_maximum = (uint16_t)maximum;
    return TP_OK;
}

static enum tp_err load_json(struct card_profile *p, const char *dir, struct tp_error *e)
{
    char path[PATH_MAX];
    uint8_t *text = NULL;
    size_t n = 0;
    json_t *json = NULL;
    json_error_t why;
    enum tp_err r = file_join(path, sizeof(path), dir, "card.json", e);

    if (r == TP_OK)
        r = file_check_private(path, e); /* it holds the card's number */
    if (r == TP_OK)
        r = file_read(path, JSON_MAX, &text, &n, e);
    if (r != TP_OK)
        goto out;
    json = json_loadb((const char *)text, n, 0, &why);
    if (json == NULL)
        r = tp_fail(e, TP_ERR_FORMAT, "%s, line %d: %s", path, why.line, why.text);
    else if (get_profile(p, json) != TP_OK)
        r = tp_fail(e, TP_ERR_FORMAT, "%s does not describe a card", path);
    else if (profile_index(p, e) != TP_OK)
        r = tp_error_prefix(e, "%s", path);
out:
    json_decref(json);
    free(text);
    return r;
}

/* Reads a secret file into locked memory; the copy read is wiped. */
static enum tp_err load_secret_file(struct secret *out, const char *dir, const char *name,
                                    struct tp_error *e)
{
    char path[PATH_MAX];
    uint8_t *data = NULL;
    size_t n = 0;
    enum tp_err r = file_join(path, sizeof(path), dir, name, e);

    if (r == TP_OK)
        r = file_check_private(path, e);
    if (r == TP_OK)
        r = file_read(path, 4096, &data, &n, e);
    if (r == TP_OK)
        r = secret_copy(out, span_of(data, n));
    if (data != NULL)
        secret_wipe(data, n);
    free(data);
    return r;
}

static enum tp_err load_secrets(struct card_profile *p, const char *dir, struct tp_error *e)
{
    struct secret all = {NULL, 0};
    enum tp_err r = load_secret_file(&all, dir, "card.secret", e);

    if (r == TP_OK && all.n != 3 * SECRET_KEY + SECRET_PIN)
        r = tp_fail(e, TP_ERR_FORMAT, "%s/card.secret has the wrong size", dir);
    if (r == TP_OK)
        r = secret_copy(&p->ac_key, span_of(all.p, SECRET_KEY));
    if (r == TP_OK)
        r = secret_copy(&p->smi_key, span_of(all.p + SECRET_KEY, SECRET_KEY));
    if (r == TP_OK)
        r = secret_copy(&p->smc_key, span_of(all.p + 2 * SECRET_KEY, SECRET_KEY));
    if (r == TP_OK)
        r = secret_copy(&p->pin_block, span_of(all.p + 3 * SECRET_KEY, SECRET_PIN));
    secret_free(&all);
    return r;
}

static enum tp_err load_key(struct emv_privkey **key, const char *dir, const char *name,
                            bool needed, struct tp_error *e)
{
    struct secret der = {NULL, 0};
    struct tp_error absent;
    enum tp_err r = load_secret_file(&der, dir, name, &absent);

    if (r == TP_ERR_NOT_FOUND && !needed)
        return TP_OK;
    if (r != TP_OK)
        return tp_fail(e, r, "%s", absent.text);
    r = emv_privkey_import(key, secret_span(&der));
    secret_free(&der);
    return r == TP_OK ? r : tp_fail(e, TP_ERR_FORMAT, "%s/%s is no RSA key of a card", dir, name);
}

static enum tp_err load_ec_key(struct ec_privkey *key, const char *dir, const char *name,
                               bool needed, struct tp_error *e)
{
    const struct ec_suite *suite = key->pub.suite;
    struct secret d = {NULL, 0};
    struct tp_error absent;
    enum tp_err r = load_secret_file(&d, dir, name, &absent);

    if (r == TP_ERR_NOT_FOUND && !needed)
        return TP_OK;
    if (r != TP_OK)
        return tp_fail(e, r, "%s", absent.text);
    r = ec_privkey_make(key, suite, secret_span(&d));
    secret_free(&d);
    return r == TP_OK
               ? r
               : tp_fail(e, TP_ERR_FORMAT, "%s/%s is no key of its elliptic curve", dir, name);
}

static enum tp_err load_xda_keys(struct card_profile *p, const char *dir, struct tp_error *e)
{
    const enum tp_err r = load_ec_key(&p->xda.key, dir, XDA_KEY_FILE, true, e);

    return r == TP_OK ? load_ec_key(&p->xda.ode_key, dir, ODE_KEY_FILE, false, e) : r;
}

static enum tp_err load_keys(struct card_profile *p, const char *dir, struct tp_error *e)
{
    const bool signs = (p->aip[0] & (AIP_DDA | AIP_CDA)) != 0;
    struct span exponent; /* which a certificate by an elliptic curve has not */
    enum tp_err r = load_key(&p->key, dir, KEY_FILE, signs, e);

    return r == TP_OK ? load_key(&p->pin_key, dir, PIN_KEY_FILE,
                                 profile_object(p, TAG_PIN_EXPONENT, &exponent) == TP_OK, e)
                      : r;
}

enum tp_err profile_load_public(struct card_profile **out, const char *dir, struct tp_error *e)
{
    struct card_profile *p;
    enum tp_err r = profile_new(&p);

    *out = NULL;
    if (r != TP_OK)
        return tp_fail(e, r, "out of memory");
    r = load_json(p, dir, e);
    if (r == TP_OK)
        *out = p;
    else
        profile_free(&p);
    return r;
}

enum tp_err profile_load(struct card_profile **out, const char *dir, struct tp_error *e)
{
    enum tp_err r = profile_load_public(out, dir, e);

    if (r == TP_OK)
        r = load_secrets(*out, dir, e);
    if (r == TP_OK)
        r = load_keys(*out, dir, e);
    if (r == TP_OK && profile_has_xda(*out))
        r = load_xda_keys(*out, dir, e);
    if (r != TP_OK)
        profile_free(out);
    return r;
}
