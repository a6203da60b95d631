/* `telepay pay --order URL`: an order that a page or a code shows, paid without its content. */
#ifndef TP_PAYER_PAY_URL_H
#define TP_PAYER_PAY_URL_H

#include "payer/checkout.h"

struct pay_url_options {
    const char *url; /* ORIGIN/orders/ID */
    bool verbose;
    struct checkout_options checkout;
    struct pay_options pay;
};

struct pay_url { /* begins as {0} */
    struct fetch *fetch;
    struct checkout checkout;
    struct demand demand;
    struct pay_order order;
    uint8_t claim[16];
};

/* Fetches the order, verifies it, claims it for this device, and pays; gives the claim back where
 * nothing was signed. The result as pay_run gives it (pay_result_free), also after what went wrong
 * before. pay_url_free after it. */
void pay_url_run(struct pay_url *u, struct pay_result *result,
                 const struct pay_url_options *options);
void pay_url_free(struct pay_url *u);

#endif
