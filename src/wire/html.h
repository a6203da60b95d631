/* Pages from templates, which are data files: {{name}} is a value as text, {{{name}}} a value that
 * is markup already. */
#ifndef TP_WIRE_HTML_H
#define TP_WIRE_HTML_H

#include <stdio.h>

#include "base/span.h"

/* The value of a name; NULL: there is none. */
typedef const char *html_value(const void *ctx, const char *name);

#define HTML_NAME_MAX 32

/* The page (free()). TP_ERR_FORMAT with the name that has no value, or is none. */
TP_MUST_CHECK enum tp_err html_fill(char **out, const char *page, html_value *value,
                                    const void *ctx, struct tp_error *e);

/* n bytes of text, as markup says them. */
void html_put(FILE *to, const char *text, size_t n);

/* Which of those languages ("en", "fr") is liked best, by Accept-Language (RFC 9110, 12.5.4; NULL:
 * none came); the first, when none of them is. */
size_t html_language(const char *accepted, const char *const *languages, size_t n);

#endif
