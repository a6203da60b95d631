/* Paying by duration: while a stream comes, each further unit of it is bought ahead, by a voucher
 * of the session that is open there, at the price at which it began. Without one it ends where what
 * was paid ends. */
#ifndef TP_PAYER_LISTEN_H
#define TP_PAYER_LISTEN_H

#include "payer/checkout.h"

struct listening { /* begins as {0}; listen_end */
    struct checkout *checkout;
    const struct pay_options *pay;
    struct fetch *fetch;           /* for what is bought meanwhile */
    const struct kept_order *root; /* that began it */
    struct order began;            /* what was agreed to: item, merchant, per; borrowed */
    int64_t per;                   /* ms; 0: it is no stream */
    int64_t since, last;           /* its first byte came, its last; monotonic ms; 0: not yet */
    unsigned units;                /* paid */
    struct kept_order ahead;       /* paid, and not begun; id 0: none */
    bool over;                     /* nothing more is bought: why */
    char why[200];
};

/* Of what demand wants; nothing when it is no stream. demand and root outlive it. */
TP_MUST_CHECK enum tp_err listen_begin(struct listening *l, struct checkout *c,
                                       const struct pay_options *pay, const struct demand *demand,
                                       const struct kept_order *root, bool verbose,
                                       struct tp_error *e);
/* Its bytes come. */
void listen_heard(struct listening *l);
/* From time to time: what is due is bought. */
void listen_tick(struct listening *l);
/* It has ended: what was paid ahead and never began is given back, which is kept. Tells what it
 * came to, unless it is silent. */
void listen_end(struct listening *l, bool silent);

#endif
