/* A card, reached: a reader opened, a card waited for in it, and which of its applications may be
 * taken. */
#ifndef TP_PAYER_CARD_REACH_H
#define TP_PAYER_CARD_REACH_H

#include "payer/person.h"
#include "payer/terminal.h"

struct card_place {
    const char *reader; /* its number or part of its name; NULL: any */
    int wait_ms;        /* for a card */
    struct person *person;
    const char *what;   /* it is wanted for: to people */
    const char *unless; /* what did not happen when the person gives up */
};

/* reader_close, after an error too. TP_ERR_NO_READER, TP_ERR_NO_CARD, TP_ERR_CANCELLED (the person
 * leaves), of the reader. */
TP_MUST_CHECK enum tp_err card_reach(struct reader **out, const struct card_place *place,
                                     struct tp_error *e);

/* --application AID or NAME: others are not even looked for, so that a card's only application is
 * not taken for the one that was named. aid: 16 bytes to which the request will point. wanted NULL,
 * or a number in the list: nothing is narrowed. TP_ERR_USAGE. */
TP_MUST_CHECK enum tp_err card_narrow(struct transaction_request *request, uint8_t aid[16],
                                      struct terminal *terminal, const char *wanted,
                                      struct tp_error *e);

#endif
