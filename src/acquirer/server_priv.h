/* What the server's files share: its threads' own, and a request under way. */
#ifndef TP_ACQUIRER_SERVER_PRIV_H
#define TP_ACQUIRER_SERVER_PRIV_H

#include "acquirer/check.h"
#include "acquirer/mediated.h"
#include "acquirer/server.h"
#include "acquirer/trust.h"
#include "wire/profile.h"

#define THREADS_MAX 64

struct worker { /* what one loop thread works with */
    struct trust trust;
    struct checker checker;
    struct acquirer_keys keys; /* loaded when the first mediator comes */
    struct iso8583 message, answer;
    struct payment payment;
    struct mediated mediated;
};

struct acquirer_server {
    struct link_server *link;
    struct committer *committer;
    struct worker *worker[THREADS_MAX];
    unsigned threads;
};

struct request { /* one message under way */
    struct acquirer_server *server;
    struct worker *worker;
    struct link_peer *peer;
    struct party *party;
    enum profile profile;
    const struct iso8583 *message;
    const struct payer *payer; /* behind a mediator; NULL: none */
    struct echo echo;
};

/* What can be said of a message that went no further: for the log. */
struct tx_record request_known(const struct request *q);

/* Answers with a verdict, and logs; our_fault: 96, with the error in the log. */
void request_answer(struct request *q, enum ledger_verdict verdict, const char *word);
void request_fault(struct request *q, const struct tp_error *e);

/* A payment that was checked, to the books or to its issuer. *later: it is answered when it is
 * durable, or when its issuer has spoken; else *a is the answer. */
TP_MUST_CHECK enum tp_err request_pass_on(struct request *q, enum check_outcome outcome,
                                          struct wire_answer *a, bool *later, struct tp_error *e);

/* Whether the party may ask something under its open contract; else it is answered. */
bool request_is_admitted(struct request *q);

/* Its keys for mediators: made with the first of them, which may be while the server runs. */
TP_MUST_CHECK enum tp_err worker_have_keys(struct worker *w, struct tp_error *e);
/* The authority keys that an operator has added or removed meanwhile. */
void worker_look(struct worker *w, time_t now);

/* 0200 and 0201 of a mediator (server_mediated.c). */
void on_mediated(struct request *q);
/* Its 0600 (server_presence.c). */
void on_presence(struct request *q);

#endif
