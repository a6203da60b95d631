#include "base/conf.h"

#include <errno.h>
#include <ini.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/word.h"

#define CONF_ENTRIES_MAX 512

struct entry {
    char *section, *key, *value;
};

struct conf {
    char *path;
    struct entry *entries;
    size_t n;
};

static int add(void *ctx, const char *section, const char *key, const char *value)
{
    struct conf *c = ctx;
    struct entry *more;

    if (c->n >= CONF_ENTRIES_MAX)
        return 0;
    more = realloc(c->entries, (c->n + 1) * sizeof(*more));
    if (more == NULL)
        return 0;
    c->entries = more;
    c->entries[c->n] = (struct entry){strdup(section), strdup(key), strdup(value)};
    c->n++;
    return c->entries[c->n - 1].section != NULL && c->entries[c->n - 1].key != NULL &&
           c->entries[c->n - 1].value != NULL;
}

/* What stands there is shown, and goes into messages: a value is a word, or nothing. */
static enum tp_err check_values(const struct conf *c, struct tp_error *e)
{
    enum tp_err r = TP_OK;

    for (size_t i = 0; r == TP_OK && i < c->n; i++) {
        const struct entry *at = &c->entries[i];

        if (word_check(at->section, "a section", SIZE_MAX, e) != TP_OK ||
            word_check(at->key, "a key", SIZE_MAX, e) != TP_OK)
            r = tp_error_prefix(e, "%s", c->path);
        else if (*at->value != '\0' && word_check(at->value, at->key, SIZE_MAX, e) != TP_OK)
            r = tp_error_prefix(e, "%s, section [%s]", c->path, at->section);
    }
    return r;
}

enum tp_err conf_load(struct conf **out, const char *path, struct tp_error *e)
{
    struct conf *c = calloc(1, sizeof(*c));
    enum tp_err r = TP_OK;
    struct stat s;
    FILE *f = NULL;
    int line;

    if (c == NULL || (c->path = strdup(path)) == NULL) {
        r = tp_fail(e, TP_ERR_NO_MEMORY, "cannot read %s: out of memory", path);
        goto out;
    }
    f = fopen(path, "re");
    if (f == NULL) {
        r = tp_fail(e, errno == ENOENT ? TP_ERR_NOT_FOUND : TP_ERR_IO,
                    "cannot read the configuration %s: %s", path, strerror(errno));
        goto out;
    }
    if (fstat(fileno(f), &s) == 0 &&
        S_ISDIR(s.st_mode)) { /* opens, and reads as if it were empty */
        r = tp_fail(e, TP_ERR_USAGE, "%s is a folder: name the configuration file in it", path);
        goto out;
    }
    line = ini_parse_file(f, add, c);
    if (line != 0)
        r = tp_fail(e, TP_ERR_FORMAT, "%s line %d is neither [section] nor key = value", path,
                    line);
    else
        r = check_values(c, e);
out:
    if (f != NULL)
        fclose(f);
    if (r != TP_OK)
        conf_free(&c);
    *out = c;
    return r;
}

enum tp_err conf_parse(struct conf **out, const char *name, const char *text, struct tp_error *e)
{
    struct conf *c = calloc(1, sizeof(*c));
    enum tp_err r = TP_OK;
    int line;

    if (c == NULL || (c->path = strdup(name)) == NULL) {
        r = tp_fail(e, TP_ERR_NO_MEMORY, "cannot read %s: out of memory", name);
        goto out;
    }
    line = ini_parse_string(text, add, c);
    if (line != 0)
        r = tp_fail(e, TP_ERR_FORMAT, "%s line %d is neither [section] nor key = value", name,
                    line);
    else
        r = check_values(c, e);
out:
    if (r != TP_OK)
        conf_free(&c);
    *out = c;
    return r;
}

void conf_free(struct conf **c)
{
    if (*c == NULL)
        return;
    for (size_t i = 0; i < (*c)->n; i++) {
        free((*c)->entries[i].section);
        free((*c)->entries[i].key);
        free((*c)->entries[i].value);
    }
    free((*c)->entries);
    free((*c)->path);
    free(*c);
    *c = NULL;
}

const char *conf_get(const struct conf *c, const char *section, const char *key)
{
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->entries[i].section, section) == 0 && strcmp(c->entries[i].key, key) == 0)
            return c->entries[i].value;
    return NULL;
}

enum tp_err conf_need(const char **value, const struct conf *c, const char *section,
                      const char *key, struct tp_error *e)
{
    *value = conf_get(c, section, key);
    if (*value == NULL || **value == '\0')
        return tp_fail(e, TP_ERR_USAGE, "%s has no \"%s\" in section [%s]: add it", c->path, key,
                       section);
    return TP_OK;
}

enum tp_err conf_resolve(char *out, size_t cap, const struct conf *c, const char *name,
                         struct tp_error *e)
{
    const char *slash = strrchr(c->path, '/');
    int w;

    if (name[0] == '/' || slash == NULL)
        w = snprintf(out, cap, "%s", name);
    else
        w = snprintf(out, cap, "%.*s/%s", (int)(slash - c->path), c->path, name);
    return w >= 0 && (size_t)w < cap
               ? TP_OK
               : tp_fail(e, TP_ERR_RANGE, "%s: the path %s is too long", c->path, name);
}

enum tp_err conf_need_path(char *out, size_t cap, const struct conf *c, const char *section,
                           const char *key, struct tp_error *e)
{
    const char *value;
    const enum tp_err r = conf_need(&value, c, section, key, e);

    return r == TP_OK ? conf_resolve(out, cap, c, value, e) : r;
}

static bool seen_before(const struct conf *c, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (strcmp(c->entries[j].section, c->entries[i].section) == 0)
            return true;
    return false;
}

const char *conf_section_at(const struct conf *c, size_t i)
{
    for (size_t j = 0; j < c->n; j++)
        if (!seen_before(c, j) && i-- == 0)
            return c->entries[j].section;
    return NULL;
}

const char *conf_path(const struct conf *c)
{
    return c->path;
}
