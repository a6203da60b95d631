/* Sessions at a mediator, in the user's journal: what of an account at a purse is reserved for one,
 * until when, and what was spent of it by vouchers (doc/protocol.md, The purse). */
#ifndef TP_PAYER_PROVISIONS_H
#define TP_PAYER_PROVISIONS_H

#include "payer/orders.h"
#include "payer/purses.h"

#define PROVISION_SESSION  27 /* of a session, with its end */
#define PROVISION_MEDIATOR PKI_NAME_MAX
#define PROVISION_GRACE    60 /* seconds before its end when it is used no more */

enum provision_state {
    PROVISION_WANTED, /* the next payment from that purse brings it */
    PROVISION_SIGNED, /* it went out; nothing is heard of it yet */
    PROVISION_OPEN,   /* the purse has reserved it */
    PROVISION_REFUSED,
    PROVISION_ENDED /* its user has said so */
};
const char *provision_state_name(enum provision_state s);

struct provision { /* of one row */
    char session[PROVISION_SESSION];
    char acquirer[PURSES_ID];
    char origin[DEMAND_ORIGIN];        /* of the mediator; "": not yet known */
    char mediator[PROVISION_MEDIATOR]; /* its name */
    int64_t amount, currency;
    int64_t hours, until; /* until: seconds since 1970; 0: not yet signed */
    int64_t state;
    int64_t made;
    char statement[PURSE_STATEMENT_MAX + 1];
};

/* One is wanted, in place of another that was and came to nothing; its session is drawn. */
TP_MUST_CHECK enum tp_err provisions_want(struct journal *j, struct provision *p,
                                          struct tp_error *e);

/* The one that is wanted of that purse; the one that is open there at that mediator, by the clock
 * `at`; TP_ERR_NOT_FOUND. */
TP_MUST_CHECK enum tp_err provisions_wanted(struct provision *out, struct journal *j,
                                            const char *acquirer, struct tp_error *e);
TP_MUST_CHECK enum tp_err provisions_open(struct provision *out, struct journal *j,
                                          const char *acquirer, const char *origin, time_t at,
                                          struct tp_error *e);

/* Keeps what was signed of a wanted one: origin, mediator, until, statement; within the transaction
 * that keeps what it goes with (orders_begin). */
TP_MUST_CHECK enum tp_err provisions_sign(struct journal *j, const struct provision *p,
                                          struct tp_error *e);

/* The state of a session; nothing when it is not known. */
TP_MUST_CHECK enum tp_err provisions_set(struct journal *j, const char *session,
                                         enum provision_state state, struct tp_error *e);

/* What it came beside was not paid, so nothing was decided of it: it is wanted again. */
TP_MUST_CHECK enum tp_err provisions_again(struct journal *j, const char *statement,
                                           struct tp_error *e);

/* The purse's word of one (JWS), held to what was signed: it is open, or refused, which is told.
 * TP_ERR_SECURITY. */
TP_MUST_CHECK enum tp_err provisions_answered(struct journal *j, const char *jws,
                                              const struct order_authority *authority,
                                              struct tp_error *e);

/* All, the newest first. An error of each ends the walk. */
typedef enum tp_err provisions_each(void *ctx, const struct provision *p, struct tp_error *e);
TP_MUST_CHECK enum tp_err provisions_list(struct journal *j, provisions_each *each, void *ctx,
                                          struct tp_error *e);

/* ---- vouchers ---- */

struct voucher_place { /* of what is to be bought next under a contract */
    int64_t sum;       /* of the session under it, this included */
    int64_t number;
};

/* TP_ERR_RANGE: more than is left of the provision. TP_ERR_STATE: of what was bought there last
 * nobody knows yet what became. */
TP_MUST_CHECK enum tp_err voucher_next(struct voucher_place *out, struct journal *j,
                                       const struct provision *p, const char *contract,
                                       int64_t amount, struct tp_error *e);

/* What was spent of it, over all contracts. */
TP_MUST_CHECK enum tp_err provisions_spent(int64_t *out, struct journal *j,
                                           const struct provision *p, struct tp_error *e);

#endif
