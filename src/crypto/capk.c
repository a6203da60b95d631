#include "crypto/capk.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/log.h"

#define FILE_MAX (4 << 20)
#define KEYS_MAX 4096 /* of a store; the schemes have a few dozen */

struct revoked {
    uint8_t rid[5], index, serial[3];
};

struct unread { /* a file whose keys are read when a card is there that needs them */
    json_t *keys;
    char *name;
};

struct capk_store {
    struct capk *keys;
    struct revoked *revoked;
    struct unread *unread;
    size_t n, revoked_n, unread_n;
    uint8_t needed[5]; /* the RID whose keys were last taken out of all that is unread … */
    bool has_needed;   /* … if there is one, and nothing was added since */
};

enum tp_err capk_store_new(struct capk_store **out)
{
    *out = calloc(1, sizeof(**out));
    return *out == NULL ? TP_ERR_NO_MEMORY : TP_OK;
}

/* Back to the first n keys. */
static void shrink(struct capk_store *s, size_t n)
{
    while (s->n > n)
        emv_pubkey_free(&s->keys[--s->n].key);
}

void capk_store_free(struct capk_store **s)
{
    if (*s == NULL)
        return;
    shrink(*s, 0);
    for (size_t i = 0; i < (*s)->unread_n; i++) {
        json_decref((*s)->unread[i].keys);
        free((*s)->unread[i].name);
    }
    free((*s)->unread);
    free((*s)->keys);
    free((*s)->revoked);
    free(*s);
    *s = NULL;
}

enum tp_err capk_sha1(uint8_t out[20], const uint8_t rid[5], uint8_t index,
                      const struct emv_pubkey *key)
{
    const struct span modulus = emv_pubkey_modulus(key), exponent = emv_pubkey_exponent(key);
    uint8_t all[5 + 1 + EMV_RSA_MAX + 3];
    struct buf b = BUF_OF(all);

    if (buf_put(&b, span_of(rid, 5)) != TP_OK || buf_u8(&b, index) != TP_OK ||
        buf_put(&b, modulus) != TP_OK || buf_put(&b, exponent) != TP_OK)
        return TP_ERR_INTERNAL;
    return EVP_Q_digest(NULL, "SHA1", NULL, b.p, b.n, out, NULL) == 1 ? TP_OK : TP_ERR_INTERNAL;
}

size_t capk_bits(const struct capk *k)
{
    return k->ec.suite == NULL ? emv_pubkey_size(k->key) * 8 : ec_suite_bits(k->ec.suite);
}

struct ec_authority capk_ec(const struct capk *k)
{
    struct ec_authority a = {.index = k->index, .key = k->ec};

    memcpy(a.rid, k->rid, sizeof(a.rid));
    return a;
}

enum tp_err capk_checksum(uint8_t out[EC_HASH_MAX], const struct ec_authority *a)
{
    const struct ec_suite *suite = a->key.suite;
    const uint8_t numbers[2] = {a->index, suite->signature};
    uint8_t y[EC_FIELD_MAX];
    const struct span all[] = {SPAN_OF(a->rid), SPAN_OF(numbers), ec_pubkey_x(&a->key),
                               span_of(y, suite->field_n)};
    const enum tp_err r = ec_pubkey_y(y, &a->key);

    return r == TP_OK ? ec_hash(out, (uint8_t)suite->hash, all, sizeof(all) / sizeof(all[0])) : r;
}

/* The hex text of a member; between min and the room of out bytes. */
static enum tp_err get_hex(struct buf *out, const json_t *o, const char *name, size_t min)
{
    const char *text = json_string_value(json_object_get(o, name));

    if (text == NULL || hex_decode(out, text) != TP_OK || out->n < min)
        return TP_ERR_FORMAT;
    return TP_OK;
}

/* Room for one more element of size bytes behind n of them; NULL, and the array stays, when there
 * is none. */
static void *grown(void *array, size_t n, size_t size)
{
    return n < KEYS_MAX ? realloc(array, (n + 1) * size) : NULL;
}

