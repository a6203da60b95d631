#include "decode/names.h"

#include <jansson.h>
#include <libintl.h>
#include <stdlib.h>
#include <strings.h>

#define ISO_CODES  "/usr/share/iso-codes/json/" /* where Debian and others put it */
#define COUNTRIES  "iso_3166-1"
#define LANGUAGES  "iso_639-2"
#define CURRENCIES "iso_4217"

struct names {
    json_t *countries, *languages;
};

static json_t *load(const char *path, const char *list)
{
    json_t *all = json_load_file(path, 0, NULL), *found = json_incref(json_object_get(all, list));

    json_decref(all);
    return found;
}

/* Its translations. */
static void bind(const char *catalogue)
{
    bindtextdomain(catalogue, "/usr/share/locale");
    bind_textdomain_codeset(catalogue, "UTF-8");
}

enum tp_err names_new(struct names **out)
{
    struct names *n = calloc(1, sizeof(*n));

    *out = n;
    if (n == NULL)
        return TP_ERR_NO_MEMORY;
    n->countries = load(ISO_CODES COUNTRIES ".json", "3166-1");
    n->languages = load(ISO_CODES LANGUAGES ".json", "639-2");
    bind(COUNTRIES);
    bind(LANGUAGES);
    bind(CURRENCIES);
    return TP_OK;
}

void names_free(struct names **n)
{
    if (*n == NULL)
        return;
    json_decref((*n)->countries);
    json_decref((*n)->languages);
    free(*n);
    *n = NULL;
}

static const char *look_up(const json_t *list, const char *catalogue, const char *code)
{
    static const char *const keys[] = {"alpha_2", "alpha_3", "numeric", "bibliographic"};
    json_t *one;
    size_t i;

    json_array_foreach(list, i, one) for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
    {
        const char *have = json_string_value(json_object_get(one, keys[k]));

        if (have != NULL && strcasecmp(have, code) == 0)
            return dgettext(catalogue, json_string_value(json_object_get(one, "name")));
    }
    return NULL;
}

const char *names_country(const struct names *n, const char *code)
{
    return n != NULL ? look_up(n->countries, COUNTRIES, code) : NULL;
}

const char *names_language(const struct names *n, const char *code)
{
    return n != NULL ? look_up(n->languages, LANGUAGES, code) : NULL;
}

const char *names_currency(const char *english)
{
    return dgettext(CURRENCIES, english);
}
