#include "service/serve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/log.h"
#include "service/counter.h"
#include "wire/http_door.h"

#define THREADS      4
#define CONNECTIONS  1024 /* a mediator has a quarter: pages, and streams that last */
#define EACH_ADDRESS 512  /* a mediator's machine has many */
#define MEMORY       65536
#define BODY_MAX     65536

struct service {
    struct shop *shop;
    struct counter *counter;
    struct kiosk *kiosk;
    struct http_door *front;
    int lock_fd;
};

struct caller { /* what is known of a call */
    char mediator[SALES_NAME_MAX];
    enum { ASKS_QUOTE, ASKS_DELIVERY, ASKS_BILLS } asks;
};

/* ---- the door: who is it, what does it want ---- */

static bool identify(struct service *s, struct http_call *call, char name[SALES_NAME_MAX])
{
    struct http_peer peer;
    struct tp_error e = {TP_OK, ""};
    bool found = false;

    if (http_peer(call, &peer) && shop_mediator(s->shop, peer.print, name, &found, &e) != TP_OK) {
        log_error("%s", e.text);
        http_answer_busy(call, "the books of the service cannot be asked now: ask again");
        return false;
    }
    if (!found) {
        log_stranger("refused at the door: no certificate of a mediator of this service");
        http_answer_text(call, MHD_HTTP_FORBIDDEN,
                         "show the certificate by which this service knows you (telepay-service "
                         "mediator add)");
        return false;
    }
    http_named(call, name);
    return true;
}

static void on_admit(void *ctx, struct http_call *call)
{
    const char *path = http_path(call);
    struct caller *caller = calloc(1, sizeof(*caller));

    http_own_set(call, caller);
    if (caller == NULL) {
        http_answer(call, MHD_HTTP_SERVICE_UNAVAILABLE, NULL, 0);
        return;
    }
    if (!identify(ctx, call, caller->mediator))
        return;
    if (strcmp(path, "/deliver") == 0)
        caller->asks = ASKS_DELIVERY;
    else if (strcmp(path, "/bills") == 0)
        caller->asks = ASKS_BILLS;
    if (caller->asks == ASKS_QUOTE && strcmp(path, "/quote") != 0)
        http_answer_text(call, MHD_HTTP_NOT_FOUND, "a service has /quote, /deliver and /bills");
    else if (strcmp(http_method(call), MHD_HTTP_METHOD_POST) != 0) {
        http_answer_text(call, MHD_HTTP_METHOD_NOT_ALLOWED, "%s is asked with POST", path);
        http_answer_header(call, MHD_HTTP_HEADER_ALLOW, MHD_HTTP_METHOD_POST);
    } else if (http_header(call, MHD_HTTP_HEADER_CONTENT_LENGTH) == NULL)
        http_answer_text(call, MHD_HTTP_LENGTH_REQUIRED,
                         "say the size of the body in Content-Length");
}

static void on_done(void *ctx, struct http_call *call)
{
    (void)ctx;
    free(http_own(call));
}

/* ---- POST /quote ---- */

static void say_document(struct http_call *call, const char *text)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);

    http_answer(call, MHD_HTTP_OK, response, strlen(text));
    http_answer_header(call, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
    http_answer_header(call, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
}

/* Why it wants to know who asks, and whether by a bank card alone. */
static void say_identify(struct http_call *call, const char *why, bool by_card)
{
    json_t *said = json_pack("{s:s,s:s*}", "identify", why, "identify_by", by_card ? "card" : NULL);
    char *text = said != NULL ? json_dumps(said, JSON_COMPACT) : NULL;

    if (text != NULL)
        say_document(call, text);
    else
        http_answer_busy(call, "no memory now: ask again");
    free(text);
    json_decref(said);
}

static void quote(struct service *s, struct http_call *call, const json_t *asked)
{
    const struct caller *caller = http_own(call);
    const char *path = json_string_value(json_object_get(asked, "path"));
    const char *method = json_string_value(json_object_get(asked, "method"));
    const char *user = json_string_value(json_object_get(asked, "user"));
    const char *by = json_string_value(json_object_get(asked, "user_by"));
    struct tp_error e = {TP_OK, ""};
    struct article a;
    char *text = NULL;

    if (path == NULL || path[0] != '/' || method == NULL) {
        http_answer_text(call, MHD_HTTP_BAD_REQUEST,
                         "a question has a method and a path that begins with /");
        return;
    }
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0) {
        http_answer_text(call, MHD_HTTP_METHOD_NOT_ALLOWED, "what is sold here is got with GET");
        return;
    }
    if (!shop_article(s->shop, path, &a)) {
        http_answer_text(call, MHD_HTTP_NOT_FOUND, "there is no such article");
        return;
    }
    if (a.identify[0] != '\0' && (user == NULL || user[0] == '\0' ||
                                  (a.by_card && (by == NULL || strcmp(by, "card") != 0)))) {
        say_identify(call, a.identify, a.by_card);
        return;
    }
    if (a.user[0] != '\0' && (user == NULL || strcmp(a.user, user) != 0)) {
        http_answer_text(call, MHD_HTTP_NOT_FOUND, "there is no such article");
        return;
    }
    if (shop_quote(s->shop, &text, &a, caller->mediator, &e) != TP_OK) {
        log_error("%s", e.text);
        http_answer_busy(call, "no quote can be made now: ask again");
        return;
    }
    say_document(call, text);
    free(text);
}