static enum tp_err add_key(struct capk_store *s, const struct capk *k)
{
    struct capk *more = grown(s->keys, s->n, sizeof(*more));

    if (more == NULL)
        return TP_ERR_NO_MEMORY;
    s->keys = more;
    s->keys[s->n++] = *k;
    return TP_OK;
}

static bool same(const struct capk *a, const struct capk *b)
{
    if (memcmp(a->rid, b->rid, sizeof(a->rid)) != 0 || a->index != b->index ||
        a->ec.suite != b->ec.suite)
        return false;
    if (a->ec.suite != NULL)
        return span_eq(ec_pubkey_x(&a->ec), ec_pubkey_x(&b->ec));
    return span_eq(emv_pubkey_modulus(a->key), emv_pubkey_modulus(b->key)) &&
           span_eq(emv_pubkey_exponent(a->key), emv_pubkey_exponent(b->key));
}

bool capk_known(const struct capk_store *s, const struct capk *k)
{
    for (size_t i = 0; i < s->n; i++)
        if (same(&s->keys[i], k))
            return true;
    return false;
}

/* rid and index, also of a revocation. */
static enum tp_err read_place(uint8_t rid[5], uint8_t *index, const json_t *o)
{
    struct buf r = {rid, 0, 5}, i = {index, 0, 1};

    return get_hex(&r, o, "rid", 5) == TP_OK && get_hex(&i, o, "index", 1) == TP_OK ? TP_OK
                                                                                    : TP_ERR_FORMAT;
}

static enum tp_err check_sha1(const struct capk *k, const json_t *o, const char *path,
                              struct tp_error *e)
{
    uint8_t told[20], own[20];
    struct buf b = BUF_OF(told);
    char rid[11];

    if (get_hex(&b, o, "sha1", sizeof(told)) != TP_OK)
        return tp_fail(e, TP_ERR_FORMAT,
                       "%s: authority key %s index %02X has no \"sha1\" of 20 bytes", path,
                       hex_encode(rid, SPAN_OF(k->rid)), k->index);
    if (capk_sha1(own, k->rid, k->index, k->key) != TP_OK)
        return tp_fail(e, TP_ERR_INTERNAL, "SHA-1 fails");
    if (memcmp(told, own, sizeof(own)) != 0)
        return tp_fail(e, TP_ERR_SECURITY,
                       "%s: authority key %s index %02X is not the one its SHA-1 was made from: "
                       "get the file again",
                       path, hex_encode(rid, SPAN_OF(k->rid)), k->index);
    return TP_OK;
}

/* A key that its file gives as its scheme delivered it: self-signed. */
static enum tp_err read_self_signed(struct capk *k, const json_t *o, const char *path, size_t at,
                                    struct tp_error *e)
{
    uint8_t raw[EC_CERT_MAX];
    struct buf self_signed = BUF_OF(raw);
    struct ec_authority a;
    enum emv_check check = EMV_CHECK_LENGTH;
    enum tp_err r = TP_OK;

    if (get_hex(&self_signed, o, "self_signed", 1) == TP_OK)
        r = ec_authority_check(&check, &a, buf_span(&self_signed));
    if (r != TP_OK)
        return tp_fail(e, r, "%s: authority key %zu cannot be checked", path, at + 1);
    if (check != EMV_CHECK_OK)
        return tp_fail(e, check == EMV_CHECK_SIGNATURE ? TP_ERR_SECURITY : TP_ERR_FORMAT,
                       "%s: the self-signed authority key %zu is not good: %s", path, at + 1,
                       emv_check_text(check));
    memcpy(k->rid, a.rid, sizeof(k->rid));
    k->index = a.index;
    k->ec = a.key;
    return TP_OK;
}

