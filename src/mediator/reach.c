#include "mediator/reach.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/word.h"
#include "wire/http_client.h"

#define ANSWER_MAX  (64U << 10) /* bytes */
#define ANSWER_MS   3000L
#define OF_SERVICE  4
#define NOT_KNOWN_1 401
#define NOT_KNOWN_2 403

struct reach {
    struct http_client *client;
    pthread_mutex_t lock;
    pthread_cond_t answered;
    size_t open; /* under lock: asked, and not yet answered */
};

struct question {
    struct reach *reach;
    struct reached *out;
};

/* Whatever it answers, it is there; but one that does not know this mediator will answer nothing
 * else either. An answer that is too long is one. */
static void judge(struct reached *out, const struct http_said *said)
{
    out->yes = (said->r == TP_OK && said->status != NOT_KNOWN_1 && said->status != NOT_KNOWN_2) ||
               said->r == TP_ERR_RANGE;
    if (out->yes)
        return;
    if (said->r == TP_OK)
        snprintf(out->why, sizeof(out->why),
                 "it does not know this mediator (%ld): telepay-service mediator add makes the "
                 "folder that service add takes",
                 said->status);
    else
        snprintf(out->why, sizeof(out->why), "%.190s", said->e.text);
    word_make_shown(out->why);
}

static void on_answer(void *ctx, const struct http_said *said)
{
    struct question *q = ctx;

    judge(q->out, said);
    pthread_mutex_lock(&q->reach->lock);
    q->reach->open--;
    pthread_cond_signal(&q->reach->answered);
    pthread_mutex_unlock(&q->reach->lock);
    free(q);
}

enum tp_err reach_new(struct reach **out, struct tp_error *e)
{
    struct reach *r = calloc(1, sizeof(*r));
    enum tp_err err;

    *out = r;
    if (r == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->answered, NULL);
    err = http_client_new(&r->client, OF_SERVICE, e);
    if (err != TP_OK)
        reach_end(out);
    return err;
}

static enum tp_err ask(struct reach *r, struct reached *out, struct tp_error *e)
{
    struct question *mine = calloc(1, sizeof(*mine));
    const struct http_question q = {.url = out->service.url,
                                    .tls = &out->service.tls,
                                    .answer_max = ANSWER_MAX,
                                    .timeout_ms = ANSWER_MS,
                                    .done = on_answer,
                                    .ctx = mine};

    if (mine == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
    *mine = (struct question){r, out};
    pthread_mutex_lock(&r->lock); /* the answer waits for it */
    if (http_client_ask(r->client, &q) == TP_OK) {
        r->open++;
        mine = NULL;
    }
    pthread_mutex_unlock(&r->lock);
    if (mine == NULL)
        return TP_OK;
    free(mine);
    return tp_fail(e, TP_ERR_NO_MEMORY, "out of memory");
}

void reach_ask(struct reach *r, struct reached *out, const char *folder)
{
    struct tp_error e = {TP_OK, ""};
    enum tp_err err = registry_try_service(&out->service, folder, &e);

    out->yes = false;
    if (err == TP_OK)
        err = ask(r, out, &e);
    if (err != TP_OK)
        snprintf(out->why, sizeof(out->why), "%.190s", e.text);
}

void reach_end(struct reach **out)
{
    struct reach *r = *out;

    if (r == NULL)
        return;
    pthread_mutex_lock(&r->lock);
    while (r->open > 0)
        pthread_cond_wait(&r->answered, &r->lock);
    pthread_mutex_unlock(&r->lock);
    http_client_free(&r->client);
    pthread_cond_destroy(&r->answered);
    pthread_mutex_destroy(&r->lock);
    free(r);
    *out = NULL;
}
