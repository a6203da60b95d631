/* Paying by duration (the kiosque à la durée): what a service sends goes on to who paid as long as
 * it is paid for, from the first byte on. The order that began it pays for its first unit; each
 * further unit is an order of its own, demanded at ORDERS…/next and paid ahead, that is delivered
 * when the unit begins and given back when it does not. Any thread. */
#ifndef TP_MEDIATOR_STREAM_H
#define TP_MEDIATOR_STREAM_H

#include "mediator/visit.h"

#define STREAM_NEXT "/next" /* of an order: where the next unit is demanded */

TP_MUST_CHECK enum tp_err streams_open(struct mediator *m, struct tp_error *e);
void streams_stop(struct mediator *m); /* all end; who waits is answered */
void streams_close(struct mediator *m);

/* Whether the order is for a further unit, and of which stream: by the mediator's own address,
 * which no service's resource has. */
bool stream_is_next(const struct mediator *m, const struct orderbook_order *o,
                    char root[BOOK_ORDER_ID]);

/* What its order has paid for begins, or goes on for the time that is left of it: the visit is
 * answered later. On the keeper's thread. */
void stream_begin(struct visit *v, const struct orderbook_order *o,
                  const struct orderbook_attempt *a, const char *quote);
/* The visit's stream has its first byte, and its order is kept as delivered: it is answered with
 * it. False: none waits for it. */
bool stream_answer(struct visit *v, const struct orderbook_order *o,
                   const struct orderbook_attempt *a);
/* A visit that is answered otherwise has none any more. */
void stream_forget(struct visit *v);

/* Whether a next unit of it can be demanded now. */
bool stream_goes_on(struct mediator *m, const char *root);

/* An order of a stream is paid and not delivered: it waits for who comes for it, or for its unit to
 * begin; else it is given back. */
void stream_due(struct mediator *m, const struct orderbook_order *o, unsigned tries);

#endif
