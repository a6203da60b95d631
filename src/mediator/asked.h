/* What an acquirer is asked about, of whatever kind it is, and what holds of its answers. */
#ifndef TP_MEDIATOR_ASKED_H
#define TP_MEDIATOR_ASKED_H

#include "base/base64.h"
#include "mediator/moves.h"

struct asked { /* of an attempt, what its acknowledgement has to name */
    char id[BOOK_ORDER_ID], contract[BOOK_CONTRACT_MAX];
    uint32_t n;
    char r[BASE64URL_SIZE(PAYMENT_R)];
    char amount[24], currency[4];
    char payment[BASE64URL_SIZE(32)];   /* of a purse: hash of the statement; "": by card */
    char provision[BASE64URL_SIZE(32)]; /* … of the provision beside it; "": none */
};
TP_MUST_CHECK enum tp_err asked_fill(struct asked *out, const struct orderbook_order *o,
                                     const struct orderbook_attempt *a, struct tp_error *e);

/* What an answer under that code (DE 39) decides. */
enum outcome asked_outcome(const char *code);

/* The acknowledgement of an answer is what payer and service keep: one that does not hold is none.
 * What the acquirer has not looked into it signs nothing of, but a yes. TP_ERR_FORMAT,
 * TP_ERR_SECURITY. */
TP_MUST_CHECK enum tp_err asked_check(const struct asked *k, const struct move *m,
                                      const struct reg_acquirer *acquirer, struct tp_error *e);

#endif
