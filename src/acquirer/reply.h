/* What a mediator is answered: the fields as a terminal has them, what the acquirer signed of the
 * outcome, and the answer that only the payer device can read. */
#ifndef TP_ACQUIRER_REPLY_H
#define TP_ACQUIRER_REPLY_H

#include <jansson.h>

#include "acquirer/answer.h"
#include "order/certificate.h"
#include "wire/echo.h"

struct payer {          /* whom the mediator speaks for */
    struct echo echo;   /* of the card's message */
    json_t *answer_key; /* a public key (JWK); NULL: none could be read */
};

/* A copy for another thread (payer_free). NULL: no memory, or who is NULL. */
struct payer *payer_copy(const struct payer *who);
void payer_free(struct payer **who);

struct outcome {           /* beside the answer */
    char *acknowledgement; /* JWS (free()); NULL: nothing is decided, or it is not to be signed */
    bool completes;        /* the card has its last word to say */
};
void outcome_clear(struct outcome *o);

/* Signs what the answer decides of an order: its id and R from tx, with contract, amount and
 * currency. *jws: NULL when there is nothing to sign: no order, or an answer that decides nothing
 * (96; 91, unless `asked`: its issuer was, in vain) or that another one outlives (94 IDENTITY). */
TP_MUST_CHECK enum tp_err reply_sign(char **jws, const struct order_key *key,
                                     const struct tx_record *tx, const struct wire_answer *a,
                                     bool asked, time_t at, struct tp_error *e);

/* Sends the answer. payer NULL: it is a terminal, and there is no more to it. */
void reply_send(struct link_peer *peer, const struct echo *echo, const struct payer *payer,
                const struct wire_answer *a, const struct outcome *o);

#endif
