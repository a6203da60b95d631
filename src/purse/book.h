/* The books of a purse (purse.db or a database server's, in its folder): accounts and their keys,
 * contracts and mediators, payments, what came in and was given back, remises and payouts. One
 * connection, used by one thread. What is not said to be within a transaction has its own. */
#ifndef TP_PURSE_BOOK_H
#define TP_PURSE_BOOK_H

#include <time.h>

#include "base/iban.h"
#include "collect/remise.h"
#include "order/purse.h"
#include "purse/verdict.h"

#define BOOK_FILE      "purse.db"
#define BOOK_ID        17 /* of the purse itself: 16 hex digits */
#define BOOK_CONTRACT  16 /* DE 42 */
#define BOOK_NAME      71
#define BOOK_HOLDER    281 /* of a bank account: 70 characters */
#define BOOK_MEDIATOR  33
#define BOOK_ORDER     27
#define BOOK_REASON    101  /* why an account is stopped: a person's words */
#define BOOK_REFERENCE 36   /* of a transfer: Max35Text */
#define BOOK_PEM       4096 /* of an authority */
#define BOOK_NUMBER    13   /* of a record: 12 digits, as DE 37 */

#define COUNTER_WINDOW 64   /* counters so far behind the highest are too old */
#define REFUSALS_A_DAY 1000 /* of an account, that are kept … */
#define REFUSALS_NEW   10   /* … and of one that nothing ever came into: those are free */
#define EMPTYINGS_MAX                                                                              \
    5 /* of an account that wait for a payout: each is a transfer to be paid for */
#define BOOK_RELEASE_S INT64_C(172800) /* after a provision's time what it holds is free */
#define BOOK_KEYS      100             /* of an account, one after the other */

struct book;
extern const struct db_schema purse_schema; /* store/schema.h */

/* Makes the books in dir, or where the url says (NULL: in dir), and gives the purse its
 * identification; or opens them. */
TP_MUST_CHECK enum tp_err book_make(const char *dir, const char *url, struct tp_error *e);
TP_MUST_CHECK enum tp_err book_open(struct book **out, const char *dir, struct tp_error *e);
void book_close(struct book **b);
TP_MUST_CHECK enum tp_err book_serve_alone(struct book *b, struct tp_error *e); /* store/db.h */
TP_MUST_CHECK enum tp_err book_acquirer(struct book *b, char out[BOOK_ID], struct tp_error *e);

TP_MUST_CHECK enum tp_err book_is_file(struct book *b, struct tp_error *e); /* db_can_copy */
TP_MUST_CHECK enum tp_err book_copy(struct book *b, const char *path, struct tp_error *e);

TP_MUST_CHECK enum tp_err book_begin(struct book *b, struct tp_error *e);
TP_MUST_CHECK enum tp_err book_commit(struct book *b, struct tp_error *e);
void book_rollback(struct book *b);
TP_MUST_CHECK enum tp_err book_begin_read(struct book *b, struct tp_error *e); /* a snapshot */

/* ---- mediators and contracts ---- */

struct book_contract {
    char contract[BOOK_CONTRACT], name[BOOK_NAME], iban[IBAN_MAX];
    uint16_t currency;
    time_t added, closed; /* closed 0: open */
};
/* Its first remise is open at once. TP_ERR_EXISTS. */
TP_MUST_CHECK enum tp_err book_contract_add(struct book *b, const struct book_contract *c,
                                            struct tp_error *e);
/* TP_ERR_NOT_FOUND, TP_ERR_STATE. What it has is closed and paid out as before. */
TP_MUST_CHECK enum tp_err book_contract_shut(struct book *b, const char *contract,
                                             struct tp_error *e);
TP_MUST_CHECK enum tp_err book_contract_get(struct book *b, const char *contract,
                                            struct book_contract *out, struct tp_error *e);
typedef enum tp_err book_contract_visit(void *ctx, const struct book_contract *c,
                                        struct tp_error *e);
