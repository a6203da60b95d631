/* A payment's way to the acquirer as the payment of an order: sealed, kept, and sent to the
 * mediator. */
#include "payer/pay_order.h"

#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/file.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"
#include "payer/credential.h"
#include "payer/home.h"
#include "payer/parameters.h"
#include "payer/pay_priv.h"
#include "payer/session.h"

void pay_order_free(struct pay_order *o)
{
    kept_order_free(&o->kept);
    submit_answer_free(&o->answer);
}

/* ---- the terminal ---- */

static enum tp_err order_prepare(struct payment *p, struct tp_error *e)
{
    const struct pay_order *o = p->options->order;
    const struct demand *d = o->demand;
    const struct parameters_place place = {.fetch = o->submitter.fetch,
                                           .origin = d->origin,
                                           .home = o->home,
                                           .authority = d->authority,
                                           .acquirer = d->order.acquirer,
                                           .version = d->parameters};
    struct parameters parameters = {0};
    enum tp_err r = parameters_get(&parameters, &place, e);

    if (r == TP_OK)
        r = parameters_terminal(&p->terminal, &parameters, &d->order, e);
    if (r == TP_OK)
        r = file_join(p->terminal->journal, sizeof(p->terminal->journal), o->user, HOME_JOURNAL, e);
    p->request.amount = d->amount;
    parameters_free(&parameters);
    return r == TP_OK ? pay_prepare_card(p, e) : r;
}

/* ---- the person ---- */

/* why: it is asked, where something is paid without; "". */
static enum tp_err ask_person(struct payment *p, const char *why, struct tp_error *e)
{
    const struct demand *d = p->options->order->demand;
    char *text = NULL, amount[MONEY_TEXT_MAX];
    const char *between = why[0] != '\0' ? "\n  " : "";
    bool yes = false;
    enum tp_err r = TP_OK;

    const struct purse_account *purse = p->options->order->purse;
    const char *code = p->options->order->code;

    if (asprintf(&text, "%s\n  %s\n  %s%s%s%s%s\nPay %s %s%s%s", d->origin, d->order.merchant,
                 d->order.item, code[0] != '\0' ? "\n  the page must show the code " : "", code,
                 between, why, money_format(amount, d->amount, d->currency), d->currency->alpha,
                 purse != NULL ? " from your purse at " : "", purse != NULL ? purse->name : "") < 0)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a question");
    r = person_agrees(p->person, text, &yes, e);
    free(text);
    if (r == TP_ERR_USAGE)
        return tp_fail(e, r,
                       "%s, \"%s\": there is no terminal to ask on whether to pay%s%s; --up-to "
                       "says what is paid without asking; nothing was paid",
                       p->what, d->order.item, why[0] != '\0' ? ", " : "", why);
    return r != TP_OK || yes ? r : tp_fail(e, TP_ERR_CANCELLED, "not wanted: nothing was paid");
}

enum tp_err pay_order_agree(struct payment *p, struct tp_error *e)
{
    struct pay_order *o = p->options->order;
    const struct demand *d = o->demand;
    const struct plan_means *means = plan_find(o->plan, demand_means(d));
    struct session session;
    char why[PLAN_WHY] = "";
    int64_t before;
    bool without = false;
    enum tp_err r = session_read(&session, p->journal, o->user, o->plan, time(NULL), e);

    if (r == TP_OK) {
        before = session_small(&session, demand_means(d), d->currency->numeric);
        without = plan_unasked(means, &o->up_to, d->amount, d->currency, before);
        plan_asks_why(why, means, &o->up_to, d->amount, d->currency, before);
    }
    o->submitter.pause = person_stays;
    o->submitter.ctx = p->person;
    /* Plan and session agree for who asked; not to what a page, whose order may be anybody's, asks
     * of the agent. */
    without = (without || o->session != NULL) && p->options->person.dialog == NULL;
    return r != TP_OK || o->agreed || without ? r : ask_person(p, why, e);
}

static enum tp_err order_reach(struct payment *p, struct tp_error *e)
{
    (void)e;
    pay_go_on(p, PAY_WAIT_CARD);
    return TP_OK;
}

/* The payment's identity is the order's; what the card signs is R. */
static enum tp_err order_identify(struct payment *p, struct tp_error *e)
{
    const struct demand *d = p->options->order->demand;
    struct transaction_request *rq = &p->request;
    struct tm now;
    time_t t;

