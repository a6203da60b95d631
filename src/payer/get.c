#include "payer/get.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/date.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"
#include "base/word.h"
#include "payer/address.h"
#include "payer/credential.h"
#include "payer/identity.h"
#include "payer/listen.h"
#include "wire/jcs.h"
#include "wire/payment_problem.h"

#define EXIT_HTTP      22 /* curl's: a status of 400 or more, where --fail asks for a fault */
#define EXIT_REDIRECTS 47
#define PROBLEM_SHOWN  200
#define EXIT_CURL_MIN  6 /* below that, the house's own words are said */

struct get { /* while it lasts */
    const struct get_options *options;
    struct fetch *fetch;
    FILE *out; /* NULL: not open yet */
    char *name;
    char *url;          /* where the way has led */
    const char *method; /* NULL: GET */
    bool has_body;
    const char *headers[GET_HEADERS_MAX + 1]; /* those that may go there */
    struct identity_told told;                /* "": nobody wanted to know */
    int exit;                                 /* decided already; CLI_DONE: not yet */
    bool of_payment;
    struct checkout checkout;
    struct listening listening;
};

/* ---- where the delivery goes ---- */

char *get_remote_name(const char *url)
{
    const char *path = strstr(url, "://");
    const char *last;
    size_t n;

    path = path != NULL ? strchr(path + 3, '/') : strchr(url, '/');
    if (path == NULL)
        return NULL;
    n = strcspn(path, "?#");
    last = path + n;
    while (last > path && last[-1] != '/')
        last--;
    n -= (size_t)(last - path);
    return n == 0 || (n == 1 && *last == '.') || (n == 2 && strncmp(last, "..", 2) == 0)
               ? NULL
               : strndup(last, n);
}

static void free_secret(char *text)
{
    if (text != NULL)
        secret_wipe(text, strlen(text));
    free(text);
}

static bool open_out(struct get *g)
{
    if (g->out != NULL)
        return true;
    if (g->name != NULL)
        g->out = fopen(g->name, "we");
    else
        g->out = g->options->to != NULL ? g->options->to : stdout;
    return g->out != NULL;
}

static bool write_out(void *ctx, struct span piece)
{
    struct get *g = ctx;

    return open_out(g) && fwrite(piece.p, 1, piece.n, g->out) == piece.n;
}

