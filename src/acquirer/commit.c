/* The acquirer's books while the server runs: requests and issuers' words in, answers out. */
#include "acquirer/commit.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "acquirer/commit_priv.h"
#include "acquirer/state.h"
#include "base/file.h"
#include "base/log.h"
#include "store/db.h"

struct committer {
    char dir[PATH_MAX];
    struct gateway *gateway;
    struct reply_desk *desk;
    int lock_fd; /* on the folder: two that ask issuers from the same books would take each other's
                    questions for unanswered */
    struct group *group;
    struct bench bench; /* the group's thread's own */
    bool recovered;     /* what an earlier server left asked is booked as to be reversed */
};

/* ---- the books, on the group's thread ---- */

static enum tp_err begin(void *ctx, struct tp_error *e)
{
    struct committer *c = ctx;

    const struct wire_answer said = said_unanswered();
    enum tp_err r;

    c->bench.look = !c->recovered;
    r = ledger_group_begin(c->bench.ledger, e);
    return r == TP_OK && !c->recovered ? ledger_ask_recover(c->bench.ledger, &said, e) : r;
}

static enum tp_err apply(void *ctx, struct group_job *j, struct tp_error *e)
{
    struct committer *c = ctx;

    return job_apply((struct job *)j, &c->bench, e);
}

static enum tp_err commit(void *ctx, struct tp_error *e)
{
    const struct committer *c = ctx;

    return ledger_group_commit(c->bench.ledger, e);
}

static void rollback(void *ctx)
{
    const struct committer *c = ctx;

    ledger_group_rollback(c->bench.ledger);
}

/* ---- answers ---- */

/* Asks what is booked now, or has a repeat wait with its first; else it is answered. True: j stays.
 */
static bool ask_on(struct committer *c, struct job *j)
{
    struct job *first;

    if (j->verdict == LEDGER_NEW && j->question.n > 0) {
        under_way_add(&c->bench.under_way, j);
        gateway_ask(c->gateway, j->issuer, j->tx.rrn, j->asked, j->question);
        return true;
    }
    first = j->verdict == LEDGER_ASKED ? under_way_find(&c->bench.under_way, j->tx.rrn) : NULL;
    if (first != NULL && under_way_wait(first, j))
        return false;
    if (j->verdict == LEDGER_ASKED)
        answer_verdict(&j->answer, j->verdict, NULL); /* what came of it is not booked yet */
    job_answer(j, c->desk, &j->answer, &j->outcome);
    return false;
}

static void end_ask(struct committer *c, const struct job *fate)
{
    struct job *ask =
        fate->late != NULL ? fate->late : under_way_find(&c->bench.under_way, fate->tx.rrn);

    if (ask == NULL)
        return;
    if (fate->late == NULL)
        job_answer(ask, c->desk, &fate->answer, &fate->outcome);
    under_way_end(&c->bench.under_way, ask);
}

static void done(void *ctx, struct group_jobs *jobs)
{
    struct committer *c = ctx;
    struct group_job *entry;

    while ((entry = STAILQ_FIRST(jobs)) != NULL) {
        struct job *j = (struct job *)entry;
        bool stays = false;

        STAILQ_REMOVE_HEAD(jobs, next);
        if (j->kind == JOB_ASK)
            stays = ask_on(c, j);
        else if (j->kind == JOB_FATE)
            end_ask(c, j);
        else if (j->kind != JOB_REVERSED && j->kind != JOB_REFUSED)
            job_answer(j, c->desk, &j->answer, &j->outcome);
        if (!stays)
            job_free(j);
    }
    c->recovered = true;
    if (c->bench.look)
        gateway_wake(c->gateway);
}

/* A JOB_FATE, tried again until it is booked that what was asked is to be reversed. */
static bool reverse_later(struct committer *c, struct job *fate, struct job *ask)
{
    ask->unbooked = true;
    fate->late = ask;
    fate->fate = ISSUER_UNANSWERED;
    fate->said = said_unanswered();
    return group_again(c->group, &fate->entry) == TP_OK;
}

/* The waiters are told at once; the question stays until it can be booked that it is to be
 * reversed. True: the fate stays. */
static bool keep_unbooked(struct committer *c, struct job *fate)
{
    struct job *ask =
        fate->late != NULL ? fate->late : under_way_find(&c->bench.under_way, fate->tx.rrn);

    if (ask == NULL)
        return false;
    if (fate->late == NULL)
        job_answer(ask, c->desk, &fate->answer, &fate->outcome);
    return reverse_later(c, fate, ask);
}

/* A question that may be in the books, or not, is never asked: its terminal is told at once, and it
 * stays until the books can say that it is to be reversed, if they hold it. True: it stays. */
static bool keep_unasked(struct committer *c, struct job *ask)
{
    struct job *fate;

    if (ask->verdict != LEDGER_NEW || ask->question.n == 0)
        return false;
    fate = job_about(JOB_FATE, ask->tx.rrn);
    if (fate == NULL)
        return false; /* it is found asked, and reversed, at the next start */
    under_way_add(&c->bench.under_way, ask);
    if (!reverse_later(c, fate, ask))
        job_free(fate); /* the same: it ends */
    return true;
}

/* Nothing of it is kept; what comes next is tried anew, so all is well again when the disk is. */
static void failed(void *ctx, struct group_jobs *jobs, const struct tp_error *e)
{
    struct committer *c = ctx;
    struct group_job *entry;

    log_error("%s", e->text);
    while ((entry = STAILQ_FIRST(jobs)) != NULL) {
        struct job *j = (struct job *)entry;
        bool stays = false;

        STAILQ_REMOVE_HEAD(jobs, next);
        answer_verdict(&j->answer, LEDGER_FAULT, NULL);
        outcome_clear(&j->outcome);
        if (j->kind == JOB_FATE)
            stays = keep_unbooked(c, j);
        else if (j->kind != JOB_REVERSED && /* which the issuer says again when it is asked again */
                 j->kind != JOB_REFUSED)    /* it was answered before */
            job_answer(j, c->desk, &j->answer, &j->outcome);
        if (j->kind == JOB_ASK && e->code == TP_ERR_UNKNOWN)
            stays = keep_unasked(c, j);
        if (!stays)
            job_free(j);
    }
}

