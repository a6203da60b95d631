/* Inside of the journal: what journal.c, journal_read.c and orders.c share. */
#ifndef TP_PAYER_JOURNAL_PRIV_H
#define TP_PAYER_JOURNAL_PRIV_H

#include <limits.h>

#include "crypto/seal.h"
#include "payer/journal.h"
#include "store/db.h"

struct journal {
    struct db *db;
    struct seal *seal;
    int held;  /* the key file, locked while this process asks; -1 */
    int taken; /* FILE.taken, locked where this process's orders stand; -1 */
    char path[PATH_MAX];
};

struct journal_row {
    int64_t id;
    struct span receipt, message;
};
TP_MUST_CHECK enum tp_err journal_row_receipt(struct journal *j, const struct journal_row *row,
                                              struct receipt *r, struct tp_error *e);

/* Locks the journal (flock's LOCK_SH, LOCK_EX, LOCK_NB): until the process ends, however it does.
 */
TP_MUST_CHECK enum tp_err journal_hold(struct journal *j, int how, bool *got, struct tp_error *e);
void journal_let_go(struct journal *j);

/* A receipt as the journal has it (free()). */
TP_MUST_CHECK enum tp_err journal_receipt_text(char **out, const struct receipt *r);

#endif
