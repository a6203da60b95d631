#include "mediator/say.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/date.h"
#include "base/log.h"
#include "wire/jcs.h"
#include "wire/payment_receipt.h"

#define JSON_TYPE "application/json"

/* ---- heads ---- */

static void put_cors(struct http_call *call)
{
    http_answer_header(call, "Access-Control-Allow-Origin", "*");
    http_answer_header(call, "Access-Control-Expose-Headers",
                       "WWW-Authenticate, Payment-Receipt, Retry-After");
}

static void put_heads(struct visit *v, const char *type)
{
    http_answer_header(v->call, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    http_answer_header(v->call, "X-Content-Type-Options", "nosniff");
    put_cors(v->call);
}

static void answer(struct visit *v, unsigned status, const char *type, const void *bytes, size_t n)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(n, (void *)(uintptr_t)bytes, MHD_RESPMEM_MUST_COPY);

    http_answer(v->call, status, response, n);
    put_heads(v, type);
}

void say_text(struct visit *v, unsigned status, const char *type, const char *text)
{
    answer(v, status, type, text, strlen(text));
    http_answer_header(v->call, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
}

void say_json(struct visit *v, unsigned status, json_t *object)
{
    char *text = object != NULL ? json_dumps(object, JSON_COMPACT) : NULL;

    json_decref(object);
    if (text == NULL)
        http_answer(v->call, MHD_HTTP_SERVICE_UNAVAILABLE, NULL, 0);
    else
        say_text(v, status, JSON_TYPE, text);
    free(text);
}

void say_preflight(struct visit *v)
{
    answer(v, MHD_HTTP_NO_CONTENT, "text/plain", "", 0);
    http_answer_header(v->call, "Access-Control-Allow-Methods", "GET, POST, OPTIONS");
    http_answer_header(v->call, "Access-Control-Allow-Headers",
                       "Authorization, Payment-Authorization, Accept-Payment, Idempotency-Key, "
                       "Content-Type");
    http_answer_header(v->call, "Access-Control-Max-Age", "600");
}

/* ---- pages ---- */

/* What may be in a page of the mediator's own, and that nobody else may frame it. */
static void put_policy(struct visit *v)
{
    http_answer_header(v->call, "Content-Security-Policy",
                       "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
                       "connect-src 'self'; form-action 'none'; base-uri 'none'; "
                       "frame-ancestors 'none'");
    http_answer_header(v->call, "Referrer-Policy", "no-referrer");
}

static void put_cookie(struct visit *v)
{
    char text[160];

    if (v->cookie[0] == '\0')
        return;
    snprintf(text, sizeof(text), SESSION_COOKIE "=%s; Path=/; Secure; HttpOnly; SameSite=Lax",
             v->cookie);
    http_answer_header(v->call, MHD_HTTP_HEADER_SET_COOKIE, text);
}

bool say_html(struct visit *v, unsigned status, char *page)
{
    if (page == NULL)
        return false;
    say_text(v, status, "text/html; charset=utf-8", page);
    free(page);
    put_policy(v);
    put_cookie(v);
    return true;
}

bool say_page(struct visit *v, unsigned status, const struct orderbook_order *o,
              const struct payables *payable, bool refused)
{
    struct page_order page = {.order = o, .refused = refused, .origin = v->m->origin};

    for (size_t i = 0; payable != NULL && i < payable->n; i++)
        page.means |= 1U << payable->a[i]->means;

    return say_html(v, status, page_order(v->m->pages, v->language, &page));
}

/* ---- the challenge ---- */

static char *challenge_text(const struct orderbook_attempt *a)
{
    struct payment_challenge c;
    struct tp_error e = {TP_OK, ""};
    json_t *owner = NULL;
    char *text = NULL;

    if (challenge_of(&c, &owner, a, &e) != TP_OK || payment_challenge_write(&text, &c, &e) != TP_OK)
        log_error("the challenge of order %s cannot be written: %s", a->order, e.text);
    json_decref(owner);
    return text;
}

static json_t *challenge_list(const struct payables *p)
{
    json_t *list = json_array();

    for (size_t i = 0; i < p->n; i++) {
        char *text = challenge_text(p->a[i]);

        if (text != NULL)
            (void)json_array_append_new(list, json_string(text));
        free(text);
    }
    return list;
}

json_t *say_order(const struct orderbook_order *o, const struct payables *payable)
{
    char until[TIME_TEXT_MAX], amount[24];
    const bool can = payable != NULL && payable->n > 0, over = !can && o->state <= STATE_CLAIMED;
    json_t *challenges = can ? challenge_list(payable) : NULL, *said;

    snprintf(amount, sizeof(amount), "%" PRId64, o->amount);
    said =
        json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:O*,s:O*,s:s*,s:s*}", "order", o->id, "state",
                  over ? "expired" : order_state_name(o->state), "merchant", o->merchant, "item",
                  o->item, "amount", amount, "currency", currency_shown(o->currency), "delivery",
                  delivery_name(o->delivery), "valid_until", time_format_utc(until, o->valid_until),
                  "challenge", json_array_get(challenges, 0), "challenges", challenges, "code",
                  o->code[0] != '\0' ? o->code : NULL, "reason", o->why[0] != '\0' ? o->why : NULL);
    json_decref(challenges);
    return said;
}

