/* The services: asked for a quote, and to deliver what is paid (doc/service.md). */
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/log.h"
#include "base/word.h"
#include "mediator/visit.h"

#define QUOTE_MS     8000L
#define DELIVERY_MS  30000L
#define QUOTE_MAX    (512U << 10) /* bytes: a content that goes with it is in it */
#define CONTENT_MAX  (16U << 20)
#define FIRST_MS     1000 /* before it is asked again to deliver; doubled each time … */
#define LAST_MS      60000
#define GIVE_UP_S    600 /* … and after this it is given back */
#define TRIES_DOUBLE 6

struct delivery_under_way {
    struct mediator *m;
    struct orderbook_order order;
    struct orderbook_attempt attempt; /* what a receipt says of it; its other texts stay away */
    unsigned tries;
    bool final; /* asked until there is an answer: it may have been delivered */
    const struct reg_service *service; /* which is asked; NULL: none is */
    struct visit *visit;               /* of one that is delivered once more; NULL: the first */
};

/* ---- what is asked ---- */

/* The quote goes back byte by byte as it came; everything else needs no escape. acknowledgement
 * NULL: it is free. */
static char *delivery_text(const struct orderbook_order *o, const char *acknowledgement,
                           const char *quote)
{
    const char *name = acknowledgement != NULL ? ",\"acknowledgement\":\"" : "",
               *value = acknowledgement != NULL ? acknowledgement : "",
               *end = acknowledgement != NULL ? "\"" : "";
    uint8_t hash[32];
    char digest[BASE64URL_SIZE(32)], *text = NULL;

    if (EVP_Digest(quote, strlen(quote), hash, NULL, EVP_sha256(), NULL) != 1 ||
        asprintf(&text,
                 "{\"order\":\"%s\",\"service\":\"%s\",\"quote\":%s,\"quote_digest\":\"%s\"%s%s%s}",
                 o->id, o->service, quote, base64url_encode(digest, SPAN_OF(hash)), name, value,
                 end) < 0)
        return NULL;
    return text;
}

static enum tp_err ask_by(struct http_client *client, const struct reg_service *s,
                          const char *where, const char *order, const char *text,
                          struct http_question *q)
{
    char url[sizeof(s->url) + 16], key[64];
    const char *headers[] = {"Content-Type: application/json", key, NULL};

    snprintf(url, sizeof(url), "%s%s", s->url, where);
    snprintf(key, sizeof(key), "Idempotency-Key: %s", order);
    q->url = url;
    q->tls = &s->tls;
    q->headers = headers;
    q->body = span_str(text);
    return http_client_ask(client, q);
}

static enum tp_err ask(struct mediator *m, const struct reg_service *s, const char *where,
                       const char *order, const char *text, struct http_question *q)
{
    return ask_by(m->client, s, where, order, text, q);
}

/* ---- quotes ---- */

static void on_quote(void *ctx, const struct http_said *said)
{
    visit_quoted(ctx, said);
}

/* The letters are those of the exchanges, A to K: doc/protocol.md. */
void ask_quote(struct mediator *m, struct visit *v)
{
    const struct orderbook_order *o = &v->asked;
    const bool known = v->who.user[0] != '\0';
    struct http_question q = {
        .answer_max = QUOTE_MAX, .timeout_ms = QUOTE_MS, .done = on_quote, .ctx = v};
    json_t *asked = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s*,s:s*,s:s*}", "order", o->id, "service",
                              o->service, "method", o->method, "path", o->path, "query", o->query,
                              "body_digest", o->digest[0] != '\0' ? o->digest : NULL, "user",
                              known ? v->who.user : NULL, "user_by",
                              !known           ? NULL
                              : v->who.by_card ? "card"
                                               : "key");
    char *text = asked != NULL ? json_dumps(asked, JSON_COMPACT) : NULL;

    log_trace("B  order %s: %s is asked for a quote of %s %.200s", o->id, o->service, o->method,
              o->path);
    if (text == NULL || ask(m, v->service, "/quote", o->id, text, &q) != TP_OK) {
        struct http_said none = {.type = "", .r = TP_ERR_NO_MEMORY};

        visit_quoted(v, &none);
    }
    free(text);
    json_decref(asked);
}

