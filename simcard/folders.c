#include "simcard/folders.h"

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

static bool holds_card(const char *folder)
{
    char path[PATH_MAX];
    struct tp_error none;

    return file_join(path, sizeof(path), folder, "card.json", &none) == TP_OK &&
           access(path, F_OK) == 0;
}

static enum tp_err add_folder(struct card_folders *f, const char *dir, const char *name,
                              struct tp_error *e)
{
    char path[PATH_MAX];
    char **longer;
    enum tp_err r = name[0] == '.' ? TP_ERR_NOT_FOUND : file_join(path, sizeof(path), dir, name, e);

    if (r != TP_OK || !holds_card(path))
        return r == TP_ERR_NOT_FOUND ? TP_OK : r;
    longer = realloc(f->path, (f->n + 1) * sizeof(*longer));
    if (longer == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    f->path = longer;
    f->path[f->n] = strdup(path);
    if (f->path[f->n] == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    f->n++;
    return TP_OK;
}

enum tp_err card_folders_list(struct card_folders *out, const char *dir, struct tp_error *e)
{
    struct dirent **names = NULL;
    const int n = scandir(dir, &names, NULL, alphasort);
    enum tp_err r = TP_OK;

    *out = (struct card_folders){NULL, 0};
    if (n < 0)
        return tp_fail(e, TP_ERR_NOT_FOUND,
                       "%s cannot be read: is it a folder of cards, as telepay-perso cards makes?",
                       dir);
    for (int i = 0; i < n; i++) {
        if (r == TP_OK)
            r = add_folder(out, dir, names[i]->d_name, e);
        free(names[i]);
    }
    free(names);
    if (r == TP_OK && out->n == 0)
        r = tp_fail(e, TP_ERR_NOT_FOUND, "%s holds no cards: telepay-perso cards makes some", dir);
    if (r != TP_OK)
        card_folders_free(out);
    return r;
}

void card_folders_free(struct card_folders *f)
{
    for (size_t i = 0; i < f->n; i++)
        free(f->path[i]);
    free(f->path);
    *f = (struct card_folders){NULL, 0};
}
