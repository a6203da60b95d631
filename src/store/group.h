/* The group committer: one thread that takes all jobs that wait into one transaction, and only when
 * that is durable are they answered: throughput does not fall to one fsync a job
 * (doc/design.md, Durability). What the jobs do and where they are kept is the server's. */
#ifndef TP_STORE_GROUP_H
#define TP_STORE_GROUP_H

#include <stddef.h>
#include <sys/queue.h>

#include "base/err.h"

#define GROUP_MAX       1024  /* jobs of one transaction */
#define GROUP_QUEUE_MAX 16384 /* jobs that wait: some seconds of work, some tens of megabytes */

struct group;

struct group_job { /* stands in the server's own job; the group owns no memory of it */
    STAILQ_ENTRY(group_job) next;
};

STAILQ_HEAD(group_jobs, group_job);

/* All are called on the group's thread alone. */
struct group_ops {
    TP_MUST_CHECK enum tp_err (*begin)(void *ctx, struct tp_error *e);
    /* May be called again for the same job after a rollback. After an error of a statement the
     * transaction can only be rolled back: it must be returned; the job gets it in `failed`. */
    TP_MUST_CHECK enum tp_err (*apply)(void *ctx, struct group_job *j, struct tp_error *e);
    TP_MUST_CHECK enum tp_err (*commit)(void *ctx, struct tp_error *e);
    void (*rollback)(void *ctx); /* after an error of any of the three */
    /* The jobs are durable, in the order they came; they and the list are the server's again. */
    void (*done)(void *ctx, struct group_jobs *list);
    /* Nothing of the job is kept; it is the server's again. The group has logged the error. */
    void (*failed)(void *ctx, struct group_job *j, const struct tp_error *e);
    /* How many milliseconds from now `begin` has work of its own, without a job; 0: none. NULL:
     * never. */
    unsigned (*due)(void *ctx);
};

/* Starts the thread. ops is borrowed, as is ctx. TP_ERR_NO_MEMORY, TP_ERR_INTERNAL. */
TP_MUST_CHECK enum tp_err group_new(struct group **out, const struct group_ops *ops, void *ctx,
                                    struct tp_error *e);

/* From any thread. On an error the job stays the caller's: TP_ERR_AGAIN when GROUP_QUEUE_MAX jobs
 * wait, TP_ERR_STATE once it is stopped. */
TP_MUST_CHECK enum tp_err group_put(struct group *g, struct group_job *j);

/* The same for what ends a thing under way and must not be lost: it is bounded by those things, and
 * taken however many wait. TP_ERR_STATE. */
TP_MUST_CHECK enum tp_err group_put_always(struct group *g, struct group_job *j);

/* Ends the thread when all that waits is done or failed. */
void group_stop(struct group *g);
void group_free(struct group **g); /* stops it first */

#endif