static void on_bills(void *ctx, const struct http_said *said)
{
    visit_billed(ctx, said);
}

void ask_bills(struct mediator *m, struct visit *v)
{
    struct http_question q = {
        .answer_max = QUOTE_MAX, .timeout_ms = QUOTE_MS, .done = on_bills, .ctx = v};
    json_t *asked = json_pack("{s:s,s:s*}", "service", v->service->name, "user",
                              v->who.user[0] != '\0' ? v->who.user : NULL);
    char *text = asked != NULL ? json_dumps(asked, JSON_COMPACT) : NULL;

    if (text == NULL || ask(m, v->service, "/bills", v->asked.id, text, &q) != TP_OK) {
        struct http_said none = {.type = "", .r = TP_ERR_NO_MEMORY};

        visit_billed(v, &none);
    }
    free(text);
    json_decref(asked);
}

static void on_free(void *ctx, const struct http_said *said)
{
    visit_given(ctx, said);
}

void ask_free(struct mediator *m, struct visit *v, const char *quote)
{
    struct http_question q = {
        .answer_max = CONTENT_MAX, .timeout_ms = DELIVERY_MS, .done = on_free, .ctx = v};
    char *text = delivery_text(&v->asked, NULL, quote);

    if (text == NULL || ask(m, v->service, "/deliver", v->asked.id, text, &q) != TP_OK) {
        struct http_said none = {.type = "", .r = TP_ERR_NO_MEMORY};

        visit_given(v, &none);
    }
    free(text);
}

/* ---- deliveries ---- */

static void free_under_way(struct delivery_under_way *d)
{
    orderbook_attempt_free(&d->attempt);
    free(d);
}

static struct delivery_under_way *new_under_way(struct mediator *m, const struct orderbook_order *o,
                                                const struct orderbook_attempt *a, struct visit *v,
                                                unsigned tries)
{
    struct delivery_under_way *d = calloc(1, sizeof(*d));

    if (d == NULL)
        return NULL;
    d->m = m;
    d->order = *o;
    d->visit = v;
    d->tries = tries;
    d->attempt = *a;
    d->attempt.challenge = d->attempt.pays = d->attempt.beside = NULL;
    d->attempt.answer = a->answer != NULL ? strdup(a->answer) : NULL;
    d->attempt.acknowledgement = a->acknowledgement != NULL ? strdup(a->acknowledgement) : NULL;
    return d;
}

bool is_final(const struct http_said *said, char why[BOOK_WHY_MAX])
{
    if (said->r == TP_ERR_RANGE) {
        snprintf(why, BOOK_WHY_MAX, "the service's delivery is too large: %.120s", said->e.text);
        return true;
    }
    if (said->r != TP_OK || said->status < 400 || said->status >= 500 || said->status == 403 ||
        said->status == 408 || said->status == 429)
        return false;
    snprintf(why, BOOK_WHY_MAX, "the service will not deliver (%ld): %.*s", said->status,
             (int)(said->body.n < 120 ? said->body.n : 120),
             said->body.n > 0 ? (const char *)said->body.p : "");
    why[strcspn(why, "\r\n")] = '\0';
    word_make_shown(why);
    return true;
}

static void tell_why(const struct delivery_under_way *d, const struct http_said *said)
{
    const char *url = d->service != NULL ? d->service->url : "no address";

    if (said->r != TP_OK)
        log_error("service %s at %s does not deliver order %s yet: %s", d->order.service, url,
                  d->order.id, said->e.text);
    else
        log_error("service %s at %s does not deliver order %s yet: it answers %ld",
                  d->order.service, url, d->order.id, said->status);
}

void undeliverable(struct mediator *m, const char *order, const char *why)
{
    struct job *j = move_job(EVENT_UNDELIVERABLE, order);

    if (j == NULL) {
        clock_set(m, order, EVENT_LOOK, 0, LAST_MS, 0);
        return;
    }
    snprintf(j->move.why, sizeof(j->move.why), "%s", why);
    keeper_take(m, j);
}

