/* What the subcommands share: their folder, common options, cards, lists. */
#ifndef TP_ISSUER_OPTION_H
#define TP_ISSUER_OPTION_H

#include "base/cli.h"
#include "base/date.h"
#include "base/table.h"
#include "base/text.h"
#include "issuer/state.h"

#define OPTION_DIR                                                                                 \
    {                                                                                              \
        "dir", 'd', "DIR", 0, N_("The issuer's folder [./iss, else /var/lib/telepay/issuer]"), 0   \
    }
#define OPTION_JSON                                                                                \
    {                                                                                              \
        "json", 'j', NULL, 0, N_("JSON"), 0                                                        \
    }
#define OPTION_PAN                                                                                 \
    {                                                                                              \
        "pan", 256, "DIGITS", 0,                                                                   \
            N_("The card's number; better read, since others can see an argument"), 0              \
    }
#define OPTION_PAN_FD                                                                              \
    {                                                                                              \
        "pan-fd", 257, "N", 0, N_("Read the card number from this descriptor [standard input]"), 0 \
    }
#define OPTION_PSN                                                                                 \
    {                                                                                              \
        "psn", 258, "N", 0, N_("PAN sequence number of the card [0]"), 0                           \
    }
#define OPTION_KEY_OWN 300 /* a command's own keys begin here */

struct card_words { /* --pan, --pan-fd, --psn */
    const char *pan, *pan_fd, *psn;
};
/* True when the key was one of theirs. */
bool option_card(struct card_words *w, int key, char *arg);

struct office { /* the books and what opens card numbers, of one folder */
    char dir[PATH_MAX];
    struct book *book;
    struct seal *seal;
};
TP_MUST_CHECK enum tp_err office_open(struct office *o, const char *dir, struct tp_error *e);
void office_close(struct office *o);

/* The card of the words: its number into pan (the caller wipes it), its account into *a when a is
 * not NULL. */
TP_MUST_CHECK enum tp_err office_card(struct office *o, const struct card_words *w,
                                      char pan[PAN_TEXT_MAX], unsigned *psn, struct account *a,
                                      struct tp_error *e);

/* Begins and prints a list; end gives the exit code and closes all. */
struct listing {
    struct office office;
    struct table *table;
    struct tp_error e;
};
TP_MUST_CHECK enum tp_err listing_start(struct listing *l, const char *dir, const char *name,
                                        const struct table_column *columns, size_t n, bool json);
int listing_end(struct listing *l, enum tp_err r);

#endif
