/* A reader whose card is a transcript (drivers/transcript.h): it answers what the card answered
 * when that was written. What a terminal asks otherwise than it did then is told, and answered as
 * well as the transcript can. */
#ifndef TP_DRIVERS_REPLAY_H
#define TP_DRIVERS_REPLAY_H

#include "drivers/reader.h"
#include "drivers/transcript.h"

enum replay_kind {
    REPLAY_DATA,         /* the command was recorded with other data: answered as recorded */
    REPLAY_SKIPPED,      /* recorded, but not asked now */
    REPLAY_NOT_RECORDED, /* GET DATA: answered with 6A88, as a card answers that has not got it;
                            another command ends the run, TP_ERR_CARD */
};

struct replay_difference { /* borrowed, for the time of the call */
    enum replay_kind kind;
    const struct transcript_exchange *recorded; /* NULL for REPLAY_NOT_RECORDED */
    struct span sent;                           /* empty for REPLAY_SKIPPED */
};

struct replay { /* the caller's; outlives the reader */
    const struct transcript *transcript;
    void (*differs)(void *ctx, const struct replay_difference *d);
    /* Each that is played, before it is answered; NULL: not told. */
    void (*plays)(void *ctx, const struct transcript_exchange *x);
    void *ctx;
    size_t at; /* the next exchange; start with 0 */
    unsigned differences;
};

/* What matches in the order of the recording: the command as recorded, masked bytes being any; else
 * one with the same header. The ATR is the fact "atr"; it speaks T=0 when the fact "protocol" says
 * so, and has a keypad when "keypad" says yes, which is answered by the next VERIFY. TP_ERR_FORMAT,
 * TP_ERR_NO_MEMORY. */
TP_MUST_CHECK enum tp_err replay_open(struct reader **out, struct replay *replay,
                                      struct tp_error *e);

/* Tells of the exchanges that were not asked for. */
void replay_finish(struct replay *replay);

#endif
