#include "purse/serve.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cli.h"
#include "base/date.h"
#include "base/file.h"
#include "base/log.h"
#include "purse/asked.h"
#include "purse/browse.h"
#include "purse/filling.h"
#include "purse/till.h"
#include "wire/http_door.h"
#include "wire/throttle.h"

#define THREADS      4
#define CONNECTIONS  1024
#define EACH_ADDRESS 512 /* a mediator's machine has many */
#define MEMORY       65536
#define BODY_MAX     65536

struct purse {
    struct purse_settings settings;
    char acquirer[BOOK_ID];
    char *about; /* what GET /purse says */
    struct order_authority *authority;
    struct throttle *throttle;
    struct till *till;
    struct asked *asked;
    struct filling filling;
    struct browse browse;
    struct http_door *front;
    int lock_fd;
};

/* ---- what a call is about ---- */

enum wish {
    WISH_NONE,
    WISH_ABOUT,
    WISH_OPENING,
    WISH_SUCCESSION,
    WISH_PAYMENT,
    WISH_REVERSAL,
    WISH_BALANCE,
    WISH_HISTORY,
    WISH_EMPTYING,
    WISH_PRESENTATION,
    WISH_END,
    WISH_QUOTE,
    WISH_DELIVERY,
    WISH_TICKET,
    WISH_ENTRANCE, /* the rest: of browsers */
    WISH_ACCOUNT,
    WISH_FILLING,
    WISH_STYLE
};

static const struct {
    const char *path, *method;
    enum wish wish;
} ways[] = {
    {"/purse", MHD_HTTP_METHOD_GET, WISH_ABOUT},
    {"/accounts", MHD_HTTP_METHOD_POST, WISH_OPENING},
    {"/keys", MHD_HTTP_METHOD_POST, WISH_SUCCESSION},
    {"/payments", MHD_HTTP_METHOD_POST, WISH_PAYMENT},
    {"/reversals", MHD_HTTP_METHOD_POST, WISH_REVERSAL},
    {"/balance", MHD_HTTP_METHOD_POST, WISH_BALANCE},
    {"/history", MHD_HTTP_METHOD_POST, WISH_HISTORY},
    {"/emptyings", MHD_HTTP_METHOD_POST, WISH_EMPTYING},
    {"/vouchers", MHD_HTTP_METHOD_POST, WISH_PRESENTATION},
    {"/sessions/end", MHD_HTTP_METHOD_POST, WISH_END},
    {"/quote", MHD_HTTP_METHOD_POST, WISH_QUOTE},
    {"/deliver", MHD_HTTP_METHOD_POST, WISH_DELIVERY},
    {"/pages", MHD_HTTP_METHOD_POST, WISH_TICKET},
    {"/page", MHD_HTTP_METHOD_GET, WISH_ENTRANCE},
    {"/account", MHD_HTTP_METHOD_GET, WISH_ACCOUNT},
    {"/account/fill", MHD_HTTP_METHOD_GET, WISH_FILLING},
    {"/telepay.css", MHD_HTTP_METHOD_GET, WISH_STYLE},
};

static enum wish wish_of(const struct http_call *call, const char **allowed)
{
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        if (strcmp(http_path(call), ways[i].path) != 0)
            continue;
        *allowed = ways[i].method;
        return strcmp(http_method(call), ways[i].method) == 0 ? ways[i].wish : WISH_NONE;
    }
    return WISH_NONE;
}

