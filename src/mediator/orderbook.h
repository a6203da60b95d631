/* The mediator's books: the services that sell through it, and every order from its request to its
 * end. Used by one thread. Errors are those of store/db.h. */
#ifndef TP_MEDIATOR_ORDERBOOK_H
#define TP_MEDIATOR_ORDERBOOK_H

#include <time.h>

#include "store/db.h"

#define BOOK_FILE         "mediator.db"
#define BOOK_ORDER_ID     27 /* 26 characters of base32 (RFC 4648), small letters */
#define BOOK_NAME_MAX     33
#define BOOK_ACQUIRER_MAX 17
#define BOOK_CONTRACT_MAX 16
#define BOOK_TERMINAL_MAX 9
#define BOOK_TARGET_MAX   2049 /* path, query, address */
#define BOOK_CLAIM        16
#define BOOK_CREDENTIAL   32
#define BOOK_SESSION      32
#define BOOK_WHY_MAX      200
#define BOOK_MEANS_MAX    8 /* that an order may be paid by */
#define BOOK_SOLD_UNDER   4 /* contracts of a service; each of a purse is two means */
#define BOOK_REFERENCE    56
#define BOOK_RIVALS_MAX   32

/* Where an order stands. Whoever restarts goes on from there. */
enum order_state {
    STATE_REQUESTED = 1, /* its challenge has left; nothing was signed */
    STATE_CLAIMED,       /* a payer device has taken it */
    STATE_SUBMITTING,    /* a transaction may have left for the acquirer */
    STATE_UNKNOWN,       /* it was not answered in time, and is asked about again */
    STATE_APPROVED,      /* the issuer approved; the card has yet to have its last word */
    STATE_ACKNOWLEDGED,  /* paid; to be delivered */
    STATE_DELIVERED,     /* paid and delivered */
    STATE_REVERSING,     /* to be given back: `why` */
    STATE_REVERSED,      /* given back */
    STATE_OWED           /* could not be reversed: a credit is due */
};
const char *order_state_name(enum order_state s);
/* False when there is no such state. */
bool order_state_find(enum order_state *out, const char *name);

enum delivery { DELIVERY_NETWORK = 1, DELIVERY_SHIPPED, DELIVERY_INCLUDED };
const char *delivery_name(enum delivery d); /* as the order has it */

/* By what an order is paid. */
enum means { MEANS_EMV = 1, MEANS_PURSE, MEANS_VOUCHER /* of a purse's session */ };
const char *means_method(enum means m); /* as challenges and orders have it; "" for none */
const char *means_intent(enum means m);
const char *means_name(enum means m); /* for people, each another */

struct orderbook_order {
    char id[BOOK_ORDER_ID];
    char service[BOOK_NAME_MAX];
    int64_t made, valid_until; /* seconds since 1970 UTC */
    enum order_state state;
    int64_t since; /* it is in that state */
    char method[17], path[BOOK_TARGET_MAX], query[BOOK_TARGET_MAX], url[BOOK_TARGET_MAX];
    char digest[64]; /* of the demand's body (RFC 9530); "": none */
    char item[801], merchant[401];
    int64_t amount; /* minor units */
    uint16_t currency;
    enum delivery delivery;
    bool claimed;
    uint8_t claim[BOOK_CLAIM];
    char code[8];     /* short, for people to compare; "": not claimed */
    uint32_t attempt; /* the one that pays; before that the one that was made last */
    char why[BOOK_WHY_MAX];
    bool has_session;
    uint8_t session[BOOK_SESSION]; /* SHA-256 of what its browser was given */
    enum means means; /* by which it pays or was paid; 0: nothing did yet. Of orderbook_order_each
                         alone */
};

enum outcome { OUTCOME_NONE, OUTCOME_YES, OUTCOME_NO, OUTCOME_VAIN /* nothing was decided */ };

/* Of what pays beside the attempt that paid its order: it is given back. */
enum surplus { SURPLUS_NONE, SURPLUS_BACK, SURPLUS_GIVEN, SURPLUS_OWED /* a credit is due */ };

/* One challenge of an order, under one contract, and what came of it. Of those at the same place
 * the newest can be paid. */