static bool is_redirect(long status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* What is written as it comes: all but what is looked at here first. */
static bool takes(void *ctx, long status)
{
    const struct get *g = ctx;
    char request[27];

    return status != 402 && !(status == 401 && identity_asked(request, g->fetch)) &&
           !(g->options->fail && status >= 400) && !(g->options->location && is_redirect(status));
}

static enum tp_err close_out(struct get *g, enum tp_err r, struct tp_error *e)
{
    bool good = true;

    if (g->out == NULL)
        return r;
    good = fflush(g->out) == 0 && !ferror(g->out);
    if (g->name != NULL && fclose(g->out) != 0)
        good = false;
    g->out = NULL;
    return r == TP_OK && !good
               ? tp_fail(e, TP_ERR_IO, "cannot write %s: %s",
                         g->name != NULL ? g->name : _("the answer"), strerror(errno))
               : r;
}

/* ---- the way to it ---- */

static bool is_named(const char *line, const char *name)
{
    return strncasecmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':';
}

void get_drop_credentials(const char **headers)
{
    size_t n = 0;

    for (size_t i = 0; headers[i] != NULL; i++)
        if (!is_named(headers[i], "Authorization") && !is_named(headers[i], PAYMENT_HEADER) &&
            !is_named(headers[i], "Cookie") && !is_named(headers[i], "Proxy-Authorization"))
            headers[n++] = headers[i];
    headers[n] = NULL;
}

/* As browsers and curl do: after a POST, 301 to 303 are asked for with GET. */
static enum tp_err follow(struct get *g, struct tp_error *e)
{
    const long status = fetch_status(g->fetch);
    char *next = strdup(fetch_redirect(g->fetch));

    if (next == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for an address");
    if (strncasecmp(g->url, "https:", 6) == 0 && strncasecmp(next, "https:", 6) != 0) {
        free(next);
        return tp_fail(e, TP_ERR_SECURITY, "%.200s leads away from https: not followed", g->url);
    }
    if (!address_same_origin(g->url, next))
        get_drop_credentials(g->headers);
    if (status == 303 || (g->has_body && (status == 301 || status == 302))) {
        g->has_body = false;
        g->method = NULL;
    }
    free(g->url);
    g->url = next;
    return TP_OK;
}

static const char *method_of(const struct get *g)
{
    if (g->method != NULL)
        return g->method;
    return g->has_body ? "POST" : "GET";
}

static enum tp_err ask_once(struct get *g, struct tp_error *e)
{
    const struct fetch_request request = {
        .url = g->url,
        .method = g->method,
        .headers = g->headers,
        .has_body = g->has_body,
        .body = g->options->body,
        .takes = takes,
        .take = write_out,
        .ctx = g,
    };

    fetch_say(g->fetch, "A  %s %s", method_of(g), g->url);
    return fetch_send(g->fetch, &request, e);
}

/* A, wherever it leads. */
static enum tp_err ask(struct get *g, struct tp_error *e)
{
    enum tp_err r = ask_once(g, e);

    for (unsigned n = 0; r == TP_OK && g->options->location &&
                         is_redirect(fetch_status(g->fetch)) && fetch_redirect(g->fetch) != NULL;
         n++) {
        if (n == GET_REDIRECTS_MAX) {
            g->exit = EXIT_REDIRECTS;
            return tp_fail(e, TP_ERR_PEER, "more than %d redirects, the last to %.200s",
                           GET_REDIRECTS_MAX, fetch_redirect(g->fetch));
        }
        r = follow(g, e);
        if (r == TP_OK)
            r = ask_once(g, e);
    }
    return r;
}

/* ---- what it came to ---- */

/* Who asks for a payment that cannot be made is shown as curl shows it, and the reason is told. */
static enum tp_err unpaid(struct get *g, const struct payment_offers *offers, struct tp_error *e)
{
    const char *only = g->options->checkout.means;
    char methods[200] = "";
    size_t n = 0;

    for (size_t i = 0; i < offers->n && n < sizeof(methods); i++)
        n += (size_t)snprintf(methods + n, sizeof(methods) - n, "%s%s", i > 0 ? ", " : "",
                              offers->offer[i].method);
    word_make_shown(methods);
    if (!g->options->fail && !write_out(g, fetch_body(g->fetch)))
        return tp_fail(e, TP_ERR_IO, "the answer cannot be written");
    if (offers->n > 0 && only != NULL)
        return tp_fail(e, TP_ERR_CANCELLED, "%.200s is to be paid, and not paid: by %s, not by %s",
                       g->url, methods, only);
    return tp_fail(e, TP_ERR_CANCELLED, "%.200s is to be paid, and not paid: %s%s", g->url,
                   offers->n > 0 ? _("this device pays by none of ") : _("it says in no way how"),
                   methods);
}

/* ---- K ---- */

static bool takes_delivery(void *ctx, long status)
{
    (void)ctx;
    return status >= 200 && status < 300;
}

static bool write_delivery(void *ctx, struct span piece)
{
    struct get *g = ctx;

    listen_heard(&g->listening);
    return write_out(g, piece) && (g->listening.per == 0 || fflush(g->out) == 0);
}

static void on_tick(void *ctx)
{
    struct get *g = ctx;

    listen_tick(&g->listening);
}

static enum tp_err ask_delivery(struct get *g, const struct kept_order *o, const char *line,
                                bool at_resource, struct tp_error *e)
{
    char url[DEMAND_ORIGIN + 64];
    const struct fetch_request request = {
        .url = at_resource ? o->url : url,
        .method = at_resource ? o->method : NULL,
        .headers = at_resource ? g->headers : NULL,
        .credential = line,
        .has_body = at_resource && g->has_body,
        .body = g->options->body,
        .takes = takes_delivery,
        .take = write_delivery,
        .tick = g->listening.per > 0 ? on_tick : NULL,
        .ctx = g,
    };
    enum tp_err r;

    snprintf(url, sizeof(url), "%s/orders/%s/delivery", o->origin, o->order);
    r = fetch_send(g->fetch, &request, e);
    if (r == TP_OK)
        fetch_say(g->fetch, "K  %ld", fetch_status(g->fetch));
    return r;
}

/* A fault that a problem (RFC 9457) explains to people is told to them; "": none does. */
static void read_problem(struct get *g, char why[PROBLEM_SHOWN])
{
    const char *type = fetch_field(g->fetch, "Content-Type", 0);
    struct payment_problem problem = {0};

    why[0] = '\0';
    if (type == NULL || fetch_status(g->fetch) < 400 ||
        strncasecmp(type, PAYMENT_PROBLEM_TYPE, strlen(PAYMENT_PROBLEM_TYPE)) != 0 ||
        payment_problem_read(&problem, fetch_body(g->fetch), NULL) != TP_OK)
        return;
    snprintf(why, PROBLEM_SHOWN, "%s", problem.detail != NULL ? problem.detail : "");
    word_make_shown(why);
    payment_problem_free(&problem);
}

/* What was paid, and does not come. */
static enum tp_err undelivered(struct get *g, struct kept_order *o, struct tp_error *e)
{
    const long status = fetch_status(g->fetch);
    char why[PROBLEM_SHOWN];

    if (status == 409 && g->listening.per > 0) { /* what was paid for has passed */
        read_problem(g, why);
        o->delivered = true;
        const enum tp_err r = orders_update(g->checkout.journal, o, e);

        return r == TP_OK ? tp_fail(e, TP_ERR_PEER, "order %s: %s", o->order, why) : r;
    }
    if (status != 410)
        return tp_fail(e, TP_ERR_PEER,
                       "order %s is paid, and its delivery answered %ld: not paid again; the same "
                       "`telepay get` asks for it again",
                       o->order, status);
    o->state = KEPT_REVERSED;
    o->ticket.state = PAYMENT_REVERSED;
    read_problem(g, why);
    snprintf(o->ticket.reason, sizeof(o->ticket.reason), "%s",
             why[0] != '\0' ? why : "what was paid is given back");
    const enum tp_err r = orders_update(g->checkout.journal, o, e);

    return r == TP_OK ? tp_fail(e, TP_ERR_PEER, "order %s is not delivered: %s", o->order,
                                o->ticket.reason)
                      : r;
}

static bool pauses_for(struct get *g, int64_t until)
{
    const char *field = fetch_field(g->fetch, "Retry-After", 0);
    const long said = field != NULL ? strtol(field, NULL, 10) : 0;
    const int ms = said > 0 && said < 3600 ? (int)said * 1000 : 2000;

    return fetch_status(g->fetch) == 503 && time_monotonic_ms() + ms < until &&
           g->checkout.submitter.pause(NULL, ms);
}

/* With the credential that paid, and no other: from the order, or where the mediator has none
 * there, from the resource itself. */
static enum tp_err deliver(struct get *g, struct kept_order *o, const struct demand *d,
                           struct tp_error *e)
{
    const bool own = strstr(o->challenge, "\"" PAYMENT_HEADER "\"") != NULL;
    const int64_t until = time_monotonic_ms() + 1000 * (int64_t)g->options->checkout.patience_s;
    char *field = NULL, *line = NULL;
    bool at_resource = false;
    enum tp_err r = credential_field(&field, o->secret, e);

    if (r == TP_OK &&
        asprintf(&line, "%s: %s", own ? PAYMENT_HEADER : "Authorization", field) < 0) {
        line = NULL;
        r = tp_fail(e, TP_ERR_NO_MEMORY, "no memory for a credential");
    }
    if (r == TP_OK)
        r = listen_begin(&g->listening, &g->checkout, &g->options->pay, d, o,
                         g->options->fetch.verbose, e);
    while (r == TP_OK && (r = ask_delivery(g, o, line, at_resource, e)) == TP_OK) {
        if (!at_resource && (fetch_status(g->fetch) == 404 || fetch_status(g->fetch) == 405))
            at_resource = true;
        else if (!pauses_for(g, until))
            break;
    }
    if (r == TP_OK && !takes_delivery(NULL, fetch_status(g->fetch)))
        r = undelivered(g, o, e);
    else if (r != TP_OK)
        (void)tp_error_prefix(e, "order %s is paid, and the same `telepay get` asks again for it",
                              o->order);
    g->of_payment = true;
    if (r == TP_OK && !open_out(g))
        r = tp_fail(e, TP_ERR_IO, "cannot write %s: %s", g->name, strerror(errno));
    r = close_out(g, r, e);
    if (r == TP_OK || g->listening.since != 0) { /* of a stream all that was to come has come */
        o->delivered = true;
        const enum tp_err kept = orders_update(g->checkout.journal, o, r == TP_OK ? e : NULL);

        r = r == TP_OK ? kept : r;
    }
    listen_end(&g->listening, g->options->silent);
    free_secret(field);
    free_secret(line);
    return r;
}

/* ---- D, E ---- */

static void tell_paid(const struct get *g, const struct receipt *t)
{
    char amount[MONEY_TEXT_MAX];

    if (!g->options->silent)
        log_note("paid %s %s to %s, reference %s", money_shown(amount, t->amount, t->currency),
                 currency_shown(t->currency), t->merchant, t->rrn);
}

/* What another signature could pay: of a card this one or another, beside a purse a card. */
static bool has_again(const struct get *g, const struct pay_order *order)
{
    const struct payment_offers *again = &order->answer.again;
    const char *only = g->options->checkout.means;

    if (only != NULL && strcmp(only, DEMAND_CARD) != 0)
        return false;
    for (size_t i = 0; i < again->n; i++)
        if (demand_is_payable(&again->offer[i], DEMAND_CARD))
            return true;
    return false;
}

/* The person is asked before anything is signed a second time. */
static bool wants_again(const struct get *g, const struct pay_order *order,
                        const struct pay_result *result)
{
    char text[320];
    bool yes = false;

    if (!has_again(g, order) || order->kept.state != KEPT_REFUSED || result->person == NULL)
        return false;
    snprintf(text, sizeof(text), _("Declined: %s. %s"), result->receipt.reason,
             order->purse != NULL ? _("Pay by card instead")
                                  : _("Sign the order again, with this card or another"));
    return person_agrees(result->person, text, &yes, NULL) == TP_OK && yes;
}

static enum tp_err pay_once(struct get *g, struct pay_order *order, bool *again, struct tp_error *e)
{
    struct pay_result result;
    enum tp_err r;

    fetch_say(g->fetch, "D  order %s of %s", order->demand->order.id,
              order->demand->order.merchant);
    checkout_pay(&g->checkout, order, &g->options->pay, &result);
    g->of_payment = true;
    g->exit = result.exit;
    r = result.error.code;
    *e = result.error;
    if (r == TP_OK && result.exit != CLI_DONE)
        r = tp_fail(e, TP_ERR_CANCELLED, "%s: nothing is paid", result.receipt.reason);
    *again = wants_again(g, order, &result);
    if (r == TP_OK)
        tell_paid(g, &order->kept.ticket);
    pay_result_free(&result);
    return r;
}

static enum tp_err read_demand(struct get *g, struct demand *d, const struct payment_offers *offers,
                               const char *without, struct tp_error *e)
{
    const enum tp_err r = checkout_choose(&g->checkout, d, offers, without, e);

    return r == TP_OK
               ? demand_is_for(d, method_of(g), g->url, g->has_body ? &g->options->body : NULL, e)
               : r;
}

/* What its person has agreed to. */
static bool is_same(const struct demand *a, const struct demand *b)
{
    return strcmp(a->order.id, b->order.id) == 0 && a->amount == b->amount &&
           a->currency == b->currency && strcmp(a->order.item, b->order.item) == 0 &&
           strcmp(a->order.merchant, b->order.merchant) == 0;
}

/* After a refusal: the same order, and no other; not again by the purse that refused. */
static enum tp_err read_again(struct get *g, struct demand *out, const struct demand *before,
                              const struct payment_offers *again, struct tp_error *e)
{
    const char *without = demand_is_by_purse(before) ? DEMAND_PURSE : NULL;
    const enum tp_err r = read_demand(g, out, again, without, e);

    if (r == TP_OK && !is_same(out, before))
        return tp_fail(e, TP_ERR_SECURITY, "another order is demanded than was refused");
    return r == TP_OK ? checkout_allows(&g->checkout, out, e) : r;
}

/* Pays what was chosen, and again as long as its person wants to. */
static enum tp_err pay_chosen(struct get *g, struct demand *demand, struct tp_error *e)
{
    struct pay_order order = {.content = true};
    struct demand next = {0};
    bool again = true;
    enum tp_err r = checkout_allows(&g->checkout, demand, e);

    while (r == TP_OK && again) {
        order.demand = demand;
        r = pay_once(g, &order, &again, e);
        if (r == TP_OK)
            r = deliver(g, &order.kept, demand, e);
        if (!again)
            break;
        r = read_again(g, &next, demand, &order.answer.again, e);
        pay_order_free(&order);
        demand_free(demand);
        *demand = next;
        next = (struct demand){0};
        order = (struct pay_order){.content = true, .agreed = true};
    }
    pay_order_free(&order);
    return r;
}

/* What was agreed to is what was signed then, and not what is demanded now. */
static enum tp_err deliver_owed(struct get *g, struct kept_order *o, struct tp_error *e)
{
    struct payment_challenge challenge;
    struct demand signed_for = {0};
    struct tp_error why = {TP_OK, ""};
    json_t *object = NULL;
    enum tp_err r = jcs_read(&object, span_str(o->challenge), &why);

    if (r == TP_OK)
        r = payment_challenge_from_json(&challenge, object, &why);
    if (r == TP_OK)
        r = demand_read(&signed_for, &challenge, &g->checkout.authorities, o->made, &why);
    if (r != TP_OK) { /* it is delivered all the same, and nothing further of it is bought */
        log_note("order %s: %s", o->order, why.text);
        demand_free(&signed_for);
    }
    r = deliver(g, o, &signed_for, e);
    demand_free(&signed_for);
    json_decref(object);
    return r;
}

static enum tp_err pay(struct get *g, const struct payment_offers *offers, struct tp_error *e)
{
    struct demand demand = {0};
    struct kept_order owed = {0};
    bool found = false;
    enum tp_err r = checkout_open(&g->checkout, &g->options->checkout, g->fetch, e);

    if (r == TP_OK) {
        r = read_demand(g, &demand, offers, NULL, e);
        if (r == TP_ERR_NOT_FOUND)
            r = unpaid(g, offers, e);
    }
    if (r == TP_OK)
        r = checkout_owed(&g->checkout, &demand, &owed, &found, e);
    if (r == TP_OK)
        r = found ? deliver_owed(g, &owed, e) : pay_chosen(g, &demand, e);
    kept_order_free(&owed);
    demand_free(&demand);
    return r;
}

static enum tp_err demanded(struct get *g, struct tp_error *e)
{
    struct payment_offers offers = {0};
    bool payable = false;
    enum tp_err r = submit_offers(&offers, g->fetch, e);

    fetch_say(g->fetch, ngettext("D  402, %zu way to pay", "D  402, %zu ways to pay", offers.n),
              offers.n);
    for (size_t i = 0; i < offers.n; i++)
        payable = payable || demand_is_payable(&offers.offer[i], NULL);
    if (r == TP_OK)
        r = payable ? pay(g, &offers, e) : unpaid(g, &offers, e);
    payment_offers_free(&offers);
    return r;
}

/* One field more goes along: it proves who asks, and so goes to no other origin. */
static bool add_told(struct get *g)
{
    size_t n = 0;

    while (g->headers[n] != NULL && g->headers[n] != g->told.line)
        n++;
    if (n == GET_HEADERS_MAX)
        return false;
    g->headers[n] = g->told.line;
    return true;
}

/* A service wants to know who asks: it is told, and asked again. A second time it knows the session
 * no more that it was shown. */
static enum tp_err tell_who(struct get *g, struct tp_error *e)
{
    struct identity_options options = {.checkout = &g->options->checkout,
                                       .person = &g->options->pay.person,
                                       .card = &g->options->pay,
                                       .agreed = g->options->identify,
                                       .by_card = g->options->by_card};
    char origin[DEMAND_ORIGIN], request[27];
    enum tp_err r = TP_OK;

    for (unsigned n = 0;
         r == TP_OK && n < 2 && fetch_status(g->fetch) == 401 && identity_asked(request, g->fetch);
         n++) {
        options.anew = n > 0;
        r = address_origin(origin, sizeof(origin), g->url, e);
        if (r == TP_OK)
            r = identity_tell(&g->told, g->fetch, origin, request, &options, e);
        if (r == TP_OK && !add_told(g))
            r = tp_fail(e, TP_ERR_USAGE, "there are too many fields with -H");
        if (r == TP_OK)
            r = ask(g, e);
    }
    return r;
}

static enum tp_err get(struct get *g, struct tp_error *e)
{
    char why[PROBLEM_SHOWN];
    long status;
    enum tp_err r;

    checkout_recover(&g->options->checkout, g->fetch);
    r = ask(g, e);
    if (r == TP_OK)
        r = tell_who(g, e);
    if (r != TP_OK)
        return r;
    status = fetch_status(g->fetch);
    if (status == 402)
        return demanded(g, e);
    fetch_say(g->fetch, "K  %ld", status);
    read_problem(g, why);
    if (g->options->fail && status >= 400) {
        g->exit = EXIT_HTTP;
        return tp_fail(e, TP_ERR_PEER, "%.200s answered %ld%s%s", g->url, status,
                       why[0] != '\0' ? ": " : "", why);
    }
    if (why[0] != '\0' && !g->options->silent)
        log_note("%.200s answered %ld: %s", g->url, status, why);
    return open_out(g) ? TP_OK
                       : tp_fail(e, TP_ERR_IO, "cannot write %s: %s", g->name, strerror(errno));
}

static enum tp_err begin(struct get *g, struct tp_error *e)
{
    const struct get_options *o = g->options;

    memcpy(g->headers, o->headers, sizeof(g->headers));
    g->method = o->method;
    g->has_body = o->has_body;
    g->url = strdup(o->url);
    g->name = o->remote_name      ? get_remote_name(o->url)
              : o->output != NULL ? strdup(o->output)
                                  : NULL;
    if (o->remote_name && g->name == NULL)
        return tp_fail(e, TP_ERR_USAGE,
                       "%.200s does not end in a name that a file could have: say one with -o",
                       o->url);
    if (g->url == NULL || (o->output != NULL && g->name == NULL))
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for an address");
    return fetch_new(&g->fetch, &o->fetch, e);
}

void get_run(struct get_result *result, const struct get_options *options)
{
    struct get g = {.options = options};
    enum tp_err r;

    memset(result, 0, sizeof(*result));
    r = begin(&g, &result->error);
    if (r == TP_OK)
        r = get(&g, &result->error);
    r = close_out(&g, r, &result->error);
    if (r != TP_OK) {
        result->error.code = r;
        result->exit = g.exit != CLI_DONE ? g.exit : cli_exit_of(r);
        if (g.exit == CLI_DONE && g.fetch != NULL && fetch_fault(g.fetch) >= EXIT_CURL_MIN)
            result->exit = fetch_fault(g.fetch);
    }
    result->of_payment = g.of_payment;
    checkout_close(&g.checkout);
    fetch_free(&g.fetch);
    free(g.name);
    free(g.url);
}
