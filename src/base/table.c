#include "base/table.h"

#include <ctype.h>
#include <libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/date.h"
#include "base/document.h"
#include "base/log.h"
#include "base/pager.h"
#include "base/progress.h"
#include "base/text.h"

#define CUT_LEAST 10     /* what stays of a cell that is cut, if it had more */
#define MANY      100000 /* rows, from which on it is told how far the list is */

struct shown {
    size_t column;
    bool named; /* by -o */
    struct libscols_column *scols;
};

struct table {
    struct libscols_table *scols;
    const struct table_column *columns;
    size_t n;
    struct shown *shown; /* n_shown, at most n */
    size_t n_shown;
    bool json, chosen; /* chosen: -o names all that are shown */
    struct progress progress;
};

/* ---- the columns ---- */

/* Set once, while the words are read: one command prints one list. */
static const char *asked;

static error_t parse_columns(int key, char *arg, struct argp_state *state)
{
    (void)state;
    if (key != 'o')
        return ARGP_ERR_UNKNOWN;
    asked = arg;
    return 0;
}

static const struct argp_option options[] = {
    {"columns", 'o', "COLUMN,...", 0,
     N_("Print these columns; +COLUMN,...: those that fit, and these"), 92},
    {0}};
const struct argp table_argp = {options, parse_columns, NULL, NULL, NULL, NULL, NULL};
const struct argp_child table_words[] = {{&table_argp, 0, NULL, 0}, {0}};

static unsigned kind_of(const struct table_column *c)
{
    return c->kind & TABLE_KIND;
}

/* The columns' names in capitals, as they head a table. */
static void capitals(char *out, size_t cap, const char *name)
{
    size_t n = 0;

    for (; name[n] != '\0' && n + 1 < cap; n++)
        out[n] = (char)toupper((unsigned char)name[n]);
    out[n] = '\0';
}

static enum tp_err no_memory(struct tp_error *e)
{
    return tp_fail(e, TP_ERR_NO_MEMORY, "cannot make the list: out of memory");
}

static enum tp_err unknown(const struct table *t, const char *name, size_t n, struct tp_error *e)
{
    char known[sizeof(e->text)] = "", head[64];

    for (size_t i = 0, at = 0; i < t->n && at < sizeof(known); i++) {
        capitals(head, sizeof(head), t->columns[i].name);
        at += (size_t)snprintf(known + at, sizeof(known) - at, "%s%s", i > 0 ? ", " : "",
                               t->json ? t->columns[i].name : head);
    }
    return tp_fail(e, TP_ERR_USAGE, "\"%.*s\" is no column of this list: it has %s",
                   n < 40 ? (int)n : 40, name, known);
}

/* One word of -o; a column that is named twice stands once. */
static enum tp_err choose_one(struct table *t, const char *name, size_t n, struct tp_error *e)
{
    size_t column = 0, at = 0;

    while (column < t->n && (strlen(t->columns[column].name) != n ||
                             strncasecmp(t->columns[column].name, name, n) != 0))
        column++;
    if (column == t->n)
        return unknown(t, name, n, e);
    while (at < t->n_shown && t->shown[at].column != column)
        at++;
    t->shown[at] = (struct shown){column, true, NULL};
    t->n_shown += at == t->n_shown;
    return TP_OK;
}

static enum tp_err choose(struct table *t, const char *words, struct tp_error *e)
{
    enum tp_err r = TP_OK;

    t->chosen = words != NULL && *words != '+';
    for (; !t->chosen && t->n_shown < t->n; t->n_shown++)
        t->shown[t->n_shown] = (struct shown){t->n_shown, false, NULL};
    if (words == NULL)
        return TP_OK;
    words += !t->chosen;
    for (bool more = true; more && r == TP_OK;) {
        const size_t n = strcspn(words, ",");

        r = choose_one(t, words, n, e);
        more = words[n] == ',';
        words += n + 1;
    }
    return r;
}

static enum tp_err add_column(struct table *t, struct shown *s, struct tp_error *e)
{
    const struct table_column *c = &t->columns[s->column];
    const unsigned kind = kind_of(c);
    char head[64];

