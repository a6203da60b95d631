#include "drivers/transcript.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apdu/apdu.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/text.h"

#define ITEMS_MAX 65536 /* exchanges, and facts, of one transcript */
#define NAME_MAX_ 24    /* letters of a fact's name */
#define HEADER    4     /* CLA INS P1 P2 */

struct transcript {
    char name[256];
    unsigned line, lines; /* being read; all */
    char *text;           /* a copy, cut into lines; facts point into it */
    uint8_t *bytes;       /* values and masks of the exchanges, one behind the other */
    size_t bytes_n;
    struct transcript_exchange *exchanges;
    size_t exchanges_n;
    bool open; /* the last exchange awaits its answer */
    struct transcript_fact *facts;
    size_t facts_n;
};

/* ---- masked bytes ---- */

bool masked_matches(const struct masked *m, struct span s)
{
    bool same = m->n == s.n;

    for (size_t i = 0; same && i < m->n; i++)
        same = ((m->value[i] ^ s.p[i]) & ~m->hidden[i] & 0xFF) == 0;
    return same;
}

bool masked_any(const struct masked *m)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->hidden[i] != 0)
            return true;
    return false;
}

char *masked_text(char *out, const struct masked *m)
{
    hex_encode(out, masked_filled(m));
    for (size_t i = 0; i < 2 * m->n; i++)
        if ((m->hidden[i / 2] & (i % 2 == 0 ? 0xF0 : 0x0F)) != 0)
            out[i] = '*';
    return out;
}

struct span masked_filled(const struct masked *m)
{
    return span_of(m->value, m->n);
}

/* ---- lines ---- */

static enum tp_err bad(const struct transcript *t, struct tp_error *e, const char *what)
{
    return tp_fail(e, TP_ERR_FORMAT, "%s, line %u: %s", t->name, t->line, what);
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

/* Hex and * up to a space or the line's end. There is room: half as many bytes as the text has
 * characters, for the value and again for the mask. */
static enum tp_err read_masked(struct transcript *t, struct masked *out, const char *text,
                               struct tp_error *e)
{
    const size_t digits = strcspn(text, " \t");
    uint8_t *value = t->bytes + t->bytes_n, *hidden = value + digits / 2;

    if (digits == 0 || digits % 2 != 0)
        return bad(t, e,
                   digits == 0 ? "here should be bytes in hex"
                               : "an odd number of hexadecimal digits");
    memset(value, 0, digits);
    for (size_t i = 0; i < digits; i++) {
        const unsigned shift = i % 2 == 0 ? 4 : 0;

        if (text[i] == '*')
            hidden[i / 2] |= (uint8_t)(0x0FU << shift);
        else if (digit(text[i]) >= 0)
            value[i / 2] |= (uint8_t)((unsigned)digit(text[i]) << shift);
        else
            return bad(t, e,
                       "bytes are written in hexadecimal digits, and with * for half a byte that "
                       "is not told");
    }
    t->bytes_n += digits;
    *out = (struct masked){value, hidden, digits / 2};
    return TP_OK;
}

/* One more element behind n. NULL when there is no room. */
static void *grown(void *array, size_t n, size_t size)
{
    if (n >= ITEMS_MAX)
        return NULL;
    return (n & (n - 1)) != 0
               ? array
               : realloc(array, (n == 0 ? 1 : 2 * n) * size); /* at 0, 1, 2, 4, 8 … it is full */
}

static enum tp_err read_command(struct transcript *t, const char *text, struct tp_error *e)
{
    struct transcript_exchange x = {.line = t->line}, *more;
    enum tp_err r;

    if (t->open)
        return bad(t, e, "a command, though the one before has no answer yet (<)");
    r = read_masked(t, &x.command, text, e);
    if (r != TP_OK)
        return r;
    if (x.command.n < HEADER || x.command.n > APDU_COMMAND_MAX)
        return bad(t, e, "a command has at least the four bytes CLA INS P1 P2, and fits an APDU");
    if (masked_any(&(struct masked){x.command.value, x.command.hidden, HEADER}))
        return bad(t, e, "the first four bytes of a command cannot be masked");
    more = grown(t->exchanges, t->exchanges_n, sizeof(x));
    if (more == NULL)
        return bad(t, e, "more commands than there is memory for");
    t->exchanges = more;
    t->exchanges[t->exchanges_n++] = x;
    t->open = true;
    return TP_OK;
}

static enum tp_err read_answer(struct transcript *t, const char *text, struct tp_error *e)
{
    struct masked m = {NULL, NULL, 0};
    enum tp_err r = TP_OK;

    if (!t->open)
        return bad(t, e, "an answer without a command (>) before it");
    if (text[0] != '(')
        r = read_masked(t, &m, text, e);
    else if (strcmp(text, "(no answer)") != 0)
        r = bad(t, e, "the only word that stands for an answer is \"(no answer)\"");
    if (r != TP_OK)
        return r;
    if (m.n > APDU_RESPONSE_MAX)
        return bad(t, e, "longer than any answer");
    if (m.n >= 2 && masked_any(&(struct masked){m.value + m.n - 2, m.hidden + m.n - 2, 2}))
        return bad(t, e, "the status word, the last two bytes, cannot be masked");
    t->exchanges[t->exchanges_n - 1].answer = m;
    t->open = false;
    return TP_OK;
}

static bool is_name(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!(text[i] >= 'a' && text[i] <= 'z') && !(text[i] >= '0' && text[i] <= '9') &&
            !(text[i] >= 'A' && text[i] <= 'Z') && text[i] != '-')
            return false;
    return n > 0 && n <= NAME_MAX_;
}

static enum tp_err read_fact(struct transcript *t, char *line, struct tp_error *e)
{
    const size_t n = strcspn(line, ":");
    struct transcript_fact f = {t->line, line, NULL}, *more;
    char *value, *words;

