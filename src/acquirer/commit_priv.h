/* What the committer's files share: its jobs, and the questions under way. */
#ifndef TP_ACQUIRER_COMMIT_PRIV_H
#define TP_ACQUIRER_COMMIT_PRIV_H

#include "acquirer/commit.h"
#include "acquirer/keys.h"
#include "acquirer/reply_desk.h"
#include "store/group.h"

enum job_kind { JOB_PAY, JOB_REVERSE, JOB_ASK, JOB_FATE, JOB_REVERSED, JOB_REFUSED, JOB_ECHO };

struct waiter { /* a repeat that gets the answer of the first */
    STAILQ_ENTRY(waiter) next;
    unsigned mti;
    struct link_peer *peer;
    struct echo echo;
    struct payer *payer;
};

STAILQ_HEAD(waiters, waiter);

struct job {
    struct group_job entry; /* first */
    enum job_kind kind;
    unsigned mti;
    struct link_peer *peer; /* NULL: nobody is to be answered */
    struct echo echo;
    struct payer *payer; /* NULL: none */
    struct tx_record tx; /* spans into bytes */
    struct wire_answer
        said; /* what it came with: of JOB_FATE, JOB_REFUSED, and of a JOB_ASK that only waits */
    struct wire_answer answer; /* what comes of it */
    struct outcome outcome;    /* beside the answer, to a mediator */
    /* of JOB_ASK */
    char issuer[ISSUER_NAME_MAX];
    struct span question;
    time_t asked;
    enum ledger_verdict verdict;
    struct waiters waiters; /* while it is under way */
    bool unbooked; /* it is answered, but it, or what came of it, could not be booked: a JOB_FATE
                      that is tried again has it reversed */
    /* of JOB_FATE: tx.rrn says of which */
    enum issuer_fate fate;
    struct job *late; /* the one that is unbooked: this one is tried again. NULL: none is */
    size_t bytes_n;
    uint8_t bytes[];
};

/* Copied whole. NULL: no memory. */
struct job *job_new(enum job_kind kind, const struct commit_request *q, struct span question);
struct job *job_about(enum job_kind kind, const char *rrn); /* of the gateway, which says why not */
void job_free(struct job *j);
/* And the repeats that wait for it. */
void job_answer(struct job *j, struct reply_desk *desk, const struct wire_answer *a,
                const struct outcome *o);

/* What was asked and has no answer yet; the group's thread's own. */
#define UNDER_WAY_BUCKETS 1024 /* by reference number */
struct under_way {
    struct group_jobs bucket[UNDER_WAY_BUCKETS];
};

void under_way_init(struct under_way *u);
void under_way_clear(struct under_way *u);
void under_way_add(struct under_way *u, struct job *ask);
/* One that is booked, by its number; another that may not be booked can have had that number
 * before. NULL: none. */
struct job *under_way_find(struct under_way *u, const char *rrn);
void under_way_end(struct under_way *u, struct job *ask); /* frees it */
/* False: no memory. */
bool under_way_wait(struct job *ask, const struct job *repeat);

/* What a job is applied to. */
struct bench {
    struct ledger *ledger;
    struct under_way under_way;
    bool look; /* the group has given the gateway something to reverse */
    const char *dir;
    struct acquirer_keys keys; /* loaded when the first is to be signed */
};

/* The group's apply. */
TP_MUST_CHECK enum tp_err job_apply(struct job *j, struct bench *b, struct tp_error *e);
/* What a terminal is told of a question whose answer could not be kept. */
struct wire_answer said_unanswered(void);

#endif
