/* The questions under way to issuers, and the repeats that wait for their answers. */
#include <stdlib.h>
#include <string.h>

#include "acquirer/commit_priv.h"

void under_way_init(struct under_way *u)
{
    for (size_t i = 0; i < UNDER_WAY_BUCKETS; i++)
        STAILQ_INIT(&u->bucket[i]);
}

void under_way_clear(struct under_way *u)
{
    struct group_job *j;

    for (size_t i = 0; i < UNDER_WAY_BUCKETS; i++)
        while ((j = STAILQ_FIRST(&u->bucket[i])) != NULL) {
            STAILQ_REMOVE_HEAD(&u->bucket[i], next);
            job_free((struct job *)j);
        }
}

static struct group_jobs *bucket_of(struct under_way *u, const char *rrn)
{
    return &u->bucket[strtoull(rrn, NULL, 10) % UNDER_WAY_BUCKETS];
}

void under_way_add(struct under_way *u, struct job *ask)
{
    STAILQ_INSERT_TAIL(bucket_of(u, ask->tx.rrn), &ask->entry, next);
}

struct job *under_way_find(struct under_way *u, const char *rrn)
{
    struct group_job *entry;

    STAILQ_FOREACH (entry, bucket_of(u, rrn), next) {
        struct job *j = (struct job *)entry;

        if (!j->unbooked && strcmp(j->tx.rrn, rrn) == 0)
            return j;
    }
    return NULL;
}

void under_way_end(struct under_way *u, struct job *ask)
{
    STAILQ_REMOVE(bucket_of(u, ask->tx.rrn), &ask->entry, group_job, next);
    job_free(ask);
}

bool under_way_wait(struct job *ask, const struct job *repeat)
{
    struct waiter *w = malloc(sizeof(*w));

    if (w == NULL)
        return false;
    w->payer = payer_copy(repeat->payer);
    if (w->payer == NULL && repeat->payer != NULL) {
        free(w);
        return false;
    }
    w->mti = repeat->mti;
    w->peer = link_peer_ref(repeat->peer);
    w->echo = repeat->echo;
    STAILQ_INSERT_TAIL(&ask->waiters, w, next);
    return true;
}
