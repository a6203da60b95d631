/* The centre's books: acquirers, the remises they sent and what became of them, item by item
 * (centre.db or a database server's, and seal.key, in the centre's folder). Card numbers lie sealed
 * and masked. One connection, used by one thread. */
#ifndef TP_CENTRE_STORE_H
#define TP_CENTRE_STORE_H

#include "base/mask.h"
#include "centre/signed.h"
#include "wire/caaa.h"

#define CENTRE_BOOKS "centre.db"

struct centre_store;
extern const struct db_schema centre_schema; /* store/schema.h */

struct centre_remise {
    char acquirer[CAAA_ID_MAX];
    char contract[CAAA_ID_MAX];
    uint32_t number;
    uint8_t hash[32]; /* SHA-256 of the document */
    uint64_t bytes;
    const struct currency *currency;
    enum caaa_result result;
    struct caaa_verdict verdict; /* when declined */
    time_t created, answered;
    struct caaa_totals totals; /* accepted; when declined: as counted. The annulled ones are what
                                  the acquirer said */
    uint64_t refused;          /* items */
};

struct centre_item { /* as kept */
    uint32_t sequence;
    char terminal[9], rrn[13], pan_masked[PAN_TEXT_MAX];
    char account[CAAA_ID_MAX];     /* "": by card */
    char refused[CAAA_REASON_MAX]; /* "": accepted */
    uint32_t stan;
    int64_t local_time, amount;
    enum caaa_kind kind;
};

struct centre_contract { /* a contract number with one acquirer */
    char id[CAAA_ID_MAX], acquirer[CAAA_ID_MAX];
    bool held;        /* it is this acquirer's now; else it was */
    time_t changed;   /* when the operator gave or took it; 0: never */
    uint64_t remises; /* that this acquirer sent for it */
    uint32_t last;    /* number of the last */
};

struct centre_alarm {
    time_t at;
    char contract[CAAA_ID_MAX], text[512];
    uint32_t number;
};

/* Makes the books in dir, or where the url says (NULL: in dir; TP_ERR_EXISTS rather than over
 * others), or opens them. */
TP_MUST_CHECK enum tp_err centre_store_make(const char *dir, const char *url, struct tp_error *e);
TP_MUST_CHECK enum tp_err centre_store_open(struct centre_store **out, const char *dir,
                                            struct tp_error *e);
void centre_store_close(struct centre_store **s);

TP_MUST_CHECK enum tp_err centre_acquirer_add(struct centre_store *s, const char *id,
                                              struct tp_error *e);
TP_MUST_CHECK enum tp_err centre_acquirer_known(struct centre_store *s, const char *id, bool *known,
                                                struct tp_error *e);

/* Whose the contract is: the acquirer it was given to, else the first that sent for it; "" when
 * none did. */
TP_MUST_CHECK enum tp_err centre_contract_owner(struct centre_store *s, const char *contract,
                                                char owner[CAAA_ID_MAX], struct tp_error *e);
/* Gives a contract number to an acquirer; `before` is whose it was. What the one before sent stays
 * its own, as does what was answered; the new one numbers its remises from 1. TP_ERR_NOT_FOUND: no
 * such acquirer. */
TP_MUST_CHECK enum tp_err centre_contract_assign(struct centre_store *s, const char *contract,
                                                 const char *acquirer, char before[CAAA_ID_MAX],
                                                 struct tp_error *e);
typedef enum tp_err centre_contract_visit(void *ctx, const struct centre_contract *c,
                                          struct tp_error *e);
TP_MUST_CHECK enum tp_err centre_contract_each(struct centre_store *s, centre_contract_visit *visit,
                                               void *ctx, struct tp_error *e);
/* Number of the last remise of its holder, 0 for none. */
TP_MUST_CHECK enum tp_err centre_last_number(struct centre_store *s, const char *contract,
                                             uint32_t *number, struct tp_error *e);

/* A remise of an acquirer (NULL: of the contract's holder, else of one that held it).
 * TP_ERR_NOT_FOUND. */
TP_MUST_CHECK enum tp_err centre_remise_get(struct centre_store *s, const char *acquirer,
                                            const char *contract, uint32_t number,
                                            struct centre_remise *r, struct tp_error *e);

typedef enum tp_err centre_remise_visit(void *ctx, const struct centre_remise *r,
                                        struct tp_error *e);
typedef enum tp_err centre_item_visit(void *ctx, const struct centre_item *item,
                                      struct tp_error *e);
typedef enum tp_err centre_alarm_visit(void *ctx, const struct centre_alarm *a, struct tp_error *e);
TP_MUST_CHECK enum tp_err centre_remise_each(struct centre_store *s, centre_remise_visit *visit,
                                             void *ctx, struct tp_error *e);
TP_MUST_CHECK enum tp_err centre_item_each(struct centre_store *s, const char *acquirer,
                                           const char *contract, uint32_t number, bool refused_only,
                                           centre_item_visit *visit, void *ctx, struct tp_error *e);
TP_MUST_CHECK enum tp_err centre_alarm_each(struct centre_store *s, centre_alarm_visit *visit,
                                            void *ctx, struct tp_error *e);
TP_MUST_CHECK enum tp_err centre_alarm_add(struct centre_store *s, const char *contract,
                                           uint32_t number, const char *text, struct tp_error *e);

/* Taking a remise in, all of it in one database transaction: begin, open (the row, provisionally),
 * items, settle (its final row), commit. Nothing is kept before the commit; durable when that
 * returns TP_OK. */
TP_MUST_CHECK enum tp_err centre_take_begin(struct centre_store *s, struct tp_error *e);
TP_MUST_CHECK enum tp_err centre_take_open(struct centre_store *s, const struct centre_remise *r,
                                           struct tp_error *e);
TP_MUST_CHECK enum tp_err centre_take_item(struct centre_store *s, const struct caaa_item *item,
                                           const struct signed_item *by, const char *refused,
                                           struct tp_error *e);
TP_MUST_CHECK enum tp_err centre_take_settle(struct centre_store *s, const struct centre_remise *r,
                                             struct tp_error *e);
TP_MUST_CHECK enum tp_err centre_take_commit(struct centre_store *s, struct tp_error *e);
void centre_take_rollback(struct centre_store *s);

/* Whether the item was accepted before: the same transaction (reference number, terminal, local
 * time) of the contract that is being taken; or the same signature, whoever sent that: a card's
 * (its number, PSN, ATC and cryptogram), that of an account's key (by: its counter, or more of a
 * session than its voucher says). */
TP_MUST_CHECK enum tp_err centre_taken_before(struct centre_store *s, const struct caaa_item *item,
                                              const struct signed_item *by, bool *taken,
                                              struct tp_error *e);

/* The item holds the ATC and cryptogram by which a card's payment is known. */
bool centre_signed_by_card(const struct caaa_item *item);

#endif