/* As terminals store it: with its check sum. */
static enum tp_err check_stored(const struct capk *k, struct span y, const json_t *o,
                                const char *path, size_t at, struct tp_error *e)
{
    const struct ec_authority a = capk_ec(k);
    uint8_t own_y[EC_FIELD_MAX], own[EC_HASH_MAX], told[EC_HASH_MAX];
    struct buf checksum = BUF_OF(told);

    if (ec_pubkey_y(own_y, &k->ec) != TP_OK || capk_checksum(own, &a) != TP_OK)
        return tp_fail(e, TP_ERR_INTERNAL, "%s: authority key %zu cannot be checked", path, at + 1);
    if (!span_eq(y, span_of(own_y, k->ec.suite->field_n)))
        return tp_fail(e, TP_ERR_FORMAT,
                       "%s: the y of authority key %zu is not the lesser one that belongs to its x",
                       path, at + 1);
    if (get_hex(&checksum, o, "checksum", k->ec.suite->hash_n) != TP_OK)
        return tp_fail(e, TP_ERR_FORMAT, "%s: authority key %zu has no \"checksum\" of %zu bytes",
                       path, at + 1, k->ec.suite->hash_n);
    if (!span_eq(buf_span(&checksum), span_of(own, k->ec.suite->hash_n)))
        return tp_fail(e, TP_ERR_SECURITY,
                       "%s: authority key %zu is not the one its check sum was made from: get the "
                       "file again",
                       path, at + 1);
    return TP_OK;
}

static enum tp_err read_ec(struct capk *k, const json_t *o, const char *path, size_t at,
                           struct tp_error *e)
{
    uint8_t number[1], x_raw[EC_FIELD_MAX], y_raw[EC_FIELD_MAX];
    struct buf suite = BUF_OF(number), x = BUF_OF(x_raw), y = BUF_OF(y_raw);
    const struct ec_suite *known = NULL;
    enum tp_err r = TP_ERR_RANGE;

    if (read_place(k->rid, &k->index, o) != TP_OK || get_hex(&suite, o, "suite", 1) != TP_OK ||
        get_hex(&x, o, "x", 1) != TP_OK || get_hex(&y, o, "y", 1) != TP_OK)
        return tp_fail(e, TP_ERR_FORMAT,
                       "%s: authority key %zu lacks rid, index, suite, x or y in hex", path,
                       at + 1);
    known = ec_suite_signature(number[0]);
    if (known != NULL)
        r = ec_pubkey_make(&k->ec, known, buf_span(&x));
    if (r == TP_ERR_RANGE)
        return tp_fail(e, TP_ERR_FORMAT,
                       "%s: authority key %zu is no point of the curve of suite 10 or 11", path,
                       at + 1);
    if (r != TP_OK)
        return tp_fail(e, r, "%s: authority key %zu cannot be used", path, at + 1);
    return check_stored(k, buf_span(&y), o, path, at, e);
}

static enum tp_err read_rsa(struct capk *k, const json_t *o, const char *path, size_t at,
                            struct tp_error *e)
{
    uint8_t modulus[EMV_RSA_MAX], exponent[3];
    struct buf n = BUF_OF(modulus), x = BUF_OF(exponent);
    enum tp_err r = TP_OK;

    if (read_place(k->rid, &k->index, o) != TP_OK || get_hex(&n, o, "modulus", 1) != TP_OK ||
        get_hex(&x, o, "exponent", 1) != TP_OK)
        return tp_fail(e, TP_ERR_FORMAT,
                       "%s: authority key %zu lacks rid, index, modulus or exponent in hex", path,
                       at + 1);
    r = emv_pubkey_new(&k->key, buf_span(&n), buf_span(&x));
    if (r == TP_ERR_RANGE)
        return tp_fail(
            e, TP_ERR_FORMAT,
            "%s: authority key %zu is no RSA key of 512 to 1984 bits with exponent 3 or 65537",
            path, at + 1);
    if (r != TP_OK)
        return tp_fail(e, r, "%s: authority key %zu cannot be used", path, at + 1);
    r = check_sha1(k, o, path, e);
    if (r != TP_OK)
        emv_pubkey_free(&k->key);
    return r;
}

static enum tp_err read_key(struct capk *k, const json_t *o, const char *path, size_t at,
                            struct tp_error *e)
{
    const json_t *expiry = json_object_get(o, "expiry");
    const char *environment = json_string_value(json_object_get(o, "environment"));

