/* The payer's journal: every payment that a card signed, and every question to its issuer, kept
 * before it is sent. What the acquirer is still to be told lies with it, sealed, until the acquirer
 * has answered: the 0200 of a payment, the 0400 of a question that came to nothing. One SQLite
 * file; the key of the seal lies beside it as FILE.key. */
#ifndef TP_PAYER_JOURNAL_H
#define TP_PAYER_JOURNAL_H

#include "payer/message.h"

struct journal;
extern const struct db_schema journal_schema; /* store/schema.h */

/* Opens the journal, making file, key and folder when they are not there. TP_ERR_IO, TP_ERR_STATE,
 * TP_ERR_NOT_FOUND (a journal whose key is gone). */
TP_MUST_CHECK enum tp_err journal_open(struct journal **out, const char *path, struct tp_error *e);
void journal_close(struct journal **j);

/* The next number (DE 11), 1 to 999999, no other run's, and never one that the journal holds for
 * that date (YYYYMMDD). Durable with what is added under it, and not before. A new journal begins
 * at a number of the time of day, so that one that was lost does not give the same numbers again.
 * TP_ERR_STATE when a day has used them all. */
TP_MUST_CHECK enum tp_err journal_next_stan(struct journal *j, int date, unsigned *stan,
                                            struct tp_error *e);

/* Keeps a signed payment; durable when it returns. An empty message: it is settled already, and
 * waits for nothing. after: not to be delivered while that one waits; 0: none. */
TP_MUST_CHECK enum tp_err journal_add(struct journal *j, const struct receipt *r,
                                      struct span message, int64_t after, int64_t *id,
                                      struct tp_error *e);

/* A question to the issuer: kept as PAYMENT_ASKED, with the 0400 that takes it back, before it is
 * sent. Then either it is concluded, or it is to be reversed, and its 0400 waits like a signed
 * payment. As long as the asking process lives, nobody else takes its question for a lost one: it
 * holds the journal. */
TP_MUST_CHECK enum tp_err journal_ask(struct journal *j, const struct receipt *r,
                                      struct span reversal, int64_t *id, struct tp_error *e);
TP_MUST_CHECK enum tp_err journal_conclude(struct journal *j, int64_t id, const struct receipt *r,
                                           struct tp_error *e);
TP_MUST_CHECK enum tp_err journal_reverse(struct journal *j, int64_t id, const char *rrn,
                                          const char *reason, struct tp_error *e);

/* Takes an acknowledged payment back: from then on its 0400 waits, until the acquirer has answered;
 * refused, the payment stays acknowledged, and its reason says why. TP_ERR_STATE: it is not
 * acknowledged. */
TP_MUST_CHECK enum tp_err journal_void(struct journal *j, int64_t id, struct span reversal,
                                       struct tp_error *e);

/* What a process that asked left behind as it died (killed, power lost): to be reversed, all of it.
 * Does nothing while another process holds the journal. *n: how many. */
TP_MUST_CHECK enum tp_err journal_recover(struct journal *j, size_t *n, struct tp_error *e);

/* What an answer that is final makes of a receipt: its state, reference and reason. */
void receipt_settle(struct receipt *r, const struct wire_answer *a);

/* The answer settles a payment: state, reference and reason are kept, the message is dropped.
 * Settling it again changes nothing. */
TP_MUST_CHECK enum tp_err journal_settle(struct journal *j, int64_t id, const struct wire_answer *a,
                                         struct tp_error *e);

/* The oldest that waits (a signed payment, a reversal) after `after` (0: the first), with its
 * message appended to *message. TP_ERR_NOT_FOUND: there are no more. TP_ERR_SECURITY: the message
 * was altered, or the key is another. */
TP_MUST_CHECK enum tp_err journal_pending(struct journal *j, int64_t after, int64_t *id,
                                          struct receipt *r, struct buf *message,
                                          struct tp_error *e);
/* Whether something that must be delivered before this payment still waits: what it came after, or
 * an older payment with the same card. */
TP_MUST_CHECK enum tp_err journal_waits(struct journal *j, int64_t id, bool *waits,
                                        struct tp_error *e);
TP_MUST_CHECK enum tp_err journal_count_pending(struct journal *j, size_t *n, struct tp_error *e);

struct journal_filter { /* which payments; JOURNAL_ALL: all */
    int since, until;   /* YYYYMMDD, both included; 0: no end */
    int64_t amount;     /* 0: any */
    int state;          /* enum payment_state; -1: any */
};
#define JOURNAL_ALL ((struct journal_filter){0, 0, 0, -1})

/* Payments, the newest first. False from each ends the walk. */
typedef bool journal_each(void *ctx, const struct receipt *r);
TP_MUST_CHECK enum tp_err journal_list(struct journal *j, struct journal_filter which,
                                       journal_each *each, void *ctx, struct tp_error *e);
/* One, by a word of people: its reference (RRN, 12 digits), its number (1 to 6 digits; the newest
 * of that number), or "last": the newest, or with `stands` the newest that was a payment, or may
 * have been: neither declined nor refused. One before it would be another customer's, also where it
 * is taken back already.
 * TP_ERR_USAGE, TP_ERR_NOT_FOUND. */
TP_MUST_CHECK enum tp_err journal_find(struct journal *j, const char *word, bool stands,
                                       int64_t *id, struct receipt *r, struct tp_error *e);
/* TP_ERR_NOT_FOUND. */
TP_MUST_CHECK enum tp_err journal_get(struct journal *j, int64_t id, struct receipt *r,
                                      struct tp_error *e);
/* What was given back of the payment of that reference, or may have been: also what is under way.
 */
TP_MUST_CHECK enum tp_err journal_refunded(struct journal *j, const char *rrn, int64_t *amount,
                                           struct tp_error *e);

struct journal_day { /* sums of one day, currency and state */
    int date;
    uint16_t currency;
    enum payment_state state;
    int64_t count, refunds;  /* how many, and of them refunds */
    int64_t debits, credits; /* minor units */
};
typedef bool journal_each_day(void *ctx, const struct journal_day *d);
TP_MUST_CHECK enum tp_err journal_days(struct journal *j, journal_each_day *each, void *ctx,
                                       struct tp_error *e);

#endif
