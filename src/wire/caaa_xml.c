/* The walk over a caaa document: libxml2's streaming reader under its streaming schema validation.
 * Nothing is fetched, no DTD is taken. */
#include "wire/caaa_priv.h"

#include <ctype.h>
#include <errno.h>
#include <libxml/xmlreader.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/secret.h"
#include "base/word.h"
#include "wire/caaa_guard.h"

#define PATH_SIZE 256
#define TEXT_SIZE 20480 /* the longest is ICCRltdData: 10000 bytes in base64, with line ends */

struct walker {
    const struct caaa_walk *spec;
    const struct caaa_source *source;
    enum tp_err source_error;
    struct caaa_guard guard;
    const char *barred; /* why no more of the document goes to the parser */
    xmlTextReaderPtr reader;
    char path[PATH_SIZE];
    size_t ends[CAAA_DEPTH_MAX]; /* length of the path at each depth */
    int field;                   /* index of the field whose text is being gathered, or -1 */
    int depth_of_field;
    size_t n;
    char text[TEXT_SIZE];
    bool validated; /* against a schema */
    bool broken;    /* libxml2 reported something: *e has it */
    struct tp_error *e;
};

/* ---- schemas ---- */

static void schema_error(void *ctx, const xmlError *error)
{
    struct tp_error *e = ctx;

    (void)tp_fail(e, TP_ERR_INTERNAL, "schema %s line %d: %.200s",
                  error->file != NULL ? error->file : "", error->line,
                  error->message != NULL ? error->message : "");
}

static enum tp_err load(xmlSchemaPtr *out, const char *name, struct tp_error *e)
{
    xmlSchemaParserCtxtPtr parser;
    char path[PATH_MAX];
    enum tp_err r = file_data_path(path, sizeof(path), name, e);

    if (r != TP_OK)
        return r;
    if (access(path, R_OK) != 0)
        return tp_fail(e, TP_ERR_NOT_FOUND,
                       "cannot read the schema %s (%s): is telepay installed whole?", path,
                       strerror(errno));
    parser = xmlSchemaNewParserCtxt(path);
    if (parser == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "cannot read the schema %s: out of memory", path);
    (void)tp_fail(e, TP_ERR_INTERNAL, "cannot read the schema %s", path);
    xmlSetStructuredErrorFunc(
        e, (xmlStructuredErrorFunc)schema_error); /* of the thread: a missing file is told there */
    *out = xmlSchemaParse(parser);
    xmlSetStructuredErrorFunc(NULL, NULL);
    xmlSchemaFreeParserCtxt(parser);
    return *out != NULL ? TP_OK : TP_ERR_INTERNAL;
}

enum tp_err caaa_schemas_new(struct caaa_schemas **out, struct tp_error *e)
{
    struct tp_error local;
    struct caaa_schemas *s = calloc(1, sizeof(*s));
    enum tp_err r;

