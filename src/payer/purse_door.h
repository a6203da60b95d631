/* A purse, asked over HTTPS by who has an account there (doc/protocol.md, The purse, Over HTTPS).
 */
#ifndef TP_PAYER_PURSE_DOOR_H
#define TP_PAYER_PURSE_DOOR_H

#include "payer/fetch.h"
#include "payer/purses.h"

#define PURSE_DOOR_CURRENCIES 16

struct purse_about { /* what a purse says of itself */
    char acquirer[PURSES_ID];
    char name[PURSES_NAME];
    const struct currency *currency[PURSE_DOOR_CURRENCIES];
    size_t n;
};

/* TP_ERR_PEER, TP_ERR_TIMEOUT, TP_ERR_SECURITY. url: its origin. */
TP_MUST_CHECK enum tp_err purse_door_about(struct purse_about *out, struct fetch *fetch,
                                           const char *url, struct tp_error *e);

/* Brings a statement to the purse; what it answers with 200 comes out (json_decref). TP_ERR_STATE
 * with its word why not; TP_ERR_SECURITY where that is of a signature; TP_ERR_PEER (also: not now),
 * TP_ERR_TIMEOUT: whether it was taken nobody knows, and the same may be brought again. */
TP_MUST_CHECK enum tp_err purse_door_bring(json_t **out, struct fetch *fetch, const char *url,
                                           const char *path, const char *jws, struct tp_error *e);

struct purse_standing {        /* how an account stands */
    int64_t balance, reserved; /* minor units; what is reserved is not in the balance */
    int64_t counter;           /* the highest that was used */
    char state[16], reason[128];
};

/* Asks it with a question that the account's key signs. The errors of purse_door_bring. */
TP_MUST_CHECK enum tp_err purse_door_standing(struct purse_standing *out, struct fetch *fetch,
                                              const struct purse_account *a,
                                              const struct secret *key, struct tp_error *e);

/* Where a browser finds the account's page, once, within a minute: a key signs for it. The errors
 * of purse_door_bring. */
#define PURSE_DOOR_PAGE (PURSES_URL + 48)
TP_MUST_CHECK enum tp_err purse_door_page(char out[PURSE_DOOR_PAGE], struct fetch *fetch,
                                          const struct purse_account *a, const struct secret *key,
                                          struct tp_error *e);

/* A purse's word for a refusal, as people say it; "" when there is none for it. */
const char *purse_door_reason(const char *reason);

#endif
