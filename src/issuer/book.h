/* The issuer's books (issuer.db, or a database server's): acquirers, accounts, authorisations with
 * what they reserve, reversals, issuer scripts. One thread a handle. What must never be is refused
 * by the schema itself (schema.c). */
#ifndef TP_ISSUER_BOOK_H
#define TP_ISSUER_BOOK_H

#include <time.h>

#include "base/mask.h"
#include "base/money.h"
#include "crypto/iad.h"
#include "crypto/seal.h"
#include "wire/answer.h"

#define ACQUIRER_ID_MAX 12 /* DE 32: 1 to 11 digits */
#define BOOK_RRN_MAX    13 /* DE 37 */
#define BOOK_SEALED_MAX 512
#define BOOK_WHAT_MAX   24

struct book;
extern const struct db_schema issuer_schema; /* store/schema.h */

#define ISSUER_BOOKS "issuer.db"

TP_MUST_CHECK enum tp_err book_make(const char *where, struct tp_error *e); /* TP_ERR_EXISTS */
TP_MUST_CHECK enum tp_err book_open(struct book **out, const char *where, struct tp_error *e);
void book_close(struct book **b);

/* One transaction over several calls; each call makes its own otherwise. */
TP_MUST_CHECK enum tp_err book_begin(struct book *b, struct tp_error *e);
TP_MUST_CHECK enum tp_err book_commit(struct book *b, struct tp_error *e);
/* Within one: writes what changes nothing, so that the commit says whether the books can be
 * written. */
TP_MUST_CHECK enum tp_err book_touch(struct book *b, struct tp_error *e);
void book_rollback(struct book *b);

/* ---- acquirers ---- */

struct acquirer {
    int64_t key; /* the row */
    char id[ACQUIRER_ID_MAX];
    bool open;
    time_t added;
};
TP_MUST_CHECK enum tp_err book_acquirer_add(struct book *b, const char *id,
                                            struct tp_error *e); /* TP_ERR_EXISTS */
TP_MUST_CHECK enum tp_err book_acquirer_get(struct book *b, const char *id, struct acquirer *out,
                                            struct tp_error *e);
TP_MUST_CHECK enum tp_err book_acquirer_close(struct book *b, const char *id, struct tp_error *e);
TP_MUST_CHECK enum tp_err book_acquirer_each(
    struct book *b, enum tp_err (*visit)(void *ctx, const struct acquirer *a, struct tp_error *e),
    void *ctx, struct tp_error *e);

/* ---- accounts ---- */

enum account_status {
    ACCOUNT_OPEN,
    ACCOUNT_BLOCKED,
    ACCOUNT_LOST,
    ACCOUNT_STOLEN,
    ACCOUNT_STATUSES
};
extern const char *const account_status_name[ACCOUNT_STATUSES];

struct account { /* one card of one cardholder */
    int64_t key;
    uint8_t lookup[SEAL_LOOKUP];
    unsigned psn;
    char masked[PAN_TEXT_MAX];
    int expiry; /* last day, YYYYMMDD */
    enum emv_cvn cvn;
    unsigned arpc; /* method 1 or 2 */
    uint16_t currency;
    int64_t balance, reserved, ceiling,
        day_ceiling; /* minor units; reserved by approvals that were not reversed */
    enum account_status status;
    uint16_t atc; /* the highest seen */
    time_t added;
};

/* sealed: the card number under context "account" (crypto/seal.h). TP_ERR_EXISTS. */
TP_MUST_CHECK enum tp_err book_account_add(struct book *b, struct account *a, struct span sealed,
                                           struct tp_error *e);
TP_MUST_CHECK enum tp_err book_account_find(struct book *b, const uint8_t lookup[SEAL_LOOKUP],
                                            unsigned psn, struct account *out, struct tp_error *e);
TP_MUST_CHECK enum tp_err book_account_set_status(struct book *b, int64_t account,
                                                  enum account_status status, struct tp_error *e);
/* Balance, ceilings and counter as in a. TP_ERR_RANGE: less than what is reserved; TP_ERR_STATE:
 * the counter would go back. */
TP_MUST_CHECK enum tp_err book_account_set(struct book *b, const struct account *a,
                                           struct tp_error *e);
/* The counter of an account is at least atc. */
TP_MUST_CHECK enum tp_err book_account_seen(struct book *b, int64_t account, uint16_t atc,
                                            struct tp_error *e);
TP_MUST_CHECK enum tp_err book_account_each(struct book *b,
                                            enum tp_err (*visit)(void *ctx, const struct account *a,
                                                                 struct tp_error *e),
                                            void *ctx, struct tp_error *e);

/* ---- authorisations ---- */

