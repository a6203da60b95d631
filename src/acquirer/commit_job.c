/* The committer's jobs: made, answered, freed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acquirer/commit_priv.h"
#include "base/log.h"
#include "base/secret.h"

static struct span copy(struct buf *room, struct span from)
{
    const size_t at = room->n;

    if (buf_put(room, from) != TP_OK)
        return (struct span){NULL, 0};
    return span_of(room->p + at, from.n);
}

struct job *job_new(enum job_kind kind, const struct commit_request *q, struct span question)
{
    const struct tx_record *tx = q->tx;
    const size_t n = tx->pan_sealed.n + tx->pan_lookup.n + tx->digest.n + tx->emv.de55.n +
                     tx->emv.stream.n + tx->emv.aid.n + tx->mediated.challenge.n +
                     tx->mediated.device.n + question.n;
    struct job *j = calloc(1, sizeof(*j) + n);

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
    j->tx.mediated.challenge = copy(&room, tx->mediated.challenge);
    j->tx.mediated.device = copy(&room, tx->mediated.device);
    j->question = copy(&room, question);
    j->bytes_n = n;
    STAILQ_INIT(&j->waiters);
    j->peer = link_peer_ref(q->peer);
    j->payer = payer_copy(q->payer);
    if (j->payer == NULL && q->payer != NULL) {
        job_free(j);
        return NULL;
    }
    return j;
}

struct job *job_about(enum job_kind kind, const char *rrn)
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

void job_free(struct job *j)
{
    struct waiter *w;

    while ((w = STAILQ_FIRST(&j->waiters)) != NULL) {
        STAILQ_REMOVE_HEAD(&j->waiters, next);
        link_peer_unref(w->peer);
        payer_free(&w->payer);
        free(w);
    }
    payer_free(&j->payer);
    outcome_clear(&j->outcome);
    if (j->peer != NULL)
        link_peer_unref(j->peer);
    secret_wipe(j->bytes, j->bytes_n); /* a question holds the card's number */
    free(j);
}

void job_answer(struct job *j, struct reply_desk *desk, const struct wire_answer *a,
                const struct outcome *o)
{
    struct waiter *w;

    reply_desk_send(desk, j->peer, &j->echo, j->payer, a, o);
    answer_log(j->mti, &j->tx, a);
    STAILQ_FOREACH (w, &j->waiters, next) {
        reply_desk_send(desk, w->peer, &w->echo, w->payer, a, o);
        answer_log(w->mti, &j->tx, a);
    }
}
