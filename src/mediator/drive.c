/* What follows from where an order stands: the same at once, after a pause, and after a restart. */
#include <stdlib.h>

#include "base/log.h"
#include "mediator/mediator_priv.h"

#define AGAIN_MS 1000

static void to_acquirer(struct mediator *m, const struct orderbook_order *o,
                        const struct orderbook_attempt *a)
{
    struct line *l = line_of(m, o->acquirer);

    if (l == NULL) {
        log_error("order %s waits for the acquirer %s, which is not known any more: "
                  "telepay-mediator acquirer add",
                  o->id, o->acquirer);
        clock_set(m, o->id, EVENT_LOOK, 60 * AGAIN_MS, 0);
    } else if (o->state == STATE_REVERSING) {
        line_reverse(l, o, a);
    } else {
        line_ask(l, o, a);
    }
}

static void to_service(struct mediator *m, const struct orderbook_order *o,
                       const struct orderbook_attempt *a, unsigned tries)
{
    char *quote = NULL;
    struct job *j = NULL;

    if (o->delivery != DELIVERY_INCLUDED) {
        quote = keeper_quote(m, o);
        if (quote != NULL)
            deliver(m, o, a, quote, tries);
        free(quote);
    } else if ((j = move_job(EVENT_DELIVERED, o->id)) != NULL) { /* here since the quote */
        j->content = keeper_included(m, o);
        keeper_take(m, j);
    }
    if (quote == NULL && j == NULL)
        clock_set(m, o->id, EVENT_LOOK, AGAIN_MS, tries);
}

void drive(struct mediator *m, const struct orderbook_order *o, const struct orderbook_attempt *a,
           unsigned tries)
{
    if (atomic_load(&m->ending))
        return;
    switch (o->state) {
    case STATE_SUBMITTING:
    case STATE_UNKNOWN:
    case STATE_REVERSING:
        to_acquirer(m, o, a);
        break;
    case STATE_APPROVED:
        clock_set(m, o->id, EVENT_LATE, COMPLETION_S * 1000, 0);
        break;
    case STATE_ACKNOWLEDGED:
        to_service(m, o, a, tries);
        break;
    case STATE_REQUESTED:
    case STATE_CLAIMED:
    case STATE_DELIVERED:
    case STATE_REVERSED:
    case STATE_OWED:
        break;
    }
}