    *out = NULL;
    if (e == NULL)
        e = &local;
    if (s == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    xmlInitParser();
    r = load(&s->transfer, "caaa.011.001.14.xsd", e);
    if (r == TP_OK)
        r = load(&s->response, "caaa.012.001.13.xsd", e);
    if (r != TP_OK)
        caaa_schemas_free(&s);
    *out = s;
    return r;
}

void caaa_schemas_free(struct caaa_schemas **s)
{
    if (*s == NULL)
        return;
    xmlSchemaFree((*s)->transfer);
    xmlSchemaFree((*s)->response);
    free(*s);
    *s = NULL;
}

/* ---- the walk ---- */

static int pull(void *ctx, char *out, int cap)
{
    struct walker *w = ctx;
    size_t n = 0;

    w->source_error = w->source->read(w->source->ctx, (uint8_t *)out, (size_t)cap, &n);
    if (w->source_error != TP_OK)
        return -1;
    w->barred = caaa_guard(&w->guard, span_of(out, n));
    return w->barred == NULL ? (int)n : -1;
}

/* libxml2 names namespaces in braces: people know them. */
static void complain(void *ctx, xmlErrorPtr error)
{
    struct walker *w = ctx;
    const char *from = error->message != NULL ? error->message : "";
    char text[300];
    size_t n = 0;

    if (w->broken || error->level == XML_ERR_WARNING)
        return;
    for (; *from != '\0' && n + 1 < sizeof(text); from++) {
        const char *brace = *from == '{' ? strchr(from, '}') : NULL;

        if (brace != NULL)
            from = brace;
        else if (*from != '\n')
            text[n++] = *from;
        else if (from[1] != '\0')
            text[n++] = ' ';
    }
    text[n] = '\0';
    w->broken = true;
    (void)tp_fail(w->e, TP_ERR_FORMAT, "line %d: %s", error->line, text);
}

static int by_path(const void *key, const void *field)
{
    return strcmp(key, ((const struct caaa_field *)field)->path);
}

static unsigned line_of(const struct walker *w)
{
    const int line = xmlTextReaderGetParserLineNumber(w->reader);

    return line > 0 ? (unsigned)line : 0;
}

static enum tp_err leave(struct walker *w)
{
    const int field = w->field;

    if (field < 0)
        return TP_OK;
    w->text[w->n] = '\0';
    w->field = -1;
    return w->spec->leave(w->spec->ctx, w->spec->fields[field].id, w->text, line_of(w), w->e);
}

/* The path of the element at this depth; containers that are fields get their leave when they end,
 * so the path is looked up again then. */
static const struct caaa_field *look_up(struct walker *w, int depth, const char *name)
{
    const size_t start = depth == 2 ? 0 : w->ends[depth - 1];
    const size_t n = strlen(name);

    if (start + n + 2 > sizeof(w->path)) /* longer than any path of ours */
        w->ends[depth] = start;
    else {
        if (start > 0)
            w->path[start] = '/';
        memcpy(w->path + start + (start > 0 ? 1 : 0), name, n);
        w->ends[depth] = start + (start > 0 ? 1 : 0) + n;
    }
    w->path[w->ends[depth]] = '\0';
    return bsearch(w->path, w->spec->fields, w->spec->n, sizeof(*w->spec->fields), by_path);
}

static enum tp_err on_element(struct walker *w)
{
    const int depth = xmlTextReaderDepth(w->reader);
    const struct caaa_field *f;
    enum tp_err r;

    if (depth < 2)
        return TP_OK;
    if (depth >= CAAA_DEPTH_MAX)
        return tp_fail(w->e, TP_ERR_FORMAT, "line %u: elements are nested deeper than %d",
                       line_of(w), CAAA_DEPTH_MAX);
    w->field = -1;
    f = look_up(w, depth, (const char *)xmlTextReaderConstLocalName(w->reader));
    if (f == NULL)
        return TP_OK;
    r = w->spec->enter(w->spec->ctx, f->id, line_of(w), w->e);
    w->field = (int)(f - w->spec->fields);
    w->n = 0;
    return r == TP_OK && xmlTextReaderIsEmptyElement(w->reader) == 1 ? leave(w) : r;
}

static enum tp_err on_end(struct walker *w)
{
    const int depth = xmlTextReaderDepth(w->reader);
    const struct caaa_field *f;

    if (depth < 2 || depth >= CAAA_DEPTH_MAX)
        return TP_OK;
    f = look_up(w, depth, (const char *)xmlTextReaderConstLocalName(w->reader));
    if (f == NULL)
        return TP_OK;
    if (w->field != f - w->spec->fields) { /* a container: its own text is only blanks */
        w->field = (int)(f - w->spec->fields);
        w->n = 0;
    }
    return leave(w);
}

static enum tp_err on_text(struct walker *w)
{
    const char *text = (const char *)xmlTextReaderConstValue(w->reader);
    const size_t n = text != NULL ? strlen(text) : 0;

