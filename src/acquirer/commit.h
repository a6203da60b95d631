/* The acquirer's books while the server runs, written by groups (store/group.h): only when a group
 * is durable do its answers leave. */
#ifndef TP_ACQUIRER_COMMIT_H
#define TP_ACQUIRER_COMMIT_H

#include "acquirer/gateway.h"
#include "acquirer/reply.h"
#include "wire/echo.h"
#include "wire/link.h"

struct committer;

/* Opens the books in the acquirer's folder, the lines to its issuers, and starts the thread. What a
 * run before left asked is to be reversed. TP_ERR_STATE: another one runs on that folder. */
TP_MUST_CHECK enum tp_err committer_new(struct committer **out, const char *dir,
                                        struct tp_error *e);

/* Ends the thread when all that waits for the books is answered, and frees. What an issuer is still
 * asked stays so in the books. */
void committer_free(struct committer **c);

struct commit_request {
    unsigned mti;            /* of the request, for the log */
    const struct echo *echo; /* for the answer */
    const struct tx_record
        *tx; /* a payment that passed every check; of a reversal: contract, terminal, stan,
                local_time and amount (0: unsaid) of the original */
    struct link_peer *peer;    /* who is answered */
    const struct payer *payer; /* for whom, when that is a mediator; else NULL. Its payment is
                                  answered with what is signed of the outcome */
};

/* Queue a payment to be kept, or a reversal; copied whole. From any thread, without waiting.
 * TP_ERR_NO_MEMORY, TP_ERR_AGAIN (too many wait): nothing is queued, the caller answers 96; so for
 * all that follow. Else the peer gets one answer: 00 with the RRN once it is durable; what
 * ledger_acknowledge or ledger_reverse_original says otherwise; 96 when the books cannot be
 * written. */
TP_MUST_CHECK enum tp_err committer_pay(struct committer *c, const struct commit_request *request);
TP_MUST_CHECK enum tp_err committer_reverse(struct committer *c,
                                            const struct commit_request *request);

/* Queue an echo: answered 00 when the books could be written, else 96. */
TP_MUST_CHECK enum tp_err committer_echo(struct committer *c, const struct commit_request *request);

/* Queue a refusal that was answered, to be kept. */
TP_MUST_CHECK enum tp_err committer_refused(struct committer *c,
                                            const struct commit_request *request,
                                            const struct wire_answer *answered);

/* Queue a payment whose issuer is to be asked: booked as asked, then asked, then answered with what
 * comes of it; a repeat of one that is being asked gets the same answer. question:
 * gateway_question; copied. */
TP_MUST_CHECK enum tp_err committer_ask(struct committer *c, const struct commit_request *request,
                                        const char *issuer, struct span question);

/* Queue a payment whose issuer is being asked already, or cannot be asked now: it is answered as
 * the first of its repeats, which may still be in the queue; `otherwise` when there is none. tx
 * needs what ledger_look does. */
TP_MUST_CHECK enum tp_err committer_wait(struct committer *c, const struct commit_request *request,
                                         const struct wire_answer *otherwise);

struct gateway *committer_gateway(struct committer *c);

/* The books the thread writes, for fault tests while nothing is under way. */
struct ledger *committer_books(struct committer *c);

#endif
