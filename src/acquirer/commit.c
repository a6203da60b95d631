#include "acquirer/commit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "acquirer/check.h"
#include "acquirer/state.h"
#include "base/file.h"
#include "base/log.h"
#include "store/group.h"

#define BUCKETS  1024 /* of the questions under way, by reference number */
#define RETRY_MS 1000 /* until what could not be booked is tried again */

enum job_kind { JOB_PAY, JOB_REVERSE, JOB_ASK, JOB_FATE, JOB_REVERSED, JOB_REFUSED, JOB_ECHO };

struct waiter { /* a repeat that gets the answer of the first */
    STAILQ_ENTRY(waiter) next;
    unsigned mti;
    struct link_peer *peer;
    struct echo echo;
};

STAILQ_HEAD(waiters, waiter);

struct job {
    struct group_job group; /* first: one is the other */
    STAILQ_ENTRY(job) next; /* under way */
    enum job_kind kind;
    unsigned mti;
    struct link_peer *peer; /* NULL: nobody is to be answered */
    struct echo echo;
    struct tx_record tx; /* spans into bytes */
    struct wire_answer answer;
    /* of JOB_ASK */
    char issuer[ISSUER_NAME_MAX];
    struct span question;
    time_t asked;
    enum ledger_verdict verdict;
    struct waiters waiters; /* while it is under way */
    bool unbooked; /* what came of it could not be booked: to be reversed as soon as the books can
                  be written */
    /* of JOB_FATE: tx.rrn says of which */
    enum issuer_fate fate;
    size_t bytes_n;
    uint8_t bytes[];
};

STAILQ_HEAD(job_queue, job);

struct committer {
    struct ledger *ledger;
    struct gateway *gateway;
    int lock_fd; /* on the folder: two that ask issuers from the same books would take each other's
                    questions for unanswered */
    struct group *group;
    struct job_queue under_way[BUCKETS]; /* JOB_ASK, of the thread's own */
    unsigned unbooked;                   /* of them */
    bool look;                           /* the group has given the gateway something to reverse */
};

/* ---- questions under way ---- */

static struct job_queue *bucket_of(struct committer *c, const char *rrn)
{
    return &c->under_way[strtoull(rrn, NULL, 10) % BUCKETS];
}

static struct job *find_ask(struct committer *c, const char *rrn)
{
    struct job *j;

    STAILQ_FOREACH (j, bucket_of(c, rrn), next)
        if (strcmp(j->tx.rrn, rrn) == 0)
            return j;
    return NULL;
}

static bool add_waiter(struct job *ask, const struct job *repeat)
{
    struct waiter *w = malloc(sizeof(*w));

    if (w == NULL)
        return false;
    w->mti = repeat->mti;
    w->peer = link_peer_ref(repeat->peer);
    w->echo = repeat->echo;
    STAILQ_INSERT_TAIL(&ask->waiters, w, next);
    return true;
}

/* ---- the books ---- */

static enum tp_err do_pay(struct job *j, struct ledger *l, struct tp_error *e)
{
    enum ledger_verdict verdict = LEDGER_NEW;
    const enum tp_err r = ledger_acknowledge(l, &j->tx, &verdict, e);

    if (r == TP_ERR_RANGE) {
        log_error("%s", e->text);
        answer_verdict(&j->answer, LEDGER_FAULT, NULL);
        return TP_OK;
    }
    if (r == TP_OK && verdict == LEDGER_ASKED) /* what its issuer is asked about is never one to
                                                  keep without (check.c, issuer) */
        return tp_fail(e, TP_ERR_INTERNAL,
                       "payment %s is with its issuer and was to be kept without", j->tx.rrn);
    if (r == TP_OK && !check_verdict(&j->answer, verdict, j->tx.rrn)) {
        wire_answer_set(&j->answer, "00", NULL);
        snprintf(j->answer.rrn, sizeof(j->answer.rrn), "%s", j->tx.rrn);
    }
    return r;
}

static enum tp_err do_reverse(struct job *j, struct ledger *l, struct tp_error *e)
{
    enum ledger_verdict verdict = LEDGER_NEW;
    char rrn[RRN_MAX] = "";
    const enum tp_err r =
        ledger_reverse_original(l, j->tx.contract, j->tx.terminal, j->tx.stan,
                                (int)(j->tx.local_time / 1000000), j->tx.amount, &verdict, rrn, e);

