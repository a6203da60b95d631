/* D: what is demanded, held to what the user trusts before a card is asked for anything: the
 * challenge, the order within it, to whom the payment is sealed. */
#ifndef TP_PAYER_DEMAND_H
#define TP_PAYER_DEMAND_H

#include "base/money.h"
#include "order/order.h"
#include "payer/authority.h"
#include "wire/payment_challenge.h"

#define DEMAND_CARD    "emv" /* methods of challenges, and means of orders */
#define DEMAND_PURSE   "purse"
#define DEMAND_SESSION "session" /* an intent of purses */
#define DEMAND_ORIGIN  300       /* "https://" host ":" port */

struct demand {                         /* begins as {0} */
    struct payment_challenge challenge; /* its strings are json's */
    json_t *json;
    struct payment_charge charge;
    struct order order;
    const struct authority *authority; /* borrowed: of the authorities */
    struct order_holder sealing; /* of the acquirer: what the card says is sealed to its key; of a
                                    card alone */
    uint8_t r[PAYMENT_R];
    int64_t amount;
    const struct currency *currency;
    int64_t parameters;         /* the version of those that the mediator has; 0: not said */
    char origin[DEMAND_ORIGIN]; /* of the order's resource: where it is paid */
};

/* Whether the offer is one that this device could pay: by that means; NULL: by any. */
bool demand_is_payable(const struct payment_challenge *offer, const char *means);

/* By which means it is to be paid. */
const char *demand_means(const struct demand *d);
bool demand_is_by_purse(const struct demand *d);
bool demand_is_in_session(const struct demand *d); /* by a voucher of the purse */

/* Verifies the challenge, by the clock `at`: its order is of one of the authorities, valid and not
 * another than the request says; to be paid by the challenge's means, up to the order's own ceiling
 * for it; by card: sealed to a key of that acquirer. TP_ERR_SECURITY, TP_ERR_FORMAT, TP_ERR_RANGE,
 * TP_ERR_TIMEOUT. demand_free after an error too. */
TP_MUST_CHECK enum tp_err demand_read(struct demand *out, const struct payment_challenge *challenge,
                                      const struct authorities *authorities, time_t at,
                                      struct tp_error *e);
void demand_free(struct demand *d);

/* Whether the order is of what was asked for: method, address, and the body's digest. body NULL:
 * there was none. TP_ERR_SECURITY. */
TP_MUST_CHECK enum tp_err demand_is_for(const struct demand *d, const char *method, const char *url,
                                        const struct span *body, struct tp_error *e);

#endif
