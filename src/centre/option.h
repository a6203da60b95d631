/* What the operator's subcommands share: their words, opening of the books, lists. */
#ifndef TP_CENTRE_OPTION_H
#define TP_CENTRE_OPTION_H

#include <argp.h>

#include "base/cli.h"
#include "base/table.h"
#include "base/text.h"
#include "centre/store.h"

#define OPTION_DIR                                                                                 \
    {                                                                                              \
        "dir", 'd', "DIR", 0, N_("the centre's folder"), 0                                         \
    }
#define OPTION_JSON                                                                                \
    {                                                                                              \
        "json", 'j', NULL, 0, N_("print JSON"), 0                                                  \
    }

/* The books of the folder that --dir names. */
TP_MUST_CHECK enum tp_err option_open(struct centre_store **store, const char *dir,
                                      struct tp_error *e);

/* A list command: the books and a table; end prints it when r is TP_OK, else the error, closes both
 * and returns the exit code. */
struct listing {
    struct centre_store *store;
    struct table *table;
    struct tp_error e;
};
TP_MUST_CHECK enum tp_err listing_start(struct listing *list, const char *dir, const char *name,
                                        const struct table_column *columns, size_t n, bool json);
int listing_end(struct listing *list, enum tp_err r);

#endif
