#include "mediator/challenge.h"

#include <inttypes.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/date.h"
#include "order/order.h"
#include "wire/jcs.h"

void challenge_order_id(char out[BOOK_ORDER_ID])
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
    uint8_t bytes[BOOK_ORDER_ID - 1];

    if (RAND_bytes(bytes, sizeof(bytes)) != 1)
        abort(); /* without random numbers nothing here is safe */
    for (size_t i = 0; i < sizeof(bytes); i++)
        out[i] = letters[bytes[i] % 32];
    /* 26 characters hold 130 bits: the last of an encoding of 128 has two zero bits at its end */
    out[BOOK_ORDER_ID - 2] = letters[bytes[BOOK_ORDER_ID - 2] % 8 * 4];
    out[BOOK_ORDER_ID - 1] = '\0';
}

struct texts { /* what an order borrows while it is signed */
    char amount[24], ceiling[24], currency[4];
    char quote[BASE64URL_SIZE(32)], nonce[BASE64URL_SIZE(16)];
    char issued[TIME_TEXT_MAX], until[TIME_TEXT_MAX];
    char stan[16], date[24], clock[24];
    char back[256 + BOOK_ORDER_ID];
};

static enum tp_err fill_texts(struct texts *t, const struct orderbook_attempt *a,
                              const struct orderbook_order *o, const struct reg_contract *c,
                              const uint8_t quote[32], const struct issuing *by, struct tp_error *e)
{
    uint8_t nonce[16];

    if (RAND_bytes(nonce, sizeof(nonce)) != 1)
        return tp_fail(e, TP_ERR_INTERNAL, "the system gives no random numbers");
    snprintf(t->amount, sizeof(t->amount), "%" PRId64, o->amount);
    snprintf(t->ceiling, sizeof(t->ceiling), "%" PRId64, c->ceiling);
    currency_small(t->currency, c->currency->numeric);
    base64url_encode(t->quote, span_of(quote, 32));
    base64url_encode(t->nonce, SPAN_OF(nonce));
    time_format_utc(t->issued, time(NULL));
    time_format_utc(t->until, o->valid_until);
    snprintf(t->stan, sizeof(t->stan), "%06" PRIu32, a->stan);
    snprintf(t->date, sizeof(t->date), "%08" PRId64, a->local_time / 1000000);
    snprintf(t->clock, sizeof(t->clock), "%06" PRId64, a->local_time % 1000000);
    snprintf(t->back, sizeof(t->back), "%s/orders/%s", by->origin, o->id);
    return TP_OK;
}

static enum tp_err sign_order(char **jws, const struct texts *t, const struct orderbook_order *o,
                              const struct reg_contract *c, struct tp_error *e)
{
    struct order order = {
        .id = o->id,
        .contract = c->id,
        .merchant = o->merchant,
        .item = o->item,
        .amount = t->amount,
        .currency = t->currency,
        .delivery = delivery_name(o->delivery),
        .quote = t->quote,
        .nonce = t->nonce,
        .issued = t->issued,
        .valid_until = t->until,
        .return_to = t->back,
        .acquirer = c->acquirer->id,
        .method = o->method,
        .url = o->url,
        .digest = o->digest[0] != '\0' ? o->digest : NULL,
        .means = {{means_method(c->acquirer->means), t->ceiling}},
        .n_means = 1,
    };

    if (c->acquirer->means == MEANS_EMV) {
        order.terminal = c->terminal;
        order.stan = t->stan;
        order.date = t->date;
        order.time = t->clock;
        order.country = c->country;
        order.mcc = c->mcc;
    }
    return order_write(jws, &order, &c->key, e);
}

/* Clients in browsers and Node take ASCII alone in a field. */
static bool is_ascii(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text < ' ' || *text > '~')
            return false;
    return true;
}

/* What the method needs beside the order. */
static json_t *method_details(const char *jws, const struct reg_acquirer *a)
{
    return a->means == MEANS_EMV
               ? json_pack("{s:s,s:O,s:s*}", "order", jws, "acquirer", a->sealing, "parameters",
                           a->version[0] != '\0' ? a->version : NULL)
               : json_pack("{s:s,s:s}", "order", jws, "purse", a->url);
}

