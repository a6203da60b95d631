/* What a demand is answered with: an order, signed, within a challenge of the "Payment" scheme. */
#ifndef TP_MEDIATOR_CHALLENGE_H
#define TP_MEDIATOR_CHALLENGE_H

#include "mediator/registry.h"
#include "wire/payment_challenge.h"

#define CHALLENGE_VALID_S 600 /* at most */

struct issuing {        /* what signs challenges: the mediator's, as long as it serves */
    struct span key;    /* of the ids */
    const char *origin; /* "https://host:8743" */
    const char *realm;
    struct registry *registry;
};

/* A random id: 128 bits in base32. */
void challenge_order_id(char out[BOOK_ORDER_ID]);

/* The next attempt at an order: number, day and time of a card's payment, the order signed anew,
 * the challenge and its id. digest of the quote; header: that of struct payment_challenge;
 * a->order, a->n, a->place, a->contract, and a->means where it is MEANS_VOUCHER, are set by the
 * caller.
 * orderbook_attempt_free. TP_ERR_RANGE (no number left, an amount over the contract's ceiling),
 * TP_ERR_FORMAT (what no order takes, with the member). */
TP_MUST_CHECK enum tp_err challenge_make(struct orderbook_attempt *a,
                                         const struct orderbook_order *o, const uint8_t quote[32],
                                         const char *header, const struct issuing *by,
                                         struct tp_error *e);

/* The strings of an attempt's challenge, which live as long as *owner (json_decref). */
TP_MUST_CHECK enum tp_err challenge_of(struct payment_challenge *out, json_t **owner,
                                       const struct orderbook_attempt *a, struct tp_error *e);
/* The field that it asks for its credential in: PAYMENT_HEADER; NULL: Authorization. */
const char *challenge_header(const struct orderbook_attempt *a);

#endif
