/* The ticket of a payment, in English or French, for the customer or the merchant. The French one
 * has the words that the shops of the CB cards know. The card number is masked on both. */
#ifndef TP_PAYER_TICKET_H
#define TP_PAYER_TICKET_H

#include "payer/paper.h"
#include "payer/receipt.h"

enum ticket_kind { TICKET_PAYMENT /* or a refund: struct receipt, type */, TICKET_VOID };
enum ticket_whom { TICKET_CUSTOMER, TICKET_MERCHANT };

struct ticket { /* which one, of the receipt's */
    enum ticket_kind kind;
    enum ticket_whom whom;
    bool copy; /* of one that was given already: DUPLICATA */
};

/* The merchant's is in the first of the shop's languages; the customer's in the first that the card
 * likes of those that the shop has, else in that one too. */
enum ticket_language ticket_language(const struct ticket_style *style, const struct receipt *r,
                                     enum ticket_whom whom);

/* From the beginning of its paper to the cut. */
void ticket_put(const struct paper *p, const struct ticket *t, const struct receipt *r,
                enum ticket_language l);

struct ticket_sum {
    int64_t count, amount; /* minor units */
};

struct ticket_day { /* of a terminal */
    int date, time; /* when it was closed */
    uint16_t currency;
    struct ticket_sum debits, credits, voids;
    const char *answer; /* of the acquirer, in words; "": none */
    bool agreed;        /* it has the same totals */
};

void ticket_put_day(const struct paper *p, const struct ticket_day *d, const struct terminal *t,
                    bool copy);

#endif
