/* Which nibbles of bytes from and to a card people may see: by the dictionary's marks (apdu/emvtags.h), by what a command carries, and wherever the card's own
 * number turns up again. Pure. */
#ifndef TP_PAYER_SHOWN_H
#define TP_PAYER_SHOWN_H

#include "base/span.h"

struct shown {     /* what was learnt of one card; start with zeros */
    bool all;      /* a card of the test scheme: all of it is shown, but never a PIN */
    bool personal; /* EMV_PERSONAL is shown too */
    uint8_t pan[10];
    size_t pan_digits;
};

/* Learns the card number from a 5A or 57 value. */
void shown_learn(struct shown *s, uint32_t tag, struct span value);

/* Upper-case hex of the value of a tag, with * for each nibble that is not shown, and a final zero. out has room for 2 * value.n + 1. Returns out. */
char *shown_value(char *out, const struct shown *s, uint32_t tag, struct span value);

/* The same for a whole command or response APDU. Of a response whose data are no TLV those objects are shown that the dictionary knows, up to where it breaks,
 * and the status word; all, when `raw_is_plain` says that it may be (a random number). Learns on the way. out has room for SHOWN_APDU_MAX(n). */
#define SHOWN_APDU_MAX(n) (2 * (n) + 1)
char *shown_command(char *out, struct shown *s, struct span command);
char *shown_response(char *out, struct shown *s, struct span response, bool raw_is_plain);

#endif
