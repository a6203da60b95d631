/* An EMV contact card in software: EMV 4.4 Books 1 to 3. Commands in, responses out; who carries
 * them (vpcd, a test) is not its affair.
 *
 * What a card is lies in a struct card_profile (simcard/profile.h), made by the factory
 * (simcard/perso.h). What it remembers (ATC, PIN tries, log) lies in its folder, durable before the
 * answer that depends on it leaves: no ATC is ever used twice, whenever the power goes.
 *
 * Which cryptogram it gives: an AAC when the application is blocked or a risk says so (profile:
 * decline); a TC that was asked for becomes an ARQC when a risk says so (ask_online), or at an
 * offline-only terminal a TC or an AAC (decline_unable). After an ARQC: an AAC when the ARPC was
 * wrong, was missing though wanted (issuer_mandatory), or does not approve (method 1: an ARC that
 * is not 00, 08, 10 or 11; method 2: the CSU); when the terminal was unable to go online (8A = Y3),
 * by decline_unable. Risks look at what a transaction found when it began, and at its own amount.
 * The counters of TCs offline and of their amounts start again when the issuer is heard: by a good
 * ARPC (a CSU says what becomes of them), or, with a card that is made for no issuer authentication
 * at all, by a TC after an online answer. What the issuer was told (failures, number of scripts) is
 * forgotten then too.
 *
 * A card of the Common Core (CCD) is what the Common Core Definitions of EMV 4.4 Books 2 and 3
 * want, or it is not opened: profile_common_core.
 *
 * Issuer authentication: EXTERNAL AUTHENTICATE when bit 3 of AIP byte 1 is set, else the field 91
 * of CDOL2 when there is one (zeros: the terminal had none). Method 1: ARPC of 8 bytes, ARC. Method
 * 2: ARPC of 4, CSU of 4, and the rest of the field as proprietary authentication data when the CSU
 * says so. A CSU is obeyed at the second GENERATE AC, before its cryptogram: one that blocks the
 * application or the card gets an AAC whatever else it says.
 *
 * Issuer application data (9F10).
 *  CVN 10, CVN 18: 06, derivation key index, 0A or 12, and the card verification results (CVR): 03
 * and three bytes 1  b8-7 second AC: 00 AAC, 01 TC, 10 not requested; b6-5 first AC: 00 AAC, 01 TC,
 * 10 ARQC; b4 issuer authentication failed; b3 PIN verification performed; b2 it failed; b1 unable
 * to go online 2  b8 last online transaction not completed; b7 PIN try limit exceeded; b6 a limit
 * of counts or amounts exceeded; b5 new card (never online); b4 issuer authentication failed in the
 * last online transaction; b3 online without issuer authentication; b2 application blocked by wrong
 * PINs; b1 SDA failed in the last transaction, which was declined offline 3  b8-5 number of script
 * commands done since the issuer was last heard; b4 one failed; b3 DDA or CDA failed in the last
 * transaction, which was declined offline; b2 dynamic data authentication performed, DDA or CDA; b1
 * no VERIFY though the card's CVM list has an offline PIN CCD: 32 bytes (Book 3, Annex C9): 0F, A5
 * (3DES) or A6 (AES), derivation key index, CVR of five bytes, counters, 0F, fifteen zeros. CVR
 *  (Annex C9.3, 9.2.3.2 of the CCD):
 *   1  b8-5 as above; b4 CDA performed, at either cryptogram; b3 DDA performed; b2 issuer
 * authentication not performed, in a first cryptogram as the last second one said; b1 failed, now
 * or before 2  b8-5 PIN try counter; b4 PIN verification performed; b3 and failed; b2 PIN try limit
 * exceeded; b1 last online transaction not completed 3  b8 count over its lower limit; b7 over its
 * upper limit; b6, b5 the same of the amount; b4 and b1 ours: new card, no VERIFY though the CVM
 * list has an offline PIN 4  b8-5 number of script commands; b4 one failed; b3 offline data
 * authentication failed in the last transaction, or before and nothing was approved offline or went
 * online since; b2 "go online next" was set; b1 unable to go online 5  00 "Failed" (byte 1 b1),
 * "not completed" and "script failed" stay until an issuer is authenticated; the second cryptogram
 * that does it tells them no more, but of a script that failed in its own transaction. Counters:
 * TCs offline in a row (2 bytes, binary) and their amount (n 12), without this transaction. The
 * application cryptogram runs over 9F02 9F03 9F1A 95 5F2A 9A 9C 9F37 (from the values of this
 * command's CDOL, else of CDOL1, else of the PDOL; zeros when none asks), 82, 9F36 and the whole of
 * 9F10, with CVN 10 its CVR alone. Keys, padding and ARPC of each kind: crypto/cryptogram.h.
 *
 * Issuer scripts: APPLICATION BLOCK and UNBLOCK, CARD BLOCK, PIN CHANGE/UNBLOCK (P2 00 unblock, 01
 * change with the current PIN in the block, 02 without) with CLA 84 (CCD: 8C), PUT DATA and UPDATE
 * RECORD with 84 or 04 (8C or 0C); MAC of 4 to 8 bytes, forms and keys in crypto/script.h. Taken
 * after an ARQC, before and after the second GENERATE AC; of a blocked application, which gives no
 * ARQC, after its AAC. A wrong MAC (6988) ends the scripts of a transaction. Each is durable before
 * its 9000. PUT DATA sets, and GET DATA shows, the limits: 9F58 and 9F59 counts (lower, upper; one
 * byte), 9F54 and 9F5C amounts (lower, upper; n 12); 0 is none. UPDATE RECORD takes a whole record
 * in place of one that is there; the log (file 11) is the card's own. */