    memset(k, 0, sizeof(*k));
    if (expiry != NULL && !json_is_null(expiry) &&
        (!json_is_string(expiry) || date_parse(&k->expiry, json_string_value(expiry)) != TP_OK))
        return tp_fail(e, TP_ERR_FORMAT,
                       "%s: the expiry of authority key %zu is no date (YYYY-MM-DD)", path, at + 1);
    k->live = environment != NULL && strcmp(environment, "live") == 0;
    const char *name =
        strlen(path) < sizeof(k->source) ? path : path + strlen(path) - (sizeof(k->source) - 1);

    memcpy(k->source, name, strlen(name) + 1);
    if (json_object_get(o, "self_signed") != NULL)
        return read_self_signed(k, o, path, at, e);
    return json_object_get(o, "suite") != NULL ? read_ec(k, o, path, at, e)
                                               : read_rsa(k, o, path, at, e);
}

static bool is_of(const json_t *o, struct span rid)
{
    uint8_t own[5], index;

    return read_place(own, &index, o) != TP_OK || span_eq(SPAN_OF(own), rid);
}

/* Those of one RID, or (NULL) all. A key that nobody can use is told and passed over: the others of
 * a list of many schemes are as good without it. One that is not what its SHA-1 says is another
 * matter: the file was altered. */
static enum tp_err add_keys(struct capk_store *s, const json_t *list, const struct span *rid,
                            const char *path, struct tp_error *e)
{
    struct tp_error odd = {TP_OK, ""};
    size_t passed_over = 0;
    enum tp_err r = TP_OK;

    for (size_t i = 0; r == TP_OK && i < json_array_size(list); i++) {
        struct capk k;

        if (rid != NULL && !is_of(json_array_get(list, i), *rid))
            continue;
        r = read_key(&k, json_array_get(list, i), path, i, &odd);
        if (r == TP_ERR_FORMAT) {
            log_note("%s: it is passed over", odd.text);
            passed_over++;
            r = TP_OK;
            continue;
        }
        if (r != TP_OK)
            return tp_fail(e, r, "%s", odd.text);
        if (capk_known(s, &k)) {
            emv_pubkey_free(&k.key);
        } else if (add_key(s, &k) != TP_OK) {
            emv_pubkey_free(&k.key);
            r = tp_fail(e, TP_ERR_NO_MEMORY, "%s: too many authority keys", path);
        }
    }
    if (r == TP_OK && passed_over > 0 && passed_over == json_array_size(list))
        r = tp_fail(e, TP_ERR_FORMAT, "%s", odd.text);
    return r;
}

static enum tp_err add_revoked(struct capk_store *s, const json_t *list, const char *path,
                               struct tp_error *e)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *o = json_array_get(list, i);
        struct revoked v, *more;
        struct buf serial = BUF_OF(v.serial);

        if (read_place(v.rid, &v.index, o) != TP_OK ||
            get_hex(&serial, o, "serial", sizeof(v.serial)) != TP_OK)
            return tp_fail(e, TP_ERR_FORMAT, "%s: revocation %zu lacks rid, index or serial in hex",
                           path, i + 1);
        more = grown(s->revoked, s->revoked_n, sizeof(v));
        if (more == NULL)
            return tp_fail(e, TP_ERR_NO_MEMORY, "%s: too many revocations", path);
        s->revoked = more;
        s->revoked[s->revoked_n++] = v;
    }
    return TP_OK;
}

static enum tp_err add_later(struct capk_store *s, json_t *list, const char *name,
                             struct tp_error *e)
{
    struct unread *more = grown(s->unread, s->unread_n, sizeof(*more));
    char *own = strdup(name);

    if (more != NULL)
        s->unread = more;
    if (more == NULL || own == NULL) {
        free(own);
        return tp_fail(e, TP_ERR_NO_MEMORY, "%s: no memory for its authority keys", name);
    }
    s->unread[s->unread_n++] = (struct unread){json_incref(list), own};
    s->has_needed = false;
    return TP_OK;
}