    answer_verdict(&j->answer, verdict, NULL);
    if (verdict == LEDGER_REVERSAL_DONE || verdict == LEDGER_REVERSAL_REPEATED)
        snprintf(j->answer.rrn, sizeof(j->answer.rrn), "%s", rrn);
    return r;
}

/* The question is in the books before it leaves: whatever happens, it is answered once or
 * reversed. */
static enum tp_err do_ask(struct job *j, struct ledger *l, struct tp_error *e)
{
    enum tp_err r = j->question.n > 0 ? ledger_ask(l, &j->tx, j->issuer, &j->verdict, &j->asked, e)
                                      : ledger_look(l, &j->tx, true, &j->verdict, j->tx.rrn, e);

    if (r == TP_ERR_RANGE) {
        j->verdict = LEDGER_FAULT;
        answer_verdict(&j->answer, j->verdict, NULL);
        return TP_OK;
    }
    if (r == TP_OK && check_verdict(&j->answer, j->verdict, j->tx.rrn))
        r = check_said(&j->answer, j->verdict, j->tx.rrn, l, e);
    return r;
}

/* What an approval that cannot be used any more is answered with, and reversed for. */
static enum tp_err reverse_approval(struct job *j, struct ledger *l, const char *rrn,
                                    enum ledger_verdict verdict, struct tp_error *e)
{
    answer_verdict(&j->answer, verdict, NULL);
    return ledger_ask_reverse(l, rrn, &j->answer, e);
}

static enum tp_err do_approved(struct job *j, struct job *ask, struct ledger *l, struct tp_error *e)
{
    enum ledger_verdict verdict = LEDGER_NEW;
    const enum tp_err r = ledger_ask_approved(l, &ask->tx, &j->answer, &verdict, e);

    if (r == TP_ERR_RANGE)
        return reverse_approval(j, l, ask->tx.rrn, LEDGER_ISSUER_LOST, e);
    if (r == TP_OK && verdict != LEDGER_NEW)
        return reverse_approval(j, l, ask->tx.rrn, verdict, e);
    if (r == TP_OK)
        snprintf(j->answer.rrn, sizeof(j->answer.rrn), "%s", ask->tx.rrn);
    return r;
}

/* What is answered with anything but 00 or the first one's 00. */
static enum tp_err keep_refusal(struct ledger *l, const struct tx_record *tx,
                                const struct wire_answer *a, struct tp_error *e)
{
    struct refusal x = {
        .at = time(NULL), .stan = tx->stan, .amount = tx->amount, .currency = tx->currency};

    if (wire_answer_is_yes(a) || strcmp(a->code, "96") == 0 ||
        (strcmp(a->code, "91") == 0 && !tx->emv.online))
        return TP_OK; /* paid, or a signed payment that may still be */
    memcpy(x.contract, tx->contract, sizeof(x.contract));
    memcpy(x.terminal, tx->terminal, sizeof(x.terminal));
    memcpy(x.pan_masked, tx->pan_masked, sizeof(x.pan_masked));
    memcpy(x.code, a->code, sizeof(x.code));
    memcpy(x.reason, a->reason, sizeof(x.reason));
    return ledger_refusal_add(l, &x, e);
}

static bool is_answered_now(const struct job *j)
{
    return j->verdict != LEDGER_ASKED && (j->verdict != LEDGER_NEW || j->question.n == 0);
}

static enum tp_err do_settle(struct job *j, struct job *ask, struct committer *c,
                             struct tp_error *e)
{
    if (j->fate == ISSUER_APPROVED)
        return do_approved(j, ask, c->ledger, e);
    return j->fate == ISSUER_REFUSED ? ledger_ask_refused(c->ledger, j->tx.rrn, &j->answer, e)
                                     : ledger_ask_reverse(c->ledger, j->tx.rrn, &j->answer, e);
}

static enum tp_err do_fate(struct job *j, struct committer *c, struct tp_error *e)
{
    struct job *ask = find_ask(c, j->tx.rrn);
    enum tp_err r;

    if (ask == NULL || ask->unbooked)
        return TP_OK;
    c->look |= j->fate != ISSUER_REFUSED;
    r = do_settle(j, ask, c, e);
    return r == TP_OK ? keep_refusal(c->ledger, &ask->tx, &j->answer, e) : r;
}

