#include "wire/payment_challenge.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/date.h"
#include "base/secret.h"
#include "wire/http_auth.h"
#include "wire/jcs.h"

#define BASE64URL "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

/* ---- the parameters ---- */

/* In the order of the draft's table of what a credential echoes. */
static const struct parameter {
    const char *name;
    size_t at;
    bool needed;
} parameters[] = {
    {"id", offsetof(struct payment_challenge, id), true},
    {"realm", offsetof(struct payment_challenge, realm), true},
    {"method", offsetof(struct payment_challenge, method), true},
    {"intent", offsetof(struct payment_challenge, intent), true},
    {"request", offsetof(struct payment_challenge, request), true},
    {"description", offsetof(struct payment_challenge, description), false},
    {"opaque", offsetof(struct payment_challenge, opaque), false},
    {"digest", offsetof(struct payment_challenge, digest), false},
    {"expires", offsetof(struct payment_challenge, expires), false},
    {"header", offsetof(struct payment_challenge, header), false},
};
#define PARAMETERS (sizeof(parameters) / sizeof(parameters[0]))

static const char **member(struct payment_challenge *c, const struct parameter *p)
{
    return (const char **)((char *)c + p->at);
}

static const char *value(const struct payment_challenge *c, const struct parameter *p)
{
    return *(const char *const *)((const char *)c + p->at);
}

static bool made_of(const char *text, const char *characters)
{
    return *text != '\0' && text[strspn(text, characters)] == '\0';
}

/* What no client may answer. */
static enum tp_err check(const struct payment_challenge *c, struct tp_error *e)
{
    const char *wrong = NULL;
    time_t t;

    for (size_t i = 0; i < PARAMETERS; i++)
        if (parameters[i].needed && value(c, &parameters[i]) == NULL)
            return tp_fail(e, TP_ERR_FORMAT, "the challenge has no %s", parameters[i].name);
    if (*c->id == '\0')
        wrong = "id: it is empty";
    else if (!made_of(c->method, "abcdefghijklmnopqrstuvwxyz"))
        wrong = "method: small letters make one";
    else if (strspn(c->intent, "-_") == strlen(c->intent) || !made_of(c->intent, BASE64URL) ||
             strchr(c->intent, '_') != NULL)
        wrong = "intent: letters, digits and hyphens make one";
    else if (!made_of(c->request, BASE64URL))
        wrong = "request: it is no base64url";
    else if (c->header != NULL && strcmp(c->header, PAYMENT_HEADER) != 0)
        wrong = "header: " PAYMENT_HEADER " alone may be selected";
    else if (c->expires != NULL && time_parse(&t, c->expires) != TP_OK)
        wrong = "expires: it is no date and time";
    return wrong == NULL ? TP_OK : tp_fail(e, TP_ERR_FORMAT, "the challenge's %s", wrong);
}

enum tp_err payment_challenge_to_json(json_t **out, const struct payment_challenge *c,
                                      struct tp_error *e)
{
    enum tp_err r = check(c, e);

    *out = NULL;
    if (r != TP_OK)
        return r;
    *out = json_object();
    if (*out == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for JSON");
    for (size_t i = 0; r == TP_OK && i < PARAMETERS; i++)
        r = jcs_set_text(*out, parameters[i].name, value(c, &parameters[i]), e);
    if (r != TP_OK) {
        json_decref(*out);
        *out = NULL;
    }
    return r;
}

enum tp_err payment_challenge_from_json(struct payment_challenge *out, const json_t *object,
                                        struct tp_error *e)
{
    enum tp_err r = TP_OK;

    *out = (struct payment_challenge){0};
    for (size_t i = 0; r == TP_OK && i < PARAMETERS; i++)
        r = jcs_text(member(out, &parameters[i]), object, parameters[i].name, e);
    return r == TP_OK ? check(out, e) : r;
}

/* ---- the field ---- */

/* A value that is no UTF-8 cannot be echoed: as if it were not there. */
static enum tp_err set_parameter(json_t *object, const char *name,
                                 const struct http_auth_param *param)
{
    char *text = malloc(param->value.n + 1);

    if (text == NULL)
        return TP_ERR_NO_MEMORY;

    struct buf room = {(uint8_t *)text, 0, param->value.n + 1};
    const enum tp_err r = http_auth_value(&room, param);

    if (r == TP_OK)
        (void)json_object_set_new(object, name, json_string(text));
    free(text);
    return r;
}

static enum tp_err add_offer(struct payment_offers *offers, const struct http_auth *element,
                             struct tp_error *e)
{
    json_t *object = json_object();
    enum tp_err r = object != NULL ? TP_OK : TP_ERR_NO_MEMORY;

    for (size_t i = 0; r == TP_OK && i < PARAMETERS; i++) {
        const struct http_auth_param *param = http_auth_find(element, parameters[i].name);

        if (param != NULL)
            r = set_parameter(object, parameters[i].name, param);
    }
    if (r == TP_OK && offers->owner == NULL && (offers->owner = json_array()) == NULL)
        r = TP_ERR_NO_MEMORY;
    if (r == TP_OK &&
        payment_challenge_from_json(&offers->offer[offers->n], object, NULL) == TP_OK) {
        if (json_array_append(offers->owner, object) == 0)
            offers->n++;
        else
            r = TP_ERR_NO_MEMORY;
    }
    json_decref(object);
    return r == TP_OK ? TP_OK : tp_fail(e, r, "no memory for a challenge");
}

enum tp_err payment_offers_add(struct payment_offers *offers, struct span field, struct tp_error *e)
{
    struct http_auth element;
    enum tp_err r;