static enum tp_err take(struct capk_store *s, const json_t *document, const char *name, bool later,
                        struct tp_error *e)
{
    const size_t n_before = s->n, revoked_before = s->revoked_n;
    const json_t *revoked = json_object_get(document, "revoked");
    json_t *keys = json_object_get(document, "keys");
    enum tp_err r = TP_OK;

    if (!json_is_array(keys) || (revoked != NULL && !json_is_array(revoked)))
        return tp_fail(e, TP_ERR_FORMAT, "%s is no file of authority keys: it has no list \"keys\"",
                       name);
    r = add_revoked(s, revoked, name, e);
    if (r == TP_OK)
        r = later ? add_later(s, keys, name, e) : add_keys(s, keys, NULL, name, e);
    if (r != TP_OK) {
        shrink(s, n_before);
        s->revoked_n = revoked_before;
    }
    return r;
}

enum tp_err capk_store_take(struct capk_store *s, const json_t *document, const char *name,
                            struct tp_error *e)
{
    return take(s, document, name, true, e);
}

enum tp_err capk_store_need(struct capk_store *s, const uint8_t rid[5], struct tp_error *e)
{
    const struct span of = {rid, 5};
    enum tp_err r = TP_OK;

    if (s->has_needed && span_eq(SPAN_OF(s->needed), of))
        return TP_OK;
    for (size_t i = 0; r == TP_OK && i < s->unread_n; i++)
        r = add_keys(s, s->unread[i].keys, &of, s->unread[i].name, e);
    if (r == TP_OK) {
        memcpy(s->needed, rid, sizeof(s->needed));
        s->has_needed = true;
    }
    return r;
}

static enum tp_err load(struct capk_store *s, const char *path, bool later, struct tp_error *e)
{
    uint8_t *text = NULL;
    size_t n = 0;
    json_t *file = NULL;
    json_error_t where;
    enum tp_err r = file_read(path, FILE_MAX, &text, &n, e);

    if (r != TP_OK)
        return r;
    file = json_loadb((const char *)text, n, JSON_REJECT_DUPLICATES, &where);
    r = file == NULL
            ? tp_fail(e, TP_ERR_FORMAT, "%s line %d is no JSON: %s", path, where.line, where.text)
            : take(s, file, path, later, e);
    json_decref(file);
    free(text);
    return r;
}

enum tp_err capk_store_load(struct capk_store *s, const char *path, struct tp_error *e)
{
    return load(s, path, false, e);
}

enum tp_err capk_store_open(struct capk_store *s, const char *path, struct tp_error *e)
{
    return load(s, path, true, e);
}

enum tp_err capk_store_add(struct capk_store *s, const struct capk *key)
{
    struct capk mine = *key;
    const enum tp_err r = add_key(s, &mine);

    if (r != TP_OK)
        emv_pubkey_free(&mine.key);
    return r;
}

size_t capk_count(const struct capk_store *s)
{
    return s->n;
}

const struct capk *capk_at(const struct capk_store *s, size_t i)
{
    return i < s->n ? &s->keys[i] : NULL;
}

static const struct capk *find(const struct capk_store *s, struct span rid, uint8_t index,
                               size_t nth, bool ec)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->keys[i].index == index && span_eq(rid, SPAN_OF(s->keys[i].rid)) &&
            (s->keys[i].ec.suite != NULL) == ec && nth-- == 0)
            return &s->keys[i];
    return NULL;
}

const struct capk *capk_find(const struct capk_store *s, struct span rid, uint8_t index, size_t nth)
{
    return find(s, rid, index, nth, false);
}

const struct capk *capk_find_ec(const struct capk_store *s, struct span rid, uint8_t index,
                                size_t nth)
{
    return find(s, rid, index, nth, true);
}

bool capk_revoked(const struct capk_store *s, struct span rid, uint8_t index,
                  const uint8_t serial[3])
{
    for (size_t i = 0; i < s->revoked_n; i++) {
        const struct revoked *v = &s->revoked[i];

        if (v->index == index && span_eq(rid, SPAN_OF(v->rid)) &&
            memcmp(v->serial, serial, sizeof(v->serial)) == 0)
            return true;
    }
    return false;
}
