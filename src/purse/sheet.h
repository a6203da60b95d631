/* An account as its holder sees it on a page: what is in it, which sessions hold some of it, and
 * what became of it, from what was signed; so many records at a time, the last first. */
#ifndef TP_PURSE_SHEET_H
#define TP_PURSE_SHEET_H

#include "purse/book.h"

#define SHEET_RECORDS  20
#define SHEET_SESSIONS 10
#define SHEET_WHAT     200

struct sheet_record {
    int64_t number, amount;
    enum history_kind kind;
    int effect; /* on what is in the account: -1, 0 (refused, or reserved alone), 1 */
    time_t at;
    char code[3], reason[26];
    char what[SHEET_WHAT]; /* to whom and for what, or a transfer's reference; "": not known */
};

struct sheet {
    struct account account;
    struct reserved session[SHEET_SESSIONS];
    size_t sessions;
    struct sheet_record record[SHEET_RECORDS];
    size_t n;
    bool more; /* older ones than these */
};

/* As of one moment; the records before that number. TP_ERR_NOT_FOUND: no such account. */
TP_MUST_CHECK enum tp_err sheet_read(struct sheet *out, struct book *b, const char *account,
                                     int64_t before, struct tp_error *e);

/* What the signed texts of a record say that it was about: SHEET_WHAT. Returns out. */
char *sheet_what(char out[SHEET_WHAT], const struct history *h);

#endif
