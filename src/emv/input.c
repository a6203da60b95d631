#include "emv/input.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/file.h"

/* What may stand between bytes in hex. */
static bool between(uint8_t c)
{
    return isspace(c) || c == ':' || c == ',' || c == ';';
}

static unsigned digit(uint8_t c)
{
    return c <= '9' ? c - (unsigned)'0' : (unsigned)tolower(c) - 'a' + 10;
}

/* "0x" before a byte is passed over. */
static bool prefix(struct span text, size_t i)
{
    return text.p[i] == '0' && i + 1 < text.n && (text.p[i + 1] | 0x20) == 'x' &&
           (i == 0 || between(text.p[i - 1]));
}

/* False: *at is the first character that is none of hex. */
static bool take_hex(struct buf *out, size_t *digits, size_t *at, struct span text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (between(text.p[i]))
            continue;
        if (prefix(text, i)) {
            i++;
            continue;
        }
        *at = i;
        if (!isxdigit(text.p[i]))
            return false;
        if (*digits % 2 == 0)
            out->p[out->n++] = (uint8_t)(digit(text.p[i]) << 4);
        else
            out->p[out->n - 1] |= (uint8_t)digit(text.p[i]);
        ++*digits;
    }
    return true;
}

/* A third of base64's characters are hex digits too; where over two thirds are, hex was mistyped.
 */
static bool take_base64(struct buf *out, struct span text)
{
    uint8_t *dense = malloc(text.n + 1);
    struct buf b = {dense, 0, text.n};
    bool ok = dense != NULL;
    size_t hex = 0;

    for (size_t i = 0; ok && i < text.n; i++)
        if (!isspace(text.p[i])) {
            ok = buf_u8(&b, text.p[i]) == TP_OK;
            hex += isxdigit(text.p[i]) != 0;
        }
    out->n = 0;
    ok =
        ok && 3 * hex <= 2 * b.n &&
        (base64_decode(out, buf_span(&b)) == TP_OK || base64url_decode(out, buf_span(&b)) == TP_OK);
    free(dense);
    return ok;
}

enum tp_err input_text(struct buf *out, struct span text, struct tp_error *e)
{
    size_t digits = 0, at = 0;

    *out = (struct buf){malloc(text.n + 1), 0, text.n + 1};
    if (out->p == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    if (!take_hex(out, &digits, &at, text)) {
        if (take_base64(out, text))
            return TP_OK;
        return isprint(text.p[at])
                   ? tp_fail(e, TP_ERR_FORMAT,
                             "character %zu, '%c', is no hex digit, and the whole is no base64",
                             at + 1, text.p[at])
                   : tp_fail(e, TP_ERR_FORMAT,
                             "character %zu, byte %02X, is no hex digit, and the whole is no "
                             "base64",
                             at + 1, text.p[at]);
    }
    if (digits % 2 != 0)
        return tp_fail(e, TP_ERR_FORMAT,
                       "%zu hex digits are no whole bytes: one is missing, or one too many",
                       digits);
    return TP_OK;
}

enum tp_err input_words(struct buf *out, char *const *words, size_t n, struct tp_error *e)
{
    size_t size = 0;
    struct buf text;
    enum tp_err r;

    if (n == 0 || (n == 1 && strcmp(words[0], "-") == 0))
        return input_file(out, "-", e);
    for (size_t i = 0; i < n; i++)
        size += strlen(words[i]) + 1;
    text = (struct buf){malloc(size), 0, size};
    if (text.p == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < n; i++)
        if (buf_put(&text, span_str(words[i])) != TP_OK || buf_u8(&text, ' ') != TP_OK)
            break; /* there is room for all */
    r = input_text(out, buf_span(&text), e);
    free(text.p);
    return r;
}

static bool is_text(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!isprint(s.p[i]) && !isspace(s.p[i]))
            return false;
    return true;
}

static enum tp_err read_standard_input(uint8_t **out, size_t *n, struct tp_error *e)
{
    *out = malloc(INPUT_MAX + 1);
    if (*out == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    *n = fread(*out, 1, INPUT_MAX + 1, stdin);
    if (ferror(stdin))
        return tp_fail(e, TP_ERR_IO, "cannot read standard input: %s", strerror(errno));
    return *n > INPUT_MAX ? tp_fail(e, TP_ERR_RANGE, "standard input has over %d bytes", INPUT_MAX)
                          : TP_OK;
}

enum tp_err input_file(struct buf *out, const char *path, struct tp_error *e)
{
    uint8_t *read = NULL;
    size_t n = 0;
    enum tp_err r = strcmp(path, "-") == 0 ? read_standard_input(&read, &n, e)
                                           : file_read(path, INPUT_MAX, &read, &n, e);

    *out = (struct buf){NULL, 0, 0};
    if (r == TP_OK && is_text(span_of(read, n)))
        r = input_text(out, span_of(read, n), e);
    else if (r == TP_OK) {
        *out = (struct buf){read, n, n};
        return TP_OK;
    }
    free(read);
    return r;
}
