#include "centre/option.h"

#include <limits.h>
#include <string.h>

#include "centre/commands.h"

enum tp_err option_open(struct centre_store **store, const char *dir, struct tp_error *e)
{
    char path[PATH_MAX];
    const enum tp_err r = centre_dir(path, dir, e);

    return r == TP_OK ? centre_store_open(store, path, e) : r;
}

enum tp_err listing_start(struct listing *list, const char *dir, const char *name,
                          const struct table_column *columns, size_t n, bool json)
{
    enum tp_err r;

    memset(list, 0, sizeof(*list));
    r = option_open(&list->store, dir, &list->e);
    return r == TP_OK ? table_new(&list->table, name, columns, n, json, &list->e) : r;
}

int listing_end(struct listing *list, enum tp_err r)
{
    r = table_end(&list->table, r, &list->e);
    centre_store_close(&list->store);
    return r == TP_OK ? CLI_DONE : cli_report(&list->e);
}
