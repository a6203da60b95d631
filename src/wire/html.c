#include "wire/html.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void html_put(FILE *to, const char *text, size_t n)
{
    static const struct {
        char character;
        const char *entity;
    } entities[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}};

    for (; n > 0; text++, n--) {
        const char *entity = NULL;

        for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++)
            if (*text == entities[i].character)
                entity = entities[i].entity;
        if (entity != NULL)
            fputs(entity, to);
        else
            fputc(*text, to);
    }
}

/* One marker; *at is behind its opening braces, and then behind its closing ones. */
static enum tp_err put_value(FILE *to, const char **at, html_value *value, const void *ctx,
                             struct tp_error *e)
{
    const bool markup = **at == '{';
    const char *close = markup ? "}}}" : "}}", *from = *at + markup, *end = strstr(from, close),
               *text = NULL;
    char name[HTML_NAME_MAX];

    if (end == NULL || (size_t)(end - from) >= sizeof(name))
        return tp_fail(e, TP_ERR_FORMAT, "a page has a marker without an end: {{%.20s", from);
    snprintf(name, sizeof(name), "%.*s", (int)(end - from), from);
    text = value(ctx, name);
    if (text == NULL)
        return tp_fail(e, TP_ERR_FORMAT, "a page asks for \"%s\", which nobody has", name);
    if (markup)
        fputs(text, to);
    else
        html_put(to, text, strlen(text));
    *at = end + strlen(close);
    return TP_OK;
}

enum tp_err html_fill(char **out, const char *page, html_value *value, const void *ctx,
                      struct tp_error *e)
{
    size_t n = 0;
    char *text = NULL;
    FILE *to = open_memstream(&text, &n);
    enum tp_err r = to != NULL ? TP_OK : tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a page");

    *out = NULL;
    while (r == TP_OK && *page != '\0') {
        const char *marker = strstr(page, "{{");
        const size_t plain = marker != NULL ? (size_t)(marker - page) : strlen(page);

        fwrite(page, 1, plain, to);
        page += plain;
        if (marker != NULL) {
            page += 2;
            r = put_value(to, &page, value, ctx, e);
        }
    }
    if (to != NULL && fclose(to) != 0 && r == TP_OK)
        r = tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a page");
    if (r == TP_OK)
        *out = text;
    else
        free(text);
    return r;
}

/* Whichever of ours stands first: browsers write what they like best first. */
size_t html_language(const char *accepted, const char *const *languages, size_t n)
{
    while (accepted != NULL && *accepted != '\0') {
        accepted += strspn(accepted, ", \t");
        for (size_t i = 0; i < n; i++)
            if (strncasecmp(accepted, languages[i], 2) == 0 &&
                strchr("-,; \t", accepted[2]) != NULL) /* the end of the text, too */
                return i;
        accepted += strcspn(accepted, ",");
    }
    return 0;
}
