#include "base/word.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* One character of well-formed UTF-8: its bytes, or 0. */
static size_t decode(uint32_t *character, const uint8_t *p)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const size_t n = p[0] < 0x80                   ? 1
                     : p[0] >= 0xC2 && p[0] < 0xE0 ? 2
                     : (p[0] & 0xF0) == 0xE0       ? 3
                     : p[0] >= 0xF0 && p[0] < 0xF5 ? 4
                                                   : 0;
    uint32_t c = n == 1 ? p[0] : n > 1 ? p[0] & (0x7FU >> n) : 0;

    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xC0) != 0x80) /* the final zero too */
            return 0;
        c = c << 6 | (p[i] & 0x3F);
    }
    *character = c;
    return n > 0 && c >= least[n] && c <= 0x10FFFF ? n : 0;
}

/* C0, DEL and C1; and what changes how the characters around it are read, without being seen
 * (Unicode 15: Bidi_Control, line and paragraph separators, the byte order mark). */
static bool is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x061C || c == 0x200E || c == 0x200F ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

static bool is_no_xml(uint32_t c)
{
    return (c >= 0xD800 && c <= 0xDFFF) || c == 0xFFFE || c == 0xFFFF;
}

enum tp_err word_check(const char *text, const char *what, size_t max, struct tp_error *e)
{
    const uint8_t *p = (const uint8_t *)text;
    size_t characters = 0;
    uint32_t c = 0;

    for (size_t n; *p != 0; p += n, characters++) {
        n = decode(&c, p);
        if (n == 0 || is_no_xml(c))
            return tp_fail(e, TP_ERR_USAGE, "%s must be text in UTF-8", what);
        if (is_control(c))
            return tp_fail(e, TP_ERR_USAGE,
                           "%s must hold no control characters (character %zu is one)", what,
                           characters + 1);
    }
    if (characters == 0 || characters > max)
        return tp_fail(e, TP_ERR_USAGE, "%s must have 1 to %zu characters", what, max);
    return *text != ' ' && c != ' '
               ? TP_OK
               : tp_fail(e, TP_ERR_USAGE, "%s must not begin or end with a blank", what);
}

void word_make_shown(char *text)
{
    const uint8_t *from = (const uint8_t *)text;
    char *to = text;
    uint32_t c = 0;

    while (*from != 0) {
        const size_t n = decode(&c, from);

        if (n == 0 || is_control(c) || is_no_xml(c)) {
            *to++ = '?';
        } else {
            memmove(to, from, n);
            to += n;
        }
        from += n > 0 ? n : 1;
    }
    *to = '\0';
}

char *word_cut(char *out, size_t cap, const char *text)
{
    size_t n = strlen(text);

    if (n >= cap) {
        n = cap - 1;
        while (n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80)
            n--;
    }
    memcpy(out, text, n);
    out[n] = '\0';
    return out;
}

char *word_shown(char *out, size_t cap, const char *text)
{
    word_make_shown(word_cut(out, cap, text));
    return out;
}
