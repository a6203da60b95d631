#include "purse/paying.h"

#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/money.h"
#include "order/order.h"
#include "wire/caaa.h"
#include "wire/jcs.h"
#include "wire/payment_challenge.h"

#define MEANS        "purse"
#define BODY_MEMBERS 2 /* or one more: a provision */

static int64_t number_of(const char *text)
{
    return strtoll(text, NULL, 10);
}

/* ---- the order ---- */

static bool is_of_statement(const struct order *o, const struct purse_statement *s)
{
    return strcmp(o->id, s->order) == 0 && strcmp(o->amount, s->amount) == 0 &&
           strcmp(o->currency, s->currency) == 0;
}

/* An order that takes no purse takes nothing by a purse. */
static int64_t ceiling_of(const struct order *o)
{
    for (size_t i = 0; i < o->n_means; i++)
        if (strcmp(o->means[i].name, MEANS) == 0)
            return number_of(o->means[i].ceiling);
    return 0;
}

static enum purse_verdict judge(const struct order *o, const struct payment_charge *charge,
                                const struct purse_statement *s, const char *acquirer)
{
    if (strcmp(o->acquirer, acquirer) != 0 || strlen(o->mediator) >= BOOK_MEDIATOR)
        return PURSE_ORDER_OTHER;
    return order_agrees(o, charge, NULL) == TP_OK && is_of_statement(o, s) ? PURSE_NEW
                                                                           : PURSE_ORDER_DIFFERS;
}

static void read_order(struct payment *p, const char *request, const struct purse_statement *s,
                       const struct order_authority *authority, const char *acquirer, time_t now,
                       struct tp_error *e)
{
    struct payment_charge charge = {.amount = NULL};
    struct order o = {.id = NULL};
    const char *jws = NULL;
    enum tp_err r = payment_charge_read(&charge, request, e);

    p->found = PURSE_ORDER;
    if (r == TP_OK)
        r = order_of_charge(&jws, &charge, e);
    if (r == TP_OK)
        r = order_read(&o, jws, authority, now, e);
    if (r == TP_OK || r == TP_ERR_TIMEOUT) {
        p->found = judge(&o, &charge, s, acquirer);
        p->ceiling = ceiling_of(&o);
        snprintf(p->contract, sizeof(p->contract), "%s", o.contract);
        snprintf(p->mediator, sizeof(p->mediator), "%.*s", BOOK_MEDIATOR - 1, o.mediator);
    }
    if (r == TP_ERR_TIMEOUT && p->found != PURSE_ORDER_OTHER)
        p->found = PURSE_ORDER_TIME;
    order_free(&o);
    payment_charge_free(&charge);
}

/* ---- the challenge ---- */

static enum tp_err read_challenge(struct paying *out, struct payment_challenge *c,
                                  const json_t *object, struct tp_error *e)
{
    json_t *whole = NULL;
    enum tp_err r = payment_challenge_from_json(c, object, e);

    if (r == TP_OK && (strcmp(c->method, MEANS) != 0 || strcmp(c->intent, PAYMENT_CHARGE) != 0))
        r = tp_fail(e, TP_ERR_FORMAT, "the challenge asks for no payment by purse");
    if (r == TP_OK)
        r = payment_challenge_to_json(&whole, c, e);
    if (r == TP_OK)
        r = jcs_write(&out->challenge, whole, e);
    if (r == TP_OK && strlen(out->challenge) > CAAA_SIGNED_MAX) /* it will have to be collected */
        r = tp_fail(e, TP_ERR_RANGE, "the challenge has more than %d bytes", CAAA_SIGNED_MAX);
    json_decref(whole);
    return r;
}

static enum tp_err check_r(struct payment *p, const struct payment_challenge *c,
                           const struct purse_statement *s, struct tp_error *e)
{
    uint8_t r[PAYMENT_R];
    const enum tp_err code = payment_challenge_r(r, c, e);

    if (code != TP_OK)
        return code;
    return strcmp(base64url_encode(p->r, SPAN_OF(r)), s->r) == 0
               ? TP_OK
               : tp_fail(e, TP_ERR_STATE, "another challenge was signed");
}

/* ---- all of it ---- */

