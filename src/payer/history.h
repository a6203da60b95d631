/* What became of an account at a purse, from what was signed: each record is verified here, and all
 * of them are held against what this device has paid and what the purse says is in it. */
#ifndef TP_PAYER_HISTORY_H
#define TP_PAYER_HISTORY_H

#include "payer/authority.h"
#include "payer/fetch.h"
#include "payer/purses.h"

struct history_record {
    int64_t number;   /* in the purse's books */
    const char *kind; /* "payment" … */
    const char *at;   /* RFC 3339 */
    int64_t effect;   /* minor units, on what is in the account: negative where it is less */
    int64_t counter;  /* of a statement; 0: none */
    const char *what; /* to whom, or a transfer's reference; "" */
    const char *code, *reason;
    const char *fault; /* why it is not believed; NULL: it is what was signed */
};

struct history {       /* what it all comes to */
    size_t records;    /* how many */
    size_t faults;     /* that do not hold */
    int64_t sum;       /* what they come to */
    char fault[200];   /* what else does not hold: "" nothing */
    char missing[120]; /* counters below the highest that no record has, some of them; "" none */
};

struct history_source {
    struct fetch *fetch;
    const struct purse_account *account;
    const struct secret *key;
    const struct authorities *authorities;
    struct journal *journal;
};

typedef enum tp_err history_each(void *ctx, const struct history_record *r, struct tp_error *e);

/* Asks the purse for all of it, the oldest first. An error of each ends it. What does not hold is
 * in *out and in the records, and no error. TP_ERR_PEER, TP_ERR_TIMEOUT; of purse_door_bring. */
TP_MUST_CHECK enum tp_err history_walk(struct history *out, const struct history_source *source,
                                       history_each *each, void *ctx, struct tp_error *e);

#endif
