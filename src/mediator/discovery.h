/* The document by which programs find what is sold here: /openapi.json. */
#ifndef TP_MEDIATOR_DISCOVERY_H
#define TP_MEDIATOR_DISCOVERY_H

#include <jansson.h>

#include "mediator/registry.h"

/* Of the services that are open now; json_decref. */
TP_MUST_CHECK enum tp_err discovery_make(json_t **out, struct registry *registry, const char *realm,
                                         struct tp_error *e);

#endif
