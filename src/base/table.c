#include "base/table.h"

#include <libsmartcols.h>
#include <stdlib.h>

struct table {
    struct libscols_table *scols;
    size_t columns;
};

static enum tp_err add_column(struct libscols_table *t, const struct table_column *c)
{
    const bool right = c->kind == TABLE_RIGHT || c->kind == TABLE_NUMBER;
    struct libscols_column *made = scols_table_new_column(t, c->name, 0, right ? SCOLS_FL_RIGHT : 0);

    if (made == NULL)
        return TP_ERR_NO_MEMORY;
    if (c->kind == TABLE_NUMBER || c->kind == TABLE_BOOL)
        scols_column_set_json_type(made, c->kind == TABLE_NUMBER ? SCOLS_JSON_NUMBER : SCOLS_JSON_BOOLEAN);
    return TP_OK;
}

enum tp_err table_new(struct table **out, const char *name, const struct table_column *columns, size_t n, bool json)
{
    struct table *t = calloc(1, sizeof(*t));
    enum tp_err r = TP_ERR_NO_MEMORY;

    *out = NULL;
    if (t == NULL)
        return TP_ERR_NO_MEMORY;
    t->columns = n;
    t->scols = scols_new_table();
    if (t->scols == NULL || scols_table_set_name(t->scols, name) != 0 || scols_table_enable_json(t->scols, json) != 0)
        goto out;
    for (size_t i = 0; i < n; i++)
        if (add_column(t->scols, &columns[i]) != TP_OK)
            goto out;
    *out = t;
    t = NULL;
    r = TP_OK;
out:
    table_free(&t);
    return r;
}

enum tp_err table_row(struct table *t, const char *const *cells)
{
    struct libscols_line *line = scols_table_new_line(t->scols, NULL);

    if (line == NULL)
        return TP_ERR_NO_MEMORY;
    for (size_t i = 0; i < t->columns; i++)
        if (scols_line_set_data(line, i, cells[i]) != 0)
            return TP_ERR_NO_MEMORY;
    return TP_OK;
}

enum tp_err table_print(struct table *t)
{
    return scols_print_table(t->scols) == 0 ? TP_OK : TP_ERR_IO;
}

void table_free(struct table **t)
{
    if (*t == NULL)
        return;
    scols_unref_table((*t)->scols);
    free(*t);
    *t = NULL;
}