TP_MUST_CHECK enum tp_err book_contract_each(struct book *b, book_contract_visit *visit, void *ctx,
                                             struct tp_error *e);

struct book_door { /* a mediator, a seller, or a contract that is trusted */
    char name[BOOK_MEDIATOR];
    time_t added, closed; /* closed 0: open */
};
typedef enum tp_err book_door_visit(void *ctx, const struct book_door *d, struct tp_error *e);
TP_MUST_CHECK enum tp_err book_mediator_add(struct book *b, const char *name, struct tp_error *e);
TP_MUST_CHECK enum tp_err book_mediator_shut(struct book *b, const char *name, struct tp_error *e);
TP_MUST_CHECK enum tp_err book_mediator_each(struct book *b, book_door_visit *visit, void *ctx,
                                             struct tp_error *e);

/* ---- accounts ---- */

enum account_state { ACCOUNT_OPEN, ACCOUNT_STOPPED, ACCOUNT_CLOSED };
const char *account_state_name(enum account_state s);

struct account {
    char account[PURSE_ACCOUNT];
    uint8_t key[ED25519_KEY];
    uint16_t currency;
    int64_t balance, reserved; /* what is in it, and how much of that provisions hold */
    int64_t counter;           /* the highest that was used */
    enum account_state state;
    char reason[BOOK_REASON];
    time_t opened;
};

/* Within a transaction: the account that the key opens (PURSE_NEW, PURSE_REPEAT), or why it does
 * not: PURSE_KEY, PURSE_CURRENCY. statement: the JWS. */
TP_MUST_CHECK enum tp_err book_account_open(struct book *b, enum purse_verdict *verdict,
                                            struct account *out, const uint8_t key[ED25519_KEY],
                                            uint16_t currency, const char *statement, time_t now,
                                            struct tp_error *e);
/* Within a transaction: signed by `key`, `next` takes its place. PURSE_NEW, PURSE_REPEAT,
 * PURSE_UNKNOWN, PURSE_KEY (signed by another, next was a key before, or it had BOOK_KEYS),
 * PURSE_STOPPED, PURSE_ACCOUNT_CLOSED. */
TP_MUST_CHECK enum tp_err book_account_succeed(struct book *b, enum purse_verdict *verdict,
                                               const char *account, const uint8_t key[ED25519_KEY],
                                               const uint8_t next[ED25519_KEY],
                                               const char *statement, time_t now,
                                               struct tp_error *e);
TP_MUST_CHECK enum tp_err book_account_get(struct book *b, const char *account, struct account *out,
                                           struct tp_error *e); /* TP_ERR_NOT_FOUND */
typedef enum tp_err book_account_visit(void *ctx, const struct account *a, struct tp_error *e);
TP_MUST_CHECK enum tp_err book_account_each(struct book *b, book_account_visit *visit, void *ctx,
                                            struct tp_error *e);
/* From open to stopped and back, from either to closed. TP_ERR_NOT_FOUND, TP_ERR_STATE: it is so
 * already, it is closed, or it is to be closed and is not empty. */
TP_MUST_CHECK enum tp_err book_account_set(struct book *b, const char *account,
                                           enum account_state state, const char *reason,
                                           struct tp_error *e);
/* The statements that gave it its keys, the first one first. */
typedef enum tp_err book_key_visit(void *ctx, const uint8_t key[ED25519_KEY], struct span statement,
                                   struct tp_error *e);
TP_MUST_CHECK enum tp_err book_key_each(struct book *b, const char *account, book_key_visit *visit,
                                        void *ctx, struct tp_error *e);

/* ---- what comes in and goes back ---- */

enum booking_kind {
    BOOKING_FILLED, /* by transfer */
    BOOKING_GIVEN_BACK,
    BOOKING_CARD,   /* filled by a card's payment */
    BOOKING_EMPTIED /* to go out, as the account's key said: the record of an emptying alone */
};

