/* The byte scanner before libxml2: XML 1.0, 2.4 to 2.8 and 3.1, as far as the bounds need it. It
 * need not tell what is no XML: that, libxml2 does. */
#include "wire/caaa_guard.h"

#include <ctype.h>
#include <string.h>

static void go(struct caaa_guard *g, enum caaa_guard_state state)
{
    g->state = state;
    g->run = 0;
}

static bool blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* U+FEFF in UTF-8, which may stand before all, then '<' at once or after blanks. */
static const char *start(struct caaa_guard *g, uint8_t c)
{
    static const uint8_t mark[] = {0xEF, 0xBB, 0xBF};

    if (c == '<')
        go(g, CAAA_GUARD_OPEN);
    else if (!(g->at < sizeof(mark) && c == mark[g->at]) && !blank(c))
        return "it does not begin as an XML document in UTF-8 does";
    return NULL;
}

/* XML 1.0, 4.3.3: EncodingDecl. */
static const char *declared_encoding(const struct caaa_guard *g)
{
    const char *p = strstr(g->declaration, "encoding");

    if (p == NULL)
        return NULL;
    p += strcspn(p, "\"'");
    return strncmp(p + (*p != '\0'), "utf-8", 5) == 0 && (p[6] == '"' || p[6] == '\'')
               ? NULL
               : "its encoding is not UTF-8";
}

static const char *in_instruction(struct caaa_guard *g, uint8_t c)
{
    const bool first =
        g->at - g->run <= 5; /* "<?" stands at the very start, or behind the byte order mark */

    if (first && g->declared + 1 == sizeof(g->declaration))
        return "its first instruction is too long";
    if (first)
        g->declaration[g->declared++] = (char)tolower(c);
    if (c != '>' || g->last[1] != '?' || g->run < 2)
        return NULL;
    go(g, CAAA_GUARD_TEXT);
    return first ? declared_encoding(g) : NULL;
}

static const char *after_open(struct caaa_guard *g, uint8_t c)
{
    g->attributes = 0;
    switch (c) {
    case '?':
        go(g, CAAA_GUARD_INSTRUCTION);
        break;
    case '!':
        go(g, CAAA_GUARD_BANG);
        break;
    case '/':
        go(g, CAAA_GUARD_END_TAG);
        if (g->depth > 0)
            g->depth--;
        break;
    default:
        go(g, CAAA_GUARD_TAG);
        if (++g->depth > CAAA_DEPTH_MAX)
            return "its elements are nested too deeply";
        break;
    }
    return NULL;
}

static const char *after_bang(struct caaa_guard *g, uint8_t c)
{
    if (c == '-')
        go(g, CAAA_GUARD_COMMENT);
    else if (c == '[')
        go(g, CAAA_GUARD_CDATA);
    else
        return "a document type is not taken";
    return NULL;
}

static const char *in_tag(struct caaa_guard *g, uint8_t c)
{
    if (c == '>') {
        if (g->last[1] == '/')
            g->depth--;
        go(g, CAAA_GUARD_TEXT);
    } else if (c == '"' || c == '\'') {
        g->quote = c;
        g->state = CAAA_GUARD_VALUE; /* a value counts to the length of its tag */
        if (++g->attributes > CAAA_ATTRIBUTES_MAX)
            return "a tag has too many attributes";
    }
    return NULL;
}

/* The end of a comment or CDATA section; the marks of its start do not count: "<!-->" is no whole
 * comment. */
static void in_section(struct caaa_guard *g, uint8_t c, uint8_t mark)
{
    const size_t least =
        g->state == CAAA_GUARD_COMMENT ? 4 : 9; /* "-" and "-->", "CDATA[" and "]]>" */

    if (c == '>' && g->last[0] == mark && g->last[1] == mark && g->run >= least)
        go(g, CAAA_GUARD_TEXT);
}

static const char *take(struct caaa_guard *g, uint8_t c)
{
    switch (g->state) {
    case CAAA_GUARD_START:
        return start(g, c);
    case CAAA_GUARD_TEXT:
        if (c == '<')
            go(g, CAAA_GUARD_OPEN);
        return NULL;
    case CAAA_GUARD_OPEN:
        return after_open(g, c);
    case CAAA_GUARD_BANG:
        return after_bang(g, c);
    case CAAA_GUARD_TAG:
        return in_tag(g, c);
    case CAAA_GUARD_VALUE:
        if (c == g->quote)
            g->state = CAAA_GUARD_TAG;
        return NULL;
    case CAAA_GUARD_END_TAG:
        if (c == '>')
            go(g, CAAA_GUARD_TEXT);
        return NULL;
    case CAAA_GUARD_COMMENT:
        in_section(g, c, '-');
        return NULL;
    case CAAA_GUARD_CDATA:
        in_section(g, c, ']');
        return NULL;
    default:
        return in_instruction(g, c);
    }
}

static size_t run_max(enum caaa_guard_state state)
{
    return state == CAAA_GUARD_TAG || state == CAAA_GUARD_VALUE || state == CAAA_GUARD_END_TAG
               ? CAAA_TAG_MAX
               : CAAA_RUN_MAX;
}

const char *caaa_guard(struct caaa_guard *g, struct span bytes)
{
    const char *wrong = NULL;

    for (size_t i = 0; i < bytes.n && wrong == NULL; i++) {
        const uint8_t c = bytes.p[i];

        g->run++;
        wrong = c == 0 ? "it holds a zero byte" : take(g, c);
        if (wrong == NULL && g->run > run_max(g->state))
            wrong = run_max(g->state) == CAAA_TAG_MAX ? "a tag is too long"
                                                      : "a text is longer than any may be";
        g->lines += c == '\n';
        g->last[0] = g->last[1];
        g->last[1] = c;
        g->at++;
    }
    return wrong;
}
