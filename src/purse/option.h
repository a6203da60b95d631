/* What the subcommands share: their words, the folder, its books. */
#ifndef TP_PURSE_OPTION_H
#define TP_PURSE_OPTION_H

#include <limits.h>

#include "base/cli.h"
#include "base/text.h"
#include "purse/book.h"

#define OPTION_CONTRACTS 64

struct words {
    const char *dir; /* --dir; of init: the word DIR */
    const char *name, *hosts, *store, *listen, *currency, *iban, *bic, *id, *out, *url;
    const char *account, *amount, *reference, *reason, *number, *file, *authority, *note;
    const char *contract[OPTION_CONTRACTS];
    size_t contracts;
    bool json, all, makes; /* makes: DIR stands without --dir */
};

enum option_key {
    OPTION_KEY_HOST = 256,
    OPTION_KEY_STORE,
    OPTION_KEY_IBAN,
    OPTION_KEY_BIC,
    OPTION_KEY_OUT,
    OPTION_KEY_URL,
    OPTION_KEY_REASON,
    OPTION_KEY_NUMBER,
    OPTION_KEY_FILE,
    OPTION_KEY_AUTHORITY,
    OPTION_KEY_NOTE,
    OPTION_KEY_ALL
};

#define OPTION_DIR                                                                                 \
    {                                                                                              \
        "dir", 'd', "DIR", 0, N_("The purse's folder [./purse, else /var/lib/telepay/purse]"), 90  \
    }
#define OPTION_JSON                                                                                \
    {                                                                                              \
        "json", 'j', NULL, 0, N_("Print JSON for machines"), 91                                    \
    }
#define OPTION_ACCOUNT                                                                             \
    {                                                                                              \
        "account", 'a', "NUMBER", 0, N_("Number of the account: 43 characters"), 0                 \
    }

/* The argp parser of all of them, whose input is a struct words. */
error_t option_parse(int key, char *arg, struct argp_state *state);

/* The folder that --dir names, else ./purse when it holds books, else the system's. */
TP_MUST_CHECK enum tp_err option_dir(char *out, const char *given, struct tp_error *e);
TP_MUST_CHECK enum tp_err option_open(struct book **b, char dir[PATH_MAX], const struct words *w,
                                      struct tp_error *e);
/* The word of an option that must be there. TP_ERR_USAGE naming it. */
TP_MUST_CHECK enum tp_err option_need(const char *word, const char *option, struct tp_error *e);

/* Whether it is there and could be an account's number, a contract's, a mediator's name.
 * TP_ERR_USAGE.
 */
TP_MUST_CHECK enum tp_err option_account(const char *word, struct tp_error *e);
TP_MUST_CHECK enum tp_err option_contract(const char *word, const char *option, struct tp_error *e);
TP_MUST_CHECK enum tp_err option_mediator(const char *word, struct tp_error *e);

/* Text into a field of cap bytes, as people may type it (base/word.h). */
TP_MUST_CHECK enum tp_err option_text(char *out, size_t cap, const char *option, const char *text,
                                      struct tp_error *e);

/* A command that closes one thing: how its words name it, what shuts it, and what is said then, as
 * "contract 000000000000123 is closed". */
struct option_shutting {
    enum tp_err (*name)(const char **out, const struct words *w, struct tp_error *e);
    enum tp_err (*shut)(struct book *b, const char *name, struct tp_error *e);
    const char *what, *now;
};
int option_shut(const struct argp *argp, const struct option_shutting *how, int argc, char **argv);

/* The name of a mediator or seller: --name, as option_mediator takes it. */
TP_MUST_CHECK enum tp_err option_name(const char **out, const struct words *w, struct tp_error *e);

/* A command that lists doors, under that head. */
typedef enum tp_err option_each_door(struct book *b, book_door_visit *visit, void *ctx,
                                     struct tp_error *e);
int option_doors(const struct argp *argp, const char *what, const char *head,
                 option_each_door *each, int argc, char **argv);

#endif