/* What a terminal is told of a question whose answer could not be kept. */
static struct wire_answer said_unanswered(void)
{
    struct wire_answer a = {.code = ""};

    answer_verdict(&a, LEDGER_ISSUER_LOST, NULL);
    return a;
}

/* What could not be booked when it came. */
static enum tp_err reverse_unbooked(struct committer *c, struct tp_error *e)
{
    const struct wire_answer said = said_unanswered();
    struct job *j;
    enum tp_err r = TP_OK;

    for (size_t i = 0; i < BUCKETS && c->unbooked > 0; i++)
        STAILQ_FOREACH (j, &c->under_way[i], next)
            if (r == TP_OK && j->unbooked)
                r = ledger_ask_reverse(c->ledger, j->tx.rrn, &said, e);
    return r;
}

static enum tp_err do_job(struct job *j, struct committer *c, struct tp_error *e)
{
    enum tp_err r;

    switch (j->kind) {
    case JOB_PAY:
        r = do_pay(j, c->ledger, e);
        return r == TP_OK ? keep_refusal(c->ledger, &j->tx, &j->answer, e) : r;
    case JOB_REFUSED:
        return keep_refusal(c->ledger, &j->tx, &j->answer, e);
    case JOB_REVERSE:
        c->look = true;
        return do_reverse(j, c->ledger, e);
    case JOB_ASK:
        r = do_ask(j, c->ledger, e);
        return r == TP_OK && is_answered_now(j) ? keep_refusal(c->ledger, &j->tx, &j->answer, e)
                                                : r;
    case JOB_FATE:
        return do_fate(j, c, e);
    case JOB_ECHO:
        wire_answer_set(&j->answer, "00", NULL);
        return ledger_group_touch(c->ledger, e);
    default: /* JOB_REVERSED */
        return ledger_reversal_done(c->ledger, j->tx.rrn, e);
    }
}

static enum tp_err group_begin(void *ctx, struct tp_error *e)
{
    struct committer *c = ctx;
    const enum tp_err r = ledger_group_begin(c->ledger, e);

    c->look = false;
    return r == TP_OK ? reverse_unbooked(c, e) : r;
}

static enum tp_err group_apply(void *ctx, struct group_job *j, struct tp_error *e)
{
    return do_job((struct job *)j, ctx, e);
}

static enum tp_err group_commit(void *ctx, struct tp_error *e)
{
    struct committer *c = ctx;

    return ledger_group_commit(c->ledger, e);
}

static void group_rollback(void *ctx)
{
    struct committer *c = ctx;

    ledger_group_rollback(c->ledger);
}

/* ---- answers ---- */

static void job_free(struct job *j)
{
    struct waiter *w;

    while ((w = STAILQ_FIRST(&j->waiters)) != NULL) {
        STAILQ_REMOVE_HEAD(&j->waiters, next);
        link_peer_unref(w->peer);
        free(w);
    }
    if (j->peer != NULL)
        link_peer_unref(j->peer);
    secret_wipe(j->bytes, j->bytes_n); /* a question holds the card's number */
    free(j);
}

static void job_answer(struct job *j, const struct wire_answer *a)
{
    struct waiter *w;

    echo_answer(j->peer, &j->echo, a);
    answer_log(j->mti, &j->tx, a);
    STAILQ_FOREACH (w, &j->waiters, next) {
        echo_answer(w->peer, &w->echo, a);
        answer_log(w->mti, &j->tx, a);
    }
}

/* Asks what is booked now, or has a repeat wait with its first; else it is answered. True: j stays.
 */
static bool ask_on(struct committer *c, struct job *j)
{
    struct job *first;

    if (j->verdict == LEDGER_NEW && j->question.n > 0) {
        STAILQ_INSERT_TAIL(bucket_of(c, j->tx.rrn), j, next);
        gateway_ask(c->gateway, j->issuer, j->tx.rrn, j->asked, j->question);
        return true;
    }
    first = j->verdict == LEDGER_ASKED ? find_ask(c, j->tx.rrn) : NULL;
    if (first != NULL && !first->unbooked && add_waiter(first, j))
        return false;
    if (j->verdict == LEDGER_ASKED)
        answer_verdict(&j->answer, j->verdict, NULL); /* what came of it is not booked yet */
    job_answer(j, &j->answer);
    return false;
}

