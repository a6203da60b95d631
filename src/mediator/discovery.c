/* The document by which programs find what is sold here: /openapi.json. */
#include "mediator/discovery.h"

#include "config.h"

#include <stdio.h>

#include "mediator/challenge.h"
#include "wire/payment_charge.h"
#include "wire/payment_discovery.h"

/* What it costs depends on the page, and the service's quote alone says it. */
static enum tp_err add_service(void *ctx, const struct reg_service *s, struct tp_error *e)
{
    static const char *const by[] = {[MEANS_EMV] = "by card, with the order signed",
                                     [MEANS_PURSE] = "by purse, with the order signed"};
    struct payment_priced offers[BOOK_MEANS_MAX];
    char path[BOOK_NAME_MAX + 16], summary[BOOK_NAME_MAX + 32];
    const struct payment_operation o = {
        .path = path, .verb = "get", .summary = summary, .offers = offers, .n = s->contracts};

    for (size_t i = 0; i < s->contracts; i++)
        offers[i] = (struct payment_priced){.method = means_method(s->contract[i]->acquirer->means),
                                            .intent = PAYMENT_CHARGE,
                                            .description = by[s->contract[i]->acquirer->means]};
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