    (void)e;
    _Static_assert(sizeof(rq->payee) == sizeof(d->r), "R goes into 9F7C");
    rq->date = (int)strtol(d->order.date, NULL, 10);
    rq->time = (int)strtol(d->order.time, NULL, 10);
    date_now(&now, &t);
    rq->zone = (int)(now.tm_gmtoff / 60);
    memcpy(rq->un, d->r, sizeof(rq->un));
    memcpy(rq->payee, d->r, sizeof(rq->payee));
    p->stan = (unsigned)strtoul(d->order.stan, NULL, 10);
    rq->counter = p->stan;
    return TP_OK;
}

/* ---- E ---- */

static enum tp_err order_connect(struct payment *p, struct tp_error *e)
{
    (void)p;
    (void)e;
    return TP_OK;
}

static enum tp_err make_secret(json_t **out, const struct payment *p, const struct transaction *tx,
                               struct span message, struct tp_error *e)
{
    const struct pay_order *o = p->options->order;
    struct credential_parts parts = {.demand = o->demand, .message = message, .claim = o->claim};
    json_t *device = NULL;
    enum tp_err r = TP_OK;

    if (!message_names_payee(pay_get, tx))
        r = device_key(&device, o->device, e);
    parts.device = device;
    if (r == TP_OK)
        r = credential_make(out, &parts, e);
    return r;
}

enum tp_err pay_order_keep(struct payment *p, json_t *secret, const char *statement, bool asks,
                           struct tp_error *e)
{
    struct pay_order *o = p->options->order;
    const struct demand *d = o->demand;
    char *challenge = json_dumps(d->json, JSON_COMPACT);

    kept_order_free(&o->kept);
    o->kept = (struct kept_order){.order = d->order.id,
                                  .origin = d->origin,
                                  .method = d->order.method,
                                  .url = d->order.url,
                                  .digest = d->order.digest,
                                  .item = d->order.item,
                                  .authority = d->authority->fingerprint,
                                  .asks = asks,
                                  .delivered = !o->content,
                                  .state = KEPT_SUBMITTING,
                                  .ticket = p->result->receipt,
                                  .made = time(NULL),
                                  .secret = secret,
                                  .session = o->session != NULL ? o->session->session : NULL,
                                  .owner = json_pack("[s?, s?]", challenge, statement)};
    o->kept.ticket.state = PAYMENT_SIGNED;
    o->kept.challenge = json_string_value(json_array_get(o->kept.owner, 0));
    o->kept.statement = json_string_value(json_array_get(o->kept.owner, 1));
    free(challenge);
    return o->kept.challenge != NULL && (statement == NULL || o->kept.statement != NULL)
               ? orders_add(p->journal, &o->kept, e)
               : tp_fail(e, TP_ERR_NO_MEMORY, "no memory for an order");
}

/* Durable before anything of it leaves. */
static enum tp_err keep(struct payment *p, const struct transaction *tx, struct span message,
                        bool asks, struct tp_error *e)
{
    json_t *secret = NULL;
    enum tp_err r = make_secret(&secret, p, tx, message, e);

    if (r != TP_OK)
        return r;
    r = orders_begin(p->journal, e);
    if (r == TP_OK)
        r = pay_order_keep(p, secret, NULL, asks, e);
    else
        json_decref(secret);
    return orders_end(p->journal, r, e);
}

static enum tp_err order_keep_question(struct payment *p, const struct transaction *tx,
                                       struct span message, struct tp_error *e)
{
    enum tp_err r;

    pay_fill_receipt(p, tx);
    p->result->has_receipt = false; /* not yet one to show */
    r = keep(p, tx, message, true, e);
    p->asked = p->options->order->kept.id;
    return r;
}

/* What came to nothing is to the card as if nobody had been reached. */
static enum tp_err order_ask(struct payment *p, struct buf *message, struct tp_error *e)
{
    struct pay_order *o = p->options->order;
    const enum tp_err r = submit_send(&o->submitter, &o->kept, &o->answer, e);

    (void)message;
    if (r != TP_OK)
        return r;
    if (o->answer.outcome == SUBMIT_PAID || o->answer.outcome == SUBMIT_APPROVED ||
        o->answer.outcome == SUBMIT_REFUSED)
        p->online = o->answer.wire;
    else
        wire_answer_set(&p->online, "91", NULL);
    return TP_OK;
}

/* ---- after the card's last word ---- */

/* Of a yes, the mediator is told that the card completed: as of what is signed and kept. */
static enum tp_err order_conclude(struct payment *p, enum pay_stage next, struct tp_error *e)
{
    struct pay_order *o = p->options->order;
    enum tp_err r;