struct booking {
    char account[PURSE_ACCOUNT];
    enum booking_kind kind;
    int64_t amount;
    uint16_t currency; /* read alone: the account's */
    char reference[BOOK_REFERENCE];
    time_t at;
    struct span record;   /* what the purse signed about it (purse/record.h); borrowed … */
    struct span evidence; /* … of BOOKING_CARD: the acknowledgement of the card's acquirer */
};
/* Once a reference and kind (TP_ERR_EXISTS). Filled up to `most` in the account, given back what is
 * there (TP_ERR_STATE); TP_ERR_NOT_FOUND. */
TP_MUST_CHECK enum tp_err book_book(struct book *b, const struct booking *what, int64_t most,
                                    struct tp_error *e);
typedef enum tp_err booking_visit(void *ctx, const struct booking *what, struct tp_error *e);
TP_MUST_CHECK enum tp_err booking_each(struct book *b, booking_visit *visit, void *ctx,
                                       struct tp_error *e);

/* ---- who sells credit for cards, and whose word is taken for it ---- */

TP_MUST_CHECK enum tp_err book_seller_add(struct book *b, const char *name, struct tp_error *e);
TP_MUST_CHECK enum tp_err book_seller_shut(struct book *b, const char *name, struct tp_error *e);
TP_MUST_CHECK enum tp_err book_seller_is_open(struct book *b, const char *name, bool *open,
                                              struct tp_error *e);
TP_MUST_CHECK enum tp_err book_seller_each(struct book *b, book_door_visit *visit, void *ctx,
                                           struct tp_error *e);
/* contract: the purse's own at an acquirer of cards; authority: that acquirer's, PEM. */
TP_MUST_CHECK enum tp_err book_trust_add(struct book *b, const char *contract,
                                         const char *authority, struct tp_error *e);
TP_MUST_CHECK enum tp_err book_trust_shut(struct book *b, const char *contract, struct tp_error *e);
TP_MUST_CHECK enum tp_err book_trust_get(struct book *b, const char *contract,
                                         char authority[BOOK_PEM], bool *open, struct tp_error *e);
TP_MUST_CHECK enum tp_err book_trust_each(struct book *b, book_door_visit *visit, void *ctx,
                                          struct tp_error *e);

struct filled { /* by an order that a card paid */
    int64_t booking, amount;
    char account[PURSE_ACCOUNT];
    struct span evidence; /* borrowed */
};
/* Within a transaction: what the order filled, and keeping it. */
TP_MUST_CHECK enum tp_err book_filled(struct book *b, struct filled *out, bool *found,
                                      const char *order, struct tp_error *e);
TP_MUST_CHECK enum tp_err book_fill(struct book *b, const struct booking *what, int64_t *number,
                                    struct tp_error *e);

/* ---- payments ---- */

struct payment { /* one that comes */
    char account[PURSE_ACCOUNT];
    uint8_t key[ED25519_KEY]; /* that signed it */
    int64_t counter;
    char order[BOOK_ORDER], contract[BOOK_CONTRACT], mediator[BOOK_MEDIATOR];
    int64_t amount, ceiling;
    uint16_t currency;
    char r[BASE64URL_SIZE(32)];
    const char *statement, *challenge; /* as signed; canonical JSON */
    enum purse_verdict found;          /* of its order: PURSE_NEW, or what is wrong with it */
};

struct payment_answer {                            /* begins as {0} */
    char code[3], reason[26], number[BOOK_NUMBER]; /* number "": not kept */
    char *acknowledgement;                         /* JWS (free()); NULL: none was signed */
    char *provision;                               /* … of the provision that came with it */
};

struct standing { /* what the books say of a payment that comes */
    bool known;   /* the account */
    uint8_t key[ED25519_KEY];
    uint16_t currency, contract_currency;
    int64_t balance;                 /* that is free */
    int64_t counter, spent, refused; /* the last two: of this day */
    bool filled;                     /* something came into it once */
    enum account_state state;
    bool counted;                 /* the counter was used */
    bool mediator, mediator_open; /* is one of ours */
    bool contract, contract_open; /* … */
    bool paid;                    /* its order */
    int64_t remise;               /* the contract's open one */
};