static void answer_about(const struct purse *p, struct http_call *call)
{
    const size_t n = strlen(p->about);

    http_answer(call, MHD_HTTP_OK,
                MHD_create_response_from_buffer(n, p->about, MHD_RESPMEM_MUST_COPY), n);
    http_answer_header(call, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
}

/* Anybody may open accounts, and each is kept for ever; and who asks has the books looked through.
 */
static bool too_many(struct purse *p, struct http_call *call, bool browses)
{
    char seconds[16];
    const unsigned wait = throttle_take(p->throttle, http_from(call), time_monotonic_ms());

    if (wait == 0)
        return false;
    snprintf(seconds, sizeof(seconds), "%u", wait);
    if (browses)
        browse_problem(&p->browse, call, MHD_HTTP_TOO_MANY_REQUESTS);
    else
        http_answer_text(call, MHD_HTTP_TOO_MANY_REQUESTS, "too many demands from one network");
    http_answer_header(call, MHD_HTTP_HEADER_RETRY_AFTER, seconds);
    return true;
}

static void browse(struct purse *p, struct http_call *call, enum wish wish)
{
    if (too_many(p, call, true))
        return;
    if (wish == WISH_ENTRANCE)
        browse_enter(&p->browse, call);
    else if (wish == WISH_ACCOUNT)
        browse_account(&p->browse, call);
    else if (wish == WISH_FILLING)
        browse_fill(&p->browse, call);
    else
        browse_style(&p->browse, call);
}

static void on_admit(void *ctx, struct http_call *call)
{
    struct purse *p = ctx;
    const char *allowed = NULL;
    const enum wish wish = wish_of(call, &allowed);

    if (wish == WISH_NONE && allowed == NULL)
        http_answer_text(call, MHD_HTTP_NOT_FOUND,
                         "a purse has no such way: doc/protocol.md, The purse");
    else if (wish == WISH_NONE) {
        http_answer_text(call, MHD_HTTP_METHOD_NOT_ALLOWED, "%s is asked with %s", http_path(call),
                         allowed);
        http_answer_header(call, MHD_HTTP_HEADER_ALLOW, allowed);
    } else if (wish == WISH_ABOUT)
        answer_about(p, call);
    else if (wish == WISH_QUOTE || wish == WISH_DELIVERY)
        (void)filling_admit(&p->filling, call);
    else if (wish >= WISH_ENTRANCE)
        browse(p, call, wish);
    else if (wish == WISH_OPENING || wish == WISH_BALANCE || wish == WISH_HISTORY ||
             wish == WISH_TICKET)
        (void)too_many(p, call, false);
}

/* ---- whole ---- */

static void pay(struct purse *p, struct http_call *call)
{
    struct till_job job = {.call = call, .now = time(NULL), .kind = TILL_PAYMENT};
    struct tp_error e = {TP_OK, ""};
    const enum purse_verdict v =
        paying_read(&job.paying, http_body(call), p->authority, p->acquirer, job.now, &e);

    if (v == PURSE_NEW) {
        http_later(call);
        till_take(p->till, &job);
        return;
    }
    const struct payment_answer a = payment_refused(v);

    log_stranger("a payment is refused: %s", e.text);
    till_answer_payment(call, &a);
    paying_free(&job.paying);
}

static enum purse_verdict verdict_of(enum tp_err r)
{
    switch (r) {
    case TP_ERR_SECURITY:
        return PURSE_SIGNATURE;
    case TP_ERR_STATE:
        return PURSE_ACQUIRER;
    case TP_ERR_PEER: /* a voucher that its bearer vouches for, and that is none */
        return PURSE_VOUCHER_OTHER;
    case TP_ERR_FORMAT:
    case TP_ERR_RANGE:
        return PURSE_MALFORMED;
    default:
        return PURSE_FAULT;
    }
}

/* What a mediator demands. */
static void demand(struct purse *p, struct http_call *call, enum till_kind till,
                   enum purse_token_kind kind)
{
    struct till_job job = {
        .call = call, .now = time(NULL), .kind = till, .jws = span_text(http_body(call))};
    struct tp_error e = {TP_OK, ""};
    enum tp_err r = job.jws != NULL ? purse_token_read(&job.token, kind, job.jws, p->authority, &e)
                                    : tp_fail(&e, TP_ERR_NO_MEMORY, "out of memory");

    if (r == TP_OK && strcmp(job.token.acquirer, p->acquirer) != 0)
        r = tp_fail(&e, TP_ERR_STATE, "it is for another purse");
    if (r == TP_OK && kind == PURSE_PRESENTATION &&
        purse_statement_read(&job.statement, PURSE_VOUCHER, job.token.voucher, &e) != TP_OK)
        r = TP_ERR_PEER;
    if (r == TP_OK) {
        http_later(call);
        till_take(p->till, &job);
        return;
    }
    const struct payment_answer a = payment_refused(verdict_of(r));

    log_stranger("a mediator's demand is refused: %s", e.text);
    till_answer_payment(call, &a);
    till_job_free(&job);
}

/* A statement that an account of this purse signed; the call is answered when it is none. */
static bool read_statement(struct purse *p, struct till_job *job, enum purse_kind kind,
                           enum purse_verdict *verdict)
{
    struct tp_error e = {TP_OK, ""};
    enum tp_err r;

    job->now = time(NULL);
    job->jws = span_text(http_body(job->call));
    r = job->jws != NULL ? purse_statement_read(&job->statement, kind, job->jws, &e)
                         : tp_fail(&e, TP_ERR_NO_MEMORY, "out of memory");
    if (r == TP_OK && strcmp(job->statement.acquirer, p->acquirer) != 0)
        r = tp_fail(&e, TP_ERR_STATE, "it is for another purse");
    if (r == TP_OK)
        return true;
    log_stranger("a statement is refused: %s", e.text);
    *verdict = verdict_of(r);
    till_job_free(job);
    return false;
}

static void sign_on(struct purse *p, struct http_call *call, enum till_kind till,
                    enum purse_kind kind)
{
    struct till_job job = {.call = call, .kind = till};
    enum purse_verdict v;

    if (!read_statement(p, &job, kind, &v)) {
        till_answer_account(call, v, NULL);
        return;
    }
    http_later(call);
    till_take(p->till, &job);
}

static void empty(struct purse *p, struct http_call *call)
{
    struct till_job job = {.call = call, .kind = TILL_EMPTYING};
    enum purse_verdict v;

    if (!read_statement(p, &job, PURSE_EMPTYING, &v)) {
        const struct payment_answer a = payment_refused(v);

        till_answer_payment(call, &a);
        return;
    }
    http_later(call);
    till_take(p->till, &job);
}

static void tell(struct purse *p, struct http_call *call, enum wish wish)
{
    struct till_job job = {.call = call};
    const char *after = http_argument(call, "after");
    int64_t number = 0;
    json_t *answer = NULL;
    enum purse_verdict v;

    if (after != NULL && cli_number(&number, "after", after, MONEY_MAX, NULL) != TP_OK) {
        http_answer_text(call, MHD_HTTP_BAD_REQUEST, "after is a record's number");
        return;
    }
    if (read_statement(p, &job, PURSE_QUESTION, &v)) {
        v = wish == WISH_HISTORY ? asked_history(p->asked, &answer, &job.statement, number, job.now)
            : wish == WISH_TICKET ? browse_ticket(&p->browse, &answer, &job.statement, job.now)
                                  : asked_balance(p->asked, &answer, &job.statement, job.now);
        till_job_free(&job);
    }
    if (v == PURSE_NEW)
        till_answer_json(call, MHD_HTTP_OK, answer);
    else
        till_answer_account(call, v, NULL);
}

static void on_whole(void *ctx, struct http_call *call)
{
    const struct purse *p = ctx;
    const char *allowed;
    const enum wish wish = wish_of(call, &allowed);

    switch (wish) {
    case WISH_PAYMENT:
        pay(ctx, call);
        break;
    case WISH_REVERSAL:
        demand(ctx, call, TILL_REVERSAL, PURSE_REVERSAL);
        break;
    case WISH_QUOTE:
        filling_quote(&p->filling, call);
        break;
    case WISH_DELIVERY:
        filling_deliver(&p->filling, call);
        break;
    case WISH_PRESENTATION:
        demand(ctx, call, TILL_PRESENTATION, PURSE_PRESENTATION);
        break;
    case WISH_END:
        demand(ctx, call, TILL_END, PURSE_END);
        break;
    case WISH_EMPTYING:
        empty(ctx, call);
        break;
    case WISH_BALANCE:
    case WISH_HISTORY:
    case WISH_TICKET:
        tell(ctx, call, wish);
        break;
    case WISH_OPENING:
        sign_on(ctx, call, TILL_OPENING, PURSE_OPENING);
        break;
    default:
        sign_on(ctx, call, TILL_SUCCESSION, PURSE_SUCCESSION);
        break;
    }
}

/* ---- up and down ---- */

static enum tp_err say_about(struct purse *p, struct tp_error *e)
{
    json_t *list = json_array(), *about;

    for (size_t i = 0; i < p->settings.n; i++) {
        const struct purse_currency *c = &p->settings.currency[i];

        json_array_append_new(list,
                              json_pack("{s:s,s:I,s:I,s:I}", "currency", c->currency->alpha,
                                        "payment", (json_int_t)c->payment, "day",
                                        (json_int_t)c->day, "balance", (json_int_t)c->balance));
    }
    about = json_pack("{s:s,s:s,s:o}", "acquirer", p->acquirer, "name", p->settings.name,
                      "currencies", list);
    p->about = about != NULL ? json_dumps(about, JSON_SORT_KEYS | JSON_COMPACT) : NULL;
    json_decref(about);
    return p->about != NULL ? TP_OK : tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
}

static enum tp_err read_all(struct purse *p, const char *dir, struct tp_error *e)
{
    char ca[PATH_MAX];
    struct book *book = NULL;
    enum tp_err r = settings_load(&p->settings, dir, e);

    if (r == TP_OK)
        r = book_open(&book, dir, e);
    if (r == TP_OK)
        r = book_acquirer(book, p->acquirer, e);
    book_close(&book);
    if (r == TP_OK)
        r = say_about(p, e);
    if (r == TP_OK)
        r = throttle_new(&p->throttle, e);
    if (r == TP_OK)
        r = file_join(ca, sizeof(ca), dir, "pki/ca.pem", e);
    return r == TP_OK ? order_authority_load(&p->authority, ca, e) : r;
}

static enum tp_err open_all(struct purse *p, const struct purse_place *place, struct tp_error *e)
{
    struct http_door_options options = {
        .program = "telepay-purse",
        .dir = place->dir,
        .asks_certificate = true, /* of who sells credit; nobody else shows one */
        .connections = CONNECTIONS,
        .of_address = EACH_ADDRESS,
        .threads = THREADS,
        .files = 1,
        .memory = MEMORY,
        .body_max = BODY_MAX,
        .ops = {p, on_admit, NULL, on_whole, NULL},
    };
    enum tp_err r = file_lock_folder(&p->lock_fd, place->dir, "telepay-purse", e);

    if (r == TP_OK)
        r = read_all(p, place->dir, e);
    if (r != TP_OK)
        return r;
    if (place->listen != NULL)
        snprintf(p->settings.listen, sizeof(p->settings.listen), "%s", place->listen);
    r = http_door_address(p->settings.listen, &options.address, &options.port, e);
    if (r == TP_OK) /* before any thread */
        r = http_door_new(&p->front, &options, e);
    if (r == TP_OK)
        r = asked_open(&p->asked, place->dir, e);
    if (r == TP_OK)
        r = till_open(&p->till, place->dir, &p->settings, e);
    p->browse =
        (struct browse){.asked = p->asked, .settings = &p->settings, .acquirer = p->acquirer};
    if (r == TP_OK)
        r = browse_open(&p->browse, e);
    p->filling = (struct filling){p->asked, p->till, &p->settings, p->browse.pages};
    return r;
}

enum tp_err purse_serve(const struct purse_place *place, struct tp_error *e)
{
    struct purse p = {.lock_fd = -1};
    enum tp_err r = open_all(&p, place, e);

    if (r == TP_OK)
        r = http_door_run(p.front, e);
    if (p.till != NULL)
        till_stop(p.till); /* every call that waits is resumed */
    http_door_free(&p.front);
    till_close(&p.till);
    browse_close(&p.browse);
    asked_close(&p.asked);
    throttle_free(&p.throttle);
    order_authority_free(&p.authority);
    free(p.about);
    if (p.lock_fd >= 0)
        close(p.lock_fd);
    return r;
}