/* ---- POST /bills ---- */

static void bills(struct service *s, struct http_call *call, const json_t *asked)
{
    const char *user = json_string_value(json_object_get(asked, "user"));
    struct tp_error e = {TP_OK, ""};
    json_t *list = NULL, *said;
    char *text;

    if (user == NULL || user[0] == '\0') {
        say_identify(call, "to show what you owe", false);
        return;
    }
    if (shop_bills(s->shop, &list, user, &e) != TP_OK) {
        log_error("%s", e.text);
        if (e.code == TP_ERR_RANGE) /* asking again does not help */
            http_answer_text(call, MHD_HTTP_INTERNAL_SERVER_ERROR, "%s", e.text);
        else
            http_answer_busy(call, "the bills cannot be looked up now: ask again");
        return;
    }
    said = json_pack("{s:o}", "bills", list);
    text = said != NULL ? json_dumps(said, JSON_COMPACT) : NULL;
    if (text != NULL)
        say_document(call, text);
    else
        http_answer_busy(call, "no memory now: ask again");
    free(text);
    json_decref(said);
}

/* ---- POST /deliver ---- */

/* draft-ietf-httpapi-idempotency-key-header: a string in quotes; many write it bare. */
static bool is_key_of(const char *key, const char *order)
{
    const size_t n = strlen(order);

    if (key == NULL)
        return false;
    if (key[0] == '"')
        return strncmp(key + 1, order, n) == 0 && strcmp(key + 1 + n, "\"") == 0;
    return strcmp(key, order) == 0;
}