    capitals(head, sizeof(head), c->name);
    s->scols = scols_table_new_column(t->scols, t->json ? c->name : head, 0,
                                      kind == TABLE_RIGHT || kind == TABLE_NUMBER ? SCOLS_FL_RIGHT
                                      : kind == TABLE_WORDS                       ? SCOLS_FL_TRUNC
                                                                                  : 0);
    if (s->scols == NULL)
        return no_memory(e);
    if (kind == TABLE_NUMBER || kind == TABLE_BOOL)
        scols_column_set_json_type(s->scols,
                                   kind == TABLE_NUMBER ? SCOLS_JSON_NUMBER : SCOLS_JSON_BOOLEAN);
    return TP_OK;
}

static enum tp_err start(struct table *t, const char *name, struct tp_error *e)
{
    enum tp_err r;

    t->shown = calloc(t->n, sizeof(*t->shown));
    t->scols = scols_new_table();
    if (t->shown == NULL || t->scols == NULL || scols_table_set_name(t->scols, name) != 0 ||
        scols_table_enable_json(t->scols, t->json) != 0)
        return no_memory(e);
    r = choose(t, asked, e);
    for (size_t i = 0; i < t->n_shown && r == TP_OK; i++)
        r = add_column(t, &t->shown[i], e);
    return r;
}

enum tp_err table_new(struct table **out, const char *name, const struct table_column *columns,
                      size_t n, bool json, struct tp_error *e)
{
    struct table *t = calloc(1, sizeof(*t));
    enum tp_err r;

    *out = NULL;
    if (t == NULL)
        return no_memory(e);
    t->columns = columns;
    t->n = n;
    t->json = json;
    progress_start(&t->progress, 0, N_("rows"));
    r = start(t, name, e);
    if (r != TP_OK)
        table_free(&t);
    *out = t;
    return r;
}

/* ---- the rows ---- */

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

static const char *shown_cell(char when[TIME_TEXT_MAX], const struct table *t, size_t column,
                              const char *const *cells)
{
    return kind_of(&t->columns[column]) == TABLE_TIME && t->json ? json_time(when, cells[column])
                                                                 : cells[column];
}

static enum tp_err check_cell(const struct table_column *c, const char *cell, struct tp_error *e)
{
    if (kind_of(c) == TABLE_BOOL && !is_bool(cell))
        return tp_fail(e, TP_ERR_INTERNAL, "the list's column %s takes yes and no alone", c->name);
    if (kind_of(c) == TABLE_NUMBER && !is_number(cell))
        return tp_fail(e, TP_ERR_INTERNAL, "the list's column %s takes numbers alone", c->name);
    return TP_OK;
}

enum tp_err table_row(struct table *t, const char *const *cells, struct tp_error *e)
{
    struct libscols_line *line = scols_table_new_line(t->scols, NULL);
    char when[TIME_TEXT_MAX];
    enum tp_err r = line != NULL ? TP_OK : no_memory(e);

    for (size_t i = 0; i < t->n && r == TP_OK; i++)
        r = check_cell(&t->columns[i], cells[i], e);
    for (size_t i = 0; i < t->n_shown && r == TP_OK; i++)
        if (scols_line_set_data(line, i, shown_cell(when, t, t->shown[i].column, cells)) != 0)
            r = no_memory(e);
    if (scols_table_get_nlines(t->scols) > MANY)
        progress_at(&t->progress, scols_table_get_nlines(t->scols));
    return r;
}

/* ---- on a terminal ---- */