    if (w->field < 0)
        return TP_OK;
    if (n >= sizeof(w->text) - w->n)
        return tp_fail(w->e, TP_ERR_FORMAT,
                       "line %u: element %s: its text is longer than any may be", line_of(w),
                       w->spec->fields[w->field].path);
    if (n > 0)
        memcpy(w->text + w->n, text, n);
    w->n += n;
    return TP_OK;
}

static enum tp_err on_node(struct walker *w)
{
    switch (xmlTextReaderNodeType(w->reader)) {
    case XML_READER_TYPE_ELEMENT:
        return on_element(w);
    case XML_READER_TYPE_END_ELEMENT:
        return on_end(w);
    case XML_READER_TYPE_TEXT:
    case XML_READER_TYPE_CDATA:
        return on_text(w);
    case XML_READER_TYPE_DOCUMENT_TYPE:
    case XML_READER_TYPE_ENTITY_REFERENCE:
        return tp_fail(w->e, TP_ERR_FORMAT, "line %u: a document type or entity is not taken",
                       line_of(w));
    default:
        return TP_OK;
    }
}

static void hush(void *ctx, const char *format, ...)
{
    (void)ctx;
    (void)format;
}

/* The error handler of the reader itself must not be used: under schema validation libxml2 2.9
 * hands it the wrong context and dies. That of the thread is taken for the time of the walk. */
static int walk_nodes(struct walker *w, enum tp_err *r)
{
    const xmlGenericErrorFunc said_before = xmlGenericError;
    void *said_context = xmlGenericErrorContext;
    const xmlStructuredErrorFunc before = xmlStructuredError;
    void *before_context = xmlStructuredErrorContext;
    int more;

    xmlSetStructuredErrorFunc(w, (xmlStructuredErrorFunc)complain);
    xmlSetGenericErrorFunc(NULL, hush); /* the validator says to it what it does not do
                                           (references), before we refuse them */
    while ((more = xmlTextReaderRead(w->reader)) == 1 && !w->broken && *r == TP_OK)
        *r = on_node(w);
    xmlSetStructuredErrorFunc(before_context, before);
    xmlSetGenericErrorFunc(said_context, said_before);
    return more;
}

static enum tp_err run(struct walker *w)
{
    enum tp_err r = TP_OK;
    const int more = walk_nodes(w, &r);

    if (w->source_error != TP_OK)
        return tp_fail(w->e, w->source_error, "the document ends before its end: %s",
                       tp_err_text(w->source_error));
    if (w->barred != NULL)
        return tp_fail(w->e, TP_ERR_FORMAT, "line %u: %s", w->guard.lines + 1, w->barred);
    if (w->broken)
        return TP_ERR_FORMAT;
    if (r == TP_OK && (more != 0 || (w->validated && xmlTextReaderIsValid(w->reader) != 1)))
        r = tp_fail(w->e, TP_ERR_FORMAT, "line %u: this is no document of its schema", line_of(w));
    return r;
}

enum tp_err caaa_walk(const struct caaa_walk *walk, xmlSchemaPtr schema,
                      const struct caaa_source *source, struct tp_error *e)
{
    struct tp_error local = {TP_OK, ""};
    xmlSchemaValidCtxtPtr valid = schema != NULL ? xmlSchemaNewValidCtxt(schema) : NULL;
    struct walker *w = calloc(1, sizeof(*w));
    enum tp_err r = TP_ERR_NO_MEMORY;

    if (w == NULL || (schema != NULL && valid == NULL))
        goto out;
    w->validated = schema != NULL;
    w->spec = walk;
    w->source = source;
    w->field = -1;
    w->e = e != NULL ? e : &local;
    w->reader = xmlReaderForIO(pull, NULL, w, NULL, NULL, XML_PARSE_NONET);
    if (w->reader == NULL ||
        (valid != NULL && xmlTextReaderSchemaValidateCtxt(w->reader, valid, 0) != 0))
        goto out;
    r = run(w);
out:
    if (r == TP_ERR_NO_MEMORY)
        (void)tp_fail(e, r, "cannot read the document: out of memory");
    if (w != NULL) {
        xmlFreeTextReader(w->reader);
        secret_wipe(w, sizeof(*w)); /* the last text may be a card number */
    }
    xmlSchemaFreeValidCtxt(valid);
    free(w);
    return r;
}

/* ---- values ---- */

static struct span trimmed(const char *text)
{
    size_t n;