/* ---- problems ---- */

static json_t *problem_members(const struct visit *v, const struct say_problem *p)
{
    char url[sizeof(v->m->origin) + BOOK_ORDER_ID + 16] = "", sum[24], number[24];
    const struct orderbook_attempt *a = p->refused;
    const char *answer = a != NULL && a->means == MEANS_PURSE ? "provision" : "answer";

    if (p->order != NULL)
        snprintf(url, sizeof(url), "%s/orders/%s", v->m->origin, p->order->id);
    json_t *more =
        json_pack("{s:s*,s:s*,s:s*,s:s*,s:s*}", "order", url[0] != '\0' ? url : NULL, "code",
                  a != NULL && a->code[0] != '\0' ? a->code : NULL, "reason",
                  a != NULL && a->reason[0] != '\0' ? a->reason : NULL, "acknowledgement",
                  a != NULL ? a->acknowledgement : NULL, answer, a != NULL ? a->answer : NULL);

    if (more != NULL && p->known != NULL) {
        snprintf(sum, sizeof(sum), "%" PRId64, p->known->known_sum);
        snprintf(number, sizeof(number), "%" PRId64, p->known->known_number);
        (void)json_object_set_new(more, "sum", json_string(sum));
        (void)json_object_set_new(more, "number", json_string(number));
    }
    if (more != NULL && p->consumed >= 0)
        (void)json_object_set_new(more, "consumed", json_boolean(p->consumed));
    return more;
}

static void put_challenges(struct visit *v, const struct payables *p)
{
    for (size_t i = 0; i < p->n; i++) {
        char *text = challenge_text(p->a[i]);

        if (text != NULL)
            http_answer_header(v->call, MHD_HTTP_HEADER_WWW_AUTHENTICATE, text);
        free(text);
    }
}

void say_problem(struct visit *v, const struct say_problem *p)
{
    const bool payable = p->payable != NULL && p->payable->n > 0;
    struct payment_problem problem = {.type = p->type,
                                      .status = p->status,
                                      .detail = p->detail,
                                      .challenge_id =
                                          payable ? p->payable->a[0]->challenge_id : NULL,
                                      .more = problem_members(v, p)};
    const unsigned status = payment_problem_status(&problem);
    char *text = NULL, wait[16];
    struct tp_error e = {TP_OK, ""};

    if (v->html &&
        (p->order != NULL
             ? say_page(v, status, p->order, p->payable, p->refused != NULL)
             : say_html(v, status, page_problem(v->m->pages, v->language, status, p->told)))) {
        text = strdup("");
    } else if (payment_problem_write(&text, &problem, &e) != TP_OK) {
        log_error("a problem cannot be written: %s", e.text);
        http_answer(v->call, MHD_HTTP_INTERNAL_SERVER_ERROR, NULL, 0);
    } else {
        say_text(v, status, PAYMENT_PROBLEM_TYPE, text);
    }
    if (text != NULL && payable)
        put_challenges(v, p->payable);
    if (text != NULL && p->retry_after > 0) {
        snprintf(wait, sizeof(wait), "%u", p->retry_after);
        http_answer_header(v->call, MHD_HTTP_HEADER_RETRY_AFTER, wait);
    }
    free(text);
    json_decref(problem.more);
}

void say_simple(struct visit *v, unsigned status, const char *detail)
{
    const struct say_problem p = {.type = PAYMENT_OTHER,
                                  .status = status,
                                  .detail = detail,
                                  .retry_after = status == MHD_HTTP_SERVICE_UNAVAILABLE ? 5 : 0,
                                  .consumed = -1};

    say_problem(v, &p);
}

/* ---- paid ---- */

