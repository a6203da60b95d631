/* Group commit, once for every server: one thread takes all that waits into one transaction of the
 * books, and tells what came of it only when that is durable. Throughput does not fall to one fsync
 * a job, and what a job finds within the transaction stands until it is kept (doc/design.md,
 * Durability).
 *
 * A group whose transaction another one was in the way of is tried again whole, a few times; a disk
 * that fails, fails all of it at once. Any other error may be that of one job: the group is then
 * tried again job by job, so that none takes others with it. So apply may be called more than once
 * for a job, and each time begins anew. */
#ifndef TP_STORE_GROUP_H
#define TP_STORE_GROUP_H

#include <sys/queue.h>

#include "base/err.h"

/* The first member of a server's own job. Its memory is the server's: a job that was taken comes
 * back once, by done or by failed. */
struct group_job {
    STAILQ_ENTRY(group_job) next;
};
STAILQ_HEAD(group_jobs, group_job);

#define GROUP_MAX 1024 /* jobs in one transaction */

/* Jobs that may wait before group_offer refuses: twice the unanswered messages of one certificate's
 * connections (doc/protocol.md, limits), so that none can fill it alone; 150 MB of payments. */
#define GROUP_QUEUE_MAX 32768

/* What the server does, always on the group's thread. */
struct group_ops {
    void *ctx;
    enum tp_err (*begin)(void *ctx, struct tp_error *e);
    /* Decides and writes one job. After an error of a statement the transaction can only be rolled
     * back (store/db.h): it is returned, and comes back by failed, with the job alone. */
    enum tp_err (*apply)(void *ctx, struct group_job *j, struct tp_error *e);
    enum tp_err (*commit)(void *ctx, struct tp_error *e);
    void (*rollback)(void *ctx);                      /* after an error of apply or commit */
    void (*done)(void *ctx, struct group_jobs *jobs); /* durable, in the order they came */
    /* Nothing of them is kept. TP_ERR_CANCELLED: they were not tried. */
    void (*failed)(void *ctx, struct group_jobs *jobs, const struct tp_error *e);
};

struct group;

/* Jobs may be queued at once; the thread takes them from group_start on. TP_ERR_NO_MEMORY. */
TP_MUST_CHECK enum tp_err group_new(struct group **out, const struct group_ops *ops,
                                    struct tp_error *e);
TP_MUST_CHECK enum tp_err group_start(struct group *g, struct tp_error *e);

/* Queues a request from outside, from any thread, without waiting. TP_ERR_AGAIN: as many wait as
 * may; TP_ERR_CANCELLED: stopped. Then the job is still the caller's. */
TP_MUST_CHECK enum tp_err group_offer(struct group *g, struct group_job *j);
/* The same without a bound, for what is bounded where it comes from. TP_ERR_CANCELLED. */
TP_MUST_CHECK enum tp_err group_post(struct group *g, struct group_job *j);
/* From failed: the same job again in a second, or when stopping, at once. TP_ERR_CANCELLED: it
 * stops, and has tried. */
TP_MUST_CHECK enum tp_err group_again(struct group *g, struct group_job *j);

/* Works off what waits and ends the thread; from then on nothing is taken. */
void group_stop(struct group *g);
/* Stops first. What is still queued, since it never started, fails. */
void group_free(struct group **g);

#endif
