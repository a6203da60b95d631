#include "issuer/writer.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/log.h"
#include "issuer/state.h"

#define GROUP_MAX 512

struct job {
    STAILQ_ENTRY(job) next;
    struct link_peer *peer;
    struct echo echo;
    struct request request;
    struct acquirer from;
    struct authorisation outcome; /* of a 0400: its answer */
};

STAILQ_HEAD(job_queue, job);

struct writer {
    struct authoriser authoriser;
    struct issuer_keys *keys;
    pthread_t thread;
    bool started;
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct job_queue queue; /* under lock */
    bool stop;              /* under lock */
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

static void answer_all(struct job_queue *list)
{
    struct job *j;

    while ((j = STAILQ_FIRST(list)) != NULL) {
        STAILQ_REMOVE_HEAD(list, next);
        send_answer(j);
        if (j->request.mti != MTI_NETWORK || !wire_answer_is_yes(&j->outcome.answer))
            job_log(j);
        job_free(j);
    }
}

static void refuse_all(struct job_queue *list, const struct tp_error *e)
{
    struct job *j;

    log_error("%s", e->text);
    STAILQ_FOREACH (j, list, next) {
        memset(&j->outcome, 0, sizeof(j->outcome));
        wire_answer_set(&j->outcome.answer, "96", NULL);
    }
}

/* ---- the books ---- */

static enum tp_err decide(struct writer *c, struct job *j, struct tp_error *e)
{
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

/* All of a list in one database transaction. */
static enum tp_err keep(struct writer *c, struct job_queue *list, struct tp_error *e)
{
    struct job *j;
    enum tp_err r = book_begin(c->authoriser.book, e);

    if (r != TP_OK)
        return r;
    STAILQ_FOREACH (j, list, next) {
        r = decide(c, j, e);
        if (r != TP_OK)
            break;
    }
    if (r == TP_OK)
        return book_commit(c->authoriser.book, e);
    book_rollback(c->authoriser.book);
    return r;
}

/* A group that the disk fails is answered 96 and nothing of it is kept. Any other fault may be that
 * of one request: the group is then tried again one by one, so that it takes no others with it. */
static void work(struct writer *c, struct job_queue *list, size_t n)
{
    struct tp_error e = {TP_OK, ""};
    const enum tp_err r = keep(c, list, &e);

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

static size_t take_group(struct job_queue *out, struct writer *c)
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
    struct writer *c = ctx;
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

enum tp_err writer_new(struct writer **out, const char *dir, unsigned atc_jump, struct tp_error *e)
{
    struct writer *c = calloc(1, sizeof(*c));
    enum tp_err r;

    *out = NULL;
    if (c == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for the books");
    STAILQ_INIT(&c->queue);
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->more, NULL);
    c->authoriser.atc_jump = atc_jump;
    r = issuer_open_book(&c->authoriser.book, dir, e);
    if (r == TP_OK)
        r = seal_open_dir(&c->authoriser.seal, dir, e);
    if (r == TP_OK)
        r = issuer_keys_load(&c->keys, dir, e);
    c->authoriser.keys = c->keys;
    if (r == TP_OK) {
        c->started = pthread_create(&c->thread, NULL, run, c) == 0;
        if (!c->started)
            r = tp_fail(e, TP_ERR_INTERNAL, "cannot start a thread");
    }
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
    pthread_mutex_lock(&c->lock);
    c->stop = true;
    pthread_cond_signal(&c->more);
    pthread_mutex_unlock(&c->lock);
    if (c->started)
        pthread_join(c->thread, NULL);
    issuer_keys_free(&c->keys);
    seal_free(&c->authoriser.seal);
    book_close(&c->authoriser.book);
    pthread_cond_destroy(&c->more);
    pthread_mutex_destroy(&c->lock);
    free(c);
    *out = NULL;
}

enum tp_err writer_take(struct writer *c, const struct request *q, const struct acquirer *from,
                        const struct echo *echo, struct link_peer *peer)
{
    struct job *j = malloc(sizeof(*j));

    if (j == NULL)
        return TP_ERR_NO_MEMORY;
    j->request = *q;
    j->from = *from;
    j->echo = *echo;
    j->peer = link_peer_ref(peer);
    pthread_mutex_lock(&c->lock);
    STAILQ_INSERT_TAIL(&c->queue, j, next);
    pthread_cond_signal(&c->more);
    pthread_mutex_unlock(&c->lock);
    return TP_OK;
}

enum tp_err writer_echo(struct writer *c, unsigned mti, const struct acquirer *from,
                        const struct echo *echo, struct link_peer *peer)
{
    const struct request q = {.mti = mti};

    return writer_take(c, &q, from, echo, peer);
}