    if (line[n] != ':' || !is_name(line, n))
        return bad(
            t, e, _("neither a command (>), an answer (<), a remark (#) nor a fact (name: value)"));
    line[n] = '\0';
    value = line + n + 1 + strspn(line + n + 1, " \t");
    f.value = value;
    words = strstr(value, "  ");
    if (words != NULL)
        *words = '\0';
    if (t->facts_n == 0 && strcmp(f.name, "format") != 0)
        return bad(t, e, "a transcript begins with the line \"format: 1\"");
    if (t->facts_n == 0 && strcmp(f.value, "1") != 0)
        return bad(t, e, "a transcript of another format: a later telepay wrote it");
    more = grown(t->facts, t->facts_n, sizeof(f));
    if (more == NULL)
        return bad(t, e, "more facts than there is memory for");
    t->facts = more;
    t->facts[t->facts_n++] = f;
    return TP_OK;
}

static enum tp_err read_line(struct transcript *t, char *line, struct tp_error *e)
{
    for (const char *c = line; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 && *c != '\t')
            return bad(t, e, "this is no text");
    if (line[0] == '#' || line[strspn(line, " \t")] == '\0')
        return TP_OK;
    if (t->facts_n == 0 && (line[0] == '>' || line[0] == '<'))
        return bad(t, e, "a transcript begins with the line \"format: 1\"");
    if (line[0] == '>')
        return read_command(t, line + 1 + strspn(line + 1, " \t"), e);
    if (line[0] == '<')
        return read_answer(t, line + 1 + strspn(line + 1, " \t"), e);
    return read_fact(t, line, e);
}

/* The end of a line becomes its final zero. */
static enum tp_err read_lines(struct transcript *t, size_t n, struct tp_error *e)
{
    enum tp_err r = TP_OK;

    for (size_t at = 0; r == TP_OK && at < n;) {
        char *line = t->text + at, *end = memchr(line, '\n', n - at);
        const size_t length = end != NULL ? (size_t)(end - line) : n - at;
        size_t kept = length;

        t->lines = ++t->line;
        if (memchr(line, '\0', length) != NULL)
            return bad(t, e, "this is no text");
        while (kept > 0 &&
               (line[kept - 1] == '\r' || line[kept - 1] == ' ' || line[kept - 1] == '\t'))
            kept--;
        line[kept] = '\0';
        r = read_line(t, line, e);
        at += length + 1;
    }
    if (r == TP_OK && t->open)
        r = bad(t, e, "the file ends after a command whose answer is missing: it is cut short");
    if (r == TP_OK && t->facts_n == 0)
        r = bad(t, e, "there is no transcript in it: one begins with the line \"format: 1\"");
    return r;
}

enum tp_err transcript_parse(struct transcript **out, struct span text, const char *name,
                             struct tp_error *e)
{
    struct transcript *t = calloc(1, sizeof(*t));
    enum tp_err r;

    *out = NULL;
    if (t != NULL) {
        snprintf(t->name, sizeof(t->name), "%s", name);
        t->text = malloc(text.n + 1);
        t->bytes = malloc(text.n + 1);
    }
    if (t == NULL || t->text == NULL || t->bytes == NULL) {
        transcript_free(&t);
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for the transcript %s", name);
    }
    if (text.n > 0)
        memcpy(t->text, text.p, text.n);
    t->text[text.n] = '\0';
    r = read_lines(t, text.n, e);
    if (r == TP_OK)
        *out = t;
    else
        transcript_free(&t);
    return r;
}

enum tp_err transcript_load(struct transcript **out, const char *path, struct tp_error *e)
{
    uint8_t *text = NULL;
    size_t n = 0;
    enum tp_err r = file_read(path, TRANSCRIPT_MAX, &text, &n, e);

    *out = NULL;
    if (r == TP_OK)
        r = transcript_parse(out, span_of(text, n), path, e);
    free(text);
    return r;
}

void transcript_free(struct transcript **t)
{
    if (*t == NULL)
        return;
    free((*t)->text);
    free((*t)->bytes);
    free((*t)->exchanges);
    free((*t)->facts);
    free(*t);
    *t = NULL;
}

/* ---- what stands in it ---- */

const char *transcript_name(const struct transcript *t)
{
    return t->name;
}

unsigned transcript_lines(const struct transcript *t)
{
    return t->lines;
}

const struct transcript_exchange *transcript_at(const struct transcript *t, size_t i)
{
    return i < t->exchanges_n ? &t->exchanges[i] : NULL;
}

const struct transcript_fact *transcript_fact(const struct transcript *t, const char *name,
                                              size_t nth)
{
    for (size_t i = 0; i < t->facts_n; i++)
        if (strcmp(t->facts[i].name, name) == 0 && nth-- == 0)
            return &t->facts[i];
    return NULL;
}

const char *transcript_value(const struct transcript *t, const char *name)
{
    const struct transcript_fact *f = transcript_fact(t, name, 0);

    return f != NULL ? f->value : NULL;
}

enum tp_err transcript_bytes(struct buf *out, const struct transcript *t, const char *name,
                             struct tp_error *e)
{
    const struct transcript_fact *f = transcript_fact(t, name, 0);

    if (f == NULL || hex_decode(out, f->value) == TP_OK)
        return TP_OK;
    return tp_fail(e, TP_ERR_FORMAT, "%s, line %u: \"%s\" takes at most %zu bytes in hex", t->name,
                   f->line, name, out->cap - out->n);
}

bool transcript_masked(const struct transcript *t)
{
    for (size_t i = 0; i < t->exchanges_n; i++)
        if (masked_any(&t->exchanges[i].answer))
            return true;
    return false;
}
