/* Lists of challenges or credentials as HTTP fields hold them (RFC 9110, 11.2 to 11.4 and 5.6):
 * several schemes in one field, each with a token68, parameters or nothing. And lists of what is
 * liked how much (12.4.2, 12.5.1): "a/b, a/c;q=0.5". */
#ifndef TP_WIRE_HTTP_AUTH_H
#define TP_WIRE_HTTP_AUTH_H

#include "base/span.h"

#define HTTP_AUTH_PARAMS_MAX 32    /* of one challenge */
#define HTTP_AUTH_FIELD_MAX  65536 /* bytes of a field */

struct http_auth_param {
    struct span name;
    struct span value; /* a quoted-string still as it is within its quotes */
    bool quoted;
};

struct http_auth { /* borrows from the field */
    struct span scheme;
    struct span token68; /* n 0: none */
    struct http_auth_param param[HTTP_AUTH_PARAMS_MAX];
    size_t params;
};

/* Takes the next element off *rest. TP_ERR_NOT_FOUND at the end of the list, TP_ERR_FORMAT with a
 * sentence when the field cannot be read on. */
TP_MUST_CHECK enum tp_err http_auth_next(struct http_auth *out, struct span *rest,
                                         struct tp_error *e);

bool http_auth_is(const struct http_auth *a, const char *scheme); /* in either case of letters */

/* The parameter of that name (in either case), NULL when there is none; of several the first, so
 * that none who appends to the field can override what stands there. */
const struct http_auth_param *http_auth_find(const struct http_auth *a, const char *name);

/* The value without the backslashes of quoted pairs, appended with a final zero. */
TP_MUST_CHECK enum tp_err http_auth_value(struct buf *out, const struct http_auth_param *param);

#define HTTP_WEIGHT_MAX 1000

struct http_range { /* borrows from the field */
    struct span type, subtype;
    unsigned weight; /* thousandths; HTTP_WEIGHT_MAX where there is none */
};

/* Takes the next range off *rest, as http_auth_next does. A parameter that is no weight is
 * TP_ERR_FORMAT. */
TP_MUST_CHECK enum tp_err http_range_next(struct http_range *out, struct span *rest,
                                          struct tp_error *e);

/* Appends a quoted-string. TP_ERR_FORMAT for a control character other than the tab: it would end
 * the field. */
TP_MUST_CHECK enum tp_err http_auth_quote(struct buf *out, const char *text);

#endif
