/* What the subcommands share: their folder, common options, amounts, card numbers and PINs that are read, lists. */
#ifndef TP_ISSUER_OPTION_H
#define TP_ISSUER_OPTION_H

#include "base/cli.h"
#include "base/date.h"
#include "base/table.h"
#include "issuer/state.h"

#define OPTION_DIR                                                                                                                                   \
    {                                                                                                                                                \
        "dir", 'd', "DIR", 0, "The issuer's folder [./iss, else " ISSUER_DIR_DEFAULT "]", 0                                                          \
    }
#define OPTION_JSON                                                                                                                                  \
    {                                                                                                                                                \
        "json", 'j', NULL, 0, "JSON", 0                                                                                                              \
    }
#define OPTION_PAN                                                                                                                                   \
    {                                                                                                                                                \
        "pan", 256, "DIGITS", 0, "The card's number; better read, since others can see an argument", 0                                               \
    }
#define OPTION_PAN_FD                                                                                                                                \
    {                                                                                                                                                \
        "pan-fd", 257, "N", 0, "Read the card number from this descriptor [standard input]", 0                                                       \
    }
#define OPTION_PSN                                                                                                                                   \
    {                                                                                                                                                \
        "psn", 258, "N", 0, "PAN sequence number of the card [0]", 0                                                                                 \
    }
#define OPTION_KEY_OWN 300 /* a command's own keys begin here */

struct card_words { /* --pan, --pan-fd, --psn */
    const char *pan, *pan_fd, *psn;
};
/* True when the key was one of theirs. */
bool option_card(struct card_words *w, int key, char *arg);

/* One line of digits from a descriptor, given as a number's text or NULL (standard input), spaces passed over; asked for with `prompt` on a terminal, without
 * echo when hidden. The caller wipes out. TP_ERR_USAGE. */
TP_MUST_CHECK enum tp_err option_digits(char *out, size_t min, size_t max, const char *what, const char *fd, const char *prompt, bool hidden,
                                        struct tp_error *e);
TP_MUST_CHECK enum tp_err option_number(int64_t *out, const char *what, const char *text, int64_t max, struct tp_error *e);

struct office { /* the books and what opens card numbers, of one folder */
    char dir[PATH_MAX];
    struct book *book;
    struct seal *seal;
};
TP_MUST_CHECK enum tp_err office_open(struct office *o, const char *dir, struct tp_error *e);
void office_close(struct office *o);

/* The card of the words: its number into pan (the caller wipes it), its account into *a when a is not NULL. */
TP_MUST_CHECK enum tp_err office_card(struct office *o, const struct card_words *w, char pan[PAN_TEXT_MAX], unsigned *psn, struct account *a,
                                      struct tp_error *e);

char *option_amount(char out[MONEY_TEXT_MAX], int64_t minor, unsigned currency); /* "12.50" */
const char *option_currency(unsigned currency);                                  /* "EUR" */
char *option_time(char out[TIME_TEXT_MAX], time_t t);                            /* "" for 0 */

/* Begins, fills and prints a list; end gives the exit code and closes all. */
struct listing {
    struct office office;
    struct table *table;
    struct tp_error e;
};
TP_MUST_CHECK enum tp_err listing_start(struct listing *l, const char *dir, const char *name, const struct table_column *columns, size_t n,
                                        bool json);
TP_MUST_CHECK enum tp_err listing_row(void *table, const char *const *cells, struct tp_error *e);
int listing_end(struct listing *l, enum tp_err r);

#endif