/* Within a transaction: what was answered to this very payment, if it came before. */
TP_MUST_CHECK enum tp_err book_answered(struct book *b, struct payment_answer *out, bool *found,
                                        const struct payment *p, struct tp_error *e);
TP_MUST_CHECK enum tp_err book_standing(struct book *b, struct standing *out,
                                        const struct payment *p, time_t now, struct tp_error *e);
/* The number that the next record gets: payments, bookings, reversals and the others have one row
 * of numbers. */
TP_MUST_CHECK enum tp_err book_next(struct book *b, int64_t *number, struct tp_error *e);
void payment_number(char out[BOOK_NUMBER], int64_t number);
/* Keeps a payment under its number: debited when `code` is "00". */
TP_MUST_CHECK enum tp_err book_keep(struct book *b, const struct payment *p,
                                    const struct standing *st, int64_t number,
                                    const struct payment_answer *answer, time_t now,
                                    struct tp_error *e);

struct kept { /* a payment that was decided */
    int64_t payment;
    char account[PURSE_ACCOUNT];
    int64_t counter, amount;
    uint16_t currency;
    char mediator[BOOK_MEDIATOR], order[BOOK_ORDER], contract[BOOK_CONTRACT], code[3], reason[26];
    int64_t remise; /* its number within the contract; 0: refused */
    time_t at;
    struct span statement, challenge, acknowledgement; /* borrowed */
    int64_t reversal;                                  /* its number; 0: not given back */
    time_t reversed;
    struct span demand; /* … by which it was */
};
typedef enum tp_err kept_visit(void *ctx, const struct kept *k, struct tp_error *e);
/* account NULL: all. */
TP_MUST_CHECK enum tp_err kept_each(struct book *b, const char *account, kept_visit *visit,
                                    void *ctx, struct tp_error *e);
/* By its number; visited once. TP_ERR_NOT_FOUND. */
TP_MUST_CHECK enum tp_err kept_get(struct book *b, int64_t payment, kept_visit *visit, void *ctx,
                                   struct tp_error *e);

/* ---- what is given back ---- */

struct paid_order { /* what an order was paid with */
    int64_t payment;
    char account[PURSE_ACCOUNT], contract[BOOK_CONTRACT];
    int64_t amount;
    uint16_t currency;
    enum account_state state;
    bool remise_open, mediator_open;
    int64_t reversal; /* its number; 0: none */
    struct span statement;
};
/* Within a transaction: by what the mediator's order was paid, and giving it back. */
TP_MUST_CHECK enum tp_err book_paid(struct book *b, struct paid_order *out, bool *found,
                                    const char *mediator, const char *order, struct tp_error *e);
TP_MUST_CHECK enum tp_err book_reverse(struct book *b, const struct paid_order *p, int64_t number,
                                       const char *demand, time_t now, struct tp_error *e);

/* ---- what the account's key sends out ---- */

struct emptying {
    struct payment by; /* account, key, counter, amount, currency, statement: as of a payment */
    const char *iban, *name;
};
/* Within a transaction, as those of payments; number 0: it was refused. */
TP_MUST_CHECK enum tp_err book_emptied(struct book *b, struct payment_answer *out, bool *found,
                                       const struct payment *p, struct tp_error *e);
TP_MUST_CHECK enum tp_err book_empty(struct book *b, const struct emptying *m,
                                     const struct standing *st, int64_t number,
                                     const struct payment_answer *answer, time_t now,
                                     struct tp_error *e);
/* How many of the account wait for a payout. */
TP_MUST_CHECK enum tp_err book_emptyings(struct book *b, const char *account, int64_t *n,
                                         struct tp_error *e);
