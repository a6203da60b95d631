/* Any bytes as a catalogue: what is taken can be sold by, each article once, from within the
 * folder; what is not is said in a line that can be shown. */
#include "fuzz.h"

#include <string.h>

#include "base/word.h"
#include "service/catalogue.h"

static void is_name_of_folder(const char *file)
{
    HOLDS(file[0] != '/');
    for (const char *at = file; at != NULL; at = strchr(at, '/')) {
        at += *at == '/';
        HOLDS(strncmp(at, "..", 2) != 0 || (at[2] != '/' && at[2] != '\0'));
    }
}

static void is_text(const char *text)
{
    struct tp_error e;

    HOLDS(text[0] == '\0' || word_check(text, "it", ARTICLE_TEXT_MAX, &e) == TP_OK);
}

static void can_be_sold(const struct article *a)
{
    HOLDS(a->path[0] == '/' && a->path[strlen(a->path) - 1] != '\0');
    HOLDS(a->priced && a->amount >= 0 && (a->amount > 0) == (a->currency != NULL));
    HOLDS((a->file[0] == '\0') == (a->delivery == DELIVERY_SHIPPED));
    HOLDS(a->valid_minutes > 0 && a->stock >= -1);
    HOLDS(a->from == 0 || a->until == 0 || a->from <= a->until);
    HOLDS(strchr(a->type, '/') != NULL);
    is_name_of_folder(a->file);
    is_text(a->path);
    is_text(a->file);
    is_text(a->designation);
    is_text(a->merchant);
    is_text(a->note);
    is_text(a->type);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct catalogue *c = NULL;
    struct tp_error e = {TP_OK, ""};
    FILE *f = size > 0 && size <= 65536 ? fmemopen((void *)(uintptr_t)data, size, "r") : NULL;

    if (f == NULL)
        return 0;
    if (catalogue_read(&c, f, "catalogue.ini", &e) != TP_OK) {
        HOLDS(c == NULL && strncmp(e.text, "catalogue.ini", 13) == 0);
        for (const char *at = e.text; *at != '\0'; at++)
            HOLDS((unsigned char)*at >= ' ');
    } else
        for (size_t i = 0; i < catalogue_size(c); i++) {
            const struct article *a = catalogue_at(c, i);

            HOLDS(catalogue_find(c, a->path) == a);
            HOLDS(i == 0 || strcmp(catalogue_at(c, i - 1)->path, a->path) < 0);
            can_be_sold(a);
        }
    catalogue_free(&c);
    fclose(f);
    return 0;
}
