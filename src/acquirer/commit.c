#include "acquirer/commit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "acquirer/check.h"
#include "acquirer/state.h"
#include "base/log.h"

#define GROUP_MAX 1024

enum job_kind { JOB_PAY, JOB_REVERSE };

struct job {
    STAILQ_ENTRY(job) next;
    enum job_kind kind;
    unsigned mti;
    struct link_peer *peer;
    struct echo echo;
    struct tx_record tx; /* spans into bytes */
    struct answer answer;
    uint8_t bytes[];
};

STAILQ_HEAD(job_queue, job);

struct committer {
    struct ledger *ledger;
    pthread_t thread;
    bool started;
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct job_queue queue; /* under lock */
    bool stop;              /* under lock */
    atomic_uint_fast64_t groups, requests;
};

/* ---- the books ---- */

static enum tp_err do_pay(struct job *j, struct ledger *l, struct tp_error *e)
{
    enum ledger_verdict verdict = LEDGER_NEW;
    const enum tp_err r = ledger_acknowledge(l, &j->tx, &verdict, e);

    if (r == TP_ERR_NOT_FOUND) {
        answer_set(&j->answer, "03", "CONTRACT"); /* closed since it was checked */
        return TP_OK;
    }
    if (r == TP_ERR_RANGE) {
        log_error("%s", e->text);
        answer_set(&j->answer, "96", NULL);
        return TP_OK;
    }
    if (r == TP_OK && !check_verdict(&j->answer, verdict, j->tx.rrn)) {
        answer_set(&j->answer, "00", NULL);
        snprintf(j->answer.rrn, sizeof(j->answer.rrn), "%s", j->tx.rrn);
    }
    return r;
}

static enum tp_err do_reverse(struct job *j, struct ledger *l, struct tp_error *e)
{
    enum ledger_reversal outcome = REVERSAL_DONE;
    char rrn[RRN_MAX] = "";
    const enum tp_err r = ledger_reverse_original(l, j->tx.contract, j->tx.terminal, j->tx.stan, (int)(j->tx.local_time / 1000000), &outcome, rrn, e);

    if (r == TP_ERR_STATE) {
        answer_set(&j->answer, "12", "REMISE_CLOSED"); /* DESIGN 9, rule 5: only a credit undoes it now */
        return TP_OK;
    }
    if (r == TP_ERR_NOT_FOUND) {
        answer_set(&j->answer, "03", "CONTRACT");
        return TP_OK;
    }
    answer_set(&j->answer, "00", NULL);
    snprintf(j->answer.rrn, sizeof(j->answer.rrn), "%s", rrn);
    return r;
}

/* All of a list in one database transaction. */
static enum tp_err keep(struct committer *c, struct job_queue *list, struct tp_error *e)
{
    struct job *j;
    enum tp_err r = ledger_group_begin(c->ledger, e);

    if (r != TP_OK)
        return r;
    STAILQ_FOREACH(j, list, next)
    {
        r = j->kind == JOB_PAY ? do_pay(j, c->ledger, e) : do_reverse(j, c->ledger, e);
        if (r != TP_OK)
            break;
    }
    if (r == TP_OK)
        r = ledger_group_commit(c->ledger, e);
    else
        ledger_group_rollback(c->ledger);
    return r;
}

/* ---- answers ---- */

static void job_free(struct job *j)
{
    link_peer_unref(j->peer);
    free(j);
}

static void job_answer(struct job *j)
{
    struct iso8583 m;
    uint8_t room[ANSWER_MAX];
    struct buf out = BUF_OF(room);
    struct tp_error e;
    enum tp_err r = answer_start(&m, &j->echo, &j->answer);

    if (r == TP_OK)
        r = iso8583_pack(&out, &m, &e);
    if (r == TP_OK)
        link_send(j->peer, buf_span(&out));
    else
        log_error("an answer cannot be packed: %s", tp_err_text(r));
    answer_log(j->mti, &j->tx, &j->answer);
}

static void answer_all(struct job_queue *list)
{
    struct job *j;

    while ((j = STAILQ_FIRST(list)) != NULL) {
        STAILQ_REMOVE_HEAD(list, next);
        job_answer(j);
        job_free(j);
    }
}

static void refuse_all(struct job_queue *list, const struct tp_error *e)
{
    struct job *j;

    log_error("%s", e->text);
    STAILQ_FOREACH(j, list, next)
    answer_set(&j->answer, "96", NULL);
}

/* A group that fails is answered 96 and nothing of it is kept; the next one tries anew, so all is well again when the disk is. Any other fault may be
 * that of one request: the group is then tried again one by one, so that it takes no others with it. */
