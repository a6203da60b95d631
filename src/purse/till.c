#include "purse/till.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/log.h"
#include "base/text.h"
#include "order/key_files.h"
#include "store/group.h"

#define RELEASE_MS 60000

struct job {
    struct group_job entry; /* first */
    struct till_job asked;
    enum purse_verdict verdict; /* of accounts, keys, fillings */
    char account[PURSE_ACCOUNT];
    int64_t number; /* of a booking */
    struct payment_answer answer;
};

struct till {
    struct order_key key;
    struct desk desk; /* the group's thread's */
    char acquirer[BOOK_ID];
    int64_t release; /* when reserves are looked at again */
    struct group *group;
};

/* ---- the answers ---- */

static void answer_text(struct http_call *call, unsigned status, const char *type, const char *text)
{
    struct MHD_Response *response =
        text != NULL ? MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text,
                                                       MHD_RESPMEM_MUST_COPY)
                     : NULL;

    http_answer(call, status, response, text != NULL ? strlen(text) : 0);
    http_answer_header(call, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    http_answer_header(call, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
}

void till_answer_json(struct http_call *call, unsigned status, json_t *object)
{
    char *text = object != NULL ? json_dumps(object, JSON_SORT_KEYS | JSON_COMPACT) : NULL;

    answer_text(call, status, "application/json", text);
    if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
        http_answer_header(call, MHD_HTTP_HEADER_RETRY_AFTER, "5");
    free(text);
    json_decref(object);
}

static const struct purse_verdict_row *row_of(const struct payment_answer *a)
{
    for (int v = 0; v < PURSE_VERDICTS; v++) {
        const struct purse_verdict_row *row = purse_verdict_row((enum purse_verdict)v);

        if (strcmp(row->code, a->code) == 0 && strcmp(row->reason, a->reason) == 0)
            return row;
    }
    return purse_verdict_row(PURSE_FAULT);
}

void till_answer_payment(struct http_call *call, const struct payment_answer *a)
{
    till_answer_json(call, row_of(a)->status,
                     json_pack("{s:s,s:s*,s:s*,s:s*,s:s*}", "code", a->code, "reason",
                               a->reason[0] != '\0' ? a->reason : NULL, "reference",
                               a->number[0] != '\0' ? a->number : NULL, "acknowledgement",
                               a->acknowledgement, "provision", a->provision));
}

static unsigned account_status(enum purse_verdict v)
{
    switch (v) {
    case PURSE_NEW:
    case PURSE_REPEAT:
        return MHD_HTTP_OK;
    case PURSE_MALFORMED:
        return MHD_HTTP_BAD_REQUEST;
    case PURSE_SIGNATURE:
    case PURSE_ASKED:
        return MHD_HTTP_FORBIDDEN;
    case PURSE_UNKNOWN:
        return MHD_HTTP_NOT_FOUND;
    case PURSE_FAULT:
        return MHD_HTTP_SERVICE_UNAVAILABLE;
    default:
        return MHD_HTTP_CONFLICT;
    }
}

void till_answer_account(struct http_call *call, enum purse_verdict verdict, const char *account)
{
    const struct purse_verdict_row *row = purse_verdict_row(verdict);

    till_answer_json(call, account_status(verdict),
                     json_pack("{s:s,s:s*,s:s*}", "code", row->code, "reason",
                               row->reason[0] != '\0' ? row->reason : NULL, "account", account));
}

void till_job_free(struct till_job *job)
{
    paying_free(&job->paying);
    purse_statement_free(&job->statement);
    purse_token_free(&job->token);
    free(job->jws);
    free(job->page);
}

static void finish(struct job *j)
{
    http_resume(j->asked.call); /* the call may be gone at once */
    payment_answer_free(&j->answer);
    till_job_free(&j->asked);
    free(j);
}

/* As a service delivers (doc/service.md): what was filled, or that it will not be. */
static void answer_fill(const struct job *j)
{
    const struct booking *what = &j->asked.booking;
    const char *const text = purse_verdict_row(j->verdict)->text;
    char number[BOOK_NUMBER], amount[24];

    switch (j->verdict) {
    case PURSE_NEW:
    case PURSE_REPEAT:
        if (j->asked.page != NULL) {
            answer_text(j->asked.call, MHD_HTTP_OK, "text/html; charset=utf-8", j->asked.page);
            return;
        }
        payment_number(number, j->number);
        snprintf(amount, sizeof(amount), "%" PRId64, what->amount);
        till_answer_json(j->asked.call, MHD_HTTP_OK,
                         json_pack("{s:s,s:s,s:s,s:s}", "account", what->account, "amount", amount,
                                   "currency", currency_shown(what->currency), "booking", number));
        return;
    case PURSE_FAULT:
        http_answer_busy(j->asked.call, text);
        return;
    case PURSE_ORDER_USED:
        http_answer_text(j->asked.call, MHD_HTTP_CONFLICT,
                         "this order came before with another quote or acknowledgement");
        return;
    default:
        http_answer_text(j->asked.call, MHD_HTTP_GONE, "%s", text);
        return;
    }
}

static void answer(struct job *j)
{
    const struct till_job *asked = &j->asked;
    const char *const text = row_of(&j->answer)->text;

    switch (asked->kind) {
    case TILL_OPENING:
    case TILL_SUCCESSION:
        log_note("account %s: %s", j->account,
                 account_status(j->verdict) == MHD_HTTP_OK ? _("its key is known")
                                                           : purse_verdict_row(j->verdict)->text);
        till_answer_account(asked->call, j->verdict, j->account);
        return;
    case TILL_FILL:
        log_note("order %s, account %s: %s", asked->booking.reference, asked->booking.account,
                 j->verdict == PURSE_NEW || j->verdict == PURSE_REPEAT
                     ? _("filled")
                     : purse_verdict_row(j->verdict)->text);
        answer_fill(j);
        return;
    case TILL_REVERSAL:
        log_note("order %s is to be given back: %s", asked->token.order,
                 strcmp(j->answer.code, "00") == 0 ? _("done") : text);
        break;
    case TILL_EMPTYING:
        log_note("account %s sends out: %s", asked->statement.account,
                 strcmp(j->answer.code, "00") == 0 ? _("done") : text);
        break;
    case TILL_PRESENTATION:
        log_note("session %s, contract %s: %s", asked->token.session, asked->token.contract,
                 strcmp(j->answer.code, "00") == 0 ? _("drawn") : text);
        break;
    case TILL_END:
        log_note("session %s: %s", asked->token.session,
                 strcmp(j->answer.code, "00") == 0 ? _("over") : text);
        break;
    case TILL_PAYMENT:
        log_note("order %s, account %s: %s", asked->paying.payment.order,
                 asked->paying.payment.account, text);
        break;
    }
    till_answer_payment(asked->call, &j->answer);
}

/* ---- the books ---- */

/* Once a minute what provisions hold beyond their time is free. */
static enum tp_err begin(void *ctx, struct tp_error *e)
{
    struct till *t = ctx;
    const int64_t now = time_monotonic_ms();
    int64_t n = 0;
    enum tp_err r = book_begin(t->desk.book, e);

    if (r != TP_OK || now < t->release)
        return r;
    t->release = now + RELEASE_MS;
    r = book_release(t->desk.book, time(NULL), &n, e);
    if (r != TP_OK)
        book_rollback(t->desk.book);
    return r;
}

static enum tp_err open_account(struct till *t, struct job *j, time_t now, struct tp_error *e)
{
    const struct purse_statement *s = &j->asked.statement;
    const struct currency *c = currency_by_alpha(s->currency);
    struct account a;
    const enum tp_err r = ed25519_thumbprint(j->account, s->key, e);

    j->verdict = PURSE_CURRENCY;
    if (r != TP_OK || c == NULL || settings_currency(t->desk.settings, c->numeric) == NULL)
        return r;
    return book_account_open(t->desk.book, &j->verdict, &a, s->key, c->numeric, j->asked.jws, now,
                             e);
}

static enum tp_err succeed(struct till *t, struct job *j, time_t now, struct tp_error *e)
{
    const struct purse_statement *s = &j->asked.statement;
    uint8_t next[ED25519_KEY];
    struct buf b = BUF_OF(next);

    snprintf(j->account, sizeof(j->account), "%s", s->account);
    j->verdict = PURSE_MALFORMED;
    if (base64url_decode(&b, span_str(s->next)) != TP_OK || b.n != sizeof(next))
        return TP_OK;
    return book_account_succeed(t->desk.book, &j->verdict, s->account, s->key, next, j->asked.jws,
                                now, e);
}

static enum tp_err empty(struct till *t, struct job *j, time_t now, struct tp_error *e)
{
    struct emptying m = {.iban = j->asked.statement.iban, .name = j->asked.statement.name};

    paying_of_statement(&m.by, &j->asked.statement, j->asked.jws);
    return desk_empty(&t->desk, &m, now, &j->answer, e);
}

static enum tp_err pay(struct till *t, struct job *j, time_t now, struct tp_error *e)
{
    const struct paying *p = &j->asked.paying;
    enum tp_err r = desk_pay(&t->desk, &p->payment, now, &j->answer, e);

    return r == TP_OK && strcmp(j->answer.code, "00") == 0 && p->provision.by.statement != NULL
               ? desk_provide(&t->desk, &p->provision, now, &j->answer.provision, e)
               : r;
}

static enum tp_err apply(void *ctx, struct group_job *entry, struct tp_error *e)
{
    struct till *t = ctx;
    struct job *j = (struct job *)entry;
    const time_t now = j->asked.now;

    payment_answer_free(&j->answer); /* of a group that is tried again */
    switch (j->asked.kind) {
    case TILL_OPENING:
        return open_account(t, j, now, e);
    case TILL_SUCCESSION:
        return succeed(t, j, now, e);
    case TILL_EMPTYING:
        return empty(t, j, now, e);
    case TILL_REVERSAL:
        return desk_reverse(&t->desk, &j->asked.token, j->asked.jws, now, &j->answer, e);
    case TILL_PRESENTATION:
        return desk_present(&t->desk, &j->asked.token, &j->asked.statement, j->asked.jws, now,
                            &j->answer, e);
    case TILL_FILL:
        return desk_fill(&t->desk, &j->asked.booking, now, &j->verdict, &j->number, e);
    case TILL_END:
        return desk_end(&t->desk, &j->asked.token, j->asked.jws, now, &j->answer, e);
    default:
        return pay(t, j, now, e);
    }
}

static enum tp_err commit(void *ctx, struct tp_error *e)
{
    const struct till *t = ctx;

    return book_commit(t->desk.book, e);
}

static void rollback(void *ctx)
{
    const struct till *t = ctx;

    book_rollback(t->desk.book);
}

static void done(void *ctx, struct group_jobs *jobs)
{
    struct group_job *entry;

    (void)ctx;
    while ((entry = STAILQ_FIRST(jobs)) != NULL) {
        STAILQ_REMOVE_HEAD(jobs, next);
        answer((struct job *)entry);
        finish((struct job *)entry);
    }
}

static void fail_one(struct job *j)
{
    j->verdict = PURSE_FAULT;
    payment_answer_free(&j->answer);
    j->answer = payment_refused(PURSE_FAULT);
    answer(j);
    finish(j);
}

static void failed(void *ctx, struct group_jobs *jobs, const struct tp_error *e)
{
    struct group_job *entry;

    (void)ctx;
    log_error("%s", e->text);
    while ((entry = STAILQ_FIRST(jobs)) != NULL) {
        STAILQ_REMOVE_HEAD(jobs, next);
        fail_one((struct job *)entry);
    }
}

/* ---- up and down ---- */

enum tp_err till_open(struct till **out, const char *dir, const struct purse_settings *settings,
                      struct tp_error *e)
{
    struct till *t = calloc(1, sizeof(*t));
    enum tp_err r;

    *out = NULL;
    if (t == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    const struct group_ops ops = {t, begin, apply, commit, rollback, done, failed};

    t->desk = (struct desk){NULL, settings, &t->key, t->acquirer};
    r = key_files_load(&t->key, dir, "acknowledgement", e);
    if (r == TP_OK)
        r = book_open(&t->desk.book, dir, e);
    if (r == TP_OK)
        r = book_acquirer(t->desk.book, t->acquirer, e);
    if (r == TP_OK)
        r = book_serve_alone(t->desk.book, e);
    if (r == TP_OK)
        r = group_new(&t->group, &ops, e);
    if (r == TP_OK)
        r = group_start(t->group, e);
    if (r != TP_OK)
        till_close(&t);
    *out = t;
    return r;
}

void till_stop(struct till *t)
{
    group_stop(t->group);
}

void till_close(struct till **t)
{
    if (*t == NULL)
        return;
    group_free(&(*t)->group);
    book_close(&(*t)->desk.book);
    order_key_free(&(*t)->key);
    free(*t);
    *t = NULL;
}

void till_take(struct till *t, struct till_job *asked)
{
    struct job *j = calloc(1, sizeof(*j));

    if (j == NULL) {
        http_answer_busy(asked->call, "no memory now: ask again");
        http_resume(asked->call);
        till_job_free(asked);
        return;
    }
    j->asked = *asked;
    if (group_offer(t->group, &j->entry) != TP_OK)
        fail_one(j);
}