struct orderbook_attempt { /* begins as {0}; orderbook_attempt_free */
    char order[BOOK_ORDER_ID];
    uint32_t n;
    uint32_t place; /* of its contract among the service's, from 1 */
    enum means means;
    char acquirer[BOOK_ACQUIRER_MAX], contract[BOOK_CONTRACT_MAX];
    char challenge_id[48];
    char terminal[BOOK_TERMINAL_MAX]; /* of a card's payment, as its number; "", 0: not by card */
    uint32_t stan;
    int64_t local_time; /* YYYYMMDDhhmmss */
    int64_t sent;       /* DE 7; 0: nothing was submitted */
    bool used;          /* a credential came */
    uint8_t credential[BOOK_CREDENTIAL];
    enum outcome outcome;
    char code[3], reason[26], rrn[BOOK_REFERENCE]; /* DE 39, 44, 37 */
    uint32_t reversal_stan;                        /* 0: none */
    enum surplus surplus;
    char session[BOOK_ORDER_ID]; /* that its voucher draws from; "": none */
    char *challenge;             /* JSON of its wire strings; as all below the attempt's */
    char *pays;                  /* sealed transaction, statement of a purse, voucher; NULL: none */
    char *beside;                /* the device's statement, a purse's provision; NULL: none */
    char *acknowledgement;       /* the acquirer's, of a voucher the mediator's own; NULL: none */
    char *answer;                /* the acquirer's to the payer; a purse's word of a provision */
};
void orderbook_attempt_free(struct orderbook_attempt *a);

struct orderbook;
extern const struct db_schema mediator_schema;

/* Makes the books of a new folder: in its file, or where url says. */
TP_MUST_CHECK enum tp_err orderbook_make(const char *dir, const char *url, struct tp_error *e);
TP_MUST_CHECK enum tp_err orderbook_open(struct orderbook **out, const char *dir,
                                         struct tp_error *e);
void orderbook_close(struct orderbook **b);
TP_MUST_CHECK enum tp_err orderbook_begin(struct orderbook *b, struct tp_error *e);
TP_MUST_CHECK enum tp_err orderbook_commit(struct orderbook *b, struct tp_error *e);
void orderbook_rollback(struct orderbook *b);
/* Its connection, for what else lies in the same books. */
struct db *orderbook_db(struct orderbook *b);

/* ---- services ---- */

struct orderbook_service {
    char name[BOOK_NAME_MAX];
    char contract[BOOK_SOLD_UNDER][BOOK_CONTRACT_MAX]; /* in the order in which they are offered */
    size_t contracts;
    int64_t added, closed; /* 0: open */
};
/* name and contracts; both within a transaction. One that is there already changes: it sells, again
 * if it was closed, under these contracts. */
TP_MUST_CHECK enum tp_err orderbook_service_add(struct orderbook *b,
                                                const struct orderbook_service *s,
                                                struct tp_error *e);
TP_MUST_CHECK enum tp_err orderbook_service_change(struct orderbook *b,
                                                   const struct orderbook_service *s,
                                                   struct tp_error *e);
TP_MUST_CHECK enum tp_err orderbook_service_close(struct orderbook *b, const char *name,
                                                  struct tp_error *e);
typedef enum tp_err orderbook_service_visit(void *ctx, const struct orderbook_service *s,
                                            struct tp_error *e);
TP_MUST_CHECK enum tp_err orderbook_service_each(struct orderbook *b,
                                                 orderbook_service_visit *visit, void *ctx,
                                                 struct tp_error *e);

/* ---- orders ---- */

/* Without an attempt. */
TP_MUST_CHECK enum tp_err orderbook_order_add(struct orderbook *b, const struct orderbook_order *o,
                                              struct span quote, struct tp_error *e);
TP_MUST_CHECK enum tp_err orderbook_order_get(struct orderbook *b, const char *id,
                                              struct orderbook_order *out, bool *found,
                                              struct tp_error *e);
/* The newest of that browser for that resource, made since then. */
TP_MUST_CHECK enum tp_err orderbook_order_find(struct orderbook *b,
                                               const struct orderbook_order *asked, int64_t since,
                                               struct orderbook_order *out, bool *found,
                                               struct tp_error *e);
/* The quote as its service gave it (free()). */
TP_MUST_CHECK enum tp_err orderbook_quote_get(struct orderbook *b, const char *id, char **out,
                                              struct tp_error *e);
/* State, since, why and attempt; state, since, claim (none where it is not claimed) and code. */
TP_MUST_CHECK enum tp_err orderbook_order_move(struct orderbook *b, const struct orderbook_order *o,
                                               struct tp_error *e);
