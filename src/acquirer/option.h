/* What the operator's subcommands share: words, lists, opening of the books. */
#ifndef TP_ACQUIRER_OPTION_H
#define TP_ACQUIRER_OPTION_H

#include <argp.h>
#include <jansson.h>

#include "acquirer/state.h"
#include "base/cli.h"
#include "base/date.h"
#include "base/table.h"
#include "base/text.h"

#define OPTION_DIR                                                                                 \
    {                                                                                              \
        "dir", 'd', "DIR", 0, N_("The acquirer's folder [./acq, else /var/lib/telepay/acquirer]"), \
            90                                                                                     \
    }
#define OPTION_JSON                                                                                \
    {                                                                                              \
        "json", 'j', NULL, 0, N_("Print JSON for machines"), 91                                    \
    }

/* The books of the folder that --dir names; dir (PATH_MAX bytes) says where they are. */
TP_MUST_CHECK enum tp_err option_open(struct ledger **l, char *dir, const char *given,
                                      struct tp_error *e);

/* "22:30" to 2230. */
TP_MUST_CHECK enum tp_err option_hour(int *hhmm, const char *text, struct tp_error *e);

/* A contract's (CONTRACT_ID_MAX) or terminal's (TERMINAL_ID_MAX) number: DE 42 and 41 have exactly
 * cap - 1 characters; letters, digits, -, . and _. */
TP_MUST_CHECK enum tp_err option_id(char *out, size_t cap, const char *what, const char *text,
                                    struct tp_error *e);

/* A list command: the books and a table; end prints it when r is TP_OK, else the error, closes both
 * and returns the exit code. */
struct listing {
    struct ledger *l;
    struct table *table;
    struct tp_error e;
    char dir[PATH_MAX];
};
TP_MUST_CHECK enum tp_err listing_start(struct listing *list, const char *dir, const char *name,
                                        const struct table_column *columns, size_t n, bool json);
/* TP_ERR_NOT_FOUND: only of a contract that is not there (NULL: of all). */
TP_MUST_CHECK enum tp_err listing_contract(struct listing *list, const char *contract);
int listing_end(struct listing *list, enum tp_err r);

/* Prints a JSON value (stolen) on stdout, indented, with a line end. CLI_DONE or CLI_INTERNAL. */
int option_print_json(json_t *value);

#endif