    while (isspace((unsigned char)*text))
        text++;
    n = strlen(text);
    while (n > 0 && isspace((unsigned char)text[n - 1]))
        n--;
    return span_of(text, n);
}

enum tp_err caaa_parse_text(char *out, size_t cap, const char *text)
{
    const struct span s = trimmed(text);

    if (s.n >= cap)
        return TP_ERR_RANGE;
    memcpy(out, s.p, s.n);
    out[s.n] = '\0';
    return TP_OK;
}

enum tp_err caaa_parse_words(char *out, size_t cap, const char *text)
{
    const enum tp_err r = caaa_parse_text(out, cap, text);

    if (r == TP_OK)
        word_make_shown(out);
    return r;
}

enum tp_err caaa_parse_number(uint64_t *out, const char *text, uint64_t max)
{
    struct span s = trimmed(text);
    uint64_t v = 0;

    if (s.n > 0 && *s.p == '+') {
        s.p++;
        s.n--;
    }
    if (s.n == 0 || s.n > 18)
        return TP_ERR_RANGE;
    for (size_t i = 0; i < s.n; i++) {
        if (!isdigit(s.p[i]))
            return TP_ERR_RANGE;
        v = v * 10 + (uint64_t)(s.p[i] - '0');
    }
    if (v > max)
        return TP_ERR_RANGE;
    *out = v;
    return TP_OK;
}

enum tp_err caaa_parse_amount(int64_t *minor, const char *text, const struct currency *c)
{
    const struct span s = trimmed(text);
    unsigned digits = 0, decimals = 0;
    bool point = false;
    int64_t v = 0;

    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '.' && !point) {
            point = true;
            continue;
        }
        if (s.p[i] == '+' && i == 0)
            continue;
        if (!isdigit(s.p[i]) || ++digits > 18 || (point && ++decimals > c->exponent))
            return TP_ERR_RANGE;
        v = v * 10 + (s.p[i] - '0');
    }
    for (; decimals < c->exponent; decimals++) {
        if (v > INT64_C(99999999999999999))
            return TP_ERR_RANGE;
        v *= 10;
    }
    *minor = v;
    return digits > 0 ? TP_OK : TP_ERR_RANGE;
}

/* Digits at fixed places: "2026-11-23T09:15:00". */
static enum tp_err civil(struct tm *out, const struct span s)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd";
    int v[6] = {0}, part = 0;

    if (s.n < sizeof(form) - 1)
        return TP_ERR_FORMAT;
    for (size_t i = 0; i < sizeof(form) - 1; i++) {
        if (form[i] == 'd' && isdigit(s.p[i]))
            v[part] = v[part] * 10 + (s.p[i] - '0');
        else if (form[i] != 'd' && form[i] == (char)s.p[i])
            part++;
        else
            return TP_ERR_FORMAT;
    }
    *out = (struct tm){.tm_year = v[0] - 1900,
                       .tm_mon = v[1] - 1,
                       .tm_mday = v[2],
                       .tm_hour = v[3],
                       .tm_min = v[4],
                       .tm_sec = v[5]};
    return TP_OK;
}

enum tp_err caaa_parse_time(time_t *t, const char *text)
{
    const struct span s = trimmed(text);
    struct span zone = {s.p + 19, s.n - 19};
    struct tm tm;
    int minutes = 0;

