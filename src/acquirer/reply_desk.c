#include "acquirer/reply_desk.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/secret.h"

#define THREADS 2

struct letter {
    STAILQ_ENTRY(letter) next;
    struct link_peer *peer;
    struct echo echo;
    struct payer *payer;
    struct wire_answer answer;
    struct outcome outcome;
};

STAILQ_HEAD(letters, letter);

struct reply_desk {
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct letters letters; /* under lock, as `stop` */
    bool stop;
    pthread_t thread[THREADS];
    size_t threads;
};

static void letter_free(struct letter *l)
{
    link_peer_unref(l->peer);
    payer_free(&l->payer);
    outcome_clear(&l->outcome);
    secret_wipe(l, sizeof(*l));
    free(l);
}

/* NULL: no memory. */
static struct letter *letter_new(struct link_peer *peer, const struct echo *echo,
                                 const struct payer *payer, const struct wire_answer *a,
                                 const struct outcome *o)
{
    struct letter *l = calloc(1, sizeof(*l));

    if (l == NULL)
        return NULL;
    l->peer = link_peer_ref(peer);
    l->echo = *echo;
    l->answer = *a;
    l->outcome.completes = o->completes;
    l->payer = payer_copy(payer);
    if (o->acknowledgement != NULL)
        l->outcome.acknowledgement = strdup(o->acknowledgement);
    if (l->payer != NULL && (o->acknowledgement == NULL || l->outcome.acknowledgement != NULL))
        return l;
    letter_free(l);
    return NULL;
}

/* The next one, or NULL when it is over. */
static struct letter *wait_for(struct reply_desk *d)
{
    struct letter *l;

    pthread_mutex_lock(&d->lock);
    while ((l = STAILQ_FIRST(&d->letters)) == NULL && !d->stop)
        pthread_cond_wait(&d->more, &d->lock);
    if (l != NULL)
        STAILQ_REMOVE_HEAD(&d->letters, next);
    pthread_mutex_unlock(&d->lock);
    return l;
}

static void *run(void *ctx)
{
    struct letter *l;

    while ((l = wait_for(ctx)) != NULL) {
        reply_send(l->peer, &l->echo, l->payer, &l->answer, &l->outcome);
        letter_free(l);
    }
    return NULL;
}

enum tp_err reply_desk_new(struct reply_desk **out, struct tp_error *e)
{
    struct reply_desk *d = calloc(1, sizeof(*d));

    *out = NULL;
    if (d == NULL)
        return tp_fail(e, TP_ERR_NO_MEMORY, "no memory for the answers to mediators");
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->more, NULL);
    STAILQ_INIT(&d->letters);
    while (d->threads < THREADS && pthread_create(&d->thread[d->threads], NULL, run, d) == 0)
        d->threads++;
    if (d->threads == THREADS) {
        *out = d;
        return TP_OK;
    }
    reply_desk_free(&d);
    return tp_fail(e, TP_ERR_NO_MEMORY, "no thread for the answers to mediators");
}

void reply_desk_free(struct reply_desk **out)
{
    struct reply_desk *d = *out;

    if (d == NULL)
        return;
    pthread_mutex_lock(&d->lock);
    d->stop = true;
    pthread_cond_broadcast(&d->more);
    pthread_mutex_unlock(&d->lock);
    for (size_t i = 0; i < d->threads; i++)
        pthread_join(d->thread[i], NULL);
    pthread_cond_destroy(&d->more);
    pthread_mutex_destroy(&d->lock);
    free(d);
    *out = NULL;
}

/* What cannot be copied is sealed where it is. */
void reply_desk_send(struct reply_desk *d, struct link_peer *peer, const struct echo *echo,
                     const struct payer *payer, const struct wire_answer *a,
                     const struct outcome *o)
{
    struct letter *l = payer != NULL ? letter_new(peer, echo, payer, a, o) : NULL;

    if (l == NULL) {
        reply_send(peer, echo, payer, a, o);
        return;
    }
    pthread_mutex_lock(&d->lock);
    STAILQ_INSERT_TAIL(&d->letters, l, next);
    pthread_cond_signal(&d->more);
    pthread_mutex_unlock(&d->lock);
}
