/* E and H: an order's credential to the mediator, and what comes back. Whatever is lost on the way,
 * the same credential is sent again, and never another one. */
#ifndef TP_PAYER_SUBMIT_H
#define TP_PAYER_SUBMIT_H

#include "payer/fetch.h"
#include "payer/orders.h"

struct submitter {
    struct fetch *fetch;
    const struct authorities *authorities;
    int patience_s;                   /* how long an answer is asked for */
    bool (*pause)(void *ctx, int ms); /* false: leave it */
    void *ctx;
};

enum submit_outcome {
    SUBMIT_PAID,      /* acknowledged */
    SUBMIT_APPROVED,  /* acknowledged; the card's last word is waited for */
    SUBMIT_REFUSED,   /* by the acquirer, or by the issuer */
    SUBMIT_REVERSED,  /* it was given back */
    SUBMIT_NOT_TAKEN, /* by the mediator: it came to nothing */
    SUBMIT_UNREACHED  /* the mediator did not reach the acquirer: nothing is consumed */
};

struct submit_answer { /* begins as {0} */
    enum submit_outcome outcome;
    struct wire_answer wire; /* of the acquirer, for the card and for people */
    char reference[40];      /* of a voucher that was taken; "" */
    const char *provision;   /* the purse's word of a session (JWS), the order's own; NULL: none */
    char why[200];           /* of what was not taken, as the mediator says it */
    struct payment_offers again; /* challenges of the same order, to sign anew */
};
void submit_answer_free(struct submit_answer *a);

/* The challenges of the answer that f has (wire/payment_challenge.h); errors of the first that is
 * none, after those before it. */
TP_MUST_CHECK enum tp_err submit_offers(struct payment_offers *out, struct fetch *f,
                                        struct tp_error *e);

/* Sends the credential until something is decided; acknowledgement and receipt go to *o, and
 * nothing to the journal. An acknowledgement is held to the order and to the authority.
 * TP_ERR_PEER, TP_ERR_TIMEOUT: what became of it, nobody knows. TP_ERR_SECURITY. */
TP_MUST_CHECK enum tp_err submit_send(const struct submitter *s, struct kept_order *o,
                                      struct submit_answer *a, struct tp_error *e);

/* Tells whether the card completed; SUBMIT_PAID or SUBMIT_REVERSED comes back. The same errors. */
TP_MUST_CHECK enum tp_err submit_complete(const struct submitter *s, struct kept_order *o,
                                          bool completed, struct submit_answer *a,
                                          struct tp_error *e);

/* What an answer makes of an order: its state and its ticket. */
void submit_settle(struct kept_order *o, const struct submit_answer *a);

/* Of an order that is settled, before orders_update says so: whether a session began with it, in
 * the journal. Who dies between asks for the order again, and this changes nothing the second time.
 * What is wrong with that word is told, and undoes no payment. */
void submit_begin(const struct submitter *s, struct journal *j, const struct kept_order *o,
                  const struct submit_answer *a);

/* Sends all that is not settled in the journal, and brings each up there; each one that is settled
 * now is called back. Does nothing while another process has one under way. The first error of one
 * that stays is the error of all. */
typedef void submit_each(void *ctx, const struct kept_order *o);
TP_MUST_CHECK enum tp_err submit_pending(const struct submitter *s, struct journal *j,
                                         submit_each *each, void *ctx, struct tp_error *e);

#endif