struct authorisation {
    int64_t key, acquirer, account;    /* account 0: none */
    char acquirer_id[ACQUIRER_ID_MAX]; /* when read */
    char rrn[BOOK_RRN_MAX];
    uint8_t digest[32]; /* of what was asked, to know the same again */
    char masked[PAN_TEXT_MAX];
    bool credit;
    int64_t amount;
    uint16_t currency, atc;
    enum emv_ac_type ac;       /* what the card made; EMV_AC_NONE: nothing that is proved to be this
                                  card's and of now */
    struct wire_answer answer; /* its reason is for the operator, and is not sent */
    int64_t reserved;
    int day;
    time_t at;
    bool reversed; /* when read */
};

TP_MUST_CHECK enum tp_err book_authorisation_find(struct book *b, int64_t acquirer, const char *rrn,
                                                  struct authorisation *out, struct tp_error *e);
/* Keeps it and reserves; sets key. The answer is given apart by book_authorisation_add's caller
 * before: all of a. */
TP_MUST_CHECK enum tp_err book_authorisation_add(struct book *b, struct authorisation *a,
                                                 struct tp_error *e);
/* The number the next one gets, from which its approval code is made. */
TP_MUST_CHECK enum tp_err book_authorisation_next(struct book *b, int64_t *key, struct tp_error *e);
/* *is_free: a TC may come under that counter of a card: nothing that the card made did yet, or
 * ARQCs alone, or TCs of that acquirer (who asks about a TC again that it got no answer for), and
 * all of them are reversed. */
TP_MUST_CHECK enum tp_err book_counter_free(struct book *b, int64_t account, uint16_t atc,
                                            int64_t acquirer, bool *is_free, struct tp_error *e);
/* What an account was promised by credits on a day and not released. */
TP_MUST_CHECK enum tp_err book_credited_on(struct book *b, int64_t account, int day, int64_t *sum,
                                           struct tp_error *e);
/* What an account has reserved on a day and not released. */
TP_MUST_CHECK enum tp_err book_reserved_on(struct book *b, int64_t account, int day, int64_t *sum,
                                           struct tp_error *e);
TP_MUST_CHECK enum tp_err book_authorisation_each(
    struct book *b, int day,
    enum tp_err (*visit)(void *ctx, const struct authorisation *a, struct tp_error *e), void *ctx,
    struct tp_error *e); /* day 0: all */

/* Whether one stands under that number, whatever it released. */
TP_MUST_CHECK enum tp_err book_reversal_find(struct book *b, int64_t acquirer, const char *rrn,
                                             bool *there, struct tp_error *e);
/* Releases what the authorisation of that number reserved, or is remembered until it comes.
 * authorisation 0: none yet. */
TP_MUST_CHECK enum tp_err book_reversal_add(struct book *b, int64_t acquirer, const char *rrn,
                                            int64_t authorisation, struct tp_error *e);

/* ---- scripts ---- */

enum script_state {
    SCRIPT_QUEUED,
    SCRIPT_DELIVERED,
    SCRIPT_DONE,
    SCRIPT_FAILED,
    SCRIPT_NOT_DONE,
    SCRIPT_STATES
};
extern const char *const script_state_name[SCRIPT_STATES];

struct script {
    uint32_t id; /* 9F18 */
    int64_t account;
    char masked[PAN_TEXT_MAX]; /* when read */
    char what[BOOK_WHAT_MAX];  /* "change-pin" */
    uint8_t head[4];           /* CLA INS P1 P2 of the plain command */
    uint8_t sealed[BOOK_SEALED_MAX];
    size_t sealed_n; /* 0: no data */
    bool encipher;
    uint8_t template; /* 0x71, 0x72 */
    enum script_state state;
    unsigned deliveries;
    time_t queued, delivered, settled; /* delivered: the last time */
};
typedef enum tp_err script_visit(void *ctx, const struct script *s, struct tp_error *e);

TP_MUST_CHECK enum tp_err book_script_queue(struct book *b, struct script *s,
                                            struct tp_error *e); /* sets id */
/* An account's scripts in that state, by template and age. */
TP_MUST_CHECK enum tp_err book_script_of(struct book *b, int64_t account, enum script_state state,
                                         script_visit *visit, void *ctx, struct tp_error *e);
TP_MUST_CHECK enum tp_err book_script_each(struct book *b, script_visit *visit, void *ctx,
                                           struct tp_error *e);
TP_MUST_CHECK enum tp_err book_script_delivered(struct book *b, uint32_t id, int64_t authorisation,
                                                struct tp_error *e);
/* The end of one that was delivered: done, failed or not done. Its data are erased. */
TP_MUST_CHECK enum tp_err book_script_settle(struct book *b, uint32_t id, enum script_state state,
                                             struct tp_error *e);
/* One that was delivered waits again. */
TP_MUST_CHECK enum tp_err book_script_again(struct book *b, uint32_t id, struct tp_error *e);

#endif