struct emptied {
    int64_t emptying;
    char account[PURSE_ACCOUNT];
    int64_t counter, amount;
    uint16_t currency;
    char code[3], reason[26], iban[IBAN_MAX], name[BOOK_HOLDER];
    int64_t payout; /* 0: not paid out */
    time_t at;
    struct span statement, record; /* borrowed */
};
typedef enum tp_err emptied_visit(void *ctx, const struct emptied *m, struct tp_error *e);
TP_MUST_CHECK enum tp_err emptied_each(struct book *b, emptied_visit *visit, void *ctx,
                                       struct tp_error *e);

/* ---- sessions ---- */

struct provision {
    struct payment by; /* account, key, counter, amount, currency, mediator, statement */
    char session[BOOK_ORDER];
    time_t until;
};
/* Within a transaction: what was answered to this very provision (free()), if it came before; and
 * keeping one, so much of the account reserved when the answer's code is "00". */
TP_MUST_CHECK enum tp_err book_provided(struct book *b, char **acknowledgement, bool *found,
                                        const struct payment *p, struct tp_error *e);
TP_MUST_CHECK enum tp_err book_provide(struct book *b, const struct provision *v,
                                       const struct standing *st, int64_t number,
                                       const struct payment_answer *answer, time_t now,
                                       struct tp_error *e);

struct session { /* how a provision stands, and one contract within it */
    int64_t provision;
    char account[PURSE_ACCOUNT], mediator[BOOK_MEDIATOR];
    uint8_t key[ED25519_KEY];
    int64_t amount, drawn, balance; /* balance: what is free in the account */
    uint16_t currency;
    time_t ended; /* 0: it holds what is not drawn */
    bool told;    /* … its mediator said so */
    bool mediator_open, open;
    int64_t remise;         /* the contract's open one */
    int64_t total, voucher; /* what was presented last under the contract; 0: nothing */
};
TP_MUST_CHECK enum tp_err book_session(struct book *b, struct session *out, bool *found,
                                       const char *session, const char *contract,
                                       struct tp_error *e);
struct presented {
    int64_t voucher; /* its number */
    const char *contract;
    int64_t total, amount; /* claimed in all, and more than before */
    struct span demand;
};
TP_MUST_CHECK enum tp_err book_present(struct book *b, const struct session *s,
                                       const struct presented *v, time_t now, struct tp_error *e);
TP_MUST_CHECK enum tp_err book_session_end(struct book *b, const struct session *s,
                                           const char *demand, time_t now, struct tp_error *e);
/* What provisions hold two days after their time is free; how many those were. */
TP_MUST_CHECK enum tp_err book_release(struct book *b, time_t now, int64_t *n, struct tp_error *e);
/* The same in a transaction of its own. */
TP_MUST_CHECK enum tp_err book_release_over(struct book *b, time_t now, int64_t *n,
                                            struct tp_error *e);

struct provision_kept {
    int64_t provision;
    char account[PURSE_ACCOUNT];
    int64_t counter, amount, drawn, vouchers; /* what vouchers come to */
    uint16_t currency;
    uint8_t key[ED25519_KEY];
    char mediator[BOOK_MEDIATOR], session[BOOK_ORDER], code[3], reason[26];
    time_t until, ended;
    struct span statement, acknowledgement, demand; /* borrowed; demand empty: none */
};
typedef enum tp_err provision_visit(void *ctx, const struct provision_kept *k, struct tp_error *e);
TP_MUST_CHECK enum tp_err provision_each(struct book *b, provision_visit *visit, void *ctx,
                                         struct tp_error *e);
struct voucher_kept {
    int64_t voucher, total, amount, before; /* before: what the earlier ones come to */
    uint16_t currency;
    uint8_t key[ED25519_KEY]; /* the provision's */
    char account[PURSE_ACCOUNT], mediator[BOOK_MEDIATOR], session[BOOK_ORDER],
        contract[BOOK_CONTRACT];
    struct span demand; /* borrowed */
};
typedef enum tp_err voucher_visit(void *ctx, const struct voucher_kept *k, struct tp_error *e);
TP_MUST_CHECK enum tp_err voucher_each(struct book *b, voucher_visit *visit, void *ctx,
                                       struct tp_error *e);

