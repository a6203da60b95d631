/* What a service said of a visit: a quote, which becomes an order, or what was asked for; and of a
 * stream its next unit. */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/log.h"
#include "mediator/say.h"
#include "mediator/stream.h"

static void say_service(struct visit *v, unsigned status, const char *detail)
{
    say_simple(v, status, detail);
    visit_end(v);
}

bool visit_answered(struct visit *v, const struct http_said *said)
{
    if (said->r == TP_OK && said->status == 200)
        return true;
    if (said->r == TP_OK && (said->status == 400 || said->status == 404 || said->status == 405)) {
        say_service(v, (unsigned)said->status, "the service does not sell that");
        return false;
    }
    if (said->r != TP_OK)
        log_error("service %s at %s: %s", v->service->name, v->service->url, said->e.text);
    else
        log_error("service %s at %s answers %ld", v->service->name, v->service->url, said->status);
    say_service(v, MHD_HTTP_SERVICE_UNAVAILABLE,
                "the service cannot be asked now, and nothing is to be paid: ask again later");
    return false;
}

void visit_given(struct visit *v, const struct http_said *said)
{
    struct content *c;

    if (!visit_answered(v, said))
        return;
    c = content_new(said->type[0] != '\0' ? said->type : "application/octet-stream", said->body);
    say_free(v, c);
    content_drop(&c);
    visit_end(v);
}

void visit_undelivered(struct visit *v, bool final)
{
    if (final)
        visit_wait(v, DELIVER_S);
    else
        say_service(v, MHD_HTTP_SERVICE_UNAVAILABLE,
                    "it is paid, and the service does not deliver it now: ask the same again");
}

void visit_delivered(struct visit *v, const struct orderbook_order *o,
                     const struct orderbook_attempt *a, struct content *c)
{
    const struct say_problem p = {
        .type = PAYMENT_OTHER,
        .status = MHD_HTTP_SERVICE_UNAVAILABLE,
        .detail = "it is paid and was delivered; the service cannot deliver it again now: ask the "
                  "same again later",
        .order = o,
        .retry_after = 5,
        .consumed = 1};

    if (c != NULL)
        say_content(v, o, a, c);
    else
        say_problem(v, &p);
    visit_end(v);
}

/* One challenge more of a move, if its contract takes the order. */
static enum tp_err add_challenge(struct move *m, struct visit *v, size_t contract, enum means means,
                                 const uint8_t quote[32], struct tp_error *e)
{
    const bool first = m->attempt.n == 0;
    struct orderbook_attempt *a = first ? &m->attempt : &m->others[m->n_others];
    enum tp_err r;

    *a = (struct orderbook_attempt){.n = first ? 1 : (uint32_t)m->n_others + 2,
                                    .place = (uint32_t)contract + 1,
                                    .means = means};
    if (means == MEANS_VOUCHER) /* behind all charges */
        a->place += (uint32_t)v->service->contracts;
    memcpy(a->order, m->order.id, sizeof(a->order));
    memcpy(a->contract, v->service->contract[contract]->id, sizeof(a->contract));
    r = challenge_make(a, &m->order, quote, v->header, &v->m->issuing, e);
    if (r != TP_OK)
        orderbook_attempt_free(a);
    else if (!first)
        m->n_others++;
    return r;
}

/* A challenge under each contract that takes the order: what one does not take, because it costs
 * too much or no number is left, another may. Of a purse also one for those who have a session
 * there. TP_ERR_RANGE: none does. */
static enum tp_err make_challenges(struct move *m, struct visit *v, const uint8_t quote[32],
                                   struct tp_error *e)
{
    const struct reg_service *s = v->service;
    enum tp_err r, first = TP_OK;

    for (size_t i = 0; i < s->contracts; i++) {
        r = add_challenge(m, v, i, 0, quote, first == TP_OK ? e : NULL);
        first = first == TP_OK ? r : first;
    }
    for (size_t i = 0; i < s->contracts; i++)
        if (s->contract[i]->acquirer->means == MEANS_PURSE)
            (void)add_challenge(m, v, i, MEANS_VOUCHER, quote, NULL);
    return m->attempt.n != 0 ? TP_OK : first;
}

/* The order and its challenges, into a move. */
static enum tp_err make_order(struct job *j, struct visit *v, const struct quote *q,
                              struct span text, struct tp_error *e)
{
    const struct reg_contract *c = v->service->contract[0];
    struct orderbook_order *o = &j->move.order;
    uint8_t hash[32];

    *o = v->asked;
    o->made = o->since = time(NULL);
    o->valid_until = o->made + CHALLENGE_VALID_S;
    if (o->valid_until > q->valid_until)
        o->valid_until = q->valid_until;
    o->state = STATE_REQUESTED;
    o->amount = q->amount;
    o->currency = c->currency->numeric;
    o->delivery = q->delivery;
    o->attempt = 1;
    snprintf(o->item, sizeof(o->item), "%s", q->designation);
    snprintf(o->merchant, sizeof(o->merchant), "%s",
             q->merchant != NULL ? q->merchant : c->merchant);
    if (q->per > 0) { /* each unit names itself, on receipts too */
        o->per = q->per;
        snprintf(o->item, sizeof(o->item), "%s, %u s", q->designation, q->per);
    }
    if (o->valid_until <= o->made)
        return tp_fail(e, TP_ERR_FORMAT, "its quote is over already");
    j->move.quote = span_text(text);
    if (j->move.quote == NULL || EVP_Digest(text.p, text.n, hash, NULL, EVP_sha256(), NULL) != 1)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for an order");
    return make_challenges(&j->move, v, hash, e);
}

