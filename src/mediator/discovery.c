/* The document by which programs find what is sold here: /openapi.json. */
#include "mediator/discovery.h"

#include "config.h"

#include <stdio.h>

#include "mediator/challenge.h"
#include "wire/payment_discovery.h"

/* What it costs depends on the page, and the service's quote alone says it. */
static enum tp_err add_service(void *ctx, const struct reg_service *s, struct tp_error *e)
{
    static const char *const by[] = {[MEANS_EMV] = "by card, with the order signed",
                                     [MEANS_PURSE] = "by purse, with the order signed",
                                     [MEANS_VOUCHER] = "by a voucher of a purse's session"};
    struct payment_priced offers[BOOK_MEANS_MAX];
    char path[BOOK_NAME_MAX + 16], summary[BOOK_NAME_MAX + 32];
    const struct payment_operation about = {
        .path = path, .verb = "get", .summary = summary, .offers = offers, .n = 0};
    struct payment_operation o = about;

    for (enum means m = MEANS_EMV; m <= MEANS_VOUCHER; m++) {
        if (!reg_service_takes(s, m))
            continue;
        offers[o.n++] = (struct payment_priced){
            .method = means_method(m), .intent = means_intent(m), .description = by[m]};
    }
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