/* ---- what an account's holder may see ---- */

enum history_kind {
    HISTORY_FILLED, /* the first three as booking_kind */
    HISTORY_GIVEN_BACK,
    HISTORY_CARD,
    HISTORY_PAYMENT,
    HISTORY_REVERSAL,
    HISTORY_EMPTYING,
    HISTORY_PROVISION,
    HISTORY_VOUCHER
};
struct history {
    int64_t number, amount;
    enum history_kind kind;
    time_t at;
    char code[3], reason[26];
    struct span signed_by, challenge, word; /* by who asked for it; the challenge; by the purse */
};
typedef enum tp_err history_visit(void *ctx, const struct history *h, struct tp_error *e);
/* At most so many records of the account, the first after that number first. */
TP_MUST_CHECK enum tp_err book_history(struct book *b, const char *account, int64_t after,
                                       int64_t most, history_visit *visit, void *ctx,
                                       struct tp_error *e);

/* … the last before it first. */
TP_MUST_CHECK enum tp_err book_history_back(struct book *b, const char *account, int64_t before,
                                            int64_t most, history_visit *visit, void *ctx,
                                            struct tp_error *e);
struct reserved { /* what an open session holds */
    char mediator[BOOK_MEDIATOR];
    int64_t amount, drawn;
    time_t until;
};
typedef enum tp_err reserved_visit(void *ctx, const struct reserved *s, struct tp_error *e);
/* At most so many sessions of the account, the last first. */
TP_MUST_CHECK enum tp_err book_reserved(struct book *b, const char *account, int64_t most,
                                        reserved_visit *visit, void *ctx, struct tp_error *e);

/* ---- the day ---- */

struct purse_remise {
    int64_t remise;
    char contract[BOOK_CONTRACT];
    int64_t number;
    int day;                     /* 0: open */
    int64_t payments, amount;    /* the amount less what was reversed */
    int64_t reversals, reversed; /* how many, and what they come to */
    uint16_t currency;
    int64_t payout; /* 0: not paid out */
    enum remise_state state;
    int64_t suspended; /* of the amount: what the centre refused */
};
/* Closes the contract's open remise and opens the next one. TP_ERR_NOT_FOUND: nothing was paid, or
 * all of it given back. */
TP_MUST_CHECK enum tp_err book_remise_close(struct book *b, const char *contract, time_t now,
                                            struct purse_remise *out, struct tp_error *e);
typedef enum tp_err purse_remise_visit(void *ctx, const struct purse_remise *r, struct tp_error *e);
TP_MUST_CHECK enum tp_err book_remise_each(struct book *b, purse_remise_visit *visit, void *ctx,
                                           struct tp_error *e);

/* All closed remises of a currency that come to something (collected: that the centre has taken; a
 * remise that was sent never before that), and all emptyings, that are not paid out yet become a
 * payout. TP_ERR_NOT_FOUND: there are none. */
TP_MUST_CHECK enum tp_err book_payout_make(struct book *b, uint16_t currency, bool collected,
                                           time_t now, int64_t *payout, struct tp_error *e);
struct payout_line {              /* a remise, or an emptying, as it is paid */
    char contract[BOOK_CONTRACT]; /* "": an emptying … */
    char account[PURSE_ACCOUNT];  /* … of that account */
    char name[BOOK_HOLDER], iban[IBAN_MAX];
    int64_t number, amount;
};
typedef enum tp_err payout_visit(void *ctx, const struct payout_line *line, struct tp_error *e);
TP_MUST_CHECK enum tp_err book_payout_each(struct book *b, int64_t payout, payout_visit *visit,
                                           void *ctx, struct tp_error *e);
struct payout {
    int64_t payout;
    uint16_t currency;
    time_t made;
    int64_t remises, emptyings, amount;
};
TP_MUST_CHECK enum tp_err book_payout_get(struct book *b, int64_t payout, struct payout *out,
                                          struct tp_error *e); /* TP_ERR_NOT_FOUND */

