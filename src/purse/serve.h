/* telepay-purse serve: the door. */
#ifndef TP_PURSE_SERVE_H
#define TP_PURSE_SERVE_H

#include "base/err.h"

struct purse_place {
    const char *dir, *listen; /* listen NULL: as purse.conf says */
};

/* Serves until SIGTERM or SIGINT. */
TP_MUST_CHECK enum tp_err purse_serve(const struct purse_place *place, struct tp_error *e);

#endif
