/* The payment of an order over HTTP: what pay_run (payer/pay.h) needs beside its options, and what
 * it comes to. */
#ifndef TP_PAYER_PAY_ORDER_H
#define TP_PAYER_PAY_ORDER_H

#include "payer/device.h"
#include "payer/plan.h"
#include "payer/provisions.h"
#include "payer/submit.h"

struct pay_way;

struct pay_order {             /* begins as {0} */
    const struct pay_way *way; /* pay_by_order, or pay_by_purse */
    const char *home;          /* the device's folder */
    const char *user;          /* the user's */
    struct device *device;
    const struct plan *plan;
    const struct demand *demand;       /* verified */
    const struct purse_account *purse; /* that pays it; NULL: a card does */
    const struct provision *session;   /* whose voucher pays it; NULL: none */
    struct submitter submitter;        /* its pause is set to the person's */
    struct plan_limit up_to;           /* paid without asking, as the plan lets it */
    bool agreed;                       /* the person was asked already */
    bool content;                      /* what is paid is delivered here */
    bool hands_out; /* another client sends what the card signed; but a question, which is asked
                       here while the card waits */
    const uint8_t *claim;        /* 16 bytes: the order was claimed so; NULL: it was not */
    char code[32];               /* that the page must show, too; "": none */
    struct kept_order kept;      /* of the journal; id 0: nothing was signed */
    struct submit_answer answer; /* the last one */
};
void pay_order_free(struct pay_order *o);

/* How the mediator gets what pays it: what a card signed, or an account's key. */
extern const struct pay_way pay_by_order, pay_by_purse;

#endif
