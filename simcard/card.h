/* An EMV contact card in software: EMV 4.4 Books 1 to 3. Commands in, responses out; who carries them (vpcd, a test) is not its affair.
 *
 * What a card is lies in a struct card_profile (simcard/profile.h), made by the factory (simcard/perso.h). What it remembers (ATC, PIN tries, log)
 * lies in its folder, durable before the answer that depends on it leaves: no ATC is ever used twice, whenever the power goes.
 *
 * Issuer application data (9F10), seven bytes: 06, derivation key index, cryptogram version 12 (18: EMV common session key), and the card
 * verification results (CVR): 03 and three bytes
 *   1  b8-7 second AC: 00 AAC, 01 TC, 10 not requested; b6-5 first AC: 00 AAC, 01 TC, 10 ARQC; b3 PIN verification performed; b2 it failed;
 *      b1 unable to go online
 *   2  b8 last online transaction not completed; b7 PIN try limit exceeded; b6 consecutive offline limit reached; b5 new card (never online);
 *      b3 online without issuer authentication
 *   3  b2 dynamic data authentication performed; b1 no VERIFY though the card's CVM list has an offline PIN
 * The application cryptogram runs over 9F02 9F03 9F1A 95 5F2A 9A 9C 9F37 (from the CDOL values), 82, 9F36 and the whole of 9F10. */
#ifndef TP_SIMCARD_CARD_H
#define TP_SIMCARD_CARD_H

#include <stdio.h>

#include "base/span.h"
#include "simcard/profile.h"

struct card;

enum card_keep {
    CARD_DURABLE, /* state in the folder; the folder is locked: a card is in one reader at a time (TP_ERR_STATE) */
    CARD_MEMORY   /* state read from the folder and kept in memory only, for load tests: its ATC is used again by the next that opens it */
};

/* Opens the card in a folder made by telepay-perso. TP_ERR_NOT_FOUND, TP_ERR_FORMAT, TP_ERR_STATE, TP_ERR_IO. */
TP_MUST_CHECK enum tp_err card_open(struct card **out, const char *dir, enum card_keep keep, struct tp_error *e);

/* A card that has no folder, fresh from the factory, its state in memory. Takes the profile (*profile becomes NULL, on an error too). */
TP_MUST_CHECK enum tp_err card_new(struct card **out, struct card_profile **profile);

void card_close(struct card **c);

/* Power on (or reset): appends the ATR (at most 33 bytes), forgets the session. TP_ERR_CARD when a fault makes the card mute or gone. */
TP_MUST_CHECK enum tp_err card_power_on(struct card *c, struct buf *atr);
void card_power_off(struct card *c);

/* The ATR alone, without touching the session: a reader's service asks for it to see whether a card is there. */
TP_MUST_CHECK enum tp_err card_atr(struct card *c, struct buf *atr);

/* One command APDU, one response APDU with its status word, appended. TP_ERR_CARD when a fault makes the card mute or gone (card_gone tells
 * which), TP_ERR_STATE when it is not powered, TP_ERR_RANGE when out is too small (258 bytes hold any answer of a card without faults). */
TP_MUST_CHECK enum tp_err card_transmit(struct card *c, struct span command, struct buf *out);

/* Makes the card misbehave: "wrong-sdad", or with a number "torn-out=7". May be called several times. TP_ERR_USAGE. */
TP_MUST_CHECK enum tp_err card_add_fault(struct card *c, const char *spec, struct tp_error *e);

/* True after the fault torn-out took the card from the reader: it comes back with the next power on, and stays. */
bool card_gone(const struct card *c);

/* The table of faults: name, what the card does, what a terminal or acquirer must do. NULL at the end. */
struct card_fault_text {
    const char *name, *does, *must;
};
const struct card_fault_text *card_fault_at(size_t i);

#endif
