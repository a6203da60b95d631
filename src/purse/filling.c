#include "purse/filling.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/log.h"
#include "order/members.h"
#include "purse/record.h"
#include "wire/jcs.h"

#define PATH_START "/fill/"
#define VALID_S    600
#define ACCOUNT    (PURSE_ACCOUNT - 1)

/* ---- who calls ---- */

bool filling_admit(const struct filling *f, struct http_call *call)
{
    struct http_peer peer;
    bool open = false;
    struct tp_error e = {TP_OK, ""};

    if (http_peer(call, &peer) && peer.of_authority &&
        strcmp(peer.organisation, FILLING_ROLE) == 0 &&
        asked_seller(f->asked, peer.name, &open, &e) != TP_OK) {
        log_error("%s", e.text);
        http_answer_busy(call, "the books of the purse cannot be asked now: ask again");
        return false;
    }
    if (!open) {
        log_stranger("refused at the door: no certificate of a seller of this purse");
        http_answer_text(call, MHD_HTTP_FORBIDDEN,
                         "show the certificate that telepay-purse seller add made");
        return false;
    }
    http_named(call, peer.name);
    return true;
}

/* ---- what is sold ---- */

struct credit {
    char account[PURSE_ACCOUNT];
    int64_t amount;
};

static bool read_path(struct credit *out, const char *path)
{
    const size_t n = strlen(PATH_START);

    if (strncmp(path, PATH_START, n) != 0 || strlen(path) < n + ACCOUNT + 2 ||
        path[n + ACCOUNT] != '/')
        return false;
    snprintf(out->account, sizeof(out->account), "%s", path + n);
    out->amount = strtoll(path + n + ACCOUNT + 1, NULL, 10);
    return member_is_hash(out->account) && member_is_amount(path + n + ACCOUNT + 1);
}

/* Stopped accounts, and those that would hold too much, are not filled now. */
/* What it holds already is not told to whoever knows its number: more than it may hold comes out at
 * the delivery, and is given back. */
static char *quote_text(const struct filling *f, const struct account *a, const struct credit *c)
{
    const struct purse_currency *limits = settings_currency(f->settings, a->currency);
    const bool available =
        a->state == ACCOUNT_OPEN && limits != NULL && c->amount <= limits->balance;
    char designation[160], amount[24], shown[MONEY_TEXT_MAX], currency[4], until[TIME_TEXT_MAX],
        *text = NULL;
    json_t *quote;

    snprintf(designation, sizeof(designation), "Credit of %s %s for purse account …%s",
             currency_shown(a->currency), money_shown(shown, c->amount, a->currency),
             c->account + ACCOUNT - 4);
    snprintf(amount, sizeof(amount), "%" PRId64, c->amount);
    currency_small(currency, a->currency);
    quote = json_pack("{s:s,s:s,s:s,s:b,s:s,s:s,s:s,s:s,s:b}", "designation", designation, "amount",
                      amount, "currency", currency, "available", available, "valid_until",
                      time_format_utc(until, time(NULL) + VALID_S), "delivery", "network",
                      "merchant", f->settings->name, "account", c->account, "final", true);
    if (quote == NULL || jcs_write(&text, quote, NULL) != TP_OK)
        text = NULL;
    json_decref(quote);
    return text;
}

static json_t *read_body(struct http_call *call)
{
    json_t *body = NULL;

    if (jcs_read(&body, http_body(call), NULL) == TP_OK && json_is_object(body))
        return body;
    json_decref(body);
    http_answer_text(call, MHD_HTTP_BAD_REQUEST, "the body is no JSON object");
    return NULL;
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text != NULL ? text : "";
}

