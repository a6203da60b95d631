/* The options of `telepay-perso card` and `telepay-perso cards` that say what a card is to be. */
#ifndef TP_SIMCARD_PERSO_OPTIONS_H
#define TP_SIMCARD_PERSO_OPTIONS_H

#include <argp.h>

#include "simcard/perso.h"

#define PERSO_OPTIONS_MAX 64
#define PERSO_OPTION_KEY                                                                           \
    1024 /* keys from here on are these options': a command's own are lower                        \
          */

enum perso_amount {
    PERSO_AMOUNT_LIMIT,
    PERSO_AMOUNT_MAXIMUM,
    PERSO_AMOUNT_X,
    PERSO_AMOUNT_Y,
    PERSO_AMOUNTS
};

struct perso_wanted {
    struct perso_params params; /* texts are the command line's own */
    struct secret pin;          /* to be freed */
    const char *scheme;
    const char *amounts[PERSO_AMOUNTS]; /* as typed: their currency may follow */
    bool pan_needed;                    /* by perso_options_complete */
};

/* The factory's defaults. */
void perso_wanted_start(struct perso_wanted *w, bool pan_needed);
void perso_wanted_end(struct perso_wanted *w);

/* Appends the options to a table that has room for PERSO_OPTIONS_MAX more, and the closing entry.
 */
void perso_options_table(struct argp_option *table, size_t n);

/* One option; ARGP_ERR_UNKNOWN when it is not one of these. */
error_t perso_options_parse(struct perso_wanted *w, int key, char *arg, struct argp_state *state);

/* At the end of the command line: what is missing is an argp_error, and amounts get their currency.
 */
void perso_options_complete(struct perso_wanted *w, struct argp_state *state);

#endif
