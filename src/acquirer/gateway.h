/* The way to the issuers: one standing line each (wire/link_line.h) over which many questions are
 * under way at once, and over which what was asked in vain is reversed (doc/protocol.md, acquirer
 * and issuer).
 *
 * A question's fate is told once. What is to be reversed stands in the books
 * (ledger/authorisation.c), from where it is sent until the issuer has said that it is done: the
 * gateway holds nothing that a crash could take. */
#ifndef TP_ACQUIRER_GATEWAY_H
#define TP_ACQUIRER_GATEWAY_H

#include "acquirer/answer.h"
#include "acquirer/issuers.h"

struct gateway;

enum issuer_fate {
    ISSUER_APPROVED,  /* answer: 00, DE 38, DE 55 */
    ISSUER_REFUSED,   /* answer: another DE 39, DE 55 when the issuer gave one; DE 44 ISSUER */
    ISSUER_UNANSWERED /* no answer in time, or none of use: answer says which. It is
                   to be reversed */
};

struct gateway_events { /* on an issuer's own thread */
    void *ctx;
    void (*answered)(void *ctx, const char *rrn, enum issuer_fate fate,
                     const struct wire_answer *a);
    void (*reversed)(void *ctx, const char *rrn); /* 0410 */
};

/* Reads the issuers of the folder (issuers/NAME) and starts a line to each. None is no error. */
TP_MUST_CHECK enum tp_err gateway_new(struct gateway **out, const char *dir,
                                      const struct gateway_events *events, struct tp_error *e);
void gateway_free(struct gateway **g); /* what is under way is told nothing any more: the books know
                                          it as asked, and the next start reverses it */

enum gateway_route { ROUTE_OPEN, ROUTE_NONE, ROUTE_DOWN, ROUTE_BUSY };
/* The issuer of the longest IIN that the card number begins with, and whether it can be asked now.
 * *issuer: its name, as long as the gateway. From any thread. */
enum gateway_route gateway_find(const struct gateway *g, const char *pan, const char **issuer);

/* The 0100 of a 0200 without what the line adds (7 11 32 37): appended to *out. */
TP_MUST_CHECK enum tp_err gateway_question(struct buf *out, const struct iso8583 *payment,
                                           uint16_t mcc, struct tp_error *e);

/* Asks an issuer by the name that gateway_find gave; question is copied. rrn: DE 37; asked: the
 * instant of DE 7, as booked. From any thread. An error is told as a fate, too: it returns nothing.
 */
void gateway_ask(struct gateway *g, const char *issuer, const char *rrn, time_t asked,
                 struct span question);

/* There may be something new to be reversed: else it is found within a second. */
void gateway_wake(struct gateway *g);

#endif
