/* What the cardholder is told at the PIN, in their language: the first of those that the card
 * prefers (5F2D) which there is, else that of the programs (base/text.h). EMV 4.4 Book 4, 11.1,
 * 11.2. */
#ifndef TP_PAYER_CARDHOLDER_H
#define TP_PAYER_CARDHOLDER_H

#include "base/span.h"

struct cardholder_words {
    const char *language;        /* of ISO 639-1 */
    const char *pin;             /* ENTER PIN, as a prompt begins: "PIN" */
    const char *wrong;           /* INCORRECT PIN, a sentence */
    const char *length;          /* what was typed is no PIN, a sentence */
    const char *last, *left;     /* "last try"; of several: "tries left" */
    const char *ask;             /* ends a prompt: ": " */
    const char *keypad, *and_so; /* where the PIN is entered on the reader: "enter the PIN on the
                                    reader", after "wrong PIN; " when the one before was */
};

/* languages: the value of 5F2D, which may be empty. Lives for ever. */
const struct cardholder_words *cardholder_words(struct span languages);

#endif
