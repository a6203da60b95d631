/* Lists on stdout as a table or as JSON, by libsmartcols. On a terminal a table is made to fit its
 * width, and one that is longer than it is shown by a pager; elsewhere nothing is cut. */
#ifndef TP_BASE_TABLE_H
#define TP_BASE_TABLE_H

#include <argp.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum table_kind {
    TABLE_TEXT,
    TABLE_WORDS /* text that may be cut to fit a terminal */,
    TABLE_RIGHT /* text, flush right: amounts */,
    TABLE_NUMBER /* a number in JSON */,
    TABLE_BOOL /* cells by table_bool */,
    TABLE_TIME /* cells by time_shown, or "2026-11-23 09:15:00" of a clock of no known zone */,
    TABLE_KIND = 7,
    TABLE_LESSER = 8 /* with one of them: left out where a terminal has no room */
};

struct table_column {
    const char *name; /* heading, in capitals, and key in JSON */
    unsigned kind;    /* enum table_kind */
};

struct table;

/* What -o takes, for the words of a command that prints a list: it names the columns of the table
 * that table_new makes. table_words are the children of an argp that has no others. */
extern const struct argp table_argp;
extern const struct argp_child table_words[];

/* name is the key of the list in JSON. The columns must stay valid. TP_ERR_USAGE: -o names one that
 * is not there. */
TP_MUST_CHECK enum tp_err table_new(struct table **out, const char *name,
                                    const struct table_column *columns, size_t n, bool json,
                                    struct tp_error *e);

/* The cell of a TABLE_BOOL column: "yes" or "no", true or false in JSON. No other text is taken
 * there: libsmartcols calls most words true. */
const char *table_bool(bool value);

/* Whether it will be printed as JSON. */
bool table_is_json(const struct table *t);

/* One row of as many cells as there are columns; the texts are copied; NULL is an empty cell (null
 * in JSON). */
TP_MUST_CHECK enum tp_err table_row(struct table *t, const char *const *cells, struct tp_error *e);
/* What became of the rows is r: prints when that is TP_OK, frees, and returns r or why it could not
 * be printed. Whether stdout takes it, cli_main asks at the end. */
TP_MUST_CHECK enum tp_err table_end(struct table **t, enum tp_err r, struct tp_error *e);
void table_free(struct table **t);

/* Leaves those members of rows, objects of these columns that no table can hold, that -o names.
 * TP_ERR_USAGE as of table_new. */
TP_MUST_CHECK enum tp_err table_choose(json_t *rows, const struct table_column *columns, size_t n,
                                       struct tp_error *e);

#endif