static enum tp_err write_request(char **out, const char *jws, const struct texts *t,
                                 const struct orderbook_order *o, const struct reg_contract *c,
                                 enum means means, struct tp_error *e)
{
    struct payment_charge charge = {
        .amount = t->amount,
        .currency = t->currency,
        .recipient = c->id,
        .description = o->item,
        .external_id = o->id,
        .unit_type = means == MEANS_VOUCHER ? "page" : NULL,
        .method_details = method_details(jws, c->acquirer),
    };
    enum tp_err r;

    if (charge.method_details == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a challenge");
    r = payment_charge_write(out, &charge, e);
    json_decref(charge.method_details);
    return r;
}

/* The challenge around it, with its id, as JSON. */
static enum tp_err bind(struct orderbook_attempt *a, const char *request, const struct texts *t,
                        const struct orderbook_order *o, const char *header,
                        const struct issuing *by, struct tp_error *e)
{
    char id[PAYMENT_ID_SIZE];
    struct payment_challenge c = {
        .id = id,
        .realm = by->realm,
        .method = means_method(a->means),
        .intent = means_intent(a->means),
        .request = request,
        .expires = t->until,
        .digest = o->digest[0] != '\0' ? o->digest : NULL,
        .description = is_ascii(o->item) ? o->item : NULL,
        .header = header,
    };
    json_t *object = NULL;
    enum tp_err r = payment_challenge_id(id, by->key, &c);

    if (r != TP_OK)
        return tp_fail(e, r, "a challenge cannot be bound");
    r = payment_challenge_to_json(&object, &c, e);
    if (r == TP_OK) {
        snprintf(a->challenge_id, sizeof(a->challenge_id), "%s", id);
        a->challenge = json_dumps(object, JSON_COMPACT);
        if (a->challenge == NULL)
            r = tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a challenge");
    }
    json_decref(object);
    return r;
}

/* The number, day and time by which a card's payment is known. */
static enum tp_err number_it(struct orderbook_attempt *a, struct reg_contract *c,
                             struct tp_error *e)
{
    struct tm now;
    time_t at;

    if (c->acquirer->means != MEANS_EMV)
        return TP_OK;
    date_now(&now, &at);
    a->local_time = (int64_t)date_of(at) * 1000000 + now.tm_hour * 10000 + now.tm_min * 100 +
                    (now.tm_sec < 60 ? now.tm_sec : 59);
    snprintf(a->terminal, sizeof(a->terminal), "%s", c->terminal);
    return contract_stan(c, date_of(at), &a->stan, e);
}

enum tp_err challenge_make(struct orderbook_attempt *a, const struct orderbook_order *o,
                           const uint8_t quote[32], const char *header, const struct issuing *by,
                           struct tp_error *e)
{
    struct reg_contract *c = registry_contract(by->registry, a->contract);
    struct texts t;
    char *jws = NULL, *request = NULL;
    enum tp_err r;

    if (c == NULL)
        return tp_fail(e, TP_ERR_NOT_FOUND, "the contract %s is not known any more", a->contract);
    if (o->amount > c->ceiling)
        return tp_fail(e, TP_ERR_RANGE, "it costs more than the contract takes at once");
    if (a->means != MEANS_VOUCHER)
        a->means = c->acquirer->means;
    snprintf(a->acquirer, sizeof(a->acquirer), "%s", c->acquirer->id);
    r = number_it(a, c, e);
    if (r == TP_OK)
        r = fill_texts(&t, a, o, c, quote, by, e);
    if (r == TP_OK)
        r = sign_order(&jws, &t, o, c, e);
    if (r == TP_OK)
        r = write_request(&request, jws, &t, o, c, a->means, e);
    if (r == TP_OK)
        r = bind(a, request, &t, o, header, by, e);
    free(jws);
    free(request);
    return r;
}

enum tp_err challenge_of(struct payment_challenge *out, json_t **owner,
                         const struct orderbook_attempt *a, struct tp_error *e)
{
    enum tp_err r = jcs_read(owner, span_str(a->challenge), e);

    return r == TP_OK ? payment_challenge_from_json(out, *owner, e) : r;
}

const char *challenge_header(const struct orderbook_attempt *a)
{
    struct payment_challenge c = {.header = NULL};
    json_t *owner = NULL;
    const bool other = challenge_of(&c, &owner, a, NULL) == TP_OK && c.header != NULL;

    json_decref(owner);
    return other ? PAYMENT_HEADER : NULL;
}
