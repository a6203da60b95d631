/* What the files of the books share. */
#ifndef TP_PURSE_BOOK_PRIV_H
#define TP_PURSE_BOOK_PRIV_H

#include "purse/book.h"
#include "store/db.h"

struct book {
    struct db *db;
};

/* Ends the transaction of a change: keeps it when r is TP_OK. */
TP_MUST_CHECK enum tp_err book_end(struct book *b, enum tp_err r, struct tp_error *e);

/* Each row of a query of name, added, closed. */
TP_MUST_CHECK enum tp_err book_doors(struct book *b, const char *sql, book_door_visit *visit,
                                     void *ctx, struct tp_error *e);

/* What was answered to this very statement of the account and counter ($1, $2), if it came before:
 * the columns statement, acknowledgement (empty: none), code, reason, number. */
TP_MUST_CHECK enum tp_err book_answer_of(struct book *b, const char *sql,
                                         struct payment_answer *out, bool *found,
                                         const struct payment *p, struct tp_error *e);

/* What became of a statement that counts, of an account that stood at `st`: its counter is used,
 * and the account's balance is less for what was paid or is to be sent out; or so much of it
 * reserved.
 */
enum counted { COUNTED_REFUSED, COUNTED_PAID, COUNTED_SENT, COUNTED_RESERVED };
TP_MUST_CHECK enum tp_err book_count(struct book *b, const struct payment *p,
                                     const struct standing *st, enum counted as, time_t now,
                                     struct tp_error *e);

#endif