void paying_of_statement(struct payment *out, const struct purse_statement *s, const char *jws)
{
    const struct currency *c = currency_by_alpha(s->currency);

    snprintf(out->account, sizeof(out->account), "%s", s->account);
    memcpy(out->key, s->key, sizeof(out->key));
    out->counter = number_of(s->counter);
    out->amount = number_of(s->amount);
    out->currency = c != NULL ? c->numeric : 0;
    out->statement = jws;
}

static enum tp_err copy(char **out, const char *text, struct tp_error *e)
{
    *out = text != NULL ? strdup(text) : NULL;
    return text == NULL || *out != NULL ? TP_OK : tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
}

static enum tp_err read_body(json_t **body, const json_t **challenge, struct paying *out,
                             struct span text, struct tp_error *e)
{
    const char *jws = NULL, *provision = NULL;
    enum tp_err r = jcs_read(body, text, e);

    if (r == TP_OK)
        r = jcs_text(&jws, *body, "payment", e);
    if (r == TP_OK)
        r = jcs_text(&provision, *body, "provision", e);
    *challenge = json_object_get(*body, "challenge");
    if (r == TP_OK && (jws == NULL || !json_is_object(*challenge) ||
                       json_object_size(*body) != BODY_MEMBERS + (provision != NULL)))
        r = tp_fail(e, TP_ERR_FORMAT,
                    "it is not challenge, payment, perhaps provision, and no more");
    if (r == TP_OK)
        r = copy(&out->statement, jws, e);
    return r == TP_OK ? copy(&out->provision_text, provision, e) : r;
}

/* What opens a session beside the payment is of its account and its mediator, or none. */
static enum tp_err read_provision(struct paying *out, const char *acquirer, struct tp_error *e)
{
    struct purse_statement s = {.key = {0}};
    struct provision *v = &out->provision;
    enum tp_err r;

    if (out->provision_text == NULL)
        return TP_OK;
    r = purse_statement_read(&s, PURSE_PROVISION, out->provision_text, e);
    if (r == TP_OK)
        r = time_parse(&v->until, s.until);
    if (r == TP_OK && strcmp(s.acquirer, acquirer) == 0 &&
        strcmp(s.account, out->payment.account) == 0 &&
        strcmp(s.mediator, out->payment.mediator) == 0) {
        snprintf(v->session, sizeof(v->session), "%s", s.session);
        snprintf(v->by.mediator, sizeof(v->by.mediator), "%s", out->payment.mediator);
        paying_of_statement(&v->by, &s, out->provision_text);
    }
    purse_statement_free(&s);
    return r;
}

static enum purse_verdict verdict_of(enum tp_err r)
{
    switch (r) {
    case TP_OK:
        return PURSE_NEW;
    case TP_ERR_SECURITY:
        return PURSE_SIGNATURE;
    case TP_ERR_STATE:
        return PURSE_CHALLENGE;
    case TP_ERR_NO_MEMORY:
    case TP_ERR_INTERNAL:
        return PURSE_FAULT;
    default:
        return PURSE_MALFORMED;
    }
}

enum purse_verdict paying_read(struct paying *out, struct span body,
                               const struct order_authority *authority, const char *acquirer,
                               time_t now, struct tp_error *e)
{
    struct purse_statement s = {.key = {0}};
    struct payment_challenge c;
    const json_t *challenge = NULL;
    json_t *read = NULL;
    enum tp_err r = read_body(&read, &challenge, out, body, e);

    if (r == TP_OK)
        r = purse_statement_read(&s, PURSE_PAYMENT, out->statement, e);
    if (r == TP_OK)
        r = read_challenge(out, &c, challenge, e);
    if (r == TP_OK)
        r = check_r(&out->payment, &c, &s, e);
    if (r == TP_OK) {
        paying_of_statement(&out->payment, &s, out->statement);
        snprintf(out->payment.order, sizeof(out->payment.order), "%s", s.order);
        out->payment.challenge = out->challenge;
        read_order(&out->payment, c.request, &s, authority, acquirer, now, e);
        r = read_provision(out, acquirer, e);
    }
    purse_statement_free(&s);
    json_decref(read);
    return verdict_of(r);
}

void paying_free(struct paying *p)
{
    free(p->statement);
    free(p->challenge);
    free(p->provision_text);
    *p = (struct paying){.statement = NULL};
}