static bool is_order(const char *order)
{
    return order != NULL && order[0] != '\0' && strlen(order) < SALES_ORDER_MAX &&
           strspn(order, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
               strlen(order);
}

static bool is_digest_of(const json_t *given, const struct quote *q)
{
    char text[BASE64URL_SIZE(QUOTE_DIGEST)];

    base64url_encode(text, SPAN_OF(q->digest));
    return given == NULL || (json_is_string(given) && strcmp(json_string_value(given), text) == 0);
}

/* What of the request can be refused without the books. */
static bool check_order(struct service *s, struct http_call *call, const json_t *asked,
                        struct quote *q)
{
    const struct caller *caller = http_own(call);
    const char *order = json_string_value(json_object_get(asked, "order"));
    const json_t *acknowledged = json_object_get(asked, "acknowledgement");
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    if (!is_order(order) || !is_key_of(http_header(call, "Idempotency-Key"), order)) {
        http_answer_text(call, MHD_HTTP_BAD_REQUEST,
                         "an order has 1 to %d of A-Z a-z 0-9 - _, and is the Idempotency-Key, too",
                         SALES_ORDER_MAX - 1);
        return false;
    }
    r = shop_quote_open(s->shop, q, json_object_get(asked, "quote"), caller->mediator, &e);
    if (r == TP_OK && !is_digest_of(json_object_get(asked, "quote_digest"), q))
        r = tp_fail(&e, TP_ERR_SECURITY, "quote_digest is not that of the quote");
    if (r == TP_OK && q->delivery == DELIVERY_INCLUDED)
        r = tp_fail(&e, TP_ERR_STATE, "what this quote is for went with it");
    if (r == TP_OK && !q->available)
        r = tp_fail(&e, TP_ERR_STATE, "this quote said that there is none");
    if (r == TP_OK && q->amount > 0 &&
        (!json_is_string(acknowledged) || json_string_length(acknowledged) == 0 ||
         json_string_length(acknowledged) > SALES_ACKNOWLEDGED))
        r = tp_fail(&e, TP_ERR_STATE,
                    "what is not free wants the acquirer's acknowledgement, of %d bytes at most",
                    SALES_ACKNOWLEDGED);
    if (r == TP_ERR_NO_MEMORY)
        http_answer_busy(call, e.text);
    else if (r != TP_OK)
        http_answer_text(call, MHD_HTTP_UNPROCESSABLE_CONTENT, "%s", e.text);
    return r == TP_OK;
}

/* What the quote was for, as the catalogue has it now; the price is the quote's. False: its file
 * cannot be read now, which may pass. */
static bool find_goods(const struct service *s, struct counter_order *o)
{
    struct tp_error e = {TP_OK, ""};
    struct sale *sale = &o->sale;
    struct article a;
    enum tp_err r = TP_OK;

    o->fd = -1;
    o->stock = -1;
    if (!shop_article(s->shop, sale->article, &a) || a.delivery != sale->delivery) {
        o->gone = "the article is gone";
        return true;
    }
    memcpy(sale->file, a.file, sizeof(sale->file));
    memcpy(sale->type, a.type, sizeof(sale->type));
    memcpy(sale->note, a.note, sizeof(sale->note));
    o->stock = a.stock;
    o->rate = a.rate;
    if (a.file[0] != '\0')
        r = shop_file(s->shop, &o->fd, &o->size, a.file, &e);
    if (r != TP_OK)
        log_error("article %s: %s", a.path, e.text);
    if (r == TP_ERR_NOT_FOUND || r == TP_ERR_SECURITY)
        o->gone = "the article's file is gone";
    return r == TP_OK || o->gone != NULL;
}

static void fill_sale(struct sale *sale, const char *mediator, const char *order,
                      const struct quote *q)
{
    snprintf(sale->mediator, sizeof(sale->mediator), "%s", mediator);
    snprintf(sale->order, sizeof(sale->order), "%s", order);
    snprintf(sale->article, sizeof(sale->article), "%s", q->article);
    snprintf(sale->designation, sizeof(sale->designation), "%s", q->designation);
    sale->amount = q->amount;
    sale->currency = q->currency != NULL ? q->currency->numeric : 0;
    sale->delivery = q->delivery;
    memcpy(sale->quote, q->digest, sizeof(sale->quote));
}

static void deliver(struct service *s, struct http_call *call, const json_t *asked)
{
    const struct caller *caller = http_own(call);
    const char *acknowledgement = json_string_value(json_object_get(asked, "acknowledgement"));
    struct counter_order o = {.call = call};
    struct quote q;

    if (!check_order(s, call, asked, &q))
        return;
    fill_sale(&o.sale, caller->mediator, json_string_value(json_object_get(asked, "order")), &q);
    if (!find_goods(s, &o)) {
        http_answer_busy(call, "the article's file cannot be read now: ask again");
        return;
    }
    if (q.amount == 0 && o.stock < 0 && o.sale.delivery == DELIVERY_NETWORK) { /* not kept */
        if (o.gone != NULL)
            http_answer_text(call, MHD_HTTP_GONE, "%s", o.gone);
        else
            counter_hand_out(call, &o.sale, o.fd, o.size);
        return;
    }
    o.acknowledgement = strdup(acknowledgement != NULL ? acknowledgement : "");
    if (o.acknowledgement == NULL) {
        if (o.fd >= 0)
            close(o.fd);
        http_answer_busy(call, "no memory now: ask again");
        return;
    }
    http_later(call);
    counter_take(s->counter, &o);
}

static void on_whole(void *ctx, struct http_call *call)
{
    const struct caller *caller = http_own(call);
    const struct span body = http_body(call);
    json_t *asked =
        body.n > 0 ? json_loadb((const char *)body.p, body.n, JSON_REJECT_DUPLICATES, NULL) : NULL;

    if (!json_is_object(asked))
        http_answer_text(call, MHD_HTTP_BAD_REQUEST, "the body is no JSON object");
    else if (caller->asks == ASKS_DELIVERY)
        deliver(ctx, call, asked);
    else if (caller->asks == ASKS_BILLS)
        bills(ctx, call, asked);
    else
        quote(ctx, call, asked);
    json_decref(asked);
}

/* ---- up and down ---- */

static enum tp_err open_all(struct service *s, const struct service_place *place,
                            struct tp_error *e)
{
    const struct http_door_options options = {
        .program = "telepay-service",
        .dir = place->dir,
        .address = place->address,
        .port = place->port,
        .asks_certificate = true,
        .connections = CONNECTIONS,
        .of_address = EACH_ADDRESS,
        .threads = THREADS,
        .files = 2, /* the file that it is sent */
        .memory = MEMORY,
        .body_max = BODY_MAX,
        .ops = {s, on_admit, NULL, on_whole, on_done},
    };
    enum tp_err r = file_lock_folder(&s->lock_fd, place->dir, "telepay-service", e);

    if (r == TP_OK)
        r = shop_open(&s->shop, place->dir, e);
    if (r == TP_OK) /* before any thread */
        r = http_door_new(&s->front, &options, e);
    if (r == TP_OK)
        r = kiosk_open(&s->kiosk, e);
    return r == TP_OK ? counter_open(&s->counter, s->shop, s->kiosk, place->dir, e) : r;
}

enum tp_err service_serve(const struct service_place *place, struct tp_error *e)
{
    struct service s = {.lock_fd = -1};
    enum tp_err r = open_all(&s, place, e);

    if (r == TP_OK)
        r = http_door_run(s.front, e);
    if (s.counter != NULL)
        counter_stop(s.counter); /* every call that waits is resumed */
    kiosk_close(&s.kiosk);       /* and every one that listens */
    http_door_free(&s.front);
    counter_close(&s.counter);
    shop_close(&s.shop);
    if (s.lock_fd >= 0)
        close(s.lock_fd);
    return r;
}
