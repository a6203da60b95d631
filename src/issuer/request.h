/* A 0100 or 0400 of an acquirer, read into plain values that are the caller's own: nothing in it
 * borrows from the message. Pure. */
#ifndef TP_ISSUER_REQUEST_H
#define TP_ISSUER_REQUEST_H

#include "issuer/book.h"
#include "wire/iso8583.h"

#define REQUEST_DE55_MAX 999

struct request {
    unsigned mti;
    char acquirer[ACQUIRER_ID_MAX]; /* DE 32 */
    char rrn[BOOK_RRN_MAX];         /* DE 37 */
    char pan[PAN_TEXT_MAX];         /* wiped with the rest by request_wipe */
    char masked[PAN_TEXT_MAX];
    unsigned psn;        /* DE 23; 0 when absent */
    unsigned processing; /* DE 3 */
    int64_t amount;
    uint16_t currency;
    unsigned expiry;     /* DE 14: YYMM */
    unsigned local_date; /* DE 13: MMDD */
    uint8_t digest[32];  /* of a 0100: the same again has the same (PROFILE_IDENTITY) */
    uint8_t de55[REQUEST_DE55_MAX];
    size_t de55_n;
};

/* *bad: what is wrong, for the log ("DE55"); NULL when it may go on. TP_ERR_INTERNAL alone is an
 * error. */
TP_MUST_CHECK enum tp_err request_read(struct request *out, const char **bad,
                                       const struct iso8583 *m);
void request_wipe(struct request *q);

/* The card's part, out of DE 55; the spans borrow from q. */
struct chip {
    struct span amount, other, country, tvr, currency, date, type, un, aip, atc, iad, ac, cid, cvm,
        psn, results; /* psn, results may be empty */
};
/* NULL, or the name of the object that is missing or has a wrong length ("9F26"). */
const char *chip_read(struct chip *out, const struct request *q);

/* What the application cryptogram covers before the part of 9F10: Book 2, 8.1.1, table 28. */
TP_MUST_CHECK enum tp_err chip_signed(struct buf *out, const struct chip *c);

#endif
