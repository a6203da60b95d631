/* The purse as a service of a mediator (doc/service.md): credit for an account, sold to whoever
 * pays by card. GET /fill/ACCOUNT/AMOUNT, the amount in minor units; where the account's page leads
 * there, /en or /fr stands behind, and what is delivered is a page that leads back. */
#ifndef TP_PURSE_FILLING_H
#define TP_PURSE_FILLING_H

#include "purse/asked.h"
#include "purse/page.h"
#include "purse/till.h"

#define FILLING_ROLE "seller" /* O of who may sell */

struct filling {
    struct asked *asked;
    struct till *till;
    const struct purse_settings *settings;
    const struct pages *pages;
};

/* Whether who calls may sell credit; else it is answered 403. */
bool filling_admit(const struct filling *f, struct http_call *call);
void filling_quote(const struct filling *f, struct http_call *call);
void filling_deliver(const struct filling *f, struct http_call *call);

#endif
