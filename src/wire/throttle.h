/* How much a network may ask for that costs, and that anybody may ask for (a mediator's demands,
 * the accounts of a purse). A hundred at once, then ten a second; a network is what wire/network.h
 * says. Of the machine itself (127.0.0.1, ::1: a proxy, which has the clients of all) as many as it
 * makes. Any thread; the memory is the same for however many. */
#ifndef TP_WIRE_THROTTLE_H
#define TP_WIRE_THROTTLE_H

#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"

#define THROTTLE_AT_ONCE 100
#define THROTTLE_MS      100 /* until there is room for one more */

struct throttle;

TP_MUST_CHECK enum tp_err throttle_new(struct throttle **out, struct tp_error *e);
void throttle_free(struct throttle **t); /* NULL is fine */

/* One more, now (monotonic ms): 0, it may come, and counts; else the seconds after which it may.
 * from NULL: not known, and let in. */
unsigned throttle_take(struct throttle *t, const struct sockaddr *from, int64_t now);

#endif
