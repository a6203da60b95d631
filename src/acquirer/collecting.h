/* The acquirer's side of a collection: its books as src/collect has them, and which contracts' hour
 * has come. */
#ifndef TP_ACQUIRER_COLLECTING_H
#define TP_ACQUIRER_COLLECTING_H

#include "collect/settle.h"

/* All that a run on the acquirer's folder needs (collector_close). TP_ERR_NOT_FOUND …; on an error
 * nothing is left open. */
TP_MUST_CHECK enum tp_err collecting_open(struct collector *out, const char *dir,
                                          struct tp_error *e);

/* Closes the open remise of every contract (one, or NULL: all) whose hour has come since its oldest
 * transaction, or (now) that holds any. */
TP_MUST_CHECK enum tp_err collecting_close_due(struct collector *c, const char *contract, bool now,
                                               struct tp_error *e);

/* Whether the hour HHMM of the day has come between `since` and `now`, local time. */
bool collecting_hour_came(time_t since, int hhmm, time_t now);

#endif
