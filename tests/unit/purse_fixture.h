/* A purse in a folder of the test's own: its authority and key, its books with a mediator and two
 * contracts; accounts whose secret keys the test has; payments to put into them. */
#ifndef TP_TESTS_PURSE_FIXTURE_H
#define TP_TESTS_PURSE_FIXTURE_H

#include "purse/desk.h"
#include "unit.h"

#define CONTRACT       "000000000000123"
#define OTHER_CONTRACT "000000000000124"
#define MEDIATOR       "med"
#define EUR            978
#define NOW            1795950000 /* 2026-11-29, in the middle of the day */
#define LIMIT_PAYMENT  15000
#define LIMIT_DAY      40000
#define LIMIT_BALANCE  100000

struct purse_fixture {
    char dir[64];
    struct tp_error e;
    struct purse_settings settings;
    struct order_key key;
    struct order_authority *authority;
    struct book *book;
    struct desk desk;
    char acquirer[BOOK_ID];
};

void fixture_start(struct purse_fixture *f);
void fixture_end(struct purse_fixture *f);

/* The nth account's key; the account itself, opened with so much in it; its number. */
void fixture_secret(uint8_t secret[ED25519_KEY], unsigned n);
void fixture_account(struct purse_fixture *f, char account[PURSE_ACCOUNT], unsigned n,
                     int64_t amount);
/* Books what comes in, or goes back, under a reference. */
enum tp_err fixture_book(struct purse_fixture *f, const char *account, enum booking_kind kind,
                         int64_t amount, const char *reference);

/* A payment by the nth account, of the order of that number. Its statement's text is in room that
 * the next ones use again. */
struct payment fixture_payment(unsigned account, int64_t counter, unsigned order, int64_t amount);
/* Its answer's code and reason, "00 "; within a transaction of its own. */
const char *fixture_pay(struct purse_fixture *f, const struct payment *p, time_t now);

/* The same to be sent out to a bank account. */
const char *fixture_empty(struct purse_fixture *f, const struct payment *p, time_t now);

/* What its mediator demands back of it, and the answer's code and reason. */
struct purse_token fixture_reversal(const struct payment *p, char room[2][PURSE_HASH]);
const char *fixture_reverse(struct purse_fixture *f, const struct purse_token *t, time_t now);

#endif