#ifndef TP_SIMCARD_CARD_H
#define TP_SIMCARD_CARD_H

#include <stdio.h>

#include "base/span.h"
#include "simcard/profile.h"

struct card;

/* Bytes of the issuer application data (9F10) of a card of that kind. */
size_t card_iad_length(enum emv_cvn cvn);

enum card_keep {
    CARD_DURABLE, /* state in the folder; the folder is locked: a card is in one reader at a time
                     (TP_ERR_STATE) */
    CARD_MEMORY   /* state read from the folder and kept in memory only, for load tests: its ATC is
                     used again by the next that opens it */
};

/* Opens the card in a folder made by telepay-perso. TP_ERR_NOT_FOUND, TP_ERR_FORMAT, TP_ERR_STATE,
 * TP_ERR_IO. */
TP_MUST_CHECK enum tp_err card_open(struct card **out, const char *dir, enum card_keep keep,
                                    struct tp_error *e);

/* A card that has no folder, fresh from the factory, its state in memory. Takes the profile
 * (*profile becomes NULL, on an error too). */
TP_MUST_CHECK enum tp_err card_new(struct card **out, struct card_profile **profile);

void card_close(struct card **c);

/* Power on (or reset): appends the ATR (at most 33 bytes), forgets the session. TP_ERR_CARD when a
 * fault makes the card mute or gone. */
TP_MUST_CHECK enum tp_err card_power_on(struct card *c, struct buf *atr);
void card_power_off(struct card *c);

/* The ATR alone, without touching the session: a reader's service asks for it to see whether a card
 * is there. */
TP_MUST_CHECK enum tp_err card_atr(struct card *c, struct buf *atr);

/* One command APDU, one response APDU with its status word, appended. TP_ERR_CARD when a fault
 * makes the card mute or gone (card_gone tells which), TP_ERR_STATE when it is not powered,
 * TP_ERR_RANGE when out is too small (258 bytes hold any answer of a card without faults). */
TP_MUST_CHECK enum tp_err card_transmit(struct card *c, struct span command, struct buf *out);

/* Makes the card misbehave: "wrong-sdad", or with a number "torn-out=7". May be called several
 * times. TP_ERR_USAGE. */
TP_MUST_CHECK enum tp_err card_add_fault(struct card *c, const char *spec, struct tp_error *e);

/* True after the fault torn-out took the card from the reader: it comes back with the next power
 * on, and stays. */
bool card_gone(const struct card *c);

/* The table of faults: name, what the card does, what a terminal or acquirer must do. NULL at the
 * end. */
struct card_fault_text {
    const char *name, *does, *must;
};
const struct card_fault_text *card_fault_at(size_t i);

#endif
