/* The card's side of T=1, for tests: written from ISO/IEC 7816-3, 11, apart from drivers/t1.c and
 * sharing nothing with it. */
#ifndef TP_TESTS_T1_CARD_H
#define TP_TESTS_T1_CARD_H

#include "drivers/inproc.h"

#define T1_CARD_APDU_MAX 66000

struct t1_card {
    const struct inproc_card *app; /* what carries out commands */
    bool crc;
    uint8_t ifsc, ifsd;
    uint8_t ns, nr; /* of the next I-block to be sent; of the one expected */
    unsigned wtx;   /* asks so often for more time before each answer */
    enum { T1_CARD_LISTENS, T1_CARD_WAITS, T1_CARD_ANSWERS } state;
    unsigned waits;
    size_t command_n, answer_n, answer_at, piece; /* piece: bytes in the I-block in flight */
    uint8_t last[260];                            /* what a request for repetition means */
    size_t last_n;
    uint8_t command[T1_CARD_APDU_MAX], answer[T1_CARD_APDU_MAX];
};

void t1_card_start(struct t1_card *c, const struct inproc_card *app, uint8_t ifsc, bool crc);

/* One block from the reader, one from the card, appended. The error of the application when it does
 * not answer. */
TP_MUST_CHECK enum tp_err t1_card_take(struct t1_card *c, struct span block, struct buf *out);

#endif
