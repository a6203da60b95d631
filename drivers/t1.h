/* The block protocol T=1 from the side of the reader: ISO/IEC 7816-3 (2006) 11; EMV 4.3 Book 1,
 * 9.2.4. It owns no I/O: what carries a block is a function. Every loop that the card drives has a
 * bound. */
#ifndef TP_DRIVERS_T1_H
#define TP_DRIVERS_T1_H

#include "base/span.h"

#define T1_BLOCK_MAX   (3 + 254 + 2)
#define T1_IFS_DEFAULT 32
#define T1_IFS_MAX     254
#define T1_ATTEMPTS    3    /* in a row, before the next means: 11.6.3.2, rules 6.4 and 7.4 */
#define T1_ERRORS_MAX  64   /* in one command, over all */
#define T1_WTX_MAX     1000 /* requests for more time in one command */
#define T1_IDLE_MAX                                                                                \
    16 /* blocks in one command that bring nothing: empty ones of a chain, changes of IFS */

struct t1_link { /* owned by the caller, outlives the struct t1 */
    void *ctx;
    /* Sends a block and appends the card's (at most the room there is). Nothing appended with
     * TP_OK: the card was silent for the block waiting time, or what it sent was disturbed. wtx:
     * how many block waiting times it may take, 0 or 1: one. Another result ends the command with
     * that error. */
    enum tp_err (*exchange)(void *ctx, uint8_t wtx, struct span block, struct buf *answer,
                            struct tp_error *e);
    /* As above, but the reader makes the block: the prologue (NAD, PCB, LEN) is given, it fills in
     * the PIN. NULL: it cannot. */
    enum tp_err (*secure)(void *ctx, const uint8_t prologue[3], struct buf *answer,
                          struct tp_error *e);
};

struct t1 {
    const struct t1_link *link;
    uint8_t ns, nr;               /* the number of our next I-block; of the one we expect */
    uint8_t ifsc_start, ifsc;     /* most bytes of information the card takes in a block */
    uint8_t ifsd;                 /* most we take */
    bool crc;                     /* else LRC */
    unsigned long blocks, errors; /* sent since the start; received wrongly, or asked for again */
};

/* After a reset of the card. ifsc and crc are those of its ATR. */
void t1_start(struct t1 *t, const struct t1_link *link, uint8_t ifsc, bool crc);

/* Tells the card how long its blocks may be: 1 to 254. TP_ERR_CARD when it does not agree. */
TP_MUST_CHECK enum tp_err t1_set_ifsd(struct t1 *t, uint8_t ifsd, struct tp_error *e);

/* One command APDU, one response APDU, appended to *response (its cap is the most a card may send).
 * TP_ERR_CARD when the card is mute, breaks the command off, breaks the rules, or the line fails: a
 * command that may have reached the card is then not sent a second time. On an error *response is
 * as it was. */
TP_MUST_CHECK enum tp_err t1_transmit(struct t1 *t, struct span command, struct buf *response,
                                      struct tp_error *e);

/* The same for a command of n bytes that the reader makes with its keypad (one block). */
TP_MUST_CHECK enum tp_err t1_secure(struct t1 *t, size_t n, struct buf *response,
                                    struct tp_error *e);

/* The error detection code over a block without it: LRC, 11.3.4, or the CRC of ISO/IEC 13239, low
 * byte first. Returns its length. */
size_t t1_edc(uint8_t out[2], struct span block, bool crc);

#endif
