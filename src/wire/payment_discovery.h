/* The document /openapi.json by which a service is found (draft-payment-discovery-01): OpenAPI 3.1
 * with x-service-info and x-payment-info. The 402 alone is binding. */
#ifndef TP_WIRE_PAYMENT_DISCOVERY_H
#define TP_WIRE_PAYMENT_DISCOVERY_H

#include <jansson.h>

#include "base/span.h"

struct payment_service {
    const char *title, *version;
    const char *const *categories; /* NULL: none; else ends with NULL */
    const char *homepage;          /* NULL: none, as the two below */
    const char *api_reference;
    const char *llms;
};

struct payment_priced { /* one way to pay an operation */
    const char *method, *intent;
    const char *amount;   /* digits, minor units; NULL: depends on the request */
    const char *currency; /* NULL: absent, as below */
    const char *description;
};

struct payment_operation {
    const char *path; /* "/s/journal/{page}": a parameter of the path for each pair of braces */
    const char *verb; /* "get" */
    const char *summary;
    const struct payment_priced *offers; /* n 0: free */
    size_t n;
};

/* A document without operations (json_decref), and one operation more in it (TP_ERR_EXISTS when it
 * is there already). TP_ERR_FORMAT when a text is no UTF-8, an amount no digits, a path or verb
 * none. */
TP_MUST_CHECK enum tp_err payment_discovery_new(json_t **out, const struct payment_service *s,
                                                struct tp_error *e);
TP_MUST_CHECK enum tp_err payment_discovery_add(json_t *document, const struct payment_operation *o,
                                                struct tp_error *e);

#endif