    if (field.n > HTTP_AUTH_FIELD_MAX)
        return tp_fail(e, TP_ERR_RANGE, "WWW-Authenticate has more than %d bytes",
                       HTTP_AUTH_FIELD_MAX);
    do {
        r = http_auth_next(&element, &field, e);
        if (r == TP_OK && http_auth_is(&element, PAYMENT_SCHEME) && offers->n < PAYMENT_OFFERS_MAX)
            r = add_offer(offers, &element, e);
    } while (r == TP_OK);
    if (r == TP_ERR_NOT_FOUND) { /* the end of the list is no error to be told */
        if (e != NULL)
            *e = (struct tp_error){0};
        return TP_OK;
    }
    return r == TP_ERR_FORMAT ? tp_error_prefix(e, "WWW-Authenticate"), r : r;
}

void payment_offers_free(struct payment_offers *offers)
{
    json_decref(offers->owner);
    *offers = (struct payment_offers){0};
}

/* ---- the binding ---- */

/* What is joined by '|', and cannot hold it. */
static bool holds_separator(const struct payment_challenge *c)
{
    for (size_t i = 0; i < PARAMETERS; i++) {
        const char *text = value(c, &parameters[i]);

        if (text != NULL && text != c->description && strchr(text, '|') != NULL)
            return true;
    }
    return false;
}

/* The strings, one '|' between two; NULL is an empty one. free() */
static char *join(const char *const *strings, size_t n)
{
    size_t size = 1;
    char *out, *w;

    for (size_t i = 0; i < n; i++)
        size += (strings[i] != NULL ? strlen(strings[i]) : 0) + 1;
    out = w = malloc(size);
    if (out == NULL)
        return NULL;
    *w = '\0';
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            w = stpcpy(w, "|");
        if (strings[i] != NULL)
            w = stpcpy(w, strings[i]);
    }
    return out;
}

enum tp_err payment_challenge_id(char out[PAYMENT_ID_SIZE], struct span key,
                                 const struct payment_challenge *c)
{
    const char *slots[8] = {c->realm, c->method, c->intent, c->request, c->expires, c->digest};
    size_t n = 6;

    if (c->header != NULL)
        slots[n++] = c->header;
    slots[n++] = c->opaque;

    char *input = join(slots, n);
    uint8_t mac[32];

    out[0] = '\0';
    if (input == NULL)
        return TP_ERR_NO_MEMORY;

    const bool ok = HMAC(EVP_sha256(), key.p, (int)key.n, (const uint8_t *)input, strlen(input),
                         mac, NULL) != NULL;

    free(input);
    if (!ok)
        return TP_ERR_INTERNAL;
    (void)base64url_encode(out, SPAN_OF(mac));
    return TP_OK;
}

bool payment_challenge_is_bound(const struct payment_challenge *c, struct span key)
{
    char id[PAYMENT_ID_SIZE];

    return !holds_separator(c) && payment_challenge_id(id, key, c) == TP_OK &&
           secret_eq(span_str(id), span_str(c->id));
}

enum tp_err payment_challenge_r(uint8_t out[PAYMENT_R], const struct payment_challenge *c,
                                struct tp_error *e)
{
    const char *const strings[] = {"telepay-1", c->id,      c->realm,  c->method, c->intent,
                                   c->request,  c->expires, c->digest, c->opaque};
    char *input;

    if (holds_separator(c))
        return tp_fail(e, TP_ERR_FORMAT, "the challenge has a parameter that holds a '|'");
    input = join(strings, sizeof(strings) / sizeof(strings[0]));
    if (input == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a challenge");

    const bool ok = EVP_Digest(input, strlen(input), out, NULL, EVP_sha256(), NULL) == 1;

    free(input);
    return ok ? TP_OK : tp_fail(e, TP_ERR_INTERNAL, "SHA-256 failed");
}

/* ---- writing ---- */

static enum tp_err put_parameter(struct buf *out, const char *name, const char *text)
{
    enum tp_err r = TP_OK;

    if (text == NULL)
        return TP_OK;
    if (out->p[out->n - 1] != ' ') /* not the first */
        r = buf_put(out, span_str(", "));
    if (r == TP_OK)
        r = buf_put(out, span_str(name));
    if (r == TP_OK)
        r = buf_u8(out, '=');
    return r == TP_OK ? http_auth_quote(out, text) : r;
}

enum tp_err payment_challenge_write(char **out, const struct payment_challenge *c,
                                    struct tp_error *e)
{
    const struct {
        const char *name, *text;
    } row[] = {{"id", c->id},           {"realm", c->realm},
               {"method", c->method},   {"intent", c->intent},
               {"request", c->request}, {"expires", c->expires},
               {"digest", c->digest},   {"description", c->description},
               {"opaque", c->opaque},   {"header", c->header}};
    size_t size = sizeof(PAYMENT_SCHEME " ");
    enum tp_err r = check(c, e);

    *out = NULL;
    if (r != TP_OK)
        return r;
    if (holds_separator(c))
        return tp_fail(e, TP_ERR_FORMAT, "the challenge has a parameter that holds a '|'");
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
        size += row[i].text != NULL ? 2 * strlen(row[i].text) + strlen(row[i].name) + 5 : 0;

    struct buf field = {malloc(size), 0, size};

    if (field.p == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a challenge");
    r = buf_put(&field, span_str(PAYMENT_SCHEME " "));
    for (size_t i = 0; r == TP_OK && i < sizeof(row) / sizeof(row[0]); i++) {
        r = put_parameter(&field, row[i].name, row[i].text);
        if (r == TP_ERR_FORMAT)
            (void)tp_fail(e, r, "the challenge's %s holds a control character", row[i].name);
    }
    if (r == TP_OK)
        r = buf_u8(&field, '\0');
    if (r != TP_OK) {
        free(field.p);
        return r;
    }
    *out = (char *)field.p;
    return TP_OK;
}
