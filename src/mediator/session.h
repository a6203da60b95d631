/* Sessions of purses: what the mediator takes of vouchers by itself, and what becomes of it. Within
 * the move that asks. */
#ifndef TP_MEDIATOR_SESSION_H
#define TP_MEDIATOR_SESSION_H

#include "mediator/moves.h"

#define SESSION_SILENT_S 900 /* without a voucher it is presented and ended … */
#define SESSION_EARLY_S  600 /* … and so long before its time is over */

/* The voucher pays the attempt of the move, which then is acknowledged, by the mediator's own word;
 * else the move's finding says what stands against it. */
TP_MUST_CHECK enum tp_err session_draw(struct move *m, struct orderbook *b,
                                       const struct issuing *by, struct tp_error *e);
/* The events from EVENT_SESSION_END on. */
TP_MUST_CHECK enum tp_err session_apply(struct move *m, struct orderbook *b, struct tp_error *e);

#endif