static void end_ask(struct committer *c, const char *rrn, const struct wire_answer *a)
{
    struct job *ask = find_ask(c, rrn);

    if (ask == NULL || ask->unbooked)
        return;
    job_answer(ask, a);
    STAILQ_REMOVE(bucket_of(c, rrn), ask, job, next);
    job_free(ask);
}

static void forget_unbooked(struct committer *c)
{
    for (size_t i = 0; i < BUCKETS && c->unbooked > 0; i++) {
        struct job *j, *next;

        for (j = STAILQ_FIRST(&c->under_way[i]); j != NULL; j = next) {
            next = STAILQ_NEXT(j, next);
            if (!j->unbooked)
                continue;
            STAILQ_REMOVE(&c->under_way[i], j, job, next);
            job_free(j);
            c->unbooked--;
        }
    }
}

/* The group is durable. */
static void answer_all(void *ctx, struct group_jobs *list)
{
    struct committer *c = ctx;
    struct group_job *group;

    forget_unbooked(c);
    while ((group = STAILQ_FIRST(list)) != NULL) {
        struct job *j = (struct job *)group;
        bool stays = false;

        STAILQ_REMOVE_HEAD(list, next);
        if (j->kind == JOB_ASK)
            stays = ask_on(c, j);
        else if (j->kind == JOB_FATE)
            end_ask(c, j->tx.rrn, &j->answer);
        else if (j->kind != JOB_REVERSED && j->kind != JOB_REFUSED)
            job_answer(j, &j->answer);
        if (!stays)
            job_free(j);
    }
    if (c->look)
        gateway_wake(c->gateway);
}

/* The waiters are told; the question stays until it can be booked that it is to be reversed. */
static void keep_unbooked(struct committer *c, struct job *fate)
{
    struct job *ask = find_ask(c, fate->tx.rrn);

    if (ask == NULL || ask->unbooked)
        return;
    job_answer(ask, &fate->answer);
    ask->unbooked = true;
    c->unbooked++;
}

static void refuse(void *ctx, struct group_job *group, const struct tp_error *e)
{
    struct committer *c = ctx;
    struct job *j = (struct job *)group;

    (void)e;
    if (j->kind == JOB_REFUSED) { /* it was answered before */
        job_free(j);
        return;
    }
    answer_verdict(&j->answer, LEDGER_FAULT, NULL);
    if (j->kind == JOB_FATE)
        keep_unbooked(c, j);
    else if (j->kind != JOB_REVERSED) /* which the issuer says again when it is asked again */
        job_answer(j, &j->answer);
    job_free(j);
}

/* What could not be booked is tried again without a job. */
static unsigned due(void *ctx)
{
    const struct committer *c = ctx;

    return c->unbooked > 0 ? RETRY_MS : 0;
}

static const struct group_ops ops = {.begin = group_begin,
                                     .apply = group_apply,
                                     .commit = group_commit,
                                     .rollback = group_rollback,
                                     .done = answer_all,
                                     .failed = refuse,
                                     .due = due};

/* ---- what the gateway tells, on its threads ---- */

/* What is not taken any more is found asked, and reversed, at the next start. */
static void tell(struct committer *c, struct job *j)
{
    if (group_put_always(c->group, &j->group) != TP_OK)
        job_free(j);
}

static struct job *job_about(enum job_kind kind, const char *rrn)
{
    struct job *j = calloc(1, sizeof(*j));

    if (j == NULL) {
        log_error("no memory for the word of an issuer about %s", rrn);
        return NULL;
    }
    j->kind = kind;
    STAILQ_INIT(&j->waiters);
    snprintf(j->tx.rrn, sizeof(j->tx.rrn), "%s", rrn);
    return j;
}

static void on_answered(void *ctx, const char *rrn, enum issuer_fate fate,
                        const struct wire_answer *a)
{
    struct job *j = job_about(JOB_FATE, rrn);

    if (j == NULL)
        return;
    j->fate = fate;
    j->answer = *a;
    tell(ctx, j);
}

static void on_reversed(void *ctx, const char *rrn)
{
    struct job *j = job_about(JOB_REVERSED, rrn);

    if (j != NULL)
        tell(ctx, j);
}

/* ---- begin and end ---- */

/* A disk that takes nothing now may later: the server answers 96 until then, and starts. */
static enum tp_err recover(struct committer *c)
{
    const struct wire_answer said = said_unanswered();
    struct tp_error e = {TP_OK, ""};
    const enum tp_err r = ledger_ask_recover(c->ledger, &said, &e);

