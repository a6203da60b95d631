/* A visit: one HTTP call, from its head to its answer. */
#ifndef TP_MEDIATOR_VISIT_H
#define TP_MEDIATOR_VISIT_H

#include "mediator/identity.h"
#include "mediator/mediator_priv.h"
#include "mediator/page.h"
#include "wire/payment_credential.h"
#include "wire/payment_problem.h"

#define SESSION_COOKIE "__Host-telepay-session" /* base64url of 16 random bytes, of a browser */

enum visit_kind {
    VISIT_NONE,
    VISIT_DEMAND,     /* A, without a credential */
    VISIT_PAY,        /* A, with one */
    VISIT_PAYMENT,    /* E as a body */
    VISIT_LOOK,       /* where it stands */
    VISIT_CLAIM,      /* a payer device takes it */
    VISIT_RELEASE,    /* and gives it back */
    VISIT_COMPLETION, /* what the card's last word was */
    VISIT_DELIVERY,   /* K, once more */
    VISIT_NEXT,       /* a further unit of a stream is demanded */
    VISIT_BILLS,      /* what somebody owes */
    VISIT_SESSION,    /* a purse's holder ends a session */
    VISIT_CARD        /* what a card signed says who asks: id is the request's, credential the
                         SHA-256 of what was sealed */
};

struct visit {
    TAILQ_ENTRY(visit) next; /* of those that wait */
    struct mediator *m;
    struct http_call *call;
    enum visit_kind kind;
    const struct reg_service *service;
    struct orderbook_order asked; /* of a demand: what there is before its quote */
    char id[BOOK_ORDER_ID];
    uint8_t credential[BOOK_CREDENTIAL];
    uint32_t n;            /* the attempt that it pays; 0: not known yet */
    enum order_state seen; /* VISIT_LOOK: what is waited to end; 0: none yet */
    unsigned problem;      /* VISIT_DEMAND: with which type of problem it is asked for money */
    const char *detail;    /* and with which words, which last as long as the visit */
    char fault[480];       /* a credential's, in words */
    const char *header;    /* what asks for a credential in another field (PAYMENT_HEADER), since
                              Authorization has something else; NULL: Authorization is free */
    int64_t until;         /* it waits no longer, monotonic ms */
    bool html;             /* a browser: it gets pages */
    enum page_language language;
    struct identity who; /* of a demand: who asks */
    char cookie[32];     /* that it is given now; "": none */
    bool streaming;      /* its stream was asked for */
    bool last;           /* it waited long enough: what the books say now is its answer */
};

struct visit *visit_new(struct mediator *m, struct http_call *call);

/* What the books say of its order (keeper's thread): answers, or lets it wait. */
void visit_found(struct visit *v, struct job *j);
/* The same of a session. */
void visit_session(struct visit *v, const struct job *j);
/* The order moved: those who wait for it are answered where that answers them. */
void visits_wake(struct mediator *m, struct job *j);
/* Its network demands too much, and is told so. */
bool visit_is_too_much(struct visit *v);
/* Its service is asked for a quote, unless that is so. */
void visit_demand(struct visit *v);
/* The service has spoken (client's thread; visit_sale.c). */
void visit_quoted(struct visit *v, const struct http_said *said);
void visit_given(struct visit *v, const struct http_said *said);
/* What was paid does not come now; `final`: it is given back, which who asked waits for. */
void visit_undelivered(struct visit *v, bool final);
/* Whether it said what was asked for; else the visit is told so, and over. */
bool visit_answered(struct visit *v, const struct http_said *said);
void visit_delivered(struct visit *v, const struct orderbook_order *o,
                     const struct orderbook_attempt *a, struct content *c);
/* The next unit of a stream is asked to be paid, at the price at which it began. */
void visit_next(struct visit *v, const struct move *m);
/* Those that waited long enough are told where it stands. */
void visits_expire(struct mediator *m, int64_t now);
/* At the end: nobody waits any more. */
void visits_end(struct mediator *m);
/* It is answered, and may be gone at once; it waits for what becomes of its order, so long. */
void visit_end(struct visit *v);
void visit_wait(struct visit *v, int seconds);
/* The books cannot be asked. */
void visit_unbooked(struct visit *v);
/* A browser is known again by a number that it was given; it gets one where it has none. */
void visit_session_read(struct visit *v);
/* What the call is about (visit_route.c), once it is whole. */
void visit_begin(struct visit *v);

/* The body of what brings a letter, {"letter": JWS}: the text (free()). TP_ERR_FORMAT. */
TP_MUST_CHECK enum tp_err visit_letter(char **jws, struct span body, struct tp_error *e);
/* /orders/ID/dispute (visit_dispute.c): as it stands; a letter of who pays. */
void visit_dispute_look(struct visit *v);
void visit_dispute_take(struct visit *v);

/* A service wants to know who asks: 401, and how who does can say it. On the client's thread. */
void visit_identify(struct visit *v, const char *reason, bool by_card);
/* Whether it says so already: its user (visit_identity.c). */
void visit_identity_read(struct visit *v);
/* /identity/ID */
void visit_identity(struct visit *v, const char *rest);
/* An acquirer answered whose card it is (line's thread); code is not "00": it does not take it. */
struct card_said {
    const char *id, *contract;       /* of the request, under which it was asked */
    const uint8_t *request, *sealed; /* hashes of what it was asked */
    const struct reg_acquirer *acquirer;
    const char *code, *reason;
    struct span card; /* LETTER_CARD; empty: none */
};
void visit_card_said(struct mediator *m, const struct card_said *said);
/* It waits for that. */
void visit_wait_card(struct visit *v);
/* Those that wait for that are told, each by `say`, which is all there is to say. */
void visits_told(struct mediator *m, const char *id, const uint8_t sealed[LETTER_HASH],
                 void (*say)(struct visit *v, const void *what), const void *what);

/* /bills/SERVICE (visit_bills.c): what who asks owes; the service has spoken (client's thread). */
void visit_bills(struct visit *v, const char *rest);
void visit_billed(struct visit *v, const struct http_said *said);

#endif