    if (civil(&tm, s) != TP_OK)
        return TP_ERR_FORMAT;
    if (zone.n > 0 && *zone.p == '.') /* the schema has seen that digits follow */
        do {
            zone.p++;
            zone.n--;
        } while (zone.n > 0 && isdigit(*zone.p));
    if (zone.n == 6 && isdigit(zone.p[1]) && isdigit(zone.p[2]) && isdigit(zone.p[4]) &&
        isdigit(zone.p[5]))
        minutes = ((zone.p[1] - '0') * 10 + zone.p[2] - '0') * 60 + (zone.p[4] - '0') * 10 +
                  zone.p[5] - '0';
    else if (zone.n != 1 || *zone.p != 'Z')
        return TP_ERR_FORMAT;
    *t = timegm(&tm) - (zone.p[0] == '-' ? -minutes : minutes) * 60;
    return TP_OK;
}

enum tp_err caaa_parse_local(int64_t *local, const char *text)
{
    struct tm tm;

    if (civil(&tm, trimmed(text)) != TP_OK)
        return TP_ERR_FORMAT;
    *local = (((((int64_t)tm.tm_year + 1900) * 100 + tm.tm_mon + 1) * 100 + tm.tm_mday) * 100 +
              tm.tm_hour) *
                 10000 +
             tm.tm_min * 100 + tm.tm_sec;
    return TP_OK;
}

bool caaa_parse_bool(const char *text)
{
    const struct span s = trimmed(text);

    return span_eq(s, span_str("true")) || span_eq(s, span_str("1"));
}

static int sextet(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

enum tp_err caaa_parse_base64(struct buf *out, const char *text)
{
    unsigned have = 0, bits = 0;

    for (; *text != '\0' && *text != '=';
         text++) { /* the schema has seen that it is base64, with blanks at most */
        const int six = sextet((uint8_t)*text);

        if (six < 0)
            continue;
        bits = (bits << 6 | (unsigned)six) & 0xFFFFFF;
        have += 6;
        if (have < 8)
            continue;
        have -= 8;
        if (buf_u8(out, (uint8_t)(bits >> have)) != TP_OK)
            return TP_ERR_RANGE;
    }
    return TP_OK;
}

/* ---- totals ---- */

static const char *const kinds[CAAA_KINDS] = {"DEBT", "CRDT", "DBTR", "CRDR"};

int caaa_kind_of(const char *code)
{
    for (int i = 0; i < CAAA_KINDS; i++)
        if (strcmp(code, kinds[i]) == 0)
            return i;
    return -1;
}

const char *caaa_kind_code(enum caaa_kind kind)
{
    return kinds[kind];
}

enum tp_err caaa_totals_take(struct caaa_totals *t, const struct currency **currency,
                             unsigned *seen, const struct caaa_totals_line *line)
{
    if (line->kind < 0) /* DECL and FAIL move nothing */
        return TP_OK;
    if (line->currency == NULL || (*currency != NULL && *currency != line->currency) ||
        (*seen & 1U << line->kind) != 0)
        return TP_ERR_FORMAT;
    *currency = line->currency;
    *seen |= 1U << line->kind;
    t->count[line->kind] = line->count;
    return caaa_parse_amount(&t->amount[line->kind], line->amount, line->currency);
}

enum tp_err caaa_totals_add(struct caaa_totals *t, enum caaa_kind kind, int64_t amount)
{
    if (amount < 0 || amount > INT64_C(999999999999999999) - t->amount[kind])
        return TP_ERR_RANGE;
    t->count[kind]++;
    t->amount[kind] += amount;
    return TP_OK;
}

bool caaa_totals_agree(const struct caaa_totals *a, const struct caaa_totals *b)
{
    return a->count[CAAA_DEBIT] == b->count[CAAA_DEBIT] &&
           a->amount[CAAA_DEBIT] == b->amount[CAAA_DEBIT] &&
           a->count[CAAA_CREDIT] == b->count[CAAA_CREDIT] &&
           a->amount[CAAA_CREDIT] == b->amount[CAAA_CREDIT];
}
