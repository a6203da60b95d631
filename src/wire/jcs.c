#include "wire/jcs.h"

#include <ctype.h>
#include <math.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"

/* ---- reading ---- */

/* Before the parser, which recurses: how deep does it go? What stands within strings is none of
 * it. */
static bool too_deep(struct span text)
{
    size_t depth = 0;
    bool quoted = false;

    for (size_t i = 0; i < text.n; i++) {
        const uint8_t c = text.p[i];

        if (quoted) {
            if (c == '\\')
                i++;
            quoted = c != '"';
        } else if (c == '"') {
            quoted = true;
        } else if (c == '{' || c == '[') {
            if (++depth > JCS_DEPTH_MAX)
                return true;
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
        }
    }
    return false;
}

/* The library's own words show a piece of the text, which may be a secret. */
static enum tp_err no_json(const json_error_t *error, struct tp_error *e)
{
    switch (json_error_code(error)) {
    case json_error_out_of_memory:
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for JSON");
    case json_error_duplicate_key:
        return tp_fail(e, TP_ERR_FORMAT, "JSON with a member twice, at byte %d", error->position);
    case json_error_numeric_overflow:
        return tp_fail(e, TP_ERR_FORMAT, "JSON with a number out of range, at byte %d",
                       error->position);
    default:
        return tp_fail(e, TP_ERR_FORMAT, "no JSON, at byte %d", error->position);
    }
}

enum tp_err jcs_read(json_t **out, struct span text, struct tp_error *e)
{
    const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL;
    json_error_t error;

    *out = NULL;
    if (text.n == 0)
        return tp_fail(e, TP_ERR_FORMAT, "no JSON: it is empty");
    if (too_deep(text))
        return tp_fail(e, TP_ERR_FORMAT, "JSON nested deeper than %d", JCS_DEPTH_MAX);
    *out = json_loadb((const char *)text.p, text.n, flags, &error);
    if (*out == NULL && json_error_code(&error) == json_error_numeric_overflow)
        *out = json_loadb((const char *)text.p, text.n, flags | JSON_DECODE_INT_AS_REAL, &error);
    return *out != NULL ? TP_OK : no_json(&error, e);
}

enum tp_err jcs_decode(json_t **out, struct span text, size_t max, struct tp_error *e)
{
    uint8_t *room = NULL;
    enum tp_err r;

