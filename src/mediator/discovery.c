/* The document by which programs find what is sold here: /openapi.json. */
#include "mediator/discovery.h"

#include "config.h"

#include <stdio.h>

#include "mediator/challenge.h"
#include "wire/payment_discovery.h"

/* What it costs depends on the page, and the service's quote alone says it. */
static enum tp_err add_service(void *ctx, const struct reg_service *s, struct tp_error *e)
{
    const struct payment_priced offer = {
        .method = METHOD_EMV, .intent = "charge", .description = "by card, with the order signed"};
    char path[BOOK_NAME_MAX + 16], summary[BOOK_NAME_MAX + 32];
    const struct payment_operation o = {
        .path = path, .verb = "get", .summary = summary, .offers = &offer, .n = 1};

    snprintf(path, sizeof(path), "/s/%s/{page}", s->name);
    snprintf(summary, sizeof(summary), "What the service %s sells", s->name);
    return payment_discovery_add(ctx, &o, e);
}

enum tp_err discovery_make(json_t **out, struct registry *registry, const char *realm,
                           struct tp_error *e)
{
    const struct payment_service about = {.title = realm, .version = PACKAGE_VERSION};
    enum tp_err r = payment_discovery_new(out, &about, e);

    if (r == TP_OK)
        r = registry_service_each(registry, add_service, *out, e);
    if (r != TP_OK) {
        json_decref(*out);
        *out = NULL;
    }
    return r;
}
