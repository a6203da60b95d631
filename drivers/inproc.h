/* A reader whose card is a function in the same process, for tests and benchmarks: no pcscd
 * between. */
#ifndef TP_DRIVERS_INPROC_H
#define TP_DRIVERS_INPROC_H

#include "drivers/reader.h"

struct inproc_card { /* owned by the caller, outlives the reader */
    void *ctx;
    /* Both TP_ERR_CARD when the card is mute or gone. */
    enum tp_err (*power_on)(void *ctx, struct buf *atr);
    enum tp_err (*transmit)(void *ctx, struct span command,
                            struct buf *response); /* response with status word */
    void (*power_off)(void *ctx);
};

TP_MUST_CHECK enum tp_err inproc_open(struct reader **out, const struct inproc_card *card);

#endif
