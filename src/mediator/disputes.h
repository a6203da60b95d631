/* The books of disputes: one an order, with the letters that were written about it, as they were
 * signed. They are the mediator's books (mediator/orderbook.h): the same thread, transactions and
 * errors. */
#ifndef TP_MEDIATOR_DISPUTES_H
#define TP_MEDIATOR_DISPUTES_H

#include "mediator/orderbook.h"
#include "order/letter.h"

enum dispute_state {
    DISPUTE_OPEN = 1, /* the merchant's turn */
    DISPUTE_ANSWERED, /* the merchant said its word, and has to decide */
    DISPUTE_ASKED,    /* for evidence: who paid has the turn */
    DISPUTE_SETTLED,  /* what was paid is given back */
    DISPUTE_REFUSED
};
const char *dispute_state_name(enum dispute_state s);
/* False when there is no such state. */
bool dispute_state_find(enum dispute_state *out, const char *name);

struct dispute {
    char order[BOOK_ORDER_ID], contract[BOOK_CONTRACT_MAX];
    char reason[24];
    enum dispute_state state;
    int64_t opened, since, due; /* due: who has the turn is to have used it; 0: nobody has it */
    uint8_t key[LETTER_HASH];   /* thumbprint of the key that opened it */
    /* of the order, as it stands now */
    char service[BOOK_NAME_MAX], item[801];
    int64_t amount;
    uint16_t currency;
    enum order_state paid;
};
bool dispute_is_overdue(const struct dispute *d, int64_t now);

struct dispute_letter {
    int64_t n;
    bool own;     /* the mediator's */
    char act[20]; /* "dispute", "evidence"; of the mediator's: its act */
    uint8_t hash[LETTER_HASH];
    int64_t at;
    struct span jws;
};

TP_MUST_CHECK enum tp_err disputes_get(struct orderbook *b, const char *order, struct dispute *out,
                                       bool *found, struct tp_error *e);
TP_MUST_CHECK enum tp_err disputes_add(struct orderbook *b, const struct dispute *d,
                                       struct tp_error *e);
/* State, since, due. */
TP_MUST_CHECK enum tp_err disputes_move(struct orderbook *b, const struct dispute *d,
                                        struct tp_error *e);
typedef enum tp_err dispute_visit(void *ctx, const struct dispute *d, struct tp_error *e);
/* In the order in which they were opened; state 0: all. */
TP_MUST_CHECK enum tp_err disputes_each(struct orderbook *b, unsigned state, dispute_visit *visit,
                                        void *ctx, struct tp_error *e);
/* The orders of those that are settled and whose payment stands still. */
TP_MUST_CHECK enum tp_err disputes_due_each(struct orderbook *b, orderbook_id_visit *visit,
                                            void *ctx, struct tp_error *e);

struct dispute_count {
    int64_t waiting, overdue; /* of those that are neither settled nor refused */
};
TP_MUST_CHECK enum tp_err disputes_count(struct orderbook *b, int64_t now,
                                         struct dispute_count *out, struct tp_error *e);

/* The next of its dispute: n comes out. jws: a text with its end. */
TP_MUST_CHECK enum tp_err disputes_letter_add(struct orderbook *b, const char *order,
                                              struct dispute_letter *l, struct tp_error *e);
typedef enum tp_err dispute_letter_visit(void *ctx, const struct dispute_letter *l,
                                         struct tp_error *e);
TP_MUST_CHECK enum tp_err disputes_letter_each(struct orderbook *b, const char *order,
                                               dispute_letter_visit *visit, void *ctx,
                                               struct tp_error *e);
/* The last of that side; its jws (free()) where it is asked for. */
TP_MUST_CHECK enum tp_err disputes_letter_last(struct orderbook *b, const char *order, bool own,
                                               struct dispute_letter *out, char **jws, bool *found,
                                               struct tp_error *e);

#endif
