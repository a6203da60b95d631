/* The one thread that writes the books while the server runs. It takes all that waits into one database transaction (group commit), and only when that is
 * durable do the answers leave: throughput does not fall to one fsync a payment (DESIGN 8). */
#ifndef TP_ACQUIRER_COMMIT_H
#define TP_ACQUIRER_COMMIT_H

#include "acquirer/answer.h"
#include "wire/link.h"

struct committer;

/* Opens the books in the acquirer's folder and starts the thread. */
TP_MUST_CHECK enum tp_err committer_new(struct committer **out, const char *dir, struct tp_error *e);

/* Ends the thread when all that waits is answered, and frees. */
void committer_free(struct committer **c);

struct commit_request {
    unsigned mti;               /* of the request, for the log */
    const struct echo *echo;    /* for the answer */
    const struct tx_record *tx; /* a payment that passed every check; of a reversal: contract, terminal, stan and local_time of the original */
    struct link_peer *peer;     /* who is answered */
};

/* Queue a payment to be kept, or a reversal; copied whole. TP_ERR_NO_MEMORY. From any thread. The peer gets one answer:
 * 00 with the RRN once it is durable; what ledger_acknowledge or ledger_reverse_original says otherwise; 96 when the books cannot be written. */
TP_MUST_CHECK enum tp_err committer_pay(struct committer *c, const struct commit_request *request);
TP_MUST_CHECK enum tp_err committer_reverse(struct committer *c, const struct commit_request *request);

/* Groups and requests so far: for bench. */
void committer_counts(struct committer *c, uint64_t *groups, uint64_t *requests);

/* The books the thread writes, for fault tests while nothing is under way. */
struct ledger *committer_books(struct committer *c);

#endif
