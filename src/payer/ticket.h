/* The ticket of a payment, in English or French, for the customer or the merchant. The French one
 * has the words that the shops of the CB cards know. The card number is masked on both. */
#ifndef TP_PAYER_TICKET_H
#define TP_PAYER_TICKET_H

#include "payer/day.h"
#include "payer/paper.h"
#include "payer/receipt.h"

enum ticket_whom { TICKET_CUSTOMER, TICKET_MERCHANT };

/* The merchant's is in the first of the shop's languages; the customer's in the first that the card
 * likes of those that the shop has, else in that one too. */
enum ticket_language ticket_language(const struct ticket_style *style, const struct receipt *r,
                                     enum ticket_whom whom);

/* From the beginning of its paper to the cut. */
void ticket_put(const struct paper *p, const struct receipt *r, enum ticket_whom whom,
                enum ticket_language l);

/* Of a terminal's day, in the shop's language. */
void ticket_put_day(const struct paper *p, const struct day *d, const struct terminal *t);

#endif
