/* The issuer's decision: is this the card, is it in order, may it spend that much; what the card
 * gets back. Works inside the books' open transaction, so that what it found there stands until it
 * is durable. */
#ifndef TP_ISSUER_AUTHORISE_H
#define TP_ISSUER_AUTHORISE_H

#include "issuer/keys.h"
#include "issuer/request.h"

struct authoriser {
    struct book *book;
    struct seal *seal;
    const struct issuer_keys *keys;
    unsigned atc_jump; /* a card's counter may be ahead of the last one seen by this */
};

/* Decides on a 0100 and keeps it: *out is what is answered and written. The same again gives what
 * was answered first. A request that is for no account, or of which nothing may be kept, has key 0.
 *
 * Codes (doc/protocol.md), with the reason kept for the operator:
 *   30 DE…, 9F…     a field or object is missing or wrong
 *   14 ACCOUNT      no such card
 *   94 IDENTITY     another request under the same number
 *   12 REVERSED     its 0400 came first, or since
 *   12 PROCESSING   neither a purchase (00) nor a credit (20)
 *   12 9C           the message and the card name different kinds of transaction
 *   13 AMOUNT       the message and the card name different amounts or currencies, or none
 *   63 CRYPTOGRAM   the card's cryptogram is wrong, or its kind is not that of the account
 *   63 DKI          the card's keys are not of the index that this issuer has
 *   63 ATC_REPLAYED, ATC_JUMP, CID, PIN_WEDGE   see authorise.c
 *   43 41 62 54     stolen, lost, blocked, expired
 *   75 55 05 57     PIN tries exceeded, cardholder not verified, the card or the terminal declined,
 * service not allowed 57 CURRENCY     the account is in another currency 61 CEILING (of a credit,
 * too), DAY_CEILING   51 BALANCE */
TP_MUST_CHECK enum tp_err authorise(struct authoriser *a, struct authorisation *out,
                                    const struct request *q, const struct acquirer *from,
                                    time_t now, struct tp_error *e);

/* A 0400: *code 00, or 94 when that number was something else. */
TP_MUST_CHECK enum tp_err authorise_reversal(struct authoriser *a, const char **code,
                                             const char **reason, const struct request *q,
                                             const struct acquirer *from, struct tp_error *e);

#endif
