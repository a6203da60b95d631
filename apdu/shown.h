/* Which nibbles of bytes from and to a card people may see: what the dictionary (apdu/emvtags.h)
 * calls harmless and commands that carry nothing else; never the card's own number, wherever it
 * turns up again, nor in a command what was hidden in an answer. Pure. */
#ifndef TP_APDU_SHOWN_H
#define TP_APDU_SHOWN_H

#include "base/span.h"

struct shown {     /* what was learnt of one card; start with zeros */
    bool all;      /* a card of the test scheme: all of it is shown, but never a PIN */
    bool personal; /* EMV_PERSONAL is shown too */
    uint8_t pan[10];
    size_t pan_digits;
    uint8_t hidden[2048]; /* values that were hidden, each behind its length */
    size_t hidden_n;
    bool full; /* no room for all of them */
};

/* Learns the card number from a 5A, 57 or 9F6B value; of another value that is not harmless,
 * itself. */
void shown_learn(struct shown *s, uint32_t tag, struct span value);

/* Upper-case hex of the value of a tag, with * for each nibble that is not shown, and a final zero.
 * out has room for 2 * value.n + 1. Returns out. */
char *shown_value(char *out, struct shown *s, uint32_t tag, struct span value);

/* The same for a whole command or response APDU. Of a command the header; data where they can be no
 * PIN and none of an issuer's to change the card. Of a response whose data are no TLV those objects
 * are shown that the dictionary knows, up to where it breaks, and the status word; all, when
 * `raw_is_plain` says that it may be (a random number). Learns on the way. out has room for
 * SHOWN_APDU_MAX(n). */
#define SHOWN_APDU_MAX(n) (2 * (n) + 1)
char *shown_command(char *out, struct shown *s, struct span command);
char *shown_response(char *out, struct shown *s, struct span response, bool raw_is_plain);

/* Which card it is shows at its selection, before anything is read of it: *test, whether it belongs
 * to the test scheme (RID F000000014), all of whose data may be shown. False, and *test as it is:
 * the exchange selects no application. */
bool shown_selection(bool *test, struct span command, struct span response);

/* The data of a command may be seen: they are what the card asks the terminal for by its DOLs,
 * names, or a cryptogram of the issuer; of a test card all but a PIN and a new one. */
bool shown_command_plain(const struct shown *s, uint8_t ins);

#endif
