/* Letters in the journal: what its user and a mediator write each other about orders (see
 * order/letter.h). What is written here is kept, durably, before it leaves, and sent again as it
 * is; what a mediator answers is kept once it was verified. */
#ifndef TP_PAYER_LETTERS_H
#define TP_PAYER_LETTERS_H

#include "order/letter.h"
#include "payer/orders.h"

enum letter_state {
    LETTER_TO_SEND,  /* of here; whether the mediator has it, nobody knows */
    LETTER_TAKEN,    /* the mediator has it, or it is the mediator's */
    LETTER_NOT_TAKEN /* it said no */
};

struct kept_letter {
    int64_t id;
    char order[27]; /* or the request that asks who its user is */
    bool own;       /* of who pays */
    char act[20];   /* "dispute", "evidence", "identity"; of a mediator's: its act */
    uint8_t hash[LETTER_HASH];
    int64_t at;
    enum letter_state state;
    struct span jws; /* as long as it is visited */
};

/* Keeps one; what is there already stays as it is. */
TP_MUST_CHECK enum tp_err letters_add(struct journal *j, const struct kept_letter *l,
                                      struct tp_error *e);
TP_MUST_CHECK enum tp_err letters_move(struct journal *j, const uint8_t hash[LETTER_HASH],
                                       enum letter_state state, struct tp_error *e);
typedef enum tp_err letter_visit(void *ctx, const struct kept_letter *l, struct tp_error *e);
/* Of that order, as they were kept. */
TP_MUST_CHECK enum tp_err letters_each(struct journal *j, const char *order, letter_visit *visit,
                                       void *ctx, struct tp_error *e);
/* The first that waits to be sent; its jws (free()), NULL: none. */
TP_MUST_CHECK enum tp_err letters_to_send(struct journal *j, const char *order, char **jws,
                                          struct tp_error *e);
/* The orders about which there are some, the newest first. */
typedef enum tp_err letter_order_visit(void *ctx, const char *order, struct tp_error *e);
TP_MUST_CHECK enum tp_err letters_orders(struct journal *j, letter_order_visit *visit, void *ctx,
                                         struct tp_error *e);

/* The hash of the credential that paid the order, base64url; "": it is of before such were kept. */
TP_MUST_CHECK enum tp_err letters_credential(char out[44], struct journal *j,
                                             const struct kept_order *o, struct tp_error *e);

#endif
