/* telepay-mediator serve: the door, and all that is behind it. */
#ifndef TP_MEDIATOR_SERVE_H
#define TP_MEDIATOR_SERVE_H

#include "base/err.h"

struct mediator_place {
    const char *dir, *address, *port;
    const char *origin; /* "https://shop.example": by which it is reached */
};

/* Until SIGTERM or SIGINT. */
TP_MUST_CHECK enum tp_err mediator_serve(const struct mediator_place *place, struct tp_error *e);

#endif
