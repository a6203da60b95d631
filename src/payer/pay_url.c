#include "payer/pay_url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/base64.h"
#include "base/log.h"
#include "base/text.h"
#include "base/word.h"
#include "payer/address.h"
#include "payer/device.h"
#include "payer/dialog.h"
#include "wire/jcs.h"

#define PATH       "/orders/"
#define EXCHANGE_S 60
#define RELEASE_S  2 /* nothing but another device's waiting hangs on it */

static enum tp_err not_to_pay(const char *state, struct tp_error *e)
{
    char shown[64];

    snprintf(shown, sizeof(shown), "%s", state != NULL ? state : "not known");
    word_make_shown(shown);
    return tp_fail(e, TP_ERR_STATE, "the order is not to be paid: it is %s", shown);
}

/* All ways to pay, as texts; a mediator of before names one. */
static enum tp_err take_offers(struct payment_offers *out, const json_t *list, const char *single,
                               struct tp_error *e)
{
    enum tp_err r = TP_OK;

    if (json_array_size(list) == 0)
        return payment_offers_add(out, span_str(single), e);
    for (size_t i = 0; r == TP_OK && i < json_array_size(list); i++) {
        const json_t *text = json_array_get(list, i);

        r = json_is_string(text)
                ? payment_offers_add(out,
                                     span_of(json_string_value(text), json_string_length(text)), e)
                : tp_fail(e, TP_ERR_FORMAT, "a way to pay the order is no text");
    }
    return r;
}

/* What is to be paid, by the state that the mediator tells. */
static enum tp_err take_challenge(struct payment_offers *out, const struct pay_url *u,
                                  struct tp_error *e)
{
    json_t *body = NULL;
    const char *challenge = NULL, *state = NULL;
    enum tp_err r = jcs_read(&body, fetch_body(u->fetch), e);

    if (r == TP_OK)
        r = jcs_text(&state, body, "state", e);
    if (r == TP_OK)
        r = jcs_text(&challenge, body, "challenge", e);
    if (r == TP_OK && challenge == NULL)
        r = not_to_pay(state, e);
    if (r == TP_OK)
        r = take_offers(out, json_object_get(body, "challenges"), challenge, e);
    json_decref(body);
    return r;
}

/* A page may name any address, and what answers there may take a question from this machine for
 * its person's. */
static enum tp_err agree_near(struct pay_url *u, const struct pay_url_options *o,
                              struct tp_error *e)
{
    struct dialog *d = NULL;
    char *text = NULL;
    bool yes = false;
    enum tp_err r = dialog_open(&d, o->pay.person.dialog, e);

    if (r == TP_OK && asprintf(&text,
                               "A page asks for a payment at an address of your own network:\n%s\n"
                               "Ask there what is to be paid?",
                               o->url) < 0)
        r = tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a question");
    if (r == TP_OK)
        r = dialog_agrees(d, text, &yes, e);
    if (r == TP_OK && !yes)
        r = tp_fail(e, TP_ERR_CANCELLED, "%s is not asked: nothing was paid", o->url);
    fetch_bar_near(u->fetch, false);
    free(text);
    dialog_close(&d);
    return r;
}

static enum tp_err fetch_order(struct payment_offers *out, struct pay_url *u,
                               const struct pay_url_options *o, struct tp_error *e)
{
    const char *url = o->url;
    static const char *const headers[] = {"Accept: application/json", NULL};
    const struct fetch_request request = {.url = url, .headers = headers, .seconds = EXCHANGE_S};
    enum tp_err r = address_may_pay(url, e);

    fetch_bar_near(u->fetch, o->pay.person.dialog != NULL); /* else its person typed it */
    if (r == TP_OK)
        r = fetch_send(u->fetch, &request, e);
    if (r != TP_OK && fetch_met_near(u->fetch)) {
        r = agree_near(u, o, e);
        if (r == TP_OK)
            r = fetch_send(u->fetch, &request, e);
    }
    if (r == TP_OK)
        fetch_say(u->fetch, "D  %ld", fetch_status(u->fetch));
    if (r == TP_OK && fetch_status(u->fetch) != 200)
        r = tp_fail(e, TP_ERR_PEER, "%.200s answers %ld: there is no such order", url,
                    fetch_status(u->fetch));
    return r == TP_OK ? take_challenge(out, u, e) : r;
}

/* The order is the one that the address names, at its mediator. */
static enum tp_err check_address(const struct demand *d, const char *url, struct tp_error *e)
{
    char whole[DEMAND_ORIGIN + 64];

    snprintf(whole, sizeof(whole), "%s" PATH "%s", d->origin, d->order.id);
    return address_same(whole, url) ? TP_OK
                                    : tp_fail(e, TP_ERR_SECURITY,
                                              "what is demanded at %.150s is another order, or of "
                                              "another mediator: not paid",
                                              url);
}

/* The claim, to what the order has for it: to take it, to give it back. */
static enum tp_err send_claim(const struct pay_url *u, const char *what, int seconds,
                              struct tp_error *e)
{
    static const char *const headers[] = {"Content-Type: application/json", NULL};
    char url[DEMAND_ORIGIN + 64], text[BASE64URL_SIZE(16)], body[64];
    const int n = snprintf(body, sizeof(body), "{\"claim\":\"%s\"}",
                           base64url_encode(text, SPAN_OF(u->claim)));
    const struct fetch_request request = {.url = url,
                                          .headers = headers,
                                          .has_body = true,
                                          .body = span_of(body, (size_t)n),
                                          .seconds = seconds};

