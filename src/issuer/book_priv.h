/* What the files of the books share. */
#ifndef TP_ISSUER_BOOK_PRIV_H
#define TP_ISSUER_BOOK_PRIV_H

#include "issuer/book.h"
#include "store/db.h"

struct book {
    struct db *db;
};

/* A step that must give a row: TP_ERR_NOT_FOUND "there is no such <what>". The caller reads it and
 * resets s. */
TP_MUST_CHECK enum tp_err book_one(struct book *b, sqlite3_stmt *s, const char *what,
                                   struct tp_error *e);
size_t book_bytes(uint8_t *out, size_t cap, sqlite3_stmt *s,
                  int column); /* how many there were, at most cap */

#endif
