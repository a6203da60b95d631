#include "payer/paper.h"

#include <iconv.h>
#include <stdlib.h>
#include <string.h>

#include "base/word.h"

#define TEXT_MAX 512 /* of one line of text, in bytes */

/* Epson's names of the commands stand beside them. */
#define INITIALIZE     "\033@"     /* ESC @ */
#define CHARACTERS_USA "\033R\0"   /* ESC R 0: ASCII, whatever country the printer is set to */
#define CODE_PAGE_1252 "\033t\020" /* ESC t 16: WPC1252 */
#define EMPHASIZED_ON  "\033E\001" /* ESC E 1 */
#define EMPHASIZED_OFF "\033E\0"   /* ESC E 0 */
#define SIZE_TALL      "\035!\001" /* GS ! 1: twice the height, the width as it is */
#define SIZE_NORMAL    "\035!\0"   /* GS ! 0 */
#define FEED_AND_CUT   "\035VB\0"  /* GS V 66 0: feed to the cutter, partial cut */

static void command(const struct paper *p, const char *bytes, size_t n)
{
    if (p->escpos)
        fwrite(bytes, 1, n, p->to);
}
#define COMMAND(p, bytes) command(p, bytes, sizeof(bytes) - 1)

/* Bytes of the character at text, which is well-formed. */
static size_t character(const char *text)
{
    size_t n = 1;

    while (((unsigned char)text[n] & 0xC0) == 0x80)
        n++;
    return n;
}

static size_t columns(const char *text, size_t n)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i += character(text + i))
        count++;
    return count;
}

/* In the printer's code page; a '?' for what it has not. */
static void put_encoded(FILE *to, const char *text, size_t n)
{
    const iconv_t page = iconv_open("CP1252", "UTF-8");

    for (size_t i = 0, used; i < n; i += used) {
        char from[4], byte = '?', *in = from, *out = &byte;
        size_t left = used = character(text + i), room = 1;

        memcpy(from, text + i, used);
        if (page == (iconv_t)-1 || iconv(page, &in, &left, &out, &room) == (size_t)-1)
            byte = '?';
        fputc(byte, to);
    }
    if (page != (iconv_t)-1)
        iconv_close(page);
}

static void put(const struct paper *p, const char *text, size_t n)
{
    if (p->escpos)
        put_encoded(p->to, text, n);
    else
        fwrite(text, 1, n, p->to);
}

/* As much of text as fits a line: up to the last blank within it, or, without one, what fits. */
static size_t fitting(const struct paper *p, const char *text)
{
    size_t n = 0, blank = 0;

    for (size_t count = 0; text[n] != '\0' && count < p->width; count++) {
        if (text[n] == ' ' && n > 0 && text[n - 1] != ' ')
            blank = n;
        n += character(text + n);
    }
    return text[n] == '\0' || text[n] == ' ' || blank == 0 ? n : blank;
}

enum side { LEFT, CENTRE, RIGHT };

static void put_lines(const struct paper *p, enum side side, const char *given)
{
    char text[TEXT_MAX];

    word_shown(text, sizeof(text), given);
    for (const char *rest = text; *rest != '\0'; rest += strspn(rest, " ")) {
        const size_t n = fitting(p, rest), blanks = p->width - columns(rest, n);

        if (side != LEFT)
            fprintf(p->to, "%*s", (int)(side == CENTRE ? blanks / 2 : blanks), "");
        put(p, rest, n);
        fputc('\n', p->to);
        rest += n;
    }
}

static void emphasize(const struct paper *p, enum paper_style style)
{
    if (style == PAPER_PLAIN)
        return;
    COMMAND(p, EMPHASIZED_ON);
    if (style == PAPER_TALL)
        COMMAND(p, SIZE_TALL);
}

static void calm(const struct paper *p, enum paper_style style)
{
    if (style == PAPER_TALL)
        COMMAND(p, SIZE_NORMAL);
    if (style != PAPER_PLAIN)
        COMMAND(p, EMPHASIZED_OFF);
}

void paper_begin(const struct paper *p)
{
    COMMAND(p, INITIALIZE);
    COMMAND(p, CHARACTERS_USA);
    COMMAND(p, CODE_PAGE_1252);
}

void paper_line(const struct paper *p, const char *text)
{
    put_lines(p, LEFT, text);
}

void paper_centre(const struct paper *p, enum paper_style style, const char *text)
{
    emphasize(p, style);
    put_lines(p, CENTRE, text);
    calm(p, style);
}

void paper_pair(const struct paper *p, enum paper_style style, const char *name, const char *given)
{
    char value[TEXT_MAX];

    if (given[0] == '\0')
        return;
    word_shown(value, sizeof(value), given);
    const size_t used = columns(name, strlen(name)) + columns(value, strlen(value));

    emphasize(p, style);
    if (used + 1 <= p->width) {
        put(p, name, strlen(name));
        fprintf(p->to, "%*s", (int)(p->width - used), "");
        put(p, value, strlen(value));
        fputc('\n', p->to);
    } else {
        put_lines(p, LEFT, name);
        put_lines(p, RIGHT, value);
    }
    calm(p, style);
}

void paper_space(const struct paper *p)
{
    fputs("\n\n\n", p->to);
}

void paper_end(const struct paper *p)
{
    COMMAND(p, FEED_AND_CUT);
}