    snprintf(url, sizeof(url), "%s" PATH "%s/%s", u->demand.origin, u->demand.order.id, what);
    return fetch_send(u->fetch, &request, e);
}

/* Nothing was signed, and so nothing can be submitted: another device may pay. Where that is not
 * heard, this one still can. */
static void release(const struct pay_url *u)
{
    struct tp_error e = {0};

    if (send_claim(u, "release", RELEASE_S, &e) == TP_OK)
        fetch_say(u->fetch, "the order is given back: %ld", fetch_status(u->fetch));
    else
        fetch_say(u->fetch, "the order is not given back: %s", e.text);
}

static enum tp_err claim(struct pay_url *u, struct tp_error *e)
{
    json_t *answer = NULL;
    const char *code = NULL, *state = NULL;
    enum tp_err r = send_claim(u, "claim", EXCHANGE_S, e);

    if (r == TP_OK && fetch_status(u->fetch) == 409)
        return tp_fail(e, TP_ERR_STATE,
                       "another device has taken this order: if it is one of yours, say no there; "
                       "if it is none, somebody else saw the page or its code");
    if (r == TP_OK && fetch_status(u->fetch) != 200)
        return tp_fail(e, TP_ERR_PEER, "the order cannot be taken: %s answers %ld",
                       u->demand.origin, fetch_status(u->fetch));
    if (r == TP_OK)
        r = jcs_read(&answer, fetch_body(u->fetch), e);
    if (r == TP_OK)
        r = jcs_text(&code, answer, "code", e);
    if (r == TP_OK)
        r = jcs_text(&state, answer, "state", e);
    if (r == TP_OK && state != NULL && strcmp(state, "claimed") != 0) /* paid since it was read */
        r = not_to_pay(state, e);
    if (r == TP_OK && code != NULL) {
        snprintf(u->order.code, sizeof(u->order.code), "%s", code);
        word_make_shown(u->order.code);
        log_note("the page that shows this order must show the code %s", u->order.code);
    }
    json_decref(answer);
    return r;
}

/* The claim is that of the user's device, and so of each of its runs: one that gave it back would
 * give back what another is about to sign. */
static enum tp_err take_alone(const struct pay_url *u, struct tp_error *e)
{
    bool got = false;
    const enum tp_err r = orders_take(u->checkout.journal, u->demand.order.id, &got, e);

    return r != TP_OK || got ? r
                             : tp_fail(e, TP_ERR_STATE,
                                       "another telepay of yours is paying this order: answer "
                                       "there, or end it; nothing was done here");
}

/* What an earlier run signed and nobody has settled is never signed again. */
static enum tp_err check_signed(const struct pay_url *u, struct tp_error *e)
{
    struct kept_order owed = {0};
    bool found;
    const enum tp_err r = checkout_owed(&u->checkout, &u->demand, &owed, &found, e);

    kept_order_free(&owed);
    return r;
}

static enum tp_err take(struct pay_url *u, const struct pay_url_options *o, struct tp_error *e)
{
    struct payment_offers offers = {0};
    json_t *key = NULL;
    uint8_t own[ORDERS_OWN];
    enum tp_err r = checkout_open(&u->checkout, &o->checkout, u->fetch, e);

    u->checkout.device.code.dialog = o->pay.person.dialog;
    if (r == TP_OK)
        r = fetch_order(&offers, u, o, e);
    if (r == TP_OK) {
        r = checkout_choose(&u->checkout, &u->demand, &offers, NULL, e);
        if (r == TP_ERR_NOT_FOUND)
            r = tp_fail(e, TP_ERR_CANCELLED, "the order is not to be paid by %s",
                        o->checkout.means != NULL ? o->checkout.means : _("card or purse"));
    }
    if (r == TP_OK)
        r = check_address(&u->demand, o->url, e);
    if (r == TP_OK)
        r = take_alone(u, e);
    if (r == TP_OK)
        r = check_signed(u, e);
    if (r == TP_OK)
        r = checkout_allows(&u->checkout, &u->demand, e);
    if (r == TP_OK)
        r = device_key(&key, &u->checkout.device, e);
    if (r == TP_OK)
        r = orders_own(u->checkout.journal, own, e);
    if (r == TP_OK)
        r = device_claim(u->claim, key, SPAN_OF(own), u->demand.order.id, e);
    if (r == TP_OK)
        r = claim(u, e);
    payment_offers_free(&offers);
    return r;
}

void pay_url_run(struct pay_url *u, struct pay_result *result,
                 const struct pay_url_options *options)
{
    const struct fetch_options fetch = {.cacert = options->checkout.cacert,
                                        .verbose = options->verbose};
    enum tp_err r;

    *u = (struct pay_url){0};
    memset(result, 0, sizeof(*result));
    r = fetch_new(&u->fetch, &fetch, &result->error);
    if (r == TP_OK) {
        checkout_recover(&options->checkout, u->fetch);
        r = take(u, options, &result->error);
    }
    if (r != TP_OK) {
        result->error.code = r;
        result->exit = (enum cli_exit)cli_exit_of(r);
        return;
    }
    u->order.demand = &u->demand;
    u->order.claim = u->claim;
    checkout_pay(&u->checkout, &u->order, &options->pay, result);
    if (u->order.kept.id == 0)
        release(u);
}

void pay_url_free(struct pay_url *u)
{
    pay_order_free(&u->order);
    demand_free(&u->demand);
    checkout_close(&u->checkout);
    fetch_free(&u->fetch);
}
