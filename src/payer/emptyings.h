/* What leaves an account at a purse for a bank account, in the user's journal: each statement is
 * kept before it is sent, so that whatever becomes of this process the same can be sent again, and
 * never another in its place. */
#ifndef TP_PAYER_EMPTYINGS_H
#define TP_PAYER_EMPTYINGS_H

#include "payer/purses.h"

enum emptying_state { EMPTYING_SIGNED, EMPTYING_DONE, EMPTYING_REFUSED };

#define EMPTYING_NAME 281 /* 70 characters of UTF-8, with their end */

struct emptying { /* of one row */
    int64_t id;
    char acquirer[PURSES_ID];
    int64_t amount;
    char iban[35], name[EMPTYING_NAME];
    char reference[16]; /* of the purse's books; "": none yet */
    int64_t made;       /* seconds since 1970 */
    char statement[PURSE_STATEMENT_MAX + 1];
};

/* Keeps it as EMPTYING_SIGNED; durable when it returns. id comes out. */
TP_MUST_CHECK enum tp_err emptyings_add(struct journal *j, struct emptying *m, struct tp_error *e);

/* The oldest of that purse of which nobody knows yet what became. TP_ERR_NOT_FOUND. */
TP_MUST_CHECK enum tp_err emptyings_pending(struct emptying *out, struct journal *j,
                                            const char *acquirer, struct tp_error *e);

/* Those of that purse that it has acknowledged, the oldest first. False from each ends the walk. */
typedef bool emptyings_each(void *ctx, const struct emptying *m);
TP_MUST_CHECK enum tp_err emptyings_list(struct journal *j, const char *acquirer,
                                         emptyings_each *each, void *ctx, struct tp_error *e);

/* The purse has answered. */
TP_MUST_CHECK enum tp_err emptyings_settle(struct journal *j, const struct emptying *m,
                                           enum emptying_state state, struct tp_error *e);

#endif
