/* What the mediator answers: JSON, problems with a challenge, content with a receipt. Every answer
 * may be read by a script of any origin, since it says nothing to who does not know the order. */
#ifndef TP_MEDIATOR_SAY_H
#define TP_MEDIATOR_SAY_H

#include "mediator/visit.h"

/* What an order can be paid by, in the order in which it is offered. */
struct payables {
    const struct orderbook_attempt *a[BOOK_MEANS_MAX + 1];
    size_t n;
};

struct say_problem {
    enum payment_problem_type type;
    unsigned status;                         /* of PAYMENT_OTHER alone */
    const char *detail;                      /* for people; what to do */
    const char *told;                        /* which words a page has; NULL: its status's */
    const struct orderbook_order *order;     /* NULL: of none */
    const struct payables *payable;          /* their challenges go along; NULL: none */
    const struct orderbook_attempt *refused; /* what the acquirer said of it; NULL: nothing */
    const struct move *known;                /* its sum and number are told; NULL: not */
    unsigned retry_after;                    /* seconds; 0: none */
    int consumed;                            /* -1: not said; 0, 1 */
};
void say_problem(struct visit *v, const struct say_problem *p);
/* One of that status, of no order; 503: to be asked again. */
void say_simple(struct visit *v, unsigned status, const char *detail);

/* An object, which is released. */
void say_json(struct visit *v, unsigned status, json_t *object);
/* The page of an order; true: it was said. */
bool say_page(struct visit *v, unsigned status, const struct orderbook_order *o,
              const struct payables *payable, bool refused);
/* A page of the mediator's own, which is released; false: there is none (NULL). */
bool say_html(struct visit *v, unsigned status, char *page);
void say_text(struct visit *v, unsigned status, const char *type, const char *text);

/* Where the order stands, and with `payable` how it is paid. */
json_t *say_order(const struct orderbook_order *o, const struct payables *payable);

/* Paid: 200. */
void say_paid(struct visit *v, const struct orderbook_order *o, const struct orderbook_attempt *a);
void say_content(struct visit *v, const struct orderbook_order *o,
                 const struct orderbook_attempt *a, struct content *c);
/* What is free is given as it comes; NULL: no memory. */
void say_free(struct visit *v, struct content *c);

void say_preflight(struct visit *v);

#endif