/* ---- what the gateway tells, on its threads ---- */

/* Never refused for its number: it is bounded by what is asked. */
static void post(struct committer *c, struct job *j)
{
    if (group_post(c->group, &j->entry) != TP_OK)
        job_free(j); /* it is found asked, and reversed, at the next start */
}

static void on_answered(void *ctx, const char *rrn, enum issuer_fate fate,
                        const struct wire_answer *a)
{
    struct job *j = job_about(JOB_FATE, rrn);

    if (j == NULL)
        return;
    j->fate = fate;
    j->said = *a;
    post(ctx, j);
}

static void on_reversed(void *ctx, const char *rrn)
{
    struct job *j = job_about(JOB_REVERSED, rrn);

    if (j != NULL)
        post(ctx, j);
}

/* ---- begin and end ---- */

/* A disk that takes nothing now may later: the server answers 96 until then, starts, and recovers
 * with the first group that can be kept. */
static void recover(struct committer *c)
{
    const struct wire_answer said = said_unanswered();
    struct tp_error e = {TP_OK, ""};

    c->recovered = ledger_ask_recover(c->bench.ledger, &said, &e) == TP_OK;
    if (!c->recovered)
        log_error("%s", e.text);
}

enum tp_err committer_new(struct committer **out, const char *dir, struct tp_error *e)
{
    struct committer *c = calloc(1, sizeof(*c));
    const struct gateway_events events = {c, on_answered, on_reversed};
    const struct group_ops ops = {c, begin, apply, commit, rollback, done, failed};
    enum tp_err r;

    *out = NULL;
    if (c == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for the books");
    under_way_init(&c->bench.under_way);
    snprintf(c->dir, sizeof(c->dir), "%s", dir);
    c->bench.dir = c->dir;
    r = reply_desk_new(&c->desk, e);
    if (r == TP_OK)
        r = file_lock_folder(&c->lock_fd, dir, "telepay-acquirer", e);
    if (r == TP_OK)
        r = acquirer_open_ledger(&c->bench.ledger, dir, e);
    if (r == TP_OK)
        r = db_serve_alone(ledger_db(c->bench.ledger), e);
    if (r == TP_OK)
        r = group_new(&c->group, &ops, e);
    if (r == TP_OK)
        recover(c);
    if (r == TP_OK)
        r = gateway_new(&c->gateway, dir, &events, e);
    if (r == TP_OK)
        r = group_start(c->group, e);
    if (r == TP_OK)
        *out = c;
    else
        committer_free(&c);
    return r;
}

void committer_free(struct committer **out)
{
    struct committer *c = *out;

    if (c == NULL)
        return;
    if (c->group != NULL)
        group_stop(c->group);  /* it asks the gateway to its last job */
    gateway_free(&c->gateway); /* tells us to its last */
    group_free(&c->group);
    under_way_clear(&c->bench.under_way);
    reply_desk_free(&c->desk); /* with the last answers */
    acquirer_keys_free(&c->bench.keys);
    ledger_close(&c->bench.ledger);
    if (c->lock_fd > 0)
        close(c->lock_fd);
    free(c);
    *out = NULL;
}

/* ---- requests ---- */

static enum tp_err offer(struct committer *c, struct job *j)
{
    const enum tp_err r = group_offer(c->group, &j->entry);

    if (r != TP_OK)
        job_free(j);
    return r;
}

static enum tp_err queue(struct committer *c, enum job_kind kind, const struct commit_request *q)
{
    struct job *j = job_new(kind, q, (struct span){NULL, 0});

    if (j == NULL)
        return TP_ERR_NO_MEMORY;
    return offer(c, j);
}

enum tp_err committer_pay(struct committer *c, const struct commit_request *request)
{
    return queue(c, JOB_PAY, request);
}

enum tp_err committer_refused(struct committer *c, const struct commit_request *request,
                              const struct wire_answer *answered)
{
    struct job *j = job_new(JOB_REFUSED, request, (struct span){NULL, 0});

    if (j == NULL)
        return TP_ERR_NO_MEMORY;
    j->said = *answered;
    return offer(c, j);
}

enum tp_err committer_reverse(struct committer *c, const struct commit_request *request)
{
    return queue(c, JOB_REVERSE, request);
}

enum tp_err committer_echo(struct committer *c, const struct commit_request *request)
{
    return queue(c, JOB_ECHO, request);
}

enum tp_err committer_ask(struct committer *c, const struct commit_request *request,
                          const char *issuer, struct span question)
{
    struct job *j = job_new(JOB_ASK, request, question);

    if (j == NULL)
        return TP_ERR_NO_MEMORY;
    snprintf(j->issuer, sizeof(j->issuer), "%s", issuer);
    return offer(c, j);
}

enum tp_err committer_wait(struct committer *c, const struct commit_request *request,
                           const struct wire_answer *otherwise)
{
    struct job *j = job_new(JOB_ASK, request, (struct span){NULL, 0});

    if (j == NULL)
        return TP_ERR_NO_MEMORY;
    j->said = *otherwise;
    return offer(c, j);
}

struct gateway *committer_gateway(struct committer *c)
{
    return c->gateway;
}

struct ledger *committer_books(struct committer *c)
{
    return c->bench.ledger;
}