static void ask_to_pay(struct visit *v, const struct quote *q, struct span text)
{
    struct job *j = move_job(EVENT_ASKED, v->asked.id);
    struct tp_error e = {TP_ERR_NO_MEMORY, "no memory for an order"};
    const enum tp_err r = j != NULL ? make_order(j, v, q, text, &e) : TP_ERR_NO_MEMORY;

    if (r != TP_OK) {
        log_error("service %s at %s: an order cannot be made: %s", v->service->name,
                  v->service->url, e.text);
        if (j != NULL)
            move_free(&j->move);
        free(j);
        say_service(v, r == TP_ERR_RANGE ? MHD_HTTP_INTERNAL_SERVER_ERROR : MHD_HTTP_BAD_GATEWAY,
                    "this cannot be paid here: the mediator's log says why");
        return;
    }
    snprintf(v->id, sizeof(v->id), "%s", v->asked.id);
    j->visit = v;
    keeper_take(v->m, j);
}

/* The next unit of a stream, at the price at which it began. */
void visit_next(struct visit *v, const struct move *m)
{
    const struct currency *currency = currency_by_numeric(m->order.currency);
    struct quote q = {.amount = 0};
    char *text = NULL;

    if (visit_is_too_much(v)) {
        visit_end(v);
        return;
    }
    v->service = registry_service(v->m->registry, m->order.service);
    if (v->service != NULL && stream_goes_on(v->m, m->order.id))
        text = keeper_quote(v->m, &m->order);
    if (text == NULL || currency == NULL ||
        quote_read(&q, span_str(text), currency, NULL) != TP_OK || q.per == 0) {
        say_service(v, MHD_HTTP_CONFLICT,
                    "there is no such stream under way: nothing more of it is to be paid");
    } else {
        q.valid_until = time(NULL) + CHALLENGE_VALID_S;
        snprintf(v->asked.service, sizeof(v->asked.service), "%s", m->order.service);
        snprintf(v->asked.path, sizeof(v->asked.path), "%s", m->order.path);
        snprintf(v->asked.query, sizeof(v->asked.query), "%s", m->order.query);
        v->kind = VISIT_DEMAND;
        ask_to_pay(v, &q, span_str(text));
    }
    quote_free(&q);
    free(text);
}

static void give_included(struct visit *v, const struct quote *q)
{
    struct tp_error e = {TP_OK, ""};
    struct content *c;
    uint8_t *bytes = NULL;
    size_t n = 0;

    if (quote_content(&bytes, &n, q, &e) != TP_OK) {
        log_error("service %s at %s: %s", v->service->name, v->service->url, e.text);
        say_service(v, MHD_HTTP_BAD_GATEWAY, "the service's quote cannot be used");
        return;
    }
    c = content_new(q->type != NULL ? q->type : "application/octet-stream", span_of(bytes, n));
    say_free(v, c);
    content_drop(&c);
    free(bytes);
    visit_end(v);
}

/* Not 404: it is there, and may be sold again; and not 410, which says that money is given back. */
static void say_sold_out(struct visit *v, bool paid)
{
    const struct say_problem p = {.type = PAYMENT_OTHER,
                                  .status = MHD_HTTP_CONFLICT,
                                  .detail = paid ? "it is paid already, and nothing is to be paid"
                                                 : "it is sold out, and nothing is to be paid",
                                  .told = paid ? "paid" : "sold_out",
                                  .consumed = -1};

    say_problem(v, &p);
    visit_end(v);
}

static const char *how_quoted(const struct quote *q)
{
    if (q->identify != NULL)
        return "who asks?";
    if (q->sold_out)
        return "sold out";
    return q->available ? delivery_name(q->delivery) : "not sold now";
}

void visit_quoted(struct visit *v, const struct http_said *said)
{
    struct quote q = {.amount = 0};
    struct tp_error e = {TP_OK, ""};

    if (!visit_answered(v, said))
        return;
    if (quote_read(&q, said->body, v->service->contract[0]->currency, &e) != TP_OK) {
        log_error("service %s at %s: %s", v->service->name, v->service->url, e.text);
        say_service(v, MHD_HTTP_BAD_GATEWAY, "the service's quote cannot be used");
        quote_free(&q);
        return;
    }
    log_trace("C  order %s: \"%s\", %lld, %s", v->asked.id,
              q.designation != NULL ? q.designation : "", (long long)q.amount, how_quoted(&q));
    if (q.identify != NULL) {
        visit_identify(v, q.identify, q.by_card);
    } else if (q.sold_out || q.paid) {
        say_sold_out(v, q.paid);
    } else if (!q.available) {
        say_service(v, MHD_HTTP_NOT_FOUND, "it is not sold now");
    } else if (q.amount > 0) {
        ask_to_pay(v, &q, said->body);
    } else if (q.delivery == DELIVERY_INCLUDED) {
        give_included(v, &q);
    } else {
        char *text = span_text(said->body);

        v->asked.delivery = q.delivery;
        ask_free(v->m, v, text != NULL ? text : "");
        free(text);
    }
    quote_free(&q);
}
