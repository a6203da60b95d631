#include "base/table.h"

#include <libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/document.h"

struct table {
    struct libscols_table *scols;
    const struct table_column *columns;
    size_t n;
};

static enum tp_err add_column(struct libscols_table *t, const struct table_column *c)
{
    const bool right = c->kind == TABLE_RIGHT || c->kind == TABLE_NUMBER;
    struct libscols_column *made =
        scols_table_new_column(t, c->name, 0, right ? SCOLS_FL_RIGHT : 0);

    if (made == NULL)
        return TP_ERR_NO_MEMORY;
    if (c->kind == TABLE_NUMBER || c->kind == TABLE_BOOL)
        scols_column_set_json_type(made, c->kind == TABLE_NUMBER ? SCOLS_JSON_NUMBER
                                                                 : SCOLS_JSON_BOOLEAN);
    return TP_OK;
}

static enum tp_err no_memory(struct tp_error *e)
{
    return tp_fail(e, TP_ERR_NO_MEMORY, "cannot make the list: out of memory");
}

enum tp_err table_new(struct table **out, const char *name, const struct table_column *columns,
                      size_t n, bool json, struct tp_error *e)
{
    struct table *t = calloc(1, sizeof(*t));
    bool made = false;

    *out = NULL;
    if (t == NULL)
        return no_memory(e);
    t->columns = columns;
    t->n = n;
    t->scols = scols_new_table();
    if (t->scols == NULL || scols_table_set_name(t->scols, name) != 0 ||
        scols_table_enable_json(t->scols, json) != 0)
        goto out;
    for (size_t i = 0; i < n; i++)
        if (add_column(t->scols, &columns[i]) != TP_OK)
            goto out;
    *out = t;
    t = NULL;
    made = true;
out:
    table_free(&t);
    return made ? TP_OK : no_memory(e);
}

static const char *const bool_cells[] = {"no", "yes"};

const char *table_bool(bool value)
{
    return bool_cells[value];
}

static bool is_bool(const char *cell)
{
    return cell != NULL &&
           (strcmp(cell, bool_cells[false]) == 0 || strcmp(cell, bool_cells[true]) == 0);
}

/* What JSON takes as a number (RFC 8259, 6), or no value at all. */
static bool is_number(const char *cell)
{
    const char *digits = cell != NULL && *cell == '-' ? cell + 1 : cell;

    return cell == NULL ||
           (*digits >= '0' && *digits <= '9' && digits[strspn(digits, "0123456789.")] == '\0');
}

/* Times of JSON are of UTC; one without a zone, of a terminal's clock, stays as it is. */
static const char *json_time(char out[TIME_TEXT_MAX], const char *cell)
{
    char *gap;
    time_t at;

    if (cell == NULL)
        return NULL;
    if (time_parse(&at, cell) == TP_OK)
        return time_format_utc(out, at);
    snprintf(out, TIME_TEXT_MAX, "%s", cell);
    gap = strchr(out, ' ');
    if (gap != NULL)
        *gap = 'T';
    return out;
}

enum tp_err table_row(struct table *t, const char *const *cells, struct tp_error *e)
{
    struct libscols_line *line = scols_table_new_line(t->scols, NULL);
    char when[TIME_TEXT_MAX];

    if (line == NULL)
        return no_memory(e);
    for (size_t i = 0; i < t->n; i++) {
        if (t->columns[i].kind == TABLE_BOOL && !is_bool(cells[i]))
            return tp_fail(e, TP_ERR_INTERNAL, "the list's column %s takes yes and no alone",
                           t->columns[i].name);
        if (t->columns[i].kind == TABLE_NUMBER && !is_number(cells[i]))
            return tp_fail(e, TP_ERR_INTERNAL, "the list's column %s takes numbers alone",
                           t->columns[i].name);
        if (scols_line_set_data(line, i,
                                t->columns[i].kind == TABLE_TIME && table_is_json(t)
                                    ? json_time(when, cells[i])
                                    : cells[i]) != 0)
            return no_memory(e);
    }
    return TP_OK;
}

bool table_is_json(const struct table *t)
{
    return scols_table_is_json(t->scols) != 0;
}

enum tp_err table_end(struct table **t, enum tp_err r, struct tp_error *e)
{
    if (r == TP_OK)
        document_begun();
    if (r == TP_OK && (scols_print_table((*t)->scols) != 0 || fflush(stdout) != 0))
        r = tp_fail(e, TP_ERR_IO, "cannot print the list");
    table_free(t);
    return r;
}

void table_free(struct table **t)
{
    if (*t == NULL)
        return;
    scols_unref_table((*t)->scols);
    free(*t);
    *t = NULL;
}
