#include "wire/pages.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/conf.h"
#include "base/file.h"
#include "base/log.h"
#include "wire/html.h"

#define PAGE_MAX  65536
#define FILES_MAX 24

static const char *const languages[PAGE_LANGUAGES] = {"en", "fr"};
static const char *const common[] = {"pages/frame.html", "pages/problem.html", "pages/telepay.css",
                                     NULL};
static const struct {
    const char *ending, *type;
} types[] = {{".css", "text/css; charset=utf-8"}, {".js", "text/javascript; charset=utf-8"}};

struct pages {
    size_t n;
    struct {
        const char *name;
        char *text;
    } file[FILES_MAX];
    struct conf *words[PAGE_LANGUAGES];
};

/* ---- data files ---- */

static enum tp_err read_files(struct pages *p, const char *const *names, struct tp_error *e)
{
    char path[PATH_MAX];
    uint8_t *text;
    size_t n;
    enum tp_err r = TP_OK;

    for (; r == TP_OK && *names != NULL && p->n < FILES_MAX; names++) {
        r = file_data_path(path, sizeof(path), *names, e);
        if (r == TP_OK)
            r = file_read(path, PAGE_MAX, &text, &n, e);
        if (r != TP_OK)
            return r;
        p->file[p->n].name = strrchr(*names, '/') + 1;
        p->file[p->n++].text = (char *)text; /* file_read ends it */
    }
    return r;
}

static enum tp_err read_words(struct conf **out, const char *folder, const char *language,
                              struct tp_error *e)
{
    char path[PATH_MAX], under[64];
    enum tp_err r;

    snprintf(under, sizeof(under), "%s/words.%s.ini", folder, language);
    r = file_data_path(path, sizeof(path), under, e);
    return r == TP_OK ? conf_load(out, path, e) : r;
}

enum tp_err pages_open(struct pages **out, const char *folder, const char *const *files,
                       struct tp_error *e)
{
    struct pages *p = calloc(1, sizeof(*p));
    enum tp_err r;

    *out = NULL;
    if (p == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    r = read_files(p, common, e);
    if (r == TP_OK)
        r = read_files(p, files, e);
    for (size_t i = 0; r == TP_OK && i < PAGE_LANGUAGES; i++)
        r = read_words(&p->words[i], folder, languages[i], e);
    if (r == TP_OK)
        *out = p;
    else
        pages_close(&p);
    return r;
}

void pages_close(struct pages **p)
{
    if (*p == NULL)
        return;
    for (size_t i = 0; i < (*p)->n; i++)
        free((*p)->file[i].text);
    for (size_t i = 0; i < PAGE_LANGUAGES; i++)
        conf_free(&(*p)->words[i]);
    free(*p);
    *p = NULL;
}

static const char *text_of(const struct pages *p, const char *name)
{
    for (size_t i = 0; i < p->n; i++)
        if (strcmp(p->file[i].name, name) == 0)
            return p->file[i].text;
    return NULL;
}

const char *page_file(const struct pages *p, const char *name, const char **type)
{
    const char *ending = strrchr(name, '.');

    for (size_t i = 0; ending != NULL && i < sizeof(types) / sizeof(types[0]); i++)
        if (strcmp(types[i].ending, ending) == 0) {
            *type = types[i].type;
            return text_of(p, name);
        }
    return NULL;
}

enum page_language page_language(const char *accepted)
{
    return (enum page_language)html_language(accepted, languages, PAGE_LANGUAGES);
}

/* ---- words ---- */

/* NULL: there is no such word. */
static const char *known_word(const struct pages *p, enum page_language l, const char *kind,
                              const char *name)
{
    char key[HTML_NAME_MAX];

    snprintf(key, sizeof(key), "%s_%s", kind, name);
    return conf_get(p->words[l], "words", key);
}

const char *page_word(const struct pages *p, enum page_language l, const char *kind,
                      const char *name)
{
    const char *text = known_word(p, l, kind, name);

    return text != NULL ? text : name;
}

char *page_money(char out[PAGE_MONEY], const struct pages *p, enum page_language l, int64_t amount,
                 uint16_t currency)
{
    const char *decimal = conf_get(p->words[l], "words", "decimal");
    char text[MONEY_TEXT_MAX], *point;

    (void)money_shown(text, amount, currency);
    point = strchr(text, '.');
    if (point != NULL && decimal != NULL && decimal[0] != '\0')
        *point = decimal[0];
    snprintf(out, PAGE_MONEY, "%s %s", text, currency_shown(currency));
    return out;
}

/* ---- pages ---- */

struct filling {
    const struct pages *pages;
    enum page_language language;
    const struct page_body *body;
};

/* What is not among the values is a word. */
static const char *value_of(const void *ctx, const char *name)
{
    const struct filling *f = ctx;

    for (size_t i = 0; i < f->body->n; i++)
        if (strcmp(f->body->values[i].name, name) == 0)
            return f->body->values[i].text;
    return conf_get(f->pages->words[f->language], "words", name);
}

char *page_part(const struct pages *p, enum page_language l, const struct page_body *b)
{
    const struct filling filling = {p, l, b};
    const char *file = text_of(p, b->file);
    struct tp_error e = {TP_OK, ""};
    char *text = NULL;

    if (file == NULL)
        log_error("there is no page %s", b->file);
    else if (html_fill(&text, file, value_of, &filling, &e) != TP_OK)
        log_error("%s: %s", b->file, e.text);
    return text;
}

char *page_whole(const struct pages *p, enum page_language l, const struct page_body *b)
{
    const struct filling filling = {p, l, b};
    char *body = page_part(p, l, b), refresh[500] = "", *page;

    if (body == NULL)
        return NULL;
    if (b->refresh != NULL)
        snprintf(refresh, sizeof(refresh), "%s<meta http-equiv=\"refresh\" content=\"4;url=%s\">%s",
                 b->script ? "<noscript>" : "", b->refresh, b->script ? "</noscript>" : "");
    const struct page_value values[] = {
        {"lang", languages[l]},
        {"title", value_of(&filling, "heading")},
        {"refresh", refresh},
        {"script", b->script ? "<script src=\"/telepay.js\" defer></script>" : ""},
        {"body", body}};
    const struct page_body frame = {.file = "frame.html", .values = values, .n = 5};

    page = page_part(p, l, &frame);
    free(body);
    return page;
}

char *page_problem(const struct pages *p, enum page_language l, unsigned status, const char *kind)
{
    char number[16];
    const char *told, *heading;

    snprintf(number, sizeof(number), "%u", status);
    told = known_word(p, l, "told", kind != NULL ? kind : number);
    heading = kind != NULL ? known_word(p, l, "heading", kind) : NULL;
    const struct page_value values[] = {
        {"told", told != NULL ? told : page_word(p, l, "told", "other")},
        {"heading", heading != NULL ? heading : page_word(p, l, "heading", "problem")}};
    const struct page_body body = {.file = "problem.html", .values = values, .n = 2};

    return page_whole(p, l, &body);
}
