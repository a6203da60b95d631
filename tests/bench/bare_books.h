/* The bases that books are measured against: the very same rows of payments, with the same indexes
 * and no more, into a bare engine on the same disk. They are done without src/store, which would be
 * measured against itself. */
#ifndef TP_BENCH_BARE_BOOKS_H
#define TP_BENCH_BARE_BOOKS_H

/* SQLite: DIR/bare.db, inserted in groups from DIR/ledger.db. All abort when they fail. */
struct bare_books;
struct bare_books *bare_books_open(const char *dir);
void bare_books_close(struct bare_books *b);

/* Seconds that the last n payments take. */
double bare_books_turn(const struct bare_books *b, unsigned n, unsigned group);

/* PostgreSQL: a table beside that of the payments, in their database, fed by COPY in groups. */
struct bare_copy;
struct bare_copy *bare_copy_open(const char *url);
void bare_copy_close(struct bare_copy *b);
double bare_copy_turn(const struct bare_copy *b, unsigned n, unsigned group);

#endif
