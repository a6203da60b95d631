/* The writer: moves of orders in groups, each group one transaction; after it what follows leaves.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "mediator/visit.h"

struct keeper {
    struct mediator *m;
    struct orderbook *book; /* the group's thread's */
    struct group *group;
};

/* ---- content ---- */

struct content *content_new(const char *type, struct span bytes)
{
    struct content *c = malloc(sizeof(*c) + bytes.n);

    if (c == NULL)
        return NULL;
    atomic_init(&c->holders, 1);
    snprintf(c->type, sizeof(c->type), "%s", type);
    c->n = bytes.n;
    if (bytes.n > 0)
        memcpy(c->bytes, bytes.p, bytes.n);
    return c;
}

struct content *content_hold(struct content *c)
{
    if (c != NULL)
        atomic_fetch_add(&c->holders, 1);
    return c;
}

void content_drop(struct content **c)
{
    if (*c != NULL && atomic_fetch_sub(&(*c)->holders, 1) == 1)
        free(*c);
    *c = NULL;
}

/* ---- jobs ---- */

struct job *move_job(enum event event, const char *id)
{
    struct job *j = calloc(1, sizeof(*j));

    if (j == NULL)
        return NULL;
    j->move.event = event;
    snprintf(j->move.id, sizeof(j->move.id), "%s", id);
    return j;
}

static void job_free(struct job *j)
{
    if (j->errand != NULL)
        j->errand->release(j->errand);
    content_drop(&j->content);
    move_free(&j->move);
    free(j);
}

static struct group_job *first_of(struct group_jobs *jobs)
{
    struct group_job *entry = STAILQ_FIRST(jobs);

    if (entry != NULL)
        STAILQ_REMOVE_HEAD(jobs, next);
    return entry;
}

/* ---- the group ---- */

static enum tp_err begin(void *ctx, struct tp_error *e)
{
    const struct keeper *w = ctx;

    return orderbook_begin(w->book, e);
}

static enum tp_err apply(void *ctx, struct group_job *entry, struct tp_error *e)
{
    const struct keeper *w = ctx;
    struct job *j = (struct job *)entry;

    if (j->errand != NULL)
        return j->errand->apply(j->errand, w->m, w->book, time(NULL), e);
    move_reset(&j->move);
    j->move.now = time(NULL);
    return move_apply(&j->move, w->book, &w->m->issuing, e);
}

static enum tp_err commit(void *ctx, struct tp_error *e)
{
    const struct keeper *w = ctx;

    return orderbook_commit(w->book, e);
}

static void rollback(void *ctx)
{
    const struct keeper *w = ctx;

    orderbook_rollback(w->book);
}

static void tell(const struct job *j)
{
    const struct orderbook_order *o = &j->move.order;
    const struct orderbook_attempt *a = &j->move.attempt;

    if (j->move.event == EVENT_ASKED)
        return;
    log_note("order %s of %s: %s%s%s%s%s", o->id, o->service, order_state_name(o->state),
             a->code[0] != '\0' ? ", " : "", a->code, a->reason[0] != '\0' ? " " : "", a->reason);
}

static enum tp_err go_on_with(void *ctx, const char *id, uint32_t n, struct tp_error *e)
{
    struct mediator *m = ctx;
    struct job *j = move_job(EVENT_GO_ON, id);

