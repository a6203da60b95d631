#include "wire/http_auth.h"

#include <string.h>
#include <strings.h>

static bool letter_or_digit(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool in_token(uint8_t c) /* RFC 9110, 5.6.2 */
{
    return letter_or_digit(c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool in_token68(uint8_t c) /* 11.2, without the '=' at its end */
{
    return letter_or_digit(c) || (c != '\0' && strchr("-._~+/", c) != NULL);
}

static bool in_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static bool in_separator(uint8_t c) /* of a list that may have empty elements: 5.6.1.2 */
{
    return in_blank(c) || c == ',';
}

static bool in_padding(uint8_t c)
{
    return c == '=';
}

/* Takes what stands at the front of such characters. */
static struct span take(struct span *s, bool in(uint8_t))
{
    struct span out = {s->p, 0};

    while (out.n < s->n && in(s->p[out.n]))
        out.n++;
    s->p += out.n;
    s->n -= out.n;
    return out;
}

static bool take_one(struct span *s, uint8_t c)
{
    if (s->n == 0 || s->p[0] != c)
        return false;
    s->p++;
    s->n--;
    return true;
}

static bool at_end_of_element(struct span s)
{
    (void)take(&s, in_blank);
    return s.n == 0 || s.p[0] == ',';
}

/* 5.6.4, without its quotes. False: it does not end, or holds what none may. */
static bool take_quoted(struct span *out, struct span *s)
{
    struct span at = *s;
    size_t n = 0;

    if (!take_one(&at, '"'))
        return false;
    for (; n < at.n && at.p[n] != '"'; n++) {
        if (at.p[n] == '\\')
            n++;
        if (n == at.n || (at.p[n] < 0x20 && at.p[n] != '\t') || at.p[n] == 0x7F)
            return false;
    }
    if (n == at.n)
        return false;
    *out = (struct span){at.p, n};
    *s = (struct span){at.p + n + 1, at.n - n - 1};
    return true;
}

/* name BWS "=" BWS: what tells a parameter from the next scheme. */
static bool take_name(struct span *name, struct span *s)
{
    struct span at = *s;

    *name = take(&at, in_token);
    (void)take(&at, in_blank);
    if (name->n == 0 || !take_one(&at, '='))
        return false;
    (void)take(&at, in_blank);
    *s = at;
    return true;
}

static bool take_param(struct http_auth_param *out, struct span *s)
{
    out->quoted = s->n > 0 && s->p[0] == '"';
    if (out->quoted)
        return take_quoted(&out->value, s);
    out->value = take(s, in_token);
    return out->value.n > 0;
}

static bool take_token68(struct span *out, struct span *s)
{
    struct span at = *s;
    const struct span token = take(&at, in_token68), padding = take(&at, in_padding);

    if (token.n == 0 || !at_end_of_element(at))
        return false;
    *out = (struct span){token.p, token.n + padding.n};
    *s = at;
    return true;
}

/* As long as what follows the comma is a parameter and no scheme. */
static enum tp_err take_params(struct http_auth *out, struct span *rest, struct tp_error *e)
{
    struct span name, at = *rest;

    while (take_name(&name, &at)) {
        if (out->params == HTTP_AUTH_PARAMS_MAX)
            return tp_fail(e, TP_ERR_FORMAT, "a scheme with more than %d parameters",
                           HTTP_AUTH_PARAMS_MAX);

        struct http_auth_param *param = &out->param[out->params++];

        param->name = name;
        if (!take_param(param, &at) || !at_end_of_element(at))
            return tp_fail(e, TP_ERR_FORMAT, "a parameter that does not end as one does");
        *rest = at;
        (void)take(&at, in_separator);
    }
    return out->params > 0 ? TP_OK
                           : tp_fail(e, TP_ERR_FORMAT, "a scheme with something unreadable");
}

enum tp_err http_auth_next(struct http_auth *out, struct span *rest, struct tp_error *e)
{
    out->params = 0;
    out->token68 = (struct span){NULL, 0};
    (void)take(rest, in_separator);
    if (rest->n == 0)
        return tp_fail(e, TP_ERR_NOT_FOUND, "the end of the list");
    out->scheme = take(rest, in_token);
    if (out->scheme.n == 0)
        return tp_fail(e, TP_ERR_FORMAT, "something where a scheme should begin");
    if (at_end_of_element(*rest))
        return TP_OK;
    if (take(rest, in_blank).n == 0)
        return tp_fail(e, TP_ERR_FORMAT, "no space behind a scheme");
    if (take_token68(&out->token68, rest))
        return TP_OK;
    return take_params(out, rest, e);
}

static bool in_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* 12.4.2: 0 to 1, with three decimals at most. */
static bool take_weight(unsigned *out, struct span *s)
{
    static const unsigned place[] = {HTTP_WEIGHT_MAX / 10, HTTP_WEIGHT_MAX / 100,
                                     HTTP_WEIGHT_MAX / 1000};
    struct span whole, part = {NULL, 0};

    if ((!take_one(s, 'q') && !take_one(s, 'Q')) || !take_one(s, '='))
        return false;
    whole = take(s, in_digit);
    if (take_one(s, '.'))
        part = take(s, in_digit);
    if (whole.n != 1 || part.n > sizeof(place) / sizeof(place[0]))
        return false;
    *out = HTTP_WEIGHT_MAX * (unsigned)(whole.p[0] - '0');
    for (size_t i = 0; i < part.n; i++)
        *out += place[i] * (unsigned)(part.p[i] - '0');
    return *out <= HTTP_WEIGHT_MAX;
}

enum tp_err http_range_next(struct http_range *out, struct span *rest, struct tp_error *e)
{
    struct span at;

    (void)take(rest, in_separator);
    if (rest->n == 0)
        return tp_fail(e, TP_ERR_NOT_FOUND, "the end of the list");
    at = *rest;
    out->weight = HTTP_WEIGHT_MAX;
    out->type = take(&at, in_token);
    if (out->type.n == 0 || !take_one(&at, '/'))
        return tp_fail(e, TP_ERR_FORMAT, "something where a range should begin");
    out->subtype = take(&at, in_token);
    if (out->subtype.n == 0)
        return tp_fail(e, TP_ERR_FORMAT, "a range with nothing behind its slash");
    *rest = at;
    (void)take(&at, in_blank);
    if (take_one(&at, ';')) {
        (void)take(&at, in_blank);
        if (!take_weight(&out->weight, &at))
            return tp_fail(e, TP_ERR_FORMAT, "a range with a weight that is none");
        *rest = at;
    }
    return at_end_of_element(*rest)
               ? TP_OK
               : tp_fail(e, TP_ERR_FORMAT, "a range that does not end as one does");
}

static bool same(struct span a, const char *b)
{
    return a.n == strlen(b) && strncasecmp((const char *)a.p, b, a.n) == 0;
}

bool http_auth_is(const struct http_auth *a, const char *scheme)
{
    return same(a->scheme, scheme);
}

const struct http_auth_param *http_auth_find(const struct http_auth *a, const char *name)
{
    for (size_t i = 0; i < a->params; i++)
        if (same(a->param[i].name, name))
            return &a->param[i];
    return NULL;
}

enum tp_err http_auth_value(struct buf *out, const struct http_auth_param *param)
{
    const size_t start = out->n;
    enum tp_err r = TP_OK;

    for (size_t i = 0; r == TP_OK && i < param->value.n; i++) {
        if (param->quoted && param->value.p[i] == '\\')
            i++;
        r = buf_u8(out, param->value.p[i]);
    }
    if (r == TP_OK)
        r = buf_u8(out, 0);
    if (r != TP_OK)
        out->n = start;
    return r;
}

enum tp_err http_auth_quote(struct buf *out, const char *text)
{
    const size_t start = out->n;
    enum tp_err r = buf_u8(out, '"');

    for (; r == TP_OK && *text != '\0'; text++) {
        const uint8_t c = (uint8_t)*text;

        if ((c < 0x20 && c != '\t') || c == 0x7F)
            r = TP_ERR_FORMAT;
        if (r == TP_OK && (c == '"' || c == '\\'))
            r = buf_u8(out, '\\');
        if (r == TP_OK)
            r = buf_u8(out, c);
    }
    if (r == TP_OK)
        r = buf_u8(out, '"');
    if (r != TP_OK)
        out->n = start;
    return r;
}