static void try_again(const struct delivery_under_way *d, const struct http_said *said)
{
    int64_t pause = said->retry_after > 0
                        ? 1000 * (int64_t)said->retry_after
                        : FIRST_MS << (d->tries < TRIES_DOUBLE ? d->tries : TRIES_DOUBLE);

    if (!d->final && time(NULL) - d->order.since >= GIVE_UP_S) {
        undeliverable(d->m, d->order.id, "the service did not deliver within ten minutes");
        return;
    }
    if (pause > LAST_MS)
        pause = LAST_MS;
    clock_set(d->m, d->order.id, EVENT_LOOK, 0, pause, d->tries + 1);
}

static void on_first(struct delivery_under_way *d, const struct http_said *said, struct content *c)
{
    char why[BOOK_WHY_MAX];

    if (c != NULL) {
        struct job *j = move_job(EVENT_DELIVERED, d->order.id);

        if (j != NULL) {
            j->content = content_hold(c);
            keeper_take(d->m, j);
            return;
        }
    }
    if (said->r == TP_ERR_CANCELLED)
        return;
    tell_why(d, said);
    if (is_final(said, why) &&
        (!d->final || said->r == TP_OK)) /* what is too large was delivered */
        undeliverable(d->m, d->order.id, why);
    else
        try_again(d, said);
}

static void on_delivery(void *ctx, const struct http_said *said)
{
    struct delivery_under_way *d = ctx;
    struct content *c =
        said->r == TP_OK && said->status == 200
            ? content_new(said->type[0] != '\0' ? said->type : "application/octet-stream",
                          said->body)
            : NULL;

    if (c != NULL)
        log_trace("J  order %s: %zu bytes of %s", d->order.id, c->n, c->type);
    if (d->visit != NULL)
        visit_delivered(d->visit, &d->order, &d->attempt, c);
    else
        on_first(d, said, c);
    content_drop(&c);
    free_under_way(d);
}

static void begin(struct delivery_under_way *d, const char *quote)
{
    const struct reg_service *s = registry_service_ever(d->m->registry, d->order.service);
    struct http_question q = {
        .answer_max = CONTENT_MAX, .timeout_ms = DELIVERY_MS, .done = on_delivery, .ctx = d};
    char *text = delivery_text(&d->order, d->attempt.acknowledgement, quote);

    d->service = s;
    d->final = quote_is_final(quote);
    log_trace("I  order %s: %s is asked to deliver", d->order.id, d->order.service);
    if (s == NULL || text == NULL || ask(d->m, s, "/deliver", d->order.id, text, &q) != TP_OK) {
        struct http_said none = {.type = "", .r = TP_ERR_NO_MEMORY};

        (void)tp_fail(&none.e, none.r, "it cannot be asked now");
        on_delivery(d, &none);
    }
    free(text);
}

void deliver(struct mediator *m, const struct orderbook_order *o, const struct orderbook_attempt *a,
             const char *quote, unsigned tries)
{
    struct delivery_under_way *d = new_under_way(m, o, a, NULL, tries);

    if (d == NULL)
        clock_set(m, o->id, EVENT_LOOK, 0, FIRST_MS, tries);
    else
        begin(d, quote);
}

void deliver_again(struct mediator *m, const struct orderbook_order *o,
                   const struct orderbook_attempt *a, const char *quote, struct visit *v)
{
    struct delivery_under_way *d = new_under_way(m, o, a, v, 0);

    if (d == NULL)
        visit_delivered(v, o, a, NULL);
    else
        begin(d, quote);
}

bool ask_stream(struct http_client *client, struct mediator *m, const struct orderbook_order *o,
                const struct orderbook_attempt *a, const char *quote, struct http_question *q)
{
    const struct reg_service *s = registry_service_ever(m->registry, o->service);
    char *text = delivery_text(o, a->acknowledgement, quote);
    bool asked;

    log_trace("I  order %s: %s is asked for a stream", o->id, o->service);
    asked = s != NULL && text != NULL && ask_by(client, s, "/deliver", o->id, text, q) == TP_OK;
    free(text);
    return asked;
}
