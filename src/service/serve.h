/* The HTTPS server of a service: POST /quote, POST /deliver (doc/service.md). */
#ifndef TP_SERVICE_SERVE_H
#define TP_SERVICE_SERVE_H

#include "base/err.h"

struct service_place {
    const char *dir; /* the service's folder */
    const char *address, *port;
};

/* Serves until SIGTERM or SIGINT; prints one line on stdout when it is ready. The caller has
 * started no thread yet. */
TP_MUST_CHECK enum tp_err service_serve(const struct service_place *place, struct tp_error *e);

#endif