static void work(struct committer *c, struct job_queue *list, size_t n)
{
    struct tp_error e = {TP_OK, ""};
    const enum tp_err r = keep(c, list, &e);

    atomic_fetch_add(&c->groups, 1);
    atomic_fetch_add(&c->requests, n);
    if (r != TP_OK && r != TP_ERR_IO && n > 1) {
        struct job *j;

        while ((j = STAILQ_FIRST(list)) != NULL) {
            struct job_queue one = STAILQ_HEAD_INITIALIZER(one);

            STAILQ_REMOVE_HEAD(list, next);
            STAILQ_INSERT_TAIL(&one, j, next);
            work(c, &one, 1);
        }
        return;
    }
    if (r != TP_OK)
        refuse_all(list, &e);
    answer_all(list);
}

/* ---- the thread ---- */

static size_t take_group(struct job_queue *out, struct committer *c)
{
    size_t n = 0;

    while (n < GROUP_MAX && !STAILQ_EMPTY(&c->queue)) {
        struct job *j = STAILQ_FIRST(&c->queue);

        STAILQ_REMOVE_HEAD(&c->queue, next);
        STAILQ_INSERT_TAIL(out, j, next);
        n++;
    }
    return n;
}

static void *run(void *ctx)
{
    struct committer *c = ctx;
    bool stop = false;

    while (!stop) {
        struct job_queue group = STAILQ_HEAD_INITIALIZER(group);
        size_t n;

        pthread_mutex_lock(&c->lock);
        while (STAILQ_EMPTY(&c->queue) && !c->stop)
            pthread_cond_wait(&c->more, &c->lock);
        n = take_group(&group, c);
        stop = n == 0;
        pthread_mutex_unlock(&c->lock);
        if (n > 0)
            work(c, &group, n);
    }
    return NULL;
}

enum tp_err committer_new(struct committer **out, const char *dir, struct tp_error *e)
{
    struct committer *c = calloc(1, sizeof(*c));
    enum tp_err r;

    *out = NULL;
    if (c == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for the books");
    STAILQ_INIT(&c->queue);
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->more, NULL);
    r = acquirer_open_ledger(&c->ledger, dir, e);
    if (r == TP_OK) {
        c->started = pthread_create(&c->thread, NULL, run, c) == 0;
        if (!c->started)
            r = tp_fail(e, TP_ERR_INTERNAL, "cannot start a thread");
    }
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
    pthread_mutex_lock(&c->lock);
    c->stop = true;
    pthread_cond_signal(&c->more);
    pthread_mutex_unlock(&c->lock);
    if (c->started)
        pthread_join(c->thread, NULL);
    ledger_close(&c->ledger);
    pthread_cond_destroy(&c->more);
    pthread_mutex_destroy(&c->lock);
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

static enum tp_err queue(struct committer *c, enum job_kind kind, const struct commit_request *q)
{
    const struct tx_record *tx = q->tx;
    const size_t n = tx->pan_sealed.n + tx->pan_lookup.n + tx->digest.n + tx->de55.n + tx->stream.n;
    struct job *j = malloc(sizeof(*j) + n);

    if (j == NULL)
        return TP_ERR_NO_MEMORY;
    struct buf room = {j->bytes, 0, n};

    j->kind = kind;
    j->mti = q->mti;
    j->echo = *q->echo;
    j->tx = *tx;
    j->tx.pan_sealed = copy(&room, tx->pan_sealed);
    j->tx.pan_lookup = copy(&room, tx->pan_lookup);
    j->tx.digest = copy(&room, tx->digest);
    j->tx.de55 = copy(&room, tx->de55);
    j->tx.stream = copy(&room, tx->stream);
    j->peer = link_peer_ref(q->peer);
    pthread_mutex_lock(&c->lock);
    STAILQ_INSERT_TAIL(&c->queue, j, next);
    pthread_cond_signal(&c->more);
    pthread_mutex_unlock(&c->lock);
    return TP_OK;
}

enum tp_err committer_pay(struct committer *c, const struct commit_request *request)
{
    return queue(c, JOB_PAY, request);
}

enum tp_err committer_reverse(struct committer *c, const struct commit_request *request)
{
    return queue(c, JOB_REVERSE, request);
}

void committer_counts(struct committer *c, uint64_t *groups, uint64_t *requests)
{
    *groups = atomic_load(&c->groups);
    *requests = atomic_load(&c->requests);
}

struct ledger *committer_books(struct committer *c)
{
    return c->ledger;
}
