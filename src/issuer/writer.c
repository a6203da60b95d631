/* What the issuer does with a group of requests, and the answers to them. */
#include "issuer/writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "issuer/state.h"
#include "store/group.h"

struct job {
    struct group_job entry; /* first */
    struct link_peer *peer;
    struct echo echo;
    struct request request;
    struct acquirer from;
    struct authorisation outcome; /* of a 0400: its answer */
};

struct writer {
    struct authoriser authoriser;
    struct issuer_keys *keys;
    struct group *group;
};

/* ---- answers ---- */

/* The reason stands in the books, for the operator: the acquirer is told the code. */
static void send_answer(const struct job *j)
{
    struct wire_answer told = j->outcome.answer;

    told.reason[0] = '\0';
    echo_answer(j->peer, &j->echo, &told);
}

void reply_send(struct link_peer *peer, const struct echo *echo, const char *code,
                const char *reason)
{
    struct wire_answer a;

    wire_answer_set(&a, code, reason);
    echo_answer(peer, echo, &a);
}

static void job_free(struct job *j)
{
    link_peer_unref(j->peer);
    secret_wipe(j, sizeof(*j));
    free(j);
}

static void job_log(const struct job *j)
{
    const struct currency *c = currency_by_numeric(j->request.currency);
    char amount[MONEY_TEXT_MAX] = "";

    if (c != NULL)
        money_format(amount, j->request.amount, c);
    log_note("%04u %s %s %s %s %s: %s %s%s", j->request.mti, j->from.id, j->request.rrn,
             j->request.masked, amount, c != NULL ? c->alpha : "", j->outcome.answer.code,
             j->outcome.answer.approval, j->outcome.answer.reason);
}

static void answer_all(struct group_jobs *jobs)
{
    struct group_job *entry;

    while ((entry = STAILQ_FIRST(jobs)) != NULL) {
        struct job *j = (struct job *)entry;

        STAILQ_REMOVE_HEAD(jobs, next);
        send_answer(j);
        if (j->request.mti != MTI_NETWORK || !wire_answer_is_yes(&j->outcome.answer))
            job_log(j);
        job_free(j);
    }
}

/* ---- the books, on the group's thread ---- */

static enum tp_err begin(void *ctx, struct tp_error *e)
{
    const struct writer *c = ctx;

    return book_begin(c->authoriser.book, e);
}

static enum tp_err apply(void *ctx, struct group_job *entry, struct tp_error *e)
{
    struct writer *c = ctx;
    struct job *j = (struct job *)entry;
    const char *code = "96", *reason = "";
    enum tp_err r;

    if (j->request.mti == MTI_AUTHORISATION)
        return authorise(&c->authoriser, &j->outcome, &j->request, &j->from, time(NULL), e);
    memset(&j->outcome, 0, sizeof(j->outcome));
    if (j->request.mti == MTI_NETWORK) {
        wire_answer_set(&j->outcome.answer, "00", NULL);
        return book_touch(c->authoriser.book, e);
    }
    r = authorise_reversal(&c->authoriser, &code, &reason, &j->request, &j->from, e);
    wire_answer_set(&j->outcome.answer, code, reason);
    return r;
}

static enum tp_err commit(void *ctx, struct tp_error *e)
{
    const struct writer *c = ctx;

    return book_commit(c->authoriser.book, e);
}

static void rollback(void *ctx)
{
    const struct writer *c = ctx;

    book_rollback(c->authoriser.book);
}

static void done(void *ctx, struct group_jobs *jobs)
{
    (void)ctx;
    answer_all(jobs);
}

static void failed(void *ctx, struct group_jobs *jobs, const struct tp_error *e)
{
    struct group_job *entry;

    (void)ctx;
    log_error("%s", e->text);
    STAILQ_FOREACH (entry, jobs, next) {
        struct job *j = (struct job *)entry;

        memset(&j->outcome, 0, sizeof(j->outcome));
        wire_answer_set(&j->outcome.answer, "96", NULL);
    }
    answer_all(jobs);
}

/* ---- begin and end ---- */

enum tp_err writer_new(struct writer **out, const char *dir, unsigned atc_jump, struct tp_error *e)
{
    struct writer *c = calloc(1, sizeof(*c));
    const struct group_ops ops = {c, begin, apply, commit, rollback, done, failed};
    enum tp_err r;

    *out = NULL;
    if (c == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for the books");
    c->authoriser.atc_jump = atc_jump;
    r = issuer_open_book(&c->authoriser.book, dir, e);
    if (r == TP_OK)
        r = seal_open_dir(&c->authoriser.seal, dir, e);
    if (r == TP_OK)
        r = issuer_keys_load(&c->keys, dir, e);
    c->authoriser.keys = c->keys;
    if (r == TP_OK)
        r = group_new(&c->group, &ops, e);
    if (r == TP_OK)
        r = group_start(c->group, e);
    if (r == TP_OK)
        *out = c;
    else
        writer_free(&c);
    return r;
}

void writer_free(struct writer **out)
{
    struct writer *c = *out;

    if (c == NULL)
        return;
    group_free(&c->group);
    issuer_keys_free(&c->keys);
    seal_free(&c->authoriser.seal);
    book_close(&c->authoriser.book);
    free(c);
    *out = NULL;
}

enum tp_err writer_take(struct writer *c, const struct request *q, const struct acquirer *from,
                        const struct echo *echo, struct link_peer *peer)
{
    struct job *j = malloc(sizeof(*j));
    enum tp_err r;

    if (j == NULL)
        return TP_ERR_NO_MEMORY;
    j->request = *q;
    j->from = *from;
    j->echo = *echo;
    j->peer = link_peer_ref(peer);
    r = group_offer(c->group, &j->entry);
    if (r != TP_OK)
        job_free(j);
    return r;
}

enum tp_err writer_echo(struct writer *c, unsigned mti, const struct acquirer *from,
                        const struct echo *echo, struct link_peer *peer)
{
    const struct request q = {.mti = mti};

    return writer_take(c, &q, from, echo, peer);
}
