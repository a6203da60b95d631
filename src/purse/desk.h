/* What is decided at the door of a purse, within a transaction of its books: who opens an account,
 * whose key follows, what is paid. No clock and no network of its own. */
#ifndef TP_PURSE_DESK_H
#define TP_PURSE_DESK_H

#include "order/purse_token.h"
#include "purse/book.h"
#include "purse/settings.h"

struct desk {
    struct book *book;
    const struct purse_settings *settings;
    const struct order_key *key; /* that signs acknowledgements */
    const char *acquirer;        /* the purse's identification */
};

/* Whether the account's key of now signed it under a counter that is free: PURSE_NEW; and instead
 * of a refusal that would be kept, PURSE_REFUSALS where enough are. */
enum purse_verdict purse_judge_signer(const struct standing *st, const struct payment *p);
enum purse_verdict purse_judge_refusals(const struct standing *st, enum purse_verdict v);

/* Which of all that stands against a payment is told; PURSE_NEW: nothing does. limits NULL: the
 * purse keeps no such currency. Not asked of one that was answered before. */
enum purse_verdict purse_judge(const struct standing *st, const struct payment *p,
                               const struct purse_currency *limits);

/* Debits it and signs the acknowledgement, or refuses it; the same statement again gets the same
 * answer. payment_answer_free after an error too. */
TP_MUST_CHECK enum tp_err desk_pay(struct desk *d, const struct payment *p, time_t now,
                                   struct payment_answer *out, struct tp_error *e);
void payment_answer_free(struct payment_answer *a);

/* What was paid is given back on the mediator's demand (read and verified: PURSE_REVERSAL; `demand`
 * is its text), once: again the same answer. */
TP_MUST_CHECK enum tp_err desk_reverse(struct desk *d, const struct purse_token *t,
                                       const char *demand, time_t now, struct payment_answer *out,
                                       struct tp_error *e);

/* What an account's key sends out leaves its balance, and goes with the next payout; or it is
 * refused. The same statement again gets the same answer. */
TP_MUST_CHECK enum tp_err desk_empty(struct desk *d, const struct emptying *m, time_t now,
                                     struct payment_answer *out, struct tp_error *e);

/* Beside a payment that is paid: reserves what the account's key provides for the mediator's
 * session. *out is the acknowledgement (free()), of a refusal too; NULL: nothing was signed. The
 * same statement again gets the same. */
TP_MUST_CHECK enum tp_err desk_provide(struct desk *d, const struct provision *v, time_t now,
                                       char **out, struct tp_error *e);
/* What a mediator presents of its session (PURSE_PRESENTATION, read and verified; the voucher in it
 * read too; `demand` is its text): what it claims more than before is drawn. */
TP_MUST_CHECK enum tp_err desk_present(struct desk *d, const struct purse_token *t,
                                       const struct purse_statement *voucher, const char *demand,
                                       time_t now, struct payment_answer *out, struct tp_error *e);
/* The session is over: what is left of the provision is free (PURSE_END). */
TP_MUST_CHECK enum tp_err desk_end(struct desk *d, const struct purse_token *t, const char *demand,
                                   time_t now, struct payment_answer *out, struct tp_error *e);

/* What a card paid for (BOOKING_CARD, its evidence verified; `at` and `record` are the desk's to
 * make) is booked once an order: PURSE_NEW, PURSE_REPEAT with its number; PURSE_ORDER_USED: another
 * one; PURSE_UNKNOWN, PURSE_ACCOUNT_CLOSED, PURSE_CURRENCY, PURSE_FULL. */
TP_MUST_CHECK enum tp_err desk_fill(struct desk *d, const struct booking *what, time_t now,
                                    enum purse_verdict *verdict, int64_t *number,
                                    struct tp_error *e);

/* The answer to a payment on which the books are not asked. */
struct payment_answer payment_refused(enum purse_verdict verdict);

#endif