static size_t min(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The width that a column needs at least. libsmartcols knows widths once it has printed. */
static size_t least_width(const struct table *t, const struct shown *s)
{
    const size_t head = strlen(t->columns[s->column].name);
    const size_t printed = scols_column_get_width(s->scols); /* 0: there are no rows */
    const size_t width = printed > head ? printed : head;

    return kind_of(&t->columns[s->column]) == TABLE_WORDS
               ? min(width, head > CUT_LEAST ? head : CUT_LEAST)
               : width;
}

static bool stays(const struct table *t, const struct shown *s)
{
    return s->named || (t->columns[s->column].kind & TABLE_LESSER) == 0;
}

/* Hides what is too much for the terminal, and says so. */
static void leave_out(struct table *t)
{
    size_t room = scols_table_get_termwidth(t->scols) + 1, at = 0;
    char left[400] = "", head[64];

    for (size_t i = 0; i < t->n_shown; i++)
        if (stays(t, &t->shown[i]))
            room -= min(room, least_width(t, &t->shown[i]) + 1);
    for (size_t i = 0; i < t->n_shown; i++) {
        const struct shown *s = &t->shown[i];
        const size_t needed = least_width(t, s) + 1;

        if (stays(t, s))
            continue;
        if (needed <= room) {
            room -= needed;
            continue;
        }
        scols_column_set_flags(s->scols, scols_column_get_flags(s->scols) | SCOLS_FL_HIDDEN);
        capitals(head, sizeof(head), t->columns[s->column].name);
        if (at < sizeof(left))
            at += (size_t)snprintf(left + at, sizeof(left) - at, "%s%s", at > 0 ? ", " : "", head);
    }
    if (at > 0)
        log_note("no room for %s: -o names the columns to print", left);
}

/* The width is asked for before stdout is a pager's. */
static bool fit(struct table *t)
{
    char *whole = NULL;

    scols_table_set_termforce(t->scols, SCOLS_TERMFORCE_NEVER);
    if (scols_print_table_to_string(t->scols, &whole) != 0)
        return false;
    free(whole);
    if (!t->chosen)
        leave_out(t);
    scols_table_set_termforce(t->scols, SCOLS_TERMFORCE_ALWAYS);
    return true;
}

/* libsmartcols prints nothing of a table without rows. */
static void print_heads(const struct table *t)
{
    bool first = true;

    for (size_t i = 0; i < t->n_shown; i++) {
        if (scols_column_is_hidden(t->shown[i].scols))
            continue;
        printf("%s%s", first ? "" : " ", scols_column_get_name(t->shown[i].scols));
        first = false;
    }
    putchar('\n');
}

static bool print(struct table *t)
{
    struct pager pager = {.to = stdout};
    const size_t rows = scols_table_get_nlines(t->scols);
    const bool terminal = !t->json && isatty(STDOUT_FILENO) != 0;
    bool printed;

    progress_hide(&t->progress);
    if (terminal && !fit(t))
        return false;
    if (!t->json && rows == 0) {
        print_heads(t);
        return true;
    }
    if (terminal && rows + 1 >= scols_table_get_termheight(t->scols)) /* heads, and a prompt */
        pager_start(&pager);
    scols_table_set_stream(t->scols, pager.to);
    printed = scols_print_table(t->scols) == 0;
    return pager_end(&pager) && printed;
}

bool table_is_json(const struct table *t)
{
    return t->json;
}

enum tp_err table_end(struct table **t, enum tp_err r, struct tp_error *e)
{
    if (r == TP_OK)
        document_begun();
    if (r == TP_OK && !print(*t))
        r = tp_fail(e, TP_ERR_IO, "cannot print the list");
    table_free(t);
    return r;
}

void table_free(struct table **t)
{
    if (*t == NULL)
        return;
    progress_hide(&(*t)->progress);
    scols_unref_table((*t)->scols);
    free((*t)->shown);
    free(*t);
    *t = NULL;
}

/* ---- what is no table ---- */

static bool is_shown(const struct table *t, size_t column)
{
    size_t at = 0;

    while (at < t->n_shown && t->shown[at].column != column)
        at++;
    return at < t->n_shown;
}

enum tp_err table_choose(json_t *rows, const struct table_column *columns, size_t n,
                         struct tp_error *e)
{
    struct table *t = NULL;
    const enum tp_err r = table_new(&t, "", columns, n, true, e);
    json_t *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        for (size_t c = 0; r == TP_OK && c < n; c++)
            if (!is_shown(t, c))
                (void)json_object_del(row, columns[c].name);
    }
    table_free(&t);
    return r;
}