static void put_receipt(struct visit *v, const struct orderbook_order *o,
                        const struct orderbook_attempt *a)
{
    char at[TIME_TEXT_MAX];
    struct payment_receipt receipt = {
        .method = means_method(a->means),
        .timestamp = time_format_utc(at, a->sent),
        .reference = a->rrn,
        .challenge_id = a->challenge_id,
        .more =
            json_pack("{s:s,s:s*,s:s*}", "externalId", o->id, "acknowledgement", a->acknowledgement,
                      "provision", a->means == MEANS_PURSE ? a->answer : NULL)};
    struct tp_error e = {TP_OK, ""};
    char *text = NULL;

    if (payment_receipt_write(&text, &receipt, &e) != TP_OK)
        log_error("the receipt of order %s cannot be written: %s", o->id, e.text);
    else
        http_answer_header(v->call, "Payment-Receipt", text);
    free(text);
    json_decref(receipt.more);
}

static void keep_private(struct visit *v)
{
    http_answer_header(v->call, MHD_HTTP_HEADER_CACHE_CONTROL, "private, no-cache");
}

void say_paid(struct visit *v, const struct orderbook_order *o, const struct orderbook_attempt *a)
{
    const bool completion = o->state == STATE_APPROVED;
    json_t *said = json_pack("{s:s,s:s,s:s,s:s*,s:s*,s:b}", "order", o->id, "state",
                             order_state_name(o->state), "reference", a->rrn, "acknowledgement",
                             a->acknowledgement, a->means == MEANS_PURSE ? "provision" : "answer",
                             a->answer, "completion", completion);
    char *text = said != NULL ? json_dumps(said, JSON_COMPACT) : NULL;

    json_decref(said);
    if (text == NULL) {
        http_answer(v->call, MHD_HTTP_SERVICE_UNAVAILABLE, NULL, 0);
        return;
    }
    answer(v, MHD_HTTP_OK, JSON_TYPE, text, strlen(text));
    keep_private(v);
    if (!completion)
        put_receipt(v, o, a);
    free(text);
}

/* A service's page is not the mediator's: it gets no hold of its origin. */
static void sandbox(struct visit *v)
{
    http_answer_header(v->call, "Content-Security-Policy",
                       "sandbox allow-scripts allow-forms allow-popups allow-downloads");
}

/* Contents that are being read by their clients, in bytes: so many wait for slow ones. */
#define UNDER_WAY_MAX (256U << 20)
static atomic_size_t under_way;

static void content_sent(void *cls)
{
    struct content *c = cls;

    atomic_fetch_sub(&under_way, c->n);
    content_drop(&c);
}

static bool give(struct visit *v, struct content *c)
{
    struct MHD_Response *response;

    if (atomic_fetch_add(&under_way, c->n) + c->n > UNDER_WAY_MAX && c->n > 0) {
        atomic_fetch_sub(&under_way, c->n);
        say_simple(v, MHD_HTTP_SERVICE_UNAVAILABLE, "too many are reading now: ask the same again");
        return false;
    }
    response = MHD_create_response_from_buffer_with_free_callback_cls(c->n, c->bytes, content_sent,
                                                                      content_hold(c));
    if (response == NULL)
        content_sent(c);
    http_answer(v->call, MHD_HTTP_OK, response, c->n);
    put_heads(v, c->type);
    sandbox(v);
    return true;
}

/* People get a page of what a service says of its parcel (doc/service.md), which is JSON; false:
 * others, and other contents. */
static bool give_shipped(struct visit *v, const struct orderbook_order *o, const struct content *c)
{
    struct tp_error e = {TP_OK, ""};
    const char *note = NULL;
    json_t *said = NULL;
    bool given = false;

    if (v->html && o->delivery == DELIVERY_SHIPPED &&
        jcs_read(&said, span_of(c->bytes, c->n), &e) == TP_OK && json_is_object(said) &&
        jcs_text(&note, said, "shipped", &e) == TP_OK && note != NULL)
        given = say_html(v, MHD_HTTP_OK, page_shipped(v->m->pages, v->language, note));
    json_decref(said);
    return given;
}

void say_content(struct visit *v, const struct orderbook_order *o,
                 const struct orderbook_attempt *a, struct content *c)
{
    if (!give_shipped(v, o, c)) {
        if (!give(v, c))
            return;
        keep_private(v);
    }
    put_receipt(v, o, a);
}

void say_free(struct visit *v, struct content *c)
{
    if (c == NULL)
        http_answer(v->call, MHD_HTTP_SERVICE_UNAVAILABLE, NULL, 0);
    else if (!give_shipped(v, &v->asked, c) && give(v, c))
        http_answer_header(v->call, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache");
}
