/* A card that is a transcript (drivers/transcript.h): it answers what the recorded card answered,
 * to whatever terminal asks, by matching the command. No data of its own, no state but how far the
 * transcript was played. */
#ifndef TP_SIMCARD_RECORDED_H
#define TP_SIMCARD_RECORDED_H

#include "drivers/transcript.h"
#include "simcard/vpcd.h"

enum recorded_how {
    RECORDED_EXACT,  /* the command as recorded, masked bytes being any */
    RECORDED_HEADER, /* CLA, INS, P1 and P2 as recorded; another Le, or data that differ each time:
                        amounts, random numbers, a PIN */
    RECORDED_INS,    /* GENERATE AC with another P1: the terminal wants another cryptogram; the card
                        answers as it did */
    RECORDED_NONE    /* nothing of the kind: answered with a status word that says so */
};

struct recorded_card { /* the caller's; zeros but for the first three */
    const struct transcript *transcript;
    /* Told of each command: line 0 for RECORDED_NONE. NULL: nobody. */
    void (*played)(void *ctx, enum recorded_how how, unsigned line, struct span command,
                   struct span answer);
    void *ctx;
    size_t at; /* where the search for the next answer begins */
    bool powered;
};

/* Among several exchanges that match, the next one after the last played is taken, from the end on
 * from the beginning again. An answer that never came makes it mute: TP_ERR_CARD. Without the fact
 * "atr" it has the ATR of a T=1 card. */
struct vpcd_card recorded_vpcd(struct recorded_card *card);

#endif
