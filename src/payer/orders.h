/* Orders in the journal: each is kept, durably, before what pays it is sent, so that whatever
 * becomes of this process the same credential can be sent again, and never another. */
#ifndef TP_PAYER_ORDERS_H
#define TP_PAYER_ORDERS_H

#include "payer/demand.h"
#include "payer/journal.h"

enum kept_state {
    KEPT_SUBMITTING,   /* signed; whether the mediator has it, nobody knows */
    KEPT_COMPLETING,   /* the issuer approved and the card completed: the mediator is to be told */
    KEPT_REVERSING,    /* the issuer approved and the card did not: the mediator is to be told */
    KEPT_ACKNOWLEDGED, /* paid */
    KEPT_REFUSED,      /* the acquirer said no */
    KEPT_REVERSED,     /* it was given back */
    KEPT_LOST          /* it came to nothing before the acquirer had it: expired, never taken */
};
const char *kept_state_name(enum kept_state s); /* "acknowledged" */

struct kept_order {                    /* begins as {0}; the strings are owner's */
    int64_t id;                        /* of its row */
    const char *order;                 /* of the order */
    const char *origin;                /* of the mediator: https://host */
    const char *method, *url, *digest; /* of the resource; digest NULL: no body */
    const char *item;
    const char *authority; /* the fingerprint of the one that was trusted */
    const char *challenge; /* JSON */
    bool asks;             /* the card asked for its issuer: its last word is waited for */
    bool delivered;
    enum kept_state state;
    const char *acknowledgement, *receipt; /* JWS, Payment-Receipt; NULL: none */
    const char *statement; /* JWS of the account at the purse that pays; NULL: a card does */
    const char *session;   /* whose voucher the statement is; NULL: it is none */
    struct receipt ticket;
    int64_t made;   /* seconds since 1970 */
    json_t *secret; /* credential (JSON); of a card: answer_key (JWK), message (base64url of the
                       0200). NULL: no longer needed */
    json_t *owner;
};
void kept_order_free(struct kept_order *o);

/* One transaction of the journal: what a statement's numbers follow from is read, signed, and kept
 * by orders_add before another process reads it. After orders_end, which gives back r or what
 * became of it, all of that is durable, or nothing of it was. The journal stays held: no other
 * process sends what was added as long as this one lives. */
TP_MUST_CHECK enum tp_err orders_begin(struct journal *j, struct tp_error *e);
TP_MUST_CHECK enum tp_err orders_end(struct journal *j, enum tp_err r, struct tp_error *e);

/* Keeps one, between these two. o->id comes out. */
TP_MUST_CHECK enum tp_err orders_add(struct journal *j, struct kept_order *o, struct tp_error *e);

/* What became of it: o's state, acknowledgement, receipt, ticket, delivered. The secret goes when
 * it is of no more use. */
TP_MUST_CHECK enum tp_err orders_update(struct journal *j, const struct kept_order *o,
                                        struct tp_error *e);

/* The oldest after `after` (0: the first) that is not settled. TP_ERR_NOT_FOUND: no more. */
TP_MUST_CHECK enum tp_err orders_pending(struct journal *j, int64_t after, struct kept_order *out,
                                         struct tp_error *e);

/* The newest of that order; TP_ERR_NOT_FOUND. The secret comes along where there is one. */
TP_MUST_CHECK enum tp_err orders_find(struct journal *j, const char *order, struct kept_order *out,
                                      struct tp_error *e);

/* The oldest of that resource that is paid and not delivered, or whose outcome is not known.
 * TP_ERR_NOT_FOUND. */
TP_MUST_CHECK enum tp_err orders_owed(struct journal *j, const char *method, const char *url,
                                      const char *digest, struct kept_order *out,
                                      struct tp_error *e);

/* All, the newest first. False from each ends the walk. */
typedef bool orders_each(void *ctx, const struct kept_order *o);
TP_MUST_CHECK enum tp_err orders_list(struct journal *j, orders_each *each, void *ctx,
                                      struct tp_error *e);

/* Those that vouchers of that session paid, the newest first. */
TP_MUST_CHECK enum tp_err orders_of_session(struct journal *j, const char *session,
                                            orders_each *each, void *ctx, struct tp_error *e);

/* What is this journal's own and no other's, and never leaves the device. */
#define ORDERS_OWN 32
TP_MUST_CHECK enum tp_err orders_own(struct journal *j, uint8_t out[ORDERS_OWN],
                                     struct tp_error *e);

/* Takes that order for this process, until the journal is closed or the process ends: *got false,
 * another has it. */
TP_MUST_CHECK enum tp_err orders_take(struct journal *j, const char *order, bool *got,
                                      struct tp_error *e);

/* While no other process has one under way: *got. Until orders_let_go. */
TP_MUST_CHECK enum tp_err orders_hold(struct journal *j, bool *got, struct tp_error *e);
void orders_let_go(struct journal *j);

#endif
