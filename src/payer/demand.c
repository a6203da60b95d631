#include "payer/demand.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/date.h"
#include "payer/address.h"
#include "wire/payment_digest.h"

bool demand_is_payable(const struct payment_challenge *offer, const char *means)
{
    static const char *const all[] = {DEMAND_CARD, DEMAND_PURSE};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if ((means == NULL || strcmp(means, all[i]) == 0) && strcmp(offer->method, all[i]) == 0)
            return strcmp(offer->intent, PAYMENT_CHARGE) == 0 ||
                   (strcmp(all[i], DEMAND_PURSE) == 0 &&
                    strcmp(offer->intent, DEMAND_SESSION) == 0);
    return false;
}

const char *demand_means(const struct demand *d)
{
    return d->challenge.method;
}

bool demand_is_by_purse(const struct demand *d)
{
    return strcmp(demand_means(d), DEMAND_PURSE) == 0;
}

bool demand_is_in_session(const struct demand *d)
{
    return demand_is_by_purse(d) && strcmp(d->challenge.intent, DEMAND_SESSION) == 0;
}

static enum tp_err take_challenge(struct demand *out, const struct payment_challenge *challenge,
                                  struct tp_error *e)
{
    enum tp_err r = payment_challenge_to_json(&out->json, challenge, e);

    if (r == TP_OK)
        r = payment_challenge_from_json(&out->challenge, out->json, e);
    if (r == TP_OK && !demand_is_payable(&out->challenge, NULL))
        r = tp_fail(e, TP_ERR_FORMAT, "it is to be paid neither by card nor by purse");
    if (r == TP_OK)
        r = payment_challenge_r(out->r, &out->challenge, e);
    return r == TP_OK ? payment_charge_read(&out->charge, out->challenge.request, e) : r;
}

/* By whichever authority it is good; when by none, the fault that says most is told. */
static enum tp_err take_order(struct demand *out, const struct authorities *all, time_t at,
                              struct tp_error *e)
{
    const char *jws = NULL;
    struct tp_error why = {0};
    enum tp_err r = order_of_charge(&jws, &out->charge, e), first = TP_OK;

    if (r != TP_OK)
        return r;
    if (all->n == 0)
        return tp_fail(e, TP_ERR_SECURITY,
                       "no acquirer's authority is trusted yet: telepay authority add FILE");
    for (size_t i = 0; i < all->n; i++) {
        order_free(&out->order);
        r = order_read(&out->order, jws, all->list[i].orders, at, &why);
        if (r == TP_OK) {
            out->authority = &all->list[i];
            return TP_OK;
        }
        if (first == TP_OK || r == TP_ERR_TIMEOUT) {
            first = r;
            tp_fail(e, r, "%s", why.text);
        }
    }
    return first;
}

static enum tp_err check_expiry(const struct demand *d, time_t at, struct tp_error *e)
{
    time_t expires = 0;
    enum tp_err r;

    if (d->challenge.expires == NULL)
        return TP_OK;
    r = time_parse(&expires, d->challenge.expires);
    if (r != TP_OK)
        return tp_fail(e, r, "it expires at a time that is none");
    return at <= expires + ORDER_GRACE
               ? TP_OK
               : tp_fail(e, TP_ERR_TIMEOUT, "the demand has expired: ask again");
}

static const char *means_word(const struct demand *d)
{
    return demand_is_by_purse(d) ? "purse" : "card";
}

static enum tp_err check_means(struct demand *d, struct tp_error *e)
{
    const struct order *o = &d->order;
    enum tp_err r = payment_charge_amount(&d->amount, &d->charge, e);

    if (r != TP_OK)
        return r;
    d->currency = currency_by_alpha(o->currency);
    if (d->currency == NULL)
        return tp_fail(e, TP_ERR_FORMAT, "its currency is none of ISO 4217");
    for (size_t i = 0; i < o->n_means; i++)
        if (strcmp(o->means[i].name, demand_means(d)) == 0)
            return strtoll(o->means[i].ceiling, NULL, 10) >= d->amount
                       ? TP_OK
                       : tp_fail(e, TP_ERR_SECURITY, "its amount is over what it takes by %s",
                                 means_word(d));
    return tp_fail(e, TP_ERR_SECURITY, "the order itself is not to be paid by %s", means_word(d));
}

static enum tp_err take_sealing(struct demand *d, time_t at, struct tp_error *e)
{
    const json_t *details = d->charge.method_details;
    const char *version = json_string_value(json_object_get(details, "parameters"));
    enum tp_err r = order_holder_read(&d->sealing, d->authority->orders,
                                      json_object_get(details, "acquirer"), PKI_SEALING, at, e);

    if (r == TP_OK && strcmp(d->sealing.common_name, d->order.acquirer) != 0)
        r = tp_fail(e, TP_ERR_SECURITY, "it is to be sealed to another acquirer than its order's");
    if (version != NULL)
        d->parameters = strtoll(version, NULL, 10);
    return r;
}

enum tp_err demand_read(struct demand *out, const struct payment_challenge *challenge,
                        const struct authorities *authorities, time_t at, struct tp_error *e)
{
    enum tp_err r;

    *out = (struct demand){0};
    r = take_challenge(out, challenge, e);
    if (r == TP_OK)
        r = take_order(out, authorities, at, e);
    if (r == TP_OK)
        r = order_agrees(&out->order, &out->charge, e);
    if (r == TP_OK)
        r = check_expiry(out, at, e);
    if (r == TP_OK)
        r = check_means(out, e);
    if (r == TP_OK && !demand_is_by_purse(out))
        r = take_sealing(out, at, e);
    if (r == TP_OK)
        r = address_origin(out->origin, sizeof(out->origin), out->order.url, e);
    if (r == TP_OK)
        r = address_may_pay(out->order.url, e);
    if (r != TP_OK)
        (void)tp_error_prefix(e, "what is demanded is not paid");
    return r;
}

void demand_free(struct demand *d)
{
    order_free(&d->order);
    order_holder_free(&d->sealing);
    payment_charge_free(&d->charge);
    json_decref(d->json);
    *d = (struct demand){0};
}

static bool same_digest(const char *text, const struct span *body)
{
    uint8_t said[32], is[32];

    if (text == NULL || body == NULL)
        return text == NULL && body == NULL;
    return payment_digest_read(said, text, NULL) == TP_OK &&
           EVP_Q_digest(NULL, "SHA256", NULL, body->p, body->n, is, NULL) == 1 &&
           memcmp(said, is, sizeof(is)) == 0;
}

enum tp_err demand_is_for(const struct demand *d, const char *method, const char *url,
                          const struct span *body, struct tp_error *e)
{
    const struct order *o = &d->order;

    if (strcmp(o->method, method) != 0)
        return tp_fail(e, TP_ERR_SECURITY,
                       "the order is for a %.20s, not for the %.20s that was "
                       "asked: not paid",
                       o->method, method);
    if (!address_same(o->url, url))
        return tp_fail(e, TP_ERR_SECURITY,
                       "the order is of %.150s, not of %.150s, which was asked for: not paid",
                       o->url, url);
    return same_digest(o->digest, body) ? TP_OK
                                        : tp_fail(e, TP_ERR_SECURITY,
                                                  "the order is of another body than was sent: not "
                                                  "paid");
}