    if (j == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for an order");
    j->move.n = n;
    j->drive = true;
    return group_post(m->keeper->group, &j->entry);
}

/* What pays beside what paid. */
static void begin_to_give_back(struct mediator *m, const struct move *move)
{
    struct tp_error e = {TP_OK, ""};

    for (size_t i = 0; i < move->n_surplus; i++) {
        log_error("order %s is paid: attempt %u of it is given back, should it have paid too",
                  move->order.id, move->surplus[i]);
        if (go_on_with(m, move->order.id, move->surplus[i], &e) != TP_OK)
            log_error("it is given back from the next start on: %s", e.text);
    }
}

/* Durable: what follows from it leaves now. */
static void after(struct mediator *m, struct job *j)
{
    struct visit *v = j->visit;
    /* what came of what is to be given back says how it is gone on with */
    const bool back = j->move.event == EVENT_ANSWER && j->move.attempt.surplus == SURPLUS_BACK;

    if (j->errand != NULL) {
        j->errand->done(j->errand, v);
        return;
    }
    if (j->move.event >= EVENT_SESSION_END) {
        if (j->move.finding == FOUND_FINE)
            session_go_on(m, &j->move.session);
        if (v != NULL)
            visit_session(v, j);
        return;
    }

    if (j->move.moved) {
        if (j->content != NULL)
            shelf_put(m, j->move.order.id, j->content);
        tell(j);
        visits_wake(m, j);
    }
    if ((j->move.moved || j->drive || back) && j->move.finding == FOUND_FINE)
        drive(m, &j->move.order, &j->move.attempt, j->tries);
    begin_to_give_back(m, &j->move);
    if (v != NULL)
        visit_found(v, j);
}

static void done(void *ctx, struct group_jobs *jobs)
{
    const struct keeper *w = ctx;
    struct group_job *entry;

    while ((entry = first_of(jobs)) != NULL) {
        after(w->m, (struct job *)entry);
        job_free((struct job *)entry);
    }
}

/* What nobody else can do again is tried until the books take it, or the program ends: then it is
 * asked for again at the next start. */
static void failed(void *ctx, struct group_jobs *jobs, const struct tp_error *e)
{
    const struct keeper *w = ctx;
    struct group_job *entry;

    log_error("the books do not take what is to be kept: %s", e->text);
    while ((entry = first_of(jobs)) != NULL) {
        struct job *j = (struct job *)entry;

        if (j->visit != NULL)
            visit_unbooked(j->visit);
        else if (group_again(w->group, entry) == TP_OK)
            continue;
        job_free(j);
    }
}

/* ---- from outside ---- */

void keeper_take(struct mediator *m, struct job *j)
{
    const enum tp_err r = j->visit != NULL ? group_offer(m->keeper->group, &j->entry)
                                           : group_post(m->keeper->group, &j->entry);

    if (r == TP_OK)
        return;
    if (j->visit != NULL)
        visit_unbooked(j->visit);
    job_free(j);
}

char *keeper_quote(struct mediator *m, const struct orderbook_order *o)
{
    struct tp_error e = {TP_OK, ""};
    char *text = NULL;

    if (orderbook_quote_get(m->keeper->book, o->id, &text, &e) != TP_OK)
        log_error("%s", e.text);
    return text;
}

enum tp_err keeper_drawn(struct mediator *m, const char *session, const char *after,
                         struct orderbook_drawn *out, bool *found, struct tp_error *e)
{
    return orderbook_drawn_next(m->keeper->book, session, after, out, found, e);
}

struct content *keeper_included(struct mediator *m, const struct orderbook_order *o)
{
    const struct currency *currency = currency_by_numeric(o->currency);
    struct tp_error e = {TP_OK, ""};
    struct content *c = NULL;
    struct quote q = {.amount = 0};
    uint8_t *bytes = NULL;
    size_t n = 0;
    char *text = keeper_quote(m, o);

    if (text != NULL && currency != NULL && quote_read(&q, span_str(text), currency, &e) == TP_OK &&
        quote_content(&bytes, &n, &q, &e) == TP_OK)
        c = content_new(q.type != NULL ? q.type : "application/octet-stream", span_of(bytes, n));
    if (c == NULL)
        log_error("the content of order %s cannot be read: %s", o->id, e.text);
    free(bytes);
    quote_free(&q);
    free(text);
    return c;
}

static enum tp_err go_on(void *ctx, const char *id, struct tp_error *e)
{
    struct mediator *m = ctx;
    struct job *j = move_job(EVENT_LOOK, id);

    if (j == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for an order");
    j->drive = true;
    return group_post(m->keeper->group, &j->entry);
}

enum tp_err keeper_open(struct mediator *m, struct tp_error *e)
{
    struct keeper *w = calloc(1, sizeof(*w));
    enum tp_err r;

    if (w == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    m->keeper = w;
    w->m = m;
    const struct group_ops ops = {w, begin, apply, commit, rollback, done, failed};

    r = orderbook_open(&w->book, m->dir, e);
    if (r == TP_OK)
        r = group_new(&w->group, &ops, e);
    if (r == TP_OK)
        r = orderbook_order_open_each(w->book, go_on, m, e);
    if (r == TP_OK)
        r = orderbook_surplus_each(w->book, go_on_with, m, e);
    return r == TP_OK ? group_start(w->group, e) : r;
}

void keeper_stop(struct mediator *m)
{
    if (m->keeper != NULL && m->keeper->group != NULL)
        group_stop(m->keeper->group);
}

void keeper_close(struct mediator *m)
{
    if (m->keeper == NULL)
        return;
    group_free(&m->keeper->group);
    orderbook_close(&m->keeper->book);
    free(m->keeper);
    m->keeper = NULL;
}
