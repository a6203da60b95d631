/* Whether services are reached, asked now. */
#ifndef TP_MEDIATOR_REACH_H
#define TP_MEDIATOR_REACH_H

#include "mediator/registry.h"

struct reached {
    struct reg_service service; /* its url and tls; url "": its folder cannot be read */
    bool yes;                   /* it answered, and knows this mediator */
    char why[200];              /* why not */
};

struct reach;
TP_MUST_CHECK enum tp_err reach_new(struct reach **out, struct tp_error *e);
/* Asks the service of that folder, without waiting. out stays until reach_end has returned. */
void reach_ask(struct reach *r, struct reached *out, const char *folder);
/* Waits, a few seconds at most, until all have answered or not. NULL is fine; so it is to end it.
 */
void reach_end(struct reach **r);

#endif