TP_MUST_CHECK enum tp_err orderbook_order_claim(struct orderbook *b,
                                                const struct orderbook_order *o,
                                                struct tp_error *e);
typedef enum tp_err orderbook_order_visit(void *ctx, const struct orderbook_order *o,
                                          struct tp_error *e);
/* In the order in which they were made; state 0: all. */
TP_MUST_CHECK enum tp_err orderbook_order_each(struct orderbook *b, unsigned state,
                                               orderbook_order_visit *visit, void *ctx,
                                               struct tp_error *e);
/* The ids of those that somebody has to go on with. */
typedef enum tp_err orderbook_id_visit(void *ctx, const char *id, struct tp_error *e);
TP_MUST_CHECK enum tp_err orderbook_order_open_each(struct orderbook *b, orderbook_id_visit *visit,
                                                    void *ctx, struct tp_error *e);
/* Forgets those that were over before and for which nothing was ever submitted; at most so many,
 * and how many they were. Their numbers are told, to be given back once that is durable: of each
 * order BOOK_SOLD_UNDER at most. */
struct orderbook_number {
    char contract[BOOK_CONTRACT_MAX];
    int day;
    uint32_t stan;
};
typedef enum tp_err orderbook_number_visit(void *ctx, const struct orderbook_number *n,
                                           struct tp_error *e);
TP_MUST_CHECK enum tp_err orderbook_order_forget(struct orderbook *b, size_t *forgotten,
                                                 int64_t before, size_t most,
                                                 orderbook_number_visit *freed, void *ctx,
                                                 struct tp_error *e);

struct orderbook_count {
    enum order_state state;
    enum means means; /* 0: nothing was submitted */
    int64_t n, amount;
    int64_t oldest; /* the first `since` of them */
    uint16_t currency;
};
typedef enum tp_err orderbook_count_visit(void *ctx, const struct orderbook_count *c,
                                          struct tp_error *e);
TP_MUST_CHECK enum tp_err orderbook_order_count(struct orderbook *b, orderbook_count_visit *visit,
                                                void *ctx, struct tp_error *e);

/* ---- attempts ---- */

TP_MUST_CHECK enum tp_err orderbook_attempt_add(struct orderbook *b,
                                                const struct orderbook_attempt *a,
                                                struct tp_error *e);
/* By its number, or by the id of its challenge. */
TP_MUST_CHECK enum tp_err orderbook_attempt_get(struct orderbook *b, const char *order, uint32_t n,
                                                struct orderbook_attempt *out, bool *found,
                                                struct tp_error *e);
TP_MUST_CHECK enum tp_err orderbook_attempt_find(struct orderbook *b, const char *challenge_id,
                                                 struct orderbook_attempt *out, bool *found,
                                                 struct tp_error *e);
/* Those that can be paid, in the order of their places: of each the newest, if no credential came
 * for it. */
TP_MUST_CHECK enum tp_err orderbook_attempt_payable(struct orderbook *b, const char *order,
                                                    struct orderbook_attempt out[BOOK_MEANS_MAX],
                                                    size_t *n, struct tp_error *e);
/* The number of the last one. */
TP_MUST_CHECK enum tp_err orderbook_attempt_last(struct orderbook *b, const char *order,
                                                 uint32_t *n, struct tp_error *e);
/* What pays: credential, pays, beside, sent. */
TP_MUST_CHECK enum tp_err orderbook_attempt_submit(struct orderbook *b,
                                                   const struct orderbook_attempt *a,
                                                   struct tp_error *e);
/* Outcome, code, reason, rrn, acknowledgement, answer. */
TP_MUST_CHECK enum tp_err orderbook_attempt_answer(struct orderbook *b,
                                                   const struct orderbook_attempt *a,
                                                   struct tp_error *e);
/* The number of its reversal, which that day has given (YYYYMMDD). */
TP_MUST_CHECK enum tp_err orderbook_attempt_reverse(struct orderbook *b,
                                                    const struct orderbook_attempt *a, int day,
                                                    struct tp_error *e);
/* Its surplus. */
TP_MUST_CHECK enum tp_err orderbook_attempt_surplus(struct orderbook *b,
                                                    const struct orderbook_attempt *a,
                                                    struct tp_error *e);
/* The numbers of those that pay, or may yet, where nobody knows that this one did: at other
 * acquirers, and of payments and vouchers at the same purse. */