    if (p->card.code == TP_OK)
        o->kept.ticket = p->result->receipt; /* of the last cryptogram */
    submit_settle(&o->kept, &o->answer);
    if (next == PAY_SETTLED)
        o->kept.state = KEPT_COMPLETING;
    else if (o->kept.state == KEPT_LOST)
        log_note("order %s: %s", o->kept.order, o->kept.ticket.reason);
    r = orders_update(p->journal, &o->kept, e);
    if (r == TP_OK)
        pay_go_on(p, next == PAY_SETTLED ? PAY_KEPT : next);
    return r;
}

/* Of a question whose answer nobody knows, the mediator is asked again by a later run, which gives
 * back what it then hears of. */
static enum tp_err order_give_back(struct payment *p, struct tp_error *e)
{
    struct pay_order *o = p->options->order;

    if (p->stage != PAY_APPROVED)
        return TP_OK;
    o->kept.state = KEPT_REVERSING;
    return orders_update(p->journal, &o->kept, e);
}

static bool order_reverse(struct payment *p, struct tp_error *e)
{
    struct pay_order *o = p->options->order;

    if (o->kept.state != KEPT_REVERSING) {
        (void)tp_fail(e, TP_ERR_PEER, "nobody knows whether the acquirer has it");
        return false;
    }
    if (submit_complete(&o->submitter, &o->kept, false, &o->answer, e) != TP_OK)
        return false;
    submit_settle(&o->kept, &o->answer);
    return orders_update(p->journal, &o->kept, e) == TP_OK;
}

static enum tp_err order_keep_signed(struct payment *p, struct tp_error *e)
{
    struct buf message = BUF_OF(p->message);
    enum tp_err r = message_build(&message, p->terminal, &p->request, p->undoes, p->stan,
                                  time(NULL), pay_get, p->result->tx, e);

    p->result->receipt.stan = p->stan;
    p->result->receipt.state = PAYMENT_SIGNED;
    if (r == TP_OK)
        r = keep(p, p->result->tx, buf_span(&message), false, e);
    if (r == TP_OK)
        pay_go_on(p, PAY_KEPT);
    return r;
}

static enum tp_err settle_kept(struct payment *p, struct tp_error *e)
{
    struct pay_order *o = p->options->order;
    enum tp_err r;

    submit_settle(&o->kept, &o->answer);
    p->result->receipt = o->kept.ticket;
    submit_begin(&o->submitter, p->journal, &o->kept, &o->answer);
    r = orders_update(p->journal, &o->kept, e);
    if (r == TP_OK && o->kept.state != KEPT_COMPLETING)
        pay_go_on(p, PAY_SETTLED);
    return r;
}

enum tp_err pay_order_deliver(struct payment *p, struct tp_error *e)
{
    struct pay_order *o = p->options->order;
    const int64_t start = time_monotonic_ms();
    enum tp_err r = TP_OK;

    if (o->kept.state == KEPT_SUBMITTING && o->hands_out) {
        p->result->receipt.state = PAYMENT_ACKNOWLEDGED; /* as far as it is asked of here */
        pay_go_on(p, PAY_SETTLED);
    } else if (o->kept.state == KEPT_SUBMITTING) {
        r = submit_send(&o->submitter, &o->kept, &o->answer, e);
        if (r == TP_OK && o->answer.outcome == SUBMIT_UNREACHED)
            r = tp_fail(e, TP_ERR_PEER, "the mediator does not reach the acquirer");
        if (r == TP_OK)
            r = settle_kept(p, e);
    }
    if (r == TP_OK && o->kept.state == KEPT_COMPLETING) {
        r = submit_complete(&o->submitter, &o->kept, true, &o->answer, e);
        if (r == TP_OK)
            r = settle_kept(p, e);
    }
    p->result->acquirer_ms += time_monotonic_ms() - start;
    return r;
}

const struct pay_way pay_by_order = {
    .prepare = order_prepare,
    .agree = pay_order_agree,
    .reach = order_reach,
    .identify = order_identify,
    .connect = order_connect,
    .keep_question = order_keep_question,
    .ask = order_ask,
    .conclude = order_conclude,
    .give_back = order_give_back,
    .reverse = order_reverse,
    .keep_signed = order_keep_signed,
    .deliver = pay_order_deliver,
    .takes_offline = false,
    .kept = N_("THE CARD HAS SIGNED: do not pay again. The acquirer has not acknowledged yet; the "
               "payment is kept, and the next `telepay get`, or `telepay order send`, sends it"),
    .reversal_kept =
        N_("nothing is paid by what the card signs alone. What was asked is kept, and the next "
           "`telepay get`, or `telepay order send`, gives it back if the acquirer has it"),
};
