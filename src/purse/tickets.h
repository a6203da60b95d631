/* Tickets for an account's page: who has signed for one brings it with a browser, once, within a
 * minute. They are kept in memory alone, so many at most: the oldest goes for a new one. Any
 * thread. */
#ifndef TP_PURSE_TICKETS_H
#define TP_PURSE_TICKETS_H

#include <time.h>

#include "base/base64.h"
#include "order/purse.h"

#define TICKET_BYTES   16
#define TICKET         BASE64URL_SIZE(TICKET_BYTES) /* its text, with its end */
#define TICKET_SECONDS 60
#define TICKETS_MAX    1024

struct tickets;

struct ticket_holder {
    char account[PURSE_ACCOUNT];
    uint8_t key[ED25519_KEY]; /* by which it was signed for */
};

TP_MUST_CHECK enum tp_err tickets_new(struct tickets **out, struct tp_error *e);
void tickets_free(struct tickets **t); /* NULL is fine */

/* A new one: the account's earlier one is good no more. */
TP_MUST_CHECK enum tp_err tickets_give(struct tickets *t, char out[TICKET],
                                       const struct ticket_holder *holder, time_t now,
                                       struct tp_error *e);

/* Whose it is, once; false: none, used, or over. */
bool tickets_take(struct tickets *t, struct ticket_holder *out, const char *ticket, time_t now);

#endif