TP_MUST_CHECK enum tp_err orderbook_attempt_rivals(struct orderbook *b,
                                                   const struct orderbook_attempt *paid,
                                                   uint32_t out[BOOK_RIVALS_MAX], size_t *n,
                                                   struct tp_error *e);
/* All whose surplus is SURPLUS_BACK. */
typedef enum tp_err orderbook_surplus_visit(void *ctx, const char *order, uint32_t n,
                                            struct tp_error *e);
TP_MUST_CHECK enum tp_err orderbook_surplus_each(struct orderbook *b,
                                                 orderbook_surplus_visit *visit, void *ctx,
                                                 struct tp_error *e);
/* ---- sessions of purses ---- */

enum session_state {
    SESSION_OPEN = 1, /* vouchers are taken */
    SESSION_ENDING,   /* what they come to is presented to the purse */
    SESSION_ENDED     /* and the rest of the provision is free */
};

struct orderbook_session {
    char id[BOOK_ORDER_ID], acquirer[BOOK_ACQUIRER_MAX], account[48];
    uint8_t key[32];
    uint16_t currency;
    int64_t amount, until;
    enum session_state state;
    int64_t touched; /* the last voucher came */
};

struct orderbook_drawn { /* of a session, under one contract */
    char session[BOOK_ORDER_ID], contract[BOOK_CONTRACT_MAX];
    int64_t total, number;         /* of the last voucher */
    int64_t given_back, presented; /* of the total: not delivered; said to the purse */
    char *voucher;                 /* free() */
};

/* Once; acknowledgement: the purse's, of the provision. */
TP_MUST_CHECK enum tp_err orderbook_session_add(struct orderbook *b,
                                                const struct orderbook_session *s,
                                                const char *acknowledgement, struct tp_error *e);
TP_MUST_CHECK enum tp_err orderbook_session_get(struct orderbook *b, const char *id,
                                                struct orderbook_session *out, bool *found,
                                                struct tp_error *e);
/* State and touched. */
TP_MUST_CHECK enum tp_err orderbook_session_move(struct orderbook *b,
                                                 const struct orderbook_session *s,
                                                 struct tp_error *e);
/* Those that are ending, and those open that nothing came for since `silent`, or that end before
 * `until`. */
TP_MUST_CHECK enum tp_err orderbook_session_due(struct orderbook *b, int64_t silent, int64_t until,
                                                orderbook_id_visit *visit, void *ctx,
                                                struct tp_error *e);
/* Whether an order that a voucher of it paid is not delivered yet. */
TP_MUST_CHECK enum tp_err orderbook_session_busy(struct orderbook *b, const char *id, bool *busy,
                                                 struct tp_error *e);
/* What was drawn under that contract, zeros where nothing was; and under all. */
TP_MUST_CHECK enum tp_err orderbook_drawn_get(struct orderbook *b, const char *session,
                                              const char *contract, struct orderbook_drawn *out,
                                              int64_t *all, struct tp_error *e);
/* The next that is to be presented: its total less what was given back is more than the purse
 * knows. By the contracts after that one, then again from the first. */
TP_MUST_CHECK enum tp_err orderbook_drawn_next(struct orderbook *b, const char *session,
                                               const char *after, struct orderbook_drawn *out,
                                               bool *found, struct tp_error *e);
/* A voucher more; what is given back; what the purse knows. */
TP_MUST_CHECK enum tp_err orderbook_drawn_put(struct orderbook *b, const struct orderbook_drawn *d,
                                              struct tp_error *e);
TP_MUST_CHECK enum tp_err orderbook_drawn_give_back(struct orderbook *b, const char *session,
                                                    const char *contract, int64_t amount,
                                                    struct tp_error *e);
TP_MUST_CHECK enum tp_err orderbook_drawn_presented(struct orderbook *b, const char *session,
                                                    const char *contract, int64_t presented,
                                                    struct tp_error *e);

/* The numbers that a day has given, of orders and of reversals; and those of other days about which
 * an acquirer is still asked, since its answers are known by them. */
typedef enum tp_err orderbook_stan_visit(void *ctx, const char *contract, uint32_t stan,
                                         struct tp_error *e);
TP_MUST_CHECK enum tp_err orderbook_stan_each(struct orderbook *b, int day,
                                              orderbook_stan_visit *visit, void *ctx,
                                              struct tp_error *e);

#endif
