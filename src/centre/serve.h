/* The centre's HTTPS service: PUT /remises/CONTRACT/NUMBER with a caaa.011 document, answered with
 * caaa.012 (doc/protocol.md). */
#ifndef TP_CENTRE_SERVE_H
#define TP_CENTRE_SERVE_H

#include "centre/refuse.h"

struct centre_service {
    const char *dir;       /* the centre's folder */
    const char *address;   /* "127.0.0.1" */
    const char *port;      /* "8443"; "0": any free one */
    struct refuse *refuse; /* NULL: nothing by order; borrowed */
};

/* Serves until SIGTERM or SIGINT; prints one line on stdout when it is ready. The caller has
 * started no thread yet. */
TP_MUST_CHECK enum tp_err centre_serve(const struct centre_service *service, struct tp_error *e);

#endif
