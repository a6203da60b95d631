/* Who is connected to the door of an HTTPS daemon, and until when. libmicrohttpd ends a connection
 * that is silent; one that sends a byte now and then it keeps for ever. Here every connection has a
 * deadline for what it is about, and one that has not shown who it is goes when room is short. Any
 * thread. */
#ifndef TP_WIRE_GUESTS_H
#define TP_WIRE_GUESTS_H

#include <stdint.h>

#include "base/err.h"

#define GUEST_NAME_MAX 64

struct guests; /* with a thread that watches the deadlines */
struct guest;  /* one connection */

/* `most` connections may be there; when only a quarter of that is left, the one that has waited
 * longest without a name is ended for each that comes. */
TP_MUST_CHECK enum tp_err guests_new(struct guests **out, unsigned most, struct tp_error *e);
void guests_free(struct guests **g); /* when all have left */

/* A connection comes; it has `seconds` to say what it wants. NULL: no memory. The descriptor is the
 * caller's, and is open until guests_leave. */
struct guest *guests_arrive(struct guests *g, int fd, unsigned seconds);
void guests_leave(struct guests *g, struct guest *one);

/* What it has still to send or take must be done in so many seconds (0: no matter how long). A null
 * guest is let be. */
void guests_deadline(struct guests *g, struct guest *one, uint64_t seconds);

/* It has shown its certificate, and is `name`. Of one name a quarter of `most` may be there: the
 * longest there of them is ended for each one more. */
void guests_named(struct guests *g, struct guest *one, const char *name);

#endif
