/* An order, from what is demanded to what it came to: what `get` and `pay --order` share. */
#ifndef TP_PAYER_CHECKOUT_H
#define TP_PAYER_CHECKOUT_H

#include "payer/pay.h"
#include "payer/pay_order.h"
#include "payer/user.h"

struct checkout_options {
    const char *home;        /* the user's folder; NULL: the usual one */
    const char *cacert;      /* PEM: whose certificates of servers are taken; NULL: the system's */
    int patience_s;          /* how long an answer is asked for */
    const char *user;        /* whose plan, journal and key; NULL: see user_folder */
    int code_fd;             /* lines with the code of the user\'s key; -1: ask */
    const char *means;       /* by this one alone; NULL: as the plan has them */
    struct plan_limit up_to; /* paid without asking */
};

#define CHECKOUT_PATIENCE 60 /* seconds, where nothing is said */

struct checkout { /* begins as {0} */
    const struct checkout_options *options;
    char home[PATH_MAX]; /* the device's folder */
    char user[PATH_MAX]; /* the user's, in it or the same */
    char name[USER_NAME];
    struct device device;
    struct plan plan;
    struct authorities authorities;
    struct journal *journal;
    struct submitter submitter;
    struct purse_account purse; /* that pays, where a purse does */
    struct provision session;   /* whose voucher pays, where one does */
};

/* What of them was said, as it stands on a command line, for the remedy that wants the same again:
 * " --home DIR --cacert FILE"; "" when it is too long. Returns out. */
#define CHECKOUT_SAID 400
char *checkout_said(char out[CHECKOUT_SAID], const struct checkout_options *o);

/* Opens what the user's folder holds; fetch must outlive it. checkout_close after an error too. */
TP_MUST_CHECK enum tp_err checkout_open(struct checkout *c, const struct checkout_options *options,
                                        struct fetch *fetch, struct tp_error *e);
void checkout_close(struct checkout *c);

/* The same, and the fetch too (fetch_free). */
TP_MUST_CHECK enum tp_err checkout_begin(struct checkout *c, struct fetch **fetch,
                                         const struct checkout_options *options, bool verbose,
                                         struct tp_error *e);

/* Before anything else is bought: what an earlier run left unsettled is sent, and what became of it
 * told. Nothing when the user's folder has no journal. What cannot be settled now is told too. */
void checkout_recover(const struct checkout_options *options, struct fetch *fetch);

/* Whether something of this order's resource is kept that is paid and not delivered: *found, and
 * nothing new is to be paid. TP_ERR_PEER when one is signed of which nobody knows what became. */
TP_MUST_CHECK enum tp_err checkout_owed(const struct checkout *c, const struct demand *d,
                                        struct kept_order *out, bool *found, struct tp_error *e);

/* Of what is offered, a session that is open there; else the first that the user's plan pays, in
 * the order of its means, verified in *out; where it pays none, the first that is good. `without`:
 * not by that means; NULL: by any. TP_ERR_NOT_FOUND: nothing of it can be paid from here; of
 * demand_read. demand_free after an error too. */
TP_MUST_CHECK enum tp_err checkout_choose(struct checkout *c, struct demand *out,
                                          const struct payment_offers *offers, const char *without,
                                          struct tp_error *e);

/* Whether the user's plan pays the order, and by purse: whether there is an account: before a card,
 * or a code, is asked for. TP_ERR_CANCELLED. */
TP_MUST_CHECK enum tp_err checkout_allows(struct checkout *c, const struct demand *d,
                                          struct tp_error *e);

/* Pays, by what checkout_allows has found; result as pay_run gives it. order->kept says what is in
 * the journal. */
void checkout_pay(struct checkout *c, struct pay_order *order, const struct pay_options *options,
                  struct pay_result *result);

#endif
