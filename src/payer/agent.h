/* telepay agent: what a link in a browser leads to. It takes the address of an order, asks its
 * person in a window, and sends the browser back to the order's page; or it asks for the page of an
 * account at a purse, and sends the browser there. Loopback only, GET only. */
#ifndef TP_PAYER_AGENT_H
#define TP_PAYER_AGENT_H

#include "base/span.h"

#define AGENT_PORT 27502

struct agent_options {
    unsigned port;
    const char *home, *user; /* whose; NULL: as home_path and user_folder have it */
    /* What a payment is run with, ended by NULL: its order comes behind. */
    const char *const *pay;
    /* … and what finds the page of an account at a purse, whose purse may come behind. */
    const char *const *page;
};

/* Until SIGTERM or SIGINT. TP_ERR_USAGE: the port is taken, with what to do. */
TP_MUST_CHECK enum tp_err agent_run(const struct agent_options *o, struct tp_error *e);

#endif