/* What came in is where: filled = balances + owed + paid_out + given_back. */
struct purse_sums {
    int64_t accounts, payments, filled, balances, owed, paid_out, given_back;
    int64_t reserved;  /* of the balances */
    int64_t collected; /* taken by the centre, paid out since or not */
    int64_t suspended; /* of what is owed: refused by the centre */
};
TP_MUST_CHECK enum tp_err book_sums(struct book *b, uint16_t currency, struct purse_sums *out,
                                    struct tp_error *e);

/* ---- the collection: what src/collect asks (collect/settle.h) ---- */

/* TP_ERR_NOT_FOUND. */
TP_MUST_CHECK enum tp_err book_collect_get(struct book *b, const char *contract, uint32_t number,
                                           struct remise *out, struct tp_error *e);
/* Those that are closed and neither settled nor, without a centre, paid out; contract NULL: of all.
 */
TP_MUST_CHECK enum tp_err book_collect_each(struct book *b, const char *contract,
                                            remise_visit *visit, void *ctx, struct tp_error *e);
struct collect_item {
    int64_t number, amount; /* of a voucher: what it is more than the one before */
    char account[PURSE_ACCOUNT];
    time_t at;
    bool voucher;
    struct span statement, challenge; /* borrowed; of a voucher: the demand, and nothing */
};
typedef enum tp_err collect_item_visit(void *ctx, const struct collect_item *i, struct tp_error *e);
/* Of a closed one, by their numbers. */
TP_MUST_CHECK enum tp_err book_collect_items(struct book *b, const struct remise *r,
                                             collect_item_visit *visit, void *ctx,
                                             struct tp_error *e);
TP_MUST_CHECK enum tp_err book_collect_submitted(struct book *b, const struct remise *r,
                                                 const uint8_t hash[32], time_t now,
                                                 struct tp_error *e);
/* state: REMISE_COLLECTED, and what is refused (by its place among the items) goes to suspense;
 * REMISE_REJECTED: all of it does, the outcome being the reason. Done again: TP_OK. */
TP_MUST_CHECK enum tp_err book_collect_settled(struct book *b, const struct remise *r,
                                               enum remise_state state,
                                               const struct remise_refusal *refused, size_t n,
                                               const char *outcome, time_t now, struct tp_error *e);
/* What of it is in suspense. */
TP_MUST_CHECK enum tp_err book_collect_refused(struct book *b, const struct remise *r,
                                               struct remise_totals *refused, struct tp_error *e);

struct purse_suspense { /* what the centre refused */
    int64_t record, number, amount;
    char contract[BOOK_CONTRACT], reason[80], note[200];
    uint16_t currency;
    time_t since, settled; /* settled 0: not yet */
};
typedef enum tp_err purse_suspense_visit(void *ctx, const struct purse_suspense *s,
                                         struct tp_error *e);
TP_MUST_CHECK enum tp_err book_suspense_each(struct book *b, bool settled_too,
                                             purse_suspense_visit *visit, void *ctx,
                                             struct tp_error *e);
/* TP_ERR_NOT_FOUND: it is not there, or is settled. */
TP_MUST_CHECK enum tp_err book_suspense_settle(struct book *b, int64_t record, const char *note,
                                               time_t now, struct tp_error *e);

/* What the account's records come to, and what its provisions hold; how many remises are not what
 * their payments come to, or leave a gap; how many checks of records against what was signed there
 * are, two of each account. For the audit. */
TP_MUST_CHECK enum tp_err book_account_sum(struct book *b, const char *account, int64_t *sum,
                                           int64_t *reserved, struct tp_error *e);
TP_MUST_CHECK enum tp_err book_odd_remises(struct book *b, int64_t *n, struct tp_error *e);
TP_MUST_CHECK enum tp_err book_checks(struct book *b, int64_t *n, struct tp_error *e);

#endif
