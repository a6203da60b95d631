#include "wire/payment_charge.h"

#include <stdlib.h>
#include <string.h>

#include "base/money.h"
#include "wire/jcs.h"

bool payment_is_amount(const char *text)
{
    return *text != '\0' && text[strspn(text, "0123456789")] == '\0' &&
           (text[0] != '0' || text[1] == '\0');
}

static enum tp_err check(const struct payment_charge *c, struct tp_error *e)
{
    if (c->amount == NULL || !payment_is_amount(c->amount))
        return tp_fail(e, TP_ERR_FORMAT, "the request's amount: digits make one, in minor units");
    if (c->currency == NULL || c->currency[0] == '\0')
        return tp_fail(e, TP_ERR_FORMAT, "the request has no currency");
    if (c->method_details != NULL && !json_is_object(c->method_details))
        return tp_fail(e, TP_ERR_FORMAT, "the request's methodDetails are no object");
    return TP_OK;
}

enum tp_err payment_charge_read(struct payment_charge *out, const char *request, struct tp_error *e)
{
    struct payment_charge c = {0};
    enum tp_err r = jcs_decode(&c.owner, span_str(request), PAYMENT_REQUEST_MAX, e);

    *out = (struct payment_charge){0};
    if (r == TP_OK)
        r = jcs_text(&c.amount, c.owner, "amount", e);
    if (r == TP_OK)
        r = jcs_text(&c.currency, c.owner, "currency", e);
    if (r == TP_OK)
        r = jcs_text(&c.recipient, c.owner, "recipient", e);
    if (r == TP_OK)
        r = jcs_text(&c.description, c.owner, "description", e);
    if (r == TP_OK)
        r = jcs_text(&c.external_id, c.owner, "externalId", e);
    if (r != TP_OK) {
        (void)tp_error_prefix(e, "the request");
        goto out;
    }
    c.method_details = json_object_get(c.owner, "methodDetails");
    r = check(&c, e);
out:
    if (r == TP_OK)
        *out = c;
    else
        payment_charge_free(&c);
    return r;
}

void payment_charge_free(struct payment_charge *c)
{
    json_decref(c->owner);
    *c = (struct payment_charge){0};
}

enum tp_err payment_charge_write(char **request, const struct payment_charge *c, struct tp_error *e)
{
    json_t *object = NULL;
    enum tp_err r = check(c, e);

    *request = NULL;
    if (r != TP_OK)
        return r;
    object = json_object();
    if (object == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for JSON");
    r = jcs_set_text(object, "amount", c->amount, e);
    if (r == TP_OK)
        r = jcs_set_text(object, "currency", c->currency, e);
    if (r == TP_OK)
        r = jcs_set_text(object, "recipient", c->recipient, e);
    if (r == TP_OK)
        r = jcs_set_text(object, "description", c->description, e);
    if (r == TP_OK)
        r = jcs_set_text(object, "externalId", c->external_id, e);
    if (r == TP_OK)
        r = jcs_set_text(object, "unitType", c->unit_type, e);
    if (r == TP_OK && c->method_details != NULL &&
        json_object_set(object, "methodDetails", c->method_details) != 0)
        r = tp_fail(e, TP_ERR_NO_MEMORY, "no memory for JSON");
    if (r == TP_OK)
        r = jcs_encode(request, object, e);
    json_decref(object);
    return r;
}

enum tp_err payment_charge_amount(int64_t *minor, const struct payment_charge *c,
                                  struct tp_error *e)
{
    int64_t v = 0;

    for (const char *p = c->amount; *p != '\0'; p++) {
        v = v * 10 + (*p - '0');
        if (v > MONEY_MAX)
            return tp_fail(e, TP_ERR_RANGE, "the request's amount has more than 12 digits");
    }
    *minor = v;
    return TP_OK;
}