    *out = NULL;
    if (BASE64_ROOM(text.n) > max)
        return tp_fail(e, TP_ERR_RANGE, "more than %zu bytes", max);
    room = malloc(BASE64_ROOM(text.n) + 1);
    if (room == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for %zu bytes", text.n);

    struct buf json = {room, 0, BASE64_ROOM(text.n)};

    r = base64url_decode(&json, text);
    if (r != TP_OK) {
        (void)tp_fail(e, r, "no base64url");
        goto out;
    }
    r = jcs_read(out, buf_span(&json), e);
    if (r == TP_OK && !json_is_object(*out)) {
        json_decref(*out);
        *out = NULL;
        r = tp_fail(e, TP_ERR_FORMAT, "JSON that is no object");
    }
out:
    OPENSSL_cleanse(room, BASE64_ROOM(text.n) + 1); /* a credential is a secret */
    free(room);
    return r;
}

/* ---- writing ---- */

struct text { /* grows; keeps the first error */
    char *p;
    size_t n, cap;
    enum tp_err error;
};

static void put(struct text *t, const char *s, size_t n)
{
    if (t->error == TP_OK && t->cap - t->n <= n) {
        const size_t cap = (t->cap + n) * 2 + 64;
        char *grown = realloc(t->p, cap);

        if (grown == NULL) {
            t->error = TP_ERR_NO_MEMORY;
        } else {
            t->p = grown;
            t->cap = cap;
        }
    }
    if (t->error != TP_OK)
        return;
    memcpy(t->p + t->n, s, n);
    t->n += n;
    t->p[t->n] = '\0';
}

/* RFC 8785, 3.2.2.2. */
static void put_string(struct text *t, const char *s, size_t n)
{
    static const char named[] = "\b\t\n\f\r\"\\", names[] = "btnfr\"\\";
    size_t plain = 0; /* characters behind s that need no escape are put at once */

    put(t, "\"", 1);
    for (size_t i = 0; i < n; i++) {
        const unsigned char c = (unsigned char)s[i];
        const char *name = c != '\0' ? strchr(named, c) : NULL;
        char escape[8];

        if (c >= 0x20 && name == NULL)
            continue;
        put(t, s + plain, i - plain);
        plain = i + 1;
        if (name != NULL)
            snprintf(escape, sizeof(escape), "\\%c", names[name - named]);
        else
            snprintf(escape, sizeof(escape), "\\u%04x", c);
        put(t, escape, strlen(escape));
    }
    put(t, s + plain, n - plain);
    put(t, "\"", 1);
}

/* The next decimal of the same length, away from zero; false when it has one digit more. */
static bool bump(char *scientific)
{
    char *p = strchr(scientific, 'e');

    while (p-- > scientific) {
        if (!isdigit((unsigned char)*p))
            continue; /* the point, of whatever locale */
        if (*p < '9') {
            ++*p;
            return true;
        }
        *p = '0';
    }
    return false;
}

/* The fewest digits that stand for d (> 0) and no other double, of these the closest
 * (ECMAScript, Number::toString). Where the doubles below are denser than those above, at a power
 * of two, the closest may be another's and the next one above be ours. *point: where the decimal
 * point stands behind the first digit. */
static size_t shortest(char digits[18], int *point, double d)
{
    char text[40];
    size_t n = 0;

    for (int precision = 0; precision < 17; precision++) {
        snprintf(text, sizeof(text), "%.*e", precision, d);
        if (strtod(text, NULL) == d || (bump(text) && strtod(text, NULL) == d))
            break;
    }

    const char *p = text;

    for (; *p != 'e'; p++)
        if (isdigit((unsigned char)*p))
            digits[n++] = *p;
    *point = (int)strtol(p + 1, NULL, 10) + 1;
    return n;
}

static void put_zeros(struct text *t, int n)
{
    while (n-- > 0)
        put(t, "0", 1);
}

/* RFC 8785, 3.2.2.3. */
static void put_number(struct text *t, double d)
{
    char digits[18], exponent[16];
    int point;

    if (d == 0) { /* -0 too */
        put(t, "0", 1);
        return;
    }
    if (d < 0)
        put(t, "-", 1);

    const size_t n = shortest(digits, &point, fabs(d));

    if (point > 21 || point <= -6) {
        put(t, digits, 1);
        if (n > 1)
            put(t, ".", 1);
        put(t, digits + 1, n - 1);
        snprintf(exponent, sizeof(exponent), "e%+d", point - 1);
        put(t, exponent, strlen(exponent));
    } else if (point <= 0) {
        put(t, "0.", 2);
        put_zeros(t, -point);
        put(t, digits, n);
    } else if ((size_t)point >= n) {
        put(t, digits, n);
        put_zeros(t, point - (int)n);
    } else {
        put(t, digits, (size_t)point);
        put(t, ".", 1);
        put(t, digits + point, n - (size_t)point);
    }
}

static void put_integer(struct text *t, json_int_t i)
{
    char text[32];

    if (i > INT64_C(9007199254740992) || i < -INT64_C(9007199254740992)) {
        put_number(t, (double)i);
        return;
    }
    snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT, i);
    put(t, text, strlen(text));
}

/* RFC 8785, 3.2.3: by UTF-16 code units. UTF-8 has the same order but for the characters over
 * U+FFFF, whose surrogates stand before U+E000: of two first bytes that differ. */
static int by_code_unit(const void *a, const void *b)
{
    const unsigned char *p = *(const unsigned char *const *)a,
                        *q = *(const unsigned char *const *)b;

    while (*p != '\0' && *p == *q) {
        p++;
        q++;
    }
    return (*p == 0xEE || *p == 0xEF ? *p + 0x10 : *p) -
           (*q == 0xEE || *q == 0xEF ? *q + 0x10 : *q);
}

static void put_value(struct text *t, json_t *value, unsigned depth);

static void put_object(struct text *t, json_t *object, unsigned depth)
{
    const size_t n = json_object_size(object);
    const char **names = calloc(n + 1, sizeof(*names));
    const char *name;
    json_t *value;
    size_t i = 0;

    if (names == NULL) {
        t->error = TP_ERR_NO_MEMORY;
        return;
    }
    json_object_foreach(object, name, value) names[i++] = name;
    qsort(names, n, sizeof(*names), by_code_unit);
    put(t, "{", 1);
    for (i = 0; i < n; i++) {
        if (i > 0)
            put(t, ",", 1);
        put_string(t, names[i], strlen(names[i]));
        put(t, ":", 1);
        put_value(t, json_object_get(object, names[i]), depth);
    }
    put(t, "}", 1);
    free(names);
}

