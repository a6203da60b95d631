/* What follows from where an order stands: the same at once, after a pause, and after a restart. */
#include <stdlib.h>

#include "base/log.h"
#include "mediator/stream.h"

#define AGAIN_MS 1000

static void to_line(struct mediator *m, const struct orderbook_order *o,
                    const struct orderbook_attempt *a, bool back)
{
    struct line *l = line_of(m, a->acquirer);

    if (l == NULL) {
        log_error("order %s waits for the acquirer %s, which is not known any more: "
                  "telepay-mediator acquirer add",
                  o->id, a->acquirer);
        clock_set(m, o->id, EVENT_GO_ON, a->n, 60 * AGAIN_MS, 0);
    } else if (back) {
        line_reverse(l, o, a);
    } else {
        line_ask(l, o, a);
    }
}

static void to_acquirer(struct mediator *m, const struct orderbook_order *o,
                        const struct orderbook_attempt *a, bool back, unsigned tries)
{
    if (a->means == MEANS_EMV)
        to_line(m, o, a, back);
    else if (back)
        purse_reverse(m, o, a, tries);
    else
        purse_ask(m, o, a, tries);
}

static void to_service(struct mediator *m, const struct orderbook_order *o,
                       const struct orderbook_attempt *a, unsigned tries)
{
    char *quote = NULL;
    struct job *j = NULL;

    if (o->delivery == DELIVERY_STREAM) {
        stream_due(m, o, tries);
        return;
    }
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
        clock_set(m, o->id, EVENT_LOOK, 0, AGAIN_MS, tries);
}

void drive(struct mediator *m, const struct orderbook_order *o, const struct orderbook_attempt *a,
           unsigned tries)
{
    if (atomic_load(&m->ending))
        return;
    if (a->surplus == SURPLUS_BACK)
        to_acquirer(m, o, a, true, tries);
    if (a->n != o->attempt) /* what becomes of the order is not its */
        return;
    switch (o->state) {
    case STATE_SUBMITTING:
    case STATE_UNKNOWN:
    case STATE_REVERSING:
        to_acquirer(m, o, a, o->state == STATE_REVERSING, tries);
        break;
    case STATE_APPROVED:
        clock_set(m, o->id, EVENT_LATE, 0, COMPLETION_S * 1000, 0);
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