    if (r != TP_OK)
        log_error("%s", e.text);
    return r;
}

enum tp_err committer_new(struct committer **out, const char *dir, struct tp_error *e)
{
    struct committer *c = calloc(1, sizeof(*c));
    const struct gateway_events events = {c, on_answered, on_reversed};
    enum tp_err r;

    *out = NULL;
    if (c == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for the books");
    for (size_t i = 0; i < BUCKETS; i++)
        STAILQ_INIT(&c->under_way[i]);
    r = file_lock_folder(&c->lock_fd, dir, "telepay-acquirer", e);
    if (r == TP_OK)
        r = acquirer_open_ledger(&c->ledger, dir, e);
    if (r == TP_OK) {
        (void)recover(c);
        r = group_new(&c->group, &ops, c, e);
    }
    if (r == TP_OK) /* which may tell at once */
        r = gateway_new(&c->gateway, dir, &events, e);
    if (r == TP_OK)
        *out = c;
    else
        committer_free(&c);
    return r;
}

void committer_free(struct committer **out)
{
    struct committer *c = *out;

    struct job *j;

    if (c == NULL)
        return;
    if (c->group != NULL)
        group_stop(c->group);  /* it asks the gateway to its last job */
    gateway_free(&c->gateway); /* tells us to its last: what is not worked off is found asked, and
                                  reversed, at the next start */
    group_free(&c->group);
    for (size_t i = 0; i < BUCKETS; i++)
        while ((j = STAILQ_FIRST(&c->under_way[i])) != NULL) {
            STAILQ_REMOVE_HEAD(&c->under_way[i], next);
            job_free(j);
        }
    ledger_close(&c->ledger);
    if (c->lock_fd > 0)
        close(c->lock_fd);
    free(c);
    *out = NULL;
}

/* ---- requests ---- */

static struct span copy(struct buf *room, struct span from)
{
    const size_t at = room->n;

    if (buf_put(room, from) != TP_OK)
        return (struct span){NULL, 0};
    return span_of(room->p + at, from.n);
}

static struct job *job_new(enum job_kind kind, const struct commit_request *q, struct span question)
{
    const struct tx_record *tx = q->tx;
    const size_t n = tx->pan_sealed.n + tx->pan_lookup.n + tx->digest.n + tx->emv.de55.n +
                     tx->emv.stream.n + tx->emv.aid.n + question.n;
    struct job *j = malloc(sizeof(*j) + n);

    if (j == NULL)
        return NULL;
    struct buf room = {j->bytes, 0, n};

    j->kind = kind;
    j->mti = q->mti;
    j->echo = *q->echo;
    j->tx = *tx;
    j->tx.pan_sealed = copy(&room, tx->pan_sealed);
    j->tx.pan_lookup = copy(&room, tx->pan_lookup);
    j->tx.digest = copy(&room, tx->digest);
    j->tx.emv.de55 = copy(&room, tx->emv.de55);
    j->tx.emv.stream = copy(&room, tx->emv.stream);
    j->tx.emv.aid = copy(&room, tx->emv.aid);
    j->question = copy(&room, question);
    j->bytes_n = n;
    j->issuer[0] = '\0';
    j->unbooked = false;
    STAILQ_INIT(&j->waiters);
    j->peer = link_peer_ref(q->peer);
    return j;
}

static enum tp_err post(struct committer *c, struct job *j)
{
    const enum tp_err r = group_put(c->group, &j->group);

    if (r != TP_OK)
        job_free(j);
    return r;
}

static enum tp_err queue(struct committer *c, enum job_kind kind, const struct commit_request *q)
{
    struct job *j = job_new(kind, q, (struct span){NULL, 0});

    if (j == NULL)
        return TP_ERR_NO_MEMORY;
    return post(c, j);
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
    j->answer = *answered;
    return post(c, j);
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
    return post(c, j);
}

enum tp_err committer_wait(struct committer *c, const struct commit_request *request,
                           const struct wire_answer *otherwise)
{
    struct job *j = job_new(JOB_ASK, request, (struct span){NULL, 0});

    if (j == NULL)
        return TP_ERR_NO_MEMORY;
    j->answer = *otherwise;
    return post(c, j);
}

struct gateway *committer_gateway(struct committer *c)
{
    return c->gateway;
}

struct ledger *committer_books(struct committer *c)
{
    return c->ledger;
}
