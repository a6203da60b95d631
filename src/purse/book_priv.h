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

#endif