static void put_array(struct text *t, json_t *array, unsigned depth)
{
    size_t i;
    json_t *value;

    put(t, "[", 1);
    json_array_foreach(array, i, value)
    {
        if (i > 0)
            put(t, ",", 1);
        put_value(t, value, depth);
    }
    put(t, "]", 1);
}

static void put_value(struct text *t, json_t *value, unsigned depth)
{
    if (t->error != TP_OK)
        return;
    if ((json_is_object(value) || json_is_array(value)) && ++depth > JCS_DEPTH_MAX) {
        t->error = TP_ERR_RANGE;
        return;
    }
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        put_object(t, value, depth);
        break;
    case JSON_ARRAY:
        put_array(t, value, depth);
        break;
    case JSON_STRING:
        put_string(t, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER:
        put_integer(t, json_integer_value(value));
        break;
    case JSON_REAL:
        put_number(t, json_real_value(value));
        break;
    case JSON_TRUE:
        put(t, "true", 4);
        break;
    case JSON_FALSE:
        put(t, "false", 5);
        break;
    default:
        put(t, "null", 4);
        break;
    }
}

enum tp_err jcs_write(char **out, const json_t *value, struct tp_error *e)
{
    struct text t = {0};

    *out = NULL;
    put_value(&t, (json_t *)value, 0);
    if (t.error != TP_OK) {
        free(t.p);
        return t.error == TP_ERR_RANGE
                   ? tp_fail(e, t.error, "JSON nested deeper than %d", JCS_DEPTH_MAX)
                   : tp_fail(e, t.error, "no memory for JSON");
    }
    *out = t.p;
    return TP_OK;
}

enum tp_err jcs_hash(uint8_t out[32], const json_t *value, struct tp_error *e)
{
    char *text = NULL;
    enum tp_err r = jcs_write(&text, value, e);

    if (r == TP_OK && EVP_Digest(text, strlen(text), out, NULL, EVP_sha256(), NULL) != 1)
        r = tp_fail(e, TP_ERR_INTERNAL, "SHA-256 failed");
    free(text);
    return r;
}

/* Takes the text over. */
static enum tp_err enclose(char **out, char *text, struct tp_error *e)
{
    *out = text != NULL ? malloc(BASE64URL_SIZE(strlen(text))) : NULL;
    if (*out != NULL)
        (void)base64url_encode(*out, span_str(text));
    free(text);
    return *out != NULL ? TP_OK : tp_fail(e, TP_ERR_NO_MEMORY, "no memory for JSON");
}

enum tp_err jcs_encode(char **out, const json_t *value, struct tp_error *e)
{
    char *text;
    const enum tp_err r = jcs_write(&text, value, e);

    *out = NULL;
    return r == TP_OK ? enclose(out, text, e) : r;
}

enum tp_err jcs_encode_in_order(char **out, const json_t *object, struct tp_error *e)
{
    return enclose(out, json_dumps(object, JSON_COMPACT), e);
}

/* ---- members ---- */

enum tp_err jcs_text(const char **out, const json_t *object, const char *name, struct tp_error *e)
{
    const json_t *value = json_object_get(object, name);

    *out = NULL;
    if (value == NULL)
        return TP_OK;
    if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value))
        return tp_fail(e, TP_ERR_FORMAT, "%s is no text", name);
    *out = json_string_value(value);
    return TP_OK;
}

bool jcs_is(const json_t *object, const char *name, const char *text)
{
    const char *have;

    return jcs_text(&have, object, name, NULL) == TP_OK && have != NULL && strcmp(have, text) == 0;
}

enum tp_err jcs_set_text(json_t *object, const char *name, const char *text, struct tp_error *e)
{
    if (text == NULL || json_object_set_new(object, name, json_string(text)) == 0)
        return TP_OK;
    return tp_fail(e, TP_ERR_FORMAT, "%s is no UTF-8", name);
}

enum tp_err jcs_add(json_t *object, json_t *more, struct tp_error *e)
{
    const char *name;
    json_t *value;

    json_object_foreach(more, name, value)
    {
        if (json_object_get(object, name) != NULL)
            return tp_fail(e, TP_ERR_EXISTS, "%s is there already", name);
        if (json_object_set(object, name, value) != 0)
            return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for JSON");
    }
    return TP_OK;
}
