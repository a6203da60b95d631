/* What the files of the books share. */
#ifndef TP_ISSUER_BOOK_PRIV_H
#define TP_ISSUER_BOOK_PRIV_H

#include "issuer/book.h"
#include "store/schema.h"

struct book {
    struct db *db;
};

/* A row that must be there: TP_ERR_NOT_FOUND "there is no such <what>". */
TP_MUST_CHECK enum tp_err book_found(enum tp_err r, bool found, const char *what,
                                     struct tp_error *e);
size_t book_bytes(uint8_t *out, size_t cap, struct span v); /* how many there were, at most cap */

#endif
