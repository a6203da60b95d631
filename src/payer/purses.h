/* The user's accounts at purses, in their journal. An account's key is kept nowhere: it is made of
 * the user's own key (payer/device.h) each time, so that whoever has that key, and its code, has
 * the account, on this device or another. */
#ifndef TP_PAYER_PURSES_H
#define TP_PAYER_PURSES_H

#include <jansson.h>

#include "base/money.h"
#include "base/secret.h"
#include "order/purse.h"
#include "payer/device.h"
#include "payer/journal.h"

#define PURSES_ID   17  /* of an acquirer, with its end */
#define PURSES_URL  300 /* https://host:port */
#define PURSES_NAME 128

struct purse_account {
    char acquirer[PURSES_ID]; /* of the purse: an order names it */
    char url[PURSES_URL];
    char name[PURSES_NAME]; /* as the purse calls itself */
    char account[PURSE_ACCOUNT];
    int64_t currency; /* ISO 4217, its number */
    int64_t number;   /* of its key: purses_key */
    int64_t counter;  /* the last that was taken; 0: none */
};

/* Keeps it, or its new url and name; durable when it returns. The counter never goes back. */
TP_MUST_CHECK enum tp_err purses_put(struct journal *j, const struct purse_account *a,
                                     struct tp_error *e);

/* The one at that acquirer; NULL: the only one there is. TP_ERR_NOT_FOUND, TP_ERR_USAGE. */
TP_MUST_CHECK enum tp_err purses_find(struct purse_account *out, struct journal *j,
                                      const char *acquirer, struct tp_error *e);

/* All, by acquirer. An error of each ends the walk. */
typedef enum tp_err purses_each(void *ctx, const struct purse_account *a, struct tp_error *e);
TP_MUST_CHECK enum tp_err purses_list(struct journal *j, purses_each *each, void *ctx,
                                      struct tp_error *e);

/* The counter of the next statement, durable before it is returned: no two get the same. */
TP_MUST_CHECK enum tp_err purses_next(int64_t *counter, struct journal *j, const char *acquirer,
                                      struct tp_error *e);

/* The secret key of an account: HKDF (RFC 5869) with SHA-256 of d of the user's key, without a
 * salt, of "telepay-purse-1|ACQUIRER|NUMBER". TP_ERR_FORMAT when that key is none. */
TP_MUST_CHECK enum tp_err purses_key(struct secret *out, const json_t *key, const char *acquirer,
                                     int64_t number, struct tp_error *e);

/* The same of this account, by the user's key; their code is asked for where it was not yet. Of
 * device_key. */
TP_MUST_CHECK enum tp_err purses_unlock(struct secret *out, struct device *device,
                                        const struct purse_account *a, struct tp_error *e);

#endif