static void quote(const struct filling *f, struct http_call *call, const struct credit *c)
{
    struct account a;
    struct tp_error e = {TP_OK, ""};
    const enum tp_err r = asked_account(f->asked, c->account, &a, &e);
    char *text = r == TP_OK ? quote_text(f, &a, c) : NULL;

    if (r == TP_ERR_NOT_FOUND)
        http_answer_text(call, MHD_HTTP_NOT_FOUND, "there is no such account");
    else if (text == NULL)
        http_answer_busy(call, "no quote can be made now: ask again");
    else {
        http_answer(call, MHD_HTTP_OK,
                    MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_COPY),
                    strlen(text));
        http_answer_header(call, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
        http_answer_header(call, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    }
    free(text);
}

void filling_quote(const struct filling *f, struct http_call *call)
{
    struct credit c;
    json_t *body = read_body(call);

    if (body == NULL)
        return;
    if (text_of(body, "method")[0] == '\0' || text_of(body, "path")[0] != '/')
        http_answer_text(call, MHD_HTTP_BAD_REQUEST,
                         "a question has a method and a path that begins with /");
    else if (strcmp(text_of(body, "method"), MHD_HTTP_METHOD_GET) != 0)
        http_answer_text(call, MHD_HTTP_METHOD_NOT_ALLOWED, "credit is got with GET");
    else if (!read_path(&c, text_of(body, "path")))
        http_answer_text(call, MHD_HTTP_NOT_FOUND,
                         "credit is sold at " PATH_START "ACCOUNT/AMOUNT, in minor units");
    else
        quote(f, call, &c);
    json_decref(body);
}

/* ---- what is delivered ---- */

/* What the card's acquirer said: it is of a contract of the purse's own, of this order, so much. */
static enum tp_err check_paid(const struct filling *f, struct booking *what, const char *jws,
                              struct tp_error *e)
{
    struct order_authority *authority = NULL;
    char contract[BOOK_CONTRACT];
    enum tp_err r = record_payee(contract, jws, e);

    if (r == TP_OK)
        r = asked_trust(f->asked, contract, &authority, e);
    if (r == TP_OK)
        r = record_paid(&what->currency, what, jws, authority, e);
    order_authority_free(&authority);
    return r;
}

/* The quote as it was given says the account and the amount. */
static bool read_delivery(struct booking *what, struct http_call *call, const json_t *body)
{
    const json_t *quoted = json_object_get(body, "quote");
    const char *order = text_of(body, "order"), *key = http_header(call, "Idempotency-Key");
    const size_t quote_mark = key != NULL && key[0] == '"';

    if (!member_is_order(order) || key == NULL || strncmp(key + quote_mark, order, 26) != 0 ||
        strcmp(key + quote_mark + 26, quote_mark ? "\"" : "") != 0) {
        http_answer_text(call, MHD_HTTP_BAD_REQUEST,
                         "an order has 26 characters of base32, and is the Idempotency-Key, too");
        return false;
    }
    if (!member_is_hash(text_of(quoted, "account")) ||
        !member_is_amount(text_of(quoted, "amount"))) {
        http_answer_text(call, MHD_HTTP_UNPROCESSABLE_CONTENT, "this is no quote of this purse");
        return false;
    }
    snprintf(what->account, sizeof(what->account), "%s", text_of(quoted, "account"));
    snprintf(what->reference, sizeof(what->reference), "%s", order);
    what->amount = strtoll(text_of(quoted, "amount"), NULL, 10);
    return true;
}

/* For good, by what it brings; all else is the purse's own trouble, whose words are in its log. */
static bool is_of_asker(enum tp_err r)
{
    return r == TP_ERR_FORMAT || r == TP_ERR_RANGE || r == TP_ERR_SECURITY || r == TP_ERR_NOT_FOUND;
}

static void deliver(const struct filling *f, struct http_call *call, const json_t *body)
{
    struct till_job job = {.call = call,
                           .now = time(NULL),
                           .kind = TILL_FILL,
                           .booking = {.kind = BOOKING_CARD},
                           .jws = strdup(text_of(body, "acknowledgement"))};
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    if (job.jws == NULL) {
        http_answer_busy(call, "no memory now: ask again");
        return;
    }
    if (!read_delivery(&job.booking, call, body)) {
        free(job.jws);
        return;
    }
    r = check_paid(f, &job.booking, job.jws, &e);
    if (r == TP_OK) {
        job.booking.evidence = span_str(job.jws);
        http_later(call);
        till_take(f->till, &job);
        return;
    }
    log_error("order %s fills nothing: %s", job.booking.reference, e.text);
    if (is_of_asker(r))
        http_answer_text(call, MHD_HTTP_UNPROCESSABLE_CONTENT, "%s", e.text);
    else
        http_answer_busy(call, "the acknowledgement cannot be looked at now: ask again");
    free(job.jws);
}

void filling_deliver(const struct filling *f, struct http_call *call)
{
    json_t *body = read_body(call);

    if (body != NULL)
        deliver(f, call, body);
    json_decref(body);
}
